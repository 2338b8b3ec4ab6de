package live

import (
	"context"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Routes adds the live stream, the summary and the trend.
func (s *Service) Routes(api *httpx.API) {
	httpx.Handle(api, httpx.Op{ID: "follow-facts", Method: http.MethodGet, Path: "/api/facts/live", Tag: "facts", Permission: auth.FactsRead, Whole: true,
		Summary: "Facts as they arrive, as an event stream; filters name, type, contact, source"}, s.follow(api.Stopping()))
	httpx.Register(api, httpx.Op{ID: "get-facts-summary", Method: http.MethodGet, Path: "/api/facts/summary", Tag: "facts", Permission: auth.FactsRead, Whole: true,
		Summary: "How many facts and people, in all and by event name"}, s.summary)
	httpx.Register(api, httpx.Op{ID: "get-facts-trend", Method: http.MethodGet, Path: "/api/facts/trend", Tag: "facts", Permission: auth.FactsRead, Whole: true,
		Summary: "A measure over time, by a property on request"}, s.trend)
}

// RangeInput is a span of fact time. It is exported because the API layer reads
// no parameters of embedded types that are not.
type RangeInput struct {
	From time.Time `query:"from" doc:"Inclusive; open when not given"`
	To   time.Time `query:"to" doc:"Exclusive; open when not given"`
}

func (in RangeInput) filter() (analytics.Filter, error) {
	if !in.From.IsZero() && !in.To.IsZero() && !in.From.Before(in.To) {
		return analytics.Filter{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("to", "facts.range_backwards"))
	}
	return analytics.Filter{Range: analytics.Range{From: in.From, To: in.To}}, nil
}

type summaryOutput struct {
	Body struct {
		From   *time.Time   `json:"from,omitempty"`
		To     *time.Time   `json:"to,omitempty"`
		Total  int64        `json:"total" doc:"Facts"`
		People int64        `json:"people" doc:"Distinct contacts, visitors included"`
		Events []eventCount `json:"events" doc:"Most frequent first"`
	}
}

type eventCount struct {
	Name   string `json:"name"`
	Count  int64  `json:"count"`
	People int64  `json:"people"`
}

func (s *Service) summary(ctx context.Context, in *RangeInput) (*summaryOutput, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	out := &summaryOutput{}
	b := &out.Body
	var events []analytics.EventCount
	if b.Total, b.People, events, err = s.deps.Store.Summary(ctx, f); err != nil {
		return nil, err
	}
	b.From, b.To = given(in.From), given(in.To)
	for _, e := range events {
		b.Events = append(b.Events, eventCount(e))
	}
	return out, nil
}

func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type trendInput struct {
	RangeInput
	Event     string `query:"event" maxLength:"256" doc:"Event name; all events when not given"`
	Measure   string `query:"measure" enum:"count,people,sum" default:"count"`
	Property  string `query:"property" maxLength:"200" doc:"Numeric property to add, for sum"`
	Interval  string `query:"interval" enum:"hour,day,week,month" default:"day"`
	Breakdown string `query:"breakdown" maxLength:"200" doc:"A property, or $channel, $source, $event"`
	Timezone  string `query:"timezone" maxLength:"60" default:"Asia/Shanghai" doc:"IANA name, for calendar units"`
}

type trendOutput struct {
	Body struct {
		Interval string      `json:"interval"`
		Timezone string      `json:"timezone"`
		Buckets  []time.Time `json:"buckets"`
		Series   []series    `json:"series"`
		Other    float64     `json:"other,omitempty" doc:"Beyond the series shown"`
	}
}

type series struct {
	Key    string    `json:"key"`
	Values []float64 `json:"values"`
	Total  float64   `json:"total"`
}

// maxBuckets keeps an hourly trend over years from being asked by mistake.
const maxBuckets = 5000

func (s *Service) trend(ctx context.Context, in *trendInput) (*trendOutput, error) {
	q, err := s.query(in)
	if err != nil {
		return nil, err
	}
	t, err := s.deps.Store.Trend(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &trendOutput{}
	out.Body.Interval, out.Body.Timezone, out.Body.Buckets, out.Body.Other = in.Interval, q.Timezone.String(), t.Buckets, t.Other
	for _, v := range t.Series {
		v.Key = veil.Value(in.Breakdown, v.Key)
		out.Body.Series = append(out.Body.Series, series(v))
	}
	return out, nil
}

func (s *Service) query(in *trendInput) (analytics.TrendQuery, error) {
	var q analytics.TrendQuery
	f, err := in.filter()
	if err != nil {
		return q, err
	}
	bad := errs.New(errs.Invalid, "request.invalid")
	zone, err := time.LoadLocation(in.Timezone)
	if err != nil {
		return q, bad.On(errs.At("timezone", "facts.bad_timezone")).Wrap(err)
	}
	if in.Measure == string(analytics.MeasureSum) && in.Property == "" {
		return q, bad.On(errs.At("property", "request.field_required"))
	}
	// A breakdown would list the values, a sum over one fact is its value.
	if in.Breakdown != "" && veil.Named(in.Breakdown) {
		return q, bad.On(errs.At("breakdown", "facts.personal_property"))
	}
	if in.Property != "" && veil.Named(in.Property) {
		return q, bad.On(errs.At("property", "facts.personal_property"))
	}
	width := map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour, "month": 28 * 24 * time.Hour}[in.Interval]
	if f.From.IsZero() { // thirty buckets and an open end are what a person means
		end := f.To
		if end.IsZero() {
			end = s.deps.Clock.Now()
		}
		f.From = end.Add(-30 * width)
	}
	if f.To.IsZero() {
		f.To = s.deps.Clock.Now()
	}
	if !f.From.Before(f.To) {
		return q, bad.On(errs.At("to", "facts.range_backwards"))
	}
	if f.To.Sub(f.From)/width > maxBuckets {
		return q, bad.On(errs.At("interval", "facts.range_too_long", "limit", maxBuckets))
	}
	if in.Event != "" {
		f.Events = []string{in.Event}
	}
	return analytics.TrendQuery{Filter: f, Measure: analytics.Measure(in.Measure), Property: in.Property, Interval: analytics.Interval(in.Interval),
		Timezone: zone, Breakdown: in.Breakdown}, nil
}

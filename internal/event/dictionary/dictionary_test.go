package dictionary_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/dictionary"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// counts is a store that answers with figures of its own: the dictionary must
// show those, and not what it counted itself.
type counts struct {
	analytics.Store
	byName  map[string]int64
	columns []analytics.Column
}

func (c *counts) Summary(_ context.Context, f analytics.Filter) (total, people int64, out []analytics.EventCount, err error) {
	for n, v := range c.byName {
		if !f.From.IsZero() {
			v /= 2
		}
		out = append(out, analytics.EventCount{Name: n, Count: v})
	}
	return 0, 0, out, nil
}

func (c *counts) Trend(_ context.Context, q analytics.TrendQuery) (analytics.Trend, error) {
	t := analytics.Trend{Series: []analytics.Series{{}}}
	for d := q.From; d.Before(q.To); d = d.AddDate(0, 0, 1) {
		t.Buckets = append(t.Buckets, d)
		t.Series[0].Values = append(t.Series[0].Values, 2)
	}
	return t, nil
}

func (c *counts) Columns(context.Context) ([]analytics.Column, error) { return c.columns, nil }

func (c *counts) Promote(_ context.Context, col analytics.Column) error {
	c.columns = append(c.columns, col)
	return nil
}

// inline runs jobs at once.
type inline struct {
	jobs.Queue
	handlers map[string]jobs.Handler
}

type inlineRun struct {
	jobs.Run
	params json.RawMessage
}

func (r inlineRun) Params(into any) error { return json.Unmarshal(r.params, into) }
func (r inlineRun) Progress(int64, int64) {}

func (q *inline) Register(kind string, h jobs.Handler) { q.handlers[kind] = h }

func (q *inline) Enqueue(ctx context.Context, s jobs.Spec) (jobs.Job, error) {
	params, err := json.Marshal(s.Params)
	if err != nil {
		return jobs.Job{}, err
	}
	return jobs.Job{}, q.handlers[s.Kind](ctx, inlineRun{params: params})
}

type notes struct{ actions []string }

func (n *notes) Record(_ context.Context, action string, obj audit.Object, _ map[string]any) error {
	n.actions = append(n.actions, action+" "+obj.ID)
	return nil
}

type world struct {
	*testing.T
	db    *db.DB
	clock *clock.Fake
	store *counts
	audit *notes
	dict  *dictionary.Service
}

func each(t *testing.T, fn func(w *world)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		w := &world{T: t, db: d, clock: testkit.Clock(), store: &counts{byName: map[string]int64{}}, audit: &notes{}}
		w.restart()
		fn(w)
	}, dictionary.Migrations())
}

func (w *world) restart() {
	w.dict = dictionary.New(dictionary.Deps{DB: w.db, Store: w.store, Clock: w.clock, IDs: testkit.IDs(w.clock), Log: testkit.Quiet(), Audit: w.audit,
		Jobs: &inline{handlers: map[string]jobs.Handler{}}})
}

func fact(name, props string, at int64) event.Stored {
	return event.Stored{Fact: event.Fact{Type: event.Track, Name: name, Source: "web", Timestamp: at, Properties: json.RawMessage(props)}}
}

func (w *world) handle(facts ...event.Stored) {
	w.Helper()
	require.NoError(w, w.db.Tx(w.Context(), func(ctx context.Context) error { return w.dict.Handle(ctx, facts) }))
}

func (w *world) props(ev string) map[string]dictionary.Property {
	w.Helper()
	list, err := w.dict.Properties(w.Context(), ev)
	require.NoError(w, err)
	out := map[string]dictionary.Property{}
	for _, p := range list {
		out[p.Name] = p
	}
	return out
}

func (w *world) violations() []string {
	w.Helper()
	list, err := w.dict.Violations(w.Context(), "", nil, 100)
	require.NoError(w, err)
	out := []string{}
	for _, v := range list {
		out = append(out, fmt.Sprintf("%s.%s %s %d", v.Event, v.Property, v.Kind, v.Count))
	}
	return out
}

func ptr[T any](v T) *T { return &v }

func TestLearnsExactly(t *testing.T) {
	each(t, func(w *world) {
		w.handle(fact("Viewed", `{"sku":"A1","price":1.5,"new":true,"at":"2026-03-02T08:00:00Z","tags":[1],"more":{"x":1},"none":null}`, 2000),
			fact("Viewed", `{"sku":"A2","price":"free"}`, 1000))
		failed := w.db.Tx(w.Context(), func(ctx context.Context) error {
			require.NoError(w, w.dict.Handle(ctx, []event.Stored{fact("Viewed", `{"sku":"A3"}`, 5000), fact("Lost", `{}`, 1)}))
			return errors.New("rolled back")
		})
		require.Error(w, failed)
		w.handle(fact("Viewed", `{"sku":"A1"}`, 3000))
		w.restart()
		w.handle(fact("Viewed", `{"sku":"A4"}`, 2500))

		w.store.byName["Viewed"] = 40
		list, total, err := w.dict.Events(w.Context(), dictionary.EventQuery{Limit: 10})
		require.NoError(w, err)
		require.Equal(w, 1, total, "what was rolled back was not learned")
		e := list[0]
		require.EqualValues(w, 40, e.Volume, "volumes are the reports'")
		require.EqualValues(w, 20, e.Volume7d)
		require.EqualValues(w, 7, e.Properties)
		require.EqualValues(w, 1000, e.FirstSeenAt.UnixMilli())
		require.EqualValues(w, 3000, e.LastSeenAt.UnixMilli())
		p := w.props("Viewed")
		require.EqualValues(w, 4, p["sku"].Count)
		require.Equal(w, []string{"A1", "A2", "A4"}, p["sku"].Samples)
		require.ElementsMatch(w, []dictionary.TypeCount{{Type: "number", Count: 1}, {Type: "string", Count: 1}}, p["price"].Types)
		require.Equal(w, "time", p["at"].Types[0].Type)
		require.Equal(w, "boolean", p["new"].Types[0].Type)
		require.Equal(w, "array", p["tags"].Types[0].Type)
		require.Equal(w, "object", p["more"].Types[0].Type)
		require.Equal(w, "null", p["none"].Types[0].Type)
		days, err := w.dict.Trend(w.Context(), "Viewed", 14, time.UTC)
		require.NoError(w, err)
		require.Len(w, days, 14)
		require.Equal(w, dictionary.DayCount{Date: "2026-03-02", Count: 2}, days[13])
	})
}

func TestSamplesAreFewShortAndNobodys(t *testing.T) {
	each(t, func(w *world) {
		w.handle(fact("E", `{"phone":"none","who":"13800138000","mail":"a@b.cn","long":"`+strings.Repeat("x", 100)+`","size":"S"}`, 1))
		for i := range 10 {
			w.handle(fact("E", fmt.Sprintf(`{"size":"%d","size2":%d}`, i, i), 1))
		}
		id := event.Stored{Fact: event.Fact{Type: event.Identify, Name: event.NameIdentified, Timestamp: 1, Traits: json.RawMessage(`{"name":"王小明","city":"上海"}`)}}
		w.handle(id)
		p := w.props("E")
		for _, n := range []string{"phone", "who", "mail", "long"} {
			require.Empty(w, p[n].Samples, n)
			require.EqualValues(w, 1, p[n].Count)
		}
		require.Equal(w, []string{"S", "0", "1", "2", "3"}, p["size"].Samples)
		require.Len(w, p["size2"].Samples, 5)
		traits := w.props(event.NameIdentified)
		require.Empty(w, traits["name"].Samples)
		require.Equal(w, []string{"上海"}, traits["city"].Samples)
	})
}

func TestBounds(t *testing.T) {
	each(t, func(w *world) {
		var b strings.Builder
		for i := range dictionary.MaxPropertiesPerEvent + 30 {
			fmt.Fprintf(&b, `,"p%d":1`, i)
		}
		wide := fact("Wide", "{"+b.String()[1:]+"}", 1)
		w.handle(wide)
		w.handle(wide)
		require.Len(w, w.props("Wide"), dictionary.MaxPropertiesPerEvent)
		var over int64
		require.NoError(w, w.db.QueryRow(w.Context(), "select value from dictionary_counters where name = 'overflow_properties'").Scan(&over))
		require.EqualValues(w, 60, over)

		var many []event.Stored
		for i := range dictionary.MaxEvents + 5 {
			many = append(many, fact(fmt.Sprint("e", i), "", 1))
		}
		w.handle(many...)
		_, total, err := w.dict.Events(w.Context(), dictionary.EventQuery{Limit: 1})
		require.NoError(w, err)
		require.Equal(w, dictionary.MaxEvents, total)
		_, err = w.dict.Expect(w.Context(), dictionary.NewEvent{Name: "one more"})
		require.Equal(w, "dictionary.full", errs.CodeOf(err))
	})
}

func TestPlanAndViolations(t *testing.T) {
	each(t, func(w *world) {
		w.handle(fact("Viewed", `{"sku":"A"}`, 1))
		require.Empty(w, w.violations(), "without a plan nothing deviates from it")
		_, err := w.dict.Expect(w.Context(), dictionary.NewEvent{Name: "Bought", DisplayName: "购买"})
		require.NoError(w, err)
		_, err = w.dict.Expect(w.Context(), dictionary.NewEvent{Name: "Bought"})
		require.Equal(w, "dictionary.event_exists", errs.CodeOf(err))
		_, err = w.dict.ChangeProperty(w.Context(), "Bought", "total", dictionary.PropertyChange{State: ptr(dictionary.Expected), ExpectedType: ptr("number"), Required: ptr(true)})
		require.NoError(w, err)
		require.ElementsMatch(w, []string{"Bought. never_seen 0", "Bought.total never_seen 0"}, w.violations())

		w.handle(fact("Viewed", `{"sku":"A"}`, 2), fact("Bought", `{"total":"12"}`, 3), fact("Bought", `{"total":null}`, 4), fact("Bought", `{"total":5,"coupon":"X"}`, 5),
			event.Stored{Fact: event.Fact{Type: event.Page, Name: event.NamePageViewed, Timestamp: 1}})
		require.ElementsMatch(w, []string{"Viewed. unexpected_event 1", "Bought.total wrong_type 1", "Bought.total missing_property 1", "Bought.coupon unexpected_property 1"}, w.violations())
		n, err := w.dict.CountViolations(w.Context())
		require.NoError(w, err)
		require.EqualValues(w, 4, n)

		e, err := w.dict.Change(w.Context(), "Viewed", dictionary.EventChange{State: ptr(dictionary.Hidden)})
		require.NoError(w, err)
		require.Equal(w, dictionary.Hidden, e.State)
		_, err = w.dict.ChangeProperty(w.Context(), "Bought", "coupon", dictionary.PropertyChange{State: ptr(dictionary.Expected)})
		require.NoError(w, err)
		require.ElementsMatch(w, []string{"Bought.total wrong_type 1", "Bought.total missing_property 1"}, w.violations())
		w.handle(fact("Viewed", `{"sku":"A"}`, 2), fact("Bought", `{"total":7,"coupon":"X"}`, 5))
		require.Len(w, w.violations(), 2, "the learner knows of the edits")

		titles, err := w.dict.Titles(w.Context(), []string{"Bought", "Viewed"})
		require.NoError(w, err)
		require.Equal(w, map[string]string{"Bought": "购买"}, titles)
		p, err := w.dict.ChangeProperty(w.Context(), "Bought", "coupon", dictionary.PropertyChange{DisplayName: ptr("优惠码")})
		require.NoError(w, err)
		require.Equal(w, "优惠码", p.DisplayName)
		words, err := w.dict.PropertyTitles(w.Context(), []string{"Bought", "Viewed"})
		require.NoError(w, err)
		require.Equal(w, map[string]string{"coupon": "优惠码"}, words["Bought"])
		require.Contains(w, w.audit.actions, "dictionary.event_created Bought")
		require.Contains(w, w.audit.actions, "dictionary.property_changed Bought")
		_, err = w.dict.Change(w.Context(), "Nope", dictionary.EventChange{Owner: ptr("x")})
		require.Equal(w, "dictionary.no_event", errs.CodeOf(err))
		_, err = w.dict.ChangeProperty(w.Context(), "Bought", "x", dictionary.PropertyChange{ExpectedType: ptr("money")})
		require.Equal(w, "request.invalid", errs.CodeOf(err))
	})
}

func TestHotPropertyBecomesAColumn(t *testing.T) {
	each(t, func(w *world) {
		w.handle(fact("Viewed", `{"price":1,"list":[1]}`, 1))
		p, err := w.dict.ChangeProperty(w.Context(), "Viewed", "price", dictionary.PropertyChange{Column: ptr(true)})
		require.NoError(w, err)
		require.True(w, p.Column)
		require.Equal(w, []analytics.Column{{Property: "price", Type: "number"}}, w.store.columns)
		_, err = w.dict.ChangeProperty(w.Context(), "Viewed", "price", dictionary.PropertyChange{Column: ptr(false)})
		require.Equal(w, "dictionary.column_stays", errs.CodeOf(err))
		_, err = w.dict.ChangeProperty(w.Context(), "Viewed", "list", dictionary.PropertyChange{Column: ptr(true)})
		require.Equal(w, "request.invalid", errs.CodeOf(err))
	})
}

func TestPagesByVolume(t *testing.T) {
	each(t, func(w *world) {
		for i := range 7 {
			name := fmt.Sprint("e", i)
			w.handle(fact(name, "", 1))
			w.store.byName[name] = int64(i / 2 * 10)
		}
		var got []string
		q := dictionary.EventQuery{Limit: 2}
		for {
			page, total, err := w.dict.Events(w.Context(), q)
			require.NoError(w, err)
			require.Equal(w, 7, total)
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				got = append(got, e.Name)
			}
			last := page[len(page)-1]
			q.After = &dictionary.EventCursor{Volume: last.Volume7d, Name: last.Name}
		}
		require.Equal(w, []string{"e6", "e4", "e5", "e2", "e3", "e0", "e1"}, got)
		page, total, err := w.dict.Events(w.Context(), dictionary.EventQuery{Text: "E5", Limit: 5})
		require.NoError(w, err)
		require.Equal(w, 1, total)
		require.Equal(w, "e5", page[0].Name)
	})
}

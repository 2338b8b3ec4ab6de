package app

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// channelFigures are what a channel brought in a period and what it cost. A
// person counts to the channel by which they first came, whatever came later.
type channelFigures struct {
	Visitors    int64    `json:"visitors" doc:"People and unknown devices that did anything"`
	New         int64    `json:"new" doc:"People who came in the period"`
	Buyers      int64    `json:"buyers"`
	FirstBuyers int64    `json:"firstBuyers" doc:"People whose first order of all lies in the period"`
	Repeat      int64    `json:"repeat" doc:"Buyers with two orders or more in the period"`
	Orders      int64    `json:"orders"`
	Revenue     float64  `json:"revenue" doc:"Paid less refunded in the period, in minor units"`
	LastOrders  int64    `json:"lastOrders" doc:"Orders by the last touch before each"`
	LastRevenue float64  `json:"lastRevenue" doc:"Revenue by the last touch before each order; over all channels the same as revenue"`
	RepeatRate  *float64 `json:"repeatRate,omitempty" doc:"Repeat by buyers"`
	Cost        int64    `json:"cost" doc:"In minor units"`
	CostPerNew  *float64 `json:"costPerNew,omitempty" doc:"Cost by new people"`
	CAC         *float64 `json:"cac,omitempty" doc:"Cost by first buyers"`
	Cohort      float64  `json:"cohort" doc:"What those who came in the period have brought until now"`
	LTV         *float64 `json:"ltv,omitempty" doc:"Cohort by new people"`
	ROI         *float64 `json:"roi,omitempty" doc:"Cohort less cost, by cost"`
}

func (f channelFigures) plus(o channelFigures) channelFigures {
	return channelFigures{Visitors: f.Visitors + o.Visitors, New: f.New + o.New, Buyers: f.Buyers + o.Buyers, FirstBuyers: f.FirstBuyers + o.FirstBuyers,
		Repeat: f.Repeat + o.Repeat, Orders: f.Orders + o.Orders, Revenue: f.Revenue + o.Revenue, LastOrders: f.LastOrders + o.LastOrders, LastRevenue: f.LastRevenue + o.LastRevenue, Cost: f.Cost + o.Cost, Cohort: f.Cohort + o.Cohort}
}

// rates works out what is a part of something else. What would divide by nothing
// is left out: no cost is no return on it, nobody new has no price.
func (f channelFigures) rates() channelFigures {
	part := func(a, b float64) *float64 {
		if b == 0 {
			return nil
		}
		r := a / b
		return &r
	}
	f.RepeatRate = part(float64(f.Repeat), float64(f.Buyers))
	f.LTV = part(f.Cohort, float64(f.New))
	if f.Cost > 0 {
		f.CostPerNew, f.CAC = part(float64(f.Cost), float64(f.New)), part(float64(f.Cost), float64(f.FirstBuyers))
		f.ROI = part(f.Cohort-float64(f.Cost), float64(f.Cost))
	}
	return f
}

func (f channelFigures) empty() bool {
	return f.Visitors == 0 && f.New == 0 && f.Buyers == 0 && f.FirstBuyers == 0 && f.Orders == 0 && f.Revenue == 0 && f.LastOrders == 0 && f.LastRevenue == 0 && f.Cost == 0 && f.Cohort == 0
}

type channelLine struct {
	Channel  string         `json:"channel"`
	Parent   string         `json:"parent,omitempty"`
	Name     string         `json:"name"`
	Depth    int            `json:"depth"`
	Archived bool           `json:"archived,omitempty"`
	Below    bool           `json:"below,omitempty" doc:"Others stand below it; its figures include theirs"`
	Owner    *contact.Ref   `json:"owner,omitempty"`
	Now      channelFigures `json:"now"`
	Before   channelFigures `json:"before" doc:"The period of equal length before"`
}

type channelReport struct {
	From       time.Time      `json:"from"`
	To         time.Time      `json:"to"`
	Currency   string         `json:"currency"`
	Currencies []string       `json:"currencies"`
	Items      []channelLine  `json:"items" doc:"The tree, each channel behind the one above it"`
	Total      channelFigures `json:"total"`
	Before     channelFigures `json:"before"`
}

type channelTrendInput struct {
	PeriodInput
	Currency string `query:"currency" maxLength:"3" doc:"ISO 4217; default the company's"`
}

type channelSeries struct {
	Key    string    `json:"key" enum:"visitors,new,orders,revenue,cost"`
	Values []float64 `json:"values"`
}

type channelTrend struct {
	Buckets  []time.Time     `json:"buckets"`
	Interval string          `json:"interval" enum:"day,week,month"`
	Series   []channelSeries `json:"series"`
}

func (a *App) channelsBelow(id string) []string {
	if id == "" {
		return nil
	}
	return a.acquire.Below(id)
}

func (a *App) channelRoutes() {
	httpx.Register(a.api, httpx.Op{ID: "get-channel-report", Method: http.MethodGet, Path: "/api/channel-report", Tag: "channels", Permission: auth.AcquireRead, Whole: true,
		Summary: "What each channel brought in a period, and what it cost"}, func(ctx context.Context, in *channelTrendInput) (*body[*channelReport], error) {
		q, err := a.question(ctx, in.PeriodInput, in.Currency)
		if err != nil {
			return nil, err
		}
		r, err := a.overview.ChannelReport(ctx, q)
		return &body[*channelReport]{r}, err
	})
	httpx.Register(a.api, httpx.Op{ID: "get-channel-trend", Method: http.MethodGet, Path: "/api/channel-trend", Tag: "channels", Permission: auth.AcquireRead, Whole: true,
		Summary: "A channel over time, with those below it"}, func(ctx context.Context, in *channelTrendInput) (*body[*channelTrend], error) {
		q, err := a.question(ctx, in.PeriodInput, in.Currency)
		if err != nil {
			return nil, err
		}
		t, err := a.overview.channelTrend(ctx, q)
		return &body[*channelTrend]{t}, err
	})
}

// visitors are all who did anything, known or not.
func (q overviewQuery) visitors() analytics.Filter {
	f := q.active()
	f.ContactKind = ""
	return f
}

// cohort is what persons who came in the period did of some name until now.
func (q overviewQuery) cohort(name string) analytics.Filter {
	f := q.money(name)
	f.Arrived, f.Range = f.Range, analytics.Range{}
	f.ContactKind = event.Person
	return f
}

// settle chooses the currency as the home page does.
func (s *overviewService) settle(ctx context.Context, q *overviewQuery) ([]string, error) {
	cur, err := s.currencies(ctx)
	if err != nil {
		return nil, err
	}
	if len(cur) > 0 && !slices.Contains(cur, q.Currency) {
		q.Currency = cur[0]
	}
	if len(cur) == 0 {
		cur = []string{q.Currency}
	}
	return cur, nil
}

// ChannelReport answers for the whole tree. Its numbers are those of the home
// page: the same questions, by channel.
func (s *overviewService) ChannelReport(ctx context.Context, q overviewQuery) (*channelReport, error) {
	cur, err := s.settle(ctx, &q)
	if err != nil {
		return nil, err
	}
	now, err := s.byChannel(ctx, q)
	if err != nil {
		return nil, err
	}
	before, err := s.byChannel(ctx, q.previous())
	if err != nil {
		return nil, err
	}
	out := &channelReport{From: q.From, To: q.To, Currency: q.Currency, Currencies: cur, Items: []channelLine{}}
	list := s.tree.Channels(ctx)
	known := map[string]bool{}
	for _, c := range list {
		known[c.ID] = true
	}
	gather := func(of map[string]channelFigures, ids []string) channelFigures {
		var f channelFigures
		for _, id := range ids {
			f = f.plus(of[id])
		}
		return f
	}
	for _, of := range []map[string]channelFigures{now, before} {
		for id, f := range of { // a name that is no channel, from before there was a tree
			if !known[id] {
				of[contact.Unknown] = of[contact.Unknown].plus(f)
				delete(of, id)
			}
		}
	}
	for _, c := range list {
		below := s.tree.Below(c.ID)
		line := channelLine{Channel: c.ID, Parent: c.Parent, Name: c.Name, Depth: len(c.Path) - 1, Archived: c.Archived, Below: len(below) > 1, Owner: c.Owner,
			Now: gather(now, below), Before: gather(before, below)}
		if c.Archived && line.Now.empty() && line.Before.empty() {
			continue
		}
		line.Now, line.Before = line.Now.rates(), line.Before.rates()
		out.Items = append(out.Items, line)
	}
	out.Total = gather(now, slices.Collect(maps.Keys(now))).rates()
	out.Before = gather(before, slices.Collect(maps.Keys(before))).rates()
	return out, nil
}

// byChannel answers by each channel itself, without those below it.
func (s *overviewService) byChannel(ctx context.Context, q overviewQuery) (map[string]channelFigures, error) {
	out := map[string]channelFigures{}
	put := func(id string, change func(f *channelFigures)) {
		id = cmp.Or(id, contact.Unknown)
		f := out[id]
		change(&f)
		out[id] = f
	}
	sold, err := s.salesBy(ctx, q, analytics.ByChannel)
	if err != nil {
		return nil, err
	}
	for id, v := range sold {
		put(id, func(f *channelFigures) {
			f.Buyers, f.Repeat, f.Orders, f.Revenue = f.Buyers+v.buyers, f.Repeat+v.repeat, f.Orders+v.orders, f.Revenue+v.revenue
		})
	}
	seen, err := s.store.Totals(ctx, analytics.TotalsQuery{Filter: q.visitors(), GroupBy: analytics.ByChannel})
	if err != nil {
		return nil, err
	}
	for _, r := range seen {
		put(r.Key, func(f *channelFigures) { f.Visitors += r.People })
	}
	for name, sign := range map[string]float64{event.NameOrderPaid: 1, event.NameOrderRefunded: -1} {
		rows, err := s.store.Totals(ctx, analytics.TotalsQuery{Filter: q.cohort(name), Property: "total", GroupBy: analytics.ByChannel})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			put(r.Key, func(f *channelFigures) { f.Cohort += sign * r.Sum })
		}
	}
	g, err := s.growth.Growth(ctx, []time.Time{q.From, q.To}, q.Channels...)
	if err != nil {
		return nil, err
	}
	for id, c := range g.Channels {
		put(id, func(f *channelFigures) { f.New += c.New })
	}
	first, err := s.growth.FirstBuyers(ctx, q.From, q.To, q.Channels...)
	if err != nil {
		return nil, err
	}
	for id, n := range first {
		put(id, func(f *channelFigures) { f.FirstBuyers += n })
	}
	last, err := s.sold.SoldBy(ctx, q.From, q.To, q.Currency, true)
	if err != nil {
		return nil, err
	}
	for id, v := range last {
		if len(q.Channels) == 0 || slices.Contains(q.Channels, id) {
			put(id, func(f *channelFigures) {
				f.LastOrders, f.LastRevenue = f.LastOrders+v.Orders, f.LastRevenue+float64(v.Revenue)
			})
		}
	}
	from, to := q.days()
	costs, _, err := s.tree.CostsBy(ctx, from, to, q.Currency)
	for id, c := range costs {
		if len(q.Channels) == 0 || slices.Contains(q.Channels, id) {
			put(id, func(f *channelFigures) { f.Cost += c })
		}
	}
	return out, err
}

// days are the first and the last day of the company's calendar that the period
// touches: costs are known by the day.
func (q overviewQuery) days() (from, to string) {
	return q.From.In(q.Zone).Format(time.DateOnly), q.To.Add(-time.Millisecond).In(q.Zone).Format(time.DateOnly)
}

func (s *overviewService) channelTrend(ctx context.Context, q overviewQuery) (*channelTrend, error) {
	if _, err := s.settle(ctx, &q); err != nil {
		return nil, err
	}
	every := q.interval()
	if every == analytics.Hour {
		every = analytics.Day
	}
	one := func(f analytics.Filter, m analytics.Measure, prop string) (analytics.Trend, error) {
		return s.store.Trend(ctx, analytics.TrendQuery{Filter: f, Measure: m, Property: prop, Interval: every, Timezone: q.Zone})
	}
	var trends [4]analytics.Trend
	for i, ask := range []struct {
		f    analytics.Filter
		m    analytics.Measure
		prop string
	}{{q.visitors(), analytics.MeasurePeople, ""}, {q.money(event.NameOrderPaid), analytics.MeasureCount, ""},
		{q.money(event.NameOrderPaid), analytics.MeasureSum, "total"}, {q.money(event.NameOrderRefunded), analytics.MeasureSum, "total"}} {
		var err error
		if trends[i], err = one(ask.f, ask.m, ask.prop); err != nil {
			return nil, err
		}
	}
	buckets := trends[0].Buckets
	edges := append(slices.Clone(buckets), q.To)
	if len(buckets) > 0 {
		edges[0] = q.From
	}
	g, err := s.growth.Growth(ctx, edges, q.Channels...)
	if err != nil {
		return nil, err
	}
	n := len(buckets)
	fresh, revenue := make([]float64, n), make([]float64, n)
	for i := range n {
		fresh[i] = float64(g.Before[i+1] - g.Before[i])
		revenue[i] = at(values(trends[2]), i) - at(values(trends[3]), i)
	}
	cost, err := s.costTrend(ctx, q, buckets)
	return &channelTrend{Buckets: buckets, Interval: string(every), Series: []channelSeries{{"visitors", padded(values(trends[0]), n)}, {"new", fresh},
		{"orders", padded(values(trends[1]), n)}, {"revenue", revenue}, {"cost", cost}}}, err
}

func (s *overviewService) costTrend(ctx context.Context, q overviewQuery, buckets []time.Time) ([]float64, error) {
	from, to := q.days()
	_, byDay, err := s.tree.CostsBy(ctx, from, to, q.Currency)
	out := make([]float64, len(buckets))
	for id, of := range byDay {
		if len(q.Channels) > 0 && !slices.Contains(q.Channels, id) {
			continue
		}
		for day, amount := range of {
			when, err := time.ParseInLocation(time.DateOnly, day, q.Zone)
			if err != nil || len(buckets) == 0 {
				continue
			}
			i, exact := slices.BinarySearchFunc(buckets, when, func(b, t time.Time) int { return b.Compare(t) })
			if !exact {
				i--
			}
			out[max(i, 0)] += float64(amount)
		}
	}
	return out, err
}

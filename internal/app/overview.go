package app

import (
	"context"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/koipond/koipond/internal/acquire"
	"github.com/koipond/koipond/internal/acquire/link"
	"github.com/koipond/koipond/internal/acquire/page"
	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/shop"
)

// growthSource is what the overview needs from package contact.
type growthSource interface {
	Growth(ctx context.Context, edges []time.Time, channels ...string) (contact.Growth, error)
	FirstBuyers(ctx context.Context, from, to time.Time, channels ...string) (map[string]int64, error)
}

// overviewQuery is a question for the home page, already checked.
type overviewQuery struct {
	From, To time.Time
	Zone     *time.Location
	Channel  string
	Channels []string // the channel and those below it; none: all
	Currency string
	Fakes    []int64 // who is taken to be no person
}

type kpi struct {
	Key      string    `json:"key" enum:"size,new,active,orders,revenue,averageOrder,repeatRate"`
	Unit     string    `json:"unit" enum:"people,count,money,ratio"`
	Value    float64   `json:"value" doc:"money in minor units, ratio between 0 and 1"`
	Previous *float64  `json:"previous,omitempty" doc:"the same for the period of equal length before; absent when that period has no data"`
	Spark    []float64 `json:"spark"`
	People   string    `json:"people,omitempty" doc:"metric to open with GET /api/people"`
}

type namedSeries struct {
	Key    string    `json:"key" enum:"new,active,orders,revenue"`
	Values []float64 `json:"values"`
}

type overviewTrend struct {
	Buckets  []time.Time   `json:"buckets"`
	Interval string        `json:"interval" enum:"day,week,month,hour"`
	Series   []namedSeries `json:"series"`
}

type channelRow struct {
	Channel      string  `json:"channel"`
	Size         int64   `json:"size"`
	New          int64   `json:"new"`
	Active       int64   `json:"active"`
	Buyers       int64   `json:"buyers"`
	Orders       int64   `json:"orders"`
	Revenue      float64 `json:"revenue"`
	AverageOrder float64 `json:"averageOrder"`
	RepeatRate   float64 `json:"repeatRate"`
}

type eventRow struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	Count       int64  `json:"count"`
	People      int64  `json:"people"`
}

type advice struct {
	Code     string         `json:"code"`
	Params   map[string]any `json:"params"`
	Severity string         `json:"severity" enum:"info,warn"`
	Link     string         `json:"link"`
}

type overview struct {
	From       time.Time     `json:"from"`
	To         time.Time     `json:"to"`
	Timezone   string        `json:"timezone"`
	Currency   string        `json:"currency"`
	Currencies []string      `json:"currencies"`
	UpdatedAt  time.Time     `json:"updatedAt"`
	KPIs       []kpi         `json:"kpis"`
	Trend      overviewTrend `json:"trend"`
	Channels   []channelRow  `json:"channels"`
	Events     []eventRow    `json:"events"`
	Advice     []advice      `json:"advice"`
}

type overviewService struct {
	store   analytics.Store
	growth  growthSource
	names   func(ctx context.Context, events []string) map[string]string
	advisor func(ctx context.Context, o *overview) ([]advice, error)
	clock   clock.Clock
	tree    channelTree
	sold    soldBy
	pages   *page.Service
	links   *link.Service
}

// soldBy sums orders up by the touches that they carry.
type soldBy interface {
	SoldBy(ctx context.Context, from, to time.Time, currency string, last bool) (map[string]shop.Sold, error)
}

// channelTree knows which channel stands above which, and what they cost.
type channelTree interface {
	Below(id string) []string
	Top(id string) string
	Channels(ctx context.Context) []acquire.Channel
	CostsBy(ctx context.Context, from, to, currency string) (byChannel map[string]int64, byDay map[string]map[string]int64, err error)
}

func (q overviewQuery) filter(events ...string) analytics.Filter {
	return analytics.Filter{Range: analytics.Range{From: q.From, To: q.To}, Events: events, FirstChannels: q.Channels, Except: q.Fakes}
}

func (q overviewQuery) active() analytics.Filter {
	f := q.filter()
	f.ExceptEvents = event.AdministrativeNames()
	f.ContactKind = event.Person
	return f
}

func (q overviewQuery) money(name string) analytics.Filter {
	f := q.filter(name)
	f.Currency = q.Currency
	return f
}

func (q overviewQuery) previous() overviewQuery {
	p := q
	p.From, p.To = q.From.Add(-q.To.Sub(q.From)), q.From
	return p
}

func (q overviewQuery) interval() analytics.Interval {
	switch d := q.To.Sub(q.From); {
	case d <= 49*time.Hour:
		return analytics.Hour
	case d <= 100*24*time.Hour:
		return analytics.Day
	case d <= 740*24*time.Hour:
		return analytics.Week
	}
	return analytics.Month
}

// money totals of one period.
type sales struct {
	orders, buyers, repeat  int64
	paid, refunded, revenue float64
}

func (s sales) plus(o sales) sales {
	return sales{s.orders + o.orders, s.buyers + o.buyers, s.repeat + o.repeat, s.paid + o.paid, s.refunded + o.refunded, s.revenue + o.revenue}
}

func (s sales) average() float64 { return ratio(s.revenue, float64(s.orders)) }
func (s sales) repeats() float64 { return ratio(float64(s.repeat), float64(s.buyers)) }

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// salesBy totals orders and money, grouped ("" for one total).
func (s *overviewService) salesBy(ctx context.Context, q overviewQuery, groupBy string) (map[string]sales, error) {
	out := map[string]sales{}
	// Orders and money include buyers nobody knows; buyers and repeat buyers are persons.
	paid, err := s.store.Totals(ctx, analytics.TotalsQuery{Filter: q.money(event.NameOrderPaid), Property: "total", GroupBy: groupBy})
	if err != nil {
		return nil, err
	}
	for _, r := range paid {
		v := out[r.Key]
		v.orders, v.paid = r.Count, r.Sum
		out[r.Key] = v
	}
	people := q.money(event.NameOrderPaid)
	people.ContactKind = event.Person
	buyers, err := s.store.Totals(ctx, analytics.TotalsQuery{Filter: people, GroupBy: groupBy})
	if err != nil {
		return nil, err
	}
	for _, r := range buyers {
		v := out[r.Key]
		v.buyers, v.repeat = r.People, r.Repeat
		out[r.Key] = v
	}
	back, err := s.store.Totals(ctx, analytics.TotalsQuery{Filter: q.money(event.NameOrderRefunded), Property: "total", GroupBy: groupBy})
	if err != nil {
		return nil, err
	}
	for _, r := range back {
		v := out[r.Key]
		v.refunded = r.Sum
		out[r.Key] = v
	}
	for k, v := range out {
		v.revenue = v.paid - v.refunded
		out[k] = v
	}
	return out, nil
}

// currencies lists those that orders were paid in, most used first.
func (s *overviewService) currencies(ctx context.Context) ([]string, error) {
	rows, err := s.store.Totals(ctx, analytics.TotalsQuery{Filter: analytics.Filter{Events: []string{event.NameOrderPaid}}, GroupBy: "currency"})
	if err != nil {
		return nil, err
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].Count > rows[j].Count })
	out := []string{}
	for _, r := range rows {
		if r.Key != "" {
			out = append(out, r.Key)
		}
	}
	return out, nil
}

// Overview answers the home page from the facts.
func (s *overviewService) Overview(ctx context.Context, q overviewQuery) (*overview, error) {
	cur, err := s.currencies(ctx)
	if err != nil {
		return nil, err
	}
	if len(cur) > 0 && !slices.Contains(cur, q.Currency) {
		q.Currency = cur[0] // a pond that sells in one foreign currency shows that one
	}
	o := &overview{From: q.From, To: q.To, Timezone: q.Zone.String(), Currency: q.Currency, Currencies: cur, UpdatedAt: s.clock.Now()}
	if len(cur) == 0 {
		o.Currencies = []string{q.Currency}
	}
	if err := s.trend(ctx, q, o); err != nil {
		return nil, err
	}
	if err := s.kpis(ctx, q, o); err != nil {
		return nil, err
	}
	if err := s.channels(ctx, q, o); err != nil {
		return nil, err
	}
	if err := s.events(ctx, q, o); err != nil {
		return nil, err
	}
	o.Advice, err = s.advisor(ctx, o)
	return o, err
}

func (s *overviewService) trend(ctx context.Context, q overviewQuery, o *overview) error {
	one := func(f analytics.Filter, m analytics.Measure, prop string) (analytics.Trend, error) {
		return s.store.Trend(ctx, analytics.TrendQuery{Filter: f, Measure: m, Property: prop, Interval: q.interval(), Timezone: q.Zone})
	}
	active, err := one(q.active(), analytics.MeasurePeople, "")
	if err != nil {
		return err
	}
	orders, err := one(q.money(event.NameOrderPaid), analytics.MeasureCount, "")
	if err != nil {
		return err
	}
	paid, err := one(q.money(event.NameOrderPaid), analytics.MeasureSum, "total")
	if err != nil {
		return err
	}
	back, err := one(q.money(event.NameOrderRefunded), analytics.MeasureSum, "total")
	if err != nil {
		return err
	}
	edges := append(slices.Clone(active.Buckets), q.To)
	if len(edges) > 1 {
		edges[0] = q.From
	}
	g, err := s.growth.Growth(ctx, edges, q.Channels...)
	if err != nil {
		return err
	}
	n := len(active.Buckets)
	fresh := make([]float64, n)
	revenue := make([]float64, n)
	for i := range n {
		fresh[i] = float64(g.Before[i+1] - g.Before[i])
		revenue[i] = at(values(paid), i) - at(values(back), i)
	}
	o.Trend = overviewTrend{Buckets: active.Buckets, Interval: string(q.interval()), Series: []namedSeries{
		{"new", fresh}, {"active", padded(values(active), n)}, {"orders", padded(values(orders), n)}, {"revenue", revenue}}}
	return nil
}

func values(t analytics.Trend) []float64 {
	if len(t.Series) == 0 {
		return nil
	}
	return t.Series[0].Values
}

func at(v []float64, i int) float64 {
	if i < len(v) {
		return v[i]
	}
	return 0
}

func padded(v []float64, n int) []float64 {
	out := make([]float64, n)
	copy(out, v)
	return out
}

func (s *overviewService) kpis(ctx context.Context, q overviewQuery, o *overview) error {
	prev := q.previous()
	now, err := s.period(ctx, q)
	if err != nil {
		return err
	}
	before, err := s.period(ctx, prev)
	if err != nil {
		return err
	}
	series := map[string][]float64{}
	for _, ns := range o.Trend.Series {
		series[ns.Key] = ns.Values
	}
	size := make([]float64, len(series["new"]))
	run := now.size - sum(series["new"])
	for i, v := range series["new"] {
		run += v
		size[i] = run
	}
	avg := make([]float64, len(series["orders"]))
	for i := range avg {
		avg[i] = ratio(series["revenue"][i], series["orders"][i])
	}
	add := func(key, unit string, v, p float64, spark []float64, people string) {
		k := kpi{Key: key, Unit: unit, Value: v, Spark: spark, People: people}
		if before.any {
			k.Previous = &p
		}
		if k.Spark == nil {
			k.Spark = []float64{}
		}
		o.KPIs = append(o.KPIs, k)
	}
	add("size", "people", now.size, before.size, size, "size")
	add("new", "people", now.fresh, before.fresh, series["new"], "new")
	add("active", "people", now.active, before.active, series["active"], "active")
	add("orders", "count", float64(now.orders), float64(before.orders), series["orders"], "buyers")
	add("revenue", "money", now.revenue, before.revenue, series["revenue"], "buyers")
	add("averageOrder", "money", math.Round(now.average()), math.Round(before.average()), avg, "buyers")
	add("repeatRate", "ratio", now.repeats(), before.repeats(), nil, "repeat")
	return nil
}

func sum(v []float64) float64 {
	t := 0.0
	for _, x := range v {
		t += x
	}
	return t
}

type period struct {
	sales
	size, fresh, active float64
	any                 bool
}

func (s *overviewService) period(ctx context.Context, q overviewQuery) (period, error) {
	var p period
	by, err := s.salesBy(ctx, q, "")
	if err != nil {
		return p, err
	}
	p.sales = by[""]
	n, err := s.store.CountPeople(ctx, analytics.PeopleQuery{Filter: q.active()})
	if err != nil {
		return p, err
	}
	p.active = float64(n)
	g, err := s.growth.Growth(ctx, []time.Time{q.From, q.To}, q.Channels...)
	if err != nil {
		return p, err
	}
	p.size, p.fresh = float64(g.Before[1]), float64(g.Before[1]-g.Before[0])
	p.any = p.size > 0 || p.orders > 0 || n > 0
	return p, nil
}

func (s *overviewService) channels(ctx context.Context, q overviewQuery, o *overview) error {
	by, err := s.salesBy(ctx, q, "$channel")
	if err != nil {
		return err
	}
	act, err := s.store.Totals(ctx, analytics.TotalsQuery{Filter: q.active(), GroupBy: "$channel"})
	if err != nil {
		return err
	}
	g, err := s.growth.Growth(ctx, []time.Time{q.From, q.To}, q.Channels...)
	if err != nil {
		return err
	}
	// Whatever stands below a channel at the top counts to that one: a person has
	// one first channel, so that the parts add up.
	rows := map[string]*channelRow{}
	row := func(ch string) *channelRow {
		ch = s.tree.Top(ch)
		if rows[ch] == nil {
			rows[ch] = &channelRow{Channel: ch}
		}
		return rows[ch]
	}
	for ch, c := range g.Channels {
		r := row(ch)
		r.Size, r.New = r.Size+c.Size, r.New+c.New
	}
	for _, a := range act {
		row(a.Key).Active += a.People
	}
	all := map[string]sales{}
	for ch, v := range by {
		all[s.tree.Top(ch)] = all[s.tree.Top(ch)].plus(v)
	}
	for ch, v := range all {
		r := row(ch)
		r.Buyers, r.Orders, r.Revenue = v.buyers, v.orders, v.revenue
		r.AverageOrder, r.RepeatRate = math.Round(v.average()), v.repeats()
	}
	o.Channels = []channelRow{}
	for _, r := range rows {
		o.Channels = append(o.Channels, *r)
	}
	sort.Slice(o.Channels, func(i, j int) bool {
		a, b := o.Channels[i], o.Channels[j]
		if a.Size != b.Size {
			return a.Size > b.Size
		}
		return a.Channel < b.Channel
	})
	return nil
}

func (s *overviewService) events(ctx context.Context, q overviewQuery, o *overview) error {
	f := q.filter()
	f.ExceptEvents = event.AdministrativeNames()
	_, _, evs, err := s.store.Summary(ctx, f)
	if err != nil {
		return err
	}
	sort.Slice(evs, func(i, j int) bool { return evs[i].Count > evs[j].Count })
	evs = evs[:min(len(evs), 8)]
	var names []string
	for _, e := range evs {
		names = append(names, e.Name)
	}
	shown := s.names(ctx, names)
	o.Events = []eventRow{}
	for _, e := range evs {
		o.Events = append(o.Events, eventRow{e.Name, shown[e.Name], e.Count, e.People})
	}
	return nil
}

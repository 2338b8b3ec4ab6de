package conformance

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

// testHistories plays random histories to the engine and to Model and puts random questions to both.
func testHistories(t *testing.T, e Engine) {
	rapid.Check(t, func(r *rapid.T) {
		h := &history{engine: e, t: t, s: e.Open(t), m: NewModel()}
		defer func() { require.NoError(r, h.s.Close()) }()
		for range rapid.IntRange(1, 6).Draw(r, "steps") {
			h.step(r)
			for range 3 {
				h.ask(r)
			}
		}
		h.askAll(r)
	})
}

type history struct {
	engine Engine
	t      *testing.T
	s      analytics.Store
	m      *Model
	seq    uint64
	last   analytics.Batch
	props  func(r *rapid.T) string // of a fact; nil: as below

	remembered *analytics.BehaviourQuery // what the engine was last told to keep at hand
}

var (
	drawContact = rapid.Int64Range(0, 12)
	drawHour    = rapid.IntRange(0, 2200) // over the clock changes of spring on both sides of the world
	drawName    = rapid.SampledFrom([]string{"page.viewed", "order.paid", "锦", "x"})
	drawSource  = rapid.SampledFrom([]string{"web", "shop"})
	drawImport  = rapid.SampledFrom([]string{"", "", "i1", "i2"})
	drawChannel = rapid.SampledFrom([]string{"", "social", "direct"})
	drawKind    = rapid.SampledFrom([]event.Kind{event.Person, event.Visitor})
	drawValue   = rapid.SampledFrom([]string{`"a"`, `"b"`, `3`, `-2`, `0.5`, `12.25`, `true`, `null`, `"7"`, `"7.5"`, `""`, `{"k":[1,2]}`})
	drawMoney   = rapid.SampledFrom([]string{`100`, `250`, `"oops"`, `0.5`, `null`})
	drawZone    = rapid.SampledFrom([]string{"UTC", "Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata"})
)

func (h *history) step(r *rapid.T) {
	switch rapid.IntRange(0, 9).Draw(r, "what") {
	case 0:
		who := rapid.SliceOfN(drawContact, 0, 3).Draw(r, "erase")
		n, err := h.s.EraseContacts(h.t.Context(), who)
		require.NoError(r, err)
		require.Equal(r, h.m.EraseContacts(who), n)
	case 1:
		id := drawImport.Filter(func(s string) bool { return s != "" }).Draw(r, "import")
		n, err := h.s.EraseImport(h.t.Context(), id)
		require.NoError(r, err)
		require.Equal(r, h.m.EraseImport(id), n)
	case 2:
		p := rapid.SampledFrom([]string{"p", "q"}).Draw(r, "promote")
		typ := map[string]string{"p": "string", "q": "number"}[p]
		require.NoError(r, h.s.Promote(h.t.Context(), analytics.Column{Property: p, Type: typ}))
	case 3:
		h.append(r, h.last)
	case 4:
		s := h.engine.Crash(h.t, h.s)
		require.NoError(r, h.s.Close())
		h.s = s
	default:
		h.seq += rapid.Uint64Range(1, 3).Draw(r, "gap")
		h.last = h.batch(r)
		h.append(r, h.last)
	}
}

func (h *history) append(r *rapid.T, b analytics.Batch) {
	require.NoError(r, h.s.Append(h.t.Context(), b))
	h.m.Append(b)
}

func (h *history) batch(r *rapid.T) analytics.Batch {
	rows := make([]analytics.Row, rapid.IntRange(0, 40).Draw(r, "rows"))
	for i := range rows {
		props := ""
		switch {
		case h.props != nil:
			props = h.props(r)
		case rapid.Bool().Draw(r, "has properties"):
			props = fmt.Sprintf(`{"p":%s,"q":%s,"total":%s,"currency":%q}`, drawValue.Draw(r, "p"), drawValue.Draw(r, "q"),
				drawMoney.Draw(r, "total"), rapid.SampledFrom([]string{"CNY", "USD"}).Draw(r, "currency"))
		}
		rows[i] = fact(drawName.Draw(r, "name"), drawContact.Draw(r, "contact"), 0, props)
		rows[i].Timestamp = at(drawHour.Draw(r, "hour")) + rapid.Int64Range(-1, 1).Draw(r, "ms")
		rows[i].Source, rows[i].ImportID = drawSource.Draw(r, "source"), drawImport.Draw(r, "import")
	}
	b := batch(h.seq, rows...)
	// Whoever is split off is part of another contact, as after a merge that is
	// undone; a store also bears splits that name somebody else.
	for range rapid.IntRange(0, 2).Draw(r, "splits") {
		k := event.Rekey{From: rapid.Int64Range(1, 12).Draw(r, "split")}
		k.Split = rapid.SliceOfNDistinct(rapid.Int64Range(1, 12), 1, 3, rapid.ID[int64]).Draw(r, "off")
		b.Rekeys = append(b.Rekeys, k)
	}
	for range rapid.IntRange(0, 4).Draw(r, "rekeys") {
		b.Rekeys = append(b.Rekeys, event.Rekey{From: rapid.Int64Range(1, 12).Draw(r, "from"), Into: rapid.Int64Range(1, 12).Draw(r, "into")})
	}
	seen := map[int64]bool{}
	for range rapid.IntRange(0, 6).Draw(r, "profiles") {
		p := event.Profile{Contact: rapid.Int64Range(1, 12).Draw(r, "of"), Kind: drawKind.Draw(r, "kind"), Channel: drawChannel.Draw(r, "channel"),
			CreatedAt: at(drawHour.Draw(r, "made"))}
		if !seen[p.Contact] {
			seen[p.Contact] = true
			b.Profiles = append(b.Profiles, p)
		}
	}
	return b
}

func (h *history) filter(r *rapid.T) analytics.Filter {
	var f analytics.Filter
	odds := rapid.IntRange(0, 3)
	if odds.Draw(r, "from?") == 0 {
		f.From = hour(drawHour.Draw(r, "from"))
	}
	if odds.Draw(r, "to?") == 0 {
		f.To = hour(drawHour.Draw(r, "to"))
	}
	if odds.Draw(r, "events?") == 0 {
		f.Events = rapid.SliceOfN(drawName, 1, 3).Draw(r, "events")
	}
	if odds.Draw(r, "except?") == 0 {
		f.ExceptEvents = rapid.SliceOfN(drawName, 1, 2).Draw(r, "except")
	}
	if odds.Draw(r, "contact?") == 0 {
		f.Contact = drawContact.Draw(r, "contact")
	}
	if odds.Draw(r, "kind?") == 0 {
		f.ContactKind = drawKind.Draw(r, "kind")
	}
	if odds.Draw(r, "channel?") == 0 {
		f.FirstChannel = drawChannel.Draw(r, "channel")
	}
	if odds.Draw(r, "channels?") == 0 {
		f.FirstChannels = rapid.SliceOfN(drawChannel.Filter(func(c string) bool { return c != "" }), 1, 3).Draw(r, "channels")
	}
	if odds.Draw(r, "arrived from?") == 0 {
		f.Arrived.From = hour(drawHour.Draw(r, "arrived from"))
	}
	if odds.Draw(r, "arrived to?") == 0 {
		f.Arrived.To = hour(drawHour.Draw(r, "arrived to"))
	}
	if odds.Draw(r, "import?") == 0 {
		f.ImportID = drawImport.Draw(r, "import")
	}
	if odds.Draw(r, "source?") == 0 {
		f.Sources = []string{drawSource.Draw(r, "source")}
	}
	if odds.Draw(r, "currency?") == 0 {
		f.Currency = "CNY"
	}
	if odds.Draw(r, "where?") == 0 {
		f.Where = []analytics.Equal{{Property: drawGroup.Filter(func(by string) bool { return by != "" }).Draw(r, "where"), Value: rapid.SampledFrom([]string{"", "a", "3", "CNY", "social"}).Draw(r, "equal")}}
	}
	if odds.Draw(r, "but?") == 0 {
		f.Except = rapid.SliceOfN(drawContact, 1, 3).Draw(r, "but")
	}
	return f
}

var drawGroup = rapid.SampledFrom([]string{"", "p", "q", "currency", analytics.ByChannel, analytics.BySource, analytics.ByEvent})

func (h *history) ask(r *rapid.T) {
	f, by := h.filter(r), drawGroup.Draw(r, "by")
	switch rapid.IntRange(0, 4).Draw(r, "question") {
	case 0:
		q := analytics.TotalsQuery{Filter: f, Property: rapid.SampledFrom([]string{"", "p", "q", "total"}).Draw(r, "property"), GroupBy: by}
		got, err := h.s.Totals(h.t.Context(), q)
		require.NoError(r, err)
		require.ElementsMatch(r, h.m.Totals(q), got)
	case 1:
		h.askTrend(r, f, by)
	case 2:
		q := analytics.PeopleQuery{Filter: f, MinCount: rapid.Int64Range(0, 3).Draw(r, "least"), After: rapid.Int64Range(0, 6).Draw(r, "after"), Limit: 5}
		got, err := h.s.People(h.t.Context(), q)
		require.NoError(r, err)
		require.Equal(r, h.m.People(q), got)
	case 3:
		q := analytics.TimelineQuery{Filter: f, Limit: rapid.IntRange(1, 30).Draw(r, "limit")}
		if rapid.Bool().Draw(r, "cursor") {
			q.Before = &analytics.TimelineCursor{Timestamp: at(drawHour.Draw(r, "before")), Position: event.Position{Seq: rapid.Uint64Range(0, h.seq+1).Draw(r, "seq"), Idx: 3}}
		}
		got, err := h.s.Timeline(h.t.Context(), q)
		require.NoError(r, err)
		want := h.m.Timeline(q)
		require.Equal(r, ids(want), ids(got))
		for i := range want {
			require.Equal(r, want[i].Contact, got[i].Contact)
		}
	case 4:
		n, who, byEvent, err := h.s.Summary(h.t.Context(), f)
		require.NoError(r, err)
		wantN, wantWho, wantEvents := h.m.Summary(f)
		require.Equal(r, []int64{wantN, wantWho}, []int64{n, who})
		require.ElementsMatch(r, wantEvents, byEvent)
	}
}

func (h *history) askTrend(r *rapid.T, f analytics.Filter, by string) {
	loc, err := time.LoadLocation(drawZone.Draw(r, "zone"))
	require.NoError(r, err)
	q := analytics.TrendQuery{Filter: f, Breakdown: by, Timezone: loc, Limit: rapid.IntRange(1, 4).Draw(r, "limit"),
		Measure:  rapid.SampledFrom([]analytics.Measure{analytics.MeasureCount, analytics.MeasurePeople, analytics.MeasureSum}).Draw(r, "measure"),
		Interval: rapid.SampledFrom([]analytics.Interval{analytics.Hour, analytics.Day, analytics.Week, analytics.Month}).Draw(r, "interval")}
	if q.Measure == analytics.MeasureSum {
		q.Property = rapid.SampledFrom([]string{"p", "q", "total"}).Draw(r, "property")
	}
	got, err := h.s.Trend(h.t.Context(), q)
	require.NoError(r, err)
	require.Equal(r, h.m.Trend(q), got)
}

// askAll compares everything that is stored.
func (h *history) askAll(r *rapid.T) {
	rows, err := h.s.After(h.t.Context(), event.Position{}, 10_000)
	require.NoError(r, err)
	want := h.m.rows
	require.Equal(r, ids(want), ids(rows))
	for i := range want {
		require.Equal(r, want[i].Contact, rows[i].Contact)
		require.Equal(r, want[i].Properties, rows[i].Properties)
	}
	pos, err := h.s.Position(h.t.Context())
	require.NoError(r, err)
	require.Equal(r, h.m.pos, pos)
}

package conformance

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

// shopDay is a small pond: three people, a visitor and a contact without a profile.
func shopDay() analytics.Batch {
	paid := func(contact int64, hours int, props, source, imp string) analytics.Row {
		r := fact(event.NameOrderPaid, contact, hours, props)
		r.Source, r.ImportID = source, imp
		return r
	}
	b := batch(1,
		paid(1, 0, `{"total":1000,"currency":"CNY","city":"杭州"}`, "shop", ""),
		paid(1, 30, `{"total":250,"currency":"CNY","city":"杭州"}`, "shop", "imp1"),
		paid(2, 31, `{"total":99,"currency":"USD","city":"Oslo"}`, "pos", "imp1"),
		paid(3, 200, `{"total":"12.5","currency":"CNY"}`, "pos", ""),
		fact("page.viewed", 1, 1, `{"total":null}`),
		fact("page.viewed", 4, 2, ""),
		fact("page.viewed", 5, 3, `{"total":"many","currency":7,"city":true}`),
		fact("page.viewed", 0, 3, ""),
	)
	b.Profiles = []event.Profile{person(1, "social"), person(2, "social"), person(3, "direct"), visitor(4, "direct")}
	return b
}

func testTotals(t *testing.T, e Engine) {
	s := load(t, e, shopDay())
	orders := []string{event.NameOrderPaid}
	for name, c := range map[string]struct {
		filter analytics.Filter
		want   analytics.GroupRow
	}{
		"all":           {analytics.Filter{}, analytics.GroupRow{Count: 8, People: 5, Repeat: 1, Sum: 1361.5}},
		"one event":     {analytics.Filter{Events: orders}, analytics.GroupRow{Count: 4, People: 3, Repeat: 1, Sum: 1361.5}},
		"two events":    {analytics.Filter{Events: []string{"page.viewed", "none"}}, analytics.GroupRow{Count: 4, People: 3}},
		"unknown event": {analytics.Filter{Events: []string{"none"}}, analytics.GroupRow{}},
		"currency":      {analytics.Filter{Events: orders, Currency: "CNY"}, analytics.GroupRow{Count: 3, People: 2, Repeat: 1, Sum: 1262.5}},
		"source":        {analytics.Filter{Sources: []string{"pos"}}, analytics.GroupRow{Count: 2, People: 2, Sum: 111.5}},
		"sources":       {analytics.Filter{Sources: []string{"pos", "shop"}}, analytics.GroupRow{Count: 4, People: 3, Repeat: 1, Sum: 1361.5}},
		"import":        {analytics.Filter{ImportID: "imp1"}, analytics.GroupRow{Count: 2, People: 2, Sum: 349}},
		"contact":       {analytics.Filter{Contact: 1}, analytics.GroupRow{Count: 3, People: 1, Repeat: 1, Sum: 1250}},
		"people":        {analytics.Filter{ContactKind: event.Person}, analytics.GroupRow{Count: 5, People: 3, Repeat: 1, Sum: 1361.5}},
		"visitors":      {analytics.Filter{ContactKind: event.Visitor}, analytics.GroupRow{Count: 1, People: 1}},
		"channel":       {analytics.Filter{FirstChannel: "social"}, analytics.GroupRow{Count: 4, People: 2, Repeat: 1, Sum: 1349}},
		"both":          {analytics.Filter{FirstChannel: "direct", ContactKind: event.Person}, analytics.GroupRow{Count: 1, People: 1, Sum: 12.5}},
		"half-open":     {analytics.Filter{Range: analytics.Range{From: hour(30), To: hour(31)}}, analytics.GroupRow{Count: 1, People: 1, Sum: 250}},
		"from":          {analytics.Filter{Range: analytics.Range{From: hour(31)}}, analytics.GroupRow{Count: 2, People: 2, Sum: 111.5}},
		"to":            {analytics.Filter{Range: analytics.Range{To: hour(1)}}, analytics.GroupRow{Count: 1, People: 1, Sum: 1000}},
		"backwards":     {analytics.Filter{Range: analytics.Range{From: hour(31), To: hour(3)}}, analytics.GroupRow{}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, total(t, s, analytics.TotalsQuery{Filter: c.filter, Property: "total"}))
		})
	}
	t.Run("groups", func(t *testing.T) {
		for by, want := range map[string][]analytics.GroupRow{
			analytics.ByChannel: {{Key: "social", Count: 4, People: 2, Repeat: 1, Sum: 1349}, {Key: "", Count: 2, People: 1}, {Key: "direct", Count: 2, People: 2, Sum: 12.5}},
			analytics.ByEvent:   {{Key: "order.paid", Count: 4, People: 3, Repeat: 1, Sum: 1361.5}, {Key: "page.viewed", Count: 4, People: 3}},
			analytics.BySource:  {{Key: "web", Count: 4, People: 3}, {Key: "pos", Count: 2, People: 2, Sum: 111.5}, {Key: "shop", Count: 2, People: 1, Repeat: 1, Sum: 1250}},
			"city":              {{Key: "", Count: 4, People: 3, Sum: 12.5}, {Key: "杭州", Count: 2, People: 1, Repeat: 1, Sum: 1250}, {Key: "Oslo", Count: 1, People: 1, Sum: 99}, {Key: "true", Count: 1, People: 1}},
			"currency":          {{Key: "", Count: 3, People: 2}, {Key: "CNY", Count: 3, People: 2, Repeat: 1, Sum: 1262.5}, {Key: "7", Count: 1, People: 1}, {Key: "USD", Count: 1, People: 1, Sum: 99}},
		} {
			got, err := s.Totals(t.Context(), analytics.TotalsQuery{Property: "total", GroupBy: by})
			require.NoError(t, err)
			require.Equal(t, want, got, by)
		}
		got, err := s.Totals(t.Context(), analytics.TotalsQuery{GroupBy: analytics.ByEvent, Filter: analytics.Filter{Contact: 99}})
		require.NoError(t, err)
		require.Empty(t, got)
	})
	t.Run("summary", func(t *testing.T) {
		n, who, byEvent, err := s.Summary(t.Context(), analytics.Filter{ContactKind: event.Person})
		require.NoError(t, err)
		require.EqualValues(t, 5, n)
		require.EqualValues(t, 3, who)
		require.Equal(t, []analytics.EventCount{{Name: "order.paid", Count: 4, People: 3}, {Name: "page.viewed", Count: 1, People: 1}}, byEvent)
	})
	t.Run("stats", func(t *testing.T) {
		stats, err := s.Stats(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 8, stats.Facts)
		require.EqualValues(t, 4, stats.Contacts)
		require.Positive(t, stats.SizeBytes)
		require.Equal(t, event.Position{Seq: 1, Idx: 7}, stats.Position)
	})
}

func testPeople(t *testing.T, e Engine) {
	var rows []analytics.Row
	for i := range 400 {
		rows = append(rows, fact("a", int64(1000-i*2), i%30, "")) // 1000, 998, … 202
		if i%4 == 0 {
			rows = append(rows, fact("a", int64(1000-i*2), i%30, ""))
		}
	}
	s := load(t, e, batch(1, rows...), analytics.Batch{Position: event.Position{Seq: 2}, Rekeys: []event.Rekey{{From: 1000, Into: 202}}})
	for _, least := range []int64{0, 1, 2, 3} {
		q := analytics.PeopleQuery{MinCount: least, Limit: 37}
		want, err := s.CountPeople(t.Context(), q)
		require.NoError(t, err)
		var all []int64
		for {
			page, err := s.People(t.Context(), q)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			require.LessOrEqual(t, len(page), 37)
			all = append(all, page...)
			q.After = page[len(page)-1]
		}
		require.IsIncreasing(t, append([]int64{0}, all...), "ascending, none twice")
		require.EqualValues(t, want, len(all), "the list is as long as the count, at least %d facts", least)
	}
	n, err := s.CountPeople(t.Context(), analytics.PeopleQuery{MinCount: 2, After: 900, Limit: 1})
	require.NoError(t, err)
	require.EqualValues(t, 100, n, "the count knows no pages: 100 have two facts, one of them by the merge of the two ends")
}

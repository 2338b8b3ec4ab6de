package duckdb_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

// Touches and conversions of a made-up history, against a count by hand over all of it.
func TestTouchesAndConversionsAgainstAPlainCount(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "t.duckdb"))
	r := rand.New(rand.NewPCG(7, 7))
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	names := []string{"link.clicked", "page.viewed", "tag.added", "order.paid"} // a tag is given by staff: no touch
	channels := []string{"", "social", "direct", "offline"}
	var rows []analytics.Row
	for i := range 1500 {
		at := start.Add(time.Duration(r.IntN(20*24*3600)) * time.Second).UnixMilli()
		rows = append(rows, analytics.Row{Position: event.Position{Seq: uint64(i/10 + 1), Idx: uint32(i % 10)}, Contact: int64(r.IntN(40) + 1), Channel: channels[r.IntN(4)],
			Fact: event.Fact{MessageID: fmt.Sprint("m", i), Type: event.Track, Name: names[r.IntN(4)], Timestamp: at, ReceivedAt: at, Source: "s",
				Properties: []byte(fmt.Sprintf(`{"channel":%q}`, channels[r.IntN(2)]))}})
	}
	rekeys := []event.Rekey{{From: 40, Into: 1}, {From: 39, Into: 40}, {From: 38, Into: 2}}
	require.NoError(t, s.Append(t.Context(), analytics.Batch{Position: rows[len(rows)-1].Position, Rows: rows, Rekeys: rekeys}))
	root := func(n int64) int64 { return map[int64]int64{40: 1, 39: 1, 38: 2}[n] + n*b2i(n < 38) }
	slices.SortStableFunc(rows, func(a, b analytics.Row) int { return int(a.Timestamp - b.Timestamp) })

	var asks []analytics.TouchAt
	for n := range int64(41) {
		for d := 1; d <= 21; d += 5 {
			asks = append(asks, analytics.TouchAt{Contact: n, At: start.AddDate(0, 0, d).UnixMilli()})
		}
	}
	for _, window := range []time.Duration{0, 3 * 24 * time.Hour} {
		got, err := s.Touches(t.Context(), asks, window, "direct")
		require.NoError(t, err)
		for i, a := range asks {
			want, weak := analytics.Touched{}, ""
			for _, x := range rows {
				if x.Channel == "" || x.Name == "tag.added" || root(x.Contact) != a.Contact || x.Timestamp > a.At {
					continue
				}
				if want.First == "" {
					want.First = x.Channel
				}
				if window > 0 && x.Timestamp < a.At-window.Milliseconds() {
					continue
				}
				if weak = x.Channel; x.Channel != "direct" {
					want.Last = x.Channel
				}
			}
			if want.Last == "" {
				want.Last = weak
			}
			require.Equal(t, want, got[i], "contact %d at %d", a.Contact, a.At)
		}
	}

	days := []time.Time{}
	for d := 3; d <= 15; d++ {
		days = append(days, start.AddDate(0, 0, d))
	}
	q := analytics.ConversionQuery{Step: "link.clicked", Then: "page.viewed", Within: 6 * time.Hour, Days: days, Except: []int64{3, 1}}
	got, err := s.Conversions(t.Context(), q)
	require.NoError(t, err)
	type key struct {
		channel string
		day     int
		person  int64
	}
	first := map[key]int64{}
	for _, x := range rows {
		p := root(x.Contact)
		if x.Name != q.Step || slices.Contains(q.Except, p) {
			continue
		}
		for d := range len(days) - 1 {
			if x.Timestamp >= days[d].UnixMilli() && x.Timestamp < days[d+1].UnixMilli() {
				k := key{"", d, p}
				if string(x.Properties) == `{"channel":"social"}` {
					k.channel = "social"
				}
				if _, ok := first[k]; !ok {
					first[k] = x.Timestamp
				}
			}
		}
	}
	want := map[string]analytics.Conversion{}
	for k, at := range first {
		c := want[fmt.Sprint(k.channel, k.day)]
		c.Channel, c.Day, c.People = k.channel, k.day, c.People+1
		if slices.ContainsFunc(rows, func(x analytics.Row) bool {
			return x.Name == q.Then && root(x.Contact) == k.person && x.Timestamp >= at && x.Timestamp <= at+q.Within.Milliseconds()
		}) {
			c.Then++
		}
		want[fmt.Sprint(k.channel, k.day)] = c
	}
	require.Len(t, got, len(want))
	for _, c := range got {
		require.Equal(t, want[fmt.Sprint(c.Channel, c.Day)], c)
	}
	none, err := s.Touches(t.Context(), nil, 0, "direct")
	require.NoError(t, err)
	require.Empty(t, none)
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

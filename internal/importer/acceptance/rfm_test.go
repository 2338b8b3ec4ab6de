package acceptance_test

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"io"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/audience/rfm"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// spent is what a plain loop over the file finds of one customer.
type spent struct {
	orders map[string]bool
	last   time.Time
	pence  int64
}

// spentBy goes over the file: what each named customer bought from one moment to
// before another, less what came back in that time. An invoice happened when its
// first row says.
func spentBy(t *testing.T, path string, from, to time.Time) map[string]*spent {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	r := csv.NewReader(z)
	_, err = r.Read()
	require.NoError(t, err)
	out, began := map[string]*spent{}, map[string]time.Time{}
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		quantity, _ := strconv.Atoi(row[3])
		price, _ := strconv.ParseFloat(row[5], 64)
		refund := strings.HasPrefix(row[0], "C")
		if price < 0 || quantity == 0 || refund != (quantity < 0) || row[6] == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, row[4])
		require.NoError(t, err)
		if _, ok := began[row[0]]; !ok {
			began[row[0]] = at
		}
		at = began[row[0]]
		if at.Before(from) || !at.Before(to) {
			continue
		}
		s := out[row[6]]
		if s == nil {
			s = &spent{orders: map[string]bool{}}
			out[row[6]] = s
		}
		pence := int64(math.Floor(math.Abs(float64(quantity))*price*100 + 0.5 + 1e-7))
		if refund {
			s.pence -= pence
			continue
		}
		s.orders[row[0]] = true
		s.pence += pence
		if at.After(s.last) {
			s.last = at
		}
	}
	for who, s := range out {
		if len(s.orders) == 0 {
			delete(out, who)
		}
	}
	return out
}

// fifths scores values by their own count of percentiles: for each cut the value
// below which that part of the sorted list ends, between two neighbours in proportion.
func fifths(values []float64) func(v float64) int {
	sorted := append([]float64(nil), values...)
	sort.Float64s(sorted)
	return func(v float64) int {
		score := 1
		for part := 1; part <= 4; part++ {
			h := float64(part) * float64(len(sorted)-1) / 5
			i := int(h)
			cut := sorted[i]
			if i+1 < len(sorted) {
				cut += (h - float64(i)) * (sorted[i+1] - sorted[i])
			}
			if v > cut {
				score++
			}
		}
		return score
	}
}

// civilDays is how many calendar days lie between two days.
func civilDays(a, b time.Time) float64 {
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return day(b).Sub(day(a)).Hours() / 24
}

// The scores of the real year agree with a plain recount, square by square, and
// so do the groups, as the table in the handbook defines them.
func TestRetailRFMAgreesWithARecount(t *testing.T) {
	path := retailFile(t)
	london, err := time.LoadLocation("Europe/London")
	require.NoError(t, err)
	to := time.Date(2011, 12, 10, 0, 0, 0, 0, london)
	want := spentBy(t, path, to.AddDate(0, 0, -365), to)
	d := testkit.SQLite(t, append(realSets(), rfm.Migrations())...)
	w := newWaterworks(t, d)
	w.importRetail(t, path)
	agreeOnRFM(t, w, d, want, to, "GBP")
}

// agreeOnRFM compares the scores of those who bought in the year before a
// midnight with a plain recount.
func agreeOnRFM(t *testing.T, w *waterworks, d *db.DB, want map[string]*spent, to time.Time, currency string) {
	t.Helper()
	zone := to.Location()
	var days, orders, money []float64
	for _, s := range want {
		days = append(days, -civilDays(s.last.In(zone), to))
		orders = append(orders, float64(len(s.orders)))
		money = append(money, float64(s.pence))
	}
	r, f, m := fifths(days), fifths(orders), fifths(money)
	type square struct{ r, f, m int }
	people, sums := map[square]int64{}, map[square]float64{}
	for _, s := range want {
		at := square{r(-civilDays(s.last.In(zone), to)), f(float64(len(s.orders))), m(float64(s.pence))}
		people[at]++
		sums[at] += float64(s.pence)
	}

	s := rfm.NewService(rfm.Deps{DB: d, Clock: clock.NewFake(to.Add(9 * time.Hour)), IDs: testkit.IDs(clock.System{}), Log: testkit.Logger(t), Audit: trail{}, Contacts: w.contacts, Worths: w.store.(analytics.Worths),
		Zone: func(context.Context) *time.Location { return zone }, Currency: func(context.Context) (string, error) { return currency, nil }})
	ctx := auth.With(t.Context(), &auth.Principal{ID: "us_1", Via: auth.ViaSession, Role: "admin", Scope: auth.Everybody()})
	began := time.Now()
	v, err := s.View(ctx, "")
	require.NoError(t, err)
	t.Logf("%d customers scored in %d ms; cuts %v", v.Total.People, time.Since(began).Milliseconds(), v.Cuts)
	require.EqualValues(t, len(want), v.Total.People)
	require.Len(t, v.Cells, len(people))
	groups := map[string]int64{}
	for _, c := range v.Cells {
		at := square{c.R, c.F, c.M}
		require.Equal(t, people[at], c.People, "%v", at)
		require.InDelta(t, sums[at], c.Money, 0.5, "%v", at)
		fm := int(math.Floor(float64(c.F+c.M)/2 + 0.5))
		row := map[bool]string{true: "high", false: map[bool]string{true: "mid", false: "low"}[fm == 3]}[fm >= 4]
		column := map[bool]string{true: "now", false: map[bool]string{true: "while", false: "long"}[c.R == 3]}[c.R >= 4]
		groups[row+column] += c.People
	}
	for _, g := range v.Groups {
		at := map[string]string{rfm.Best: "highnow", rfm.Loyal: "highwhile", rfm.AtRisk: "highlong", rfm.Promising: "midnow", rfm.Attention: "midwhile", rfm.Fading: "midlong",
			rfm.Newcomer: "lownow", rfm.Casual: "lowwhile", rfm.Asleep: "lowlong"}[g.ID]
		require.Equal(t, groups[at], g.People, g.ID)
		t.Logf("%s: %d people, %.0f %s", g.ID, g.People, g.Money/100, currency)
	}
}

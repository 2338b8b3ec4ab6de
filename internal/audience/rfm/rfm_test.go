package rfm

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

// What R says: quantile(x, c(.2, .4, .6, .8), type = 7).
func TestCuts(t *testing.T) {
	require.Equal(t, [4]float64{2.8, 4.6, 6.4, 8.2}, round(cutsOf([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10})))
	require.Equal(t, [4]float64{4.8, 8.8, 20, 32.4}, round(cutsOf([]float64{4, 6, 46, 23, 15, 32, 7, 50, 34, 10, 3, 1, 27, 18, 5})))
	require.Equal(t, [4]float64{7, 7, 7, 7}, cutsOf([]float64{7}))
	require.Equal(t, [4]float64{}, cutsOf(nil))
	require.Equal(t, []int{1, 1, 2, 5}, []int{above(0, [4]float64{1, 2, 3, 4}), above(1, [4]float64{1, 2, 3, 4}), above(1.1, [4]float64{1, 2, 3, 4}), above(9, [4]float64{1, 2, 3, 4})})
}

func round(c [4]float64) (out [4]float64) {
	for i, v := range c {
		out[i] = float64(int(v*1e6+0.5)) / 1e6
	}
	return out
}

// Fifteen customers as textbooks score them in quintiles: recency in days,
// purchases, money; then R, F and M. Those who share a value share a score.
func TestFifteenCustomers(t *testing.T) {
	r := &result{model: Model{Event: "order"}}
	var days, times []float64
	want := []Scores{{5, 4, 4}, {4, 5, 4}, {1, 1, 1}, {2, 2, 2}, {3, 3, 3}, {2, 2, 2}, {4, 2, 3}, {1, 1, 5}, {1, 5, 5}, {3, 4, 3}, {5, 4, 4}, {5, 5, 5}, {2, 2, 2}, {3, 2, 1}, {4, 1, 1}}
	for i, c := range [][3]float64{{4, 6, 540}, {6, 11, 940}, {46, 1, 35}, {23, 3, 65}, {15, 4, 179}, {32, 2, 56}, {7, 3, 140}, {50, 1, 950}, {34, 15, 2630}, {10, 5, 191}, {3, 8, 845}, {1, 10, 1510}, {27, 3, 54}, {18, 2, 40}, {5, 1, 25}} {
		r.nums = append(r.nums, uint32(i+1))
		days, times, r.sums = append(days, c[0]), append(times, c[1]), append(r.sums, c[2])
	}
	r.score(days, times)
	for i, c := range r.cells {
		require.Equal(t, want[i], scoresOf(c), "customer %d", i+1)
	}
}

// The scheme of own cuts that lectures on direct marketing show: months of 30
// days since the last purchase, purchases, and thousands of dollars, with the
// scores of eight companies.
func TestOwnCuts(t *testing.T) {
	r := &result{model: Model{Event: "deal", Cuts: &Cuts{R: [4]int{29, 90, 180, 270}, F: [4]int{10, 20, 30, 41}, M: [4]float64{5, 10, 20, 50}}}}
	var days, times []float64
	want := map[string]string{"B": "322", "C": "244", "D": "511", "E": "122", "F": "355", "G": "111", "H": "532"}
	names := []string{"B", "C", "D", "E", "F", "G", "H"}
	for i, c := range [][3]float64{{180, 18, 9}, {240, 35, 40}, {0, 1, 1}, {540, 6 + 4, 5}, {120, 40 + 1, 90}, {420, 5, 2}, {0, 20, 9}} {
		r.nums = append(r.nums, uint32(i+1))
		days, times, r.sums = append(days, c[0]), append(times, c[1]), append(r.sums, c[2])
	}
	r.score(days, times)
	for i, c := range r.cells {
		sc := scoresOf(c)
		require.Equal(t, want[names[i]], fmt.Sprintf("%d%d%d", sc.R, sc.F, sc.M), names[i])
	}
}

// Where many share a value none of them looks better than the least of them.
func TestTies(t *testing.T) {
	r := &result{model: Model{Event: "order"}}
	var days, times []float64
	for i := range 100 {
		r.nums, r.sums = append(r.nums, uint32(i)), append(r.sums, 5)
		days = append(days, 30)
		times = append(times, []float64{1, 1, 1, 1, 1, 1, 1, 2, 2, 9}[i%10])
	}
	r.score(days, times)
	for i, c := range r.cells {
		sc := scoresOf(c)
		require.Equal(t, []int{1, 1, 1, 1, 1, 1, 1, 4, 4, 5}[i%10], sc.F, "%v", times[i])
		require.Equal(t, []int{1, 1}, []int{sc.R, sc.M}, "all alike")
	}
}

// Each of the 125 has one group, and each group one tier.
func TestGroups(t *testing.T) {
	n := map[string]int{}
	for c := range uint8(125) {
		sc := scoresOf(c)
		require.Equal(t, c, sc.cell())
		require.Contains(t, Groups(), sc.Group())
		require.Contains(t, Tiers(), TierOf(sc.Group()))
		n[sc.Group()]++
	}
	require.Len(t, n, 9)
	require.Equal(t, Best, Scores{5, 5, 5}.Group())
	require.Equal(t, AtRisk, Scores{1, 4, 4}.Group())
	require.Equal(t, Asleep, Scores{1, 1, 1}.Group())
	require.Equal(t, Newcomer, Scores{5, 1, 2}.Group())
}

// purchases is a store of purchases.
type purchases []analytics.Worth

func (p purchases) Worth(_ context.Context, q analytics.WorthQuery, each func(analytics.Worth)) error {
	sums := map[int64]analytics.Worth{}
	for _, x := range p {
		if x.Last >= q.From.UnixMilli() && x.Last < q.To.UnixMilli() {
			w := sums[x.Contact]
			sums[x.Contact] = analytics.Worth{Contact: x.Contact, Last: max(w.Last, x.Last), Count: w.Count + 1, Sum: w.Sum + x.Sum}
		}
	}
	var nums []int64
	for n := range sums {
		nums = append(nums, n)
	}
	slices.Sort(nums)
	for _, n := range nums {
		each(sums[n])
	}
	return nil
}

type everybody struct{ people, mine *numset.Set }

func (e everybody) Matching(context.Context, *rule.Rule, string, []int64) (*numset.Set, error) {
	return e.people.Clone(), nil
}
func (e everybody) Numbers(context.Context, contact.Selection) (*numset.Set, error) {
	return e.mine.Clone(), nil
}

type silent struct{}

func (silent) Record(context.Context, string, audit.Object, map[string]any) error { return nil }

func each(t *testing.T, fn func(t *testing.T, s *Service, ctx context.Context, now *clock.Fake)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		zone := time.FixedZone("CST", 8*3600)
		now := clock.NewFake(time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC))
		at := func(daysAgo int) int64 { return now.Now().AddDate(0, 0, -daysAgo).UnixMilli() }
		var bought purchases
		people := &numset.Set{}
		for n := range int64(20) {
			people.Add(n + 1)
			for k := range n%5 + 1 {
				if n < 15 { // the others never bought
					bought = append(bought, analytics.Worth{Contact: n + 1, Last: at(int(n)*7 + int(k)*20 + 1), Sum: float64(100 * (n + 1))})
				}
			}
		}
		bought = append(bought, analytics.Worth{Contact: 99, Last: at(2), Sum: 1e9}) // a visitor
		bought = append(bought, analytics.Worth{Contact: 20, Last: at(0), Sum: 1e9}) // today: tomorrow
		ctx := auth.With(t.Context(), &auth.Principal{ID: "us_1", Name: "王芳", Via: auth.ViaSession, Role: "admin", Scope: auth.Everybody()})
		s := NewService(Deps{DB: d, Clock: now, IDs: id.NewSource(now.Now, nil), Log: testkit.Logger(t), Audit: silent{}, Contacts: everybody{people, numset.Of(1, 2, 3, 18)}, Worths: bought,
			Zone: func(context.Context) *time.Location { return zone }, Currency: func(context.Context) (string, error) { return "CNY", nil }})
		fn(t, s, ctx, now)
	}, Migrations())
}

func TestViewMigrationAndFields(t *testing.T) {
	each(t, func(t *testing.T, s *Service, ctx context.Context, now *clock.Fake) {
		v, err := s.View(ctx, "")
		require.NoError(t, err)
		require.EqualValues(t, 15, v.Total.People)
		require.EqualValues(t, 5, v.Others)
		sum, people := 0.0, int64(0)
		for _, g := range v.Groups {
			sum, people = sum+g.Money, people+g.People
			a, err := groupField{s}.Among(ctx, First, g.ID)
			require.NoError(t, err)
			require.Equal(t, g.People, a.Set.Count(), g.ID)
		}
		require.Equal(t, v.Total, Share{people, sum})
		people = 0
		for _, x := range v.Tiers {
			people += x.People
			a, err := tierField{s}.Among(ctx, First, x.ID)
			require.NoError(t, err)
			require.Equal(t, x.People, a.Set.Count(), x.ID)
		}
		require.EqualValues(t, 15, people)
		for r := 1; r <= 5; r++ { // no ties in recency: three in each fifth
			a, err := scoreField{s}.Among(ctx, First, fmt.Sprint("r", r))
			require.NoError(t, err)
			require.EqualValues(t, 3, a.Set.Count())
		}

		mig, err := s.Migration(ctx, First, "2026-01-10", "2026-03-02")
		require.NoError(t, err)
		total := int64(0)
		for _, p := range mig.Passages {
			total += p.Count
			a, err := moveField{s}.Compare(ctx, contact.Comparison{Key: First, Op: "is", Texts: []string{p.Value}})
			require.NoError(t, err)
			require.Equal(t, p.Count, a.Set.Count(), p.Value)
		}
		require.EqualValues(t, 15, total)
		for _, bad := range [][2]string{{"2026-03-02", "2026-03-02"}, {"x", ""}, {"", "2027-01-01"}} {
			_, err = s.Migration(ctx, First, bad[0], bad[1])
			require.Equal(t, "request.invalid", errs.CodeOf(err))
		}

		own := auth.With(ctx, &auth.Principal{ID: "us_2", Via: auth.ViaSession, Scope: auth.OwnedBy(auth.DataScope{Breadth: auth.BreadthMine}, "us_2")})
		v, err = s.View(own, First)
		require.NoError(t, err)
		require.EqualValues(t, 3, v.Total.People)
		require.EqualValues(t, 1, v.Others)

		now.Advance(24 * time.Hour) // the purchase of that day counts now
		v, err = s.View(ctx, First)
		require.NoError(t, err)
		require.EqualValues(t, 16, v.Total.People)
	})
}

func TestModels(t *testing.T) {
	each(t, func(t *testing.T, s *Service, ctx context.Context, _ *clock.Fake) {
		all, err := s.Models(ctx)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, "CNY", all[0].Currency)
		first := all[0]
		first.Days = 90
		first.Cuts = &Cuts{R: [4]int{7, 30, 60, 90}, F: [4]int{2, 3, 5, 8}, M: [4]float64{1, 2, 3, 4}}
		_, err = s.Save(ctx, First, first)
		require.NoError(t, err)
		made, err := s.Save(ctx, "", Model{Name: "阅读", Event: "page.viewed", Days: 30})
		require.NoError(t, err)
		all, err = s.Models(ctx)
		require.NoError(t, err)
		require.Equal(t, []int{90, 30}, []int{all[0].Days, all[1].Days})
		require.Equal(t, first.Cuts, all[0].Cuts)
		views, err := groupField{s}.Views(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{First, made.ID}, []string{views[0].Key, views[1].Key})
		require.NoError(t, s.Remove(ctx, First))
		require.Equal(t, "rfm.last_model", errs.CodeOf(s.Remove(ctx, made.ID)))
		require.Equal(t, "rfm.no_such_model", errs.CodeOf(s.Remove(ctx, "rf_x")))
		for path, m := range map[string]Model{
			"name":     {Event: "e", Days: 30},
			"event":    {Name: "x", Days: 30},
			"days":     {Name: "x", Event: "e", Days: 3},
			"less":     {Name: "x", Event: "e", Less: "e", Days: 30},
			"currency": {Name: "x", Event: "e", Days: 30, Currency: "yuan"},
			"property": {Name: "x", Event: "e", Days: 30, Property: "a\x00b"},
			"cuts.f":   {Name: "x", Event: "e", Days: 30, Cuts: &Cuts{R: [4]int{1, 2, 3, 4}, F: [4]int{2, 2, 3, 4}, M: [4]float64{1, 2, 3, 4}}},
		} {
			_, err := s.Save(ctx, "", m)
			require.Equal(t, "request.invalid", errs.CodeOf(err), path)
			require.Equal(t, path, errs.As(err).Fields[0].Path)
		}
	})
}

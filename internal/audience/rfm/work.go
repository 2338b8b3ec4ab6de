package rfm

import (
	"context"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/numset"
)

// result is the scores of everybody at one midnight. It is never changed.
type result struct {
	at    time.Time // the midnight
	model Model
	cuts  [3][4]float64 // R in days, ascending; F; M
	nums  []uint32      // ascending
	cells []uint8
	sums  []float64
	made  time.Time
}

// set is everybody whose scores fulfil a condition.
func (r *result) set(fits func(Scores) bool) *numset.Set {
	var yes [125]bool
	for c := range yes {
		yes[c] = fits(scoresOf(uint8(c)))
	}
	out := &numset.Set{}
	for i, n := range r.nums {
		if yes[r.cells[i]] {
			out.Add(int64(n))
		}
	}
	return out
}

// midnight is the beginning of a day of the company.
func midnight(day time.Time, zone *time.Location) time.Time {
	day = day.In(zone)
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
}

// workOut scores everybody as of a midnight.
func (s *Service) workOut(ctx context.Context, m Model, at time.Time) (*result, error) {
	people, err := s.Contacts.Matching(ctx, nil, "", nil)
	if err != nil {
		return nil, err
	}
	out := &result{at: at, model: m, made: s.Clock.Now()}
	var days, times []float64
	err = s.Worths.Worth(ctx, analytics.WorthQuery{Event: m.Event, Property: m.Property, Less: m.Less, Currency: m.Currency, From: at.AddDate(0, 0, -m.Days), To: at}, func(w analytics.Worth) {
		if !people.Has(w.Contact) || w.Contact > 1<<32-1 { // visitors are worth nothing yet
			return
		}
		out.nums = append(out.nums, uint32(w.Contact))
		out.sums = append(out.sums, w.Sum)
		times = append(times, float64(w.Count))
		days = append(days, float64(daysBefore(time.UnixMilli(w.Last), at)))
	})
	if err != nil {
		return nil, err
	}
	out.score(days, times)
	return out, nil
}

// daysBefore is how many whole days of the company lie between a moment and a
// midnight: the day before it is 1. Days of summer time are days too.
func daysBefore(t, at time.Time) int {
	day := midnight(t, at.Location())
	n := int(at.Sub(day).Hours()/24 + 0.5)
	return max(n, 0)
}

// score gives everybody their scores.
func (r *result) score(days, times []float64) {
	near := make([]float64, len(days)) // turned round: much is good
	for i, d := range days {
		near[i] = -d
	}
	if c := r.model.Cuts; c != nil {
		money := 1.0
		if r.model.minor() {
			money = 100
		}
		r.cells = make([]uint8, len(r.nums))
		for i := range r.nums {
			sc := Scores{5, 1, 1}
			for k := range 4 {
				if days[i] > float64(c.R[k]) {
					sc.R--
				}
				if times[i] >= float64(c.F[k]) {
					sc.F++
				}
				if r.sums[i] >= c.M[k]*money {
					sc.M++
				}
				r.cuts[0][k], r.cuts[1][k], r.cuts[2][k] = float64(c.R[k]), float64(c.F[k]), c.M[k]*money
			}
			r.cells[i] = sc.cell()
		}
		return
	}
	nearCuts, timeCuts, sumCuts := cutsOf(slices.Clone(near)), cutsOf(slices.Clone(times)), cutsOf(slices.Clone(r.sums))
	for k := range 4 {
		r.cuts[0][k] = -nearCuts[3-k]
	}
	r.cuts[1], r.cuts[2] = timeCuts, sumCuts
	r.cells = make([]uint8, len(r.nums))
	for i := range r.nums {
		r.cells[i] = Scores{above(near[i], nearCuts), above(times[i], timeCuts), above(r.sums[i], sumCuts)}.cell()
	}
}

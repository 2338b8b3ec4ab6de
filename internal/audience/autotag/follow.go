package autotag

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
)

// follower adds facts to scores as they come.
type follower struct{ s *Service }

// Follower is the subscriber that keeps scores.
func (s *Service) Follower() event.Preparer { return follower{s} }

// Name implements event.Subscriber.
func (f follower) Name() string { return Name }

// BeginsNow implements event.Newcomer: what was stored before is added up when a
// score is defined.
func (f follower) BeginsNow() {}

// Handle implements event.Subscriber; the pipeline calls Prepare instead.
func (f follower) Handle(ctx context.Context, facts []event.Stored) error {
	return f.Prepare(ctx, facts, func(write func(context.Context) error) error { return f.s.DB.Tx(ctx, write) })
}

// late is how old a fact may be that still counts as something that happens now.
const late = 24 * time.Hour

// added is what facts add to the sums of one automatic tag.
type added struct {
	a     *automation
	sums  map[int64]fading // by the number the facts are stored under
	fresh map[int64]bool   // whose facts are of now, not of the past
}

// Prepare implements event.Preparer. The scores are read under the lock that
// keeps new sums from taking the place of old ones: a fact counts in one of them.
func (f follower) Prepare(ctx context.Context, facts []event.Stored, commit func(func(context.Context) error) error) error {
	s := f.s
	s.scoring.Lock()
	defer s.scoring.Unlock()
	all, err := s.all(ctx)
	if err != nil {
		return err
	}
	touched := movedBy(facts)
	for _, c := range s.counting { // whoever became part of another while their facts were added up
		c.touched = append(c.touched, touched...)
	}
	now := s.Clock.Now().UnixMilli()
	var work []added
	for _, a := range all {
		if !a.serves() {
			continue
		}
		w := added{a: a, sums: map[int64]fading{}, fresh: map[int64]bool{}}
		for i := range facts {
			w.take(&facts[i], now)
		}
		if len(w.sums) > 0 || len(touched) > 0 {
			work = append(work, w)
		}
	}
	if len(work) == 0 {
		return nil
	}
	return commit(func(ctx context.Context) error {
		for _, w := range work {
			if err := s.keep(ctx, w, touched); err != nil {
				return err
			}
		}
		return nil
	})
}

// take adds a fact, if it counts and is not in the sums yet.
func (w *added) take(f *event.Stored, now int64) {
	sc := w.a.active.Score
	if f.Contact < 1 || !w.a.from.Less(f.Position) { // nobody's, or in the sums already
		return
	}
	worth := sc.worth(f.Name, f.Properties)
	if worth == 0 {
		return
	}
	at := analytics.FactTime(&f.Fact)
	w.sums[f.Contact] = w.sums[f.Contact].plus(fading{worth, at}, sc.half())
	if f.ImportID == "" && now-at <= late.Milliseconds() {
		w.fresh[f.Contact] = true
	}
}

// worth is what a fact adds.
func (s *Score) worth(name string, properties json.RawMessage) (sum float64) {
	for i := range s.Events {
		if e := &s.Events[i]; e.Name == name && (len(e.Where) == 0 || e.matches(properties)) {
			sum += e.Weight
		}
	}
	return sum
}

// keep adds what came to the sums and gives the tag to those who reached it.
func (s *Service) keep(ctx context.Context, w added, touched []int64) error {
	a := w.a
	live := len(touched) > 0
	for range w.fresh {
		live = true
	}
	out, err := s.addUp(ctx, a.active.Score, a.sums, w.sums, touched, a.tag)
	if err != nil {
		return err
	}
	reason := reasonFact
	if len(w.sums) == 0 {
		reason = reasonMerge
	}
	fresh := map[int64]bool{}
	if len(out.give) > 0 && live {
		nums := make([]int64, 0, len(w.fresh))
		for n := range w.fresh {
			nums = append(nums, n)
		}
		moved, err := s.Contacts.Survivors(ctx, nums)
		if err != nil {
			return err
		}
		for n := range w.fresh {
			if into, ok := moved[n]; ok {
				n = into
			}
			fresh[n] = true
		}
	}
	old := slices.Clone(out.give)
	give := slices.DeleteFunc(out.give, func(n int64) bool { return !fresh[n] })
	old = slices.DeleteFunc(old, func(n int64) bool { return fresh[n] })
	if err := s.change(ctx, a, a.activeVersion, give, out.take, reason, true); err != nil {
		return err
	}
	return s.change(ctx, a, a.activeVersion, old, nil, reason, false)
}

// movedBy lists the contacts that facts say have become one, or several again.
func movedBy(facts []event.Stored) (nums []int64) {
	for i := range facts {
		if n := facts[i].Name; n == event.NameContactMerged || n == event.NameContactSplit {
			nums = append(nums, facts[i].Contact)
		}
	}
	slices.Sort(nums)
	return slices.Compact(nums)
}

// givingOf says who gives: an automatic tag in one of its versions.
func givingOf(kind string, version int64, reason string, live bool) contact.AutoGiving {
	return contact.AutoGiving{Source: kind, By: versionName(version), Reason: reason, Live: live}
}

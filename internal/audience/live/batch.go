package live

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

var (
	_ event.Preparer = (*Engine)(nil)
	_ event.Newcomer = (*Engine)(nil)
)

// Name implements event.Subscriber.
func (e *Engine) Name() string { return Name }

// BeginsNow implements event.Newcomer: what was before is worked out at the start.
func (e *Engine) BeginsNow() {}

// Handle implements event.Subscriber for whoever has one transaction for all of it.
func (e *Engine) Handle(ctx context.Context, facts []event.Stored) error {
	return e.Prepare(ctx, facts, func(write func(context.Context) error) error { return write(ctx) })
}

// Prepare implements event.Preparer: what the facts change is read, and kept
// together with the place in the stream.
func (e *Engine) Prepare(ctx context.Context, facts []event.Stored, commit func(write func(ctx context.Context) error) error) error {
	select {
	case <-e.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	begun := time.Now()
	if e.floods(facts) {
		return e.owe(ctx, commit)
	}
	s, err := e.read(ctx, facts)
	if err != nil {
		return err
	}
	defer s.drop()
	if err := e.tell(ctx, s, commit); err != nil {
		return err
	}
	e.metrics.batch(time.Since(begun))
	return nil
}

// late is how long after it happened a fact may come and still be news.
const late = 24 * time.Hour

// old tells whether a fact speaks of what was before: journeys do not begin
// from it.
func old(f *event.Stored) bool {
	return f.ImportID != "" || f.ReceivedAt-f.Timestamp > late.Milliseconds() || quiet(f)
}

// batch is what facts say, by contact.
type batch struct {
	into   map[int64]int64
	facts  map[int64][]*event.Stored
	whole  map[int64]bool // merged or taken apart: everything is asked
	gone   map[int64]int64
	cameOf map[int64]int64
}

// gatherFacts puts facts beside the contacts they are about, as these are now.
func (e *Engine) gatherFacts(ctx context.Context, facts []event.Stored) (*batch, error) {
	b := &batch{facts: map[int64][]*event.Stored{}, whole: map[int64]bool{}, gone: map[int64]int64{}, cameOf: map[int64]int64{}}
	var nums, merged []int64
	for i := range facts {
		f := &facts[i]
		if f.ContactKind == event.Visitor && !e.people.Has(f.Contact) && !e.pending.Has(f.Contact) && !changesIdentity(f.Name) {
			continue // nobody rules can speak of; should they become a person, a fact says so
		}
		nums = append(nums, f.Contact)
	}
	slices.Sort(nums)
	nums = slices.Compact(nums)
	var err error
	if b.into, err = e.d.Contacts.Survivors(ctx, nums); err != nil {
		return nil, err
	}
	for i := range facts {
		f := &facts[i]
		n := f.Contact
		if _, ok := slices.BinarySearch(nums, n); !ok {
			continue
		}
		if into, ok := b.into[n]; ok {
			n = into
		}
		b.facts[n] = append(b.facts[n], f)
		if changesIdentity(f.Name) {
			b.whole[n] = true
			if f.Name == event.NameContactMerged {
				merged = append(merged, n)
			}
		}
	}
	if len(merged) > 0 {
		slices.Sort(merged)
		groups, err := e.d.Contacts.Groups(ctx, slices.Compact(merged))
		if err != nil {
			return nil, err
		}
		for root, members := range groups {
			for _, n := range members {
				if n != root && e.people.Has(n) {
					b.gone[n] = root
				}
			}
		}
	}
	b.findOrigins(facts)
	return b, nil
}

func changesIdentity(name string) bool {
	return name == event.NameContactMerged || name == event.NameContactSplit
}

// findOrigins tells whom those came of that were taken apart: the two sides are
// told so with the same words.
func (b *batch) findOrigins(facts []event.Stored) {
	type side struct{ left, stays int64 }
	sides := map[string]*side{}
	for i := range facts {
		f := &facts[i]
		if f.Name != event.NameContactSplit {
			continue
		}
		var p struct{ Contact, Merge string }
		if json.Unmarshal(f.Properties, &p) != nil || p.Merge == "" { // ours: only an older program's could lack it
			continue
		}
		s := sides[p.Merge]
		if s == nil {
			s = &side{}
			sides[p.Merge] = s
		}
		n := f.Contact
		if into, ok := b.into[n]; ok {
			n = into
		}
		if f.ContactID == p.Contact {
			s.left = n
		} else {
			s.stays = n
		}
	}
	for _, s := range sides {
		if s.left != 0 && s.stays != 0 && s.left != s.stays {
			b.cameOf[s.left] = s.stays
		}
	}
}

// read finds out what facts change.
func (e *Engine) read(ctx context.Context, facts []event.Stored) (*step, error) {
	b, err := e.gatherFacts(ctx, facts)
	if err != nil {
		return nil, fmt.Errorf("read contacts of facts: %w", err)
	}
	var nums []int64
	for n := range b.facts {
		nums = append(nums, n)
	}
	for n := range b.gone {
		nums = append(nums, n)
	}
	slices.Sort(nums)
	nums = slices.Compact(nums)
	if e.renewal != nil {
		for _, n := range nums {
			e.renewal.touched.Add(n)
		}
	}
	s := e.newStep(e.d.Clock.Now(), e.d.Zone(ctx), nums)
	s.into, s.cameOf = b.gone, b.cameOf
	if err := s.findPeople(ctx, b); err != nil {
		return nil, err
	}
	for i, n := range nums {
		list := b.facts[n]
		s.cause[i] = Cause{Reason: ReasonFact}
		for _, f := range list {
			s.cause[i].Live = s.cause[i].Live || !old(f)
		}
		was := e.people.Has(n)
		switch {
		case b.gone[n] != 0 || b.whole[n]:
			s.cause[i].Reason = ReasonMerge
			s.cause[i].Live = s.cause[i].Live || b.gone[n] != 0
			s.forced.set(i)
			if s.person.has(i) {
				s.everything(i)
			}
		case s.person.has(i) && (!was || e.pending.Has(n)):
			s.everything(i)
		case s.person.has(i):
			s.consider(i, list)
		}
	}
	s.forcePending(b, facts[len(facts)-1].Position)
	return s, s.answer(ctx)
}

// findPeople tells which of the contacts are persons now. Those who were and of
// whom nothing else is told still are.
func (s *step) findPeople(ctx context.Context, b *batch) error {
	var ask []int64
	for i, n := range s.nums {
		switch {
		case b.gone[n] != 0:
			s.person.put(i, false)
		case !s.person.has(i) || b.whole[n]:
			ask = append(ask, n)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	people, err := s.e.d.Contacts.Matching(ctx, everybody, "rule", ask)
	if err != nil {
		return fmt.Errorf("ask who is a person: %w", err)
	}
	for _, n := range ask {
		s.person.put(s.at[n], people.Has(n))
	}
	return nil
}

// everybody is the rule that asks nothing.
var everybody = &rule.Rule{V: 1}

// consider finds the conditions that facts of a contact may change, and answers
// those that the facts themselves answer.
func (s *step) consider(i int, list []*event.Stored) {
	seen := map[*cond]bool{}
	for _, f := range list {
		for _, c := range s.e.concerned(f.Name) {
			if seen[c] {
				continue
			}
			if !c.behaviour() {
				if c.touches(f) && !(c.field.stays != nil && c.field.stays(c, c.base.Has(s.nums[i]), event.Administrative(f.Name))) {
					seen[c] = true
					s.want(c, i)
				}
				continue
			}
			seen[c] = true
			s.considerDeed(c, i, list)
		}
	}
}

// considerDeed asks for a condition on behaviour only if the facts may change it
// and do not say how.
func (s *step) considerDeed(c *cond, i int, list []*event.Stored) {
	is := c.base.Has(s.nums[i])
	if is && c.trend == rising || !is && c.trend == falling {
		return // more of it changes nothing
	}
	var did []rule.Fact
	for _, f := range list {
		if c.names[f.Name] {
			did = append(did, rule.Fact{Name: f.Name, At: f.Timestamp, Properties: f.Properties})
		}
	}
	slices.SortStableFunc(did, func(a, b rule.Fact) int { return int(max(-1, min(1, a.At-b.At))) })
	matters := false
	for p := range c.probes {
		matters = matters || rule.Holds(&c.probes[p], did, s.now, s.zone)
	}
	if !matters {
		return
	}
	if c.trend != either {
		if by := rule.Holds(&c.node.Behaviour, did, s.now, s.zone); by == (c.trend == rising) {
			s.say(c, i, by) // what these facts alone decide, more of them only confirm
			return
		}
	}
	s.want(c, i)
}

// forcePending has contacts told whatever is known of them already, whose facts
// came before the engine was ready; they are told once.
func (s *step) forcePending(b *batch, last event.Position) {
	e := s.e
	if e.pending.Words() == 0 {
		return
	}
	var done []int64
	take := func(n int64, i int) {
		if e.pending.Has(n) {
			s.forced.set(i)
			done = append(done, n)
		}
	}
	for i, n := range s.nums {
		take(n, i)
	}
	for from, into := range b.into {
		if i, ok := s.at[into]; ok {
			take(from, i)
		}
	}
	s.settles = append(s.settles, func() {
		for _, n := range done {
			e.pending.Remove(n)
		}
		if !last.Less(e.pendingTo) {
			e.pending = &numset.Set{}
		}
	})
}

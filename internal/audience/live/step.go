package live

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/platform/numset"
)

// marks are made on the contacts of a step.
type marks []uint64

func newMarks(n int) marks     { return make(marks, (n+63)/64) }
func (b marks) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b marks) set(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b marks) put(i int, v bool) {
	b[i>>6] &^= 1 << (i & 63)
	if v {
		b.set(i)
	}
}

// answer is what a step learned of a condition.
type answer struct{ asked, yes marks }

// step is one change of what is known: some contacts were looked at anew. Until
// it is settled it lies over what is kept, so that it can be thrown away.
type step struct {
	e       *Engine
	now     time.Time
	zone    *time.Location
	nums    []int64 // ascending
	at      map[int64]int
	person  marks // who is one now
	ask     map[*cond]marks
	said    []*cond // those with an answer
	forced  marks   // told whatever they were
	cause   []Cause // of each contact
	into    map[int64]int64
	cameOf  map[int64]int64
	changed map[*plan]marks // of whom a rule says something else; see news
	settles []func()        // once it is certain
}

func (e *Engine) newStep(now time.Time, zone *time.Location, nums []int64) *step {
	s := &step{e: e, now: now, zone: zone, nums: nums, at: make(map[int64]int, len(nums)), ask: map[*cond]marks{}, person: newMarks(len(nums)), forced: newMarks(len(nums)),
		cause: make([]Cause, len(nums)), into: map[int64]int64{}, cameOf: map[int64]int64{}}
	for i, n := range nums {
		s.at[n] = i
		s.person.put(i, e.people.Has(n))
	}
	return s
}

// want has a condition asked for a contact.
func (s *step) want(c *cond, i int) {
	b := s.ask[c]
	if b == nil {
		b = newMarks(len(s.nums))
		s.ask[c] = b
	}
	b.set(i)
}

// say notes an answer.
func (s *step) say(c *cond, i int, yes bool) {
	if c.said == nil {
		c.said = &answer{newMarks(len(s.nums)), newMarks(len(s.nums))}
		s.said = append(s.said, c)
	}
	c.said.asked.set(i)
	c.said.yes.put(i, yes)
}

// everything has all conditions asked for a contact.
func (s *step) everything(i int) {
	for _, c := range s.e.conds {
		if c.known {
			s.want(c, i)
		}
	}
}

// drop forgets the step's answers. Call it in any case.
func (s *step) drop() {
	for _, c := range s.said {
		c.said = nil
	}
}

// settle makes the step's answers what is known.
func (s *step) settle() {
	for i, n := range s.nums {
		if s.person.has(i) {
			s.e.people.Add(n)
		} else {
			s.e.people.Remove(n)
		}
	}
	for _, c := range s.said {
		for i, n := range s.nums {
			if c.said.asked.has(i) {
				put(c.base, n, c.said.yes.has(i))
			}
		}
	}
	for _, f := range s.settles {
		f()
	}
	s.drop()
}

// put says of one contact whether it is among those chosen.
func put(c numset.Choice, n int64, yes bool) {
	if yes != c.Rest {
		c.Set.Add(n)
	} else {
		c.Set.Remove(n)
	}
}

// holds is what a plan says of a contact after the step.
func (s *step) holds(p *plan, n int64) bool {
	i, ok := s.at[n]
	if !ok {
		return s.e.people.Has(n) && p.root.holds(func(c *cond) bool { return c.base.Has(n) })
	}
	return s.person.has(i) && p.root.holds(func(c *cond) bool {
		if c.said != nil && c.said.asked.has(i) {
			return c.said.yes.has(i)
		}
		return c.base.Has(n)
	})
}

// held is what it said before.
func (s *step) held(p *plan, n int64) bool {
	return s.e.people.Has(n) && p.root.holds(func(c *cond) bool { return c.base.Has(n) })
}

// news finds, for each owner, the contacts of whom one of its rules says
// something else than before.
func (s *step) news() map[*owned]marks {
	suspects := map[owning]marks{}
	suspect := func(o owning, i int) {
		b := suspects[o]
		if b == nil {
			b = newMarks(len(s.nums))
			suspects[o] = b
		}
		b.set(i)
	}
	for _, c := range s.said {
		for i, n := range s.nums {
			if c.said.asked.has(i) && c.said.yes.has(i) != c.base.Has(n) {
				for _, o := range c.plans {
					suspect(o, i)
				}
			}
		}
	}
	out := map[*owned]marks{}
	mark := func(o *owned, i int) {
		if out[o] == nil {
			out[o] = newMarks(len(s.nums))
		}
		out[o].set(i)
	}
	for i, n := range s.nums {
		if s.forced.has(i) {
			for _, o := range s.e.owners {
				mark(o, i)
			}
		} else if s.person.has(i) != s.e.people.Has(n) {
			for _, o := range s.e.owners {
				for _, p := range o.serving {
					suspect(owning{o, p}, i)
				}
			}
		}
	}
	s.changed = map[*plan]marks{}
	for o, b := range suspects {
		for i, n := range s.nums {
			if b.has(i) && s.holds(o.plan, n) != s.held(o.plan, n) {
				mark(o.owner, i)
				if s.changed[o.plan] == nil {
					s.changed[o.plan] = newMarks(len(s.nums))
				}
				s.changed[o.plan].set(i)
			}
		}
	}
	return out
}

// telling is one call of Apply.
type telling struct {
	owner *owned
	nums  []int64
	only  map[string]bool
	cause Cause
}

// tellings groups the news of a step by owner and cause.
func (s *step) tellings() []telling {
	news := s.news()
	var out []telling
	for _, o := range s.e.owners {
		marked := news[o]
		if marked == nil {
			continue
		}
		type why struct {
			reason string
			live   bool
		}
		groups := map[why][]int64{}
		for i, n := range s.nums {
			if marked.has(i) {
				w := why{s.cause[i].Reason, s.cause[i].Live}
				groups[w] = append(groups[w], n)
			}
		}
		causes := slices.SortedFunc(maps.Keys(groups), func(a, b why) int {
			return cmp.Or(cmp.Compare(a.reason, b.reason), cmp.Compare(groups[a][0], groups[b][0]))
		})
		for _, w := range causes {
			out = append(out, telling{owner: o, nums: groups[w], cause: Cause{Reason: w.reason, Live: w.live}})
		}
	}
	return out
}

// truths is what one owner sees of a step; without one, of what is kept.
type truths struct {
	e     *Engine
	step  *step
	owner *owned
	only  map[string]bool // of which rules alone it is told; nil: of all
	ctx   context.Context // of the call of Apply, which this does not outlive
	err   error           // of a question that PartOf could not ask
	whole map[int64]int64
}

// Holds implements Truths.
func (t *truths) Holds(key string, num int64) bool {
	p := t.owner.serving[key]
	return p != nil && t.step.holds(p, num)
}

// Known implements Truths.
func (t *truths) Known(key string) bool {
	return t.owner.serving[key] != nil && (t.only == nil || t.only[key])
}

// Set implements Truths.
func (t *truths) Set(key string) *numset.Set {
	p := t.owner.serving[key]
	if p == nil {
		return &numset.Set{}
	}
	out := p.set(t.e.people)
	for _, n := range t.step.nums {
		if t.step.holds(p, n) {
			out.Add(n)
		} else {
			out.Remove(n)
		}
	}
	return out
}

// suspects are those of some contacts of whom a rule says something else than
// before, or who are to be told in any case.
func (t *truths) suspects(key string, nums []int64) []int64 {
	if t.step.changed == nil { // nobody looked: anybody may
		return nums
	}
	changed := t.step.changed[t.owner.serving[key]]
	var out []int64
	for _, n := range nums {
		if i, ok := t.step.at[n]; !ok || t.step.forced.has(i) || changed != nil && changed.has(i) {
			out = append(out, n)
		}
	}
	return out
}

// CameOf implements Truths.
func (t *truths) CameOf(num int64) int64 { return t.step.cameOf[num] }

// PartOf implements Truths.
func (t *truths) PartOf(num int64) int64 {
	if into, ok := t.step.into[num]; ok {
		return into
	}
	if i, ok := t.step.at[num]; ok && t.step.person.has(i) || !ok && t.e.people.Has(num) {
		return num
	}
	if into, ok := t.whole[num]; ok {
		return into
	}
	into, err := t.find(num)
	if err != nil {
		t.err = cmp.Or(t.err, err)
		return num
	}
	if t.whole == nil {
		t.whole = map[int64]int64{}
	}
	t.whole[num] = into
	return into
}

// find asks about a contact that is no person of its own: rare.
func (t *truths) find(num int64) (int64, error) {
	into, err := t.e.d.Contacts.Survivors(t.ctx, []int64{num})
	if err != nil || into[num] != 0 {
		return into[num], err
	}
	there, err := t.e.d.Contacts.Describe(t.ctx, []int64{num})
	if _, ok := there[num]; !ok || err != nil {
		return 0, err
	}
	return num, nil
}

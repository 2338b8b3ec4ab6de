package live

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/koipond/koipond/internal/platform/numset"
)

// settle tells owners what definitions change, each rule after those it rests on.
// What a rule asks of such others (segments, stages, pools) is asked anew once they
// are kept and before it is told itself, and so are the rules that did not change
// and rest on one that did: nobody enters for what was, and leaves for what is.
// due are the rules to begin with, and why. Under the lock.
func (e *Engine) settle(ctx context.Context, due map[owning]Cause) error {
	levels := e.levels()
	var faults []error
	for level := 0; len(due) > 0; level++ {
		told := map[string]bool{}
		for _, o := range e.owners {
			for _, g := range groups(o, due, levels, level) {
				for _, p := range g.plans {
					delete(due, owning{o, p})
					told[p.id] = true
				}
				faults = append(faults, e.tellOnly(ctx, o, g.plans, g.cause))
			}
		}
		if len(told) == 0 {
			continue
		}
		changed, err := e.askKept(ctx, told)
		if err != nil {
			return errors.Join(append(faults, err)...)
		}
		for _, c := range changed {
			for _, o := range c.plans {
				if _, is := due[o]; !is && levels[o.plan] > level {
					due[o] = Cause{Reason: ReasonFact}
				}
			}
		}
	}
	return errors.Join(faults...)
}

// group is rules of one owner that are told together.
type group struct {
	cause Cause
	plans []*plan
}

// groups are the rules of an owner that are due on a level, by cause. Rules of one
// machine stand and fall together: when one is due, all are.
func groups(o *owned, due map[owning]Cause, levels map[*plan]int, level int) []group {
	why := map[string]Cause{}
	for _, p := range o.serving {
		if c, is := due[owning{o, p}]; is && levels[p] == level {
			if was, twice := why[p.id]; !twice || was.Reason == ReasonFact {
				why[p.id] = c
			}
		}
	}
	var out []group
	for _, key := range slices.Sorted(maps.Keys(o.serving)) {
		p := o.serving[key]
		c, is := why[p.id]
		if !is {
			continue
		}
		at := slices.IndexFunc(out, func(g group) bool { return g.cause.Reason == c.Reason && g.cause.Live == c.Live })
		if at < 0 {
			at, out = len(out), append(out, group{cause: c})
		}
		out[at].plans = append(out[at].plans, p)
	}
	return out
}

// levels tells how high each rule stands: above all that it rests on. Circles are
// refused where rules are kept; should there be one, it ends where it began.
func (e *Engine) levels() map[*plan]int {
	below := map[string][]string{}
	for _, o := range e.owners {
		for _, p := range o.serving {
			on := below[p.id]
			for _, c := range p.conds {
				on = append(on, c.on...)
			}
			below[p.id] = on // also of one that rests on nothing
		}
	}
	known := map[string]int{}
	var of func(id string) int
	of = func(id string) int {
		if h, ok := known[id]; ok {
			return h
		}
		known[id] = 0
		most := 0
		for _, on := range below[id] {
			if _, follows := below[on]; follows {
				most = max(most, of(on)+1)
			}
		}
		known[id] = most
		return most
	}
	out := map[*plan]int{}
	for _, o := range e.owners {
		for _, p := range o.serving {
			out[p] = of(p.id)
		}
	}
	return out
}

// tellOnly tells an owner of everybody, and of some rules alone.
func (e *Engine) tellOnly(ctx context.Context, o *owned, plans []*plan, c Cause) error {
	only := map[string]bool{}
	for _, p := range plans {
		only[p.key] = true
	}
	if c.Reason == ReasonDefinition {
		c.Keys = slices.Sorted(maps.Keys(only))
	}
	return e.tellEverybody(ctx, o, only, c)
}

// askKept asks the conditions anew that speak of some rules by what owners keep of
// them, and gives those whose answer is another.
func (e *Engine) askKept(ctx context.Context, told map[string]bool) ([]*cond, error) {
	var ask, changed []*cond
	for _, c := range e.conds {
		if c.known && c.field.kept && !c.failing() && len(c.plans) > 0 && slices.ContainsFunc(c.on, func(id string) bool { return told[id] }) {
			ask = append(ask, c)
		}
	}
	if len(ask) == 0 {
		return nil, nil
	}
	q := inquiry{e: e, now: e.d.Clock.Now(), zone: e.d.Zone(ctx)}
	got, err := q.fields(ctx, ask, func(*cond) []int64 { return nil })
	if err != nil {
		return nil, err
	}
	for i, c := range ask {
		if got[i].fault != nil {
			e.fail(c, got[i].fault)
			continue
		}
		was := c.base
		c.base = got[i].Choice
		if len(differing(e.among(was), e.among(c.base))) > 0 {
			changed = append(changed, c)
		}
	}
	return changed, nil
}

// among are the people whom a choice means.
func (e *Engine) among(c numset.Choice) *numset.Set {
	all := numset.Choice{Set: e.people.Clone()}
	return all.And(numset.Choice{Set: c.Set.Clone(), Rest: c.Rest}).Set
}

package machine

import (
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/audience/live"
	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/platform/numset"
)

// follower keeps one machine true as the live engine tells what its rules say.
type follower struct {
	s       *Service
	machine string
}

// Name implements live.Owner.
func (f follower) Name() string { return owner(f.machine) }

// Rules implements live.Owner: those of the definition in force. Keys carry its
// version, so that what was said of an older one is never taken for it.
func (f follower) Rules(ctx context.Context) ([]live.Rule, error) {
	d, err := f.s.inForce(ctx, f.machine)
	if err != nil || d == nil {
		return nil, err
	}
	// This holds for everybody who is new, so that the engine also tells of those
	// whom no rule takes.
	out := []live.Rule{{Key: d.key("*"), ID: loops.Machine(f.machine), Rule: when(cond("created", "within", 36_500))}}
	for _, st := range d.asked() {
		out = append(out, live.Rule{Key: d.key(st.ID), ID: loops.Machine(f.machine), Rule: st.Rule})
	}
	return out, nil
}

func (d *Definition) key(state string) string { return fmt.Sprintf("%d/%s", d.Version, state) }

// Apply implements live.Owner.
func (f follower) Apply(ctx context.Context, t live.Truths, nums []int64, c live.Cause) error {
	if c.Reason == live.ReasonErased {
		return f.s.Forget(ctx, nums)
	}
	d, err := f.s.working(ctx, f.machine)
	if err != nil || d == nil {
		return err
	}
	for _, st := range d.asked() {
		if !t.Known(d.key(st.ID)) {
			return nil
		}
	}
	people, err := f.s.Contacts.Matching(ctx, nil, "", nums)
	if err != nil {
		return err
	}
	if c.Except != nil {
		people.AndNot(c.Except)
	}
	if nums != nil {
		if nums = people.List(); len(nums) == 0 {
			return nil
		}
	}
	now, err := f.s.standingOf(ctx, d, people, nums)
	if err != nil {
		return err
	}
	now.old = c.Reason == live.ReasonFact && !c.Live
	moves, err := d.decide(now, func(state string) (*numset.Set, error) {
		if nums == nil {
			return t.Set(d.key(state)), nil
		}
		out := &numset.Set{}
		for _, n := range nums {
			if t.Holds(d.key(state), n) {
				out.Add(n)
			}
		}
		return out, nil
	})
	if err != nil {
		return err
	}
	_, err = f.s.apply(ctx, d, moves, words{reason: c.Reason, live: c.Live}, nil)
	return err
}

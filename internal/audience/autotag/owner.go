package autotag

import (
	"context"
	"slices"

	"github.com/koipond/koipond/internal/audience/live"
	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/platform/numset"
)

// owner keeps the tags that are given by rule, as the live engine tells whom the
// rules hold for.
type owner struct{ s *Service }

// Owner is what the live engine tells.
func (s *Service) Owner() live.Owner { return owner{s} }

// Name implements live.Owner.
func (o owner) Name() string { return Name }

// Rules implements live.Owner. A tag that may not be given stays as it is.
func (o owner) Rules(ctx context.Context) ([]live.Rule, error) {
	all, err := o.s.byRule(ctx)
	out := make([]live.Rule, 0, len(all))
	for _, a := range all {
		out = append(out, live.Rule{Key: a.tag, ID: loops.Tag(a.tag), Rule: a.def.Rule})
	}
	return out, err
}

// byRule are the tags that a rule gives.
func (s *Service) byRule(ctx context.Context) ([]*automation, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []*automation
	for _, a := range all {
		if a.def.Kind != ByRule || a.ending {
			continue
		}
		_, archived, err := s.Contacts.TagNamed(ctx, a.tag)
		if err != nil {
			return nil, err
		}
		if !archived {
			out = append(out, a)
		}
	}
	return out, nil
}

// Apply implements live.Owner. What is kept is the tag itself: who has it, and
// from what. So being told twice changes nothing twice, and contacts who become
// one or several bring their tags along by themselves.
func (o owner) Apply(ctx context.Context, t live.Truths, nums []int64, c live.Cause) error {
	s := o.s
	if _, err := s.Contacts.Survivors(ctx, nil); err != nil { // takes the lock of contacts before anything is written
		return err
	}
	all, err := s.byRule(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		if !t.Known(a.tag) || c.Keys != nil && !slices.Contains(c.Keys, a.tag) {
			continue
		}
		if nums == nil {
			err = s.aim(ctx, a, a.version, t.Set(a.tag), c.Except, c.Reason, c.Live)
		} else {
			err = s.apply(ctx, a, t, nums, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// apply keeps what a rule says of some contacts.
func (s *Service) apply(ctx context.Context, a *automation, t live.Truths, nums []int64, c live.Cause) error {
	var own []int64 // contacts of their own
	for _, n := range nums {
		if t.PartOf(n) == n {
			own = append(own, n)
		}
	}
	have, auto, err := s.Contacts.TagHolders(ctx, a.tag, ownSources, own)
	if err != nil {
		return err
	}
	lost := &numset.Set{}
	var give, take, off []int64
	for _, n := range own {
		switch holds := t.Holds(a.tag, n); {
		case holds && !have.Has(n):
			give = append(give, n)
		case !holds && auto.Has(n) && !a.def.Keep:
			take = append(take, n)
		case !holds:
			off = append(off, n)
		}
	}
	s.pending.drop(a.tag, own)
	if len(give) > 0 {
		if err := s.eachNum(ctx, "read losses", "select contact from tag_losses where tag = $1 and again = 0 and contact in ({in})", []any{a.tag}, give, lost); err != nil {
			return err
		}
		give = slices.DeleteFunc(give, lost.Has)
	}
	if err := s.forget(ctx, a.tag, off); err != nil {
		return err
	}
	return s.change(ctx, a, a.version, give, take, c.Reason, c.Live)
}

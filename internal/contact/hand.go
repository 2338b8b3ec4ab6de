package contact

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/errs"
)

// reasonManual is the reason of merges made by a person.
const reasonManual = "manual"

// maxReason is the longest reason of a merge or an undo, in characters.
const maxReason = 500

// errSamePerson: there is nothing to merge or to keep apart.
var errSamePerson = errs.New(errs.Conflict, "contact.same_person")

// MergeOption changes how MergeByHand goes about it.
type MergeOption int

// LiftApart merges people of whom somebody said that they are different ones.
const LiftApart MergeOption = 1

// MergeByHand makes two people one because somebody says so: the contact other
// becomes part of keep, whatever the rules of resolving say. People who are
// kept apart are refused unless LiftApart is given.
func (s *Service) MergeByHand(ctx context.Context, keepID, otherID, reason string, opts ...MergeOption) (Merge, error) {
	reason, err := checkReason(reason)
	if err != nil {
		return Merge{}, err
	}
	var out Merge
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		keep, other, err := s.pair(ctx, keepID, otherID)
		if err != nil {
			return err
		}
		if err := s.liftApart(ctx, keep, other, slices.Contains(opts, LiftApart)); err != nil {
			return err
		}
		out, err = s.mergeByHand(ctx, keep, other, reason)
		return err
	})
	if err != nil {
		return Merge{}, fmt.Errorf("merge by hand: %w", err)
	}
	return out, nil
}

func checkReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	reason = veil.Text(reason) // it stands in clear where many read it
	if utf8.RuneCountInString(reason) > maxReason {
		return "", errs.New(errs.Invalid, "request.invalid").On(errs.At("reason", "request.too_long", "limit", maxReason))
	}
	return reason, nil
}

func (s *Service) liftApart(ctx context.Context, a, b int64, may bool) error {
	why, apart, err := s.whyApart(ctx, a, b)
	if err != nil || !apart {
		return err
	}
	if !may {
		return errs.New(errs.Conflict, "contact.kept_apart", "why", why)
	}
	_, err = s.DB.Exec(ctx, "delete from contact_apart where (contact = $1 and other = $2) or (contact = $2 and other = $1)", a, b)
	return err
}

func (s *Service) mergeByHand(ctx context.Context, keep, other int64, reason string) (Merge, error) {
	w := newWorld(2)
	if err := s.engine.loadStates(ctx, w, []int64{keep, other}); err != nil {
		return Merge{}, err
	}
	into, from := w.states[keep], w.states[other]
	now := s.Clock.Now().UnixMilli()
	in := &input{ts: now, now: now, source: sourceName, reason: reasonManual, note: reason, manual: true}
	w.mergeInto(in, into, from, idKey{})
	if from.kind == event.Person {
		into.kind = event.Person
	}
	if err := s.engine.flush(ctx, w, nil); err != nil {
		return Merge{}, err
	}
	s.counts.stale(ctx, s.DB)
	if err := s.engine.moved(ctx); err != nil {
		return Merge{}, err
	}
	refs, err := s.plainRefs(ctx, []int64{keep})
	if err != nil {
		return Merge{}, err
	}
	m := w.merges[0].told
	return m, s.record(ctx, "contact.merged", into.id, refs[keep].Name, map[string]any{"merge": m.ID, "contact": from.id, "reason": reason})
}

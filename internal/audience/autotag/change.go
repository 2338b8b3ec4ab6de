package autotag

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/db"
)

// change gives the tag to some and takes it from others, in the transaction of
// ctx. Those with an exception get nothing; who loses to another tag is noted.
func (s *Service) change(ctx context.Context, a *automation, version int64, give, take []int64, reason string, live bool) error {
	if len(give)+len(take) == 0 {
		return nil
	}
	if err := s.put(ctx, a, version, give, take, reason, live); err != nil {
		return err
	}
	s.pending.drop(a.tag, give)
	s.pending.drop(a.tag, take)
	return nil
}

// put is change for those who waited for it.
func (s *Service) put(ctx context.Context, a *automation, version int64, give, take []int64, reason string, live bool) error {
	give, err := s.unless(ctx, a.tag, give)
	if err != nil {
		return err
	}
	out, err := s.Contacts.AutoTag(ctx, a.tag, give, take, givingOf(a.def.Kind, version, reason, live))
	if err != nil {
		return fmt.Errorf("change tag %s: %w", a.tag, err)
	}
	if err := s.forget(ctx, a.tag, take); err != nil {
		return err
	}
	return s.noteLosses(ctx, a.tag, a.def.Kind, out.Lost)
}

// unless leaves those out who have an exception.
func (s *Service) unless(ctx context.Context, tag string, nums []int64) ([]int64, error) {
	if len(nums) == 0 {
		return nil, nil
	}
	away := map[int64]bool{}
	err := s.eachIn(ctx, "read exceptions", "select contact from tag_exceptions where tag = $1 and contact in ({in})", []any{tag}, nums, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		away[n] = true
		return err
	})
	if len(away) == 0 {
		return nums, err
	}
	return slices.DeleteFunc(slices.Clone(nums), func(n int64) bool { return away[n] }), err
}

func (s *Service) noteLosses(ctx context.Context, tag, source string, lost []contact.AutoLoss) error {
	now := s.Clock.Now().UnixMilli()
	return s.insertMany(ctx, "tag_losses", "tag, contact, winner, winner_source, source, at",
		"on conflict (tag, contact) do update set winner = excluded.winner, winner_source = excluded.winner_source, source = excluded.source, again = 0",
		len(lost), func(i int) []any {
			l := lost[i]
			return []any{tag, l.Contact, l.Winner, l.Source, source, now}
		})
}

// forget drops the notes of losses of contacts whom the tag is no longer for.
func (s *Service) forget(ctx context.Context, tag string, nums []int64) error {
	return s.deleteIn(ctx, "tag_losses", "tag = $1 and ", []any{tag}, nums)
}

// Automatic implements contact.AutoTagger.
func (s *Service) Automatic(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	rows, err := s.DB.Query(ctx, "select tag, kind from tag_automations where ending = 0")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var tag, kind string
		err := r.Scan(&tag, &kind)
		out[tag] = kind
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read automatic tags: %w", err)
	}
	return out, nil
}

// TagsChanged implements contact.AutoTagger. A tag that somebody takes off by hand
// stays off; one that somebody gives, or takes back, is an exception no more. Who
// loses an automatic tag to another of its group is noted, and looked at again when
// that one goes.
func (s *Service) TagsChanged(ctx context.Context, changes []contact.TagChanged, by contact.TagGiverInfo) error {
	automatic, err := s.Automatic(ctx)
	if err != nil || len(automatic) == 0 {
		return err
	}
	off, on, gone := map[string][]int64{}, map[string][]int64{}, map[string][]int64{}
	lost := map[string][]contact.AutoLoss{}
	replaced := map[[2]string][]int64{}
	for _, c := range changes {
		auto := automatic[c.Tag] != ""
		switch {
		case !c.Removed:
			if auto {
				on[c.Tag] = append(on[c.Tag], c.Contact)
			}
		case c.Cause != "":
			replaced[[2]string{c.Tag, c.Cause}] = append(replaced[[2]string{c.Tag, c.Cause}], c.Contact)
			if auto && slices.Contains(ownSources, c.Was) {
				lost[c.Tag] = append(lost[c.Tag], contact.AutoLoss{Contact: c.Contact, Winner: c.Cause, Source: by.Source})
			}
		case auto && by.Hand:
			off[c.Tag] = append(off[c.Tag], c.Contact)
		}
		if c.Removed && c.Cause == "" {
			gone[c.Tag] = append(gone[c.Tag], c.Contact)
		}
	}
	for tag, nums := range off {
		err := s.insertMany(ctx, "tag_exceptions", "tag, contact, at, by_id, by_name", "on conflict (tag, contact) do nothing", len(nums), func(i int) []any {
			return []any{tag, nums[i], by.At, by.ID, by.Name}
		})
		if err != nil {
			return err
		}
		if err := s.forget(ctx, tag, nums); err != nil {
			return err
		}
	}
	for tag, nums := range on {
		if by.Hand || by.Undo {
			if err := s.deleteIn(ctx, "tag_exceptions", "tag = $1 and ", []any{tag}, nums); err != nil {
				return err
			}
		}
		if err := s.forget(ctx, tag, nums); err != nil {
			return err
		}
	}
	for tag, list := range lost {
		if err := s.noteLosses(ctx, tag, automatic[tag], list); err != nil {
			return err
		}
	}
	for pair, nums := range replaced { // what stood in the way of one stands in the way as another
		if err := s.mark(ctx, "winner = $2", []any{pair[0], pair[1]}, nums); err != nil {
			return err
		}
	}
	for tag, nums := range gone {
		if err := s.lookAgain(ctx, tag, nums); err != nil {
			return err
		}
	}
	return nil
}

// lookAgain marks those who did not get an automatic tag because of one that is gone now.
func (s *Service) lookAgain(ctx context.Context, winner string, nums []int64) error {
	s.nudge(ctx)
	return s.mark(ctx, "again = 1", []any{winner}, nums)
}

// mark changes the notes of losses to a tag, the first of args.
func (s *Service) mark(ctx context.Context, set string, args []any, nums []int64) error {
	for len(nums) > 0 {
		part := nums[:min(inLists, len(nums))]
		nums = nums[len(part):]
		all := append([]any{}, args...)
		for _, n := range part {
			all = append(all, n)
		}
		if _, err := s.DB.Exec(ctx, "update tag_losses set "+set+" where winner = $1 and contact in ("+db.In(len(args)+1, len(part))+")", all...); err != nil {
			return fmt.Errorf("change notes of losses: %w", err)
		}
	}
	return nil
}

// tryAgain gives tags to those who lost them to one that is gone, if they are
// still for them.
func (s *Service) tryAgain(ctx context.Context) error {
	for {
		rows, err := s.DB.Query(ctx, "select tag, contact from tag_losses where again = 1 order by tag, contact limit $1", batchSize)
		byTag := map[string][]int64{}
		_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
			var tag string
			var n int64
			err := r.Scan(&tag, &n)
			byTag[tag] = append(byTag[tag], n)
			return struct{}{}, err
		})
		if err != nil {
			return fmt.Errorf("find losses to look at again: %w", err)
		}
		if len(byTag) == 0 {
			return nil
		}
		for tag, nums := range byTag {
			if err := s.settle(ctx, tag, nums, reasonFact); err != nil {
				return err
			}
		}
	}
}

// settle looks at contacts anew: who is to have the tag gets it. Notes of losses
// are dropped first, and come back where there is still something in the way.
func (s *Service) settle(ctx context.Context, tag string, nums []int64, reason string) error {
	a, err := s.get(ctx, tag)
	if err != nil {
		return err
	}
	var meant []int64
	version := int64(0)
	switch {
	case a == nil || a.ending: // it is automatic no more
	case a.def.Kind == ByRule:
		version = a.version
		found, err := s.Contacts.Matching(ctx, a.def.Rule, "rule", nums)
		if err != nil {
			return fmt.Errorf("look at rule of tag %s: %w", tag, err)
		}
		meant = found.List()
	case a.serves():
		version = a.activeVersion
		rows, err := s.readSums(ctx, a.sums, nums)
		if err != nil {
			return err
		}
		now := s.Clock.Now().UnixMilli()
		for _, n := range nums {
			if x := rows[n]; x != nil && x.ends > now {
				meant = append(meant, n)
			}
		}
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.Contacts.Survivors(ctx, nil); err != nil { // takes the lock of contacts before anything is written
			return err
		}
		if err := s.forget(ctx, tag, nums); err != nil || len(meant) == 0 {
			return err
		}
		return s.change(ctx, a, version, meant, nil, reason, true)
	})
}

package autotag

import (
	"context"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/numset"
)

// counting is what is known of sums that are being added up.
type counting struct {
	tag     string
	touched []int64 // who became part of another meanwhile, or a contact of their own
	done    float64
}

// question is what a score asks of the analytics store.
func (s *Service) question(sc *Score, after event.Position) analytics.DecayQuery {
	q := analytics.DecayQuery{HalfLife: sc.half(), Now: s.Clock.Now(), After: after}
	for i := range sc.Events {
		e := &sc.Events[i]
		w := analytics.Weighted{Name: e.Name, Weight: e.Weight}
		if len(e.Where) > 0 {
			w.Matches = e.matches
		}
		q.Weights = append(q.Weights, w)
	}
	return q
}

// Recount adds up all scores anew, in the background: facts are gone that are in
// them. Contacts who were removed are forgotten at once.
func (s *Service) Recount(ctx context.Context) error {
	if _, err := s.DB.Exec(ctx, "update tag_automations set recount = 1 where kind = $1", ByScore); err != nil {
		return fmt.Errorf("add up scores anew: %w", err)
	}
	s.nudge(ctx)
	return nil
}

// Forget drops what is kept of contacts that are gone. It bears repetition.
func (s *Service) Forget(ctx context.Context, nums []int64) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, table := range []string{"tag_exceptions", "tag_losses", "tag_model_weights"} {
			if err := s.deleteIn(ctx, table, "", nil, nums); err != nil {
				return err
			}
		}
		all, err := s.all(ctx)
		if err != nil {
			return err
		}
		for _, a := range all {
			if a.sums == 0 {
				continue
			}
			if err := s.deleteIn(ctx, "tag_scores", "sums = $1 and ", []any{a.sums}, nums); err != nil {
				return err
			}
		}
		return s.Recount(ctx) // others may have been them in part
	})
}

// recountAll adds up the scores whose definition is new, or whose facts are others now.
func (s *Service) recountAll(ctx context.Context) error {
	all, err := s.all(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.def.Kind != ByScore || a.ending || a.activeVersion == a.version && a.serves() && !a.recount {
			continue
		}
		err := s.recount(ctx, a)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fault := ""
		if err != nil {
			fault = "autotag.cannot_count"
			s.Log.ErrorContext(ctx, "a score cannot be added up", "tag", a.tag, "error", err)
		}
		if fault != a.fault {
			if _, err := s.DB.Exec(ctx, "update tag_automations set fault = $1 where tag = $2", fault, a.tag); err != nil {
				return fmt.Errorf("note fault of score: %w", err)
			}
		}
	}
	return nil
}

// recount adds up one score from the analytics store into new sums, puts them in
// the place of the old ones, and lets the tag follow.
func (s *Service) recount(ctx context.Context, a *automation) error {
	sums, err := s.DB.Reserve(ctx, "tag_scores", 1)
	if err != nil {
		return err
	}
	c := &counting{tag: a.tag}
	s.scoring.Lock()
	s.counting[sums] = c
	s.scoring.Unlock()
	defer func() {
		s.scoring.Lock()
		delete(s.counting, sums)
		s.scoring.Unlock()
	}()
	if a.recount { // what changes from here on asks for another recount
		if _, err := s.DB.Exec(ctx, "update tag_automations set recount = 0 where tag = $1", a.tag); err != nil {
			return fmt.Errorf("begin to add up: %w", err)
		}
	}
	from, err := s.write(ctx, a, sums, c)
	if err == nil {
		err = s.replace(ctx, a, sums, from, c)
	}
	if err != nil && a.recount {
		_, again := s.DB.Exec(ctx, "update tag_automations set recount = 1 where tag = $1", a.tag)
		if again != nil {
			return fmt.Errorf("%w (and it is not tried again: %w)", err, again)
		}
	}
	return err
}

// write adds up what is stored now, and tells up to where.
func (s *Service) write(ctx context.Context, a *automation, sums int64, c *counting) (event.Position, error) {
	sc := a.def.Score
	list, from, err := s.Facts.DecayedSums(ctx, s.question(sc, event.Position{}))
	if err != nil {
		return from, err
	}
	_, had, err := s.Contacts.TagHolders(ctx, a.tag, ownSources, nil)
	if err != nil {
		return from, err
	}
	var parted []int64
	for at := 0; at < len(list); at += batchSize {
		part := list[at:min(at+batchSize, len(list))]
		err := s.DB.Tx(ctx, func(ctx context.Context) error {
			nums := make([]int64, len(part))
			for i, x := range part {
				nums[i] = x.Contact
			}
			moved, err := s.Contacts.Survivors(ctx, nums)
			if err != nil {
				return err
			}
			now := s.Clock.Now().UnixMilli()
			rows := make(map[int64]*sum, len(part))
			for _, x := range part {
				f := fading{x.Value, x.At}
				r := &sum{own: f, total: f, ends: sc.ends(f, had.Has(x.Contact), now)}
				if into, ok := moved[x.Contact]; ok {
					parted = append(parted, into)
					r.total, r.ends = fading{}, 0
				}
				rows[x.Contact] = r
			}
			return s.writeSums(ctx, sc, sums, rows)
		})
		if err != nil {
			return from, err
		}
		s.scoring.Lock()
		c.done = float64(at+len(part)) / float64(len(list)+1)
		s.scoring.Unlock()
	}
	s.scoring.Lock()
	c.touched = append(c.touched, parted...)
	s.scoring.Unlock()
	return from, nil
}

// replace adds what came meanwhile, and puts the new sums in the place of the old
// ones. No facts are handed over while it does.
func (s *Service) replace(ctx context.Context, a *automation, sums int64, from event.Position, c *counting) error {
	s.scoring.Lock()
	defer s.scoring.Unlock()
	list, to, err := s.Facts.DecayedSums(ctx, s.question(a.def.Score, from))
	if err != nil {
		return err
	}
	add := make(map[int64]fading, len(list))
	for _, x := range list {
		add[x.Contact] = fading{x.Value, x.At}
	}
	slices.Sort(c.touched)
	touched := slices.Compact(c.touched)
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.addUp(ctx, a.def.Score, sums, add, touched, a.tag); err != nil {
			return err
		}
		now, err := s.get(ctx, a.tag)
		if err != nil {
			return err
		}
		if now == nil || now.def.Kind != ByScore || now.ending { // it was taken away meanwhile: sweep drops the sums
			return nil
		}
		text, err := s.encode(a.def)
		if err != nil {
			return err
		}
		_, err = s.DB.Exec(ctx, "update tag_automations set active = $1, active_version = $2, sums = $3, from_seq = $4, from_idx = $5 where tag = $6",
			text, a.version, sums, int64(to.Seq), int64(to.Idx), a.tag)
		if err != nil {
			return fmt.Errorf("put new sums in place: %w", err)
		}
		now.active, now.activeVersion, now.sums = a.def, a.version, sums
		return s.follow(ctx, now)
	})
}

// follow works out whose tag differs from what new sums say, and lets it be
// changed in the background.
func (s *Service) follow(ctx context.Context, a *automation) error {
	want := &numset.Set{}
	err := s.eachRow(ctx, "read who reached the score", "select contact from tag_scores where sums = $1 and ends_at > $2", []any{a.sums, s.Clock.Now().UnixMilli()}, want)
	if err != nil {
		return err
	}
	return s.aim(ctx, a, a.activeVersion, want, nil, reasonDefinition, false)
}

// sweep drops sums that serve nobody any more, a stretch at a time.
func (s *Service) sweep(ctx context.Context) error {
	for {
		s.scoring.Lock()
		keep := []int64{-1}
		for sums := range s.counting {
			keep = append(keep, sums)
		}
		s.scoring.Unlock()
		args := make([]any, len(keep))
		for i, n := range keep {
			args[i] = n
		}
		const left = "sums not in (select sums from tag_automations) and sums not in ("
		n, err := s.DB.ExecN(ctx, `delete from tag_scores where (sums, contact) in (select sums, contact from tag_scores where `+left+db.In(1, len(args))+`) limit 5000)`, args...)
		if err != nil {
			return fmt.Errorf("drop old scores: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}

package autotag

import (
	"context"
	"fmt"
	"sync"

	"github.com/koipond/koipond/internal/platform/numset"
)

// work is whose tag is still to be changed: what a new definition, or the start of
// the program, found for many. It is in memory alone: should the program end, the
// difference is found anew at the next start.
type work struct {
	version     int64
	give, take  *numset.Set
	reason      string
	live        bool
	total, done int64
}

// pending is the work of all tags.
type pending struct {
	mu   sync.Mutex
	work map[string]*work
}

// drop leaves contacts out who were looked at in another way since.
func (p *pending) drop(tag string, nums []int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.work[tag]; w != nil {
		for _, n := range nums {
			if w.give.Has(n) || w.take.Has(n) {
				w.done++
			}
			w.give.Remove(n)
			w.take.Remove(n)
		}
	}
}

// next are the contacts to change next; nil when there is nothing left.
func (p *pending) next(tag string) (w *work, give, take []int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w = p.work[tag]
	if w == nil {
		return nil, nil, nil
	}
	take = w.take.After(-1, batchSize)
	give = w.give.After(-1, batchSize-len(take))
	return w, give, take
}

// tags lists those with work.
func (p *pending) tags() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for tag := range p.work {
		out = append(out, tag)
	}
	return out
}

// of tells how far the work of a tag is.
func (p *pending) of(tag string) (total, done int64, busy bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.work[tag]; w != nil {
		return w.total, w.done, true
	}
	return 0, 0, false
}

func (p *pending) set(tag string, w *work) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w == nil || w.total == 0 {
		delete(p.work, tag)
		return
	}
	p.work[tag] = w
}

// aim works out whose tag differs from whom it is for, and lets it be changed in
// the background once the transaction of ctx has committed. except is left alone.
func (s *Service) aim(ctx context.Context, a *automation, version int64, want, except *numset.Set, reason string, live bool) error {
	have, own, err := s.Contacts.TagHolders(ctx, a.tag, ownSources, nil)
	if err != nil {
		return err
	}
	give := want.Clone()
	give.AndNot(have)
	away, err := s.away(ctx, a.tag)
	if err != nil {
		return err
	}
	give.AndNot(away)
	take := own
	take.AndNot(want)
	if a.def.Kind == ByRule && a.def.Keep {
		take = &numset.Set{}
	}
	if except != nil {
		give.AndNot(except)
		take.AndNot(except)
	}
	w := &work{version: version, give: give, take: take, reason: reason, live: live, total: give.Count() + take.Count()}
	s.DB.After(ctx, func() { s.pending.set(a.tag, w) })
	if a.ending && w.total == 0 {
		return s.finish(ctx, a.tag)
	}
	s.nudge(ctx)
	return nil
}

// settleAll changes the tags of all who wait.
func (s *Service) settleAll(ctx context.Context) error {
	for _, tag := range s.pending.tags() {
		for {
			more, err := s.settleSome(ctx, tag)
			if err != nil {
				return err
			}
			if !more {
				break
			}
		}
	}
	return nil
}

// settleSome changes the next of those who wait for a tag. Who is next is asked
// under the lock of contacts: nobody's rule changes its mind meanwhile.
func (s *Service) settleSome(ctx context.Context, tag string) (more bool, err error) {
	var w *work
	var give, take []int64
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.Contacts.Survivors(ctx, nil); err != nil {
			return err
		}
		if w, give, take = s.pending.next(tag); w == nil || len(give)+len(take) == 0 {
			return nil
		}
		a, err := s.get(ctx, tag)
		if err != nil || a == nil {
			return err
		}
		// whoever became part of another meanwhile is no contact of their own any more
		moved, err := s.Contacts.Survivors(ctx, give)
		if err != nil {
			return err
		}
		own := give[:0:0]
		for _, n := range give {
			if _, part := moved[n]; !part {
				own = append(own, n)
			}
		}
		return s.put(ctx, a, w.version, own, take, w.reason, w.live)
	})
	if err != nil {
		return false, fmt.Errorf("give and take tag %s: %w", tag, err)
	}
	if w == nil {
		return false, nil
	}
	if len(give)+len(take) == 0 {
		s.pending.set(tag, nil)
		return false, s.finish(ctx, tag)
	}
	s.pending.drop(tag, append(give, take...))
	return true, nil
}

// away are those who do not get a tag: an exception, or another tag above it.
func (s *Service) away(ctx context.Context, tag string) (*numset.Set, error) {
	out := &numset.Set{}
	err := s.eachRow(ctx, "read exceptions", "select contact from tag_exceptions where tag = $1 union all select contact from tag_losses where tag = $1 and again = 0", []any{tag}, out)
	return out, err
}

// finish drops an automatic tag that was ended, once nobody has it by itself.
func (s *Service) finish(ctx context.Context, tag string) error {
	if _, err := s.DB.Exec(ctx, "delete from tag_automations where tag = $1 and ending = 1", tag); err != nil {
		return fmt.Errorf("end automatic tag: %w", err)
	}
	return nil
}

// begin takes up what the program was in the midst of when it ended: the tags of
// scores that were to be given and taken, and of those that were ended.
func (s *Service) begin(ctx context.Context) error {
	if s.begun {
		return nil
	}
	all, err := s.all(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		err := s.DB.Tx(ctx, func(ctx context.Context) error {
			if _, err := s.Contacts.Survivors(ctx, nil); err != nil {
				return err
			}
			switch {
			case a.ending:
				return s.aimAtNobody(ctx, a)
			case a.serves():
				return s.follow(ctx, a)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	s.begun = true
	return nil
}

// aimAtNobody lets everybody lose a tag that they have by itself.
func (s *Service) aimAtNobody(ctx context.Context, a *automation) error {
	return s.aim(ctx, a, a.version, &numset.Set{}, nil, reasonDefinition, false)
}

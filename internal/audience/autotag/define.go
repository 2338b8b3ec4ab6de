package autotag

import (
	"cmp"
	"context"
	"fmt"
	"reflect"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/rule"
)

// everybodys refuses those who do not see all customers: automatic tags speak of all.
func everybodys(ctx context.Context) error {
	if !auth.ScopeOf(ctx).All {
		return errs.New(errs.Forbidden, "permission.scope")
	}
	return nil
}

// mayRule refuses rules from those who may not see segments.
func mayRule(ctx context.Context, kind string) error {
	if p := principal(ctx); kind == ByRule && !p.May(auth.SegmentRead) {
		return errs.New(errs.Forbidden, "permission.denied", "permission", string(auth.SegmentRead))
	}
	return nil
}

// Get shows an automatic tag; NotFound autotag.none.
func (s *Service) Get(ctx context.Context, tag string) (Automation, error) {
	ref, archived, err := s.Contacts.TagNamed(ctx, tag)
	if err != nil {
		return Automation{}, err
	}
	a, err := s.get(ctx, tag)
	if err != nil {
		return Automation{}, err
	}
	if a == nil || a.ending {
		return Automation{}, errNone
	}
	if err := mayRule(ctx, a.def.Kind); err != nil {
		return Automation{}, err
	}
	v := Automation{Tag: ref, Version: a.version, By: contact.Ref{ID: a.byID, Name: a.byName}, CreatedAt: clock.FromMs(a.created), ChangedAt: clock.FromMs(a.changed), Definition: a.def}
	v.Status, err = s.status(ctx, a, archived)
	return v, err
}

func (s *Service) status(ctx context.Context, a *automation, archived bool) (Status, error) {
	st := Status{State: "ready", Progress: 1}
	have, own, err := s.Contacts.TagHolders(ctx, a.tag, ownSources, nil)
	if err != nil {
		return st, err
	}
	st.Have = own.Count()
	st.ByHand = have.Count() - st.Have
	err = s.DB.QueryRow(ctx, "select (select count(*) from tag_exceptions where tag = $1), (select count(*) from tag_losses where tag = $1)", a.tag).Scan(&st.Exceptions, &st.Losses)
	if err != nil {
		return st, fmt.Errorf("count exceptions: %w", err)
	}
	if archived {
		st.State = "archived"
		return st, nil
	}
	if total, done, busy := s.pending.of(a.tag); busy {
		st.State, st.Total, st.Done = "working", total, done
		st.Progress = float64(done) / float64(max(total, 1))
		return st, nil
	}
	switch a.def.Kind {
	case ByRule:
		if ready, progress := s.rules.Status(Name, a.tag); !ready {
			st.State, st.Progress = "preparing", progress
		}
	case ByScore:
		if a.activeVersion != a.version || !a.serves() || a.recount {
			st.State, st.Progress = "preparing", s.counted(a.tag)
		}
	}
	if a.fault != "" {
		st.State, st.Fault = "faulty", httpx.Say(ctx, a.fault, nil)
	}
	return st, nil
}

// counted tells how much of a score is added up.
func (s *Service) counted(tag string) float64 {
	s.scoring.Lock()
	defer s.scoring.Unlock()
	for _, c := range s.counting {
		if c.tag == tag {
			return c.done
		}
	}
	return 0
}

// Put makes a tag automatic, or changes how it is given. Who it is for is worked
// out in the background; until then the definition before serves.
func (s *Service) Put(ctx context.Context, tag string, d Definition) (Automation, error) {
	if err := everybodys(ctx); err != nil {
		return Automation{}, err
	}
	if err := mayRule(ctx, d.Kind); err != nil {
		return Automation{}, err
	}
	ref, archived, err := s.Contacts.TagNamed(ctx, tag)
	if err != nil {
		return Automation{}, err
	}
	if archived {
		return Automation{}, errs.New(errs.Conflict, "contact.tag_archived", "name", ref.Name)
	}
	if err := s.check(ctx, tag, &d); err != nil {
		return Automation{}, err
	}
	text, err := s.encode(d)
	if err != nil {
		return Automation{}, err
	}
	by, now := principal(ctx), s.Clock.Now().UnixMilli()
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.circlesNow(ctx, tag, d); err != nil {
			return err
		}
		was, err := s.get(ctx, tag)
		if err != nil {
			return err
		}
		action, version := "tag.automated", int64(1)
		if was != nil {
			if !was.ending && reflect.DeepEqual(was.def, d) {
				return nil
			}
			action, version = "tag.automation_changed", was.version+1
			if err := mayRule(ctx, was.def.Kind); err != nil {
				return err
			}
		}
		_, err = s.DB.Exec(ctx, `insert into tag_automations (tag, kind, spec, version, created_at, changed_at, by_id, by_name) values ($1, $2, $3, $4, $5, $5, $6, $7)
			on conflict (tag) do update set kind = excluded.kind, spec = excluded.spec, version = excluded.version, changed_at = excluded.changed_at,
				by_id = excluded.by_id, by_name = excluded.by_name, ending = 0, fault = '',
				sums = case when excluded.kind = 'rule' then 0 else tag_automations.sums end, active = case when excluded.kind = 'rule' then '' else tag_automations.active end,
				active_version = case when excluded.kind = 'rule' then 0 else tag_automations.active_version end`, tag, d.Kind, text, version, now, by.ID, by.Name)
		if err != nil {
			return fmt.Errorf("keep automatic tag: %w", err)
		}
		s.DB.After(ctx, func() {
			s.pending.set(tag, nil) // what an older definition left to be done is no longer right
			s.rules.Changed(Name)
		})
		s.nudge(ctx)
		return s.record(ctx, action, ref, map[string]any{"kind": d.Kind, "version": version})
	})
	if err != nil {
		return Automation{}, err
	}
	return s.Get(ctx, tag)
}

// Delete makes a tag one that is given by hand alone. Those who have it by itself
// keep it, or lose it in the background.
func (s *Service) Delete(ctx context.Context, tag string, takeTags bool) error {
	if err := everybodys(ctx); err != nil {
		return err
	}
	ref, _, err := s.Contacts.TagNamed(ctx, tag)
	if err != nil {
		return err
	}
	s.scoring.Lock() // no facts are added to its scores meanwhile
	defer s.scoring.Unlock()
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.Contacts.Survivors(ctx, nil); err != nil {
			return err
		}
		a, err := s.get(ctx, tag)
		if err != nil {
			return err
		}
		if a == nil || a.ending {
			return errNone
		}
		if err := mayRule(ctx, a.def.Kind); err != nil {
			return err
		}
		if err := s.remove(ctx, a, takeTags); err != nil {
			return err
		}
		return s.record(ctx, "tag.automation_removed", ref, map[string]any{"kind": a.def.Kind, "takeTags": takeTags})
	})
}

// drop ends an automatic tag at once, in the transaction of ctx; who has it keeps it.
func (s *Service) drop(ctx context.Context, tag string) error {
	for _, table := range []string{"tag_losses", "tag_automations"} {
		if _, err := s.DB.Exec(ctx, "delete from "+table+" where tag = $1", tag); err != nil {
			return fmt.Errorf("drop from %s: %w", table, err)
		}
	}
	s.DB.After(ctx, func() {
		s.pending.set(tag, nil)
		s.rules.Changed(Name)
	})
	s.nudge(ctx)
	return nil
}

// remove ends an automatic tag, in the transaction of ctx.
func (s *Service) remove(ctx context.Context, a *automation, takeTags bool) error {
	if _, err := s.DB.Exec(ctx, "delete from tag_exceptions where tag = $1", a.tag); err != nil {
		return fmt.Errorf("drop exceptions: %w", err)
	}
	if !takeTags {
		return s.drop(ctx, a.tag)
	}
	if _, err := s.DB.Exec(ctx, "delete from tag_losses where tag = $1", a.tag); err != nil {
		return fmt.Errorf("drop losses: %w", err)
	}
	s.DB.After(ctx, func() { s.rules.Changed(Name) })
	s.nudge(ctx)
	if _, err := s.DB.Exec(ctx, "update tag_automations set ending = 1, sums = 0, active = '', active_version = 0 where tag = $1", a.tag); err != nil {
		return fmt.Errorf("end automatic tag: %w", err)
	}
	a.ending = true
	a.def.Keep = false
	return s.aimAtNobody(ctx, a)
}

// Uses implements contact.Referrer: rules of automatic tags that ask for a term.
func (s *Service) Uses(ctx context.Context, of contact.Term) ([]contact.Use, error) {
	return s.uses(ctx, func(a *automation) bool {
		return of.Tag != nil && of.Tag.ID == a.tag && !a.ending || refersTo(a.def, of)
	})
}

// UsesWith lists the automatic tags in whose rules a condition is about something.
func (s *Service) UsesWith(ctx context.Context, about func(n *rule.Node) bool) ([]contact.Use, error) {
	return s.uses(ctx, func(a *automation) (found bool) {
		if a.def.Rule != nil && !a.ending {
			a.def.Rule.Each(func(n *rule.Node) { found = found || about(n) })
		}
		return found
	})
}

func (s *Service) uses(ctx context.Context, of func(a *automation) bool) ([]contact.Use, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []contact.Use
	for _, a := range all {
		if !of(a) {
			continue
		}
		name := a.tag
		if t, _, err := s.Contacts.TagNamed(ctx, a.tag); err == nil {
			name = t.Group + " / " + t.Name
		}
		out = append(out, contact.Use{Kind: "autotag", ID: a.tag, Name: cmp.Or(name, a.tag), Link: "/tags?automation=" + a.tag})
	}
	return out, nil
}

// Moved implements contact.Referrer: rules follow a term that became another. A tag
// that ends is automatic no more, until that is undone.
func (s *Service) Moved(ctx context.Context, from contact.Term, into *contact.Term) error {
	all, err := s.all(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		if from.Tag != nil && from.Tag.ID == a.tag {
			if err := s.retire(ctx, a); err != nil {
				return err
			}
			continue
		}
		if into == nil || !refersTo(a.def, from) {
			continue
		}
		follow, err := s.Contacts.Follower(ctx, from, *into)
		if err != nil {
			return err
		}
		if !follow(a.def.Rule) {
			continue
		}
		text, err := s.encode(a.def)
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update tag_automations set spec = $1 where tag = $2", text, a.tag); err != nil {
			return fmt.Errorf("follow in automatic tag: %w", err)
		}
		s.DB.After(ctx, func() { s.rules.Changed(Name) })
	}
	if into == nil {
		return nil
	}
	return s.followEnded(ctx, from, *into)
}

package audience

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/rule"
)

// Definition is what a segment is made of.
type Definition struct {
	Name   string
	Note   string
	Folder string
	Kind   string
	Rule   *rule.Rule // of dynamic ones
	from   string     // what it was copied from, for the history
}

// Change is a change of a segment; nil leaves alone.
type Change struct {
	Name, Note, Folder, OwnerID *string
	Rule                        *rule.Rule
}

func nameKey(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

// tidy cleans what people typed: one line, no numbers of people in clear.
func tidy(text string) string { return veil.Text(strings.Join(strings.Fields(text), " ")) }

func tooLong(field, text string, limit int) error {
	if utf8.RuneCountInString(text) > limit {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, "request.too_long", "limit", limit))
	}
	return nil
}

// checkWords cleans and checks name, note and folder.
func checkWords(g *segment) error {
	g.name, g.folder, g.note = tidy(g.name), tidy(g.folder), veil.Text(strings.TrimSpace(g.note))
	if g.name == "" {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("name", "request.field_required"))
	}
	return errors.Join(tooLong("name", g.name, maxName), tooLong("note", g.note, maxNote), tooLong("folder", g.folder, maxFolder))
}

// checkRule tells what is wrong with the rule of a segment before it is kept.
func (s *Service) checkRule(ctx context.Context, id string, r *rule.Rule) error {
	if r == nil {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("rule", "request.field_required"))
	}
	if err := s.Contacts.CheckRule(ctx, r, "rule"); err != nil {
		return err
	}
	return s.checkNesting(ctx, id, r)
}

// Create makes a segment. A dynamic one is worked out in the background.
func (s *Service) Create(ctx context.Context, d Definition) (*Segment, error) {
	g, err := s.create(ctx, d, nil)
	if err != nil {
		return nil, err
	}
	return s.view(ctx, g)
}

// create makes a segment; more runs in its transaction.
func (s *Service) create(ctx context.Context, d Definition, more func(ctx context.Context, g *segment) error) (*segment, error) {
	now, who := clock.Ms(s.Clock.Now()), me(ctx)
	g := &segment{id: s.IDs.New("sg"), name: d.Name, note: d.Note, folder: d.Folder, kind: d.Kind, rule: d.Rule, version: 1, owner: who, by: who, created: now, changed: now, state: Ready, readyVersion: 1, counted: now}
	if err := checkWords(g); err != nil {
		return nil, err
	}
	switch g.kind {
	case Dynamic:
		g.state, g.readyVersion, g.counted = Working, 0, 0
		if err := s.checkRule(ctx, g.id, g.rule); err != nil {
			return nil, err
		}
	case Static:
		if g.rule != nil {
			return nil, rule.Fault("rule", "audience.static_has_no_rule")
		}
	default:
		return nil, errs.New(errs.Invalid, "request.invalid").On(errs.At("kind", "request.field_required"))
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if g.dynamic() {
			if err := s.checkNestingNow(ctx, g.id, g.rule); err != nil {
				return err
			}
		}
		var n int64
		if err := s.DB.QueryRow(ctx, "select count(*) from segments").Scan(&n); err != nil {
			return fmt.Errorf("count segments: %w", err)
		}
		if n >= maxSegments {
			return errs.New(errs.Conflict, "audience.too_many_segments", "limit", maxSegments)
		}
		if err := s.insert(ctx, g); err != nil {
			return err
		}
		e := entry{segment: g.id, action: "created", version: g.version, rule: g.rule, detail: EventDetail{Name: d.from}}
		if g.dynamic() {
			e.came, e.went, e.size = -1, -1, -1
		}
		if err := s.put(ctx, &e); err != nil {
			return err
		}
		if more != nil {
			if err := more(ctx, g); err != nil {
				return err
			}
		}
		if err := s.record(ctx, "segment.created", g, s.told(g)); err != nil {
			return err
		}
		return s.work(ctx, g)
	})
	if err != nil {
		return nil, err
	}
	return s.get(ctx, g.id)
}

// told is what the audit log says of a segment's definition.
func (s *Service) told(g *segment) map[string]any {
	d := map[string]any{"kind": g.kind, "version": g.version}
	if g.rule != nil {
		d["rule"] = string(g.rule.JSON())
	}
	return d
}

// Update changes a segment: what it is called, who looks after it, its rule.
func (s *Service) Update(ctx context.Context, id string, c Change) (*Segment, error) {
	if c.Rule != nil {
		if err := s.checkRule(ctx, id, c.Rule); err != nil {
			return nil, err
		}
	}
	var owner *contact.Ref
	if c.OwnerID != nil {
		r, err := s.user(ctx, *c.OwnerID)
		if err != nil {
			return nil, err
		}
		owner = &r
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if c.Rule != nil {
			if err := s.checkNestingNow(ctx, id, c.Rule); err != nil {
				return err
			}
		}
		g, err := s.hold(ctx, id)
		if err != nil {
			return err
		}
		if g.archived > 0 {
			return errs.New(errs.Conflict, "audience.archived")
		}
		was := *g
		if c.Name != nil {
			g.name = *c.Name
		}
		if c.Note != nil {
			g.note = *c.Note
		}
		if c.Folder != nil {
			g.folder = *c.Folder
		}
		if owner != nil {
			g.owner = *owner
		}
		if err := checkWords(g); err != nil {
			return err
		}
		redefined := c.Rule != nil && c.Rule.Fingerprint() != g.rule.Fingerprint()
		if redefined {
			if !g.dynamic() {
				return rule.Fault("rule", "audience.static_has_no_rule")
			}
			g.rule, g.version, g.state, g.fault = c.Rule, g.version+1, Working, ""
		}
		if !redefined && g.name == was.name && g.note == was.note && g.folder == was.folder && g.owner == was.owner {
			return nil
		}
		g.changed = clock.Ms(s.Clock.Now())
		if err := s.save(ctx, g); err != nil {
			return err
		}
		if g.name != was.name || g.note != was.note || g.folder != was.folder || g.owner != was.owner {
			e := entry{segment: g.id, action: "changed", came: 0, went: 0, size: g.members}
			if g.name != was.name {
				e.detail = EventDetail{Name: g.name, Was: was.name}
			}
			if err := s.put(ctx, &e); err != nil {
				return err
			}
		}
		detail := map[string]any{"name": g.name, "owner": g.owner.ID}
		if redefined {
			detail = s.told(g)
			if err := s.put(ctx, &entry{segment: g.id, action: "defined", version: g.version, rule: g.rule, came: -1, went: -1, size: -1}); err != nil {
				return err
			}
		}
		if err := s.record(ctx, "segment.updated", g, detail); err != nil || !redefined {
			return err
		}
		return s.work(ctx, g)
	})
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, id)
}

// user finds a user by id.
func (s *Service) user(ctx context.Context, id string) (contact.Ref, error) {
	if id != "" && s.People != nil {
		if name, ok := s.People.Names(ctx, []string{id})[id]; ok {
			return contact.Ref{ID: id, Name: name}, nil
		}
	}
	return contact.Ref{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("ownerId", "contact.no_such_user"))
}

// Copy makes another segment with the same rule, or the same people.
func (s *Service) Copy(ctx context.Context, id, name string) (*Segment, error) {
	g, err := s.get(ctx, id)
	if err != nil {
		return nil, err
	}
	d := Definition{Name: name, Note: g.note, Folder: g.folder, Kind: g.kind, Rule: g.rule, from: g.name}
	if g.dynamic() {
		return s.Create(ctx, d)
	}
	set, err := s.seen(ctx, g)
	if err != nil {
		return nil, err
	}
	made, err := s.create(ctx, d, func(ctx context.Context, n *segment) error {
		return s.changeList(ctx, n, &entry{action: "added", detail: EventDetail{Name: g.name}}, set, nil)
	})
	if err != nil {
		return nil, err
	}
	return s.view(ctx, made)
}

// FromView makes a dynamic segment of a saved view of the contact list.
func (s *Service) FromView(ctx context.Context, view string, d Definition) (*Segment, error) {
	f, err := s.Contacts.ViewFilter(ctx, view)
	if err != nil {
		return nil, err
	}
	if d.Rule, err = ruleOf(f, s.zone(ctx)); err != nil {
		return nil, err
	}
	d.Kind = Dynamic
	return s.Create(ctx, d)
}

// Archive puts a segment away: its members stay as they are. One that is in use
// is put away only when that is meant.
func (s *Service) Archive(ctx context.Context, id string, anyway bool) (*Segment, error) {
	uses, err := s.Uses(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(uses) > 0 && !anyway {
		names := make([]string, 0, 5)
		for _, u := range uses[:min(len(uses), 5)] {
			names = append(names, u.Name)
		}
		return nil, errs.New(errs.Conflict, "audience.in_use", "count", len(uses), "names", strings.Join(names, ", "))
	}
	return s.putAway(ctx, id, true)
}

// Restore takes a segment out of the archive. A dynamic one is worked out anew.
func (s *Service) Restore(ctx context.Context, id string) (*Segment, error) {
	return s.putAway(ctx, id, false)
}

func (s *Service) putAway(ctx context.Context, id string, away bool) (*Segment, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		g, err := s.hold(ctx, id)
		if err != nil || (g.archived > 0) == away {
			return err
		}
		now := clock.Ms(s.Clock.Now())
		e := entry{segment: g.id, action: "archived", size: g.members}
		g.archived, g.changed = now, now
		if !away {
			g.archived, e.action = 0, "restored"
			if g.dynamic() {
				if err := s.checkRule(ctx, g.id, g.rule); err != nil {
					return err
				}
				g.state, g.fault = Working, ""
				e.came, e.went, e.size, e.version = -1, -1, -1, g.version
			}
		}
		if err := s.save(ctx, g); err != nil {
			return err
		}
		if err := s.put(ctx, &e); err != nil {
			return err
		}
		if err := s.record(ctx, "segment."+e.action, g, nil); err != nil {
			return err
		}
		return s.work(ctx, g)
	})
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, id)
}

// work sees to it that what a change asks for is worked out: by the engine, or
// by a job. It runs in the transaction of the change.
func (s *Service) work(ctx context.Context, g *segment) error {
	if !g.dynamic() {
		return nil
	}
	if s.live != nil {
		s.DB.After(ctx, func() { s.live.Changed(ownerName) })
		return nil
	}
	if g.archived > 0 || s.Jobs == nil {
		return nil
	}
	_, err := s.enqueueCompute(ctx, g)
	return err
}

func (s *Service) enqueueCompute(ctx context.Context, g *segment) (jobs.Job, error) {
	job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobCompute, Title: g.name, Unit: "segments", Params: computeParams{g.id}, Link: "/segments/" + g.id, Key: "segment:" + g.id})
	if err != nil {
		return job, err
	}
	if _, err := s.DB.Exec(ctx, "update segments set job = $2 where id = $1", g.id, job.ID); err != nil {
		return job, fmt.Errorf("keep segment's job: %w", err)
	}
	return job, nil
}

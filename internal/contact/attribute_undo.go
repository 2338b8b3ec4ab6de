package contact

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// jobAttributeUndo takes back what a run did, contact by contact.
const jobAttributeUndo = "attribute.undo"

// attributeUndoBatch is how many contacts one transaction of an undo brings back.
const attributeUndoBatch = 500

// UndoAttributeRun starts to take back a merge of attributes or a change of
// options: the definition at once, the values where nobody changed them since.
func (s *Service) UndoAttributeRun(ctx context.Context, id string) (AttributeRun, error) {
	err := s.changeDefinitions(ctx, func(ctx context.Context, defs *definitions) error {
		a, err := s.AttributeRun(ctx, id)
		if err != nil {
			return err
		}
		d := defs.get(a.Attribute)
		switch {
		case a.UndoneAt != nil || a.Undoing:
			return errs.New(errs.Conflict, "attribute.run_undone")
		case !a.State.Final():
			return errs.New(errs.Conflict, "attribute.run_unfinished")
		case a.UndoUntil == nil:
			return errs.New(errs.Conflict, "attribute.run_too_old", "days", int(attributeUndoFor.Hours()/24))
		case d == nil:
			return noAttribute(a.Attribute)
		case d.settling && a.State == jobs.Succeeded && a.undoJob == "": // another change of it goes on
			return errs.New(errs.Conflict, "attribute.settling")
		}
		if err := s.asBefore(ctx, defs, d, a.spec); err != nil {
			return err
		}
		job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobAttributeUndo, Title: a.Title, Unit: "contacts", Params: runParams{id}, Link: "/attributes?tab=changes", Key: "attribute.undo:" + id})
		if err != nil {
			return fmt.Errorf("start undo: %w", err)
		}
		if _, err := s.DB.Exec(ctx, "update contact_attribute_runs set undo_job = $1 where id = $2", job.ID, id); err != nil {
			return fmt.Errorf("start undo: %w", err)
		}
		return s.recordRunOf(ctx, "attribute.run_undoing", d.Attribute, id)
	})
	if err != nil {
		return AttributeRun{}, fmt.Errorf("undo change of attribute: %w", err)
	}
	return s.AttributeRun(ctx, id)
}

// asBefore brings the definition back: options that went stand in their old
// places, an attribute that was archived is in use. Values follow.
func (s *Service) asBefore(ctx context.Context, defs *definitions, d *definition, spec attributeSpec) error {
	now := &definition{Attribute: d.Attribute, settling: true, archived: d.archived}
	def := d.Definition
	if spec.Op == opMerge {
		now.archived = spec.WasArchived
		if roomFor(defs, &attribute.Attribute{Definition: def}) != nil {
			def.Indexed, def.Unique = false, false
		}
	} else {
		def.Options = slices.Clone(def.Options)
		for i, o := range spec.Before.Options {
			if slices.ContainsFunc(def.Options, func(x attribute.Option) bool { return x.ID == o.ID }) {
				continue
			}
			label := o.Label
			for n := 2; slices.ContainsFunc(def.Options, func(x attribute.Option) bool { return attribute.Fold(x.Label) == attribute.Fold(o.Label) }); n++ {
				o.Label = fmt.Sprintf("%s (%d)", label, n)
			}
			def.Options = slices.Insert(def.Options, min(i, len(def.Options)), o)
		}
	}
	a, f := attribute.Compile(def, s.engine.readers())
	if f != nil {
		return invalid(f)
	}
	now.Attribute = a
	return s.saveDefinition(ctx, now)
}

type undoPlace struct {
	After          int64 `json:"after"`
	Seen           int64 `json:"seen"`
	Restored, Kept int64
}

// runAttributeUndo is the handler of jobAttributeUndo.
func (s *Service) runAttributeUndo(ctx context.Context, run jobs.Run) error {
	var p runParams
	if err := run.Params(&p); err != nil {
		return err
	}
	a, err := s.storedAttributeRun(ctx, p.Run)
	if err != nil {
		return err
	}
	var m undoPlace
	if _, err := run.LastCheckpoint(&m); err != nil {
		return err
	}
	var left int64
	if err := s.DB.QueryRow(ctx, "select count(distinct contact) from contact_attribute_history where run = $1 and run <> ''", p.Run).Scan(&left); err != nil {
		return fmt.Errorf("count what to undo: %w", err)
	}
	total := m.Seen + left
	for {
		run.Progress(m.Seen, total)
		if err := ctx.Err(); err != nil {
			return err
		}
		next := m
		var end bool
		err := s.DB.Tx(ctx, func(ctx context.Context) error {
			next = m
			var err error
			if end, err = s.undoValues(ctx, a, &next); err != nil || end {
				return err
			}
			_, err = s.DB.Exec(ctx, "update contact_attribute_runs set restored = restored + $2, kept = kept + $3 where id = $1", a.ID, next.Restored-m.Restored, next.Kept-m.Kept)
			if err != nil {
				return fmt.Errorf("count undo: %w", err)
			}
			return run.Checkpoint(ctx, next)
		})
		if err != nil {
			return fmt.Errorf("undo change of attribute %s: %w", a.Attribute, err)
		}
		m = next
		if end {
			break
		}
	}
	if err := s.undone(ctx, a); err != nil {
		return err
	}
	return run.Result(map[string]any{"restored": m.Restored, "kept": m.Kept})
}

// undone closes the undo. Values that never moved are indexed anew when the
// attribute was archived meanwhile.
func (s *Service) undone(ctx context.Context, a AttributeRun) error {
	return s.changeDefinitions(ctx, func(ctx context.Context, defs *definitions) error {
		d := defs.get(a.Attribute)
		if d == nil {
			return nil
		}
		d.settling = false
		if a.Kind == opMerge && d.indexed() {
			d.settling = true
			if err := s.startRewrite(ctx, d.Attribute, rewriteParams{Key: d.Key, Op: opSettle}); err != nil {
				return err
			}
		}
		if err := s.saveDefinition(ctx, d); err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update contact_attribute_runs set undone_at = $2 where id = $1", a.ID, s.Clock.Now().UnixMilli()); err != nil {
			return fmt.Errorf("end undo: %w", err)
		}
		return s.recordRunOf(ctx, "attribute.run_undone", d.Attribute, a.ID)
	})
}

// wrote is what a run wrote to a contact.
type wrote struct {
	num      int64 // whose it is today
	attr     string
	old, new json.RawMessage
	at, was  int64
}

// undoValues brings back the values of the next contacts; true when nobody is left.
func (s *Service) undoValues(ctx context.Context, a AttributeRun, m *undoPlace) (end bool, err error) {
	if err := lock(ctx, s.DB); err != nil {
		return false, err
	}
	rows, err := s.DB.Query(ctx, "select distinct contact from contact_attribute_history where run = $1 and run <> '' and contact > $2 order by contact limit $3", a.ID, m.After, attributeUndoBatch)
	nums, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
	if err != nil {
		return false, fmt.Errorf("find what to undo: %w", err)
	}
	if len(nums) == 0 {
		return true, nil
	}
	m.After, m.Seen = nums[len(nums)-1], m.Seen+int64(len(nums))
	changes, err := s.writtenBy(ctx, a.ID, nums)
	if err != nil {
		return false, err
	}
	// gone from the book, so that an undo that was stopped counts each value once
	err = selectIn(ctx, s.DB, "note what is undone", "update contact_attribute_history set run = '' where run = $1 and contact in (%s) returning contact", []any{a.ID}, nums, func(*sql.Rows) error { return nil })
	if err != nil {
		return false, err
	}
	return false, s.bringBack(ctx, changes, m)
}

// writtenBy reads what a run wrote to contacts, by those whose it is today.
func (s *Service) writtenBy(ctx context.Context, run string, nums []int64) (map[int64][]wrote, error) {
	moved, err := s.Survivors(ctx, nums)
	if err != nil {
		return nil, err
	}
	out := map[int64][]wrote{}
	err = selectIn(ctx, s.DB, "read what to undo", "select contact, attr, old, new, at, was_at from contact_attribute_history where run = $1 and contact in (%s) order by contact, attr, nth", []any{run}, nums, func(r *sql.Rows) error {
		var w wrote
		var old, now string
		if err := r.Scan(&w.num, &w.attr, &old, &now, &w.at, &w.was); err != nil {
			return err
		}
		if old != "" {
			w.old = json.RawMessage(old)
		}
		if now != "" {
			w.new = json.RawMessage(now)
		}
		if into, ok := moved[w.num]; ok {
			w.num = into
		}
		out[w.num] = append(out[w.num], w)
		return nil
	})
	return out, err
}

// bringBack writes old values where the run's still stand.
func (s *Service) bringBack(ctx context.Context, changes map[int64][]wrote, m *undoPlace) error {
	e := s.engine
	defs, err := e.definitions(ctx)
	if err != nil {
		return err
	}
	nums := sortedKeys(changes)
	w := newWorld(len(nums))
	w.defs = defs
	if err := e.loadStates(ctx, w, nums); err != nil {
		return err
	}
	by := originOf(ctx)
	var changed []*state
	err = selectIn(ctx, s.DB, "load attributes", "select num, name, gender, birthday, city, avatar, attributes, written from contacts where num in (%s) and shown <> 0", nil, nums, func(r *sql.Rows) error {
		var num int64
		rec := &record{}
		if err := scanRecord(r, &num, rec); err != nil {
			return err
		}
		st := w.states[num]
		if st == nil || st.rec != nil {
			return nil
		}
		st.rec = rec
		for _, c := range changes[num] {
			back, err := e.restore(defs, rec, c, by)
			if err != nil {
				return err
			}
			if back {
				m.Restored++
			} else {
				m.Kept++
			}
		}
		if len(rec.edits) > 0 {
			changed = append(changed, st)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e.writeRewritten(ctx, defs, changed, nums)
}

// restore puts one value back, unless another word was said since.
func (e *engine) restore(defs *definitions, rec *record, c wrote, by origin) (bool, error) {
	is, err := e.openAttribute(c.attr, rec.attributes[c.attr])
	if err != nil {
		return false, fmt.Errorf("open attribute %s: %w", c.attr, err)
	}
	wrote, err := e.openAttribute(c.attr, c.new)
	if err != nil {
		return false, fmt.Errorf("open attribute %s: %w", c.attr, err)
	}
	if rec.written[c.attr] != c.at || !bytes.Equal(is, wrote) {
		return false, nil
	}
	v, err := e.openAttribute(c.attr, c.old)
	if err != nil {
		return false, fmt.Errorf("open attribute %s: %w", c.attr, err)
	}
	if v != nil && defs.sealed(c.attr, v) {
		if v, err = e.sealAttribute(c.attr, v); err != nil {
			return false, fmt.Errorf("seal attribute %s: %w", c.attr, err)
		}
	}
	rec.set(change{c.attr, v}, c.was, by)
	if c.was == 0 {
		delete(rec.written, c.attr)
	}
	return true, nil
}

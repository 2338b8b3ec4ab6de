package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/koipond/koipond/internal/platform/db"
)

// edit is one attribute of a record that changed, since the record was loaded.
type edit struct {
	key      string
	old, new json.RawMessage // nil: none
	at       int64           // when the new value was true
	was      int64           // since when the old one was; 0: not said
	by       origin
}

// historyMost is how many changes of an attribute are kept for a contact.
const historyMost = 50

var valueColumns = columns("attr str num:n shown:n contact:n")

// writeAttributes writes index, history and violations of what a stretch did to
// attributes, behind the contacts themselves.
func (e *engine) writeAttributes(ctx context.Context, w *world) error {
	var changed, dead []*state
	seen := map[*state]bool{}
	for _, o := range w.ops {
		for _, st := range []*state{o.st, o.from} {
			if st == nil || seen[st] {
				continue
			}
			seen[st] = true
			if st.rec != nil && len(st.rec.edits) > 0 {
				changed = append(changed, st)
			}
			if st.into != nil && !st.fresh {
				dead = append(dead, st)
			}
		}
	}
	if err := e.writeViolations(ctx, w); err != nil {
		return err
	}
	if err := e.unindex(ctx, w.defs, dead); err != nil {
		return err
	}
	if err := e.index(ctx, w.defs, changed); err != nil {
		return err
	}
	return e.writeHistory(ctx, w.defs, changed)
}

func (e *engine) unindex(ctx context.Context, defs *definitions, dead []*state) error {
	if !defs.indexed || len(dead) == 0 {
		return nil
	}
	nums := make([]int64, len(dead))
	for i, st := range dead {
		nums[i] = st.num
	}
	return dropValues(ctx, e.db, nums)
}

func dropValues(ctx context.Context, d *db.DB, nums []int64) error {
	return selectIn(ctx, d, "clear attribute values", "delete from contact_attribute_values where contact in (%s) returning contact", nil, nums, func(*sql.Rows) error { return nil })
}

// index follows the changes of the living.
func (e *engine) index(ctx context.Context, defs *definitions, changed []*state) error {
	if !defs.indexed {
		return nil
	}
	old := map[string][]int64{} // by attribute: contacts that may have rows
	var rows [][]any
	for _, st := range changed {
		if st.into != nil {
			continue
		}
		done := map[string]bool{}
		for _, ed := range st.rec.edits {
			def := defs.get(ed.key)
			if def == nil || !def.indexed() || done[ed.key] {
				continue
			}
			done[ed.key] = true
			if !st.fresh && ed.old != nil {
				old[ed.key] = append(old[ed.key], st.num)
			}
			keys, err := e.keysOf(def, st.rec.attributes[ed.key])
			if err != nil {
				return err
			}
			for _, k := range keys {
				rows = append(rows, []any{ed.key, k.Str, k.Num, st.shown(), st.num})
			}
		}
	}
	for _, attr := range sortedKeys(old) {
		err := selectIn(ctx, e.db, "clear attribute values", "delete from contact_attribute_values where attr = $1 and contact in (%s) returning contact", []any{attr}, old[attr], func(*sql.Rows) error { return nil })
		if err != nil {
			return err
		}
	}
	return insertMany(ctx, e.db, "contact_attribute_values", valueColumns, len(rows), func(i int) []any { return rows[i] },
		"on conflict (attr, str, num, contact) do nothing")
}

// reindex writes the index rows of contacts anew from their records: for those
// who change records past the engine, and when an attribute becomes indexed.
func (e *engine) reindex(ctx context.Context, nums []int64) error {
	defs, err := e.definitions(ctx)
	if err != nil || !defs.indexed {
		return err
	}
	return e.reindexAs(ctx, defs, nums)
}

func (e *engine) reindexAs(ctx context.Context, defs *definitions, nums []int64) error {
	if err := dropValues(ctx, e.db, nums); err != nil {
		return err
	}
	var rows [][]any
	err := selectIn(ctx, e.db, "read attributes", "select num, shown, attributes from contacts where num in (%s) and shown <> 0 and attributes <> ''", nil, nums, func(r *sql.Rows) error {
		var num, shown int64
		var encoded string
		if err := r.Scan(&num, &shown, &encoded); err != nil {
			return err
		}
		m, err := decodeMap[json.RawMessage](encoded)
		if err != nil {
			return err
		}
		for _, key := range sortedKeys(m) {
			def := defs.get(key)
			if def == nil || !def.indexed() {
				continue
			}
			keys, err := e.keysOf(def, m[key])
			if err != nil {
				return err
			}
			for _, k := range keys {
				rows = append(rows, []any{key, k.Str, k.Num, shown, num})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return insertMany(ctx, e.db, "contact_attribute_values", valueColumns, len(rows), func(i int) []any { return rows[i] },
		"on conflict (attr, str, num, contact) do nothing")
}

// reshownValues follows contacts that went to the other list.
func reshownValues(ctx context.Context, d *db.DB, nums []int64) error {
	return selectIn(ctx, d, "move attribute values to the other list", `update contact_attribute_values set shown = (select c.shown from contacts c where c.num = contact_attribute_values.contact)
		where contact in (%s) returning contact`, nil, nums, func(*sql.Rows) error { return nil })
}

// told are the built-in attributes whose changes are kept. Their first value is
// kept only when a person gave it: else every import would be written twice.
var told = map[string]bool{attrName: true, attrGender: true, attrBirthday: true, attrCity: true}

type place struct {
	contact int64
	attr    string
}

// writeHistory keeps who said what of an attribute, the last historyMost times.
// What a merge took over is not said again: the other contact's history has it.
func (e *engine) writeHistory(ctx context.Context, defs *definitions, changed []*state) error {
	type row struct {
		place
		edit
		nth     int64
		written int64
	}
	var rows []*row
	var stored []int64
	now := e.clock.Now().UnixMilli()
	for _, st := range changed {
		n := len(rows)
		for _, ed := range st.rec.edits {
			if ed.by.kind == byMerge {
				continue
			}
			if told[ed.key] {
				if ed.old == nil && ed.by.kind != byUser {
					continue
				}
			} else if defs.get(ed.key) == nil {
				continue
			}
			rows = append(rows, &row{place: place{st.num, ed.key}, edit: ed, written: now})
		}
		if len(rows) > n && !st.fresh {
			stored = append(stored, st.num)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	last := map[place]int64{}
	slices.Sort(stored)
	err := selectIn(ctx, e.db, "count history", "select contact, attr, max(nth) from contact_attribute_history where contact in (%s) group by contact, attr", nil, slices.Compact(stored), func(r *sql.Rows) error {
		var p place
		var n int64
		err := r.Scan(&p.contact, &p.attr, &n)
		last[p] = n
		return err
	})
	if err != nil {
		return err
	}
	full := map[place]int64{}
	for _, r := range rows {
		last[r.place]++
		if r.nth = last[r.place]; r.nth > historyMost {
			full[r.place] = r.nth - historyMost
		}
	}
	err = insertMany(ctx, e.db, "contact_attribute_history", columns("contact:n attr nth:n old new at:n written_at:n source by_id by_name run was_at:n"), len(rows), func(i int) []any {
		r := rows[i]
		return []any{r.contact, r.attr, r.nth, string(r.old), string(r.new), r.at, r.written, r.by.kind, r.by.id, clip(r.by.name, 100), r.by.run, r.was}
	}, "")
	if err != nil {
		return err
	}
	for p, upTo := range full {
		if _, err := e.db.Exec(ctx, "delete from contact_attribute_history where contact = $1 and attr = $2 and nth <= $3", p.contact, p.attr, upTo); err != nil {
			return err
		}
	}
	return nil
}

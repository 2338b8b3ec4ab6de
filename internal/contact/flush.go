package contact

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
)

// A last-seen time of an identity is written when it moved by a day: close
// enough for people, and no write for each fact.
const seenStep = 24 * 60 * 60 * 1000

// flush writes what the world did. Order matters: new contacts before what
// names them, the dead before what the survivors take over.
func (e *engine) flush(ctx context.Context, w *world, inputs []input) error {
	if err := e.records(ctx, w); err != nil {
		return err
	}
	moved, err := e.movedBy(ctx, w) // before the identities move
	if err != nil {
		return err
	}
	if err := e.insertFresh(ctx, w); err != nil {
		return err
	}
	if err := e.insertIdentities(ctx, w); err != nil {
		return err
	}
	if err := e.writeMerges(ctx, w, moved); err != nil {
		return err
	}
	if err := e.updateStates(ctx, w); err != nil {
		return err
	}
	if err := e.updateRecords(ctx, w); err != nil {
		return err
	}
	if err := e.updateOwn(ctx, w); err != nil {
		return err
	}
	if err := e.writeAttributes(ctx, w); err != nil {
		return err
	}
	if err := e.touchIdentities(ctx, w); err != nil {
		return err
	}
	if err := e.writeConflicts(ctx, w); err != nil {
		return err
	}
	return e.writeRefusals(ctx, inputs)
}

// shownOf says in which list contacts of a kind stand.
func shownOf(kind event.Kind) int64 {
	if kind == event.Person {
		return 1
	}
	return 2
}

func (s *state) shown() int64 {
	if s.into != nil {
		return 0
	}
	return shownOf(s.kind)
}

var freshColumns = columns(`num:n id kind shown:n name name_key name_pinyin name_initials avatar gender birthday city attributes written
	channel first_source first_medium first_campaign first_at:n last_channel last_source last_medium last_campaign last_at:n
	kinds:n created_at:n created_source import_id updated_at:n merged_into:n own`)

func (e *engine) insertFresh(ctx context.Context, w *world) error {
	if len(w.fresh) == 0 {
		return nil
	}
	num, err := e.db.Reserve(ctx, "contacts", int64(len(w.fresh)))
	if err != nil {
		return err
	}
	for i, st := range w.fresh {
		st.num = num + int64(i)
		st.id = e.ids.New("ct")
	}
	var encodeErr error
	err = insertMany(ctx, e.db, "contacts", freshColumns, len(w.fresh), func(i int) []any {
		st := w.fresh[i]
		rec := st.rec
		if rec == nil {
			rec = &record{}
		}
		attrs, written, err := encodeRecord(rec)
		if err != nil {
			encodeErr = err
		}
		f, t, l := formsOf(rec.name), st.first, st.last
		into := int64(0)
		if st.into != nil {
			into = st.into.num
		}
		own, err := encodeOwn(st.own)
		if err != nil {
			encodeErr = err
		}
		return []any{st.num, st.id, string(st.kind), st.shown(), rec.name, f.key, f.pinyin, f.initials, rec.avatar, rec.gender, rec.birthday, rec.city, attrs, written,
			t.Channel, t.Source, t.Medium, t.Campaign, t.At, l.Channel, l.Source, l.Medium, l.Campaign, l.At,
			int64(st.kinds), st.createdAt, st.source, st.importID, st.madeAt, into, own}
	}, "")
	if encodeErr != nil {
		return encodeErr
	}
	return err
}

func encodeRecord(rec *record) (attrs, written string, err error) {
	if attrs, err = encodeMap(rec.attributes); err != nil {
		return "", "", err
	}
	written, err = encodeMap(rec.written)
	return attrs, written, err
}

var identityColumns = columns("kind lookup value_enc contact:n home:n first_seen:n last_seen:n source import_id")

func (e *engine) insertIdentities(ctx context.Context, w *world) error {
	var sealErr error
	err := insertMany(ctx, e.db, "identities", identityColumns, len(w.attached), func(n int) []any {
		i := w.attached[n]
		value := ""
		if keptSealed(i.key.kind, i.value) {
			var err error
			if value, err = e.keys.Seal(field(i.key.kind), i.value); err != nil {
				sealErr = fmt.Errorf("seal %s: %w", i.key.kind, err)
			}
		}
		return []any{i.key.kind, i.key.lookup, value, i.holder().num, i.home.number(), i.first, i.seen, i.source, i.importID}
	}, "")
	if sealErr != nil {
		return sealErr
	}
	return err
}

var stateColumns = columns(`num:n kind shown:n kinds:n created_at:n channel first_source first_medium first_campaign first_at:n updated_at:n`)

// updateStates writes the survivors and other stored contacts that changed.
func (e *engine) updateStates(ctx context.Context, w *world) error {
	var changed []*state
	var nums []int64
	for _, st := range w.states {
		if st != nil && !st.fresh && st.snapshot != st.was { // the dead too: they may come back
			changed = append(changed, st)
			nums = append(nums, st.num)
		}
	}
	slices.SortFunc(changed, func(a, b *state) int { return int(a.num - b.num) })
	e.cache.forget(nums)
	now := e.clock.Now().UnixMilli()
	err := updateMany(ctx, e.db, "contacts",
		`kind = {kind}, shown = {shown}, kinds = {kinds}, created_at = {created_at}, channel = {channel}, first_source = {first_source},
		first_medium = {first_medium}, first_campaign = {first_campaign}, first_at = {first_at}, updated_at = {updated_at}`,
		"contacts.num = {num}", stateColumns, len(changed), func(i int) []any {
			st := changed[i]
			t := st.first
			return []any{st.num, string(st.kind), st.shown(), int64(st.kinds), st.createdAt, t.Channel, t.Source, t.Medium, t.Campaign, t.At, now}
		})
	if err != nil {
		return err
	}
	nums = nums[:0]
	for _, st := range changed {
		if st.kind != st.was.kind {
			nums = append(nums, st.num)
		}
	}
	return e.reshown(ctx, nums)
}

// reshownTags follows contacts whose kind changed.
func reshownTags(ctx context.Context, d *db.DB, nums []int64) error {
	return selectIn(ctx, d, "move tags to the other list", `update contact_tags set shown = (select c.shown from contacts c where c.num = contact_tags.contact)
		where contact in (%s) returning contact`, nil, nums, func(*sql.Rows) error { return nil })
}

var recordColumns = columns("num:n name name_key name_pinyin name_initials avatar gender birthday city attributes written updated_at:n")

func (e *engine) updateRecords(ctx context.Context, w *world) error {
	var changed []*state
	for _, o := range w.ops {
		if st := o.st; st.recDirty && !st.fresh {
			st.recDirty = false // once
			changed = append(changed, st)
		}
	}
	return e.writeRecords(ctx, changed)
}

func (e *engine) writeRecords(ctx context.Context, changed []*state) error {
	now := e.clock.Now().UnixMilli()
	var encodeErr error
	err := updateMany(ctx, e.db, "contacts",
		`name = {name}, name_key = {name_key}, name_pinyin = {name_pinyin}, name_initials = {name_initials}, avatar = {avatar}, gender = {gender},
		birthday = {birthday}, city = {city}, attributes = {attributes}, written = {written}, updated_at = {updated_at}`,
		"contacts.num = {num}", recordColumns, len(changed), func(i int) []any {
			rec := changed[i].rec
			attrs, written, err := encodeRecord(rec)
			if err != nil {
				encodeErr = err
			}
			f := formsOf(rec.name)
			return []any{changed[i].num, rec.name, f.key, f.pinyin, f.initials, rec.avatar, rec.gender, rec.birthday, rec.city, attrs, written, now}
		})
	if encodeErr != nil {
		return encodeErr
	}
	return err
}

// touchIdentities moves last-seen times that fell behind by a day or more.
func (e *engine) touchIdentities(ctx context.Context, w *world) error {
	var late []*ident
	for _, i := range w.idents {
		if !i.stored {
			continue
		}
		if i.seen-i.wasSeen < seenStep {
			i.seen = i.wasSeen // what the cache may know is what is stored
			continue
		}
		late = append(late, i)
	}
	return updateMany(ctx, e.db, "identities", "last_seen = {seen}", "identities.kind = {kind} and identities.lookup = {lookup}",
		columns("kind lookup seen:n"), len(late), func(n int) []any {
			return []any{late[n].key.kind, late[n].key.lookup, late[n].seen}
		})
}

// writeConflicts records who could not become one, once per identity and contact.
// A replay counts nothing twice.
func (e *engine) writeConflicts(ctx context.Context, w *world) error {
	type key struct {
		id idKey
		to int64
	}
	type row struct {
		conflict
		count       int
		first, last int64
	}
	rows := map[key]*row{}
	var order []*row
	for _, c := range w.conflicts {
		if c.again {
			continue
		}
		if c.reason == conflictLimit && c.holder == nil && traitOf(c.key.kind).weak {
			c.key.lookup, c.value = "", "" // a program makes up thousands: one row for all
		}
		k := key{c.key, c.to.root().num}
		r := rows[k]
		if r == nil {
			r = &row{conflict: c, first: c.ts}
			rows[k] = r
			order = append(order, r)
		}
		r.count++
		r.first, r.last = min(r.first, c.ts), max(r.last, c.ts)
		r.seq, r.idx = c.seq, c.idx
	}
	var sealErr error
	err := insertMany(ctx, e.db, "identity_conflicts", columns("kind lookup contact:n holder:n reason count:n first_at:n last_at:n seq:n idx:n value_enc"), len(order), func(i int) []any {
		r := order[i]
		holder := int64(0)
		if r.holder != nil {
			holder = r.holder.root().num
		}
		sealed := ""
		if holder == 0 && r.value != "" && keptSealed(r.key.kind, r.value) { // else the holder has it
			var err error
			if sealed, err = e.keys.Seal(field(r.key.kind), r.value); err != nil {
				sealErr = fmt.Errorf("seal %s: %w", r.key.kind, err)
			}
		}
		return []any{r.key.kind, r.key.lookup, r.to.root().num, holder, r.reason, r.count, r.first, r.last, int64(r.seq), int64(r.idx), sealed}
	}, `on conflict (kind, lookup, contact) do update set count = identity_conflicts.count + excluded.count,
		holder = excluded.holder, reason = excluded.reason, seq = excluded.seq, idx = excluded.idx, value_enc = excluded.value_enc,
		last_at = case when excluded.last_at > identity_conflicts.last_at then excluded.last_at else identity_conflicts.last_at end`)
	return cmp.Or(sealErr, err)
}

// blockedWord is the one form under which a blocked value is counted: there are
// only so many, however they are written.
func blockedWord(v string) string {
	v = strings.ToLower(strings.TrimSpace(toASCII(v)))
	if !blocked[v] {
		return "0" // zeros and dashes
	}
	return v
}

// writeRefusals counts values that identify nobody, so that a person can see what a source sends wrongly.
func (e *engine) writeRefusals(ctx context.Context, inputs []input) error {
	type row struct {
		refusal
		count       int
		first, last int64
	}
	rows := map[refusal]*row{}
	var order []*row
	for i := range inputs {
		if inputs[i].replay { // counted the first time
			continue
		}
		for _, r := range inputs[i].refused {
			key := refusal{kind: r.kind, reason: r.reason, value: r.by}
			if r.reason == refusedBlocked {
				key.value = blockedWord(r.value)
			}
			x := rows[key]
			if x == nil {
				x = &row{refusal: key, first: inputs[i].ts}
				rows[key] = x
				order = append(order, x)
			}
			x.count++
			x.first, x.last = min(x.first, inputs[i].ts), max(x.last, inputs[i].ts)
		}
	}
	return insertMany(ctx, e.db, "identity_refusals", columns("kind value reason count:n first_at:n last_at:n"), len(order), func(i int) []any {
		r := order[i]
		return []any{r.kind, r.value, r.reason, r.count, r.first, r.last}
	}, `on conflict (kind, value, reason) do update set count = identity_refusals.count + excluded.count,
		last_at = case when excluded.last_at > identity_refusals.last_at then excluded.last_at else identity_refusals.last_at end`)
}

package contact

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
)

// Keyring seals personal values and makes blind indices (package secret implements it).
type Keyring interface {
	Seal(field, plain string) (string, error)
	Open(field, sealed string) (string, error)
	// OpenOrClear is Open for columns that were once kept in clear.
	OpenOrClear(field, text string) (string, error)
	// Index is a keyed hash by which equal values are found.
	Index(field, normalised string) string
}

// MergeHook moves what another package keeps by contact number. It runs inside
// the transaction of the merges; an error undoes them.
type MergeHook func(ctx context.Context, merges []Merge) error

// Merge says that From is now part of Into. From's facts, orders and so on are Into's.
type Merge struct {
	ID         string
	From, Into int64
	FromID     string
	IntoID     string
	Reason     string
	ByHand     bool // a person said so
}

// engine turns inputs into contacts and writes what that changes. One stretch
// at a time: see lock.
type engine struct {
	db       *db.DB
	clock    clock.Clock
	ids      *id.Source
	keys     Keyring
	emit     event.Emitter
	country  string
	lookups  *lookups
	cache    *cache // of the Resolver; nil elsewhere
	defs     *definitionCache
	ruled    *ruleCache
	kinds    *[]KindHook
	hooks    *hooks
	channels *channelBook
}

// hooks let other packages follow merges and splits.
type hooks struct {
	merge []MergeHook
	split []SplitHook
}

// lock makes the caller the only one who changes contacts until the
// transaction ends. SQLite has one writer anyway; on PostgreSQL two writers that
// take rows in different order would stop each other.
func lock(ctx context.Context, d *db.DB) error {
	if d.Dialect() != db.Postgres {
		return nil
	}
	// A plan kept from when a table was small would read all of it, thousands of
	// times, while it is being filled: plan each statement for what there is now.
	if _, err := d.Exec(ctx, "select pg_advisory_xact_lock(7304220), set_config('plan_cache_mode', 'force_custom_plan', true)"); err != nil {
		return fmt.Errorf("lock contacts: %w", err)
	}
	return nil
}

// moved tells the Resolver, on whatever node, to forget what it cached: call it
// when anything else changes a contact's identities, kind, creation or first touch.
func (e *engine) moved(ctx context.Context) error {
	_, err := e.db.Exec(ctx, `insert into contact_cursor (name, seq, idx, epoch) values ('identities', 0, 0, 1)
		on conflict (name) do update set epoch = contact_cursor.epoch + 1`)
	if err != nil {
		return fmt.Errorf("move epoch: %w", err)
	}
	return nil
}

// load finds who holds the identities of the world, and loads the contacts concerned.
func (e *engine) load(ctx context.Context, w *world, given []int64) error {
	ask := map[string][]string{}
	held := map[int64][]*ident{}
	note := func(i *ident, h heldBy) {
		i.stored, i.seen, i.wasSeen = true, h.lastSeen, h.lastSeen
		i.home = home{num: h.home}
		held[h.contact] = append(held[h.contact], i)
	}
	e.cache.each(w.idents, note)
	for key, i := range w.idents {
		if i.stored {
			continue
		}
		ask[key.kind] = append(ask[key.kind], key.lookup)
	}
	for kind, lookups := range ask {
		err := selectIn(ctx, e.db, "find identities", "select lookup, contact, home, last_seen from identities where kind = $1 and lookup in (%s)", []any{kind}, lookups, func(r *sql.Rows) error {
			var h heldBy
			var lookup string
			if err := r.Scan(&lookup, &h.contact, &h.home, &h.lastSeen); err != nil {
				return err
			}
			h.home = cmp.Or(h.home, h.contact)
			if i := w.idents[idKey{kind, lookup}]; !i.stored {
				note(i, h)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	need := make([]int64, 0, len(held)+len(given))
	for n := range held {
		need = append(need, n)
	}
	if err := e.loadStates(ctx, w, append(need, given...)); err != nil {
		return err
	}
	for num, is := range held {
		st := w.states[num]
		if st == nil {
			return fmt.Errorf("identity %s is held by contact %d, which is not there", is[0].key.kind, num)
		}
		for _, i := range is {
			i.held = st
		}
	}
	return e.loadApart(ctx, w)
}

// loadApart loads which of the contacts concerned must not become one. Most
// batches have none of whom that was said.
func (e *engine) loadApart(ctx context.Context, w *world) error {
	var nums []int64
	for n, st := range w.states {
		if st != nil && st.kinds&apartBit != 0 {
			nums = append(nums, n)
		}
	}
	if len(nums) < 2 {
		return nil
	}
	return selectIn(ctx, e.db, "load who is kept apart", "select contact, other from contact_apart where contact in (%s)", nil, nums, func(r *sql.Rows) error {
		var p [2]int64
		err := r.Scan(&p[0], &p[1])
		w.apart = append(w.apart, p)
		return err
	})
}

// loadStates loads contacts by number, following merges made earlier.
func (e *engine) loadStates(ctx context.Context, w *world, nums []int64) error {
	var miss []int64
	for _, n := range nums {
		if _, ok := w.states[n]; ok {
			continue
		}
		if s, ok := e.cache.contact(n); ok {
			w.states[n] = &state{snapshot: s, was: s}
			continue
		}
		w.states[n] = nil
		miss = append(miss, n)
	}
	into := map[int64]int64{}
	err := selectIn(ctx, e.db, "load contacts", `select num, id, kind, kinds, created_at, channel, first_source, first_medium, first_campaign, first_at, merged_into
		from contacts where num in (%s)`, nil, miss, func(r *sql.Rows) error {
		var s snapshot
		var merged int64
		if err := r.Scan(&s.num, &s.id, &s.kind, &s.kinds, &s.createdAt, &s.first.Channel, &s.first.Source, &s.first.Medium, &s.first.Campaign, &s.first.At, &merged); err != nil {
			return err
		}
		w.states[s.num] = &state{snapshot: s, was: s}
		if merged != 0 {
			into[s.num] = merged
		}
		return nil
	})
	if err != nil || len(into) == 0 {
		return err
	}
	next := make([]int64, 0, len(into))
	for _, m := range into {
		next = append(next, m)
	}
	if err := e.loadStates(ctx, w, next); err != nil {
		return err
	}
	for n, m := range into {
		w.states[n].into = w.states[m]
	}
	return nil
}

// records loads the attributes of every contact that the steps touch and
// replays the steps on them.
func (e *engine) records(ctx context.Context, w *world) error {
	if w.defs == nil {
		defs, err := e.definitions(ctx)
		if err != nil {
			return err
		}
		w.defs = defs
	}
	e.giveDefaults(w)
	if len(w.ops) == 0 {
		return nil
	}
	var need []int64
	byNum := map[int64]*state{}
	want := func(st *state) {
		if st == nil || st.rec != nil {
			return
		}
		st.rec = &record{}
		if !st.fresh {
			need = append(need, st.num)
			byNum[st.num] = st
		}
	}
	for _, o := range w.ops {
		want(o.st)
		want(o.from)
	}
	err := selectIn(ctx, e.db, "load attributes", "select num, name, gender, birthday, city, avatar, attributes, written, owner_id, own from contacts where num in (%s)", nil, need, func(r *sql.Rows) error {
		var num int64
		var rec record
		var owner, own string
		if err := scanRecord(r, &num, &rec, &owner, &own); err != nil {
			return err
		}
		st := byNum[num]
		*st.rec, st.ownerID = rec, owner
		return st.setOwn(own)
	})
	if err != nil {
		return err
	}
	if err := e.loadSums(ctx, w); err != nil {
		return err
	}
	err = e.claims(ctx, w, func(yield func([]change)) {
		for _, o := range w.ops {
			if o.in != nil {
				yield(o.in.changes())
			}
		}
	})
	if err != nil {
		return err
	}
	for _, o := range w.ops {
		if o.from != nil {
			if err := w.takeIn(o); err != nil {
				return err
			}
			continue
		}
		if ch := o.in.changes(); len(ch) > 0 {
			admit := func(c change) (change, bool, error) { return e.admit(w, o.st, o.in, c) }
			if err := o.st.rec.apply(ch, o.in.said, o.in.replay, o.in.by, admit); err != nil {
				return err
			}
			o.st.recDirty = true
		}
	}
	return nil
}

// giveDefaults gives people who are new what definitions say of everybody. Any
// word that was said of them wins: it is written as of the beginning of time.
func (e *engine) giveDefaults(w *world) {
	if len(w.defs.defaults) == 0 {
		return
	}
	given := func() []change { return w.defs.defaults }
	for _, st := range w.fresh {
		if st.into == nil && st.kind == event.Person {
			w.ops = append(w.ops, op{in: &input{changes: given, by: origin{kind: byDefault}}, st: st})
		}
	}
	for _, st := range w.states {
		if st != nil && st.into == nil && !st.fresh && st.kind == event.Person && st.was.kind == event.Visitor {
			w.ops = append(w.ops, op{in: &input{changes: given, by: origin{kind: byDefault}}, st: st})
		}
	}
}

func scanRecord(r *sql.Rows, num *int64, rec *record, more ...any) error {
	var attrs, written string
	if err := r.Scan(append([]any{num, &rec.name, &rec.gender, &rec.birthday, &rec.city, &rec.avatar, &attrs, &written}, more...)...); err != nil {
		return err
	}
	var err error
	if rec.attributes, err = decodeMap[json.RawMessage](attrs); err != nil {
		return err
	}
	rec.written, err = decodeMap[int64](written)
	return err
}

// field names a kind of personal value to the keyring.
func field(name string) string { return "contact." + name }

// sealedText is how a personal attribute is kept inside the attributes' JSON.
type sealedText struct {
	Sealed string `json:"$sealed"`
}

func (e *engine) sealAttribute(key string, v json.RawMessage) (json.RawMessage, error) {
	s, err := e.keys.Seal(field("attribute."+key), string(v))
	if err != nil {
		return nil, err
	}
	return json.Marshal(sealedText{s})
}

func (e *engine) openAttribute(key string, v json.RawMessage) (json.RawMessage, error) {
	var s sealedText
	if !isSealed(v) { // from before it was personal
		return v, nil
	}
	if err := json.Unmarshal(v, &s); err != nil || s.Sealed == "" {
		return v, err
	}
	plain, err := e.keys.Open(field("attribute."+key), s.Sealed)
	return json.RawMessage(plain), err
}

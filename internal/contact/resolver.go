package contact

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"

	"github.com/koipond/koipond/internal/event"
)

// Resolver implements event.Resolver: it says whose each fact is, making,
// promoting and merging contacts on the way.
//
// Resolving a stretch again, split in whatever way, after its transaction
// committed but the analytics store did not get it, gives the same people: an
// identity never changes hands but by a merge, and what is there is not made
// twice. The merges made by the stretch are told again.
type Resolver struct {
	mu sync.Mutex // Resolve is one ordered stage; a second caller waits
	e  *engine
	// looked is one beyond the epoch for which what is to be told was looked up.
	looked int64
}

// Resolve implements event.Resolver.
func (r *Resolver) Resolve(ctx context.Context, facts []event.Fact, at []event.Position) (event.Resolved, error) {
	if len(facts) != len(at) {
		return event.Resolved{}, fmt.Errorf("resolve: %d facts at %d positions", len(facts), len(at))
	}
	if len(facts) == 0 {
		return event.Resolved{}, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out event.Resolved
	err := r.e.db.Tx(ctx, func(ctx context.Context) error {
		var err error
		out, err = r.resolve(ctx, facts, at)
		return err
	})
	if err != nil {
		return event.Resolved{}, fmt.Errorf("resolve: %w", err)
	}
	return out, nil
}

func (r *Resolver) resolve(ctx context.Context, facts []event.Fact, at []event.Position) (event.Resolved, error) {
	if err := lock(ctx, r.e.db); err != nil {
		return event.Resolved{}, err
	}
	run, epoch, cursor, defs, kinds, err := r.enter(ctx)
	if err != nil {
		return event.Resolved{}, err
	}
	first, last := at[0], at[len(at)-1]
	replay := !less(cursor, first)
	var again tellings
	if replay { // before this stretch makes merges of its own
		if again, err = r.again(ctx, first, last); err != nil {
			return event.Resolved{}, err
		}
	}
	news, err := r.untold(ctx, epoch, first)
	if err != nil {
		return event.Resolved{}, err
	}
	again.rekeys = append(again.rekeys, news.rekeys...)
	again.profiles = append(again.profiles, news.profiles...)
	w := newWorld(2 * len(facts))
	w.defs, w.rules = defs, kinds
	inputs := make([]input, len(facts))
	var given []int64
	for i := range facts {
		r.e.fromFact(w, &facts[i], at[i], &inputs[i])
		inputs[i].replay = !less(cursor, at[i])
		if facts[i].Contact != 0 {
			given = append(given, facts[i].Contact)
		}
	}
	if err := r.e.load(ctx, w, append(given, again.profiles...)); err != nil {
		return event.Resolved{}, err
	}
	if err := r.e.loadCounts(ctx, w, inputs); err != nil {
		return event.Resolved{}, err
	}
	for i := range inputs {
		w.assign(&inputs[i])
	}
	if err := r.e.flush(ctx, w, inputs); err != nil {
		return event.Resolved{}, err
	}
	if less(cursor, last) {
		cursor = last
	}
	if err := r.leave(ctx, run, cursor, w); err != nil {
		return event.Resolved{}, err
	}
	return answer(w, facts, inputs, again, replay), nil
}

// enter drops the cache when another node resolved, or something else changed
// identities, since this process last did. It also gives the attributes as they
// are defined, and the rules of identities as they hold now.
func (r *Resolver) enter(ctx context.Context) (run, epoch int64, cursor event.Position, defs *definitions, kinds *kindRules, err error) {
	var defined, ruled int64
	rows, err := r.e.db.Query(ctx, "select name, seq, idx, epoch from contact_cursor")
	err = scanAll(rows, err, "read resolver's place", func(rows *sql.Rows) error {
		var name string
		var seq, idx, ep int64
		if err := rows.Scan(&name, &seq, &idx, &ep); err != nil {
			return err
		}
		switch name {
		case "resolver":
			cursor = event.Position{Seq: uint64(seq), Idx: uint32(idx)}
		case "identities":
			epoch = ep
		case "attributes":
			defined = ep
		case rulesEpoch:
			ruled = ep
		}
		return nil
	})
	if err != nil {
		return 0, 0, cursor, nil, nil, err
	}
	if defs, err = r.e.definitionsAt(ctx, defined); err != nil {
		return 0, 0, cursor, nil, nil, err
	}
	if kinds, err = r.e.rulesAt(ctx, ruled); err != nil {
		return 0, 0, cursor, nil, nil, err
	}
	return r.e.cache.begin(epoch, cursor), epoch, cursor, defs, kinds, nil
}

// leave moves the place and fills the cache once the transaction has committed.
func (r *Resolver) leave(ctx context.Context, run int64, cursor event.Position, w *world) error {
	_, err := r.e.db.Exec(ctx, `insert into contact_cursor (name, seq, idx) values ('resolver', $1, $2)
		on conflict (name) do update set seq = excluded.seq, idx = excluded.idx`, int64(cursor.Seq), int64(cursor.Idx))
	if err != nil {
		return fmt.Errorf("move resolver's place: %w", err)
	}
	r.e.db.After(ctx, func() { r.e.cache.fill(run, cursor, w) })
	return nil
}

func less(a, b event.Position) bool {
	return a.Seq < b.Seq || a.Seq == b.Seq && a.Idx < b.Idx
}

func answer(w *world, facts []event.Fact, inputs []input, again tellings, replay bool) event.Resolved {
	out := event.Resolved{Facts: make([]event.Resolution, len(inputs)), Rekeys: again.rekeys}
	profiles := map[*state]bool{}
	for _, n := range again.profiles {
		if st := w.states[n]; st != nil {
			profiles[st.root()] = true
		}
	}
	for i := range inputs {
		in := &inputs[i]
		if in.err != nil {
			out.Facts[i] = event.Resolution{Err: in.err}
			continue
		}
		st := in.st.root()
		out.Facts[i] = event.Resolution{Contact: in.home.number(), ID: st.id, Kind: st.kind, Channel: in.touch.Channel}
		if replay || introducing[facts[i].Name] {
			profiles[st] = true
		}
	}
	for _, m := range w.merges {
		out.Rekeys = append(out.Rekeys, event.Rekey{From: m.from.num, Into: m.into.num})
	}
	for _, st := range w.states {
		if st != nil && st.into == nil && st.profileChanged() {
			profiles[st] = true
		}
	}
	for _, st := range w.fresh {
		if st.into == nil {
			profiles[st] = true
		}
	}
	for st := range profiles {
		out.Profiles = append(out.Profiles, event.Profile{Contact: st.num, Kind: st.kind, Channel: cmp.Or(st.first.Channel, Unknown), CreatedAt: st.createdAt})
	}
	slices.SortFunc(out.Profiles, func(a, b event.Profile) int { return int(a.Contact - b.Contact) })
	return out
}

var _ event.Resolver = (*Resolver)(nil)

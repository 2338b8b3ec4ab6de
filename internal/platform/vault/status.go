package vault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/secret"
)

// Key is what is known of one key. Count is what lies under it, by source.
type Key struct {
	ID       string
	State    string // new, active, old
	Index    bool   // the first: it also keys the blind index
	AddedAt  time.Time
	ActiveAt time.Time
	Count    map[string]int64
}

// Status is how the sealing stands. Keys are oldest first.
type Status struct {
	Keys      []Key
	Clear     map[string]int64 // what lies in clear and should not, by source
	CountedAt time.Time        // zero: never
	Resealed  bool             // a job went over everything with the active key
	Nodes     []Node
}

// Remaining is how much is to be sealed anew.
func (s Status) Remaining() int64 {
	var n int64
	for _, c := range s.Clear {
		n += c
	}
	for _, k := range s.Keys {
		if k.State != stateActive {
			for _, c := range k.Count {
				n += c
			}
		}
	}
	return n
}

// Count counts what lies under which key, in all sources, and puts it on record.
func (k *Keeper) Count(ctx context.Context) error {
	all := map[string]map[string]int64{}
	began := k.Clock.Now() // what is asked for from now on is not answered by this count
	for _, s := range k.sources {
		under, err := s.Under(ctx)
		if err != nil {
			return err
		}
		all[s.Name()] = under
	}
	return k.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := k.DB.Exec(ctx, "delete from vault_counts"); err != nil {
			return err
		}
		for source, under := range all {
			for key, n := range under {
				if _, err := k.DB.Exec(ctx, "insert into vault_counts (source, key, count) values ($1, $2, $3)", source, key, n); err != nil {
					return fmt.Errorf("note counts: %w", err)
				}
			}
		}
		return k.markAt(ctx, "counted", began)
	})
}

// Want asks the running server to count again.
func (k *Keeper) Want(ctx context.Context) error { return k.mark(ctx, "wanted") }

func (k *Keeper) countIfWanted(ctx context.Context) error {
	wanted, err := k.marked(ctx, "wanted")
	if err != nil || wanted.IsZero() {
		return err
	}
	counted, err := k.marked(ctx, "counted")
	if err != nil || !counted.Before(wanted) {
		return err
	}
	return k.Count(ctx)
}

// wantSometimes: a look at the status page asks for a count when the last one is old.
func (k *Keeper) wantSometimes(ctx context.Context, counted time.Time) error {
	if k.Clock.Now().Sub(counted) < countEvery {
		return nil
	}
	return k.Want(ctx)
}

// Status tells how things stand, as last counted.
func (k *Keeper) Status(ctx context.Context) (Status, error) {
	var st Status
	var err error
	if st.CountedAt, err = k.marked(ctx, "counted"); err != nil {
		return st, err
	}
	if err := k.wantSometimes(ctx, st.CountedAt); err != nil {
		return st, err
	}
	byKey := map[string]map[string]int64{}
	rows, err := k.DB.Query(ctx, "select source, key, count from vault_counts")
	if err != nil {
		return st, fmt.Errorf("read counts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var source, key string
		var n int64
		if err := rows.Scan(&source, &key, &n); err != nil {
			return st, err
		}
		if byKey[key] == nil {
			byKey[key] = map[string]int64{}
		}
		byKey[key][source] = n
	}
	if err := rows.Err(); err != nil {
		return st, err
	}
	st.Clear = byKey[""]
	ids := k.Ring.KeyIDs()
	recs, err := k.DB.Query(ctx, "select id, state, added_at, active_at from vault_keys")
	if err != nil {
		return st, fmt.Errorf("read keys: %w", err)
	}
	defer recs.Close()
	for recs.Next() {
		var key Key
		var added, active int64
		if err := recs.Scan(&key.ID, &key.State, &added, &active); err != nil {
			return st, err
		}
		if !slices.Contains(ids, key.ID) {
			continue // taken out
		}
		key.Index, key.AddedAt, key.ActiveAt, key.Count = key.ID == ids[0], clock.FromMs(added), clock.FromMs(active), byKey[key.ID]
		st.Keys = append(st.Keys, key)
	}
	if err := recs.Err(); err != nil {
		return st, err
	}
	slices.SortFunc(st.Keys, func(a, b Key) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	at, err := k.marked(ctx, doneMark(k.Ring.KeyID()))
	if err != nil {
		return st, err
	}
	st.Resealed = !at.IsZero()
	st.Nodes, err = k.nodes(ctx)
	return st, err
}

// Faults of taking a key out.
var (
	errKeyActive = errs.New(errs.Conflict, "keys.active")
	errKeyNeeded = errs.New(errs.Conflict, "keys.needed")
	errNoServer  = errs.New(errs.Conflict, "keys.no_server")
)

// Rotate adds a key to the key file and waits a moment until it seals: at once
// when no server runs, else when all running nodes have it. It tells the key and
// whether it seals already.
func (k *Keeper) Rotate(ctx context.Context, path string) (id string, active bool, err error) {
	if id, err = secret.Rotate(path); err != nil {
		return "", false, err
	}
	if k.Audit != nil {
		if err := k.Audit.Record(ctx, "keys.added", audit.Object{Type: "key", ID: id, Name: id}, nil); err != nil {
			return id, false, err
		}
	}
	for range 10 {
		if err := k.Look(ctx); err != nil {
			return id, false, err
		}
		now, err := k.active(ctx)
		if err != nil {
			return id, false, err
		}
		if now == id {
			return id, true, nil
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return id, false, ctx.Err()
		}
	}
	return id, false, nil
}

// Retire takes a key out of the key file when a fresh count finds nothing under
// it, also not in the stream. The server counts: it holds the analytics store.
func (k *Keeper) Retire(ctx context.Context, path, id string) error {
	ids := k.Ring.KeyIDs()
	if !slices.Contains(ids, id) {
		return secret.ErrUnknownKey.With("key", id)
	}
	if id == ids[0] {
		return secret.ErrIndexKey.With("key", id)
	}
	now, err := k.active(ctx)
	if err != nil {
		return err
	}
	if now == id {
		return errKeyActive.With("key", id)
	}
	st, err := k.Fresh(ctx)
	if err != nil {
		return err
	}
	for _, key := range st.Keys {
		var n int64
		for _, c := range key.Count {
			n += c
		}
		if key.ID == id && n > 0 {
			return errKeyNeeded.With("key", id, "count", n)
		}
		// What was sealed in the last moments before the next key may still wait in the stream.
		if key.State == stateActive && k.Clock.Now().Sub(key.ActiveAt) < aliveFor {
			return errKeyNeeded.With("key", id, "count", 0)
		}
	}
	if k.Audit != nil {
		if err := k.Audit.Record(ctx, "keys.retired", audit.Object{Type: "key", ID: id, Name: id}, nil); err != nil {
			return err
		}
	}
	return secret.Remove(path, id)
}

// Fresh asks the running server for a count and waits for it.
func (k *Keeper) Fresh(ctx context.Context) (Status, error) {
	nodes, err := k.nodes(ctx)
	if err != nil {
		return Status{}, err
	}
	if len(nodes) == 0 {
		return Status{}, errNoServer
	}
	if err := k.Want(ctx); err != nil {
		return Status{}, err
	}
	wanted, err := k.marked(ctx, "wanted")
	if err != nil {
		return Status{}, err
	}
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		counted, err := k.marked(ctx, "counted")
		if err != nil {
			return Status{}, err
		}
		if !counted.Before(wanted) {
			return k.Status(ctx)
		}
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
			return Status{}, ctx.Err()
		}
	}
	return Status{}, errNoServer
}

package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/koipond/koipond/internal/event"
)

// The analytics store follows merges and splits through the stream alone. Those
// that no fact made, by hand or by an import, are put down in contact_tellings,
// in the transaction that makes them; the next stretch that is resolved tells
// them first, gives them its place in the stream, and tells them again whenever
// that place is resolved again. So the stores cannot come apart, whenever the
// program is killed.

// telling is one such merge, a split when into is 0, or, when into is the
// contact itself, only what it is from now on.
type telling struct {
	num, into int64
	members   []int64
}

func (e *engine) tell(ctx context.Context, ts []telling) error {
	if len(ts) == 0 {
		return nil
	}
	n, err := e.db.Reserve(ctx, "contact_tellings", int64(len(ts)))
	if err != nil {
		return err
	}
	return insertMany(ctx, e.db, "contact_tellings", columns("n:n num:n into_num:n members"), len(ts), func(i int) []any {
		members, _ := json.Marshal(ts[i].members) // numbers always encode
		return []any{n + int64(i), ts[i].num, ts[i].into, string(members)}
	}, "")
}

// tellMerges puts down the merges that no fact made.
func (e *engine) tellMerges(ctx context.Context, w *world) error {
	var ts []telling
	for _, m := range w.merges {
		if m.in.seq == 0 {
			ts = append(ts, telling{num: m.from.num, into: m.into.num})
		}
	}
	return e.tell(ctx, ts)
}

// tellings is what the store hears in one stretch beside the merges of its facts,
// and of whom it must hear anew what they are.
type tellings struct {
	rekeys   []event.Rekey
	profiles []int64
}

func (t *tellings) add(num, into int64, members []int64) {
	if into == num { // only what it is now
		t.profiles = append(t.profiles, num)
		return
	}
	if into != 0 {
		t.rekeys = append(t.rekeys, event.Rekey{From: num, Into: into})
		t.profiles = append(t.profiles, into)
		return
	}
	t.rekeys = append(t.rekeys, event.Rekey{From: num, Split: members})
	t.profiles = append(t.profiles, num)
}

// untold takes up what was put down since the resolver last looked, at the
// place at; it looks only when the epoch says that somebody changed identities.
func (r *Resolver) untold(ctx context.Context, epoch int64, at event.Position) (tellings, error) {
	var t tellings
	if r.looked == epoch+1 {
		return t, nil
	}
	rows, err := r.e.db.Query(ctx, "select num, into_num, members from contact_tellings where seq = 0 order by n")
	if err := t.scan(rows, err); err != nil {
		return t, err
	}
	if len(t.profiles) > 0 {
		if _, err := r.e.db.Exec(ctx, "delete from contact_tellings where seq > 0 and seq < $1", int64(at.Seq)); err != nil { // the store is beyond it
			return t, fmt.Errorf("forget what was tellings: %w", err)
		}
		if _, err := r.e.db.Exec(ctx, "update contact_tellings set seq = $1, idx = $2 where seq = 0", int64(at.Seq), int64(at.Idx)); err != nil {
			return t, fmt.Errorf("place what is tellings: %w", err)
		}
	}
	r.e.db.After(ctx, func() { r.looked = epoch + 1 })
	return t, nil
}

// again is what a stretch that is resolved again tellings the first time: merges
// by its facts that were not undone since, and what was tellings at its places.
func (r *Resolver) again(ctx context.Context, first, last event.Position) (tellings, error) {
	var t tellings
	const within = "seq >= $1 and seq <= $2 and seq > 0 and (seq > $1 or idx >= $3) and (seq < $2 or idx <= $4)"
	rows, err := r.e.db.Query(ctx, `select num, into_num, members from (
			select seq, idx, 0 as kind, n, '' as id, num, into_num, members from contact_tellings where `+within+`
			union all select seq, idx, 1, 0, id, from_num, into_num, '' from contact_merges where undone_at = 0 and `+within+`
		) as x order by seq, idx, kind, n, id`, int64(first.Seq), int64(last.Seq), int64(first.Idx), int64(last.Idx))
	return t, t.scan(rows, err)
}

func (t *tellings) scan(rows *sql.Rows, err error) error {
	return scanAll(rows, err, "read merges to tell", func(rows *sql.Rows) error {
		var num, into int64
		var text string
		var members []int64
		if err := rows.Scan(&num, &into, &text); err != nil {
			return err
		}
		if into == 0 {
			if err := json.Unmarshal([]byte(text), &members); err != nil {
				return fmt.Errorf("decode members: %w", err)
			}
		}
		t.add(num, into, members)
		return nil
	})
}

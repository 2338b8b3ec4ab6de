package consent

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
)

// stateKey is a line of the table of states.
type stateKey struct {
	contact int64
	purpose string
}

// rootsOf maps numbers of merged contacts to whom they are part of; others are
// left out. Inside a transaction nobody merges contacts until it ends.
func (s *Service) rootsOf(ctx context.Context, nums []int64) (map[int64]int64, error) {
	return s.Contacts.Survivors(ctx, nums)
}

func rootIn(roots map[int64]int64, num int64) int64 {
	if r, ok := roots[num]; ok {
		return r
	}
	return num
}

func keysOf[K comparable, V any](m map[K]V) []K { return slices.Collect(maps.Keys(m)) }

// apply adds new rows of the ledger to what holds.
func (s *Service) apply(ctx context.Context, entries []entry, roots map[int64]int64) error {
	add := map[stateKey]*stand{}
	var nums []int64
	for _, e := range entries {
		k := stateKey{rootIn(roots, e.contact), e.purpose}
		if add[k] == nil {
			add[k] = &stand{}
			nums = append(nums, k.contact)
		}
		add[k].say(e.channel.covers(), cell{e.state, e.at, e.seq})
	}
	slices.Sort(nums)
	nums = slices.Compact(nums)
	have, err := s.stands(ctx, nums)
	if err != nil {
		return err
	}
	for k, st := range add {
		if old, ok := have[k]; ok {
			st.add(&old)
		}
	}
	return s.writeStands(ctx, add, nil)
}

// stands reads what holds for contacts.
func (s *Service) stands(ctx context.Context, nums []int64) (map[stateKey]stand, error) {
	out := map[stateKey]stand{}
	err := inChunks(ctx, s.DB, "read consent states", "select contact, purpose, cells from consent_state where contact in (%s)", nil, nums, func(r *sql.Rows) error {
		var k stateKey
		var cells string
		if err := r.Scan(&k.contact, &k.purpose, &cells); err != nil {
			return err
		}
		st, err := decodeStand(cells)
		out[k] = st
		return err
	})
	return out, err
}

// writeStands keeps what holds; gone are lines that no longer do.
func (s *Service) writeStands(ctx context.Context, stands map[stateKey]*stand, gone []stateKey) error {
	nums := make([]int64, 0, len(stands))
	for k := range stands {
		nums = append(nums, k.contact)
	}
	slices.Sort(nums)
	nums = slices.Compact(nums)
	kinds, err := s.Contacts.Describe(ctx, nums)
	if err != nil {
		return err
	}
	keys := keysOf(stands)
	slices.SortFunc(keys, func(a, b stateKey) int { // the same order everywhere: writers never wait for each other in a ring
		if a.contact != b.contact {
			return int(a.contact - b.contact)
		}
		return compare(a.purpose, b.purpose)
	})
	for part := range slices.Chunk(keys, 64) {
		args := make([]any, 0, 7*len(part))
		for _, k := range part {
			st := stands[k]
			g, w, at := st.masks()
			shown := int64(1)
			if kinds[k.contact].Kind == event.Visitor {
				shown = 2
			}
			args = append(args, k.contact, k.purpose, shown, int64(g), int64(w), at, st.encode())
		}
		if _, err := s.DB.Exec(ctx, "insert into consent_state (contact, purpose, shown, granted, withdrawn, at, cells) values "+rowValues(len(part), 7)+
			` on conflict (contact, purpose) do update set shown = excluded.shown, granted = excluded.granted, withdrawn = excluded.withdrawn, at = excluded.at, cells = excluded.cells`, args...); err != nil {
			return fmt.Errorf("write consent states: %w", err)
		}
	}
	for _, k := range gone {
		if _, err := s.DB.Exec(ctx, "delete from consent_state where contact = $1 and purpose = $2", k.contact, k.purpose); err != nil {
			return fmt.Errorf("drop consent state: %w", err)
		}
	}
	return nil
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// recompute reads what holds for living contacts anew from the ledger of all
// their numbers, and writes it where it differs, if asked to. before and after
// hold the lines that differ.
func (s *Service) recompute(ctx context.Context, roots []int64, write bool) (before, after map[stateKey]stand, err error) {
	if len(roots) == 0 {
		return nil, nil, nil
	}
	slices.Sort(roots)
	groups, err := s.Contacts.Groups(ctx, roots)
	if err != nil {
		return nil, nil, err
	}
	rootOf := map[int64]int64{}
	var all []int64
	for root, nums := range groups {
		for _, n := range nums {
			rootOf[n] = root
			all = append(all, n)
		}
	}
	slices.Sort(all)
	fresh, err := s.derive(ctx, all, rootOf)
	if err != nil {
		return nil, nil, err
	}
	have, err := s.stands(ctx, roots)
	if err != nil {
		return nil, nil, err
	}
	before, after = map[stateKey]stand{}, map[stateKey]stand{}
	change := map[stateKey]*stand{}
	var gone []stateKey
	for k, st := range fresh {
		if old, ok := have[k]; !ok || old != *st {
			before[k], after[k], change[k] = old, *st, st
		}
	}
	for k, old := range have {
		if _, ok := fresh[k]; !ok {
			before[k], after[k] = old, stand{}
			gone = append(gone, k)
		}
	}
	if !write || len(before) == 0 {
		return before, after, nil
	}
	return before, after, s.writeStands(ctx, change, gone)
}

// derive reads the ledger of numbers: what would hold, were nothing kept.
func (s *Service) derive(ctx context.Context, nums []int64, rootOf map[int64]int64) (map[stateKey]*stand, error) {
	type said struct {
		k stateKey
		m mask
		c cell
	}
	var rows []said
	void := map[int64]bool{}
	err := inChunks(ctx, s.DB, "read the ledger", "select seq, contact, purpose, channel, state, at, voids from consent_ledger where contact in (%s)", nil, nums, func(r *sql.Rows) error {
		var e entry
		if err := r.Scan(&e.seq, &e.contact, &e.purpose, &e.channel, &e.state, &e.at, &e.voids); err != nil {
			return err
		}
		if e.voids != 0 {
			void[e.voids] = true
			return nil
		}
		rows = append(rows, said{stateKey{rootOf[e.contact], e.purpose}, e.channel.covers(), cell{e.state, e.at, e.seq}})
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := map[stateKey]*stand{}
	for _, d := range rows {
		if void[d.c.seq] {
			continue
		}
		if out[d.k] == nil {
			out[d.k] = &stand{}
		}
		out[d.k].say(d.m, d.c)
	}
	return out, nil
}

// merged adds what holds for merged contacts to those they are part of now, in
// the order of the merges. The ledger stays as it is.
func (s *Service) merged(ctx context.Context, merges []contact.Merge) error {
	nums := make([]int64, 0, 2*len(merges))
	for _, m := range merges {
		nums = append(nums, m.From, m.Into)
	}
	slices.Sort(nums)
	have, err := s.stands(ctx, slices.Compact(nums))
	if err != nil || len(have) == 0 {
		return err
	}
	change := map[stateKey]*stand{}
	now := map[stateKey]*stand{}
	for k, st := range have {
		now[k] = &st
	}
	var gone []stateKey
	for _, m := range merges {
		for _, k := range keysOf(now) {
			if k.contact != m.From {
				continue
			}
			into := stateKey{m.Into, k.purpose}
			if now[into] == nil {
				now[into] = &stand{}
			}
			now[into].add(now[k])
			change[into] = now[into]
			delete(now, k)
			delete(change, k)
			gone = append(gone, k)
		}
	}
	return s.writeStands(ctx, change, gone)
}

// split gives both sides of undone merges their own back. It runs inside the
// transaction of the undo, once the contacts are apart.
func (s *Service) split(ctx context.Context, splits []contact.Split) error {
	var sides []int64
	for _, sp := range splits {
		sides = append(sides, sp.Contact, sp.From)
	}
	_, _, err := s.recompute(ctx, sides, true)
	return err
}

// changedKind follows visitors that became persons, and back.
func (s *Service) changedKind(ctx context.Context, nums []int64) error {
	kinds, err := s.Contacts.Describe(ctx, nums)
	if err != nil {
		return err
	}
	for _, v := range []struct {
		kind  event.Kind
		shown int64
	}{{event.Person, 1}, {event.Visitor, 2}} {
		var list []int64
		for _, n := range nums {
			if kinds[n].Kind == v.kind {
				list = append(list, n)
			}
		}
		err := inChunks(ctx, s.DB, "move consent states to the other list", "update consent_state set shown = $1 where contact in (%s) returning contact", []any{v.shown}, list, func(*sql.Rows) error { return nil })
		if err != nil {
			return err
		}
	}
	return nil
}

// forget takes away what is personal of contacts that are gone: proofs, links and
// what holds. The ledger keeps that somebody said something, and its chain.
func (s *Service) forget(ctx context.Context, nums []int64) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, text := range []string{
			"update consent_ledger set proof_enc = '' where contact in (%s) returning contact",
			"delete from consent_state where contact in (%s) returning contact",
			"delete from consent_links where contact in (%s) returning contact",
		} {
			if err := inChunks(ctx, s.DB, "forget consents", text, nil, nums, func(*sql.Rows) error { return nil }); err != nil {
				return err
			}
		}
		return nil
	})
}

package machine

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
)

// Merged hides the rows of contacts that became part of others, and gives the
// survivor what it has none of; a hook of package contact.
func (s *Service) Merged(ctx context.Context, merges []contact.Merge) error {
	from := make([]int64, len(merges))
	for i, m := range merges {
		from[i] = m.From
	}
	stands := map[int64]bool{} // visitors, of whom most merges are, stand nowhere
	err := s.eachIn(ctx, "read where contacts stand", "select distinct contact from machine_states where contact in ({list})", nil, from, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		stands[n] = true
		return err
	})
	if err != nil {
		return err
	}
	for _, m := range merges {
		if !stands[m.From] {
			continue
		}
		stands[m.Into] = true
		_, err := s.DB.Exec(ctx, `insert into machine_states (machine, contact, state, since, shown, pinned_until)
			select machine, cast($1 as bigint), state, since, 1, pinned_until from machine_states where contact = $2
			on conflict (machine, contact) do nothing`, m.Into, m.From)
		if err == nil { // why, where the choice was given on with the state
			_, err = s.DB.Exec(ctx, `insert into machine_pins (machine, contact, until_at, at, note, by_id, by_name, run)
				select machine, cast($1 as bigint), until_at, at, note, by_id, by_name, run from machine_pins where contact = $2
				on conflict (machine, contact) do nothing`, m.Into, m.From)
		}
		if err != nil {
			return fmt.Errorf("give states on: %w", err)
		}
	}
	return s.hide(ctx, 0, from)
}

// Split shows the rows of contacts that are their own again; a hook of package contact.
func (s *Service) Split(ctx context.Context, splits []contact.Split) error {
	nums := make([]int64, len(splits))
	for i, x := range splits {
		nums[i] = x.Contact
	}
	return s.hide(ctx, 1, nums)
}

// Rekind follows contacts that became people, or visitors again; a hook of
// package contact. Who became a person is sorted with what made them one.
func (s *Service) Rekind(ctx context.Context, nums []int64) error {
	people, err := s.Contacts.Matching(ctx, nil, "", nums)
	if err != nil {
		return err
	}
	var gone []int64
	for _, n := range nums {
		if !people.Has(n) {
			gone = append(gone, n)
		}
	}
	if err := s.hide(ctx, 0, gone); err != nil {
		return err
	}
	return s.hide(ctx, 1, people.List())
}

// Standing implements contact.Standings.
func (s *Service) Standing(ctx context.Context, nums []int64) (map[int64][]contact.StateRef, error) {
	defs, err := s.shown(ctx)
	if err != nil {
		return nil, err
	}
	out := map[int64][]contact.StateRef{}
	now := s.Clock.Now().UnixMilli()
	err = s.eachIn(ctx, "read where contacts stand", "select machine, contact, state, since, pinned_until from machine_states where contact in ({list})", nil, nums, func(r *sql.Rows) error {
		var ref contact.StateRef
		var n, since, pinned int64
		if err := r.Scan(&ref.Machine, &n, &ref.ID, &since, &pinned); err != nil {
			return err
		}
		ref.Name = ref.ID
		if d := defs[ref.Machine]; d != nil {
			if st := d.state(ref.ID); st != nil {
				ref.Name, ref.Color, ref.Note = st.Name.in(ctx), st.Color, st.Note.in(ctx)
			}
		}
		ref.Since = clock.FromMs(since)
		if pinned > now {
			until := clock.FromMs(pinned)
			ref.PinnedUntil = &until
		}
		out[n] = append(out[n], ref)
		return nil
	})
	return out, err
}

// StateNames implements contact.Standings.
func (s *Service) StateNames(ctx context.Context) (map[string]map[string]string, error) {
	defs, err := s.shown(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]string{}
	for machine, d := range defs {
		out[machine] = map[string]string{}
		if d == nil {
			continue
		}
		for _, st := range d.States {
			out[machine][st.ID] = st.Name.in(ctx)
		}
	}
	return out, nil
}

// shown is how each machine is called at present, kept in memory.
func (s *Service) shown(ctx context.Context) (map[string]*Definition, error) {
	s.named.Lock()
	defer s.named.Unlock()
	if s.names == nil {
		names := map[string]*Definition{}
		for _, m := range Machines() {
			d, err := s.newest(ctx, m)
			if err != nil {
				return nil, err
			}
			names[m] = d
		}
		if s.DB.InTx(ctx) { // it may come to nothing
			return names, nil
		}
		s.names = names
	}
	return s.names, nil
}

func (s *Service) forgetNames() {
	s.named.Lock()
	s.names = nil
	s.named.Unlock()
}

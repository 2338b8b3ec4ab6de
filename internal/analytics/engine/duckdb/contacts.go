package duckdb

import (
	"context"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

// appendContacts applies a batch's rekeys and profiles to the table contacts and
// reports whether any merge took place. New contacts come first, so that a
// contact that is made and merged in one batch is known; profiles come last, so
// that only those of leading contacts take effect.
func (s *Store) appendContacts(ctx context.Context, b analytics.Batch) (merged bool, err error) {
	profiles := lastOf(b.Profiles)
	if len(profiles) == 0 && len(b.Rekeys) == 0 {
		return false, nil
	}
	allNew, err := s.insertContacts(ctx, profiles, b.Rekeys)
	if err != nil {
		return false, err
	}
	if merged, err = s.rekey(ctx, b.Rekeys); err != nil || allNew && !merged {
		return merged, err // new contacts came with their profiles, and nobody else's took their place
	}
	return merged, s.updateProfiles(ctx, profiles)
}

// insertContacts adds the contacts that are not there yet: those with a profile,
// and those that a rekey names, with an unknown kind. It reports whether none was there.
func (s *Store) insertContacts(ctx context.Context, profiles []event.Profile, rekeys []event.Rekey) (allNew bool, err error) {
	cols := profileColumns(profiles)
	known := make(map[int64]bool, len(profiles))
	for _, p := range profiles {
		known[p.Contact] = true
	}
	for _, k := range rekeys {
		for _, n := range named(k) {
			if !known[n] {
				known[n] = true
				cols.add(event.Profile{Contact: n})
			}
		}
	}
	added, err := s.exec(ctx, `INSERT INTO contacts
		SELECT u.contact, u.contact, u.kind, u.channel, u.created_at
		FROM (`+unnestProfiles+`) u ANTI JOIN contacts c ON c.contact = u.contact`, cols.args()...)
	if err != nil {
		return false, fmt.Errorf("add contacts: %w", err)
	}
	return added == int64(len(cols.contact)), nil
}

// named are the contacts that a rekey speaks of.
func named(k event.Rekey) []int64 {
	if len(k.Split) > 0 {
		return append([]int64{k.From}, k.Split...)
	}
	return []int64{k.From, k.Into}
}

// updateProfiles writes kind and channel to the contact and to every one merged into it.
func (s *Store) updateProfiles(ctx context.Context, profiles []event.Profile) error {
	if len(profiles) == 0 {
		return nil
	}
	_, err := s.writer.ExecContext(ctx, `UPDATE contacts SET kind = u.kind, channel = u.channel, created_at = u.created_at
		FROM (`+unnestProfiles+`) u
		WHERE contacts.root = u.contact
		AND (contacts.kind <> u.kind OR contacts.channel <> u.channel OR contacts.created_at <> u.created_at)`,
		profileColumns(profiles).args()...)
	if err != nil {
		return fmt.Errorf("update profiles: %w", err)
	}
	return nil
}

// profileLists are profiles turned into columns, the form in which they are bound.
type profileLists struct {
	contact, created []int64
	kind, channel    []string
}

const unnestProfiles = `SELECT unnest($1::BIGINT[]) AS contact, unnest($2::VARCHAR[]) AS kind,
	unnest($3::VARCHAR[]) AS channel, unnest($4::BIGINT[]) AS created_at`

func profileColumns(profiles []event.Profile) *profileLists {
	l := &profileLists{}
	for _, p := range profiles {
		l.add(p)
	}
	return l
}

func (l *profileLists) add(p event.Profile) {
	l.contact = append(l.contact, p.Contact)
	l.kind = append(l.kind, clean(string(p.Kind)))
	l.channel = append(l.channel, clean(p.Channel))
	l.created = append(l.created, p.CreatedAt)
}

func (l *profileLists) args() []any { return []any{l.contact, l.kind, l.channel, l.created} }

// rekey plays merges and splits in their order, merges that follow each other in one.
func (s *Store) rekey(ctx context.Context, rekeys []event.Rekey) (merged bool, err error) {
	for len(rekeys) > 0 {
		n := slices.IndexFunc(rekeys, func(k event.Rekey) bool { return len(k.Split) > 0 })
		if n == 0 {
			if err := s.split(ctx, rekeys[0]); err != nil {
				return false, err
			}
			merged, rekeys = true, rekeys[1:]
			continue
		}
		if n < 0 {
			n = len(rekeys)
		}
		some, err := s.merge(ctx, rekeys[:n])
		if err != nil {
			return false, err
		}
		merged, rekeys = merged || some, rekeys[n:]
	}
	return merged, nil
}

// split makes From lead itself, those of Split, and whoever these led. No fact
// is touched: each is stored under the number it came by.
func (s *Store) split(ctx context.Context, k event.Rekey) error {
	_, err := s.writer.ExecContext(ctx, `UPDATE contacts SET root = p.contact, kind = p.kind, channel = p.channel, created_at = p.created_at
		FROM contacts p WHERE p.contact = $1 AND
		(contacts.contact IN (SELECT unnest($2::BIGINT[])) OR contacts.root IN (SELECT unnest($2::BIGINT[])))`, k.From, named(k))
	if err != nil {
		return fmt.Errorf("split contact: %w", err)
	}
	return nil
}

// merge turns merges, in their order, into one move of groups: every contact
// led by an old number is led by the new one from now on, with the kind and
// channel of the group it came into.
func (s *Store) merge(ctx context.Context, rekeys []event.Rekey) (bool, error) {
	leaders, err := s.leaders(ctx, rekeys)
	if err != nil {
		return false, err
	}
	m := foldRekeys(rekeys, leaders)
	if len(m.old) == 0 {
		return false, nil
	}
	_, err = s.writer.ExecContext(ctx, `UPDATE contacts SET root = m.into_, kind = m.kind, channel = m.channel, created_at = m.created_at
		FROM (SELECT u.old, u.into_, p.kind, p.channel, p.created_at
			FROM (SELECT unnest($1::BIGINT[]) AS old, unnest($2::BIGINT[]) AS into_, unnest($3::BIGINT[]) AS profile) u
			JOIN contacts p ON p.contact = u.profile) m
		WHERE contacts.root = m.old`, m.old, m.into, m.profile)
	if err != nil {
		return false, fmt.Errorf("merge contacts: %w", err)
	}
	return true, nil
}

// moves say, line by line: what old leads is led by into, with the profile that
// the third had before.
type moves struct{ old, into, profile []int64 }

// leaders reads which contact leads each number that the rekeys name.
func (s *Store) leaders(ctx context.Context, rekeys []event.Rekey) (map[int64]int64, error) {
	numbers := make([]int64, 0, 2*len(rekeys))
	for _, k := range rekeys {
		numbers = append(numbers, k.From, k.Into)
	}
	rows, err := s.writer.QueryContext(ctx,
		`SELECT contact, root FROM contacts WHERE contact IN (SELECT unnest($1::BIGINT[]))`, numbers)
	if err != nil {
		return nil, fmt.Errorf("read merged contacts: %w", err)
	}
	defer rows.Close()
	leaders := make(map[int64]int64, len(numbers))
	for rows.Next() {
		var contact, root int64
		if err := rows.Scan(&contact, &root); err != nil {
			return nil, fmt.Errorf("read merged contacts: %w", err)
		}
		leaders[contact] = root
	}
	return leaders, rows.Err()
}

// foldRekeys plays the rekeys on the groups that the numbers belong to now
// (leaders: number → leader) and returns what changes.
func foldRekeys(rekeys []event.Rekey, leaders map[int64]int64) (m moves) {
	parent := map[int64]int64{} // group → group it was joined to; a group is named by its leader of before
	lead := map[int64]int64{}   // group → its leader now
	var order []int64
	find := func(number int64) int64 {
		g, ok := leaders[number]
		if !ok {
			g = number
		}
		if _, ok := parent[g]; !ok {
			parent[g], lead[g] = g, g
			order = append(order, g)
		}
		for parent[g] != g {
			g = parent[g]
		}
		return g
	}
	for _, k := range rekeys {
		from, to := find(k.From), find(k.Into)
		switch {
		case lead[from] != k.From: // From is part of another already
		case from == to: // Into takes the lead of their common group
			lead[from] = k.Into
		default:
			parent[from] = to
		}
	}
	for _, g := range order {
		into := find(g)
		if lead[into] != g || into != g {
			m.old, m.into, m.profile = append(m.old, g), append(m.into, lead[into]), append(m.profile, into)
		}
	}
	return m
}

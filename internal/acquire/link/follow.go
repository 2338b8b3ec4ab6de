package link

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Name implements event.Subscriber.
func (s *Service) Name() string { return "links" }

// Handle implements event.Subscriber: it writes openings down in the transaction
// that moves its place, so that each counts once, and tells owners.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	var mine []*event.Stored
	for i := range facts {
		// Anybody who reads a write key in a page may state such a fact: what did not
		// come through a link of ours is no opening of one.
		if f := &facts[i]; f.Name == event.NameLinkClicked && f.Source == sourceName {
			mine = append(mine, f)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	fakes, err := s.fakes(ctx)
	if err != nil {
		return err
	}
	n, err := s.DB.Reserve(ctx, "link_opens", int64(len(mine)))
	if err != nil {
		return err
	}
	for i, f := range mine {
		var p properties
		if err := json.Unmarshal(f.Properties, &p); err != nil || !validCode(p.Link) {
			continue
		}
		_, err := s.DB.Exec(ctx, `insert into link_opens (n, code, at, message, contact, device, app, system, referrer, fake) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)
			on conflict (message) do nothing`, n+int64(i), p.Link, f.Timestamp, f.MessageID, f.Contact, p.Device, p.App, p.System, p.Referrer, flag(fakes[f.Contact]))
		if err != nil {
			return fmt.Errorf("write opening of a link: %w", err)
		}
		if err := s.tell(ctx, f, p.Link); err != nil {
			return err
		}
	}
	return nil
}

// fakes are the contacts who are taken to be no people.
func (s *Service) fakes(ctx context.Context) (map[int64]bool, error) {
	if s.Fakes == nil {
		return nil, nil
	}
	list, err := s.Fakes.Fakes(ctx)
	out := make(map[int64]bool, len(list))
	for _, n := range list {
		out[n] = true
	}
	return out, err
}

// tell tells the owner of a link that a known person opened it, once a day for
// each person and link.
func (s *Service) tell(ctx context.Context, f *event.Stored, code string) error {
	if s.Teller == nil || f.ContactKind != event.Person {
		return nil
	}
	s.mu.RLock()
	x := s.links[code]
	s.mu.RUnlock()
	if x == nil || !x.notify || x.owner == "" {
		return nil
	}
	day := clock.FromMs(f.Timestamp).In(s.zone(ctx)).Format("2006-01-02")
	return s.Teller.Tell(ctx, x.owner, fmt.Sprintf("link:%s:%d:%s", code, f.Contact, day), "link.opened", code, f.Contact)
}

// total is what is counted of a link. Openings keep the contact that they came by:
// one person on two devices counts twice until the two are one contact.
type total struct{ opens, people, last int64 }

// totals counts all openings of some links.
func (s *Service) totals(ctx context.Context, codes []any) (map[string]total, error) {
	out := map[string]total{}
	for part := range slices.Chunk(codes, 500) {
		rows, err := s.DB.Query(ctx, "select code, count(*), count(distinct contact), max(at) from link_opens where fake = 0 and code in ("+db.In(1, len(part))+") group by code", part...)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var code string
			var t total
			err = r.Scan(&code, &t.opens, &t.people, &t.last)
			out[code] = t
			return x, err
		})
		if err != nil {
			return nil, fmt.Errorf("count openings of links: %w", err)
		}
	}
	return out, nil
}

// flushNoise adds what was counted in memory to the table. What cannot be written
// now waits for the next turn.
func (s *Service) flushNoise(ctx context.Context) error {
	n := s.noise.take()
	if len(n) == 0 {
		return nil
	}
	day := s.Clock.Now().In(s.zone(ctx)).Format("2006-01-02")
	type line struct {
		code, why string
		n         int64
	}
	var list []line
	for k, v := range n {
		list = append(list, line{k[0], k[1], v})
	}
	slices.SortFunc(list, func(a, b line) int { return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.why, b.why)) })
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, l := range list {
			_, err := s.DB.Exec(ctx, `insert into link_noise (code, day, why, n) values ($1,$2,$3,$4) on conflict (code, day, why) do update set n = link_noise.n + excluded.n`, l.code, day, l.why, l.n)
			if err != nil {
				return fmt.Errorf("write openings by programs: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		for _, l := range list {
			s.noise.add(l.code, l.why, l.n)
		}
	}
	return err
}

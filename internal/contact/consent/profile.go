package consent

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Cell is what holds for one purpose and channel of a person, with what decides it.
type Cell struct {
	Channel Channel `json:"channel"`
	Decision
	Source Source `json:"source,omitempty" doc:"From where the deciding row came"`
	By     string `json:"by,omitempty" doc:"Who of the staff wrote it"`
	Note   string `json:"note,omitempty"`
}

// PurposeCells is what holds for one purpose.
type PurposeCells struct {
	Purpose string `json:"purpose"`
	Cells   []Cell `json:"cells"`
}

// Profile is what a person agreed to.
type Profile struct {
	Purposes     []PurposeCells `json:"purposes"`
	DoNotContact *Row           `json:"doNotContact,omitempty" doc:"Since when nothing may reach the person"`
	Suppressed   []Suppression  `json:"suppressed" doc:"Addresses of the person that are on the suppression list"`
	Links        []Link         `json:"links" doc:"Preference links that work, newest first"`
	Rows         int64          `json:"rows" doc:"Rows of the ledger"`
}

// Profile reads what holds for one contact, and why.
func (s *Service) Profile(ctx context.Context, contactID string) (Profile, error) {
	out := Profile{Purposes: []PurposeCells{}, Suppressed: []Suppression{}, Links: []Link{}}
	num, err := s.Contacts.NumOf(ctx, contactID)
	if err != nil {
		return out, err
	}
	list, err := s.Purposes(ctx)
	if err != nil {
		return out, err
	}
	have, err := s.stands(ctx, []int64{num})
	if err != nil {
		return out, err
	}
	if out.Suppressed, err = s.suppressedOf(ctx, num); err != nil {
		return out, err
	}
	why := map[int64]*Row{}
	everything := have[stateKey{num, Everything}]
	if c := everything.of(useBit); c.state == Withdrawn {
		why[c.seq] = nil
	}
	for _, p := range list {
		if p.Archived {
			continue
		}
		chs := p.Channels
		if len(chs) == 0 {
			chs = []Channel{All}
		}
		pc := PurposeCells{Purpose: p.ID}
		for _, ch := range chs {
			m, _ := bitOf(ch)
			q := question{p: p, bit: m}
			d := q.decide(answer{have[stateKey{num, p.ID}], everything}, barredBy(out.Suppressed, ch))
			if d.Row != 0 {
				why[d.Row] = nil
			}
			pc.Cells = append(pc.Cells, Cell{Channel: ch, Decision: d})
		}
		out.Purposes = append(out.Purposes, pc)
	}
	if err := s.explain(ctx, why); err != nil {
		return out, err
	}
	for _, pc := range out.Purposes {
		for i := range pc.Cells {
			if r := why[pc.Cells[i].Row]; r != nil {
				pc.Cells[i].Source, pc.Cells[i].By, pc.Cells[i].Note = r.Source, r.Proof.StaffName, r.Proof.Note
			}
		}
	}
	if c := everything.of(useBit); c.state == Withdrawn {
		out.DoNotContact = why[c.seq]
	}
	return out, s.linksAndRows(ctx, num, &out)
}

// barredBy tells whether the addresses on the list keep a channel from who has them.
func barredBy(list []Suppression, ch Channel) bool {
	return slices.ContainsFunc(list, func(p Suppression) bool { return p.Whole || p.Kind == kindFor(ch) })
}

// explain reads the rows that decide.
func (s *Service) explain(ctx context.Context, why map[int64]*Row) error {
	return inChunks(ctx, s.DB, "read deciding rows", "select "+strings.Join(entryColumns, ",")+" from consent_ledger where seq in (%s)", nil, keysOf(why), func(r *sql.Rows) error {
		e, err := scanEntry(r)
		if err != nil {
			return err
		}
		row, err := s.show(&e)
		why[e.seq] = &row
		return err
	})
}

func (s *Service) linksAndRows(ctx context.Context, num int64, out *Profile) error {
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return err
	}
	now := s.Clock.Now().UnixMilli()
	err = inChunks(ctx, s.DB, "read links", "select "+linkColumns+" from consent_links where contact in (%s) order by created_at desc, id", nil, group, func(r *sql.Rows) error {
		var l linkRow
		if err := r.Scan(l.fields()...); err != nil {
			return err
		}
		if l.live(now) && len(out.Links) < 10 {
			out.Links = append(out.Links, s.showLink(l))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return inChunks(ctx, s.DB, "count rows", "select count(*) from consent_ledger where contact in (%s)", nil, group, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		out.Rows += n
		return err
	})
}

// suppressedOf lists the addresses of a contact that are on the suppression list.
func (s *Service) suppressedOf(ctx context.Context, num int64) ([]Suppression, error) {
	out := []Suppression{}
	if any, err := s.anyBarred(ctx); err != nil || !any {
		return out, err
	}
	has, err := s.Contacts.Addresses(ctx, []int64{num})
	if err != nil {
		return nil, err
	}
	for _, a := range has[num] {
		var p Suppression
		var whole, at int64
		err := s.DB.QueryRow(ctx, "select id, kind, masked, whole, reason, source, created_at, by_name from consent_suppressions where kind = $1 and lookup = $2", a.Kind, a.Lookup).
			Scan(&p.ID, &p.Kind, &p.Masked, &whole, &p.Reason, &p.Source, &at, &p.By)
		if db.NoRows(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read suppression: %w", err)
		}
		p.Whole, p.CreatedAt = whole != 0, clock.FromMs(at)
		out = append(out, p)
	}
	return out, nil
}

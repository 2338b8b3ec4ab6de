package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
)

// Total is how many people stand how, for one purpose and channel.
type Total struct {
	Purpose   string  `json:"purpose"`
	Channel   Channel `json:"channel"`
	Granted   int64   `json:"granted"`
	Withdrawn int64   `json:"withdrawn"`
	Unknown   int64   `json:"unknown"`
}

// Totals counts people by what they said.
type Totals struct {
	People       int64   `json:"people"`
	DoNotContact int64   `json:"doNotContact"`
	Suppressed   int64   `json:"suppressed" doc:"Addresses on the suppression list"`
	Rows         int64   `json:"rows" doc:"Rows of the ledger"`
	Items        []Total `json:"items"`
}

// Totals counts people by purpose and channel: one read of an index for each purpose.
func (s *Service) Totals(ctx context.Context) (Totals, error) {
	out := Totals{Items: []Total{}}
	list, err := s.Purposes(ctx)
	if err != nil {
		return out, err
	}
	if out.People, err = s.Contacts.Count(ctx, contact.Selection{}); err != nil {
		return out, err
	}
	counts, err := s.tallies(ctx, list)
	if err != nil {
		return out, err
	}
	for _, p := range list {
		if p.Archived {
			continue
		}
		by := counts[p.ID]
		chs := p.Channels
		if len(chs) == 0 {
			chs = []Channel{All}
		}
		for _, c := range chs {
			m, _ := bitOf(c)
			t := Total{Purpose: p.ID, Channel: c}
			for _, x := range by {
				if x.granted&m != 0 {
					t.Granted += x.n
				}
				if x.withdrawn&m != 0 {
					t.Withdrawn += x.n
				}
			}
			t.Unknown = max(0, out.People-t.Granted-t.Withdrawn)
			out.Items = append(out.Items, t)
		}
	}
	for _, x := range counts[Everything] {
		if x.withdrawn&useBit != 0 {
			out.DoNotContact += x.n
		}
	}
	err = errors.Join(
		s.DB.QueryRow(ctx, "select count(*) from consent_suppressions").Scan(&out.Suppressed),
		s.DB.QueryRow(ctx, "select seq from consent_head where name = 'ledger'").Scan(&out.Rows))
	return out, err
}

type tallied struct {
	granted, withdrawn mask
	n                  int64
}

// tallies counts people by purpose: from an index for whoever sees everybody, else
// by reading what those said whom the caller may see.
func (s *Service) tallies(ctx context.Context, list purposes) (map[string][]tallied, error) {
	out := map[string][]tallied{}
	if auth.ScopeOf(ctx).All {
		for _, id := range append(idsOf(list), Everything) {
			by, err := s.tally(ctx, id)
			if err != nil {
				return nil, err
			}
			out[id] = by
		}
		return out, nil
	}
	err := s.inScope(ctx, 0, func(_ []int64, have map[stateKey]stand) bool {
		for k, st := range have {
			g, w, _ := st.masks()
			out[k.purpose] = append(out[k.purpose], tallied{g, w, 1})
		}
		return true
	})
	return out, err
}

func idsOf(list purposes) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.ID
	}
	return out
}

// inScope walks the people whom the caller may see, with what they said, until fn says so.
func (s *Service) inScope(ctx context.Context, after int64, fn func(nums []int64, have map[stateKey]stand) bool) error {
	for {
		nums, err := s.Contacts.Walk(ctx, contact.Selection{}, after, 500)
		if err != nil || len(nums) == 0 {
			return err
		}
		have, err := s.stands(ctx, nums)
		if err != nil || !fn(nums, have) {
			return err
		}
		after = nums[len(nums)-1]
	}
}

// tally counts the people of a purpose by what they said, from an index alone.
func (s *Service) tally(ctx context.Context, purpose string) ([]tallied, error) {
	rows, err := s.DB.Query(ctx, "select granted, withdrawn, count(*) from consent_state where purpose = $1 and shown = 1 group by granted, withdrawn", purpose)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (t tallied, err error) { return t, r.Scan(&t.granted, &t.withdrawn, &t.n) })
	if err != nil {
		return nil, fmt.Errorf("count consents: %w", err)
	}
	return out, nil
}

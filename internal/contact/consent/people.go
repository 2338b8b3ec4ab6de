package consent

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// PeopleQuery asks who stands behind a number of Totals.
type PeopleQuery struct {
	Purpose string
	Channel Channel
	State   State
	Cursor  string
	Limit   int
}

// PeoplePage is the people behind a number.
type PeoplePage struct {
	Items []contact.Row `json:"items"`
	Next  string        `json:"next,omitempty"`
	Total int64         `json:"total"`
}

type peopleCursor struct {
	After int64 `json:"a"`
	Total int64 `json:"t"`
}

// People lists who stands behind a number of Totals: their count equals it.
func (s *Service) People(ctx context.Context, q PeopleQuery) (PeoplePage, error) {
	out := PeoplePage{Items: []contact.Row{}}
	var c peopleCursor
	if err := httpx.DecodeCursor(q.Cursor, &c); err != nil {
		return out, err
	}
	if q.Purpose != Everything {
		if _, err := s.question(ctx, q.Purpose, q.Channel); err != nil {
			return out, err
		}
	} else {
		q.Channel = All
	}
	m, _ := bitOf(q.Channel)
	var nums []int64
	var err error
	switch {
	case !slices.Contains([]State{Granted, Withdrawn, Unknown}, q.State):
		return out, errs.New(errs.Invalid, "request.invalid").On(errs.At("state", "consent.bad_state"))
	case !auth.ScopeOf(ctx).All:
		nums, err = s.seen(ctx, q, m, &c)
	case q.State != Unknown:
		nums, err = s.said(ctx, q.Purpose, m, q.State, &c, q.Limit+1)
	default:
		nums, err = s.silent(ctx, q.Purpose, m, &c, q.Limit+1)
	}
	if err != nil {
		return out, err
	}
	out.Total = c.Total
	if len(nums) > q.Limit {
		nums = nums[:q.Limit]
		out.Next = httpx.EncodeCursor(peopleCursor{nums[q.Limit-1], c.Total})
	}
	out.Items, err = s.Contacts.ListByNums(ctx, nums)
	return out, err
}

// seen lists, of the people whom the caller may see, those who stand so.
func (s *Service) seen(ctx context.Context, q PeopleQuery, m mask, c *peopleCursor) ([]int64, error) {
	first, total := c.Total == 0, int64(0)
	var out []int64
	err := s.inScope(ctx, c.After, func(nums []int64, have map[stateKey]stand) bool {
		for _, n := range nums {
			st := have[stateKey{n, q.Purpose}]
			is := st.of(m).state
			if is != q.State && (is != "" || q.State != Unknown) {
				continue
			}
			if total++; len(out) <= q.Limit {
				out = append(out, n)
			}
		}
		return first || len(out) <= q.Limit
	})
	if first {
		c.Total = total
	}
	return out, err
}

// said lists people who said something of a purpose and channel, by number.
func (s *Service) said(ctx context.Context, purpose string, m mask, st State, c *peopleCursor, limit int) ([]int64, error) {
	col := "granted"
	if st == Withdrawn {
		col = "withdrawn"
	}
	where := "purpose = $1 and shown = 1 and " + col + " & $2 <> 0"
	if c.Total == 0 {
		if err := s.DB.QueryRow(ctx, "select count(*) from consent_state where "+where, purpose, int64(m)).Scan(&c.Total); err != nil {
			return nil, fmt.Errorf("count consents: %w", err)
		}
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select contact from consent_state where %s and contact > $3 order by contact limit %d", where, limit), purpose, int64(m), c.After)
	return db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
}

// silent lists people who said nothing: everybody but those who did.
func (s *Service) silent(ctx context.Context, purpose string, m mask, c *peopleCursor, limit int) ([]int64, error) {
	if c.Total == 0 {
		people, err := s.Contacts.Count(ctx, contact.Selection{})
		if err != nil {
			return nil, err
		}
		var spoke int64
		if err := s.DB.QueryRow(ctx, "select count(*) from consent_state where purpose = $1 and shown = 1 and (granted | withdrawn) & $2 <> 0", purpose, int64(m)).Scan(&spoke); err != nil {
			return nil, fmt.Errorf("count consents: %w", err)
		}
		c.Total = max(0, people-spoke)
	}
	var out []int64
	for after := c.After; len(out) < limit; {
		part, err := s.Contacts.Walk(ctx, contact.Selection{}, after, 500)
		if err != nil || len(part) == 0 {
			return out, err
		}
		after = part[len(part)-1]
		spoke := map[int64]bool{}
		err = s.numbers(ctx, spoke, "select contact from consent_state where purpose = $1 and (granted | withdrawn) & $2 <> 0 and contact >= $3 and contact <= $4", purpose, int64(m), part[0], after)
		if err != nil {
			return nil, err
		}
		for _, n := range part {
			if !spoke[n] {
				out = append(out, n)
			}
		}
	}
	return out[:min(limit, len(out))], nil
}

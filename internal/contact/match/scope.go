package match

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
)

// Whoever sees everybody's customers counts pairs in the database, from an index
// alone. Others count the pairs of which they may see both people: they are walked.

// light is what counting needs of a pair.
type light struct {
	id       string
	e        entry
	state    State
	weight   int64
	reviewed bool
}

// visible gives the pairs of a condition of which the caller may see both people.
func (s *Service) visible(ctx context.Context, cond string, args []any, fn func(light)) error {
	for after := ""; ; {
		rows, err := s.DB.Query(ctx, fmt.Sprintf("select id, a, b, state, weight, reviewed from match_pairs where %s and id > $%d order by id limit 1000", cond, len(args)+1), append(args[:len(args):len(args)], after)...)
		page, err := db.Collect(rows, err, func(r *sql.Rows) (x light, err error) {
			var reviewed int64
			err = r.Scan(&x.id, &x.e.hi, &x.e.lo, &x.state, &x.weight, &reviewed)
			x.reviewed = reviewed == 1
			return x, err
		})
		if err != nil {
			return fmt.Errorf("count pairs: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		after = page[len(page)-1].id
		nums := make([]int64, 0, 2*len(page))
		for _, x := range page {
			nums = append(nums, x.e.hi, x.e.lo)
		}
		seen, err := s.Contacts.InScope(ctx, nums)
		if err != nil {
			return err
		}
		mine := make(map[int64]bool, len(seen))
		for _, n := range seen {
			mine[n] = true
		}
		for _, x := range page {
			if mine[x.e.hi] && mine[x.e.lo] {
				fn(x)
			}
		}
	}
}

// sumVisible is the part of Summary that depends on whose customers the caller sees.
func (s *Service) sumVisible(ctx context.Context, out *Summary) error {
	out.Bands = emptyBands()
	return s.visible(ctx, "state <> 'joined'", nil, func(x light) {
		listed := x.weight >= weightOf(out.Settings.From)
		switch {
		case x.state == Open && listed:
			out.Open++
		case x.state == Postponed && listed:
			out.Postponed++
		case x.state == Merged:
			out.Merged++
		case x.state == Rejected:
			out.Rejected++
		}
		for i := range out.Bands {
			b := &out.Bands[i]
			if x.weight < weightOf(b.From) || x.weight >= weightOf(b.To) {
				continue
			}
			switch {
			case x.state == Open:
				b.Open++
			case x.state == Merged && x.reviewed:
				b.Right++
			case x.state == Rejected && x.reviewed:
				b.Wrong++
			}
		}
	})
}

// waitingFor is how long the number of waiting pairs beside the navigation may be
// old: every page of the console asks for it.
const waitingFor = 20 * time.Second

// kept remembers how many pairs wait, for everybody or for one person.
type kept struct {
	mu sync.Mutex
	by map[string]keptCount
}

type keptCount struct {
	n  int64
	at time.Time
}

// drop forgets all: somebody decided a pair.
func (k *kept) drop() {
	k.mu.Lock()
	k.by = nil
	k.mu.Unlock()
}

// OpenCount is the number of pairs that wait for a decision of the caller, up to
// twenty seconds old.
func (s *Service) OpenCount(ctx context.Context) (int64, error) {
	who, now := "", s.Clock.Now()
	if !auth.ScopeOf(ctx).All {
		who = principal(ctx).ID
	}
	s.counts.mu.Lock()
	c, ok := s.counts.by[who]
	s.counts.mu.Unlock()
	if age := now.Sub(c.at); ok && age >= 0 && age < waitingFor {
		return c.n, nil
	}
	n, err := s.Count(ctx, Query{})
	if err != nil {
		return 0, err
	}
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	if s.counts.by == nil || len(s.counts.by) > 1000 {
		s.counts.by = map[string]keptCount{}
	}
	s.counts.by[who] = keptCount{n, now}
	return n, nil
}

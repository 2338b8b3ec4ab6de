package livecode

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// The states of a welcome.
const (
	claimed = "claimed"
	sent    = "sent"
	refused = "refused"
	unknown = "unknown" // it may or may not have arrived
	late    = "late"    // its 20 seconds were over before it could be sent
)

// claimRow is one welcome to be claimed.
type claimRow struct {
	Scan
	code  string
	hook  bool // the code has one: the answer says whether it is theirs to give
	gift  string
	late  bool
	lease int64
}

// claimed is what became of a claim.
type claimAnswer struct {
	mine bool // claimed just now, or an earlier life of this node did
	live bool // another node is at it
	hook bool // the person gets the hook with it
	was  string
	err  error
}

// outcome is what became of a welcome.
type outcome struct {
	claimRow
	state     string
	tries     int
	took      int64
	fault     string
	faultCode int
	withHook  bool
	fact      *event.Fact
}

// claims writes claims and outcomes of many scans in one transaction: while one
// is written, those that come wait and go together. At 200 scans a second each
// alone would be 400 transactions.
type claims struct {
	service *Service
	mu      sync.Mutex
	busy    bool
	asks    []*asking
}

type asking struct {
	row  *claimRow
	end  *outcome
	ans  claimAnswer
	done chan struct{}
}

// mostTogether bounds one transaction.
const mostTogether = 100

func (c *claims) do(ctx context.Context, a *asking) claimAnswer {
	a.done = make(chan struct{})
	c.mu.Lock()
	c.asks = append(c.asks, a)
	lead := !c.busy
	c.busy = true
	c.mu.Unlock()
	if lead {
		c.run(context.WithoutCancel(ctx))
	}
	<-a.done
	return a.ans
}

// run writes until nobody waits.
func (c *claims) run(ctx context.Context) {
	for {
		c.mu.Lock()
		n := min(len(c.asks), mostTogether)
		if n == 0 {
			c.busy = false
			c.mu.Unlock()
			return
		}
		some := c.asks[:n:n]
		c.asks = c.asks[n:]
		c.mu.Unlock()
		c.together(ctx, some)
	}
}

// together writes some in one transaction; in two when gifts are claimed and others
// settled: each locks gifts in one order, and two nodes never wait for each other.
func (c *claims) together(ctx context.Context, some []*asking) {
	claiming := func(a *asking) bool { return a.row != nil && a.row.hook }
	settling := func(a *asking) bool { return a.end != nil && a.end.hook }
	if slices.ContainsFunc(some, claiming) && slices.ContainsFunc(some, settling) {
		var rows, ends []*asking
		for _, a := range some {
			if a.end != nil {
				ends = append(ends, a)
			} else {
				rows = append(rows, a)
			}
		}
		c.write(ctx, ends)
		c.write(ctx, rows)
		return
	}
	c.write(ctx, some)
}

func (c *claims) write(ctx context.Context, some []*asking) {
	slices.SortStableFunc(some, func(a, b *asking) int {
		switch { // claims come first; they are put in order where they are written
		case a.end == nil && b.end == nil:
			return 0
		case a.end == nil:
			return -1
		case b.end == nil:
			return 1
		}
		return cmp.Or(cmp.Compare(a.end.gift, b.end.gift), cmp.Compare(a.end.Customer, b.end.Customer), cmp.Compare(a.end.Key, b.end.Key))
	})
	err := c.service.DB.Tx(ctx, func(ctx context.Context) error {
		for _, a := range some {
			a.ans = claimAnswer{}
		}
		if err := c.service.writeClaims(ctx, some); err != nil {
			return err
		}
		return c.service.writeOutcomes(ctx, some)
	})
	for _, a := range some {
		if err != nil {
			a.ans = claimAnswer{err: err}
		}
		close(a.done)
	}
}

func (s *Service) writeClaims(ctx context.Context, some []*asking) error {
	now := clock.Ms(s.Clock.Now())
	first := map[string]*asking{}
	var values []string
	var args []any
	for _, a := range some {
		if a.row == nil {
			continue
		}
		if _, twice := first[a.row.Key]; twice { // the same callback twice at once
			a.ans = claimAnswer{live: true}
			continue
		}
		first[a.row.Key] = a
		state, fault := claimed, ""
		if a.row.late {
			state, fault = late, faultLate
		}
		n := len(args)
		values = append(values, fmt.Sprintf("($%d, $%d, $%d, $%d, $%d, $%d, $%d, cast($%d as bigint), cast($%d as bigint), 0, 0, 0, $%d, 0)", n+1, n+2, n+3, n+4, n+5, n+6, n+7, n+8, n+9, n+10))
		args = append(args, a.row.Key, a.row.code, a.row.Account, a.row.Staff, a.row.Customer, state, s.Node, a.row.lease, clock.Ms(a.row.At), fault)
	}
	if len(values) == 0 {
		return nil
	}
	rows, err := s.DB.Query(ctx, `insert into livecode_welcomes (id, code, account, staff, person, state, node, lease, at, sent_at, took, tries, fault, fault_code) values `+
		strings.Join(values, ", ")+" on conflict (id) do nothing returning id", args...)
	fresh, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return fmt.Errorf("claim welcomes: %w", err)
	}
	for _, id := range fresh {
		first[id].ans.mine = true
	}
	// In one order on all nodes, so that none waits for another that waits for it.
	ids := slices.SortedFunc(maps.Keys(first), func(x, y string) int {
		a, b := first[x].row, first[y].row
		return cmp.Or(cmp.Compare(a.gift, b.gift), cmp.Compare(a.Customer, b.Customer), cmp.Compare(x, y))
	})
	var withheld []event.Fact
	for _, id := range ids {
		a := first[id]
		if !a.ans.mine {
			if err := s.takeOver(ctx, id, a, now); err != nil {
				return err
			}
		}
		if a.ans.mine && a.row.hook && !a.row.late {
			var before *had
			if a.ans.hook, before, err = s.claimGift(ctx, a.row, now); err != nil {
				return err
			}
			if before != nil {
				withheld = append(withheld, s.withheldFact(a.row, before))
			}
		}
	}
	if len(withheld) == 0 {
		return nil
	}
	if err := s.Emit.Emit(ctx, withheld...); err != nil {
		return fmt.Errorf("state gifts that were had: %w", err)
	}
	return nil
}

// takeOver looks at a welcome that was claimed before. One that an earlier life
// of this node left is its own again; another node's is, once its lease is over.
func (s *Service) takeOver(ctx context.Context, id string, a *asking, now int64) error {
	var state, node string
	var lease int64
	if err := s.DB.QueryRow(ctx, "select state, node, lease from livecode_welcomes where id = $1", id).Scan(&state, &node, &lease); err != nil {
		return fmt.Errorf("read welcome: %w", err)
	}
	a.ans.was = state
	if state != claimed {
		return nil
	}
	if node != s.Node && lease > now {
		a.ans.live = true
		return nil
	}
	to, fault := claimed, ""
	if a.row.late { // it was claimed in time, and what became of it nobody knows
		to, fault = unknown, faultUnknown
	}
	if _, err := s.DB.Exec(ctx, "update livecode_welcomes set state = $2, node = $3, lease = $4, fault = $5 where id = $1", id, to, s.Node, a.row.lease, fault); err != nil {
		return fmt.Errorf("take welcome over: %w", err)
	}
	a.ans.mine = true
	return nil
}

func (s *Service) writeOutcomes(ctx context.Context, some []*asking) error {
	now := clock.Ms(s.Clock.Now())
	var facts []event.Fact
	for _, a := range some {
		o := a.end
		if o == nil {
			continue
		}
		at := int64(0)
		if o.state == sent {
			at = now
		}
		if _, err := s.DB.Exec(ctx, "update livecode_welcomes set state = $2, sent_at = $3, took = $4, tries = $5, fault = $6, fault_code = $7, lease = 0 where id = $1",
			o.Key, o.state, at, o.took, o.tries, o.fault, o.faultCode); err != nil {
			return fmt.Errorf("keep what became of a welcome: %w", err)
		}
		if o.hook {
			if err := s.giftOutcome(ctx, o, now); err != nil {
				return err
			}
		}
		if o.fact != nil {
			facts = append(facts, *o.fact)
		}
	}
	if len(facts) == 0 {
		return nil
	}
	if err := s.Emit.Emit(ctx, facts...); err != nil {
		return fmt.Errorf("state welcomes: %w", err)
	}
	return nil
}

package connector

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// The outcomes of a call beside the codes of refusals.
const (
	outcomeVerified = "verified" // it was the platform's
	outcomeProved   = "proved"   // the platform asked whether the address is ours
	outcomeBarred   = "barred"   // from where too many wrong ones came
)

const (
	// flushEvery is how often the counts of calls are written down; what is counted
	// between may be lost in a crash.
	flushEvery = 2 * time.Second
	// badMost wrong calls in badWithin from one address, which never made a right
	// one, and it is not listened to until badWithin is over.
	badMost   = 30
	badWithin = time.Minute
	maxBad    = 10_000 // addresses that are remembered
)

// calls counts how calls went and remembers who calls wrongly.
type calls struct {
	mu   sync.Mutex
	news map[callKey]*callNews
	bad  map[string]*badCaller
}

type callKey struct{ account, kind, outcome string }

type callNews struct {
	n           int64
	first, last int64
}

type badCaller struct {
	n     int
	until time.Time
	right bool // it made a right one within the hour: it is the platform's, or a proxy before it
}

func (c *calls) caller(ip, account string, now time.Time) *badCaller {
	k := ip + " " + account
	b, ok := c.bad[k]
	if ok && now.Before(b.until) {
		return b
	}
	if len(c.bad) >= maxBad {
		for k, b := range c.bad {
			if !now.Before(b.until) {
				delete(c.bad, k)
			}
		}
		if len(c.bad) >= maxBad { // somebody has very many addresses: what they cost is a signature each
			clear(c.bad)
		}
	}
	b = &badCaller{until: now.Add(badWithin)}
	c.bad[k] = b
	return b
}

func (c *calls) barred(ip, account string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok := c.bad[ip+" "+account]
	return ok && now.Before(b.until) && !b.right && b.n >= badMost
}

func (c *calls) wrong(ip, account string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.caller(ip, account, now).n++
}

func (c *calls) right(ip, account string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.caller(ip, account, now)
	b.right, b.until = true, now.Add(time.Hour)
}

// called counts a call.
func (s *Service) called(a Account, outcome string) {
	s.inbox.received.WithLabelValues(a.Kind, strings.TrimPrefix(outcome, "connector.")).Inc()
	now := clock.Ms(s.Clock.Now())
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	k := callKey{a.ID, a.Kind, outcome}
	n := s.calls.news[k]
	if n == nil {
		n = &callNews{first: now}
		s.calls.news[k] = n
	}
	n.n++
	n.last = now
}

// flushCalls writes down what was counted since the last time.
func (s *Service) flushCalls(ctx context.Context) {
	s.calls.mu.Lock()
	news := s.calls.news
	s.calls.news = map[callKey]*callNews{}
	s.calls.mu.Unlock()
	if len(news) == 0 {
		return
	}
	err := s.DB.Tx(context.WithoutCancel(ctx), func(ctx context.Context) error {
		for k, n := range news {
			// A call that came from before an account was deleted leaves nothing.
			if _, err := s.DB.Exec(ctx, `insert into connector_calls (account, outcome, count, first_at, last_at)
				select id, $2, $3, $4, $5 from connector_accounts where id = $1
				on conflict (account, outcome) do update set count = connector_calls.count + excluded.count, last_at = excluded.last_at`, k.account, k.outcome, n.n, n.first, n.last); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "the counts of calls cannot be written down", "error", err)
	}
}

// Calls are the calls of one outcome that an account got.
type Calls struct {
	Outcome string    `json:"outcome" doc:"verified, proved (the platform tested the address), barred, or the code of a refusal"`
	Words   string    `json:"message,omitempty" doc:"A refusal in words"`
	Count   int64     `json:"count"`
	FirstAt time.Time `json:"firstAt"`
	LastAt  time.Time `json:"lastAt"`
}

func (s *Service) callsOf(ctx context.Context) (map[string][]Calls, error) {
	s.flushCalls(ctx)
	out := map[string][]Calls{}
	rows, err := s.DB.Query(ctx, "select account, outcome, count, first_at, last_at from connector_calls order by account, last_at desc, outcome")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var id string
		var c Calls
		var first, last int64
		err = r.Scan(&id, &c.Outcome, &c.Count, &first, &last)
		c.FirstAt, c.LastAt = clock.FromMs(first), clock.FromMs(last)
		out[id] = append(out[id], c)
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("read calls: %w", err)
	}
	return out, nil
}

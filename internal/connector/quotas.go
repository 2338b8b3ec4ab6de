package connector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// errSpent is what people read when a quota is used up.
var errSpent = errs.New(errs.TooMany, "connector.quota_spent")

// quotas are the parts of large quotas that this node took ahead, so that not each
// call to a platform costs a write. What a node took and did not use is lost until
// the stretch ends: it calls too little rather than too much.
type quotas struct {
	mu   sync.Mutex
	held map[quotaKey]*held
}

type quotaKey struct{ account, name, subject string }

// held is what is left of one quota's parts, by its periods.
type held struct {
	mu         sync.Mutex
	generation int64
	parts      map[string]part
}

type part struct {
	bucket int64
	left   int64
}

const (
	// aheadShare of a quota is taken at once, and at most aheadMost.
	aheadShare = 200
	aheadMost  = 100
	// maxHeld bounds what is kept in memory.
	maxHeld = 2000
)

// ahead is how much is taken at once of a quota.
func ahead(most int64) int64 { return min(most/aheadShare, aheadMost) }

func (q *quotas) forget(account string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for k := range q.held {
		if k.account == account {
			delete(q.held, k)
		}
	}
}

func (q *quotas) get(k quotaKey, generation int64) *held {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.held[k]
	if h == nil || h.generation != generation {
		if len(q.held) >= maxHeld {
			clear(q.held) // rare, and costs no more than what was taken ahead
		}
		h = &held{generation: generation, parts: map[string]part{}}
		q.held[k] = h
	}
	return h
}

// wanted is one limit that a call has to keep.
type wanted struct {
	Quota
	most     int64
	from, to time.Time
	gone     time.Time
	period   period
}

// take takes n of a quota: nil, or a Later.
func (s *Service) take(ctx context.Context, a Account, k Kind, name, subject string, n int64) error {
	now := s.Clock.Now()
	var all []wanted
	large := true
	for _, q := range k.Quotas {
		most := q.limit(a)
		if q.Name != name || most == 0 && q.Most == 0 && a.Settings[settingQuota+q.Name+"."+q.Per] == "" {
			continue
		}
		w := wanted{Quota: q, most: most, period: mustPeriod(q.Per)}
		w.from, w.to = w.period.bucket(now)
		w.gone = w.period.gone(w.to)
		large = large && ahead(most) > n && w.period.last == 0
		all = append(all, w)
	}
	hashed := ""
	if subject != "" {
		hashed = s.Keys.Index(subjectField, subject)
	}
	if len(all) == 0 { // the platform may say so of what we know no limit of
		return s.halted(ctx, a, name, hashed)
	}
	if !large {
		return s.reserve(ctx, a, name, hashed, all, n, nil)
	}
	h := s.quotas.get(quotaKey{a.ID, name, subject}, a.generation)
	h.mu.Lock()
	defer h.mu.Unlock()
	enough := true
	for _, w := range all {
		p := h.parts[w.Per]
		enough = enough && p.bucket == clock.Ms(w.from) && p.left >= n
	}
	if !enough {
		return s.reserve(ctx, a, name, hashed, all, n, h)
	}
	for _, w := range all {
		p := h.parts[w.Per]
		p.left -= n
		h.parts[w.Per] = p
	}
	return nil
}

// reserve takes n from the table, and for h a part ahead of what is left.
func (s *Service) reserve(ctx context.Context, a Account, name, subject string, all []wanted, n int64, h *held) error {
	taken := map[string]int64{}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.halted(ctx, a, name, subject); err != nil {
			return err
		}
		clear(taken)
		for _, w := range all {
			more := int64(0)
			if h != nil {
				if p := h.parts[w.Per]; p.bucket == clock.Ms(w.from) && p.left >= n {
					continue
				}
				more = ahead(w.most) - n
			}
			used, err := s.count(ctx, a, subject, w, n+more)
			if err != nil {
				return err
			}
			if used > w.most && more > 0 { // the rest is small: no more than is needed
				if used, err = s.count(ctx, a, subject, w, -more); err != nil {
					return err
				}
				more = 0
			}
			if used > w.most {
				until, err := s.room(ctx, a, subject, w)
				if err != nil {
					return err
				}
				return s.spent(a, name, until)
			}
			taken[w.Per] = n + more
		}
		return nil
	})
	if err != nil {
		var later *Later
		if errors.As(err, &later) {
			return later
		}
		return fmt.Errorf("take %s: %w", name, err)
	}
	if h == nil {
		return nil
	}
	for _, w := range all {
		p := h.parts[w.Per]
		if p.bucket != clock.Ms(w.from) {
			p = part{bucket: clock.Ms(w.from)}
		}
		p.left += taken[w.Per] - n
		h.parts[w.Per] = p
	}
	return nil
}

func (s *Service) spent(a Account, name string, until time.Time) error {
	e := errSpent.With("quota", name, "account", a.Name, "until", until.In(china).Format("01-02 15:04"))
	e.RetryAfter = int(max(time.Second, until.Sub(s.Clock.Now())) / time.Second)
	return Wait(until, e)
}

// count adds n to what was taken and tells how much that is in the whole period.
// The row is written first: whoever comes at the same time waits for it.
func (s *Service) count(ctx context.Context, a Account, subject string, w wanted, n int64) (used int64, err error) {
	_, err = s.DB.Exec(ctx, `insert into connector_quotas (account, name, per, subject, bucket, used, gone) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (account, name, per, subject, bucket) do update set used = connector_quotas.used + excluded.used`,
		a.ID, w.Name, w.Per, subject, clock.Ms(w.from), n, clock.Ms(w.gone))
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	err = s.DB.QueryRow(ctx, "select coalesce(sum(used), 0) from connector_quotas where account = $1 and name = $2 and per = $3 and subject = $4 and gone > $5",
		a.ID, w.Name, w.Per, subject, clock.Ms(s.Clock.Now())).Scan(&used)
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return used, nil
}

// room is when the first of what was taken counts no more.
func (s *Service) room(ctx context.Context, a Account, subject string, w wanted) (time.Time, error) {
	var gone int64
	err := s.DB.QueryRow(ctx, "select coalesce(min(gone), 0) from connector_quotas where account = $1 and name = $2 and per = $3 and subject = $4 and gone > $5",
		a.ID, w.Name, w.Per, subject, clock.Ms(s.Clock.Now())).Scan(&gone)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for room: %w", err)
	}
	return clock.FromMs(gone), nil
}

// halt keeps that the platform itself says a quota is used up.
func (s *Service) halt(ctx context.Context, a Account, name, subject string, until time.Time) error {
	hashed := ""
	if subject != "" {
		hashed = s.Keys.Index(subjectField, subject)
	}
	_, err := s.DB.Exec(ctx, `insert into connector_halts (account, name, subject, until) values ($1, $2, $3, $4)
		on conflict (account, name, subject) do update set until = excluded.until`, a.ID, name, hashed, clock.Ms(until))
	if err != nil {
		return fmt.Errorf("keep that %s is spent: %w", name, err)
	}
	s.quotas.drop(quotaKey{a.ID, name, subject})
	return nil
}

func (q *quotas) drop(k quotaKey) {
	q.mu.Lock()
	delete(q.held, k)
	q.mu.Unlock()
}

func (s *Service) halted(ctx context.Context, a Account, name, subject string) error {
	var until int64
	err := s.DB.QueryRow(ctx, "select until from connector_halts where account = $1 and name = $2 and subject = $3 and until > $4",
		a.ID, name, subject, clock.Ms(s.Clock.Now())).Scan(&until)
	if db.NoRows(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look whether it is spent: %w", err)
	}
	return s.spent(a, name, clock.FromMs(until))
}

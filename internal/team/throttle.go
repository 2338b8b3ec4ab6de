package team

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
)

// Some failures are free; after that every further one doubles the wait. An
// account allows few, an address more: a whole office may share one. The wait
// is capped low enough that an attacker cannot lock a person out for long.
const (
	freeByAccount = 5
	freeByAddress = 50
	firstWait     = 2 * time.Second
	longestWait   = 5 * time.Minute
	forgetAfter   = 24 * time.Hour
	sweepEvery    = 10 * time.Minute
)

// accountKey hides the e-mail: people type passwords into that field.
func accountKey(email string) string { return "a:" + auth.HashSecret(emailKey(email)) }

// addressKey counts an IPv6 network as one: a home has 2^64 addresses.
func addressKey(ip string) string {
	if a, err := netip.ParseAddr(ip); err == nil && a.Is6() && !a.Is4In6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return "i:" + p.String()
		}
	}
	return "i:" + ip
}

// attempt counts an attempt before it is checked, so that a thousand at once
// get no further than a thousand in turn. It answers ErrThrottled while one of
// the two must wait; such an attempt is not counted.
func (s *Service) attempt(ctx context.Context, account, address string) error {
	s.sweepSometimes(ctx)
	now := s.clock.Now()
	return s.db.Tx(ctx, func(ctx context.Context) error {
		type counter struct {
			key  string
			free int64
			a    attempts
		}
		counters := []counter{{key: account, free: freeByAccount}, {key: address, free: freeByAddress}}
		var wait time.Duration
		for i := range counters {
			c := &counters[i]
			var err error
			if c.a, err = s.store.lockAttempts(ctx, c.key, clock.Ms(now)); err != nil {
				return fmt.Errorf("count attempts: %w", err)
			}
			if now.Sub(clock.FromMs(c.a.last)) >= forgetAfter {
				c.a = attempts{}
			}
			wait = max(wait, clock.FromMs(c.a.blockedUntil).Sub(now))
		}
		if wait > 0 {
			busy := *ErrThrottled.With("seconds", seconds(wait))
			busy.RetryAfter = seconds(wait)
			return &busy
		}
		for _, c := range counters {
			c.a.failures++
			c.a.last = clock.Ms(now)
			c.a.blockedUntil = 0
			if over := c.a.failures - c.free; over >= 0 {
				c.a.blockedUntil = clock.Ms(now.Add(waitFor(over)))
			}
			if err := s.store.setAttempts(ctx, c.key, c.a); err != nil {
				return fmt.Errorf("count attempts: %w", err)
			}
		}
		return nil
	})
}

func waitFor(over int64) time.Duration {
	if over > 10 {
		return longestWait
	}
	return min(firstWait<<over, longestWait)
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// sweeper remembers when old rows were last removed.
type sweeper struct {
	mu   sync.Mutex
	last time.Time
}

func (w *sweeper) due(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if age := now.Sub(w.last); age >= 0 && age < sweepEvery {
		return false
	}
	w.last = now
	return true
}

// sweepSometimes keeps the tables of sessions and attempts bounded. It rides on
// sign-ins, the only thing that makes them grow; a failure is only logged.
func (s *Service) sweepSometimes(ctx context.Context) {
	now := s.clock.Now()
	if !s.sweeps.due(now) {
		return
	}
	seen, created := sessionLimits(now)
	if err := s.store.sweep(ctx, seen, created, clock.Ms(now.Add(-forgetAfter))); err != nil {
		s.log.WarnContext(ctx, "old sessions not removed", "error", err)
	}
}

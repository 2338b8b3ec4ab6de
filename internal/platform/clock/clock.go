// Package clock answers: what time is it? Injected everywhere so that tests own time.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time. System is the real one; Fake is for tests.
type Clock interface {
	// Now is the current time in UTC, cut to milliseconds, as we store it.
	Now() time.Time
}

// System reads the machine's clock.
type System struct{}

// Now implements Clock.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Fake is a clock that moves only when told. The zero value starts at the zero time; use NewFake.
type Fake struct {
	mu sync.Mutex
	t  time.Time
}

// NewFake starts a fake clock at t.
func NewFake(t time.Time) *Fake { return &Fake{t: t.UTC().Truncate(time.Millisecond)} }

// Now implements Clock.
func (f *Fake) Now() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.t }

// Advance moves the clock forward (or back, with a negative d).
func (f *Fake) Advance(d time.Duration) { f.mu.Lock(); f.t = f.t.Add(d); f.mu.Unlock() }

// Set puts the clock at t.
func (f *Fake) Set(t time.Time) {
	f.mu.Lock()
	f.t = t.UTC().Truncate(time.Millisecond)
	f.mu.Unlock()
}

// Ms is t as UTC milliseconds, the form every table keeps. The zero time is 0.
func Ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// FromMs is the inverse of Ms: 0 gives the zero time.
func FromMs(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

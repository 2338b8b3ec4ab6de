package contact

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
)

var errGuessing = errs.New(errs.TooMany, "contact.too_many_lookups")

// Whoever sees phone numbers masked may still look one up in full, to find a
// caller. Trying out the four hidden digits takes up to 10,000 look-ups; at
// this pace that is most of a working day, while nobody who answers calls
// comes near it.
const (
	guessEvery = 3 * time.Second
	guessBurst = 40
	maxGuesser = 4096
	// maxRemembered is how many values of rules are remembered of a caller.
	maxRemembered = 512
)

// guessLimit paces look-ups of personal values, by caller.
type guessLimit struct {
	mu sync.Mutex
	by map[string]*guesser
}

// guesser is one caller, with the values that they asked for in rules: a rule is
// read several times for one answer, and on every page.
type guesser struct {
	pace  *rate.Limiter
	asked map[string]bool
}

// allow counts one look-up of a personal value by the caller of ctx. Those who
// may see personal values in full, and the program itself, are not held back.
func (g *guessLimit) allow(ctx context.Context, now time.Time) error {
	return g.allowValue(ctx, now, "")
}

// allowValue is allow for a value of a rule, which counts once.
func (g *guessLimit) allowValue(ctx context.Context, now time.Time, value string) error {
	p := auth.From(ctx)
	if p == nil || p.May(auth.ContactUnmask) {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.by == nil || len(g.by) >= maxGuesser {
		g.by = map[string]*guesser{}
	}
	l := g.by[p.ID]
	if l == nil {
		l = &guesser{pace: rate.NewLimiter(rate.Every(guessEvery), guessBurst), asked: map[string]bool{}}
		g.by[p.ID] = l
	}
	if l.asked[value] {
		return nil
	}
	if l.pace.AllowN(now, 1) {
		if value != "" {
			if len(l.asked) >= maxRemembered {
				clear(l.asked)
			}
			l.asked[value] = true
		}
		return nil
	}
	e := *errGuessing
	e.RetryAfter = int(guessEvery.Seconds())
	return &e
}

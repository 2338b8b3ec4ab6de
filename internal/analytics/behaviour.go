package analytics

import (
	"context"
	"time"

	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// BehaviourQuery asks whom conditions on behaviour hold for. Contacts are meant
// as they are now: facts of merged contacts belong to the one they are part of,
// which answers for all of them.
type BehaviourQuery struct {
	Leaves []rule.Behaviour // checked by package rule
	Among  []int64          // only these, ascending; nil: everybody
	// Matters, with Among, tells which answers anybody looks at: the others may be
	// wrong. nil: all of them.
	Matters func(leaf int, contact int64) bool
	// Share, from 2 on and without Among, asks about a sample alone: one contact in
	// so many, those of InShare. What the answers say of others means nothing.
	Share int
	Now   time.Time
	Zone  *time.Location // of the company: where days begin
}

// ShareMix spreads contact numbers, which follow each other by age, over 32 bits
// (the golden ratio of 2^32, Knuth, The Art of Computer Programming, vol. 3, 6.4).
const ShareMix = 2654435761

// InShare tells whether a contact is in the sample of one in so many. It is
// always the same one.
func InShare(contact int64, of int) bool {
	return of <= 1 || uint64(contact&(1<<31-1))*ShareMix&(1<<32-1) < ShareLimit(of)
}

// ShareLimit bounds the sample of one in so many, for engines that find it
// themselves: (contact & 2^31-1) * ShareMix & 2^32-1 is below it.
func ShareLimit(of int) uint64 { return (1 << 32) / uint64(of) }

// Behaviours is an engine that answers conditions on behaviour, many in one scan.
type Behaviours interface {
	// Behaviour gives whom each of the leaves holds for. A condition that holds for
	// those who did nothing (fewer than three, never) is answered by all but a set.
	// With Among, answers speak of those numbers alone; what they say of others
	// means nothing. Answers mean what package rule says of one contact's facts.
	Behaviour(ctx context.Context, q BehaviourQuery) ([]numset.Choice, error)
}

// Witness is an engine that shows what a contact did about conditions on behaviour.
type Witness interface {
	// Evidence tells for each of the leaves what makes it hold, or not, for the
	// one contact in Among.
	Evidence(ctx context.Context, q BehaviourQuery) ([]rule.Evidence, error)
}

package audience

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/koipond/koipond/internal/audience/live"
	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// owner keeps the members of dynamic segments as the live engine tells.
type owner struct {
	s     *Service
	mu    sync.Mutex
	given map[string]int64 // which version of a segment's definition the engine has
}

// Owner is the segments as an owner of the live engine.
func (s *Service) Owner() live.Owner {
	s.own = &owner{s: s, given: map[string]int64{}}
	return s.own
}

// Name implements live.Owner.
func (o *owner) Name() string { return ownerName }

// Rules implements live.Owner: of all dynamic segments that are not put away.
func (o *owner) Rules(ctx context.Context) ([]live.Rule, error) {
	all, err := o.s.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []live.Rule
	given := map[string]int64{}
	for _, g := range all {
		if g.dynamic() && g.archived == 0 {
			out = append(out, live.Rule{Key: g.id, ID: loops.Segment(g.id), Rule: g.rule})
			given[g.id] = g.version
		}
	}
	o.mu.Lock()
	o.given = given
	o.mu.Unlock()
	return out, nil
}

// followed is what Apply needs to know of a segment.
type followed struct {
	id, name, state  string
	version, members int64
	counted          int64
}

// Apply implements live.Owner.
func (o *owner) Apply(ctx context.Context, t live.Truths, nums []int64, c live.Cause) error {
	rows, err := o.s.DB.Query(ctx, "select id, name, state, version, members, counted_at from segments where kind = $1 and archived_at = 0", Dynamic)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (g followed, err error) {
		return g, r.Scan(&g.id, &g.name, &g.state, &g.version, &g.members, &g.counted)
	})
	if err != nil {
		return fmt.Errorf("read segments: %w", err)
	}
	list = slices.DeleteFunc(list, func(g followed) bool {
		return !t.Known(g.id) || c.Reason == live.ReasonDefinition && c.Keys != nil && !slices.Contains(c.Keys, g.id)
	})
	if nums == nil { // everybody: a set at a time, so that memory stays small
		for _, g := range list {
			kept, err := o.s.Sets.Load(ctx, g.id)
			if err != nil {
				return err
			}
			if err := o.keep(ctx, &g, live.Compare(t, g.id, kept, nil, c), c); err != nil {
				return err
			}
		}
		return nil
	}
	list = slices.DeleteFunc(list, func(g followed) bool { return len(live.Suspects(t, g.id, nums)) == 0 }) // nothing is to be read of these
	keys := make([]string, len(list))
	for i, g := range list {
		keys[i] = g.id
	}
	kept, err := o.s.Sets.HasAll(ctx, keys, nums)
	if err != nil {
		return err
	}
	for _, g := range list {
		if err := o.keep(ctx, &g, live.Compare(t, g.id, kept[g.id], nums, c), c); err != nil {
			return err
		}
	}
	return nil
}

// silent tells that what changed is no fact about people: the rule is another,
// or the engine looks at them for the first time.
func silent(c live.Cause) bool {
	return c.Reason == live.ReasonDefinition || c.Reason == live.ReasonStart && !c.Live
}

// keep writes how one segment changed, and tells it.
func (o *owner) keep(ctx context.Context, g *followed, d live.Change, c live.Cause) error {
	settles := silent(c) && g.state != Ready && o.serves(g.id, g.version)
	if d.Empty() && !settles {
		return nil
	}
	came, went, err := o.s.Sets.Apply(ctx, g.id, slices.Concat(d.Entered, d.Gained), slices.Concat(d.Left, d.Dropped))
	if err != nil {
		return err
	}
	size := g.members + int64(len(came)-len(went))
	if silent(c) {
		row := &segment{id: g.id, state: g.state, counted: g.counted, members: g.members, version: g.version}
		o.s.unsaid(ctx)
		if settles || g.state == Ready {
			return o.s.settled(ctx, row, size, int64(len(d.Entered)), int64(len(d.Left)))
		}
		_, err := o.s.DB.Exec(ctx, "update segments set members = members + $2 where id = $1", g.id, len(came)-len(went))
		return err
	}
	if _, err := o.s.DB.Exec(ctx, "update segments set members = members + $2, counted_at = $3 where id = $1", g.id, len(came)-len(went), clock.Ms(o.s.Clock.Now())); err != nil {
		return fmt.Errorf("keep a segment's members: %w", err)
	}
	if err := o.s.dayOf(ctx, g.id, size, int64(len(d.Entered)), int64(len(d.Left))); err != nil {
		return err
	}
	return o.tell(ctx, g, d, c)
}

// serves tells whether the definition that the engine was given last is the one
// of now: that is what it speaks of when it tells of a definition.
func (o *owner) serves(id string, version int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.given[id] == version
}

// SettleReady marks segments as worked out of which the engine has nothing to
// tell, since their definition is one that it served already: one that was taken
// out of the archive at once, or changed there and back.
func (s *Service) SettleReady(ctx context.Context) error {
	if s.live == nil || s.own == nil {
		return nil
	}
	rows, err := s.DB.Query(ctx, "select id, version from segments where kind = $1 and archived_at = 0 and state = $2", Dynamic, Working)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (g followed, err error) { return g, r.Scan(&g.id, &g.version) })
	if err != nil {
		return fmt.Errorf("find segments that are worked out: %w", err)
	}
	for _, g := range list {
		if ready, _ := s.live.Status(ownerName, g.id); !ready || !s.own.serves(g.id, g.version) {
			continue
		}
		err := s.DB.Tx(ctx, func(ctx context.Context) error {
			now, err := s.hold(ctx, g.id)
			if err != nil || now.version != g.version || now.state != Working || now.archived > 0 {
				return err
			}
			return s.settled(ctx, now, now.members, 0, 0)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// factsAtOnce is how many facts are handed to the outbox together.
const factsAtOnce = 500

// tell states who entered and left, in the transaction that keeps it.
func (o *owner) tell(ctx context.Context, g *followed, d live.Change, c live.Cause) error {
	props, err := json.Marshal(map[string]any{"segment": g.id, "segmentName": g.name, "reason": c.Reason, "live": c.Live})
	if err != nil {
		return fmt.Errorf("tell of a segment: %w", err)
	}
	now := clock.Ms(o.s.Clock.Now())
	for _, part := range []struct {
		name string
		nums []int64
	}{{event.NameSegmentLeft, d.Left}, {event.NameSegmentEntered, d.Entered}} {
		for some := range slices.Chunk(part.nums, factsAtOnce) {
			facts := make([]event.Fact, len(some))
			for i, n := range some {
				facts[i] = event.Fact{MessageID: o.s.IDs.New("fc"), Type: event.Track, Name: part.name, Contact: n, Timestamp: now, ReceivedAt: now, Source: "koipond", Properties: props}
			}
			if err := o.s.Emit.Emit(ctx, facts...); err != nil {
				return fmt.Errorf("tell who came and left: %w", err)
			}
		}
	}
	return nil
}

package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// preparer is a recorder that reads first, outside of the transaction.
type preparer struct {
	*recorder
	before  *recorder // everything this one is given, that one has handled
	t       *testing.T
	prepare func(ctx context.Context, facts []event.Stored) error // may fail
	write   func(tries int) error                                 // may fail, inside the transaction
	silent  bool                                                  // has nothing to write
}

func (p *preparer) Prepare(ctx context.Context, facts []event.Stored, commit func(func(context.Context) error) error) error {
	if p.db.InTx(ctx) {
		return errors.New("it is read inside the transaction")
	}
	if p.before != nil {
		for _, f := range facts {
			var n int
			if err := p.db.QueryRow(ctx, "select count(*) from seen_facts where who = $1 and message_id = $2", p.before.name, f.MessageID).Scan(&n); err != nil {
				return err
			}
			if n != 1 {
				p.t.Errorf("%s is seen before %s has handled it", f.MessageID, p.before.name)
			}
		}
	}
	if p.prepare != nil {
		if err := p.prepare(ctx, facts); err != nil {
			return err
		}
	}
	if p.silent {
		return nil
	}
	err := errors.New("not committed yet")
	for tries := 0; err != nil && tries < 3; tries++ {
		err = commit(func(ctx context.Context) error {
			if p.write != nil {
				if err := p.write(tries); err != nil {
					return err
				}
			}
			return p.Handle(ctx, facts)
		})
	}
	return err
}

// newcomer is a preparer that begins with the next fact.
type newcomer struct{ *preparer }

func (newcomer) BeginsNow() {}

func (w *world) prepares(name string, before *recorder) *preparer {
	return &preparer{recorder: &recorder{name: name, db: w.db}, before: before, t: w.T}
}

func TestASubscriberFollowsOthers(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "first")
		last := w.prepares("last", w.subs[0])
		w.follow = func(p *pipeline.Pipeline) { p.Subscribe(last, "first") }
		gate := make(chan struct{})
		w.start()
		w.wait(w.ingest("m00"))
		w.subs[0].mu.Lock()
		w.subs[0].fail = func([]event.Stored) error { <-gate; return nil }
		w.subs[0].mu.Unlock()
		ids := []string{"m00"}
		var seq uint64
		for i := range 30 {
			id := fmt.Sprintf("n%02d", i)
			ids = append(ids, id)
			seq = w.ingest(id)
		}
		require.Never(t, func() bool { return len(last.ids()) > 1 }, 100*time.Millisecond, 10*time.Millisecond, "whoever stands still holds it")
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		require.Error(t, w.pipe.Wait(short, seq))
		close(gate)
		w.wait(seq)
		require.Equal(t, ids, last.ids())
		w.once("last", ids...)
	})
}

func TestALateFollowerReadsTheStoreUpToTheOthers(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "first").start()
		var ids []string
		for i := range 45 { // more than memory holds
			var some []string
			for j := range 200 {
				some = append(some, fmt.Sprintf("m%d-%d", i, j))
			}
			w.wait(w.ingest(some...))
			ids = append(ids, some...)
		}
		w.stop()
		late, now := w.prepares("late", w.subs[0]), w.prepares("now", w.subs[0])
		w.follow = func(p *pipeline.Pipeline) {
			p.Subscribe(late, "first")
			p.Subscribe(newcomer{now}, "first", "late")
		}
		w.start()
		w.wait(w.ingest("z1", "z2"))
		require.Equal(t, append(ids, "z1", "z2"), late.ids())
		require.Equal(t, []string{"z1", "z2"}, now.ids(), "it begins with the next fact")
		w.stop()
		w.start()
		w.wait(w.ingest("z3"))
		require.Equal(t, []string{"z1", "z2", "z3"}, now.ids())
		require.Panics(t, func() { w.pipe.Subscribe(now) })
	})
}

func TestWhatAPreparerReadsIsRepeatedAndWhatItWritesIsNot(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "first")
		p := w.prepares("last", nil)
		w.follow = func(pipe *pipeline.Pipeline) { pipe.Subscribe(p, "first") }
		p.write = func(tries int) error {
			if tries == 0 {
				return errors.New("once more")
			}
			return nil
		}
		w.start()
		w.wait(w.ingest("a1", "a2"))
		w.once("last", "a1", "a2")
		for _, point := range []string{"reading", "writing"} {
			died := make(chan struct{}, 1)
			die := func() error {
				select {
				case died <- struct{}{}:
				default:
				}
				return errs.New(errs.Unavailable, "test.killed")
			}
			w.stop()
			if point == "reading" {
				p.prepare = func(context.Context, []event.Stored) error { return die() }
			} else {
				p.write = func(int) error { return die() }
			}
			w.start()
			w.ingest("b-" + point)
			<-died
			w.kill()
			p.prepare, p.write = nil, nil
			w.start()
			w.wait(w.ingest("c-" + point))
		}
		w.once("last", "a1", "a2", "b-reading", "c-reading", "b-writing", "c-writing")
		p.silent = true
		w.wait(w.ingest("d1"))
		w.once("last", "a1", "a2", "b-reading", "c-reading", "b-writing", "c-writing")
	})
}

func TestAPreparerLosesOnlyTheFactAtFault(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		p := w.prepares("picky", nil)
		w.follow = func(pipe *pipeline.Pipeline) { pipe.Subscribe(p) }
		var mu sync.Mutex
		broken := true
		p.prepare = func(_ context.Context, facts []event.Stored) error {
			mu.Lock()
			defer mu.Unlock()
			for _, f := range facts {
				if broken && strings.HasPrefix(f.MessageID, "bad") {
					panic("cannot read this")
				}
			}
			return nil
		}
		w.start()
		w.wait(w.ingest("a1", "a2", "bad", "a3"))
		w.once("picky", "a1", "a2", "a3")
		require.EqualValues(t, 1, w.open())
		mu.Lock()
		broken = false
		mu.Unlock()
		n, err := w.pipe.Retry(t.Context(), nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		require.Zero(t, w.open())
		w.once("picky", "a1", "a2", "bad", "a3")

		mu.Lock()
		broken, p.silent = true, true
		mu.Unlock()
		w.wait(w.ingest("bad2"))
		require.EqualValues(t, 1, w.open())
		mu.Lock()
		broken = false
		mu.Unlock()
		n, err = w.pipe.Retry(t.Context(), nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		require.Zero(t, w.open(), "it is settled although there was nothing to write")
	})
}

func TestABackupDoesNotWaitForReading(t *testing.T) {
	w := newWorld(t, testkit.SQLite(t, pipeline.Migrations()))
	p := w.prepares("slow", nil)
	w.follow = func(pipe *pipeline.Pipeline) { pipe.Subscribe(p) }
	reading, finish := make(chan struct{}), make(chan struct{})
	p.prepare = func(context.Context, []event.Stored) error { close(reading); <-finish; return nil }
	w.start()
	seq := w.ingest("a1")
	<-reading
	resume, err := w.pipe.Pause(t.Context())
	require.NoError(t, err)
	close(finish)
	require.Never(t, func() bool { return len(p.ids()) != 0 }, 50*time.Millisecond, 10*time.Millisecond, "but it writes nothing meanwhile")
	resume()
	p.prepare = nil
	w.wait(seq)
	w.once("slow", "a1")
}

func TestHowFarSubscribersLag(t *testing.T) {
	w := newWorld(t, testkit.SQLite(t, pipeline.Migrations()), "quick")
	gate := make(chan struct{})
	slow := w.prepares("slow", nil)
	slow.prepare = func(context.Context, []event.Stored) error { <-gate; return nil } // outside of the transaction: the other one can write
	w.follow = func(pipe *pipeline.Pipeline) { pipe.Subscribe(slow) }
	w.start()
	require.Equal(t, map[string]time.Duration{"quick": 0, "slow": 0}, w.pipe.Lags())
	seq := w.ingest("a1")
	require.Eventually(t, func() bool { return len(w.subs[0].ids()) == 1 }, 30*time.Second, time.Millisecond)
	w.clock.Advance(90 * time.Second)
	require.Eventually(t, func() bool { return w.pipe.Lags()["quick"] == 0 }, 30*time.Second, time.Millisecond)
	require.Equal(t, 90*time.Second, w.pipe.Lags()["slow"])
	close(gate)
	w.wait(seq)
	require.Zero(t, w.pipe.Lags()["slow"])
}

// idler may have no use for facts.
type idler struct {
	*recorder
	idle atomic.Bool
}

func (i *idler) Idle(context.Context) bool { return i.idle.Load() }

func TestWhoIsIdleReadsNothing(t *testing.T) {
	w := newWorld(t, testkit.SQLite(t, pipeline.Migrations()))
	lazy := &idler{recorder: &recorder{name: "lazy", db: w.db}}
	lazy.idle.Store(true)
	w.follow = func(pipe *pipeline.Pipeline) { pipe.Subscribe(lazy) }
	w.start()
	w.wait(w.ingest("a1", "a2"))
	require.Empty(t, lazy.ids(), "they passed")
	lazy.idle.Store(false)
	w.wait(w.ingest("a3"))
	w.once("lazy", "a3")
	w.stop()
	w.start()
	w.wait(w.ingest("a4"))
	w.once("lazy", "a3", "a4")
}

func TestWhoWritesNothingIsNotedNowAndThen(t *testing.T) {
	w := newWorld(t, testkit.SQLite(t, pipeline.Migrations()))
	quiet := w.prepares("quiet", nil)
	quiet.silent = true
	var mu sync.Mutex
	seen := map[string]int{}
	quiet.prepare = func(_ context.Context, facts []event.Stored) error {
		mu.Lock()
		defer mu.Unlock()
		for _, f := range facts {
			seen[f.MessageID]++
		}
		return nil
	}
	w.follow = func(pipe *pipeline.Pipeline) { pipe.Subscribe(quiet) }
	w.start()
	place := func() event.Position {
		at, err := w.pipe.Cursor(t.Context(), "quiet")
		require.NoError(t, err)
		return at
	}
	w.wait(w.ingest("a1"))
	first := place()
	require.NotZero(t, first)
	w.wait(w.ingest("a2"))
	require.Equal(t, first, place(), "no transaction for each batch")
	w.clock.Advance(time.Second)
	w.wait(w.ingest("a3"))
	require.True(t, first.Less(place()))
	w.wait(w.ingest("a4"))
	w.kill()
	w.start()
	w.wait(w.ingest("a5"))
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, map[string]int{"a1": 1, "a2": 1, "a3": 1, "a4": 2, "a5": 1}, seen, "a crash repeats what was not noted, and no more")
}

func TestStagesWaitForSubscribersButNotForLong(t *testing.T) {
	w := newWorld(t, testkit.SQLite(t, pipeline.Migrations()))
	slow := w.prepares("slow", nil)
	gate := make(chan struct{})
	slow.prepare = func(context.Context, []event.Stored) error { <-gate; return nil }
	w.follow = func(pipe *pipeline.Pipeline) { pipe.Subscribe(slow) }
	w.start()
	start := time.Now()
	var ids []string
	var seq uint64
	for i := range 8 { // twice what memory holds
		some := make([]string, 2000)
		for j := range some {
			some[j] = fmt.Sprintf("m%d-%d", i, j)
		}
		seq = w.ingest(some...)
		ids = append(ids, some...)
	}
	require.Eventually(t, func() bool { return len(w.memory.ids()) == len(ids) }, 20*time.Second, time.Millisecond, "who stands still holds nobody up")
	require.Greater(t, time.Since(start), 250*time.Millisecond, "they gave it time")
	close(gate)
	w.wait(seq)
	w.once("slow", ids...)
}

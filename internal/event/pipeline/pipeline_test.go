package pipeline_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	testkit.EachDatabase(t, fn, pipeline.Migrations())
}

func TestFactsReachStoreAndSubscribers(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "one", "two").start()
		w.ingest("a1", "a2", "b1")
		w.wait(w.ingest("a3"))
		require.Equal(t, []string{"a1", "a2", "b1", "a3"}, w.memory.ids())
		w.once("one", "a1", "a2", "b1", "a3")
		w.once("two", "a1", "a2", "b1", "a3")
		f := w.subs[0].seen[2]
		require.Equal(t, "ct_2", f.ContactID)
		require.EqualValues(t, 2, f.Contact)
		require.Equal(t, "organic", f.Channel)
		require.JSONEq(t, `{"id":"b1"}`, string(f.Properties))
		st, err := w.pipe.Stats(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 4, st.Stored)
		require.Zero(t, st.Lag)
	})
}

func TestOutboxFactsArrive(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "one").start()
		err := d.Tx(t.Context(), func(ctx testCtx) error {
			require.NoError(t, w.intake.Emit(ctx, w.fact("a1"), w.fact("a2")))
			return errors.New("rolled back")
		})
		require.Error(t, err)
		require.NoError(t, d.Tx(t.Context(), func(ctx testCtx) error { return w.intake.Emit(ctx, w.fact("b1"), w.fact("b2")) }))
		seq, err := w.intake.Flush(t.Context())
		require.NoError(t, err)
		w.wait(seq)
		w.once("one", "b1", "b2")
		rows, err := d.Pending(t.Context(), "facts", 10)
		require.NoError(t, err)
		require.Empty(t, rows)
		require.Error(t, w.intake.Emit(t.Context(), event.Fact{Name: "x"}), "a fact of nobody is a mistake")
	})
}

func TestRepeatsCountOnceForSevenDays(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "one").start()
		w.ingest("a1", "a1", "a2")
		w.wait(w.ingest("a2", "a3"))
		require.Equal(t, []string{"a1", "a2", "a3"}, w.memory.ids())
		w.stop()

		w.clock.Advance(6 * 24 * time.Hour)
		w.start() // across a restart: the filter is rebuilt
		w.wait(w.ingest("a1", "a4"))
		require.Equal(t, []string{"a1", "a2", "a3", "a4"}, w.memory.ids())
		st, err := w.pipe.Stats(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, st.Duplicates)

		w.clock.Advance(2 * 24 * time.Hour)
		w.wait(w.ingest("a1", "a4"))
		require.Equal(t, []string{"a1", "a2", "a3", "a4", "a1"}, w.memory.ids(), "a1 is out of its window, a4 is not")
	})
}

func TestTheStoreIsRarelyAsked(t *testing.T) {
	w := newWorld(t, testkit.SQLite(t, pipeline.Migrations())).start()
	var seq uint64
	for i := range 20 {
		var ids []string
		for j := range 500 {
			ids = append(ids, fmt.Sprintf("m%d-%d", i, j))
		}
		seq = w.ingest(ids...)
	}
	w.wait(seq)
	require.Len(t, w.memory.ids(), 10_000)
	require.Less(t, w.memory.asked, 200, "the filter answers from memory")
}

// A crash can fall between any two steps. Each is played by failing right
// after the step took effect and starting anew.
func TestReplaysChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "one").start()
		w.wait(w.ingest("a1", "a2"))
		w.stop()
		for i, point := range []string{"after resolving", "after storing", "before handling"} {
			old := w.store
			id := fmt.Sprint("c", i)
			died := make(chan struct{}, 1)
			die := func() error {
				select {
				case died <- struct{}{}:
				default:
				}
				return errs.New(errs.Unavailable, "test.killed") // waited out: nothing goes on in this life
			}
			w.start()
			w.memory.mu.Lock()
			switch point {
			case "after resolving":
				w.memory.fail = func(analytics.Batch) error { return die() }
			case "after storing":
				w.memory.fail = func(b analytics.Batch) error {
					if len(b.Rows) > 0 && w.memory.pos.Less(b.Position) {
						w.memory.rows, w.memory.pos = append(w.memory.rows, b.Rows...), b.Position
					}
					return die()
				}
			case "before handling":
				w.subs[0].mu.Lock()
				w.subs[0].fail = func([]event.Stored) error { return die() }
				w.subs[0].mu.Unlock()
			}
			w.memory.mu.Unlock()
			w.ingest(id)
			<-died
			w.kill()
			w.memory.fail, w.subs[0].fail = nil, nil
			w.store = old
			w.start()
			w.wait(w.ingest(id + "-next"))
			w.stop()
		}
		ids := []string{"a1", "a2", "c0", "c0-next", "c1", "c1-next", "c2", "c2-next"}
		require.Equal(t, ids, w.memory.ids())
		w.once("one", ids...)
	})
}

func TestPoisonIsSetAsideAndCanBeRetried(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "one")
		w.resolver.poison = func(f event.Fact) *errs.Error {
			if f.MessageID == "bad" {
				return errs.New(errs.Invalid, "contact.too_many_identities", "limit", 5)
			}
			return nil
		}
		w.start()
		w.wait(w.ingest("a1", "bad", "a2"))
		w.once("one", "a1", "a2")
		require.EqualValues(t, 1, w.open())

		n, err := w.pipe.Retry(t.Context(), nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		seq, err := w.intake.Flush(t.Context())
		require.NoError(t, err)
		w.wait(seq)
		require.EqualValues(t, 1, w.open(), "it failed again: still one row, open")
		var tries int
		require.NoError(t, d.QueryRow(t.Context(), "select tries from set_aside").Scan(&tries))
		require.Equal(t, 2, tries)

		w.resolver.mu.Lock()
		w.resolver.poison = nil
		w.resolver.mu.Unlock()
		_, err = w.pipe.Retry(t.Context(), nil)
		require.NoError(t, err)
		seq, err = w.intake.Flush(t.Context())
		require.NoError(t, err)
		w.wait(seq)
		require.Zero(t, w.open())
		w.once("one", "a1", "a2", "bad")
		require.Equal(t, []string{"facts.retried 1", "facts.retried 1"}, w.noted.entries)
		require.Equal(t, []string{"a1", "a2", "bad"}, w.memory.ids())
	})
}

func TestAResolverThatFailsLosesOnlyTheFactAtFault(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "one")
		w.resolver.fail = func(facts []event.Fact) error {
			for _, f := range facts {
				if f.MessageID == "bad" {
					return errors.New("division by zero")
				}
				if f.MessageID == "worse" {
					panic("index out of range")
				}
			}
			return nil
		}
		w.start()
		w.wait(w.ingest("a1", "a2", "bad", "a3", "worse", "a4"))
		w.once("one", "a1", "a2", "a3", "a4")
		require.EqualValues(t, 2, w.open())
		n, err := w.pipe.Discard(t.Context(), nil)
		require.NoError(t, err)
		require.EqualValues(t, 2, n)
		require.Zero(t, w.open())
		n, err = w.pipe.Discard(t.Context(), nil)
		require.NoError(t, err)
		require.Zero(t, n)
		require.Equal(t, []string{"facts.discarded 2"}, w.noted.entries, "giving up facts is told to the audit log, once")
	})
}

func TestAStoreThatRefusesOneFact(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "one")
		w.memory.fail = func(b analytics.Batch) error {
			for _, r := range b.Rows {
				if r.MessageID == "bad" {
					return errors.New("malformed JSON")
				}
			}
			return nil
		}
		w.start()
		w.wait(w.ingest("a1", "bad", "a2", "a3", "a4"))
		require.Equal(t, []string{"a1", "a2", "a3", "a4"}, w.memory.ids())
		w.once("one", "a1", "a2", "a3", "a4")
		require.EqualValues(t, 1, w.open())
	})
}

func TestABrokenStageIsNotTheFactsFault(t *testing.T) {
	w := newWorld(t, testkit.SQLite(t, pipeline.Migrations()), "one")
	broken := true
	w.resolver.fail = func([]event.Fact) error {
		if broken {
			return errors.New("everything is wrong")
		}
		return nil
	}
	w.start()
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprintf("m%03d", i))
	}
	seq := w.ingest(ids...)
	require.Eventually(t, func() bool { w.resolver.mu.Lock(); defer w.resolver.mu.Unlock(); return w.resolver.calls > 200 }, 20*time.Second, time.Millisecond)
	w.resolver.mu.Lock()
	broken = false
	w.resolver.mu.Unlock()
	w.wait(seq)
	require.Zero(t, w.open(), "nothing was set aside in the end")
	require.Equal(t, ids, w.memory.ids())
	w.once("one", ids...)
}

func TestASubscriberFailsAlone(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "good", "picky")
		w.subs[1].fail = func(facts []event.Stored) error {
			for _, f := range facts {
				if f.MessageID == "bad" {
					return errors.New("cannot digest this")
				}
			}
			return nil
		}
		w.start()
		w.ingest("a1", "a2", "bad")
		w.wait(w.ingest("a3", "a4"))
		w.once("good", "a1", "a2", "bad", "a3", "a4")
		w.once("picky", "a1", "a2", "a3", "a4")
		require.Equal(t, []string{"a1", "a2", "a3", "a4"}, w.subs[1].ids(), "in order, in spite of the search")
		require.EqualValues(t, 1, w.open())

		n, err := w.pipe.Retry(t.Context(), nil)
		require.NoError(t, err)
		require.Zero(t, n, "it fails again and stays")
		require.EqualValues(t, 1, w.open())
		w.subs[1].mu.Lock()
		w.subs[1].fail = nil
		w.subs[1].mu.Unlock()
		n, err = w.pipe.Retry(t.Context(), nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		w.once("picky", "a1", "a2", "a3", "a4", "bad")
		w.once("good", "a1", "a2", "bad", "a3", "a4")
	})
}

func TestAMessageThatCannotBeReadDoesNotBlock(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "one").start()
		w.ingest("a1")
		_, err := w.stream.Publish(t.Context(), []byte("not a message of facts"))
		require.NoError(t, err)
		w.wait(w.ingest("a2"))
		w.once("one", "a1", "a2")
		require.EqualValues(t, 1, w.open())
		n, err := w.pipe.Retry(t.Context(), nil)
		require.NoError(t, err)
		require.Zero(t, n)
		require.EqualValues(t, 1, w.open())
	})
}

func TestALaggingSubscriberReadsTheStore(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d).start()
		var ids []string
		for i := range 30 {
			var some []string
			for j := range 200 {
				some = append(some, fmt.Sprintf("m%d-%d", i, j))
			}
			w.wait(w.ingest(some...))
			ids = append(ids, some...)
		}
		w.stop()
		w.subs = append(w.subs, &recorder{name: "late", db: d})
		w.start()
		w.wait(w.ingest("z1"))
		require.Equal(t, append(ids, "z1"), w.subs[0].ids(), "from the first stored fact on, in order")
		require.Equal(t, "ct_1", w.subs[0].seen[0].ContactID)
	})
}

func TestPauseHoldsEverything(t *testing.T) {
	w := newWorld(t, testkit.SQLite(t, pipeline.Migrations()), "one").start()
	w.wait(w.ingest("a1"))
	resume, err := w.pipe.Pause(t.Context())
	require.NoError(t, err)
	seq := w.ingest("a2")
	require.Never(t, func() bool { return len(w.memory.ids()) != 1 }, 60*time.Millisecond, 10*time.Millisecond)
	resume()
	resume()
	w.wait(seq)
	require.Equal(t, []string{"a1", "a2"}, w.memory.ids())
}

func TestABusyDoorDelaysAndDoesNotStop(t *testing.T) {
	w := newWorld(t, testkit.SQLite(t, pipeline.Migrations()), "one")
	w.busy = func() bool { return true }
	w.start()
	var ids []string
	for i := range 20 {
		ids = append(ids, fmt.Sprintf("m%02d", i))
		w.ingest(ids[i])
	}
	w.wait(w.ingest("z1"))
	w.once("one", append(ids, "z1")...)
}

func TestStoredMessagesLeaveTheStream(t *testing.T) {
	w := newWorld(t, testkit.SQLite(t, pipeline.Migrations())).start()
	var seq uint64
	for i := range 10 {
		seq = w.ingest(fmt.Sprint("m", i))
	}
	w.wait(seq)
	require.Eventually(t, func() bool {
		st, err := w.stream.State(t.Context())
		require.NoError(t, err)
		return st.Messages == 0
	}, 30*time.Second, 20*time.Millisecond)
	w.stop()
	w.start()
	w.wait(seq)
	begin := time.Now()
	w.stop()
	require.Less(t, time.Since(begin), 5*time.Second, "there is nothing to wait for")
	w.start()
	require.Equal(t, seq+1, w.ingest("next"), "sequences go on")
}

func TestWithDuckDB(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, "one")
		store, err := duckdb.Open(t.Context(), duckdb.Config{Path: filepath.Join(t.TempDir(), "a.duckdb"), MemoryLimitMB: 200, Clock: w.clock, Log: testkit.Quiet()})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		w.store, w.batch = store, 700
		w.start()
		var ids []string
		var seq uint64
		for i := range 20 {
			var some []string
			for j := range 150 {
				some = append(some, fmt.Sprintf("%c%d-%d", 'a'+j%20, i, j))
			}
			seq = w.ingest(append(some, some[3])...)
			ids = append(ids, some...)
		}
		w.wait(seq)
		w.stop()
		w.start()
		w.wait(w.ingest(ids[5], "z1", strings.Repeat("long", 60)))
		ids = append(ids, "z1", strings.Repeat("long", 60))
		w.once("one", ids...)
		total, _, _, err := store.Summary(t.Context(), analytics.Filter{})
		require.NoError(t, err)
		require.EqualValues(t, len(ids), total)
	})
}

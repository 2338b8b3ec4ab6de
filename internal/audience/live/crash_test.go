package live

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/intake"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

// What is killed runs as a process of its own: this test program, told so by a
// variable.
const serveEnv = "KOIPOND_TEST_SERVE"

func TestMain(m *testing.M) {
	switch os.Getenv(serveEnv) {
	case "":
		os.Exit(m.Run())
	case "rules":
		serveRules(os.Args[len(os.Args)-1])
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
	return v
}

// whole is the program from the stream to the memberships, in a folder.
type whole struct {
	records  *db.DB
	store    *duckdb.Store
	stream   *bus.Stream
	intake   *intake.Service
	contacts *contact.Service
	pipe     *pipeline.Pipeline
	engine   *Engine
	keeper   *keeper
	stops    []func(context.Context) error
}

// crashRules flip often.
var crashRules = map[string]string{
	"twice": twice, "never": never, "all": `{"v":1}`,
	"on":   `{"v":1,"event":{"name":"switched","measure":"last","property":"on","op":"is","value":1}}`,
	"both": `{"v":1,"all":[{"event":{"name":"switched","measure":"last","property":"on","op":"is","value":1}},{"none":[{"event":{"name":"switched","measure":"last","property":"hot","op":"is","value":1}}]}]}`,
	"seen": `{"v":1,"field":"identity","op":"in","value":["user_id"]}`,
}

func openWhole(ctx context.Context, dir string) *whole {
	log, c := testkit.Quiet(), clock.System{}
	ids := id.NewSource(c.Now, nil)
	w := &whole{records: must(db.Open(ctx, db.Config{Path: filepath.Join(dir, "koipond.db")}))}
	must(w.records.Migrate(ctx, db.Migrations(), pipeline.Migrations(), contact.Migrations(), Migrations()))
	must(0, keepTables(ctx, w.records))
	ring := must(secret.NewRing([]byte("0123456789abcdef0123456789abcdef")))
	w.store = must(duckdb.Open(ctx, duckdb.Config{Path: filepath.Join(dir, "a.duckdb"), MemoryLimitMB: 256, Clock: c, Log: log}))
	b := must(bus.Open(ctx, bus.Config{Dir: filepath.Join(dir, "stream"), MinFree: -1, Log: log}))
	pos := must(w.store.Position(ctx))
	w.stream = must(b.Stream(ctx, bus.StreamConfig{Name: "FACTS", After: pos.Seq, Floor: must(pipeline.Floor(ctx, w.records))}))
	w.intake = intake.New(intake.Deps{Stream: w.stream, MaxMessage: b.MaxMessage(), Keys: ring, DB: w.records, Clock: c, IDs: ids, Log: log})
	w.contacts = contact.NewService(contact.Deps{DB: w.records, Clock: c, IDs: ids, Log: log, Keys: ring, Emit: w.intake, Behaviours: w.store})
	w.pipe = pipeline.New(pipeline.Deps{DB: w.records, Stream: w.stream, Store: w.store, Resolver: w.contacts.Resolver(), Emitter: w.intake, Keys: ring, Clock: c, IDs: ids, Log: log,
		Backoff: 10 * time.Millisecond})
	w.keeper = &keeper{db: w.records, emit: w.intake, name: "segments", emits: true, rules: map[string]*rule.Rule{}}
	for key, text := range crashRules {
		w.keeper.rules[key] = must(rule.Parse(text, "rule"))
	}
	w.engine = New(Deps{DB: w.records, Contacts: w.contacts, Store: w.store, Clock: c, Log: log, Zone: func(context.Context) *time.Location { return time.UTC }, Tick: 20 * time.Millisecond,
		Cursor: func(ctx context.Context) (event.Position, error) { return w.pipe.Cursor(ctx, Name) }})
	w.engine.Own(w.keeper)
	w.pipe.Subscribe(w.contacts.Activity())
	w.pipe.Subscribe(w.engine, w.contacts.Activity().Name())
	for _, s := range []func(context.Context) error{w.intake.Start, w.pipe.Start, w.engine.Start} {
		must(0, s(ctx))
	}
	w.stops = []func(context.Context) error{w.intake.Stop, w.pipe.Stop, w.engine.Stop, b.Close, func(context.Context) error { return w.store.Close() }}
	return w
}

// settle waits until every fact was seen, and those that it caused.
func (w *whole) settle(ctx context.Context) error {
	for {
		seq, err := w.intake.Flush(ctx)
		if err != nil {
			return err
		}
		st, err := w.stream.State(ctx)
		if err != nil {
			return err
		}
		if err := w.pipe.Wait(ctx, max(seq, st.Last)); err != nil {
			return err
		}
		if again, err := w.stream.State(ctx); err != nil || again.Last == st.Last {
			left, err2 := w.records.Pending(ctx, "facts", 1)
			if err != nil || err2 != nil || len(left) == 0 {
				return err
			}
		}
	}
}

// serveRules has people do things until it is killed; asked to, it comes to rest
// and ends.
func serveRules(dir string) {
	ctx := context.Background()
	w := openWhole(ctx, dir)
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	ended := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ended:
				return
			default:
			}
			var facts []event.Fact
			for range 1 + rnd.IntN(20) {
				f := event.Fact{UserID: fmt.Sprint("u", rnd.IntN(12)), Type: event.Track, Name: "switched", Source: "test", Properties: fmt.Appendf(nil, `{"on":%d}`, rnd.IntN(2))}
				switch rnd.IntN(10) {
				case 0:
					f.Name = "bought"
				case 1:
					f.Properties = fmt.Appendf(nil, `{"hot":%d}`, rnd.IntN(2))
				}
				facts = append(facts, f)
			}
			_ = must(w.intake.Ingest(ctx, facts))
			time.Sleep(time.Duration(rnd.IntN(4)) * time.Millisecond) // as people do
		}
	}()
	fmt.Println("up")
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	close(ended)
	<-done
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	must(0, w.settle(wait))
	for _, s := range w.stops {
		must(0, s(wait))
	}
}

// TestKilledAgainAndAgain: the program is killed without warning while people do
// things. In the end the memberships are what the facts say, each was told once,
// and the facts about them alternate.
func TestKilledAgainAndAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	const kills = 12
	for i := range kills + 1 {
		cmd := exec.Command(os.Args[0], dir)
		cmd.Env = append(os.Environ(), serveEnv+"=rules")
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		require.True(t, bufio.NewScanner(out).Scan(), "it did not start")
		time.Sleep(time.Duration(50+rnd.IntN(700)) * time.Millisecond) // the moment of a crash has no signal to wait for
		if i == kills {
			require.NoError(t, in.Close())
			require.NoError(t, cmd.Wait())
			break
		}
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // killed, as it says
	}
	ctx := auth.With(t.Context(), &auth.Principal{ID: "us_1", Role: "admin", Scope: auth.Everybody()})
	w := openWhole(ctx, dir)
	defer func() {
		for _, s := range w.stops {
			require.NoError(t, s(context.Background()))
		}
	}()
	require.NoError(t, w.settle(ctx))
	<-w.engine.ready
	in, told := w.history(t)
	for key, r := range w.keeper.rules {
		want, err := w.contacts.Matching(ctx, r, "rule", nil)
		require.NoError(t, err)
		kept, err := w.keeper.kept(ctx, key)
		require.NoError(t, err)
		require.Equal(t, want.List(), kept.List(), key)
		for n := int64(1); n < 100; n++ {
			require.Equal(t, kept.Has(n), in[fmt.Sprint(key, " ", n)], "%s %d", key, n)
		}
	}
	require.Greater(t, told, 200, "something happened")
	n, err := w.pipe.OpenSetAside(ctx)
	require.NoError(t, err)
	require.Zero(t, n)
	t.Logf("%d kills, %d facts about memberships", kills, told)
}

// history replays the facts about memberships out of the analytics store, where
// they must alternate.
func (w *whole) history(t *testing.T) (in map[string]bool, told int) {
	t.Helper()
	in = map[string]bool{}
	for pos := (event.Position{}); ; {
		rows, err := w.store.After(t.Context(), pos, 5000)
		require.NoError(t, err)
		if len(rows) == 0 {
			return in, told
		}
		for _, r := range rows {
			if r.Name != "segment.entered" && r.Name != "segment.left" {
				continue
			}
			var p struct{ Segment string }
			require.NoError(t, json.Unmarshal(r.Properties, &p))
			at := fmt.Sprint(p.Segment, " ", r.Contact)
			require.NotEqual(t, r.Name == "segment.entered", in[at], "%s %s twice in a row", r.Name, at)
			in[at] = r.Name == "segment.entered"
			told++
		}
		pos = rows[len(rows)-1].Position
	}
}

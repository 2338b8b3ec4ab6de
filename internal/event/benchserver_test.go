package event_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/analytics/sealed"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/dictionary"
	"github.com/koipond/koipond/internal/event/intake"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// The servers that are measured and killed run as processes of their own: this
// test program, told by a variable which one to be.
const serveEnv = "KOIPOND_TEST_SERVE"

func TestMain(m *testing.M) {
	switch os.Getenv(serveEnv) {
	case "":
		os.Exit(m.Run())
	case "bare":
		serveBare(os.Args[len(os.Args)-1])
	default:
		serveIntake(os.Args[len(os.Args)-1])
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
	return v
}

// report is what a server says of itself when asked.
type report struct {
	RSS, Peak int64 // bytes
	Files     int64 // of RSS, pages of files such as the program itself
	Heap, Go  int64 // bytes in use by Go objects, and held by Go in all
	Stored    int64
	Lag       int64
	Delays    []int64 // ms from receipt to the last subscriber, sorted, since the last report
}

// probe is the last subscriber: it notes how old facts are when they get there.
type probe struct {
	mu     sync.Mutex
	delays []int64
}

func (p *probe) Name() string { return "probe" }

func (p *probe) Handle(_ context.Context, facts []event.Stored) error {
	now := time.Now().UnixMilli()
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range facts {
		p.delays = append(p.delays, now-facts[i].ReceivedAt)
	}
	return nil
}

func (p *probe) take() []int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.delays
	p.delays = nil
	slices.Sort(d)
	if step := len(d) / 1000; step > 1 { // enough for a 99th percentile
		thin := d[:0]
		for i := 0; i < len(d); i += step {
			thin = append(thin, d[i])
		}
		d = thin
	}
	return d
}

// serve listens, says where, and answers each line on standard input with a
// report until it ends; the line "drain" waits for the pipeline first.
func serve(h http.Handler, stats func(drain bool) report) {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(l) }()
	fmt.Println(l.Addr())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		r := stats(in.Text() == "drain")
		r.RSS, r.Peak, r.Files = memory("VmRSS"), memory("VmHWM"), memory("RssFile")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		r.Heap, r.Go = int64(m.HeapInuse), int64(m.Sys-m.HeapReleased)
		if path := os.Getenv("KOIPOND_TEST_HEAP"); path != "" {
			f := must(os.Create(path))
			must(0, pprof.WriteHeapProfile(f))
			_ = f.Close()
		}
		_ = json.NewEncoder(os.Stdout).Encode(r)
	}
	_ = srv.Close()
}

func memory(field string) int64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, field+":"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(v)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

type anyKey struct{}

func (anyKey) Lookup(context.Context, string) (intake.WriteKey, bool, error) {
	return intake.WriteKey{ID: "wk", Name: "bench"}, true, nil
}

type nobody struct{}

func (nobody) Authenticate(*http.Request) (*auth.Principal, error) { return nil, nil }

// serveIntake is the product from the HTTP door to the analytics store, with
// the real resolver and the dictionary behind it, in the folder dir.
func serveIntake(dir string) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // as the program does
	}
	ctx := context.Background()
	log := testkit.Quiet()
	c := clock.System{}
	ids := id.NewSource(c.Now, nil)
	records := must(db.Open(ctx, db.Config{Path: filepath.Join(dir, "koipond.db")}))
	must(records.Migrate(ctx, db.Migrations(), pipeline.Migrations(), dictionary.Migrations(), contact.Migrations()))
	ring := must(secret.NewRing([]byte("0123456789abcdef0123456789abcdef")))
	store := sealed.Wrap(must(duckdb.Open(ctx, duckdb.Config{Path: filepath.Join(dir, "a.duckdb"), MemoryLimitMB: duckMB(), Clock: c, Log: log})), ring)
	b := must(bus.Open(ctx, bus.Config{Dir: filepath.Join(dir, "stream"), Log: log}))
	pos := must(store.Position(ctx))
	stream := must(b.Stream(ctx, bus.StreamConfig{Name: "FACTS", After: pos.Seq, Floor: must(pipeline.Floor(ctx, records))}))
	in := intake.New(intake.Deps{Stream: stream, MaxMessage: b.MaxMessage(), Keys: ring, DB: records, WriteKeys: anyKey{}, Clock: c, IDs: ids, Log: log})
	people := contact.NewService(contact.Deps{DB: records, Clock: c, IDs: ids, Log: log, Keys: ring, Emit: in, Timeline: store})
	pipe := pipeline.New(pipeline.Deps{DB: records, Stream: stream, Store: store, Resolver: people.Resolver(), Emitter: in, Keys: ring, Clock: c, IDs: ids, Log: log, Busy: in.Busy})
	pipe.Subscribe(people.Activity())
	pipe.Subscribe(dictionary.New(dictionary.Deps{DB: records, Store: store, Clock: c, IDs: ids, Log: log}))
	last := &probe{}
	pipe.Subscribe(last)
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "bench", Auth: nobody{}, Log: log, Catalogue: must(i18n.Load(log)), Clock: c, TrustedProxies: []netip.Prefix{}})
	in.Routes(api)
	for _, s := range []func(context.Context) error{in.Start, pipe.Start} {
		must(0, s(ctx))
	}
	stop := profile()
	serve(api.Handler(), func(drain bool) report {
		if drain {
			state := must(stream.State(ctx))
			wait, cancel := context.WithTimeout(ctx, 30*time.Second)
			defer cancel()
			must(0, pipe.Wait(wait, state.Last))
		}
		st := must(pipe.Stats(ctx))
		return report{Stored: st.Stored, Lag: st.Lag, Delays: last.take()}
	})
	stop()
	_ = in.Stop(ctx)
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_ = pipe.Stop(short)
	_ = b.Close(ctx)
	_ = store.Close()
}

// bareEvent is what a plain handler would decode.
type bareEvent struct {
	Type, Event, UserID, AnonymousID, MessageID string
	Timestamp                                   time.Time
	Properties, Context                         json.RawMessage
}

// bare is the yardstick: decode with encoding/json, append, and answer once a
// sync every 5 ms has passed.
type bare struct {
	mu   sync.Mutex
	file *os.File
	done chan struct{}
}

func serveBare(dir string) {
	b := &bare{file: must(os.Create(filepath.Join(dir, "bare.log"))), done: make(chan struct{})}
	go func() {
		for range time.Tick(5 * time.Millisecond) {
			b.mu.Lock()
			done := b.done
			b.done = make(chan struct{})
			b.mu.Unlock()
			must(0, b.file.Sync())
			close(done)
		}
	}()
	stop := profile()
	serve(b, func(bool) report { return report{} })
	stop()
}

func (b *bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	if strings.HasSuffix(r.URL.Path, "batch") {
		var v struct{ Batch []bareEvent }
		err = json.Unmarshal(body, &v)
	} else {
		var v bareEvent
		err = json.Unmarshal(body, &v)
	}
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	b.mu.Lock()
	_, err = b.file.Write(body)
	done := b.done
	b.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	<-done
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"success":true}`)
}

// duckMB is the memory given to the analytics store, as for a small machine.
func duckMB() int {
	if n, err := strconv.Atoi(os.Getenv("KOIPOND_TEST_DUCK_MB")); err == nil {
		return n
	}
	return 128
}

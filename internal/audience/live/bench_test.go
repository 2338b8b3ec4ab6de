//go:build unix

package live_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/analytics/sealed"
	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/audience/live"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/intake"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

func envInt(name string, other int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return other
}

// BenchmarkRulesKeptTrue follows a flood of facts with a hundred rules, sixty of
// them on behaviour, over ten million facts of a million people: from the stream
// through resolving and storing to the rows of members and the facts about them.
//
//	start_s       everything worked out anew, as at a start
//	at_hand_s     until the store also has at hand what conditions on behaviour look at, and how much that is (recall_mb)
//	p50_ms p99_ms from receipt of a fact to its memberships; the goal is a p99 of 1,000
//	stored_p99_ms from receipt to the analytics store, which is part of it
//	told          memberships that changed
//	cpu_us/fact   processor time of all of it: what counts on a busy machine
//	peak_mb       memory of the process; the goal is 1,500
//
// KOIPOND_BENCH_CONTACTS and KOIPOND_BENCH_FACTS make it smaller,
// KOIPOND_BENCH_RATE is facts a second, KOIPOND_BENCH_SECONDS how long, and
// KOIPOND_BENCH_KEEP a folder in which the pond is kept for the next run.
func BenchmarkRulesKeptTrue(b *testing.B) {
	if testing.Short() {
		b.Skip("stores ten million facts")
	}
	people, facts := envInt("KOIPOND_BENCH_CONTACTS", 1_000_000), envInt("KOIPOND_BENCH_FACTS", 10_000_000)
	dir := os.Getenv("KOIPOND_BENCH_KEEP")
	if dir == "" {
		dir = b.TempDir()
	}
	dir = filepath.Join(dir, fmt.Sprintf("live-%d-%d", people, facts))
	require.NoError(b, os.MkdirAll(dir, 0o700))
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // as the program does
	for b.Loop() {
		p := openPond(b, dir, people, facts)
		began := time.Now()
		require.NoError(b, p.engine.Start(p.ctx))
		for !p.engine.Ready() {
			time.Sleep(10 * time.Millisecond)
		}
		b.ReportMetric(time.Since(began).Seconds(), "start_s")
		for !p.store.Recall().Ready {
			require.False(b, p.store.Recall().Full)
			time.Sleep(10 * time.Millisecond)
		}
		b.ReportMetric(time.Since(began).Seconds(), "at_hand_s")
		b.ReportMetric(float64(p.store.Recall().Bytes)/(1<<20), "recall_mb")
		b.Logf("everything worked out after %s", time.Since(began).Round(time.Millisecond))
		p.settle() // a kept pond may hold what the run before did not come to
		p.first.take()
		p.last.take()
		p.owner.told = 0
		cpu := processorTime(b)
		p.flood(envInt("KOIPOND_BENCH_RATE", 5000), time.Duration(envInt("KOIPOND_BENCH_SECONDS", 30))*time.Second, people)
		all, stored := p.last.take(), p.first.take()
		at := func(d []int64, share float64) float64 { return float64(d[int(share*float64(len(d)-1))]) }
		b.ReportMetric(at(all, 0.5), "p50_ms")
		b.ReportMetric(at(all, 0.99), "p99_ms")
		b.ReportMetric(at(stored, 0.99), "stored_p99_ms")
		b.ReportMetric(float64(p.owner.told), "told")
		b.ReportMetric((processorTime(b)-cpu).Seconds()*1e6/float64(len(all)), "cpu_us/fact")
		b.ReportMetric(float64(len(all)), "facts")
		b.ReportMetric(float64(memory("VmHWM"))/(1<<20), "peak_mb")
		b.ReportMetric(0, "ns/op")
		p.close()
	}
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

// delays is a subscriber that notes how old facts are when it sees them.
type delays struct {
	name string
	mu   sync.Mutex
	all  []int64
}

func (d *delays) Name() string { return d.name }
func (d *delays) BeginsNow()   {}

func (d *delays) Handle(_ context.Context, facts []event.Stored) error {
	now := time.Now().UnixMilli()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range facts {
		if facts[i].Source == "flood" {
			d.all = append(d.all, now-facts[i].ReceivedAt)
		}
	}
	return nil
}

func (d *delays) take() []int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.all
	d.all = nil
	slices.Sort(out)
	return out
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type benchPond struct {
	b           *testing.B
	ctx         context.Context
	records     *db.DB
	contacts    *contact.Service
	store       *sealed.Store
	stream      *bus.Stream
	intake      *intake.Service
	pipe        *pipeline.Pipeline
	engine      *live.Engine
	owner       *benchOwner
	first, last *delays
	stops       []func(context.Context) error
}

func openPond(b *testing.B, dir string, people, facts int) *benchPond {
	p := &benchPond{b: b, first: &delays{name: "first"}, last: &delays{name: "last"}}
	p.ctx = auth.With(b.Context(), &auth.Principal{ID: "us_1", Role: "admin", Scope: auth.Everybody()})
	log, c := testkit.Quiet(), clock.System{}
	ids := id.NewSource(c.Now, nil)
	must := func(err error) { b.Helper(); require.NoError(b, err) }
	var err error
	p.records, err = db.Open(p.ctx, db.Config{Path: filepath.Join(dir, "koipond.db")})
	must(err)
	_, err = p.records.Migrate(p.ctx, db.Migrations(), pipeline.Migrations(), contact.Migrations(), audience.Migrations(), live.Migrations())
	must(err)
	ring, err := secret.NewRing([]byte("0123456789abcdef0123456789abcdef"))
	must(err)
	engine, err := duckdb.Open(p.ctx, duckdb.Config{Path: filepath.Join(dir, "a.duckdb"), MemoryLimitMB: envInt("KOIPOND_BENCH_MB", 512), Clock: c, Log: log})
	must(err)
	store := sealed.Wrap(engine, ring)
	p.store = store
	p.fill(engine, people, facts)
	stream, err := bus.Open(p.ctx, bus.Config{Dir: filepath.Join(dir, "stream"), MinFree: -1, Log: log})
	must(err)
	pos, err := store.Position(p.ctx)
	must(err)
	floor, err := pipeline.Floor(p.ctx, p.records)
	must(err)
	p.stream, err = stream.Stream(p.ctx, bus.StreamConfig{Name: "FACTS", After: pos.Seq, Floor: floor})
	must(err)
	p.intake = intake.New(intake.Deps{Stream: p.stream, MaxMessage: stream.MaxMessage(), Keys: ring, DB: p.records, Clock: c, IDs: ids, Log: log})
	p.contacts = contact.NewService(contact.Deps{DB: p.records, Clock: c, IDs: ids, Log: log, Keys: ring, Emit: p.intake, Behaviours: store})
	p.pipe = pipeline.New(pipeline.Deps{DB: p.records, Stream: p.stream, Store: store, Resolver: p.contacts.Resolver(), Emitter: p.intake, Keys: ring, Clock: c, IDs: ids, Log: log, Busy: p.intake.Busy})
	p.engine = live.New(live.Deps{DB: p.records, Contacts: p.contacts, Store: store, Clock: c, Log: log, Zone: func(context.Context) *time.Location { return time.FixedZone("CST", 8*3600) },
		Cursor: func(ctx context.Context) (event.Position, error) { return p.pipe.Cursor(ctx, live.Name) }})
	p.owner = &benchOwner{sets: &audience.SetStore{DB: p.records}, emit: p.intake}
	p.owner.make(p)
	p.engine.Own(p.owner)
	p.pipe.Subscribe(p.first)
	p.pipe.Subscribe(p.contacts.Activity())
	p.pipe.Subscribe(p.engine, p.contacts.Activity().Name())
	p.pipe.Subscribe(p.last, live.Name)
	must(p.intake.Start(p.ctx))
	must(p.pipe.Start(p.ctx))
	p.stops = []func(context.Context) error{p.intake.Stop, p.pipe.Stop, p.engine.Stop, stream.Close, func(context.Context) error { return store.Close() }, func(context.Context) error { return p.records.Close() }}
	return p
}

func (p *benchPond) close() {
	for _, s := range p.stops {
		require.NoError(p.b, s(context.Background()))
	}
}

var benchNames = []string{"page.viewed", "page.viewed", "page.viewed", "product.viewed", "product.viewed", "cart.added", "message.opened", "order.paid"}

// visitor gives whose fact comes next: nineteen of twenty are of the few who are
// here just now, as people do several things in a visit.
func visitor(r *rand.Rand, people int) int {
	if r.IntN(20) > 0 {
		return r.IntN(max(1, people/50)) + 1
	}
	return r.IntN(people) + 1
}

func benchFact(r *rand.Rand, at int64, person int) event.Fact {
	f := event.Fact{Type: event.Track, Name: benchNames[r.IntN(len(benchNames))], UserID: fmt.Sprint("u", person), Timestamp: at, ReceivedAt: at, Source: "flood"}
	f.Properties = fmt.Appendf(nil, `{"sku":"S%d","category":"c%d","total":%d,"currency":"CNY"}`, r.IntN(500), r.IntN(12), r.IntN(800))
	return f
}

// fill writes people and what they did straight into the tables.
func (p *benchPond) fill(store *duckdb.Store, people, facts int) {
	st, err := store.Stats(p.ctx)
	require.NoError(p.b, err)
	if st.Facts > 0 {
		return
	}
	began := time.Now()
	r := rand.New(rand.NewPCG(1, 2))
	now := time.Now().UnixMilli()
	const day = int64(24 * 3600 * 1000)
	cities, channels := []string{"杭州", "上海", "北京", "成都", ""}, contact.Channels()
	for from := 1; from <= people; from += 50_000 {
		require.NoError(p.b, p.records.Tx(p.ctx, func(ctx context.Context) error {
			row, err := p.records.Prepare(ctx, `insert into contacts (num, id, kind, shown, city, gender, owner_id, channel, last_channel, kinds, created_at, updated_at, last_seen_at, facts, orders, revenue_main)
				values ($1,$2,'person',1,$3,$4,$5,$6,$7,$8,$9,$9,$10,10,$11,$12)`)
			if err != nil {
				return err
			}
			defer row.Close()
			who, err := p.records.Prepare(ctx, "insert into identities (kind, lookup, value_enc, contact, first_seen, last_seen, source) values ('user_id',$1,'',$2,1,1,'crm')")
			if err != nil {
				return err
			}
			defer who.Close()
			for n := from; n < min(from+50_000, people+1); n++ {
				created := now - r.Int64N(365)*day
				owner := ""
				if r.IntN(3) == 0 {
					owner = fmt.Sprint("us_", r.IntN(20))
				}
				seen := created + r.Int64N(now-created+1)
				if n <= people/50 {
					seen = now
				}
				if _, err := row.ExecContext(ctx, n, fmt.Sprintf("ct_%010d", n), cities[r.IntN(len(cities))], []string{"", "male", "female"}[r.IntN(3)], owner, channels[r.IntN(len(channels))], channels[r.IntN(len(channels))],
					1, created, seen, r.IntN(6), r.IntN(500_000)); err != nil {
					return err
				}
				if _, err := who.ExecContext(ctx, fmt.Sprint("u", n), n); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	_, err = p.records.Reserve(p.ctx, "contacts", int64(people))
	require.NoError(p.b, err)
	const size = 50_000
	for seq := 1; seq <= facts/size; seq++ {
		batch := analytics.Batch{Position: event.Position{Seq: uint64(seq), Idx: size - 1}}
		for i := range size {
			n := r.IntN(people) + 1
			if r.IntN(10) == 0 {
				n = visitor(r, people)
			}
			at := now - 120*day + int64(seq-1)*(120*day/int64(facts/size)) + r.Int64N(day)
			f := benchFact(r, min(at, now-1000), n)
			f.MessageID = fmt.Sprintf("old-%d-%d", seq, i)
			f.Source = "web"
			batch.Rows = append(batch.Rows, analytics.Row{Fact: f, Position: event.Position{Seq: uint64(seq), Idx: uint32(i)}, Contact: int64(n)})
		}
		for n := (seq-1)*people/(facts/size) + 1; n <= seq*people/(facts/size); n++ {
			batch.Profiles = append(batch.Profiles, event.Profile{Contact: int64(n), Kind: event.Person, Channel: channels[n%len(channels)]})
		}
		require.NoError(p.b, store.Append(p.ctx, batch))
	}
	_, err = p.records.Exec(p.ctx, "insert into event_cursors (name, seq, idx, updated_at) values ('sub:contact.activity', $1, $2, 0)", facts/size, size-1) // what was is counted
	require.NoError(p.b, err)
	p.b.Logf("filled in %s", time.Since(began).Round(time.Second))
}

// settle waits until everything was seen.
func (p *benchPond) settle() {
	st, err := p.stream.State(p.ctx)
	require.NoError(p.b, err)
	wait, cancel := context.WithTimeout(p.ctx, 10*time.Minute)
	defer cancel()
	require.NoError(p.b, p.pipe.Wait(wait, st.Last))
}

// flood sends facts at a rate, as senders do: in small batches.
func (p *benchPond) flood(rate int, length time.Duration, people int) {
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 3))
	began := time.Now()
	sent := 0
	var senders sync.WaitGroup
	slots := make(chan struct{}, 8)
	for time.Since(began) < length {
		due := int(time.Since(began).Seconds() * float64(rate))
		for ; sent+50 <= due; sent += 50 {
			facts := make([]event.Fact, 50)
			now := time.Now().UnixMilli()
			for i := range facts {
				facts[i] = benchFact(r, now, visitor(r, people))
				facts[i].MessageID = fmt.Sprintf("f%d-%d", began.UnixNano(), sent+i)
			}
			slots <- struct{}{}
			senders.Go(func() {
				defer func() { <-slots }()
				_, err := p.intake.Ingest(p.ctx, facts)
				require.NoError(p.b, err)
			})
		}
		time.Sleep(2 * time.Millisecond)
	}
	senders.Wait()
	p.settle()
	p.b.Logf("%d facts in %s, all seen after %s", sent, length, time.Since(began).Round(time.Millisecond))
}

// benchOwner keeps a hundred segments as segments are kept.
type benchOwner struct {
	sets  *audience.SetStore
	emit  event.Emitter
	rules []live.Rule
	keys  []string
	told  int
}

// make writes sixty rules on behaviour, most of them with a condition on a field
// besides, and forty on fields.
func (o *benchOwner) make(p *benchPond) {
	days := []int{1, 3, 7, 14, 30, 60, 90}
	names := []string{"page.viewed", "product.viewed", "cart.added", "message.opened", "order.paid"}
	cities := []string{"杭州", "上海", "北京", "成都"}
	field := func(i int) string {
		switch i % 6 {
		case 0:
			return fmt.Sprintf(`{"field":"city","op":"is","value":%q}`, cities[i%4])
		case 1:
			return fmt.Sprintf(`{"field":"lastSeen","op":"within","value":%d}`, days[i%7])
		case 2:
			return fmt.Sprintf(`{"field":"orders","op":"gte","value":%d}`, i%5)
		case 3:
			return fmt.Sprintf(`{"field":"channel","key":"last","op":"in","value":[%q]}`, contact.Channels()[i%len(contact.Channels())])
		case 4:
			return fmt.Sprintf(`{"field":"owner","op":"in","value":["us_%d"]}`, i%20)
		}
		return fmt.Sprintf(`{"field":"created","op":"within","value":%d}`, 30+i)
	}
	add := func(text string) {
		r, err := rule.Parse(text, "rule")
		require.NoError(p.b, err, text)
		key := fmt.Sprintf("sg_%03d", len(o.rules))
		o.rules, o.keys = append(o.rules, live.Rule{Key: key, Rule: r}), append(o.keys, key)
	}
	for i := range 60 {
		name, within := names[i%5], fmt.Sprintf(`"within":{"last":%d,"unit":"day"}`, days[i%7])
		var leaf string
		switch i % 12 {
		case 0, 1, 2:
			leaf = fmt.Sprintf(`{"event":{"name":%q,"op":"gte","value":%d,%s}}`, name, 1+i%4, within)
		case 3:
			leaf = fmt.Sprintf(`{"event":{"name":%q,"op":"lt","value":1,%s}}`, name, within)
		case 4:
			leaf = fmt.Sprintf(`{"event":{"name":"order.paid","measure":"sum","property":"total","op":"gte","value":%d,%s}}`, 100*(1+i%9), within)
		case 5:
			leaf = fmt.Sprintf(`{"event":{"name":"product.viewed","where":[{"property":"category","op":"in","value":["c%d","c%d"]}],"op":"gte","value":2,%s}}`, i%12, (i+3)%12, within)
		case 6:
			leaf = fmt.Sprintf(`{"sequence":{"steps":[{"name":"product.viewed"},{"name":"order.paid"}],"gap":{"n":%d,"unit":"day"},%s}}`, 1+i%5, within)
		case 7:
			leaf = fmt.Sprintf(`{"event":{"name":"product.viewed","measure":"distinct","property":"sku","op":"gte","value":%d,%s}}`, 2+i%3, within)
		case 8:
			leaf = fmt.Sprintf(`{"habit":{"kind":"stopped","name":"page.viewed","active":%d,"quiet":7}}`, 20+i)
		case 9:
			leaf = fmt.Sprintf(`{"event":{"name":"order.paid","measure":"avg","property":"total","op":"gte","value":%d,%s}}`, 200+i, within)
		case 10:
			leaf = fmt.Sprintf(`{"event":{"name":%q,"within":{"last":%d,"unit":"hour"},"op":"gte","value":%d}}`, name, 1+i%48, 1+i%2)
		default:
			leaf = fmt.Sprintf(`{"event":{"name":"order.paid","measure":"last","property":"category","op":"is","value":"c%d"}}`, i%12)
		}
		if i%3 == 0 {
			add(`{"v":1,` + leaf[1:])
		} else {
			add(fmt.Sprintf(`{"v":1,"all":[%s,%s]}`, leaf, field(i)))
		}
	}
	for i := range 40 {
		add(fmt.Sprintf(`{"v":1,"all":[%s,{"none":[%s]}]}`, field(i), field(7*i+3)))
	}
}

func (o *benchOwner) Name() string                               { return "bench" }
func (o *benchOwner) Rules(context.Context) ([]live.Rule, error) { return o.rules, nil }

func (o *benchOwner) Apply(ctx context.Context, t live.Truths, nums []int64, c live.Cause) error {
	var facts []event.Fact
	for _, key := range o.keys {
		ask := live.Suspects(t, key, nums)
		var kept *numset.Set
		var err error
		switch {
		case nums == nil:
			kept, err = o.sets.Load(ctx, key)
		case len(ask) == 0:
			continue
		default:
			kept, err = o.sets.Has(ctx, key, ask)
		}
		if err != nil {
			return err
		}
		ch := live.Compare(t, key, kept, nums, c)
		if ch.Empty() {
			continue
		}
		if _, _, err := o.sets.Apply(ctx, key, append(ch.Entered, ch.Gained...), append(ch.Left, ch.Dropped...)); err != nil {
			return err
		}
		if c.Reason == live.ReasonStart {
			continue
		}
		for i, n := range append(ch.Entered, ch.Left...) {
			name := "segment.entered"
			if i >= len(ch.Entered) {
				name = "segment.left"
			}
			props, _ := json.Marshal(map[string]any{"segment": key, "segmentName": cmp.Or(key, "?"), "reason": c.Reason, "live": c.Live})
			facts = append(facts, event.Fact{Type: event.Track, Name: name, Contact: n, Source: "koipond", Properties: props})
		}
	}
	o.told += len(facts)
	return o.emit.Emit(ctx, facts...)
}

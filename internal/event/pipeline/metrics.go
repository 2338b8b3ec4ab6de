package pipeline

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

type metrics struct {
	storedTotal, repeatTotal, failures prometheus.Counter
	batchFacts                         prometheus.Histogram
	latency                            prometheus.Histogram

	stored, repeats, asideCount atomic.Int64 // since start
	messages                    atomic.Int64
	rate                        rate
}

func newMetrics(reg prometheus.Registerer, p *Pipeline) *metrics {
	m := &metrics{
		storedTotal: prometheus.NewCounter(prometheus.CounterOpts{Name: "koipond_pipeline_facts_stored_total", Help: "Facts put into the analytics store."}),
		repeatTotal: prometheus.NewCounter(prometheus.CounterOpts{Name: "koipond_pipeline_facts_duplicate_total", Help: "Facts left out because their messageId was seen within 7 days."}),
		failures:    prometheus.NewCounter(prometheus.CounterOpts{Name: "koipond_pipeline_failures_total", Help: "Attempts of a stage or subscriber that failed and were tried again."}),
		batchFacts: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "koipond_pipeline_batch_facts", Help: "Facts taken through the stages at once.",
			Buckets: []float64{1, 10, 50, 100, 500, 1000, 2000, 4000, 10000}}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "koipond_pipeline_store_seconds", Help: "Time from the stream to the store, of the oldest fact of a batch.",
			Buckets: []float64{.005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 30, 300}}),
	}
	if reg == nil {
		return m
	}
	gauge := func(name, help string, fn func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, fn)
	}
	reg.MustRegister(subscriberLag{p}, m.storedTotal, m.repeatTotal, m.failures, m.batchFacts, m.latency,
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "koipond_pipeline_facts_set_aside_total", Help: "Facts set aside."}, func() float64 { return float64(m.asideCount.Load()) }),
		gauge("koipond_pipeline_lag_seconds", "Age of the oldest message at work.", func() float64 { return p.age().Seconds() }),
		gauge("koipond_pipeline_filter_bytes", "Memory of the duplicate filter.", func() float64 { return float64(p.filterBytes()) }))
	return m
}

// subscriberLag tells how old what each subscriber has not handled is.
type subscriberLag struct{ p *Pipeline }

var lagDesc = prometheus.NewDesc("koipond_pipeline_subscriber_lag_seconds", "Age of the oldest stored fact that a subscriber has not handled.", []string{"subscriber"}, nil)

// Describe implements prometheus.Collector.
func (l subscriberLag) Describe(ch chan<- *prometheus.Desc) { ch <- lagDesc }

// Collect implements prometheus.Collector.
func (l subscriberLag) Collect(ch chan<- prometheus.Metric) {
	for name, lag := range l.p.Lags() {
		ch <- prometheus.MustNewConstMetric(lagDesc, prometheus.GaugeValue, lag.Seconds(), name)
	}
}

// Lags tells, for each subscriber, how long ago the oldest fact was received
// that it has not handled.
func (p *Pipeline) Lags() map[string]time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[string]time.Duration, len(p.subs))
	for _, s := range p.subs {
		out[s.name] = s.lag()
	}
	return out
}

func (m *metrics) batch(stored, repeats, aside int, age time.Duration) {
	m.storedTotal.Add(float64(stored))
	m.repeatTotal.Add(float64(repeats))
	m.batchFacts.Observe(float64(stored + repeats + aside))
	m.latency.Observe(max(age, 0).Seconds())
	m.stored.Add(int64(stored))
	m.repeats.Add(int64(repeats))
	m.asideCount.Add(int64(aside))
	m.rate.add(time.Now().Unix(), int64(stored))
}

// rate counts per second over the last ten.
type rate struct {
	slots [12]struct{ at, n atomic.Int64 }
}

func (r *rate) add(now, n int64) {
	s := &r.slots[now%12]
	if s.at.Load() != now { // one goroutine adds
		s.n.Store(0)
		s.at.Store(now)
	}
	s.n.Add(n)
}

// perSecond is the mean of the ten whole seconds before now.
func (r *rate) perSecond(now int64) float64 {
	total := int64(0)
	for i := range r.slots {
		if at := r.slots[i].at.Load(); at >= now-10 && at < now {
			total += r.slots[i].n.Load()
		}
	}
	return float64(total) / 10
}

// SubscriberStatus tells how far a subscriber is.
type SubscriberStatus struct {
	Name    string
	Behind  bool          // it has not seen all that is stored
	Lag     time.Duration // age of the oldest fact that it has not handled
	Failing string        // why it stands still, for the log and the status page of engineers
}

// Stats is the pipeline in figures. Counts are since this process started.
type Stats struct {
	Ready       bool  // false while the duplicate filter is being rebuilt
	Received    int64 // seen so far, and what waits
	Stored      int64
	Duplicates  int64
	SetAside    int64 // open ones, of all time
	Lag         int64 // facts in the stream that are not stored yet, estimated from messages
	OldestLag   time.Duration
	PerSecond   float64
	NewestAt    time.Time // when facts were last worked on, zero never
	Position    event.Position
	Subscribers []SubscriberStatus
}

// OpenSetAside is how many set-aside facts wait for a person.
func (p *Pipeline) OpenSetAside(ctx context.Context) (int64, error) { return p.aside.countOpen(ctx) }

// Stats asks the stream and the tables; the rest is at hand.
func (p *Pipeline) Stats(ctx context.Context) (Stats, error) {
	st, err := p.deps.Stream.State(ctx)
	if err != nil {
		return Stats{}, err
	}
	open, err := p.aside.countOpen(ctx)
	if err != nil {
		return Stats{}, err
	}
	var newest int64
	err = p.deps.DB.QueryRow(ctx, "select updated_at from event_cursors where name = $1", resolveCursor).Scan(&newest)
	if err != nil && !db.NoRows(err) {
		return Stats{}, fmt.Errorf("read cursor: %w", err)
	}
	m := p.metrics
	out := Stats{NewestAt: clock.FromMs(newest), Ready: p.ready.Load(), Stored: m.stored.Load(), Duplicates: m.repeats.Load(), SetAside: open,
		PerSecond: m.rate.perSecond(time.Now().Unix()), OldestLag: p.age()}
	p.mu.Lock()
	defer p.mu.Unlock()
	out.Position = p.stored
	if st.Last > p.done {
		messages := int64(st.Last - p.done)
		perMessage := int64(1)
		if n := m.messages.Load(); n > 0 {
			perMessage = max(1, (out.Stored+out.Duplicates)/n)
		}
		out.Lag = messages * perMessage
	}
	out.Received = out.Stored + out.Duplicates + m.asideCount.Load() + out.Lag
	if out.Lag == 0 {
		out.OldestLag = 0
	}
	for _, s := range p.subs {
		sub := SubscriberStatus{Name: s.name, Behind: s.cursor.Less(p.stored), Lag: s.lag()}
		if s.failed != nil {
			sub.Failing = s.failed.Error()
		}
		out.Subscribers = append(out.Subscribers, sub)
	}
	return out, nil
}

// age is how old the oldest message at hand is.
func (p *Pipeline) age() time.Duration {
	at := p.oldest.Load()
	if at == 0 {
		return 0
	}
	return max(0, time.Since(time.UnixMilli(at)))
}

func (p *Pipeline) filterBytes() int64 { return p.filter.size.Load() }

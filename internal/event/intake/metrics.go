package intake

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/koipond/koipond/internal/platform/errs"
)

// metrics counts at the doors.
type metrics struct {
	accepted, rejected prometheus.Counter
	refused            *prometheus.CounterVec
	seconds            prometheus.Histogram
	messages, bytes    prometheus.Counter
	sync               prometheus.Histogram
	received           atomic.Int64 // facts on the stream since start
}

func newMetrics(reg prometheus.Registerer, s *Service) *metrics {
	m := &metrics{
		accepted: prometheus.NewCounter(prometheus.CounterOpts{Name: "koipond_intake_facts_accepted_total", Help: "Facts taken over HTTP and synced."}),
		rejected: prometheus.NewCounter(prometheus.CounterOpts{Name: "koipond_intake_facts_rejected_total", Help: "Facts refused as invalid."}),
		refused:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "koipond_intake_requests_refused_total", Help: "Requests refused as a whole, by code."}, []string{"code"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "koipond_intake_request_seconds", Help: "Time from request to synced answer.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 5}}),
		messages: prometheus.NewCounter(prometheus.CounterOpts{Name: "koipond_stream_messages_total", Help: "Messages that the stream took."}),
		bytes:    prometheus.NewCounter(prometheus.CounterOpts{Name: "koipond_stream_bytes_total", Help: "Bytes that the stream took, packed."}),
		sync: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "koipond_stream_sync_seconds", Help: "Time until the stream acknowledged a message.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .5, 1, 5}}),
	}
	if reg != nil {
		waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "koipond_intake_waiting_bytes", Help: "Bytes waiting for the stream."}, func() float64 {
			s.join.mu.Lock()
			defer s.join.mu.Unlock()
			return float64(s.join.waiting)
		})
		reg.MustRegister(m.accepted, m.rejected, m.refused, m.seconds, m.messages, m.bytes, m.sync, waiting)
	}
	return m
}

func (m *metrics) sent(facts, bytes int, took time.Duration) {
	m.received.Add(int64(facts))
	m.messages.Inc()
	m.bytes.Add(float64(bytes))
	m.sync.Observe(took.Seconds())
}

func (m *metrics) request(o *outcome, err error, took time.Duration) {
	m.seconds.Observe(took.Seconds())
	if o.count > 0 {
		m.rejected.Add(float64(o.count))
	}
	if err != nil {
		m.refused.WithLabelValues(errs.CodeOf(err)).Inc()
		return
	}
	m.accepted.Add(float64(o.accepted))
}

// Waiting is how many requests have not been acknowledged yet.
func (s *Service) Waiting() int { return s.join.requests() }

// Received is how many facts this process put on the stream since it started.
func (s *Service) Received() int64 { return s.metrics.received.Load() }

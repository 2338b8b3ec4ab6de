package jobs

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	running *prometheus.GaugeVec
	tries   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	if reg == nil {
		return nil
	}
	m := &metrics{
		running: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "koipond_jobs_running", Help: "Jobs running in this process, by kind."}, []string{"kind"}),
		tries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "koipond_job_tries_total",
			Help: "Tries at jobs that ended, by kind and the state they left (queued: to be tried again)."}, []string{"kind", "state"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "koipond_job_seconds", Help: "Time a try took, by kind.",
			Buckets: []float64{.1, 1, 5, 30, 120, 600, 3600}}, []string{"kind"}),
	}
	reg.MustRegister(m.running, m.tries, m.seconds)
	return m
}

func (m *metrics) started(kind string) {
	if m != nil {
		m.running.WithLabelValues(kind).Inc()
	}
}

func (m *metrics) ended(kind string, state State, took time.Duration) {
	if m != nil {
		m.running.WithLabelValues(kind).Dec()
		m.tries.WithLabelValues(kind, string(state)).Inc()
		m.seconds.WithLabelValues(kind).Observe(took.Seconds())
	}
}

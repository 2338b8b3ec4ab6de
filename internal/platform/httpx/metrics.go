package httpx

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	count   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	if reg == nil {
		return nil
	}
	m := &metrics{
		count: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "koipond_http_requests_total",
			Help: "Requests answered, by route, method and status."}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "koipond_http_request_seconds",
			Help: "Time to answer, by route and method.", Buckets: []float64{.001, .005, .02, .05, .1, .3, 1, 3, 10, 30}}, []string{"route", "method"}),
	}
	reg.MustRegister(m.count, m.seconds)
	return m
}

// route prepares the observation of one route. finished is false when the
// handler panicked: the 500 is written further out.
func (m *metrics) route(r Route) func(w http.ResponseWriter, start time.Time, finished bool) {
	if m == nil {
		return func(http.ResponseWriter, time.Time, bool) {}
	}
	seconds := m.seconds.WithLabelValues(r.Path, r.Method)
	return func(w http.ResponseWriter, start time.Time, finished bool) {
		status := http.StatusInternalServerError
		if finished {
			status = answerOf(w).code()
		}
		m.count.WithLabelValues(r.Path, r.Method, strconv.Itoa(status)).Inc()
		seconds.Observe(time.Since(start).Seconds())
	}
}

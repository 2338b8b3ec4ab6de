package live

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	asked, told prometheus.Counter
	seconds     prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, e *Engine) *metrics {
	m := &metrics{
		asked: prometheus.NewCounter(prometheus.CounterOpts{Name: "koipond_audience_questions_total", Help: "Conditions asked of the stores, each time."}),
		told:  prometheus.NewCounter(prometheus.CounterOpts{Name: "koipond_audience_told_total", Help: "Contacts that owners of rules were told of one by one."}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "koipond_audience_batch_seconds", Help: "Time from a batch of facts to the memberships it changes.",
			Buckets: []float64{.002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5}}),
	}
	if reg == nil {
		return m
	}
	gauge := func(name, help string, fn func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, fn)
	}
	reg.MustRegister(m.asked, m.told, m.seconds,
		gauge("koipond_audience_rules", "Rules that are kept true.", func() float64 { s := e.State(); return float64(s.Rules) }),
		gauge("koipond_audience_rules_waiting", "Rules that are not worked out as they are defined now.", func() float64 { s := e.State(); return float64(s.Waiting) }),
		gauge("koipond_audience_conditions_broken", "Conditions that cannot be answered just now.", func() float64 { s := e.State(); return float64(s.Broken) }))
	return m
}

func (m *metrics) batch(took time.Duration) { m.seconds.Observe(took.Seconds()) }

// State is the engine in figures, for the status page.
type State struct {
	Ready   bool // false until everything was worked out since the start
	Rules   int
	Waiting int // of these: not worked out as they are defined now
	Broken  int // of these: with a condition that cannot be answered just now
}

// State tells how the engine is.
func (e *Engine) State() State {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := State{Ready: e.Ready()}
	for _, plans := range e.status {
		for _, p := range plans {
			out.Rules++
			if !p.serves {
				out.Waiting++
			}
			for _, c := range p.conds {
				if c.broken != nil {
					out.Broken++
					break
				}
			}
		}
	}
	return out
}

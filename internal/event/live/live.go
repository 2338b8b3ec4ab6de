// Package live answers: what is arriving right now, and how much came in all?
// It keeps the last 100 facts in memory with what became of them, shows new
// ones to whoever watches, and asks the analytics store for totals and trends.
// Personal values are hidden.
package live

import (
	"slices"
	"strings"
	"sync"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

const (
	kept = 100 // facts in memory for who begins to watch
	// perBatch is how many facts of one batch a watcher is shown. In a flood it
	// sees the newest of each batch and is told how many it did not see.
	perBatch = 50
	// queued is how many facts may wait for one watcher before it is cut off.
	queued = 1000
	// maxWatchers bounds the work that watching costs.
	maxWatchers = 100
	// maxOwn keeps one caller from taking every place; a person has a few tabs.
	maxOwn = 10
)

// Deps is what a Service is built from.
type Deps struct {
	Store    analytics.Store
	Contacts pipeline.Contacts // nil: contacts are shown without a name
	Clock    clock.Clock
}

// Service implements pipeline.Watcher.
type Service struct {
	deps Deps

	mu       sync.Mutex
	ring     []*seen // oldest first
	watchers map[*watcher]bool
}

// New makes the service; it needs no start.
func New(d Deps) *Service { return &Service{deps: d, watchers: map[*watcher]bool{}} }

// seen is one fact with its outcome. It is shared and never changed.
type seen struct {
	event.Stored
	outcome pipeline.Outcome
	why     *errs.Error
}

// filter narrows what a watcher sees; empty parts let everything through.
type filter struct {
	name, source, contact string
	typ                   event.Type
}

func (f filter) match(s *event.Stored) bool {
	return (f.name == "" || s.Name == f.name) && (f.source == "" || s.Source == f.source) && (f.typ == "" || s.Type == f.typ) &&
		(f.contact == "" || s.ContactID == f.contact || s.UserID == f.contact || s.AnonymousID == f.contact)
}

// watcher is one open event stream.
type watcher struct {
	filter  filter
	by      string // id of the principal
	facts   chan *seen
	gone    chan struct{} // closed when it was too slow
	skipped int           // guarded by Service.mu
}

// Stored implements pipeline.Watcher.
func (s *Service) Stored(facts []event.Stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	copies := map[int]*seen{} // each fact is copied at most once, and most are not
	at := func(i int) *seen {
		c := copies[i]
		if c == nil {
			c = keep(facts[i], pipeline.Stored, nil)
			copies[i] = c
		}
		return c
	}
	for i := max(0, len(facts)-kept); i < len(facts); i++ {
		s.remember(at(i))
	}
	for w := range s.watchers {
		var show []int
		for i := len(facts) - 1; i >= 0; i-- {
			if !w.filter.match(&facts[i]) {
				continue
			}
			if len(show) >= perBatch {
				w.skipped++
				continue
			}
			show = append(show, i)
		}
		slices.Reverse(show)
		for _, i := range show {
			if !s.offer(w, at(i)) {
				break
			}
		}
	}
}

// Left implements pipeline.Watcher.
func (s *Service) Left(f event.Fact, at event.Position, o pipeline.Outcome, why *errs.Error) {
	c := keep(event.Stored{Fact: f, Position: at}, o, why)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remember(c)
	for w := range s.watchers {
		if w.filter.match(&c.Stored) {
			s.offer(w, c)
		}
	}
}

// keep copies what would otherwise hold a whole stream message in memory.
func keep(f event.Stored, o pipeline.Outcome, why *errs.Error) *seen {
	f.Properties, f.Traits, f.Context = slices.Clone(f.Properties), slices.Clone(f.Traits), slices.Clone(f.Context)
	f.Identifiers = slices.Clone(f.Identifiers)
	f.MessageID, f.UserID, f.AnonymousID = strings.Clone(f.MessageID), strings.Clone(f.UserID), strings.Clone(f.AnonymousID)
	return &seen{Stored: f, outcome: o, why: why}
}

func (s *Service) remember(c *seen) {
	s.ring = append(s.ring, c)
	if len(s.ring) > 2*kept {
		s.ring = append(s.ring[:0:0], s.ring[len(s.ring)-kept:]...)
	}
}

// offer never blocks the pipeline: a watcher whose queue is full is cut off,
// and its browser connects anew. It tells whether the watcher is still there.
func (s *Service) offer(w *watcher, c *seen) bool {
	select {
	case w.facts <- c:
		return true
	default:
		delete(s.watchers, w)
		close(w.gone)
		return false
	}
}

// watch begins to watch; nil when too many do already, or the caller itself does. The first facts are
// the newest of those kept that match.
func (s *Service) watch(f filter, by string) (w *watcher, first []*seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.watchers) >= maxWatchers {
		return nil, nil
	}
	own := 0
	for o := range s.watchers {
		if o.by == by {
			own++
		}
	}
	if own >= maxOwn {
		return nil, nil
	}
	w = &watcher{filter: f, by: by, facts: make(chan *seen, queued), gone: make(chan struct{})}
	s.watchers[w] = true
	for _, c := range s.ring[max(0, len(s.ring)-kept):] {
		if f.match(&c.Stored) {
			first = append(first, c)
		}
	}
	return w, first
}

func (s *Service) leave(w *watcher) {
	s.mu.Lock()
	delete(s.watchers, w)
	s.mu.Unlock()
}

// takeSkipped gives how many facts a watcher was not shown since it was last asked.
func (s *Service) takeSkipped(w *watcher) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := w.skipped
	w.skipped = 0
	return n
}

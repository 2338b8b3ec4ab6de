package rfm

import (
	"context"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/rounds"
)

// Scores are those of the last midnight, so what happens today changes none. What
// comes late does: a purchase of yesterday that is told today, a contact that
// becomes part of another. The pipeline shows every fact to Stored, which notes
// that there was such a one; a look every few seconds drops what is kept then, and
// has rules that ask for scores looked at again.

const (
	// lookEvery is how often late facts are looked after.
	lookEvery = 10 * time.Second
	// restShare bounds what a stream of late facts may cost: scores rest so many
	// times as long as it took to work them out.
	restShare = 10
)

// Engine keeps rules true that ask for scores (package audience/live implements it).
type Engine interface {
	Refresh(fields ...string)
}

// noEngine keeps no rules.
type noEngine struct{}

func (noEngine) Refresh(...string) {}

// watched is what a fact is compared with as it passes. It is never changed.
type watched struct {
	names map[string]bool // of purchases, and of what gives money back
	zone  *time.Location
}

// Start begins to look after late facts. Safe to call twice.
func (s *Service) Start(ctx context.Context) error {
	ctx = auth.With(context.WithoutCancel(ctx), auth.System("rfm"))
	if err := s.watch(ctx); err != nil {
		return err
	}
	s.run.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, lookEvery, nil, func(ctx context.Context) {
			if err := s.Look(ctx); err != nil && ctx.Err() == nil {
				s.Log.Error("looking after late purchases", "error", err)
			}
		})
	})
	return nil
}

// Stop ends that and waits. Safe to call twice and without Start.
func (s *Service) Stop(context.Context) error {
	s.run.Stop()
	return nil
}

// watch reads what is to be watched for.
func (s *Service) watch(ctx context.Context) error {
	all, err := s.Models(ctx)
	if err != nil {
		return fmt.Errorf("find what RFM looks at: %w", err)
	}
	w := &watched{names: map[string]bool{}, zone: s.Zone(ctx)}
	for _, m := range all {
		w.names[m.Event] = true
		if m.Less != "" {
			w.names[m.Less] = true
		}
	}
	s.watched.Store(w)
	return nil
}

// Stored notes whether facts change scores that are known. The pipeline calls it
// with what it has stored; it neither waits nor keeps the facts.
func (s *Service) Stored(facts []event.Stored) {
	w := s.watched.Load()
	if w == nil || len(facts) == 0 {
		return
	}
	now := s.Clock.Now()
	today := midnight(now, w.zone).UnixMilli()
	for i := range facts {
		f := &facts[i]
		joins := f.Name == event.NameContactMerged || f.Name == event.NameContactSplit
		if joins || f.Timestamp < today && w.names[f.Name] {
			s.Doubt()
			return
		}
	}
}

// Doubt says that facts of before today changed: scores that are kept may be wrong.
func (s *Service) Doubt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doubted = s.Clock.Now()
	s.doubts++
}

// Look drops scores that late facts have changed, and has rules that ask for scores
// looked at again.
func (s *Service) Look(ctx context.Context) error {
	if err := s.watch(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	rest := max(lookEvery, restShare*s.cost)
	due := s.doubts > 0 && s.Clock.Now().Sub(s.looked) >= rest
	if due {
		s.kept, s.doubts, s.looked = nil, 0, s.Clock.Now()
	}
	s.mu.Unlock()
	if due {
		s.renewed()
	}
	return nil
}

// renewed has rules that ask for scores looked at again.
func (s *Service) renewed() { s.Engine.Refresh("rfm", "tier", "rfmScore", "rfmMove") }

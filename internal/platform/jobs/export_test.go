package jobs

import "context"

// Beat is one turn of the heartbeat.
func (s *Service) Beat(ctx context.Context) error { return s.beat(ctx) }

// Claim is one look for due jobs.
func (s *Service) Claim(ctx context.Context) error { return s.claim(ctx) }

// Sweep is one removal of old jobs.
func (s *Service) Sweep(ctx context.Context) error { return s.sweep(ctx) }

// Freeze makes the service claim nothing more, as a process that died would.
func (s *Service) Freeze() {
	s.mu.Lock()
	s.Workers = 0
	s.mu.Unlock()
}

package intake

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
)

// WriteKey is what a sender may use: facts sent with it carry its source.
type WriteKey struct {
	ID, Name string
	Source   string // "" means Name
}

// WriteKeys finds a key by its secret. It is asked for every request, so the
// answer is expected from memory. An error says that the question could not be
// answered just now: the sender is told to come back, because a sender told that
// its key is wrong throws its facts away. Package team implements it.
type WriteKeys interface {
	Lookup(ctx context.Context, key string) (k WriteKey, known bool, err error)
}

// Keyring seals facts at rest (package secret implements it).
type Keyring interface {
	wire.Keyring
	Seal(field, plain string) (string, error)
	OpenOrClear(field, text string) (string, error)
}

// Deps is what a Service is built from.
type Deps struct {
	Stream     Stream
	MaxMessage int // largest message the stream takes, in bytes
	// Keys seal what goes on the stream and into the outbox; nil: it stays clear.
	Keys      Keyring
	DB        *db.DB
	WriteKeys WriteKeys
	Clock     clock.Clock
	IDs       *id.Source
	Log       *slog.Logger
	Metrics   prometheus.Registerer // nil: none
	// Queue bounds the bytes waiting for the stream, Bodies those of requests
	// being read. 0: 32 and 64 MiB.
	Queue, Bodies int
}

// Service is both doors. Start it before use, stop it after the HTTP server.
type Service struct {
	deps     Deps
	join     *coalescer
	pool     *bodyPool
	parsers  sync.Pool
	metrics  *metrics
	relay    *relay
	large    chan struct{} // messages from inside that go alone: one at a time
	draining atomic.Bool
	stopOnce sync.Once
	stopErr  error
}

// New makes the doors; nothing runs yet.
func New(d Deps) *Service {
	if d.Queue == 0 {
		d.Queue = 32 << 20
	}
	if d.Bodies == 0 {
		d.Bodies = 64 << 20
	}
	s := &Service{deps: d, join: newCoalescer(d.Stream, streamKeys(d.Keys), d.Queue, d.Log), pool: newBodyPool(&budget{limit: int64(d.Bodies)}),
		large: make(chan struct{}, 1)}
	s.metrics = newMetrics(d.Metrics, s)
	s.parsers.New = func() any { return &parser{} }
	s.join.onDone = s.metrics.sent
	s.relay = newRelay(s)
	return s
}

// streamKeys keeps "no keys" from becoming an interface that holds nothing.
func streamKeys(k Keyring) wire.Keyring {
	if k == nil {
		return nil
	}
	return k
}

// OnSent calls fn with the sequence of each message that the stream took, from
// several goroutines; set it before Start.
func (s *Service) OnSent(fn func(seq uint64)) { s.join.onSent = fn }

// Start begins to take facts.
func (s *Service) Start(context.Context) error {
	s.join.start()
	s.relay.start()
	return nil
}

// Drain refuses new requests with 503 from now on; those inside go on.
func (s *Service) Drain() { s.draining.Store(true) }

// Stop refuses new facts, relays what the outbox holds, and returns when
// everything taken is on the stream or ctx ends. Safe to call twice.
func (s *Service) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		s.Drain()
		relayed := s.relay.stop(ctx)
		done := make(chan struct{})
		go func() { s.join.stop(); close(done) }() // ends by itself: each message waits at most ackTimeout
		select {
		case <-done:
			s.stopErr = relayed
		case <-ctx.Done():
			s.stopErr = errors.Join(relayed, ctx.Err())
		}
	})
	return s.stopErr
}

// await waits until the group's fate is known. A caller that goes away does
// not change it.
func await(ctx context.Context, g *group) error {
	select {
	case <-g.done:
		return g.err
	case <-ctx.Done():
		return errs.New(errs.Unavailable, "request.cancelled").Wrap(ctx.Err())
	}
}

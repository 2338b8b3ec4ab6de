package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/vault"
)

// outboxTopic is under which facts wait in the outbox.
const outboxTopic = "facts"

const (
	relayBatch = 200             // outbox rows in one go
	rowBytes   = 256 << 10       // of facts in one outbox row
	relayPoll  = 2 * time.Second // in case another node's wake-up is not ours
)

// Emit states facts from inside the program: they are written to the outbox in
// the transaction of ctx (or one of their own) and reach the stream soon after
// it commits. A faulty fact is a mistake of the caller and fails the transaction.
func (s *Service) Emit(ctx context.Context, facts ...event.Fact) error {
	if len(facts) == 0 {
		return nil
	}
	for i := range facts {
		if bad, is := s.prepare(&facts[i]); is {
			return errs.New(errs.Invalid, "intake.invalid").On(errs.At(fmt.Sprintf("facts[%d].%s", i, bad.field), bad.code, bad.params...))
		}
	}
	return s.deps.DB.Tx(ctx, func(ctx context.Context) error {
		for len(facts) > 0 {
			n := rowOf(facts)
			payload, err := json.Marshal(facts[:n])
			if err != nil {
				return fmt.Errorf("encode facts for the outbox: %w", err)
			}
			if payload, err = s.sealOut(payload); err != nil {
				return err
			}
			if err := s.deps.DB.Enqueue(ctx, outboxTopic, payload); err != nil {
				return err
			}
			facts = facts[n:]
		}
		s.deps.DB.After(ctx, s.relay.kick)
		return nil
	})
}

// outboxField is under which name the facts of an outbox row are sealed.
const outboxField = "outbox.facts"

// Sealed are the columns that this package seals, for key rotation.
func Sealed() []vault.Column {
	return []vault.Column{{Table: "outbox", Key: "id:n", Column: "payload", Where: "topic = '" + outboxTopic + "'", Field: outboxField, Clear: true}}
}

func (s *Service) sealOut(payload []byte) ([]byte, error) {
	if s.deps.Keys == nil {
		return payload, nil
	}
	text, err := s.deps.Keys.Seal(outboxField, string(payload))
	return []byte(text), err
}

// openOut opens a row in place; one that an older program left is not sealed.
func (s *Service) openOut(o *db.Outgoing) error {
	if s.deps.Keys == nil {
		return nil
	}
	text, err := s.deps.Keys.OpenOrClear(outboxField, string(o.Payload))
	if err == nil {
		o.Payload = []byte(text)
	}
	return err
}

// rowOf is how many facts go into one outbox row.
func rowOf(facts []event.Fact) int {
	size := 0
	for i := range facts {
		size += 500 + len(facts[i].Properties) + len(facts[i].Traits) + len(facts[i].Context)
		if i > 0 && size > rowBytes {
			return i
		}
	}
	return len(facts)
}

// relay moves facts from the outbox to the stream, in order, at least once:
// each has its message id since Emit, so a repeat after a crash counts once.
type relay struct {
	s      *Service
	wake   chan struct{}
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex    // one drains at a time, so that order holds
	last   atomic.Uint64 // sequence of the newest relayed message
}

func newRelay(s *Service) *relay { return &relay{s: s, wake: make(chan struct{}, 1)} }

func (r *relay) kick() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *relay) start() {
	if r.s.deps.DB == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background()) // lives until stop
	r.cancel = cancel
	r.wg.Go(func() { r.run(ctx) })
}

// stop ends the goroutine and empties the outbox one last time.
func (r *relay) stop(ctx context.Context) error {
	if r.cancel == nil {
		return nil
	}
	r.cancel()
	r.wg.Wait()
	return r.drain(ctx)
}

func (r *relay) run(ctx context.Context) {
	tick := time.NewTicker(relayPoll)
	defer tick.Stop()
	wait := time.Duration(0)
	for {
		err := r.drain(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			wait = min(max(2*wait, 100*time.Millisecond), 10*time.Second)
			r.s.deps.Log.Warn("facts wait in the outbox", "error", err, "retryIn", wait)
		default:
			wait = 0
		}
		if wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return
			}
			continue
		}
		select {
		case <-r.wake:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// drain relays until the outbox is empty.
func (r *relay) drain(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		rows, err := r.s.deps.DB.Pending(ctx, outboxTopic, relayBatch)
		if err != nil || len(rows) == 0 {
			return err
		}
		var facts []event.Fact
		size, last := 0, int64(0)
		for _, o := range rows {
			var some []event.Fact
			err := r.s.openOut(&o)
			if err == nil {
				err = json.Unmarshal(o.Payload, &some)
			}
			if err != nil {
				if len(facts) > 0 {
					break
				}
				if err := r.park(ctx, o.ID, err); err != nil {
					return err
				}
				continue
			}
			if size += len(o.Payload); size > 4*rowBytes && len(facts) > 0 {
				break
			}
			facts, last = append(facts, some...), o.ID
		}
		if len(facts) == 0 {
			continue
		}
		seq, err := r.s.Ingest(ctx, facts)
		if err != nil {
			// Emit checked them, so only an older program's rules can differ.
			if k := errs.As(err).Kind; k != errs.Invalid && k != errs.TooLarge {
				return err
			}
			r.s.deps.Log.Error("facts of the outbox are refused", "error", err)
		}
		if err := r.s.deps.DB.Sent(ctx, outboxTopic, last); err != nil {
			return err
		}
		if seq > 0 {
			r.last.Store(seq)
		}
	}
}

// park moves a row that cannot be read out of the way, for a person to look at.
func (r *relay) park(ctx context.Context, row int64, why error) error {
	r.s.deps.Log.Error("outbox row is no list of facts: parked under topic facts.unreadable", "id", row, "error", why)
	_, err := r.s.deps.DB.Exec(ctx, "update outbox set topic = 'facts.unreadable' where id = $1", row)
	return err
}

// Flush relays what the outbox holds now and returns the last sequence of the
// stream used for it, 0 when there was nothing: for Wait.
func (s *Service) Flush(ctx context.Context) (uint64, error) {
	if s.deps.DB == nil {
		return 0, nil
	}
	if err := s.relay.drain(ctx); err != nil {
		return 0, err
	}
	return s.relay.last.Load(), nil
}

package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Message is one entry of a stream. Data is the reader's own copy.
type Message struct {
	Seq  uint64
	At   time.Time // when the stream took it
	Data []byte
}

// Reader gives the messages of a stream in order and without gaps, each once
// per reader. It keeps no state in the stream: whoever reads remembers how far
// it got and begins there. Not safe for concurrent use.
type Reader struct {
	s    *Stream
	next uint64
	it   jetstream.MessagesContext
	// reopenedAt is the sequence for which a gap made us begin anew: once is enough.
	reopenedAt uint64
}

// What waits in memory for one reader: at least the largest message must fit.
const (
	prefetchMessages = 512
	prefetchBytes    = MaxMessage + 1<<16
)

// Reader begins at sequence from; when that is trimmed already, at the first there is.
func (s *Stream) Reader(from uint64) *Reader {
	return &Reader{s: s, next: max(from, 1)}
}

// Next waits for the next message until ctx ends. Trouble with the connection
// is mended by beginning anew behind the last message given.
func (r *Reader) Next(ctx context.Context) (Message, error) {
	for {
		if r.it == nil {
			if err := r.open(ctx); err != nil {
				return Message{}, err
			}
		}
		m, err := r.it.Next(jetstream.NextContext(ctx))
		if err != nil {
			if ctx.Err() != nil {
				return Message{}, ctx.Err()
			}
			if r.close(); transient(err) {
				continue
			}
			return Message{}, fmt.Errorf("read stream %s: %w", r.s.cfg.Name, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return Message{}, fmt.Errorf("read stream %s: %w", r.s.cfg.Name, err)
		}
		seq := meta.Sequence.Stream
		if seq < r.next {
			continue
		}
		if seq > r.next {
			// Trimmed in front of us, or lost on the way: only the stream knows.
			gap, err := r.missing(ctx, seq)
			if err != nil {
				return Message{}, err
			}
			if gap && r.reopenedAt != r.next {
				r.reopenedAt = r.next
				r.close()
				continue
			}
		}
		r.next = seq + 1
		return Message{Seq: seq, At: meta.Timestamp.UTC(), Data: m.Data()}, nil
	}
}

// missing tells whether messages in [next, seq) are still in the stream.
func (r *Reader) missing(ctx context.Context, seq uint64) (bool, error) {
	st, err := r.s.State(ctx)
	if err != nil {
		return false, err
	}
	return st.First < seq && st.Messages > 0, nil
}

func (r *Reader) open(ctx context.Context) error {
	cons, err := r.s.js.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.next,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 5 * time.Minute,
	})
	if err != nil {
		return fmt.Errorf("open reader of %s at %d: %w", r.s.cfg.Name, r.next, err)
	}
	r.it, err = cons.Messages(jetstream.PullMaxMessagesWithBytesLimit(prefetchMessages, prefetchBytes), jetstream.PullHeartbeat(5*time.Second), jetstream.PullExpiry(30*time.Second))
	if err != nil {
		return fmt.Errorf("open reader of %s: %w", r.s.cfg.Name, err)
	}
	return nil
}

func transient(err error) bool {
	return errors.Is(err, jetstream.ErrNoHeartbeat) || errors.Is(err, jetstream.ErrConsumerDeleted) ||
		errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrMsgIteratorClosed) ||
		errors.Is(err, jetstream.ErrServerShutdown) || errors.Is(err, jetstream.ErrConsumerLeadershipChanged)
}

func (r *Reader) close() {
	if r.it != nil {
		r.it.Stop()
		r.it = nil
	}
}

// Close ends the reading. Safe to call twice.
func (r *Reader) Close() { r.close() }

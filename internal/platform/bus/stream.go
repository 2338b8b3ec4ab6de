package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// StreamConfig describes one stream.
type StreamConfig struct {
	Name     string // upper case, such as FACTS
	MaxBytes int64  // the stream refuses beyond it; default 10 GiB
	// After is the last sequence known to be worked on: the next message gets a
	// higher one even if the stream is new, was lost, or is older than what was
	// stored from it (then all it holds is stored already, and trimmed).
	After uint64
	// Floor is the highest sequence anyone has noted anywhere, when that is more
	// than After: a stream that has to be made anew begins beyond it.
	Floor uint64
}

// Stream is one ordered log. Safe for concurrent use.
type Stream struct {
	bus     *Bus
	subject string
	cfg     StreamConfig
	js      jetstream.Stream
}

// State of a stream. An empty one has First = Last + 1.
type State struct {
	First, Last uint64
	Messages    uint64
	Bytes       uint64
	MaxBytes    int64
	FirstTime   time.Time // when the oldest message came, zero when empty
}

// Stream opens a stream, making it when missing.
func (b *Bus) Stream(ctx context.Context, cfg StreamConfig) (*Stream, error) {
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 10 << 30
	}
	subject := "koipond." + strings.ToLower(cfg.Name)
	sc := jetstream.StreamConfig{
		Name: cfg.Name, Subjects: []string{subject}, Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage,
		Discard: jetstream.DiscardNew, MaxBytes: cfg.MaxBytes, MaxMsgs: -1, FirstSeq: max(cfg.After, cfg.Floor) + 1, Replicas: 1,
		Duplicates: time.Second, // unused: the facts have a rule of their own
	}
	if b.cfg.URL != "" {
		sc.Replicas = max(b.cfg.Replicas, 1)
		if b.cfg.Replicas == 0 {
			sc.Replicas = 3
		}
	}
	js, err := b.js.Stream(ctx, cfg.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		js, err = b.js.CreateStream(ctx, sc)
	} else if err == nil {
		sc.FirstSeq = js.CachedInfo().Config.FirstSeq // cannot be changed later
		js, err = b.js.UpdateStream(ctx, sc)
	}
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", cfg.Name, err)
	}
	s := &Stream{bus: b, subject: subject, cfg: cfg, js: js}
	st := js.CachedInfo().State
	if st.LastSeq < cfg.After { // trimming beyond the end also moves the sequence forward
		if err := s.Trim(ctx, cfg.After); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// State asks for the current figures.
func (s *Stream) State(ctx context.Context) (State, error) {
	info, err := s.js.Info(ctx)
	if err != nil {
		return State{}, fmt.Errorf("ask stream %s: %w", s.cfg.Name, err)
	}
	st := info.State
	out := State{First: st.FirstSeq, Last: st.LastSeq, Messages: st.Msgs, Bytes: st.Bytes, MaxBytes: s.cfg.MaxBytes}
	if st.Msgs > 0 {
		out.FirstTime = st.FirstTime.UTC()
	} else {
		out.First = st.LastSeq + 1
	}
	return out, nil
}

// Trim removes everything up to and including seq. It rewrites an index, so
// call it once in a while and not for each message.
func (s *Stream) Trim(ctx context.Context, seq uint64) error {
	if err := s.js.Purge(ctx, jetstream.WithPurgeSequence(seq+1)); err != nil {
		return fmt.Errorf("trim stream %s to %d: %w", s.cfg.Name, seq, err)
	}
	return nil
}

// Ack is the fate of a published message.
type Ack struct {
	Seq uint64
	Err error
}

// Publish appends a message and returns when it is synced to disk.
func (s *Stream) Publish(ctx context.Context, data []byte) (uint64, error) {
	wait, err := s.Send(data)
	if err != nil {
		return 0, err
	}
	a := wait(ctx)
	return a.Seq, a.Err
}

// Send hands a message over without waiting; order of calls is order in the
// stream. The returned function waits for its fate; call it exactly once.
// data must not change until then.
func (s *Stream) Send(data []byte) (wait func(context.Context) Ack, err error) {
	if len(data) > s.bus.MaxMessage() {
		return nil, ErrTooLarge.With("limit", s.bus.MaxMessage())
	}
	if s.bus.disk.full() {
		return nil, ErrFull
	}
	f, err := s.bus.js.PublishMsgAsync(&nats.Msg{Subject: s.subject, Data: data}, jetstream.WithRetryAttempts(0))
	if err != nil {
		return nil, refusal(err)
	}
	return func(ctx context.Context) Ack {
		select {
		case a := <-f.Ok():
			return Ack{Seq: a.Sequence}
		case err := <-f.Err():
			return Ack{Err: refusal(err)}
		case <-ctx.Done():
			return Ack{Err: ErrUnavailable.Wrap(ctx.Err())}
		}
	}, nil
}

// refusal turns JetStream's words into our reasons.
func refusal(err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		switch {
		case strings.Contains(api.Description, "maximum bytes exceeded"), strings.Contains(api.Description, "resource limits exceeded"),
			strings.Contains(api.Description, "insufficient"):
			return ErrFull.Wrap(err)
		case strings.Contains(api.Description, "message size exceeds"):
			return ErrTooLarge.Wrap(err)
		}
	}
	if errors.Is(err, nats.ErrMaxPayload) {
		return ErrTooLarge.Wrap(err)
	}
	return ErrUnavailable.Wrap(err)
}

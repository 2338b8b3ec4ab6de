package intake

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Stream is where messages go; *bus.Stream implements it.
type Stream interface {
	Send(data []byte) (wait func(context.Context) bus.Ack, err error)
}

const (
	// targetMessage is when a message is sent although another is under way:
	// large enough that one disk sync serves hundreds of facts.
	targetMessage = 96 << 10
	// maxMessage is when a message takes no further request (before packing).
	maxMessage = 1 << 20
	senders    = 2
	// ackTimeout ends the wait for the stream; its fate is unknown then.
	ackTimeout = 10 * time.Second
	// retryAfter is what clients are told to wait for, in seconds.
	retryAfter = 2
)

var (
	errBusy     = &errs.Error{Kind: errs.TooMany, Code: "intake.busy", RetryAfter: retryAfter}
	errFull     = &errs.Error{Kind: errs.TooMany, Code: "intake.full", RetryAfter: 10}
	errDraining = &errs.Error{Kind: errs.Unavailable, Code: "intake.draining", RetryAfter: retryAfter}
	errDown     = &errs.Error{Kind: errs.Unavailable, Code: "intake.unavailable", RetryAfter: 5}
)

// group is one stream message in the making: the frames of many requests,
// which all learn its fate together.
type group struct {
	frames   []byte
	count    int // facts
	requests int
	done     chan struct{}
	seq      uint64
	err      error
}

// coalescer joins requests into messages the way a database joins commits:
// while one message is being synced, the next gathers. An idle server answers
// at once, a busy one fills its messages; no timer decides.
type coalescer struct {
	out   Stream
	keys  wire.Keyring // nil: messages are not sealed
	log   *slog.Logger
	limit int // bytes that may wait, over all groups

	mu      sync.Mutex
	wake    sync.Cond
	open    *group   // takes requests
	sealed  []*group // full ones, oldest first
	waiting int      // bytes not yet acknowledged
	pending int      // requests not yet acknowledged
	flying  int      // messages under way
	closed  bool
	crowd   int       // requests that shared the newest message
	crowdAt time.Time // when that was
	wg      sync.WaitGroup

	onSent func(seq uint64) // called after each acknowledged message
	onDone func(facts, bytes int, took time.Duration)
}

func newCoalescer(out Stream, keys wire.Keyring, limit int, log *slog.Logger) *coalescer {
	c := &coalescer{out: out, keys: keys, log: log, limit: limit, onSent: func(uint64) {}, onDone: func(int, int, time.Duration) {}}
	c.wake.L = &c.mu
	return c
}

func (c *coalescer) start() {
	for range senders {
		c.wg.Go(c.send)
	}
}

// stop takes nothing more, sends what is there, and waits for its fate.
func (c *coalescer) stop() {
	c.mu.Lock()
	c.closed = true
	c.wake.Broadcast()
	c.mu.Unlock()
	c.wg.Wait()
}

// add puts the frames of a request into a group; frames can be reused at once.
// patient callers from inside the program are not turned away for lack of room:
// they are few, and wait for their group before coming again.
func (c *coalescer) add(frames []byte, count int, patient bool) (*group, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errDraining
	}
	if c.waiting+len(frames) > c.limit && !patient {
		return nil, errBusy
	}
	if c.open != nil && len(c.open.frames)+len(frames) > maxMessage {
		c.sealed = append(c.sealed, c.open)
		c.open = nil
	}
	if c.open == nil {
		c.open = &group{done: make(chan struct{}), frames: takeBuffer()}
	}
	g := c.open
	g.frames = append(g.frames, frames...)
	g.count += count
	g.requests++
	c.waiting += len(frames)
	c.pending++
	if c.flying == 0 || len(g.frames) >= targetMessage && c.flying < senders {
		c.wake.Signal()
	}
	return g, nil
}

// next waits for a group that should go now; nil at the end.
func (c *coalescer) next() *group {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if len(c.sealed) > 0 {
			g := c.sealed[0]
			c.sealed = c.sealed[1:]
			c.flying++
			return g
		}
		if g := c.open; g != nil && (c.flying == 0 || len(g.frames) >= targetMessage || c.closed) {
			c.open = nil
			c.flying++
			return g
		}
		if c.closed {
			return nil
		}
		c.wake.Wait()
	}
}

func (c *coalescer) send() {
	var message room
	for {
		g := c.next()
		if g == nil {
			return
		}
		message = c.deliver(g, message)
		c.mu.Lock()
		c.waiting -= len(g.frames)
		c.pending -= g.requests
		c.crowd, c.crowdAt = g.requests, time.Now()
		c.flying--
		c.wake.Signal()
		c.mu.Unlock()
		returnBuffer(g.frames)
		g.frames = nil
	}
}

// room is what messages are built in, before and after they are sealed.
type room struct{ plain, sealed []byte }

// build makes the message of a group, sealed when there are keys.
func (c *coalescer) build(g *group, r *room) ([]byte, error) {
	r.plain = wire.AppendMessage(r.plain[:0], g.frames, g.count)
	if c.keys == nil {
		message := r.plain
		r.plain = nil // the stream may look at it longer than we do
		return message, nil
	}
	var err error
	r.sealed, err = wire.Seal(r.sealed[:0], c.keys, r.plain)
	return r.sealed, err
}

// deliver sends one group and tells its requests. r is room to build in; it is
// given back without what the stream may still look at.
func (c *coalescer) deliver(g *group, r room) room {
	start := time.Now()
	message, err := c.build(g, &r)
	if c.dispatch(g, message, err, start) != nil {
		r.sealed = nil
	}
	return r
}

// dispatch sends a message that was built (or could not be) and tells its requests.
func (c *coalescer) dispatch(g *group, message []byte, err error, start time.Time) error {
	var wait func(context.Context) bus.Ack
	if err == nil {
		wait, err = c.out.Send(message)
	}
	var ack bus.Ack
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), ackTimeout) // the fate of many requests, so no one's context
		ack = wait(ctx)
		cancel()
		err = ack.Err
	}
	if err != nil {
		g.err = c.refusal(err, g)
		close(g.done)
		return err
	}
	g.seq = ack.Seq
	c.onSent(ack.Seq)
	close(g.done)
	c.onDone(g.count, len(message), time.Since(start))
	return nil
}

func (c *coalescer) refusal(err error, g *group) error {
	e := errs.As(err)
	if e.Kind == errs.TooMany {
		return errFull.Wrap(err)
	}
	c.log.Error("stream refused facts", "facts", g.count, "requests", g.requests, "error", err)
	return errDown.Wrap(err)
}

var buffers = sync.Pool{New: func() any { return make([]byte, 0, targetMessage+targetMessage/4) }}

func takeBuffer() []byte { return buffers.Get().([]byte)[:0] }

func returnBuffer(b []byte) {
	if cap(b) <= maxMessage {
		//lint:ignore SA6002 the slice header's allocation is small beside what it saves
		buffers.Put(b)
	}
}

// requests counts those whose fate is not known yet.
func (c *coalescer) requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending
}

// crowded is how many requests share a message from which on the machine is
// taken to be at its limit: their number grows while they wait for it.
const crowded = 32

// Busy tells whether senders are waiting for this machine rather than for its
// disk. Work that can wait should then leave them the room.
func (s *Service) Busy() bool {
	c := s.join
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.crowd >= crowded && time.Since(c.crowdAt) < time.Second
}

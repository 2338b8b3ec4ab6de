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

func newCoalescer(out Stream, limit int, log *slog.Logger) *coalescer {
	c := &coalescer{out: out, log: log, limit: limit, onSent: func(uint64) {}, onDone: func(int, int, time.Duration) {}}
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
	var message []byte
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

// deliver sends one group and tells its requests. message is room to build in;
// it is given back unless the stream may still look at it.
func (c *coalescer) deliver(g *group, message []byte) []byte {
	start := time.Now()
	message = wire.AppendMessage(message[:0], g.frames, g.count)
	wait, err := c.out.Send(message)
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
		return nil
	}
	g.seq = ack.Seq
	c.onSent(ack.Seq)
	close(g.done)
	c.onDone(g.count, len(message), time.Since(start))
	return message
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

package sim

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
)

// Options of a simulator.
type Options struct {
	Seed   uint64
	Clock  clock.Clock // nil: the machine's
	Limits *Limits     // nil: those of the platforms
	People int         // who is in the world besides the staff; 0: 24, negative: nobody
	// Friends is how many of them know somebody of the staff from the beginning.
	Friends int
	Log     *slog.Logger  // nil: none
	HTTP    *http.Client  // posts callbacks; nil: one of its own
	Pause   time.Duration // before a callback is repeated; 0: a second
}

// Sim is a world with its platforms. It may be used by several goroutines.
type Sim struct {
	clock  clock.Clock
	limits Limits
	log    *slog.Logger
	http   *http.Client
	pause  time.Duration

	mu     sync.Mutex // over everything below
	world  *World
	rng    *rand.Rand
	tokens map[string]*token // by the token itself
	rates  map[string]*rate
	faults []*Fault
	faultN int
	passed time.Time
	jars   map[string]http.CookieJar // what the browsers of people remember
	nonces map[string]bool           // of signed calls

	diary diary
	post  courier
}

// New makes a world from a seed.
func New(o Options) *Sim {
	s := bare(o)
	s.world = seedWorld(o.Seed, s.clock.Now(), o.People)
	s.world.befriendSome(o.Friends)
	s.world.followSome(o.Friends)
	return s
}

func bare(o Options) *Sim {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: shards, IdleConnTimeout: time.Minute}}
	}
	if o.Pause <= 0 {
		o.Pause = time.Second
	}
	if o.Limits == nil {
		l := DefaultLimits()
		o.Limits = &l
	}
	s := &Sim{clock: o.Clock, limits: *o.Limits, log: o.Log, http: o.HTTP, pause: o.Pause,
		rng: rand.New(rand.NewPCG(o.Seed, 0x5151)), tokens: map[string]*token{}, rates: map[string]*rate{}, jars: map[string]http.CookieJar{}} //nolint:gosec // chance of a made-up world
	s.post.init()
	s.diary.init()
	return s
}

// Close stops posting callbacks and waits for those that are on their way.
func (s *Sim) Close() { s.post.close() }

// ServeHTTP is the outside: the platforms, and the control of the world.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/sim/"):
		s.control(w, r, strings.TrimPrefix(path, "/sim/"))
	case path == "/sms/aliyun/":
		s.serveAliyun(w, r)
	case path == "/sms/tencent/":
		s.serveTencent(w, r)
	case strings.HasPrefix(path, "/wecom/cgi-bin/"):
		s.serveWeCom(w, r, strings.TrimPrefix(path, "/wecom/cgi-bin/"))
	case strings.HasPrefix(path, "/wechat/"):
		s.serveWeChat(w, r, strings.TrimPrefix(path, "/wechat/"))
	case strings.HasPrefix(path, "/cgi-bin/"):
		s.serveWeCom(w, r, strings.TrimPrefix(path, "/cgi-bin/"))
	default:
		http.NotFound(w, r)
	}
}

// at runs fn in the world, after what time alone has changed.
func (s *Sim) at(fn func(w *World, now time.Time) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	s.pass(now)
	return fn(s.world, now)
}

// pass does what is due: hand-overs that nobody refused, and what is to be
// forgotten. Once a second is enough.
func (s *Sim) pass(now time.Time) {
	if d := now.Sub(s.passed); d >= 0 && d < time.Second {
		return
	}
	s.passed = now
	for _, c := range s.world.Corps {
		s.settleTransfers(c, now)
		c.forget(now, s.limits.WeCom)
	}
	for _, a := range s.world.Apps {
		a.forget(now, s.limits.WeChat)
	}
}

// forget drops what is over: old welcome codes and uploads.
func (c *Corp) forget(now time.Time, l WeComLimits) {
	for code, h := range c.codes {
		if now.Sub(h.at) > 3*seconds(l.WelcomeSeconds) {
			delete(c.codes, code)
		}
	}
	for id, m := range c.Media {
		if !m.Lasting && now.Sub(m.Created) > seconds(l.MediaSeconds) {
			delete(c.Media, id)
		}
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// wait pauses for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

package connector

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/outbound"
	"github.com/koipond/koipond/internal/platform/rounds"
)

// Keys seals, and hashes what is looked up (package secret implements it).
type Keys interface {
	Seal(field, plain string) (string, error)
	Open(field, sealed string) (string, error)
	Index(field, normalised string) string
}

// Deps is what the service works with.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	IDs   *id.Source
	Log   *slog.Logger
	Keys  Keys
	Audit audit.Recorder
	Guard outbound.Guard
	// PublicURL is where platforms reach the program, "" when it does not know.
	PublicURL string
	// Simulator is the address of the program's own simulator, with a path; ""
	// when it runs none. Accounts may call it although it lies on this machine.
	Simulator func() string
	// Local is where the program listens on this machine; nil when it has no
	// simulator.
	Local func() string
	// SimulatorMail is host and port of its mail server, "" when it runs none.
	SimulatorMail func() string
	// LookupTXT asks the DNS for the texts of a name; nil: the machine's resolver.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
	// Node stays the same over restarts of one data folder: what a crash cut off is
	// taken up at once.
	Node    string
	Timeout time.Duration // of one call to a platform; 0: 10 s
	Metrics prometheus.Registerer
}

// Service keeps accounts and works on what they are told.
type Service struct {
	Deps
	client  *http.Client
	dialer  *net.Dialer
	kinds   map[string]Kind
	handles map[string][]handle // by kind
	passive map[string][]Passive

	dependents []Dependent
	told       []func()
	vet        Vet
	testers    testers

	conns  conns
	tokens tokens
	quotas quotas
	calls  calls
	inbox  inbox

	run rounds.Runner
}

// handle is a handler with the names it asked for.
type handle struct {
	name  string // may end in *
	first bool
	do    Handler
}

func (h handle) wants(name string) bool {
	if prefix, ok := strings.CutSuffix(h.name, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return h.name == name
}

// NewService builds the service. Kinds and handlers are added before Start.
func NewService(d Deps) *Service {
	if d.Timeout <= 0 {
		d.Timeout = 10 * time.Second
	}
	if d.Node == "" {
		d.Node = "local"
	}
	s := &Service{Deps: d, kinds: map[string]Kind{}, handles: map[string][]handle{}, passive: map[string][]Passive{}}
	guard := d.Guard
	guard.Own = s.simulatorHost
	s.client, s.dialer = guard.Client(d.Timeout), guard.Dialer(d.Timeout)
	if s.LookupTXT == nil {
		s.LookupTXT = net.DefaultResolver.LookupTXT
	}
	s.client.Transport.(*http.Transport).MaxIdleConnsPerHost = connsPerHost
	s.conns.open = map[string]opened{}
	s.tokens.slots = map[tokenKey]*slot{}
	s.quotas.held = map[quotaKey]*held{}
	s.calls.news = map[callKey]*callNews{}
	s.calls.bad = map[string]*badCaller{}
	s.inbox.init(s, d.Metrics)
	return s
}

// connsPerHost keeps connections to one platform open: at 200 calls a second a
// handshake for each would cost more than the calls.
const connsPerHost = 64

// Register adds a kind. It panics on one that is there already: a mistake in the
// program.
func (s *Service) Register(k Kind) {
	if _, ok := s.kinds[k.Name]; ok || k.Name == "" || k.Open == nil {
		panic("connector: kind " + k.Name + " is registered twice, or lacks a name or Open")
	}
	s.kinds[k.Name] = k
}

// Kinds lists the kinds by name.
func (s *Service) Kinds() []Kind {
	out := make([]Kind, 0, len(s.kinds))
	for _, name := range slices.Sorted(maps.Keys(s.kinds)) {
		out = append(out, s.kinds[name])
	}
	return out
}

// On has a handler called for callbacks of a kind by their names; a name may end in
// *. Of one subject they are handled in the order of arrival, and the handlers of
// one callback in the order of registration.
func (s *Service) On(kind, name string, h Handler) {
	s.handles[kind] = append(s.handles[kind], handle{name: name, do: h})
}

// First has a handler called for urgent callbacks at once: before the handlers of
// On, and whatever of the same subject waits still. It is for what the platform
// gives seconds for, such as a welcome. What fails is tried again each second, for
// twenty seconds; then the handlers of On have their turn all the same.
func (s *Service) First(kind, name string, h Handler) {
	s.handles[kind] = append(s.handles[kind], handle{name: name, first: true, do: h})
}

// Reply lets f answer callbacks of a kind in the call itself; the first that has
// something to say is heard.
func (s *Service) Reply(kind string, f Passive) {
	s.passive[kind] = append(s.passive[kind], f)
}

// Answer gives what those of Reply have to say to something that came otherwise
// than in the call itself, such as a message of customer service that was fetched:
// nil for nothing. Whoever asks sends it, once, under a key made from in.Key.
func (s *Service) Answer(ctx context.Context, a Account, in Incoming) *Message {
	if a.State != Active {
		return nil
	}
	for _, f := range s.passive[a.Kind] {
		if m := f(ctx, a, in); m != nil {
			return m
		}
	}
	return nil
}

// handlers are those of a callback, of First or of On.
func (s *Service) handlers(kind, name string, first bool) []Handler {
	var out []Handler
	for _, h := range s.handles[kind] {
		if h.first == first && h.wants(name) {
			out = append(out, h.do)
		}
	}
	return out
}

// conns are the open connections, by account.
type conns struct {
	mu   sync.Mutex
	open map[string]opened
}

type opened struct {
	conn       Conn
	generation int64
}

// Conn gives the connection of an account that is active. It is shared, and stays
// good until the account changes: ask for it each time.
func (s *Service) Conn(ctx context.Context, account string) (Conn, error) {
	a, err := s.account(ctx, account)
	if err != nil {
		return nil, err
	}
	if a.State != Active {
		return nil, errPaused.With("name", a.Name)
	}
	return s.open(a)
}

// open gives the connection of an account, whatever its state.
func (s *Service) open(a account) (Conn, error) {
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	if o, ok := s.conns.open[a.ID]; ok && o.generation == a.generation {
		return o.conn, nil
	}
	c, err := s.fresh(a)
	if err != nil {
		return nil, err
	}
	s.conns.open[a.ID] = opened{c, a.generation}
	return c, nil
}

func (s *Service) fresh(a account) (Conn, error) {
	k, ok := s.kinds[a.Kind]
	if !ok {
		return nil, errNoKind.With("kind", a.Kind)
	}
	return k.Open(a.Account, a.secrets, s.env(a.Account, k))
}

package httpx

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/klauspost/compress/gzhttp"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/i18n"
)

// Config is what an API is built from.
type Config struct {
	Title, Version string
	Auth           auth.Authenticator
	Log            *slog.Logger
	Catalogue      *i18n.Catalogue
	Clock          clock.Clock
	// DB keeps the answers to requests with an Idempotency-Key; nil: the key is ignored.
	DB *db.DB
	// Seal encrypts those answers at rest; nil: they are kept as they are.
	Seal Sealer
	// Metrics receives request counts and durations; nil: none.
	Metrics prometheus.Registerer
	// Tracing makes a span per request; nil: none.
	Tracing trace.TracerProvider
	// TrustedProxies may say who the client is (X-Forwarded-For, X-Forwarded-Proto).
	TrustedProxies []netip.Prefix
}

// Sealer encrypts small texts under a field name; package secret implements it.
type Sealer interface {
	Seal(field, plaintext string) (string, error)
	Open(field, sealed string) (string, error)
}

// API collects operations of all packages. It is built in app.
type API struct {
	Huma huma.API

	cfg       Config
	mux       *http.ServeMux
	routes    []Route
	byPattern map[string]Route
	cross     *http.CrossOriginProtection
	zip       func(http.Handler) http.HandlerFunc
	metrics   *metrics
	idem      *idempotency
	fixed     http.Header

	stop     chan struct{}
	stopOnce sync.Once
	docOnce  sync.Once
	doc      []byte
}

// New makes an API whose routes live on mux. The caller adds the console and
// whatever else is not under /api to the same mux (the console as "/", with no
// method, or the mux sees a conflict with "/api/"), and serves Handler.
func New(mux *http.ServeMux, cfg Config) *API {
	a := &API{
		cfg: cfg, mux: mux, byPattern: map[string]Route{},
		cross: http.NewCrossOriginProtection(), stop: make(chan struct{}), fixed: fixedHeaders(),
	}
	zip, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.ContentTypeFilter(compressible))
	if err != nil {
		panic("httpx: " + err.Error()) // only wrong options fail
	}
	a.zip = zip
	a.metrics = newMetrics(cfg.Metrics)
	if cfg.DB != nil {
		a.idem = &idempotency{db: cfg.DB, clock: cfg.Clock, seal: cfg.Seal, log: cfg.Log}
	}
	a.Huma = humago.New(typedMux{a}, a.humaConfig())
	mux.Handle("/api/", a.unmatched())
	Handle(a, Op{ID: "get-openapi", Method: http.MethodGet, Path: "/api/openapi.json", Tag: "system",
		Summary: "This document", Permission: auth.Public, Quiet: true}, http.HandlerFunc(a.serveDoc))
	return a
}

// Stopping is closed when the program begins to shut down: event streams end
// then, since the HTTP server waits for every open answer.
func (a *API) Stopping() <-chan struct{} { return a.stop }

// Drain closes Stopping and asks clients to open no further requests on their
// connections. Requests that do come are still served. Safe to call twice.
func (a *API) Drain() { a.stopOnce.Do(func() { close(a.stop) }) }

// Compress wraps a handler outside the API, such as the console's files.
func (a *API) Compress(h http.Handler) http.Handler { return a.zip(h) }

// compressible keeps event streams and packed files out.
func compressible(ct string) bool {
	return gzhttp.DefaultContentTypeFilter(ct) && !isEventStream(ct)
}

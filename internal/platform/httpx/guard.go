package httpx

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
)

// guard is what stands before every declared route: who, may they, from
// where, how much, how long.
func (a *API) guard(route Route, h http.Handler) http.Handler {
	if !route.Raw {
		if route.Idempotent && a.idem != nil {
			h = a.idem.wrap(route, h)
		}
		h = a.zip(h)
	}
	limit, timeout := route.MaxBody, route.Timeout
	if limit == 0 {
		limit = defaultMaxBody
	}
	if timeout == 0 && !route.Raw {
		timeout = defaultTimeout
	}
	observe := a.metrics.route(route)

	var guarded http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		q := requestOf(ctx)
		if q == nil {
			panic("httpx: the mux is served without API.Handler")
		}
		q.route, q.quiet, q.maxBody = route.Path, route.Quiet, limit
		start, finished := time.Now(), false
		defer func() { observe(w, start, finished) }()
		if err := a.admit(r, route, q); err != nil {
			WriteError(w, r, err)
			finished = true
			return
		}
		if probing(ctx) {
			w.WriteHeader(http.StatusNoContent)
			finished = true
			return
		}
		if q.principal != nil {
			ctx = auth.With(ctx, q.principal)
		}
		if timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		if ctx != r.Context() {
			r = r.WithContext(ctx)
		}
		if timeout > 0 && route.Raw {
			// The context alone does not end the reading of a body: a byte now and then
			// would hold the connection for good.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeout)) // a writer without deadlines is a test's
		}
		if limit > 0 && route.Raw {
			r.Body = http.MaxBytesReader(w, r.Body, limit)
		}
		h.ServeHTTP(w, r)
		finished = true
	})
	if a.cfg.Tracing != nil {
		guarded = otelhttp.NewHandler(guarded, route.Pattern(), otelhttp.WithTracerProvider(a.cfg.Tracing))
	}
	return guarded
}

// admit finds the caller and checks permission and origin.
func (a *API) admit(r *http.Request, route Route, q *request) error {
	if route.Permission != auth.Public {
		p, err := a.caller(r)
		if err != nil {
			return err
		}
		if p == nil {
			return errs.New(errs.Unauthorized, "session.required")
		}
		q.principal = p
		if !p.May(route.Permission) {
			return errs.New(errs.Forbidden, "permission.denied", "permission", string(route.Permission))
		}
		if route.Whole && !p.Scope.All {
			return errs.New(errs.Forbidden, "permission.scope")
		}
	}
	// A browser adds cookies by itself, so writes under /api must come from our
	// own pages, signing in included. A caller with a token in a header has no such trouble.
	if strings.HasPrefix(route.Path, "/api/") && r.Header.Get("Authorization") == "" {
		if err := a.cross.Check(r); err != nil {
			return errs.New(errs.Forbidden, "request.cross_origin").Wrap(err)
		}
	}
	return nil
}

// caller is the principal in the context (a call from inside the program;
// nothing from the network arrives with one), or else what the request proves.
func (a *API) caller(r *http.Request) (*auth.Principal, error) {
	if p := auth.From(r.Context()); p != nil {
		return p, nil
	}
	return a.cfg.Auth.Authenticate(r)
}

type probeKey struct{}

// Probe makes requests with this context stop before the handler and answer
// 204 once they are admitted: for the test that walks every route and role.
func Probe(ctx context.Context) context.Context { return context.WithValue(ctx, probeKey{}, true) }

func probing(ctx context.Context) bool { return ctx.Value(probeKey{}) != nil }

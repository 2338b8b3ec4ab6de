// Package httpx answers: how does a request come in and how does an answer go
// out? It wraps huma: every operation declares a permission, errors become
// problem+json with a stable code and translated words, lists page by opaque
// cursor, POSTs may carry an idempotency key, answers are compressed and
// guarded by headers.
package httpx

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/koipond/koipond/internal/platform/auth"
)

// Op describes one operation. ID is `verb-noun`, Tag is the console feature.
type Op struct {
	ID         string
	Method     string
	Path       string // under /api
	Tag        string
	Summary    string
	Permission auth.Permission // required: Register panics at start without one
	Status     int             // of success; 0: 200, or 204 when the output has no body
	// MaxBody in bytes; 0: 1 MiB. Idempotent: a POST that honours Idempotency-Key.
	MaxBody    int64
	Idempotent bool
}

// Route is a declared operation, kept for the test that walks all of them.
type Route struct {
	Op
	Raw bool // a plain http.Handler, not in the API document's typed part
}

// API collects operations of all packages. It is built in app.
type API struct {
	Huma   huma.API
	routes []Route
	mux    *http.ServeMux
	guard  func(Op, http.Handler) http.Handler
}

// Routes lists everything registered.
func (a *API) Routes() []Route { return a.routes }

// Register adds a typed operation. The permission is checked before the
// handler runs; the handler decodes, calls one service method, encodes.
func Register[I, O any](a *API, op Op, h func(context.Context, *I) (*O, error)) {
	if op.Permission == "" {
		panic("httpx: " + op.ID + " declares no permission")
	}
	a.routes = append(a.routes, Route{Op: op})
	huma.Register(a.Huma, a.operation(op), func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
}

// Package httpx answers: how does a request come in and how does an answer go
// out? It wraps huma: every operation declares a permission, errors become
// problem+json with a stable code and translated words, lists page by opaque
// cursor, POSTs may carry an idempotency key, answers are compressed and
// guarded by headers.
package httpx

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koipond/koipond/internal/platform/auth"
)

// Op describes one operation. ID is `verb-noun`, Tag is the console feature.
type Op struct {
	ID         string
	Method     string
	Path       string // under /api; raw routes may be elsewhere
	Tag        string
	Summary    string
	Permission auth.Permission // required: Register panics at start without one
	// Whole: it answers about everybody, or in the words of everybody's facts, so
	// that callers who see only some customers are refused.
	Whole  bool
	Status int // of success; 0: 200, or 204 when the output has no body
	// MaxBody in bytes; 0: 1 MiB; negative: no limit (raw routes that stream).
	MaxBody int64
	// Idempotent: a POST that honours Idempotency-Key. Raw routes cannot.
	Idempotent bool
	// Timeout ends the handler's context; 0: 30 s for typed routes, none for
	// raw ones; negative: none.
	Timeout time.Duration
	// Quiet keeps successes out of the access log: for intake and health checks.
	Quiet bool
	// Hidden keeps the operation out of the API document.
	Hidden bool
}

const (
	defaultMaxBody = 1 << 20
	defaultTimeout = 30 * time.Second
)

// Route is a declared operation, kept for the test that walks all of them.
type Route struct {
	Op
	Raw bool // a plain http.Handler, not in the API document's typed part
}

// Pattern is the route as net/http's mux knows it: "GET /api/contacts/{id}".
func (r Route) Pattern() string { return r.Method + " " + r.Path }

// Routes lists everything registered.
func (a *API) Routes() []Route { return a.routes }

// Register adds a typed operation. The permission is checked before the
// handler runs; the handler decodes, calls one service method, encodes.
func Register[I, O any](a *API, op Op, h func(context.Context, *I) (*O, error)) {
	a.declare(Route{Op: op})
	if name := hiddenPart(reflect.TypeFor[I]()); name != "" {
		panic("httpx: " + op.ID + ": the input embeds " + name + ", whose parameters nobody would read: export it")
	}
	huma.Register(a.Huma, a.operation(op), func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
}

// hiddenPart names an embedded struct that is not exported: huma passes over
// its fields without a word, and path and query parameters stay empty.
func hiddenPart(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return ""
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.Anonymous {
			continue
		}
		if !f.IsExported() {
			return f.Name
		}
		if name := hiddenPart(f.Type); name != "" {
			return name
		}
	}
	return ""
}

// Handle adds a plain handler: uploads, downloads, event streams, intake. It
// has the same guards as a typed operation. It reports errors with WriteError.
func Handle(a *API, op Op, h http.Handler) {
	a.declare(Route{Op: op, Raw: true})
	if !op.Hidden {
		a.Huma.OpenAPI().AddOperation(a.rawOperation(op))
	}
	a.mux.Handle(op.Method+" "+op.Path, a.guard(Route{Op: op, Raw: true}, h))
}

// declare refuses at start what would be a hole at run time.
func (a *API) declare(r Route) {
	switch {
	case r.Permission == "":
		panic("httpx: " + r.ID + " declares no permission")
	case r.ID == "" || r.Method == "" || !strings.HasPrefix(r.Path, "/"):
		panic("httpx: an operation needs an id, a method and a path: " + r.ID)
	case r.Idempotent && (r.Raw || r.Method != http.MethodPost):
		panic("httpx: " + r.ID + ": only a typed POST can be idempotent")
	}
	a.routes = append(a.routes, r)
	a.byPattern[r.Pattern()] = r
}

// typedMux hands huma's routes to the real mux behind the guards of their operation.
type typedMux struct{ a *API }

// HandleFunc implements humago.Mux.
func (m typedMux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	r, ok := m.a.byPattern[pattern]
	if !ok {
		panic("httpx: " + pattern + " was not declared by httpx.Register")
	}
	m.a.mux.Handle(pattern, m.a.guard(r, http.HandlerFunc(h)))
}

// ServeHTTP implements humago.Mux.
func (m typedMux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.a.mux.ServeHTTP(w, r) }

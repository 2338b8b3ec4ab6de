package httpx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/errs"
)

const contentPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data: blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// restOfBody is how long the unread rest of a body may take.
const restOfBody = 5 * time.Second

// Handler serves the mux with what every request gets: an id, a language,
// guarding headers, an access log line, and a 500 instead of a torn connection.
func (a *API) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := a.newRequest(r)
		out := &answer{ResponseWriter: w}
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, q))
		a.headers(out.Header(), q, r.URL.Path)
		start := time.Now()
		defer func() {
			if v := recover(); v != nil {
				a.panicked(out, r, v)
			}
			a.logAccess(r, q, out, float64(time.Since(start).Microseconds())/1000)
			// What the handler left of the body is read before the connection is
			// used again: a sender that never sends it must not hold the connection.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(restOfBody)) // a writer without deadlines is a test's
		}()
		a.mux.ServeHTTP(out, r)
	})
}

// fixedHeaders are the same on every answer, so their values are shared; each
// is full, so that an Add copies it instead of writing into it.
func fixedHeaders() http.Header {
	h := http.Header{}
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	for k, v := range h {
		h[k] = v[:1:1]
	}
	return h
}

func (a *API) headers(h http.Header, q *request, path string) {
	h.Set("X-Request-Id", q.id)
	if strings.HasPrefix(path, "/api/") { // answers are about people: they belong into no cache, a shared computer's least
		h.Set("Cache-Control", "no-store")
	}
	for k, v := range a.fixed {
		h[k] = v
	}
	if q.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	select {
	case <-a.stop:
		h.Set("Connection", "close")
	default:
	}
}

// panicked answers 500 when nothing was sent yet; otherwise the connection is
// cut, so that the caller does not take half an answer for a whole one.
func (a *API) panicked(out *answer, r *http.Request, v any) {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	a.cfg.Log.ErrorContext(r.Context(), "panic", "panic", fmt.Sprint(v),
		"path", loggable(r.URL.Path), "stack", string(debug.Stack()))
	if out.status != 0 {
		panic(http.ErrAbortHandler)
	}
	WriteError(out, r, fmt.Errorf("panic: %v", v))
}

// logAccess never logs the query: it may hold what a person searched for. The
// request id comes from LogHandler.
func (a *API) logAccess(r *http.Request, q *request, out *answer, ms float64) {
	level := slog.LevelInfo
	switch {
	case out.status >= 500 && !errors.Is(q.cause, context.Canceled):
		level = slog.LevelError
	case q.quiet && out.status < 400, q.route == "" && !strings.HasPrefix(r.URL.Path, "/api/"):
		level = slog.LevelDebug
	}
	ctx := r.Context()
	if !a.cfg.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("method", r.Method), slog.String("path", loggable(r.URL.Path)), slog.Int("status", out.code()),
		slog.Float64("ms", ms), slog.Int64("bytes", out.bytes), slog.String("ip", q.ip)}
	if q.principal != nil {
		attrs = append(attrs, slog.String("by", q.principal.ID))
	}
	if q.cause != nil && out.status >= 400 {
		attrs = append(attrs, slog.String("error", q.cause.Error()))
	}
	a.cfg.Log.LogAttrs(ctx, level, "request", attrs...)
}

// loggable leaves out the parts of a path that may be a phone number, an e-mail
// address or the like: where an id belongs, people type anything.
func loggable(path string) string {
	if strings.IndexByte(path, '@') < 0 && !strings.ContainsFunc(path, func(r rune) bool { return r >= '0' && r <= '9' || r > 127 }) {
		return path
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		digits := 0
		for _, c := range p {
			switch {
			case c >= '0' && c <= '9':
				digits++
			case c == '-' || c == ' ' || c == '+':
			case c == '@' || c > 127:
				digits = 99
			default:
				if digits < 7 {
					digits = 0
				}
			}
		}
		if digits >= 7 && !strings.Contains(p, "_") { // ids of ours have a prefix
			parts[i] = "…"
		}
	}
	return strings.Join(parts, "/")
}

// unmatched answers what no route takes: 405 when another method would do, else 404.
func (a *API) unmatched() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var allow []string
		for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			try := *r
			try.Method = m
			if _, pattern := a.mux.Handler(&try); pattern != "/api/" && pattern != "" {
				allow = append(allow, m)
			}
		}
		if len(allow) == 0 {
			WriteError(w, r, errs.New(errs.NotFound, "not_found"))
			return
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		WriteError(w, r, errs.New(errs.Invalid, "request.method", "method", r.Method))
	})
}

// answer remembers what was sent.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (o *answer) code() int {
	if o.status == 0 {
		return http.StatusOK
	}
	return o.status
}

// WriteHeader implements http.ResponseWriter.
func (o *answer) WriteHeader(status int) {
	if o.status == 0 && status >= 200 {
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (o *answer) Write(p []byte) (int, error) {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	n, err := o.ResponseWriter.Write(p)
	o.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher for event streams.
func (o *answer) Flush() {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	_ = http.NewResponseController(o.ResponseWriter).Flush() // a writer that cannot flush sends at the end
}

// Unwrap lets http.ResponseController reach the connection.
func (o *answer) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// answerOf finds the answer below the writers that others wrapped around it.
func answerOf(w http.ResponseWriter) *answer {
	for {
		switch v := w.(type) {
		case *answer:
			return v
		case interface{ Unwrap() http.ResponseWriter }:
			w = v.Unwrap()
		default:
			return &answer{ResponseWriter: w}
		}
	}
}

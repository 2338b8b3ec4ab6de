package httpx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// byHeader signs in whoever X-Role says; "bad" is a bad credential.
type byHeader struct{}

func (byHeader) Authenticate(r *http.Request) (*auth.Principal, error) {
	switch role := r.Header.Get("X-Role"); role {
	case "":
		return nil, nil
	case "bad":
		return nil, errs.New(errs.Unauthorized, "session.required")
	default:
		return testkit.Principal(role), nil
	}
}

type thing struct {
	Name string    `json:"name" minLength:"2" maxLength:"10"`
	Kind string    `json:"kind,omitempty" enum:"fish,bird"`
	At   time.Time `json:"at,omitzero"`
	Tags []string  `json:"tags,omitempty"`
	Size int       `json:"size,omitempty" minimum:"1" maximum:"9"`
}

type thingIn struct{ Body thing }

type thingOut struct {
	Body struct {
		Items []thing           `json:"items"`
		Attrs map[string]string `json:"attrs"`
		At    time.Time         `json:"at"`
		Echo  string            `json:"echo"`
	}
}

type world struct {
	*testing.T
	api  *httpx.API
	h    http.Handler
	logs *bytes.Buffer
	reg  *prometheus.Registry
	made int
}

// badText is what PostgreSQL says to a NUL in a text.
type badText struct{}

func (badText) Error() string    { return "invalid byte sequence" }
func (badText) SQLState() string { return "22021" }

func newWorld(t *testing.T, change func(*httpx.Config)) *world {
	t.Helper()
	w := &world{T: t, logs: &bytes.Buffer{}, reg: prometheus.NewRegistry()}
	log := slog.New(httpx.LogHandler(slog.NewJSONHandler(w.logs, nil)))
	cat, err := i18n.Load(log)
	require.NoError(t, err)
	cfg := httpx.Config{Title: "Koipond", Version: "1", Auth: byHeader{}, Log: log, Catalogue: cat, Clock: testkit.Clock(), Metrics: w.reg}
	if change != nil {
		change(&cfg)
	}
	w.api = httpx.New(http.NewServeMux(), cfg)
	httpx.Register(w.api, httpx.Op{ID: "create-thing", Method: "POST", Path: "/api/things", Tag: "things", Permission: auth.ContactWrite,
		MaxBody: 200, Idempotent: true}, func(_ context.Context, in *thingIn) (*thingOut, error) {
		w.made++
		out := &thingOut{}
		out.Body.Echo = fmt.Sprint(in.Body.Name, w.made)
		out.Body.At = time.Date(2026, 3, 2, 16, 0, 0, 0, time.FixedZone("", 8*3600))
		return out, nil
	})
	httpx.Register(w.api, httpx.Op{ID: "get-thing", Method: "GET", Path: "/api/things/{id}", Permission: auth.ContactRead},
		func(ctx context.Context, in *struct {
			ID    string `path:"id"`
			Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
		}) (*thingOut, error) {
			switch in.ID {
			case "panic":
				panic("at the disco")
			case "secret":
				return nil, errors.New("the password of the database is hunter2")
			case "gone":
				return nil, errs.New(errs.NotFound, "not_found")
			case "busy":
				e := errs.New(errs.TooMany, "request.in_progress")
				e.RetryAfter = 7
				return nil, e
			case "nul":
				return nil, fmt.Errorf("list: %w", badText{})
			case "slow":
				return nil, fmt.Errorf("read: %w", context.DeadlineExceeded)
			}
			out := &thingOut{}
			out.Body.Echo = strings.Repeat("long ", 1000)
			return out, nil
		})
	httpx.Handle(w.api, httpx.Op{ID: "upload", Method: "POST", Path: "/api/raw/{name}", Permission: auth.ImportWrite, MaxBody: 10},
		http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				httpx.WriteError(rw, r, err)
				return
			}
			httpx.WriteJSON(rw, 200, map[string]any{"got": string(b), "ip": httpx.ClientIP(r.Context())})
		}))
	w.h = w.api.Handler()
	return w
}

// do sends a request; headers come in pairs.
func (w *world) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	w.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	return rec
}

func problemOf(t *testing.T, rec *httptest.ResponseRecorder) httpx.Problem {
	t.Helper()
	require.Equal(t, "application/problem+json", rec.Header().Get("Content-Type"), rec.Body.String())
	var p httpx.Problem
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &p))
	require.Equal(t, rec.Code, p.Status)
	require.Equal(t, rec.Header().Get("X-Request-Id"), p.RequestID)
	require.NotEmpty(t, p.Title)
	require.NotEqual(t, p.Code, p.Detail, "untranslated")
	return p
}

func TestProblems(t *testing.T) {
	w := newWorld(t, nil)
	long := `{"name":"` + strings.Repeat("x", 200) + `"}`
	for name, c := range map[string]struct {
		method, path, body, role string
		status                   int
		code, field, fieldCode   string
	}{
		"nobody":              {"GET", "/api/things/1", "", "", 401, "session.required", "", ""},
		"bad credential":      {"GET", "/api/things/1", "", "bad", 401, "session.required", "", ""},
		"not allowed":         {"GET", "/api/things/1", "", "copywriter", 403, "permission.denied", "", ""},
		"unknown path":        {"GET", "/api/nothing", "", "", 404, "not_found", "", ""},
		"wrong method":        {"DELETE", "/api/things", "", "", 405, "request.method", "", ""},
		"not found":           {"GET", "/api/things/gone", "", "admin", 404, "not_found", "", ""},
		"internal":            {"GET", "/api/things/secret", "", "admin", 500, "internal", "", ""},
		"panic":               {"GET", "/api/things/panic", "", "admin", 500, "internal", "", ""},
		"deadline":            {"GET", "/api/things/slow", "", "admin", 503, "request.timeout", "", ""},
		"malformed":           {"POST", "/api/things", "{", "admin", 400, "request.malformed", "", ""},
		"no body":             {"POST", "/api/things", "", "admin", 400, "request.missing_body", "", ""},
		"too large":           {"POST", "/api/things", long, "admin", 413, "request.too_large", "", ""},
		"raw too large":       {"POST", "/api/raw/a", "0123456789x", "admin", 413, "request.too_large", "", ""},
		"required":            {"POST", "/api/things", `{}`, "admin", 422, "request.invalid", "name", "request.field_required"},
		"too short":           {"POST", "/api/things", `{"name":"a"}`, "admin", 422, "request.invalid", "name", "request.too_short"},
		"too long":            {"POST", "/api/things", `{"name":"abcdefghijklm"}`, "admin", 422, "request.invalid", "name", "request.too_long"},
		"wrong type":          {"POST", "/api/things", `{"name":5}`, "admin", 422, "request.invalid", "name", "request.not_a_string"},
		"not one of":          {"POST", "/api/things", `{"name":"abc","kind":"cat"}`, "admin", 422, "request.invalid", "kind", "request.not_one_of"},
		"unknown field":       {"POST", "/api/things", `{"name":"abc","colour":1}`, "admin", 422, "request.invalid", "colour", "request.field_unexpected"},
		"bad time":            {"POST", "/api/things", `{"name":"abc","at":"noon"}`, "admin", 422, "request.invalid", "at", "request.not_a_time"},
		"element":             {"POST", "/api/things", `{"name":"abc","tags":["a",2]}`, "admin", 422, "request.invalid", "tags[1]", "request.not_a_string"},
		"too big":             {"POST", "/api/things", `{"name":"abc","size":10}`, "admin", 422, "request.invalid", "size", "request.too_big"},
		"body not an object":  {"POST", "/api/things", `[]`, "admin", 422, "request.invalid", "", "request.not_an_object"},
		"query not a number":  {"GET", "/api/things/1?limit=x", "", "admin", 422, "request.invalid", "limit", "request.not_an_integer"},
		"query out of bounds": {"GET", "/api/things/1?limit=900", "", "admin", 422, "request.invalid", "limit", "request.too_big"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, lang := range []string{"zh-CN", "en"} {
				rec := w.do(c.method, c.path, c.body, "X-Role", c.role, "Accept-Language", lang)
				require.Equal(t, c.status, rec.Code, rec.Body.String())
				p := problemOf(t, rec)
				require.Equal(t, c.code, p.Code)
				require.Equal(t, lang == "en", isASCII(p.Detail), p.Detail)
				require.NotContains(t, rec.Body.String(), "hunter2")
				if c.fieldCode != "" {
					require.Len(t, p.Fields, 1)
					require.Equal(t, c.field, p.Fields[0].Path)
					require.Equal(t, c.fieldCode, p.Fields[0].Code)
					require.Equal(t, lang == "en", isASCII(p.Fields[0].Detail), p.Fields[0].Detail)
				}
			}
		})
	}
	require.Contains(t, w.logs.String(), "hunter2", "the cause is logged")
	require.Contains(t, w.logs.String(), "at the disco")
	require.Equal(t, "GET", w.do("PUT", "/api/things/1", "").Header().Get("Allow"))
	require.Equal(t, "7", w.do("GET", "/api/things/busy", "", "X-Role", "admin").Header().Get("Retry-After"))
	require.Equal(t, "import.write", problemOf(t, w.do("POST", "/api/raw/a", "", "X-Role", "content")).Params["permission"])
}

func isASCII(s string) bool {
	for _, r := range s {
		if r > 127 {
			return false
		}
	}
	return true
}

func TestAnswers(t *testing.T) {
	w := newWorld(t, nil)
	rec := w.do("POST", "/api/things", `{"name":"koi"}`, "X-Role", "admin", "X-Request-Id", "from-caller-1")
	require.Equal(t, 200, rec.Code, rec.Body.String())
	require.JSONEq(t, `{"items":[],"attrs":{},"at":"2026-03-02T08:00:00.000Z","echo":"koi1"}`, rec.Body.String())
	require.Equal(t, "from-caller-1", rec.Header().Get("X-Request-Id"))
	require.Contains(t, rec.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
	require.Equal(t, "nosniff", rec.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	require.Empty(t, rec.Header().Get("Strict-Transport-Security"))
	require.Contains(t, w.logs.String(), `"by":"us_admin"`)
	require.Equal(t, 1, strings.Count(w.logs.String(), `"requestId":"from-caller-1"`))

	rec = w.do("GET", "/api/things/1", "", "X-Role", "admin", "Accept-Encoding", "gzip", "X-Request-Id", "evil\nid-of-caller")
	require.Equal(t, "gzip", rec.Header().Get("Content-Encoding"))
	require.Less(t, rec.Body.Len(), 1000)
	require.NotContains(t, rec.Header().Get("X-Request-Id"), "evil")

	w.api.Drain()
	w.api.Drain()
	require.Equal(t, "close", w.do("GET", "/api/things/1", "", "X-Role", "admin").Header().Get("Connection"))
	<-w.api.Stopping()

	require.Equal(t, map[string]float64{"/api/things/{id} GET 200": 2, "/api/things POST 200": 1}, w.counted())
}

// counted reads the request counter: "route method status" → count.
func (w *world) counted() map[string]float64 {
	families, err := w.reg.Gather()
	require.NoError(w, err)
	out := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "koipond_http_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			l := m.GetLabel() // sorted: method, route, status
			out[l[1].GetValue()+" "+l[0].GetValue()+" "+l[2].GetValue()] = m.GetCounter().GetValue()
		}
	}
	return out
}

func TestWritesFromOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	body := `{"name":"koi"}`
	evil := []string{"X-Role", "admin", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}
	rec := w.do("POST", "/api/things", body, evil...)
	require.Equal(t, 403, rec.Code)
	require.Equal(t, "request.cross_origin", problemOf(t, rec).Code)
	require.Equal(t, 200, w.do("GET", "/api/things/1", "", evil...).Code, "reading is harmless")
	require.Equal(t, 200, w.do("POST", "/api/things", body, "X-Role", "admin", "Sec-Fetch-Site", "same-origin").Code)
	require.Equal(t, 200, w.do("POST", "/api/things", body, append(evil, "Authorization", "Bearer x")...).Code, "no cookie is involved")
}

func TestTextThatTheDatabaseRefusesIsTheCallersFault(t *testing.T) {
	rec := newWorld(t, nil).do("GET", "/api/things/nul", "", "X-Role", "admin")
	require.Equal(t, 422, rec.Code)
	require.Equal(t, "request.invalid", problemOf(t, rec).Code)
}

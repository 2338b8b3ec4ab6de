package httpx_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/httpx/httpxtest"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestPermissionWalk(t *testing.T) {
	httpxtest.WalkPermissions(t, newWorld(t, nil).api, auth.BuiltinRoles())
}

func TestRoutesWithoutPermissionAreRefusedAtStart(t *testing.T) {
	w := newWorld(t, nil)
	none := http.NotFoundHandler()
	require.PanicsWithValue(t, "httpx: open declares no permission", func() {
		httpx.Handle(w.api, httpx.Op{ID: "open", Method: "GET", Path: "/api/open"}, none)
	})
	require.Panics(t, func() {
		httpx.Handle(w.api, httpx.Op{ID: "i", Method: "POST", Path: "/api/i", Permission: auth.Self, Idempotent: true}, none)
	})
	require.Panics(t, func() { w.api.Huma.Adapter().Handle(w.api.Huma.OpenAPI().Paths["/api/things"].Post, nil) }, "past Register")
}

func TestClientIP(t *testing.T) {
	w := newWorld(t, func(c *httpx.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32")}
	})
	for name, c := range map[string]struct{ remote, forwarded, want string }{
		"direct":                       {"203.0.113.9:99", "", "203.0.113.9"},
		"direct, forged":               {"203.0.113.9:99", "1.2.3.4", "203.0.113.9"},
		"by proxy":                     {"10.1.1.1:99", "198.51.100.7", "198.51.100.7"},
		"by two, forged on the left":   {"10.1.1.1:99", "6.6.6.6, 198.51.100.7, 10.2.2.2", "198.51.100.7"},
		"proxy says nonsense":          {"10.1.1.1:99", "what, 10.2.2.2", "10.2.2.2"},
		"IPv4 in IPv6":                 {"[::ffff:10.1.1.1]:99", "2001:db8::1", "2001:db8::1"},
		"proxy without forwarded-for":  {"10.1.1.1:99", "", "10.1.1.1"},
		"only proxies all the way out": {"10.1.1.1:99", "10.9.9.9", "10.9.9.9"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/api/raw/a", nil)
			r.RemoteAddr = c.remote
			r.Header.Set("X-Role", "admin")
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			rec := httptest.NewRecorder()
			w.h.ServeHTTP(rec, r)
			var out struct{ IP string }
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &out))
			require.Equal(t, c.want, out.IP)
		})
	}
	require.Contains(t, w.do("GET", "/api/x", "", "X-Forwarded-Proto", "https").Header().Get("Strict-Transport-Security"), "max-age")
}

func TestOpenAPIDocument(t *testing.T) {
	w := newWorld(t, nil)
	rec := w.do("GET", "/api/openapi.json", "")
	require.Equal(t, 200, rec.Code)
	again, err := w.api.OpenAPI()
	require.NoError(t, err)
	require.Equal(t, string(again), rec.Body.String(), "stable")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Permission  string `json:"x-permission"`
		}
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	require.NoError(t, json.Unmarshal(again, &doc))
	require.True(t, strings.HasPrefix(doc.OpenAPI, "3.1"))
	require.Equal(t, "create-thing", doc.Paths["/api/things"]["post"].OperationID)
	require.Equal(t, "import.write", doc.Paths["/api/raw/{name}"]["post"].Permission)
	require.Contains(t, doc.Components.Schemas, "Problem")
	require.NotContains(t, doc.Components.Schemas, "ErrorModel")
	require.Equal(t, "array", doc.Components.Schemas["Thing"].Properties["tags"].(map[string]any)["type"], "never null")
}

func TestSpans(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	w := newWorld(t, func(c *httpx.Config) { c.Tracing = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)) })
	require.Equal(t, 200, w.do("GET", "/api/things/42", "", "X-Role", "admin").Code)
	require.Len(t, spans.Ended(), 1)
	require.Equal(t, "GET /api/things/{id}", spans.Ended()[0].Name())
	require.Equal(t, 1.0, w.counted()["/api/things/{id} GET 200"], "the status is seen through the tracer's writer")
}

// A stream over a real connection: flushed at once, not compressed, ended by Drain.
func TestEventStream(t *testing.T) {
	w := newWorld(t, nil)
	httpx.Handle(w.api, httpx.Op{ID: "live", Method: "GET", Path: "/api/live", Permission: auth.FactsRead},
		http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(rw, "data: one\n\n")
			if err := http.NewResponseController(rw).Flush(); err != nil {
				t.Error(err)
			}
			<-w.api.Stopping()
			fmt.Fprint(rw, "data: bye\n\n")
		}))
	srv := httptest.NewServer(w.h)
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/api/live", nil)
	require.NoError(t, err)
	req.Header.Set("X-Role", "admin")
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := srv.Client().Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Empty(t, res.Header.Get("Content-Encoding"))
	lines := bufio.NewScanner(res.Body)
	require.True(t, lines.Scan())
	require.Equal(t, "data: one", lines.Text())
	w.api.Drain()
	require.True(t, lines.Scan())
	require.True(t, lines.Scan())
	require.Equal(t, "data: bye", lines.Text())
}

func TestTimeoutEndsTheContext(t *testing.T) {
	w := newWorld(t, nil)
	httpx.Register(w.api, httpx.Op{ID: "wait", Method: "POST", Path: "/api/wait", Permission: auth.Self, Timeout: 20 * time.Millisecond},
		func(ctx context.Context, _ *thingIn) (*struct{}, error) {
			<-ctx.Done()
			return nil, fmt.Errorf("wait: %w", ctx.Err())
		})
	rec := w.do("POST", "/api/wait", `{"name":"koi"}`, "X-Role", "admin")
	require.Equal(t, 503, rec.Code)
	require.Equal(t, "request.timeout", problemOf(t, rec).Code)
}

// Who sends a body a byte at a time does not hold a plain handler for longer than its
// time.
func TestSlowBodyEndsWithTheTimeOfAPlainHandler(t *testing.T) {
	w := newWorld(t, nil)
	read := make(chan error, 1)
	httpx.Handle(w.api, httpx.Op{ID: "door", Method: "POST", Path: "/door", Permission: auth.Public, MaxBody: 1000, Timeout: 50 * time.Millisecond},
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			read <- err
		}))
	srv := httptest.NewServer(w.h)
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close() // before the server waits for it
	_, err = io.WriteString(conn, "POST /door HTTP/1.1\r\nHost: pond.example\r\nContent-Length: 100\r\n\r\nx")
	require.NoError(t, err)
	select {
	case err := <-read:
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	case <-time.After(5 * time.Second):
		t.Fatal("the handler still waits for the body")
	}
}

func TestIdempotency(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		for name, seal := range map[string]httpx.Sealer{"plain": nil, "sealed": masked{}} {
			t.Run(name, func(t *testing.T) {
				clk := testkit.Clock()
				w := newWorld(t, func(c *httpx.Config) { c.DB, c.Clock, c.Seal = d, clk, seal })
				post := func(role, key, body string) *httptest.ResponseRecorder {
					return w.do("POST", "/api/things", body, "X-Role", role, "Idempotency-Key", name+key)
				}
				koi := `{"name":"koi"}`
				first := post("admin", "k1", koi)
				require.Equal(t, 200, first.Code, first.Body.String())
				second := post("admin", "k1", koi)
				require.Equal(t, first.Body.String(), second.Body.String())
				require.Equal(t, "application/json", second.Header().Get("Content-Type"))
				require.Equal(t, "true", second.Header().Get("Idempotency-Replayed"))
				require.Equal(t, 1, w.made)

				rec := post("admin", "k1", `{"name":"carp"}`)
				require.Equal(t, 422, rec.Code)
				require.Equal(t, "request.idempotency_mismatch", problemOf(t, rec).Code)
				post("growth", "k1", koi)
				require.Equal(t, 2, w.made, "another caller's key is another key")

				require.Equal(t, 422, post("admin", "k2", `{}`).Code)
				require.Equal(t, 200, post("admin", "k2", koi).Code, "a refused request leaves the key free")

				require.Equal(t, "request.idempotency_key", problemOf(t, post("admin", " no good", koi)).Code)
				clk.Advance(25 * time.Hour)
				require.Empty(t, post("admin", "k1", koi).Header().Get("Idempotency-Replayed"), "forgotten after a day")
			})
		}
		var body string
		require.NoError(t, d.QueryRow(t.Context(), "select body from http_idempotency where key = 'sealedk2'").Scan(&body))
		require.NotContains(t, body, `"koi"`, "sealed at rest")
	}, httpx.Migrations())
}

func TestIdempotentRequestsAtOnceRunOnce(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		clk := testkit.Clock()
		w := newWorld(t, func(c *httpx.Config) { c.DB, c.Clock = d, clk })
		entered, leave := make(chan struct{}), make(chan struct{})
		httpx.Register(w.api, httpx.Op{ID: "slow", Method: "POST", Path: "/api/slow", Permission: auth.Self, Idempotent: true},
			func(context.Context, *thingIn) (*thingOut, error) {
				entered <- struct{}{}
				<-leave
				return &thingOut{}, nil
			})
		post := func() *httptest.ResponseRecorder {
			return w.do("POST", "/api/slow", `{"name":"koi"}`, "X-Role", "admin", "Idempotency-Key", "k")
		}
		var wg sync.WaitGroup
		wg.Go(func() { require.Equal(t, 200, post().Code) })
		<-entered
		rec := post()
		require.Equal(t, 409, rec.Code)
		require.Equal(t, "request.in_progress", problemOf(t, rec).Code)
		require.Equal(t, "1", rec.Header().Get("Retry-After"))
		close(leave)
		wg.Wait()
		require.Equal(t, "true", post().Header().Get("Idempotency-Replayed"))

		// a request whose process died keeps its key for two minutes only
		_, err := d.Exec(t.Context(), "update http_idempotency set status = 0")
		require.NoError(t, err)
		require.Equal(t, 409, post().Code)
		clk.Advance(3 * time.Minute)
		wg.Go(func() { require.Equal(t, 200, post().Code) })
		<-entered
		wg.Wait()
	}, httpx.Migrations())
}

// The migrations apply over rows that an older program left.
func TestMigrationsAreForwardOnly(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ran, err := d.Migrate(t.Context(), httpx.Migrations())
		require.NoError(t, err)
		require.Empty(t, ran)
	}, httpx.Migrations())
}

// masked stands in for package secret.
type masked struct{}

func (masked) Seal(field, s string) (string, error) {
	return field + ":" + hex.EncodeToString([]byte(s)), nil
}

func (masked) Open(field, s string) (string, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(s, field+":"))
	return string(raw), err
}

type place struct {
	At int64  `json:"at"`
	ID string `json:"id"`
}

func TestCursor(t *testing.T) {
	var p place
	require.NoError(t, httpx.DecodeCursor("", &p))
	require.Zero(t, p)
	c := httpx.EncodeCursor(place{1772438400000, "ct_1"})
	require.NoError(t, httpx.DecodeCursor(c, &p))
	require.Equal(t, place{1772438400000, "ct_1"}, p)
	for _, bad := range []string{"x", c[1:], c + "A", "e30", strings.Repeat("A", 3000), httpx.EncodeCursor(map[string]int{"else": 1}), httpx.EncodeCursor("text")} {
		err := httpx.DecodeCursor(bad, &p)
		require.Equal(t, "request.bad_cursor", errs.CodeOf(err), bad)
		require.Equal(t, 400, httpx.StatusOf(errs.As(err)))
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(httpx.EncodeCursor(place{1, "a"}))
	f.Add("eyJ2IjoxLCJrIjpudWxsfQ")
	f.Fuzz(func(t *testing.T, s string) {
		var p place
		if err := httpx.DecodeCursor(s, &p); err != nil {
			require.Equal(t, "request.bad_cursor", errs.CodeOf(err))
			return
		}
		var again place
		require.NoError(t, httpx.DecodeCursor(httpx.EncodeCursor(p), &again))
		require.Equal(t, p, again)
	})
}

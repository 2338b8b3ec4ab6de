package team_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/team"
)

const (
	adminEmail    = "lin@example.com"
	adminPassword = "tangerine-otter-41"
)

var cheap = auth.Params{Memory: 64, Time: 1, Threads: 1}

// lines collects the log of a world.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *lines) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// world is one process over a database: team, audit log and HTTP.
type world struct {
	*testing.T
	*team.Service
	db     *db.DB
	clk    *clock.Fake
	audit  *audit.Service
	hasher *auth.Hasher
	h      http.Handler
	logs   *lines
	cli    context.Context // the command line
}

func newWorld(t *testing.T, d *db.DB, clk *clock.Fake) *world { return newWorldWith(t, d, clk, cheap) }

func newWorldWith(t *testing.T, d *db.DB, clk *clock.Fake, p auth.Params) *world {
	t.Helper()
	w := &world{T: t, db: d, clk: clk, hasher: auth.NewHasher(p, 4), logs: &lines{}}
	log := slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	w.audit, err = audit.New(audit.Deps{DB: d, Clock: clk, Log: log, Key: bytes.Repeat([]byte("k"), 32)})
	require.NoError(t, err)
	w.Service = team.NewService(team.Deps{DB: d, Clock: clk, IDs: testkit.IDs(clk), Log: log, Audit: w.audit, Hasher: w.hasher, Version: "1.2.3"})
	cat, err := i18n.Load(log)
	require.NoError(t, err)
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "Koipond", Version: "1.2.3", Auth: w.Service, Log: log, Catalogue: cat, Clock: clk, DB: d,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	w.Routes(api)
	w.h = api.Handler()
	w.cli = auth.With(t.Context(), auth.CLI("root"))
	return w
}

// each runs fn on a fresh database of every engine, with an administrator.
func each(t *testing.T, fn func(w *world)) {
	t.Helper()
	bare(t, func(w *world) { w.user("admin", adminEmail, adminPassword); fn(w) })
}

// bare is each without anyone.
func bare(t *testing.T, fn func(w *world)) {
	t.Helper()
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(newWorld(t, d, testkit.Clock())) },
		httpx.Migrations(), audit.Migrations(), team.Migrations())
}

func (w *world) user(role, email, password string) team.User {
	w.Helper()
	u, generated, err := w.CreateUser(w.cli, team.NewUser{Name: "林" + role, Email: email, Role: role, Password: password})
	require.NoError(w, err)
	require.Equal(w, password == "", generated != "")
	return u
}

// call is one request.
type call struct {
	method, path, cookie, bearer, ip, body string
	header                                 map[string]string
}

type reply struct {
	*httptest.ResponseRecorder
	json map[string]any
}

// request is a call as it arrives.
func request(c call) *http.Request {
	r := httptest.NewRequest(cmp.Or(c.method, "GET"), cmp.Or(c.path, "/"), strings.NewReader(c.body))
	r.RemoteAddr = "203.0.113.9:4000"
	if c.ip != "" {
		r.RemoteAddr = c.ip + ":4000"
	}
	r.Header.Set("Accept-Language", "en")
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.cookie != "" {
		r.Header.Set("Cookie", team.CookieName+"="+c.cookie)
	}
	if c.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	for k, v := range c.header {
		r.Header.Set(k, v)
	}
	return r
}

func (w *world) do(c call) reply {
	w.Helper()
	r := request(c)
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	out := reply{ResponseRecorder: rec}
	if rec.Body.Len() > 0 {
		require.NoError(w, json.Unmarshal(rec.Body.Bytes(), &out.json), rec.Body.String())
	}
	return out
}

func (r reply) code() string { s, _ := r.json["code"].(string); return s }

func (r reply) cookie() *http.Cookie {
	for _, c := range r.Result().Cookies() {
		if c.Name == team.CookieName {
			return c
		}
	}
	return nil
}

func signInBody(email, password string) string {
	return fmt.Sprintf(`{"email":%q,"password":%q}`, email, password)
}

func (w *world) tryIn(email, password, ip string) reply {
	w.Helper()
	return w.do(call{method: "POST", path: "/api/session", body: signInBody(email, password), ip: ip})
}

// in signs in and returns the cookie's value.
func (w *world) in(email, password string) string {
	w.Helper()
	r := w.tryIn(email, password, "")
	require.Equal(w, 200, r.Code, r.Body.String())
	require.NotNil(w, r.cookie())
	return r.cookie().Value
}

// me tells with which status a cookie is met.
func (w *world) me(cookie string) int {
	w.Helper()
	return w.do(call{method: "GET", path: "/api/session", cookie: cookie}).Code
}

// as is the context of a signed-in user, as a request would have it.
func (w *world) as(u team.User) context.Context {
	w.Helper()
	role, err := w.Role(w.Context(), u.Role)
	require.NoError(w, err)
	return auth.With(w.Context(), &auth.Principal{ID: u.ID, Name: u.Name, Via: auth.ViaSession, Role: u.Role, Permissions: auth.Set(role.Permissions), Scope: auth.Everybody()})
}

// actions lists the audit log's actions, oldest first.
func (w *world) actions() []string {
	w.Helper()
	list, err := w.audit.List(w.Context(), audit.Filter{Limit: 1000})
	require.NoError(w, err)
	out := make([]string, len(list))
	for i, e := range list {
		out[len(list)-1-i] = e.Action
	}
	return out
}

func (w *world) lastAction() audit.Entry {
	w.Helper()
	list, err := w.audit.List(w.Context(), audit.Filter{Limit: 1})
	require.NoError(w, err)
	require.NotEmpty(w, list)
	return list[0]
}

func requireField(t testing.TB, err error, path, code string) {
	t.Helper()
	e := errs.As(err)
	require.NotNil(t, e)
	require.Equal(t, errs.Invalid, e.Kind, "%v", err)
	require.NotEmpty(t, e.Fields, "%v", err)
	require.Equal(t, path, e.Fields[0].Path)
	require.Equal(t, code, e.Fields[0].Code)
}

// everybody is the data scope without limits.
var everybody = auth.DataScope{Breadth: auth.BreadthAll, Unowned: true}

func ptr[T any](v T) *T { return &v }

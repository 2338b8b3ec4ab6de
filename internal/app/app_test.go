package app

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
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx/httpxtest"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// world is a running program without a port.
type world struct {
	t   *testing.T
	app *App
	h   http.Handler
	// token and key are secrets of an administrator and of a source.
	token, key string
}

func testConfig(t *testing.T) Config {
	cfg := DefaultConfig()
	cfg.Data = filepath.Join(t.TempDir(), "data")
	cfg.StreamMaxBytes = 256 << 20
	cfg.AnalyticsMemory = 256
	return cfg
}

func startWorld(t *testing.T, cfg Config) *world {
	t.Helper()
	return startWorldLogging(t, cfg, testkit.Logger(t))
}

func startWorldLogging(t *testing.T, cfg Config, log *slog.Logger) *world {
	t.Helper()
	ctx := auth.With(context.Background(), auth.CLI("test"))
	a, err := build(ctx, cfg, Build{Version: "test", Commit: "none"}, log)
	require.NoError(t, err)
	require.NoError(t, a.start(ctx))
	w := &world{t: t, app: a, h: a.api.Handler()}
	t.Cleanup(w.stop)
	_, w.token, err = a.Team.CreateToken(ctx, "test", "admin", time.Time{})
	require.NoError(t, err)
	_, w.key, err = a.Team.CreateWriteKey(ctx, "web", "web")
	require.NoError(t, err)
	return w
}

func (w *world) stop() {
	if w.app != nil {
		require.NoError(w.t, w.app.stop(nil))
		w.app = nil
	}
}

func (w *world) call(method, path, body string, out any) int {
	w.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if strings.HasPrefix(path, "/v1/") {
		req.SetBasicAuth(w.key, "")
	} else {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, req)
	if out != nil && rec.Code < 300 {
		require.NoError(w.t, json.Unmarshal(rec.Body.Bytes(), out), rec.Body.String())
	} else if rec.Code >= 300 {
		w.t.Log(method, path, rec.Code, rec.Body.String())
	}
	return rec.Code
}

// settle waits until everything sent is seen by all subscribers.
func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(w.t, w.app.settle(ctx))
}

// history sends a small pond whose figures are known by hand: three buyers, one
// of whom bought twice, one refund, one buyer nobody knows, one who only looked.
func (w *world) history() (from, to time.Time) {
	day := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	n := 0
	send := func(at time.Time, fields string) {
		n++
		code := w.call("POST", "/v1/import", fmt.Sprintf(`{"batch":[{"messageId":"m%d","timestamp":%q,%s}]}`, n, at.Format(time.RFC3339), fields), nil)
		require.Equal(w.t, 200, code)
	}
	paid := func(d int, who, number string, total int) {
		send(day.AddDate(0, 0, d), fmt.Sprintf(`"type":"track",%s,"event":"order.paid","properties":{"orderNumber":%q,"total":%d,"currency":"CNY","lines":[]}`, who, number, total))
	}
	who := func(id, channel string) string {
		return fmt.Sprintf(`"userId":%q,"context":{"channel":%q}`, id, channel)
	}
	paid(1, who("a", "offline"), "1", 10000)
	paid(2, who("a", "offline"), "2", 5000)
	paid(3, who("b", "social"), "3", 2000)
	paid(4, who("c", "social"), "4", 3000)
	paid(5, `"anonymousId":"shop-guest"`, "5", 700)
	send(day.AddDate(0, 0, 6), `"type":"track","userId":"c","event":"order.refunded","properties":{"orderNumber":"R4","refundOf":"4","total":1000,"currency":"CNY"}`)
	send(day.AddDate(0, 0, 6), `"type":"track","userId":"d","event":"article.read","properties":{"title":"茶"}`)
	send(day.AddDate(0, 0, 40), `"type":"track","userId":"e","event":"article.read"`) // after the period
	w.settle()
	return day.AddDate(0, 0, -1), day.AddDate(0, 0, 20)
}

func (w *world) overviewOf(from, to time.Time, more string) overview {
	w.t.Helper()
	var o overview
	path := fmt.Sprintf("/api/overview?from=%s&to=%s%s", from.Format(time.RFC3339), to.Format(time.RFC3339), more)
	require.Equal(w.t, 200, w.call("GET", path, "", &o))
	return o
}

func figures(o overview) map[string]float64 {
	out := map[string]float64{}
	for _, k := range o.KPIs {
		out[k.Key] = k.Value
	}
	return out
}

func engines(t *testing.T, fn func(t *testing.T, cfg Config)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, testConfig(t)) })
	t.Run("postgres", func(t *testing.T) {
		cfg := testConfig(t)
		cfg.DatabaseURL = testkit.Schema(t)
		fn(t, cfg)
	})
}

func TestOverviewAgreesWithHandCountAndOpensItsPeople(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		from, to := w.history()
		got := figures(w.overviewOf(from, to, ""))
		require.Equal(t, map[string]float64{"size": 4, "new": 4, "active": 4, "orders": 5, "revenue": 19700,
			"averageOrder": 3940, "repeatRate": 1.0 / 3}, got)
		require.Equal(t, map[string]float64{"size": 2, "new": 2, "active": 2, "orders": 2, "revenue": 4000,
			"averageOrder": 2000, "repeatRate": 0}, figures(w.overviewOf(from, to, "&channel=social")))
		for metric, want := range map[string]int64{"size": 4, "new": 4, "active": 4, "buyers": 3, "repeat": 1, "event:article.read": 1} {
			var p peoplePage
			require.Equal(t, 200, w.call("GET", fmt.Sprintf("/api/people?metric=%s&from=%s&to=%s&limit=2", metric, from.Format(time.RFC3339), to.Format(time.RFC3339)), "", &p))
			require.Equal(t, want, p.Total, metric)
			seen := int64(len(p.Items))
			for p.Next != "" {
				next := p.Next
				p = peoplePage{}
				require.Equal(t, 200, w.call("GET", fmt.Sprintf("/api/people?metric=%s&from=%s&to=%s&limit=2&cursor=%s", metric, from.Format(time.RFC3339), to.Format(time.RFC3339), next), "", &p))
				seen += int64(len(p.Items))
			}
			require.Equal(t, want, seen, "%s: as many people as the number says", metric)
		}
		require.Equal(t, 422, w.call("GET", "/api/people?metric=nonsense", "", nil))
		require.Equal(t, 422, w.call("GET", "/api/overview?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "", nil))
	})
}

func TestOrdersOfContactAgreeWithOverview(t *testing.T) {
	w := startWorld(t, testConfig(t))
	w.history()
	var list struct {
		Items []struct {
			Name    string `json:"name"`
			ID      string `json:"id"`
			Orders  int64  `json:"orders"`
			Revenue []struct {
				Amount int64 `json:"amount"`
			} `json:"revenue"`
		} `json:"items"`
	}
	require.Equal(t, 200, w.call("GET", "/api/contacts?sort=orders", "", &list))
	require.EqualValues(t, 2, list.Items[0].Orders)
	require.EqualValues(t, 15000, list.Items[0].Revenue[0].Amount)
	var orders, revenue int64
	for _, c := range list.Items {
		orders += c.Orders
		for _, r := range c.Revenue {
			revenue += r.Amount
		}
	}
	require.EqualValues(t, 4, orders, "all but the unknown buyer's")
	require.EqualValues(t, 19000, revenue)
}

func TestOrdersOfEveryDialectCountOnceAndAlike(t *testing.T) {
	w := startWorld(t, testConfig(t))
	send := func(id, event, props string) {
		require.Equal(t, 200, w.call("POST", "/v1/track", fmt.Sprintf(`{"messageId":%q,"userId":"u","event":%q,"properties":%s}`, id, event, props), nil))
	}
	send("1", "Order Completed", `{"order_id":"A","total":12.5,"currency":"CNY","products":[{"sku":"s","price":12.5,"quantity":1}]}`)
	send("2", "order.paid", `{"orderNumber":"B","lines":[{"sku":"s","price":250,"quantity":2}]}`) // no total, no currency
	send("3", "order.paid", `{"orderNumber":"B","total":500,"currency":"CNY"}`)                   // stated twice
	send("4", "Order Refunded", `{"order_id":"A","total":2.5,"currency":"CNY"}`)
	w.settle()
	now := time.Now().UTC()
	got := figures(w.overviewOf(now.Add(-time.Hour), now.Add(time.Hour), ""))
	require.EqualValues(t, 2, got["orders"])
	require.EqualValues(t, 1500, got["revenue"])
	totals, err := w.app.shop.Totals(context.Background(), now.Add(-time.Hour), now.Add(time.Hour))
	require.NoError(t, err)
	require.Len(t, totals, 1)
	require.EqualValues(t, 1500, totals[0].Paid-totals[0].Refunded, "the records say the same: %+v", totals)
}

func TestRestartWaitsForNothing(t *testing.T) {
	cfg := testConfig(t)
	w := startWorld(t, cfg)
	w.history()
	w.stop()
	again := startWorld(t, cfg)
	again.settle() // nothing new came: returns at once
}

func TestEveryRouteHoldsItsPermission(t *testing.T) {
	w := startWorld(t, testConfig(t))
	httpxtest.WalkPermissions(t, w.app.api, auth.BuiltinRoles())
}

func TestBackupWhileRunningComesBackWhole(t *testing.T) { engines(t, backupComesBack) }

func backupComesBack(t *testing.T, first Config) {
	w := startWorld(t, first)
	from, to := w.history()
	require.Equal(t, 200, w.call("POST", "/api/contacts", `{"name":"备份人","phone":"13800138999"}`, nil))
	w.settle()
	want := figures(w.overviewOf(from, to, ""))
	var b bytes.Buffer
	require.NoError(t, w.app.Backup(context.Background(), &b))
	// what comes later is not in the backup
	require.Equal(t, 200, w.call("POST", "/v1/track", `{"userId":"late","event":"x","timestamp":"2026-03-03T00:00:00Z"}`, nil))
	w.stop()

	cfg := testConfig(t)
	if first.DatabaseURL != "" {
		_, err := Restore(context.Background(), cfg, bytes.NewReader(b.Bytes()))
		require.ErrorIs(t, err, errNotPostgres)
		cfg.DatabaseURL = first.DatabaseURL
		_, err = Restore(context.Background(), cfg, bytes.NewReader(b.Bytes()))
		require.ErrorIs(t, err, errDatabaseFull)
		cfg.DatabaseURL = testkit.Schema(t)
	}
	m, err := Restore(context.Background(), cfg, bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	require.Equal(t, "test", m.Version)
	back := startWorld(t, cfg)
	require.Equal(t, want, figures(back.overviewOf(from, to, "")))
	var found struct {
		Total int64 `json:"total"`
	}
	require.Equal(t, 200, back.call("GET", "/api/contacts?q=13800138999", "", &found))
	require.EqualValues(t, 1, found.Total, "the keys came along: the sealed phone is found")
	// and it lives on: new facts are taken and stored
	require.Equal(t, 200, back.call("POST", "/v1/track", `{"userId":"after","event":"article.read","timestamp":"2026-03-04T00:00:00Z"}`, nil))
	back.settle()
	require.Equal(t, want["active"]+1, figures(back.overviewOf(from, to, ""))["active"])
	rep, err := back.app.Audit.Verify(context.Background())
	require.NoError(t, err)
	require.True(t, rep.OK, "%+v", rep)
}

func TestRestoreRefuses(t *testing.T) {
	cfg := testConfig(t)
	require.NoError(t, os.MkdirAll(cfg.Data, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(cfg.Data, "mine"), []byte("x"), 0o600))
	_, err := Restore(context.Background(), cfg, bytes.NewReader(nil))
	require.ErrorIs(t, err, errNotEmpty)
	require.NoError(t, os.Remove(filepath.Join(cfg.Data, "mine")))
	_, err = Restore(context.Background(), cfg, strings.NewReader("this is no backup"))
	require.Error(t, err)
	left, err := os.ReadDir(cfg.Data)
	require.NoError(t, err)
	require.Empty(t, left, "a refused restore leaves nothing behind")
}

func TestOneInstancePerFolder(t *testing.T) {
	dir := t.TempDir()
	l, err := lockData(dir)
	require.NoError(t, err)
	require.NoError(t, l.announce(Instance{PID: 42, URL: "http://127.0.0.1:1"}))
	_, err = lockData(dir)
	var running *ErrRunning
	require.True(t, errors.As(err, &running))
	require.Equal(t, 42, running.PID)
	in, ok, err := FindRunning(dir)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "http://127.0.0.1:1", in.URL)
	require.NoError(t, l.release())
	_, ok, err = FindRunning(dir)
	require.NoError(t, err)
	require.False(t, ok)
}

func TestHealthReadinessAndMetrics(t *testing.T) {
	w := startWorld(t, testConfig(t))
	get := func(path string) (int, string) {
		req := httptest.NewRequest("GET", path, nil)
		req.RemoteAddr = "127.0.0.1:5000"
		rec := httptest.NewRecorder()
		w.h.ServeHTTP(rec, req)
		b, err := io.ReadAll(rec.Body)
		require.NoError(t, err)
		return rec.Code, string(b)
	}
	code, _ := get("/healthz")
	require.Equal(t, 200, code)
	code, _ = get("/readyz")
	require.Equal(t, 200, code)
	code, body := get("/metrics")
	require.Equal(t, 200, code)
	require.Contains(t, body, "koipond_build_info")
	far := httptest.NewRequest("GET", "/metrics", nil)
	far.RemoteAddr = "203.0.113.9:5000"
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, far)
	require.Equal(t, 401, rec.Code, "figures are not for strangers")
	far.RemoteAddr = "127.0.0.1:5000"
	far.Header.Set("X-Forwarded-For", "203.0.113.9")
	rec = httptest.NewRecorder()
	w.h.ServeHTTP(rec, far)
	require.Equal(t, 401, rec.Code, "nor for those whom a proxy on this machine brings")
	w.app.api.Drain()
	code, _ = get("/readyz")
	require.Equal(t, 503, code, "a server that stops takes no new visitors")
}

func TestConfigIsChecked(t *testing.T) {
	require.NoError(t, DefaultConfig().Check())
	for name, change := range map[string]func(*Config){
		"listen":  func(c *Config) { c.Listen = "8787" },
		"url":     func(c *Config) { c.URL = "pond" },
		"stream":  func(c *Config) { c.StreamMaxBytes = 1 },
		"memory":  func(c *Config) { c.AnalyticsMemory = 1 },
		"level":   func(c *Config) { c.LogLevel = "loud" },
		"proxies": func(c *Config) { c.TrustedProxies = "everyone" },
		"bucket":  func(c *Config) { c.FilesBucket = "b" },
	} {
		c := DefaultConfig()
		change(&c)
		require.Error(t, c.Check(), name)
	}
	require.Equal(t, "postgres://u:xxxxx@h/db", RedactURL("postgres://u:secret@h/db"))
}

func TestBackupTakesEveryPermissionAndIsRecorded(t *testing.T) {
	w := startWorld(t, testConfig(t))
	get := func(perms []auth.Permission) *httptest.ResponseRecorder {
		p := &auth.Principal{ID: "us_1", Name: "甲", Via: auth.ViaSession, Permissions: auth.Set(perms), Scope: auth.Everybody()}
		rec := httptest.NewRecorder()
		w.h.ServeHTTP(rec, httptest.NewRequest("GET", "/api/system/backup", nil).WithContext(auth.With(context.Background(), p)))
		return rec
	}
	require.Equal(t, 403, get([]auth.Permission{auth.SettingsWrite, auth.SystemRead}).Code, "the keys and all passwords' hashes are in it")
	w.app.backingUp.Lock()
	require.Equal(t, 409, get(auth.All()).Code)
	w.app.backingUp.Unlock()
	rec := get(auth.All())
	require.Equal(t, 200, rec.Code)
	require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	entries, err := w.app.Audit.List(context.Background(), audit.Filter{Action: "system.backed_up", Limit: 5})
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, "us_1", entries[0].Actor.ID)
}

func TestDemoAccountStaysOnThisMachine(t *testing.T) {
	for listen, told := range map[string]bool{"127.0.0.1:8787": true, "localhost:1": true, "[::1]:1": true, ":8787": false, "0.0.0.0:1": false, "192.168.1.2:1": false} {
		cfg := testConfig(t)
		cfg.Listen = listen
		d, err := new(demoPond).prepare(cfg)
		require.NoError(t, err)
		require.Equal(t, told, d.Password != "", listen)
	}
	cfg := testConfig(t)
	cfg.Listen, cfg.URL = "127.0.0.1:8787", "https://pond.example.com"
	d, err := new(demoPond).prepare(cfg)
	require.NoError(t, err)
	require.Empty(t, d.Password, "a proxy brings others here")
}

package wecom

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/testkit"
)

const (
	testCorp   = "ww1a2b3c4d5e6f7a8b"
	testSecret = "a-secret-that-is-long-enough"
	testToken  = "QDG6eK"
	testKey    = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
)

// call is one call that the platform got.
type call struct {
	API   string
	Query map[string]string
	Body  map[string]any
}

// world is a platform that answers what a test tells it to.
type world struct {
	t       *testing.T
	clock   *clock.Fake
	mu      sync.Mutex
	calls   []call
	answers map[string][]string // by API, one after the other; the last stays
	tokens  int
	pauses  []time.Duration
	took    map[string]int64
	full    map[string]time.Time // quotas without room
	spent   []string
	told    []error // what the doctor heard
	token   string
	drop    map[string]bool // APIs whose answer gets lost
	refused error
}

func newWorld(t *testing.T) (*world, *Client) {
	w := &world{t: t, clock: testkit.Clock(), answers: map[string][]string{}, took: map[string]int64{}, full: map[string]time.Time{}, drop: map[string]bool{}}
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	a := connector.Account{ID: "ac_1", Kind: Name, Settings: map[string]string{settingCorp: testCorp, settingAgent: "1000002", connector.SettingBase: srv.URL + "/"}}
	c, err := open(a, connector.Secrets{secretApp: testSecret, secretToken: testToken, secretAESKey: testKey}, w.env(srv.Client()))
	require.NoError(t, err)
	c.pause = func(_ context.Context, d time.Duration) error { w.pauses = append(w.pauses, d); return nil }
	return w, c
}

func (w *world) env(h *http.Client) connector.Env {
	fetch := func(ctx context.Context, stale string, f connector.Fetch) (string, error) {
		if w.refused != nil {
			return "", w.refused
		}
		if w.token == "" || w.token == stale {
			tok, _, err := f(ctx)
			if err != nil {
				if connector.GivenUp(err) {
					w.refused = err
				}
				return "", err
			}
			w.token = tok
		}
		return w.token, nil
	}
	return connector.Env{HTTP: h, Clock: w.clock, Log: testkit.Logger(w.t), Callback: "https://koi.example.com/hooks/wecom/ac_1",
		Token: func(ctx context.Context, _ string, f connector.Fetch) (string, error) { return fetch(ctx, "", f) },
		Refresh: func(ctx context.Context, _, stale string, f connector.Fetch) (string, error) {
			return fetch(ctx, stale, f)
		},
		Quota: func(_ context.Context, name, subject string, n int64) error {
			if until, ok := w.full[name+"/"+subject]; ok {
				return connector.Wait(until, refused("x", 45009, ""))
			}
			w.took[name+"/"+subject] += n
			return nil
		},
		Spent: func(_ context.Context, name, subject string, _ time.Time) error {
			w.spent = append(w.spent, name+"/"+subject)
			return nil
		},
		Refused: func(_ context.Context, err error) { w.told = append(w.told, err) }}
}

// says sets the answers of an API.
func (w *world) says(api string, answers ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[api] = answers
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	api := strings.TrimPrefix(r.URL.Path, "/cgi-bin/")
	c := call{API: api, Query: map[string]string{}}
	for k, v := range r.URL.Query() {
		c.Query[k] = v[0]
	}
	raw, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(raw, &c.Body)
	w.calls = append(w.calls, c)
	if w.drop[api] {
		conn, _, _ := rw.(http.Hijacker).Hijack()
		_ = conn.Close()
		return
	}
	if api == "gettoken" && len(w.answers[api]) == 0 {
		w.tokens++
		_, _ = io.WriteString(rw, `{"errcode":0,"access_token":"token-`+string(rune('0'+w.tokens))+`","expires_in":7200}`)
		return
	}
	list := w.answers[api]
	if len(list) == 0 {
		_, _ = io.WriteString(rw, `{"errcode":0,"errmsg":"ok"}`)
		return
	}
	if len(list) > 1 {
		w.answers[api] = list[1:]
	}
	_, _ = io.WriteString(rw, list[0])
}

// last is the newest call of an API.
func (w *world) last(api string) call {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.calls) - 1; i >= 0; i-- {
		if w.calls[i].API == api {
			return w.calls[i]
		}
	}
	require.Fail(w.t, "no call of "+api)
	return call{}
}

func (w *world) count(api string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		if c.API == api {
			n++
		}
	}
	return n
}

// stream takes facts and keeps each message id once, as the real one does.
type stream struct {
	facts []event.Fact
	seen  map[string]bool
	fail  error
}

func (s *stream) Ingest(_ context.Context, facts []event.Fact) (uint64, error) {
	if s.fail != nil {
		return 0, s.fail
	}
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	for _, f := range facts {
		if !s.seen[f.MessageID] {
			s.seen[f.MessageID] = true
			s.facts = append(s.facts, f)
		}
	}
	return uint64(len(s.facts)), nil
}

func (s *stream) Wait(context.Context, uint64) error { return nil }

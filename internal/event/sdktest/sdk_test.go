package sdktest

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/intake"
	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
)

const key = "wk_sdktest"

type oneKey struct{}

func (oneKey) Lookup(_ context.Context, k string) (intake.WriteKey, bool, error) {
	return intake.WriteKey{ID: "wk", Name: "sdk"}, k == key, nil
}

type nobody struct{}

func (nobody) Authenticate(*http.Request) (*auth.Principal, error) { return nil, nil }

// tape keeps what arrives.
type tape struct {
	mu    sync.Mutex
	dec   wire.Decoder
	facts []event.Fact
	bad   error
	seq   uint64
}

func (s *tape) Send(data []byte) (func(context.Context) bus.Ack, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	facts, err := s.dec.Decode(nil, bytes.Clone(data))
	if err != nil {
		s.bad = err
	}
	s.facts = append(s.facts, facts...)
	s.seq++
	seq := s.seq
	return func(context.Context) bus.Ack { return bus.Ack{Seq: seq} }, nil
}

func (s *tape) of(user string) []event.Fact {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []event.Fact
	for _, f := range s.facts {
		if f.UserID == user {
			out = append(out, f)
		}
	}
	return out
}

func server(t *testing.T) (*tape, string) {
	t.Helper()
	s := &tape{}
	c := clock.System{}
	svc := intake.New(intake.Deps{Stream: s, WriteKeys: oneKey{}, Clock: c, IDs: testkit.IDs(c), Log: testkit.Quiet()})
	require.NoError(t, svc.Start(t.Context()))
	cat, err := i18n.Load(testkit.Quiet())
	require.NoError(t, err)
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "Koipond", Auth: nobody{}, Log: testkit.Quiet(), Catalogue: cat, Clock: c})
	svc.Routes(api)
	srv := httptest.NewServer(api.Handler())
	t.Cleanup(func() {
		srv.Close()
		require.NoError(t, svc.Stop(context.Background()))
		require.NoError(t, s.bad)
	})
	return s, srv.URL
}

// need finds what a test cannot do without: it skips, or fails where it must run.
func need(t *testing.T, what string, there bool) {
	t.Helper()
	switch {
	case there:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is missing", what)
	default:
		t.Skipf("SKIPPED: %s is missing", what)
	}
}

func modules(t *testing.T) {
	t.Helper()
	_, err := os.Stat(filepath.Join("node_modules", "@segment"))
	need(t, "the SDKs: run `npm install` in internal/event/sdktest", err == nil)
}

// check asserts the calls of one SDK, each of which every SDK makes.
func check(t *testing.T, facts []event.Fact, prefix string, want ...event.Type) {
	t.Helper()
	byType := map[event.Type]event.Fact{}
	ids := map[string]bool{}
	for _, f := range facts {
		byType[f.Type] = f
		ids[f.MessageID] = true
		require.WithinDuration(t, time.Now(), time.UnixMilli(f.Timestamp), 2*time.Minute)
		require.Equal(t, "sdk", f.Source)
		require.NotEmpty(t, f.Context, "the SDK says who it is")
	}
	require.Len(t, ids, len(facts), "each call has its message id")
	require.Len(t, byType, len(want))
	require.Equal(t, "Order Placed", byType[event.Track].Name)
	require.Contains(t, string(byType[event.Track].Properties), "12.5")
	require.Contains(t, byType[event.Identify].Identifiers, event.Identifier{Kind: "email", Value: prefix + "@example.com"})
	require.Contains(t, string(byType[event.Page].Properties), "Home")
	require.Equal(t, "vip", byType[event.Group].GroupID)
	require.Equal(t, prefix+"-visitor", byType[event.Alias].PreviousID)
}

var nodeCalls = []event.Type{event.Identify, event.Track, event.Page, event.Screen, event.Group, event.Alias}

func TestNodeSDKs(t *testing.T) {
	modules(t)
	node, err := exec.LookPath("node")
	need(t, "node", err == nil)
	tape, url := server(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "node.mjs", url, key)
	cmd.Env = append(os.Environ(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, prefix := range []string{"segment-node", "rudder-node"} {
		check(t, tape.of(prefix+"-user"), prefix, nodeCalls...)
	}
}

func TestBrowserSDKs(t *testing.T) {
	modules(t)
	browser, err := exec.LookPath("chromium")
	if err != nil {
		browser, err = exec.LookPath("google-chrome")
	}
	need(t, "chromium", err == nil)
	// The page is of another origin than the intake, as in real life.
	mux := http.NewServeMux()
	mux.Handle("/modules/", http.StripPrefix("/modules/", http.FileServer(http.Dir("node_modules"))))
	mux.Handle("/", http.FileServer(http.Dir("pages")))
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	for _, c := range []struct {
		name, page, prefix string
		calls              []event.Type
	}{
		{"segment", "segment.html?x=1", "segment-browser", nodeCalls},
		{"rudder", "rudder.html?beacon=0", "rudder-browser", []event.Type{event.Identify, event.Track, event.Page, event.Group, event.Alias}},
		{"rudder beacon", "rudder.html?beacon=1", "rudder-browser", []event.Type{event.Identify, event.Track, event.Page, event.Group, event.Alias}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tape, url := server(t)
			visit(t, browser, site.URL+"/"+c.page+"&key="+key+"&host="+url)
			require.Eventually(t, func() bool { return len(tape.of(c.prefix+"-user")) >= len(c.calls) }, 90*time.Second, 50*time.Millisecond, "all calls arrive")
			check(t, tape.of(c.prefix+"-user"), c.prefix, c.calls...)
		})
	}
}

// visit opens a page and keeps the browser until the test ends.
func visit(t *testing.T, browser, url string) {
	t.Helper()
	profile := t.TempDir()
	cmd := exec.Command(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server",
		"--enable-logging=stderr", "--user-data-dir="+profile, "--remote-debugging-port=0", url)
	var log bytes.Buffer
	cmd.Stderr = &log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed, as it says
		if t.Failed() {
			for line := range strings.Lines(log.String()) {
				if strings.Contains(line, "CONSOLE") {
					t.Log(line)
				}
			}
		}
		_ = os.RemoveAll(profile) // its helpers may still write for a moment
	})
}

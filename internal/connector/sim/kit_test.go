package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/clock"
)

var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// kit is a world with a client in front of it.
type kit struct {
	t     *testing.T
	sim   *sim.Sim
	clock *clock.Fake
	url   string
	corp  sim.Access
	token string
}

func newKit(t *testing.T, change ...func(*sim.Options)) *kit {
	t.Helper()
	k := &kit{t: t, clock: clock.NewFake(start)}
	o := sim.Options{Seed: 7, Clock: k.clock, Pause: time.Millisecond}
	for _, c := range change {
		c(&o)
	}
	k.sim = sim.New(o)
	server := httptest.NewServer(k.sim)
	t.Cleanup(func() { k.sim.Close(); server.Close() })
	k.url, k.corp = server.URL, k.sim.Access(0)
	k.signIn()
	return k
}

func (k *kit) signIn() {
	k.t.Helper()
	out := k.raw(http.MethodGet, "/cgi-bin/gettoken?corpid="+k.corp.CorpID+"&corpsecret="+k.corp.Secret, nil)
	require.EqualValues(k.t, 0, out["errcode"], out)
	k.token = out["access_token"].(string)
}

// raw makes a call and reads the answer.
func (k *kit) raw(method, path string, body any) map[string]any {
	k.t.Helper()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		require.NoError(k.t, err)
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(k.t.Context(), method, k.url+path, r)
	require.NoError(k.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(k.t, err)
	defer func() { _ = res.Body.Close() }()
	var out map[string]any
	require.NoError(k.t, json.NewDecoder(res.Body).Decode(&out))
	return out
}

type m = map[string]any

func (k *kit) path(api string) string {
	sep := "?"
	if strings.Contains(api, "?") {
		sep = "&"
	}
	return "/cgi-bin/" + api + sep + "access_token=" + k.token
}

// get and post want success; no wants a refusal with a code.
func (k *kit) get(api string) m {
	k.t.Helper()
	out := k.raw(http.MethodGet, k.path(api), nil)
	require.EqualValues(k.t, 0, out["errcode"], "%s: %v", api, out)
	return out
}

func (k *kit) post(api string, body any) m {
	k.t.Helper()
	out := k.raw(http.MethodPost, k.path(api), body)
	require.EqualValues(k.t, 0, out["errcode"], "%s: %v", api, out)
	return out
}

func (k *kit) no(code int, method, api string, body any) {
	k.t.Helper()
	out := k.raw(method, k.path(api), body)
	require.EqualValues(k.t, code, out["errcode"], "%s %v: %v", api, body, out)
}

func (k *kit) upload(kind, name string, b []byte) m {
	k.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("media", name)
	require.NoError(k.t, err)
	_, err = part.Write(b)
	require.NoError(k.t, err)
	require.NoError(k.t, w.Close())
	res, err := http.Post(k.url+k.path("media/upload?type="+kind), w.FormDataContentType(), &form) //nolint:noctx // a test
	require.NoError(k.t, err)
	defer func() { _ = res.Body.Close() }()
	var out m
	require.NoError(k.t, json.NewDecoder(res.Body).Decode(&out))
	return out
}

// way makes a contact way.
func (k *kit) way(state string, more ...m) string {
	k.t.Helper()
	body := m{"type": 2, "scene": 2, "state": state, "user": []string{"zhiqiu"}}
	for _, x := range more {
		for key, v := range x {
			body[key] = v
		}
	}
	return k.post("externalcontact/add_contact_way", body)["config_id"].(string)
}

func (k *kit) scan(way, who string) sim.Met {
	k.t.Helper()
	met, err := k.sim.Scan(way, who)
	require.NoError(k.t, err)
	return met
}

// person invents somebody.
func (k *kit) person(name string) string {
	k.t.Helper()
	p, err := k.sim.Invent(name, 2)
	require.NoError(k.t, err)
	return p.ID
}

// ear is an address that is called back.
type ear struct {
	seal *wxcrypto.Cipher
	mu   sync.Mutex
	got  []wxcrypto.Node
	bad  int                                // calls that could not be verified
	say  func(n int, w http.ResponseWriter) // answers; nil: 200
	n    int
	urls []string
}

func (e *ear) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		b, err := e.seal.Echo(r.URL.Query())
		if err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = w.Write(b)
		return
	}
	body, _ := io.ReadAll(r.Body)
	plain, err := e.seal.Open(r.URL.Query(), body)
	e.mu.Lock()
	e.n++
	n := e.n
	e.urls = append(e.urls, r.URL.RawQuery)
	if err != nil {
		e.bad++
	} else if doc, err := wxcrypto.Parse(plain); err == nil {
		e.got = append(e.got, doc)
	}
	say := e.say
	e.mu.Unlock()
	switch {
	case say != nil:
		say(n, w)
	case err != nil:
		w.WriteHeader(http.StatusForbidden)
	}
}

// listen connects an address to the world.
func (k *kit) listen() *ear {
	k.t.Helper()
	seal, err := wxcrypto.New(k.corp.Token, k.corp.AESKey, k.corp.CorpID, nil)
	require.NoError(k.t, err)
	e := &ear{seal: seal}
	server := httptest.NewServer(e)
	k.t.Cleanup(server.Close)
	require.NoError(k.t, k.sim.SetCallback(k.t.Context(), k.corp.CorpID, k.corp.AgentID, server.URL+"/hooks/wecom/a1", k.corp.Token, k.corp.AESKey))
	return e
}

// heard waits until everything was told, and gives the events' names.
func (k *kit) heard(e *ear) []string {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(k.t, k.sim.Settle(ctx))
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []string{}
	for _, d := range e.got {
		name := d.Get("Event")
		if c := d.Get("ChangeType"); c != "" {
			name += "." + c
		}
		out = append(out, name)
	}
	return out
}

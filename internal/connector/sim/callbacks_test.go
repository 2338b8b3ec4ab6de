package sim_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector/sim"
)

func TestAnAddressMustAnswerTheEcho(t *testing.T) {
	k := newKit(t)
	set := func(url, token, key string) error {
		return k.sim.SetCallback(t.Context(), k.corp.CorpID, k.corp.AgentID, url, token, key)
	}
	require.ErrorContains(t, set("ftp://x", k.corp.Token, k.corp.AESKey), "sim.callback_failed")
	require.ErrorContains(t, set("http://127.0.0.1:1/", k.corp.Token, k.corp.AESKey), "sim.callback_failed")
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.Query().Get("echostr"))) }))
	t.Cleanup(wrong.Close)
	require.ErrorContains(t, set(wrong.URL, k.corp.Token, k.corp.AESKey), "sim.callback_failed", "the echo must be decrypted")
	require.ErrorContains(t, set(wrong.URL, k.corp.Token, "short"), "sim.callback_failed")
	require.ErrorContains(t, k.sim.SetCallback(t.Context(), "wwnone", 1, "", "", ""), "sim.corp_not_found")
	k.listen()
	require.NotEmpty(t, k.sim.Corps()[0].Callback)
	require.NoError(t, set("", "", ""))
	require.Empty(t, k.sim.Corps()[0].Callback)
}

func TestCallbacksAreRepeated(t *testing.T) {
	k := newKit(t)
	e := k.listen()
	e.say = func(n int, w http.ResponseWriter) {
		if n < 3 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}
	k.scan(k.way("w"), k.person("甲"))
	require.Len(t, k.heard(e), 3, "two that failed and one that did not")
	e.say = func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }
	k.scan(k.way("w"), k.person("乙"))
	require.Len(t, k.heard(e), 3+4, "once and three times again, then it is given up")
	codes := map[string]int{}
	for _, d := range k.sim.Diary(t.Context(), 0) {
		if d.Kind == sim.EntryCallback {
			codes[d.Note]++
		}
	}
	require.Equal(t, map[string]int{"refused": 6, "": 1}, codes)
}

func TestASlowAnswerIsRepeated(t *testing.T) {
	k := newKit(t, func(o *sim.Options) { l := sim.DefaultLimits(); l.WeCom.CallbackSeconds = 1; o.Limits = &l })
	e := k.listen()
	gate := make(chan struct{})
	e.say = func(n int, _ http.ResponseWriter) {
		if n == 1 {
			<-gate
		}
	}
	defer close(gate)
	k.scan(k.way("w"), k.person("甲"))
	require.Len(t, k.heard(e), 2)
}

func TestCallbackFaults(t *testing.T) {
	k := newKit(t)
	e := k.listen()
	fault := func(f sim.Fault) {
		t.Helper()
		_, err := k.sim.AddFault(f)
		require.NoError(t, err)
	}
	fault(sim.Fault{Kind: sim.FaultTwice, Left: 1})
	k.scan(k.way("1"), k.person("甲"))
	require.Len(t, k.heard(e), 2)
	require.NotEqual(t, e.urls[0], e.urls[1], "with a nonce of its own")
	require.Equal(t, e.got[0].Get("WelcomeCode"), e.got[1].Get("WelcomeCode"))

	fault(sim.Fault{Kind: sim.FaultNever, Path: "change_external_contact.*", Left: 1})
	k.scan(k.way("2"), k.person("乙"))
	require.Len(t, k.heard(e), 2)

	fault(sim.Fault{Kind: sim.FaultForged, Left: 1})
	k.scan(k.way("3"), k.person("丙"))
	require.Len(t, k.heard(e), 3)
	require.Equal(t, 1, e.bad, "a wrong signature first, the true one after it")

	fault(sim.Fault{Kind: sim.FaultLate, Ms: 300, Left: 1})
	first := k.person("丁")
	k.scan(k.way("4"), first)
	require.NoError(t, k.sim.Delete(first, "zhiqiu"))
	names := k.heard(e)
	require.Equal(t, []string{"change_external_contact.del_follow_user", "change_external_contact.add_external_contact"}, names[3:], "out of order")
	require.Empty(t, k.sim.Faults(), "each happened as often as it was ordered")
}

func TestCallFaults(t *testing.T) {
	k := newKit(t)
	add := func(f sim.Fault) {
		t.Helper()
		_, err := k.sim.AddFault(f)
		require.NoError(t, err)
	}
	add(sim.Fault{Kind: sim.FaultBusy, Path: "department/*", Left: 1})
	k.get("user/get?userid=zhiqiu")
	k.no(-1, http.MethodGet, "department/list", nil)
	k.get("department/list")
	add(sim.Fault{Kind: sim.FaultRate, Path: "/cgi-bin/department/list", Left: 1})
	k.no(45009, http.MethodGet, "department/list", nil)
	add(sim.Fault{Kind: sim.FaultCode, Code: 41096, Left: 1})
	k.no(41096, http.MethodGet, "department/list", nil)
	add(sim.Fault{Kind: sim.FaultExpired, Left: 1})
	k.no(42001, http.MethodGet, "department/list", nil)
	k.no(42001, http.MethodGet, "department/list", nil) // it is really gone
	old := k.token
	k.signIn()
	require.NotEqual(t, old, k.token)

	add(sim.Fault{Kind: sim.FaultSlow, Ms: 60, Left: 1})
	began := time.Now()
	k.get("department/list")
	require.GreaterOrEqual(t, time.Since(began), 60*time.Millisecond)

	met := k.scan(k.way("w"), k.person("甲"))
	add(sim.Fault{Kind: sim.FaultLost, Path: "externalcontact/send_welcome_msg", Left: 1})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, k.url+k.path("externalcontact/send_welcome_msg"), jsonBody(t, m{"welcome_code": met.Welcome, "text": m{"content": "你好"}}))
	require.NoError(t, err)
	_, err = http.DefaultClient.Do(req) //nolint:bodyclose // there is none
	require.Error(t, err)
	k.no(41051, http.MethodPost, "externalcontact/send_welcome_msg", m{"welcome_code": met.Welcome, "text": m{"content": "你好"}})

	add(sim.Fault{Kind: sim.FaultTimeout, Left: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err = http.NewRequestWithContext(ctx, http.MethodGet, k.url+k.path("department/list"), nil)
	require.NoError(t, err)
	_, err = http.DefaultClient.Do(req) //nolint:bodyclose // there is none
	require.ErrorIs(t, err, context.DeadlineExceeded)

	for _, f := range []sim.Fault{{Kind: "fire"}, {Kind: sim.FaultBusy, Share: 2}, {Kind: sim.FaultBusy, Path: "[x"}, {Kind: sim.FaultCode}, {Kind: sim.FaultSlow, Ms: 1 << 30}} {
		_, err := k.sim.AddFault(f)
		require.Error(t, err, "%+v", f)
	}
	add(sim.Fault{Kind: sim.FaultBusy, Share: .5})
	bad := 0
	for range 200 {
		if k.raw(http.MethodGet, k.path("department/list"), nil)["errcode"] != float64(0) {
			bad++
		}
	}
	require.InDelta(t, 100, bad, 40, "about half of them")
	k.sim.RemoveFault("")
	k.get("department/list")
}

func TestAWorldIsKept(t *testing.T) {
	k := newKit(t)
	met := k.scan(k.way("w"), k.person("甲"))
	file := filepath.Join(t.TempDir(), "world.json")
	require.NoError(t, k.sim.Save(file))
	again, err := sim.Open(file, sim.Options{Clock: k.clock})
	require.NoError(t, err)
	require.Equal(t, k.corp, again.Access(0))
	phone, err := again.Phone("甲")
	require.NoError(t, err)
	require.Equal(t, "friends", phone.Chats[0].State)
	require.Equal(t, []string{met.External}, phone.Externals)
	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	_, err = sim.Open(file, sim.Options{})
	require.Error(t, err)
}

func TestTheDiaryWakes(t *testing.T) {
	k := newKit(t)
	have := k.sim.Diary(t.Context(), 0)
	last := have[len(have)-1].N
	got := make(chan []sim.Entry, 1)
	go func() { got <- k.sim.Diary(t.Context(), last) }()
	k.person("甲")
	e := <-got
	require.Equal(t, "invent", e[0].Name)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.Empty(t, k.sim.Diary(ctx, e[len(e)-1].N))
}

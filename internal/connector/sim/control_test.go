package sim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector/sim"
)

func jsonBody(t *testing.T, v any) io.Reader {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return bytes.NewReader(b)
}

func (k *kit) control(method, path string, body any) (int, m) {
	k.t.Helper()
	var r io.Reader
	if body != nil {
		r = jsonBody(k.t, body)
	}
	req, err := http.NewRequestWithContext(k.t.Context(), method, k.url+"/sim/"+path, r)
	require.NoError(k.t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(k.t, err)
	defer func() { _ = res.Body.Close() }()
	var out m
	_ = json.NewDecoder(res.Body).Decode(&out) // lists and empty answers are not looked into
	return res.StatusCode, out
}

func TestControl(t *testing.T) {
	k := newKit(t)
	e := k.listen()
	status, world := k.control(http.MethodGet, "world", nil)
	require.Equal(t, 200, status)
	require.Equal(t, k.corp.Secret, world["access"].(m)["secret"])
	way := k.way("w")
	status, done := k.control(http.MethodPost, "act", m{"who": "甲", "does": "invent"})
	require.Equal(t, 200, status)
	who := done["id"].(string)
	status, done = k.control(http.MethodPost, "act", m{"who": who, "does": "scan", "what": k.url + "/sim/qr/" + way + ".png"})
	require.Equal(t, 200, status, done)
	require.Equal(t, "zhiqiu", done["met"].(m)["staff"])
	require.Len(t, k.heard(e), 1)
	for _, step := range []m{{"does": "chat", "who": who, "text": "你好"}, {"does": "reply", "who": "zhiqiu", "with": who, "text": "您好"},
		{"does": "join", "who": who, "what": "山月茶友会 1 群"}, {"does": "leave", "who": who, "what": "山月茶友会 1 群"}, {"does": "ask", "who": who, "text": "几点开门"},
		{"does": "delete", "who": who}} {
		status, out := k.control(http.MethodPost, "act", step)
		require.Equal(t, 200, status, "%v: %v", step, out)
	}
	require.ElementsMatch(t, []string{"change_external_contact.add_external_contact", "change_external_chat.update", "change_external_chat.update", "kf_msg_or_event", "change_external_contact.del_follow_user"}, k.heard(e))
	_, phone := k.control(http.MethodGet, "phone/"+who, nil)
	require.Len(t, phone["chats"], 3)

	for _, c := range []struct {
		body m
		want int
	}{{m{"does": "fly"}, 422}, {m{"does": "scan", "who": "nobody", "what": way}, 404}, {m{"does": "scan", "who": who, "what": "x"}, 404}, {m{"does": "chat", "who": who, "with": "zhiqiu", "text": "x"}, 409},
		{m{"does": "confirm", "who": "zhiqiu"}, 409}, {m{"does": "open", "who": who, "what": "file:///etc/passwd"}, 422}, {m{"does": "open", "who": who, "what": "http://127.0.0.1:1/"}, 409}} {
		status, out := k.control(http.MethodPost, "act", c.body)
		require.Equal(t, c.want, status, "%v: %v", c.body, out)
		require.NotEmpty(t, out["code"])
	}
	status, _ = k.control(http.MethodPost, "faults", m{"kind": "busy"})
	require.Equal(t, 200, status)
	k.no(-1, http.MethodGet, "department/list", nil)
	status, _ = k.control(http.MethodDelete, "faults/", nil)
	require.Equal(t, 204, status)
	k.get("department/list")
	status, _ = k.control(http.MethodGet, "nothing", nil)
	require.Equal(t, 404, status)
	res, err := http.Post(k.url+"/sim/act", "text/plain", strings.NewReader(`{"does":"invent"}`)) //nolint:noctx // a test
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusUnsupportedMediaType, res.StatusCode, "a form of a page elsewhere cannot move the world")
}

func TestPictures(t *testing.T) {
	k := newKit(t)
	for path, kind := range map[string]string{"qr/abc.png": "image/png", "avatar/" + k.sim.People("", 1)[0].ID + ".svg": "image/svg+xml", "avatar/<x>.svg": "image/svg+xml"} {
		res, err := http.Get(k.url + "/sim/" + path) //nolint:noctx // a test
		require.NoError(t, err)
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, kind, res.Header.Get("Content-Type"))
		require.NotEmpty(t, b)
	}
	require.Contains(t, string(sim.Avatar("a", `<script>`)), "&lt;", "names are escaped")
}

const scenario = `
- {at: 0s, who: 甲, does: scan, what: WAY}
- {at: +1ms, who: 甲, does: chat, text: 你好}
- {who: 甲, does: open, what: LINK}
- fault: {kind: busy, left: 1}
- {at: 5ms, who: 甲, does: delete}
- {who: 甲, does: delete}
`

func TestScenario(t *testing.T) {
	k := newKit(t)
	e := k.listen()
	var agent string
	site := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { agent = r.UserAgent() }))
	t.Cleanup(site.Close)
	k.person("甲")
	steps, err := sim.ParseScenario([]byte(strings.NewReplacer("WAY", k.way("w"), "LINK", site.URL).Replace(scenario)))
	require.NoError(t, err)
	var told []string
	require.NoError(t, k.sim.Play(t.Context(), steps, func(_ int, st sim.Step, _ sim.Done, err error) {
		if err != nil {
			told = append(told, st.Does+": "+err.Error())
		}
	}))
	require.Equal(t, []string{"delete: sim.not_friends"}, told, "what is refused is told, and it goes on")
	require.Contains(t, agent, "MicroMessenger")
	require.Equal(t, []string{"change_external_contact.add_external_contact", "change_external_contact.del_follow_user"}, k.heard(e))
	k.no(-1, http.MethodGet, "department/list", nil)

	lines, err := sim.ParseScenario([]byte(`{"at":"1s","who":"甲","does":"scan","what":"x"}` + "\n\n" + `{"at":"+1m","who":"甲","does":"delete"}`))
	require.NoError(t, err)
	require.Len(t, lines, 2)
	for bad, want := range map[string]string{
		`[{"who": 1`:               "read the scenario",
		`- {does: fly}`:            `nobody can "fly"`,
		`- {does: scan, wat: x}`:   "wat",
		`- {at: soon, does: scan}`: "is no time",
		"- {at: 2s, does: chat}\n- {at: 1s, does: chat}": "before the step above",
		`- {does: chat, fault: {kind: busy}}`:            "not both",
		`{"does":"scan","extra":1}`:                      "line 1",
		`{"does":"scan"} x`:                              "line 1",
	} {
		_, err := sim.ParseScenario([]byte(bad))
		require.ErrorContains(t, err, want, bad)
	}
}

func FuzzScenario(f *testing.F) {
	f.Add([]byte(scenario))
	f.Add([]byte(`{"at":"1s","who":"甲","does":"scan","what":"x"}`))
	f.Add([]byte("- &a [*a]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		steps, err := sim.ParseScenario(b)
		if err == nil {
			for i, s := range steps {
				if s.Does == "" && s.Fault == nil {
					t.Fatalf("step %d does nothing", i)
				}
			}
		}
	})
}

func FuzzControl(f *testing.F) {
	for _, c := range []string{`{"does":"scan","who":"甲","what":"x"}`, `{"kind":"busy","path":"[","share":-1}`, `{"does":"join","what":"","who":""}`, `{"does":"quit","who":"zhiqiu"}`, `{"does":"hire","what":"x"}`} {
		f.Add("act", []byte(c))
		f.Add("faults", []byte(c))
	}
	f.Add("phone/x", []byte(nil))
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		s := sim.New(sim.Options{Seed: 1, People: 2, HTTP: &http.Client{Timeout: time.Millisecond}})
		defer s.Close()
		r := &http.Request{Method: http.MethodPost, URL: &url.URL{}, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), Host: "x"}
		r.URL.Path = "/sim/" + path
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r.WithContext(t.Context()))
		if w.Code >= 500 {
			t.Fatalf("%s %q answered %d: %s", path, body, w.Code, w.Body)
		}
	})
}

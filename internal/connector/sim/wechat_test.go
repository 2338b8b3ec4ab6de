package sim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector/sim"
)

// wx is a client of one of the world's apps.
type wx struct {
	*kit
	app   sim.AppAccess
	token string
}

func newWX(t *testing.T, kind string) *wx {
	k := &wx{kit: newKit(t)}
	for _, a := range k.sim.AppAccess() {
		if a.Kind == kind {
			k.app = a
		}
	}
	k.token = k.signInWX(false)["access_token"].(string)
	return k
}

func (k *wx) signInWX(force bool) m {
	k.t.Helper()
	return k.raw(http.MethodPost, "/wechat/cgi-bin/stable_token", m{"grant_type": "client_credential", "appid": k.app.AppID, "secret": k.app.Secret, "force_refresh": force})
}

// ask makes a call and wants a code.
func (k *wx) ask(code int, method, api string, body any) m {
	k.t.Helper()
	sep := "?"
	if strings.Contains(api, "?") {
		sep = "&"
	}
	out := k.raw(method, "/wechat/"+api+sep+"access_token="+k.token, body)
	got := 0
	if n, ok := out["errcode"].(float64); ok {
		got = int(n)
	}
	require.Equal(k.t, code, got, "%s %v: %v", api, body, out)
	return out
}

func TestWeChatTokens(t *testing.T) {
	k := newWX(t, sim.AppOfficial)
	post := func(id, secret string) any {
		return k.raw(http.MethodPost, "/wechat/cgi-bin/stable_token", m{"grant_type": "client_credential", "appid": id, "secret": secret})["errcode"]
	}
	require.EqualValues(t, 40013, post("wx0000", k.app.Secret))
	require.EqualValues(t, 40125, post(k.app.AppID, "other"))
	require.Equal(t, k.token, k.signInWX(false)["access_token"], "the living one, whoever asks")
	other := k.signInWX(true)["access_token"].(string)
	require.NotEqual(t, k.token, other)
	k.ask(42001, http.MethodGet, "cgi-bin/menu/get", nil)
	require.EqualValues(t, 45011, k.signInWX(true)["errcode"], "30 seconds apart")
	for range 19 {
		k.clock.Advance(31 * time.Second)
		require.Nil(t, k.signInWX(true)["errcode"])
	}
	k.clock.Advance(31 * time.Second)
	require.EqualValues(t, 45009, k.signInWX(true)["errcode"], "twenty a day")
	k.token = "made-up"
	k.ask(40014, http.MethodGet, "cgi-bin/menu/get", nil)
}

// What the platform would not take of menus, codes and messages.
func TestWeChatRefuses(t *testing.T) {
	k := newWX(t, sim.AppOfficial)
	click := m{"type": "click", "name": "新品", "key": "NEW"}
	menu := func(b ...m) m { return m{"button": b} }
	for code, body := range map[int]m{
		40016: menu(), 40018: menu(m{"type": "click", "name": "一二三四五六", "key": "a"}), 40019: menu(m{"type": "click", "name": "a"}), 40015: menu(m{"type": "dance", "name": "a"}),
		40020: menu(m{"type": "view", "name": "a"}), 40055: menu(m{"type": "view", "name": "a", "url": "ftp://x"}), 40166: menu(m{"type": "miniprogram", "name": "a", "url": "https://x", "appid": "wxother", "pagepath": "p"}),
		40023: menu(m{"name": "a", "sub_button": []m{click, click, click, click, click, click}}), 40024: menu(m{"name": "a", "sub_button": []m{{"name": "b", "sub_button": []m{click}}}}),
	} {
		k.ask(code, http.MethodPost, "cgi-bin/menu/create", body)
	}
	k.ask(46003, http.MethodGet, "cgi-bin/menu/get", nil)
	k.ask(0, http.MethodPost, "cgi-bin/menu/create", menu(click))
	k.ask(0, http.MethodGet, "cgi-bin/menu/delete", nil)
	scene := func(action, text string, life int) m {
		return m{"action_name": action, "expire_seconds": life, "action_info": m{"scene": m{"scene_str": text}}}
	}
	k.ask(40053, http.MethodPost, "cgi-bin/qrcode/create", scene("QR_STR_SCENE", "", 60))
	k.ask(40053, http.MethodPost, "cgi-bin/qrcode/create", scene("QR_STR_SCENE", strings.Repeat("a", 65), 60))
	k.ask(40035, http.MethodPost, "cgi-bin/qrcode/create", scene("QR_STR_SCENE", "a", 31*24*3600))
	one := k.ask(0, http.MethodPost, "cgi-bin/qrcode/create", scene("QR_STR_SCENE", "a", 60))
	who := k.person("沈小满")
	_, err := k.sim.Scan(one["ticket"].(string), who)
	require.NoError(t, err)
	k.clock.Advance(2 * time.Minute)
	_, err = k.sim.Scan(one["ticket"].(string), who)
	require.Error(t, err, "it is over")
	k.ask(44002, http.MethodPost, "cgi-bin/message/custom/send", nil)
	k.ask(40003, http.MethodPost, "cgi-bin/message/custom/send", m{"touser": "nobody", "msgtype": "text", "text": m{"content": "x"}})
	k.ask(43002, http.MethodGet, "cgi-bin/message/custom/send", nil)
	k.ask(48001, http.MethodPost, "wxa/generate_urllink", m{})
	k.ask(48001, http.MethodPost, "wxa/getwxacodeunlimit", m{"scene": "a"})
	k.ask(40013, http.MethodPost, "cgi-bin/clear_quota", m{"appid": "other"})
	for range 10 {
		k.ask(0, http.MethodPost, "cgi-bin/clear_quota", m{"appid": k.app.AppID})
	}
	k.ask(48006, http.MethodPost, "cgi-bin/clear_quota", m{"appid": k.app.AppID})
	k.ask(45066, http.MethodPost, "cgi-bin/message/mass/sendall", m{"filter": m{"is_to_all": true}, "msgtype": "text", "text": m{"content": "x"}, "clientmsgid": strings.Repeat("a", 65)})
	k.ask(40130, http.MethodPost, "cgi-bin/message/mass/send", m{"touser": []string{"one"}, "msgtype": "text", "text": m{"content": "x"}})
}

// The mini-program logs in at the company's server, gives the number there, and hears
// when that is refused.
func TestMiniProgramLogsIn(t *testing.T) {
	k := newWX(t, sim.AppMini)
	who := k.person("沈小满")
	var got []map[string]string
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		in := map[string]string{"path": r.URL.Path}
		_ = json.NewDecoder(bytes.NewReader(raw)).Decode(&in)
		got = append(got, in)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"session":"s1","phone":"139****0000"}`)
	}))
	t.Cleanup(server.Close)
	require.NoError(t, k.sim.SetBackend("", server.URL+"/api/wechat/a1"))
	_, err := k.sim.Do(t.Context(), sim.Act{Who: who, Does: "phone"})
	require.Error(t, err, "not logged in")
	d, err := k.sim.Do(t.Context(), sim.Act{Who: who, Does: "launch"})
	require.NoError(t, err)
	require.Equal(t, 200, d.Status)
	_, err = k.sim.Do(t.Context(), sim.Act{Who: who, Does: "phone"})
	require.NoError(t, err)
	require.Equal(t, []string{"/api/wechat/a1/login", "/api/wechat/a1/phone", "s1"}, []string{got[0]["path"], got[1]["path"], got[1]["session"]})
	session := func(code string) m {
		return k.raw(http.MethodGet, "/wechat/sns/jscode2session?appid="+k.app.AppID+"&secret="+k.app.Secret+"&grant_type=authorization_code&js_code="+code, nil)
	}
	out := session(got[0]["code"])
	require.NotEmpty(t, out["openid"])
	require.NotEmpty(t, out["session_key"])
	require.EqualValues(t, 40163, session(got[0]["code"])["errcode"])
	require.EqualValues(t, 40029, session("made-up")["errcode"])
	require.EqualValues(t, 41008, session("")["errcode"])
	k.clock.Advance(6 * time.Minute)
	require.EqualValues(t, 40029, k.ask(40029, http.MethodPost, "wxa/business/getuserphonenumber", m{"code": got[1]["code"]})["errcode"], "five minutes are over")
	status = http.StatusBadRequest
	d, err = k.sim.Do(t.Context(), sim.Act{Who: who, Does: "launch"})
	require.NoError(t, err)
	require.Equal(t, 400, d.Status)
}

// Codes of mini-programs: what the platform draws, refuses, and how often it is asked.
func TestMiniProgramCodes(t *testing.T) {
	k := newWX(t, sim.AppMini)
	for _, bad := range []struct {
		code int
		body m
	}{
		{40129, m{}}, {40129, m{"scene": strings.Repeat("a", 33)}}, {40129, m{"scene": "茶"}}, {40129, m{"scene": "a%b"}}, {40097, m{"scene": "a", "env_version": "beta"}},
		{41030, m{"scene": "a", "page": "/pages/index/index"}}, {41030, m{"scene": "a", "page": "pages/index/index?a=1", "check_path": false}}, {41030, m{"scene": "a", "page": "pages/none"}},
	} {
		k.ask(bad.code, http.MethodPost, "wxa/getwxacodeunlimit", bad.body)
	}
	draw := func(body m) *httptest.ResponseRecorder {
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		w := httptest.NewRecorder()
		k.sim.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/wechat/wxa/getwxacodeunlimit?access_token="+k.token, bytes.NewReader(raw)))
		return w
	}
	for _, body := range []m{{"scene": "koi-m-1", "page": "pages/shop/index", "width": 1280}, {"scene": "koi-m-1", "page": "pages/shop/index"}, {"scene": "b", "page": "pages/none", "check_path": false}} {
		w := draw(body)
		require.Equal(t, "image/png", w.Header().Get("Content-Type"), w.Body.String())
		require.Equal(t, "image/png", http.DetectContentType(w.Body.Bytes()))
	}
	var codes []sim.CodeView
	for _, a := range k.sim.Apps() {
		if a.Kind == sim.AppMini {
			codes = a.Codes
		}
	}
	require.Len(t, codes, 2, "the same text and page are one code")
	k.clock.Advance(time.Minute)
	for range 5000 {
		k.ask(40129, http.MethodPost, "wxa/getwxacodeunlimit", m{})
	}
	k.ask(45009, http.MethodPost, "wxa/getwxacodeunlimit", m{"scene": "a"})
	k.clock.Advance(time.Minute)
	require.Equal(t, http.StatusOK, draw(m{"scene": "a"}).Code)
}

// A code opens the mini-program, which says so with its session, and logs in when it
// has none or that is over; what the server answers shows on the phone.
func TestMiniProgramIsOpenedByACode(t *testing.T) {
	k := newWX(t, sim.AppMini)
	who := k.person("沈小满")
	var got []string
	over := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in map[string]string
		_ = json.NewDecoder(r.Body).Decode(&in) // what is none has no scene, and that is seen below
		got = append(got, path.Base(r.URL.Path)+" "+in["scene"])
		if over && path.Base(r.URL.Path) == "launch" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, `{"session":"s1","scan":{"first":true,"gift":"COUPON20"}}`)
	}))
	t.Cleanup(server.Close)
	require.NoError(t, k.sim.SetBackend("", server.URL+"/api/wechat/a1"))
	raw, err := json.Marshal(m{"scene": "koi-m-1"})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	k.sim.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/wechat/wxa/getwxacodeunlimit?access_token="+k.token, bytes.NewReader(raw)))
	var code string
	for _, a := range k.sim.Apps() {
		if a.Kind == sim.AppMini {
			code = a.Codes[0].ID
		}
	}
	scan := func() {
		d, err := k.sim.Do(t.Context(), sim.Act{Who: who, Does: "scan", What: code})
		require.NoError(t, err)
		require.Equal(t, []any{"koi-m-1", k.app.AppID}, []any{d.Met.State, d.Met.App})
	}
	scan()
	scan()
	over = true
	scan()
	require.Equal(t, []string{"login koi-m-1", "launch koi-m-1", "launch koi-m-1", "login koi-m-1"}, got)
	ph, err := k.sim.Phone(who)
	require.NoError(t, err)
	n := 0
	for _, l := range ph.Chats[0].Lines {
		if l.Text == "COUPON20" {
			n++
		}
	}
	require.Equal(t, 3, n)
}

// A world that is kept has its followers, menu and codes again, and one of an older
// file gets an official account and a mini-program.
func TestAppsAreKept(t *testing.T) {
	k := newWX(t, sim.AppOfficial)
	who := k.person("沈小满")
	require.NoError(t, k.sim.Follow(who, ""))
	k.ask(0, http.MethodPost, "cgi-bin/menu/create", m{"button": []m{{"type": "click", "name": "新品", "key": "NEW"}}})
	file := filepath.Join(t.TempDir(), "world.json")
	require.NoError(t, k.sim.Save(file))
	again, err := sim.Open(file, sim.Options{})
	require.NoError(t, err)
	t.Cleanup(again.Close)
	ph, err := again.Phone(who)
	require.NoError(t, err)
	require.Equal(t, "account", ph.Chats[0].Kind)
	require.Equal(t, "open", ph.Chats[0].State)
	require.Equal(t, "新品", ph.Chats[0].App.Buttons[0].Name)
	require.Equal(t, k.sim.AppAccess(), again.AppAccess())
}

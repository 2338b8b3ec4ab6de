package wechat_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// A mini-program's code is a picture; what the platform would refuse is told before the
// call, and what only it knows by its own words.
func TestMiniProgramCodes(t *testing.T) {
	s := newSim(t)
	c := testkit.Clock()
	p := newProgram(t, s, c)
	m := p.mini(p.add(sim.AppMini, "safe"))
	pic, err := m.CreateMiniCode(p.ctx, wechat.MiniCode{Scene: "koi-m-1", Page: "pages/shop/index", Check: true, Width: 1280})
	require.NoError(t, err)
	require.Equal(t, "image/png", pic.Mime)
	require.Equal(t, "image/png", http.DetectContentType(pic.Data))
	before := s.calls.Load()
	for want, bad := range map[string]wechat.MiniCode{
		"scene request.field_required": {},
		"scene wechat.bad_scene_text":  {Scene: strings.Repeat("a", 33)},
		"page wechat.no_page":          {Scene: "a", Page: "/pages/shop/index"},
		"env wechat.bad_env":           {Scene: "a", Env: "beta"},
		"width request.too_big":        {Scene: "a", Width: 1281},
	} {
		_, err := m.CreateMiniCode(p.ctx, bad)
		f := errs.As(err).Fields
		require.Len(t, f, 1, want)
		require.Equal(t, want, f[0].Path+" "+f[0].Code)
	}
	for _, text := range []string{"茶", "a b", "a%", `a"`} {
		require.False(t, wechat.IsScene(text), text)
	}
	require.True(t, wechat.IsScene("aZ9!#$&'()*+,/:;=?@-._~"))
	require.Equal(t, before, s.calls.Load(), "nothing left")
	_, err = m.CreateMiniCode(p.ctx, wechat.MiniCode{Scene: "a", Page: "pages/none", Check: true})
	require.Equal(t, 41030, wechat.CodeOf(err))
	require.Equal(t, "wechat.bad_page", errs.CodeOf(err))
	_, err = m.CreateMiniCode(p.ctx, wechat.MiniCode{Scene: "a", Page: "pages/none"})
	require.NoError(t, err, "it is wanted although there is no such page yet")

	// Too often is of the minute here, although the number is that of a day.
	s.fault(sim.Fault{Kind: sim.FaultCode, Path: "wxa/getwxacodeunlimit", Code: 45009, Left: 1})
	_, err = m.CreateMiniCode(p.ctx, wechat.MiniCode{Scene: "a"})
	require.Equal(t, "wechat.too_often", errs.CodeOf(err))
	var later *connector.Later
	require.ErrorAs(t, err, &later)
	require.LessOrEqual(t, later.Until.Sub(c.Now()), time.Minute)
	c.Advance(time.Minute)
	_, err = m.CreateMiniCode(p.ctx, wechat.MiniCode{Scene: "a"})
	require.NoError(t, err)
}

// An answer that is neither a picture nor a refusal is no code.
func TestAMiniProgramCodeThatIsNone(t *testing.T) {
	s := newSim(t)
	p := newProgram(t, s, clock.System{})
	strange := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "stable_token") {
			_, _ = w.Write([]byte(`{"access_token":"t","expires_in":7200}`))
			return
		}
		_, _ = w.Write([]byte(`{"errcode":0}`))
	}))
	t.Cleanup(strange.Close)
	in := s.account(sim.AppMini, "safe")
	in.Settings[connector.SettingBase] = strange.URL
	v, err := p.Create(p.ctx, in)
	require.NoError(t, err)
	_, err = p.mini(v.ID).CreateMiniCode(p.ctx, wechat.MiniCode{Scene: "a"})
	require.Equal(t, "wechat.unreachable", errs.CodeOf(err))
}

// Whoever comes by a code is told of once: at the login, and while the session lives.
func TestLaunchesByACode(t *testing.T) {
	s := newSim(t)
	p := newProgram(t, s, clock.System{})
	id := p.add(sim.AppMini, "safe")
	p.signIn.Scanned = func(_ context.Context, account, scene, person, messageID string) *wechat.Scan {
		require.Equal(t, id, account)
		require.NotEmpty(t, messageID)
		if scene != "koi-m-1" {
			return nil
		}
		return &wechat.Scan{Code: "sc_1", First: person != "", Gift: "COUPON20"}
	}
	code := p.do(sim.Act{Who: s.person("辛").ID, Does: "launch"}).ID
	_, err := p.signIn.Login(p.ctx, id, wechat.LoginInput{Code: code, Scene: "a b"})
	require.Equal(t, "wechat.bad_scene_text", errs.As(err).Fields[0].Code)
	login, err := p.signIn.Login(p.ctx, id, wechat.LoginInput{Code: code, Scene: "koi-m-1", AnonymousID: "d1"})
	require.NoError(t, err, "the code was not spent on a scene that is none")
	require.Equal(t, &wechat.Scan{Code: "sc_1", First: true, Gift: "COUPON20"}, login.Scan)
	for range 2 { // a lost answer: it is said again
		scan, err := p.signIn.Launch(p.ctx, id, wechat.LaunchInput{Session: login.Session, Scene: "koi-m-1", ID: "launch-7"})
		require.NoError(t, err)
		require.Equal(t, "sc_1", scan.Code)
	}
	scan, err := p.signIn.Launch(p.ctx, id, wechat.LaunchInput{Session: login.Session, Scene: "somebody-elses"})
	require.NoError(t, err)
	require.Nil(t, scan)
	_, err = p.signIn.Launch(p.ctx, id, wechat.LaunchInput{Session: login.Session + "x", Scene: "koi-m-1"})
	require.Equal(t, "wechat.session_over", errs.CodeOf(err))
	facts := p.stream.of(event.NameCodeScanned)
	require.Len(t, facts, 3)
	for _, f := range facts {
		require.Equal(t, login.OpenID, idOf(f, "openid"))
		require.Equal(t, wechat.SourceMini, f.Source)
		require.Equal(t, id, properties(t, f)["account"])
	}
	require.Equal(t, "koi-m-1", properties(t, facts[0])["state"])
	require.Equal(t, "d1", facts[0].AnonymousID)
}

// A follower lets the official account know where they are, to about a kilometre.
func TestLocation(t *testing.T) {
	s := newSim(t)
	p := newProgram(t, s, clock.System{})
	p.add(sim.AppOfficial, "safe")
	who := s.person("壬").ID
	_, err := s.Do(p.ctx, sim.Act{Who: who, Does: "locate", What: "30.2537,120.1607"})
	require.Equal(t, "sim.no_follower", errs.CodeOf(err))
	p.do(sim.Act{Who: who, Does: "follow"})
	_, err = s.Do(p.ctx, sim.Act{Who: who, Does: "locate", What: "91,0"})
	require.Equal(t, "sim.no_place", errs.As(err).Fields[0].Code)
	p.do(sim.Act{Who: who, Does: "locate", What: "30.2537,120.1607"})
	p.do(sim.Act{Who: who, Does: "locate", What: p.chat(who, "account").App.Places[1]})
	facts := p.stream.of(event.NameLocationReported)
	require.Len(t, facts, 2)
	require.Equal(t, []any{30.25, 120.16}, []any{properties(t, facts[0])["latitude"], properties(t, facts[0])["longitude"]})
	require.Equal(t, 121.49, properties(t, facts[1])["longitude"])
}

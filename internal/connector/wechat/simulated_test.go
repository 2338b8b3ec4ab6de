package wechat_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

func properties(t *testing.T, f event.Fact) map[string]any {
	t.Helper()
	out := map[string]any{}
	require.NoError(t, json.Unmarshal(f.Properties, &out))
	return out
}

// A scan on the street becomes a follower who is known by the same unionid as the
// friend in WeCom and the user of the mini-program.
func TestOnePersonEverywhere(t *testing.T) {
	s := newSim(t)
	p := newProgram(t, s, clock.System{})
	a := s.Access(0)
	v, err := p.Create(p.ctx, connector.Input{Kind: wecom.Name, Name: "锦池茶业", Settings: map[string]string{"corpId": a.CorpID, "agentId": "1000002", connector.SettingBase: s.url + "/wecom"},
		Secrets: map[string]string{"secret": a.Secret, "token": a.Token, "aesKey": a.AESKey}})
	require.NoError(t, err)
	require.NoError(t, s.SetCallback(p.ctx, a.CorpID, a.AgentID, p.server.URL+connector.HookPath(wecom.Name, v.ID), a.Token, a.AESKey))
	id := p.add(sim.AppOfficial, "safe")
	who := s.person("沈小满")

	p.do(sim.Act{Who: who.ID, Does: "scan", What: "user:zhiqiu"})
	p.do(sim.Act{Who: "zhiqiu", Does: "accept", With: who.ID})
	friend := p.stream.of(event.NameFriendKnown)
	require.NotEmpty(t, friend)
	require.Equal(t, who.UnionID, idOf(friend[len(friend)-1], "unionid"))

	made, err := p.official(id).CreateSceneCode(p.ctx, wechat.SceneCode{Scene: "hubin-store", Lasting: true})
	require.NoError(t, err)
	require.Zero(t, made.Until)
	p.do(sim.Act{Who: who.ID, Does: "scan", What: made.URL})
	follow := p.stream.of(event.NameAccountFollowed)
	require.Len(t, follow, 1)
	require.Equal(t, who.UnionID, idOf(follow[0], "unionid"), "the follower is the friend")
	require.Equal(t, map[string]any{"account": id, "state": "hubin-store"}, properties(t, follow[0]))
	scan := p.stream.of(event.NameCodeScanned)
	require.Len(t, scan, 1)
	require.Equal(t, map[string]any{"account": id, "state": "hubin-store", "follow": true}, properties(t, scan[0]))
	p.do(sim.Act{Who: who.ID, Does: "scan", What: made.Ticket})
	require.Len(t, p.stream.of(event.NameCodeScanned), 2)
	require.Len(t, p.stream.of(event.NameAccountFollowed), 1, "they follow already")

	mini := p.add(sim.AppMini, "safe")
	require.NoError(t, s.SetBackend("", ""))
	code := p.do(sim.Act{Who: who.ID, Does: "launch"}).ID
	login, err := p.signIn.Login(p.ctx, mini, wechat.LoginInput{Code: code, AnonymousID: "device-1"})
	require.NoError(t, err)
	in := p.stream.of(event.NameAccountSignedIn)
	require.Len(t, in, 1)
	require.Equal(t, []string{who.UnionID, login.OpenID, "device-1"}, []string{idOf(in[0], "unionid"), idOf(in[0], "openid"), in[0].AnonymousID})
	require.NotEqual(t, idOf(follow[0], "openid"), login.OpenID, "every app has its own name for them")
	raw, err := json.Marshal(login)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "session_key")

	p.do(sim.Act{Who: who.ID, Does: "unfollow"})
	require.Len(t, p.stream.of(event.NameAccountUnfollowed), 1)
}

// Each callback is a fact once, whatever goes wrong on the way.
func TestFactsOnce(t *testing.T) {
	s := newSim(t)
	p := newProgram(t, s, clock.System{})
	p.add(sim.AppOfficial, "plain")
	who := s.person("甲")
	s.fault(sim.Fault{Kind: sim.FaultTwice})
	s.fault(sim.Fault{Kind: sim.FaultForged, Left: 2})
	s.fault(sim.Fault{Kind: sim.FaultBusy, Path: "user/info", Left: 2})
	p.do(sim.Act{Who: who.ID, Does: "follow"})
	p.do(sim.Act{Who: who.ID, Does: "ask", With: s.access(sim.AppOfficial).AppID, Text: "有桂花乌龙吗？"})
	require.Equal(t, []string{event.NameAccountFollowed, event.NameMessageReceived}, p.stream.names())
	word := p.stream.of(event.NameMessageReceived)[0]
	require.Equal(t, "有桂花乌龙吗？", properties(t, word)["text"])
	require.Equal(t, who.UnionID, idOf(word, "unionid"))
}

// Without the unionid a follow is told at once, and the unionid later.
func TestUnionIDComesLater(t *testing.T) {
	s := newSim(t)
	p := newProgram(t, s, clock.System{})
	id := p.add(sim.AppOfficial, "safe")
	who := s.person("乙")
	f, err := s.AddFault(sim.Fault{Kind: sim.FaultRate, Path: "user/info"})
	require.NoError(t, err)
	_, err = s.Do(p.ctx, sim.Act{Who: who.ID, Does: "follow"})
	require.NoError(t, err)
	require.NoError(t, s.Settle(p.ctx))
	require.NoError(t, p.Work(p.ctx))
	follow := p.stream.of(event.NameAccountFollowed)
	require.Len(t, follow, 1)
	require.Empty(t, idOf(follow[0], "unionid"))
	s.RemoveFault(f.ID)
	told := &wechat.Facts{Conn: p.Conn, Ingest: p.stream}
	account, err := p.Get(p.ctx, id)
	require.NoError(t, err)
	in := connector.Incoming{Key: "k", Name: wechat.EventSubscribe, Try: 2, At: time.Now(), Body: []byte(told2(idOf(follow[0], "openid")))}
	require.NoError(t, told.Handlers(wechat.Name)[wechat.EventSubscribe](p.ctx, account.Account, in))
	known := p.stream.of(event.NameFollowerKnown)
	require.Len(t, known, 1)
	require.Equal(t, who.UnionID, idOf(known[0], "unionid"))
}

func told2(openid string) string { return strings.Replace(told("subscribe"), "o1", openid, 1) }

// What is answered from memory is on the phone, encrypted or not.
func TestPassiveReplies(t *testing.T) {
	for _, mode := range []string{"safe", "plain"} {
		s := newSim(t)
		p := newProgram(t, s, clock.System{})
		id := p.add(sim.AppOfficial, mode)
		p.Reply(wechat.Name, func(_ context.Context, a connector.Account, in connector.Incoming) *connector.Message {
			e, err := wechat.ParseEvent(in.Body)
			switch {
			case err != nil || a.ID != id:
				return nil
			case e.Name == wechat.EventSubscribe:
				return &connector.Message{Form: wechat.FormText, Text: "欢迎来到山月茶集"}
			case e.Text == "门店":
				return &connector.Message{Form: wechat.FormLink, Title: "门店地图", Text: "二十家", URL: "https://koi.example/map?a=1&b=2"}
			case e.Text == "坏":
				return &connector.Message{Form: wechat.FormImage, Media: "gone"}
			}
			return nil
		})
		who, app := s.person("丙"), s.access(sim.AppOfficial).AppID
		p.do(sim.Act{Who: who.ID, Does: "follow"})
		for _, text := range []string{"门店", "别的", "坏"} {
			p.do(sim.Act{Who: who.ID, Does: "ask", With: app, Text: text})
		}
		var got []string
		for _, l := range p.chat(who.ID, "account").Lines {
			got = append(got, l.From+" "+l.Kind+" "+l.Text+l.Title)
		}
		require.Equal(t, []string{"system note followed", "them text 欢迎来到山月茶集", "me text 门店", "them link 二十家门店地图", "me text 别的", "me text 坏", "system note service_fault"}, got, mode)
	}
}

// Five messages in 48 hours after a word, three in a minute after a follow: counted
// here when it is said what is answered, and by the platform in any case.
func TestWindows(t *testing.T) {
	c := clock.NewFake(time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC))
	s := newSim(t, func(o *sim.Options) { o.Clock = c })
	p := newProgram(t, s, c)
	id := p.add(sim.AppOfficial, "safe")
	o := p.official(id)
	who, app := s.person("丁"), s.access(sim.AppOfficial).AppID
	hi := connector.Message{Form: wechat.FormText, Text: "您好"}
	send := func(answers connector.Incoming) int {
		t.Helper()
		err := o.SendCustomerService(p.ctx, openOf(t, s, who.ID), hi, answers)
		if err != nil {
			require.True(t, connector.GivenUp(err), "%v", err)
		}
		return wechat.CodeOf(err)
	}
	many := func(n int, answers connector.Incoming) (last int) {
		for range n {
			require.Zero(t, send(answers))
		}
		return send(answers)
	}
	p.do(sim.Act{Who: who.ID, Does: "follow"})
	require.Equal(t, 45047, many(3, connector.Incoming{}), "three after a follow")
	c.Advance(2 * time.Minute)
	require.Equal(t, 45015, send(connector.Incoming{}), "in a minute")

	p.do(sim.Act{Who: who.ID, Does: "ask", With: app, Text: "在吗"})
	require.Equal(t, 45047, many(5, connector.Incoming{}), "five after a word")
	c.Advance(49 * time.Hour)
	require.Equal(t, 45015, send(connector.Incoming{}), "in 48 hours")

	var word connector.Incoming
	p.On(wechat.Name, "message.*", func(_ context.Context, _ connector.Account, in connector.Incoming) error { word = in; return nil })
	p.do(sim.Act{Who: who.ID, Does: "ask", With: app, Text: "还在吗"})
	before := s.calls.Load()
	require.Equal(t, 45047, many(5, word))
	require.Equal(t, before+5, s.calls.Load(), "the sixth did not leave")
	p.do(sim.Act{Who: who.ID, Does: "ask", With: app, Text: "喂"})
	require.Zero(t, send(word), "that is another word")
	c.Advance(49 * time.Hour)
	before = s.calls.Load()
	require.Equal(t, 45015, send(word))
	require.Equal(t, before, s.calls.Load(), "too late, and known here")

	p.do(sim.Act{Who: who.ID, Does: "unfollow"})
	require.Equal(t, 45015, send(connector.Incoming{}))
}

func openOf(t *testing.T, s *simulated, who string) string {
	t.Helper()
	ph, err := s.Phone(who)
	require.NoError(t, err)
	return ph.Externals[len(ph.Externals)-1]
}

// What this package sends is what the platform takes, call by call, and what it
// refuses is told in our words.
func TestAgainstTheSimulator(t *testing.T) {
	s := newSim(t)
	p := newProgram(t, s, clock.System{})
	id := p.add(sim.AppOfficial, "safe")
	o, ctx, app := p.official(id), p.ctx, s.access(sim.AppOfficial).AppID
	who := s.person("戊")
	p.do(sim.Act{Who: who.ID, Does: "follow"})
	open := openOf(t, s, who.ID)

	_, have, err := o.GetMenu(ctx)
	require.NoError(t, err)
	require.False(t, have)
	menu := wechat.Menu{Buttons: []wechat.Button{{Name: "新品", Type: wechat.ButtonClick, Key: "NEW"}, {Name: "更多", Sub: []wechat.Button{
		{Name: "门店", Type: wechat.ButtonView, URL: p.server.URL + "/map?a=1&b=2"}, {Name: "商城", Type: wechat.ButtonMini, AppID: s.access(sim.AppMini).AppID, Page: "pages/index", URL: "https://koi.example"}}}}}
	require.NoError(t, o.CreateMenu(ctx, menu))
	got, have, err := o.GetMenu(ctx)
	require.NoError(t, err)
	require.True(t, have)
	require.Equal(t, menu, got)
	p.do(sim.Act{Who: who.ID, Does: "press", What: "NEW"})
	p.do(sim.Act{Who: who.ID, Does: "press", What: "1.0"})
	clicks := p.stream.of(event.NameMenuClicked)
	require.Len(t, clicks, 2)
	require.Equal(t, "NEW", properties(t, clicks[0])["key"])
	require.Equal(t, p.server.URL+"/map?a=1&b=2", properties(t, clicks[1])["url"])
	require.NoError(t, o.DeleteMenu(ctx))

	code, err := o.CreateSceneCode(ctx, wechat.SceneCode{Scene: "fair", For: 30 * 24 * time.Hour})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(30*24*time.Hour), code.Until, time.Minute)
	res, err := http.Get(code.Picture) //nolint:noctx // a test
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "image/png", res.Header.Get("Content-Type"))

	person, err := o.Person(ctx, open)
	require.NoError(t, err)
	require.Equal(t, []any{1, who.UnionID, "ADD_SCENE_SEARCH"}, []any{person.Follows, person.UnionID, person.From})
	list, next, total, err := o.Followers(ctx, "")
	require.NoError(t, err)
	require.Len(t, list, total)
	require.Contains(t, list, open)
	list, _, _, err = o.Followers(ctx, next)
	require.NoError(t, err)
	require.Empty(t, list)
	people, err := o.People(ctx, []string{open})
	require.NoError(t, err)
	require.Equal(t, person, people[0])

	media, err := o.Upload(ctx, wechat.FormImage, "a.png", []byte("\x89PNG\r\n\x1a\n0123456789"))
	require.NoError(t, err)
	for _, m := range []connector.Message{{Form: wechat.FormImage, Media: media}, {Form: wechat.FormMenu, Text: "满意吗？", Params: []connector.Param{{Name: "1", Value: "满意"}, {Name: "2", Value: "不满意"}}},
		{Form: wechat.FormMini, Title: "商城", AppID: s.access(sim.AppMini).AppID, Page: "pages/index", Picture: media}} {
		require.NoError(t, o.SendCustomerService(ctx, open, m, connector.Incoming{}), m.Form)
	}
	_, err = o.UploadImage(ctx, "a.png", []byte("\x89PNG\r\n\x1a\n0123456789"))
	require.NoError(t, err)

	templates, err := o.Templates(ctx)
	require.NoError(t, err)
	good := connector.Message{Template: templates[1].ID, Params: []connector.Param{{Name: "thing1", Value: "湖滨店"}, {Name: "time2", Value: "14:00"}}}
	_, err = o.SendTemplate(ctx, open, good)
	require.NoError(t, err)
	for name, x := range map[string]struct {
		to   string
		code int
		m    connector.Message
	}{
		"43004": {"", 43004, good}, "40003": {"nobody", 40003, good}, "40037": {open, 40037, connector.Message{Template: "x", Params: good.Params}},
		"47003": {open, 47003, connector.Message{Template: good.Template, Params: good.Params[:1]}},
	} {
		if x.to == "" {
			gone := s.person("己")
			require.NoError(t, s.Follow(gone.ID, app))
			require.NoError(t, s.Unfollow(gone.ID, app))
			x.to = openOf(t, s, gone.ID)
		}
		_, err := o.SendTemplate(ctx, x.to, x.m)
		require.Equal(t, x.code, wechat.CodeOf(err), name)
		require.True(t, connector.GivenUp(err))
		require.NotEqual(t, "wechat.refused", errs.CodeOf(err), "it has words")
	}
	subscribe, err := o.SubscribeTemplates(ctx)
	require.NoError(t, err)
	wish := connector.Message{Template: subscribe[0].ID, Params: []connector.Param{{Name: "thing1", Value: "桂花乌龙"}, {Name: "thing2", Value: "今日上架"}}}
	_, err = o.SendSubscribe(ctx, open, wish)
	require.Equal(t, 43101, wechat.CodeOf(err))
	p.do(sim.Act{Who: who.ID, Does: "allow", With: app, What: subscribe[0].ID})
	_, err = o.SendSubscribe(ctx, open, wish)
	require.NoError(t, err)
	_, err = o.SendSubscribe(ctx, open, wish)
	require.Equal(t, 43101, wechat.CodeOf(err), "a yes is for one message")
	said := p.stream.of(event.NameSubscriptionChanged)
	require.Len(t, said, 1)
	require.Equal(t, "accept", properties(t, said[0])["state"])

	mass, again, err := o.SendMass(ctx, wechat.Mass{Key: "m1", Text: "春茶上新"})
	require.NoError(t, err)
	require.False(t, again)
	same, again, err := o.SendMass(ctx, wechat.Mass{Key: "m1", Text: "春茶上新"})
	require.NoError(t, err)
	require.True(t, again)
	require.Equal(t, mass, same)
	status, err := o.MassStatus(ctx, mass)
	require.NoError(t, err)
	require.Equal(t, "SEND_SUCCESS", status)
	require.NoError(t, o.PreviewMass(ctx, open, wechat.Mass{Text: "看看"}))
	for i := range 3 {
		_, _, err = o.SendMass(ctx, wechat.Mass{Key: string(rune('a' + i)), Text: "还有"})
		require.NoError(t, err)
	}
	_, _, err = o.SendMass(ctx, wechat.Mass{Key: "fifth", Text: "太多"})
	require.Equal(t, 45028, wechat.CodeOf(err), "four a month")
	require.NoError(t, o.ClearQuota(ctx))
	for _, f := range o.Check(ctx) {
		require.Equal(t, connector.OK, f.State, "%+v", f)
	}
}

// What is wrong in itself does not leave: the field is told.
func TestMistakesAreFound(t *testing.T) {
	s := newSim(t)
	p := newProgram(t, s, clock.System{})
	o, m := p.official(p.add(sim.AppOfficial, "safe")), p.mini(p.add(sim.AppMini, "safe"))
	before := s.calls.Load()
	long := strings.Repeat("长", 700)
	fields := func(err error) (out []string) {
		for _, f := range errs.As(err).Fields {
			out = append(out, f.Path)
		}
		return out
	}
	menu := func(b ...wechat.Button) error { return o.CreateMenu(p.ctx, wechat.Menu{Buttons: b}) }
	click := wechat.Button{Name: "a", Type: "click", Key: "k"}
	deep := wechat.Button{Name: "a", Sub: []wechat.Button{{Name: "b", Type: "click", Key: "k", Sub: []wechat.Button{click}}}}
	_, noScene := o.CreateSceneCode(p.ctx, wechat.SceneCode{For: time.Hour})
	_, longScene := o.CreateSceneCode(p.ctx, wechat.SceneCode{Scene: "a", For: 31 * 24 * time.Hour})
	_, advert := o.SendTemplate(p.ctx, "o", connector.Message{Template: "t", Marketing: true})
	_, thing := m.SendSubscribe(p.ctx, "o", connector.Message{Template: "t", Params: []connector.Param{{Name: "thing1", Value: strings.Repeat("长", 21)}}})
	_, link := m.CreateURLLink(p.ctx, wechat.URLLink{Page: "/pages/index?a=1", Days: 31})
	_, _, one := o.SendMass(p.ctx, wechat.Mass{Key: "k", Text: "x", OpenIDs: []string{"o"}})
	for name, x := range map[string]struct {
		err  error
		want []string
	}{
		"no buttons": {menu(), []string{"buttons"}}, "four": {menu(click, click, click, click), []string{"buttons"}},
		"long name": {menu(wechat.Button{Name: "一二三四五六", Type: "click", Key: "k"}), []string{"buttons[0].name"}},
		"no key":    {menu(wechat.Button{Name: "a", Type: "click"}), []string{"buttons[0].key"}},
		"no page":   {menu(wechat.Button{Name: "a", Type: "view", URL: "ftp://x"}), []string{"buttons[0].url"}},
		"no type":   {menu(wechat.Button{Name: "a"}), []string{"buttons[0].type"}}, "too deep": {menu(deep), []string{"buttons[0].sub[0].sub"}},
		"long text": {o.SendCustomerService(p.ctx, "o", connector.Message{Text: long}, connector.Incoming{}), []string{"text"}},
		"no scene":  {noScene, []string{"scene"}}, "long scene": {longScene, []string{"for"}}, "advert": {advert, []string{"marketing"}}, "thing": {thing, []string{"params[0].value"}},
		"link": {link, []string{"page", "days"}}, "one alone": {one, []string{"people"}},
	} {
		require.Equal(t, x.want, fields(x.err), "%s: %v", name, x.err)
	}
	require.Equal(t, before, s.calls.Load(), "nothing left")
}

// A mini-program's user logs in, gives the number, and is reached.
func TestMiniProgram(t *testing.T) {
	s := newSim(t)
	p := newProgram(t, s, clock.System{})
	id := p.add(sim.AppMini, "safe")
	m, who := p.mini(id), s.person("庚")
	code := p.do(sim.Act{Who: who.ID, Does: "launch"}).ID
	login, err := p.signIn.Login(p.ctx, id, wechat.LoginInput{Code: code})
	require.NoError(t, err)
	_, err = p.signIn.Login(p.ctx, id, wechat.LoginInput{Code: code})
	require.Equal(t, "wechat.code_used", errs.As(err).Fields[0].Code)
	_, err = p.signIn.Login(p.ctx, id, wechat.LoginInput{Code: "made up"})
	require.Equal(t, "wechat.bad_code", errs.As(err).Fields[0].Code)

	give := p.do(sim.Act{Who: who.ID, Does: "phone"}).ID
	_, err = p.signIn.Phone(p.ctx, id, wechat.PhoneInput{Session: login.Session + "x", Code: give})
	require.Equal(t, "wechat.session_over", errs.CodeOf(err))
	masked, err := p.signIn.Phone(p.ctx, id, wechat.PhoneInput{Session: login.Session, Code: give})
	require.NoError(t, err)
	require.Contains(t, masked, "*")
	phone := p.stream.of(event.NamePhoneGiven)
	require.Len(t, phone, 1)
	require.Equal(t, []string{who.Phone, login.OpenID, who.UnionID}, []string{idOf(phone[0], "phone"), idOf(phone[0], "openid"), idOf(phone[0], "unionid")})

	link, err := m.CreateURLLink(p.ctx, wechat.URLLink{Page: "pages/index", Query: "a=1", Days: 30})
	require.NoError(t, err)
	d := p.do(sim.Act{Who: who.ID, Does: "scan", What: link})
	require.Equal(t, s.access(sim.AppMini).AppID, d.Met.App)
	for _, f := range m.Check(p.ctx) {
		require.Equal(t, connector.OK, f.State, "%+v", f)
	}
}

// Somebody signs in on a page, and nobody else can be made to.
func TestSignInOnAPage(t *testing.T) {
	s := newSim(t)
	p := newProgram(t, s, clock.System{})
	id := p.add(sim.AppOfficial, "safe")
	who := s.person("辛")
	begin := func(query string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		p.signIn.Begin(w, httptest.NewRequest(http.MethodGet, "/wx/"+id+"/in?"+query, nil), id)
		return w
	}
	w := begin("to=/l/abc%3Fx%3D1&profile=1")
	require.Equal(t, http.StatusFound, w.Code)
	cookie := w.Result().Cookies()[0]
	require.True(t, cookie.HttpOnly)
	ask, err := http.NewRequestWithContext(p.ctx, http.MethodGet, w.Header().Get("Location"), nil)
	require.NoError(t, err)
	ask.Header.Set("X-Sim-Person", who.ID)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(ask)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	back := res.Header.Get("Location")
	require.True(t, strings.HasPrefix(back, p.server.URL+"/wx/"+id+"/back?"), back)
	finish := func(address string, c *http.Cookie) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, address, nil)
		if c != nil {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		p.signIn.Finish(w, r, id)
		return w
	}
	other := begin("to=/").Result().Cookies()[0]
	for name, c := range map[string]*http.Cookie{"no cookie": nil, "another browser's": other, "made up": {Name: cookie.Name, Value: "x"}} {
		require.Equal(t, http.StatusForbidden, finish(back, c).Code, name)
	}
	require.Empty(t, p.stream.of(event.NameAccountSignedIn))
	w = finish(back, cookie)
	require.Equal(t, http.StatusFound, w.Code)
	require.Equal(t, "/l/abc?x=1", w.Header().Get("Location"))
	in := p.stream.of(event.NameAccountSignedIn)
	require.Len(t, in, 1)
	require.Equal(t, []string{who.UnionID, "visitor-1"}, []string{idOf(in[0], "unionid"), in[0].AnonymousID})
	require.Contains(t, string(in[0].Traits), "辛")
	require.NotEqual(t, http.StatusFound, finish(back, cookie).Code, "a code is good once")
	for _, to := range []string{"https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a%0d%0aX"} {
		require.NotEqual(t, http.StatusFound, begin("to="+to).Code, to)
	}
}

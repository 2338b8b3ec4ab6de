package wecom

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestOneTokenForManyCalls(t *testing.T) {
	w, c := newWorld(t)
	w.says("department/list", `{"errcode":0,"department":[{"id":1,"name":"总部","parentid":0}]}`)
	for range 3 {
		list, err := c.Departments(t.Context())
		require.NoError(t, err)
		require.Equal(t, "总部", list[0].Name)
	}
	require.Equal(t, 1, w.tokens)
	require.Equal(t, map[string]string{"corpid": testCorp, "corpsecret": testSecret}, w.last("gettoken").Query)
	require.Equal(t, "token-1", w.last("department/list").Query["access_token"])
	require.EqualValues(t, 3, w.took["api/department/list"])
	require.EqualValues(t, 3, w.took["ip/"])
}

// A stale token is renewed once and the call made again; a fresh one that is
// refused as well is no matter of age.
func TestStaleToken(t *testing.T) {
	for _, code := range []string{"40014", "42001"} {
		w, c := newWorld(t)
		w.says("department/list", `{"errcode":`+code+`}`, `{"errcode":0}`)
		_, err := c.Departments(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, w.tokens)
		require.Equal(t, "token-2", w.last("department/list").Query["access_token"])

		w.says("department/list", `{"errcode":`+code+`}`)
		_, err = c.Departments(t.Context())
		require.True(t, connector.GivenUp(err))
		require.Equal(t, 3, w.tokens, "one more, not one after the other")
		require.Len(t, w.told, 1)
	}
}

func TestBadSecretStops(t *testing.T) {
	w, c := newWorld(t)
	w.says("gettoken", `{"errcode":40001,"errmsg":"invalid credential"}`)
	_, err := c.Departments(t.Context())
	require.True(t, connector.GivenUp(err))
	require.Equal(t, "wecom.bad_secret", errs.CodeOf(err))
	require.Len(t, w.told, 1, "the doctor hears of it")
	_, err = c.Departments(t.Context())
	require.Error(t, err)
	require.Equal(t, 1, w.count("gettoken"))
	require.Zero(t, w.count("department/list"))
}

func TestBusyIsTriedAgain(t *testing.T) {
	w, c := newWorld(t)
	w.says("externalcontact/remark", `{"errcode":-1}`, `{"errcode":-1}`, `{"errcode":-1}`, `{"errcode":0}`)
	require.NoError(t, c.SetRemark(t.Context(), "zhang", "wm1", Remark{Remark: new(string)}))
	require.Equal(t, []time.Duration{250 * time.Millisecond, 750 * time.Millisecond, 2250 * time.Millisecond}, w.pauses)

	w.says("externalcontact/remark", `{"errcode":-1}`)
	w.calls, w.pauses = nil, nil
	err := c.SetRemark(t.Context(), "zhang", "wm1", Remark{Remark: new(string)})
	require.Equal(t, "wecom.busy", errs.CodeOf(err))
	require.False(t, connector.GivenUp(err))
	require.Equal(t, 4, w.count("externalcontact/remark"), "one and three more at most")

	w.calls = nil // there is no time to wait
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.Error(t, c.SetRemark(ctx, "zhang", "wm1", Remark{Remark: new(string)}))
	require.Equal(t, 1, w.count("externalcontact/remark"))
}

func TestTooOftenWaits(t *testing.T) {
	w, c := newWorld(t)
	w.says("externalcontact/get", `{"errcode":45009,"errmsg":"reach max api minute quota limit"}`)
	_, err := c.Customer(t.Context(), "wm1")
	var later *connector.Later
	require.ErrorAs(t, err, &later)
	require.Equal(t, w.clock.Now().Add(time.Minute), later.Until)
	require.Equal(t, []string{"api/externalcontact/get"}, w.spent)
	require.Equal(t, errs.TooMany, errs.As(err).Kind)
	require.Equal(t, 1, w.count("externalcontact/get"))

	w.says("externalcontact/get", `{"errcode":45033}`)
	_, err = c.Customer(t.Context(), "wm1")
	require.ErrorAs(t, err, &later)
	require.Equal(t, 5, w.count("externalcontact/get"), "too many at once passes by itself, mostly")

	w.full["api/externalcontact/get"] = w.clock.Now().Add(time.Hour)
	_, err = c.Customer(t.Context(), "wm1")
	require.ErrorAs(t, err, &later)
	require.Equal(t, 5, w.count("externalcontact/get"), "no call without a quota")
}

func TestRefusals(t *testing.T) {
	w, c := newWorld(t)
	w.says("externalcontact/get", `{"errcode":60020,"errmsg":"not allow to access from your ip, hint: [1700000000_1], from ip: 203.0.113.7, more info at https://open.work.weixin.qq.com"}`)
	_, err := c.Customer(t.Context(), "wm1")
	require.True(t, connector.GivenUp(err))
	require.Equal(t, "203.0.113.7", errs.As(err).Params["ip"])
	require.Len(t, w.told, 1)

	w.says("externalcontact/get", `{"errcode":84061,"errmsg":"no external contact"}`)
	_, err = c.Customer(t.Context(), "wm1")
	require.True(t, connector.GivenUp(err))
	require.Equal(t, 84061, CodeOf(err))
	require.Len(t, w.told, 1, "that is nothing for the doctor")

	w.says("externalcontact/get", `{"errcode":99999,"errmsg":"something new"}`)
	_, err = c.Customer(t.Context(), "wm1")
	require.Equal(t, "wecom.refused", errs.CodeOf(err))
	require.Equal(t, "something new", errs.As(err).Params["words"])
	require.Zero(t, CodeOf(errors.New("x")))
}

// Every code has words, and the numbers that people are shown are filled in.
func TestWordsOfCodes(t *testing.T) {
	cat, err := i18n.Load(testkit.Quiet())
	require.NoError(t, err)
	for code := range codes {
		e := refused("a/b", code, "from ip: 1.2.3.4")
		for _, l := range []i18n.Lang{i18n.ZH, i18n.EN} {
			words := cat.Translate(l, e.words.Code, e.words.Params)
			require.NotContains(t, words, "{", code)
			require.NotEqual(t, e.words.Code, words)
		}
	}
}

// A change whose answer is lost may be done: nobody makes it again. A question is
// asked again. What is said of it holds no secret.
func TestLostAnswers(t *testing.T) {
	w, c := newWorld(t)
	w.drop["externalcontact/send_welcome_msg"] = true
	err := c.Welcome(t.Context(), "code", Content{Text: "hi"})
	require.True(t, Lost(err))
	require.Equal(t, 1, w.count("externalcontact/send_welcome_msg"))
	require.NotContains(t, err.Error(), "token-1")

	w.drop["externalcontact/get"] = true
	_, err = c.Customer(t.Context(), "wm1")
	require.False(t, Lost(err))
	require.Equal(t, "wecom.unreachable", errs.CodeOf(err))
	require.GreaterOrEqual(t, w.count("externalcontact/get"), tries)

	w.token = ""
	w.drop["gettoken"] = true
	_, err = c.Customer(t.Context(), "wm1")
	require.Equal(t, "wecom.unreachable", errs.CodeOf(err))
	require.NotContains(t, err.Error(), testSecret)

	w, c = newWorld(t)
	w.says("externalcontact/get", `<html>502</html>`)
	_, err = c.Customer(t.Context(), "wm1")
	require.Equal(t, "wecom.unreachable", errs.CodeOf(err))

	c.base = "http://127.0.0.1:1"
	err = c.Welcome(t.Context(), "code", Content{Text: "hi"})
	require.False(t, Lost(err), "never connected: it cannot be done")
}

func TestOpenRefusesBadKeys(t *testing.T) {
	w, _ := newWorld(t)
	a := connector.Account{Kind: Name, Settings: map[string]string{settingCorp: testCorp}}
	_, err := Open(a, connector.Secrets{secretApp: testSecret, secretToken: "t", secretAESKey: "short"}, w.env(nil))
	require.Equal(t, "secrets.aesKey", errs.As(err).Fields[0].Path)
	_, err = Open(a, connector.Secrets{secretApp: testSecret}, w.env(nil))
	require.NoError(t, err, "without callbacks")
}

func TestLimitsAreCheckedFirst(t *testing.T) {
	w, c := newWorld(t)
	ctx := t.Context()
	long := func(n int) *string { s := strings.Repeat("锦", n); return &s }
	many := make([]string, 10_001)
	for i := range many {
		many[i] = "x"
	}
	second := func(_ any, err error) error { return err }
	third := func(_, _ any, err error) error { return err }
	for name, x := range map[string]struct {
		err  error
		path string
	}{
		"remark":            {c.SetRemark(ctx, "u", "c", Remark{Remark: long(21)}), "remark"},
		"description":       {c.SetRemark(ctx, "u", "c", Remark{Description: long(151)}), "description"},
		"text in bytes":     {c.Welcome(ctx, "code", Content{Text: *long(1334)}), "text"},
		"nothing to say":    {c.Welcome(ctx, "code", Content{}), "text"},
		"no code":           {c.Welcome(ctx, "", Content{Text: "x"}), "code"},
		"ten parts":         {c.Welcome(ctx, "code", Content{Parts: make([]Part, 10)}), "parts"},
		"link":              {c.Welcome(ctx, "code", Content{Parts: []Part{{Form: Link, Title: *long(43), URL: "https://x"}}}), "parts[0].title"},
		"link without":      {c.Welcome(ctx, "code", Content{Parts: []Part{{Form: Link, Title: "t"}}}), "parts[0].url"},
		"mini-program":      {c.Welcome(ctx, "code", Content{Parts: []Part{{Form: MiniProgram, Title: "t", Media: "m", AppID: "a"}}}), "parts[0].page"},
		"form":              {c.Welcome(ctx, "code", Content{Parts: []Part{{Form: "poem"}}}), "parts[0].form"},
		"state":             {third(c.AddWay(ctx, Way{Users: []string{"u"}, State: *long(31)})), "state"},
		"nobody":            {third(c.AddWay(ctx, Way{})), "users"},
		"single":            {third(c.AddWay(ctx, Way{Single: true, Users: []string{"a", "b"}})), "users"},
		"too long a life":   {third(c.AddWay(ctx, Way{Users: []string{"u"}, ExpiresIn: 14*86400 + 1})), "expiresIn"},
		"update without id": {c.UpdateWay(ctx, Way{Users: []string{"u"}}), "id"},
		"group of tags":     {second(c.AddTags(ctx, "", *long(16), []string{"a"})), "group"},
		"name of a tag":     {second(c.AddTags(ctx, "g", "", []string{"a", *long(31)})), "names[1]"},
		"no tags":           {c.MarkTags(ctx, "u", "c", nil, nil), "add"},
		"mass customers":    {third(c.SendMass(ctx, Mass{To: ToCustomers, Customers: many, Content: Content{Text: "x"}})), "customers"},
		"mass groups":       {third(c.SendMass(ctx, Mass{To: ToGroups, Sender: "u", Groups: many[:2001], Content: Content{Text: "x"}})), "groups"},
		"mass to nobody":    {third(c.SendMass(ctx, Mass{To: ToCustomers, Content: Content{Text: "x"}})), "customers"},
		"hand":              {second(c.Hand(ctx, Transfer{From: "a", To: "b", Customers: many[:101]})), "customers"},
		"hand to self":      {second(c.Hand(ctx, Transfer{From: "a", To: "a", Customers: many[:1]})), "to"},
		"moment":            {second(c.AddMoment(ctx, Moment{Parts: []Part{{Form: Image, Media: "m"}, {Form: Video, Media: "m"}}})), "parts[1]"},
		"two links":         {second(c.AddMoment(ctx, Moment{Parts: []Part{{Form: Link, Media: "m", URL: "u"}, {Form: Link, Media: "m", URL: "u"}}})), "parts[0]"},
		"join":              {second(c.AddJoinWay(ctx, JoinWay{Groups: many[:6]})), "groups"},
		"group welcome":     {second(c.AddGroupWelcome(ctx, Content{Text: *long(1001)}, false)), "text"},
		"upload":            {second(c.Upload(ctx, Image, "a.png", []byte("123"))), "data"},
		"tell":              {second(c.Tell(ctx, many[:1001], "x")), "users"},
		"service link":      {second(c.SendService(ctx, "k", "c", "", Said{Form: Link, Title: "x", URL: "https://a.example"})), "media"},
		"service page":      {second(c.SendService(ctx, "k", "c", "", Said{Form: MiniProgram, AppID: "wx1", Media: "m"})), "page"},
		"service image":     {second(c.SendService(ctx, "k", "c", "", Said{Form: Image})), "media"},
		"service menu":      {second(c.SendService(ctx, "k", "c", "", Said{Form: ServiceMenu, Text: "x"})), "lines"},
		"service line":      {second(c.SendService(ctx, "k", "c", "", Said{Form: ServiceMenu, Lines: []connector.Choice{{Text: "x", ID: *long(129)}}})), "lines[0].id"},
		"service event":     {second(c.SendOnEvent(ctx, "k", "", Said{Form: Image, Media: "m"})), "form"},
		"service":           {second(c.SendService(ctx, "k", "c", "", Said{Text: *long(700)})), "text"},
	} {
		e := errs.As(x.err)
		require.NotNil(t, e, name)
		require.Equal(t, errs.Invalid, e.Kind, name)
		require.NotEmpty(t, e.Fields, name)
		require.Equal(t, x.path, e.Fields[0].Path, name)
	}
	require.Empty(t, w.calls, "nothing of it was asked of the platform")
	require.NoError(t, c.SetRemark(ctx, "u", "c", Remark{Remark: long(20), Description: long(150)}))
}

package connector_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/contract"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/outbound"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestSecretsAreWriteOnly(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		require.Equal(t, []string{"secret", "sign"}, p.view().Secrets)
		var stored string
		require.NoError(t, p.DB.QueryRow(p.ctx, "select settings || secrets_enc from connector_accounts").Scan(&stored))
		require.NotContains(t, stored, contract.FakeSecret)
		raw, err := json.Marshal(p.view())
		require.NoError(t, err)
		require.NotContains(t, string(raw), contract.FakeSecret)
		raw, err = json.Marshal(p.audit.details)
		require.NoError(t, err)
		require.NotContains(t, string(raw), contract.FakeSecret, "nor in the audit log")

		in := p.input()
		in.Secrets = map[string]string{"sign": "another"}
		_, err = p.Change(p.ctx, p.account.ID, in)
		require.NoError(t, err)
		require.NoError(t, p.conn().Call(p.ctx), "what is left out stays")
		in.Secrets = map[string]string{"sign": ""}
		_, err = p.Change(p.ctx, p.account.ID, in)
		require.Equal(t, "secrets.sign", errs.As(err).Fields[0].Path, "what is required cannot be taken away")
		require.Equal(t, []string{"connector.created", "connector.changed"}, p.audit.actions)
	})
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := connector.Secrets{"secret": contract.FakeSecret}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secrets", s)
	raw, err := json.Marshal(s)
	require.NoError(t, err)
	for _, out := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s", s, s, s, s), log.String(), string(raw)} {
		require.NotContains(t, out, contract.FakeSecret)
	}
}

func TestInputsAreChecked(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		for name, c := range map[string]struct {
			change func(in *connector.Input)
			path   string
		}{
			"no kind":          {func(in *connector.Input) { in.Kind = "none" }, "kind"},
			"no name":          {func(in *connector.Input) { in.Name = " " }, "name"},
			"long name":        {func(in *connector.Input) { in.Name = strings.Repeat("长", 61) }, "name"},
			"same name":        {func(in *connector.Input) {}, "name"},
			"missing setting":  {func(in *connector.Input) { delete(in.Settings, "corp") }, "settings.corp"},
			"bad form":         {func(in *connector.Input) { in.Settings["corp"] = "UPPER" }, "settings.corp"},
			"no such option":   {func(in *connector.Input) { in.Settings["region"] = "west" }, "settings.region"},
			"unknown setting":  {func(in *connector.Input) { in.Settings["colour"] = "red" }, "settings.colour"},
			"unknown secret":   {func(in *connector.Input) { in.Secrets["colour"] = "red" }, "secrets.colour"},
			"secret elsewhere": {func(in *connector.Input) { in.Settings["secret"] = "x" }, "settings.secret"},
			"missing secret":   {func(in *connector.Input) { delete(in.Secrets, "secret") }, "secrets.secret"},
			"two lines":        {func(in *connector.Input) { in.Secrets["secret"] = "a\nb" }, "secrets.secret"},
			"no address":       {func(in *connector.Input) { in.Settings["base"] = "ftp://x" }, "settings.base"},
			"bad quota":        {func(in *connector.Input) { in.Settings["quota.api.minute"] = "-1" }, "settings.quota.api.minute"},
			"unknown quota":    {func(in *connector.Input) { in.Settings["quota.api.year"] = "1" }, "settings.quota.api.year"},
		} {
			in := p.input()
			if name != "same name" {
				in.Name = "分店"
			}
			c.change(&in)
			_, err := p.Create(p.ctx, in)
			e := errs.As(err)
			require.NotNil(t, e, name)
			require.Equal(t, errs.Invalid, e.Kind, name)
			require.Equal(t, c.path, e.Fields[0].Path, name)
		}
		in := p.input()
		in.Name = "分店"
		in.Settings["quota.api.minute"] = "5"
		v, err := p.Create(p.ctx, in)
		require.NoError(t, err)
		require.Equal(t, "north", v.Settings["region"], "the default")
		require.EqualValues(t, 5, v.Quotas[0].Limit)
		require.Equal(t, "https://pond.example/hooks/fake/"+v.ID, v.CallbackURL)
	})
}

// An account may point at the program's own simulator, and at nothing else inside.
func TestBaseIsGuarded(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		simulator := p.platform.URL + "/sim"
		strict := func(sim func() string) *connector.Service {
			d := p.Deps
			d.Guard, d.Simulator = outbound.Guard{}, sim
			s := connector.NewService(d)
			s.Register(contract.FakeKind())
			return s
		}
		none, own := strict(nil), strict(func() string { return simulator })
		in := p.input()
		in.Name = "模拟"
		_, err := none.Create(p.ctx, in)
		require.Equal(t, "outbound.private", errs.As(err).Fields[0].Code)
		_, err = own.Create(p.ctx, in)
		require.Equal(t, "outbound.private", errs.As(err).Fields[0].Code, "the host alone is not the simulator")
		for _, bad := range []string{simulator + "/../x", simulator + "x"} {
			in.Settings["base"] = bad
			_, err = own.Create(p.ctx, in)
			require.Equal(t, "outbound.private", errs.As(err).Fields[0].Code, bad)
		}
		in.Settings["base"] = simulator + "/wecom"
		v, err := own.Create(p.ctx, in)
		require.NoError(t, err)
		c, err := own.Conn(p.ctx, v.ID)
		require.NoError(t, err)
		err = c.(*contract.FakeConn).Call(p.ctx)
		require.False(t, errors.Is(err, outbound.ErrPrivate), "%v", err)
		c, err = none.Conn(p.ctx, v.ID)
		require.NoError(t, err)
		require.ErrorIs(t, c.(*contract.FakeConn).Call(p.ctx), outbound.ErrPrivate, "without it the address is not called, whatever was typed")
		require.False(t, outbound.Public(netip.MustParseAddr("127.0.0.1")))
	})
}

func TestPauseHoldsCallbacks(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		h := &heard{}
		p.On("fake", "*", func(_ context.Context, _ connector.Account, in connector.Incoming) error { h.note(in); return nil })
		first := p.tell(contract.FakeCall{})
		_, err := p.SetState(p.ctx, p.account.ID, connector.Paused)
		require.NoError(t, err)
		second := p.tell(contract.FakeCall{})
		p.work()
		require.Empty(t, h.all())
		require.EqualValues(t, 2, p.view().Inbox.Held)
		_, err = p.Conn(p.ctx, p.account.ID)
		require.Equal(t, "connector.paused", errs.CodeOf(err))
		_, err = p.SetState(p.ctx, p.account.ID, connector.Active)
		require.NoError(t, err)
		p.work()
		require.Equal(t, []string{first, second}, h.all())
	})
}

func TestDeleteLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.tell(contract.FakeCall{})
		require.NoError(t, p.conn().Call(p.ctx))
		_, err := p.Send(p.ctx, p.account.ID, connector.Message{Key: "m", To: "x", Text: "hi"})
		require.NoError(t, err)
		require.NoError(t, p.conn().Spent(p.ctx, "api", "", p.clock.Now().Add(time.Hour)))
		p.view() // writes down the counts of calls
		old := p.conn()
		require.NoError(t, p.Delete(p.ctx, p.account.ID))
		for _, table := range []string{"accounts", "tokens", "quotas", "halts", "inbox", "calls", "sends"} {
			var n int
			require.NoError(t, p.DB.QueryRow(p.ctx, "select count(*) from connector_"+table).Scan(&n))
			require.Zero(t, n, table)
		}
		require.Error(t, old.Call(p.ctx), "who still holds the connection gets no token")
		_, err = p.Get(p.ctx, p.account.ID)
		require.Equal(t, errs.NotFound, errs.As(err).Kind)
	})
}

type asContext struct{}

func (asContext) Authenticate(r *http.Request) (*auth.Principal, error) {
	return auth.From(r.Context()), nil
}

// served is the API of a pond.
func (p *pond) served() func(ctx context.Context, method, path string, body, into any) int {
	cat, err := i18n.Load(testkit.Quiet())
	require.NoError(p.t, err)
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "t", Version: "1", Auth: asContext{}, Log: testkit.Quiet(), Catalogue: cat, Clock: p.clock})
	p.Routes(api)
	h := api.Handler()
	return func(ctx context.Context, method, path string, body, into any) int {
		p.t.Helper()
		raw, ok := body.([]byte)
		if !ok && body != nil {
			raw, err = json.Marshal(body)
			require.NoError(p.t, err)
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(raw)))
		switch v := into.(type) {
		case nil:
		case *string:
			*v = rec.Body.String()
		default:
			require.NoError(p.t, json.Unmarshal(rec.Body.Bytes(), into), rec.Body.String())
		}
		return rec.Code
	}
}

func TestAccountsOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		ask := p.served()
		in := p.input()
		in.Name = "分店"
		var made connector.View
		require.Equal(t, 200, ask(p.ctx, "POST", "/api/connectors", in, &made))
		path := "/api/connectors/" + made.ID
		for _, at := range []string{"/api/connectors", "/api/connectors/kinds", path, "/api/connectors/inbox"} {
			var text string
			require.Equal(t, 200, ask(p.ctx, "GET", at, nil, &text), at)
			require.NotContains(t, text, contract.FakeSecret, at)
		}
		for _, role := range []string{"user_ops", "growth", "analyst", "sales"} {
			who := testkit.As(t.Context(), role)
			require.Equal(t, 403, ask(who, "GET", "/api/connectors", nil, nil), role)
			require.Equal(t, 403, ask(who, "GET", "/api/connectors/inbox", nil, nil), role)
			require.Equal(t, 403, ask(who, "POST", path+"/check", nil, nil), role)
		}
		require.Equal(t, 403, ask(testkit.Scoped(t.Context(), "admin", true, "us_a"), "GET", "/api/connectors", nil, nil))
		require.Equal(t, 200, ask(p.ctx, "POST", path+"/check", nil, &made))
		require.Equal(t, connector.OK, made.Findings[0].State)
		require.Equal(t, 200, ask(p.ctx, "POST", path+"/pause", nil, &made))
		require.Equal(t, connector.Paused, made.State)
		require.Equal(t, 200, ask(p.ctx, "POST", path+"/resume", nil, &made))
		require.Equal(t, 422, ask(p.ctx, "PUT", path, connector.Input{Name: "x"}, nil))
		var value struct{ Value string }
		require.Equal(t, 200, ask(p.ctx, "POST", "/api/connectors/kinds/fake/fields/sign/make", nil, &value))
		require.Regexp(t, `^[A-Za-z0-9]{32}$`, value.Value)
		require.Equal(t, 404, ask(p.ctx, "POST", "/api/connectors/kinds/fake/fields/corp/make", nil, nil))
		require.Equal(t, 204, ask(p.ctx, "DELETE", path, nil, nil))
		require.Equal(t, 404, ask(p.ctx, "GET", path, nil, nil))
		require.Equal(t, 404, ask(p.ctx, "POST", path+"/check", nil, nil))
	})
}

func TestMadeValues(t *testing.T) {
	require.Regexp(t, `^[A-Za-z0-9]{43}$`, connector.Made(connector.MakeAESKey))
	require.NotEqual(t, connector.Made(connector.MakeToken), connector.Made(connector.MakeToken))
}

// What the platform said against an account is kept with its numbers, told once, and
// read by the doctor on the command line without a key.
func TestRefusalsAreKeptForTheDoctor(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		known := func() connector.Known {
			list, err := connector.ReadKnown(p.ctx, p.DB)
			require.NoError(t, err)
			require.Len(t, list, 1)
			return list[0]
		}
		require.Zero(t, known().CheckedAt)
		p.conn().Refused(p.ctx, errs.New(errs.Conflict, "fake.bad_secret", "number", "40001"))
		k := known()
		require.Equal(t, "fake.bad_secret", k.Fault)
		require.Equal(t, "40001", k.FaultParams["number"])
		found := func() (n int) {
			for _, f := range p.view().Findings {
				if f.Code == "fake.bad_secret" {
					require.Equal(t, connector.Fail, f.State)
					n++
				}
			}
			return n
		}
		require.Equal(t, 1, found())
		in := p.input()
		in.Secrets["secret"] = "wrong"
		_, err := p.Change(p.ctx, p.account.ID, in)
		require.NoError(t, err)
		require.Zero(t, found(), "other credentials, another story")
		_, err = p.Check(p.ctx, p.account.ID)
		require.NoError(t, err)
		require.Equal(t, 1, found(), "by the check, and not a second time beside it")
		require.False(t, known().CheckedAt.IsZero())
		in.Secrets["secret"] = contract.FakeSecret
		_, err = p.Change(p.ctx, p.account.ID, in)
		require.NoError(t, err)
		v, err := p.Check(p.ctx, p.account.ID)
		require.NoError(t, err)
		require.NotEqual(t, connector.Fail, v.Health)
		require.Empty(t, known().Fault)
	})
}

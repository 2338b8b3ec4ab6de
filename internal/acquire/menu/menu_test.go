package menu

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// outside is a platform with one account and one auto-reply.
type outside struct {
	shown  []Button
	calls  int
	refuse error
}

func (o *outside) Accounts(context.Context) ([]Account, error) {
	return []Account{{"ac_1", "山月茶集"}}, nil
}

func (o *outside) Publish(_ context.Context, _ string, list []Button) error {
	o.calls++
	if o.refuse != nil {
		return o.refuse
	}
	o.shown = slices.Clone(list)
	return nil
}

func (o *outside) Read(context.Context, string) ([]Button, error) { return o.shown, o.refuse }

func (o *outside) Known(_ context.Context, account, id string) (string, bool, error) {
	return "会员日", account == "ac_1" && id == "rp_1", nil
}

func (o *outside) Hold(context.Context) error { return nil }

func each(t *testing.T, fn func(t *testing.T, s *Service, o *outside, a *audit.Service)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		c := testkit.Clock()
		a, err := audit.New(audit.Deps{DB: d, Clock: c, Log: testkit.Quiet(), Key: make([]byte, 32)})
		require.NoError(t, err)
		o := &outside{}
		fn(t, NewService(Deps{DB: d, Clock: c, IDs: testkit.IDs(c), Keys: testkit.Ring(), Audit: a, Platform: o, Answers: o, People: o}), o, a)
	}, audit.Migrations(), Migrations())
}

func sample() []Button {
	return []Button{{Name: "买茶", Sub: []Button{{Name: "新品", Kind: View, URL: "https://shanyue.example/new"}, {Name: "小程序", Kind: App, AppID: "wx1", Page: "index", URL: "https://shanyue.example"}}},
		{Name: "会员日", Kind: Reply, Reply: "rp_1"}}
}

func refusals(err error) (out []string) {
	for _, f := range errs.As(err).Fields {
		out = append(out, f.Path+" "+f.Code)
	}
	if out == nil {
		out = []string{errs.As(err).Code}
	}
	return out
}

func TestADraftIsPublishedAndTakenBack(t *testing.T) {
	each(t, func(t *testing.T, s *Service, o *outside, a *audit.Service) {
		ctx := testkit.As(t.Context(), "admin")
		m, err := s.Get(ctx, "ac_1")
		require.NoError(t, err)
		require.True(t, m.Same)
		first := sample()
		first[1].URL = "https://left.over.example" // of what the button did before
		m, err = s.Save(ctx, "ac_1", first, m.Rev)
		require.NoError(t, err)
		require.Equal(t, sample(), m.Buttons)
		require.False(t, m.Same)
		require.Zero(t, o.calls, "a draft is nobody's business")
		_, err = s.Save(ctx, "ac_1", sample()[1:], m.Rev-1)
		require.Equal(t, []string{"menu.changed_meanwhile"}, refusals(err))
		m, err = s.Publish(ctx, "ac_1", m.Rev)
		require.NoError(t, err)
		require.Equal(t, sample(), o.shown)
		require.True(t, m.Same)
		require.Equal(t, int64(1), m.Published.N)

		m, err = s.Save(ctx, "ac_1", sample()[1:], m.Rev)
		require.NoError(t, err)
		o.refuse = errs.New(errs.Conflict, "wechat.no_permission", "number", "48001", "api", "cgi-bin/menu/create")
		_, err = s.Publish(ctx, "ac_1", m.Rev)
		require.Equal(t, []string{"wechat.no_permission"}, refusals(err))
		m, err = s.Get(ctx, "ac_1")
		require.NoError(t, err)
		require.Equal(t, "wechat.no_permission", m.Fault, "what the platform said stays to be read")
		require.Equal(t, int64(1), m.Published.N)
		o.refuse = nil
		m, err = s.Publish(ctx, "ac_1", m.Rev)
		require.NoError(t, err)
		require.Empty(t, m.Fault)
		require.Len(t, o.shown, 1)

		list, err := s.Versions(ctx, "ac_1")
		require.NoError(t, err)
		require.Equal(t, []int64{2, 1}, []int64{list[0].N, list[1].N})
		m, err = s.Restore(ctx, "ac_1", 1, m.Rev)
		require.NoError(t, err)
		require.Equal(t, sample(), m.Buttons)
		require.False(t, m.Same, "it is a draft until it is published")
		_, err = s.Restore(ctx, "ac_1", 9, m.Rev)
		require.Equal(t, []string{"menu.no_version"}, refusals(err))

		o.shown = []Button{{Name: "别处做的", Kind: Click, Key: "V1"}}
		m, err = s.Read(ctx, "ac_1", m.Rev)
		require.NoError(t, err)
		require.Equal(t, o.shown, m.Buttons)
		m, err = s.Save(ctx, "ac_1", []Button{}, m.Rev)
		require.NoError(t, err)
		_, err = s.Publish(ctx, "ac_1", m.Rev)
		require.NoError(t, err)
		require.Empty(t, o.shown, "an empty menu takes the menu away")
		rows, err := a.List(ctx, audit.Filter{Limit: 50})
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(rows), 9)
	})
}

func TestWhatThePlatformWouldNotTake(t *testing.T) {
	each(t, func(t *testing.T, s *Service, o *outside, _ *audit.Service) {
		ctx := testkit.As(t.Context(), "admin")
		for _, c := range []struct {
			list []Button
			want string
		}{
			{[]Button{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}}, "buttons menu.too_many"},
			{[]Button{{Name: "a", Sub: []Button{{Name: "b", Sub: []Button{{Name: "c"}}}}}}, "buttons[0].sub menu.too_deep"},
			{[]Button{{Name: "a", Kind: "x"}}, "buttons[0].kind menu.bad_choice"},
		} {
			_, err := s.Save(ctx, "ac_1", c.list, 0)
			require.Equal(t, []string{c.want}, refusals(err))
		}
		m, err := s.Save(ctx, "ac_1", []Button{{Name: "六个汉字名称", Kind: View, URL: "javascript:1"}, {Name: "会员", Sub: []Button{{Name: strings.Repeat("名", 20), Kind: Reply, Reply: "rp_9"}, {Name: "", Kind: App}}}}, 0)
		require.NoError(t, err, "a draft may be unfinished")
		_, err = s.Publish(ctx, "ac_1", m.Rev)
		require.Equal(t, []string{"buttons[0].name menu.name_too_long", "buttons[0].url livecode.bad_url", "buttons[1].sub[0].reply menu.no_such_reply",
			"buttons[1].sub[1].name request.field_required", "buttons[1].sub[1].appId request.field_required", "buttons[1].sub[1].page request.field_required", "buttons[1].sub[1].url livecode.bad_url"}, refusals(err))
		require.Zero(t, o.calls)
		_, err = s.Get(ctx, "ac_9")
		require.Equal(t, []string{"menu.no_such_account"}, refusals(err))
	})
}

func TestKeysOfButtons(t *testing.T) {
	id, ok := ReplyOf(KeyOf("rp_1"))
	require.True(t, ok)
	require.Equal(t, "rp_1", id)
	_, ok = ReplyOf("V1001_TODAY")
	require.False(t, ok)
	raw, err := json.Marshal(sample())
	require.NoError(t, err)
	require.NotContains(t, string(raw), `"sub":null`)
}

package scene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// outside is everything around the service.
type outside struct {
	made   map[string]int
	refuse error
	tags   []string
	until  time.Time
	drawn  []Drawing
	draws  func() // while a code is drawn
}

func (o *outside) Accounts(context.Context) ([]Account, error) {
	return []Account{{"ac_1", "山月茶集", Official}, {"ac_mini", "山月商城", Mini}}, nil
}

func (o *outside) Create(_ context.Context, _, key string, days int) (string, time.Time, error) {
	if o.refuse != nil {
		return "", time.Time{}, o.refuse
	}
	o.made[key] = days
	if days > 0 {
		return "http://weixin.example/q/" + key, o.until, nil
	}
	return "http://weixin.example/q/" + key, time.Time{}, nil
}

func (o *outside) Hold(context.Context) error { return nil }

func (o *outside) KnownTags(_ context.Context, ids []string) (out []string, err error) {
	for _, id := range ids {
		if strings.HasPrefix(id, "tg_") {
			out = append(out, id)
		}
	}
	return out, nil
}

func (o *outside) GiveTags(_ context.Context, nums []int64, tags []string, code, _ string) error {
	o.tags = append(o.tags, fmt.Sprint(nums, tags))
	return nil
}

type answers struct{}

func (answers) Known(_ context.Context, _, id string) (string, bool, error) {
	return "", strings.HasPrefix(id, "rp_"), nil
}

type channels struct{}

func (channels) Known(_ context.Context, ids []string) (out []string, err error) {
	if ids[0] == "offline" {
		out = ids
	}
	return out, nil
}

type stand struct {
	*Service
	t     *testing.T
	ctx   context.Context
	clock *clock.Fake
	out   *outside
	n     int
}

func each(t *testing.T, fn func(t *testing.T, s *stand)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		s := &stand{t: t, clock: testkit.Clock(), ctx: testkit.As(t.Context(), "admin"), out: &outside{made: map[string]int{}}}
		a, err := audit.New(audit.Deps{DB: d, Clock: s.clock, Log: testkit.Quiet(), Key: make([]byte, 32)})
		require.NoError(t, err)
		s.Service = NewService(Deps{DB: d, Clock: s.clock, IDs: testkit.IDs(s.clock), Log: testkit.Quiet(), Keys: testkit.Ring(), Audit: a, Platform: s.out, Answers: answers{}, Channels: channels{}, Tags: s.out, People: s.out})
		fn(t, s)
	}, audit.Migrations(), Migrations())
}

func plain() Definition {
	return Definition{Account: "ac_1", Name: "南山店茶席", Place: "南山店 二楼", Channel: "offline", Tags: []string{"tg_tea", "tg_shop"}, Reply: "rp_1"}
}

func (s *stand) make(d Definition) *Code {
	s.t.Helper()
	c, err := s.Create(s.ctx, d)
	require.NoError(s.t, err)
	require.NoError(s.t, s.Round(s.ctx))
	c, err = s.Get(s.ctx, c.ID)
	require.NoError(s.t, err)
	return c
}

// fact is one as WeChat's callbacks state it.
func (s *stand) fact(name string, c *Code, person string, follow bool) event.Stored {
	s.n++
	props := map[string]any{"account": "ac_1"}
	if c != nil {
		props["state"] = c.Key
	}
	if follow {
		props["follow"] = true
	}
	raw, _ := json.Marshal(props)
	return event.Stored{Fact: event.Fact{MessageID: fmt.Sprint("f", s.n), Type: event.Track, Name: name, Source: "wechat", Properties: raw, Timestamp: s.clock.Now().UnixMilli(),
		Contact: int64(len(person)), Identifiers: []event.Identifier{{Kind: "openid", Value: person}}}}
}

func (s *stand) follow(facts ...event.Stored) {
	s.t.Helper()
	require.NoError(s.t, s.DB.Tx(s.ctx, func(ctx context.Context) error { return s.Handle(ctx, facts) }))
}

func refusal(err error) string {
	e := errs.As(err)
	if len(e.Fields) > 0 {
		return e.Fields[0].Path + " " + e.Fields[0].Code
	}
	return e.Code
}

func TestScansAreBookedOnce(t *testing.T) {
	each(t, func(t *testing.T, s *stand) {
		c := s.make(plain())
		require.Equal(t, "http://weixin.example/q/"+c.Key, c.url)
		require.LessOrEqual(t, len(c.Key), 64, "the platform's bound")
		other := s.make(Definition{Account: "ac_1", Name: "另一个"})
		facts := []event.Stored{s.fact(event.NameCodeScanned, c, "o-1", true), s.fact(event.NameCodeScanned, c, "o-1", false), s.fact(event.NameCodeScanned, c, "o-22", true), s.fact(event.NameCodeScanned, other, "o-333", true)}
		forged := s.fact(event.NameCodeScanned, c, "o-9", true)
		forged.Source = "website"
		s.follow(append(facts, forged)...)
		s.follow(facts...) // after a crash
		require.Equal(t, []string{"[3 4] [tg_tea tg_shop]"}, s.out.tags)
		s.clock.Advance(24 * time.Hour)
		s.follow(s.fact(event.NameAccountUnfollowed, nil, "o-1", false), s.fact(event.NameAccountUnfollowed, nil, "o-stranger", false))
		st, err := s.Stats(s.ctx, c.ID, "", "")
		require.NoError(t, err)
		require.Equal(t, Figures{Scans: 3, People: 2, Follows: 2, Left: 1}, st.Total)
		require.Equal(t, []Day{{"2026-03-02", Figures{Scans: 3, People: 2, Follows: 2}}, {"2026-03-03", Figures{Left: 1}}}, st.Days)
		rows, _, total, err := s.List(s.ctx, Query{Q: "二楼"}, "", 10)
		require.NoError(t, err)
		require.Equal(t, 1, total)
		require.Equal(t, st.Total, *rows[0].Month)
		rows, _, _, err = s.List(testkit.Scoped(t.Context(), "sales", false, "us_1"), Query{}, "", 10)
		require.NoError(t, err)
		require.Nil(t, rows[0].Month, "who sees some customers sees no totals of others")
		require.NoError(t, s.Forget(s.ctx, []int64{3}))
		st, err = s.Stats(s.ctx, c.ID, "", "")
		require.NoError(t, err)
		require.Equal(t, Figures{Scans: 1, People: 1, Follows: 1}, st.Total)
	})
}

func TestWhatAScanIsAnswered(t *testing.T) {
	each(t, func(t *testing.T, s *stand) {
		d := plain()
		d.Hook = "rp_gift"
		c := s.make(d)
		scan := s.fact(event.NameCodeScanned, c, "o-1", true)
		require.Equal(t, "rp_gift", s.Choice(s.ctx, "ac_1", c.Key, "o-1", scan.MessageID))
		s.follow(scan)
		require.Equal(t, "rp_gift", s.Choice(s.ctx, "ac_1", c.Key, "o-1", scan.MessageID), "asked again about the same scan")
		require.Equal(t, "rp_1", s.Choice(s.ctx, "ac_1", c.Key, "o-1", "later"), "the gift is given once")
		require.Equal(t, "rp_gift", s.Choice(s.ctx, "ac_1", c.Key, "o-22", "x"))
		require.Empty(t, s.Choice(s.ctx, "ac_1", "somebody-elses", "o-1", "x"))
		require.Empty(t, s.Choice(s.ctx, "ac_2", c.Key, "o-1", "x"))
		_, err := s.SetState(s.ctx, c.ID, Archived)
		require.NoError(t, err)
		require.Empty(t, s.Choice(s.ctx, "ac_1", c.Key, "o-1", "x"))

		f := scan.Fact
		s.Canonical(&f)
		require.JSONEq(t, `{"account":"ac_1","state":"`+c.Key+`","follow":true,"code":"`+c.ID+`","codeName":"南山店茶席","channel":"offline"}`, string(f.Properties))
		require.JSONEq(t, `{"channel":"offline"}`, string(f.Context))
		again := f
		s.Canonical(&again)
		require.Equal(t, f, again)
	})
}

func TestCodesAreMadeInTheEnd(t *testing.T) {
	each(t, func(t *testing.T, s *stand) {
		s.out.refuse = errs.New(errs.Conflict, "wechat.too_many_scenes", "number", "45029")
		d := plain()
		d.Days = 7
		c := s.make(d)
		require.Equal(t, "wechat.too_many_scenes", c.fault)
		require.Empty(t, c.url)
		s.out.refuse = nil
		s.out.until = s.clock.Now().Add(7 * 24 * time.Hour)
		require.NoError(t, s.Round(s.ctx))
		require.Empty(t, s.out.made, "not before the pause is over")
		s.clock.Advance(2 * time.Minute)
		require.NoError(t, s.Round(s.ctx))
		c, err := s.Get(s.ctx, c.ID)
		require.NoError(t, err)
		require.NotEmpty(t, c.url)
		require.Empty(t, c.fault)
		require.False(t, c.over(s.clock.Now()))
		require.True(t, c.over(s.out.until))
		s.out.refuse = errors.New("no way there")
		c = s.make(plain())
		require.Equal(t, "scene.fault_unreachable", c.fault)
	})
}

func TestCodesThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, s *stand) {
		for want, change := range map[string]func(d *Definition){
			"name request.field_required":      func(d *Definition) { d.Name = " " },
			"account scene.no_such_account":    func(d *Definition) { d.Account = "ac_9" },
			"channel livecode.no_such_channel": func(d *Definition) { d.Channel = "x" },
			"tags[1] contact.tag_not_found":    func(d *Definition) { d.Tags = []string{"tg_a", "x"} },
			"reply menu.no_such_reply":         func(d *Definition) { d.Reply = "x" },
			"hook menu.no_such_reply":          func(d *Definition) { d.Hook = "x" },
			"days rule.out_of_range":           func(d *Definition) { d.Days = 31 },
			"place request.too_long":           func(d *Definition) { d.Place = strings.Repeat("茶", 61) },
		} {
			d := plain()
			change(&d)
			_, err := s.Create(s.ctx, d)
			require.Equal(t, want, refusal(err))
		}
		c := s.make(plain())
		d := plain()
		d.Days = 3
		_, err := s.Update(s.ctx, c.ID, d)
		require.Equal(t, "days scene.days_stay", refusal(err))
		d = plain()
		d.Name = "改名"
		c, err = s.Update(s.ctx, c.ID, d)
		require.NoError(t, err)
		require.Equal(t, "改名", c.Name)
		require.NotEmpty(t, c.url, "what is printed stays")
		_, err = s.Get(s.ctx, "sc_9")
		require.Equal(t, "scene.not_found", refusal(err))
	})
}

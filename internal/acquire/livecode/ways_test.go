package livecode

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func kinds(t *testing.T, p *pond, id string) (out []string) {
	list, err := p.Entries(p.ctx, id, 0, 100)
	require.NoError(t, err)
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, list[i].Kind)
	}
	return out
}

func TestWaysFollowTheDefinition(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c := p.make(plain())
		p.turn()
		require.Equal(t, Way{State: c.Key, Remark: "南京路店", Users: []string{"li", "wang"}, Skip: true}, p.way(c.ID))
		require.Equal(t, "https://u.wechat.example/https://wx.example/q/"+c.Key+".png", p.now(c.ID).way.text, "read out of the platform's picture")
		p.turn()
		require.Equal(t, 1, p.out.count("create"))
		require.Zero(t, p.out.count("update"), "nothing differs, nothing is written")

		_, err := p.SetOffline(p.ctx, c.ID, "li", true)
		require.NoError(t, err)
		p.turn()
		require.Equal(t, []string{"wang"}, p.way(c.ID).Users)

		d := p.now(c.ID).Definition
		d.Members = []Member{{Staff: "wang", Shifts: []Window{{everyDay, "16:00", "17:00"}}}, {Staff: "zhao", Shifts: []Window{{everyDay, "17:00", "18:00"}}}}
		d.Verify, d.Skip = VerifyWindows, []Window{{everyDay, "16:00", "16:30"}}
		_, err = p.Update(p.ctx, c.ID, d)
		require.NoError(t, err)
		p.turn()
		require.Equal(t, []string{"wang"}, p.way(c.ID).Users)
		require.True(t, p.way(c.ID).Skip)
		p.clock.Advance(30 * time.Minute)
		p.turn()
		require.False(t, p.way(c.ID).Skip)
		p.clock.Advance(30 * time.Minute)
		p.turn()
		require.Equal(t, []string{"zhao"}, p.way(c.ID).Users, "the next shift")
		p.clock.Advance(time.Hour)
		p.turn()
		require.Equal(t, []string{"wang", "zhao"}, p.way(c.ID).Users, "nobody is on duty: the pool, so that a scan meets somebody")
		require.Equal(t, WhyNobody, p.now(c.ID).way.why)

		id := p.now(c.ID).way.id
		_, err = p.SetState(p.ctx, c.ID, Archived)
		require.NoError(t, err)
		p.turn()
		require.NotContains(t, p.out.ways, id, "the platform forgets what is archived")
		_, err = p.SetState(p.ctx, c.ID, Active)
		require.NoError(t, err)
		p.turn()
		require.Equal(t, 2, p.out.count("create"))
		require.Equal(t, []string{"created", "way", "offline", "way", "changed", "way", "way", "way", "archived", "restored", "way"}, kinds(t, p, c.ID))
	})
}

func TestCapsCloseAWay(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		d := plain()
		d.Members = []Member{{Staff: "wang", Cap: 2}}
		d.Backups = []string{"zhao"}
		c := p.make(d)
		p.turn()
		p.follow(p.fact(event.NameFriendAdded, c, "wang", "wm1", 1), p.fact(event.NameFriendAdded, c, "wang", "wm2", 2))
		p.turn()
		require.Equal(t, []string{"zhao"}, p.way(c.ID).Users, "wang is full for today")
		p.clock.Advance(8 * time.Hour) // another day in China
		p.turn()
		require.Equal(t, []string{"wang"}, p.way(c.ID).Users)
	})
}

func TestWhoLeavesIsTakenOut(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c := p.make(plain())
		p.turn()
		p.office.mu.Lock()
		p.office.list[1].Off = true
		p.office.mu.Unlock()
		p.clock.Advance(2 * time.Minute) // the list of colleagues is believed for one
		p.turn()
		require.Equal(t, []string{"wang"}, p.way(c.ID).Users)
		duties, err := p.Duties(p.ctx, p.now(c.ID))
		require.NoError(t, err)
		require.Equal(t, []Duty{{Staff: "wang", Name: "王芳", On: true}, {Staff: "li", Name: "李雷", Out: OutOff}}, duties)
	})
}

func TestWhatThePlatformRefusesIsShownAndTriedLater(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.out.refuse["create"] = []error{&Refusal{Code: 48002}, &Refusal{Code: 45009, Again: true, After: 5 * time.Minute}}
		a, b := p.make(plain()), p.make(func() Definition { d := plain(); d.Name = "另一个"; return d }())
		p.turn()
		rows, _, _, err := p.List(p.ctx, Query{State: "fault"}, "", 10)
		require.NoError(t, err)
		require.Len(t, rows, 2)
		p.turn()
		require.Equal(t, 2, p.out.count("create"), "not before its time")
		p.clock.Advance(11 * time.Second)
		p.turn()
		require.Equal(t, 3, p.out.count("create"), "one after its first pause; the other as the platform said")
		p.clock.Advance(5 * time.Minute)
		p.turn()
		require.Equal(t, 4, p.out.count("create"))
		for _, id := range []string{a.ID, b.ID} {
			require.Empty(t, p.now(id).way.fault)
			require.Equal(t, []string{"created", "fault", "mended", "way"}, kinds(t, p, id))
		}
	})
}

func TestTwoNodesMakeOneWay(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c := p.make(plain())
		other := NewService(p.Deps)
		require.NoError(t, other.fresh(p.ctx))
		p.turn()
		require.NoError(t, other.Round(p.ctx)) // knows what the first one made
		require.Equal(t, 1, p.out.count("create"))
		_, err := p.SetOffline(p.ctx, c.ID, "li", true)
		require.NoError(t, err)
		require.NoError(t, other.Round(p.ctx))
		require.Equal(t, []string{"wang"}, p.way(c.ID).Users)
	})
}

func TestWrongDefinitionsAreRefusedAtTheirField(t *testing.T) {
	p := newPond(t, testkit.SQLite(t, Migrations()))
	p.Audit = nil
	part := func(a Attachment) func(*Definition) {
		return func(d *Definition) { d.Welcome.Attachments = []Attachment{a} }
	}
	for path, change := range map[string]func(*Definition){
		"name":                      func(d *Definition) { d.Name = "  " },
		"account":                   func(d *Definition) { d.Account = "ac_2" },
		"members":                   func(d *Definition) { d.Members = nil },
		"members[1].staff":          func(d *Definition) { d.Members[1].Staff = "wang" },
		"members[0].staff":          func(d *Definition) { d.Members[0].Staff = "nobody" },
		"members[0].weight":         func(d *Definition) { d.Members[0].Weight = -1 },
		"members[0].cap":            func(d *Definition) { d.Members[0].Cap = maxCap + 1 },
		"members[0].shifts[0].days": func(d *Definition) { d.Members[0].Shifts = []Window{{[]int{8}, "09:00", "10:00"}} },
		"members[0].shifts[0].from": func(d *Definition) { d.Members[0].Shifts = []Window{{[]int{1}, "9:00", "10:00"}} },
		"members[0].shifts[0].to":   func(d *Definition) { d.Members[0].Shifts = []Window{{[]int{1}, "09:00", "09:00"}} },
		"backups[0]":                func(d *Definition) { d.Backups = []string{"nobody"} },
		"verify":                    func(d *Definition) { d.Verify = "maybe" },
		"skip":                      func(d *Definition) { d.Verify = VerifyWindows },
		"tags[1]":                   func(d *Definition) { d.Tags = []string{"tg_1", "xx"} },
		"remark": func(d *Definition) {
			d.Remark = "{name}一二三四五六七八九十一二三四五六七八九十一"
		},
		"pool":                         func(d *Definition) { d.Pool = "other" },
		"channel":                      func(d *Definition) { d.Channel = "nowhere" },
		"folder":                       func(d *Definition) { d.Folder = "lf_1" },
		"welcome.text":                 func(d *Definition) { d.Welcome.Text = "" },
		"timed[0].windows":             func(d *Definition) { d.Timed = []Timed{{Welcome: Welcome{Text: "x"}}} },
		"timed[0].text":                func(d *Definition) { d.Timed = []Timed{{Windows: []Window{{everyDay, "09:00", "10:00"}}}} },
		"hook.name":                    func(d *Definition) { d.Hook = &Hook{Text: "x"} },
		"hook.text":                    func(d *Definition) { d.Hook = &Hook{Name: "x"} },
		"expiry.staff":                 func(d *Definition) { d.Expiry = &Expiry{At: p.clock.Now()} },
		"expiry.staff[0]":              func(d *Definition) { d.Expiry = &Expiry{At: p.clock.Now(), Staff: []string{"nobody"}} },
		"welcome.attachments":          func(d *Definition) { d.Welcome.Attachments = make([]Attachment, 10) },
		"welcome.attachments[0].kind":  part(Attachment{Kind: "video"}),
		"welcome.attachments[0].url":   part(Attachment{Kind: PartLink, Title: "x", URL: "javascript:alert(1)"}),
		"welcome.attachments[0].title": part(Attachment{Kind: PartLink, URL: "https://x.example"}),
		"welcome.attachments[0].file":  part(Attachment{Kind: PartImage, File: "lm_none"}),
		"welcome.attachments[0].appId": part(Attachment{Kind: PartApp, Title: "x"}),
	} {
		d := plain()
		change(&d)
		_, err := p.Create(p.ctx, d)
		e := errs.As(err)
		require.NotNil(t, e, path)
		require.Equal(t, errs.Invalid, e.Kind, path)
		require.Len(t, e.Fields, 1, path)
		require.Equal(t, path, e.Fields[0].Path)
	}
	c := p.make(plain())
	d := plain()
	d.Account = "ac_2"
	_, err := p.Update(p.ctx, c.ID, d)
	require.Equal(t, "account", errs.As(err).Fields[0].Path, "what is printed belongs to the account")
}

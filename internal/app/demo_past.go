package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/acquire/link"
	"github.com/koipond/koipond/internal/acquire/livecode"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/demo"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/staff"
)

// unsettled tells that the demo is not done with its past: no sync begins by itself
// before the simulated company knows the people it is to find.
func (a *App) unsettled() bool { return a.demo != nil && !a.demo.settled.Load() }

// past gives the pond's people their doings outside: friends of the staff by live
// codes, some of whom left again, and openings of links. The simulated company knows
// the same people, so that a sync finds what the facts say. It is stated the way
// connectors state it: through the door in this process.
func (d *demoPond) past(ctx context.Context, a *App, o demo.Options) error {
	p := demoProgress{d: d, state: a.state, log: a.log}
	if done, err := p.Done(ctx, stagePast); err != nil || done || a.sim == nil {
		return err
	}
	accounts, err := a.connectors.Accounts(ctx, simKind)
	if err != nil || len(accounts) == 0 {
		return err
	}
	account := accounts[0].ID
	if err := a.sim.sim.Employ(demo.Leaver, "白若溪", "线上顾问", 5); err != nil {
		return err
	}
	codes, err := d.codes(ctx, a, account)
	if err != nil {
		return err
	}
	facts, known, err := d.friends(a, o, account, codes)
	if err != nil {
		return err
	}
	fans, err := d.fans(ctx, a, o, known)
	if err != nil {
		return err
	}
	opens, err := d.opens(ctx, a, o)
	if err != nil {
		return err
	}
	for list := slices.Concat(facts, fans, opens); len(list) > 0; {
		n := min(len(list), 500)
		if _, err := a.intake.Ingest(ctx, list[:n]); err != nil {
			return fmt.Errorf("state the demo's past: %w", err)
		}
		list = list[n:]
	}
	return p.Mark(ctx, stagePast)
}

// friends are the facts of friendships; the simulated company learns of them first.
func (d *demoPond) friends(a *App, o demo.Options, account string, codes []*livecode.Code) ([]event.Fact, []demo.Friend, error) {
	known := make([]demo.Code, len(codes))
	for i, c := range demoCodes {
		known[i] = demo.Code{Channel: c.channel, Staff: c.staff, Backup: c.backup, From: c.from, To: c.to, Weight: c.weight}
	}
	list := o.Friends(known)
	met := make([]sim.Past, len(list))
	for i, f := range list {
		met[i] = sim.Past{ID: pondPerson(f), Name: f.Name, Gender: f.Gender, City: f.City, Phone: f.Phone, Staff: f.Staff, Since: f.At, GoneAt: f.GoneAt}
		if f.Code >= 0 {
			met[i].State = codes[f.Code].Key
		}
		if f.Group && f.GoneAt.IsZero() {
			met[i].Group = demoGroups[f.Staff]
		}
	}
	ids, err := a.sim.sim.Bring(met)
	if err != nil {
		return nil, nil, err
	}
	var out []event.Fact
	for i, f := range list {
		props := map[string]any{"account": account, "staff": f.Staff}
		if met[i].State != "" {
			props["state"] = met[i].State
		}
		state := func(name string, at time.Time, props map[string]any) {
			raw, _ := json.Marshal(props) // texts always encode
			out = append(out, event.Fact{MessageID: o.MessageID(f, name), Type: event.Track, Name: name, UserID: f.UserID, Timestamp: at.UnixMilli(), Source: wecom.Source,
				Identifiers: []event.Identifier{{Kind: contact.KindExternalUserID, Value: ids[i]}}, Properties: raw})
		}
		state(event.NameFriendAdded, f.At, props)
		if !f.GoneAt.IsZero() {
			state(event.NameFriendDeleted, f.GoneAt, map[string]any{"account": account, "staff": f.Staff})
		}
	}
	return out, list, nil
}

// demoGroups are groups that colleagues have with their customers.
var demoGroups = map[string]string{demo.Leaver: "白茶慢饮小组", "mingyue": "线上会员群", "zhiqiu": "湖滨店熟客群", "nianan": "天河店熟客群"}

// demoLinks are links that went out a while ago.
var demoLinks = []struct {
	title, target, channel, campaign string
	days                             int // since when
}{
	{"公众号菜单：会员日", "https://www.example.com/member-day", "social", "member-day", 75},
	{"包裹卡：冲泡指南", "https://www.example.com/guides/brewing", "ecommerce", "parcel", 110},
	{"短视频：白茶产地纪录片", "https://www.example.com/films/fuding", "short_video", "fuding", 48},
}

// opens are the facts of who opened those links.
func (d *demoPond) opens(ctx context.Context, a *App, o demo.Options) ([]event.Fact, error) {
	have, err := a.links.Titles(ctx)
	if err != nil {
		return nil, err
	}
	var out []event.Fact
	for i, l := range demoLinks {
		code := have[l.title]
		if code == "" {
			made, err := a.links.CreateAt(ctx, d.end.AddDate(0, 0, -l.days), link.Input{Title: l.title, Target: l.target, Channel: l.channel, Source: "wechat", Medium: "post", Campaign: l.campaign})
			if err != nil {
				return nil, fmt.Errorf("make the link %s: %w", l.title, err)
			}
			code = made[0].Code
		}
		for _, x := range o.Openings(l.channel, l.days, uint64(i)) {
			f, err := link.Opening(code, l.title, l.channel, x.Agent)
			if err != nil {
				return nil, err
			}
			f.MessageID, f.UserID, f.Timestamp = x.MessageID, x.UserID, x.At.UnixMilli()
			out = append(out, f)
		}
	}
	return out, nil
}

// look reads the staff and the customers of the simulated company for the first time,
// has one of them leave, and asks how the account is: what somebody would do who has
// just connected one.
func (d *demoPond) look(ctx context.Context, a *App) error {
	defer d.settled.Store(true)
	p := demoProgress{d: d, state: a.state, log: a.log}
	if done, err := p.Done(ctx, stageLook); err != nil || done || a.sim == nil {
		return err
	}
	ctx = auth.With(ctx, auth.System("演示数据"))
	accounts, err := a.connectors.Accounts(ctx, simKind)
	if err != nil || len(accounts) == 0 {
		return err
	}
	job, err := a.staff.Sync(ctx, staff.SyncInput{Account: accounts[0].ID})
	if err != nil {
		return err
	}
	if _, err := a.jobs.Wait(ctx, job.ID); err != nil {
		return err
	}
	if err := a.sim.sim.Quit(demo.Leaver); err != nil {
		return err
	}
	for _, kind := range []string{simKind, wechat.Name, wechat.NameMini} {
		list, err := a.connectors.Accounts(ctx, kind)
		if err != nil || len(list) == 0 {
			continue // somebody took it away
		}
		if _, err := a.connectors.Check(ctx, list[0].ID); err != nil {
			return err
		}
	}
	return p.Mark(ctx, stageLook)
}

// stageLook is the first look at the account, once the pond is full.
const stageLook = "look"

package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/demo"
	"github.com/koipond/koipond/internal/event"
)

// fanShare is one in how many friends of the demo follows the official account, too.
const fanShare = 4

// What followers of the demo wrote, and which buttons they pressed.
var (
	demoWords   = []string{"有桂花乌龙吗？", "湖滨店几点开门？", "会员日什么时候？", "白茶怎么保存？", "能开发票吗？", "想约周六的品鉴会"}
	demoButtons = []string{"NEW", "EVENT", "MEMBER"}
)

// fans are the facts of who of the pond follows the official account, and what they
// did there; the simulator learns of them first. Their unionid is that of the friend.
func (d *demoPond) fans(ctx context.Context, a *App, o demo.Options, list []demo.Friend) ([]event.Fact, error) {
	accounts, err := a.connectors.Accounts(ctx, wechat.Name)
	if err != nil || len(accounts) == 0 {
		return nil, err
	}
	account := accounts[0]
	var fans []demo.Friend
	var met []sim.PastFollower
	for i, f := range list {
		since := f.At.Add(time.Duration(1+f.No%400) * time.Hour)
		if i%fanShare != 0 || !f.GoneAt.IsZero() || !since.Before(d.end) {
			continue
		}
		fans = append(fans, f)
		met = append(met, sim.PastFollower{Person: pondPerson(f), Since: since})
	}
	ids, err := a.sim.sim.BringFollowers(account.Setting("appId"), met)
	if err != nil {
		return nil, fmt.Errorf("bring followers: %w", err)
	}
	var out []event.Fact
	for i, f := range fans {
		out = append(out, d.fan(account, o, f, met[i].Since, ids[i])...)
	}
	return out, nil
}

// fan is what one follower did: all follow, some wrote, some pressed a button.
func (d *demoPond) fan(account connector.Account, o demo.Options, f demo.Friend, since time.Time, ids sim.PastIDs) (out []event.Fact) {
	state := func(name string, at time.Time, props map[string]any) {
		if !at.Before(d.end) {
			return
		}
		props["account"] = account.ID
		raw, _ := json.Marshal(props) // texts always encode
		out = append(out, event.Fact{MessageID: o.MessageID(f, name), Type: event.Track, Name: name, UserID: f.UserID, Timestamp: at.UnixMilli(), Source: wechat.Source,
			Identifiers: wechat.Identifiers(ids.OpenID, ids.UnionID), Properties: raw})
	}
	state(event.NameAccountFollowed, since, map[string]any{})
	if n := f.No % 3; n > 0 {
		state(event.NameMenuClicked, since.Add(time.Duration(f.No%50)*time.Hour), map[string]any{"type": wechat.EventClick, "key": demoButtons[f.No%len(demoButtons)]})
		if n > 1 {
			state(event.NameMessageReceived, since.Add(time.Duration(f.No%90)*time.Hour+time.Minute), map[string]any{"form": "text", "text": demoWords[f.No%len(demoWords)]})
		}
	}
	return out
}

// pondPerson is the id of somebody of the pond in the simulated world.
func pondPerson(f demo.Friend) string { return fmt.Sprintf("p_pond%07d", f.No) }

package sim

import (
	"encoding/json"
	"strconv"
	"time"
)

// KfAccount is a customer service account of a corp.
type KfAccount struct {
	ID       string             `json:"id"`
	Name     string             `json:"name"`
	Servants []string           `json:"servants"`
	Messages []*KfMessage       `json:"messages"`
	Talks    map[string]*KfTalk `json:"talks"`  // by external_userid
	Tokens   map[string]int64   `json:"tokens"` // of callbacks, by when they were given
	Codes    map[string]*KfCode `json:"codes"`
	Own      map[string]int64   `json:"own,omitempty"` // ids that the company gave its messages, by when
}

// KfMessage is one message in either direction.
type KfMessage struct {
	ID       string          `json:"id"`
	External string          `json:"external"`
	At       time.Time       `json:"at"`
	Origin   int             `json:"origin"` // 3 customer, 4 system, 5 agent
	Staff    string          `json:"staff,omitempty"`
	Type     string          `json:"type"`
	Body     json.RawMessage `json:"body"`
}

// KfTalk is how a conversation stands.
type KfTalk struct {
	State int       `json:"state"` // 0 new, 1 by the program, 2 waits, 3 by a person, 4 ended
	Staff string    `json:"staff,omitempty"`
	Last  time.Time `json:"last"` // word of the customer
	Sent  int       `json:"sent"` // answers since then
}

// KfCode lets an event be answered once.
type KfCode struct {
	External string    `json:"external"`
	At       time.Time `json:"at"`
	Used     bool      `json:"used"`
}

func (c *call) kf(id string) (*KfAccount, error) {
	if id == "" {
		return nil, refuse(95000)
	}
	for _, k := range c.corp.Kf {
		if k.ID == id {
			return k, nil
		}
	}
	return nil, refuse(95004)
}

func kfAccounts(c *call) (answer, error) {
	out := []answer{}
	for _, k := range c.corp.Kf {
		out = append(out, answer{"open_kfid": k.ID, "name": k.Name, "avatar": c.base + "/sim/avatar/app.svg", "manage_privilege": true})
	}
	return answer{"account_list": out}, nil
}

func kfAddWay(c *call) (answer, error) {
	var in struct {
		ID    string `json:"open_kfid"`
		Scene string `json:"scene"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	k, err := c.kf(in.ID)
	if err != nil {
		return nil, err
	}
	return answer{"url": c.base + "/sim/c/kf:" + k.ID + "?scene=" + in.Scene}, nil
}

// kfSync hands out messages after a cursor. Without the token of a callback it
// is counted strictly, which is left out here; a wrong or old token is refused.
func kfSync(c *call) (answer, error) {
	var in struct {
		Cursor string `json:"cursor"`
		Token  string `json:"token"`
		Limit  int    `json:"limit"`
		ID     string `json:"open_kfid"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	k, err := c.kf(in.ID)
	if err != nil {
		return nil, err
	}
	l := c.s.limits.WeCom
	if in.Token != "" {
		at, ok := k.Tokens[in.Token]
		if !ok || c.now.Sub(time.UnixMilli(at)) > seconds(l.KfTokenSeconds) {
			return nil, refuse(95007)
		}
	}
	cut, next, err := page(k.Messages, in.Cursor, in.Limit, l.KfPage)
	if err != nil {
		return nil, err
	}
	more := 0
	if next != "" {
		more = 1
	} else { // the platform gives a cursor at the end too: what comes later follows it
		next = "cur_" + strconv.Itoa(len(k.Messages))
	}
	list := []answer{}
	for _, m := range cut {
		one := answer{"msgid": m.ID, "send_time": m.At.Unix(), "origin": m.Origin, "msgtype": m.Type}
		if m.Type == "event" {
			one["event"] = m.Body
		} else {
			one["open_kfid"], one["external_userid"], one[m.Type] = k.ID, m.External, m.Body
			if m.Staff != "" {
				one["servicer_userid"] = m.Staff
			}
		}
		list = append(list, one)
	}
	return answer{"next_cursor": next, "has_more": more, "msg_list": list}, nil
}

func kfState(c *call) (answer, error) {
	var in struct {
		ID       string `json:"open_kfid"`
		External string `json:"external_userid"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	k, err := c.kf(in.ID)
	if err != nil {
		return nil, err
	}
	talk := k.Talks[in.External]
	if talk == nil {
		return answer{"service_state": 0}, nil
	}
	return answer{"service_state": talk.State, "servicer_userid": talk.Staff}, nil
}

func kfTrans(c *call) (answer, error) {
	var in struct {
		ID       string `json:"open_kfid"`
		External string `json:"external_userid"`
		State    int    `json:"service_state"`
		Staff    string `json:"servicer_userid"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	k, err := c.kf(in.ID)
	if err != nil {
		return nil, err
	}
	talk := k.Talks[in.External]
	if talk == nil || in.State < 1 || in.State > 4 || talk.State == 4 || talk.State == 3 && in.State < 3 {
		return nil, refuse(95016)
	}
	if in.State == 3 {
		if _, err := c.member(in.Staff); err != nil {
			return nil, refuse(95014)
		}
		talk.Staff = in.Staff
	}
	talk.State = in.State
	return nil, nil
}

func kfCustomers(c *call) (answer, error) {
	var in struct {
		IDs []string `json:"external_userid_list"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	if len(in.IDs) == 0 || len(in.IDs) > 100 {
		return nil, refuse(40058)
	}
	list, bad := []answer{}, []string{}
	for _, id := range in.IDs {
		p := c.w.people[c.corp.External[id]]
		if p == nil {
			bad = append(bad, id)
			continue
		}
		one := answer{"external_userid": id, "nickname": p.Name, "avatar": c.base + "/sim/avatar/" + p.ID + ".svg", "gender": p.Gender}
		if c.corp.ShareUnion {
			one["unionid"] = p.UnionID
		}
		list = append(list, one)
	}
	return answer{"customer_list": list, "invalid_external_userid": bad}, nil
}

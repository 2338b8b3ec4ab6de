package sim

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/koipond/koipond/internal/platform/errs"
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

type kfSend struct {
	To    string `json:"touser"`
	ID    string `json:"open_kfid"`
	Code  string `json:"code"`
	MsgID string `json:"msgid"`
	Type  string `json:"msgtype"`
	Text  *struct {
		Content string `json:"content"`
	} `json:"text"`
	Link *struct {
		Title string `json:"title"`
		Desc  string `json:"desc"`
		URL   string `json:"url"`
	} `json:"link"`
	Menu *struct {
		Head string `json:"head_content"`
		List []struct {
			Type  string `json:"type"`
			Click *struct {
				ID      string `json:"id"`
				Content string `json:"content"`
			} `json:"click"`
			View *struct {
				URL     string `json:"url"`
				Content string `json:"content"`
			} `json:"view"`
		} `json:"list"`
		Tail string `json:"tail_content"`
	} `json:"msgmenu"`
}

// line is what the phone shows of it.
func (in kfSend) line(w *World, now time.Time, name string) (Line, error) {
	l := Line{ID: w.next("m", 20), At: now, From: "them", Name: name, Via: "kf"}
	switch {
	case in.Type == "text" && in.Text != nil && in.Text.Content != "":
		if len(in.Text.Content) > 2048 {
			return l, refuse(45002)
		}
		l.Kind, l.Text = "text", in.Text.Content
	case in.Type == "link" && in.Link != nil && in.Link.URL != "":
		l.Kind, l.Title, l.Text, l.URL = "link", in.Link.Title, in.Link.Desc, in.Link.URL
	case in.Type == "msgmenu" && in.Menu != nil:
		l.Kind, l.Text = "menu", in.Menu.Head
		for _, m := range in.Menu.List {
			if m.Click != nil {
				l.Menu = append(l.Menu, MenuItem{ID: m.Click.ID, Text: m.Click.Content})
			} else if m.View != nil {
				l.Menu = append(l.Menu, MenuItem{URL: m.View.URL, Text: m.View.Content})
			}
		}
	default:
		return l, refuse(40008)
	}
	return l, nil
}

// MenuItem is one line of a menu in a message.
type MenuItem struct {
	ID   string `json:"id,omitempty"`
	Text string `json:"text"`
	URL  string `json:"url,omitempty"`
}

func kfSendMessage(c *call) (answer, error) {
	var in kfSend
	if err := c.in(&in); err != nil {
		return nil, err
	}
	k, err := c.kf(in.ID)
	if err != nil {
		return nil, err
	}
	p := c.w.people[c.corp.External[in.To]]
	talk := k.Talks[in.To]
	l := c.s.limits.WeCom
	switch {
	case p == nil:
		return nil, refuse(40096)
	case talk == nil || c.now.Sub(talk.Last) > time.Duration(l.KfHours)*time.Hour:
		return nil, refuse(95002)
	case talk.State == 4:
		return nil, refuse(95013)
	case talk.Sent >= l.KfReplies:
		return nil, refuse(95001)
	}
	c.about = in.To
	line, err := in.line(c.w, c.now, k.Name)
	if err != nil {
		return nil, err
	}
	talk.Sent++
	p.chat("kf", c.corp.ID, k.ID).say(line)
	c.said = short(line.Text, 60)
	return answer{"msgid": first(in.MsgID, line.ID)}, nil
}

func kfSendOnEvent(c *call) (answer, error) {
	var in kfSend
	if err := c.in(&in); err != nil {
		return nil, err
	}
	for _, k := range c.corp.Kf {
		code := k.Codes[in.Code]
		if code == nil {
			continue
		}
		if code.Used || c.now.Sub(code.At) > seconds(c.s.limits.WeCom.KfEventSeconds) {
			return nil, refuse(95018)
		}
		line, err := in.line(c.w, c.now, k.Name)
		if err != nil {
			return nil, err
		}
		code.Used = true
		c.about, c.said = code.External, short(line.Text, 60)
		c.w.people[c.corp.External[code.External]].chat("kf", c.corp.ID, k.ID).say(line)
		return answer{"msgid": first(in.MsgID, line.ID)}, nil
	}
	return nil, refuse(95018)
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

// Ask is a customer writing to a customer service account; the first word of a
// person who comes opens the session.
func (s *Sim) Ask(who, account, text string) error {
	if text == "" || len(text) > 4000 {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("text", "sim.text_length", "most", 4000))
	}
	return s.at(func(w *World, now time.Time) error {
		p, err := w.find(who)
		if err != nil {
			return err
		}
		for _, c := range w.Corps {
			for _, k := range c.Kf {
				if k.ID == account || k.Name == account || account == "" {
					s.kfWord(w, c, k, p, text, now)
					return nil
				}
			}
		}
		if a, err := w.findApp(account, ""); err == nil && account != "" {
			return s.write(w, a, p, text, now)
		}
		return errs.New(errs.NotFound, "sim.staff_not_found", "name", short(account, 60))
	})
}

func (s *Sim) kfWord(w *World, c *Corp, k *KfAccount, p *Person, text string, now time.Time) {
	fill(&k.Talks)
	fill(&k.Codes)
	ext := w.externalID(c, p)
	talk := k.Talks[ext]
	if talk == nil || talk.State == 4 {
		code := w.next("", 40)
		k.Codes[code] = &KfCode{External: ext, At: now}
		body, _ := json.Marshal(answer{"event_type": "enter_session", "open_kfid": k.ID, "external_userid": ext, "welcome_code": code, "scene": ""}) // plain texts always encode
		k.Messages = append(k.Messages, &KfMessage{ID: w.next("msg_", 24), External: ext, At: now, Origin: 4, Type: "event", Body: body})
		talk = &KfTalk{}
		k.Talks[ext] = talk
	}
	talk.Last, talk.Sent = now, 0
	body, _ := json.Marshal(answer{"content": text}) // plain texts always encode
	k.Messages = append(k.Messages, &KfMessage{ID: w.next("msg_", 24), External: ext, At: now, Origin: 3, Type: "text", Body: body})
	p.chat("kf", c.ID, k.ID).say(Line{ID: w.next("m", 20), At: now, From: "me", Name: p.Name, Kind: "text", Text: text})
	s.diary.act(now, "ask", ext, "", short(text, 60))
	s.tellKf(w, c, k, ext, now)
}

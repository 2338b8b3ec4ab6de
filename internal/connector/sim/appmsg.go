package sim

import (
	"encoding/json"
	"strings"
)

// AppLine is a message of an app to one of the staff.
type AppLine struct {
	Staff string `json:"staff"`
	Type  string `json:"type"`
	Text  string `json:"text"`
	At    int64  `json:"at"`
}

// appLinesKept bounds what is remembered of app messages.
const appLinesKept = 1000

// appSend is the app speaking to the staff.
func appSend(c *call) (answer, error) {
	var in struct {
		Users   string          `json:"touser"`
		Parties string          `json:"toparty"`
		Tags    string          `json:"totag"`
		Type    string          `json:"msgtype"`
		Agent   int             `json:"agentid"`
		Text    json.RawMessage `json:"text"`
		Mark    json.RawMessage `json:"markdown"`
		Card    json.RawMessage `json:"textcard"`
		News    json.RawMessage `json:"news"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	switch {
	case in.Agent == 0:
		return nil, refuse(41011)
	case c.corp.agent(in.Agent) == nil:
		return nil, refuse(40056)
	case in.Agent != c.agent.ID:
		return nil, refuse(301002)
	}
	body, ok := map[string]json.RawMessage{"text": in.Text, "markdown": in.Mark, "textcard": in.Card, "news": in.News}[in.Type]
	if !ok {
		return nil, refuse(40008)
	}
	if len(body) == 0 {
		return nil, refuse(44004)
	}
	text, err := c.appText(in.Type, body)
	if err != nil {
		return nil, err
	}
	users, badUsers, badParties, err := c.appReceivers(in.Users, in.Parties)
	if err != nil {
		return nil, err
	}
	l := c.s.limits.WeCom
	if c.corp.appToday(day(c.now), len(users)) > l.AppPerDayFactor*len(c.corp.Staff) {
		return nil, refuse(45009)
	}
	for _, id := range users {
		// Beyond a member's own rate the platform drops the message and says nothing.
		if c.s.within("app to "+c.corp.ID+" "+id, c.now, l.AppPerMinute, l.AppPerHour) {
			c.corp.App = append(c.corp.App, AppLine{Staff: id, Type: in.Type, Text: text, At: c.now.UnixMilli()})
		}
	}
	if n := len(c.corp.App) - appLinesKept; n > 0 {
		c.corp.App = append([]AppLine{}, c.corp.App[n:]...)
	}
	c.said = short(text, 60)
	return answer{"invaliduser": strings.Join(badUsers, "|"), "invalidparty": strings.Join(badParties, "|"), "invalidtag": in.Tags, "msgid": c.w.next("", 64)}, nil
}

func (c *call) appText(kind string, body json.RawMessage) (string, error) {
	var one struct {
		Content  string `json:"content"`
		Title    string `json:"title"`
		Articles []struct {
			Title string `json:"title"`
		} `json:"articles"`
	}
	if json.Unmarshal(body, &one) != nil {
		return "", refuse(40035)
	}
	text := one.Content
	switch kind {
	case "textcard":
		text = one.Title
	case "news":
		if len(one.Articles) == 0 || len(one.Articles) > 8 {
			return "", refuseOn(40058, "articles")
		}
		text = one.Articles[0].Title
	}
	if text == "" {
		return "", refuse(44004)
	}
	if len(text) > c.s.limits.WeCom.AppTextBytes {
		return "", refuse(45002)
	}
	return text, nil
}

func (c *call) appReceivers(to, parties string) (users, badUsers, badParties []string, err error) {
	seen := map[string]bool{}
	add := func(id string) {
		if !seen[id] {
			seen[id] = true
			users = append(users, id)
		}
	}
	if to == "@all" {
		for _, m := range c.corp.Staff {
			if m.Status == active && c.sees(m.UserID) {
				add(m.UserID)
			}
		}
	} else {
		ids := split(to)
		if len(ids) > c.s.limits.WeCom.AppUsers {
			return nil, nil, nil, refuse(40032)
		}
		for _, id := range ids {
			if m := c.corp.staff[id]; m != nil && m.Status == active && c.sees(id) {
				add(id)
			} else {
				badUsers = append(badUsers, id)
			}
		}
		for _, p := range split(parties) {
			n := number(p)
			if c.corp.department(n) == nil {
				badParties = append(badParties, p)
				continue
			}
			for _, m := range c.corp.below(n) {
				if m.Status == active && c.sees(m.UserID) {
					add(m.UserID)
				}
			}
		}
	}
	if len(users) == 0 {
		return nil, nil, nil, refuse(81013)
	}
	return users, badUsers, badParties, nil
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

func number(s string) int {
	n := 0
	for _, r := range s {
		if r < '0' || r > '9' || n > 1<<30 {
			return -1
		}
		n = n*10 + int(r-'0')
	}
	return n
}

// appToday counts messages of a day and gives the sum.
func (c *Corp) appToday(day string, n int) int {
	if c.AppDay != day {
		c.AppDay, c.AppCount = day, 0
	}
	c.AppCount += n
	return c.AppCount
}

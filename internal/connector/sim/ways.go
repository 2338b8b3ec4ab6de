package sim

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// wayInput is what a contact way is made of or changed by. Pointers tell what
// was given: a change leaves the rest as it is.
type wayInput struct {
	ConfigID      string          `json:"config_id"`
	Type          int             `json:"type"`
	Scene         int             `json:"scene"`
	Style         *int            `json:"style"`
	Remark        *string         `json:"remark"`
	SkipVerify    *bool           `json:"skip_verify"`
	State         *string         `json:"state"`
	User          *[]string       `json:"user"`
	Party         *[]int          `json:"party"`
	IsTemp        bool            `json:"is_temp"`
	ExpiresIn     *int            `json:"expires_in"`
	ChatExpiresIn *int            `json:"chat_expires_in"`
	UnionID       *string         `json:"unionid"`
	IsExclusive   bool            `json:"is_exclusive"`
	Conclusions   json.RawMessage `json:"conclusions"`
}

func addContactWay(c *call) (answer, error) {
	var in wayInput
	if err := c.in(&in); err != nil {
		return nil, err
	}
	switch {
	case in.Type == 0:
		return nil, refuse(41037)
	case in.Type != 1 && in.Type != 2:
		return nil, refuse(41039)
	case in.Scene == 0:
		return nil, refuse(41038)
	case in.Scene != 1 && in.Scene != 2:
		return nil, refuse(41040)
	case len(c.corp.Ways)+len(c.corp.Joins) >= c.s.limits.WeCom.Ways:
		return nil, refuse(41045)
	}
	w := &Way{Type: in.Type, Scene: in.Scene, IsTemp: in.IsTemp, IsExclusive: in.IsExclusive, SkipVerify: true, Created: c.now}
	if in.IsTemp {
		w.ExpiresIn = c.s.limits.WeCom.WayTempDefaultSeconds
	}
	if err := c.applyWay(w, in); err != nil {
		return nil, err
	}
	w.ConfigID = c.w.hexID(32)
	c.corp.Ways[w.ConfigID] = w
	out := answer{"config_id": w.ConfigID}
	if w.Scene == 2 {
		out["qr_code"] = c.qrCode(w.ConfigID)
	}
	return out, nil
}

func (c *call) qrCode(config string) string { return c.base + "/sim/qr/" + config + ".png" }

// applyWay checks and writes what was given.
func (c *call) applyWay(w *Way, in wayInput) error {
	l := c.s.limits.WeCom
	user, party := w.User, w.Party
	if in.User != nil {
		user = *in.User
	}
	if in.Party != nil {
		party = *in.Party
	}
	for _, id := range user {
		if _, err := c.follower(id); err != nil {
			return err
		}
	}
	for _, id := range party {
		if c.corp.department(id) == nil {
			return refuse(60003)
		}
	}
	people := len(user) + len(c.corp.below(party...))
	switch {
	case w.Type == 1 && (len(user) != 1 || len(party) > 0):
		return refuseOn(41041, "type 1 takes one user")
	case w.Type == 2 && people == 0:
		return refuse(41009)
	case people > l.WayUsers:
		return refuse(41041)
	case tooLong(in.State, l.WayState):
		return refuseOn(40058, "state exceeds max length")
	case tooLong(in.Remark, l.WayRemark):
		return refuseOn(40058, "remark exceeds max length")
	case in.Style != nil && w.Scene == 1 && (*in.Style < 1 || *in.Style > 3):
		return refuse(41042)
	}
	if in.ExpiresIn != nil && w.IsTemp {
		if *in.ExpiresIn <= 0 || *in.ExpiresIn > l.WayTempSeconds {
			return refuseOn(40058, "expires_in")
		}
		w.ExpiresIn = *in.ExpiresIn
	}
	w.User, w.Party = user, party
	set(&w.Remark, in.Remark)
	set(&w.State, in.State)
	set(&w.UnionID, in.UnionID)
	setInt(&w.Style, in.Style)
	setInt(&w.ChatExpiresIn, in.ChatExpiresIn)
	if in.SkipVerify != nil {
		w.SkipVerify = *in.SkipVerify
	}
	if in.Conclusions != nil {
		w.Conclusions = in.Conclusions
	}
	return nil
}

func setInt(to, v *int) {
	if v != nil {
		*to = *v
	}
}

// way finds one that is still there.
func (c *call) way(config string) (*Way, error) {
	if config == "" {
		return nil, refuse(41043)
	}
	w := c.corp.Ways[config]
	if w == nil {
		return nil, refuse(41044)
	}
	return w, nil
}

func getContactWay(c *call) (answer, error) {
	var in wayInput
	if err := c.in(&in); err != nil {
		return nil, err
	}
	w, err := c.way(in.ConfigID)
	if err != nil {
		return nil, err
	}
	out := answer{"config_id": w.ConfigID, "type": w.Type, "scene": w.Scene, "style": w.Style, "remark": w.Remark, "skip_verify": w.SkipVerify, "state": w.State,
		"user": orNone(w.User), "party": append([]int{}, w.Party...), "is_temp": w.IsTemp}
	if w.Scene == 2 {
		out["qr_code"] = c.qrCode(w.ConfigID)
	}
	if w.IsTemp {
		out["expires_in"], out["chat_expires_in"], out["unionid"] = w.ExpiresIn, w.ChatExpiresIn, w.UnionID
	}
	if w.Conclusions != nil {
		out["conclusions"] = w.Conclusions
	}
	return answer{"contact_way": out}, nil
}

func listContactWay(c *call) (answer, error) {
	var in struct {
		From   int64  `json:"start_time"`
		To     int64  `json:"end_time"`
		Cursor string `json:"cursor"`
		Limit  int    `json:"limit"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	var all []*Way
	for _, w := range c.corp.Ways {
		if !w.IsTemp && (in.From == 0 || w.Created.Unix() >= in.From) && (in.To == 0 || w.Created.Unix() <= in.To) {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b *Way) int {
		if d := a.Created.Compare(b.Created); d != 0 {
			return d
		}
		return strings.Compare(a.ConfigID, b.ConfigID)
	})
	cut, next, err := page(all, in.Cursor, in.Limit, 1000)
	if err != nil {
		return nil, err
	}
	out := []answer{}
	for _, w := range cut {
		out = append(out, answer{"config_id": w.ConfigID})
	}
	return answer{"contact_way": out, "next_cursor": next}, nil
}

func updateContactWay(c *call) (answer, error) {
	var in wayInput
	if err := c.in(&in); err != nil {
		return nil, err
	}
	w, err := c.way(in.ConfigID)
	if err != nil {
		return nil, err
	}
	changed := *w
	if err := c.applyWay(&changed, in); err != nil {
		return nil, err
	}
	*w = changed
	return nil, nil
}

func delContactWay(c *call) (answer, error) {
	var in wayInput
	if err := c.in(&in); err != nil {
		return nil, err
	}
	w, err := c.way(in.ConfigID)
	if err != nil {
		return nil, err
	}
	delete(c.corp.Ways, w.ConfigID)
	return nil, nil
}

// over tells whether a way leads nowhere any more.
func (w *Way) over(now time.Time) bool {
	return w.IsTemp && w.ExpiresIn > 0 && now.Sub(w.Created) > seconds(w.ExpiresIn)
}

// meet picks whom a scan meets: those named and those of the departments take
// turns, as the platform deals them out.
func (c *Corp) meet(w *Way) *Member {
	var able []*Member
	add := func(m *Member) {
		if m != nil && m.Status == active && m.Follows && !slices.Contains(able, m) {
			able = append(able, m)
		}
	}
	for _, id := range w.User {
		add(c.staff[id])
	}
	for _, m := range c.below(w.Party...) {
		add(m)
	}
	if len(able) == 0 {
		return nil
	}
	w.Turn++
	return able[(w.Turn-1)%len(able)]
}

// short cuts a text for the diary.
func short(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

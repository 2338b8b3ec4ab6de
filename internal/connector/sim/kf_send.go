package sim

import (
	"regexp"
	"strings"
	"time"
)

// kfSend is a message of customer service.
type kfSend struct {
	To    string `json:"touser"`
	ID    string `json:"open_kfid"`
	Code  string `json:"code"`
	MsgID string `json:"msgid"`
	Type  string `json:"msgtype"`
	Text  *struct {
		Content string `json:"content"`
	} `json:"text"`
	Image *mediaRef `json:"image"`
	Link  *struct {
		Title string `json:"title"`
		Desc  string `json:"desc"`
		URL   string `json:"url"`
		Thumb string `json:"thumb_media_id"`
	} `json:"link"`
	Mini *struct {
		Title string `json:"title"`
		App   string `json:"appid"`
		Page  string `json:"pagepath"`
		Thumb string `json:"thumb_media_id"`
	} `json:"miniprogram"`
	Menu *kfMenu `json:"msgmenu"`
}

type kfMenu struct {
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
		Mini *struct {
			App     string `json:"appid"`
			Page    string `json:"pagepath"`
			Content string `json:"content"`
		} `json:"miniprogram"`
		Text *struct {
			Content string `json:"content"`
		} `json:"text"`
	} `json:"list"`
	Tail string `json:"tail_content"`
}

// MenuItem is one line of a menu in a message. One without id, address and app is
// only words.
type MenuItem struct {
	ID   string `json:"id,omitempty"`
	Text string `json:"text"`
	URL  string `json:"url,omitempty"`
	App  string `json:"app,omitempty"`
	Page string `json:"page,omitempty"`
}

// line is what the phone shows of it, or why the platform does not take it.
func (c *call) line(in kfSend, name string) (Line, error) {
	l := Line{ID: c.w.next("m", 20), At: c.now, From: "them", Name: name, Via: "kf", Kind: in.Type}
	most := c.s.limits.WeCom
	wrong := func(what string) (Line, error) { return l, refuseOn(40058, what) }
	switch {
	case in.Type == "text" && in.Text != nil:
		if in.Text.Content == "" {
			return l, refuse(44004)
		}
		if len(in.Text.Content) > most.KfTextBytes {
			return l, refuse(45002)
		}
		l.Text = in.Text.Content
	case in.Type == "image" && in.Image != nil:
		l.Media = in.Image.MediaID
		return l, c.media(l.Media, "image")
	case in.Type == "link" && in.Link != nil:
		switch x := in.Link; {
		case x.Title == "" || x.URL == "":
			return wrong("link.title and link.url are needed")
		case len(x.Title) > most.LinkTitleBytes || len(x.Desc) > most.LinkDescBytes || len(x.URL) > most.LinkURLBytes:
			return wrong("link exceeds max length")
		}
		l.Title, l.Text, l.URL, l.Media = in.Link.Title, in.Link.Desc, in.Link.URL, in.Link.Thumb
		if err := checkURL(l.URL); err != nil {
			return l, err
		}
		return l, c.media(l.Media, "image")
	case in.Type == "miniprogram" && in.Mini != nil:
		switch x := in.Mini; {
		case !strings.HasPrefix(x.App, "wx"):
			return l, refuse(90207)
		case x.Page == "" || len(x.Page) > most.KfPageBytes || len(x.Title) > most.KfMiniTitleBytes:
			return wrong("miniprogram.pagepath or miniprogram.title")
		}
		l.Title, l.App, l.Page, l.Media = in.Mini.Title, in.Mini.App, in.Mini.Page, in.Mini.Thumb
		return l, c.media(l.Media, "image")
	case in.Type == "msgmenu" && in.Menu != nil:
		l.Kind = "menu"
		return l, c.menu(&l, in.Menu)
	default:
		return l, refuse(40008)
	}
	return l, nil
}

func (c *call) menu(l *Line, m *kfMenu) error {
	most := c.s.limits.WeCom
	within := func(s string, most int) bool { return s != "" && len(s) <= most }
	if len(m.List) == 0 || len(m.List) > most.KfMenuItems || len(m.Head) > most.KfMenuTextBytes || len(m.Tail) > most.KfMenuTextBytes {
		return refuseOn(40058, "msgmenu")
	}
	l.Text, l.Tail = m.Head, m.Tail
	for _, x := range m.List {
		ok := false
		switch {
		case x.Type == "click" && x.Click != nil:
			ok = within(x.Click.ID, most.KfMenuIDBytes) && within(x.Click.Content, most.KfMenuIDBytes)
			l.Menu = append(l.Menu, MenuItem{ID: x.Click.ID, Text: x.Click.Content})
		case x.Type == "view" && x.View != nil:
			ok = within(x.View.URL, most.LinkURLBytes) && within(x.View.Content, most.KfMenuTextBytes)
			if err := checkURL(x.View.URL); ok && err != nil {
				return err
			}
			l.Menu = append(l.Menu, MenuItem{URL: x.View.URL, Text: x.View.Content})
		case x.Type == "miniprogram" && x.Mini != nil:
			ok = strings.HasPrefix(x.Mini.App, "wx") && within(x.Mini.Page, most.KfPageBytes) && within(x.Mini.Content, most.KfMenuTextBytes)
			l.Menu = append(l.Menu, MenuItem{App: x.Mini.App, Page: x.Mini.Page, Text: x.Mini.Content})
		case x.Type == "text" && x.Text != nil:
			ok = within(x.Text.Content, most.KfMenuTextBytes)
			l.Menu = append(l.Menu, MenuItem{Text: x.Text.Content})
		}
		if !ok {
			return refuseOn(40058, "msgmenu.list")
		}
	}
	return nil
}

// ownID is what an id that the company gives a message may be.
var ownID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,32}$`)

// own takes the id that the company gave: each once. Those of a week ago are forgotten.
func (c *call) own(k *KfAccount, id string) error {
	if id == "" {
		return nil
	}
	if !ownID.MatchString(id) {
		return refuseOn(40058, "msgid")
	}
	if _, there := k.Own[id]; there {
		return refuseOn(40058, "msgid exists")
	}
	fill(&k.Own)
	for old, at := range k.Own {
		if c.now.Sub(time.UnixMilli(at)) > 7*24*time.Hour {
			delete(k.Own, old)
		}
	}
	return nil
}

// hand puts a message on the phone of whom it is for.
func (c *call) hand(k *KfAccount, in kfSend, external string, line Line) answer {
	if in.MsgID != "" {
		k.Own[in.MsgID] = c.now.UnixMilli()
	}
	c.about, c.said = external, short(first(first(line.Text, line.Title), "["+line.Kind+"]"), 60)
	c.w.people[c.corp.External[external]].chat("kf", c.corp.ID, k.ID).say(line)
	return answer{"msgid": first(in.MsgID, line.ID)}
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
	talk := k.Talks[in.To]
	l := c.s.limits.WeCom
	switch {
	case c.w.people[c.corp.External[in.To]] == nil:
		return nil, refuse(40096)
	case talk == nil || c.now.Sub(talk.Last) > time.Duration(l.KfHours)*time.Hour:
		return nil, refuse(95002)
	case talk.State == 4:
		return nil, refuse(95013)
	}
	if err := c.own(k, in.MsgID); err != nil {
		return nil, err
	}
	if talk.Sent >= l.KfReplies {
		return nil, refuse(95001)
	}
	line, err := c.line(in, k.Name)
	if err != nil {
		return nil, err
	}
	talk.Sent++
	return c.hand(k, in, in.To, line), nil
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
		if in.Type != "text" && in.Type != "msgmenu" { // an event is answered with nothing else
			return nil, refuse(40008)
		}
		if err := c.own(k, in.MsgID); err != nil {
			return nil, err
		}
		line, err := c.line(in, k.Name)
		if err != nil {
			return nil, err
		}
		code.Used = true
		return c.hand(k, in, code.External, line), nil
	}
	return nil, refuse(95018)
}

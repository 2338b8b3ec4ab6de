package sim

import (
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// content is a message as the APIs take it: a text and what hangs on it.
type content struct {
	Text *struct {
		Content string `json:"content"`
	} `json:"text,omitempty"`
	Attachments []attachment `json:"attachments,omitempty"`
}

type attachment struct {
	Type  string `json:"msgtype"`
	Image *struct {
		MediaID string `json:"media_id,omitempty"`
		PicURL  string `json:"pic_url,omitempty"`
	} `json:"image,omitempty"`
	Link *struct {
		Title   string `json:"title"`
		PicURL  string `json:"picurl,omitempty"`
		Desc    string `json:"desc,omitempty"`
		URL     string `json:"url"`
		MediaID string `json:"media_id,omitempty"` // of moments
	} `json:"link,omitempty"`
	Mini *struct {
		Title string `json:"title"`
		Pic   string `json:"pic_media_id"`
		AppID string `json:"appid"`
		Page  string `json:"page"`
	} `json:"miniprogram,omitempty"`
	Video *mediaRef `json:"video,omitempty"`
	File  *mediaRef `json:"file,omitempty"`
}

type mediaRef struct {
	MediaID string `json:"media_id"`
}

func (m content) empty() bool {
	return (m.Text == nil || m.Text.Content == "") && len(m.Attachments) == 0
}

// check refuses what the platform would.
func (c *call) check(m content) error {
	l := c.s.limits.WeCom
	if m.empty() {
		return refuseOn(40063, "text and attachments are both empty")
	}
	if m.Text != nil && len(m.Text.Content) > l.TextBytes {
		return refuse(45002)
	}
	if len(m.Attachments) > l.Attachments {
		return refuseOn(40058, "attachments exceeds max size")
	}
	for _, a := range m.Attachments {
		if err := c.checkAttachment(a); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) checkAttachment(a attachment) error {
	l := c.s.limits.WeCom
	switch a.Type {
	case "image":
		switch {
		case a.Image == nil || a.Image.MediaID == "" && a.Image.PicURL == "":
			return refuse(41006)
		case a.Image.MediaID != "":
			return c.media(a.Image.MediaID, "image")
		}
		return checkURL(a.Image.PicURL)
	case "link":
		if a.Link == nil || a.Link.Title == "" || a.Link.URL == "" {
			return refuseOn(40058, "link.title and link.url are needed")
		}
		if len(a.Link.Title) > l.LinkTitleBytes || len(a.Link.Desc) > l.LinkDescBytes || len(a.Link.URL) > l.LinkURLBytes {
			return refuseOn(40058, "link exceeds max length")
		}
		return checkURL(a.Link.URL)
	case "miniprogram":
		if a.Mini == nil || a.Mini.Title == "" || a.Mini.Page == "" {
			return refuseOn(40058, "miniprogram.title and miniprogram.page are needed")
		}
		if !strings.HasPrefix(a.Mini.AppID, "wx") {
			return refuse(90207)
		}
		return c.media(a.Mini.Pic, "image")
	case "video":
		return c.mediaOf(a.Video, "video")
	case "file":
		return c.mediaOf(a.File, "file")
	}
	return refuse(41065)
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return refuse(40094)
	}
	return nil
}

func (c *call) mediaOf(m *mediaRef, kind string) error {
	if m == nil {
		return refuse(41006)
	}
	return c.media(m.MediaID, kind)
}

func (c *call) media(id, kind string) error {
	if id == "" {
		return refuse(41006)
	}
	m := c.corp.Media[id]
	if m == nil || c.now.Sub(m.Created) > seconds(c.s.limits.WeCom.MediaSeconds) {
		return refuse(40007)
	}
	if m.Type != kind {
		return refuse(40004)
	}
	return nil
}

// lines are the message as it comes to a phone.
func (m content) lines(w *World, now time.Time, name, via string) []Line {
	out := m.view(now)
	for i := range out {
		out[i].ID, out[i].Name, out[i].Via = w.next("m", 20), name, via
	}
	return out
}

// view is the message as a phone shows it.
func (m content) view(now time.Time) []Line {
	out := []Line{}
	add := func(l Line) {
		l.At, l.From = now, "them"
		out = append(out, l)
	}
	if m.Text != nil && m.Text.Content != "" {
		add(Line{Kind: "text", Text: m.Text.Content})
	}
	for _, a := range m.Attachments {
		switch {
		case a.Image != nil && a.Type == "image":
			add(Line{Kind: "image", Media: a.Image.MediaID, Pic: a.Image.PicURL})
		case a.Link != nil && a.Type == "link":
			add(Line{Kind: "link", Title: a.Link.Title, Text: a.Link.Desc, URL: a.Link.URL, Pic: a.Link.PicURL, Media: a.Link.MediaID})
		case a.Mini != nil && a.Type == "miniprogram":
			add(Line{Kind: "miniprogram", Title: a.Mini.Title, App: a.Mini.AppID, Page: a.Mini.Page, Media: a.Mini.Pic})
		case a.Video != nil && a.Type == "video":
			add(Line{Kind: "video", Media: a.Video.MediaID})
		case a.File != nil && a.Type == "file":
			add(Line{Kind: "file", Media: a.File.MediaID})
		}
	}
	return out
}

// chat finds a conversation on somebody's phone, or begins it.
func (p *Person) chat(kind, corp, id string) *Chat {
	for _, c := range p.Chats {
		if c.Kind == kind && c.Corp == corp && c.ID == id {
			return c
		}
	}
	c := &Chat{Kind: kind, Corp: corp, ID: id}
	p.Chats = append(p.Chats, c)
	return c
}

// say puts lines into a conversation.
func (c *Chat) say(lines ...Line) {
	for _, l := range lines {
		c.Lines = append(c.Lines, l)
		c.At = l.At
		if l.From != "me" {
			c.Unread++
		}
	}
	if n := len(c.Lines) - linesKept; n > 0 {
		c.Lines = append([]Line{}, c.Lines[n:]...)
	}
}

// note puts a line of the phone's own into a conversation. Its text is a code:
// whoever shows it has the words.
func (c *Chat) note(w *World, now time.Time, code, name string) {
	c.say(Line{ID: w.next("m", 20), At: now, From: "system", Kind: "note", Text: code, Name: name})
	c.Unread--
}

// firstWords are for the diary.
func (m content) firstWords() string {
	if m.Text != nil && m.Text.Content != "" {
		return short(m.Text.Content, 60)
	}
	if len(m.Attachments) > 0 {
		return "[" + m.Attachments[0].Type + "]"
	}
	return ""
}

func runes(s string) int { return utf8.RuneCountInString(s) }

package sim

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
)

// customIn is a customer-service message.
type customIn struct {
	To   string `json:"touser"`
	Type string `json:"msgtype"`
	Text *struct {
		Content string `json:"content"`
	} `json:"text"`
	Image *mediaRef `json:"image"`
	Voice *mediaRef `json:"voice"`
	Video *struct {
		mediaRef
		Thumb string `json:"thumb_media_id"`
		Title string `json:"title"`
	} `json:"video"`
	News *struct {
		Articles []struct {
			Title string `json:"title"`
			Desc  string `json:"description"`
			URL   string `json:"url"`
			Pic   string `json:"picurl"`
		} `json:"articles"`
	} `json:"news"`
	Mini *struct {
		Title string `json:"title"`
		App   string `json:"appid"`
		Page  string `json:"pagepath"`
		Thumb string `json:"thumb_media_id"`
	} `json:"miniprogrampage"`
	Menu *struct {
		Head string `json:"head_content"`
		List []struct {
			ID      json.RawMessage `json:"id"`
			Content string          `json:"content"`
		} `json:"list"`
		Tail string `json:"tail_content"`
	} `json:"msgmenu"`
}

// line is what the phone shows of it.
func (c *appCall) line(in customIn) (Line, error) {
	l := Line{ID: c.w.next("m", 20), At: c.now, From: "them", Name: c.app.Name, Via: "kf", Kind: in.Type}
	media := func(id, kind string) error {
		m := c.app.Media[id]
		if m == nil || m.Type != kind && !(kind == "image" && m.Type == "thumb") {
			return no(40007)
		}
		l.Media = id
		return nil
	}
	switch {
	case in.Type == "text" && in.Text != nil:
		if in.Text.Content == "" {
			return l, no(44004)
		}
		if len(in.Text.Content) > c.s.limits.WeChat.TextBytes {
			return l, no(45002)
		}
		l.Text = in.Text.Content
	case in.Type == "image" && in.Image != nil:
		return l, media(in.Image.MediaID, "image")
	case in.Type == "voice" && in.Voice != nil:
		l.Kind = "file"
		return l, media(in.Voice.MediaID, "voice")
	case in.Type == "video" && in.Video != nil:
		l.Title = in.Video.Title
		if err := media(in.Video.Thumb, "image"); err != nil {
			return l, err
		}
		return l, media(in.Video.MediaID, "video")
	case in.Type == "news" && in.News != nil && len(in.News.Articles) == 1: // one, since 2018
		a := in.News.Articles[0]
		if checkURL(a.URL) != nil {
			return l, no(45002)
		}
		l.Kind, l.Title, l.Text, l.URL, l.Pic = "link", a.Title, a.Desc, a.URL, a.Pic
	case in.Type == "miniprogrampage" && in.Mini != nil:
		if in.Mini.App != c.app.ID && !slices.Contains(c.app.Mini, in.Mini.App) {
			return l, no(40166)
		}
		l.Kind, l.Title, l.App, l.Page = "miniprogram", in.Mini.Title, in.Mini.App, in.Mini.Page
		return l, media(in.Mini.Thumb, "image")
	case in.Type == "msgmenu" && in.Menu != nil:
		if len(in.Menu.List) == 0 || len(in.Menu.List) > c.s.limits.WeChat.MenuItems {
			return l, no(45002)
		}
		l.Kind, l.Text, l.Tail = "menu", in.Menu.Head, in.Menu.Tail
		for _, m := range in.Menu.List {
			l.Menu = append(l.Menu, MenuItem{ID: strings.Trim(string(m.ID), `"`), Text: m.Content})
		}
	default:
		return l, no(40008)
	}
	return l, nil
}

// customSend keeps the windows: five messages in the 48 hours after a word of the
// customer, three in the minute after they followed, scanned or clicked.
func customSend(c *appCall) (answer, error) {
	var in customIn
	if err := c.in(&in); err != nil {
		return nil, err
	}
	p, f, err := c.person(in.To)
	if err != nil {
		return nil, err
	}
	if c.app.Kind == AppOfficial && !f.Follows {
		return nil, no(45015)
	}
	line, err := c.line(in)
	if err != nil {
		return nil, err
	}
	if err := c.window(f); err != nil {
		return nil, err
	}
	c.said = short(first(line.Text, line.Title), 60)
	c.w.appChat(p, c.app).say(line)
	return nil, nil
}

func (c *appCall) window(f *Fan) error {
	l := c.s.limits.WeChat
	act := !f.Act.IsZero() && c.now.Sub(f.Act) <= seconds(l.ActSeconds)
	word := !f.Word.IsZero() && c.now.Sub(f.Word) <= time.Duration(l.WordHours)*time.Hour
	switch {
	case act && f.ActSent < l.ActReplies:
		f.ActSent++
	case word && f.Sent < l.WordReplies:
		f.Sent++
	case act || word:
		return no(45047)
	default:
		return no(45015)
	}
	return nil
}

func customTyping(c *appCall) (answer, error) {
	var in struct {
		To string `json:"touser"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	_, _, err := c.person(in.To)
	return nil, err
}

type templateIn struct {
	To       string `json:"touser"`
	Template string `json:"template_id"`
	URL      string `json:"url"`
	Page     string `json:"page"`
	Key      string `json:"client_msg_id"`
	Mini     *struct {
		App  string `json:"appid"`
		Page string `json:"pagepath"`
	} `json:"miniprogram"`
	Data map[string]struct {
		Value json.RawMessage `json:"value"`
	} `json:"data"`
}

// card is what the phone shows: the template's text with the values in it.
func (c *appCall) card(in templateIn, t *AppTemplate) Line {
	text := t.Content
	for name, v := range in.Data {
		text = strings.ReplaceAll(text, "{{"+name+".DATA}}", strings.Trim(string(v.Value), `"`))
	}
	l := Line{ID: c.w.next("m", 20), At: c.now, From: "them", Name: c.app.Name, Kind: "template", Title: t.Title, Text: text, URL: in.URL, Page: in.Page}
	if in.Mini != nil {
		l.App, l.Page = in.Mini.App, in.Mini.Page
	}
	return l
}

// fits checks the values: all that the template wants, each of its sort.
func (in templateIn) fits(t *AppTemplate, l WeChatLimits) error {
	for _, name := range t.names() {
		raw, ok := in.Data[name]
		var v string
		if !ok || json.Unmarshal(raw.Value, &v) != nil || v == "" {
			return noTo(47003, "data."+name+".value is empty")
		}
		if most := l.Values[strings.TrimRight(name, "0123456789")]; most > 0 && runes(v) > most {
			return noTo(47003, "data."+name+".value invalid")
		}
	}
	return nil
}

func templateSend(c *appCall) (answer, error) {
	var in templateIn
	if err := c.in(&in); err != nil {
		return nil, err
	}
	p, f, err := c.person(in.To)
	if err != nil {
		return nil, err
	}
	t := c.app.template(in.Template)
	switch {
	case !f.Follows:
		return nil, no(43004)
	case t == nil || t.Subscribe || t.ID != in.Template:
		return nil, no(40037)
	case in.Mini != nil && !slices.Contains(c.app.Mini, in.Mini.App):
		return nil, no(40166)
	}
	if err := in.fits(t, c.s.limits.WeChat); err != nil {
		return nil, err
	}
	line := c.card(in, t)
	id := c.number()
	status := "success"
	if f.Mutes {
		status = "failed:user block"
	} else {
		c.w.appChat(p, c.app).say(line)
	}
	c.said = t.Title
	c.s.tellApp(c.w, c.app, c.now, in.To, "TEMPLATESENDJOBFINISH", wxcrypto.Raw("MsgID", id), wxcrypto.Elem("Status", status))
	return answer{"errcode": 0, "errmsg": "ok", "msgid": json.Number(id)}, nil
}

// subscribeSend wants a yes for each message.
func subscribeSend(c *appCall) (answer, error) {
	var in templateIn
	if err := c.in(&in); err != nil {
		return nil, err
	}
	p, f, err := c.person(in.To)
	if err != nil {
		return nil, err
	}
	t := c.app.template(in.Template)
	switch {
	case t == nil || !t.Subscribe || t.ID != in.Template:
		return nil, no(40037)
	case strings.HasPrefix(in.Page, "/"):
		return nil, no(41030)
	case f.Yes[t.ID] <= 0:
		return nil, no(43101)
	}
	if err := in.fits(t, c.s.limits.WeChat); err != nil {
		return nil, err
	}
	f.Yes[t.ID]--
	id := c.number()
	c.w.appChat(p, c.app).say(c.card(in, t))
	c.said = t.Title
	c.s.tellApp(c.w, c.app, c.now, in.To, "subscribe_msg_sent_event", wxcrypto.Group("SubscribeMsgSentEvent", wxcrypto.Group("List",
		wxcrypto.Elem("TemplateId", t.ID), wxcrypto.Elem("MsgID", id), wxcrypto.Elem("ErrorCode", "0"), wxcrypto.Elem("ErrorStatus", "success"))))
	return answer{"errcode": 0, "errmsg": "ok", "msgid": json.Number(id)}, nil
}

// number is an id in digits, as the platform gives messages.
func (c *appCall) number() string { return "2" + c.w.digits(17) }

func templateList(c *appCall) (answer, error) {
	list := []answer{}
	for _, t := range c.app.Templates {
		if !t.Subscribe {
			list = append(list, answer{"template_id": t.ID, "title": t.Title, "primary_industry": "", "deputy_industry": "", "content": t.Content, "example": t.Example})
		}
	}
	return answer{"template_list": list}, nil
}

func subscribeList(c *appCall) (answer, error) {
	list := []answer{}
	for _, t := range c.app.Templates {
		if t.Subscribe {
			list = append(list, answer{"priTmplId": t.ID, "title": t.Title, "content": t.Content, "example": t.Example, "type": 2})
		}
	}
	return answer{"errcode": 0, "errmsg": "ok", "data": list}, nil
}

type massIn struct {
	To     json.RawMessage `json:"touser"`
	Filter *struct {
		All bool `json:"is_to_all"`
		Tag int  `json:"tag_id"`
	} `json:"filter"`
	Type string `json:"msgtype"`
	Text *struct {
		Content string `json:"content"`
	} `json:"text"`
	Key string `json:"clientmsgid"`
	ID  any    `json:"msg_id"`
}

func (c *appCall) mass() (in massIn, err error) {
	if err := c.in(&in); err != nil {
		return in, err
	}
	switch {
	case in.Type == "text" && (in.Text == nil || in.Text.Content == ""):
		return in, no(44004)
	case in.Type == "text" && len(in.Text.Content) > c.s.limits.WeChat.TextBytes:
		return in, no(45002)
	case !slices.Contains([]string{"text", "mpnews", "images", "voice"}, in.Type):
		return in, no(40008)
	case len(in.Key) > c.s.limits.WeChat.MassKeyBytes:
		return in, no(45066)
	}
	return in, nil
}

func massSend(c *appCall) (answer, error) {
	in, err := c.mass()
	if err != nil {
		return nil, err
	}
	var to []string
	if json.Unmarshal(in.To, &to) != nil || len(to) < 2 || len(to) > c.s.limits.WeChat.MassPeople {
		return nil, no(40130)
	}
	return c.massTo(in, to)
}

func massSendAll(c *appCall) (answer, error) {
	in, err := c.mass()
	if err != nil {
		return nil, err
	}
	if in.Filter == nil || !in.Filter.All { // nobody here has tags of the platform
		return nil, no(40097)
	}
	return c.massTo(in, c.app.followers())
}

func (c *appCall) massTo(in massIn, to []string) (answer, error) {
	for _, m := range c.app.Masses {
		if in.Key != "" && m.Key == in.Key {
			return answer{"msg_id": json.Number(m.ID)}, no(45065)
		}
	}
	m := &AppMass{ID: c.number(), Key: in.Key, At: c.now, Total: len(to)}
	if in.Text != nil {
		m.Text = in.Text.Content
	}
	month := wechatDay(c.now)[:7]
	for _, id := range to {
		p := c.w.people[c.app.Open[id]]
		if p == nil || !c.app.follows(id) {
			continue
		}
		f := c.app.fan(id)
		if f.MassMonth != month {
			f.MassMonth, f.MassCount = month, 0
		}
		if f.MassCount >= c.s.limits.WeChat.MassPerPerson {
			continue
		}
		f.MassCount++
		m.Passed++
		c.w.appChat(p, c.app).say(Line{ID: c.w.next("m", 20), At: c.now, From: "them", Name: c.app.Name, Kind: "text", Text: first(m.Text, "["+in.Type+"]"), Via: "mass"})
	}
	if len(to) > 0 && m.Passed == 0 {
		return nil, no(45028)
	}
	c.app.Masses = append(c.app.Masses, m)
	c.said = short(m.Text, 60)
	n := strconv.Itoa
	c.s.tellApp(c.w, c.app, c.now, c.app.Original, "MASSSENDJOBFINISH", wxcrypto.Raw("MsgID", m.ID), wxcrypto.Elem("Status", "sendsuccess"), wxcrypto.Raw("TotalCount", n(m.Total)),
		wxcrypto.Raw("FilterCount", n(m.Passed)), wxcrypto.Raw("SentCount", n(m.Passed)), wxcrypto.Raw("ErrorCount", "0"))
	return answer{"errcode": 0, "errmsg": "send job submission success", "msg_id": json.Number(m.ID), "msg_data_id": json.Number(m.ID)}, nil
}

func massPreview(c *appCall) (answer, error) {
	in, err := c.mass()
	if err != nil {
		return nil, err
	}
	var to string
	_ = json.Unmarshal(in.To, &to) // what is no text is no openid
	p, f, err := c.person(to)
	if err != nil {
		return nil, err
	}
	if !f.Follows {
		return nil, no(43004)
	}
	text := "[" + in.Type + "]"
	if in.Text != nil {
		text = in.Text.Content
	}
	c.w.appChat(p, c.app).say(Line{ID: c.w.next("m", 20), At: c.now, From: "them", Name: c.app.Name, Kind: "text", Text: text, Via: "mass"})
	return nil, nil
}

func massGet(c *appCall) (answer, error) {
	in := struct {
		ID json.RawMessage `json:"msg_id"`
	}{}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	for _, m := range c.app.Masses {
		if m.ID == strings.Trim(string(in.ID), `"`) {
			return answer{"msg_id": json.Number(m.ID), "msg_status": "SEND_SUCCESS"}, nil
		}
	}
	return nil, no(40097)
}

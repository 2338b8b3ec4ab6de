package importer

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
)

// person is a row of a contacts file.
type person struct {
	in   contact.Incoming
	tags []string // names
	told []told   // of consent
}

// person reads a row of a contacts file. False: r.errs says why not.
func (r *row) person() (person, bool) {
	ids, masked := r.identities()
	if len(ids) == 0 && len(r.errs) == 0 {
		if masked {
			r.fail(-1, codeMasked)
		} else {
			r.fail(-1, "import.no_identity")
		}
	}
	p := person{in: contact.Incoming{Line: r.Line, Identifiers: ids, Attributes: map[string]any{}}}
	set := func(key, value string) {
		if value != "" {
			p.in.Attributes[key] = value
		}
	}
	set(fName, r.text(fName))
	set(fGender, r.text(fGender))
	set(fCity, r.text(fCity))
	if ms := r.time(fBirthday, false); ms != 0 {
		set(fBirthday, timeOf(ms).In(r.dates.loc).Format("2006-01-02"))
	}
	for _, k := range r.attrs {
		if v := r.cell(k.col); v != "" {
			p.in.Attributes[k.key] = k.value(v)
		}
	}
	p.in.CreatedAt = r.time(fCreated, false)
	if ch := r.text(fChannel); ch != "" {
		p.in.Touch = touchOf(ch)
	}
	p.tags = r.tagNames()
	p.told = r.consentsTold()
	return p, len(r.errs) == 0
}

// value keeps numbers as numbers where the whole column is numbers.
func (k keyed) value(v string) any {
	if k.numbers && plainNumber(v) {
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			return n
		}
	}
	return v
}

// touchOf reads a channel: one of the known ids, or else the name of a source.
func touchOf(ch string) contact.Touch {
	id := strings.ToLower(strings.TrimSpace(ch))
	if zh, ok := channelNames[id]; ok {
		id = zh
	}
	for _, c := range contact.Channels() {
		if c == id {
			return contact.Touch{Channel: c}
		}
	}
	return contact.Touch{Source: clip(ch, 128)}
}

// channelNames are the channels as the console shows them in Chinese.
var channelNames = map[string]string{
	"搜索广告": contact.PaidSearch, "信息流": contact.FeedAds, "信息流广告": contact.FeedAds, "社交媒体": contact.Social, "短视频": contact.ShortVideo, "媒体": contact.Media,
	"垂直网站": contact.Vertical, "电商平台": contact.Ecommerce, "电商": contact.Ecommerce, "线下": contact.Offline, "线下门店": contact.Offline, "门店": contact.Offline,
	"合作伙伴": contact.Partner, "老客推荐": contact.Referral, "转介绍": contact.Referral, "自然": contact.Organic, "直接": contact.Direct, "未知": contact.Unknown,
}

// tagNames reads the tag columns, several tags in a cell parted by , ; | 、 or a line break.
func (r *row) tagNames() []string {
	var out []string
	add := func(name string) {
		name = strings.TrimSpace(name)
		if name == "" || len(out) >= 50 {
			return
		}
		if len(name) > 100 {
			name = clip(name, 100)
		}
		for _, have := range out {
			if have == name {
				return
			}
		}
		out = append(out, name)
	}
	for _, t := range r.tagAll {
		add(t)
	}
	for _, col := range r.tags {
		for _, t := range strings.FieldsFunc(r.cell(col), func(c rune) bool { return strings.ContainsRune(",，;；|、\n", c) }) {
			add(t)
		}
	}
	return out
}

// occurrence reads a row of an events file into a fact. False: r.errs says why not.
func (r *row) occurrence() (event.Fact, bool) {
	ids, masked := r.identities()
	name := r.text(fEvent)
	if name == "" {
		name = r.event
	}
	if name == "" {
		r.fail(r.at[fEvent], codeRequired)
	}
	if len(name) > 200 {
		r.fail(r.at[fEvent], codeTooLong, "limit", 200)
	}
	at := r.time(fTimestamp, true)
	if len(ids) == 0 && len(r.errs) == 0 {
		if masked {
			r.fail(-1, codeMasked)
		} else {
			r.fail(-1, "import.no_identity")
		}
	}
	f := event.Fact{Type: event.Track, Name: name, Timestamp: at, Source: r.source, ImportID: r.importID,
		MessageID: "imp:" + r.importID + ":" + strconv.FormatInt(r.Line, 10)}
	if name == event.NamePageViewed {
		f.Type = event.Page
	}
	if id := r.id(fMessageID); id != "" {
		f.MessageID = id
	}
	setWho(&f, ids)
	props := appendMember([]byte{'{'}, "url", r.text(fURL))
	props = append(r.object(props, r.props), '}')
	if len(props) > 2 {
		f.Properties = json.RawMessage(props)
	}
	return f, len(r.errs) == 0
}

// setWho puts identifiers where a fact has them.
func setWho(f *event.Fact, ids []event.Identifier) {
	for _, id := range ids {
		switch id.Kind {
		case fUserID:
			f.UserID = id.Value
		case fAnonymous:
			f.AnonymousID = id.Value
		default:
			f.Identifiers = append(f.Identifiers, id)
		}
	}
}

package contact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event/veil"
)

// Attributes with a column of their own. All others are custom.
const (
	attrName     = "name"
	attrGender   = "gender"
	attrBirthday = "birthday"
	attrCity     = "city"
	attrAvatar   = "avatar"
)

// Limits of custom attributes: beyond them a value is left out.
const (
	maxAttributes    = 200
	maxAttributeKey  = 64
	maxAttributeSize = 2048
	maxName          = 120
)

// change is one attribute as a fact, an import or a person states it. A nil
// value takes the attribute away.
type change struct {
	key   string
	value json.RawMessage
}

// notAttributes are traits that are identities, or that say nothing of the person.
var notAttributes = map[string]bool{
	"phone": true, "mobile": true, "email": true, "id": true, "userId": true, "user_id": true, "anonymousId": true,
	"anonymous_id": true, "memberNo": true, "member_no": true, "unionid": true, "openid": true,
}

// sealedAttributes are personal data: kept sealed, shown masked.
var sealedAttributes = map[string]bool{
	"address": true, "street": true, "id_number": true, "idNumber": true, "id_card": true, "idcard": true, "passport": true, "身份证": true, "地址": true,
}

// sealsAttribute tells whether an attribute is personal: by its name, or because
// its value looks like a phone number, an e-mail address or an identity number.
func sealsAttribute(key string, value json.RawMessage) bool {
	if sealedAttributes[key] {
		return true
	}
	if t := text(value); t != "" {
		return veil.PersonalID(key, t)
	}
	return len(value) > 2 && veil.Holds(key, value) // in a list or an object
}

// isSealed tells whether an attribute is kept sealed.
func isSealed(value json.RawMessage) bool { return bytes.HasPrefix(value, []byte(`{"$sealed":`)) }

// parseTraits reads the traits of a fact into changes, in a fixed order.
// Anything that is not an object states nothing.
func parseTraits(raw json.RawMessage) []change {
	var m map[string]json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &m) != nil || len(m) == 0 {
		return nil
	}
	return changesOf(m)
}

func changesOf(m map[string]json.RawMessage) []change {
	out := make([]change, 0, len(m))
	add := func(key, value string) {
		if value != "" {
			out = append(out, change{key, quote(value)})
		}
	}
	if isNull(m[attrName]) {
		out = append(out, change{key: attrName})
	} else if n := text(m[attrName]); n != "" {
		add(attrName, cleanName(n))
	} else {
		add(attrName, fullName(text(m["firstName"]), text(m["lastName"])))
	}
	for _, b := range []struct {
		key  string
		read func(string) string
	}{{attrGender, gender}, {attrBirthday, birthday}, {attrAvatar, avatar}} {
		if isNull(m[b.key]) {
			out = append(out, change{key: b.key})
		} else {
			add(b.key, b.read(text(m[b.key])))
		}
	}
	city := text(m[attrCity])
	if city == "" {
		var address struct{ City string }
		if json.Unmarshal(m["address"], &address) == nil {
			city = address.City
		}
	}
	if isNull(m[attrCity]) && city == "" {
		out = append(out, change{key: attrCity})
	}
	add(attrCity, clip(strings.TrimSpace(city), 80))
	rest := len(out)
	for k, v := range m {
		switch k {
		case attrName, attrGender, attrBirthday, attrAvatar, attrCity, "firstName", "lastName":
			continue
		}
		if k = strings.TrimSpace(k); k == "" || notAttributes[k] || len(k) > maxAttributeKey || len(v) > maxAttributeSize || strings.HasPrefix(k, "$") {
			continue
		}
		if isNull(v) {
			v = nil
		}
		out = append(out, change{k, v})
	}
	slices.SortFunc(out[rest:], func(a, b change) int { return strings.Compare(a.key, b.key) })
	return out
}

// text reads a JSON string, or a number or boolean as it is written; else "".
func text(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	var s string
	switch raw[0] {
	case '"':
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
		return strings.TrimSpace(s)
	case '{', '[', 'n':
		return ""
	}
	return string(raw)
}

func isNull(raw json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(raw), []byte("null")) }

func quote(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string always encodes
	return b
}

// cleanName takes out what a name has no use for: control characters, and the
// marks that turn the text around them to read backwards.
func cleanName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)
	return clip(strings.Join(strings.Fields(s), " "), maxName)
}

// fullName puts the family name first when it is Chinese.
func fullName(first, last string) string {
	if first == "" || last == "" {
		return cleanName(first + last)
	}
	if r, _ := utf8.DecodeRuneInString(last); unicode.Is(unicode.Han, r) {
		return cleanName(last + first)
	}
	return cleanName(first + " " + last)
}

func gender(s string) string {
	switch strings.ToLower(s) {
	case "m", "male", "man", "男", "男性", "先生", "1":
		return "male"
	case "f", "female", "woman", "女", "女性", "女士", "小姐", "2":
		return "female"
	case "", "0", "unknown", "未知", "保密":
		return ""
	}
	return "other"
}

var birthdayLayouts = []string{time.DateOnly, "2006/01/02", "2006/1/2", "2006.1.2", "20060102", "2006年1月2日", time.RFC3339}

// birthday gives YYYY-MM-DD, "" when it cannot be one.
func birthday(s string) string {
	for _, l := range birthdayLayouts {
		if t, err := time.Parse(l, s); err == nil && t.Year() >= 1880 && t.Year() <= 2200 {
			return t.Format(time.DateOnly)
		}
	}
	return ""
}

func avatar(s string) string {
	if len(s) > 1000 || !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
		return ""
	}
	return s
}

// record is what is known of a contact by attributes, with the time at which
// each was true. The later word wins; between equal times the one said last.
type record struct {
	name, gender, birthday, city, avatar string
	attributes                           map[string]json.RawMessage
	written                              map[string]int64
	names                                []string // attributes changed since load, for facts
	edits                                []edit   // the changes themselves, in order
}

func (r *record) column(key string) *string {
	switch key {
	case attrName:
		return &r.name
	case attrGender:
		return &r.gender
	case attrBirthday:
		return &r.birthday
	case attrCity:
		return &r.city
	case attrAvatar:
		return &r.avatar
	}
	return nil
}

// apply takes changes said at a time. admit brings a value into the form in which
// it is kept, or turns it away. A replay says nothing that was not applied
// before: what it says of the same time must not win over what a merge decided since.
func (r *record) apply(changes []change, at int64, replay bool, by origin, admit func(change) (change, bool, error)) error {
	for _, c := range changes {
		if was, ok := r.written[c.key]; at < was || ok && at == was && (replay || by.kind == byDefault) {
			continue
		}
		c, taken, err := admit(c)
		if err != nil {
			return err
		}
		if taken {
			r.set(c, at, by)
		}
	}
	return nil
}

func (r *record) set(c change, at int64, by origin) {
	if col := r.column(c.key); col != nil {
		v := text(c.value)
		if *col != v {
			var old, now json.RawMessage
			if *col != "" {
				old = quote(*col)
			}
			if v != "" {
				now = quote(v)
			}
			*col = v
			r.changed(edit{c.key, old, now, at, r.written[c.key], by})
		}
	} else {
		old, had := r.attributes[c.key]
		switch {
		case c.value == nil:
			if had {
				delete(r.attributes, c.key)
				r.changed(edit{c.key, old, nil, at, r.written[c.key], by})
			}
		case !had && len(r.attributes) >= maxAttributes:
			return
		case !had || !bytes.Equal(old, c.value):
			if r.attributes == nil {
				r.attributes = map[string]json.RawMessage{}
			}
			r.attributes[c.key] = c.value
			r.changed(edit{c.key, old, c.value, at, r.written[c.key], by})
		}
	}
	if r.written == nil {
		r.written = map[string]int64{}
	}
	r.written[c.key] = at
}

func (r *record) changed(e edit) {
	r.edits = append(r.edits, e)
	if !slices.Contains(r.names, e.key) {
		r.names = append(r.names, e.key)
	}
}

// absorb takes over what another record knows later than this one; between
// equal times this one keeps its word.
func (r *record) absorb(o *record) {
	for key, at := range o.written {
		if mine, ok := r.written[key]; ok && at <= mine {
			continue
		}
		var v json.RawMessage
		if col := o.column(key); col != nil {
			v = quote(*col)
		} else {
			v = o.attributes[key]
		}
		r.set(change{key, v}, at, origin{kind: byMerge})
	}
}

// imageOf is a record as it is put away to be brought back by an undo.
type imageOf struct {
	Name       string                     `json:"name,omitempty"`
	Gender     string                     `json:"gender,omitempty"`
	Birthday   string                     `json:"birthday,omitempty"`
	City       string                     `json:"city,omitempty"`
	Avatar     string                     `json:"avatar,omitempty"`
	Attributes map[string]json.RawMessage `json:"attributes,omitempty"`
	Written    map[string]int64           `json:"written,omitempty"`
}

func (r *record) imageOf() imageOf {
	return imageOf{r.name, r.gender, r.birthday, r.city, r.avatar, r.attributes, r.written}
}

func (r *record) image() (string, error) {
	b, err := json.Marshal(r.imageOf())
	if err != nil {
		return "", fmt.Errorf("encode record: %w", err)
	}
	return string(b), nil
}

func encodeMap[V any](m map[string]V) (string, error) {
	if len(m) == 0 {
		return "", nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("encode attributes: %w", err)
	}
	return string(b), nil
}

func decodeMap[V any](s string) (map[string]V, error) {
	if s == "" {
		return nil, nil
	}
	var m map[string]V
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		return nil, fmt.Errorf("decode attributes: %w", err)
	}
	return m, nil
}

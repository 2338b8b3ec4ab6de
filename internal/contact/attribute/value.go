package attribute

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Read turns a value, as JSON, into the canonical form. Empty text and null are
// no value: both results are nil.
func (a *Attribute) Read(raw json.RawMessage) (json.RawMessage, *Fault) {
	raw = bytes.TrimSpace(raw)
	if isNull(raw) {
		return nil, nil
	}
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil || !utf8.ValidString(s) {
			return nil, fault("attribute.not_text")
		}
		return a.ReadText(s)
	case '[':
		return a.readList(raw)
	case '{':
		return a.readObject(raw)
	case 't', 'f':
		if a.Type == Flag {
			return raw, nil
		}
		return a.ReadText(string(raw))
	}
	if !json.Valid(raw) {
		return nil, fault("attribute.not_text")
	}
	return a.ReadText(string(raw))
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || bytes.Equal(raw, []byte("null")) }

// ReadText reads a value as it is typed, or stands in a cell. Blank is no value.
func (a *Attribute) ReadText(s string) (json.RawMessage, *Fault) {
	s = clean(s)
	if s == "" {
		return nil, nil
	}
	switch a.Type {
	case Text:
		return a.readWords(s)
	case Number:
		n, f := parseNumber(s, 4)
		if f != nil {
			return nil, f
		}
		return a.number(n)
	case Money:
		return a.money(s)
	case Date:
		return readDate(s)
	case Flag:
		return readFlag(s)
	case Enum:
		i, f := a.option(s)
		if f != nil {
			return nil, f
		}
		return quote(a.Options[i].ID), nil
	case Multi:
		if i, f := a.option(s); f == nil { // a label may hold a comma
			return encode([]string{a.Options[i].ID}), nil
		}
		return a.choose(splitList(s))
	case Phone:
		return normal(a.readers.Phone, s, "attribute.bad_phone")
	case Email:
		return normal(a.readers.Email, s, "attribute.bad_email")
	case Region:
		code, f := ParseRegion(s)
		if f != nil {
			return nil, f
		}
		return quote(code), nil
	}
	return nil, fault("attribute.unknown_type", "type", string(a.Type))
}

func normal(read func(string) (string, bool), s, code string) (json.RawMessage, *Fault) {
	if read != nil {
		if v, ok := read(s); ok {
			return quote(v), nil
		}
	}
	return nil, fault(code)
}

func (a *Attribute) readWords(s string) (json.RawMessage, *Fault) {
	longest := a.MaxLength
	if longest == 0 {
		longest = maxText
	}
	n := utf8.RuneCountInString(s)
	switch {
	case n > longest:
		return nil, fault("attribute.too_long", "most", longest)
	case n < a.MinLength:
		return nil, fault("attribute.too_short", "least", a.MinLength)
	case a.pattern != nil && !a.pattern.MatchString(s):
		return nil, fault("attribute.bad_pattern")
	}
	return quote(s), nil
}

func (a *Attribute) number(n int64) (json.RawMessage, *Fault) {
	step := int64(scale)
	for range a.Decimals {
		step /= 10
	}
	n = roundTo(n, step)
	if f := a.inside(n, scale); f != nil {
		return nil, f
	}
	return json.RawMessage(decimal(n, 4)), nil
}

// inside checks bounds; one is how many of n make 1.
func (a *Attribute) inside(n, one int64) *Fault {
	digits := len(strconv.FormatInt(one, 10)) - 1
	if a.min != nil && n < *a.min {
		return fault("attribute.too_small", "least", decimal(*a.min, digits))
	}
	if a.max != nil && n > *a.max {
		return fault("attribute.too_big", "most", decimal(*a.max, digits))
	}
	return nil
}

// amount is the canonical form of money.
type amount struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

func (a *Attribute) money(s string) (json.RawMessage, *Fault) {
	s, currency := takeCurrency(s)
	if currency != "" && currency != a.Currency {
		return nil, fault("attribute.wrong_currency", "currency", a.Currency)
	}
	n, f := parseNumber(s, exponent(a.Currency))
	if f != nil {
		return nil, fault("attribute.bad_money")
	}
	return a.sum(n)
}

func (a *Attribute) sum(n int64) (json.RawMessage, *Fault) {
	one := int64(1)
	for range exponent(a.Currency) {
		one *= 10
	}
	if n > most || n < -most {
		return nil, fault("attribute.bad_money")
	}
	if f := a.inside(n, one); f != nil {
		return nil, f
	}
	return encode(amount{n, a.Currency}), nil
}

func (a *Attribute) readObject(raw json.RawMessage) (json.RawMessage, *Fault) {
	if a.Type != Money {
		return nil, fault("attribute.not_text")
	}
	var v struct {
		Amount   *int64 `json:"amount"`
		Currency string `json:"currency"`
	}
	if json.Unmarshal(raw, &v) != nil || v.Amount == nil {
		return nil, fault("attribute.bad_money")
	}
	if c := strings.ToUpper(v.Currency); c != "" && c != a.Currency {
		return nil, fault("attribute.wrong_currency", "currency", a.Currency)
	}
	return a.sum(*v.Amount)
}

func (a *Attribute) readList(raw json.RawMessage) (json.RawMessage, *Fault) {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil, fault("attribute.not_text")
	}
	if a.Type == Multi {
		words := make([]string, 0, len(items))
		for _, it := range items {
			w, ok := plain(it)
			if !ok {
				return nil, fault("attribute.not_text")
			}
			if w = clean(w); w != "" {
				words = append(words, w)
			}
		}
		return a.choose(words)
	}
	switch {
	case len(items) == 0:
		return nil, nil
	case len(items) == 1 && !bytes.HasPrefix(items[0], []byte("[")):
		return a.Read(items[0])
	case a.Type == Text || a.Type == Region: // a list of words, a path of places
		words := make([]string, 0, len(items))
		for _, it := range items {
			w, ok := plain(it)
			if !ok {
				return nil, fault("attribute.not_text")
			}
			words = append(words, w)
		}
		sep := "、"
		if a.Type == Region {
			sep = " "
		}
		return a.ReadText(strings.Join(words, sep))
	}
	return nil, fault("attribute.one_value")
}

// plain gives a JSON string, number or boolean as text.
func plain(raw json.RawMessage) (string, bool) {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 {
		return "", false
	}
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	case '{', '[':
		return "", false
	case 'n':
		return "", true
	}
	return string(raw), true
}

// option finds an option by id or label.
func (a *Attribute) option(s string) (int, *Fault) {
	if i, ok := a.byID[s]; ok {
		return i, nil
	}
	if i, ok := a.byLabel[fold(s)]; ok {
		return i, nil
	}
	return 0, fault("attribute.unknown_option", "options", a.labels())
}

// labels names the first options, for messages.
func (a *Attribute) labels() string {
	var out []string
	for i, o := range a.Options {
		if i == 8 {
			out = append(out, "…")
			break
		}
		out = append(out, o.Label)
	}
	return strings.Join(out, "、")
}

func (a *Attribute) choose(words []string) (json.RawMessage, *Fault) {
	var picked []int
	for _, w := range words {
		i, f := a.option(w)
		if f != nil {
			return nil, f
		}
		if !slices.Contains(picked, i) {
			picked = append(picked, i)
		}
	}
	switch {
	case len(picked) == 0:
		return nil, nil
	case len(picked) > maxMulti:
		return nil, fault("attribute.too_many_options", "most", maxMulti)
	}
	slices.Sort(picked)
	ids := make([]string, len(picked))
	for n, i := range picked {
		ids[n] = a.Options[i].ID
	}
	return encode(ids), nil
}

func splitList(s string) []string {
	var out []string
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune("、,，;；|/\n\t", r) }) {
		if w = clean(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

var flags = map[string]bool{
	"true": true, "yes": true, "y": true, "1": true, "on": true, "t": true, "是": true, "有": true, "对": true, "真": true, "√": true, "已": true,
	"false": false, "no": false, "n": false, "0": false, "off": false, "f": false, "否": false, "无": false, "不": false, "不是": false, "没有": false, "假": false, "×": false, "未": false,
}

func readFlag(s string) (json.RawMessage, *Fault) {
	b, ok := flags[strings.ToLower(narrow(s))]
	if !ok {
		return nil, fault("attribute.bad_flag")
	}
	return json.RawMessage(strconv.FormatBool(b)), nil
}

var dateLayouts = []string{
	time.DateOnly, "2006-1-2", "2006/1/2", "2006.1.2", "20060102", "2006年1月2日", "2006年1月2号", "2006 1 2", time.RFC3339,
	"2006-1-2 15:04:05", "2006-1-2 15:04", "2006/1/2 15:04:05", "2006/1/2 15:04", "2006-1-2T15:04:05", "Jan 2, 2006", "2 Jan 2006",
}

// readDate reads a day as it is written in China or by programs; of a moment it
// takes the day as written. Days written day-first are not guessed at.
func readDate(s string) (json.RawMessage, *Fault) {
	s = narrow(s)
	for _, l := range dateLayouts {
		if t, err := time.Parse(l, s); err == nil {
			if t.Year() < 1800 || t.Year() > 2200 {
				break
			}
			return quote(t.Format(time.DateOnly)), nil
		}
	}
	return nil, fault("attribute.bad_date")
}

// clean trims a value and turns line breaks and other controls into spaces.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\uFEFF' || r == '\u200B':
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// narrow turns full-width forms into their ASCII ones.
func narrow(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			return r - 0xFEE0
		case r == 0x3000 || r == 0xA0:
			return ' '
		case r == 0x2212:
			return '-'
		case r == '￥':
			return '¥'
		}
		return r
	}, s))
}

// fold is the form in which words are compared: width, case and spaces aside.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, narrow(s))
}

func quote(s string) json.RawMessage { return encode(s) }

// encode writes plain values, which cannot fail, as the database keeps them:
// < and & stay as they are.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n")
}

// Words parts a list as it is typed: 绿茶、白茶.
func Words(s string) []string { return splitList(s) }

// Fold is the form in which labels are compared.
func Fold(s string) string { return fold(s) }

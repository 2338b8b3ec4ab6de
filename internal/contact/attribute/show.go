package attribute

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Key is under what a canonical value stands in the index of values. Numbers
// are ×10,000, days milliseconds of their midnight in UTC, money minor units.
type Key struct {
	Str string
	Num int64
}

// maxKey bounds the text of a key, in bytes.
const maxKey = 160

// Keys gives the index entries of a canonical value: one, or one for each
// choice of a multi. A value that is not canonical has none.
func (a *Attribute) Keys(v json.RawMessage) []Key {
	if isNull(v) {
		return nil
	}
	switch a.Type {
	case Number:
		n, f := parseNumber(string(v), 4)
		if f != nil {
			return nil
		}
		return []Key{{Num: n}}
	case Money:
		var m amount
		if json.Unmarshal(v, &m) != nil {
			return nil
		}
		return []Key{{Num: m.Amount}}
	case Flag:
		return []Key{{Str: string(v)}}
	case Multi:
		var ids []string
		if json.Unmarshal(v, &ids) != nil {
			return nil
		}
		out := make([]Key, len(ids))
		for i, id := range ids {
			out[i].Str = id
		}
		return out
	}
	var s string
	if json.Unmarshal(v, &s) != nil || s == "" {
		return nil
	}
	switch a.Type {
	case Date:
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return nil
		}
		return []Key{{Num: t.UnixMilli()}}
	case Text:
		s = fold(s)
		for len(s) > maxKey {
			_, n := utf8.DecodeLastRuneInString(s)
			s = s[:len(s)-n]
		}
	}
	return []Key{{Str: s}}
}

// Show gives a canonical value as people read it: the label of an option, the
// name of a place. What is not canonical comes back as it is written.
func (a *Attribute) Show(v json.RawMessage) string {
	if isNull(v) {
		return ""
	}
	switch a.Type {
	case Money:
		var m amount
		if json.Unmarshal(v, &m) == nil && m.Currency != "" {
			return decimal(m.Amount, exponent(m.Currency)) + " " + m.Currency
		}
	case Multi:
		var ids []string
		if json.Unmarshal(v, &ids) == nil {
			for i, id := range ids {
				if o, ok := a.Option(id); ok {
					ids[i] = o.Label
				}
			}
			return strings.Join(ids, "、")
		}
	}
	s, ok := plain(v)
	if !ok {
		return string(v)
	}
	switch a.Type {
	case Enum:
		if o, ok := a.Option(s); ok {
			return o.Label
		}
	case Region:
		if n := RegionName(s); n != "" {
			return n
		}
	case Number:
		if a.Unit != "" {
			return s + " " + a.Unit
		}
	case Flag:
		if b, err := strconv.ParseBool(s); err == nil {
			if b {
				return "是"
			}
			return "否"
		}
	}
	return s
}

// Params are what messages about values of the attribute speak of: its bounds
// (of the length when ofLength), options and currency.
func (a *Attribute) Params(ofLength bool) map[string]any {
	p := map[string]any{"options": a.labels(), "currency": a.Currency, "least": 0, "most": maxMulti, "name": "—", "id": ""}
	if ofLength {
		p["least"], p["most"] = a.MinLength, a.MaxLength
		if a.MaxLength == 0 {
			p["most"] = maxText
		}
		return p
	}
	if a.Min != nil {
		p["least"] = *a.Min
	}
	if a.Max != nil {
		p["most"] = *a.Max
	}
	return p
}

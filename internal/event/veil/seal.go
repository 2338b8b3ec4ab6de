package veil

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/event/jsonscan"
)

// amounts are properties whose numbers are added up in reports: a sum of 11
// digits is no phone number there.
var amounts = map[string]bool{
	"total": true, "revenue": true, "price": true, "amount": true, "subtotal": true, "value": true, "quantity": true, "discount": true,
	"shipping": true, "tax": true, "refunded": true, "refund": true, "paid": true, "balance": true, "points": true, "cost": true,
}

// PersonalID tells whether an identifier must not lie in clear where facts are
// stored: by its kind, or because it looks like a phone number or an e-mail
// address, as user ids often are.
func PersonalID(kind, value string) bool {
	switch k := key(kind); k {
	case "phone", "mobile", "tel", "email", "mail", "idnumber", "idcard", "passport":
		return value != ""
	}
	return stillPersonal(value)
}

// stillPersonal is looksPersonal for what is sealed: numbers of 18 digits are
// common ids too, and count as identity numbers only with a date of birth in them.
func stillPersonal(v string) bool {
	if !looksPersonal(v) {
		return false
	}
	return len(v) != 18 || strings.Trim(v[:17], "0123456789") != "" || born(v[6:14])
}

// born tells whether eight digits are a date somebody living can be born on.
func born(date string) bool {
	t, err := time.Parse("20060102", date)
	return err == nil && t.Year() >= 1890 && t.Year() < 2100
}

// Seal copies a JSON object with every personal value, by the rules of Object,
// replaced by a string that seal makes of its JSON text. Lists and objects under
// a personal name are sealed whole. An object without personal values comes back
// as it is; text that is none comes back as `{"$broken": …}` with the text in it, sealed.
func Seal(raw []byte, person bool, seal func(value []byte) (string, error)) ([]byte, error) {
	if len(raw) == 0 || bytes.Equal(raw, null) {
		return raw, nil
	}
	w := sealer{seal: seal, dst: make([]byte, 0, len(raw)+128)}
	w.s.Reset(raw)
	whole := false
	if w.s.Kind() == jsonscan.Object {
		whole = w.object(person, 0) && w.s.End()
	}
	switch {
	case w.err != nil:
		return nil, w.err
	case whole && w.sealed:
		return w.dst, nil
	case whole:
		return raw, nil
	}
	text, err := seal(jsonscan.Quote(nil, string(raw)))
	if err != nil {
		return nil, err
	}
	return append(jsonscan.Quote([]byte(`{"$broken":`), text), '}'), nil
}

// Holds tells whether a JSON value has something personal in it, at any depth,
// by the rules of Seal.
func Holds(name string, raw []byte) bool {
	w := sealer{seal: func([]byte) (string, error) { return "", errFound }}
	w.s.Reset(raw)
	return !w.member(name, false, 0) && w.err != nil
}

var errFound = errors.New("found")

var null = []byte("null")

// sealer walks over an object and writes its copy. Its methods tell whether the
// text was JSON so far and sealing went well.
type sealer struct {
	s      jsonscan.Scanner
	dst    []byte
	seal   func([]byte) (string, error)
	sealed bool
	err    error
}

func (w *sealer) object(person bool, depth int) bool {
	w.dst = append(w.dst, '{')
	w.s.Open()
	for first := true; ; first = false {
		k, ok, err := w.s.Key(first)
		if err != nil {
			return false
		}
		if !ok {
			w.dst = append(w.dst, '}')
			return true
		}
		if !first {
			w.dst = append(w.dst, ',')
		}
		w.dst = append(append(w.dst, k.Raw...), ':')
		if !w.member(string(jsonscan.Text(nil, k)), person, depth) {
			return false
		}
	}
}

func (w *sealer) list(name string, person bool, depth int) bool {
	w.dst = append(w.dst, '[')
	w.s.Open()
	for first := true; ; first = false {
		ok, err := w.s.Elem(first)
		if err != nil {
			return false
		}
		if !ok {
			w.dst = append(w.dst, ']')
			return true
		}
		if !first {
			w.dst = append(w.dst, ',')
		}
		if !w.member(name, person, depth) {
			return false
		}
	}
}

func (w *sealer) member(name string, person bool, depth int) bool {
	k := key(name)
	mask := maskFor(name, person)
	switch w.s.Kind() {
	case jsonscan.Object:
		if mask == nil && depth < jsonscan.MaxDepth {
			return w.object(person || k == "traits", depth+1)
		}
	case jsonscan.Array:
		if mask == nil && depth < jsonscan.MaxDepth {
			return w.list(name, person || k == "externalids" || k == "externalid", depth+1)
		}
	}
	v, err := w.s.Skip()
	if err != nil {
		return false
	}
	hide := false
	switch v.Kind {
	case jsonscan.String:
		hide = len(v.Raw) > 2 && (mask != nil || stillPersonal(string(jsonscan.Text(nil, v))))
	case jsonscan.Number:
		hide = mask != nil || !amounts[k] && stillPersonal(string(v.Raw))
	case jsonscan.Object, jsonscan.Array: // personal by name, or too deep to look into
		hide = len(v.Raw) > 2
	}
	if !hide {
		w.dst = append(w.dst, v.Raw...)
		return true
	}
	text, err := w.seal(v.Raw)
	if err != nil {
		w.err = err
		return false
	}
	w.sealed = true
	w.dst = jsonscan.Quote(w.dst, text)
	return true
}

// Unseal copies a JSON text with every string that begins with prefix replaced
// by the JSON text that open makes of it; false leaves the string as it is.
func Unseal(raw []byte, prefix string, open func(text string) ([]byte, bool)) []byte {
	mark := append([]byte{'"'}, prefix...)
	if !bytes.Contains(raw, mark) {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for {
		i := bytes.Index(raw, mark)
		if i < 0 {
			return append(out, raw...)
		}
		out = append(out, raw[:i]...)
		raw = raw[i:]
		// A sealed text has no quote and no backslash in it.
		end := bytes.IndexByte(raw[1:], '"')
		if end < 0 {
			return append(out, raw...)
		}
		value, ok := open(string(raw[1 : end+1]))
		if !ok {
			value = raw[:end+2]
		}
		out = append(out, value...)
		raw = raw[end+2:]
	}
}

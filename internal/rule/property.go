package rule

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/event/jsonscan"
)

// Decimals is how many decimals numbers have, and maxNumber how large they are.
const (
	Decimals  = 6
	maxNumber = 1e15
)

// Millionths is a number as it is compared and added: whole, of the sixth
// decimal. All evaluations must round alike, so it is one multiplication of
// doubles and one rounding half away from zero; false beyond ±10^15.
func Millionths(n float64) (float64, bool) {
	return math.Round(n * 1e6), math.Abs(n) <= maxNumber
}

// property is the text of a property of a fact; false when it is not there, or null.
func property(props json.RawMessage, name string) (text string, ok bool) {
	var found jsonscan.Value
	_ = jsonscan.Members(props, func(k []byte, v jsonscan.Value) bool { // what is no object has no properties
		if string(k) == name {
			found = v
			return false
		}
		return true
	})
	switch found.Kind {
	case jsonscan.None, jsonscan.Null:
		return "", false
	case jsonscan.String:
		return string(jsonscan.Text(nil, found)), true
	}
	return string(appendJSON(nil, found.Raw)), true
}

// appendJSON appends a JSON value without spaces, its numbers in their shortest form.
func appendJSON(dst []byte, raw []byte) []byte {
	raw = bytes.TrimSpace(raw)
	var s jsonscan.Scanner
	s.Reset(raw)
	kind := s.Kind()
	switch kind {
	case jsonscan.Number:
		return appendNumber(dst, string(raw))
	case jsonscan.String:
		return appendQuoted(dst, string(jsonscan.Text(nil, jsonscan.Value{Raw: raw, Kind: kind, Flags: jsonscan.Escaped | jsonscan.Dirty})))
	case jsonscan.Object:
		dst = append(dst, '{')
		n := 0
		s.Open()
		for first := true; ; first = false {
			k, ok, err := s.Key(first)
			if err != nil || !ok {
				return append(dst, '}')
			}
			v, err := s.Skip()
			if err != nil {
				return append(dst, '}')
			}
			if n++; n > 1 {
				dst = append(dst, ',')
			}
			dst = append(appendJSON(dst, k.Raw), ':')
			dst = appendJSON(dst, v.Raw)
		}
	case jsonscan.Array:
		dst = append(dst, '[')
		s.Open()
		for first := true; ; first = false {
			ok, err := s.Elem(first)
			if err != nil || !ok {
				return append(dst, ']')
			}
			v, err := s.Skip()
			if err != nil {
				return append(dst, ']')
			}
			if !first {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, v.Raw)
		}
	}
	return append(dst, raw...)
}

// appendNumber appends a JSON number in its shortest form: integers of 64 bits
// and what is beyond a double as written, others with a point or an exponent.
func appendNumber(dst []byte, raw string) []byte {
	if !strings.ContainsAny(raw, ".eE") {
		if raw == "-0" {
			return append(dst, '0')
		}
		return append(dst, raw...)
	}
	f, _ := strconv.ParseFloat(raw, 64)
	if math.IsInf(f, 0) {
		return append(dst, raw...)
	}
	// Digits and where the point stands among them: d.ddd × 10^(point-1).
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(f), 'e', -1, 64), "e")
	digits := strings.Replace(mantissa, ".", "", 1)
	exp, _ := strconv.Atoi(exponent)
	point := exp + 1
	if math.Signbit(f) {
		dst = append(dst, '-')
	}
	switch {
	case f == 0:
		return append(dst, "0.0"...)
	case point <= -6 || point > 21:
		dst = append(dst, mantissa...)
		return strconv.AppendInt(append(dst, 'e'), int64(exp), 10)
	case point <= 0:
		return append(append(append(dst, "0."...), strings.Repeat("0", -point)...), digits...)
	case len(digits) <= point:
		return append(append(append(dst, digits...), strings.Repeat("0", point-len(digits))...), ".0"...)
	}
	return append(append(append(dst, digits[:point]...), '.'), digits[point:]...)
}

// appendQuoted appends a JSON string with no escape that is not needed.
func appendQuoted(dst []byte, text string) []byte {
	const short, upper = "\b\f\n\r\t\"\\", "0123456789ABCDEF"
	dst = append(dst, '"')
	for i := range len(text) {
		c := text[i]
		switch at := strings.IndexByte(short, c); {
		case at >= 0:
			dst = append(dst, '\\', `bfnrt"\`[at])
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', upper[c>>4], upper[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// number is what a text reads as, in millionths; false when that is no number:
// digits, among which single underscores may stand, with a sign, a point, an
// exponent and space around.
func number(text string) (float64, bool) {
	text = strings.Trim(text, " \t\n\v\f\r")
	text = strings.TrimPrefix(text, "+")
	plain := make([]byte, 0, len(text))
	digits, point, exp := 0, false, false
	for i := range len(text) {
		digit := func(at int) bool { return at >= 0 && at < len(text) && text[at] >= '0' && text[at] <= '9' }
		switch c := text[i]; {
		case digit(i):
			digits++
		case c == '_' && digit(i-1) && digit(i+1):
			continue
		case c == '-' && (i == 0 || text[i-1]|0x20 == 'e'), c == '+' && i > 0 && text[i-1]|0x20 == 'e':
		case c == '.' && !point && !exp:
			point = true
		case c|0x20 == 'e' && !exp && digits > 0:
			exp, digits = true, 0
		default:
			return 0, false
		}
		plain = append(plain, text[i])
	}
	if digits == 0 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(plain), 64)
	if err != nil {
		return 0, false // beyond a double
	}
	return Millionths(f)
}

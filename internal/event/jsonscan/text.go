package jsonscan

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// Text appends what a string value says: unquoted, with everything that is not
// valid Unicode, and the character 0, replaced by U+FFFD.
func Text(dst []byte, v Value) []byte {
	in := v.Raw[1 : len(v.Raw)-1]
	if v.Flags&(Escaped|Dirty) == 0 {
		return append(dst, in...)
	}
	for len(in) > 0 {
		c := in[0]
		switch {
		case c == '\\':
			var n int
			dst, n = unescape(dst, in)
			in = in[n:]
		case c == 0:
			dst = utf8.AppendRune(dst, utf8.RuneError)
			in = in[1:]
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			in = in[1:]
		default:
			r, n := utf8.DecodeRune(in)
			dst = utf8.AppendRune(dst, r)
			in = in[n:]
		}
	}
	return dst
}

// unescape handles one sequence at the front of in, which the scanner found well formed.
func unescape(dst, in []byte) (out []byte, n int) {
	switch c := in[1]; c {
	case 'b':
		return append(dst, '\b'), 2
	case 'f':
		return append(dst, '\f'), 2
	case 'n':
		return append(dst, '\n'), 2
	case 'r':
		return append(dst, '\r'), 2
	case 't':
		return append(dst, '\t'), 2
	case 'u':
		r, _ := hex4(in)
		if r >= 0xD800 && r < 0xDC00 {
			if lo, ok := hex4(in[6:]); ok && lo >= 0xDC00 && lo <= 0xDFFF {
				return utf8.AppendRune(dst, (r-0xD800)<<10|(lo-0xDC00)+0x10000), 12
			}
		}
		if r == 0 || r >= 0xD800 && r <= 0xDFFF {
			r = utf8.RuneError
		}
		return utf8.AppendRune(dst, r), 6
	default:
		return append(dst, c), 2
	}
}

// Quote appends text as a JSON string. What is not valid UTF-8 becomes U+FFFD.
func Quote(dst []byte, text string) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
			i++
		case c == '\n':
			dst = append(dst, '\\', 'n')
			i++
		case c == '\t':
			dst = append(dst, '\\', 't')
			i++
		case c == '\r':
			dst = append(dst, '\\', 'r')
			i++
		case c == 0:
			dst = utf8.AppendRune(dst, utf8.RuneError)
			i++
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			i++
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, n := utf8.DecodeRuneInString(text[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
		}
	}
	return append(dst, '"')
}

// Clean appends v rewritten so that every store accepts it: valid Unicode, no
// number beyond a double (null instead, as for NaN), and of a repeated key the
// last value, at the place of the first.
func Clean(dst []byte, v Value) []byte {
	var s Scanner
	s.b = v.Raw
	return s.clean(dst, 0)
}

func (s *Scanner) clean(dst []byte, depth int) []byte {
	switch s.Kind() {
	case Object:
		if depth >= MaxDepth {
			return append(dst, "null"...)
		}
		return s.cleanObject(dst, depth)
	case Array:
		if depth >= MaxDepth {
			return append(dst, "null"...)
		}
		dst = append(dst, '[')
		s.Open()
		for first := true; ; first = false {
			if ok, err := s.Elem(first); !ok || err != nil {
				return append(dst, ']')
			}
			if !first {
				dst = append(dst, ',')
			}
			dst = s.clean(dst, depth+1)
		}
	}
	v, err := s.Skip()
	switch {
	case err != nil:
		return append(dst, "null"...)
	case v.Kind == String && v.Is(Dirty):
		return Quote(dst, string(Text(nil, v)))
	case v.Is(Dirty):
		return append(dst, "null"...)
	}
	return append(dst, v.Raw...)
}

// cleanObject needs two passes: first where the members are, then writing them.
func (s *Scanner) cleanObject(dst []byte, depth int) []byte {
	type member struct {
		key  string
		from int // offset of the value
	}
	var members []member
	at := map[string]int{}
	s.Open()
	for first := true; ; first = false {
		k, ok, err := s.Key(first)
		if !ok || err != nil {
			break
		}
		key := string(Text(nil, k))
		from := s.i
		if _, err := s.Skip(); err != nil {
			break
		}
		if i, twice := at[key]; twice {
			members[i].from = from
			continue
		}
		at[key] = len(members)
		members = append(members, member{key, from})
	}
	end := s.i
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(Quote(dst, m.key), ':')
		s.i = m.from
		dst = s.clean(dst, depth+1)
	}
	s.i = end
	return append(dst, '}')
}

// Float reads a number value; false when it is none or beyond a double.
func Float(v Value) (float64, bool) {
	if v.Kind != Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v.Raw), 64)
	return f, err == nil && !math.IsInf(f, 0)
}

// Member finds the last member of an object with a plain key.
func Member(object []byte, key string) (Value, bool) {
	var found Value
	_ = Members(object, func(k []byte, v Value) bool {
		if string(k) == key {
			found = v
		}
		return true
	})
	return found, found.Kind != None
}

// Members calls fn with the unquoted key and the value of each member until it
// returns false. k is valid only during the call.
func Members(object []byte, fn func(k []byte, v Value) bool) error {
	var s Scanner
	s.Reset(object)
	if s.Kind() != Object {
		return ErrSyntax
	}
	s.Open()
	var buf [64]byte
	for first := true; ; first = false {
		k, ok, err := s.Key(first)
		if err != nil || !ok {
			return err
		}
		name := k.Raw[1 : len(k.Raw)-1]
		if k.Flags != 0 {
			name = Text(buf[:0], k)
		}
		v, err := s.Skip()
		if err != nil {
			return err
		}
		if !fn(name, v) {
			return nil
		}
	}
}

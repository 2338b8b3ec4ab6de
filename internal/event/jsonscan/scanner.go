package jsonscan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// MaxDepth is how deep arrays and objects may nest inside a value. Deeper ones
// are skipped and marked Deep.
const MaxDepth = 64

// Kind of a value. None means that there is no value.
type Kind uint8

// The kinds.
const (
	None Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// Flags say what a caller must know of a value before storing it.
type Flags uint8

// The flags.
const (
	Escaped Flags = 1 << iota // a string with backslashes: unquote it by Text
	Dirty                     // not storable as it is: see Clean
	Deep                      // nested deeper than MaxDepth
	Repeat                    // an object that has one of its keys twice
)

// Value is a span of the input: strings with their quotes.
type Value struct {
	Raw   []byte
	Kind  Kind
	Flags Flags
}

// Is tells whether all of f are set.
func (v Value) Is(f Flags) bool { return v.Flags&f == f }

// ErrSyntax means that the text is not JSON; Scanner.Offset tells where.
var ErrSyntax = errors.New("not JSON")

// Scanner walks over one text. Set it up with Reset; it keeps no memory of its own.
type Scanner struct {
	b     []byte
	i     int
	flags Flags // gathered by the value being skipped
}

// Reset begins with a new text. A byte order mark in front is passed over.
func (s *Scanner) Reset(b []byte) {
	*s = Scanner{b: b}
	if len(b) >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF {
		s.i = 3
	}
}

// Offset is where the scanner stands, in bytes.
func (s *Scanner) Offset() int { return s.i }

func (s *Scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\n', '\t', '\r':
			s.i++
		default:
			return
		}
	}
}

// Kind tells what comes next, without reading it. None: the end, or no JSON.
func (s *Scanner) Kind() Kind {
	s.space()
	if s.i >= len(s.b) {
		return None
	}
	switch c := s.b[s.i]; {
	case c == '{':
		return Object
	case c == '[':
		return Array
	case c == '"':
		return String
	case c == 't' || c == 'f':
		return Bool
	case c == 'n' || c == 'N' || c == 'I':
		return Null
	case c == '-' || c >= '0' && c <= '9':
		return Number
	}
	return None
}

// End tells whether only white space is left.
func (s *Scanner) End() bool { s.space(); return s.i >= len(s.b) }

// Open enters an object or array; Kind said which it is.
func (s *Scanner) Open() { s.i++ }

// Key reads the next key of an object that was entered, and the colon. ok is
// false at the closing brace. first tells that no member was read yet.
func (s *Scanner) Key(first bool) (key Value, ok bool, err error) {
	more, err := s.more(first, '}')
	if err != nil || !more {
		return Value{}, false, err
	}
	if s.i >= len(s.b) || s.b[s.i] != '"' {
		return Value{}, false, ErrSyntax
	}
	if key, err = s.Skip(); err != nil {
		return Value{}, false, err
	}
	s.space()
	if s.i >= len(s.b) || s.b[s.i] != ':' {
		return Value{}, false, ErrSyntax
	}
	s.i++
	return key, true, nil
}

// Elem moves to the next element of an array that was entered; false at the end.
func (s *Scanner) Elem(first bool) (ok bool, err error) { return s.more(first, ']') }

func (s *Scanner) more(first bool, closing byte) (bool, error) {
	s.space()
	if s.i >= len(s.b) {
		return false, ErrSyntax
	}
	c := s.b[s.i]
	if c == closing {
		s.i++
		return false, nil
	}
	if !first {
		if c != ',' {
			return false, ErrSyntax
		}
		s.i++
		s.space()
		if s.i >= len(s.b) || s.b[s.i] == closing {
			return false, ErrSyntax
		}
	}
	return true, nil
}

// Skip reads one whole value and returns its span.
func (s *Scanner) Skip() (Value, error) {
	s.space()
	start := s.i
	s.flags = 0
	k, err := s.skip(0)
	if err != nil {
		return Value{}, err
	}
	return Value{Raw: s.b[start:s.i], Kind: k, Flags: s.flags}, nil
}

func (s *Scanner) skip(depth int) (Kind, error) {
	s.space()
	if s.i >= len(s.b) {
		return None, ErrSyntax
	}
	switch c := s.b[s.i]; c {
	case '"':
		return String, s.str()
	case '{':
		if depth >= MaxDepth {
			return Object, s.deep()
		}
		return Object, s.object(depth)
	case '[':
		if depth >= MaxDepth {
			return Array, s.deep()
		}
		return Array, s.array(depth)
	case 't':
		return Bool, s.word("true")
	case 'f':
		return Bool, s.word("false")
	case 'n':
		return Null, s.word("null")
	case 'N': // Python's json writes NaN and Infinity
		s.flags |= Dirty
		return Null, s.word("NaN")
	case 'I':
		s.flags |= Dirty
		return Null, s.word("Infinity")
	default:
		return s.number()
	}
}

func (s *Scanner) object(depth int) error {
	start := s.i
	var keys keySet
	s.i++
	for first := true; ; first = false {
		more, err := s.more(first, '}')
		if err != nil {
			return err
		}
		if !more {
			if keys.suspect && repeats(s.b[start:s.i]) {
				s.flags |= Repeat | Dirty
			}
			return nil
		}
		if s.b[s.i] != '"' {
			return ErrSyntax
		}
		from := s.i
		if err := s.str(); err != nil {
			return err
		}
		if depth == 0 { // deeper ones are not looked at: nothing reads them by key alone
			keys.add(s.b[from+1 : s.i-1])
		}
		s.space()
		if s.i >= len(s.b) || s.b[s.i] != ':' {
			return ErrSyntax
		}
		s.i++
		if _, err := s.skip(depth + 1); err != nil {
			return err
		}
	}
}

// keySet notices cheaply that a key may have come before.
type keySet struct {
	n       int
	suspect bool
	hash    [24]uint64
}

func (k *keySet) add(key []byte) {
	if k.suspect {
		return
	}
	h := uint64(len(key)) * 0x9E3779B97F4A7C15
	if n := len(key); n >= 8 {
		h ^= binary.LittleEndian.Uint64(key) * 0xC2B2AE3D27D4EB4F
		h ^= binary.LittleEndian.Uint64(key[n-8:])
	} else {
		for _, c := range key {
			h = h*31 + uint64(c)
		}
	}
	for _, o := range k.hash[:k.n] {
		if o == h {
			k.suspect = true
			return
		}
	}
	if k.n == len(k.hash) || bytes.IndexByte(key, '\\') >= 0 {
		k.suspect = true // too many to watch here, or written in more than one way
		return
	}
	k.hash[k.n] = h
	k.n++
}

// repeats tells exactly whether an object has a key twice.
func repeats(object []byte) bool {
	seen, twice := map[string]bool{}, false
	_ = Members(object, func(k []byte, _ Value) bool {
		twice = seen[string(k)]
		seen[string(k)] = true
		return !twice
	})
	return twice
}

func (s *Scanner) array(depth int) error {
	s.i++
	for first := true; ; first = false {
		more, err := s.more(first, ']')
		if err != nil || !more {
			return err
		}
		if _, err := s.skip(depth + 1); err != nil {
			return err
		}
	}
}

// deep passes over a value that is refused anyway: only brackets and strings
// are looked at, so that no nesting, however deep, costs stack.
func (s *Scanner) deep() error {
	s.flags |= Deep
	for open := 0; s.i < len(s.b); {
		switch s.b[s.i] {
		case '{', '[':
			open++
			s.i++
		case '}', ']':
			open--
			s.i++
			if open == 0 {
				return nil
			}
		case '"':
			if err := s.str(); err != nil {
				return err
			}
		default:
			s.i++
		}
	}
	return ErrSyntax
}

func (s *Scanner) word(w string) error {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return ErrSyntax
	}
	s.i += len(w)
	return nil
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// str passes over a string, eight bytes at a time while nothing special comes.
func (s *Scanner) str() error {
	s.i++
	start, ascii := s.i, true
	for {
		for len(s.b)-s.i >= 8 {
			w := binary.LittleEndian.Uint64(s.b[s.i:])
			quote := w ^ (ones * '"')
			slash := w ^ (ones * '\\')
			special := (quote - ones) &^ quote // has a zero byte
			special |= (slash - ones) &^ slash
			special |= (w - ones*0x20) &^ w // a byte below 0x20
			special |= w                    // a byte from 0x80 on
			if special &= highs; special != 0 {
				s.i += bits.TrailingZeros64(special) / 8 // the lowest hit is exact
				break
			}
			s.i += 8
		}
		if s.i >= len(s.b) {
			return ErrSyntax
		}
		switch c := s.b[s.i]; {
		case c == '"':
			if !ascii && !utf8.Valid(s.b[start:s.i]) {
				s.flags |= Dirty
			}
			s.i++
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case c < 0x20:
			s.flags |= Dirty
			s.i++
		case c >= 0x80:
			ascii = false
			for s.i++; s.i < len(s.b) && s.b[s.i] >= 0x80; s.i++ {
			}
		default:
			s.i++
		}
	}
}

// escape passes over one backslash sequence; half surrogates make the value dirty.
func (s *Scanner) escape() error {
	s.flags |= Escaped
	if len(s.b)-s.i < 2 {
		return ErrSyntax
	}
	switch s.b[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
		return nil
	case 'u':
		r, ok := hex4(s.b[s.i:])
		if !ok {
			return ErrSyntax
		}
		s.i += 6
		switch {
		case r == 0: // PostgreSQL refuses it in jsonb, C strings end at it
			s.flags |= Dirty
		case r >= 0xD800 && r < 0xDC00:
			lo, ok := hex4(s.b[s.i:])
			if !ok || lo < 0xDC00 || lo > 0xDFFF {
				s.flags |= Dirty
				return nil
			}
			s.i += 6
		case r >= 0xDC00 && r <= 0xDFFF:
			s.flags |= Dirty
		}
		return nil
	}
	return ErrSyntax
}

// hex4 reads \uXXXX at the front of b.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

func (s *Scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}

func (s *Scanner) number() (Kind, error) {
	start, exp := s.i, false
	if s.b[s.i] == '-' {
		s.i++
		if s.i < len(s.b) && s.b[s.i] == 'I' {
			s.flags |= Dirty
			return Null, s.word("Infinity")
		}
	}
	zero := s.i < len(s.b) && s.b[s.i] == '0'
	first := s.i
	if !s.digits() || zero && s.i > first+1 {
		return None, ErrSyntax
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if !s.digits() {
			return None, ErrSyntax
		}
	}
	if s.i < len(s.b) && (s.b[s.i] == 'e' || s.b[s.i] == 'E') {
		exp = true
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if !s.digits() {
			return None, ErrSyntax
		}
	}
	if exp || s.i-start > 300 {
		raw := s.b[start:s.i]
		if f, _ := strconv.ParseFloat(unsafe.String(&raw[0], len(raw)), 64); math.IsInf(f, 0) {
			s.flags |= Dirty
		}
	}
	return Number, nil
}

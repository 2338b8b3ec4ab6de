package attribute

import (
	"encoding/json"
	"strings"
)

// Guess finds the type that fits the values best, most of which must be of it.
// Words that come again and again are options.
func Guess(values []json.RawMessage, r Readers) Type {
	counts := map[Type]int{}
	words := map[string]int{}
	lists, n := 0, 0
	try := map[Type]*Attribute{}
	for _, t := range []Type{Flag, Number, Money, Date, Phone, Email, Region} {
		if a, f := Compile(Definition{Key: "k", NameZh: "k", Type: t}, r); f == nil {
			try[t] = a
		}
	}
	for _, v := range values {
		if isNull(v) || string(v) == `""` {
			continue
		}
		n++
		if strings.HasPrefix(string(v), "[") {
			lists++
		}
		for t, a := range try {
			if t == Money && !marked(v) {
				continue
			}
			if _, f := a.Read(v); f == nil {
				counts[t]++
			}
		}
		if s, ok := plain(v); ok {
			words[fold(s)]++
		}
	}
	if n == 0 {
		return Text
	}
	mostly := func(k int) bool { return k*10 >= n*9 }
	if mostly(lists) {
		return Multi
	}
	for _, t := range []Type{Email, Phone, Date, Region, Money} {
		if mostly(counts[t]) {
			return t
		}
	}
	if mostly(counts[Flag]) && len(words) <= 2 {
		return Flag
	}
	if mostly(counts[Number]) {
		return Number
	}
	if n >= 20 && len(words) <= 20 && len(words)*3 <= n {
		return Enum
	}
	return Text
}

// marked tells whether a text carries a currency: without one it is a number.
func marked(v json.RawMessage) bool {
	if strings.HasPrefix(string(v), "{") {
		return true
	}
	s, ok := plain(v)
	if !ok {
		return false
	}
	rest, _ := takeCurrency(s)
	return rest != strings.ToLower(narrow(s))
}

package score

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Keys are the forms under which a person is looked up: only people who share
// one are compared, which keeps the work in step with the number of people and
// not its square. Each kind of key stands for a way in which the rest may be
// wrong, so that a pair with one fault in each of several fields still meets.
// They hold personal data: hash them before they are kept anywhere.
func (p *Person) Keys() []string {
	var out []string
	add := func(kind string, parts ...string) {
		if slices.Contains(parts, "") {
			return
		}
		if k := kind + "\x1f" + strings.Join(parts, "\x1f"); !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	b := p.birthday
	for _, n := range p.names {
		if n.titled {
			continue
		}
		key, initials := n.key(), n.initials()
		if b != "" {
			add("ny", key, b[:4])              // the day or month is wrong
			add("nd", key, sorted(b))          // digits are swapped
			add("ib", initials, b)             // the name is spelt otherwise
			add("im", initials, b[4:], p.city) // the year is wrong, and the name
			add("ny", key, sorted(b[4:]))      // the year is wrong
		}
		add("nc", key, p.city)
		add("na", key, p.address.numbersKey())
		if n.han && p.address.numbersKey() == "" && p.city == "" && b == "" {
			add("nn", key)
		}
	}
	if b != "" {
		add("bc", b, p.city)
		add("ba", b, p.address.numbersKey())
	}
	for _, d := range p.phones {
		if len(d) < 9 {
			add("ph", d)
			continue
		}
		// One digit that is wrong, or two neighbours that are swapped, leave one of
		// these as it was, wherever they stand in a number of eleven digits. Each is
		// so fine that a million people share it by twos and threes at most.
		n := len(d)
		add("pa", d[:n-4])
		add("pb", d[n-6:])
		add("pc", d[:n-6], d[n-4:])
		add("pd", d[:n-7], sorted(d[n-7:n-3]), d[n-3:])
		add("pt", d[n-8:])
	}
	for _, l := range p.locals {
		add("el", l)
	}
	for _, n := range p.numbers {
		h := len(n) / 2
		add("id", n)
		add("i1", n[:h], last(n, 1))
		add("i2", n[h:])
		add("is", sorted(n))
	}
	for _, w := range p.address.rare() {
		add("aw", w, p.address.numbersKey())
	}
	return out
}

// numbersKey joins the numbers of an address; one alone, of a house, is common.
func (a address) numbersKey() string { return strings.Join(a.numbers, "-") }

// rare are its two longest words: they tell most.
func (a address) rare() []string {
	if len(a.numbers) == 0 {
		return nil
	}
	w := slices.Clone(a.words)
	slices.SortStableFunc(w, func(x, y string) int { return utf8.RuneCountInString(y) - utf8.RuneCountInString(x) })
	return w[:min(2, len(w))]
}

func sorted(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

func last(s string, n int) string { return s[len(s)-n:] }

package secret

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaskPhone shows enough of a number to recognise it: `138****1234`. The
// Chinese country code is left out, another one stays within the first part.
func MaskPhone(phone string) string {
	p := strings.TrimPrefix(strings.TrimSpace(phone), "+86")
	if n := utf8.RuneCountInString(p); n < 8 {
		return Mask(p)
	}
	head := 3
	if strings.HasPrefix(p, "+") {
		head = 4
	}
	return keep(p, head, 4, 4)
}

// MaskEmail shows the first character and the domain: `l***@qq.com`.
func MaskEmail(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at <= 0 {
		return Mask(email)
	}
	_, n := utf8.DecodeRuneInString(email)
	return email[:n] + "***" + email[at:]
}

// MaskIDNumber shows the region and the last four of an identity number:
// `110***********1234`, never the birthday in its middle.
func MaskIDNumber(number string) string {
	n := utf8.RuneCountInString(number)
	if n < 12 {
		return Mask(number)
	}
	return keep(number, 3, 4, n-7)
}

// MaskName shows the family name, as Chinese forms do: 王**, J*** S***.
func MaskName(name string) string {
	name = strings.TrimSpace(name)
	if strings.IndexFunc(name, func(r rune) bool { return r > unicode.MaxLatin1 }) < 0 {
		words := strings.Fields(name)
		for i, w := range words {
			words[i] = keep(w, 1, 0, 3)
		}
		return strings.Join(words, " ")
	}
	n := utf8.RuneCountInString(name)
	return keep(name, 1, 0, min(max(n-1, 1), 3))
}

// Mask shows little of any other value: the ends of a long one, the first
// character of a short one.
func Mask(value string) string {
	switch n := utf8.RuneCountInString(value); {
	case n == 0:
		return ""
	case n < 8:
		return keep(value, 1, 0, 3)
	case n < 12:
		return keep(value, 2, 2, 4)
	default:
		return keep(value, 4, 4, 4)
	}
}

// keep shows the first head and last tail characters with stars between.
func keep(s string, head, tail, stars int) string {
	r := []rune(s)
	if len(r) <= head+tail { // nothing would be hidden
		return strings.Repeat("*", max(stars, 1))
	}
	return string(r[:head]) + strings.Repeat("*", stars) + string(r[len(r)-tail:])
}

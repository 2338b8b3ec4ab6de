package i18n

import (
	"golang.org/x/text/language"
)

// Lang is one of the two languages that the product speaks.
type Lang string

// The languages. Chinese is the default.
const (
	ZH Lang = "zh-CN"
	EN Lang = "en"
)

// Langs lists them, the default first.
func Langs() []Lang { return []Lang{ZH, EN} }

// Valid tells whether l is one of the two.
func (l Lang) Valid() bool { return l == ZH || l == EN }

// Negotiate picks the language for an Accept-Language header. Every kind of
// Chinese (zh, zh-Hans, zh-SG, zh-TW…) is ZH; a language we do not speak, or a
// header we cannot read, is ZH too.
func Negotiate(accept string) Lang {
	switch accept { // the usual ones, without parsing
	case "", "zh-CN":
		return ZH
	case "en":
		return EN
	}
	tags, weights, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return ZH
	}
	for i, t := range tags {
		base, _ := t.Base()
		switch {
		case weights[i] <= 0:
		case base.String() == "zh":
			return ZH
		case base.String() == "en":
			return EN
		}
	}
	return ZH
}

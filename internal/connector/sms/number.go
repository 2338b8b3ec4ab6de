package sms

import (
	"regexp"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"github.com/koipond/koipond/internal/platform/errs"
)

var errNumber = errs.New(errs.Invalid, "sms.bad_number")

// home is the country of numbers that are written without one.
const home = "CN"

// chineseMobile is the shape of a mobile number in the mainland: what has another
// is refused before it costs anything.
var chineseMobile = regexp.MustCompile(`^\+861[3-9][0-9]{9}$`)

// Number gives the one form of a number, +8613800001234, or refuses it: what is no
// mobile number would be paid for and reach nobody.
func Number(raw string) (string, error) {
	raw = strings.TrimSpace(halfWidth(raw))
	if len(raw) > 40 || raw == "" {
		return "", errNumber
	}
	p, err := phonenumbers.Parse(raw, home)
	if err != nil || p.GetExtension() != "" || !phonenumbers.IsPossibleNumber(p) {
		return "", errNumber
	}
	n := phonenumbers.Format(p, phonenumbers.E164)
	if p.GetCountryCode() == 86 {
		if !chineseMobile.MatchString(n) {
			return "", errNumber
		}
		return n, nil
	}
	switch phonenumbers.GetNumberType(p) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.PERSONAL_NUMBER:
		return n, nil
	}
	return "", errNumber
}

// mainland tells whether a number in its one form is of the mainland.
func mainland(n string) bool { return strings.HasPrefix(n, "+86") }

// halfWidth makes full-width letters, digits and signs plain ones.
func halfWidth(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			return r - 0xFEE0
		case r == 0x3000:
			return ' '
		}
		return r
	}, s)
}

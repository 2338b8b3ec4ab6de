package contact

import (
	"strings"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// Why a value that was sent as an identifier is none.
const (
	refusedEmpty   = "empty"
	refusedBlocked = "blocked"       // null, 0000, anonymous, …
	refusedListed  = "listed"        // the company blocks it
	refusedLong    = "too_long"      // over maxValue bytes
	refusedPhone   = "invalid_phone" // not a possible number of its country
	refusedEmail   = "invalid_email"
	refusedText    = "not_text" // control characters or broken UTF-8
)

// maxValue is the longest identifier in bytes: beyond it is a mistake or an attack.
const maxValue = 256

// blocked are values that programs send when they know nothing. Compared in lower case.
var blocked = map[string]bool{
	"-1": true, "null": true, "(null)": true, "nil": true, "none": true, "undefined": true, "nan": true,
	"anonymous": true, "anon": true, "guest": true, "unknown": true, "test": true, "n/a": true, "na": true,
	"true": true, "false": true, "[object object]": true, "distinct_id": true, "not_authenticated": true,
	"userid": true, "user_id": true, "id": true, "email": true, "phone": true, "{}": true, "[]": true, "\"\"": true,
	"无": true, "未知": true, "游客": true, "匿名": true, "测试": true,
}

// normalize gives the one form in which a value of a canonical kind is
// compared, or the reason why it identifies nobody. country is the ISO code
// for phone numbers written without one.
func normalize(kind, value, country string) (norm, refused string) {
	v := strings.TrimSpace(toASCII(value))
	switch {
	case v == "":
		return "", refusedEmpty
	case len(v) > maxValue:
		return "", refusedLong
	case !printable(v):
		return "", refusedText
	case isBlocked(v):
		return "", refusedBlocked
	}
	switch kind {
	case KindPhone:
		return phone(v, country)
	case KindEmail:
		return email(v)
	case KindIDNumber:
		return strings.ToUpper(strings.ReplaceAll(v, " ", "")), ""
	}
	return v, ""
}

func isBlocked(v string) bool {
	zeros := true
	for i := range len(v) {
		if v[i] != '0' && v[i] != '-' {
			zeros = false
			break
		}
	}
	if zeros {
		return true
	}
	return len(v) <= 24 && blocked[strings.ToLower(v)]
}

func printable(v string) bool {
	if !utf8.ValidString(v) {
		return false
	}
	for i := range len(v) {
		if v[i] < 0x20 || v[i] == 0x7f {
			return false
		}
	}
	return true
}

// toASCII turns full-width forms (１３８, ＠, ideographic space) into ASCII and
// drops what cannot be seen and comes along when people copy: zero-width spaces
// and joiners, marks of the writing direction.
func toASCII(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return strings.Map(func(r rune) rune {
				switch {
				case r >= 0xFF01 && r <= 0xFF5E:
					return r - 0xFEE0
				case r == 0x3000 || r == 0x00A0:
					return ' '
				case r == 0xFEFF || r == 0x2060 || r >= 0x200B && r <= 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069:
					return -1
				}
				return r
			}, s)
		}
	}
	return s
}

// phone gives E.164. Mainland mobiles, nearly all there are, skip the library.
func phone(v, country string) (norm, refused string) {
	if country == "" {
		country = "CN"
	}
	if d := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(v); country == "CN" {
		d = strings.TrimPrefix(strings.TrimPrefix(d, "0086"), "+86")
		if len(d) == 13 && strings.HasPrefix(d, "86") {
			d = d[2:]
		}
		if chinaMobile(d) {
			return "+86" + d, ""
		}
	}
	norm, ok := e164(v, country)
	if !ok {
		return "", refusedPhone
	}
	if again, ok := e164(norm, country); !ok || again != norm { // the library reads back what it wrote, or it is no number
		return "", refusedPhone
	}
	return norm, ""
}

func e164(v, country string) (string, bool) {
	n, err := phonenumbers.Parse(v, country)
	if err != nil || !phonenumbers.IsPossibleNumber(n) {
		return "", false
	}
	norm := phonenumbers.Format(n, phonenumbers.E164)
	if d, mainland := strings.CutPrefix(norm, "+86"); mainland && len(d) > 1 && d[0] == '1' && d[1] >= '3' && len(d) != 11 {
		return "", false // a mobile with a digit too many or too few, which the library takes for a landline
	}
	return norm, true
}

func chinaMobile(d string) bool {
	if len(d) != 11 || d[0] != '1' || d[1] < '3' {
		return false
	}
	for i := range len(d) {
		if d[i] < '0' || d[i] > '9' {
			return false
		}
	}
	return true
}

func email(v string) (norm, refused string) {
	v = strings.ToLower(v)
	for strings.HasPrefix(v, "mailto:") {
		v = v[len("mailto:"):]
	}
	at := strings.LastIndexByte(v, '@')
	if at < 1 || at == len(v)-1 || strings.ContainsAny(v, " \t,;<>\"") || strings.IndexByte(v, '@') != at {
		return "", refusedEmail
	}
	local, host := v[:at], v[at+1:]
	if isBlocked(local) && isPlaceholder(host) || strings.HasPrefix(host, ".") || strings.HasSuffix(host, ".") || strings.Contains(host, "..") || !strings.Contains(host, ".") {
		return "", refusedEmail
	}
	return v, ""
}

// isPlaceholder knows the hosts of made-up addresses.
func isPlaceholder(host string) bool {
	return host == "example.com" || host == "test.com" || host == "null.com"
}

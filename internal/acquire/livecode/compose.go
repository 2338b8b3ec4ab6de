package livecode

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"
)

// The variables of texts.
const (
	varCustomer = "{customer}"
	varStaff    = "{staff}"
	varCode     = "{code}"
	varDate     = "{date}"
	varName     = "{name}" // of remarks
)

// fill puts names into a welcome and keeps it within what the platform takes.
func fill(text, customer, staff, code string, now time.Time) string {
	text = strings.NewReplacer(varCustomer, customer, varStaff, staff, varCode, code, varDate, now.Format(time.DateOnly)).Replace(text)
	return clipBytes(text, maxText)
}

// clipBytes cuts a text between characters.
func clipBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[:most]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

// remarkOf makes the remark of a newcomer. Where it is too long the name gives
// way, down to one character; what is still too long is cut at the end.
func remarkOf(rule, name, code string, day time.Time) string {
	name = cmp.Or(strings.TrimSpace(name), fallbackPerson)
	other := strings.NewReplacer(varCode, code, varDate, day.Format("0102"))
	rest := utf8.RuneCountInString(strings.ReplaceAll(other.Replace(rule), varName, ""))
	if times := strings.Count(rule, varName); times > 0 {
		name = clipRunes(name, max((maxRemark-rest)/times, 1))
	}
	return clipRunes(strings.TrimSpace(strings.ReplaceAll(other.Replace(rule), varName, name)), maxRemark)
}

func clipRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

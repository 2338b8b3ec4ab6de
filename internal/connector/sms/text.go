package sms

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/connector"
)

// The sizes of a message and of the parts of a long one, in the units that each
// alphabet counts: Chinese carriers count every message as Unicode.
const (
	oneUnicode, partUnicode = 70, 67
	oneGSM, partGSM         = 160, 153
)

// gsm is the alphabet of GSM 03.38; those of gsmTwo take two places.
const (
	gsm    = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmTwo = "\f^{}\\[~]|€"
)

// Segments is how many messages a text is sent and paid as. In the mainland each
// text counts as Unicode, its signature with it; elsewhere one of GSM's letters
// alone has more room.
func Segments(text, number string) int {
	if text == "" {
		return 0
	}
	if !mainland(number) {
		if n, ok := gsmLength(text); ok {
			return parts(n, oneGSM, partGSM)
		}
	}
	return parts(len(utf16.Encode([]rune(text))), oneUnicode, partUnicode)
}

func gsmLength(text string) (n int, ok bool) {
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsm, r):
			n++
		case strings.ContainsRune(gsmTwo, r):
			n += 2
		default:
			return 0, false
		}
	}
	return n, true
}

func parts(n, one, part int) int {
	if n <= one {
		return 1
	}
	return (n + part - 1) / part
}

// hole is a place for a parameter: ${code} of Aliyun, {1} of Tencent.
var hole = regexp.MustCompile(`\$\{([A-Za-z0-9_]+)\}|\{([0-9]{1,2})\}`)

// Holes names the parameters of a template in the order they first appear.
func Holes(template string) []string {
	out := []string{}
	for _, m := range hole.FindAllStringSubmatch(template, -1) {
		if name := m[1] + m[2]; !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// Fill puts parameters into a template, by name or else by place; missing names
// those for which there is none.
func Fill(template string, params []connector.Param) (text string, missing []string) {
	by := map[string]string{}
	for i, p := range params {
		by[nameOf(p, i)] = p.Value
	}
	text = hole.ReplaceAllStringFunc(template, func(h string) string {
		m := hole.FindStringSubmatch(h)
		v, ok := by[m[1]+m[2]]
		if !ok || v == "" {
			missing = append(missing, m[1]+m[2])
			return h
		}
		return v
	})
	return text, missing
}

// nameOf is the name of a parameter, or its place counted from one.
func nameOf(p connector.Param, i int) string {
	if p.Name != "" {
		return p.Name
	}
	return digits(i + 1)
}

// stops are what people write who want no more of it, when the account says nothing
// else. They are compared in capitals, without spaces and signs.
var stops = []string{"TD", "T", "N", "R", "QX", "0000", "STOP", "UNSUBSCRIBE", "退订", "退", "取消", "取消订阅", "拒收"}

// maxStop is how long a reply may be that only contains 退订: beyond it people
// write about something.
const maxStop = 10

// Stops tells whether a reply takes the consent back. words replace the usual ones.
func Stops(reply string, words []string) bool {
	if len(words) == 0 {
		words = stops
	}
	said := bare(reply)
	for _, w := range words {
		if said == bare(w) && said != "" {
			return true
		}
	}
	return strings.Contains(said, "退订") && !strings.Contains(said, "不退订") && !strings.Contains(said, "别退订") && !strings.Contains(said, "不要退订") && utf8.RuneCountInString(said) <= maxStop
}

// bare leaves letters and digits, in capitals.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, halfWidth(s))
}

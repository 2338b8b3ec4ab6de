package contact

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

// noName stands in for the pinyin of a nameless contact: it sorts after every letter.
const noName = "{"

// nameForms are the forms in which a name is found by prefix and sorted.
type nameForms struct {
	key      string // lower case, single spaces
	pinyin   string // letters without spaces: zhangsan, johnsmith; noName when there is none
	initials string // zs, js
}

// surnames whose usual reading as a word is not their reading as a name.
var surnames = map[rune]string{
	'单': "shan", '曾': "zeng", '解': "xie", '查': "zha", '仇': "qiu", '朴': "piao", '区': "ou", '盖': "ge",
	'任': "ren", '华': "hua", '宁': "ning", '翟': "zhai", '缪': "miao", '覃': "qin", '尉': "wei", '长': "chang",
	'万': "wan", '乐': "yue", '折': "she", '种': "chong", '秘': "bi", '冼': "xian", '洗': "xian", '召': "shao", '員': "yun", '员': "yun", '黑': "he", '那': "na", '哈': "ha", '葛': "ge", '纪': "ji", '燕': "yan", '卜': "bu", '重': "chong", '石': "shi", '都': "du",
}

// pinyinArgs reads every character once, its commonest way, without tones.
var pinyinArgs = pinyin.Args{Style: pinyin.Normal, Heteronym: false, Fallback: func(rune, pinyin.Args) []string { return nil }}

func formsOf(name string) nameForms {
	key := strings.Join(strings.Fields(strings.ToLower(toASCII(name))), " ")
	if key == "" {
		return nameForms{pinyin: noName}
	}
	var full, initials strings.Builder
	word := false // inside a Latin word
	for i, r := range key {
		switch {
		case r < utf8.RuneSelf || unicode.Is(unicode.Latin, r):
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				full.WriteRune(r)
				if !word {
					initials.WriteRune(r)
				}
				word = true
			} else {
				word = false
			}
		default:
			word = false
			p := readingOf(r, i == 0)
			full.WriteString(p)
			first, _ := utf8.DecodeRuneInString(p)
			initials.WriteRune(first)
		}
	}
	f := nameForms{key: clip(key, 200), pinyin: clip(full.String(), 200), initials: clip(initials.String(), 60)}
	if f.pinyin == "" {
		f.pinyin = noName
	}
	return f
}

func readingOf(r rune, first bool) string {
	if first {
		if p, ok := surnames[r]; ok {
			return p
		}
	}
	if p := pinyin.SinglePinyin(r, pinyinArgs); len(p) > 0 && p[0] != "" {
		return p[0]
	}
	return string(r)
}

// clip cuts s at a rune's edge to at most n bytes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// letters is what of a query is compared with pinyin and initials: "Zhang S" is zhangs.
// ok is false when the query holds anything but Latin letters, digits and spaces.
func letters(q string) (s string, ok bool) {
	var b strings.Builder
	for _, r := range strings.ToLower(toASCII(q)) {
		switch {
		case unicode.IsSpace(r) || r == '\'' || r == '-' || r == '.':
		case unicode.IsDigit(r) || unicode.Is(unicode.Latin, r):
			b.WriteRune(r)
		default:
			return "", false
		}
	}
	return b.String(), b.Len() > 0
}

// beyond is the smallest string greater than every string with prefix p.
func beyond(p string) string { return p + "\U0010FFFF" }

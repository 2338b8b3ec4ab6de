package score

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

// name is one way in which a person is called, ready to be compared.
type name struct {
	text   string   // lower case, single spaces; Chinese without spaces
	han    bool     // written in Chinese characters
	chars  []rune   // of a Chinese name
	tokens []string // words of a Latin name, syllables of a Chinese one
	family int      // how many characters or words in front are the family name; 0: not known
	titled bool     // a family name with a title (张先生): the given name is not said
	// readings are the pinyin (or letters) of the whole without spaces: family
	// name first, and with every reading of the family name.
	readings []string
	spoken   bool // can be read as pinyin
}

// Compound surnames that are still met; all others have one character.
var compound = map[string]bool{
	"欧阳": true, "上官": true, "司马": true, "诸葛": true, "司徒": true, "东方": true, "皇甫": true, "尉迟": true, "公孙": true, "慕容": true,
	"令狐": true, "夏侯": true, "轩辕": true, "端木": true, "百里": true, "东郭": true, "南宫": true, "呼延": true, "长孙": true, "宇文": true,
	"独孤": true, "闻人": true, "澹台": true, "赫连": true, "申屠": true, "太叔": true, "淳于": true, "单于": true, "濮阳": true, "鲜于": true,
}

// titles follow a family name when the given name is not known.
var titles = []string{"先生", "女士", "小姐", "太太", "老师", "经理", "同学", "总", "姐", "哥", "总监", "老板", "医生", "阿姨", "叔叔"}

// familyReadings are those of characters that sound otherwise as family names.
// The everyday reading is tried too: not everybody who typed a name knew.
var familyReadings = map[rune]string{
	'单': "shan", '曾': "zeng", '解': "xie", '查': "zha", '仇': "qiu", '朴': "piao", '区': "ou", '盖': "ge", '任': "ren", '华': "hua",
	'宁': "ning", '翟': "zhai", '缪': "miao", '覃': "qin", '尉': "wei", '乐': "yue", '折': "she", '种': "chong", '秘': "bi", '冼': "xian",
	'召': "shao", '员': "yun", '黑': "he", '那': "na", '哈': "ha", '葛': "ge", '纪': "ji", '卜': "bu", '重': "chong", '吕': "lv",
	'柏': "bai", '逄': "pang", '隗': "kui", '郇': "xun", '郗': "xi", '臧': "zang", '訾': "zi", '乜': "nie", '尹': "yin", '沈': "shen",
}

// latinFamilies are the pinyin of the commonest family names, by which a name
// in Latin letters is known to be a Chinese one.
var latinFamilies = func() map[string]bool {
	m := map[string]bool{}
	for _, f := range strings.Fields(`wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he gao lin luo zheng liang xie song tang
		han feng deng cao peng zeng xiao tian dong yuan pan yu jiang cai du ye cheng su wei lu lv ding ren shen yao zhong cui tan fan
		jin shi liao jia xia fu fang bai zou meng xiong qin qiu jiang yin xue yan duan lei hou long tao li gu mao hao gong shao wan qian
		dai kong xiang tang ouyang situ zhuge shangguan sima`) {
		m[f] = true
	}
	return m
}()

var plainPinyin = pinyin.Args{Style: pinyin.Normal, Heteronym: true, Fallback: func(rune, pinyin.Args) []string { return nil }}

// readName prepares a name. A name without letters is nil.
func readName(s string) *name {
	s = strings.ToLower(narrow(s))
	n := &name{}
	for _, r := range s {
		n.han = n.han || unicode.Is(unicode.Han, r)
	}
	if n.han {
		n.readHan(s)
	} else {
		n.readLatin(s)
	}
	if len(n.tokens) == 0 {
		return nil
	}
	return n
}

func (n *name) readHan(s string) {
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n.chars = append(n.chars, r)
		}
	}
	n.text = string(n.chars)
	for _, t := range titles {
		if rest, ok := strings.CutSuffix(n.text, t); ok && rest != "" && (utf8.RuneCountInString(rest) == 1 || compound[rest]) {
			n.text, n.chars, n.titled = rest, []rune(rest), true
			break
		}
	}
	if len(n.chars) == 0 {
		return
	}
	n.family = 1
	if len(n.chars) > 2 && compound[string(n.chars[:2])] {
		n.family = 2
	}
	first := []string{""}
	rest := ""
	for i, r := range n.chars {
		all := syllables(r)
		if i == 0 {
			if f, ok := familyReadings[r]; ok && !slices.Contains(all, f) {
				all = append([]string{f}, all...)
			} else if ok {
				all = append([]string{f}, slices.DeleteFunc(slices.Clone(all), func(x string) bool { return x == f })...)
			}
			first = all[:min(3, len(all))]
			n.tokens = append(n.tokens, all[0])
			continue
		}
		n.tokens = append(n.tokens, all[0])
		rest += all[0]
	}
	for _, f := range first {
		if r := f + rest; !slices.Contains(n.readings, r) {
			n.readings = append(n.readings, r)
		}
	}
	n.spoken = true
}

func syllables(r rune) []string {
	if p := pinyin.SinglePinyin(r, plainPinyin); len(p) > 0 {
		out := make([]string, 0, len(p))
		for _, s := range p {
			if s = strings.ReplaceAll(s, "ü", "v"); s != "" && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return []string{string(r)}
}

func (n *name) readLatin(s string) {
	n.tokens = strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' })
	for i, t := range n.tokens {
		n.tokens[i] = strings.ReplaceAll(t, "'", "")
	}
	n.tokens = slices.DeleteFunc(n.tokens, func(t string) bool { return t == "" || t == "mr" || t == "mrs" || t == "ms" || t == "dr" })
	n.text = strings.Join(n.tokens, " ")
	if len(n.tokens) == 0 {
		return
	}
	joined := strings.Join(n.tokens, "")
	n.readings = []string{joined}
	if k := len(n.tokens); k > 1 { // the family name stands at either end
		back := n.tokens[k-1] + strings.Join(n.tokens[:k-1], "")
		front := strings.Join(n.tokens[1:], "") + n.tokens[0]
		for _, r := range []string{back, front} {
			if !slices.Contains(n.readings, r) {
				n.readings = append(n.readings, r)
			}
		}
		n.spoken = (latinFamilies[n.tokens[0]] || latinFamilies[n.tokens[k-1]]) && isPinyin(joined)
	}
}

// key is one form under which all orders of a name are the same, for blocking:
// the words in the order of the alphabet. Of a Chinese name, family and given name.
func (n *name) key() string {
	var parts []string
	if n.han {
		parts = []string{strings.Join(n.tokens[:n.family], ""), strings.Join(n.tokens[n.family:], "")}
	} else {
		parts = slices.Clone(n.tokens)
		if n.spoken && len(parts) > 2 { // Zhang Xiao Ming: the given name is one word
			if latinFamilies[parts[0]] {
				parts = []string{parts[0], strings.Join(parts[1:], "")}
			} else {
				parts = []string{parts[len(parts)-1], strings.Join(parts[:len(parts)-1], "")}
			}
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "")
}

// initials are the first letters of all parts, sorted: a Chinese given name
// counts as one part, as people write it in Latin letters.
func (n *name) initials() string {
	parts := n.tokens
	if n.han && len(n.tokens) > n.family {
		parts = []string{n.tokens[0], n.tokens[n.family]}
	} else if n.spoken && len(parts) > 2 {
		parts = []string{parts[0], parts[1]}
	}
	out := make([]string, 0, len(parts))
	for _, p := range parts {
		r, _ := utf8.DecodeRuneInString(p)
		out = append(out, string(r))
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

// narrow turns full-width forms into ASCII.
func narrow(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			return r - 0xFEE0
		case r == 0x3000 || r == 0xA0:
			return ' '
		}
		return r
	}, s)
}

// isPinyin tells whether letters can be cut into Mandarin syllables.
func isPinyin(s string) bool {
	reach := make([]bool, len(s)+1)
	reach[0] = true
	for i := range len(s) {
		if !reach[i] {
			continue
		}
		for n := 1; n <= 6 && i+n <= len(s); n++ {
			if isSyllable(s[i : i+n]) {
				reach[i+n] = true
			}
		}
	}
	return reach[len(s)]
}

var finals = func() map[string]bool {
	m := map[string]bool{}
	for _, f := range strings.Fields("a o e i u v ai ei ui ao ou iu ie ve ue er an en in un vn ang eng ing ong ia iao ian iang iong ua uo uai uan uang") {
		m[f] = true
	}
	return m
}()

func isSyllable(s string) bool {
	switch s {
	case "a", "o", "e", "ai", "ei", "ao", "ou", "an", "en", "ang", "eng", "er":
		return true
	}
	for _, i := range []string{"zh", "ch", "sh"} {
		if f, ok := strings.CutPrefix(s, i); ok {
			return finals[f]
		}
	}
	return len(s) > 1 && strings.IndexByte("bpmfdtnlgkhjqxrzcsyw", s[0]) >= 0 && finals[s[1:]]
}

// fuzzy folds sounds that speakers of southern dialects, and so the people who
// type names by ear, do not keep apart: zh/z, ch/c, sh/s, -ng/-n, n/l.
var fuzzy = strings.NewReplacer("zh", "z", "ch", "c", "sh", "s", "ng", "n")

func folded(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		f := fuzzy.Replace(t)
		if strings.HasPrefix(f, "n") && len(f) > 1 {
			f = "l" + f[1:]
		}
		b.WriteString(f)
		b.WriteByte(' ')
	}
	return b.String()
}

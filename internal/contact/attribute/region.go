package attribute

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed regions.txt.gz
var regionData []byte

// Place is a province, city or county of China.
type Place struct {
	Code   string `json:"code" doc:"Six digits (GB/T 2260)"`
	Name   string `json:"name"`
	Parent string `json:"parent,omitempty" doc:"Code of the place it is in"`
}

type regions struct {
	places    []Place
	byCode    map[string]int
	successor map[string]string
	byName    map[string][]string // full and short names, to codes
	longest   int                 // name, in bytes
}

// places are read when first asked for: most runs of the command line never ask.
var places = sync.OnceValue(loadRegions)

func loadRegions() *regions {
	r := &regions{byCode: map[string]int{}, successor: map[string]string{}, byName: map[string][]string{}}
	zr, err := gzip.NewReader(bytes.NewReader(regionData))
	if err != nil {
		panic("attribute: the list of regions is broken: " + err.Error()) // embedded: a test reads it
	}
	text, err := io.ReadAll(zr)
	if err != nil {
		panic("attribute: the list of regions is broken: " + err.Error())
	}
	type old struct{ code, name string }
	var gone []old
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "!"); ok {
			code, rest, _ := strings.Cut(rest, " ")
			to, name, _ := strings.Cut(rest, " ")
			r.successor[code] = to
			gone = append(gone, old{to, name})
			continue
		}
		code, name, _ := strings.Cut(line, " ")
		r.byCode[code] = len(r.places)
		r.places = append(r.places, Place{Code: code, Name: name})
	}
	for i := range r.places {
		p := &r.places[i]
		p.Parent = r.parentOf(p.Code)
		r.name(p.Name, p.Code)
		r.name(shortName(p.Name), p.Code)
	}
	for _, o := range gone { // a name that is in use again means what it means today
		if len(r.byName[o.name]) == 0 {
			r.name(o.name, o.code)
		}
		if short := shortName(o.name); len(r.byName[short]) == 0 {
			r.name(short, o.code)
		}
	}
	return r
}

// parentOf finds the city, else the province: districts of municipalities and
// counties run by the province have no city.
func (r *regions) parentOf(code string) string {
	for _, up := range []string{code[:4] + "00", code[:2] + "0000"} {
		if _, ok := r.byCode[up]; ok && up != code {
			return up
		}
	}
	return ""
}

func (r *regions) name(name, code string) {
	if utf8.RuneCountInString(name) < 2 || slices.Contains(r.byName[name], code) {
		return
	}
	r.byName[name] = append(r.byName[name], code)
	r.longest = max(r.longest, len(name))
}

var (
	endings = []string{"特别行政区", "自治区", "自治州", "自治县", "自治旗", "林区", "矿区", "新区", "地区", "省", "市", "区", "县", "盟", "旗", "州"}
	peoples = []string{"维吾尔", "壮族", "回族", "藏族", "苗族", "彝族", "侗族", "瑶族", "土家族", "布依族", "朝鲜族", "满族", "蒙古族", "蒙古", "哈萨克", "哈尼族", "傣族", "白族",
		"傈僳族", "景颇族", "羌族", "柯尔克孜", "黎族", "畲族", "仡佬族", "水族", "纳西族", "佤族", "拉祜族", "布朗族", "怒族", "独龙族", "普米族", "撒拉族", "东乡族", "保安族", "裕固族",
		"哈萨克族", "达斡尔族", "鄂伦春", "鄂温克族", "毛南族", "仫佬族", "锡伯", "塔吉克", "土族", "各族"}
)

// shortName is how a place is called in speech: 浙江, 新疆, 延边, 浦东.
func shortName(name string) string {
	if name == "内蒙古自治区" {
		return "内蒙古"
	}
	short := name
	for _, e := range endings {
		if rest, ok := strings.CutSuffix(short, e); ok {
			short = rest
			break
		}
	}
	for again := strings.Contains(name, "自治"); again; {
		again = false
		for _, p := range peoples {
			if rest, ok := strings.CutSuffix(short, p); ok && rest != "" {
				short, again = rest, true
			}
		}
	}
	return short
}

// Regions lists all places by code: each stands after the one it is in.
func Regions() []Place { return places().places }

// RegionName names a place with those it is in: 浙江省杭州市西湖区. "" is nowhere.
func RegionName(code string) string {
	r := places()
	i, ok := r.byCode[code]
	if !ok {
		return ""
	}
	name := ""
	for {
		name = r.places[i].Name + name
		up := r.places[i].Parent
		if up == "" {
			return name
		}
		i = r.byCode[up]
	}
}

// RegionPrefix is with what the codes of a place and of all within it begin.
func RegionPrefix(code string) string {
	if len(code) != 6 {
		return code
	}
	return strings.TrimSuffix(strings.TrimSuffix(code, "00"), "00")
}

// ParseRegion finds the place that a text names: a code, or names from the
// largest to the smallest or the other way round, with or without 省 and 市, a
// street behind them or not. Names that stand for several places are refused.
func ParseRegion(s string) (code string, f *Fault) {
	r := places()
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -_/·,，、.>|>", r) {
			return ' '
		}
		return r
	}, narrow(s))
	if code, isCode := r.code(s); isCode {
		if code == "" {
			return "", fault("attribute.bad_region")
		}
		return code, nil
	}
	words, rest := r.scan(s)
	if len(words) == 0 {
		return "", fault("attribute.bad_region")
	}
	found, distinct, several := r.settle(words)
	switch {
	case several:
		return "", fault("attribute.ambiguous_region")
	case found == "", rest && distinct < 2: // what follows a single name may be anything
		return "", fault("attribute.bad_region")
	}
	return found, nil
}

// code reads a code of six digits, or the longer ones of streets and villages,
// led to its successor. Shorter ones are refused: they may be any number.
func (r *regions) code(s string) (string, bool) {
	if !digitsOnly(s) || s == "" {
		return "", false
	}
	if n := len(s); n != 6 && n != 9 && n != 12 {
		return "", true
	}
	s = s[:6]
	if _, ok := r.byCode[s]; ok {
		return s, true
	}
	if to, ok := r.successor[s]; ok {
		return to, true
	}
	if s[4:] == "00" { // 110100, the city that a municipality is said to have
		if up := s[:2] + "0000"; r.hasNoCity(s) {
			return up, true
		}
	}
	return "", true
}

func (r *regions) hasNoCity(code string) bool {
	_, province := r.byCode[code[:2]+"0000"]
	return province && (code[2:4] == "01" || code[2:4] == "02" || code[2:4] == "90")
}

// maxWords bounds the names read in one text.
const maxWords = 6

// scan takes names from the beginning on, the longest at each place. rest tells
// that something else follows them.
func (r *regions) scan(s string) (words [][]string, rest bool) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "中国")
	for s = strings.TrimSpace(s); s != "" && len(words) < maxWords; s = strings.TrimSpace(s) {
		n := min(r.longest, len(s))
		var codes []string
		for ; n > 0; n-- {
			if codes = r.byName[s[:n]]; len(codes) > 0 {
				break
			}
		}
		if len(codes) == 0 {
			if w, ok := strings.CutPrefix(s, "市辖区"); ok {
				s = w
				continue
			}
			return words, true
		}
		words = append(words, codes)
		s = s[n:]
	}
	return words, s != ""
}

// settle finds the one place that all words can speak of: each names it or a
// place it is in. The more different places are named, the better; between
// equals the larger place.
func (r *regions) settle(words [][]string) (best string, distinct int, several bool) {
	seen := map[string]bool{}
	for _, codes := range words {
		for _, c := range codes {
			if seen[c] {
				continue
			}
			seen[c] = true
			n := r.explains(c, words)
			switch {
			case n == 0 || n < distinct:
			case best == "" || n > distinct || level(c) < level(best):
				best, distinct, several = c, n, false
			case level(c) == level(best) && c != best:
				several = true
			}
		}
	}
	return best, distinct, several
}

// explains counts the different places that the words name when they speak of
// code, 0 when one of them cannot.
func (r *regions) explains(code string, words [][]string) int {
	var line []string
	for c := code; c != ""; c = r.places[r.byCode[c]].Parent {
		line = append(line, c)
	}
	used := map[string]bool{}
	for _, codes := range words {
		any, fresh := "", ""
		for _, c := range codes {
			if slices.Contains(line, c) {
				any = c
				if !used[c] {
					fresh = c
				}
			}
		}
		if any == "" {
			return 0
		}
		if fresh != "" {
			used[fresh] = true
		}
	}
	if !used[code] {
		return 0
	}
	return len(used)
}

func level(code string) int {
	switch {
	case code[2:] == "0000":
		return 1
	case code[4:] == "00":
		return 2
	}
	return 3
}

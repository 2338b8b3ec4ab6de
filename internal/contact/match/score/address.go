package score

import (
	"slices"
	"strings"
	"unicode"
)

// address is one made ready: words and numbers, without what all addresses of
// a city have in common.
type address struct {
	words   []string // Latin words, or pairs of Chinese characters; sorted
	numbers []string // house, building, room, in their order
}

// Endings of Chinese divisions that are taken away with what stands before them.
var divisions = []string{"特别行政区", "自治区", "自治州", "地区", "省", "市", "区", "县"}

// Ways to write the same.
var addressForms = strings.NewReplacer("street", "st", "avenue", "ave", "road", "rd", "place", "pl", "crescent", "cres", "close", "cl", "court", "ct",
	"circuit", "cct", "drive", "dr", "号楼", "栋", "幢", "栋", "座", "栋", "室", "", "弄", "号", "＃", "号", "#", "号", "一", "1", "二", "2", "三", "3", "四", "4", "五", "5",
	"六", "6", "七", "7", "八", "8", "九", "9")

func readAddress(s string) address {
	s = strings.ToLower(narrow(s))
	han := false
	for _, r := range s {
		han = han || unicode.Is(unicode.Han, r)
	}
	if han {
		s = stripDivisions(s)
	}
	s = addressForms.Replace(s)
	var a address
	for _, t := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		a.add(t)
	}
	slices.Sort(a.words)
	a.words = slices.Compact(a.words)
	return a
}

// stripDivisions cuts province, city and district off the front: what is left
// begins with the street. 上海市浦东新区世纪大道100号 and 浦东世纪大道100号 meet there.
func stripDivisions(s string) string {
	for range 4 {
		cut := 0
		for _, d := range divisions {
			if i := strings.Index(s, d); i > 0 && i <= 5*len("省") && i+len(d) < len(s) && !strings.ContainsAny(s[:i], "0123456789路街道巷号") {
				cut = i + len(d)
				break
			}
		}
		if cut == 0 {
			break
		}
		s = s[cut:]
	}
	return s
}

// add takes one run of letters and digits apart.
func (a *address) add(t string) {
	var run []rune
	kind := 0 // 1 digits, 2 Chinese, 3 others
	flush := func() {
		switch kind {
		case 1:
			a.numbers = append(a.numbers, string(run))
		case 2:
			if len(run) == 1 {
				break // 号, 楼 and the like tell nothing
			}
			for i := range len(run) - 1 {
				a.words = append(a.words, string(run[i:i+2]))
			}
		case 3:
			a.words = append(a.words, string(run))
		}
		run = run[:0]
	}
	for _, r := range t {
		k := 3
		if unicode.IsDigit(r) {
			k = 1
		} else if unicode.Is(unicode.Han, r) {
			k = 2
		}
		if k != kind {
			flush()
			kind = k
		}
		run = append(run, r)
	}
	flush()
}

func (a address) empty() bool { return len(a.words) == 0 && len(a.numbers) < 2 }

// compareAddresses weighs words by Dice's coefficient (a slip in a long word
// passes) and halves what is left when the house number differs.
func compareAddresses(a, b address) Level {
	if a.empty() || b.empty() {
		return Unsaid
	}
	common := 0.0
	used := make([]bool, len(b.words))
	for _, w := range a.words {
		for j, v := range b.words {
			if !used[j] && (w == v || len(w) >= 5 && len(v) >= 5 && (oneSlip(w, v) || jaroWinkler(w, v) > .92)) {
				used[j] = true
				common++
				break
			}
		}
	}
	words := 2 * common / float64(max(1, len(a.words)+len(b.words)))
	rest := slices.Clone(b.numbers)
	same := 0.0
	for _, n := range a.numbers {
		if i := slices.Index(rest, n); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
			same++
		}
	}
	numbers := 1.0
	if len(a.numbers) > 0 && len(b.numbers) > 0 {
		numbers = 2 * same / float64(len(a.numbers)+len(b.numbers))
	}
	switch {
	case words >= .85 && numbers >= .99:
		return Same
	case words >= .6 && numbers >= .45, words >= .4 && numbers >= .75:
		return Close
	case words >= .35 || words >= .2 && numbers >= .6:
		return Alike
	}
	return Different
}

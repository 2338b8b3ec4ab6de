package score

import (
	"slices"
	"strings"
)

// compareNames gives the best level of any two names of the two sides, and the
// name by whose share in the pond an equal name counts.
func compareNames(a, b []*name) (Level, string) {
	best, reading := Unsaid, ""
	for _, x := range a {
		for _, y := range b {
			l := compareName(x, y)
			if best == Unsaid || l < best {
				best, reading = l, y.readings[0]
			}
		}
	}
	return best, reading
}

func compareName(a, b *name) Level {
	if a.text == b.text && a.titled == b.titled {
		if a.titled {
			return Part
		}
		return Same
	}
	if a.titled || b.titled {
		if a.han && b.han && sameFamily(a, b) || shareFirst(a, b) {
			return Part
		}
		return Different
	}
	switch {
	case a.han && b.han:
		return compareHan(a, b)
	case a.han != b.han:
		if !a.han {
			a, b = b, a
		}
		return compareScripts(a, b)
	}
	return compareLatin(a, b)
}

// shareFirst: 张先生 and Zhang Wei.
func shareFirst(a, b *name) bool {
	return a.han != b.han && slices.ContainsFunc(b.tokens, func(t string) bool { return t == a.tokens[0] }) ||
		a.han != b.han && slices.ContainsFunc(a.tokens, func(t string) bool { return t == b.tokens[0] })
}

func sameFamily(a, b *name) bool {
	return string(a.chars[:a.family]) == string(b.chars[:b.family])
}

// compareHan compares two names in Chinese characters. Two names with another
// given name are two people, however alike they look: 张晓明 and 张晓东 may be brothers.
func compareHan(a, b *name) Level {
	switch {
	case overlap(a.readings, b.readings):
		return Sound
	case sameRunes(a.chars, b.chars):
		return Swapped
	case folded(a.tokens) == folded(b.tokens):
		return Close
	}
	long, short := a, b
	if len(long.chars) < len(short.chars) {
		long, short = b, a
	}
	if len(short.chars) > 1 && len(short.chars) < len(long.chars) && within(short.chars, long.chars) {
		return Part // 晓明 and 张晓明, 张明 and 张晓明
	}
	if a.family == b.family && sameFamily(a, b) {
		return Family
	}
	if len(a.chars) > 2 && len(a.chars) == len(b.chars) && string(a.chars[a.family:]) == string(b.chars[b.family:]) {
		return Part // another family name, the same given one of two characters
	}
	return Different
}

// compareScripts compares 张伟 with Zhang Wei, Wei Zhang, zhangwei, W. Zhang, Vivian Zhang.
func compareScripts(han, latin *name) Level {
	if overlap(han.readings, latin.readings) {
		return Latin
	}
	given := strings.Join(han.tokens[han.family:], "")
	family := strings.Join(han.tokens[:han.family], "")
	if latin.spoken && folded(han.tokens) == foldedLetters(latin) {
		return Close
	}
	hasFamily := slices.Contains(latin.tokens, family)
	for _, t := range latin.tokens {
		if hasFamily && t != family && given != "" && (t == given[:1] || t == initialsOf(han.tokens[han.family:])) {
			return Part
		}
		if t == given && len(given) > 3 {
			return Part
		}
	}
	if hasFamily {
		return Family
	}
	return Different
}

// foldedLetters folds a Latin name with its family name in front. Without
// knowing where syllables end, only names written in as many words compare.
func foldedLetters(n *name) string {
	tokens := n.tokens
	if !latinFamilies[tokens[0]] {
		tokens = append([]string{tokens[len(tokens)-1]}, tokens[:len(tokens)-1]...)
	}
	return folded(tokens)
}

func initialsOf(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte(t[0])
	}
	return b.String()
}

// compareLatin compares names in Latin letters, in any order of their words.
func compareLatin(a, b *name) Level {
	x, y := slices.Clone(a.tokens), slices.Clone(b.tokens)
	slices.Sort(x)
	slices.Sort(y)
	switch {
	case slices.Equal(x, y):
		return Swapped
	case overlap(a.readings, b.readings):
		return Swapped
	}
	if a.spoken && b.spoken { // one letter makes another Chinese name: Wang Fang, Wang Fan
		switch {
		case foldedLetters(a) == foldedLetters(b):
			return Close
		case slices.ContainsFunc(a.tokens, func(t string) bool { return latinFamilies[t] && slices.Contains(b.tokens, t) }):
			return Family
		}
		return Different
	}
	return compareWords(a.tokens, b.tokens)
}

// compareWords pairs each word of the shorter name with its best partner.
func compareWords(a, b []string) Level {
	if len(a) > len(b) {
		a, b = b, a
	}
	used := make([]bool, len(b))
	worst, equal, near := 1.0, 0, 0
	for _, t := range a {
		best, at := 0.0, -1
		for j, u := range b {
			if s := wordLikeness(t, u); !used[j] && s > best {
				best, at = s, j
			}
		}
		if at >= 0 {
			used[at] = true
		}
		worst = min(worst, best)
		if best >= 1 {
			equal++
		}
		if best >= .9 {
			near++
		}
	}
	whole := len(a) == len(b)
	switch {
	case whole && near == len(a) && equal >= len(a)-1:
		return Close
	case whole && worst >= .85:
		return Alike
	case near == len(a) || whole && equal > 0 && worst >= .7:
		return Part // a word is missing or an initial only
	case equal > 0:
		return Family
	}
	return Different
}

// wordLikeness is 1 for equal words, .9 and more for a slip, a nickname or an initial.
func wordLikeness(a, b string) float64 {
	switch {
	case a == b:
		return 1
	case len(a) == 1 || len(b) == 1:
		if a[0] == b[0] {
			return .86
		}
		return 0
	case nickname(a, b):
		return .95
	case len(a) >= 4 && len(b) >= 4 && oneSlip(a, b):
		return .96
	}
	return min(.95, jaroWinkler(a, b))
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func sameRunes(a, b []rune) bool {
	if len(a) != len(b) {
		return false
	}
	x, y := slices.Clone(a), slices.Clone(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// within tells whether all of short stands in long in its order.
func within(short, long []rune) bool {
	i := 0
	for _, r := range long {
		if i < len(short) && short[i] == r {
			i++
		}
	}
	return i == len(short)
}

// nicknames lead to the name that they are short for.
var nicknames = func() map[string]string {
	m := map[string]string{}
	for _, line := range strings.Split(`robert bob rob bobby|william bill will billy liam|richard dick rick rich|james jim jimmy jamie|john jack johnny jon
michael mike mick micky|thomas tom tommy|joseph joe joey|charles charlie chuck|daniel dan danny|david dave|edward ed eddie ted|elizabeth liz beth lizzie betty eliza
margaret maggie peggy meg|katherine kate kathy katie cathy catherine|susan sue susie|jennifer jen jenny|patricia pat patty tricia|alexander alex sasha|andrew andy drew
anthony tony|benjamin ben|christopher chris kit|matthew matt|nicholas nick|samuel sam|steven steve stephen|timothy tim|victoria vicky tori|rebecca becky|jessica jess
deborah deb debbie|samantha sammy|peter pete|ronald ron|donald don|kenneth ken|gregory greg|jeffrey jeff|lawrence larry|raymond ray|gerald gerry jerry|douglas doug
abigail abby|isabella bella izzy|olivia liv|natalie nat|zachary zac zach|joshua josh|jonathan jonny|frederick fred|leonard leo len|philip phil|theodore theo`, "\n") {
		for group := range strings.SplitSeq(line, "|") {
			words := strings.Fields(group)
			for _, w := range words {
				m[w] = words[0]
			}
		}
	}
	return m
}()

func nickname(a, b string) bool {
	x, ok := nicknames[a]
	return ok && x == nicknames[b]
}

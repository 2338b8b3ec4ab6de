package reply

import (
	"cmp"
	"math"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/koipond/koipond/internal/platform/errs"
)

// fold takes away what makes no difference between a word and a message: full and
// half width, letter case, and how much space stands where.
func fold(s string) string {
	return strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(strings.ToValidUTF8(s, "")))), " ")
}

func clip(s string, n int) string {
	if len(s) <= n { // no more characters than bytes
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// matcher finds the keyword rule that answers a message. Rules are numbered in their
// order. What is equal is looked up, words that stand in a message are found in one
// walk over it, and patterns are tried in order until none could come earlier.
type matcher struct {
	rules    []*Rule
	exact    map[string][]ref // ascending
	words    walker
	patterns []compiled // ascending
}

// ref is one word of one rule.
type ref struct{ rule, word int }

type compiled struct {
	ref
	re *regexp.Regexp
}

// hit is a rule that fits.
type hit struct {
	ref
	said string
}

func newMatcher(rules []*Rule) *matcher {
	m := &matcher{rules: rules, exact: map[string][]ref{}}
	for i, r := range rules {
		if r.Off {
			continue
		}
		for k, w := range r.Words {
			at := ref{i, k}
			switch w.Match {
			case Contains:
				m.words.add(fold(w.Text), at)
			case Pattern:
				// One that no longer compiles (another version of the program refuses it) never fits.
				if re, err := regexp.Compile(w.Text); err == nil {
					m.patterns = append(m.patterns, compiled{at, re})
				}
			default:
				key := fold(w.Text)
				m.exact[key] = append(m.exact[key], at)
			}
		}
	}
	m.words.link()
	return m
}

// first gives the earliest rule that takes a message, below a number; ok tells of a
// rule whether it may answer at all.
func (m *matcher) first(text string, below int, ok func(*Rule) bool) (best hit, found bool) {
	best.rule = below
	text = clip(text, maxMessage)
	flat := fold(text)
	take := func(list []ref) {
		for _, at := range list {
			if at.rule >= best.rule {
				return
			}
			if ok(m.rules[at.rule]) {
				best, found = hit{ref: at}, true
				return
			}
		}
	}
	if flat == "" {
		return best, false
	}
	take(m.exact[flat])
	m.words.walk(flat, take)
	short := clip(strings.TrimSpace(strings.ToValidUTF8(text, "")), maxPattern)
	for _, p := range m.patterns {
		if p.rule >= best.rule {
			break
		}
		if !ok(m.rules[p.rule]) {
			continue
		}
		if at := p.re.FindStringIndex(short); at != nil {
			return hit{p.ref, short[at[0]:at[1]]}, true
		}
	}
	return best, found
}

// answer gives the earliest keyword rule for a message at a time.
func (m *matcher) answer(text string, now time.Time) (hit, bool) {
	return m.first(text, math.MaxInt, func(r *Rule) bool { return r.holds(now) })
}

// all gives the rules for a message in their order, at most so many.
func (m *matcher) all(text string, now time.Time, most int) (out []hit) {
	seen := map[int]bool{}
	for len(out) < most {
		h, ok := m.first(text, math.MaxInt, func(r *Rule) bool { return r.holds(now) && !seen[m.indexOf(r)] })
		if !ok {
			break
		}
		seen[h.rule] = true
		out = append(out, h)
	}
	return out
}

func (m *matcher) indexOf(r *Rule) int {
	i, _ := slices.BinarySearchFunc(m.rules, r, order)
	return i
}

// order is that of rules of one account and kind.
func order(a, b *Rule) int {
	return cmp.Or(cmp.Compare(a.Place, b.Place), strings.Compare(a.ID, b.ID))
}

// walker finds many words in one walk over a text (Aho and Corasick): each node is
// what was read so far of some word, back is the longest end of it that begins
// another word, and more the longest that is a whole one.
type walker struct {
	next map[step]int32
	back []int32
	more []int32 // 0: none
	ends [][]ref // the words that end at a node, ascending
}

type step struct {
	node int32
	b    byte
}

func (w *walker) add(word string, at ref) {
	if word == "" {
		return
	}
	if w.next == nil {
		w.next, w.ends = map[step]int32{}, make([][]ref, 1)
	}
	node := int32(0)
	for i := range len(word) {
		to, ok := w.next[step{node, word[i]}]
		if !ok {
			to = int32(len(w.ends)) //nolint:gosec // bounded by the bytes of all words of an account
			w.next[step{node, word[i]}] = to
			w.ends = append(w.ends, nil)
		}
		node = to
	}
	w.ends[node] = append(w.ends[node], at)
}

// link finds the way back of each node, the short ones first.
func (w *walker) link() {
	if w.next == nil {
		return
	}
	w.back, w.more = make([]int32, len(w.ends)), make([]int32, len(w.ends))
	type edge struct {
		b  byte
		to int32
	}
	from := make([][]edge, len(w.ends))
	for s, to := range w.next {
		from[s.node] = append(from[s.node], edge{s.b, to})
	}
	queue := []int32{0}
	for len(queue) > 0 {
		node := queue[0]
		queue = queue[1:]
		for _, e := range from[node] {
			if node != 0 {
				w.back[e.to] = w.lead(w.back[node], e.b)
			}
			if back := w.back[e.to]; len(w.ends[back]) > 0 {
				w.more[e.to] = back
			} else {
				w.more[e.to] = w.more[back]
			}
			queue = append(queue, e.to)
		}
	}
}

// lead is where a byte leads.
func (w *walker) lead(node int32, b byte) int32 {
	for {
		if to, ok := w.next[step{node, b}]; ok {
			return to
		}
		if node == 0 {
			return 0
		}
		node = w.back[node]
	}
}

func (w *walker) walk(text string, take func([]ref)) {
	if w.next == nil {
		return
	}
	node := int32(0)
	for i := range len(text) {
		node = w.lead(node, text[i])
		for at := node; at != 0; at = w.more[at] {
			if list := w.ends[at]; len(list) > 0 {
				take(list)
			}
		}
	}
}

// checkWord tells what is wrong with a word.
func checkWord(path string, w *Word) error {
	w.Text = strings.TrimSpace(w.Text)
	switch {
	case w.Text == "" || w.Match != Pattern && fold(w.Text) == "":
		return bad(path+".text", "request.field_required")
	case utf8.RuneCountInString(w.Text) > maxWord:
		return bad(path+".text", "request.too_long", "limit", maxWord)
	case w.Match == Exact || w.Match == Contains:
		return nil
	}
	re, err := syntax.Parse(w.Text, syntax.Perl)
	if err != nil {
		return bad(path+".text", "reply.bad_pattern", "why", patternFault(err))
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return bad(path+".text", "reply.bad_pattern", "why", patternFault(err))
	}
	size := len(prog.Inst)
	for i := range prog.Inst {
		size += len(prog.Inst[i].Rune) / 8
	}
	if size > maxProgram {
		return bad(path+".text", "reply.pattern_too_large")
	}
	if regexp.MustCompile(w.Text).MatchString("") {
		return bad(path+".text", "reply.pattern_fits_all")
	}
	return nil
}

// patternFault is the part of a pattern that is at fault.
func patternFault(err error) string {
	if e, ok := err.(*syntax.Error); ok { //nolint:errorlint // the parser does not wrap
		return clip(e.Expr, 40)
	}
	return ""
}

func bad(field, code string, params ...any) error {
	return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code, params...))
}

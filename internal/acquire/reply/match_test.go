package reply

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// slow is the meaning of a list of rules in the plainest words: the first whose any
// word fits.
func slow(rules []*Rule, text string, now time.Time) int {
	flat := fold(text)
	for i, r := range rules {
		if !r.holds(now) || flat == "" {
			continue
		}
		for _, w := range r.Words {
			switch w.Match {
			case Exact:
				if fold(w.Text) == flat {
					return i
				}
			case Contains:
				if strings.Contains(flat, fold(w.Text)) {
					return i
				}
			case Pattern:
				if regexp.MustCompile(w.Text).MatchString(strings.TrimSpace(text)) {
					return i
				}
			}
		}
	}
	return -1
}

func TestMatchingIsWhatItSays(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	letters := []string{"a", "A", "ａ", "b", "茶", "单", " ", "é", "1"}
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(letters), 0, 8).Draw(t, "text"), "")
	})
	patterns := []string{"a+b", "^茶", "单$", "[0-9]", "(?i)AB", "茶.?单"}
	rapid.Check(t, func(t *rapid.T) {
		var rules []*Rule
		for i := range rapid.IntRange(0, 12).Draw(t, "rules") {
			r := &Rule{ID: fmt.Sprintf("rp_%02d", i), Place: int64(i / 2)}
			r.Off = rapid.IntRange(0, 5).Draw(t, "off") == 0
			if rapid.IntRange(0, 3).Draw(t, "dated") == 0 {
				r.From = now.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "from")) * time.Hour)
				r.Until = now.Add(time.Duration(rapid.IntRange(-1, 2).Draw(t, "until")) * time.Hour)
			}
			for range rapid.IntRange(1, 3).Draw(t, "words") {
				w := Word{Match: rapid.SampledFrom([]string{Exact, Contains, Pattern}).Draw(t, "match")}
				if w.Match == Pattern {
					w.Text = rapid.SampledFrom(patterns).Draw(t, "pattern")
				} else if w.Text = text.Draw(t, "word"); fold(w.Text) == "" {
					continue // a rule cannot hold it
				}
				r.Words = append(r.Words, w)
			}
			rules = append(rules, r)
		}
		m := newMatcher(rules)
		for range 5 {
			said := text.Draw(t, "said")
			h, ok := m.answer(said, now)
			got := -1
			if ok {
				got = h.rule
			}
			if want := slow(rules, said, now); got != want {
				t.Fatalf("%q: rule %d, want %d", said, got, want)
			}
			var all []int
			for _, h := range m.all(said, now, len(rules)) {
				all = append(all, h.rule)
			}
			var want []int
			for i, r := range rules {
				if slow([]*Rule{r}, said, now) == 0 {
					want = append(want, i)
				}
			}
			if !slices.Equal(all, want) {
				t.Fatalf("%q: all %v, want %v", said, all, want)
			}
		}
	})
}

func TestWordsThatOnlyLookDifferent(t *testing.T) {
	m := newMatcher([]*Rule{{ID: "1", Definition: Definition{Words: []Word{{"wifi 密码", Exact}}}}, {ID: "2", Place: 1, Definition: Definition{Words: []Word{{"发票", Contains}}}}})
	for said, want := range map[string]int{"ＷｉＦｉ　密码": 0, "  WIFI   密码 ": 0, "wifi密码": -1, "我要开发 票": -1, "怎么开发票？": 1, "": -1, "   ": -1} {
		h, ok := m.answer(said, time.Now())
		got := -1
		if ok {
			got = h.rule
		}
		require.Equal(t, want, got, "%q", said)
	}
}

func TestWhatNoWordMayBe(t *testing.T) {
	for text, want := range map[string]string{"": "request.field_required", "　": "request.field_required", strings.Repeat("茶", 201): "request.too_long"} {
		require.Equal(t, "w.text "+want, refusal(checkWord("w", &Word{text, Exact})), text)
	}
	for text, want := range map[string]string{"(": "reply.bad_pattern", "a{1001}": "reply.bad_pattern", "a*": "reply.pattern_fits_all", ".{0,9}": "reply.pattern_fits_all",
		`(\pL{30}){30}`: "reply.pattern_too_large", `(a{100}){10}b{100}`: "reply.pattern_too_large", `(?P<n>x)(?=y)`: "reply.bad_pattern"} {
		require.Equal(t, "w.text "+want, refusal(checkWord("w", &Word{text, Pattern})), text)
	}
	require.NoError(t, checkWord("w", &Word{`^(?:查|问).*订单\s*[A-Z]{2}\d{6,12}$`, Pattern}))
}

// Whatever is taken as a word can be looked for, in whatever somebody writes.
func FuzzWords(f *testing.F) {
	for _, s := range [][3]string{{"优惠", "contains", "有优惠吗"}, {`\d+`, "regex", "单号123"}, {"(a|b)*c", "regex", strings.Repeat("ab", 400)}, {"ＡＢ", "exact", "ab"}, {"\xff茶", "contains", "\xff\xfe茶"}} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, word, match, said string) {
		w := Word{word, match}
		if match != Exact && match != Contains && match != Pattern || checkWord("w", &w) != nil {
			return
		}
		rules := []*Rule{{ID: "a", Definition: Definition{Words: []Word{{"不会写的", Exact}}}}, {ID: "b", Place: 1, Definition: Definition{Words: []Word{w}}}}
		m := newMatcher(rules)
		begun := time.Now()
		h, ok := m.answer(said, begun)
		if took := time.Since(begun); took > 2*time.Second {
			t.Fatalf("a message took %v", took)
		}
		if ok && (h.rule > 1 || !strings.Contains(said, h.said) && strings.ToValidUTF8(said, "") == said) {
			t.Fatalf("%+v", h)
		}
		if match != Pattern && len(said) <= maxMessage && ok != (slow(rules, said, begun) >= 0) {
			t.Fatalf("%q in %q: %v", word, said, ok)
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	var rules []*Rule
	plain := map[string]int{}
	for i := range 5000 {
		w := Word{fmt.Sprintf("关键词%d号", i), []string{Exact, Contains}[i%2]}
		rules = append(rules, &Rule{ID: fmt.Sprint(i), Place: int64(i), Definition: Definition{Words: []Word{w}}})
		plain[w.Text] = i
	}
	m := newMatcher(rules)
	now := time.Now()
	b.Run("rules", func(b *testing.B) {
		for i := range b.N {
			if _, ok := m.answer(rules[i%5000].Words[0].Text, now); !ok {
				b.Fatal("no answer")
			}
		}
	})
	b.Run("map", func(b *testing.B) {
		for i := range b.N {
			if _, ok := plain[rules[i%5000].Words[0].Text]; !ok {
				b.Fatal("no answer")
			}
		}
	})
}

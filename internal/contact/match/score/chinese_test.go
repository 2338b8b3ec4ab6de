package score_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/match/score"
)

// Common names in the pond that the pairs are drawn from, and how many have them.
var common = map[string]int64{"zhangwei": 60, "wangfang": 50, "wangwei": 50, "lina": 40, "lijing": 40, "liuyang": 30}

func pairScorer() *score.Scorer {
	return &score.Scorer{Model: score.Default(), People: 20_000, Named: func(r string) int64 { return max(2, common[r]) }}
}

func parseRecord(t testing.TB, s string) score.Record {
	var r score.Record
	for _, part := range splitFields(s) {
		k, v, ok := strings.Cut(part, "=")
		require.True(t, ok, s)
		switch k {
		case "n":
			r.Names = append(r.Names, v)
		case "b":
			r.Birthday = v
		case "g":
			r.Gender = v
		case "c":
			r.City = v
		case "p":
			r.Phones = append(r.Phones, v)
		case "e":
			r.Emails = append(r.Emails, v)
		case "a":
			r.Address = v
		case "i":
			r.Numbers = append(r.Numbers, v)
		case "k":
			r.Accounts = append(r.Accounts, v)
		default:
			t.Fatalf("no field %s: %s", k, s)
		}
	}
	return r
}

// splitFields cuts at spaces that stand before a letter and an equals sign.
func splitFields(s string) []string {
	words := strings.Fields(s)
	var out []string
	for _, w := range words {
		if len(w) > 1 && w[1] == '=' {
			out = append(out, w)
		} else {
			out[len(out)-1] += " " + w
		}
	}
	return out
}

func TestChinesePairs(t *testing.T) {
	f, err := os.Open("testdata/chinese.txt")
	require.NoError(t, err)
	defer f.Close()
	sc := pairScorer()
	pairs := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		pairs++
		left, right, ok := strings.Cut(line[1:], "|")
		require.True(t, ok, line)
		a, b := score.Read(parseRecord(t, left)), score.Read(parseRecord(t, right))
		v := sc.Weigh(score.Compare(a, b))
		back := sc.Weigh(score.Compare(b, a))
		require.Equal(t, v.Score(), back.Score(), "order of the two must not matter: %s", line)
		if want := line[0] == '+'; want != (v.Score() >= 80) {
			t.Errorf("%s\n  scored %d: %v", line, v.Score(), v.Evidence)
		}
		if line[0] == '+' {
			require.True(t, shareKey(a, b), "no key in common: %s", line)
		}
	}
	require.GreaterOrEqual(t, pairs, 60)
}

func shareKey(a, b *score.Person) bool {
	keys := map[string]bool{}
	for _, k := range a.Keys() {
		keys[k] = true
	}
	for _, k := range b.Keys() {
		if keys[k] {
			return true
		}
	}
	return false
}

// Whatever single slip is made in a phone number, its two forms share a key.
func TestEverySlipInAPhoneNumberIsMet(t *testing.T) {
	const number = "13812345679"
	a := score.Read(score.Record{Phones: []string{number}})
	for i := range number {
		for d := byte('0'); d <= '9'; d++ {
			wrong := []byte(number)
			wrong[i] = d
			require.True(t, shareKey(a, score.Read(score.Record{Phones: []string{string(wrong)}})), "%s", wrong)
		}
		if i > 0 {
			swapped := []byte(number)
			swapped[i], swapped[i-1] = swapped[i-1], swapped[i]
			require.True(t, shareKey(a, score.Read(score.Record{Phones: []string{string(swapped)}})), "%s", swapped)
		}
	}
}

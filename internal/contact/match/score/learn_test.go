package score_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/match/score"
)

func (s set) lesson() score.Lesson {
	var some, random []score.Vector
	for p := range s.candidates() {
		some = append(some, score.Compare(s.people[p[0]], s.people[p[1]]))
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		if i, j := r.IntN(len(s.people)), r.IntN(len(s.people)); i != j {
			random = append(random, score.Compare(s.people[i], s.people[j]))
		}
	}
	return score.Learn(score.Default(), some, random)
}

// What the pond teaches without knowing the truth is close to the truth, and
// judging by it is no worse.
func TestLearnFindsTheShares(t *testing.T) {
	s := febrl(t, "dataset2.csv")
	l := s.lesson()
	require.True(t, l.Applied)
	truth := 0
	birthdays := 0
	for p := range s.candidates() {
		if s.truth[p[0]] == s.truth[p[1]] {
			truth++
			if score.Compare(s.people[p[0]], s.people[p[1]]).Levels[score.Birthday] == score.Same {
				birthdays++
			}
		}
	}
	require.InEpsilon(t, float64(truth), l.Twins, .05, "how many candidates are one person")
	require.InDelta(t, float64(birthdays)/float64(truth), l.Model[score.Birthday][score.Same].M, .12)
	p, r, _ := s.judge(s.scorer(l.Model), score.DefaultFrom)
	t.Logf("learnt: %.0f of %d candidates are one person (in truth %d); precision %.4f recall %.4f", l.Twins, l.Pairs, truth, p, r)
	require.GreaterOrEqual(t, p, .97)
	require.GreaterOrEqual(t, r, .95)
}

func TestLittleTeachesNothing(t *testing.T) {
	l := score.Learn(score.Default(), make([]score.Vector, 20), nil)
	require.False(t, l.Applied)
	require.Equal(t, score.Default(), l.Model)
}

// A pond without any twin must not be taught that its strangers are twins.
func TestStrangersTeachNothing(t *testing.T) {
	s := febrl(t, "dataset2.csv")
	var vs []score.Vector
	r := rand.New(rand.NewPCG(3, 4))
	for len(vs) < 4000 {
		if i, j := r.IntN(len(s.people)), r.IntN(len(s.people)); s.truth[i] != s.truth[j] {
			vs = append(vs, score.Compare(s.people[i], s.people[j]))
		}
	}
	l := score.Learn(score.Default(), vs, vs)
	require.False(t, l.Applied, "%.1f twins", l.Twins)
}

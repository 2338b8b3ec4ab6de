package score_test

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/match/score"
)

// set is a file of people of which the truth is known.
type set struct {
	people []*score.Person
	truth  []string // who each of them is
}

// rowsOf reads one of the data sets: see testdata/NOTICE.
func rowsOf(t testing.TB, file string) []map[string]string {
	f, err := os.Open("testdata/" + file)
	require.NoError(t, err)
	defer f.Close()
	r := csv.NewReader(f)
	r.TrimLeadingSpace = true
	rows, err := r.ReadAll()
	require.NoError(t, err)
	var out []map[string]string
	for _, row := range rows[1:] {
		c := map[string]string{}
		for i, h := range rows[0] {
			c[h] = strings.TrimSpace(row[i])
		}
		out = append(out, c)
	}
	return out
}

func febrl(t testing.TB, file string) set {
	var s set
	for _, c := range rowsOf(t, file) {
		s.truth = append(s.truth, strings.SplitN(c["rec_id"], "-", 3)[1])
		s.people = append(s.people, score.Read(score.Record{
			Names:    []string{c["given_name"] + " " + c["surname"]},
			Birthday: c["date_of_birth"],
			Address:  strings.Join([]string{c["street_number"], c["address_1"], c["address_2"], c["suburb"], c["postcode"], c["state"]}, " "),
			City:     c["suburb"],
			Numbers:  []string{c["soc_sec_id"]},
		}))
	}
	return s
}

const blockLimit = 60

// candidates are the pairs that share a key.
func (s set) candidates() map[[2]int]bool {
	blocks := map[string][]int{}
	for i, p := range s.people {
		for _, k := range p.Keys() {
			blocks[k] = append(blocks[k], i)
		}
	}
	out := map[[2]int]bool{}
	for _, b := range blocks {
		if len(b) > blockLimit {
			continue
		}
		for i, x := range b {
			for _, y := range b[i+1:] {
				out[[2]int{x, y}] = true
			}
		}
	}
	return out
}

func (s set) truePairs() (n int) {
	by := map[string]int{}
	for _, t := range s.truth {
		n += by[t]
		by[t]++
	}
	return n
}

func (s set) scorer(m score.Model) *score.Scorer {
	names := map[string]int64{}
	for _, p := range s.people {
		names[p.NameKey()]++
	}
	return &score.Scorer{Model: m, People: int64(len(s.people)), Named: func(r string) int64 { return names[r] }}
}

// judge gives precision and recall of blocking and scoring together.
func (s set) judge(sc *score.Scorer, from int) (precision, recall float64, compared int) {
	right, wrong := 0, 0
	pairs := s.candidates()
	for p := range pairs {
		if sc.Weigh(score.Compare(s.people[p[0]], s.people[p[1]])).Score() < from {
			continue
		}
		if s.truth[p[0]] == s.truth[p[1]] {
			right++
		} else {
			wrong++
		}
	}
	return float64(right) / float64(max(1, right+wrong)), float64(right) / float64(s.truePairs()), len(pairs)
}

// The bar: of what is shown at the default threshold at least 97 % are one
// person, and at least 95 % of those that are one person are shown.
func TestFebrl(t *testing.T) {
	for _, f := range []string{"dataset1.csv", "dataset2.csv"} {
		s := febrl(t, f)
		p, r, n := s.judge(s.scorer(score.Default()), score.DefaultFrom)
		t.Logf("%s: %d people, %d pairs compared, precision %.4f, recall %.4f", f, len(s.people), n, p, r)
		require.GreaterOrEqual(t, p, .99)
		require.GreaterOrEqual(t, r, .98)
		require.Less(t, n, 2*len(s.people), "blocking keeps the work linear")
	}
}

// Compared with every pair there is, blocking loses next to nothing.
func TestBlockingLosesLittle(t *testing.T) {
	s := febrl(t, "dataset1.csv")
	s.people, s.truth = s.people[:500], s.truth[:500] // every pair of more takes long
	sc := s.scorer(score.Default())
	met := s.candidates()
	found, lost := 0, 0
	for i := range s.people {
		for j := range i {
			if sc.Weigh(score.Compare(s.people[j], s.people[i])).Score() >= score.DefaultFrom {
				found++
				if !met[[2]int{j, i}] {
					lost++
				}
			}
		}
	}
	require.Greater(t, found, 80)
	require.LessOrEqual(t, lost, 1)
}

package live

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/numset"
)

// said are truths written down.
type said struct {
	in           []int64
	unknown      bool
	partOf, came map[int64]int64
}

func (s said) Holds(_ string, n int64) bool { return numset.Of(s.in...).Has(n) }
func (s said) Set(string) *numset.Set       { return numset.Of(s.in...) }
func (s said) Known(string) bool            { return !s.unknown }
func (s said) CameOf(n int64) int64         { return s.came[n] }
func (s said) PartOf(n int64) int64 {
	if into, ok := s.partOf[n]; ok {
		return into
	}
	return n
}

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct {
		kept  []int64
		now   said
		nums  []int64
		cause Cause
		want  Change
	}{
		"some":                        {[]int64{1, 2}, said{in: []int64{2, 3, 9}}, []int64{1, 2, 3}, Cause{}, Change{Entered: []int64{3}, Left: []int64{1}}},
		"everybody":                   {[]int64{1, 2, 70}, said{in: []int64{2, 3, 200}}, nil, Cause{Except: numset.Of(70, 3)}, Change{Entered: []int64{200}, Left: []int64{1}}},
		"nothing is known":            {[]int64{1}, said{unknown: true}, nil, Cause{}, Change{}},
		"a member becomes part":       {[]int64{1}, said{in: []int64{2}, partOf: map[int64]int64{1: 2}}, []int64{1, 2}, Cause{}, Change{Dropped: []int64{1}, Gained: []int64{2}}},
		"the whole is known already":  {[]int64{1, 2}, said{in: []int64{2}, partOf: map[int64]int64{1: 2}}, []int64{1, 2}, Cause{}, Change{Dropped: []int64{1}}},
		"the whole is not in":         {[]int64{1}, said{partOf: map[int64]int64{1: 2}}, []int64{1, 2}, Cause{}, Change{Dropped: []int64{1}, Left: []int64{2}}},
		"two members and then none":   {[]int64{1, 2}, said{partOf: map[int64]int64{1: 2}}, []int64{1, 2}, Cause{}, Change{Dropped: []int64{1}, Left: []int64{2}}},
		"somebody who was not in":     {nil, said{in: []int64{2}, partOf: map[int64]int64{1: 2}}, []int64{1, 2}, Cause{}, Change{Entered: []int64{2}}},
		"the whole is met first":      {[]int64{5}, said{in: []int64{2}, partOf: map[int64]int64{5: 2}}, []int64{2, 5}, Cause{}, Change{Dropped: []int64{5}, Gained: []int64{2}}},
		"erased":                      {[]int64{1, 2}, said{partOf: map[int64]int64{1: 0}}, []int64{1, 2}, Cause{Reason: ReasonErased}, Change{Dropped: []int64{1, 2}}},
		"gone when the program began": {[]int64{1}, said{partOf: map[int64]int64{1: 0}}, nil, Cause{Reason: ReasonStart}, Change{Dropped: []int64{1}}},
		"taken apart":                 {[]int64{2}, said{in: []int64{1, 2}, came: map[int64]int64{1: 2}}, []int64{1, 2}, Cause{}, Change{Gained: []int64{1}}},
		"taken apart, not a member":   {nil, said{in: []int64{1}, came: map[int64]int64{1: 2}}, []int64{1, 2}, Cause{}, Change{Entered: []int64{1}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Compare(c.now, "k", numset.Of(c.kept...), c.nums, c.cause)
			require.Equal(t, c.want, got)
			require.Equal(t, len(c.want.Entered)+len(c.want.Left)+len(c.want.Gained)+len(c.want.Dropped) == 0, got.Empty())
		})
	}
}

package machine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/numset"
)

// Old facts make nobody won back, what happens now does.
func TestOldFactsBringNobodyBack(t *testing.T) {
	d := &Definition{States: Default(Lifecycle)}
	now := standing{people: numset.Of(1), in: map[string]*numset.Set{"dormant": numset.Of(1)}, held: &numset.Set{}}
	holds := func(state string) (*numset.Set, error) {
		if state == "wonback" || state == "paying" {
			return numset.Of(1), nil
		}
		return &numset.Set{}, nil
	}
	for old, want := range map[bool]string{false: "wonback", true: "paying"} {
		now.old = old
		moves, err := d.decide(now, holds)
		require.NoError(t, err)
		require.Len(t, moves, 1)
		require.Equal(t, want, moves[0].To)
	}
}

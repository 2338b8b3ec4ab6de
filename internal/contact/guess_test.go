package contact

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
)

func TestHiddenDigitsCannotBeTriedOut(t *testing.T) {
	g := &guessLimit{}
	now := time.Unix(1_700_000_000, 0)
	as := func(perms ...auth.Permission) context.Context {
		return auth.With(context.Background(), &auth.Principal{ID: "u", Via: auth.ViaSession, Permissions: auth.Set(perms), Scope: auth.Everybody()})
	}
	found := 0
	for i := range 10_000 { // ten a second
		if g.allow(as(auth.ContactRead), now.Add(time.Duration(i)*100*time.Millisecond)) == nil {
			found++
		}
	}
	require.Less(t, found, 400)
	err := g.allow(as(auth.ContactRead), now.Add(1000*time.Second))
	require.Equal(t, errs.TooMany, errs.As(err).Kind)
	require.Positive(t, errs.As(err).RetryAfter)
	for range 1000 {
		require.NoError(t, g.allow(as(auth.ContactRead, auth.ContactUnmask), now), "who may see them need not guess")
		require.NoError(t, g.allow(context.Background(), now), "the program itself")
	}
}

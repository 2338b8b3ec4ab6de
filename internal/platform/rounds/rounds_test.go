package rounds

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRounds(t *testing.T) {
	var r Runner
	r.Stop() // nothing runs yet
	var turns atomic.Int32
	wake := make(chan struct{})
	run := func(ctx context.Context) {
		Every(ctx, time.Hour, wake, func(context.Context) { turns.Add(1) })
	}
	begun, gone := context.WithCancel(t.Context())
	r.Start(begun, run)
	r.Start(begun, func(context.Context) { t.Error("it runs already") })
	gone() // whoever started it may go
	require.Eventually(t, func() bool { return turns.Load() == 1 }, 30*time.Second, time.Millisecond, "one turn at once")
	wake <- struct{}{}
	require.Eventually(t, func() bool { return turns.Load() == 2 }, 30*time.Second, time.Millisecond)
	r.Stop()
	r.Stop()
	select {
	case wake <- struct{}{}:
		t.Error("it still listens")
	default:
	}
	r.Start(t.Context(), run)
	require.Eventually(t, func() bool { return turns.Load() == 3 }, 30*time.Second, time.Millisecond, "it can begin again")
	r.Stop()
}

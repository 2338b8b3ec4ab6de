package testkit

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/id"
)

// Logger writes to the test's log, so that lines appear only with -v or on
// failure. After the test it is silent: a goroutine that logs late must not panic.
func Logger(t testing.TB) *slog.Logger {
	w := &testWriter{t: t}
	t.Cleanup(func() {
		w.mu.Lock()
		w.t = nil
		w.mu.Unlock()
	})
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type testWriter struct {
	mu sync.Mutex
	t  testing.TB
}

func (w *testWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.t != nil {
		w.t.Log(string(bytes.TrimRight(p, "\n")))
	}
	return len(p), nil
}

// Quiet is a logger that drops everything: for benchmarks.
func Quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// Clock is a fake clock at a fixed, memorable time: 2026-03-02 08:00 UTC, a Monday, 16:00 in Shanghai.
func Clock() *clock.Fake { return clock.NewFake(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)) }

// IDs is an id source over a clock.
func IDs(c clock.Clock) *id.Source { return id.NewSource(c.Now, nil) }

// Principal is a signed-in user with a built-in role, who sees everybody's
// customers whatever the role; it panics on an unknown one.
func Principal(role string) *auth.Principal {
	for _, r := range auth.BuiltinRoles() {
		if r.ID != role {
			continue
		}
		perms := map[auth.Permission]bool{}
		for _, p := range r.Permissions {
			perms[p] = true
		}
		return &auth.Principal{ID: "us_" + role, Name: role, Via: auth.ViaSession, Role: role, Permissions: perms, Scope: auth.Everybody(), SessionID: "se_" + role}
	}
	panic("testkit: no built-in role " + role)
}

// As is ctx with a signed-in user of a built-in role.
func As(ctx context.Context, role string) context.Context { return auth.With(ctx, Principal(role)) }

// Scoped is ctx with a signed-in user of a built-in role who sees the customers
// of the owners alone, and those of nobody if unowned. The first is the user.
func Scoped(ctx context.Context, role string, unowned bool, owners ...string) context.Context {
	p := Principal(role)
	p.ID, p.Name = owners[0], owners[0]
	p.Scope = auth.OwnedBy(auth.DataScope{Breadth: auth.BreadthMine, Unowned: unowned}, owners...)
	return auth.With(ctx, p)
}

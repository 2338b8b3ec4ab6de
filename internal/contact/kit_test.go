package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// start is noon of a working day in China.
var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// pond is a service on a fresh database, with what it told others.
type pond struct {
	*Service
	t     testing.TB
	ctx   context.Context
	clock *clock.Fake
	emit  *emitted
	audit *audited
	seq   uint64
}

func newPond(t testing.TB, d *db.DB) *pond {
	ring, err := secret.NewRing(make([]byte, secret.KeySize))
	require.NoError(t, err)
	p := &pond{t: t, clock: clock.NewFake(start), emit: &emitted{}, audit: &audited{}}
	p.ctx = auth.With(t.Context(), &auth.Principal{ID: "us_1", Name: "王芳", Via: auth.ViaSession, Role: "admin", Scope: auth.Everybody()})
	p.Service = NewService(Deps{DB: d, Clock: p.clock, IDs: id.NewSource(p.clock.Now, nil), Log: testkit.Logger(t), Keys: ring,
		Emit: p.emit, Audit: p.audit, CacheSize: 64})
	return p
}

// each runs fn on a pond on every engine.
func each(t *testing.T, fn func(t *testing.T, p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(t, newPond(t, d)) }, Migrations())
}

// resolve gives facts the next positions and resolves them in one stretch. It
// answers with the person each belongs to; see stored for the number it is kept under.
func (p *pond) resolve(facts ...event.Fact) event.Resolved {
	p.t.Helper()
	out := p.stored(facts...)
	for i, f := range out.Facts {
		into, err := p.Survivors(p.ctx, []int64{f.Contact})
		require.NoError(p.t, err)
		if n, ok := into[f.Contact]; ok {
			out.Facts[i].Contact = n
		}
	}
	return out
}

// stored is resolve that answers with the numbers under which the facts are stored.
func (p *pond) stored(facts ...event.Fact) event.Resolved {
	p.t.Helper()
	at := make([]event.Position, len(facts))
	for i := range facts {
		p.seq++
		at[i] = event.Position{Seq: p.seq}
		p.fill(&facts[i])
	}
	out, err := p.resolver.Resolve(p.ctx, facts, at)
	require.NoError(p.t, err)
	require.Len(p.t, out.Facts, len(facts))
	return out
}

func (p *pond) fill(f *event.Fact) {
	if f.Timestamp == 0 {
		f.Timestamp = p.clock.Now().UnixMilli()
	}
	f.ReceivedAt = max(f.ReceivedAt, f.Timestamp)
	if f.Type == "" {
		f.Type, f.Name = event.Track, "viewed"
	}
	if f.MessageID == "" {
		f.MessageID = fmt.Sprint("m", p.seq)
	}
	if f.Source == "" {
		f.Source = "web"
	}
}

// who resolves one fact and returns whose it is.
func (p *pond) who(f event.Fact) event.Resolution {
	p.t.Helper()
	out := p.resolve(f)
	require.Nil(p.t, out.Facts[0].Err)
	return out.Facts[0]
}

// ids makes identifiers from pairs of kind and value.
func ids(kv ...string) []event.Identifier {
	var out []event.Identifier
	for i := 0; i+1 < len(kv); i += 2 {
		out = append(out, event.Identifier{Kind: kv[i], Value: kv[i+1]})
	}
	return out
}

func js(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// emitted keeps what was stated.
type emitted struct {
	mu    sync.Mutex
	facts []event.Fact
}

func (e *emitted) Emit(_ context.Context, facts ...event.Fact) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.facts = append(e.facts, facts...)
	return nil
}

func (e *emitted) names() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, f := range e.facts {
		out = append(out, f.Name)
	}
	return out
}

// audited keeps audit entries.
type audited struct{ entries []string }

func (a *audited) Record(_ context.Context, action string, obj audit.Object, detail map[string]any) error {
	a.entries = append(a.entries, action+" "+obj.Type+" "+obj.ID+" "+string(js(detail)))
	return nil
}

// one reads a single value.
func one[T any](p *pond, query string, args ...any) T {
	p.t.Helper()
	var v T
	require.NoError(p.t, p.DB.QueryRow(p.ctx, query, args...).Scan(&v))
	return v
}

// dumpRow prints every column of a row.
func dumpRow(r *sql.Rows) (string, error) {
	cols, err := r.Columns()
	if err != nil {
		return "", err
	}
	vals, ptrs := make([]any, len(cols)), make([]any, len(cols))
	for i := range vals {
		ptrs[i] = &vals[i]
	}
	err = r.Scan(ptrs...)
	return fmt.Sprint(vals...), err
}

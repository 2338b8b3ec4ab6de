package match_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/contact/match"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// pond is possible duplicates on a fresh database with its contacts.
type pond struct {
	*match.Service
	testing.TB
	ctx      context.Context
	db       *db.DB
	clock    *clock.Fake
	contacts *contact.Service
	audit    *audited
}

type m = map[string]any

func newPond(t testing.TB, d *db.DB) *pond {
	ring, err := secret.NewRing(make([]byte, secret.KeySize))
	require.NoError(t, err)
	p := &pond{TB: t, db: d, clock: testkit.Clock(), audit: &audited{}}
	p.ctx = auth.With(t.Context(), &auth.Principal{ID: "us_1", Name: "王芳", Via: auth.ViaSession, Role: "admin", Permissions: auth.Set(auth.All()), Scope: auth.Everybody()})
	ids := id.NewSource(p.clock.Now, nil)
	p.contacts = contact.NewService(contact.Deps{DB: d, Clock: p.clock, IDs: ids, Log: testkit.Logger(t), Keys: ring, Emit: deaf{}, Audit: p.audit})
	queue := jobs.NewService(jobs.Deps{DB: d, Clock: p.clock, IDs: ids, Log: testkit.Logger(t), Audit: p.audit})
	p.Service = match.New(match.Deps{DB: d, Clock: p.clock, IDs: ids, Log: testkit.Logger(t), Keys: ring, Contacts: p.contacts, Joiner: byHand{p.contacts}, Jobs: queue, Audit: p.audit, Dir: t.TempDir()})
	require.NoError(t, queue.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, queue.Stop(context.WithoutCancel(t.Context()))) })
	return p
}

func sets() []db.Set { return []db.Set{contact.Migrations(), jobs.Migrations(), match.Migrations()} }

// each runs fn on a pond on every engine.
func each(t *testing.T, fn func(t *testing.T, p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(t, newPond(t, d)) }, sets()...)
}

// deaf takes facts and forgets them.
type deaf struct{}

func (deaf) Emit(context.Context, ...event.Fact) error { return nil }

// audited remembers what was recorded.
type audited struct {
	mu      sync.Mutex
	actions []string
}

func (a *audited) Record(_ context.Context, action string, _ audit.Object, _ map[string]any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.actions = append(a.actions, action)
	return nil
}

// add makes a person; further values are attributes in pairs.
func (p *pond) add(name, phone string, attrs ...any) contact.Contact {
	p.Helper()
	p.clock.Advance(time.Second)
	n := contact.NewContact{Name: name, Phone: phone, Attributes: m{}}
	for i := 0; i+1 < len(attrs); i += 2 {
		if k := attrs[i].(string); k == "email" {
			n.Email = attrs[i+1].(string)
		} else {
			n.Attributes[k] = attrs[i+1]
		}
	}
	c, err := p.contacts.Create(p.ctx, n)
	require.NoError(p, err)
	return c
}

// crowd makes n people who have nothing in common that tells.
func (p *pond) crowd(n int) {
	p.Helper()
	family, given := []rune("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"), []rune("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英")
	for i := range n {
		name := string([]rune{family[i%len(family)], given[i/len(family)%len(given)], given[(i/7)%len(given)]})
		p.add(name, fmt.Sprintf("13%d%08d", i%10, 10_000_000+i*739_391%89_999_999), "birthday", time.Date(1960+i%40, time.Month(1+i%12), 1+i%28, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	}
}

// run looks for pairs.
func (p *pond) run(full bool) match.Report {
	p.Helper()
	p.clock.Advance(time.Hour)
	r, err := p.Run(p.ctx, full, nil)
	require.NoError(p, err)
	return r
}

// open lists the pairs that wait.
func (p *pond) open() []match.Pair {
	p.Helper()
	page, err := p.List(p.ctx, match.Query{Limit: 100})
	require.NoError(p, err)
	return page.Items
}

// byHand merges and keeps apart as the program does.
type byHand struct{ contacts *contact.Service }

func (h byHand) Join(ctx context.Context, keep, other, why string) error {
	_, err := h.contacts.MergeByHand(ctx, keep, other, why)
	return err
}

func (h byHand) Part(ctx context.Context, a, b int64, why string) error {
	return h.contacts.KeepApart(ctx, a, b, why)
}

func (h byHand) Apart(ctx context.Context, pairs [][2]int64) ([]bool, error) {
	return h.contacts.Apart(ctx, pairs)
}

func contactChange(name, birthday string) contact.Change {
	return contact.Change{Name: &name, Attributes: m{"birthday": birthday}}
}

package autotag

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/audience/live"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// start is noon of a working day in China.
var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// pond is the service over real contacts; facts, and whom rules hold for, are the test's.
type pond struct {
	*Service
	t        testing.TB
	ctx      context.Context
	clock    *clock.Fake
	contacts *contact.Service
	store    *facts
	emit     *emitted
	rules    *rules
	audit    *audited
	seq      uint64
}

func eachPond(t *testing.T, fn func(t *testing.T, p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(t, newPond(t, d)) }, jobs.Migrations(), contact.Migrations(), Migrations())
}

func newPond(t testing.TB, d *db.DB) *pond {
	p := &pond{t: t, clock: clock.NewFake(start), store: &facts{}, emit: &emitted{db: d}, rules: &rules{}, audit: &audited{}}
	p.ctx = auth.With(t.Context(), &auth.Principal{ID: "us_1", Name: "王芳", Via: auth.ViaSession, Role: "admin", Scope: auth.Everybody(), Permissions: auth.Set(auth.All())})
	ring := testkit.Ring()
	p.contacts = contact.NewService(contact.Deps{DB: d, Clock: p.clock, IDs: testkit.IDs(p.clock), Log: testkit.Logger(t), Keys: ring, Emit: p.emit, Audit: p.audit, CacheSize: 64})
	p.Service = New(Deps{DB: d, Clock: p.clock, Log: testkit.Logger(t), Keys: ring, Audit: p.audit, Contacts: p.contacts, Facts: p.store})
	p.KeptBy(p.rules)
	p.contacts.AutoTags(p.Service)
	p.contacts.FilterBy(FieldName, p.Field())
	p.contacts.AddReferrer(p.Service)
	p.contacts.OnRemove(p.Forget)
	return p
}

// emitted keeps what was stated by transactions that committed.
type emitted struct {
	db    *db.DB
	facts []event.Fact
}

func (e *emitted) Emit(ctx context.Context, facts ...event.Fact) error {
	e.db.After(ctx, func() { e.facts = append(e.facts, facts...) })
	return nil
}

// take gives what was stated since it was last called.
func (e *emitted) take() []event.Fact {
	out := e.facts
	e.facts = nil
	return out
}

type audited struct{ actions []string }

func (a *audited) Record(_ context.Context, action string, _ audit.Object, _ map[string]any) error {
	a.actions = append(a.actions, action)
	return nil
}

// rules are asked for, not kept: a test tells the owner whom they hold for.
type rules struct{ changed int }

func (r *rules) Changed(string)                        { r.changed++ }
func (r *rules) Status(string, string) (bool, float64) { return true, 1 }

// truths are whom rules hold for, by tag.
type truths map[string]*numset.Set

func (t truths) Holds(key string, n int64) bool { return t.Set(key).Has(n) }
func (t truths) Set(key string) *numset.Set {
	if s := t[key]; s != nil {
		return s.Clone()
	}
	return &numset.Set{}
}
func (t truths) Known(key string) bool { return t[key] != nil }
func (t truths) PartOf(n int64) int64  { return n }
func (t truths) CameOf(int64) int64    { return 0 }

// facts is the analytics store: a list that is added up as plainly as can be.
type facts struct {
	mu   sync.Mutex
	rows []event.Stored
}

// DecayedSums implements analytics.Decayer.
func (f *facts) DecayedSums(_ context.Context, q analytics.DecayQuery) ([]analytics.Decayed, event.Position, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	sums := map[int64]analytics.Decayed{}
	var pos event.Position
	for i := range f.rows {
		r := &f.rows[i]
		if pos.Less(r.Position) {
			pos = r.Position
		}
		if !q.After.Less(r.Position) {
			continue
		}
		for _, w := range q.Weights {
			if w.Name == r.Name && (w.Matches == nil || w.Matches(r.Properties)) {
				one := analytics.Decayed{Contact: r.Contact, Value: w.Weight, At: analytics.FactTime(&r.Fact)}
				sums[r.Contact] = analytics.AddDecayed(sums[r.Contact], one, q.HalfLife)
			}
		}
	}
	var out []analytics.Decayed
	for n, x := range sums {
		x.Contact = n
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b analytics.Decayed) int { return cmp.Compare(a.Contact, b.Contact) })
	return out, pos, nil
}

// slow is the score of a contact by the definition: every fact of everybody who is
// part of it, each for itself.
func (p *pond) slow(sc *Score, num int64) (sum float64) {
	groups, err := p.contacts.Groups(p.ctx, []int64{num})
	require.NoError(p.t, err)
	now := p.clock.Now().UnixMilli()
	for _, r := range p.store.rows {
		if !slices.Contains(groups[num], r.Contact) {
			continue
		}
		age := float64(now-min(r.Timestamp, r.ReceivedAt)) / float64((time.Duration(sc.HalfLife) * 24 * time.Hour).Milliseconds())
		sum += sc.worth(r.Name, r.Properties) * math.Pow(0.5, age)
	}
	return sum
}

// person makes a contact.
func (p *pond) person(name string) int64 {
	p.t.Helper()
	p.seq++
	f := event.Fact{MessageID: fmt.Sprint("who-", p.seq), Type: event.Identify, Name: event.NameIdentified, UserID: name, Timestamp: p.clock.Now().UnixMilli(), ReceivedAt: p.clock.Now().UnixMilli(), Source: "web"}
	out, err := p.contacts.Resolver().Resolve(p.ctx, []event.Fact{f}, []event.Position{{Seq: p.seq}})
	require.NoError(p.t, err)
	return out.Facts[0].Contact
}

func (p *pond) id(num int64) string {
	refs, err := p.contacts.Refs(p.ctx, []int64{num})
	require.NoError(p.t, err)
	return refs[num].ID
}

// did makes a fact of a contact, so long ago; it is stored, not handed over yet.
func (p *pond) did(num int64, name, props string, ago time.Duration) event.Stored {
	p.seq++
	now := p.clock.Now()
	f := event.Stored{Fact: event.Fact{MessageID: fmt.Sprint("m-", p.seq), Type: event.Track, Name: name, Contact: num, Timestamp: now.Add(-ago).UnixMilli(), ReceivedAt: now.UnixMilli(), Source: "web"}, Position: event.Position{Seq: p.seq}}
	if props != "" {
		f.Properties = json.RawMessage(props)
	}
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	p.store.rows = append(p.store.rows, f)
	return f
}

// hand gives facts to the subscriber, as the pipeline does.
func (p *pond) hand(facts ...event.Stored) {
	p.t.Helper()
	require.NoError(p.t, p.Follower().Prepare(p.ctx, facts, func(write func(context.Context) error) error { return p.DB.Tx(p.ctx, write) }))
}

var errKilled = errors.New("killed before the commit")

// killed gives facts to the subscriber, and loses what it wrote.
func (p *pond) killed(facts ...event.Stored) {
	p.t.Helper()
	err := p.Follower().Prepare(p.ctx, facts, func(write func(context.Context) error) error {
		return p.DB.Tx(p.ctx, func(ctx context.Context) error {
			if err := write(ctx); err != nil {
				return err
			}
			return errKilled
		})
	})
	if err != nil {
		require.ErrorIs(p.t, err, errKilled)
	}
}

// told hands over the merges and splits that were stated since.
func (p *pond) told() {
	for _, f := range p.emit.take() {
		if f.Name == event.NameContactMerged || f.Name == event.NameContactSplit {
			p.seq++
			p.hand(event.Stored{Fact: f, Position: event.Position{Seq: p.seq}})
		}
	}
}

func (p *pond) step() {
	p.t.Helper()
	require.NoError(p.t, p.Step(p.ctx))
}

// apply tells the owner whom the rules hold for: of some, or of everybody.
func (p *pond) apply(t truths, c live.Cause, nums ...int64) {
	p.t.Helper()
	require.NoError(p.t, p.DB.Tx(p.ctx, func(ctx context.Context) error { return p.Owner().Apply(ctx, t, nums, c) }))
}

func (p *pond) tag(group, name string) string {
	t, err := p.contacts.CreateTag(p.ctx, contact.NewTag{Group: group, Name: name})
	require.NoError(p.t, err)
	return t.ID
}

// from tells what a contact has a tag from, "" when it has it not.
func (p *pond) from(tag string, num int64) string {
	p.t.Helper()
	var source string
	err := p.DB.QueryRow(p.ctx, "select source from contact_tags where tag = $1 and contact = $2", tag, num).Scan(&source)
	if db.NoRows(err) {
		return ""
	}
	require.NoError(p.t, err)
	return source
}

func (p *pond) put(tag string, d Definition) Automation {
	p.t.Helper()
	a, err := p.Put(p.ctx, tag, d)
	require.NoError(p.t, err)
	p.step()
	return a
}

// score is what a contact is kept with, faded to now.
func (p *pond) score(tag string, num int64) float64 {
	w, err := p.Weights(p.ctx, num)
	require.NoError(p.t, err)
	return w[tag].Weight
}

// tagFacts tells what was stated about tags: name, contact and properties.
func (p *pond) tagFacts() (out []string) {
	for _, f := range p.emit.take() {
		if f.Name == event.NameTagAdded || f.Name == event.NameTagRemoved {
			var props map[string]any
			require.NoError(p.t, json.Unmarshal(f.Properties, &props))
			out = append(out, fmt.Sprint(f.Name, " ", f.Contact, " ", props["source"], " ", props["version"], " ", props["reason"], " ", props["live"]))
		}
	}
	return out
}

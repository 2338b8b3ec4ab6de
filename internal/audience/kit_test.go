package audience_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/audience/machine"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

// pond is segments over real records, contacts and jobs.
type pond struct {
	*audience.Service
	t        *testing.T
	ctx      context.Context
	db       *db.DB
	clock    *clock.Fake
	contacts *contact.Service
	jobs     *jobs.Service
	cat      *i18n.Catalogue
	loops    *loops.Finder
	machines *machine.Service
	emit     *emitted
	audit    *audited
	files    *files
	n        int
}

func each(t *testing.T, fn func(t *testing.T, p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(t, newPond(t, d)) }, jobs.Migrations(), contact.Migrations(), audience.Migrations(), machine.Migrations())
}

func newPond(t *testing.T, d *db.DB) *pond {
	p := &pond{t: t, db: d, clock: testkit.Clock(), emit: &emitted{}, audit: &audited{}, files: &files{}, loops: loops.New()}
	p.ctx = testkit.As(t.Context(), "admin")
	log := testkit.Logger(t)
	store, err := blob.NewFolder(filepath.Join(t.TempDir(), "files"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	p.cat, err = i18n.Load(log)
	require.NoError(t, err)
	ids := id.NewSource(p.clock.Now, nil)
	p.jobs = jobs.NewService(jobs.Deps{DB: d, Clock: p.clock, IDs: ids, Log: log, Files: store, Node: "node", Poll: 5 * time.Millisecond})
	p.contacts = contact.NewService(contact.Deps{DB: d, Clock: p.clock, IDs: ids, Log: log, Keys: testkit.Ring(), Emit: p.emit, Audit: p.audit, Jobs: p.jobs, Tables: p.files})
	p.contacts.RegisterJobs()
	exports := contact.NewExports(p.contacts, contact.ExportDeps{Jobs: p.jobs, Catalogue: p.cat})
	p.Service = audience.NewService(audience.Deps{DB: d, Clock: p.clock, IDs: ids, Log: log, Keys: testkit.Ring(), Emit: p.emit, Audit: p.audit, Jobs: p.jobs,
		Contacts: p.contacts, Exports: exports, People: users{"us_2": "李娜"}, Tables: p.files, Loops: p.loops})
	p.machines = machine.NewService(machine.Deps{DB: d, Clock: p.clock, Log: log, Audit: p.audit, Jobs: p.jobs, Contacts: p.contacts, Loops: p.loops,
		Zone: func(context.Context) *time.Location { return time.UTC }})
	p.machines.RegisterJobs()
	for name, f := range p.machines.Fields() {
		p.contacts.FilterBy(name, f)
	}
	p.contacts.FilterBy(audience.Field, p.Field())
	p.contacts.AddReferrer(p.Terms())
	p.contacts.OnRemove(p.Forget)
	require.NoError(t, p.jobs.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, p.jobs.Stop(ctx))
	})
	return p
}

type users map[string]string

func (u users) Names(_ context.Context, ids []string) map[string]string {
	out := map[string]string{}
	for _, id := range ids {
		if n, ok := u[id]; ok {
			out[id] = n
		}
	}
	return out
}

// files are uploads: rows of cells by id.
type files struct{ rows map[string][][]string }

func (f *files) OpenTable(_ context.Context, id string) (*contact.Table, error) {
	rows, at := f.rows[id], 0
	return &contact.Table{Name: id + ".csv", Columns: rows[0], Close: func() error { return nil }, Next: func() (int64, []string, error) {
		if at++; at >= len(rows) {
			return 0, nil, io.EOF
		}
		return int64(at + 1), rows[at], nil
	}}, nil
}
func (f *files) Time(context.Context, string) (int64, bool) { return 0, false }

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

// segments lists the facts about segments since the last call: "entered 3 fact true".
func (e *emitted) segments() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, f := range e.facts {
		if name, ok := strings.CutPrefix(f.Name, "segment."); ok {
			var p struct {
				Reason string
				Live   bool
			}
			_ = json.Unmarshal(f.Properties, &p)
			out = append(out, fmt.Sprint(name, " ", f.Contact, " ", p.Reason, " ", p.Live))
		}
	}
	e.facts = nil
	return out
}

// audited keeps audit entries.
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

// person makes a person and gives their number.
func (p *pond) person(name, owner, city string) (num int64, id string) {
	p.t.Helper()
	p.n++
	c, err := p.contacts.Create(p.ctx, contact.NewContact{Name: name, Phone: fmt.Sprintf("138%08d", p.n), Attributes: map[string]any{"city": city}})
	require.NoError(p.t, err)
	if owner != "" {
		_, err = p.db.Exec(p.ctx, "update contacts set owner_id = $2 where id = $1", c.ID, owner)
		require.NoError(p.t, err)
	}
	num, err = p.contacts.NumOf(p.ctx, c.ID)
	require.NoError(p.t, err)
	return num, c.ID
}

func parse(t *testing.T, text string) *rule.Rule {
	t.Helper()
	r, err := rule.Parse(text, "rule")
	require.NoError(t, err)
	return r
}

func inCity(t *testing.T, city string) *rule.Rule {
	return parse(t, `{"v":1,"all":[{"field":"city","op":"is","value":"`+city+`"}]}`)
}

// dynamic makes a segment and waits until it is worked out.
func (p *pond) dynamic(name string, r *rule.Rule) *audience.Segment {
	p.t.Helper()
	g, err := p.Create(p.ctx, audience.Definition{Name: name, Kind: audience.Dynamic, Rule: r})
	require.NoError(p.t, err)
	return p.settled(g)
}

// settled waits for the job of a segment.
func (p *pond) settled(g *audience.Segment) *audience.Segment {
	p.t.Helper()
	if g.JobID != "" {
		j, err := p.jobs.Wait(p.ctx, g.JobID)
		require.NoError(p.t, err)
		require.Equal(p.t, jobs.Succeeded, j.State, "%v", j.Error)
	}
	g, err := p.Get(p.ctx, g.ID)
	require.NoError(p.t, err)
	return g
}

// static makes a list of people.
func (p *pond) static(name string, ids ...string) *audience.Segment {
	p.t.Helper()
	g, err := p.Create(p.ctx, audience.Definition{Name: name, Kind: audience.Static})
	require.NoError(p.t, err)
	if len(ids) > 0 {
		_, _, err = p.ChangeMembers(p.ctx, g.ID, contact.Selection{IDs: ids}, false)
		require.NoError(p.t, err)
	}
	g, err = p.Get(p.ctx, g.ID)
	require.NoError(p.t, err)
	return g
}

// found lists the people that a rule finds for a caller.
func (p *pond) found(ctx context.Context, r *rule.Rule) []int64 {
	p.t.Helper()
	set, err := p.contacts.Numbers(ctx, contact.Selection{Query: contact.Query{Where: r}})
	require.NoError(p.t, err)
	return set.List()
}

// members lists the people in a segment as the list of contacts does.
func (p *pond) members(ctx context.Context, id string) []int64 {
	return p.found(ctx, parse(p.t, `{"v":1,"all":[{"field":"segment","op":"in","value":["`+id+`"]}]}`))
}

// caller answers requests as who the context says.
type caller struct{ h http.Handler }

type asContext struct{}

func (asContext) Authenticate(r *http.Request) (*auth.Principal, error) {
	return auth.From(r.Context()), nil
}

func (p *pond) web() caller {
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "t", Version: "1", Auth: asContext{}, Log: testkit.Logger(p.t), Catalogue: p.cat, Clock: p.clock})
	p.Routes(api)
	return caller{api.Handler()}
}

// ask sends a request and decodes its answer; it gives the status and, of a
// refusal, "code field:code…".
func (c caller) ask(t *testing.T, ctx context.Context, method, path, body string, into any) (int, string) {
	t.Helper()
	req := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	req.Header.Set("Accept-Language", "en")
	rec := httptest.NewRecorder()
	c.h.ServeHTTP(rec, req)
	if rec.Code >= 400 {
		var e struct {
			Error struct {
				Code   string
				Fields []struct{ Path, Code string }
			}
			Code   string
			Fields []struct{ Path, Code string }
		}
		require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &e), rec.Body.String())
		out := e.Code + e.Error.Code
		for _, f := range slices.Concat(e.Fields, e.Error.Fields) {
			out += " " + f.Path + ":" + f.Code
		}
		return rec.Code, out
	}
	if into != nil {
		require.NoError(t, json.Unmarshal(rec.Body.Bytes(), into), rec.Body.String())
	}
	return rec.Code, ""
}

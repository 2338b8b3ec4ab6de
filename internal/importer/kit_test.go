package importer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/importer"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/shop"
)

// pond is the importer with real records, jobs, files and orders. Stream and
// contacts are stand-ins: facts reach the orders at once, people are who they say.
type pond struct {
	testing.TB
	*importer.Service
	db     *db.DB
	clock  clock.Clock
	files  blob.Store
	cat    *i18n.Catalogue
	jobs   *jobs.Service
	shop   *shop.Service
	stream *stream
	people *people
	change func(*importer.Deps)
}

func sets() []db.Set { return []db.Set{jobs.Migrations(), shop.Migrations(), importer.Migrations()} }

func each(t *testing.T, fn func(t *testing.T, p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(t, newPond(t, d, nil)) }, sets()...)
}

func newPond(t testing.TB, d *db.DB, change func(*importer.Deps)) *pond {
	t.Helper()
	files, err := blob.NewFolder(filepath.Join(t.TempDir(), "files"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, files.Close()) })
	log := testkit.Logger(t)
	cat, err := i18n.Load(log)
	require.NoError(t, err)
	p := &pond{TB: t, db: d, clock: clock.System{}, files: files, cat: cat, change: change}
	p.people = &people{nums: map[string]int64{}, rows: map[string][]int64{}, sums: map[int64]shop.Summary{}, attrs: map[int64]map[string]any{}, tags: map[string]string{}}
	p.shop = shop.NewService(shop.Deps{DB: d, Clock: p.clock, IDs: testkit.IDs(p.clock), Log: log, Contacts: p.people,
		Currency: func(context.Context) (string, error) { return "CNY", nil }})
	p.stream = &stream{p: p, seen: map[string]bool{}}
	p.boot()
	return p
}

// boot starts jobs and importer as a process would.
func (p *pond) boot() {
	p.Helper()
	log := testkit.Logger(p.TB)
	j := jobs.NewService(jobs.Deps{DB: p.db, Clock: p.clock, IDs: testkit.IDs(p.clock), Log: log, Files: p.files, Node: "node", Poll: 10 * time.Millisecond})
	d := importer.Deps{DB: p.db, Clock: p.clock, IDs: testkit.IDs(p.clock), Log: log, Files: p.files, Keys: testkit.Ring(), Jobs: j, Audit: trail{}, Ingest: p.stream,
		Contacts: p.people, Orders: p.shop, Facts: p.stream, Catalogue: p.cat, TempDir: p.TempDir(),
		Company: func(context.Context) (importer.Company, error) {
			return importer.Company{Timezone: "Asia/Shanghai", Currency: "CNY"}, nil
		}}
	if p.change != nil {
		p.change(&d)
	}
	p.Service, p.jobs = importer.NewService(d), j
	require.NoError(p, j.Start(p.Context()))
	p.Cleanup(func() { p.stop(j) })
}

func (p *pond) stop(j *jobs.Service) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(p, j.Stop(ctx))
}

type trail struct{}

func (trail) Record(context.Context, string, audit.Object, map[string]any) error { return nil }

// people tells persons apart by their strongest identifier.
type people struct {
	mu    sync.Mutex
	nums  map[string]int64
	rows  map[string][]int64 // contacts made, by import
	sums  map[int64]shop.Summary
	attrs map[int64]map[string]any
	tags  map[string]string
}

func (p *people) num(ids []event.Identifier) (int64, bool) {
	key := ids[0].Kind + "=" + ids[0].Value
	if n, ok := p.nums[key]; ok {
		return n, false
	}
	p.nums[key] = int64(len(p.nums) + 1)
	return p.nums[key], true
}

func (p *people) Upsert(_ context.Context, rows []contact.Incoming, opt contact.UpsertOptions) ([]contact.Outcome, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []contact.Outcome
	for _, r := range rows {
		if r.Identifiers[0].Value == "refuse-me" {
			out = append(out, contact.Outcome{State: contact.Refused, Err: errs.New(errs.Invalid, "import.no_identity")})
			continue
		}
		n, made := p.num(r.Identifiers)
		o := contact.Outcome{Num: n, State: contact.Updated}
		if made {
			o.State = contact.Created
			p.rows[opt.ImportID] = append(p.rows[opt.ImportID], n)
		}
		if !made && !opt.UpdateExisting {
			o.State = contact.Unchanged
		} else {
			p.attrs[n] = r.Attributes
			if len(r.Tags) > 0 {
				p.attrs[n]["tags"] = strings.Join(r.Tags, ",")
			}
			if r.CreatedAt > 0 {
				p.attrs[n]["created"] = r.CreatedAt
			}
			if r.Touch.Channel != "" {
				p.attrs[n]["channel"] = r.Touch.Channel
			}
		}
		out = append(out, o)
	}
	return out, nil
}

func (p *people) UndoImport(_ context.Context, id string, progress func(done, total int64)) (contact.UndoResult, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := int64(len(p.rows[id]))
	for key, num := range p.nums {
		if slices.Contains(p.rows[id], num) {
			delete(p.nums, key)
		}
	}
	delete(p.rows, id)
	progress(n, n)
	return contact.UndoResult{Removed: n}, nil
}

func (p *people) EnsureTag(_ context.Context, group, name string) (contact.TagRef, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tags[group+"/"+name] = name
	return contact.TagRef{ID: group + "/" + name, Name: name, Group: group}, nil
}

func (p *people) SetOrderSummary(_ context.Context, sums []shop.Summary) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range sums {
		p.sums[s.Contact] = s
	}
	return nil
}

func (p *people) Survivors(context.Context, []int64) (map[int64]int64, error) { return nil, nil }

func (p *people) InScope(_ context.Context, nums []int64) ([]int64, error) { return nums, nil }

func (p *people) ScopeNums(context.Context, int) ([]int64, bool, error) { return nil, false, nil }

func (p *people) Refs(context.Context, []int64) (map[int64]contact.Ref, error) {
	return map[int64]contact.Ref{}, nil
}

func (p *people) NumOf(context.Context, string) (int64, error) {
	return 0, errs.New(errs.NotFound, "not_found")
}

// stream keeps facts once by message id and hands them to the orders.
type stream struct {
	p     *pond
	mu    sync.Mutex
	seen  map[string]bool
	facts []event.Fact
	sent  int // calls of Ingest
	// before and after, when set, run around the n-th call of Ingest (from 1).
	before func(n int) error
	after  func(n int) error
}

func (s *stream) Ingest(ctx context.Context, facts []event.Fact) (uint64, error) {
	s.mu.Lock()
	s.sent++
	n := s.sent
	s.mu.Unlock()
	if s.before != nil {
		if err := s.before(n); err != nil {
			return 0, err
		}
	}
	var stored []event.Stored
	var faults []errs.Field
	s.mu.Lock()
	for i, f := range facts {
		if f.Name == "refuse me" {
			faults = append(faults, errs.At(fmt.Sprintf("facts[%d].name", i), "import.no_identity"))
			continue
		}
		if s.seen[f.MessageID] {
			continue
		}
		s.seen[f.MessageID] = true
		ids := append([]event.Identifier(nil), f.Identifiers...)
		if f.AnonymousID != "" {
			ids = append(ids, event.Identifier{Kind: "anonymous_id", Value: f.AnonymousID})
		}
		if f.UserID != "" {
			ids = append([]event.Identifier{{Kind: "user_id", Value: f.UserID}}, ids...)
		}
		s.p.people.mu.Lock()
		num, made := s.p.people.num(ids)
		if made {
			s.p.people.rows[f.ImportID] = append(s.p.people.rows[f.ImportID], num)
		}
		s.p.people.mu.Unlock()
		f.Contact = num
		s.facts = append(s.facts, f)
		stored = append(stored, event.Stored{Fact: f})
	}
	s.mu.Unlock()
	if err := s.p.shop.Handle(ctx, stored); err != nil {
		return 0, err
	}
	if s.after != nil {
		if err := s.after(n); err != nil {
			return 0, err
		}
	}
	if len(faults) > 0 {
		return uint64(n), errs.New(errs.Invalid, "import.bad_mapping").On(faults...)
	}
	return uint64(n), nil
}

func (s *stream) Wait(context.Context, uint64) error { return nil }

func (s *stream) EraseImport(_ context.Context, id string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := len(s.facts)
	s.facts = slices.DeleteFunc(s.facts, func(f event.Fact) bool { return f.ImportID == id })
	return int64(was - len(s.facts)), nil
}

// upload stores a file and returns it with its suggestion.
func (p *pond) upload(name string, body []byte) importer.Upload {
	p.Helper()
	u, err := p.CreateUpload(testkit.As(p.Context(), "admin"), name, bytes.NewReader(body))
	require.NoError(p, err)
	return u
}

// start imports an upload as suggested, changed by edit.
func (p *pond) start(u importer.Upload, edit func(*importer.Request)) importer.Import {
	p.Helper()
	q := importer.Request{UploadID: u.ID, Kind: u.Suggestion.Kind, Mapping: u.Suggestion.Mapping, Options: u.Suggestion.Options, Language: i18n.EN}
	if edit != nil {
		edit(&q)
	}
	imp, err := p.Start(testkit.As(p.Context(), "admin"), q)
	require.NoError(p, err)
	return imp
}

func (p *pond) wait(id string) importer.Import {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), 60*time.Second)
	defer cancel()
	imp, err := p.WaitJob(ctx, id, nil)
	require.NoError(p, err)
	return imp
}

func (p *pond) importAll(name, body string, edit func(*importer.Request)) importer.Import {
	p.Helper()
	return p.wait(p.start(p.upload(name, []byte(body)), edit).ID)
}

// orders prints every record of an order as one line, by number.
func (p *pond) orders() []string {
	p.Helper()
	var out []string
	q := shop.Query{Limit: 1000, Lines: 100}
	for {
		orders, err := p.shop.List(context.Background(), q)
		require.NoError(p, err)
		for _, o := range orders {
			out = append(out, fmt.Sprintf("%s %s %s %d-%d %s x%d", o.Number, o.Type, o.State, o.Total, o.Refunded, o.Currency, o.LineCount))
		}
		if len(orders) < q.Limit {
			slices.Sort(out)
			return out
		}
		c := shop.CursorOf(orders[len(orders)-1])
		q.After = &c
	}
}

func (p *pond) rejects(imp importer.Import) string {
	p.Helper()
	var b bytes.Buffer
	require.NoError(p, p.WriteRejects(context.Background(), &b, imp, i18n.EN))
	return b.String()
}

func reasons(imp importer.Import) string {
	var out []string
	for _, r := range imp.Reasons {
		out = append(out, fmt.Sprintf("%s=%d", r.Code, r.Count))
	}
	return strings.Join(out, " ")
}

var errTest = errors.New("the stream is out of order")

func testkitEach(t *testing.T, change func(*importer.Deps), fn func(t *testing.T, p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(t, newPond(t, d, change)) }, sets()...)
}

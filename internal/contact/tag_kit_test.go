package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// files are uploads in memory.
type files map[string][][]string

// OpenTable implements Tables.
func (f files) OpenTable(_ context.Context, id string) (*Table, error) {
	rows, ok := f[id]
	if !ok {
		return nil, errs.New(errs.NotFound, "import.upload_not_found")
	}
	at := 0
	return &Table{Name: id + ".csv", Columns: rows[0], Close: func() error { return nil }, Next: func() (int64, []string, error) {
		if at++; at >= len(rows) {
			return 0, nil, io.EOF
		}
		return int64(at + 1), rows[at], nil
	}}, nil
}

// Time implements Tables.
func (files) Time(_ context.Context, text string) (int64, bool) {
	at, err := time.Parse(time.DateOnly, text)
	return at.UnixMilli(), err == nil
}

// tagPond is a pond whose jobs run.
type tagPond struct {
	*pond
	files files
	jobs  *jobs.Service
}

func eachTagPond(t *testing.T, fn func(t *testing.T, p *tagPond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) { fn(t, newTagPond(t, d)) }, jobs.Migrations(), Migrations())
}

func newTagPond(t testing.TB, d *db.DB) *tagPond {
	p := &tagPond{pond: newPond(t, d), files: files{}}
	p.start()
	return p
}

// start runs jobs and service as a process would.
func (p *tagPond) start() {
	store, err := blob.NewFolder(p.t.TempDir())
	require.NoError(p.t, err)
	p.jobs = jobs.NewService(jobs.Deps{DB: p.DB, Clock: p.clock, IDs: id.NewSource(p.clock.Now, nil), Log: testkit.Logger(p.t), Files: store, Node: "node", Poll: 5 * time.Millisecond})
	deps := p.Deps
	deps.Jobs, deps.Tables = p.jobs, p.files
	p.Service = NewService(deps)
	p.RegisterJobs()
	require.NoError(p.t, p.jobs.Start(p.t.Context()))
	p.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(p.t, p.jobs.Stop(ctx))
	})
}

// people makes n people and gives their ids.
func (p *tagPond) people(n int) []string {
	out := make([]string, n)
	for i := range n {
		c, err := p.Create(p.ctx, NewContact{Name: fmt.Sprint("客户", i), Phone: fmt.Sprintf("1380013%04d", i), MemberNo: fmt.Sprintf("M%04d", i)})
		require.NoError(p.t, err)
		out[i] = c.ID
	}
	return out
}

func (p *tagPond) make(group, parent, name string) string {
	t, err := p.CreateTag(p.ctx, NewTag{Group: group, Parent: parent, Name: name})
	require.NoError(p.t, err)
	return t.ID
}

func (p *tagPond) group(name string, exclusive bool) string {
	id, err := p.CreateGroup(p.ctx, NewGroup{Name: name, Exclusive: exclusive})
	require.NoError(p.t, err)
	return id
}

// end waits for a run, or its undo, and reads it.
func (p *tagPond) end(run TagRun, err error) TagRun {
	p.t.Helper()
	require.NoError(p.t, err)
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	j, err := p.jobs.Wait(ctx, run.JobID)
	require.NoError(p.t, err)
	require.Equal(p.t, jobs.Succeeded, j.State, "%v", j.Error)
	run, err = p.TagRun(p.ctx, run.ID)
	require.NoError(p.t, err)
	return run
}

// tagsOf names the tags of a contact.
func (p *tagPond) tagsOf(id string) []string {
	p.t.Helper()
	c, err := p.Get(p.ctx, id)
	require.NoError(p.t, err)
	out := []string{}
	for _, t := range c.Tags {
		out = append(out, t.Name)
	}
	return out
}

// code gives the code of an error and of its fields.
func code(err error) string {
	e := errs.As(err)
	if e == nil {
		return fmt.Sprint(err)
	}
	out := e.Code
	for _, f := range e.Fields {
		out += " " + f.Path + ":" + f.Code
	}
	return out
}

func unjson(t testing.TB, raw json.RawMessage, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(raw, into))
}

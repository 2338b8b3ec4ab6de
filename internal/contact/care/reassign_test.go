package care

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// oneRun is a job's run in the test's hands; it can die after so many batches.
type oneRun struct {
	jobs.Run
	params, at json.RawMessage
	left       int
}

// ended answers that every job is done.
type ended struct{ jobs.Queue }

func (ended) Get(_ context.Context, id string) (jobs.Job, error) {
	if id == "swept" {
		return jobs.Job{}, errs.New(errs.NotFound, "job.not_found")
	}
	return jobs.Job{ID: id, State: jobs.Succeeded, Done: 1200, Total: 1200}, nil
}

var errDied = errors.New("the process died")

func (r *oneRun) Params(into any) error { return json.Unmarshal(r.params, into) }
func (r *oneRun) Progress(int64, int64) {}
func (r *oneRun) Result(any) error      { return nil }
func (r *oneRun) File(string, string) (io.WriteCloser, error) {
	return nil, errors.New("no file")
}
func (r *oneRun) LastCheckpoint(into any) (bool, error) {
	if r.at == nil {
		return false, nil
	}
	return true, json.Unmarshal(r.at, into)
}
func (r *oneRun) Checkpoint(_ context.Context, state any) error {
	if r.left--; r.left < 0 {
		return errDied
	}
	b, err := json.Marshal(state)
	r.at = b
	return err
}

func (p *pond) owners(ids []string) map[string]int {
	p.t.Helper()
	out := map[string]int{}
	for _, id := range ids {
		var owner string
		require.NoError(p.t, p.DB.QueryRow(p.t.Context(), "select owner_id from contacts where id = $1", id).Scan(&owner))
		out[owner]++
	}
	return out
}

// Many contacts are spread by weight, a crash in between changes nothing of the
// outcome, what is outside the scope stays, and the undo gives back what nobody
// moved since.
func TestReassign(t *testing.T) {
	each(t, func(p *pond) {
		t, ctx := p.t, p.as("us_a")
		p.Selector, p.Jobs = p.contacts, ended{}
		var ids []string
		for i := range 1200 {
			_ = i
			ids = append(ids, p.customer("us_a", fmt.Sprint("客户", i)))
		}
		others := p.customer("us_z", "别人的")
		_, err := p.DB.Exec(ctx, "insert into reassignments (id, job, undo_job, reason, moved, undone, by_id, by_name, created_at) values ('ra_1','jb','','',0,0,'us_a','us_a',0)")
		require.NoError(t, err)
		params, err := json.Marshal(reassignParams{"ra_1", contact.Selection{}, []Share{{"us_b", 3}, {"us_c", 1}}, "离职交接"})
		require.NoError(t, err)
		run := &oneRun{params: params, left: 1}
		require.ErrorIs(t, p.runReassign(ctx, run), errDied)
		run.left = 100
		require.NoError(t, p.runReassign(ctx, run))
		require.Equal(t, map[string]int{"us_b": 900, "us_c": 300}, p.owners(ids))
		require.Equal(t, map[string]int{"us_z": 1}, p.owners([]string{others}), "outside the scope of who asked")
		n := 0
		for _, name := range p.emit.names {
			if name == event.NameOwnerChanged {
				n++
			}
		}
		require.GreaterOrEqual(t, n, 1200)
		r, err := p.Reassignment(ctx, "ra_1")
		require.NoError(t, err)
		require.Equal(t, []any{int64(1200), int64(1200), jobs.Succeeded, false}, []any{r.Moved, r.Seen, r.State, r.Undoes})
		owners, err := p.contacts.OwnersOf(p.as("us_b"), ids[0])
		require.NoError(t, err)
		require.Equal(t, []string{contact.OwnedMoved, "离职交接", "us_b"}, []string{owners[0].How, owners[0].Why, owners[0].Owner.ID})
		_, err = p.Reassignment(p.as("us_b"), "ra_1")
		require.Equal(t, "owners.no_such_reassignment", errs.As(err).Code)

		_, err = p.DB.Exec(ctx, "update contacts set owner_id = 'us_d' where id = $1", ids[0])
		require.NoError(t, err)
		require.NoError(t, p.runUndo(ctx, &oneRun{params: json.RawMessage(`{"batch":"ra_1"}`), left: 100}))
		require.Equal(t, map[string]int{"us_a": 1199, "us_d": 1}, p.owners(ids))
		require.NoError(t, p.runUndo(ctx, &oneRun{params: json.RawMessage(`{"batch":"ra_1"}`), left: 100}), "again: nothing left")
		require.Equal(t, map[string]int{"us_a": 1199, "us_d": 1}, p.owners(ids))
	})
}

func TestReassignRefuses(t *testing.T) {
	each(t, func(p *pond) {
		ctx := testkit.As(p.t.Context(), "admin")
		for path, to := range map[string][]Share{"to.0.user": {{"us_gone", 1}}, "to.1.user": {{"us_a", 1}, {"us_a", 1}}, "to.0.weight": {{"us_a", 2000}}} {
			_, err := p.Reassign(ctx, contact.Selection{IDs: []string{"ct_1"}}, to, "")
			require.Equal(p.t, path, errs.As(err).Fields[0].Path)
		}
		require.Empty(p.t, turn(nil, 7), "to nobody")
	})
}

package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// row is a job with what only this package needs.
type row struct {
	Job
	key, fileKey, fileType string
	checkpoint             string
	lease                  int64
}

type store struct {
	db     *db.DB
	params Concealer // nil: kept as they come
}

const columns = `id, kind, title, unit, link, unique_key, state, done, total, params, result, checkpoint, error,
	file_name, file_key, file_type, file_permission, created_by_id, created_by_name, created_at, started_at, finished_at, attempt, lease`

func (s store) scan(r interface{ Scan(...any) error }) (row, error) {
	var j row
	var params, result, fault, perm string
	var created, started, finished int64
	err := r.Scan(&j.ID, &j.Kind, &j.Title, &j.Unit, &j.Link, &j.key, &j.State, &j.Done, &j.Total, &params, &result, &j.checkpoint, &fault,
		&j.FileName, &j.fileKey, &j.fileType, &perm, &j.CreatedByID, &j.CreatedByName, &created, &started, &finished, &j.Attempt, &j.lease)
	if err != nil {
		return row{}, err
	}
	if s.params != nil {
		if params, err = s.params.Open(params); err != nil {
			return row{}, fmt.Errorf("job %s: %w", j.ID, err)
		}
	}
	j.Params, j.FilePermission = json.RawMessage(params), auth.Permission(perm)
	if result != "" {
		j.Result = json.RawMessage(result)
	}
	j.CreatedAt, j.StartedAt, j.FinishedAt = clock.FromMs(created), clock.FromMs(started), clock.FromMs(finished)
	if j.Error, err = decodeFault(fault); err != nil {
		return row{}, fmt.Errorf("job %s: %w", j.ID, err)
	}
	return j, nil
}

// fault is an errs.Error at rest.
type fault struct {
	Kind   errs.Kind      `json:"kind"`
	Code   string         `json:"code"`
	Params map[string]any `json:"params,omitempty"`
	Fields []errs.Field   `json:"fields,omitempty"`
}

func encodeFault(e *errs.Error) (string, error) {
	if e == nil {
		return "", nil
	}
	raw, err := json.Marshal(fault{e.Kind, e.Code, e.Params, e.Fields})
	if err != nil {
		return "", fmt.Errorf("encode error: %w", err)
	}
	return string(raw), nil
}

func decodeFault(text string) (*errs.Error, error) {
	if text == "" {
		return nil, nil
	}
	var f fault
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return nil, fmt.Errorf("decode error: %w", err)
	}
	return &errs.Error{Kind: f.Kind, Code: f.Code, Params: f.Params, Fields: f.Fields}, nil
}

// Sealed names the column whose personal values Params seals.
const (
	SealedTable  = "jobs"
	SealedKey    = "id"
	SealedColumn = "params"
)

// insert adds j, or gives the unfinished job that has its key.
func (s store) insert(ctx context.Context, j row) (row, error) {
	var out row
	params := string(j.Params)
	if s.params != nil {
		var err error
		if params, err = s.params.Seal(params); err != nil {
			return out, err
		}
	}
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		for range 5 { // the one with the key may finish between the two statements
			n, err := s.db.ExecN(ctx, `insert into jobs (id, kind, title, unit, link, unique_key, state, done, total, params, result, checkpoint, error,
				file_name, file_key, file_type, file_permission, created_by_id, created_by_name, created_at, started_at, finished_at,
				run_at, attempt, lease, node, heartbeat_at, cancel_wanted, crashes, crash_done)
				values ($1,$2,$3,$4,$5,$6,'queued',0,0,$7,'','','','','','',$8,$9,$10,$11,0,0,$11,0,0,'',0,0,0,0)
				on conflict do nothing`,
				j.ID, j.Kind, j.Title, j.Unit, j.Link, j.key, params, string(j.FilePermission), j.CreatedByID, j.CreatedByName, clock.Ms(j.CreatedAt))
			if err != nil {
				return err
			}
			if n == 1 {
				out = j
				return nil
			}
			out, err = s.unfinished(ctx, j.key)
			if !db.NoRows(err) {
				return err
			}
		}
		return errors.New("the job with this key keeps coming and going")
	})
	return out, err
}

func (s store) unfinished(ctx context.Context, key string) (row, error) {
	return s.scan(s.db.QueryRow(ctx, "select "+columns+" from jobs where unique_key = $1 and state in ('queued','running')", key))
}

func (s store) get(ctx context.Context, id string) (row, error) {
	j, err := s.scan(s.db.QueryRow(ctx, "select "+columns+" from jobs where id = $1", id))
	if db.NoRows(err) {
		return row{}, errs.New(errs.NotFound, "jobs.not_found")
	}
	if err != nil {
		return row{}, fmt.Errorf("read job: %w", err)
	}
	return j, nil
}

// place is where a list goes on.
type place struct {
	At int64  `json:"at"`
	ID string `json:"id"`
}

// list gives the newest first, limit+1 of them so that the caller sees whether there are more.
func (s store) list(ctx context.Context, f Filter, after place, limit int) ([]row, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(cond string, v ...any) {
		for i := range v {
			cond = strings.Replace(cond, "?", fmt.Sprintf("$%d", len(args)+i+1), 1)
		}
		where, args = append(where, cond), append(args, v...)
	}
	if f.State != "" {
		add("state = ?", string(f.State))
	}
	if f.Kind != "" {
		add("kind = ?", f.Kind)
	}
	if after.ID != "" {
		add("(created_at, id) < (?, ?)", after.At, after.ID)
	}
	add("1 = 1 order by created_at desc, id desc limit ?", limit+1)
	rows, err := s.db.Query(ctx, "select "+columns+" from jobs where "+strings.Join(where, " and "), args...)
	return db.Collect(rows, err, func(r *sql.Rows) (row, error) { return s.scan(r) })
}

// claim takes up to n due jobs of the given kinds, oldest first. Nodes that
// claim at once get different ones.
func (s store) claim(ctx context.Context, node string, kinds []string, n int, now time.Time) ([]row, error) {
	if len(kinds) == 0 || n <= 0 {
		return nil, nil
	}
	if ok, err := s.due(ctx, now); err != nil || !ok {
		return nil, err
	}
	args := []any{node, clock.Ms(now), n}
	for _, k := range kinds {
		args = append(args, k)
	}
	// SQLite has one writer: the transaction is lock enough.
	q := `update jobs set state = 'running', node = $1, heartbeat_at = $2, attempt = attempt + 1, lease = lease + 1, error = '',
		started_at = case when started_at = 0 then $2 else started_at end
		where id in (select id from jobs where state = 'queued' and run_at <= $2 and kind in (` + db.In(4, len(kinds)) + `)
			order by run_at, id limit $3 ` + s.db.Pick("", "for update skip locked") + `)
		returning ` + columns
	var out []row
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		rows, err := s.db.Query(ctx, q, args...)
		out, err = db.Collect(rows, err, func(r *sql.Rows) (row, error) { return s.scan(r) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	return out, nil
}

// due looks without taking the writer: idle nodes ask every second.
func (s store) due(ctx context.Context, now time.Time) (bool, error) {
	var one int
	err := s.db.QueryRow(ctx, "select 1 from jobs where state = 'queued' and run_at <= $1 limit 1", clock.Ms(now)).Scan(&one)
	if db.NoRows(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for jobs: %w", err)
	}
	return true, nil
}

// holding is a job that a node runs, as the table has it.
type holding struct {
	key       runKey
	cancelled bool
}

// alive proves that node lives, and tells which jobs it holds.
func (s store) alive(ctx context.Context, node string, now time.Time) ([]holding, error) {
	if _, err := s.db.Exec(ctx, "update jobs set heartbeat_at = $1 where node = $2 and state = 'running'", clock.Ms(now), node); err != nil {
		return nil, fmt.Errorf("heartbeat: %w", err)
	}
	rows, err := s.db.Query(ctx, "select id, lease, cancel_wanted from jobs where node = $1 and state = 'running'", node)
	return db.Collect(rows, err, func(r *sql.Rows) (holding, error) {
		var h holding
		var wanted int
		err := r.Scan(&h.key.id, &h.key.lease, &wanted)
		h.cancelled = wanted == 1
		return h, err
	})
}

// takeOver queues the running jobs of dead nodes again: those silent since
// before, and those of node itself when own is set (it has just started). It
// ends the ones that somebody wanted cancelled or that crash again and again.
func (s store) takeOver(ctx context.Context, node string, own bool, before, now time.Time) (int64, error) {
	raw, err := encodeFault(errs.New(errs.Internal, "jobs.crashed", "times", maxCrashes))
	if err != nil {
		return 0, err
	}
	mine := ""
	if own {
		mine = node
	}
	// `>` in crashes: how far the job got since the last crash decides whether it is stuck.
	n, err := s.db.ExecN(ctx, `update jobs set
		state = case when cancel_wanted = 1 then 'cancelled' when done <= crash_done and crashes + 1 >= $1 then 'failed' else 'queued' end,
		error = case when cancel_wanted = 0 and done <= crash_done and crashes + 1 >= $1 then $2 else error end,
		finished_at = case when cancel_wanted = 1 or (done <= crash_done and crashes + 1 >= $1) then $3 else finished_at end,
		crashes = case when done > crash_done then 1 else crashes + 1 end,
		crash_done = case when done > crash_done then done else crash_done end,
		attempt = attempt - 1, lease = lease + 1, node = '', run_at = $3
		where state = 'running' and (heartbeat_at < $4 or (node = $5 and $5 <> ''))`,
		maxCrashes, raw, clock.Ms(now), clock.Ms(before), mine)
	if err != nil {
		return 0, fmt.Errorf("take over jobs: %w", err)
	}
	return n, nil
}

// held runs an update of a job that must still be ours; false when it is not.
func (s store) held(ctx context.Context, r row, set string, args ...any) (bool, error) {
	args = append(args, r.ID, r.lease)
	n, err := s.db.ExecN(ctx, fmt.Sprintf("update jobs set %s where id = $%d and lease = $%d and state = 'running'", set, len(args)-1, len(args)), args...)
	return n == 1, err
}

func (s store) cancel(ctx context.Context, id string, now time.Time) (int64, error) {
	return s.db.ExecN(ctx, `update jobs set cancel_wanted = 1,
		finished_at = case when state = 'queued' then $1 else finished_at end,
		state = case when state = 'queued' then 'cancelled' else state end
		where id = $2 and state in ('queued','running')`, clock.Ms(now), id)
}

func (s store) requeue(ctx context.Context, id string, now time.Time) error {
	_, err := s.db.Exec(ctx, `update jobs set state = 'queued', error = '', attempt = 0, crashes = 0, cancel_wanted = 0,
		finished_at = 0, run_at = $1 where id = $2 and state in ('failed','cancelled')`, clock.Ms(now), id)
	return err
}

func (s store) counts(ctx context.Context, since time.Time) (c Counts, err error) {
	err = s.db.QueryRow(ctx, `select
		count(*) filter (where state = 'queued'), count(*) filter (where state = 'running'),
		count(*) filter (where state = 'failed' and finished_at >= $1)
		from jobs where state in ('queued','running','failed')`, clock.Ms(since)).Scan(&c.Queued, &c.Running, &c.Failed24h)
	if err != nil {
		return c, fmt.Errorf("count jobs: %w", err)
	}
	return c, nil
}

// old gives finished jobs from before a time, with their files.
func (s store) old(ctx context.Context, before time.Time, limit int) ([]row, error) {
	rows, err := s.db.Query(ctx, "select "+columns+` from jobs where state in ('succeeded','failed','cancelled')
		and finished_at < $1 order by created_at, id limit $2`, clock.Ms(before), limit)
	return db.Collect(rows, err, func(r *sql.Rows) (row, error) { return s.scan(r) })
}

func (s store) remove(ctx context.Context, id string) error {
	_, err := s.db.Exec(ctx, "delete from jobs where id = $1 and state in ('succeeded','failed','cancelled')", id)
	return err
}

package care

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// Kinds of jobs.
const (
	jobReassign = "owners.reassign"
	jobUndo     = "owners.undo"
)

const (
	// moveBatch is how many contacts one transaction moves: nobody else writes contacts meanwhile.
	moveBatch = 500
	// maxShares is over how many people contacts can be spread.
	maxShares = 200
)

// Share is one of those who get contacts, and how much compared with the others.
type Share struct {
	User   string `json:"user" doc:"User id"`
	Weight int    `json:"weight,omitempty" minimum:"1" maximum:"1000" default:"1"`
}

// Reassignment is one change of owners of many.
type Reassignment struct {
	ID        string      `json:"id"`
	Job       string      `json:"job"`
	UndoJob   string      `json:"undoJob,omitempty"`
	Reason    string      `json:"reason"`
	Moved     int64       `json:"moved" doc:"Contacts that got another owner so far"`
	Undone    int64       `json:"undone" doc:"Those given back by the undo so far"`
	By        contact.Ref `json:"by"`
	CreatedAt time.Time   `json:"createdAt"`

	State  jobs.State `json:"state" enum:"queued,running,succeeded,failed,cancelled" doc:"Of the work going on or done last: the undo, when there is one"`
	Seen   int64      `json:"seen" doc:"Contacts looked at so far by that work"`
	Total  int64      `json:"total" doc:"Contacts that it looks at; 0: not known yet"`
	Undoes bool       `json:"undoes" doc:"That work is the undo"`
}

type reassignParams struct {
	Batch     string            `json:"batch"`
	Selection contact.Selection `json:"selection"`
	To        []Share           `json:"to"`
	Reason    string            `json:"reason"`
}

// progress of a job: how far, and how many moved, which also says whose turn it is.
type moving struct {
	After int64 `json:"after"`
	Seen  int64 `json:"seen"`
	Moved int64 `json:"moved"`
}

// RegisterJobs sets the handlers of this package's jobs. Call it while wiring.
func (s *Service) RegisterJobs() {
	s.Jobs.Register(jobReassign, s.runReassign)
	s.Jobs.Register(jobUndo, s.runUndo)
}

// Reassign begins to give the selected contacts to others: spread over to by
// weight, or to nobody when it is empty. It runs as a job and can be undone.
func (s *Service) Reassign(ctx context.Context, sel contact.Selection, to []Share, reason string) (Reassignment, error) {
	reason = strings.TrimSpace(reason)
	if len([]rune(reason)) > 200 {
		return Reassignment{}, errInput.On(errs.At("reason", "request.too_long", "limit", 200))
	}
	if len(to) > maxShares {
		return Reassignment{}, errInput.On(errs.At("to", "request.too_big", "limit", maxShares))
	}
	seen := map[string]bool{}
	for i, share := range to {
		if to[i].Weight = max(share.Weight, 1); share.Weight > 1000 {
			return Reassignment{}, errInput.On(errs.At(fmt.Sprintf("to.%d.weight", i), "request.too_big", "limit", 1000))
		}
		ok, err := s.People.Working(ctx, share.User)
		if err != nil {
			return Reassignment{}, err
		}
		if !ok || seen[share.User] {
			return Reassignment{}, errInput.On(errs.At(fmt.Sprintf("to.%d.user", i), "contact.no_such_user"))
		}
		seen[share.User] = true
	}
	by := principal(ctx)
	out := Reassignment{ID: s.IDs.New("ra"), Reason: veil.Text(reason), By: contact.Ref{ID: by.ID, Name: by.Name}, CreatedAt: s.Clock.Now()}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobReassign, Title: s.title(ctx, to), Unit: "contacts", Link: "/contacts", Params: reassignParams{out.ID, sel, to, out.Reason}})
		if err != nil {
			return err
		}
		out.Job, out.State = job.ID, job.State
		_, err = s.DB.Exec(ctx, "insert into reassignments (id, job, undo_job, reason, moved, undone, by_id, by_name, created_at) values ($1,$2,'',$3,0,0,$4,$5,$6)",
			out.ID, job.ID, out.Reason, by.ID, by.Name, out.CreatedAt.UnixMilli())
		if err != nil {
			return fmt.Errorf("write reassignment: %w", err)
		}
		return s.Audit.Record(ctx, "owners.reassign_started", audit.Object{Type: "reassignment", ID: out.ID}, map[string]any{"to": to, "reason": reason})
	})
	return out, err
}

// title names who gets them.
func (s *Service) title(ctx context.Context, to []Share) string {
	if len(to) == 0 {
		return "→ —"
	}
	ids := make([]string, 0, 3)
	for _, t := range to[:min(3, len(to))] {
		ids = append(ids, t.User)
	}
	names := s.People.Names(ctx, ids)
	for i, id := range ids {
		ids[i] = names[id]
	}
	if len(to) > 3 {
		ids = append(ids, "…")
	}
	return "→ " + strings.Join(ids, ", ")
}

// turn says who gets the n-th contact moved: over each round of all weights
// everybody gets as many as their weight.
func turn(to []Share, n int64) string {
	total := int64(0)
	for _, t := range to {
		total += int64(t.Weight)
	}
	if total == 0 {
		return ""
	}
	n %= total
	for _, t := range to {
		if n -= int64(t.Weight); n < 0 {
			return t.User
		}
	}
	return ""
}

func (s *Service) runReassign(ctx context.Context, run jobs.Run) error {
	var p reassignParams
	if err := run.Params(&p); err != nil {
		return err
	}
	var at moving
	if _, err := run.LastCheckpoint(&at); err != nil {
		return err
	}
	total, err := s.Selector.Count(ctx, p.Selection) // as it is now: those moved may not match any more
	if err != nil {
		return err
	}
	total += at.Seen
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		nums, err := s.Selector.Walk(ctx, p.Selection, at.After, moveBatch)
		if err != nil {
			return err
		}
		if len(nums) == 0 {
			return run.Result(map[string]int64{"moved": at.Moved, "seen": at.Seen})
		}
		next := at
		err = s.DB.Tx(ctx, func(ctx context.Context) error {
			next = at
			owners, err := s.Selector.Owners(ctx, nums)
			if err != nil {
				return err
			}
			var moves []contact.OwnerMove
			for _, n := range nums {
				if from, ok := owners[n]; ok {
					to := turn(p.To, next.Moved+int64(len(moves)))
					if from != to {
						moves = append(moves, contact.OwnerMove{Num: n, From: from, To: to})
					}
				}
			}
			done, err := s.Selector.Assign(ctx, moves, contact.OwnerReason{How: contact.OwnedMoved, Why: p.Reason})
			if err != nil {
				return err
			}
			for _, m := range done {
				if _, err := s.DB.Exec(ctx, "insert into reassignment_moves (batch, contact, from_id, to_id, undone) values ($1,$2,$3,$4,0) on conflict (batch, contact) do nothing", p.Batch, m.Num, m.From, m.To); err != nil {
					return err
				}
			}
			if _, err := s.DB.Exec(ctx, "update reassignments set moved = moved + $1 where id = $2", len(done), p.Batch); err != nil {
				return err
			}
			next.After, next.Seen, next.Moved = nums[len(nums)-1], at.Seen+int64(len(nums)), at.Moved+int64(len(done))
			return run.Checkpoint(ctx, next)
		})
		if err != nil {
			return fmt.Errorf("reassign: %w", err)
		}
		at = next
		run.Progress(at.Seen, max(total, at.Seen))
	}
}

// Undo begins to give contacts back to whom they had before, where they still
// are with whom this reassignment gave them to.
func (s *Service) Undo(ctx context.Context, id string) (Reassignment, error) {
	r, err := s.Reassignment(ctx, id)
	if err != nil {
		return r, err
	}
	if !r.State.Final() {
		return r, errs.New(errs.Conflict, "owners.still_running")
	}
	job, err := s.Jobs.Get(ctx, r.Job)
	if err != nil {
		return r, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobUndo, Title: job.Title, Unit: "contacts", Link: "/contacts", Key: "owners.undo:" + id, Params: map[string]string{"batch": id}})
		if err != nil {
			return err
		}
		r.UndoJob, r.Undoes, r.State, r.Seen, r.Total = job.ID, true, job.State, 0, r.Moved
		if _, err := s.DB.Exec(ctx, "update reassignments set undo_job = $1 where id = $2", job.ID, id); err != nil {
			return err
		}
		return s.Audit.Record(ctx, "owners.undo_started", audit.Object{Type: "reassignment", ID: id}, nil)
	})
	return r, err
}

// Reassignment reads one, of the caller's own or by whoever sees everybody's customers.
func (s *Service) Reassignment(ctx context.Context, id string) (Reassignment, error) {
	var r Reassignment
	var at int64
	err := s.DB.QueryRow(ctx, "select id, job, undo_job, reason, moved, undone, by_id, by_name, created_at from reassignments where id = $1", id).
		Scan(&r.ID, &r.Job, &r.UndoJob, &r.Reason, &r.Moved, &r.Undone, &r.By.ID, &r.By.Name, &at)
	p := principal(ctx)
	if db.NoRows(err) || err == nil && !p.Scope.All && p.ID != r.By.ID {
		return r, errs.New(errs.NotFound, "owners.no_such_reassignment")
	}
	if err != nil {
		return r, fmt.Errorf("read reassignment: %w", err)
	}
	r.CreatedAt = clock.FromMs(at)
	return r, s.goes(ctx, &r)
}

// goes tells how the work of a reassignment goes. A job of long ago may be swept.
func (s *Service) goes(ctx context.Context, r *Reassignment) error {
	last := r.Job
	if r.UndoJob != "" {
		last, r.Undoes = r.UndoJob, true
	}
	job, err := s.Jobs.Get(ctx, last)
	if err != nil && errs.As(err).Kind == errs.NotFound {
		r.State = jobs.Succeeded
		return nil
	}
	if err != nil {
		return err
	}
	r.State, r.Seen, r.Total = job.State, job.Done, job.Total
	return nil
}

func (s *Service) runUndo(ctx context.Context, run jobs.Run) error {
	var p struct{ Batch string }
	if err := run.Params(&p); err != nil {
		return err
	}
	r, err := s.Reassignment(ctx, p.Batch)
	if err != nil {
		return err
	}
	var back int64
	for seen := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, err := s.DB.Query(ctx, "select contact, from_id, to_id from reassignment_moves where batch = $1 and undone = 0 order by contact limit $2", p.Batch, moveBatch)
		moves, err := db.Collect(rows, err, func(r *sql.Rows) (m contact.OwnerMove, err error) { return m, r.Scan(&m.Num, &m.To, &m.From) })
		if err != nil {
			return fmt.Errorf("read moves: %w", err)
		}
		if len(moves) == 0 {
			return run.Result(map[string]int64{"moved": back})
		}
		err = s.DB.Tx(ctx, func(ctx context.Context) error {
			done, err := s.Selector.Assign(ctx, moves, contact.OwnerReason{How: contact.OwnedUndone, Why: r.Reason})
			if err != nil {
				return err
			}
			back += int64(len(done))
			if _, err := s.DB.Exec(ctx, "update reassignment_moves set undone = 1 where batch = $1 and undone = 0 and contact <= $2", p.Batch, moves[len(moves)-1].Num); err != nil {
				return err
			}
			_, err = s.DB.Exec(ctx, "update reassignments set undone = undone + $1 where id = $2", len(done), p.Batch)
			return err
		})
		if err != nil {
			return fmt.Errorf("undo reassignment: %w", err)
		}
		seen += int64(len(moves))
		run.Progress(seen, max(r.Moved, seen))
	}
}

package match

import (
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

type mergeParams struct {
	MinScore int `json:"minScore"`
}

// Merging is what a bulk merge did.
type Merging struct {
	Merged  int64 `json:"merged"`
	Refused int64 `json:"refused" doc:"Pairs that must not be merged, or were decided meanwhile"`
}

// MergeAll merges every open pair with a score or more, as a job. expected is
// the count that the caller was shown: when it is another now, nothing is begun.
func (s *Service) MergeAll(ctx context.Context, minScore int, expected int64) (jobs.Job, error) {
	if minScore < keepFrom || minScore > 99 {
		return jobs.Job{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("minScore", "match.bad_score", "min", keepFrom, "max", 99))
	}
	var job jobs.Job
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.Count(ctx, Query{MinScore: minScore})
		if err != nil {
			return err
		}
		if n != expected {
			return errs.New(errs.Conflict, "match.count_changed", "count", n)
		}
		job, err = s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobMerge, Title: fmt.Sprintf("%s ≥ %d", title(ctx), minScore), Unit: "pairs", Params: mergeParams{minScore}, Link: "/matches?state=merged", Key: jobMerge})
		if err != nil {
			return err
		}
		return s.record(ctx, "match.bulk_merge_started", audit.Object{Type: "match", ID: job.ID}, map[string]any{"minScore": minScore, "count": n})
	})
	return job, err
}

func (s *Service) mergeJob(ctx context.Context, run jobs.Run) error {
	var p mergeParams
	if err := run.Params(&p); err != nil {
		return err
	}
	total, err := s.Count(ctx, Query{MinScore: p.MinScore})
	if err != nil {
		return err
	}
	var done Merging
	if _, err := run.LastCheckpoint(&done); err != nil {
		return err
	}
	total += done.Merged
	var cur cursor
	for {
		rows, err := s.rows(ctx, Query{MinScore: p.MinScore, Limit: 99}, cur)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return run.Result(done)
		}
		cur = rows[len(rows)-1].cursor(Open)
		for _, x := range rows {
			if err := ctx.Err(); err != nil {
				return err
			}
			// each merge by itself: one that is refused, or a stop, leaves the others done
			after := done
			after.Merged++
			err := s.DB.Tx(ctx, func(ctx context.Context) error {
				if err := s.merge(ctx, x.id, "", false); err != nil {
					return err
				}
				return run.Checkpoint(ctx, after)
			})
			if e := errs.As(err); e != nil && e.Kind == errs.Internal {
				return err
			} else if e != nil {
				done.Refused++
			} else {
				done = after
			}
			run.Progress(done.Merged+done.Refused, total)
		}
	}
}

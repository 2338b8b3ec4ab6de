package community

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/jobs"
)

const jobSync = "groups.sync"

type syncInput struct {
	Account string `json:"account"`
}

// syncState is where a sync stands: Page is what is being read, After the last one
// of it that is done, Cursor where the next page begins.
type syncState struct {
	Mark   int64    `json:"mark"`
	Page   []Listed `json:"page"`
	Cursor string   `json:"cursor"`
	Listed bool     `json:"listed"` // the last page
	Done   int64    `json:"done"`
	Total  int64    `json:"total"`
}

// Sync starts a reading of all groups of an account; one that runs already is given
// instead.
func (s *Service) Sync(ctx context.Context, account string) (jobs.Job, error) {
	accounts, err := s.Platform.Accounts(ctx)
	if err != nil {
		return jobs.Job{}, err
	}
	i := slices.IndexFunc(accounts, func(a Account) bool { return a.ID == account })
	if i < 0 {
		return jobs.Job{}, errNoAccount
	}
	var job jobs.Job
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if job, err = s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobSync, Title: accounts[i].Name, Unit: "groups", Params: syncInput{account}, Link: "/groups?account=" + account, Key: jobSync + ":" + account}); err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "insert into community_accounts (account, synced_at, job) values ($1, 0, $2) on conflict (account) do update set job = excluded.job", account, job.ID); err != nil {
			return fmt.Errorf("note sync: %w", err)
		}
		return s.record(ctx, "group.sync_started", account, accounts[i].Name, nil)
	})
	return job, err
}

// sync is the job. It goes on where it stopped.
func (s *Service) sync(ctx context.Context, run jobs.Run) error {
	var in syncInput
	if err := run.Params(&in); err != nil {
		return err
	}
	var st syncState
	if _, err := run.LastCheckpoint(&st); err != nil {
		return err
	}
	if st.Mark == 0 {
		st.Mark = clock.Ms(s.Clock.Now())
	}
	for !st.Listed || len(st.Page) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.step(ctx, in.Account, &st); err != nil {
			until, ok := s.Platform.Later(err)
			if !ok {
				return err
			}
			if err := s.sleep(ctx, until); err != nil {
				return err
			}
			continue
		}
		run.Progress(st.Done, st.Total)
		if err := run.Checkpoint(ctx, st); err != nil {
			return err
		}
	}
	if err := s.missing(ctx, in.Account, st.Mark); err != nil {
		return err
	}
	if _, err := s.DB.Exec(ctx, "insert into community_accounts (account, synced_at, job) values ($1, $2, '') on conflict (account) do update set synced_at = excluded.synced_at", in.Account, clock.Ms(s.Clock.Now())); err != nil {
		return fmt.Errorf("note sync: %w", err)
	}
	if s.Recheck != nil {
		s.Recheck()
	}
	return run.Result(map[string]any{"groups": st.Done})
}

// step reads the next page of the list, or the next group of the page.
func (s *Service) step(ctx context.Context, account string, st *syncState) error {
	if len(st.Page) == 0 {
		page, next, err := s.Platform.Groups(ctx, account, st.Cursor)
		if err != nil {
			return err
		}
		st.Page, st.Cursor, st.Listed = page, next, next == "" || next == st.Cursor
		st.Total += int64(len(page))
		return nil
	}
	one := st.Page[0]
	g, err := s.Platform.Group(ctx, account, one.ID)
	switch {
	case err != nil && s.Platform.Gone(err):
		err = s.end(ctx, account, one.ID, s.Clock.Now())
	case err == nil:
		err = s.take(ctx, account, g, Told{}, st.Mark, &one.OwnerLeft)
	}
	if err != nil {
		return err
	}
	st.Page, st.Done = st.Page[1:], st.Done+1
	return nil
}

// missing ends the groups that the platform does not list any more. One that a
// callback told of while the sync ran is left alone.
func (s *Service) missing(ctx context.Context, account string, mark int64) error {
	rows, err := s.DB.Query(ctx, "select id from community_groups where account = $1 and state = 'open' and seen < $2 and read_at < $2 order by id", account, mark)
	list, err := texts(rows, err)
	if err != nil {
		return fmt.Errorf("look for groups that are gone: %w", err)
	}
	for _, id := range list {
		if err := s.end(ctx, account, id, s.Clock.Now()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) sleep(ctx context.Context, until time.Time) error {
	t := time.NewTimer(min(max(until.Sub(s.Clock.Now()), 100*time.Millisecond), time.Hour))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

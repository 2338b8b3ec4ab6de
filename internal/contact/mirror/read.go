package mirror

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/jobs"
)

const jobRead = "tags.mirror"

type readInput struct {
	Account string `json:"account"`
}

// readState is where a reading stands: Due is who had asked for it when it began,
// Group the colleagues who are being read, Cursor where, After the last one done.
type readState struct {
	Begun   bool     `json:"begun"`
	Due     int64    `json:"due"`
	Serving []string `json:"serving"`
	Group   []string `json:"group"`
	Cursor  string   `json:"cursor"`
	After   int      `json:"after"`
	Found   int64    `json:"found"`
	Came    int64    `json:"came"`
}

// groupSize is how many colleagues one call asks for.
const groupSize = 50

// read is the job: it reads the tags of everybody there and compares each with ours,
// so that what no callback told is found, and what changed here without a word is
// sent. It goes on where it stopped.
func (s *Service) read(ctx context.Context, run jobs.Run) error {
	var in readInput
	if err := run.Params(&in); err != nil {
		return err
	}
	var st readState
	if _, err := run.LastCheckpoint(&st); err != nil {
		return err
	}
	if !st.Begun {
		if err := s.DB.QueryRow(ctx, "select read_due from mirror_accounts where account = $1", in.Account).Scan(&st.Due); err != nil {
			return fmt.Errorf("read account: %w", err)
		}
		list, err := s.Platform.Serving(ctx, in.Account)
		if err != nil {
			return err
		}
		st.Begun, st.Serving = true, list
		slices.Sort(st.Serving)
	}
	for st.After < len(st.Serving) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(st.Group) == 0 {
			st.Group, st.Cursor = st.Serving[st.After:min(st.After+groupSize, len(st.Serving))], ""
		}
		asked := clock.Ms(s.Clock.Now())
		page, next, err := s.Platform.Friends(ctx, in.Account, st.Group, st.Cursor)
		if err != nil {
			if until := s.Platform.Means(err).Until; !until.IsZero() {
				if err := s.sleep(ctx, until); err != nil {
					return err
				}
				continue
			}
			return err
		}
		came, err := s.found(ctx, in.Account, page, asked)
		if err != nil {
			return err
		}
		st.Found, st.Came, st.Cursor = st.Found+int64(len(page)), st.Came+came, next
		if next == "" {
			st.After += len(st.Group)
			st.Group = nil
		}
		run.Progress(int64(st.After), int64(len(st.Serving)))
		if err := run.Checkpoint(ctx, st); err != nil {
			return err
		}
	}
	_, err := s.DB.Exec(ctx, "update mirror_accounts set read_at = $2, read_due = case when read_due = $3 then 0 else read_due end where account = $1", in.Account, clock.Ms(s.Clock.Now()), st.Due)
	if err != nil {
		return fmt.Errorf("note the reading: %w", err)
	}
	s.nudge()
	return run.Result(map[string]any{"found": st.Found, "came": st.Came})
}

// found takes in a page of friendships. Those that nobody told of yet are kept, when
// the customer is somebody here.
func (s *Service) found(ctx context.Context, account string, page []Found, asked int64) (came int64, err error) {
	customers, staff := make([]string, len(page)), make([]string, len(page))
	for i, f := range page {
		customers[i], staff[i] = f.Customer, f.Staff
	}
	slices.Sort(staff)
	names := s.Platform.Names(ctx, account, slices.Compact(staff))
	err = s.tx(ctx, "take in tags", func(ctx context.Context) error {
		came = 0
		b, err := s.book(ctx, account)
		if err != nil {
			return err
		}
		rows, err := s.rows(ctx, account, customers)
		if err != nil {
			return err
		}
		who, err := s.Contacts.HoldersOf(ctx, contact.KindExternalUserID, customers)
		if err != nil {
			return err
		}
		for _, f := range page {
			k := key{account, f.Staff, f.Customer}
			r := rows[k]
			if r == nil {
				if who[f.Customer] == 0 {
					continue // its facts are on the way
				}
				r = &row{key: k}
				r.stands(who[f.Customer], 1)
				rows[k] = r
			}
			n, err := s.observe(ctx, r, b, f.Tags, asked, names)
			if err != nil {
				return err
			}
			came += int64(n)
			r.more = max(r.more, 1) // and compare it with ours, whatever was found
		}
		return s.write(ctx, rows)
	})
	return came, err
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

// Sync asks for a look at the tags and at everybody's, now.
func (s *Service) Sync(ctx context.Context, account string) (Status, error) {
	if err := s.check(ctx, account); err != nil {
		return Status{}, err
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.begin(ctx, account); err != nil {
			return err
		}
		if err := s.wantList(ctx, account); err != nil {
			return err
		}
		if err := s.wantRead(ctx, account); err != nil {
			return err
		}
		return s.record(ctx, "tag_mirror.synced", account, nil)
	})
	if err != nil {
		return Status{}, err
	}
	s.pause(account, time.Time{})
	s.nudge()
	return s.Status(ctx, account)
}

// Retry has everything sent again that failed.
func (s *Service) Retry(ctx context.Context, account string) (Status, error) {
	if err := s.check(ctx, account); err != nil {
		return Status{}, err
	}
	err := s.tx(ctx, "try again", func(ctx context.Context) error {
		_, err := s.DB.Exec(ctx, "update mirror_friends set tries = 0, try_at = 0, due = due + 1 where account = $1 and fault <> ''", account)
		return err
	})
	if err != nil {
		return Status{}, err
	}
	s.pause(account, time.Time{})
	s.nudge()
	return s.Status(ctx, account)
}

package staff

import (
	"context"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
)

// nightHour is the hour of the company's clock at which directories and friendships
// are read anew: after the search for possible duplicates, before anybody works.
const nightHour = 4

// syncDue begins the syncs that nobody has to ask for: the first one of an account,
// and one each night. On several nodes one begins it.
func (s *Service) syncDue(ctx context.Context) error {
	if s.Hold != nil && s.Hold() {
		return nil
	}
	accounts, err := s.Platform.Accounts(ctx)
	if err != nil {
		return err
	}
	zone := time.UTC
	if s.Zone != nil {
		zone = s.Zone(ctx)
	}
	now := s.Clock.Now().In(zone)
	today := now.Format(time.DateOnly)
	for _, a := range accounts {
		if a.Paused {
			continue // it calls nobody; when it goes on, the next night is not far
		}
		begin := func(ctx context.Context) error {
			// The first one counts as the night's: whoever connects an account at four
			// in the morning is not read twice.
			n, err := s.DB.ExecN(ctx, "insert into staff_accounts (account, synced_at, job, fault, night) values ($1, 0, '', '', $2) on conflict (account) do nothing", a.ID, today)
			if err != nil {
				return fmt.Errorf("note sync: %w", err)
			}
			if n == 0 && now.Hour() == nightHour {
				if n, err = s.DB.ExecN(ctx, "update staff_accounts set night = $2 where account = $1 and night < $2", a.ID, today); err != nil {
					return fmt.Errorf("note sync: %w", err)
				}
			}
			if n == 0 {
				return nil
			}
			_, err = s.Sync(ctx, SyncInput{Account: a.ID})
			return err
		}
		if err := s.DB.Tx(auth.With(ctx, auth.System("koipond")), begin); err != nil {
			return err
		}
	}
	return nil
}

// Look has the service look at once whether a sync is due: an account was added.
func (s *Service) Look() { s.nudge() }

// Serving lists the colleagues of an account who may have customers. A directory
// that was never read is read first, without the friendships.
func (s *Service) Serving(ctx context.Context, account string) ([]CorpMember, error) {
	var known int64
	if err := s.DB.QueryRow(ctx, "select count(*) from staff_members where account = $1 and seen > 0", account).Scan(&known); err != nil {
		return nil, fmt.Errorf("look for colleagues: %w", err)
	}
	if known == 0 {
		deps, all, serves, err := s.readDirectory(ctx, account, func(int, int) {})
		if err != nil {
			return nil, err
		}
		if err := s.keepDirectory(ctx, account, deps, all, serves, s.Clock.Now().UnixMilli()); err != nil {
			return nil, err
		}
	}
	list, err := s.Colleagues(ctx, account)
	if err != nil {
		return nil, err
	}
	out := list[:0]
	for _, c := range list {
		if c.Serves {
			out = append(out, c)
		}
	}
	return out, nil
}

// tables are all that is kept of an account, in the order it is deleted.
var tables = []string{"staff_groups", "staff_handovers", "staff_friends", "staff_members", "staff_departments", "staff_accounts"}

// ForgetAccount deletes what is kept of an account. Contacts and their timelines
// stay: they are the company's, whichever account they came by.
func (s *Service) ForgetAccount(ctx context.Context, account string) error {
	for _, table := range []string{"staff_handed", "staff_handed_groups"} {
		if _, err := s.DB.Exec(ctx, "delete from "+table+" where handover in (select id from staff_handovers where account = $1)", account); err != nil {
			return fmt.Errorf("forget hand-overs: %w", err)
		}
	}
	for _, table := range tables {
		if _, err := s.DB.Exec(ctx, "delete from "+table+" where account = $1", account); err != nil {
			return fmt.Errorf("empty %s: %w", table, err)
		}
	}
	return nil
}

// OfAccount counts what is kept of an account.
func (s *Service) OfAccount(ctx context.Context, account string) (members, friends, handovers int64, err error) {
	for _, q := range []struct {
		table string
		n     *int64
	}{{"staff_members", &members}, {"staff_friends", &friends}, {"staff_handovers", &handovers}} {
		if err = s.DB.QueryRow(ctx, "select count(*) from "+q.table+" where account = $1", account).Scan(q.n); err != nil {
			return 0, 0, 0, fmt.Errorf("count %s: %w", q.table, err)
		}
	}
	return members, friends, handovers, nil
}

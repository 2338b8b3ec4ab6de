package care

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/db"
)

const (
	remindBatch = 200
	// morning is the hour at which days are announced.
	morning = 9
)

// dayOf is when the company's day of a moment begins and ends.
func (s *Service) dayOf(ctx context.Context, at time.Time) (from, to time.Time) {
	local := at.In(s.Zone(ctx))
	from = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location())
	return from, from.AddDate(0, 0, 1)
}

// Remind gives every reminder that is due and not given yet, then the digests
// of the morning. It may run in several processes at once and be cut off anywhere.
func (s *Service) Remind(ctx context.Context) error {
	now := s.Clock.Now().UnixMilli()
	for {
		rows, err := s.DB.Query(ctx, "select id, contact, assignee, due_at from follow_ups where state = 'open' and reminded_at = 0 and remind_at <= $1 order by remind_at limit $2", now, remindBatch)
		type due struct {
			id, assignee string
			contact, at  int64
		}
		all, err := db.Collect(rows, err, func(r *sql.Rows) (d due, err error) { return d, r.Scan(&d.id, &d.contact, &d.assignee, &d.at) })
		if err != nil {
			return fmt.Errorf("find reminders: %w", err)
		}
		for _, d := range all {
			err := s.DB.Tx(ctx, func(ctx context.Context) error {
				n, err := s.DB.ExecN(ctx, "update follow_ups set reminded_at = $1 where id = $2 and reminded_at = 0 and state = 'open' and due_at = $3 and assignee = $4", now, d.id, d.at, d.assignee)
				if err != nil || n == 0 { // another node was faster, or it was moved meanwhile
					return err
				}
				return s.notify(ctx, notice{user: d.assignee, key: fmt.Sprintf("due:%s:%d", d.id, d.at), kind: "followup.due", ref: d.id, contact: d.contact})
			})
			if err != nil {
				return fmt.Errorf("give reminder: %w", err)
			}
		}
		if len(all) < remindBatch {
			if err := s.digest(ctx); err != nil {
				return err
			}
			if err := s.watch(ctx); err != nil {
				return err
			}
			return s.sweep(ctx)
		}
	}
}

// digest tells everybody in the morning how many follow-ups are due.
func (s *Service) digest(ctx context.Context) error {
	now := s.Clock.Now()
	from, to := s.dayOf(ctx, now)
	day := from.Format(time.DateOnly)
	if s.digested == day || now.Before(from.Add(morning*time.Hour)) {
		return nil
	}
	rows, err := s.DB.Query(ctx, "select assignee, count(*) from follow_ups where state = 'open' and due_at < $1 group by assignee order by assignee", to.UnixMilli())
	all, err := db.Collect(rows, err, func(r *sql.Rows) (n notice, err error) { return n, r.Scan(&n.user, &n.count) })
	if err != nil {
		return fmt.Errorf("count what is due: %w", err)
	}
	for _, n := range all {
		n.key, n.kind = "digest:"+day, "followup.digest"
		if err := s.notify(ctx, n); err != nil {
			return err
		}
	}
	s.digested = day
	return nil
}

type notice struct {
	user, key, kind, ref string
	contact, count       int64
}

// Tell tells a user something of a contact, once for each key: for packages that
// know of something worth telling.
func (s *Service) Tell(ctx context.Context, user, key, kind, ref string, contact int64) error {
	return s.notify(ctx, notice{user: user, key: key, kind: kind, ref: ref, contact: contact})
}

// notify tells a user something, once for each key.
func (s *Service) notify(ctx context.Context, n notice) error {
	_, err := s.DB.Exec(ctx, `insert into notifications (id, user_id, key, kind, ref, contact, count, created_at, read_at) values ($1,$2,$3,$4,$5,$6,$7,$8,0)
		on conflict (user_id, key) do nothing`, s.IDs.New("no"), n.user, n.key, n.kind, n.ref, n.contact, n.count, s.Clock.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("write notification: %w", err)
	}
	return nil
}

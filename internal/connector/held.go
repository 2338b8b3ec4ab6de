package connector

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Bounds of what is kept for a paused account: the number is looked at as often as
// the inbox is swept, and may be passed by what comes between.
const (
	heldMost = 50_000
	heldFor  = 30 * 24 * time.Hour
	// droppedShown is how long the account says that some were let go.
	droppedShown = 14 * 24 * time.Hour
)

// letGo lets the oldest callbacks of paused accounts go that are beyond the bounds,
// and counts them: the account says so, and how to catch up.
func (s *Service) letGo(ctx context.Context, most int64) error {
	now := s.Clock.Now()
	type heap struct {
		account string
		n, old  int64
	}
	rows, err := s.DB.Query(ctx, "select account, count(*), sum(case when at < $1 then 1 else 0 end) from connector_inbox where state = 'held' group by account", clock.Ms(now.Add(-heldFor)))
	list, err := db.Collect(rows, err, func(r *sql.Rows) (h heap, err error) { return h, r.Scan(&h.account, &h.n, &h.old) })
	if err != nil {
		return fmt.Errorf("count held callbacks: %w", err)
	}
	for _, h := range list {
		for left := max(h.n-most, h.old); left > 0; {
			part := min(left, 1000)
			var gone int64
			err := s.DB.Tx(ctx, func(ctx context.Context) error {
				if gone, err = s.DB.ExecN(ctx, fmt.Sprintf("delete from connector_inbox where n in (select n from connector_inbox where account = $1 and state = 'held' order by n limit %d)", part), h.account); err != nil {
					return err
				}
				_, err := s.DB.Exec(ctx, `insert into connector_dropped (account, n, first_at, last_at) values ($1, $2, $3, $3) on conflict (account) do update set
					n = connector_dropped.n + excluded.n, last_at = excluded.last_at`, h.account, gone, clock.Ms(now))
				return err
			})
			if err != nil {
				return fmt.Errorf("let held callbacks go: %w", err)
			}
			s.Log.WarnContext(ctx, "callbacks of a paused account were let go", "account", h.account, "count", gone)
			if gone < part {
				break
			}
			left -= part
		}
	}
	if _, err := s.DB.Exec(ctx, "delete from connector_dropped where last_at < $1", clock.Ms(now.Add(-droppedShown))); err != nil {
		return fmt.Errorf("forget what was let go: %w", err)
	}
	return nil
}

// dropped reads how many callbacks were let go, by account.
func (s *Service) dropped(ctx context.Context, out map[string]Counts) error {
	rows, err := s.DB.Query(ctx, "select account, n, first_at from connector_dropped")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var id string
		var n, at int64
		err = r.Scan(&id, &n, &at)
		c := out[id]
		c.Dropped, c.droppedAt = n, clock.FromMs(at)
		out[id] = c
		return x, err
	})
	if err != nil {
		return fmt.Errorf("read what was let go: %w", err)
	}
	return nil
}

// kept says what a pause heaps up, before some of it is lost and after.
func (s *Service) kept(c Counts) (f Finding, say bool) {
	f = Finding{Check: "connector.check.held", Params: map[string]any{"held": c.Held, "most": heldMost, "days": int(heldFor.Hours() / 24), "dropped": c.Dropped, "at": c.droppedAt.In(china).Format("2006-01-02 15:04")}}
	switch {
	case c.Dropped > 0:
		f.State, f.Code, f.Mend = Fail, "connector.held_dropped", "connector.mend_dropped"
	case c.Held > heldMost*8/10:
		f.State, f.Code, f.Mend = Fail, "connector.held_full", "connector.mend_held"
	case c.Held > 0:
		f.State, f.Code, f.Mend = Warn, "connector.held", "connector.mend_held"
	default:
		return f, false
	}
	return f, true
}

package care

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// StaleSettings say when a contact counts as left alone by its owner.
type StaleSettings struct {
	Enabled bool `json:"enabled" doc:"Whether owners and leads are told"`
	Days    int  `json:"days" minimum:"1" maximum:"365" doc:"After so many days without a note, a follow-up, a call or a message by the owner"`
}

const (
	staleSettings = "stale.settings"
	staleMark     = "stale.mark"
	staleDay      = "stale.day"
)

// StaleSettings reads them.
func (s *Service) StaleSettings(ctx context.Context) (v StaleSettings, err error) {
	return v, s.kept(ctx, staleSettings, &v)
}

// SetStaleSettings changes them. What was told of is not told of again.
func (s *Service) SetStaleSettings(ctx context.Context, v StaleSettings) (StaleSettings, error) {
	switch {
	case v.Days < 1:
		return v, errInput.On(errs.At("days", "request.too_small", "limit", 1))
	case v.Days > 365:
		return v, errInput.On(errs.At("days", "request.too_big", "limit", 365))
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.keep(ctx, staleSettings, v); err != nil {
			return err
		}
		return s.Audit.Record(ctx, "owners.watch_changed", audit.Object{Type: "settings", ID: "owners.watch"}, map[string]any{"enabled": v.Enabled, "days": v.Days})
	})
	return v, err
}

func (s *Service) kept(ctx context.Context, name string, into any) error {
	var text string
	err := s.DB.QueryRow(ctx, "select value from care_state where name = $1", name).Scan(&text)
	if err == nil {
		err = json.Unmarshal([]byte(text), into)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

func (s *Service) keep(ctx context.Context, name string, v any) error {
	text, err := json.Marshal(v)
	if err == nil {
		_, err = s.DB.Exec(ctx, "update care_state set value = $1 where name = $2", string(text), name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// watch tells owners and their leads each morning of the contacts that came to
// be left alone, and leads of those whose owner has left. A contact comes to be
// left alone when the day so many days ago passes the moment its owner was last
// in touch: of each moment that is told once, since the day told of only moves on.
func (s *Service) watch(ctx context.Context) error {
	now := s.Clock.Now()
	from, _ := s.dayOf(ctx, now)
	day := from.Format(time.DateOnly)
	if s.watched == day || now.Before(from.Add(morning*time.Hour)) {
		return nil
	}
	set, err := s.StaleSettings(ctx)
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		text, err := json.Marshal(day)
		if err != nil {
			return err
		}
		n, err := s.DB.ExecN(ctx, "update care_state set value = $1 where name = $2 and value <> $1", string(text), staleDay)
		if err != nil || n == 0 || !set.Enabled { // another node was faster, or it was done before a restart
			return err
		}
		gone, err := s.People.Left(ctx)
		if err != nil {
			return err
		}
		if err := s.tellStale(ctx, from.AddDate(0, 0, 1-set.Days), day, gone); err != nil { // as the list's olderThan counts days
			return err
		}
		return s.tellLeft(ctx, gone)
	})
	if err != nil {
		return fmt.Errorf("watch over owners: %w", err)
	}
	s.watched = day
	return nil
}

func (s *Service) tellStale(ctx context.Context, to time.Time, day string, gone []string) error {
	var mark int64
	if err := s.kept(ctx, staleMark, &mark); err != nil || to.UnixMilli() <= mark {
		return err
	}
	counts, err := s.Contacts.LeftAlone(ctx, time.UnixMilli(mark), to)
	if err != nil {
		return err
	}
	teams := map[string]int64{}
	for owner, n := range counts {
		if slices.Contains(gone, owner) { // told of by tellLeft
			continue
		}
		if err := s.notify(ctx, notice{user: owner, key: "stale:" + day, kind: "owner.stale", count: n}); err != nil {
			return err
		}
		leads, err := s.People.Leads(ctx, owner)
		if err != nil {
			return err
		}
		for _, lead := range leads {
			teams[lead] += n
		}
	}
	for lead, n := range teams {
		if err := s.notify(ctx, notice{user: lead, key: "stale-team:" + day, kind: "owner.stale_team", count: n}); err != nil {
			return err
		}
	}
	return s.keep(ctx, staleMark, to.UnixMilli())
}

// tellLeft tells of each user who has left and still owns contacts, once for
// each time they leave: their leads or, where nobody leads, the administrators.
func (s *Service) tellLeft(ctx context.Context, gone []string) error {
	counts, err := s.Contacts.OwnedCounts(ctx, gone)
	if err != nil {
		return err
	}
	rows, err := s.DB.Query(ctx, "select user_id from care_left_owners")
	told, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return fmt.Errorf("read who was told of: %w", err)
	}
	for _, user := range told {
		if counts[user] == 0 { // all were handed over, or they are back
			if _, err := s.DB.Exec(ctx, "delete from care_left_owners where user_id = $1", user); err != nil {
				return err
			}
		}
	}
	now := s.Clock.Now().UnixMilli()
	for user, n := range counts {
		if slices.Contains(told, user) {
			continue
		}
		if _, err := s.DB.Exec(ctx, "insert into care_left_owners (user_id, told_at) values ($1, $2)", user, now); err != nil {
			return err
		}
		leads, err := s.People.Leads(ctx, user)
		if err == nil && len(leads) == 0 {
			leads, err = s.People.Admins(ctx)
		}
		if err != nil {
			return err
		}
		for _, lead := range leads {
			if err := s.notify(ctx, notice{user: lead, key: fmt.Sprintf("left:%s:%d", user, now), kind: "owner.left", ref: user, count: n}); err != nil {
				return err
			}
		}
	}
	return nil
}

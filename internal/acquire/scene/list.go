package scene

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Figures are what came of scans in some days. Left counts followers of these codes who
// left in that time, whenever they had come.
type Figures struct {
	Scans   int64 `json:"scans"`
	People  int64 `json:"people" doc:"Different people, by the platform's id"`
	Follows int64 `json:"follows" doc:"Scans that made a follower"`
	Left    int64 `json:"left" doc:"Followers by this code who left in this time"`
}

// Row is a code with how it does.
type Row struct {
	ID   string `json:"id"`
	Kind string `json:"kind" enum:"official,mini" doc:"Of an official account, or of a mini-program"`
	Definition
	State     string    `json:"state" enum:"active,archived"`
	Over      bool      `json:"over" doc:"It does not work any more"`
	Until     time.Time `json:"until,omitzero"`
	Ready     bool      `json:"ready" doc:"The platform has made it"`
	Scannable string    `json:"scannable,omitempty" doc:"What the picture says; that of a mini-program's code only WeChat reads"`
	Fault     string    `json:"fault,omitempty"`
	Words     string    `json:"message,omitempty" doc:"The fault in words"`
	Month     *Figures  `json:"month,omitempty" doc:"Of the last 30 days; left out for who sees only some customers"`
	By        string    `json:"by"`
	CreatedAt time.Time `json:"createdAt"`
	ChangedAt time.Time `json:"changedAt"`
}

// Query narrows a list.
type Query struct {
	Account, State, Channel, Q, Kind string
}

// List gives codes, the newest first, beyond one by its id, and how many there are.
func (s *Service) List(ctx context.Context, q Query, after string, limit int) (rows []Row, next string, total int, err error) {
	if err := s.fresh(ctx); err != nil {
		return nil, "", 0, err
	}
	var all []*Code
	word := strings.ToLower(strings.TrimSpace(q.Q))
	state := q.State
	if state == "" {
		state = Active
	}
	for _, c := range s.book.Load().byID {
		if c.State == state && (q.Account == "" || q.Account == c.Account) && (q.Channel == "" || q.Channel == c.Channel) && (q.Kind == "" || q.Kind == c.kind()) &&
			(word == "" || strings.Contains(strings.ToLower(c.Name+" "+c.Place), word)) {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *Code) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	total = len(all)
	if after != "" {
		all = all[slices.IndexFunc(all, func(c *Code) bool { return c.ID == after })+1:]
	}
	if len(all) > limit {
		all = all[:limit]
		next = all[limit-1].ID
	}
	rows, err = s.rows(ctx, all)
	return rows, next, total, err
}

func (s *Service) rows(ctx context.Context, list []*Code) ([]Row, error) {
	now := s.Clock.Now()
	rows := make([]Row, len(list))
	at, ids := map[string]int{}, make([]any, len(list))
	for i, c := range list {
		rows[i] = Row{ID: c.ID, Kind: c.kind(), Definition: c.Definition, State: c.State, Over: c.over(now), Ready: c.ready(), Scannable: c.url, Fault: c.fault, By: c.By, CreatedAt: c.CreatedAt, ChangedAt: c.ChangedAt}
		if c.until > 0 {
			rows[i].Until = clock.FromMs(c.until)
		}
		if c.fault != "" {
			var p map[string]any
			_ = json.Unmarshal([]byte(c.params), &p) // words without their parameters are words
			rows[i].Words = httpx.Say(ctx, c.fault, p)
		}
		at[c.ID], ids[i] = i, c.ID
	}
	if !auth.ScopeOf(ctx).All {
		return rows, nil
	}
	for i := range rows {
		rows[i].Month = &Figures{}
	}
	from := clock.DayNumber(clock.DayStart(now.In(s.zone(ctx)), 0, -29))
	for some := range slices.Chunk(ids, 400) {
		in := " from scene_scans where code in (" + db.In(2, len(some)) + ")"
		args := append([]any{from}, some...)
		res, err := s.DB.Query(ctx, "select code, count(*), count(distinct person), coalesce(sum(followed), 0)"+in+" and day >= $1 group by code", args...)
		_, err = db.Collect(res, err, func(r *sql.Rows) (x struct{}, err error) {
			var id string
			var f Figures
			if err = r.Scan(&id, &f.Scans, &f.People, &f.Follows); err == nil {
				*rows[at[id]].Month = f
			}
			return x, err
		})
		if err != nil {
			return nil, fmt.Errorf("count scans: %w", err)
		}
		res, err = s.DB.Query(ctx, "select code, count(*)"+in+" and gone_day >= $1 group by code", args...)
		_, err = db.Collect(res, err, func(r *sql.Rows) (x struct{}, err error) {
			var id string
			var n int64
			if err = r.Scan(&id, &n); err == nil {
				rows[at[id]].Month.Left = n
			}
			return x, err
		})
		if err != nil {
			return nil, fmt.Errorf("count who left: %w", err)
		}
	}
	return rows, nil
}

// Day is figures of one day.
type Day struct {
	Day string `json:"day" doc:"YYYY-MM-DD"`
	Figures
}

// Stats are the books of a code over some days.
type Stats struct {
	From  string  `json:"from"`
	To    string  `json:"to" doc:"Included"`
	Total Figures `json:"total"`
	Days  []Day   `json:"days" doc:"Those on which something was"`
}

const maxSpan = 400 // days of one question

// Stats counts what came of a code from a day to another; without days, the last thirty.
func (s *Service) Stats(ctx context.Context, id, from, to string) (Stats, error) {
	out := Stats{Days: []Day{}}
	if _, err := s.Get(ctx, id); err != nil {
		return out, err
	}
	zone := s.zone(ctx)
	b := clock.DayStart(s.Clock.Now().In(zone), 0, 0)
	var err error
	if to != "" {
		if b, err = time.ParseInLocation(time.DateOnly, to, zone); err != nil {
			return out, bad("to", "rule.needs_date")
		}
	}
	a := clock.DayStart(b, 0, -29)
	if from != "" {
		if a, err = time.ParseInLocation(time.DateOnly, from, zone); err != nil {
			return out, bad("from", "rule.needs_date")
		}
	}
	if a.After(b) || b.Sub(a) > maxSpan*24*time.Hour || a.Year() < 2000 || b.Year() > 2200 {
		return out, bad("from", "livecode.bad_span", "limit", maxSpan)
	}
	out.From, out.To = a.Format(time.DateOnly), b.Format(time.DateOnly)
	args := []any{id, clock.DayNumber(a), clock.DayNumber(b)}
	const scans = " from scene_scans where code = $1 and day >= $2 and day <= $3"
	if err := s.DB.QueryRow(ctx, "select count(*), count(distinct person), coalesce(sum(followed), 0)"+scans, args...).Scan(&out.Total.Scans, &out.Total.People, &out.Total.Follows); err != nil {
		return out, fmt.Errorf("count scans: %w", err)
	}
	days := map[int64]*Figures{}
	rows, err := s.DB.Query(ctx, "select day, count(*), count(distinct person), coalesce(sum(followed), 0)"+scans+" group by day", args...)
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var day int64
		var f Figures
		if err = r.Scan(&day, &f.Scans, &f.People, &f.Follows); err == nil {
			days[day] = &f
		}
		return x, err
	})
	if err != nil {
		return out, fmt.Errorf("count scans by day: %w", err)
	}
	rows, err = s.DB.Query(ctx, "select gone_day, count(*) from scene_scans where code = $1 and gone_day >= $2 and gone_day <= $3 group by gone_day", args...)
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var day, n int64
		if err = r.Scan(&day, &n); err == nil {
			if days[day] == nil {
				days[day] = &Figures{}
			}
			days[day].Left = n
			out.Total.Left += n
		}
		return x, err
	})
	if err != nil {
		return out, fmt.Errorf("count who left by day: %w", err)
	}
	for day, f := range days {
		out.Days = append(out.Days, Day{dateOf(day), *f})
	}
	slices.SortFunc(out.Days, func(a, b Day) int { return strings.Compare(a.Day, b.Day) })
	return out, nil
}

package livecode

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
)

// Row is a code in a list.
type Row struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Account   string    `json:"account"`
	Folder    string    `json:"folder,omitempty"`
	Channel   string    `json:"channel,omitempty"`
	State     string    `json:"state" enum:"active,archived"`
	Expired   bool      `json:"expired,omitempty"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	Members   int       `json:"members" doc:"Colleagues in the pool"`
	OnDuty    int       `json:"onDuty" doc:"Whom a scan can meet just now, as the platform knows it"`
	Why       string    `json:"why,omitempty" enum:"backup,expired,nobody" doc:"Why these are not the pool's own"`
	Ready     bool      `json:"ready" doc:"The platform has made the code: it can be scanned"`
	Fault     string    `json:"fault,omitempty" doc:"What the platform refuses: a code"`
	FaultCode int       `json:"faultCode,omitempty" doc:"The platform's number"`
	Words     string    `json:"message,omitempty" doc:"The fault in words"`
	Today     int64     `json:"today" doc:"Adds today"`
	Left      int64     `json:"leftToday" doc:"Friendships by this code that customers ended today"`
	Total     int64     `json:"total" doc:"Adds ever"`
	By        string    `json:"by"`
	CreatedAt time.Time `json:"createdAt"`
	ChangedAt time.Time `json:"changedAt"`
}

// Query narrows a list.
type Query struct {
	Folder  string // "none": in no folder
	State   string // active, archived, expired, fault; "": active
	Account string
	Channel string
	Staff   string
	Q       string
}

// List gives the codes that the caller may see, the newest first, beyond one by
// its id, and how many there are. Codes are all in memory.
func (s *Service) List(ctx context.Context, q Query, after string, limit int) (rows []Row, next string, total int, err error) {
	if err := s.fresh(ctx); err != nil {
		return nil, "", 0, err
	}
	now := s.now(ctx)
	mine := map[string]whose{}
	var page []*Code
	begun := after == ""
	word := strings.ToLower(strings.TrimSpace(q.Q))
	for _, c := range s.book.all() {
		if _, ok := mine[c.Account]; !ok {
			if mine[c.Account], err = s.whose(ctx, c.Account); err != nil {
				return nil, "", 0, err
			}
		}
		w := mine[c.Account]
		if !w.all && !slices.ContainsFunc(c.named(), func(id string) bool { return slices.Contains(w.ids, id) }) || !q.takes(c, word, now) {
			continue
		}
		total++
		switch {
		case !begun:
			begun = c.ID == after
		case len(page) < limit:
			page = append(page, c)
		case next == "":
			next = page[limit-1].ID
		}
	}
	rows = make([]Row, len(page))
	for i, c := range page {
		rows[i] = c.row(now)
	}
	return rows, next, total, s.addToday(ctx, rows, mine, now)
}

func (q Query) takes(c *Code, word string, now time.Time) bool {
	switch q.State {
	case "", Active:
		if c.State != Active {
			return false
		}
	case Archived:
		if c.State != Archived {
			return false
		}
	case "expired":
		if c.State != Active || !c.Over(now) {
			return false
		}
	case "fault":
		if c.State != Active || c.way.fault == "" && c.way.why != WhyNobody {
			return false
		}
	}
	return (q.Folder == "" || q.Folder == c.Folder || q.Folder == "none" && c.Folder == "") &&
		(q.Account == "" || q.Account == c.Account) && (q.Channel == "" || q.Channel == c.Channel) &&
		(q.Staff == "" || slices.Contains(c.named(), q.Staff)) && (word == "" || strings.Contains(strings.ToLower(c.Name), word))
}

func (c *Code) row(now time.Time) Row {
	r := Row{ID: c.ID, Name: c.Name, Account: c.Account, Folder: c.Folder, Channel: c.Channel, State: c.State, Expired: c.Over(now), Members: len(c.Members), OnDuty: len(c.way.users),
		Why: c.way.why, Ready: c.way.id != "", Fault: c.way.fault, FaultCode: c.way.faultCode, By: c.By, CreatedAt: c.CreatedAt, ChangedAt: c.ChangedAt}
	if c.Expiry != nil {
		r.ExpiresAt = c.Expiry.At
	}
	return r
}

// addToday adds the figures of rows.
func (s *Service) addToday(ctx context.Context, rows []Row, mine map[string]whose, now time.Time) error {
	at := map[string]int{}
	by := map[string][]any{} // ids by account: each has its own colleagues
	for i, r := range rows {
		at[r.ID] = i
		by[r.Account] = append(by[r.Account], r.ID)
	}
	day := clock.DayNumber(now)
	for account, ids := range by {
		for some := range slices.Chunk(ids, 400) {
			args := append([]any{day}, some...)
			cond, args := mine[account].sql(args)
			list := make([]string, len(some))
			for i := range some {
				list[i] = fmt.Sprintf("$%d", i+2)
			}
			res, err := s.DB.Query(ctx, "select code, count(*), coalesce(sum(case when day = $1 then 1 else 0 end), 0), coalesce(sum(case when gone_day = $1 and gone_by = 'customer' then 1 else 0 end), 0) from livecode_adds where code in ("+
				strings.Join(list, ", ")+")"+cond+" group by code", args...)
			if err != nil {
				return fmt.Errorf("count scans: %w", err)
			}
			for res.Next() {
				var id string
				var all, today, left int64
				if err := res.Scan(&id, &all, &today, &left); err != nil {
					_ = res.Close()
					return fmt.Errorf("count scans: %w", err)
				}
				r := &rows[at[id]]
				r.Total, r.Today, r.Left = all, today, left
			}
			if err := res.Close(); err != nil {
				return fmt.Errorf("count scans: %w", err)
			}
		}
	}
	return nil
}

// Duty is one of a code's pool, as things stand.
type Duty struct {
	Staff  string `json:"staff"`
	Name   string `json:"name"`
	Avatar string `json:"avatar,omitempty"`
	On     bool   `json:"on" doc:"A scan can meet them just now"`
	Out    string `json:"out,omitempty" enum:"off,offline,shift,full,turn" doc:"Why not"`
	Today  int64  `json:"today" doc:"Who came to them by this code today"`
	Backup bool   `json:"backup,omitempty"`
}

// Duties says who of a code's colleagues meets scans just now, and why others do not.
func (s *Service) Duties(ctx context.Context, c *Code) ([]Duty, error) {
	staff, err := s.colleagues(ctx, c.Account)
	if err != nil {
		return nil, err
	}
	mine, err := s.whose(ctx, c.Account)
	if err != nil {
		return nil, err
	}
	now := s.now(ctx)
	today, err := s.newcomers(ctx, clock.DayNumber(now))
	if err != nil {
		return nil, err
	}
	choice := c.Choose(Standing{Now: now, Off: func(id string) bool { k, ok := staff.by[id]; return !ok || k.Off }, Today: today[c.ID]})
	out := []Duty{}
	seen := map[string]bool{}
	add := func(id string, backup bool) {
		if seen[id] {
			return
		}
		seen[id] = true
		d := Duty{Staff: id, Name: s.named(c.Account, id), Avatar: staff.by[id].Avatar, On: slices.Contains(choice.Users, id), Out: choice.Out[id], Backup: backup}
		if d.On {
			d.Out = ""
		}
		if mine.all || slices.Contains(mine.ids, id) {
			d.Today = today[c.ID][id]
		}
		out = append(out, d)
	}
	for _, m := range c.Members {
		add(m.Staff, false)
	}
	for _, id := range c.Backups {
		add(id, true)
	}
	if c.Expiry != nil {
		for _, id := range c.Expiry.Staff {
			add(id, true)
		}
	}
	return out, nil
}

// Detail is a code with how things stand.
type Detail struct {
	Row
	Definition Definition `json:"definition"`
	Duties     []Duty     `json:"duties"`
	Waiting    int64      `json:"waiting" doc:"Remarks that are still to be written"`
	Failed     int64      `json:"failed" doc:"Remarks that the platform refused for good"`
	NextTryAt  time.Time  `json:"nextTryAt,omitzero" doc:"When the platform is asked again"`
	UpdatedAt  time.Time  `json:"updatedAt,omitzero" doc:"When the platform last took a change"`
	Scannable  string     `json:"scannable,omitempty" doc:"What the QR code says; left out until the platform has made it"`
	Skips      bool       `json:"skips" doc:"Customers are friends at once just now"`
}

// Detail gives a code whole.
func (s *Service) Detail(ctx context.Context, c *Code) (Detail, error) {
	now := s.now(ctx)
	d := Detail{Row: c.row(now), Definition: c.Definition, Scannable: c.way.text, Skips: c.way.skip}
	if c.way.nextAt > clock.Ms(now) {
		d.NextTryAt = clock.FromMs(c.way.nextAt)
	}
	if c.way.at > 0 {
		d.UpdatedAt = clock.FromMs(c.way.at)
	}
	mine, err := s.whose(ctx, c.Account)
	if err != nil {
		return d, err
	}
	rows := []Row{d.Row}
	if err := s.addToday(ctx, rows, map[string]whose{c.Account: mine}, now); err != nil {
		return d, err
	}
	d.Row = rows[0]
	if d.Duties, err = s.Duties(ctx, c); err != nil {
		return d, err
	}
	err = s.DB.QueryRow(ctx, "select coalesce(sum(case when state = 'waiting' then 1 else 0 end), 0), coalesce(sum(case when state = 'dead' then 1 else 0 end), 0) from livecode_tasks where code = $1", c.ID).Scan(&d.Waiting, &d.Failed)
	if err != nil {
		return d, fmt.Errorf("count tasks: %w", err)
	}
	return d, nil
}

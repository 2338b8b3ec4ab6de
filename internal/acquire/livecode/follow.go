package livecode

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Name implements event.Subscriber.
func (s *Service) Name() string { return "livecodes" }

// Idle implements event.Idler: without a code there is nobody to follow.
func (s *Service) Idle(ctx context.Context) bool {
	if len(s.book.all()) > 0 {
		return false
	}
	var n int
	err := s.DB.QueryRow(ctx, "select count(*) from livecodes").Scan(&n)
	return err == nil && n == 0 // in doubt the facts are read
}

// friend is what a fact about a friendship says.
type friend struct {
	Account string `json:"account"`
	Staff   string `json:"staff"`
	State   string `json:"state"`
	Code    string `json:"code"`
	Source  string `json:"source"`
	person  string
}

func friendOf(f *event.Stored) (p friend, ok bool) {
	for _, i := range f.Identifiers {
		if i.Kind == "wecom_external_userid" {
			p.person = i.Value
		}
	}
	return p, json.Unmarshal(f.Properties, &p) == nil && p.person != "" && p.Staff != ""
}

// group is those who came by one code in one batch.
type group struct {
	code *Code
	nums []int64
}

// followed are the facts that change anything here.
var followed = []string{event.NameFriendAdded, event.NameFriendDeleted, event.NameFriendRemoved, event.NameFriendMoved}

// Handle implements event.Subscriber: what follows from a scan, exactly once,
// because it is written in the transaction that moves this subscriber's place.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	if !slices.ContainsFunc(facts, func(f event.Stored) bool { return slices.Contains(followed, f.Name) }) {
		return nil
	}
	if err := s.People.Hold(ctx); err != nil {
		return err
	}
	var groups []*group
	touched := false
	for i := range facts {
		f := &facts[i]
		switch f.Name {
		case event.NameFriendAdded:
			p, ok := friendOf(f)
			if !ok {
				continue
			}
			c := s.find(ctx, p.State)
			if c == nil {
				c = s.book.get(p.Code)
			}
			if c == nil || p.Account != "" && c.Account != p.Account {
				continue
			}
			fresh, err := s.added(ctx, f, c, p)
			if err != nil {
				return err
			}
			if !fresh {
				continue
			}
			touched = true
			g := slices.IndexFunc(groups, func(g *group) bool { return g.code == c })
			if g < 0 {
				g = len(groups)
				groups = append(groups, &group{code: c})
			}
			if f.Contact > 0 && !slices.Contains(groups[g].nums, f.Contact) {
				groups[g].nums = append(groups[g].nums, f.Contact)
			}
		case event.NameFriendDeleted, event.NameFriendRemoved, event.NameFriendMoved:
			if p, ok := friendOf(f); ok {
				if err := s.gone(ctx, f, p); err != nil {
					return err
				}
			}
		}
	}
	for _, g := range groups {
		if err := s.place(ctx, g); err != nil {
			return err
		}
	}
	if touched {
		s.DB.After(ctx, func() { nudge(s.wake); nudge(s.tasks) })
	}
	return nil
}

// old is how long ago somebody may have come for their remark still to be written:
// a history that is filled in is no reason to call the platform for each.
const old = 3 * 24 * time.Hour

// added books somebody who came; false when the fact was booked before.
func (s *Service) added(ctx context.Context, f *event.Stored, c *Code, p friend) (bool, error) {
	at := clock.FromMs(f.Timestamp).In(s.Zone(ctx))
	var nth int64
	if err := s.DB.QueryRow(ctx, "select count(*) from livecode_adds where person = $1 and account = $2 and code = $3", p.person, c.Account, c.ID).Scan(&nth); err != nil {
		return false, fmt.Errorf("look for an earlier scan: %w", err)
	}
	var open int64
	if err := s.DB.QueryRow(ctx, "select count(*) from livecode_adds where person = $1 and account = $2 and code = $3 and staff = $4 and gone_at = 0", p.person, c.Account, c.ID, p.Staff).Scan(&open); err != nil {
		return false, fmt.Errorf("look for an earlier scan: %w", err)
	}
	if open > 0 { // asked for first, and confirmed now: one friendship
		return false, nil
	}
	n, err := s.DB.ExecN(ctx, `insert into livecode_adds (id, code, account, staff, person, contact, at, day, hour, nth, gone_at, gone_day, gone_by)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, '') on conflict (id) do nothing`,
		f.MessageID, c.ID, c.Account, p.Staff, p.person, f.Contact, f.Timestamp, clock.DayNumber(at), at.Hour(), nth+1)
	if err != nil {
		return false, fmt.Errorf("book a scan: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	if c.Remark != "" && s.Clock.Now().Sub(at) < old {
		task, err := s.DB.Reserve(ctx, "livecode_tasks", 1)
		if err != nil {
			return false, err
		}
		if _, err := s.DB.Exec(ctx, "insert into livecode_tasks (n, code, account, staff, person, state, at, tries, next_at, fault, fault_code) values ($1, $2, $3, $4, $5, $6, $7, 0, 0, '', 0)",
			task, c.ID, c.Account, p.Staff, p.person, waiting, f.Timestamp); err != nil {
			return false, fmt.Errorf("queue a remark: %w", err)
		}
	}
	return true, nil
}

// gone books that a friendship is over. The newest one that began before it is meant.
func (s *Service) gone(ctx context.Context, f *event.Stored, p friend) error {
	var id string
	err := s.DB.QueryRow(ctx, "select id from livecode_adds where person = $1 and account = $2 and staff = $3 and gone_at = 0 and at <= $4 order by at desc, id desc limit 1",
		p.person, p.Account, p.Staff, f.Timestamp).Scan(&id)
	if db.NoRows(err) {
		return nil // they did not come by a code of ours, or it is booked
	}
	if err != nil {
		return fmt.Errorf("look for a scan: %w", err)
	}
	by := map[string]string{event.NameFriendDeleted: ByCustomer, event.NameFriendRemoved: ByColleague, event.NameFriendMoved: ByTransfer}[f.Name]
	if _, err := s.DB.Exec(ctx, "update livecode_adds set gone_at = $2, gone_day = $3, gone_by = $4 where id = $1",
		id, f.Timestamp, clock.DayNumber(clock.FromMs(f.Timestamp).In(s.Zone(ctx))), by); err != nil {
		return fmt.Errorf("book who left: %w", err)
	}
	return nil
}

// Who ended a friendship.
const (
	ByCustomer  = "customer"
	ByColleague = "colleague"
	ByTransfer  = "transfer"
)

// place gives newcomers of a code their tags and their pool. A tag or pool that is
// gone by now is left out: the people are not to wait for it.
func (s *Service) place(ctx context.Context, g *group) error {
	if len(g.nums) == 0 {
		return nil
	}
	if len(g.code.Tags) > 0 {
		known, err := s.Tags.KnownTags(ctx, g.code.Tags)
		if err != nil {
			return err
		}
		if len(known) > 0 {
			if err := s.Tags.GiveTags(ctx, g.nums, known, g.code.ID, g.code.Name); err != nil {
				return err
			}
		}
	}
	if g.code.Pool == "" {
		return nil
	}
	ok, err := s.Pools.KnownPool(ctx, g.code.Pool)
	if err != nil || !ok {
		return err
	}
	days := g.code.PoolDays
	if days == 0 {
		days = 7
	}
	return s.Pools.Place(ctx, g.nums, g.code.Pool, days, g.code.Name)
}

// Forget removes what is kept of contacts; a hook of package contact.
func (s *Service) Forget(ctx context.Context, nums []int64) error {
	for some := range slices.Chunk(nums, 400) {
		args := make([]any, len(some))
		for i, n := range some {
			args[i] = n
		}
		people := "(select person from livecode_adds where contact in (" + db.In(1, len(some)) + "))"
		for _, table := range []string{"livecode_gifts", "livecode_hooks", "livecode_welcomes", "livecode_tasks"} {
			if _, err := s.DB.Exec(ctx, "delete from "+table+" where person in "+people, args...); err != nil {
				return fmt.Errorf("forget people of live codes: %w", err)
			}
		}
		if _, err := s.DB.Exec(ctx, "delete from livecode_adds where contact in ("+db.In(1, len(some))+")", args...); err != nil {
			return fmt.Errorf("forget people of live codes: %w", err)
		}
	}
	return nil
}

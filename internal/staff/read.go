package staff

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Query asks for colleagues.
type Query struct {
	Account string
	State   string // "" all
	Serving bool   // only those who may have customers, or have some
	Behind  bool   // only those who have customers, or groups without an owner
	Text    string // in name or id
	After   string // id of the last one of the page before
	Limit   int
}

const memberColumns = "account, id, name, avatar, position, departments, state, serves, user_id, linked, friends, left_at"

// List gives colleagues of an account by id, and where the next page begins.
func (s *Service) List(ctx context.Context, q Query) (list []CorpMember, next string, err error) {
	where, args := []string{"account = $1", "id > $2"}, []any{q.Account, q.After}
	add := func(text string, v ...any) {
		for _, x := range v {
			args = append(args, x)
			text = strings.Replace(text, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, text)
	}
	switch q.State {
	case "":
	case MemberActive, MemberInactive, MemberLeft:
		add("state = ?", q.State)
	default:
		return nil, "", errs.New(errs.Invalid, "request.invalid").On(errs.At("state", "request.not_one_of", "allowed", "active, inactive, left"))
	}
	if q.Serving {
		add("(serves = 1 or friends > 0)")
	}
	if q.Behind {
		add("(friends > 0 or exists (select 1 from staff_groups g where g.account = staff_members.account and g.owner = staff_members.id))")
	}
	if t := strings.ToLower(strings.TrimSpace(q.Text)); t != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(t) + "%"
		add(`(lower(name) like ? escape '\' or lower(id) like ? escape '\')`, like, like)
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select %s from staff_members where %s order by id limit %d", memberColumns, strings.Join(where, " and "), q.Limit+1), args...)
	var users []string
	deps := map[int][]int64{}
	list, err = db.Collect(rows, err, func(r *sql.Rows) (c CorpMember, err error) {
		var ids, user string
		var serves, left int64
		if err := r.Scan(&c.Account, &c.ID, &c.Name, &c.Avatar, &c.Position, &ids, &c.State, &serves, &user, &c.Linked, &c.Friends, &left); err != nil {
			return c, err
		}
		c.Serves, c.Departments = serves == 1, []string{}
		if left > 0 {
			c.LeftAt = clock.FromMs(left)
		}
		if user != "" {
			c.User = &CorpUser{ID: user}
			users = append(users, user)
		}
		var d []int64
		_ = json.Unmarshal([]byte(ids), &d) // it is our own
		deps[len(deps)] = d
		return c, nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("list colleagues: %w", err)
	}
	if len(list) > q.Limit {
		list = list[:q.Limit]
		next = list[len(list)-1].ID
	}
	names, err := s.departmentNames(ctx, q.Account)
	if err != nil {
		return nil, "", err
	}
	people := s.Users.Names(ctx, users)
	for i := range list {
		for _, d := range deps[i] {
			if names[d] != "" {
				list[i].Departments = append(list[i].Departments, names[d])
			}
		}
		if u := list[i].User; u != nil {
			if u.Name = people[u.ID]; u.Name == "" { // deleted since
				list[i].User = nil
			}
		}
	}
	return list, next, s.today(ctx, q.Account, list)
}

func (s *Service) departmentNames(ctx context.Context, account string) (map[int64]string, error) {
	rows, err := s.DB.Query(ctx, "select id, name from staff_departments where account = $1", account)
	out := map[int64]string{}
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var id int64
		var name string
		err = r.Scan(&id, &name)
		out[id] = name
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("read departments: %w", err)
	}
	return out, nil
}

// dayStart is when today began for the company.
func (s *Service) dayStart(ctx context.Context) int64 {
	loc := time.UTC
	if s.Zone != nil {
		loc = s.Zone(ctx)
	}
	return clock.DayStart(s.Clock.Now().In(loc), 0, 0).UnixMilli()
}

// today counts who came and who went since the day began.
func (s *Service) today(ctx context.Context, account string, list []CorpMember) error {
	if len(list) == 0 {
		return nil
	}
	at := map[string]int{}
	for i, c := range list {
		at[c.ID] = i
	}
	from := s.dayStart(ctx)
	for _, q := range []struct {
		text string
		set  func(c *CorpMember, n int64)
	}{
		{"select staff, count(*) from staff_friends where since >= $1 and account = $2 group by staff", func(c *CorpMember, n int64) { c.AddedToday = n }},
		{"select staff, count(*) from staff_friends where state = 'deleted' and ended_at >= $1 and account = $2 group by staff", func(c *CorpMember, n int64) { c.DeletedToday = n }},
	} {
		rows, err := s.DB.Query(ctx, q.text, from, account)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var id string
			var n int64
			err = r.Scan(&id, &n)
			if i, ok := at[id]; ok {
				q.set(&list[i], n)
			}
			return x, err
		})
		if err != nil {
			return fmt.Errorf("count today's friends: %w", err)
		}
	}
	return nil
}

// Colleague gives one.
func (s *Service) Colleague(ctx context.Context, account, id string) (CorpMember, error) {
	// the list goes by id: the one after what stands just before it
	list, _, err := s.List(ctx, Query{Account: account, Text: id, Limit: 1000})
	if err != nil {
		return CorpMember{}, err
	}
	for _, c := range list {
		if c.ID == id {
			return c, nil
		}
	}
	return CorpMember{}, errNoColleague
}

// friendships reads rows and names those in them.
func (s *Service) friendships(ctx context.Context, where, order string, limit int, args ...any) ([]Friendship, error) {
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select %s from staff_friends where %s order by %s limit %d", rowColumns, where, order, limit), args...)
	list, err := db.Collect(rows, err, scanRow)
	if err != nil {
		return nil, fmt.Errorf("read friends: %w", err)
	}
	ids := map[[2]string]bool{}
	for _, r := range list {
		ids[[2]string{r.account, r.staff}] = true
		if r.movedTo != "" {
			ids[[2]string{r.account, r.movedTo}] = true
		}
	}
	names, err := s.staffNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Friendship, len(list))
	for i, r := range list {
		who := names[[2]string{r.account, r.staff}]
		f := Friendship{Account: r.account, Staff: r.staff, StaffName: who.Name, StaffLeft: who.ID == MemberLeft, Customer: r.customer, Way: r.way, Source: r.source, State: r.state, num: r.contact}
		if f.StaffName == "" {
			f.StaffName = r.staff
		}
		if r.movedTo != "" {
			f.MovedTo = r.movedTo
			if n := names[[2]string{r.account, r.movedTo}].Name; n != "" {
				f.MovedTo = n
			}
		}
		if r.since > 0 {
			f.Since = clock.FromMs(r.since)
		}
		if r.ended > 0 {
			f.EndedAt = clock.FromMs(r.ended)
		}
		if f.Remark, err = s.unseal(remarkField, r.remark); err != nil {
			return nil, err
		}
		if f.Note, err = s.unseal(noteField, r.note); err != nil {
			return nil, err
		}
		out[i] = f
	}
	return out, nil
}

// OfContact lists whose friend a contact is or was, those of today first. The
// caller must be allowed to see the contact.
func (s *Service) OfContact(ctx context.Context, id string) ([]Friendship, error) {
	num, err := s.Contacts.NumOf(ctx, id)
	if err != nil {
		return nil, err
	}
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return nil, err
	}
	args := make([]any, len(group))
	for i, n := range group {
		args[i] = n
	}
	return s.friendships(ctx, "contact in ("+db.In(1, len(args))+")", "case when state = 'friend' then 0 else 1 end, since desc, account, staff", 200, args...)
}

// FriendQuery asks for friendships of an account.
type FriendQuery struct {
	Account, Staff string // no Staff: everybody's
	State          string // friend, deleted, …
	Limit          int
}

type friendCursor struct {
	At       int64  `json:"a"`
	Staff    string `json:"s"`
	Customer string `json:"c"`
}

// Friends lists friendships, the newest first: by when they began or, of those
// that are over, when they ended.
func (s *Service) Friends(ctx context.Context, q FriendQuery, after *friendCursor) (list []Friendship, next *friendCursor, err error) {
	by := "ended_at"
	switch q.State {
	case Friend:
		by = "since"
	case Deleted, Removed, Moved:
	default:
		return nil, nil, errs.New(errs.Invalid, "request.invalid").On(errs.At("state", "request.not_one_of", "allowed", "friend, deleted, removed, moved"))
	}
	where, args := "account = $1 and state = $2", []any{q.Account, q.State}
	if q.Staff != "" {
		args = append(args, q.Staff)
		where += fmt.Sprintf(" and staff = $%d", len(args))
	}
	if after != nil {
		n := len(args)
		args = append(args, after.At, after.Staff, after.Customer)
		where += fmt.Sprintf(" and (%s < $%d or %s = $%d and (staff > $%d or staff = $%d and customer > $%d))", by, n+1, by, n+1, n+2, n+2, n+3)
	}
	list, err = s.friendships(ctx, where, by+" desc, staff, customer", q.Limit+1, args...)
	if err != nil {
		return nil, nil, err
	}
	if len(list) > q.Limit {
		list = list[:q.Limit]
		last := list[q.Limit-1]
		next = &friendCursor{At: clock.Ms(last.EndedAt), Staff: last.Staff, Customer: last.Customer}
		if by == "since" {
			next.At = clock.Ms(last.Since)
		}
	}
	return list, next, s.nameContacts(ctx, list)
}

// nameContacts fills in whom the caller may see.
func (s *Service) nameContacts(ctx context.Context, list []Friendship) error {
	nums := make([]int64, len(list))
	for i, f := range list {
		nums[i] = f.num
	}
	seen, err := s.Contacts.InScope(ctx, nums)
	if err != nil {
		return err
	}
	known, err := s.Contacts.Describe(ctx, seen)
	if err != nil {
		return err
	}
	for i := range list {
		if c, ok := known[list[i].num]; ok {
			list[i].ContactID, list[i].Name = c.ID, c.Name
		}
	}
	return nil
}

// SetRemark writes how a colleague calls a customer, and the note, to the
// platform. The platform does not call back for what the program changed: the
// friendship is changed here as well.
func (s *Service) SetRemark(ctx context.Context, contactID, account, staff, customer string, remark, note *string) ([]Friendship, error) {
	list, err := s.OfContact(ctx, contactID)
	if err != nil {
		return nil, err
	}
	found := false
	for _, f := range list {
		found = found || f.Account == account && f.Staff == staff && f.Customer == customer && f.State == Friend
	}
	if !found {
		return nil, errs.New(errs.NotFound, "staff.no_friend")
	}
	if remark == nil && note == nil {
		return list, nil
	}
	if err := s.Platform.SetRemark(ctx, account, staff, customer, remark, note); err != nil {
		return nil, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, x := range []struct {
			column, field string
			v             *string
		}{{"remark_enc", remarkField, remark}, {"note_enc", noteField, note}} {
			if x.v == nil {
				continue
			}
			sealed, err := s.seal(x.field, *x.v)
			if err != nil {
				return err
			}
			if _, err := s.DB.Exec(ctx, "update staff_friends set "+x.column+" = $4, print = '', known_at = $5 where account = $1 and staff = $2 and customer = $3", account, staff, customer, sealed, s.Clock.Now().UnixMilli()); err != nil {
				return fmt.Errorf("keep remark: %w", err)
			}
		}
		return s.record(ctx, "staff.remark_changed", staff, s.nameOf(ctx, account, staff), map[string]any{"account": account, "contact": contactID})
	})
	if err != nil {
		return nil, err
	}
	return s.OfContact(ctx, contactID)
}

// Friended gives the users of the console whose friend a contact is, with since
// when. nums are all the numbers that are the contact.
func (s *Service) Friended(ctx context.Context, nums []int64) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	err := chunked(nums, func(part []any) error {
		rows, err := s.DB.Query(ctx, "select m.user_id, f.since from staff_friends f join staff_members m on m.account = f.account and m.id = f.staff where f.state = 'friend' and m.user_id <> '' and f.contact in ("+db.In(1, len(part))+")", part...)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var user string
			var since int64
			err = r.Scan(&user, &since)
			if at := clock.FromMs(since); out[user].IsZero() || at.Before(out[user]) {
				out[user] = at
			}
			return x, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read friends: %w", err)
	}
	return out, nil
}

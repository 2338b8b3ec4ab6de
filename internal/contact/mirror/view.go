package mirror

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Statuses tells how every account stands that can have linked tags.
func (s *Service) Statuses(ctx context.Context) ([]Status, error) {
	accounts, err := s.Platform.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	out := make([]Status, len(accounts))
	for i, a := range accounts {
		out[i], at[a.ID] = Status{Account: a.ID, Name: a.Name}, i
	}
	rows, err := s.DB.Query(ctx, "select account, enabled, take_new, listed_at, read_at, job, sent, came, fault, fault_number, fault_at from mirror_accounts")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var v Status
		var on, take, listed, read, fault int64
		if err := r.Scan(&v.Account, &on, &take, &listed, &read, &v.Job, &v.Sent, &v.Came, &v.fault, &v.number, &fault); err != nil {
			return x, err
		}
		i, ok := at[v.Account]
		if !ok {
			return x, nil
		}
		v.Name, v.On, v.TakeNew = out[i].Name, on == 1, take == 1
		if listed > 0 {
			v.ListedAt = clock.FromMs(listed)
		}
		if read > 0 {
			v.ReadAt = clock.FromMs(read)
		}
		if v.fault != "" {
			v.FaultAt = clock.FromMs(fault)
		}
		out[i] = v
		return x, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read accounts of tags: %w", err)
	}
	count := func(what, query string, set func(v *Status, a, b int64)) error {
		rows, err := s.DB.Query(ctx, query)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var account string
			var a, b int64
			err = r.Scan(&account, &a, &b)
			if i, ok := at[account]; ok {
				set(&out[i], a, b)
			}
			return x, err
		})
		return wrap(err, what)
	}
	if err := count("count linked tags", "select account, sum(case when state = 'on' then 1 else 0 end), sum(case when state in ('theirs_gone', 'ours_gone') then 1 else 0 end) from mirror_tags group by account",
		func(v *Status, a, b int64) { v.Linked, v.Asking = a, b }); err != nil {
		return nil, err
	}
	if err := count("count friendships", "select account, count(*), 0 from mirror_friends where live = 1 group by account", func(v *Status, a, _ int64) { v.Friends = a }); err != nil {
		return nil, err
	}
	if err := count("count what waits", "select account, count(*), 0 from mirror_friends where due > 0 and fault = '' group by account", func(v *Status, a, _ int64) {
		if v.On {
			v.Waiting = a
		}
	}); err != nil {
		return nil, err
	}
	return out, count("count what failed", "select account, count(*), 0 from mirror_friends where fault <> '' group by account", func(v *Status, a, _ int64) { v.Failed = a })
}

// Status tells how an account stands.
func (s *Service) Status(ctx context.Context, account string) (Status, error) {
	list, err := s.Statuses(ctx)
	if err != nil {
		return Status{}, err
	}
	i := slices.IndexFunc(list, func(v Status) bool { return v.Account == account })
	if i < 0 {
		return Status{}, errNoAccount
	}
	return list[i], nil
}

// Change switches an account on or off, and says whether new tags of theirs come by
// themselves.
func (s *Service) Change(ctx context.Context, account string, ch Change) (Status, error) {
	if err := s.check(ctx, account); err != nil {
		return Status{}, err
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.begin(ctx, account); err != nil {
			return err
		}
		detail := map[string]any{}
		if ch.On != nil {
			detail["on"] = *ch.On
			if _, err := s.DB.Exec(ctx, "update mirror_accounts set enabled = $2, fault = '', list_due = list_due + $2, read_due = read_due + $2 where account = $1", account, flag(*ch.On)); err != nil {
				return fmt.Errorf("switch an account: %w", err)
			}
		}
		if ch.TakeNew != nil {
			detail["takeNew"] = *ch.TakeNew
			if _, err := s.DB.Exec(ctx, "update mirror_accounts set take_new = $2, list_due = list_due + $2 where account = $1", account, flag(*ch.TakeNew)); err != nil {
				return fmt.Errorf("switch an account: %w", err)
			}
		}
		return s.record(ctx, "tag_mirror.changed", account, detail)
	})
	if err != nil {
		return Status{}, err
	}
	s.nudge()
	return s.Status(ctx, account)
}

// LinkList lists the links of an account, those that ask first.
func (s *Service) LinkList(ctx context.Context, account string) ([]Link, error) {
	if err := s.check(ctx, account); err != nil {
		return nil, err
	}
	rows, err := s.linkRows(ctx, account)
	if err != nil {
		return nil, err
	}
	places, err := s.Contacts.TagPlaces(ctx)
	if err != nil {
		return nil, err
	}
	own := map[string]contact.TagPlace{}
	for _, p := range places {
		own[p.ID] = p
	}
	out := []Link{}
	var ids []string
	for _, l := range rows {
		if l.state == Off {
			continue
		}
		v := Link{ID: l.id, Name: l.name, Group: l.group, Tag: l.tag, Ours: l.tagName, State: l.state, fault: l.fault, faultName: l.faultName}
		if p, ok := own[l.tag]; ok {
			v.Ours, v.OurGroup = p.Name, p.Group
		}
		out, ids = append(out, v), append(ids, l.tag)
	}
	counts, err := s.Contacts.CountTags(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].People = counts[out[i].Tag]
	}
	slices.SortStableFunc(out, func(a, b Link) int {
		if n := flag(a.State == On) - flag(b.State == On); n != 0 {
			return int(n)
		}
		return strings.Compare(a.Group+"\x00"+a.Name, b.Group+"\x00"+b.Name)
	})
	return out, nil
}

type failedCursor struct {
	Staff    string `json:"s"`
	Customer string `json:"c"`
}

// FailedList lists friendships whose tags could not be sent.
func (s *Service) FailedList(ctx context.Context, account string, after failedCursor, limit int) (list []Failed, next *failedCursor, err error) {
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select %s from mirror_friends where account = $1 and fault <> '' and (staff > $2 or staff = $2 and customer > $3) order by staff, customer limit %d", rowColumns, limit+1),
		account, after.Staff, after.Customer)
	found, err := db.Collect(rows, err, scanRow)
	if err != nil {
		return nil, nil, fmt.Errorf("list what failed: %w", err)
	}
	if len(found) > limit {
		found = found[:limit]
		next = &failedCursor{found[limit-1].staff, found[limit-1].customer}
	}
	staff, nums := make([]string, len(found)), make([]int64, len(found))
	for i, r := range found {
		staff[i], nums[i] = r.staff, r.contact
	}
	names := s.Platform.Names(ctx, account, staff)
	seen, err := s.Contacts.InScope(ctx, nums)
	if err != nil {
		return nil, nil, err
	}
	known, err := s.Contacts.Describe(ctx, seen)
	if err != nil {
		return nil, nil, err
	}
	list = []Failed{}
	for _, r := range found {
		f := Failed{Staff: r.staff, StaffName: names[r.staff], Customer: r.customer, Tries: r.tries, num: r.contact, fault: r.fault, numberN: r.number}
		if f.StaffName == "" {
			f.StaffName = r.staff
		}
		if k, ok := known[r.contact]; ok {
			f.ContactID, f.Name = k.ID, k.Name
		}
		list = append(list, f)
	}
	return list, next, nil
}

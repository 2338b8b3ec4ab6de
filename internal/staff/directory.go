package staff

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Bounds of a directory: far more than a company has.
const (
	maxDepartments = 5_000
	maxMembers     = 100_000
)

var errTooMany = errs.New(errs.Conflict, "staff.too_large")

// readDirectory asks the platform for all departments and colleagues, and who of
// them may have customers. Those whom the app may not see are known by id alone.
func (s *Service) readDirectory(ctx context.Context, account string, step func(done, total int)) ([]Department, map[string]*Member, map[string]bool, error) {
	deps, err := s.Platform.Departments(ctx, account)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(deps) > maxDepartments {
		return nil, nil, nil, errTooMany
	}
	serving, err := s.Platform.Serving(ctx, account)
	if err != nil {
		return nil, nil, nil, err
	}
	all := map[string]*Member{}
	serves := map[string]bool{}
	for _, id := range serving {
		serves[id] = true
		all[id] = &Member{ID: id, Name: id, State: MemberActive}
	}
	for i, d := range deps {
		list, err := s.Platform.Members(ctx, account, d.ID)
		if err != nil {
			return nil, nil, nil, err
		}
		for _, m := range list {
			if m.Name == "" {
				m.Name = m.ID
			}
			all[m.ID] = &m
		}
		if len(all) > maxMembers {
			return nil, nil, nil, errTooMany
		}
		step(i+1, len(deps))
	}
	return deps, all, serves, nil
}

// keepDirectory writes it down. Colleagues who are not in it any more have left.
func (s *Service) keepDirectory(ctx context.Context, account string, deps []Department, all map[string]*Member, serves map[string]bool, mark int64) error {
	emails, err := s.Users.Emails(ctx)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.DB.Exec(ctx, "delete from staff_departments where account = $1", account); err != nil {
			return fmt.Errorf("empty departments: %w", err)
		}
		for _, d := range deps {
			if _, err := s.DB.Exec(ctx, "insert into staff_departments (account, id, parent, name, position) values ($1,$2,$3,$4,$5) on conflict do nothing",
				account, d.ID, d.Parent, clip(d.Name, 200), d.Order); err != nil {
				return fmt.Errorf("keep department: %w", err)
			}
		}
		ids := make([]string, 0, len(all))
		for id := range all {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		for _, id := range ids {
			if err := s.keepMember(ctx, account, all[id], serves[id], emails, mark); err != nil {
				return err
			}
		}
		_, err := s.DB.Exec(ctx, "update staff_members set state = 'left', serves = 0, left_at = $2, changed_at = $2 where account = $1 and seen < $2 and state <> 'left'", account, mark)
		if err != nil {
			return fmt.Errorf("note who left: %w", err)
		}
		return nil
	})
}

// keepMember writes one colleague. Whom they are linked to by hand stays; else
// their e-mail finds the user.
func (s *Service) keepMember(ctx context.Context, account string, m *Member, serves bool, emails map[string]string, mark int64) error {
	user, linked, first := "", "", ""
	for _, e := range m.Emails {
		if e == "" {
			continue
		}
		if first == "" {
			first = e
		}
		if u := emails[strings.ToLower(strings.TrimSpace(e))]; u != "" && user == "" {
			user, linked = u, LinkedAuto
		}
	}
	mobile, err := s.seal(mobileField, m.Mobile)
	if err != nil {
		return err
	}
	email, err := s.seal(emailField, first)
	if err != nil {
		return err
	}
	deps, _ := json.Marshal(m.Departments) // numbers always encode
	can := 0
	if serves {
		can = 1
	}
	state := m.State
	if state == "" {
		state = MemberActive
	}
	left := int64(0)
	if state == MemberLeft {
		left = mark
	}
	_, err = s.DB.Exec(ctx, `insert into staff_members (account, id, name, avatar, position, mobile_enc, email_enc, departments, state, serves, user_id, linked, friends, left_at, seen, changed_at)
		values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,0,$13,$14,$14) on conflict (account, id) do update set name = excluded.name, avatar = excluded.avatar, position = excluded.position,
		mobile_enc = excluded.mobile_enc, email_enc = excluded.email_enc, departments = excluded.departments, state = excluded.state, serves = excluded.serves,
		user_id = case when staff_members.linked = 'hand' then staff_members.user_id else excluded.user_id end,
		linked = case when staff_members.linked = 'hand' then 'hand' else excluded.linked end,
		left_at = case when excluded.state <> 'left' then 0 when staff_members.left_at > 0 then staff_members.left_at else excluded.left_at end, seen = excluded.seen, changed_at = excluded.changed_at`,
		account, m.ID, clip(m.Name, 200), clip(m.Avatar, 1000), clip(m.Position, 200), mobile, email, string(deps), state, can, user, linked, left, mark)
	if err != nil {
		return fmt.Errorf("keep colleague: %w", err)
	}
	return nil
}

// The changes of the directory that a platform calls back about.
const (
	ChangeMember     = "member"     // came or changed
	ChangeLeft       = "left"       // was deleted
	ChangeDepartment = "department" // any change of departments
)

// Change is one of them. NewID is set when a colleague's id changed.
type Change struct{ What, ID, NewID string }

// Changed takes in a change of the directory. It asks the platform how things are
// now: callbacks come late and in any order.
func (s *Service) Changed(ctx context.Context, account string, ch Change) error {
	now := s.Clock.Now().UnixMilli()
	switch ch.What {
	case ChangeLeft:
		if err := s.left(ctx, account, ch.ID, now); err != nil {
			return err
		}
		return s.leftBehind(ctx, account, now, func(err error) error { return err })
	case ChangeDepartment:
		deps, err := s.Platform.Departments(ctx, account)
		if err != nil {
			return err
		}
		return s.DB.Tx(ctx, func(ctx context.Context) error {
			if _, err := s.DB.Exec(ctx, "delete from staff_departments where account = $1", account); err != nil {
				return fmt.Errorf("empty departments: %w", err)
			}
			for _, d := range deps {
				if _, err := s.DB.Exec(ctx, "insert into staff_departments (account, id, parent, name, position) values ($1,$2,$3,$4,$5) on conflict do nothing",
					account, d.ID, d.Parent, clip(d.Name, 200), d.Order); err != nil {
					return fmt.Errorf("keep department: %w", err)
				}
			}
			return nil
		})
	}
	id := ch.ID
	if ch.NewID != "" && ch.NewID != ch.ID {
		if err := s.rename(ctx, account, ch.ID, ch.NewID); err != nil {
			return err
		}
		id = ch.NewID
	}
	m, err := s.Platform.Member(ctx, account, id)
	if err != nil {
		if s.Platform.Refused(err) {
			return nil // gone again, or not ours to see
		}
		return err
	}
	serving, err := s.Platform.Serving(ctx, account)
	if err != nil {
		return err
	}
	emails, err := s.Users.Emails(ctx)
	if err != nil {
		return err
	}
	if m.Name == "" {
		m.Name = m.ID
	}
	return s.keepMember(ctx, account, &m, slices.Contains(serving, id), emails, now)
}

func (s *Service) left(ctx context.Context, account, id string, now int64) error {
	if _, err := s.DB.Exec(ctx, "update staff_members set state = 'left', serves = 0, left_at = case when left_at > 0 then left_at else $3 end, changed_at = $3 where account = $1 and id = $2", account, id, now); err != nil {
		return fmt.Errorf("note who left: %w", err)
	}
	return nil
}

// rename follows a colleague whose id the company changed.
func (s *Service) rename(ctx context.Context, account, from, to string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		var there int64
		if err := s.DB.QueryRow(ctx, "select count(*) from staff_members where account = $1 and id = $2", account, to).Scan(&there); err != nil {
			return fmt.Errorf("look for colleague: %w", err)
		}
		if there > 0 {
			return nil // done before
		}
		for _, q := range []string{
			"update staff_members set id = $3 where account = $1 and id = $2",
			"update staff_friends set staff = $3 where account = $1 and staff = $2",
			"update staff_friends set moved_to = $3 where account = $1 and moved_to = $2",
			"update staff_handovers set from_staff = $3 where account = $1 and from_staff = $2",
			"update staff_handovers set to_staff = $3 where account = $1 and to_staff = $2",
		} {
			if _, err := s.DB.Exec(ctx, q, account, from, to); err != nil {
				return fmt.Errorf("rename colleague: %w", err)
			}
		}
		return nil
	})
}

// Link says by hand who of the users a colleague is; "" is nobody.
func (s *Service) Link(ctx context.Context, account, id, user string) (CorpMember, error) {
	if user != "" {
		ok, err := s.Users.Working(ctx, user)
		if err != nil {
			return CorpMember{}, err
		}
		if !ok {
			return CorpMember{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("user", "contact.no_such_user"))
		}
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.DB.ExecN(ctx, "update staff_members set user_id = $3, linked = 'hand' where account = $1 and id = $2", account, id, user)
		if err != nil {
			return fmt.Errorf("link colleague: %w", err)
		}
		if n == 0 {
			return errNoColleague
		}
		return s.record(ctx, "staff.linked", id, s.nameOf(ctx, account, id), map[string]any{"account": account, "user": user})
	})
	if err != nil {
		return CorpMember{}, err
	}
	return s.Colleague(ctx, account, id)
}

var errNoColleague = errs.New(errs.NotFound, "staff.not_found")

// nameOf is for records: the id when the name is not known.
func (s *Service) nameOf(ctx context.Context, account, id string) string {
	var name string
	if err := s.DB.QueryRow(ctx, "select name from staff_members where account = $1 and id = $2", account, id).Scan(&name); err != nil || name == "" {
		return id
	}
	return name
}

// UserOf gives the user that a colleague is, "" when nobody.
func (s *Service) UserOf(ctx context.Context, account, id string) (string, error) {
	var user string
	err := s.DB.QueryRow(ctx, "select user_id from staff_members where account = $1 and id = $2", account, id).Scan(&user)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read colleague: %w", err)
	}
	return user, nil
}

// Colleagues lists those of an account who may have customers or had, for choosing.
func (s *Service) Colleagues(ctx context.Context, account string) ([]CorpMember, error) {
	list, _, err := s.List(ctx, Query{Account: account, Limit: maxMembers})
	return list, err
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most]
}

// names are the display names of colleagues of an account.
func (s *Service) staffNames(ctx context.Context, ids map[[2]string]bool) (map[[2]string]MemberRef, error) {
	var list []string
	for k := range ids {
		list = append(list, k[1])
	}
	out := map[[2]string]MemberRef{}
	err := chunked(list, func(part []any) error {
		rows, err := s.DB.Query(ctx, "select account, id, name, state from staff_members where id in ("+db.In(1, len(part))+")", part...)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var account, id, name, state string
			err = r.Scan(&account, &id, &name, &state)
			if state == MemberLeft {
				out[[2]string{account, id}] = MemberRef{state, name}
			} else {
				out[[2]string{account, id}] = MemberRef{"", name}
			}
			return x, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read colleagues: %w", err)
	}
	return out, nil
}

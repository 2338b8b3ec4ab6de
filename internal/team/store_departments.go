package team

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/koipond/koipond/internal/platform/db"
)

func scanDepartment(r interface{ Scan(...any) error }) (d Department, err error) {
	return d, r.Scan(&d.ID, &d.Parent, &d.Name, &d.Lead)
}

func (s store) departments(ctx context.Context) ([]Department, error) {
	rows, err := s.db.Query(ctx, "select id, parent_id, name, lead_id from team_departments order by created_at, id")
	return db.Collect(rows, err, func(r *sql.Rows) (Department, error) { return scanDepartment(r) })
}

func (s store) department(ctx context.Context, id string) (Department, error) {
	d, err := scanDepartment(s.db.QueryRow(ctx, "select id, parent_id, name, lead_id from team_departments where id = $1", id))
	if db.NoRows(err) {
		return d, ErrNoDepartment
	}
	if err != nil {
		return d, fmt.Errorf("read department: %w", err)
	}
	return d, nil
}

func (s store) putDepartment(ctx context.Context, d Department, key string, now int64) error {
	_, err := s.db.Exec(ctx, `insert into team_departments (id, parent_id, name, name_key, lead_id, created_at, updated_at) values ($1,$2,$3,$4,$5,$6,$6)
		on conflict (id) do update set parent_id = $2, name = $3, name_key = $4, lead_id = $5, updated_at = $6`, d.ID, d.Parent, d.Name, key, d.Lead, now)
	return err
}

// departmentInUse: deleted users do not count.
func (s store) departmentInUse(ctx context.Context, id string) (bool, error) {
	var n int
	err := s.db.QueryRow(ctx, `select (select count(*) from team_departments where parent_id = $1) +
		(select count(*) from team_members m join team_users u on u.id = m.user_id where m.department_id = $1 and u.state <> 'deleted')`, id).Scan(&n)
	return n > 0, err
}

func (s store) deleteDepartment(ctx context.Context, id string) error {
	if _, err := s.db.Exec(ctx, "delete from team_members where department_id = $1", id); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, "delete from team_departments where id = $1", id)
	return err
}

func (s store) departmentsOf(ctx context.Context, user string) ([]string, error) {
	rows, err := s.db.Query(ctx, "select department_id from team_members where user_id = $1 order by department_id", user)
	return db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
}

// memberships gives the departments of every user who is in one.
func (s store) memberships(ctx context.Context) (map[string][]string, error) {
	rows, err := s.db.Query(ctx, "select user_id, department_id from team_members order by user_id, department_id")
	out := map[string][]string{}
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var user, department string
		err := r.Scan(&user, &department)
		out[user] = append(out[user], department)
		return struct{}{}, err
	})
	return out, err
}

func (s store) setMemberships(ctx context.Context, user string, to []string) error {
	if _, err := s.db.Exec(ctx, "delete from team_members where user_id = $1", user); err != nil {
		return fmt.Errorf("leave departments: %w", err)
	}
	for _, id := range to {
		if _, err := s.db.Exec(ctx, "insert into team_members (department_id, user_id) values ($1,$2)", id, user); err != nil {
			return fmt.Errorf("join department: %w", err)
		}
	}
	return nil
}

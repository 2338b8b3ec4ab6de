package team

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/i18n"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "team", FS: sub}
}

type store struct{ db *db.DB }

// lockTeam makes changes of who may do what queue until the transaction ends.
func (s store) lockTeam(ctx context.Context) error {
	if _, err := s.db.Exec(ctx, "update team_settings set updated_at = updated_at where id = 1"); err != nil {
		return fmt.Errorf("lock team: %w", err)
	}
	return nil
}

const userColumns = "id, name, email, role, state, language, created_at, last_seen_at, password_hash"

func scanUser(row interface{ Scan(...any) error }) (User, error) {
	var u User
	var created, seen int64
	err := row.Scan(&u.ID, &u.Name, &u.Email, &u.Role, &u.State, &u.Language, &created, &seen, &u.passwordHash)
	u.CreatedAt, u.LastSeenAt = clock.FromMs(created), clock.FromMs(seen)
	return u, err
}

func (s store) user(ctx context.Context, id string) (User, error) {
	u, err := scanUser(s.db.QueryRow(ctx, "select "+userColumns+" from team_users where id = $1 and state <> 'deleted'", id))
	if db.NoRows(err) {
		return u, ErrNoUser
	}
	if err != nil {
		return u, fmt.Errorf("read user: %w", err)
	}
	return u, nil
}

func (s store) userByEmail(ctx context.Context, key string) (User, error) {
	u, err := scanUser(s.db.QueryRow(ctx, "select "+userColumns+" from team_users where email_key = $1 and state <> 'deleted'", key))
	if db.NoRows(err) {
		return u, ErrNoUser
	}
	if err != nil {
		return u, fmt.Errorf("read user by e-mail: %w", err)
	}
	return u, nil
}

func (s store) users(ctx context.Context) ([]User, error) {
	rows, err := s.db.Query(ctx, "select "+userColumns+" from team_users where state <> 'deleted' order by created_at, id")
	return db.Collect(rows, err, func(r *sql.Rows) (User, error) { return scanUser(r) })
}

func (s store) anyUser(ctx context.Context) (bool, error) {
	var n int
	err := s.db.QueryRow(ctx, "select count(*) from (select 1 from team_users where state <> 'deleted' limit 1) u").Scan(&n)
	return n > 0, err
}

func (s store) insertUser(ctx context.Context, u User) error {
	at := clock.Ms(u.CreatedAt)
	_, err := s.db.Exec(ctx, `insert into team_users (id, name, email, email_key, password_hash, role, state, language, created_at, updated_at, last_seen_at)
		values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$9,0)`,
		u.ID, u.Name, u.Email, emailKey(u.Email), u.passwordHash, u.Role, string(u.State), string(u.Language), at)
	return err
}

func (s store) updateUser(ctx context.Context, u User, now int64) error {
	key := emailKey(u.Email)
	if u.State == deleted {
		key = u.ID
	}
	_, err := s.db.Exec(ctx, "update team_users set name = $1, email_key = $2, password_hash = $3, role = $4, state = $5, language = $6, updated_at = $7 where id = $8",
		u.Name, key, u.passwordHash, u.Role, string(u.State), string(u.Language), now, u.ID)
	if err != nil {
		return fmt.Errorf("update user: %w", err)
	}
	return nil
}

// renewHash replaces a hash only if it is still the one that was checked.
func (s store) renewHash(ctx context.Context, id, old, renewed string) error {
	_, err := s.db.Exec(ctx, "update team_users set password_hash = $1 where id = $2 and password_hash = $3", renewed, id, old)
	return err
}

func (s store) otherAdmins(ctx context.Context, id string) (int, error) {
	var n int
	err := s.db.QueryRow(ctx, "select count(*) from team_users where role = $1 and state = 'active' and id <> $2", AdminRole, id).Scan(&n)
	return n, err
}

func (s store) names(ctx context.Context, ids []string, into map[string]string) error {
	args := make([]any, len(ids))
	for i, v := range ids {
		args[i] = v
	}
	in := db.In(1, len(ids))
	rows, err := s.db.Query(ctx, "select id, name from team_users where id in ("+in+") union all select id, name from team_tokens where id in ("+in+")", args...)
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var id, name string
		err := r.Scan(&id, &name)
		into[id] = name
		return struct{}{}, err
	})
	return err
}

// ---- roles

func scanRole(row interface{ Scan(...any) error }) (Role, error) {
	var r Role
	var perms string
	var unowned int64
	if err := row.Scan(&r.ID, &r.Name, &perms, &r.Scope.Breadth, &unowned); err != nil {
		return r, err
	}
	r.Scope.Unowned = unowned != 0
	var all []auth.Permission
	if err := json.Unmarshal([]byte(perms), &all); err != nil {
		return r, fmt.Errorf("read permissions of %s: %w", r.ID, err)
	}
	for _, p := range all { // one that a later version dropped is no permission
		if auth.Known(p) {
			r.Permissions = append(r.Permissions, p)
		}
	}
	return r, nil
}

func (s store) role(ctx context.Context, id string) (Role, error) {
	r, err := scanRole(s.db.QueryRow(ctx, "select id, name, permissions, breadth, unowned from team_roles where id = $1", id))
	if db.NoRows(err) {
		return r, ErrNoRole
	}
	if err != nil {
		return r, fmt.Errorf("read role: %w", err)
	}
	return r, nil
}

func (s store) roles(ctx context.Context) ([]Role, error) {
	rows, err := s.db.Query(ctx, "select id, name, permissions, breadth, unowned from team_roles order by created_at, id")
	return db.Collect(rows, err, func(r *sql.Rows) (Role, error) { return scanRole(r) })
}

func (s store) usersByRole(ctx context.Context) (map[string]int, error) {
	rows, err := s.db.Query(ctx, "select role, count(*) from team_users where state <> 'deleted' group by role")
	out := map[string]int{}
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var role string
		var n int
		err := r.Scan(&role, &n)
		out[role] = n
		return struct{}{}, err
	})
	return out, err
}

// putRole inserts or replaces a custom role.
func (s store) putRole(ctx context.Context, r Role, nameKey string, now int64) error {
	perms, err := json.Marshal(r.Permissions)
	if err != nil {
		return fmt.Errorf("write permissions: %w", err)
	}
	_, err = s.db.Exec(ctx, `insert into team_roles (id, name, name_key, permissions, breadth, unowned, created_at, updated_at) values ($1,$2,$3,$4,$5,$6,$7,$7)
		on conflict (id) do update set name = $2, name_key = $3, permissions = $4, breadth = $5, unowned = $6, updated_at = $7`,
		r.ID, r.Name, nameKey, string(perms), string(r.Scope.Breadth), flag(r.Scope.Unowned), now)
	return err
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (s store) roleInUse(ctx context.Context, id string) (bool, error) {
	var n int
	err := s.db.QueryRow(ctx, `select (select count(*) from team_users where role = $1 and state <> 'deleted') +
		(select count(*) from team_tokens where role = $1 and revoked_at = 0)`, id).Scan(&n)
	return n > 0, err
}

func (s store) deleteRole(ctx context.Context, id string) error {
	_, err := s.db.Exec(ctx, "delete from team_roles where id = $1", id)
	return err
}

// ---- settings

func (s store) settings(ctx context.Context) (Settings, error) {
	var v Settings
	var lang string
	err := s.db.QueryRow(ctx, "select company, timezone, currency, language from team_settings where id = 1").Scan(&v.Company, &v.Timezone, &v.Currency, &lang)
	v.Language = i18n.Lang(lang)
	if err != nil {
		return v, fmt.Errorf("read settings: %w", err)
	}
	return v, nil
}

func (s store) setSettings(ctx context.Context, v Settings, now int64) error {
	_, err := s.db.Exec(ctx, "update team_settings set company = $1, timezone = $2, currency = $3, language = $4, updated_at = $5 where id = 1",
		v.Company, v.Timezone, v.Currency, string(v.Language), now)
	if err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	return nil
}

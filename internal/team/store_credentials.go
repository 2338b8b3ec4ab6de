package team

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// ---- sessions

const sessionColumns = "id, user_id, ip, user_agent, created_at, last_seen_at"

func scanSession(row interface{ Scan(...any) error }) (Session, error) {
	var v Session
	var created, seen int64
	err := row.Scan(&v.ID, &v.UserID, &v.IP, &v.UserAgent, &created, &seen)
	v.CreatedAt, v.LastSeenAt = clock.FromMs(created), clock.FromMs(seen)
	return v, err
}

func (s store) insertSession(ctx context.Context, v Session, hash string) error {
	_, err := s.db.Exec(ctx, "insert into team_sessions (id, hash, user_id, created_at, last_seen_at, ip, user_agent) values ($1,$2,$3,$4,$5,$6,$7)",
		v.ID, hash, v.UserID, clock.Ms(v.CreatedAt), clock.Ms(v.LastSeenAt), v.IP, v.UserAgent)
	if err != nil {
		return fmt.Errorf("insert session: %w", err)
	}
	return nil
}

func (s store) sessionByHash(ctx context.Context, hash string) (Session, error) {
	v, err := scanSession(s.db.QueryRow(ctx, "select "+sessionColumns+" from team_sessions where hash = $1", hash))
	if db.NoRows(err) {
		return v, ErrExpired
	}
	if err != nil {
		return v, fmt.Errorf("read session: %w", err)
	}
	return v, nil
}

// sessionsOf lists the living ones, used last first.
func (s store) sessionsOf(ctx context.Context, userID string, seenAfter, createdAfter int64) ([]Session, error) {
	rows, err := s.db.Query(ctx, "select "+sessionColumns+" from team_sessions where user_id = $1 and last_seen_at > $2 and created_at > $3 order by last_seen_at desc, id desc",
		userID, seenAfter, createdAfter)
	return db.Collect(rows, err, func(r *sql.Rows) (Session, error) { return scanSession(r) })
}

// endSession deletes one session of a user; false when it is not theirs.
func (s store) endSession(ctx context.Context, userID, id string) (bool, error) {
	n, err := s.db.ExecN(ctx, "delete from team_sessions where id = $1 and user_id = $2", id, userID)
	return n > 0, err
}

// endSessions deletes a user's sessions but the one to keep ("" keeps none).
func (s store) endSessions(ctx context.Context, userID, keep string) (int64, error) {
	n, err := s.db.ExecN(ctx, "delete from team_sessions where user_id = $1 and id <> $2", userID, keep)
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return n, nil
}

// trimSessions keeps a user's newest ones.
func (s store) trimSessions(ctx context.Context, userID string, keep int) error {
	_, err := s.db.Exec(ctx, `delete from team_sessions where user_id = $1 and id not in
		(select id from team_sessions where user_id = $1 order by last_seen_at desc, id desc limit $2)`, userID, keep)
	return err
}

// sweep removes sessions that have ended and attempts long past.
func (s store) sweep(ctx context.Context, seenBefore, createdBefore, attemptsBefore int64) error {
	if _, err := s.db.Exec(ctx, "delete from team_sessions where last_seen_at <= $1 or created_at <= $2", seenBefore, createdBefore); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, "delete from team_throttle where last_at <= $1", attemptsBefore)
	return err
}

// touch moves a last-used time forward; a session's user with it.
func (s store) touch(ctx context.Context, t touch, at int64) error {
	switch t.kind {
	case touchToken:
		_, err := s.db.Exec(ctx, "update team_tokens set last_used_at = $1 where id = $2 and last_used_at < $1", at, t.id)
		return err
	case touchKey:
		_, err := s.db.Exec(ctx, "update team_write_keys set last_used_at = $1 where id = $2 and last_used_at < $1", at, t.id)
		return err
	}
	if _, err := s.db.Exec(ctx, "update team_users set last_seen_at = $1 where last_seen_at < $1 and id = (select user_id from team_sessions where id = $2)", at, t.id); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, "update team_sessions set last_seen_at = $1 where id = $2 and last_seen_at < $1", at, t.id)
	return err
}

// ---- tokens

const tokenColumns = "id, name, role, prefix, created_by_id, created_by_name, created_at, last_used_at, expires_at, revoked_at"

func scanToken(row interface{ Scan(...any) error }) (Token, error) {
	var v Token
	var created, used, expires, revoked int64
	err := row.Scan(&v.ID, &v.Name, &v.Role, &v.Prefix, &v.CreatedBy.ID, &v.CreatedBy.Name, &created, &used, &expires, &revoked)
	v.CreatedAt, v.LastUsedAt, v.ExpiresAt, v.RevokedAt = clock.FromMs(created), clock.FromMs(used), clock.FromMs(expires), clock.FromMs(revoked)
	return v, err
}

func (s store) insertToken(ctx context.Context, v Token, hash string) error {
	_, err := s.db.Exec(ctx, `insert into team_tokens (id, name, role, hash, prefix, created_by_id, created_by_name, created_at, last_used_at, expires_at, revoked_at)
		values ($1,$2,$3,$4,$5,$6,$7,$8,0,$9,0)`, v.ID, v.Name, v.Role, hash, v.Prefix, v.CreatedBy.ID, v.CreatedBy.Name, clock.Ms(v.CreatedAt), clock.Ms(v.ExpiresAt))
	if err != nil {
		return fmt.Errorf("insert token: %w", err)
	}
	return nil
}

func (s store) token(ctx context.Context, where, value string, missing error) (Token, error) {
	v, err := scanToken(s.db.QueryRow(ctx, "select "+tokenColumns+" from team_tokens where "+where+" = $1", value))
	if db.NoRows(err) {
		return v, missing
	}
	if err != nil {
		return v, fmt.Errorf("read token: %w", err)
	}
	return v, nil
}

func (s store) tokens(ctx context.Context) ([]Token, error) {
	rows, err := s.db.Query(ctx, "select "+tokenColumns+" from team_tokens order by created_at desc, id desc")
	return db.Collect(rows, err, func(r *sql.Rows) (Token, error) { return scanToken(r) })
}

func (s store) revokeToken(ctx context.Context, id string, now int64) (bool, error) {
	n, err := s.db.ExecN(ctx, "update team_tokens set revoked_at = $1 where id = $2 and revoked_at = 0", now, id)
	return n > 0, err
}

// ---- write keys

const keyColumns = "id, name, source, prefix, created_by_id, created_by_name, created_at, last_used_at, revoked_at"

func scanKey(row interface{ Scan(...any) error }) (WriteKey, error) {
	var v WriteKey
	var created, used, revoked int64
	err := row.Scan(&v.ID, &v.Name, &v.Source, &v.Prefix, &v.CreatedBy.ID, &v.CreatedBy.Name, &created, &used, &revoked)
	v.CreatedAt, v.LastUsedAt, v.RevokedAt = clock.FromMs(created), clock.FromMs(used), clock.FromMs(revoked)
	return v, err
}

func (s store) insertKey(ctx context.Context, v WriteKey, hash string) error {
	_, err := s.db.Exec(ctx, `insert into team_write_keys (id, name, source, hash, prefix, created_by_id, created_by_name, created_at, last_used_at, revoked_at)
		values ($1,$2,$3,$4,$5,$6,$7,$8,0,0)`, v.ID, v.Name, v.Source, hash, v.Prefix, v.CreatedBy.ID, v.CreatedBy.Name, clock.Ms(v.CreatedAt))
	if err != nil {
		return fmt.Errorf("insert write key: %w", err)
	}
	return nil
}

func (s store) key(ctx context.Context, where, value string, missing error) (WriteKey, error) {
	v, err := scanKey(s.db.QueryRow(ctx, "select "+keyColumns+" from team_write_keys where "+where+" = $1", value))
	if db.NoRows(err) {
		return v, missing
	}
	if err != nil {
		return v, fmt.Errorf("read write key: %w", err)
	}
	return v, nil
}

func (s store) keys(ctx context.Context) ([]WriteKey, error) {
	rows, err := s.db.Query(ctx, "select "+keyColumns+" from team_write_keys order by created_at desc, id desc")
	return db.Collect(rows, err, func(r *sql.Rows) (WriteKey, error) { return scanKey(r) })
}

func (s store) revokeKey(ctx context.Context, id string, now int64) (bool, error) {
	n, err := s.db.ExecN(ctx, "update team_write_keys set revoked_at = $1 where id = $2 and revoked_at = 0", now, id)
	return n > 0, err
}

// ---- throttle

type attempts struct{ failures, last, blockedUntil int64 }

// lockAttempts reads one counter and keeps others from it until the transaction ends.
func (s store) lockAttempts(ctx context.Context, key string, now int64) (attempts, error) {
	if _, err := s.db.Exec(ctx, "insert into team_throttle (key, failures, last_at, blocked_until) values ($1,0,$2,0) on conflict (key) do nothing", key, now); err != nil {
		return attempts{}, err
	}
	var a attempts
	err := s.db.QueryRow(ctx, s.db.Pick(
		"select failures, last_at, blocked_until from team_throttle where key = $1",
		"select failures, last_at, blocked_until from team_throttle where key = $1 for update"), key).Scan(&a.failures, &a.last, &a.blockedUntil)
	return a, err
}

func (s store) setAttempts(ctx context.Context, key string, a attempts) error {
	_, err := s.db.Exec(ctx, "update team_throttle set failures = $1, last_at = $2, blocked_until = $3 where key = $4", a.failures, a.last, a.blockedUntil, key)
	return err
}

func (s store) forgive(ctx context.Context, account, address string) error {
	if _, err := s.db.Exec(ctx, "delete from team_throttle where key = $1", account); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, "update team_throttle set failures = failures - 1, blocked_until = 0 where key = $1 and failures > 0", address)
	return err
}

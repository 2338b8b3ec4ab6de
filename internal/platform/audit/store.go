package audit

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "audit", FS: sub}
}

type store struct{ db *db.DB }

// head is the end of the chain; seq 0 when there is no entry.
type head struct {
	seq, at    int64
	hash, seal string
}

// lockHead reads the head and keeps others from it until the transaction ends.
// SQLite's transaction is the only writer anyway.
func (s store) lockHead(ctx context.Context) (head, error) {
	var h head
	err := s.db.QueryRow(ctx, s.db.Pick(
		"select seq, at, hash, seal from audit_head where id = 1",
		"select seq, at, hash, seal from audit_head where id = 1 for update")).Scan(&h.seq, &h.at, &h.hash, &h.seal)
	if !db.NoRows(err) {
		return h, err
	}
	// Someone removed the row. Make an unsealed one, so that the loss shows
	// (an empty chain's head is only sound when nothing was ever written).
	if _, err := s.db.Exec(ctx, `insert into audit_head (id, seq, at, hash, seal)
		select 1, coalesce(max(seq), 0), coalesce(max(at), 0), '', 'lost' from audit_log where true on conflict (id) do nothing`); err != nil {
		return h, fmt.Errorf("restore head: %w", err)
	}
	err = s.db.QueryRow(ctx, s.db.Pick(
		"select seq, at, hash, seal from audit_head where id = 1",
		"select seq, at, hash, seal from audit_head where id = 1 for update")).Scan(&h.seq, &h.at, &h.hash, &h.seal)
	return h, err
}

func (s store) setHead(ctx context.Context, h head) error {
	_, err := s.db.Exec(ctx, "update audit_head set seq = $1, at = $2, hash = $3, seal = $4 where id = 1", h.seq, h.at, h.hash, h.seal)
	if err != nil {
		return fmt.Errorf("move head: %w", err)
	}
	return nil
}

const columns = "seq, at, actor_id, actor_name, actor_kind, action, object_type, object_id, object_name, detail, ip, request_id, prev, hash, seal"

func (s store) insert(ctx context.Context, e *Entry) error {
	_, err := s.db.Exec(ctx, "insert into audit_log ("+columns+") values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)",
		e.Seq, clock.Ms(e.At), e.Actor.ID, e.Actor.Name, e.Actor.Kind, e.Action, e.Object.Type, e.Object.ID, e.Object.Name,
		string(e.Detail), e.IP, e.RequestID, e.Prev, e.Hash, e.seal)
	if err != nil {
		return fmt.Errorf("insert entry: %w", err)
	}
	return nil
}

func scan(rows *sql.Rows) (Entry, error) {
	var e Entry
	var at int64
	var detail string
	err := rows.Scan(&e.Seq, &at, &e.Actor.ID, &e.Actor.Name, &e.Actor.Kind, &e.Action, &e.Object.Type, &e.Object.ID, &e.Object.Name,
		&detail, &e.IP, &e.RequestID, &e.Prev, &e.Hash, &e.seal)
	e.At, e.Detail = clock.FromMs(at), []byte(detail)
	return e, err
}

func (s store) list(ctx context.Context, f Filter) ([]Entry, error) {
	var where []string
	var args []any
	and := func(cond string, v any) {
		args = append(args, v)
		where = append(where, strings.ReplaceAll(cond, "?", fmt.Sprintf("$%d", len(args))))
	}
	if f.ActorID != "" {
		and("actor_id = ?", f.ActorID)
	}
	if f.Action != "" {
		and("action >= ?", f.Action)
		and("action < ?", f.Action+"\U0010FFFF")
	}
	if f.ObjectType != "" {
		and("object_type = ?", f.ObjectType)
	}
	if f.ObjectID != "" {
		and("object_id = ?", f.ObjectID)
	}
	// Times never run backwards in the log, so a range of times is a range of numbers.
	if !f.From.IsZero() {
		and("seq >= coalesce((select seq from audit_log where at >= ? order by at, seq limit 1), 9223372036854775807)", clock.Ms(f.From))
	}
	if !f.To.IsZero() {
		and("seq < coalesce((select seq from audit_log where at >= ? order by at, seq limit 1), 9223372036854775807)", clock.Ms(f.To))
	}
	if f.Before > 0 {
		and("seq < ?", f.Before)
	}
	q := "select " + columns + " from audit_log"
	if len(where) > 0 {
		q += " where " + strings.Join(where, " and ")
	}
	args = append(args, f.Limit)
	rows, err := s.db.Query(ctx, q+fmt.Sprintf(" order by seq desc limit $%d", len(args)), args...)
	return db.Collect(rows, err, scan)
}

// after reads entries in order of the chain.
func (s store) after(ctx context.Context, seq, upTo int64, limit int) ([]Entry, error) {
	rows, err := s.db.Query(ctx, "select "+columns+" from audit_log where seq > $1 and seq <= $2 order by seq limit $3", seq, upTo, limit)
	return db.Collect(rows, err, scan)
}

// last is the end of the entries themselves, whatever the head says; seq 0 for none.
func (s store) last(ctx context.Context) (head, error) {
	var h head
	err := s.db.QueryRow(ctx, "select seq, at, hash from audit_log order by seq desc limit 1").Scan(&h.seq, &h.at, &h.hash)
	if db.NoRows(err) {
		err = nil
	}
	return h, err
}

// extent reads the head and the last entry at one moment.
func (s store) extent(ctx context.Context) (h head, last int64, err error) {
	err = s.db.QueryRow(ctx, "select h.seq, h.at, h.hash, h.seal, (select coalesce(max(seq), 0) from audit_log) from audit_head h where h.id = 1").
		Scan(&h.seq, &h.at, &h.hash, &h.seal, &last)
	if db.NoRows(err) {
		err = s.db.QueryRow(ctx, "select coalesce(max(seq), 0) from audit_log").Scan(&last)
		h = head{seal: "lost"}
	}
	return h, last, err
}

package duckdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
)

// hashChunk is how many hashes MessageHashes reads at a time.
const hashChunk = 50_000

// maxRows bounds the rows of one answer when the question does not.
const maxRows = 10_000

// Timeline implements analytics.Store.
func (s *Store) Timeline(ctx context.Context, q analytics.TimelineQuery) (out []analytics.Row, err error) {
	err = s.read(ctx, "read timeline", func(st *state) error {
		sel := selectFacts(st, q.Filter)
		if c := q.Before; c != nil {
			sel.and(fmt.Sprintf("(f.ts < %[1]d OR f.ts = %[1]d AND (f.seq < %[2]d OR f.seq = %[2]d AND f.idx < %[3]d))",
				c.Timestamp, c.Position.Seq, c.Position.Idx))
			// Said again alone: only a plain comparison skips blocks of the file.
			sel.and(fmt.Sprintf("f.ts <= %d", c.Timestamp))
		}
		person := sel.person()
		if q.Contact != 0 {
			person = strconv.FormatInt(q.Contact, 10)
			sel.people = false
		}
		query := "SELECT " + person + ", " + fieldList("f.") + sel.from() +
			" ORDER BY f.ts DESC, f.seq DESC, f.idx DESC LIMIT " + strconv.Itoa(limit(q.Limit))
		out, err = s.rows(ctx, query, sel.args)
		return err
	})
	return out, err
}

// After implements analytics.Store.
func (s *Store) After(ctx context.Context, pos event.Position, n int) (out []analytics.Row, err error) {
	err = s.look(ctx, "read facts after a position", func(*state) error {
		seq := strconv.FormatUint(pos.Seq, 10)
		query := "SELECT f.contact, " + fieldList("f.") + " FROM facts f" +
			" WHERE f.seq >= " + seq + " AND (f.seq > " + seq + " OR f.idx > " + strconv.FormatUint(uint64(pos.Idx), 10) + ")" +
			" ORDER BY f.seq, f.idx LIMIT " + strconv.Itoa(limit(n))
		out, err = s.rows(ctx, query, nil)
		return err
	})
	return out, err
}

func limit(n int) int {
	if n <= 0 {
		return maxRows
	}
	return n
}

func (s *Store) rows(ctx context.Context, query string, args []any) (out []analytics.Row, err error) {
	var r rowScan
	err = ask(ctx, s.readDB, query, args, func(scan func(...any) error) error {
		row, err := r.read(scan)
		if err != nil {
			return err
		}
		out = append(out, row)
		return nil
	})
	return out, err
}

// rowScan reads the person and then fields.
type rowScan struct {
	row                                                       analytics.Row
	contact                                                   int64
	hash                                                      uint64
	typ                                                       string
	user, anonymous, ids, importID, props, traits, contextual sql.NullString
}

func (r *rowScan) read(scan func(...any) error) (analytics.Row, error) {
	r.row = analytics.Row{}
	err := scan(&r.row.Contact, &r.row.Position.Seq, &r.row.Position.Idx, &r.contact, &r.typ, &r.row.Name,
		&r.row.Timestamp, &r.row.ReceivedAt, &r.row.MessageID, &r.hash, &r.user, &r.anonymous, &r.ids,
		&r.row.Source, &r.row.Channel, &r.importID, &r.props, &r.traits, &r.contextual)
	if err != nil {
		return r.row, err
	}
	r.row.Type = event.Type(r.typ)
	r.row.UserID, r.row.AnonymousID, r.row.ImportID = r.user.String, r.anonymous.String, r.importID.String
	r.row.Properties, r.row.Traits, r.row.Context = raw(r.props), raw(r.traits), raw(r.contextual)
	if r.ids.Valid {
		var ids rowIDs
		if err := json.Unmarshal([]byte(r.ids.String), &ids); err != nil {
			return r.row, fmt.Errorf("identifiers of fact %s: %w", r.row.MessageID, err)
		}
		r.row.PreviousID, r.row.GroupID, r.row.Identifiers, r.row.Fact.Contact = ids.Previous, ids.Group, ids.Identifiers, ids.Contact
	}
	return r.row, nil
}

func raw(s sql.NullString) json.RawMessage {
	if !s.Valid {
		return nil
	}
	return json.RawMessage(s.String)
}

// Seen implements analytics.Store.
func (s *Store) Seen(ctx context.Context, since time.Time, messageIDs []string) (map[string]bool, error) {
	seen := make(map[string]bool)
	if len(messageIDs) == 0 {
		return seen, nil
	}
	asked := make(map[string][]string, len(messageIDs)) // as stored → as asked
	hashes := make([]uint64, len(messageIDs))
	for i, id := range messageIDs {
		stored := clean(id)
		asked[stored] = append(asked[stored], id)
		hashes[i] = analytics.HashMessageID(stored)
	}
	err := s.look(ctx, "look up message ids", func(*state) error {
		query := "SELECT mid FROM facts WHERE received >= $1 AND mid_hash IN (SELECT unnest($2::UBIGINT[]))"
		return ask(ctx, s.readDB, query, []any{sinceMs(since), hashes}, func(scan func(...any) error) error {
			var mid string
			if err := scan(&mid); err != nil {
				return err
			}
			for _, id := range asked[mid] {
				seen[id] = true
			}
			return nil
		})
	})
	return seen, err
}

// MessageHashes implements analytics.Store. It pages by position, so that it
// never holds more than a chunk and other questions get their turn in between.
func (s *Store) MessageHashes(ctx context.Context, since time.Time, fn func(hashes []uint64, newest int64) error) error {
	var at event.Position
	for {
		hashes := make([]uint64, 0, hashChunk)
		var newest int64
		err := s.look(ctx, "read message hashes", func(*state) error {
			query := fmt.Sprintf(`SELECT seq, idx, mid_hash, received FROM facts
				WHERE received >= $1 AND seq >= %[1]d AND (seq > %[1]d OR idx > %[2]d)
				ORDER BY seq, idx LIMIT %[3]d`, at.Seq, at.Idx, hashChunk)
			return ask(ctx, s.readDB, query, []any{sinceMs(since)}, func(scan func(...any) error) error {
				var hash uint64
				var received int64
				if err := scan(&at.Seq, &at.Idx, &hash, &received); err != nil {
					return err
				}
				hashes = append(hashes, hash)
				newest = max(newest, received)
				return nil
			})
		})
		if err != nil || len(hashes) == 0 {
			return err
		}
		if err := fn(hashes, newest); err != nil {
			return err
		}
		if len(hashes) < hashChunk {
			return nil
		}
	}
}

func sinceMs(t time.Time) int64 { return clock.Ms(t) }

// Position implements analytics.Store.
func (s *Store) Position(ctx context.Context) (pos event.Position, err error) {
	err = s.look(ctx, "read analytics position", func(*state) error {
		return s.readDB.QueryRowContext(ctx, "SELECT seq, idx FROM store").Scan(&pos.Seq, &pos.Idx)
	})
	return pos, err
}

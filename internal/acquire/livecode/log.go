package livecode

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Entry is one line of a code's log.
type Entry struct {
	At     time.Time      `json:"at"`
	Kind   string         `json:"kind" enum:"created,changed,offline,online,archived,restored,way,fault,mended" doc:"way: whom the platform lets people meet changed; fault: the platform refused; mended: it no longer does"`
	By     string         `json:"by,omitempty" doc:"Name of the one who did it; left out: the program"`
	Detail map[string]any `json:"detail,omitempty"`
	n      int64
}

// note writes a line into the log of a code.
func (s *Service) note(ctx context.Context, code, kind string, detail map[string]any) error {
	if detail == nil {
		detail = map[string]any{}
	}
	raw, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("encode log: %w", err)
	}
	n, err := s.DB.Reserve(ctx, "livecode_log", 1)
	if err != nil {
		return err
	}
	by := principal(ctx)
	name := by.Name
	if kind == "way" || kind == "fault" || kind == "mended" {
		name = ""
	}
	if _, err := s.DB.Exec(ctx, "insert into livecode_log (n, code, at, kind, by_id, by_name, detail) values ($1, $2, $3, $4, $5, $6, $7)",
		n, code, clock.Ms(s.Clock.Now()), kind, by.ID, name, string(raw)); err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

// Entries are the lines of a code's log before n (0: the newest), newest first.
func (s *Service) Entries(ctx context.Context, code string, before int64, limit int) ([]Entry, error) {
	if before <= 0 {
		before = 1 << 62
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select n, at, kind, by_name, detail from livecode_log where code = $1 and n < $2 order by n desc limit %d", limit), code, before)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (e Entry, err error) {
		var at int64
		var detail string
		if err = r.Scan(&e.n, &at, &e.Kind, &e.By, &detail); err != nil {
			return e, err
		}
		e.At = clock.FromMs(at)
		return e, json.Unmarshal([]byte(detail), &e.Detail)
	})
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	return list, nil
}

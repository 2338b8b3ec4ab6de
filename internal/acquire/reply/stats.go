package reply

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Count is how often something was.
type Count struct {
	Key    string `json:"key" doc:"Day YYYY-MM-DD, or a word of the rule"`
	Sent   int64  `json:"sent"`
	People int64  `json:"people"`
}

// Stats are the books of a rule over some days.
type Stats struct {
	From   string  `json:"from"`
	To     string  `json:"to" doc:"Included"`
	Sent   int64   `json:"sent"`
	People int64   `json:"people" doc:"Different people, by the platform's id"`
	Days   []Count `json:"days" doc:"Those on which it answered"`
	Words  []Count `json:"words" doc:"By the word that fitted, the most frequent first"`
}

// Stats counts what a rule answered from a day to another.
func (s *Service) Stats(ctx context.Context, id, from, to string) (Stats, error) {
	out := Stats{Days: []Count{}, Words: []Count{}}
	a, b, err := httpx.Days(s.Clock.Now().In(s.zone(ctx)), from, to)
	if err != nil {
		return out, err
	}
	if _, err := s.rule(ctx, id); err != nil {
		return out, err
	}
	out.From, out.To = a.Format(time.DateOnly), b.Format(time.DateOnly)
	where := " from reply_sent where rule = $1 and day >= $2 and day <= $3"
	args := []any{id, clock.DayNumber(a), clock.DayNumber(b)}
	if err := s.DB.QueryRow(ctx, "select count(*), count(distinct person)"+where, args...).Scan(&out.Sent, &out.People); err != nil {
		return out, fmt.Errorf("count auto-replies: %w", err)
	}
	rows, err := s.DB.Query(ctx, "select day, count(*), count(distinct person)"+where+" group by day order by day", args...)
	if out.Days, err = db.Collect(rows, err, func(r *sql.Rows) (c Count, err error) {
		var day int64
		err = r.Scan(&day, &c.Sent, &c.People)
		c.Key = dateOf(day)
		return c, err
	}); err != nil {
		return out, fmt.Errorf("count auto-replies by day: %w", err)
	}
	rows, err = s.DB.Query(ctx, "select word, count(*) as n, count(distinct person)"+where+" and word <> '' group by word order by n desc, word limit 50", args...)
	if out.Words, err = db.Collect(rows, err, func(r *sql.Rows) (c Count, err error) { return c, r.Scan(&c.Key, &c.Sent, &c.People) }); err != nil {
		return out, fmt.Errorf("count auto-replies by word: %w", err)
	}
	if out.Days == nil {
		out.Days = []Count{}
	}
	if out.Words == nil {
		out.Words = []Count{}
	}
	return out, nil
}

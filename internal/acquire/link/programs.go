package link

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Programs is how often programs opened a link on a day, beside people.
type Programs struct {
	Code, Title, Channel, Why string
	Opens, People             int64
}

// Programs lists the links that programs opened on a day of the company's calendar;
// Why is how most of them were told apart.
func (s *Service) Programs(ctx context.Context, day string, from, to time.Time) ([]Programs, error) {
	rows, err := s.DB.Query(ctx, "select code, why, n from link_noise where day = $1 and why <> $2 and code <> '' order by code, n desc, why", day, lost)
	lines, err := db.Collect(rows, err, func(r *sql.Rows) (p Programs, err error) { return p, r.Scan(&p.Code, &p.Why, &p.Opens) })
	if err != nil {
		return nil, fmt.Errorf("read openings by programs: %w", err)
	}
	var out []Programs
	for _, l := range lines {
		if n := len(out); n > 0 && out[n-1].Code == l.Code {
			out[n-1].Opens += l.Opens
			continue
		}
		out = append(out, l)
	}
	s.mu.RLock()
	for i := range out {
		if x := s.links[out[i].Code]; x != nil {
			out[i].Title, out[i].Channel = x.title, x.channel
		}
	}
	s.mu.RUnlock()
	people := map[string]int64{}
	rows, err = s.DB.Query(ctx, "select code, count(*) from link_opens where at >= $1 and at < $2 group by code", clock.Ms(from), clock.Ms(to))
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var code string
		var n int64
		err = r.Scan(&code, &n)
		people[code] = n
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("count openings of a day: %w", err)
	}
	for i := range out {
		out[i].People = people[out[i].Code]
	}
	return out, nil
}

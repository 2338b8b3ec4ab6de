package page

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/db"
)

// Programs is what programs did at a page on a day, beside people.
type Programs struct {
	Page, Title, Channel, Why string
	Times, People             int64
}

// Programs lists the pages to which programs came on a day of the company's
// calendar; Why is how most of them were told apart.
func (s *Service) Programs(ctx context.Context, day string, from, to time.Time) ([]Programs, error) {
	rows, err := s.DB.Query(ctx, "select n.page, p.title, p.channel, n.why, n.n from page_noise n join pages p on p.id = n.page where n.day = $1 order by n.page, n.n desc, n.why", day)
	lines, err := db.Collect(rows, err, func(r *sql.Rows) (p Programs, err error) {
		return p, r.Scan(&p.Page, &p.Title, &p.Channel, &p.Why, &p.Times)
	})
	if err != nil {
		return nil, fmt.Errorf("read what programs did: %w", err)
	}
	var out []Programs
	for _, l := range lines {
		if n := len(out); n > 0 && out[n-1].Page == l.Page {
			out[n-1].Times += l.Times
			continue
		}
		out = append(out, l)
	}
	if len(out) == 0 {
		return nil, nil
	}
	views, err := s.by(ctx, "", "page", from, to)
	for i := range out {
		out[i].People = views[out[i].Page].Views
	}
	return out, err
}

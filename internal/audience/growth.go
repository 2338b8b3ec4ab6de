package audience

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Growth is how a segment grew, day by day.
type Growth struct {
	Days    []Day  `json:"days"`
	Marks   []Mark `json:"marks" doc:"New definitions within these days"`
	Hidden  bool   `json:"hidden,omitempty" doc:"It speaks of everybody, and the caller sees some people only"`
	Entered int64  `json:"entered" doc:"Of all these days"`
	Left    int64  `json:"left"`
}

// Day is one day of a segment. Entered and left count what happened to people,
// or to a list by hand; a new definition changes the size alone.
type Day struct {
	Day     string `json:"day" doc:"YYYY-MM-DD, of the company"`
	Size    int64  `json:"size" doc:"At its end; today: now"`
	Entered int64  `json:"entered"`
	Left    int64  `json:"left"`
}

// Mark is a new definition.
type Mark struct {
	Day     string `json:"day"`
	Version int64  `json:"version"`
	By      string `json:"by"`
}

// Growth tells how a segment grew over the last days, today included. Days
// before it was made are left out.
func (s *Service) Growth(ctx context.Context, id string, days int) (Growth, error) {
	out := Growth{Days: []Day{}, Marks: []Mark{}}
	g, err := s.get(ctx, id)
	if err != nil {
		return out, err
	}
	if !principal(ctx).Scope.All {
		out.Hidden = true
		return out, nil
	}
	zone := s.zone(ctx)
	today := s.Clock.Now().In(zone)
	first := time.Date(today.Year(), today.Month(), today.Day()-days+1, 0, 0, 0, 0, zone)
	rows, err := s.DB.Query(ctx, "select day, size, entered, went from segment_days where segment = $1 and day >= $2 order by day", id, first.Format(time.DateOnly))
	list, err := db.Collect(rows, err, func(r *sql.Rows) (d Day, err error) { return d, r.Scan(&d.Day, &d.Size, &d.Entered, &d.Left) })
	if err != nil {
		return out, fmt.Errorf("read growth: %w", err)
	}
	known := map[string]Day{}
	for _, d := range list {
		known[d.Day] = d
	}
	var size int64
	err = s.DB.QueryRow(ctx, "select size from segment_days where segment = $1 and day < $2 order by day desc limit 1", id, first.Format(time.DateOnly)).Scan(&size)
	if err != nil && !db.NoRows(err) {
		return out, fmt.Errorf("read growth: %w", err)
	}
	made := clock.FromMs(g.created).In(zone).Format(time.DateOnly)
	for at := first; !at.After(today); at = at.AddDate(0, 0, 1) {
		name := at.Format(time.DateOnly)
		if name < made {
			continue
		}
		d, ok := known[name]
		if !ok {
			d = Day{Day: name, Size: size}
		}
		size = d.Size
		out.Entered, out.Left = out.Entered+d.Entered, out.Left+d.Left
		out.Days = append(out.Days, d)
	}
	marks, err := s.DB.Query(ctx, "select at, version, by_name from segment_history where segment = $1 and action = 'defined' and at >= $2 order by nth", id, first.UnixMilli())
	out.Marks, err = db.Collect(marks, err, func(r *sql.Rows) (m Mark, err error) {
		var at int64
		err = r.Scan(&at, &m.Version, &m.By)
		m.Day = clock.FromMs(at).In(zone).Format(time.DateOnly)
		return m, err
	})
	if err != nil {
		return out, fmt.Errorf("read definitions: %w", err)
	}
	return out, nil
}

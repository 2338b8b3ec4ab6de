package page

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Filter is which facts a figure of a page counts: "viewed" or "submitted", of one
// channel or all. Whoever lists the people behind a figure asks the same.
func (s *Service) Filter(ctx context.Context, page, step, channel string, from, to time.Time) (f analytics.Filter, ok bool, err error) {
	name := map[string]string{"viewed": event.NamePageViewed, "submitted": event.NameFormSubmitted}[step]
	if name == "" {
		return f, false, nil
	}
	f = analytics.Filter{Range: analytics.Range{From: from, To: to}, Events: []string{name}, Sources: []string{sourceName}}
	if page != "" {
		f.Where = append(f.Where, analytics.Equal{Property: "page", Value: page})
	}
	if channel == contact.Unknown {
		f.Where = append(f.Where, analytics.Equal{Property: "channel"})
	} else if channel != "" {
		f.Where = append(f.Where, analytics.Equal{Property: "channel", Value: channel})
	}
	if s.Fakes != nil {
		f.Except, err = s.Fakes.Fakes(ctx)
	}
	return f, true, err
}

// by counts views and forms by a property.
func (s *Service) by(ctx context.Context, page, property string, from, to time.Time) (map[string]Figures, error) {
	out := map[string]Figures{}
	for _, step := range []string{"viewed", "submitted"} {
		f, _, err := s.Filter(ctx, page, step, "", from, to)
		if err != nil {
			return nil, err
		}
		rows, err := s.Store.Totals(ctx, analytics.TotalsQuery{Filter: f, GroupBy: property})
		if err != nil {
			return nil, fmt.Errorf("count at landing pages: %w", err)
		}
		for _, r := range rows {
			x := out[r.Key]
			if step == "viewed" {
				x.Views, x.Visitors = r.Count, r.People
			} else {
				x.Submits, x.People = r.Count, r.People
			}
			out[r.Key] = x
		}
	}
	return out, nil
}

// Stats answers for a page and a period.
func (s *Service) Stats(ctx context.Context, id string, from, to time.Time) (Stats, error) {
	out := Stats{Channels: []Line{}, Days: []Line{}, Noise: []Noise{}}
	if _, err := s.reread(ctx, id); err != nil {
		return out, err
	}
	all, err := s.by(ctx, id, "", from, to)
	if err != nil {
		return out, err
	}
	out.Total = all[""].rated()
	channels, err := s.by(ctx, id, "channel", from, to)
	if err != nil {
		return out, err
	}
	for key, f := range channels {
		l := Line{Key: cmp.Or(key, contact.Unknown), Figures: f.rated()}
		l.Name = s.Channels.Called(ctx, l.Key)
		out.Channels = append(out.Channels, l)
	}
	slices.SortFunc(out.Channels, func(a, b Line) int {
		return cmp.Or(cmp.Compare(b.Visitors, a.Visitors), cmp.Compare(a.Key, b.Key))
	})
	if out.Days, err = s.days(ctx, id, from, to); err != nil {
		return out, err
	}
	if out.Seconds, out.Told, err = s.looked(ctx, id, from, to); err != nil {
		return out, err
	}
	zone := s.Zone(ctx)
	rows, err := s.DB.Query(ctx, "select why, sum(n) from page_noise where page = $1 and day >= $2 and day <= $3 group by why order by why", id,
		from.In(zone).Format(time.DateOnly), to.Add(-time.Millisecond).In(zone).Format(time.DateOnly))
	list, err := db.Collect(rows, err, func(r *sql.Rows) (n Noise, err error) { return n, r.Scan(&n.Why, &n.N) })
	if err != nil {
		return out, fmt.Errorf("read what programs did: %w", err)
	}
	out.Noise = append(out.Noise, list...)
	return out, nil
}

func (s *Service) days(ctx context.Context, id string, from, to time.Time) ([]Line, error) {
	var lines []Line
	zone := s.Zone(ctx)
	for _, step := range []string{"viewed", "submitted"} {
		for _, m := range []analytics.Measure{analytics.MeasureCount, analytics.MeasurePeople} {
			f, _, err := s.Filter(ctx, id, step, "", from, to)
			if err != nil {
				return nil, err
			}
			t, err := s.Store.Trend(ctx, analytics.TrendQuery{Filter: f, Measure: m, Interval: analytics.Day, Timezone: zone})
			if err != nil {
				return nil, fmt.Errorf("count days of a landing page: %w", err)
			}
			if lines == nil {
				for _, b := range t.Buckets {
					lines = append(lines, Line{Key: b.In(zone).Format(time.DateOnly)})
				}
			}
			if len(t.Series) == 0 {
				continue
			}
			for i, v := range t.Series[0].Values[:min(len(lines), len(t.Series[0].Values))] {
				l := &lines[i]
				switch {
				case step == "viewed" && m == analytics.MeasureCount:
					l.Views = int64(v)
				case step == "viewed":
					l.Visitors = int64(v)
				case m == analytics.MeasureCount:
					l.Submits = int64(v)
				default:
					l.People = int64(v)
				}
			}
		}
	}
	for i := range lines {
		lines[i].Figures = lines[i].Figures.rated()
	}
	return append([]Line{}, lines...), nil
}

// looked is the median of how long visitors looked.
func (s *Service) looked(ctx context.Context, id string, from, to time.Time) (median float64, told int64, err error) {
	f := analytics.Filter{Range: analytics.Range{From: from, To: to}, Events: []string{event.NamePageLeft}, Sources: []string{sourceName}, Where: []analytics.Equal{{Property: "page", Value: id}}}
	rows, err := s.Store.Totals(ctx, analytics.TotalsQuery{Filter: f, GroupBy: "seconds"})
	if err != nil {
		return 0, 0, fmt.Errorf("read how long visitors looked: %w", err)
	}
	type length struct {
		seconds float64
		n       int64
	}
	var list []length
	for _, r := range rows {
		var v float64
		if _, err := fmt.Sscan(r.Key, &v); err == nil {
			list = append(list, length{v, r.Count})
			told += r.Count
		}
	}
	slices.SortFunc(list, func(a, b length) int { return cmp.Compare(a.seconds, b.seconds) })
	left := (told + 1) / 2
	for _, l := range list {
		if left -= l.n; left <= 0 {
			return l.seconds, told, nil
		}
	}
	return 0, told, nil
}

// List gives pages, the newest first, with the figures of the last thirty days.
func (s *Service) List(ctx context.Context, text, state string) ([]Row, error) {
	now := s.Clock.Now()
	figures, err := s.by(ctx, "", "page", now.AddDate(0, 0, -30), now.Add(time.Minute))
	if err != nil {
		return nil, err
	}
	rows, err := s.DB.Query(ctx, "select "+rowColumns+rowTables+" order by p.created_at desc, p.id desc")
	list, err := db.Collect(rows, err, scanRow)
	if err != nil {
		return nil, fmt.Errorf("list landing pages: %w", err)
	}
	s.keep(list...)
	text = strings.ToLower(text)
	out := []Row{}
	for _, x := range list {
		if text != "" && !strings.Contains(strings.ToLower(x.title+" "+x.slug), text) || state != "" && x.state(clock.Ms(now)) != state {
			continue
		}
		p, err := s.show(x)
		if err != nil {
			return nil, err
		}
		out = append(out, Row{ID: p.ID, Title: p.Title, Slug: p.Slug, Path: p.Path, URL: p.URL, Channel: p.Channel, State: p.State, Changed: p.Changed, ExpiresAt: p.ExpiresAt, CreatedAt: p.CreatedAt, By: p.By,
			Figures: figures[x.id].rated()})
	}
	return out, nil
}

// noise counts in memory what is written every few seconds.
type noise struct {
	mu sync.Mutex
	n  map[[2]string]int64 // page, why
}

func (c *noise) add(page, why string) { c.more([2]string{page, why}, 1) }

func (c *noise) more(key [2]string, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[[2]string]int64{}
	}
	c.n[key] += n
}

// flushNoise adds what was counted to the table; what cannot be written waits.
func (s *Service) flushNoise(ctx context.Context) error {
	s.noise.mu.Lock()
	n := s.noise.n
	s.noise.n = nil
	s.noise.mu.Unlock()
	if len(n) == 0 {
		return nil
	}
	day := s.Clock.Now().In(s.Zone(ctx)).Format(time.DateOnly)
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		for k, v := range n {
			_, err := s.DB.Exec(ctx, "insert into page_noise (page, day, why, n) values ($1,$2,$3,$4) on conflict (page, day, why) do update set n = page_noise.n + excluded.n", k[0], day, k[1], v)
			if err != nil {
				return fmt.Errorf("write what programs did: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		for k, v := range n {
			s.noise.more(k, v)
		}
	}
	return err
}

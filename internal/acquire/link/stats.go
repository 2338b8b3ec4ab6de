package link

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// mostParts bounds the lines of one breakdown, the largest first.
const mostParts = 20

// Filter is which facts the figures of a link count. Whoever lists the people
// behind a figure asks the same.
func (s *Service) Filter(ctx context.Context, code string, from, to time.Time) (analytics.Filter, error) {
	f := analytics.Filter{Range: analytics.Range{From: from, To: to}, Events: []string{event.NameLinkClicked}, Sources: []string{sourceName}, Where: []analytics.Equal{{Property: "link", Value: code}}}
	var err error
	if s.Fakes != nil {
		f.Except, err = s.Fakes.Fakes(ctx)
	}
	return f, err
}

// Stats answers for a link and a period, from the facts, however many there are.
// People are counted as they are today: whoever merged since counts once.
func (s *Service) Stats(ctx context.Context, code string, from, to time.Time) (Stats, error) {
	out := Stats{Days: []Count{}, Noise: []Noise{}}
	if _, err := s.reread(ctx, code); err != nil {
		return out, err
	}
	f, err := s.Filter(ctx, code, from, to)
	if err != nil {
		return out, err
	}
	all, err := s.parts(ctx, f, "")
	if err != nil {
		return out, err
	}
	if len(all) > 0 {
		out.Opens, out.People = all[0].Opens, all[0].People
	}
	known := f
	known.ContactKind = event.Person
	people, err := s.parts(ctx, known, "")
	if err != nil {
		return out, err
	}
	if len(people) > 0 {
		out.Known = people[0].People
	}
	for property, to := range map[string]*[]Count{"device": &out.Devices, "app": &out.Apps, "system": &out.Systems, "referrer": &out.Referrers} {
		if *to, err = s.parts(ctx, f, property); err != nil {
			return out, err
		}
	}
	if out.Days, err = s.days(ctx, f); err != nil {
		return out, err
	}
	zone := s.zone(ctx)
	return out, s.addNoise(ctx, code, from.In(zone).Format("2006-01-02"), to.Add(-time.Millisecond).In(zone).Format("2006-01-02"), &out)
}

// parts counts by a property, the largest first.
func (s *Service) parts(ctx context.Context, f analytics.Filter, by string) ([]Count, error) {
	rows, err := s.Store.Totals(ctx, analytics.TotalsQuery{Filter: f, GroupBy: by})
	if err != nil {
		return nil, fmt.Errorf("count openings of a link: %w", err)
	}
	out := []Count{}
	for _, r := range rows[:min(len(rows), mostParts)] {
		if r.Count > 0 {
			out = append(out, Count{r.Key, r.Count, r.People})
		}
	}
	return out, nil
}

// days counts by the day of the company's calendar; days without openings are left out.
func (s *Service) days(ctx context.Context, f analytics.Filter) ([]Count, error) {
	zone := s.zone(ctx)
	q := analytics.TrendQuery{Filter: f, Interval: analytics.Day, Timezone: zone, Measure: analytics.MeasureCount}
	opens, err := s.Store.Trend(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("count days of a link: %w", err)
	}
	q.Measure = analytics.MeasurePeople
	people, err := s.Store.Trend(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("count days of a link: %w", err)
	}
	out := []Count{}
	if len(opens.Series) == 0 || len(people.Series) == 0 {
		return out, nil
	}
	for i, b := range opens.Buckets {
		if n := int64(opens.Series[0].Values[i]); n > 0 {
			out = append(out, Count{b.In(zone).Format("2006-01-02"), n, int64(people.Series[0].Values[i])})
		}
	}
	return out, nil
}

func (s *Service) addNoise(ctx context.Context, code, from, to string, out *Stats) error {
	rows, err := s.DB.Query(ctx, "select why, sum(n) from link_noise where code = $1 and day >= $2 and day <= $3 group by why order by why", code, from, to)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (n Noise, err error) { return n, r.Scan(&n.Why, &n.N) })
	if err != nil {
		return fmt.Errorf("read openings by programs: %w", err)
	}
	for _, n := range list {
		if n.Why == lost {
			out.Lost += n.N
			continue
		}
		out.Noise = append(out.Noise, n)
	}
	return nil
}

// who knows contacts by the number that openings carry.
type who struct {
	into   map[int64]int64
	person map[int64]bool
}

func (s *Service) persons(ctx context.Context, nums map[int64]bool) (who, error) {
	w := who{into: map[int64]int64{}, person: map[int64]bool{}}
	list := make([]int64, 0, len(nums))
	for n := range nums {
		list = append(list, n)
	}
	slices.Sort(list)
	for part := range slices.Chunk(list, 5000) {
		into, err := s.Contacts.Survivors(ctx, part)
		if err != nil {
			return w, err
		}
		roots := make([]int64, 0, len(part))
		for _, n := range part {
			if into[n] != 0 {
				w.into[n] = into[n]
			}
			roots = append(roots, cmp.Or(into[n], n))
		}
		told, err := s.Contacts.Describe(ctx, roots)
		if err != nil {
			return w, err
		}
		for _, n := range roots {
			if told[n].Kind == event.Person {
				w.person[n] = true
			}
		}
	}
	return w, nil
}

type radarPlace struct {
	N int64 `json:"n"`
}

// Radar lists openings, the newest first: of one link or all, by those whom we
// know or by everybody. Whoever sees only some customers sees only their openings.
func (s *Service) Radar(ctx context.Context, code string, knownOnly bool, before int64, limit int) (items []Open, next int64, err error) {
	scope := auth.ScopeOf(ctx)
	if before == 0 {
		before = 1 << 62
	}
	for len(items) < limit {
		query, args := "select n, code, at, contact, device, app, system, referrer from link_opens where n < $1", []any{before}
		if code != "" {
			query += " and code = $2"
			args = append(args, code)
		}
		rows, err := s.DB.Query(ctx, fmt.Sprintf("%s order by n desc limit %d", query, radarStep), args...)
		type line struct {
			Open
			n, num int64
		}
		list, err := db.Collect(rows, err, func(r *sql.Rows) (l line, err error) {
			var at int64
			err = r.Scan(&l.n, &l.Code, &at, &l.num, &l.Device, &l.App, &l.System, &l.Referrer)
			l.At = clock.FromMs(at)
			return l, err
		})
		if err != nil {
			return nil, 0, fmt.Errorf("read openings of links: %w", err)
		}
		nums := map[int64]bool{}
		for _, l := range list {
			nums[l.num] = true
		}
		known, err := s.persons(ctx, nums)
		if err != nil {
			return nil, 0, err
		}
		var roots []int64
		for n := range nums {
			if r := cmp.Or(known.into[n], n); known.person[r] {
				roots = append(roots, r)
			}
		}
		if roots, err = s.Contacts.InScope(ctx, roots); err != nil {
			return nil, 0, err
		}
		refs, err := s.Contacts.Refs(ctx, roots)
		if err != nil {
			return nil, 0, err
		}
		for _, l := range list {
			before = l.n
			if r, ok := refs[cmp.Or(known.into[l.num], l.num)]; ok {
				l.Contact = &contact.Ref{ID: r.ID, Name: r.Name}
			} else if knownOnly || !scope.All {
				continue
			}
			items = append(items, l.Open)
			if len(items) == limit {
				break
			}
		}
		if len(list) < radarStep && len(items) < limit {
			return items, 0, s.nameLinks(ctx, items)
		}
	}
	return items, before, s.nameLinks(ctx, items)
}

const radarStep = 400

// nameLinks adds titles.
func (s *Service) nameLinks(_ context.Context, items []Open) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i := range items {
		if x := s.links[items[i].Code]; x != nil {
			items[i].Title = x.title
		}
	}
	return nil
}

type listPlace struct {
	At   int64  `json:"t"`
	Code string `json:"c"`
}

// List gives links, the newest first.
func (s *Service) List(ctx context.Context, text, channel, state string, after listPlace, limit int) (items []Link, next *listPlace, total int64, err error) {
	now := clock.Ms(s.Clock.Now())
	s.mu.RLock()
	var all []*row
	scope := auth.ScopeOf(ctx)
	for _, x := range s.links {
		if visible(scope, x) && (channel == "" || x.channel == channel) && (state == "" || x.state(now) == state) && x.holds(text) {
			all = append(all, x)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(all, func(a, b *row) int { return cmp.Or(cmp.Compare(b.created, a.created), cmp.Compare(a.code, b.code)) })
	total = int64(len(all))
	if after.Code != "" {
		i, _ := slices.BinarySearchFunc(all, after, func(x *row, p listPlace) int {
			return cmp.Or(cmp.Compare(p.At, x.created), cmp.Compare(x.code, p.Code))
		})
		for i < len(all) && all[i].created == after.At && all[i].code <= after.Code {
			i++
		}
		all = all[i:]
	}
	if len(all) > limit {
		all = all[:limit]
		next = &listPlace{all[limit-1].created, all[limit-1].code}
	}
	items, err = s.show(ctx, all)
	return items, next, total, err
}

// holds tells whether a text stands in what a link says.
func (x *row) holds(text string) bool {
	if text == "" {
		return true
	}
	text = strings.ToLower(text)
	for _, t := range []string{x.code, x.title, x.target, x.campaign} {
		if strings.Contains(strings.ToLower(t), text) {
			return true
		}
	}
	return false
}

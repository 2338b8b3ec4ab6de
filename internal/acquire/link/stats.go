package link

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// maxOpens bounds the openings that one answer reads: figures of a period are
// worked out from them in memory, because who is one person today is known there.
const maxOpens = 500_000

type opening struct {
	contact                       int64
	at                            int64
	device, app, system, referrer string
}

// Stats answers for a link and a period. People are counted as they are today:
// whoever merged since counts once.
func (s *Service) Stats(ctx context.Context, code string, from, to time.Time) (Stats, error) {
	out := Stats{Days: []Count{}, Devices: []Count{}, Apps: []Count{}, Systems: []Count{}, Referrers: []Count{}, Noise: []Noise{}}
	if _, err := s.reread(ctx, code); err != nil {
		return out, err
	}
	rows, err := s.DB.Query(ctx, "select contact, at, device, app, system, referrer from link_opens where code = $1 and at >= $2 and at < $3 order by at limit $4", code, clock.Ms(from), clock.Ms(to), maxOpens)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (o opening, err error) {
		return o, r.Scan(&o.contact, &o.at, &o.device, &o.app, &o.system, &o.referrer)
	})
	if err != nil {
		return out, fmt.Errorf("read openings of a link: %w", err)
	}
	nums := map[int64]bool{}
	for _, o := range list {
		nums[o.contact] = true
	}
	known, err := s.persons(ctx, nums)
	if err != nil {
		return out, err
	}
	zone := s.zone(ctx)
	all, days, devices, apps, systems, refs := tally{}, tally{}, tally{}, tally{}, tally{}, tally{}
	for _, o := range list {
		who := cmp.Or(known.into[o.contact], o.contact)
		all.add("", who)
		days.add(clock.FromMs(o.at).In(zone).Format("2006-01-02"), who)
		devices.add(o.device, who)
		apps.add(o.app, who)
		systems.add(o.system, who)
		refs.add(o.referrer, who)
	}
	if t := all[""]; t != nil {
		out.Opens, out.People = t.opens, int64(len(t.who))
		for n := range t.who {
			if known.person[n] {
				out.Known++
			}
		}
	}
	out.Days = days.list(true)
	out.Devices, out.Apps, out.Systems, out.Referrers = devices.list(false), apps.list(false), systems.list(false), refs.list(false)
	return out, s.addNoise(ctx, code, from.In(zone).Format("2006-01-02"), to.Add(-time.Millisecond).In(zone).Format("2006-01-02"), &out)
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

type tally map[string]*struct {
	opens int64
	who   map[int64]bool
}

func (t tally) add(key string, who int64) {
	c := t[key]
	if c == nil {
		c = &struct {
			opens int64
			who   map[int64]bool
		}{who: map[int64]bool{}}
		t[key] = c
	}
	c.opens++
	c.who[who] = true
}

// list gives the counts by key, or the largest twenty first.
func (t tally) list(byKey bool) []Count {
	out := make([]Count, 0, len(t))
	for k, c := range t {
		out = append(out, Count{k, c.opens, int64(len(c.who))})
	}
	slices.SortFunc(out, func(a, b Count) int {
		if byKey {
			return cmp.Compare(a.Key, b.Key)
		}
		return cmp.Or(cmp.Compare(b.Opens, a.Opens), cmp.Compare(a.Key, b.Key))
	})
	if !byKey {
		out = out[:min(len(out), 20)]
	}
	return out
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

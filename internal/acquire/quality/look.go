package quality

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
)

// measures are the conversions that are watched.
var measures = []struct {
	id, step, then string
	within         time.Duration
}{
	{"scan_add", event.NameCodeScanned, event.NameFriendAdded, 24 * time.Hour},
	{"click_visit", event.NameLinkClicked, event.NamePageViewed, time.Hour},
	{"visit_submit", event.NamePageViewed, event.NameFormSubmitted, 24 * time.Hour},
}

// Evidence is what a finding rests on.
type Evidence struct {
	// Of conversions.
	Day     *Sample  `json:"day,omitempty"`
	Samples []Sample `json:"samples,omitempty" doc:"The same weekday before, the latest first"`
	Verdict *Verdict `json:"verdict,omitempty"`
	Limit   int      `json:"limit,omitempty" doc:"Percent that was allowed, or openings"`
	// Of bursts and programs.
	Opens   int64   `json:"opens,omitempty"`
	People  int64   `json:"people,omitempty" doc:"Visitors, or for programs the openings by people"`
	Why     string  `json:"why,omitempty" doc:"How programs were told apart"`
	Devices []Share `json:"devices,omitempty" doc:"Device, system and app of the openings, the most frequent first"`
	Minutes []Share `json:"minutes,omitempty" doc:"Openings by the minute"`
	Network string  `json:"network,omitempty" doc:"A mark of the network; it tells of no address"`
}

// Share is a part of openings.
type Share struct {
	Key string `json:"key"`
	N   int64  `json:"n"`
}

// found is a finding before it is kept.
type found struct {
	mark, kind, measure, subject, title, channel string
	from, to                                     int64
	evidence                                     Evidence
	people                                       []int64
}

// Look looks at the last days and keeps what is abnormal; it tells how many
// findings are new.
func (s *Service) Look(ctx context.Context) (int, error) {
	s.looking.Lock()
	defer s.looking.Unlock()
	set, err := s.Settings(ctx)
	if err != nil {
		return 0, err
	}
	var list []found
	for _, look := range []func(context.Context, Settings) ([]found, error){s.conversions, s.bursts, s.programs} {
		some, err := look(ctx, set)
		if err != nil {
			return 0, err
		}
		list = append(list, some...)
	}
	n := 0
	for i := range list {
		fresh, err := s.keep(ctx, &list[i])
		if err != nil {
			return n, err
		}
		if fresh {
			n++
		}
	}
	return n, nil
}

// judged is how many whole days before today are looked at: what comes late may
// still change them.
const judged = 3

func (s *Service) conversions(ctx context.Context, set Settings) (out []found, err error) {
	zone := s.Zone(ctx)
	now := s.Clock.Now().In(zone)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, zone)
	const span = 7*samples + judged
	days := make([]time.Time, 0, span+1)
	for i := span; i >= 0; i-- {
		days = append(days, time.Date(today.Year(), today.Month(), today.Day()-i, 0, 0, 0, 0, zone))
	}
	fakes, err := s.Fakes(ctx)
	if err != nil {
		return nil, err
	}
	limits := map[string]int{}
	for _, l := range set.Limits {
		limits[l.Channel] = l.Percent
	}
	for _, m := range measures {
		lines, err := s.Store.Conversions(ctx, analytics.ConversionQuery{Step: m.step, Then: m.then, Within: m.within, Days: days, Except: fakes})
		if err != nil {
			return nil, fmt.Errorf("read conversions: %w", err)
		}
		by := map[string][]Sample{}
		for _, l := range lines {
			if l.Channel == "" {
				l.Channel = contact.Unknown
			}
			if by[l.Channel] == nil {
				by[l.Channel] = make([]Sample, span)
			}
			by[l.Channel][l.Day] = Sample{Of: by[l.Channel][l.Day].Of + l.People, Then: by[l.Channel][l.Day].Then + l.Then}
		}
		for channel, all := range by {
			for i := range all {
				all[i].Day = days[i].Format(time.DateOnly)
			}
			percent := cmp.Or(limits[channel], limits[""])
			for i := span - judged; i < span; i++ {
				var before []Sample
				for k := 1; k <= samples; k++ {
					if i-7*k >= 0 {
						before = append(before, all[i-7*k])
					}
				}
				v := judge(all[i], before, float64(percent)/100)
				if !v.Abnormal {
					continue
				}
				f := found{mark: fmt.Sprintf("rate/%s/%s/%s", m.id, channel, all[i].Day), kind: "rate", measure: m.id, subject: "channel:" + channel, channel: channel,
					from: clock.Ms(days[i]), to: clock.Ms(days[i+1]), evidence: Evidence{Day: &all[i], Samples: before, Verdict: &v, Limit: percent}}
				if f.people, err = s.doers(ctx, m.step, channel, f.from, f.to); err != nil {
					return nil, err
				}
				out = append(out, f)
			}
		}
	}
	slices.SortFunc(out, func(a, b found) int { return cmp.Compare(a.mark, b.mark) })
	return out, nil
}

// doers are those who did the first step of a conversion.
func (s *Service) doers(ctx context.Context, name, channel string, from, to int64) ([]int64, error) {
	value := channel
	if channel == contact.Unknown {
		value = ""
	}
	f := analytics.Filter{Range: analytics.Range{From: clock.FromMs(from), To: clock.FromMs(to)}, Events: []string{name}, Where: []analytics.Equal{{Property: "channel", Value: value}}}
	seen := map[int64]bool{}
	err := s.walk(ctx, f, func(r *analytics.Row) bool {
		seen[r.Contact] = true
		return len(seen) < mostSuspects
	})
	return sorted(seen), err
}

func sorted(set map[int64]bool) []int64 {
	out := make([]int64, 0, len(set))
	for n := range set {
		if n > 0 {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// step is how many facts are held at a time.
const step = 5_000

// walk goes over facts from the newest to the oldest.
func (s *Service) walk(ctx context.Context, f analytics.Filter, each func(r *analytics.Row) bool) error {
	var before *analytics.TimelineCursor
	for {
		rows, err := s.Store.Timeline(ctx, analytics.TimelineQuery{Filter: f, Before: before, Limit: step})
		if err != nil {
			return fmt.Errorf("read openings: %w", err)
		}
		for i := range rows {
			if !each(&rows[i]) {
				return nil
			}
		}
		if len(rows) < step {
			return nil
		}
		last := rows[len(rows)-1]
		before = &analytics.TimelineCursor{Timestamp: last.Timestamp, Position: last.Position}
	}
}

const (
	burstSpan = 10 * time.Minute
	// burstBack is how far back each look goes: an hour, and what may come late.
	burstBack = 2 * time.Hour
	// mostNets bounds what a look counts apart.
	mostNets = 200_000
)

type opening struct {
	Link, Title, Page, Channel, Device, App, System, Net string
}

type spell struct {
	subject, net string
	at           int64 // stretches of burstSpan since 1970
}

type spellCount struct {
	opens          int64
	title, channel string
	people         map[int64]bool
	devices        map[string]int64
	minutes        map[int64]int64
}

// bursts finds many openings of one thing from one network in a short time. Two
// rounds: the first counts, the second looks closer at what there is too much of.
func (s *Service) bursts(ctx context.Context, set Settings) (out []found, err error) {
	now := s.Clock.Now()
	f := analytics.Filter{Range: analytics.Range{From: now.Add(-burstBack).Truncate(burstSpan), To: now.Add(time.Minute)}, Events: []string{event.NameLinkClicked, event.NamePageViewed}, Sources: []string{"link", "page"}}
	if f.Except, err = s.Fakes(ctx); err != nil {
		return nil, err
	}
	counts := map[spell]int64{}
	err = s.walk(ctx, f, func(r *analytics.Row) bool {
		if k, _, ok := spellOf(r); ok && (counts[k] > 0 || len(counts) < mostNets) {
			counts[k]++
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	close := map[spell]*spellCount{}
	for k, n := range counts {
		if n >= int64(set.Burst) {
			close[k] = &spellCount{people: map[int64]bool{}, devices: map[string]int64{}, minutes: map[int64]int64{}}
		}
	}
	if len(close) == 0 {
		return nil, nil
	}
	err = s.walk(ctx, f, func(r *analytics.Row) bool {
		k, o, ok := spellOf(r)
		if c := close[k]; ok && c != nil {
			c.opens++
			c.title, c.channel = o.Title, o.Channel
			c.devices[o.Device+" · "+o.System+" · "+o.App]++
			c.minutes[r.Timestamp/time.Minute.Milliseconds()]++
			if len(c.people) < mostSuspects {
				c.people[r.Contact] = true
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	zone := s.Zone(ctx)
	for k, c := range close {
		from := k.at * burstSpan.Milliseconds()
		e := Evidence{Opens: c.opens, People: int64(len(c.people)), Limit: set.Burst, Network: k.net, Devices: shares(c.devices, 5)}
		for m := range int64(burstSpan / time.Minute) {
			at := from/time.Minute.Milliseconds() + m
			e.Minutes = append(e.Minutes, Share{clock.FromMs(at * time.Minute.Milliseconds()).In(zone).Format("15:04"), c.minutes[at]})
		}
		out = append(out, found{mark: fmt.Sprintf("burst/%s/%s/%d", k.subject, k.net, k.at), kind: "burst", measure: "opens", subject: k.subject, title: c.title, channel: c.channel,
			from: from, to: from + burstSpan.Milliseconds(), evidence: e, people: sorted(c.people)})
	}
	slices.SortFunc(out, func(a, b found) int { return cmp.Compare(a.mark, b.mark) })
	return out, nil
}

func spellOf(r *analytics.Row) (k spell, o opening, ok bool) {
	if json.Unmarshal(r.Properties, &o) != nil || o.Net == "" {
		return k, o, false
	}
	k = spell{net: o.Net, at: r.Timestamp / burstSpan.Milliseconds()}
	switch {
	case o.Page != "":
		k.subject = "page:" + o.Page
	case o.Link != "":
		k.subject = "link:" + o.Link
	default:
		return k, o, false
	}
	return k, o, true
}

// shares are the largest parts.
func shares(of map[string]int64, most int) []Share {
	out := make([]Share, 0, len(of))
	for k, n := range of {
		out = append(out, Share{k, n})
	}
	slices.SortFunc(out, func(a, b Share) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Key, b.Key)) })
	return out[:min(len(out), most)]
}

// Where programs came so often, and so much more often than people, it is told: the
// figures are right without them, but somebody pays for such traffic.
const (
	leastPrograms = 100
	programRatio  = 3
)

func (s *Service) programs(ctx context.Context, _ Settings) (out []found, err error) {
	zone := s.Zone(ctx)
	now := s.Clock.Now().In(zone)
	from := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, zone)
	day := from.Format(time.DateOnly)
	for _, n := range s.Noise {
		list, err := n.Noise(ctx, day, from, from.AddDate(0, 0, 1))
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			if p.Opens < leastPrograms || p.Opens < programRatio*p.People {
				continue
			}
			out = append(out, found{mark: "bots/" + p.Subject + "/" + day, kind: "bots", measure: "opens", subject: p.Subject, title: p.Title, channel: p.Channel,
				from: clock.Ms(from), to: clock.Ms(from.AddDate(0, 0, 1)), evidence: Evidence{Opens: p.Opens, People: p.People, Why: p.Why, Limit: programRatio}})
		}
	}
	return out, nil
}

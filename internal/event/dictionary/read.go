package dictionary

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

const eventColumns = `name, display_name, description, category, owner, state, first_seen_at, last_seen_at`

func scanEvent(r *sql.Rows) (Event, error) {
	var e Event
	var state string
	var first, last int64
	err := r.Scan(&e.Name, &e.DisplayName, &e.Description, &e.Category, &e.Owner, &state, &first, &last)
	e.State, e.FirstSeenAt, e.LastSeenAt, e.Builtin = State(state), clock.FromMs(first), clock.FromMs(last), Builtin(e.Name)
	return e, err
}

// EventQuery narrows a list of events. After is the last one of the page before.
type EventQuery struct {
	Text  string
	State State // "": all but the hidden ones
	After *EventCursor
	Limit int
}

// EventCursor is the place of an event in the list: by volume of the last
// seven days, then by name.
type EventCursor struct {
	Volume int64  `json:"v"`
	Name   string `json:"n"`
}

func (e *Event) cursor() EventCursor { return EventCursor{e.Volume7d, e.Name} }

func (c EventCursor) compare(o EventCursor) int {
	return cmp.Or(cmp.Compare(o.Volume, c.Volume), strings.Compare(c.Name, o.Name))
}

// Events lists events, the busiest of the last seven days first. There are at
// most MaxEvents, so the list is put in order here.
func (s *Service) Events(ctx context.Context, q EventQuery) (page []Event, total int, err error) {
	all, err := s.allEvents(ctx, q.State)
	if err != nil {
		return nil, 0, err
	}
	if err := s.addFigures(ctx, all); err != nil {
		return nil, 0, err
	}
	text := strings.ToLower(strings.TrimSpace(q.Text))
	all = slices.DeleteFunc(all, func(e Event) bool {
		return text != "" && !strings.Contains(strings.ToLower(e.Name+"\n"+e.DisplayName+"\n"+e.Description+"\n"+e.Category), text)
	})
	slices.SortFunc(all, func(a, b Event) int { return a.cursor().compare(b.cursor()) })
	total = len(all)
	if q.After != nil {
		all = slices.DeleteFunc(all, func(e Event) bool { return e.cursor().compare(*q.After) <= 0 })
	}
	return all[:min(len(all), q.Limit)], total, nil
}

func (s *Service) allEvents(ctx context.Context, state State) ([]Event, error) {
	where, args := "state <> $1", []any{string(Hidden)}
	if state != "" {
		where, args = "state = $1", []any{string(state)}
	}
	rows, err := s.deps.DB.Query(ctx, "select "+eventColumns+" from dictionary_events where "+where, args...)
	out, err := db.Collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	for i := range out {
		out[i].DisplayName = title(ctx, out[i].Name, out[i].DisplayName)
	}
	return out, nil
}

// addFigures fills in volumes, numbers of properties and of violations.
func (s *Service) addFigures(ctx context.Context, list []Event) error {
	all, week, err := s.volumes.get(ctx, s.deps.Clock.Now())
	if err != nil {
		return err
	}
	props, err := s.countBy(ctx, "dictionary_properties")
	if err != nil {
		return err
	}
	bad, err := s.countBy(ctx, "dictionary_violations")
	if err != nil {
		return err
	}
	for i := range list {
		e := &list[i]
		e.Volume, e.Volume7d, e.Properties, e.Violations = all[e.Name], week[e.Name], props[e.Name], bad[e.Name]
	}
	return nil
}

func (s *Service) countBy(ctx context.Context, table string) (map[string]int64, error) {
	out := map[string]int64{}
	rows, err := s.deps.DB.Query(ctx, "select event, count(*) from "+table+" group by event")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var name string
		var n int64
		err := r.Scan(&name, &n)
		out[name] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count in %s: %w", table, err)
	}
	return out, nil
}

// Event gives one event with its figures.
func (s *Service) Event(ctx context.Context, name string) (Event, error) {
	rows, err := s.deps.DB.Query(ctx, "select "+eventColumns+" from dictionary_events where name = $1", name)
	list, err := db.Collect(rows, err, scanEvent)
	if err != nil {
		return Event{}, fmt.Errorf("read event: %w", err)
	}
	if len(list) == 0 {
		return Event{}, errNoEvent
	}
	list[0].DisplayName = title(ctx, name, list[0].DisplayName)
	if err := s.addFigures(ctx, list); err != nil {
		return Event{}, err
	}
	return list[0], nil
}

const propertyColumns = `event, name, display_name, description, state, expected_type, required, samples, first_seen_at, last_seen_at,
	n_string, n_number, n_boolean, n_time, n_array, n_object, n_null`

func scanProperty(r *sql.Rows) (Property, error) {
	var p Property
	var state, samples string
	var required, first, last int64
	var n [typeCount]int64
	err := r.Scan(&p.Event, &p.Name, &p.DisplayName, &p.Description, &state, &p.ExpectedType, &required, &samples, &first, &last,
		&n[tString], &n[tNumber], &n[tBoolean], &n[tTime], &n[tArray], &n[tObject], &n[tNull])
	if err != nil {
		return p, err
	}
	p.State, p.Required, p.FirstSeenAt, p.LastSeenAt = State(state), required == 1, clock.FromMs(first), clock.FromMs(last)
	for t, c := range n {
		p.Count += c
		if c > 0 {
			p.Types = append(p.Types, TypeCount{typeNames[t], c})
		}
	}
	slices.SortStableFunc(p.Types, func(a, b TypeCount) int { return cmp.Compare(b.Count, a.Count) })
	return p, json.Unmarshal([]byte(samples), &p.Samples)
}

// Properties lists those of an event: expected ones first, then the most frequent.
func (s *Service) Properties(ctx context.Context, ev string) ([]Property, error) {
	rows, err := s.deps.DB.Query(ctx, "select "+propertyColumns+" from dictionary_properties where event = $1", ev)
	out, err := db.Collect(rows, err, scanProperty)
	if err != nil {
		return nil, fmt.Errorf("list properties: %w", err)
	}
	columns, err := s.columns(ctx)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Column = columns[out[i].Name]
		out[i].DisplayName = propertyTitle(ctx, out[i].Name, out[i].DisplayName)
	}
	rank := map[State]int{Expected: 0, Learned: 1, Hidden: 2}
	slices.SortFunc(out, func(a, b Property) int {
		return cmp.Or(cmp.Compare(rank[a.State], rank[b.State]), cmp.Compare(b.Count, a.Count), strings.Compare(a.Name, b.Name))
	})
	return out, nil
}

// DayCount is how often an event happened on a day.
type DayCount struct {
	Date  string // 2026-03-02
	Count int64
}

// Trend counts an event on each of the last days, today included.
func (s *Service) Trend(ctx context.Context, ev string, days int, zone *time.Location) ([]DayCount, error) {
	now := s.deps.Clock.Now().In(zone)
	from := time.Date(now.Year(), now.Month(), now.Day()-days+1, 0, 0, 0, 0, zone)
	t, err := s.deps.Store.Trend(ctx, analytics.TrendQuery{Measure: analytics.MeasureCount, Interval: analytics.Day, Timezone: zone,
		Filter: analytics.Filter{Range: analytics.Range{From: from, To: now.Add(time.Millisecond)}, Events: []string{ev}}})
	if err != nil {
		return nil, fmt.Errorf("trend of %s: %w", ev, err)
	}
	out := make([]DayCount, len(t.Buckets))
	for i, b := range t.Buckets {
		out[i].Date = b.In(zone).Format(time.DateOnly)
		for _, line := range t.Series {
			out[i].Count += int64(line.Values[i])
		}
	}
	return out, nil
}

// ViolationCursor is the last one of the page before.
type ViolationCursor struct {
	LastAt int64  `json:"t"`
	ID     string `json:"i"`
}

// Violations lists deviations from the plan, the newest first.
func (s *Service) Violations(ctx context.Context, ev string, after *ViolationCursor, limit int) ([]Violation, error) {
	q, args := "select id, event, property, kind, count, first_at, last_at, sample, source from dictionary_violations where 1 = 1", []any{}
	if ev != "" {
		args = append(args, ev)
		q += fmt.Sprintf(" and event = $%d", len(args))
	}
	if after != nil {
		args = append(args, after.LastAt, after.ID)
		q += fmt.Sprintf(" and (last_at, id) < ($%d, $%d)", len(args)-1, len(args))
	}
	args = append(args, limit)
	rows, err := s.deps.DB.Query(ctx, q+fmt.Sprintf(" order by last_at desc, id desc limit $%d", len(args)), args...)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (Violation, error) {
		var v Violation
		var kind string
		var first, last int64
		err := r.Scan(&v.ID, &v.Event, &v.Property, &kind, &v.Count, &first, &last, &v.Sample, &v.Source)
		v.Kind, v.FirstAt, v.LastAt = Kind(kind), clock.FromMs(first), clock.FromMs(last)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("list violations: %w", err)
	}
	return out, nil
}

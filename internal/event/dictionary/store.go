package dictionary

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/db"
)

// current is what the learner goes by, read anew after an edit. Call it with mu held.
func (s *Service) current(ctx context.Context) (*known, error) {
	version, err := s.counter(ctx, counterVersion)
	if err != nil {
		return nil, err
	}
	if s.known != nil && s.known.version == version {
		return s.known, nil
	}
	k := &known{version: version, events: map[string]*knownEvent{}}
	rows, err := s.deps.DB.Query(ctx, "select name, state, last_seen_at from dictionary_events")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var name, state string
		var last int64
		if err := r.Scan(&name, &state, &last); err != nil {
			return struct{}{}, err
		}
		k.events[name] = &knownEvent{state: State(state), seen: last > 0, props: map[string]*knownProp{}}
		k.planned = k.planned || State(state) == Expected && !Builtin(name)
		return struct{}{}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the dictionary: %w", err)
	}
	rows, err = s.deps.DB.Query(ctx, "select event, name, state, expected_type, required, samples, last_seen_at from dictionary_properties")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) { return struct{}{}, k.scanProperty(r) })
	if err != nil {
		return nil, fmt.Errorf("read the dictionary: %w", err)
	}
	s.known = k
	return k, nil
}

func (k *known) scanProperty(r *sql.Rows) error {
	var ev, name, state, expected, samples string
	var required, last int64
	if err := r.Scan(&ev, &name, &state, &expected, &required, &samples, &last); err != nil {
		return err
	}
	e := k.events[ev]
	if e == nil {
		return nil
	}
	p := &knownProp{state: State(state), expected: expected, seen: last > 0}
	if err := json.Unmarshal([]byte(samples), &p.samples); err != nil {
		return fmt.Errorf("samples of %s.%s: %w", ev, name, err)
	}
	e.props[name] = p
	k.properties++
	if p.state == Expected {
		e.plan = true
		if required == 1 {
			e.require = append(e.require, name)
		}
	}
	return nil
}

const (
	counterVersion    = "version"
	counterOverEvents = "overflow_events"
	counterOverProps  = "overflow_properties"
)

func (s *Service) counter(ctx context.Context, name string) (int64, error) {
	var n int64
	err := s.deps.DB.QueryRow(ctx, "select value from dictionary_counters where name = $1", name).Scan(&n)
	if err != nil && !db.NoRows(err) {
		return 0, fmt.Errorf("read counter %s: %w", name, err)
	}
	return n, nil
}

func (s *Service) count(ctx context.Context, name string, n int64) error {
	if n == 0 {
		return nil
	}
	_, err := s.deps.DB.Exec(ctx, `insert into dictionary_counters (name, value) values ($1, $2)
		on conflict (name) do update set value = dictionary_counters.value + excluded.value`, name, n)
	if err != nil {
		return fmt.Errorf("count %s: %w", name, err)
	}
	return nil
}

// write adds a delta to the tables, in the order of names so that two writers
// never wait for each other in a ring.
func (s *Service) write(ctx context.Context, d *delta) error {
	for _, name := range slices.Sorted(maps.Keys(d.events)) {
		e := d.events[name]
		if err := s.writeEvent(ctx, name, e); err != nil {
			return err
		}
		for _, p := range slices.Sorted(maps.Keys(e.props)) {
			if err := s.writeProperty(ctx, name, p, e.props[p]); err != nil {
				return err
			}
		}
	}
	if err := s.writeViolations(ctx, d); err != nil {
		return err
	}
	if err := s.count(ctx, counterOverEvents, d.overEvents); err != nil {
		return err
	}
	return s.count(ctx, counterOverProps, d.overProps)
}

func (s *Service) writeEvent(ctx context.Context, name string, e *eventDelta) error {
	_, err := s.deps.DB.Exec(ctx, `insert into dictionary_events (name, display_name, description, category, owner, state, first_seen_at, last_seen_at, count)
		values ($1,'','','','','learned',$2,$3,$4)
		on conflict (name) do update set count = dictionary_events.count + excluded.count,
			first_seen_at = case when dictionary_events.first_seen_at = 0 or excluded.first_seen_at < dictionary_events.first_seen_at
				then excluded.first_seen_at else dictionary_events.first_seen_at end,
			last_seen_at = case when excluded.last_seen_at > dictionary_events.last_seen_at then excluded.last_seen_at else dictionary_events.last_seen_at end`,
		name, e.first, e.last, e.n)
	if err != nil {
		return fmt.Errorf("learn event %s: %w", name, err)
	}
	if e.known != nil && !e.known.seen {
		return s.dropViolations(ctx, name, "", NeverSeen)
	}
	return nil
}

func (s *Service) writeProperty(ctx context.Context, ev, name string, p *propDelta) error {
	samples := p.samples
	if p.known != nil {
		samples = append(slices.Clone(p.known.samples), samples...)
	}
	encoded := "[]"
	if len(samples) > 0 {
		b, err := json.Marshal(samples)
		if err != nil {
			return fmt.Errorf("encode samples: %w", err)
		}
		encoded = string(b)
	}
	t := p.types
	_, err := s.deps.DB.Exec(ctx, `insert into dictionary_properties (event, name, display_name, description, state, expected_type, required, samples, first_seen_at, last_seen_at,
			n_string, n_number, n_boolean, n_time, n_array, n_object, n_null)
		values ($1,$2,'','','learned','',0,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)
		on conflict (event, name) do update set samples = excluded.samples,
			first_seen_at = case when dictionary_properties.first_seen_at = 0 or excluded.first_seen_at < dictionary_properties.first_seen_at
				then excluded.first_seen_at else dictionary_properties.first_seen_at end,
			last_seen_at = case when excluded.last_seen_at > dictionary_properties.last_seen_at then excluded.last_seen_at else dictionary_properties.last_seen_at end,
			n_string = dictionary_properties.n_string + excluded.n_string, n_number = dictionary_properties.n_number + excluded.n_number,
			n_boolean = dictionary_properties.n_boolean + excluded.n_boolean, n_time = dictionary_properties.n_time + excluded.n_time,
			n_array = dictionary_properties.n_array + excluded.n_array, n_object = dictionary_properties.n_object + excluded.n_object,
			n_null = dictionary_properties.n_null + excluded.n_null`,
		ev, name, encoded, p.first, p.last, t[tString], t[tNumber], t[tBoolean], t[tTime], t[tArray], t[tObject], t[tNull])
	if err != nil {
		return fmt.Errorf("learn property %s.%s: %w", ev, name, err)
	}
	if p.known != nil && !p.known.seen {
		return s.dropViolations(ctx, ev, name, NeverSeen)
	}
	return nil
}

func (s *Service) writeViolations(ctx context.Context, d *delta) error {
	if len(d.violations) == 0 {
		return nil
	}
	n, err := s.CountViolations(ctx)
	if err != nil {
		return err
	}
	keys := slices.SortedFunc(maps.Keys(d.violations), func(a, b violationKey) int {
		return strings.Compare(a.event+"\x00"+a.property+"\x00"+string(a.kind), b.event+"\x00"+b.property+"\x00"+string(b.kind))
	})
	for _, k := range keys {
		v := d.violations[k]
		q := `insert into dictionary_violations (id, event, property, kind, count, first_at, last_at, sample, source) values ($1,$2,$3,$4,$5,$6,$7,$8,$9)
			on conflict (event, property, kind) do update set count = dictionary_violations.count + excluded.count,
				last_at = case when excluded.last_at > dictionary_violations.last_at then excluded.last_at else dictionary_violations.last_at end,
				sample = case when excluded.sample = '' then dictionary_violations.sample else excluded.sample end, source = excluded.source`
		args := []any{s.deps.IDs.New("dv"), k.event, k.property, string(k.kind), v.n, v.first, v.last, v.sample, v.source}
		if n >= maxViolations { // only those that are listed already go on
			q = "update dictionary_violations set count = count + $1, last_at = $2 where event = $3 and property = $4 and kind = $5"
			args = []any{v.n, v.last, k.event, k.property, string(k.kind)}
		}
		if _, err := s.deps.DB.Exec(ctx, q, args...); err != nil {
			return fmt.Errorf("note violation: %w", err)
		}
		n++
	}
	return nil
}

// dropViolations forgets what is settled. Kind "" means all kinds.
func (s *Service) dropViolations(ctx context.Context, ev, property string, kind Kind) error {
	q := "delete from dictionary_violations where event = $1 and property = $2"
	args := []any{ev, property}
	if kind != "" {
		q += " and kind = $3"
		args = append(args, string(kind))
	}
	if _, err := s.deps.DB.Exec(ctx, q, args...); err != nil {
		return fmt.Errorf("settle violations: %w", err)
	}
	return nil
}

// CountViolations is how many deviations are listed.
func (s *Service) CountViolations(ctx context.Context) (int64, error) {
	var n int64
	if err := s.deps.DB.QueryRow(ctx, "select count(*) from dictionary_violations").Scan(&n); err != nil {
		return 0, fmt.Errorf("count violations: %w", err)
	}
	return n, nil
}

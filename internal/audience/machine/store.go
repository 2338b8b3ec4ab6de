package machine

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/numset"
)

const definitionColumns = "machine, version, states, worked, job, moved, at, by_id, by_name"

func scanDefinition(r interface{ Scan(...any) error }) (*Definition, error) {
	var d Definition
	var states string
	var worked, at int64
	if err := r.Scan(&d.Machine, &d.Version, &states, &worked, &d.Job, &d.Moved, &at, &d.By.ID, &d.By.Name); err != nil {
		return nil, err
	}
	d.Worked, d.At = worked == 1, clock.FromMs(at)
	if err := json.Unmarshal([]byte(states), &d.States); err != nil {
		return nil, fmt.Errorf("read states of %s: %w", d.Machine, err)
	}
	return &d, nil
}

// newest is the last definition that was saved, and inForce the last by which
// everybody was sorted; nil when there is none.
func (s *Service) newest(ctx context.Context, machine string) (*Definition, error) {
	return s.definition(ctx, "machine = $1 order by version desc limit 1", machine)
}

func (s *Service) inForce(ctx context.Context, machine string) (*Definition, error) {
	return s.definition(ctx, "machine = $1 and worked = 1 order by version desc limit 1", machine)
}

func (s *Service) definition(ctx context.Context, where string, args ...any) (*Definition, error) {
	d, err := scanDefinition(s.DB.QueryRow(ctx, "select "+definitionColumns+" from machine_definitions where "+where, args...))
	if db.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a machine: %w", err)
	}
	return d, nil
}

func (s *Service) insertDefinition(ctx context.Context, d *Definition) error {
	states, err := json.Marshal(d.States)
	if err != nil {
		return fmt.Errorf("write states: %w", err)
	}
	_, err = s.DB.Exec(ctx, "insert into machine_definitions ("+definitionColumns+") values ($1,$2,$3,0,$4,0,$5,$6,$7)",
		d.Machine, d.Version, string(states), d.Job, d.At.UnixMilli(), d.By.ID, d.By.Name)
	if err != nil {
		return fmt.Errorf("write a machine: %w", err)
	}
	return nil
}

// standingOf reads where people stand: all of them or, with nums, some.
func (s *Service) standingOf(ctx context.Context, d *Definition, people *numset.Set, nums []int64) (standing, error) {
	now := s.Clock.Now()
	out := standing{people: people, in: map[string]*numset.Set{}, held: &numset.Set{}}
	if nums != nil {
		return out, s.someStanding(ctx, d, nums, &out)
	}
	rows, err := s.DB.Query(ctx, "select distinct state from machine_states where machine = $1 and shown = 1", d.Machine)
	known, err := db.Collect(rows, err, func(r *sql.Rows) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return out, fmt.Errorf("read states in use: %w", err)
	}
	for _, id := range known {
		const of = "select contact as n from machine_states where machine = $1 and shown = 1 and state = $2"
		if out.in[id], err = s.Contacts.ReadNumbers(ctx, of, d.Machine, id); err != nil {
			return out, err
		}
		st := d.state(id)
		if st == nil { // it is gone: nothing holds anybody there
			continue
		}
		pinned, err := s.Contacts.ReadNumbers(ctx, "select contact as n from machine_states where machine = $1 and state = $2 and pinned_until > 0 and pinned_until > cast($3 as bigint)", d.Machine, id, now.UnixMilli())
		if err != nil {
			return out, err
		}
		out.held.Or(pinned)
		if st.Stay == 0 {
			continue
		}
		held, err := s.Contacts.ReadNumbers(ctx, of+" and since > cast($3 as bigint)", d.Machine, id, stayOver(st.Stay, now))
		if err != nil {
			return out, err
		}
		out.held.Or(held)
	}
	return out, nil
}

func (s *Service) someStanding(ctx context.Context, d *Definition, nums []int64, out *standing) error {
	now := s.Clock.Now()
	return s.eachIn(ctx, "read where contacts stand", "select contact, state, since, pinned_until from machine_states where machine = $1 and contact in ({list})", []any{d.Machine}, nums, func(r *sql.Rows) error {
		var n, since, pinned int64
		var state string
		if err := r.Scan(&n, &state, &since, &pinned); err != nil {
			return err
		}
		if out.in[state] == nil {
			out.in[state] = &numset.Set{}
		}
		out.in[state].Add(n)
		st := d.state(state)
		if st != nil && (pinned > now.UnixMilli() || st.Stay > 0 && since > stayOver(st.Stay, now)) {
			out.held.Add(n)
		}
		return nil
	})
}

// eachIn reads rows for some numbers; {list} in the query stands for them.
func (s *Service) eachIn(ctx context.Context, what, query string, args []any, nums []int64, fn func(*sql.Rows) error) error {
	query = strings.ReplaceAll(query, "{list}", s.listSQL(len(args)+1))
	rows, err := s.DB.Query(ctx, query, append(args, s.list(nums))...)
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) { return struct{}{}, fn(r) })
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// listSQL is a query of the numbers in argument n, which list makes.
func (s *Service) listSQL(n int) string {
	return fmt.Sprintf(s.DB.Pick("select value from json_each($%d)", "select unnest(cast($%d as bigint[]))"), n)
}

func (s *Service) list(nums []int64) string {
	b, err := json.Marshal(nums)
	if err != nil || nums == nil { // numbers always are JSON
		b = []byte("[]")
	}
	if s.DB.Dialect() != db.SQLite {
		b[0], b[len(b)-1] = '{', '}'
	}
	return string(b)
}

// still picks those that stand where they stood when a move was planned, and
// whom nobody put somewhere meanwhile.
func (s *Service) still(ctx context.Context, d *Definition, from string, nums []int64) ([]int64, error) {
	left := numset.Of(nums...)
	err := s.eachIn(ctx, "read where contacts stand", "select contact, state, pinned_until from machine_states where machine = $1 and contact in ({list})", []any{d.Machine}, nums, func(r *sql.Rows) error {
		var n, pinned int64
		var state string
		err := r.Scan(&n, &state, &pinned)
		if state != from || pinned > s.Clock.Now().UnixMilli() && d.state(state) != nil {
			left.Remove(n)
		}
		return err
	})
	return left.List(), err
}

// lock takes the lock of contacts, inside a transaction, before anything is
// written: whoever merges contacts holds it and then writes here.
func (s *Service) lock(ctx context.Context) error {
	_, err := s.Contacts.Survivors(ctx, nil)
	return err
}

// put writes where some people stand from now on, and that they moved there.
func (s *Service) put(ctx context.Context, machine string, m move, nums []int64, w words) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	now := s.Clock.Now().UnixMilli()
	_, err := s.DB.Exec(ctx, `insert into machine_states (machine, contact, state, since, shown, pinned_until)
		select $1, n.num, $2, cast($3 as bigint), 1, cast($4 as bigint) from (`+s.numbersSQL(5)+`) as n where true
		on conflict (machine, contact) do update set state = excluded.state, since = excluded.since, shown = 1, pinned_until = excluded.pinned_until`,
		machine, m.To, now, w.pinned, s.list(nums))
	if err != nil {
		return fmt.Errorf("write states: %w", err)
	}
	if m.From == "" { // nobody moved; since says when they came
		return nil
	}
	_, err = s.DB.Exec(ctx, `insert into machine_moves (machine, contact, at, from_state, to_state, reason, note, by_id, by_name)
		select $1, n.num, cast($2 as bigint), $3, $4, $5, $6, $7, $8 from (`+s.numbersSQL(9)+`) as n where true
		on conflict (machine, contact, at) do update set to_state = excluded.to_state, reason = excluded.reason, note = excluded.note`,
		machine, now, m.From, m.To, w.reason, w.note, w.by.ID, w.by.Name, s.list(nums))
	if err != nil {
		return fmt.Errorf("write moves: %w", err)
	}
	return nil
}

// numbersSQL is listSQL whose column is called num.
func (s *Service) numbersSQL(n int) string {
	return fmt.Sprintf(s.DB.Pick("select value as num from json_each($%d)", "select unnest(cast($%d as bigint[])) as num"), n)
}

// words say why a move was made, and by whom.
type words struct {
	reason, note string
	by           contact.Ref
	live         bool
	pinned       int64
}

// hide says of rows whether they stand for somebody of their own.
func (s *Service) hide(ctx context.Context, shown int64, nums []int64) error {
	_, err := s.DB.Exec(ctx, "update machine_states set shown = $1 where contact in ("+s.listSQL(2)+") and shown <> $1", shown, s.list(nums))
	if err != nil {
		return fmt.Errorf("hide states: %w", err)
	}
	return nil
}

// Forget drops all that is kept of contacts that are gone; a hook of package contact.
func (s *Service) Forget(ctx context.Context, nums []int64) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, table := range []string{"machine_states", "machine_moves", "machine_pins"} {
			if _, err := s.DB.Exec(ctx, "delete from "+table+" where contact in ("+s.listSQL(1)+")", s.list(nums)); err != nil {
				return fmt.Errorf("forget contacts: %w", err)
			}
		}
		return nil
	})
}

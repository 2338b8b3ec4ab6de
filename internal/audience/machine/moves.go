package machine

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

const monthForm = "2006-01"

// maxMonths is how many months one question may span.
const maxMonths = 24

// MonthFlows is who moved in one month.
type MonthFlows struct {
	Month string `json:"month" doc:"YYYY-MM, of the company"`
	Moves []Flow `json:"moves" doc:"The largest first; a person counts once for each pair of states"`
}

// Flows counts the moves of some months, the last included. Callers who see only
// some customers are not told: the counts speak of everybody's.
func (s *Service) Flows(ctx context.Context, machine, from, to string) ([]MonthFlows, error) {
	zone := s.Zone(ctx)
	now := s.Clock.Now().In(zone)
	last, err := s.month(to, now, zone, "to")
	if err != nil {
		return nil, err
	}
	first, err := s.month(from, last.AddDate(0, -5, 0), zone, "from")
	if err != nil {
		return nil, err
	}
	switch {
	case first.After(last):
		return nil, errInput.On(errs.At("from", "rule.wrong_order"))
	case !first.AddDate(0, maxMonths, 0).After(last):
		return nil, errInput.On(errs.At("from", "machine.too_many_months", "limit", maxMonths))
	}
	out := []MonthFlows{}
	for m := first; !m.After(last); m = m.AddDate(0, 1, 0) {
		f := MonthFlows{Month: m.Format(monthForm), Moves: []Flow{}}
		if auth.ScopeOf(ctx).All {
			if f.Moves, err = s.flowsOf(ctx, machine, m); err != nil {
				return nil, err
			}
		}
		out = append(out, f)
	}
	return out, nil
}

func (s *Service) month(text string, other time.Time, zone *time.Location, path string) (time.Time, error) {
	if text == "" {
		return time.Date(other.Year(), other.Month(), 1, 0, 0, 0, 0, zone), nil
	}
	m, err := time.ParseInLocation(monthForm, text, zone)
	if err != nil || m.Year() < 2000 || m.Year() > 2200 {
		return m, errInput.On(errs.At(path, "machine.needs_month"))
	}
	return m, nil
}

func (s *Service) flowsOf(ctx context.Context, machine string, month time.Time) ([]Flow, error) {
	rows, err := s.DB.Query(ctx, `select from_state, to_state, count(distinct contact) from machine_moves
		where machine = $1 and at >= cast($2 as bigint) and at < cast($3 as bigint) group by from_state, to_state`,
		machine, month.UnixMilli(), month.AddDate(0, 1, 0).UnixMilli())
	out, err := db.Collect(rows, err, func(r *sql.Rows) (f Flow, err error) { return f, r.Scan(&f.From, &f.To, &f.Count) })
	if err != nil {
		return nil, fmt.Errorf("count moves: %w", err)
	}
	for i := range out {
		out[i].Value = moveValue(month.Format(monthForm), out[i].From, out[i].To)
	}
	slices.SortFunc(out, func(a, b Flow) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return strings.Compare(a.Value, b.Value)
	})
	if out == nil {
		out = []Flow{}
	}
	return out, nil
}

// moveValue names the moves of a month from one state to another, for filters.
func moveValue(month, from, to string) string { return month + ":" + from + ":" + to }

// Step is one move of a contact.
type Step struct {
	At     time.Time    `json:"at"`
	From   string       `json:"from" doc:"Name of the state"`
	To     string       `json:"to" doc:"Name of the state"`
	Color  string       `json:"color"`
	Reason string       `json:"reason" enum:"fact,lapse,merge,definition,start,midnight,hand" doc:"fact: something they did; lapse: a time ran out; midnight: a day began; definition: the machine was changed; hand: a colleague"`
	Note   string       `json:"note,omitempty"`
	By     *contact.Ref `json:"by,omitempty"`
}

// History lists the last moves of a contact, the newest first, and tells the
// choice of a colleague that holds just now; nil when rules decide.
func (s *Service) History(ctx context.Context, machine, id string) ([]Step, *PinView, error) {
	num, err := s.Contacts.NumOf(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	pin, err := s.pinOf(ctx, machine, num)
	if err != nil {
		return nil, nil, err
	}
	defs, err := s.shown(ctx)
	if err != nil {
		return nil, nil, err
	}
	rows, err := s.DB.Query(ctx, "select at, from_state, to_state, reason, note, by_id, by_name from machine_moves where machine = $1 and contact = $2 order by at desc limit 50", machine, num)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (Step, error) {
		var x Step
		var by contact.Ref
		var at int64
		err := r.Scan(&at, &x.From, &x.To, &x.Reason, &x.Note, &by.ID, &by.Name)
		x.At = clock.FromMs(at)
		if by.ID != "" {
			x.By = &by
		}
		if d := defs[machine]; d != nil {
			if st := d.state(x.To); st != nil {
				x.To, x.Color = st.Name.in(ctx), st.Color
			}
			if st := d.state(x.From); st != nil {
				x.From = st.Name.in(ctx)
			}
		}
		return x, err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read moves: %w", err)
	}
	if out == nil {
		out = []Step{}
	}
	return out, pin, nil
}

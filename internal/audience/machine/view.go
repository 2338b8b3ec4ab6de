package machine

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/rule"
)

// View is a machine as the console shows it.
type View struct {
	Version   int64       `json:"version" doc:"To be given back when it is changed"`
	ChangedAt time.Time   `json:"changedAt"`
	ChangedBy contact.Ref `json:"changedBy"`
	Job       string      `json:"job,omitempty" doc:"The job that is sorting everybody by this definition; empty when it is done"`
	Moved     int64       `json:"moved" doc:"How many the definition moved when it came into force"`
	Total     int64       `json:"total" doc:"People that the caller sees"`
	Unknown   int64       `json:"unknown" doc:"Those of them who are not sorted yet"`
	Since     string      `json:"since,omitempty" doc:"The day with which the counts are compared; empty when none is kept yet"`
	States    []StateView `json:"states"`
	Defaults  []State     `json:"defaults" doc:"What the machine is until a company changes it"`
}

// StateView is a state with what it holds.
type StateView struct {
	State
	Label    string `json:"label" doc:"Its name in the caller's language"`
	Sentence string `json:"sentence,omitempty" doc:"Its rule in words; empty for the one that takes the rest"`
	Count    int64  `json:"count"`
	Hand     int64  `json:"hand" doc:"Of them, those whom a colleague placed there by hand and holds there"`
	Before   *int64 `json:"before,omitempty" doc:"How many there were about a month ago"`
}

// comparedDays is how long ago the counts are that the present ones are compared with.
const comparedDays = 30

// View gives a machine with its counts, of those that the caller sees.
func (s *Service) View(ctx context.Context, machine string) (View, error) {
	out := View{States: []StateView{}, Defaults: Default(machine)}
	d, err := s.newest(ctx, machine)
	if err != nil || d == nil {
		return out, err
	}
	out.Version, out.ChangedAt, out.ChangedBy, out.Moved = d.Version, d.At, d.By, d.Moved
	if !d.Worked {
		out.Job = d.Job
	}
	all := auth.ScopeOf(ctx).All
	count := s.countSeen
	if all {
		count = s.countAll
	}
	counts, err := count(ctx, d)
	if err != nil {
		return out, err
	}
	hand, err := s.handCounts(ctx, d, all)
	if err != nil {
		return out, err
	}
	if out.Total, err = s.Contacts.Count(ctx, contact.Selection{Query: contact.Query{}}); err != nil {
		return out, err
	}
	var before map[string]int64
	if all {
		if out.Since, before, err = s.before(ctx, machine); err != nil {
			return out, err
		}
	}
	known := int64(0)
	for _, st := range d.States {
		v := StateView{State: st, Label: st.Name.in(ctx), Count: counts[st.ID], Hand: hand[st.ID]}
		if !st.Rule.Empty() {
			v.Sentence = s.Contacts.Sentence(ctx, st.Rule)
		}
		if n, ok := before[st.ID]; ok || out.Since != "" {
			v.Before = &n
		}
		known += v.Count
		out.States = append(out.States, v)
	}
	out.Unknown = max(0, out.Total-known)
	return out, nil
}

func (s *Service) countAll(ctx context.Context, d *Definition) (map[string]int64, error) {
	return s.counts(ctx, "select state, count(*) from machine_states where machine = $1 and shown = 1 group by state", d.Machine)
}

func (s *Service) counts(ctx context.Context, query string, args ...any) (map[string]int64, error) {
	out := map[string]int64{}
	rows, err := s.DB.Query(ctx, query, args...)
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var id string
		var n int64
		err := r.Scan(&id, &n)
		out[id] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count states: %w", err)
	}
	return out, nil
}

// countSeen counts those of the caller's own customers.
func (s *Service) countSeen(ctx context.Context, d *Definition) (map[string]int64, error) {
	out := map[string]int64{}
	for _, st := range d.States {
		n, err := s.Contacts.Count(ctx, contact.Selection{Query: contact.Query{Where: &rule.Rule{V: 1, Node: rule.Node{Field: base(d.Machine), Op: "is", Value: st.ID}}}})
		if err != nil {
			return nil, err
		}
		out[st.ID] = n
	}
	return out, nil
}

// before gives the counts of the newest day that is a month ago or more, but
// not so long that it says nothing.
func (s *Service) before(ctx context.Context, machine string) (day string, counts map[string]int64, err error) {
	now := s.Clock.Now().In(s.Zone(ctx))
	err = s.DB.QueryRow(ctx, "select coalesce(max(day), '') from machine_counts where machine = $1 and day <= $2 and day >= $3", machine,
		now.AddDate(0, 0, -comparedDays).Format(time.DateOnly), now.AddDate(0, 0, -3*comparedDays).Format(time.DateOnly)).Scan(&day)
	if err != nil {
		return "", nil, fmt.Errorf("find counts of a month ago: %w", err)
	}
	if day == "" {
		return "", nil, nil
	}
	counts, err = s.counts(ctx, "select state, people from machine_counts where machine = $1 and day = $2", machine, day)
	return day, counts, err
}

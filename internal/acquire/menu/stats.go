package menu

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// mostFormer bounds the former buttons that are listed; all of them are summed up.
const mostFormer = 50

// Figures are how often something was tapped, and by how many.
type Figures struct {
	Clicks int64 `json:"clicks"`
	People int64 `json:"people" doc:"Different people, by the platform's id"`
}

// ButtonFigures are those of one button.
type ButtonFigures struct {
	Name  string `json:"name,omitempty" doc:"As it was published last; left out where no menu published here has it"`
	Above string `json:"above,omitempty" doc:"Name of the button that opens it"`
	Kind  string `json:"kind,omitempty"`
	Target
	Figures
	Days []int64 `json:"days" doc:"Taps of each day, from the first to the last"`
}

// Stats are the figures of an account's menu over some days. People is of all buttons
// together: who tapped two counts once.
type Stats struct {
	From string `json:"from"`
	To   string `json:"to" doc:"Included"`
	Figures
	Days      []int64         `json:"days" doc:"Taps of each day, from the first to the last"`
	Buttons   []ButtonFigures `json:"buttons" doc:"Those that are published, in their order"`
	Former    []ButtonFigures `json:"former" doc:"Those that are not, the most tapped first; fifty at most"`
	FormerAll Figures         `json:"formerAll" doc:"All that are not published, together"`
}

// leaves are the buttons that do something, in their order.
func leaves(list []Button) (out []ButtonFigures) {
	one := func(b Button, above string) {
		t := b.target()
		i := slices.IndexFunc(out, func(x ButtonFigures) bool { return x.Target == t })
		if i < 0 {
			out = append(out, ButtonFigures{Name: b.Name, Above: above, Kind: b.Kind, Target: t})
		} else if out[i].Name != b.Name { // one target, two buttons
			out[i].Name += " / " + b.Name
		}
	}
	for _, b := range list {
		if len(b.Sub) == 0 {
			one(b, "")
		}
		for _, x := range b.Sub {
			one(x, b.Name)
		}
	}
	return out
}

// Stats counts taps from a day to another, by button.
func (s *Service) Stats(ctx context.Context, account, from, to string) (Stats, error) {
	out := Stats{Buttons: []ButtonFigures{}, Former: []ButtonFigures{}}
	a, b, err := httpx.Days(s.Clock.Now().In(s.zone(ctx)), from, to)
	if err != nil {
		return out, err
	}
	versions, err := s.Versions(ctx, account)
	if err != nil {
		return out, err
	}
	m, err := s.get(ctx, account)
	if err != nil {
		return out, err
	}
	if m.Published != nil {
		out.Buttons = append(out.Buttons, leaves(m.Published.Buttons)...)
	}
	out.From, out.To = a.Format(time.DateOnly), b.Format(time.DateOnly)
	at := map[int64]int{} // day -> its place
	for d := a; !d.After(b); d = clock.DayStart(d, 0, 1) {
		at[clock.DayNumber(d)] = len(at)
	}
	c := counting{s: s, account: account, from: clock.DayNumber(a), to: clock.DayNumber(b)}
	figures, err := c.byButton(ctx)
	if err != nil {
		return out, err
	}
	targets, err := c.targets(ctx)
	if err != nil {
		return out, err
	}
	known := map[string]int{} // by target: place among the buttons
	for i, x := range out.Buttons {
		id := x.Target.id()
		known[id], out.Buttons[i].Figures = i, figures[id]
	}
	out.Former = former(figures, known, targets, versions)
	days, err := c.byDay(ctx, len(at), at)
	if err != nil {
		return out, err
	}
	for i := range out.Buttons {
		out.Buttons[i].Days = days(out.Buttons[i].Target.id())
	}
	for i := range out.Former {
		out.Former[i].Days = days(out.Former[i].Target.id())
	}
	out.Days = days("")
	if out.Figures, err = c.sum(ctx, nil); err == nil {
		out.FormerAll, err = c.sum(ctx, known)
	}
	return out, err
}

// former are the tapped buttons that are not published, named as they were last.
func former(figures map[string]Figures, known map[string]int, targets map[string]Target, versions []Version) []ButtonFigures {
	named := map[string]ButtonFigures{}
	for _, v := range versions { // the newest first
		for _, x := range leaves(v.Buttons) {
			if id := x.Target.id(); named[id].Value == "" {
				named[id] = x
			}
		}
	}
	out := []ButtonFigures{}
	for id, f := range figures {
		if _, there := known[id]; there {
			continue
		}
		x, ok := named[id]
		if !ok {
			x = ButtonFigures{Target: targets[id]}
		}
		x.Figures = f
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b ButtonFigures) int {
		if a.Clicks != b.Clicks {
			return int(b.Clicks - a.Clicks)
		}
		return strings.Compare(a.Value, b.Value)
	})
	return out[:min(len(out), mostFormer)]
}

// counting asks for the taps of an account over some days.
type counting struct {
	s        *Service
	account  string
	from, to int64
}

const counted = " from menu_clicks where account = $1 and day >= $2 and day <= $3"

func (c counting) byButton(ctx context.Context) (map[string]Figures, error) {
	out := map[string]Figures{}
	rows, err := c.s.DB.Query(ctx, "select button, count(*), count(distinct person)"+counted+" group by button", c.account, c.from, c.to)
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var id string
		var f Figures
		if err = r.Scan(&id, &f.Clicks, &f.People); err == nil {
			out[id] = f
		}
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("count taps: %w", err)
	}
	return out, nil
}

// byDay gives the taps of each day, by button; "" is of all.
func (c counting) byDay(ctx context.Context, n int, at map[int64]int) (func(id string) []int64, error) {
	all := map[string][]int64{"": make([]int64, n)}
	rows, err := c.s.DB.Query(ctx, "select button, day, count(*)"+counted+" group by button, day", c.account, c.from, c.to)
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var id string
		var day, clicks int64
		if err = r.Scan(&id, &day, &clicks); err != nil {
			return x, err
		}
		i, ok := at[day]
		if !ok {
			return x, nil
		}
		if all[id] == nil {
			all[id] = make([]int64, n)
		}
		all[id][i] = clicks
		all[""][i] += clicks
		return x, nil
	})
	if err != nil {
		return nil, fmt.Errorf("count taps by day: %w", err)
	}
	return func(id string) []int64 {
		if all[id] == nil {
			return make([]int64, n)
		}
		return all[id]
	}, nil
}

// sum counts all taps but those of some buttons.
func (c counting) sum(ctx context.Context, but map[string]int) (f Figures, err error) {
	q, args := "select count(*), count(distinct person)"+counted, []any{c.account, c.from, c.to}
	if len(but) > 0 {
		q += " and button not in (" + db.In(4, len(but)) + ")"
		for id := range but {
			args = append(args, id)
		}
	}
	if err = c.s.DB.QueryRow(ctx, q, args...).Scan(&f.Clicks, &f.People); err != nil {
		err = fmt.Errorf("count taps: %w", err)
	}
	return f, err
}

// targets are what the platform said of the buttons of an account.
func (c counting) targets(ctx context.Context) (map[string]Target, error) {
	out := map[string]Target{}
	rows, err := c.s.DB.Query(ctx, "select button, property, value from menu_targets where account = $1 limit 5000", c.account)
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var id string
		var t Target
		if err = r.Scan(&id, &t.Property, &t.Value); err == nil {
			out[id] = t
		}
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("read buttons: %w", err)
	}
	return out, nil
}

package machine

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

const (
	maxStates = 20
	maxStay   = 3650
	maxName   = 30
	maxNote   = 200
)

var (
	idForm    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	colorForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	errInput  = errs.New(errs.Invalid, "request.invalid")
)

// notIn are fields that a machine's rules cannot ask for: what they answer
// follows from machines, and a circle has no answer.
var notIn = map[string]bool{"stage": true, "stageSince": true, "stageMove": true, "stageHand": true, "pool": true, "poolSince": true, "poolMove": true, "poolHand": true}

// check tells what is wrong with states before they are kept, and tidies them.
func (s *Service) check(ctx context.Context, machine string, states []State) error {
	if len(states) < 2 || len(states) > maxStates {
		return errInput.On(errs.At("states", "machine.how_many", "least", 2, "limit", maxStates))
	}
	ids, rest := map[string]bool{}, -1
	for i := range states {
		st, at := &states[i], fmt.Sprintf("states[%d]", i)
		for _, w := range []*Words{&st.Name, &st.Note, &st.Carriers} {
			w.ZH, w.EN = strings.TrimSpace(w.ZH), strings.TrimSpace(w.EN)
		}
		switch {
		case !idForm.MatchString(st.ID):
			return errInput.On(errs.At(at+".id", "machine.bad_id"))
		case ids[st.ID]:
			return errInput.On(errs.At(at+".id", "machine.id_twice", "id", st.ID))
		case st.Name.ZH == "" && st.Name.EN == "":
			return errInput.On(errs.At(at+".name", "request.field_required"))
		case !colorForm.MatchString(st.Color):
			return errInput.On(errs.At(at+".color", "contact.bad_color"))
		case st.Stay < 0 || st.Stay > maxStay:
			return errInput.On(errs.At(at+".stay", "rule.out_of_range", "least", 0, "limit", maxStay))
		}
		for part, w := range map[string]Words{"name": st.Name, "note": st.Note, "carriers": st.Carriers} {
			limit := maxNote
			if part == "name" {
				limit = maxName
			}
			if len([]rune(w.ZH)) > limit || len([]rune(w.EN)) > limit {
				return errInput.On(errs.At(at+"."+part, "request.too_long", "limit", limit))
			}
		}
		ids[st.ID] = true
		if !st.Rule.Empty() {
			if err := s.checkRule(ctx, st.Rule, at+".rule"); err != nil {
				return err
			}
			continue
		}
		st.Rule = nil
		switch {
		case rest >= 0:
			return errInput.On(errs.At(at+".rule", "machine.two_rests", "other", states[rest].Name.in(ctx)))
		case len(st.From) > 0:
			return errInput.On(errs.At(at+".from", "machine.rest_from"))
		}
		rest = i
	}
	if rest < 0 {
		return errInput.On(errs.At("states", "machine.no_rest"))
	}
	if err := s.circles(ctx, machine, states); err != nil {
		return err
	}
	for i := range states {
		st := &states[i]
		slices.Sort(st.From)
		st.From = slices.Compact(st.From)
		for j, from := range st.From {
			if !ids[from] {
				return errInput.On(errs.At(fmt.Sprintf("states[%d].from[%d]", i, j), "machine.no_such_state", "id", from))
			}
		}
	}
	return nil
}

func (s *Service) checkRule(ctx context.Context, r *rule.Rule, path string) error {
	if err := s.Contacts.CheckRule(ctx, r, path); err != nil {
		return err
	}
	var bad error
	r.Each(func(n *rule.Node) {
		if notIn[n.Field] && bad == nil {
			bad = rule.Fault(path, "machine.circle", "field", n.Field)
		}
	})
	return bad
}

// circles refuses states whose rules rest on the machine itself, by way of whatever
// else follows from rules.
func (s *Service) circles(ctx context.Context, machine string, states []State) error {
	for i := range states { // one after another, so that the refusal stands at the rule that does it
		node := loops.Node{ID: loops.Machine(machine), Name: saidInLoops(ctx, machine), On: loops.On(states[i].Rule)}
		if err := s.Loops.Refuse(ctx, fmt.Sprintf("states[%d].rule", i), node); err != nil {
			return err
		}
	}
	return nil
}

// Rests implements loops.Source: a machine rests on all that one of its states rests on.
func (s *Service) Rests(ctx context.Context) ([]loops.Node, error) {
	var out []loops.Node
	for _, m := range Machines() {
		d, err := s.newest(ctx, m) // not what is remembered: somebody may have saved just now
		if err != nil {
			return nil, err
		}
		node := loops.Node{ID: loops.Machine(m), Name: saidInLoops(ctx, m)}
		if d != nil {
			for _, st := range d.States {
				node.On = append(node.On, loops.On(st.Rule)...)
			}
		}
		out = append(out, node)
	}
	return out, nil
}

func saidInLoops(ctx context.Context, machine string) string {
	if machine == Pools {
		return httpx.Say(ctx, "loops.pools", nil)
	}
	return httpx.Say(ctx, "loops.lifecycle", nil)
}

// Save keeps a new definition of a machine; everybody is sorted by it in the
// background. version is the one it was made from: who was quicker is not overwritten.
func (s *Service) Save(ctx context.Context, machine string, version int64, states []State) (*Definition, error) {
	if err := s.check(ctx, machine, states); err != nil {
		return nil, err
	}
	return s.write(ctx, machine, version, states)
}

func (s *Service) write(ctx context.Context, machine string, version int64, states []State) (*Definition, error) {
	by := auth.From(ctx)
	d := &Definition{Machine: machine, Version: version + 1, States: states, At: s.Clock.Now()}
	if by != nil {
		d.By = contact.Ref{ID: by.ID, Name: by.Name}
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := loops.Hold(ctx, s.DB); err != nil {
			return err
		}
		if err := s.circles(ctx, machine, states); err != nil {
			return err
		}
		was, err := s.newest(ctx, machine)
		if err != nil {
			return err
		}
		if was != nil && was.Version != version {
			return errs.New(errs.Conflict, "machine.changed_meanwhile", "name", was.By.Name)
		}
		job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobWork, Title: machine, Unit: "contacts", Link: link(machine), Params: workParams{machine, d.Version}})
		if err != nil {
			return err
		}
		d.Job = job.ID
		if err := s.insertDefinition(ctx, d); err != nil {
			return err
		}
		if s.Audit == nil || was == nil {
			return nil
		}
		return s.Audit.Record(ctx, "machine.changed", audit.Object{Type: "machine", ID: machine, Name: machine}, changes(was.States, states))
	})
	s.forgetNames()
	return d, err
}

// changes says for the audit log what is different.
func changes(was, now []State) map[string]any {
	var added, removed, changed []string
	old := Definition{States: was}
	for i := range now {
		o := old.state(now[i].ID)
		switch {
		case o == nil:
			added = append(added, now[i].ID)
		case !same(*o, now[i]):
			changed = append(changed, now[i].ID)
		}
	}
	next := Definition{States: now}
	for _, o := range was {
		if next.state(o.ID) == nil {
			removed = append(removed, o.ID)
		}
	}
	return map[string]any{"added": added, "removed": removed, "changed": changed}
}

func same(a, b State) bool {
	text := func(r *rule.Rule) string {
		if r.Empty() {
			return ""
		}
		return string(r.JSON())
	}
	return a.Name == b.Name && a.Color == b.Color && a.Note == b.Note && a.Stay == b.Stay && a.Carriers == b.Carriers &&
		slices.Equal(a.From, b.From) && text(a.Rule) == text(b.Rule)
}

func link(machine string) string {
	if machine == Pools {
		return "/pools"
	}
	return "/lifecycle"
}

// Preview says who would move if the states were these.
type Preview struct {
	Total  int64            `json:"total" doc:"People"`
	Moved  int64            `json:"moved" doc:"How many would stand elsewhere"`
	Counts map[string]int64 `json:"counts" doc:"How many would be in each state"`
	Moves  []Flow           `json:"moves" doc:"From where to where; who stands nowhere yet comes from \"\""`
}

// Flow is how many moved from one state to another.
type Flow struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Count int64  `json:"count"`
	// Value stands for them in a filter.
	Value string `json:"value,omitempty" doc:"Value of the field stageMove or poolMove that means these people"`
}

// Preview works out what a definition would change, and changes nothing.
func (s *Service) Preview(ctx context.Context, machine string, states []State) (Preview, error) {
	out := Preview{Counts: map[string]int64{}, Moves: []Flow{}}
	if err := s.check(ctx, machine, states); err != nil {
		return out, err
	}
	d := &Definition{Machine: machine, States: states}
	people, err := s.Contacts.Matching(ctx, nil, "", nil)
	if err != nil {
		return out, err
	}
	now, err := s.standingOf(ctx, d, people, nil)
	if err != nil {
		return out, err
	}
	moves, err := d.decide(now, func(id string) (*numset.Set, error) {
		i := slices.IndexFunc(states, func(st State) bool { return st.ID == id })
		return s.Contacts.Matching(ctx, states[i].Rule, fmt.Sprintf("states[%d].rule", i), nil)
	})
	if err != nil {
		return out, err
	}
	out.Total = people.Count()
	for id, in := range now.in {
		in = in.Clone()
		in.And(people)
		out.Counts[id] = in.Count()
	}
	for _, m := range moves {
		n := m.Who.Count()
		out.Moves = append(out.Moves, Flow{From: m.From, To: m.To, Count: n})
		if out.Counts[m.To] += n; m.From != "" {
			out.Counts[m.From] -= n
			out.Moved += n
		}
	}
	slices.SortFunc(out.Moves, func(a, b Flow) int { return int(b.Count - a.Count) })
	return out, nil
}

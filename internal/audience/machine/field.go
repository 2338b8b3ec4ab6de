package machine

import (
	"context"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Fields are what lists, segments and rules ask of a machine: the state, since
// when, whether a colleague chose it, and who moved in a month. Their names begin
// with that of base.
func (s *Service) Fields() map[string]contact.Field {
	out := map[string]contact.Field{}
	for _, m := range Machines() {
		base := base(m)
		out[base] = stateField{s, m}
		out[base+"Since"] = sinceField{s, m}
		out[base+"Move"] = moveField{s, m}
		out[base+"Hand"] = handField{s, m}
	}
	return out
}

// base is what the fields of a machine are called after.
func base(machine string) string {
	if machine == Pools {
		return "pool"
	}
	return "stage"
}

type stateField struct {
	s       *Service
	machine string
}

// Views implements contact.Field.
func (f stateField) Views(ctx context.Context) ([]contact.FieldView, error) {
	defs, err := f.s.shown(ctx)
	if err != nil {
		return nil, err
	}
	v := contact.FieldView{Label: httpx.Say(ctx, "contact.field."+base(f.machine), nil), Group: "activity", Ops: []string{"in", "notIn", "is", "isNot"}, Options: []contact.Option{}}
	if d := defs[f.machine]; d != nil {
		for _, st := range d.States {
			v.Options = append(v.Options, contact.Option{Value: st.ID, Label: st.Name.in(ctx)})
		}
	}
	return []contact.FieldView{v}, nil
}

// Among implements contact.Field.
func (f stateField) Among(_ context.Context, _, value string) (contact.Among, error) {
	const of = "select contact as n from machine_states where machine = $1 and shown = {list} and state = $2"
	return contact.Among{Query: of, Probe: of + " and {in:contact}", Args: []any{f.machine, value}}, nil
}

type sinceField struct {
	s       *Service
	machine string
}

// Views implements contact.Field.
func (f sinceField) Views(ctx context.Context) ([]contact.FieldView, error) {
	return []contact.FieldView{{Label: httpx.Say(ctx, "contact.field."+base(f.machine)+"Since", nil), Group: "activity", Type: "date",
		Ops: []string{"within", "olderThan", "on", "before", "after", "between"}}}, nil
}

// Among implements contact.Field; the field has no choices.
func (f sinceField) Among(context.Context, string, string) (contact.Among, error) {
	return contact.Among{}, nil
}

// Compare implements contact.Comparer.
func (f sinceField) Compare(_ context.Context, c contact.Comparison) (contact.Among, error) {
	from, to := int64(0), int64(1)<<62
	if !c.From.IsZero() {
		from = c.From.UnixMilli()
	}
	if !c.To.IsZero() {
		to = c.To.UnixMilli()
	}
	const of = "select contact as n from machine_states where machine = $1 and shown = {list} and since >= cast($2 as bigint) and since < cast($3 as bigint)"
	return contact.Among{Query: of, Probe: of + " and {in:contact}", Args: []any{f.machine, from, to}}, nil
}

// handField is whether a colleague placed somebody, or rules did.
type handField struct {
	s       *Service
	machine string
}

// The values of handField.
const (
	placedByHand = "hand"
	placedByRule = "rule"
)

// Views implements contact.Field.
func (f handField) Views(ctx context.Context) ([]contact.FieldView, error) {
	v := contact.FieldView{Label: httpx.Say(ctx, "contact.field."+base(f.machine)+"Hand", nil), Group: "activity", Options: []contact.Option{}}
	v.Options = append(v.Options, contact.Option{Value: placedByHand, Label: httpx.Say(ctx, "machine.placed_by.hand", nil)},
		contact.Option{Value: placedByRule, Label: httpx.Say(ctx, "machine.placed_by.rule", nil)})
	return []contact.FieldView{v}, nil
}

// Among implements contact.Field.
func (f handField) Among(_ context.Context, _, value string) (contact.Among, error) {
	const of = "select contact as n from machine_states where machine = $1 and shown = {list} and pinned_until > 0 and pinned_until > cast($2 as bigint)"
	hand := contact.Among{Query: of, Probe: of + " and {in:contact}", Args: []any{f.machine, f.s.Clock.Now().UnixMilli()}}
	if value == placedByRule {
		return contact.Among{None: []contact.Among{hand}}, nil
	}
	return hand, nil
}

type moveField struct {
	s       *Service
	machine string
}

// listedMonths is how far back moves are offered.
const listedMonths = 13

// Views implements contact.Field: a value is a month and two states.
func (f moveField) Views(ctx context.Context) ([]contact.FieldView, error) {
	defs, err := f.s.shown(ctx)
	if err != nil {
		return nil, err
	}
	name := func(id string) string {
		if d := defs[f.machine]; d != nil {
			if st := d.state(id); st != nil {
				return st.Name.in(ctx)
			}
		}
		return id
	}
	v := contact.FieldView{Label: httpx.Say(ctx, "contact.field."+base(f.machine)+"Move", nil), Group: "activity", Options: []contact.Option{}}
	zone := f.s.Zone(ctx)
	now := f.s.Clock.Now().In(zone)
	for i := range listedMonths {
		month := time.Date(now.Year(), now.Month()-time.Month(i), 1, 0, 0, 0, 0, zone)
		flows, err := f.s.flowsOf(ctx, f.machine, month)
		if err != nil {
			return nil, err
		}
		for _, m := range flows {
			v.Options = append(v.Options, contact.Option{Value: m.Value, Label: month.Format(monthForm) + " " + name(m.From) + " → " + name(m.To)})
		}
	}
	return []contact.FieldView{v}, nil
}

// Among implements contact.Field.
func (f moveField) Among(ctx context.Context, _, value string) (contact.Among, error) {
	parts := strings.SplitN(value, ":", 3)
	if len(parts) != 3 {
		return contact.Among{}, nil
	}
	month, err := time.ParseInLocation(monthForm, parts[0], f.s.Zone(ctx))
	if err != nil {
		return contact.Among{}, nil
	}
	return contact.Among{Query: `select contact as n from machine_moves where machine = $1 and at >= cast($2 as bigint) and at < cast($3 as bigint) and from_state = $4 and to_state = $5`,
		Args: []any{f.machine, month.UnixMilli(), month.AddDate(0, 1, 0).UnixMilli(), parts[1], parts[2]}, Loose: true}, nil
}

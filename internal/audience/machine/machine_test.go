package machine

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/errs"
)

// What parts the stages by default, at their borders.
func TestDefaultStages(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		cases := map[string]struct {
			created, seen, ordered, orders int64
			want                           string
		}{
			"came today":                    {0, -1, -1, 0, "new"},
			"the 30th day":                  {29, -1, -1, 0, "new"},
			"the 31st day":                  {30, -1, -1, 0, "active"},
			"new and bought":                {1, -1, 1, 1, "paying"},
			"old, seen, never bought":       {400, 89, -1, 0, "active"},
			"bought twice":                  {400, -1, 10, 2, "paying"},
			"bought three times":            {400, -1, 80, 3, "loyal"},
			"loyal that only looks":         {400, 3, 300, 9, "loyal"},
			"silent for 90 days":            {400, 90, 120, 9, "dormant"},
			"silent for 180 days":           {400, 180, 300, 9, "lost"},
			"imported long ago, never seen": {200, -1, -1, 0, "lost"},
		}
		nums, i := map[string]int64{}, 0
		for name, c := range cases {
			i++
			nums[name], _ = p.person(fmt.Sprintf("1380000%04d", i), c.created, c.seen, c.ordered, c.orders)
		}
		require.Empty(t, p.in(Lifecycle, nums["came today"]), "not known before the first time")
		p.begin()
		for name, c := range cases {
			require.Equal(t, c.want, p.in(Lifecycle, nums[name]), name)
			pool := "nurture"
			if c.orders > 0 {
				pool = "client"
			}
			require.Equal(t, pool, p.in(Pools, nums[name]), name)
		}
		v, err := p.View(p.ctx, Lifecycle)
		require.NoError(t, err)
		require.EqualValues(t, len(cases), v.Total)
		require.Zero(t, v.Unknown)
		require.Empty(t, v.Job)
		require.Equal(t, "new 2, active 2, paying 2, loyal 2, dormant 1, lost 2, wonback 0, ", counts(v))
	})
}

func counts(v View) string {
	out := ""
	for _, s := range v.States {
		out += fmt.Sprintf("%s %d, ", s.ID, s.Count)
	}
	return out
}

// Somebody falls asleep, comes back, stays won back for its thirty days, and is
// then what they are; each move is told once.
func TestWonBack(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		num, _ := p.person("13800000001", 400, 10, -1, 0)
		p.begin()
		require.Equal(t, "active", p.in(Lifecycle, num))
		p.days(100)
		p.tick()
		require.Equal(t, "dormant", p.in(Lifecycle, num))
		require.Equal(t, []string{fmt.Sprintf("%d active>dormant fact", num)}, p.told.moves(t))
		p.clock.Advance(time.Second)
		p.live(num, 500, 0, 0, 1)
		p.tick()
		require.Equal(t, "wonback", p.in(Lifecycle, num))
		p.days(29)
		p.tick()
		require.Equal(t, "wonback", p.in(Lifecycle, num), "stays")
		p.told.moves(t)
		p.days(1)
		p.tick()
		require.Equal(t, "paying", p.in(Lifecycle, num))
		require.Equal(t, []string{fmt.Sprintf("%d wonback>paying lapse", num)}, p.told.moves(t))
		p.tick()
		require.Empty(t, p.told.moves(t), "told once")

		months, err := p.Flows(p.ctx, Lifecycle, "2026-06", "2026-07")
		require.NoError(t, err)
		require.Equal(t, []Flow{{"active", "dormant", 1, "2026-06:active:dormant"}, {"dormant", "wonback", 1, "2026-06:dormant:wonback"}}, months[0].Moves)
		require.Equal(t, []Flow{{"wonback", "paying", 1, "2026-07:wonback:paying"}}, months[1].Moves)
		for value, want := range map[string]int64{"2026-06:active:dormant": 1, "2026-07:wonback:paying": 1} {
			n, err := p.contacts.Count(p.ctx, contact.Selection{Query: contact.Query{Where: when(cond("stageMove", "in", []any{value}))}})
			require.NoError(t, err)
			require.Equal(t, want, n, value)
		}
		_, err = p.Flows(p.ctx, Lifecycle, "2026-07", "2026-06")
		require.Equal(t, "request.invalid", errs.CodeOf(err))
		for field, want := range map[string]int64{"stage": 1, "stageSince": 1} {
			n := cond(field, "is", "paying")
			if field == "stageSince" {
				n = cond(field, "within", 1)
			}
			got, err := p.contacts.Count(p.ctx, contact.Selection{Query: contact.Query{Where: when(n)}})
			require.NoError(t, err)
			require.Equal(t, want, got, field)
		}
	})
}

// Every person is in exactly one state, and a list by the field shows those whom
// their rows say.
func TestEverybodyIsInOneState(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		for i := range int64(60) {
			p.person(fmt.Sprintf("1380000%04d", i), i*7%400, i*11%300-1, i*5%200-1, i%5)
		}
		p.begin()
		seen := map[string]bool{}
		for _, machine := range Machines() {
			sum := int64(0)
			v, err := p.View(p.ctx, machine)
			require.NoError(t, err)
			for _, st := range v.States {
				page, err := p.contacts.List(p.ctx, contact.Query{Limit: 200, Where: when(cond(base(machine), "in", []any{st.ID}))})
				require.NoError(t, err)
				require.EqualValues(t, st.Count, len(page.Items), st.ID)
				sum += st.Count
				for _, row := range page.Items {
					ref := row.Stage
					if machine == Pools {
						ref = row.Pool
					}
					require.Equal(t, st.ID, ref.ID)
					require.Equal(t, st.Label, ref.Name)
					require.False(t, seen[machine+row.ID])
					seen[machine+row.ID] = true
				}
			}
			require.EqualValues(t, 60, sum)
		}
	})
}

// A preview says what saving does, and saving says nothing about people: nobody did anything.
func TestPreviewAndSave(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		for i := range int64(20) {
			p.person(fmt.Sprintf("1380000%04d", i), 40, 5, 5, i%4)
		}
		p.begin()
		states := Default(Lifecycle)
		states[3].Rule.All[0].Value = 2.0 // loyal from two orders on
		states[2].Rule.All[0].Value = []any{1.0, 1.0}
		pre, err := p.Preview(p.ctx, Lifecycle, states)
		require.NoError(t, err)
		require.EqualValues(t, 5, pre.Moved)
		require.Equal(t, []Flow{{From: "paying", To: "loyal", Count: 5}}, pre.Moves)
		require.EqualValues(t, 10, pre.Counts["loyal"])
		v, err := p.View(p.ctx, Lifecycle)
		require.NoError(t, err)
		require.Equal(t, "new 0, active 5, paying 10, loyal 5, dormant 0, lost 0, wonback 0, ", counts(v), "a preview changes nothing")

		d, err := p.Save(p.ctx, Lifecycle, v.Version, states)
		require.NoError(t, err)
		require.EqualValues(t, 2, d.Version)
		_, err = p.Save(p.ctx, Lifecycle, v.Version, states)
		require.Equal(t, "machine.changed_meanwhile", errs.CodeOf(err))
		v, err = p.View(p.ctx, Lifecycle)
		require.NoError(t, err)
		require.NotEmpty(t, v.Job)
		require.Equal(t, "new 0, active 5, paying 10, loyal 5, dormant 0, lost 0, wonback 0, ", counts(v), "the old one serves")
		p.work()
		v, err = p.View(p.ctx, Lifecycle)
		require.NoError(t, err)
		require.Empty(t, v.Job)
		require.EqualValues(t, 5, v.Moved)
		require.Equal(t, "new 0, active 5, paying 5, loyal 10, dormant 0, lost 0, wonback 0, ", counts(v))
		require.Empty(t, p.told.moves(t))
		months, err := p.Flows(p.ctx, Lifecycle, "2026-03", "2026-03")
		require.NoError(t, err)
		require.Equal(t, []Flow{{"paying", "loyal", 5, "2026-03:paying:loyal"}}, months[0].Moves, "kept as history")
	})
}

func TestRefusesBrokenMachines(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.begin()
		for name, c := range map[string]struct {
			change func(s []State) []State
			path   string
		}{
			"no rest":        {func(s []State) []State { s[5].Rule = s[0].Rule; return s }, "states"},
			"two rests":      {func(s []State) []State { s[1].Rule = nil; return s }, "states[5].rule"},
			"bad id":         {func(s []State) []State { s[1].ID = "New one"; return s }, "states[1].id"},
			"twice":          {func(s []State) []State { s[1].ID = "new"; return s }, "states[1].id"},
			"no name":        {func(s []State) []State { s[1].Name = Words{ZH: " "}; return s }, "states[1].name"},
			"bad colour":     {func(s []State) []State { s[1].Color = "red"; return s }, "states[1].color"},
			"unknown from":   {func(s []State) []State { s[6].From = []string{"asleep"}; return s }, "states[6].from[0]"},
			"closed rest":    {func(s []State) []State { s[5].From = []string{"new"}; return s }, "states[5].from"},
			"stays too long": {func(s []State) []State { s[1].Stay = 9999; return s }, "states[1].stay"},
			"one state":      {func(s []State) []State { return s[5:6] }, "states"},
			"a circle":       {func(s []State) []State { s[1].Rule = when(cond("pool", "in", []any{"client"})); return s }, "states[1].rule"},
			"a broken rule":  {func(s []State) []State { s[1].Rule = when(cond("shoe", "is", 1)); return s }, "states[1].rule.field"},
		} {
			states := c.change(Default(Lifecycle))
			_, err := p.Save(p.ctx, Lifecycle, 1, states)
			require.Equal(t, "request.invalid", errs.CodeOf(err), name)
			require.Equal(t, c.path, errs.As(err).Fields[0].Path, name)
		}
	})
}

// A state that goes leaves nobody behind, and one that names others is only
// entered from them.
func TestStatesComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a, _ := p.person("13800000001", 10, 5, -1, 0)
		b, _ := p.person("13800000002", 60, 5, -1, 0)
		p.begin()
		states := Default(Lifecycle)
		states = append(states[1:], State{ID: "star", Name: Words{EN: "Star"}, Color: "#112233", From: []string{"active"}, Rule: when(cond("lastSeen", "within", 30))})
		states[0].Rule = when(some(signs(dormantDays)...))
		_, err := p.Save(p.ctx, Lifecycle, 1, states)
		require.NoError(t, err)
		p.work()
		require.Equal(t, "active", p.in(Lifecycle, a))
		require.Equal(t, "star", p.in(Lifecycle, b))
		p.tick()
		require.Equal(t, "star", p.in(Lifecycle, a), "by way of active")
		require.Equal(t, "active", p.in(Lifecycle, b), "it does not name itself: no stay, so it is left")
		row, err := p.contacts.ListByNums(p.ctx, []int64{a})
		require.NoError(t, err)
		require.Equal(t, "Star", row[0].Stage.Name)
	})
}

func TestMergesAndUndo(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a, _ := p.person("13800000001", 400, 5, 5, 4)
		b, _ := p.person("13800000002", 10, 5, -1, 0)
		p.begin()
		require.NoError(t, p.Merged(p.ctx, []contact.Merge{{From: b, Into: a}}))
		require.Equal(t, []int64{a}, p.standing(Lifecycle))
		require.NoError(t, p.Split(p.ctx, []contact.Split{{Contact: b, From: a, Members: []int64{b}}}))
		require.Equal(t, []int64{a, b}, p.standing(Lifecycle))
		require.Equal(t, "new", p.in(Lifecycle, b))
		c, _ := p.person("13800000003", 400, 5, 5, 4) // nobody sorted it yet
		require.NoError(t, p.Merged(p.ctx, []contact.Merge{{From: a, Into: c}}))
		require.Equal(t, "loyal", p.in(Lifecycle, c), "it brings its state along")
		require.NoError(t, p.Forget(p.ctx, []int64{a, b, c}))
		require.Empty(t, p.in(Lifecycle, c))
	})
}

// standing lists who stands in a machine.
func (p *pond) standing(machine string) []int64 {
	p.t.Helper()
	set, err := p.contacts.ReadNumbers(p.ctx, "select contact as n from machine_states where machine = $1 and shown = 1", machine)
	require.NoError(p.t, err)
	return set.List()
}

// Counts of a month ago are those that were kept then.
func TestCountsOfAMonthAgo(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.person("13800000001", 10, 5, -1, 0)
		p.begin()
		v, err := p.View(p.ctx, Lifecycle)
		require.NoError(t, err)
		require.Nil(t, v.States[0].Before, "nothing to compare with")
		p.days(30)
		p.tick()
		v, err = p.View(p.ctx, Lifecycle)
		require.NoError(t, err)
		require.Equal(t, "2026-03-02", v.Since)
		require.EqualValues(t, 1, *v.States[0].Before)
		require.EqualValues(t, 0, v.States[0].Count)
		require.EqualValues(t, 0, *v.States[1].Before)
		require.EqualValues(t, 1, v.States[1].Count)
	})
}

// Whom nothing tells of is sorted within the hour all the same.
func TestNobodyIsMissed(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.begin()
		num, _ := p.person("13800000001", 10, 5, -1, 0)
		require.NoError(t, p.sweep(p.ctx, Pools))
		require.Equal(t, "nurture", p.in(Pools, num))
		require.Empty(t, p.told.moves(t))
		rules, err := follower{p.Service, Pools}.Rules(p.ctx)
		require.NoError(t, err)
		everybody, err := p.contacts.Matching(p.ctx, rules[0].Rule, "rule", nil)
		require.NoError(t, err)
		require.True(t, everybody.Has(num), "one rule holds for whoever is new")
	})
}

// Default rules are well formed and stand in the language's limits.
func TestDefaultsAreValid(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		for _, m := range Machines() {
			require.NoError(t, p.check(p.ctx, m, Default(m)))
			for _, st := range Default(m) {
				require.NotEmpty(t, st.Name.ZH)
				require.NotEmpty(t, st.Name.EN)
				require.NotEmpty(t, st.Note.ZH)
				require.Equal(t, m == Pools, st.Carriers.ZH != "" && st.Carriers.EN != "")
			}
		}
	})
}

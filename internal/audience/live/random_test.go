package live

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// dice makes random rules and lives.
type dice struct {
	*rand.Rand
	tags []string
}

func (d dice) of(list ...string) string { return list[d.IntN(len(list))] }

func (d dice) window() string {
	switch d.IntN(7) {
	case 0:
		return fmt.Sprintf(`,"within":{"last":%d,"unit":"minute"}`, 1+d.IntN(120))
	case 1:
		return fmt.Sprintf(`,"within":{"last":%d,"unit":"hour"}`, 1+d.IntN(30))
	case 2:
		return fmt.Sprintf(`,"within":{"last":%d,"unit":%q}`, 1+d.IntN(4), d.of("day", "week", "month"))
	case 3:
		return `,"within":{"from":"2026-03-02","to":"2026-03-03"}`
	}
	return ""
}

func (d dice) where() string {
	switch d.IntN(4) {
	case 0:
		return fmt.Sprintf(`,"where":[{"property":"price","op":%q,"value":%d}]`, d.of("gte", "lt", "is"), d.IntN(5))
	case 1:
		return fmt.Sprintf(`,"where":[{"property":"sku","op":%q,"value":%q}]`, d.of("is", "isNot"), d.of("A", "B"))
	}
	return ""
}

// deed is a condition on behaviour.
func (d dice) deed() string {
	name := d.of("bought", "viewed", "called")
	switch d.IntN(10) {
	case 0, 1, 2, 3:
		return fmt.Sprintf(`{"event":{"name":%q,"op":%q,"value":%d%s%s}}`, name, d.of("gte", "gt", "lte", "lt", "is", "isNot"), d.IntN(4), d.window(), d.where())
	case 4, 5:
		return fmt.Sprintf(`{"event":{"name":%q,"measure":%q,"property":"price","op":%q,"value":%d%s%s}}`, name, d.of("sum", "avg", "min", "max", "distinct", "first", "last"),
			d.of("gte", "gt", "lte", "lt", "is"), d.IntN(6), d.window(), d.where())
	case 6:
		w := d.window()
		for w == "" {
			w = d.window()
		}
		return fmt.Sprintf(`{"event":{"name":%q,"measure":"firstTime"%s%s}}`, name, w, d.where())
	case 7, 8:
		gap := ""
		if d.IntN(2) == 0 {
			gap = fmt.Sprintf(`,"gap":{"n":%d,"unit":"hour"}`, 1+d.IntN(5))
		}
		return fmt.Sprintf(`{"sequence":{"steps":[{"name":"viewed"%s},{"name":"bought"}]%s%s}}`, d.where(), gap, d.window())
	}
	return d.of(`{"habit":{"kind":"regularly","name":"viewed","unit":"day","periods":3,"atLeast":2}}`,
		`{"habit":{"kind":"stopped","name":"viewed","active":3,"quiet":1}}`, `{"habit":{"kind":"resumed","name":"viewed","active":2,"quiet":1}}`,
		`{"habit":{"kind":"regularly","name":"bought","unit":"week","periods":2,"atLeast":1}}`)
}

// trait is a condition on a field.
func (d dice) trait() string {
	switch d.IntN(8) {
	case 0, 1:
		return fmt.Sprintf(`{"field":"tag","op":%q,"value":[%q]}`, d.of("hasAnyOf", "hasNoneOf", "hasAllOf"), d.of(d.tags...))
	case 2:
		return fmt.Sprintf(`{"field":"city","op":%q,"value":%q}`, d.of("is", "isNot"), d.of("杭州", "上海"))
	case 3:
		return fmt.Sprintf(`{"field":"lastSeen","op":%q,"value":%d}`, d.of("within", "olderThan"), 1+d.IntN(3))
	case 4:
		return fmt.Sprintf(`{"field":"identity","op":%q,"value":["phone"]}`, d.of("in", "notIn"))
	case 5:
		return fmt.Sprintf(`{"field":"channel","key":%q,"op":%q,"value":["offline"]}`, d.of("first", "last"), d.of("in", "notIn"))
	case 6:
		return `{"field":"created","op":"within","value":1}`
	}
	return `{"field":"owner","op":"notSet"}`
}

func (d dice) node(depth int) string {
	switch n := d.IntN(10); {
	case depth == 0 || n < 3:
		if d.IntN(3) == 0 {
			return d.trait()
		}
		return d.deed()
	default:
		var parts []string
		for range 1 + d.IntN(3) {
			parts = append(parts, d.node(depth-1))
		}
		return fmt.Sprintf(`{%q:[%s]}`, d.of("all", "any", "none"), strings.Join(parts, ","))
	}
}

func (d dice) rule() string { return `{"v":1,` + d.node(2)[1:] }

// TestTheEngineAgreesWithWorkingEverythingOut: random lives and random rules.
// After every step what the owner keeps is what a question of today says, and
// what it was told makes sense: nobody enters who is in.
func TestTheEngineAgreesWithWorkingEverythingOut(t *testing.T) {
	rounds, steps := 4, 60
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		seed := uint64(time.Now().UnixNano()) + uint64(round)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			each(t, func(p *pond) { live(p, seed, steps) })
		})
	}
	seed := uint64(time.Now().UnixNano())
	t.Run(fmt.Sprint("DuckDB, seed ", seed), func(t *testing.T) { // what it should say is said by the meaning itself
		p := newPond(t, testkit.SQLite(t, contact.Migrations(), Migrations()))
		p.asksDuckDB()
		live(p, seed, steps)
	})
}

func live(p *pond, seed uint64, steps int) {
	d := dice{Rand: rand.New(rand.NewPCG(seed, 4))}
	for _, n := range []string{"茶友", "会员"} {
		tag, err := p.contacts.CreateTag(p.ctx, contact.NewTag{Group: "组", Name: n})
		require.NoError(p, err)
		d.tags = append(d.tags, tag.ID)
	}
	k := p.keeper("segments", nil)
	k.emits = true
	for i := range 25 {
		k.define(fmt.Sprint("r", i), d.rule())
	}
	p.begin()
	users := 1
	var merges []string
	what := ""
	for step := range steps {
		user := func() string { return fmt.Sprint("u", d.IntN(users)) }
		switch d.IntN(14) {
		case 0, 1, 2, 3, 4, 5:
			var facts []event.Fact
			for range 1 + d.IntN(4) {
				f := event.Fact{UserID: user(), Name: d.of("bought", "viewed", "called"), Properties: fmt.Appendf(nil, `{"price":%d,"sku":%q}`, d.IntN(6), d.of("A", "B"))}
				switch d.IntN(6) {
				case 0: // late
					f.Timestamp = p.clock.Now().Add(-time.Duration(d.IntN(72)) * time.Hour).UnixMilli()
				case 1: // a device alone
					f.AnonymousID, f.UserID = fmt.Sprint("d", d.IntN(users)), ""
				case 2:
					f.Context = json.RawMessage(fmt.Sprintf(`{"channel":%q}`, d.of("offline", "social")))
				}
				facts = append(facts, f)
			}
			what = fmt.Sprintf("facts %+v", facts)
			p.post(facts...)
		case 6: // a new person
			users++
			what = "a new person"
			p.post(did(fmt.Sprint("u", users-1), "viewed"))
		case 7: // who says who they are, which may join two
			f := event.Fact{UserID: user(), Type: event.Identify, Name: event.NameIdentified, Traits: fmt.Appendf(nil, `{"city":%q}`, d.of("杭州", "上海"))}
			if d.IntN(2) == 0 {
				f.AnonymousID = fmt.Sprint("d", d.IntN(users))
			} else {
				f.Identifiers = []event.Identifier{{Kind: "phone", Value: fmt.Sprintf("138001380%02d", d.IntN(users))}}
			}
			what = fmt.Sprintf("identify %+v", f)
			p.post(f)
		case 8, 9:
			what = "tags"
			u := fmt.Sprint("u", d.IntN(users))
			if !p.knows(u) {
				continue
			}
			add, remove := []string{d.of(d.tags...)}, []string(nil)
			if d.IntN(3) == 0 {
				add, remove = nil, add
			}
			_, err := p.contacts.SetTags(p.ctx, p.id(p.num(u)), add, remove)
			require.NoError(p, err)
			p.flush()
		case 10: // two become one
			a, b := user(), user()
			if !p.knows(a) || !p.knows(b) || p.num(a) == p.num(b) {
				continue
			}
			what = fmt.Sprintf("merge %s into %s", b, a)
			m, err := p.contacts.MergeByHand(p.ctx, p.id(p.num(a)), p.id(p.num(b)), "one person")
			if err != nil {
				continue
			}
			merges = append(merges, m.ID)
			p.flush()
		case 11: // and two again
			if len(merges) == 0 {
				continue
			}
			i := d.IntN(len(merges))
			what = "undo " + merges[i]
			if _, err := p.contacts.UndoMerge(p.ctx, merges[i], "not after all"); err == nil {
				merges = append(merges[:i], merges[i+1:]...)
			}
			p.flush()
		case 12:
			by := time.Duration(20+d.IntN(7200)) * time.Second
			if d.IntN(3) == 0 {
				by = time.Duration(d.IntN(50)) * time.Hour
			}
			by = max(by, sweepEvery)
			what = fmt.Sprint("time moves ", by)
			p.after(by)
		case 13: // another rule, or another start
			if d.IntN(3) == 0 {
				what = "start"
				p.begin()
				p.flush()
				break
			}
			key := fmt.Sprint("r", d.IntN(25))
			what = "another rule for " + key
			k.define(key, d.rule())
			p.engine.Changed("segments")
			p.due()
		}
		k.agree(fmt.Sprintf("step %d (%s)", step, what))
	}
	p.alternate(k)
}

// alternate checks that nobody was told to enter who was in, and that whoever
// left was in: by themselves or, after a merge, by somebody who became part of them.
func (p *pond) alternate(k *keeper) {
	p.Helper()
	in := map[string]bool{}
	for key := range k.rules {
		for _, line := range k.said(key) {
			var what, reason string
			var num int64
			_, err := fmt.Sscanf(line, "%s %d %s", &what, &num, &reason)
			require.NoError(p, err)
			at := fmt.Sprint(key, " ", num)
			switch what {
			case "entered", "gained":
				require.False(p, in[at], "%s: %s", key, line)
				in[at] = true
			case "left":
				require.True(p, in[at] || reason == ReasonMerge || reason == ReasonStart, "%s: %s", key, line)
				in[at] = false
			case "dropped":
				require.True(p, in[at], "%s: %s", key, line)
				in[at] = false
			}
		}
	}
}

// knows tells whether a user ever did anything.
func (p *pond) knows(user string) bool {
	for _, r := range p.lake.rows {
		if r.UserID == user {
			return true
		}
	}
	return false
}

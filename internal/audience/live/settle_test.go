package live

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
)

// chain makes rules that rest on each other: five segments and, between them, a
// lifecycle. Names do not tell the order.
type chain struct {
	rnd   *rand.Rand
	order []string // of who may rest on whom; "stage" is the lifecycle
}

func (c *chain) text(at int) string {
	deeds := []string{bought, twice, never, `{"v":1,"field":"identity","op":"in","value":["user_id"]}`}
	leaf := func() string {
		if at > 0 && c.rnd.IntN(3) > 0 {
			op := []string{"in", "notIn"}[c.rnd.IntN(2)]
			if below := c.order[c.rnd.IntN(at)]; below != "stage" {
				return fmt.Sprintf(`{"field":"segment","op":%q,"value":[%q]}`, op, below)
			}
			return fmt.Sprintf(`{"field":"stage","op":%q,"value":["in"]}`, op)
		}
		return strings.Replace(deeds[c.rnd.IntN(len(deeds))], `"v":1,`, "", 1)
	}
	return fmt.Sprintf(`{"v":1,%q:[%s,%s]}`, []string{"all", "any", "none"}[c.rnd.IntN(3)], leaf(), leaf())
}

// TestOneMoveForOneChange: whatever rests on whatever, a changed definition moves a
// person in each rule once at most, and all rules say what is true after it; also
// when the work is cut off in the middle and begun anew.
func TestOneMoveForOneChange(t *testing.T) {
	each(t, func(p *pond) {
		rnd := rand.New(rand.NewPCG(7, 11))
		c := &chain{rnd: rnd, order: []string{"d", "stage", "a", "e", "b", "c"}}
		segments, stages := p.keeper("segments", nil), p.keeper("lifecycle", nil)
		p.contacts.FilterBy("segment", keptField{segments})
		p.contacts.FilterBy("stage", keptField{stages})
		of := func(name string) (*keeper, string) {
			if name == "stage" {
				return stages, "in"
			}
			return segments, name
		}
		for i, name := range c.order {
			k, key := of(name)
			k.define(key, c.text(i))
		}
		var facts []event.Fact
		for i := range 12 {
			user := fmt.Sprint("u", i)
			for _, name := range []string{"bought", "bought", "viewed", "switched"}[rnd.IntN(4):] {
				facts = append(facts, did(user, name))
			}
		}
		p.post2(facts...)
		p.begin()
		p.due()
		moved, cuts := 0, 0
		for round := range 40 {
			var from int64
			require.NoError(p, p.db.QueryRow(p.ctx, "select coalesce(max(id), 0) from told").Scan(&from))
			for range 1 + rnd.IntN(3) {
				i := rnd.IntN(len(c.order))
				k, key := of(c.order[i])
				k.define(key, c.text(i))
			}
			cut := round%4 == 3
			if cut { // the program ends at a word to an owner
				ctx, cancel := context.WithCancel(p.ctx)
				after := rnd.IntN(3)
				fail := func() error {
					if after--; after < 0 {
						cancel()
						return errors.New("cut off")
					}
					return nil
				}
				segments.fail, stages.fail = fail, fail
				p.engine.Changed("segments")
				p.engine.Changed("lifecycle")
				_ = p.engine.due(ctx)
				cancel()
				segments.fail, stages.fail = nil, nil
				if after < 0 {
					cuts++
				}
				p.begin()
			} else {
				p.engine.Changed("segments")
				p.engine.Changed("lifecycle")
			}
			p.due()
			p.due()
			why := fmt.Sprint("round ", round)
			segments.agree(why)
			stages.agree(why)
			var most, all int
			require.NoError(p, p.db.QueryRow(p.ctx, "select coalesce(max(n), 0), coalesce(sum(n), 0) from (select count(*) as n from told where id > $1 group by owner, key, num) as counted", from).Scan(&most, &all))
			require.LessOrEqual(p, most, 1, why)
			moved += all
		}
		require.Greater(p, moved, 60)
		require.Greater(p, cuts, 3)
	})
}

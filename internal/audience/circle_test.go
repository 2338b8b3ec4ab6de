package audience_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/audience/loops"
	"github.com/koipond/koipond/internal/audience/machine"
	"github.com/koipond/koipond/internal/platform/db"
)

// gate lets those who ask what rests on what outside of a transaction go on only
// when both have asked: each has then seen that nothing is wrong.
type gate struct {
	db   *db.DB
	both sync.WaitGroup
	mu   sync.Mutex
	left int
}

func (g *gate) Rests(ctx context.Context) ([]loops.Node, error) {
	if g.db.InTx(ctx) {
		return nil, nil
	}
	g.mu.Lock()
	g.left--
	mine := g.left >= 0
	g.mu.Unlock()
	if mine {
		g.both.Done()
		g.both.Wait()
	}
	return nil, nil
}

func TestTwoWhoSaveAtOnceMakeNoCircle(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		here := p.dynamic("杭州", inCity(t, "杭州"))
		other := p.dynamic("上海", inCity(t, "上海"))
		g := &gate{db: p.db}
		p.loops.Add(g)
		together := func(one, two func() error) (faults []string) {
			g.mu.Lock()
			g.left = 2
			g.mu.Unlock()
			g.both.Add(2)
			errs := make([]error, 2)
			var wg sync.WaitGroup
			for i, save := range []func() error{one, two} {
				wg.Go(func() { errs[i] = save() })
			}
			wg.Wait()
			for _, err := range errs {
				if err != nil {
					faults = append(faults, codeOf(err))
				}
			}
			return faults
		}
		update := func(id, rests string) func() error {
			return func() error {
				_, err := p.Update(p.ctx, id, audience.Change{Rule: inside(rests)})
				return err
			}
		}
		require.Equal(t, []string{"request.invalid rule:audience.circle"}, together(update(here.ID, other.ID), update(other.ID, here.ID)))

		// A segment that asks for a stage, while the stage begins to ask for the segment.
		fresh := p.dynamic("新", inCity(t, "宁波"))
		states := []machine.State{{ID: "in", Name: machine.Words{ZH: "在"}, Color: "#112233", Rule: inside(fresh.ID)}, {ID: "rest", Name: machine.Words{ZH: "其余"}, Color: "#445566"}}
		plain := []machine.State{{ID: "in", Name: machine.Words{ZH: "在"}, Color: "#112233", Rule: inCity(t, "杭州")}, states[1]}
		_, err := p.machines.Save(p.ctx, machine.Lifecycle, 0, plain)
		require.NoError(t, err)
		faults := together(func() error {
			_, err := p.Update(p.ctx, fresh.ID, audience.Change{Rule: parse(t, `{"v":1,"field":"stage","op":"in","value":["in"]}`)})
			return err
		}, func() error {
			_, err := p.machines.Save(p.ctx, machine.Lifecycle, 1, states)
			return err
		})
		require.Len(t, faults, 1)
		require.Contains(t, faults[0], "audience.circle")
	})
}

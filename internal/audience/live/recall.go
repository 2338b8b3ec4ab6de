package live

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/rule"
)

// remember has the store keep at hand what conditions on behaviour look at: of
// everybody whose facts come they are asked again. Each day anew, so that what
// has left the windows is forgotten.
func (e *Engine) remember(ctx context.Context) error {
	store, ok := e.d.Store.(analytics.Rememberer)
	if !ok {
		return nil
	}
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	keys := []string{e.today(ctx)}
	var leaves []rule.Behaviour
	for key, c := range e.conds {
		if c.behaviour() {
			keys = append(keys, key)
			leaves = append(leaves, c.node.Behaviour)
		}
	}
	release()
	slices.Sort(keys)
	print := strings.Join(keys, "\n")
	if print == e.remembered {
		return nil
	}
	if err := store.Remember(analytics.BehaviourQuery{Leaves: leaves, Now: e.d.Clock.Now(), Zone: e.d.Zone(ctx)}); err != nil {
		return fmt.Errorf("have behaviour remembered: %w", err)
	}
	e.remembered = print
	return nil
}

package contact

import (
	"context"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/numset"
)

// Standings knows where contacts stand: the stage of their lifecycle and their
// pool (package audience/machine).
type Standings interface {
	// Standing gives the states of some contacts by machine; whoever was not sorted
	// yet has none. Names are in the caller's language.
	Standing(ctx context.Context, nums []int64) (map[int64][]StateRef, error)
	// StateNames says what states are called in the caller's language, by machine
	// and id; those that are gone are left out.
	StateNames(ctx context.Context) (map[string]map[string]string, error)
}

// StandBy says who knows where contacts stand. Call it while wiring; without it
// rows show no stage.
func (s *Service) StandBy(by Standings) { s.standings = by }

// The machines of which rows show the state.
const (
	machineLifecycle = "lifecycle"
	machinePools     = "pools"
)

// StateRef is where somebody stands in one machine.
type StateRef struct {
	Machine string `json:"-"`
	ID      string `json:"id" doc:"Stands in rules and facts"`
	Name    string `json:"name"`
	Color   string `json:"color"`
	Note    string `json:"note,omitempty" doc:"What it means"`

	Since       time.Time  `json:"since" doc:"When it was noticed that they stand there"`
	PinnedUntil *time.Time `json:"pinnedUntil,omitempty" doc:"A colleague's choice, which holds until then"`
}

// addStandings fills in the stage and the pool of rows.
func (s *Service) addStandings(ctx context.Context, place map[int64]*Row, order []int64) error {
	if s.standings == nil || len(order) == 0 {
		return nil
	}
	known, err := s.standings.Standing(ctx, order)
	if err != nil {
		return err
	}
	for n, refs := range known {
		row := place[n]
		if row == nil || row.Kind != event.Person {
			continue
		}
		for _, ref := range refs {
			switch ref.Machine {
			case machineLifecycle:
				row.Stage = &ref
			case machinePools:
				row.Pool = &ref
			}
		}
	}
	return nil
}

// ReadNumbers reads the numbers that a query of another package gives in a column
// called n, at once: a tenth of what a row each would cost.
func (s *Service) ReadNumbers(ctx context.Context, query string, args ...any) (*numset.Set, error) {
	return s.readNumbers(ctx, query, args...)
}

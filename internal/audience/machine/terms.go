package machine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/rule"
)

// Terms makes stages and pools follow tags and attributes: their pages say which
// of them ask for one, and a rule follows a tag that was merged.
func (s *Service) Terms() contact.Referrer { return terms{s} }

type terms struct{ s *Service }

// Uses implements contact.Referrer.
func (t terms) Uses(ctx context.Context, of contact.Term) ([]contact.Use, error) {
	return t.s.UsesWith(ctx, func(n *rule.Node) bool { return contact.RefersTo(n, of) })
}

// Moved implements contact.Referrer. Rules that follow mean the same people: there
// is no new version, and nobody moves. Both definitions follow, the one in force
// and the one that people are still being sorted by.
func (t terms) Moved(ctx context.Context, from contact.Term, into *contact.Term) error {
	if into == nil {
		return nil
	}
	follow, err := t.s.Contacts.Follower(ctx, from, *into)
	if err != nil {
		return err
	}
	for _, m := range Machines() {
		followed := map[int64]bool{}
		for _, which := range []func(context.Context, string) (*Definition, error){t.s.newest, t.s.inForce} {
			d, err := which(ctx, m)
			if err != nil {
				return err
			}
			if d == nil || followed[d.Version] {
				continue
			}
			followed[d.Version] = true
			changed := false
			for i := range d.States {
				if r := d.States[i].Rule; !r.Empty() && follow(r) {
					changed = true
				}
			}
			if !changed {
				continue
			}
			states, err := json.Marshal(d.States)
			if err != nil {
				return fmt.Errorf("write states: %w", err)
			}
			if _, err := t.s.DB.Exec(ctx, "update machine_definitions set states = $3 where machine = $1 and version = $2", m, d.Version, string(states)); err != nil {
				return fmt.Errorf("follow in a machine: %w", err)
			}
			t.s.DB.After(ctx, func() {
				t.s.forgetNames()
				if t.s.Engine != nil {
					t.s.Engine.Changed(owner(m))
				}
			})
		}
	}
	return nil
}

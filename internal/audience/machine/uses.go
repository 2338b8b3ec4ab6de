package machine

import (
	"context"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/rule"
)

// UsesWith lists the stages and pools in whose rules a condition is about something.
func (s *Service) UsesWith(ctx context.Context, about func(n *rule.Node) bool) ([]contact.Use, error) {
	defs, err := s.shown(ctx)
	if err != nil {
		return nil, err
	}
	var out []contact.Use
	for _, m := range Machines() {
		if defs[m] == nil {
			continue
		}
		for _, st := range defs[m].States {
			found := false
			if !st.Rule.Empty() {
				st.Rule.Each(func(n *rule.Node) { found = found || about(n) })
			}
			if found {
				out = append(out, contact.Use{Kind: base(m), ID: st.ID, Name: st.Name.in(ctx), Link: "/" + m})
			}
		}
	}
	return out, nil
}

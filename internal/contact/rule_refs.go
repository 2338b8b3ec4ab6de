package contact

import (
	"context"

	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/rule"
)

// ViewsWith lists the views with a condition for which about is true: the
// caller's own and the shared ones by name, those of others as one line.
func (s *Service) ViewsWith(ctx context.Context, about func(n *rule.Node) bool) ([]Use, error) {
	all, err := s.views.everybodys(ctx)
	if err != nil {
		return nil, err
	}
	var out []Use
	me, others := principal(ctx).ID, 0
	for _, w := range all {
		found := false
		if !w.Definition.Filter.Where.Empty() {
			w.Definition.Filter.Where.Each(func(n *rule.Node) { found = found || about(n) })
		}
		switch {
		case !found:
		case w.Shared || w.Owner.ID == me:
			out = append(out, Use{Kind: "view", ID: w.ID, Name: w.Name, Link: "/contacts?view=" + w.ID})
		default:
			others++
		}
	}
	if others > 0 {
		out = append(out, Use{Kind: "view", Name: httpx.Say(ctx, "contact.use.private_views", map[string]any{"count": others})})
	}
	return out, nil
}

package app

import (
	"context"

	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/audience/webhook"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/rule"
)

// ruleUses finds the uses of a segment where rules are kept: automatic tags, stages, pools.
type ruleUses struct {
	with func(ctx context.Context, about func(n *rule.Node) bool) ([]contact.Use, error)
}

// SegmentUses implements audience.Referrer.
func (u ruleUses) SegmentUses(ctx context.Context, id string) ([]contact.Use, error) {
	return u.with(ctx, audience.Asks(id))
}

// hookUses finds the webhooks that tell of a segment by name. Those who may not
// see webhooks are told how many there are.
type hookUses struct{ hooks *webhook.Service }

// SegmentUses implements audience.Referrer.
func (u hookUses) SegmentUses(ctx context.Context, id string) ([]contact.Use, error) {
	list, err := u.hooks.Naming(ctx, id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	if p := auth.From(ctx); p == nil || !p.May(auth.KeysRead) || !p.Scope.All {
		return []contact.Use{{Kind: "webhook", Name: httpx.Say(ctx, "audience.use.webhooks", map[string]any{"count": len(list)})}}, nil
	}
	out := make([]contact.Use, len(list))
	for i, w := range list {
		out[i] = contact.Use{Kind: "webhook", ID: w.ID, Name: w.Name, Link: "/webhooks/" + w.ID}
	}
	return out, nil
}

// referToSegments makes segments know who uses them.
func (a *App) referToSegments() {
	a.segments.Refer(ruleUses{a.autotags.UsesWith})
	a.segments.Refer(ruleUses{a.machines.UsesWith})
	a.segments.Refer(hookUses{a.webhooks})
}

package app

import (
	"cmp"
	"context"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event/dictionary"
)

// ruleWords lets the dictionary suggest what rules can speak of.
type ruleWords struct{ dict *dictionary.Service }

// KnownEvents implements contact.Dictionary.
func (w ruleWords) KnownEvents(ctx context.Context, text string, limit int) ([]contact.KnownEvent, error) {
	list, _, err := w.dict.Events(ctx, dictionary.EventQuery{Text: text, Limit: limit})
	if err != nil {
		return nil, err
	}
	out := make([]contact.KnownEvent, len(list))
	for i, e := range list {
		out[i] = contact.KnownEvent{Name: e.Name, Title: cmp.Or(e.DisplayName, e.Name), Category: e.Category, Volume: e.Volume, Volume7d: e.Volume7d, LastSeenAt: timeOrNil(e.LastSeenAt)}
	}
	return out, nil
}

// KnownProperties implements contact.Dictionary.
func (w ruleWords) KnownProperties(ctx context.Context, event string) ([]contact.KnownProperty, error) {
	if _, err := w.dict.Event(ctx, event); err != nil {
		return nil, err
	}
	list, err := w.dict.Properties(ctx, event)
	if err != nil {
		return nil, err
	}
	out := []contact.KnownProperty{}
	for _, p := range list {
		if p.State == dictionary.Hidden {
			continue
		}
		k := contact.KnownProperty{Name: p.Name, Title: cmp.Or(p.DisplayName, p.Name), Type: p.ExpectedType, Samples: p.Samples, Count: p.Count}
		for _, t := range p.Types {
			k.Types = append(k.Types, t.Type)
		}
		if k.Type == "" && len(k.Types) > 0 {
			k.Type = k.Types[0]
		}
		out = append(out, k)
	}
	return out, nil
}

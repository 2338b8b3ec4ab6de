package app

import (
	"context"

	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/dictionary"
)

// customerEvents lists what customers do, the commonest first: what staff and
// the program do is typical of nobody.
func (a *App) customerEvents(ctx context.Context) ([]audience.EventWord, error) {
	events, _, err := a.dict.Events(ctx, dictionary.EventQuery{Limit: 100})
	if err != nil {
		return nil, err
	}
	var out []audience.EventWord
	for _, e := range events {
		if event.Administrative(e.Name) {
			continue
		}
		w := audience.EventWord{Name: e.Name, Title: e.DisplayName}
		if w.Title == "" {
			w.Title = e.Name
		}
		out = append(out, w)
	}
	return out, nil
}

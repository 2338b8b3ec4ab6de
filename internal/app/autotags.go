package app

import (
	"context"

	"github.com/koipond/koipond/internal/analytics/sealed"
	"github.com/koipond/koipond/internal/audience/autotag"
	"github.com/koipond/koipond/internal/audience/rfm"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/live"
)

// countedFacts erases the facts of an import, and lets scores be worked out without them.
type countedFacts struct {
	*sealed.Store
	tags *autotag.Service
	rfm  *rfm.Service
}

// watchers see what the pipeline has stored: the live debugger, and RFM, which
// looks for purchases that came late.
type watchers struct {
	*live.Service
	rfm *rfm.Service
}

// Stored implements pipeline.Watcher.
func (w watchers) Stored(facts []event.Stored) {
	w.Service.Stored(facts)
	w.rfm.Stored(facts)
}

// EraseImport implements importer.Facts.
func (c countedFacts) EraseImport(ctx context.Context, importID string) (int64, error) {
	n, err := c.Store.EraseImport(ctx, importID)
	if err != nil || n == 0 {
		return n, err
	}
	c.rfm.Doubt()
	return n, c.tags.Recount(ctx)
}

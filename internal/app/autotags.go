package app

import (
	"context"

	"github.com/koipond/koipond/internal/analytics/sealed"
	"github.com/koipond/koipond/internal/audience/autotag"
)

// countedFacts erases the facts of an import, and lets scores be added up without them.
type countedFacts struct {
	*sealed.Store
	tags *autotag.Service
}

// EraseImport implements importer.Facts.
func (c countedFacts) EraseImport(ctx context.Context, importID string) (int64, error) {
	n, err := c.Store.EraseImport(ctx, importID)
	if err != nil || n == 0 {
		return n, err
	}
	return n, c.tags.Recount(ctx)
}

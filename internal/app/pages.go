package app

import (
	"context"

	"github.com/koipond/koipond/internal/acquire/livecode"
	"github.com/koipond/koipond/internal/acquire/page"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
)

func (a *App) buildPages(ingest facts) {
	a.pages = page.NewService(page.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Audit: a.Audit, Keys: a.ring, Files: a.files, Ingest: ingest, Emit: a.intake,
		Channels: a.acquire, Attributes: a.contacts, Contacts: a.contacts, Consents: a.consent, Codes: pageCodes{a}, Links: a.links, Store: a.store, Fakes: a.quality,
		Brand: func(ctx context.Context) (page.Brand, error) {
			b, err := a.brand(ctx)
			return page.Brand{Company: b.Company}, err
		}, Zone: a.zone, Say: a.catalogue.Translate, PublicURL: a.cfg.URL})
	a.contacts.OnMerge(a.pages.Merged)
	a.contacts.OnRemove(a.pages.Forget)
}

// pageCodes are the live codes that the thank-you of a page may show.
type pageCodes struct{ a *App }

// LiveCodes implements page.Codes.
func (p pageCodes) LiveCodes(ctx context.Context) ([]page.CodeChoice, error) {
	rows, _, _, err := p.a.livecodes.List(ctx, livecode.Query{}, "", 500)
	out := make([]page.CodeChoice, len(rows))
	for i, r := range rows {
		out[i] = page.CodeChoice{ID: r.ID, Name: r.Name}
	}
	return out, err
}

// Draw implements page.Codes: strangers see the code that somebody put on the page.
func (p pageCodes) Draw(ctx context.Context, id string) ([]byte, bool, error) {
	c, err := p.a.livecodes.Get(auth.With(ctx, auth.System("pages")), id)
	if err != nil || c.State != livecode.Active || c.Over(p.a.clock.Now()) {
		return nil, false, err
	}
	svg, err := p.a.livecodes.Picture(ctx, c, "svg", livecode.Drawing{Size: 440})
	if err != nil && errs.As(err).Kind == errs.Conflict { // the platform has not made it yet
		return nil, false, nil
	}
	return svg, err == nil, err
}

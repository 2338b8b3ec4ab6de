package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/acquire/quality"
	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/shop"
)

func (a *App) buildQuality() {
	a.quality = quality.NewService(quality.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Audit: a.Audit, Store: a.store, Channels: a.acquire, Contacts: a.contacts,
		Noise: []quality.Noise{linkNoise{a}, pageNoise{a}}, Teller: a.care, Jobs: a.jobs, Zone: a.zone, Hold: a.filling})
	a.quality.RegisterJobs()
	a.quality.OnMarked(func(ctx context.Context, fake, real []int64) error { return a.links.Marked(ctx, fake, real) })
	a.quality.OnMarked(func(ctx context.Context, fake, real []int64) error { return a.livecodes.Marked(ctx, fake, real) })
	a.contacts.OnRemove(a.quality.Forget)
}

// linkNoise is what programs did at short links.
type linkNoise struct{ a *App }

// Noise implements quality.Noise.
func (l linkNoise) Noise(ctx context.Context, day string, from, to time.Time) ([]quality.Program, error) {
	list, err := l.a.links.Programs(ctx, day, from, to)
	out := make([]quality.Program, len(list))
	for i, p := range list {
		out[i] = quality.Program{Subject: "link:" + p.Code, Title: p.Title, Channel: p.Channel, Opens: p.Opens, People: p.People, Why: p.Why}
	}
	return out, err
}

// pageNoise is what programs did at landing pages.
type pageNoise struct{ a *App }

// Noise implements quality.Noise.
func (n pageNoise) Noise(ctx context.Context, day string, from, to time.Time) ([]quality.Program, error) {
	list, err := n.a.pages.Programs(ctx, day, from, to)
	out := make([]quality.Program, len(list))
	for i, p := range list {
		out[i] = quality.Program{Subject: "page:" + p.Page, Title: p.Title, Channel: p.Channel, Opens: p.Times, People: p.People, Why: p.Why}
	}
	return out, err
}

// realGrowth counts people without those who were judged to be none.
type realGrowth struct {
	*contact.Service
	quality *quality.Service
}

// Growth is contact.Service's, without fakes.
func (r realGrowth) Growth(ctx context.Context, edges []time.Time, channels ...string) (contact.Growth, error) {
	g, err := r.Service.Growth(ctx, edges, channels...)
	if err != nil || len(edges) == 0 {
		return g, err
	}
	fakes, err := r.quality.Fakes(ctx)
	if err != nil {
		return g, err
	}
	came, err := r.Arrivals(ctx, fakes)
	if err != nil {
		return g, err
	}
	first, last := clock.Ms(edges[0]), clock.Ms(edges[len(edges)-1])
	for _, a := range came {
		ch := cmp.Or(a.Channel, contact.Unknown)
		if !a.Shown || a.CreatedAt >= last || len(channels) > 0 && !slices.Contains(channels, ch) {
			continue
		}
		for i, e := range edges {
			if a.CreatedAt < clock.Ms(e) {
				g.Before[i]--
			}
		}
		c := g.Channels[ch]
		if c.Size--; a.CreatedAt >= first {
			c.New--
		}
		g.Channels[ch] = c
	}
	return g, nil
}

// orderTouches lets the facts tell orders by which channels their buyers came.
type orderTouches struct{ store analytics.Tracer }

// OrderTouches implements shop.Touches.
func (o orderTouches) OrderTouches(ctx context.Context, asks []shop.TouchAsk, window time.Duration) ([]shop.Touched, error) {
	list := make([]analytics.TouchAt, len(asks))
	for i, x := range asks {
		list[i] = analytics.TouchAt(x)
	}
	got, err := o.store.Touches(ctx, list, window, contact.Direct)
	out := make([]shop.Touched, len(got))
	for i, x := range got {
		out[i] = shop.Touched(x)
	}
	return out, err
}

package app

import (
	"context"

	rules "github.com/koipond/koipond/internal/audience/live"
	"github.com/koipond/koipond/internal/event"
)

// buildAudiences makes the engine that keeps rules true. Owners of rules are
// built after it and before it starts.
func (a *App) buildAudiences() {
	a.audiences = rules.New(rules.Deps{DB: a.DB, Contacts: a.contacts, Store: a.store, Zone: a.zone, Clock: a.clock, Log: a.log, Metrics: a.telemetry.registry, Filling: a.filling,
		Cursor: func(ctx context.Context) (event.Position, error) { return a.pipe.Cursor(ctx, rules.Name) }})
}

// filling tells whether the demo pond is being filled.
func (a *App) filling() bool { return a.demo != nil && a.demo.filling.Load() }

// followFacts has the engine see facts behind those that change contacts, so that
// what it reads of a contact is never older than the fact.
func (a *App) followFacts() {
	a.pipe.Subscribe(a.audiences, a.contacts.Activity().Name(), a.consent.Name(), a.shop.Name(), a.autotags.Follower().Name())
}

// audienceLag is how old, in seconds, the oldest fact is whose effect on audiences is not known.
func (a *App) audienceLag() float64 { return a.pipe.Lags()[rules.Name].Seconds() }

package app

import (
	"context"

	"github.com/koipond/koipond/internal/acquire/livecode"
	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/outbound"
)

func (a *App) buildLiveCodes() {
	out := &outside{a: a, client: outbound.Guard{Private: a.cfg.OutboundPrivate, Own: a.isSimulator}.Client(pictureTime)}
	a.livecodes = livecode.NewService(livecode.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Keys: a.ring, Audit: a.Audit, Emit: a.intake, Jobs: a.jobs, Files: a.files,
		Platform: out, Accounts: out, Staff: out, Channels: knownChannels{a}, Tags: a.contacts, Pools: a.machines, People: seenPeople{a.contacts}, Zone: a.zone, Node: a.nodeName()})
	a.livecodes.RegisterJobs()
	a.contacts.OnRemove(a.livecodes.Forget)
	for _, name := range []string{"change_external_contact.add_external_contact", "change_external_contact.add_half_external_contact"} {
		a.connectors.First(wecom.Name, name, a.welcome)
	}
}

// welcome answers somebody who just became a friend, before anything else.
func (a *App) welcome(ctx context.Context, acc connector.Account, in connector.Incoming) error {
	e, err := wecom.ParseEvent(in.Body)
	if err != nil || e.UserID == "" || e.CustomerID == "" {
		return nil // the handlers that state facts say what is wrong with it
	}
	return a.livecodes.Welcome(ctx, livecode.Scan{Key: acc.ID + "/" + in.Key, Account: acc.ID, Staff: e.UserID, Customer: e.CustomerID, State: e.State,
		WelcomeCode: e.WelcomeCode, At: e.At, Received: in.ReceivedAt})
}

// knownChannels are the channels that people can come from.
type knownChannels struct{ a *App }

// Known implements livecode.Channels.
func (k knownChannels) Known(_ context.Context, ids []string) (out []string, err error) {
	for _, id := range ids {
		if k.a.acquire.Known(id) {
			out = append(out, id)
		}
	}
	return out, nil
}

// seenPeople are contacts as far as the caller sees them.
type seenPeople struct{ contacts *contact.Service }

// People implements livecode.People.
func (s seenPeople) People(ctx context.Context, nums []int64) (map[int64]livecode.Person, error) {
	into, err := s.contacts.Survivors(ctx, nums)
	if err != nil {
		return nil, err
	}
	root := func(n int64) int64 {
		if r, ok := into[n]; ok {
			return r
		}
		return n
	}
	roots := make([]int64, len(nums))
	for i, n := range nums {
		roots[i] = root(n)
	}
	seen, err := s.contacts.InScope(ctx, roots)
	if err != nil {
		return nil, err
	}
	refs, err := s.contacts.Refs(ctx, seen)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]livecode.Person, len(nums))
	for _, n := range nums {
		if r, ok := refs[root(n)]; ok {
			out[n] = livecode.Person{ID: r.ID, Name: r.Name}
		}
	}
	return out, nil
}

// Hold implements livecode.People.
func (s seenPeople) Hold(ctx context.Context) error {
	_, err := s.contacts.Survivors(ctx, nil)
	return err
}

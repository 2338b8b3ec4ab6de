package app

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/acquire/livecode"
	"github.com/koipond/koipond/internal/contact"
)

func (a *App) buildLiveCodes() {
	out := outside{a}
	a.livecodes = livecode.NewService(livecode.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Keys: a.ring, Audit: a.Audit, Emit: a.intake, Jobs: a.jobs, Files: a.files,
		Platform: out, Accounts: out, Staff: out, Channels: knownChannels{}, Tags: a.contacts, Pools: a.machines, People: seenPeople{a.contacts}, Zone: a.zone, Node: a.nodeName()})
	a.livecodes.RegisterJobs()
	a.contacts.OnRemove(a.livecodes.Forget)
}

// knownChannels are the channels that people can come from.
type knownChannels struct{}

// Known implements livecode.Channels.
func (knownChannels) Known(_ context.Context, ids []string) (out []string, err error) {
	for _, id := range ids {
		if slices.Contains(contact.Channels(), id) {
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

// outside is the platform of live codes: nobody, until an account is connected.
type outside struct{ a *App }

var errNoAccount = &livecode.Refusal{Words: "no account is connected"}

// Accounts implements livecode.Accounts.
func (outside) Accounts(context.Context) ([]livecode.Account, error) { return nil, nil }

// Colleagues implements livecode.Staff.
func (outside) Colleagues(context.Context, string) ([]livecode.Colleague, error) { return nil, nil }

// CreateWay implements livecode.Platform.
func (outside) CreateWay(context.Context, string, livecode.Way) (livecode.MadeWay, error) {
	return livecode.MadeWay{}, errNoAccount
}

// UpdateWay implements livecode.Platform.
func (outside) UpdateWay(context.Context, string, string, livecode.Way) error { return errNoAccount }

// DeleteWay implements livecode.Platform.
func (outside) DeleteWay(context.Context, string, string) error { return errNoAccount }

// Welcome implements livecode.Platform.
func (outside) Welcome(context.Context, string, string, livecode.Message) error { return errNoAccount }

// Remark implements livecode.Platform.
func (outside) Remark(context.Context, string, string, string, string) error { return errNoAccount }

// CustomerName implements livecode.Platform.
func (outside) CustomerName(context.Context, string, string) (string, error) { return "", errNoAccount }

// Media implements livecode.Platform.
func (outside) Media(context.Context, string, string, string, io.Reader) (string, time.Time, error) {
	return "", time.Time{}, errNoAccount
}

// Picture implements livecode.Platform.
func (outside) Picture(context.Context, string, string) ([]byte, error) { return nil, errNoAccount }

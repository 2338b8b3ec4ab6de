package app

import (
	"context"
	"slices"

	"github.com/koipond/koipond/internal/contact/mirror"
	"github.com/koipond/koipond/internal/staff"
)

// stageCorp is the part of the demo that reads the simulated company's groups and
// tags, once its people and their friends are known.
const stageCorp = "corp"

// corp reads the simulated company once the pond is full. It starts the same work
// that the buttons of the console start, and waits for none of it.
func (d *demoPond) corp(ctx context.Context, a *App) error {
	p := demoProgress{d: d, state: a.state, log: a.log}
	if done, err := p.Done(ctx, stageCorp); err != nil || done {
		return err
	}
	accounts, err := a.connectors.Accounts(ctx, simKind)
	if err != nil || len(accounts) == 0 {
		return err
	}
	account := accounts[0].ID
	if _, err := a.groups.Sync(ctx, account); err != nil {
		return err
	}
	pre, err := a.mirror.Preview(ctx, account)
	if err != nil {
		return err
	}
	var in mirror.LinkInput
	for _, t := range pre.Theirs {
		in.Theirs = append(in.Theirs, t.ID)
	}
	slices.Sort(in.Theirs)
	if err := a.mirror.Links(ctx, account, in); err != nil {
		return err
	}
	if err := d.labels(ctx, a, account, pre); err != nil {
		return err
	}
	return p.Mark(ctx, stageCorp)
}

// labelled is how many friends the simulated colleagues tag by hand.
const labelled = 24

// labels has colleagues of the simulated company tag some of their friends.
func (d *demoPond) labels(ctx context.Context, a *App, account string, pre mirror.Preview) error {
	if a.sim == nil || len(pre.Theirs) == 0 {
		return nil
	}
	list, _, err := a.staff.Friends(ctx, staff.FriendQuery{Account: account, State: staff.Friend, Limit: labelled}, nil)
	if err != nil {
		return err
	}
	people := map[string]string{}
	for _, p := range a.sim.sim.People("", 1<<20) {
		people[p.External] = p.ID
	}
	for i, f := range list {
		if who := people[f.Customer]; who != "" && !f.StaffLeft {
			if err := a.sim.sim.Label(f.Staff, who, pre.Theirs[i%len(pre.Theirs)].ID); err != nil {
				a.log.Debug("a friend of the demo is not tagged", "error", err) // they are no friends any more
			}
		}
	}
	return nil
}

package app

import (
	"context"
	"errors"
	"strconv"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/contact/mirror"
	"github.com/koipond/koipond/internal/platform/errs"
)

// buildMirror makes what keeps our tags and the corp tags of WeCom alike.
func (a *App) buildMirror() {
	a.mirror = mirror.NewService(mirror.Deps{DB: a.DB, Clock: a.clock, Log: a.log, Audit: a.Audit, Jobs: a.jobs, Contacts: a.contacts, Platform: corpTags{a}, Node: a.nodeName()})
	a.connectors.On(wecom.Name, "change_external_tag.*", func(ctx context.Context, acc connector.Account, _ connector.Incoming) error {
		return a.mirror.TagsTold(ctx, acc.ID)
	})
}

// corpTags is WeCom as package mirror asks it.
type corpTags struct{ a *App }

// Accounts implements mirror.Platform.
func (c corpTags) Accounts(ctx context.Context) ([]mirror.Account, error) {
	list, err := c.a.connectors.Accounts(ctx, wecom.Name)
	out := make([]mirror.Account, len(list))
	for i, a := range list {
		out[i] = mirror.Account{ID: a.ID, Name: a.Name}
	}
	return out, err
}

func theirs(groups []wecom.TagGroup) []mirror.Theirs {
	var out []mirror.Theirs
	for _, g := range groups {
		for _, t := range g.Tags {
			if !g.Deleted && !t.Deleted {
				out = append(out, mirror.Theirs{ID: t.ID, Name: t.Name, GroupID: g.ID, Group: g.Name})
			}
		}
	}
	return out
}

// Tags implements mirror.Platform.
func (c corpTags) Tags(ctx context.Context, account string) ([]mirror.Theirs, error) {
	w, err := c.a.wecomClient(ctx, account)
	if err != nil {
		return nil, err
	}
	groups, err := w.TagGroups(ctx, nil, nil)
	return theirs(groups), err
}

// Add implements mirror.Platform.
func (c corpTags) Add(ctx context.Context, account, group string, names []string) ([]mirror.Theirs, error) {
	w, err := c.a.wecomClient(ctx, account)
	if err != nil {
		return nil, err
	}
	g, err := w.AddTags(ctx, "", group, names)
	return theirs([]wecom.TagGroup{g}), err
}

// Rename implements mirror.Platform.
func (c corpTags) Rename(ctx context.Context, account, id, name string) error {
	w, err := c.a.wecomClient(ctx, account)
	if err != nil {
		return err
	}
	return w.RenameTag(ctx, id, name)
}

// Delete implements mirror.Platform.
func (c corpTags) Delete(ctx context.Context, account string, ids []string) error {
	w, err := c.a.wecomClient(ctx, account)
	if err != nil {
		return err
	}
	return w.DeleteTags(ctx, nil, ids)
}

// Mark implements mirror.Platform.
func (c corpTags) Mark(ctx context.Context, account, staff, customer string, add, remove []string) error {
	w, err := c.a.wecomClient(ctx, account)
	if err != nil {
		return err
	}
	return w.MarkTags(ctx, staff, customer, add, remove)
}

// On implements mirror.Platform.
func (c corpTags) On(ctx context.Context, account, customer string) ([]mirror.Found, error) {
	w, err := c.a.wecomClient(ctx, account)
	if err != nil {
		return nil, err
	}
	p, err := w.Customer(ctx, customer)
	out := make([]mirror.Found, len(p.Follows))
	for i, f := range p.Follows {
		out[i] = mirror.Found{Staff: f.UserID, Customer: customer, Tags: f.CorpTags()}
	}
	return out, err
}

// Serving implements mirror.Platform.
func (c corpTags) Serving(ctx context.Context, account string) ([]string, error) {
	return corpDirectory(c).Serving(ctx, account)
}

// Friends implements mirror.Platform.
func (c corpTags) Friends(ctx context.Context, account string, staff []string, cursor string) ([]mirror.Found, string, error) {
	w, err := c.a.wecomClient(ctx, account)
	if err != nil {
		return nil, "", err
	}
	page, next, err := w.FriendsOf(ctx, staff, cursor, 0)
	out := make([]mirror.Found, len(page))
	for i, f := range page {
		out[i] = mirror.Found{Staff: f.Follow.UserID, Customer: f.Customer.ID, Tags: f.Follow.CorpTags()}
	}
	return out, next, err
}

// Names implements mirror.Platform.
func (c corpTags) Names(ctx context.Context, account string, staff []string) map[string]string {
	return c.a.staff.NamesOf(ctx, account, staff)
}

// Limits implements mirror.Platform.
func (corpTags) Limits() mirror.Limits {
	return mirror.Limits{Name: wecom.MaxTagName, Group: wecom.MaxTagGroup, Tags: wecom.MaxTags}
}

// Means implements mirror.Platform.
func (corpTags) Means(err error) mirror.Meaning {
	m := mirror.Meaning{Code: errs.CodeOf(err), Final: connector.GivenUp(err)}
	var later *connector.Later
	if errors.As(err, &later) {
		m.Until = later.Until
	}
	n := wecom.CodeOf(err)
	if n != 0 {
		m.Number = strconv.Itoa(n)
	}
	m.Gone, m.NoTag, m.Stop = wecom.Unfriended(err), wecom.NoTag(err), wecom.Stopped(err)
	if n == 40100 { // it is being handed over: that ends within a day
		m.Final = false
	}
	return m
}

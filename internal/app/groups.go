package app

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/community"
	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wecom"
)

// buildGroups makes the book of customer groups.
func (a *App) buildGroups(ingest facts) {
	a.groups = community.NewService(community.Deps{DB: a.DB, Clock: a.clock, Log: a.log, Keys: a.ring, Audit: a.Audit, Jobs: a.jobs, Ingest: ingest, Contacts: a.contacts,
		Platform: corpGroups{a}, Zone: a.zone, Recheck: func() { a.audiences.Recheck() }})
	a.contacts.FilterBy(community.FieldName, a.groups.Field())
	a.connectors.On(wecom.Name, "change_external_chat.*", a.groupChanged)
}

// groupChanged hands a callback about a group to those who keep it.
func (a *App) groupChanged(ctx context.Context, acc connector.Account, in connector.Incoming) error {
	e, err := wecom.ParseEvent(in.Body)
	if err != nil || e.ChatID == "" {
		return connector.GiveUp(connector.ErrMalformed)
	}
	t := community.Told{Group: e.ChatID, At: e.At, Ended: strings.HasSuffix(e.Name, ".dismiss"), Left: e.Detail == "del_member", Members: e.Members}
	if n, err := strconv.ParseInt(e.QuitScene, 10, 64); err == nil {
		t.Quit = n + 1 // 0 is "by themselves" there, and "not known" here
	}
	return a.groups.Changed(ctx, acc.ID, t)
}

// corpGroups is WeCom as package community asks it.
type corpGroups struct{ a *App }

// Accounts implements community.Platform.
func (c corpGroups) Accounts(ctx context.Context) ([]community.Account, error) {
	list, err := c.a.connectors.Accounts(ctx, wecom.Name)
	out := make([]community.Account, len(list))
	for i, a := range list {
		out[i] = community.Account{ID: a.ID, Name: a.Name}
	}
	return out, err
}

// Groups implements community.Platform.
func (c corpGroups) Groups(ctx context.Context, account, cursor string) ([]community.Listed, string, error) {
	w, err := c.a.wecomClient(ctx, account)
	if err != nil {
		return nil, "", err
	}
	list, next, err := w.Groups(ctx, nil, 0, cursor, 0)
	out := make([]community.Listed, len(list))
	for i, g := range list {
		out[i] = community.Listed{ID: g.ID, OwnerLeft: g.Status == wecom.GroupOwnerLeft}
	}
	return out, next, err
}

// Group implements community.Platform.
func (c corpGroups) Group(ctx context.Context, account, id string) (community.Found, error) {
	w, err := c.a.wecomClient(ctx, account)
	if err != nil {
		return community.Found{}, err
	}
	g, err := w.Group(ctx, id)
	if err != nil {
		return community.Found{}, err
	}
	out := community.Found{ID: g.ID, Name: g.Name, Owner: g.Owner, Version: g.Version, CreatedAt: time.Unix(g.CreatedAt, 0).UTC()}
	for _, m := range g.Members {
		if m.Type == 2 && !wecom.IsCustomer(m.ID) { // somebody without an id of their own, such as another company's
			continue
		}
		out.Members = append(out.Members, community.FoundMember{ID: m.ID, UnionID: m.UnionID, Name: m.Name, Invitor: m.Invitor.ID, Customer: m.Type == 2, JoinedAt: time.Unix(m.JoinedAt, 0).UTC(),
			Scene: int64(m.Scene), State: m.State})
	}
	return out, nil
}

// Names implements community.Platform.
func (c corpGroups) Names(ctx context.Context, account string, staff []string) map[string]string {
	return c.a.staff.NamesOf(ctx, account, staff)
}

// Friends implements community.Platform.
func (c corpGroups) Friends(ctx context.Context, account string, customers []string) (map[string]bool, error) {
	return c.a.staff.FriendsAmong(ctx, account, customers)
}

// Gone implements community.Platform.
func (corpGroups) Gone(err error) bool { return wecom.NoGroup(err) }

// Later implements community.Platform.
func (corpGroups) Later(err error) (time.Time, bool) {
	var l *connector.Later
	if errors.As(err, &l) {
		return l.Until, true
	}
	return time.Time{}, false
}

package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/contact/care"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/staff"
	"github.com/koipond/koipond/internal/team"
)

// buildColleagues makes the directory of colleagues and their friends.
func (a *App) buildColleagues(ingest facts) {
	a.staff = staff.NewService(staff.Deps{DB: a.DB, Clock: a.clock, IDs: a.ids, Log: a.log, Keys: a.ring, Audit: a.Audit, Jobs: a.jobs, Ingest: ingest, Contacts: a.contacts,
		Platform: corpDirectory{a}, Users: corpUsers{a.Team}, Tasks: lostFriends{a}, Hold: a.unsettled, Zone: a.zone})
	a.connectors.OnAccount(a.staff.Look)
	a.connectors.Depend(connector.Dependent{Count: a.colleaguesOf, Drop: a.staff.ForgetAccount})
	a.care.Know(a.friendsOf)
	a.connectors.On(wecom.Name, "change_contact.*", a.directoryChanged)
}

// colleaguesOf tells what is kept of the colleagues of an account.
func (a *App) colleaguesOf(ctx context.Context, account string) ([]connector.Hanging, error) {
	members, friends, handovers, err := a.staff.OfAccount(ctx, account)
	return []connector.Hanging{{What: "staff.hanging_members", Count: members}, {What: "staff.hanging_friends", Count: friends}, {What: "staff.hanging_handovers", Count: handovers}}, err
}

// directoryChanged hands a callback about the directory to those who keep it.
func (a *App) directoryChanged(ctx context.Context, acc connector.Account, in connector.Incoming) error {
	e, err := wecom.ParseEvent(in.Body)
	if err != nil {
		return connector.GiveUp(err)
	}
	ch := staff.Change{ID: e.UserID, NewID: e.NewUserID}
	switch what := strings.TrimPrefix(e.Name, "change_contact."); what {
	case "create_user", "update_user":
		ch.What = staff.ChangeMember
	case "delete_user":
		ch.What = staff.ChangeLeft
	case "create_party", "update_party", "delete_party":
		ch.What = staff.ChangeDepartment
	default:
		return nil
	}
	return a.staff.Changed(ctx, acc.ID, ch)
}

// relFriend is the relation of a colleague whose friend a customer is.
const relFriend = "wecom_friend"

// friendsOf tells who of the users is a customer's friend (see care.Know).
func (a *App) friendsOf(ctx context.Context, of care.Person) ([]care.Relation, error) {
	list, err := a.staff.Friended(ctx, of.Group)
	out := make([]care.Relation, 0, len(list))
	for user, since := range list {
		out = append(out, care.Relation{User: user, Kind: relFriend, Count: 1, Last: since})
	}
	return out, err
}

// corpDirectory is WeCom as package staff asks it.
type corpDirectory struct{ a *App }

// Accounts implements staff.Platform.
func (d corpDirectory) Accounts(ctx context.Context) ([]staff.CorpAccount, error) {
	list, err := d.a.connectors.Accounts(ctx, wecom.Name)
	out := make([]staff.CorpAccount, len(list))
	for i, a := range list {
		out[i] = staff.CorpAccount{ID: a.ID, Name: a.Name, Paused: a.State == connector.Paused}
	}
	return out, err
}

// Departments implements staff.Platform.
func (d corpDirectory) Departments(ctx context.Context, account string) ([]staff.Department, error) {
	c, err := d.a.wecomClient(ctx, account)
	if err != nil {
		return nil, err
	}
	list, err := c.Departments(ctx)
	out := make([]staff.Department, len(list))
	for i, x := range list {
		out[i] = staff.Department{ID: x.ID, Parent: x.Parent, Name: x.Name, Order: x.Order}
	}
	return out, err
}

func member(m wecom.Member) staff.Member {
	out := staff.Member{ID: m.UserID, Name: m.Name, Avatar: m.Avatar, Position: m.Position, Mobile: m.Mobile, Emails: []string{m.Email, m.BizMail}, Departments: m.Departments}
	switch m.Status {
	case wecom.MemberDisabled, wecom.MemberInvited:
		out.State = staff.MemberInactive
	case wecom.MemberLeft:
		out.State = staff.MemberLeft
	default:
		out.State = staff.MemberActive
	}
	return out
}

// Members implements staff.Platform.
func (d corpDirectory) Members(ctx context.Context, account string, department int64) ([]staff.Member, error) {
	c, err := d.a.wecomClient(ctx, account)
	if err != nil {
		return nil, err
	}
	list, err := c.Members(ctx, department)
	out := make([]staff.Member, len(list))
	for i, m := range list {
		out[i] = member(m)
	}
	return out, err
}

// Member implements staff.Platform.
func (d corpDirectory) Member(ctx context.Context, account, id string) (staff.Member, error) {
	c, err := d.a.wecomClient(ctx, account)
	if err != nil {
		return staff.Member{}, err
	}
	m, err := c.Member(ctx, id)
	return member(m), err
}

// Serving implements staff.Platform.
func (d corpDirectory) Serving(ctx context.Context, account string) ([]string, error) {
	c, err := d.a.wecomClient(ctx, account)
	if err != nil {
		return nil, err
	}
	return c.Followers(ctx)
}

// Friends implements staff.Platform.
func (d corpDirectory) Friends(ctx context.Context, account string, members []string, cursor string) ([]staff.Found, string, error) {
	c, err := d.a.wecomClient(ctx, account)
	if err != nil {
		return nil, "", err
	}
	page, next, err := c.FriendsOf(ctx, members, cursor, 0)
	out := make([]staff.Found, len(page))
	for i, f := range page {
		out[i] = staff.Found{Staff: f.Follow.UserID, Customer: f.Customer.ID, Since: f.Follow.Since(), State: f.Follow.State, Known: wecom.Described(account, "", f.Follow.Since(), f.Customer, &f.Follow)}
	}
	return out, next, err
}

// SetRemark implements staff.Platform.
func (d corpDirectory) SetRemark(ctx context.Context, account, member, customer string, remark, note *string) error {
	c, err := d.a.wecomClient(ctx, account)
	if err != nil {
		return err
	}
	return c.SetRemark(ctx, member, customer, wecom.Remark{Remark: remark, Description: note})
}

// Hand implements staff.Platform.
func (d corpDirectory) Hand(ctx context.Context, account string, h staff.Hand) (map[string]error, error) {
	c, err := d.a.wecomClient(ctx, account)
	if err != nil {
		return nil, err
	}
	list, err := c.Hand(ctx, wecom.Transfer{From: h.From, To: h.To, Customers: h.Customers, Message: h.Message, Left: h.Gone})
	bad := map[string]error{}
	for _, x := range list {
		if x.Err != nil {
			bad[x.Customer] = x.Err
		}
	}
	return bad, err
}

var handStates = map[int]string{wecom.TransferDone: staff.HandDone, wecom.TransferWaiting: staff.HandWaiting, wecom.TransferRefused: staff.HandRefused, wecom.TransferFull: staff.HandFull, wecom.TransferNone: staff.HandWaiting}

// Handed implements staff.Platform.
func (d corpDirectory) Handed(ctx context.Context, account, from, to string, gone bool, cursor string) ([]staff.HandResult, string, error) {
	c, err := d.a.wecomClient(ctx, account)
	if err != nil {
		return nil, "", err
	}
	list, next, err := c.Transfers(ctx, from, to, gone, cursor)
	out := make([]staff.HandResult, len(list))
	for i, x := range list {
		out[i] = staff.HandResult{Customer: x.Customer, State: handStates[x.Status]}
		if x.At > 0 {
			out[i].At = time.Unix(x.At, 0).UTC()
		}
	}
	return out, next, err
}

// Unassigned implements staff.Platform.
func (d corpDirectory) Unassigned(ctx context.Context, account, cursor string) ([]staff.Unassigned, string, error) {
	c, err := d.a.wecomClient(ctx, account)
	if err != nil {
		return nil, "", err
	}
	list, next, err := c.UnassignedCustomers(ctx, cursor, 0)
	out := make([]staff.Unassigned, len(list))
	for i, x := range list {
		out[i] = staff.Unassigned{Staff: x.From, Customer: x.Customer, LeftAt: time.Unix(x.LeftAt, 0).UTC()}
	}
	return out, next, err
}

// ownerLeft is the status of groups whose owner left; leftGroups is how many one
// look takes: each is asked for by itself.
const (
	ownerLeft  = 1
	leftGroups = 50
)

// LeftGroups implements staff.Platform.
func (d corpDirectory) LeftGroups(ctx context.Context, account, cursor string) ([]staff.LeftGroup, string, error) {
	c, err := d.a.wecomClient(ctx, account)
	if err != nil {
		return nil, "", err
	}
	list, next, err := c.Groups(ctx, nil, ownerLeft, cursor, leftGroups)
	if err != nil {
		return nil, "", err
	}
	out := make([]staff.LeftGroup, 0, len(list))
	for _, x := range list {
		g, err := c.Group(ctx, x.ID)
		if connector.GivenUp(err) {
			continue // it is no more
		}
		if err != nil {
			return nil, "", err
		}
		out = append(out, staff.LeftGroup{ID: g.ID, Name: g.Name, Owner: g.Owner, Members: int64(len(g.Members)), Made: time.Unix(g.CreatedAt, 0).UTC()})
	}
	return out, next, nil
}

// GroupOwner implements staff.Platform.
func (d corpDirectory) GroupOwner(ctx context.Context, account, group string) (string, error) {
	c, err := d.a.wecomClient(ctx, account)
	if err != nil {
		return "", err
	}
	g, err := c.Group(ctx, group)
	if connector.GivenUp(err) {
		return "", nil
	}
	return g.Owner, err
}

// HandGroups implements staff.Platform.
func (d corpDirectory) HandGroups(ctx context.Context, account string, groups []string, to string) (map[string]error, error) {
	c, err := d.a.wecomClient(ctx, account)
	if err != nil {
		return nil, err
	}
	list, err := c.HandGroups(ctx, groups, to, true)
	bad := map[string]error{}
	for _, x := range list {
		bad[x.Customer] = x.Err
	}
	return bad, err
}

// Later implements staff.Platform.
func (d corpDirectory) Later(err error) (time.Time, bool) {
	var l *connector.Later
	if errors.As(err, &l) {
		return l.Until, true
	}
	return time.Time{}, false
}

// Refused implements staff.Platform.
func (d corpDirectory) Refused(err error) bool { return connector.GivenUp(err) }

// corpUsers are the users of the console as package staff asks for them.
type corpUsers struct{ *team.Service }

// Emails implements staff.Users.
func (u corpUsers) Emails(ctx context.Context) (map[string]string, error) {
	list, err := u.ListUsers(ctx)
	out := make(map[string]string, len(list))
	for _, x := range list {
		if x.State == team.Active {
			out[strings.ToLower(x.Email)] = x.ID
		}
	}
	return out, err
}

// lostFriends gives owners a task when a customer deletes a colleague.
type lostFriends struct{ a *App }

// Lost implements staff.Tasks. Without anybody to do it there is no task: the list
// of deletions shows it all the same.
func (l lostFriends) Lost(ctx context.Context, num int64, who, fallback string, at time.Time) error {
	ctx = auth.With(ctx, auth.System("staff"))
	into, err := l.a.contacts.Survivors(ctx, []int64{num})
	if err != nil {
		return err
	}
	if into[num] != 0 {
		num = into[num]
	}
	owners, err := l.a.contacts.Owners(ctx, []int64{num})
	if err != nil {
		return err
	}
	known, err := l.a.contacts.Describe(ctx, []int64{num})
	if err != nil {
		return err
	}
	user := owners[num]
	if ok, err := l.a.Team.Working(ctx, user); err != nil {
		return err
	} else if !ok {
		user = fallback
	}
	if ok, err := l.a.Team.Working(ctx, user); err != nil || !ok || known[num].ID == "" {
		return err
	}
	set, err := l.a.Team.Settings(ctx)
	if err != nil {
		return err
	}
	words := l.a.catalogue.Translate(set.Language, "staff.lost_task", map[string]any{"staff": who})
	_, err = l.a.care.Plan(ctx, known[num].ID, care.Plan{Assignee: user, Type: "call", Text: words, Due: l.a.clock.Now().Add(24 * time.Hour)})
	return err
}

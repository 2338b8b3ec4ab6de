package wecom_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wecom"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/outbound"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// connected is a client of the simulator's company, as the program would open it.
func connected(t *testing.T, s *simulated) *wecom.Client {
	t.Helper()
	c := connector.NewService(connector.Deps{DB: testkit.SQLite(t, connector.Migrations()), Clock: clock.System{}, IDs: testkit.IDs(clock.System{}), Log: testkit.Logger(t), Keys: testkit.Ring(), Guard: outbound.Guard{Private: true}, PublicURL: "https://koi.example"})
	c.Register(wecom.Kind())
	in := s.account()
	in.Kind, in.Name = wecom.Name, "锦池茶业"
	ctx := testkit.As(t.Context(), "admin")
	v, err := c.Create(ctx, in)
	require.NoError(t, err)
	conn, err := c.Conn(ctx, v.ID)
	require.NoError(t, err)
	return conn.(*wecom.Client)
}

// met scans a way as somebody new and gives who that became, and their welcome code.
func met(t *testing.T, s *simulated, way, name string) (customer, staff, welcome string) {
	t.Helper()
	p, err := s.Invent(name, 2)
	require.NoError(t, err)
	m, err := s.Scan(way, p.ID)
	require.NoError(t, err)
	return m.External, m.Staff, m.Welcome
}

// What this package sends is what the platform takes, call by call.
func TestAgainstTheSimulator(t *testing.T) {
	s := newSim(t)
	c := connected(t, s)
	ctx := t.Context()

	deps, err := c.Departments(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, deps)
	members := 0
	for _, d := range deps {
		list, err := c.Members(ctx, d.ID)
		require.NoError(t, err)
		members += len(list)
	}
	require.Positive(t, members)
	followers, err := c.Followers(ctx)
	require.NoError(t, err)
	one, err := c.Member(ctx, followers[0])
	require.NoError(t, err)
	require.NotEmpty(t, one.Name)
	app, err := c.App(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, app.Name)

	way, qr, err := c.AddWay(ctx, wecom.Way{Users: []string{"zhiqiu"}, State: "store-1", SkipVerify: true})
	require.NoError(t, err)
	require.NotEmpty(t, qr)
	got, err := c.Way(ctx, way)
	require.NoError(t, err)
	require.Equal(t, "store-1", got.State)
	got.Remark = "门店"
	require.NoError(t, c.UpdateWay(ctx, got))
	ids, _, err := c.Ways(ctx, 0, time.Now().Add(time.Hour).Unix(), "")
	require.NoError(t, err)
	require.Contains(t, ids, way)

	customer, staff, welcome := met(t, s, way, "沈小满")
	require.NoError(t, c.Welcome(ctx, welcome, wecom.Content{Text: "你好", Parts: []wecom.Part{{Form: wecom.Link, Title: "看看", URL: "https://koi.example/?a=1&b=2"}}}))
	require.Equal(t, "wecom.already_welcomed", errs.CodeOf(c.Welcome(ctx, welcome, wecom.Content{Text: "你好"})))
	require.Equal(t, "wecom.welcome_expired", errs.CodeOf(c.Welcome(ctx, "made up", wecom.Content{Text: "你好"})))
	media, err := c.Upload(ctx, wecom.Image, "a.png", []byte("\x89PNG\r\n\x1a\n0123456789"))
	require.NoError(t, err)
	require.NotEmpty(t, media)

	page, err := c.Customer(ctx, customer)
	require.NoError(t, err)
	require.Equal(t, "沈小满", page.Customer.Name)
	require.Equal(t, staff, page.Follows[0].UserID)
	remark := "小满 & 茶"
	require.NoError(t, c.SetRemark(ctx, staff, customer, wecom.Remark{Remark: &remark}))
	var all []wecom.Friend
	for cursor := ""; ; {
		list, next, err := c.FriendsOf(ctx, followers, cursor, 2)
		require.NoError(t, err)
		all = append(all, list...)
		if cursor = next; next == "" {
			break
		}
	}
	found := false
	for _, f := range all {
		found = found || f.Customer.ID == customer && f.Follow.UserID == staff && f.Follow.Remark == remark && f.Follow.State == "store-1"
	}
	require.True(t, found)
	mine, err := c.CustomersOf(ctx, staff)
	require.NoError(t, err)
	require.Contains(t, mine, customer)

	g, err := c.AddTags(ctx, "", "意向", []string{"高", "低"})
	require.NoError(t, err)
	require.Len(t, g.Tags, 2)
	require.NoError(t, c.MarkTags(ctx, staff, customer, []string{g.Tags[0].ID}, nil))
	page, err = c.Customer(ctx, customer)
	require.NoError(t, err)
	require.Equal(t, []string{g.Tags[0].ID}, page.Follows[0].CorpTags())
	require.NoError(t, c.MarkTags(ctx, staff, customer, []string{g.Tags[1].ID}, []string{g.Tags[0].ID}))
	require.NoError(t, c.RenameTag(ctx, g.Tags[1].ID, "中"))
	groups, err := c.TagGroups(ctx, []string{g.ID}, nil)
	require.NoError(t, err)
	require.Len(t, groups, 1)
	require.NoError(t, c.DeleteTags(ctx, nil, []string{g.Tags[0].ID}))

	msg, failed, err := c.SendMass(ctx, wecom.Mass{To: wecom.ToCustomers, Customers: []string{customer}, Content: wecom.Content{Text: "上新"}})
	require.NoError(t, err)
	require.Empty(t, failed)
	now := time.Now()
	masses, _, err := c.Masses(ctx, wecom.ToCustomers, now.Add(-time.Hour), now.Add(time.Hour), "", 0)
	require.NoError(t, err)
	require.Len(t, masses, 1)
	require.NoError(t, c.RemindMass(ctx, msg))
	_, err = s.Confirm(msg, staff)
	require.NoError(t, err)
	results, _, err := c.MassResults(ctx, msg, staff, "", 0)
	require.NoError(t, err)
	require.Equal(t, wecom.Sent, results[0].Status)

	job, err := c.AddMoment(ctx, wecom.Moment{Text: "春茶", Users: []string{staff}})
	require.NoError(t, err)
	_, err = c.MomentJob(ctx, job)
	require.NoError(t, err)
	_, _, err = c.Moments(ctx, now.Add(-time.Hour), now.Add(time.Hour), "", 0)
	require.NoError(t, err)

	chat, err := s.MakeGroup(staff, "茶友")
	require.NoError(t, err)
	group, err := c.Group(ctx, chat)
	require.NoError(t, err)
	require.Equal(t, "茶友", group.Name)
	list, _, err := c.Groups(ctx, nil, 0, "", 0)
	require.NoError(t, err)
	require.NotEmpty(t, list)
	join, err := c.AddJoinWay(ctx, wecom.JoinWay{Groups: []string{chat}, State: "g"})
	require.NoError(t, err)
	jw, err := c.JoinWay(ctx, join)
	require.NoError(t, err)
	require.NoError(t, c.UpdateJoinWay(ctx, jw))
	require.NoError(t, c.DeleteJoinWay(ctx, join))

	other := followers[0]
	if other == staff {
		other = followers[1]
	}
	handed, err := c.Hand(ctx, wecom.Transfer{From: staff, To: other, Customers: []string{customer}, Message: "您好"})
	require.NoError(t, err)
	require.NoError(t, handed[0].Err)
	moves, _, err := c.Transfers(ctx, staff, other, false, "")
	require.NoError(t, err)
	require.Equal(t, wecom.TransferWaiting, moves[0].Status)
	_, _, err = c.UnassignedCustomers(ctx, "", 0)
	require.NoError(t, err)
	_, err = c.Tell(ctx, []string{staff}, "有新客户")
	require.NoError(t, err)
	services, err := c.Services(ctx)
	require.NoError(t, err)
	if len(services) > 0 {
		_, _, _, err = c.ServiceMessages(ctx, services[0].ID, "", "")
		require.NoError(t, err)
	}
	require.NoError(t, c.DeleteWay(ctx, way))

	for _, f := range c.Check(ctx) {
		require.NotEqual(t, connector.Fail, f.State, "%+v", f)
	}
}

// An answer that gets lost after the welcome was sent is told as such.
func TestLostWelcome(t *testing.T) {
	s := newSim(t)
	c := connected(t, s)
	way, _, err := c.AddWay(t.Context(), wecom.Way{Users: []string{"zhiqiu"}, SkipVerify: true})
	require.NoError(t, err)
	_, _, code := met(t, s, way, "甲")
	_, err = s.AddFault(sim.Fault{Kind: sim.FaultLost, Path: "externalcontact/send_welcome_msg", Left: 1})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err = c.Welcome(ctx, code, wecom.Content{Text: "你好"})
	require.True(t, wecom.Lost(err), "%v", err)
	require.Equal(t, "wecom.already_welcomed", errs.CodeOf(c.Welcome(t.Context(), code, wecom.Content{Text: "你好"})))
}

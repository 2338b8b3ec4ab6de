package care

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/httpx/httpxtest"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// start is noon of a Monday in China.
var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

type pond struct {
	*Service
	t        *testing.T
	clock    *clock.Fake
	emit     *emitted
	contacts *contact.Service
}

type emitted struct {
	mu    sync.Mutex
	names []string
}

func (e *emitted) Emit(_ context.Context, facts ...event.Fact) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range facts {
		e.names = append(e.names, f.Name)
	}
	return nil
}

type silent struct{}

func (silent) Record(context.Context, string, audit.Object, map[string]any) error { return nil }

// staff: everybody works but us_gone.
type staff struct{}

func (staff) Working(_ context.Context, id string) (bool, error) {
	return strings.HasPrefix(id, "us_") && id != "us_gone", nil
}

func (staff) Names(_ context.Context, ids []string) map[string]string {
	out := map[string]string{}
	for _, id := range ids {
		if strings.HasPrefix(id, "us_") {
			out[id] = "名" + id
		}
	}
	return out
}

func (staff) Left(context.Context) ([]string, error) { return []string{"us_gone"}, nil }

// Leads: us_lead leads us_a and us_gone, nobody us_b.
func (staff) Leads(_ context.Context, id string) ([]string, error) {
	if id == "us_a" || id == "us_gone" {
		return []string{"us_lead"}, nil
	}
	return nil, nil
}
func (staff) Admins(context.Context) ([]string, error) { return []string{"us_admin"}, nil }

func each(t *testing.T, fn func(p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ring, err := secret.NewRing(make([]byte, secret.KeySize))
		require.NoError(t, err)
		p := &pond{t: t, clock: clock.NewFake(start), emit: &emitted{}}
		ids := id.NewSource(p.clock.Now, nil)
		p.contacts = contact.NewService(contact.Deps{DB: d, Clock: p.clock, IDs: ids, Log: testkit.Logger(t), Keys: ring, Emit: p.emit, CacheSize: 64})
		p.Service = NewService(Deps{DB: d, Clock: p.clock, IDs: ids, Log: testkit.Logger(t), Keys: ring, Emit: p.emit, Audit: silent{}, Contacts: p.contacts, People: staff{},
			Zone: func(context.Context) *time.Location { return time.FixedZone("CST", 8*3600) }})
		fn(p)
	}, contact.Migrations(), Migrations())
}

// as is a salesperson who sees their own customers.
func (p *pond) as(user string) context.Context {
	return testkit.Scoped(p.t.Context(), "sales", false, user)
}

func (p *pond) customer(owner, name string) string {
	p.t.Helper()
	c, err := p.contacts.Create(p.as(owner), contact.NewContact{Name: name})
	require.NoError(p.t, err)
	return c.ID
}

func (p *pond) planned(ctx context.Context, id string, plan Plan) FollowUp {
	p.t.Helper()
	f, err := p.Plan(ctx, id, plan)
	require.NoError(p.t, err)
	return f
}

func (p *pond) told(user string) []Notification {
	p.t.Helper()
	items, _, unread, err := p.Notifications(p.as(user), "", 100)
	require.NoError(p.t, err)
	n := int64(0)
	for _, i := range items {
		if !i.Read {
			n++
		}
	}
	require.Equal(p.t, n, unread)
	return items
}

func TestFromPlanToReminderToDone(t *testing.T) {
	each(t, func(p *pond) {
		t, ctx := p.t, p.as("us_a")
		c := p.customer("us_a", "陈雨桐")
		f := p.planned(ctx, c, Plan{Type: "wecom", Text: " 问新茶口味 ", Due: start.Add(time.Hour)})
		require.Equal(t, "问新茶口味", f.Text)
		require.Equal(t, "陈雨桐", f.Contact.Name)
		require.Equal(t, "us_a", f.Assignee.ID)
		var stored string
		require.NoError(t, p.DB.QueryRow(ctx, "select body from follow_ups").Scan(&stored))
		require.NotContains(t, stored, "新茶", "sealed at rest")
		require.NoError(t, p.Remind(ctx))
		require.Empty(t, only(p.told("us_a"), "followup.due"), "not yet")
		p.clock.Advance(time.Hour)
		require.NoError(t, p.Remind(ctx))
		require.NoError(t, p.Remind(ctx))
		due := only(p.told("us_a"), "followup.due")
		require.Len(t, due, 1, "once")
		require.Equal(t, f.ID, due[0].Ref)
		require.Equal(t, c, due[0].Contact.ID)
		require.NoError(t, p.MarkRead(ctx, []string{due[0].ID}))
		require.True(t, only(p.told("us_a"), "followup.due")[0].Read)

		done, next, err := p.Complete(ctx, f.ID, Completion{Outcome: "interested", Note: "要龙井", Next: &Plan{Due: start.AddDate(0, 0, 3), AllDay: true}})
		require.NoError(t, err)
		require.Equal(t, []string{Done, "interested", "要龙井"}, []string{done.State, done.Outcome, done.Note})
		require.Equal(t, "2026-03-05T15:59:59.999Z", next.Due.Format("2006-01-02T15:04:05.000Z"), "the last moment of the day in China")
		all, err := p.OfContact(ctx, c)
		require.NoError(t, err)
		require.Equal(t, []string{next.ID, f.ID}, []string{all[0].ID, all[1].ID}, "open first")
		require.Subset(t, p.emit.names, []string{event.NameFollowUpPlanned, event.NameFollowUpDone})
		_, _, err = p.Complete(ctx, f.ID, Completion{Outcome: "reached"})
		require.Equal(t, "followup.ended", errs.As(err).Code)
		_, _, err = p.Complete(ctx, next.ID, Completion{Outcome: "reached", Next: &Plan{}})
		require.Equal(t, "next.due", errs.As(err).Fields[0].Path)
		one, err := p.find(ctx, next.ID)
		require.NoError(t, err)
		require.Equal(t, Open, one.State, "both or neither")
	})
}

func only(all []Notification, kind string) (out []Notification) {
	for _, n := range all {
		if n.Kind == kind {
			out = append(out, n)
		}
	}
	return out
}

// A whole day is announced in the morning, a moved follow-up anew, a handed-on
// one to the new assignee; an ended one never.
func TestWhenRemindersCome(t *testing.T) {
	each(t, func(p *pond) {
		t, ctx := p.t, p.as("us_a")
		c := p.customer("us_a", "甲")
		day := p.planned(ctx, c, Plan{Due: start.AddDate(0, 0, 1), AllDay: true})
		moved := p.planned(ctx, c, Plan{Due: start.Add(time.Minute)})
		given := p.planned(ctx, c, Plan{Due: start.Add(time.Minute)})
		gone := p.planned(ctx, c, Plan{Due: start.Add(time.Minute)})
		_, err := p.Cancel(ctx, gone.ID)
		require.NoError(t, err)
		b := "us_b"
		_, err = p.Update(ctx, given.ID, Change{Assignee: &b})
		require.NoError(t, err)
		p.clock.Advance(2 * time.Minute)
		require.NoError(t, p.Remind(ctx))
		require.Len(t, only(p.told("us_a"), "followup.due"), 1)
		require.Len(t, only(p.told("us_b"), "followup.due"), 1)
		require.Len(t, only(p.told("us_b"), "followup.assigned"), 1)
		require.Nil(t, only(p.told("us_b"), "followup.due")[0].Contact, "told, but not of whom: they may not see the customer")
		later := start.Add(time.Hour)
		_, err = p.Update(ctx, moved.ID, Change{Due: &later})
		require.NoError(t, err)
		p.clock.Advance(time.Hour)
		require.NoError(t, p.Remind(ctx))
		require.Len(t, only(p.told("us_a"), "followup.due"), 2, "a new time is told anew")
		p.clock.Advance(19*time.Hour + 50*time.Minute) // 08:52 in China
		require.NoError(t, p.Remind(ctx))
		require.Len(t, only(p.told("us_a"), "followup.due"), 2)
		p.clock.Advance(10 * time.Minute)
		require.NoError(t, p.Remind(ctx))
		due := only(p.told("us_a"), "followup.due")
		require.Len(t, due, 3)
		require.Equal(t, day.ID, due[0].Ref)
		digests := only(p.told("us_a"), "followup.digest")
		require.Len(t, digests, 2, "each morning one")
		require.EqualValues(t, 2, digests[0].Count)
	})
}

// Nodes that look at once, and one that dies between two steps, give each
// reminder once.
func TestRemindersComeOnce(t *testing.T) {
	each(t, func(p *pond) {
		t, ctx := p.t, p.as("us_a")
		c := p.customer("us_a", "甲")
		for i := range 30 {
			p.planned(ctx, c, Plan{Due: start.Add(time.Duration(i) * time.Second), Text: fmt.Sprint(i)})
		}
		p.clock.Advance(time.Minute)
		died := fmt.Errorf("the process dies")
		err := p.DB.Tx(ctx, func(ctx context.Context) error { // all is done, and then it is not committed
			require.NoError(t, p.Remind(ctx))
			return died
		})
		require.ErrorIs(t, err, died)
		require.Empty(t, p.told("us_a"))
		p.digested = ""
		var wg sync.WaitGroup
		for range 4 {
			node := NewService(p.Deps)
			wg.Go(func() {
				if err := node.Remind(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Len(t, only(p.told("us_a"), "followup.due"), 30)
		require.Len(t, only(p.told("us_a"), "followup.digest"), 1)
	})
}

func TestBoard(t *testing.T) {
	each(t, func(p *pond) {
		t, ctx := p.t, p.as("us_a")
		c := p.customer("us_a", "甲")
		for _, h := range []int{-40, -30, -2, 2, 5, 20, 50} { // noon: 12 hours to either end of the day
			p.planned(ctx, c, Plan{Due: start.Add(time.Duration(h) * time.Hour)})
		}
		other := p.planned(p.as("us_b"), p.customer("us_b", "乙"), Plan{Due: start.Add(time.Hour)})
		counts, err := p.Counts(ctx, "me")
		require.NoError(t, err)
		require.Equal(t, Counts{Today: 3, Overdue: 2, Upcoming: 2}, counts)
		walk := func(ctx context.Context, bucket, who string) (out []FollowUp) {
			for cursor := ""; ; {
				items, next, err := p.Board(ctx, bucket, who, cursor, 2)
				require.NoError(t, err)
				require.LessOrEqual(t, len(items), 2)
				out = append(out, items...)
				if cursor = next; next == "" {
					return out
				}
			}
		}
		require.Len(t, walk(ctx, Overdue, "me"), 2)
		today := walk(ctx, Today, "me")
		require.Len(t, today, 3)
		require.True(t, today[0].Due.Before(today[1].Due) && today[1].Due.Before(today[2].Due))
		require.Len(t, walk(ctx, Upcoming, "me"), 2)
		require.Len(t, walk(testkit.As(t.Context(), "admin"), Today, "team"), 4)
		require.Len(t, walk(ctx, Today, "team"), 3, "the team is whom they see")
		_, _, err = p.Board(ctx, Today, "us_b", "", 10)
		require.Equal(t, "permission.scope", errs.As(err).Code)
		_, err = p.Update(ctx, other.ID, Change{})
		require.Equal(t, "followup.not_found", errs.As(err).Code)

		overdue := walk(ctx, Overdue, "me")
		n, err := p.Bulk(ctx, []string{overdue[0].ID, overdue[1].ID, other.ID, "fu_none"}, BulkChange{PostponeDays: 1})
		require.NoError(t, err)
		require.Equal(t, 2, n)
		counts, err = p.Counts(ctx, "me")
		require.NoError(t, err)
		require.Equal(t, Counts{Today: 3, Upcoming: 4}, counts, "from today on, not from when they were due")
		for _, f := range today {
			_, _, err := p.Complete(ctx, f.ID, Completion{Outcome: "no_answer"})
			require.NoError(t, err)
			p.clock.Advance(time.Second)
		}
		done := walk(ctx, Done, "me")
		require.Equal(t, today[2].ID, done[0].ID, "the newest first")
		require.Len(t, done, 3)
	})
}

func TestASeriesPlansItself(t *testing.T) {
	each(t, func(p *pond) {
		ctx := p.as("us_a")
		f := p.planned(ctx, p.customer("us_a", "甲"), Plan{Type: "visit", Text: "回访", Due: start, Repeat: Repeat{RepeatDays: 7}})
		_, next, err := p.Complete(ctx, f.ID, Completion{Outcome: "reached"})
		require.NoError(p.t, err)
		require.Equal(p.t, []any{"visit", "回访", 7, true}, []any{next.Type, next.Text, next.RepeatDays, next.AllDay})
		day := func(f *FollowUp) string { return f.Due.In(time.FixedZone("CST", 8*3600)).Format(time.DateOnly) }
		require.Equal(p.t, "2026-03-09", day(next))

		// By months, and not beyond its last day.
		until := time.Date(2026, 5, 2, 4, 0, 0, 0, time.UTC)
		f = p.planned(ctx, p.customer("us_a", "乙"), Plan{Due: start, Repeat: Repeat{RepeatMonths: 1, RepeatUntil: &until}})
		_, next, err = p.Complete(ctx, f.ID, Completion{Outcome: "reached"})
		require.NoError(p.t, err)
		require.Equal(p.t, "2026-04-02", day(next))
		p.clock.Advance(31 * 24 * time.Hour)
		_, next, err = p.Complete(ctx, next.ID, Completion{Outcome: "reached"})
		require.NoError(p.t, err)
		require.Equal(p.t, "2026-05-02", day(next), "the last day counts")
		p.clock.Advance(30 * 24 * time.Hour)
		n, err := p.Bulk(ctx, []string{next.ID, f.ID}, BulkChange{Outcome: "deal"})
		require.NoError(p.t, err)
		require.Equal(p.t, 1, n, "the other has ended")
		one, err := p.one(ctx, next.ID)
		require.NoError(p.t, err)
		require.Equal(p.t, []string{Done, "deal"}, []string{one.State, one.Outcome})
		counts, err := p.Counts(ctx, "me")
		require.NoError(p.t, err)
		require.Equal(p.t, int64(1), counts.Today+counts.Overdue+counts.Upcoming, "the series is over; the first one is left")
		_, err = p.Plan(ctx, p.customer("us_a", "丙"), Plan{Due: p.clock.Now(), Repeat: Repeat{RepeatDays: 1, RepeatMonths: 1}})
		require.Equal(p.t, "repeatMonths", errs.As(err).Fields[0].Path)
		end, ok := Repeat{RepeatMonths: 1}.after(time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC))
		require.True(p.t, ok)
		require.Equal(p.t, "2026-02-28", end.Format(time.DateOnly), "the last day of a shorter month")
	})
}

// What a merged contact was promised is read with its survivor.
func TestAPromiseOutlivesAMerge(t *testing.T) {
	each(t, func(p *pond) {
		ctx := p.as("us_a")
		a, b := p.customer("us_a", "甲"), p.customer("us_a", "乙")
		f := p.planned(ctx, b, Plan{Due: start})
		_, err := p.DB.Exec(ctx, "update contacts set merged_into = (select num from contacts where id = $1), shown = 0 where id = $2", a, b)
		require.NoError(p.t, err)
		all, err := p.OfContact(ctx, a)
		require.NoError(p.t, err)
		require.Equal(p.t, f.ID, all[0].ID)
		require.Equal(p.t, a, all[0].Contact.ID)
	})
}

func TestRoutes(t *testing.T) {
	each(t, func(p *pond) {
		t := p.t
		cat, err := i18n.Load(testkit.Logger(t))
		require.NoError(t, err)
		api := httpx.New(http.NewServeMux(), httpx.Config{Title: "t", Auth: nobody{}, Log: testkit.Quiet(), Catalogue: cat, Clock: p.clock})
		p.Routes(api)
		httpxtest.WalkPermissions(t, api, auth.BuiltinRoles())
		call := func(method, path, body string, into any) int {
			r := httptest.NewRequestWithContext(p.as("us_a"), method, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			rec := httptest.NewRecorder()
			api.Handler().ServeHTTP(rec, r)
			if into != nil {
				require.NoError(t, json.Unmarshal(rec.Body.Bytes(), into), rec.Body.String())
			}
			return rec.Code
		}
		c := p.customer("us_a", "甲")
		path := "/api/contacts/" + c + "/follow-ups"
		var f FollowUp
		require.Equal(t, 200, call("POST", path, `{"due":"2026-03-02T05:00:00Z"}`, &f))
		require.Equal(t, "call", f.Type)
		for body, want := range map[string]string{
			`{}`:                             "",
			`{"due":"2096-03-02T05:00:00Z"}`: "followup.bad_due",
			`{"due":"2026-03-02T05:00:00Z","assignee":"us_gone"}`: "contact.no_such_user",
			`{"due":"2026-03-02T05:00:00Z","type":"fax"}`:         "",
		} {
			var fault struct {
				Fields []struct{ Code string }
			}
			require.Contains(t, []int{400, 422}, call("POST", path, body, &fault), body)
			if want != "" {
				require.Equal(t, want, fault.Fields[0].Code)
			}
		}
		require.Equal(t, 404, call("POST", "/api/contacts/"+p.customer("us_b", "乙")+"/follow-ups", `{"due":"2026-03-02T05:00:00Z"}`, nil))
		var page struct{ Items []FollowUp }
		require.Equal(t, 200, call("GET", "/api/follow-ups", "", &page))
		require.Len(t, page.Items, 1)
		require.Equal(t, 200, call("POST", "/api/follow-ups/"+f.ID+"/done", `{"outcome":"deal"}`, nil))
		require.Equal(t, 204, call("POST", "/api/notifications/read", `{}`, nil))
	})
}

type nobody struct{}

func (nobody) Authenticate(*http.Request) (*auth.Principal, error) { return nil, nil }

// Who of the staff knows somebody: the owner first, then who was in touch last.
func TestWhoKnowsAContact(t *testing.T) {
	each(t, func(p *pond) {
		t, admin := p.t, testkit.As(p.t.Context(), "admin")
		c := p.customer("us_a", "甲")
		b := "us_b"
		p.clock.Advance(time.Hour)
		_, err := p.contacts.Update(admin, c, contact.Change{OwnerID: &b})
		require.NoError(t, err)
		f := p.planned(admin, c, Plan{Assignee: "us_c", Due: p.clock.Now()})
		_, _, err = p.Complete(testkit.Scoped(t.Context(), "sales", false, "us_c", "us_b"), f.ID, Completion{Outcome: "reached"})
		require.NoError(t, err)
		p.clock.Advance(time.Hour)
		for range 2 {
			_, err = p.contacts.AddNote(testkit.Scoped(t.Context(), "sales", false, "us_d", "us_b"), c, "聊过")
			require.NoError(t, err)
		}
		p.Know(func(_ context.Context, of Person) ([]Relation, error) {
			require.Equal(t, c, of.ID)
			return []Relation{{User: "us_a", Kind: "wecom_friend", Count: 1}, {User: "tk_token", Kind: RelNote, Count: 1}}, nil
		})
		got, err := p.Colleagues(p.as("us_b"), c)
		require.NoError(t, err)
		require.Equal(t, []string{"us_b", "us_d", "us_c", "us_a"}, func() (out []string) {
			for _, g := range got {
				out = append(out, g.User.ID)
			}
			return out
		}())
		require.True(t, got[0].Owner)
		require.Equal(t, []RelationKind{{RelNote, 2}}, got[1].Kinds)
		require.Equal(t, []RelationKind{{RelOwner, 1}, {"wecom_friend", 1}}, got[3].Kinds)
		require.Nil(t, got[3].LastAt)
		_, err = p.Colleagues(p.as("us_z"), c)
		require.Equal(t, "contact.not_found", errs.As(err).Code)
	})
}

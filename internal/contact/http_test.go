package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// byRole signs in whoever the X-Role header says.
type byRole struct{}

func (byRole) Authenticate(r *http.Request) (*auth.Principal, error) {
	if role := r.Header.Get("X-Role"); role != "" {
		return testkit.Principal(role), nil
	}
	return nil, nil
}

// staff and words name users and events.
type staff map[string]string

func (s staff) Names(_ context.Context, ids []string) map[string]string {
	out := map[string]string{}
	for _, id := range ids {
		if n, ok := s[id]; ok {
			out[id] = n
		}
	}
	return out
}

type eventWords map[string]string

func (w eventWords) Titles(context.Context, []string) (map[string]string, error) { return w, nil }
func (w eventWords) PropertyTitles(context.Context, []string) (map[string]map[string]string, error) {
	return map[string]map[string]string{"": {"price": "单价"}, "Product Viewed": {"price": "售价"}}, nil
}

// facts is a timeline in memory.
type facts struct {
	rows  []analytics.Row
	asked analytics.TimelineQuery
}

func (f *facts) Timeline(_ context.Context, q analytics.TimelineQuery) ([]analytics.Row, error) {
	f.asked = q
	var out []analytics.Row
	for _, r := range f.rows {
		if q.Before == nil || r.Timestamp < q.Before.Timestamp {
			out = append(out, r)
		}
	}
	return out[:min(len(out), q.Limit)], nil
}

// served is a pond behind its API.
type served struct {
	*pond
	h http.Handler
}

func serve(t *testing.T, p *pond) *served {
	p.People = staff{"us_1": "王芳", "us_2": "李娜"}
	cat, err := i18n.Load(testkit.Quiet())
	require.NoError(t, err)
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "t", Auth: byRole{}, Log: testkit.Quiet(), Catalogue: cat, Clock: p.clock})
	p.Routes(api)
	return &served{p, api.Handler()}
}

// call makes a request and decodes the answer; body nil sends none.
func (s *served) call(method, path, role string, body any, into any) (status int, code string) {
	s.t.Helper()
	var r *http.Request
	if body != nil {
		r = httptest.NewRequest(method, path, strings.NewReader(string(js(body))))
		r.Header.Set("Content-Type", "application/json")
	} else {
		r = httptest.NewRequest(method, path, nil)
	}
	r.Header.Set("X-Role", role)
	r.Header.Set("Accept-Language", "en")
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	if w.Code >= 400 {
		var p struct {
			Code   string
			Detail string
			Fields []struct{ Path, Code string }
		}
		require.NoError(s.t, json.Unmarshal(w.Body.Bytes(), &p), w.Body.String())
		require.NotEqual(s.t, p.Code, p.Detail, "the code is said in words")
		code = p.Code
		for _, f := range p.Fields {
			code += " " + f.Path + ":" + f.Code
		}
		return w.Code, code
	}
	if into != nil {
		require.NoError(s.t, json.Unmarshal(w.Body.Bytes(), into), w.Body.String())
	}
	return w.Code, ""
}

func (s *served) ok(method, path string, body any, into any) {
	s.t.Helper()
	status, code := s.call(method, path, "admin", body, into)
	require.Less(s.t, status, 300, code)
}

// obj is a JSON object.
type obj = map[string]any

func TestContactFromCreationToNote(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(t, p)
		var tag TagRef
		s.ok("POST", "/api/tags", obj{"group": "跟进状态", "name": "意向强", "color": "#c2553f"}, &tag)
		status, code := s.call("POST", "/api/tags", "admin", obj{"group": "跟进状态", "name": "意向强"}, nil)
		require.Equal(t, "409 contact.tag_exists", fmt.Sprint(status, " ", code))
		status, code = s.call("POST", "/api/tags", "admin", obj{"group": " ", "name": "x", "color": "red"}, nil)
		require.Equal(t, "422 request.invalid color:contact.bad_color group:request.field_required", fmt.Sprint(status, " ", code))

		var c Contact
		s.ok("POST", "/api/contacts", obj{"name": " 张三 ", "phone": "138 0013 8001", "email": "Zhang@Shop.cn", "memberNo": "M1", "attributes": obj{"level": 3, "city": "杭州"}, "tags": []string{tag.ID}}, &c)
		require.Equal(t, []string{"张三", "138****8001", "z***@shop.cn", "杭州", "意向强"}, []string{c.Name, c.Phone, c.Email, c.City, c.Tags[0].Name})
		require.Equal(t, event.Person, c.Kind)
		require.Nil(t, c.LastSeenAt)
		require.Equal(t, []string{event.NameContactCreated, event.NameTagAdded}, p.emit.names())
		status, code = s.call("POST", "/api/contacts", "admin", obj{"name": "李四", "phone": "+8613800138001"}, nil)
		require.Equal(t, "409 contact.identity_taken", fmt.Sprint(status, " ", code))
		status, code = s.call("POST", "/api/contacts", "admin", obj{"name": "李四", "phone": "12"}, nil)
		require.Equal(t, "422 request.invalid phone:contact.bad_phone", fmt.Sprint(status, " ", code))
		status, code = s.call("POST", "/api/contacts", "admin", obj{"name": "李四", "memberNo": "null"}, nil)
		require.Equal(t, "422 request.invalid memberNo:contact.bad_identifier", fmt.Sprint(status, " ", code))
		var bare Contact
		s.ok("POST", "/api/contacts", obj{"name": "只有名字"}, &bare)
		require.Equal(t, event.Person, bare.Kind)

		p.clock.Advance(time.Second)
		s.ok("PATCH", "/api/contacts/"+c.ID, obj{"name": "张三丰", "attributes": obj{"level": nil, "gender": "男", "vip": true}, "ownerId": "us_2"}, &c)
		require.Equal(t, []any{"张三丰", "male", "李娜"}, []any{c.Name, c.Gender, c.Owner.Name})
		require.Equal(t, []Attribute{{Key: "vip", Label: "vip", Value: true}}, c.Attributes)
		n := len(p.emit.facts)
		s.ok("PATCH", "/api/contacts/"+c.ID, obj{"name": "张三丰"}, &c)
		require.Len(t, p.emit.facts, n, "nothing changed, nothing is stated")
		status, code = s.call("PATCH", "/api/contacts/"+c.ID, "admin", obj{"ownerId": "us_9"}, nil)
		require.Equal(t, "422 request.invalid ownerId:contact.no_such_user", fmt.Sprint(status, " ", code))

		s.ok("PUT", "/api/contacts/"+c.ID+"/tags", obj{"remove": []string{tag.ID}}, &c)
		require.Empty(t, c.Tags)
		status, code = s.call("PUT", "/api/contacts/"+c.ID+"/tags", "admin", obj{"add": []string{"tg_nope"}}, nil)
		require.Equal(t, "422 request.invalid add[0]:contact.no_such_tag", fmt.Sprint(status, " ", code))

		for i := range 3 {
			p.clock.Advance(time.Second)
			s.ok("POST", "/api/contacts/"+c.ID+"/notes", obj{"text": fmt.Sprint("备注", i)}, nil)
		}
		var notes struct {
			Items []Note
			Next  string
		}
		s.ok("GET", "/api/contacts/"+c.ID+"/notes?limit=2", nil, &notes)
		require.Equal(t, []string{"备注2", "备注1"}, []string{notes.Items[0].Text, notes.Items[1].Text})
		s.ok("GET", "/api/contacts/"+c.ID+"/notes?limit=2&cursor="+notes.Next, nil, &notes)
		require.Equal(t, "备注0", notes.Items[0].Text)
		s.ok("DELETE", "/api/contacts/"+c.ID+"/notes/"+notes.Items[0].ID, nil, nil)
		status, code = s.call("DELETE", "/api/contacts/"+c.ID+"/notes/"+notes.Items[0].ID, "admin", nil, nil)
		require.Equal(t, "404 contact.no_such_note", fmt.Sprint(status, " ", code))
		require.NotContains(t, string(js(p.emit.facts)), "备注", "the stream holds no text of notes")

		var groups struct{ Groups []TagGroup }
		s.ok("GET", "/api/tags", nil, &groups)
		require.Equal(t, int64(0), groups.Groups[0].Tags[0].Contacts)
		s.ok("PUT", "/api/contacts/"+c.ID+"/tags", obj{"add": []string{tag.ID, tag.ID}}, &c)
		s.ok("GET", "/api/tags", nil, &groups)
		require.Equal(t, int64(1), groups.Groups[0].Tags[0].Contacts, "counted anew after a change")

		var actions []string
		for _, e := range p.audit.entries {
			actions = append(actions, strings.Fields(e)[0])
			require.NotContains(t, e, "13800138001")
		}
		require.Equal(t, []string{"tag_group.created", "tag.created", "contact.created", "contact.created", "contact.updated", "contact.tagged",
			"contact.note_added", "contact.note_added", "contact.note_added", "contact.note_deleted", "contact.tagged"}, actions)
		status, code = s.call("GET", "/api/contacts/ct_nobody", "admin", nil, nil)
		require.Equal(t, "404 contact.not_found", fmt.Sprint(status, " ", code))
	})
}

func TestUnmaskIsAuditedAndGuarded(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(t, p)
		w := p.who(event.Fact{UserID: "u1", Identifiers: ids(KindPhone, "13800138001", KindIDNumber, "110101199003071234"), Traits: js(obj{"address": "文三路 1 号"})})
		path := "/api/contacts/" + w.ID + "/unmask"
		var c Contact
		s.ok("GET", "/api/contacts/"+w.ID, nil, &c)
		raw := string(js(c))
		require.NotContains(t, raw, "13800138001")
		require.NotContains(t, raw, "19900307")
		require.NotContains(t, raw, "文三路")
		var out struct{ Value string }
		for _, i := range c.Identities {
			if i.Kind == KindIDNumber {
				s.ok("POST", path, obj{"field": i.ID, "reason": "核对"}, &out)
				require.Equal(t, "110101199003071234", out.Value)
			}
		}
		s.ok("POST", path, obj{"field": "phone", "reason": "回访"}, &out)
		require.Equal(t, "+8613800138001", out.Value)
		s.ok("POST", path, obj{"field": "attribute:address", "reason": "寄样品"}, &out)
		require.Equal(t, "文三路 1 号", out.Value)
		require.Len(t, p.audit.entries, 3)
		require.Contains(t, p.audit.entries[1], "contact.unmasked contact "+w.ID)
		require.Contains(t, p.audit.entries[1], "回访")
		require.NotContains(t, strings.Join(p.audit.entries, ""), "13800138001")

		for _, x := range []struct {
			role string
			body any
			want string
		}{
			{"admin", obj{"field": "phone", "reason": "  "}, "422 request.invalid reason:contact.reason_required"},
			{"admin", obj{"field": "email", "reason": "x"}, "404 contact.nothing_to_unmask"},
			{"admin", obj{"field": "user_id", "reason": "x"}, "404 contact.nothing_to_unmask"},
			{"growth", obj{"field": "phone", "reason": "x"}, "403 permission.denied"},
		} {
			status, code := s.call("POST", path, x.role, x.body, nil)
			require.Equal(t, x.want, fmt.Sprint(status, " ", code))
		}
		require.Len(t, p.audit.entries, 3)
	})
}

func TestProfileExplainsItself(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(t, p)
		u := p.who(event.Fact{UserID: "u1", Traits: js(obj{"name": "甲"})})
		v := p.who(event.Fact{AnonymousID: "a1", Context: js(obj{"campaign": obj{"source": "baidu", "medium": "cpc", "name": "春"}})})
		p.who(event.Fact{UserID: "u1", AnonymousID: "a1"})
		o := p.who(event.Fact{UserID: "u2", AnonymousID: "a1", Traits: js(obj{"name": "乙"})})
		require.NoError(t, p.SetOrderSummary(p.ctx, "CNY", []OrderSummary{{Num: u.Contact, Orders: 3, Revenue: []Revenue{{Currency: "CNY", Amount: 1000}}, FirstAt: 1000, LastAt: 2000}}))

		var c Contact
		s.ok("GET", "/api/contacts/"+v.ID, nil, &c)
		require.Equal(t, u.ID, c.ID, "the id of a merged visitor leads to the person")
		require.Equal(t, v.ID, c.MergedFrom[0].ID)
		require.Equal(t, "fact:anonymous_id", c.MergedFrom[0].Why)
		require.Equal(t, TouchView{PaidSearch, "baidu", "cpc", "春", start}, *c.FirstTouch)
		require.Equal(t, []Money{{333, "CNY"}}, c.AverageOrder)
		require.Equal(t, []string{KindUserID, KindAnonymous}, []string{c.Identities[0].Kind, c.Identities[1].Kind}, "the strongest first")
		s.ok("GET", "/api/contacts/"+o.ID, nil, &c)
		require.Equal(t, conflictDevice, c.Conflicts[0].Reason)
		require.Equal(t, "甲", c.Conflicts[0].Other.Name)
	})
}

func TestTimelineSpeaks(t *testing.T) {
	p := newPond(t, testkit.SQLite(t, Migrations()))
	w := p.who(event.Fact{UserID: "u1"})
	row := func(ts int64, name string, props, traits any) analytics.Row {
		return analytics.Row{Fact: event.Fact{MessageID: fmt.Sprint("m", ts), Name: name, Timestamp: ts, ReceivedAt: ts, Properties: js(props), Traits: js(traits)}}
	}
	tl := &facts{rows: []analytics.Row{
		row(5, event.NameOrderPaid, obj{"orderNumber": "A1", "total": 100}, nil),
		row(4, event.NameIdentified, nil, obj{"phone": "13800138001", "name": "甲"}),
		row(3, "Product Viewed", obj{"name": "龙井", "price": 168, "x": 1}, nil),
		row(2, event.NamePageViewed, obj{"url": "https://a.cn/spring?x=1", "form": obj{"phone": "13800138001", "email": "li@qq.com"}}, nil),
		row(1, "quiz_done", nil, nil),
		row(0, event.NameConsentGranted, obj{"purpose": "surveys"}, nil),
		row(-1, event.NameConsentWithdrawn, obj{"purpose": "gone", "purposeName": "Raffles"}, nil),
		row(-2, event.NameConsentWithdrawn, obj{"purpose": "everything"}, nil),
		row(-3, event.NameConsentGranted, obj{"purpose": "everything"}, nil),
		row(-4, event.NameGroupJoined, obj{"groupName": "白茶群", "invitor": "wang", "invitorName": "王五"}, nil),
		row(-5, event.NameGroupJoined, obj{"groupName": "白茶群", "invitor": "wang"}, nil),
	}}
	p.NamePurposes(func(context.Context) (map[string]string, error) {
		return map[string]string{"surveys": "Survey invitations"}, nil
	})
	p.Timeline, p.Titles = tl, eventWords{"Product Viewed": "浏览商品"}
	s := serve(t, p)
	var out struct {
		Items []Entry
		Next  string
	}
	s.ok("GET", "/api/contacts/"+w.ID+"/timeline?names=a,%20b&limit=4", nil, &out)
	var titles []string
	for _, e := range out.Items {
		titles = append(titles, e.Title)
	}
	require.Equal(t, []string{"Paid the order A1", "Said who they are", "浏览商品 · 龙井", "Viewed the page /spring"}, titles)
	require.Equal(t, map[string]string{"price": "售价"}, out.Items[2].Labels, "the event's own word before the usual one")
	require.Equal(t, "138****8001", out.Items[1].Properties["phone"])
	require.Equal(t, map[string]any{"phone": "138****8001", "email": "l***@qq.com"}, out.Items[3].Properties["form"])
	require.Equal(t, []string{"a", "b"}, tl.asked.Events)
	require.Equal(t, w.Contact, tl.asked.Contact)
	require.NotEmpty(t, out.Next)
	next := out.Next
	out.Next = ""
	s.ok("GET", "/api/contacts/"+w.ID+"/timeline?limit=4&cursor="+next, nil, &out)
	require.Equal(t, "quiz_done", out.Items[0].Title)
	require.Equal(t, "Agreed: Survey invitations", out.Items[1].Title, "an app knows the id alone")
	require.Equal(t, "Withdrew: Raffles", out.Items[2].Title)
	require.Equal(t, "Asked for no contact of any kind", out.Items[3].Title)
	out.Next = ""
	s.ok("GET", "/api/contacts/"+w.ID+"/timeline?limit=20", nil, &out)
	require.Equal(t, "Do not contact was lifted", out.Items[8].Title)
	require.Equal(t, "Joined the group 白茶群, invited by 王五", out.Items[9].Title)
	require.Equal(t, "Joined the group 白茶群", out.Items[10].Title, "an id is no name")
	require.Empty(t, out.Next)
}

func TestListOverHTTP(t *testing.T) {
	p := newPond(t, testkit.SQLite(t, Migrations()))
	s := serve(t, p)
	crowd(t, p, 30)
	var page struct {
		Items []Row
		Next  string
		Total int64
	}
	s.ok("GET", "/api/contacts?sort=name&order=asc&limit=3&createdFrom=2026-02-01T00:00:00Z&channel=social", nil, &page)
	require.Len(t, page.Items, 3)
	require.NotEmpty(t, page.Next)
	for _, bad := range []string{"sort=size", "limit=500", "kind=robot", "createdFrom=gestern"} {
		status, _ := s.call("GET", "/api/contacts?"+bad, "admin", nil, nil)
		require.Equal(t, 422, status, bad)
	}
	status, code := s.call("GET", "/api/contacts", "copywriter", nil, nil)
	require.Equal(t, "403 permission.denied", fmt.Sprint(status, " ", code))
}

func TestCountOfASelection(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		crowd(t, p, 30)
		s := serve(t, p)
		var page rowPage
		s.ok("GET", "/api/contacts?limit=200", nil, &page)
		require.Len(t, page.Items, 25, "five are visitors")
		count := func(body obj) int64 {
			var out struct{ Count int64 }
			s.ok("POST", "/api/contacts/count", body, &out)
			return out.Count
		}
		require.EqualValues(t, 25, count(obj{"filter": obj{}}))
		require.EqualValues(t, 5, count(obj{"filter": obj{"kind": "visitor"}}))
		require.EqualValues(t, 24, count(obj{"filter": obj{}, "except": []string{page.Items[0].ID}}))
		require.EqualValues(t, 2, count(obj{"ids": []string{page.Items[0].ID, page.Items[1].ID, "ct_nobody"}}))
		status, code := s.call("POST", "/api/contacts/count", "admin", obj{}, nil)
		require.Equal(t, "422 request.invalid ids:contact.select_somebody", fmt.Sprint(status, " ", code))
		status, _ = s.call("POST", "/api/contacts/count", "copywriter", obj{"filter": obj{}}, nil)
		require.Equal(t, http.StatusForbidden, status)
	})
}

package contact

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// faultOf is the code of the first field that an error names.
func faultOf(t *testing.T, err error) string {
	t.Helper()
	var e *errs.Error
	require.ErrorAs(t, err, &e)
	if len(e.Fields) == 0 {
		return e.Code
	}
	return e.Fields[0].Path + " " + e.Fields[0].Code
}

func (p *pond) limit(kind string, most int) int64 {
	p.t.Helper()
	_, beyond, err := p.SetKindLimit(p.ctx, kind, most)
	require.NoError(p.t, err)
	return beyond
}

func TestLimitOfSeveral(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.limit(KindOpenID, 2)
		a := p.who(event.Fact{UserID: "u1", Identifiers: ids(KindOpenID, "o1", KindOpenID, "o2", KindOpenID, "o3")}).Contact
		require.Equal(t, int64(2), one[int64](p, "select count(*) from identities where kind = 'openid' and contact = $1", a), "the first two of one fact")
		require.Equal(t, a, p.who(event.Fact{UserID: "u1", Identifiers: ids(KindOpenID, "o4")}).Contact, "the fact goes where its strongest identifier says")
		b := p.who(event.Fact{Identifiers: ids(KindOpenID, "o4")}).Contact
		require.NotEqual(t, a, b, "what was not taken in is still free")
		list, _, err := p.NotJoined(p.ctx, "", "", "", 10)
		require.NoError(t, err)
		require.Len(t, list, 2)
		for _, n := range list {
			require.Equal(t, []any{conflictLimit, KindOpenID, "open"}, []any{n.Reason, n.Kind, n.State})
			require.Contains(t, []string{"o3", "o4"}, n.Value)
			require.Nil(t, n.Holder)
		}

		// two people with one each become one; with three in all they do not
		c := p.who(event.Fact{UserID: "u2", Identifiers: ids(KindOpenID, "o5")}).Contact
		d := p.who(event.Fact{Identifiers: ids(KindOpenID, "o6", KindUnionID, "x1")}).Contact
		require.Equal(t, c, p.who(event.Fact{UserID: "u2", Identifiers: ids(KindUnionID, "x1")}).Contact)
		require.Equal(t, c, p.who(event.Fact{Identifiers: ids(KindOpenID, "o6")}).Contact)
		require.NotEqual(t, c, d)
		f := p.who(event.Fact{Identifiers: ids(KindOpenID, "o7", KindUnionID, "x2")}).Contact
		require.Equal(t, c, p.who(event.Fact{UserID: "u2", Identifiers: ids(KindUnionID, "x2")}).Contact)
		require.Equal(t, f, p.who(event.Fact{Identifiers: ids(KindOpenID, "o7")}).Contact, "three openids are too many for one contact")
		require.Equal(t, int64(1), one[int64](p, "select count(*) from identity_conflicts where reason = 'limit' and holder = $1", f))

		// raising the limit frees what comes from now on
		p.limit(KindOpenID, 3)
		require.Equal(t, c, p.who(event.Fact{UserID: "u2", Identifiers: ids(KindUnionID, "x2")}).Contact)
		require.Equal(t, c, p.who(event.Fact{Identifiers: ids(KindOpenID, "o7")}).Contact)
	})
}

func TestLimitOfNewValuesKeepsNobodyOut(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.limit(KindPhone, 2)
		a := p.who(event.Fact{Identifiers: ids(KindEmail, "a@shop.cn", KindPhone, "13800138001", KindPhone, "13800138002")}).Contact
		got := p.who(event.Fact{Identifiers: ids(KindPhone, "13800138003", KindEmail, "a@shop.cn")}).Contact
		require.Equal(t, a, got, "a third number is left out, the address still says who it is")
		list, _, err := p.NotJoined(p.ctx, conflictLimit, KindPhone, "", 10)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, "138****8003", list[0].Value)
		require.NotContains(t, one[string](p, "select value_enc from identity_conflicts"), "13800138003")
	})
}

func TestUniqueByRule(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		for _, kind := range []string{KindUnionID, "crm_id"} { // with a place of its own, and without
			v := func(n int) string { return fmt.Sprint(kind, n) }
			p.limit(kind, 1)
			a := p.who(event.Fact{UserID: v(10), Identifiers: ids(kind, v(1))}).Contact
			b := p.who(event.Fact{Identifiers: ids(kind, v(2), KindPhone, "13800138009")}).Contact
			require.Equal(t, a, p.who(event.Fact{UserID: v(10), Identifiers: ids(KindPhone, "13800138009")}).Contact, kind)
			require.Equal(t, b, p.who(event.Fact{Identifiers: ids(KindPhone, "13800138009")}).Contact, kind)
			c := p.who(event.Fact{Identifiers: ids(kind, v(3), KindPhone, "13800138009")}).Contact
			require.NotEqual(t, b, c, "another value of a unique kind is another person: %s", kind)
			p.limit(kind, 0)
			require.Equal(t, a, p.who(event.Fact{UserID: v(10), Identifiers: ids(kind, v(2))}).Contact, kind)
			require.Equal(t, a, p.who(event.Fact{Identifiers: ids(kind, v(2))}).Contact, "no limit: one person with two: %s", kind)
			for _, table := range []string{"identities", "contacts", "identity_conflicts", "contact_merges"} {
				_, err := p.DB.Exec(p.ctx, "delete from "+table)
				require.NoError(t, err)
			}
			require.NoError(t, p.engine.moved(p.ctx))
		}
	})
}

func TestLimitTellsWhoIsBeyond(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.who(event.Fact{UserID: "u1", Identifiers: ids(KindOpenID, "o1", KindOpenID, "o2", KindOpenID, "o3")})
		p.who(event.Fact{UserID: "u2", Identifiers: ids(KindOpenID, "o4")})
		require.Equal(t, int64(1), p.limit(KindOpenID, 2))
		require.Equal(t, int64(3), one[int64](p, "select count(*) from identities where kind = 'openid' and contact = 1"), "nothing is taken away")
		list, _, err := p.KindUsages(p.ctx)
		require.NoError(t, err)
		require.Equal(t, []KindUsage{{KindOpenID, 4, 2, []KindCount{{1, 1}, {3, 1}}}, {KindUserID, 2, 2, []KindCount{{1, 2}}}}, list)
		rules, err := p.KindRules(p.ctx)
		require.NoError(t, err)
		require.Equal(t, KindUserID, rules[0].Kind, "strongest first")
		require.Equal(t, KindDevice, rules[len(rules)-1].Kind)
		for _, k := range rules {
			require.Equal(t, k.Kind == KindOpenID, k.Changed, k.Kind)
		}
		for _, c := range []struct {
			kind string
			most int
			code string
		}{{KindDevice, 1, "limit identity.bad_limit"}, {KindPhone, -1, "limit identity.bad_limit"}, {KindPhone, 1001, "limit identity.bad_limit"}, {"cookie", 5, "identity.no_such_kind"}, {"Phone", 5, "identity.no_such_kind"}} {
			_, _, err := p.SetKindLimit(p.ctx, c.kind, c.most)
			require.Equal(t, c.code, faultOf(t, err), c.kind)
		}
		require.Equal(t, []string{`identity.limit_changed identity_rule openid {"from":20,"to":2}`}, p.audit.entries)
	})
}

// A bot that makes up device ids fills one row of conflicts, not a million.
func TestDevicesBeyondTheLimit(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.limit(KindDevice, 10)
		for i := range 30 {
			p.who(event.Fact{UserID: "u1", Identifiers: ids(KindDevice, fmt.Sprint("d", i))})
		}
		require.Equal(t, int64(10), one[int64](p, "select count(*) from identities where kind = 'device_id'"))
		require.Equal(t, int64(1), one[int64](p, "select count(*) from identity_conflicts"))
		require.Equal(t, int64(20), one[int64](p, "select sum(count) from identity_conflicts"))
	})
}

func (p *pond) block(kind string, values ...string) Blocking {
	p.t.Helper()
	b, err := p.Block(p.ctx, kind, values, "")
	require.NoError(p.t, err)
	return b
}

func TestBlockedValueIdentifiesNobody(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		p, other := newPond(t, d), newPond(t, d) // two processes
		a := p.who(event.Fact{UserID: "u1", Identifiers: ids(KindPhone, "13800138000")}).Contact
		other.seq = p.seq
		require.Equal(t, a, other.who(event.Fact{Identifiers: ids(KindPhone, "13800138000")}).Contact)
		p.seq = other.seq

		b := other.block(KindPhone, "138 0013 8000", "0086 400-810-0000", "13800138000", "", "x")
		require.Equal(t, []any{2, 0, 1, []RefusedValue{{At: 4, Value: "x", Reason: "bad_phone"}}}, []any{b.Added, b.Already, b.Carried, b.Refused})
		require.Equal(t, 1, other.block(KindPhone, "+8613800138000").Already)

		out := p.stored(event.Fact{Identifiers: ids(KindPhone, "13800138000")})
		require.Equal(t, "fact.no_identity", out.Facts[0].Err.Code, "the other process hears of it at once")
		require.NotContains(t, fmt.Sprint(out.Facts[0].Err.Params), "13800138000")
		c := p.who(event.Fact{UserID: "u2", Identifiers: ids(KindPhone, "13800138000")}).Contact
		require.NotEqual(t, a, c)
		require.Zero(t, one[int64](p, "select count(*) from contact_merges"))
		require.Zero(t, one[int64](p, "select count(*) from identity_conflicts"))
		require.Equal(t, int64(1), one[int64](p, "select count(*) from identities where kind = 'phone'"), "who carried it keeps it")

		items, _, total, err := p.Blocked(p.ctx, "", "13800138000", "", 10)
		require.NoError(t, err)
		require.Equal(t, int64(1), total)
		require.Equal(t, []any{"138****8000", int64(1), int64(2), false}, []any{items[0].Value, items[0].Carriers, items[0].Stopped, items[0].Domain})
		rows, _, err := p.Carriers(p.ctx, items[0].ID, "", 10)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.Equal(t, a, rows[0].num)
		refused, _, err := p.NoIdentities(p.ctx, "", 10)
		require.NoError(t, err)
		require.Equal(t, []any{KindPhone, "listed", "138****8000", int64(2)}, []any{refused[0].Kind, refused[0].Reason, refused[0].Value, refused[0].Count})

		_, err = p.Create(p.ctx, NewContact{Name: "张三", Phone: "13800138000"})
		require.Equal(t, "phone contact.blocked_value", faultOf(t, err))
		res, err := p.Upsert(p.ctx, []Incoming{{Identifiers: ids(KindPhone, "13800138000"), Attributes: map[string]any{"name": "张三"}}}, UpsertOptions{UpdateExisting: true})
		require.NoError(t, err)
		require.Equal(t, Refused, res[0].State)

		require.NoError(t, p.Unblock(p.ctx, items[0].ID))
		other.seq = p.seq
		require.Equal(t, a, other.who(event.Fact{Identifiers: ids(KindPhone, "13800138000")}).Contact)
		require.Equal(t, "identity.no_such_blocked", faultOf(t, p.Unblock(p.ctx, items[0].ID)))
		require.Equal(t, []string{"identity.values_blocked", "identity.value_unblocked"}, actions(other, p))
		for _, e := range append(other.audit.entries, p.audit.entries...) {
			require.NotContains(t, e, "13800138000", "the audit log shows it masked")
		}
	}, Migrations())
}

func actions(ps ...*pond) (out []string) {
	for _, p := range ps {
		for _, e := range p.audit.entries {
			var a string
			_, _ = fmt.Sscan(e, &a)
			out = append(out, a)
		}
	}
	return out
}

// Facts that are resolved again meet the rules of the first time.
func TestBlockedValuesAndReplay(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		at := func(n int) []event.Position { return []event.Position{{Seq: uint64(n)}} }
		resolve := func(n int) int64 {
			f := []event.Fact{{AnonymousID: fmt.Sprint("a", n), Identifiers: ids(KindUnionID, "x")}}
			p.fill(&f[0])
			out, err := p.resolver.Resolve(p.ctx, f, at(n))
			require.NoError(t, err)
			require.Nil(t, out.Facts[0].Err)
			return out.Facts[0].Contact
		}
		first := resolve(1) // x joins
		p.block(KindUnionID, "x")
		require.Equal(t, first, resolve(1), "again: it was no blocked value then")
		second := resolve(2)
		require.Equal(t, second, resolve(2))
		require.NotEqual(t, first, second, "only its device is left")
		items, _, _, err := p.Blocked(p.ctx, KindUnionID, "", "", 10)
		require.NoError(t, err)
		require.NoError(t, p.Unblock(p.ctx, items[0].ID))
		require.Equal(t, second, resolve(2), "again: it was blocked then")
		require.Equal(t, first, resolve(1))
	})
}

func TestBlockedDomain(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		a, err := p.Create(p.ctx, NewContact{Name: "甲", Email: "qa@test.shop.cn"})
		require.NoError(t, err)
		_, err = p.Create(p.ctx, NewContact{Name: "乙", Email: "li@myshop.cn"})
		require.NoError(t, err)
		b := p.block(KindEmail, "@Shop.CN", "*@robots.io", "one@two.cn", "nodots", "a b@c.cn")
		require.Equal(t, 3, b.Added)
		require.Equal(t, []RefusedValue{{3, "nodots", "bad_domain"}, {4, "a b@c.cn", "bad_email"}}, b.Refused)
		for in, blocked := range map[string]bool{"x@shop.cn": true, "X@a.b.SHOP.cn": true, "x@myshop.cn": false, "x@shop.cn.com": false, "x@robots.io": true, "one@two.cn": true, "two@two.cn": false} {
			out := p.stored(event.Fact{Identifiers: ids(KindEmail, in)})
			require.Equal(t, blocked, out.Facts[0].Err != nil, in)
		}
		ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
		defer cancel()
		j, err := p.jobs.Wait(ctx, one[string](p.pond, "select id from jobs"))
		require.NoError(t, err)
		require.Equal(t, jobs.Succeeded, j.State)
		items, _, total, err := p.Blocked(p.ctx, KindEmail, "shop.cn", "", 10)
		require.NoError(t, err)
		require.Equal(t, int64(1), total)
		require.Equal(t, []any{"shop.cn", true, int64(1), false, int64(2)}, []any{items[0].Value, items[0].Domain, items[0].Carriers, items[0].Searching, items[0].Stopped})
		carriers, _, err := p.Carriers(p.ctx, items[0].ID, "", 10)
		require.NoError(t, err)
		require.Equal(t, a.ID, carriers[0].ID)
	})
}

func TestBlockNothing(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		for want, values := range map[string][]string{"values request.field_required": {" "}, "values[0] identity.blocked_by_nature": {"null"}, "values[0] contact.bad_phone": {"12"}, "values identity.too_many_at_once": make([]string, 5001)} {
			_, err := p.Block(p.ctx, KindPhone, values, "")
			require.Equal(t, want, faultOf(t, err))
		}
		_, err := p.Block(p.ctx, "cookie", []string{"1"}, "")
		require.Equal(t, "kind identity.no_such_kind", faultOf(t, err))
	})
}

func TestNotJoinedAndWhatBecameOfThem(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a := p.who(event.Fact{UserID: "u1", Identifiers: ids(KindPhone, "13800138001")})
		b := p.who(event.Fact{UserID: "u2", Identifiers: ids(KindPhone, "13800138001")})
		c := p.who(event.Fact{UserID: "u3", Identifiers: ids(KindPhone, "13800138001")})
		read := func() map[string]NotJoined {
			out := map[string]NotJoined{}
			cursor := ""
			for {
				items, next, err := p.NotJoined(p.ctx, "", "", cursor, 1)
				require.NoError(t, err)
				for _, n := range items {
					out[n.Contact.ID] = n
				}
				if next == "" {
					return out
				}
				cursor = next
			}
		}
		list := read()
		require.Len(t, list, 2)
		n := list[b.ID]
		require.Equal(t, []any{conflictPerson, "138****8001", a.ID, "open", int64(1)}, []any{n.Reason, n.Value, n.Holder.ID, n.State, n.Count})
		require.NoError(t, p.KeepApart(p.ctx, c.Contact, a.Contact, ""))
		require.Equal(t, "apart", read()[c.ID].State)
		_, err := p.MergeByHand(p.ctx, a.ID, b.ID, "")
		require.NoError(t, err)
		require.Equal(t, "joined", read()[a.ID].State)

		// whoever sees neither is told that there was something, and of nobody
		narrow := auth.With(p.ctx, &auth.Principal{ID: "us_9", Via: auth.ViaSession, Scope: auth.Scope{Owners: []string{"us_9"}}})
		items, _, err := p.NotJoined(narrow, "", "", "", 10)
		require.NoError(t, err)
		require.Len(t, items, 2)
		for _, n := range items {
			require.Nil(t, n.Contact)
			require.Nil(t, n.Holder)
		}
	})
}

func TestIdentityRulesOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		s := serve(t, p)
		for _, c := range []struct{ method, path, role string }{
			{"PUT", "/api/identity/kinds/phone", "sales"}, {"PUT", "/api/identity/kinds/phone", "analyst"}, {"POST", "/api/identity/blocked", "service"}, {"GET", "/api/identity/conflicts", "sales"}, {"GET", "/api/identity/blocked", "growth"},
		} {
			var body any
			if c.method != "GET" {
				body = map[string]any{"limit": 3, "kind": KindPhone, "values": []string{"1"}}
			}
			status, _ := s.call(c.method, c.path, c.role, body, nil)
			require.Equal(t, http.StatusForbidden, status, c)
		}
		status, _ := s.call(http.MethodGet, "/api/identity/kinds", "sales", nil, nil)
		require.Equal(t, http.StatusOK, status)
		var set struct{ Limit, Beyond int }
		status, _ = s.call(http.MethodPut, "/api/identity/kinds/phone", "user_ops", map[string]any{"limit": 3}, &set)
		require.Equal(t, []any{http.StatusOK, 3, 0}, []any{status, set.Limit, set.Beyond})
		status, code := s.call(http.MethodPut, "/api/identity/kinds/phone", "admin", map[string]any{"limit": -3}, nil)
		require.Equal(t, []any{http.StatusUnprocessableEntity, "request.invalid limit:identity.bad_limit"}, []any{status, code})
		var done Blocking
		status, _ = s.call(http.MethodPost, "/api/identity/blocked", "admin", map[string]any{"kind": KindPhone, "values": []string{"400-810-0000", "?"}, "note": "客服热线"}, &done)
		require.Equal(t, []any{http.StatusOK, 1, 1}, []any{status, done.Added, len(done.Refused)})
		var list struct{ Items []BlockedValue }
		status, _ = s.call(http.MethodGet, "/api/identity/blocked", "admin", nil, &list)
		require.Equal(t, []any{http.StatusOK, "客服热线"}, []any{status, list.Items[0].Note})
		status, _ = s.call(http.MethodGet, "/api/identity/blocked/"+list.Items[0].ID+"/carriers", "admin", nil, nil)
		require.Equal(t, http.StatusOK, status)
		status, _ = s.call(http.MethodDelete, "/api/identity/blocked/"+list.Items[0].ID, "admin", nil, nil)
		require.Equal(t, http.StatusNoContent, status)
		status, code = s.call(http.MethodDelete, "/api/identity/blocked/"+list.Items[0].ID, "admin", nil, nil)
		require.Equal(t, []any{http.StatusNotFound, "identity.no_such_blocked"}, []any{status, code})
		status, _ = s.call(http.MethodGet, "/api/identity/refusals", "admin", nil, nil)
		require.Equal(t, http.StatusOK, status)
	})
}

// What a rule change rolls back does not stay in the memory of the process.
func TestRulesFollowTheTransaction(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		err := p.DB.Tx(p.ctx, func(ctx context.Context) error {
			_, _, err := p.SetKindLimit(ctx, KindPhone, 1)
			require.NoError(t, err)
			return errCrash
		})
		require.True(t, errors.Is(err, errCrash))
		r, err := p.engine.rules(p.ctx)
		require.NoError(t, err)
		require.False(t, r.unique(KindPhone))
	})
}

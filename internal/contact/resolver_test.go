package contact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

func TestVisitorBecomesPerson(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		v := p.who(event.Fact{AnonymousID: "a1"})
		require.Equal(t, event.Visitor, v.Kind)
		require.Equal(t, int64(1), v.Contact)

		out := p.resolve(event.Fact{Type: event.Identify, Name: event.NameIdentified, UserID: "u1", AnonymousID: "a1", Traits: js(map[string]any{"name": "张三"})})
		require.Equal(t, v.Contact, out.Facts[0].Contact, "the visitor is promoted, not replaced")
		require.Equal(t, event.Person, out.Facts[0].Kind)
		require.Empty(t, out.Rekeys)
		require.Equal(t, []event.Profile{{Contact: 1, Kind: event.Person, Channel: Unknown, CreatedAt: start.UnixMilli()}}, out.Profiles)
		require.Equal(t, "zhangsan", one[string](p, "select name_pinyin from contacts where num = 1"))
		require.Empty(t, p.emit.names())
	})
}

func TestVisitorMergesIntoKnownPerson(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		person := p.who(event.Fact{UserID: "u1"})
		visitor := p.who(event.Fact{AnonymousID: "a1", Timestamp: start.Add(-time.Hour).UnixMilli()})
		var told []Merge
		p.OnMerge(func(_ context.Context, ms []Merge) error { told = append(told, ms...); return nil })
		out := p.resolve(event.Fact{UserID: "u1", AnonymousID: "a1"})
		require.Equal(t, person.Contact, out.Facts[0].Contact)
		require.Equal(t, []event.Rekey{{From: visitor.Contact, Into: person.Contact}}, out.Rekeys)
		require.Equal(t, start.Add(-time.Hour).UnixMilli(), out.Profiles[0].CreatedAt, "known since the visit")
		require.Equal(t, person.Contact, p.who(event.Fact{AnonymousID: "a1"}).Contact)
		require.Equal(t, []string{event.NameContactMerged}, p.emit.names())
		require.Equal(t, person.Contact, p.emit.facts[0].Contact)
		require.Len(t, told, 1)
		require.Equal(t, visitor.ID, told[0].FromID)
		require.Equal(t, person.Contact, one[int64](p, "select merged_into from contacts where num = $1", visitor.Contact))
		require.JSONEq(t, `{"identities":[["anonymous_id","a1"]],"kind":"visitor"}`, one[string](p, "select moved from contact_merges"))
	})
}

func TestPeopleOfDifferentUserIDsStayApart(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a := p.who(event.Fact{UserID: "u1", Identifiers: ids(KindPhone, "138 0013 8001")})
		b := p.who(event.Fact{UserID: "u2", Identifiers: ids(KindPhone, "+86-13800138001")})
		require.NotEqual(t, a.Contact, b.Contact)
		require.Equal(t, a.Contact, p.who(event.Fact{Identifiers: ids(KindPhone, "１３８００１３８００１")}).Contact, "the phone stays with the first")
		require.Equal(t, conflictPerson, one[string](p, "select reason from identity_conflicts where contact = $1 and holder = $2", b.Contact, a.Contact))

		c := p.who(event.Fact{UserID: "u1", Identifiers: ids(KindMemberNo, "m1")})
		require.Equal(t, a.Contact, c.Contact)
		d := p.who(event.Fact{UserID: "u1", Identifiers: ids(KindMemberNo, "m2")})
		require.Equal(t, a.Contact, d.Contact)
		require.Equal(t, conflictLimit, one[string](p, "select reason from identity_conflicts where lookup = 'm2'"))
		require.Equal(t, int64(0), one[int64](p, "select count(*) from identities where lookup = 'm2'"))
	})
}

func TestPersonKnownByPhoneOnlyMerges(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		old := p.who(event.Fact{Identifiers: ids(KindPhone, "13800138001"), Timestamp: start.Add(-time.Hour).UnixMilli(), Traits: js(map[string]any{"name": "张三", "level": 3})})
		p.who(event.Fact{UserID: "u1", Traits: js(map[string]any{"name": "Zhang San", "vip": true})})
		out := p.resolve(event.Fact{UserID: "u1", Identifiers: ids(KindPhone, "13800138001")})
		require.Equal(t, old.Contact, out.Facts[0].Contact, "the older survives")
		require.Equal(t, "Zhang San", one[string](p, "select name from contacts where num = $1", old.Contact), "the later word wins")
		require.JSONEq(t, `{"level":3,"vip":true}`, one[string](p, "select attributes from contacts where num = $1", old.Contact))
		require.Contains(t, one[string](p, "select before from contact_merges"), "张三")
	})
}

func TestDeviceOfSomebodyElseLinksNobody(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a := p.who(event.Fact{UserID: "u1", AnonymousID: "tablet"})
		b := p.who(event.Fact{UserID: "u2", AnonymousID: "tablet"})
		require.NotEqual(t, a.Contact, b.Contact)
		require.Equal(t, a.Contact, p.who(event.Fact{AnonymousID: "tablet"}).Contact)
		require.Equal(t, conflictDevice, one[string](p, "select reason from identity_conflicts"))

		// A tablet at the door: each phone number is a person of its own.
		x := p.who(event.Fact{AnonymousID: "door", Identifiers: ids(KindPhone, "13800138001")})
		y := p.who(event.Fact{AnonymousID: "door", Identifiers: ids(KindPhone, "13800138002")})
		require.NotEqual(t, x.Contact, y.Contact)
		// One who left a phone number and then signs up is the same person.
		z := p.who(event.Fact{AnonymousID: "door", UserID: "u9"})
		require.Equal(t, x.Contact, z.Contact)
	})
}

func TestAlias(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		v := p.who(event.Fact{AnonymousID: "a1"})
		u := p.who(event.Fact{UserID: "u1"})
		w := p.who(event.Fact{Type: event.Alias, Name: event.NameAliased, UserID: "u1", PreviousID: "a1"})
		require.Equal(t, u.Contact, w.Contact)
		require.Equal(t, u.Contact, p.who(event.Fact{AnonymousID: "a1"}).Contact)
		require.NotEqual(t, v.Contact, u.Contact)
		// Two users do not become one by an alias.
		u2 := p.who(event.Fact{UserID: "u2"})
		require.Equal(t, u2.Contact, p.who(event.Fact{Type: event.Alias, UserID: "u2", PreviousID: "u1"}).Contact)
		require.Equal(t, u.Contact, p.who(event.Fact{UserID: "u1"}).Contact)
	})
}

func TestBlockedValues(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		out := p.resolve(event.Fact{UserID: "null", AnonymousID: "00000000-0000-0000-0000-000000000000", Identifiers: ids(KindPhone, "110", KindEmail, "nobody")})
		err := out.Facts[0].Err
		require.NotNil(t, err)
		require.Equal(t, "fact.no_identity", err.Code)
		require.Contains(t, err.Params["values"], "user_id=null (blocked)")
		require.NotContains(t, err.Params["values"], "nobody")
		require.Equal(t, int64(0), one[int64](p, "select count(*) from contacts"))
		require.Equal(t, int64(4), one[int64](p, "select count(*) from identity_refusals"))

		ok := p.resolve(event.Fact{UserID: "Anonymous", AnonymousID: "a1"}, event.Fact{Contact: 77})
		require.Equal(t, event.Visitor, ok.Facts[0].Kind)
		require.Equal(t, "fact.unknown_contact", ok.Facts[1].Err.Code)
	})
}

func TestReplayAfterRollBackAndAfterCommit(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		facts := []event.Fact{
			{AnonymousID: "a1", Type: event.Track, Timestamp: 1000, ReceivedAt: 1000},
			{UserID: "u1", Type: event.Track, Timestamp: 2000, ReceivedAt: 2000},
			{UserID: "u1", AnonymousID: "a1", Type: event.Track, Timestamp: 3000, ReceivedAt: 3000},
			{UserID: "u2", AnonymousID: "a1", Type: event.Track, Timestamp: 4000, ReceivedAt: 4000},
		}
		at := []event.Position{{Seq: 5}, {Seq: 5, Idx: 1}, {Seq: 6}, {Seq: 7}}
		boom := errors.New("boom")
		err := p.DB.Tx(p.ctx, func(ctx context.Context) error {
			_, err := p.resolver.Resolve(ctx, facts, at)
			require.NoError(t, err)
			return boom
		})
		require.ErrorIs(t, err, boom)
		require.Equal(t, int64(0), one[int64](p, "select count(*) from contacts"))
		p.emit.facts = nil

		first, err := p.resolver.Resolve(p.ctx, facts, at)
		require.NoError(t, err)
		require.Equal(t, []event.Rekey{{From: 1, Into: 2}}, first.Rekeys)
		emitted := len(p.emit.facts)

		again, err := p.resolver.Resolve(p.ctx, facts, at)
		require.NoError(t, err)
		require.Equal(t, first, again)
		require.Len(t, p.emit.facts, emitted, "nothing is stated twice")
		require.Equal(t, int64(3), one[int64](p, "select count(*) from contacts"))
		require.Equal(t, int64(1), one[int64](p, "select count from identity_conflicts"))

		part, err := p.resolver.Resolve(p.ctx, facts[:2], at[:2])
		require.NoError(t, err)
		require.Empty(t, part.Rekeys)
		part, err = p.resolver.Resolve(p.ctx, facts[2:], at[2:])
		require.NoError(t, err)
		require.Equal(t, first.Rekeys, part.Rekeys)
	})
}

func TestGivenContactFollowsMerges(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		v := p.who(event.Fact{AnonymousID: "a1"})
		p.who(event.Fact{UserID: "u1"})
		u := p.who(event.Fact{UserID: "u1", AnonymousID: "a1"})
		require.Equal(t, u.Contact, p.who(event.Fact{Contact: v.Contact}).Contact)
		require.Equal(t, u.ID, p.who(event.Fact{Contact: u.Contact}).ID)
	})
}

func TestTouches(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		utm := func(source, medium, name string) map[string]any {
			return map[string]any{"campaign": map[string]any{"source": source, "medium": medium, "name": name}}
		}
		at := func(h int) int64 { return start.Add(time.Duration(h) * time.Hour).UnixMilli() }
		out := p.resolve(
			event.Fact{UserID: "u1", Timestamp: at(2), Context: js(utm("baidu", "cpc", "spring"))},
			event.Fact{UserID: "u1", Timestamp: at(1), Context: js(utm("douyin", "", "live-1"))},
			event.Fact{UserID: "u1", Timestamp: at(3), Context: js(map[string]any{"channel": "offline"})},
		)
		require.Equal(t, []string{PaidSearch, ShortVideo, Offline}, []string{out.Facts[0].Channel, out.Facts[1].Channel, out.Facts[2].Channel})
		require.Equal(t, ShortVideo, out.Profiles[0].Channel)
		require.Equal(t, "live-1", one[string](p, "select first_campaign from contacts"))
	})
}

func TestActivityCountsOnceAndFollowsMerges(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		v := p.who(event.Fact{AnonymousID: "a1"})
		u := p.who(event.Fact{UserID: "u1"})
		at := start.UnixMilli()
		stored := func(num, ts int64, name, imp string) event.Stored {
			return event.Stored{Fact: event.Fact{Name: name, Contact: num, Timestamp: ts, ReceivedAt: ts + 10_000, ImportID: imp}}
		}
		sub := p.Activity()
		handle := func(facts ...event.Stored) {
			require.NoError(t, p.DB.Tx(p.ctx, func(ctx context.Context) error { return sub.Handle(ctx, facts) }))
		}
		handle(stored(v.Contact, at, "viewed", "im_1"), stored(v.Contact, at+5, "viewed", ""), stored(u.Contact, at+9, event.NameTagAdded, ""))
		require.Equal(t, int64(2), one[int64](p, "select facts from contacts where num = $1", v.Contact))
		require.Equal(t, int64(0), one[int64](p, "select last_seen_at from contacts where num = $1", u.Contact), "a tag is no sign of life")

		p.who(event.Fact{UserID: "u1", AnonymousID: "a1"})
		require.Equal(t, int64(3), one[int64](p, "select facts from contacts where num = $1", u.Contact))
		handle(stored(v.Contact, at+20, "viewed", "im_1"), stored(u.Contact, at+7, "viewed", ""))
		require.Equal(t, int64(5), one[int64](p, "select facts from contacts where num = $1", u.Contact), "late facts of the merged go to the survivor")
		require.Equal(t, at+20, one[int64](p, "select last_seen_at from contacts where num = $1", u.Contact))
		require.Equal(t, int64(2), one[int64](p, "select facts from contact_import_facts where import_id = 'im_1' and contact = $1", v.Contact), "counted where they came")
	})
}

func TestPersonalValuesAreSealed(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.who(event.Fact{UserID: "u1", Identifiers: ids(KindPhone, "13800138001", KindEmail, " Li.Lei@Example.cn"),
			Traits: js(map[string]any{"phone": "13800138001", "address": map[string]any{"city": "杭州", "street": "文三路 1 号"}})})
		for _, table := range []string{"identities", "contacts", "contact_merges", "identity_conflicts"} {
			rows, err := p.DB.Query(p.ctx, "select * from "+table)
			dump, err := db.Collect(rows, err, dumpRow)
			require.NoError(t, err)
			for _, r := range dump {
				require.NotContains(t, r, "13800138001")
				require.NotContains(t, r, "li.lei")
				require.NotContains(t, r, "文三路")
			}
		}
		require.Equal(t, "杭州", one[string](p, "select city from contacts"))
		enc := one[string](p, "select value_enc from identities where kind = 'phone'")
		plain, err := p.Keys.Open(field(KindPhone), enc)
		require.NoError(t, err)
		require.Equal(t, "+8613800138001", plain)
	})
}

// The Resolver, imports and people at the console write at once: nobody is made
// twice, nothing deadlocks, and the Resolver's cache never misleads it.
func TestWritersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		const n = 60
		admin := auth.With(p.ctx, &auth.Principal{ID: "us_1", Via: auth.ViaSession, Permissions: auth.Set(auth.All()), Scope: auth.Everybody()})
		var g errgroup.Group
		g.Go(func() error {
			for i := range n {
				f := []event.Fact{{UserID: fmt.Sprint("u", i), AnonymousID: fmt.Sprint("a", i%7), Type: event.Track, Timestamp: 1000, ReceivedAt: 1000},
					{Identifiers: ids(KindPhone, fmt.Sprintf("138001380%02d", i)), Type: event.Track, Timestamp: 1000, ReceivedAt: 1000}}
				if _, err := p.resolver.Resolve(p.ctx, f, []event.Position{{Seq: uint64(i + 1)}, {Seq: uint64(i + 1), Idx: 1}}); err != nil {
					return err
				}
			}
			return nil
		})
		g.Go(func() error {
			for i := range n {
				_, err := p.Upsert(p.ctx, []Incoming{{Identifiers: ids(KindUserID, fmt.Sprint("u", n-i-1), KindPhone, fmt.Sprintf("138001380%02d", n-i-1))}}, UpsertOptions{ImportID: "im_1", UpdateExisting: true})
				if err != nil {
					return err
				}
			}
			return nil
		})
		g.Go(func() error {
			for i := range n {
				_, err := p.Create(admin, NewContact{Name: "甲", Phone: fmt.Sprintf("138001380%02d", i)})
				if err != nil && errs.CodeOf(err) != "contact.identity_taken" {
					return err
				}
			}
			return nil
		})
		g.Go(func() error {
			for i := range n {
				if err := p.Activity().Handle(p.ctx, []event.Stored{{Fact: event.Fact{Name: "viewed", Contact: int64(i%9 + 1), Timestamp: 5}}, {Fact: event.Fact{Name: "viewed", Contact: int64(9 - i%9), Timestamp: 5}}}); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, g.Wait())
		for i := range n {
			byUser := p.holderOf(KindUserID, fmt.Sprint("u", i))
			require.Equal(t, byUser, p.holderOf(KindPhone, fmt.Sprintf("138001380%02d", i)), "row %d joined them", i)
			f := []event.Fact{{UserID: fmt.Sprint("u", i), Type: event.Track, Timestamp: 1000, ReceivedAt: 1000}}
			out, err := p.resolver.Resolve(p.ctx, f, []event.Position{{Seq: uint64(n + i + 1)}})
			require.NoError(t, err)
			into, err := p.Survivors(p.ctx, []int64{out.Facts[0].Contact})
			require.NoError(t, err)
			require.Equal(t, byUser, cmp.Or(into[out.Facts[0].Contact], out.Facts[0].Contact))
		}
		require.Equal(t, int64(0), one[int64](p, "select count(*) from identities i join contacts c on c.num = i.contact where c.merged_into <> 0"))
	})
}

// holderOf reads who holds an identity.
func (p *pond) holderOf(kind, value string) int64 {
	p.t.Helper()
	norm, refused := normalize(kind, value, "CN")
	require.Empty(p.t, refused)
	if Personal(kind) {
		norm = p.Keys.Index(field(kind), norm)
	}
	return one[int64](p, "select contact from identities where kind = $1 and lookup = $2", kind, norm)
}

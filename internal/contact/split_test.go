package contact

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
)

// made is a person made by hand, by public id and number.
func (p *pond) made(name, phone string) (id string, num int64) {
	p.t.Helper()
	c, err := p.Create(p.ctx, NewContact{Name: name, Phone: phone})
	require.NoError(p.t, err)
	return c.ID, c.num
}

// rekeyed are the merges and splits that the next stretch tells the store.
func (p *pond) rekeyed() []event.Rekey { return p.stored(event.Fact{UserID: "nobody-else"}).Rekeys }

func TestMergeByHandAndBack(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a, an := p.made("王芳", "13800138001")
		b, bn := p.made("王小芳", "13800138002")
		vip, err := p.EnsureTag(p.ctx, "等级", "VIP")
		require.NoError(t, err)
		tea, err := p.EnsureTag(p.ctx, "喜好", "茶")
		require.NoError(t, err)
		_, err = p.SetTags(p.ctx, a, []string{vip.ID}, nil)
		require.NoError(t, err)
		_, err = p.SetTags(p.ctx, b, []string{vip.ID, tea.ID}, nil)
		require.NoError(t, err)
		_, err = p.AddNote(p.ctx, b, "爱喝龙井")
		require.NoError(t, err)
		p.clock.Advance(time.Minute)
		_, err = p.Update(p.ctx, b, Change{Attributes: map[string]any{"city": "杭州", "shoe": 38}})
		require.NoError(t, err)
		aWas, err := p.Get(p.ctx, a)
		require.NoError(t, err)
		bWas, err := p.Get(p.ctx, b)
		require.NoError(t, err)
		p.rekeyed()

		m, err := p.MergeByHand(p.ctx, a, b, "同一个人")
		require.NoError(t, err)
		require.Equal(t, Merge{ID: m.ID, From: bn, Into: an, FromID: b, IntoID: a, Reason: "manual", ByHand: true}, m)
		require.Equal(t, []event.Rekey{{From: bn, Into: an}}, p.rekeyed(), "the analytics store hears of it")
		require.Empty(t, p.rekeyed(), "once")
		whole, err := p.Get(p.ctx, b)
		require.NoError(t, err)
		require.Equal(t, a, whole.ID)
		require.Len(t, whole.Identities, 2)
		require.Len(t, whole.Tags, 2)
		require.Equal(t, "杭州", whole.City)
		require.Equal(t, "王芳", whole.Name, "both were said at once: the survivor keeps its word")
		notes, _, err := p.Notes(p.ctx, a, "", 10)
		require.NoError(t, err)
		require.Len(t, notes, 1)

		// Later facts and what they bring stay with the side whose identifier they carried.
		out := p.stored(event.Fact{Identifiers: ids(KindPhone, "13800138002", KindEmail, "b@koi.cn")})
		require.Equal(t, bn, out.Facts[0].Contact)
		require.Equal(t, a, out.Facts[0].ID)
		out = p.stored(event.Fact{Identifiers: ids(KindPhone, "13800138001", KindEmail, "a@koi.cn")})
		require.Equal(t, an, out.Facts[0].Contact)
		sub := p.Activity()
		require.NoError(t, p.DB.Tx(p.ctx, func(ctx context.Context) error {
			return sub.Handle(ctx, []event.Stored{{Fact: event.Fact{Name: "viewed", Contact: bn, Timestamp: 7000}}, {Fact: event.Fact{Name: "viewed", Contact: bn, Timestamp: 9000}},
				{Fact: event.Fact{Name: "viewed", Contact: an, Timestamp: 8000}}})
		}))
		whole, err = p.Get(p.ctx, a)
		require.NoError(t, err)
		require.EqualValues(t, 3, whole.Facts)

		var heard []Split
		p.OnSplit(func(ctx context.Context, s []Split) error {
			require.True(t, p.DB.InTx(ctx))
			heard = append(heard, s...)
			return nil
		})
		p.emit.facts = nil
		split, err := p.UndoMerge(p.ctx, m.ID, "认错了")
		require.NoError(t, err)
		require.Equal(t, Split{MergeID: m.ID, Contact: bn, From: an, ContactID: b, FromID: a, Members: []int64{bn}}, split)
		require.Equal(t, []Split{split}, heard)
		require.Equal(t, []string{event.NameContactSplit, event.NameContactSplit}, p.emit.names())
		got := p.stored(event.Fact{UserID: "nobody-else"})
		require.Equal(t, []event.Rekey{{From: bn, Split: []int64{bn}}}, got.Rekeys)
		require.Equal(t, []int64{an, bn}, []int64{got.Profiles[0].Contact, got.Profiles[1].Contact})

		aIs, err := p.Get(p.ctx, a)
		require.NoError(t, err)
		bIs, err := p.Get(p.ctx, b)
		require.NoError(t, err)
		require.Equal(t, b, bIs.ID)
		require.Len(t, aIs.Identities, 2, "with the e-mail that came with its phone")
		require.Len(t, bIs.Identities, 2)
		require.Equal(t, []any{aWas.Name, aWas.City, aWas.Attributes, aWas.Tags, int64(1)}, []any{aIs.Name, aIs.City, aIs.Attributes, aIs.Tags, aIs.Facts})
		require.Equal(t, []any{bWas.Name, bWas.City, bWas.Attributes, bWas.Tags, int64(2)}, []any{bIs.Name, bIs.City, bIs.Attributes, bIs.Tags, bIs.Facts})
		require.EqualValues(t, 9000, bIs.LastSeenAt.UnixMilli())
		require.EqualValues(t, 8000, aIs.LastSeenAt.UnixMilli())
		notes, _, err = p.Notes(p.ctx, a, "", 10)
		require.NoError(t, err)
		require.Empty(t, notes)
		notes, _, err = p.Notes(p.ctx, b, "", 10)
		require.NoError(t, err)
		require.Len(t, notes, 1)

		// They are kept apart: a fact that names both does not join them.
		got = p.stored(event.Fact{Identifiers: ids(KindPhone, "13800138001", KindPhone, "13800138002")})
		require.Empty(t, got.Rekeys)
		require.Equal(t, an, got.Facts[0].Contact)
		require.Equal(t, "kept_apart", one[string](p, "select reason from identity_conflicts where contact = $1", an))
		_, err = p.MergeByHand(p.ctx, a, b, "")
		require.Equal(t, "contact.kept_apart", errs.CodeOf(err))
		_, err = p.UndoMerge(p.ctx, m.ID, "")
		require.Equal(t, "contact.merge_undone", errs.CodeOf(err))
		_, err = p.MergeByHand(p.ctx, b, a, "还是同一个人", LiftApart)
		require.NoError(t, err)
		whole, err = p.Get(p.ctx, a)
		require.NoError(t, err)
		require.Equal(t, b, whole.ID, "who asks chooses who survives")
	})
}

func TestKeepApartOutlivesMerges(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		_, a := p.made("甲", "13800138001")
		_, b := p.made("乙", "13800138002")
		c, cn := p.made("丙", "13800138003")
		d, dn := p.made("丁", "13800138004")
		require.NoError(t, p.KeepApart(p.ctx, a, b, "父子"))
		require.NoError(t, p.KeepApart(p.ctx, b, a, "again"))
		aRef, err := p.Refs(p.ctx, []int64{a, b})
		require.NoError(t, err)
		ma, err := p.MergeByHand(p.ctx, c, aRef[a].ID, "")
		require.NoError(t, err)
		_, err = p.MergeByHand(p.ctx, d, aRef[b].ID, "")
		require.NoError(t, err)
		apart, err := p.Apart(p.ctx, [][2]int64{{cn, dn}, {a, b}, {a, cn}, {dn, a}})
		require.NoError(t, err)
		require.Equal(t, []bool{true, true, false, true}, apart)
		out := p.stored(event.Fact{Identifiers: ids(KindPhone, "13800138001", KindPhone, "13800138004")})
		require.Equal(t, []event.Rekey{{From: a, Into: cn}, {From: b, Into: dn}}, out.Rekeys, "and no more")

		_, err = p.UndoMerge(p.ctx, ma.ID, "")
		require.NoError(t, err)
		apart, err = p.Apart(p.ctx, [][2]int64{{cn, dn}, {a, dn}, {a, cn}})
		require.NoError(t, err)
		require.Equal(t, []bool{false, true, true}, apart, "what was said of a goes with a")
		require.NoError(t, p.Reunite(p.ctx, a, b))
		apart, err = p.Apart(p.ctx, [][2]int64{{a, b}})
		require.NoError(t, err)
		require.Equal(t, []bool{false}, apart)
		out = p.stored(event.Fact{Identifiers: ids(KindPhone, "13800138001", KindPhone, "13800138004")})
		require.Len(t, out.Rekeys, 2, "the split, and then the merge by the fact")
		require.Equal(t, []int64{a}, out.Rekeys[0].Split)
		err = p.KeepApart(p.ctx, a, b, "")
		require.Equal(t, "contact.same_person", errs.CodeOf(err))
	})
}

// Merges of a chain are undone in any order.
func TestUndoInsideAChain(t *testing.T) {
	for name, first := range map[string]int{"the older first": 0, "the newer first": 1} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, p *pond) {
				a, an := p.made("甲", "13800138001")
				b, bn := p.made("乙", "13800138002")
				c, cn := p.made("丙", "13800138003")
				tag, err := p.EnsureTag(p.ctx, "喜好", "茶")
				require.NoError(t, err)
				for _, id := range []string{a, b} {
					_, err = p.SetTags(p.ctx, id, []string{tag.ID}, nil)
					require.NoError(t, err)
				}
				_, err = p.Update(p.ctx, a, Change{Attributes: map[string]any{"city": "杭州"}})
				require.NoError(t, err)
				m1, err := p.MergeByHand(p.ctx, b, a, "")
				require.NoError(t, err)
				m2, err := p.MergeByHand(p.ctx, c, b, "")
				require.NoError(t, err)
				undo := []Merge{m1, m2}
				_, err = p.UndoMerge(p.ctx, undo[first].ID, "")
				require.NoError(t, err)
				if first == 1 { // b leaves c and takes a along
					x, err := p.Get(p.ctx, a)
					require.NoError(t, err)
					require.Equal(t, b, x.ID)
					require.Equal(t, "杭州", x.City)
				} else { // a leaves both
					x, err := p.Get(p.ctx, b)
					require.NoError(t, err)
					require.Equal(t, c, x.ID)
					require.Empty(t, x.City)
					require.Len(t, x.Tags, 1, "b has the tag too")
				}
				_, err = p.UndoMerge(p.ctx, undo[1-first].ID, "")
				require.NoError(t, err)
				for i, id := range []string{a, b, c} {
					x, err := p.Get(p.ctx, id)
					require.NoError(t, err)
					require.Equal(t, id, x.ID)
					require.Equal(t, []string{"甲", "乙", "丙"}[i], x.Name)
					require.Equal(t, []string{"杭州", "", ""}[i], x.City)
					require.Len(t, x.Tags, []int{1, 1, 0}[i])
					require.Len(t, x.Identities, 1)
					require.Equal(t, []int64{an, bn, cn}[i], x.num)
				}
				require.Equal(t, int64(0), one[int64](p, "select count(*) from contacts where own <> '' or merged_into <> 0"))
			})
		})
	}
}

package contact

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
)

func TestWalkMeetsEverySelectedContactOnce(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		crowd(t, p, 120)
		groups, err := p.Tags(p.ctx)
		require.NoError(t, err)
		tag := groups[0].Tags[0].ID
		for _, q := range []Query{{}, {Kind: event.Visitor}, {Tag: tag}, {Channel: Social}, {Owner: "us_1"}, {Tag: tag, Channel: Social}, {Q: "张"}, {Q: "zs", Owner: "none"}, {Q: "nobody at all"}} {
			want := map[int64]string{}
			ask := q
			ask.Limit = 200
			page, err := p.List(p.ctx, ask)
			require.NoError(t, err)
			require.Empty(t, page.Next)
			for _, r := range page.Items {
				want[r.num] = r.ID
			}
			walk := func(sel Selection) (got []int64) {
				for after := int64(0); ; after = got[len(got)-1] {
					nums, err := p.Walk(p.ctx, sel, after, 7)
					require.NoError(t, err)
					if len(nums) == 0 {
						break
					}
					got = append(got, nums...)
				}
				n, err := p.Count(p.ctx, sel)
				require.NoError(t, err)
				require.Equal(t, int64(len(got)), n, "%+v", sel)
				return got
			}
			all := walk(Selection{Query: q})
			require.True(t, slices.IsSorted(all))
			require.Len(t, all, len(want), "%+v", q)
			if len(all) == 0 {
				continue
			}
			for _, n := range all {
				require.Contains(t, want, n)
			}
			less := walk(Selection{Query: q, Except: []string{want[all[0]], "ct_nobody"}})
			require.Equal(t, all[1:], less)
			named := walk(Selection{IDs: []string{want[all[len(all)-1]], want[all[0]], want[all[0]], "ct_nobody"}, Query: q})
			require.Equal(t, slices.Compact([]int64{all[0], all[len(all)-1]}), named)
		}
	})
}

func TestGroupHoldsAllThatBecameOnePerson(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a := p.who(event.Fact{AnonymousID: "a"}).Contact
		b := p.who(event.Fact{AnonymousID: "b"}).Contact
		u := p.who(event.Fact{UserID: "u"}).Contact
		require.Equal(t, u, p.who(event.Fact{UserID: "u", AnonymousID: "a"}).Contact)
		require.Equal(t, u, p.who(event.Fact{UserID: "u", AnonymousID: "b"}).Contact)
		for _, n := range []int64{a, b, u} {
			got, err := p.Group(p.ctx, n)
			require.NoError(t, err)
			require.Equal(t, u, got[0])
			require.ElementsMatch(t, []int64{a, b, u}, got)
		}
	})
}

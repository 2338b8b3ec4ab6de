package contact

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// with is the pond's user with a data scope.
func (p *pond) with(sc auth.Scope) context.Context {
	who := *principal(p.ctx)
	who.Scope = sc
	return auth.With(p.ctx, &who)
}

func owned(unowned bool, owners ...string) auth.Scope {
	return auth.OwnedBy(auth.DataScope{Breadth: auth.BreadthDepartment, Unowned: unowned}, owners...)
}

// Random people, scopes and queries: every way to contacts agrees with looking
// at each one.
func TestEveryWayToContactsKeepsToTheScope(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		rnd := rand.New(rand.NewPCG(7, 11))
		owners := []string{"", "", "us_1", "us_2", "us_3", "us_4", "us_5"}
		tags := []string{}
		for _, n := range []string{"茶友", "会员"} {
			tag, err := p.CreateTag(p.ctx, NewTag{Group: "组", Name: n})
			require.NoError(t, err)
			tags = append(tags, tag.ID)
		}
		type person struct{ id, owner, channel, tag, name string }
		var people []person
		for i := range 160 {
			c := person{owner: owners[rnd.IntN(len(owners))], channel: []string{Offline, Social}[rnd.IntN(2)], name: []string{"王", "李", "张"}[rnd.IntN(3)] + fmt.Sprint("明", i)}
			r := p.who(event.Fact{UserID: fmt.Sprint("u", i), Timestamp: start.UnixMilli() + int64(i), Type: event.Identify, Name: event.NameIdentified,
				Traits: js(map[string]any{"name": c.name}), Context: js(map[string]any{"channel": c.channel})})
			refs, err := p.Refs(p.ctx, []int64{r.Contact})
			require.NoError(t, err)
			c.id = refs[r.Contact].ID
			if rnd.IntN(3) == 0 {
				c.tag = tags[rnd.IntN(2)]
				_, err := p.SetTags(p.ctx, c.id, []string{c.tag}, nil)
				require.NoError(t, err)
			}
			_, err = p.Update(p.ctx, c.id, Change{OwnerID: &c.owner})
			require.NoError(t, err)
			people = append(people, c)
		}
		scopes := []auth.Scope{auth.Everybody(), {}, owned(true), owned(false, "us_1"), owned(true, "us_1"), owned(false, "us_1", "us_2", "us_3", "us_4"),
			owned(true, "us_2", "us_3", "us_4", "us_5"), owned(false, "us_9")}
		for round := range 200 {
			p.narrow = []int64{2, narrow}[rnd.IntN(2)]
			sc := scopes[rnd.IntN(len(scopes))]
			ctx := p.with(sc)
			q := Query{Limit: 1 + rnd.IntN(30), Sort: []string{"lastSeen", "created", "name"}[rnd.IntN(3)], Ascending: rnd.IntN(2) == 0}
			pick := func(n int) bool { return rnd.IntN(n) == 0 }
			if pick(3) {
				q.Channel = []string{Offline, Social}[rnd.IntN(2)]
			}
			if pick(3) {
				q.Tag = tags[rnd.IntN(2)]
			}
			if pick(3) {
				q.Owner = []string{"none", "us_1", "us_2"}[rnd.IntN(3)]
			}
			if pick(3) {
				q.Q = []string{"王", "李", "wang", "u7"}[rnd.IntN(4)]
			}
			var want []string
			for i, c := range people {
				named := q.Q == "" || strings.HasPrefix(c.name, q.Q) || q.Q == "wang" && strings.HasPrefix(c.name, "王") || q.Q == fmt.Sprint("u", i)
				if sc.Sees(c.owner) && (q.Channel == "" || c.channel == q.Channel) && (q.Tag == "" || c.tag == q.Tag) &&
					(q.Owner == "" || c.owner == strings.TrimPrefix(q.Owner, "none")) && named {
					want = append(want, c.id)
				}
			}
			slices.Sort(want)
			about := fmt.Sprintf("round %d: %+v of %+v", round, q, sc)
			var got []string
			for page := q; ; {
				r, err := p.List(ctx, page)
				require.NoError(t, err, about)
				require.EqualValues(t, len(want), r.Total, about)
				for _, row := range r.Items {
					got = append(got, row.ID)
				}
				if page.Cursor = r.Next; r.Next == "" {
					break
				}
			}
			slices.Sort(got)
			require.Equal(t, want, got, about)
			n, err := p.Count(ctx, Selection{Query: q})
			require.NoError(t, err)
			require.EqualValues(t, len(want), n, about)
			var walked []int64
			for after := int64(0); ; after = walked[len(walked)-1] {
				nums, err := p.Walk(ctx, Selection{Query: q}, after, 13)
				require.NoError(t, err)
				if len(nums) == 0 {
					break
				}
				walked = append(walked, nums...)
			}
			require.Len(t, walked, len(want), about)
			inScope, err := p.InScope(ctx, walked)
			require.NoError(t, err)
			require.Equal(t, walked, inScope, about)

			// Named by ids.
			var ids []string
			seen := 0
			for range 20 {
				c := people[rnd.IntN(len(people))]
				if !slices.Contains(ids, c.id) {
					ids = append(ids, c.id)
					_, err := p.NumOf(ctx, c.id)
					require.Equal(t, sc.Sees(c.owner), err == nil, about)
					if err == nil {
						seen++
					} else {
						require.Equal(t, "contact.not_found", errs.As(err).Code)
					}
				}
			}
			n, err = p.Count(ctx, Selection{IDs: ids})
			require.NoError(t, err)
			require.EqualValues(t, seen, n, about)
			rows, err := p.Search(ctx, "王", 200)
			require.NoError(t, err)
			for _, r := range rows {
				i := slices.IndexFunc(people, func(c person) bool { return c.id == r.ID })
				require.True(t, sc.Sees(people[i].owner), about)
			}
		}
	})
}

// Who sees only their own keeps what they make, learns nothing of others'
// people by making them again, and may give theirs away.
func TestMakingAndGivingAwayWithinAScope(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		mine := p.with(owned(false, "us_1"))
		a, err := p.Create(mine, NewContact{Name: "甲", Phone: "13800000001"})
		require.NoError(t, err)
		require.Equal(t, "us_1", one[string](p, "select owner_id from contacts where id = $1", a.ID))
		theirs := p.with(owned(false, "us_2"))
		_, err = p.Create(theirs, NewContact{Name: "乙", Phone: "13800000001"})
		require.Equal(t, "contact.identity_elsewhere", errs.As(err).Code)
		require.NotContains(t, fmt.Sprint(errs.As(err).Params), a.ID)
		b, err := p.Create(p.with(owned(true, "us_1")), NewContact{Name: "丙"})
		require.NoError(t, err)
		require.Empty(t, one[string](p, "select owner_id from contacts where id = $1", b.ID), "whoever sees nobody's need not own it")

		out, err := p.Upsert(theirs, []Incoming{
			{Line: 1, Identifiers: ids("phone", "13800000001"), Attributes: map[string]any{"name": "丁"}},
			{Line: 2, Identifiers: ids("phone", "13800000002"), Attributes: map[string]any{"name": "戊"}},
			{Line: 3, Identifiers: ids("phone", "13800000002"), Attributes: map[string]any{"city": "杭州"}},
		}, UpsertOptions{ImportID: "im_1", UpdateExisting: true})
		require.NoError(t, err)
		require.Equal(t, []OutcomeState{Refused, Created, Updated}, []OutcomeState{out[0].State, out[1].State, out[2].State})
		require.Equal(t, "contact.identity_elsewhere", out[0].Err.Code)
		require.Equal(t, "甲", one[string](p, "select name from contacts where id = $1", a.ID))
		require.Equal(t, "us_2", one[string](p, "select owner_id from contacts where num = $1", out[1].Num))

		to := "us_2"
		given, err := p.Update(mine, a.ID, Change{OwnerID: &to})
		require.NoError(t, err)
		require.Equal(t, "甲", given.Name, "the answer still shows it")
		_, err = p.Get(mine, a.ID)
		require.Equal(t, "contact.not_found", errs.As(err).Code)
		_, err = p.Get(testkit.Scoped(t.Context(), "sales", false, "us_2"), a.ID)
		require.NoError(t, err)
	})
}

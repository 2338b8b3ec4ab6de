package contact

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// told says of everybody what must not depend on the order of arrival: which
// identities are one, whether a person, since when, by which channel first, the
// name said last, and which facts are whose.
func (e *everybody) told(names []string) []string {
	var out []string
	for _, s := range e.people {
		ids := slices.Clone(s.ids)
		slices.SortFunc(ids, func(a, b idKey) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.lookup, b.lookup)) })
		var facts []string
		for i, who := range e.of {
			if who == s {
				facts = append(facts, names[i])
			}
		}
		slices.Sort(facts)
		out = append(out, fmt.Sprint(ids, s.person, s.created, s.channel, s.touchAt, s.name, s.nameAt, facts))
	}
	slices.Sort(out)
	return out
}

// genOrderFree draws facts of which no two happened at the same moment, and
// whose aliases name devices: see docs/adr/0007-order-of-arrival.md.
func genOrderFree(t *rapid.T) []event.Fact {
	facts := make([]event.Fact, rapid.IntRange(2, 14).Draw(t, "facts"))
	for i, ts := range rapid.Permutation(upTo(len(facts))).Draw(t, "times") {
		facts[i] = genFact(t, i)
		facts[i].Timestamp = int64(ts+1) * 1000
		if strings.HasPrefix(facts[i].PreviousID, "u") {
			facts[i].PreviousID = "a5"
		}
	}
	return facts
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func arrive(facts []event.Fact) (e *everybody, names []string) {
	e = &everybody{}
	for _, f := range facts {
		e.take(f)
		names = append(names, f.MessageID)
	}
	return e, names
}

// Where nothing clashes in either order, the order of arrival changes nothing.
// That it often does not clash is checked too: else the property would be empty.
func TestArrivalOrderChangesNothingWithoutConflict(t *testing.T) {
	drawn, compared := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		facts := genOrderFree(rt)
		shuffled := rapid.Permutation(facts).Draw(rt, "arrival")
		a, namesA := arrive(facts)
		b, namesB := arrive(shuffled)
		drawn++
		if a.clash > 0 || b.clash > 0 {
			return
		}
		compared++
		require.Equal(rt, a.told(namesA), b.told(namesB))
	})
	require.Greater(t, compared*10, drawn, "enough histories are without conflict")
}

// The store itself, in two orders: what the reference says holds of it.
func TestStoreInTwoOrders(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			facts := genOrderFree(rt)
			shuffled := rapid.Permutation(facts).Draw(rt, "arrival")
			a, _ := arrive(facts)
			if b, _ := arrive(shuffled); a.clash > 0 || b.clash > 0 {
				return
			}
			var told [2]string
			for i, list := range [][]event.Fact{facts, shuffled} {
				clean(t, d)
				p := newPond(t, d)
				at := make([]event.Position, len(list))
				for k := range at {
					at[k] = event.Position{Seq: uint64(k + 1)}
				}
				_, err := p.resolver.Resolve(context.Background(), list, at)
				require.NoError(rt, err)
				require.Zero(rt, one[int64](p, "select count(*) from identity_conflicts"))
				told[i] = p.partition()
			}
			require.Equal(rt, told[0], told[1])
		})
	}, Migrations())
}

// partition prints who has which identities, with what is said of them, without numbers.
func (p *pond) partition() string {
	rows, err := p.DB.Query(p.ctx, "select c.num, c.kind, c.created_at, c.channel, c.first_at, c.name, i.kind, i.lookup from contacts c join identities i on i.contact = c.num order by i.kind, i.lookup")
	require.NoError(p.t, err)
	defer rows.Close()
	said, ids := map[int64]string{}, map[int64]string{}
	for rows.Next() {
		var num, created, first int64
		var kind, channel, name, idKind, lookup string
		require.NoError(p.t, rows.Scan(&num, &kind, &created, &channel, &first, &name, &idKind, &lookup))
		said[num] = fmt.Sprint(kind, created, channel, first, name)
		ids[num] += idKind + "=" + lookup + " "
	}
	require.NoError(p.t, rows.Err())
	var out []string
	for n, s := range said {
		out = append(out, ids[n]+s)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

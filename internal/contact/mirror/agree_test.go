package mirror

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
)

// agree tells for each friendship what the two sides have, where it is not the same.
func (p *pond) differ() (out []string) {
	for k := range p.p.on {
		if a, b := p.ours(k.customer), p.theirs(k.staff, k.customer); !slices.Equal(a, b) {
			out = append(out, fmt.Sprint(k.staff, " ", k.customer, " ours ", a, " theirs ", b))
		}
	}
	return out
}

// Whatever happens on either side, whatever is lost, doubled, late or cut off: in
// the end both sides agree, and then nobody calls anybody.
func TestBothSidesAgree(t *testing.T) {
	each(t, func(p *pond) {
		for seed := range uint64(5) {
			p.t.Log("seed", seed)
			story(p, rand.New(rand.NewPCG(seed, 7)), fmt.Sprint("wm", seed, "-"))
		}
	})
}

func story(p *pond, r *rand.Rand, who string) {
	if len(p.p.tags) == 0 {
		_, err := p.contacts.CreateGroup(p.ctx, contact.NewGroup{Name: "意向", Exclusive: true})
		require.NoError(p.t, err)
		for _, x := range [][2]string{{"意向", "高"}, {"意向", "低"}, {"喜好", "红茶"}, {"喜好", "绿茶"}} {
			p.p.make(x[0], x[1])
		}
		p.link()
	}
	for _, k := range [][2]string{{"a", "1"}, {"b", "1"}, {"a", "2"}, {"c", "3"}, {"b", "4"}, {"a", "5"}, {"c", "5"}} {
		p.befriend(k[0], who+k[1])
	}
	names := []string{"高", "低", "红茶", "绿茶"}
	staff, customers := []string{"a", "b", "c"}, []string{who + "1", who + "2", who + "3", who + "4", who + "5"}
	one := func(list []string) string { return list[r.IntN(len(list))] }
	friends := func() (out []key) {
		for k := range p.p.on {
			if strings.HasPrefix(k.customer, who) {
				out = append(out, k)
			}
		}
		slices.SortFunc(out, func(a, b key) int { return slices.Compare([]byte(a.staff+a.customer), []byte(b.staff+b.customer)) })
		return out
	}
	ids := func() (out []string) {
		for id := range p.p.tags {
			out = append(out, id)
		}
		slices.Sort(out)
		return out
	}
	p.p.trouble = func() error { // of one call in four the answer is lost, of one in ten it comes later
		switch n := r.IntN(20); {
		case n < 5:
			p.p.after = n < 3
			return errLost
		case n < 7:
			p.p.after = false
			return errLater
		}
		return nil
	}
	var told []event.Fact // callbacks on their way
	for range 80 {
		switch r.IntN(11) {
		case 0, 1:
			n := one(names)
			if r.IntN(2) == 0 {
				n = "-" + n
			}
			p.tag(one(customers), n)
		case 2, 3:
			list := friends()
			k := list[r.IntN(len(list))]
			p.p.label(k.staff, k.customer, one(ids()), r.IntN(2) == 0)
			for n := r.IntN(3); n > 0; n-- { // lost, told, told twice
				told = append(told, p.known(k.staff, k.customer))
			}
		case 4, 5:
			if len(told) > 0 {
				i := r.IntN(len(told))
				p.handle(told[i])
				told = slices.Delete(told, i, i+1)
			}
		case 6, 7:
			p.Work(p.ctx)
		case 8: // cut off between two calls
			list, err := p.dueRows(p.ctx, corp)
			require.NoError(p.t, err)
			b, err := p.book(p.ctx, corp)
			require.NoError(p.t, err)
			tasks, _, err := p.compare(p.ctx, b, list)
			require.NoError(p.t, err)
			require.NoError(p.t, p.claim(p.ctx, tasks))
			for _, x := range tasks {
				if r.IntN(2) == 0 {
					_ = p.p.Mark(p.ctx, corp, x.staff, x.customer, x.add, x.remove)
				}
			}
			p.restart()
		case 9:
			k := key{corp, one(staff), one(customers)}
			if p.p.on[k] != nil && len(friends()) > 3 {
				delete(p.p.on, k)
				told = append(told, p.said(event.NameFriendRemoved, k.staff, k.customer))
				p.handle(told[len(told)-1])
				told = slices.DeleteFunc(told, func(f event.Fact) bool { return f.Identifiers[0].Value == k.customer }) // of one who is gone nothing is told
			} else {
				p.befriend(k.staff, k.customer)
			}
		case 10:
			if r.IntN(6) == 0 {
				if x, y := p.id(one(customers)), p.id(one(customers)); x != y {
					_, err := p.contacts.MergeByHand(p.ctx, x, y, "the same person")
					require.NoError(p.t, err)
				}
			} else {
				p.readAll()
			}
		}
		if r.IntN(3) > 0 {
			p.clock.Advance([]time.Duration{time.Millisecond, time.Second, 3 * time.Minute}[r.IntN(3)])
		}
	}
	p.p.trouble = nil
	r.Shuffle(len(told), func(i, j int) { told[i], told[j] = told[j], told[i] })
	for _, f := range told {
		p.handle(f)
	}
	for range 4 {
		p.clock.Advance(24 * time.Hour)
		p.readAll()
		p.Work(p.ctx)
	}
	require.Empty(p.t, p.differ())
	marks := p.p.marks
	p.clock.Advance(24 * time.Hour)
	came := p.readAll()
	p.Work(p.ctx)
	require.Equal(p.t, marks, p.p.marks, "nobody calls any more")
	require.EqualValues(p.t, 0, came["came"])
	require.Zero(p.t, p.status().Waiting)
	require.Zero(p.t, p.status().Failed)
}

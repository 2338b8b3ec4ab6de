package contact

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
)

// crowd makes contacts that differ in all that the list knows, with many ties.
func crowd(t *testing.T, p *pond, n int) []string {
	r := rand.New(rand.NewPCG(7, 7))
	var tags []string
	for i := range 3 {
		tag, err := p.EnsureTag(p.ctx, "组", fmt.Sprint("标签", i))
		require.NoError(t, err)
		tags = append(tags, tag.ID)
	}
	names := []string{"张三", "张子涵", "章子怡", "李四", "Li Lei", "John Smith", "曾国", "欧阳锋", "zs", ""}
	var sums []OrderSummary
	var seen []event.Stored
	for i := range n {
		at := start.Add(-time.Duration(r.IntN(5)) * 24 * time.Hour)
		p.clock.Set(at)
		if i%6 == 5 {
			w := p.who(event.Fact{AnonymousID: fmt.Sprint("a", i), Context: js(map[string]any{"channel": Social})})
			seen = append(seen, event.Stored{Fact: event.Fact{Name: "viewed", Contact: w.Contact, Timestamp: at.UnixMilli()}})
			continue
		}
		row := Incoming{Identifiers: ids(KindPhone, fmt.Sprintf("1380000%04d", i), KindMemberNo, fmt.Sprint("M", i)), Attributes: map[string]any{"name": names[r.IntN(len(names))]},
			Touch: Touch{Channel: []string{"", Social, Offline}[r.IntN(3)]}, OwnerID: []string{"", "us_1", "us_2"}[r.IntN(3)]}
		if row.Touch.Channel == "" {
			row.Touch = Touch{}
		}
		for _, tag := range tags {
			if r.IntN(3) == 0 {
				row.Tags = append(row.Tags, tag)
			}
		}
		out, err := p.Upsert(p.ctx, []Incoming{row}, UpsertOptions{Source: "crm", UpdateExisting: true})
		require.NoError(t, err)
		require.Equal(t, Created, out[0].State)
		orders := int64(r.IntN(3))
		if orders > 0 {
			sums = append(sums, OrderSummary{Num: out[0].Num, Orders: orders, Revenue: []Revenue{{Currency: "CNY", Amount: orders * 100}}, FirstAt: 1, LastAt: 2})
		}
		if r.IntN(2) == 0 {
			seen = append(seen, event.Stored{Fact: event.Fact{Name: "viewed", Contact: out[0].Num, Timestamp: at.UnixMilli() + int64(r.IntN(3))}})
		}
	}
	require.NoError(t, p.SetOrderSummary(p.ctx, "CNY", sums))
	require.NoError(t, p.Activity().Handle(p.ctx, seen))
	p.clock.Set(start)
	return tags
}

// naive is what the list must give, from all rows in memory.
func naive(rows []Row, q Query, tagOf func(Row) []string) []Row {
	kind := cmp.Or(q.Kind, event.Person)
	var out []Row
	for _, r := range rows {
		ok := r.Kind == kind
		ok = ok && (q.Channel == "" || r.Channel == q.Channel || q.Channel == Unknown && r.Channel == "")
		ok = ok && (q.Owner == "" || q.Owner == "none" && r.Owner == nil || r.Owner != nil && r.Owner.ID == q.Owner)
		ok = ok && (q.CreatedFrom.IsZero() || !r.CreatedAt.Before(q.CreatedFrom)) && (q.CreatedTo.IsZero() || r.CreatedAt.Before(q.CreatedTo))
		ok = ok && (q.Tag == "" || slices.Contains(tagOf(r), q.Tag))
		if q.Q != "" {
			f := formsOf(r.Name)
			l, latin := letters(q.Q)
			ok = ok && (latin && (strings.HasPrefix(f.pinyin, l) || strings.HasPrefix(f.initials, l)) || !latin && strings.HasPrefix(f.key, q.Q))
		}
		if ok {
			out = append(out, r)
		}
	}
	key := func(r Row) (int64, string) {
		seen := int64(0)
		if r.LastSeenAt != nil {
			seen = r.LastSeenAt.UnixMilli()
		}
		main := int64(0)
		for _, m := range r.Revenue {
			main = m.Amount
		}
		switch q.Sort {
		case "name":
			if kind == event.Person {
				return 0, formsOf(r.Name).pinyin
			}
		case "lastOrder":
			if kind == event.Person {
				return min(r.Orders, 1) * 2, "" // crowd gives every buyer the same moment
			}
		case "orders":
			if kind == event.Person {
				return r.Orders, ""
			}
		case "revenue":
			if kind == event.Person {
				return main, ""
			}
		case "", "lastSeen":
			return seen, ""
		}
		return r.CreatedAt.UnixMilli(), ""
	}
	last := func(r Row) bool { // those without a value come last, whatever the direction
		n, name := key(r)
		return kind == event.Person && (q.Sort == "name" && name == noName || q.Sort == "lastOrder" && n == 0) || (q.Sort == "" || q.Sort == "lastSeen") && n == 0
	}
	slices.SortFunc(out, func(a, b Row) int {
		an, as := key(a)
		bn, bs := key(b)
		c := cmp.Or(cmp.Compare(an, bn), cmp.Compare(as, bs), cmp.Compare(a.num, b.num))
		if !q.Ascending {
			c = -c
		}
		if last(a) != last(b) {
			c = 1
			if last(b) {
				c = -1
			}
		}
		return c
	})
	return out
}

func TestListAgreesWithNaive(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tags := crowd(t, p, 120)
		all, err := p.ListByNums(p.ctx, seq(1, 120))
		require.NoError(t, err)
		require.Len(t, all, 120)
		tagOf := func(r Row) (ids []string) {
			for _, t := range r.Tags {
				ids = append(ids, t.ID)
			}
			return ids
		}
		r := rand.New(rand.NewPCG(1, 9))
		pick := func(of ...string) string { return of[r.IntN(len(of))] }
		for i := range 150 {
			q := Query{Sort: pick("", "lastSeen", "created", "name", "orders", "revenue", "lastOrder"), Ascending: r.IntN(2) == 0, Limit: 1 + r.IntN(40),
				Channel: pick("", "", Social, Offline, Unknown), Owner: pick("", "", "us_1", "none"), Tag: pick("", "", tags[0], tags[1]),
				Q: pick("", "", "张", "z", "zh", "zhangz", "zzh", "李", "js", "j", "John S", "没有")}
			if r.IntN(5) == 0 {
				q.Kind = event.Visitor
				q.Q = ""
			}
			if r.IntN(4) == 0 {
				q.CreatedFrom, q.CreatedTo = start.AddDate(0, 0, -3), start.AddDate(0, 0, -1)
			}
			p.narrow = []int64{0, 10, 1000}[i%3] // both ways of finding a page
			want := naive(all, q, tagOf)
			var got []Row
			for page := 0; ; page++ {
				res, err := p.List(p.ctx, q)
				require.NoError(t, err)
				require.Equal(t, int64(len(want)), res.Total, "%+v", q)
				got = append(got, res.Items...)
				if q.Cursor = res.Next; res.Next == "" {
					break
				}
				require.Less(t, page, 200, "endless: %+v", q)
			}
			require.Equal(t, rowIDs(want), rowIDs(got), "%+v", q)
		}
	})
}

func seq(from, to int64) (out []int64) {
	for n := from; n <= to; n++ {
		out = append(out, n)
	}
	return out
}

func rowIDs(rows []Row) []string {
	out := []string{}
	for _, r := range rows {
		out = append(out, r.ID)
	}
	return out
}

func TestListRefuses(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		crowd(t, p, 12)
		_, err := p.List(p.ctx, Query{Sort: "shoe_size"})
		require.Equal(t, "contact.bad_sort", errs.CodeOf(err))
		page, err := p.List(p.ctx, Query{Limit: 2})
		require.NoError(t, err)
		_, err = p.List(p.ctx, Query{Limit: 2, Sort: "name", Cursor: page.Next})
		require.Equal(t, "request.bad_cursor", errs.CodeOf(err), "a cursor of another list")
		_, err = p.List(p.ctx, Query{Cursor: "x"})
		require.Equal(t, "request.bad_cursor", errs.CodeOf(err))
	})
}

func TestSearchFindsByAnything(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a := p.who(event.Fact{UserID: "user-77", AnonymousID: "dev-1", Identifiers: ids(KindPhone, "13800138001", KindEmail, "Li@shop.cn", "pos_card", "K-9"), Traits: js(map[string]any{"name": "李雷"})})
		b := p.who(event.Fact{UserID: "user-78", Traits: js(map[string]any{"name": "李雷雷"})})
		for _, q := range []string{"13800138001", "+86 138 0013 8001", " １３８００１３８００１", "li@SHOP.cn", "user-77", "K-9", "dev-1", a.ID} {
			page, err := p.List(p.ctx, Query{Q: q})
			require.NoError(t, err)
			require.Equal(t, []string{a.ID}, rowIDs(page.Items), q)
			rows, err := p.Search(p.ctx, q, 5)
			require.NoError(t, err)
			require.Equal(t, []string{a.ID}, rowIDs(rows), q)
		}
		for _, q := range []string{"李", "李雷", "lilei", "li lei", "ll", "l"} {
			rows, err := p.Search(p.ctx, q, 5)
			require.NoError(t, err)
			require.Equal(t, []string{a.ID, b.ID}, rowIDs(rows), q)
		}
		rows, err := p.Search(p.ctx, "李", 1)
		require.NoError(t, err)
		require.Equal(t, []string{a.ID}, rowIDs(rows), "the shorter name first")
		for _, q := range []string{"", "  ", "138", "ct_nobody", "雷", "' or 1=1 --", "%"} {
			rows, err := p.Search(p.ctx, q, 5)
			require.NoError(t, err)
			require.Empty(t, rows, q)
		}
	})
}

func TestRowsAreMasked(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		a := p.who(event.Fact{UserID: "u1", Identifiers: ids(KindPhone, "13800138001", KindEmail, "lilei@shop.cn")})
		rows, err := p.ListByNums(p.ctx, []int64{a.Contact})
		require.NoError(t, err)
		require.Equal(t, "138****8001", rows[0].Phone)
		require.Equal(t, "l***@shop.cn", rows[0].Email)
	})
}

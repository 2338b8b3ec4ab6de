package livecode

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestWhatFollowsFromAScan(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		d := plain()
		d.Tags, d.Pool, d.PoolDays, d.Remark = []string{"tg_1", "tg_2"}, "new", 14, "{name}-{code}"
		c := p.make(d)
		p.out.names["wm1"] = "张三"
		one := p.fact(event.NameFriendAdded, c, "wang", "wm1", 1)
		p.follow(one, p.fact(event.NameFriendAdded, c, "li", "wm2", 2), p.fact(event.NameFriendAdded, nil, "li", "wm9", 9))
		require.Equal(t, []string{"[1 2] [tg_1 tg_2]"}, p.in.tags)
		require.Equal(t, []string{"[1 2]new14"}, p.in.pools)
		p.follow(p.fact(event.NameFriendAdded, c, "wang", "wm1", 1)) // asked for before, confirmed now
		require.Len(t, p.in.tags, 1, "one friendship")
		p.follow(one) // a fact is told again after a crash of another kind
		require.Len(t, p.in.tags, 1)

		p.out.refuse["remark"] = []error{&Refusal{Code: -1, Again: true}}
		require.NoError(t, p.Work(p.ctx))
		require.Equal(t, map[string]string{"li/wm2": "您-南京路店"}, p.out.remarks, "the first is tried again later")
		p.clock.Advance(6 * time.Second)
		require.NoError(t, p.Work(p.ctx))
		require.Equal(t, "张三-南京路店", p.out.remarks["wang/wm1"])

		p.out.refuse["remark"] = []error{&Refusal{Code: 84061}}
		p.follow(p.fact(event.NameFriendAdded, c, "wang", "wm3", 3))
		require.NoError(t, p.Work(p.ctx))
		det, err := p.Detail(p.ctx, p.now(c.ID))
		require.NoError(t, err)
		require.EqualValues(t, 1, det.Failed, "refused for good")
		require.Equal(t, []string{"created", "fault"}, kinds(t, p, c.ID))

		long := p.fact(event.NameFriendAdded, c, "wang", "wm4", 4)
		long.Timestamp -= 30 * 24 * 3600 * 1000
		n := p.out.count("remark")
		p.follow(long)
		require.NoError(t, p.Work(p.ctx))
		require.Equal(t, n, p.out.count("remark"), "history changes nothing at the platform")
	})
}

func TestTheBooksAgreeWithTheFacts(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c, other := p.make(plain()), p.make(plain())
		type added struct {
			person, staff string
			day           int
			left          int // days after; -1: never
			by            string
		}
		history := []added{}
		staff := []string{"wang", "li"}
		for i := range 60 {
			a := added{fmt.Sprint("wm", i), staff[i%2], i / 2, -1, ""}
			if i >= 50 && history[i-50].left >= 0 && history[i-50].day+history[i-50].left < a.day {
				a.person = history[i-50].person // back again
			}
			if i%3 == 0 {
				a.left, a.by = i%9, event.NameFriendDeleted
			}
			if i%10 == 1 {
				a.left, a.by = 2, event.NameFriendRemoved
			}
			history = append(history, a)
		}
		start := p.clock.Now()
		type told struct {
			at time.Duration
			f  func() event.Stored
		}
		var list []told
		const day = 24 * time.Hour
		for i, a := range history {
			list = append(list, told{time.Duration(a.day) * day, func() event.Stored { return p.fact(event.NameFriendAdded, c, a.staff, a.person, int64(i+1)) }})
			if a.left >= 0 {
				list = append(list, told{time.Duration(a.day+a.left)*day + time.Hour, func() event.Stored { return p.fact(a.by, nil, a.staff, a.person, int64(i+1)) }})
			}
		}
		for len(list) > 0 {
			first := 0
			for i := range list {
				if list[i].at < list[first].at {
					first = i
				}
			}
			if ahead := start.Add(list[first].at).Sub(p.clock.Now()); ahead > 0 {
				p.clock.Advance(ahead)
			}
			p.follow(list[first].f())
			list = append(list[:first], list[first+1:]...)
		}
		p.follow(p.fact(event.NameFriendAdded, other, "wang", "wmx", 900))

		st, err := p.Stats(p.ctx, c, "2026-03-02", "2026-03-31")
		require.NoError(t, err)
		now := p.clock.Now()
		var want Figures
		seen := map[string]bool{}
		perStaff := map[string]int64{}
		perDay := map[string]int64{}
		for _, a := range history {
			at := start.Add(time.Duration(a.day) * day)
			want.Adds++
			if seen[a.person] {
				want.Again++
			} else {
				want.People++
			}
			seen[a.person] = true
			perStaff[a.staff]++
			perDay[at.In(shanghai).Format(time.DateOnly)]++
			switch a.by {
			case event.NameFriendDeleted:
				want.ByThem++
				if at.Add(time.Duration(a.left)*day+time.Hour).In(shanghai).Format(time.DateOnly) <= "2026-03-31" {
					want.Left++
				}
			case event.NameFriendRemoved:
				want.ByUs++
			}
			kept := func(k *Kept, days int) {
				if at.Add(time.Duration(days) * day).After(now) {
					return
				}
				k.Of++
				if a.left < 0 || time.Duration(a.left)*day+time.Hour >= time.Duration(days)*day {
					k.Kept++
				}
			}
			kept(&want.Kept1, 1)
			kept(&want.Kept7, 7)
			kept(&want.Kept30, 30)
		}
		require.Equal(t, want, st.Total)
		require.Len(t, st.Days, 30)
		var adds, left int64
		for _, l := range st.Days {
			require.Equal(t, perDay[l.Key], l.Adds, l.Key)
			adds, left = adds+l.Adds, left+l.Left
		}
		require.Equal(t, want.Adds, adds)
		require.Equal(t, want.Left, left)
		require.Len(t, st.Hours, 24)
		for _, l := range st.Staff {
			require.Equal(t, perStaff[l.Key], l.Adds)
		}
		require.Zero(t, st.Before.Adds)

		mine := testkit.Scoped(p.ctx, "sales", false, "us_1") // is wang
		st, err = p.Stats(mine, c, "2026-03-02", "2026-03-31")
		require.NoError(t, err)
		require.Equal(t, perStaff["wang"], st.Total.Adds, "their own figures")
		require.Len(t, st.Staff, 1)

		require.NoError(t, p.Forget(p.ctx, []int64{1, 2, 3}))
		st, err = p.Stats(p.ctx, c, "2026-03-02", "2026-03-31")
		require.NoError(t, err)
		require.Equal(t, want.Adds-3, st.Total.Adds)
	})
}

func TestWhoCame(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		c := p.make(plain())
		s := p.scanOf(c, "wang", "wm1")
		p.welcome(s)
		p.follow(p.fact(event.NameFriendAdded, c, "wang", "wm1", 1))
		p.clock.Advance(time.Hour)
		p.follow(p.fact(event.NameFriendDeleted, nil, "wang", "wm1", 1))
		p.clock.Advance(time.Hour)
		p.follow(p.fact(event.NameFriendAdded, c, "li", "wm1", 1))
		list, err := p.Who(p.ctx, c, 0, "", 10)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, "李雷", list[0].StaffName)
		require.True(t, list[0].Again)
		require.Equal(t, "sent", list[1].Welcome)
		require.Equal(t, ByCustomer, list[1].GoneBy)
		require.Equal(t, "客户1", list[1].Name)
		next, err := p.Who(p.ctx, c, list[0].at, list[0].id, 10)
		require.NoError(t, err)
		require.Len(t, next, 1)
	})
}

func TestListAndScope(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		var ids []string
		for i := range 5 {
			d := plain()
			d.Name = fmt.Sprint("门店", i)
			d.Members = []Member{{Staff: []string{"wang", "li"}[i%2]}}
			p.clock.Advance(time.Second)
			ids = append(ids, p.make(d).ID)
		}
		rows, next, total, err := p.List(p.ctx, Query{}, "", 2)
		require.NoError(t, err)
		require.Equal(t, 5, total)
		require.Equal(t, []string{ids[4], ids[3]}, []string{rows[0].ID, rows[1].ID})
		rows, next, _, err = p.List(p.ctx, Query{}, next, 2)
		require.NoError(t, err)
		require.Equal(t, ids[2], rows[0].ID)
		rows, next, _, err = p.List(p.ctx, Query{}, next, 2)
		require.NoError(t, err)
		require.Equal(t, ids[0], rows[0].ID)
		require.Empty(t, next)
		rows, _, _, err = p.List(p.ctx, Query{Q: "店3"}, "", 10)
		require.NoError(t, err)
		require.Len(t, rows, 1)

		mine := testkit.Scoped(p.ctx, "sales", false, "us_2") // is li
		rows, _, total, err = p.List(mine, Query{}, "", 10)
		require.NoError(t, err)
		require.Equal(t, 2, total)
		require.Len(t, rows, 2)
		_, err = p.Get(mine, ids[0])
		require.Equal(t, errs.NotFound, errs.As(err).Kind)

		f, err := p.SaveFolder(p.ctx, "", "门店")
		require.NoError(t, err)
		_, err = p.SaveFolder(p.ctx, "", "门店")
		require.Error(t, err)
		d := p.now(ids[0]).Definition
		d.Folder = f.ID
		_, err = p.Update(p.ctx, ids[0], d)
		require.NoError(t, err)
		rows, _, _, err = p.List(p.ctx, Query{Folder: f.ID}, "", 10)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.NoError(t, p.DeleteFolder(p.ctx, f.ID))
		rows, _, _, err = p.List(p.ctx, Query{Folder: "none"}, "", 10)
		require.NoError(t, err)
		require.Len(t, rows, 5)
	})
}

func TestFactsSayWhichCode(t *testing.T) {
	p := newPond(t, testkit.SQLite(t, Migrations()))
	p.Audit = nil
	d := plain()
	d.Channel = "offline"
	c := p.make(d)
	f := event.Fact{Name: event.NameFriendAdded, Properties: []byte(`{"staff":"wang","state":"` + c.Key + `"}`)}
	p.Canonical(&f)
	require.JSONEq(t, `{"staff":"wang","state":"`+c.Key+`","code":"`+c.ID+`","codeName":"南京路店","channel":"offline"}`, string(f.Properties))
	require.JSONEq(t, `{"channel":"offline"}`, string(f.Context))
	was := string(f.Properties)
	p.Canonical(&f)
	require.Equal(t, was, string(f.Properties), "once")
	for _, other := range []string{`{"state":"others-1"}`, `{"state":"` + newKey() + `"}`, `{}`, ``} {
		g := event.Fact{Name: event.NameFriendAdded, Properties: []byte(other)}
		p.Canonical(&g)
		require.Equal(t, other, string(g.Properties))
		require.Empty(t, g.Context)
	}
}

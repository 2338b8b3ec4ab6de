package match_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/contact/match"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// twins makes a pair that is found, and gives it.
func (p *pond) twins(name, phone, other, birthday string) match.Pair {
	p.Helper()
	a := p.add(name, phone, "birthday", birthday)
	p.add(name, other, "birthday", birthday)
	p.run(false)
	for _, x := range p.open() {
		if x.A.ID == a.ID {
			return x
		}
	}
	require.Fail(p, "the pair was not found", name)
	return match.Pair{}
}

func TestMergeTakesThePairOffTheList(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		x := p.twins("陈思远", "13800138000", "13800138001", "1988-03-12")
		require.Equal(t, "match.keep_one_of_them", errs.As(p.Merge(p.ctx, x.ID, "ct_other")).Fields[0].Code)
		require.NoError(t, p.Merge(p.ctx, x.ID, x.B.ID))
		require.Empty(t, p.open())
		require.Contains(t, p.audit.actions, "match.merged")
		require.Equal(t, "match.decided", errs.CodeOf(p.Merge(p.ctx, x.ID, "")))
		num, err := p.contacts.NumOf(p.ctx, x.A.ID)
		require.NoError(t, err)
		require.Equal(t, x.B.Num(), num, "the one that was to stay stays")
		page, err := p.List(p.ctx, match.Query{State: match.Merged})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.Equal(t, "王芳", page.Items[0].DecidedBy.Name)
		p.run(true)
		require.Empty(t, p.open())
		sum, err := p.Summary(p.ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, sum.Merged)
		right := int64(0)
		for _, b := range sum.Bands {
			right += b.Right
			require.Zero(t, b.Wrong)
		}
		require.EqualValues(t, 1, right)
	})
}

func TestRejectedPairsNeverReturn(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		x := p.twins("陈思远", "13800138000", "13800138001", "1988-03-12")
		require.NoError(t, p.Reject(p.ctx, x.ID))
		require.Contains(t, p.audit.actions, "match.rejected")
		for _, full := range []bool{false, true, false} {
			_, err := p.contacts.Update(p.ctx, x.A.ID, contactChange("陈思远", "1988-03-12"))
			require.NoError(t, err)
			p.run(full)
			require.Empty(t, p.open())
		}
		page, err := p.List(p.ctx, match.Query{State: match.Rejected})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
	})
}

// Who was told apart stays so when one of the two becomes part of a third.
func TestRejectionsOutliveMerges(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		x := p.twins("陈思远", "13800138000", "13800138001", "1988-03-12")
		require.NoError(t, p.Reject(p.ctx, x.ID))
		third := p.add("陈思远", "13800138002", "birthday", "1988-03-12")
		p.run(false)
		require.Len(t, p.open(), 2, "the third may be either of the two")
		_, err := p.contacts.MergeByHand(p.ctx, third.ID, x.A.ID, "")
		require.NoError(t, err)
		require.Empty(t, p.open(), "one pair became one person, the other was told apart")
		n, err := p.Count(p.ctx, match.Query{})
		require.NoError(t, err)
		require.Zero(t, n, "the count agrees with the list")
		p.run(true)
		require.Empty(t, p.open())
	})
}

// A merge that is taken back was a wrong one, and the scores own up to it.
func TestUndoneMergesCountAsWrong(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		x := p.twins("陈思远", "13800138000", "13800138001", "1988-03-12")
		require.NoError(t, p.Merge(p.ctx, x.ID, ""))
		var id string
		require.NoError(t, p.db.QueryRow(p.ctx, "select id from contact_merges where undone_at = 0").Scan(&id))
		_, err := p.contacts.UndoMerge(p.ctx, id, "两个人")
		require.NoError(t, err)
		p.run(true)
		require.Empty(t, p.open())
		sum, err := p.Summary(p.ctx)
		require.NoError(t, err)
		require.Equal(t, [2]int64{0, 1}, [2]int64{sum.Merged, sum.Rejected})
		wrong := int64(0)
		for _, b := range sum.Bands {
			wrong += b.Wrong
		}
		require.EqualValues(t, 1, wrong)
	})
}

func TestPostponedPairsComeBack(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		x := p.twins("陈思远", "13800138000", "13800138001", "1988-03-12")
		require.Equal(t, "match.bad_until", errs.As(p.Postpone(p.ctx, x.ID, p.clock.Now())).Fields[0].Code)
		require.NoError(t, p.Postpone(p.ctx, x.ID, p.clock.Now().Add(48*time.Hour)))
		require.Empty(t, p.open())
		p.run(true)
		require.Empty(t, p.open(), "a run does not bring it back")
		p.clock.Advance(49 * time.Hour)
		require.NoError(t, p.Tick(p.ctx))
		require.Len(t, p.open(), 1)
		require.NoError(t, p.Postpone(p.ctx, x.ID, p.clock.Now().Add(48*time.Hour)))
		require.NoError(t, p.Resume(p.ctx, x.ID))
		require.Len(t, p.open(), 1)
		require.NoError(t, p.Postpone(p.ctx, x.ID, p.clock.Now().Add(48*time.Hour)))
		require.NoError(t, p.Merge(p.ctx, x.ID, ""), "a postponed pair can be decided")
	})
}

// Pages give every pair once, in the order of scores.
func TestPages(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		for i, n := range []string{"陈思远", "欧阳雪", "林小梅", "高志远", "何雨桐", "宋佳怡", "郑国强"} {
			d := string(rune('0' + i))
			p.add(n, "1380013"+d+"000", "birthday", "198"+d+"-03-12")
			p.add(n, "1380013"+d+"001", "birthday", "198"+d+"-03-12", "city", []string{"杭州", ""}[i%2])
		}
		p.run(false)
		var got []string
		last := 101
		q := match.Query{Limit: 2}
		for {
			page, err := p.List(p.ctx, q)
			require.NoError(t, err)
			require.EqualValues(t, 7, page.Total)
			for _, x := range page.Items {
				require.LessOrEqual(t, x.Score, last)
				last = x.Score
				require.NotContains(t, got, x.ID)
				got = append(got, x.ID)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		require.Len(t, got, 7)
		x := p.open()[0]
		page, err := p.List(p.ctx, match.Query{Contact: x.B.ID})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.Equal(t, x.ID, page.Items[0].ID)
		_, err = p.List(p.ctx, match.Query{Contact: "ct_nobody"})
		require.Equal(t, errs.NotFound, errs.As(err).Kind)
	})
}

func TestMergeAllAboveAScore(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		for i, n := range []string{"陈思远", "欧阳雪", "林小梅"} {
			d := string(rune('0' + i))
			p.add(n, "1380013"+d+"000", "birthday", "198"+d+"-03-12")
			p.add(n, "1380013"+d+"001", "birthday", "198"+d+"-03-12")
		}
		p.add("陈思远", "13800130002", "birthday", "1980-03-12") // three who are all one
		p.run(false)
		n, err := p.Count(p.ctx, match.Query{MinScore: 90})
		require.NoError(t, err)
		require.EqualValues(t, 5, n)
		_, err = p.MergeAll(p.ctx, 90, n+1)
		require.Equal(t, "match.count_changed", errs.CodeOf(err))
		job, err := p.MergeAll(p.ctx, 90, n)
		require.NoError(t, err)
		job, err = p.Jobs.Wait(p.ctx, job.ID)
		require.NoError(t, err)
		require.Equal(t, jobs.Succeeded, job.State, "%+v", job.Error)
		require.JSONEq(t, `{"merged":4,"refused":1}`, string(job.Result), "the third pair of three became one by the other two")
		require.Empty(t, p.open())
		sum, err := p.Summary(p.ctx)
		require.NoError(t, err)
		for _, b := range sum.Bands {
			require.Zero(t, b.Right, "nobody looked at these: they say nothing of the scores")
		}
	})
}

func TestNightlyRunOnceANight(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.Zone = func(context.Context) *time.Location { return time.FixedZone("", 8*3600) }
		p.add("陈思远", "13800138000", "birthday", "1988-03-12")
		p.add("陈思远", "13800138001", "birthday", "1988-03-12")
		ctx := auth.With(p.ctx, nil)
		require.NoError(t, p.Tick(ctx))
		require.Zero(t, p.jobs(), "it is afternoon")
		p.clock.Advance(11 * time.Hour)
		for range 3 {
			require.NoError(t, p.Tick(ctx))
		}
		require.Equal(t, 1, p.jobs())
		require.Eventually(t, func() bool { return len(p.open()) == 1 }, 30*time.Second, 20*time.Millisecond)
		set, err := p.Settings(p.ctx)
		require.NoError(t, err)
		set.Nightly = false
		_, err = p.SetSettings(p.ctx, set)
		require.NoError(t, err)
		p.clock.Advance(24 * time.Hour)
		require.NoError(t, p.Tick(ctx))
		require.Equal(t, 1, p.jobs())
	})
}

func (p *pond) jobs() (n int) {
	require.NoError(p, p.db.QueryRow(p.ctx, "select count(*) from jobs").Scan(&n))
	return n
}

func TestSettings(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		x := p.twins("陈思远", "13800138000", "13911112222", "1988-03-12")
		set, err := p.Settings(p.ctx)
		require.NoError(t, err)
		for _, bad := range []match.Settings{
			{From: 10, Fields: set.Fields}, {From: 100, Fields: set.Fields}, {From: 80, Fields: []string{"name"}}, {From: 80, Fields: []string{"name", "gender", "city"}},
			{From: 80, Fields: []string{"name", "birthday", "shoes"}}, {From: 80, Fields: []string{"name", "name", "birthday"}}, {From: 80, Fields: set.Fields, Hour: 24},
		} {
			_, err := p.SetSettings(p.ctx, bad)
			require.NotEmpty(t, errs.As(err).Fields, "%+v", bad)
		}
		set.From = 99
		_, err = p.SetSettings(p.ctx, set)
		require.NoError(t, err)
		if x.Score < 99 {
			require.Empty(t, p.open(), "the threshold holds at once")
		}
		set.From, set.Fields = 50, []string{"phone", "email"}
		_, err = p.SetSettings(p.ctx, set)
		require.NoError(t, err)
		r := p.run(false)
		require.True(t, r.Full, "other fields make everybody be read")
		require.Empty(t, p.open(), "name and birthday no longer count")
	})
}

// Neither the tables nor the files for sorting hold what is personal.
func TestNothingPersonalIsKept(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.twins("陈思远", "13800138000", "13800138001", "1988-03-12")
		var text strings.Builder
		for _, q := range []string{"select evidence from match_pairs", "select value from match_state"} {
			rows, err := p.db.Query(p.ctx, q)
			require.NoError(t, err)
			for rows.Next() {
				var s string
				require.NoError(t, rows.Scan(&s))
				text.WriteString(s)
			}
			require.NoError(t, rows.Close())
		}
		for _, word := range []string{"陈", "1380013", "1988", "chen"} {
			require.NotContains(t, text.String(), word)
		}
		left, err := filepath.Glob(filepath.Join(p.Dir, "*"))
		require.NoError(t, err)
		require.Empty(t, left, "sort files are gone")
		_, err = os.Stat(p.Dir)
		require.NoError(t, err)
	})
}

// Who sees only some customers is told of pairs of which they see both, in
// numbers as in lists.
func TestNumbersKeepToTheScope(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.twins("陈思远", "13800138000", "13800138001", "1988-03-12")
		x := p.twins("林晓棠", "13900139000", "13900139001", "1990-05-06")
		for _, c := range []string{x.A.ID, x.B.ID} {
			owner := "us_9"
			_, err := p.contacts.Update(p.ctx, c, contact.Change{OwnerID: &owner})
			require.NoError(t, err)
		}
		mine := auth.With(p.ctx, &auth.Principal{ID: "us_9", Via: auth.ViaSession, Permissions: auth.Set(auth.All()), Scope: auth.OwnedBy(auth.DataScope{Breadth: auth.BreadthMine}, "us_9")})
		for ctx, want := range map[context.Context]int64{p.ctx: 2, mine: 1} {
			page, err := p.List(ctx, match.Query{})
			require.NoError(t, err)
			require.Len(t, page.Items, int(want))
			require.Equal(t, want, page.Total)
			n, err := p.OpenCount(ctx)
			require.NoError(t, err)
			require.Equal(t, want, n)
			sum, err := p.Summary(ctx)
			require.NoError(t, err)
			require.Equal(t, want, sum.Open)
			open := int64(0)
			for _, b := range sum.Bands {
				open += b.Open
			}
			require.Equal(t, want, open)
		}
		_, err := p.MergeAll(mine, 50, 2)
		require.Equal(t, "match.count_changed", errs.CodeOf(err))
	})
}

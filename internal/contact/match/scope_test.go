package match_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/match"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// Numbers speak of the pairs that somebody may see: both people are theirs.
func TestTotalsKeepToTheDataScope(t *testing.T) {
	each(t, totalsKeepToTheDataScope)
}

func totalsKeepToTheDataScope(t *testing.T, p *pond) {
	p.crowd(30)
	owned := func(owner, name, phone, birthday string) int64 {
		c := p.add(name, phone, "birthday", birthday)
		num, err := p.contacts.NumOf(p.ctx, c.ID)
		require.NoError(t, err)
		_, err = p.db.Exec(p.ctx, "update contacts set owner_id = $1 where num = $2", owner, num)
		require.NoError(t, err)
		return num
	}
	a, b := owned("us_1", "陈思远", "13800138000", "1988-03-12"), owned("us_1", "陈思远", "13800138001", "1988-03-12")
	owned("us_2", "欧阳雪晴", "13900139000", "1990-05-01")
	owned("us_2", "欧阳雪晴", "13900139001", "1990-05-01")
	owned("us_1", "诸葛明亮", "13700137000", "1979-11-30")
	owned("us_2", "诸葛明亮", "13700137001", "1979-11-30")
	p.run(true)
	all, err := p.OpenCount(p.ctx)
	require.NoError(t, err)
	require.EqualValues(t, 3, all)

	me := testkit.Scoped(t.Context(), "sales", false, "us_1")
	n, err := p.OpenCount(me)
	require.NoError(t, err)
	require.EqualValues(t, 1, n, "both of them are theirs")
	page, err := p.List(me, match.Query{})
	require.NoError(t, err)
	require.EqualValues(t, 1, page.Total)
	require.Len(t, page.Items, 1)
	require.ElementsMatch(t, []int64{a, b}, []int64{page.Items[0].A.Num(), page.Items[0].B.Num()})
	sum, err := p.Summary(me)
	require.NoError(t, err)
	require.Equal(t, []int64{1, 0, 0, 0}, []int64{sum.Open, sum.Postponed, sum.Merged, sum.Rejected})
	open := int64(0)
	for _, band := range sum.Bands {
		open += band.Open
	}
	require.EqualValues(t, 1, open)

	require.NoError(t, p.Reject(p.ctx, page.Items[0].ID))
	n, err = p.OpenCount(me)
	require.NoError(t, err)
	require.Zero(t, n, "a decision counts at once")
	sum, err = p.Summary(me)
	require.NoError(t, err)
	require.Equal(t, []int64{0, 1}, []int64{sum.Open, sum.Rejected})
	other, err := p.Summary(testkit.Scoped(t.Context(), "sales", false, "us_3"))
	require.NoError(t, err)
	require.Equal(t, []int64{0, 0}, []int64{other.Open, other.Rejected})
}

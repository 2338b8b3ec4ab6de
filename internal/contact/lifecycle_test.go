package contact

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/rule"
)

func TestStageOf(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	today := time.Date(2026, 3, 2, 0, 0, 0, 0, zone)
	ago := func(days int) int64 { return today.AddDate(0, 0, -days).UnixMilli() } // the first moment of that day
	for name, c := range map[string]struct {
		l    life
		want string
	}{
		"came today":                           {life{created: ago(0)}, StageNew},
		"the 30th day":                         {life{created: ago(29)}, StageNew},
		"the 31st day":                         {life{created: ago(30)}, StageActive},
		"just before the 30th day":             {life{created: ago(29) - 1}, StageActive},
		"new and bought":                       {life{created: ago(1), lastOrder: ago(1), orders: 1}, StagePaying},
		"old, seen, never bought":              {life{created: ago(400), seen: ago(89)}, StageActive},
		"bought twice":                         {life{created: ago(400), lastOrder: ago(10), orders: 2}, StagePaying},
		"bought three times":                   {life{created: ago(400), lastOrder: ago(80), orders: 3}, StageLoyal},
		"loyal that only looks":                {life{created: ago(400), seen: ago(3), lastOrder: ago(300), orders: 9}, StageLoyal},
		"silent for 90 days":                   {life{created: ago(400), seen: ago(90), lastOrder: ago(120), orders: 9}, StageDormant},
		"silent for 180 days":                  {life{created: ago(400), seen: ago(180), lastOrder: ago(300), orders: 9}, StageLost},
		"imported long ago, never seen":        {life{created: ago(200)}, StageLost},
		"an order dated tomorrow is no sign":   {life{created: ago(200), lastOrder: ago(-1), orders: 1}, StageLost},
		"the last moment of today is one":      {life{created: ago(200), seen: ago(-1) - 1}, StageActive},
		"created at some moment in the future": {life{created: ago(-1)}, StageLost},
	} {
		require.Equal(t, c.want, stageOf(c.l, today), name)
	}
}

// What a row shows is what the filter finds, and everybody is in one stage.
func TestStagesAreOneMeaning(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		_, all := stock(t, p, 300)
		_, err := p.DB.Exec(p.ctx, "update contacts set created_at = created_at - $1 where num % 3 = 0", 100*24*3600*1000)
		require.NoError(t, err)
		_, err = p.DB.Exec(p.ctx, "update contacts set created_at = created_at - $1, last_seen_at = 0, last_order_at = case when num % 2 = 0 then last_order_at - $2 else 0 end where num % 5 = 0",
			200*24*3600*1000, 100*24*3600*1000)
		require.NoError(t, err)
		_, err = p.DB.Exec(p.ctx, "update contacts set orders = 3 where num % 7 = 0")
		require.NoError(t, err)
		var nums []int64
		for _, f := range all {
			nums = append(nums, f.num)
		}
		rows, err := p.rowsOf(p.ctx, nums)
		require.NoError(t, err)
		want := map[string][]string{}
		for _, r := range rows {
			if r.Kind == event.Person {
				want[r.Stage] = append(want[r.Stage], r.ID)
			} else {
				require.Empty(t, r.Stage)
			}
		}
		require.Equal(t, len(Stages()), len(want), "the stock has somebody in each")
		for _, stage := range Stages() {
			q := Query{Limit: 1000, Where: &rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{{Field: "stage", Op: "is", Value: stage}}}}}
			page, err := p.List(p.ctx, q)
			require.NoError(t, err)
			require.ElementsMatch(t, want[stage], rowIDs(page.Items), stage)
		}
		_, err = p.List(p.ctx, Query{Limit: 1, Where: &rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{{Field: "stage", Op: "in", Value: []any{StageNew, "vip"}}}}}})
		require.Equal(t, "request.invalid", errs.CodeOf(err))
	})
}

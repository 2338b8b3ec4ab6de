package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/auth"
)

func (w *world) makeChannel(name, parent string) string {
	w.t.Helper()
	var c struct {
		ID string `json:"id"`
	}
	require.Equal(w.t, 200, w.call("POST", "/api/channels", fmt.Sprintf(`{"name":%q,"parent":%q}`, name, parent), &c))
	return c.ID
}

func (w *world) reportOf(from, to time.Time) (channelReport, map[string]channelFigures) {
	w.t.Helper()
	var r channelReport
	require.Equal(w.t, 200, w.call("GET", fmt.Sprintf("/api/channel-report?from=%s&to=%s", from.Format(time.RFC3339), to.Format(time.RFC3339)), "", &r))
	by := map[string]channelFigures{}
	for _, l := range r.Items {
		by[l.Channel] = l.Now
	}
	return r, by
}

// TestChannelReportAgreesWithHandCount counts a small pond by hand: a came
// offline and bought twice, b by a rule to a channel below social, c by social
// itself and gave some back, d and a guest say nothing of where they came from.
func TestChannelReportAgreesWithHandCount(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		weibo := w.makeChannel("微博投放", "social")
		require.Equal(t, 200, w.call("PUT", "/api/channel-rules", fmt.Sprintf(`{"rules":[{"channel":%q,"source":"wb","campaign":"spring*"}]}`, weibo), nil))
		from, to := w.history()
		send := func(n int, at time.Time, fields string) {
			require.Equal(t, 200, w.call("POST", "/v1/import", fmt.Sprintf(`{"batch":[{"messageId":"c%d","timestamp":%q,%s}]}`, n, at.Format(time.RFC3339), fields), nil))
		}
		day := from.AddDate(0, 0, 10)
		send(1, day, `"type":"track","userId":"f","event":"order.paid","context":{"campaign":{"source":"WB","name":"Spring_1"}},"properties":{"orderNumber":"9","total":8000,"currency":"CNY","lines":[]}`)
		send(2, day, `"type":"page","anonymousId":"device-1","context":{"campaign":{"source":"wb","name":"spring_2"}}`)
		send(3, day.AddDate(0, 0, 30), `"type":"track","userId":"f","event":"order.paid","properties":{"orderNumber":"10","total":2000,"currency":"CNY","lines":[]}`) // after the period
		w.settle()

		cells := fmt.Sprintf(`{"cells":[{"channel":%q,"day":%q,"amount":4000},{"channel":"social","day":%q,"amount":1000},{"channel":"offline","day":"2025-01-01","amount":99}]}`,
			weibo, day.Format(time.DateOnly), day.Format(time.DateOnly))
		require.Equal(t, 204, w.call("PUT", "/api/channel-costs", cells, nil))

		r, by := w.reportOf(from, to)
		num := func(v float64) *float64 { return &v }
		require.Equal(t, channelFigures{Visitors: 2, New: 1, Buyers: 1, FirstBuyers: 1, Orders: 1, Revenue: 8000, RepeatRate: num(0), Cost: 4000,
			CostPerNew: num(4000), CAC: num(4000), Cohort: 10000, LTV: num(10000), ROI: num(1.5)}, by[weibo], "the cohort's revenue goes on after the period")
		require.Equal(t, channelFigures{Visitors: 4, New: 3, Buyers: 3, FirstBuyers: 3, Orders: 3, Revenue: 12000, RepeatRate: num(0), Cost: 5000,
			CostPerNew: num(5000.0 / 3), CAC: num(5000.0 / 3), Cohort: 14000, LTV: num(14000.0 / 3), ROI: num(1.8)}, by["social"], "with the channel below")
		require.Equal(t, channelFigures{Visitors: 1, New: 1, Buyers: 1, FirstBuyers: 1, Repeat: 1, Orders: 2, Revenue: 15000, RepeatRate: num(1),
			Cohort: 15000, LTV: num(15000)}, by["offline"], "a cost of another day does not count, and without one there is no return")
		require.EqualValues(t, 700, by["unknown"].Revenue)

		o := w.overviewOf(from, to, "")
		home := figures(o)
		require.EqualValues(t, home["new"], r.Total.New)
		require.EqualValues(t, home["orders"], r.Total.Orders)
		require.InDelta(t, home["revenue"], r.Total.Revenue, .001)
		for _, c := range o.Channels {
			f := by[c.Channel]
			require.Equal(t, []any{c.New, c.Buyers, c.Orders, c.Revenue}, []any{f.New, f.Buyers, f.Orders, f.Revenue}, "%s: as the home page says", c.Channel)
		}
		for metric, want := range map[string]int64{"visitors": 4, "new": 3, "buyers": 3, "firstBuyers": 3, "repeat": 0, "cohort": 3} {
			var p peoplePage
			require.Equal(t, 200, w.call("GET", fmt.Sprintf("/api/people?metric=%s&channel=social&from=%s&to=%s", metric, from.Format(time.RFC3339), to.Format(time.RFC3339)), "", &p))
			require.Equal(t, want, p.Total, metric)
			require.Len(t, p.Items, int(want), metric)
		}
		var list struct {
			Total int64 `json:"total"`
		}
		require.Equal(t, 200, w.call("GET", "/api/contacts?channel=social", "", &list))
		require.EqualValues(t, 3, list.Total, "a list of a channel holds those below it")

		var trend channelTrend
		require.Equal(t, 200, w.call("GET", fmt.Sprintf("/api/channel-trend?channel=social&from=%s&to=%s", from.Format(time.RFC3339), to.Format(time.RFC3339)), "", &trend))
		for _, s := range trend.Series {
			want := map[string]float64{"new": 3, "orders": 3, "revenue": 12000, "cost": 5000}
			if v, ok := want[s.Key]; ok {
				require.InDelta(t, v, sum(s.Values), .001, s.Key)
			}
			require.Len(t, s.Values, len(trend.Buckets))
		}

		// Moved elsewhere, it takes its people, orders and costs along.
		require.Equal(t, 200, w.call("PUT", "/api/channels/"+weibo, `{"name":"微博投放","parent":"media"}`, nil))
		_, by = w.reportOf(from, to)
		require.EqualValues(t, 2, by["social"].New)
		require.EqualValues(t, 1, by["media"].New)
		require.EqualValues(t, 4000, by["media"].Cost)
	})
}

func TestChannelsAreForThoseWhoMay(t *testing.T) {
	w := startWorld(t, testConfig(t))
	ask := func(role, method, path, body string) int {
		_, token, err := w.app.Team.CreateToken(auth.With(t.Context(), auth.CLI("test")), role, role, time.Time{})
		require.NoError(t, err)
		old := w.token
		defer func() { w.token = old }()
		w.token = token
		return w.call(method, path, body, nil)
	}
	report := "/api/channel-report?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z"
	require.Equal(t, 200, ask("sales", "GET", "/api/channels", ""), "everybody reads their names")
	require.Equal(t, 403, ask("sales", "GET", report, ""))
	require.Equal(t, 403, ask("sales", "GET", "/api/channel-costs?from=2026-03-01&to=2026-03-02", ""))
	require.Equal(t, 200, ask("analyst", "GET", report, ""))
	require.Equal(t, 403, ask("analyst", "PUT", "/api/channel-costs", `{"cells":[]}`))
	require.Equal(t, 204, ask("growth", "PUT", "/api/channel-costs", `{"cells":[]}`))
	require.Equal(t, 422, ask("growth", "POST", "/api/channels", `{"name":"`+strings.Repeat("x", 100)+`"}`))
	require.Equal(t, 404, ask("growth", "PUT", "/api/channels/ch_gone", `{"name":"x"}`))
}

package shop_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/shop"
)

type touch struct {
	hours   int64
	channel string
}

// tracer answers from a list of touches by contact, as the facts would.
type tracer struct {
	of     map[int64][]touch // in order of time
	during func()
}

func (x *tracer) OrderTouches(_ context.Context, asks []shop.TouchAsk, window time.Duration) ([]shop.Touched, error) {
	out := make([]shop.Touched, len(asks))
	for i, a := range asks {
		for _, t := range x.of[a.Contact] {
			at := start + t.hours*hour
			if at > a.At {
				continue
			}
			if out[i].First == "" {
				out[i].First = t.channel
			}
			if window == 0 || at >= a.At-window.Milliseconds() {
				out[i].Last = t.channel
			}
		}
	}
	if x.during != nil {
		x.during()
		x.during = nil
	}
	return out, nil
}

func (w *world) touches() map[string]string {
	w.Helper()
	orders, err := w.List(context.Background(), shop.Query{Limit: 1000})
	require.NoError(w, err)
	out := map[string]string{}
	for _, o := range orders {
		out[o.Number] = o.First + ">" + o.Last
		if o.TouchDue {
			out[o.Number] += " due"
		}
	}
	return out
}

func came(contact, hours int64, channel string) event.Stored {
	return event.Stored{Fact: event.Fact{MessageID: fmt.Sprint("t", contact, hours), Name: event.NameLinkClicked, Contact: contact, Timestamp: start + hours*hour}, Channel: channel}
}

func TestOrdersCarryTheirTouches(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		x := &tracer{of: map[int64][]touch{1: {{1, "social"}, {50, "offline"}}, 2: {{1, "media"}}}}
		w.Touches = x
		w.Below = func(id string) []string {
			if id == "social" {
				return []string{"social", "ch_weibo"}
			}
			return []string{id}
		}
		w.handle(paid(1, 60, `{"orderNumber":"A","total":100}`), paid(2, 24*40, `{"orderNumber":"B","total":200}`), paid(3, 5, `{"orderNumber":"C","total":50}`))
		require.Equal(t, map[string]string{"A": "> due", "B": "> due", "C": "> due"}, w.touches())
		require.NoError(t, w.SettleTouches(ctx, nil))
		require.Equal(t, map[string]string{"A": "social>offline", "B": "media>", "C": ">"}, w.touches(), "forty days ago is no last touch, and a first touch is one for good")

		// A fact that comes late, before an order that is there, and one after it.
		follow := w.TouchFollower()
		x.of[1] = []touch{{0, "partner"}, {1, "social"}, {50, "offline"}, {55, "ch_weibo"}, {70, "direct"}}
		require.NoError(t, follow.Handle(ctx, []event.Stored{came(1, 70, "direct"), came(9, 1, "social")}))
		require.Equal(t, "social>offline", w.touches()["A"])
		require.NoError(t, follow.Handle(ctx, []event.Stored{came(1, 0, "partner"), came(1, 55, "ch_weibo")}))
		require.Equal(t, "social>offline due", w.touches()["A"])
		require.NoError(t, w.SettleTouches(ctx, nil))
		require.Equal(t, "partner>ch_weibo", w.touches()["A"])

		// A visitor becomes part of a buyer: what they did counts from then on.
		w.people.merged[4] = 3
		x.of[3] = []touch{{1, "short_video"}}
		require.NoError(t, follow.Handle(ctx, []event.Stored{{Fact: event.Fact{Name: event.NameContactMerged, Contact: 3}}}))
		require.NoError(t, w.SettleTouches(ctx, nil))
		require.Equal(t, "short_video>short_video", w.touches()["C"])

		// What becomes due while it is worked out stays due.
		require.NoError(t, follow.Handle(ctx, []event.Stored{came(2, 3, "media")}))
		x.during = func() { require.NoError(t, follow.Handle(ctx, []event.Stored{came(4, 4, "media")})) }
		require.NoError(t, follow.Handle(ctx, []event.Stored{came(3, 4, "media")}))
		require.NoError(t, w.SettleTouches(ctx, nil))
		require.Equal(t, map[string]string{"A": "partner>ch_weibo", "B": "media>", "C": "short_video>short_video due"}, w.touches())
		require.NoError(t, w.SettleTouches(ctx, nil))

		list, err := w.List(ctx, shop.Query{Last: "social", Limit: 10})
		require.NoError(t, err)
		require.Len(t, list, 1, "with those below it")
		require.Equal(t, "A", list[0].Number)
		list, err = w.List(ctx, shop.Query{Last: "unknown", Limit: 10})
		require.NoError(t, err)
		require.Len(t, list, 1)
		list, err = w.List(ctx, shop.Query{First: "media", Last: "media", Limit: 10})
		require.NoError(t, err)
		require.Empty(t, list)

		w.handle(refunded(1, 61, `{"orderNumber":"A","total":30}`))
		from, to := time.UnixMilli(start), time.UnixMilli(start+24*60*hour)
		first, err := w.SoldBy(ctx, from, to, "CNY", false)
		require.NoError(t, err)
		require.Equal(t, map[string]shop.Sold{"partner": {1, 70}, "media": {1, 200}, "short_video": {1, 50}}, first)
		last, err := w.SoldBy(ctx, from, to, "CNY", true)
		require.NoError(t, err)
		require.Equal(t, map[string]shop.Sold{"ch_weibo": {1, 70}, "unknown": {1, 200}, "short_video": {1, 50}}, last)
		require.NoError(t, w.SettleTouches(ctx, nil))
		require.Equal(t, "partner>ch_weibo", w.touches()["A"], "a refund changes no touch")
	}, shop.Migrations())
}

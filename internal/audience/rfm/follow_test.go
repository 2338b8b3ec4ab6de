package rfm

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
)

// asked counts how often rules were looked at again.
type asked struct{ fields []string }

func (a *asked) Refresh(fields ...string) { a.fields = append(a.fields, strings.Join(fields, " ")) }

// shop is a store that can grow, and counts the questions.
type shop struct {
	purchases
	questions int
}

func (p *shop) Worth(ctx context.Context, q analytics.WorthQuery, each func(analytics.Worth)) error {
	p.questions++
	return p.purchases.Worth(ctx, q, each)
}

// Scores are those of the last midnight: a new order changes none before the next,
// one of yesterday that comes today does, within a minute; and rules that ask for
// scores are told each time.
func TestLatePurchases(t *testing.T) {
	each(t, func(t *testing.T, s *Service, ctx context.Context, now *clock.Fake) {
		store, engine := &shop{purchases: s.Worths.(purchases)}, &asked{}
		s.Worths, s.Engine = store, engine
		require.NoError(t, s.Start(ctx))
		require.NoError(t, s.Stop(ctx))
		buyers := func() int64 {
			a, err := tierField{s}.Among(ctx, First, HighValue)
			require.NoError(t, err)
			n := a.Set.Count()
			for _, tier := range []string{Potential, Ordinary, Silent} {
				a, err := tierField{s}.Among(ctx, First, tier)
				require.NoError(t, err)
				n += a.Set.Count()
			}
			return n
		}
		buy := func(who int64, ago time.Duration, name string) {
			at := now.Now().Add(-ago).UnixMilli()
			store.purchases = append(store.purchases, analytics.Worth{Contact: who, Last: at, Sum: 500})
			s.Stored([]event.Stored{{Fact: event.Fact{Name: name, Timestamp: at}}})
		}
		look := func() { now.Advance(lookEvery); require.NoError(t, s.Look(ctx)) }
		require.EqualValues(t, 15, buyers())
		require.Equal(t, 1, store.questions, "four tiers are one question")

		buy(16, time.Minute, event.NameOrderPaid) // today: counts from midnight on
		look()
		require.EqualValues(t, 15, buyers())
		require.Equal(t, 1, store.questions)
		require.Empty(t, engine.fields)

		buy(17, 20*time.Hour, "page.viewed") // no purchase to this model
		store.purchases = store.purchases[:len(store.purchases)-1]
		look()
		require.Empty(t, engine.fields)

		buy(17, 20*time.Hour, event.NameOrderPaid) // yesterday
		look()
		require.Equal(t, []string{"rfm tier rfmScore rfmMove"}, engine.fields)
		require.EqualValues(t, 16, buyers(), "well within a minute")
		require.Equal(t, 2, store.questions)
		for range 30 { // a stream of them rests between two times
			buy(17, 30*time.Hour, event.NameOrderPaid)
			buyers()
			now.Advance(time.Second)
		}
		require.LessOrEqual(t, store.questions, 6)
		look()
		require.EqualValues(t, 16, buyers())

		s.Stored([]event.Stored{{Fact: event.Fact{Name: event.NameContactMerged, Timestamp: now.Now().UnixMilli()}}})
		engine.fields = nil
		look()
		require.Len(t, engine.fields, 1, "two became one")

		engine.fields = nil
		m, err := s.Model(ctx, First)
		require.NoError(t, err)
		m.Event, m.Less, m.Property = "page.viewed", "", ""
		_, err = s.Save(ctx, First, m)
		require.NoError(t, err)
		require.Len(t, engine.fields, 1, "another model")
		s.Stored([]event.Stored{{Fact: event.Fact{Name: "page.viewed", Timestamp: now.Now().Add(-20 * time.Hour).UnixMilli()}}})
		look()
		require.Len(t, engine.fields, 2, "its event is watched for at once")

		day := now.Now()
		now.Advance(midnight(day.AddDate(0, 0, 1), s.Zone(ctx)).Sub(day) - time.Second)
		before, questions := buyers(), store.questions
		now.Advance(time.Second)
		require.Equal(t, before+2, buyers(), "it is midnight: the orders of the day before count, this one and the kit's")
		require.Greater(t, store.questions, questions)
	})
}

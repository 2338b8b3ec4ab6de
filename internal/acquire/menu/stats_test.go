package menu

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// tap is the fact of somebody who tapped a button, some days ago.
func tap(s *Service, id, person string, days int, props map[string]any) event.Stored {
	if props["account"] == nil {
		props["account"] = "ac_1"
	}
	raw, _ := json.Marshal(props)
	f := event.Stored{ContactKind: event.Person, Fact: event.Fact{MessageID: id, Type: event.Track, Name: event.NameMenuClicked, Source: sourceWeChat, Timestamp: s.Clock.Now().AddDate(0, 0, -days).UnixMilli(),
		Identifiers: []event.Identifier{{Kind: "unionid", Value: "u" + person}, {Kind: "openid", Value: person}}, Properties: raw}}
	f.Contact = int64(len(person))
	return f
}

func page(u string) map[string]any { return map[string]any{"type": "VIEW", "url": u} }

func key(k string) map[string]any { return map[string]any{"type": "CLICK", "key": k} }

// Taps are counted once, by button, day and person; those of buttons that are gone add
// up by themselves, under their last names.
func TestTapsAreCounted(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *outside, _ *audit.Service) {
		ctx := testkit.As(t.Context(), "admin")
		publish := func(list ...Button) {
			m, err := s.Get(ctx, "ac_1")
			require.NoError(t, err)
			m, err = s.Save(ctx, "ac_1", list, m.Rev)
			require.NoError(t, err)
			_, err = s.Publish(ctx, "ac_1", m.Rev)
			require.NoError(t, err)
		}
		publish(append(sample(), Button{Name: "旧券", Kind: Click, Key: "old-coupon"})...)
		publish(sample()...)
		forged := tap(s, "x1", "a", 0, key("koi-reply-rp_1"))
		forged.Source = "js"
		elsewhere := key("koi-reply-rp_1")
		elsewhere["account"] = "ac_2"
		nobody := tap(s, "x2", "a", 0, key("koi-reply-rp_1"))
		nobody.Identifiers = nobody.Identifiers[:1]
		facts := []event.Stored{
			tap(s, "1", "a", 0, key("koi-reply-rp_1")), tap(s, "2", "a", 0, key("koi-reply-rp_1")), tap(s, "3", "bb", 1, key("koi-reply-rp_1")),
			tap(s, "4", "a", 1, page("https://shanyue.example/new")), tap(s, "5", "ccc", 29, key("index")), tap(s, "6", "a", 30, key("index")),
			tap(s, "7", "a", 2, key("old-coupon")), tap(s, "8", "dddd", 2, key("old-coupon")), tap(s, "9", "a", 3, key("of-another-program")),
			forged, nobody, tap(s, "x3", "a", 0, elsewhere), tap(s, "x4", "a", 0, map[string]any{"type": "CLICK"}),
		}
		handle := func() {
			require.NoError(t, s.DB.Tx(ctx, func(ctx context.Context) error { return s.Handle(ctx, facts) }))
		}
		handle()
		handle() // a batch may come again
		say := func(list []ButtonFigures) (out []string) {
			for _, b := range list {
				require.Len(t, b.Days, 30)
				out = append(out, fmt.Sprint(b.Above, ">", b.Name, " ", b.Property, "=", b.Value, " ", b.Clicks, "/", b.People, " today ", b.Days[29]))
			}
			return out
		}
		st, err := s.Stats(ctx, "ac_1", "", "")
		require.NoError(t, err)
		require.Equal(t, []string{"买茶>新品 url=https://shanyue.example/new 1/1 today 0", "买茶>小程序 key=index 1/1 today 0", ">会员日 key=koi-reply-rp_1 3/2 today 2"}, say(st.Buttons))
		require.Equal(t, []string{">旧券 key=old-coupon 2/2 today 0", "> key=of-another-program 1/1 today 0"}, say(st.Former))
		require.Equal(t, []Figures{{8, 4}, {3, 2}}, []Figures{st.Figures, st.FormerAll})
		require.Equal(t, []int64{1, 2, 2, 2}, []int64{st.Days[0], st.Days[27], st.Days[28], st.Days[29]})

		require.NoError(t, s.Forget(ctx, []int64{4}))
		day := s.Clock.Now().In(s.zone(ctx)).AddDate(0, 0, -2).Format(time.DateOnly)
		st, err = s.Stats(ctx, "ac_1", day, day)
		require.NoError(t, err)
		require.Equal(t, Figures{1, 1}, st.FormerAll, "who is forgotten is not counted")
		require.Equal(t, []int64{1}, st.Days)

		for _, bad := range [][3]string{{"ac_1", "yesterday", ""}, {"ac_1", "", "2026-13-01"}, {"ac_1", "2026-03-02", "2026-03-01"}, {"ac_1", "2020-01-01", "2026-01-01"}, {"ac_9", "", ""}} {
			_, err := s.Stats(ctx, bad[0], bad[1], bad[2])
			require.Error(t, err, bad)
		}
	})
}

// Nothing is read, and no transaction taken, for facts that are no taps.
func TestOtherFactsCostNothing(t *testing.T) {
	s := NewService(Deps{Platform: &outside{}})
	require.NoError(t, s.Prepare(t.Context(), []event.Stored{{Fact: event.Fact{Name: event.NameMessageReceived, Source: sourceWeChat}}}, func(func(context.Context) error) error {
		t.Fatal("nothing is to be written")
		return nil
	}))
	require.False(t, s.Idle(t.Context()))
}

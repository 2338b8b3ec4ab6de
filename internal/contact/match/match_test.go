package match_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/match"
)

func levels(p match.Pair) map[string]string {
	out := map[string]string{}
	for _, e := range p.Evidence {
		out[e.Field] = e.Level
	}
	return out
}

func TestRunFindsWhoMayBeOne(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.crowd(60)
		a := p.add("陈思远", "13800138000", "birthday", "1988-03-12", "city", "杭州")
		b := p.add("Chen Siyuan", "13800138001", "birthday", "1988-03-12", "city", "杭州")
		p.add("欧阳雪", "13911112222", "birthday", "1990-11-02")
		r := p.run(false)
		require.True(t, r.Full, "the first run reads everybody")
		require.EqualValues(t, 63, r.Read)
		require.EqualValues(t, 1, r.Found)
		got := p.open()
		require.Len(t, got, 1)
		require.Equal(t, a.ID, got[0].A.ID, "the older one first")
		require.Equal(t, b.ID, got[0].B.ID)
		require.Equal(t, map[string]string{"name": "latin", "birthday": "same", "phone": "digit", "city": "same"}, levels(got[0]))
		require.Greater(t, got[0].Score, 95)
		require.Equal(t, "138****8000", got[0].A.Phone, "shown masked")

		again := p.run(false)
		require.False(t, again.Full)
		require.Zero(t, again.Found)
		require.Len(t, p.open(), 1)
	})
}

// What changes later is found by a run that reads only who changed.
func TestLaterRunsReadWhoChanged(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.crowd(40)
		p.add("陈思远", "13800138000", "birthday", "1988-03-12")
		p.run(false)
		require.Empty(t, p.open())
		b := p.add("陈思远", "13711112222", "birthday", "1988-03-12", "city", "杭州")
		c := p.add("林小梅", "13622223333", "email", "linxiaomei@mail.example")
		p.add("林小梅", "13555556666", "email", "linxiaomei@post.example")
		r := p.run(false)
		require.False(t, r.Full)
		require.Less(t, r.Read, int64(10))
		require.Len(t, p.open(), 2)

		// a pair whose likeness is gone leaves the list
		_, err := p.contacts.Update(p.ctx, b.ID, contactChange("赵敏", "1971-01-09"))
		require.NoError(t, err)
		p.run(false)
		left := p.open()
		require.Len(t, left, 1)
		require.Equal(t, c.ID, left[0].A.ID)
		full := p.run(true)
		require.True(t, full.Full)
		require.Len(t, p.open(), 1, "a full run agrees")
	})
}

package demo

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The past of the brand's friends is the same each time, lies in the past, and goes
// by whoever was on duty.
func TestFriendsOfTheDemo(t *testing.T) {
	o := options(t, 4000)
	codes := []Code{{Channel: "offline", Staff: []string{"zhiqiu", "ruyan"}, Backup: "jianlu", From: 9, To: 21, Weight: 3}, {Channel: "offline", Staff: []string{"nianan"}, Backup: "xiaoman", Weight: 1},
		{Channel: "social", Staff: []string{"mingyue"}, Backup: "yuan", Weight: 1}, {Channel: "ecommerce", Staff: []string{"qinghe"}, Backup: "yuan", Weight: 1}}
	list := o.Friends(codes)
	require.Equal(t, list, o.Friends(codes))
	require.Greater(t, len(list), 200)
	by, gone, left := map[int]int{}, 0, 0
	from := o.midnight(o.End).AddDate(0, 0, -FriendDays)
	for _, f := range list {
		require.True(t, f.At.Before(o.End) && !f.At.Before(from))
		by[f.Code]++
		if !f.GoneAt.IsZero() {
			gone++
			require.True(t, f.GoneAt.After(f.At) && f.GoneAt.Before(o.End))
		}
		switch {
		case f.Code < 0:
			left++
			require.Equal(t, Leaver, f.Staff)
			require.True(t, f.GoneAt.IsZero())
		case f.Code == 0 && (f.At.In(o.Zone).Hour() < 9 || f.At.In(o.Zone).Hour() >= 21):
			require.Equal(t, "jianlu", f.Staff)
		default:
			require.Contains(t, codes[f.Code].Staff, f.Staff)
			require.Equal(t, codes[f.Code].Channel, o.makePerson(f.No).Channel.ID, "first touch and code agree")
		}
	}
	require.Greater(t, by[0], by[1])
	require.Greater(t, gone, 5)
	require.Greater(t, left, 5)

	opens := o.Openings("social", 60, 1)
	require.Greater(t, len(opens), 80)
	seen := map[string]bool{}
	for _, x := range opens {
		require.False(t, seen[x.MessageID])
		seen[x.MessageID] = true
		require.True(t, x.At.Before(o.End) && x.At.After(o.midnight(o.End).AddDate(0, 0, -60)))
	}
}

package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// People with a past are in the company's lists as if they had always been there,
// and are brought once.
func TestPeopleWithAPast(t *testing.T) {
	s := New(Options{Seed: 3, People: -1})
	t.Cleanup(s.Close)
	require.NoError(t, s.Employ("ruoxi", "白若溪", "线上顾问", 5))
	require.NoError(t, s.Employ("ruoxi", "另一位", "", 5))
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	list := []Past{{ID: "p_1", Name: "李雨桐", Gender: 2, Staff: "ruoxi", Since: since, Group: "白茶小组"}, {ID: "p_2", Name: "王强", Gender: 1, Staff: "zhiqiu", State: "s1", Since: since, GoneAt: since.Add(time.Hour)}}
	ids, err := s.Bring(list)
	require.NoError(t, err)
	again, err := s.Bring(list)
	require.NoError(t, err)
	require.Equal(t, ids, again)
	c := s.world.corp("")
	require.Equal(t, "白若溪", c.staff["ruoxi"].Name)
	require.Len(t, c.Friends, 2)
	require.True(t, c.friend("ruoxi", ids[0]).live())
	require.False(t, c.friend("zhiqiu", ids[1]).live())
	g := c.Groups[len(c.Groups)-1]
	require.Equal(t, []string{"白茶小组", "ruoxi"}, []string{g.Name, g.Owner})
	require.Len(t, g.Members, 2)
	require.NoError(t, s.Quit("ruoxi"))
	require.Equal(t, 1, g.Status)
	require.Equal(t, "left", c.friend("ruoxi", ids[0]).Gone)
}

// Followers with a past are known to the account, and are brought once.
func TestFollowersWithAPast(t *testing.T) {
	s := New(Options{Seed: 3, People: -1})
	t.Cleanup(s.Close)
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	_, err := s.Bring([]Past{{ID: "p_1", Name: "李雨桐", Staff: "zhiqiu", Since: since}})
	require.NoError(t, err)
	list := []PastFollower{{Person: "p_1", Since: since, Scene: "store"}}
	ids, err := s.BringFollowers("", list)
	require.NoError(t, err)
	again, err := s.BringFollowers("", list)
	require.NoError(t, err)
	require.Equal(t, ids, again)
	require.Equal(t, s.world.people["p_1"].UnionID, ids[0].UnionID)
	a := s.world.Apps[0]
	require.Equal(t, []string{ids[0].OpenID}, a.followers())
	require.Equal(t, "ADD_SCENE_QR_CODE", a.Fans[ids[0].OpenID].From)
	_, err = s.BringFollowers("", []PastFollower{{Person: "nobody"}})
	require.Error(t, err)
}

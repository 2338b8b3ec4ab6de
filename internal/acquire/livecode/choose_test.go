package livecode

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

var everyDay = []int{1, 2, 3, 4, 5, 6, 7}

func TestWindows(t *testing.T) {
	day := Window{Days: []int{1, 2, 3, 4, 5}, From: "09:00", To: "18:00"}
	night := Window{Days: []int{5}, From: "22:00", To: "02:30"} // Friday into Saturday
	all := Window{Days: []int{7}, From: "00:00", To: "24:00"}
	for _, c := range []struct {
		w    Window
		at   string
		want bool
	}{
		{day, "2026-03-02 08:59", false}, {day, "2026-03-02 09:00", true}, {day, "2026-03-02 17:59", true}, {day, "2026-03-02 18:00", false},
		{day, "2026-03-07 10:00", false},
		{night, "2026-03-06 21:59", false}, {night, "2026-03-06 22:00", true}, {night, "2026-03-07 02:29", true}, {night, "2026-03-07 02:30", false},
		{night, "2026-03-06 01:00", false}, // Thursday's night is not on
		{all, "2026-03-08 00:00", true}, {all, "2026-03-08 23:59", true}, {all, "2026-03-09 00:00", false},
	} {
		require.Equal(t, c.want, c.w.holds(at(c.at)), "%+v at %s", c.w, c.at)
	}
}

func TestChoice(t *testing.T) {
	none := func(string) bool { return false }
	noon := at("2026-03-02 12:00")
	choose := func(d Definition, s Standing) Choice {
		if s.Off == nil {
			s.Off = none
		}
		if s.Now.IsZero() {
			s.Now = noon
		}
		return d.Choose(s)
	}
	a, b := Member{Staff: "a"}, Member{Staff: "b"}
	require.Equal(t, []string{"a", "b"}, choose(Definition{Members: []Member{b, a}}, Standing{}).Users, "in order")

	c := choose(Definition{Members: []Member{{Staff: "a", Offline: true}, {Staff: "b", Cap: 3}, {Staff: "c", Shifts: []Window{{everyDay, "13:00", "14:00"}}}, {Staff: "d"}, {Staff: "e"}}, Backups: []string{"z"}},
		Standing{Today: map[string]int64{"b": 3}, Off: func(id string) bool { return id == "d" }})
	require.Equal(t, []string{"e"}, c.Users)
	require.Equal(t, map[string]string{"a": OutOffline, "b": OutFull, "c": OutShift, "d": OutOff}, c.Out)
	require.Empty(t, c.Why)

	d := Definition{Members: []Member{{Staff: "a", Cap: 1}}, Backups: []string{"z", "y", "z"}}
	c = choose(d, Standing{Today: map[string]int64{"a": 1}, Off: func(id string) bool { return id == "y" }})
	require.Equal(t, []string{"z"}, c.Users, "the backups who are there")
	require.Equal(t, WhyBackup, c.Why)

	c = choose(Definition{Members: []Member{{Staff: "a", Offline: true}, {Staff: "b", Offline: true}}}, Standing{Off: func(id string) bool { return id == "b" }})
	require.Equal(t, []string{"a"}, c.Users, "a scan meets somebody, whatever was said")
	require.Equal(t, WhyNobody, c.Why)
	c = choose(Definition{Members: []Member{a}}, Standing{Off: func(string) bool { return true }})
	require.Empty(t, c.Users)

	over := &Expiry{At: noon, Staff: []string{"x"}}
	c = choose(Definition{Members: []Member{a}, Expiry: over}, Standing{Now: noon.Add(-time.Minute)})
	require.Equal(t, []string{"a"}, c.Users)
	c = choose(Definition{Members: []Member{a}, Expiry: over}, Standing{})
	require.Equal(t, []string{"x"}, c.Users)
	require.Equal(t, WhyExpired, c.Why)

	windows := Definition{Members: []Member{a}, Verify: VerifyWindows, Skip: []Window{{everyDay, "11:00", "13:00"}}}
	require.True(t, choose(windows, Standing{}).Skip)
	require.False(t, choose(windows, Standing{Now: noon.Add(time.Hour)}).Skip)
	require.True(t, choose(Definition{Members: []Member{a}, Verify: VerifySkip}, Standing{}).Skip)
	require.False(t, choose(Definition{Members: []Member{a}, Verify: VerifyAsk}, Standing{}).Skip)
}

// By weight a day comes out in proportion, whoever the platform picks of those it may.
func TestWeightsComeOutInProportion(t *testing.T) {
	d := Definition{Members: []Member{{Staff: "a", Weight: 5}, {Staff: "b", Weight: 3}, {Staff: "c"}, {Staff: "d", Weight: 1}}}
	today := map[string]int64{}
	for i := range 100 {
		c := d.Choose(Standing{Now: at("2026-03-02 12:00"), Off: func(string) bool { return false }, Today: today})
		require.NotEmpty(t, c.Users)
		today[c.Users[(i*7)%len(c.Users)]]++
	}
	require.Equal(t, map[string]int64{"a": 50, "b": 30, "c": 10, "d": 10}, today)

	c := d.Choose(Standing{Now: at("2026-03-02 12:00"), Off: func(string) bool { return false }, Today: map[string]int64{"a": 5, "b": 1, "c": 1}})
	require.Equal(t, []string{"b", "d"}, c.Users)
	require.Equal(t, map[string]string{"a": OutTurn, "c": OutTurn}, c.Out)
}

func TestRemarks(t *testing.T) {
	day := at("2026-03-02 12:00")
	for _, c := range []struct{ rule, name, code, want string }{
		{"{name}-{code}", "张三", "南京路店", "张三-南京路店"},
		{"{code}{date}{name}", "欧阳娜娜一二三四五六七八九十", "南京路店", "南京路店0302欧阳娜娜一二三四五六七八"},
		{"{name}·{code}", "名字很长很长很长的一个客户", "这个活码的名称正好十八个字长不多不少", "名·这个活码的名称正好十八个字长不多不少"},
		{"{name}·{code}", "某", "这个活码的名称比二十个字还要长出去一些真的很长", "某·这个活码的名称比二十个字还要长出去一"},
		{"VIP", "张三", "店", "VIP"},
		{"{name}", "", "店", "您"},
		{"{name}{name}", "一二三四五六七八九十一二三", "店", "一二三四五六七八九十一二三四五六七八九十"},
	} {
		got := remarkOf(c.rule, c.name, c.code, day)
		require.LessOrEqual(t, len([]rune(got)), maxRemark, got)
		require.Equal(t, c.want, got)
	}
}

func TestTextsAreFilled(t *testing.T) {
	got := fill("{customer}您好，我是{staff}，{code} {date}", "张三", "王芳", "南京路店", at("2026-03-02 12:00"))
	require.Equal(t, "张三您好，我是王芳，南京路店 2026-03-02", got)
	long := fill(fmt.Sprintf("%0*d{customer}", maxText-4, 0), "张三", "", "", time.Time{})
	require.Len(t, long, maxText-1, "cut between characters")
	require.Equal(t, "张", long[maxText-4:])
}

func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		k := newKey()
		require.True(t, Ours(k))
		require.LessOrEqual(t, len(k), 30)
		require.False(t, seen[k])
		seen[k] = true
	}
	k := newKey()
	for i := range len(k) {
		for _, c := range []byte("a1-") {
			if k[i] == c {
				continue
			}
			other := k[:i] + string(c) + k[i+1:]
			if Ours(other) && other != k {
				t.Errorf("%s passes for %s", other, k)
			}
		}
	}
	for _, s := range []string{"", "koi1-", "koi1-aaaaaaaaaaaaaaaaaaaa", "channel_12", "KOI1" + k[4:], k + "a"} {
		require.False(t, Ours(s), s)
	}
}

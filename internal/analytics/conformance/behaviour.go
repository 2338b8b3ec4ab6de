package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/rule"
)

// Behaviour plays random histories, with late facts, facts of the same moment,
// merges, splits and erasures in them, and asks whom random conditions on behaviour
// hold for: all at once, for some contacts, and one by one. What rule.Holds
// says of each contact's facts, and a slow reference that shares no code with it,
// must be the same.
func Behaviour(t *testing.T, e Engine) {
	rapid.Check(t, func(r *rapid.T) {
		h := &history{engine: e, t: t, s: e.Open(t), m: NewModel(), props: oddProperties}
		defer func() { require.NoError(r, h.s.Close()) }()
		for range rapid.IntRange(1, 5).Draw(r, "steps") {
			h.step(r)
			h.askRemembered(r)
			h.askBehaviour(r)
		}
	})
}

// remember has the engine keep at hand what leaves look at, and waits for it.
func (h *history) remember(r *rapid.T, q analytics.BehaviourQuery) {
	s, ok := h.s.(analytics.Rememberer)
	if !ok {
		return
	}
	require.NoError(r, s.Remember(q))
	h.recalled(r)
	h.remembered = &q
}

// recalled waits until what is to be remembered is.
func (h *history) recalled(r *rapid.T) {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		is := h.s.(analytics.Rememberer).Recall()
		require.False(r, is.Full, "a few facts do not fill the memory")
		if is.Ready {
			return
		}
		require.True(r, time.Now().Before(deadline), "the facts come to hand")
	}
}

// askRemembered asks again, after the store changed, what it has been told to
// remember: at once, and when it has read what it forgot.
func (h *history) askRemembered(r *rapid.T) {
	if h.remembered == nil {
		return
	}
	q := *h.remembered
	if rapid.Bool().Draw(r, "time goes on") {
		q.Now = q.Now.Add(time.Duration(rapid.IntRange(0, 40*24).Draw(r, "hours")) * time.Hour)
		if rapid.Bool().Draw(r, "and is remembered") {
			require.NoError(r, h.s.(analytics.Rememberer).Remember(q))
		}
	}
	for _, wait := range []bool{false, true} {
		if wait {
			if !h.s.(analytics.Rememberer).Recall().Ready && !h.s.(analytics.Rememberer).Recall().Loading {
				require.NoError(r, h.s.(analytics.Rememberer).Remember(q)) // after a crash nobody has asked yet
			}
			h.recalled(r)
		}
		got, err := h.s.(analytics.Behaviours).Behaviour(h.t.Context(), q)
		require.NoError(r, err)
		for _, c := range q.Among {
			rows := h.m.of(c)
			for i := range q.Leaves {
				require.Equal(r, reference(&q.Leaves[i], rows, q.Now, q.Zone), got[i].Has(c),
					fmt.Sprintf("remembered (waited: %v): contact %d, %s at %s in %s", wait, c, sentence(&q.Leaves[i]), q.Now, q.Zone))
			}
		}
	}
}

// odd is a property value: as JSON, as text, and as a number with its six
// decimals, "" when it is none. What no fact has is not there.
type odd struct{ json, text, number string }

var (
	odds = []odd{
		{`"a"`, "a", ""}, {`"b"`, "b", ""}, {`"茶"`, "茶", ""}, {`"茶叶礼盒"`, "茶叶礼盒", ""}, {`"A"`, "A", ""}, {`""`, "", ""}, {`"it's \"x\""`, `it's "x"`, ""}, {`"😀"`, "😀", ""},
		{`3`, "3", "3"}, {`"3"`, "3", "3"}, {`3.0`, "3.0", "3"}, {`1.50`, "1.5", "1.5"}, {`"1.50"`, "1.50", "1.5"}, {`-2`, "-2", "-2"}, {`0`, "0", "0"}, {`-0.0`, "-0.0", "0"},
		{`0.1`, "0.1", "0.1"}, {`0.2`, "0.2", "0.2"}, {`0.3`, "0.3", "0.3"}, {`"0.30"`, "0.30", "0.3"}, {`12.25`, "12.25", "12.25"}, {`1e3`, "1000.0", "1000"}, {`"1_000"`, "1_000", "1000"}, {`" 7 "`, " 7 ", "7"}, {`"+7"`, "+7", "7"},
		{`0.0000005`, "5e-7", "0.000001"}, {`-0.0000005`, "-5e-7", "-0.000001"}, {`0.00000049`, "4.9e-7", "0"}, {`0.333333333`, "0.333333333", "0.333333"},
		{`1e15`, "1000000000000000.0", "1000000000000000"}, {`999999999999999.9`, "999999999999999.9", "999999999999999.875"}, {`-1e15`, "-1000000000000000.0", "-1000000000000000"}, {`1000000000000001`, "1000000000000001", ""}, {`1e18`, "1e18", ""}, {`"1e400"`, "1e400", ""},
		{`123456789012345678901234567890`, "123456789012345678901234567890", ""}, {`9007199254740993`, "9007199254740993", ""}, {`"0x10"`, "0x10", ""}, {`"１２"`, "１２", ""}, {`"inf"`, "inf", ""}, {`"nan"`, "nan", ""},
		{`true`, "true", ""}, {`"true"`, "true", ""}, {`false`, "false", ""}, {`[1, "a"]`, `[1,"a"]`, ""}, {`{"k" : [1.50]}`, `{"k":[1.5]}`, ""}, {`[]`, "[]", ""},
		{`"d1.0123abcd.AAAAAAAAAAAAAAAAAAAAAAAA"`, "d1.0123abcd.AAAAAAAAAAAAAAAAAAAAAAAA", ""}, {`"d1.a"`, "d1.a", ""},
	}
	drawOdd      = rapid.SampledFrom(odds)
	drawProperty = rapid.SampledFrom([]string{"p", "q", "p", "q", "其他/~'", "none"})
)

func init() {
	for i, o := range odds { // written as the engine writes it
		if o.json == `1e18` {
			odds[i].text = "1000000000000000000.0"
		}
	}
}

func oddProperties(r *rapid.T) string {
	var parts []string
	for _, p := range []string{"p", "q", "其他/~'"} {
		switch rapid.IntRange(0, 9).Draw(r, "value") {
		case 0: // not there
		case 1:
			parts = append(parts, fmt.Sprintf(`%q: null`, p))
		case 2, 3, 4: // the same ones often
			parts = append(parts, fmt.Sprintf(`%q:%s`, p, odds[8+rapid.IntRange(0, 5).Draw(r, "number")].json))
		default:
			parts = append(parts, fmt.Sprintf(`%q:%s`, p, drawOdd.Draw(r, "odd").json))
		}
	}
	if len(parts) == 0 && rapid.Bool().Draw(r, "no properties") {
		return ""
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (h *history) askBehaviour(r *rapid.T) {
	loc, err := time.LoadLocation(rapid.SampledFrom([]string{"UTC", "Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago", "Asia/Beirut"}).Draw(r, "zone"))
	require.NoError(r, err)
	q := analytics.BehaviourQuery{Now: time.UnixMilli(at(drawHour.Draw(r, "now")) + rapid.Int64Range(-1, 1).Draw(r, "ms")).UTC(), Zone: loc}
	for range rapid.IntRange(1, 12).Draw(r, "leaves") {
		leaf := rule.Rule{V: 1, Node: rule.Node{Behaviour: drawLeaf(r, q.Now)}}
		read, err := rule.Parse(string(leaf.JSON()), "where")
		require.NoError(r, err, string(leaf.JSON()))
		q.Leaves = append(q.Leaves, read.Behaviour)
	}
	s, ok := h.s.(analytics.Behaviours)
	require.True(r, ok, "the store answers conditions on behaviour")
	all, err := s.Behaviour(h.t.Context(), q)
	require.NoError(r, err)
	require.Len(r, all, len(q.Leaves))
	q.Share = rapid.IntRange(2, 4).Draw(r, "share")
	sample, err := s.Behaviour(h.t.Context(), q)
	require.NoError(r, err)
	share := q.Share
	q.Share = 0
	q.Among = rapid.SliceOfNDistinct(rapid.Int64Range(1, 14), 0, 14, rapid.ID[int64]).Draw(r, "among")
	slices.Sort(q.Among)
	some, err := s.Behaviour(h.t.Context(), q)
	require.NoError(r, err)
	h.remember(r, q)
	again, err := s.Behaviour(h.t.Context(), q)
	require.NoError(r, err)
	witness, ok := h.s.(analytics.Witness)
	require.True(r, ok, "the store shows evidence")

	for c := int64(0); c <= 14; c++ {
		rows := h.m.of(c)
		facts := make([]rule.Fact, len(rows))
		for i, row := range rows {
			facts[i] = rule.Fact{Name: row.Name, At: row.Timestamp, Properties: row.Properties}
		}
		for i := range q.Leaves {
			want := reference(&q.Leaves[i], rows, q.Now, loc)
			say := func(who string) string {
				return fmt.Sprintf("%s: contact %d, %s at %s in %s", who, c, sentence(&q.Leaves[i]), q.Now, loc)
			}
			require.Equal(r, want, rule.Holds(&q.Leaves[i], facts, q.Now, loc), say("rule.Holds"))
			require.Equal(r, want, all[i].Has(c), say("all"))
			if analytics.InShare(c, share) {
				require.Equal(r, want, sample[i].Has(c), say("in the sample"))
			}
			if slices.Contains(q.Among, c) {
				require.Equal(r, want, some[i].Has(c), say("among"))
				require.Equal(r, want, again[i].Has(c), say("remembered"))
			}
		}
	}
	one := q
	one.Among = []int64{rapid.Int64Range(1, 12).Draw(r, "one")}
	shown, err := witness.Evidence(h.t.Context(), one)
	require.NoError(r, err)
	for i := range one.Leaves {
		require.Equal(r, reference(&one.Leaves[i], h.m.of(one.Among[0]), q.Now, loc), shown[i].Holds)
	}
}

// of are the facts of a contact as it is now, in order of time and arrival; those
// of a number that is part of another are the other's.
func (m *Model) of(contact int64) []analytics.Row {
	if contact < 1 || m.root(contact) != contact {
		return nil
	}
	out := m.match(analytics.Filter{Contact: contact})
	slices.SortStableFunc(out, func(a, b analytics.Row) int { return int(a.Timestamp - b.Timestamp) }) // rows are in order of arrival
	return out
}

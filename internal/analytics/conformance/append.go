package conformance

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

func testAppend(t *testing.T, e Engine) {
	t.Run("an empty store answers", func(t *testing.T) {
		s := e.Open(t)
		require.Zero(t, position(t, s))
		require.Zero(t, total(t, s, analytics.TotalsQuery{Property: "total"}))
		require.Empty(t, people(t, s, analytics.Filter{}))
		n, who, byEvent, err := s.Summary(t.Context(), analytics.Filter{})
		require.NoError(t, err)
		require.Zero(t, n)
		require.Zero(t, who)
		require.Empty(t, byEvent)
		stats, err := s.Stats(t.Context())
		require.NoError(t, err)
		require.Zero(t, stats.Facts)
	})
	t.Run("a replay changes nothing", func(t *testing.T) {
		b := batch(7, fact("a", 1, 0, ""), fact("b", 2, 1, ""))
		b.Profiles = []event.Profile{person(1, "social"), person(2, "direct")}
		s := load(t, e, b, b)
		require.EqualValues(t, 2, facts(t, s, analytics.Filter{}))
		require.Equal(t, b.Position, position(t, s))
		old := batch(3, fact("c", 3, 0, ""))
		old.Profiles = []event.Profile{person(1, "changed")}
		old.Rekeys = []event.Rekey{{From: 1, Into: 2}}
		store(t, s, old)
		require.EqualValues(t, 2, facts(t, s, analytics.Filter{}))
		require.Equal(t, b.Position, position(t, s))
		require.Equal(t, []int64{1}, people(t, s, analytics.Filter{FirstChannel: "social"}))
	})
	t.Run("of an overlapping batch only what is beyond is stored", func(t *testing.T) {
		first := batch(5, fact("a", 1, 0, ""), fact("a", 1, 1, ""))
		wider := batch(6, fact("c", 1, 2, ""))
		wider.Rows = append(slices.Clone(first.Rows), wider.Rows...)
		s := load(t, e, first, wider)
		got, err := s.After(t.Context(), event.Position{}, 10)
		require.NoError(t, err)
		require.Equal(t, []string{"m-5-0", "m-5-1", "m-6-0"}, ids(got))
	})
	t.Run("a batch without facts moves the position", func(t *testing.T) {
		s := load(t, e, analytics.Batch{Position: event.Position{Seq: 9, Idx: 4}})
		require.Equal(t, event.Position{Seq: 9, Idx: 4}, position(t, s))
		store(t, s, analytics.Batch{Position: event.Position{Seq: 9, Idx: 5}})
		require.Equal(t, event.Position{Seq: 9, Idx: 5}, position(t, s))
	})
	t.Run("what was acknowledged outlives a kill", func(t *testing.T) {
		var s analytics.Store = e.Open(t)
		for seq := uint64(1); seq <= 12; seq++ {
			b := batch(seq, fact("a", int64(seq), int(seq), `{"total":5}`), fact("b", 1, 0, ""))
			b.Profiles = []event.Profile{person(int64(seq), "social")}
			store(t, s, b)
			if seq%4 == 0 {
				s = e.Crash(t, s)
				require.EqualValues(t, 2*seq, facts(t, s, analytics.Filter{}))
				require.Equal(t, b.Position, position(t, s))
			}
		}
		require.EqualValues(t, 60, total(t, s, analytics.TotalsQuery{Property: "total"}).Sum)
		require.Len(t, people(t, s, analytics.Filter{ContactKind: event.Person}), 12)
	})
	t.Run("a fact comes back as it was stored", func(t *testing.T) {
		full := analytics.Row{Contact: 4, Channel: "social", Fact: event.Fact{
			MessageID: "id-1", Type: event.Group, Name: "group.joined", UserID: "u1", AnonymousID: "a1", PreviousID: "p1", GroupID: "g1",
			Identifiers: []event.Identifier{{Kind: "phone", Value: "13800000000"}, {Kind: "unionid", Value: "锦"}},
			Contact:     4, Timestamp: at(5), ReceivedAt: at(6), Source: "shop", ImportID: "imp",
			Properties: []byte(`{"n":1.50,"s":"你好"}`), Traits: []byte(`{"name":"李"}`), Context: []byte(`{"ip":"1.2.3.4"}`),
		}}
		least := analytics.Row{Fact: event.Fact{MessageID: "id-2", Name: "x"}}
		b := batch(1, full, least)
		s := load(t, e, b)
		got, err := s.After(t.Context(), event.Position{}, 10)
		require.NoError(t, err)
		require.Equal(t, b.Rows, got)
	})
	t.Run("large batches keep their order", func(t *testing.T) {
		var rows []analytics.Row
		for i := range 7000 {
			rows = append(rows, fact("a", int64(i%17+1), i%50, `{"i":`+itoa(i)+`}`))
		}
		b := batch(1, rows...)
		s := load(t, e, b)
		got, err := s.After(t.Context(), event.Position{}, 8000)
		require.NoError(t, err)
		require.Equal(t, ids(b.Rows), ids(got))
	})
}

func testMerge(t *testing.T, e Engine) {
	three := func() analytics.Batch {
		b := batch(1, fact("a", 1, 0, ""), fact("a", 2, 1, ""), fact("a", 3, 2, ""))
		b.Profiles = []event.Profile{visitor(1, "social"), person(2, "organic"), person(3, "direct")}
		return b
	}
	rekey := func(seq uint64, pairs ...int64) analytics.Batch {
		b := batch(seq)
		for i := 0; i < len(pairs); i += 2 {
			b.Rekeys = append(b.Rekeys, event.Rekey{From: pairs[i], Into: pairs[i+1]})
		}
		return b
	}
	t.Run("the facts go over, with the survivor's kind and channel", func(t *testing.T) {
		s := load(t, e, three(), rekey(2, 1, 2))
		require.Equal(t, []int64{2, 3}, people(t, s, analytics.Filter{}))
		require.EqualValues(t, 2, facts(t, s, analytics.Filter{Contact: 2}))
		require.Zero(t, facts(t, s, analytics.Filter{Contact: 1}), "the number of a merged contact is nobody's")
		require.Zero(t, facts(t, s, analytics.Filter{ContactKind: event.Visitor}))
		require.EqualValues(t, 2, facts(t, s, analytics.Filter{FirstChannel: "organic"}))
		require.Zero(t, facts(t, s, analytics.Filter{FirstChannel: "social"}))
		require.EqualValues(t, 1, total(t, s, analytics.TotalsQuery{}).Repeat)
		rows, err := s.Timeline(t.Context(), analytics.TimelineQuery{Filter: analytics.Filter{Contact: 2}, Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []string{"m-1-1", "m-1-0"}, ids(rows))
		require.EqualValues(t, 2, rows[1].Contact)
		rows, err = s.After(t.Context(), event.Position{}, 10)
		require.NoError(t, err)
		require.EqualValues(t, 1, rows[0].Contact, "readers of the stream get the number it came under")
	})
	t.Run("chains, in one batch and in several", func(t *testing.T) {
		for _, s := range []analytics.Store{
			load(t, e, three(), rekey(2, 1, 2, 2, 3)),
			load(t, e, three(), rekey(2, 1, 2), rekey(3, 2, 3)),
			load(t, e, three(), rekey(2, 2, 3), rekey(3, 1, 2)), // into one that was merged itself
		} {
			require.Equal(t, []int64{3}, people(t, s, analytics.Filter{}))
			require.EqualValues(t, 3, facts(t, s, analytics.Filter{Contact: 3, FirstChannel: "direct"}))
		}
	})
	t.Run("later facts under the old number go over too", func(t *testing.T) {
		s := load(t, e, three(), rekey(2, 1, 2), batch(3, fact("late", 1, 9, "")))
		require.EqualValues(t, 3, facts(t, s, analytics.Filter{Contact: 2}))
		require.Equal(t, []int64{2}, people(t, s, analytics.Filter{Events: []string{"late"}}))
	})
	t.Run("facts and their rekey in one batch", func(t *testing.T) {
		b := three()
		b.Rekeys = []event.Rekey{{From: 1, Into: 3}}
		s := load(t, e, b)
		require.Equal(t, []int64{2, 3}, people(t, s, analytics.Filter{ContactKind: event.Person}))
	})
	t.Run("contacts without profiles merge", func(t *testing.T) {
		s := load(t, e, batch(1, fact("a", 8, 0, ""), fact("a", 9, 0, "")), rekey(2, 8, 9))
		require.Equal(t, []int64{9}, people(t, s, analytics.Filter{}))
	})
	t.Run("a profile changes for all parts, a part's own does nothing", func(t *testing.T) {
		change := batch(3)
		change.Profiles = []event.Profile{visitor(1, "stale"), person(2, "partner")}
		s := load(t, e, three(), rekey(2, 1, 2), change)
		require.EqualValues(t, 2, facts(t, s, analytics.Filter{FirstChannel: "partner", ContactKind: event.Person}))
		require.Zero(t, facts(t, s, analytics.Filter{FirstChannel: "stale"}))
	})
	t.Run("there and back in one batch keeps the profile", func(t *testing.T) {
		b := batch(1, fact("a", 1, 0, ""), fact("a", 2, 0, ""))
		b.Profiles = []event.Profile{person(1, "social")}
		b.Rekeys = []event.Rekey{{From: 2, Into: 1}, {From: 1, Into: 2}}
		require.Equal(t, []int64{2}, people(t, load(t, e, b), analytics.Filter{FirstChannel: "social"}))
	})
	split := func(seq uint64, from int64, members ...int64) analytics.Batch {
		b := batch(seq)
		b.Rekeys = []event.Rekey{{From: from, Split: members}}
		return b
	}
	t.Run("a split gives each side its facts, also those that come later", func(t *testing.T) {
		apart := split(4, 1, 1)
		apart.Profiles = []event.Profile{visitor(1, "social"), person(2, "organic")}
		s := load(t, e, three(), rekey(2, 1, 2), batch(3, fact("b", 1, 3, ""), fact("b", 2, 4, "")), apart, batch(5, fact("c", 1, 5, "")))
		require.Equal(t, []int64{1, 2, 3}, people(t, s, analytics.Filter{}))
		require.EqualValues(t, 3, facts(t, s, analytics.Filter{Contact: 1, ContactKind: event.Visitor, FirstChannel: "social"}))
		require.EqualValues(t, 2, facts(t, s, analytics.Filter{Contact: 2, ContactKind: event.Person, FirstChannel: "organic"}))
		s = e.Crash(t, s)
		require.EqualValues(t, 3, facts(t, s, analytics.Filter{Contact: 1}))
		store(t, s, rekey(6, 1, 3))
		require.EqualValues(t, 4, facts(t, s, analytics.Filter{Contact: 3}), "it may become part of another")
	})
	t.Run("out of the middle of a chain, with its own parts", func(t *testing.T) {
		b := three()
		b.Rows = append(b.Rows, fact("a", 4, 0, ""))
		b = batch(1, b.Rows...)
		s := load(t, e, b, rekey(2, 1, 2, 2, 3, 3, 4), split(3, 2, 2, 1))
		require.Equal(t, []int64{2, 4}, people(t, s, analytics.Filter{}))
		require.EqualValues(t, 2, facts(t, s, analytics.Filter{Contact: 2}))
		store(t, s, split(4, 1, 1))
		require.Equal(t, []int64{1, 2, 4}, people(t, s, analytics.Filter{}))
	})
	t.Run("told before the merge of a member, and told twice", func(t *testing.T) {
		s := load(t, e, three(), rekey(2, 2, 3), split(3, 2, 2, 1), rekey(4, 1, 2), split(5, 2, 2, 1))
		require.Equal(t, []int64{2, 3}, people(t, s, analytics.Filter{}))
		require.EqualValues(t, 2, facts(t, s, analytics.Filter{Contact: 2}))
	})
	t.Run("merge and split in one batch, in their order", func(t *testing.T) {
		b := three()
		b.Rekeys = []event.Rekey{{From: 1, Into: 2}, {From: 1, Split: []int64{1}}, {From: 1, Into: 3}}
		s := load(t, e, b)
		require.Equal(t, []int64{2, 3}, people(t, s, analytics.Filter{}))
		require.EqualValues(t, 2, facts(t, s, analytics.Filter{Contact: 3}))
	})
	t.Run("repeated, reversed and senseless rekeys", func(t *testing.T) {
		s := load(t, e, three(), rekey(2, 1, 2, 1, 2, 1, 3, 2, 2))
		require.Equal(t, []int64{2, 3}, people(t, s, analytics.Filter{}), "1 is part of 2 and stays so")
		store(t, s, rekey(3, 2, 1))
		require.Equal(t, []int64{1, 3}, people(t, s, analytics.Filter{}), "the lead goes to 1")
		s = e.Crash(t, s)
		require.Equal(t, []int64{1, 3}, people(t, s, analytics.Filter{}))
	})
}

package autotag

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/rule"
)

const day = 24 * time.Hour

// keen: five points for an order above 100, one for a look, half gone each week.
func keen() Definition {
	return Definition{Kind: ByScore, Score: &Score{HalfLife: 7, Have: 5, Events: []EventWeight{
		{Name: "order.paid", Weight: 5, Where: []rule.Where{{Property: "total", Op: "gte", Value: 100.0}}},
		{Name: "page.viewed", Weight: 1}}}}
}

func TestScoreComesAndFades(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a := p.tag("意向", "高意向"), p.person("a")
		p.put(tag, keen())
		p.emit.take()
		p.hand(p.did(a, "page.viewed", "", 0), p.did(a, "order.paid", `{"total":99}`, 0), p.did(a, "cart.added", "", 0))
		require.InDelta(t, 1, p.score(tag, a), 1e-9, "an order below 100 counts for nothing")
		require.Empty(t, p.from(tag, a))
		p.clock.Advance(7 * day)
		require.InDelta(t, 0.5, p.score(tag, a), 1e-9)
		p.hand(p.did(a, "order.paid", `{"total":"100"}`, 0))
		require.InDelta(t, 5.5, p.score(tag, a), 1e-9)
		require.Equal(t, "score", p.from(tag, a))
		require.Equal(t, []string{fmt.Sprint("tag.added ", a, " score v1 fact true")}, p.tagFacts())

		p.clock.Advance(7 * day)
		p.step()
		require.Equal(t, "score", p.from(tag, a), "2.75 is above the lower threshold of 2.5")
		p.clock.Advance(day)
		p.step()
		require.Empty(t, p.from(tag, a), "2.49 is below it, and no fact was needed to see it")
		require.Equal(t, []string{fmt.Sprint("tag.removed ", a, " score v1 lapse true")}, p.tagFacts())
		require.InDelta(t, 5.5*math.Pow(0.5, 8.0/7), p.score(tag, a), 1e-9)
	})
}

func TestScoreJustReached(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a := p.tag("意向", "高意向"), p.person("a")
		p.put(tag, keen())
		// what reaches the threshold exactly reaches it, also when it is handed over a little later
		f := p.did(a, "order.paid", `{"total":100}`, 0)
		p.clock.Advance(time.Minute)
		p.hand(f)
		require.Equal(t, "score", p.from(tag, a))
		c, err := p.contacts.Get(p.ctx, p.id(a))
		require.NoError(t, err)
		require.Len(t, c.Tags, 1)
		g := c.Tags[0].Given
		require.Equal(t, "score", g.Source)
		require.Equal(t, "v1", g.By)
		require.Equal(t, 5.0, *g.Weight)
		require.Equal(t, start.Add(7*day).UnixMilli(), g.Ends.UnixMilli(), "half of the threshold is reached after one half-life")
	})
}

func TestReplaysCountOnce(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a := p.tag("意向", "高意向"), p.person("a")
		p.put(tag, keen())
		p.emit.take()
		f := p.did(a, "order.paid", `{"total":100}`, 0)
		p.killed(f)
		require.Zero(t, p.score(tag, a))
		require.Empty(t, p.from(tag, a))
		p.hand(f)
		require.InDelta(t, 5, p.score(tag, a), 1e-9)
		require.Len(t, p.tagFacts(), 1)
	})
}

func TestOldFactsAreNotOfNow(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a, b := p.tag("意向", "高意向"), p.person("a"), p.person("b")
		p.put(tag, keen())
		p.emit.take()
		old := p.did(a, "order.paid", `{"total":100}`, 2*day)
		imported := p.did(b, "order.paid", `{"total":100}`, 0)
		imported.ImportID = "im_1"
		p.hand(old, imported)
		require.Equal(t, []string{fmt.Sprint("tag.added ", a, " score v1 fact false"), fmt.Sprint("tag.added ", b, " score v1 fact false")}, p.tagFacts())
	})
}

func TestNewDefinition(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a, b := p.tag("意向", "高意向"), p.person("a"), p.person("b")
		p.hand(p.did(a, "order.paid", `{"total":100}`, day), p.did(b, "page.viewed", "", 0))
		d := keen()
		view, err := p.Preview(p.ctx, tag, d)
		require.NoError(t, err)
		require.Equal(t, int64(1), view.Gain)
		require.Equal(t, []contact.Ref{{ID: p.id(a)}}, view.Sample)
		require.Equal(t, []Bucket{{0.1, 1}, {1.25, 0}, {2.5, 1}, {5, 0}, {10, 0}, {20, 0}}, view.Scores)
		p.put(tag, d)
		require.Equal(t, "score", p.from(tag, a))
		require.Empty(t, p.from(tag, b))
		require.Equal(t, []string{fmt.Sprint("tag.added ", a, " score v1 definition false")}, p.tagFacts(), "nobody did anything")

		d.Score.Events = []EventWeight{{Name: "page.viewed", Weight: 9}}
		view, err = p.Preview(p.ctx, tag, d)
		require.NoError(t, err)
		require.Equal(t, [2]int64{1, 1}, [2]int64{view.Gain, view.Lose})
		got := p.put(tag, d)
		require.Equal(t, int64(2), got.Version)
		require.Empty(t, p.from(tag, a))
		require.Equal(t, "score", p.from(tag, b))
		got, err = p.Get(p.ctx, tag)
		require.NoError(t, err)
		require.Equal(t, Status{State: "ready", Progress: 1, Have: 1}, got.Status)
		p.step()
		var kept int
		require.NoError(t, p.DB.QueryRow(p.ctx, "select count(distinct sums) from tag_scores").Scan(&kept))
		require.Equal(t, 1, kept, "the sums of the definition before are gone")
	})
}

// Facts that come while sums are added up are in the new sums once.
func TestFactsDuringRecount(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a, b := p.tag("意向", "高意向"), p.person("a"), p.person("b")
		p.hand(p.did(a, "page.viewed", "", 0))
		_, err := p.Put(p.ctx, tag, keen())
		require.NoError(t, err)
		auto, err := p.get(p.ctx, tag)
		require.NoError(t, err)
		c := &counting{tag: tag}
		p.counting[77] = c
		from, err := p.write(p.ctx, auto, 77, c)
		require.NoError(t, err)
		p.hand(p.did(a, "page.viewed", "", 0)) // stored and handed over between the two questions
		before := p.did(b, "page.viewed", "", 0)
		m, err := p.contacts.MergeByHand(p.ctx, p.id(a), p.id(b), "same person")
		require.NoError(t, err)
		require.NotEmpty(t, m.ID)
		p.told()
		later := p.did(a, "page.viewed", "", 0) // stored, and handed over after
		require.NoError(t, p.replace(p.ctx, auto, 77, from, c))
		delete(p.counting, 77)
		require.InDelta(t, 4, p.score(tag, a), 1e-9)
		p.hand(before, later)
		require.InDelta(t, 4, p.score(tag, a), 1e-9, "they are in the sums already")
		p.hand(p.did(b, "page.viewed", "", 0))
		require.InDelta(t, 5, p.score(tag, a), 1e-9)
		require.Equal(t, "score", p.from(tag, a))
	})
}

// Scores are exactly what the definition says, whatever happens in whatever order.
func TestScoresAreExact(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		n := 0
		rapid.Check(t, func(r *rapid.T) {
			n++
			p.store.rows = nil
			h := &history{pond: p, def: keen(), tag: p.tag("意向", fmt.Sprint("高意向", n))}
			for i := range 5 {
				h.people = append(h.people, p.person(fmt.Sprint("u", n, "-", i)))
			}
			defer func() { require.NoError(r, p.Delete(p.ctx, h.tag, false)) }()
			h.play(r)
		})
	})
}

type history struct {
	*pond
	tag    string
	def    Definition
	people []int64
	merges []string
}

func (h *history) play(r *rapid.T) {
	h.put(h.tag, h.def)
	for range rapid.IntRange(5, 25).Draw(r, "steps") {
		h.one(r)
		h.check(r)
	}
}

func (h *history) one(r *rapid.T) {
	who := func(label string) int64 { return h.people[rapid.IntRange(0, len(h.people)-1).Draw(r, label)] }
	switch rapid.IntRange(0, 9).Draw(r, "what") {
	case 0:
		h.clock.Advance(time.Duration(rapid.Int64Range(1, int64(20*day/time.Minute)).Draw(r, "minutes")) * time.Minute)
		h.step()
	case 1:
		a, b := who("keep"), who("other")
		moved, err := h.contacts.Survivors(h.ctx, []int64{a, b})
		require.NoError(r, err)
		root := func(n int64) int64 {
			if into, ok := moved[n]; ok {
				return into
			}
			return n
		}
		if root(a) == root(b) {
			return
		}
		m, err := h.contacts.MergeByHand(h.ctx, h.id(a), h.id(b), "same", contact.LiftApart)
		require.NoError(r, err)
		h.merges = append(h.merges, m.ID)
		h.told()
	case 2:
		if len(h.merges) == 0 {
			return
		}
		last := len(h.merges) - 1
		_, err := h.contacts.UndoMerge(h.ctx, h.merges[last], "not the same")
		require.NoError(r, err)
		h.merges = h.merges[:last]
		h.told()
	case 3: // facts are gone: an import was undone
		n := who("erased")
		kept := h.store.rows[:0:0]
		for _, f := range h.store.rows {
			if f.Contact != n {
				kept = append(kept, f)
			}
		}
		h.store.rows = kept
		require.NoError(r, h.Recount(h.ctx))
		h.step()
	case 4:
		h.def.Score = &Score{HalfLife: rapid.IntRange(1, 60).Draw(r, "half-life"), Have: rapid.Float64Range(0.5, 20).Draw(r, "have"), Events: []EventWeight{
			{Name: "page.viewed", Weight: rapid.Float64Range(0.1, 5).Draw(r, "weight")}, {Name: "order.paid", Weight: 3}}}
		h.put(h.tag, h.def)
	default:
		for range rapid.IntRange(1, 4).Draw(r, "facts") {
			name := rapid.SampledFrom([]string{"page.viewed", "order.paid", "cart.added"}).Draw(r, "name")
			ago := time.Duration(rapid.Int64Range(-60, int64(30*day/time.Minute)).Draw(r, "ago")) * time.Minute
			f := h.did(who("who"), name, fmt.Sprintf(`{"total":%d}`, rapid.SampledFrom([]int{50, 150}).Draw(r, "total")), ago)
			if rapid.Bool().Draw(r, "killed") {
				h.killed(f)
			}
			h.hand(f)
		}
	}
}

func (h *history) check(r *rapid.T) {
	moved, err := h.contacts.Survivors(h.ctx, h.people)
	require.NoError(r, err)
	sc := h.def.Score
	_, own, err := h.contacts.TagHolders(h.ctx, h.tag, ownSources, nil)
	require.NoError(r, err)
	a, err := h.get(h.ctx, h.tag)
	require.NoError(r, err)
	for _, n := range h.people {
		if _, part := moved[n]; part {
			continue
		}
		want, got := h.slow(sc, n), h.score(h.tag, n)
		require.InDelta(r, want, got, 1e-9*math.Max(1, want), "score of %d", n)
		rows, err := h.readSums(h.ctx, a.sums, []int64{n})
		require.NoError(r, err)
		x := rows[n]
		if x == nil {
			require.False(r, own.Has(n), "%d has the tag and never did anything", n)
			continue
		}
		require.Equal(r, x.ends > 0, own.Has(n), "%d has the tag as long as the score says", n)
		switch {
		case got < sc.lose()*(1-1e-6):
			require.False(r, own.Has(n) && x.ends <= h.clock.Now().UnixMilli(), "%d has faded", n)
		case x.total.value >= sc.Have*(1+1e-6) && got > sc.lose()*(1+1e-6):
			require.True(r, own.Has(n), "%d reached the threshold", n)
		}
		for _, least := range []float64{1, 3, 10} { // a list finds the same
			if math.Abs(want-least) < 1e-6 {
				continue
			}
			among, err := h.contacts.Matching(h.ctx, &rule.Rule{V: 1, Node: rule.Node{Field: FieldName, Key: h.tag, Op: "gte", Value: least}}, "where", h.people)
			require.NoError(r, err)
			require.Equal(r, want >= least, among.Has(n), "%d with %v is at least %v", n, want, least)
		}
	}
}

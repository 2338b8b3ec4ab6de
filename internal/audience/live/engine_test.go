package live

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
)

func did(user, name string) event.Fact { return event.Fact{UserID: user, Name: name} }

const (
	bought  = `{"v":1,"event":{"name":"bought"}}`
	twice   = `{"v":1,"event":{"name":"bought","op":"gte","value":2}}`
	lately  = `{"v":1,"event":{"name":"bought","within":{"last":2,"unit":"hour"}}}`
	never   = `{"v":1,"event":{"name":"bought","op":"lt","value":1}}`
	thisDay = `{"v":1,"event":{"name":"bought","within":{"last":1,"unit":"day"}}}`
)

func TestFactsChangeMembersAndAreToldOnce(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"bought": bought, "twice": twice, "never": never, "all": `{"v":1}`})
		p.begin()
		p.post(did("a", "viewed"))
		a := p.num("a")
		p.post(did("a", "bought"))
		p.post(did("a", "bought"), did("a", "viewed"))
		p.post(did("a", "bought"))
		k.agree("after facts")
		require.Equal(p, []string{fmt.Sprintf("entered %d fact live", a)}, k.said("bought"))
		require.Equal(p, []string{fmt.Sprintf("entered %d fact live", a)}, k.said("twice"))
		require.Equal(p, []string{fmt.Sprintf("entered %d fact live", a), fmt.Sprintf("left %d fact live", a)}, k.said("never"))
		require.Equal(p, []string{fmt.Sprintf("entered %d fact live", a)}, k.said("all"))
	})
}

func TestWhatFactsSayThemselvesIsNotAsked(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"bought": bought, "never": never, "lately": lately, "dear": `{"v":1,"event":{"name":"bought","where":[{"property":"price","op":"gte","value":100}]}}`})
		p.begin()
		p.post(did("a", "viewed"))
		asked := p.lake.asked
		p.post(did("a", "bought"))
		p.post(did("a", "bought"), event.Fact{UserID: "a", Name: "bought", Properties: []byte(`{"price":50}`)})
		p.post(event.Fact{UserID: "a", Name: "bought", Properties: []byte(`{"price":150}`)})
		require.Equal(p, asked, p.lake.asked)
		k.agree("without a question")
		require.Len(p, k.members("dear"), 1)
	})
}

func TestWindowsLapseWithoutAFact(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"lately": lately, "day": thisDay,
			"quiet": `{"v":1,"event":{"name":"bought","op":"lte","value":0,"within":{"last":2,"unit":"hour"}}}`})
		p.begin()
		p.post(did("a", "bought"), did("b", "viewed"))
		a := p.num("a")
		p.after(time.Hour)
		k.agree("in the middle")
		require.Len(p, k.members("lately"), 1)
		for range 12 { // the background looks again and again
			p.after(5*time.Minute - time.Second)
		}
		k.agree("just before")
		p.after(30 * time.Second)
		k.agree("just after")
		require.Equal(p, []string{fmt.Sprintf("entered %d fact live", a), fmt.Sprintf("left %d lapse live", a)}, k.said("lately"))
		require.Contains(p, k.said("quiet"), fmt.Sprintf("entered %d lapse live", a))
		require.Len(p, k.members("day"), 1)
		p.after(13 * time.Hour)
		k.agree("the next day")
		require.Equal(p, []string{fmt.Sprintf("entered %d fact live", a), fmt.Sprintf("left %d midnight live", a)}, k.said("day"))
	})
}

func TestAnotherTimeZoneIsAnotherDay(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"day": thisDay})
		p.begin()
		p.post(event.Fact{UserID: "a", Name: "bought", Timestamp: start.Add(-11 * time.Hour).UnixMilli()})
		k.agree("in China")
		require.Len(p, k.members("day"), 1)
		p.zone = time.UTC
		p.due()
		k.agree("in London")
		require.Empty(p, k.members("day"))
	})
}

func TestOldFactsAreNotLive(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"bought": bought})
		p.begin()
		p.post(did("a", "viewed"), did("b", "viewed"), did("c", "viewed"), did("d", "viewed"))
		p.post(event.Fact{UserID: "a", Name: "bought", ImportID: "im_1"},
			event.Fact{UserID: "b", Name: "bought", Timestamp: start.Add(-25 * time.Hour).UnixMilli()},
			event.Fact{UserID: "c", Name: "bought", Timestamp: start.Add(-23 * time.Hour).UnixMilli()},
			event.Fact{UserID: "d", Name: "bought", ImportID: "im_1"}, did("d", "bought"))
		k.agree("all of them")
		require.ElementsMatch(p, []string{fmt.Sprintf("entered %d fact", p.num("a")), fmt.Sprintf("entered %d fact", p.num("b")),
			fmt.Sprintf("entered %d fact live", p.num("c")), fmt.Sprintf("entered %d fact live", p.num("d"))}, k.said("bought"))
	})
}

func TestMergesTakeMembershipsAlong(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"bought": bought, "twice": twice})
		p.begin()
		p.post(did("a", "bought"), did("b", "bought"), did("c", "viewed"))
		a, b, c := p.num("a"), p.num("b"), p.num("c")
		m, err := p.contacts.MergeByHand(p.ctx, p.id(c), p.id(a), "one person")
		require.NoError(p, err)
		p.flush()
		k.agree("after the merge")
		require.Equal(p, c, m.Into)
		require.Subset(p, k.said("bought"), []string{fmt.Sprintf("dropped %d merge live", a), fmt.Sprintf("gained %d merge live", c)})
		m2, err := p.contacts.MergeByHand(p.ctx, p.id(c), p.id(b), "the same person")
		require.NoError(p, err)
		p.flush()
		k.agree("after the second merge")
		require.Equal(p, []string{fmt.Sprintf("entered %d merge live", c)}, k.said("twice"), "together they bought twice")
		_, err = p.contacts.UndoMerge(p.ctx, m2.ID, "not after all")
		require.NoError(p, err)
		p.flush()
		k.agree("after the undo")
		require.Equal(p, fmt.Sprintf("gained %d merge live", b), k.said("bought")[len(k.said("bought"))-1], "it was in all the time")
		require.Equal(p, fmt.Sprintf("left %d merge live", c), k.said("twice")[1])
	})
}

func TestErasedContactsVanishWithoutAWord(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"bought": bought})
		p.begin()
		p.post(did("a", "bought"), did("b", "bought"))
		a := p.num("a")
		require.NoError(p, p.engine.Forget(p.ctx, []int64{a, a}))
		require.Equal(p, []int64{p.num("b")}, k.members("bought"))
		require.Contains(p, k.said("bought"), fmt.Sprintf("dropped %d erased", a))
	})
}

func TestAnotherDefinitionServesWhenItIsReady(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"x": bought, "y": bought})
		p.begin()
		p.post(did("a", "bought"), did("b", "bought"), did("b", "bought"), did("c", "viewed"))
		a, b, c := p.num("a"), p.num("b"), p.num("c")
		ready, _ := p.engine.Status("segments", "x")
		require.True(p, ready)
		old := k.rules["x"]
		k.define("x", twice)
		p.engine.Changed("segments")
		ready, _ = p.engine.Status("segments", "x")
		require.False(p, ready)
		asked := false
		p.lake.while = func() { // facts come while it is worked out
			p.lake.mu.Lock()
			p.lake.while = nil
			p.lake.mu.Unlock()
			asked = true
			p.post(did("a", "bought"), did("c", "bought"))
			require.Equal(p, []int64{a, b, c}, k.members("x"), "the old one serves")
			ready, progress := p.engine.Status("segments", "x")
			require.False(p, ready)
			require.Less(p, progress, 1.0)
			ready, _ = p.engine.Status("segments", "y")
			require.True(p, ready, "another rule is not concerned")
		}
		p.due()
		require.True(p, asked)
		k.agree("the new definition")
		require.Equal(p, []int64{a, b}, k.members("x"))
		require.Equal(p, fmt.Sprintf("left %d definition", c), k.said("x")[len(k.said("x"))-1])
		ready, _ = p.engine.Status("segments", "x")
		require.True(p, ready)
		k.rules["x"] = old
		delete(k.rules, "y")
		asks := p.lake.asked
		p.engine.Changed("segments")
		p.due()
		k.agree("back again")
		require.Equal(p, asks+1, p.lake.asked, "its condition was in use by nobody but y")
		ready, _ = p.engine.Status("segments", "y")
		require.False(p, ready)
		require.Equal(p, Cause{Reason: ReasonDefinition, Keys: []string{"x"}}, k.calls[len(k.calls)-1])
	})
}

func TestAFailingOwnerStopsNobody(t *testing.T) {
	each(t, func(p *pond) {
		bad, good := p.keeper("bad", map[string]string{"x": bought}), p.keeper("good", map[string]string{"x": bought})
		p.begin()
		broken := true
		bad.fail = func() error {
			if broken {
				return errors.New("out of ideas")
			}
			return nil
		}
		p.post(did("a", "bought"))
		good.agree("the other one goes on")
		require.Empty(p, bad.members("x"))
		p.post(did("b", "bought"))
		calls := len(bad.calls)
		p.due()
		require.Len(p, bad.calls, calls, "it is given time")
		p.after(2 * time.Second)
		require.Len(p, bad.calls, calls+1)
		broken = false
		p.after(time.Minute)
		bad.agree("and is told of everybody")
		good.agree("still")
		require.Equal(p, []string{fmt.Sprintf("entered %d fact live", p.num("a")), fmt.Sprintf("entered %d fact live", p.num("b"))}, bad.said("x"))
		p.post(did("c", "bought"))
		bad.agree("and goes on from there")
	})
}

func TestAConditionThatCannotBeAnsweredStopsNoOther(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"ok": twice, "bad": `{"v":1,"event":{"name":"bought","measure":"sum","property":"p","op":"gte","value":1}}`})
		p.begin()
		p.lake.fail = func(q analytics.BehaviourQuery) error {
			for _, l := range q.Leaves {
				if l.Event != nil && l.Event.Measure == "sum" {
					return errors.New("cannot sum")
				}
			}
			return nil
		}
		p.post(did("a", "viewed"))
		p.post(event.Fact{UserID: "a", Name: "bought", Properties: []byte(`{"p":3}`)}, did("a", "bought"))
		require.Len(p, k.members("ok"), 1)
		require.Empty(p, k.members("bad"))
		require.Error(p, p.engine.Problem("segments", "bad"))
		require.NoError(p, p.engine.Problem("segments", "ok"))
		require.Equal(p, State{Ready: true, Rules: 2, Broken: 1}, p.engine.State())
		p.lake.fail = nil
		p.after(time.Minute)
		k.agree("once it can be answered")
		require.NoError(p, p.engine.Problem("segments", "bad"))

		p.lake.fail = func(analytics.BehaviourQuery) error { return errors.New("the store is away") }
		p.holding = true
		p.post(did("b", "viewed"))
		require.Error(p, p.engine.Prepare(p.ctx, p.held, nil), "the batch waits when nothing can be asked")
		p.lake.fail = nil
		p.holding = false
		p.give(p.held)
		p.post(did("b", "bought"), did("b", "bought"))
		k.agree("and comes again")
	})
}

func TestAStartTellsOnlyWhatChanged(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"bought": bought, "lately": lately})
		p.post2(did("z", "bought"))
		p.begin()
		z := p.num("z")
		require.Equal(p, []string{fmt.Sprintf("entered %d start", z)}, k.said("bought"))
		p.post(did("a", "bought"), did("c", "viewed"))
		a := p.num("a")
		p.holding = true
		p.post(did("b", "bought"), did("c", "bought")) // stored, but the program ends before it is followed
		p.holding = false
		b, c := p.num("b"), p.num("c")
		p.clock.Advance(3 * time.Hour)
		p.begin()
		require.Equal(p, []string{fmt.Sprintf("entered %d start", z), fmt.Sprintf("entered %d fact live", a)}, k.said("bought"))
		require.Subset(p, k.said("lately"), []string{fmt.Sprintf("left %d start live", a), fmt.Sprintf("left %d start live", z)})
		p.give(p.held)
		p.flush()
		k.agree("with the facts that waited")
		require.ElementsMatch(p, []string{fmt.Sprintf("entered %d fact live", b), fmt.Sprintf("entered %d fact live", c)}, k.said("bought")[2:])
		n := len(k.said("bought"))
		p.begin()
		require.Len(p, k.said("bought"), n)
		k.agree("nothing changed")
	})
}

func TestFactsThatAreTakenBack(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"bought": bought})
		p.begin()
		p.post(did("a", "bought"), did("b", "bought"))
		a := p.num("a")
		p.lake.rows = slices.DeleteFunc(p.lake.rows, func(r analytics.Row) bool { return r.UserID == "a" && r.Name == "bought" })
		p.due()
		require.Len(p, k.members("bought"), 2, "nobody said so")
		p.engine.Recheck()
		p.due()
		k.agree("worked out anew")
		require.Equal(p, fmt.Sprintf("left %d fact", a), k.said("bought")[2], "journeys do not begin from an undo")
	})
}

// post2 sends facts while there is no engine.
func (p *pond) post2(facts ...event.Fact) {
	p.Helper()
	p.holding = true
	p.post(facts...)
	p.seen, p.held, p.holding = p.held[len(p.held)-1].Position, nil, false
}

// A flood of old facts is worked out once it has passed; nothing of it is news.
func TestFloodOfOldFacts(t *testing.T) {
	each(t, func(p *pond) {
		k := p.keeper("segments", map[string]string{"bought": bought})
		p.begin()
		p.post(did("a", "viewed"), did("b", "viewed"))
		var old []event.Fact
		for range floodFacts {
			old = append(old, event.Fact{UserID: "a", Name: "bought", ImportID: "im_1"})
		}
		p.post(old...)
		require.Empty(p, k.members("bought"), "not yet")
		p.post(did("b", "bought"))
		require.Equal(p, []string{fmt.Sprintf("entered %d fact live", p.num("b"))}, k.said("bought"), "news goes on meanwhile")
		p.due()
		require.NotContains(p, k.members("bought"), p.num("a"), "more may come")
		p.after(floodOver)
		k.agree("when it has passed")
		require.Equal(p, []string{fmt.Sprintf("entered %d fact live", p.num("b")), fmt.Sprintf("entered %d fact", p.num("a"))}, k.said("bought"))
		owed, err := p.engine.owed(p.ctx)
		require.NoError(p, err)
		require.False(p, owed)
	})
}

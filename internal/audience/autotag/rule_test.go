package autotag

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience/live"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

var (
	byFact  = live.Cause{Reason: live.ReasonFact, Live: true}
	byStart = live.Cause{Reason: live.ReasonStart}
)

// known: whoever has a user id has the tag. The live engine is the test's, so the
// rule itself is asked only where a contact is looked at anew.
func known() Definition {
	return Definition{Kind: ByRule, Rule: &rule.Rule{V: 1, Node: rule.Node{Field: "identity", Op: "in", Value: []any{"user_id"}}}}
}

func of(tag string, nums ...int64) truths { return truths{tag: numset.Of(nums...)} }

func (p *pond) set(num int64, add, remove []string) {
	p.t.Helper()
	_, err := p.contacts.SetTags(p.ctx, p.id(num), add, remove)
	require.NoError(p.t, err)
}

func TestRuleGivesAndTakes(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a, b := p.tag("状态", "会员"), p.person("a"), p.person("b")
		p.put(tag, known())
		require.Equal(t, 1, p.rules.changed)
		list, err := p.Owner().Rules(p.ctx)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, tag, list[0].Key)
		p.emit.take()

		p.apply(of(tag, a), byFact, a, b)
		require.Equal(t, []string{fmt.Sprint("tag.added ", a, " rule v1 fact true")}, p.tagFacts())
		p.apply(of(tag, a), byFact, a, b)
		require.Empty(t, p.tagFacts(), "being told twice tells nothing twice")
		p.apply(of(tag), live.Cause{Reason: live.ReasonLapse, Live: true}, a)
		require.Equal(t, []string{fmt.Sprint("tag.removed ", a, " rule v1 lapse true")}, p.tagFacts())
		p.apply(truths{}, byFact, a, b)
		require.Empty(t, p.tagFacts(), "of a rule that is not worked out nothing is known")

		got, err := p.contacts.Tags(p.ctx)
		require.NoError(t, err)
		require.Equal(t, "rule", got[0].Tags[0].Automatic)
	})
}

func TestEverybodyInTheBackground(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a, b, c := p.tag("状态", "会员"), p.person("a"), p.person("b"), p.person("c")
		p.put(tag, known())
		p.emit.take()
		p.apply(of(tag, a, b, c), live.Cause{Reason: live.ReasonDefinition, Keys: []string{tag}})
		require.Empty(t, p.from(tag, a), "not in the transaction that found it")
		v, err := p.Get(p.ctx, tag)
		require.NoError(t, err)
		require.Equal(t, Status{State: "working", Total: 3}, v.Status)
		p.apply(of(tag, a, c), byFact, b) // b's rule holds no more before the work came to b
		p.step()
		require.Equal(t, [3]string{"rule", "", "rule"}, [3]string{p.from(tag, a), p.from(tag, b), p.from(tag, c)})
		require.Equal(t, []string{fmt.Sprint("tag.added ", a, " rule v1 definition false"), fmt.Sprint("tag.added ", c, " rule v1 definition false")}, p.tagFacts())

		p.apply(of(tag, b), live.Cause{Reason: live.ReasonMidnight, Live: true, Except: numset.Of(c)})
		p.step()
		require.Equal(t, [3]string{"", "rule", "rule"}, [3]string{p.from(tag, a), p.from(tag, b), p.from(tag, c)})
		p.apply(of(tag), live.Cause{Reason: live.ReasonDefinition, Keys: []string{"other"}})
		p.step()
		require.Equal(t, "rule", p.from(tag, b), "another rule changed")
	})
}

func TestKeepOnceGiven(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a := p.tag("状态", "会员"), p.person("a")
		d := known()
		d.Keep = true
		p.put(tag, d)
		p.apply(of(tag, a), byFact, a)
		p.apply(of(tag), byFact, a)
		p.apply(of(tag), byStart)
		p.step()
		require.Equal(t, "rule", p.from(tag, a))
	})
}

func TestHandsStandAboveRules(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a, b, c := p.tag("状态", "会员"), p.person("a"), p.person("b"), p.person("c")
		p.put(tag, known())
		p.set(a, []string{tag}, nil)
		p.apply(of(tag, a, b, c), byFact, a, b, c)
		p.set(c, []string{tag}, nil) // has it already: now by hand as well
		require.Equal(t, [3]string{"manual", "rule", "manual"}, [3]string{p.from(tag, a), p.from(tag, b), p.from(tag, c)})
		p.set(b, nil, []string{tag})
		p.apply(of(tag, b), byFact, a, b, c)
		require.Equal(t, [3]string{"manual", "", "manual"}, [3]string{p.from(tag, a), p.from(tag, b), p.from(tag, c)}, "given by hand stays, taken by hand stays away")
		p.apply(of(tag), byFact, b) // also when the rule begins to hold anew
		p.apply(of(tag, b), byStart)
		p.step()
		require.Empty(t, p.from(tag, b))

		list, next, err := p.Exceptions(p.ctx, tag, "", 20)
		require.NoError(t, err)
		require.Empty(t, next)
		require.Equal(t, []Exception{{Contact: contact.Ref{ID: p.id(b)}, Reason: "hand", At: start, By: &contact.Ref{ID: "us_1", Name: "王芳"}}}, list)
		v, err := p.Get(p.ctx, tag)
		require.NoError(t, err)
		require.Equal(t, Status{State: "ready", Progress: 1, ByHand: 2, Exceptions: 1}, v.Status)

		require.NoError(t, p.Lift(p.ctx, tag, p.id(b)))
		require.Equal(t, "rule", p.from(tag, b), "the rule holds for b")
		require.ErrorContains(t, p.Lift(p.ctx, tag, p.id(b)), "autotag.no_exception")
		require.Contains(t, p.audit.actions, "tag.exception_lifted")
		p.set(b, nil, []string{tag})
		p.set(b, []string{tag}, nil)
		require.Equal(t, "manual", p.from(tag, b))
		list, _, err = p.Exceptions(p.ctx, tag, "", 20)
		require.NoError(t, err)
		require.Empty(t, list, "whoever gives it by hand lifts the exception")
	})
}

func TestOrderInsideAnExclusiveGroup(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		_, err := p.contacts.CreateGroup(p.ctx, contact.NewGroup{Name: "等级", Exclusive: true})
		require.NoError(t, err)
		gold, silver, hand, scored := p.tag("等级", "金"), p.tag("等级", "银"), p.tag("等级", "特批"), p.tag("等级", "活跃")
		a := p.person("a")
		p.put(gold, known())
		p.put(silver, known())
		p.put(scored, keen())
		has := func() map[string]string {
			out := map[string]string{}
			for name, tag := range map[string]string{"gold": gold, "silver": silver, "hand": hand, "scored": scored} {
				if from := p.from(tag, a); from != "" {
					out[name] = from
				}
			}
			return out
		}
		p.hand(p.did(a, "order.paid", `{"total":100}`, 0))
		require.Equal(t, map[string]string{"scored": "score"}, has())
		p.apply(truths{gold: numset.Of(a), silver: {}}, byFact, a)
		require.Equal(t, map[string]string{"gold": "rule"}, has(), "a rule stands above a score")
		p.apply(truths{gold: numset.Of(a), silver: numset.Of(a)}, byFact, a)
		require.Equal(t, map[string]string{"silver": "rule"}, has(), "the newer among equals")
		p.apply(truths{gold: numset.Of(a), silver: numset.Of(a)}, byFact, a)
		require.Equal(t, map[string]string{"silver": "rule"}, has(), "and no more than once")
		list, _, err := p.Exceptions(p.ctx, gold, "", 20)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, [3]string{"group", "银", "rule"}, [3]string{list[0].Reason, list[0].Winner.Name, list[0].Source})

		p.set(a, []string{hand}, nil)
		require.Equal(t, map[string]string{"hand": "manual"}, has())
		p.apply(truths{gold: numset.Of(a), silver: numset.Of(a)}, byFact, a)
		p.apply(truths{gold: numset.Of(a), silver: numset.Of(a)}, byStart)
		p.step()
		require.Equal(t, map[string]string{"hand": "manual"}, has(), "nothing stands above a hand")
		p.apply(truths{gold: {}, silver: numset.Of(a)}, byFact, a)
		p.set(a, nil, []string{hand})
		p.step()
		now := has()
		require.Len(t, now, 1)
		require.NotContains(t, now, "hand", "what stood in the way is gone: one of those that lost comes back")
	})
}

func TestModels(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a, b := p.tag("预测", "流失风险"), p.person("a"), p.person("b")
		given, err := p.Give(p.ctx, "churn", tag, a, 80)
		require.NoError(t, err)
		require.True(t, given)
		require.Equal(t, "model", p.from(tag, a))
		p.clock.Advance(100 * day)
		w, err := p.Weights(p.ctx, a)
		require.NoError(t, err)
		require.Equal(t, contact.TagWeight{Weight: 80}, w[tag], "a model's weight does not fade")
		for least, want := range map[float64]bool{80: true, 81: false} {
			got, err := p.contacts.Matching(p.ctx, &rule.Rule{V: 1, Node: rule.Node{Field: FieldName, Key: tag, Op: "gte", Value: least}}, "where", []int64{a, b})
			require.NoError(t, err)
			require.Equal(t, want, got.Has(a))
			require.False(t, got.Has(b))
		}
		require.NoError(t, p.Take(p.ctx, "churn", tag, a))
		require.Empty(t, p.from(tag, a))
		p.set(b, []string{tag}, nil)
		require.NoError(t, p.Take(p.ctx, "churn", tag, b))
		require.Equal(t, "manual", p.from(tag, b))
	})
}

func TestWeightField(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a, b := p.tag("意向", "高意向"), p.person("a"), p.person("b")
		d := keen()
		d.Score.Cap = 8
		p.put(tag, d)
		for range 3 {
			p.hand(p.did(a, "order.paid", `{"total":100}`, 0))
		}
		ask := func(op string, value any) []int64 {
			t.Helper()
			got, err := p.contacts.Matching(p.ctx, &rule.Rule{V: 1, Node: rule.Node{Field: FieldName, Key: tag, Op: op, Value: value}}, "where", nil)
			require.NoError(t, err)
			return got.List()
		}
		require.Equal(t, []int64{a}, ask("gte", 8.0))
		require.Empty(t, ask("gte", 9.0), "no score is more than the cap")
		require.Equal(t, 8.0, p.score(tag, a))
		require.Equal(t, []int64{b}, ask("lt", 8.0), "who has no score has 0")
		require.Equal(t, []int64{a, b}, ask("gte", 0.0))
		p.clock.Advance(14 * day) // 3.75
		require.Equal(t, []int64{a}, ask("between", []any{3.0, 3.0}))
		require.Empty(t, ask("between", []any{4.0, 9.0}))
		require.Equal(t, []int64{a}, ask("between", []any{2.0, 4.0}))
		_, err := p.contacts.Matching(p.ctx, &rule.Rule{V: 1, Node: rule.Node{Field: FieldName, Key: "tg_none", Op: "gte", Value: 1.0}}, "where", nil)
		require.ErrorContains(t, err, "rule.bad_key")
	})
}

func TestDelete(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, a, b := p.tag("状态", "会员"), p.person("a"), p.person("b")
		p.put(tag, known())
		p.apply(of(tag, a), byFact, a)
		p.set(b, []string{tag}, nil)
		require.NoError(t, p.Delete(p.ctx, tag, false))
		p.step()
		require.Equal(t, "rule", p.from(tag, a), "they keep it")
		_, err := p.Get(p.ctx, tag)
		require.ErrorContains(t, err, "autotag.none")
		p.put(tag, known())
		require.NoError(t, p.Delete(p.ctx, tag, true))
		again := New(p.Deps) // the program ended before the tags were taken
		require.NoError(t, again.Step(p.ctx))
		require.Equal(t, [2]string{"", "manual"}, [2]string{p.from(tag, a), p.from(tag, b)})
		left, err := p.all(p.ctx)
		require.NoError(t, err)
		require.Empty(t, left)
	})
}

func TestRefusals(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, other := p.tag("状态", "会员"), p.tag("状态", "其他")
		field := func(d Definition) string {
			_, err := p.Put(p.ctx, tag, d)
			require.Error(t, err)
			e := errs.As(err)
			require.Equal(t, errs.Invalid, e.Kind, "%v", err)
			require.NotEmpty(t, e.Fields)
			return e.Fields[0].Path + " " + e.Fields[0].Code
		}
		asks := func(id string) Definition {
			return Definition{Kind: ByRule, Rule: &rule.Rule{V: 1, Node: rule.Node{Field: "tag", Op: "hasAnyOf", Value: []any{id}}}}
		}
		score := func(change func(*Score)) Definition { d := keen(); change(d.Score); return d }
		require.Equal(t, "kind rule.not_a_value", field(Definition{Kind: "luck"}))
		require.Equal(t, "rule autotag.rule_needed", field(Definition{Kind: ByRule, Rule: &rule.Rule{V: 1}}))
		require.Equal(t, "rule audience.circle", field(asks(tag)))
		p.put(other, asks(tag))
		require.Equal(t, "rule audience.circle", field(asks(other)), "by way of another")
		require.Equal(t, "score.events rule.out_of_range", field(score(func(s *Score) { s.Events = nil })))
		require.Equal(t, "score.events[0].weight autotag.number_between", field(score(func(s *Score) { s.Events[0].Weight = -1 })))
		require.Equal(t, "score.events[0].name request.field_required", field(score(func(s *Score) { s.Events[0].Name = "" })))
		require.Equal(t, "score.halfLife autotag.number_between", field(score(func(s *Score) { s.HalfLife = 0 })))
		require.Equal(t, "score.lose autotag.lose_below_have", field(score(func(s *Score) { s.Lose = 5 })))
		require.Equal(t, "score.cap autotag.cap_above_have", field(score(func(s *Score) { s.Cap = 4 })))
		require.Equal(t, "keep autotag.keep_is_for_rules", field(Definition{Kind: ByScore, Keep: true, Score: keen().Score}))

		narrow := auth.With(t.Context(), &auth.Principal{ID: "us_2", Scope: auth.OwnedBy(auth.DataScope{}, "us_2"), Permissions: auth.Set(auth.All())})
		_, err := p.Preview(narrow, tag, keen())
		require.ErrorContains(t, err, "permission.scope")
		noSegments := auth.With(t.Context(), &auth.Principal{ID: "us_3", Scope: auth.Everybody(), Permissions: auth.Set([]auth.Permission{auth.TagWrite})})
		_, err = p.Put(noSegments, tag, known())
		require.ErrorContains(t, err, "permission.denied")
		_, err = p.Put(noSegments, tag, keen())
		require.NoError(t, err, "scores need no right to segments")
	})
}

func TestTagsThatEnd(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		tag, asked := p.tag("状态", "会员"), p.tag("来源", "门店")
		p.put(tag, Definition{Kind: ByRule, Rule: &rule.Rule{V: 1, Node: rule.Node{Field: "tag", Op: "hasAnyOf", Value: []any{asked}}}})
		ref, _, err := p.contacts.TagNamed(p.ctx, asked)
		require.NoError(t, err)
		uses, err := p.contacts.Uses(p.ctx, contact.Term{Tag: &ref})
		require.NoError(t, err)
		require.Equal(t, []contact.Use{{Kind: "autotag", ID: tag, Name: "状态 / 会员", Link: "/tags?automation=" + tag}}, uses)
		other := p.tag("来源", "线下")
		to, _, err := p.contacts.TagNamed(p.ctx, other)
		require.NoError(t, err)
		require.NoError(t, p.DB.Tx(p.ctx, func(ctx context.Context) error { return p.Moved(ctx, contact.Term{Tag: &ref}, &contact.Term{Tag: &to}) }))
		a, err := p.get(p.ctx, tag)
		require.NoError(t, err)
		require.Equal(t, []string{other}, a.def.Rule.Texts())
		_, err = p.contacts.DeleteTag(p.ctx, tag, true)
		require.NoError(t, err)
		left, err := p.all(p.ctx)
		require.NoError(t, err)
		require.Empty(t, left, "a tag that is gone is automatic no more")
	})
}

// The undo of the end of a tag brings back how it was given, and who is not to have it.
func TestTagsThatComeBack(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		rules, scores, asked := p.tag("状态", "会员"), p.tag("意向", "高意向"), p.tag("来源", "门店")
		a, b := p.person("a"), p.person("b")
		by := Definition{Kind: ByRule, Rule: &rule.Rule{V: 1, Node: rule.Node{Field: "tag", Op: "hasAnyOf", Value: []any{asked}}}}
		p.put(rules, by)
		p.put(scores, keen())
		p.hand(p.did(a, "order.paid", `{"total":100}`, 0), p.did(b, "order.paid", `{"total":100}`, 0))
		p.step()
		p.set(b, nil, []string{scores}) // by hand: it stays off
		end := func(id string, into *contact.Term) {
			ref, _, err := p.contacts.TagNamed(p.ctx, id)
			require.NoError(t, err)
			require.NoError(t, p.DB.Tx(p.ctx, func(ctx context.Context) error { return p.Moved(ctx, contact.Term{Tag: &ref}, into) }))
		}
		back := func(id string) error {
			return p.DB.Tx(p.ctx, func(ctx context.Context) error { return p.Returned(ctx, id) })
		}
		end(rules, nil)
		end(scores, nil)
		left, err := p.all(p.ctx)
		require.NoError(t, err)
		require.Empty(t, left)
		other := p.tag("来源", "线下")
		to, _, err := p.contacts.TagNamed(p.ctx, other)
		require.NoError(t, err)
		end(asked, &contact.Term{Tag: &to}) // what ended follows as well
		changed := p.rules.changed

		require.NoError(t, back(rules))
		require.NoError(t, back(scores))
		require.NoError(t, back(rules), "twice is once")
		require.Equal(t, changed+2, p.rules.changed, "the engine is told")
		got, err := p.Get(p.ctx, rules)
		require.NoError(t, err)
		require.Equal(t, []string{other}, got.Rule.Texts())
		require.Equal(t, "王芳", got.By.Name)
		p.step()
		require.Equal(t, "score", p.from(scores, a))
		require.Empty(t, p.from(scores, b), "somebody took it off")
		got, err = p.Get(p.ctx, scores)
		require.NoError(t, err)
		require.EqualValues(t, 1, got.Status.Exceptions)
		require.Equal(t, 2, count(p.audit.actions, "tag.automation_restored"))

		// A rule that somebody made meanwhile rests on it: the two would go in a circle.
		end(rules, nil)
		p.put(other, Definition{Kind: ByRule, Rule: &rule.Rule{V: 1, Node: rule.Node{Field: "tag", Op: "hasAnyOf", Value: []any{rules}}}})
		require.NoError(t, back(rules))
		_, err = p.Get(p.ctx, rules)
		require.Equal(t, "autotag.none", errs.CodeOf(err))

		// In a month it is forgotten.
		end(scores, nil)
		p.clock.Advance(31 * day)
		p.step()
		require.NoError(t, back(scores))
		_, err = p.Get(p.ctx, scores)
		require.Equal(t, "autotag.none", errs.CodeOf(err))
		var n int64
		require.NoError(t, p.DB.QueryRow(p.ctx, "select count(*) from tag_exceptions").Scan(&n))
		require.Zero(t, n)
	})
}

func count(list []string, what string) (n int) {
	for _, x := range list {
		if x == what {
			n++
		}
	}
	return n
}

func TestStartAndStop(t *testing.T) {
	eachPond(t, func(t *testing.T, p *pond) {
		require.NoError(t, p.Start(p.ctx))
		require.NoError(t, p.Start(p.ctx))
		tag, a := p.tag("意向", "高意向"), p.person("a")
		p.hand(p.did(a, "order.paid", `{"total":100}`, 0))
		_, err := p.Put(p.ctx, tag, keen())
		require.NoError(t, err)
		require.Eventually(t, func() bool { return p.from(tag, a) == "score" }, 30*time.Second, 10*time.Millisecond)
		require.NoError(t, p.Stop(p.ctx))
		require.NoError(t, p.Stop(p.ctx))
	})
}

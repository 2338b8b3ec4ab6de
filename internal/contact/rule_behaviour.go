package contact

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// Conditions on behaviour are answered by the analytics store, all those of a
// rule with one question: they share a scan there. They are asked for before the
// algebra begins (find), among the contacts that the rule's other conditions
// leave when those are few, else of everybody.

// verdict is what the analytics store said of one condition.
type verdict struct {
	numset.Choice
	among *numset.Set // of these alone; nil: of everybody
}

// behaviour makes the leaf of a condition on what was done.
func (c *compiler) behaviour(b *rule.Behaviour, path string) (expr, error) {
	if c.s.Behaviours == nil {
		return nil, rule.Fault(path, "rule.no_behaviour")
	}
	if err := c.paceGuesses(b); err != nil {
		return nil, err
	}
	return &leaf{did: b, set: keyOfBehaviour(b), args: []any{c.momentOf(b).UnixMilli()}}, nil
}

// paceGuesses holds back whoever tries out personal values that events brought,
// as a rule on a sealed attribute does: they can be asked for in full.
func (c *compiler) paceGuesses(b *rule.Behaviour) error {
	ask := func(property string, value any) error {
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, v := range list {
			text, ok := v.(string)
			if n, isNumber := v.(float64); isNumber {
				text, ok = strconv.FormatFloat(n, 'f', -1, 64), true
			}
			if !ok || !veil.Holds(property, quote(text)) {
				continue
			}
			if err := c.s.guesses.allowValue(c.ctx, c.s.Clock.Now(), property+" "+c.s.Keys.Index(property, text)); err != nil {
				return err
			}
		}
		return nil
	}
	var wheres []rule.Where
	switch {
	case b.Event != nil:
		wheres = b.Event.Where
		if err := ask(b.Event.Property, b.Event.Value); err != nil {
			return err
		}
	case b.Sequence != nil:
		for _, s := range b.Sequence.Steps {
			wheres = append(wheres, s.Where...)
		}
	case b.Habit != nil:
		wheres = b.Habit.Where
	}
	for _, w := range wheres {
		if err := ask(w.Property, w.Value); err != nil {
			return err
		}
	}
	return nil
}

// keyOfBehaviour names a condition on behaviour, however it is written.
func keyOfBehaviour(b *rule.Behaviour) string {
	r := rule.Rule{V: 1, Node: rule.Node{Behaviour: *b}}
	return string(r.JSON())
}

// momentOf is until when an answer means the same, facts apart: windows of
// minutes and hours move with every minute, others at midnight.
func (c *compiler) momentOf(b *rule.Behaviour) time.Time {
	var w *rule.Window
	switch {
	case b.Event != nil:
		w = b.Event.Within
	case b.Sequence != nil:
		w = b.Sequence.Within
	case b.Habit != nil && b.Habit.Kind == "resumed": // its silence is exact
		return c.now.Truncate(time.Minute)
	}
	if w != nil && (w.Unit == "minute" || w.Unit == "hour") {
		return c.now.Truncate(time.Minute)
	}
	return c.today
}

// find is choose for a whole expression: it asks for behaviour first. The
// verdict is the caller's to change.
func (r *setReader) find(e expr, within *numset.Set) (numset.Choice, error) {
	asked := behavioursIn(e, nil)
	if len(asked) == 0 {
		return r.choose(e, within)
	}
	plain, rest := apart(e)
	left := numset.Choice{Set: &numset.Set{}, Rest: true}
	if within != nil {
		left = numset.Choice{Set: within.Clone()}
	}
	wait := func() error { return nil }
	if len(plain.parts) > 0 {
		size, err := r.estimate(plain)
		if err != nil {
			return numset.Choice{}, err
		}
		if size >= estimateLimit && within == nil && !r.alone { // everybody is asked in any case: at the same time
			done := make(chan error, 1)
			go func() { done <- r.ask(asked, nil) }()
			wait = sync.OnceValue(func() error { return <-done })
		}
		got, err := r.choose(plain, within)
		if err != nil {
			_ = wait() // the first fault is told
			return numset.Choice{}, err
		}
		left = left.And(got)
	}
	if err := wait(); err != nil {
		return numset.Choice{}, err
	}
	among := left.Set
	switch {
	case left.Rest:
		among = nil
	case left.Set.Count() == 0:
		return left, nil
	case left.Set.Count() > fewNumbers:
		among = nil
	}
	if err := r.ask(asked, among); err != nil {
		return numset.Choice{}, err
	}
	ask := within
	if !left.Rest {
		ask = left.Set
	}
	got, err := r.choose(rest, ask)
	if err != nil {
		return numset.Choice{}, err
	}
	return left.And(got), nil
}

// behavioursIn lists the conditions on behaviour of an expression, each once.
func behavioursIn(e expr, out []*leaf) []*leaf {
	switch e := e.(type) {
	case *leaf:
		if e.did != nil && !slices.ContainsFunc(out, func(l *leaf) bool { return l.set == e.set }) {
			out = append(out, e)
		}
	case *group:
		for _, p := range e.parts {
			out = behavioursIn(p, out)
		}
	}
	return out
}

// apart divides what must hold into that which asks for no behaviour, and the rest.
func apart(e expr) (plain, rest *group) {
	plain, rest = &group{kind: "all"}, &group{kind: "all"}
	var sort func(e expr)
	sort = func(e expr) {
		g, ok := e.(*group)
		switch {
		case ok && g.kind == "all":
			for _, p := range g.parts {
				sort(p)
			}
		case len(behavioursIn(e, nil)) == 0:
			plain.parts = append(plain.parts, e)
		default:
			rest.parts = append(rest.parts, e)
		}
	}
	sort(e)
	return plain, rest
}

// ask has the analytics store answer the conditions that it has not answered
// for these contacts yet; nil is everybody.
func (r *setReader) ask(leaves []*leaf, among *numset.Set) error {
	q := analytics.BehaviourQuery{Now: r.now, Zone: r.s.zone(r.ctx)}
	var keys []string
	r.mu.Lock()
	for _, l := range leaves {
		if t, ok := r.told[l.set]; !ok || !t.covers(among) {
			q.Leaves = append(q.Leaves, *l.did)
			keys = append(keys, l.set)
		}
	}
	r.mu.Unlock()
	if len(keys) == 0 {
		return nil
	}
	if among != nil {
		q.Among = among.List()
	}
	got, err := r.s.Behaviours.Behaviour(r.ctx, q)
	if err != nil {
		return fmt.Errorf("ask for behaviour: %w", err)
	}
	if len(got) != len(keys) {
		return fmt.Errorf("%d conditions on behaviour have %d answers", len(keys), len(got))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told == nil {
		r.told = map[string]verdict{}
	}
	for i, key := range keys {
		r.told[key] = verdict{got[i], among}
	}
	return nil
}

// covers tells whether the answer speaks of all of some contacts; nil is everybody.
func (t verdict) covers(nums *numset.Set) bool {
	if t.among == nil {
		return true
	}
	if nums == nil {
		return false
	}
	for i := range nums.Words() {
		if nums.Word(i)&^t.among.Word(i) != 0 {
			return false
		}
	}
	return true
}

// didOf is whom a condition on behaviour holds for.
func (r *setReader) didOf(l *leaf, within *numset.Set) (numset.Choice, error) {
	among := within
	if within != nil && within.Count() > fewNumbers {
		among = nil
	}
	if err := r.ask([]*leaf{l}, among); err != nil { // as a rule it was asked for already
		return numset.Choice{}, err
	}
	r.mu.Lock()
	t := r.told[l.set]
	r.mu.Unlock()
	got := numset.Choice{Set: t.Set.Clone(), Rest: t.Rest}
	if within == nil { // the store knows of visitors and of contacts removed meanwhile
		shown, err := r.shownOf(got.Set)
		if err != nil {
			return numset.Choice{}, err
		}
		got.Set.And(shown)
		return got, nil
	}
	return got.And(numset.Choice{Set: within.Clone()}), nil
}

// estimateDid is about how many a condition on behaviour holds for. One that is
// not answered yet comes after all others but those that are turned round.
func (r *setReader) estimateDid(l *leaf) int64 {
	r.mu.Lock()
	t, ok := r.told[l.set]
	r.mu.Unlock()
	switch {
	case !ok && l.negate, ok && l.negate != t.Rest:
		return 2 * estimateLimit
	case !ok:
		return estimateLimit + 1
	}
	return max(1, min(t.Set.Count(), estimateLimit))
}

// Condition gives whom one condition of a rule (or a group of them) holds for,
// as things are now. With nil it speaks of all people, and an answer may be all
// but a set; with numbers, ascending, of those alone. What it says of others, of
// visitors and of contacts that are part of another means nothing: see Matching
// with the rule {"v":1} for who is a person. It knows no data scope. Paths in
// faults begin with "rule".
//
// Conditions on behaviour ask the analytics store: call it outside of
// transactions, or they stay open as long as a scan takes. Whoever has several
// of those asks analytics.Behaviours for all of them at once.
func (s *Service) Condition(ctx context.Context, n *rule.Node, within []int64) (numset.Choice, error) {
	f := &filter{kind: "shown = 1"}
	e, err := s.compiler(ctx, f).node(n, "rule")
	if err != nil {
		return numset.Choice{}, err
	}
	return s.setReader(ctx, f.kind).find(e, setOf(within))
}

// Matching gives the people whom a rule means, as things are now: of all, or of
// the numbers given, ascending. Visitors and contacts that are part of another
// are never among them. path is what the rule is called in faults. It knows no
// data scope: callers narrow what they show. The set is the caller's.
func (s *Service) Matching(ctx context.Context, r *rule.Rule, path string, within []int64) (*numset.Set, error) {
	f := &filter{kind: "shown = 1"}
	reader := s.setReader(ctx, f.kind)
	some := setOf(within)
	if some != nil {
		people, err := reader.read(s.amongSQL(contactsAmong+" and "+f.kind, 1), s.numbersArg(within))
		if err != nil {
			return nil, err
		}
		some = people
	}
	if r.Empty() {
		if some != nil {
			return some, nil
		}
		return reader.restOf(&numset.Set{})
	}
	if err := r.Check(path); err != nil {
		return nil, err
	}
	e, err := s.compiler(ctx, f).compile(r, path)
	if err != nil {
		return nil, err
	}
	return reader.numbers(e, some)
}

// setOf is the set of some numbers; nil stays nil.
func setOf(nums []int64) *numset.Set {
	if nums == nil {
		return nil
	}
	return numset.Of(nums...)
}

// CheckRule tells the first thing that is wrong with a rule that is to be kept:
// its form, or that it speaks of a field, tag, attribute, segment or value that
// there is not. Events may be named before they happen. Rules that are kept for
// everybody cannot say "me": whoever is asking would decide who is meant.
func (s *Service) CheckRule(ctx context.Context, r *rule.Rule, path string) error {
	if err := s.checkRule(ctx, r, path); err != nil || r.Empty() {
		return err
	}
	return eachPath(&r.Node, path, func(n *rule.Node, at string) error {
		if n.Field == "owner" && slices.Contains(n.Texts(), "me") {
			return rule.Fault(at+".value", "rule.no_me")
		}
		return nil
	})
}

// eachPath calls fn with every condition and its path, until one fails.
func eachPath(n *rule.Node, path string, fn func(n *rule.Node, path string) error) error {
	kind, parts := n.Parts()
	for i := range parts {
		if err := eachPath(&parts[i], fmt.Sprintf("%s.%s[%d]", path, kind, i), fn); err != nil {
			return err
		}
	}
	if n.Field != "" || !n.Behaviour.Empty() {
		return fn(n, path)
	}
	return nil
}

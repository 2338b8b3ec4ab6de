package contact

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// Estimate is how many people a rule means, of those whom the caller may see.
type Estimate struct {
	Count   int64     `json:"count"`
	Total   int64     `json:"total" doc:"All people whom the caller may see"`
	Percent float64   `json:"percent" doc:"Count of total, with two decimals"`
	Sample  []Row     `json:"sample" doc:"Up to ten of them, from the oldest contact to the newest"`
	Said    string    `json:"sentence" doc:"The rule in the caller's language"`
	AsOf    time.Time `json:"asOf" doc:"How old the oldest part of the answer is: at most a minute"`
	About   bool      `json:"about" doc:"The count is worked out from a sample, and right to within margin in 19 of 20 cases. Ask with exact to have everybody counted"`
	Margin  int64     `json:"margin" doc:"How far off the count is at most in 19 of 20 cases; 0 when it is exact"`
}

const sampleSize = 10

// Estimate counts whom a rule means while it is being written. Answers to single
// conditions are kept for a minute, so that a change of one asks for that one;
// the rows of the sample are as they are now. Among many contacts what is not
// known yet of behaviour is asked of a sample of them; exact has all counted.
func (s *Service) Estimate(ctx context.Context, r *rule.Rule, path string, exact bool) (Estimate, error) {
	if !r.Empty() {
		if err := r.Check(path); err != nil {
			return Estimate{}, err
		}
	}
	f := &filter{kind: "shown = 1"}
	q := &estimator{setReader: s.setReader(ctx, f.kind), known: map[string]numset.Choice{}}
	q.asOf = q.now
	out := Estimate{Sample: []Row{}, AsOf: q.now.UTC(), Said: s.Sentence(ctx, r)}
	var parts []expr
	if sc := auth.ScopeOf(ctx); !sc.All {
		if !f.within(sc) {
			return out, nil
		}
		from, _ := s.gatherFrom(f)
		parts = append(parts, &leaf{set: "select num as n from " + from + " where " + f.walking(), args: f.args})
	}
	seen := &group{"all", parts}
	if !r.Empty() {
		e, err := s.compiler(ctx, &filter{kind: f.kind}).compile(r, path)
		if err != nil {
			return Estimate{}, err
		}
		parts = append(parts, e)
	}
	asked := &group{"all", parts}
	q.exact = exact
	if err := q.prepare(asked); err != nil {
		return Estimate{}, err
	}
	found, all := q.numbers(asked), q.numbers(seen)
	out.Count, out.Total, out.AsOf = found.Count(), all.Count(), q.asOf.UTC()
	if q.sampled {
		found = sampleOf(found)
		out.About = true
		out.Count, out.Margin = scale(found.Count(), sampleOf(all).Count(), out.Total)
	}
	if out.Total > 0 {
		out.Percent = float64(out.Count*10_000/out.Total) / 100
	}
	rows, err := s.ListByNums(ctx, found.Spread(sampleSize))
	out.Sample = rows
	return out, err
}

// estimator combines kept answers to the conditions of one rule.
type estimator struct {
	*setReader
	asOf    time.Time
	exact   bool
	sampled bool // some answers speak of the sample alone

	got   sync.Mutex               // guards what follows
	known map[string]numset.Choice // of the whole list, by condition; nobody changes them
}

// everybodyKey is under which the whole list is kept.
const everybodyKey = "everybody"

// prepare finds the answers to all conditions of an expression: kept ones, and
// those that are asked for now, behaviour with one question.
func (q *estimator) prepare(e expr) error {
	var plain, did []*leaf
	for _, l := range leavesIn(e, nil) {
		switch {
		case q.kept(q.keyOf(l)):
		case l.did != nil && !q.exact && q.keptSample(l):
		case l.did != nil:
			did = append(did, l)
		default:
			plain = append(plain, l)
		}
	}
	var wait sync.WaitGroup
	var faults []error
	run := func(fn func() error) {
		do := func() {
			if err := fn(); err != nil {
				q.got.Lock()
				faults = append(faults, err)
				q.got.Unlock()
			}
		}
		if q.alone {
			do()
		} else {
			wait.Go(do)
		}
	}
	everybodyKept := q.kept(everybodyKey + q.shown)
	if everybodyKept {
		q.all = q.known[everybodyKey+q.shown].Set
	}
	if len(did) > 0 {
		run(func() error { return q.did(did) })
	}
	if !everybodyKept {
		run(func() error {
			all, err := q.everybody()
			if err == nil {
				q.take(everybodyKey+q.shown, numset.Choice{Set: all})
			}
			return err
		})
	}
	for _, l := range plain {
		run(func() error {
			c, err := q.choose(l, nil)
			if err == nil {
				q.take(q.keyOf(l), c)
			}
			return err
		})
	}
	wait.Wait()
	return errors.Join(faults...)
}

// kept takes an answer that is fresh enough.
func (q *estimator) kept(key string) bool {
	k, ok := q.s.answers.get(key, q.now)
	if !ok {
		return false
	}
	q.known[key] = k.Choice
	if k.at.Before(q.asOf) {
		q.asOf = k.at
	}
	return true
}

// take notes an answer, and keeps it for the next estimate.
func (q *estimator) take(key string, c numset.Choice) {
	q.got.Lock()
	q.known[key] = c
	q.got.Unlock()
	q.s.answers.put(key, c, q.now)
}

// sampleKey is under which the answer about a sample is kept.
const sampleKey = "sample "

// keptSample takes an answer about the sample that is fresh enough.
func (q *estimator) keptSample(l *leaf) bool {
	key := q.keyOf(l)
	if !q.kept(sampleKey + key) {
		return false
	}
	q.known[key] = q.known[sampleKey+key]
	q.sampled = true
	return true
}

// did asks the analytics store.
func (q *estimator) did(leaves []*leaf) error {
	if !q.exact {
		sample, err := q.worthSampling()
		if err != nil {
			return err
		}
		if sample {
			return q.didInSample(leaves)
		}
	}
	if err := q.ask(leaves, nil); err != nil {
		return err
	}
	for _, l := range leaves {
		q.take(q.keyOf(l), q.told[l.set].Choice)
	}
	return nil
}

// didInSample asks the analytics store about the sample.
func (q *estimator) didInSample(leaves []*leaf) error {
	ask := analytics.BehaviourQuery{Now: q.now, Zone: q.s.zone(q.ctx), Share: estimateShare}
	for _, l := range leaves {
		ask.Leaves = append(ask.Leaves, *l.did)
	}
	got, err := q.s.Behaviours.Behaviour(q.ctx, ask)
	if err != nil {
		return fmt.Errorf("ask for behaviour in a sample: %w", err)
	}
	if len(got) != len(leaves) {
		return fmt.Errorf("%d conditions on behaviour have %d answers", len(leaves), len(got))
	}
	q.got.Lock()
	defer q.got.Unlock()
	for i, l := range leaves {
		key := q.keyOf(l)
		q.known[key], q.sampled = got[i], true
		q.s.answers.put(sampleKey+key, got[i], q.now)
	}
	return nil
}

func (q *estimator) keyOf(l *leaf) string {
	var b strings.Builder
	b.WriteString(q.shown)
	l.describe(&b)
	return b.String()
}

// combine gives whom an expression holds for; the answer is the caller's to change.
func (q *estimator) combine(e expr) numset.Choice {
	switch e := e.(type) {
	case *leaf:
		positive := *e
		positive.negate = false
		c := q.known[q.keyOf(&positive)]
		c.Set = c.Set.Clone()
		if e.negate {
			c = c.Not()
		}
		return c
	case *group:
		out := numset.Choice{Set: &numset.Set{}, Rest: true}
		for _, p := range e.parts {
			c := q.combine(p)
			if e.kind != "all" {
				c = c.Not()
			}
			out = out.And(c)
		}
		if e.kind == "any" {
			out = out.Not()
		}
		return out
	}
	return numset.Choice{Set: &numset.Set{}}
}

// numbers lists whom an expression holds for, of the whole list.
func (q *estimator) numbers(e expr) *numset.Set {
	all := q.known[everybodyKey+q.shown].Set.Clone() // the analytics store knows of visitors, and of contacts removed meanwhile
	return q.combine(e).And(numset.Choice{Set: all}).Set
}

// leavesIn lists the conditions of an expression, each once.
func leavesIn(e expr, out []*leaf) []*leaf {
	switch e := e.(type) {
	case *leaf:
		same := func(l *leaf) bool { return l.set == e.set && slices.Equal(l.args, e.args) }
		if slices.ContainsFunc(out, same) {
			return out
		}
		positive := *e
		positive.negate = false
		return append(out, &positive)
	case *group:
		for _, p := range e.parts {
			out = leavesIn(p, out)
		}
	}
	return out
}

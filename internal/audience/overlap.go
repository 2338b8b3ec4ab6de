package audience

import (
	"context"
	"math/bits"
	"slices"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// Overlap is how some segments lie on each other.
type Overlap struct {
	Segments []OverlapOne `json:"segments"`
	Areas    []Area       `json:"areas" doc:"Every combination, those in most segments first; together they are everybody in any"`
	Any      int64        `json:"any" doc:"People in any of them"`
	Every    int64        `json:"every" doc:"People in all of them"`
}

// OverlapOne is one of the segments.
type OverlapOne struct {
	contact.Ref
	Members int64 `json:"members"`
	Only    int64 `json:"only" doc:"In this one alone"`
}

// Area is the people who are in some of the segments and in none of the others.
type Area struct {
	In    []string   `json:"in" doc:"Segment ids"`
	Out   []string   `json:"out"`
	Count int64      `json:"count"`
	Rule  *rule.Rule `json:"rule" doc:"The list of contacts filtered by it shows them"`
}

// manyOf reads the visible members of segments, in the order of the ids.
func (s *Service) manyOf(ctx context.Context, field string, ids []string) ([]*segment, []*numset.Set, *contact.Crowd, error) {
	crowd, err := s.Contacts.Crowd(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	list, sets := make([]*segment, len(ids)), make([]*numset.Set, len(ids))
	for i, id := range ids {
		if list[i], err = s.get(ctx, id); errs.As(err) != nil && errs.As(err).Kind == errs.NotFound {
			return nil, nil, nil, errs.New(errs.Invalid, "request.invalid").On(errs.At(field, "audience.no_such_segment"))
		}
		if err != nil {
			return nil, nil, nil, err
		}
		set, err := s.kept(ctx, list[i])
		if err != nil {
			return nil, nil, nil, err
		}
		sets[i] = crowd.Of(set)
	}
	return list, sets, crowd, nil
}

// Overlap counts every combination of two to five segments.
func (s *Service) Overlap(ctx context.Context, ids []string) (Overlap, error) {
	var each []string
	for _, id := range ids {
		if !slices.Contains(each, id) {
			each = append(each, id)
		}
	}
	if len(each) < leastOverlap || len(each) > maxOverlap {
		return Overlap{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("ids", "audience.overlap_some", "least", leastOverlap, "limit", maxOverlap))
	}
	list, sets, _, err := s.manyOf(ctx, "ids", each)
	if err != nil {
		return Overlap{}, err
	}
	counts := combinations(sets)
	out := Overlap{Areas: []Area{}, Every: counts[len(counts)-1]}
	for i, g := range list {
		out.Segments = append(out.Segments, OverlapOne{Ref: contact.Ref{ID: g.id, Name: g.name}, Members: sets[i].Count(), Only: counts[1<<i]})
	}
	for mask := 1; mask < len(counts); mask++ {
		out.Any += counts[mask]
		a := Area{In: []string{}, Out: []string{}, Count: counts[mask]}
		for i, g := range list {
			if mask&(1<<i) != 0 {
				a.In = append(a.In, g.id)
			} else {
				a.Out = append(a.Out, g.id)
			}
		}
		a.Rule = areaRule(a.In, a.Out)
		out.Areas = append(out.Areas, a)
	}
	slices.SortStableFunc(out.Areas, func(a, b Area) int { return len(b.In) - len(a.In) })
	return out, nil
}

// combinations counts those in exactly the sets of each mask, in one pass over all words.
func combinations(sets []*numset.Set) []int64 {
	out := make([]int64, 1<<len(sets))
	reach := 0
	for _, s := range sets {
		reach = max(reach, s.Words())
	}
	for w := range reach {
		any := uint64(0)
		for _, s := range sets {
			any |= s.Word(w)
		}
		if any == 0 {
			continue
		}
		for mask := 1; mask < len(out); mask++ {
			word := any
			for i, s := range sets {
				if mask&(1<<i) != 0 {
					word &= s.Word(w)
				} else {
					word &^= s.Word(w)
				}
			}
			out[mask] += int64(bits.OnesCount64(word))
		}
	}
	return out
}

// areaRule says an area as a rule.
func areaRule(in, out []string) *rule.Rule {
	var all []rule.Node
	for _, id := range in {
		all = append(all, rule.Node{Field: Field, Op: "in", Value: []any{id}})
	}
	if len(out) > 0 {
		list := make([]any, len(out))
		for i, id := range out {
			list[i] = id
		}
		all = append(all, rule.Node{Field: Field, Op: "notIn", Value: list})
	}
	return &rule.Rule{V: 1, Node: rule.Node{All: all}}
}

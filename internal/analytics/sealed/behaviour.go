package sealed

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event/jsonscan"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

var (
	_ analytics.Behaviours = (*Store)(nil)
	_ analytics.Witness    = (*Store)(nil)
	_ analytics.Rememberer = (*Store)(nil)
)

// Behaviour implements analytics.Behaviours. Of sealed values it can be told
// whether they are the ones that a condition names, and how many different ones
// there are; all else holds for none of them, as package rule says.
func (s *Store) Behaviour(ctx context.Context, q analytics.BehaviourQuery) ([]numset.Choice, error) {
	q, err := s.sealQuery(q)
	if err != nil {
		return nil, err
	}
	return s.Engine.Behaviour(ctx, q)
}

// Remember implements analytics.Rememberer.
func (s *Store) Remember(q analytics.BehaviourQuery) error {
	q, err := s.sealQuery(q)
	if err != nil {
		return err
	}
	return s.Engine.Remember(q)
}

// Evidence implements analytics.Witness.
func (s *Store) Evidence(ctx context.Context, q analytics.BehaviourQuery) ([]rule.Evidence, error) {
	q, err := s.sealQuery(q)
	if err != nil {
		return nil, err
	}
	out, err := s.Engine.Evidence(ctx, q)
	for i := range out {
		if text, ok := out[i].Measure.(string); ok {
			out[i].Measure = s.openKey(text)
		}
	}
	return out, err
}

// sealQuery gives the question with leaves that also look for the sealed forms of
// their values. The caller's are untouched.
func (s *Store) sealQuery(q analytics.BehaviourQuery) (analytics.BehaviourQuery, error) {
	q.Leaves = slices.Clone(q.Leaves)
	var fault error
	compare := func(property string, op *string, value *any) {
		if err := s.sealCompare(property, op, value); err != nil && fault == nil {
			fault = fmt.Errorf("seal a condition on %q: %w", property, err)
		}
	}
	where := func(in []rule.Where) []rule.Where {
		out := slices.Clone(in)
		for i := range out {
			compare(out[i].Property, &out[i].Op, &out[i].Value)
		}
		return out
	}
	for i := range q.Leaves {
		l := &q.Leaves[i]
		switch {
		case l.Event != nil:
			e := *l.Event
			e.Where = where(e.Where)
			if e.Measure == "first" || e.Measure == "last" {
				compare(e.Property, &e.Op, &e.Value)
			}
			l.Event = &e
		case l.Sequence != nil:
			seq := *l.Sequence
			seq.Steps = slices.Clone(seq.Steps)
			for k := range seq.Steps {
				seq.Steps[k].Where = where(seq.Steps[k].Where)
			}
			l.Sequence = &seq
		case l.Habit != nil:
			h := *l.Habit
			h.Where = where(h.Where)
			l.Habit = &h
		}
	}
	return q, fault
}

// sealCompare makes a comparison with a personal value one with all of its
// forms: in clear, as facts lie that came before they were sealed, and under
// each key there is.
func (s *Store) sealCompare(property string, op *string, value *any) error {
	var values []any
	many := map[string]string{"is": "in", "isNot": "notIn", "in": "in", "notIn": "notIn"}[*op]
	switch v := (*value).(type) {
	case []any:
		values = v
	default:
		values = []any{v}
	}
	if many == "" {
		return nil
	}
	out := slices.Clone(values)
	for _, v := range values {
		for _, raw := range spellings(v) {
			if !veil.Holds(property, raw) {
				continue
			}
			forms, err := s.keys.FixedForms(valueField, raw)
			if err != nil {
				return err
			}
			for _, f := range forms {
				out = append(out, f)
			}
		}
	}
	if len(out) > len(values) {
		*op, *value = many, out
	}
	return nil
}

// spellings are the JSON texts that facts write a value in. Other spellings of
// the same (escapes that are not needed, 1.0 for 1) are not found once sealed.
func spellings(v any) [][]byte {
	switch v := v.(type) {
	case string:
		out := [][]byte{jsonscan.Quote(nil, v)}
		if plain(v) {
			out = append(out, []byte(v))
		}
		return out
	case float64:
		text := strconv.FormatFloat(v, 'f', -1, 64)
		return [][]byte{[]byte(text), jsonscan.Quote(nil, text)}
	}
	return nil
}

// plain tells whether a text is a whole number as JSON has it.
func plain(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == "" && (text[0] != '0' || text == "0")
}

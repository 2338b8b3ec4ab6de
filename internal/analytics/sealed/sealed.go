package sealed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/secret"
)

// Keyring seals values so that equal ones stay equal (secret.Ring implements it).
type Keyring interface {
	Fixed(field string, plain []byte) (string, error)
	FixedForms(field string, plain []byte) ([]string, error)
	OpenFixed(field, text string) ([]byte, error)
}

// Under these names the values of facts are sealed: JSON texts, and identifiers.
const (
	valueField = "fact.value"
	idField    = "fact.id"
)

// Engine is a store that can go over its facts again, and answers conditions on behaviour.
type Engine interface {
	analytics.Store
	analytics.Rewriter
	analytics.Behaviours
	analytics.Witness
	analytics.Worths
	analytics.Rememberer
	analytics.Tracer
}

// Store is an analytics.Store whose engine holds personal values sealed.
type Store struct {
	Engine
	keys Keyring
}

var _ analytics.Store = (*Store)(nil)

// Wrap puts the sealing in front of an engine.
func Wrap(e Engine, keys Keyring) *Store { return &Store{e, keys} }

// Forms gives an identifier as the engine may hold it: in clear when it is not
// personal, else sealed, under each key there is (facts sealed under an older
// one are sealed anew in the background), and in clear, as facts lie that came
// before they were sealed. Every question to the engine that compares user ids,
// anonymous ids or other identifiers of facts, such as moving the facts of one
// side when a merge is undone, must look for all of them.
func (s *Store) Forms(kind, value string) ([]string, error) {
	if !veil.PersonalID(kind, value) {
		return []string{value}, nil
	}
	forms, err := s.keys.FixedForms(idField, []byte(value))
	if err != nil {
		return nil, err
	}
	return append(forms, value), nil
}

// Append implements analytics.Store.
func (s *Store) Append(ctx context.Context, b analytics.Batch) error {
	rows := slices.Clone(b.Rows)
	for i := range rows {
		if err := s.seal(&rows[i].Fact); err != nil {
			return fmt.Errorf("seal fact %s: %w", rows[i].MessageID, err)
		}
	}
	b.Rows = rows
	return s.Engine.Append(ctx, b)
}

// seal changes a fact that nobody else holds; what its slices point to stays.
func (s *Store) seal(f *event.Fact) error {
	var err error
	for _, id := range [...]struct {
		kind  string
		value *string
	}{{"user_id", &f.UserID}, {"anonymous_id", &f.AnonymousID}, {"previous_id", &f.PreviousID}, {"group_id", &f.GroupID}} {
		if *id.value, err = s.sealID(id.kind, *id.value); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(f.Identifiers, func(id event.Identifier) bool { return veil.PersonalID(id.Kind, id.Value) }) {
		f.Identifiers = slices.Clone(f.Identifiers)
		for i := range f.Identifiers {
			id := &f.Identifiers[i]
			if id.Value, err = s.sealID(id.Kind, id.Value); err != nil {
				return err
			}
		}
	}
	value := func(v []byte) (string, error) { return s.keys.Fixed(valueField, v) }
	for _, part := range [...]struct {
		raw    *json.RawMessage
		person bool
	}{{&f.Properties, false}, {&f.Traits, true}, {&f.Context, false}} {
		if *part.raw, err = veil.Seal(*part.raw, part.person, value); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) sealID(kind, value string) (string, error) {
	if value == "" || !veil.PersonalID(kind, value) {
		return value, nil
	}
	return s.keys.Fixed(idField, []byte(value))
}

// open is the way back. What cannot be opened (its key is gone, or a client
// sent something that looks sealed) stays as it is: nothing is told by it.
func (s *Store) open(f *event.Fact) {
	for _, id := range [...]*string{&f.UserID, &f.AnonymousID, &f.PreviousID, &f.GroupID} {
		*id = s.openID(*id)
	}
	for i := range f.Identifiers {
		f.Identifiers[i].Value = s.openID(f.Identifiers[i].Value)
	}
	for _, raw := range [...]*json.RawMessage{&f.Properties, &f.Traits, &f.Context} {
		*raw = veil.Unseal(*raw, secret.FixedPrefix, s.openValue)
	}
}

func (s *Store) openID(text string) string {
	if secret.FixedKey(text) == "" {
		return text
	}
	if plain, err := s.keys.OpenFixed(idField, text); err == nil {
		return string(plain)
	}
	return text
}

func (s *Store) openValue(text string) ([]byte, bool) {
	plain, err := s.keys.OpenFixed(valueField, text)
	return plain, err == nil
}

func (s *Store) openRows(rows []analytics.Row, err error) ([]analytics.Row, error) {
	for i := range rows {
		s.open(&rows[i].Fact)
	}
	return rows, err
}

// ErrCannotDecay tells that the engine does not add up weights that fade.
var ErrCannotDecay = errors.New("the analytics engine does not add up weights that fade")

// DecayedSums implements analytics.Decayer: conditions look at properties as they were sent.
func (s *Store) DecayedSums(ctx context.Context, q analytics.DecayQuery) ([]analytics.Decayed, event.Position, error) {
	e, ok := s.Engine.(analytics.Decayer)
	if !ok {
		return nil, event.Position{}, ErrCannotDecay
	}
	q.Weights = slices.Clone(q.Weights)
	for i, w := range q.Weights {
		if w.Matches != nil {
			q.Weights[i].Matches = func(p json.RawMessage) bool { return w.Matches(veil.Unseal(p, secret.FixedPrefix, s.openValue)) }
		}
	}
	return e.DecayedSums(ctx, q)
}

// After implements analytics.Store.
func (s *Store) After(ctx context.Context, pos event.Position, limit int) ([]analytics.Row, error) {
	return s.openRows(s.Engine.After(ctx, pos, limit))
}

// Timeline implements analytics.Store.
func (s *Store) Timeline(ctx context.Context, q analytics.TimelineQuery) ([]analytics.Row, error) {
	return s.openRows(s.Engine.Timeline(ctx, q))
}

// openKey opens a group's key: the text of a property's value.
func (s *Store) openKey(k string) string {
	if !strings.HasPrefix(k, secret.FixedPrefix) {
		return k
	}
	plain, ok := s.openValue(k)
	if !ok {
		return k
	}
	var text string
	if json.Unmarshal(plain, &text) == nil {
		return text
	}
	return string(plain)
}

// Totals implements analytics.Store.
func (s *Store) Totals(ctx context.Context, q analytics.TotalsQuery) ([]analytics.GroupRow, error) {
	rows, err := s.Engine.Totals(ctx, q)
	for i := range rows {
		rows[i].Key = s.openKey(rows[i].Key)
	}
	return rows, err
}

// Trend implements analytics.Store.
func (s *Store) Trend(ctx context.Context, q analytics.TrendQuery) (analytics.Trend, error) {
	t, err := s.Engine.Trend(ctx, q)
	for i := range t.Series {
		t.Series[i].Key = s.openKey(t.Series[i].Key)
	}
	return t, err
}

// Reseal goes over at most limit stored facts beyond a position and seals anew
// what lies there in clear or under an older key. It returns where it came to,
// how many facts it saw (fewer than limit: that was the end), and how many it changed.
func (s *Store) Reseal(ctx context.Context, after event.Position, limit int) (to event.Position, seen, changed int, err error) {
	return s.Rewrite(ctx, after, limit, func(f *event.Fact) error {
		s.open(f)
		return s.seal(f)
	})
}

// Under tells how many facts hold something sealed with a key.
func (s *Store) Under(ctx context.Context, keyID string) (int64, error) {
	return s.Mentioning(ctx, secret.FixedPrefix+keyID+".")
}

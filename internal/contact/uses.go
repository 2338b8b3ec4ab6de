package contact

import (
	"context"
	"fmt"
)

// Use is a place that refers to an attribute or a tag: a saved view, the
// mapping of an import. It changes its meaning when that goes.
type Use struct {
	Kind string `json:"kind" doc:"view, mapping, segment…"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
	Link string `json:"link,omitempty" doc:"Console path"`
}

// Term is what places refer to: a tag, or an attribute, or one option of it.
type Term struct {
	Tag       *TagRef
	Attribute string // key; of built-in ones as in GET /api/attributes
	Option    string // id; "" is the whole attribute
}

// Referrer is a part of the program that keeps references to attributes and
// tags. Uses lists the places that refer to a term, as the caller may see them.
// Moved makes them follow when a term ends: into has taken its place, or, nil,
// nothing has. It runs in the transaction that ends the term, and must leave
// alone what cannot follow. When that is undone, references stay with what they followed to.
type Referrer interface {
	Uses(ctx context.Context, of Term) ([]Use, error)
	Moved(ctx context.Context, from Term, into *Term) error
}

// Returner is a Referrer that keeps what ended together with a tag. Returned brings
// it back in the transaction that makes the tag again, when its merge or deletion
// is undone.
type Returner interface {
	Referrer
	Returned(ctx context.Context, tag string) error
}

// AddReferrer registers a part that refers to attributes and tags. Call it while wiring.
func (s *Service) AddReferrer(r Referrer) { s.referrers = append(s.referrers, r) }

// Uses lists where a term is used.
func (s *Service) Uses(ctx context.Context, of Term) ([]Use, error) {
	out := []Use{}
	for _, r := range s.referrers {
		uses, err := r.Uses(ctx, of)
		if err != nil {
			return nil, fmt.Errorf("find uses: %w", err)
		}
		out = append(out, uses...)
	}
	return out, nil
}

// returned lets what ended with a tag come back.
func (s *Service) returned(ctx context.Context, tag string) error {
	for _, r := range s.referrers {
		if b, ok := r.(Returner); ok {
			if err := b.Returned(ctx, tag); err != nil {
				return fmt.Errorf("bring back what ended with a tag: %w", err)
			}
		}
	}
	return nil
}

// moved lets every reference follow a term that ends.
func (s *Service) moved(ctx context.Context, from Term, into *Term) error {
	for _, r := range s.referrers {
		if err := r.Moved(ctx, from, into); err != nil {
			return fmt.Errorf("follow what has moved: %w", err)
		}
	}
	return nil
}

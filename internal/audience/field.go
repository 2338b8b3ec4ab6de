package audience

import (
	"context"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// field filters lists of contacts by the segments they are in.
type field struct{ s *Service }

// Field is membership as a condition of rules.
func (s *Service) Field() contact.Field { return field{s} }

// Views implements contact.Field. Archived segments stay, so that what rests on
// them still means something; their label says so.
func (f field) Views(ctx context.Context) ([]contact.FieldView, error) {
	all, err := f.s.all(ctx)
	if err != nil {
		return nil, err
	}
	v := contact.FieldView{Label: httpx.Say(ctx, "contact.field.segment", nil), Group: "work", Options: []contact.Option{}}
	var away []contact.Option
	for _, g := range all {
		if g.archived > 0 {
			away = append(away, contact.Option{Value: g.id, Label: httpx.Say(ctx, "audience.archived_name", map[string]any{"name": g.name})})
		} else {
			v.Options = append(v.Options, contact.Option{Value: g.id, Label: g.name})
		}
	}
	v.Options = append(v.Options, away...)
	return []contact.FieldView{v}, nil
}

// Among implements contact.Field.
func (f field) Among(ctx context.Context, _, id string) (contact.Among, error) {
	g, err := f.s.get(ctx, id)
	if err != nil {
		return contact.Among{}, err
	}
	set, err := f.s.kept(ctx, g)
	if err != nil {
		return contact.Among{}, err
	}
	return contact.Among{Set: set}, nil
}

package livecode

import (
	"context"
	"slices"

	"github.com/koipond/koipond/internal/platform/auth"
)

// whose are the colleagues of an account whose figures the caller may see: all,
// or those who are users whose customers the caller sees.
func (s *Service) whose(ctx context.Context, account string) (whose, error) {
	scope := auth.ScopeOf(ctx)
	if scope.All {
		return whose{all: true}, nil
	}
	staff, err := s.colleagues(ctx, account)
	if err != nil {
		return whose{}, err
	}
	var w whose
	for _, c := range staff.list {
		if c.User != "" && scope.Sees(c.User) {
			w.ids = append(w.ids, c.ID)
		}
	}
	return w, nil
}

// sees tells whether the caller may see a code: one in whose pool stands somebody
// whose figures they see.
func (s *Service) sees(ctx context.Context, c *Code) (bool, error) {
	w, err := s.whose(ctx, c.Account)
	if err != nil || w.all {
		return w.all, err
	}
	return slices.ContainsFunc(c.named(), func(id string) bool { return slices.Contains(w.ids, id) }), nil
}

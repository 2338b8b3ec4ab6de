package consent

import "context"

// FromForm is a box that was ticked on a landing page.
const FromForm Source = "form"

// Askable lists the purposes that a form may ask for: those in use that rest on
// consent, or to which somebody can object.
func (s *Service) Askable(ctx context.Context) ([]*Purpose, error) {
	list, err := s.Purposes(ctx)
	if err != nil {
		return nil, err
	}
	var out []*Purpose
	for _, p := range list {
		if !p.Archived && p.Basis != Contract && p.ID != Everything {
			out = append(out, p)
		}
	}
	return out, nil
}

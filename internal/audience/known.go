package audience

import "context"

// Known tells which of some ids are segments.
func (s *Service) Known(ctx context.Context, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	for _, g := range all {
		have[g.id] = true
	}
	var out []string
	for _, id := range ids {
		if have[id] {
			out = append(out, id)
		}
	}
	return out, nil
}

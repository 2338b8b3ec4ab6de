package contact

import (
	"context"
	"fmt"
)

// KnownTags tells which of the ids are tags that can be given, in their order.
func (s *Service) KnownTags(ctx context.Context, ids []string) ([]string, error) {
	infos, err := s.tagInfos(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, id := range ids {
		if t, ok := infos[id]; ok && t.ID == id && !t.archived {
			out = append(out, id)
		}
	}
	return out, nil
}

// GiveTags gives tags to people because of where they came in, such as a live code
// by its id and name, and states it. Whoever has another tag of an exclusive group
// from a higher source keeps that. It must run in a transaction.
func (s *Service) GiveTags(ctx context.Context, nums []int64, tags []string, code, name string) error {
	if err := lock(ctx, s.DB); err != nil {
		return err
	}
	infos, err := s.tagInfos(ctx, tags)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	by := giving{at: now.UnixMilli(), byID: code, byName: name, source: SourceCode}
	for _, id := range tags {
		t, ok := infos[id]
		if !ok || t.ID != id || t.archived {
			continue
		}
		win, _, err := s.winners(ctx, t, nums, SourceCode)
		if err != nil {
			return err
		}
		done, err := s.applyTags(ctx, win, []tagInfo{t}, nil, by)
		if err != nil {
			return err
		}
		if err := s.Emit.Emit(ctx, s.tagFacts(done, now, name, "", map[string]any{"source": SourceCode, "code": code})...); err != nil {
			return fmt.Errorf("state tags: %w", err)
		}
	}
	return nil
}

package link

import (
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/platform/db"
)

// Marked is told which contacts are taken to be no people from now on, and which
// are taken for people again.
func (s *Service) Marked(ctx context.Context, fake, real []int64) error {
	for value, nums := range [][]int64{real, fake} {
		for len(nums) > 0 {
			part := nums[:min(len(nums), 500)]
			nums = nums[len(part):]
			args := []any{int64(value)}
			for _, n := range part {
				args = append(args, n)
			}
			if _, err := s.DB.Exec(ctx, "update link_opens set fake = $1 where contact in ("+db.In(2, len(part))+")", args...); err != nil {
				return fmt.Errorf("mark openings: %w", err)
			}
		}
	}
	return nil
}

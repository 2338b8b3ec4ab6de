package contact

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
)

// Brief is what others show of a contact beside its number.
type Brief struct {
	ID   string
	Name string
	Kind event.Kind
}

// Describe gives id, name and kind by number; unknown numbers are left out. A
// merged contact is described as whom it is part of now.
func (s *Service) Describe(ctx context.Context, nums []int64) (map[int64]Brief, error) {
	into, err := s.Survivors(ctx, nums)
	if err != nil {
		return nil, err
	}
	asked := nums
	nums = make([]int64, len(asked))
	for i, n := range asked {
		nums[i] = cmp.Or(into[n], n)
	}
	out, err := s.describe(ctx, nums)
	if err != nil {
		return nil, err
	}
	for from, root := range into {
		if b, ok := out[root]; ok {
			out[from] = b
		}
	}
	return out, nil
}

func (s *Service) describe(ctx context.Context, nums []int64) (map[int64]Brief, error) {
	const chunk = 500
	out := make(map[int64]Brief, len(nums))
	for len(nums) > 0 {
		part := nums[:min(chunk, len(nums))]
		nums = nums[len(part):]
		args := make([]any, len(part))
		for i, n := range part {
			args[i] = n
		}
		rows, err := s.DB.Query(ctx, "select num, id, name, kind from contacts where num in ("+db.In(1, len(part))+")", args...)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
			var n int64
			var b Brief
			var kind string
			err := r.Scan(&n, &b.ID, &b.Name, &kind)
			b.Kind = event.Kind(kind)
			out[n] = b
			return struct{}{}, err
		})
		if err != nil {
			return nil, fmt.Errorf("describe contacts: %w", err)
		}
	}
	return out, nil
}

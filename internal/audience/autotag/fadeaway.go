package autotag

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/koipond/koipond/internal/platform/db"
)

// fade takes tags from those whose score has faded below the lower threshold.
// When that is stands with every score, so finding them reads nobody else.
func (s *Service) fade(ctx context.Context) error {
	for {
		n, err := s.fadeSome(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
}

func (s *Service) fadeSome(ctx context.Context) (n int, err error) {
	s.scoring.Lock()
	defer s.scoring.Unlock()
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.Contacts.Survivors(ctx, nil); err != nil { // takes the lock of contacts before anything is written
			return err
		}
		n = 0
		all, err := s.all(ctx)
		if err != nil {
			return err
		}
		serving := map[int64]*automation{}
		for _, a := range all {
			if a.serves() {
				serving[a.sums] = a
			}
		}
		now := s.Clock.Now().UnixMilli()
		due := map[int64][]int64{}
		old := map[int64][]int64{}
		rows, err := s.DB.Query(ctx, "select sums, contact, ends_at from tag_scores where ends_at > 0 and ends_at <= $1 order by ends_at limit $2", now, batchSize)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
			var sums, num, ends int64
			err := r.Scan(&sums, &num, &ends)
			n++
			if now-ends > late.Milliseconds() { // the program stood still for long
				old[sums] = append(old[sums], num)
			} else {
				due[sums] = append(due[sums], num)
			}
			return struct{}{}, err
		})
		if err != nil {
			return fmt.Errorf("find scores that have faded: %w", err)
		}
		for live, list := range map[bool]map[int64][]int64{true: due, false: old} {
			for sums, nums := range list {
				if err := s.end(ctx, sums, nums); err != nil {
					return err
				}
				if a := serving[sums]; a != nil {
					if err := s.change(ctx, a, a.activeVersion, nil, nums, reasonLapse, live); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	return n, err
}

// end notes that contacts do not have the tag any more.
func (s *Service) end(ctx context.Context, sums int64, nums []int64) error {
	for len(nums) > 0 {
		part := nums[:min(inLists, len(nums))]
		nums = nums[len(part):]
		args := []any{sums}
		for _, n := range part {
			args = append(args, n)
		}
		if _, err := s.DB.Exec(ctx, "update tag_scores set ends_at = 0 where sums = $1 and contact in ("+db.In(2, len(part))+")", args...); err != nil {
			return fmt.Errorf("end scores: %w", err)
		}
	}
	return nil
}

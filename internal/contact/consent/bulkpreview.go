package consent

import (
	"context"
	"time"

	"github.com/koipond/koipond/internal/contact"
)

// BulkPreview says what a change of many would do.
type BulkPreview struct {
	Total    int64 `json:"total" doc:"People chosen"`
	Checked  int64 `json:"checked" doc:"People looked at: fewer than the total when there was no time for all"`
	Changing int64 `json:"changing" doc:"Of those looked at, people whose consent would change"`
	Kept     int64 `json:"kept" doc:"Of those looked at, people who withdrew and would be left alone"`
	Complete bool  `json:"complete"`
}

// previewTime is how long a preview looks: some 200,000 people.
const previewTime = 3 * time.Second

// PreviewChange says what StartChange would do, without doing it. The reason and
// the version of the wording may still be missing.
func (s *Service) PreviewChange(ctx context.Context, sel contact.Selection, b Bulk) (BulkPreview, error) {
	if p, err := s.purpose(ctx, b.Purpose); err == nil && b.Wording == 0 {
		b.Wording = p.Current
	}
	if _, err := s.checkBulk(ctx, &b); err != nil {
		return BulkPreview{}, err
	}
	var out BulkPreview
	var err error
	if out.Total, err = s.Contacts.Count(ctx, sel); err != nil {
		return out, err
	}
	until := s.Clock.Now().Add(previewTime)
	for after := int64(0); ; {
		nums, err := s.Contacts.Walk(ctx, sel, after, 500)
		if err != nil {
			return out, err
		}
		if len(nums) == 0 {
			out.Complete = true
			return out, nil
		}
		after = nums[len(nums)-1]
		said, kept, err := s.bulkRows(ctx, nums, "", &b, Proof{})
		if err != nil {
			return out, err
		}
		out.Checked, out.Changing, out.Kept = out.Checked+int64(len(nums)), out.Changing+int64(len(said)), out.Kept+kept
		if s.Clock.Now().After(until) {
			out.Complete = out.Checked >= out.Total
			return out, nil
		}
	}
}

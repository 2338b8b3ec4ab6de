package audience

import (
	"context"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type (
	growthInput struct {
		SegmentInput
		Days int `query:"days" minimum:"1" maximum:"730" default:"90" doc:"How many days back, today included"`
	}
	growthOutput    struct{ Body Growth }
	snapshotsOutput struct {
		Body struct {
			Items    []Snapshot `json:"items"`
			Schedule *Schedule  `json:"schedule,omitempty"`
		}
	}
	snapInput struct {
		SegmentInput
		Body struct {
			Note string `json:"note,omitempty" maxLength:"2000"`
		}
	}
	snapshotOutput struct{ Body Snapshot }
	scheduleInput  struct {
		SegmentInput
		Body Schedule
	}
	diffOutput struct{ Body SnapshotDiff }
	diffInput  struct {
		SnapshotInput
		With string `query:"with" maxLength:"60" doc:"Id of a later snapshot; without it: now"`
	}
	diffPeopleInput struct {
		SnapshotInput
		PageInput
		With string `query:"with" maxLength:"60" doc:"Id of a later snapshot; without it: now"`
		Part string `query:"part" enum:"came,left,stayed" default:"came"`
	}
	overlapInput struct {
		Body struct {
			IDs []string `json:"ids" maxItems:"20" doc:"Two to five segments"`
		}
	}
	overlapOutput struct{ Body Overlap }
	compareInput  struct {
		SegmentInput
		With string `query:"with" maxLength:"60" doc:"Another segment; without it: everybody who is not in this one"`
	}
	compareOutput struct{ Body Comparison }
)

// SnapshotInput names a snapshot in the path.
type SnapshotInput struct {
	SegmentInput
	Snapshot string `path:"snapshot" maxLength:"60" doc:"Snapshot id"`
}

func (s *Service) moreRoutes(api *httpx.API, op func(id, method, path string, may auth.Permission, summary string) httpx.Op) {
	read, write := auth.SegmentRead, auth.SegmentWrite
	httpx.Register(api, op("get-segment-growth", http.MethodGet, "/api/segments/{id}/growth", read, "How a segment grew, day by day"), func(ctx context.Context, in *growthInput) (*growthOutput, error) {
		g, err := s.Growth(ctx, in.ID, in.Days)
		return &growthOutput{g}, err
	})
	httpx.Register(api, op("list-segment-snapshots", http.MethodGet, "/api/segments/{id}/snapshots", read, "List a segment's snapshots, newest first"), func(ctx context.Context, in *SegmentInput) (*snapshotsOutput, error) {
		g, err := s.Get(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		out := &snapshotsOutput{}
		out.Body.Schedule = g.Schedule
		out.Body.Items, err = s.Snapshots(ctx, in.ID)
		return out, err
	})
	httpx.Register(api, op("create-segment-snapshot", http.MethodPost, "/api/segments/{id}/snapshots", write, "Keep who is in a segment now"), func(ctx context.Context, in *snapInput) (*snapshotOutput, error) {
		x, err := s.Snap(ctx, in.ID, in.Body.Note)
		return &snapshotOutput{x}, err
	})
	httpx.Register(api, op("delete-segment-snapshot", http.MethodDelete, "/api/segments/{id}/snapshots/{snapshot}", write, "Drop a snapshot"), func(ctx context.Context, in *SnapshotInput) (*struct{}, error) {
		return nil, s.DropSnapshot(ctx, in.ID, in.Snapshot)
	})
	httpx.Register(api, op("diff-segment-snapshot", http.MethodGet, "/api/segments/{id}/snapshots/{snapshot}/diff", read, "Count who came and left since a snapshot"), func(ctx context.Context, in *diffInput) (*diffOutput, error) {
		d, err := s.Diff(ctx, in.ID, in.Snapshot, in.With)
		return &diffOutput{d}, err
	})
	httpx.Register(api, op("list-segment-snapshot-people", http.MethodGet, "/api/segments/{id}/snapshots/{snapshot}/people", auth.ContactRead, "List who came, left or stayed since a snapshot"), s.httpDiffPeople)
	httpx.Register(api, op("set-segment-schedule", http.MethodPut, "/api/segments/{id}/schedule", write, "Have snapshots made by themselves"), func(ctx context.Context, in *scheduleInput) (*segmentOutput, error) {
		return one(s.SetSchedule(ctx, in.ID, &in.Body))
	})
	httpx.Register(api, op("end-segment-schedule", http.MethodDelete, "/api/segments/{id}/schedule", write, "Have no more snapshots made"), func(ctx context.Context, in *SegmentInput) (*segmentOutput, error) {
		return one(s.SetSchedule(ctx, in.ID, nil))
	})
	s.standingRoute(api, op)
	compare := op("compare-segment", http.MethodGet, "/api/segments/{id}/compare", read, "What is typical of the people of a segment")
	compare.Timeout = time.Minute
	httpx.Register(api, compare, func(ctx context.Context, in *compareInput) (*compareOutput, error) {
		c, err := s.Compare(ctx, in.ID, in.With)
		return &compareOutput{c}, err
	})
	httpx.Register(api, op("overlap-segments", http.MethodPost, "/api/segments/overlap", read, "Count every combination of two to five segments"), func(ctx context.Context, in *overlapInput) (*overlapOutput, error) {
		o, err := s.Overlap(ctx, in.Body.IDs)
		return &overlapOutput{o}, err
	})
}

type numCursor struct {
	After int64 `json:"a"`
}

func (s *Service) httpDiffPeople(ctx context.Context, in *diffPeopleInput) (*peopleOutput, error) {
	if err := need(ctx, auth.SegmentRead); err != nil {
		return nil, err
	}
	c := numCursor{After: -1}
	if in.Cursor != "" {
		if err := httpx.DecodeCursor(in.Cursor, &c); err != nil {
			return nil, err
		}
	}
	set, err := s.SnapshotPeople(ctx, in.ID, in.Snapshot, in.With, in.Part)
	if err != nil {
		return nil, err
	}
	out := &peopleOutput{}
	out.Body.Total, out.Body.Items = set.Count(), []contact.Row{}
	nums := set.After(c.After, in.Limit+1)
	if len(nums) > in.Limit {
		nums = nums[:in.Limit]
		out.Body.Next = httpx.EncodeCursor(numCursor{nums[in.Limit-1]})
	}
	if len(nums) == 0 {
		return out, nil
	}
	out.Body.Items, err = s.Contacts.ListByNums(ctx, nums)
	return out, err
}

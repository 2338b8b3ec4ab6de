package contact

import (
	"context"
	"database/sql"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
)

// Arrival is when and how a contact came.
type Arrival struct {
	Kind       event.Kind
	Channel    string // first touch
	CreatedAt  int64  // UTC ms
	FirstOrder int64  // UTC ms, 0 never
	Shown      bool   // a person in lists and figures
}

// Arrivals tells it of contacts that stand by themselves; those that are part of
// another, or gone, are left out.
func (s *Service) Arrivals(ctx context.Context, nums []int64) (map[int64]Arrival, error) {
	into, err := s.Survivors(ctx, nums)
	if err != nil {
		return nil, err
	}
	out := map[int64]Arrival{}
	for rest := nums; len(rest) > 0; {
		part := rest[:min(len(rest), 500)]
		rest = rest[len(part):]
		args := make([]any, len(part))
		for i, n := range part {
			args[i] = n
		}
		rows, err := s.DB.Query(ctx, "select num, kind, channel, created_at, first_order_at, shown from contacts where num in ("+db.In(1, len(part))+")", args...)
		err = scanAll(rows, err, "read when contacts came", func(r *sql.Rows) error {
			var n, shown int64
			var a Arrival
			err := r.Scan(&n, &a.Kind, &a.Channel, &a.CreatedAt, &a.FirstOrder, &shown)
			if _, part := into[n]; !part {
				a.Shown = shown == 1
				out[n] = a
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

package care

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type place struct {
	At int64  `json:"t"`
	ID string `json:"i"`
}

// Notifications lists what the caller was told, newest first, and how many of
// all are unread.
func (s *Service) Notifications(ctx context.Context, cursor string, limit int) (items []Notification, next string, unread int64, err error) {
	me := principal(ctx).ID
	after := place{At: 1 << 62}
	if err := httpx.DecodeCursor(cursor, &after); err != nil {
		return nil, "", 0, err
	}
	rows, err := s.DB.Query(ctx, `select id, kind, ref, contact, count, created_at, read_at from notifications
		where user_id = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4`, me, after.At, after.ID, limit+1)
	items, err = db.Collect(rows, err, func(r *sql.Rows) (n Notification, err error) {
		var created, read int64
		err = r.Scan(&n.ID, &n.Kind, &n.Ref, &n.num, &n.Count, &created, &read)
		n.CreatedAt, n.Read = clock.FromMs(created), read != 0
		return n, err
	})
	if err != nil {
		return nil, "", 0, fmt.Errorf("read notifications: %w", err)
	}
	if len(items) > limit {
		items = items[:limit]
		end := items[limit-1]
		next = httpx.EncodeCursor(place{clock.Ms(end.CreatedAt), end.ID})
	}
	if err := s.DB.QueryRow(ctx, "select count(*) from notifications where user_id = $1 and read_at = 0", me).Scan(&unread); err != nil {
		return nil, "", 0, fmt.Errorf("count notifications: %w", err)
	}
	nums := make([]int64, 0, len(items))
	for _, n := range items {
		if n.num != 0 {
			nums = append(nums, n.num)
		}
	}
	refs, err := s.seen(ctx, nums)
	for i := range items {
		items[i].Contact = refs[items[i].num]
		if items[i].Kind == "owner.left" {
			user := items[i].Ref
			items[i].User, items[i].Ref = &contact.Ref{ID: user, Name: s.People.Names(ctx, []string{user})[user]}, ""
		}
	}
	return items, next, unread, err
}

// MarkRead marks the caller's notifications as read: those named, or all.
func (s *Service) MarkRead(ctx context.Context, ids []string) error {
	now, me := s.Clock.Now().UnixMilli(), principal(ctx).ID
	if len(ids) == 0 {
		_, err := s.DB.Exec(ctx, "update notifications set read_at = $1 where user_id = $2 and read_at = 0", now, me)
		return err
	}
	args := []any{now, me}
	for _, id := range ids {
		args = append(args, id)
	}
	_, err := s.DB.Exec(ctx, "update notifications set read_at = $1 where user_id = $2 and read_at = 0 and id in ("+db.In(3, len(ids))+")", args...)
	return err
}

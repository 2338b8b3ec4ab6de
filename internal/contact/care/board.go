package care

import (
	"context"
	"fmt"
	"strings"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Whose follow-ups: "me", "team" (all whose customers the caller sees), or a
// user id within that.
func whose(ctx context.Context, assignee string) (cond string, args []any, err error) {
	me, sc := principal(ctx).ID, auth.ScopeOf(ctx)
	switch {
	case assignee == "" || assignee == "me":
		assignee = me
	case assignee == "team" && sc.All:
		return "1 = 1", nil, nil
	case assignee == "team":
		ids := append([]string{me}, sc.Owners...)
		marks := make([]string, len(ids))
		for i, id := range ids {
			marks[i] = fmt.Sprintf("$%d", i+1)
			args = append(args, id)
		}
		return "assignee in (" + strings.Join(marks, ", ") + ")", args, nil
	case assignee != me && !sc.Sees(assignee):
		return "", nil, errs.New(errs.Forbidden, "permission.scope")
	}
	return "assignee = $1", []any{assignee}, nil
}

// Board lists one bucket: open ones by when they are due, ended ones newest first.
func (s *Service) Board(ctx context.Context, bucket, assignee, cursor string, limit int) (items []FollowUp, next string, err error) {
	cond, args, err := whose(ctx, assignee)
	if err != nil {
		return nil, "", err
	}
	n := len(args)
	from, to := s.dayOf(ctx, s.Clock.Now())
	column, dir, after := "due_at", "asc", place{At: -1}
	switch bucket {
	case Today:
		cond += fmt.Sprintf(" and state = 'open' and due_at >= $%d and due_at < $%d", n+1, n+2)
		args = append(args, clock.Ms(from), clock.Ms(to))
	case Overdue:
		cond += fmt.Sprintf(" and state = 'open' and due_at < $%d", n+1)
		args = append(args, clock.Ms(from))
	case Upcoming:
		cond += fmt.Sprintf(" and state = 'open' and due_at >= $%d", n+1)
		args = append(args, clock.Ms(to))
	case Done:
		cond += " and state = 'done'"
		column, dir, after = "ended_at", "desc", place{At: 1 << 62}
	default:
		return nil, "", errInput.On(errs.At("bucket", "request.not_one_of", "allowed", "today, overdue, upcoming, done"))
	}
	if err := httpx.DecodeCursor(cursor, &after); err != nil {
		return nil, "", err
	}
	n = len(args)
	past := map[string]string{"asc": ">", "desc": "<"}[dir]
	cond += fmt.Sprintf(" and (%s, id) %s ($%d, $%d) order by %s %s, id %s limit $%d", column, past, n+1, n+2, column, dir, dir, n+3)
	items, err = s.where(ctx, cond, append(args, after.At, after.ID, limit+1)...)
	if err != nil {
		return nil, "", err
	}
	if len(items) > limit {
		items = items[:limit]
		end := items[limit-1]
		at := clock.Ms(end.Due)
		if bucket == Done {
			at = clock.Ms(*end.EndedAt)
		}
		next = httpx.EncodeCursor(place{at, end.ID})
	}
	items, err = s.named(ctx, items)
	return items, next, err
}

// Counts counts the open buckets.
func (s *Service) Counts(ctx context.Context, assignee string) (c Counts, err error) {
	cond, args, err := whose(ctx, assignee)
	if err != nil {
		return c, err
	}
	from, to := s.dayOf(ctx, s.Clock.Now())
	n := len(args)
	err = s.DB.QueryRow(ctx, fmt.Sprintf(`select coalesce(sum(case when due_at < $%d then 1 else 0 end), 0), coalesce(sum(case when due_at >= $%d and due_at < $%d then 1 else 0 end), 0),
		coalesce(sum(case when due_at >= $%d then 1 else 0 end), 0) from follow_ups where state = 'open' and `, n+1, n+1, n+2, n+2)+cond,
		append(args, clock.Ms(from), clock.Ms(to))...).Scan(&c.Overdue, &c.Today, &c.Upcoming)
	if err != nil {
		return c, fmt.Errorf("count follow-ups: %w", err)
	}
	return c, nil
}

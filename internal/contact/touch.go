package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Owners are to stay in touch. A contact keeps when its owner last was, or got
// it, so that those left alone are found from one index; 0 is a contact without owner.

// Touched tells that a user was in touch with a contact: wrote a note, followed
// up, called, or got or sent a message. It counts when the user owns it. Whoever
// connects a channel on which staff speak with customers calls it, too.
func (s *Service) Touched(ctx context.Context, num int64, user string, at time.Time) error {
	_, err := s.DB.Exec(ctx, "update contacts set owner_touch_at = $1 where num = $2 and owner_id = $3 and owner_touch_at < $1", at.UnixMilli(), num, user)
	if err != nil {
		return fmt.Errorf("keep that the owner was in touch: %w", err)
	}
	return nil
}

// handOnTouch gives survivors the later word of the two, where both had the
// same owner or the merged one's owner stays.
func (e *engine) handOnTouch(ctx context.Context, w *world) error {
	for _, m := range w.merges {
		if m.from.ownerID == "" || m.from.fresh {
			continue
		}
		_, err := e.db.Exec(ctx, `update contacts set owner_touch_at = coalesce((select max(d.owner_touch_at) from contacts d where d.num in ($1, $2) and d.owner_id = contacts.owner_id), 0)
			where num = $2 and owner_id <> ''`, m.from.num, m.into.num)
		if err != nil {
			return fmt.Errorf("hand on when the owner was in touch: %w", err)
		}
	}
	return nil
}

// settleTouch follows owners that the undo of a merge or an import took or gave back.
func (e *engine) settleTouch(ctx context.Context, nums []int64) error {
	cols := columns("num:n now:n")
	now := e.clock.Now().UnixMilli()
	return updateMany(ctx, e.db, "contacts", "owner_touch_at = case when contacts.owner_id = '' then 0 else {now} end",
		"contacts.num = {num} and (contacts.owner_id = '') = (contacts.owner_touch_at > 0)", cols, len(nums), func(i int) []any { return []any{nums[i], now} })
}

// LeftAlone counts, by owner, the contacts whose owner was last in touch within
// a stretch of time, from on and before to: with `to` so many days ago, those who
// came to be left alone since `from` was that.
func (s *Service) LeftAlone(ctx context.Context, from, to time.Time) (map[string]int64, error) {
	rows, err := s.DB.Query(ctx, "select owner_id, count(*) from contacts"+s.DB.Pick(" indexed by contacts_by_owner_touch", "")+
		" where shown = 1 and owner_touch_at > 0 and owner_touch_at >= $1 and owner_touch_at < $2 group by owner_id", max(from.UnixMilli(), 1), to.UnixMilli())
	return ownerCounts(rows, err)
}

// OwnedCounts counts the contacts of some owners; those without any are left out.
func (s *Service) OwnedCounts(ctx context.Context, owners []string) (map[string]int64, error) {
	if len(owners) == 0 {
		return nil, nil
	}
	args := make([]any, len(owners))
	for i, o := range owners {
		args[i] = o
	}
	rows, err := s.DB.Query(ctx, "select owner_id, count(*) from contacts where shown = 1 and owner_id <> '' and owner_id in ("+db.In(1, len(owners))+") group by owner_id", args...)
	return ownerCounts(rows, err)
}

// users reads user ids of a rule: "me" is the caller, "left" whoever has left.
func (c *compiler) users(list []string) ([]string, error) {
	out := make([]string, 0, len(list))
	for _, id := range list {
		switch {
		case id == "me":
			out = append(out, c.me)
		case id == "left" && c.s.Staff != nil:
			gone, err := c.s.Staff.Left(c.ctx)
			if err != nil {
				return nil, err
			}
			out = append(out, gone...)
		default:
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// ownedBy holds for the contacts of any of the users.
func (c *compiler) ownedBy(users []string) expr {
	g := &group{kind: "any"}
	for part := range slices.Chunk(users, 200) { // few different texts, and no list too long for a statement
		marks := make([]string, len(part))
		args := make([]any, len(part))
		for i, u := range part {
			marks[i], args[i] = fmt.Sprintf("$%d", i+1), u
		}
		g.parts = append(g.parts, c.column("contacts_by_owner", "owner_id <> ''", "owner_id in ("+strings.Join(marks, ", ")+")", args...))
	}
	return g
}

func ownerCounts(rows *sql.Rows, err error) (map[string]int64, error) {
	out := map[string]int64{}
	err = scanAll(rows, err, "count contacts of owners", func(r *sql.Rows) error {
		var owner string
		var n int64
		err := r.Scan(&owner, &n)
		out[owner] = n
		return err
	})
	return out, err
}

// departments gives the names of all departments by id.
func (s *Service) departments(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	if s.Staff == nil {
		return out, nil
	}
	paths, err := s.Staff.DepartmentPaths(ctx)
	for _, p := range paths {
		out[p[0]] = p[1]
	}
	return out, err
}

// ofDepartment narrows a filter to the contacts of a department's people and of
// those below it. It tells whether anything can match.
func (s *Service) ofDepartment(ctx context.Context, id string, f *filter) (some bool, err error) {
	known, err := s.departments(ctx)
	if err != nil {
		return false, err
	}
	if known[id] == "" {
		return false, errs.New(errs.Invalid, "request.invalid").On(errs.At("department", "department.not_found"))
	}
	users, err := s.Staff.Below(ctx, []string{id})
	if err != nil || len(users) == 0 {
		return false, err
	}
	marks, args := make([]string, len(users)), make([]any, len(users))
	for i, u := range users {
		marks[i], args[i] = fmt.Sprintf("{%d}", i+1), u
	}
	f.add("owner_id in ("+strings.Join(marks, ", ")+") and owner_id <> ''", args...)
	if len(users) <= fewOwners || f.index == "" && len(f.drive) == 0 {
		f.index = "contacts_by_owner"
	}
	return true, nil
}

// aloneAfter is after how many days without a word of its owner a contact is left alone.
func (s *Service) aloneAfter(ctx context.Context) int {
	if s.AloneAfter == nil {
		return 30
	}
	return s.AloneAfter(ctx)
}

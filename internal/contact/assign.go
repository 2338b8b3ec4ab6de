package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// OwnerMove is one contact that goes from one owner to another. "" is nobody.
type OwnerMove struct {
	Num      int64
	From, To string
}

// In which ways a contact gets another owner.
const (
	OwnedBefore  = "before"  // had since before changes were kept
	OwnedCreated = "created" // made by whoever would lose sight of it
	OwnedEdited  = "edited"  // on its profile
	OwnedMoved   = "moved"   // with others at once
	OwnedUndone  = "undone"  // given back by the undo of that
	OwnedImport  = "import"  // named by a row of an import
)

// OwnerReason says in which way owners change and, in the words of whoever
// did it, why.
type OwnerReason struct{ How, Why string }

// Owners gives the owner of contacts by number; those that are gone are left out.
func (s *Service) Owners(ctx context.Context, nums []int64) (map[int64]string, error) {
	out := map[int64]string{}
	err := selectIn(ctx, s.DB, "read owners", "select num, owner_id from contacts where num in (%s) and merged_into = 0", nil, nums, func(r *sql.Rows) error {
		var n int64
		var owner string
		err := r.Scan(&n, &owner)
		out[n] = owner
		return err
	})
	return out, err
}

// Assign moves contacts to other owners where they still have the one stated,
// and states each as a fact. It answers those that it moved. It joins the
// transaction of ctx; which contacts the caller may touch, the caller has checked.
func (s *Service) Assign(ctx context.Context, moves []OwnerMove, reason OwnerReason) (done []OwnerMove, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		now := s.Clock.Now()
		seen := map[int64]bool{}
		moves = slices.DeleteFunc(slices.Clone(moves), func(m OwnerMove) bool { was := seen[m.Num]; seen[m.Num] = true; return was })
		if done, err = s.setOwners(ctx, moves, reason, now); err != nil { // without those whom somebody else moved meanwhile
			return err
		}
		facts := make([]event.Fact, len(done))
		for i, m := range done {
			facts[i] = s.ownerFact(ctx, m, reason, now)
		}
		if err := s.Emit.Emit(ctx, facts...); err != nil {
			return fmt.Errorf("state owners: %w", err)
		}
		return nil
	})
	return done, err
}

func (s *Service) ownerFact(ctx context.Context, m OwnerMove, reason OwnerReason, now time.Time) event.Fact {
	return s.fact(event.NameOwnerChanged, m.Num, now, map[string]any{"from": m.From, "to": m.To, "how": reason.How, "why": reason.Why, "by": principal(ctx).Name})
}

// changeOwner gives one contact to somebody, as said on its profile.
func (s *Service) changeOwner(ctx context.Context, num int64, to string, now time.Time) (bool, error) {
	m := OwnerMove{Num: num, To: to}
	if err := s.DB.QueryRow(ctx, "select owner_id from contacts where num = $1", num).Scan(&m.From); err != nil {
		return false, fmt.Errorf("read owner: %w", err)
	}
	reason := OwnerReason{How: OwnedEdited}
	moved, err := s.setOwner(ctx, m, reason, now)
	if err != nil || !moved {
		return false, err
	}
	if err := s.Emit.Emit(ctx, s.ownerFact(ctx, m, reason, now)); err != nil {
		return false, fmt.Errorf("state owner: %w", err)
	}
	return true, nil
}

// setOwner writes another owner where the contact still has the one stated, and
// that it did.
func (s *Service) setOwner(ctx context.Context, m OwnerMove, reason OwnerReason, now time.Time) (moved bool, err error) {
	done, err := s.setOwners(ctx, []OwnerMove{m}, reason, now)
	return len(done) > 0, err
}

// setOwners writes other owners where contacts still have the one stated, and
// that they did; each contact comes once. It answers those that it moved. A new
// owner counts as in touch from now on.
func (s *Service) setOwners(ctx context.Context, moves []OwnerMove, reason OwnerReason, now time.Time) (done []OwnerMove, err error) {
	moves = slices.DeleteFunc(slices.Clone(moves), func(m OwnerMove) bool { return m.From == m.To })
	moved := map[int64]bool{}
	err = updateReturning(ctx, s.DB, "contacts", "owner_id = {owner}, owner_touch_at = case when {owner} = '' then 0 else {now} end, updated_at = {now}",
		"contacts.num = {num} and contacts.owner_id = {was} and contacts.merged_into = 0", "contacts.num", columns("num:n was owner now:n"), len(moves),
		func(i int) []any { return []any{moves[i].Num, moves[i].From, moves[i].To, now.UnixMilli()} }, func(r *sql.Rows) error {
			var n int64
			err := r.Scan(&n)
			moved[n] = true
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("set owners: %w", err)
	}
	for _, m := range moves {
		if moved[m.Num] {
			done = append(done, m)
		}
	}
	return done, s.keepOwners(ctx, done, reason, now)
}

// keepOwners writes down that owners changed.
func (s *Service) keepOwners(ctx context.Context, moves []OwnerMove, reason OwnerReason, now time.Time) error {
	nums := make([]int64, len(moves))
	for i, m := range moves {
		nums[i] = m.Num
	}
	last := map[int64]int64{}
	err := selectIn(ctx, s.DB, "count owners", "select contact, max(nth) from contact_owner_changes where contact in (%s) group by contact", nil, nums, func(r *sql.Rows) error {
		var num, nth int64
		err := r.Scan(&num, &nth)
		last[num] = nth
		return err
	})
	if err != nil {
		return err
	}
	by := principal(ctx)
	return insertMany(ctx, s.DB, "contact_owner_changes", columns("contact:n nth:n owner_id how why by_id by_name at:n"), len(moves), func(i int) []any {
		return []any{moves[i].Num, last[moves[i].Num] + 1, moves[i].To, reason.How, reason.Why, by.ID, by.Name, now.UnixMilli()}
	}, "")
}

// OwnerChange is one owner that a contact had, or a time without one.
type OwnerChange struct {
	Owner *Ref       `json:"owner,omitempty" doc:"Left out: nobody"`
	From  *time.Time `json:"from,omitempty" doc:"Left out: since before changes were kept"`
	How   string     `json:"how" enum:"before,created,edited,moved,undone,import"`
	Why   string     `json:"why,omitempty" doc:"In the words of whoever changed it"`
	By    *Ref       `json:"by,omitempty"`
	// Merged is told of the owners of contacts that became part of this one.
	Merged bool `json:"merged,omitempty" doc:"Of a contact that was merged into this one"`
}

// maxOwnerChanges bounds what a profile shows.
const maxOwnerChanges = 100

// OwnersOf tells who owned a contact and those merged into it, newest first.
func (s *Service) OwnersOf(ctx context.Context, id string) ([]OwnerChange, error) {
	num, err := s.NumOf(ctx, id)
	if err != nil {
		return nil, err
	}
	group, err := s.membersOf(ctx, num)
	if err != nil {
		return nil, err
	}
	args := make([]any, len(group))
	for i, n := range group {
		args[i] = n
	}
	users := map[int64]string{}
	var owners []string
	rows, err := s.DB.Query(ctx, fmt.Sprintf(`select contact, owner_id, how, why, by_id, by_name, at from contact_owner_changes
		where contact in (%s) order by at desc, contact, nth desc limit %d`, db.In(1, len(group)), maxOwnerChanges), args...)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (c OwnerChange, err error) {
		var contact, at int64
		var owner string
		var by Ref
		if err = r.Scan(&contact, &owner, &c.How, &c.Why, &by.ID, &by.Name, &at); err != nil {
			return c, err
		}
		if at != 0 {
			t := clock.FromMs(at)
			c.From = &t
		}
		if by.ID != "" {
			c.By = &by
		}
		users[int64(len(users))] = owner
		owners = append(owners, owner)
		c.Merged = contact != num
		return c, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read owners: %w", err)
	}
	names := s.userNames(ctx, users)
	for i, o := range owners {
		if o != "" {
			out[i].Owner = &Ref{o, names[o]}
		}
	}
	return out, nil
}

package consent

import (
	"context"
	"fmt"
	"strings"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type ledgerCursor struct {
	Seq int64 `json:"s"`
}

// History lists a person's rows of the ledger, newest first.
func (s *Service) History(ctx context.Context, contactID, cursor string, limit int) (items []Row, next string, err error) {
	num, err := s.Contacts.NumOf(ctx, contactID)
	if err != nil {
		return nil, "", err
	}
	var c ledgerCursor
	if err := httpx.DecodeCursor(cursor, &c); err != nil {
		return nil, "", err
	}
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return nil, "", err
	}
	entries, err := s.history(ctx, group, c.Seq, limit+1)
	if err != nil {
		return nil, "", err
	}
	return s.page(entries, limit)
}

func (s *Service) page(entries []entry, limit int) (items []Row, next string, err error) {
	if len(entries) > limit {
		entries = entries[:limit]
		next = httpx.EncodeCursor(ledgerCursor{entries[limit-1].seq})
	}
	items = make([]Row, len(entries))
	for i := range entries {
		if items[i], err = s.show(&entries[i]); err != nil {
			return nil, "", err
		}
	}
	return items, next, nil
}

// RecentQuery narrows Recent.
type RecentQuery struct {
	Purpose string
	State   State
	Source  Source
	Cursor  string
	Limit   int
}

// Recent lists the newest rows of the whole ledger, with whose they are. One call
// looks at 5,000 rows at most: where few match, a page may be short and have a next.
func (s *Service) Recent(ctx context.Context, q RecentQuery) (items []Row, next string, err error) {
	var c ledgerCursor
	if err := httpx.DecodeCursor(q.Cursor, &c); err != nil {
		return nil, "", err
	}
	const look = 5000
	cond, args := "seq < $1 and seq >= $2", []any{}
	if c.Seq == 0 {
		var last int64
		if err := s.DB.QueryRow(ctx, "select seq from consent_head where name = 'ledger'").Scan(&last); err != nil {
			return nil, "", fmt.Errorf("read the end of the ledger: %w", err)
		}
		c.Seq = last + 1
	}
	floor := c.Seq - look
	args = append(args, c.Seq, floor)
	for _, f := range []struct{ col, v string }{{"purpose", q.Purpose}, {"state", string(q.State)}, {"source", string(q.Source)}} {
		if f.v != "" {
			args = append(args, f.v)
			cond += fmt.Sprintf(" and %s = $%d", f.col, len(args))
		}
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select %s from consent_ledger where %s order by seq desc limit %d", strings.Join(entryColumns, ","), cond, q.Limit+1), args...)
	entries, err := db.Collect(rows, err, scanEntry)
	if err != nil {
		return nil, "", fmt.Errorf("read the ledger: %w", err)
	}
	items, next, err = s.page(entries, q.Limit)
	if err != nil {
		return nil, "", err
	}
	if next == "" && floor > 1 {
		next = httpx.EncodeCursor(ledgerCursor{floor})
	}
	nums := make([]int64, len(items))
	for i := range items {
		nums[i] = entries[i].contact
	}
	items, err = s.named(ctx, items, nums)
	return items, next, err
}

// named says whose rows they are, and leaves out those of people whom the caller
// may not see.
func (s *Service) named(ctx context.Context, items []Row, nums []int64) ([]Row, error) {
	roots, err := s.rootsOf(ctx, nums)
	if err != nil {
		return nil, err
	}
	living := make([]int64, len(nums))
	for i, n := range nums {
		living[i] = rootIn(roots, n)
	}
	seen, err := s.Contacts.InScope(ctx, living)
	if err != nil {
		return nil, err
	}
	refs, err := s.Contacts.Refs(ctx, seen)
	if err != nil {
		return nil, err
	}
	out := []Row{}
	for i, r := range items {
		if ref, ok := refs[living[i]]; ok {
			r.Contact = &ref
			out = append(out, r)
		}
	}
	return out, nil
}

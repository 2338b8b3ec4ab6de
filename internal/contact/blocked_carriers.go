package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// Carriers lists the contacts that carried a blocked value and keep it, by
// number. Those outside the caller's data scope are left out.
func (s *Service) Carriers(ctx context.Context, id, cursor string, limit int) (rows []Row, next string, err error) {
	var c struct {
		N int64 `json:"n"`
	}
	if err := httpx.DecodeCursor(cursor, &c); err != nil {
		return nil, "", err
	}
	var key idKey
	var whole int64
	err = s.DB.QueryRow(ctx, "select kind, lookup, whole from identity_blocked where id = $1 and removed_at = 0", id).Scan(&key.kind, &key.lookup, &whole)
	if db.NoRows(err) {
		return nil, "", noSuchBlocked(id)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read blocked value: %w", err)
	}
	query, args := "select contact from identity_carriers where blocked = $1 and contact > $2 order by contact", []any{id, c.N}
	if whole == 0 {
		query, args = "select contact from identities where kind = $1 and lookup = $2 and contact > $3", []any{key.kind, key.lookup, c.N}
	}
	found, err := s.DB.Query(ctx, fmt.Sprintf("%s limit %d", query, limit+1), args...)
	nums, err := db.Collect(found, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
	if err != nil {
		return nil, "", fmt.Errorf("list carriers: %w", err)
	}
	if len(nums) > limit {
		nums = nums[:limit]
		c.N = nums[limit-1]
		next = httpx.EncodeCursor(c)
	}
	rows, err = s.ListByNums(ctx, nums)
	return rows, next, err
}

// jobCarriers looks for those who carry addresses of blocked domains: addresses
// are sealed, so all of them must be opened once.
const jobCarriers = "identity.carriers"

func (s *Service) searchCarriers(ctx context.Context) error {
	if s.Jobs == nil {
		return errs.New(errs.Unavailable, "attribute.no_jobs")
	}
	_, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobCarriers, Title: KindEmail, Unit: "contacts", Link: "/identities?tab=blocked"})
	if err != nil {
		return fmt.Errorf("start search for carriers: %w", err)
	}
	return nil
}

func (s *Service) runCarriers(ctx context.Context, run jobs.Run) error {
	waiting := map[string]string{} // domain → id
	rows, err := s.DB.Query(ctx, "select id, lookup from identity_blocked where removed_at = 0 and whole = 1 and searched_at = 0")
	err = scanAll(rows, err, "read blocked domains", func(r *sql.Rows) error {
		var id, host string
		err := r.Scan(&id, &host)
		waiting[host] = id
		return err
	})
	if err != nil || len(waiting) == 0 {
		return err
	}
	var total, done int64
	if err := s.DB.QueryRow(ctx, "select count(*) from identities where kind = $1", KindEmail).Scan(&total); err != nil {
		return fmt.Errorf("count addresses: %w", err)
	}
	for last := ""; ; {
		var found [][]any
		n := 0
		rows, err := s.DB.Query(ctx, "select lookup, contact, value_enc from identities where kind = $1 and lookup > $2 order by lookup limit 2000", KindEmail, last)
		err = scanAll(rows, err, "read addresses", func(r *sql.Rows) error {
			var num int64
			var sealed string
			if err := r.Scan(&last, &num, &sealed); err != nil {
				return err
			}
			n++
			plain, err := s.Keys.Open(field(KindEmail), sealed)
			if err != nil {
				return fmt.Errorf("open %s: %w", KindEmail, err)
			}
			_, host, _ := strings.Cut(plain, "@")
			for host != "" {
				if id := waiting[host]; id != "" {
					found = append(found, []any{id, num})
				}
				_, host, _ = strings.Cut(host, ".")
			}
			return nil
		})
		if err != nil {
			return err
		}
		err = insertMany(ctx, s.DB, "identity_carriers", columns("blocked contact:n"), len(found), func(i int) []any { return found[i] }, "on conflict (blocked, contact) do nothing")
		if err != nil {
			return err
		}
		done += int64(n)
		run.Progress(done, max(total, done))
		if n == 0 {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	ids := make([]string, 0, len(waiting))
	for _, id := range waiting {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		return selectIn(ctx, s.DB, "mark as searched", "update identity_blocked set searched_at = $1 where id in (%s) returning id", []any{s.Clock.Now().UnixMilli()}, ids, func(*sql.Rows) error { return nil })
	})
}

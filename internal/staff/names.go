package staff

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/koipond/koipond/internal/platform/db"
)

// NamesOf are what people call colleagues of an account, by the platform's ids. Those
// whom the directory does not have are left out.
func (s *Service) NamesOf(ctx context.Context, account string, ids []string) map[string]string {
	asked := map[[2]string]bool{}
	for _, id := range ids {
		asked[[2]string{account, id}] = true
	}
	out := make(map[string]string, len(ids))
	found, err := s.staffNames(ctx, asked)
	if err != nil {
		s.Log.WarnContext(ctx, "colleagues are not known by name just now", "error", err)
		return out
	}
	for k := range asked {
		if m := found[k]; m.Name != "" {
			out[k[1]] = m.Name
		}
	}
	return out
}

// FriendsAmong tells which customers of an account are somebody's friends today.
func (s *Service) FriendsAmong(ctx context.Context, account string, customers []string) (map[string]bool, error) {
	out := map[string]bool{}
	err := chunked(customers, func(part []any) error {
		rows, err := s.DB.Query(ctx, "select distinct customer from staff_friends where account = $1 and state = 'friend' and customer in ("+db.In(2, len(part))+")", append([]any{account}, part...)...)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var id string
			err = r.Scan(&id)
			out[id] = true
			return x, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for friends: %w", err)
	}
	return out, nil
}

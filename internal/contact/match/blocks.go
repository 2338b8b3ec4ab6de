package match

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/contact/match/score"
	"github.com/koipond/koipond/internal/platform/db"
)

// blockLimit is how many people a form may be shared by and still lead to
// comparisons. Beyond it the form tells too little for what it costs; finer
// forms of the same people lead there.
const blockLimit = 40

// person is one read and ready.
type person struct {
	num  int64
	p    *score.Person
	keys []int64
}

// read opens people and makes them ready, in the order of nums; those that are
// gone or merged are left out.
func (s *Service) read(ctx context.Context, nums []int64, withKeys bool) ([]person, error) {
	known, err := s.Contacts.Known(ctx, nums)
	if err != nil {
		return nil, err
	}
	out := make([]person, 0, len(nums))
	for _, n := range nums {
		k := known[n]
		if k == nil {
			continue
		}
		p := person{num: n, p: score.Read(recordOf(k))}
		if withKeys {
			for _, key := range p.p.Keys() {
				h, err := s.hash(key)
				if err != nil {
					return nil, err
				}
				if !slices.Contains(p.keys, h) {
					p.keys = append(p.keys, h)
				}
			}
		}
		out = append(out, p)
	}
	return out, nil
}

func recordOf(k *contact.Known) score.Record {
	r := score.Record{Birthday: k.Birthday, Gender: k.Gender, City: k.City, Phones: k.Phones, Emails: k.Emails, Address: k.Address, Numbers: k.Numbers, Accounts: k.Unique}
	if k.Name != "" {
		r.Names = []string{k.Name}
	}
	return r
}

// hash hides a form: without the key nobody can tell or try out what it was.
func (s *Service) hash(key string) (int64, error) {
	h, err := strconv.ParseUint(s.Keys.Index("match.key", key)[:16], 16, 64)
	if err != nil {
		return 0, fmt.Errorf("hash a form: %w", err)
	}
	return int64(h), nil
}

// rowsAtOnce keeps statements below what both engines take as arguments.
const rowsAtOnce = 400

// insertKeys writes rows of match_keys, sorted ones fastest.
func (s *Service) insertKeys(ctx context.Context, rows []entry) error {
	for chunk := range slices.Chunk(rows, rowsAtOnce) {
		args := make([]any, 0, 2*len(chunk))
		var b strings.Builder
		b.WriteString("insert into match_keys (key, contact) values ")
		for i, e := range chunk {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "($%d,$%d)", 2*i+1, 2*i+2)
			args = append(args, e.hi, e.lo)
		}
		b.WriteString(" on conflict (key, contact) do nothing")
		if _, err := s.DB.Exec(ctx, b.String(), args...); err != nil {
			return fmt.Errorf("write keys: %w", err)
		}
	}
	return nil
}

// members finds who stands under keys.
func (s *Service) members(ctx context.Context, keys []int64) (map[int64][]int64, error) {
	out := map[int64][]int64{}
	for chunk := range slices.Chunk(keys, rowsAtOnce) {
		args := make([]any, rowsAtOnce)
		for i := range args {
			args[i] = chunk[min(i, len(chunk)-1)] // one text for all lengths
		}
		rows, err := s.DB.Query(ctx, "select key, contact from match_keys where key in ("+db.In(1, rowsAtOnce)+")", args...)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
			var k, c int64
			err := r.Scan(&k, &c)
			out[k] = append(out[k], c)
			return struct{}{}, err
		})
		if err != nil {
			return nil, fmt.Errorf("find people by key: %w", err)
		}
	}
	return out, nil
}

// clearKeys forgets all keys, before everybody is read anew.
func (s *Service) clearKeys(ctx context.Context) error {
	if _, err := s.DB.Exec(ctx, s.DB.Pick("delete from match_keys", "truncate match_keys")); err != nil {
		return fmt.Errorf("forget keys: %w", err)
	}
	return nil
}

package autotag

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/numset"
)

// automation is an automatic tag as it is kept.
type automation struct {
	tag     string
	def     Definition // as wanted
	version int64
	// of scores: what serves
	active        Definition
	activeVersion int64
	sums          int64
	from          event.Position // up to which facts are in the sums
	recount       bool
	ending        bool // its tags are being taken, then it is gone

	fault            string
	created, changed int64
	byID, byName     string
}

// serves tells whether a score is kept already.
func (a *automation) serves() bool {
	return a.sums != 0 && a.active.Score != nil && a.def.Kind == ByScore && !a.ending
}

const automationColumns = "tag, spec, version, active, active_version, sums, from_seq, from_idx, recount, ending, fault, created_at, changed_at, by_id, by_name"

func (s *Service) scan(r *sql.Rows) (*automation, error) {
	a := &automation{}
	var spec, active string
	var seq, idx, recount, ending int64
	err := r.Scan(&a.tag, &spec, &a.version, &active, &a.activeVersion, &a.sums, &seq, &idx, &recount, &ending, &a.fault, &a.created, &a.changed, &a.byID, &a.byName)
	if err != nil {
		return nil, err
	}
	a.from, a.recount, a.ending = event.Position{Seq: uint64(seq), Idx: uint32(idx)}, recount != 0, ending != 0
	if err := s.decode(spec, &a.def); err != nil {
		return nil, fmt.Errorf("automatic tag %s: %w", a.tag, err)
	}
	if active != "" {
		if err := s.decode(active, &a.active); err != nil {
			return nil, fmt.Errorf("automatic tag %s: %w", a.tag, err)
		}
	}
	return a, nil
}

func (s *Service) encode(d Definition) (string, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("encode definition: %w", err)
	}
	return s.inside().Seal(string(raw))
}

func (s *Service) decode(text string, d *Definition) error {
	plain, err := s.inside().Open(text)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(plain), d); err != nil {
		return fmt.Errorf("decode definition: %w", err)
	}
	return nil
}

// all reads every automatic tag.
func (s *Service) all(ctx context.Context) ([]*automation, error) {
	rows, err := s.DB.Query(ctx, "select "+automationColumns+" from tag_automations order by created_at, tag")
	out, err := db.Collect(rows, err, s.scan)
	if err != nil {
		return nil, fmt.Errorf("read automatic tags: %w", err)
	}
	return out, nil
}

// get reads one; nil when the tag is not automatic.
func (s *Service) get(ctx context.Context, tag string) (*automation, error) {
	rows, err := s.DB.Query(ctx, "select "+automationColumns+" from tag_automations where tag = $1", tag)
	out, err := db.Collect(rows, err, s.scan)
	if err != nil {
		return nil, fmt.Errorf("read automatic tag: %w", err)
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out[0], nil
}

// inLists is how many values one statement compares with, or writes.
const inLists = 250

// eachIn runs a query with a list of numbers in pieces. The text holds {in} for
// the placeholders, which follow the fixed arguments.
func (s *Service) eachIn(ctx context.Context, what, query string, fixed []any, list []int64, scan func(*sql.Rows) error) error {
	for len(list) > 0 {
		part := list[:min(inLists, len(list))]
		list = list[len(part):]
		args := append([]any{}, fixed...)
		for _, n := range part {
			args = append(args, n)
		}
		rows, err := s.DB.Query(ctx, strings.ReplaceAll(query, "{in}", db.In(len(fixed)+1, len(part))), args...)
		if err == nil {
			_, err = db.Collect(rows, nil, func(r *sql.Rows) (struct{}, error) { return struct{}{}, scan(r) })
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

// deleteIn deletes rows of a table for some contacts.
func (s *Service) deleteIn(ctx context.Context, table, where string, fixed []any, nums []int64) error {
	for len(nums) > 0 {
		part := nums[:min(inLists, len(nums))]
		nums = nums[len(part):]
		args := append([]any{}, fixed...)
		for _, n := range part {
			args = append(args, n)
		}
		if _, err := s.DB.Exec(ctx, "delete from "+table+" where "+where+"contact in ("+db.In(len(fixed)+1, len(part))+")", args...); err != nil {
			return fmt.Errorf("delete from %s: %w", table, err)
		}
	}
	return nil
}

// insertMany writes rows in pieces. Columns and tail are SQL.
func (s *Service) insertMany(ctx context.Context, table, columns, tail string, n int, row func(i int) []any) error {
	width := strings.Count(columns, ",") + 1
	for from := 0; from < n; from += inLists {
		to := min(n, from+inLists)
		var b strings.Builder
		b.WriteString("insert into " + table + " (" + columns + ") values ")
		args := make([]any, 0, (to-from)*width)
		for i := from; i < to; i++ {
			if i > from {
				b.WriteByte(',')
			}
			b.WriteString("(" + db.In(len(args)+1, width) + ")")
			args = append(args, row(i)...)
		}
		b.WriteString(" " + tail)
		if _, err := s.DB.Exec(ctx, b.String(), args...); err != nil {
			return fmt.Errorf("insert into %s: %w", table, err)
		}
	}
	return nil
}

// eachRow reads numbers into a set.
func (s *Service) eachRow(ctx context.Context, what, query string, args []any, into *numset.Set) error {
	rows, err := s.DB.Query(ctx, query, args...)
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var n int64
		err := r.Scan(&n)
		into.Add(n)
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// eachNum is eachIn that reads numbers into a set.
func (s *Service) eachNum(ctx context.Context, what, query string, fixed []any, list []int64, into *numset.Set) error {
	return s.eachIn(ctx, what, query, fixed, list, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		into.Add(n)
		return err
	})
}

// modelTags are the tags of which models said what they weigh, and that no score gives.
func (s *Service) modelTags(ctx context.Context) ([]string, error) {
	rows, err := s.DB.Query(ctx, "select distinct tag from tag_model_weights where tag not in (select tag from tag_automations where kind = $1) order by tag", ByScore)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (tag string, err error) { return tag, r.Scan(&tag) })
	if err != nil {
		return nil, fmt.Errorf("read tags of models: %w", err)
	}
	return out, nil
}

package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/secret"
)

// Source is one place where sealed things lie.
type Source interface {
	// Name is that of the place, such as "contact_notes.body".
	Name() string
	// Reseal looks at up to limit things after a place ("" the beginning) and seals anew those
	// that need it. next is "" at the end. It bears repetition, and others writing meanwhile.
	Reseal(ctx context.Context, after string, limit int) (next string, seen, changed int, err error)
	// Under counts what lies there by the key that sealed it; "" is what lies in clear and should not.
	Under(ctx context.Context) (map[string]int64, error)
}

// Column is a column of sealed texts. It makes a Source.
type Column struct {
	Table string
	// Key are the columns of the primary key, those of numbers with `:n` behind.
	Key    string
	Column string
	Where  string // further condition, "" none
	// Field is the name under which the texts are sealed; FieldOf, when set, makes it of the first column of the key.
	Field   string
	FieldOf func(key string) string
	// Bytes tells a column of SealBytes.
	Bytes bool
	// Clear tells that texts which are not sealed should be: an older program left them.
	Clear bool
	// Inside, when set, is for texts with sealed parts in them: it gives the text
	// with its parts as they should be, the same text when they are.
	Inside func(text string) (string, error)
	// InsideOf is Inside for parts whose name is a column of the key: the one at Named.
	InsideOf func(name, text string) (string, error)
	Named    int
	// Lock, when set, keeps out others who read a row, think, and write it back.
	Lock func(ctx context.Context) error
}

type columnSource struct {
	Column
	db   *db.DB
	ring *secret.Ring
	keys []keyColumn
}

type keyColumn struct {
	name   string
	number bool
}

// Source makes the source of a column.
func (c Column) Source(d *db.DB, ring *secret.Ring) Source {
	s := &columnSource{Column: c, db: d, ring: ring}
	for _, f := range strings.Fields(c.Key) {
		name, typ, _ := strings.Cut(f, ":")
		s.keys = append(s.keys, keyColumn{name, typ == "n"})
	}
	return s
}

// Name implements Source.
func (s *columnSource) Name() string { return s.Table + "." + s.Column.Column }

func (s *columnSource) names() string {
	names := make([]string, len(s.keys))
	for i, k := range s.keys {
		names[i] = k.name
	}
	return strings.Join(names, ", ")
}

// place encodes where a walk is: the key's values.
type place []any

func (s *columnSource) parse(after string) (place, error) {
	if after == "" {
		return nil, nil
	}
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(after), &raw); err != nil || len(raw) != len(s.keys) {
		return nil, fmt.Errorf("%s: no place: %q", s.Name(), after)
	}
	p := make(place, len(raw))
	for i, k := range s.keys {
		if k.number {
			var n int64
			if err := json.Unmarshal(raw[i], &n); err != nil {
				return nil, err
			}
			p[i] = n
			continue
		}
		var t string
		if err := json.Unmarshal(raw[i], &t); err != nil {
			return nil, err
		}
		p[i] = t
	}
	return p, nil
}

type sealedRow struct {
	key  place
	text []byte
}

// Reseal implements Source. Rows that are right already are passed over by the
// database; each page is one transaction, and a row that somebody changed since
// it was read is left to them: they seal with the new key.
func (s *columnSource) Reseal(ctx context.Context, after string, limit int) (next string, seen, changed int, err error) {
	from, err := s.parse(after)
	if err != nil {
		return "", 0, 0, err
	}
	rows, err := s.page(ctx, from, limit)
	if err != nil {
		return "", 0, 0, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		changed = 0
		if s.Lock != nil && len(rows) > 0 {
			if err := s.Lock(ctx); err != nil {
				return err
			}
		}
		for _, r := range rows {
			done, err := s.one(ctx, r)
			if err != nil {
				return err
			}
			if done {
				changed++
			}
		}
		return nil
	})
	if err != nil {
		return "", 0, 0, fmt.Errorf("seal %s anew: %w", s.Name(), err)
	}
	if len(rows) < limit {
		return "", len(rows), changed, nil
	}
	raw, err := json.Marshal(rows[len(rows)-1].key)
	return string(raw), len(rows), changed, err
}

func (s *columnSource) page(ctx context.Context, from place, limit int) ([]sealedRow, error) {
	var where []string
	var args []any
	arg := func(v any) string { args = append(args, v); return fmt.Sprintf("$%d", len(args)) }
	if from != nil {
		marks := make([]string, len(from))
		for i, v := range from {
			marks[i] = arg(v)
		}
		where = append(where, "("+s.names()+") > ("+strings.Join(marks, ", ")+")")
	}
	switch {
	case s.inside():
		where = append(where, s.Column.Column+" <> ''")
	case !s.Bytes:
		where = append(where, s.Column.Column+" <> ''", s.Column.Column+" not like "+arg("s1."+s.ring.KeyID()+".%"))
	}
	if s.Where != "" {
		where = append(where, s.Where)
	}
	query := "select " + s.names() + ", " + s.Column.Column + " from " + s.Table
	if len(where) > 0 {
		query += " where " + strings.Join(where, " and ")
	}
	rows, err := s.db.Query(ctx, query+" order by "+s.names()+" limit "+arg(limit), args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.Name(), err)
	}
	defer rows.Close()
	var out []sealedRow
	for rows.Next() {
		r := sealedRow{key: make(place, len(s.keys))}
		into := make([]any, len(s.keys)+1)
		texts, numbers := make([]string, len(s.keys)), make([]int64, len(s.keys))
		for i, k := range s.keys {
			if into[i] = &texts[i]; k.number {
				into[i] = &numbers[i]
			}
		}
		into[len(s.keys)] = &r.text
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("read %s: %w", s.Name(), err)
		}
		for i, k := range s.keys {
			if r.key[i] = any(texts[i]); k.number {
				r.key[i] = numbers[i]
			}
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

func (s *columnSource) field(r sealedRow) string {
	if s.FieldOf != nil {
		first, _ := r.key[0].(string)
		return s.FieldOf(first)
	}
	return s.Field
}

func (s *columnSource) inside() bool { return s.Inside != nil || s.InsideOf != nil }

func (s *columnSource) insideOf(r sealedRow, text string) (string, error) {
	if s.InsideOf == nil {
		return s.Inside(text)
	}
	name, _ := r.key[s.Named].(string)
	return s.InsideOf(name, text)
}

// anew gives the row's content as it should be, nil when it is right.
func (s *columnSource) anew(r sealedRow) (any, error) {
	text := string(r.text)
	switch {
	case s.inside():
		out, err := s.insideOf(r, text)
		if err != nil || out == text {
			return nil, err
		}
		return out, nil
	case s.Bytes:
		key := secret.BytesKey(r.text)
		if key == s.ring.KeyID() || key == "" && !s.Clear {
			return nil, nil
		}
		plain := r.text
		if key != "" {
			var err error
			if plain, err = s.ring.OpenBytes(s.field(r), r.text); err != nil {
				return nil, err
			}
		}
		return s.ring.SealBytes(nil, s.field(r), plain)
	}
	key := secret.KeyOf(text)
	if key == s.ring.KeyID() || key == "" && !s.Clear {
		return nil, nil
	}
	plain, err := s.ring.OpenOrClear(s.field(r), text)
	if err != nil {
		return nil, err
	}
	return s.ring.Seal(s.field(r), plain)
}

func (s *columnSource) one(ctx context.Context, r sealedRow) (bool, error) {
	out, err := s.anew(r)
	if err != nil {
		return false, fmt.Errorf("row %v: %w", r.key[:1], err)
	}
	if out == nil {
		return false, nil
	}
	var old any = string(r.text)
	if s.Bytes {
		old = r.text
	}
	args := []any{out, old}
	var where []string
	for i, k := range s.keys {
		args = append(args, r.key[i])
		where = append(where, fmt.Sprintf("%s = $%d", k.name, len(args)))
	}
	n, err := s.db.ExecN(ctx, "update "+s.Table+" set "+s.Column.Column+" = $1 where "+s.Column.Column+" = $2 and "+strings.Join(where, " and "), args...)
	return n == 1, err
}

// Under implements Source.
func (s *columnSource) Under(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	cond := ""
	if s.Where != "" {
		cond = " and " + s.Where
	}
	if s.inside() {
		for _, id := range s.ring.KeyIDs() {
			var n int64
			err := s.db.QueryRow(ctx, "select count(*) from "+s.Table+" where "+s.Column.Column+" like $1"+cond, "%\"s1."+id+".%").Scan(&n)
			if err != nil {
				return nil, fmt.Errorf("count %s: %w", s.Name(), err)
			}
			if n > 0 {
				out[id] += n
			}
		}
		return out, nil
	}
	head, empty := "substr("+s.Column.Column+", 1, 12)", s.Column.Column+" <> ''"
	if s.Bytes {
		head, empty = "substr("+s.Column.Column+", 1, 5)", "1 = 1"
	}
	rows, err := s.db.Query(ctx, "select "+head+", count(*) from "+s.Table+" where "+empty+cond+" group by 1")
	if err != nil {
		return nil, fmt.Errorf("count %s: %w", s.Name(), err)
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		var n int64
		if err := rows.Scan(&raw, &n); err != nil {
			return nil, fmt.Errorf("count %s: %w", s.Name(), err)
		}
		id := secret.BytesKey(raw)
		if !s.Bytes {
			id = secret.KeyOf(string(raw) + strings.Repeat("A", 40))
		}
		if id != "" || s.Clear {
			out[id] += n
		}
	}
	return out, rows.Err()
}

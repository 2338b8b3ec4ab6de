package audience

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/numset"
)

// SetStore keeps sets of contact numbers, each under a key, in rows of 4,096.
// What it changes joins the transaction of its context.
type SetStore struct{ DB *db.DB }

const (
	partBits  = 12
	partSize  = 1 << partBits // numbers of a row
	partWords = partSize / 64
	denseSize = partSize / 8 // bytes of a row with a bit for each number
)

// row is one stored row.
type setRow struct {
	part int64
	n    int
	bits []byte
}

// words are the 64 words of a row.
type words [partWords]uint64

func (w *words) count() (n int) {
	for _, x := range w {
		n += bits.OnesCount64(x)
	}
	return n
}

// encode writes the numbers of a row: two bytes each, or a bit each when that is less.
func (w *words) encode() []byte {
	if w.count()*2 >= denseSize {
		out := make([]byte, denseSize)
		for i, x := range w {
			binary.LittleEndian.PutUint64(out[i*8:], x)
		}
		return out
	}
	out := []byte{}
	for i, x := range w {
		for ; x != 0; x &= x - 1 {
			out = binary.LittleEndian.AppendUint16(out, uint16(i*64+bits.TrailingZeros64(x)))
		}
	}
	return out
}

// decode reads what encode wrote; the length tells how it is written.
func (w *words) decode(raw []byte) error {
	switch {
	case len(raw) == denseSize:
		for i := range w {
			w[i] = binary.LittleEndian.Uint64(raw[i*8:])
		}
		return nil
	case len(raw) > denseSize || len(raw)%2 != 0:
		return fmt.Errorf("%d bytes are no row of a set", len(raw))
	}
	for ; len(raw) > 0; raw = raw[2:] {
		n := binary.LittleEndian.Uint16(raw)
		if n >= partSize {
			return fmt.Errorf("%d is in no row of a set", n)
		}
		w[n/64] |= 1 << (n % 64)
	}
	return nil
}

// Load reads a whole set; one that nobody kept is empty.
func (s *SetStore) Load(ctx context.Context, key string) (*numset.Set, error) {
	all, err := s.LoadAll(ctx, key)
	if err != nil {
		return nil, err
	}
	return all[key], nil
}

// LoadAll reads several sets at once.
func (s *SetStore) LoadAll(ctx context.Context, keys ...string) (map[string]*numset.Set, error) {
	out := make(map[string]*numset.Set, len(keys))
	for _, k := range keys {
		out[k] = &numset.Set{}
	}
	for some := range slices.Chunk(keys, 200) {
		args := make([]any, len(some))
		for i, k := range some {
			args[i] = k
		}
		// Last part first, so that a set reaches its full length at once.
		rows, err := s.DB.Query(ctx, "select set_key, part, bits from audience_sets where set_key in ("+db.In(1, len(some))+") order by set_key, part desc", args...)
		if err != nil {
			return nil, fmt.Errorf("read sets: %w", err)
		}
		err = eachRow(rows, func(key string, part int64, w *words) {
			for i, x := range w {
				out[key].OrWord(int(part)*partWords+i, x)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// eachRow reads rows of key, part and bits, and closes them.
func eachRow(rows *sql.Rows, take func(key string, part int64, w *words)) error {
	defer rows.Close()
	for rows.Next() {
		var key string
		var part int64
		var raw sql.RawBytes
		var w words
		if err := rows.Scan(&key, &part, &raw); err != nil {
			return fmt.Errorf("read sets: %w", err)
		}
		if err := w.decode(raw); err != nil {
			return fmt.Errorf("set %s, part %d: %w", key, part, err)
		}
		take(key, part, &w)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read sets: %w", err)
	}
	return nil
}

// Count tells how many numbers a set has, without reading it.
func (s *SetStore) Count(ctx context.Context, key string) (int64, error) {
	var n int64
	err := s.DB.QueryRow(ctx, "select coalesce(sum(n), 0) from audience_sets where set_key = $1", key).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count a set: %w", err)
	}
	return n, nil
}

// parts reads some rows of a set; those that are not there are empty.
func (s *SetStore) parts(ctx context.Context, key string, which []int64) (map[int64]*words, error) {
	out := make(map[int64]*words, len(which))
	for _, p := range which {
		out[p] = &words{}
	}
	for some := range slices.Chunk(which, 200) {
		args := []any{key}
		for _, p := range some {
			args = append(args, p)
		}
		rows, err := s.DB.Query(ctx, "select part, n, bits from audience_sets where set_key = $1 and part in ("+db.In(2, len(some))+")", args...)
		got, err := db.Collect(rows, err, func(r *sql.Rows) (x setRow, err error) { return x, r.Scan(&x.part, &x.n, &x.bits) })
		if err != nil {
			return nil, fmt.Errorf("read a set: %w", err)
		}
		for _, x := range got {
			if err := out[x.part].decode(x.bits); err != nil {
				return nil, fmt.Errorf("set %s, part %d: %w", key, x.part, err)
			}
		}
	}
	return out, nil
}

// Has picks those of some numbers that a set has.
func (s *SetStore) Has(ctx context.Context, key string, nums []int64) (*numset.Set, error) {
	have, err := s.parts(ctx, key, partsOf(nums))
	if err != nil {
		return nil, err
	}
	out := &numset.Set{}
	for _, n := range nums {
		if at := n % partSize; n >= 0 && have[n>>partBits][at/64]&(1<<(at%64)) != 0 {
			out.Add(n)
		}
	}
	return out, nil
}

// HasAll picks those of some numbers that each of several sets has.
func (s *SetStore) HasAll(ctx context.Context, keys []string, nums []int64) (map[string]*numset.Set, error) {
	out := make(map[string]*numset.Set, len(keys))
	for _, k := range keys {
		out[k] = &numset.Set{}
	}
	asked := numset.Of(nums...)
	for somes := range slices.Chunk(keys, 200) {
		for parts := range slices.Chunk(partsOf(nums), 100) {
			var args []any
			for _, k := range somes {
				args = append(args, k)
			}
			for _, p := range parts {
				args = append(args, p)
			}
			rows, err := s.DB.Query(ctx, "select set_key, part, bits from audience_sets where set_key in ("+db.In(1, len(somes))+") and part in ("+db.In(len(somes)+1, len(parts))+")", args...)
			if err != nil {
				return nil, fmt.Errorf("read sets: %w", err)
			}
			err = eachRow(rows, func(key string, part int64, w *words) {
				for i, x := range w {
					at := int(part)*partWords + i
					out[key].OrWord(at, x&asked.Word(at))
				}
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// partsOf lists the rows that some numbers stand in, ascending, each once.
func partsOf(lists ...[]int64) []int64 {
	var out []int64
	for _, list := range lists {
		for _, n := range list {
			if n >= 0 {
				out = append(out, n>>partBits)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Apply puts numbers in and takes others out, and tells which of them that
// changed: who was in already, or was not in, is in neither answer. A number in
// both lists comes in. It writes only the rows that change.
func (s *SetStore) Apply(ctx context.Context, key string, in, out []int64) (came, went []int64, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		came, went = nil, nil
		if err := s.lock(ctx, key); err != nil {
			return err
		}
		have, err := s.parts(ctx, key, partsOf(in, out))
		if err != nil {
			return err
		}
		was := make(map[int64]words, len(have))
		for p, w := range have {
			was[p] = *w
		}
		for _, n := range out {
			if at := n % partSize; n >= 0 {
				have[n>>partBits][at/64] &^= 1 << (at % 64)
			}
		}
		for _, n := range in {
			if at := n % partSize; n >= 0 {
				have[n>>partBits][at/64] |= 1 << (at % 64)
			}
		}
		changed := map[int64]*words{}
		for p, w := range have {
			before := was[p]
			if before == *w {
				continue
			}
			changed[p] = w
			for i := range w {
				base := p<<partBits + int64(i)*64
				came = appendBits(came, base, w[i]&^before[i])
				went = appendBits(went, base, before[i]&^w[i])
			}
		}
		slices.Sort(came)
		slices.Sort(went)
		return s.write(ctx, key, changed)
	})
	return came, went, err
}

func appendBits(list []int64, base int64, word uint64) []int64 {
	for ; word != 0; word &= word - 1 {
		list = append(list, base+int64(bits.TrailingZeros64(word)))
	}
	return list
}

// Replace makes a set be another, and tells who came and went. Rows that stay
// as they are are not written.
func (s *SetStore) Replace(ctx context.Context, key string, set *numset.Set) (came, went *numset.Set, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.lock(ctx, key); err != nil {
			return err
		}
		was, err := s.Load(ctx, key)
		if err != nil {
			return err
		}
		came, went = set.Clone(), was.Clone()
		came.AndNot(was)
		went.AndNot(set)
		changed := map[int64]*words{}
		for i := range max(came.Words(), went.Words()) {
			if came.Word(i)|went.Word(i) == 0 {
				continue
			}
			p := int64(i / partWords)
			if changed[p] == nil {
				w := &words{}
				for j := range w {
					w[j] = set.Word(int(p)*partWords + j)
				}
				changed[p] = w
			}
		}
		return s.write(ctx, key, changed)
	})
	return came, went, err
}

// lock lets writers of one set wait for each other where the database has
// several writers at once.
func (s *SetStore) lock(ctx context.Context, key string) error {
	if s.DB.Dialect() == db.SQLite {
		return nil
	}
	if _, err := s.DB.Exec(ctx, "select pg_advisory_xact_lock(hashtext('audience_sets'), hashtext($1))", key); err != nil {
		return fmt.Errorf("wait for a set: %w", err)
	}
	return nil
}

// rowsAtOnce is how many rows one statement writes.
const rowsAtOnce = 100

func (s *SetStore) write(ctx context.Context, key string, changed map[int64]*words) error {
	var gone []any
	var put []setRow
	for p, w := range changed {
		if n := w.count(); n > 0 {
			put = append(put, setRow{p, n, w.encode()})
		} else {
			gone = append(gone, p)
		}
	}
	for some := range slices.Chunk(gone, 500) {
		if _, err := s.DB.Exec(ctx, "delete from audience_sets where set_key = $1 and part in ("+db.In(2, len(some))+")", append([]any{key}, some...)...); err != nil {
			return fmt.Errorf("write a set: %w", err)
		}
	}
	slices.SortFunc(put, func(a, b setRow) int { return int(a.part - b.part) })
	for some := range slices.Chunk(put, rowsAtOnce) {
		args := []any{key}
		marks := make([]string, len(some))
		for i, r := range some {
			marks[i] = fmt.Sprintf("($1,$%d,$%d,$%d)", len(args)+1, len(args)+2, len(args)+3)
			args = append(args, r.part, r.n, r.bits)
		}
		if _, err := s.DB.Exec(ctx, "insert into audience_sets (set_key, part, n, bits) values "+strings.Join(marks, ",")+
			" on conflict (set_key, part) do update set n = excluded.n, bits = excluded.bits", args...); err != nil {
			return fmt.Errorf("write a set: %w", err)
		}
	}
	return nil
}

// Copy keeps a set as it is now under another key.
func (s *SetStore) Copy(ctx context.Context, from, to string) error {
	if _, err := s.DB.Exec(ctx, "insert into audience_sets (set_key, part, n, bits) select $2, part, n, bits from audience_sets where set_key = $1", from, to); err != nil {
		return fmt.Errorf("copy a set: %w", err)
	}
	return nil
}

// Drop forgets sets.
func (s *SetStore) Drop(ctx context.Context, keys ...string) error {
	for some := range slices.Chunk(keys, 200) {
		args := make([]any, len(some))
		for i, k := range some {
			args[i] = k
		}
		if _, err := s.DB.Exec(ctx, "delete from audience_sets where set_key in ("+db.In(1, len(some))+")", args...); err != nil {
			return fmt.Errorf("drop sets: %w", err)
		}
	}
	return nil
}

// Forget takes contacts that are gone out of every set, a few rows at a time.
func (s *SetStore) Forget(ctx context.Context, nums []int64) error {
	for _, part := range partsOf(nums) {
		rows, err := s.DB.Query(ctx, "select set_key from audience_sets where part = $1", part)
		keys, err := db.Collect(rows, err, func(r *sql.Rows) (k string, err error) { return k, r.Scan(&k) })
		if err != nil {
			return fmt.Errorf("find sets: %w", err)
		}
		var mine []int64
		for _, n := range nums {
			if n>>partBits == part {
				mine = append(mine, n)
			}
		}
		for _, k := range keys {
			if _, _, err := s.Apply(ctx, k, nil, mine); err != nil {
				return err
			}
		}
	}
	return nil
}

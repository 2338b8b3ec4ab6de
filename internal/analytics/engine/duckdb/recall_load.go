package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

const (
	// recallRows is about how many facts are read in one question.
	recallRows = 200_000
	// recallRetry is how long it rests after a reading that failed.
	recallRetry = 10 * time.Second
)

// remember reads what is to be remembered, until the store is closed.
func (s *Store) remember() {
	defer s.loader.Done()
	ctx, cancel := context.WithCancel(context.Background()) // until the store is closed
	defer cancel()
	go func() {
		select {
		case <-s.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		select {
		case <-s.recall.change:
		case <-ctx.Done():
			return
		}
		if err := s.readMemory(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("what contacts did cannot be kept at hand; it is looked up until it can", "error", err)
			select {
			case <-time.After(recallRetry):
				s.recall.wake()
			case <-ctx.Done():
			}
		}
	}
}

var errVoid = errors.New("facts were changed while they were read")

// readMemory reads everything once. When something changed facts meanwhile, whoever
// did so has woken the reader again.
func (s *Store) readMemory(ctx context.Context) error {
	m, ok, err := s.beginMemory(ctx)
	if err != nil || !ok {
		return err
	}
	err = s.fillMemory(ctx, m)
	r := &s.recall
	s.wmu.Lock() // no batch is between the store and the recall
	defer s.wmu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if m.void || errors.Is(err, errVoid) {
		return nil
	}
	r.load = nil
	if err != nil {
		return err
	}
	if m.size() <= r.limit {
		m.take(m.fresh)
		m.fresh = nil
		r.have = m
		r.bound()
	} else {
		r.full = true
	}
	if r.full {
		s.log.Warn("what contacts did is too much to be kept at hand: rules about it are slower to follow", "limit_mb", r.limit>>20)
	}
	return nil
}

// beginMemory notes up to where the store is to be read. What is appended from
// then on is kept apart.
func (s *Store) beginMemory(ctx context.Context) (*memory, bool, error) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if err := s.ready(ctx); err != nil {
		return nil, false, err
	}
	r := &s.recall
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.want) == 0 || r.load != nil || r.have != nil && r.have.covers.holds(r.want) && !r.have.wasteful(r.want) {
		return nil, false, nil
	}
	r.load = newMemory(r.want, s.state.Load().pos)
	return r.load, true, nil
}

// fillMemory reads the facts in order of arrival, many at a time.
func (s *Store) fillMemory(ctx context.Context, m *memory) error {
	var first, last, count sql.NullInt64
	err := s.look(ctx, "count what is to be kept at hand", func(*state) error {
		return s.readDB.QueryRowContext(ctx, `SELECT min(seq)::BIGINT, max(seq)::BIGINT, count(*) FROM facts WHERE seq <= $1`, m.to.Seq).Scan(&first, &last, &count)
	})
	if err != nil || count.Int64 == 0 {
		return err
	}
	step := max(1, (last.Int64-first.Int64+1)*recallRows/count.Int64)
	for from := first.Int64; from <= last.Int64; from += step {
		err := s.look(ctx, "read what is to be kept at hand", func(*state) error { return s.readPart(ctx, m, from, from+step) })
		switch {
		case err != nil:
			return err
		case s.recall.given(m):
			return errVoid
		case m.size() > s.recall.limit:
			return nil
		}
	}
	return nil
}

// given tells whether a reading was given up.
func (r *recall) given(m *memory) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return m.void
}

// readPart reads the facts of a stretch of the stream.
func (s *Store) readPart(ctx context.Context, m *memory, from, to int64) error {
	names := slices.Sorted(maps.Keys(m.covers))
	var whole []string
	oldest := int64(rule.Forever)
	for _, n := range names {
		if len(m.covers[n].props) > 0 {
			whole = append(whole, n)
		}
		oldest = min(oldest, m.covers[n].from)
	}
	where := append(between("ts", oldest, rule.Forever), "seq >= $1", "seq < $2", "(seq < $3 OR seq = $3 AND idx <= $4)", "contact > 0", "name IN (SELECT unnest($5::VARCHAR[]))")
	query := `SELECT contact, name, ts, CASE WHEN list_contains($6::VARCHAR[], name) THEN props END FROM facts WHERE ` + strings.Join(where, " AND ") + ` ORDER BY seq, idx`
	if whole == nil {
		whole = []string{}
	}
	args := []any{from, to, int64(m.to.Seq), int64(m.to.Idx), names, whole}
	return ask(ctx, s.readDB, query, args, func(scan func(...any) error) error {
		var contact, at int64
		var name string
		var props sql.RawBytes
		if err := scan(&contact, &name, &at, &props); err != nil {
			return err
		}
		m.add(contact, name, at, props)
		return nil
	})
}

// fromMemory answers from what is remembered; ok is false when that is not enough.
func (s *Store) fromMemory(ctx context.Context, st *state, db asker, q analytics.BehaviourQuery) (out []numset.Choice, ok bool, err error) {
	r := &s.recall
	needs := coverageOf(q)
	if r.limit == 0 || !r.covers(needs) {
		return nil, false, nil
	}
	parts := map[int64][]int64{}
	if st.merged {
		if parts, err = partsOf(ctx, db, q.Among); err != nil {
			return nil, false, err
		}
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.have == nil || !r.have.covers.holds(needs) {
		return nil, false, nil
	}
	out = make([]numset.Choice, len(q.Leaves))
	leaves := make([]*rule.Moment, len(q.Leaves))
	for i := range q.Leaves {
		leaves[i] = q.Leaves[i].At(q.Now, q.Zone)
		out[i] = numset.Choice{Set: &numset.Set{}, Rest: leaves[i].Look(nil).Holds}
	}
	names := needs.names()
	facts := &story{byName: map[string][]rule.Fact{}}
	for _, n := range q.Among {
		own, of := parts[n]
		if !of {
			own = []int64{n}
		}
		r.have.tell(facts, own, names)
		for i := range q.Leaves {
			if q.Matters != nil && !q.Matters(i, n) {
				continue
			}
			some := facts.of(&q.Leaves[i])
			if len(some) > 0 && leaves[i].Look(some).Holds != out[i].Rest {
				out[i].Set.Add(n)
			}
		}
	}
	return out, true, nil
}

func (r *recall) covers(needs coverage) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.have != nil && r.have.covers.holds(needs)
}

// partsOf lists, of contacts that are several in one or part of another, the
// numbers whose facts are theirs: none of those that are part of another.
func partsOf(ctx context.Context, db asker, among []int64) (map[int64][]int64, error) {
	asked := make(map[int64]bool, len(among))
	for _, n := range among {
		asked[n] = true
	}
	out := map[int64][]int64{}
	var gone []int64
	const query = `SELECT contact, root FROM contacts WHERE root <> contact AND (root IN (SELECT unnest($1::BIGINT[])) OR contact IN (SELECT unnest($1::BIGINT[])))`
	err := ask(ctx, db, query, []any{among}, func(scan func(...any) error) error {
		var part, root int64
		if err := scan(&part, &root); err != nil {
			return err
		}
		if asked[part] {
			gone = append(gone, part)
		}
		if asked[root] {
			out[root] = append(out[root], part)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ask who is part of whom: %w", err)
	}
	for n := range out {
		out[n] = append(out[n], n)
	}
	for _, n := range gone {
		out[n] = slices.DeleteFunc(out[n], func(m int64) bool { return m == n })
	}
	return out, nil
}

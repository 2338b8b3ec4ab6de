package duckdb

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

var (
	_ analytics.Behaviours = (*Store)(nil)
	_ analytics.Witness    = (*Store)(nil)
	_ analytics.Rememberer = (*Store)(nil)
)

// Behaviour implements analytics.Behaviours. Everybody is answered by a few
// statements, each of which answers many of the leaves; few contacts by reading
// their facts. All see the same state of the store.
func (s *Store) Behaviour(ctx context.Context, q analytics.BehaviourQuery) (out []numset.Choice, err error) {
	if err := checkBehaviour(&q); err != nil || len(q.Leaves) == 0 {
		return nil, err
	}
	if q.Among != nil {
		answered := false
		err := s.look(ctx, "recall behaviour", func(st *state) (err error) {
			out, answered, err = s.fromMemory(ctx, st, s.readDB, q)
			return err
		})
		if answered || err != nil {
			return out, err
		}
	}
	err = s.read(ctx, "ask for behaviour", func(st *state) (err error) {
		conn, err := s.readDB.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() {
			_ = tx.Rollback() // it changed nothing
			// Others use the connection after.
			if _, back := conn.ExecContext(context.WithoutCancel(ctx), `RESET perfect_ht_threshold`); back != nil && err == nil {
				err = back
			}
		}()
		if q.Among != nil && len(q.Among) <= fewPeople {
			var done bool
			if out, done, err = answerFew(ctx, tx, st, q); err != nil || done {
				return err
			}
		}
		out, err = s.answerAll(ctx, tx, st, q)
		return err
	})
	return out, err
}

// checkBehaviour fills in the zone and refuses names that no statement may hold.
func checkBehaviour(q *analytics.BehaviourQuery) error {
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	for i := range q.Leaves {
		for _, p := range q.Leaves[i].Properties() {
			if err := analytics.CheckProperty(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// answerAll answers for everybody.
func (s *Store) answerAll(ctx context.Context, tx *sql.Tx, st *state, q analytics.BehaviourQuery) ([]numset.Choice, error) {
	var top int64
	err := tx.QueryRowContext(ctx, `SELECT greatest((SELECT coalesce(max(contact), 0) FROM facts), (SELECT coalesce(max(root), 0) FROM contacts))`).Scan(&top)
	if err != nil {
		return nil, err
	}
	p := newPlan(st, q, top, int64(s.megs)<<20, s.cores)
	answers := make([]func() *numset.Set, len(q.Leaves))
	for i := range q.Leaves {
		answers[i] = p.leaf(&q.Leaves[i])
	}
	if len(p.did) > 0 && st.merged {
		err := ask(ctx, tx, `SELECT contact, root FROM contacts WHERE root <> contact`, nil, func(scan func(...any) error) error {
			var part, root int64
			err := scan(&part, &root)
			p.parts, p.roots = append(p.parts, part), append(p.roots, root)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, m := range p.statements() {
		// Where contacts are grouped, their numbers are places in a table, which takes
		// no hashing. DuckDB does so only for few groups of its own accord, as the
		// table has a place for each number and thread, which counts towards no limit.
		threshold := 12
		if p.fits(m.weight()) {
			threshold = min(32, bits.Len64(uint64(p.top))+1)
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(`SET perfect_ht_threshold = %d`, threshold)); err != nil {
			return nil, err
		}
		query, args := m.sql(p)
		if len(m.into()) == 0 {
			continue // a time without a moment in it
		}
		if err := bitsOf(ctx, tx, query, args, m.into()); err != nil {
			return nil, err
		}
		m.settle()
	}
	out := make([]numset.Choice, len(q.Leaves))
	for i := range answers {
		out[i] = numset.Choice{Set: answers[i](), Rest: p.empty(&q.Leaves[i])}
	}
	return out, nil
}

// bitsOf runs a statement whose one line has a string of bits for each of the sets.
func bitsOf(ctx context.Context, tx *sql.Tx, query string, args []any, into []*numset.Set) error {
	raw := make([][]byte, len(into))
	to := make([]any, len(into))
	for i := range raw {
		to[i] = &raw[i]
	}
	if err := tx.QueryRowContext(ctx, query, args...).Scan(to...); err != nil {
		return err
	}
	for i, set := range into {
		if len(raw[i])%8 != 0 {
			return fmt.Errorf("a set of contacts has %d bytes", len(raw[i]))
		}
		for w := len(raw[i])/8 - 1; w >= 0; w-- { // from the end: the set makes room once
			set.OrWord(w, bits.Reverse64(binary.BigEndian.Uint64(raw[i][8*w:])))
		}
	}
	return nil
}

// plan is how leaves are answered for everybody. Each leaf says which sets it is
// made of; leaves that ask the same share them.
//
// Contacts have dense numbers, so a set is a string of bits that DuckDB makes in
// one pass: who did something at least once costs a bit per contact and no
// table of groups. What must be counted or measured per contact is grouped, the
// leaves on one event together, as many as the memory allows.
type plan struct {
	st     *state
	now    time.Time
	zone   *time.Location
	top    int64 // no contact has a greater number; one less than a multiple of 64
	budget int64 // bytes of what one statement keeps of all contacts
	cores  int64
	share  int // one contact in so many is asked about; up to 1: all

	parts, roots []int64 // contacts that are part of another, and of which

	did   []*didStatement
	found map[string]*numset.Set // by what was asked
	sums  []*measureStatement
	alone []statement
}

// statement is one question to DuckDB with a set for each column of its answer.
type statement interface {
	sql(p *plan) (string, []any)
	weight() int64 // bytes that it keeps per contact
	into() []*numset.Set
	settle() // what was asked for is put together of these
}

func newPlan(st *state, q analytics.BehaviourQuery, top, memory int64, cores int) *plan {
	return &plan{st: st, now: q.Now, zone: q.Zone, top: top | 63, budget: memory / 4, cores: int64(cores), found: map[string]*numset.Set{}, share: q.Share}
}

func (p *plan) newScan(names ...string) *scan {
	c := newScan(p.st, names...)
	c.share = p.share
	return c
}

func (p *plan) statements() []statement {
	var out []statement
	for _, m := range p.did {
		out = append(out, m)
	}
	for _, m := range p.sums {
		out = append(out, m)
	}
	return append(out, p.alone...)
}

// empty tells whether the leaf holds for those who did nothing.
func (p *plan) empty(b *rule.Behaviour) bool { return rule.Holds(b, nil, p.now, p.zone) }

// fits tells whether so many bytes may be kept for each contact, by each thread.
func (p *plan) fits(bytes int64) bool { return bytes<<bits.Len64(uint64(p.top))*p.cores <= p.budget }

// bits is the SQL for the contacts r that fulfil a condition.
func (p *plan) bits(cond string) string {
	filter := ""
	if cond != "" {
		filter = " FILTER (WHERE " + cond + ")"
	}
	return fmt.Sprintf("(bitstring_agg(r, 0::BIGINT, %d::BIGINT)%s)::BLOB", p.top, filter)
}

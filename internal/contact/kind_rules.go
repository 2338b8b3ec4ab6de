package contact

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
)

// kindRules are what holds of kinds of identity: what the program knows of them and
// what the company said. They are read once and kept until their epoch moves.
type kindRules struct {
	epoch int64
	most  map[string]int // of kinds that have a limit, by canonical kind
	// ones are the bits of kinds of which a contact has at most one. Kinds without
	// a place of their own and kinds of which there may be several must be counted.
	ones    uint64
	counted map[string]int
	blocked map[idKey][]blockade
	domains map[string][]blockade // of e-mail addresses
}

// blockade is the stretch of the stream in which a value is blocked. Facts are
// resolved again after a crash: they must meet the rules of the first time, or
// they would go to somebody else.
type blockade struct {
	id           string
	since, until event.Position
	ended        bool
}

func (s blockade) holds(at event.Position) bool {
	if at.Seq == 0 { // no fact of the stream: now
		return !s.ended
	}
	return less(s.since, at) && (!s.ended || !less(s.until, at))
}

func newRules() *kindRules {
	r := &kindRules{most: map[string]int{}, counted: map[string]int{}, blocked: map[idKey][]blockade{}, domains: map[string][]blockade{}}
	for kind, t := range known {
		r.limit(kind, t.most)
	}
	return r
}

// limit sets how many of a kind one contact carries.
func (r *kindRules) limit(kind string, most int) {
	bit := known[kind].bit // 0 for kinds without a place of their own
	r.ones &^= bit
	delete(r.counted, kind)
	delete(r.most, kind)
	switch {
	case most == 0:
		return
	case most == 1 && bit != 0:
		r.ones |= bit
	default:
		r.counted[kind] = most
	}
	r.most[kind] = most
}

// unique tells whether a person has at most one of a kind: two people with one each never merge.
func (r *kindRules) unique(kind string) bool { return r.most[kind] == 1 }

// bars gives the entry by which the company blocks a value at a place of the stream, "" when none does.
func (r *kindRules) bars(key idKey, value string, at event.Position) string {
	if len(r.blocked) > 0 {
		for _, s := range r.blocked[key] {
			if s.holds(at) {
				return s.id
			}
		}
	}
	if key.kind != KindEmail || len(r.domains) == 0 {
		return ""
	}
	_, host, _ := strings.Cut(value, "@")
	for host != "" {
		for _, s := range r.domains[host] {
			if s.holds(at) {
				return s.id
			}
		}
		_, host, _ = strings.Cut(host, ".")
	}
	return ""
}

// carried is what a contact carries, or would by the fact at hand: the kinds as
// bits, and how many of those that must be counted.
type carried struct {
	bits uint64
	n    map[string]int
}

func (c *carried) add(r *kindRules, id *ident) {
	c.bits |= id.trait.bit
	if _, ok := r.counted[id.key.kind]; ok {
		if c.n == nil {
			c.n = map[string]int{}
		}
		c.n[id.key.kind]++
	}
}

func (c *carried) take(st *state) {
	c.bits |= st.kinds
	for kind, n := range st.held {
		if c.n == nil {
			c.n = map[string]int{}
		}
		c.n[kind] += n
	}
}

// second tells whether an identity that nobody has would be a second value of a unique kind.
func (r *kindRules) second(c *carried, id *ident) bool {
	if !r.unique(id.key.kind) {
		return false
	}
	return c.bits&id.trait.bit&r.ones != 0 || c.n[id.key.kind] > 0
}

// clash tells why a holder may not become one with what is there so far, "" when
// it may. Both having a kind means that they have different values of it: an
// identity belongs to one contact only. A device is weak evidence, so there any
// strong kind in common forbids; else a unique one does, or too many together.
// Values that are merely new do not keep anybody out: see trim.
func (r *kindRules) clash(c *carried, someone bool, holder *state, weak bool) string {
	both := c.bits & holder.kinds
	forbidden := both & r.ones
	if weak {
		forbidden = both & strongBits
	}
	if forbidden != 0 {
		return clashOf(weak)
	}
	for kind, n := range c.n {
		most := r.counted[kind]
		if n == 0 || holder.held[kind] == 0 || n+holder.held[kind] <= most {
			continue
		}
		switch {
		case most == 1:
			return clashOf(weak)
		case someone:
			return conflictLimit
		}
	}
	return ""
}

func clashOf(weak bool) string {
	if weak {
		return conflictDevice
	}
	return conflictPerson
}

// full tells whether a contact carries all it may of the kind.
func (r *kindRules) full(st *state, kind string) bool {
	most, ok := r.counted[kind]
	return ok && st.held[kind] >= most
}

// ruleCache holds the rules that were last read. It must not be asked inside a
// transaction that changes them: what is rolled back would stay.
type ruleCache struct {
	mu  sync.Mutex
	cur *kindRules
}

// rulesEpoch is the row of contact_cursor that moves with the rules.
const rulesEpoch = "identity_rules"

// rules gives the rules as they are committed.
func (e *engine) rules(ctx context.Context) (*kindRules, error) {
	var epoch int64
	err := e.db.QueryRow(ctx, "select epoch from contact_cursor where name = $1", rulesEpoch).Scan(&epoch)
	if err != nil && !db.NoRows(err) {
		return nil, fmt.Errorf("read epoch of identity rules: %w", err)
	}
	return e.rulesAt(ctx, epoch)
}

// rulesAt is rules for those who know the epoch already.
func (e *engine) rulesAt(ctx context.Context, epoch int64) (*kindRules, error) {
	e.ruled.mu.Lock()
	defer e.ruled.mu.Unlock()
	if e.ruled.cur != nil && e.ruled.cur.epoch == epoch {
		return e.ruled.cur, nil
	}
	r, err := e.readRules(ctx)
	if err != nil {
		return nil, err
	}
	r.epoch = epoch
	e.ruled.cur = r
	return r, nil
}

// readRules reads past the cache.
func (e *engine) readRules(ctx context.Context) (*kindRules, error) {
	r := newRules()
	rows, err := e.db.Query(ctx, "select kind, most from identity_rules")
	err = scanAll(rows, err, "read identity rules", func(rows *sql.Rows) error {
		var kind string
		var most int
		err := rows.Scan(&kind, &most)
		r.limit(kind, most)
		return err
	})
	if err != nil {
		return nil, err
	}
	rows, err = e.db.Query(ctx, "select id, kind, whole, lookup, since_seq, since_idx, until_seq, until_idx, removed_at from identity_blocked")
	err = scanAll(rows, err, "read blocked values", func(rows *sql.Rows) error {
		var s blockade
		var key idKey
		var whole, removed int64
		if err := rows.Scan(&s.id, &key.kind, &whole, &key.lookup, &s.since.Seq, &s.since.Idx, &s.until.Seq, &s.until.Idx, &removed); err != nil {
			return err
		}
		s.ended = removed != 0
		if whole != 0 {
			r.domains[key.lookup] = append(r.domains[key.lookup], s)
		} else {
			r.blocked[key] = append(r.blocked[key], s)
		}
		return nil
	})
	return r, err
}

// rulesMoved lets every process read the rules anew.
func (e *engine) rulesMoved(ctx context.Context) error {
	_, err := e.db.Exec(ctx, `insert into contact_cursor (name, seq, idx, epoch) values ($1, 0, 0, 1)
		on conflict (name) do update set epoch = contact_cursor.epoch + 1`, rulesEpoch)
	if err != nil {
		return fmt.Errorf("move epoch of identity rules: %w", err)
	}
	return nil
}

// loadCounts counts what contacts carry of the kinds that must be counted.
// Nearly every fact names identities that one contact has already: by such
// nothing is attached and nobody merged, so nothing is counted for it.
func (e *engine) loadCounts(ctx context.Context, w *world, inputs []input) error {
	if len(w.rules.counted) == 0 {
		return nil
	}
	var bits uint64
	kinds := sortedKeys(w.rules.counted)
	for _, k := range kinds {
		bits |= traitOf(k).bit
	}
	byNum := map[int64]*state{}
	var nums []int64
	for i := range inputs {
		in := &inputs[i]
		if !changesHands(in) {
			continue
		}
		for _, list := range [][]*ident{in.ids, in.previous} {
			for _, id := range list {
				st := id.holder()
				if st == nil || st.kinds&bits == 0 || byNum[st.num] != nil {
					continue
				}
				byNum[st.num] = st
				nums = append(nums, st.num)
			}
		}
	}
	args := make([]any, len(kinds))
	for i, k := range kinds {
		args[i] = k
	}
	query := "select contact, kind, count(*) from identities" + e.db.Pick(" indexed by identities_by_contact", "") +
		" where kind in (" + db.In(1, len(kinds)) + ") and contact in (%s) group by contact, kind"
	return selectIn(ctx, e.db, "count identities", query, args, nums, func(r *sql.Rows) error {
		var num int64
		var kind string
		var n int
		err := r.Scan(&num, &kind, &n)
		st := byNum[num]
		if st.held == nil {
			st.held = map[string]int{}
		}
		st.held[kind] = n
		return err
	})
}

// changesHands tells whether an input may attach an identity or merge contacts:
// not when one contact has all that it names.
func changesHands(in *input) bool {
	var one *state
	for _, list := range [][]*ident{in.ids, in.previous} {
		for _, id := range list {
			st := id.holder()
			if st == nil || one != nil && st != one {
				return true
			}
			one = st
		}
	}
	return false
}

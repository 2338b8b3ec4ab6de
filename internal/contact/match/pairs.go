package match

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/contact/match/score"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
)

// candidate is a pair that scored enough.
type candidate struct {
	entry
	verdict score.Verdict
}

func evidenceOf(v score.Verdict) []Evidence {
	out := make([]Evidence, len(v.Evidence))
	for i, e := range v.Evidence {
		out[i] = Evidence{e.Field.String(), e.Level.String(), math.Round(100*e.Bits) / 100}
	}
	return out
}

// list puts pairs on the list, or weighs those on it anew. A rejected one stays
// rejected. One that was merged and is two people again was given back by an
// undo: it is open again. found counts those that were not open before.
func (r *running) list(ctx context.Context, cs []candidate) (found int64, err error) {
	if len(cs) == 0 {
		return 0, nil
	}
	now := r.Clock.Now().UnixMilli()
	err = r.DB.Tx(ctx, func(ctx context.Context) error {
		for _, c := range cs {
			raw, err := json.Marshal(evidenceOf(c.verdict))
			if err != nil {
				return fmt.Errorf("write evidence: %w", err)
			}
			weight := int64(math.Floor(1000 * c.verdict.Bits))
			n, err := r.DB.ExecN(ctx, "update match_pairs set weight = $1, evidence = $2, run = $3 where a = $4 and b = $5 and state in ('open', 'postponed')",
				weight, string(raw), r.number, c.hi, c.lo)
			if err != nil {
				return fmt.Errorf("weigh pair anew: %w", err)
			}
			if n > 0 {
				continue
			}
			n, err = r.DB.ExecN(ctx, `insert into match_pairs (id, a, b, state, weight, evidence, run, found_at) values ($1, $2, $3, 'open', $4, $5, $6, $7)
				on conflict (a, b) do update set state = 'open', weight = excluded.weight, evidence = excluded.evidence, run = excluded.run,
				decided_at = 0, decided_by = '', decided_name = '', reviewed = 0
				where match_pairs.state in ('joined', 'merged')`,
				r.IDs.New("mp"), c.hi, c.lo, weight, string(raw), r.number, now)
			if err != nil {
				return fmt.Errorf("list pair: %w", err)
			}
			found += n
		}
		r.DB.After(ctx, r.counts.drop)
		return nil
	})
	return found, err
}

// listed are the open pairs of people, as stored.
func (s *Service) listed(ctx context.Context, nums []int64) ([]entry, error) {
	var out []entry
	for _, col := range []string{"a", "b"} {
		for chunk := range slices.Chunk(nums, rowsAtOnce) {
			rows, err := s.DB.Query(ctx, "select a, b from match_pairs where "+col+" in ("+db.In(1, len(chunk))+") and state = 'open'", anys(chunk)...)
			got, err := db.Collect(rows, err, func(r *sql.Rows) (e entry, err error) { return e, r.Scan(&e.hi, &e.lo) })
			if err != nil {
				return nil, fmt.Errorf("read pairs: %w", err)
			}
			out = append(out, got...)
		}
	}
	slices.SortFunc(out, entry.compare)
	return slices.Compact(out), nil
}

// unlist takes away those of the open pairs that score too little now.
func (s *Service) unlist(ctx context.Context, listed, low []entry) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		for _, e := range listed {
			if _, ok := slices.BinarySearchFunc(low, e, entry.compare); !ok {
				continue
			}
			if _, err := s.DB.Exec(ctx, "delete from match_pairs where a = $1 and b = $2 and state = 'open'", e.hi, e.lo); err != nil {
				return fmt.Errorf("take away pair: %w", err)
			}
		}
		return nil
	})
}

func anys(nums []int64) []any {
	out := make([]any, len(nums))
	for i, n := range nums {
		out[i] = n
	}
	return out
}

// unrejected leaves out pairs that somebody said are two people: of these two,
// or of two who became part of them.
func (s *Service) unrejected(ctx context.Context, cs []candidate) ([]candidate, error) {
	if len(cs) == 0 {
		return nil, nil
	}
	pairs := make([]entry, len(cs))
	for i, c := range cs {
		pairs[i] = c.entry
	}
	apart, err := s.apart(ctx, pairs)
	if err != nil {
		return nil, err
	}
	out := cs[:0]
	for i, c := range cs {
		if !apart[i] {
			out = append(out, c)
		}
	}
	return out, nil
}

// apart tells of pairs, as the numbers are today, whether somebody said that
// they are two people: on this list, of them or of those who became part of
// them, or elsewhere.
func (s *Service) apart(ctx context.Context, pairs []entry) ([]bool, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	ask := make([][2]int64, len(pairs))
	for i, e := range pairs {
		ask[i] = [2]int64{e.hi, e.lo}
	}
	out, err := s.Joiner.Apart(ctx, ask)
	if err != nil {
		return nil, err
	}
	rejected, err := s.rejections(ctx, pairs)
	if err != nil {
		return nil, err
	}
	for i, e := range pairs {
		out[i] = out[i] || rejected[e]
	}
	return out, nil
}

// rejections are the rejected pairs that concern the people of pairs, as the
// numbers are today.
func (s *Service) rejections(ctx context.Context, pairs []entry) (map[entry]bool, error) {
	seen := map[int64]bool{}
	var nums []int64
	for _, e := range pairs {
		for _, n := range [2]int64{e.hi, e.lo} {
			if seen[n] {
				continue
			}
			seen[n] = true
			group, err := s.Contacts.Group(ctx, n)
			if err != nil {
				return nil, err
			}
			nums = append(nums, group...)
		}
	}
	var found []entry
	for chunk := range slices.Chunk(nums, rowsAtOnce) {
		rows, err := s.DB.Query(ctx, "select a, b from match_pairs where a in ("+db.In(1, len(chunk))+") and state = 'rejected'", anys(chunk)...)
		got, err := db.Collect(rows, err, func(r *sql.Rows) (e entry, err error) { return e, r.Scan(&e.hi, &e.lo) })
		if err != nil {
			return nil, fmt.Errorf("read rejected pairs: %w", err)
		}
		found = append(found, got...)
	}
	today, err := s.today(ctx, found)
	if err != nil {
		return nil, err
	}
	out := make(map[entry]bool, len(today))
	for _, e := range today {
		out[e] = true
	}
	return out, nil
}

// today translates pairs through the merges made since; hi <= lo, and equal
// when they are one person now.
func (s *Service) today(ctx context.Context, pairs []entry) ([]entry, error) {
	nums := make([]int64, 0, 2*len(pairs))
	for _, e := range pairs {
		nums = append(nums, e.hi, e.lo)
	}
	slices.Sort(nums)
	into, err := s.Contacts.Survivors(ctx, slices.Compact(nums))
	if err != nil {
		return nil, err
	}
	now := func(n int64) int64 {
		if m, ok := into[n]; ok {
			return m
		}
		return n
	}
	out := make([]entry, len(pairs))
	for i, e := range pairs {
		a, b := now(e.hi), now(e.lo)
		out[i] = entry{min(a, b), max(a, b)}
	}
	return out, nil
}

// follow brings the list in line with merges, before a run: pairs that became
// one person leave it, and so do those whose people live on under another
// number, since the run finds them there.
func (s *Service) follow(ctx context.Context) error {
	for after := ""; ; {
		type row struct {
			id string
			e  entry
		}
		rows, err := s.DB.Query(ctx, "select id, a, b from match_pairs where state in ('open', 'postponed') and id > $1 order by id limit 1000", after)
		page, err := db.Collect(rows, err, func(r *sql.Rows) (x row, err error) { return x, r.Scan(&x.id, &x.e.hi, &x.e.lo) })
		if err != nil {
			return fmt.Errorf("read pairs: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		after = page[len(page)-1].id
		pairs := make([]entry, len(page))
		for i, x := range page {
			pairs[i] = x.e
		}
		today, err := s.today(ctx, pairs)
		if err != nil {
			return err
		}
		err = s.DB.Tx(ctx, func(ctx context.Context) error {
			for i, x := range page {
				switch e := today[i]; {
				case e == x.e:
				case e.hi == e.lo:
					if _, err := s.DB.Exec(ctx, "update match_pairs set state = 'joined' where id = $1", x.id); err != nil {
						return err
					}
				default:
					n, err := s.DB.ExecN(ctx, "update match_pairs set a = $1, b = $2 where id = $3 and not exists (select 1 from match_pairs o where o.a = $1 and o.b = $2)", e.hi, e.lo, x.id)
					if err == nil && n == 0 {
						_, err = s.DB.Exec(ctx, "delete from match_pairs where id = $1", x.id)
					}
					if err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("follow merges: %w", err)
		}
	}
}

// merged is called in the transaction of every merge: pairs that became one
// person leave the list, and so do those that somebody said are two, of one that
// is part of another now.
func (s *Service) merged(ctx context.Context, merges []contact.Merge) error {
	froms := make([]int64, len(merges))
	for i, m := range merges {
		froms[i] = m.From
	}
	who, err := s.Contacts.Describe(ctx, froms)
	if err != nil {
		return err
	}
	for _, m := range merges {
		if who[m.From].Kind != event.Person { // visitors, of whom most merges are, stand on no list
			continue
		}
		if err := s.joined(ctx, m.Into); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) joined(ctx context.Context, num int64) error {
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return err
	}
	pairs, err := s.listed(ctx, group)
	if err != nil || len(pairs) == 0 {
		return err
	}
	today, err := s.today(ctx, pairs)
	if err != nil {
		return err
	}
	apart, err := s.apart(ctx, today)
	if err != nil {
		return err
	}
	for i, e := range today {
		state := Joined
		if e.hi != e.lo {
			if !apart[i] {
				continue
			}
			state = Rejected
		}
		if _, err := s.DB.Exec(ctx, "update match_pairs set state = $1, decided_at = $2 where a = $3 and b = $4 and state = 'open'",
			string(state), s.Clock.Now().UnixMilli(), pairs[i].hi, pairs[i].lo); err != nil {
			return fmt.Errorf("take pair off the list: %w", err)
		}
	}
	return nil
}

// split is called in the transaction of every undo of a merge. A pair that had become one person stands open
// again; if it is said of the two that they are different, it is rejected, and a
// merge on the list's advice was a wrong one.
func (s *Service) split(ctx context.Context, splits []contact.Split) error {
	var members []int64
	for _, x := range splits {
		members = append(members, x.Members...)
	}
	for _, col := range []string{"a", "b"} {
		for chunk := range slices.Chunk(members, rowsAtOnce) {
			rows, err := s.DB.Query(ctx, "select a, b from match_pairs where "+col+" in ("+db.In(1, len(chunk))+") and state in ('joined', 'merged')", anys(chunk)...)
			pairs, err := db.Collect(rows, err, func(r *sql.Rows) (e entry, err error) { return e, r.Scan(&e.hi, &e.lo) })
			if err != nil {
				return fmt.Errorf("read pairs: %w", err)
			}
			if err := s.reopen(ctx, pairs); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) reopen(ctx context.Context, pairs []entry) error {
	today, err := s.today(ctx, pairs)
	if err != nil {
		return err
	}
	apart, err := s.apart(ctx, today)
	if err != nil {
		return err
	}
	for i, e := range today {
		if e.hi == e.lo {
			continue
		}
		query := "update match_pairs set state = 'open', decided_at = 0, decided_by = '', decided_name = '', reviewed = 0 where a = $1 and b = $2"
		if apart[i] {
			query = "update match_pairs set state = 'rejected' where a = $1 and b = $2"
		}
		if _, err := s.DB.Exec(ctx, query, pairs[i].hi, pairs[i].lo); err != nil {
			return fmt.Errorf("put pair back: %w", err)
		}
	}
	return nil
}

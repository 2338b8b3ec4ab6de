package match

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Query narrows the list.
type Query struct {
	State    State  // "" is Open
	MinScore int    // 0: what the settings say
	MaxScore int    // exclusive; 0: no end
	Contact  string // public id: pairs of this person
	Cursor   string
	Limit    int // 1…100, default 20
}

// Page is one page of the list. Total counts all that match.
type Page struct {
	Items []Pair
	Next  string
	Total int64
}

// cursor is the last pair shown: its place in the order and its id, with the
// total, which is counted once, with the first page.
type cursor struct {
	K int64  `json:"k"`
	I string `json:"i"`
	T int64  `json:"t,omitempty"`
}

// row is a pair as it is stored.
type row struct {
	id               string
	e                entry
	state            State
	weight           int64
	evidence         string
	found, until, at int64
	by               contact.Ref
}

const rowColumns = "id, a, b, state, weight, evidence, found_at, until_at, decided_at, decided_by, decided_name"

func scanRow(r *sql.Rows) (x row, err error) {
	err = r.Scan(&x.id, &x.e.hi, &x.e.lo, &x.state, &x.weight, &x.evidence, &x.found, &x.until, &x.at, &x.by.ID, &x.by.Name)
	return x, err
}

// where is the condition of a query.
func (s *Service) where(ctx context.Context, q Query) (cond string, args []any, err error) {
	set, err := s.Settings(ctx)
	if err != nil {
		return "", nil, err
	}
	if q.State == "" {
		q.State = Open
	}
	from := q.MinScore
	if q.State == Open || q.State == Postponed {
		from = max(from, set.From)
	}
	cond, args = "state = $1 and weight >= $2", []any{string(q.State), weightOf(from)}
	if q.MaxScore > 0 {
		args = append(args, weightOf(q.MaxScore))
		cond += fmt.Sprintf(" and weight < $%d", len(args))
	}
	if q.Contact != "" {
		num, err := s.Contacts.NumOf(ctx, q.Contact)
		if err != nil {
			return "", nil, err
		}
		group, err := s.Contacts.Group(ctx, num)
		if err != nil {
			return "", nil, err
		}
		in := db.In(len(args)+1, len(group))
		args = append(args, anys(group)...)
		cond += " and (a in (" + in + ") or b in (" + in + "))"
	}
	return cond, args, nil
}

// Count tells how many pairs match, of those that the caller may see.
func (s *Service) Count(ctx context.Context, q Query) (int64, error) {
	cond, args, err := s.where(ctx, q)
	if err != nil {
		return 0, err
	}
	return s.count(ctx, cond, args...)
}

// count counts pairs that meet a condition. Callers who see only some customers
// get the number of pairs of which they see both.
func (s *Service) count(ctx context.Context, cond string, args ...any) (n int64, err error) {
	if !auth.ScopeOf(ctx).All {
		err = s.visible(ctx, cond, args, func(light) { n++ })
		return n, err
	}
	if err := s.DB.QueryRow(ctx, "select count(*) from match_pairs where "+cond, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count pairs: %w", err)
	}
	return n, nil
}

// List reads one page: the likeliest first, or the newest decision first.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	if q.Limit <= 0 {
		q.Limit = 20
	}
	q.Limit = min(q.Limit, 100)
	page := Page{Items: []Pair{}}
	var cur cursor
	if q.Cursor != "" {
		if err := httpx.DecodeCursor(q.Cursor, &cur); err != nil {
			return page, err
		}
	}
	var err error
	if page.Total = cur.T; cur.T == 0 {
		if page.Total, err = s.Count(ctx, q); err != nil {
			return page, err
		}
	}
	for len(page.Items) == 0 { // a page of pairs that are none any more is no end
		rows, err := s.rows(ctx, q, cur)
		if err != nil {
			return page, err
		}
		page.Next = ""
		if len(rows) > q.Limit {
			rows = rows[:q.Limit]
			cur = rows[len(rows)-1].cursor(q.State)
			cur.T = page.Total
			page.Next = httpx.EncodeCursor(cur)
		}
		if page.Items, err = s.show(ctx, rows); err != nil {
			return page, err
		}
		if page.Next == "" {
			break
		}
	}
	return page, nil
}

func decided(s State) bool { return s == Merged || s == Rejected }

func (x *row) cursor(s State) cursor {
	if decided(s) {
		return cursor{K: x.at, I: x.id}
	}
	return cursor{K: x.weight, I: x.id}
}

func (s *Service) rows(ctx context.Context, q Query, cur cursor) ([]row, error) {
	cond, args, err := s.where(ctx, q)
	if err != nil {
		return nil, err
	}
	key := "weight"
	if decided(q.State) {
		key = "decided_at"
	}
	if cur.I != "" {
		cond += fmt.Sprintf(" and (%s, id) < ($%d, $%d)", key, len(args)+1, len(args)+2)
		args = append(args, cur.K, cur.I)
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select %s from match_pairs where %s order by %s desc, id desc limit %d", rowColumns, cond, key, q.Limit+1), args...)
	out, err := db.Collect(rows, err, scanRow)
	if err != nil {
		return nil, fmt.Errorf("list pairs: %w", err)
	}
	return out, nil
}

// show turns rows into pairs as they are today. Pairs that became one person,
// were said to be two, or of which one is gone or not the caller's to see are left out.
func (s *Service) show(ctx context.Context, rows []row) ([]Pair, error) {
	pairs := make([]entry, len(rows))
	for i, x := range rows {
		pairs[i] = x.e
	}
	today, err := s.today(ctx, pairs)
	if err != nil {
		return nil, err
	}
	apart, err := s.apart(ctx, today)
	if err != nil {
		return nil, err
	}
	nums := make([]int64, 0, 2*len(today))
	for _, e := range today {
		nums = append(nums, e.hi, e.lo)
	}
	faces, err := s.Contacts.Faces(ctx, nums)
	if err != nil {
		return nil, err
	}
	if err := s.onlyVisible(ctx, faces); err != nil {
		return nil, err
	}
	out := make([]Pair, 0, len(rows))
	seen := map[entry]bool{}
	for i, x := range rows {
		e := today[i]
		a, ok := faces[e.hi]
		b, too := faces[e.lo]
		waiting := x.state == Open || x.state == Postponed
		if !ok || !too || waiting && (e.hi == e.lo || apart[i] || seen[e]) {
			continue
		}
		seen[e] = true
		p := Pair{ID: x.id, Score: scoreOf(x.weight), State: x.state, A: a, B: b, FoundAt: clock.FromMs(x.found), DecidedBy: x.by, weight: x.weight}
		if b.CreatedAt.Before(a.CreatedAt) {
			p.A, p.B = b, a
		}
		if x.until > 0 {
			p.Until = clock.FromMs(x.until)
		}
		if x.at > 0 {
			p.DecidedAt = clock.FromMs(x.at)
		}
		if err := json.Unmarshal([]byte(x.evidence), &p.Evidence); err != nil {
			return nil, fmt.Errorf("read evidence of pair %s: %w", x.id, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// onlyVisible takes away those whom the caller may not see.
func (s *Service) onlyVisible(ctx context.Context, faces map[int64]contact.Face) error {
	nums := make([]int64, 0, len(faces))
	for n := range faces {
		nums = append(nums, n)
	}
	seen, err := s.Contacts.InScope(ctx, nums)
	if err != nil {
		return err
	}
	for n := range faces {
		if !slices.Contains(seen, n) {
			delete(faces, n)
		}
	}
	return nil
}

// Get reads one pair.
func (s *Service) Get(ctx context.Context, id string) (Pair, error) {
	x, err := s.row(ctx, id)
	if err != nil {
		return Pair{}, err
	}
	ps, err := s.show(ctx, []row{x})
	if err != nil {
		return Pair{}, err
	}
	if len(ps) == 0 {
		return Pair{}, notFound(id)
	}
	return ps[0], nil
}

func notFound(id string) error { return errs.New(errs.NotFound, "match.not_found", "id", id) }

func (s *Service) row(ctx context.Context, id string) (row, error) {
	rows, err := s.DB.Query(ctx, "select "+rowColumns+" from match_pairs where id = $1", id)
	xs, err := db.Collect(rows, err, scanRow)
	if err != nil {
		return row{}, fmt.Errorf("read pair: %w", err)
	}
	if len(xs) == 0 {
		return row{}, notFound(id)
	}
	return xs[0], nil
}

// waiting reads a pair that is still to be decided, inside a transaction.
func (s *Service) waiting(ctx context.Context, id string) (Pair, error) {
	x, err := s.row(ctx, id)
	if err != nil {
		return Pair{}, err
	}
	if x.state != Open && x.state != Postponed {
		return Pair{}, errs.New(errs.Conflict, "match.decided", "state", string(x.state))
	}
	return s.Get(ctx, id) // not found when they became one meanwhile
}

// Merge makes the two one person. keep is the public id of the one whose page
// stays; "" keeps the older one.
func (s *Service) Merge(ctx context.Context, id, keep string) error {
	return s.merge(ctx, id, keep, true)
}

func (s *Service) merge(ctx context.Context, id, keep string, reviewed bool) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		p, err := s.waiting(ctx, id)
		if err != nil {
			return err
		}
		a, b := p.A, p.B
		switch keep {
		case "", a.ID:
		case b.ID:
			a, b = b, a
		default:
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("keep", "match.keep_one_of_them"))
		}
		if err := s.Joiner.Join(ctx, a.ID, b.ID, ""); err != nil {
			return err
		}
		return s.decide(ctx, p, Merged, reviewed, "match.merged", map[string]any{"kept": a.ID, "merged": b.ID, "score": p.Score})
	})
}

// Reject says that the two are different people. The pair never comes back.
func (s *Service) Reject(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		p, err := s.waiting(ctx, id)
		if err != nil {
			return err
		}
		if err := s.Joiner.Part(ctx, p.A.Num(), p.B.Num(), ""); err != nil {
			return err
		}
		return s.decide(ctx, p, Rejected, true, "match.rejected", map[string]any{"a": p.A.ID, "b": p.B.ID, "score": p.Score})
	})
}

// longest is how far a pair can be postponed.
const longest = 366 * 24 * time.Hour

// Postpone takes the pair off the list until a time.
func (s *Service) Postpone(ctx context.Context, id string, until time.Time) error {
	now := s.Clock.Now()
	if !until.After(now) || until.Sub(now) > longest {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("until", "match.bad_until"))
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		p, err := s.waiting(ctx, id)
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update match_pairs set state = 'postponed', until_at = $1 where id = $2", until.UnixMilli(), id); err != nil {
			return fmt.Errorf("postpone pair: %w", err)
		}
		s.DB.After(ctx, s.counts.drop)
		return s.record(ctx, "match.postponed", p.object(), map[string]any{"a": p.A.ID, "b": p.B.ID, "until": until.UTC().Format(time.RFC3339)})
	})
}

// Resume puts a postponed pair back on the list now.
func (s *Service) Resume(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		p, err := s.waiting(ctx, id)
		if err != nil || p.State == Open {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update match_pairs set state = 'open', until_at = 0 where id = $1", id); err != nil {
			return fmt.Errorf("resume pair: %w", err)
		}
		s.DB.After(ctx, s.counts.drop)
		return s.record(ctx, "match.resumed", p.object(), map[string]any{"a": p.A.ID, "b": p.B.ID})
	})
}

func (p *Pair) object() audit.Object {
	return audit.Object{Type: "match", ID: p.ID, Name: strings.Trim(p.A.Name+" · "+p.B.Name, " ·")}
}

func (s *Service) decide(ctx context.Context, p Pair, state State, reviewed bool, action string, detail map[string]any) error {
	by, mark := principal(ctx), 0
	if reviewed {
		mark = 1
	}
	_, err := s.DB.Exec(ctx, "update match_pairs set state = $1, until_at = 0, decided_at = $2, decided_by = $3, decided_name = $4, reviewed = $5 where id = $6",
		string(state), s.Clock.Now().UnixMilli(), by.ID, by.Name, mark, p.ID)
	if err != nil {
		return fmt.Errorf("decide pair: %w", err)
	}
	s.DB.After(ctx, s.counts.drop)
	return s.record(ctx, action, p.object(), detail)
}

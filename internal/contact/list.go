package contact

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/rule"
)

// Query narrows and orders a list of contacts. Zero values mean any; merged
// contacts are never listed. An empty Kind means people.
type Query struct {
	Q                      string
	Channel                string // first touch; "unknown" includes none
	Tag                    string // tag id
	TagBelow               bool   // or a tag below it
	Owner                  string // user id; "none": nobody's
	Department             string // department id: of its people and of all below it
	Kind                   event.Kind
	CreatedFrom, CreatedTo time.Time  // half open
	BoughtFrom, BoughtTo   time.Time  // the first order, half open
	Where                  *rule.Rule // and whom this rule means
	Sort                   string     // see Sorts; lastSeen by default
	Ascending              bool
	Cursor                 string
	Limit                  int      // 1…200, default 50
	Attributes             []string // which of them rows carry
}

// Page is one page of a list. Total counts all that match.
type Page struct {
	Items []Row
	Next  string
	Total int64
}

// order is one way to sort: a column with an index of its own. Those without a
// value (none, in SQL) come last in both directions.
type order struct{ column, index, none string }

// text tells whether the column is a text, else it is a number.
func (o order) text() bool { return o.column == "name_pinyin" }

// misplaced tells whether the index has those without a value first.
func (o order) misplaced(ascending bool) bool { return o.none != "" && o.text() != ascending }

// isNone tells whether a cursor stands among those without a value.
func (o order) isNone(cur listCursor) bool {
	return o.text() && cur.S == noName || !o.text() && cur.I == 0
}

// Sorts are the ways to sort a list of people; the first is the usual one.
var Sorts = []string{"lastSeen", "created", "name", "orders", "revenue", "lastOrder"}

func orderOf(sort string, kind event.Kind) (order, bool) {
	o, ok := map[string]order{
		"":          {"last_seen_at", "contacts_by_seen", "0"},
		"lastSeen":  {"last_seen_at", "contacts_by_seen", "0"},
		"created":   {"created_at", "contacts_by_created", ""},
		"name":      {"name_pinyin", "contacts_by_name", "'" + noName + "'"},
		"orders":    {"orders", "contacts_by_orders", ""},
		"revenue":   {"revenue_main", "contacts_by_revenue", ""},
		"lastOrder": {"last_order_at", "contacts_by_last_order", "0"},
	}[sort]
	if kind == event.Visitor && o.index != "contacts_by_seen" {
		o = order{"created_at", "contacts_by_created", ""} // visitors have no names and next to no orders: no index for them
	}
	return o, ok
}

// narrow is how many matches are gathered and sorted. Beyond it the list walks
// the index of its order and skips what does not match, which then is dense enough.
const narrow = 5_000

// listCursor is where a page ended. F guards against a cursor of another query.
type listCursor struct {
	N int64  `json:"n"`
	I int64  `json:"i,omitempty"`
	S string `json:"s,omitempty"`
	T int64  `json:"t"`
	F string `json:"f"`
}

// filter is the condition of a query in SQL, in two forms that mean the same:
// one to start from, when few match, and one to check each contact on the way.
type filter struct {
	kind    string // which list
	plus    string
	plain   []string
	drive   []string // num in (…)
	probe   []string
	said    []saying // the plain ones, each with its arguments
	sets    []*leaf  // drive and probe, each with its arguments
	args    []any
	counted string // counts by itself, when it is the only condition
	index   string // to start from when few match and there is no set
	several bool   // the set is of many parts, and faster put together in memory
}

// saying is a condition in which {1} stands for the first of its arguments.
type saying struct {
	text string
	args []any
}

func (f *filter) number(text string, from int) string {
	for i := len(f.args); i >= from; i-- {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i-from+1), fmt.Sprintf("$%d", i))
	}
	return text
}

// add takes a condition on columns. {1} stands for the first of args.
func (f *filter) add(text string, args ...any) {
	from := len(f.args) + 1
	f.args = append(f.args, args...)
	f.plain = append(f.plain, f.number(text, from))
	f.said = append(f.said, saying{text, args})
}

// addSet takes a condition that is a set of numbers, called n, with the check that means
// the same and, optionally, a query that counts the set if nothing else is asked.
func (f *filter) addSet(set, probe, counted string, args ...any) {
	from := len(f.args) + 1
	f.args = append(f.args, args...)
	f.drive = append(f.drive, "num in ("+f.number(set, from)+")")
	f.probe = append(f.probe, "("+f.number(probe, from)+")")
	f.counted = f.number(counted, from)
	alone := &filter{args: args}
	f.sets = append(f.sets, &leaf{set: alone.number(set, 1), probe: "(" + alone.number(probe, 1) + ")", args: args})
}

// gathers tells whether there is something narrower to start from than the whole list.
func (f *filter) gathers() bool { return f.index != "" || len(f.drive) > 0 }

// ofOwner tells whether to start from an owner's contacts: no tag or name is narrower.
func (f *filter) ofOwner() bool { return f.index == "contacts_by_owner" }

// gathering is the condition when the sets are started from: a plus keeps
// SQLite from walking the whole list instead (and would mislead PostgreSQL).
func (f *filter) gathering() string {
	if f.ofOwner() {
		return f.walking()
	}
	parts := []string{f.kind}
	if len(f.drive) > 0 {
		parts[0] = f.plus + f.kind
	}
	return strings.Join(append(append(parts, f.drive...), f.plain...), " and ")
}

// walking is the condition when an index in the list's order is walked.
func (f *filter) walking() string {
	return strings.Join(append(append([]string{f.kind}, f.plain...), f.probe...), " and ")
}

// List reads one page. The total is counted once, with the first page: from
// an index alone unless a tag or a search is combined with other filters.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	ord, ok := orderOf(q.Sort, q.Kind)
	if !ok {
		return Page{}, errs.New(errs.Invalid, "contact.bad_sort", "sort", q.Sort)
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Limit = min(q.Limit, 200)
	f, some, err := s.filterOf(ctx, q)
	if err != nil {
		return Page{}, err
	}
	cur := listCursor{F: q.fingerprint()}
	if q.Cursor != "" {
		want := cur.F
		if err := httpx.DecodeCursor(q.Cursor, &cur); err != nil {
			return Page{}, err
		}
		if cur.F != want {
			return Page{}, errs.New(errs.Invalid, "request.bad_cursor")
		}
	}
	var set *chosen
	switch {
	case !some:
	case f.bySets(q):
		age := keptSetAge
		if q.Cursor == "" {
			age = -1 // the first page shows how things are now
		}
		if set, err = s.ruleSet(ctx, q, f, age); err != nil {
			return Page{}, err
		}
		if q.Cursor == "" {
			cur.T = set.total
		}
	case q.Cursor == "":
		if cur.T, err = s.count(ctx, f); err != nil {
			return Page{}, err
		}
	}
	page := Page{Items: []Row{}, Total: cur.T}
	if cur.T == 0 {
		return page, nil
	}
	keys, err := s.pageOf(ctx, q, f, set, ord, cur)
	if err != nil {
		return Page{}, err
	}
	if len(keys) > q.Limit {
		keys = keys[:q.Limit]
		end := keys[len(keys)-1]
		end.T, end.F = cur.T, cur.F
		page.Next = httpx.EncodeCursor(end)
	}
	nums := make([]int64, len(keys))
	for i, k := range keys {
		nums[i] = k.N
	}
	if page.Items, err = s.ListByNums(ctx, nums); err != nil {
		return Page{}, err
	}
	return page, s.addAttributes(ctx, page.Items, q.Attributes)
}

// conditions turns a query into a condition. some is false when nothing can match.
func (s *Service) conditions(ctx context.Context, q Query) (f *filter, some bool, err error) {
	f = &filter{kind: "shown = 1", plus: s.DB.Pick("+", "")}
	if q.Kind == event.Visitor {
		f.kind = "shown = 2"
	}
	if !q.CreatedFrom.IsZero() {
		f.add("created_at >= {1}", clock.Ms(q.CreatedFrom))
		f.index = "contacts_by_created"
	}
	if !q.CreatedTo.IsZero() {
		f.add("created_at < {1}", clock.Ms(q.CreatedTo))
		f.index = "contacts_by_created"
	}
	if q.Channel != "" {
		some := s.engine.channels.below([]string{q.Channel})
		marks, args := make([]string, len(some)), make([]any, len(some))
		for i, id := range some {
			marks[i], args[i] = fmt.Sprintf("{%d}", i+1), id
		}
		if slices.Contains(some, Unknown) {
			marks = append(marks, "''")
		}
		f.add("channel in ("+strings.Join(marks, ", ")+")", args...)
		f.index = "contacts_by_channel"
	}
	if !q.BoughtFrom.IsZero() || !q.BoughtTo.IsZero() {
		f.add("first_order_at > 0 and first_order_at >= {1}", clock.Ms(q.BoughtFrom))
		if !q.BoughtTo.IsZero() {
			f.add("first_order_at < {1}", clock.Ms(q.BoughtTo))
		}
		if q.Kind != event.Visitor { // the index holds people only
			f.index = "contacts_by_first_order"
		}
	}
	switch q.Owner {
	case "":
	case "none":
		f.add("owner_id = ''")
	default:
		f.add("owner_id = {1} and owner_id <> ''", q.Owner)
		f.index = "contacts_by_owner"
	}
	if q.Department != "" {
		some, err := s.ofDepartment(ctx, q.Department, f)
		if err != nil || !some {
			return nil, false, err
		}
	}
	if q.Tag != "" {
		tags, err := s.TagsBelow(ctx, []string{q.Tag}, q.TagBelow)
		if err != nil {
			return nil, false, err
		}
		marks, args := make([]string, len(tags)), make([]any, len(tags))
		for i, t := range tags {
			marks[i], args[i] = fmt.Sprintf("{%d}", i+1), t
		}
		is, count := "tag = {1}", "count(*)"
		if len(tags) > 1 {
			is, count = "tag in ("+strings.Join(marks, ",")+")", "count(distinct contact)"
		}
		set := "from contact_tags where " + is + " and " + strings.Replace(f.kind, "shown", "contact_tags.shown", 1)
		f.several = len(tags) > 1
		f.addSet("select contact as n "+set, "exists (select 1 from contact_tags t where t.contact = contacts.num and t."+is+")", "select "+count+" "+set, args...)
	}
	if strings.TrimSpace(q.Q) == "" {
		return f, true, nil
	}
	m, err := s.match(ctx, q.Q)
	if err != nil || !m.some() {
		return f, false, err
	}
	return f, s.addMatch(f, m, q.Kind), nil
}

func (q Query) fingerprint() string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q %q %v %q %q %q %d %d %q %v %s", q.Q, q.Channel, q.Tag, q.TagBelow, q.Owner, q.Department, q.Kind, clock.Ms(q.CreatedFrom), clock.Ms(q.CreatedTo), q.Sort, q.Ascending, q.Where.Fingerprint())
	if !q.BoughtFrom.IsZero() || !q.BoughtTo.IsZero() {
		fmt.Fprintf(h, " %d %d", clock.Ms(q.BoughtFrom), clock.Ms(q.BoughtTo))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (s *Service) count(ctx context.Context, f *filter) (int64, error) {
	var n int64
	if err := s.DB.QueryRow(ctx, s.countSQL(f), f.args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count contacts: %w", err)
	}
	return n, nil
}

func (s *Service) countSQL(f *filter) string {
	from, whole := s.gatherFrom(f)
	if whole {
		return f.counted
	}
	return "select count(*) from " + from + " where " + f.gathering()
}

// gatherFrom is the table with the index from which all that match are
// gathered; whole tells that the filter counts itself.
func (s *Service) gatherFrom(f *filter) (from string, whole bool) {
	from = "contacts"
	switch {
	case f.counted != "" && len(f.drive) == 1 && len(f.plain) == 0:
		return from, true
	case len(f.drive) > 0 && !f.ofOwner():
		from += s.DB.Pick(" indexed by contacts_facets", "")
	case f.index != "":
		from += s.DB.Pick(" indexed by "+f.index, "")
	}
	return from, false
}

// pageKeys finds the numbers and sort keys of a page, and one more.
func (s *Service) pageKeys(ctx context.Context, q Query, f *filter, ord order, cur listCursor) ([]listCursor, error) {
	query, args := s.pageSQL(q, f, ord, cur)
	rows, err := s.DB.Query(ctx, query, args...)
	keys, err := db.Collect(rows, err, func(r *sql.Rows) (c listCursor, err error) {
		if ord.text() {
			return c, r.Scan(&c.N, &c.S)
		}
		return c, r.Scan(&c.N, &c.I)
	})
	if err != nil {
		return nil, fmt.Errorf("list contacts: %w", err)
	}
	return keys, nil
}

// pageSQL makes the query of a page. Beyond a cursor it reads those level with
// the last one shown and those past it apart: each begins in the index at its
// place. So do those without a value where the index has them first.
func (s *Service) pageSQL(q Query, f *filter, ord order, cur listCursor) (string, []any) {
	dir, past := ord.direction(q.Ascending)
	misplaced, isNone := ord.misplaced(q.Ascending), ord.isNone(cur)
	limit := fmt.Sprintf(" limit %d", q.Limit+1)
	overall := fmt.Sprintf(" order by k %s, num %s", dir, dir) + limit
	if misplaced {
		overall = fmt.Sprintf(" order by case when k = %s then 1 else 0 end, k %s, num %s", ord.none, dir, dir) + limit
	}
	if f.gathers() && cur.T <= s.narrow {
		from, beyond := "contacts", ""
		if len(f.drive) == 0 || f.ofOwner() {
			from += s.DB.Pick(" indexed by "+f.index, "")
		}
		key, num := fmt.Sprintf("$%d", len(f.args)+1), fmt.Sprintf("$%d", len(f.args)+2)
		if cur.N != 0 {
			beyond = "(k, num) " + past + " (" + key + ", " + num + ")"
			switch {
			case misplaced && isNone:
				beyond += " and k = " + ord.none
			case misplaced:
				beyond = "(k = " + ord.none + " or " + beyond + ")"
			}
			beyond = " where " + beyond
		}
		return "with m as materialized (select num, " + ord.column + " as k from " + from + " where " + f.gathering() + ") select num, k from m" + beyond + overall, cur.after(f.args, ord)
	}
	walks, args := s.walkParts(q, f, ord, cur)
	parts := make([]string, len(walks))
	for i, w := range walks {
		parts[i] = w.text + limit
	}
	if len(parts) == 1 {
		return parts[0], args[:walks[0].args]
	}
	for i, p := range parts {
		parts[i] = fmt.Sprintf("select * from (%s) as part_%d", p, i)
	}
	return "select num, k from (" + strings.Join(parts, " union all ") + ") as p" + overall, args
}

// walkPart is a stretch of an order's index, and how many of the arguments it takes.
type walkPart struct {
	text string
	args int
}

// walkParts are the stretches of an order's index beyond a cursor, one after
// the other: each begins in the index at its place.
func (s *Service) walkParts(q Query, f *filter, ord order, cur listCursor) ([]walkPart, []any) {
	dir, past := ord.direction(q.Ascending)
	own := len(f.args)
	key, num := fmt.Sprintf("$%d", own+1), fmt.Sprintf("$%d", own+2)
	misplaced, isNone := ord.misplaced(q.Ascending), ord.isNone(cur)
	byNum, sorted := fmt.Sprintf(" order by num %s", dir), fmt.Sprintf(" order by k %s, num %s", dir, dir)
	walk := "select num, " + ord.column + " as k from contacts" + s.DB.Pick(" indexed by "+ord.index, "") + " where " + f.walking()
	valued := ""
	if misplaced {
		valued = " and " + ord.column + " > 0"
		if ord.text() {
			valued = " and " + ord.column + " <> " + ord.none
		}
	}
	level := walkPart{walk + " and " + ord.column + " = " + key + " and num " + past + " " + num + byNum, own + 2}
	var parts []walkPart
	switch {
	case cur.N == 0:
		parts = append(parts, walkPart{walk + valued + sorted, own})
	case misplaced && isNone:
		parts = append(parts, level)
	default:
		parts = append(parts, level, walkPart{walk + valued + " and " + ord.column + " " + past + " " + key + sorted, own + 1})
	}
	if misplaced && (cur.N == 0 || !isNone) {
		parts = append(parts, walkPart{walk + " and " + ord.column + " = " + ord.none + byNum, own})
	}
	return parts, cur.after(f.args, ord)
}

// direction is how the order is sorted, and how what lies beyond compares.
func (o order) direction(ascending bool) (dir, past string) {
	if ascending {
		return "asc", ">"
	}
	return "desc", "<"
}

// after adds the place of a cursor to arguments.
func (cur listCursor) after(args []any, ord order) []any {
	if cur.N == 0 {
		return args
	}
	var k any = cur.I
	if ord.text() {
		k = cur.S
	}
	return append(args[:len(args):len(args)], k, cur.N)
}

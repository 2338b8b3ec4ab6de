package contact

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Query narrows and orders a list of contacts. Zero values mean any; merged
// contacts are never listed. An empty Kind means people.
type Query struct {
	Q                      string
	Channel                string // first touch; "unknown" includes none
	Tag                    string // tag id
	Owner                  string // user id; "none": nobody's
	Kind                   event.Kind
	CreatedFrom, CreatedTo time.Time // half open
	Sort                   string    // lastSeen (default), created, name, orders, revenue
	Ascending              bool
	Cursor                 string
	Limit                  int // 1…200, default 50
}

// Page is one page of a list. Total counts all that match.
type Page struct {
	Items []Row
	Next  string
	Total int64
}

// order is one way to sort: a column with an index of its own.
type order struct{ column, index string }

func orderOf(sort string, kind event.Kind) (order, bool) {
	o, ok := map[string]order{
		"":         {"last_seen_at", "contacts_by_seen"},
		"lastSeen": {"last_seen_at", "contacts_by_seen"},
		"created":  {"created_at", "contacts_by_created"},
		"name":     {"name_pinyin", "contacts_by_name"},
		"orders":   {"orders", "contacts_by_orders"},
		"revenue":  {"revenue_main", "contacts_by_revenue"},
	}[sort]
	if kind == event.Visitor && (sort == "name" || sort == "orders" || sort == "revenue") {
		o = order{"created_at", "contacts_by_created"} // visitors have no names and next to no orders: no index for them
	}
	return o, ok
}

// narrow is how many matches are gathered and sorted. Beyond it the list walks
// the index of its order and skips what does not match, which then is dense enough.
const narrow = 40_000

// listCursor is where a page ended. F guards against a cursor of another query.
type listCursor struct {
	N int64  `json:"n"`
	I int64  `json:"i,omitempty"`
	S string `json:"s,omitempty"`
	T int64  `json:"t"`
	F string `json:"f"`
}

// filter is the condition of a query in SQL.
type filter struct {
	where []string
	args  []any
	plain bool // nothing but the kind
}

func (f *filter) add(text string, args ...any) {
	for i := range args {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i+1), fmt.Sprintf("$%d", len(f.args)+i+1))
	}
	f.where = append(f.where, text)
	f.args = append(f.args, args...)
	f.plain = false
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
	} else if some {
		if cur.T, err = s.count(ctx, f); err != nil {
			return Page{}, err
		}
	}
	page := Page{Items: []Row{}, Total: cur.T}
	if cur.T == 0 {
		return page, nil
	}
	keys, err := s.pageKeys(ctx, q, f, ord, cur)
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
	page.Items, err = s.ListByNums(ctx, nums)
	return page, err
}

// filterOf turns a query into a condition. some is false when nothing can match.
func (s *Service) filterOf(ctx context.Context, q Query) (f *filter, some bool, err error) {
	f = &filter{where: []string{"shown = 1"}, plain: true}
	if q.Kind == event.Visitor {
		f.where[0] = "shown = 2"
	}
	switch q.Channel {
	case "":
	case Unknown:
		f.add("channel in ('', 'unknown')")
	default:
		f.add("channel = {1}", q.Channel)
	}
	switch q.Owner {
	case "":
	case "none":
		f.add("owner_id = ''")
	default:
		f.add("owner_id = {1}", q.Owner)
	}
	if !q.CreatedFrom.IsZero() {
		f.add("created_at >= {1}", clock.Ms(q.CreatedFrom))
	}
	if !q.CreatedTo.IsZero() {
		f.add("created_at < {1}", clock.Ms(q.CreatedTo))
	}
	if q.Tag != "" {
		f.add("num in (select contact from contact_tags where tag = {1})", q.Tag)
	}
	if strings.TrimSpace(q.Q) == "" {
		return f, true, nil
	}
	m, err := s.match(ctx, q.Q)
	if err != nil || !m.some() {
		return f, false, err
	}
	text, args := m.sql(q.Kind)
	if text == "" {
		return f, false, nil
	}
	f.add(text, args...)
	return f, true, nil
}

func (q Query) fingerprint() string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q %q %q %q %d %d %q %v", q.Q, q.Channel, q.Tag, q.Owner, q.Kind, clock.Ms(q.CreatedFrom), clock.Ms(q.CreatedTo), q.Sort, q.Ascending)
	return hex.EncodeToString(h.Sum(nil))
}

func (s *Service) count(ctx context.Context, f *filter) (int64, error) {
	var n int64
	if err := s.DB.QueryRow(ctx, countSQL(f), f.args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count contacts: %w", err)
	}
	return n, nil
}

func countSQL(f *filter) string {
	return "select count(*) from contacts where " + strings.Join(f.where, " and ")
}

// pageKeys finds the numbers and sort keys of a page, and one more.
func (s *Service) pageKeys(ctx context.Context, q Query, f *filter, ord order, cur listCursor) ([]listCursor, error) {
	query, args := s.pageSQL(q, f, ord, cur)
	rows, err := s.DB.Query(ctx, query, args...)
	keys, err := db.Collect(rows, err, func(r *sql.Rows) (c listCursor, err error) {
		if ord.column == "name_pinyin" {
			return c, r.Scan(&c.N, &c.S)
		}
		return c, r.Scan(&c.N, &c.I)
	})
	if err != nil {
		return nil, fmt.Errorf("list contacts: %w", err)
	}
	return keys, nil
}

func (s *Service) pageSQL(q Query, f *filter, ord order, cur listCursor) (string, []any) {
	dir, cmp := "desc", "<"
	if q.Ascending {
		dir, cmp = "asc", ">"
	}
	args := f.args
	tail := fmt.Sprintf(" order by k %s, num %s limit %d", dir, dir, q.Limit+1)
	beyond := ""
	if cur.N != 0 {
		beyond = fmt.Sprintf("(k, num) %s ($%d, $%d)", cmp, len(args)+1, len(args)+2)
		var key any = cur.I
		if ord.column == "name_pinyin" {
			key = cur.S
		}
		args = append(args[:len(args):len(args)], key, cur.N)
	}
	where := strings.Join(f.where, " and ")
	if !f.plain && cur.T <= narrow {
		if beyond != "" {
			beyond = " where " + beyond
		}
		return "with m as materialized (select num, " + ord.column + " as k from contacts where " + where + ") select num, k from m" + beyond + tail, args
	}
	if beyond != "" {
		where += " and " + strings.Replace(beyond, "(k,", "("+ord.column+",", 1)
	}
	from := "contacts" + s.DB.Pick(" indexed by "+ord.index, "")
	return "select num, " + ord.column + " as k from " + from + " where " + where + tail, args
}

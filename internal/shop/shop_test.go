package shop_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/shop"
)

// people stands in for package contact: contact n is "ct_n" and named so.
type people struct {
	sums   map[int64]shop.Summary
	merged map[int64]int64
	few    []int64 // all there are, when they are few enough to name
}

func (p *people) SetOrderSummary(_ context.Context, sums []shop.Summary) error {
	for _, s := range sums {
		p.sums[s.Contact] = s
	}
	return nil
}

func (p *people) Survivors(_ context.Context, nums []int64) (map[int64]int64, error) {
	out := map[int64]int64{}
	for _, n := range nums {
		for to, ok := p.merged[n]; ok; to, ok = p.merged[to] {
			out[n] = to
		}
	}
	return out, nil
}

func (p *people) Refs(_ context.Context, nums []int64) (map[int64]contact.Ref, error) {
	out := map[int64]contact.Ref{}
	for _, n := range nums {
		out[n] = contact.Ref{ID: fmt.Sprintf("ct_%d", n), Name: fmt.Sprintf("Person %d", n)}
	}
	return out, nil
}

func (p *people) NumOf(_ context.Context, id string) (int64, error) {
	var n int64
	if _, err := fmt.Sscanf(id, "ct_%d", &n); err != nil {
		return 0, errs.New(errs.NotFound, "not_found")
	}
	return n, nil
}

// Contact n is the n-th owner's of three, by remainder.
func (p *people) InScope(ctx context.Context, nums []int64) ([]int64, error) {
	var out []int64
	for _, n := range nums {
		if auth.ScopeOf(ctx).Sees(fmt.Sprintf("us_%d", n%3)) {
			out = append(out, n)
		}
	}
	return out, nil
}

func (p *people) ScopeNums(ctx context.Context, limit int) ([]int64, bool, error) {
	nums, err := p.InScope(ctx, p.few)
	return nums, len(p.few) > 0 && len(nums) <= limit, err
}

type world struct {
	testing.TB
	*shop.Service
	people *people
	n      int
}

func newWorld(t testing.TB, d *db.DB) *world {
	p := &people{sums: map[int64]shop.Summary{}, merged: map[int64]int64{}}
	c := testkit.Clock()
	return &world{t, shop.NewService(shop.Deps{DB: d, Clock: c, IDs: testkit.IDs(c), Log: testkit.Logger(t), Contacts: p,
		Currency: func(context.Context) (string, error) { return "CNY", nil }}), p, 0}
}

const hour = int64(3600_000)

// start is 2026-01-01 00:00 UTC.
const start = int64(1767225600_000)

// fact makes an order fact; hours count from start and also make the message id.
func fact(name string, contact, hours int64, props string) event.Stored {
	return event.Stored{Fact: event.Fact{MessageID: fmt.Sprintf("m-%s-%d-%d", name, contact, hours), Type: event.Track, Name: name, Contact: contact,
		Timestamp: start + hours*hour, Source: "shop", Properties: json.RawMessage(props)}}
}

func paid(contact, hours int64, props string) event.Stored {
	return fact(event.NameOrderPaid, contact, hours, props)
}

func refunded(contact, hours int64, props string) event.Stored {
	return fact(event.NameOrderRefunded, contact, hours, props)
}

func (w *world) handle(facts ...event.Stored) {
	w.Helper()
	require.NoError(w, w.Handle(context.Background(), facts))
}

// say prints every record as one line, sorted by number.
func (w *world) say() []string {
	w.Helper()
	orders, err := w.List(context.Background(), shop.Query{Limit: 1000, Lines: 100})
	require.NoError(w, err)
	slices.SortFunc(orders, func(a, b shop.Order) int { return cmp.Compare(a.Source+a.Number, b.Source+b.Number) })
	var out []string
	for _, o := range orders {
		out = append(out, fmt.Sprintf("%s %s %s c%d %s %d-%d at %d lines %d", o.Number, o.Type, o.State, o.Contact, o.Currency, o.Total, o.Refunded,
			(o.PaidAt.UnixMilli()-start)/hour, o.LineCount))
		require.Len(w, o.Lines, o.LineCount, o.Number)
	}
	return out
}

func (w *world) sums() string {
	var out []string
	for c, s := range w.people.sums {
		line := fmt.Sprintf("c%d %d orders", c, s.Orders)
		for _, m := range s.Revenue {
			line += fmt.Sprintf(" %d %s", m.Amount, m.Currency)
		}
		if s.Orders > 0 {
			line += fmt.Sprintf(" %d..%d", (s.FirstAt-start)/hour, (s.LastAt-start)/hour)
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

const twoLines = `"lines":[{"sku":"K-1","name":"龙井","quantity":2,"price":1000},{"sku":"K-2","name":"茶杯","quantity":1,"price":500,"amount":450}]`

func TestFactsBecomeRecords(t *testing.T) {
	tests := []struct {
		name  string
		facts []event.Stored
		want  []string
		sums  string
	}{
		{"an order", []event.Stored{paid(1, 1, `{"orderNumber":"A1","total":2450,"currency":"CNY",`+twoLines+`}`)},
			[]string{"A1 order paid c1 CNY 2450-0 at 1 lines 2"}, "c1 1 orders 2450 CNY 1..1"},
		{"no total and no currency: the lines and the company's", []event.Stored{paid(1, 1, `{"orderNumber":1001,`+twoLines+`}`)},
			[]string{"1001 order paid c1 CNY 2450-0 at 1 lines 2"}, "c1 1 orders 2450 CNY 1..1"},
		{"paid twice counts once", []event.Stored{paid(1, 1, `{"orderNumber":"A1","total":100}`), paid(1, 2, `{"orderNumber":"A1","total":100}`)},
			[]string{"A1 order paid c1 CNY 100-0 at 1 lines 0"}, "c1 1 orders 100 CNY 1..1"},
		{"partial refunds add up", []event.Stored{paid(1, 1, `{"orderNumber":"A1","total":100}`),
			refunded(1, 2, `{"orderNumber":"A1","total":30}`), refunded(1, 3, `{"orderNumber":"A1","total":20}`)},
			[]string{"A1 order partly_refunded c1 CNY 100-50 at 1 lines 0"}, "c1 1 orders 50 CNY 1..1"},
		{"refunded whole", []event.Stored{paid(1, 1, `{"orderNumber":"A1","total":100}`), refunded(1, 2, `{"orderNumber":"R1","refundOf":"A1","total":100}`)},
			[]string{"A1 order refunded c1 CNY 100-100 at 1 lines 0"}, "c1 1 orders 0 CNY 1..1"},
		{"the same refund twice counts once", []event.Stored{paid(1, 1, `{"orderNumber":"A1","total":100}`),
			refunded(1, 2, `{"orderNumber":"R1","refundOf":"A1","total":40}`), refunded(1, 3, `{"orderNumber":"R1","refundOf":"A1","total":40}`),
			refunded(1, 4, `{"orderNumber":"A1","refundNumber":"R2","total":5}`), refunded(1, 5, `{"orderNumber":"A1","refundNumber":"R2","total":5}`)},
			[]string{"A1 order partly_refunded c1 CNY 100-45 at 1 lines 0"}, "c1 1 orders 55 CNY 1..1"},
		{"a refund before its order, by another contact", []event.Stored{refunded(2, 2, `{"orderNumber":"A1","total":30}`), paid(1, 1, `{"orderNumber":"A1","total":100}`)},
			[]string{"A1 order partly_refunded c1 CNY 100-30 at 1 lines 0"}, "c1 1 orders 70 CNY 1..1; c2 0 orders"},
		{"a refund without an order", []event.Stored{refunded(1, 2, `{"orderNumber":"C9","total":30,"lines":[{"sku":"K","name":"K","quantity":3,"price":10,"amount":30}]}`)},
			[]string{"C9 refund refunded c1 CNY 30-30 at 2 lines 1"}, "c1 0 orders -30 CNY"},
		{"a refund in another currency", []event.Stored{paid(1, 1, `{"orderNumber":"A1","total":100,"currency":"CNY"}`), refunded(1, 2, `{"orderNumber":"A1","total":7,"currency":"USD"}`)},
			[]string{"A1 order paid c1 CNY 100-0 at 1 lines 0"}, "c1 1 orders 100 CNY -7 USD 1..1"},
		{"two currencies", []event.Stored{paid(1, 1, `{"orderNumber":"A1","total":100,"currency":"cny"}`), paid(1, 5, `{"orderNumber":"A2","total":7,"currency":"USD"}`)},
			[]string{"A1 order paid c1 CNY 100-0 at 1 lines 0", "A2 order paid c1 USD 7-0 at 5 lines 0"}, "c1 2 orders 100 CNY 7 USD 1..5"},
		{"Segment's shapes, major units", []event.Stored{
			fact("Order Completed", 1, 1, `{"order_id":"S1","total":24.505,"revenue":20,"currency":"USD","products":[{"product_id":"p","name":"Tea","price":12.25,"quantity":2}]}`),
			fact("Order Completed", 1, 2, `{"order_id":77,"revenue":"1200","currency":"JPY"}`),
			fact("Order Refunded", 1, 3, `{"order_id":"S1","total":4.5,"currency":"USD"}`)},
			[]string{"77 order paid c1 JPY 1200-0 at 2 lines 0", "S1 order partly_refunded c1 USD 2451-450 at 1 lines 1"}, "c1 2 orders 1200 JPY 2001 USD 1..2"},
		{"Segment's whole refund, before and beside others", []event.Stored{
			fact("Order Refunded", 1, 3, `{"order_id":"S1"}`),
			refunded(1, 2, `{"orderNumber":"S1","total":40,"currency":"USD"}`),
			fact("Order Completed", 1, 1, `{"order_id":"S1","total":1,"currency":"USD"}`)},
			[]string{"S1 order refunded c1 USD 100-100 at 1 lines 0"}, "c1 1 orders 0 USD 1..1"},
		{"what cannot be read leaves nothing and stops nothing", []event.Stored{
			paid(1, 1, `[]`), paid(1, 2, `{"total":5}`), paid(1, 3, `{"orderNumber":"B","total":"a lot"}`), paid(1, 4, `{"orderNumber":"A1","total":5}`)},
			[]string{"A1 order paid c1 CNY 5-0 at 4 lines 0"}, "c1 1 orders 5 CNY 4..4"},
		{"a free order", []event.Stored{paid(1, 1, `{"orderNumber":"A1","total":0}`)}, []string{"A1 order paid c1 CNY 0-0 at 1 lines 0"}, "c1 1 orders 0 CNY 1..1"},
		{"other facts are not ours", []event.Stored{fact("page.viewed", 1, 1, `{"orderNumber":"A1"}`)}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				w.handle(tt.facts...)
				require.Equal(t, tt.want, w.say())
				require.Equal(t, tt.sums, w.sums())
				w.handle(tt.facts...) // a replay changes nothing
				require.Equal(t, tt.want, w.say())
				require.Equal(t, tt.sums, w.sums())
			}, shop.Migrations())
		})
	}
}

// Whatever order facts arrive in, and however they are cut into batches, the
// records come out the same.
func TestArrivalOrderDoesNotMatter(t *testing.T) {
	facts := []event.Stored{
		paid(1, 1, `{"orderNumber":"A1","total":1000,`+twoLines+`}`),
		refunded(1, 2, `{"orderNumber":"A1","total":100}`),
		refunded(2, 3, `{"orderNumber":"R3","refundOf":"A1","total":200,"lines":[{"sku":"K-1","quantity":1,"price":200}]}`),
		paid(2, 4, `{"orderNumber":"A2","total":500}`),
		fact("Order Refunded", 2, 5, `{"order_id":"A2"}`),
		refunded(3, 6, `{"orderNumber":"C1","total":50}`),
		refunded(3, 7, `{"orderNumber":"C1","total":70}`),
		refunded(1, 8, `{"orderNumber":"A2","total":100}`),
	}
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		r := rand.New(rand.NewPCG(7, 7))
		var want []string
		var wantSums string
		for round := range 40 {
			for _, table := range []string{"orders", "order_lines", "order_refunds"} {
				_, err := d.Exec(t.Context(), "delete from "+table)
				require.NoError(t, err)
			}
			w := newWorld(t, d)
			for rest := facts; len(rest) > 0; {
				n := 1 + r.IntN(len(rest))
				w.handle(rest[:n]...)
				rest = rest[n:]
			}
			if round == 0 {
				want, wantSums = w.say(), w.sums()
				require.Equal(t, []string{
					"A1 order partly_refunded c1 CNY 1000-300 at 1 lines 2",
					"A2 order refunded c2 CNY 500-500 at 4 lines 0",
					"C1 refund refunded c3 CNY 120-120 at 6 lines 0"}, want)
			}
			require.Equal(t, want, w.say(), "round %d", round)
			for _, s := range strings.Split(wantSums, "; ") {
				require.Contains(t, w.sums(), s)
			}
			facts = slices.Clone(facts)
			r.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
		}
	}, shop.Migrations())
}

func TestMergeMovesOrders(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		merge := func(moves ...shop.Move) {
			for _, m := range moves {
				delete(w.people.merged, m.Into)
				w.people.merged[m.From] = m.Into
			}
			require.NoError(t, w.MoveContacts(t.Context(), moves))
		}
		w.handle(paid(1, 1, `{"orderNumber":"A1","total":100}`), paid(2, 2, `{"orderNumber":"A2","total":50}`), refunded(1, 3, `{"orderNumber":"A1","total":10}`))
		merge(shop.Move{From: 1, Into: 2}, shop.Move{From: 2, Into: 3}, shop.Move{From: 9, Into: 3})
		require.Equal(t, []string{"A1 order partly_refunded c3 CNY 100-10 at 1 lines 0", "A2 order paid c3 CNY 50-0 at 2 lines 0"}, w.say())

		w.handle(paid(1, 4, `{"orderNumber":"A3","total":1}`), refunded(2, 6, `{"orderNumber":"X","total":2}`)) // resolved before the merge, handled after it
		require.Equal(t, int64(3), w.people.sums[3].Orders)
		require.Equal(t, []contact.Revenue{{Currency: "CNY", Orders: 3, Amount: 139}}, w.people.sums[3].Revenue)

		require.NoError(t, w.EraseContacts(t.Context(), []int64{3}))
		require.Empty(t, w.say())
	}, shop.Migrations())
}

func TestDeleteImportTakesBackOnlyItsOwn(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		imported := func(f event.Stored) event.Stored { f.ImportID = "im_1"; return f }
		w.handle(paid(1, 1, `{"orderNumber":"A1","total":100,`+twoLines+`}`), refunded(1, 2, `{"orderNumber":"B1","total":10}`))
		before, sums := w.say(), w.sums()

		facts := []event.Stored{
			imported(refunded(1, 3, `{"orderNumber":"A1","total":40,"lines":[{"sku":"K-1","quantity":1,"price":40}]}`)),
			imported(paid(1, 4, `{"orderNumber":"B1","total":90,`+twoLines+`}`)),
			imported(refunded(1, 5, `{"orderNumber":"C1","total":7}`)),
		}
		for i := range int64(1200) {
			facts = append(facts, imported(paid(5, 10+i, fmt.Sprintf(`{"orderNumber":"I%d","total":3,%s}`, i, twoLines))))
		}
		w.handle(facts...)
		require.Equal(t, int64(1200), w.people.sums[5].Orders)
		known, err := w.Known(t.Context(), "shop", []string{"A1", "B1", "C1", "nope"})
		require.NoError(t, err)
		require.Equal(t, map[string]string{"A1": "", "B1": "im_1"}, known)

		var seen []int64
		n, err := w.DeleteImport(t.Context(), "im_1", func(done int64) { seen = append(seen, done) })
		require.NoError(t, err)
		require.Equal(t, int64(1203), n)
		require.Equal(t, []int64{500, 1000, 1203}, seen)
		require.Equal(t, before, w.say())
		require.Equal(t, sums+"; c5 0 orders", w.sums())
		var lines int
		require.NoError(t, d.QueryRow(t.Context(), "select count(*) from order_lines").Scan(&lines))
		require.Equal(t, 2, lines)

		n, err = w.DeleteImport(t.Context(), "im_1", nil)
		require.NoError(t, err)
		require.Zero(t, n)
	}, shop.Migrations())
}

func TestTotals(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.handle(paid(1, 1, `{"orderNumber":"A1","total":100}`), paid(2, 30, `{"orderNumber":"A2","total":50}`),
			refunded(1, 31, `{"orderNumber":"A1","total":10}`), refunded(1, 40, `{"orderNumber":"C1","total":5,"currency":"USD"}`))
		all, err := w.Totals(t.Context(), time.Time{}, time.Time{})
		require.NoError(t, err)
		require.Equal(t, []shop.Total{{Currency: "CNY", Orders: 2, Refunds: 1, Paid: 150, Refunded: 10}, {Currency: "USD", Refunds: 1, Refunded: 5}}, all)
		day, err := w.Totals(t.Context(), time.UnixMilli(start+24*hour), time.UnixMilli(start+40*hour))
		require.NoError(t, err)
		require.Equal(t, []shop.Total{{Currency: "CNY", Orders: 1, Refunds: 1, Paid: 50, Refunded: 10}}, day)
		require.Equal(t, int64(40), day[0].Revenue())
	}, shop.Migrations())
}

type service struct{}

func (service) Authenticate(*http.Request) (*auth.Principal, error) {
	return testkit.Principal("service"), nil
}

func TestHTTP(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		cat, err := i18n.Load(testkit.Logger(t))
		require.NoError(t, err)
		api := httpx.New(http.NewServeMux(), httpx.Config{Title: "t", Version: "1", Auth: service{}, Log: testkit.Logger(t), Catalogue: cat, Clock: testkit.Clock()})
		w.Routes(api)
		h := api.Handler()
		get := func(path string, into any) int {
			t.Helper()
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), into), rec.Body.String())
			return rec.Code
		}
		type page struct {
			Items []shop.OrderView
			Next  string
		}
		var facts []event.Stored
		for i := range int64(5) {
			facts = append(facts, paid(1+i%2, i, fmt.Sprintf(`{"orderNumber":"A%d","total":100,%s}`, i, twoLines)))
		}
		w.handle(append(facts, refunded(1, 9, `{"orderNumber":"R1","refundOf":"A0","total":100}`))...)

		var p page
		require.Equal(t, 200, get("/api/orders?limit=3", &p))
		require.Len(t, p.Items, 3)
		require.Equal(t, "A4", p.Items[0].Number)
		require.Equal(t, &contact.Ref{ID: "ct_1", Name: "Person 1"}, p.Items[0].Contact)
		require.NotNil(t, p.Items[0].Lines)
		require.Empty(t, p.Items[0].Lines)
		require.Equal(t, 2, p.Items[0].LineCount)
		next := p.Next
		p = page{}
		require.Equal(t, 200, get("/api/orders?limit=3&cursor="+next, &p))
		require.Equal(t, "A1", p.Items[0].Number)
		require.Len(t, p.Items, 2)
		require.Empty(t, p.Next)

		for query, want := range map[string]int{"q=a": 5, "q=A3": 1, "q=R1": 1, "q=z": 0, "state=refunded": 1, "contact=ct_2": 2,
			"from=2026-01-01T01:00:00Z&to=2026-01-01T03:00:00Z": 2} {
			p = page{}
			require.Equal(t, 200, get("/api/orders?"+query, &p), query)
			require.Len(t, p.Items, want, query)
		}
		p = page{}
		require.Equal(t, 200, get("/api/contacts/ct_1/orders", &p))
		require.Len(t, p.Items, 3)
		require.Len(t, p.Items[0].Lines, 2)

		var one shop.OrderView
		require.Equal(t, 200, get("/api/orders/"+p.Items[2].ID, &one))
		require.Equal(t, shop.Refunded, one.State)
		require.Equal(t, shop.Line{SKU: "K-2", Name: "茶杯", Quantity: 1, Price: 500, Amount: 450}, one.Lines[1])

		var problem httpx.Problem
		require.Equal(t, 404, get("/api/orders/or_none", &problem))
		require.Equal(t, "order.not_found", problem.Code)
		require.Equal(t, 422, get("/api/orders?state=nonsense", &problem))
	}, shop.Migrations())
}

// Both ways of narrowing (naming the contacts, walking and skipping) list the
// same orders over the same pages, and one order is found only by who may see it.
func TestOrdersFollowTheDataScope(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var facts []event.Stored
		for i := range int64(700) {
			facts = append(facts, paid(1+i%90, i, fmt.Sprintf(`{"orderNumber":"N%d","amount":1,"currency":"CNY"}`, i)))
		}
		w.handle(facts...)
		scoped := testkit.Scoped(t.Context(), "sales", false, "us_1")
		walk := func(ctx context.Context) (ids []string) {
			q := shop.Query{Limit: 7}
			for {
				page, err := w.List(ctx, q)
				require.NoError(w, err)
				for _, o := range page {
					ids = append(ids, o.ID)
				}
				if len(page) < q.Limit {
					return ids
				}
				after := shop.CursorOf(page[len(page)-1])
				q.After = &after
			}
		}
		all := walk(t.Context())
		require.Len(w, all, 700)
		skipping := walk(scoped)
		w.people.few = make([]int64, 90)
		for i := range w.people.few {
			w.people.few[i] = int64(i + 1)
		}
		require.Equal(w, skipping, walk(scoped))
		var want []string
		for _, id := range all {
			o, err := w.Get(t.Context(), id)
			require.NoError(w, err)
			_, err = w.Get(scoped, id)
			if o.Contact%3 == 1 {
				require.NoError(w, err)
				want = append(want, id)
			} else {
				require.Equal(w, "order.not_found", errs.As(err).Code)
			}
		}
		require.Equal(w, want, skipping)
		require.Empty(w, walk(testkit.Scoped(t.Context(), "sales", false, "us_9")))
		orders, err := w.List(scoped, shop.Query{Contact: 2, Limit: 5})
		require.NoError(w, err)
		require.Empty(w, orders, "a contact given by number is checked too")
	}, shop.Migrations())
}

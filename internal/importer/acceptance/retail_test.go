// Package acceptance_test imports real files with everything real behind the
// importer: stream, contacts, orders, analytics. It stands apart so that the
// importer's own tests and fuzzing need no analytics engine.
package acceptance_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/intake"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/importer"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/shop"
)

// dataEnv names the folder of real data sets for tests.
const dataEnv = "KOIPOND_TEST_DATA"

// dataFile is a file of a real data set, or the test is skipped (failed where CI=true).
func dataFile(t testing.TB, set, name string) string {
	t.Helper()
	for _, dir := range []string{os.Getenv(dataEnv), "../../../../shared/data"} {
		path := filepath.Join(dir, set, name)
		if _, err := os.Stat(path); dir != "" && err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("the data set %s is needed: set %s to the folder that holds it", set, dataEnv)
	}
	t.Skipf("SKIPPED, NOT TESTED: no data set %s; set %s to the folder that holds it", set, dataEnv)
	return ""
}

func retailFile(t testing.TB) string {
	t.Helper()
	return dataFile(t, "online-retail", "online_retail.csv.gz")
}

// recount is what a plain loop over the file finds by the rules in the package's documentation.
type recount struct {
	rows, bad         int64
	orders, refunds   map[string]bool
	customers, buyers map[string]bool // named on a good row; with an order
	anonymous         map[string]bool // orders and refunds without a name
	paid, back        int64
	byCustomer        map[string]int64
}

func recountFile(t testing.TB, path string) recount {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	r := csv.NewReader(z)
	_, err = r.Read()
	require.NoError(t, err)
	c := recount{orders: map[string]bool{}, refunds: map[string]bool{}, customers: map[string]bool{}, buyers: map[string]bool{}, anonymous: map[string]bool{}, byCustomer: map[string]int64{}}
	for {
		row, err := r.Read()
		if err == io.EOF {
			return c
		}
		require.NoError(t, err)
		c.rows++
		quantity, err := strconv.Atoi(row[3])
		require.NoError(t, err)
		price, err := strconv.ParseFloat(row[5], 64)
		require.NoError(t, err)
		refund := strings.HasPrefix(row[0], "C")
		if price < 0 || quantity == 0 || refund != (quantity < 0) {
			c.bad++
			continue
		}
		pence := int64(math.Floor(math.Abs(float64(quantity))*price*100 + 0.5 + 1e-7))
		if refund {
			c.refunds[row[0]] = true
			c.back += pence
			c.byCustomer[row[6]] -= pence
		} else {
			c.orders[row[0]] = true
			c.paid += pence
			c.byCustomer[row[6]] += pence
		}
		if row[6] == "" {
			c.anonymous[row[0]] = true
			continue
		}
		c.customers[row[6]] = true
		if !refund {
			c.buyers[row[6]] = true
		}
	}
}

type trail struct{}

func (trail) Record(context.Context, string, audit.Object, map[string]any) error { return nil }

// waterworks is the importer with everything real: stream, contacts, analytics.
type waterworks struct {
	*importer.Service
	shop     *shop.Service
	store    analytics.Store
	contacts *contact.Service
	pipe     *pipeline.Pipeline
}

type door struct {
	*intake.Service
	pipe *pipeline.Pipeline
}

func (d door) Wait(ctx context.Context, seq uint64) error { return d.pipe.Wait(ctx, seq) }

// summaries are the sums of orders that contacts carry, in the company's currency.
type summaries struct {
	*contact.Service
	currency string
}

func (s summaries) SetOrderSummary(ctx context.Context, sums []shop.Summary) error {
	out := make([]contact.OrderSummary, len(sums))
	for i, x := range sums {
		out[i] = contact.OrderSummary{Num: x.Contact, Orders: x.Orders, Revenue: x.Revenue, FirstAt: x.FirstAt, LastAt: x.LastAt}
	}
	return s.Service.SetOrderSummary(ctx, s.currency, out)
}

func realSets() []db.Set {
	return []db.Set{jobs.Migrations(), pipeline.Migrations(), contact.Migrations(), shop.Migrations(), importer.Migrations()}
}

func newWaterworks(t testing.TB, d *db.DB) *waterworks {
	t.Helper()
	return newWaterworksOf(t, d, importer.Company{Timezone: "Europe/London", Currency: "GBP"})
}

func newWaterworksOf(t testing.TB, d *db.DB, company importer.Company) *waterworks {
	t.Helper()
	ctx, log, c := t.Context(), testkit.Logger(t), clock.System{}
	dir := t.TempDir()
	w := &waterworks{}
	store, err := duckdb.Open(ctx, duckdb.Config{Path: filepath.Join(dir, "facts.duckdb"), Clock: c, Log: log})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	w.store = store
	b, err := bus.Open(ctx, bus.Config{Dir: filepath.Join(dir, "stream"), MaxBytes: 4 << 30, Log: log})
	require.NoError(t, err)
	stream, err := b.Stream(ctx, bus.StreamConfig{Name: "facts", MaxBytes: 2 << 30})
	require.NoError(t, err)
	files, err := blob.NewFolder(filepath.Join(dir, "files"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, files.Close()) })
	cat, err := i18n.Load(log)
	require.NoError(t, err)
	ring, err := secret.NewRing(make([]byte, secret.KeySize))
	require.NoError(t, err)

	ids := testkit.IDs(c)
	in := intake.New(intake.Deps{Stream: stream, MaxMessage: b.MaxMessage(), DB: d, Clock: c, IDs: ids, Log: log})
	w.contacts = contact.NewService(contact.Deps{DB: d, Clock: c, IDs: ids, Log: log, Keys: ring, Emit: in, Timeline: store})
	w.pipe = pipeline.New(pipeline.Deps{DB: d, Stream: stream, Store: store, Resolver: w.contacts.Resolver(), Emitter: in, Clock: c, IDs: ids, Log: log})
	currency := func(context.Context) (string, error) { return company.Currency, nil }
	w.shop = shop.NewService(shop.Deps{DB: d, Clock: c, IDs: ids, Log: log, Contacts: summaries{w.contacts, company.Currency}, Currency: currency})
	j := jobs.NewService(jobs.Deps{DB: d, Clock: c, IDs: ids, Log: log, Files: files, Node: "node"})
	w.Service = importer.NewService(importer.Deps{DB: d, Clock: c, IDs: ids, Log: log, Files: files, Keys: testkit.Ring(), Jobs: j, Audit: trail{}, Ingest: door{in, w.pipe},
		Contacts: w.contacts, Orders: w.shop, Facts: store, Catalogue: cat, TempDir: dir,
		Company: func(context.Context) (importer.Company, error) {
			return company, nil
		},
		Settle: func(ctx context.Context) error {
			seq, err := in.Flush(ctx)
			if err != nil {
				return err
			}
			return w.pipe.Wait(ctx, seq)
		}})
	for _, s := range []event.Subscriber{w.contacts.Activity(), w.shop} {
		w.pipe.Subscribe(s)
	}
	w.contacts.OnRemove(func(ctx context.Context, nums []int64) error {
		_, err := store.EraseContacts(ctx, nums)
		return err
	})
	require.NoError(t, in.Start(ctx))
	require.NoError(t, w.pipe.Start(ctx))
	require.NoError(t, j.Start(ctx))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		defer cancel()
		require.NoError(t, j.Stop(ctx))
		require.NoError(t, in.Stop(ctx))
		require.NoError(t, w.pipe.Stop(ctx))
		require.NoError(t, b.Close(ctx))
	})
	return w
}

// importRetail does what `koipond import orders FILE` does.
func (w *waterworks) importRetail(t testing.TB, path string) (importer.Upload, importer.Import) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	u, err := w.CreateUploadFromFile(ctx, importer.Orders, path)
	require.NoError(t, err)
	imp, err := w.Start(ctx, importer.Request{UploadID: u.ID, Kind: importer.Orders, Mapping: u.Suggestion.Mapping, Options: u.Suggestion.Options, Language: i18n.EN})
	require.NoError(t, err)
	imp, err = w.WaitJob(ctx, imp.ID, nil)
	require.NoError(t, err)
	require.Equal(t, importer.Succeeded, imp.State, "%v", imp.Error)
	return u, imp
}

func TestRetailAgreesWithARecount(t *testing.T) {
	path := retailFile(t)
	want := recountFile(t, path)
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		w := newWaterworks(t, d)
		began := time.Now()
		u, imp := w.importRetail(t, path)
		took := time.Since(began)
		t.Logf("%d rows in %.1f s, %.0f rows/s, peak memory %d MB", imp.Rows, took.Seconds(), float64(imp.Rows)/took.Seconds(), peakMB())

		require.Equal(t, importer.Orders, u.Suggestion.Kind)
		require.Equal(t, "C", u.Suggestion.Options.RefundPrefix)
		require.Equal(t, []int64{want.rows, want.bad}, []int64{imp.Rows, imp.Rejected})
		require.Equal(t, int64(len(want.orders)), imp.Orders)

		ctx := t.Context()
		totals, err := w.shop.Totals(ctx, time.Time{}, time.Time{})
		require.NoError(t, err)
		require.Equal(t, []shop.Total{{Currency: "GBP", Orders: int64(len(want.orders)), Refunds: int64(len(want.refunds)), Paid: want.paid, Refunded: want.back}}, totals)

		names := map[string]analytics.GroupRow{}
		rows, err := w.store.Totals(ctx, analytics.TotalsQuery{Property: "total", GroupBy: "$event", Filter: analytics.Filter{Events: []string{event.NameOrderPaid, event.NameOrderRefunded}}})
		require.NoError(t, err)
		for _, r := range rows {
			names[r.Key] = r
		}
		require.Equal(t, int64(len(want.orders)), names[event.NameOrderPaid].Count)
		require.Equal(t, int64(len(want.refunds)), names[event.NameOrderRefunded].Count)
		require.InDelta(t, float64(want.paid), names[event.NameOrderPaid].Sum, 0.5)
		require.InDelta(t, float64(want.back), names[event.NameOrderRefunded].Sum, 0.5)

		people := func(events ...string) int64 {
			n, err := w.store.CountPeople(ctx, analytics.PeopleQuery{Filter: analytics.Filter{Events: events, ContactKind: event.Person}})
			require.NoError(t, err)
			return n
		}
		require.Equal(t, int64(len(want.buyers)), people(event.NameOrderPaid))
		require.Equal(t, int64(len(want.customers)), people(event.NameOrderPaid, event.NameOrderRefunded))
		var visitors, persons int64
		require.NoError(t, d.QueryRow(ctx, "select count(*) filter (where kind = 'visitor'), count(*) filter (where kind = 'person') from contacts").Scan(&visitors, &persons))
		require.Equal(t, []int64{int64(len(want.anonymous)), int64(len(want.customers))}, []int64{visitors, persons})

		sum := int64(0)
		list, err := w.contacts.List(ctx, contact.Query{Kind: event.Person, Sort: "revenue", Limit: 200})
		require.NoError(t, err)
		for _, row := range list.Items {
			full, err := w.contacts.Get(ctx, row.ID)
			require.NoError(t, err)
			require.Len(t, row.Revenue, 1)
			number := full.Identities[0].Value
			require.Equal(t, want.byCustomer[number], row.Revenue[0].Amount, "customer %s", number)
			sum += row.Revenue[0].Amount
		}
		require.Positive(t, sum)
	}, realSets()...)
}

// What an import brought goes again, from every store.
func TestRetailUndone(t *testing.T) {
	if testing.Short() {
		t.Skip("imports the whole file again")
	}
	path := retailFile(t)
	d := testkit.SQLite(t, realSets()...)
	w := newWaterworks(t, d)
	_, imp := w.importRetail(t, path)
	began := time.Now()
	_, err := w.Undo(t.Context(), imp.ID)
	require.NoError(t, err)
	imp, err = w.WaitJob(t.Context(), imp.ID, nil)
	require.NoError(t, err)
	require.Equal(t, importer.Undone, imp.State, "%v", imp.Error)
	t.Logf("undone in %.1f s", time.Since(began).Seconds())
	totals, err := w.shop.Totals(t.Context(), time.Time{}, time.Time{})
	require.NoError(t, err)
	require.Empty(t, totals)
	st, err := w.store.Stats(t.Context())
	require.NoError(t, err)
	require.Zero(t, st.Facts)
	for _, table := range []string{"contacts", "identities", "orders", "order_lines", "order_refunds"} {
		var n int64
		require.NoError(t, d.QueryRow(t.Context(), "select count(*) from "+table).Scan(&n))
		require.Zero(t, n, table)
	}
}

// peakMB is the most memory that this process had, as the system counts; 0 where it does not say.
func peakMB() int64 {
	if runtime.GOOS != "linux" {
		return 0
	}
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var kb int64
		if _, err := fmt.Sscanf(sc.Text(), "VmHWM: %d kB", &kb); err == nil {
			return kb >> 10
		}
	}
	return 0
}

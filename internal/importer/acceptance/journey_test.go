package acceptance_test

import (
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/csv"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/audience/rfm"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/importer"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

// The files of the data set complete-journey: a year of a grocer's households.
const (
	households   = "demographics.csv.gz"
	transactions = "transactions_sample.csv.gz"
	mailings     = "campaigns.csv.gz"
	campaigns    = "campaign_descriptions.csv.gz"
	redemptions  = "coupon_redemptions.csv.gz"
)

// journeyEnds is the last minute of the data.
func journeyEnds(zone *time.Location) time.Time {
	return time.Date(2017, 12, 31, 23, 59, 0, 0, zone)
}

// basket is what a household bought at once, as the file has it.
type basket struct {
	at    time.Time
	cents int64
}

// household is what the files say of one, read with a plain loop by the rules of
// the importer's documentation: it shares no code with what it is to check.
type household struct {
	kids     string
	baskets  []basket
	received []mailing // campaigns that reached it
	redeemed []mailing // coupons it redeemed
}

type mailing struct {
	at             time.Time
	campaign, kind string
}

// recounted is the whole of the files.
type recounted struct {
	households map[string]*household
	rows, bad  int64 // of transactions
	orders     int64
	cents      int64
	events     map[string]int64
}

// eachLine reads a gzipped file, giving each row by the names of its columns.
func eachLine(t testing.TB, path string, take func(row map[string]string)) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	r := csv.NewReader(z)
	names, err := r.Read()
	require.NoError(t, err)
	for {
		cells, err := r.Read()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		row := map[string]string{}
		for i, n := range names {
			row[n] = cells[i]
		}
		take(row)
	}
}

func recountJourney(t testing.TB, dir string, zone *time.Location) recounted {
	t.Helper()
	c := recounted{households: map[string]*household{}, events: map[string]int64{}}
	of := func(id string) *household {
		if c.households[id] == nil {
			c.households[id] = &household{}
		}
		return c.households[id]
	}
	day := func(text string) time.Time {
		at, err := time.ParseInLocation(time.DateOnly, text, zone)
		require.NoError(t, err)
		return at
	}
	eachLine(t, filepath.Join(dir, households), func(row map[string]string) { of(row["household_id"]).kids = row["kids_count"] })
	baskets, at := map[string]*basket{}, map[string]string{}
	eachLine(t, filepath.Join(dir, transactions), func(row map[string]string) {
		c.rows++
		quantity, err := strconv.Atoi(row["quantity"])
		require.NoError(t, err)
		if quantity == 0 { // coupons without goods, and the like
			c.bad++
			return
		}
		value, err := strconv.ParseFloat(row["sales_value"], 64)
		require.NoError(t, err)
		when, err := time.Parse(time.RFC3339, row["transaction_timestamp"])
		require.NoError(t, err)
		b := baskets[row["basket_id"]]
		if b == nil {
			b = &basket{at: when}
			baskets[row["basket_id"]], at[row["basket_id"]] = b, row["household_id"]
		}
		cents := int64(math.Floor(value*100 + 0.5 + 1e-7))
		b.cents += cents
		c.cents += cents
	})
	c.orders = int64(len(baskets))
	for id, b := range baskets {
		h := of(at[id])
		h.baskets = append(h.baskets, *b)
	}
	kinds, begins := map[string]string{}, map[string]time.Time{}
	eachLine(t, filepath.Join(dir, campaigns), func(row map[string]string) {
		kinds[row["campaign_id"]], begins[row["campaign_id"]] = row["campaign_type"], day(row["start_date"])
	})
	eachLine(t, filepath.Join(dir, mailings), func(row map[string]string) {
		h, id := of(row["household_id"]), row["campaign_id"]
		h.received = append(h.received, mailing{begins[id], id, kinds[id]})
		c.events[received]++
	})
	eachLine(t, filepath.Join(dir, redemptions), func(row map[string]string) {
		h, id := of(row["household_id"]), row["campaign_id"]
		h.redeemed = append(h.redeemed, mailing{day(row["redemption_date"]), id, kinds[id]})
		c.events[redeemed]++
	})
	return c
}

// What the households are known to have done beside buying.
const (
	received = "campaign.received"
	redeemed = "coupon.redeemed"
)

// datedMailings writes the campaigns that reached households with the day they
// began, which stands in another file: the join of the handbook.
func datedMailings(t testing.TB, dir string) string {
	t.Helper()
	begins := map[string][2]string{}
	eachLine(t, filepath.Join(dir, campaigns), func(row map[string]string) {
		begins[row["campaign_id"]] = [2]string{row["campaign_type"], row["start_date"]}
	})
	path := filepath.Join(t.TempDir(), "campaigns_dated.csv")
	f, err := os.Create(path)
	require.NoError(t, err)
	w := csv.NewWriter(f)
	require.NoError(t, w.Write([]string{"household_id", "campaign_id", "campaign_type", "start_date"}))
	eachLine(t, filepath.Join(dir, mailings), func(row map[string]string) {
		c := begins[row["campaign_id"]]
		require.NoError(t, w.Write([]string{row["household_id"], row["campaign_id"], c[0], c[1]}))
	})
	w.Flush()
	require.NoError(t, w.Error())
	require.NoError(t, f.Close())
	return path
}

// importJourney does what the commands of the handbook do.
func (w *waterworks) importJourney(t testing.TB, dir string) map[string]importer.Import {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	// An attribute that lists can be filtered by is defined before it comes in.
	_, err := w.contacts.CreateAttribute(testkit.As(ctx, "admin"), attribute.Definition{Key: "kids_count", NameZh: "孩子", NameEn: "Kids", Type: attribute.Text, Indexed: true})
	require.NoError(t, err)
	out := map[string]importer.Import{}
	bring := func(path string, kind importer.Kind, event string, columns map[string]string) {
		t.Helper()
		u, err := w.CreateUploadFromFile(ctx, kind, path)
		require.NoError(t, err)
		mapping, options := u.Suggestion.Mapping, u.Suggestion.Options
		require.Equal(t, "user_id", mapping.Columns["household_id"], "recognised")
		require.Equal(t, kind, u.Suggestion.Kind)
		options.Event = event
		for column, field := range columns {
			mapping.Columns[column] = field
		}
		imp, err := w.Start(ctx, importer.Request{UploadID: u.ID, Kind: kind, Mapping: mapping, Options: options, Language: i18n.EN})
		require.NoError(t, err)
		imp, err = w.WaitJob(ctx, imp.ID, nil)
		require.NoError(t, err)
		require.Equal(t, importer.Succeeded, imp.State, "%s: %v", path, imp.Error)
		out[filepath.Base(path)] = imp
	}
	bring(filepath.Join(dir, households), importer.Contacts, "", nil)
	bring(filepath.Join(dir, transactions), importer.Orders, "", nil)
	bring(datedMailings(t, dir), importer.Events, received, map[string]string{"start_date": "timestamp"})
	bring(filepath.Join(dir, redemptions), importer.Events, redeemed, map[string]string{"redemption_date": "timestamp"})
	return out
}

// The households of a grocer: what was imported, how they are scored, and six
// segments that a marketer would want are what a plain loop over the files finds.
// The other database has TestRetailSegments.
func TestJourneyAgreesWithARecount(t *testing.T) {
	dir := filepath.Dir(dataFile(t, "complete-journey", transactions))
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	want := recountJourney(t, dir, zone)
	d := testkit.SQLite(t, append(append(realSets(), audience.Migrations()), rfm.Migrations())...)
	w := newWaterworksOf(t, d, importer.Company{Timezone: zone.String(), Currency: "USD"})
	began := time.Now()
	got := w.importJourney(t, dir)
	t.Logf("imported in %.1f s", time.Since(began).Seconds())
	orders := got[transactions]
	require.Equal(t, []int64{want.rows, want.bad, want.orders}, []int64{orders.Rows, orders.Rejected, orders.Orders})
	totals, err := w.shop.Totals(t.Context(), time.Time{}, time.Time{})
	require.NoError(t, err)
	require.Len(t, totals, 1)
	require.Equal(t, []int64{want.orders, want.cents}, []int64{totals[0].Orders, totals[0].Paid})
	rows, err := w.store.Totals(t.Context(), analytics.TotalsQuery{GroupBy: "$event", Filter: analytics.Filter{Events: []string{received, redeemed}}})
	require.NoError(t, err)
	for _, r := range rows {
		require.Equal(t, want.events[r.Key], r.Count, r.Key)
	}
	require.Len(t, rows, 2)
	t.Run("rfm", func(t *testing.T) { journeyRFM(t, w, d, want, zone) })
	t.Run("segments", func(t *testing.T) { journeySegments(t, w, d, want, zone) })
}

func journeyRFM(t *testing.T, w *waterworks, d *db.DB, want recounted, zone *time.Location) {
	to := time.Date(2018, 1, 1, 0, 0, 0, 0, zone)
	from := to.AddDate(0, 0, -365)
	by := map[string]*spent{}
	for id, h := range want.households {
		s := &spent{orders: map[string]bool{}}
		for i, b := range h.baskets {
			if !b.at.Before(from) && b.at.Before(to) {
				s.orders[strconv.Itoa(i)] = true
				s.pence += b.cents
				if b.at.After(s.last) {
					s.last = b.at
				}
			}
		}
		if len(s.orders) > 0 {
			by[id] = s
		}
	}
	agreeOnRFM(t, w, d, by, to, "USD")
}

func journeySegments(t *testing.T, w *waterworks, d *db.DB, want recounted, zone *time.Location) {
	fixed, ids := clock.NewFake(journeyEnds(zone)), testkit.IDs(clock.System{})
	zoned := func(context.Context) *time.Location { return zone }
	queue := jobs.NewService(jobs.Deps{DB: d, Clock: clock.System{}, IDs: ids, Log: testkit.Quiet(), Node: "segments", Poll: 10 * time.Millisecond})
	people := contact.NewService(contact.Deps{DB: d, Clock: fixed, IDs: ids, Log: testkit.Quiet(), Keys: testkit.Ring(), Timeline: w.store, Behaviours: w.store.(analytics.Behaviours), Zone: zoned})
	s := audience.NewService(audience.Deps{DB: d, Clock: fixed, IDs: ids, Log: testkit.Quiet(), Keys: testkit.Ring(), Jobs: queue, Contacts: people, Zone: zoned, Behaviours: w.store.(analytics.Behaviours)})
	people.FilterBy(audience.Field, s.Field())
	require.NoError(t, queue.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, queue.Stop(context.WithoutCancel(t.Context()))) })
	ctx := testkit.As(t.Context(), "admin")
	number := map[int64]string{}
	rows, err := d.Query(ctx, "select contact, lookup from identities")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var num int64
		var lookup string
		err = r.Scan(&num, &lookup)
		number[num] = lookup
		return x, err
	})
	require.NoError(t, err)
	require.Len(t, number, len(want.households))

	day := func(m time.Month, d int) time.Time { return time.Date(2017, m, d, 0, 0, 0, 0, zone) }
	bought := func(h *household, from, to time.Time) (n int, cents int64) {
		for _, b := range h.baskets {
			if !b.at.Before(from) && b.at.Before(to) {
				n, cents = n+1, cents+b.cents
			}
		}
		return n, cents
	}
	end, ever := day(12, 32), day(-10, 1)
	for _, c := range []struct {
		name, rule string
		holds      func(h *household) bool
	}{
		{"still buy, but less than the eight weeks before", `{"v":1,"all":[
			{"event":{"name":"order.paid","op":"gte","value":1,"within":{"last":8,"unit":"week"}}},
			{"event":{"name":"order.paid","measure":"sum","property":"total","op":"lt","value":1000,"within":{"last":8,"unit":"week"}}},
			{"event":{"name":"order.paid","measure":"sum","property":"total","op":"gte","value":2000,"within":{"from":"2017-09-11","to":"2017-11-05"}}}]}`, func(h *household) bool {
			n, now := bought(h, day(11, 6), end)
			_, before := bought(h, day(9, 11), day(11, 6))
			return n >= 1 && now < 1000 && before >= 2000
		}},
		{"families who redeemed a coupon since September", `{"v":1,"all":[
			{"field":"attr","key":"kids_count","op":"in","value":["1","2","3+"]},
			{"event":{"name":"coupon.redeemed","op":"gte","value":1,"within":{"from":"2017-09-01","to":"2017-12-31"}}}]}`, func(h *household) bool {
			return h.kids != "" && h.kids != "0" && slices.ContainsFunc(h.redeemed, func(m mailing) bool { return !m.at.Before(day(9, 1)) && m.at.Before(end) })
		}},
		{"heavy buyers whom no campaign reached", `{"v":1,"all":[
			{"event":{"name":"order.paid","measure":"sum","property":"total","op":"gte","value":10000}},
			{"none":[{"event":{"name":"campaign.received"}}]}]}`, func(h *household) bool {
			_, cents := bought(h, ever, end)
			return cents >= 10_000 && len(h.received) == 0
		}},
		{"lapsed: five times in half a year, not in sixty days", `{"v":1,"habit":{"kind":"stopped","name":"order.paid","times":5,"active":180,"quiet":60}}`, func(h *household) bool {
			quiet := day(12, 31-59)
			before, _ := bought(h, quiet.AddDate(0, 0, -180), quiet)
			since, _ := bought(h, quiet, end)
			return before >= 5 && since == 0
		}},
		{"redeemed within four weeks of a big campaign", `{"v":1,"sequence":{"steps":[
			{"name":"campaign.received","where":[{"property":"campaign_type","op":"is","value":"Type A"}]},{"name":"coupon.redeemed"}],"gap":{"n":28,"unit":"day"}}}`, func(h *household) bool {
			for _, a := range h.received {
				for _, b := range h.redeemed {
					// Campaigns came in first: of the same midnight, a redemption is later.
					if gap := b.at.Sub(a.at); a.kind == "Type A" && gap >= 0 && gap <= 28*24*time.Hour {
						return true
					}
				}
			}
			return false
		}},
		{"redeemed coupons of three campaigns and more", `{"v":1,"event":{"name":"coupon.redeemed","measure":"distinct","property":"campaign_id","op":"gte","value":3}}`, func(h *household) bool {
			different := map[string]bool{}
			for _, m := range h.redeemed {
				different[m.campaign] = true
			}
			return len(different) >= 3
		}},
	} {
		r, err := rule.Parse(c.rule, "rule")
		require.NoError(t, err)
		began := time.Now()
		g, err := s.Create(ctx, audience.Definition{Name: c.name, Kind: audience.Dynamic, Rule: r})
		require.NoError(t, err)
		job, err := queue.Wait(ctx, g.JobID)
		require.NoError(t, err)
		require.Equal(t, jobs.Succeeded, job.State, "%v", job.Error)
		took := time.Since(began)
		var expected, members []string
		for id, h := range want.households {
			if c.holds(h) {
				expected = append(expected, id)
			}
		}
		set, err := s.Sets.Load(ctx, g.ID)
		require.NoError(t, err)
		for _, n := range set.List() {
			members = append(members, number[n])
		}
		slices.Sort(expected)
		slices.Sort(members)
		require.Greater(t, len(expected), 10, c.name)
		require.Less(t, len(expected), len(want.households)/2, c.name)
		require.Equal(t, expected, members, c.name)
		t.Logf("%-54s %5d of %d households, worked out in %v", c.name, len(members), len(want.households), took.Round(time.Millisecond))
	}
}

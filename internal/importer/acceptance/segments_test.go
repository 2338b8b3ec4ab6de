package acceptance_test

import (
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

// deed is an order or a refund of a customer, as the file has it.
type deed struct {
	at    time.Time
	nth   int // in the file
	paid  bool
	pence int64
}

// deedsOf reads the file with a plain loop, by the rules of the importer's
// documentation: it shares no code with what it is to check.
func deedsOf(t testing.TB, path string) map[string][]deed {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	r := csv.NewReader(z)
	_, err = r.Read()
	require.NoError(t, err)
	type key struct{ customer, invoice string }
	found := map[key]*deed{}
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		quantity, err := strconv.Atoi(row[3])
		require.NoError(t, err)
		price, err := strconv.ParseFloat(row[5], 64)
		require.NoError(t, err)
		refund := strings.HasPrefix(row[0], "C")
		if price < 0 || quantity == 0 || refund != (quantity < 0) || row[6] == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, row[4])
		require.NoError(t, err)
		k := key{row[6], row[0]}
		if found[k] == nil {
			found[k] = &deed{at: at, nth: len(found), paid: !refund}
		}
		found[k].pence += int64(math.Floor(math.Abs(float64(quantity))*price*100 + 0.5 + 1e-7))
	}
	out := map[string][]deed{}
	for k, d := range found {
		out[k.customer] = append(out[k.customer], *d)
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b deed) int { return a.at.Compare(b.at) })
	}
	return out
}

// Five segments that a marketer would want, out of a year of a real shop: whom
// they hold is whom a plain loop over the file finds.
func TestRetailSegments(t *testing.T) {
	path := retailFile(t)
	deeds := deedsOf(t, path)
	london, err := time.LoadLocation("Europe/London")
	require.NoError(t, err)
	now := time.Date(2011, 12, 10, 12, 0, 0, 0, london)
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, london) }
	count := func(list []deed, from, to time.Time) (n int, pence int64) {
		for _, d := range list {
			if d.paid && !d.at.Before(from) && d.at.Before(to) {
				n, pence = n+1, pence+d.pence
			}
		}
		return n, pence
	}
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		w := newWaterworks(t, d)
		w.importRetail(t, path)
		fixed := clock.NewFake(now)
		ids := testkit.IDs(clock.System{})
		zone := func(context.Context) *time.Location { return london }
		queue := jobs.NewService(jobs.Deps{DB: d, Clock: clock.System{}, IDs: ids, Log: testkit.Quiet(), Node: "segments", Poll: 10 * time.Millisecond})
		people := contact.NewService(contact.Deps{DB: d, Clock: fixed, IDs: ids, Log: testkit.Quiet(), Keys: testkit.Ring(), Timeline: w.store, Behaviours: w.store.(analytics.Behaviours), Zone: zone})
		s := audience.NewService(audience.Deps{DB: d, Clock: fixed, IDs: ids, Log: testkit.Quiet(), Keys: testkit.Ring(), Jobs: queue, Contacts: people, Zone: zone, Behaviours: w.store.(analytics.Behaviours)})
		people.FilterBy(audience.Field, s.Field())
		require.NoError(t, queue.Start(t.Context()))
		t.Cleanup(func() { require.NoError(t, queue.Stop(context.WithoutCancel(t.Context()))) })
		ctx := testkit.As(t.Context(), "admin")

		customer := map[int64]string{}
		rows, err := d.Query(ctx, "select contact, lookup from identities")
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var num int64
			var lookup string
			err = r.Scan(&num, &lookup)
			if _, ok := deeds[lookup]; ok {
				customer[num] = lookup
			}
			return x, err
		})
		require.NoError(t, err)
		require.NotEmpty(t, customer)

		var made []*audience.Segment
		for _, c := range []struct {
			name, rule string
			holds      func(list []deed) bool
		}{
			{"spent a thousand pounds and more", `{"v":1,"all":[{"field":"revenue","op":"gte","value":100000}]}`, func(list []deed) bool {
				net := int64(0)
				for _, d := range list {
					if d.paid {
						net += d.pence
					} else {
						net -= d.pence
					}
				}
				return net >= 100_000
			}},
			{"three orders in autumn", `{"v":1,"event":{"name":"order.paid","op":"gte","value":3,"within":{"from":"2011-09-01","to":"2011-11-30"}}}`, func(list []deed) bool {
				n, _ := count(list, day(2011, 9, 1), day(2011, 12, 1))
				return n >= 3
			}},
			{"regulars who stopped", `{"v":1,"habit":{"kind":"stopped","name":"order.paid","times":2,"active":180,"quiet":90}}`, func(list []deed) bool {
				quiet := day(2011, 12, 10-89)
				before, _ := count(list, quiet.AddDate(0, 0, -180), quiet)
				since, _ := count(list, quiet, day(2011, 12, 11))
				return before >= 2 && since == 0
			}},
			{"sent back within thirty days", `{"v":1,"sequence":{"steps":[{"name":"order.paid"},{"name":"order.refunded"}],"gap":{"n":30,"unit":"day"}}}`, func(list []deed) bool {
				for _, a := range list {
					for _, b := range list {
						gap := b.at.Sub(a.at)
						if later := gap > 0 || gap == 0 && b.nth > a.nth; a.paid && !b.paid && later && gap <= 30*24*time.Hour {
							return true
						}
					}
				}
				return false
			}},
			{"five hundred pounds in November", `{"v":1,"event":{"name":"order.paid","measure":"sum","property":"total","op":"gte","value":50000,"within":{"from":"2011-11-01","to":"2011-11-30"}}}`, func(list []deed) bool {
				_, pence := count(list, day(2011, 11, 1), day(2011, 12, 1))
				return pence >= 50_000
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
			var want []string
			for who, list := range deeds {
				if c.holds(list) {
					want = append(want, who)
				}
			}
			set, err := s.Sets.Load(ctx, g.ID)
			require.NoError(t, err)
			var got []string
			for _, n := range set.List() {
				got = append(got, customer[n])
			}
			slices.Sort(want)
			slices.Sort(got)
			require.NotEmpty(t, want)
			require.Less(t, len(want), len(deeds))
			require.Equal(t, want, got, c.name)
			t.Logf("%-34s %5d of %d people, worked out in %v", c.name, len(got), len(deeds), took.Round(time.Millisecond))
			made = append(made, g)
		}

		// How they lie on each other, and what is typical, counted by hand.
		o, err := s.Overlap(ctx, []string{made[0].ID, made[1].ID, made[4].ID})
		require.NoError(t, err)
		sets, err := s.Sets.LoadAll(ctx, made[0].ID, made[1].ID, made[4].ID)
		require.NoError(t, err)
		for _, area := range o.Areas {
			n := int64(0)
			for num := range customer {
				fits := true
				for _, id := range area.In {
					fits = fits && sets[id].Has(num)
				}
				for _, id := range area.Out {
					fits = fits && !sets[id].Has(num)
				}
				if fits {
					n++
				}
			}
			require.Equal(t, n, area.Count, fmt.Sprint(area.In))
		}
	}, append(realSets(), audience.Migrations())...)
}

package demo

import (
	"encoding/json"
	"hash/fnv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func options(t *testing.T, contacts int) Options {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	return Options{Seed: 1, Contacts: contacts, Days: 180, Zone: zone, End: time.Date(2026, 5, 20, 15, 0, 0, 0, zone)}
}

func fingerprint(t *testing.T, o Options) (sum uint64, calls, orders int) {
	t.Helper()
	h := fnv.New64a()
	for n := range o.Contacts {
		p := o.makePerson(n)
		l := o.live(p)
		calls, orders = calls+len(l.calls), orders+len(l.orders)
		b, err := json.Marshal([]any{p.Name, p.Phone, p.Tags, l.calls, len(l.orders)})
		require.NoError(t, err)
		_, err = h.Write(b)
		require.NoError(t, err)
	}
	return h.Sum64(), calls, orders
}

func TestSameSeedSamePond(t *testing.T) {
	o := options(t, 500)
	a, calls, orders := fingerprint(t, o)
	b, _, _ := fingerprint(t, o)
	require.Equal(t, a, b)
	require.Greater(t, calls, 500*6)
	require.Greater(t, orders, 200)
	o.Seed = 2
	c, _, _ := fingerprint(t, o)
	require.NotEqual(t, a, c)
	t.Logf("500 people: %d calls, %d orders", calls, orders)
}

func TestNothingHappensAfterTheEnd(t *testing.T) {
	o := options(t, 300)
	for n := range o.Contacts {
		l := o.live(o.makePerson(n))
		for _, c := range l.calls {
			at, err := time.Parse(time.RFC3339, c["timestamp"].(string))
			require.NoError(t, err)
			require.True(t, at.Before(o.End), "%v", c)
		}
		for _, or := range l.orders {
			require.True(t, or.At.Before(o.End))
		}
	}
}

func TestPlantedPatterns(t *testing.T) {
	o := options(t, 6000)
	type sum struct{ people, buyers, late int }
	by := map[string]*sum{}
	claimed, claimedBought := 0, 0
	for n := range o.Contacts {
		p := o.makePerson(n)
		l := o.live(p)
		s := by[p.Channel.ID]
		if s == nil {
			s = &sum{}
			by[p.Channel.ID] = s
		}
		if p.Joined.After(o.End.AddDate(0, 0, -70)) {
			continue // too young to compare
		}
		s.people++
		if len(l.orders) > 0 {
			s.buyers++
		}
		if l.last.After(p.Joined.AddDate(0, 0, 56)) {
			s.late++
		}
		for _, c := range l.calls {
			if props, ok := c["properties"].(call); ok && props["campaign"] == "会员日·桂花季" && c["event"] == "coupon.claimed" {
				claimed++
				for _, or := range l.orders {
					if or.Coupon == "会员日 满 199 减 50" {
						claimedBought++
						break
					}
				}
			}
		}
	}
	rate := func(id string) float64 { return float64(by[id].buyers) / float64(by[id].people) }
	stay := func(id string) float64 { return float64(by[id].late) / float64(by[id].people) }
	require.Greater(t, rate("offline"), 2*rate("short_video"))
	require.Greater(t, stay("referral"), 2*stay("short_video"))
	require.Greater(t, float64(claimedBought)/float64(claimed), .3)
	t.Logf("buyers: offline %.2f short_video %.2f; eight-week stay: referral %.2f short_video %.2f", rate("offline"), rate("short_video"), stay("referral"), stay("short_video"))
}

func TestTwinsDifferFromThemselves(t *testing.T) {
	o := options(t, 6000)
	n := 0
	for i := range o.Contacts {
		tw, ok := o.makeTwin(i)
		again, _ := o.makeTwin(i)
		require.Equal(t, tw, again, "the same seed makes the same twin")
		if !ok {
			continue
		}
		n++
		p := o.makePerson(i)
		require.NotEqual(t, p.Phone, tw.Phone, "the same number would be the same person at once")
		require.Len(t, tw.Phone, 11)
		require.True(t, tw.At.Before(o.End))
	}
	require.InDelta(t, o.Contacts/twinShare, n, float64(o.Contacts)/100)
}

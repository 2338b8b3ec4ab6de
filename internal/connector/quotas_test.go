package connector_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/contract"
)

// taken takes n of a quota and gives until when there is none, "" when there was.
func taken(p *pond, name, subject string, n int64) string {
	p.t.Helper()
	err := p.conn().Quota(p.ctx, name, subject, n)
	if err == nil {
		return ""
	}
	var later *connector.Later
	require.True(p.t, errors.As(err, &later), "%v", err)
	return later.Until.UTC().Format("01-02 15:04")
}

func TestQuotasOfADay(t *testing.T) {
	each(t, func(t *testing.T, p *pond) { // it is 16:00 in Shanghai
		for range 3 {
			require.Empty(t, taken(p, "daily", "", 1))
		}
		require.Equal(t, "03-02 16:00", taken(p, "daily", "", 1), "midnight in China")
		q := use(t, p, "daily")
		require.EqualValues(t, []int64{3, 3}, []int64{q.Used, q.Limit}, "what was refused does not count")
		p.clock.Advance(8 * time.Hour)
		require.Empty(t, taken(p, "daily", "", 3))
		require.Empty(t, taken(p, "nameless", "", 1000), "what we know no limit of has none")
	})
}

func use(t *testing.T, p *pond, name string) connector.QuotaUse {
	t.Helper()
	for _, q := range p.view().Quotas {
		if q.Name == name {
			return q
		}
	}
	t.Fatal("no quota " + name)
	return connector.QuotaUse{}
}

// A stretch that ends now has no midnight at which all is forgotten.
func TestQuotasOfTheLastHours(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		require.Empty(t, taken(p, "message", "c1", 1))
		p.clock.Advance(40 * time.Hour)
		require.Empty(t, taken(p, "message", "c1", 1))
		require.NotEmpty(t, taken(p, "message", "c1", 1))
		require.Empty(t, taken(p, "message", "c2", 2), "each has their own")
		require.EqualValues(t, 2, use(t, p, "message").Full)
		p.clock.Advance(7 * time.Hour)
		require.NotEmpty(t, taken(p, "message", "c1", 1), "47 hours after the first")
		p.clock.Advance(4 * time.Hour)
		require.Empty(t, taken(p, "message", "c1", 1), "the first counts no more, the second does")
		require.NotEmpty(t, taken(p, "message", "c1", 1))
	})
}

// Large quotas are taken ahead: two nodes never take more than there is.
func TestQuotasAreNeverOverdrawn(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		in := p.input()
		in.Settings["quota.api.minute"] = "1000"
		_, err := p.Change(p.ctx, p.account.ID, in)
		require.NoError(t, err)
		other := p.service(p.DB, "b")
		var got, refused atomic.Int64
		var wait sync.WaitGroup
		for i := range 8 {
			s := p.Service
			if i%2 == 1 {
				s = other
			}
			conn, err := s.Conn(p.ctx, p.account.ID)
			require.NoError(t, err)
			wait.Go(func() {
				for range 200 {
					if conn.(*contract.FakeConn).Quota(p.ctx, "api", "", 1) == nil {
						got.Add(1)
					} else {
						refused.Add(1)
					}
				}
			})
		}
		wait.Wait()
		require.EqualValues(t, 1600, got.Load()+refused.Load())
		require.LessOrEqual(t, got.Load(), int64(1000))
		require.GreaterOrEqual(t, got.Load(), int64(990), "and nearly all of it")
		require.LessOrEqual(t, use(t, p, "api").Used, int64(1000))
		p.clock.Advance(time.Minute)
		require.Empty(t, taken(p, "api", "", 1), "a new minute")
	})
}

func TestThePlatformSaysThatItIsSpent(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		require.Empty(t, taken(p, "api", "", 1))
		require.NoError(t, p.conn().Spent(p.ctx, "api", "", p.clock.Now().Add(time.Hour)))
		require.Equal(t, "03-02 09:00", taken(p, "api", "", 1))
		require.NoError(t, p.conn().Spent(p.ctx, "nameless", "", p.clock.Now().Add(time.Hour)))
		require.Equal(t, "03-02 09:00", taken(p, "nameless", "", 1), "also of what we know no limit")
		require.NotNil(t, use(t, p, "api").Halted)
		p.clock.Advance(time.Hour)
		require.Empty(t, taken(p, "api", "", 1))
	})
}

func TestQuotasAreShownNearTheirEnd(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		require.Empty(t, taken(p, "daily", "", 3))
		var found bool
		for _, f := range p.view().Findings {
			found = found || f.Code == "connector.quota_empty" && fmt.Sprint(f.Params["used"]) == "3"
		}
		require.True(t, found)
	})
}

// The table of quotas is data that people edit: it must stay readable.
func TestQuotaTable(t *testing.T) {
	for _, kind := range []string{"wecom", "wechat", "miniprogram"} {
		list := connector.QuotasOf(kind)
		require.NotEmpty(t, list, kind)
		seen := map[string]bool{}
		for _, q := range list {
			require.Positive(t, q.Most, "%+v", q)
			require.NotEmpty(t, q.Of)
			require.NotEmpty(t, q.Note)
			require.False(t, seen[q.Name+q.Per], "%+v is there twice", q)
			seen[q.Name+q.Per] = true
		}
	}
	require.Empty(t, connector.QuotasOf("none"))
}

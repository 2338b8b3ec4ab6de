package contact

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func as(t *testing.T, role string) context.Context {
	return auth.With(t.Context(), testkit.Principal(role))
}

// Whoever sees numbers masked leaves a trail when they find somebody by a whole
// one, and the profile says who looked.
func TestLooksLeaveATrail(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		p := newPond(t, d)
		log, err := audit.New(audit.Deps{DB: d, Clock: p.clock, Log: testkit.Quiet(), Key: make([]byte, 32)})
		require.NoError(t, err)
		p.Service.Audit = log
		c, err := p.Create(p.ctx, NewContact{Name: "王小明", Phone: "13800138000", Email: "wang@qq.com"})
		require.NoError(t, err)

		growth := as(t, "growth") // sees masks
		for range 3 {             // pages of one list: once
			rows, err := p.Search(growth, "138 0013 8000", 5)
			require.NoError(t, err)
			require.Len(t, rows, 1)
		}
		_, err = p.Search(growth, "13900139000", 5)
		require.NoError(t, err)
		_, err = p.Search(growth, "王", 5)
		require.NoError(t, err)
		_, err = p.Search(as(t, "service"), "13800138000", 5) // may see it in full anyway
		require.NoError(t, err)
		entries, err := log.List(p.ctx, audit.Filter{Action: actionLookedUp, Limit: 10})
		require.NoError(t, err)
		require.Len(t, entries, 2)
		require.Equal(t, "", entries[0].Object.ID, "a number that nobody has is on record too")
		require.Equal(t, c.ID, entries[1].Object.ID)
		require.Contains(t, string(entries[1].Detail), "138****8000")
		require.NotContains(t, string(entries[1].Detail), "13800138000")
		p.clock.Advance(2 * time.Minute)
		_, err = p.Search(growth, "13800138000", 5)
		require.NoError(t, err)

		p.clock.Advance(time.Minute)
		_, err = p.Unmask(as(t, "service"), c.ID, "email", "回信")
		require.NoError(t, err)
		looks, err := p.Looks(growth, c.ID)
		require.NoError(t, err)
		require.Len(t, looks, 3)
		require.Equal(t, Look{At: p.clock.Now(), By: Ref{"us_service", "service"}, Kind: "unmasked", Field: "email", Reason: "回信"}, looks[0])
		require.Equal(t, []string{"looked_up", "phone", "growth"}, []string{looks[1].Kind, looks[1].Field, looks[1].By.Name})

		_, err = p.Looks(growth, "ct_none")
		require.Error(t, err)
	}, audit.Migrations(), Migrations())
}

func TestShowByPrincipal(t *testing.T) {
	require.Equal(t, "138****8000", Show(testkit.Principal("growth"), KindPhone, "+8613800138000"))
	require.Equal(t, "+8613800138000", Show(testkit.Principal("service"), KindPhone, "+8613800138000"))
	require.Equal(t, "138****8000", Show(nil, KindPhone, "+8613800138000"))
	require.Equal(t, "13****00", Mask(KindUserID, "13800138000"), "a user id that is a phone number")
	require.Equal(t, "u-1", Mask(KindUserID, "u-1"))
}

// Identities that look personal lie under their blind index; those that an
// older program kept in clear are brought under it once.
func TestIdentitiesThatLookPersonal(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		ctx := p.ctx
		c, err := p.Create(ctx, NewContact{Name: "王", ExternalID: "x-1"})
		require.NoError(t, err)
		num, err := p.NumOf(ctx, c.ID)
		require.NoError(t, err)
		_, err = p.DB.Exec(ctx, "insert into identities (kind, lookup, contact, first_seen, last_seen) values ('user_id', '13800138000', $1, 1, 1)", num)
		require.NoError(t, err)
		for range 2 {
			require.NoError(t, p.SealIdentities(ctx))
		}
		var n int
		require.NoError(t, p.DB.QueryRow(ctx, "select count(*) from identities where lookup = '13800138000'").Scan(&n))
		require.Zero(t, n)
		require.NoError(t, p.DB.QueryRow(ctx, "select count(*) from identities where lookup = 'x-1' and value_enc = ''").Scan(&n))
		require.Equal(t, 1, n, "others stay as they are")
		rows, err := p.Search(ctx, "13800138000", 5)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		full, err := p.Get(ctx, c.ID)
		require.NoError(t, err)
		for _, i := range full.Identities {
			if i.Kind == KindUserID {
				require.True(t, i.Masked)
				require.NotEqual(t, "13800138000", i.Value)
				value, err := p.Unmask(ctx, c.ID, i.ID, "test")
				require.NoError(t, err)
				require.Equal(t, "13800138000", value)
			}
		}
	})
}

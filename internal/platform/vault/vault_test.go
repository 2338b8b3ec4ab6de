package vault_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/platform/vault"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

type node struct {
	*vault.Keeper
	ring *secret.Ring
	src  secret.Source
}

func newNode(t *testing.T, d *db.DB, c clock.Clock, name, dir string) *node {
	t.Helper()
	src := secret.Source{Dir: dir}
	ring, err := secret.Load(src)
	require.NoError(t, err)
	return &node{vault.New(vault.Deps{DB: d, Ring: ring, From: src, Clock: c, Log: testkit.Logger(t), Node: name}), ring, src}
}

// copyKeys brings the key file of one node to another, as an operator does.
func copyKeys(t *testing.T, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(secret.FilePath(from))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(secret.FilePath(to), raw, 0o600))
}

// No node seals with a key that another one cannot open.
func TestNodesMoveTogether(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		c := clock.NewFake(start)
		dirA, dirB := t.TempDir(), t.TempDir()
		a := newNode(t, d, c, "a", dirA)
		copyKeys(t, dirA, dirB)
		b := newNode(t, d, c, "b", dirB)
		first := a.ring.KeyID()
		require.NoError(t, a.Look(t.Context()))
		require.NoError(t, b.Look(t.Context()))
		require.Equal(t, first, b.ring.KeyID())

		id, err := secret.Rotate(secret.FilePath(dirA))
		require.NoError(t, err)
		for range 3 {
			c.Advance(5 * time.Second)
			require.NoError(t, b.Look(t.Context()))
			require.NoError(t, a.Look(t.Context()))
			require.Equal(t, []string{first, id}, a.ring.KeyIDs())
			require.Equal(t, first, a.ring.KeyID(), "b cannot open what the new key seals")
		}
		copyKeys(t, dirA, dirB)
		require.NoError(t, b.Look(t.Context()))
		require.Equal(t, id, b.ring.KeyID(), "all have it: it seals")
		sealed, err := b.ring.Seal("f", "v")
		require.NoError(t, err)
		_, err = a.ring.Open("f", sealed)
		require.NoError(t, err)
		require.NoError(t, a.Look(t.Context()))
		require.Equal(t, id, a.ring.KeyID())

		// A node that is gone holds nobody up; one that comes back without the key is refused.
		second, err := secret.Rotate(secret.FilePath(dirA))
		require.NoError(t, err)
		c.Advance(time.Minute)
		require.NoError(t, a.Look(t.Context()))
		require.Equal(t, second, a.ring.KeyID())
		again := newNode(t, d, c, "b", dirB)
		require.ErrorContains(t, again.Start(t.Context()), "lacks the key "+second)
		copyKeys(t, dirA, dirB)
		again = newNode(t, d, c, "b", dirB)
		require.NoError(t, again.Start(t.Context()))
		require.Equal(t, second, again.ring.KeyID())
		require.NoError(t, again.Stop(t.Context()))
		require.NoError(t, again.Stop(t.Context()))
	}, vault.Migrations())
}

func TestColumnsAreSealedAnew(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		_, err := d.Exec(ctx, "create table things (kind text not null, n bigint not null, body text not null, primary key (kind, n))")
		require.NoError(t, err)
		_, err = d.Exec(ctx, "create table packs (id text not null primary key, body "+d.Pick("blob", "bytea")+" not null)")
		require.NoError(t, err)
		old := bytes.Repeat([]byte{1}, secret.KeySize)
		before, err := secret.NewRing(old)
		require.NoError(t, err)
		after, err := secret.NewRing(old, bytes.Repeat([]byte{2}, secret.KeySize))
		require.NoError(t, err)
		want := map[string]string{}
		put := func(kind string, n int, body, plain string) {
			_, err := d.Exec(ctx, "insert into things (kind, n, body) values ($1, $2, $3)", kind, n, body)
			require.NoError(t, err)
			want[fmt.Sprint(kind, n)] = plain
		}
		for n := range 25 {
			for _, kind := range []string{"a", "b"} {
				plain := fmt.Sprint("value ", n)
				ring := before
				if n%5 == 0 {
					ring = after
				}
				text, err := ring.Seal("things."+kind, plain)
				require.NoError(t, err)
				put(kind, n, text, plain)
			}
		}
		put("c", 1, "still clear", "still clear")
		put("c", 2, "", "")
		packed, err := before.SealBytes(nil, "packs", []byte("rows"))
		require.NoError(t, err)
		_, err = d.Exec(ctx, "insert into packs (id, body) values ('1', $1), ('2', $2)", packed, []byte{0x1f, 0x8b, 8})
		require.NoError(t, err)

		things := vault.Column{Table: "things", Key: "kind n:n", Column: "body", FieldOf: func(kind string) string { return "things." + kind }, Clear: true}.Source(d, after)
		packs := vault.Column{Table: "packs", Key: "id", Column: "body", Field: "packs", Bytes: true, Clear: true}.Source(d, after)
		under, err := things.Under(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string]int64{before.KeyID(): 40, after.KeyID(): 10, "": 1}, under)
		under, err = packs.Under(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string]int64{before.KeyID(): 1, "": 1}, under)

		for _, s := range []vault.Source{things, packs} {
			changed, after := 0, ""
			for steps := 0; ; steps++ {
				next, _, n, err := s.Reseal(ctx, after, 7)
				require.NoError(t, err)
				changed += n
				if after = next; next == "" {
					break
				}
				require.Less(t, steps, 20)
			}
			require.Equal(t, map[string]int{"things.body": 41, "packs.body": 2}[s.Name()], changed)
		}
		under, err = things.Under(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string]int64{after.KeyID(): 51}, under)
		under, err = packs.Under(ctx)
		require.NoError(t, err)
		require.Equal(t, map[string]int64{after.KeyID(): 2}, under)
		rows, err := d.Query(ctx, "select kind, n, body from things")
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			var kind, body string
			var n int
			require.NoError(t, rows.Scan(&kind, &n, &body))
			plain, err := after.OpenOrClear("things."+kind, body)
			require.NoError(t, err)
			require.Equal(t, want[fmt.Sprint(kind, n)], plain)
		}
		require.NoError(t, rows.Err())
	})
}

// What somebody writes between reading and sealing anew is not lost.
func TestOthersWin(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		_, err := d.Exec(ctx, "create table things (id text not null primary key, body text not null)")
		require.NoError(t, err)
		_, err = d.Exec(ctx, "insert into things (id, body) values ('1', 'clear')")
		require.NoError(t, err)
		ring := testkit.Ring()
		s := vault.Column{Table: "things", Key: "id", Column: "body", Field: "f", Clear: true, Lock: func(ctx context.Context) error {
			_, err := d.Exec(ctx, "update things set body = 'newer'") // as if it had happened just before
			return err
		}}.Source(d, ring)
		_, seen, changed, err := s.Reseal(ctx, "", 10)
		require.NoError(t, err)
		require.Equal(t, []int{1, 0}, []int{seen, changed})
		var body string
		require.NoError(t, d.QueryRow(ctx, "select body from things").Scan(&body))
		require.Equal(t, "newer", body)
	})
}

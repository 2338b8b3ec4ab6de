package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
)

var key = bytes.Repeat([]byte("k"), 32)

func open(t testing.TB, d *db.DB, clk clock.Clock, anchor string) *audit.Service {
	t.Helper()
	s, err := audit.New(audit.Deps{DB: d, Clock: clk, Log: testkit.Logger(t), Key: key, Anchor: anchor})
	require.NoError(t, err)
	return s
}

func record(t testing.TB, s *audit.Service, n int) {
	t.Helper()
	ctx := testkit.As(t.Context(), "admin")
	for i := range n {
		require.NoError(t, s.Record(ctx, "user.created", audit.Object{Type: "user", ID: fmt.Sprint("us_", i), Name: "林小雨"}, map[string]any{"role": "growth", "n": i}))
	}
}

func verify(t testing.TB, s *audit.Service) audit.Report {
	t.Helper()
	r, err := s.Verify(t.Context())
	require.NoError(t, err)
	require.Equal(t, r.Fault == "", r.OK)
	return r
}

func each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	testkit.EachDatabase(t, fn, audit.Migrations())
}

func TestRecordKeepsWhoWhatAndWhen(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		clk := testkit.Clock()
		s := open(t, d, clk, "")
		require.True(t, verify(t, s).OK, "an empty log is sound")
		record(t, s, 1)
		clk.Advance(-time.Hour) // the clock is set back: the log's time is not
		require.NoError(t, s.Record(t.Context(), "job.started", audit.Object{Type: "job", ID: "jb\x00_1", Name: "\xff坏"}, nil))
		require.NoError(t, s.Record(auth.With(t.Context(), auth.CLI("root")), "token.created", audit.Object{Type: "token"}, nil))

		got, err := s.List(t.Context(), audit.Filter{Limit: 10})
		require.NoError(t, err)
		require.Len(t, got, 3)
		require.Equal(t, audit.Actor{ID: "cli", Name: "root", Kind: "cli"}, got[0].Actor)
		require.Equal(t, audit.Actor{ID: "system", Name: "system", Kind: "system"}, got[1].Actor)
		require.Equal(t, audit.Object{Type: "job", ID: "jb_1", Name: "\uFFFD坏"}, got[1].Object)
		require.Equal(t, audit.Actor{ID: "us_admin", Name: "admin", Kind: "user"}, got[2].Actor)
		require.JSONEq(t, `{"role":"growth","n":0}`, string(got[2].Detail))
		require.Equal(t, got[2].Hash, got[1].Prev)
		require.Empty(t, got[2].Prev)
		require.False(t, got[1].At.Before(got[2].At))
		r := verify(t, s)
		require.True(t, r.OK)
		require.EqualValues(t, 3, r.Checked)
		require.Equal(t, got[0].Hash, r.Head)
	})
}

func TestRecordCommitsWithItsTransaction(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, testkit.Clock(), filepath.Join(t.TempDir(), "anchor"))
		record(t, s, 2)
		boom := errors.New("boom")
		err := d.Tx(t.Context(), func(ctx context.Context) error {
			for range 3 {
				if err := s.Record(ctx, "user.updated", audit.Object{}, nil); err != nil {
					return err
				}
			}
			return boom
		})
		require.ErrorIs(t, err, boom)
		record(t, s, 1)
		r := verify(t, s)
		require.True(t, r.OK, "%+v", r)
		require.EqualValues(t, 3, r.Checked, "numbers stay dense after a roll-back")
	})
}

func TestRecordRefusesHugeDetail(t *testing.T) {
	s := open(t, testkit.SQLite(t, audit.Migrations()), testkit.Clock(), "")
	require.Error(t, s.Record(t.Context(), "x.y", audit.Object{}, map[string]any{"a": string(make([]byte, 20000))}))
	require.Error(t, s.Record(t.Context(), "x.y", audit.Object{}, map[string]any{"a": make(chan int)}))
	_, err := audit.New(audit.Deps{Key: []byte("short")})
	require.Error(t, err)
}

func TestConcurrentWritersNeverFork(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		clk := testkit.Clock()
		two := []*audit.Service{open(t, d, clk, ""), open(t, d, clk, "")} // as two nodes on one database
		const writers, each = 8, 15
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for range each {
					if err := two[w%2].Record(t.Context(), "user.updated", audit.Object{ID: fmt.Sprint(w)}, nil); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for _, s := range two {
			r := verify(t, s)
			require.True(t, r.OK, "%+v", r)
			require.EqualValues(t, writers*each, r.Checked)
		}
	})
}

// Whoever can write SQL, but does not have the key, cannot hide what they did.
func TestTamperingIsFound(t *testing.T) {
	cases := []struct {
		name  string
		sql   []string
		first int64
		fault audit.Fault
	}{
		{"actor changed", []string{"update audit_log set actor_name = 'nobody' where seq = 1203"}, 1203, audit.Edited},
		{"time changed", []string{"update audit_log set at = at - 1 where seq = 1"}, 1, audit.Edited},
		{"detail changed", []string{"update audit_log set detail = '{}' where seq = 2500"}, 2500, audit.Edited},
		{"text moved between fields", []string{"update audit_log set object_id = '', object_name = object_id where seq = 7"}, 7, audit.Edited},
		{"seal changed", []string{"update audit_log set seal = '' where seq = 9"}, 9, audit.Edited},
		{"deleted in the middle", []string{"delete from audit_log where seq = 1000"}, 1000, audit.Missing},
		{"deleted and renumbered", []string{"delete from audit_log where seq = 2400", "update audit_log set seq = seq - 100000 where seq > 2400",
			"update audit_log set seq = seq + 99999 where seq < 0", "update audit_head set seq = seq - 1"}, 2400, audit.Edited},
		{"first deleted", []string{"delete from audit_log where seq = 1"}, 1, audit.Missing},
		{"end cut off", []string{"delete from audit_log where seq > 2490"}, 2491, audit.Cut},
		{"end cut off and head moved", []string{"delete from audit_log where seq > 2490",
			"update audit_head set seq = 2490, hash = (select hash from audit_log where seq = 2490)"}, 2491, audit.Rolled},
		{"all deleted", []string{"delete from audit_log"}, 1, audit.Cut},
		{"all deleted, head made new", []string{"delete from audit_log", "update audit_head set seq = 0, hash = '', seal = ''"}, 1, audit.Rolled},
		{"head deleted", []string{"delete from audit_head"}, 1, audit.Inserted},
		{"forged at the end", []string{`insert into audit_log select 2501, at, actor_id, actor_name, actor_kind, action, object_type, object_id,
			object_name, detail, ip, request_id, prev, hash, seal from audit_log where seq = 2500`}, 2501, audit.Edited},
		{"forged at zero", []string{`insert into audit_log select 0, at, actor_id, actor_name, actor_kind, action, object_type, object_id,
			object_name, detail, ip, request_id, prev, hash, seal from audit_log where seq = 5`}, 1, audit.Inserted},
		{"head's seal taken from an entry", []string{"update audit_head set seal = (select seal from audit_log where seq = 2500)"}, 2500, audit.Sealing},
	}
	each(t, func(t *testing.T, d *db.DB) {
		clk := testkit.Clock()
		s := open(t, d, clk, "")
		require.NoError(t, d.Tx(t.Context(), func(ctx context.Context) error {
			for i := range 2500 {
				if err := s.Record(ctx, "user.updated", audit.Object{Type: "user", ID: fmt.Sprint(i)}, map[string]any{"n": i}); err != nil {
					return err
				}
			}
			return nil
		}))
		require.True(t, verify(t, s).OK)
		undo := errors.New("undo")
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				err := d.Tx(t.Context(), func(ctx context.Context) error {
					for _, q := range c.sql {
						n, err := d.ExecN(ctx, q)
						require.NoError(t, err, q)
						require.NotZero(t, n, q)
					}
					r, err := s.Verify(ctx)
					require.NoError(t, err)
					require.False(t, r.OK)
					require.Equal(t, c.first, r.FirstBad)
					require.Equal(t, c.fault, r.Fault)
					return undo
				})
				require.ErrorIs(t, err, undo)
			})
		}
		require.True(t, verify(t, s).OK)
	})
}

// A whole new chain, made by someone who knows the program but not the key.
func TestNewChainWithoutTheKeyIsFound(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		clk := testkit.Clock()
		forger, err := audit.New(audit.Deps{DB: d, Clock: clk, Log: testkit.Quiet(), Key: bytes.Repeat([]byte("x"), 32)})
		require.NoError(t, err)
		record(t, forger, 5)
		require.True(t, verify(t, forger).OK)
		r := verify(t, open(t, d, clk, ""))
		require.False(t, r.OK)
		require.EqualValues(t, 1, r.FirstBad)
	})
}

// Entries written after a break do not make it look sound.
func TestWritingOnDoesNotLaunder(t *testing.T) {
	for name, tamper := range map[string][]string{
		"head moved": {"delete from audit_log where seq > 8", "update audit_head set seq = 8, hash = (select hash from audit_log where seq = 8)"},
		"head gone":  {"delete from audit_log where seq > 8", "delete from audit_head"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, d *db.DB) {
				clk := testkit.Clock()
				record(t, open(t, d, clk, ""), 10)
				for _, q := range tamper {
					_, err := d.Exec(t.Context(), q)
					require.NoError(t, err)
				}
				again := open(t, d, clk, "") // a new process, without memory
				record(t, again, 5)
				require.False(t, verify(t, again).OK)

				require.NoError(t, again.Accept(t.Context(), "disk was restored by hand"))
				record(t, again, 2)
				last, err := again.List(t.Context(), audit.Filter{Action: "audit.break_accepted", Limit: 5})
				require.NoError(t, err)
				require.Len(t, last, 1)
				require.Contains(t, string(last[0].Detail), "disk was restored by hand")
			})
		})
	}
}

// An older state of both tables is whole in itself; the anchor file knows better.
func TestAnchorRemembersTheEndAcrossRestarts(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		clk := testkit.Clock()
		file := filepath.Join(t.TempDir(), "audit.anchor")
		s := open(t, d, clk, file)
		record(t, s, 5)
		var seq int64
		var hash, seal string
		require.NoError(t, d.QueryRow(t.Context(), "select seq, hash, seal from audit_head").Scan(&seq, &hash, &seal))
		clk.Advance(time.Minute)
		record(t, s, 3)
		require.NoError(t, s.Close())

		_, err := d.Exec(t.Context(), "delete from audit_log where seq > $1", seq)
		require.NoError(t, err)
		_, err = d.Exec(t.Context(), "update audit_head set seq = $1, hash = $2, seal = $3", seq, hash, seal)
		require.NoError(t, err)
		require.True(t, verify(t, open(t, d, clk, "")).OK, "the database alone cannot tell")

		s = open(t, d, clk, file)
		r := verify(t, s)
		require.Equal(t, audit.Rolled, r.Fault)
		require.EqualValues(t, 6, r.FirstBad)
		record(t, s, 6) // the numbers pass the anchor's
		require.False(t, verify(t, open(t, d, clk, file)).OK)

		require.NoError(t, s.Accept(t.Context(), "restored"))
		record(t, s, 1)
		require.NoError(t, s.Close())
		require.True(t, verify(t, open(t, d, clk, file)).OK)

		require.NoError(t, os.WriteFile(file, []byte(`{"seq":1,"hash":"","seal":""}`), 0o600))
		_, err = audit.New(audit.Deps{DB: d, Clock: clk, Key: key, Anchor: file, Log: testkit.Quiet()})
		require.ErrorContains(t, err, "not written with this key")
	})
}

func TestListPagesAndFilters(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		clk := testkit.Clock()
		start := clk.Now()
		s := open(t, d, clk, "")
		for i := range 30 {
			ctx := testkit.As(t.Context(), []string{"admin", "growth", "service"}[i%3])
			action := []string{"user.created", "user.updated", "contact.unmasked"}[i%3]
			require.NoError(t, s.Record(ctx, action, audit.Object{Type: "t", ID: fmt.Sprint(i % 5)}, nil))
			clk.Advance(time.Minute)
		}
		seqs := func(f audit.Filter) (out []int64) {
			f.Limit = 7
			for {
				page, err := s.List(t.Context(), f)
				require.NoError(t, err)
				for _, e := range page {
					out = append(out, e.Seq)
				}
				if len(page) < 7 {
					return out
				}
				f.Before = page[6].Seq
			}
		}
		require.Len(t, seqs(audit.Filter{}), 30)
		require.Equal(t, int64(30), seqs(audit.Filter{})[0])
		require.Len(t, seqs(audit.Filter{ActorID: "us_growth"}), 10)
		require.Len(t, seqs(audit.Filter{Action: "user."}), 20)
		require.Len(t, seqs(audit.Filter{Action: "contact.unmasked"}), 10)
		require.Len(t, seqs(audit.Filter{ObjectType: "t", ObjectID: "3"}), 6)
		require.Equal(t, []int64{13, 12, 11}, seqs(audit.Filter{From: start.Add(10 * time.Minute), To: start.Add(13 * time.Minute)}))
		require.Empty(t, seqs(audit.Filter{From: start.Add(time.Hour)}))
		require.Len(t, seqs(audit.Filter{To: start.Add(time.Hour)}), 30)
	})
}

type asAdmin struct{}

func (asAdmin) Authenticate(*http.Request) (*auth.Principal, error) {
	return testkit.Principal("admin"), nil
}

func TestRoutes(t *testing.T) {
	d := testkit.SQLite(t, audit.Migrations())
	s := open(t, d, testkit.Clock(), "")
	cat, err := i18n.Load(testkit.Logger(t))
	require.NoError(t, err)
	api := httpx.New(http.NewServeMux(), httpx.Config{Auth: asAdmin{}, Log: testkit.Logger(t), Catalogue: cat, Clock: testkit.Clock()})
	s.Routes(api)
	call := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("X-Request-Id", "req-12345678")
		r.RemoteAddr = "203.0.113.9:4000"
		api.Handler().ServeHTTP(w, r)
		return w
	}
	require.JSONEq(t, `{"items":[]}`, call("GET", "/api/audit").Body.String())
	require.JSONEq(t, `{"ok":true,"checked":0,"head":""}`, call("POST", "/api/audit/verify").Body.String())
	for range 2 {
		require.Equal(t, 200, call("POST", "/api/audit/verify").Code)
	}
	body := call("GET", "/api/audit?limit=2").Body.String()
	require.Contains(t, body, `"seq":3`)
	require.Contains(t, body, `"detail":{"checked":2,"ok":true}`)
	require.Contains(t, body, `"ip":"203.0.113.9","requestId":"req-12345678"`)
	require.Contains(t, body, `"next":"`)
	require.Equal(t, 400, call("GET", "/api/audit?cursor=%21").Code)
}

func BenchmarkRecordInBatches(b *testing.B) {
	d := testkit.SQLite(b, audit.Migrations())
	s, err := audit.New(audit.Deps{DB: d, Clock: clock.System{}, Log: testkit.Quiet(), Key: key})
	require.NoError(b, err)
	for b.Loop() { // one operation is a batch of 500
		require.NoError(b, d.Tx(b.Context(), func(ctx context.Context) error {
			for range 500 {
				if err := s.Record(ctx, "contact.unmasked", audit.Object{Type: "contact", ID: "ct_1"}, map[string]any{"field": "phone"}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	b.ReportMetric(float64(b.N*500)/b.Elapsed().Seconds(), "entries/s")
}

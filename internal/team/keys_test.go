package team_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/team"
)

var noTime time.Time

func TestTokens(t *testing.T) {
	each(t, func(w *world) {
		admin := w.in(adminEmail, adminPassword)
		expires := w.clk.Now().Add(time.Hour)
		r := w.do(call{method: "POST", path: "/api/tokens", cookie: admin, body: fmt.Sprintf(`{"name":"报表","role":"analyst","expiresAt":%q}`, expires.Format(time.RFC3339))})
		require.Equal(w, 200, r.Code, r.Body.String())
		secret := r.json["secret"].(string)
		tok := r.json["token"].(map[string]any)
		require.True(w, strings.HasPrefix(secret, "koi_"))
		require.Equal(w, secret[:10], tok["prefix"])
		require.Equal(w, "林admin", tok["createdBy"].(map[string]any)["name"])
		require.NotContains(w, tok, "lastUsedAt")
		require.NotContains(w, tok, "revokedAt")

		with := func(path string) reply { return w.do(call{method: "GET", path: path, bearer: secret}) }
		require.Equal(w, 403, with("/api/users").Code, "an analyst may not")
		require.Equal(w, 403, with("/api/session").Code, "a token has no self")
		require.NoError(w, w.Flush(w.Context()))
		list := w.do(call{method: "GET", path: "/api/tokens", cookie: admin})
		require.Contains(w, list.Body.String(), `"lastUsedAt":"2026-03-02T08:00:00.000Z"`)
		require.NotContains(w, list.Body.String(), secret)

		w.clk.Set(expires.Add(-time.Millisecond))
		require.Equal(w, 403, with("/api/users").Code)
		w.clk.Set(expires)
		require.Equal(w, "token.invalid", with("/api/users").code(), "expired to the millisecond")

		k, lasting, err := w.CreateToken(w.cli, "长期", "admin", noTime)
		require.NoError(w, err)
		use := func() int { return w.do(call{method: "GET", path: "/api/users", bearer: lasting}).Code }
		require.Equal(w, 200, use())
		require.Equal(w, 204, w.do(call{method: "DELETE", path: "/api/tokens/" + k.ID, cookie: admin}).Code)
		require.Equal(w, 401, use(), "revoked at once")
		n := len(w.actions())
		require.Equal(w, 204, w.do(call{method: "DELETE", path: "/api/tokens/" + k.ID, cookie: admin}).Code)
		require.Len(w, w.actions(), n, "a second time changes nothing")
		require.Equal(w, 404, w.do(call{method: "DELETE", path: "/api/tokens/tk_none", cookie: admin}).Code)
		_, _, err = w.CreateToken(w.cli, "x", "admin", w.clk.Now())
		requireField(w, err, "expiresAt", "token.expiry_past")
		_, _, err = w.CreateToken(w.cli, "x", "emperor", noTime)
		requireField(w, err, "role", "role.not_found")
		require.Equal(w, map[string]string{k.ID: "长期"}, w.Names(w.Context(), []string{k.ID}))
	})
}

// Requests with an Authorization header are let through from other sites; so
// none of them may come in by the cookie.
func TestAuthorizationHeaderNeverFallsBackToTheCookie(t *testing.T) {
	each(t, func(w *world) {
		admin := w.in(adminEmail, adminPassword)
		for _, h := range []string{"Basic eDp5", "Bearer", "Bearer ", "Bearer nonsense", "Bearer " + admin, "x"} {
			r := w.do(call{method: "GET", path: "/api/session", cookie: admin, header: map[string]string{"Authorization": h}})
			require.Equal(w, 401, r.Code, h)
		}
		_, key, err := w.CreateWriteKey(w.cli, "网站", "")
		require.NoError(w, err)
		require.Equal(w, 401, w.do(call{method: "GET", path: "/api/users", bearer: key}).Code, "a write key opens nothing here")
	})
}

func TestWriteKeys(t *testing.T) {
	each(t, func(w *world) {
		admin := w.in(adminEmail, adminPassword)
		r := w.do(call{method: "POST", path: "/api/write-keys", cookie: admin, body: `{"name":"官网","source":"website"}`})
		require.Equal(w, 200, r.Code, r.Body.String())
		secret := r.json["secret"].(string)
		key := r.json["key"].(map[string]any)
		require.True(w, strings.HasPrefix(secret, "wk_"))
		require.Equal(w, secret[:9], key["prefix"])

		got, ok := lookup(w.Context(), w, secret)
		require.True(w, ok)
		require.Equal(w, []string{key["id"].(string), "官网", "website"}, []string{got.ID, got.Name, got.Source})
		unnamed, _, err := w.CreateWriteKey(w.cli, "小程序", "")
		require.NoError(w, err)
		require.Equal(w, "小程序", unnamed.Source)
		for _, bad := range []string{"", "wk_", secret + "x", strings.ToUpper(secret), "wk_" + strings.Repeat("A", 43)} {
			_, ok := lookup(w.Context(), w, bad)
			require.False(w, ok, bad)
			_, err := w.LookupKey(w.Context(), bad)
			require.ErrorIs(w, err, team.ErrBadKey)
		}

		require.NoError(w, w.Flush(w.Context()))
		keys, err := w.ListWriteKeys(w.Context())
		require.NoError(w, err)
		for _, k := range keys {
			require.Equal(w, k.ID == got.ID, !k.LastUsedAt.IsZero())
		}
		require.Equal(w, 204, w.do(call{method: "DELETE", path: "/api/write-keys/" + got.ID, cookie: admin}).Code)
		_, ok = lookup(w.Context(), w, secret)
		require.False(w, ok, "at once")
		require.Contains(w, w.do(call{method: "GET", path: "/api/write-keys", cookie: admin}).Body.String(), `"revokedAt"`)
		require.Equal(w, 404, w.do(call{method: "DELETE", path: "/api/write-keys/wk_none", cookie: admin}).Code)
	})
}

// second opens the database a second time, as the command line does beside a running server.
func second(w *world) *world {
	d := w.db
	if d.Dialect() == db.SQLite {
		var err error
		d, err = db.Open(w.Context(), db.Config{Path: w.db.Path(), Readers: 1})
		require.NoError(w, err)
		w.Cleanup(func() { require.NoError(w, d.Close()) })
	}
	return newWorld(w.T, d, w.clk)
}

func TestKeysMadeByAnotherProcess(t *testing.T) {
	each(t, func(w *world) {
		other := second(w)
		tok, token, err := other.CreateToken(other.cli, "cli", "admin", noTime)
		require.NoError(w, err)
		wk, key, err := other.CreateWriteKey(other.cli, "cli", "shell")
		require.NoError(w, err)
		useToken := func() int { return w.do(call{method: "GET", path: "/api/users", bearer: token}).Code }
		require.Equal(w, 200, useToken(), "works at once")
		got, ok := lookup(w.Context(), w, key)
		require.True(w, ok, "works at once")
		require.Equal(w, "shell", got.Source)
		session := w.in(adminEmail, adminPassword)
		he := w.user("service", "he@example.com", adminPassword)
		his := w.in("he@example.com", adminPassword)
		require.Equal(w, 200, w.me(his))

		require.NoError(w, other.RevokeToken(other.cli, tok.ID))
		require.NoError(w, other.RevokeWriteKey(other.cli, wk.ID))
		_, err = other.UpdateUser(other.cli, he.ID, team.UserChange{State: ptr(team.Disabled)})
		require.NoError(w, err)
		w.clk.Advance(team.CacheFor) // a few seconds at most
		require.LessOrEqual(w, team.CacheFor, 3*time.Second)
		require.Equal(w, 401, useToken())
		_, ok = lookup(w.Context(), w, key)
		require.False(w, ok)
		require.Equal(w, 401, w.me(his))
		require.Equal(w, 200, w.me(session))

		r, err := w.audit.Verify(w.Context())
		require.NoError(w, err)
		require.True(w, r.OK, "both processes wrote one chain: %+v", r)
	})
}

// While the database does not answer, a key that was just seen goes on working;
// nothing else does.
func TestWriteKeyOutlivesAShortOutage(t *testing.T) {
	clk := testkit.Clock()
	d, err := db.Open(t.Context(), db.Config{Path: t.TempDir() + "/koipond.db"})
	require.NoError(t, err)
	_, err = d.Migrate(t.Context(), db.Migrations(), audit.Migrations(), team.Migrations())
	require.NoError(t, err)
	w := newWorld(t, d, clk)
	_, key, err := w.CreateWriteKey(w.cli, "网站", "")
	require.NoError(t, err)
	_, unseen, err := w.CreateWriteKey(w.cli, "应用", "")
	require.NoError(t, err)
	_, token, err := w.CreateToken(w.cli, "t", "admin", noTime)
	require.NoError(t, err)
	_, ok := lookup(t.Context(), w, key)
	require.True(t, ok)
	require.Equal(t, 200, w.do(call{method: "GET", path: "/api/users", bearer: token}).Code)
	require.NoError(t, d.Close())

	clk.Advance(team.CacheFor + time.Second)
	_, ok = lookup(t.Context(), w, key)
	require.True(t, ok)
	_, err = w.LookupKey(t.Context(), unseen)
	require.Error(t, err)
	require.NotErrorIs(t, err, team.ErrBadKey, "not the caller's fault")
	require.Equal(t, 500, w.do(call{method: "GET", path: "/api/users", bearer: token}).Code)
	clk.Advance(team.StaleFor)
	_, ok = lookup(t.Context(), w, key)
	require.False(t, ok)
}

// No secret is found anywhere afterwards: not in the database, not in the audit
// log, not in the program's log.
func TestNoSecretIsKeptOrLogged(t *testing.T) {
	each(t, func(w *world) {
		admin := w.in(adminEmail, adminPassword)
		r := w.do(call{method: "POST", path: "/api/users", cookie: admin, body: `{"name":"何","email":"he@example.com","role":"growth"}`})
		generated := r.json["password"].(string)
		id := r.json["user"].(map[string]any)["id"].(string)
		reset := w.do(call{method: "POST", path: "/api/users/" + id + "/password", cookie: admin, body: "{}"}).json["password"].(string)
		token := w.do(call{method: "POST", path: "/api/tokens", cookie: admin, body: `{"name":"t","role":"growth"}`, header: map[string]string{"Idempotency-Key": "once"}}).json["secret"].(string)
		key := w.do(call{method: "POST", path: "/api/write-keys", cookie: admin, body: `{"name":"k"}`, header: map[string]string{"Idempotency-Key": "twice"}}).json["secret"].(string)
		const typed = "my-secret-in-the-wrong-field"
		require.Equal(w, 401, w.tryIn(typed, "hunter2-hunter2-hunter2", "").Code)
		require.Equal(w, 401, w.tryIn("typo@example.com", "hunter2-hunter2-hunter2", "").Code)
		_ = w.do(call{method: "POST", path: "/api/session/password", cookie: admin, body: fmt.Sprintf(`{"current":%q,"next":"peregrine-plum-77"}`, adminPassword)})

		var all strings.Builder
		all.WriteString(w.logs.String())
		for _, table := range []string{"team_users", "team_sessions", "team_tokens", "team_write_keys", "team_throttle", "team_settings", "audit_log", "http_idempotency"} {
			dump(w, table, &all)
		}
		for _, secret := range []string{adminPassword, generated, reset, token, key, admin, "hunter2", typed, "peregrine-plum-77", "typo@example.com"} {
			require.NotContains(w, all.String(), secret)
		}
		require.Contains(w, all.String(), "$argon2id$")
		require.Contains(w, all.String(), token[:10], "only the beginning")
	})
}

func dump(w *world, table string, into *strings.Builder) {
	rows, err := w.db.Query(w.Context(), "select * from "+table)
	require.NoError(w, err)
	defer rows.Close()
	cols, err := rows.Columns()
	require.NoError(w, err)
	for rows.Next() {
		vals := make([]any, len(cols))
		for i := range vals {
			vals[i] = new(any)
		}
		require.NoError(w, rows.Scan(vals...))
		for _, v := range vals {
			switch x := (*v.(*any)).(type) {
			case []byte:
				into.Write(x)
			default:
				fmt.Fprint(into, x)
			}
			into.WriteByte('\n')
		}
	}
	require.NoError(w, rows.Err())
}

func TestEveryChangeIsAudited(t *testing.T) {
	each(t, func(w *world) {
		admin := w.in(adminEmail, adminPassword)
		u := w.user("service", "he@example.com", adminPassword)
		do := func(ctx context.Context, err error) {
			require.NoError(w, err)
		}
		_, err := w.UpdateUser(w.cli, u.ID, team.UserChange{Name: ptr("新")})
		do(w.cli, err)
		_, err = w.ResetPassword(w.cli, u.ID)
		do(w.cli, err)
		do(w.cli, w.EndSessions(w.cli, u.ID))
		do(w.cli, w.DeleteUser(w.cli, u.ID))
		role, err := w.CreateRole(w.cli, "r", []auth.Permission{auth.ContactRead}, everybody)
		do(w.cli, err)
		_, err = w.UpdateRole(w.cli, role.ID, team.RoleChange{Name: ptr("s")})
		do(w.cli, err)
		do(w.cli, w.DeleteRole(w.cli, role.ID))
		tok, _, err := w.CreateToken(w.cli, "t", "admin", noTime)
		do(w.cli, err)
		do(w.cli, w.RevokeToken(w.cli, tok.ID))
		key, _, err := w.CreateWriteKey(w.cli, "k", "")
		do(w.cli, err)
		do(w.cli, w.RevokeWriteKey(w.cli, key.ID))
		_, err = w.UpdateSettings(w.cli, team.SettingsChange{Company: ptr("新公司")})
		do(w.cli, err)
		require.Equal(w, 204, w.do(call{method: "DELETE", path: "/api/sessions", cookie: admin}).Code)
		require.Equal(w, []string{"user.created", "session.signed_in", "user.created", "user.updated", "user.password_reset", "user.sessions_ended",
			"user.deleted", "role.created", "role.updated", "role.deleted", "token.created", "token.revoked", "write_key.created",
			"write_key.revoked", "settings.updated", "session.others_signed_out"}, w.actions())
		r, err := w.audit.Verify(w.Context())
		require.NoError(w, err)
		require.True(w, r.OK)
	})
}

func FuzzAuthenticate(f *testing.F) {
	d := testkit.SQLite(f, audit.Migrations(), team.Migrations())
	clk := testkit.Clock()
	s := team.NewService(team.Deps{DB: d, Clock: clk, IDs: testkit.IDs(clk), Log: testkit.Quiet(), Hasher: auth.NewHasher(cheap, 1)})
	good, _, _ := auth.NewSecret(auth.SessionSecret)
	f.Add("Bearer koi_"+good, "")
	f.Add("", "koipond_session="+good)
	f.Add("", `koipond_session="`+good+`"; koipond_session=`)
	f.Add("basic \x00", ";;==\xff")
	f.Fuzz(func(t *testing.T, authorization, cookies string) {
		r := &http.Request{Header: http.Header{}}
		if authorization != "" {
			r.Header["Authorization"] = []string{authorization}
		}
		if cookies != "" {
			r.Header["Cookie"] = []string{cookies}
		}
		p, err := s.Authenticate(r.WithContext(t.Context()))
		if p != nil {
			t.Fatal("came in")
		}
		if authorization != "" && err == nil {
			t.Fatal("a credential that nobody refused")
		}
		if _, ok := lookup(t.Context(), s, authorization); ok {
			t.Fatal("a key out of nothing")
		}
	})
}

// The intake asks this for every request.
func BenchmarkLookup(b *testing.B) {
	d := testkit.SQLite(b, audit.Migrations(), team.Migrations())
	log, err := audit.New(audit.Deps{DB: d, Clock: clock.System{}, Log: testkit.Quiet(), Key: make([]byte, 32)})
	require.NoError(b, err)
	s := team.NewService(team.Deps{DB: d, Clock: clock.System{}, IDs: testkit.IDs(clock.System{}), Log: testkit.Quiet(), Audit: log, Hasher: auth.NewHasher(cheap, 1)})
	_, key, err := s.CreateWriteKey(auth.With(b.Context(), auth.CLI("root")), "k", "")
	require.NoError(b, err)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, ok := lookup(b.Context(), s, key); !ok {
				b.Error("not found")
			}
		}
	})
}

// lookup tells whether a key works and what it stands for.
func lookup(ctx context.Context, s interface {
	LookupKey(context.Context, string) (team.WriteKey, error)
}, key string) (team.WriteKey, bool) {
	k, err := s.LookupKey(ctx, key)
	return k, err == nil
}

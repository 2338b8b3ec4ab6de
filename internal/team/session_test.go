package team_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/team"
)

func TestSignInAndOut(t *testing.T) {
	each(t, func(w *world) {
		require.Equal(w, 401, w.me(""))
		cookie := w.in("LIN@example.com", adminPassword)
		require.Equal(w, 200, w.me(cookie))
		e := w.lastAction()
		require.Equal(w, "session.signed_in", e.Action)
		require.Equal(w, "203.0.113.9", e.IP)
		require.Equal(w, "user", e.Actor.Kind)

		r := w.do(call{method: "DELETE", path: "/api/session", cookie: cookie})
		require.Equal(w, 204, r.Code)
		require.Negative(w, r.cookie().MaxAge)
		require.Equal(w, 401, w.me(cookie), "at once")
		require.Equal(w, "session.expired", w.do(call{method: "GET", path: "/api/session", cookie: cookie}).code())
		require.Equal(w, "session.signed_out", w.lastAction().Action)
	})
}

func TestCookieFlags(t *testing.T) {
	each(t, func(w *world) {
		get := func(ip string, h map[string]string) *http.Cookie {
			r := w.do(call{method: "POST", path: "/api/session", body: signInBody(adminEmail, adminPassword), ip: ip, header: h})
			require.Equal(w, 200, r.Code)
			return r.cookie()
		}
		c := get("203.0.113.9", nil)
		require.True(w, c.HttpOnly)
		require.Equal(w, http.SameSiteLaxMode, c.SameSite)
		require.Equal(w, "/", c.Path)
		require.Empty(w, c.Domain)
		require.Equal(w, int(team.SessionMax.Seconds()), c.MaxAge)
		require.False(w, c.Secure, "plain HTTP")
		https := map[string]string{"X-Forwarded-Proto": "https"}
		require.False(w, get("203.0.113.9", https).Secure, "anyone may write that header")
		require.True(w, get("10.1.2.3", https).Secure, "a trusted proxy may")
	})
}

// A cookie that someone planted in the browser never becomes a session, and a
// sign-in never goes on with the session that was there.
func TestSessionFixation(t *testing.T) {
	each(t, func(w *world) {
		planted, _, _ := auth.NewSecret(auth.SessionSecret)
		r := w.do(call{method: "POST", path: "/api/session", body: signInBody(adminEmail, adminPassword), cookie: planted})
		require.Equal(w, 200, r.Code)
		first := r.cookie().Value
		require.NotEqual(w, planted, first)
		require.Equal(w, 401, w.me(planted))

		r = w.do(call{method: "POST", path: "/api/session", body: signInBody(adminEmail, adminPassword), cookie: first})
		second := r.cookie().Value
		require.NotEqual(w, first, second)
		require.Equal(w, 200, w.me(second))
		require.Equal(w, 401, w.me(first), "the session before is over")

		// a failed sign-in does not end it
		r = w.do(call{method: "POST", path: "/api/session", body: signInBody(adminEmail, "wrong-wrong-wrong"), cookie: second})
		require.Equal(w, 401, r.Code)
		require.Nil(w, r.cookie())
		require.Equal(w, 200, w.me(second))
	})
}

func TestCrossSiteSignInIsRefused(t *testing.T) {
	each(t, func(w *world) {
		r := w.do(call{method: "POST", path: "/api/session", body: signInBody(adminEmail, adminPassword), header: map[string]string{"Sec-Fetch-Site": "cross-site"}})
		require.Equal(w, 403, r.Code)
	})
}

// Whether the e-mail is unknown or the password is wrong: same answer, same work.
func TestUnknownEmailLooksLikeWrongPassword(t *testing.T) {
	each(t, func(w *world) {
		cost := func(email string) (string, int64) {
			before := w.hasher.Computations()
			r := w.tryIn(email, "wrong-wrong-wrong", "")
			require.Equal(w, 401, r.Code)
			require.Nil(w, r.cookie())
			delete(r.json, "requestId")
			return fmt.Sprint(r.json), w.hasher.Computations() - before
		}
		known, n := cost(adminEmail)
		unknown, m := cost("nobody@example.com")
		require.Equal(w, known, unknown)
		require.Contains(w, known, "session.bad_credentials")
		require.EqualValues(w, 1, n)
		require.EqualValues(w, 1, m)
		require.Equal(w, []string{"user.created", "session.sign_in_failed", "session.sign_in_failed"}, w.actions())
		e := w.lastAction()
		require.Equal(w, "no***@example.com", e.Object.Name)
		require.JSONEq(w, `{"reason":"unknown_email"}`, string(e.Detail))

		u, err := w.UserByEmail(w.Context(), adminEmail)
		require.NoError(w, err)
		w.user("admin", "zhou@example.com", adminPassword)
		_, err = w.UpdateUser(w.cli, u.ID, team.UserChange{State: ptr(team.Disabled)})
		require.NoError(w, err)
		disabled, k := cost(adminEmail)
		require.Equal(w, known, disabled, "a disabled user with a wrong password looks the same")
		require.EqualValues(w, 1, k)
		require.Equal(w, "session.disabled", w.tryIn(adminEmail, adminPassword, "").code())
	})
}

func TestThrottlePerAccount(t *testing.T) {
	each(t, func(w *world) {
		w.user("service", "he@example.com", adminPassword)
		for _, email := range []string{adminEmail, "nobody@example.com"} {
			for range team.FreeByAccount {
				require.Equal(w, 401, w.tryIn(email, "wrong-wrong-wrong", "").Code)
			}
			hashes := w.hasher.Computations()
			r := w.tryIn(strings.ToUpper(email), adminPassword, "198.51.100.7") // from elsewhere, with the right password
			require.Equal(w, 429, r.Code)
			require.Equal(w, "session.throttled", r.code())
			require.Equal(w, "2", r.Header().Get("Retry-After"))
			require.Equal(w, hashes, w.hasher.Computations(), "no work for who must wait")
		}
		require.Equal(w, 200, w.tryIn("he@example.com", adminPassword, "").Code, "others are not held up")

		// it holds across a restart, and the wait doubles
		again := newWorld(w.T, w.db, w.clk)
		for _, wait := range []time.Duration{2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
			w.clk.Advance(wait*time.Second - time.Millisecond)
			require.Equal(w, 429, again.tryIn(adminEmail, "wrong-wrong-wrong", "").Code, wait)
			w.clk.Advance(time.Millisecond)
			require.Equal(w, 401, again.tryIn(adminEmail, "wrong-wrong-wrong", "").Code, wait)
		}
		w.clk.Advance(5 * time.Minute)
		require.Equal(w, 200, w.tryIn(adminEmail, adminPassword, "").Code)
		for range team.FreeByAccount {
			require.Equal(w, 401, w.tryIn(adminEmail, "wrong-wrong-wrong", "").Code, "a success starts anew")
		}
		w.clk.Advance(24 * time.Hour)
		for range team.FreeByAccount {
			require.Equal(w, 401, w.tryIn(adminEmail, "wrong-wrong-wrong", "").Code, "a day makes forget")
		}
	})
}

func TestThrottlePerAddress(t *testing.T) {
	each(t, func(w *world) {
		const v6 = "[2001:db8:1:2::%d]"
		for i := range team.FreeByAddress {
			require.Equal(w, 401, w.tryIn(fmt.Sprintf("n%d@example.com", i), "wrong-wrong-wrong", fmt.Sprintf(v6, i+1)).Code)
		}
		require.Equal(w, 429, w.tryIn("another@example.com", "wrong-wrong-wrong", fmt.Sprintf(v6, 9999)).Code, "the same network")
		require.Equal(w, 401, w.tryIn("another@example.com", "wrong-wrong-wrong", "[2001:db8:1:3::1]").Code)
		require.Equal(w, 429, w.tryIn(adminEmail, adminPassword, fmt.Sprintf(v6, 1)).Code)
		w.clk.Advance(2 * time.Second)
		require.Equal(w, 200, w.tryIn(adminEmail, adminPassword, fmt.Sprintf(v6, 1)).Code)

		// what was counted is not kept for ever
		w.clk.Advance(25 * time.Hour)
		require.Equal(w, 200, w.tryIn(adminEmail, adminPassword, "").Code)
		var n int
		require.NoError(w, w.db.QueryRow(w.Context(), "select count(*) from team_throttle").Scan(&n))
		require.LessOrEqual(w, n, 1)
	})
}

// A burst gets no more guesses than the same attempts in turn.
func TestThrottleHoldsInABurst(t *testing.T) {
	each(t, func(w *world) {
		before := w.hasher.Computations()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, _, err := w.SignIn(w.Context(), team.SignInInput{Email: adminEmail, Password: "wrong-wrong-wrong"})
				if err == nil {
					t.Error("came in")
				}
			})
		}
		wg.Wait()
		require.EqualValues(w, team.FreeByAccount, w.hasher.Computations()-before)
	})
}

func TestSessionsSlideAndEnd(t *testing.T) {
	each(t, func(w *world) {
		const day = 24 * time.Hour
		used, idle := w.in(adminEmail, adminPassword), w.in(adminEmail, adminPassword)
		for elapsed := time.Duration(0); elapsed+13*day < team.SessionMax; elapsed += 13 * day {
			w.clk.Advance(13 * day)
			require.Equal(w, 200, w.me(used), elapsed)
			if elapsed > 0 {
				require.Equal(w, 401, w.me(idle))
			}
			if elapsed%(2*13*day) == 0 { // written or only in memory: both count
				require.NoError(w, w.Flush(w.Context()))
			}
		}
		w.clk.Advance(13 * day)
		require.Equal(w, 401, w.me(used), "no session lives longer than 90 days")

		w.in(adminEmail, adminPassword) // sweeps
		var n int
		require.NoError(w, w.db.QueryRow(w.Context(), "select count(*) from team_sessions").Scan(&n))
		require.Equal(w, 1, n)
	})
}

// Last seen is written once a minute at most, and never by the request itself.
func TestLastSeenIsThrottled(t *testing.T) {
	each(t, func(w *world) {
		cookie := w.in(adminEmail, adminPassword)
		seen := func() (session, user time.Duration) {
			var s, u int64
			require.NoError(w, w.db.QueryRow(w.Context(), "select s.last_seen_at, u.last_seen_at from team_sessions s join team_users u on u.id = s.user_id").Scan(&s, &u))
			start := testkit.Clock().Now().UnixMilli()
			return time.Duration(s-start) * time.Millisecond, time.Duration(u-start) * time.Millisecond
		}
		writes := map[time.Duration]bool{}
		for range 100 { // 500 s
			w.clk.Advance(5 * time.Second)
			require.Equal(w, 200, w.me(cookie))
			require.NoError(w, w.Flush(w.Context()))
			s, u := seen()
			require.Equal(w, s, u)
			writes[s] = true
		}
		require.Len(w, writes, 9, "at sign-in and then once a minute")
		w.clk.Advance(time.Minute)
		require.Equal(w, 200, w.me(cookie))
		before, _ := seen()
		require.NoError(w, w.Flush(w.Context()))
		after, _ := seen()
		require.Greater(w, after, before, "a request only notes; Flush writes")
	})
}

func TestStartWritesAndStopEnds(t *testing.T) {
	each(t, func(w *world) {
		require.NoError(w, w.Start(w.Context()))
		require.NoError(w, w.Start(w.Context()))
		cookie := w.in(adminEmail, adminPassword)
		w.clk.Advance(time.Hour)
		require.Equal(w, 200, w.me(cookie))
		require.NoError(w, w.Stop(w.Context()))
		require.NoError(w, w.Stop(w.Context()))
		u, err := w.UserByEmail(w.Context(), adminEmail)
		require.NoError(w, err)
		require.Equal(w, w.clk.Now(), u.LastSeenAt)
	})
}

func TestOwnSessions(t *testing.T) {
	each(t, func(w *world) {
		w.user("service", "he@example.com", adminPassword)
		mine, second, third := w.in(adminEmail, adminPassword), w.in(adminEmail, adminPassword), w.in(adminEmail, adminPassword)
		theirs := w.in("he@example.com", adminPassword)

		r := w.do(call{method: "GET", path: "/api/sessions", cookie: mine})
		items := r.json["items"].([]any)
		require.Len(w, items, 3)
		var current, others []string
		for _, it := range items {
			m := it.(map[string]any)
			require.Equal(w, "203.0.113.9", m["ip"])
			if m["current"].(bool) {
				current = append(current, m["id"].(string))
			} else {
				others = append(others, m["id"].(string))
			}
		}
		require.Len(w, current, 1)
		require.NotContains(w, r.Body.String(), mine, "an id is not a secret")

		their := w.do(call{method: "GET", path: "/api/sessions", cookie: theirs}).json["items"].([]any)[0].(map[string]any)["id"].(string)
		require.Equal(w, 404, w.do(call{method: "DELETE", path: "/api/sessions/" + their, cookie: mine}).Code)
		require.Equal(w, 200, w.me(theirs))

		require.Equal(w, 204, w.do(call{method: "DELETE", path: "/api/sessions/" + others[0], cookie: mine}).Code)
		alive := 0
		for _, c := range []string{second, third} {
			if w.me(c) == 200 {
				alive++
			}
		}
		require.Equal(w, 1, alive)
		require.Equal(w, 204, w.do(call{method: "DELETE", path: "/api/sessions", cookie: mine}).Code)
		require.Equal(w, []int{200, 401, 401, 200}, []int{w.me(mine), w.me(second), w.me(third), w.me(theirs)})
	})
}

func TestSessionsPerUserAreBounded(t *testing.T) {
	each(t, func(w *world) {
		first := w.in(adminEmail, adminPassword)
		for range 50 {
			w.clk.Advance(time.Second)
			w.in(adminEmail, adminPassword)
		}
		require.Equal(w, 401, w.me(first))
	})
}

func TestChangeOwnPassword(t *testing.T) {
	each(t, func(w *world) {
		mine, other := w.in(adminEmail, adminPassword), w.in(adminEmail, adminPassword)
		post := func(current, next string) reply {
			return w.do(call{method: "POST", path: "/api/session/password", cookie: mine, body: fmt.Sprintf(`{"current":%q,"next":%q}`, current, next)})
		}
		r := post("wrong-wrong-wrong", "peregrine-plum-77")
		require.Equal(w, 422, r.Code)
		require.Contains(w, r.Body.String(), "user.wrong_password")
		require.Equal(w, "user.password_change_failed", w.lastAction().Action)
		require.Contains(w, post(adminPassword, "woaini1314").Body.String(), "password.too_common")
		require.Contains(w, post(adminPassword, adminEmail).Body.String(), "password.is_email")

		require.Equal(w, 204, post(adminPassword, "peregrine-plum-77").Code)
		require.Equal(w, 200, w.me(mine))
		require.Equal(w, 401, w.me(other))
		require.Equal(w, 401, w.tryIn(adminEmail, adminPassword, "").Code)
		require.Equal(w, 200, w.tryIn(adminEmail, "peregrine-plum-77", "").Code)

		for range team.FreeByAccount {
			require.Equal(w, 422, post("wrong-wrong-wrong", "peregrine-plum-78").Code)
		}
		require.Equal(w, 429, post("peregrine-plum-77", "peregrine-plum-78").Code, "guessing here is throttled too")
	})
}

func TestUpdateSelf(t *testing.T) {
	each(t, func(w *world) {
		w.user("service", "he@example.com", adminPassword)
		c := w.in("he@example.com", adminPassword)
		r := w.do(call{method: "PATCH", path: "/api/session/user", cookie: c, body: `{"name":" 何晓 ","language":"en"}`})
		require.Equal(w, 200, r.Code, r.Body.String())
		user := r.json["user"].(map[string]any)
		require.Equal(w, "何晓", user["name"])
		require.Equal(w, "en", user["language"])
		require.Equal(w, "Customer service", user["roleName"])
		require.Equal(w, 422, w.do(call{method: "PATCH", path: "/api/session/user", cookie: c, body: `{"role":"admin"}`}).Code)
		r = w.do(call{method: "GET", path: "/api/session", cookie: c, header: map[string]string{"Accept-Language": "zh-CN"}})
		require.Equal(w, "客服", r.json["user"].(map[string]any)["roleName"])
	})
}

func TestHashIsRenewedWhenParametersChange(t *testing.T) {
	each(t, func(w *world) {
		costly := newWorldWith(w.T, w.db, w.clk, auth.Params{Memory: 128, Time: 2, Threads: 1})
		stored := func() (s string) {
			require.NoError(w, w.db.QueryRow(w.Context(), "select password_hash from team_users").Scan(&s))
			return s
		}
		require.Contains(w, stored(), "m=64,t=1,")
		require.Equal(w, 401, costly.tryIn(adminEmail, "wrong-wrong-wrong", "").Code)
		require.Contains(w, stored(), "m=64,t=1,")
		require.Equal(w, 200, costly.tryIn(adminEmail, adminPassword, "").Code)
		require.Contains(w, stored(), "m=128,t=2,")
		require.Equal(w, 200, costly.tryIn(adminEmail, adminPassword, "").Code)
	})
}

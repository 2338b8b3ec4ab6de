package team_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/team"
)

func setupBody(change string) string {
	b := `{"company":"锦鲤茶社","timezone":"Asia/Shanghai","currency":"CNY","language":"zh-CN","name":"林小雨","email":"lin@example.com","password":"tangerine-otter-41"` + change + `}`
	return b
}

func TestFirstRun(t *testing.T) {
	bare(t, func(w *world) {
		r := w.do(call{method: "GET", path: "/api/setup"})
		require.JSONEq(w, `{"needed":true,"demo":false,"version":"1.2.3"}`, r.Body.String())

		r = w.do(call{method: "POST", path: "/api/setup", body: setupBody("")})
		require.Equal(w, 200, r.Code, r.Body.String())
		c := r.cookie()
		require.NotNil(w, c)
		user := r.json["user"].(map[string]any)
		require.Equal(w, "admin", user["role"])
		require.Equal(w, "Administrator", user["roleName"])
		require.Equal(w, "zh-CN", user["language"])
		require.Equal(w, map[string]any{"name": "锦鲤茶社", "timezone": "Asia/Shanghai", "currency": "CNY", "language": "zh-CN"}, r.json["company"])
		require.Equal(w, "1.2.3", r.json["version"])
		require.Contains(w, r.json["permissions"], "team.write")
		require.Equal(w, 200, w.me(c.Value))
		require.Equal(w, []string{"setup.completed", "session.signed_in"}, w.actions())

		require.False(w, w.do(call{method: "GET", path: "/api/setup"}).json["needed"].(bool))
		r = w.do(call{method: "POST", path: "/api/setup", body: setupBody("")})
		require.Equal(w, 409, r.Code)
		require.Equal(w, "setup.done", r.code())
		require.Nil(w, r.cookie())
	})
}

func TestSetupChecksEveryField(t *testing.T) {
	bare(t, func(w *world) {
		good := team.SetupInput{Settings: team.Settings{Company: "锦鲤茶社", Timezone: "Asia/Shanghai", Currency: "CNY", Language: "zh-CN"},
			Name: "林小雨", Email: adminEmail, Password: adminPassword}
		for _, c := range []struct {
			change     func(*team.SetupInput)
			path, code string
		}{
			{func(in *team.SetupInput) { in.Company = " " }, "company", "request.field_required"},
			{func(in *team.SetupInput) { in.Timezone = "" }, "timezone", "settings.bad_timezone"},
			{func(in *team.SetupInput) { in.Timezone = "Local" }, "timezone", "settings.bad_timezone"},
			{func(in *team.SetupInput) { in.Timezone = "Asia/Beijing2" }, "timezone", "settings.bad_timezone"},
			{func(in *team.SetupInput) { in.Timezone = "../../etc/passwd" }, "timezone", "settings.bad_timezone"},
			{func(in *team.SetupInput) { in.Currency = "cny" }, "currency", "settings.bad_currency"},
			{func(in *team.SetupInput) { in.Currency = "XXX" }, "currency", "settings.bad_currency"},
			{func(in *team.SetupInput) { in.Currency = "DEM" }, "currency", "settings.bad_currency"},
			{func(in *team.SetupInput) { in.Language = "fr" }, "language", "settings.bad_language"},
			{func(in *team.SetupInput) { in.Name = "" }, "name", "request.field_required"},
			{func(in *team.SetupInput) { in.Name = "a\nb" }, "name", "request.bad_pattern"},
			{func(in *team.SetupInput) { in.Email = "林小雨" }, "email", "request.not_an_email"},
			{func(in *team.SetupInput) { in.Email = "Lin <lin@example.com>" }, "email", "request.not_an_email"},
			{func(in *team.SetupInput) { in.Password = "" }, "password", "request.field_required"},
			{func(in *team.SetupInput) { in.Password = "woaini1314" }, "password", "password.too_common"},
		} {
			in := good
			c.change(&in)
			_, _, err := w.Setup(w.Context(), in)
			requireField(w, err, c.path, c.code)
		}
		needed, err := w.SetupNeeded(w.Context())
		require.NoError(w, err)
		require.True(w, needed)
		require.Zero(w, w.hasher.Computations(), "nothing is hashed for input that is refused")
		for _, cur := range []string{"CNY", "HKD", "TWD", "JPY", "USD", "EUR"} {
			_, err := w.UpdateSettings(w.cli, team.SettingsChange{Currency: &cur})
			require.NoError(w, err, cur)
		}
	})
}

func TestConcurrentSetupHasOneWinner(t *testing.T) {
	bare(t, func(w *world) {
		other := newWorld(w.T, w.db, w.clk) // another node
		var wg sync.WaitGroup
		results := make(chan error, 8)
		for i := range 8 {
			wg.Go(func() {
				_, _, err := []*world{w, other}[i%2].Setup(w.Context(), team.SetupInput{
					Settings: team.Settings{Company: fmt.Sprint("公司", i), Timezone: "Asia/Shanghai", Currency: "CNY", Language: "zh-CN"},
					Name:     "林", Email: fmt.Sprintf("lin%d@example.com", i), Password: adminPassword})
				results <- err
			})
		}
		wg.Wait()
		won := 0
		for range 8 {
			if err := <-results; err == nil {
				won++
			} else {
				require.Equal(w, "setup.done", errs.CodeOf(err), "%v", err)
			}
		}
		require.Equal(w, 1, won)
		users, err := w.ListUsers(w.Context())
		require.NoError(w, err)
		require.Len(w, users, 1)
	})
}

func TestSettings(t *testing.T) {
	each(t, func(w *world) {
		admin := w.in(adminEmail, adminPassword)
		w.user("service", "he@example.com", adminPassword)
		service := w.in("he@example.com", adminPassword)
		other := newWorld(w.T, w.db, w.clk)
		before, err := other.Settings(w.Context())
		require.NoError(w, err)
		require.Equal(w, "CNY", before.Currency)

		r := w.do(call{method: "PATCH", path: "/api/settings", cookie: admin, body: `{"company":"新茶社","timezone":"Asia/Tokyo","currency":"JPY","language":"en"}`})
		require.JSONEq(w, `{"company":"新茶社","timezone":"Asia/Tokyo","currency":"JPY","language":"en"}`, r.Body.String())
		require.Equal(w, "settings.updated", w.lastAction().Action)
		got, err := w.Settings(w.Context())
		require.NoError(w, err)
		require.Equal(w, "Asia/Tokyo", got.Location().String())
		r = w.do(call{method: "GET", path: "/api/settings", cookie: service})
		require.Equal(w, "JPY", r.json["currency"])
		w.clk.Advance(team.CacheFor)
		got, err = other.Settings(w.Context())
		require.NoError(w, err)
		require.Equal(w, "JPY", got.Currency, "another process sees it after a moment")

		r = w.do(call{method: "PATCH", path: "/api/settings", cookie: service, body: `{"company":"坏"}`})
		require.Equal(w, 403, r.Code)
		r = w.do(call{method: "PATCH", path: "/api/settings", cookie: admin, body: `{"timezone":"Mars/Olympus"}`})
		require.Equal(w, 422, r.Code)
		require.Contains(w, r.Body.String(), "settings.bad_timezone")
	})
}

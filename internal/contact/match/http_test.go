package match_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/match"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/httpx/httpxtest"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
)

type byRole struct{}

func (byRole) Authenticate(r *http.Request) (*auth.Principal, error) {
	if role := r.Header.Get("X-Role"); role != "" {
		return testkit.Principal(role), nil
	}
	return nil, nil
}

func (p *pond) api() *httpx.API {
	cat, err := i18n.Load(testkit.Logger(p))
	require.NoError(p, err)
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "t", Version: "1", Auth: byRole{}, Log: testkit.Logger(p), Catalogue: cat, Clock: p.clock})
	p.Routes(api)
	return api
}

// call asks as a role and decodes the answer.
func (p *pond) call(h http.Handler, role, method, path string, body, into any) int {
	p.Helper()
	raw, err := json.Marshal(body)
	require.NoError(p, err)
	req := httptest.NewRequest(method, path, strings.NewReader(string(raw)))
	req.Header.Set("X-Role", role)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	if into != nil {
		require.NoError(p, json.Unmarshal(rec.Body.Bytes(), into), rec.Body.String())
	}
	return rec.Code
}

type problem struct {
	Code   string `json:"code"`
	Fields []struct {
		Path string `json:"path"`
		Code string `json:"code"`
	} `json:"fields"`
}

func TestRoutesAreClosedToThoseWhoMayNot(t *testing.T) {
	p := newPond(t, testkit.SQLite(t, sets()...))
	httpxtest.WalkPermissions(t, p.api(), auth.BuiltinRoles())
}

func TestReviewOverHTTP(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		p := newPond(t, d)
		h := p.api().Handler()
		p.add("陈思远", "13800138000", "birthday", "1988-03-12", "address", "文三路138号东方大厦12楼")
		p.add("陈思远", "13800138001", "birthday", "1988-03-12", "address", "文三路138号东方大厦")
		p.add("欧阳雪", "13911112222", "birthday", "1990-11-02")
		p.add("Ouyang Xue", "13911112221", "birthday", "1990-11-02")

		var job struct{ ID, State string }
		require.Equal(t, http.StatusOK, p.call(h, "user_ops", "POST", "/api/matches/run", m{}, &job))
		done, err := p.Jobs.Wait(p.ctx, job.ID)
		require.NoError(t, err)
		require.EqualValues(t, "succeeded", done.State, "%+v", done.Error)

		var page struct {
			Items []match.PairView
			Total int
		}
		require.Equal(t, http.StatusOK, p.call(h, "analyst", "GET", "/api/matches", nil, &page))
		require.Equal(t, 2, page.Total)
		raw, err := json.Marshal(page)
		require.NoError(t, err)
		for _, clear := range []string{"13800138000", "文三路", "13911112222"} {
			require.NotContains(t, string(raw), clear, "personal values are masked")
		}
		first, second := page.Items[0], page.Items[1]

		var bad problem
		require.Equal(t, http.StatusForbidden, p.call(h, "analyst", "POST", "/api/matches/"+first.ID+"/merge", nil, nil))
		require.Equal(t, http.StatusUnprocessableEntity, p.call(h, "user_ops", "POST", "/api/matches/"+first.ID+"/postpone", m{"until": p.clock.Now().Add(-time.Hour)}, &bad))
		require.Equal(t, "until", bad.Fields[0].Path)
		require.Equal(t, http.StatusNotFound, p.call(h, "user_ops", "POST", "/api/matches/mp_x/reject", nil, &bad))
		require.Equal(t, "match.not_found", bad.Code)
		require.Equal(t, http.StatusNoContent, p.call(h, "service", "POST", "/api/matches/"+first.ID+"/merge", nil, nil))
		require.Equal(t, http.StatusConflict, p.call(h, "service", "POST", "/api/matches/"+first.ID+"/merge", nil, &bad))
		require.Equal(t, "match.decided", bad.Code)
		require.Equal(t, http.StatusNoContent, p.call(h, "service", "POST", "/api/matches/"+second.ID+"/reject", nil, nil))

		var count struct{ Open int }
		require.Equal(t, http.StatusOK, p.call(h, "analyst", "GET", "/api/matches/count", nil, &count))
		require.Zero(t, count.Open)
		var sum struct {
			Merged, Rejected int
			Bands            []match.Band
			Last             *match.Report
		}
		require.Equal(t, http.StatusOK, p.call(h, "analyst", "GET", "/api/matches/summary", nil, &sum))
		require.Equal(t, [2]int{1, 1}, [2]int{sum.Merged, sum.Rejected})
		require.EqualValues(t, 4, sum.Last.People)

		require.Equal(t, http.StatusForbidden, p.call(h, "user_ops", "PUT", "/api/matches/settings", m{}, nil))
		require.Equal(t, http.StatusUnprocessableEntity, p.call(h, "admin", "PUT", "/api/matches/settings", m{"from": 80, "fields": []string{"name"}, "nightly": true, "hour": 3}, &bad))
		require.Equal(t, "fields", bad.Fields[0].Path)
		require.Equal(t, http.StatusOK, p.call(h, "admin", "PUT", "/api/matches/settings", m{"from": 70, "fields": []string{"phone", "name"}, "nightly": true, "hour": 3}, nil))
		require.Equal(t, http.StatusConflict, p.call(h, "service", "POST", "/api/matches/merge", m{"minScore": 80, "expected": 3}, &bad))
		require.Equal(t, "match.count_changed", bad.Code)
	}, sets()...)
}

package live

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/pipeline"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
)

type names struct{}

func (names) Describe(_ context.Context, numbers []int64) (map[int64]pipeline.Contact, error) {
	out := map[int64]pipeline.Contact{}
	for _, n := range numbers {
		out[n] = pipeline.Contact{ID: fmt.Sprint("ct_", n), Name: fmt.Sprint("客户", n), Kind: event.Person}
	}
	return out, nil
}

type analyst struct{}

func (analyst) Authenticate(*http.Request) (*auth.Principal, error) {
	return testkit.Principal("analyst"), nil
}

type answers struct {
	analytics.Store
	trend analytics.TrendQuery
}

func (a *answers) Summary(_ context.Context, f analytics.Filter) (int64, int64, []analytics.EventCount, error) {
	return 3, 2, []analytics.EventCount{{Name: "e", Count: 3, People: 2}}, nil
}

func (a *answers) Trend(_ context.Context, q analytics.TrendQuery) (analytics.Trend, error) {
	a.trend = q
	return analytics.Trend{Buckets: []time.Time{q.From}, Series: []analytics.Series{{Key: "", Values: []float64{3}, Total: 3}}}, nil
}

func server(t *testing.T) (*Service, *httptest.Server, *answers, *httpx.API) {
	t.Helper()
	a := &answers{}
	c := testkit.Clock()
	s := New(Deps{Store: a, Contacts: names{}, Clock: c})
	cat, err := i18n.Load(testkit.Quiet())
	require.NoError(t, err)
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "Koipond", Auth: analyst{}, Log: testkit.Quiet(), Catalogue: cat, Clock: c})
	s.Routes(api)
	srv := httptest.NewServer(api.Handler())
	t.Cleanup(srv.Close)
	return s, srv, a, api
}

func stored(name string, seq uint64) event.Stored {
	return event.Stored{Fact: event.Fact{MessageID: fmt.Sprint("m", seq), Type: event.Track, Name: name, UserID: "user-123456", Contact: 7, Source: "web",
		Identifiers: []event.Identifier{{Kind: "phone", Value: "13800138000"}}, Properties: json.RawMessage(`{"phone":"13800138000","sku":"A1"}`)},
		Position: event.Position{Seq: seq}, ContactID: "ct_7", ContactKind: event.Person}
}

// events reads an event stream into a channel.
func follow(t *testing.T, url string) (<-chan [2]string, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	out := make(chan [2]string, 5000)
	go func() {
		defer close(out)
		defer res.Body.Close()
		sc := bufio.NewScanner(res.Body)
		sc.Buffer(nil, 1<<20)
		kind := ""
		for sc.Scan() {
			if v, ok := strings.CutPrefix(sc.Text(), "event: "); ok {
				kind = v
			}
			if v, ok := strings.CutPrefix(sc.Text(), "data: "); ok {
				out <- [2]string{kind, v}
			}
		}
	}()
	return out, cancel
}

func next(t *testing.T, ch <-chan [2]string) [2]string {
	t.Helper()
	select {
	case v, ok := <-ch:
		require.True(t, ok, "the stream ended")
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
		return [2]string{}
	}
}

func TestFollow(t *testing.T) {
	s, srv, _, api := server(t)
	s.Stored([]event.Stored{stored("early", 1), stored("other", 2)})
	ch, _ := follow(t, srv.URL+"/api/facts/live?name=early")
	first := next(t, ch)
	require.Equal(t, "fact", first[0])
	require.NotContains(t, first[1], "13800138000")
	var f apiFact
	require.NoError(t, json.Unmarshal([]byte(first[1]), &f))
	require.Equal(t, "1.0", f.Position)
	require.Equal(t, "客户7", f.Contact.Name)
	require.Equal(t, apiIdentifier{"phone", "138****8000"}, f.Identifiers[1])
	require.Contains(t, string(f.Properties), "A1")

	s.Stored([]event.Stored{stored("other", 3), stored("early", 4)})
	require.Contains(t, next(t, ch)[1], `"position":"4.0"`)
	s.Left(event.Fact{MessageID: "m", Name: "early", Type: event.Track}, event.Position{Seq: 5}, pipeline.SetAside, errs.New(errs.Internal, "facts.cannot_resolve"))
	left := next(t, ch)[1]
	require.Contains(t, left, `"outcome":"set_aside"`)
	require.Contains(t, left, "无法识别")

	var flood []event.Stored
	for i := range 500 {
		flood = append(flood, stored("early", uint64(10+i)))
	}
	s.Stored(flood)
	seen := map[string]int{}
	for range perBatch + 1 {
		e := next(t, ch)
		if seen[e[0]]++; e[0] == "skipped" {
			require.Equal(t, `{"count":450}`, e[1])
		}
	}
	require.Equal(t, map[string]int{"fact": perBatch, "skipped": 1}, seen)

	api.Drain()
	for range ch { // ends when the program stops
	}
	require.Eventually(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.watchers) == 0 }, 30*time.Second, time.Millisecond)
}

func TestASlowWatcherIsCutOff(t *testing.T) {
	s := New(Deps{})
	w, _ := s.watch(filter{}, "us_1")
	for i := range queued/perBatch + 2 {
		var some []event.Stored
		for j := range perBatch {
			some = append(some, stored("e", uint64(i*perBatch+j)))
		}
		s.Stored(some)
	}
	select {
	case <-w.gone:
	default:
		t.Fatal("it still watches")
	}
	require.Empty(t, s.watchers)
	s.Stored([]event.Stored{stored("e", 1)})
	_, first := s.watch(filter{}, "us_1")
	require.Len(t, first, kept)
	for range maxOwn {
		s.watch(filter{}, "us_greedy")
	}
	refused, _ := s.watch(filter{}, "us_greedy")
	require.Nil(t, refused, "one caller cannot take every place")
	for i := range maxWatchers - 1 - maxOwn {
		s.watch(filter{}, fmt.Sprint("us_", i))
	}
	none, _ := s.watch(filter{}, "us_late")
	require.Nil(t, none)
}

func TestSummaryAndTrend(t *testing.T) {
	_, srv, a, _ := server(t)
	get := func(path string) (int, map[string]any) {
		res, err := http.Get(srv.URL + path)
		require.NoError(t, err)
		defer res.Body.Close()
		var body map[string]any
		require.NoError(t, json.NewDecoder(res.Body).Decode(&body))
		return res.StatusCode, body
	}
	code, body := get("/api/facts/summary?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z")
	require.Equal(t, 200, code)
	require.EqualValues(t, 3, body["total"])
	require.Equal(t, "2026-01-01T00:00:00.000Z", body["from"])
	require.Len(t, body["events"], 1)
	code, body = get("/api/facts/summary?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z")
	require.Equal(t, 422, code)
	require.Equal(t, "facts.range_backwards", body["fields"].([]any)[0].(map[string]any)["code"])

	code, body = get("/api/facts/trend?event=e&measure=sum&property=total&interval=week&breakdown=$channel")
	require.Equal(t, 200, code)
	require.Len(t, body["series"], 1)
	require.Equal(t, []string{"e"}, a.trend.Events)
	require.Equal(t, 30*7*24*time.Hour, a.trend.To.Sub(a.trend.From))
	require.Equal(t, "Asia/Shanghai", a.trend.Timezone.String())
	for _, bad := range []string{"breakdown=phone", "breakdown=receiver_email", "measure=sum&property=mobile", "measure=sum", "timezone=Moon", "interval=hour&from=1990-01-01T00:00:00Z", "measure=median"} {
		code, _ = get("/api/facts/trend?" + bad)
		require.Equal(t, 422, code, bad)
	}
}

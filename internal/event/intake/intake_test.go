package intake_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/intake"
	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// tape is a stream in memory that can be told to refuse or to hold.
type tape struct {
	mu       sync.Mutex
	messages [][]byte
	refuse   error
	hold     chan struct{} // acknowledgements wait until it is closed
}

func (s *tape) Send(data []byte) (func(context.Context) bus.Ack, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		return nil, s.refuse
	}
	s.messages = append(s.messages, bytes.Clone(data))
	seq, hold := uint64(len(s.messages)), s.hold
	return func(ctx context.Context) bus.Ack {
		if hold != nil {
			<-hold
		}
		return bus.Ack{Seq: seq}
	}, nil
}

func (s *tape) facts(t testing.TB) []event.Fact {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var d wire.Decoder
	var out []event.Fact
	for _, m := range s.messages {
		var err error
		out, err = d.Decode(out, m)
		require.NoError(t, err)
	}
	return out
}

type keys map[string]intake.WriteKey

func (k keys) Lookup(_ context.Context, key string) (intake.WriteKey, bool, error) {
	if key == "away" {
		return intake.WriteKey{}, false, errors.New("the records do not answer")
	}
	v, ok := k[key]
	return v, ok, nil
}

type nobody struct{}

func (nobody) Authenticate(*http.Request) (*auth.Principal, error) { return nil, nil }

type world struct {
	*testing.T
	tape  *tape
	clock *clock.Fake
	svc   *intake.Service
	h     http.Handler
	db    *db.DB
}

func newWorld(t *testing.T, d *db.DB, change func(*intake.Deps)) *world {
	t.Helper()
	w := &world{T: t, tape: &tape{}, clock: testkit.Clock(), db: d}
	deps := intake.Deps{Stream: w.tape, DB: d, WriteKeys: keys{"k1": {ID: "wk_1", Name: "Site", Source: "web"}, "k2": {ID: "wk_2", Name: "Shop"}},
		Clock: w.clock, IDs: testkit.IDs(w.clock), Log: testkit.Quiet(), MaxMessage: 8 << 20}
	if change != nil {
		change(&deps)
	}
	w.svc = intake.New(deps)
	require.NoError(t, w.svc.Start(t.Context()))
	t.Cleanup(func() { _ = w.svc.Stop(context.Background()) })
	cat, err := i18n.Load(testkit.Quiet())
	require.NoError(t, err)
	api := httpx.New(http.NewServeMux(), httpx.Config{Title: "Koipond", Auth: nobody{}, Log: testkit.Quiet(), Catalogue: cat, Clock: w.clock})
	w.svc.Routes(api)
	w.h = api.Handler()
	return w
}

type answer struct {
	*httptest.ResponseRecorder
	Success       bool
	Accepted      int
	Rejected      []intake.Rejected
	RejectedCount int
	Code          string
	Detail        string
	Fields        []httpx.ProblemField
}

func (w *world) send(path, body string, headers ...string) *answer {
	w.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("k1:")))
	r.Header.Set("Accept-Language", "en")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	a := &answer{ResponseRecorder: httptest.NewRecorder()}
	w.h.ServeHTTP(a, r)
	if a.Body.Len() > 0 {
		require.NoError(w, json.Unmarshal(a.Body.Bytes(), a), a.Body.String())
	}
	return a
}

func (w *world) one(path, body string, headers ...string) event.Fact {
	w.Helper()
	before := len(w.tape.facts(w.T))
	a := w.send(path, body, headers...)
	require.Equal(w, 200, a.ResponseRecorder.Code, a.Body.String())
	facts := w.tape.facts(w.T)
	require.Len(w, facts, before+1)
	return facts[before]
}

func TestCalls(t *testing.T) {
	w := newWorld(t, nil, nil)
	now := w.clock.Now().UnixMilli()
	f := w.one("/v1/track", `{"event":" Order Placed ","userId":"u1","anonymousId":"a1","messageId":"m1","properties":{"total":12.5},"context":{"ip":"1.2.3.4"},"junk":[1]}`)
	require.Equal(t, event.Fact{MessageID: "m1", Type: event.Track, Name: "Order Placed", UserID: "u1", AnonymousID: "a1", Timestamp: now, ReceivedAt: now,
		Source: "web", Properties: json.RawMessage(`{"total":12.5}`), Context: json.RawMessage(`{"ip":"1.2.3.4"}`)}, f)

	f = w.one("/v1/identify", `{"userId":123,"traits":{"phone":"13800138000","email":"a@b.cn","name":"李"},"context":{"externalIds":[{"id":"ox1","type":"unionid","collection":"users"},{"id":7,"type":"member_no"},{"type":"x"},5]}}`)
	require.Equal(t, event.NameIdentified, f.Name)
	require.Equal(t, "123", f.UserID)
	require.NotEmpty(t, f.MessageID)
	require.Equal(t, []event.Identifier{{Kind: "unionid", Value: "ox1"}, {Kind: "member_no", Value: "7"}, {Kind: "phone", Value: "13800138000"}, {Kind: "email", Value: "a@b.cn"}}, f.Identifiers)

	f = w.one("/v1/identify", `{"userId":"u","context":{"traits":{"phone":13800138000},"externalId":[{"type":"brazeExternalId","id":"b"}]}}`)
	require.JSONEq(t, `{"phone":13800138000}`, string(f.Traits), "RudderStack's place for traits")
	require.Equal(t, []event.Identifier{{Kind: "brazeExternalId", Value: "b"}, {Kind: "phone", Value: "13800138000"}}, f.Identifiers)

	f = w.one("/v1/page", `{"anonymousId":"a","name":"Home","category":"Docs","properties":{"url":"/x","name":"own"}}`)
	require.Equal(t, event.NamePageViewed, f.Name)
	require.JSONEq(t, `{"category":"Docs","url":"/x","name":"own"}`, string(f.Properties))
	f = w.one("/v1/s", `{"anonymousId":"a","name":"Main \"menu\""}`)
	require.Equal(t, event.NameScreenViewed, f.Name)
	require.JSONEq(t, `{"name":"Main \"menu\""}`, string(f.Properties))
	f = w.one("/v1/group", `{"userId":"u","groupId":5,"traits":{"email":"office@x.cn"}}`)
	require.Equal(t, "5", f.GroupID)
	require.Empty(t, f.Identifiers, "a group's address is not the person's")
	f = w.one("/v1/alias", `{"previousId":"a","userId":"u"}`)
	require.Equal(t, "a", f.PreviousID)
	require.Equal(t, event.NameAliased, f.Name)
}

func TestWriteKeyPlaces(t *testing.T) {
	w := newWorld(t, nil, nil)
	none := []string{"Authorization", ""}
	require.Equal(t, "Shop", w.one("/v1/t", `{"event":"e","userId":"u","writeKey":"k2"}`, none...).Source)
	require.Equal(t, "Shop", w.one("/v1/b", `{"batch":[{"type":"track","event":"e","userId":"u"}],"writeKey":"k2"}`, none...).Source)
	require.Equal(t, "Shop", w.one("/v1/b", `{"batch":[{"type":"track","event":"e","userId":"u","writeKey":"k2"}]}`, none...).Source)
	require.Equal(t, "Shop", w.one("/beacon/v1/batch?writeKey=k2", `{"batch":[{"type":"track","event":"e","userId":"u"}]}`, append(none, "Content-Type", "text/plain")...).Source)
	require.Equal(t, "web", w.one("/v1/t", `{"event":"e","userId":"u","writeKey":"k2"}`).Source, "the header wins")

	a := w.send("/v1/track", `{"event":"e","userId":"u"}`, none...)
	require.Equal(t, 401, a.ResponseRecorder.Code)
	require.Equal(t, "intake.key_missing", a.Code)
	a = w.send("/v1/track", `{"event":"e","userId":"u","writeKey":"nope"}`, none...)
	require.Equal(t, 401, a.ResponseRecorder.Code)
	require.Equal(t, "intake.key_unknown", a.Code)
	a = w.send("/v1/track", `{"event":"e","userId":"u","writeKey":"k1"}`, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("bad:")))
	require.Equal(t, 401, a.ResponseRecorder.Code)
	require.NotEmpty(t, a.Header().Get("WWW-Authenticate"))
	// Told that its key is wrong, an SDK would throw its facts away.
	a = w.send("/v1/track", `{"event":"e","userId":"u","writeKey":"away"}`, none...)
	require.Equal(t, 503, a.ResponseRecorder.Code)
	require.Equal(t, "intake.unavailable", a.Code)
	require.NotEmpty(t, a.Header().Get("Retry-After"))
	require.Len(t, w.tape.facts(t), 5)
}

func TestOneBadEventDoesNotLoseTheOthers(t *testing.T) {
	w := newWorld(t, nil, nil)
	a := w.send("/v1/batch", `{"batch":[
		{"type":"track","event":"a","userId":"u"},
		{"type":"track","userId":"u","messageId":"m2"},
		{"type":"nope","userId":"u"},
		{"event":"a","userId":"u"},
		7,
		{"type":"track","event":"a"},
		{"type":"track","event":{"x":1},"userId":"u"},
		{"type":"track","event":"a","userId":true},
		{"type":"track","event":"a","userId":"u","properties":[1]},
		{"type":"track","event":"a","userId":"u","timestamp":"yesterday"},
		{"type":"group","userId":"u"},
		{"type":"alias","userId":"u"},
		{"type":"track","event":"a","userId":"`+strings.Repeat("x", 600)+`"},
		{"type":"track","event":"a","userId":"u","properties":{"x":"`+strings.Repeat("x", 33<<10)+`"}},
		{"type":"track","event":"a","userId":"u","properties":{"x":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`}},
		{"type":"identify","userId":"u"}
	]}`)
	require.Equal(t, 200, a.ResponseRecorder.Code)
	require.True(t, a.Success)
	require.Equal(t, 2, a.Accepted)
	got := []string{}
	for _, r := range a.Rejected {
		require.NotEmpty(t, r.Detail)
		require.NotEqual(t, r.Code, r.Detail, "translated")
		got = append(got, fmt.Sprint(r.Index, " ", r.Path, " ", r.Code))
	}
	require.Equal(t, []string{
		"1 batch[1].event intake.required", "2 batch[2].type intake.unknown_type", "3 batch[3].type intake.required", "4 batch[4] intake.wrong_type",
		"5 batch[5].userId intake.identity_required", "6 batch[6].event intake.wrong_type", "7 batch[7].userId intake.wrong_type",
		"8 batch[8].properties intake.wrong_type", "9 batch[9].timestamp intake.bad_time", "10 batch[10].groupId intake.required",
		"11 batch[11].previousId intake.required", "12 batch[12].userId intake.too_long", "13 batch[13] intake.event_too_large",
		"14 batch[14].properties intake.too_deep",
	}, got)
	require.Equal(t, "m2", a.Rejected[0].MessageID)
	require.Len(t, w.tape.facts(t), 2)
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, c := range []struct {
		name, path, body string
		status           int
		code, field      string
	}{
		{"field of a single event", "/v1/track", `{"userId":"u"}`, 400, "intake.invalid", "event"},
		{"no identity", "/v1/page", `{"name":"x"}`, 400, "intake.invalid", "userId"},
		{"all of a batch", "/v1/batch", `{"batch":[{"type":"track"}]}`, 400, "intake.all_invalid", "batch[0].event"},
		{"empty body", "/v1/track", ``, 400, "intake.empty", ""},
		{"empty batch", "/v1/batch", `{"batch":[]}`, 400, "intake.empty", "batch"},
		{"no batch", "/v1/batch", `{}`, 400, "intake.invalid", "batch"},
		{"batch of another type", "/v1/batch", `{"batch":{}}`, 400, "intake.invalid", "batch"},
		{"no object", "/v1/track", `"x"`, 400, "intake.invalid", ""},
		{"broken", "/v1/track", `{"event":"a",`, 400, "intake.malformed", ""},
		{"two values", "/v1/track", `{"event":"a","userId":"u"} {}`, 400, "intake.malformed", ""},
		{"large event", "/v1/track", `{"event":"a","userId":"u","properties":{"x":"` + strings.Repeat("x", 33<<10) + `"}}`, 413, "intake.event_too_large", ""},
		{"large body", "/v1/batch", `{"batch":["` + strings.Repeat("x", 501<<10) + `"]}`, 413, "intake.body_too_large", ""},
		{"too many", "/v1/batch", `{"batch":[` + strings.Repeat("{},", 5000) + `{}]}`, 413, "intake.too_many_events", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.send(c.path, c.body)
			require.Equal(t, c.status, a.ResponseRecorder.Code, a.Body.String())
			require.Equal(t, c.code, a.Code)
			require.Equal(t, "application/problem+json", a.Header().Get("Content-Type"))
			require.Equal(t, "*", a.Header().Get("Access-Control-Allow-Origin"))
			if c.field != "" {
				require.Equal(t, c.field, a.Fields[0].Path)
			}
		})
	}
	a := w.send("/v1/track", `{"userId":"u"}`, "Accept-Language", "zh-CN,zh;q=0.9")
	require.Equal(t, "此项必填。", a.Fields[0].Detail)
	a = w.send("/v1/track", `{}`, "Content-Encoding", "br")
	require.Equal(t, 415, a.ResponseRecorder.Code)
	a = w.send("/v1/batch", `{"batch":[`+strings.Repeat("{},", 4000)+`{"type":"track","event":"e","userId":"u"}]}`)
	require.Equal(t, 200, a.ResponseRecorder.Code)
	require.Len(t, a.Rejected, 500, "an answer has a bound")
	require.Equal(t, 4000, a.RejectedCount)
	require.Len(t, w.tape.facts(t), 1)
}

func zip(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, s)
	_ = z.Close()
	return b.String()
}

func TestGzip(t *testing.T) {
	w := newWorld(t, nil, nil)
	body := `{"batch":[{"type":"track","event":"e","userId":"u","properties":{"x":"` + strings.Repeat("y", 20000) + `"}}]}`
	w.one("/v1/batch", zip(body), "Content-Encoding", "gzip")
	w.one("/v1/batch", zip(body), "Content-Encoding", "gzip", "Content-Type", "application/x-www-form-urlencoded") // RudderStack for Node
	w.one("/v1/batch", zip(body), "Content-Type", "text/plain")                                                    // not said at all
	a := w.send("/v1/batch", body, "Content-Encoding", "gzip")
	require.Equal(t, 400, a.ResponseRecorder.Code)
	require.Equal(t, "intake.bad_gzip", a.Code)
	a = w.send("/v1/batch", zip(body)[:60], "Content-Encoding", "gzip")
	require.Equal(t, "intake.bad_gzip", a.Code)
	bomb := zip(strings.Repeat(" ", 400<<20))
	require.Less(t, len(bomb), 500<<10)
	start := time.Now()
	a = w.send("/v1/batch", bomb, "Content-Encoding", "gzip")
	require.Equal(t, 413, a.ResponseRecorder.Code)
	require.Less(t, time.Since(start), 2*time.Second, "not unpacked further than the limit")
	a = w.send("/v1/batch", bomb)
	require.Equal(t, 413, a.ResponseRecorder.Code)
}

func TestTimes(t *testing.T) {
	w := newWorld(t, nil, nil) // 2026-03-02T08:00:00Z
	at := func(s string) int64 {
		v, err := time.Parse(time.RFC3339Nano, s)
		require.NoError(t, err)
		return v.UnixMilli()
	}
	for _, c := range []struct{ name, path, fields, want string }{
		{"none", "/v1/track", ``, "2026-03-02T08:00:00Z"},
		{"as said", "/v1/track", `"timestamp":"2026-03-01T10:00:00.250+08:00"`, "2026-03-01T02:00:00.250Z"},
		{"clock an hour slow", "/v1/track", `"timestamp":"2026-03-02T06:59:50Z","sentAt":"2026-03-02T07:00:00Z"`, "2026-03-02T07:59:50Z"},
		{"clock an hour fast", "/v1/track", `"originalTimestamp":"2026-03-02T08:59:00Z","sentAt":"2026-03-02T09:00:00Z"`, "2026-03-02T07:59:00Z"},
		{"history is not corrected", "/v1/import", `"timestamp":"2020-01-01T00:00:00Z","sentAt":"2026-03-02T07:00:00Z"`, "2020-01-01T00:00:00Z"},
		{"seconds", "/v1/track", `"timestamp":1772400000`, "2026-03-01T21:20:00Z"},
		{"milliseconds as text", "/v1/track", `"timestamp":"1772400000123"`, "2026-03-01T21:20:00.123Z"},
		{"no zone", "/v1/track", `"timestamp":"2026-03-01 10:00:00"`, "2026-03-01T10:00:00Z"},
		{"a date", "/v1/track", `"timestamp":"2026-02-28"`, "2026-02-28T00:00:00Z"},
		{"nanoseconds", "/v1/track", `"timestamp":"2026-02-28T00:00:00.123456789Z"`, "2026-02-28T00:00:00.123Z"},
		{"null", "/v1/track", `"timestamp":null`, "2026-03-02T08:00:00Z"},
		{"far future", "/v1/track", `"timestamp":"2036-01-01T00:00:00Z"`, "2026-03-02T08:00:00Z"},
		{"bad sentAt is no reason to lose it", "/v1/track", `"timestamp":"2026-03-01T10:00:00Z","sentAt":"soon"`, "2026-03-01T10:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sub := *w
			sub.T = t
			ev := `{"type":"track","event":"e","userId":"u"`
			if c.fields != "" {
				ev += "," + c.fields
			}
			ev += "}"
			if c.path == "/v1/import" {
				ev = `{"batch":[` + ev + `],"sentAt":"2026-03-02T07:00:00Z"}`
			}
			require.Equal(t, at(c.want), sub.one(c.path, ev).Timestamp)
		})
	}
	f := w.one("/v1/batch", `{"batch":[{"type":"track","event":"e","userId":"u","timestamp":"2026-03-02T06:59:50Z"}],"sentAt":"2026-03-02T07:00:00Z"}`)
	require.Equal(t, at("2026-03-02T07:59:50Z"), f.Timestamp, "the envelope's sentAt counts, although it comes last")
}

func TestOddInputIsTakenSanely(t *testing.T) {
	w := newWorld(t, nil, nil)
	f := w.one("/v1/track", "{\"event\":\"e\",\"userId\":12345678901234567890,\"anonymousId\":null,\"properties\":{\"nan\":NaN,\"big\":123456789012345678901234567890,\"inf\":1e999,\"bad\":\"a\xffb\",\"half\":\"\\ud800\",\"nul\":\"\\u0000\",\"dup\":1,\"dup\":2}}")
	require.Equal(t, "12345678901234567890", f.UserID)
	require.Equal(t, `{"nan":null,"big":123456789012345678901234567890,"inf":null,"bad":"a`+"\uFFFD"+`b","half":"`+"\uFFFD"+`","nul":"`+"\uFFFD"+`","dup":2}`, string(f.Properties))
	f = w.one("/v1/track", "\ufeff"+` {"event":"x","event":"e\u00e9 \ud83d\ude00","userId":" u ","properties":null,"context":{},"traits":null} `)
	require.Equal(t, "eé 😀", f.Name)
	require.Equal(t, "u", f.UserID)
	require.Nil(t, f.Properties)
	require.Nil(t, f.Context)
	f = w.one("/v1/batch", `{"context":{"library":{"name":"go"},"ip":"2"},"batch":[{"type":"TRACK","event":"e","userId":"u","context":{"ip":"1"}}]}`)
	require.JSONEq(t, `{"ip":"1","library":{"name":"go"}}`, string(f.Context))
	f = w.one("/v1/batch", `[{"type":"track","event":"e","userId":"u"}]`)
	require.Equal(t, "e", f.Name)
}

func TestSegmentPayloads(t *testing.T) {
	files, err := filepath.Glob("testdata/segment/*.json")
	require.NoError(t, err)
	require.Len(t, files, 12)
	for _, file := range files {
		w := newWorld(t, nil, nil)
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		a := w.send("/v1/batch", string(body))
		require.Equal(t, 200, a.ResponseRecorder.Code, "%s: %s", file, a.Body)
		require.Empty(t, a.Rejected, file)
		var sent struct{ Batch []map[string]any }
		require.NoError(t, json.Unmarshal(body, &sent))
		facts := w.tape.facts(t)
		require.Len(t, facts, len(sent.Batch), file)
		for i, f := range facts {
			require.EqualValues(t, sent.Batch[i]["type"], f.Type)
			require.Equal(t, sent.Batch[i]["messageId"], f.MessageID)
			require.Contains(t, string(f.Context), "analytics-go")
		}
	}
}

func TestPreflightAndSettings(t *testing.T) {
	w := newWorld(t, nil, nil)
	r := httptest.NewRequest("OPTIONS", "/v1/p", nil)
	r.Header.Set("Origin", "https://shop.example")
	r.Header.Set("Access-Control-Request-Method", "POST")
	r.Header.Set("Access-Control-Request-Headers", "authorization,content-type,anonymousid")
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	require.Equal(t, 204, rec.Code)
	require.Equal(t, "*", rec.Header().Get("Access-Control-Allow-Origin"))
	require.Contains(t, rec.Header().Get("Access-Control-Allow-Headers"), "anonymousid")

	get := func(path string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		w.h.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
		return rec
	}
	rec = get("/v1/projects/k1/settings")
	require.Equal(t, 200, rec.Code)
	require.Contains(t, rec.Body.String(), `"apiHost":"example.com/v1"`)
	require.Equal(t, "*", rec.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, 401, get("/v1/projects/nope/settings").Code)
	require.Equal(t, 405, get("/v1/track").Code)
	require.Equal(t, "POST", get("/v1/track").Header().Get("Allow"))
	require.Equal(t, 404, get("/v1/nonsense").Code)
	require.Equal(t, 404, w.send("/v1/nonsense", "{}").ResponseRecorder.Code)
	require.Equal(t, 200, get("/sourceConfig/?writeKey=k1&p=npm").Code)
	require.Equal(t, 401, get("/sourceConfig/?p=npm").Code)
}

func TestOverCapacity(t *testing.T) {
	w := newWorld(t, nil, func(d *intake.Deps) { d.Queue = 2000 })
	w.tape.hold = make(chan struct{})
	big := `{"event":"e","userId":"u","properties":{"x":"` + strings.Repeat("y", 1500) + `"}}`
	first := make(chan *answer, 1)
	go func() { first <- w.send("/v1/track", big) }()
	require.Eventually(t, func() bool { w.tape.mu.Lock(); defer w.tape.mu.Unlock(); return len(w.tape.messages) == 1 }, 30*time.Second, time.Millisecond)
	a := w.send("/v1/track", big)
	require.Equal(t, 429, a.ResponseRecorder.Code)
	require.Equal(t, "intake.busy", a.Code)
	require.NotEmpty(t, a.Header().Get("Retry-After"))
	close(w.tape.hold)
	require.Equal(t, 200, (<-first).ResponseRecorder.Code)
	require.Len(t, w.tape.facts(t), 1)

	w.tape.mu.Lock()
	w.tape.hold, w.tape.refuse = nil, bus.ErrFull
	w.tape.mu.Unlock()
	a = w.send("/v1/track", `{"event":"e","userId":"u"}`)
	require.Equal(t, 429, a.ResponseRecorder.Code)
	require.Equal(t, "intake.full", a.Code)
	require.NotEmpty(t, a.Header().Get("Retry-After"))
	w.tape.mu.Lock()
	w.tape.refuse = bus.ErrUnavailable
	w.tape.mu.Unlock()
	a = w.send("/v1/track", `{"event":"e","userId":"u"}`)
	require.Equal(t, 503, a.ResponseRecorder.Code)

	w.svc.Drain()
	a = w.send("/v1/track", `{"event":"e","userId":"u"}`)
	require.Equal(t, 503, a.ResponseRecorder.Code)
	require.Equal(t, "intake.draining", a.Code)
}

func TestRequestsShareMessages(t *testing.T) {
	w := newWorld(t, nil, nil)
	w.tape.hold = make(chan struct{})
	var wg sync.WaitGroup
	send := func() {
		wg.Go(func() { require.Equal(t, 200, w.send("/v1/track", `{"event":"e","userId":"u"}`).ResponseRecorder.Code) })
	}
	send()
	require.Eventually(t, func() bool { w.tape.mu.Lock(); defer w.tape.mu.Unlock(); return len(w.tape.messages) == 1 }, 30*time.Second, time.Millisecond)
	for range 50 {
		send()
	}
	require.Eventually(t, func() bool { return w.svc.Waiting() == 51 }, 30*time.Second, time.Millisecond)
	close(w.tape.hold)
	wg.Wait()
	require.Len(t, w.tape.facts(t), 51)
	require.True(t, w.svc.Busy(), "a crowd")
	require.Len(t, w.tape.messages, 2, "all that came while the first was being synced go together")
}

type dbT = db.DB

func TestStaffsWordsAreNotTakenFromOutside(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, name := range []string{"note.added", "tag.added", "contact.merged", "owner.changed", "followup.done"} {
		a := w.send("/v1/track", `{"userId":"u","event":"`+name+`","properties":{"by":"王经理"}}`)
		require.Equal(t, 400, a.ResponseRecorder.Code, name)
		require.Equal(t, "intake.reserved_name", a.Fields[0].Code)
	}
	w.one("/v1/track", `{"userId":"u","event":"order.paid","properties":{"orderNumber":"1","total":1,"currency":"CNY"}}`)
}

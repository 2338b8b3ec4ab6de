package intake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/intake"
	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// lastMessage is a stream that keeps only the newest message.
type lastMessage struct{ data []byte }

func (l *lastMessage) Send(data []byte) (func(context.Context) bus.Ack, error) {
	l.data = bytes.Clone(data)
	return func(context.Context) bus.Ack { return bus.Ack{Seq: 1} }, nil
}

// FuzzBody: whatever a body holds, the intake answers with a status of the
// protocol, what it says it took is what the stream has, and all of it can be
// stored: valid JSON, valid Unicode, an identity, a name, a time.
func FuzzBody(f *testing.F) {
	files, err := filepath.Glob("testdata/segment/*.json")
	require.NoError(f, err)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(body, true)
	}
	for _, s := range []string{
		`{"event":"e","userId":1,"properties":{"a":NaN,"a":"\ud800","b":1e999},"context":{"externalIds":[{"id":1,"type":"x"}]}}`,
		`{"batch":[{"type":"page","name":"x","category":"y","anonymousId":"a","properties":{"name":null}}],"context":{"a":1},"sentAt":12345}`,
		`[{"type":"alias","previousId":"a","userId":"b","timestamp":"2026-03-02T08:00:00+08:00"}]`, "\xef\xbb\xbf{}", "{\"event\":\"\x00\xff\",\"userId\":\"u\"}",
		`{"batch":[{"type":"identify","userId":"u","traits":{"phone":1,"email":"e"}},{"type":"group","groupId":true},5,null]}`,
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	stream := &lastMessage{}
	c := testkit.Clock()
	svc := intake.New(intake.Deps{Stream: stream, WriteKeys: keys{"k": {Name: "fuzz"}}, Clock: c, IDs: testkit.IDs(c), Log: testkit.Quiet()})
	require.NoError(f, svc.Start(f.Context()))
	f.Cleanup(func() { _ = svc.Stop(context.Background()) })
	h := svc.Handler()
	f.Fuzz(func(t *testing.T, body []byte, batch bool) {
		path := "/v1/track"
		if batch {
			path = "/v1/batch"
		}
		r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
		r.SetBasicAuth("k", "")
		w := httptest.NewRecorder()
		stream.data = nil
		h.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			if stream.data != nil {
				t.Fatal("refused, and taken all the same")
			}
			return
		case http.StatusOK:
		default:
			t.Fatalf("status %d", w.Code)
		}
		var answer struct{ Accepted int }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		var d wire.Decoder
		facts, err := d.Decode(nil, stream.data)
		if err != nil {
			t.Fatal(err)
		}
		if len(facts) != answer.Accepted || len(facts) == 0 {
			t.Fatalf("%d accepted, %d on the stream", answer.Accepted, len(facts))
		}
		for _, got := range facts {
			storable(t, got)
		}
	})
}

func storable(t *testing.T, f event.Fact) {
	for _, s := range []string{f.MessageID, f.Name, f.UserID, f.AnonymousID, f.PreviousID, f.GroupID} {
		if !utf8.ValidString(s) || bytes.IndexByte([]byte(s), 0) >= 0 {
			t.Fatalf("text %q", s)
		}
	}
	for _, id := range f.Identifiers {
		if id.Kind == "" || id.Value == "" || !utf8.ValidString(id.Kind+id.Value) {
			t.Fatalf("identifier %q", id)
		}
	}
	for _, raw := range [][]byte{f.Properties, f.Traits, f.Context} {
		if len(raw) > 0 && (raw[0] != '{' || !json.Valid(raw) || !utf8.Valid(raw)) {
			t.Fatalf("JSON %q", raw)
		}
	}
	if f.MessageID == "" || f.Name == "" || f.UserID == "" && f.AnonymousID == "" && len(f.Identifiers) == 0 {
		t.Fatalf("incomplete: %+v", f)
	}
	if f.ReceivedAt == 0 || f.Timestamp > f.ReceivedAt+24*3600*1000 {
		t.Fatalf("times: %d, %d", f.Timestamp, f.ReceivedAt)
	}
}

package intake_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/intake"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestDoorChecksAndFillsIn(t *testing.T) {
	w := newWorld(t, nil, nil)
	facts := []event.Fact{
		{Name: "order.paid", UserID: "u", Source: "shop", Properties: json.RawMessage(` {"total":1,"total":2,"bad":"` + "\xff" + `"} `), Context: json.RawMessage(`null`)},
		{Name: "", UserID: "u"},
		{Name: "x"},
		{Name: "x", UserID: "u", Properties: json.RawMessage(`[1]`)},
		{Name: "x", UserID: "u", Properties: json.RawMessage(`{"a":`)},
		{Name: "x", UserID: "u", Type: "shout"},
		{Name: "x", Contact: 7, UserID: "a\x00b", Timestamp: 5},
		{Name: "x", Identifiers: []event.Identifier{{Kind: "phone"}}},
	}
	seq, err := w.svc.Ingest(t.Context(), facts)
	require.EqualValues(t, 1, seq)
	e := errs.As(err)
	require.Equal(t, "intake.invalid", e.Code)
	got := []string{}
	for _, f := range e.Fields {
		got = append(got, f.Path+" "+f.Code)
	}
	require.Equal(t, []string{"facts[1].name intake.required", "facts[2].userId intake.identity_required", "facts[3].properties intake.wrong_type",
		"facts[4].properties intake.malformed", "facts[5].type intake.unknown_type", "facts[7].identifiers[0] intake.bad_identifier"}, got)
	stored := w.tape.facts(t)
	require.Len(t, stored, 2)
	require.Equal(t, `{"total":2,"bad":"`+"\uFFFD"+`"}`, string(stored[0].Properties))
	require.Empty(t, stored[0].Context)
	require.Equal(t, event.Track, stored[0].Type)
	require.NotEmpty(t, stored[0].MessageID)
	require.Equal(t, facts[0].MessageID, stored[0].MessageID, "the caller learns it")
	require.Equal(t, stored[0].ReceivedAt, stored[0].Timestamp)
	require.Equal(t, "a\uFFFDb", stored[1].UserID)
	require.EqualValues(t, 5, stored[1].Timestamp)
}

// noise is JSON that no compression makes small.
func noise(bytes int) json.RawMessage {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-"
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, bytes)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return json.RawMessage(`{"x":"` + string(b) + `"}`)
}

func TestDoorSizes(t *testing.T) {
	w := newWorld(t, nil, func(d *intake.Deps) { d.MaxMessage = 3 << 20 })
	_, err := w.svc.Ingest(t.Context(), []event.Fact{{Name: "order.paid", UserID: "u", Properties: noise(1<<20 - 100)}})
	require.NoError(t, err, "a large order is fine")
	_, err = w.svc.Ingest(t.Context(), []event.Fact{{Name: "order.paid", UserID: "u", Properties: noise(1 << 20)}})
	require.Equal(t, "intake.event_too_large", errs.As(err).Fields[0].Code)
	var many []event.Fact
	for i := range 8 {
		many = append(many, event.Fact{Name: "x", UserID: fmt.Sprint(i), Properties: noise(600 << 10)})
	}
	_, err = w.svc.Ingest(t.Context(), many)
	require.Equal(t, "intake.batch_too_large", errs.CodeOf(err))
	require.Len(t, w.tape.facts(t), 1, "all or nothing")
	var thousands []event.Fact
	for range 20_001 {
		thousands = append(thousands, event.Fact{Name: "x", UserID: "u"})
	}
	_, err = w.svc.Ingest(t.Context(), thousands)
	require.Equal(t, "intake.batch_too_large", errs.CodeOf(err))
	_, err = w.svc.Ingest(t.Context(), thousands[:20_000])
	require.NoError(t, err)
}

func TestDoorWhenTheStreamIsFull(t *testing.T) {
	w := newWorld(t, nil, nil)
	w.tape.refuse = bus.ErrFull
	for _, size := range []int{10, 300 << 10} { // through the coalescer, and alone
		_, err := w.svc.Ingest(t.Context(), []event.Fact{{Name: "x", UserID: "u", Properties: noise(size)}})
		require.Equal(t, errs.TooMany, errs.As(err).Kind)
	}
	require.NoError(t, w.svc.Stop(t.Context()))
	_, err := w.svc.Ingest(t.Context(), []event.Fact{{Name: "x", UserID: "u"}})
	require.Equal(t, errs.Unavailable, errs.As(err).Kind)
}

func TestEmitSplitsAndParks(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *dbT) {
		w := newWorld(t, d, nil)
		_, err := d.Exec(t.Context(), "insert into outbox (id, topic, payload, created_at) values (0, 'facts', 'no json', 1)")
		require.NoError(t, err)
		var many []event.Fact
		for i := range 40 {
			many = append(many, event.Fact{Name: "x", UserID: fmt.Sprint(i), Properties: noise(50 << 10)})
		}
		require.NoError(t, w.svc.Emit(t.Context(), many...))
		_, err = w.svc.Flush(t.Context())
		require.NoError(t, err)
		got := w.tape.facts(t)
		require.Len(t, got, 40)
		for i, f := range got {
			require.Equal(t, fmt.Sprint(i), f.UserID, "in order")
		}
		parked, err := d.Pending(t.Context(), "facts.unreadable", 5)
		require.NoError(t, err)
		require.Len(t, parked, 1, "what cannot be read is kept for a person, and blocks nobody")
		require.True(t, strings.HasPrefix(string(parked[0].Payload), "no json"))
	})
}

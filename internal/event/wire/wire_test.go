package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/wire"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func full(i int) event.Fact {
	return event.Fact{
		MessageID: fmt.Sprint("m-", i), Type: event.Track, Name: "Product Viewed", UserID: fmt.Sprint("u", i), AnonymousID: "a", PreviousID: "p",
		GroupID: "g", Identifiers: []event.Identifier{{Kind: "phone", Value: "13800138000"}, {Kind: "unionid", Value: "o6"}}, Contact: 7,
		Timestamp: 1772438400123, ReceivedAt: 1772438400456, Source: "web", ImportID: "im_1",
		Properties: json.RawMessage(`{"price":1}`), Traits: json.RawMessage(`{"t":1}`), Context: json.RawMessage(`{"c":1}`),
	}
}

func encode(facts ...event.Fact) []byte {
	var frames []byte
	for i := range facts {
		frames = wire.AppendFrame(frames, &facts[i])
	}
	return wire.Message(frames, len(facts))
}

func TestRoundTrip(t *testing.T) {
	large := full(1)
	large.Properties = json.RawMessage(`{"x":"` + strings.Repeat("y", 1<<20) + `"}`)
	future := event.Fact{MessageID: "m", Type: event.Alias, Name: "x", Timestamp: 5, ReceivedAt: 3}
	past := event.Fact{Type: event.Page, Timestamp: -62135596800000, ReceivedAt: 1}
	in := []event.Fact{full(0), {MessageID: "m", Type: event.Identify, Name: "n"}, large, future, past}
	var d wire.Decoder
	got, err := d.Decode(nil, encode(in...))
	require.NoError(t, err)
	require.Equal(t, in, got)
	none, err := d.Decode(nil, encode())
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestRoundTripAny(t *testing.T) {
	text := rapid.String()
	raw := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 900), func(b []byte) json.RawMessage {
		if len(b) == 0 {
			return nil
		}
		return b
	})
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event.Fact {
			f := event.Fact{
				MessageID: text.Draw(t, "id"), Name: text.Draw(t, "name"), Source: text.Draw(t, "source"), UserID: text.Draw(t, "user"),
				GroupID: text.Draw(t, "group"), ImportID: text.Draw(t, "import"), Contact: rapid.Int64().Draw(t, "contact"),
				Timestamp: rapid.Int64Range(-1<<50, 1<<50).Draw(t, "ts"), ReceivedAt: rapid.Int64Range(0, 1<<50).Draw(t, "at"),
				Type: rapid.SampledFrom([]event.Type{event.Track, event.Alias, event.Screen}).Draw(t, "type"), Properties: raw.Draw(t, "props"), Context: raw.Draw(t, "ctx"),
			}
			for range rapid.IntRange(0, 3).Draw(t, "ids") {
				f.Identifiers = append(f.Identifiers, event.Identifier{Kind: text.Draw(t, "kind"), Value: text.Draw(t, "value")})
			}
			return f
		}), 0, 20).Draw(t, "facts")
		var d wire.Decoder
		got, err := d.Decode(nil, encode(in...))
		if err != nil {
			t.Fatal(err)
		}
		if len(in) == 0 && len(got) == 0 {
			return
		}
		require.Equal(t, in, got)
	})
}

// TestOldMessages reads what version 1 wrote when it was made: the format is a promise.
func TestOldMessages(t *testing.T) {
	file := filepath.Join("testdata", "v1.bin")
	facts := []event.Fact{full(0), {MessageID: "m", Type: event.Identify, Name: event.NameIdentified, Source: "s", ReceivedAt: 9, Timestamp: 8}}
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, encode(facts...), 0o644))
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var d wire.Decoder
	got, err := d.Decode(nil, data)
	require.NoError(t, err)
	require.Equal(t, facts, got)
}

func TestDamageIsNoticedOrHarmless(t *testing.T) {
	whole := encode(full(0), full(1), full(2))
	var d wire.Decoder
	for cut := range whole {
		_, err := d.Decode(nil, whole[:cut])
		require.ErrorIs(t, err, wire.ErrCorrupt, "cut at %d", cut)
	}
	_, err := d.Decode(nil, append(bytes.Clone(whole), 0))
	require.ErrorIs(t, err, wire.ErrCorrupt)
	later := bytes.Clone(whole)
	later[1] = 9
	_, err = d.Decode(nil, later)
	require.ErrorContains(t, err, "version 9")
}

func TestCompressesWhenItPays(t *testing.T) {
	var facts []event.Fact
	for i := range 100 {
		facts = append(facts, full(i))
	}
	var raw []byte
	for i := range facts {
		raw = wire.AppendFrame(raw, &facts[i])
	}
	require.Less(t, len(encode(facts...)), len(raw)/3)
	require.Equal(t, 100, wire.Count(encode(facts...)))
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(full(0)))
	f.Add(encode(full(0), full(1), full(2), full(3), full(4), full(5)))
	f.Add([]byte("K\x01\x01\x01\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d wire.Decoder
		facts, err := d.Decode(nil, data)
		if err != nil {
			return
		}
		again, err := d.Decode(nil, encode(facts...))
		if err != nil {
			t.Fatalf("what was decoded does not decode again: %v", err)
		}
		a, _ := json.Marshal(len(facts))
		b, _ := json.Marshal(len(again))
		if !bytes.Equal(a, b) {
			t.Fatal("count changed")
		}
		for i := range facts {
			if facts[i].MessageID != again[i].MessageID || facts[i].Timestamp != again[i].Timestamp || !bytes.Equal(facts[i].Properties, again[i].Properties) {
				t.Fatalf("fact %d changed", i)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	f := full(1)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = wire.AppendFrame(dst[:0], &f)
	}
}

func BenchmarkDecode100(b *testing.B) {
	var facts []event.Fact
	for i := range 100 {
		facts = append(facts, full(i))
	}
	data := encode(facts...)
	var d wire.Decoder
	var out []event.Fact
	b.ReportAllocs()
	for b.Loop() {
		out, _ = d.Decode(out[:0], data)
	}
}

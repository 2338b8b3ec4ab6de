package jsonscan_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event/jsonscan"
	"github.com/stretchr/testify/require"
)

func skip(t testing.TB, text string) (jsonscan.Value, error) {
	t.Helper()
	var s jsonscan.Scanner
	s.Reset([]byte(text))
	v, err := s.Skip()
	if err == nil && !s.End() {
		return v, jsonscan.ErrSyntax
	}
	return v, err
}

func TestCleanMakesStorable(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{`{"a":1}`, `{"a":1}`},
		{`{"a":NaN,"b":-Infinity,"c":[Infinity,1]}`, `{"a":null,"b":null,"c":[null,1]}`},
		{`{"a":1e999,"b":-1e999,"c":1e308}`, `{"a":null,"b":null,"c":1e308}`},
		{`{"a":` + strings.Repeat("9", 400) + `}`, `{"a":null}`},
		{"{\"a\":\"x\xffy\"}", `{"a":"x` + "\uFFFD" + `y"}`},
		{`{"a":"\ud83d"}`, `{"a":"` + "\uFFFD" + `"}`},
		{`{"a":"\ude00\ud83d\ude00"}`, `{"a":"` + "\uFFFD😀" + `"}`},
		{`{"a":"\ud83d\ude00"}`, `{"a":"\ud83d\ude00"}`}, // not dirty: kept as sent
		{`{"a":"\u0000"}`, `{"a":"` + "\uFFFD" + `"}`},
		{"{\"a\":\"line\nbreak\ttab\"}", `{"a":"line\nbreak\ttab"}`},
		{`{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
		{`{"a":1,"\u0061":2}`, `{"a":2}`},
		{`{"x":{"a":1,"a":2}}`, `{"x":{"a":1,"a":2}}`}, // deeper repeats are left alone
	} {
		v, err := skip(t, c.in)
		require.NoError(t, err, c.in)
		got := c.in
		if v.Is(jsonscan.Dirty) {
			got = string(jsonscan.Clean(nil, v))
		}
		require.Equal(t, c.out, got)
		require.True(t, json.Valid([]byte(got)), got)
	}
}

func TestManyKeys(t *testing.T) {
	var b strings.Builder
	for i := range 60 {
		b.WriteString(`"k` + strings.Repeat("x", i) + `":1,`)
	}
	v, err := skip(t, "{"+b.String()+`"z":1}`)
	require.NoError(t, err)
	require.Zero(t, v.Flags)
	v, err = skip(t, "{"+b.String()+`"kxx":1}`)
	require.NoError(t, err)
	require.True(t, v.Is(jsonscan.Repeat))
}

func TestRefuses(t *testing.T) {
	for _, in := range []string{"", "{", `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[1 2]`, `{"a":1 "b":2}`, `{a:1}`, `{'a':1}`, `tru`, `nul`,
		`01`, `1.`, `.5`, `1e`, `-`, `+1`, `"\x"`, `"\u12"`, `"abc`, `{"a":1}}`, `[`, `]`, "1 2", `{1:2}`} {
		_, err := skip(t, in)
		require.Error(t, err, in)
	}
}

func TestDeepIsMarkedNotStacked(t *testing.T) {
	n := 200_000
	v, err := skip(t, strings.Repeat(`[{"a":`, n)+`"]}"`+strings.Repeat(`}]`, n))
	require.NoError(t, err)
	require.True(t, v.Is(jsonscan.Deep))
	v, err = skip(t, strings.Repeat(`[`, jsonscan.MaxDepth)+strings.Repeat(`]`, jsonscan.MaxDepth))
	require.NoError(t, err)
	require.False(t, v.Is(jsonscan.Deep))
}

func TestTextAndQuote(t *testing.T) {
	for _, s := range []string{"", "plain", "引号\"和\\", "tab\tnew\nline", "\x01", "😀"} {
		v, err := skip(t, string(jsonscan.Quote(nil, s)))
		require.NoError(t, err)
		require.Equal(t, s, string(jsonscan.Text(nil, v)))
	}
}

func FuzzSkip(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":"c\u00e9"}],"d":null}`, `"\ud83d\ude00"`, `-12.5e-7`, "[NaN,Infinity]", "{\"a\":\"\xff\"}", `{"a":1,"a":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var s jsonscan.Scanner
		s.Reset(in)
		v, err := s.Skip()
		whole := err == nil && s.End()
		if json.Valid(in) && !whole {
			t.Fatalf("refuses valid JSON %q: %v", in, err)
		}
		if !whole || v.Is(jsonscan.Deep) {
			return
		}
		if v.Flags&jsonscan.Dirty == 0 {
			if !json.Valid(v.Raw) || !utf8.Valid(v.Raw) {
				t.Fatalf("calls clean what is not: %q", v.Raw)
			}
			return
		}
		out := jsonscan.Clean(nil, v)
		if !json.Valid(out) || !utf8.Valid(out) {
			t.Fatalf("%q cleaned to %q", v.Raw, out)
		}
		again, err := skip(t, string(out))
		if err != nil || again.Is(jsonscan.Dirty) {
			t.Fatalf("cleaning %q left %q", v.Raw, out)
		}
	})
}

var sample = []byte(`{"type":"track","event":"Product Viewed","userId":"u-123456","anonymousId":"507f191e810c19729de860ea","messageId":"node-1716-9f3a-4b2c","timestamp":"2026-03-02T08:00:00.123Z","properties":{"sku":"A-1001","name":"锦鲤养殖入门手册","price":129.5,"currency":"CNY","quantity":2,"tags":["new","hot"],"in_stock":true},"context":{"library":{"name":"analytics-node","version":"2.1.0"},"ip":"10.0.0.1","locale":"zh-CN","page":{"url":"https://example.com/p/1001","title":"商品"}}}`)

func BenchmarkSkip(b *testing.B) {
	b.SetBytes(int64(len(sample)))
	b.ReportAllocs()
	var s jsonscan.Scanner
	for b.Loop() {
		s.Reset(sample)
		if _, err := s.Skip(); err != nil {
			b.Fatal(err)
		}
	}
}

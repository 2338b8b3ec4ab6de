package rule

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// leaf reads one condition on behaviour.
func leaf(t testing.TB, text string) *Behaviour {
	t.Helper()
	r, err := Parse(`{"v":1,`+text[1:], "where")
	require.NoError(t, err, text)
	return &r.Behaviour
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	require.NoError(t, err)
	return z
}

func TestSpans(t *testing.T) {
	for _, c := range []struct{ zone, now, window, from, to string }{
		{"Asia/Shanghai", "2026-03-31T23:59:59+08:00", `{"last":1,"unit":"day"}`, "2026-03-31T00:00:00+08:00", ""},
		{"Asia/Shanghai", "2026-03-31T00:00:00+08:00", `{"last":7,"unit":"day"}`, "2026-03-25T00:00:00+08:00", ""},
		{"Asia/Shanghai", "2026-03-31T00:00:00+08:00", `{"last":2,"unit":"week"}`, "2026-03-18T00:00:00+08:00", ""},
		{"Asia/Shanghai", "2026-03-15T08:00:00+08:00", `{"last":1,"unit":"month"}`, "2026-02-16T00:00:00+08:00", ""},
		{"Asia/Shanghai", "2026-03-31T08:00:00+08:00", `{"last":1,"unit":"month"}`, "2026-03-01T00:00:00+08:00", ""},
		{"Asia/Shanghai", "2026-03-29T08:00:00+08:00", `{"last":1,"unit":"month"}`, "2026-03-01T00:00:00+08:00", ""},
		{"Asia/Shanghai", "2028-03-31T08:00:00+08:00", `{"last":1,"unit":"month"}`, "2028-03-01T00:00:00+08:00", ""},
		{"Asia/Shanghai", "2026-01-31T08:00:00+08:00", `{"last":2,"unit":"month"}`, "2025-12-01T00:00:00+08:00", ""},
		{"Asia/Shanghai", "2026-01-10T08:00:00+08:00", `{"last":14,"unit":"month"}`, "2024-11-11T00:00:00+08:00", ""},
		{"Asia/Shanghai", "2026-03-31T08:30:00.250+08:00", `{"last":90,"unit":"minute"}`, "2026-03-31T07:00:00.250+08:00", ""},
		{"Europe/Berlin", "2026-03-29T12:00:00+02:00", `{"last":12,"unit":"hour"}`, "2026-03-28T23:00:00+01:00", ""},
		{"Europe/Berlin", "2026-03-29T12:00:00+02:00", `{"last":1,"unit":"day"}`, "2026-03-29T00:00:00+01:00", ""},
		{"Asia/Beirut", "2026-03-29T12:00:00+03:00", `{"last":1,"unit":"day"}`, "2026-03-29T01:00:00+03:00", ""},                                           // midnight was skipped
		{"America/Havana", "2026-11-01T12:00:00-05:00", `{"last":1,"unit":"day"}`, "2026-11-01T00:00:00-04:00", ""},                                        // midnight comes twice
		{"Pacific/Apia", "2012-01-01T12:00:00+14:00", `{"from":"2011-12-30","to":"2011-12-30"}`, "2011-12-31T00:00:00+14:00", "2011-12-31T00:00:00+14:00"}, // the country skipped it
		{"Asia/Shanghai", "2026-03-31T08:00:00+08:00", `{"from":"2026-01-01"}`, "2026-01-01T00:00:00+08:00", ""},
		{"Asia/Shanghai", "2026-03-31T08:00:00+08:00", `{"to":"2026-01-01"}`, "", "2026-01-02T00:00:00+08:00"},
		{"America/New_York", "2026-03-31T08:00:00Z", `{"from":"2026-03-08","to":"2026-03-08"}`, "2026-03-08T00:00:00-05:00", "2026-03-09T00:00:00-04:00"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		require.NoError(t, err)
		var w Window
		require.NoError(t, json.Unmarshal([]byte(c.window), &w))
		ms := func(text string, open int64) int64 {
			if text == "" {
				return open
			}
			at, err := time.Parse(time.RFC3339, text)
			require.NoError(t, err)
			return at.UnixMilli()
		}
		from, to := w.Span(now, zone(t, c.zone))
		require.Equal(t, ms(c.from, Ever), from, "%s at %s: begins at %s", c.window, c.now, time.UnixMilli(from).In(zone(t, c.zone)))
		require.Equal(t, ms(c.to, Forever), to, "%s at %s", c.window, c.now)
	}
	from, to := (*Window)(nil).Span(time.Now(), time.UTC)
	require.Equal(t, []int64{Ever, Forever}, []int64{from, to})
}

func TestPropertiesAsTextsAndNumbers(t *testing.T) {
	for raw, want := range map[string]string{
		`"茶"`: "茶", `"a\u0062\n"`: "ab\n", `true`: "true", `1.50`: "1.5", `1e3`: "1000.0", `1.0`: "1.0", `-0`: "0", `-0.0`: "-0.0", `1.2e-7`: "1.2e-7", `0.0000012`: "0.0000012",
		`123456789012345678901234567890`: "123456789012345678901234567890", `1e21`: "1e21", `1e20`: "100000000000000000000.0", `1e309`: "1e309",
		`[1.50, "a\/b\u0001", {"k" : null}]`: `[1.5,"a/b\u0001",{"k":null}]`, `{"b":1, "a":[]}`: `{"b":1,"a":[]}`, `""`: "",
	} {
		got, there := property(json.RawMessage(`{"x":0,"p":`+raw+`,"p":"again"}`), "p")
		require.True(t, there)
		require.Equal(t, want, got, raw)
	}
	for _, props := range []string{``, `null`, `[]`, `{"q":1}`, `{"p":null}`, `{"p"`} {
		_, there := property(json.RawMessage(props), "p")
		require.False(t, there, props)
	}
	for text, want := range map[string]float64{
		"1": 1e6, " 1.5\n": 1.5e6, "+.5": .5e6, "5.": 5e6, "1_000": 1e9, "1e1_0": 1e16, "+-5": -5e6, "0.0000005": 1, "-0.0000005": -1, "0.00000049": 0, "1e15": 1e21, "1e-400": 0,
	} {
		got, ok := number(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-", "1,5", "1e", "e5", "inf", "nan", "0x10", "1__0", "_1", "1_", "--5", "+ 5", "1.5.5", "1e5.5", "true", "１", "1000000000000001", "1e400", "1-", "1e+-5"} {
		_, ok := number(text)
		require.False(t, ok, text)
	}
}

func TestEvidence(t *testing.T) {
	now := time.Date(2026, 3, 31, 4, 0, 0, 0, time.UTC)
	day := func(n int) int64 { return now.AddDate(0, 0, -n).UnixMilli() }
	facts := []Fact{
		{"order.paid", day(40), json.RawMessage(`{"total":0.1,"city":"杭州"}`)},
		{"page.viewed", day(39), nil},
		{"order.paid", day(9), json.RawMessage(`{"total":"0.2","city":"上海"}`)},
		{"order.paid", day(2), json.RawMessage(`{"total":"none"}`)},
	}
	for text, want := range map[string]Evidence{
		`{"event":{"name":"order.paid"}}`: {true, 3, 3.0, []int64{day(2), day(9), day(40)}},
		`{"event":{"name":"order.paid","measure":"sum","property":"total","op":"is","value":0.3}}`:                                    {true, 3, 0.3, []int64{day(2), day(9), day(40)}},
		`{"event":{"name":"order.paid","measure":"last","property":"city","op":"is","value":"上海","within":{"last":10,"unit":"day"}}}`: {true, 2, "上海", []int64{day(2), day(9)}},
		`{"event":{"name":"refund","measure":"max","property":"total","op":"gt","value":1}}`:                                          {},
		`{"event":{"name":"refund","measure":"max","property":"total","op":"isNot","value":1}}`:                                       {Holds: true},
		`{"event":{"name":"order.paid","measure":"firstTime","within":{"last":10,"unit":"day"}}}`:                                     {false, 1, nil, []int64{day(40)}},
		`{"sequence":{"steps":[{"name":"page.viewed"},{"name":"order.paid"}],"gap":{"n":30,"unit":"day"}}}`:                           {true, 2, nil, []int64{day(9), day(39)}},
		`{"sequence":{"steps":[{"name":"page.viewed"},{"name":"order.paid"}],"gap":{"n":29,"unit":"day"}}}`:                           {false, 1, nil, []int64{day(39)}},
		`{"habit":{"kind":"regularly","name":"order.paid","unit":"month","periods":2,"atLeast":2}}`:                                   {true, 3, 2.0, []int64{day(2), day(9), day(40)}},
		`{"habit":{"kind":"stopped","name":"order.paid","active":60,"quiet":5}}`:                                                      {false, 2, nil, []int64{day(2)}},
		`{"habit":{"kind":"resumed","name":"order.paid","active":10,"quiet":31}}`:                                                     {true, 2, 31.0, []int64{day(2), day(9)}},
	} {
		require.Equal(t, want, Look(leaf(t, text), facts, now, time.UTC), text)
	}
}

package sealed_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/analytics/engine/duckdb"
	"github.com/koipond/koipond/internal/analytics/sealed"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/rule"
)

// Facts lie in clear, under an older key and under the one of now; what is
// personal in them is found by whoever names it, and by nobody else.
func TestBehaviourOfSealedValues(t *testing.T) {
	old, newer := make([]byte, secret.KeySize), secret.NewKey()
	before, err := secret.NewRing(old)
	require.NoError(t, err)
	after, err := secret.NewRing(old, newer)
	require.NoError(t, err)
	engine := open(t, filepath.Join(t.TempDir(), "a.duckdb"))
	s := sealed.Wrap(engine, after)
	for i, row := range []struct {
		into  analytics.Store
		props string
	}{
		{engine, `{"phone":"13800138000","city":"杭州"}`},                  // 1
		{sealed.Wrap(engine, before), `{"phone":"13800138000"}`},         // 2
		{s, `{"phone":"13800138000","city":"杭州"}`},                       // 3
		{s, `{"phone":13800138000}`},                                     // 4
		{s, `{"phone":"13900139000","note":"12345678901","total":12.5}`}, // 5
		{s, `{"city":"北京"}`},                                             // 6
	} {
		n := i + 1
		f := analytics.Row{Position: event.Position{Seq: uint64(n)}, Contact: int64(n), Fact: event.Fact{MessageID: string(rune('a' + n)), Type: event.Track, Name: "e",
			Timestamp: int64(n) * 1000, ReceivedAt: int64(n), Source: "s", Properties: json.RawMessage(row.props)}}
		require.NoError(t, row.into.Append(t.Context(), analytics.Batch{Position: f.Position, Rows: []analytics.Row{f}}))
	}
	for text, want := range map[string][]int64{
		`"where":[{"property":"phone","op":"is","value":"13800138000"}]`:                                            {1, 2, 3, 4},
		`"where":[{"property":"phone","op":"is","value":13800138000}]`:                                              {1, 2, 3, 4},
		`"where":[{"property":"phone","op":"isNot","value":"13800138000"}]`:                                         {5, 6},
		`"where":[{"property":"phone","op":"in","value":["13900139000","x"]}]`:                                      {5},
		`"where":[{"property":"phone","op":"notIn","value":["13900139000",13800138000]}]`:                           {6},
		`"where":[{"property":"phone","op":"set"}]`:                                                                 {1, 2, 3, 4, 5},
		`"where":[{"property":"phone","op":"contains","value":"138"}]`:                                              {1}, // in clear still
		`"where":[{"property":"phone","op":"contains","value":"d"}]`:                                                nil,
		`"where":[{"property":"phone","op":"startsWith","value":"d1."}]`:                                            nil,
		`"where":[{"property":"phone","op":"notContains","value":"d"}]`:                                             {1, 2, 3, 4, 5, 6},
		`"where":[{"property":"phone","op":"gt","value":5}]`:                                                        {1},
		`"where":[{"property":"note","op":"is","value":"12345678901"}]`:                                             {5},
		`"where":[{"property":"city","op":"is","value":"杭州"},{"property":"phone","op":"is","value":"13800138000"}]`: {1, 3},
		`"where":[{"property":"total","op":"gt","value":12}]`:                                                       {5},
		`"measure":"last","property":"phone","op":"is","value":"13800138000"`:                                       {1, 2, 3, 4},
		`"measure":"first","property":"phone","op":"isNot","value":"13800138000"`:                                   {5, 6},
		`"measure":"distinct","property":"phone","op":"gte","value":1`:                                              {1, 2, 3, 4, 5},
		`"measure":"max","property":"phone","op":"gt","value":1`:                                                    {1},
	} {
		r, err := rule.Parse(`{"v":1,"event":{"name":"e",`+text+`}}`, "where")
		require.NoError(t, err, text)
		q := analytics.BehaviourQuery{Leaves: []rule.Behaviour{r.Behaviour}, Now: time.UnixMilli(1e6), Zone: time.UTC}
		for _, among := range [][]int64{nil, {1, 2, 3, 4, 5, 6}} {
			q.Among = among
			got, err := s.Behaviour(t.Context(), q)
			require.NoError(t, err)
			var who []int64
			for n := int64(1); n <= 6; n++ {
				if got[0].Has(n) {
					who = append(who, n)
				}
			}
			require.Equal(t, want, who, "%s among %v", text, among)
		}
		require.Equal(t, r.JSON(), (&rule.Rule{V: 1, Node: rule.Node{Behaviour: q.Leaves[0]}}).JSON(), "the caller's leaf is untouched")
	}
	last, err := rule.Parse(`{"v":1,"any":[{"event":{"name":"e","measure":"last","property":"phone","op":"is","value":"13900139000"}},{"sequence":{"steps":[{"name":"e","where":[{"property":"phone","op":"is","value":"1"}]},{"name":"e"}]}},{"habit":{"kind":"stopped","name":"e","active":1,"quiet":1,"where":[{"property":"phone","op":"is","value":"1"}]}}]}`, "where")
	require.NoError(t, err)
	q := analytics.BehaviourQuery{Among: []int64{5}, Now: time.UnixMilli(1e6), Zone: time.UTC}
	for _, n := range last.Any {
		q.Leaves = append(q.Leaves, n.Behaviour)
	}
	seen, err := s.Evidence(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, rule.Evidence{Holds: true, Matched: 1, Measure: "13900139000", Times: []int64{5000}}, seen[0], "shown as it came")
	require.False(t, seen[1].Holds || seen[2].Holds)
}

var _ sealed.Engine = (*duckdb.Store)(nil)

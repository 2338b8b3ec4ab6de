package app

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// A rule on what people did means the same in the list, the estimate and the
// verdict on one, over the real stores; and personal values stay masked in it.
func TestRulesOnBehaviourFromFactToVerdict(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		w := startWorld(t, cfg)
		const number = "13971860702"
		for i := range 4 { // u-0 does it never, u-3 three times
			require.Equal(t, 200, w.call("POST", "/v1/identify", fmt.Sprintf(`{"userId":"ru-%d","traits":{"name":"规则%d"}}`, i, i), nil))
			for n := range i {
				require.Equal(t, 200, w.call("POST", "/v1/track", fmt.Sprintf(`{"userId":"ru-%d","event":"form.sent","properties":{"phone":%q,"points":%d}}`, i, number, 10*(n+1)), nil))
			}
		}
		w.settle()
		type estimate struct {
			Count, Total int64
			Sentence     string
			Sample       []struct{ ID, Name string }
		}
		ask := func(condition string) (e estimate) {
			t.Helper()
			text := `{"v":1,"all":[{"field":"name","op":"startsWith","value":"规则"},` + condition + `]}`
			require.Equal(t, 200, w.call("POST", "/api/rules/estimate", `{"rule":`+text+`}`, &e))
			var page struct{ Total int64 }
			require.Equal(t, 200, w.call("GET", "/api/contacts?where="+url.QueryEscape(text), "", &page))
			require.Equal(t, page.Total, e.Count, text)
			return e
		}
		require.EqualValues(t, 2, ask(`{"event":{"name":"form.sent","op":"gte","value":2,"within":{"last":7,"unit":"day"}}}`).Count)
		require.EqualValues(t, 1, ask(`{"event":{"name":"form.sent","measure":"sum","property":"points","op":"gt","value":30}}`).Count)
		require.EqualValues(t, 1, ask(`{"event":{"name":"form.sent","op":"is","value":0}}`).Count, "who never did it")
		require.EqualValues(t, 3, ask(`{"event":{"name":"form.sent","where":[{"property":"phone","op":"is","value":"`+number+`"}]}}`).Count, "sealed, and found in full")

		three := ask(`{"event":{"name":"form.sent","op":"gte","value":3}}`)
		require.Len(t, three.Sample, 1)
		var x struct {
			Holds bool
			Rule  struct {
				Has string
				At  []string
			}
		}
		why := `{"rule":{"v":1,"event":{"name":"form.sent","measure":"last","property":"phone","op":"is","value":"` + number + `"}},"contact":"` + three.Sample[0].ID + `"}`
		require.Equal(t, 200, w.call("POST", "/api/rules/explain", why, &x))
		require.True(t, x.Holds)
		require.Len(t, x.Rule.At, 3)
		require.Contains(t, x.Rule.Has, "139****0702")
		require.NotContains(t, x.Rule.Has, number)

		var events struct{ Items []struct{ Name string } }
		require.Equal(t, 200, w.call("GET", "/api/rules/events?q=form", "", &events))
		require.Equal(t, "form.sent", events.Items[0].Name)
		var properties struct {
			Items []struct {
				Name, Type string
				Samples    []string
			}
		}
		require.Equal(t, 200, w.call("GET", "/api/rules/events/form.sent/properties", "", &properties))
		require.Len(t, properties.Items, 2)
		for _, p := range properties.Items {
			require.NotContains(t, p.Samples, number)
			if p.Name == "points" {
				require.Equal(t, "number", p.Type)
				require.NotEmpty(t, p.Samples)
			}
		}
	})
}

// The program as a whole offers each thing that contacts can be filtered by once.
func TestEachConditionIsOfferedOnce(t *testing.T) {
	w := startWorld(t, testConfig(t))
	var fields struct {
		Items []struct{ Field, Key, Label string }
	}
	require.Equal(t, 200, w.call("GET", "/api/contacts/fields", "", &fields))
	seen, labels := map[string]bool{}, map[string]string{}
	for _, f := range fields.Items {
		name := f.Field + " " + f.Key
		require.False(t, seen[name], "%s is offered twice", name)
		require.Empty(t, labels[f.Label], "%s and %s are called %q", name, labels[f.Label], f.Label)
		seen[name], labels[f.Label] = true, name
	}
	require.True(t, seen["department "])
}

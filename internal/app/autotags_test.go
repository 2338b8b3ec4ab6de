package app

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A fact gives tags by rule and by score; the undo of the import that brought it
// takes the points back.
func TestTagsGivenByThemselves(t *testing.T) {
	w := startWorld(t, testConfig(t))
	tag := func(name string) string {
		var made struct{ ID string }
		require.Equal(t, 200, w.call("POST", "/api/tags", fmt.Sprintf(`{"group":"自动","name":%q}`, name), &made))
		return made.ID
	}
	byRule, byScore, narrowed := tag("逛过"), tag("常逛"), tag("逛过又常逛")
	put := func(tag, body string) {
		require.Equal(t, 200, w.call("PUT", "/api/tags/"+tag+"/automation", body, nil))
	}
	put(byRule, `{"kind":"rule","rule":{"v":1,"all":[{"event":{"name":"lamp.viewed"}}]}}`)
	put(byScore, `{"kind":"score","score":{"events":[{"name":"lamp.viewed","weight":2}],"halfLife":7,"have":4}}`)
	put(narrowed, fmt.Sprintf(`{"kind":"rule","rule":{"v":1,"all":[{"field":"tag","op":"hasAllOf","value":[%q,%q]}]}}`, byRule, byScore))
	ready := func() bool {
		for _, id := range []string{byRule, byScore, narrowed} {
			var a struct{ Status struct{ State string } }
			if w.call("GET", "/api/tags/"+id+"/automation", "", &a) != 200 || a.Status.State != "ready" {
				return false
			}
		}
		return true
	}
	require.Eventually(t, ready, 20*time.Second, 20*time.Millisecond)
	for n := range 3 {
		require.Equal(t, 200, w.call("POST", "/v1/track", fmt.Sprintf(`{"messageId":"lamp-%d","userId":"u-lamp","event":"lamp.viewed"}`, n), nil))
	}
	w.settle()
	has := func() map[string]string {
		var list struct {
			Items []struct{ ID string }
		}
		require.Equal(t, 200, w.call("GET", "/api/contacts", "", &list))
		out := map[string]string{}
		for _, c := range list.Items {
			var one struct {
				Tags []struct {
					ID    string
					Given struct{ Source string }
				}
			}
			require.Equal(t, 200, w.call("GET", "/api/contacts/"+c.ID, "", &one))
			for _, x := range one.Tags {
				out[x.ID] = x.Given.Source
			}
		}
		return out
	}
	want := map[string]string{byRule: "rule", byScore: "score", narrowed: "rule"}
	require.Eventually(t, func() bool {
		got := has()
		return len(got) == len(want) && got[byRule] == "rule" && got[byScore] == "score" && got[narrowed] == "rule"
	}, 20*time.Second, 20*time.Millisecond, "%v", has())
	var described struct{ Count int64 }
	require.Equal(t, 200, w.call("POST", "/api/contacts/count", fmt.Sprintf(`{"filter":{"where":{"v":1,"all":[{"field":"tagWeight","key":%q,"op":"gte","value":5}]}}}`, byScore), &described))
	require.Equal(t, int64(1), described.Count)
}

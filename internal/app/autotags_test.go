package app

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience/machine"
	"github.com/koipond/koipond/internal/rule"
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

	// A file brings somebody else who did the same in the last hours: the points count,
	// and the tags come. With the undo of the import all of it goes again.
	file := "user_id,event,timestamp\n"
	for n := range 3 {
		file += fmt.Sprintf("u-file,lamp.viewed,%s\n", time.Now().UTC().Add(time.Duration(n-4)*time.Hour).Format(time.RFC3339))
	}
	id, _ := w.importKind("events", "lamps.csv", file)
	w.settle()
	having := func() map[string]int64 {
		out := map[string]int64{}
		for _, id := range []string{byRule, byScore, narrowed} {
			var n struct{ Count int64 }
			require.Equal(t, 200, w.call("POST", "/api/contacts/count", fmt.Sprintf(`{"filter":{"where":{"v":1,"all":[{"field":"tag","op":"hasAnyOf","value":[%q]}]}}}`, id), &n))
			out[id] = n.Count
		}
		return out
	}
	both, one := map[string]int64{byRule: 2, byScore: 2, narrowed: 2}, map[string]int64{byRule: 1, byScore: 1, narrowed: 1}
	require.Eventually(t, func() bool { return reflect.DeepEqual(having(), both) }, 20*time.Second, 50*time.Millisecond, "%v", having())
	w.undoImport(id)
	require.Eventually(t, func() bool { return reflect.DeepEqual(having(), one) }, 20*time.Second, 50*time.Millisecond, "%v", having())
	require.Equal(t, want, has(), "who did it by themselves keeps all")
}

// A tag that was merged or deleted is automatic again once that is undone, and people
// get it as before.
func TestAutomationComesBackWithItsTag(t *testing.T) {
	w := startWorld(t, testConfig(t))
	tag := func(name string) string {
		var made struct{ ID string }
		require.Equal(t, 200, w.call("POST", "/api/tags", fmt.Sprintf(`{"group":"自动","name":%q}`, name), &made))
		return made.ID
	}
	merged, deleted, other := tag("爱喝茶"), tag("常喝茶"), tag("茶友")
	const rule = `{"kind":"rule","rule":{"v":1,"all":[{"event":{"name":"tea.tasted"}}]}}`
	require.Equal(t, 200, w.call("PUT", "/api/tags/"+merged+"/automation", rule, nil))
	require.Equal(t, 200, w.call("PUT", "/api/tags/"+deleted+"/automation", rule, nil))
	taste := func(who string) {
		require.Equal(t, 200, w.call("POST", "/v1/track", fmt.Sprintf(`{"messageId":"tea-%s","userId":%q,"event":"tea.tasted"}`, who, who), nil))
		w.settle()
	}
	having := func(tag string) int64 {
		var n struct{ Count int64 }
		require.Equal(t, 200, w.call("POST", "/api/contacts/count", fmt.Sprintf(`{"filter":{"where":{"v":1,"all":[{"field":"tag","op":"hasAnyOf","value":[%q]}]}}}`, tag), &n))
		return n.Count
	}
	have := func(tag string, n int64) {
		t.Helper()
		require.Eventually(t, func() bool { return having(tag) == n }, 20*time.Second, 50*time.Millisecond, "%d have %s, not %d", having(tag), tag, n)
	}
	type work struct{ ID, JobID string }
	end := func(run work) {
		t.Helper()
		_, err := w.app.jobs.Wait(t.Context(), run.JobID)
		require.NoError(t, err)
	}
	taste("u-1")
	have(merged, 1)
	have(deleted, 1)
	var merging work
	var deleting struct{ Run work }
	require.Equal(t, 200, w.call("POST", "/api/tags/"+merged+"/merge", fmt.Sprintf(`{"into":%q}`, other), &merging))
	end(merging)
	require.Equal(t, 200, w.call("DELETE", "/api/tags/"+deleted+"?confirm=true", "", &deleting))
	end(deleting.Run)
	have(other, 1)
	for _, id := range []string{merged, deleted} {
		require.Equal(t, 404, w.call("GET", "/api/tags/"+id+"/automation", "", nil))
	}
	for _, run := range []work{merging, deleting.Run} {
		var undo work
		require.Equal(t, 200, w.call("POST", "/api/tag-runs/"+run.ID+"/undo", "", &undo))
		end(undo)
	}
	for _, id := range []string{merged, deleted} {
		var a struct {
			By struct{ Name string }
		}
		require.Equal(t, 200, w.call("GET", "/api/tags/"+id+"/automation", "", &a))
		have(id, 1)
	}
	taste("u-2")
	have(merged, 2)
	have(deleted, 2)
}

// A rule that comes back to itself by way of other parts of the program is refused,
// and the refusal names the way.
func TestRulesThatRestOnThemselves(t *testing.T) {
	w := startWorld(t, testConfig(t))
	var tag struct{ ID string }
	require.Equal(t, 200, w.call("POST", "/api/tags", `{"group":"自动","name":"常客"}`, &tag))
	var made struct{ Segment struct{ ID string } }
	require.Equal(t, 200, w.call("POST", "/api/segments", `{"name":"忠诚的人","kind":"dynamic","rule":{"v":1,"all":[{"field":"stage","op":"in","value":["loyal"]}]}}`, &made))
	put := func(on string) string { return fmt.Sprintf(`{"kind":"rule","rule":{"v":1,"all":[%s]}}`, on) }
	inSegment := fmt.Sprintf(`{"field":"segment","op":"in","value":[%q]}`, made.Segment.ID)
	hasTag := fmt.Sprintf(`{"field":"tag","op":"hasAnyOf","value":[%q]}`, tag.ID)
	require.Equal(t, 200, w.call("PUT", "/api/tags/"+tag.ID+"/automation", put(inSegment), nil))

	// Stages rest on the tag, which rests on the segment, which rests on stages.
	var m machine.View
	require.Eventually(t, func() bool {
		m = machine.View{}
		return w.call("GET", "/api/lifecycle", "", &m) == 200 && m.Job == ""
	}, 20*time.Second, 50*time.Millisecond)
	refused := func(method, path, body, field, way string) {
		t.Helper()
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+w.token)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept-Language", "zh-CN")
		rec := httptest.NewRecorder()
		w.h.ServeHTTP(rec, req)
		require.Equal(t, 422, rec.Code, rec.Body.String())
		require.Contains(t, rec.Body.String(), field)
		require.Contains(t, rec.Body.String(), way)
	}
	states := make([]machine.State, len(m.States))
	for i, s := range m.States {
		states[i] = s.State
	}
	r, err := rule.Parse(`{"v":1,"all":[`+hasTag+`]}`, "rule")
	require.NoError(t, err)
	states[0].Rule = r
	body, err := json.Marshal(map[string]any{"version": m.Version, "states": states})
	require.NoError(t, err)
	refused("PUT", "/api/lifecycle", string(body), "states[0].rule", "生命周期阶段 → 标签“常客” → 人群“忠诚的人” → 生命周期阶段")

	// The other way round: once pools rest on the tag, the segment cannot rest on pools.
	var pools machine.View
	require.Eventually(t, func() bool {
		pools = machine.View{}
		return w.call("GET", "/api/pools", "", &pools) == 200 && pools.Job == ""
	}, 20*time.Second, 50*time.Millisecond)
	states = make([]machine.State, len(pools.States))
	for i, s := range pools.States {
		states[i] = s.State
	}
	states[1].Rule = r
	body, err = json.Marshal(map[string]any{"version": pools.Version, "states": states})
	require.NoError(t, err)
	require.Equal(t, 200, w.call("PUT", "/api/pools", string(body), nil))
	refused("PATCH", "/api/segments/"+made.Segment.ID, `{"rule":{"v":1,"all":[{"field":"poolSince","op":"within","value":7}]}}`, "rule", "人群“忠诚的人” → 池 → 标签“常客” → 人群“忠诚的人”")
	refused("PUT", "/api/tags/"+tag.ID+"/automation", put(`{"field":"pool","op":"in","value":["client"]}`), "rule", "标签“常客” → 池 → 标签“常客”")
}

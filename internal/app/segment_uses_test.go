package app

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// The page of a segment, and the question before it is archived, name every place
// that uses it: segments, views, automatic tags, pools, webhooks.
func TestSegmentSaysWhoUsesIt(t *testing.T) {
	w := startWorld(t, testConfig(t))
	made := func(path, body string) string {
		var out struct {
			ID      string
			Segment struct{ ID string }
			Webhook struct{ ID string }
		}
		require.Equal(t, 200, w.call("POST", path, body, &out), path)
		return out.ID + out.Segment.ID + out.Webhook.ID
	}
	base := made("/api/segments", `{"name":"老客","kind":"dynamic","rule":{"v":1,"field":"orders","op":"gte","value":2}}`)
	in := fmt.Sprintf(`{"v":1,"all":[{"field":"segment","op":"in","value":[%q]}]}`, base)
	above := made("/api/segments", `{"name":"老客里的","kind":"dynamic","rule":`+in+`}`)
	tag := made("/api/tags", `{"group":"自动","name":"老"}`)
	require.Equal(t, 200, w.call("PUT", "/api/tags/"+tag+"/automation", `{"kind":"rule","rule":`+in+`}`, nil))
	var pools struct{ Version int64 }
	require.Equal(t, 200, w.call("GET", "/api/pools", "", &pools))
	require.Equal(t, 200, w.call("PUT", "/api/pools", fmt.Sprintf(`{"version":%d,"states":[{"id":"near","name":{"zh":"近","en":"Near"},"color":"#2f8f83","rule":%s},{"id":"far","name":{"zh":"远","en":"Far"},"color":"#7c8794"}]}`, pools.Version, in), nil))
	hook := made("/api/webhooks", fmt.Sprintf(`{"name":"CRM","url":"https://crm.example.com/x","segments":[%q],"paused":true}`, base))
	made("/api/webhooks", `{"name":"全部","url":"https://crm.example.com/y","paused":true}`)

	uses := func(role string) []contact.Use {
		rec := w.as(testkit.Principal(role), "GET", "/api/segments/"+base+"/uses", "")
		require.Equal(t, 200, rec.Code, rec.Body.String())
		var out struct{ Items []contact.Use }
		require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &out))
		return out.Items
	}
	want := []contact.Use{
		{Kind: "segment", ID: above, Name: "老客里的", Link: "/segments/" + above},
		{Kind: "autotag", ID: tag, Name: "自动 / 老", Link: "/tags?automation=" + tag},
		{Kind: "pool", ID: "near", Name: "Near", Link: "/pools"},
		{Kind: "webhook", ID: hook, Name: "CRM", Link: "/webhooks/" + hook},
	}
	require.Equal(t, want, uses("admin"))
	want[3] = contact.Use{Kind: "webhook", Name: "webhooks: 1"}
	require.Equal(t, want, uses("user_ops"), "who may not see webhooks is told how many there are")

	rec := w.as(testkit.Principal("admin"), "POST", "/api/segments/"+base+"/archive", `{}`)
	require.Equal(t, 409, rec.Code)
	require.Contains(t, rec.Body.String(), "老客里的, 自动 / 老, Near, CRM")
	require.Equal(t, 200, w.as(testkit.Principal("admin"), "POST", "/api/segments/"+base+"/archive", `{"anyway":true}`).Code)
}

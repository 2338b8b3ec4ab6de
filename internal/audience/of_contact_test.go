package audience_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/audience"
	"github.com/koipond/koipond/internal/platform/testkit"
)

func TestSegmentsOfAContact(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		web, ops := p.web(), testkit.As(t.Context(), "user_ops")
		_, a := p.person("甲", "us_a", "杭州")
		_, b := p.person("乙", "us_b", "上海")
		make := func(body string) *audience.Segment {
			t.Helper()
			var made struct{ Segment *audience.Segment }
			code, fault := web.ask(t, ops, "POST", "/api/segments", body, &made)
			require.Equal(t, 200, code, fault)
			return p.settled(made.Segment)
		}
		rule := make(`{"name":"杭州","kind":"dynamic","rule":{"v":1,"all":[{"field":"city","op":"is","value":"杭州"}]}}`)
		list := make(`{"name":"名单","kind":"static","members":{"kind":"auto","lines":["` + a + `","` + b + `"]}}`)
		names := func(id string) (out []string) {
			t.Helper()
			var got struct{ Items []audience.Membership }
			code, fault := web.ask(t, ops, "GET", "/api/contacts/"+id+"/segments", "", &got)
			require.Equal(t, 200, code, fault)
			for _, x := range got.Items {
				out = append(out, x.Name+" "+x.Kind)
			}
			return out
		}
		require.ElementsMatch(t, []string{"杭州 dynamic", "名单 static"}, names(a))
		require.Equal(t, []string{"名单 static"}, names(b))
		code, fault := web.ask(t, ops, "POST", "/api/segments/"+list.ID+"/archive", `{}`, nil)
		require.Equal(t, 200, code, fault)
		require.Equal(t, []string{"杭州 dynamic"}, names(a), "what is put away is not told")
		require.Equal(t, rule.Name, "杭州")
		code, _ = web.ask(t, ops, "GET", "/api/contacts/ct_9/segments", "", nil)
		require.Equal(t, 404, code)
		// Those who see some people only are told nothing of others.
		code, _ = web.ask(t, testkit.Scoped(t.Context(), "sales", false, "us_a"), "GET", "/api/contacts/"+b+"/segments", "", nil)
		require.Equal(t, 404, code)
	})
}

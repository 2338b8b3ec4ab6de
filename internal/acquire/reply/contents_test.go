package reply

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
)

// What an account cannot send is refused when the rule is saved.
func TestContentsOfAKindOfAccount(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		other := s.make(says(Chosen, "别家的规则"))
		menu := func(lines ...Line) Content { return Content{Kind: PartMenu, Text: "想看什么？", Lines: lines} }
		link := Content{Kind: PartLink, Title: "茶单", URL: "https://a.example/x", File: "lm_1"}
		app := Content{Kind: PartApp, Title: "茶单", AppID: "wx1", AppPath: "a.html", File: "lm_1"}
		long := strings.Repeat("a", 129)
		say := func(account, kind string, list ...Content) error {
			d := says(kind, "规则")
			d.Account, d.Contents = account, list
			if kind == Keyword {
				d.Words = []Word{{Text: fmt.Sprint("词", s.n)}}
				s.n++
			}
			_, err := s.Create(s.ctx, d)
			return err
		}
		for name, c := range map[string]struct {
			account, kind string
			list          []Content
			want          string
		}{
			"a link without picture":          {"ac_3", Keyword, []Content{{Kind: PartLink, Title: "茶单", URL: "https://a.example"}}, "contents[0].file reply.link_picture"},
			"a link with a long title":        {"ac_3", Keyword, []Content{{Kind: PartLink, Title: long, URL: "https://a.example", File: "lm_1"}}, "contents[0].title livecode.text_too_long"},
			"a mini-program's long title":     {"ac_3", Keyword, []Content{{Kind: PartApp, Title: long[:65], AppID: "wx1", AppPath: "a", File: "lm_1"}}, "contents[0].title livecode.text_too_long"},
			"a greeting of two":               {"ac_3", Follow, []Content{{Kind: PartText, Text: "欢迎"}, {Kind: PartText, Text: "再说一句"}}, "contents reply.one_greeting"},
			"a greeting that is a picture":    {"ac_3", Follow, []Content{{Kind: PartImage, File: "lm_1"}}, "contents[0].kind reply.greeting_kinds"},
			"a menu without lines":            {"ac_3", Keyword, []Content{menu()}, "contents[0].lines reply.no_lines"},
			"a menu of eleven":                {"ac_3", Keyword, []Content{menu(make([]Line, 11)...)}, "contents[0].lines reply.too_many"},
			"a line without words":            {"ac_3", Keyword, []Content{menu(Line{})}, "contents[0].lines[0].text request.field_required"},
			"a line with long words":          {"ac_3", Keyword, []Content{menu(Line{Text: "茶"}, Line{Text: long})}, "contents[0].lines[1].text livecode.text_too_long"},
			"a line of another account":       {"ac_3", Keyword, []Content{menu(Line{Text: "茶", Reply: other.ID})}, "contents[0].lines[0].reply menu.no_such_reply"},
			"a line to nowhere":               {"ac_3", Keyword, []Content{menu(Line{Text: "茶", URL: "javascript:1"})}, "contents[0].lines[0].url livecode.bad_url"},
			"a line of half a mini-program":   {"ac_3", Keyword, []Content{menu(Line{Text: "茶", AppPath: "a"})}, "contents[0].lines[0].appId request.field_required"},
			"an official account's open line": {"ac_1", Keyword, []Content{menu(Line{Text: "茶", URL: "https://a.example"})}, "contents[0].lines[0] reply.line_opens"},
			"an official account's bare menu": {"ac_1", Keyword, []Content{{Kind: PartMenu, Lines: []Line{{Text: "茶"}}}}, "contents[0].text request.field_required"},
		} {
			t.Run(name, func(t *testing.T) { require.Equal(t, c.want, refusal(say(c.account, c.kind, c.list...))) })
		}
		require.NoError(t, say("ac_3", Keyword, link, app, menu(Line{Text: "茶单"}, Line{Text: long, URL: "https://a.example"}, Line{Text: "小程序", AppID: "wx1", AppPath: "a"})))
		require.NoError(t, say("ac_3", Follow, Content{Kind: PartMenu, Lines: []Line{{Text: "茶单"}}}))
		require.NoError(t, say("ac_1", Follow, menu(Line{Text: "茶单", Reply: other.ID}), Content{Kind: PartText, Text: "再说一句"}))

		// A line that chose a rule is answered by it, and by its words once that is gone.
		s.make(says(Keyword, "茶单在此", Word{Text: "茶单"}))
		tap := s.ask("fan", "茶单")
		tap.Choice = other.ID
		require.Equal(t, "别家的规则", s.said(tap))
		require.NoError(t, s.Delete(s.ctx, other.ID))
		tap = s.ask("fan", "茶单")
		tap.Choice = other.ID
		require.Equal(t, "茶单在此", s.said(tap))
	})
}

// Of what nobody knows whether it arrived the fact says so.
func TestNotSureWhetherItArrived(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		d := says(Keyword, "满 199 包邮", Word{Text: "邮费"})
		d.Contents = append(d.Contents, Content{Kind: PartText, Text: "还有什么可以帮您"})
		s.make(d)
		unsure := func(a Ask) int {
			var p told
			require.NoError(t, json.Unmarshal(s.out.facts[a.Key].Properties, &p))
			require.Equal(t, 2, p.Sent)
			return p.Unsure
		}
		a := s.ask("fan", "邮费")
		require.Equal(t, "满 199 包邮", s.said(a))
		require.Len(t, s.work(a), 1)
		require.Zero(t, unsure(a))

		a = s.ask("another", "邮费") // the program stopped after it had kept the callback
		require.Len(t, s.work(a), 1)
		require.Equal(t, 1, unsure(a))

		a = s.ask("third", "邮费")
		require.NoError(t, s.Work(s.ctx, a, s.clock.Now(), false, []event.Identifier{{Kind: "external_userid", Value: a.Person}}, func(_ context.Context, key string, _ Message) (Sent, error) {
			return Sent{Unsure: strings.HasSuffix(key, "/0")}, nil
		}))
		require.Equal(t, 1, unsure(a))
	})
}

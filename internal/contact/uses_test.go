package contact

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/rule"
)

// called lists uses by what they are called.
func called(uses []Use) []string {
	out := []string{}
	for _, u := range uses {
		out = append(out, u.Name)
	}
	return out
}

func asking(field, key, op string, value any) *rule.Rule {
	return &rule.Rule{V: 1, Node: rule.Node{Any: []rule.Node{{All: []rule.Node{{Field: "orders", Op: "gte", Value: 1.0}, {Field: field, Key: key, Op: op, Value: value}}}}}}
}

func TestViewsSayWhatTheyUse(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		_, err := p.CreateAttribute(p.ctx, attribute.Definition{Key: "level", NameZh: "等级", Type: attribute.Enum, Indexed: true,
			Options: []attribute.Option{{ID: "a", Label: "甲"}, {ID: "b", Label: "乙"}}})
		require.NoError(t, err)
		tea, old := p.make("口味", "", "绿茶"), p.make("口味", "", "龙井")
		view := func(name string, d ViewDefinition) {
			_, err := p.views.create(p.ctx, viewInput{Name: name, Definition: d})
			require.NoError(t, err)
		}
		view("按标签", ViewDefinition{Filter: FilterBody{Tag: tea}})
		view("按条件", ViewDefinition{Filter: FilterBody{Where: asking("tag", "", "hasAnyOf", []any{old, tea})}})
		view("按等级", ViewDefinition{Filter: FilterBody{Where: asking("attr", "level", "in", []any{"a"})}})
		view("有一列", ViewDefinition{Columns: []string{"name", "attr:level"}})
		uses := func(of Term) []string {
			t.Helper()
			list, err := p.Uses(p.ctx, of)
			require.NoError(t, err)
			return called(list)
		}
		require.Equal(t, []string{"按条件", "按标签"}, uses(Term{Tag: &TagRef{ID: tea}}))
		require.Equal(t, []string{"按条件"}, uses(Term{Tag: &TagRef{ID: old}}))
		require.Equal(t, []string{"按等级", "有一列"}, uses(Term{Attribute: "level"}))
		require.Equal(t, []string{"按等级"}, uses(Term{Attribute: "level", Option: "a"}), "a column shows every option")
		require.Empty(t, uses(Term{Attribute: "level", Option: "b"}))
		require.Len(t, uses(Term{Attribute: "birthday"}), 1, "of built-in views too")

		other := auth.With(p.ctx, auth.System("somebody else"))
		list, err := p.Uses(other, Term{Attribute: "level"})
		require.NoError(t, err)
		require.Len(t, list, 1, "the views of others are counted, not named")
		require.Empty(t, list[0].Link)
		require.NotContains(t, list[0].Name, "等级")

		p.end(p.MergeTags(p.ctx, old, tea))
		require.Equal(t, []string{"按条件", "按标签"}, uses(Term{Tag: &TagRef{ID: tea}}))
		require.Empty(t, uses(Term{Tag: &TagRef{ID: old}}), "what is merged is used nowhere")
		_, err = p.DeleteTag(p.ctx, tea, false)
		require.Equal(t, "contact.tag_in_use", code(err), "nobody has it, two views ask for it")
	})
}

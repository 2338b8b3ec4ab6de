package contact

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/numset"
	"github.com/koipond/koipond/internal/rule"
)

// Whoever a trait is said to be of is whom its condition means.
func TestTraitsAreWhatTheirConditionsMean(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		for _, d := range []attribute.Definition{
			{Key: "level", Type: attribute.Enum, Options: []attribute.Option{{ID: "gold", Label: "金"}, {ID: "silver", Label: "银"}}},
			{Key: "likes", Type: attribute.Multi, Options: []attribute.Option{{ID: "green", Label: "绿茶"}, {ID: "white", Label: "白茶"}}},
			{Key: "hidden", Type: attribute.Enum, Personal: attribute.Sensitive, Options: []attribute.Option{{ID: "a", Label: "甲"}, {ID: "b", Label: "乙"}}},
		} {
			d.NameZh, d.NameEn, d.Indexed = d.Key, d.Key, true
			_, err := p.CreateAttribute(p.ctx, d)
			require.NoError(t, err)
		}
		tea, err := p.EnsureTag(p.ctx, "兴趣", "茶具")
		require.NoError(t, err)
		var rows []Incoming
		for i := range 40 {
			a := map[string]any{"gender": []string{"female", "male"}[i%2], "city": []string{"杭州", "上海", "宁波"}[i%3], "level": []string{"金", "银"}[i/30], "hidden": "甲"}
			if i%4 == 0 {
				a["likes"] = []string{"绿茶", "白茶"}
			}
			in := Incoming{Identifiers: ids(KindMemberNo, fmt.Sprint("M", i)), Attributes: a}
			if i < 15 {
				in.Tags = []string{tea.ID}
			}
			rows = append(rows, in)
		}
		_, err = p.Upsert(p.ctx, rows, UpsertOptions{Source: "crm", ImportID: "im_1"})
		require.NoError(t, err)
		seen := map[string]int64{}
		require.NoError(t, p.EachTrait(p.ctx, 10, func(tr Trait, who *numset.Set) error {
			want, err := p.Matching(p.ctx, &rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{tr.Node}}}, "rule", nil)
			require.NoError(t, err)
			require.Equal(t, want.List(), who.List(), "%s %s", tr.Of, tr.Label)
			require.NotEmpty(t, tr.Label)
			seen[tr.Group+" "+tr.Of+" "+tr.Label] = who.Count()
			return nil
		}))
		require.EqualValues(t, 10, seen["attribute likes 绿茶"], "%v", seen)
		require.EqualValues(t, 30, seen["attribute level 金"])
		require.EqualValues(t, 10, seen["attribute level 银"])
		require.EqualValues(t, 15, seen["tag 兴趣 茶具"])
		cities, hidden := 0, 0
		for k := range seen {
			if len(k) > 5 && k[:5] == "city " {
				cities++
			}
			if len(k) > 16 && k[:16] == "attribute hidden" {
				hidden++
			}
		}
		require.Equal(t, 3, cities, "%v", seen)
		require.Zero(t, hidden, "hidden values are typical of nobody")
	})
}

// BenchmarkEachTrait reads everything that a comparison of segments looks at; see
// million_test.go for the size and the engine.
func BenchmarkEachTrait(b *testing.B) {
	p := millionPond(b)
	n := 0
	for b.Loop() {
		n = 0
		require.NoError(b, p.EachTrait(p.ctx, 20, func(Trait, *numset.Set) error { n++; return nil }))
	}
	b.ReportMetric(float64(n), "traits")
}

package contact

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/secret"
	"github.com/koipond/koipond/internal/rule"
)

func TestRulesOnAttributes(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		make := func(d attribute.Definition) {
			d.NameZh, d.NameEn, d.Indexed = d.Key, d.Key, d.Key != "dark"
			_, err := p.CreateAttribute(p.ctx, d)
			require.NoError(t, err)
		}
		make(attribute.Definition{Key: "level", Type: attribute.Enum, Options: []attribute.Option{{ID: "gold", Label: "金"}, {ID: "silver", Label: "银"}}})
		make(attribute.Definition{Key: "score", Type: attribute.Number, Decimals: 1})
		make(attribute.Definition{Key: "joined", Type: attribute.Date})
		make(attribute.Definition{Key: "likes", Type: attribute.Multi, Options: []attribute.Option{{ID: "green", Label: "绿茶"}, {ID: "white", Label: "白茶"}}})
		make(attribute.Definition{Key: "note", Type: attribute.Text})
		make(attribute.Definition{Key: "vip", Type: attribute.Flag})
		make(attribute.Definition{Key: "home", Type: attribute.Region})
		make(attribute.Definition{Key: "passport2", Type: attribute.Text, Personal: attribute.Sensitive})
		make(attribute.Definition{Key: "dark", Type: attribute.Text})
		var rows []Incoming
		for i, a := range []map[string]any{
			{"level": "金", "score": 1.5, "joined": "2026-03-02", "likes": []string{"绿茶"}, "note": "Ａ Loves Oolong", "vip": true, "home": "浙江杭州", "passport2": "E123"},
			{"level": "银", "score": -3, "joined": "2026-02-01", "likes": []string{"绿茶", "白茶"}, "note": "a lot", "vip": false, "home": "浙江宁波"},
			{"level": "金", "score": 20, "note": "oolong", "home": "上海"},
			{},
		} {
			rows = append(rows, Incoming{Identifiers: ids(KindMemberNo, fmt.Sprint("M", i)), Attributes: a})
		}
		out, err := p.Upsert(p.ctx, rows, UpsertOptions{Source: "crm"})
		require.NoError(t, err)
		cond := func(key, op string, v any) *rule.Rule {
			return &rule.Rule{V: 1, Node: rule.Node{Field: "attr", Key: key, Op: op, Value: v}}
		}
		for _, c := range []struct {
			rule *rule.Rule
			want []int
		}{
			{cond("level", "in", []any{"gold"}), []int{0, 2}}, {cond("level", "notIn", []any{"gold"}), []int{1, 3}}, {cond("level", "is", "银"), []int{1}}, {cond("level", "set", nil), []int{0, 1, 2}},
			{cond("score", "gt", 1.4), []int{0, 2}}, {cond("score", "between", []any{-3.0, 1.5}), []int{0, 1}}, {cond("score", "notSet", nil), []int{3}},
			{cond("joined", "within", 1.0), []int{0}}, {cond("joined", "olderThan", 7.0), []int{1}}, {cond("joined", "on", "2026-02-01"), []int{1}},
			{cond("likes", "hasAnyOf", []any{"green", "white"}), []int{0, 1}}, {cond("likes", "hasAllOf", []any{"green", "white"}), []int{1}}, {cond("likes", "hasNoneOf", []any{"white"}), []int{0, 2, 3}},
			{cond("note", "contains", "OOLONG"), []int{0, 2}}, {cond("note", "startsWith", "a"), []int{0, 1}}, {cond("note", "is", "oolong"), []int{2}},
			{cond("vip", "is", true), []int{0}}, {cond("vip", "is", false), []int{1}},
			{cond("home", "in", []any{"330000"}), []int{0, 1}}, {cond("home", "is", "330100"), []int{0}},
			{cond("passport2", "is", "E123"), []int{0}},
			{&rule.Rule{V: 1, Node: rule.Node{All: []rule.Node{cond("level", "is", "gold").Node, cond("score", "gte", 2.0).Node}}}, []int{2}},
		} {
			page, err := p.List(p.ctx, Query{Where: c.rule})
			require.NoError(t, err, string(c.rule.JSON()))
			var got []int
			for _, r := range page.Items {
				got = append(got, slices.IndexFunc(out, func(o Outcome) bool { return o.Num == r.num }))
			}
			slices.Sort(got)
			require.Equal(t, c.want, got, string(c.rule.JSON()))
		}
		for _, c := range []struct {
			rule *rule.Rule
			want string
		}{
			{cond("dark", "is", "x"), "where.key rule.not_indexed"}, {cond("none", "is", "x"), "where.key rule.no_such_attribute"},
			{cond("level", "is", "bronze"), "where.value rule.not_a_value"}, {cond("passport2", "contains", "E"), "where.op rule.bad_op"},
			{cond("score", "gt", "x"), "where.value rule.needs_number"}, {cond("vip", "is", "x"), "where.value rule.needs_flag"},
		} {
			var e *errs.Error
			require.ErrorAs(t, p.checkRule(p.ctx, c.rule, "where"), &e)
			require.Equal(t, c.want, e.Fields[0].Path+" "+e.Fields[0].Code)
		}
		s := serve(t, p)
		var told struct{ Sentence string }
		s.ok("POST", "/api/contacts/describe", obj{"where": cond("level", "in", []any{"gold", "silver"})}, &told)
		require.Equal(t, "level is one of 金, 银", told.Sentence)
	})
}

// Rows carry the attributes that are asked for, as the profile shows them.
func TestAttributesInTheList(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.define(attribute.Definition{Key: "tea", Type: attribute.Enum, Options: tea})
		p.define(attribute.Definition{Key: "spare", Type: attribute.Phone, Personal: attribute.Personal})
		p.define(attribute.Definition{Key: "passport", Type: attribute.Text, Personal: attribute.Sensitive})
		p.says("u1", map[string]any{"tea": "green", "spare": "13812341234", "passport": "E1234", "unknown": "x"})
		p.says("u2", map[string]any{"tea": "white"})
		page, err := p.List(p.ctx, Query{Sort: "created", Ascending: true, Attributes: []string{"tea", "spare", "passport", "unknown", "nothing"}})
		require.NoError(t, err)
		require.Len(t, page.Items, 2)
		require.Equal(t, map[string]string{"tea": "绿茶", "spare": secret.MaskPhone("+8613812341234"), "passport": "****"}, page.Items[0].Attributes)
		require.Equal(t, map[string]string{"tea": "白茶"}, page.Items[1].Attributes)
		page, err = p.List(p.ctx, Query{})
		require.NoError(t, err)
		require.Nil(t, page.Items[0].Attributes, "not asked for")
		s := serve(t, p)
		var got rowPage
		s.ok("GET", "/api/contacts?attributes=spare&attributes=tea&sort=created&order=asc", nil, &got)
		require.Equal(t, "绿茶", got.Items[0].Attributes["tea"])
		s.ok("POST", "/api/contacts/query", obj{"filter": obj{}, "sort": "created", "order": "asc", "attributes": []string{"tea"}}, &got)
		require.Equal(t, "白茶", got.Items[1].Attributes["tea"])
	})
}

package contact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
)

// define makes an attribute.
func (p *pond) define(d attribute.Definition) {
	p.t.Helper()
	if d.NameZh == "" {
		d.NameZh = d.Key
	}
	_, err := p.CreateAttribute(p.ctx, d)
	require.NoError(p.t, err)
}

// says resolves a fact with traits and gives whose it is.
func (p *pond) says(id string, traits map[string]any) int64 {
	p.t.Helper()
	p.clock.Advance(time.Minute)
	return p.who(event.Fact{Type: event.Identify, UserID: id, Traits: js(traits)}).Contact
}

// value is a custom attribute as the profile shows it.
func (p *pond) value(num int64, key string) any {
	p.t.Helper()
	c, err := p.profile(p.ctx, num)
	require.NoError(p.t, err)
	for _, a := range c.Attributes {
		if a.Key == key {
			return a.Value
		}
	}
	return nil
}

// rows are the index entries of an attribute.
func (p *pond) rows(attr string) []string {
	p.t.Helper()
	rows, err := p.DB.Query(p.ctx, "select str, num, shown, contact from contact_attribute_values where attr = $1 order by str, num, contact", attr)
	require.NoError(p.t, err)
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var str string
		var num, shown, contact int64
		require.NoError(p.t, rows.Scan(&str, &num, &shown, &contact))
		out = append(out, fmt.Sprintf("%s %d %d %d", str, num, shown, contact))
	}
	require.NoError(p.t, rows.Err())
	return out
}

// fieldCode is the code that an error gives for a field.
func fieldCode(t *testing.T, err error, path string) string {
	t.Helper()
	require.Error(t, err)
	for _, f := range errs.As(err).Fields {
		if f.Path == path {
			return f.Code
		}
	}
	return err.Error()
}

var tea = []attribute.Option{{ID: "green", Label: "绿茶"}, {ID: "white", Label: "白茶"}}

func TestFactsAreCoerced(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.define(attribute.Definition{Key: "budget", Type: attribute.Money, Indexed: true})
		p.define(attribute.Definition{Key: "likes", Type: attribute.Multi, Options: tea, Indexed: true})
		num := p.says("u1", map[string]any{"budget": "¥1.2万", "likes": "白茶、绿茶", "other": "as it is"})
		require.Equal(t, map[string]any{"amount": 1200000.0, "currency": "CNY"}, p.value(num, "budget"))
		require.Equal(t, []any{"green", "white"}, p.value(num, "likes"))
		require.Equal(t, "as it is", p.value(num, "other"))
		require.Equal(t, []string{" 1200000 1 1"}, p.rows("budget"))
		require.Len(t, p.rows("likes"), 2)

		p.says("u1", map[string]any{"budget": "13812345678 很多", "likes": []string{"红茶"}})
		require.Equal(t, map[string]any{"amount": 1200000.0, "currency": "CNY"}, p.value(num, "budget"), "the old value stays")
		vs, err := p.Violations(p.ctx, "budget")
		require.NoError(t, err)
		require.Len(t, vs, 1)
		require.Equal(t, "attribute.bad_money", vs[0].Reason)
		require.Equal(t, "web", vs[0].Source)
		require.EqualValues(t, 1, vs[0].Count)
		require.NotContains(t, vs[0].Samples[0], "13812345678", "samples are veiled")

		p.says("u1", map[string]any{"budget": "", "likes": "绿茶"})
		require.NotNil(t, p.value(num, "budget"), "a blank says nothing")
		require.Len(t, p.rows("likes"), 1)
		p.says("u1", map[string]any{"budget": nil})
		require.Nil(t, p.value(num, "budget"))
		require.Empty(t, p.rows("budget"))
	})
}

func TestReplayCountsNoViolationTwice(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.define(attribute.Definition{Key: "age", Type: attribute.Number})
		facts := []event.Fact{{Type: event.Identify, UserID: "u1", Traits: js(map[string]any{"age": "old"})}}
		p.resolve(facts...)
		p.seq--
		p.resolve(facts...)
		vs, err := p.Violations(p.ctx, "age")
		require.NoError(t, err)
		require.EqualValues(t, 1, vs[0].Count)
		require.NoError(t, p.ClearViolations(p.ctx, "age"))
		vs, err = p.Violations(p.ctx, "age")
		require.NoError(t, err)
		require.Empty(t, vs)
	})
}

func TestIndexFollowsMergesAndPromotion(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.define(attribute.Definition{Key: "level", Type: attribute.Enum, Options: []attribute.Option{{ID: "gold", Label: "金"}, {ID: "silver", Label: "银"}}, Indexed: true})
		visitor := p.who(event.Fact{Type: event.Identify, AnonymousID: "dev-1", Traits: js(map[string]any{"level": "银"})})
		require.Equal(t, []string{"silver 0 2 1"}, p.rows("level"))
		p.clock.Advance(time.Minute)
		person := p.says("u1", map[string]any{"level": "金"})
		p.clock.Advance(time.Minute)
		require.NotEqual(t, visitor.Contact, person)
		p.who(event.Fact{UserID: "u1", AnonymousID: "dev-1"})
		require.Equal(t, []string{"gold 0 1 2"}, p.rows("level"), "the merged one has no entries")
		p.who(event.Fact{Type: event.Identify, AnonymousID: "dev-2", Traits: js(map[string]any{"level": "银"})})
		p.who(event.Fact{UserID: "u2", AnonymousID: "dev-2"})
		require.Equal(t, []string{"gold 0 1 2", "silver 0 1 3"}, p.rows("level"), "a promoted visitor is found among people")
	})
}

func TestUnique(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.define(attribute.Definition{Key: "card", Type: attribute.Text, Unique: true})
		p.define(attribute.Definition{Key: "pass", Type: attribute.Text, Unique: true, Personal: attribute.Sensitive})
		a := p.says("u1", map[string]any{"card": "C-1", "pass": "E123"})
		b := p.says("u2", map[string]any{"card": "c-1", "pass": "e123"})
		require.Nil(t, p.value(b, "card"), "not taken from facts")
		require.Nil(t, p.value(b, "pass"))
		vs, err := p.Violations(p.ctx, "pass")
		require.NoError(t, err)
		require.Equal(t, []string{"****"}, vs[0].Samples)
		require.Equal(t, "****", p.value(a, "pass"))
		require.NotContains(t, strings.Join(p.rows("pass"), ""), "e123", "found by a blind index only")

		refs, err := p.Refs(p.ctx, []int64{a, b})
		require.NoError(t, err)
		_, err = p.Update(p.ctx, refs[b].ID, Change{Attributes: map[string]any{"card": "C-1"}})
		require.Equal(t, "attribute.taken", fieldCode(t, err, "attributes.card"))
		_, err = p.Update(p.ctx, refs[a].ID, Change{Attributes: map[string]any{"card": "C-1"}})
		require.NoError(t, err, "one's own")
		_, err = p.Create(p.ctx, NewContact{Name: "张三", Phone: "13800138000", Attributes: map[string]any{"pass": "E123"}})
		require.Equal(t, "attribute.taken", fieldCode(t, err, "attributes.pass"))

		out, err := p.Upsert(p.ctx, []Incoming{
			{Line: 1, Identifiers: ids("phone", "13900000001"), Attributes: map[string]any{"card": "C-1"}},
			{Line: 2, Identifiers: ids("phone", "13900000002"), Attributes: map[string]any{"card": "C-2"}},
			{Line: 3, Identifiers: ids("phone", "13900000003"), Attributes: map[string]any{"card": "C-2"}},
		}, UpsertOptions{ImportID: "im_1", Source: "list.csv", UpdateExisting: true})
		require.NoError(t, err)
		require.Equal(t, []OutcomeState{Refused, Created, Refused}, []OutcomeState{out[0].State, out[1].State, out[2].State})
		require.Equal(t, "attribute.row_taken", out[0].Err.Code)

		p.says("u1", map[string]any{"card": "C-9"})
		p.says("u2", map[string]any{"card": "C-1"})
		require.Equal(t, "C-1", p.value(b, "card"), "free again")
	})
}

func TestRequiredAndDefault(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.define(attribute.Definition{Key: "shop", Type: attribute.Text, Required: true})
		p.define(attribute.Definition{Key: "level", Type: attribute.Enum, Options: tea, Required: true, Default: js("green"), Indexed: true})
		_, err := p.Create(p.ctx, NewContact{Name: "张三", Phone: "13800138000"})
		require.Equal(t, "attribute.required", fieldCode(t, err, "attributes.shop"))
		c, err := p.Create(p.ctx, NewContact{Name: "张三", Phone: "13800138000", Attributes: map[string]any{"shop": "西湖店"}})
		require.NoError(t, err)
		require.Equal(t, "green", p.value(c.Num(), "level"))
		_, err = p.Update(p.ctx, c.ID, Change{Attributes: map[string]any{"shop": nil}})
		require.Equal(t, "attribute.required", fieldCode(t, err, "attributes.shop"))
		out, err := p.Upsert(p.ctx, []Incoming{{Line: 1, Identifiers: ids("phone", "13900000001")}, {Line: 2, Identifiers: ids("phone", "13900000002"), Attributes: map[string]any{"shop": "东店", "level": "白茶"}}},
			UpsertOptions{ImportID: "im_1", UpdateExisting: true})
		require.NoError(t, err)
		require.Equal(t, "attribute.row_lacks", out[0].Err.Code)
		require.Equal(t, "white", p.value(out[1].Num, "level"))
		num := p.says("u1", nil)
		require.Equal(t, "green", p.value(num, "level"), "facts that lack what is required are taken")
		visitor := p.who(event.Fact{AnonymousID: "dev-1"})
		require.Nil(t, p.value(visitor.Contact, "level"))
		p.who(event.Fact{AnonymousID: "dev-1", UserID: "u9"})
		require.Equal(t, "green", p.value(visitor.Contact, "level"), "promoted")
		res, err := p.UndoImport(p.ctx, "im_1", nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, res.Removed, "defaults do not keep a contact alive")
	})
}

func TestHistory(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.define(attribute.Definition{Key: "level", Type: attribute.Enum, Options: tea})
		p.define(attribute.Definition{Key: "id_card", Type: attribute.Text, Personal: attribute.Sensitive})
		num := p.says("u1", map[string]any{"name": "小明", "level": "绿茶", "id_card": "110101199003070011"})
		refs, err := p.Refs(p.ctx, []int64{num})
		require.NoError(t, err)
		id := refs[num].ID
		p.clock.Advance(time.Minute)
		_, err = p.Update(p.ctx, id, Change{Attributes: map[string]any{"level": "white", "id_card": "110101199003070022", "birthday": "1990-03-07"}})
		require.NoError(t, err)
		h, err := p.AttributeHistory(p.ctx, id, "level")
		require.NoError(t, err)
		require.Len(t, h, 2)
		require.Equal(t, []any{"green", "white", "user", "王芳"}, []any{h[0].Old, h[0].New, h[0].Kind, h[0].By.Name})
		require.Equal(t, []any{nil, "green", "fact", "web"}, []any{h[1].Old, h[1].New, h[1].Kind, h[1].By.Name})
		h, err = p.AttributeHistory(p.ctx, id, "id_card")
		require.NoError(t, err)
		require.Equal(t, "****", h[0].New)
		require.True(t, h[0].Masked)
		h, err = p.AttributeHistory(p.ctx, id, "birthday")
		require.NoError(t, err)
		require.Len(t, h, 1)
		h, err = p.AttributeHistory(p.ctx, id, "name")
		require.NoError(t, err)
		require.Empty(t, h, "the first name, from a fact, is not told")
		stored := one[string](p, "select new from contact_attribute_history where attr = 'id_card' order by nth limit 1")
		require.NotContains(t, stored, "110101")

		p.says("u1", map[string]any{"id_card": "110101199003070022"})
		h, err = p.AttributeHistory(p.ctx, id, "id_card")
		require.NoError(t, err)
		require.Len(t, h, 2, "sealing the same again is no change")

		other := p.who(event.Fact{Type: event.Identify, AnonymousID: "dev-1", Traits: js(map[string]any{"level": "绿茶"})})
		require.NotEqual(t, num, other.Contact)
		p.who(event.Fact{UserID: "u1", AnonymousID: "dev-1"})
		h, err = p.AttributeHistory(p.ctx, id, "level")
		require.NoError(t, err)
		require.Len(t, h, 3, "of all who are the person today")

		for i := range 60 {
			p.says("u1", map[string]any{"level": tea[i%2].ID})
		}
		n := one[int](p, "select count(*) from contact_attribute_history where attr = 'level' and contact = $1", num)
		require.Equal(t, historyMost, n)
	})
}

func TestHandEditsNameTheField(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.define(attribute.Definition{Key: "age", Type: attribute.Number})
		c, err := p.Create(p.ctx, NewContact{Name: "张三", Phone: "13800138000", Attributes: map[string]any{"birthday": "1990年3月5日", "gender": "女", "city": "杭州"}})
		require.NoError(t, err)
		require.Equal(t, "1990-03-05", c.Birthday)
		_, err = p.Update(p.ctx, c.ID, Change{Attributes: map[string]any{"age": "old", "birthday": "someday"}})
		require.Equal(t, "attribute.bad_number", fieldCode(t, err, "attributes.age"))
		require.Equal(t, "attribute.bad_date", fieldCode(t, err, "attributes.birthday"))
		c, err = p.Update(p.ctx, c.ID, Change{Attributes: map[string]any{"birthday": nil, "gender": nil, "city": nil, "age": "３６"}})
		require.NoError(t, err)
		require.Equal(t, []any{"", "", ""}, []any{c.Birthday, c.Gender, c.City})
		require.Equal(t, 36.0, p.value(c.Num(), "age"))
	})
}

func TestDefinitions(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		p.define(attribute.Definition{Key: "level", Type: attribute.Enum, Options: []attribute.Option{{Label: "金"}, {Label: "银"}}, Indexed: true})
		v, err := p.GetAttribute(p.ctx, "level")
		require.NoError(t, err)
		gold := v.Options[0].ID
		require.NotEmpty(t, gold)
		for key, code := range map[string]string{"name": "attribute.reserved_key", "phone": "attribute.reserved_key", "$x": "attribute.bad_key", "level": "attribute.exists"} {
			_, err := p.CreateAttribute(p.ctx, attribute.Definition{Key: key, NameZh: "x", Type: attribute.Text})
			require.Equal(t, code, fieldCode(t, err, "key"))
		}
		p.says("u1", map[string]any{"level": "金"})
		_, err = p.UpdateAttribute(p.ctx, "level", AttributePatch{Options: &[]attribute.Option{v.Options[1]}})
		require.Equal(t, "attribute.option_used", fieldCode(t, err, "options"))
		name := "会员等级"
		v, err = p.UpdateAttribute(p.ctx, "level", AttributePatch{NameZh: &name, Options: &[]attribute.Option{{ID: gold, Label: "黄金"}}})
		require.NoError(t, err)
		require.Equal(t, "会员等级", v.NameZh)
		yes := true
		_, err = p.UpdateAttribute(p.ctx, "level", AttributePatch{Archived: &yes})
		require.NoError(t, err)
		require.Empty(t, p.rows("level"), "lists do not filter by what is archived")
		_, err = p.UpdateAttribute(p.ctx, "nowhere", AttributePatch{})
		require.True(t, errors.Is(err, noAttribute("nowhere")))
		require.Contains(t, strings.Join(p.audit.entries, "\n"), "attribute.archived attribute level")
	})
}

// A definition that is rolled back is not remembered.
func TestDefinitionsRollBack(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		boom := errors.New("boom")
		err := p.DB.Tx(p.ctx, func(ctx context.Context) error {
			return p.changeDefinitions(ctx, func(ctx context.Context, _ *definitions) error {
				a, f := attribute.Compile(attribute.Definition{Key: "age", NameZh: "年龄", Type: attribute.Number}, p.engine.readers())
				require.Nil(t, f)
				require.NoError(t, p.saveDefinition(ctx, &definition{Attribute: a}))
				return boom
			})
		})
		require.ErrorIs(t, err, boom)
		num := p.says("u1", map[string]any{"age": "old"})
		require.Equal(t, "old", p.value(num, "age"))
		raw := one[string](p, "select attributes from contacts where num = $1", num)
		require.True(t, json.Valid([]byte(raw)))
	})
}

package page

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/contact/consent"
)

func compiled(t testing.TB, d attribute.Definition) *attribute.Attribute {
	a, f := attribute.Compile(d, attribute.Readers{
		Phone: func(s string) (string, bool) { return "+86" + s, len(s) == 11 && strings.Trim(s, "0123456789") == "" },
		Email: func(s string) (string, bool) { return strings.ToLower(s), strings.Count(s, "@") == 1 },
	})
	require.Nil(t, f)
	return a
}

// form is a page that asks for one of each, and what it may name.
func form(t testing.TB) (known, *Design) {
	k := known{fields: map[string]*attribute.Attribute{}, purposes: map[string]*consent.Purpose{}}
	for _, d := range []attribute.Definition{
		{Key: "phone", NameZh: "手机号", Type: attribute.Phone}, {Key: "email", NameZh: "邮箱", Type: attribute.Email}, {Key: "name", NameZh: "称呼", Type: attribute.Text, MaxLength: 60},
		{Key: "cups", NameZh: "每天几杯", Type: attribute.Number}, {Key: "since", NameZh: "从何时起", Type: attribute.Date}, {Key: "strong", NameZh: "浓", Type: attribute.Flag},
		{Key: "tea", NameZh: "茶类", Type: attribute.Multi, Options: []attribute.Option{{ID: "green", Label: "绿茶"}, {ID: "white", Label: "白茶"}}},
	} {
		k.fields[d.Key] = compiled(t, d)
	}
	k.purposes["marketing"] = &consent.Purpose{ID: "marketing", Current: 2, Channels: []consent.Channel{consent.SMS, consent.Email}, Wordings: []consent.Wording{{Version: 2}, {Version: 1}}}
	d := &Design{Blocks: []Block{{Kind: Form, Fields: []Field{{Key: "phone", Required: true}, {Key: "email"}, {Key: "name"}, {Key: "cups"}, {Key: "since"}, {Key: "strong"}, {Key: "tea"}, {Key: "gone"}},
		Consents: []AskConsent{{Purpose: "marketing"}, {Purpose: "archived"}}}}}
	return k, d
}

func TestAFormIsReadByTheDictionary(t *testing.T) {
	k, d := form(t)
	a := k.readForm(d, url.Values{"f.phone": {" 13800138000 "}, "f.name": {"林夏"}, "f.tea": {"green", "white"}, "f.cups": {"3"}, "f.gone": {"x"}, "f.other": {"y"}, "c": {"marketing/1", "archived/1"}})
	require.Empty(t, a.faults)
	require.Equal(t, "+8613800138000", a.ids[0].Value)
	require.Equal(t, []string{"phone", "name", "cups", "tea"}, a.given, "what nobody asked is not taken")
	require.JSONEq(t, `["green","white"]`, string(a.traits["tea"]))
	require.Equal(t, []agreed{{"marketing", []string{"sms", "email"}, 1}}, a.consents, "the wording that was shown, not the one of today")

	a = k.readForm(d, url.Values{"f.cups": {"many"}, "f.tea": {"coffee"}, "c": {"marketing/99"}})
	require.Equal(t, "request.field_required", a.faults["phone"].code)
	require.NotEmpty(t, a.faults["cups"].code)
	require.NotEmpty(t, a.faults["tea"].code)
	require.EqualValues(t, 2, a.consents[0].Wording, "a version that never was is today's")
	a = k.readForm(d, url.Values{"f.phone": {"\x10"}, "f.cups": {"\x10"}})
	require.Equal(t, "request.field_required", a.faults["phone"].code, "characters that nobody sees are no answer")
	require.Empty(t, a.given)
	d.Blocks[0].Consents[0].Required = true
	require.Equal(t, "page.consent_needed", k.readForm(d, url.Values{}).faults["c.marketing"].code)
}

func FuzzForm(f *testing.F) {
	k, d := form(f)
	f.Add("f.phone=13800138000&f.name=%E6%9E%97&c=marketing/1")
	f.Add("f.tea=green&f.tea=white&f.cups=1e9&f.since=2026-02-30&f.strong=true&f.email=a@b")
	f.Add("f.name=%00%ff&f.phone=%F0%9F%8D%B5&c=/&c=marketing/")
	f.Add("f.cups=%10&f.phone=%10")
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		a := k.readForm(d, values)
		for key, v := range a.traits {
			require.True(t, json.Valid(v), "%s: %q", key, v)
			require.True(t, slices.Contains(a.given, key))
			require.Empty(t, a.faults[key].code, "a value is taken or refused, not both")
		}
		for _, id := range a.ids {
			require.NotEmpty(t, id.Value)
			require.True(t, utf8.ValidString(id.Value))
		}
		for _, words := range a.typed {
			for _, w := range words {
				require.True(t, utf8.ValidString(w) && len(w) <= mostTyped)
			}
		}
		for _, c := range a.consents {
			require.Equal(t, "marketing", c.Purpose)
			require.Contains(t, []int64{1, 2}, c.Wording)
		}
		_, err = json.Marshal(a.traits)
		require.NoError(t, err)
	})
}

func mixed(text string) string {
	var n uint32 = 2166136261
	for i := range len(text) {
		n = (n ^ uint32(text[i])) * 16777619
	}
	return number(int64(n))
}

type exact struct{}

func (exact) Index(field, text string) string {
	return mixed(field+text) + mixed(text+field) + mixed("x"+text) + mixed(text)
}

func TestSheetsAreThisPagesOwn(t *testing.T) {
	s := NewService(Deps{Keys: exact{}})
	x := sheet{at: 1_780_000_000_000, view: "pv_1", visitor: "abcdefghijklmnopqrstuv", version: 3}
	text := s.sign("pg_1", x)
	got, ok := s.unsign("pg_1", text)
	require.True(t, ok)
	require.Equal(t, x, got)
	for _, bad := range []string{"", "....", text + "x", strings.Replace(text, "pv_1", "pv_2", 1), strings.Repeat("a", 400)} {
		_, ok := s.unsign("pg_1", bad)
		require.False(t, ok, bad)
	}
	_, ok = s.unsign("pg_2", text)
	require.False(t, ok, "another page's")
	message, ok := s.doneOf("pg_1", s.doneToken("pg_1", "pv_1:s.x"))
	require.True(t, ok)
	require.Equal(t, "pv_1:s.x", message)
	_, ok = s.doneOf("pg_2", s.doneToken("pg_1", "pv_1"))
	require.False(t, ok)
}

func TestAddressesAreVeiled(t *testing.T) {
	for in, want := range map[string]string{"203.0.113.77": "203.0.113.0", "::ffff:203.0.113.77": "203.0.113.0", "2001:db8:1:2::3": "2001:db8:1::", "nonsense": ""} {
		require.Equal(t, want, veiled(in))
	}
}

func TestLettersCanBeReadOnEveryColour(t *testing.T) {
	require.Contains(t, style("#ffee00"), "--on:#16181c")
	require.Contains(t, style("#2f5d7c"), "--on:#fff")
	require.Contains(t, style("red;}body{"), usualColor, "nothing but a colour gets into the style")
}

func TestManyFromOneAddress(t *testing.T) {
	var p pace
	now := time.Now()
	for range maxSends {
		require.False(t, p.over("a", now))
	}
	require.True(t, p.over("a", now))
	require.False(t, p.over("b", now))
	require.False(t, p.over("a", now.Add(paceWindow)))
}

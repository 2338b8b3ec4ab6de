package attribute

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func readers() Readers {
	return Readers{
		Phone: func(s string) (string, bool) {
			s = strings.TrimPrefix(strings.ReplaceAll(narrow(s), " ", ""), "+86")
			return "+86" + s, len(s) == 11 && digitsOnly(s)
		},
		Email: func(s string) (string, bool) { s = strings.ToLower(s); return s, strings.Contains(s, "@") },
	}
}

func compile(t testing.TB, d Definition) *Attribute {
	t.Helper()
	d.Key, d.NameZh = "k", "某"
	a, f := Compile(d, readers())
	require.Nil(t, f)
	return a
}

func samples(t testing.TB) map[Type]*Attribute {
	ten := 10.0
	options := []Option{{ID: "green", Label: "绿茶"}, {ID: "white", Label: "白茶"}, {ID: "oolong", Label: "Oolong"}}
	return map[Type]*Attribute{
		Text: compile(t, Definition{Type: Text}), Number: compile(t, Definition{Type: Number, Decimals: 2}),
		Money: compile(t, Definition{Type: Money}), Date: compile(t, Definition{Type: Date}), Flag: compile(t, Definition{Type: Flag}),
		Enum: compile(t, Definition{Type: Enum, Options: options}), Multi: compile(t, Definition{Type: Multi, Options: options}),
		Phone: compile(t, Definition{Type: Phone}), Email: compile(t, Definition{Type: Email}), Region: compile(t, Definition{Type: Region}),
		"short": compile(t, Definition{Type: Text, MinLength: 2, MaxLength: 4, Pattern: `[A-Z]+`}), "small": compile(t, Definition{Type: Number, Max: &ten, Min: new(float64)}),
		"yen": compile(t, Definition{Type: Money, Currency: "jpy"}),
	}
}

func TestRead(t *testing.T) {
	as := samples(t)
	for _, c := range []struct {
		of   Type
		in   string // JSON
		want string // canonical, or the code of the fault
	}{
		{Text, `" 你好\n世界 "`, `"你好 世界"`}, {Text, `12.50`, `"12.50"`}, {Text, `true`, `"true"`}, {Text, `""`, ``}, {Text, `null`, ``},
		{Text, `{"a":1}`, "attribute.not_text"}, {Text, `["春","秋"]`, `"春、秋"`}, {Text, `"a<b&c"`, `"a<b&c"`},
		{"short", `"ABC"`, `"ABC"`}, {"short", `"A"`, "attribute.too_short"}, {"short", `"ABCDE"`, "attribute.too_long"}, {"short", `"ab"`, "attribute.bad_pattern"},
		{Number, `"１，２３４．５６７"`, `1234.57`}, {Number, `"1.2万"`, `12000`}, {Number, `"3亿"`, `300000000`}, {Number, `0.30000000000000004`, `0.3`}, {Number, `1e3`, `1000`},
		{Number, `"-0"`, `0`}, {Number, `"(12)"`, `-12`}, {Number, `"12,34"`, "attribute.bad_number"}, {Number, `"十二"`, "attribute.bad_number"}, {Number, `"."`, "attribute.bad_number"},
		{Number, `99999999999999999999`, "attribute.bad_number"}, {Number, `[5]`, `5`}, {Number, `[5,6]`, "attribute.one_value"}, {Number, `true`, "attribute.bad_number"},
		{"small", `11`, "attribute.too_big"}, {"small", `-1`, "attribute.too_small"}, {"small", `"10.4"`, `10`}, {"small", `"0.5"`, `1`},
		{Money, `"¥1,234.5"`, `{"amount":123450,"currency":"CNY"}`}, {Money, `"￥1.2万"`, `{"amount":1200000,"currency":"CNY"}`}, {Money, `"300元"`, `{"amount":30000,"currency":"CNY"}`},
		{Money, `99.9`, `{"amount":9990,"currency":"CNY"}`}, {Money, `{"amount":5,"currency":"CNY"}`, `{"amount":5,"currency":"CNY"}`}, {Money, `"$12"`, "attribute.wrong_currency"},
		{Money, `"USD 12"`, "attribute.wrong_currency"}, {Money, `{"currency":"CNY"}`, "attribute.bad_money"}, {Money, `"贵"`, "attribute.bad_money"},
		{"yen", `"¥1200"`, `{"amount":1200,"currency":"JPY"}`}, {"yen", `"1200日元"`, `{"amount":1200,"currency":"JPY"}`},
		{Date, `"1990年3月5日"`, `"1990-03-05"`}, {Date, `"1990/3/5"`, `"1990-03-05"`}, {Date, `"19900305"`, `"1990-03-05"`}, {Date, `19900305`, `"1990-03-05"`},
		{Date, `"１９９０－０３－０５"`, `"1990-03-05"`}, {Date, `"2026-03-05T23:30:00+08:00"`, `"2026-03-05"`}, {Date, `"1990-02-30"`, "attribute.bad_date"}, {Date, `"03/05/1990"`, "attribute.bad_date"}, {Date, `"0001-01-01"`, "attribute.bad_date"},
		{Flag, `"是"`, `true`}, {Flag, `"否"`, `false`}, {Flag, `0`, `false`}, {Flag, `"Ｙ"`, `true`}, {Flag, `"也许"`, "attribute.bad_flag"}, {Flag, `true`, `true`},
		{Enum, `"绿茶"`, `"green"`}, {Enum, `"green"`, `"green"`}, {Enum, `" ＯＯＬＯＮＧ "`, `"oolong"`}, {Enum, `"红茶"`, "attribute.unknown_option"}, {Enum, `["白茶"]`, `"white"`},
		{Multi, `"白茶、绿茶，绿茶"`, `["green","white"]`}, {Multi, `["oolong","绿茶"]`, `["green","oolong"]`}, {Multi, `[]`, ``}, {Multi, `["绿茶","红茶"]`, "attribute.unknown_option"}, {Multi, `[["绿茶"]]`, "attribute.not_text"},
		{Phone, `"１３８ 0013 8000"`, `"+8613800138000"`}, {Phone, `"12"`, "attribute.bad_phone"}, {Email, `"A@B.cn"`, `"a@b.cn"`}, {Email, `"x"`, "attribute.bad_email"},
		{Region, `"浙江省杭州市西湖区"`, `"330106"`}, {Region, `["浙江省","杭州市"]`, `"330100"`}, {Region, `330106`, `"330106"`}, {Region, `33`, "attribute.bad_region"},
	} {
		got, f := as[c.of].Read(json.RawMessage(c.in))
		if f != nil {
			require.Equal(t, c.want, f.Code, "%s %s", c.of, c.in)
			continue
		}
		require.Equal(t, c.want, string(got), "%s %s", c.of, c.in)
	}
}

func TestRegions(t *testing.T) {
	for text, want := range map[string]string{
		"浙江杭州": "330100", "西湖区 杭州": "330106", "杭州市西湖区文三路1号": "330106", "浙江-杭州-余杭": "330110", "中国浙江省": "330000",
		"北京朝阳": "110105", "北京市 市辖区 朝阳区": "110105", "上海浦东": "310115", "重庆万州": "500101", "香港": "810000", "澳门特别行政区": "820000", "台湾": "710000",
		"湖北仙桃": "429004", "济源市": "419001", "海南文昌": "469005", "新疆石河子": "659001", "内蒙古呼和浩特": "150100", "延边": "222400", "广西壮族自治区南宁市": "450100",
		"吉林": "220000", "吉林吉林": "220200", "吉林省吉林市": "220200", "辽宁朝阳": "211300", "朝阳": "211300", "海南": "460000", "大理": "532900",
		"北京宣武区": "110102", "上海市闸北区": "310106", "杭州下城区": "330105", "110104": "110102", "110100": "110000", "330106001000": "330106", "思茅市": "530800", "襄樊": "420600",
		"朝阳区": "attribute.ambiguous_region", "西湖区": "attribute.ambiguous_region", "鼓楼区": "attribute.ambiguous_region",
		"喜欢杭州": "attribute.bad_region", "杭州人": "attribute.bad_region", "江苏杭州": "attribute.bad_region", "999999": "attribute.bad_region", "火星": "attribute.bad_region", "": "attribute.bad_region",
	} {
		got, f := ParseRegion(text)
		if f != nil {
			got = f.Code
		}
		require.Equal(t, want, got, text)
	}
	require.Equal(t, "浙江省杭州市西湖区", RegionName("330106"))
	require.Equal(t, "北京市东城区", RegionName("110101"))
	require.Equal(t, "3301", RegionPrefix("330100"))
	require.Equal(t, "33", RegionPrefix("330000"))
	seen := map[string]bool{}
	for _, p := range Regions() {
		require.Len(t, p.Code, 6)
		require.True(t, p.Parent == "" || seen[p.Parent], "%s stands before the place it is in", p.Code)
		seen[p.Code] = true
		code, f := ParseRegion(RegionName(p.Code))
		require.Nil(t, f, "%s %s", p.Code, RegionName(p.Code))
		require.Equal(t, p.Code, code, RegionName(p.Code))
	}
	require.Greater(t, len(seen), 3200)
	for old, to := range places().successor {
		require.True(t, seen[to], "%s went to %s, which is not there", old, to)
	}
}

func TestCompileRefuses(t *testing.T) {
	one, two := 1.0, 2.0
	for field, d := range map[string]Definition{
		"key": {Key: "$x", NameZh: "a", Type: Text}, "nameZh": {Key: "x", Type: Text}, "type": {Key: "x", NameZh: "a", Type: "poem"},
		"options": {Key: "x", NameZh: "a", Type: Enum}, "currency": {Key: "x", NameZh: "a", Type: Money, Currency: "yuan"},
		"max": {Key: "x", NameZh: "a", Type: Number, Min: &two, Max: &one}, "pattern": {Key: "x", NameZh: "a", Type: Text, Pattern: "("},
		"default": {Key: "x", NameZh: "a", Type: Number, Default: json.RawMessage(`"x"`)}, "unique": {Key: "x", NameZh: "a", Type: Flag, Unique: true},
		"personal": {Key: "x", NameZh: "a", Type: Text, Personal: "rather"}, "maxLength": {Key: "x", NameZh: "a", Type: Text, MinLength: 3, MaxLength: 2},
	} {
		_, f := Compile(d, Readers{})
		require.NotNil(t, f, field)
		require.Equal(t, field, f.Field)
	}
	_, f := Compile(Definition{Key: "x", NameZh: "a", Type: Multi, Options: []Option{{ID: "a", Label: "甲"}, {ID: "b", Label: " 甲"}}}, Readers{})
	require.Equal(t, "attribute.option_twice", f.Code)
}

func TestKeysAndWords(t *testing.T) {
	as := samples(t)
	for _, c := range []struct {
		of    Type
		value string
		keys  []Key
		shown string
	}{
		{Text, `"Ａ b"`, []Key{{Str: "ab"}}, "Ａ b"}, {Number, `-12.5`, []Key{{Num: -125000}}, "-12.5"}, {Money, `{"amount":9990,"currency":"CNY"}`, []Key{{Num: 9990}}, "99.9 CNY"},
		{Date, `"1970-01-02"`, []Key{{Num: 86400000}}, "1970-01-02"}, {Flag, `true`, []Key{{Str: "true"}}, "是"}, {Enum, `"green"`, []Key{{Str: "green"}}, "绿茶"},
		{Multi, `["green","white"]`, []Key{{Str: "green"}, {Str: "white"}}, "绿茶、白茶"}, {Region, `"330106"`, []Key{{Str: "330106"}}, "浙江省杭州市西湖区"},
		{Number, `"twelve"`, nil, "twelve"}, {Text, `null`, nil, ""},
	} {
		require.Equal(t, c.keys, as[c.of].Keys(json.RawMessage(c.value)), c.value)
		require.Equal(t, c.shown, as[c.of].Show(json.RawMessage(c.value)))
	}
	long := as[Text].Keys(json.RawMessage(`"` + strings.Repeat("茶", 200) + `"`))
	require.LessOrEqual(t, len(long[0].Str), maxKey)
}

func TestGuess(t *testing.T) {
	many := func(vs ...string) []json.RawMessage {
		var out []json.RawMessage
		for range 10 {
			for _, v := range vs {
				out = append(out, json.RawMessage(v))
			}
		}
		return out
	}
	for want, vs := range map[Type][]json.RawMessage{
		Number: many(`12`, `"3.5"`), Money: many(`"¥12"`, `"30元"`), Date: many(`"2020-01-02"`), Flag: many(`true`, `false`), Enum: many(`"红"`, `"绿"`, `"红"`),
		Multi: many(`["a"]`), Phone: many(`"13800138000"`), Email: many(`"a@b.cn"`), Region: many(`"浙江杭州"`), Text: {json.RawMessage(`"只此一句"`)},
	} {
		require.Equal(t, want, Guess(vs, readers()))
	}
	require.Equal(t, Text, Guess(nil, readers()))
}

// What is read is canonical: it reads back as itself, and has index entries.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`"1,234.5"`, `"¥1.2万"`, `"1990年3月5日"`, `"浙江杭州"`, `["绿茶"]`, `{"amount":5}`, `true`, `"(1e3)"`, `"\u0000"`, `1e-9`, `"ＡＢ"`, `"绿茶、白茶"`, `-1`} {
		f.Add(s)
	}
	as := samples(f)
	f.Fuzz(func(t *testing.T, in string) {
		for of, a := range as {
			if !json.Valid([]byte(in)) {
				continue
			}
			got, bad := a.Read(json.RawMessage(in))
			if bad != nil || got == nil {
				continue
			}
			if !json.Valid(got) {
				t.Fatalf("%s: %q reads as %q, which is no JSON", of, in, got)
			}
			again, bad := a.Read(got)
			if bad != nil || string(again) != string(got) {
				t.Fatalf("%s: %q reads as %q, which reads as %q (%v)", of, in, got, again, bad)
			}
			if a.Type != Text && len(a.Keys(got)) == 0 {
				t.Fatalf("%s: %q has no index entry", of, got)
			}
			a.Show(got)
		}
	})
}

func FuzzRegion(f *testing.F) {
	for _, s := range []string{"浙江省杭州市西湖区", "朝阳", "吉林吉林吉林吉林吉林吉林吉林", "110104", "市辖区市辖区", "中国"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		code, bad := ParseRegion(s)
		if bad == nil && RegionName(code) == "" {
			t.Fatalf("%q is in %q, which is nowhere", s, code)
		}
	})
}

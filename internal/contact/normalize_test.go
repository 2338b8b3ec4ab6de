package contact

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
)

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ kind, in, country, want, refused string }{
		{KindPhone, "13800138001", "CN", "+8613800138001", ""},
		{KindPhone, "+86 138-0013-8001", "CN", "+8613800138001", ""},
		{KindPhone, "008613800138001", "CN", "+8613800138001", ""},
		{KindPhone, "8613800138001", "", "+8613800138001", ""},
		{KindPhone, "１３８００１３８００１", "CN", "+8613800138001", ""},
		{KindPhone, "(0571) 8888 6666", "CN", "+8657188886666", ""},
		{KindPhone, "+852 9123 4567", "CN", "+85291234567", ""},
		{KindPhone, "020 7946 0958", "GB", "+442079460958", ""},
		{KindPhone, "+886 912 345 678", "CN", "+886912345678", ""},
		{KindPhone, "00852 9123 4567", "CN", "+85291234567", ""},
		{KindPhone, "+853 6612 3456", "CN", "+85366123456", ""},
		{KindPhone, "00886912345678", "", "+886912345678", ""},
		{KindPhone, "００８６　１３８　００１３　８００１", "", "+8613800138001", ""},
		{KindPhone, "＋８６－１３８－００１３－８００１", "", "+8613800138001", ""},
		{KindPhone, "(+86)138.0013.8001", "", "+8613800138001", ""},
		{KindPhone, "+86 (0)138 0013 8001", "", "+8613800138001", ""},
		{KindPhone, "tel:+8613800138001", "", "+8613800138001", ""},
		{KindPhone, "138\u200b0013\u200b8001", "", "+8613800138001", ""},
		{KindPhone, "\u202d13800138001\u202c", "", "+8613800138001", ""},
		{KindPhone, "1-3-8-0-0-1-3-8-0-0-1", "", "+8613800138001", ""},
		{KindPhone, "400-810-0000", "CN", "+864008100000", ""},
		{KindPhone, "+1 (212) 555-0123", "CN", "+12125550123", ""},
		{KindPhone, "+81 90-1234-5678", "CN", "+819012345678", ""},
		{KindPhone, "0912 345 678", "TW", "+886912345678", ""},
		{KindPhone, "9123 4567", "HK", "+85291234567", ""},
		{KindPhone, "138001380011", "CN", "", refusedPhone},
		{KindPhone, "1380013800138001380013800", "CN", "", refusedPhone},
		{KindPhone, "110", "CN", "", refusedPhone},
		{KindPhone, "0000-0000", "CN", "", refusedBlocked},
		{KindPhone, "电话", "CN", "", refusedPhone},
		{KindEmail, " Li.Lei@Example.CN ", "", "li.lei@example.cn", ""},
		{KindEmail, "li＠shop.cn", "", "li@shop.cn", ""},
		{KindEmail, "mailto:a@b.cn", "", "a@b.cn", ""},
		{KindEmail, "MAILTO:A@B.CN", "", "a@b.cn", ""},
		{KindEmail, "ＬＩ＠ＳＨＯＰ．ＣＮ", "", "li@shop.cn", ""},
		{KindEmail, "a.b+c@shop.cn", "", "a.b+c@shop.cn", ""},
		{KindEmail, "a@shop.cn.", "", "", refusedEmail},
		{KindEmail, "a@shop..cn", "", "", refusedEmail},
		{KindEmail, "@shop.cn", "", "", refusedEmail},
		{KindEmail, "a b@shop.cn", "", "", refusedEmail},
		{KindEmail, "a@b", "", "", refusedEmail},
		{KindEmail, "a@b@c.cn", "", "", refusedEmail},
		{KindEmail, "test@test.com", "", "", refusedEmail},
		{KindUserID, "  u1 ", "", "u1", ""},
		{KindUserID, "0", "", "", refusedBlocked},
		{KindUserID, "-1", "", "", refusedBlocked},
		{KindUserID, "NULL", "", "", refusedBlocked},
		{KindUserID, "Anonymous", "", "", refusedBlocked},
		{KindUserID, "游客", "", "", refusedBlocked},
		{KindUserID, "test-7", "", "test-7", ""},
		{KindUserID, "00a0", "", "00a0", ""},
		{KindUserID, "", "", "", refusedEmpty},
		{KindUserID, "a\x00b", "", "", refusedText},
		{KindUserID, string(make([]byte, 300)), "", "", refusedLong},
		{KindAnonymous, "00000000-0000-0000-0000-000000000000", "", "", refusedBlocked},
		{KindIDNumber, "11010119900307123x", "", "11010119900307123X", ""},
		{KindIDNumber, "１１０１０１１９９００３０７１２３ｘ", "", "11010119900307123X", ""},
		{KindIDNumber, "110101 19900307 123x", "", "11010119900307123X", ""},
		{KindUnionID, " oX6_1b-AbC ", "", "oX6_1b-AbC", ""},
		{KindOpenID, "oAbC\t", "", "oAbC", ""},
		{KindOpenID, "oabc", "", "oabc", ""},
		{KindOpenID, "oAbC\u200b", "", "oAbC", ""},
		{KindExternalUserID, "wmAbC1_x", "", "wmAbC1_x", ""},
		{KindMemberNo, " sy０００１ ", "", "sy0001", ""},
		{KindMemberNo, "0001", "", "0001", ""},
		{KindMemberNo, "0000", "", "", refusedBlocked},
		{KindShopBuyer, "tb:小明 88", "", "tb:小明 88", ""},
		{KindExternal, "CRM-7", "", "CRM-7", ""},
		{KindDevice, "3F2504E0-4F89-11D3-9A0C-0305E82C3301", "", "3F2504E0-4F89-11D3-9A0C-0305E82C3301", ""},
		{KindDevice, "00000000-0000-0000-0000-000000000000", "", "", refusedBlocked},
		{KindDevice, "\u200b", "", "", refusedEmpty},
		{"crm_id", "\ufeffa1", "", "a1", ""},
	} {
		got, refused := normalize(c.kind, c.in, c.country)
		require.Equal(t, [2]string{c.want, c.refused}, [2]string{got, refused}, "%s %q", c.kind, c.in)
	}
}

// Whatever comes in, the normal form is a fixed point: stored values stay found.
// It is short enough to be stored, text, and identifies somebody.
func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"13800138001", "a@b.cn", "null", "　１２３", "+1 (202) 555-0123;ext=9", "\xff", "\u200b", "mailto:mailto:a@b.cn", "0086008613800138001", "ǅ@ß.İ", "İ", "８６13800138001", "-０"} {
		for _, country := range []string{"CN", "HK", ""} {
			f.Add(s, country)
		}
	}
	f.Fuzz(func(t *testing.T, in, country string) {
		for _, kind := range append(sortedKeys(known), "crm_id") {
			norm, refused := normalize(kind, in, country)
			if refused != "" {
				require.Empty(t, norm)
				continue
			}
			require.NotEmpty(t, norm)
			require.LessOrEqual(t, len(norm), maxValue)
			require.True(t, printable(norm))
			require.False(t, isBlocked(norm))
			again, refused := normalize(kind, norm, country)
			require.Equal(t, norm, again, "%s %q: %s", kind, in, refused)
		}
	})
}

func TestNameForms(t *testing.T) {
	for in, want := range map[string]nameForms{
		"张三":           {"张三", "zhangsan", "zs"},
		" 曾 国藩":        {"曾 国藩", "zengguofan", "zgf"},
		"单雄信":          {"单雄信", "shanxiongxin", "sxx"},
		"欧阳锋":          {"欧阳锋", "ouyangfeng", "oyf"},
		"John  Smith":  {"john smith", "johnsmith", "js"},
		"Li雷":          {"li雷", "lilei", "ll"},
		"Ｚoe O'Neil":   {"zoe o'neil", "zoeoneil", "zon"},
		"":             {"", noName, ""},
		"  ":           {"", noName, ""},
		"!!!":          {"!!!", noName, ""},
		"さくら":          {"さくら", "さくら", "さくら"},
		"👍":            {"👍", "👍", "👍"},
		"Ana María 12": {"ana maría 12", "anamaría12", "am1"},
	} {
		require.Equal(t, want, formsOf(in), in)
	}
}

func TestChannels(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                    "",
		`{"channel":"offline"}`: Offline,
		`{"channel":"web"}`:     "",
		`{"campaign":{"source":"baidu","medium":"cpc"}}`:                             PaidSearch,
		`{"campaign":{"source":"baidu"}}`:                                            Organic,
		`{"campaign":{"source":"m.baidu.com"}}`:                                      Organic,
		`{"campaign":{"source":"douyin","medium":"feed"}}`:                           FeedAds,
		`{"campaign":{"source":"Douyin"}}`:                                           ShortVideo,
		`{"campaign":{"source":"xiaohongshu","medium":"kol"}}`:                       Partner,
		`{"campaign":{"name":"spring"}}`:                                             Unknown,
		`{"campaign":{"source":"x"},"channel":"referral"}`:                           Referral,
		`{"page":{"url":"https://a.cn/","referrer":"https://www.baidu.com/s?wd=x"}}`: Organic,
		`{"page":{"url":"https://shop.a.cn/","referrer":"https://www.a.cn/x"}}`:      "",
		`{"page":{"url":"https://a.cn/","referrer":""}}`:                             Direct,
		`{"page":{"url":"https://a.cn/","referrer":"https://mp.weixin.qq.com/"}}`:    Social,
		`{"page":{"url":"https://a.cn/","referrer":"https://blog.b.org/"}}`:          Unknown,
		`{"page":{"url":"https://a.cn/"}}`:                                           "",
		`{"campaign":"spring"}`:                                                      "",
		`{"campaign":{"source":5}}`:                                                  "",
		`{"referrer":{"url":"https://weibo.com/"}}`:                                  Social,
	} {
		require.Equal(t, want, ChannelOf(&event.Fact{Context: json.RawMessage(in)}), in)
	}
}

func TestTraits(t *testing.T) {
	get := func(traits any) map[string]string {
		out := map[string]string{}
		for _, c := range parseTraits(js(traits)) {
			out[c.key] = string(c.value)
		}
		return out
	}
	require.Equal(t, map[string]string{"name": `"张三"`, "gender": `"male"`, "birthday": `"1990-03-07"`, "city": `"杭州"`, "level": "3", "vip": "true", "tags": `["a"]`, "old": "", "address": `{"city":"杭州"}`},
		get(obj{"lastName": "张", "firstName": "三", "gender": "先生", "birthday": "1990/3/7", "address": obj{"city": "杭州"}, "phone": "13800138001", "email": "a@b.cn",
			"level": 3, "vip": true, "tags": []string{"a"}, "old": nil, "$x": 1, "": 2}))
	require.Equal(t, map[string]string{"name": `"Ada Lovelace"`}, get(obj{"firstName": "Ada", "lastName": "Lovelace", "birthday": "soon", "avatar": "javascript:alert(1)"}))
	require.Equal(t, map[string]string{"name": ""}, get(obj{"name": nil}))
	require.Empty(t, parseTraits(json.RawMessage(`["a"]`)))
	require.Empty(t, parseTraits(json.RawMessage(`{"a":`)))
}

func TestMask(t *testing.T) {
	require.Equal(t, "138****8001", Mask(KindPhone, "+8613800138001"))
	require.Equal(t, "u1", Mask(KindUserID, "u1"))
}

func TestNamesReadForwards(t *testing.T) {
	for in, want := range map[string]string{
		"\u202e向反\u202c": "向反", "王\u2066芳\u2069": "王芳", "a\x00b\tc": "a b c", " 李  雷\n": "李 雷", "👨‍👩‍👧": "👨‍👩‍👧", "\u202e": "",
	} {
		require.Equal(t, want, cleanName(in))
	}
}

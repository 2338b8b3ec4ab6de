package veil_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koipond/koipond/internal/event/veil"
)

// fake seals by base64: enough to see what is sealed and to get it back.
func fake(v []byte) (string, error) { return "d1." + base64.RawURLEncoding.EncodeToString(v), nil }

func unfake(s string) ([]byte, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s[3:])
	return raw, err == nil && json.Valid(raw)
}

func TestSealHidesAndComesBack(t *testing.T) {
	in := `{"phone":13800138000,"user_id":"u-1234567890","name":"锦鲤套装","price":12.5,"total":15000000000,"note":"写信到 a@b.cn","id":"13912345678","traits":{"name":"王小明","email":"wang@qq.com"},` +
		`"items":[{"sku":"A1","receiver":{"realName":"李四","mobile":"+8613700000000"}}],"address":{"city":"杭州","street":"龙井路 1 号"},"phones":["13600000001"],"ip":"10.1.2.3","ok":true,"n":null,` +
		`"url":"https://a.cn/x?phone=13600000002\u0026a=1","esc":"\u00313600000003","empty":{},"tel":""}`
	out, err := veil.Seal([]byte(in), false, fake)
	require.NoError(t, err)
	require.True(t, json.Valid(out), string(out))
	for _, secret := range []string{"13800138000", "u-1234567890", "a@b.cn", "13912345678", "王小明", "wang@", "李四", "13700000000", "10.1.2.3", "13600000001", "13600000002", "3600000003", "杭州", "龙井路"} {
		require.NotContains(t, string(out), secret)
	}
	for _, plain := range []string{"锦鲤套装", "12.5", "15000000000", `"sku":"A1"`, `"ok":true`} {
		require.Contains(t, string(out), plain)
	}
	require.Equal(t, in, string(veil.Unseal(out, "d1.", unfake)), "to the byte")

	clear := []byte(`{"a":1}`)
	same, err := veil.Seal(clear, false, fake)
	require.NoError(t, err)
	require.Equal(t, &clear[0], &same[0], "nothing to seal, nothing copied")
}

func TestSealOfNoObject(t *testing.T) {
	for _, in := range []string{`["13800138000"]`, `{"a":`, `{"a":1} x`, `13800138000`} {
		out, err := veil.Seal([]byte(in), false, fake)
		require.NoError(t, err)
		require.True(t, json.Valid(out), string(out))
		require.NotContains(t, string(out), "13800138000")
		var back struct {
			Broken string `json:"$broken"`
		}
		require.NoError(t, json.Unmarshal(veil.Unseal(out, "d1.", unfake), &back))
		require.Equal(t, in, back.Broken)
	}
}

func TestUnsealLeavesWhatItCannotOpen(t *testing.T) {
	for _, in := range []string{`{"a":"d1.!!"}`, `{"a":"d1.`, `{"a":"x d1.AAAA"}`, `{}`} {
		require.Equal(t, in, string(veil.Unseal([]byte(in), "d1.", unfake)))
	}
}

func TestSealAny(t *testing.T) {
	names := rapid.SampledFrom([]string{"phone", "a", "traits", "address", "externalIds", "id", "total", "手机号", "receiver_mobile"})
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		leaf := rapid.OneOf(rapid.Map(rapid.SampledFrom([]string{"13800138000", "a@b.cn", "x", "", "110105194912310021"}), func(s string) any { return s }),
			rapid.Map(rapid.Int64(), func(n int64) any { return n }), rapid.Just(any(nil)), rapid.Just(any(true)), rapid.Just(any(13800138000)))
		if depth == 0 {
			return leaf
		}
		return rapid.OneOf(leaf, rapid.Map(rapid.SliceOfN(value(depth-1), 0, 3), func(v []any) any { return v }),
			rapid.Map(rapid.MapOfN(names, value(depth-1), 0, 4), func(v map[string]any) any { return v }))
	}
	rapid.Check(t, func(t *rapid.T) {
		in, err := json.Marshal(rapid.MapOfN(names, value(3), 0, 5).Draw(t, "object"))
		require.NoError(t, err)
		person := rapid.Bool().Draw(t, "person")
		out, err := veil.Seal(in, person, fake)
		require.NoError(t, err)
		require.Equal(t, string(in), string(veil.Unseal(out, "d1.", unfake)))
		for _, secret := range []string{`"13800138000"`, "a@b.cn", `"110105194912310021"`} {
			require.False(t, strings.Contains(string(out), secret), "%s in %s", secret, out)
		}
	})
}

func TestPersonalIDs(t *testing.T) {
	for kind, value := range map[string]string{"phone": "1", "user_id": "13800138000", "anonymous_id": "a@b.cn", "email": "x", "idCard": "1", "user": "110105194912310021"} {
		require.True(t, veil.PersonalID(kind, value), kind)
	}
	for kind, value := range map[string]string{"user_id": "u-1", "unionid": "oABC", "phone": "", "anonymous_id": "174026031234567890"} {
		require.False(t, veil.PersonalID(kind, value), kind)
	}
}

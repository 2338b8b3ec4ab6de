package veil_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event/veil"
)

func TestObjectHidesPersons(t *testing.T) {
	in := `{"phone":13800138000,"user_id":"u-1234567890","name":"锦鲤套装","price":12.5,"note":"写信到 a@b.cn","id":"13912345678","traits":{"name":"王小明","email":"wang@qq.com","id":"8800123"},"items":[{"sku":"A1","receiver":{"realName":"李四","mobile":"+8613700000000"}}],"ip":"10.1.2.3","ok":true,"n":null}`
	out := veil.Object([]byte(in), false)
	require.True(t, json.Valid(out), string(out))
	for _, secret := range []string{"13800138000", "u-1234567890", "a@b.cn", "13912345678", "王小明", "wang@", "8800123", "李四", "13700000000", "10.1.2.3"} {
		require.NotContains(t, string(out), secret)
	}
	for _, plain := range []string{"锦鲤套装", "12.5", `"sku":"A1"`, `"ok":true`} {
		require.Contains(t, string(out), plain)
	}
	require.NotContains(t, string(veil.Object([]byte(`{"name":"王小明"}`), true)), "小明")
	require.Nil(t, veil.Object(nil, false))
}

func TestPersonal(t *testing.T) {
	for _, v := range []string{"13800138000", "+86 138 0013 8000", "a.b@c.com", "11010519491231002X"} {
		require.True(t, veil.Personal("x", v), v)
	}
	for _, v := range []string{"A-1001", "2026-03-02", "129.50", "1772438400123", "hello", "@home", ""} {
		require.False(t, veil.Personal("x", v), v)
	}
	require.True(t, veil.Personal("Phone_Number", "none"))
	require.Equal(t, "138****8000", veil.Identifier("phone", "13800138000"))
	require.NotContains(t, veil.Identifier("unionid", "ox1234567890abc"), "34567890")
}

func TestPersonalInLongerNamesAndTexts(t *testing.T) {
	for name, v := range map[string]string{"receiver_phone": "021-555", "备用手机号": "x", "contactEmail": "none", "收货人": "王小明", "billing_address": "南京路 1 号"} {
		require.True(t, veil.Personal(name, v), name)
		require.NotEqual(t, v, veil.Value(name, v), name)
	}
	for _, name := range []string{"is_mobile", "has_email", "title", "$channel"} {
		require.False(t, veil.Named(name), name)
	}
	require.Equal(t, "https://a.cn/p?tel=138****8000&x=1", veil.Value("url", "https://a.cn/p?tel=13800138000&x=1"))
	require.Equal(t, "a 138****8000, b 139****8000", veil.Value("note", "a 13800138000, b 13900138000"))
	require.NotContains(t, veil.Value("x", "8613800138000"), "0138")
	for _, v := range []string{"https://a.cn/p/20260302123", "1772438400123", "0.13812345678", "订单 113800138000"} {
		require.Equal(t, v, veil.Value("x", v))
	}
}

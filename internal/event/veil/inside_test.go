package veil_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/secret"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"客户 13812341234 要求":        "客户 138****1234 要求",
		"138-1234-1234 与 a@b.cn":   "138****1234 与 a***@b.cn",
		"写信 li.si@shop.com.cn，谢谢":  "写信 l***@shop.com.cn，谢谢",
		"证件 110105194912310021":    "证件 110***********0021",
		"订单 202603011234567 共 3 件": "订单 202603011234567 共 3 件",
		"合同 A-12，120.5 元":          "合同 A-12，120.5 元",
		"":                         "",
	} {
		require.Equal(t, want, veil.Text(in), in)
	}
}

func TestInside(t *testing.T) {
	old, err := secret.NewRing(bytes.Repeat([]byte{1}, secret.KeySize))
	require.NoError(t, err)
	both, err := secret.NewRing(bytes.Repeat([]byte{1}, secret.KeySize), bytes.Repeat([]byte{2}, secret.KeySize))
	require.NoError(t, err)
	was, is := veil.Inside{Keys: old, Field: "f"}, veil.Inside{Keys: both, Field: "f"}
	const text = `{"q":"13812341234","n":{"v":[{"value":"a@b.cn"},3]},"id":"tk_1","typed":"s1.not sealed"}`
	sealed, err := was.Seal(text)
	require.NoError(t, err)
	require.NotContains(t, sealed, "13812341234")
	require.NotContains(t, sealed, "a@b.cn")
	require.Contains(t, sealed, `"id":"tk_1"`)
	open, err := is.Open(sealed)
	require.NoError(t, err)
	require.Equal(t, text, open)

	anew, err := is.Anew(sealed)
	require.NoError(t, err)
	require.NotContains(t, anew, "s1."+old.KeyID()+".")
	again, err := is.Anew(anew)
	require.NoError(t, err)
	require.Equal(t, anew, again, "right already")
	fromClear, err := is.Anew(text)
	require.NoError(t, err)
	require.NotContains(t, fromClear, "13812341234")
	open, err = is.Open(anew)
	require.NoError(t, err)
	require.Equal(t, text, open)
}

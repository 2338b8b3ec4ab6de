package sms

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
)

func TestNumbers(t *testing.T) {
	for raw, want := range map[string]string{
		"13800001234": "+8613800001234", " 138 0000 1234 ": "+8613800001234", "+86 138-0000-1234": "+8613800001234", "8613800001234": "+8613800001234", "008613800001234": "+8613800001234",
		"１３８００００１２３４": "+8613800001234", "+1 415 555 2671": "+14155552671", "+852 6123 4567": "+85261234567",
		"": "", "1380000123": "", "138000012345": "", "12800001234": "", "010-62551234": "", "+862162551234": "", "95588": "", "abc": "", "13800001234;13900001234": "", "+86138000012x4": "",
	} {
		got, err := Number(raw)
		if want == "" {
			require.ErrorIs(t, err, errNumber, raw)
			continue
		}
		require.NoError(t, err, raw)
		require.Equal(t, want, got, raw)
	}
}

func TestSegments(t *testing.T) {
	cn, us := "+8613800001234", "+14155552671"
	for _, c := range []struct {
		text, to string
		want     int
	}{
		{"", cn, 0}, {strings.Repeat("池", 70), cn, 1}, {strings.Repeat("池", 71), cn, 2}, {strings.Repeat("池", 134), cn, 2}, {strings.Repeat("池", 135), cn, 3},
		{strings.Repeat("a", 70), cn, 1}, {strings.Repeat("a", 71), cn, 2}, {strings.Repeat("🐟", 35), cn, 1}, {strings.Repeat("🐟", 36), cn, 2},
		{strings.Repeat("a", 160), us, 1}, {strings.Repeat("a", 161), us, 2}, {strings.Repeat("€", 80), us, 1}, {strings.Repeat("€", 81), us, 2}, {strings.Repeat("a", 70) + "池", us, 2},
	} {
		require.Equal(t, c.want, Segments(c.text, c.to), "%d of %s", len([]rune(c.text)), c.to)
	}
}

func TestTemplates(t *testing.T) {
	require.Equal(t, []string{"name", "item"}, Holes("${name}您好，${item}已发出，${name}"))
	require.Equal(t, []string{"1", "2"}, Holes("{1}您好，{2}"))
	text, missing := Fill("${name}您好，${item}", []connector.Param{{Name: "name", Value: "小明"}})
	require.Equal(t, "小明您好，${item}", text)
	require.Equal(t, []string{"item"}, missing)
	text, missing = Fill("{1}您好，{2}", []connector.Param{{Value: "小明"}, {Value: "锦鲤"}})
	require.Equal(t, "小明您好，锦鲤", text)
	require.Empty(t, missing)
	text, _ = Fill("${a}", []connector.Param{{Name: "a", Value: "${b}"}})
	require.Equal(t, "${b}", text, "what is put in is not read again")
}

func TestStops(t *testing.T) {
	for _, yes := range []string{"TD", "td", " Td ", "T", "N", "R", "退订", "【退订】", "退订。", "ＴＤ", "取消订阅", "我要退订", "请帮我退订", "unsubscribe", "拒收"} {
		require.True(t, Stops(yes, nil), yes)
	}
	for _, no := range []string{"", "好的", "TDK 的耳机还有吗", "不退订", "怎么不要退订啊", "你们家的退订流程太复杂了能不能改一改", "Nice", "NO"} {
		require.False(t, Stops(no, nil), no)
	}
	require.True(t, Stops("0", []string{"0"}))
	require.False(t, Stops("TD", []string{"0"}), "the account's own words replace the usual ones")
}

func TestRefusalsSayWhen(t *testing.T) {
	now := time.Date(2026, 3, 2, 13, 30, 20, 0, china)
	until := func(table map[string]rule, code, msg string) time.Time {
		err := refused(table, "SendSms", code, msg).react(now)
		var later *connector.Later
		require.ErrorAs(t, err, &later, code)
		require.True(t, connector.NotSent(err), "it may be tried again")
		return later.Until.In(china)
	}
	require.Equal(t, now.Add(40*time.Second), until(aliyunCodes, "isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1"))
	require.Equal(t, time.Date(2026, 3, 2, 14, 0, 0, 0, china), until(aliyunCodes, "isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5"))
	require.Equal(t, time.Date(2026, 3, 3, 0, 0, 0, 0, china), until(aliyunCodes, "isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:10"))
	require.Equal(t, time.Date(2026, 3, 3, 8, 0, 0, 0, china), until(tencentCodes, "FailedOperation.MarketingSendTimeConstraint", ""))
	for _, code := range []string{"isv.AMOUNT_NOT_ENOUGH", "SignatureDoesNotMatch"} {
		err := refused(aliyunCodes, "SendSms", code, "").react(now)
		require.True(t, connector.NotSent(err) && connector.GivenUp(err), code)
	}
	err := refused(aliyunCodes, "SendSms", "isp.SYSTEM_ERROR", "").react(now)
	require.False(t, connector.NotSent(err) || connector.GivenUp(err), "it may have left")
	require.Equal(t, "sms.bad_app", refused(tencentCodes, "x", "UnauthorizedOperation.SmsSdkAppIdVerifyFail", "").words.Code)
	require.Equal(t, "sms.no_right", refused(tencentCodes, "x", "UnauthorizedOperation.SomethingNew", "").words.Code, "by what it begins with")
	require.Equal(t, "sms.refused", refused(tencentCodes, "x", "Whatever.New", "words").words.Code)
}

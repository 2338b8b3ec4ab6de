package sms

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/clock"
)

const theToken = "abcdefghijklmnopqrstuvwxyz012345"

func newClient(t testing.TB, kind string) *Client {
	a := connector.Account{ID: "ac_1", Kind: kind, Settings: map[string]string{settingKeyID: "key", settingSign: "锦池商城", settingApp: "1400100001"}}
	env := connector.Env{Clock: clock.NewFake(time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC))}
	open := openAliyun
	if kind == Tencent {
		open = openTencent
	}
	c, err := open(a, connector.Secrets{secretKey: "secret", secretToken: theToken}, env)
	require.NoError(t, err)
	return c.(*Client)
}

func posted(body string) connector.Request {
	return connector.Request{Method: http.MethodPost, Query: url.Values{"token": {theToken}}, Body: []byte(body)}
}

func TestAliyunCallbacks(t *testing.T) {
	c := newClient(t, Aliyun)
	answer, in, err := c.Receive(t.Context(), posted(`[{"phone_number":"13800001234","send_time":"2026-03-02 11:59:58","report_time":"2026-03-02 12:00:00","success":true,"err_code":"DELIVERED","err_msg":"ok","sms_size":"1","biz_id":"123^0","out_id":""},
		{"phone_number":"13800001235","report_time":"2026-03-02 12:00:00","success":false,"err_code":"MK:0001","biz_id":"123^0"}]`))
	require.NoError(t, err)
	require.JSONEq(t, `{"code":0,"msg":"OK"}`, string(answer.Body))
	require.Len(t, in, 2)
	require.Equal(t, NameReceipt, in[0].Name)
	require.Equal(t, time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC), in[0].At)
	require.Equal(t, connector.Delivered, in[0].Receipt.State)
	require.Equal(t, connector.Bounced, in[1].Receipt.State)
	require.Equal(t, "sms.receipt.absent", in[1].Receipt.Reason)
	require.NotEqual(t, in[0].Receipt.ID, in[1].Receipt.ID, "numbers of one call are told apart")
	require.NotContains(t, in[0].Receipt.ID, "13800001234")

	_, in, err = c.Receive(t.Context(), posted(`[{"phone_number":"13800001234","send_time":"2026-03-02 12:00:00","content":"TD","sign_name":"锦池商城","dest_code":"1069","sequence_id":1234567890123}]`))
	require.NoError(t, err)
	require.Equal(t, NameReply, in[0].Name)
	require.Nil(t, in[0].Receipt)
	require.Equal(t, "+8613800001234", in[0].Subject)
}

func TestTencentCallbacks(t *testing.T) {
	c := newClient(t, Tencent)
	_, in, err := c.Receive(t.Context(), posted(`[{"user_receive_time":"2026-03-02 12:00:00","nationcode":"86","mobile":"13800001234","report_status":"FAIL","errmsg":"REJECTD","description":"x","sid":"2640:1"}]`))
	require.NoError(t, err)
	require.Equal(t, &connector.Receipt{ID: "2640:1", State: connector.Bounced, Code: "REJECTD", Reason: "sms.receipt.rejected", At: in[0].At}, in[0].Receipt)
	_, in, err = c.Receive(t.Context(), posted(`{"extend":"","mobile":"13800001234","nationcode":"86","sign":"锦池商城","text":"退订","time":1772424000}`))
	require.NoError(t, err)
	require.Equal(t, NameReply, in[0].Name)
}

// A call is the platform's only with the token, the whole of it.
func TestWrongCallsAreRefused(t *testing.T) {
	for _, kind := range []string{Aliyun, Tencent} {
		c := newClient(t, kind)
		good := posted(`[]`)
		for name, r := range map[string]connector.Request{
			"no token":        {Method: http.MethodPost, Body: good.Body},
			"another token":   {Method: http.MethodPost, Query: url.Values{"token": {theToken + "x"}}},
			"part of it":      {Method: http.MethodPost, Query: url.Values{"token": {theToken[:31]}}},
			"in other case":   {Method: http.MethodPost, Query: url.Values{"token": {"A" + theToken[1:]}}},
			"get":             {Method: http.MethodGet, Query: good.Query},
			"in another name": {Method: http.MethodPost, Query: url.Values{"Token": {theToken}}},
		} {
			_, _, err := c.Receive(t.Context(), r)
			require.ErrorIs(t, err, connector.ErrSignature, "%s: %s", kind, name)
		}
		for _, body := range []string{"", "[]", "null", "{}", "[{}]", "[1]", "x", `[{"phone_number":"x","success":true,"biz_id":"1"}]`, `[{"mobile":"13800001234"}]`, `[{"phone_number":"13800001234","success":true}]`} {
			_, _, err := c.Receive(t.Context(), posted(body))
			require.ErrorIs(t, err, connector.ErrMalformed, "%s: %s", kind, body)
		}
	}
}

// Whatever is posted: no panic, and what is taken has a key, a subject and a name.
func FuzzReceive(f *testing.F) {
	f.Add(`[{"phone_number":"13800001234","report_time":"2026-03-02 12:00:00","success":false,"err_code":"MK:0001","biz_id":"1"}]`)
	f.Add(`{"mobile":"13800001234","nationcode":"86","text":"TD","time":1772424000}`)
	f.Add(`[{"phone_number":"+1 415 555 2671","content":"TD","sequence_id":"9"}]`)
	clients := []*Client{newClient(f, Aliyun), newClient(f, Tencent)}
	f.Fuzz(func(t *testing.T, body string) {
		for _, c := range clients {
			_, in, err := c.Receive(t.Context(), posted(body))
			if err != nil {
				continue
			}
			for _, one := range in {
				require.NotEmpty(t, one.Key)
				require.NotEmpty(t, one.Subject)
				require.False(t, one.At.IsZero())
				require.True(t, json.Valid(one.Body))
				again, err := readOne(connector.Account{Kind: c.kind}, one.Body)
				require.NoError(t, err, "what is kept can be read again")
				require.Equal(t, one.Subject, again.number)
			}
		}
	})
}

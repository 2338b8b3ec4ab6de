package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
)

// tencentVersion is that of the interface for short messages.
const tencentVersion = "2021-01-11"

// tencent is Tencent Cloud's short message service.
type tencent struct {
	*Client
	app, region, signID string
	pull                bool
}

func openTencent(a connector.Account, s connector.Secrets, e connector.Env) (connector.Conn, error) {
	c := open(a, s, e, tencentBase)
	c.p = tencent{c, a.Setting(settingApp), a.Setting(settingRegion), a.Setting(settingSignID), a.Setting(settingPull) == "yes"}
	return c, nil
}

func (t tencent) codes() map[string]rule { return tencentCodes }

func (t tencent) console() string { return "https://console.cloud.tencent.com/smsv2" }

// group: one call takes many numbers of the same words.
func (t tencent) group(l letter) string {
	var b strings.Builder
	b.WriteString(l.Template + "\x00" + l.sign)
	for _, p := range l.Params {
		b.WriteString("\x00" + p.Value)
	}
	return b.String()
}

func (t tencent) most() int { return 200 }

func (t tencent) call(ctx context.Context, action string, in any, sends bool, out any) error {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if err := e.Encode(in); err != nil {
		return fmt.Errorf("encode %s: %w", action, err)
	}
	payload := bytes.TrimSpace(body.Bytes())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base+"/", bytes.NewReader(payload))
	if err != nil {
		return fmt.Errorf("call %s: %w", action, err)
	}
	now := t.env.Clock.Now()
	for k, v := range map[string]string{"Content-Type": "application/json; charset=utf-8", "X-TC-Action": action, "X-TC-Version": tencentVersion, "X-TC-Region": t.region,
		"X-TC-Timestamp": strconv.FormatInt(now.Unix(), 10)} {
		r.Header.Set(k, v)
	}
	r.Header.Set("Authorization", TencentAuthorization(t.key, t.secret, "sms", now, r, payload, "content-type", "host", "x-tc-action"))
	status, raw, err := t.do(r, action, sends)
	if err != nil {
		return err
	}
	var head struct {
		Response struct {
			Error     *struct{ Code, Message string }
			RequestID string `json:"RequestId"`
		}
	}
	err = json.Unmarshal(raw, &head)
	switch {
	case err == nil && head.Response.Error != nil:
		return refused(tencentCodes, action, head.Response.Error.Code, head.Response.Error.Message)
	case err != nil || status != http.StatusOK || head.Response.RequestID == "":
		return lost(action, fmt.Errorf("status %d, no answer that can be read", status), sends && status < 500)
	}
	var whole struct{ Response json.RawMessage }
	if err := errors.Join(json.Unmarshal(raw, &whole), json.Unmarshal(whole.Response, out)); err != nil {
		return lost(action, fmt.Errorf("decode the answer: %w", err), sends)
	}
	return nil
}

func (t tencent) send(ctx context.Context, list []letter) ([]outcome, error) {
	first := list[0]
	numbers, params := make([]string, len(list)), make([]string, len(first.Params))
	for i, l := range list {
		numbers[i] = l.number
	}
	for i, p := range first.Params {
		params[i] = p.Value
	}
	var got struct {
		Set []struct {
			Serial string `json:"SerialNo"`
			Number string `json:"PhoneNumber"`
			Code   string
			Msg    string `json:"Message"`
		} `json:"SendStatusSet"`
	}
	err := t.call(ctx, "SendSms", map[string]any{"PhoneNumberSet": numbers, "SmsSdkAppId": t.app, "SignName": first.sign, "TemplateId": first.Template, "TemplateParamSet": params}, true, &got)
	if err != nil {
		return nil, err
	}
	// The answer is in the order of the numbers, and names each: the name counts. A
	// number that is there twice is answered twice.
	out, used := make([]outcome, len(list)), make([]bool, len(got.Set))
	for i, l := range list {
		out[i].err = errLost.Wrap(errors.New("the answer does not name the number"))
		for k, s := range got.Set {
			if used[k] || s.Number != l.number {
				continue
			}
			used[k] = true
			if s.Code == "Ok" && s.Serial != "" {
				out[i] = outcome{id: s.Serial}
			} else {
				out[i].err = refused(tencentCodes, "SendSms", s.Code, s.Msg)
			}
			break
		}
	}
	return out, nil
}

func (t tencent) thanks() []byte { return []byte(`{"result":0,"errmsg":"OK"}`) }

// tencentTold is an entry of both sorts of callback, and of what is pulled.
type tencentTold struct {
	Nation  string  `json:"nationcode"`
	Mobile  string  `json:"mobile"`
	Status  string  `json:"report_status"`
	ErrMsg  string  `json:"errmsg"`
	Sid     string  `json:"sid"`
	Arrived string  `json:"user_receive_time"`
	Text    *string `json:"text"`
	Time    int64   `json:"time"`
	Sign    string  `json:"sign"`
}

// read takes callbacks apart: a list of what became of messages, or one reply.
func (t tencent) read(body []byte) ([]told, error) {
	var raw []json.RawMessage
	if b := bytes.TrimSpace(body); len(b) > 0 && b[0] == '{' {
		raw = []json.RawMessage{b}
	} else if err := json.Unmarshal(body, &raw); err != nil {
		return nil, err
	}
	out := make([]told, 0, len(raw))
	for _, item := range raw {
		var x tencentTold
		if err := json.Unmarshal(item, &x); err != nil {
			return nil, err
		}
		one := told{raw: item, sign: x.Sign}
		switch {
		case x.Text != nil && x.Time > 0 && x.Time < 1<<40:
			one.reply, one.text, one.at, one.key = true, *x.Text, time.Unix(x.Time, 0).UTC(), strconv.FormatInt(x.Time, 10)
		case x.Sid != "" && x.Status != "":
			one.id, one.ok, one.code, one.at = x.Sid, x.Status == "SUCCESS", x.ErrMsg, timeOf(x.Arrived)
		default:
			return nil, errNothing
		}
		number := x.Mobile
		if x.Nation != "" && !strings.HasPrefix(number, "+") {
			number = "+" + x.Nation + number
		}
		var err error
		if one.number, err = Number(number); err != nil {
			return nil, errNothing
		}
		out = append(out, one)
	}
	return out, nil
}

// pulled bounds one pull, as the platform does.
const pulled = 100

// PullReceipts asks for what became of messages, for accounts that the platform
// cannot call: each answer is given once, and so it is put into the inbox at once.
// An account that is not set to pull has nothing.
func (c *Client) PullReceipts(ctx context.Context) ([]connector.Incoming, error) {
	t, ok := c.p.(tencent)
	if !ok || !t.pull {
		return nil, nil
	}
	var got struct {
		Set []struct {
			Time   int64  `json:"UserReceiveUnixTime"`
			Nation string `json:"CountryCode"`
			Mobile string `json:"SubscriberNumber"`
			Serial string `json:"SerialNo"`
			Status string `json:"ReportStatus"`
			Words  string `json:"Description"`
		} `json:"PullSmsSendStatusSet"`
	}
	// Not read again after a fault: what the platform gave out it does not give twice.
	if err := t.call(ctx, "PullSmsSendStatus", map[string]any{"Limit": pulled, "SmsSdkAppId": t.app}, true, &got); err != nil {
		return nil, c.react(ctx, err, letter{})
	}
	items := make([]tencentTold, len(got.Set))
	for i, s := range got.Set {
		items[i] = tencentTold{Nation: s.Nation, Mobile: s.Mobile, Sid: s.Serial, Status: s.Status, ErrMsg: s.Words, Arrived: time.Unix(s.Time, 0).In(china).Format(clockForm)}
	}
	raw, err := json.Marshal(items)
	if err != nil {
		return nil, fmt.Errorf("encode receipts: %w", err)
	}
	list, err := t.read(raw)
	if err != nil {
		return nil, connector.ErrMalformed.Wrap(err)
	}
	return c.incoming(list), nil
}

func tencentState(code int) string {
	switch code {
	case 0:
		return connector.TemplateOK
	case -1:
		return connector.TemplateRefused
	}
	return connector.TemplatePending
}

func (t tencent) templates(ctx context.Context) ([]connector.Template, error) {
	var out []connector.Template
	for page := range pages {
		var got struct {
			List []struct {
				TemplateID      int64 `json:"TemplateId"`
				StatusCode      int
				ReviewReply     string
				TemplateName    string
				TemplateContent string
			} `json:"DescribeTemplateStatusSet"`
		}
		if err := t.call(ctx, "DescribeSmsTemplateList", map[string]any{"International": 0, "Limit": 100, "Offset": page * 100}, false, &got); err != nil {
			return nil, err
		}
		for _, x := range got.List {
			out = append(out, connector.Template{ID: strconv.FormatInt(x.TemplateID, 10), Name: x.TemplateName, Text: x.TemplateContent, State: tencentState(x.StatusCode), Why: clip(x.ReviewReply, 200), Params: Holes(x.TemplateContent)})
		}
		if len(got.List) < 100 {
			break
		}
	}
	return out, nil
}

// sign asks for the signature by its number: the platform lists none without.
func (t tencent) sign(ctx context.Context) (state, why string, err error) {
	n, err := strconv.ParseInt(t.signID, 10, 64)
	if err != nil {
		return "", "", nil
	}
	var got struct {
		List []struct {
			SignName    string
			StatusCode  int
			ReviewReply string
		} `json:"DescribeSignListStatusSet"`
	}
	if err := t.call(ctx, "DescribeSmsSignList", map[string]any{"International": 0, "SignIdSet": []int64{n}}, false, &got); err != nil {
		return "", "", err
	}
	for _, s := range got.List {
		if s.SignName == t.signName {
			return tencentState(s.StatusCode), clip(s.ReviewReply, 200), nil
		}
	}
	return connector.TemplateNone, "", nil
}

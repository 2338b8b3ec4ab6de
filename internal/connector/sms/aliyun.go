package sms

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/id"
)

// aliyunVersion is that of the interface for short messages.
const aliyunVersion = "2017-05-25"

// aliyun is Alibaba Cloud's short message service.
type aliyun struct{ *Client }

func openAliyun(a connector.Account, s connector.Secrets, e connector.Env) (connector.Conn, error) {
	c := open(a, s, e, aliyunBase)
	c.p = aliyun{c}
	return c, nil
}

func (a aliyun) codes() map[string]rule { return aliyunCodes }

func (a aliyun) console() string { return "https://dysms.console.aliyun.com/overview" }

// group: SendBatchSms takes another number, signature and parameters for each, of
// one template.
func (a aliyun) group(l letter) string { return l.Template }

func (a aliyun) most() int { return 100 }

// call makes one signed call; out is what the answer holds.
func (a aliyun) call(ctx context.Context, action string, q url.Values, sends bool, out any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/?"+aliyunQuery(q), nil)
	if err != nil {
		return fmt.Errorf("call %s: %w", action, err)
	}
	for k, v := range map[string]string{"x-acs-action": action, "x-acs-version": aliyunVersion, "x-acs-date": a.env.Clock.Now().UTC().Format("2006-01-02T15:04:05Z"),
		"x-acs-signature-nonce": id.Secret(16), "x-acs-content-sha256": hash(nil), "Accept": "application/json"} {
		r.Header.Set(k, v)
	}
	r.Header.Set("Authorization", AliyunAuthorization(a.key, a.secret, r, nil))
	status, raw, err := a.do(r, action, sends)
	if err != nil {
		return err
	}
	var head struct{ Code, Message string }
	if err := json.Unmarshal(raw, &head); err != nil {
		return lost(action, fmt.Errorf("status %d, the answer is not JSON", status), sends && status < 500)
	}
	switch {
	case head.Code != "" && head.Code != "OK":
		return refused(aliyunCodes, action, head.Code, head.Message)
	case status != http.StatusOK:
		return lost(action, fmt.Errorf("status %d", status), sends)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return lost(action, fmt.Errorf("decode the answer: %w", err), sends)
	}
	return nil
}

// number as the platform writes it: of the mainland without a country.
func (a aliyun) number(n string) string {
	return strings.TrimPrefix(strings.TrimPrefix(n, "+86"), "+")
}

func aliyunParams(list []connector.Param) string {
	m := map[string]string{}
	for i, p := range list {
		m[nameOf(p, i)] = p.Value
	}
	raw, _ := json.Marshal(m) // texts always encode
	return string(raw)
}

func (a aliyun) send(ctx context.Context, list []letter) ([]outcome, error) {
	var got struct {
		BizID string `json:"BizId"`
	}
	var err error
	if len(list) == 1 {
		l := list[0]
		err = a.call(ctx, "SendSms", url.Values{"PhoneNumbers": {a.number(l.number)}, "SignName": {l.sign}, "TemplateCode": {l.Template}, "TemplateParam": {aliyunParams(l.Params)}}, true, &got)
	} else {
		var numbers, signs, params []string
		for _, l := range list {
			numbers, signs, params = append(numbers, a.number(l.number)), append(signs, l.sign), append(params, aliyunParams(l.Params))
		}
		texts := func(s []string) string { raw, _ := json.Marshal(s); return string(raw) } // texts always encode
		err = a.call(ctx, "SendBatchSms", url.Values{"PhoneNumberJson": {texts(numbers)}, "SignNameJson": {texts(signs)}, "TemplateCode": {list[0].Template}, "TemplateParamJson": {"[" + strings.Join(params, ",") + "]"}}, true, &got)
	}
	if err != nil {
		return nil, err
	}
	if got.BizID == "" {
		return nil, errLost.Wrap(errors.New("no BizId in the answer"))
	}
	out := make([]outcome, len(list))
	for i, l := range list {
		out[i].id = a.receiptID(got.BizID, l.number)
	}
	return out, nil
}

// receiptID names one message: all numbers of a call share a BizId. The mark of the
// number tells nobody which it is.
func (a aliyun) receiptID(biz, number string) string {
	m := hmac.New(sha256.New, []byte(a.token))
	m.Write([]byte(biz + "\x00" + number))
	return biz + "." + hex.EncodeToString(m.Sum(nil)[:6])
}

func (a aliyun) thanks() []byte { return []byte(`{"code":0,"msg":"OK"}`) }

// aliyunTold is an entry of both sorts of callback.
type aliyunTold struct {
	Phone    string          `json:"phone_number"`
	SendTime string          `json:"send_time"`
	Report   string          `json:"report_time"`
	Success  *bool           `json:"success"`
	ErrCode  string          `json:"err_code"`
	BizID    string          `json:"biz_id"`
	Content  *string         `json:"content"`
	Sequence json.RawMessage `json:"sequence_id"`
	Sign     string          `json:"sign_name"`
}

// read takes SmsReport and SmsUp apart: lists of what became of messages, and of
// what people wrote.
func (a aliyun) read(body []byte) ([]told, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, err
	}
	out := make([]told, 0, len(raw))
	for _, item := range raw {
		var t aliyunTold
		if err := json.Unmarshal(item, &t); err != nil {
			return nil, err
		}
		one := told{raw: item, sign: t.Sign}
		switch {
		case t.Content != nil:
			one.reply, one.text, one.at, one.key = true, *t.Content, timeOf(t.SendTime), string(t.Sequence)
		case t.Success != nil && t.BizID != "":
			one.ok, one.code, one.at = *t.Success, t.ErrCode, timeOf(t.Report)
		default:
			return nil, errNothing
		}
		var err error
		if one.number, err = Number(t.Phone); err != nil {
			return nil, errNothing
		}
		if !one.reply {
			one.id = a.receiptID(t.BizID, one.number)
		}
		out = append(out, one)
	}
	return out, nil
}

// The states in which the platform has signatures and templates.
var aliyunStates = map[string]string{"AUDIT_STATE_PASS": connector.TemplateOK, "AUDIT_STATE_INIT": connector.TemplatePending, "AUDIT_STATE_NOT_PASS": connector.TemplateRefused,
	"AUDIT_STATE_CANCEL": connector.TemplateRefused, "AUDIT_SATE_CANCEL": connector.TemplateRefused}

// pages bounds how many pages of a list are read.
const pages = 20

func (a aliyun) templates(ctx context.Context) ([]connector.Template, error) {
	var out []connector.Template
	for page := 1; page <= pages; page++ {
		var got struct {
			List []struct {
				TemplateCode, TemplateName, TemplateContent, AuditStatus string
				Reason                                                   struct{ RejectInfo string }
			} `json:"SmsTemplateList"`
		}
		if err := a.call(ctx, "QuerySmsTemplateList", url.Values{"PageIndex": {digits(page)}, "PageSize": {"50"}}, false, &got); err != nil {
			return nil, err
		}
		for _, t := range got.List {
			out = append(out, connector.Template{ID: t.TemplateCode, Name: t.TemplateName, Text: t.TemplateContent, State: stateOf(aliyunStates[t.AuditStatus]), Why: clip(t.Reason.RejectInfo, 200), Params: Holes(t.TemplateContent)})
		}
		if len(got.List) < 50 {
			break
		}
	}
	return out, nil
}

func stateOf(s string) string {
	if s == "" {
		return connector.TemplatePending
	}
	return s
}

func (a aliyun) sign(ctx context.Context) (state, why string, err error) {
	for page := 1; page <= pages; page++ {
		var got struct {
			List []struct {
				SignName, AuditStatus string
				Reason                struct{ RejectInfo string }
			} `json:"SmsSignList"`
		}
		if err := a.call(ctx, "QuerySmsSignList", url.Values{"PageIndex": {digits(page)}, "PageSize": {"50"}}, false, &got); err != nil {
			return "", "", err
		}
		for _, s := range got.List {
			if s.SignName == a.signName {
				return stateOf(aliyunStates[s.AuditStatus]), clip(s.Reason.RejectInfo, 200), nil
			}
		}
		if len(got.List) < 50 {
			break
		}
	}
	return connector.TemplateNone, "", nil
}

package sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// aliyunSays are the platform's codes and words for a problem.
var aliyunSays = map[smsProblem][2]string{
	smsNumber: {"isv.MOBILE_NUMBER_ILLEGAL", "号码格式错误"}, smsTemplate: {"isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板"}, smsSign: {"isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名"},
	smsParams: {"isv.TEMPLATE_MISSING_PARAMETERS", "模板变量缺少对应参数值"}, smsLink: {"isv.PARAM_NOT_SUPPORT_URL", "变量不支持传入URL"},
	smsMinute: {"isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1"}, smsHour: {"isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5"}, smsDay: {"isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:10"},
	smsBusy: {"isp.SYSTEM_ERROR", "系统错误"}, smsThrottled: {"Throttling.User", "Request was denied due to user flow control."},
	smsSignature: {"SignatureDoesNotMatch", "Specified signature does not match our calculation."}, smsKey: {"InvalidAccessKeyId.NotFound", "Specified access key is not found."},
	smsClock: {"InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."}, smsReplayed: {"SignatureNonceUsed", "Specified signature nonce was used already."},
	smsMalformed: {"isv.INVALID_PARAMETERS", "参数异常"},
}

// aliyunGate are the problems that the gateway answers with 400: the service behind
// it answers 200 and says so in the body.
var aliyunGate = []smsProblem{smsSignature, smsKey, smsClock, smsReplayed, smsThrottled}

// smsProblemOf reads what a fault, ordered in WeCom's codes, means here.
func smsProblemOf(err error) smsProblem {
	var no *refusal
	if !errors.As(err, &no) {
		return smsFine
	}
	switch no.Code {
	case 45009:
		return smsThrottled
	case 42001:
		return smsSignature
	}
	return smsBusy
}

// serveAliyun answers one call: faults first, then the signature, then the service.
func (s *Sim) serveAliyun(w http.ResponseWriter, r *http.Request) {
	start, action := time.Now(), r.Header.Get("x-acs-action")
	how, err := s.fault(r, "sms:"+action)
	if how.cut {
		panic(http.ErrAbortHandler)
	}
	out, why, status := map[string]any{}, smsProblemOf(err), http.StatusOK
	about, said := "", ""
	_ = s.at(func(world *World, now time.Time) error { // what is refused is in why
		a := world.text().account(SMSAliyun)
		if why == smsFine {
			why = s.admitAliyun(a, r, now)
		}
		if why == smsFine {
			why, about, said = s.doAliyun(world, a, action, r.URL.Query(), out, now)
		}
		if why == smsFine {
			out["Code"], out["Message"] = "OK", "OK"
		} else {
			out["Code"], out["Message"] = aliyunSays[why][0], aliyunSays[why][1]
		}
		out["RequestId"] = requestID(world)
		s.diary.add(Entry{At: now, Kind: EntryCall, Name: "sms/" + short(action, 40), About: about, Code: map[bool]int{true: 0, false: 1}[why == smsFine], Note: first(string(why), said), Ms: ms(time.Since(start))})
		return nil
	})
	if how.lost {
		panic(http.ErrAbortHandler)
	}
	if slices.Contains(aliyunGate, why) {
		status = http.StatusBadRequest
	}
	writeJSON(w, status, out)
}

// admitAliyun checks a signature of the third version, its time and its nonce.
func (s *Sim) admitAliyun(a *SMSAccount, r *http.Request, now time.Time) smsProblem {
	auth, ok := strings.CutPrefix(r.Header.Get("Authorization"), "ACS3-HMAC-SHA256 ")
	if !ok {
		return smsSignature
	}
	got := map[string]string{}
	for _, p := range strings.Split(auth, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		got[k] = v
	}
	if got["Credential"] != a.KeyID {
		return smsKey
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", r.Header.Get("x-acs-date"))
	if err != nil || now.Sub(at).Abs() > 15*time.Minute {
		return smsClock
	}
	names := strings.Split(got["SignedHeaders"], ";")
	for _, must := range []string{"host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce", "x-acs-version", "x-acs-content-sha256"} {
		if !slices.Contains(names, must) {
			return smsSignature
		}
	}
	var head strings.Builder
	for _, n := range names {
		v := r.Header.Get(n)
		if n == "host" {
			v = r.Host
		}
		head.WriteString(n + ":" + v + "\n")
	}
	q := r.URL.Query()
	var query []string
	for k, vs := range q {
		for _, v := range vs {
			query = append(query, percent(k)+"="+percent(v))
		}
	}
	slices.Sort(query)
	canonical := strings.Join([]string{r.Method, r.URL.EscapedPath(), strings.Join(query, "&"), head.String(), got["SignedHeaders"], r.Header.Get("x-acs-content-sha256")}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	m := hmac.New(sha256.New, []byte(a.Secret))
	m.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(sum[:])))
	if !hmac.Equal([]byte(hex.EncodeToString(m.Sum(nil))), []byte(got["Signature"])) {
		return smsSignature
	}
	nonce := r.Header.Get("x-acs-signature-nonce")
	if s.nonces == nil || len(s.nonces) > 10_000 {
		s.nonces = map[string]bool{}
	}
	if s.nonces[nonce] {
		return smsReplayed
	}
	s.nonces[nonce] = true
	return smsFine
}

// percent escapes as RFC 3986 does.
func percent(v string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(v))
}

func (s *Sim) doAliyun(w *World, a *SMSAccount, action string, q url.Values, out map[string]any, now time.Time) (why smsProblem, about, said string) {
	switch action {
	case "SendSms":
		var params map[string]string
		if p := q.Get("TemplateParam"); p != "" && json.Unmarshal([]byte(p), &params) != nil {
			return smsParams, "", ""
		}
		numbers := strings.Split(q.Get("PhoneNumbers"), ",")
		signs, all := make([]string, len(numbers)), make([]map[string]string, len(numbers))
		for i := range numbers {
			signs[i], all[i] = q.Get("SignName"), params
		}
		return s.sendAliyun(w, a, numbers, signs, q.Get("TemplateCode"), all, 1000, out, now)
	case "SendBatchSms":
		var numbers, signs []string
		var params []map[string]string
		if json.Unmarshal([]byte(q.Get("PhoneNumberJson")), &numbers) != nil || json.Unmarshal([]byte(q.Get("SignNameJson")), &signs) != nil || json.Unmarshal([]byte(q.Get("TemplateParamJson")), &params) != nil ||
			len(signs) != len(numbers) || len(params) != len(numbers) {
			return smsMalformed, "", ""
		}
		return s.sendAliyun(w, a, numbers, signs, q.Get("TemplateCode"), params, 100, out, now)
	case "QuerySmsTemplateList", "QuerySmsSignList":
		size, _ := strconv.Atoi(q.Get("PageSize"))
		page, _ := strconv.Atoi(q.Get("PageIndex"))
		if size < 1 || size > 50 || page < 1 {
			return smsMalformed, "", ""
		}
		list := []any{}
		if action == "QuerySmsSignList" {
			for _, x := range a.Signs {
				list = append(list, map[string]any{"SignName": x.Name, "AuditStatus": aliyunState(x.State), "Reason": map[string]any{"RejectInfo": x.Why}})
			}
		} else {
			for _, x := range a.Templates {
				list = append(list, map[string]any{"TemplateCode": x.ID, "TemplateName": x.Name, "TemplateContent": x.Text, "AuditStatus": aliyunState(x.State), "Reason": map[string]any{"RejectInfo": x.Why}})
			}
		}
		out[map[string]string{"QuerySmsSignList": "SmsSignList", "QuerySmsTemplateList": "SmsTemplateList"}[action]] = list[min((page-1)*size, len(list)):min(page*size, len(list))]
		out["TotalCount"] = len(list)
		return smsFine, "", ""
	}
	return smsMalformed, "", ""
}

func aliyunState(state string) string {
	return map[string]string{"ok": "AUDIT_STATE_PASS", "pending": "AUDIT_STATE_INIT"}[state] + map[string]string{"refused": "AUDIT_STATE_NOT_PASS"}[state]
}

// sendAliyun sends to all or to nobody, as the platform's calls are refused as a whole.
func (s *Sim) sendAliyun(w *World, a *SMSAccount, numbers, signs []string, template string, params []map[string]string, most int, out map[string]any, now time.Time) (why smsProblem, about, said string) {
	if len(numbers) == 0 || len(numbers) > most {
		return smsMalformed, "", ""
	}
	for _, n := range numbers {
		if !simMobile.MatchString("+86" + n) {
			return smsNumber, "", ""
		}
	}
	biz := w.digits(18)
	for i, n := range numbers {
		x, why := s.deliverText(w, a, "+86"+n, signs[i], template, params[i], biz, now)
		if why != smsFine {
			return why, "+86" + n, ""
		}
		about, said = x.Number, short(x.Words, 60)
	}
	out["BizId"] = biz
	return smsFine, about, said
}

func itoa(n int) string { return strconv.Itoa(n) }

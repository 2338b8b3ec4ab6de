package sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tencentSays are the platform's codes and words for a problem.
var tencentSays = map[smsProblem][2]string{
	smsNumber: {"InvalidParameterValue.IncorrectPhoneNumber", "incorrect phone number"}, smsTemplate: {"FailedOperation.TemplateUnapprovedOrNotExist", "template is not approved or request content does not match the approved template content"},
	smsSign: {"FailedOperation.SignatureIncorrectOrUnapproved", "signature is incorrect or unapproved"}, smsParams: {"FailedOperation.TemplateParamSetNotMatchApprovedTemplate", "template parameters do not match"},
	smsLink:   {"InvalidParameterValue.ProhibitedUseUrlInTemplateParameter", "url in template parameter"},
	smsMinute: {"LimitExceeded.PhoneNumberThirtySecondLimit", "delivery frequency limit"}, smsHour: {"LimitExceeded.PhoneNumberOneHourLimit", "delivery frequency limit"}, smsDay: {"LimitExceeded.PhoneNumberDailyLimit", "delivery frequency limit"},
	smsBlacklisted: {"FailedOperation.PhoneNumberInBlacklist", "phone number in blacklist"},
	smsBusy:        {"InternalError.Timeout", "internal error"}, smsThrottled: {"RequestLimitExceeded", "request limit exceeded"},
	smsSignature: {"AuthFailure.SignatureFailure", "The provided credentials could not be validated."}, smsKey: {"AuthFailure.SecretIdNotFound", "The SecretId is not found."},
	smsClock: {"AuthFailure.SignatureExpire", "The signature has expired."}, smsMalformed: {"InvalidParameter", "parameter error"}, smsApp: {"UnauthorizedOperation.SmsSdkAppIdVerifyFail", "SmsSdkAppId verify fail"},
}

// tencentWhole are the problems that refuse the call; others are said of one number.
var tencentWhole = []smsProblem{smsSignature, smsKey, smsClock, smsMalformed, smsApp, smsThrottled, smsBusy}

func (s *Sim) serveTencent(w http.ResponseWriter, r *http.Request) {
	start, action := time.Now(), r.Header.Get("X-TC-Action")
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCall))
	if err != nil {
		return // the caller went away
	}
	how, err := s.fault(r, "sms:"+action)
	if how.cut {
		panic(http.ErrAbortHandler)
	}
	out, why, about, said := map[string]any{}, smsProblemOf(err), "", ""
	_ = s.at(func(world *World, now time.Time) error { // what is refused is in why
		a := world.text().account(SMSTencent)
		if why == smsFine {
			why = admitTencent(a, r, body, now)
		}
		if why == smsFine {
			why, about, said = s.doTencent(world, a, action, body, out, now)
		}
		if slices.Contains(tencentWhole, why) {
			out = map[string]any{"Error": map[string]any{"Code": tencentSays[why][0], "Message": tencentSays[why][1]}}
		}
		out["RequestId"] = requestID(world)
		s.diary.add(Entry{At: now, Kind: EntryCall, Name: "sms/" + short(action, 40), About: about, Code: map[bool]int{true: 0, false: 1}[why == smsFine], Note: first(string(why), said), Ms: ms(time.Since(start))})
		return nil
	})
	if how.lost {
		panic(http.ErrAbortHandler)
	}
	writeJSON(w, http.StatusOK, map[string]any{"Response": out})
}

// admitTencent checks a signature of the third version and its time.
func admitTencent(a *SMSAccount, r *http.Request, body []byte, now time.Time) smsProblem {
	auth, ok := strings.CutPrefix(r.Header.Get("Authorization"), "TC3-HMAC-SHA256 ")
	if !ok {
		return smsSignature
	}
	got := map[string]string{}
	for _, p := range strings.Split(auth, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		got[k] = v
	}
	credential := strings.Split(got["Credential"], "/")
	if len(credential) != 4 || credential[0] != a.KeyID {
		return smsKey
	}
	sec, err := strconv.ParseInt(r.Header.Get("X-TC-Timestamp"), 10, 64)
	if err != nil || now.Sub(time.Unix(sec, 0)).Abs() > 5*time.Minute {
		return smsClock
	}
	names := strings.Split(got["SignedHeaders"], ";")
	if !slices.Contains(names, "host") || !slices.Contains(names, "content-type") {
		return smsSignature
	}
	sha := func(b string) string { h := sha256.Sum256([]byte(b)); return hex.EncodeToString(h[:]) }
	var head strings.Builder
	for _, n := range names {
		v := r.Header.Get(n)
		if n == "host" {
			v = r.Host
		}
		head.WriteString(n + ":" + strings.ToLower(v) + "\n")
	}
	scope := strings.Join(credential[1:], "/")
	date := time.Unix(sec, 0).UTC().Format("2006-01-02")
	if scope != date+"/sms/tc3_request" {
		return smsSignature
	}
	text := strings.Join([]string{"TC3-HMAC-SHA256", strconv.FormatInt(sec, 10), scope, sha(strings.Join([]string{r.Method, "/", r.URL.RawQuery, head.String(), got["SignedHeaders"], sha(string(body))}, "\n"))}, "\n")
	key := []byte("TC3" + a.Secret)
	for _, part := range []string{date, "sms", "tc3_request", text} {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(part))
		key = m.Sum(nil)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(key)), []byte(got["Signature"])) {
		return smsSignature
	}
	return smsFine
}

func (s *Sim) doTencent(w *World, a *SMSAccount, action string, body []byte, out map[string]any, now time.Time) (why smsProblem, about, said string) {
	var in struct {
		PhoneNumberSet, TemplateParamSet []string
		SmsSdkAppID                      string `json:"SmsSdkAppId"`
		SignName                         string
		TemplateID                       string  `json:"TemplateId"`
		SignIDSet                        []int64 `json:"SignIdSet"`
		International, Limit, Offset     int
	}
	if json.Unmarshal(body, &in) != nil {
		return smsMalformed, "", ""
	}
	if (action == "SendSms" || action == "PullSmsSendStatus") && in.SmsSdkAppID != a.App {
		return smsApp, "", ""
	}
	switch action {
	case "SendSms":
		if len(in.PhoneNumberSet) == 0 || len(in.PhoneNumberSet) > 200 {
			return smsMalformed, "", ""
		}
		params := map[string]string{}
		for i, v := range in.TemplateParamSet {
			params[itoa(i+1)] = v
		}
		set := []any{}
		for _, n := range in.PhoneNumberSet {
			number := n
			if !strings.HasPrefix(number, "+") {
				number = "+86" + number
			}
			serial := "2640:" + w.digits(20)
			x, one := s.deliverText(w, a, number, in.SignName, in.TemplateID, params, serial, now)
			item := map[string]any{"SerialNo": serial, "PhoneNumber": n, "Fee": 1, "SessionContext": "", "Code": "Ok", "Message": "send success", "IsoCode": "CN"}
			if one != smsFine {
				why = one
				item["SerialNo"], item["Fee"], item["Code"], item["Message"] = "", 0, tencentSays[one][0], tencentSays[one][1]
			} else {
				item["Fee"], said = x.Segments, short(x.Words, 60)
			}
			about = number
			set = append(set, item)
		}
		out["SendStatusSet"] = set
		return why, about, said
	case "DescribeSmsTemplateList":
		list := []any{}
		for _, x := range a.Templates {
			id, _ := strconv.ParseInt(x.ID, 10, 64) // they are numbers here
			list = append(list, map[string]any{"TemplateId": id, "International": 0, "StatusCode": tencentState(x.State), "ReviewReply": x.Why, "TemplateName": x.Name, "TemplateContent": x.Text})
		}
		from := min(max(in.Offset, 0), len(list))
		out["DescribeTemplateStatusSet"] = list[from:min(from+max(in.Limit, 0), len(list))]
		return smsFine, "", ""
	case "DescribeSmsSignList":
		list := []any{}
		for _, x := range a.Signs {
			if slices.Contains(in.SignIDSet, x.ID) {
				list = append(list, map[string]any{"SignId": x.ID, "International": 0, "StatusCode": tencentState(x.State), "ReviewReply": x.Why, "SignName": x.Name})
			}
		}
		out["DescribeSignListStatusSet"] = list
		return smsFine, "", ""
	case "PullSmsSendStatus":
		n := min(len(a.Waiting), in.Limit, 100)
		set := []any{}
		for _, one := range a.Waiting[:max(n, 0)] {
			var x struct {
				At     string `json:"user_receive_time"`
				Mobile string `json:"mobile"`
				Sid    string `json:"sid"`
				Status string `json:"report_status"`
				Why    string `json:"errmsg"`
			}
			_ = json.Unmarshal([]byte(one), &x) // we wrote it
			at, _ := time.ParseInLocation("2006-01-02 15:04:05", x.At, beijing)
			set = append(set, map[string]any{"UserReceiveUnixTime": at.Unix(), "CountryCode": "86", "SubscriberNumber": x.Mobile, "PhoneNumber": "+86" + x.Mobile, "SerialNo": x.Sid, "ReportStatus": x.Status, "Description": x.Why})
		}
		a.Waiting = a.Waiting[max(n, 0):]
		out["PullSmsSendStatusSet"] = set
		return smsFine, "", ""
	}
	return smsMalformed, "", ""
}

func tencentState(state string) int {
	switch state {
	case "ok":
		return 0
	case "refused":
		return -1
	}
	return 1
}

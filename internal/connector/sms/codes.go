package sms

import (
	"fmt"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
)

// act is what the program does about a refusal.
type act uint8

const (
	giveUp   act = iota // asking again gives the same answer
	minute              // too many: not before the next minute
	hour                // … the next hour
	day                 // … the next day in China
	morning             // advertisements are not taken at night
	retry               // the platform has a fault of its own
	stop                // nothing leaves until a person mends the account
	doubtful            // it may have left
)

// rule is what one code means: what to do, and the message for people.
type rule struct {
	act  act
	code string
}

// aliyunCodes are Alibaba Cloud's refusals, as data.
var aliyunCodes = map[string]rule{
	"isv.MOBILE_NUMBER_ILLEGAL":       {giveUp, "sms.bad_number"},
	"isv.SMS_TEMPLATE_ILLEGAL":        {giveUp, "sms.no_template"},
	"isv.SMS_SIGNATURE_ILLEGAL":       {giveUp, "sms.no_sign"},
	"isv.SMS_SIGN_ILLEGAL":            {giveUp, "sms.no_sign"},
	"isv.SMS_SIGNATURE_SCENE_ILLEGAL": {giveUp, "sms.sign_scene"},
	"isv.TEMPLATE_MISSING_PARAMETERS": {giveUp, "sms.bad_params"},
	"isv.TEMPLATE_PARAMS_ILLEGAL":     {giveUp, "sms.bad_params"},
	"isv.INVALID_JSON_PARAM":          {giveUp, "sms.bad_params"},
	"isv.INVALID_PARAMETERS":          {giveUp, "sms.bad_params"},
	"isv.PARAM_LENGTH_LIMIT":          {giveUp, "sms.long_params"},
	"isv.PARAM_NOT_SUPPORT_URL":       {giveUp, "sms.link_in_params"},
	"isv.BLACK_KEY_CONTROL_LIMIT":     {giveUp, "sms.bad_words"},
	"isv.MOBILE_COUNT_OVER_LIMIT":     {giveUp, "sms.bad_params"},
	"isv.BUSINESS_LIMIT_CONTROL":      {minute, "sms.too_often"},
	"isv.DAY_LIMIT_CONTROL":           {day, "sms.day_full"},
	"isv.MONTH_LIMIT_CONTROL":         {stop, "sms.month_full"},
	"isv.AMOUNT_NOT_ENOUGH":           {stop, "sms.no_money"},
	"isv.OUT_OF_SERVICE":              {stop, "sms.no_money"},
	"isv.PRODUCT_UN_SUBSCRIPT":        {stop, "sms.not_open"},
	"isv.PRODUCT_UNSUBSCRIBE":         {stop, "sms.not_open"},
	"isv.ACCOUNT_NOT_EXISTS":          {stop, "sms.bad_key"},
	"isv.ACCOUNT_ABNORMAL":            {stop, "sms.account_closed"},
	"isv.DENY_IP_RANGE":               {stop, "sms.ip_not_listed"},
	"isp.RAM_PERMISSION_DENY":         {stop, "sms.no_right"},
	"NoPermission":                    {stop, "sms.no_right"},
	"Forbidden.RAM":                   {stop, "sms.no_right"},
	"InvalidAccessKeyId.NotFound":     {stop, "sms.bad_key"},
	"InvalidAccessKeyId.Inactive":     {stop, "sms.bad_key"},
	"SignatureDoesNotMatch":           {stop, "sms.bad_secret"},
	"IncompleteSignature":             {stop, "sms.bad_secret"},
	"InvalidTimeStamp.Expired":        {stop, "sms.bad_clock"},
	"SignatureNonceUsed":              {retry, "sms.busy"},
	"Throttling":                      {minute, "sms.too_many_calls"},
	"Throttling.User":                 {minute, "sms.too_many_calls"},
	"ServiceUnavailable":              {retry, "sms.busy"},
	"InternalError":                   {doubtful, "sms.busy"},
	"isp.SYSTEM_ERROR":                {doubtful, "sms.busy"},
}

// tencentCodes are Tencent Cloud's refusals, as data. A name stands for those that
// begin with it and a dot, too.
var tencentCodes = map[string]rule{
	"InvalidParameterValue.IncorrectPhoneNumber":                     {giveUp, "sms.bad_number"},
	"FailedOperation.PhoneNumberInBlacklist":                         {giveUp, "sms.blacklisted"},
	"FailedOperation.TemplateIncorrectOrUnapproved":                  {giveUp, "sms.no_template"},
	"FailedOperation.TemplateUnapprovedOrNotExist":                   {giveUp, "sms.no_template"},
	"FailedOperation.MissingTemplateToModify":                        {giveUp, "sms.no_template"},
	"FailedOperation.SignatureIncorrectOrUnapproved":                 {giveUp, "sms.no_sign"},
	"FailedOperation.MissingSignature":                               {giveUp, "sms.no_sign"},
	"FailedOperation.TemplateParamSetNotMatchApprovedTemplate":       {giveUp, "sms.bad_params"},
	"InvalidParameterValue.TemplateParameterFormatError":             {giveUp, "sms.bad_params"},
	"InvalidParameterValue.TemplateParameterLengthLimit":             {giveUp, "sms.long_params"},
	"InvalidParameterValue.ContentLengthLimit":                       {giveUp, "sms.long_params"},
	"InvalidParameterValue.ProhibitedUseUrlInTemplateParameter":      {giveUp, "sms.link_in_params"},
	"FailedOperation.ContainSensitiveWord":                           {giveUp, "sms.bad_words"},
	"FailedOperation.InsufficientBalanceInSmsPackage":                {stop, "sms.no_money"},
	"FailedOperation.MarketingSendTimeConstraint":                    {morning, "sms.night"},
	"FailedOperation.PhoneNumberOnBlacklist":                         {giveUp, "sms.blacklisted"},
	"LimitExceeded.PhoneNumberThirtySecondLimit":                     {minute, "sms.too_often"},
	"LimitExceeded.PhoneNumberOneHourLimit":                          {hour, "sms.too_often"},
	"LimitExceeded.PhoneNumberDailyLimit":                            {day, "sms.too_often"},
	"LimitExceeded.PhoneNumberSameContentDailyLimit":                 {day, "sms.too_often"},
	"LimitExceeded.AppDailyLimit":                                    {day, "sms.day_full"},
	"LimitExceeded.AppMainlandChinaDailyLimit":                       {day, "sms.day_full"},
	"LimitExceeded.DailyLimit":                                       {day, "sms.day_full"},
	"LimitExceeded.DeliveryFrequencyLimit":                           {minute, "sms.too_often"},
	"RequestLimitExceeded":                                           {minute, "sms.too_many_calls"},
	"AuthFailure.SecretIdNotFound":                                   {stop, "sms.bad_key"},
	"AuthFailure.InvalidSecretId":                                    {stop, "sms.bad_key"},
	"AuthFailure.SignatureExpire":                                    {stop, "sms.bad_clock"},
	"AuthFailure.SignatureFailure":                                   {stop, "sms.bad_secret"},
	"AuthFailure":                                                    {stop, "sms.no_right"},
	"UnauthorizedOperation.SmsSdkAppIdVerifyFail":                    {stop, "sms.bad_app"},
	"UnauthorizedOperation.RequestIpNotInWhitelist":                  {stop, "sms.ip_not_listed"},
	"UnauthorizedOperation.ServiceSuspendDueToArrears":               {stop, "sms.no_money"},
	"UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny": {giveUp, "sms.no_right"},
	"UnauthorizedOperation":                                          {stop, "sms.no_right"},
	"InvalidParameter":                                               {giveUp, "sms.bad_params"},
	"InternalError":                                                  {doubtful, "sms.busy"},
}

// Error is a refusal of a platform: its code and words for the log, and (unwrapped)
// the words for people.
type Error struct {
	API, Code, Msg string
	words          *errs.Error
	act            act
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s %s", e.API, e.Code, e.Msg) }

// Unwrap gives the words for people.
func (e *Error) Unwrap() error { return e.words }

// lookUp finds the rule of a code, or of what it begins with.
func lookUp(table map[string]rule, code string) (rule, bool) {
	for c := code; ; {
		if r, ok := table[c]; ok {
			return r, true
		}
		i := strings.LastIndexByte(c, '.')
		if i < 0 {
			return rule{}, false
		}
		c = c[:i]
	}
}

// refused makes the error of a code.
func refused(table map[string]rule, api, code, msg string) *Error {
	code, msg = clip(code, 100), clip(msg, 300)
	r, known := lookUp(table, code)
	if !known {
		r = rule{giveUp, "sms.refused"}
	}
	if r.act == minute && strings.Contains(msg, "小时级") {
		r.act = hour
	}
	if r.act == minute && strings.Contains(msg, "天级") {
		r.act = day
	}
	kind := errs.Conflict
	switch r.act {
	case minute, hour, day, morning:
		kind = errs.TooMany
	case retry, doubtful:
		kind = errs.Unavailable
	}
	words := errs.New(kind, r.code, "number", code)
	if !known {
		words = words.With("words", msg)
	}
	return &Error{API: api, Code: code, Msg: msg, words: words, act: r.act}
}

// until is when to try again what came too often.
func (a act) until(now time.Time) (time.Time, bool) {
	n := now.In(china)
	switch a {
	case minute:
		return now.Truncate(time.Minute).Add(time.Minute), true
	case hour:
		return now.Truncate(time.Hour).Add(time.Hour), true
	case day:
		return time.Date(n.Year(), n.Month(), n.Day()+1, 0, 0, 0, 0, china), true
	case morning:
		at := time.Date(n.Year(), n.Month(), n.Day(), 8, 0, 0, 0, china)
		if !at.After(n) {
			at = at.AddDate(0, 0, 1)
		}
		return at, true
	}
	return time.Time{}, false
}

// china is where the platforms' clocks stand.
var china = time.FixedZone("Asia/Shanghai", 8*3600)

// failure is what a receipt of a message that did not arrive means.
type failure struct {
	reason string
	// gone: the number is nobody's. Asking again costs money and reaches nobody.
	gone bool
}

// failures are the codes of carriers that come with receipts. What is not among
// them says nothing of the number.
var failures = map[string]failure{
	"MK:0001":                 {"sms.receipt.absent", true},
	"MOBILE_NUMBER_ILLEGAL":   {"sms.receipt.absent", true},
	"MOBILE_NOT_ON_SERVICE":   {"sms.receipt.off", false},
	"MOBILE_ACCOUNT_ABNORMAL": {"sms.receipt.off", false},
	"MOBILE_TERMINAL_ERROR":   {"sms.receipt.off", false},
	"EXPIRED":                 {"sms.receipt.off", false},
	"MOBILE_IN_BLACK":         {"sms.receipt.blacklisted", false},
	"BLACK":                   {"sms.receipt.blacklisted", false},
	"REJECTD":                 {"sms.receipt.rejected", false},
	"CONTENT_KEYWORD":         {"sms.receipt.words", false},
	"CONTENT_ERROR":           {"sms.receipt.words", false},
	"MOBILE_SEND_LIMIT":       {"sms.receipt.limit", false},
	"UNDELIV":                 {"sms.receipt.undelivered", false},
}

func failureOf(code string) failure {
	if f, ok := failures[strings.ToUpper(strings.TrimSpace(code))]; ok {
		return f
	}
	return failure{reason: "sms.receipt.unknown"}
}

// react turns an error of a platform into one that says what to do about it.
func (e *Error) react(now time.Time) error {
	if until, ok := e.act.until(now); ok {
		return connector.Wait(until, e)
	}
	switch e.act {
	case stop:
		return connector.Unsent(connector.GiveUp(e))
	case retry:
		return connector.Unsent(e)
	case doubtful:
		return e
	}
	return connector.GiveUp(e)
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

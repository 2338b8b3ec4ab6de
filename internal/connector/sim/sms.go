package sim

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/koipond/koipond/internal/platform/errs"
)

// The platforms for short messages.
const (
	SMSAliyun  = "aliyun"
	SMSTencent = "tencent"
)

// SMS is what there is of short messages: an account at each platform, and what
// lies on people's phones.
type SMS struct {
	Accounts []*SMSAccount     `json:"accounts"`
	Texts    []*Text           `json:"texts"`             // the oldest first
	Numbers  map[string]string `json:"numbers,omitempty"` // numbers whose state is not fine
}

// textsKept bounds the messages.
const textsKept = 5000

// The states of a number.
const (
	NumberFine    = "fine"
	NumberAbsent  = "absent"  // nobody has it
	NumberOff     = "off"     // the phone is off
	NumberRefuses = "refuses" // its owner barred the sender at the carrier
)

// SMSAccount is an account at a platform for short messages.
type SMSAccount struct {
	Platform  string         `json:"platform"`
	KeyID     string         `json:"keyId"`
	Secret    string         `json:"secret"`
	App       string         `json:"app,omitempty"`
	Signs     []*SMSSign     `json:"signs"`
	Templates []*SMSTemplate `json:"templates"`
	Callback  string         `json:"callback,omitempty"`
	// Waiting are receipts for whoever asks: nobody is called back.
	Waiting []string `json:"waiting,omitempty"`
}

// SMSSign is a signature, and SMSTemplate a text, that somebody there approved or
// did not.
type SMSSign struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	State string `json:"state"` // ok, pending, refused
	Why   string `json:"why,omitempty"`
}

// SMSTemplate is a text with places for parameters.
type SMSTemplate struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Text  string `json:"text"`
	State string `json:"state"`
	Why   string `json:"why,omitempty"`
	Code  bool   `json:"code,omitempty"` // it carries a code: stricter limits
}

// Text is one short message on somebody's phone, or one that they wrote.
type Text struct {
	ID       string    `json:"id"`
	Platform string    `json:"platform"`
	Number   string    `json:"number"` // +8613…
	Sign     string    `json:"sign"`
	Template string    `json:"template,omitempty"`
	Words    string    `json:"words"`
	Segments int       `json:"segments,omitempty"`
	At       time.Time `json:"at"`
	Reply    bool      `json:"reply,omitempty"` // the customer wrote it
	Arrived  bool      `json:"arrived"`
	serial   string
}

// text shows the world's short messages, and makes them when there are none yet.
func (w *World) text() *SMS {
	if w.SMS != nil {
		return w.SMS
	}
	w.SMS = &SMS{Numbers: map[string]string{}}
	for _, platform := range []string{SMSAliyun, SMSTencent} {
		a := &SMSAccount{Platform: platform, KeyID: "LTAI5t" + w.derive(18, "sms", platform), Secret: w.derive(30, "sms secret", platform)}
		ids := []string{"SMS_100001", "SMS_100002", "SMS_100003", "SMS_100004"}
		holes := []string{"${code}", "${name}", "${item}"}
		if platform == SMSTencent {
			a.KeyID, a.Secret, a.App = "AKID"+w.derive(32, "sms", platform), w.derive(32, "sms secret", platform), "1400100001"
			ids, holes = []string{"1000001", "1000002", "1000003", "1000004"}, []string{"{1}", "{1}", "{2}"}
		}
		a.Signs = []*SMSSign{{1001, "锦池商城", "ok", ""}, {1002, "锦池会员", "pending", ""}}
		a.Templates = []*SMSTemplate{
			{ids[0], "验证码", "您的验证码是" + holes[0] + "，5 分钟内有效。如非本人操作，请忽略。", "ok", "", true},
			{ids[1], "发货通知", "亲爱的" + holes[1] + "，您购买的" + holes[2] + "已发出，请留意查收。", "ok", "", false},
			{ids[2], "会员日", holes[1] + "您好，会员日到店可领" + holes[2] + "，数量有限，先到先得。拒收请回复 R", "ok", "", false},
			{ids[3], "抽奖", "恭喜" + holes[1] + "中奖，点击链接领取" + holes[2], "refused", "内容涉及诱导，请修改后再提交", false},
		}
		w.SMS.Accounts = append(w.SMS.Accounts, a)
	}
	return w.SMS
}

func (s *SMS) account(platform string) *SMSAccount {
	for _, a := range s.Accounts {
		if a.Platform == platform {
			return a
		}
	}
	return nil
}

func (a *SMSAccount) template(id string) *SMSTemplate {
	for _, t := range a.Templates {
		if t.ID == id {
			return t
		}
	}
	return nil
}

func (a *SMSAccount) signed(name string) *SMSSign {
	for _, s := range a.Signs {
		if s.Name == name {
			return s
		}
	}
	return nil
}

var (
	simHole   = regexp.MustCompile(`\$?\{([A-Za-z0-9_]+)\}`)
	simMobile = regexp.MustCompile(`^\+861[3-9][0-9]{9}$`)
	simLink   = regexp.MustCompile(`(?i)https?://|www\.`)
)

// problem is why a platform for short messages refuses, before its own words are
// found for it.
type smsProblem string

const (
	smsFine        smsProblem = ""
	smsNumber      smsProblem = "number"
	smsTemplate    smsProblem = "template"
	smsSign        smsProblem = "sign"
	smsParams      smsProblem = "params"
	smsLink        smsProblem = "link"
	smsMinute      smsProblem = "minute"
	smsHour        smsProblem = "hour"
	smsDay         smsProblem = "day"
	smsBlacklisted smsProblem = "blacklist"
	smsBusy        smsProblem = "busy"
	smsThrottled   smsProblem = "throttled"
	smsSignature   smsProblem = "signature"
	smsKey         smsProblem = "key"
	smsClock       smsProblem = "clock"
	smsReplayed    smsProblem = "replayed"
	smsMalformed   smsProblem = "malformed"
	smsApp         smsProblem = "app"
)

// deliverText checks one message as the platform does and puts it on the phone.
func (s *Sim) deliverText(w *World, a *SMSAccount, number, sign, template string, params map[string]string, serial string, now time.Time) (*Text, smsProblem) {
	t, sg := a.template(template), a.signed(sign)
	switch {
	case !simMobile.MatchString(number):
		return nil, smsNumber
	case sg == nil || sg.State != "ok":
		return nil, smsSign
	case t == nil || t.State != "ok":
		return nil, smsTemplate
	}
	words, missing := t.Text, false
	for _, v := range params {
		if simLink.MatchString(v) {
			return nil, smsLink
		}
	}
	words = simHole.ReplaceAllStringFunc(words, func(h string) string {
		v := params[simHole.FindStringSubmatch(h)[1]]
		missing = missing || v == ""
		return v
	})
	if missing || a.Platform == SMSTencent && len(params) != len(simHole.FindAllString(t.Text, -1)) {
		return nil, smsParams
	}
	all := w.text()
	if all.Numbers[number] == NumberRefuses && a.Platform == SMSTencent {
		return nil, smsBlacklisted
	}
	if p := all.often(a, t, number, now); p != smsFine {
		return nil, p
	}
	words = "【" + sign + "】" + words
	state := cmp.Or(all.Numbers[number], NumberFine)
	x := &Text{ID: w.next("t_", 14), Platform: a.Platform, Number: number, Sign: sign, Template: template, Words: words, Segments: simSegments(words), At: now, Arrived: state == NumberFine, serial: serial}
	all.Texts = append(all.Texts, x)
	if len(all.Texts) > textsKept {
		all.Texts = slices.Clone(all.Texts[len(all.Texts)-textsKept*9/10:])
	}
	s.report(a, x, state, now)
	return x, smsFine
}

func simSegments(words string) int {
	n := len(utf16.Encode([]rune(words)))
	if n <= 70 {
		return 1
	}
	return (n + 66) / 67
}

// often holds a number to how many messages it may get: codes one a minute, five an
// hour, ten a day; anything else fifty a day, or at Tencent Cloud one in 30 seconds
// and ten a day.
func (s *SMS) often(a *SMSAccount, t *SMSTemplate, number string, now time.Time) smsProblem {
	type bound struct {
		in   time.Duration
		most int
		why  smsProblem
	}
	bounds := []bound{{24 * time.Hour, 50, smsDay}}
	switch {
	case a.Platform == SMSTencent:
		bounds = []bound{{30 * time.Second, 1, smsMinute}, {time.Hour, 5, smsHour}, {24 * time.Hour, 10, smsDay}}
		if !t.Code {
			bounds = slices.Delete(bounds, 1, 2)
		}
	case t.Code:
		bounds = []bound{{time.Minute, 1, smsMinute}, {time.Hour, 5, smsHour}, {24 * time.Hour, 10, smsDay}}
	}
	counts := make([]int, len(bounds))
	for _, x := range slices.Backward(s.Texts) {
		age := now.Sub(x.At)
		if age > 24*time.Hour {
			break
		}
		if x.Reply || x.Number != number || x.Platform != a.Platform {
			continue
		}
		if old := a.template(x.Template); old == nil || old.Code != t.Code {
			continue
		}
		for i, b := range bounds {
			if age < b.in {
				counts[i]++
			}
		}
	}
	for i, b := range bounds {
		if counts[i] >= b.most {
			return b.why
		}
	}
	return smsFine
}

// SMSAccess is what a connector signs in with.
type SMSAccess struct {
	Platform, KeyID, Secret, App, Sign string
	SignID                             int64
	Templates                          []string
}

// SMSAccess gives the account at a platform.
func (s *Sim) SMSAccess(platform string) (out SMSAccess) {
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		a := w.text().account(platform)
		if a == nil {
			return nil
		}
		out = SMSAccess{Platform: platform, KeyID: a.KeyID, Secret: a.Secret, App: a.App, Sign: a.Signs[0].Name, SignID: a.Signs[0].ID}
		for _, t := range a.Templates {
			out.Templates = append(out.Templates, t.ID)
		}
		return nil
	})
	return out
}

// SetSMSCallback has a platform call an address; "" ends it, and receipts wait for
// whoever asks.
func (s *Sim) SetSMSCallback(platform, address string) error {
	return s.at(func(w *World, _ time.Time) error {
		a := w.text().account(platform)
		if a == nil {
			return errs.New(errs.NotFound, "not_found")
		}
		a.Callback = address
		return nil
	})
}

// Inbox is the messages of one number.
type Inbox struct {
	Number string    `json:"number"`
	Name   string    `json:"name,omitempty" doc:"Of the person whose phone it is, when it is somebody's"`
	State  string    `json:"state" enum:"fine,absent,off,refuses"`
	Last   string    `json:"last"`
	At     time.Time `json:"at"`
	Count  int       `json:"count"`
}

// Inboxes lists the numbers that got messages, the newest first.
func (s *Sim) Inboxes(limit int) []Inbox {
	out := []Inbox{}
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		all, at := w.text(), map[string]int{}
		for _, x := range slices.Backward(all.Texts) {
			i, ok := at[x.Number]
			if !ok {
				if len(out) >= limit {
					continue
				}
				i = len(out)
				at[x.Number] = i
				out = append(out, Inbox{Number: x.Number, Name: w.ownerOf(x.Number), State: cmp.Or(all.Numbers[x.Number], NumberFine), Last: first(x.Words, ""), At: x.At})
			}
			out[i].Count++
		}
		return nil
	})
	return out
}

func (w *World) ownerOf(number string) string {
	for _, p := range w.People {
		if p.Phone != "" && "+86"+p.Phone == number {
			return p.Name
		}
	}
	return ""
}

// TextsOf lists the messages of a number, the oldest first.
func (s *Sim) TextsOf(number string, limit int) []Text {
	out := []Text{}
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		for _, x := range w.text().Texts {
			if x.Number == number {
				out = append(out, *x)
			}
		}
		return nil
	})
	return out[max(0, len(out)-limit):]
}

// SetNumber changes what becomes of messages to a number.
func (s *Sim) SetNumber(number, state string) error {
	return s.at(func(w *World, now time.Time) error {
		if !simMobile.MatchString(number) {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("number", "sim.bad_number"))
		}
		all := w.text()
		fill(&all.Numbers)
		if state == NumberFine {
			delete(all.Numbers, number)
		} else {
			all.Numbers[number] = state
		}
		s.diary.act(now, "number", number, "", state)
		return nil
	})
}

// Answer is a person who replies to the last message of a number.
func (s *Sim) Answer(number, words string) error {
	return s.at(func(w *World, now time.Time) error {
		all := w.text()
		words = strings.TrimSpace(words)
		if words == "" || runes(words) > 300 {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("text", "sim.text_length", "most", 300))
		}
		for _, x := range slices.Backward(all.Texts) {
			if x.Number != number || x.Reply || !x.Arrived {
				continue
			}
			r := &Text{ID: w.next("t_", 14), Platform: x.Platform, Number: number, Sign: x.Sign, Words: words, At: now, Reply: true, Arrived: true, serial: w.digits(12)}
			all.Texts = append(all.Texts, r)
			s.diary.act(now, "answer", number, "", short(words, 60))
			s.tellAnswer(all.account(x.Platform), r)
			return nil
		}
		return errs.New(errs.Conflict, "sim.nothing_to_answer")
	})
}

// phoneOf writes a number as a platform does in its callbacks.
func phoneOf(number string) string { return strings.TrimPrefix(number, "+86") }

func simTime(t time.Time) string { return t.In(beijing).Format("2006-01-02 15:04:05") }

var beijing = time.FixedZone("Asia/Shanghai", 8*3600)

func requestID(w *World) string {
	h := w.hexID(32)
	return strings.ToUpper(fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:]))
}

// MobileOf is the number of a person's phone.
func (s *Sim) MobileOf(who string) (number string) {
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		if p, err := w.find(who); err == nil {
			number = p.Phone
		}
		return nil
	})
	return number
}

package connector

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
)

// The states of an account.
const (
	Active = "active"
	// Paused calls nobody and hands on no callback. Those that come are kept, and
	// worked on when the account goes on: a platform does not send them again.
	Paused = "paused"
)

// SettingBase is the setting of every kind with a Base: another address to call
// than the platform's own, such as a company's proxy or the simulator.
const SettingBase = "base"

// Account is one account at a platform. Its secrets are apart: they are sealed and
// leave only to Kind.Open.
type Account struct {
	ID        string            `json:"id"`
	Kind      string            `json:"kind"`
	Name      string            `json:"name"`
	State     string            `json:"state" enum:"active,paused"`
	Settings  map[string]string `json:"settings"`
	CreatedAt time.Time         `json:"createdAt"`
	ChangedAt time.Time         `json:"changedAt"`

	// generation counts the changes of settings and secrets: what was opened or
	// fetched with older ones is not used any more.
	generation int64
}

// Setting is one setting, "" when it was not given.
func (a Account) Setting(name string) string { return a.Settings[name] }

// Base is where the account's platform is called, without a slash at the end:
// what its settings say, or else the platform's own address.
func (a Account) Base(own string) string {
	if b := a.Settings[SettingBase]; b != "" {
		return strings.TrimRight(b, "/")
	}
	return strings.TrimRight(own, "/")
}

// Secrets are an account's credentials by the names of their fields. They print,
// log and encode as stars.
type Secrets map[string]string

// String implements fmt.Stringer.
func (Secrets) String() string { return "***" }

// GoString implements fmt.GoStringer.
func (Secrets) GoString() string { return "***" }

// LogValue implements slog.LogValuer.
func (Secrets) LogValue() slog.Value { return slog.StringValue("***") }

// MarshalJSON implements json.Marshaler.
func (Secrets) MarshalJSON() ([]byte, error) { return json.Marshal("***") }

// Kind is a sort of account: what setting one up asks for, and how it is opened.
// Label, and those of its fields, are codes of the message catalogue.
type Kind struct {
	Name         string // wecom, wechat, miniprogram, sms.aliyun, sms.tencent, mail
	Label        string
	Base         string // the platform's own address; "": it has none that could be another
	Fields       []Field
	Capabilities []string // what it can do: receive, send, directory, tags, groups, …
	Quotas       []Quota  // see QuotasOf
	// Callback tells that the platform calls us: the Conn is a Receiver, and the
	// console shows the address to enter there.
	Callback bool
	// Open makes the connection of an account. It makes no call: what is wrong with
	// the credentials is for Check to find. The Conn is shared by all callers and
	// used until the account changes.
	Open func(a Account, s Secrets, e Env) (Conn, error)
}

// The values of Field.Make.
const (
	MakeToken  = "token"   // 32 letters and digits
	MakeAESKey = "aes_key" // 43 letters and digits, as WeCom and WeChat want them
)

// Field is one thing that setting up an account asks for.
type Field struct {
	Name     string // in Settings, or in Secrets
	Label    string // code of its name
	Help     string // code: where on the platform it is found
	Secret   bool
	Required bool
	Pattern  string   // regular expression for the whole value; "": anything
	Options  []string // the only values, when there are any
	Default  string
	Example  string
	Lines    bool   // of more than one line, such as a private key
	Make     string // the console offers to make one: MakeToken, MakeAESKey
}

// Quota is how much a platform allows in a stretch of time. Several of one name
// hold together: 10,000 a minute and 150,000 an hour.
type Quota struct {
	Name string `json:"name"` // "api", "message.customer"
	Most int64  `json:"most"`
	// Per is minute, hour, day, week or month as the platforms count them (in
	// China's time), or a number with s, m, h or d behind it: a stretch that ends
	// now, such as 48h.
	Per string `json:"per"`
	Of  string `json:"of"` // whose: account, ip, customer, member, phone, owner
	// Note is a code that says what it is for people.
	Note string `json:"note,omitempty"`
}

// Fetch gets a new token from the platform and says how long it lives.
type Fetch func(ctx context.Context) (token string, life time.Duration, err error)

// Env is what a Conn may use of the program. It belongs to one account.
type Env struct {
	// HTTP calls the platform: no redirects, no private addresses, an end after a
	// while. The context may end a call earlier.
	HTTP *http.Client
	// Dial connects to what speaks no HTTP, such as a mail server, with the same care.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// LookupTXT asks the DNS for the texts of a name.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
	// Told puts what the Conn learns beside its callbacks into the inbox, such as an
	// address that a server refuses while it is written to.
	Told  func(ctx context.Context, in ...Incoming) error
	Clock clock.Clock
	Log   *slog.Logger
	// Callback is the address at which the platform calls this account, "" when the
	// program does not know its own.
	Callback string
	// Simulated tells that the platform is the program's own simulator.
	Simulated bool
	// Token gives the token of a name ("access", "jsapi"). One caller at a time, on
	// all nodes together, runs fetch; the others wait for what it brings. It is kept
	// sealed and fetched anew five minutes before its end. An error of GiveUp (the
	// platform refuses the credentials) is remembered: for a while, or until the
	// account changes, callers get it without another call.
	Token func(ctx context.Context, name string, fetch Fetch) (string, error)
	// Refresh is for who was told that a token is stale (40014, 42001): it gives
	// another one. However many were told so of the same token, one fetch runs.
	Refresh func(ctx context.Context, name, stale string, fetch Fetch) (string, error)
	// Quota takes n of a quota for a subject ("": the account). nil means go on; a
	// Later says when there will be room. A name without quotas has room. Call it
	// before the platform: what was taken is not given back, whatever comes of it.
	Quota func(ctx context.Context, name, subject string, n int64) error
	// Spent tells that the platform itself says the quota is used up (45009): until
	// then callers of Quota get a Later.
	Spent func(ctx context.Context, name, subject string, until time.Time) error
	// Refused tells the doctor that the platform refuses the account's credentials
	// or rights. It shows on the account until a check finds otherwise.
	Refused func(ctx context.Context, err error)
}

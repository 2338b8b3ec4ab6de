package mail

import "github.com/koipond/koipond/internal/connector"

// Name of the kind.
const Name = "mail"

// What a mail account can do.
const (
	CanReceive = "receive"
	CanSend    = "send"
	CanTest    = "test"
)

const (
	settingHost     = "host"
	settingPort     = "port"
	settingSecurity = "security"
	settingUser     = "username"
	settingFrom     = "from"
	settingFromName = "fromName"
	settingReplyTo  = "replyTo"
	settingReturn   = "returnPath"
	settingSelector = "dkimSelector"
	settingPOPHost  = "popHost"
	settingPOPUser  = "popUsername"
	secretPassword  = "password"
	secretDKIM      = "dkimKey"
	secretToken     = "token"
	secretPOP       = "popPassword"
)

// The ways in which a connection is kept from being read.
const (
	secureTLS      = "tls"
	secureStartTLS = "starttls"
	secureNone     = "none"
)

const (
	hostPattern    = `[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?`
	addressPattern = `[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?`
)

// Kind is the kind "mail": a server that takes mail, and where its reports come from.
func Kind() connector.Kind {
	return connector.Kind{Name: Name, Label: "connector.kind.mail", Callback: true, Open: Open, Quotas: connector.QuotasOf(Name), Capabilities: []string{CanReceive, CanSend, CanTest},
		Fields: []connector.Field{
			{Name: settingHost, Label: "mail.field.host", Help: "mail.help.host", Required: true, Pattern: hostPattern, Example: "smtp.exmail.qq.com"},
			{Name: settingPort, Label: "mail.field.port", Help: "mail.help.port", Pattern: `[0-9]{1,5}`, Default: "465", Example: "465"},
			{Name: settingSecurity, Label: "mail.field.security", Help: "mail.help.security", Options: []string{secureTLS, secureStartTLS, secureNone}, Default: secureTLS},
			{Name: settingUser, Label: "mail.field.user", Pattern: `[^\s]{1,200}`, Example: "news@mail.example.com"},
			{Name: secretPassword, Label: "mail.field.password", Help: "mail.help.password", Secret: true},
			{Name: settingFrom, Label: "mail.field.from", Help: "mail.help.from", Required: true, Pattern: addressPattern, Example: "news@mail.example.com"},
			{Name: settingFromName, Label: "mail.field.from_name", Example: "锦池商城"},
			{Name: settingReplyTo, Label: "mail.field.reply_to", Pattern: addressPattern, Example: "service@example.com"},
			{Name: settingReturn, Label: "mail.field.return", Help: "mail.help.return", Pattern: addressPattern, Example: "bounce@mail.example.com"},
			{Name: settingSelector, Label: "mail.field.selector", Help: "mail.help.dkim", Pattern: `[A-Za-z0-9_-]{1,60}`, Example: "koipond"},
			{Name: secretDKIM, Label: "mail.field.dkim", Help: "mail.help.dkim", Secret: true, Lines: true},
			{Name: secretToken, Label: "mail.field.token", Help: "mail.help.token", Secret: true, Required: true, Pattern: `[A-Za-z0-9]{16,64}`, Make: connector.MakeToken},
			{Name: settingPOPHost, Label: "mail.field.pop_host", Help: "mail.help.pop", Pattern: hostPattern + `(:[0-9]{1,5})?`, Example: "pop.exmail.qq.com"},
			{Name: settingPOPUser, Label: "mail.field.pop_user", Pattern: `[^\s]{1,200}`, Example: "bounce@mail.example.com"},
			{Name: secretPOP, Label: "mail.field.pop_password", Secret: true},
		}}
}

var (
	_ connector.Conn     = (*Client)(nil)
	_ connector.Receiver = (*Client)(nil)
	_ connector.Sender   = (*Client)(nil)
	_ connector.Tester   = (*Client)(nil)
)

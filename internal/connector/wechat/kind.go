package wechat

import "github.com/koipond/koipond/internal/connector"

// The names of the kinds.
const (
	Name     = "wechat"
	NameMini = "miniprogram"
)

// The settings and secrets of an account.
const (
	settingApp   = "appId"
	settingMode  = "mode"
	secretApp    = "secret"
	secretToken  = "token"
	secretAESKey = "aesKey"
)

// How an account is called back.
const (
	modeSafe  = "safe"  // encrypted
	modePlain = "plain" // signed alone
)

// What accounts of WeChat can do.
const (
	CanReceive   = "receive"
	CanReply     = "reply"
	CanSend      = "send"
	CanTemplate  = "template"
	CanSubscribe = "subscribe"
	CanMenu      = "menu"
	CanScenes    = "scene_codes"
	CanUsers     = "users"
	CanSignIn    = "sign_in"
	CanMass      = "mass"
	CanPhone     = "phone"
	CanLinks     = "url_links"
	CanMiniCodes = "mini_codes"
)

// Kind is the kind "wechat": an official account.
func Kind() connector.Kind {
	return connector.Kind{
		Name: Name, Label: "connector.kind.wechat", Base: platform, Callback: true, Quotas: connector.QuotasOf(Name),
		Open: func(a connector.Account, s connector.Secrets, e connector.Env) (connector.Conn, error) {
			return openOfficial(a, s, e)
		},
		Capabilities: []string{CanReceive, CanReply, CanSend, CanTemplate, CanSubscribe, CanMenu, CanScenes, CanUsers, CanSignIn, CanMass},
		Fields: []connector.Field{
			{Name: settingApp, Label: "wechat.field.app", Help: "wechat.help.app", Required: true, Pattern: appPattern, Example: "wx1a2b3c4d5e6f7a8b"},
			{Name: secretApp, Label: "wechat.field.secret", Help: "wechat.help.secret", Secret: true, Required: true, Pattern: secretPattern},
			{Name: settingMode, Label: "wechat.field.mode", Help: "wechat.help.mode", Options: []string{modeSafe, modePlain}, Default: modeSafe},
			{Name: secretToken, Label: "wechat.field.token", Help: "wechat.help.token", Secret: true, Required: true, Pattern: tokenPattern, Make: connector.MakeToken},
			{Name: secretAESKey, Label: "wechat.field.aes_key", Help: "wechat.help.aes_key", Secret: true, Required: true, Pattern: keyPattern, Make: connector.MakeAESKey},
		},
	}
}

// KindMini is the kind "miniprogram". Its callbacks are optional: logging in and
// sending work without.
func KindMini() connector.Kind {
	return connector.Kind{
		Name: NameMini, Label: "connector.kind.miniprogram", Base: platform, Callback: true, Quotas: connector.QuotasOf(NameMini),
		Open: func(a connector.Account, s connector.Secrets, e connector.Env) (connector.Conn, error) {
			return openMini(a, s, e)
		},
		Capabilities: []string{CanReceive, CanSend, CanSubscribe, CanSignIn, CanPhone, CanLinks, CanMiniCodes},
		Fields: []connector.Field{
			{Name: settingApp, Label: "wechat.field.app", Help: "miniprogram.help.app", Required: true, Pattern: appPattern, Example: "wx2b3c4d5e6f7a8b9c"},
			{Name: secretApp, Label: "wechat.field.secret", Help: "miniprogram.help.secret", Secret: true, Required: true, Pattern: secretPattern},
			{Name: settingMode, Label: "wechat.field.mode", Help: "wechat.help.mode", Options: []string{modeSafe, modePlain}, Default: modeSafe},
			{Name: secretToken, Label: "wechat.field.token", Help: "miniprogram.help.token", Secret: true, Pattern: tokenPattern, Make: connector.MakeToken},
			{Name: secretAESKey, Label: "wechat.field.aes_key", Help: "miniprogram.help.aes_key", Secret: true, Pattern: keyPattern, Make: connector.MakeAESKey},
		},
	}
}

const (
	appPattern    = `wx[0-9a-zA-Z]{8,30}`
	secretPattern = `[0-9a-zA-Z]{16,64}`
	tokenPattern  = `[A-Za-z0-9]{3,32}`
	keyPattern    = `[A-Za-z0-9+/]{43}`
)

// Official speaks for an official account. It is the Conn of the kind "wechat", and
// safe for many goroutines.
type Official struct{ *client }

// Mini speaks for a mini-program. It is the Conn of the kind "miniprogram", and safe
// for many goroutines.
type Mini struct{ *client }

func openOfficial(a connector.Account, s connector.Secrets, e connector.Env) (*Official, error) {
	c, err := open(a, s, e)
	if err != nil {
		return nil, err
	}
	return &Official{c}, nil
}

func openMini(a connector.Account, s connector.Secrets, e connector.Env) (*Mini, error) {
	c, err := open(a, s, e)
	if err != nil {
		return nil, err
	}
	return &Mini{c}, nil
}

var (
	_ connector.Conn     = (*Official)(nil)
	_ connector.Receiver = (*Official)(nil)
	_ connector.Replier  = (*Official)(nil)
	_ connector.Sender   = (*Official)(nil)
	_ connector.Conn     = (*Mini)(nil)
	_ connector.Receiver = (*Mini)(nil)
	_ connector.Sender   = (*Mini)(nil)
)

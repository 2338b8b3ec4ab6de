package wecom

import "github.com/koipond/koipond/internal/connector"

// Name of the kind.
const Name = "wecom"

// The settings and secrets of an account.
const (
	settingCorp  = "corpId"
	settingAgent = "agentId"
	secretApp    = "secret"
	secretToken  = "token"
	secretAESKey = "aesKey"
)

// What a WeCom account can do.
const (
	CanReceive   = "receive"
	CanDirectory = "directory"
	CanCustomers = "customers"
	CanTags      = "tags"
	CanCodes     = "contact_ways"
	CanWelcome   = "welcome"
	CanMass      = "mass"
	CanMoments   = "moments"
	CanGroups    = "groups"
	CanTransfer  = "transfer"
	CanService   = "service"
	CanTell      = "tell_staff"
)

// Kind is the kind "wecom": a self-built app of a corp. Its quotas are those of
// connector's table.
func Kind() connector.Kind {
	return connector.Kind{
		Name: Name, Label: "connector.kind.wecom", Base: platform, Callback: true, Open: Open, Quotas: connector.QuotasOf(Name),
		Capabilities: []string{CanReceive, CanDirectory, CanCustomers, CanTags, CanCodes, CanWelcome, CanMass, CanMoments, CanGroups, CanTransfer, CanService, CanTell},
		Fields: []connector.Field{
			{Name: settingCorp, Label: "wecom.field.corp", Help: "wecom.help.corp", Required: true, Pattern: `[A-Za-z0-9_-]{6,64}`, Example: "ww1a2b3c4d5e6f7a8b"},
			{Name: settingAgent, Label: "wecom.field.agent", Help: "wecom.help.agent", Required: true, Pattern: `[0-9]{1,12}`, Example: "1000002"},
			{Name: secretApp, Label: "wecom.field.secret", Help: "wecom.help.secret", Secret: true, Required: true, Pattern: `[A-Za-z0-9_-]{16,128}`},
			{Name: secretToken, Label: "wecom.field.token", Help: "wecom.help.token", Secret: true, Required: true, Pattern: `[A-Za-z0-9]{3,32}`, Make: connector.MakeToken},
			{Name: secretAESKey, Label: "wecom.field.aes_key", Help: "wecom.help.aes_key", Secret: true, Required: true, Pattern: `[A-Za-z0-9+/]{43}`, Make: connector.MakeAESKey},
		},
	}
}

var (
	_ connector.Conn     = (*Client)(nil)
	_ connector.Receiver = (*Client)(nil)
	_ connector.Sender   = (*Client)(nil)
)

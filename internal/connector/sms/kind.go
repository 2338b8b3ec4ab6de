package sms

import "github.com/koipond/koipond/internal/connector"

// The kinds of account.
const (
	Aliyun  = "sms.aliyun"
	Tencent = "sms.tencent"
)

// What an account for short messages can do.
const (
	CanReceive   = "receive"
	CanSend      = "send"
	CanTest      = "test" // somebody may send one by hand
	CanTemplates = "templates"
)

// The settings and secrets of accounts.
const (
	settingKeyID  = "accessKeyId"
	settingSign   = "signName"
	settingStop   = "stopWords"
	settingApp    = "sdkAppId"
	settingRegion = "region"
	settingSignID = "signId"
	settingPull   = "pull"
	secretKey     = "accessKeySecret"
	secretToken   = "token"
)

const (
	aliyunBase  = "https://dysmsapi.aliyuncs.com"
	tencentBase = "https://sms.tencentcloudapi.com"
)

// Kinds are both kinds of account.
func Kinds() []connector.Kind { return []connector.Kind{aliyunKind(), tencentKind()} }

func signField() connector.Field {
	return connector.Field{Name: settingSign, Label: "sms.field.sign", Help: "sms.help.sign", Required: true, Pattern: `[^【】\[\]\s]{2,30}`, Example: "锦池商城"}
}

func tokenField(help string) connector.Field {
	return connector.Field{Name: secretToken, Label: "sms.field.token", Help: help, Secret: true, Required: true, Pattern: `[A-Za-z0-9]{16,64}`, Make: connector.MakeToken}
}

func stopField() connector.Field {
	return connector.Field{Name: settingStop, Label: "sms.field.stop", Help: "sms.help.stop", Example: "TD, T, 退订"}
}

func aliyunKind() connector.Kind {
	return connector.Kind{Name: Aliyun, Label: "connector.kind.sms_aliyun", Base: aliyunBase, Callback: true, Open: openAliyun, Quotas: connector.QuotasOf(Aliyun),
		Capabilities: []string{CanReceive, CanSend, CanTest, CanTemplates},
		Fields: []connector.Field{
			{Name: settingKeyID, Label: "sms.field.key_id", Help: "sms.help.aliyun_key", Required: true, Pattern: `[A-Za-z0-9]{12,64}`, Example: "LTAI5tExampleExample"},
			{Name: secretKey, Label: "sms.field.key_secret", Help: "sms.help.aliyun_key", Secret: true, Required: true, Pattern: `[A-Za-z0-9]{16,64}`},
			signField(), tokenField("sms.help.aliyun_token"), stopField(),
		}}
}

func tencentKind() connector.Kind {
	return connector.Kind{Name: Tencent, Label: "connector.kind.sms_tencent", Base: tencentBase, Callback: true, Open: openTencent, Quotas: connector.QuotasOf(Tencent),
		Capabilities: []string{CanReceive, CanSend, CanTest, CanTemplates},
		Fields: []connector.Field{
			{Name: settingKeyID, Label: "sms.field.secret_id", Help: "sms.help.tencent_key", Required: true, Pattern: `[A-Za-z0-9]{12,64}`, Example: "AKIDExampleExample"},
			{Name: secretKey, Label: "sms.field.secret_key", Help: "sms.help.tencent_key", Secret: true, Required: true, Pattern: `[A-Za-z0-9]{16,64}`},
			{Name: settingApp, Label: "sms.field.app", Help: "sms.help.app", Required: true, Pattern: `[0-9]{6,12}`, Example: "1400006666"},
			{Name: settingRegion, Label: "sms.field.region", Help: "sms.help.region", Options: []string{"ap-guangzhou", "ap-beijing", "ap-nanjing"}, Default: "ap-guangzhou"},
			signField(),
			{Name: settingSignID, Label: "sms.field.sign_id", Help: "sms.help.sign_id", Pattern: `[0-9]{1,12}`, Example: "100001"},
			tokenField("sms.help.tencent_token"), stopField(),
			{Name: settingPull, Label: "sms.field.pull", Help: "sms.help.pull", Options: []string{"no", "yes"}, Default: "no"},
		}}
}

var (
	_ connector.Conn     = (*Client)(nil)
	_ connector.Receiver = (*Client)(nil)
	_ connector.Sender   = (*Client)(nil)
	_ connector.Batcher  = (*Client)(nil)
	_ connector.Tester   = (*Client)(nil)
)

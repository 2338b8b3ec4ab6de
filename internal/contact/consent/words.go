package consent

import "github.com/koipond/koipond/internal/platform/i18n"

// pageWords is all that the preference page says in one language, beside the
// purposes, which say it themselves.
type pageWords struct {
	Title, Intro, For, Save, Saved, SavedAt string
	Stop, StopNote, Stopped, StoppedAt      string
	Resume, ResumeNote, Use, On, Version    string
	Other, OtherLang                        string
	GoneTitle, GoneText, BadTitle, BadText  string
	SlowTitle, SlowText, ErrTitle, ErrText  string
	UnsubTitle, UnsubText, Back, Contract   string
	Foot, AllChannels, Everything, Sample   string
	Channel                                 map[Channel]string
}

var words = map[i18n.Lang]pageWords{
	i18n.ZH: {
		Title: "沟通与隐私偏好", Intro: "您可以决定我们怎样使用您的信息、用哪些方式联系您。更改立即生效。", For: "当前设置对象", Save: "保存设置", Saved: "已保存", SavedAt: "保存时间",
		Stop: "停止一切联系", StopNote: "停止所有渠道的消息（包括订单通知），并撤回所有授权。", Stopped: "您已停止一切联系", StoppedAt: "停止时间",
		Resume: "恢复联系", ResumeNote: "恢复后可以重新选择愿意接收的内容；已撤回的授权保持撤回。", Use: "允许使用", On: "允许", Version: "版本",
		Other: "English", OtherLang: "en",
		GoneTitle: "链接已失效", GoneText: "这个链接已过期或已被停用。您的设置没有改变。需要修改时，请从最新的消息中打开链接，或联系我们的客服。",
		BadTitle: "找不到这个页面", BadText: "链接不完整或不正确。请从收到的消息中重新打开，或联系我们的客服。",
		SlowTitle: "操作太频繁", SlowText: "请稍等一分钟再试。您已保存的设置不受影响。",
		ErrTitle: "没有保存成功", ErrText: "出了点问题，您的设置没有改变。请稍后再试，或联系我们的客服。",
		UnsubTitle: "已退订", UnsubText: "我们不会再通过电子邮件给您发送这类消息。", Back: "查看全部设置", Contract: "履行合同所必需，您也可以按渠道关闭",
		AllChannels: "全部渠道", Everything: "勿扰（停止一切联系）", Sample: "示例客户",
		Foot:    "您的选择会连同时间一起记录，作为我们遵守您意愿的凭证。",
		Channel: map[Channel]string{WeCom: "企业微信", OfficialAccount: "公众号", MiniProgram: "小程序", SMS: "短信", Email: "电子邮件", Phone: "电话", InApp: "App 内消息"},
	},
	i18n.EN: {
		Title: "Communication and privacy choices", Intro: "You decide how we use your data and by which ways we reach you. Changes take effect at once.", For: "These choices are for", Save: "Save choices", Saved: "Saved", SavedAt: "Saved at",
		Stop: "Stop everything", StopNote: "Stops messages by every channel, order notices included, and withdraws every consent.", Stopped: "You stopped everything", StoppedAt: "Stopped at",
		Resume: "Allow contact again", ResumeNote: "You can then choose again what you want to receive. Consents that were withdrawn stay withdrawn.", Use: "Allow this use", On: "Allow", Version: "Version",
		Other: "中文", OtherLang: "zh-CN",
		GoneTitle: "This link no longer works", GoneText: "The link has expired or was turned off. Your choices have not changed. To change them, open the link in our latest message or ask our customer service.",
		BadTitle: "There is no such page", BadText: "The link is not complete or not right. Please open it from the message again, or ask our customer service.",
		SlowTitle: "That was a bit fast", SlowText: "Please wait a minute and try again. What you saved stays as it is.",
		ErrTitle: "It was not saved", ErrText: "Something went wrong and your choices have not changed. Please try again later, or ask our customer service.",
		UnsubTitle: "You are unsubscribed", UnsubText: "We will send you no more such messages by e-mail.", Back: "See all choices", Contract: "Needed to carry out our contract; you can still turn channels off",
		AllChannels: "All channels", Everything: "Do not contact", Sample: "A customer, as an example",
		Foot:    "Your choice is recorded with its time, as proof that we keep to it.",
		Channel: map[Channel]string{WeCom: "WeCom", OfficialAccount: "Official account", MiniProgram: "Mini-program", SMS: "Text message", Email: "E-mail", Phone: "Phone call", InApp: "In the app"},
	},
}

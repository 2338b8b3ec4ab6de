package sim

// wechatRoutes are the APIs of WeChat that the simulator speaks.
var wechatRoutes = map[string]appRoute{
	"cgi-bin/stable_token":      {method: write, open: true, do: stableToken},
	"cgi-bin/token":             {method: read, open: true, do: plainToken},
	"cgi-bin/clear_quota":       {method: write, do: clearQuota},
	"cgi-bin/get_api_domain_ip": {method: read, do: domainIPs},
	"cgi-bin/getcallbackip":     {method: read, do: domainIPs},

	"cgi-bin/menu/create": {method: write, kind: AppOfficial, closed: true, perDay: func(l WeChatLimits) int { return l.MenuPerDay }, do: menuCreate},
	"cgi-bin/menu/get":    {method: read, kind: AppOfficial, closed: true, do: menuGet},
	"cgi-bin/menu/delete": {method: read, kind: AppOfficial, closed: true, do: menuDelete},

	"cgi-bin/qrcode/create": {method: write, kind: AppOfficial, closed: true, perDay: func(l WeChatLimits) int { return l.ScenesPerDay }, do: sceneCreate},

	"cgi-bin/message/custom/send":               {method: write, closed: true, do: customSend},
	"cgi-bin/message/custom/typing":             {method: write, closed: true, do: customTyping},
	"cgi-bin/message/template/send":             {method: write, kind: AppOfficial, closed: true, perDay: func(l WeChatLimits) int { return l.TemplatePerDay }, do: templateSend},
	"cgi-bin/message/subscribe/send":            {method: write, kind: AppMini, do: subscribeSend},
	"cgi-bin/message/subscribe/bizsend":         {method: write, kind: AppOfficial, closed: true, do: subscribeSend},
	"cgi-bin/template/get_all_private_template": {method: read, kind: AppOfficial, closed: true, do: templateList},
	"wxaapi/newtmpl/gettemplate":                {method: read, do: subscribeList},

	"cgi-bin/user/info":          {method: read, kind: AppOfficial, closed: true, do: userInfo},
	"cgi-bin/user/info/batchget": {method: write, kind: AppOfficial, closed: true, do: userInfos},
	"cgi-bin/user/get":           {method: read, kind: AppOfficial, closed: true, do: userGetList},

	"cgi-bin/message/mass/send":    {method: write, kind: AppOfficial, closed: true, perDay: func(l WeChatLimits) int { return l.MassPerDay }, do: massSend},
	"cgi-bin/message/mass/sendall": {method: write, kind: AppOfficial, closed: true, perDay: func(l WeChatLimits) int { return l.MassPerDay }, do: massSendAll},
	"cgi-bin/message/mass/preview": {method: write, kind: AppOfficial, closed: true, perDay: func(l WeChatLimits) int { return l.PreviewPerDay }, do: massPreview},
	"cgi-bin/message/mass/get":     {method: write, kind: AppOfficial, closed: true, do: massGet},

	"cgi-bin/media/upload":    {method: write, do: appUpload},
	"cgi-bin/media/uploadimg": {method: write, do: appUploadImage},

	"sns/oauth2/access_token": {method: read, open: true, do: oauthToken},
	"sns/userinfo":            {method: read, open: true, do: oauthInfo},
	"sns/jscode2session":      {method: read, open: true, do: codeToSession},

	"wxa/business/getuserphonenumber": {method: write, kind: AppMini, do: phoneNumber},
	"wxa/getwxacodeunlimit":           {method: write, kind: AppMini, do: miniCode},
	"wxa/generate_urllink":            {method: write, kind: AppMini, perDay: func(l WeChatLimits) int { return l.LinksPerDay }, do: urlLink},
}

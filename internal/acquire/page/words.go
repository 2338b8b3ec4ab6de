package page

import (
	"net/http"
	"strings"

	"github.com/koipond/koipond/internal/contact/consent"
	"github.com/koipond/koipond/internal/platform/i18n"
)

// pageWords are a page's own words, beside those of whoever wrote it.
type pageWords struct {
	Optional, Choose, Trap, Version, Send            string
	Thanks, Pending, Open, Had, Code, CodeHint, GoOn string
	Channel                                          map[consent.Channel]string
}

var words = map[i18n.Lang]pageWords{
	i18n.ZH: {Optional: "（选填）", Choose: "请选择", Trap: "请勿填写", Version: "版本", Send: "提交",
		Thanks: "提交成功，谢谢您", Pending: "正在为您准备，请稍候……", Open: "立即领取", Had: "您已经领取过“{gift}”，每人限领一次。", Code: "加好友二维码", CodeHint: "长按或扫描二维码，添加专属顾问", GoOn: "继续",
		Channel: map[consent.Channel]string{consent.WeCom: "企业微信", consent.OfficialAccount: "公众号", consent.MiniProgram: "小程序", consent.SMS: "短信", consent.Email: "邮件", consent.Phone: "电话", consent.InApp: "站内消息"}},
	i18n.EN: {Optional: "(optional)", Choose: "Please choose", Trap: "Leave this empty", Version: "version", Send: "Send",
		Thanks: "Thank you, we have it", Pending: "One moment please …", Open: "Get it", Had: "You have had “{gift}” before; everybody gets it once.", Code: "QR code to add us", CodeHint: "Press and hold, or scan the code, to add your adviser", GoOn: "Go on",
		Channel: map[consent.Channel]string{consent.WeCom: "WeCom", consent.OfficialAccount: "official account", consent.MiniProgram: "mini-program", consent.SMS: "SMS", consent.Email: "e-mail", consent.Phone: "phone", consent.InApp: "in-app"}},
}

var refusals = map[int][2][2]string{
	http.StatusNotFound:              {{"没有这个页面", "请检查地址是否完整，或联系发给您的人。"}, {"There is no such page", "Please check that the address is whole, or ask whoever sent it."}},
	http.StatusGone:                  {{"活动已结束", "这个页面已经停止或过期，感谢您的关注。"}, {"This has ended", "The page was stopped or has expired. Thank you for your interest."}},
	http.StatusForbidden:             {{"没有提交成功", "请回到页面，再提交一次。"}, {"It was not sent", "Please go back to the page and send it once more."}},
	http.StatusBadRequest:            {{"没有提交成功", "请回到页面，再提交一次。"}, {"It was not sent", "Please go back to the page and send it once more."}},
	http.StatusRequestEntityTooLarge: {{"内容太长", "请缩短后再提交。"}, {"That is too long", "Please shorten it and send it again."}},
	http.StatusTooManyRequests:       {{"提交太频繁", "请十分钟后再试。"}, {"Too many at once", "Please try again in ten minutes."}},
	http.StatusServiceUnavailable:    {{"请稍后再试", "现在人有些多，过一会儿再提交一次。"}, {"Please try again shortly", "It is busy just now."}},
	http.StatusInternalServerError:   {{"出了点问题", "请稍后再试一次。"}, {"Something went wrong", "Please try again shortly."}},
}

func (d *Design) lang() i18n.Lang {
	if i18n.Lang(d.Lang) == i18n.EN {
		return i18n.EN
	}
	return i18n.ZH
}

// in is a text in one of two languages, or in the other when it lacks that.
func in(t consent.Text, english bool) string {
	if english && t.EN != "" || t.ZH == "" {
		return t.EN
	}
	return t.ZH
}

// put writes values into the places of a text: {gift}.
func put(text, name, value string) string { return strings.ReplaceAll(text, "{"+name+"}", value) }

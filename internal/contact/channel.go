package contact

import (
	"net/url"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/koipond/koipond/internal/event"
)

// The channels that a contact can come from: the fixed ids of the default tree.
const (
	PaidSearch = "paid_search"
	FeedAds    = "feed_ads"
	Social     = "social"
	ShortVideo = "short_video"
	Media      = "media"
	Vertical   = "vertical"
	Ecommerce  = "ecommerce"
	Offline    = "offline"
	Partner    = "partner"
	Referral   = "referral"
	Organic    = "organic"
	Direct     = "direct"
	Unknown    = "unknown"
)

// Channels lists them in the order in which the console shows them.
func Channels() []string {
	return []string{PaidSearch, FeedAds, Social, ShortVideo, Media, Vertical, Ecommerce, Offline, Partner, Referral, Organic, Direct, Unknown}
}

// Touch is how a contact came: once, at a time.
type Touch struct {
	Channel  string
	Source   string
	Medium   string
	Campaign string
	At       int64 // UTC ms; 0: never
}

// ChannelOf tells the channel of one fact by the words that every company shares,
// "" when it says nothing of it.
func ChannelOf(f *event.Fact) string {
	t, _ := (*channelBook)(nil).touchOf(f, nil)
	return t.Channel
}

func word(v *fastjson.Value, key string) string {
	return clip(strings.TrimSpace(string(v.GetStringBytes(key))), 128)
}

// A medium that names the channel outright.
var mediums = map[string]string{
	"cpc": PaidSearch, "ppc": PaidSearch, "sem": PaidSearch, "paid_search": PaidSearch, "paidsearch": PaidSearch, "paid-search": PaidSearch,
	"feed": FeedAds, "feeds": FeedAds, "feed_ads": FeedAds, "infeed": FeedAds, "cpm": FeedAds, "ocpm": FeedAds, "display": FeedAds,
	"banner": FeedAds, "paid_social": FeedAds, "paidsocial": FeedAds, "信息流": FeedAds,
	"social": Social, "sns": Social, "moments": Social, "official_account": Social, "mini_program": Social,
	"video": ShortVideo, "short_video": ShortVideo, "shortvideo": ShortVideo, "live": ShortVideo, "livestream": ShortVideo, "短视频": ShortVideo,
	"media": Media, "news": Media, "pr": Media, "article": Media, "vertical": Vertical, "review": Vertical,
	"ecommerce": Ecommerce, "shop": Ecommerce, "marketplace": Ecommerce, "mall": Ecommerce,
	"offline": Offline, "store": Offline, "pos": Offline, "poster": Offline, "expo": Offline, "event": Offline, "print": Offline,
	"partner": Partner, "affiliate": Partner, "kol": Partner, "koc": Partner, "cps": Partner,
	"referral": Referral, "invite": Referral, "mgm": Referral, "member_get_member": Referral,
	"organic": Organic, "seo": Organic, "natural": Organic, "direct": Direct, "none": Direct, "(none)": Direct,
	"email": Direct, "edm": Direct, "sms": Direct, "push": Direct, "wecom": Direct,
}

// A source that names the channel when the medium does not. Compared with the
// source and with the registered part of a referrer's host.
var sources = map[string]string{
	"baidu": Organic, "google": Organic, "bing": Organic, "sogou": Organic, "so": Organic, "360": Organic, "shenma": Organic, "sm": Organic, "yahoo": Organic, "duckduckgo": Organic,
	"toutiao": FeedAds, "oceanengine": FeedAds, "gdt": FeedAds, "tencent_ads": FeedAds, "guangdiantong": FeedAds,
	"wechat": Social, "weixin": Social, "qq": Social, "weibo": Social, "xiaohongshu": Social, "red": Social, "xhs": Social, "zhihu": Social, "douban": Social, "tieba": Social,
	"facebook": Social, "instagram": Social, "twitter": Social, "x": Social, "linkedin": Social, "reddit": Social,
	"douyin": ShortVideo, "kuaishou": ShortVideo, "shipinhao": ShortVideo, "wechat_channels": ShortVideo, "bilibili": ShortVideo, "xigua": ShortVideo, "tiktok": ShortVideo, "youtube": ShortVideo,
	"sina": Media, "sohu": Media, "163": Media, "netease": Media, "36kr": Media, "huxiu": Media, "ifeng": Media,
	"dianping": Vertical, "meituan": Vertical, "ctrip": Vertical, "autohome": Vertical, "zol": Vertical, "smzdm": Vertical, "anjuke": Vertical, "mafengwo": Vertical,
	"taobao": Ecommerce, "tmall": Ecommerce, "jd": Ecommerce, "pinduoduo": Ecommerce, "pdd": Ecommerce, "amazon": Ecommerce, "youzan": Ecommerce, "weimob": Ecommerce, "vip": Ecommerce, "shopify": Ecommerce,
	"store": Offline, "pos": Offline, "offline": Offline, "qrcode": Offline, "poster": Offline,
	"direct": Direct, "(direct)": Direct, "email": Direct, "sms": Direct, "wecom": Direct, "referral": Referral, "invite": Referral, "friend": Referral,
	"kol": Partner, "koc": Partner, "partner": Partner,
}

func campaignChannel(source, medium string) string {
	if c, ok := mediums[medium]; ok {
		return c
	}
	if c, ok := sources[source]; ok {
		return c
	}
	if c, ok := sources[site(source)]; ok { // utm_source=m.baidu.com
		return c
	}
	return Unknown
}

// referrerChannel judges by the page that led here. A referrer on the same
// site says nothing; an empty one on a page view is a direct visit.
func referrerChannel(v *fastjson.Value) (channel, host string) {
	page := v.Get("page")
	ref := page.Get("referrer")
	if ref == nil {
		ref = v.Get("referrer", "url")
	}
	if ref == nil || ref.Type() != fastjson.TypeString {
		return "", ""
	}
	raw := string(ref.GetStringBytes())
	own := hostOf(string(page.GetStringBytes("url")))
	if raw == "" {
		if own == "" {
			return "", ""
		}
		return Direct, ""
	}
	host = hostOf(raw)
	if host == "" || site(host) == site(own) {
		return "", ""
	}
	if c, ok := sources[site(host)]; ok {
		return c, host
	}
	return Unknown, host
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// site is the telling label of a host: www.baidu.com and m.baidu.com.cn are baidu.
func site(host string) string {
	labels := strings.Split(host, ".")
	for i := len(labels) - 1; i > 0; i-- {
		switch labels[i] {
		case "com", "cn", "net", "org", "hk", "tw", "co", "uk", "jp", "io", "ru", "de", "fr", "gov", "edu":
			continue
		}
		return labels[i]
	}
	return labels[0]
}

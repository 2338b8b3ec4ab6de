package link

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Why an opening is a program's.
const (
	botHead     = "head"     // asked for the head alone
	botPrefetch = "prefetch" // a browser or a messenger looks ahead
	botAgent    = "agent"    // says what it is
	botBare     = "bare"     // lacks what every browser sends
	botNetwork  = "network"  // comes from a network that the company named
	botBurst    = "burst"    // opens more than a person can
	lost        = "lost"     // a person's, that could not be recorded
)

// agents are parts of what programs call themselves, in lower case: crawlers,
// previews of messengers, libraries, checkers of links. Browsers have none of them.
var agents = []string{"bot", "crawl", "spider", "slurp", "preview", "facebookexternalhit", "whatsapp", "telegram", "slack", "discord", "skypeuripreview", "embedly",
	"curl/", "wget", "python", "go-http-client", "java/", "okhttp", "axios", "node-fetch", "libwww", "httpclient", "http_client", "guzzle", "ruby", "perl", "scrapy",
	"headless", "phantomjs", "selenium", "puppeteer", "playwright", "lighthouse", "monitor", "uptime", "pingdom", "scan", "nmap", "masscan", "zgrab",
	"bytespider", "yisou", "petal", "dataprovider", "archive.org", "validator", "urlcheck", "safebrowsing", "googleother", "apis-google", "feedfetcher", "barkrowler"}

// botOf tells why a request is a program's, "" when it looks like a person's.
func botOf(r *http.Request) string {
	if r.Method == http.MethodHead {
		return botHead
	}
	for _, h := range []string{"Purpose", "Sec-Purpose", "X-Purpose", "X-Moz"} {
		v := strings.ToLower(r.Header.Get(h))
		if strings.Contains(v, "prefetch") || strings.Contains(v, "prerender") || strings.Contains(v, "preview") {
			return botPrefetch
		}
	}
	agent := strings.ToLower(r.UserAgent())
	for _, a := range agents {
		if strings.Contains(agent, a) {
			return botAgent
		}
	}
	// Every browser, in messengers too, says who it is and which languages its
	// owner reads; scripts that only borrow a name forget the latter.
	if !strings.HasPrefix(agent, "mozilla/") || r.Header.Get("Accept-Language") == "" {
		return botBare
	}
	return ""
}

// ProgramOf tells why a request is a program's by what it says of itself: "head",
// "prefetch", "agent" or "bare"; "" when it looks like a person's.
func ProgramOf(r *http.Request) string { return botOf(r) }

// Browser is what a browser's name tells of itself.
type Browser struct{ Device, App, System string }

// BrowserOf reads a browser's name.
func BrowserOf(agent string) Browser {
	l := look(agent)
	return Browser{l.device, l.app, l.system}
}

// networks are those that the company named.
type networks []netip.Prefix

func (n networks) hold(addr string) bool {
	if len(n) == 0 {
		return false
	}
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return false
	}
	a = a.Unmap()
	for _, p := range n {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// paceWindow is the stretch in which openings of one address and browser are
// counted; paceMost bounds how many of them are remembered.
const (
	paceWindow = time.Minute
	paceMost   = 100_000
)

// pace counts openings by address and browser. Many people share one address in
// mobile networks, but seldom one address, one browser to the version, and one minute.
type pace struct {
	mu    sync.Mutex
	from  time.Time
	count map[uint64]int
}

// over counts an opening and tells whether there are more than most in the window.
func (p *pace) over(who uint64, most int, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == nil || now.Sub(p.from) >= paceWindow || now.Before(p.from) {
		p.count, p.from = map[uint64]int{}, now
	}
	n, there := p.count[who]
	if !there && len(p.count) >= paceMost {
		return false // a flood of addresses: no room to tell them apart
	}
	p.count[who] = n + 1
	return n+1 > most
}

// seen is what a browser tells of itself.
type seen struct{ device, app, system string }

// look reads a browser's name. Order counts: programs name what they resemble too.
func look(agent string) seen {
	a := strings.ToLower(agent)
	pick := func(pairs ...string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if strings.Contains(a, pairs[i]) {
				return pairs[i+1]
			}
		}
		return "other"
	}
	s := seen{
		system: pick("openharmony", "harmony", "harmonyos", "harmony", "android", "android", "iphone", "ios", "ipad", "ios", "windows", "windows", "mac os", "macos", "cros", "chromeos", "linux", "linux"),
		app: pick("wxwork", "wecom", "micromessenger", "wechat", "alipayclient", "alipay", "dingtalk", "dingtalk", "feishu", "feishu", "lark/", "feishu", "aweme", "douyin", "bytedancewebview", "douyin",
			"xiaohongshu", "xiaohongshu", "xhsdiscover", "xiaohongshu", "weibo", "weibo", " qq/", "qq", "baiduboxapp", "baidu", "edg", "edge", "firefox", "firefox", "fxios", "firefox", "crios", "chrome", "chrome", "chrome", "safari", "safari"),
	}
	switch {
	case strings.Contains(a, "ipad"), strings.Contains(a, "tablet"), strings.Contains(a, "android") && !strings.Contains(a, "mobile"):
		s.device = "tablet"
	case strings.Contains(a, "mobile"), strings.Contains(a, "iphone"), strings.Contains(a, "android"), strings.Contains(a, "harmony"):
		s.device = "phone"
	case s.system == "other":
		s.device = "other"
	default:
		s.device = "desktop"
	}
	return s
}

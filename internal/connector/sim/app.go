package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector/wxcrypto"
	"github.com/koipond/koipond/internal/platform/errs"
)

// The sorts of apps of WeChat.
const (
	AppOfficial = "official"
	AppMini     = "mini"
)

// App is an official account or a mini-program.
type App struct {
	ID       string `json:"id"` // the appid
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Original string `json:"original"` // gh_…: whom customers write to
	Secret   string `json:"secret"`
	Verified bool   `json:"verified"` // else most of the API is closed to it
	// Shares: it belongs to an open platform account, and so tells unionids.
	Shares bool `json:"shares"`
	// TrustedIPs may call; none: all.
	TrustedIPs  []string `json:"trustedIPs,omitempty"`
	CallbackURL string   `json:"callbackURL,omitempty"`
	Token       string   `json:"token,omitempty"`
	AESKey      string   `json:"aesKey,omitempty"`
	Plain       bool     `json:"plain,omitempty"`   // called back without encryption
	Backend     string   `json:"backend,omitempty"` // where a mini-program logs its users in

	Open      map[string]string    `json:"open"` // openid → person
	Fans      map[string]*Fan      `json:"fans"` // by openid
	Menu      []MenuButton         `json:"menu,omitempty"`
	Scenes    map[string]*Scene    `json:"scenes"` // by ticket
	Lasting   int                  `json:"lasting"`
	MiniCodes map[string]*MiniCode `json:"miniCodes,omitempty"` // by id
	Templates []*AppTemplate       `json:"templates"`
	Masses    []*AppMass           `json:"masses,omitempty"`
	Media     map[string]*Media    `json:"media"`
	Calls     map[string]int       `json:"calls,omitempty"` // of the day
	Day       string               `json:"day,omitempty"`
	Cleared   int                  `json:"cleared,omitempty"` // of the month
	Month     string               `json:"month,omitempty"`
	Forced    []time.Time          `json:"forced,omitempty"`
	Mini      []string             `json:"mini,omitempty"` // appids that are linked with it
	ids       map[string]string    // person → openid
	seals     map[string]*wxcrypto.Cipher
	codes     map[string]*appCode // of signing in
}

// Fan is what a person and an app are to each other.
type Fan struct {
	Follows bool      `json:"follows,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	From    string    `json:"from,omitempty"`
	Scene   string    `json:"scene,omitempty"`
	Word    time.Time `json:"word,omitzero"` // the last one they wrote
	Sent    int       `json:"sent,omitempty"`
	Act     time.Time `json:"act,omitzero"` // when they last followed, scanned or clicked
	ActSent int       `json:"actSent,omitempty"`
	// Mutes: they want no template messages.
	Mutes     bool           `json:"mutes,omitempty"`
	Yes       map[string]int `json:"yes,omitempty"` // messages they agreed to, by template
	MassMonth string         `json:"massMonth,omitempty"`
	MassCount int            `json:"massCount,omitempty"`
	Logged    bool           `json:"logged,omitempty"` // in to the mini-program, and the connector knows
	Session   string         `json:"session,omitempty"`
	Phone     bool           `json:"phone,omitempty"` // they gave their number
}

// MenuButton is one of a menu.
type MenuButton struct {
	Name    string       `json:"name"`
	Type    string       `json:"type,omitempty"`
	Key     string       `json:"key,omitempty"`
	URL     string       `json:"url,omitempty"`
	AppID   string       `json:"appid,omitempty"`
	Page    string       `json:"pagepath,omitempty"`
	Media   string       `json:"media_id,omitempty"`
	Article string       `json:"article_id,omitempty"`
	Sub     []MenuButton `json:"sub_button"`
}

// Scene is a code with a text in it.
type Scene struct {
	Ticket  string    `json:"ticket"`
	Scene   string    `json:"scene"`
	Lasting bool      `json:"lasting,omitempty"`
	Until   time.Time `json:"until,omitzero"`
	Created time.Time `json:"created"`
	Scans   int       `json:"scans"`
}

func (s *Scene) over(now time.Time) bool { return !s.Lasting && !now.Before(s.Until) }

// AppTemplate is a template of messages.
type AppTemplate struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Content   string `json:"content"` // 商品 {{thing1.DATA}}
	Example   string `json:"example"`
	Subscribe bool   `json:"subscribe,omitempty"` // needs a yes
}

// names are the parameters that its text wants.
func (t *AppTemplate) names() []string {
	var out []string
	for _, part := range strings.Split(t.Content, "{{")[1:] {
		if name, _, ok := strings.Cut(part, ".DATA}}"); ok {
			out = append(out, name)
		}
	}
	return out
}

// AppMass is a mass message.
type AppMass struct {
	ID     string    `json:"id"`
	Key    string    `json:"key"`
	At     time.Time `json:"at"`
	Text   string    `json:"text"`
	Total  int       `json:"total"`
	Passed int       `json:"passed"`
}

// appCode is what somebody signs in with: of wx.login, a page, or the phone button.
type appCode struct {
	sort   string // js, page, phone
	openid string
	scope  string
	at     time.Time
	used   bool
}

func (a *App) index() {
	fill(&a.Open)
	fill(&a.Fans)
	fill(&a.Scenes)
	fill(&a.MiniCodes)
	fill(&a.Media)
	fill(&a.Calls)
	a.ids, a.seals, a.codes = map[string]string{}, map[string]*wxcrypto.Cipher{}, map[string]*appCode{}
	for open, person := range a.Open {
		a.ids[person] = open
	}
}

// seedApps gives a world its official account and its mini-program. A world of an
// older file gets them, too.
func (w *World) seedApps() {
	if len(w.Apps) > 0 {
		return
	}
	make1 := func(kind, name string, templates ...*AppTemplate) *App {
		a := &App{ID: "wx" + strings.ToLower(w.derive(16, "app", kind)), Kind: kind, Name: name, Original: "gh_" + strings.ToLower(w.derive(12, "original", kind)),
			Secret: strings.ToLower(w.derive(32, "secret", kind)), Verified: true, Shares: true, Token: w.derive(24, "token", kind), AESKey: w.derive(43, "key", kind)}
		for i, t := range templates {
			t.ID = w.derive(43, "template", kind, string(rune('a'+i)))
			a.Templates = append(a.Templates, t)
		}
		a.index()
		w.Apps = append(w.Apps, a)
		return a
	}
	official := make1(AppOfficial, seedCorpName,
		&AppTemplate{Title: "订单发货通知", Content: "订单号：{{character_string1.DATA}}\n商品：{{thing2.DATA}}\n快递：{{thing3.DATA}}", Example: "订单号：20260302001\n商品：明前龙井 100g\n快递：顺丰 SF100200"},
		&AppTemplate{Title: "预约成功通知", Content: "门店：{{thing1.DATA}}\n时间：{{time2.DATA}}", Example: "门店：杭州湖滨店\n时间：2026年3月8日 14:00"},
		&AppTemplate{Title: "上新提醒", Content: "茶品：{{thing1.DATA}}\n说明：{{thing2.DATA}}", Example: "茶品：桂花乌龙\n说明：今日上架", Subscribe: true})
	mini := make1(AppMini, seedCorpName+"商城",
		&AppTemplate{Title: "到货提醒", Content: "商品：{{thing1.DATA}}\n说明：{{thing2.DATA}}", Example: "商品：白毫银针\n说明：您关注的茶到货了", Subscribe: true},
		&AppTemplate{Title: "发货提醒", Content: "订单号：{{character_string1.DATA}}\n快递：{{thing2.DATA}}", Example: "订单号：20260302001\n快递：顺丰", Subscribe: true})
	official.Mini = []string{mini.ID}
}

func (w *World) app(id string) *App {
	for _, a := range w.Apps {
		if a.ID == id || a.Original == id {
			return a
		}
	}
	return nil
}

// findApp looks an app up by id or name; "" is the first of the kind.
func (w *World) findApp(who, kind string) (*App, error) {
	for _, a := range w.Apps {
		if (kind == "" || a.Kind == kind) && (who == "" || a.ID == who || a.Original == who || a.Name == who) {
			return a, nil
		}
	}
	return nil, errs.New(errs.NotFound, "sim.app_not_found", "name", short(who, 60))
}

// openID is the person's name in an app; every app has its own for them.
func (w *World) openID(a *App, p *Person) string {
	if id, ok := a.ids[p.ID]; ok {
		return id
	}
	id := "o" + w.derive(27, "open", a.ID, p.ID)
	a.ids[p.ID], a.Open[id] = id, p.ID
	return id
}

// fan is what a person and an app are to each other; it is made when they meet.
func (a *App) fan(openid string) *Fan {
	f := a.Fans[openid]
	if f == nil {
		f = &Fan{}
		a.Fans[openid] = f
	}
	return f
}

func (a *App) follows(openid string) bool { return a.Fans[openid] != nil && a.Fans[openid].Follows }

func (a *App) followers() []string {
	var out []string
	for id, f := range a.Fans {
		if f.Follows {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(x, y string) int {
		if d := a.Fans[x].Since.Compare(a.Fans[y].Since); d != 0 {
			return d
		}
		return strings.Compare(x, y)
	})
	return out
}

func (a *App) template(id string) *AppTemplate {
	for _, t := range a.Templates {
		if t.ID == id || t.Title == id {
			return t
		}
	}
	return nil
}

// wechatDay is the day that calls are counted by.
func wechatDay(now time.Time) string { return now.In(cst).Format("2006-01-02") }

var cst = time.FixedZone("UTC+8", 8*3600)

// turn begins a new day, and a new month.
func (a *App) turn(now time.Time) {
	if d := wechatDay(now); d != a.Day {
		a.Day, a.Calls = d, map[string]int{}
	}
	if m := wechatDay(now)[:7]; m != a.Month {
		a.Month, a.Cleared = m, 0
	}
}

// forget drops what is over: codes that ended long ago, uploads, sign-ins.
func (a *App) forget(now time.Time, l WeChatLimits) {
	for t, s := range a.Scenes {
		if s.over(now) && now.Sub(s.Until) > 24*time.Hour {
			delete(a.Scenes, t)
		}
	}
	for id, m := range a.Media {
		if !m.Lasting && now.Sub(m.Created) > seconds(l.MediaSeconds) {
			delete(a.Media, id)
		}
	}
	for code, c := range a.codes {
		if now.Sub(c.at) > 4*seconds(l.CodeSeconds) {
			delete(a.codes, code)
		}
	}
}

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/acquire/link"
	"github.com/koipond/koipond/internal/acquire/page"
)

// stageTraffic is the part of the demo that is made once the pond is full: landing
// pages with a few who left their number, and a burst that waits for a judgement.
const stageTraffic = "traffic"

// demoSheet finds the sheet that a page hands out.
var demoSheet = regexp.MustCompile(`name="sheet" value="([^"]+)"`)

// demoPages are landing pages of the made-up brand.
var demoPages = []page.Input{
	{Settings: page.Settings{Title: "春茶试饮装免费领", Slug: "spring-tea", Channel: "offline", Campaign: "spring-tea"}, Design: page.Design{Lang: "zh-CN", Color: "#2f6b4f", Blocks: []page.Block{
		{Kind: page.Headline, Text: "明前龙井，先尝后买"},
		{Kind: page.Text, Text: "留下手机号，到任意一家门店领取三款春茶小样。\n每人一份，领完为止。"},
		{Kind: page.Form, Button: "免费领取", Fields: []page.Field{{Key: "phone", Required: true}, {Key: "name"}, {Key: "city"}}, Consents: []page.AskConsent{{Purpose: "marketing", Channels: []string{"sms"}}}}},
		Thanks: page.Thanks{Title: "领取成功", Text: "三天内到店有效。", Gift: &page.Gift{Name: "新客品鉴券", Text: "到店出示这一页，领取三款春茶小样。"}}}},
	{Settings: page.Settings{Title: "茶艺课预约", Slug: "tea-class", Channel: "social", Campaign: "tea-class"}, Design: page.Design{Lang: "zh-CN", Color: "#7a4b2a", Blocks: []page.Block{
		{Kind: page.Headline, Text: "周末茶艺课，学会泡一壶好茶"},
		{Kind: page.Text, Text: "每周六下午，湖滨店二楼，十个座位。"},
		{Kind: page.Form, Button: "我要预约", Fields: []page.Field{{Key: "phone", Required: true}, {Key: "name", Required: true}, {Key: "birthday"}}, Consents: []page.AskConsent{{Purpose: "marketing"}}}},
		Thanks: page.Thanks{Title: "已收到预约", Text: "开课前一天会给您打电话确认。"}}},
}

// passer is somebody made up who opens pages, with a browser of their own.
type passer struct {
	client *http.Client
	base   string
	agent  string
}

func (p passer) ask(ctx context.Context, method, path string, form url.Values) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("User-Agent", p.agent)
	req.Header.Set("Accept-Language", "zh-CN")
	res, err := p.client.Do(req)
	if err != nil {
		return 0, "", fmt.Errorf("open %s: %w", path, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return res.StatusCode, string(raw), err
}

// traffic makes the demo's landing pages and lets people come, through the public
// doors. It runs beside a pond that is full already.
func (d *demoPond) traffic(ctx context.Context, a *App, base string) error {
	p := demoProgress{d: d, state: a.state, log: a.log}
	if done, err := p.Done(ctx, stageTraffic); err != nil || done {
		return err
	}
	have, err := a.pages.List(ctx, "", "")
	if err != nil {
		return err
	}
	for _, in := range demoPages {
		made := false // before a crash
		for _, x := range have {
			made = made || x.Slug == in.Slug
		}
		if made {
			continue
		}
		x, err := a.pages.Create(ctx, in)
		if err == nil {
			_, err = a.pages.Publish(ctx, x.ID)
		}
		if err != nil {
			return fmt.Errorf("make the landing page %s: %w", in.Slug, err)
		}
	}
	if err := d.visit(ctx, base); err != nil {
		return err
	}
	if err := d.burst(ctx, a, base); err != nil {
		return err
	}
	if err := a.settle(ctx); err != nil {
		return err
	}
	if _, err := a.quality.Look(ctx); err != nil {
		return err
	}
	return p.Mark(ctx, stageTraffic)
}

func newPasser(base string, n int) passer {
	return passer{base: base, agent: fmt.Sprintf("Mozilla/5.0 (iPhone; CPU iPhone OS 17_%d like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.%d", n%6, n),
		client: &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// visit opens the pages as two dozen people would, of whom every third writes
// something down: no sooner than people can.
func (d *demoPond) visit(ctx context.Context, base string) error {
	type written struct {
		passer
		path string
		form url.Values
	}
	var forms []written
	from := []string{"", "?utm_source=xiaohongshu&utm_medium=social&utm_campaign=spring", "?utm_source=douyin&utm_medium=video", ""}
	names := []string{"程一诺", "苏晚晴", "顾南乔", "沈知行", "陆星野", "宋时雨", "叶清和", "江予安"}
	for n := range 24 {
		who := newPasser(base, n)
		slug := demoPages[n/2%2].Slug
		path := page.Path + slug + from[n%len(from)]
		status, body, err := who.ask(ctx, http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		sheet := demoSheet.FindStringSubmatch(body)
		if status != http.StatusOK || sheet == nil {
			return fmt.Errorf("open the landing page %s: %d", slug, status)
		}
		if n%3 == 0 {
			f := url.Values{"sheet": {sheet[1]}, "f.phone": {fmt.Sprintf("199%08d", 1_000_000+n)}, "f.name": {names[n/3]}}
			if n%2 == 0 {
				f.Set("c", "marketing/1")
			}
			forms = append(forms, written{who, path, f})
		}
	}
	select { // nobody writes a form in a second, and the server knows
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(2 * time.Second):
	}
	for _, f := range forms {
		status, _, err := f.ask(ctx, http.MethodPost, f.path, f.form)
		if err != nil {
			return err
		}
		if status != http.StatusSeeOther {
			return fmt.Errorf("send the form of %s: %d", f.path, status)
		}
	}
	return nil
}

// burst opens a link far more often than people do: forty-eight browsers, all of
// one network, at once.
func (d *demoPond) burst(ctx context.Context, a *App, base string) error {
	made, err := a.links.Create(ctx, link.Input{Title: "达人直播间口播", Target: page.Path + demoPages[0].Slug, Channel: "short_video", Source: "kol", Campaign: "live-0618"})
	if err != nil {
		return err
	}
	var all error
	for n := range 48 {
		status, _, err := newPasser(base, 100+n).ask(ctx, http.MethodGet, made[0].Path, nil)
		if err == nil && status != http.StatusFound {
			err = fmt.Errorf("open link: %d", status)
		}
		all = errors.Join(all, err)
	}
	if all != nil {
		return all
	}
	for until := time.Now().Add(time.Minute); ; { // openings reach the facts behind the answer
		st, err := a.links.Stats(ctx, made[0].Code, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		if err != nil || st.Opens >= 48 {
			return err
		}
		if time.Now().After(until) {
			return errors.New("the openings did not arrive")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

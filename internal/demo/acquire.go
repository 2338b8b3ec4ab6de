package demo

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// spending is what the brand pays for a channel on a day, in cents, about.
var spending = []struct {
	channel string
	cents   int
	weekend float64 // by how much more on a Saturday or Sunday
}{
	{"paid_search", 86_000, .8}, {"feed_ads", 145_000, 1.2}, {"social", 52_000, 1.1}, {"short_video", 118_000, 1.35}, {"vertical", 24_000, .9},
	{"ecommerce", 67_000, 1.1}, {"offline", 38_000, 1.6}, {"partner", 30_000, 1},
}

// costDays is for how many days the demo knows what channels cost.
const costDays = 90

// links are short links that went out, and about how many opened them just now.
var links = []struct {
	title, target, channel, campaign string
	opens                            int
}{
	{"朋友圈：明前龙井开售", "https://www.example.com/products/mingqian", "social", "mingqian", 26},
	{"短视频：冷泡茶教程", "https://www.example.com/articles/cold-brew", "short_video", "cold-brew", 18},
	{"门店海报：新客小样", "https://www.example.com/gifts/sample", "offline", "sample", 9},
}

// agents are browsers that open them.
var agents = []string{
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.49",
	"Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 MicroMessenger/8.0.50",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
	"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1",
}

// acquire tells what channels cost, and opens a few links as customers would: some
// of them known, the rest strangers, and a program that counts nowhere.
func (f *filler) acquire(ctx context.Context) error {
	r := stream(f.o.Seed, 40, 0)
	today := f.o.End.In(f.o.Zone)
	var cells []map[string]any
	for d := range costDays {
		day := today.AddDate(0, 0, -d)
		for _, s := range spending {
			amount := float64(s.cents) * (.8 + .4*r.Float64())
			if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
				amount *= s.weekend
			}
			cells = append(cells, map[string]any{"channel": s.channel, "day": day.Format(time.DateOnly), "amount": int(amount) / 100 * 100})
		}
	}
	if _, err := f.call(ctx, http.MethodPut, "/api/channel-costs", map[string]any{"currency": "CNY", "cells": cells}, nil); err != nil {
		return err
	}
	var people struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	if _, err := f.call(ctx, http.MethodGet, "/api/contacts?limit=12", nil, &people); err != nil {
		return err
	}
	for i, l := range links {
		var made struct {
			Code string `json:"code"`
			Path string `json:"path"`
		}
		body := map[string]any{"title": l.title, "target": l.target, "channel": l.channel, "source": "wechat", "medium": "post", "campaign": l.campaign}
		if _, err := f.callAs(ctx, caller{key: fmt.Sprint("demo-link-", i)}, http.MethodPost, "/api/links", body, &made); err != nil {
			return err
		}
		for n := range l.opens {
			path := made.Path
			if n%4 == 0 && len(people.Items) > 0 {
				var one struct {
					Path string `json:"path"`
				}
				who := people.Items[(n/4+i*3)%len(people.Items)].ID
				if _, err := f.call(ctx, http.MethodGet, "/api/links/"+made.Code+"/person?contact="+who, nil, &one); err != nil {
					return err
				}
				path = one.Path
			}
			agent := agents[r.IntN(len(agents))]
			if n%9 == 8 {
				agent = "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"
			}
			// Each is a browser of its own, or one address would look like a program.
			if err := f.openLink(ctx, path, strings.Replace(agent, "AppleWebKit/", fmt.Sprintf("Build/%d.%d AppleWebKit/", i, n), 1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// openLink opens an address as a browser, and does not follow where it leads.
func (f *filler) openLink(ctx context.Context, path, agent string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.to.URL+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", agent)
	req.Header.Set("Accept-Language", "zh-CN")
	res, err := (&http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		return fmt.Errorf("open link: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusFound {
		return fmt.Errorf("open link %s: %s", path, res.Status)
	}
	return nil
}

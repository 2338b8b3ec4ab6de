package wechat

import (
	"context"
	"strings"
)

// URLLink is an address that opens the mini-program from anywhere: a short message, a
// mail, another app.
type URLLink struct {
	Page  string // "pages/index"; "": the first one
	Query string // "a=1&b=2"
	Days  int    // how long it works: 1 to 30
}

// CreateURLLink makes one. The platform has no way to list or delete them.
func (p *Mini) CreateURLLink(ctx context.Context, l URLLink) (string, error) {
	var k checker
	k.text("page", "link.page", l.Page)
	k.text("query", "link.query", l.Query)
	if strings.HasPrefix(l.Page, "/") || strings.Contains(l.Page, "?") {
		k.Fault("page", "wechat.no_page")
	}
	k.Need("days", l.Days >= 1)
	k.count("days", "link.days", l.Days)
	if err := k.Err(); err != nil {
		return "", err
	}
	var out struct {
		Link string `json:"url_link"`
	}
	err := p.do(ctx, request{api: "wxa/generate_urllink", body: map[string]any{"path": l.Page, "query": l.Query, "expire_type": 1, "expire_interval": l.Days}, quota: "urllink", reads: true}, &out)
	return out.Link, err
}

package wechat

import (
	"context"
	"net/http"
	"strings"
)

// The versions of a mini-program that a code opens.
const (
	EnvRelease = "release" // what everybody has
	EnvTrial   = "trial"   // for those who test it
	EnvDevelop = "develop" // for those who write it
)

// MiniCode is a code that opens a page of the mini-program, with a text of ours in it.
type MiniCode struct {
	Scene string // 32 visible characters at most: see SceneSigns
	Page  string // "pages/index/index"; "": the first one
	Env   string // "": EnvRelease
	// Check has the platform refuse a page that the released mini-program does not have.
	Check bool
	Width int // of the picture in pixels, 280 to 1280
}

// SceneSigns are what a scene may be written with beside digits and Latin letters.
const SceneSigns = "!#$&'()*+,/:;=?@-._~"

// IsScene tells whether the platform takes a text as the scene of a mini-program's code.
func IsScene(s string) bool {
	if s == "" || len(s) > limits.Of("mini.scene").Most {
		return false
	}
	for _, r := range s {
		if !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune(SceneSigns, r)) {
			return false
		}
	}
	return true
}

// IsPage tells whether a text can be a page's path: none begins with a slash, and what
// follows a question mark belongs into the scene.
func IsPage(s string) bool { return !strings.HasPrefix(s, "/") && !strings.ContainsAny(s, "?# \t\r\n") }

// Picture is an image that the platform drew.
type Picture struct {
	Mime string
	Data []byte
}

// take keeps an answer that is an image; false when it is none.
func (p *Picture) take(raw []byte) bool {
	switch mime := http.DetectContentType(raw); mime {
	case "image/png", "image/jpeg":
		p.Mime, p.Data = mime, raw
		return true
	}
	return false
}

// CreateMiniCode has a mini-program's code drawn. There may be any number of them, but
// only so many a minute; the same text and page give the same code. The platform keeps
// no list: keep the picture.
func (p *Mini) CreateMiniCode(ctx context.Context, c MiniCode) (Picture, error) {
	var k checker
	k.Need("scene", c.Scene != "")
	if c.Scene != "" && !IsScene(c.Scene) {
		k.Fault("scene", "wechat.bad_scene_text")
	}
	k.text("page", "mini.page", c.Page)
	if !IsPage(c.Page) {
		k.Fault("page", "wechat.no_page")
	}
	if c.Env == "" {
		c.Env = EnvRelease
	}
	if c.Env != EnvRelease && c.Env != EnvTrial && c.Env != EnvDevelop {
		k.Fault("env", "wechat.bad_env")
	}
	k.count("width", "mini.width", c.Width)
	if err := k.Err(); err != nil {
		return Picture{}, err
	}
	in := map[string]any{"scene": c.Scene, "check_path": c.Check, "env_version": c.Env}
	if c.Page != "" {
		in["page"] = c.Page
	}
	if c.Width > 0 {
		in["width"] = c.Width
	}
	var out Picture
	err := p.do(ctx, request{api: "wxa/getwxacodeunlimit", body: in, quota: "wxacode", reads: true, minutely: true}, &out)
	return out, err
}

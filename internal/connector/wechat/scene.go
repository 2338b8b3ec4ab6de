package wechat

import (
	"context"
	"net/url"
	"time"
)

// SceneCode is a code with a text of ours in it: who scans it is called back with
// that text, as "subscribe" when they were no follower yet, else as "SCAN".
type SceneCode struct {
	Scene string
	// Lasting codes work for ever, and an account has 100,000 of them for good. The
	// others end after For, 30 days at most.
	Lasting bool
	For     time.Duration
}

// MadeCode is a code that was made.
type MadeCode struct {
	Ticket  string
	URL     string    // what the code says: to draw it ourselves
	Picture string    // where the platform's own picture of it lies
	Until   time.Time // zero: it lasts
}

// CreateSceneCode makes a code. The platform has no way to list or delete them: keep
// what it gives.
func (o *Official) CreateSceneCode(ctx context.Context, s SceneCode) (MadeCode, error) {
	var k checker
	k.Need("scene", s.Scene != "")
	k.text("scene", "scene", s.Scene)
	if !s.Lasting {
		k.Need("for", s.For >= time.Minute)
		k.count("for", "scene.seconds", int(s.For/time.Second))
	}
	if err := k.Err(); err != nil {
		return MadeCode{}, err
	}
	in := map[string]any{"action_name": "QR_LIMIT_STR_SCENE", "action_info": map[string]any{"scene": map[string]string{"scene_str": s.Scene}}}
	if !s.Lasting {
		in["action_name"], in["expire_seconds"] = "QR_STR_SCENE", int(s.For/time.Second)
	}
	now := o.env.Clock.Now()
	var out struct {
		Ticket string `json:"ticket"`
		Life   int    `json:"expire_seconds"`
		URL    string `json:"url"`
	}
	if err := o.do(ctx, request{api: "cgi-bin/qrcode/create", body: in, quota: "qrcode", reads: true}, &out); err != nil {
		return MadeCode{}, err
	}
	made := MadeCode{Ticket: out.Ticket, URL: out.URL, Picture: o.pictures() + "/cgi-bin/showqrcode?ticket=" + url.QueryEscape(out.Ticket)}
	if !s.Lasting {
		made.Until = now.Add(time.Duration(out.Life) * time.Second)
	}
	return made, nil
}

// pictures is the address at which codes are shown: another one than that of calls,
// unless there is a base of the account's own.
func (c *client) pictures() string {
	if c.base == platform {
		return "https://mp.weixin.qq.com"
	}
	return c.base
}

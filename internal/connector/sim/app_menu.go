package sim

import (
	"slices"
	"time"
)

// pressed are the buttons that call back with their key.
var pressed = []string{"click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select"}

// badMenu are the codes of what is wrong with a button: type, name, key, address.
type badMenu struct{ sort, name, key, url int }

func (b MenuButton) check(a *App, l WeChatLimits, nameBytes int, bad badMenu) error {
	switch {
	case b.Name == "" || len(b.Name) > nameBytes:
		return no(bad.name)
	case slices.Contains(pressed, b.Type):
		if b.Key == "" || len(b.Key) > l.MenuKeyBytes {
			return no(bad.key)
		}
	case b.Type == "view" || b.Type == "miniprogram":
		if b.URL == "" || len(b.URL) > l.URLBytes {
			return no(bad.url)
		}
		if checkURL(b.URL) != nil {
			return no(40055)
		}
		if b.Type == "miniprogram" {
			if !slices.Contains(a.Mini, b.AppID) {
				return no(40166)
			}
			if b.Page == "" {
				return no(40165)
			}
		}
	case b.Type == "media_id" || b.Type == "article_id" || b.Type == "article_view_limited":
		if b.Media == "" && b.Article == "" {
			return no(40007)
		}
	default:
		return no(bad.sort)
	}
	return nil
}

func menuCreate(c *appCall) (answer, error) {
	var in struct {
		Buttons []MenuButton `json:"button"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	l := c.s.limits.WeChat
	if len(in.Buttons) == 0 || len(in.Buttons) > l.MenuButtons {
		return nil, no(40016)
	}
	for _, b := range in.Buttons {
		if len(b.Sub) == 0 {
			if err := b.check(c.app, l, l.MenuNameBytes, badMenu{40015, 40018, 40019, 40020}); err != nil {
				return nil, err
			}
			continue
		}
		if b.Name == "" || len(b.Name) > l.MenuNameBytes {
			return nil, no(40018)
		}
		if len(b.Sub) > l.MenuSub {
			return nil, no(40023)
		}
		for _, s := range b.Sub {
			if len(s.Sub) > 0 {
				return nil, no(40024)
			}
			if err := s.check(c.app, l, l.MenuSubNameBytes, badMenu{40024, 40025, 40026, 40027}); err != nil {
				return nil, err
			}
		}
	}
	c.app.Menu = in.Buttons
	return nil, nil
}

func menuGet(c *appCall) (answer, error) {
	if c.app.Menu == nil {
		return nil, no(46003)
	}
	return answer{"menu": answer{"button": c.app.Menu}}, nil
}

func menuDelete(c *appCall) (answer, error) {
	c.app.Menu = nil
	return nil, nil
}

// sceneCreate makes a code with a text, or a number, in it.
func sceneCreate(c *appCall) (answer, error) {
	var in struct {
		Action string `json:"action_name"`
		Life   int    `json:"expire_seconds"`
		Info   struct {
			Scene struct {
				Text string `json:"scene_str"`
				ID   int    `json:"scene_id"`
			} `json:"scene"`
		} `json:"action_info"`
	}
	if err := c.in(&in); err != nil {
		return nil, err
	}
	l := c.s.limits.WeChat
	s := &Scene{Scene: in.Info.Scene.Text, Created: c.now}
	switch in.Action {
	case "QR_STR_SCENE", "QR_LIMIT_STR_SCENE":
		s.Lasting = in.Action == "QR_LIMIT_STR_SCENE"
		if s.Scene == "" || runes(s.Scene) > l.SceneRunes {
			return nil, no(40053)
		}
	default: // codes with numbers: nobody here makes any
		return nil, no(40053)
	}
	if s.Lasting {
		for _, old := range c.app.Scenes { // the same text gives the same code
			if old.Lasting && old.Scene == s.Scene {
				return answer{"ticket": old.Ticket, "url": c.base + "/sim/c/" + old.Ticket}, nil
			}
		}
		if c.app.Lasting >= l.LastingScenes {
			return nil, no(45029)
		}
		c.app.Lasting++
	} else {
		if in.Life <= 0 {
			in.Life = l.SceneDefaultSeconds
		}
		if in.Life > l.SceneSeconds {
			return nil, no(40035)
		}
		s.Until = c.now.Add(time.Duration(in.Life) * time.Second)
	}
	s.Ticket = "gQ" + c.w.next("", 62)
	c.app.Scenes[s.Ticket] = s
	out := answer{"ticket": s.Ticket, "url": c.base + "/sim/c/" + s.Ticket}
	if !s.Lasting {
		out["expire_seconds"] = in.Life
	}
	return out, nil
}

package wechat

import (
	"context"
	"slices"
)

// What a button of the menu does.
const (
	ButtonClick     = "click"       // calls back CLICK with the key
	ButtonView      = "view"        // opens an address; calls back VIEW
	ButtonMini      = "miniprogram" // opens a mini-program
	ButtonScan      = "scancode_push"
	ButtonScanWait  = "scancode_waitmsg"
	ButtonPhoto     = "pic_sysphoto"
	ButtonPhotos    = "pic_photo_or_album"
	ButtonAlbum     = "pic_weixin"
	ButtonLocation  = "location_select"
	ButtonMedia     = "media_id"
	ButtonArticle   = "article_id"
	ButtonArticleAt = "article_view_limited"
)

// keyed are the buttons that call back with their key.
var keyed = []string{ButtonClick, ButtonScan, ButtonScanWait, ButtonPhoto, ButtonPhotos, ButtonAlbum, ButtonLocation}

// Button is one of a menu: it does something, or opens the buttons below it.
type Button struct {
	Name    string   `json:"name"`
	Type    string   `json:"type,omitempty"`
	Key     string   `json:"key,omitempty"`
	URL     string   `json:"url,omitempty"` // of a mini-program: what old phones open instead
	AppID   string   `json:"appid,omitempty"`
	Page    string   `json:"pagepath,omitempty"`
	Media   string   `json:"media_id,omitempty"`
	Article string   `json:"article_id,omitempty"`
	Sub     []Button `json:"sub_button,omitempty"`
}

// Menu is what stands at the bottom of an official account.
type Menu struct {
	Buttons []Button `json:"button"`
}

// Check tells what the platform would not take, by the path of the field.
func (m Menu) Check() error {
	var k checker
	k.Need("buttons", len(m.Buttons) > 0)
	k.count("buttons", "menu.buttons", len(m.Buttons))
	for i, b := range m.Buttons {
		path := at("buttons", i)
		if len(b.Sub) == 0 {
			b.check(&k, path+".", "menu.name")
			continue
		}
		k.Need(path+".name", b.Name != "")
		k.text(path+".name", "menu.name", b.Name)
		k.count(path+".sub", "menu.sub", len(b.Sub))
		for j, s := range b.Sub {
			below := path + "." + at("sub", j) + "."
			s.check(&k, below, "menu.sub_name")
			if len(s.Sub) > 0 {
				k.Fault(below+"sub", "wechat.menu_too_deep")
			}
		}
	}
	return k.Err()
}

func (b Button) check(k *checker, path, name string) {
	k.Need(path+"name", b.Name != "")
	k.text(path+"name", name, b.Name)
	switch {
	case slices.Contains(keyed, b.Type):
		k.Need(path+"key", b.Key != "")
		k.text(path+"key", "menu.key", b.Key)
	case b.Type == ButtonView:
		k.url(path+"url", b.URL)
	case b.Type == ButtonMini:
		k.Need(path+"appId", b.AppID != "")
		k.Need(path+"page", b.Page != "")
		k.url(path+"url", b.URL)
	case b.Type == ButtonMedia:
		k.Need(path+"media", b.Media != "")
	case b.Type == ButtonArticle || b.Type == ButtonArticleAt:
		k.Need(path+"article", b.Article != "")
	default:
		k.Fault(path+"type", "wechat.no_such_button")
	}
}

// CreateMenu puts a menu in the place of the one there was. Followers see it when
// they open the account anew, within five minutes or so.
func (o *Official) CreateMenu(ctx context.Context, m Menu) error {
	if err := m.Check(); err != nil {
		return err
	}
	return o.do(ctx, request{api: "cgi-bin/menu/create", body: m, quota: "menu"}, nil)
}

// GetMenu gives the menu; have is false when there is none that was made through
// the API.
func (o *Official) GetMenu(ctx context.Context) (m Menu, have bool, err error) {
	var out struct {
		Menu Menu `json:"menu"`
	}
	err = o.do(ctx, request{api: "cgi-bin/menu/get", reads: true}, &out)
	if CodeOf(err) == 46003 {
		return Menu{}, false, nil
	}
	return out.Menu, err == nil, err
}

// DeleteMenu takes the menu away.
func (o *Official) DeleteMenu(ctx context.Context) error {
	return o.do(ctx, request{api: "cgi-bin/menu/delete"}, nil)
}

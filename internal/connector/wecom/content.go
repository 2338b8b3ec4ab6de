package wecom

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/koipond/koipond/internal/connector/wxcall"
)

// The forms of an attachment.
const (
	Image       = "image"
	Link        = "link"
	MiniProgram = "miniprogram"
	Video       = "video"
	File        = "file"
)

// Content is what a welcome, a mass message or a welcome of a group says: a text,
// attachments, or both.
type Content struct {
	Text  string
	Parts []Part
}

// Part is an attachment.
type Part struct {
	Form    string
	Media   string // id of an upload: image, video, file, and the picture of a mini-program
	Picture string // address: of an image, or beside a link
	Title   string // link, mini-program
	Desc    string // link
	URL     string // link
	AppID   string // mini-program
	Page    string // mini-program
}

// MarshalJSON writes a part in the platform's own nested form.
func (p Part) MarshalJSON() ([]byte, error) {
	return wxcall.Encode(map[string]any{"msgtype": p.Form, p.Form: p.body()})
}

func (p Part) body() map[string]string {
	b := map[string]string{}
	set := func(k, v string) {
		if v != "" {
			b[k] = v
		}
	}
	switch p.Form {
	case Image:
		set("media_id", p.Media)
		set("pic_url", p.Picture)
	case Link:
		set("title", p.Title)
		set("picurl", p.Picture)
		set("desc", p.Desc)
		set("url", p.URL)
	case MiniProgram:
		set("title", p.Title)
		set("pic_media_id", p.Media)
		set("appid", p.AppID)
		set("page", p.Page)
	default:
		set("media_id", p.Media)
	}
	return b
}

// UnmarshalJSON reads the same form.
func (p *Part) UnmarshalJSON(raw []byte) error {
	var form struct {
		Form string `json:"msgtype"`
	}
	if err := json.Unmarshal(raw, &form); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return err
	}
	var b struct {
		Media    string `json:"media_id"`
		Picture  string `json:"pic_url"`
		PicURL   string `json:"picurl"`
		PicMedia string `json:"pic_media_id"`
		Title    string `json:"title"`
		Desc     string `json:"desc"`
		URL      string `json:"url"`
		AppID    string `json:"appid"`
		Page     string `json:"page"`
	}
	if part := all[form.Form]; len(part) > 0 {
		if err := json.Unmarshal(part, &b); err != nil {
			return err
		}
	}
	*p = Part{Form: form.Form, Media: b.Media + b.PicMedia, Picture: b.Picture + b.PicURL, Title: b.Title, Desc: b.Desc, URL: b.URL, AppID: b.AppID, Page: b.Page}
	return nil
}

// check looks at the whole content; field is what the text is called where it is
// checked for.
func (t Content) check(k *checker) {
	k.Need("text", t.Text != "" || len(t.Parts) > 0)
	k.text("text", "text", t.Text)
	k.count("parts", "parts", len(t.Parts))
	for i, p := range t.Parts {
		p.check(k, at("parts", i)+".")
	}
}

func (p Part) check(k *checker, path string) {
	switch p.Form {
	case Image:
		k.Need(path+"media", p.Media != "" || p.Picture != "")
	case Link:
		k.Need(path+"title", p.Title != "")
		k.Need(path+"url", p.URL != "")
		k.text(path+"title", "link.title", p.Title)
		k.text(path+"desc", "link.desc", p.Desc)
		k.text(path+"url", "link.url", p.URL)
		k.text(path+"picture", "link.picture", p.Picture)
	case MiniProgram:
		for name, v := range map[string]string{"title": p.Title, "media": p.Media, "appId": p.AppID, "page": p.Page} {
			k.Need(path+name, v != "")
		}
		k.text(path+"title", "miniprogram.title", p.Title)
		k.text(path+"page", "miniprogram.page", p.Page)
	case Video, File:
		k.Need(path+"media", p.Media != "")
	default:
		k.Fault(path+"form", "wecom.no_such_form")
	}
}

// into adds the content to a call.
func (t Content) into(in map[string]any) map[string]any {
	if t.Text != "" {
		in["text"] = map[string]string{"content": t.Text}
	}
	if len(t.Parts) > 0 {
		in["attachments"] = t.Parts
	}
	return in
}

// Welcome sends what a new friend reads first. It leaves within 20 seconds of the
// callback that brought the code, and once: a second one is refused. An error of
// Lost means that nobody knows whether it arrived.
func (c *Client) Welcome(ctx context.Context, code string, t Content) error {
	var k checker
	k.Need("code", code != "")
	t.check(&k)
	if err := k.Err(); err != nil {
		return err
	}
	return c.post(ctx, "externalcontact/send_welcome_msg", t.into(map[string]any{"welcome_code": code}), nil)
}

// forms are what may be uploaded, by the platform's own names.
var forms = []string{Image, Video, File, "voice"}

// Upload keeps a file at the platform for three days and gives its media id.
func (c *Client) Upload(ctx context.Context, form, name string, data []byte) (string, error) {
	var k checker
	if !slices.Contains(forms, form) {
		k.Fault("form", "wecom.no_such_form")
	}
	k.Need("name", name != "")
	k.Need("data", len(data) > 5) // the platform refuses fewer bytes
	k.count("data", "media.bytes", len(data))
	if err := k.Err(); err != nil {
		return "", err
	}
	var out struct {
		ID string `json:"media_id"`
	}
	err := c.do(ctx, request{api: "media/upload", query: map[string][]string{"type": {form}}, file: &wxcall.File{Name: name, Data: data}, reads: true}, &out)
	return out.ID, err
}

// UploadImage keeps a picture at the platform for good and gives its address.
func (c *Client) UploadImage(ctx context.Context, name string, data []byte) (string, error) {
	var k checker
	k.Need("name", name != "")
	k.Need("data", len(data) > 5)
	k.count("data", "media.bytes", len(data))
	if err := k.Err(); err != nil {
		return "", err
	}
	var out struct {
		URL string `json:"url"`
	}
	err := c.do(ctx, request{api: "media/uploadimg", file: &wxcall.File{Name: name, Data: data}, reads: true}, &out)
	return out.URL, err
}

package wechat

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/koipond/koipond/internal/connector/wxcall"
)

// Mass is a message to many followers at once. Each of them gets four a month.
type Mass struct {
	// Key is the sender's own: the platform sends the same key once, and tells of a
	// repeat what became of the first.
	Key     string
	OpenIDs []string // 2 to 10,000; none: those of Tag
	Tag     int      // a tag of the platform; 0: everybody
	Form    string   // text, image, voice, article
	Text    string
	Media   string // id of an upload, or of an article
	// Reprint sends an article that is somebody else's, as a reprint.
	Reprint bool
}

// FormArticle is an article that lies at the platform, for mass messages.
const FormArticle = "article"

func (m Mass) body() map[string]any {
	switch m.Form {
	case FormArticle:
		return map[string]any{"msgtype": "mpnews", "mpnews": map[string]string{"media_id": m.Media}}
	case FormImage:
		return map[string]any{"msgtype": "images", "images": map[string]any{"media_ids": []string{m.Media}}}
	case FormVoice:
		return map[string]any{"msgtype": "voice", "voice": map[string]string{"media_id": m.Media}}
	default:
		return map[string]any{"msgtype": "text", "text": map[string]string{"content": m.Text}}
	}
}

func (m Mass) check(k *checker) {
	switch m.Form {
	case FormArticle, FormImage, FormVoice:
		k.Need("media", m.Media != "")
	case FormText, "":
		k.Need("text", m.Text != "")
		k.text("text", "text", m.Text)
	default:
		k.Fault("form", "wechat.no_such_form")
	}
	k.Need("key", m.Key != "")
}

// SendMass hands a mass message to the platform and gives its id. again tells that a
// message of this key was handed over before: it is that one's id.
func (o *Official) SendMass(ctx context.Context, m Mass) (id string, again bool, err error) {
	var k checker
	m.check(&k)
	if m.OpenIDs != nil {
		k.Need("people", len(m.OpenIDs) > 1) // one alone the platform refuses
		k.count("people", "mass.people", len(m.OpenIDs))
	}
	if err := k.Err(); err != nil {
		return "", false, err
	}
	api, body := "cgi-bin/message/mass/sendall", m.body()
	if m.OpenIDs != nil {
		api, body["touser"] = "cgi-bin/message/mass/send", m.OpenIDs
	} else {
		body["filter"] = map[string]any{"is_to_all": m.Tag == 0, "tag_id": m.Tag}
	}
	body["clientmsgid"] = shortKey(m.Key)
	if m.Form == FormArticle && m.Reprint {
		body["send_ignore_reprint"] = 1
	}
	var out struct {
		ID json.Number `json:"msg_id"`
	}
	err = o.do(ctx, request{api: api, body: body, quota: "message.mass"}, &out)
	if CodeOf(err) == 45065 {
		return out.ID.String(), true, nil
	}
	return out.ID.String(), false, err
}

// PreviewMass shows a message to one follower, a hundred times a day.
func (o *Official) PreviewMass(ctx context.Context, openID string, m Mass) error {
	var k checker
	m.Key = cmp.Or(m.Key, "preview")
	m.check(&k)
	k.Need("to", openID != "")
	if err := k.Err(); err != nil {
		return err
	}
	body := m.body()
	body["touser"] = openID
	return o.do(ctx, request{api: "cgi-bin/message/mass/preview", body: body}, nil)
}

// MassStatus tells how a mass message stands: SEND_SUCCESS, SENDING, SEND_FAIL,
// DELETE.
func (o *Official) MassStatus(ctx context.Context, id string) (string, error) {
	var out struct {
		Status string `json:"msg_status"`
	}
	err := o.do(ctx, request{api: "cgi-bin/message/mass/get", body: map[string]any{"msg_id": id}, reads: true}, &out)
	return out.Status, err
}

// ClearQuota sets the day's counts of all calls to nothing, ten times a month: for
// when a mistake has used them up.
func (c *client) ClearQuota(ctx context.Context) error {
	return c.do(ctx, request{api: "cgi-bin/clear_quota", body: map[string]string{"appid": c.app}, quota: "clear"}, nil)
}

// UploadImage keeps a picture at the platform for good and gives its address: for
// articles and links.
func (c *client) UploadImage(ctx context.Context, name string, data []byte) (string, error) {
	var k checker
	k.Need("name", name != "")
	k.Need("data", len(data) > 5)
	k.count("data", "picture.bytes", len(data))
	if err := k.Err(); err != nil {
		return "", err
	}
	var out struct {
		URL string `json:"url"`
	}
	err := c.do(ctx, request{api: "cgi-bin/media/uploadimg", file: &wxcall.File{Name: name, Data: data}, reads: true}, &out)
	return out.URL, err
}

// Upload keeps a file at the platform for three days and gives its media id. form is
// image, voice, video or thumb.
func (c *client) Upload(ctx context.Context, form, name string, data []byte) (string, error) {
	var k checker
	switch form {
	case FormImage, FormVoice, FormVideo, "thumb":
	default:
		k.Fault("form", "wechat.no_such_form")
	}
	k.Need("name", name != "")
	k.Need("data", len(data) > 5)
	k.count("data", "media.bytes", len(data))
	if err := k.Err(); err != nil {
		return "", err
	}
	var out struct {
		ID    string `json:"media_id"`
		Thumb string `json:"thumb_media_id"`
	}
	err := c.do(ctx, request{api: "cgi-bin/media/upload", query: map[string][]string{"type": {form}}, file: &wxcall.File{Name: name, Data: data}, reads: true}, &out)
	return cmp.Or(out.ID, out.Thumb), err
}

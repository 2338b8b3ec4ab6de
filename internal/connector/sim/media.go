package sim

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
)

// uploads are the APIs that take files.
var uploads = []string{"media/upload", "media/uploadimg", "media/upload_attachment"}

// mediaKept bounds what all uploads of a corp weigh; the oldest go first.
const mediaKept = 128 << 20

func mediaUpload(c *call) (answer, error) {
	kind := c.q.Get("type")
	if kind == "" {
		kind = c.q.Get("media_type")
	}
	m, err := c.upload(kind)
	if err != nil {
		return nil, err
	}
	return answer{"type": kind, "media_id": m.ID, "created_at": c.now.Unix()}, nil
}

func mediaUploadImage(c *call) (answer, error) {
	m, err := c.upload("image")
	if err != nil {
		return nil, err
	}
	m.Lasting = true
	return answer{"url": c.base + "/sim/media/" + m.ID}, nil
}

func (c *call) upload(kind string) (*Media, error) {
	l := c.s.limits.WeCom
	most := map[string]int{"image": l.ImageBytes, "voice": l.VoiceBytes, "video": l.VideoBytes, "file": l.FileBytes}[kind]
	if most == 0 {
		return nil, refuse(40004)
	}
	name, b, err := filePart(c.r.Header.Get("Content-Type"), c.body)
	if err != nil || len(b) == 0 {
		return nil, refuse(44001)
	}
	if len(b) > most || len(b) <= 5 { // five bytes are the platform's least
		return nil, refuse(40006)
	}
	sort := http.DetectContentType(b)
	if kind == "image" && !slices.Contains([]string{"image/png", "image/jpeg", "image/gif"}, sort) {
		return nil, refuse(40123)
	}
	m := &Media{ID: c.w.next("3", 64), Type: kind, Name: name, Mime: sort, Bytes: b, Created: c.now}
	c.corp.Media[m.ID] = m
	lighten(c.corp.Media)
	return m, nil
}

// lighten drops the oldest uploads until the rest fits.
func lighten(kept map[string]*Media) {
	sum := 0
	all := make([]*Media, 0, len(kept))
	for _, m := range kept {
		sum += len(m.Bytes)
		all = append(all, m)
	}
	if sum <= mediaKept {
		return
	}
	slices.SortFunc(all, func(a, b *Media) int { return a.Created.Compare(b.Created) })
	for _, m := range all[:len(all)-1] {
		if sum <= mediaKept {
			break
		}
		sum -= len(m.Bytes)
		delete(kept, m.ID)
	}
}

// filePart is the first file of a form.
func filePart(contentType string, body []byte) (string, []byte, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "", nil, err
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := r.NextPart()
		if err != nil {
			return "", nil, err
		}
		if part.FileName() != "" {
			b, err := io.ReadAll(part)
			return part.FileName(), b, err
		}
	}
}

package wechat

import (
	"bytes"
	"fmt"
	"mime/multipart"
)

// file is an upload.
type file struct {
	name string
	data []byte
}

// form writes it as the platform reads it.
func (f *file) form() (body []byte, contentType string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("media", f.name)
	if err != nil {
		return nil, "", fmt.Errorf("encode upload: %w", err)
	}
	if _, err := part.Write(f.data); err != nil {
		return nil, "", fmt.Errorf("encode upload: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("encode upload: %w", err)
	}
	return b.Bytes(), w.FormDataContentType(), nil
}

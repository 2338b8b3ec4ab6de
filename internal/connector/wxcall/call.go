package wxcall

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"
)

// Call is one call: with a body or a file a POST, else a GET.
type Call struct {
	Base, Path string
	Query      url.Values
	Body       any
	File       *File
	Token      string // "": none
}

// File is an upload.
type File struct {
	Name string
	Data []byte
}

// Request is the call as it leaves.
func (c Call) Request(ctx context.Context) (*http.Request, error) {
	q := url.Values{}
	for k, v := range c.Query {
		q[k] = v
	}
	if c.Token != "" {
		q.Set("access_token", c.Token)
	}
	method, kind := http.MethodGet, ""
	var body io.Reader
	switch {
	case c.File != nil:
		b, t, err := c.File.form()
		if err != nil {
			return nil, err
		}
		method, kind, body = http.MethodPost, t, bytes.NewReader(b)
	case c.Body != nil:
		b, err := Encode(c.Body)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", c.Path, err)
		}
		method, kind, body = http.MethodPost, "application/json", bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+"/"+c.Path+"?"+q.Encode(), body)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", c.Path, err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	return req, nil
}

// form writes a file as the platforms read it.
func (f *File) form() (body []byte, contentType string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("media", f.Name)
	if err != nil {
		return nil, "", fmt.Errorf("encode upload: %w", err)
	}
	if _, err := part.Write(f.Data); err != nil {
		return nil, "", fmt.Errorf("encode upload: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("encode upload: %w", err)
	}
	return b.Bytes(), w.FormDataContentType(), nil
}

// Encode writes JSON as the platforms read it: & and < as they are, else links and
// Chinese texts arrive spoilt.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// Pause waits, unless ctx ends before.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Clip keeps the first so many bytes of a text, whole characters.
func Clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most]
}

package livecode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/qr"
)

// The platform gives a picture of a code; what it says is read out of it once, so
// that it can be drawn in any size, sharp, with a logo.

// readQR reads what a picture of the platform's says. One that is drawn in vectors
// is told by its address, which leads to the same.
func (s *Service) readQR(ctx context.Context, account, address string) (string, error) {
	if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
		return address, nil // the code's own text
	}
	if strings.HasSuffix(strings.ToLower(address), ".svg") {
		return address, nil
	}
	raw, err := s.Platform.Picture(ctx, account, address)
	if err != nil {
		return "", err
	}
	if head := bytes.TrimSpace(raw[:min(len(raw), 200)]); bytes.HasPrefix(head, []byte("<svg")) || bytes.HasPrefix(head, []byte("<?xml")) {
		return address, nil
	}
	text, err := qr.Read(raw)
	if err != nil {
		return "", errors.Join(errNoQR, err)
	}
	return text, nil
}

// Drawing says how a code is drawn.
type Drawing struct {
	Size  int    // pixels of the whole
	Color string // #rrggbb of the dark modules; "": black
	Logo  string // id of a picture for the middle; "": none
}

func (d *Drawing) check() error {
	if d.Size == 0 {
		d.Size = qr.Usual
	}
	if d.Size < qr.Least || d.Size > qr.Most {
		return bad("size", "rule.out_of_range", "least", qr.Least, "limit", qr.Most)
	}
	if d.Color == "" {
		d.Color = "#000000"
	}
	if !qr.Dark(d.Color) {
		return bad("color", "livecode.bad_color")
	}
	return nil
}

var errNotReady = errs.New(errs.Conflict, "livecode.not_ready")

// Picture draws a code as PNG or SVG. Conflict livecode.not_ready: the platform has
// not made it yet.
func (s *Service) Picture(ctx context.Context, c *Code, format string, d Drawing) ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	if c.way.text == "" {
		return nil, errNotReady
	}
	look := qr.Look{Size: d.Size, Color: d.Color}
	if d.Logo != "" {
		f, r, err := s.OpenFile(ctx, d.Logo)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		if !f.Picture {
			return nil, bad("logo", "livecode.no_picture")
		}
		if look.Logo, err = io.ReadAll(r); err != nil {
			return nil, fmt.Errorf("read logo: %w", err)
		}
	}
	draw := qr.PNG
	if format == "svg" {
		draw = qr.SVG
	}
	raw, err := draw(c.way.text, look)
	if errors.Is(err, qr.ErrLogo) {
		return nil, bad("logo", "livecode.no_picture")
	}
	return raw, err
}

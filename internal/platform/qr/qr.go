// Package qr answers: how does a text look as a QR code?
package qr

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
)

// Limits of a drawing.
const (
	quiet    = 4 // white modules around a code, by the standard
	leastPx  = 120
	mostPx   = 2400
	usualPx  = 600
	mostText = 1200
)

// modules are the dark fields of a code, with quiet ones around. A quarter of it
// may be dirty or torn and it can still be read.
func modules(text string) (*gozxing.BitMatrix, error) {
	if text == "" || len(text) > mostText {
		return nil, fmt.Errorf("a code holds up to %d bytes, this is %d", mostText, len(text))
	}
	m, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, 0, 0, map[gozxing.EncodeHintType]any{
		gozxing.EncodeHintType_ERROR_CORRECTION: decoder.ErrorCorrectionLevel_Q, gozxing.EncodeHintType_MARGIN: quiet, gozxing.EncodeHintType_CHARACTER_SET: "UTF-8"})
	if err != nil {
		return nil, fmt.Errorf("draw code: %w", err)
	}
	return m, nil
}

// SVG draws a code in vectors: sharp at any size.
func SVG(text string, size int) ([]byte, error) {
	m, err := modules(text)
	if err != nil {
		return nil, err
	}
	n := m.GetWidth()
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`, size, size, n, n, n, n)
	for y := range n {
		for x := 0; x < n; x++ {
			from := x
			for x < n && m.Get(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes(), nil
}

// PNG draws a code in pixels, without gaps whatever the size.
func PNG(text string, size int) ([]byte, error) {
	m, err := modules(text)
	if err != nil {
		return nil, err
	}
	n := m.GetWidth()
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	for y := range size {
		for x := range size {
			if m.Get(x*n/size, y*n/size) {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("draw code: %w", err)
	}
	return b.Bytes(), nil
}

// Serve answers with a code: format is "svg", or PNG; size is in pixels, and
// anything that is no size within reason becomes one.
func Serve(w http.ResponseWriter, _ *http.Request, text, format, size, name string) {
	px, err := strconv.Atoi(size)
	if err != nil {
		px = usualPx
	}
	px = max(leastPx, min(px, mostPx))
	draw, kind := PNG, "image/png"
	if format == "svg" {
		draw, kind = SVG, "image/svg+xml"
	} else {
		format = "png"
	}
	body, err := draw(text, px)
	if err != nil {
		http.Error(w, "this text fits into no code", http.StatusUnprocessableEntity)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", fmt.Sprintf("inline; filename=%q", name+"."+format))
	h.Set("Cache-Control", "private, max-age=300")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body) // a caller that went away needs no answer
}

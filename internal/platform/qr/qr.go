// Package qr answers: how does a text look as a QR code, and what does a picture of
// one say?
package qr

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // logos, and pictures to be read
	"image/png"
	"net/http"
	"regexp"
	"strconv"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
)

// Limits of a drawing, in pixels.
const (
	Least = 120
	Most  = 2400
	Usual = 600
)

const (
	quiet    = 4 // white modules around a code, by the standard
	logoPart = 5 // a logo is a fifth as wide as the code: the strongest correction mends twice that
	mostText = 1200
)

// ErrLogo is of a logo that is no picture, or too large a one.
var ErrLogo = errors.New("the logo is no picture that can be drawn")

// Look says how a code is drawn.
type Look struct {
	Size  int    // pixels of the whole
	Color string // #rrggbb of the dark modules; "": black
	Logo  []byte // a PNG or JPEG for the middle; nil: none
}

var colorForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// Dark tells whether a colour (#rrggbb) is dark enough for cameras on white.
func Dark(hex string) bool {
	if !colorForm.MatchString(hex) {
		return false
	}
	c := rgb(hex)
	return 299*int(c.R)+587*int(c.G)+114*int(c.B) < 140_000
}

func rgb(hex string) color.RGBA {
	if hex == "" {
		return color.RGBA{A: 255}
	}
	n, _ := strconv.ParseUint(hex[1:], 16, 32) // its form was checked
	return color.RGBA{byte(n >> 16), byte(n >> 8), byte(n), 255}
}

// modules are the dark fields of a code, with quiet ones around. A quarter of it may
// be dirty or torn and it can still be read; with a logo in its middle, more.
func modules(text string, l Look) (*gozxing.BitMatrix, error) {
	if text == "" || len(text) > mostText {
		return nil, fmt.Errorf("a code holds up to %d bytes, this is %d", mostText, len(text))
	}
	if l.Color != "" && !colorForm.MatchString(l.Color) {
		return nil, fmt.Errorf("%q is no colour", l.Color)
	}
	mend := decoder.ErrorCorrectionLevel_Q
	if l.Logo != nil {
		mend = decoder.ErrorCorrectionLevel_H
	}
	m, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, 0, 0, map[gozxing.EncodeHintType]any{
		gozxing.EncodeHintType_ERROR_CORRECTION: mend, gozxing.EncodeHintType_MARGIN: quiet, gozxing.EncodeHintType_CHARACTER_SET: "UTF-8"})
	if err != nil {
		return nil, fmt.Errorf("draw code: %w", err)
	}
	return m, nil
}

// SVG draws a code in vectors: sharp at any size.
func SVG(text string, l Look) ([]byte, error) {
	m, err := modules(text, l)
	if err != nil {
		return nil, err
	}
	n := m.GetWidth()
	ink := rgb(l.Color)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#%02x%02x%02x" d="`,
		l.Size, l.Size, n, n, n, n, ink.R, ink.G, ink.B)
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
	b.WriteString(`"/>`)
	if l.Logo != nil {
		img, err := Decode(l.Logo)
		if err != nil {
			return nil, errors.Join(ErrLogo, err)
		}
		var small bytes.Buffer
		if err := png.Encode(&small, scaled(img, 240)); err != nil {
			return nil, fmt.Errorf("draw logo: %w", err)
		}
		side := float64(n-2*quiet) / logoPart
		at := (float64(n) - side) / 2
		pad := side * .1
		fmt.Fprintf(&b, `<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" rx="%.2f" fill="#fff"/><image x="%.2f" y="%.2f" width="%.2f" height="%.2f" href="data:image/png;base64,%s"/>`,
			at-pad, at-pad, side+2*pad, side+2*pad, pad, at, at, side, side, base64.StdEncoding.EncodeToString(small.Bytes()))
	}
	b.WriteString("</svg>")
	return b.Bytes(), nil
}

// PNG draws a code in pixels, without gaps whatever the size.
func PNG(text string, l Look) ([]byte, error) {
	m, err := modules(text, l)
	if err != nil {
		return nil, err
	}
	n := m.GetWidth()
	edge := func(i int) int { return (2*i*l.Size + n) / (2 * n) } // to the nearest pixel
	frame := image.Rect(0, 0, l.Size, l.Size)
	var img draw.Image = image.NewPaletted(frame, color.Palette{color.White, rgb(l.Color)}) // two colours: a tenth of the bytes
	if l.Logo != nil {
		img = image.NewRGBA(frame)
		draw.Draw(img, frame, image.White, image.Point{}, draw.Src)
	}
	ink := image.NewUniform(rgb(l.Color))
	for y := range n {
		for x := range n {
			if m.Get(x, y) {
				draw.Draw(img, image.Rect(edge(x), edge(y), edge(x+1), edge(y+1)), ink, image.Point{}, draw.Src)
			}
		}
	}
	if l.Logo != nil {
		pic, err := Decode(l.Logo)
		if err != nil {
			return nil, errors.Join(ErrLogo, err)
		}
		side := (edge(n-quiet) - edge(quiet)) / logoPart
		at := (l.Size - side) / 2
		pad := side / 10
		draw.Draw(img, image.Rect(at-pad, at-pad, at+side+pad, at+side+pad), image.White, image.Point{}, draw.Src)
		draw.Draw(img, image.Rect(at, at, at+side, at+side), scaled(pic, side), image.Point{}, draw.Over)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("draw code: %w", err)
	}
	return b.Bytes(), nil
}

// scaled fits a picture into a square, its middle, by averaging what falls into each pixel.
func scaled(src image.Image, side int) *image.RGBA {
	b := src.Bounds()
	cut := min(b.Dx(), b.Dy())
	x0, y0 := b.Min.X+(b.Dx()-cut)/2, b.Min.Y+(b.Dy()-cut)/2
	out := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			fx, tx := x*cut/side, max((x+1)*cut/side, x*cut/side+1)
			fy, ty := y*cut/side, max((y+1)*cut/side, y*cut/side+1)
			var r, g, bl, a, n uint64
			stepX, stepY := max((tx-fx)/4, 1), max((ty-fy)/4, 1)
			for yy := fy; yy < ty; yy += stepY {
				for xx := fx; xx < tx; xx += stepX {
					pr, pg, pb, pa := src.At(x0+xx, y0+yy).RGBA()
					r, g, bl, a, n = r+uint64(pr), g+uint64(pg), bl+uint64(pb), a+uint64(pa), n+1
				}
			}
			out.SetRGBA(x, y, color.RGBA{byte(r / n >> 8), byte(g / n >> 8), byte(bl / n >> 8), byte(a / n >> 8)})
		}
	}
	return out
}

// Serve answers with a code: format is "svg", or PNG; size is in pixels, and
// anything that is no size within reason becomes one.
func Serve(w http.ResponseWriter, _ *http.Request, text, format, size, name string) {
	px, err := strconv.Atoi(size)
	if err != nil {
		px = Usual
	}
	px = max(Least, min(px, Most))
	draw, kind := PNG, "image/png"
	if format == "svg" {
		draw, kind = SVG, "image/svg+xml"
	} else {
		format = "png"
	}
	body, err := draw(text, Look{Size: px})
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

package livecode

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // the platform's pictures, and logos
	"image/png"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"

	"github.com/koipond/koipond/internal/platform/errs"
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
	text, err := decodeQR(raw)
	if err != nil {
		return "", errors.Join(errNoQR, err)
	}
	return text, nil
}

// mostPixels bounds a picture before it is unpacked.
const mostPixels = 6000 * 6000

// decodeQR reads the QR code in a picture.
func decodeQR(raw []byte) (string, error) {
	img, err := decodeImage(raw)
	if err != nil {
		return "", err
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", fmt.Errorf("look at picture: %w", err)
	}
	// Looking for a code in a photo sometimes misses one that is nothing but the
	// code, and the other way round.
	for _, hint := range []gozxing.DecodeHintType{gozxing.DecodeHintType_PURE_BARCODE, gozxing.DecodeHintType_OTHER, gozxing.DecodeHintType_TRY_HARDER} {
		got, miss := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{hint: true})
		if miss == nil {
			return got.GetText(), nil
		}
		err = miss
	}
	return "", fmt.Errorf("find a code: %w", err)
}

func decodeImage(raw []byte) (image.Image, error) {
	cfg, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width*cfg.Height > mostPixels {
		return nil, errors.New("the picture is too large")
	}
	img, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	return img, nil
}

// Drawing says how a code is drawn.
type Drawing struct {
	Size  int    // pixels of the whole
	Color string // #rrggbb of the dark modules; "": black
	Logo  string // id of a picture for the middle; "": none
}

const (
	quiet    = 4 // modules of white around a code, by the standard
	logoPart = 5 // a logo is a fifth as wide as the code: the strongest correction mends twice that
)

var colorForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// modules is a code as its dark fields, with quiet ones around.
func modules(text string) (*gozxing.BitMatrix, error) {
	m, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, 0, 0, map[gozxing.EncodeHintType]any{
		gozxing.EncodeHintType_ERROR_CORRECTION: decoder.ErrorCorrectionLevel_H, gozxing.EncodeHintType_MARGIN: quiet, gozxing.EncodeHintType_CHARACTER_SET: "UTF-8"})
	if err != nil {
		return nil, fmt.Errorf("draw code: %w", err)
	}
	return m, nil
}

func (d *Drawing) check() error {
	if d.Size == 0 {
		d.Size = 600
	}
	if d.Size < 120 || d.Size > 2400 {
		return bad("size", "rule.out_of_range", "least", 120, "limit", 2400)
	}
	if d.Color == "" {
		d.Color = "#000000"
	}
	if !colorForm.MatchString(d.Color) || !dark(d.Color) {
		return bad("color", "livecode.bad_color")
	}
	return nil
}

func rgb(hex string) color.RGBA {
	n, _ := strconv.ParseUint(hex[1:], 16, 32) // its form was checked
	return color.RGBA{byte(n >> 16), byte(n >> 8), byte(n), 255}
}

// dark tells whether a colour is dark enough for cameras on white.
func dark(hex string) bool {
	c := rgb(hex)
	return 299*int(c.R)+587*int(c.G)+114*int(c.B) < 140_000
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
	m, err := modules(c.way.text)
	if err != nil {
		return nil, err
	}
	var logo []byte
	if d.Logo != "" {
		f, r, err := s.OpenFile(ctx, d.Logo)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		if !f.Picture {
			return nil, bad("logo", "livecode.no_picture")
		}
		if logo, err = io.ReadAll(r); err != nil {
			return nil, fmt.Errorf("read logo: %w", err)
		}
	}
	if format == "svg" {
		return drawSVG(m, d, logo)
	}
	return drawPNG(m, d, logo)
}

func drawSVG(m *gozxing.BitMatrix, d Drawing, logo []byte) ([]byte, error) {
	n := m.GetWidth()
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" shape-rendering="crispEdges"><rect width="%d" height="%d" fill="#fff"/><path fill="%s" d="`, d.Size, d.Size, n, n, n, n, d.Color)
	for y := range n {
		for x := 0; x < n; {
			if !m.Get(x, y) {
				x++
				continue
			}
			from := x
			for x < n && m.Get(x, y) {
				x++
			}
			fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
		}
	}
	b.WriteString(`"/>`)
	if logo != nil {
		img, err := decodeImage(logo)
		if err != nil {
			return nil, bad("logo", "livecode.no_picture")
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

func drawPNG(m *gozxing.BitMatrix, d Drawing, logo []byte) ([]byte, error) {
	n := m.GetWidth()
	img := image.NewRGBA(image.Rect(0, 0, d.Size, d.Size))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	ink := image.NewUniform(rgb(d.Color))
	edge := func(i int) int { return i * d.Size / n } // no gaps, whatever the size
	for y := range n {
		for x := range n {
			if m.Get(x, y) {
				draw.Draw(img, image.Rect(edge(x), edge(y), edge(x+1), edge(y+1)), ink, image.Point{}, draw.Src)
			}
		}
	}
	if logo != nil {
		pic, err := decodeImage(logo)
		if err != nil {
			return nil, bad("logo", "livecode.no_picture")
		}
		side := (edge(n-quiet) - edge(quiet)) / logoPart
		at := (d.Size - side) / 2
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

package qr

import (
	"bytes"
	"errors"
	"fmt"
	"image"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// mostPixels bounds a picture before it is unpacked.
const mostPixels = 6000 * 6000

// Decode unpacks a PNG or JPEG of a size within reason.
func Decode(raw []byte) (image.Image, error) {
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

// Read reads the QR code in a picture.
func Read(raw []byte) (string, error) {
	img, err := Decode(raw)
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

package qr

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"
)

// What is drawn can be read again, at every size that is offered.
func TestACodeSaysWhatWentIn(t *testing.T) {
	for _, text := range []string{"https://example.com/l/abcdefg", "锦池", strings.Repeat("x", 300)} {
		for _, size := range []int{leastPx * 2, usualPx, 777} {
			raw, err := PNG(text, size)
			require.NoError(t, err)
			img, err := png.Decode(bytes.NewReader(raw))
			require.NoError(t, err)
			require.Equal(t, size, img.Bounds().Dx())
			bits, err := gozxing.NewBinaryBitmapFromImage(img)
			require.NoError(t, err)
			got, err := qrcode.NewQRCodeReader().Decode(bits, nil)
			require.NoError(t, err, "%d pixels", size)
			require.Equal(t, text, got.GetText())
		}
		svg, err := SVG(text, 300)
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(svg, []byte("<svg ")) && bytes.HasSuffix(svg, []byte("</svg>")))
	}
	_, err := PNG("", 300)
	require.Error(t, err)
	_, err = SVG(strings.Repeat("x", mostText+1), 300)
	require.Error(t, err)
}

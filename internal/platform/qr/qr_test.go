package qr

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is drawn can be read again, at every size that is offered.
func TestACodeSaysWhatWentIn(t *testing.T) {
	for _, text := range []string{"https://example.com/l/abcdefg", "锦池", strings.Repeat("x", 300)} {
		for _, size := range []int{Least * 2, Usual, 777} {
			raw, err := PNG(text, Look{Size: size})
			require.NoError(t, err)
			img, err := png.Decode(bytes.NewReader(raw))
			require.NoError(t, err)
			require.Equal(t, size, img.Bounds().Dx())
			got, err := Read(raw)
			require.NoError(t, err, "%d pixels", size)
			require.Equal(t, text, got)
		}
		svg, err := SVG(text, Look{Size: 300})
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(svg, []byte("<svg ")) && bytes.HasSuffix(svg, []byte("</svg>")))
	}
	_, err := PNG("", Look{Size: 300})
	require.Error(t, err)
	_, err = SVG(strings.Repeat("x", mostText+1), Look{Size: 300})
	require.Error(t, err)
}

// A code in a colour with a logo in its middle can be read, too.
func TestALogoLeavesACodeReadable(t *testing.T) {
	pic := image.NewRGBA(image.Rect(0, 0, 90, 60))
	for i := range pic.Pix {
		pic.Pix[i] = byte(i * 37)
	}
	pic.SetRGBA(1, 1, color.RGBA{A: 255})
	var logo bytes.Buffer
	require.NoError(t, png.Encode(&logo, pic))
	look := Look{Size: 720, Color: "#1d3f58", Logo: logo.Bytes()}
	raw, err := PNG("https://wework.example/c/0123456789abcdef", look)
	require.NoError(t, err)
	got, err := Read(raw)
	require.NoError(t, err)
	require.Equal(t, "https://wework.example/c/0123456789abcdef", got)
	svg, err := SVG("https://wework.example/c/0123456789abcdef", look)
	require.NoError(t, err)
	require.Contains(t, string(svg), `fill="#1d3f58"`)
	require.Contains(t, string(svg), "data:image/png;base64,")
	look.Logo = []byte("no picture")
	_, err = PNG("x", look)
	require.ErrorIs(t, err, ErrLogo)
	_, err = SVG("x", look)
	require.ErrorIs(t, err, ErrLogo)
	_, err = SVG("x", Look{Size: 300, Color: `"><script>`})
	require.Error(t, err)
	require.True(t, Dark("#1d3f58"))
	require.False(t, Dark("#ffcc00"), "a camera does not see it on white")
	require.False(t, Dark("red"))
}

// Pictures that are nothing but a code are read whatever it says and however large
// they are.
func TestEveryPlainPictureIsRead(t *testing.T) {
	for i := range 100 {
		text := fmt.Sprintf("https://wework.example/c/%032x", i*7919*104729)
		raw, err := PNG(text, Look{Size: 300 + i})
		require.NoError(t, err)
		got, err := Read(raw)
		require.NoError(t, err, text)
		require.Equal(t, text, got)
	}
}

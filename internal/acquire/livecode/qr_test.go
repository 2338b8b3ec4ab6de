package livecode

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/qr"
)

// Pictures that are nothing but a code are read whatever it says and however
// large they are.
func TestEveryPlainPictureIsRead(t *testing.T) {
	for i := range 100 {
		text := fmt.Sprintf("https://wework.example/c/%032x", i*7919*104729)
		raw, err := qr.PNG(text, 300+i)
		require.NoError(t, err)
		got, err := decodeQR(raw)
		require.NoError(t, err, text)
		require.Equal(t, text, got)
	}
}

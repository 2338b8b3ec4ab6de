package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func pack(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	a, err := newArchive(&b, time.Unix(1700000000, 0))
	require.NoError(t, err)
	for name, body := range files {
		require.NoError(t, a.add(name, int64(len(body)), strings.NewReader(body)))
	}
	require.NoError(t, a.finish(Manifest{Version: "test", Position: 7}))
	return b.Bytes()
}

func TestArchiveRoundTrip(t *testing.T) {
	raw := pack(t, map[string]string{"records/koipond.db": "rows", "files/a/b": strings.Repeat("x", 1<<17)})
	dir := t.TempDir()
	m, err := unpack(bytes.NewReader(raw), dir)
	require.NoError(t, err)
	require.EqualValues(t, 7, m.Position)
	got, err := os.ReadFile(filepath.Join(dir, "files", "a", "b"))
	require.NoError(t, err)
	require.Len(t, got, 1<<17)
}

func TestArchiveRefuses(t *testing.T) {
	raw := pack(t, map[string]string{"records/koipond.db": "rows"})
	for name, bad := range map[string][]byte{
		"cut off":     raw[:len(raw)-8],
		"not a zip":   []byte("hello"),
		"escapes":     pack(t, map[string]string{"../evil": "x"}),
		"absolute":    pack(t, map[string]string{"/etc/evil": "x"}),
		"empty":       nil,
		"flipped bit": flip(raw),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := unpack(bytes.NewReader(bad), t.TempDir())
			require.Error(t, err)
		})
	}
}

func flip(b []byte) []byte {
	c := bytes.Clone(b)
	c[len(c)/2] ^= 0x40
	return c
}

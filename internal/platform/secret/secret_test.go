package secret_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/secret"
)

func ring(t testing.TB, keys ...byte) *secret.Ring {
	t.Helper()
	var all [][]byte
	for _, b := range keys {
		all = append(all, bytes.Repeat([]byte{b}, secret.KeySize))
	}
	r, err := secret.NewRing(all...)
	require.NoError(t, err)
	return r
}

func seal(t testing.TB, r *secret.Ring, field, value string) string {
	t.Helper()
	s, err := r.Seal(field, value)
	require.NoError(t, err)
	return s
}

func TestSealAndOpen(t *testing.T) {
	r := ring(t, 1)
	for _, v := range []string{"", "+8613812341234", "锦池", strings.Repeat("x", 100_000)} {
		s := seal(t, r, "contact.phone", v)
		if v != "" {
			require.NotContains(t, s, v)
		}
		got, err := r.Open("contact.phone", s)
		require.NoError(t, err)
		require.Equal(t, v, got)
	}
	require.NotEqual(t, seal(t, r, "f", "same"), seal(t, r, "f", "same"))
}

func TestTamperingIsNoticed(t *testing.T) {
	r := ring(t, 1)
	s := seal(t, r, "contact.phone", "+8613812341234")
	_, err := r.Open("contact.email", s)
	require.ErrorIs(t, err, secret.ErrDamaged, "moved to another field")
	for i := range len(s) {
		for _, c := range []byte{'A', 'b', '7', '.', '_'} {
			if s[i] == c {
				continue
			}
			changed := s[:i] + string(c) + s[i+1:]
			_, err := r.Open("contact.phone", changed)
			require.Error(t, err, "%d %c", i, c)
		}
		_, err := r.Open("contact.phone", s[:i])
		require.Error(t, err, "cut at %d", i)
	}
	_, err = ring(t, 2).Open("contact.phone", s)
	require.ErrorIs(t, err, secret.ErrUnknownKey)
}

func TestRotation(t *testing.T) {
	before, after := ring(t, 1), ring(t, 1, 2)
	old := seal(t, before, "f", "value")
	got, err := after.Open("f", old)
	require.NoError(t, err)
	require.Equal(t, "value", got)
	require.True(t, after.Stale(old))
	require.False(t, after.Stale(seal(t, after, "f", "value")))
	_, err = before.Open("f", seal(t, after, "f", "value"))
	require.ErrorIs(t, err, secret.ErrUnknownKey)
	require.Equal(t, before.Index("f", "value"), after.Index("f", "value"), "look-up survives a rotation")
}

func TestIndex(t *testing.T) {
	r := ring(t, 1)
	require.Len(t, r.Index("f", "v"), 32)
	require.NotEqual(t, r.Index("f", "v"), r.Index("g", "v"))
	require.NotEqual(t, r.Index("f", "v"), ring(t, 2).Index("f", "v"))
	require.NotEqual(t, r.Index("a", "bc"), r.Index("ab", "c"))
}

func TestRingRefusesBadKeys(t *testing.T) {
	_, err := secret.NewRing()
	require.Error(t, err)
	_, err = secret.NewRing([]byte("short"))
	require.Error(t, err)
	k := secret.NewKey()
	_, err = secret.NewRing(k, k)
	require.ErrorContains(t, err, "twice")
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	first, err := secret.Load(secret.Source{Dir: dir})
	require.NoError(t, err)
	info, err := os.Stat(secret.FilePath(dir))
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	s := seal(t, first, "f", "v")

	again, err := secret.Load(secret.Source{Dir: dir})
	require.NoError(t, err)
	got, err := again.Open("f", s)
	require.NoError(t, err)
	require.Equal(t, "v", got)

	_, err = secret.Rotate(secret.FilePath(dir))
	require.NoError(t, err)
	rotated, err := secret.Load(secret.Source{Dir: dir})
	require.NoError(t, err)
	require.NotEqual(t, first.KeyID(), rotated.KeyID())
	got, err = rotated.Open("f", s)
	require.NoError(t, err)
	require.Equal(t, "v", got)
	require.Equal(t, first.Index("f", "v"), rotated.Index("f", "v"))
	left, err := filepath.Glob(filepath.Join(dir, "*.new*"))
	require.NoError(t, err)
	require.Empty(t, left)

	// given in the environment, the same keys fit and others do not
	raw, err := os.ReadFile(secret.FilePath(dir))
	require.NoError(t, err)
	_, err = secret.Load(secret.Source{Dir: dir, Value: string(raw)})
	require.NoError(t, err)
	other := base64.StdEncoding.EncodeToString(secret.NewKey())
	_, err = secret.Load(secret.Source{Dir: dir, Value: other})
	require.ErrorContains(t, err, "do not fit the data in "+dir)
	own := strings.Fields(string(raw[bytes.LastIndexByte(raw[:len(raw)-1], '\n'):]))[0]
	_, err = secret.Load(secret.Source{Dir: dir, Value: own + "," + other})
	require.ErrorContains(t, err, "do not fit", "the oldest key keys the look-up")

	require.NoError(t, os.Remove(secret.FilePath(dir)))
	_, err = secret.Load(secret.Source{Dir: dir})
	require.ErrorContains(t, err, "put it back", "no new key over old data")
}

func TestKeySources(t *testing.T) {
	_, err := secret.Load(secret.Source{})
	require.ErrorContains(t, err, "KOIPOND_KEY")
	_, err = secret.Load(secret.Source{Value: "not base64"})
	require.ErrorContains(t, err, "openssl rand")
	_, err = secret.Load(secret.Source{File: filepath.Join(t.TempDir(), "none")})
	require.ErrorIs(t, err, os.ErrNotExist)
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte("# nothing\n"), 0o600))
	_, err = secret.Load(secret.Source{File: empty})
	require.ErrorContains(t, err, "no key")
}

func TestMasks(t *testing.T) {
	for in, want := range map[string]string{
		"13812341234": "138****1234", "+8613812341234": "138****1234", "+14155552671": "+141****2671", "12345": "1***", "": "",
		"010-88886666": "010****6666",
	} {
		require.Equal(t, want, secret.MaskPhone(in), in)
	}
	for in, want := range map[string]string{"lucy@qq.com": "l***@qq.com", "李@例.cn": "李***@例.cn", "@qq.com": "@***", "nonsense": "no****se"} {
		require.Equal(t, want, secret.MaskEmail(in), in)
	}
	require.Equal(t, "110***********1234", secret.MaskIDNumber("110101199003071234"))
	require.Equal(t, "1***", secret.MaskIDNumber("123"))
	for in, want := range map[string]string{"王小明": "王**", "张三": "张*", "欧": "*", "John Smith": "J*** S***", "": "", "迪丽热巴·迪力木拉提": "迪***"} {
		require.Equal(t, want, secret.MaskName(in), in)
	}
	require.Equal(t, "wmAB****89yz", secret.Mask("wmABcdefghijk0123456789yz"))
}

func FuzzOpen(f *testing.F) {
	r := ring(f, 1, 2)
	f.Add(seal(f, r, "f", "value"))
	f.Add("s1.." + r.KeyID())
	f.Add("s1." + r.KeyID() + ".")
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := r.Open("f", s); err == nil && v != "value" {
			t.Fatalf("%q opens as %q", s, v)
		}
	})
}

func FuzzMasks(f *testing.F) {
	f.Add("13812341234")
	f.Fuzz(func(t *testing.T, s string) {
		for _, mask := range []func(string) string{secret.MaskPhone, secret.MaskEmail, secret.MaskIDNumber, secret.MaskName, secret.Mask} {
			if m := mask(s); len(strings.TrimSpace(s)) > 4 && m == s && !strings.Contains(s, "*") {
				t.Fatalf("%q is shown whole", s)
			}
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	r := ring(b, 1)
	for b.Loop() {
		_, _ = r.Seal("contact.phone", "+8613812341234")
	}
}

package secret_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/secret"
)

func TestSealBytes(t *testing.T) {
	r := ring(t, 1)
	for _, v := range []string{"", "a message", strings.Repeat("x", 1<<20)} {
		s, err := r.SealBytes([]byte("head"), "f", []byte(v))
		require.NoError(t, err)
		require.Len(t, s, 4+len(v)+secret.BytesOverhead)
		require.Equal(t, r.KeyID(), secret.BytesKey(s[4:]))
		got, err := r.OpenBytes("f", s[4:])
		require.NoError(t, err)
		require.Equal(t, v, string(got))
		_, err = r.OpenBytes("g", s[4:])
		require.ErrorIs(t, err, secret.ErrDamaged)
		s[len(s)-1] ^= 1
		_, err = r.OpenBytes("f", s[4:])
		require.ErrorIs(t, err, secret.ErrDamaged)
	}
	s, err := ring(t, 2).SealBytes(nil, "f", []byte("v"))
	require.NoError(t, err)
	_, err = r.OpenBytes("f", s)
	require.ErrorIs(t, err, secret.ErrUnknownKey)
	_, err = r.OpenBytes("f", nil)
	require.ErrorIs(t, err, secret.ErrDamaged)
}

func TestFixedTexts(t *testing.T) {
	before, after := ring(t, 1), ring(t, 1, 2)
	phone := []byte("13800138000")
	a, err := before.Fixed("f", phone)
	require.NoError(t, err)
	again, err := before.Fixed("f", phone)
	require.NoError(t, err)
	require.Equal(t, a, again, "equal values are equal")
	other, err := before.Fixed("f", []byte("13800138001"))
	require.NoError(t, err)
	require.NotEqual(t, a[:30], other[:30], "near ones are not near")
	elsewhere, err := before.Fixed("g", phone)
	require.NoError(t, err)
	require.NotEqual(t, a, elsewhere)

	b, err := after.Fixed("f", phone)
	require.NoError(t, err)
	require.NotEqual(t, a, b, "another key")
	forms, err := after.FixedForms("f", phone)
	require.NoError(t, err)
	require.Equal(t, []string{b, a}, forms, "what seals now comes first")
	for _, s := range forms {
		plain, err := after.OpenFixed("f", s)
		require.NoError(t, err)
		require.Equal(t, phone, plain)
	}
	for i := range a {
		changed := a[:i] + string('A'+a[i]%2) + a[i+1:]
		if changed == a {
			continue
		}
		_, err := before.OpenFixed("f", changed)
		require.Error(t, err, i)
	}
	for _, s := range []string{"", "d1.", "d1.00000000.", "d1.zzzzzzzz.AAAAAAAAAAAAAAAAAAAAAAAA", "s1.00000000.AAAAAAAAAAAAAAAAAAAAAAAA"} {
		_, err := before.OpenFixed("f", s)
		require.Error(t, err, s)
	}
}

type memFile struct{ *bytes.Reader }

func (memFile) Close() error { return nil }

func sealFile(t testing.TB, r *secret.Ring, name string, plain []byte) []byte {
	t.Helper()
	s, err := r.SealFile(name, iotest.HalfReader(bytes.NewReader(plain)))
	require.NoError(t, err)
	sealed, err := io.ReadAll(s)
	require.NoError(t, err)
	return sealed
}

func TestSealFiles(t *testing.T) {
	const chunk = 64 << 10
	r := ring(t, 1)
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, chunk - 1, chunk, chunk + 1, 3*chunk - 1, 3 * chunk, 20*chunk + 5} {
		plain := make([]byte, size)
		for i := range plain {
			plain[i] = byte(rnd.Uint32())
		}
		sealed := sealFile(t, r, "f", plain)
		require.EqualValues(t, size, secret.FilePlainSize(int64(len(sealed))))
		require.Equal(t, r.KeyID(), secret.FileKey(sealed))
		open := func() *secret.FileReader {
			f, err := r.OpenFile("f", memFile{bytes.NewReader(sealed)}, int64(len(sealed)))
			require.NoError(t, err)
			return f
		}
		got, err := io.ReadAll(open())
		require.NoError(t, err)
		require.True(t, bytes.Equal(plain, got))
		f := open()
		for range 50 {
			at, n := rnd.IntN(size+1), rnd.IntN(size+2)
			part := make([]byte, n)
			got, err := f.ReadAt(part, int64(at))
			require.True(t, bytes.Equal(plain[at:min(at+n, size)], part[:got]))
			require.Equal(t, at+n > size, err == io.EOF, "%d at %d of %d", n, at, size)
			_, err = f.Seek(int64(at), io.SeekStart)
			require.NoError(t, err)
			rest, err := io.ReadAll(io.LimitReader(f, 100))
			require.NoError(t, err)
			require.True(t, bytes.Equal(plain[at:min(at+100, size)], rest))
		}
		if size <= 1 {
			require.NoError(t, iotest.TestReader(open(), plain), size)
		}
	}
}

func TestDamagedFilesAreNoticed(t *testing.T) {
	const chunk = 64<<10 + 16
	r := ring(t, 1)
	plain := bytes.Repeat([]byte("koipond!"), 3*8<<10+7)
	sealed := sealFile(t, r, "f", plain)
	refused := func(what string, data []byte) {
		t.Helper()
		f, err := r.OpenFile("f", memFile{bytes.NewReader(data)}, int64(len(data)))
		if err == nil {
			_, err = io.ReadAll(f)
		}
		require.Error(t, err, what)
	}
	head := sealed[:secret.FileHeadLen]
	body := sealed[secret.FileHeadLen:]
	one, two, rest := body[:chunk], body[chunk:2*chunk], body[2*chunk:]
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	refused("cut between chunks", join(head, one, two))
	refused("cut in a chunk", sealed[:len(sealed)-100])
	refused("exchanged", join(head, two, one, rest))
	refused("repeated", join(head, one, one, two, rest))
	refused("left out", join(head, one, rest))
	refused("lengthened", join(sealed, []byte("x")))
	for _, at := range []int{0, 5, 12, secret.FileHeadLen + 3, len(sealed) - 1} {
		bad := bytes.Clone(sealed)
		bad[at] ^= 1
		refused("changed", bad)
	}
	_, err := r.OpenFile("g", memFile{bytes.NewReader(sealed)}, int64(len(sealed)))
	require.ErrorIs(t, err, secret.ErrDamaged, "under another name")
	_, err = ring(t, 2).OpenFile("f", memFile{bytes.NewReader(sealed)}, int64(len(sealed)))
	require.ErrorIs(t, err, secret.ErrUnknownKey)
	_, err = r.OpenFile("f", memFile{bytes.NewReader(nil)}, 0)
	require.Error(t, err)
}

func TestRingChangesWhileInUse(t *testing.T) {
	dir := t.TempDir()
	src := secret.Source{Dir: dir}
	r, err := secret.Load(src)
	require.NoError(t, err)
	first := r.KeyID()
	old := seal(t, r, "f", "v")
	id, err := secret.Rotate(secret.FilePath(dir))
	require.NoError(t, err)
	changed, err := r.Reload(src)
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, first, r.KeyID(), "a key that is known is not used before it is said")
	require.NoError(t, r.Use(id))
	require.True(t, r.Stale(old))
	require.Equal(t, id, secret.KeyOf(seal(t, r, "f", "v")))
	changed, err = r.Reload(src)
	require.NoError(t, err)
	require.False(t, changed)
	require.Equal(t, id, r.KeyID())

	require.ErrorIs(t, secret.Remove(secret.FilePath(dir), first), secret.ErrIndexKey)
	second, err := secret.Rotate(secret.FilePath(dir))
	require.NoError(t, err)
	_, err = r.Reload(src)
	require.NoError(t, err)
	require.NoError(t, r.Use(second))
	require.NoError(t, secret.Remove(secret.FilePath(dir), id))
	_, err = r.Reload(src)
	require.NoError(t, err)
	require.Equal(t, []string{first, second}, r.KeyIDs())
	require.ErrorIs(t, r.Use(id), secret.ErrUnknownKey)
}

func TestClearTextIsTold(t *testing.T) {
	r := ring(t, 1)
	for _, clear := range []string{"", "hello", "s1.", "s1.abc.def", "s1.00000000.short"} {
		got, err := r.OpenOrClear("f", clear)
		require.NoError(t, err)
		require.Equal(t, clear, got)
	}
	got, err := r.OpenOrClear("f", seal(t, r, "f", "v"))
	require.NoError(t, err)
	require.Equal(t, "v", got)
}

func BenchmarkFixed(b *testing.B) {
	r := ring(b, 1)
	for b.Loop() {
		_, _ = r.Fixed("fact.value", []byte(`"+8613812341234"`))
	}
}

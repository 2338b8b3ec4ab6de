package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/secret"
)

// engines gives one empty store per engine.
func engines(t *testing.T, fn func(t *testing.T, s blob.Store)) {
	t.Run("folder", func(t *testing.T) {
		s, err := blob.NewFolder(filepath.Join(t.TempDir(), "files"))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		fn(t, s)
	})
	t.Run("s3", func(t *testing.T) {
		_, addr := startFakeS3(t, "pond")
		s, err := blob.NewS3(t.Context(), s3Config(addr))
		require.NoError(t, err)
		fn(t, s)
	})
	t.Run("sealed folder", func(t *testing.T) {
		s, err := blob.NewFolder(filepath.Join(t.TempDir(), "files"))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		fn(t, blob.Seal(s, newRing(t)))
	})
	t.Run("sealed s3", func(t *testing.T) {
		_, addr := startFakeS3(t, "pond")
		s, err := blob.NewS3(t.Context(), s3Config(addr))
		require.NoError(t, err)
		fn(t, blob.Seal(s, newRing(t)))
	})
}

func newRing(t *testing.T) *secret.Ring {
	r, err := secret.NewRing(secret.NewKey())
	require.NoError(t, err)
	return r
}

func s3Config(addr string) blob.S3Config {
	return blob.S3Config{Endpoint: addr, Bucket: "pond", Prefix: "koi/", AccessKey: "ACCESS", SecretKey: "SECRET", Insecure: true}
}

func read(t *testing.T, s blob.Store, key string) string {
	t.Helper()
	r, info, err := s.Get(t.Context(), key)
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.EqualValues(t, len(b), info.Size)
	return string(b)
}

func list(t *testing.T, s blob.Store, prefix string) []string {
	t.Helper()
	out := []string{}
	for info, err := range s.List(t.Context(), prefix) {
		require.NoError(t, err)
		out = append(out, fmt.Sprintf("%s %d", info.Key, info.Size))
	}
	return out
}

func TestPutGetDelete(t *testing.T) {
	engines(t, func(t *testing.T, s blob.Store) {
		ctx := t.Context()
		info, err := s.Put(ctx, "jobs/jb_1/rejects.csv", strings.NewReader("line,why\n"))
		require.NoError(t, err)
		require.EqualValues(t, 9, info.Size)
		require.Equal(t, "jobs/jb_1/rejects.csv", info.Key)
		require.False(t, info.ModifiedAt.IsZero())
		require.Equal(t, "line,why\n", read(t, s, "jobs/jb_1/rejects.csv"))

		_, err = s.Put(ctx, "jobs/jb_1/rejects.csv", strings.NewReader(""))
		require.NoError(t, err)
		require.Equal(t, "", read(t, s, "jobs/jb_1/rejects.csv"), "replaced, even by nothing")

		require.NoError(t, s.Delete(ctx, "jobs/jb_1/rejects.csv"))
		require.NoError(t, s.Delete(ctx, "jobs/jb_1/rejects.csv"), "twice is no error")
		_, _, err = s.Get(ctx, "jobs/jb_1/rejects.csv")
		require.ErrorIs(t, err, blob.ErrNotFound)
		_, err = s.Stat(ctx, "jobs/jb_1")
		require.ErrorIs(t, err, blob.ErrNotFound)
		_, err = s.Stat(ctx, "never")
		require.ErrorIs(t, err, blob.ErrNotFound)
		require.Empty(t, list(t, s, ""))
	})
}

func TestSeekAndReadAt(t *testing.T) {
	engines(t, func(t *testing.T, s blob.Store) {
		_, err := s.Put(t.Context(), "f", strings.NewReader("0123456789"))
		require.NoError(t, err)
		r, _, err := s.Get(t.Context(), "f")
		require.NoError(t, err)
		defer r.Close()
		_, err = r.Seek(7, io.SeekStart)
		require.NoError(t, err)
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, "789", string(b))
		two := make([]byte, 2)
		_, err = r.ReadAt(two, 3)
		require.NoError(t, err)
		require.Equal(t, "34", string(two))
	})
}

func TestLargeFilesStream(t *testing.T) {
	engines(t, func(t *testing.T, s blob.Store) {
		big := bytes.Repeat([]byte("koipond!"), 21<<20/8)                            // three parts
		info, err := s.Put(t.Context(), "big", io.MultiReader(bytes.NewReader(big))) // the length is not known
		require.NoError(t, err)
		require.EqualValues(t, len(big), info.Size)
		require.True(t, read(t, s, "big") == string(big))
	})
}

func TestAFailedPutLeavesTheOldFile(t *testing.T) {
	engines(t, func(t *testing.T, s blob.Store) {
		_, err := s.Put(t.Context(), "f", strings.NewReader("old"))
		require.NoError(t, err)
		broken := errors.New("cable cut")
		for _, length := range []int{100, 9 << 20} {
			_, err = s.Put(t.Context(), "f", io.MultiReader(bytes.NewReader(make([]byte, length)), iotest.ErrReader(broken)))
			require.ErrorIs(t, err, broken)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = s.Put(ctx, "f", strings.NewReader("new"))
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, "old", read(t, s, "f"))
		require.Equal(t, []string{"f 3"}, list(t, s, ""))
	})
}

func TestListIsInOrderOfKey(t *testing.T) {
	engines(t, func(t *testing.T, s blob.Store) {
		for _, k := range []string{"b/c", "a-b", "a/b", "a/b-c/d", "a", "ab"} {
			if k == "a" { // a folder of that name is there; S3 would not mind, but keys do not do this
				continue
			}
			_, err := s.Put(t.Context(), k, strings.NewReader(k))
			require.NoError(t, err)
		}
		require.Equal(t, []string{"a-b 3", "a/b 3", "a/b-c/d 7", "ab 2", "b/c 3"}, list(t, s, ""))
		require.Equal(t, []string{"a/b 3", "a/b-c/d 7"}, list(t, s, "a/"))
		require.Equal(t, []string{"a/b 3", "a/b-c/d 7"}, list(t, s, "a/b"))
		require.Equal(t, []string{"a/b-c/d 7"}, list(t, s, "a/b-c/"))
		require.Empty(t, list(t, s, "none/"))
		for range s.List(t.Context(), "") { // stopping early is fine
			break
		}
		files, size, err := blob.Usage(t.Context(), s, "a")
		require.NoError(t, err)
		require.EqualValues(t, 4, files)
		require.EqualValues(t, 15, size)
	})
}

func TestBadKeys(t *testing.T) {
	engines(t, func(t *testing.T, s blob.Store) {
		for _, k := range []string{"", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", ".half/x", "a/.x", "a\\b", "a b", "a\x00", "中", strings.Repeat("a/", 300) + "a"} {
			_, err := s.Put(t.Context(), k, strings.NewReader("x"))
			require.ErrorIs(t, err, blob.ErrBadKey, k)
			_, _, err = s.Get(t.Context(), k)
			require.ErrorIs(t, err, blob.ErrBadKey, k)
			_, err = s.Stat(t.Context(), k)
			require.ErrorIs(t, err, blob.ErrBadKey, k)
			require.ErrorIs(t, s.Delete(t.Context(), k), blob.ErrBadKey, k)
		}
		require.Empty(t, list(t, s, "../"))
	})
}

func TestManyAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, s blob.Store) {
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				own := fmt.Sprintf("other/%d/f", i)
				if _, err := s.Put(t.Context(), own, strings.NewReader("x")); err != nil {
					t.Error(err)
				}
				if err := s.Delete(t.Context(), own); err != nil { // takes the empty folder along
					t.Error(err)
				}
				if _, err := s.Put(t.Context(), "same/key", strings.NewReader(strings.Repeat(fmt.Sprint(i%10), 1000))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got := read(t, s, "same/key")
		require.Equal(t, strings.Repeat(got[:1], 1000), got, "one of them, whole")
	})
}

func TestFolderDoesNotFollowLinksOut(t *testing.T) {
	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("s"), 0o600))
	dir := t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link")))
	s, err := blob.NewFolder(dir)
	require.NoError(t, err)
	defer s.Close()
	_, _, err = s.Get(t.Context(), "link/secret")
	require.Error(t, err)
	_, err = s.Put(t.Context(), "link/new", strings.NewReader("x"))
	require.Error(t, err)
}

func TestFolderClearsHalfFiles(t *testing.T) {
	dir := t.TempDir()
	s, err := blob.NewFolder(dir)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".half", "crashed"), []byte("x"), 0o600))
	require.Empty(t, list(t, s, ""))
	require.NoError(t, s.Close())
	s, err = blob.NewFolder(dir)
	require.NoError(t, err)
	defer s.Close()
	_, err = os.Stat(filepath.Join(dir, ".half", "crashed"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestS3SaysWhatIsWrong(t *testing.T) {
	fake, addr := startFakeS3(t, "pond")
	cfg := s3Config(addr)
	cfg.Bucket = "lake"
	_, err := blob.NewS3(t.Context(), cfg)
	require.ErrorContains(t, err, `no bucket "lake"`)
	s, err := blob.NewS3(t.Context(), s3Config(addr))
	require.NoError(t, err)
	fake.fail = true
	_, err = s.Stat(t.Context(), "f")
	require.Error(t, err)
	require.NotErrorIs(t, err, blob.ErrNotFound, "down is not gone")
	require.NotContains(t, err.Error(), "SECRET")
}

package app

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A backup is a zstd-compressed tar: manifest.json last, so that a cut-off
// archive is known by its absence; before it the records, the analytics store,
// the facts not yet stored, the files, and the keys.
const (
	manifestName  = "manifest.json"
	archiveFormat = 1
)

// Manifest describes a backup.
type Manifest struct {
	Format    int               `json:"format"`
	Version   string            `json:"version"`
	CreatedAt time.Time         `json:"createdAt"`
	Records   string            `json:"records"` // dialect of the records
	Position  uint64            `json:"position"`
	Pending   int               `json:"pending"` // stream messages not yet stored
	Sums      map[string]string `json:"sums"`    // sha-256 by file
}

type archiveWriter struct {
	tar  *tar.Writer
	zip  *zstd.Encoder
	sums map[string]string
	now  time.Time
}

func newArchive(w io.Writer, now time.Time) (*archiveWriter, error) {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return &archiveWriter{tar: tar.NewWriter(z), zip: z, sums: map[string]string{}, now: now}, nil
}

// add copies one file under name. size must be exact: tar writes it first.
func (a *archiveWriter) add(name string, size int64, r io.Reader) error {
	if err := a.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: a.now}); err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(a.tar, h), io.LimitReader(r, size))
	if err != nil {
		return fmt.Errorf("archive %s: %w", name, err)
	}
	if n != size {
		return fmt.Errorf("archive %s: it shrank from %d to %d bytes while it was read", name, size, n)
	}
	a.sums[name] = hex.EncodeToString(h.Sum(nil))
	return nil
}

func (a *archiveWriter) addFile(name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return a.add(name, info.Size(), f)
}

// addDir copies every file below dir under its path from there.
func (a *archiveWriter) addDir(dir string) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		return a.addFile(filepath.ToSlash(rel), p)
	})
}

func (a *archiveWriter) finish(m Manifest) error {
	m.Format, m.Sums = archiveFormat, a.sums
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := a.tar.WriteHeader(&tar.Header{Name: manifestName, Mode: 0o600, Size: int64(len(b)), ModTime: a.now}); err != nil {
		return err
	}
	if _, err := a.tar.Write(b); err != nil {
		return err
	}
	return errors.Join(a.tar.Close(), a.zip.Close())
}

// unpack writes an archive into the empty folder dir and checks every sum.
func unpack(r io.Reader, dir string) (Manifest, error) {
	var m Manifest
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return m, err
	}
	defer z.Close()
	sums := map[string]string{}
	t := tar.NewReader(z)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return m, fmt.Errorf("this is not a whole koipond backup: %w", err)
		}
		if h.Name == manifestName {
			if err := json.NewDecoder(t).Decode(&m); err != nil {
				return m, fmt.Errorf("read manifest: %w", err)
			}
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(h.Name)) || strings.Contains(h.Name, `\`) {
			return m, fmt.Errorf("the backup names a file outside its folder: %q", h.Name)
		}
		sum, err := extract(t, filepath.Join(dir, filepath.FromSlash(h.Name)))
		if err != nil {
			return m, fmt.Errorf("unpack %s: %w", h.Name, err)
		}
		sums[h.Name] = sum
	}
	switch {
	case m.Format == 0:
		return m, errors.New("the backup is cut off: its manifest is missing")
	case m.Format != archiveFormat:
		return m, fmt.Errorf("the backup has format %d, this program reads %d: use a newer koipond", m.Format, archiveFormat)
	case len(sums) != len(m.Sums):
		return m, fmt.Errorf("the backup holds %d files, its manifest names %d", len(sums), len(m.Sums))
	}
	for name, want := range m.Sums {
		if sums[name] != want {
			return m, fmt.Errorf("%s in the backup is damaged: its checksum differs", name)
		}
	}
	return m, nil
}

func extract(r io.Reader, path string) (sum string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), r)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

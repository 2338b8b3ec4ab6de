package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"
)

// Folder keeps files below a directory. os.Root makes sure that no key, and no
// symbolic link put there, leads out of it.
type Folder struct {
	root *os.Root
}

// half is where files grow before they are renamed into place; keys cannot begin with a dot.
const half = ".half"

// NewFolder opens (and makes) the folder and clears away what a crash left half written.
func NewFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make files folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open files folder: %w", err)
	}
	err = root.RemoveAll(half)
	if err == nil {
		err = root.Mkdir(half, 0o700)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("clear half files: %w", err), root.Close())
	}
	return &Folder{root: root}, nil
}

// Close releases the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Engine implements Store.
func (f *Folder) Engine() string { return "folder" }

// Put implements Store: written aside, synced, renamed.
func (f *Folder) Put(ctx context.Context, key string, r io.Reader) (Info, error) {
	if !Valid(key) {
		return Info{}, ErrBadKey.With("key", key)
	}
	tmp := path.Join(half, rand.Text())
	if err := f.write(ctx, tmp, r); err != nil {
		return Info{}, errors.Join(fmt.Errorf("write file: %w", err), f.root.Remove(tmp))
	}
	err := f.place(tmp, key)
	if err != nil {
		return Info{}, errors.Join(fmt.Errorf("put file in place: %w", err), f.root.Remove(tmp))
	}
	if err := f.sync(path.Dir(key)); err != nil {
		return Info{}, fmt.Errorf("sync folder: %w", err)
	}
	return f.Stat(ctx, key)
}

// place renames; the folder made for it may vanish at once when a Delete finds it empty.
func (f *Folder) place(tmp, key string) (err error) {
	for range 20 {
		if err = f.root.MkdirAll(path.Dir(key), 0o700); err == nil {
			err = f.root.Rename(tmp, key)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

func (f *Folder) write(ctx context.Context, name string, r io.Reader) error {
	w, err := f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, &untilDone{ctx, r})
	if err == nil {
		err = w.Sync()
	}
	return errors.Join(err, w.Close())
}

// sync makes the rename survive a power cut.
func (f *Folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// untilDone stops a copy when its context ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u *untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// Get implements Store.
func (f *Folder) Get(_ context.Context, key string) (Reader, Info, error) {
	if !Valid(key) {
		return nil, Info{}, ErrBadKey.With("key", key)
	}
	file, err := f.root.Open(key)
	if err != nil {
		return nil, Info{}, f.missing(key, err)
	}
	st, err := file.Stat()
	if err == nil && st.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, Info{}, errors.Join(f.missing(key, err), file.Close())
	}
	return file, info(key, st), nil
}

// Stat implements Store.
func (f *Folder) Stat(_ context.Context, key string) (Info, error) {
	if !Valid(key) {
		return Info{}, ErrBadKey.With("key", key)
	}
	st, err := f.root.Stat(key)
	if err == nil && st.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return Info{}, f.missing(key, err)
	}
	return info(key, st), nil
}

func info(key string, st fs.FileInfo) Info {
	return Info{Key: key, Size: st.Size(), ModifiedAt: st.ModTime().UTC()}
}

func (f *Folder) missing(key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "not a directory") {
		return ErrNotFound.With("key", key)
	}
	return fmt.Errorf("open file %s: %w", key, err)
}

// Delete implements Store. Folders left empty go too.
func (f *Folder) Delete(ctx context.Context, key string) error {
	if _, err := f.Stat(ctx, key); err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	if err := f.root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete file %s: %w", key, err)
	}
	for dir := path.Dir(key); dir != "."; dir = path.Dir(dir) {
		if f.root.Remove(dir) != nil { // not empty: somebody else's files are there
			break
		}
	}
	return nil
}

// List implements Store. It reads all names first: order by key is not the order of folders.
func (f *Folder) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		all, err := f.collect(ctx, prefix)
		if err != nil {
			yield(Info{}, fmt.Errorf("list files: %w", err))
			return
		}
		for _, i := range all {
			if !yield(i, nil) {
				return
			}
		}
	}
}

func (f *Folder) collect(ctx context.Context, prefix string) ([]Info, error) {
	start := "."
	if i := strings.LastIndexByte(prefix, '/'); i > 0 {
		if start = prefix[:i]; !Valid(start) {
			return nil, nil
		}
	}
	var all []Info
	err := fs.WalkDir(f.root.FS(), start, func(p string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // gone since its folder was read, or nothing is there yet
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case e.IsDir() && p == half:
			return fs.SkipDir
		case e.IsDir() || !strings.HasPrefix(p, prefix):
			return nil
		}
		st, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			all = append(all, info(p, st))
		}
		return err
	})
	slices.SortFunc(all, func(a, b Info) int { return strings.Compare(a.Key, b.Key) })
	return all, err
}

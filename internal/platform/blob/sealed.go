package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/secret"
)

// sealedSuffix ends the keys under which an engine keeps sealed files; files
// without it were stored in clear by an older program.
const sealedSuffix = ".koi"

// Sealed is a Store whose engine sees sealed files only: see secret.Ring.SealFile.
// Files that were stored in clear stay readable; Reseal brings them up to date.
type Sealed struct {
	engine Store
	keys   *secret.Ring
}

var _ Store = (*Sealed)(nil)

// Seal puts sealing in front of an engine.
func Seal(engine Store, keys *secret.Ring) *Sealed { return &Sealed{engine, keys} }

// Engine implements Store.
func (s *Sealed) Engine() string { return s.engine.Engine() }

// Raw is the engine, for backups: they take the files as they lie.
func (s *Sealed) Raw() Store { return s.engine }

// Put implements Store.
func (s *Sealed) Put(ctx context.Context, key string, r io.Reader) (Info, error) {
	if !Valid(key + sealedSuffix) {
		return Info{}, ErrBadKey.With("key", key)
	}
	sealed, err := s.keys.SealFile(key, r)
	if err != nil {
		return Info{}, err
	}
	info, err := s.engine.Put(ctx, key+sealedSuffix, sealed)
	if err != nil {
		return Info{}, err
	}
	if err := s.engine.Delete(ctx, key); err != nil { // what was there in clear is replaced
		return Info{}, err
	}
	return plainInfo(info), nil
}

func plainInfo(i Info) Info {
	if key, ok := strings.CutSuffix(i.Key, sealedSuffix); ok {
		i.Key = key
		i.Size = max(secret.FilePlainSize(i.Size), 0)
	}
	return i
}

// Get implements Store.
func (s *Sealed) Get(ctx context.Context, key string) (Reader, Info, error) {
	if !Valid(key + sealedSuffix) {
		return nil, Info{}, ErrBadKey.With("key", key)
	}
	f, info, err := s.engine.Get(ctx, key+sealedSuffix)
	if errors.Is(err, ErrNotFound) {
		return s.engine.Get(ctx, key)
	}
	if err != nil {
		return nil, Info{}, err
	}
	open, err := s.keys.OpenFile(key, f, info.Size)
	if err != nil {
		return nil, Info{}, errors.Join(fmt.Errorf("open file %s: %w", key, err), f.Close())
	}
	return open, plainInfo(info), nil
}

// Stat implements Store.
func (s *Sealed) Stat(ctx context.Context, key string) (Info, error) {
	if !Valid(key + sealedSuffix) {
		return Info{}, ErrBadKey.With("key", key)
	}
	info, err := s.engine.Stat(ctx, key+sealedSuffix)
	if errors.Is(err, ErrNotFound) {
		return s.engine.Stat(ctx, key)
	}
	return plainInfo(info), err
}

// Delete implements Store.
func (s *Sealed) Delete(ctx context.Context, key string) error {
	if !Valid(key + sealedSuffix) {
		return ErrBadKey.With("key", key)
	}
	return errors.Join(s.engine.Delete(ctx, key+sealedSuffix), s.engine.Delete(ctx, key))
}

// List implements Store. The suffix changes the order of keys, so all are read first.
func (s *Sealed) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		var all []Info
		for i, err := range s.engine.List(ctx, prefix) {
			if err != nil {
				yield(Info{}, err)
				return
			}
			if i = plainInfo(i); strings.HasPrefix(i.Key, prefix) {
				all = append(all, i)
			}
		}
		slices.SortStableFunc(all, func(a, b Info) int { return strings.Compare(a.Key, b.Key) })
		// A file may lie in both forms for the moment in which it is sealed.
		all = slices.CompactFunc(all, func(a, b Info) bool { return a.Key == b.Key })
		for _, i := range all {
			if !yield(i, nil) {
				return
			}
		}
	}
}

// KeyOf names the key that sealed a file; "" when it lies in clear.
func (s *Sealed) KeyOf(ctx context.Context, key string) (string, error) {
	f, _, err := s.engine.Get(ctx, key+sealedSuffix)
	if errors.Is(err, ErrNotFound) {
		if _, err := s.engine.Stat(ctx, key); err != nil {
			return "", err
		}
		return "", nil
	}
	if err != nil {
		return "", err
	}
	head := make([]byte, secret.FileHeadLen)
	_, err = f.ReadAt(head, 0)
	return secret.FileKey(head), errors.Join(err, f.Close())
}

// Reseal stores a file anew when another key than the newest sealed it, or none.
func (s *Sealed) Reseal(ctx context.Context, key string) (changed bool, err error) {
	under, err := s.KeyOf(ctx, key)
	if errors.Is(err, ErrNotFound) || err == nil && under == s.keys.KeyID() {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	f, _, err := s.Get(ctx, key)
	if err != nil {
		return false, err
	}
	_, err = s.Put(ctx, key, f)
	return err == nil, errors.Join(err, f.Close())
}

package blob

import (
	"context"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Info is what is known of a file without reading it.
type Info struct {
	Key        string
	Size       int64
	ModifiedAt time.Time
}

// Reader reads a file from anywhere: imports go on in the middle of one, and
// spreadsheets are read by place.
type Reader interface {
	io.ReadSeekCloser
	io.ReaderAt
}

// Store keeps files. One contract suite runs against every engine. All methods
// refuse a bad key (see Valid) with ErrBadKey, and are safe for concurrent use.
type Store interface {
	// Put stores everything r gives, however long, and replaces an older file.
	// When r or the store fails, the older file stays; no half file ever shows.
	Put(ctx context.Context, key string, r io.Reader) (Info, error)
	// Get opens a file; ErrNotFound when there is none. Close it. A file that
	// is replaced or deleted meanwhile reads to its end or fails, never mixes.
	Get(ctx context.Context, key string) (Reader, Info, error)
	// Stat is Get without reading.
	Stat(ctx context.Context, key string) (Info, error)
	// Delete removes a file; that there is none is no error.
	Delete(ctx context.Context, key string) error
	// List gives the files whose keys begin with prefix ("" all), in order of key.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Engine names the engine for the status page: "folder" or "s3".
	Engine() string
}

// Faults that every engine reports alike.
var (
	ErrNotFound = errs.New(errs.NotFound, "blob.not_found")
	ErrBadKey   = errs.New(errs.Invalid, "blob.bad_key")
)

const maxKey = 512

// Valid tells whether key may name a file: parts of letters, digits and
// `._-` between slashes, none beginning with a dot, 512 characters at most.
func Valid(key string) bool {
	if key == "" || len(key) > maxKey {
		return false
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part[0] == '.' || len(part) > 200 {
			return false
		}
		for i := range len(part) {
			c := part[i]
			if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c == '.') {
				return false
			}
		}
	}
	return true
}

// Usage adds up the files below prefix.
func Usage(ctx context.Context, s Store, prefix string) (files, bytes int64, err error) {
	for info, err := range s.List(ctx, prefix) {
		if err != nil {
			return files, bytes, err
		}
		files++
		bytes += info.Size
	}
	return files, bytes, nil
}

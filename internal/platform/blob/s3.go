package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Config says where an S3-compatible store is. Buckets are addressed by
// path, which every such store understands.
type S3Config struct {
	Endpoint  string // host:port
	Region    string // "" lets the store say
	Bucket    string
	Prefix    string // put before every key, e.g. "koipond/"; "" for a bucket of our own
	AccessKey string
	SecretKey string
	Insecure  bool // plain HTTP: for a store on the same machine
	// Transport replaces the HTTP transport; nil: the client's own.
	Transport http.RoundTripper
}

// S3 keeps files in a bucket.
type S3 struct {
	client *minio.Client
	bucket string
	prefix string
}

// partSize bounds the memory of one upload of unknown length; 10,000 parts make 80 GB the largest file.
const partSize = 8 << 20

// NewS3 connects and checks that the bucket is there.
func NewS3(ctx context.Context, cfg S3Config) (*S3, error) {
	c, err := minio.New(cfg.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""), Secure: !cfg.Insecure,
		Region: cfg.Region, BucketLookup: minio.BucketLookupPath, Transport: cfg.Transport,
	})
	if err != nil {
		return nil, fmt.Errorf("set up files store: %w", err)
	}
	ok, err := c.BucketExists(ctx, cfg.Bucket)
	if err != nil {
		return nil, fmt.Errorf("reach files store at %s: %w", cfg.Endpoint, err)
	}
	if !ok {
		return nil, fmt.Errorf("the files store at %s has no bucket %q", cfg.Endpoint, cfg.Bucket)
	}
	return &S3{client: c, bucket: cfg.Bucket, prefix: cfg.Prefix}, nil
}

// Engine implements Store.
func (s *S3) Engine() string { return "s3" }

// Put implements Store. Small files go in one request, others in parts that
// become a file only when the last has arrived.
func (s *S3) Put(ctx context.Context, key string, r io.Reader) (Info, error) {
	if !Valid(key) {
		return Info{}, ErrBadKey.With("key", key)
	}
	var head bytes.Buffer
	size, err := io.CopyN(&head, r, partSize)
	switch {
	case err == nil: // there is more
		size, r = -1, io.MultiReader(&head, r)
	case errors.Is(err, io.EOF):
		r = bytes.NewReader(head.Bytes())
	default:
		return Info{}, fmt.Errorf("read what to store: %w", err)
	}
	_, err = s.client.PutObject(ctx, s.bucket, s.prefix+key, r, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", PartSize: partSize, NumThreads: 1})
	if err != nil {
		return Info{}, fmt.Errorf("put file %s: %w", key, err)
	}
	return s.Stat(ctx, key)
}

// Get implements Store.
func (s *S3) Get(ctx context.Context, key string) (Reader, Info, error) {
	info, err := s.Stat(ctx, key) // the client itself connects only at the first read
	if err != nil {
		return nil, Info{}, err
	}
	o, err := s.client.GetObject(ctx, s.bucket, s.prefix+key, minio.GetObjectOptions{})
	if err != nil {
		return nil, Info{}, s.missing(key, err)
	}
	return o, info, nil
}

// Stat implements Store.
func (s *S3) Stat(ctx context.Context, key string) (Info, error) {
	if !Valid(key) {
		return Info{}, ErrBadKey.With("key", key)
	}
	o, err := s.client.StatObject(ctx, s.bucket, s.prefix+key, minio.StatObjectOptions{})
	if err != nil {
		return Info{}, s.missing(key, err)
	}
	return Info{Key: key, Size: o.Size, ModifiedAt: o.LastModified.UTC()}, nil
}

func (s *S3) missing(key string, err error) error {
	if minio.ToErrorResponse(err).StatusCode == http.StatusNotFound {
		return ErrNotFound.With("key", key)
	}
	return fmt.Errorf("open file %s: %w", key, err)
}

// Delete implements Store.
func (s *S3) Delete(ctx context.Context, key string) error {
	if !Valid(key) {
		return ErrBadKey.With("key", key)
	}
	if err := s.client.RemoveObject(ctx, s.bucket, s.prefix+key, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("delete file %s: %w", key, err)
	}
	return nil
}

// List implements Store.
func (s *S3) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // stops the client's paging when the caller has enough
		defer cancel()
		for o := range s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true}) {
			if o.Err != nil {
				yield(Info{}, fmt.Errorf("list files: %w", o.Err))
				return
			}
			i := Info{Key: strings.TrimPrefix(o.Key, s.prefix), Size: o.Size, ModifiedAt: o.LastModified.UTC()}
			if !yield(i, nil) {
				return
			}
		}
	}
}

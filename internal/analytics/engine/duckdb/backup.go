package duckdb

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/koipond/koipond/internal/analytics"
)

// Backup implements analytics.Store. It checkpoints, forbids the next
// checkpoint and copies the file while appends go to the log: between
// checkpoints DuckDB changes no block that the last one refers to, so the copy is
// the store as of that checkpoint. The copy has the file's own name.
func (s *Store) Backup(ctx context.Context, dir string) error {
	s.pinned.Lock()
	defer s.pinned.Unlock()
	if err := s.settle(ctx); err != nil {
		return fmt.Errorf("back up analytics: %w", err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("back up analytics: %w", err)
	}
	if err := s.copyTo(ctx, filepath.Join(dir, filepath.Base(s.path))); err != nil {
		return fmt.Errorf("back up analytics: %w", err)
	}
	return nil
}

// settle makes the file hold everything stored so far.
func (s *Store) settle(ctx context.Context) error {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if s.closed {
		return analytics.ErrClosed
	}
	if err := s.gate.Acquire(ctx, readers); err != nil {
		return err
	}
	defer s.gate.Release(readers)
	if err := s.checkpoint(ctx, mergesInFlood); err != nil {
		return err
	}
	if s.copyFD != nil {
		return nil
	}
	// Opened once and kept until Close: closing any descriptor of the file would
	// drop the lock by which DuckDB keeps other processes out.
	fd, err := os.Open(s.path)
	if err != nil {
		return err
	}
	s.copyFD = fd
	return nil
}

func (s *Store) copyTo(ctx context.Context, target string) (err error) {
	info, err := s.copyFD.Stat()
	if err != nil {
		return err
	}
	partial := target + ".partial"
	out, err := os.OpenFile(partial, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = out.Close() // the first error is the one that counts
			_ = os.Remove(partial)
		}
	}()
	src := &untilDone{ctx: ctx, stop: s.stop, r: io.NewSectionReader(s.copyFD, 0, info.Size())}
	if _, err := io.Copy(out, src); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(partial, target)
}

// untilDone is a reader that ends with its context, or when the store closes.
type untilDone struct {
	ctx  context.Context
	stop <-chan struct{}
	r    io.Reader
}

func (u *untilDone) Read(p []byte) (int, error) {
	select {
	case <-u.stop:
		return 0, analytics.ErrClosed
	case <-u.ctx.Done():
		return 0, u.ctx.Err()
	default:
		return u.r.Read(p)
	}
}

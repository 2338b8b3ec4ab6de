package duckdb

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
)

// The log (path.wal) is folded into the file when it passes softLog, if no
// question that began before is still running; past hardLog the writer waits for
// the running questions, so that neither the log nor the memory that backs it
// grows without bound under constant reading. What the log holds, DuckDB holds in
// memory too, several times as large: softLog decides what a flood needs.
const (
	softLog = 16 << 20
	hardLog = 128 << 20
)

// A checkpoint writes what is new and, if it may, merges neighbouring stretches of
// facts that are not full ones, which means compressing them all over again: with
// ten million facts that made one checkpoint in four take 1.5 s instead of 0.25 s.
// So in a flood it merges nothing, and in idle times only a few at once.
const (
	mergesInFlood = 0
	mergesIdle    = 4
)

// leanMB is the memory limit while a flood comes in and nobody asks: storing
// needs no more, and would use what it is given. The first question has the
// whole limit again.
const leanMB = 64

// idleBefore is how long after the last question or write memory is given back.
const idleBefore = 10 * time.Second

func (s *Store) walPath() string { return s.path + ".wal" }

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0 // no log: nothing was written since the last checkpoint
	}
	return info.Size()
}

// checkpointIfDue runs after each commit. Under wmu.
func (s *Store) checkpointIfDue(ctx context.Context) {
	s.lastUse.Store(clock.Ms(s.clock.Now()))
	size := fileSize(s.walPath())
	if size < s.soft || !s.pinned.TryLock() {
		return
	}
	defer s.pinned.Unlock()
	if size < s.hard {
		if !s.gate.TryAcquire(readers) {
			return
		}
	} else if err := s.gate.Acquire(ctx, readers); err != nil {
		return // the caller gave up waiting; the data is stored, the next write tries again
	}
	defer s.gate.Release(readers)
	// What fails here fails nothing: the data is in the log, and later commits try again.
	if err := s.checkpoint(context.WithoutCancel(ctx), mergesInFlood); err != nil {
		s.log.WarnContext(ctx, "analytics checkpoint failed", "error", err, "log_bytes", size)
		return
	}
	// In a flood that nobody asks about, the blocks just written would fill the
	// memory up to its limit for nothing.
	if s.clock.Now().Before(clock.FromMs(s.lastAsk.Load()).Add(idleBefore)) {
		return
	}
	s.lean.Store(s.leaner)
	if err := s.dropBlocks(context.WithoutCancel(ctx)); err != nil {
		s.log.WarnContext(ctx, "giving back analytics memory failed", "error", err)
	}
}

// wake ends a lean time: what comes now may need the whole memory limit.
func (s *Store) wake(ctx context.Context) error {
	if !s.lean.Load() {
		return nil
	}
	if _, err := s.readDB.ExecContext(ctx, `SET memory_limit = '`+s.limit+`'`); err != nil {
		return fmt.Errorf("raise analytics memory: %w", err)
	}
	s.lean.Store(false)
	return nil
}

// roomier tells whether what failed is worth another try because it failed for
// want of memory in a lean time, which it ends.
func (s *Store) roomier(ctx context.Context, err error) bool {
	return err != nil && s.lean.Load() && outOfMemory(err) && s.wake(ctx) == nil
}

// outOfMemory tells whether DuckDB failed for want of memory. Its appender says
// so without the name of the error.
func outOfMemory(err error) bool {
	return strings.Contains(err.Error(), "Out of Memory") || strings.Contains(err.Error(), "failed to allocate data of size") || strings.Contains(err.Error(), "could not allocate block of size")
}

// checkpoint folds the log into the file and merges so many stretches of facts
// that are not full. Under wmu, with the gate closed to questions.
func (s *Store) checkpoint(ctx context.Context, merges int) error {
	if _, err := s.writer.ExecContext(ctx, fmt.Sprintf(`SET max_vacuum_tasks = %d`, merges)); err != nil {
		return fmt.Errorf("checkpoint analytics: %w", err)
	}
	_, err := s.writer.ExecContext(ctx, `CHECKPOINT`)
	if s.roomier(ctx, err) {
		_, err = s.writer.ExecContext(ctx, `CHECKPOINT`)
	}
	if err != nil {
		return fmt.Errorf("checkpoint analytics: %w", err)
	}
	return nil
}

// trimWhenIdle gives memory back some time after the last use, until Close.
func (s *Store) trimWhenIdle() {
	defer close(s.done)
	tick := time.NewTicker(idleBefore / 2)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			last := s.lastUse.Load()
			if last == 0 || s.clock.Now().Before(clock.FromMs(last).Add(idleBefore)) {
				continue
			}
			if s.wmu.TryLock() {
				if err := s.trim(context.Background()); err != nil {
					s.log.Warn("giving back analytics memory failed", "error", err)
				}
				s.wmu.Unlock()
			}
		}
	}
}

// trim folds the log into the file, which frees what backs it and makes the next
// start quick, and has DuckDB drop the blocks it keeps for later questions. Under
// wmu; does nothing while questions run.
func (s *Store) trim(ctx context.Context) error {
	if s.closed || !s.gate.TryAcquire(readers) {
		return nil
	}
	defer s.gate.Release(readers)
	s.lastUse.Store(0)
	if fileSize(s.walPath()) > 0 && s.pinned.TryLock() {
		defer s.pinned.Unlock()
		if err := s.checkpoint(ctx, mergesIdle); err != nil {
			return err
		}
	}
	return s.dropBlocks(ctx)
}

// dropBlocks has DuckDB forget the blocks it keeps for later questions. Under
// wmu, with the gate closed to questions.
func (s *Store) dropBlocks(ctx context.Context) error {
	// A limit below what is in use is refused after everything unused was dropped: just what we want.
	_, err := s.writer.ExecContext(ctx, `SET memory_limit = '1MiB'`)
	if err != nil && !strings.Contains(err.Error(), "Out of Memory") {
		return fmt.Errorf("lower analytics memory: %w", err)
	}
	limit := s.limit
	if s.lean.Load() {
		limit = strconv.Itoa(leanMB) + "MiB"
	}
	if _, err := s.writer.ExecContext(ctx, `SET memory_limit = '`+limit+`'`); err != nil {
		return fmt.Errorf("restore analytics memory: %w", err)
	}
	return nil
}

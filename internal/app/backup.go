package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

var (
	errBackupRuns   = errs.New(errs.Conflict, "backup.running")
	errNotPostgres  = errors.New("the backup's records are PostgreSQL's: name an empty database with --database-url")
	errNotSQLite    = errors.New("the backup's records are SQLite's: restore it without --database-url")
	errDatabaseFull = errors.New("the database holds tables already: name an empty one with --database-url")
	errNotEmpty     = errors.New("the data folder is not empty: restore into a new one (--data), then put it in place of the old")
)

// names inside a backup and below the data folder.
const (
	inRecords   = "records/koipond.db"
	inTables    = "records/postgres"
	inAnalytics = "analytics"
	inStream    = "stream.dump"
	inFiles     = "files"
	inKeys      = "koipond.key"
)

// Backup writes a consistent copy of all stores while the server runs. Facts
// go on being taken: only the pipeline stands still while the stores are
// copied to a folder beside the data; the archive is written from there.
func (a *App) Backup(ctx context.Context, w io.Writer) (err error) {
	tmp, err := os.MkdirTemp(a.cfg.Data, ".backup-")
	if err != nil {
		return fmt.Errorf("make room for the backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	m, err := a.snapshot(ctx, tmp)
	if err != nil {
		return err
	}
	if err := a.pack(ctx, w, tmp, m); err != nil {
		return err
	}
	return a.state.set(ctx, stateBackup, strconv.FormatInt(clock.Ms(a.clock.Now()), 10))
}

func (a *App) snapshot(ctx context.Context, tmp string) (Manifest, error) {
	m := Manifest{Version: a.build.Version, CreatedAt: a.clock.Now(), Records: string(a.DB.Dialect())}
	resume, err := a.pipe.Pause(ctx)
	if err != nil {
		return m, fmt.Errorf("pause the pipeline: %w", err)
	}
	defer resume()
	pos, err := a.store.Position(ctx)
	if err != nil {
		return m, err
	}
	m.Position = pos.Seq
	if err := os.MkdirAll(filepath.Join(tmp, "records"), 0o700); err != nil {
		return m, err
	}
	if a.cfg.DatabaseURL != "" {
		err = a.DB.Dump(ctx, filepath.Join(tmp, filepath.FromSlash(inTables)))
	} else {
		err = a.DB.Backup(ctx, filepath.Join(tmp, filepath.FromSlash(inRecords)))
	}
	if err != nil {
		return m, fmt.Errorf("copy the records: %w", err)
	}
	if err := a.store.Backup(ctx, filepath.Join(tmp, inAnalytics)); err != nil {
		return m, fmt.Errorf("copy the analytics store: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(tmp, inStream), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return m, err
	}
	m.Pending, err = a.stream.Dump(ctx, f)
	return m, errors.Join(err, f.Close())
}

func (a *App) pack(ctx context.Context, w io.Writer, tmp string, m Manifest) error {
	out, err := newArchive(w, m.CreatedAt)
	if err != nil {
		return err
	}
	if err := out.addDir(tmp); err != nil {
		return err
	}
	if _, err := os.Stat(a.cfg.keyPath()); err == nil && a.cfg.Key == "" {
		if err := out.addFile(inKeys, a.cfg.keyPath()); err != nil {
			return err
		}
	}
	for info, err := range a.files.Raw().List(ctx, "") {
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		if err := a.packFile(ctx, out, info); err != nil {
			return err
		}
	}
	return out.finish(m)
}

func (a *App) packFile(ctx context.Context, out *archiveWriter, info blob.Info) error {
	r, now, err := a.files.Raw().Get(ctx, info.Key)
	if errs.As(err) != nil && errs.As(err).Kind == errs.NotFound {
		return nil // removed since it was listed
	}
	if err != nil {
		return err
	}
	return errors.Join(out.add(inFiles+"/"+info.Key, now.Size, r), r.Close())
}

// serveBackup streams a backup. Headers go out with the first byte, so an
// error after that cuts the connection: an archive without its end is refused by restore.
//
// A backup holds everything, the keys and the hashes of passwords too, so it
// takes every permission. The download is recorded before its first byte: one
// that is broken off at the last byte has been taken all the same.
func (a *App) serveBackup(w http.ResponseWriter, r *http.Request) {
	for _, p := range auth.All() {
		if !auth.From(r.Context()).May(p) {
			httpx.WriteError(w, r, errs.New(errs.Forbidden, "permission.denied", "permission", string(p)))
			return
		}
	}
	if !a.backingUp.TryLock() {
		httpx.WriteError(w, r, errBackupRuns)
		return
	}
	defer a.backingUp.Unlock()
	name := "koipond-" + a.clock.Now().Format("20060102-150405") + ".tar.zst"
	lazy := &lazyWriter{w: w, name: name, first: func() error {
		return a.Audit.Record(r.Context(), "system.backed_up", audit.Object{Type: "system", ID: "backup", Name: name}, nil)
	}}
	if err := a.Backup(r.Context(), lazy); err != nil {
		if !lazy.begun {
			httpx.WriteError(w, r, err)
			return
		}
		a.log.ErrorContext(r.Context(), "backup cut off", "error", err)
		panic(http.ErrAbortHandler)
	}
}

type lazyWriter struct {
	w     http.ResponseWriter
	name  string
	first func() error // must succeed before anything is sent
	begun bool
}

// Write implements io.Writer.
func (l *lazyWriter) Write(p []byte) (int, error) {
	if !l.begun {
		if err := l.first(); err != nil {
			return 0, fmt.Errorf("record the backup: %w", err)
		}
		l.begun = true
		h := l.w.Header()
		h.Set("Content-Type", "application/zstd")
		h.Set("Content-Disposition", `attachment; filename="`+l.name+`"`)
		h.Set("Cache-Control", "no-store")
	}
	return l.w.Write(p)
}

// Restore makes a data folder from a backup. The folder must be new or empty.
func Restore(ctx context.Context, cfg Config, from io.Reader) (Manifest, error) {
	var m Manifest
	entries, err := os.ReadDir(cfg.Data)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return m, err
	}
	if len(entries) > 0 {
		return m, errNotEmpty
	}
	if err := cfg.makeData(); err != nil {
		return m, err
	}
	if m, err = unpack(from, cfg.Data); err == nil {
		err = restoreRecords(ctx, cfg, m)
	}
	if err == nil {
		err = restoreStream(ctx, cfg)
	}
	if err != nil {
		return m, errors.Join(err, clearFolder(cfg.Data))
	}
	return m, nil
}

// restoreRecords fills an empty PostgreSQL from the dump; SQLite's file is in
// place already.
func restoreRecords(ctx context.Context, cfg Config, m Manifest) (err error) {
	switch {
	case m.Records != string(db.Postgres) && cfg.DatabaseURL != "":
		return errNotSQLite
	case m.Records != string(db.Postgres):
		return nil
	case cfg.DatabaseURL == "":
		return errNotPostgres
	}
	d, err := db.Open(ctx, db.Config{URL: cfg.DatabaseURL})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	empty, err := d.Empty(ctx)
	if err != nil {
		return err
	}
	if !empty {
		return errDatabaseFull
	}
	if _, err := d.Migrate(ctx, migrationSets()...); err != nil {
		return err
	}
	dir := filepath.Join(cfg.Data, filepath.FromSlash(inTables))
	if err := d.Undump(ctx, dir); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

func restoreStream(ctx context.Context, cfg Config) (err error) {
	dump := filepath.Join(cfg.Data, inStream)
	f, err := os.Open(dump)
	if err != nil {
		return fmt.Errorf("the backup holds no stream: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(dump)) }()
	b, err := bus.Open(ctx, bus.Config{Dir: cfg.streamDir()})
	if err != nil {
		return err
	}
	_, err = b.Load(ctx, bus.StreamConfig{Name: streamName, MaxBytes: cfg.StreamMaxBytes}, f)
	return errors.Join(err, b.Close(ctx))
}

// clearFolder leaves the folder as it was found: empty.
func clearFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Backup writes a consistent copy of a SQLite database into a new file: the
// state at one moment, while others read and write. It holds up nobody, but
// the write-ahead log cannot shrink until it is done. PostgreSQL has tools of
// its own (pg_dump); there it is an error.
func (d *DB) Backup(ctx context.Context, file string) (err error) {
	if d.dialect != SQLite {
		return errors.New("db: back PostgreSQL up with pg_dump")
	}
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("back up records: %s exists", file)
	}
	own, err := openPool(ctx, dsn(d.path), 1) // a connection of its own: a reader's is query-only, the writer's is needed
	if err != nil {
		return fmt.Errorf("back up records: %w", err)
	}
	defer func() {
		if err = errors.Join(err, own.Close()); err != nil { // half a copy must not pass for one
			err = errors.Join(err, removeIfThere(file))
		}
	}()
	if _, err := own.ExecContext(ctx, "vacuum into ?", file); err != nil {
		return fmt.Errorf("back up records: %w", err)
	}
	return errors.Join(syncPath(file), syncPath(filepath.Dir(file)))
}

func removeIfThere(file string) error {
	if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// syncPath makes a file or a folder survive a power cut: SQLite does not sync what VACUUM INTO writes.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

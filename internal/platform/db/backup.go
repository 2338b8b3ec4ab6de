package db

import (
	"context"
	"errors"
)

// Backup writes a consistent copy of a SQLite database into a new file while
// others read and write. PostgreSQL has tools of its own for this.
func (d *DB) Backup(ctx context.Context, file string) error {
	if d.dialect != SQLite {
		return errors.New("db: back PostgreSQL up with pg_dump")
	}
	_, err := d.Exec(ctx, "vacuum into $1", file)
	return err
}

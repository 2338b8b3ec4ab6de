package wecom

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of what is read from WeCom bit by bit.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "wecom", FS: sub}
}

// cursors remember where reading goes on.
type cursors struct {
	db    *db.DB
	clock clock.Clock
}

// get gives where to go on, "" from the beginning.
func (c cursors) get(ctx context.Context, account, name string) (string, error) {
	var v string
	err := c.db.QueryRow(ctx, "select value from wecom_cursors where account = $1 and name = $2", account, name).Scan(&v)
	if db.NoRows(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read cursor: %w", err)
	}
	return v, nil
}

func (c cursors) set(ctx context.Context, account, name, value string) error {
	_, err := c.db.Exec(ctx, `insert into wecom_cursors (account, name, value, at) values ($1, $2, $3, $4)
		on conflict (account, name) do update set value = excluded.value, at = excluded.at`, account, name, value, clock.Ms(c.clock.Now()))
	if err != nil {
		return fmt.Errorf("keep cursor: %w", err)
	}
	return nil
}

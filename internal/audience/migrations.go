package audience

import (
	"embed"
	"io/fs"

	"github.com/koipond/koipond/internal/platform/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of segments and of sets.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "audience", FS: sub}
}

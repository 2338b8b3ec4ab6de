//go:build console

package web

import (
	"embed"
	"io/fs"
)

//go:embed dist
var built embed.FS

// Files is the built console: index.html and everything it loads.
func Files() (fs.FS, error) { return fs.Sub(built, "dist") }

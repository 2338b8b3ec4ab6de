//go:build !console

package web

import (
	"embed"
	"io/fs"
)

//go:embed stub
var stub embed.FS

// Files is one plain page that says how to build the console: this program was
// compiled without the "console" build tag, so that work on the server needs no
// Node.
func Files() (fs.FS, error) { return fs.Sub(stub, "stub") }

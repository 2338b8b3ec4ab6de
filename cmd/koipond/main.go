// Command koipond is the whole product: server, console and tools in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "koipond: "+words(err))
		os.Exit(1)
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "koipond",
		Short: "Koipond 锦池: run your private domain on your own ground",
		Long: "Koipond 锦池 keeps a company's customers on its own ground: it brings in what they did,\n" +
			"knows who they are, and shows how the pond is doing. One binary, one data folder.\n\n" +
			"Settings come from flags, then KOIPOND_ variables, then an optional YAML file.",
		Example:       "  koipond demo                                  a made-up brand to try everything on\n  koipond serve --data /var/lib/koipond         the real thing\n  koipond import orders orders.csv.gz           bring in a file",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	addConfigFlags(cmd)
	cmd.AddCommand(serveCmd(), demoCmd(), importCmd(), tokenCmd(), writekeyCmd(), userCmd(), auditCmd(),
		backupCmd(), restoreCmd(), doctorCmd(), migrateCmd(), configCmd(), versionCmd(), openapiCmd())
	return cmd
}

// words turns an error into what a person at a terminal reads, in the language of the shell.
func words(err error) string {
	var e *errs.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	lang := i18n.FromEnv(os.Getenv)
	s := i18n.Translate(lang, e.Code, e.Params)
	for _, f := range e.Fields {
		s += "\n  " + f.Path + ": " + i18n.Translate(lang, f.Code, f.Params)
	}
	if e.Kind == errs.Internal && e.Unwrap() != nil {
		s += "\n  " + e.Unwrap().Error()
	}
	return s
}

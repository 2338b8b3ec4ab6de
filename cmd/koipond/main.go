// Command koipond is the whole product: server, console and tools in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // the host may know no time zones

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
	cmd.AddCommand(serveCmd(), demoCmd(), importCmd(), tokenCmd(), writekeyCmd(), userCmd(), auditCmd(), keysCmd(),
		backupCmd(), restoreCmd(), doctorCmd(), migrateCmd(), configCmd(), simCmd(), versionCmd(), openapiCmd())
	return cmd
}

// language is that of the shell: Chinese or English.
func language() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(v, "zh") {
				return string(i18n.ZH)
			}
			return string(i18n.EN)
		}
	}
	return string(i18n.EN)
}

// words turns an error into what a person at a terminal reads.
func words(err error) string {
	var e *errs.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	cat, cerr := i18n.Load(slog.New(slog.DiscardHandler))
	if cerr != nil {
		return err.Error()
	}
	lang := i18n.Lang(language())
	s := cat.Translate(lang, e.Code, e.Params)
	for _, f := range e.Fields {
		s += "\n  " + f.Path + ": " + cat.Translate(lang, f.Code, f.Params)
	}
	if e.Kind == errs.Internal && e.Unwrap() != nil {
		s += "\n  " + e.Unwrap().Error()
	}
	return s
}

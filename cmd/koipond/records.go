package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/koipond/koipond/internal/app"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// withRecords opens the records alone: these commands work with the server
// running or not, and a key they make is good at once.
func withRecords(cmd *cobra.Command, fn func(r *app.Records) error) (err error) {
	cfg, _, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	r, err := app.OpenRecords(cmd.Context(), cfg, logger(cfg))
	if err != nil {
		return err
	}
	defer func() {
		if cerr := r.Close(); err == nil {
			err = cerr
		}
	}()
	return fn(r)
}

func table(cmd *cobra.Command, head string, rows [][]string) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04")
}

// readPassword asks twice at a terminal, or takes the first line of a pipe.
func readPassword(cmd *cobra.Command) (string, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		if err != nil && line == "" {
			return "", fmt.Errorf("give the password on standard input: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(cmd.ErrOrStderr(), prompt)
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(cmd.ErrOrStderr())
		return string(b), err
	}
	a, err := ask("Password: ")
	if err != nil {
		return "", err
	}
	b, err := ask("Again: ")
	if err != nil {
		return "", err
	}
	if a != b {
		return "", fmt.Errorf("the two passwords differ")
	}
	return a, nil
}

// cli is the context of someone at the terminal: they may do anything, and the audit log says so.
func cli(cmd *cobra.Command) context.Context {
	name := os.Getenv("USER")
	if name == "" {
		name = "koipond"
	}
	return auth.With(cmd.Context(), auth.CLI(name))
}

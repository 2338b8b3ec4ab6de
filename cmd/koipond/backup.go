package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/koipond/koipond/internal/app"
	"github.com/spf13/cobra"
)

func backupCmd() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: "backup", Short: "Write a consistent copy of all stores into one file, while the server runs or not",
		Long: "Copies records, facts, facts on their way, files and keys as of one moment. The server goes on taking facts meanwhile.\n" +
			"The file holds the encryption keys too: keep it as safe as the data itself.",
		Example: "  koipond backup --data /var/lib/koipond\n  koipond backup --data /var/lib/koipond --to - | ssh vault 'cat > pond.tar.zst'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			cfg, _, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			return withServer(cmd, cfg, func(s *session) error {
				res, err := s.do(cmd.Context(), http.MethodGet, "/api/system/backup", nil)
				if err != nil {
					return err
				}
				defer res.Body.Close()
				if to == "-" {
					_, err = io.Copy(cmd.OutOrStdout(), res.Body)
					return err
				}
				name := to
				if name == "" {
					name = "koipond-" + time.Now().Format("20060102-150405") + ".tar.zst"
				}
				n, err := save(name, res.Body)
				if err != nil {
					return fmt.Errorf("write %s: %w", name, err)
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s (%.1f MB)\n", name, float64(n)/(1<<20))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "file to write; - is standard output; empty: koipond-<time>.tar.zst here")
	return cmd
}

// save writes beside the name and renames at the end, so that a file of that
// name is always whole.
func save(name string, body io.Reader) (n int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".koipond-*")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the error above is the news
		}
	}()
	if n, err = io.Copy(f, body); err != nil {
		_ = f.Close() // as above
		return n, err
	}
	if err = f.Sync(); err != nil {
		_ = f.Close() // as above
		return n, err
	}
	if err = f.Close(); err != nil {
		return n, err
	}
	return n, os.Rename(f.Name(), name)
}

func restoreCmd() *cobra.Command {
	return &cobra.Command{
		Use: "restore FILE", Short: "Make a new data folder from a backup",
		Long:    "Checks every file of the backup before anything is kept. The data folder must be new or empty: put the old one aside first.",
		Example: "  koipond restore koipond-20260503-020000.tar.zst --data /var/lib/koipond-new",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, _, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			m, err := app.Restore(cmd.Context(), cfg, in)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "restored %s, the state of %s (made by koipond %s)\n", cfg.Data, m.CreatedAt.Local().Format("2006-01-02 15:04:05"), m.Version)
			return err
		},
	}
}

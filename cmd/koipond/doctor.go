package main

import (
	"fmt"

	"github.com/koipond/koipond/internal/app"
	"github.com/spf13/cobra"
)

func doctorCmd() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Look at the machine and the data folder, and say what is wrong and how to mend it",
		Example: "  koipond doctor --data /var/lib/koipond", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			failed := 0
			for _, f := range app.Doctor(cmd.Context(), cfg) {
				mark := map[string]string{"ok": "ok  ", "warn": "WARN", "fail": "FAIL"}[f.State]
				fmt.Fprintf(cmd.OutOrStdout(), "%s  %-16s %s\n", mark, f.Check, f.Detail)
				if f.Mend != "" {
					fmt.Fprintf(cmd.OutOrStdout(), "      %-16s → %s\n", "", f.Mend)
				}
				if f.State == "fail" {
					failed++
				}
			}
			if failed > 0 {
				return fmt.Errorf("%d checks failed", failed)
			}
			return nil
		},
	}
}

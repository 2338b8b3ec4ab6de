package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/app"
	"github.com/koipond/koipond/internal/platform/vault"
	"github.com/spf13/cobra"
)

func keysCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Rotate the keys that seal personal data, see what lies under which, take old ones out",
		Long: "Personal data is sealed with keys that lie in koipond.key in the data folder (or in --key-file).\n" +
			"A new key seals from the moment all running servers have it; what older keys sealed is sealed\n" +
			"anew in the background. The first key stays for good: it keys the look-up by phone number.",
		Example: "  koipond keys rotate --data /var/lib/koipond\n  koipond keys status\n  koipond keys retire 5c0213a8",
	}
	rotate := &cobra.Command{
		Use: "rotate", Short: "Add a new key; the running server takes it up within seconds",
		Example: "  koipond keys rotate --data /var/lib/koipond", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRecords(cmd, func(r *app.Records) error {
				id, active, err := r.RotateKeys(cli(cmd))
				if err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				if active {
					fmt.Fprintf(out, "the new key %s seals from now on; what older keys sealed is sealed anew in the background\n", id)
				} else {
					fmt.Fprintf(out, "the new key %s is in the key file; it seals as soon as every running server has it: copy %s to the other nodes\n", id, r.KeyFile())
				}
				_, err = fmt.Fprintf(out, "put a copy of %s in a safe place now: without it what it seals cannot be read\n", r.KeyFile())
				return err
			})
		},
	}
	var fresh bool
	status := &cobra.Command{
		Use: "status", Short: "Say which keys there are and how much lies under each",
		Example: "  koipond keys status --data /var/lib/koipond", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withRecords(cmd, func(r *app.Records) error {
				k := r.Vault()
				look := k.Status
				if fresh {
					look = k.Fresh
				}
				st, err := look(cli(cmd))
				if err != nil {
					return err
				}
				return printKeys(cmd, st)
			})
		},
	}
	status.Flags().BoolVar(&fresh, "count", false, "let the running server count now, instead of showing its last count")
	retire := &cobra.Command{
		Use: "retire KEY", Short: "Take an old key out of the key file, once nothing needs it",
		Long:    "The running server counts what lies under the key; when it is nothing, the key is taken out.\nBackups made before need it still: they bring the keys of their day with them.",
		Example: "  koipond keys retire 5c0213a8 --data /var/lib/koipond", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withRecords(cmd, func(r *app.Records) error {
				if err := r.RetireKey(cli(cmd), args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "the key %s is taken out of %s\n", args[0], r.KeyFile())
				return err
			})
		},
	}
	cmd.AddCommand(rotate, status, retire)
	return cmd
}

func printKeys(cmd *cobra.Command, st vault.Status) error {
	var rows [][]string
	line := func(id, state, since string, count map[string]int64) {
		var parts []string
		for _, source := range slices.Sorted(maps.Keys(count)) {
			parts = append(parts, fmt.Sprintf("%s %d", source, count[source]))
		}
		if len(parts) == 0 {
			parts = []string{"-"}
		}
		rows = append(rows, []string{id, state, since, strings.Join(parts, ", ")})
	}
	for _, k := range st.Keys {
		state := k.State
		if k.Index {
			state += ", look-up"
		}
		line(k.ID, state, day(k.ActiveAt), k.Count)
	}
	if len(st.Clear) > 0 {
		line("(in clear)", "-", "-", st.Clear)
	}
	if err := table(cmd, "KEY\tSTATE\tSEALS SINCE\tWHAT LIES UNDER IT", rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "counted %s; %d to be sealed anew\n", day(st.CountedAt), st.Remaining())
	return err
}

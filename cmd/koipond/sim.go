package main

import (
	"fmt"
	"os"

	"github.com/koipond/koipond/internal/app"
	"github.com/spf13/cobra"
)

func simCmd() *cobra.Command {
	var o app.SimulateOptions
	var scenario string
	cmd := &cobra.Command{
		Use: "sim", Short: "Start the simulator of the platforms: WeCom with a made-up company, on this machine",
		Long: "Start a made-up company in a made-up WeCom: the same HTTP with the same limits and refusals, and callbacks that are\n" +
			"signed and encrypted. Connect Koipond to it as to the real one, with the printed credentials and this address as base.\n" +
			"People who scan, chat and leave come from a scenario file, or by hand through /sim/act.\n\n" +
			"A scenario is a YAML list or JSON lines of steps: at, who, does, what, with, text.\n" +
			"Whoever reaches the address may do everything with this world: keep it on this machine.",
		Example: "  koipond sim\n  koipond sim --listen 127.0.0.1:8790 --seed 7 --callback http://127.0.0.1:8787/hooks/wecom/ACCOUNT\n" +
			"  koipond sim --scenario opening.yaml --file world.json\n" +
			"  curl -H 'Content-Type: application/json' -d '{\"does\":\"scan\",\"who\":\"王雨桐\",\"what\":\"CONFIG_ID\"}' http://127.0.0.1:8790/sim/act",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if scenario != "" {
				b, err := os.ReadFile(scenario)
				if err != nil {
					return fmt.Errorf("read the scenario: %w", err)
				}
				o.Scenario = b
			}
			cfg, _, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			return app.Simulate(cmd.Context(), o, logger(cfg), func(line string) { fmt.Fprintln(w, line) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:8790", "Address to listen on")
	f.StringVar(&o.Mail, "mail", "", "Address to take mail at by SMTP, such as 127.0.0.1:2525; without it no mail is taken")
	f.Uint64Var(&o.Seed, "seed", 1, "The same seed makes the same world")
	f.IntVar(&o.People, "people", 0, "How many people there are (default 24)")
	f.StringVar(&o.File, "file", "", "Keep the world in this file, and go on with it at the next start")
	f.StringVar(&o.Callback, "callback", "", "Address that the app is called back at: what Koipond shows for the account")
	f.StringVar(&scenario, "scenario", "", "YAML or JSON lines: who does what, and when")
	return cmd
}

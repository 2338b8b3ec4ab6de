package main

import (
	"fmt"
	"log/slog"
	"os"
	"runtime"

	"github.com/koipond/koipond/internal/app"
	"github.com/spf13/cobra"
)

// Set by the Makefile.
var (
	version = "dev"
	commit  = "unknown"
)

func build() app.Build { return app.Build{Version: version, Commit: commit} }

func logger(cfg app.Config) *slog.Logger {
	var lv slog.Level
	_ = lv.UnmarshalText([]byte(cfg.LogLevel)) // checked by Config.Check; info otherwise
	o := &slog.HandlerOptions{Level: lv}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

func serveCmd() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Start the server",
		Long:    "Start the server on the data folder, making it when it is empty. The first visit to the console sets up the administrator.",
		Example: "  koipond serve --data /var/lib/koipond --listen :8787\n  koipond serve --database-url postgres://koipond@db/koipond",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			return app.Run(cmd.Context(), cfg, build(), logger(cfg), func(r app.Running) {
				fmt.Fprintf(cmd.OutOrStdout(), "Koipond %s is at %s\n", version, r.URL)
				if r.NeedsSetup {
					fmt.Fprintln(cmd.OutOrStdout(), "Open it now to set up the administrator: the first visitor becomes one. 请马上打开上面的地址设置管理员：第一位访问者就是管理员。")
				}
			})
		},
	}
}

func demoCmd() *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Start the server with the demo pond",
		Long: "Start the server with a made-up tea brand in it: 20,000 customers and half a year of facts, made from a seed\n" +
			"and sent through the public intake and import. Usable at once, filled within a minute; a second start finds it there.",
		Example: "  koipond demo --data data/demo\n  koipond demo --demo-seed 7 --demo-contacts 5000 --data data/other",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			cfg.Demo = true
			if !cmd.Flags().Changed("log-level") && os.Getenv("KOIPOND_LOG_LEVEL") == "" {
				cfg.LogLevel = "warn"
			}
			return app.Run(cmd.Context(), cfg, build(), logger(cfg), func(r app.Running) {
				fmt.Fprintf(cmd.OutOrStdout(), "\n  Koipond 锦池 %s — demo pond 演示数据\n\n  address 地址   %s\n  e-mail  邮箱   %s\n  password 密码  %s\n\n", version, r.URL, r.DemoEmail, r.DemoPassword)
			})
		},
	}
}

func versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Example: "  koipond version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "koipond %s (%s) %s %s/%s\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

func openapiCmd() *cobra.Command {
	return &cobra.Command{
		Use: "openapi", Short: "Print the API document (OpenAPI 3.1, JSON)", Example: "  koipond openapi > openapi.json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			doc, err := app.OpenAPI(build())
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(doc)
			return err
		},
	}
}

func migrateCmd() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Bring the records' schema up to date and print what ran",
		Long:    "The server does this by itself at start. Use it to see what an upgrade will do before the first start, after a backup.",
		Example: "  koipond migrate --data /var/lib/koipond", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			ran, err := app.Migrate(cmd.Context(), cfg)
			for _, m := range ran {
				fmt.Fprintf(cmd.OutOrStdout(), "%s %04d_%s\n", m.Domain, m.Version, m.Name)
			}
			if err == nil && len(ran) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "up to date")
			}
			return err
		},
	}
}

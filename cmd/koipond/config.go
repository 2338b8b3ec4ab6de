package main

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/koipond/koipond/internal/app"
	"github.com/spf13/cobra"
)

// setting is one field of app.Config seen from outside.
type setting struct {
	key, flag, env, help, secret string
	field                        int
}

func settings() []setting {
	t := reflect.TypeFor[app.Config]()
	var out []setting
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("koanf")
		if key == "" || key == "-" {
			continue
		}
		out = append(out, setting{
			key: key, field: i, help: f.Tag.Get("help"), secret: f.Tag.Get("secret"),
			flag: strings.NewReplacer(".", "-", "_", "-").Replace(key),
			env:  "KOIPOND_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_")),
		})
	}
	return out
}

// addConfigFlags declares a flag for every setting. Defaults are shown but not
// set, so that "not given" stays visible to load.
func addConfigFlags(cmd *cobra.Command) {
	def := reflect.ValueOf(app.DefaultConfig())
	for _, s := range settings() {
		help := s.help
		if d := fmt.Sprint(def.Field(s.field)); d != "" && d != "0" && d != "false" {
			help += " (default " + d + ")"
		}
		if def.Field(s.field).Kind() == reflect.Bool {
			cmd.PersistentFlags().Bool(s.flag, false, help+" ["+s.env+"]")
			continue
		}
		cmd.PersistentFlags().String(s.flag, "", help+" ["+s.env+"]")
	}
	cmd.PersistentFlags().String("config", "", "YAML file with settings; flags and KOIPOND_ variables win over it [KOIPOND_CONFIG]")
}

// loadConfig merges defaults, file, environment and flags, weakest first, and
// says where each value came from.
func loadConfig(cmd *cobra.Command) (app.Config, map[string]string, error) {
	cfg := app.DefaultConfig()
	origin := map[string]string{}
	path, _ := cmd.Flags().GetString("config") // declared above: cannot fail
	if path == "" {
		path = os.Getenv("KOIPOND_CONFIG")
	}
	k := koanf.New(".")
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return cfg, nil, fmt.Errorf("read %s: %w", path, err)
		}
	}
	known := map[string]bool{}
	v := reflect.ValueOf(&cfg).Elem()
	for _, s := range settings() {
		known[s.key] = true
		origin[s.key] = "default"
		set := func(text, from string) error {
			if err := assign(v.Field(s.field), text); err != nil {
				return fmt.Errorf("%s (from %s): %w", s.key, from, err)
			}
			origin[s.key] = from
			return nil
		}
		if k.Exists(s.key) {
			if err := set(k.String(s.key), path); err != nil {
				return cfg, nil, err
			}
		}
		if text, ok := os.LookupEnv(s.env); ok {
			if err := set(text, s.env); err != nil {
				return cfg, nil, err
			}
		}
		if f := cmd.Flags().Lookup(s.flag); f != nil && f.Changed {
			if err := set(f.Value.String(), "--"+s.flag); err != nil {
				return cfg, nil, err
			}
		}
	}
	for _, key := range k.Keys() {
		if !known[key] {
			return cfg, nil, fmt.Errorf("%s: unknown setting %q; `koipond config` lists the known ones", path, key)
		}
	}
	if err := cfg.Check(); err != nil {
		return cfg, nil, err
	}
	return cfg, origin, nil
}

func assign(f reflect.Value, text string) error {
	switch f.Kind() {
	case reflect.String:
		f.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		f.SetBool(b)
	default:
		n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		f.SetInt(n)
	}
	return nil
}

// hide keeps secrets off the terminal.
func hide(value, how string) string {
	switch {
	case value == "" || how == "":
		return value
	case how == "url":
		return app.RedactURL(value)
	}
	return "(hidden)"
}

func configCmd() *cobra.Command {
	return &cobra.Command{
		Use: "config", Short: "Print every setting, its value and where it came from",
		Example: "  koipond config\n  KOIPOND_LISTEN=:80 koipond config --config /etc/koipond.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, origin, err := loadConfig(cmd)
			if err != nil {
				return err
			}
			v := reflect.ValueOf(cfg)
			w := cmd.OutOrStdout()
			for _, s := range settings() {
				val := hide(fmt.Sprint(v.Field(s.field)), s.secret)
				if _, err := fmt.Fprintf(w, "%-24s %-40s %s\n", s.key, val, origin[s.key]); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

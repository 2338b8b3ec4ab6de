package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/koipond/koipond/internal/platform/secret"
)

// Config is everything that can be set from outside. The tag is the name in
// the optional file, in the flag (dots become dashes) and, upper-cased with
// underscores after KOIPOND_, in the environment.
type Config struct {
	Data   string `koanf:"data" help:"folder that holds everything"`
	Listen string `koanf:"listen" help:"address to serve on; :8787 serves on every interface"`
	URL    string `koanf:"url" help:"address people reach it by, when a proxy stands in front (https://pond.example.com)"`

	DatabaseURL     string `koanf:"database.url" secret:"url" help:"PostgreSQL for the records (postgres://…); empty: SQLite in the data folder"`
	StreamURL       string `koanf:"stream.url" secret:"url" help:"NATS cluster for the stream (nats://…); empty: embedded"`
	StreamMaxBytes  int64  `koanf:"stream.max_bytes" help:"largest backlog of facts in bytes; beyond it intake answers 429"`
	AnalyticsMemory int    `koanf:"analytics.memory_mb" help:"memory the analytics store may use, in MB"`
	FilesEndpoint   string `koanf:"files.endpoint" help:"S3-compatible endpoint for files; empty: a folder"`
	FilesBucket     string `koanf:"files.bucket" help:"S3 bucket"`
	FilesRegion     string `koanf:"files.region" help:"S3 region"`
	FilesAccessKey  string `koanf:"files.access_key" secret:"all" help:"S3 access key"`
	FilesSecretKey  string `koanf:"files.secret_key" secret:"all" help:"S3 secret key"`
	Key             string `koanf:"key" secret:"all" help:"the encryption keys themselves, base64; wins over key_file"`
	KeyFile         string `koanf:"key_file" help:"file with the encryption keys; empty: koipond.key in the data folder"`
	TrustedProxies  string `koanf:"trusted_proxies" help:"addresses or networks (10.0.0.0/8,…) whose X-Forwarded-For is believed"`
	LogLevel        string `koanf:"log.level" help:"debug, info, warn or error"`
	LogFormat       string `koanf:"log.format" help:"text or json"`
	TracesEndpoint  string `koanf:"traces.endpoint" help:"OpenTelemetry collector (http://host:4318); empty: no traces"`
	MetricsOpen     bool   `koanf:"metrics.open" help:"serve /metrics to anyone; otherwise to this machine and to tokens that may read the system"`
	OutboundPrivate bool   `koanf:"outbound.private" help:"webhooks and accounts at platforms may call addresses inside the network and on this machine"`
	Demo            bool   `koanf:"-"`
	DemoSeed        int64  `koanf:"demo.seed" help:"seed of the demo pond: the same seed makes the same pond"`
	DemoContacts    int    `koanf:"demo.contacts" help:"how many contacts the demo pond has"`
	DrainSeconds    int    `koanf:"drain_seconds" help:"how long a stop waits for running requests"`
	JobWorkers      int    `koanf:"jobs.workers" help:"how many jobs run at once"`
	MaxUploadMB     int64  `koanf:"imports.max_upload_mb" help:"largest file that can be uploaded, in MB"`
}

// DefaultConfig is what an empty environment gives. The server listens on this
// machine only until told otherwise, because the first visitor becomes administrator.
func DefaultConfig() Config {
	return Config{
		Data: "data", Listen: "127.0.0.1:8787",
		StreamMaxBytes: 4 << 30, AnalyticsMemory: 512, FilesRegion: "us-east-1",
		LogLevel: "info", LogFormat: "text",
		DemoSeed: 1, DemoContacts: 20000, DrainSeconds: 20, JobWorkers: 2, MaxUploadMB: 2048,
	}
}

// Check says what is wrong with the configuration, in words for the person who installs it.
func (c Config) Check() error {
	var errs []error
	bad := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if c.Data == "" {
		bad("data: name a folder")
	}
	if strings.ContainsAny(c.Data, "?#%") {
		bad("data: the path may not contain ?, # or %%")
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		bad("listen: %q is not an address; use host:port or :port", c.Listen)
	}
	if c.URL != "" {
		if u, err := url.Parse(c.URL); err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http") {
			bad("url: %q is not an http(s) address", c.URL)
		}
	}
	if c.StreamMaxBytes < 16<<20 {
		bad("stream.max_bytes: at least 16777216 (16 MB)")
	}
	if c.AnalyticsMemory < 64 {
		bad("analytics.memory_mb: at least 64")
	}
	if (c.FilesEndpoint == "") != (c.FilesBucket == "") {
		bad("files.endpoint and files.bucket go together")
	}
	switch c.LogLevel {
	case "debug", "info", "warn", "error":
	default:
		bad("log.level: %q; use debug, info, warn or error", c.LogLevel)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		bad("log.format: %q; use text or json", c.LogFormat)
	}
	if c.DemoContacts < 100 || c.DemoContacts > 1_000_000 {
		bad("demo.contacts: between 100 and 1000000")
	}
	if c.JobWorkers < 1 || c.JobWorkers > 64 {
		bad("jobs.workers: between 1 and 64")
	}
	if _, err := c.Proxies(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Proxies parses TrustedProxies.
func (c Config) Proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range strings.FieldsFunc(c.TrustedProxies, func(r rune) bool { return r == ',' || r == ' ' }) {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies: %q is neither an address nor a network", s)
		}
		out = append(out, p)
	}
	return out, nil
}

// Paths inside the data folder.
func (c Config) recordsPath() string   { return filepath.Join(c.Data, "records", "koipond.db") }
func (c Config) analyticsPath() string { return filepath.Join(c.Data, "analytics", "facts.duckdb") }
func (c Config) streamDir() string     { return filepath.Join(c.Data, "stream") }
func (c Config) filesDir() string      { return filepath.Join(c.Data, "files") }
func (c Config) keyPath() string {
	if c.KeyFile != "" {
		return c.KeyFile
	}
	return secret.FilePath(c.Data)
}

func (c Config) keySource() secret.Source {
	return secret.Source{Value: c.Key, File: c.KeyFile, Dir: c.Data}
}

func (c Config) makeData() error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("make data folder %s: %w", c.Data, err)
	}
	return nil
}

// RedactURL hides the password of an address, for logs and `koipond config`.
func RedactURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "(hidden)"
	}
	return u.Redacted()
}

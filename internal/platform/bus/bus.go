package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// MaxMessage is the largest message the embedded server takes. A cluster may
// take less: see Bus.MaxMessage.
const MaxMessage = 8 << 20

// Reasons why a message was not taken. Nothing of it is stored, except with
// ErrUnavailable, where it is not known: the sender tries again and the
// duplicate rule of the facts settles it.
var (
	ErrFull        = errs.New(errs.TooMany, "bus.full")
	ErrTooLarge    = errs.New(errs.TooLarge, "bus.message_too_large")
	ErrUnavailable = errs.New(errs.Unavailable, "bus.unavailable")
)

// apiTimeout bounds a question to JetStream whose caller sets no deadline: a
// slow disk at start must not look like a broken one.
const (
	apiTimeout = 30 * time.Second
	// publishTimeout ends the wait for the fate of a message, so that those sent
	// to a server that is gone do not pile up.
	publishTimeout = 15 * time.Second
	// closeTimeout is how long Close waits for publishes under way, whatever the caller allows.
	closeTimeout = 5 * time.Second
)

// Config says where the messages are kept.
type Config struct {
	Dir      string // embedded: folder of the file store, made when missing
	URL      string // cluster, nats://user:secret@host:4222[,…]; wins over Dir
	Replicas int    // cluster: copies of each message, default 3
	// MaxBytes bounds all embedded streams together on disk; default 20 GiB.
	MaxBytes int64
	// MinFree refuses messages when the disk of Dir has less room; default 256 MiB, negative: no check.
	MinFree int64
	Log     *slog.Logger
}

// Bus is an open connection to the streams. Safe for concurrent use.
type Bus struct {
	cfg    Config
	server *server.Server // nil with a cluster
	nc     *nats.Conn
	js     jetstream.JetStream
	disk   *diskGuard
}

// Open starts the embedded server or connects to the cluster, and returns once
// it answers. After a crash it recovers the file store first (about a second per GB).
func Open(ctx context.Context, cfg Config) (*Bus, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 20 << 30
	}
	if cfg.MinFree == 0 {
		cfg.MinFree = 256 << 20
	}
	b := &Bus{cfg: cfg}
	opts := []nats.Option{nats.Name("koipond"), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond)}
	if cfg.URL == "" {
		if err := b.startServer(); err != nil {
			return nil, err
		}
		b.disk = newDiskGuard(cfg.Dir, cfg.MinFree)
		opts = append(opts, nats.InProcessServer(b.server))
	}
	nc, err := nats.Connect(cfg.URL, opts...)
	if err != nil {
		b.stopServer()
		return nil, fmt.Errorf("connect to the stream: %w", err)
	}
	b.nc = nc
	b.js, err = jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(256), jetstream.WithDefaultTimeout(apiTimeout), jetstream.WithPublishAsyncTimeout(publishTimeout))
	if err == nil {
		_, err = b.js.AccountInfo(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open JetStream: %w", err), b.Close(ctx))
	}
	return b, nil
}

func (b *Bus) startServer() error {
	if err := os.MkdirAll(b.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("make stream folder: %w", err)
	}
	opts := &server.Options{
		ServerName: "koipond", DontListen: true, NoSigs: true, NoSystemAccount: true,
		JetStream: true, StoreDir: b.cfg.Dir, SyncAlways: true, SyncInterval: 2 * time.Minute,
		// The store bound has room to spare over MaxBytes, which each stream enforces itself.
		JetStreamMaxStore: b.cfg.MaxBytes + b.cfg.MaxBytes/4 + 1<<30, JetStreamMaxMemory: 64 << 20,
		MaxPayload: MaxMessage, MaxPending: 8 * MaxMessage, DisableJetStreamBanner: true,
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("make stream server: %w", err)
	}
	ns.SetLoggerV2(serverLog{b.cfg.Log}, false, false, false)
	b.server = ns
	ns.Start()
	if !ns.ReadyForConnections(60 * time.Second) {
		b.stopServer()
		return fmt.Errorf("stream server in %s did not start", b.cfg.Dir)
	}
	if !ns.JetStreamEnabled() {
		b.stopServer()
		return fmt.Errorf("stream store in %s cannot be opened: see the log", b.cfg.Dir)
	}
	return nil
}

// MaxMessage is the largest message that can be published, in bytes.
func (b *Bus) MaxMessage() int { return int(min(b.nc.MaxPayload(), MaxMessage)) - 1024 }

// Engine names what is behind the bus, for the status page.
func (b *Bus) Engine() string {
	if b.server != nil {
		return "JetStream (embedded)"
	}
	return "JetStream (cluster)"
}

// Ping checks that JetStream answers.
func (b *Bus) Ping(ctx context.Context) error {
	if _, err := b.js.AccountInfo(ctx); err != nil {
		return fmt.Errorf("ask the stream: %w", err)
	}
	return nil
}

// Close waits for publishes under way until ctx ends, then disconnects and
// stops the embedded server with its files synced. Safe to call twice.
func (b *Bus) Close(ctx context.Context) error {
	var err error
	if b.js != nil {
		wait, cancel := context.WithTimeout(ctx, closeTimeout)
		defer cancel()
		select {
		case <-b.js.PublishAsyncComplete():
		case <-wait.Done():
			err = fmt.Errorf("close the stream: publishes are under way: %w", wait.Err())
		}
	}
	if b.nc != nil {
		b.nc.Close()
	}
	b.stopServer()
	return err
}

func (b *Bus) stopServer() {
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
}

// serverLog hands the embedded server's words to slog; its notices are detail to us.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(f string, v ...any) {
	l.log.Debug("stream server", "text", fmt.Sprintf(f, v...))
}
func (l serverLog) Warnf(f string, v ...any) {
	l.log.Warn("stream server", "text", fmt.Sprintf(f, v...))
}
func (l serverLog) Fatalf(f string, v ...any) {
	l.log.Error("stream server", "text", fmt.Sprintf(f, v...))
}
func (l serverLog) Errorf(f string, v ...any) {
	l.log.Error("stream server", "text", fmt.Sprintf(f, v...))
}
func (l serverLog) Debugf(string, ...any) {}
func (l serverLog) Tracef(string, ...any) {}

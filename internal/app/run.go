package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Running tells the person at the terminal how to get in.
type Running struct {
	URL                     string
	NeedsSetup              bool
	DemoEmail, DemoPassword string
}

// Run serves until ctx ends, then stops gracefully. ready is called once the
// address answers.
func Run(ctx context.Context, cfg Config, b Build, log *slog.Logger, ready func(Running)) (err error) {
	if err := cfg.makeData(); err != nil {
		return err
	}
	lock, err := lockData(cfg.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	ln, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("%w: choose another address with --listen", err)
	}
	log = slog.New(httpx.LogHandler(log.Handler()))
	a, err := build(ctx, cfg, b, log)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	return a.serve(ctx, lock, ln, ready)
}

func (a *App) serve(ctx context.Context, lock *dataLock, ln net.Listener, ready func(Running)) error {
	if err := a.start(ctx); err != nil {
		return errors.Join(err, ln.Close(), a.stop(nil))
	}
	url := a.address(ln)
	if err := lock.announce(Instance{PID: os.Getpid(), URL: local(ln)}); err != nil {
		return errors.Join(err, ln.Close(), a.stop(nil))
	}
	// No read or write timeout: uploads and event streams take their time;
	// handlers bound themselves. Slow heads are cut off.
	server := &http.Server{Handler: a.api.Handler(), ReadHeaderTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(ln) }()
	if err := a.connectSim(auth.With(ctx, auth.System("演示数据")), ln); err != nil {
		a.log.Error("the demo goes on without its simulated WeCom", "error", err)
	}
	if err := a.greet(ctx, url, ready); err != nil {
		return errors.Join(err, a.stop(server))
	}
	if a.demo != nil {
		a.demo.fill(ctx, a, local(ln))
	}
	select {
	case err := <-failed:
		return errors.Join(err, a.stop(nil))
	case <-ctx.Done():
		a.log.Info("stopping")
		return a.stop(server)
	}
}

func (a *App) greet(ctx context.Context, url string, ready func(Running)) error {
	if ready == nil {
		return nil
	}
	needed, err := a.Team.SetupNeeded(ctx)
	if err != nil {
		return err
	}
	r := Running{URL: url, NeedsSetup: needed}
	if a.demo != nil {
		r.DemoEmail, r.DemoPassword = a.demo.email, a.demo.password
	}
	ready(r)
	return nil
}

// local is the address for commands on this machine.
func local(ln net.Listener) string {
	addr := ln.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", addr.Port)
	}
	return "http://" + addr.String()
}

func (a *App) address(ln net.Listener) string {
	if a.cfg.URL != "" {
		return strings.TrimRight(a.cfg.URL, "/")
	}
	return local(ln)
}

// start begins the work, lower layers first.
func (a *App) start(ctx context.Context) error {
	// Go shares the memory with DuckDB and SQLite, which it cannot see: it
	// collects twice as often as usual, unless the operator says otherwise.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	if a.demo != nil {
		if err := a.demo.ensureAdmin(ctx, a); err != nil {
			return fmt.Errorf("set up the demo: %w", err)
		}
		if err := a.startSim(ctx); err != nil {
			return err
		}
	}
	for _, s := range []func(context.Context) error{a.vault.Start, a.contacts.SealIdentities, a.Team.Start, a.acquire.Start, a.intake.Start, a.pipe.Start, a.audiences.Start, a.jobs.Start, a.matches.Start, a.care.Start, a.machines.Start, a.rfm.Start, a.segments.Start, a.webhooks.Start, a.autotags.Start, a.links.Start, a.pages.Start, a.shop.Start, a.quality.Start, a.livecodes.Start, a.replies.Start, a.scenes.Start, a.connectors.Start, a.messages.Start, a.staff.Start, a.mirror.Start, a.results.Start} {
		if err := s(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the work in reverse: no new requests, jobs put down their tools,
// what was taken is on the stream, the pipeline ends between batches.
func (a *App) stop(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(max(a.cfg.DrainSeconds, 1))*time.Second)
	defer cancel()
	a.api.Drain()
	a.intake.Drain()
	var all error
	if a.demo != nil {
		a.demo.wait()
	}
	if server != nil {
		if err := server.Shutdown(ctx); err != nil {
			all = errors.Join(server.Close(), fmt.Errorf("requests were cut off: %w", err))
		}
	}
	for _, s := range []func(context.Context) error{a.messages.Stop, a.results.Stop, a.mirror.Stop, a.connectors.Stop, a.livecodes.Stop, a.replies.Stop, a.scenes.Stop, a.quality.Stop, a.shop.Stop, a.pages.Stop, a.autotags.Stop, a.webhooks.Stop, a.segments.Stop, a.matches.Stop, a.rfm.Stop, a.machines.Stop, a.care.Stop, a.jobs.Stop, a.intake.Stop, a.pipe.Stop, a.audiences.Stop, a.acquire.Stop, a.Team.Stop, a.vault.Stop, a.links.Stop, a.staff.Stop, a.stopSim} {
		all = errors.Join(all, s(ctx))
	}
	return errors.Join(all, a.close(ctx))
}

package app

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/koipond/koipond/internal/demo"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/team"
)

// demoDays is how much history the demo pond has.
const demoDays = 180

// demoPond fills the pond in the background and knows how to sign in to it.
type demoPond struct {
	email, password string
	end             time.Time // the last moment of the made-up history, kept over restarts
	zone            *time.Location

	done, total atomic.Int64
	ready       atomic.Bool
	settled     atomic.Bool // the account outside was looked at, too
	still       atomic.Bool // nothing is added any more
	filling     atomic.Bool
	wg          sync.WaitGroup
	cancel      context.CancelFunc
}

// demoFile is kept in the data folder: the password is made once per pond, so
// that no two ponds in the world share one.
type demoFile struct {
	Email    string    `json:"email"`
	Password string    `json:"password"`
	End      time.Time `json:"end"`
}

func (d *demoPond) prepare(cfg Config) (*team.Demo, error) {
	if err := cfg.makeData(); err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		return nil, err
	}
	d.zone = zone
	path := filepath.Join(cfg.Data, "demo.json")
	var f demoFile
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		f = demoFile{Email: demo.AdminEmail, Password: "pond-" + strings.ToLower(id.Secret(6)), End: time.Now().UTC().Truncate(time.Second)}
		if b, err = json.Marshal(f); err == nil {
			err = os.WriteFile(path, b, 0o600)
		}
	} else if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil {
		return nil, err
	}
	d.email, d.password, d.end = f.Email, f.Password, f.End
	if !cfg.private() { // the terminal tells it to whoever started the demo; the network is told nothing
		return &team.Demo{State: d.state}, nil
	}
	return &team.Demo{Email: f.Email, Password: f.Password, State: d.state}, nil
}

// private tells whether only this machine reaches the server.
func (c Config) private() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil || c.URL != "" {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func (d *demoPond) state() team.DemoState {
	s := team.DemoState{State: "filling", Done: d.done.Load(), Total: d.total.Load(), Still: d.still.Load()}
	if d.ready.Load() {
		s.State = "ready"
	}
	return s
}

// ensureAdmin sets the brand up the first time.
func (d *demoPond) ensureAdmin(ctx context.Context, a *App) error {
	needed, err := a.Team.SetupNeeded(ctx)
	if err != nil || !needed {
		return err
	}
	_, _, err = a.Team.Setup(ctx, team.SetupInput{Settings: team.Settings{Company: demo.Brand, Timezone: "Asia/Shanghai", Currency: "CNY", Language: i18n.ZH},
		Name: demo.AdminName, Email: d.email, Password: d.password})
	return err
}

// fill sends the pond in through the public doors, in the background.
func (d *demoPond) fill(ctx context.Context, a *App, url string) {
	ctx, d.cancel = context.WithCancel(auth.With(ctx, auth.System("演示数据")))
	d.wg.Go(func() {
		if err := d.run(ctx, a, url); err != nil && ctx.Err() == nil {
			a.log.Error("the demo pond is not full; the next start goes on", "error", err)
		} else if err := d.look(ctx, a); err != nil && ctx.Err() == nil {
			a.log.Error("the demo's staff are not all known; the next start goes on", "error", err)
		} else if err := d.traffic(ctx, a, url); err != nil && ctx.Err() == nil {
			a.log.Error("the demo's landing pages are not all there; the next start goes on", "error", err)
		} else if err := d.messages(ctx, a); err != nil && ctx.Err() == nil {
			a.log.Error("the demo's messages are not all sent; the next start goes on", "error", err)
		} else if err := d.corp(ctx, a); err != nil && ctx.Err() == nil {
			a.log.Error("the demo's groups and WeCom tags are not all there; the next start goes on", "error", err)
		} else if err := d.replies(ctx, a); err != nil && ctx.Err() == nil {
			a.log.Error("the demo's auto-replies are not all there; the next start goes on", "error", err)
		} else if err := a.settle(ctx); err == nil {
			d.still.Store(true)
		}
	})
}

func (d *demoPond) wait() {
	if d.cancel != nil {
		d.cancel()
	}
	d.wg.Wait()
}

func (d *demoPond) run(ctx context.Context, a *App, url string) error {
	p := demoProgress{d: d, state: a.state, log: a.log}
	if full, err := p.Done(ctx, "all"); err != nil || full {
		d.ready.Store(full)
		return err
	}
	d.filling.Store(true)
	defer d.filling.Store(false)
	if os.Getenv("GOGC") == "" {
		// A pond is filled once, as fast as it goes: a sixth of the processors would
		// go into collecting memory otherwise, half of which is saved for it here.
		defer debug.SetGCPercent(debug.SetGCPercent(100))
	}
	start := time.Now()
	token, secret, err := a.Team.CreateToken(ctx, "演示数据", "admin", time.Now().Add(2*time.Hour))
	if err != nil {
		return err
	}
	key, err := d.writeKey(ctx, a)
	if err != nil {
		return err
	}
	o := demo.Options{Seed: a.cfg.DemoSeed, Contacts: a.cfg.DemoContacts, Days: demoDays, End: d.end, Zone: d.zone}
	err = demo.Fill(ctx, o, demo.Target{URL: url, Token: secret, WriteKey: key, Email: d.email, Password: d.password}, p)
	if err == nil {
		err = d.past(ctx, a, o)
	}
	if err == nil {
		err = a.settle(ctx)
	}
	if err == nil {
		d.filling.Store(false)
		err = a.machines.SortAll(ctx)
	}
	if err == nil {
		err = a.audiences.CatchUp(ctx)
	}
	if err == nil {
		err = p.Mark(ctx, "all")
	}
	if err == nil {
		d.ready.Store(true)
		a.log.Warn("the demo pond is full", "seconds", int(time.Since(start).Seconds()))
	}
	return errors.Join(err, a.Team.RevokeToken(context.WithoutCancel(ctx), token.ID))
}

// writeKey makes the key that the made-up website sends with. Its secret is
// not kept, so a filling that is taken up again makes another.
func (d *demoPond) writeKey(ctx context.Context, a *App) (string, error) {
	_, secret, err := a.Team.CreateWriteKey(ctx, "小程序商城", "小程序")
	return secret, err
}

type demoProgress struct {
	d     *demoPond
	state stateStore
	log   *slog.Logger
}

// Done implements demo.Progress.
func (p demoProgress) Done(ctx context.Context, stage string) (bool, error) {
	v, err := p.state.get(ctx, stateDemo+"."+stage)
	return v == "done", err
}

// Mark implements demo.Progress; the log shows where the time goes.
func (p demoProgress) Mark(ctx context.Context, stage string) error {
	p.log.Info("a part of the demo pond is there", "part", stage)
	return p.state.set(ctx, stateDemo+"."+stage, "done")
}

// Show implements demo.Progress.
func (p demoProgress) Show(done, total int64) {
	p.d.done.Store(done)
	p.d.total.Store(total)
}

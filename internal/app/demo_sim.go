package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/sim"
	"github.com/koipond/koipond/internal/connector/wechat"
	"github.com/koipond/koipond/internal/platform/outbound"
	"github.com/koipond/koipond/internal/platform/rounds"
)

// simPeople are the strangers of the demo's simulated WeCom: whom the staff know are
// people of the pond (see past).
const simPeople = 40

// demoSim is the simulated WeCom beside the demo pond: on a listener of its own
// on this machine, with an account of the pond connected to it.
type demoSim struct {
	sim    *sim.Sim
	file   string
	server *http.Server
	url    string
	mail   *simMail
	own    atomic.Pointer[netip.AddrPort] // where this program itself listens
	local  atomic.Pointer[string]         // the same as an address
	keep   rounds.Runner
}

// simulator gives the simulator inside this program, nil when there is none.
func (a *App) simulator() *sim.Sim {
	if a.sim == nil {
		return nil
	}
	return a.sim.sim
}

// simulatorURL is where it is called; "" when there is none.
func (a *App) simulatorURL() string {
	if a.sim == nil {
		return ""
	}
	return a.sim.url
}

// localURL is where the simulator reaches this program; "" before it listens.
func (a *App) localURL() string {
	if a.sim == nil {
		return ""
	}
	if here := a.sim.local.Load(); here != nil {
		return *here
	}
	return ""
}

// isSimulator tells whether an address is the simulator's: it may be called
// although it lies inside.
func (a *App) isSimulator(to netip.AddrPort) bool {
	u, err := url.Parse(a.simulatorURL())
	if err != nil || u.Host == "" {
		return false
	}
	own, err := netip.ParseAddrPort(u.Host)
	return err == nil && own == netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
}

// portState is where the port is remembered, so that accounts find it again.
const portState = stateDemo + ".sim.port"

// startSim opens the simulated world and listens for calls to it.
func (a *App) startSim(ctx context.Context) error {
	d := &demoSim{file: filepath.Join(a.cfg.Data, "sim.json")}
	guard := outbound.Guard{Private: a.cfg.OutboundPrivate, Own: func(to netip.AddrPort) bool {
		if own := d.own.Load(); own != nil && own.Port() == to.Port() && to.Addr().Unmap().IsLoopback() {
			return true
		}
		return a.isSimulator(to) // signing in leads there and back
	}}
	s, err := sim.Open(d.file, sim.Options{Seed: uint64(a.cfg.DemoSeed), Clock: a.clock, Log: a.log, People: simPeople, HTTP: guard.Client(10 * time.Second)}) //nolint:gosec // any number is a seed
	if err != nil {
		return err
	}
	d.sim = s
	port, err := a.state.get(ctx, portState)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil { // somebody else has the port by now, or there was none yet
		if ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return fmt.Errorf("listen for the simulator: %w", err)
		}
	}
	d.url = "http://" + ln.Addr().String()
	if err := a.state.set(ctx, portState, strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)); err != nil {
		return errors.Join(err, ln.Close())
	}
	d.server = &http.Server{Handler: s, ReadHeaderTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)}
	go func() { _ = d.server.Serve(ln) }() // it ends with Close
	d.keep.Start(ctx, func(ctx context.Context) {
		rounds.Every(ctx, saveEvery, nil, func(context.Context) {
			if err := s.Save(d.file); err != nil {
				a.log.Error("the simulator's world cannot be kept", "error", err)
			}
		})
	})
	if d.mail, err = a.startSimMail(ctx, s); err != nil {
		return errors.Join(err, d.server.Close())
	}
	a.sim = d
	return nil
}

// stopSim puts the world away.
func (a *App) stopSim(context.Context) error {
	if a.sim == nil {
		return nil
	}
	a.sim.keep.Stop()
	a.sim.sim.Close()
	return errors.Join(a.sim.server.Close(), a.sim.mail.close(), a.sim.sim.Save(a.sim.file))
}

// connectSim gives the pond an account at the simulated company, and has the
// company call it back: from then on a scan there is a customer here.
func (a *App) connectSim(ctx context.Context, ln net.Listener) error {
	if a.sim == nil || !slices.ContainsFunc(a.connectors.Kinds(), func(k connector.Kind) bool { return k.Name == simKind }) {
		return nil
	}
	if addr, err := netip.ParseAddrPort(ln.Addr().String()); err == nil {
		a.sim.own.Store(&addr)
	}
	here := local(ln)
	a.sim.local.Store(&here)
	access := a.sim.sim.Access(0)
	id, err := a.simAccount(ctx, "corpId", connector.Input{Kind: simKind, Name: access.Name + "（模拟企业微信）",
		Settings: map[string]string{"corpId": access.CorpID, "agentId": strconv.Itoa(access.AgentID), connector.SettingBase: a.sim.url + "/wecom"},
		Secrets:  map[string]string{"secret": access.Secret, "token": access.Token, "aesKey": access.AESKey}})
	if err != nil {
		return fmt.Errorf("connect the simulated company: %w", err)
	}
	if err := a.sim.sim.SetCallback(ctx, access.CorpID, access.AgentID, local(ln)+connector.HookPath(simKind, id), access.Token, access.AESKey); err != nil {
		return fmt.Errorf("have the simulated company call back: %w", err)
	}
	if err := a.connectSimApps(ctx, local(ln)); err != nil {
		return err
	}
	return a.connectSimMessages(ctx, local(ln))
}

// connectSimApps does the same for the simulated official account and mini-program.
func (a *App) connectSimApps(ctx context.Context, own string) error {
	for _, x := range a.sim.sim.AppAccess() {
		kind, words := wechat.Name, "（模拟公众号）"
		if x.Kind == sim.AppMini {
			kind, words = wechat.NameMini, "（模拟小程序）"
		}
		id, err := a.simAccount(ctx, "appId", connector.Input{Kind: kind, Name: x.Name + words,
			Settings: map[string]string{"appId": x.AppID, "mode": "safe", connector.SettingBase: a.sim.url + "/wechat"},
			Secrets:  map[string]string{"secret": x.Secret, "token": x.Token, "aesKey": x.AESKey}})
		if err != nil {
			return fmt.Errorf("connect the simulated %s: %w", x.Kind, err)
		}
		if err := a.sim.sim.SetAppCallback(ctx, x.AppID, own+connector.HookPath(kind, id), x.Token, x.AESKey, false); err != nil {
			return fmt.Errorf("have the simulated %s call back: %w", x.Kind, err)
		}
		if x.Kind == sim.AppMini {
			if err := a.sim.sim.SetBackend(x.AppID, own+wechat.LoginPath(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// simKind is the kind of the account at the simulated company.
const simKind = "wecom"

// simAccount finds or makes an account, which a setting tells from others, and
// corrects its address.
func (a *App) simAccount(ctx context.Context, by string, in connector.Input) (string, error) {
	list, err := a.connectors.Accounts(ctx, in.Kind)
	if err != nil {
		return "", err
	}
	for _, have := range list {
		if have.Setting(by) != in.Settings[by] {
			continue
		}
		if have.Setting(connector.SettingBase) == in.Settings[connector.SettingBase] {
			return have.ID, nil
		}
		in.Name = have.Name
		_, err := a.connectors.Change(ctx, have.ID, in)
		return have.ID, err
	}
	made, err := a.connectors.Create(ctx, in)
	return made.ID, err
}

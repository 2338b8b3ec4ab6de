package connector

import (
	"context"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// env is what the connection of one account may use.
func (s *Service) env(a Account, k Kind) Env {
	return Env{
		HTTP: s.client, Clock: s.Clock, Log: s.Log.With("account", a.ID), Callback: s.callback(a), Simulated: s.simulated(a),
		Dial: s.dialer.DialContext, LookupTXT: s.LookupTXT, Told: func(ctx context.Context, in ...Incoming) error { return s.Put(ctx, a, in...) },
		Token: func(ctx context.Context, name string, fetch Fetch) (string, error) {
			return s.token(ctx, a, name, "", fetch)
		},
		Refresh: func(ctx context.Context, name, stale string, fetch Fetch) (string, error) {
			return s.token(ctx, a, name, stale, fetch)
		},
		Quota: func(ctx context.Context, name, subject string, n int64) error {
			return s.take(ctx, a, k, name, subject, n)
		},
		Spent: func(ctx context.Context, name, subject string, until time.Time) error {
			return s.halt(ctx, a, name, subject, until)
		},
		Refused: func(ctx context.Context, err error) { s.refused(ctx, a, err) },
	}
}

// HookPath is where an account's platform calls, below the program's address.
func HookPath(kind, account string) string { return "/hooks/" + kind + "/" + account }

// callback is where the account's platform calls. The program's own simulator calls
// on this machine, whatever the public address.
func (s *Service) callback(a Account) string {
	at := s.PublicURL
	if s.simulated(a) && s.Local != nil {
		at = s.Local()
	}
	if at == "" {
		return ""
	}
	return strings.TrimRight(at, "/") + HookPath(a.Kind, a.ID)
}

// simulated tells whether an account is one at the program's own simulator.
func (s *Service) simulated(a Account) bool {
	u, base := s.simulator(), a.Setting(SettingBase)
	if s.SimulatorMail != nil && a.Setting("host") != "" && a.Setting("host")+":"+a.Setting("port") == s.SimulatorMail() {
		return true
	}
	return u != nil && base != "" && strings.HasPrefix(base, strings.TrimRight(u.String(), "/")+"/")
}

// simulator is the address of the program's own simulator, nil when there is none.
func (s *Service) simulator() *url.URL {
	if s.Simulator == nil {
		return nil
	}
	u, err := url.Parse(s.Simulator())
	if err != nil || u.Host == "" {
		return nil
	}
	return u
}

// simulatorHost tells whether an address is that of the program's own simulator.
func (s *Service) simulatorHost(to netip.AddrPort) bool {
	hosts := []string{}
	if u := s.simulator(); u != nil {
		hosts = append(hosts, u.Host)
	}
	if s.SimulatorMail != nil {
		hosts = append(hosts, s.SimulatorMail())
	}
	for _, h := range hosts {
		if own, err := netip.ParseAddrPort(h); err == nil && own == netip.AddrPortFrom(to.Addr().Unmap(), to.Port()) {
			return true
		}
	}
	return false
}

// checkBase tells what is wrong with another address for a platform.
func (s *Service) checkBase(raw string) error {
	if u := s.simulator(); u != nil {
		own := strings.TrimRight(u.String(), "/")
		if raw == own || strings.HasPrefix(raw, own+"/") && !strings.Contains(raw, "..") {
			return nil
		}
	}
	return s.Guard.Check("settings."+SettingBase, raw)
}

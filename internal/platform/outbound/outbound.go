// Package outbound answers: whom may the program call? Addresses that people
// type in are called through it: those inside the company's network and the
// machine's own are refused unless the installation allows them, also when a
// public name leads there, and whenever it is looked up.
package outbound

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Guard says whom may be called.
type Guard struct {
	Private bool // addresses inside the network, too
	// Own, when set, tells which address the program itself serves for such calls:
	// it may be called although it lies inside.
	Own func(netip.AddrPort) bool
}

// ErrPrivate says that an address lies inside the network.
var ErrPrivate = errors.New("the address is a private one")

// closed are networks that are nobody's on the internet, beside those that
// package netip knows: shared and test networks, and ways to write IPv4 in IPv6.
var closed = func() []netip.Prefix {
	var out []netip.Prefix
	for _, p := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10"} {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}()

// Public tells whether an address may be called by everybody's will.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.Zone() != "" {
		return false
	}
	for _, p := range closed {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// Check tells what is wrong with an address that somebody typed in. Names are
// looked up when they are called, and every time.
func (g Guard) Check(field, raw string) error {
	bad := func(code string) error { return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code)) }
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return bad("outbound.bad_url")
	}
	if g.Private {
		return nil
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !Public(a) || u.Hostname() == "localhost" {
		return bad("outbound.private")
	}
	return nil
}

// Dialer makes connections that are checked after their name was looked up.
func (g Guard) Dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if !g.Private && !Public(to.Addr()) && (g.Own == nil || !g.Own(to)) {
			return ErrPrivate
		}
		return nil
	}}
}

// Client makes calls that end after a while, follow no redirect and use no
// proxy. Each connection is checked after its name was looked up.
func (g Guard) Client(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: g.Dialer(timeout).DialContext, TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
			MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true}}
}

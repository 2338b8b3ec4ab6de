package httpx

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/id"
)

// request is what is known of the request at hand. The outer layer makes it,
// the route's guards fill it in, the access log reads it. One goroutine at a time.
type request struct {
	api       *API
	id        string
	ip        string
	lang      i18n.Lang
	secure    bool // came by TLS, to us or to a trusted proxy
	route     string
	quiet     bool
	maxBody   int64
	principal *auth.Principal
	cause     error // what an error answer did not show
}

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// RequestID names the request being answered, "" outside one.
func RequestID(ctx context.Context) string {
	if r := requestOf(ctx); r != nil {
		return r.id
	}
	return ""
}

// ClientIP is the address of the caller, seen through trusted proxies; "" outside a request.
func ClientIP(ctx context.Context) string {
	if r := requestOf(ctx); r != nil {
		return r.ip
	}
	return ""
}

// Secure tells whether the request came by TLS: cookies are marked so.
func Secure(ctx context.Context) bool { r := requestOf(ctx); return r != nil && r.secure }

// Lang is the language to answer in; Chinese outside a request.
func Lang(ctx context.Context) i18n.Lang {
	if r := requestOf(ctx); r != nil {
		return r.lang
	}
	return i18n.ZH
}

// Say translates a code for the caller; outside a request it is the code itself.
func Say(ctx context.Context, code string, params map[string]any) string {
	if r := requestOf(ctx); r != nil {
		return r.api.cfg.Catalogue.Translate(r.lang, code, params)
	}
	return code
}

func (a *API) newRequest(r *http.Request) *request {
	rid := r.Header.Get("X-Request-Id")
	if !saneID(rid) {
		rid = id.Secret(12)
	}
	q := &request{api: a, id: rid, lang: i18n.Negotiate(r.Header.Get("Accept-Language")), secure: r.TLS != nil}
	host, trusted := a.peer(r.RemoteAddr)
	q.ip = host
	if trusted {
		q.ip = a.forwardedFor(r, host)
		q.secure = q.secure || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	}
	return q
}

// saneID lets a caller's id into logs and headers: 8 to 64 plain characters.
func saneID(s string) bool {
	if len(s) < 8 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}

// peer is the address at the other end of the connection, and whether it is a trusted proxy.
func (a *API) peer(remote string) (host string, trusted bool) {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote, false
	}
	addr := ap.Addr().Unmap()
	return addr.String(), a.trusted(addr)
}

func (a *API) trusted(addr netip.Addr) bool {
	for _, p := range a.cfg.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// forwardedFor walks X-Forwarded-For from the right: the first address that is
// not one of our proxies is the client. What stands left of it anyone may have written.
func (a *API) forwardedFor(r *http.Request, peer string) string {
	ip := peer
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		addr, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return ip
		}
		addr = addr.Unmap()
		ip = addr.String()
		if !a.trusted(addr) {
			return ip
		}
	}
	return ip
}

// LogHandler adds the request id to every line logged with a request's context.
func LogHandler(h slog.Handler) slog.Handler { return logHandler{h} }

type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, rec slog.Record) error {
	if rid := RequestID(ctx); rid != "" {
		rec = rec.Clone()
		rec.AddAttrs(slog.String("requestId", rid))
	}
	return h.Handler.Handle(ctx, rec)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.Handler.WithGroup(name)}
}

package team

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/i18n"
)

// CookieName is the session cookie's.
const CookieName = "koipond_session"

func langOf(s string) i18n.Lang { return i18n.Lang(s) }

// sessionEntry is what a session cookie opens. Its principal is shared by
// requests: nobody changes it.
type sessionEntry struct {
	session   Session
	principal *auth.Principal
}

// tokenEntry is what an API token opens.
type tokenEntry struct {
	token     Token
	principal *auth.Principal
}

// Authenticate implements auth.Authenticator. An Authorization header decides
// alone: a browser that adds one of another scheme by itself must not come in
// by its cookie, because requests with that header are let through from other sites.
func (s *Service) Authenticate(r *http.Request) (*auth.Principal, error) {
	if h := r.Header.Get("Authorization"); h != "" {
		secret, ok := auth.Bearer(h)
		if !ok || !auth.WellFormed(auth.TokenSecret, secret) {
			return nil, ErrBadToken
		}
		return s.byToken(r.Context(), secret)
	}
	c, err := r.Cookie(CookieName)
	if err != nil || c.Value == "" {
		return nil, nil //nolint:nilerr // no cookie is no credential, not a failure
	}
	if !auth.WellFormed(auth.SessionSecret, c.Value) {
		return nil, ErrExpired
	}
	return s.bySession(r.Context(), c.Value)
}

func (s *Service) bySession(ctx context.Context, secret string) (*auth.Principal, error) {
	hash := auth.HashSecret(secret)
	e, err := s.sessions.get(ctx, hash, nil, func(ctx context.Context) (sessionEntry, error) { return s.loadSession(ctx, hash) })
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	seen := e.session.LastSeenAt
	if at := s.touched.seen(touchSession, e.session.ID); at.After(seen) {
		seen = at
	}
	if now.Sub(seen) >= SessionIdle || now.Sub(e.session.CreatedAt) >= SessionMax {
		return nil, ErrExpired
	}
	s.touched.mark(touchSession, e.session.ID, e.session.LastSeenAt, now)
	return e.principal, nil
}

func (s *Service) loadSession(ctx context.Context, hash string) (sessionEntry, error) {
	v, err := s.store.sessionByHash(ctx, hash)
	if err != nil {
		return sessionEntry{}, err
	}
	u, err := s.store.user(ctx, v.UserID)
	if errors.Is(err, ErrNoUser) || (err == nil && u.State != Active) {
		return sessionEntry{}, ErrExpired
	}
	if err != nil {
		return sessionEntry{}, err
	}
	p, err := s.principalOf(ctx, u)
	if err != nil {
		return sessionEntry{}, err
	}
	p.SessionID = v.ID
	return sessionEntry{v, p}, nil
}

func (s *Service) byToken(ctx context.Context, secret string) (*auth.Principal, error) {
	hash := auth.HashSecret(secret)
	e, err := s.tokens.get(ctx, hash, nil, func(ctx context.Context) (tokenEntry, error) { return s.loadToken(ctx, hash) })
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	if !e.token.ExpiresAt.IsZero() && !now.Before(e.token.ExpiresAt) {
		return nil, ErrBadToken
	}
	s.touched.mark(touchToken, e.token.ID, e.token.LastUsedAt, now)
	return e.principal, nil
}

func (s *Service) loadToken(ctx context.Context, hash string) (tokenEntry, error) {
	t, err := s.store.token(ctx, "hash", hash, ErrBadToken)
	if err != nil {
		return tokenEntry{}, err
	}
	if !t.RevokedAt.IsZero() {
		return tokenEntry{}, ErrBadToken
	}
	p, err := s.principalOfToken(ctx, t)
	return tokenEntry{t, p}, err
}

// principalOf is a user as a caller: what they may do now, and with whose customers.
func (s *Service) principalOf(ctx context.Context, u User) (*auth.Principal, error) {
	role, err := s.roleOf(ctx, u.Role)
	if err != nil {
		return nil, err
	}
	scope, err := s.scopeOf(ctx, role.Scope, u.ID)
	if err != nil {
		return nil, err
	}
	return &auth.Principal{ID: u.ID, Name: u.Name, Via: auth.ViaSession, Role: u.Role, Permissions: auth.Set(role.Permissions), Scope: scope}, nil
}

// principalOfToken is a token as a caller. "Mine" and "my department" of a
// token are those of whoever made it.
func (s *Service) principalOfToken(ctx context.Context, t Token) (*auth.Principal, error) {
	role, err := s.roleOf(ctx, t.Role)
	if err != nil {
		return nil, err
	}
	scope, err := s.scopeOf(ctx, role.Scope, t.CreatedBy.ID)
	if err != nil {
		return nil, err
	}
	return &auth.Principal{ID: t.ID, Name: t.Name, Via: auth.ViaToken, Role: t.Role, Permissions: auth.Set(role.Permissions), Scope: scope}, nil
}

// Principal is who asked for a job, as they are while it runs: with what they
// may do and see now. ErrGone when they may no longer come in.
func (s *Service) Principal(ctx context.Context, creator auth.Principal) (*auth.Principal, error) {
	gone := ErrGone.With("name", creator.Name)
	switch {
	case strings.HasPrefix(creator.ID, "us_"):
		u, err := s.store.user(ctx, creator.ID)
		if errors.Is(err, ErrNoUser) || (err == nil && u.State != Active) {
			return nil, gone
		}
		if err != nil {
			return nil, err
		}
		return s.principalOf(ctx, u)
	case strings.HasPrefix(creator.ID, "tk_"):
		t, err := s.store.token(ctx, "id", creator.ID, ErrNoToken)
		if errors.Is(err, ErrNoToken) || (err == nil && (!t.RevokedAt.IsZero() || !t.ExpiresAt.IsZero() && !s.clock.Now().Before(t.ExpiresAt))) {
			return nil, gone
		}
		if err != nil {
			return nil, err
		}
		return s.principalOfToken(ctx, t)
	}
	p := auth.System(creator.Name) // the program itself, or the command line
	p.ID = creator.ID
	return p, nil
}

// LookupKey finds what a write key stands for: ErrBadKey when it is none that
// works. While the database does not answer, a key seen in the last minute
// still works, so that facts are not refused; any other error is not the caller's fault.
func (s *Service) LookupKey(ctx context.Context, key string) (WriteKey, error) {
	if !auth.WellFormed(auth.WriteKeySecret, key) {
		return WriteKey{}, ErrBadKey
	}
	hash := auth.HashSecret(key)
	ours := func(err error) bool { return errs.As(err).Kind == errs.Internal }
	v, err := s.keys.get(ctx, hash, ours, func(ctx context.Context) (WriteKey, error) {
		v, err := s.store.key(ctx, "hash", hash, ErrBadKey)
		if err == nil && !v.RevokedAt.IsZero() {
			err = ErrBadKey
		}
		return v, err
	})
	if err != nil {
		return WriteKey{}, err
	}
	s.touched.mark(touchKey, v.ID, v.LastUsedAt, s.clock.Now())
	return v, nil
}

// cookie is the session cookie. Its life is the longest a session can have; the
// server ends it earlier. SameSite=Lax keeps it out of other sites' writes.
func cookie(secret string, secure bool) *http.Cookie {
	return &http.Cookie{Name: CookieName, Value: secret, Path: "/", HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
		MaxAge: int(SessionMax / time.Second)}
}

// noCookie takes it back.
func noCookie(secure bool) *http.Cookie {
	c := cookie("", secure)
	c.MaxAge = -1
	return c
}

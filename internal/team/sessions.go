package team

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

const (
	// SessionIdle ends a session that was not used for so long; SessionMax ends any.
	SessionIdle = 14 * 24 * time.Hour
	SessionMax  = 90 * 24 * time.Hour
	// maxSessions a user may have; the one unused for longest makes room.
	maxSessions  = 50
	maxUserAgent = 300
	// maxSecretLen: nobody's password is longer, and hashing a megabyte helps no one.
	maxSecretLen = 2000
)

// sessionLimits are the times (in ms) after which a living session was seen and created.
func sessionLimits(now time.Time) (seen, created int64) {
	return clock.Ms(now.Add(-SessionIdle)), clock.Ms(now.Add(-SessionMax))
}

// SignIn checks e-mail and password and begins a session; secret is the
// cookie's value. Whether the e-mail is unknown or the password wrong, answer
// and work are the same.
func (s *Service) SignIn(ctx context.Context, in SignInInput) (secret string, u User, err error) {
	account, address := accountKey(in.Email), addressKey(httpx.ClientIP(ctx))
	if err := s.attempt(ctx, account, address); err != nil {
		return "", u, err
	}
	u, why, err := s.checkPassword(ctx, in.Email, in.Password)
	if err != nil {
		return "", u, err
	}
	if why != nil {
		if err := s.recordFailure(ctx, in.Email, u, why); err != nil {
			return "", User{}, err
		}
		return "", User{}, why
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		// Read again: meanwhile the user may have been disabled or have a new password.
		now, err := s.store.user(ctx, u.ID)
		if err != nil && !errors.Is(err, ErrNoUser) {
			return err
		}
		if err != nil || now.State != Active || now.passwordHash != u.passwordHash {
			return ErrBadCredentials
		}
		if err := s.store.forgive(ctx, account, address); err != nil {
			return fmt.Errorf("clear attempts: %w", err)
		}
		if secret, err = s.begin(ctx, u, in.UserAgent); err != nil {
			return err
		}
		return s.endReplaced(ctx, in.Replaces)
	})
	if err != nil {
		return "", User{}, err
	}
	return secret, u, nil
}

// checkPassword finds the user and why they may not come in. It costs exactly
// one hash in every case (and one more when the hash is renewed).
func (s *Service) checkPassword(ctx context.Context, email, password string) (User, error, error) {
	if len(password) > maxSecretLen {
		password = ""
	}
	u, err := s.store.userByEmail(ctx, emailKey(email))
	if errors.Is(err, ErrNoUser) {
		if err := s.hasher.Waste(ctx, password); err != nil {
			return u, nil, fmt.Errorf("check password: %w", err)
		}
		return User{}, ErrBadCredentials, nil
	}
	if err != nil {
		return u, nil, err
	}
	ok, renew, err := s.hasher.Verify(ctx, u.passwordHash, password)
	switch {
	case err != nil:
		return u, nil, fmt.Errorf("check password: %w", err)
	case !ok:
		return u, ErrBadCredentials, nil
	case u.State != Active: // told only to who knows the password
		return u, ErrDisabled, nil
	}
	if renew {
		hash, err := s.hasher.Hash(ctx, password)
		if err != nil {
			return u, nil, fmt.Errorf("renew password hash: %w", err)
		}
		if err := s.store.renewHash(ctx, u.ID, u.passwordHash, hash); err != nil {
			return u, nil, fmt.Errorf("renew password hash: %w", err)
		}
		u.passwordHash = hash
	}
	return u, nil, nil
}

func (s *Service) recordFailure(ctx context.Context, email string, u User, why error) error {
	obj, reason := userObject(u), "wrong_password"
	switch {
	case u.ID == "":
		obj, reason = audit.Object{Type: "user", Name: maskEmail(email)}, "unknown_email"
	case errors.Is(why, ErrDisabled):
		reason = "disabled"
	}
	return s.record(ctx, "session.sign_in_failed", obj, map[string]any{"reason": reason})
}

// maskEmail shows enough to recognise a typing mistake. What does not look like
// an e-mail may be a password in the wrong field: none of it is shown.
func maskEmail(email string) string {
	addr, _, err := cleanEmail("email", email)
	if err != nil {
		return ""
	}
	at := strings.LastIndexByte(addr, '@')
	local := []rune(addr[:at])
	return string(local[:min(2, len(local)-1)]) + "***" + addr[at:]
}

// begin makes a session with a secret of its own, never one that the browser
// brought. It runs in a transaction.
func (s *Service) begin(ctx context.Context, u User, userAgent string) (string, error) {
	secret, hash, _ := auth.NewSecret(auth.SessionSecret)
	now := s.clock.Now()
	v := Session{ID: s.ids.New("se"), UserID: u.ID, IP: httpx.ClientIP(ctx), UserAgent: cut(userAgent, maxUserAgent), CreatedAt: now, LastSeenAt: now}
	if err := s.store.insertSession(ctx, v, hash); err != nil {
		return "", err
	}
	if err := s.store.touch(ctx, touch{touchSession, v.ID}, clock.Ms(now)); err != nil {
		return "", fmt.Errorf("note sign-in: %w", err)
	}
	if err := s.store.trimSessions(ctx, u.ID, maxSessions); err != nil {
		return "", fmt.Errorf("end oldest sessions: %w", err)
	}
	s.db.After(ctx, s.sessions.clear)
	ctx = auth.With(ctx, &auth.Principal{ID: u.ID, Name: u.Name, Via: auth.ViaSession, Role: u.Role})
	return secret, s.record(ctx, "session.signed_in", audit.Object{Type: "session", ID: v.ID}, nil)
}

// endReplaced ends the session that the browser had until now.
func (s *Service) endReplaced(ctx context.Context, cookie string) error {
	if !auth.WellFormed(auth.SessionSecret, cookie) {
		return nil
	}
	old, err := s.store.sessionByHash(ctx, auth.HashSecret(cookie))
	if errors.Is(err, ErrExpired) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = s.store.endSession(ctx, old.UserID, old.ID)
	return err
}

// mine is the signed-in user's principal.
func mine(ctx context.Context) (*auth.Principal, error) {
	if p := auth.From(ctx); p != nil && p.Via == auth.ViaSession {
		return p, nil
	}
	return nil, ErrSignInRequired
}

// ListSessions lists the sessions of whoever asks, used last first.
func (s *Service) ListSessions(ctx context.Context) ([]Session, error) {
	p, err := mine(ctx)
	if err != nil {
		return nil, err
	}
	seen, created := sessionLimits(s.clock.Now())
	out, err := s.store.sessionsOf(ctx, p.ID, seen, created)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return out, nil
}

// EndSession signs one of the asker's own sessions out.
func (s *Service) EndSession(ctx context.Context, id string) error {
	p, err := mine(ctx)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		ok, err := s.store.endSession(ctx, p.ID, id)
		if err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		if !ok {
			return ErrNoSession
		}
		s.db.After(ctx, s.sessions.clear)
		return s.record(ctx, "session.signed_out", audit.Object{Type: "session", ID: id}, nil)
	})
}

// EndOtherSessions signs the asker out everywhere but here.
func (s *Service) EndOtherSessions(ctx context.Context) error {
	p, err := mine(ctx)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		n, err := s.store.endSessions(ctx, p.ID, p.SessionID)
		if err != nil {
			return err
		}
		s.db.After(ctx, s.sessions.clear)
		return s.record(ctx, "session.others_signed_out", audit.Object{Type: "user", ID: p.ID, Name: p.Name}, map[string]any{"sessions": n})
	})
}

// ChangePassword changes the asker's own password and signs out their other
// sessions. The current one is asked for, and guessing it is throttled.
func (s *Service) ChangePassword(ctx context.Context, current, next string) error {
	p, err := mine(ctx)
	if err != nil {
		return err
	}
	u, err := s.store.user(ctx, p.ID)
	if err != nil {
		return err
	}
	if err := auth.CheckPassword("next", next, u.Email); err != nil {
		return err
	}
	account, address := accountKey("password:"+u.ID), addressKey(httpx.ClientIP(ctx))
	if err := s.attempt(ctx, account, address); err != nil {
		return err
	}
	ok, _, err := s.hasher.Verify(ctx, u.passwordHash, current)
	if err != nil {
		return fmt.Errorf("check password: %w", err)
	}
	if !ok {
		if err := s.record(ctx, "user.password_change_failed", userObject(u), nil); err != nil {
			return err
		}
		return errInput.On(errs.At("current", "user.wrong_password"))
	}
	hash, err := s.hasher.Hash(ctx, next)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	return s.change(ctx, func(ctx context.Context) error {
		now, err := s.store.user(ctx, p.ID)
		if err != nil {
			return err
		}
		if now.passwordHash != u.passwordHash { // changed elsewhere at the same moment
			return errInput.On(errs.At("current", "user.wrong_password"))
		}
		now.passwordHash = hash
		if err := s.store.updateUser(ctx, now, clock.Ms(s.clock.Now())); err != nil {
			return err
		}
		if err := s.store.forgive(ctx, account, address); err != nil {
			return fmt.Errorf("clear attempts: %w", err)
		}
		n, err := s.store.endSessions(ctx, p.ID, p.SessionID)
		if err != nil {
			return err
		}
		return s.record(ctx, "user.password_changed", userObject(u), map[string]any{"sessionsEnded": n})
	})
}

// UpdateSelf changes the asker's own name and language; nil leaves one alone.
func (s *Service) UpdateSelf(ctx context.Context, name, language *string) error {
	p, err := mine(ctx)
	if err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context) error {
		u, err := s.store.user(ctx, p.ID)
		if err != nil {
			return err
		}
		detail := map[string]any{}
		if name != nil {
			if u.Name, err = cleanName("name", *name); err != nil {
				return err
			}
			detail["name"] = u.Name
		}
		if language != nil {
			if u.Language = langOf(*language); !u.Language.Valid() {
				return errInput.On(errs.At("language", "settings.bad_language"))
			}
			detail["language"] = *language
		}
		if len(detail) == 0 {
			return nil
		}
		if err := s.store.updateUser(ctx, u, clock.Ms(s.clock.Now())); err != nil {
			return err
		}
		return s.record(ctx, "user.updated", userObject(u), detail)
	})
}

// Setup makes the first administrator and the settings, and signs them in. Of
// several at once exactly one succeeds.
func (s *Service) Setup(ctx context.Context, in SetupInput) (secret string, u User, err error) {
	if needed, err := s.SetupNeeded(ctx); err != nil || !needed {
		return "", u, errors.Join(err, refuseIf(!needed, ErrSetupDone))
	}
	settings, err := cleanSettings(in.Settings, true)
	if err != nil {
		return "", u, err
	}
	if in.Password == "" { // never generated here: nobody would see it
		return "", u, errInput.On(errs.At("password", "request.field_required"))
	}
	sys := auth.With(ctx, auth.System("setup"))
	u, _, err = s.newUser(sys, NewUser{Name: in.Name, Email: in.Email, Role: AdminRole, Password: in.Password, Language: settings.Language})
	if err != nil {
		return "", u, err
	}
	err = s.change(ctx, func(ctx context.Context) error {
		if needed, err := s.SetupNeeded(ctx); err != nil || !needed { // again, now that others wait
			return errors.Join(err, refuseIf(!needed, ErrSetupDone))
		}
		if err := s.store.setSettings(ctx, settings, clock.Ms(s.clock.Now())); err != nil {
			return err
		}
		if err := s.addUser(ctx, u); err != nil {
			return err
		}
		as := auth.With(ctx, &auth.Principal{ID: u.ID, Name: u.Name, Via: auth.ViaSession, Role: u.Role})
		if err := s.record(as, "setup.completed", userObject(u), map[string]any{"company": settings.Company, "timezone": settings.Timezone,
			"currency": settings.Currency, "language": string(settings.Language)}); err != nil {
			return err
		}
		secret, err = s.begin(ctx, u, in.UserAgent)
		return err
	})
	if err != nil {
		return "", User{}, err
	}
	return secret, u, nil
}

func refuseIf(cond bool, err error) error {
	if cond {
		return err
	}
	return nil
}

func cut(s string, limit int) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}

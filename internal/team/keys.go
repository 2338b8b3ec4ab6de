package team

import (
	"context"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

func tokenObject(t Token) audit.Object { return audit.Object{Type: "token", ID: t.ID, Name: t.Name} }
func keyObject(k WriteKey) audit.Object {
	return audit.Object{Type: "write_key", ID: k.ID, Name: k.Name}
}

// ListTokens lists API tokens, newest first, revoked ones too.
func (s *Service) ListTokens(ctx context.Context) ([]Token, error) {
	out, err := s.store.tokens(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return out, nil
}

// CreateToken makes an API token with a role whose permissions whoever asks
// holds. The secret is answered once and kept nowhere. A zero expires is never.
func (s *Service) CreateToken(ctx context.Context, name, role string, expires time.Time) (Token, string, error) {
	p, err := actor(ctx)
	if err != nil {
		return Token{}, "", err
	}
	if name, err = cleanName("name", name); err != nil {
		return Token{}, "", err
	}
	now := s.clock.Now()
	if expires = expires.UTC().Truncate(time.Millisecond); !expires.IsZero() && !expires.After(now) {
		return Token{}, "", errInput.On(errs.At("expiresAt", "token.expiry_past"))
	}
	secret, hash, shown := auth.NewSecret(auth.TokenSecret)
	t := Token{ID: s.ids.New("tk"), Name: name, Role: role, Prefix: shown, CreatedBy: By{p.ID, p.Name}, CreatedAt: now, ExpiresAt: expires}
	err = s.change(ctx, func(ctx context.Context) error {
		r, err := s.Role(ctx, role)
		if err != nil {
			return pointAt("role", err)
		}
		if err := coversRole(ctx, r, ErrBeyondYours); err != nil {
			return err
		}
		if err := s.store.insertToken(ctx, t, hash); err != nil {
			return err
		}
		detail := map[string]any{"role": role, "prefix": shown}
		if !expires.IsZero() {
			detail["expiresAt"] = expires
		}
		return s.record(ctx, "token.created", tokenObject(t), detail)
	})
	if err != nil {
		return Token{}, "", err
	}
	return t, secret, nil
}

// RevokeToken ends a token at once. Revoking it again changes nothing.
func (s *Service) RevokeToken(ctx context.Context, id string) error {
	if _, err := actor(ctx); err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context) error {
		t, err := s.store.token(ctx, "id", id, ErrNoToken)
		if err != nil {
			return err
		}
		done, err := s.store.revokeToken(ctx, id, clock.Ms(s.clock.Now()))
		if err != nil {
			return fmt.Errorf("revoke token: %w", err)
		}
		if !done {
			return nil
		}
		return s.record(ctx, "token.revoked", tokenObject(t), nil)
	})
}

// ListWriteKeys lists write keys, newest first, revoked ones too.
func (s *Service) ListWriteKeys(ctx context.Context) ([]WriteKey, error) {
	out, err := s.store.keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list write keys: %w", err)
	}
	return out, nil
}

// CreateWriteKey makes a write key. An empty source takes the name. The secret
// is answered once and kept nowhere.
func (s *Service) CreateWriteKey(ctx context.Context, name, source string) (WriteKey, string, error) {
	p, err := actor(ctx)
	if err != nil {
		return WriteKey{}, "", err
	}
	if name, err = cleanName("name", name); err != nil {
		return WriteKey{}, "", err
	}
	if source == "" {
		source = name
	}
	if source, err = cleanName("source", source); err != nil {
		return WriteKey{}, "", err
	}
	secret, hash, shown := auth.NewSecret(auth.WriteKeySecret)
	k := WriteKey{ID: s.ids.New("wk"), Name: name, Source: source, Prefix: shown, CreatedBy: By{p.ID, p.Name}, CreatedAt: s.clock.Now()}
	err = s.change(ctx, func(ctx context.Context) error {
		if err := s.store.insertKey(ctx, k, hash); err != nil {
			return err
		}
		return s.record(ctx, "write_key.created", keyObject(k), map[string]any{"source": source, "prefix": shown})
	})
	if err != nil {
		return WriteKey{}, "", err
	}
	return k, secret, nil
}

// RevokeWriteKey ends a write key at once. Revoking it again changes nothing.
func (s *Service) RevokeWriteKey(ctx context.Context, id string) error {
	if _, err := actor(ctx); err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context) error {
		k, err := s.store.key(ctx, "id", id, ErrNoWriteKey)
		if err != nil {
			return err
		}
		done, err := s.store.revokeKey(ctx, id, clock.Ms(s.clock.Now()))
		if err != nil {
			return fmt.Errorf("revoke write key: %w", err)
		}
		if !done {
			return nil
		}
		return s.record(ctx, "write_key.revoked", keyObject(k), nil)
	})
}

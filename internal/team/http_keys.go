package team

import (
	"context"
	"time"
)

type apiRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type apiToken struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Role       string     `json:"role"`
	Prefix     string     `json:"prefix" doc:"How the secret begins"`
	CreatedAt  time.Time  `json:"createdAt"`
	CreatedBy  apiRef     `json:"createdBy"`
	LastUsedAt *time.Time `json:"lastUsedAt,omitempty"`
	ExpiresAt  *time.Time `json:"expiresAt,omitempty"`
	RevokedAt  *time.Time `json:"revokedAt,omitempty"`
}

func toAPIToken(t Token) apiToken {
	return apiToken{t.ID, t.Name, t.Role, t.Prefix, t.CreatedAt, apiRef(t.CreatedBy), timeOrNil(t.LastUsedAt), timeOrNil(t.ExpiresAt), timeOrNil(t.RevokedAt)}
}

type tokensOut struct {
	Body struct {
		Items []apiToken `json:"items"`
	}
}

func (s *Service) handleTokens(ctx context.Context, _ *nothing) (*tokensOut, error) {
	list, err := s.ListTokens(ctx)
	if err != nil {
		return nil, err
	}
	out := &tokensOut{}
	for _, t := range list {
		out.Body.Items = append(out.Body.Items, toAPIToken(t))
	}
	return out, nil
}

type createTokenIn struct {
	Body struct {
		Name      string     `json:"name"`
		Role      string     `json:"role" doc:"Id of a built-in or custom role"`
		ExpiresAt *time.Time `json:"expiresAt,omitempty" doc:"Never when not given"`
	}
}

type createTokenOut struct {
	Body struct {
		Token  apiToken `json:"token"`
		Secret string   `json:"secret" doc:"Shown this once"`
	}
}

func (s *Service) handleCreateToken(ctx context.Context, in *createTokenIn) (*createTokenOut, error) {
	var expires time.Time
	if in.Body.ExpiresAt != nil {
		expires = *in.Body.ExpiresAt
	}
	t, secret, err := s.CreateToken(ctx, in.Body.Name, in.Body.Role, expires)
	if err != nil {
		return nil, err
	}
	out := &createTokenOut{}
	out.Body.Token, out.Body.Secret = toAPIToken(t), secret
	return out, nil
}

func (s *Service) handleRevokeToken(ctx context.Context, in *byID) (*nothing, error) {
	return nil, s.RevokeToken(ctx, in.ID)
}

type apiWriteKey struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix" doc:"How the secret begins"`
	Source     string     `json:"source" doc:"The source that facts sent with it carry"`
	CreatedAt  time.Time  `json:"createdAt"`
	CreatedBy  apiRef     `json:"createdBy"`
	LastUsedAt *time.Time `json:"lastUsedAt,omitempty"`
	RevokedAt  *time.Time `json:"revokedAt,omitempty"`
}

func toAPIWriteKey(k WriteKey) apiWriteKey {
	return apiWriteKey{k.ID, k.Name, k.Prefix, k.Source, k.CreatedAt, apiRef(k.CreatedBy), timeOrNil(k.LastUsedAt), timeOrNil(k.RevokedAt)}
}

type writeKeysOut struct {
	Body struct {
		Items []apiWriteKey `json:"items"`
	}
}

func (s *Service) handleWriteKeys(ctx context.Context, _ *nothing) (*writeKeysOut, error) {
	list, err := s.ListWriteKeys(ctx)
	if err != nil {
		return nil, err
	}
	out := &writeKeysOut{}
	for _, k := range list {
		out.Body.Items = append(out.Body.Items, toAPIWriteKey(k))
	}
	return out, nil
}

type createWriteKeyIn struct {
	Body struct {
		Name   string `json:"name"`
		Source string `json:"source,omitempty" doc:"The name when not given"`
	}
}

type createWriteKeyOut struct {
	Body struct {
		Key    apiWriteKey `json:"key"`
		Secret string      `json:"secret" doc:"Shown this once"`
	}
}

func (s *Service) handleCreateWriteKey(ctx context.Context, in *createWriteKeyIn) (*createWriteKeyOut, error) {
	k, secret, err := s.CreateWriteKey(ctx, in.Body.Name, in.Body.Source)
	if err != nil {
		return nil, err
	}
	out := &createWriteKeyOut{}
	out.Body.Key, out.Body.Secret = toAPIWriteKey(k), secret
	return out, nil
}

func (s *Service) handleRevokeWriteKey(ctx context.Context, in *byID) (*nothing, error) {
	return nil, s.RevokeWriteKey(ctx, in.ID)
}

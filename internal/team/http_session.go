package team

import (
	"context"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

type setupOut struct {
	Body struct {
		Needed      bool         `json:"needed"`
		Demo        bool         `json:"demo"`
		DemoAccount *demoAccount `json:"demoAccount,omitempty" doc:"How to sign in to the demo"`
		Version     string       `json:"version"`
	}
}

type demoAccount struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

func (s *Service) handleSetupState(ctx context.Context, _ *nothing) (*setupOut, error) {
	needed, err := s.SetupNeeded(ctx)
	if err != nil {
		return nil, err
	}
	out := &setupOut{}
	out.Body.Needed, out.Body.Demo, out.Body.Version = needed, s.demo != nil, s.version
	if s.demo != nil && s.demo.Email != "" && s.demo.Password != "" {
		out.Body.DemoAccount = &demoAccount{s.demo.Email, s.demo.Password}
	}
	return out, nil
}

type setupIn struct {
	UserAgent string `header:"User-Agent" hidden:"true"`
	Body      struct {
		Company  string `json:"company"`
		Timezone string `json:"timezone" doc:"IANA name, such as Asia/Shanghai"`
		Currency string `json:"currency" doc:"ISO 4217 code, such as CNY"`
		Language string `json:"language" enum:"zh-CN,en"`
		Name     string `json:"name"`
		Email    string `json:"email"`
		Password string `json:"password"`
	}
}

func (s *Service) handleSetup(ctx context.Context, in *setupIn) (*signedInOut, error) {
	b := in.Body
	secret, u, err := s.Setup(ctx, SetupInput{
		Settings: Settings{Company: b.Company, Timezone: b.Timezone, Currency: b.Currency, Language: langOf(b.Language)},
		Name:     b.Name, Email: b.Email, Password: b.Password, UserAgent: in.UserAgent,
	})
	return s.signedIn(ctx, secret, u, err)
}

func (s *Service) signedIn(ctx context.Context, secret string, u User, err error) (*signedInOut, error) {
	if err != nil {
		return nil, err
	}
	m, err := s.me(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	return &signedInOut{SetCookie: cookie(secret, httpx.Secure(ctx)).String(), Body: m}, nil
}

type signInIn struct {
	UserAgent string `header:"User-Agent" hidden:"true"`
	Cookie    string `cookie:"koipond_session" hidden:"true"`
	Body      struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
}

func (s *Service) handleSignIn(ctx context.Context, in *signInIn) (*signedInOut, error) {
	secret, u, err := s.SignIn(ctx, SignInInput{Email: in.Body.Email, Password: in.Body.Password, UserAgent: in.UserAgent, Replaces: in.Cookie})
	return s.signedIn(ctx, secret, u, err)
}

func (s *Service) handleMe(ctx context.Context, _ *nothing) (*meOut, error) {
	p, err := mine(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.me(ctx, p.ID)
	return &meOut{m}, err
}

func (s *Service) handleSignOut(ctx context.Context, _ *nothing) (*signedOutOut, error) {
	if p := auth.From(ctx); p != nil {
		if err := s.EndSession(ctx, p.SessionID); err != nil {
			return nil, err
		}
	}
	return &signedOutOut{noCookie(httpx.Secure(ctx)).String()}, nil
}

type updateSelfIn struct {
	Body struct {
		Name     *string `json:"name,omitempty"`
		Language *string `json:"language,omitempty" enum:"zh-CN,en"`
	}
}

func (s *Service) handleUpdateSelf(ctx context.Context, in *updateSelfIn) (*meOut, error) {
	if err := s.UpdateSelf(ctx, in.Body.Name, in.Body.Language); err != nil {
		return nil, err
	}
	return s.handleMe(ctx, nil)
}

type passwordIn struct {
	Body struct {
		Current string `json:"current"`
		Next    string `json:"next"`
	}
}

func (s *Service) handleChangePassword(ctx context.Context, in *passwordIn) (*nothing, error) {
	return nil, s.ChangePassword(ctx, in.Body.Current, in.Body.Next)
}

type apiSession struct {
	ID         string    `json:"id"`
	Current    bool      `json:"current"`
	CreatedAt  time.Time `json:"createdAt"`
	LastSeenAt time.Time `json:"lastSeenAt"`
	IP         string    `json:"ip"`
	UserAgent  string    `json:"userAgent"`
}

type sessionsOut struct {
	Body struct {
		Items []apiSession `json:"items"`
	}
}

func (s *Service) handleSessions(ctx context.Context, _ *nothing) (*sessionsOut, error) {
	list, err := s.ListSessions(ctx)
	if err != nil {
		return nil, err
	}
	out := &sessionsOut{}
	current := auth.From(ctx).SessionID
	for _, v := range list {
		out.Body.Items = append(out.Body.Items, apiSession{v.ID, v.ID == current, v.CreatedAt, v.LastSeenAt, v.IP, v.UserAgent})
	}
	return out, nil
}

func (s *Service) handleEndSession(ctx context.Context, in *byID) (*nothing, error) {
	return nil, s.EndSession(ctx, in.ID)
}

func (s *Service) handleEndOthers(ctx context.Context, _ *nothing) (*nothing, error) {
	return nil, s.EndOtherSessions(ctx)
}

type apiSettings struct {
	Company  string `json:"company"`
	Timezone string `json:"timezone"`
	Currency string `json:"currency"`
	Language string `json:"language" enum:"zh-CN,en"`
}

type settingsOut struct{ Body apiSettings }

func toAPISettings(v Settings) *settingsOut {
	return &settingsOut{apiSettings{v.Company, v.Timezone, v.Currency, string(v.Language)}}
}

func (s *Service) handleSettings(ctx context.Context, _ *nothing) (*settingsOut, error) {
	v, err := s.Settings(ctx)
	return toAPISettings(v), err
}

type updateSettingsIn struct {
	Body struct {
		Company  *string `json:"company,omitempty"`
		Timezone *string `json:"timezone,omitempty"`
		Currency *string `json:"currency,omitempty"`
		Language *string `json:"language,omitempty" enum:"zh-CN,en"`
	}
}

func (s *Service) handleUpdateSettings(ctx context.Context, in *updateSettingsIn) (*settingsOut, error) {
	ch := SettingsChange{Company: in.Body.Company, Timezone: in.Body.Timezone, Currency: in.Body.Currency}
	if in.Body.Language != nil {
		l := langOf(*in.Body.Language)
		ch.Language = &l
	}
	v, err := s.UpdateSettings(ctx, ch)
	return toAPISettings(v), err
}

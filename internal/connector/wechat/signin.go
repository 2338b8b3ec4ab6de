package wechat

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/secret"
)

// SignIn lets the customers of the company say who they are: in its mini-program,
// and on pages inside WeChat. What WeChat proves becomes a fact, so that whatever
// their device did before is theirs.
type SignIn struct {
	// Conn gives the connection of an account that is active.
	Conn   func(ctx context.Context, account string) (connector.Conn, error)
	Ingest event.Ingester
	Keys   *secret.Ring
	Clock  clock.Clock
	Log    *slog.Logger
	// URL is the program's address, "" when it does not know its own: then nobody can
	// sign in on a page.
	URL func() string
	// Visitor gives the id by which the program knows a browser, and sets its cookie.
	Visitor func(w http.ResponseWriter, r *http.Request) string
	// Scanned tells what is known of a mini-program's code that somebody came by, nil
	// when it is none of ours. messageID is the id of the fact that follows. May be nil.
	Scanned func(ctx context.Context, account, scene, person, messageID string) *Scan

	pace pace
}

const (
	sessionField = "wechat.session"
	stateField   = "wechat.state"
	// sessionLife is how long a mini-program need not log in again.
	sessionLife = 30 * 24 * time.Hour
	// stateLife is how long somebody may take to sign in on a page.
	stateLife   = 10 * time.Minute
	stateCookie = "kp_wx"
	signInPath  = "/wx/{account}/in"
	backPath    = "/wx/{account}/back"
	maxCode     = 200
)

var (
	errNoMini     = errs.New(errs.NotFound, "wechat.no_mini_account")
	errNoOfficial = errs.New(errs.NotFound, "wechat.no_official_account")
	errSession    = errs.New(errs.Unauthorized, "wechat.session_over")
	errState      = errs.New(errs.Forbidden, "wechat.bad_state")
	errNoURL      = errs.New(errs.Conflict, "wechat.no_own_address")
	errPace       = errs.New(errs.TooMany, "wechat.too_many_logins")
)

// session says who is logged in to a mini-program. It goes to the phone sealed.
type session struct {
	Account string `json:"a"`
	OpenID  string `json:"o"`
	UnionID string `json:"u,omitempty"`
	Until   int64  `json:"t"`
}

// LoginInput is what a mini-program logs a user in with.
type LoginInput struct {
	Code        string `json:"code" minLength:"1" maxLength:"200" doc:"What wx.login gave"`
	AnonymousID string `json:"anonymousId,omitempty" maxLength:"200" doc:"The id under which the mini-program has sent events of this device: they become this user's"`
	Scene       string `json:"scene,omitempty" maxLength:"32" doc:"When a code of the mini-program opened it: decodeURIComponent(query.scene)"`
}

// Login is who the user of a mini-program is.
type Login struct {
	Session   string    `json:"session" doc:"Proves later calls to be this user's; keep it on the phone"`
	ExpiresAt time.Time `json:"expiresAt"`
	OpenID    string    `json:"openid"`
	UnionID   string    `json:"unionid,omitempty" doc:"When the mini-program belongs to an open platform account"`
	Scan      *Scan     `json:"scan,omitempty" doc:"Of the code that scene named, when it is a scene code"`
}

func (s *SignIn) mini(ctx context.Context, account string) (*Mini, error) {
	c, err := s.Conn(ctx, account)
	if err != nil {
		return nil, err
	}
	m, ok := c.(*Mini)
	if !ok {
		return nil, errNoMini
	}
	return m, nil
}

// Login turns the code of wx.login into a session of ours, and states that this
// person was here.
func (s *SignIn) Login(ctx context.Context, account string, in LoginInput) (Login, error) {
	m, err := s.mini(ctx, account)
	if err != nil {
		return Login{}, err
	}
	if in.Scene != "" { // before the code is spent
		if err := checkScene(in.Scene); err != nil {
			return Login{}, err
		}
	}
	p, err := m.LoggedIn(ctx, in.Code)
	if err != nil {
		return Login{}, onCode(err)
	}
	if err := s.state(ctx, m.account, event.Identify, event.NameAccountSignedIn, p, in.AnonymousID, map[string]any{"how": "login"}); err != nil {
		return Login{}, err
	}
	var scan *Scan
	if in.Scene != "" {
		if scan, err = s.cameBy(ctx, m.account, p, in.Scene, in.Code, in.AnonymousID); err != nil {
			return Login{}, err
		}
	}
	until := s.Clock.Now().Add(sessionLife).Truncate(time.Second)
	sealed, err := s.seal(sessionField, session{account, p.OpenID, p.UnionID, until.Unix()})
	return Login{Session: sealed, ExpiresAt: until.UTC(), OpenID: p.OpenID, UnionID: p.UnionID, Scan: scan}, err
}

// PhoneInput is what a mini-program hands on when a user gives their number.
type PhoneInput struct {
	Session string `json:"session" minLength:"1" maxLength:"2000" doc:"Of the login"`
	Code    string `json:"code" minLength:"1" maxLength:"200" doc:"What the button with open-type getPhoneNumber gave"`
}

// Phone turns the code of the button into the user's number, which becomes one of
// the ways they are known by, and gives it masked.
func (s *SignIn) Phone(ctx context.Context, account string, in PhoneInput) (masked string, err error) {
	m, err := s.mini(ctx, account)
	if err != nil {
		return "", err
	}
	who, err := s.whose(account, in.Session)
	if err != nil {
		return "", err
	}
	phone, err := m.Phone(ctx, in.Code)
	if err != nil {
		return "", onCode(err)
	}
	f := s.fact(m.account, event.Identify, event.NamePhoneGiven, Person{OpenID: who.OpenID, UnionID: who.UnionID}, "", map[string]any{})
	f.Identifiers = append(f.Identifiers, event.Identifier{Kind: "phone", Value: phone})
	if _, err := s.Ingest.Ingest(ctx, []event.Fact{f}); err != nil {
		return "", err
	}
	return secret.MaskPhone(phone), nil
}

// onCode puts what the platform says of a code onto the field.
func onCode(err error) error {
	switch CodeOf(err) {
	case 40029, 40163, 42003:
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("code", errs.CodeOf(err))).Wrap(err)
	}
	return err
}

func (s *SignIn) fact(a connector.Account, kind event.Type, name string, p Person, device string, props map[string]any) event.Fact {
	now := s.Clock.Now()
	f := Known(a, "in-"+id.Secret(16), now, p)
	props["account"] = a.ID
	raw, _ := json.Marshal(props) // texts always encode
	f.Type, f.Name, f.Properties, f.AnonymousID = kind, name, raw, device
	return f
}

func (s *SignIn) state(ctx context.Context, a connector.Account, kind event.Type, name string, p Person, device string, props map[string]any) error {
	_, err := s.Ingest.Ingest(ctx, []event.Fact{s.fact(a, kind, name, p, device, props)})
	return err
}

func (s *SignIn) seal(field string, v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return s.Keys.Seal(field, string(raw))
}

func (s *SignIn) unseal(field, text string, v any) error {
	raw, err := s.Keys.Open(field, text)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(raw), v)
}

// errand is what is kept in a cookie while somebody signs in on a page.
type errand struct {
	State   string `json:"s"`
	Account string `json:"a"`
	To      string `json:"to"`
	Until   int64  `json:"t"`
}

func (s *SignIn) official(ctx context.Context, account string) (*Official, error) {
	c, err := s.Conn(ctx, account)
	if err != nil {
		return nil, err
	}
	o, ok := c.(*Official)
	if !ok {
		return nil, errNoOfficial
	}
	return o, nil
}

// begin sends a browser inside WeChat to be told who holds it, and remembers in a
// cookie that it was this browser, and where it wants to go.
func (s *SignIn) begin(w http.ResponseWriter, r *http.Request, account string) error {
	o, err := s.official(r.Context(), account)
	if err != nil {
		return err
	}
	own := strings.TrimRight(s.URL(), "/")
	if own == "" {
		return errNoURL
	}
	to := r.URL.Query().Get("to")
	if to == "" {
		to = "/"
	}
	if !ownPath(to) {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("to", "wechat.not_own_page"))
	}
	scope := ScopeSilent
	if r.URL.Query().Get("profile") == "1" {
		scope = ScopeProfile
	}
	state := id.Secret(16)
	sealed, err := s.seal(stateField, errand{state, account, to, s.Clock.Now().Add(stateLife).Unix()})
	if err != nil {
		return err
	}
	s.setCookie(w, r, sealed, int(stateLife/time.Second))
	w.Header().Set("Location", o.SignInPage(own+strings.Replace(backPath, "{account}", url.PathEscape(account), 1), scope, state))
	w.WriteHeader(http.StatusFound)
	return nil
}

// finish takes a browser back: the state has to be the one of its own cookie, so that
// nobody can be led to sign in as somebody else.
func (s *SignIn) finish(w http.ResponseWriter, r *http.Request, account string) error {
	o, err := s.official(r.Context(), account)
	if err != nil {
		return err
	}
	var e errand
	c, err := r.Cookie(stateCookie)
	if err == nil {
		err = s.unseal(stateField, c.Value, &e)
	}
	q := r.URL.Query()
	if err != nil || e.State == "" || e.Account != account || s.Clock.Now().Unix() > e.Until || subtle.ConstantTimeCompare([]byte(e.State), []byte(q.Get("state"))) != 1 {
		return errState.Wrap(err)
	}
	s.setCookie(w, r, "", -1)
	code := q.Get("code")
	if code == "" || len(code) > maxCode { // they said no: they may go on all the same
		w.Header().Set("Location", e.To)
		w.WriteHeader(http.StatusFound)
		return nil
	}
	p, err := o.SignedIn(r.Context(), code)
	if err != nil {
		return onCode(err)
	}
	if p.Snapshot == 0 && p.OpenID != "" { // a visitor in a preview is nobody yet
		if err := s.state(r.Context(), o.account, event.Identify, event.NameAccountSignedIn, p, s.Visitor(w, r), map[string]any{"how": "page"}); err != nil {
			return err
		}
	}
	w.Header().Set("Location", e.To)
	w.WriteHeader(http.StatusFound)
	return nil
}

func (s *SignIn) setCookie(w http.ResponseWriter, r *http.Request, value string, life int) {
	http.SetCookie(w, &http.Cookie{Name: stateCookie, Value: value, Path: "/wx/", MaxAge: life, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: r.TLS != nil || strings.HasPrefix(s.URL(), "https://")})
}

// ownPath tells whether an address is a page of this program: nobody is sent
// anywhere else.
func ownPath(p string) bool {
	if len(p) > 1000 || !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t\x00") {
		return false
	}
	u, err := url.Parse(p)
	return err == nil && u.Host == "" && u.Scheme == "" && !strings.HasPrefix(u.Path, "//")
}

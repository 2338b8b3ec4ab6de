package wechat

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// AppInput names an account in the path. It is exported because the API layer reads
// no parameters of embedded types that are not.
type AppInput struct {
	Account string `path:"account" maxLength:"60" doc:"Id of the mini-program's account"`
}

// LoginPath is where a mini-program of an account calls: below it lie /login, /launch
// and /phone.
func LoginPath(account string) string { return "/api/wechat/" + account }

type (
	loginInput struct {
		AppInput
		Body LoginInput
	}
	loginOutput struct{ Body Login }
	launchInput struct {
		AppInput
		Body LaunchInput
	}
	launchOutput struct {
		Body struct {
			Scan *Scan `json:"scan,omitempty" doc:"When the text is a scene code's"`
		}
	}
	phoneInput struct {
		AppInput
		Body PhoneInput
	}
	phoneOutput struct {
		Body struct {
			Phone string `json:"phone" doc:"The number, most of it hidden"`
		}
	}
)

// Routes declares what the company's mini-program calls, and the pages on which
// customers sign in. Nobody needs to be signed in here for them: WeChat's own code
// proves who calls.
func (s *SignIn) Routes(api *httpx.API) {
	op := func(id, path, summary string) httpx.Op {
		return httpx.Op{ID: id, Method: http.MethodPost, Path: path, Tag: "wechat", Summary: summary, Permission: auth.Public, Quiet: true, MaxBody: 8 << 10}
	}
	httpx.Register(api, op("log-in-mini-program", "/api/wechat/{account}/login", "A user of the mini-program logs in: the code of wx.login becomes a session"), func(ctx context.Context, in *loginInput) (*loginOutput, error) {
		if err := s.admit(ctx); err != nil {
			return nil, err
		}
		l, err := s.Login(ctx, in.Account, in.Body)
		return &loginOutput{l}, err
	})
	httpx.Register(api, op("give-mini-program-phone", "/api/wechat/{account}/phone", "A user of the mini-program gives their phone number"), func(ctx context.Context, in *phoneInput) (*phoneOutput, error) {
		if err := s.admit(ctx); err != nil {
			return nil, err
		}
		phone, err := s.Phone(ctx, in.Account, in.Body)
		out := &phoneOutput{}
		out.Body.Phone = phone
		return out, err
	})
	httpx.Register(api, op("launch-mini-program", "/api/wechat/{account}/launch", "A code opened the mini-program of a user who is logged in"), func(ctx context.Context, in *launchInput) (*launchOutput, error) {
		if err := s.admit(ctx); err != nil {
			return nil, err
		}
		scan, err := s.Launch(ctx, in.Account, in.Body)
		out := &launchOutput{}
		out.Body.Scan = scan
		return out, err
	})
	page := func(id, path, summary string, serve func(w http.ResponseWriter, r *http.Request, account string)) {
		httpx.Handle(api, httpx.Op{ID: id, Method: http.MethodGet, Path: path, Tag: "wechat", Summary: summary, Permission: auth.Public, Quiet: true, Hidden: true, Timeout: 15 * time.Second},
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(w, r, r.PathValue("account")) }))
	}
	page("sign-in-wechat", signInPath, "Sign in with WeChat, on the way to a page", s.Begin)
	page("signed-in-wechat", backPath, "Back from WeChat", s.Finish)
}

// Begin sends a browser inside WeChat to be told who holds it, on the way to the page
// that the parameter to names.
func (s *SignIn) Begin(w http.ResponseWriter, r *http.Request, account string) {
	s.page(w, r, account, s.begin)
}

// Finish takes it back, and on to its page.
func (s *SignIn) Finish(w http.ResponseWriter, r *http.Request, account string) {
	s.page(w, r, account, s.finish)
}

func (s *SignIn) page(w http.ResponseWriter, r *http.Request, account string, serve func(w http.ResponseWriter, r *http.Request, account string) error) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address holds a code
	err := s.admit(r.Context())
	if err == nil {
		err = serve(w, r, account)
	}
	if err != nil {
		httpx.WriteError(w, r, err)
	}
}

// What one address may ask for within a minute: a shop's guests share one.
const (
	paceMost    = 120
	paceWithin  = time.Minute
	maxPaceFrom = 20_000
)

// pace counts sign-ins by address, so that guessing codes costs the platform's calls
// of nobody.
type pace struct {
	mu    sync.Mutex
	began time.Time
	from  map[string]int
}

// admit counts a sign-in of the caller.
func (s *SignIn) admit(ctx context.Context) error {
	ip, now := httpx.ClientIP(ctx), s.Clock.Now()
	s.pace.mu.Lock()
	defer s.pace.mu.Unlock()
	if s.pace.from == nil || now.Sub(s.pace.began) >= paceWithin || len(s.pace.from) >= maxPaceFrom {
		s.pace.from, s.pace.began = map[string]int{}, now
	}
	if s.pace.from[ip]++; s.pace.from[ip] > paceMost {
		e := *errPace
		e.RetryAfter = int(paceWithin / time.Second)
		return &e
	}
	return nil
}

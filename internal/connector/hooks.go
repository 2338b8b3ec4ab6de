package connector

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// answerIn is how long a call may take: platforms give five seconds and then call
// again.
const answerIn = 4 * time.Second

// hooks declares the addresses at which platforms call.
func (s *Service) hooks(api *httpx.API) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		httpx.Handle(api, httpx.Op{ID: "platform-calls-" + map[string]string{http.MethodGet: "get", http.MethodPost: "post"}[method], Method: method, Path: "/hooks/{kind}/{account}",
			Tag: "connectors", Summary: "A platform calls", Permission: auth.Public, Quiet: true, Hidden: true, MaxBody: maxBody, Timeout: answerIn}, http.HandlerFunc(s.serveHook))
	}
}

// serveHook verifies, stores, answers: in this order, and nothing else.
func (s *Service) serveHook(w http.ResponseWriter, r *http.Request) {
	kind, id := r.PathValue("kind"), r.PathValue("account")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			httpx.WriteError(w, r, errs.New(errs.TooLarge, "request.too_large", "limit", maxBody))
			return
		}
		httpx.WriteError(w, r, errs.New(errs.Invalid, "request.malformed").Wrap(err))
		return
	}
	req := Request{Method: r.Method, Query: r.URL.Query(), Header: r.Header, Body: body, IP: httpx.ClientIP(r.Context())}
	a, err := s.Receive(r.Context(), kind, id, req)
	if err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if a.Type != "" {
		h.Set("Content-Type", a.Type)
	}
	h.Set("Cache-Control", "no-store")
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	_, _ = w.Write(a.Body) // a platform that went away calls again
}

// Receive takes a call from a platform: what it returns is safe on disk, and is
// what the platform is to be told.
func (s *Service) Receive(ctx context.Context, kind, id string, req Request) (Answer, error) {
	k, ok := s.kinds[kind]
	if !ok || !k.Callback {
		return Answer{}, errNoKind.With("kind", kind)
	}
	a, err := s.account(ctx, id)
	if err == nil && a.Kind != kind {
		err = errNone
	}
	if err != nil {
		return Answer{}, err
	}
	if s.calls.barred(req.IP, a.ID, s.Clock.Now()) {
		s.called(a.Account, outcomeBarred)
		return Answer{}, errs.New(errs.TooMany, "connector.too_many_bad_calls")
	}
	c, err := s.open(a)
	if err != nil {
		return Answer{}, err
	}
	rec, ok := c.(Receiver)
	if !ok {
		return Answer{}, errNoKind.With("kind", kind)
	}
	out, in, err := rec.Receive(ctx, req)
	if err == nil {
		err = sound(in)
	}
	if err != nil {
		e := errs.As(err)
		s.called(a.Account, e.Code)
		s.calls.wrong(req.IP, a.ID, s.Clock.Now())
		s.Log.WarnContext(ctx, "a call to an account was refused", "account", a.ID, "kind", kind, "ip", req.IP, "error", err)
		return Answer{}, err
	}
	s.calls.right(req.IP, a.ID, s.Clock.Now())
	if len(in) == 0 {
		s.called(a.Account, outcomeProved)
		return out, nil
	}
	if err := s.inbox.arrived.do(ctx, arrival{a.Account, in}); err != nil {
		return Answer{}, errs.New(errs.Unavailable, "connector.not_kept").Wrap(err)
	}
	s.called(a.Account, outcomeVerified)
	return s.reply(ctx, a.Account, rec, req, in, out), nil
}

func sound(in []Incoming) error {
	if len(in) > maxInCount {
		return ErrMalformed.Wrap(errors.New("too many in one call"))
	}
	for i := range in {
		if err := in[i].check(); err != nil {
			return err
		}
	}
	return nil
}

// reply puts into the answer what somebody has to say at once. Without it the
// platform is told that the call arrived.
func (s *Service) reply(ctx context.Context, a Account, c Receiver, req Request, in []Incoming, out Answer) Answer {
	r, ok := c.(Replier)
	if !ok || a.State != Active {
		return out
	}
	for _, one := range in {
		for _, f := range s.passive[a.Kind] {
			m := f(ctx, a, one)
			if m == nil {
				continue
			}
			said, err := r.Reply(ctx, req, one, *m)
			if err != nil {
				s.Log.ErrorContext(ctx, "a reply cannot be put into an answer", "account", a.ID, "error", err)
				return out
			}
			return said
		}
	}
	return out
}

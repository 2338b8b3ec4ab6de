package sim

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/errs"
)

// maxControl bounds the body of a control call.
const maxControl = 1 << 20

// control moves the world from outside. It has no sign-in: whoever reaches the
// simulator's address may do everything with it, and so it listens on this
// machine only, unless told otherwise.
func (s *Sim) control(w http.ResponseWriter, r *http.Request, path string) {
	head, rest, _ := strings.Cut(path, "/")
	switch head {
	case "avatar":
		s.serveAvatar(w, r, rest)
		return
	case "qr":
		s.serveCode(w, r, rest)
		return
	case "c":
		s.serveLanding(w, r, rest)
		return
	case "media":
		s.serveMedia(w, r, rest)
		return
	}
	if r.Method != http.MethodGet && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		// A page of somewhere else in a browser cannot send this without asking first.
		writeJSON(w, http.StatusUnsupportedMediaType, problem{Code: "request.invalid", Detail: "send application/json"})
		return
	}
	out, err := s.controlCall(r, head, rest)
	if err != nil {
		e := errs.As(err)
		status := map[errs.Kind]int{errs.Invalid: 422, errs.NotFound: 404, errs.Conflict: 409}[e.Kind]
		if status == 0 {
			status = http.StatusInternalServerError
			s.log.Error("the simulator's control failed", "error", err)
		}
		writeJSON(w, status, problem{Code: e.Code, Detail: e.Error(), Fields: e.Fields})
		return
	}
	if out == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	writeJSON(w, http.StatusOK, out)
}

type problem struct {
	Code   string       `json:"code"`
	Detail string       `json:"detail"`
	Fields []errs.Field `json:"errors,omitempty"`
}

func (s *Sim) controlCall(r *http.Request, head, rest string) (any, error) {
	switch r.Method + " " + head {
	case "GET world":
		return map[string]any{"corps": s.Corps(), "people": s.People("", 100), "faults": s.Faults(), "access": s.Access(0), "apps": s.Apps(), "appAccess": s.AppAccess()}, nil
	case "GET people":
		return s.People(r.URL.Query().Get("q"), 100), nil
	case "GET phone":
		return s.Phone(rest)
	case "GET diary":
		return s.controlDiary(r), nil
	case "POST act":
		var a Act
		if err := readControl(r, &a); err != nil {
			return nil, err
		}
		return s.Do(r.Context(), a)
	case "GET faults":
		return s.Faults(), nil
	case "POST faults":
		var f Fault
		if err := readControl(r, &f); err != nil {
			return nil, err
		}
		return s.AddFault(f)
	case "DELETE faults":
		s.RemoveFault(rest)
		return nil, nil
	case "POST callback":
		var in struct {
			Corp   string `json:"corp"`
			Agent  int    `json:"agent"`
			URL    string `json:"url"`
			Token  string `json:"token"`
			AESKey string `json:"aesKey"`
			// Of an official account or a mini-program.
			App     string `json:"app"`
			Plain   bool   `json:"plain"`
			Backend string `json:"backend"`
		}
		if err := readControl(r, &in); err != nil {
			return nil, err
		}
		if in.App != "" {
			if err := s.SetAppCallback(r.Context(), in.App, in.URL, in.Token, in.AESKey, in.Plain); err != nil || in.Backend == "" {
				return nil, err
			}
			return nil, s.SetBackend(in.App, in.Backend)
		}
		return nil, s.SetCallback(r.Context(), in.Corp, in.Agent, in.URL, in.Token, in.AESKey)
	}
	return nil, errs.New(errs.NotFound, "not_found")
}

func readControl(r *http.Request, v any) error {
	b, err := io.ReadAll(io.LimitReader(r.Body, maxControl+1))
	if err != nil || len(b) > maxControl {
		return errs.New(errs.Invalid, "request.invalid").Wrap(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return errs.New(errs.Invalid, "request.invalid").Wrap(err)
	}
	return nil
}

// controlDiary gives what came after a number, and waits for it on request.
func (s *Sim) controlDiary(r *http.Request) any {
	q := r.URL.Query()
	after, _ := strconv.ParseUint(q.Get("after"), 10, 64) // none is the beginning
	sec, _ := strconv.Atoi(q.Get("wait"))                 // none is no waiting
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(min(max(sec, 0), 30))*time.Second)
	defer cancel()
	out := s.Diary(ctx, after)
	if out == nil {
		out = []Entry{}
	}
	return map[string]any{"entries": out}
}

func (s *Sim) serveMedia(w http.ResponseWriter, r *http.Request, id string) {
	m, ok := s.MediaFile(id)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", m.Mime)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "sandbox")
	_, _ = w.Write(m.Bytes) // a caller that went away needs no answer
}

// MediaFile is an upload.
func (s *Sim) MediaFile(id string) (out Media, ok bool) {
	_ = s.at(func(w *World, _ time.Time) error { // looking changes nothing that could fail
		for _, c := range w.Corps {
			if m := c.Media[id]; m != nil {
				out, ok = *m, true
			}
		}
		for _, a := range w.Apps {
			if m := a.Media[id]; m != nil {
				out, ok = *m, true
			}
		}
		return nil
	})
	return out, ok
}

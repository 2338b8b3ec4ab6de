package sim

import (
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/errs"
)

// The kinds of faults. Those of callbacks begin with "callback".
const (
	FaultBusy    = "busy"    // −1
	FaultRate    = "rate"    // 45009
	FaultExpired = "expired" // 42001, and the token is really gone
	FaultCode    = "code"    // the given errcode
	FaultSlow    = "slow"    // answered after the given time
	FaultTimeout = "timeout" // not done, and never answered
	FaultLost    = "lost"    // done, but the answer gets lost

	FaultTwice  = "callback.twice"  // comes two times
	FaultLate   = "callback.late"   // comes after later ones
	FaultNever  = "callback.never"  // is not posted
	FaultForged = "callback.forged" // is posted with a wrong signature first
)

var faultKinds = []string{FaultBusy, FaultRate, FaultExpired, FaultCode, FaultSlow, FaultTimeout, FaultLost, FaultTwice, FaultLate, FaultNever, FaultForged}

// maxFaults bounds the rules, maxSlow how long one may hold a caller.
const (
	maxFaults = 100
	maxSlow   = 60 * time.Second
)

// Fault is a rule by which calls or callbacks go wrong.
type Fault struct {
	ID    string  `json:"id"`
	Kind  string  `json:"kind"`
	Path  string  `json:"path,omitempty"`  // an API as in "externalcontact/send_welcome_msg", or a callback's name; * fits anything
	Share float64 `json:"share,omitempty"` // of those that fit; 0 is all
	Code  int     `json:"code,omitempty"`
	Ms    int     `json:"ms,omitempty"`   // for slow and late ones
	Left  int     `json:"left,omitempty"` // how often it still happens; 0: until it is taken away
	Hits  int     `json:"hits"`           // how often it happened
}

// AddFault makes things go wrong from now on.
func (s *Sim) AddFault(f Fault) (Fault, error) {
	if !slices.Contains(faultKinds, f.Kind) {
		return f, errs.New(errs.Invalid, "request.invalid").On(errs.At("kind", "sim.fault_unknown"))
	}
	if f.Share < 0 || f.Share > 1 || f.Left < 0 || f.Ms < 0 || time.Duration(f.Ms)*time.Millisecond > maxSlow || len(f.Path) > 200 {
		return f, errs.New(errs.Invalid, "request.invalid").On(errs.At("share", "sim.fault_unknown"))
	}
	if _, err := path.Match(f.Path, "x"); err != nil {
		return f, errs.New(errs.Invalid, "request.invalid").On(errs.At("path", "sim.fault_unknown"))
	}
	if f.Kind == FaultCode && f.Code == 0 {
		return f, errs.New(errs.Invalid, "request.invalid").On(errs.At("code", "request.field_required"))
	}
	if (f.Kind == FaultSlow || f.Kind == FaultLate) && f.Ms == 0 {
		f.Ms = 3000
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) >= maxFaults {
		return f, errs.New(errs.Conflict, "sim.too_many")
	}
	s.faultN++
	f.ID, f.Hits = "f"+strconv.Itoa(s.faultN), 0
	s.faults = append(s.faults, &f)
	return f, nil
}

// RemoveFault takes a rule away; "" takes all.
func (s *Sim) RemoveFault(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(f *Fault) bool { return id == "" || f.ID == id })
}

// Faults lists the rules.
func (s *Sim) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Fault, len(s.faults))
	for i, f := range s.faults {
		out[i] = *f
	}
	return out
}

// draw finds the rules of kinds that hit this time.
func (s *Sim) draw(name string, callback bool) []Fault {
	var out []Fault
	for _, f := range s.faults {
		if strings.HasPrefix(f.Kind, "callback.") != callback || !f.fits(name) {
			continue
		}
		if f.Share > 0 && f.Share < 1 && s.rng.Float64() >= f.Share {
			continue
		}
		f.Hits++
		out = append(out, *f)
		if f.Left > 0 {
			if f.Left--; f.Left == 0 {
				f.Left = -1
			}
		}
	}
	s.faults = slices.DeleteFunc(s.faults, func(f *Fault) bool { return f.Left < 0 })
	return out
}

func (f *Fault) fits(name string) bool {
	if f.Path == "" || f.Path == "*" {
		return true
	}
	_, plain, found := strings.Cut(name, ":")
	if !found {
		plain = name
	}
	plain = strings.TrimPrefix(plain, "cgi-bin/")
	pattern := strings.TrimPrefix(strings.TrimPrefix(f.Path, "/"), "cgi-bin/")
	if prefix, all := strings.CutSuffix(pattern, "*"); all && !strings.ContainsAny(prefix, `*?[\`) {
		return strings.HasPrefix(plain, prefix) || strings.HasPrefix(name, prefix)
	}
	for _, n := range []string{plain, name} {
		if ok, err := path.Match(pattern, n); err == nil && ok {
			return true
		}
	}
	return false
}

// verdict is what a fault does to a call besides refusing it.
type verdict struct{ cut, lost bool }

// fault lets a call go wrong, when one of the rules says so.
func (s *Sim) fault(r *http.Request, name string) (v verdict, err error) {
	s.mu.Lock()
	hits := s.draw(name, false)
	s.mu.Unlock()
	for _, f := range hits {
		switch f.Kind {
		case FaultBusy:
			return v, refuse(-1)
		case FaultRate:
			return v, refuse(45009)
		case FaultCode:
			return v, refuse(f.Code)
		case FaultExpired:
			s.endToken(r.URL.Query().Get("access_token"))
			return v, refuse(42001)
		case FaultSlow:
			if wait(r.Context(), time.Duration(f.Ms)*time.Millisecond) != nil {
				return verdict{cut: true}, nil
			}
		case FaultTimeout:
			_ = wait(r.Context(), maxSlow) // it ends when the caller gives up
			return verdict{cut: true}, nil
		case FaultLost:
			v.lost = true
		}
	}
	return v, nil
}

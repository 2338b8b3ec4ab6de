package intake

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/koipond/koipond/internal/event/jsonscan"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// maxNamed bounds how many refused events an answer names; rejectedCount has all.
const maxNamed = 500

// Rejected names an event of a batch that was not taken.
type Rejected struct {
	Index     int    `json:"index"`
	MessageID string `json:"messageId,omitempty"`
	Code      string `json:"code"`
	Path      string `json:"path"`
	Detail    string `json:"detail"`
}

// Accepted is the answer to a request of which at least one event was taken:
// those are synced to disk.
type Accepted struct {
	Success       bool       `json:"success"`
	Accepted      int        `json:"accepted"`
	Rejected      []Rejected `json:"rejected"`
	RejectedCount int        `json:"rejectedCount,omitempty"` // when more than are named
}

// outcome gathers what becomes of one request.
type outcome struct {
	single   bool
	accepted int
	count    int // refused
	rejected []Rejected
	fields   []errs.Field
	large    bool // the reason is size
}

func (o *outcome) reject(r *http.Request, p *parser, ev *rawEvent, i int, bad fault) {
	o.count++
	o.large = bad.code == "intake.event_too_large"
	if len(o.rejected) >= maxNamed {
		return
	}
	path := bad.field
	if !o.single {
		path = "batch[" + strconv.Itoa(i) + "]"
		if bad.field != "" {
			path += "." + bad.field
		}
	}
	f := errs.At(path, bad.code, bad.params...)
	o.fields = append(o.fields, f)
	item := Rejected{Index: i, Code: bad.code, Path: path, Detail: httpx.Say(r.Context(), bad.code, f.Params)}
	if v := p.value(ev.field[fMessageID]); v.Kind == jsonscan.String && len(v.Raw) <= maxMessageID {
		item.MessageID = strings.Clone(p.string(v))
	}
	o.rejected = append(o.rejected, item)
}

// refusal is the error of a request of which nothing was taken.
func (o *outcome) refusal() error {
	if o.single {
		if o.large {
			return errs.New(errs.TooLarge, "intake.event_too_large", "limit", MaxEvent)
		}
		return errs.New(errs.Invalid, "intake.invalid").On(o.fields...)
	}
	return errs.New(errs.Invalid, "intake.all_invalid", "count", o.count).On(o.fields...)
}

const oneAccepted = `{"success":true,"accepted":1,"rejected":[]}` + "\n"

func (o *outcome) write(w http.ResponseWriter, _ *http.Request) {
	if o.count > 0 {
		a := Accepted{Success: true, Accepted: o.accepted, Rejected: o.rejected}
		if o.count > len(o.rejected) {
			a.RejectedCount = o.count
		}
		httpx.WriteJSON(w, http.StatusOK, a)
		return
	}
	w.Header()["Content-Type"] = jsonType
	if o.accepted == 1 {
		_, _ = w.Write([]byte(oneAccepted)) // the sender is gone: nobody is left to tell
		return
	}
	b := append(make([]byte, 0, 64), `{"success":true,"accepted":`...)
	b = strconv.AppendInt(b, int64(o.accepted), 10)
	_, _ = w.Write(append(b, `,"rejected":[]}`+"\n"...))
}

// refuse answers with problem+json, with the statuses that the protocol's
// clients know: they try again on 429 and 5xx, and give up on 400.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := errs.As(err)
	if e.Kind == errs.Unauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="koipond"`)
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After") // browsers hide it otherwise
	}
	httpx.WriteErrorStatus(w, r, statusOf(e), e)
}

// statusOf is the HTTP status of an intake error: 400 where the API says 422.
func statusOf(e *errs.Error) int {
	switch {
	case e.Code == "intake.encoding":
		return http.StatusUnsupportedMediaType
	case e.Code == "request.method":
		return http.StatusMethodNotAllowed
	case e.Kind == errs.Invalid:
		return http.StatusBadRequest
	}
	return httpx.StatusOf(e)
}

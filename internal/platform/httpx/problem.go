package httpx

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Problem is the body of every error answer (application/problem+json).
type Problem struct {
	Status    int            `json:"status" doc:"HTTP status"`
	Code      string         `json:"code" doc:"Stable code of the error, domain.snake_case"`
	Title     string         `json:"title" doc:"What sort of trouble, in the caller's language"`
	Detail    string         `json:"detail" doc:"What went wrong and how to mend it, in the caller's language"`
	Params    map[string]any `json:"params,omitempty" doc:"The values inside detail"`
	Fields    []ProblemField `json:"fields,omitempty" doc:"The faulty parts of the input"`
	RequestID string         `json:"requestId" doc:"Give this to an engineer"`

	retryAfter int
}

// ProblemField is one faulty part of the input.
type ProblemField struct {
	Path   string         `json:"path" doc:"JSON path, parameter or column name"`
	Code   string         `json:"code"`
	Detail string         `json:"detail"`
	Params map[string]any `json:"params,omitempty"`
}

// Error implements error for huma.
func (p *Problem) Error() string { return p.Code }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	if p.retryAfter <= 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(p.retryAfter)}}
}

const problemType = "application/problem+json"

// StatusOf is the HTTP status of an error.
func StatusOf(e *errs.Error) int {
	switch e.Code { // the input could not even be read
	case "request.malformed", "request.missing_body", "request.bad_cursor", "request.idempotency_key":
		return http.StatusBadRequest
	case "request.media_type":
		return http.StatusUnsupportedMediaType
	case "request.method":
		return http.StatusMethodNotAllowed
	}
	switch e.Kind {
	case errs.Invalid:
		return http.StatusUnprocessableEntity
	case errs.Unauthorized:
		return http.StatusUnauthorized
	case errs.Forbidden:
		return http.StatusForbidden
	case errs.NotFound:
		return http.StatusNotFound
	case errs.Conflict:
		return http.StatusConflict
	case errs.TooLarge:
		return http.StatusRequestEntityTooLarge
	case errs.TooMany:
		return http.StatusTooManyRequests
	case errs.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

func titleCode(k errs.Kind) string {
	switch k {
	case errs.Invalid:
		return "title.invalid"
	case errs.Unauthorized:
		return "title.unauthorized"
	case errs.Forbidden:
		return "title.forbidden"
	case errs.NotFound:
		return "title.not_found"
	case errs.Conflict:
		return "title.conflict"
	case errs.TooLarge:
		return "title.too_large"
	case errs.TooMany:
		return "title.too_many"
	case errs.Unavailable:
		return "title.unavailable"
	default:
		return "title.internal"
	}
}

// problem turns any error into the answer for this request, and keeps the
// cause for the access log: a cause is never shown.
func (a *API) problem(ctx context.Context, err error) *Problem {
	q := requestOf(ctx)
	e := classify(ctx, err)
	p := &Problem{Status: StatusOf(e), Code: e.Code, Params: e.Params, retryAfter: e.RetryAfter}
	lang := Lang(ctx)
	p.Title = a.cfg.Catalogue.Translate(lang, titleCode(e.Kind), nil)
	p.Detail = a.cfg.Catalogue.Translate(lang, e.Code, e.Params)
	for _, f := range e.Fields {
		p.Fields = append(p.Fields, ProblemField{Path: f.Path, Code: f.Code, Params: f.Params,
			Detail: a.cfg.Catalogue.Translate(lang, f.Code, f.Params)})
	}
	if q != nil {
		p.RequestID = q.id
		q.cause = e
	}
	return p
}

// classify names the errors that arise below every handler.
func classify(ctx context.Context, err error) *errs.Error {
	var e *errs.Error
	if errors.As(err, &e) {
		return e
	}
	var big *http.MaxBytesError
	var sql interface{ SQLState() string }
	switch {
	case errors.As(err, &sql) && (sql.SQLState() == "22021" || sql.SQLState() == "22P05"):
		// PostgreSQL keeps neither NUL nor broken UTF-8; nobody but the caller can have sent it.
		return errs.New(errs.Invalid, "request.invalid").Wrap(err)
	case errors.As(err, &big):
		return errs.New(errs.TooLarge, "request.too_large", "limit", big.Limit)
	case errors.Is(err, context.DeadlineExceeded):
		return errs.New(errs.Unavailable, "request.timeout").Wrap(err)
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return errs.New(errs.Unavailable, "request.cancelled").Wrap(err)
	}
	return errs.As(err)
}

// WriteError answers a raw route with err as problem+json. It is for the
// handler that has not begun its answer yet.
func WriteError(w http.ResponseWriter, r *http.Request, err error) { WriteErrorStatus(w, r, 0, err) }

// WriteErrorStatus is WriteError with a status of the caller's choice, for
// protocols that others defined; 0 takes the usual one.
func WriteErrorStatus(w http.ResponseWriter, r *http.Request, status int, err error) {
	q := requestOf(r.Context())
	if q == nil { // served outside an API: only a wiring mistake leads here
		if status == 0 {
			status = StatusOf(errs.As(err))
		}
		http.Error(w, errs.CodeOf(err), status)
		return
	}
	p := q.api.problem(r.Context(), err)
	if status != 0 {
		p.Status = status
	}
	for k, v := range p.GetHeaders() {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = writeJSON(w, p) // the caller is gone: nobody is left to tell
}

// WriteJSON answers a raw route with v, encoded as the typed routes do.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = writeJSON(w, v) // the caller is gone: nobody is left to tell
}

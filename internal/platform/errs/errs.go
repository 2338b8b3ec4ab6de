package errs

import (
	"errors"
	"fmt"
	"maps"
)

// Kind says what sort of trouble an error is; only the HTTP edge turns it
// into a status and only the command line turns it into an exit code.
type Kind uint8

// The kinds, from the caller's mistake to ours. Internal is the zero value:
// an error nobody classified is our fault until proven otherwise.
const (
	Internal     Kind = iota // a bug or a broken dependency; the cause is logged, never shown
	Invalid                  // the input is wrong: say which field and how to mend it
	Unauthorized             // nobody is signed in, or the credential is bad
	Forbidden                // signed in, but not allowed
	NotFound                 // the thing named does not exist
	Conflict                 // the thing is in a state that does not allow this
	TooLarge                 // the body or one item exceeds its limit
	TooMany                  // slow down; RetryAfter says how long
	Unavailable              // a dependency is down or the node is draining; try again
)

// Error is the only error type whose words reach a person. Code is stable
// (`domain.snake_case`), translated by the i18n catalogue with Params.
type Error struct {
	Kind   Kind
	Code   string
	Params map[string]any
	Fields []Field
	// RetryAfter is in seconds; 0 means unsaid. Used with TooMany and Unavailable.
	RetryAfter int
	cause      error
}

// Field points at one faulty part of the input. Path is a JSON path such as
// `batch[3].event` or a column name of an imported file.
type Field struct {
	Path   string         `json:"path"`
	Code   string         `json:"code"`
	Params map[string]any `json:"params,omitempty"`
}

// New makes an error. Params come in pairs: "limit", 32768, "unit", "bytes".
func New(kind Kind, code string, params ...any) *Error {
	return &Error{Kind: kind, Code: code, Params: pairs(params)}
}

// At makes a Field with params in pairs.
func At(path, code string, params ...any) Field {
	return Field{Path: path, Code: code, Params: pairs(params)}
}

func pairs(kv []any) map[string]any {
	if len(kv) == 0 {
		return nil
	}
	m := make(map[string]any, len(kv)/2)
	for i := 0; i+1 < len(kv); i += 2 {
		m[fmt.Sprint(kv[i])] = kv[i+1]
	}
	return m
}

// Wrap returns a copy of e that carries cause for the log.
func (e *Error) Wrap(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// With returns a copy of e with further params in pairs.
func (e *Error) With(params ...any) *Error {
	c := *e
	c.Params = maps.Clone(e.Params)
	if c.Params == nil {
		c.Params = map[string]any{}
	}
	maps.Copy(c.Params, pairs(params))
	return &c
}

// On returns a copy of e that names the faulty fields.
func (e *Error) On(fields ...Field) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), fields...)
	return &c
}

// Error is for logs and tests; people read the translated message instead.
func (e *Error) Error() string {
	s := e.Code
	for _, f := range e.Fields {
		s += " [" + f.Path + ": " + f.Code + "]"
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is match by code, so that a sentinel with other params matches.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// As returns the *Error inside err, or an Internal one wrapping it. A nil err gives nil.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Internal, Code: "internal", cause: err}
}

// CodeOf returns the stable code of err, "" for nil.
func CodeOf(err error) string {
	if e := As(err); e != nil {
		return e.Code
	}
	return ""
}

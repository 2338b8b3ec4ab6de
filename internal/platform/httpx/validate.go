package httpx

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/koipond/koipond/internal/platform/errs"
)

// fromHuma turns what huma refused into our own codes. It runs as huma's
// transformer, so its status stands: 422 for wrong values, 4xx for the rest.
func fromHuma(status int, m *huma.ErrorModel, limit int64) *errs.Error {
	switch status {
	case http.StatusBadRequest:
		if len(m.Errors) == 0 {
			return errs.New(errs.Invalid, "request.missing_body")
		}
		return errs.New(errs.Invalid, "request.malformed")
	case http.StatusUnsupportedMediaType:
		return errs.New(errs.Invalid, "request.media_type")
	case http.StatusRequestEntityTooLarge:
		return errs.New(errs.TooLarge, "request.too_large", "limit", limit)
	case http.StatusRequestTimeout:
		return errs.New(errs.Invalid, "request.slow_body")
	case http.StatusUnprocessableEntity:
		e := errs.New(errs.Invalid, "request.invalid")
		for _, d := range m.Errors {
			if d != nil {
				e.Fields = append(e.Fields, fieldOf(d))
			}
		}
		return e
	}
	return errs.As(m)
}

// rule reads one of huma's messages. In code, $1 in param is the first group.
type rule struct {
	re    *regexp.Regexp
	code  string
	param string // the name under which the first group is given, "" none
}

func rules() []rule {
	r := func(pattern, code, param string) rule {
		return rule{regexp.MustCompile("^(?:" + pattern + ")$"), code, param}
	}
	return []rule{
		r(`unexpected property`, "request.field_unexpected", ""),
		r(`unknown query parameter`, "request.field_unexpected", ""),
		r(`required \w+ parameter is missing`, "request.field_required", ""),
		r(`expected string to be RFC 3339 date-time|expected string to be RFC 1123 date-time|invalid date/time.*`, "request.not_a_time", ""),
		r(`expected string to be RFC 3339 date`, "request.not_a_date", ""),
		r(`expected string to be RFC 5322 email.*`, "request.not_an_email", ""),
		r(`expected boolean|invalid boolean`, "request.not_a_boolean", ""),
		r(`expected number|invalid float`, "request.not_a_number", ""),
		r(`expected integer|invalid integer`, "request.not_an_integer", ""),
		r(`expected string`, "request.not_a_string", ""),
		r(`expected array`, "request.not_an_array", ""),
		r(`expected object`, "request.not_an_object", ""),
		r(`expected value to be one of "(.*)"`, "request.not_one_of", "allowed"),
		r(`expected number >=? (.*)`, "request.too_small", "limit"),
		r(`expected number <=? (.*)`, "request.too_big", "limit"),
		r(`expected length >= (.*)`, "request.too_short", "limit"),
		r(`expected length <= (.*)`, "request.too_long", "limit"),
		r(`expected array length >= (.*)`, "request.too_few", "limit"),
		r(`expected array length <= (.*)`, "request.too_many_items", "limit"),
		r(`expected string to (?:match pattern|be) .*`, "request.bad_pattern", ""),
	}
}

var (
	humaRules    = rules() // constant: compiled once
	requiredProp = regexp.MustCompile(`^expected required property (.+) to be present$`)
)

func fieldOf(d *huma.ErrorDetail) errs.Field {
	path := fieldPath(d.Location)
	if m := requiredProp.FindStringSubmatch(d.Message); m != nil {
		if path != "" {
			path += "."
		}
		return errs.At(path+m[1], "request.field_required")
	}
	for _, r := range humaRules {
		m := r.re.FindStringSubmatch(d.Message)
		if m == nil {
			continue
		}
		if r.param == "" {
			return errs.At(path, r.code)
		}
		return errs.At(path, r.code, r.param, m[1])
	}
	return errs.At(path, "request.field_invalid", "reason", d.Message)
}

// fieldPath drops the place (`body.name` is `name`, `query.limit` is `limit`).
func fieldPath(loc string) string {
	if loc == "body" {
		return ""
	}
	for _, place := range []string{"body.", "query.", "path.", "header.", "cookie."} {
		if rest, ok := strings.CutPrefix(loc, place); ok {
			return rest
		}
	}
	return strings.TrimPrefix(loc, "body")
}

package httpx

import (
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// timeLayout is how every time leaves: UTC with milliseconds, as they are kept.
const timeLayout = "2006-01-02T15:04:05.000Z"

// encoding writes JSON as encoding/json does, but for two things promised by
// the API: an array (or map) is never null, and times are UTC with milliseconds.
func encoding() jsonv2.Options {
	times := jsonv2.MarshalToFunc(func(e *jsontext.Encoder, t time.Time) error {
		return e.WriteToken(jsontext.String(t.UTC().Format(timeLayout)))
	})
	return jsonv2.JoinOptions(jsonv1.DefaultOptionsV1(),
		jsonv2.FormatNilSliceAsNull(false), jsonv2.FormatNilMapAsNull(false),
		jsontext.EscapeForHTML(false), jsontext.EscapeForJS(false),
		jsonv2.WithMarshalers(times))
}

var encodingOptions = encoding() // constant: built once because joining is not free

func writeJSON(w io.Writer, v any) error { return jsonv2.MarshalWrite(w, v, encodingOptions) }

// MarshalJSON encodes v as answers are: for event streams.
func MarshalJSON(v any) ([]byte, error) { return jsonv2.Marshal(v, encodingOptions) }

func jsonFormat() huma.Format { return huma.Format{Marshal: writeJSON, Unmarshal: json.Unmarshal} }

func isEventStream(ct string) bool { return strings.HasPrefix(ct, "text/event-stream") }

package httpx

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/koipond/koipond/internal/platform/errs"
)

// cursorVersion changes when the meaning of cursors does (here and in
// EncodeCursor): old ones are then refused instead of misread.
const cursorVersion = 1

type cursor struct {
	V int             `json:"v"`
	K json.RawMessage `json:"k"`
}

// EncodeCursor makes the opaque position after which a list goes on. v is
// small and JSON-able: the sort key and id of the last item shown. It panics
// on what JSON cannot hold (a channel, NaN): a mistake in the program.
func EncodeCursor(v any) string {
	k, err := json.Marshal(v)
	if err != nil {
		panic("httpx: encode cursor: " + err.Error())
	}
	raw := append([]byte(`{"v":1,"k":`), k...)
	return base64.RawURLEncoding.EncodeToString(append(raw, '}'))
}

// DecodeCursor reads one into v. An empty cursor leaves v alone: the first
// page. A broken one is a request.bad_cursor error.
func DecodeCursor(s string, v any) error {
	if s == "" {
		return nil
	}
	bad := errs.New(errs.Invalid, "request.bad_cursor")
	if len(s) > 2048 {
		return bad
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return bad.Wrap(err)
	}
	var c cursor
	if err := strict(raw, &c); err != nil || c.V != cursorVersion || len(c.K) == 0 {
		return bad.Wrap(err)
	}
	if err := strict(c.K, v); err != nil {
		return bad.Wrap(err)
	}
	return nil
}

func strict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("more than one value")
	}
	return nil
}

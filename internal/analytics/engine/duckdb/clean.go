package duckdb

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event"
)

// maxJSON is the largest JSON text kept as it is. Intake allows a fraction of
// it, and sealing makes it longer; the bound keeps a mistake of some other door from filling the store.
const maxJSON = 8 << 20

// clean makes any bytes text that DuckDB takes; both stored and asked-for values pass through it.
func clean(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func orNull(s string) driver.Value {
	if s == "" {
		return nil
	}
	return clean(s)
}

// cleanJSON makes a JSON part storable: nothing becomes NULL, an object stays as
// it is, whatever is not an object, or too large, is kept as text in
// {"$broken": …} so that it is neither lost nor able to fail a question. Objects
// that do not parse are wrapped the same way on the DuckDB side.
func cleanJSON(raw json.RawMessage) driver.Value {
	text := bytes.TrimSpace(raw)
	if len(text) == 0 || bytes.Equal(text, []byte("null")) {
		return nil
	}
	switch {
	case len(text) > maxJSON:
		return broken(text[:1024])
	case text[0] != '{' || !json.Valid(text):
		return broken(text)
	case !utf8.Valid(text):
		text = bytes.ToValidUTF8(text, []byte("\uFFFD"))
	}
	if halfSurrogate(text) {
		return rewritten(text)
	}
	return string(text)
}

func broken(text []byte) driver.Value {
	out, err := json.Marshal(map[string]string{"$broken": clean(string(text))})
	if err != nil {
		return nil // cannot happen: a map of strings always encodes
	}
	return string(out)
}

// halfSurrogate reports whether text may hold a \ud8xx–\udfxx escape: Go reads a lone
// one as U+FFFD, DuckDB refuses the whole text.
func halfSurrogate(text []byte) bool {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 || i+3 >= len(text) {
			return false
		}
		if c := text[i+2] | 0x20; text[i+1] == 'u' && c == 'd' && text[i+3] >= '8' {
			return true
		}
		text = text[i+2:]
	}
}

// rewritten decodes and encodes text, which mends lone surrogates and keeps numbers as they were written.
func rewritten(text []byte) driver.Value {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return broken(text)
	}
	out, err := json.Marshal(v)
	if err != nil {
		return broken(text)
	}
	return string(out)
}

// rowIDs is the content of the column ids: what few facts carry.
type rowIDs struct {
	Previous    string             `json:"p,omitempty"`
	Group       string             `json:"g,omitempty"`
	Identifiers []event.Identifier `json:"i,omitempty"`
	Contact     int64              `json:"c,omitempty"`
}

func idsOf(f *event.Fact) driver.Value {
	if f.PreviousID == "" && f.GroupID == "" && len(f.Identifiers) == 0 && f.Contact == 0 {
		return nil
	}
	out, err := json.Marshal(rowIDs{f.PreviousID, f.GroupID, f.Identifiers, f.Contact})
	if err != nil {
		return nil // cannot happen: strings and numbers always encode
	}
	return string(out)
}

package care

import (
	"bytes"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
)

// pictures may be shown in a page: no browser runs anything in them.
var pictures = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

// contents are what a file of an ending may hold, and the media type it is served as.
var contents = map[string]struct {
	typ string
	fit func(head []byte) bool
}{
	".png": {"image/png", sniffs("image/png")}, ".jpg": {"image/jpeg", sniffs("image/jpeg")}, ".jpeg": {"image/jpeg", sniffs("image/jpeg")},
	".gif": {"image/gif", sniffs("image/gif")}, ".webp": {"image/webp", sniffs("image/webp")},
	".pdf":  {"application/pdf", sniffs("application/pdf")},
	".docx": {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", sniffs("application/zip")},
	".xlsx": {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", sniffs("application/zip")},
	".pptx": {"application/vnd.openxmlformats-officedocument.presentationml.presentation", sniffs("application/zip")},
	".doc":  {"application/msword", begins("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")}, ".xls": {"application/vnd.ms-excel", begins("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")},
	".txt": {"text/plain", sniffs("text/plain")}, ".csv": {"text/csv", sniffs("text/plain")},
	".mp3": {"audio/mpeg", func(h []byte) bool {
		return sniffs("audio/mpeg")(h) || len(h) > 1 && h[0] == 0xFF && h[1]&0xE0 == 0xE0 // without a tag before the sound
	}},
	".wav": {"audio/wave", sniffs("audio/wave")}, ".amr": {"audio/amr", begins("#!AMR")},
	".m4a": {"audio/mp4", func(h []byte) bool { return len(h) > 11 && string(h[4:8]) == "ftyp" }},
}

func sniffs(want string) func([]byte) bool {
	return func(head []byte) bool {
		got, _, _ := strings.Cut(http.DetectContentType(head), ";")
		return got == want
	}
}

func begins(with string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(with)) }
}

// typeOf is the media type of a file; "" when its ending is none that is taken,
// or its contents are not what that says.
func typeOf(head []byte, name string) string {
	c, ok := contents[strings.ToLower(path.Ext(name))]
	if !ok || !c.fit(head) {
		return ""
	}
	return c.typ
}

func extensions() []string { return slices.Sorted(maps.Keys(contents)) }

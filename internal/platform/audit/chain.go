package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/platform/clock"
)

// version is hashed with every entry; it changes when the encoding does.
const version = "koipond audit 1"

// digest is the SHA-256 of the entry in a canonical form: every field with its
// length in front, so that no two entries read the same.
func (e *Entry) digest() string {
	b := make([]byte, 0, 512)
	b = field(b, version)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(clock.Ms(e.At)))
	for _, s := range []string{e.Actor.ID, e.Actor.Name, e.Actor.Kind, e.Action, e.Object.Type, e.Object.ID, e.Object.Name,
		string(e.Detail), e.IP, e.RequestID, e.Prev} {
		b = field(b, s)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func field(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
	return append(b, s...)
}

// sealer signs positions of the chain.
type sealer struct{ key []byte }

func (s sealer) sign(what string, seq int64, hash string) string {
	m := hmac.New(sha256.New, s.key)
	b := field(nil, version)
	b = field(b, what)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	m.Write(field(b, hash))
	return hex.EncodeToString(m.Sum(nil))
}

func (s sealer) holds(what string, seq int64, hash, seal string) bool {
	return hmac.Equal([]byte(s.sign(what, seq, hash)), []byte(seal))
}

// What is sealed: an entry's seal must not pass for the end's.
const (
	sealEntry  = "entry"
	sealHead   = "head"
	sealAnchor = "anchor"
)

// clean makes text that both databases keep byte for byte, of bounded length.
func clean(s string, limit int) string {
	if utf8.ValidString(s) && len(s) <= limit && !strings.ContainsRune(s, 0) {
		return s
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	if len(s) <= limit {
		return s
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

package livecode

import (
	"crypto/rand"
	"encoding/base32"
	"hash/crc32"
	"strings"
)

// keyPrefix begins every state of ours. Other programs use the same corp and the
// same field; what does not begin so, or whose check letters are wrong, is theirs.
const keyPrefix = "koi1-"

var keyLetters = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz123456789").WithPadding(base32.NoPadding)

// newKey makes a state: the prefix, sixteen random letters and four to check, 25
// of the 30 characters that the platform allows.
func newKey() string {
	raw := make([]byte, 10)
	_, _ = rand.Read(raw) // never fails since Go 1.24
	body := keyLetters.EncodeToString(raw)
	return keyPrefix + body + checkOf(body)
}

func checkOf(body string) string {
	sum := crc32.ChecksumIEEE([]byte(keyPrefix + body))
	return keyLetters.EncodeToString([]byte{byte(sum >> 16), byte(sum >> 8), byte(sum)})[:4]
}

// Ours tells whether a state that came with a customer is one of a live code.
func Ours(state string) bool {
	body, ok := strings.CutPrefix(state, keyPrefix)
	return ok && len(body) == 20 && checkOf(body[:16]) == body[16:]
}

package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/koipond/koipond/internal/platform/id"
)

// SecretKind is what a secret opens; its text starts with it, so that a leaked
// one can be recognised.
type SecretKind string

// The kinds of secret. A session's has no prefix in its cookie's value.
const (
	TokenSecret    SecretKind = "koi_"
	WriteKeySecret SecretKind = "wk_"
	SessionSecret  SecretKind = ""
)

const (
	secretBytes = 32
	secretChars = 43 // 32 bytes in base64 without padding
	shownChars  = 6
)

// NewSecret makes a secret of 256 random bits, the hash that is stored for it,
// and its beginning, which may be shown to tell one from another.
func NewSecret(k SecretKind) (secret, hash, shown string) {
	secret = string(k) + id.Secret(secretBytes)
	return secret, HashSecret(secret), secret[:len(k)+shownChars]
}

// HashSecret is the SHA-256 of a secret, in hex. Slow hashing is not needed:
// 256 random bits cannot be guessed.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// WellFormed tells whether s could be a secret of kind k, so that rubbish never
// reaches the database.
func WellFormed(k SecretKind, s string) bool {
	body, ok := strings.CutPrefix(s, string(k))
	if !ok || len(body) != secretChars {
		return false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(body)
	return err == nil && len(raw) == secretBytes
}

// Bearer takes the token out of an Authorization header; false when the header
// is of another scheme. The scheme's letter case does not matter.
func Bearer(header string) (string, bool) {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(header), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

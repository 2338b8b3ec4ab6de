package wxcrypto

import (
	"crypto/sha1" //nolint:gosec // what the platforms sign with
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
)

// Signature is the hex SHA-1 over the parts, sorted and joined. For sealed
// callbacks the parts are token, timestamp, nonce and cipher text; in the open
// they are token, timestamp and nonce.
func Signature(parts ...string) string {
	sorted := slices.Clone(parts)
	slices.Sort(sorted)
	sum := sha1.Sum([]byte(strings.Join(sorted, ""))) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// VerifyPlain checks what an official account signs in the open: the query's
// signature over token, timestamp and nonce. It proves who calls, and nothing
// about the body.
func VerifyPlain(token, signature, timestamp, nonce string) error {
	return verify(signature, token, timestamp, nonce)
}

// verify compares in a time that tells nothing of how much was right. Without a
// token everybody could sign: it is refused.
func verify(signature, token string, rest ...string) error {
	if token == "" {
		return refuse(BadSignature, "no token is set")
	}
	want := Signature(append([]string{token}, rest...)...)
	if subtle.ConstantTimeCompare([]byte(want), []byte(signature)) != 1 {
		return refuse(BadSignature, "")
	}
	return nil
}

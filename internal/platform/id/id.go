// Package id answers: what is this thing called? Public ids are a short prefix
// and a ULID in lower case (`ct_01hf…`): sortable by creation, safe in URLs,
// and the prefix says what they name.
package id

import (
	"crypto/rand"
	"encoding/base64"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// Source makes ids. Tests use NewSource with a fixed reader for repeatable ones.
type Source struct {
	mu      sync.Mutex
	now     func() time.Time
	entropy *ulid.MonotonicEntropy
}

// NewSource makes a source over a clock and an entropy reader (nil: crypto/rand).
func NewSource(now func() time.Time, entropy io.Reader) *Source {
	if entropy == nil {
		entropy = rand.Reader
	}
	return &Source{now: now, entropy: ulid.Monotonic(entropy, 0)}
}

// New makes the next id with a prefix, such as "ct" for a contact.
func (s *Source) New(prefix string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ms := ulid.Timestamp(s.now())
	u, err := ulid.New(ms, s.entropy)
	if err != nil { // the monotonic part overflowed within one millisecond: take fresh entropy
		u = ulid.MustNew(ms, rand.Reader)
	}
	return prefix + "_" + strings.ToLower(u.String())
}

// Secret is n random bytes in URL-safe base64: for tokens and keys.
func Secret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}

package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Params are the costs of one argon2id hash. They are written into every hash,
// so they may change at any time: old hashes still verify and are renewed at
// the next sign-in.
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8  // lanes
}

// DefaultParams are the second recommended option of RFC 9106: 64 MiB, three
// passes, four lanes. About a tenth of a second on one modern core.
func DefaultParams() Params { return Params{Memory: 64 * 1024, Time: 3, Threads: 4} }

const (
	saltLen = 16
	keyLen  = 32
	// maxWaiting bounds the people who queue for a hash; the next one is told to
	// come back. At two at a time this is a queue of several seconds.
	maxWaiting = 64
)

// ErrBusy tells that too many people sign in at once.
var ErrBusy = errs.New(errs.TooMany, "auth.busy")

// Hasher hashes and checks passwords. Each computation takes Params.Memory, so
// only a few run at once, whatever the number of requests. Safe for concurrent use.
type Hasher struct {
	params  Params
	slots   chan struct{}
	waiting atomic.Int64
	count   atomic.Int64
	dummy   parsed
}

// NewHasher makes a hasher that runs at most slots computations at once (0: two,
// which is 128 MiB with DefaultParams).
func NewHasher(p Params, slots int) *Hasher {
	if slots <= 0 {
		slots = 2
	}
	return &Hasher{params: p, slots: make(chan struct{}, slots),
		dummy: parsed{Params: p, salt: make([]byte, saltLen), key: make([]byte, keyLen)}}
}

// Hash computes a new hash of password in the PHC string format,
// `$argon2id$v=19$m=65536,t=3,p=4$salt$key`.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	p := parsed{Params: h.params, salt: salt, key: make([]byte, keyLen)}
	key, err := h.compute(ctx, p, password)
	if err != nil {
		return "", err
	}
	p.key = key
	return p.String(), nil
}

// Verify tells whether password belongs to a stored hash, and whether the hash
// should be renewed because the parameters have changed since. A stored text
// that is no hash is an error, not a wrong password.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (ok, renew bool, err error) {
	p, err := parsePHC(stored)
	if err != nil {
		return false, false, fmt.Errorf("read password hash: %w", err)
	}
	key, err := h.compute(ctx, p, password)
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(key, p.key) == 1
	return ok, ok && (p.Params != h.params || len(p.salt) != saltLen || len(p.key) != keyLen), nil
}

// Waste does the work of one Verify for nothing, so that an unknown e-mail
// takes as long as a wrong password.
func (h *Hasher) Waste(ctx context.Context, password string) error {
	_, err := h.compute(ctx, h.dummy, password)
	return err
}

// Computations is how many hashes were computed so far.
func (h *Hasher) Computations() int64 { return h.count.Load() }

func (h *Hasher) compute(ctx context.Context, p parsed, password string) ([]byte, error) {
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		busy := *ErrBusy
		busy.RetryAfter = 5
		return nil, &busy
	}
	select {
	case h.slots <- struct{}{}:
		h.waiting.Add(-1)
	case <-ctx.Done():
		h.waiting.Add(-1)
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	h.count.Add(1)
	return argon2.IDKey([]byte(normalise(password)), p.salt, p.Time, p.Memory, p.Threads, uint32(len(p.key))), nil
}

// normalise makes the same password typed on two systems the same bytes: full-width
// and half-width letters, composed and decomposed accents.
func normalise(password string) string { return norm.NFKC.String(password) }

type parsed struct {
	Params
	salt, key []byte
}

// String writes the PHC string format.
func (p parsed) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Time, p.Threads,
		base64.RawStdEncoding.EncodeToString(p.salt), base64.RawStdEncoding.EncodeToString(p.key))
}

var errNotPHC = errors.New("not an argon2id hash")

// parsePHC reads what String writes. Costs are bounded, so that a doctored row
// cannot make one sign-in eat the machine.
func parsePHC(s string) (parsed, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return parsed{}, errNotPHC
	}
	var p parsed
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); err != nil || n != 3 ||
		parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", p.Memory, p.Time, p.Threads) {
		return parsed{}, errNotPHC
	}
	if p.Memory < 8 || p.Memory > 1<<20 || p.Time < 1 || p.Time > 64 || p.Threads < 1 || p.Threads > 64 {
		return parsed{}, errNotPHC
	}
	var err error
	strict := base64.RawStdEncoding.Strict()
	if p.salt, err = strict.DecodeString(parts[4]); err != nil || len(p.salt) < 8 || len(p.salt) > 64 {
		return parsed{}, errNotPHC
	}
	if p.key, err = strict.DecodeString(parts[5]); err != nil || len(p.key) < 16 || len(p.key) > 64 {
		return parsed{}, errNotPHC
	}
	return p, nil
}

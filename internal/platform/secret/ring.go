package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/koipond/koipond/internal/platform/errs"
)

// KeySize is the length of a master key in bytes.
const KeySize = 32

// Faults of sealed text. Both are ours to mend, not the caller's.
var (
	// ErrUnknownKey: the text was sealed with a key that is not in the ring.
	ErrUnknownKey = errs.New(errs.Internal, "secret.unknown_key")
	// ErrDamaged: the text is cut, changed, or belongs to another field.
	ErrDamaged = errs.New(errs.Internal, "secret.damaged")
)

// Ring holds the master keys, oldest first. The newest seals; all of them
// open; the oldest keys the blind index, so it stays in the ring for good.
// Safe for concurrent use.
type Ring struct {
	masters []master
	byID    map[string]int
	index   []byte
	ciphers sync.Map // key id + field → cipher.AEAD; fields are few and constant
}

type master struct {
	id  string
	key []byte
}

// NewRing makes a ring of master keys of KeySize bytes each, oldest first.
func NewRing(keys ...[]byte) (*Ring, error) {
	if len(keys) == 0 {
		return nil, fmt.Errorf("a key ring needs at least one key")
	}
	r := &Ring{byID: map[string]int{}}
	for i, k := range keys {
		if len(k) != KeySize {
			return nil, fmt.Errorf("key %d has %d bytes instead of %d", i+1, len(k), KeySize)
		}
		sum := sha256.Sum256(append([]byte("koipond key id"), k...))
		id := hex.EncodeToString(sum[:4])
		if _, ok := r.byID[id]; ok {
			return nil, fmt.Errorf("key %d is in the ring twice", i+1)
		}
		r.byID[id] = i
		r.masters = append(r.masters, master{id, k})
	}
	var err error
	if r.index, err = derive(keys[0], "blind index"); err != nil {
		return nil, err
	}
	return r, nil
}

// NewKey makes a random master key.
func NewKey() []byte {
	k := make([]byte, KeySize)
	_, _ = rand.Read(k) // never fails since Go 1.24
	return k
}

func derive(key []byte, purpose string) ([]byte, error) {
	k, err := hkdf.Key(sha256.New, key, nil, "koipond "+purpose, KeySize)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return k, nil
}

// aead is the cipher of one field under one master key: each field has a key
// of its own, so random nonces stay safe up to some billions of values a field.
func (r *Ring) aead(m master, field string) (cipher.AEAD, error) {
	if c, ok := r.ciphers.Load(m.id + field); ok {
		return c.(cipher.AEAD), nil
	}
	k, err := derive(m.key, "field "+field)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	c, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	r.ciphers.Store(m.id+field, c)
	return c, nil
}

const version = "s1"

// Seal encrypts the value of a field, such as "contact.phone". The same value
// seals differently every time. The text names the key: `s1.<key id>.<base64url>`.
func (r *Ring) Seal(field, plaintext string) (string, error) {
	m := r.masters[len(r.masters)-1]
	c, err := r.aead(m, field)
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", field, err)
	}
	raw := c.Seal(nil, nil, []byte(plaintext), []byte(field))
	return version + "." + m.id + "." + base64.RawURLEncoding.EncodeToString(raw), nil
}

// Open decrypts what Seal made for the same field, under any key of the ring.
func (r *Ring) Open(field, sealed string) (string, error) {
	v, rest, _ := strings.Cut(sealed, ".")
	id, text, ok := strings.Cut(rest, ".")
	if !ok || v != version {
		return "", ErrDamaged.With("field", field)
	}
	i, ok := r.byID[id]
	if !ok {
		if len(id) != 8 {
			return "", ErrDamaged.With("field", field)
		}
		return "", ErrUnknownKey.With("field", field, "key", id)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", ErrDamaged.With("field", field).Wrap(err)
	}
	c, err := r.aead(r.masters[i], field)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", field, err)
	}
	plain, err := c.Open(nil, nil, raw, []byte(field))
	if err != nil {
		return "", ErrDamaged.With("field", field).Wrap(err)
	}
	return string(plain), nil
}

// Stale tells whether a sealed text should be sealed again: an older key made it.
func (r *Ring) Stale(sealed string) bool {
	return !strings.HasPrefix(sealed, version+"."+r.masters[len(r.masters)-1].id+".")
}

// Index is the blind index of a value: equal values of a field have equal
// indexes, and nobody without the key can go back or try values out. The
// caller normalises first (`+8613812341234`, lower-case e-mail). 32 hex digits.
func (r *Ring) Index(field, normalised string) string {
	h := hmac.New(sha256.New, r.index)
	h.Write([]byte(field))
	h.Write([]byte{0})
	h.Write([]byte(normalised))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// KeyID names the key that seals.
func (r *Ring) KeyID() string { return r.masters[len(r.masters)-1].id }

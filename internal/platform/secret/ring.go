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
	"slices"
	"strings"
	"sync"
	"sync/atomic"

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
	// ErrIndexKey: the first key cannot be taken out of the ring.
	ErrIndexKey = errs.New(errs.Conflict, "secret.index_key")
)

// Ring holds the master keys, oldest first. One of them seals, the newest until
// told otherwise (Use); all of them open; the oldest keys the blind index, so it
// stays in the ring for good. Keys can be added and taken out while it is in
// use (Reload). Safe for concurrent use.
type Ring struct {
	keys    atomic.Pointer[keys]
	ciphers sync.Map // key id + field → cipher.AEAD; fields are few and constant
}

// keys is what a Ring holds at one moment. Never changed, only replaced.
type keys struct {
	masters []master
	byID    map[string]int
	seal    int // place of the one that seals
	index   []byte
}

type master struct {
	id  string
	raw [4]byte // the id in messages and files
	key []byte
}

// NewRing makes a ring of master keys of KeySize bytes each, oldest first.
func NewRing(list ...[]byte) (*Ring, error) {
	k, err := newKeys(list)
	if err != nil {
		return nil, err
	}
	r := &Ring{}
	r.keys.Store(k)
	return r, nil
}

func newKeys(list [][]byte) (*keys, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("a key ring needs at least one key")
	}
	r := &keys{byID: map[string]int{}, seal: len(list) - 1}
	for i, k := range list {
		if len(k) != KeySize {
			return nil, fmt.Errorf("key %d has %d bytes instead of %d", i+1, len(k), KeySize)
		}
		m := masterOf(k)
		if _, ok := r.byID[m.id]; ok {
			return nil, fmt.Errorf("key %d is in the ring twice", i+1)
		}
		r.byID[m.id] = i
		r.masters = append(r.masters, m)
	}
	var err error
	if r.index, err = derive(list[0], "blind index"); err != nil {
		return nil, err
	}
	return r, nil
}

func masterOf(key []byte) master {
	sum := sha256.Sum256(append([]byte("koipond key id"), key...))
	m := master{id: hex.EncodeToString(sum[:4]), key: key}
	copy(m.raw[:], sum[:4])
	return m
}

// now is the ring as it stands; sealing the key that seals.
func (r *Ring) now() *keys { return r.keys.Load() }

func (k *keys) sealing() master { return k.masters[k.seal] }

// Reload replaces the keys by those that src holds now and tells whether any
// changed. The oldest must stay: what it indexed could not be found any more.
// The key that seals stays the same while it is still there.
func (r *Ring) Reload(src Source) (changed bool, err error) {
	list, where, err := read(src)
	if err != nil {
		return false, err
	}
	next, err := newKeys(list)
	if err != nil {
		return false, fmt.Errorf("%s: %w", where, err)
	}
	was := r.now()
	if next.masters[0].id != was.masters[0].id {
		return false, fmt.Errorf("%s: the first key is another one than before: it keys the look-up of sealed values and has to stay first", where)
	}
	if slices.EqualFunc(next.masters, was.masters, func(a, b master) bool { return a.id == b.id }) {
		return false, nil
	}
	if i, ok := next.byID[was.sealing().id]; ok {
		next.seal = i
	}
	r.keys.Store(next)
	return true, nil
}

// Use makes the named key the one that seals.
func (r *Ring) Use(id string) error {
	for {
		was := r.now()
		i, ok := was.byID[id]
		if !ok {
			return ErrUnknownKey.With("key", id)
		}
		next := *was
		next.seal = i
		if r.keys.CompareAndSwap(was, &next) {
			return nil
		}
	}
}

// KeyIDs names all keys, oldest first.
func (r *Ring) KeyIDs() []string {
	var ids []string
	for _, m := range r.now().masters {
		ids = append(ids, m.id)
	}
	return ids
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
	m := r.now().sealing()
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
	m, ok := r.master(id)
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
	c, err := r.aead(m, field)
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
	return !strings.HasPrefix(sealed, version+"."+r.KeyID()+".")
}

// Index is the blind index of a value: equal values of a field have equal
// indexes, and nobody without the key can go back or try values out. The
// caller normalises first (`+8613812341234`, lower-case e-mail). 32 hex digits.
func (r *Ring) Index(field, normalised string) string {
	h := hmac.New(sha256.New, r.now().index)
	h.Write([]byte(field))
	h.Write([]byte{0})
	h.Write([]byte(normalised))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// KeyID names the key that seals.
func (r *Ring) KeyID() string { return r.now().sealing().id }

func (r *Ring) master(id string) (master, bool) {
	k := r.now()
	i, ok := k.byID[id]
	if !ok {
		return master{}, false
	}
	return k.masters[i], true
}

// KeyOf names the key that sealed a text, "" when the text is not a sealed one:
// columns that were once kept in clear hold both.
func KeyOf(text string) string {
	v, rest, _ := strings.Cut(text, ".")
	id, body, ok := strings.Cut(rest, ".")
	if !ok || v != version || len(id) != 8 || strings.Trim(id, "0123456789abcdef") != "" || len(body) < 38 {
		return ""
	}
	return id
}

// OpenOrClear opens a sealed text and gives one that is not sealed as it is:
// for columns that an older program filled in clear.
func (r *Ring) OpenOrClear(field, text string) (string, error) {
	if KeyOf(text) == "" {
		return text, nil
	}
	return r.Open(field, text)
}

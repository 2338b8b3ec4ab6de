package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// bytesVersion begins what SealBytes makes; then come the key's id (4 bytes), a
// random nonce and the text.
const bytesVersion = 1

// BytesOverhead is how much longer SealBytes makes a text.
const BytesOverhead = 1 + 4 + 12 + 16

// SealBytes is Seal for large texts that are not kept as text, such as messages
// and packed rows. It appends to dst.
func (r *Ring) SealBytes(dst []byte, field string, plain []byte) ([]byte, error) {
	m := r.now().sealing()
	c, err := r.aead(m, field)
	if err != nil {
		return dst, fmt.Errorf("seal %s: %w", field, err)
	}
	dst = append(append(dst, bytesVersion), m.raw[:]...)
	return c.Seal(dst, nil, plain, []byte(field)), nil
}

// OpenBytes decrypts what SealBytes made for the same field.
func (r *Ring) OpenBytes(field string, sealed []byte) ([]byte, error) {
	if len(sealed) < BytesOverhead || sealed[0] != bytesVersion {
		return nil, ErrDamaged.With("field", field)
	}
	id := hex.EncodeToString(sealed[1:5])
	m, ok := r.master(id)
	if !ok {
		return nil, ErrUnknownKey.With("field", field, "key", id)
	}
	c, err := r.aead(m, field)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", field, err)
	}
	plain, err := c.Open(nil, nil, sealed[5:], []byte(field))
	if err != nil {
		return nil, ErrDamaged.With("field", field).Wrap(err)
	}
	return plain, nil
}

// BytesKey names the key that SealBytes used.
func BytesKey(sealed []byte) string {
	if len(sealed) < 5 || sealed[0] != bytesVersion {
		return ""
	}
	return hex.EncodeToString(sealed[1:5])
}

const (
	fixedVersion = "d1"
	fixedIV      = 16
	// FixedPrefix begins every fixed text.
	FixedPrefix = fixedVersion + "."
)

// fixedKeys are those by which one field is sealed so that equal values look
// equal: one for the synthetic nonce, one for the text.
type fixedKeys struct {
	mac   []byte
	block cipher.Block
}

func (r *Ring) fixed(m master, field string) (*fixedKeys, error) {
	name := m.id + "fixed " + field
	if c, ok := r.ciphers.Load(name); ok {
		return c.(*fixedKeys), nil
	}
	mac, err := derive(m.key, "fixed nonce "+field)
	if err != nil {
		return nil, err
	}
	k, err := derive(m.key, "fixed text "+field)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	f := &fixedKeys{mac, block}
	r.ciphers.Store(name, f)
	return f, nil
}

func (f *fixedKeys) iv(plain []byte) []byte {
	h := hmac.New(sha256.New, f.mac)
	h.Write(plain)
	return h.Sum(nil)[:fixedIV]
}

// Fixed encrypts a value of a field so that the same value gives the same text
// under the same key: `d1.<key id>.<base64url>`. Who reads many such texts sees
// which are equal, and nothing else; so this is for values that must be
// compared or grouped where they lie. The nonce is a keyed hash of the value and
// is checked on opening (the SIV construction of Rogaway and Shrimpton, with
// HMAC-SHA256 and AES-256-CTR).
func (r *Ring) Fixed(field string, plain []byte) (string, error) {
	return r.fixedUnder(r.now().sealing(), field, plain)
}

func (r *Ring) fixedUnder(m master, field string, plain []byte) (string, error) {
	f, err := r.fixed(m, field)
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", field, err)
	}
	raw := make([]byte, fixedIV+len(plain))
	copy(raw, f.iv(plain))
	cipher.NewCTR(f.block, raw[:fixedIV]).XORKeyStream(raw[fixedIV:], plain)
	return FixedPrefix + m.id + "." + base64.RawURLEncoding.EncodeToString(raw), nil
}

// FixedForms gives the value's text under each key of the ring, the one that
// seals first: what to look for while older texts are not sealed anew yet.
func (r *Ring) FixedForms(field string, plain []byte) ([]string, error) {
	k := r.now()
	forms := make([]string, 0, len(k.masters))
	for i := range k.masters {
		text, err := r.fixedUnder(k.masters[(k.seal+i)%len(k.masters)], field, plain)
		if err != nil {
			return nil, err
		}
		forms = append(forms, text)
	}
	return forms, nil
}

// FixedKey names the key of a fixed text, "" when it is none.
func FixedKey(text string) string {
	rest, ok := strings.CutPrefix(text, FixedPrefix)
	id, body, more := strings.Cut(rest, ".")
	if !ok || !more || len(id) != 8 || len(body) < 22 || strings.Trim(id, "0123456789abcdef") != "" {
		return ""
	}
	return id
}

// OpenFixed decrypts what Fixed made for the same field.
func (r *Ring) OpenFixed(field, text string) ([]byte, error) {
	id := FixedKey(text)
	if id == "" {
		return nil, ErrDamaged.With("field", field)
	}
	m, ok := r.master(id)
	if !ok {
		return nil, ErrUnknownKey.With("field", field, "key", id)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text[len(FixedPrefix)+9:])
	if err != nil || len(raw) < fixedIV {
		return nil, ErrDamaged.With("field", field)
	}
	f, err := r.fixed(m, field)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", field, err)
	}
	plain := make([]byte, len(raw)-fixedIV)
	cipher.NewCTR(f.block, raw[:fixedIV]).XORKeyStream(plain, raw[fixedIV:])
	if !hmac.Equal(f.iv(plain), raw[:fixedIV]) {
		return nil, ErrDamaged.With("field", field)
	}
	return plain, nil
}

package veil

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/koipond/koipond/internal/platform/secret"
)

// Keys seals and opens (package secret implements it).
type Keys interface {
	Seal(field, plain string) (string, error)
	Open(field, sealed string) (string, error)
	Stale(sealed string) bool
}

// Inside keeps JSON objects in which people may have typed personal values, such
// as filters: those alone are sealed, so that the rest stays searchable.
type Inside struct {
	Keys  Keys
	Field string
}

// sealedPrefix begins every sealed text.
const sealedPrefix = "s1."

// Seal gives a text with its personal values sealed.
func (i Inside) Seal(text string) (string, error) {
	out, err := Seal([]byte(text), false, func(value []byte) (string, error) { return i.Keys.Seal(i.Field, string(value)) })
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", i.Field, err)
	}
	return string(out), nil
}

// Open gives back what Seal was given, or a text that was never sealed as it is.
func (i Inside) Open(text string) (string, error) {
	var fault error
	out := Unseal([]byte(text), sealedPrefix, func(sealed string) ([]byte, bool) {
		if secret.KeyOf(sealed) == "" {
			return nil, false // somebody typed what begins alike
		}
		plain, err := i.Keys.Open(i.Field, sealed)
		if errors.Is(err, secret.ErrDamaged) {
			return nil, false // sealed for another place, or typed: not ours
		}
		if err != nil {
			fault = fmt.Errorf("open %s: %w", i.Field, err)
			return nil, false
		}
		return []byte(plain), true
	})
	return string(out), fault
}

// Anew seals with the newest key what an older one sealed, and what an older
// program left in clear; a text that is right comes back as it is.
func (i Inside) Anew(text string) (string, error) {
	stale := false
	Unseal([]byte(text), sealedPrefix, func(sealed string) ([]byte, bool) {
		stale = stale || secret.KeyOf(sealed) != "" && i.Keys.Stale(sealed)
		return nil, false
	})
	if !stale {
		return i.Seal(text) // sealed texts look like nothing personal and stay
	}
	plain, err := i.Open(text)
	if err != nil {
		return "", err
	}
	return i.Seal(plain)
}

var (
	mailIn   = regexp.MustCompile(`[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+`)
	spacedIn = regexp.MustCompile(`\b1[3-9]\d[- ]\d{4}[- ]\d{4}\b`)
	idIn     = regexp.MustCompile(`\b\d{17}[\dXx]\b`)
)

// Text hides the phone numbers, e-mail addresses and identity numbers in what
// somebody typed as a reason or a remark, which many may read: 138****1234. Words
// and other numbers stay.
func Text(s string) string {
	if strings.IndexByte(s, '@') >= 0 {
		s = mailIn.ReplaceAllStringFunc(s, secret.MaskEmail)
	}
	s = spacedIn.ReplaceAllStringFunc(s, secret.MaskPhone)
	s = idIn.ReplaceAllStringFunc(s, func(v string) string {
		if v[6:14] < "18900101" || !born(v[6:14]) {
			return v
		}
		return secret.MaskIDNumber(v)
	})
	var out strings.Builder
	for from, to := mobileIn(s); to > 0; from, to = mobileIn(s) {
		out.WriteString(s[:from] + secret.MaskPhone(s[from:to]))
		s = s[to:]
	}
	return out.String() + s
}

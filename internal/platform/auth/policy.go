package auth

import (
	_ "embed"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Limits of a password, in characters after normalisation.
const (
	MinPassword = 10
	MaxPassword = 200
)

// ErrWeakPassword says that a password is refused; its field says why.
var ErrWeakPassword = errs.New(errs.Invalid, "password.weak")

//go:embed common.txt
var commonText string

// CheckPassword refuses a password that is too short or too long, one of the
// commonest (also with digits or signs put behind it), made of digits alone, of
// very few different characters or of one run along the keyboard, or the owner's
// e-mail. field names the input to point at.
func CheckPassword(field, password, email string) error {
	p := strings.ToLower(normalise(password))
	code := ""
	params := []any{}
	switch n := utf8.RuneCountInString(p); {
	case n < MinPassword:
		code, params = "password.too_short", []any{"min", MinPassword}
	case n > MaxPassword:
		code, params = "password.too_long", []any{"max", MaxPassword}
	case isEmail(p, strings.ToLower(strings.TrimSpace(email))):
		code = "password.is_email"
	case fewCharacters(p) || onlyDigits(p) || isRun(p) || isCommon(p):
		code = "password.too_common"
	default:
		return nil
	}
	return ErrWeakPassword.On(errs.At(field, code, params...))
}

func isEmail(p, email string) bool {
	if email == "" {
		return false
	}
	local, _, _ := strings.Cut(email, "@")
	return p == email || p == local || trimTail(p) == local
}

// fewCharacters: at most three different ones, such as aaaabbbb11.
func fewCharacters(p string) bool {
	seen := map[rune]bool{}
	for _, r := range p {
		seen[r] = true
	}
	return len(seen) <= 3
}

// onlyDigits: phone numbers and birthdays, the favourites of all.
func onlyDigits(p string) bool { return strings.Trim(p, "0123456789") == "" }

// isRun: every character follows or precedes the one before it in the
// alphabet, the digits or a row of the keyboard.
func isRun(p string) bool {
	for _, row := range []string{"01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "`1234567890-="} {
		if strings.Contains(row, p) || strings.Contains(row, reversed(p)) {
			return true
		}
	}
	return false
}

func reversed(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}

func isCommon(p string) bool {
	bare := trimTail(p)
	for line := range strings.Lines(commonText) {
		if w := strings.TrimSpace(line); w != "" && w[0] != '#' && (w == p || w == bare) {
			return true
		}
	}
	return false
}

// trimTail drops the digits and signs that people append to please a rule.
func trimTail(p string) string { return strings.TrimRight(p, "0123456789!@#$%^&*._-+?~") }

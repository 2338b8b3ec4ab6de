package mail

import (
	"net/mail"
	"regexp"
	"strings"

	"golang.org/x/net/idna"

	"github.com/koipond/koipond/internal/platform/errs"
)

var (
	errAddress = errs.New(errs.Invalid, "mail.bad_address")
	errHeader  = errs.New(errs.Invalid, "mail.bad_header")
)

var plainAddress = regexp.MustCompile(`^` + addressPattern + `$`)

// Address gives an address alone, its domain in the letters of the DNS; it refuses
// what is none, or more than one.
func Address(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	if len(raw) > 254 || unsafe(raw) {
		return "", errAddress
	}
	p, err := mail.ParseAddress(raw)
	if err != nil || p.Name != "" {
		return "", errAddress
	}
	at := strings.LastIndexByte(p.Address, '@')
	domain, err := idna.Lookup.ToASCII(p.Address[at+1:])
	if err != nil || !strings.Contains(domain, ".") {
		return "", errAddress
	}
	a := p.Address[:at] + "@" + domain
	if !plainAddress.MatchString(a) {
		return "", errAddress
	}
	return a, nil
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// unsafe tells whether a text would end a header, or hide something in it.
func unsafe(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x20 && r != '\t' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029
	})
}

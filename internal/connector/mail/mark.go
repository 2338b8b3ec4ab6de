package mail

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"regexp"
	"strings"
)

// marker makes and proves the marks of an account.
type marker []byte

const (
	idLength   = 20
	signLength = 16
)

// anyMark finds marks in addresses and in message ids: bounce+<id>.<sign>@…, and
// <<id>.<sign>@…>.
var anyMark = regexp.MustCompile(`\b([0-9a-f]{20})\.([0-9a-f]{16})@`)

// idOf names the message of a key: the same one each time, so that a mail sent
// again after a crash is recognised as the same by mail programs.
func (m marker) idOf(key string) string { return m.hash("id", key)[:idLength] }

// sign is the keyed hash of a message's number and of the address it goes to.
func (m marker) sign(id, address string) string {
	return m.hash("to", id, canonical(address))[:signLength]
}

// mark is what a mail to an address carries.
func (m marker) mark(id, address string) string { return id + "." + m.sign(id, address) }

// fits finds, among marks and addresses, which message to whom a report speaks of.
func (m marker) fits(texts, addresses []string) (id, address string, ok bool) {
	for _, t := range texts {
		for _, found := range anyMark.FindAllStringSubmatch(strings.ToLower(t), maxMarks) {
			for _, a := range addresses {
				if subtle.ConstantTimeCompare([]byte(found[2]), []byte(m.sign(found[1], a))) == 1 {
					return found[1], canonical(a), true
				}
			}
		}
	}
	return "", "", false
}

// maxMarks bounds what is looked at in one text.
const maxMarks = 10

func (m marker) hash(parts ...string) string {
	h := hmac.New(sha256.New, m)
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// canonical is an address as it is compared.
func canonical(address string) string {
	return strings.ToLower(strings.Trim(strings.TrimSpace(address), "<>"))
}

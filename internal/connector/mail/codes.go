package mail

import (
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/outbound"
)

var (
	errUnreachable = errs.New(errs.Unavailable, "mail.unreachable")
	errTLS         = errs.New(errs.Unavailable, "mail.no_tls")
	errLost        = errs.New(errs.Unavailable, "mail.answer_lost")
)

// fate is what a status says of an address.
type fate struct {
	reason string
	gone   bool // nobody has it, for good
}

// fates are the statuses of RFC 3463, as data. What begins like one counts as it.
var fates = map[string]fate{
	"5.1.0": {"mail.receipt.absent", true}, "5.1.1": {"mail.receipt.absent", true}, "5.1.2": {"mail.receipt.no_domain", true}, "5.1.3": {"mail.receipt.absent", true}, "5.1.6": {"mail.receipt.absent", true},
	"5.1.10": {"mail.receipt.no_domain", true}, "5.2.1": {"mail.receipt.disabled", true},
	"5.2.2": {"mail.receipt.full", false}, "4.2.2": {"mail.receipt.full", false}, "5.2.3": {"mail.receipt.too_large", false}, "5.3.4": {"mail.receipt.too_large", false},
	"5.4": {"mail.receipt.unreachable", false}, "4.4": {"mail.receipt.unreachable", false}, "5.7": {"mail.receipt.policy", false}, "4.7": {"mail.receipt.policy", false},
	"4": {"mail.receipt.later", false},
}

// fateOf reads a status such as 5.1.1.
func fateOf(status string) fate {
	for s := status; s != ""; {
		if f, ok := fates[s]; ok {
			return f
		}
		i := strings.LastIndexByte(s, '.')
		if i < 0 {
			break
		}
		s = s[:i]
	}
	return fate{reason: "mail.receipt.unknown"}
}

type act uint8

const (
	giveUp act = iota
	later
	stop
)

// The steps at which a server refuses.
const (
	aboutSender    = "MAIL"
	aboutRecipient = "RCPT"
	aboutData      = "DATA"
	aboutLogin     = "AUTH"
)

// Error is a server's refusal: its status and words for the log, and (unwrapped)
// the words for people.
type Error struct {
	about, Status, Words string
	fate                 fate
	words                *errs.Error
	act                  act
	after                time.Duration
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s %s", e.about, e.Status, e.Words) }

// Unwrap gives the words for people.
func (e *Error) Unwrap() error { return e.words }

// refusal turns the answer of a server into an Error; nil when it is none.
func refusal(about string, err error) *Error {
	var s *smtp.SMTPError
	if !errors.As(err, &s) {
		return nil
	}
	e := &Error{about: about, Status: statusOf(s), Words: clip(strings.Join(strings.Fields(s.Message), " "), 300)}
	e.fate = fateOf(e.Status)
	code, kind := "mail.refused", errs.Conflict
	switch {
	case about == aboutLogin && s.Code < 500:
		code, kind, e.act, e.after = "mail.busy", errs.Unavailable, later, time.Minute
	case about == aboutLogin:
		code, e.act = "mail.bad_login", stop
	case s.Code == 530 || s.Code == 550 && about == aboutSender || s.Code == 553 && about == aboutSender || s.Code == 538:
		code, e.act = "mail.bad_sender", stop
	case s.Code == 421:
		code, kind, e.act, e.after = "mail.busy", errs.Unavailable, later, time.Minute
	case s.Code < 500: // greylisting, a full queue
		code, kind, e.act, e.after = "mail.try_later", errs.TooMany, later, 5*time.Minute
	case about == aboutRecipient || e.fate.gone:
		code = e.fate.reason
		if code == "mail.receipt.unknown" && about == aboutRecipient {
			code = "mail.refused_recipient"
		}
	}
	e.words = errs.New(kind, code, "number", e.Status, "words", e.Words)
	return e
}

// enhanced finds a status in a server's words, for those that send none apart.
var enhanced = regexp.MustCompile(`^#?([245]\.\d{1,3}\.\d{1,3})\b`)

func statusOf(s *smtp.SMTPError) string {
	switch {
	case s.EnhancedCode[0] > 0:
		return fmt.Sprintf("%d.%d.%d", s.EnhancedCode[0], s.EnhancedCode[1], s.EnhancedCode[2])
	case enhanced.MatchString(s.Message):
		return enhanced.FindStringSubmatch(s.Message)[1]
	}
	return fmt.Sprint(s.Code)
}

// react tells the program what to do about it.
func (e *Error) react(now time.Time) error {
	switch e.act {
	case later:
		return connector.Wait(now.Add(e.after), e)
	case stop:
		return connector.Unsent(connector.GiveUp(e))
	}
	return connector.GiveUp(e)
}

// unreachable is the error of a connection that was not made.
func unreachable(err error) error {
	if errors.Is(err, outbound.ErrPrivate) {
		return connector.Unsent(connector.GiveUp(errs.New(errs.Conflict, "outbound.private").Wrap(err)))
	}
	return connector.Unsent(errUnreachable.Wrap(err))
}

// broken tells whether a connection that was kept open had ended meanwhile.
func broken(err error) bool {
	var n net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &n) || errors.Is(err, io.ErrUnexpectedEOF)
}

package connector

import (
	"errors"
	"time"

	"github.com/koipond/koipond/internal/platform/errs"
)

// Why a callback is refused. They are counted by their codes, for the doctor.
var (
	ErrSignature = errs.New(errs.Forbidden, "connector.bad_signature") // not the platform's, or the token is another one there
	ErrReceiver  = errs.New(errs.Forbidden, "connector.bad_receiver")  // made for another corp or app
	ErrDecrypt   = errs.New(errs.Invalid, "connector.bad_cipher")      // the key is another one there
	ErrMalformed = errs.New(errs.Invalid, "connector.bad_message")     // decrypted, and yet no message
)

// Later is an error that time mends: a quota is spent, the platform wants fewer
// calls. Whoever works in the background tries again at Until and does not count
// it as a failure. Err is an *errs.Error with the words for people.
type Later struct {
	Until time.Time
	Err   error
}

// Error implements error.
func (l *Later) Error() string {
	return "not before " + l.Until.Format(time.RFC3339) + ": " + l.Err.Error()
}

// Unwrap gives the reason.
func (l *Later) Unwrap() error { return l.Err }

// Wait makes an error that says when to try again.
func Wait(until time.Time, err error) error { return &Later{until, err} }

type final struct{ error }

func (f final) Unwrap() error { return f.error }

// GiveUp marks an error that no further try mends: refused credentials, a customer
// who is no friend any more.
func GiveUp(err error) error { return final{err} }

// GivenUp tells whether err was marked by GiveUp.
func GivenUp(err error) bool {
	var f final
	return errors.As(err, &f)
}

package wxcrypto

import "errors"

// Reason says why something was refused. Doctors and logs show it; a stranger
// who calls learns nothing of it.
type Reason string

// The reasons.
const (
	BadKey       Reason = "bad_key"       // the EncodingAESKey is not 43 characters of base64
	BadSignature Reason = "bad_signature" // not signed, or with another token
	BadBase64    Reason = "bad_base64"    // the cipher text is not base64
	BadLength    Reason = "bad_length"    // empty, not whole blocks, or a length inside that does not fit
	BadPadding   Reason = "bad_padding"   // most often: another key
	BadReceiver  Reason = "bad_receiver"  // meant for another corp or app
	BadBody      Reason = "bad_body"      // not the document it should be
	TooLarge     Reason = "too_large"     // more than a callback ever has
)

// Error is a refusal.
type Error struct {
	Reason Reason
	detail string
}

// Error implements error.
func (e *Error) Error() string {
	if e.detail == "" {
		return "callback refused: " + string(e.Reason)
	}
	return "callback refused: " + string(e.Reason) + ": " + e.detail
}

func refuse(r Reason, detail string) error { return &Error{r, detail} }

// ReasonOf gives the reason of a refusal, "" for any other error.
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

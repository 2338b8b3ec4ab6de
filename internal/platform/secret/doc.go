// Package secret answers: how is a phone number kept so that a stolen
// database does not tell it, and how is it shown to those who need not know it?
//
// A Ring seals single fields (AES-256-GCM, the field's name bound in), finds
// them again by a keyed blind index (HMAC-SHA256), and the Mask functions show
// them in part. Whoever loses the keys loses the sealed fields: keep a copy of
// the key file apart from the data.
package secret

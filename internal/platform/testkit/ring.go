package testkit

import (
	"bytes"

	"github.com/koipond/koipond/internal/platform/secret"
)

// Ring is a key ring that is the same in every test.
func Ring() *secret.Ring {
	r, err := secret.NewRing(bytes.Repeat([]byte{7}, secret.KeySize))
	if err != nil {
		panic(err) // one key of the right size always makes a ring
	}
	return r
}

package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strconv"
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// derive makes n characters out of the seed and names: always the same ones.
func (w *World) derive(n int, names ...string) string {
	h := sha256.New()
	_ = binary.Write(h, binary.BigEndian, w.Seed) // a hash takes everything
	for _, s := range names {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	sum := h.Sum(nil)
	r := rand.New(rand.NewChaCha8([32]byte(sum))) //nolint:gosec // ids of a made-up world
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// next makes an id that was not there before; the same steps make the same ids.
func (w *World) next(prefix string, n int) string {
	w.Serial++
	return prefix + w.derive(n-len(prefix), prefix, strconv.FormatUint(w.Serial, 10))
}

// hexID is next in the letters of a hash, as config ids are.
func (w *World) hexID(n int) string {
	s := w.next("", 32)
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:n]
}

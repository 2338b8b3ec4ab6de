package wxcrypto

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"net/url"

	"crypto/aes"
	"crypto/cipher"
)

// The platform's own published sample.
const (
	sampleToken    = "QDG6eK"
	sampleKey      = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
	sampleReceiver = "wx5823bf96d3bd56c7"
	sampleEcho     = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
	sampleSigned   = "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
	sampleTime     = "1409659589"
	sampleNonce    = "263014780"
)

// still is a source of "random" bytes that are all the same: what is sealed with
// it is always the same text.
type still byte

func (s still) Read(b []byte) (int, error) {
	copy(b, bytes.Repeat([]byte{byte(s)}, len(b)))
	return len(b), nil
}

func sample() *Cipher {
	c, err := New(sampleToken, sampleKey, sampleReceiver, still('k'))
	if err != nil {
		panic(err)
	}
	return c
}

// forge encrypts any blocks with the sample's key, right or wrong ones.
func forge(plain []byte) string {
	c := sample()
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(c.block, c.iv).CryptBlocks(out, plain)
	return base64.StdEncoding.EncodeToString(out)
}

// framed builds the plain text of a message with the length that is claimed and
// the last byte's padding, whole blocks of 16.
func framed(claim uint32, message, receiver string, pad int) []byte {
	b := bytes.Repeat([]byte{'r'}, salt)
	b = binary.BigEndian.AppendUint32(b, claim)
	b = append(b, message+receiver...)
	for len(b)%aes.BlockSize != (aes.BlockSize-pad%aes.BlockSize)%aes.BlockSize {
		b = append(b, 'x')
	}
	return append(b, bytes.Repeat([]byte{byte(pad)}, pad)...)
}

func parseQuery(s string) url.Values {
	q, err := url.ParseQuery(s)
	if err != nil {
		return url.Values{}
	}
	return q
}

package wxcrypto

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"io"
	"strings"
)

const (
	keyChars = 43       // of an EncodingAESKey: 32 bytes in base64 without the last "="
	padBlock = 32       // PKCS#7 of these platforms pads to 32, not to the 16 of AES
	salt     = 16       // random bytes in front
	header   = salt + 4 // and the length

	// MaxBody bounds a callback. The largest real ones, a group that a thousand
	// people joined, stay far below.
	MaxBody = 1 << 20
)

// Cipher opens and seals what one account is called back with. It may be used
// by several goroutines at once.
type Cipher struct {
	token    string
	receiver string
	block    cipher.Block
	iv       []byte
	random   io.Reader
}

// New makes the cipher of an account: its token, its EncodingAESKey, and its
// receiver (the corp id for WeCom, the app id else). random is for what is
// sealed; nil is the machine's own source, and only tests give another.
func New(token, encodingAESKey, receiver string, random io.Reader) (*Cipher, error) {
	key, err := decodeKey(encodingAESKey)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, refuse(BadKey, err.Error())
	}
	if random == nil {
		random = rand.Reader
	}
	return &Cipher{token: token, receiver: receiver, block: block, iv: key[:aes.BlockSize], random: random}, nil
}

// decodeKey reads an EncodingAESKey. Its last character carries two bits that
// belong to no byte, and the platforms' own samples have them set: a strict
// decoder would refuse real keys.
func decodeKey(s string) ([]byte, error) {
	if len(s) != keyChars || strings.ContainsAny(s, "\r\n=") {
		return nil, refuse(BadKey, "43 characters are wanted")
	}
	key, err := base64.StdEncoding.DecodeString(s + "=")
	if err != nil || len(key) != 32 {
		return nil, refuse(BadKey, "not base64")
	}
	return key, nil
}

// Verify checks the signature of a sealed callback.
func (c *Cipher) Verify(signature, timestamp, nonce, encrypted string) error {
	return verify(signature, c.token, timestamp, nonce, encrypted)
}

// Sign signs a sealed message.
func (c *Cipher) Sign(timestamp, nonce, encrypted string) string {
	return Signature(c.token, timestamp, nonce, encrypted)
}

// Decrypt opens a cipher text whose signature was verified.
func (c *Cipher) Decrypt(encrypted string) ([]byte, error) {
	if len(encrypted) > MaxBody {
		return nil, refuse(TooLarge, "")
	}
	raw, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil {
		return nil, refuse(BadBase64, "")
	}
	if len(raw) == 0 || len(raw)%aes.BlockSize != 0 {
		return nil, refuse(BadLength, "not whole blocks")
	}
	cipher.NewCBCDecrypter(c.block, c.iv).CryptBlocks(raw, raw)
	plain, err := unpad(raw)
	if err != nil {
		return nil, err
	}
	if len(plain) < header {
		return nil, refuse(BadLength, "shorter than its header")
	}
	n := uint64(binary.BigEndian.Uint32(plain[salt:header]))
	rest := plain[header:]
	if n > uint64(len(rest)) {
		return nil, refuse(BadLength, "the message is said to be longer than it is")
	}
	if subtle.ConstantTimeCompare(rest[n:], []byte(c.receiver)) != 1 {
		return nil, refuse(BadReceiver, "")
	}
	return rest[:n:n], nil
}

// unpad takes the padding off. All of it must be right, not its last byte alone.
func unpad(b []byte) ([]byte, error) {
	n := int(b[len(b)-1])
	if n < 1 || n > padBlock || n > len(b) {
		return nil, refuse(BadPadding, "")
	}
	for _, x := range b[len(b)-n:] {
		if int(x) != n {
			return nil, refuse(BadPadding, "")
		}
	}
	return b[:len(b)-n], nil
}

// Encrypt seals a message for the other side: a passive reply, and in the
// simulator a callback.
func (c *Cipher) Encrypt(message []byte) (string, error) {
	if len(message) > MaxBody/2 {
		return "", refuse(TooLarge, "")
	}
	size := header + len(message) + len(c.receiver)
	pad := padBlock - size%padBlock
	raw := make([]byte, 0, size+pad)
	raw = raw[:salt]
	if _, err := io.ReadFull(c.random, raw); err != nil {
		return "", err
	}
	raw = binary.BigEndian.AppendUint32(raw, uint32(len(message))) //nolint:gosec // bounded above
	raw = append(raw, message...)
	raw = append(raw, c.receiver...)
	raw = append(raw, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(c.block, c.iv).CryptBlocks(raw, raw)
	return base64.StdEncoding.EncodeToString(raw), nil
}

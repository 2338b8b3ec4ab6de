package wire

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/secret"
)

const (
	magic        = 'K'
	version      = 1
	sealed       = 2 // a version of its own: 'K' 2, then a whole message, sealed
	flagS2       = 1
	maxRaw       = 64 << 20 // a message never unpacks to more
	minCompress  = 512      // below it the header of s2 eats the gain
	maxInterned  = 4096
	maxInternLen = 128
)

// Message makes one stream message of count frames. frames is not kept.
func Message(frames []byte, count int) []byte { return AppendMessage(nil, frames, count) }

// AppendMessage is Message into room given by the caller.
func AppendMessage(dst, frames []byte, count int) []byte {
	start := len(dst)
	dst = append(dst, magic, version, 0)
	dst = binary.AppendUvarint(dst, uint64(count))
	head := len(dst)
	if len(frames) >= minCompress {
		dst[start+2] = flagS2
		dst = binary.AppendUvarint(dst, uint64(len(frames)))
		at := len(dst)
		dst = slices.Grow(dst, s2.MaxEncodedLen(len(frames)))
		body := s2.Encode(dst[at:cap(dst)], frames)
		if len(body) < len(frames)-len(frames)/8 {
			return dst[:at+len(body)]
		}
		dst[start+2] = 0
	}
	return append(dst[:head], frames...)
}

// Keyring seals messages as a whole (package secret implements it).
type Keyring interface {
	SealBytes(dst []byte, field string, plain []byte) ([]byte, error)
	OpenBytes(field string, sealed []byte) ([]byte, error)
}

// sealField is under which name messages are sealed.
const sealField = "stream.message"

// Seal appends the sealed form of a message to dst: nobody reads it without the
// keys, and a change is noticed.
func Seal(dst []byte, keys Keyring, message []byte) ([]byte, error) {
	return keys.SealBytes(append(dst, magic, sealed), sealField, message)
}

// KeyOf names the key that sealed a message, "" when it is not sealed.
func KeyOf(message []byte) string {
	if len(message) < 2 || message[0] != magic || message[1] != sealed {
		return ""
	}
	return secret.BytesKey(message[2:])
}

// Decoder takes messages apart, sealed ones and those that an older program
// left unsealed. It keeps the strings that come again and again
// (event names, sources, kinds), at most 4,096. Not safe for concurrent use.
type Decoder struct {
	Keys Keyring // nil: sealed messages cannot be read
	seen map[string]string
	text []byte
}

// Decode appends the facts of a message to dst. Their JSON parts are slices of
// one buffer per message: clone what outlives the batch. A message is good as
// a whole or ErrCorrupt.
func (d *Decoder) Decode(dst []event.Fact, data []byte) ([]event.Fact, error) {
	if len(data) > 2 && data[0] == magic && data[1] == sealed {
		if d.Keys == nil {
			return dst, fmt.Errorf("%w: sealed, and no key is given", ErrCorrupt)
		}
		plain, err := d.Keys.OpenBytes(sealField, data[2:])
		if err != nil {
			return dst, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		data = plain
	}
	body, count, err := open(data)
	if err != nil {
		return dst, err
	}
	from := len(dst)
	for range count {
		n, w := binary.Uvarint(body)
		if w <= 0 || n > uint64(len(body)-w) {
			return dst[:from], ErrCorrupt
		}
		dst = append(dst, event.Fact{})
		if err := d.decodeFrame(body[w:w+int(n)], &dst[len(dst)-1]); err != nil {
			return dst[:from], err
		}
		body = body[w+int(n):]
	}
	if len(body) > 0 {
		return dst[:from], ErrCorrupt
	}
	return dst, nil
}

// Count tells how many facts an unsealed message says it has.
func Count(data []byte) int {
	if len(data) < 4 || data[0] != magic {
		return 0
	}
	n, w := binary.Uvarint(data[3:])
	if w <= 0 || n > maxRaw {
		return 0
	}
	return int(n)
}

func open(data []byte) (body []byte, count int, err error) {
	if len(data) < 4 || data[0] != magic {
		return nil, 0, ErrCorrupt
	}
	if data[1] != version {
		return nil, 0, fmt.Errorf("%w: version %d, this program knows %d", ErrCorrupt, data[1], version)
	}
	if data[2]&^flagS2 != 0 {
		return nil, 0, ErrCorrupt
	}
	r := reader{b: data[3:]}
	n := r.uvarint()
	if data[2]&flagS2 == 0 {
		body = r.b
	} else {
		raw := r.uvarint()
		if size, err := s2.DecodedLen(r.b); r.bad || err != nil || raw > maxRaw || uint64(size) != raw {
			return nil, 0, ErrCorrupt
		}
		if body, err = s2.Decode(nil, r.b); err != nil {
			return nil, 0, fmt.Errorf("%w: %v", ErrCorrupt, err)
		}
	}
	if r.bad || n > uint64(len(body)) {
		return nil, 0, ErrCorrupt
	}
	return body, int(n), nil
}

func (d *Decoder) intern(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if s, ok := d.seen[string(b)]; ok {
		return s
	}
	return d.remember(string(b))
}

func (d *Decoder) internString(s string) string {
	if known, ok := d.seen[s]; ok {
		return known
	}
	return d.remember(string([]byte(s))) // its own bytes, not a part of the fact's text
}

func (d *Decoder) remember(s string) string {
	if len(s) <= maxInternLen && s != "" {
		if d.seen == nil || len(d.seen) >= maxInterned {
			d.seen = make(map[string]string, 64)
		}
		d.seen[s] = s
	}
	return s
}

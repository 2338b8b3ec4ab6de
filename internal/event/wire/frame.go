package wire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/koipond/koipond/internal/event"
)

// ErrCorrupt means that bytes on the stream are not what this or an older program wrote.
var ErrCorrupt = errors.New("facts on the stream are damaged")

// Which optional fields a frame has. Numbers are forever.
const (
	hasUserID = 1 << iota
	hasAnonymousID
	hasPreviousID
	hasGroupID
	hasIdentifiers
	hasContact
	hasImportID
	hasProperties
	hasTraits
	hasContext
	allFields = 1<<iota - 1
)

const maxIdentifiers = 64

// types gives each call its number on the wire, from 1.
var types = [...]event.Type{"", event.Track, event.Identify, event.Page, event.Screen, event.Group, event.Alias}

func typeNumber(t event.Type) byte {
	for i := 1; i < len(types); i++ {
		if types[i] == t {
			return byte(i)
		}
	}
	return 0
}

// AppendFrame appends one fact. It panics on a type that is none of the six
// and on more than 64 identifiers: the doors check both before.
func AppendFrame(dst []byte, f *event.Fact) []byte {
	n := typeNumber(f.Type)
	if n == 0 || len(f.Identifiers) > maxIdentifiers {
		panic(fmt.Sprintf("wire: fact of type %q with %d identifiers", f.Type, len(f.Identifiers)))
	}
	// The length is written last, into room for the largest (1 MB needs 3 bytes, 5 is 4 GB).
	const room = 5
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, n)
	fields := fieldsOf(f)
	dst = binary.AppendUvarint(dst, fields)
	dst = binary.AppendUvarint(dst, uint64(f.ReceivedAt))
	dst = binary.AppendVarint(dst, f.ReceivedAt-f.Timestamp)
	dst = appendLengths(dst, f, fields)
	dst = appendTexts(dst, f)
	for _, part := range [...][]byte{f.Properties, f.Traits, f.Context} {
		if len(part) > 0 {
			dst = binary.AppendUvarint(dst, uint64(len(part)))
			dst = append(dst, part...)
		}
	}
	var head [room]byte
	h := binary.PutUvarint(head[:], uint64(len(dst)-start-room))
	copy(dst[start+room-h:], head[:h])
	if h < room { // close the gap in front: frames are small, the move is cheaper than measuring twice
		dst = dst[:start+copy(dst[start:], dst[start+room-h:])]
	}
	return dst
}

func fieldsOf(f *event.Fact) uint64 {
	var m uint64
	set := func(yes bool, bit uint64) {
		if yes {
			m |= bit
		}
	}
	set(f.UserID != "", hasUserID)
	set(f.AnonymousID != "", hasAnonymousID)
	set(f.PreviousID != "", hasPreviousID)
	set(f.GroupID != "", hasGroupID)
	set(len(f.Identifiers) > 0, hasIdentifiers)
	set(f.Contact != 0, hasContact)
	set(f.ImportID != "", hasImportID)
	set(len(f.Properties) > 0, hasProperties)
	set(len(f.Traits) > 0, hasTraits)
	set(len(f.Context) > 0, hasContext)
	return m
}

func appendLengths(dst []byte, f *event.Fact, fields uint64) []byte {
	if fields&hasContact != 0 {
		dst = binary.AppendUvarint(dst, uint64(f.Contact))
	}
	dst = binary.AppendUvarint(dst, uint64(len(f.MessageID)))
	dst = binary.AppendUvarint(dst, uint64(len(f.Name)))
	dst = binary.AppendUvarint(dst, uint64(len(f.Source)))
	for _, s := range [...]string{f.UserID, f.AnonymousID, f.PreviousID, f.GroupID, f.ImportID} {
		if s != "" {
			dst = binary.AppendUvarint(dst, uint64(len(s)))
		}
	}
	if fields&hasIdentifiers != 0 {
		dst = append(dst, byte(len(f.Identifiers)))
		for _, id := range f.Identifiers {
			dst = binary.AppendUvarint(dst, uint64(len(id.Kind)))
			dst = binary.AppendUvarint(dst, uint64(len(id.Value)))
		}
	}
	return dst
}

func appendTexts(dst []byte, f *event.Fact) []byte {
	for _, s := range [...]string{f.MessageID, f.Name, f.Source, f.UserID, f.AnonymousID, f.PreviousID, f.GroupID, f.ImportID} {
		dst = append(dst, s...)
	}
	for _, id := range f.Identifiers {
		dst = append(append(dst, id.Kind...), id.Value...)
	}
	return dst
}

// reader takes a frame apart; bad is set once and for all.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// length reads a length that what is left can hold.
func (r *reader) length() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.bad = true
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

// decodeFrame fills f. The texts of a fact share one string of their own; the
// JSON parts are slices of frame.
func (d *Decoder) decodeFrame(frame []byte, f *event.Fact) error {
	r := reader{b: frame}
	head := r.take(1)
	if r.bad || head[0] == 0 || int(head[0]) >= len(types) {
		return ErrCorrupt
	}
	f.Type = types[head[0]]
	fields := r.uvarint()
	if fields&^uint64(allFields) != 0 {
		return ErrCorrupt
	}
	f.ReceivedAt = int64(r.uvarint())
	f.Timestamp = f.ReceivedAt - r.varint()
	if fields&hasContact != 0 {
		f.Contact = int64(r.uvarint())
	}
	d.texts(&r, f, fields)
	for _, p := range [...]struct {
		bit uint64
		to  *[]byte
	}{{hasProperties, (*[]byte)(&f.Properties)}, {hasTraits, (*[]byte)(&f.Traits)}, {hasContext, (*[]byte)(&f.Context)}} {
		if fields&p.bit != 0 {
			*p.to = r.take(r.length())
		}
	}
	if r.bad || len(r.b) > 0 {
		return ErrCorrupt
	}
	return nil
}

func (d *Decoder) texts(r *reader, f *event.Fact, fields uint64) {
	message, name, source := r.length(), r.length(), r.length()
	total := 0 // of the texts that share one string
	opt := [...]struct {
		bit uint64
		to  *string
		n   int
	}{{hasUserID, &f.UserID, 0}, {hasAnonymousID, &f.AnonymousID, 0}, {hasPreviousID, &f.PreviousID, 0}, {hasGroupID, &f.GroupID, 0}, {hasImportID, &f.ImportID, 0}}
	for i := range opt {
		if fields&opt[i].bit != 0 {
			opt[i].n = r.length()
			total += opt[i].n
		}
	}
	var pairs [2 * maxIdentifiers]int
	ids := 0
	if fields&hasIdentifiers != 0 {
		n := r.take(1)
		if r.bad || n[0] == 0 || n[0] > maxIdentifiers {
			r.bad = true
			return
		}
		ids = int(n[0])
		for i := range 2 * ids {
			pairs[i] = r.length()
			total += pairs[i]
		}
	}
	id := r.take(message)
	f.Name = d.intern(r.take(name))
	f.Source = d.intern(r.take(source))
	rest := r.take(total)
	if r.bad {
		return
	}
	d.text = append(append(d.text[:0], id...), rest...)
	all := string(d.text)
	f.MessageID, all = all[:message], all[message:]
	for _, o := range opt {
		*o.to, all = all[:o.n], all[o.n:]
	}
	if ids > 0 {
		f.Identifiers = make([]event.Identifier, ids)
		for i := range f.Identifiers {
			f.Identifiers[i].Kind, all = d.internString(all[:pairs[2*i]]), all[pairs[2*i]:]
			f.Identifiers[i].Value, all = all[:pairs[2*i+1]], all[pairs[2*i+1]:]
		}
	}
}

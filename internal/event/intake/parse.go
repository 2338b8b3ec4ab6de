package intake

import (
	"github.com/koipond/koipond/internal/event/jsonscan"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Limits of the protocol, in bytes of JSON after unpacking.
const (
	MaxEvent = 32 << 10
	MaxBatch = 500 << 10
	// maxEvents bounds the answer: every event may have to be named in it.
	maxEvents = 5000
)

// span is where a value stands in the body. Bodies are small, so 32 bits do.
type span struct {
	from, to uint32
	kind     jsonscan.Kind
	flags    jsonscan.Flags
}

// The fields of an event that are looked at; others are passed over.
const (
	fType = iota
	fEvent
	fName
	fCategory
	fUserID
	fAnonymousID
	fPreviousID
	fGroupID
	fMessageID
	fTimestamp
	fOriginalTimestamp
	fSentAt
	fWriteKey
	fProperties
	fTraits
	fContext
	fBatch
	fields
)

var fieldNames = [fields]string{"type", "event", "name", "category", "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp",
	"originalTimestamp", "sentAt", "writeKey", "properties", "traits", "context", "batch"}

func fieldOf(key []byte) int {
	switch string(key) {
	case "type":
		return fType
	case "event":
		return fEvent
	case "name":
		return fName
	case "category":
		return fCategory
	case "userId":
		return fUserID
	case "anonymousId":
		return fAnonymousID
	case "previousId":
		return fPreviousID
	case "groupId":
		return fGroupID
	case "messageId":
		return fMessageID
	case "timestamp":
		return fTimestamp
	case "originalTimestamp":
		return fOriginalTimestamp
	case "sentAt":
		return fSentAt
	case "writeKey":
		return fWriteKey
	case "properties":
		return fProperties
	case "traits":
		return fTraits
	case "context":
		return fContext
	case "batch":
		return fBatch
	}
	return fields
}

// rawEvent is one event before it is checked: spans of the body.
type rawEvent struct {
	whole span
	field [fields]span
}

// parser takes bodies apart. It is reused: everything it hands out is good
// until the next parse.
type parser struct {
	scan   jsonscan.Scanner
	body   []byte
	top    rawEvent // the envelope of a batch, or the single event
	events []rawEvent
	text   []byte // where unescaped and rewritten values live
	frames []byte // the good events, encoded
}

func (p *parser) value(s span) jsonscan.Value {
	return jsonscan.Value{Raw: p.body[s.from:s.to], Kind: s.kind, Flags: s.flags}
}

func malformed(offset int) *errs.Error {
	return errs.New(errs.Invalid, "intake.malformed", "offset", offset)
}

// parse reads a body: of the batch form when batch is set, else a single event.
func (p *parser) parse(body []byte, batch bool) *errs.Error {
	p.body, p.events, p.text, p.top = body, p.events[:0], p.text[:0], rawEvent{}
	p.scan.Reset(body)
	if p.scan.End() {
		return errs.New(errs.Invalid, "intake.empty")
	}
	switch p.scan.Kind() {
	case jsonscan.Object:
		if e := p.object(&p.top, batch); e != nil {
			return e
		}
	case jsonscan.Array: // a bare list of events is a batch without an envelope
		if !batch {
			return wrongType("", "object")
		}
		if e := p.list(); e != nil {
			return e
		}
	default:
		if _, err := p.scan.Skip(); err != nil {
			return malformed(p.scan.Offset())
		}
		return wrongType("", "object")
	}
	if !p.scan.End() {
		return malformed(p.scan.Offset())
	}
	if batch && len(p.events) == 0 {
		if p.top.field[fBatch].kind == jsonscan.None {
			return errs.New(errs.Invalid, "intake.invalid").On(errs.At("batch", "intake.required"))
		}
		return errs.New(errs.Invalid, "intake.empty").On(errs.At("batch", "intake.empty"))
	}
	return nil
}

func wrongType(path, want string) *errs.Error {
	return errs.New(errs.Invalid, "intake.invalid").On(errs.At(path, "intake.wrong_type", "want", want))
}

// object reads the members of one event or envelope. Of a repeated key the last counts.
func (p *parser) object(ev *rawEvent, envelope bool) *errs.Error {
	p.scan.Open()
	for first := true; ; first = false {
		key, ok, err := p.scan.Key(first)
		if err != nil {
			return malformed(p.scan.Offset())
		}
		if !ok {
			return nil
		}
		name := key.Raw[1 : len(key.Raw)-1]
		if key.Flags != 0 {
			name = jsonscan.Text(nil, key)
		}
		f := fieldOf(name)
		if f == fBatch && envelope {
			if p.scan.Kind() == jsonscan.Array {
				p.top.field[fBatch] = span{kind: jsonscan.Array}
				p.events = p.events[:0]
				if e := p.list(); e != nil {
					return e
				}
				continue
			}
			return wrongType("batch", "array")
		}
		v, err := p.scan.Skip()
		if err != nil {
			return malformed(p.scan.Offset())
		}
		if f < fields {
			ev.field[f] = p.spanOf(v)
		}
	}
}

// spanOf remembers where the value just skipped stands.
func (p *parser) spanOf(v jsonscan.Value) span {
	to := p.scan.Offset()
	return span{from: uint32(to - len(v.Raw)), to: uint32(to), kind: v.Kind, flags: v.Flags}
}

func (p *parser) list() *errs.Error {
	p.scan.Open()
	for first := true; ; first = false {
		ok, err := p.scan.Elem(first)
		if err != nil {
			return malformed(p.scan.Offset())
		}
		if !ok {
			return nil
		}
		if len(p.events) >= maxEvents {
			return errs.New(errs.TooLarge, "intake.too_many_events", "limit", maxEvents)
		}
		p.events = append(p.events, rawEvent{})
		ev := &p.events[len(p.events)-1]
		kind, from := p.scan.Kind(), p.scan.Offset()
		if kind == jsonscan.Object {
			if e := p.object(ev, false); e != nil {
				return e
			}
		} else if _, err := p.scan.Skip(); err != nil {
			return malformed(p.scan.Offset())
		}
		ev.whole = span{from: uint32(from), to: uint32(p.scan.Offset()), kind: kind}
	}
}

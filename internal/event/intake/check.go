package intake

import (
	"bytes"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/jsonscan"
)

// Limits of single fields, in bytes.
const (
	maxID          = 512
	maxMessageID   = 256
	maxName        = 256
	maxKind        = 64
	maxIdentifiers = 32
)

// futureSlack is how far ahead of receipt a fact may claim to be: clocks and
// time zones are wrong, but nothing happens tomorrow.
const futureSlack = 24 * 60 * 60 * 1000

// fault says what is wrong with one event. Field is relative to the event.
type fault struct {
	field  string
	code   string
	params []any
}

// view looks at bytes as a string without copying. The string is good as long
// as the bytes stay: until the request is answered.
func view(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b))
}

// call is what an event inherits from its request.
type call struct {
	typ        event.Type // "" in a batch: each event says its own
	source     string
	receivedAt int64
	sentAt     int64 // unset: the request does not say
	historical bool  // /v1/import: times are taken as they are
	context    jsonscan.Value
	messageID  func() string
}

var noFault fault

// fact fills f from a raw event. Strings and JSON parts of f point into the
// request. ids is room for identifiers, reused from event to event.
func (p *parser) fact(ev *rawEvent, c *call, f *event.Fact) (fault, bool) {
	ids := f.Identifiers[:0]
	*f = event.Fact{Type: c.typ, Source: c.source, ReceivedAt: c.receivedAt}
	if ev.whole.kind != jsonscan.Object {
		return fault{"", "intake.wrong_type", []any{"want", "object"}}, true
	}
	if n := ev.whole.to - ev.whole.from; n > MaxEvent {
		return fault{"", "intake.event_too_large", []any{"limit", MaxEvent, "size", int(n)}}, true
	}
	if c.typ == "" {
		if bad, is := p.kind(ev, f); is {
			return bad, true
		}
	}
	for _, t := range [...]struct {
		field, limit int
		to           *string
	}{{fMessageID, maxMessageID, &f.MessageID}, {fUserID, maxID, &f.UserID}, {fAnonymousID, maxID, &f.AnonymousID},
		{fPreviousID, maxID, &f.PreviousID}, {fGroupID, maxID, &f.GroupID}} {
		if ev.field[t.field].kind == jsonscan.None {
			continue
		}
		s, bad, is := p.id(ev, t.field, t.limit)
		if is {
			return bad, true
		}
		*t.to = s
	}
	for _, field := range [...]int{fProperties, fTraits, fContext} {
		if bad, is := p.checkObject(ev, field); is {
			return bad, true
		}
	}
	if bad, is := p.name(ev, f); is {
		return bad, true
	}
	p.parts(ev, c, f)
	f.Identifiers = p.identifiers(f, ids)
	if bad, is := p.who(f); is {
		return bad, true
	}
	if bad, is := p.when(ev, c, f); is {
		return bad, true
	}
	if f.MessageID == "" {
		f.MessageID = c.messageID()
	}
	return noFault, false
}

func (p *parser) kind(ev *rawEvent, f *event.Fact) (fault, bool) {
	s, bad, is := p.id(ev, fType, 32)
	if is {
		return bad, true
	}
	switch t := event.Type(strings.ToLower(s)); t {
	case "":
		return fault{"type", "intake.required", nil}, true
	case event.Track, event.Identify, event.Page, event.Screen, event.Group, event.Alias:
		f.Type = t
		return noFault, false
	}
	return fault{"type", "intake.unknown_type", nil}, true
}

// id reads a short text; numbers are taken as they are written.
func (p *parser) id(ev *rawEvent, field, limit int) (string, fault, bool) {
	v := p.value(ev.field[field])
	var s string
	switch v.Kind {
	case jsonscan.None, jsonscan.Null:
		return "", noFault, false
	case jsonscan.Number:
		s = view(v.Raw)
	case jsonscan.String:
		s = p.string(v)
	default:
		return "", fault{fieldNames[field], "intake.wrong_type", []any{"want", "string"}}, true
	}
	s = strings.TrimSpace(s)
	if len(s) > limit {
		return "", fault{fieldNames[field], "intake.too_long", []any{"limit", limit}}, true
	}
	return s, noFault, false
}

// string unquotes a string value, in place where nothing needs rewriting.
func (p *parser) string(v jsonscan.Value) string {
	if v.Flags == 0 {
		return view(v.Raw[1 : len(v.Raw)-1])
	}
	from := len(p.text)
	p.text = jsonscan.Text(p.text, v)
	return view(p.text[from:])
}

func (p *parser) checkObject(ev *rawEvent, field int) (fault, bool) {
	s := ev.field[field]
	switch {
	case s.flags&jsonscan.Deep != 0:
		return fault{fieldNames[field], "intake.too_deep", []any{"limit", jsonscan.MaxDepth}}, true
	case s.kind == jsonscan.None, s.kind == jsonscan.Null, s.kind == jsonscan.Object:
		return noFault, false
	}
	return fault{fieldNames[field], "intake.wrong_type", []any{"want", "object"}}, true
}

// name gives the fact its name; each call needs what Segment's specification says.
func (p *parser) name(ev *rawEvent, f *event.Fact) (fault, bool) {
	switch f.Type {
	case event.Track:
		if k := ev.field[fEvent].kind; k != jsonscan.String && k != jsonscan.None && k != jsonscan.Null {
			return fault{"event", "intake.wrong_type", []any{"want", "string"}}, true
		}
		s, bad, is := p.id(ev, fEvent, maxName)
		if is {
			return bad, true
		}
		if s == "" {
			return fault{"event", "intake.required", nil}, true
		}
		if event.Reserved(s) {
			return fault{"event", "intake.reserved_name", nil}, true
		}
		f.Name = s
	case event.Identify:
		f.Name = event.NameIdentified
	case event.Page:
		f.Name = event.NamePageViewed
	case event.Screen:
		f.Name = event.NameScreenViewed
	case event.Group:
		f.Name = event.NameGroupJoined
		if f.GroupID == "" {
			return fault{"groupId", "intake.required", nil}, true
		}
	case event.Alias:
		f.Name = event.NameAliased
		if f.PreviousID == "" {
			return fault{"previousId", "intake.required", nil}, true
		}
		if f.UserID == "" {
			return fault{"userId", "intake.required", nil}, true
		}
	}
	return noFault, false
}

// parts takes the JSON parts over, rewritten only where they need it.
func (p *parser) parts(ev *rawEvent, c *call, f *event.Fact) {
	f.Properties = p.part(p.value(ev.field[fProperties]))
	f.Traits = p.part(p.value(ev.field[fTraits]))
	f.Context = p.part(p.value(ev.field[fContext]))
	if c.context.Kind == jsonscan.Object {
		f.Context = p.inherit(f.Context, p.part(c.context))
	}
	if f.Type == event.Page || f.Type == event.Screen {
		p.named(ev, f)
	}
	if f.Type == event.Identify && len(f.Traits) == 0 && bytes.Contains(f.Context, []byte(`"traits"`)) {
		// RudderStack's SDKs say traits inside the context.
		if v, ok := jsonscan.Member(f.Context, "traits"); ok {
			f.Traits = p.part(v)
		}
	}
}

func (p *parser) part(v jsonscan.Value) []byte {
	if v.Kind != jsonscan.Object || len(v.Raw) == 2 {
		return nil
	}
	if !v.Is(jsonscan.Dirty) {
		return v.Raw
	}
	from := len(p.text)
	p.text = jsonscan.Clean(p.text, v)
	return p.text[from:]
}

// inherit adds to an event's context what only the batch's has.
func (p *parser) inherit(own, batch []byte) []byte {
	if len(own) == 0 {
		return batch
	}
	from := len(p.text)
	p.text = append(p.text, own[:len(own)-1]...)
	_ = jsonscan.Members(batch, func(k []byte, v jsonscan.Value) bool {
		if _, has := jsonscan.Member(own, string(k)); !has {
			p.text = append(p.text, ',')
			p.text = append(jsonscan.Quote(p.text, string(k)), ':')
			p.text = append(p.text, v.Raw...)
		}
		return true
	})
	if len(p.text)-from == len(own)-1 {
		p.text = p.text[:from]
		return own
	}
	p.text = append(p.text, '}')
	return p.text[from:]
}

// named keeps the name and category of a page or screen as properties, where
// the browser SDKs put them already.
func (p *parser) named(ev *rawEvent, f *event.Fact) {
	from := len(p.text)
	for _, field := range [...]int{fName, fCategory} {
		v := p.value(ev.field[field])
		if v.Kind != jsonscan.String || len(v.Raw) == 2 {
			continue
		}
		if _, has := jsonscan.Member(f.Properties, fieldNames[field]); has && len(f.Properties) > 0 {
			continue
		}
		if len(p.text) == from {
			p.text = append(p.text, '{')
		} else {
			p.text = append(p.text, ',')
		}
		p.text = append(jsonscan.Quote(p.text, fieldNames[field]), ':')
		p.text = jsonscan.Clean(p.text, v)
	}
	if len(p.text) == from {
		return
	}
	if len(f.Properties) == 0 {
		p.text = append(p.text, '}')
	} else {
		p.text = append(append(p.text, ','), f.Properties[1:]...)
	}
	f.Properties = p.text[from:]
}

// identifiers gathers what else recognises the person: context.externalIds (or
// RudderStack's externalId) and, of an identify call, phone and email.
func (p *parser) identifiers(f *event.Fact, ids []event.Identifier) []event.Identifier {
	if bytes.Contains(f.Context, []byte(`"externalId`)) {
		_ = jsonscan.Members(f.Context, func(k []byte, v jsonscan.Value) bool {
			if s := string(k); (s == "externalIds" || s == "externalId") && v.Kind == jsonscan.Array {
				ids = p.external(v, ids)
			}
			return true
		})
	}
	if f.Type != event.Identify || len(f.Traits) == 0 {
		return ids
	}
	_ = jsonscan.Members(f.Traits, func(k []byte, v jsonscan.Value) bool {
		switch string(k) {
		case "phone":
			ids = p.addID(ids, "phone", v)
		case "email":
			ids = p.addID(ids, "email", v)
		}
		return true
	})
	return ids
}

func (p *parser) external(list jsonscan.Value, ids []event.Identifier) []event.Identifier {
	var s jsonscan.Scanner
	s.Reset(list.Raw)
	s.Kind()
	s.Open()
	for first := true; ; first = false {
		if ok, err := s.Elem(first); !ok || err != nil {
			return ids
		}
		v, err := s.Skip()
		if err != nil {
			return ids
		}
		if v.Kind != jsonscan.Object {
			continue
		}
		kind, hasKind := jsonscan.Member(v.Raw, "type")
		value, hasValue := jsonscan.Member(v.Raw, "id")
		if hasKind && hasValue && kind.Kind == jsonscan.String {
			ids = p.addID(ids, strings.TrimSpace(p.string(kind)), value)
		}
	}
}

// addID leaves out what cannot be an identifier: empty, too long, not a text.
func (p *parser) addID(ids []event.Identifier, kind string, v jsonscan.Value) []event.Identifier {
	var s string
	switch v.Kind {
	case jsonscan.String:
		s = strings.TrimSpace(p.string(v))
	case jsonscan.Number:
		s = view(v.Raw)
	}
	if s == "" || kind == "" || len(s) > maxID || len(kind) > maxKind || len(ids) >= maxIdentifiers || !utf8.ValidString(kind) {
		return ids
	}
	return append(ids, event.Identifier{Kind: kind, Value: s})
}

func (p *parser) who(f *event.Fact) (fault, bool) {
	if f.UserID == "" && f.AnonymousID == "" && len(f.Identifiers) == 0 {
		return fault{"userId", "intake.identity_required", nil}, true
	}
	return noFault, false
}

// when finds out when it happened. The client's clock may be wrong: what
// counts is how long before sending it was.
func (p *parser) when(ev *rawEvent, c *call, f *event.Fact) (fault, bool) {
	field := fOriginalTimestamp
	if k := ev.field[field].kind; k == jsonscan.None || k == jsonscan.Null {
		field = fTimestamp
	}
	at, ok := p.time(ev, field)
	if !ok {
		return fault{fieldNames[field], "intake.bad_time", nil}, true
	}
	if at == unset {
		f.Timestamp = c.receivedAt
		return noFault, false
	}
	sent := c.sentAt
	if own, ok := p.time(ev, fSentAt); ok && own != unset {
		sent = own
	}
	if sent != unset && !c.historical {
		at += c.receivedAt - sent
	}
	if at > c.receivedAt+futureSlack {
		at = c.receivedAt
	}
	f.Timestamp = at
	return noFault, false
}

// unset stands for a time that is not given.
const unset = -1 << 62

func (p *parser) time(ev *rawEvent, field int) (ms int64, ok bool) {
	v := p.value(ev.field[field])
	switch v.Kind {
	case jsonscan.None, jsonscan.Null:
		return unset, true
	case jsonscan.String:
		s := p.string(v)
		if s == "" {
			return unset, true
		}
		return parseTime(s)
	case jsonscan.Number:
		return epoch(view(v.Raw))
	}
	return 0, false
}

package intake

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/jsonscan"
	"github.com/koipond/koipond/internal/event/wire"
	"github.com/koipond/koipond/internal/platform/bus"
	"github.com/koipond/koipond/internal/platform/errs"
)

// MaxFact is how large a fact from inside the program may be: an order with
// thousands of lines fits.
const MaxFact = 1 << 20

// Bounds of one call of Ingest, so that the pipeline can take it in at once.
const (
	maxCallFacts = 20_000
	maxCallBytes = 32 << 20 // before packing
)

// Ingest appends facts and returns, once they are synced to disk, the last
// stream sequence used. All good ones of a call become one message, so they are
// taken together or not at all; a call of more than 20,000 facts or about 8 MB
// (packed) is refused as too large. Faulty ones are left out and named as `facts[i]…` in an
// Invalid error. MessageID, ReceivedAt and Timestamp are filled in when missing,
// also in the caller's slice.
func (s *Service) Ingest(ctx context.Context, facts []event.Fact) (uint64, error) {
	if len(facts) > maxCallFacts {
		return 0, errs.New(errs.TooLarge, "intake.batch_too_large", "limit", s.deps.MaxMessage, "facts", maxCallFacts)
	}
	var frames []byte
	var faults []errs.Field
	good := 0
	for i := range facts {
		if bad, is := s.prepare(&facts[i]); is {
			path := fmt.Sprintf("facts[%d]", i)
			if bad.field != "" {
				path += "." + bad.field
			}
			faults = append(faults, errs.At(path, bad.code, bad.params...))
			continue
		}
		frames = wire.AppendFrame(frames, &facts[i])
		good++
	}
	var seq uint64
	if good > 0 {
		var err error
		if seq, err = s.append(ctx, frames, good); err != nil {
			return 0, err
		}
	}
	if len(faults) > 0 {
		return seq, errs.New(errs.Invalid, "intake.invalid").On(faults...)
	}
	return seq, nil
}

// append goes through the coalescer, or alone when it is large.
func (s *Service) append(ctx context.Context, frames []byte, count int) (uint64, error) {
	if len(frames) <= targetMessage {
		g, err := s.join.add(frames, count, true)
		if err != nil {
			return 0, err
		}
		if err := await(ctx, g); err != nil {
			return 0, err
		}
		return g.seq, nil
	}
	select {
	case s.large <- struct{}{}:
		defer func() { <-s.large }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	g := &group{frames: frames, count: count, requests: 1, done: make(chan struct{})}
	start := time.Now()
	message, err := s.join.build(g, &room{})
	if err != nil {
		return 0, err
	}
	if s.deps.MaxMessage > 0 && len(message) > s.deps.MaxMessage || len(frames) > maxCallBytes {
		return 0, errs.New(errs.TooLarge, "intake.batch_too_large", "limit", s.deps.MaxMessage)
	}
	_ = s.join.dispatch(g, message, nil, start) // the group has the error
	return g.seq, g.err
}

// prepare fills in what is missing and checks the rest: modules are trusted to
// mean well, not to be free of mistakes.
func (s *Service) prepare(f *event.Fact) (fault, bool) {
	now := s.deps.Clock.Now().UnixMilli()
	if f.ReceivedAt == 0 {
		f.ReceivedAt = now
	}
	if f.Timestamp == 0 {
		f.Timestamp = f.ReceivedAt
	}
	if f.MessageID == "" {
		f.MessageID = s.messageID()
	}
	if f.Type == "" {
		f.Type = event.Track
	}
	if bad, is := checkTexts(f); is {
		return bad, true
	}
	if f.Contact == 0 && f.UserID == "" && f.AnonymousID == "" && len(f.Identifiers) == 0 {
		return fault{"userId", "intake.identity_required", nil}, true
	}
	size := 0
	for _, part := range [...]struct {
		name string
		raw  *[]byte
	}{{"properties", (*[]byte)(&f.Properties)}, {"traits", (*[]byte)(&f.Traits)}, {"context", (*[]byte)(&f.Context)}} {
		if bad, is := storable(part.name, part.raw); is {
			return bad, true
		}
		size += len(*part.raw)
	}
	if size > MaxFact {
		return fault{"", "intake.event_too_large", []any{"limit", MaxFact, "size", size}}, true
	}
	return noFault, false
}

func checkTexts(f *event.Fact) (fault, bool) {
	switch f.Type {
	case event.Track, event.Identify, event.Page, event.Screen, event.Group, event.Alias:
	default:
		return fault{"type", "intake.unknown_type", nil}, true
	}
	if f.Name == "" {
		return fault{"name", "intake.required", nil}, true
	}
	for _, t := range [...]struct {
		name  string
		text  *string
		limit int
	}{{"messageId", &f.MessageID, maxMessageID}, {"name", &f.Name, maxName}, {"source", &f.Source, maxName}, {"userId", &f.UserID, maxID},
		{"anonymousId", &f.AnonymousID, maxID}, {"previousId", &f.PreviousID, maxID}, {"groupId", &f.GroupID, maxID}, {"importId", &f.ImportID, maxMessageID}} {
		if len(*t.text) > t.limit {
			return fault{t.name, "intake.too_long", []any{"limit", t.limit}}, true
		}
		*t.text = storableText(*t.text)
	}
	if len(f.Identifiers) > maxIdentifiers {
		return fault{"identifiers", "intake.too_many_identifiers", []any{"limit", maxIdentifiers}}, true
	}
	for i := range f.Identifiers {
		id := &f.Identifiers[i]
		if id.Kind == "" || id.Value == "" || len(id.Kind) > maxKind || len(id.Value) > maxID {
			return fault{fmt.Sprintf("identifiers[%d]", i), "intake.bad_identifier", nil}, true
		}
		id.Kind, id.Value = storableText(id.Kind), storableText(id.Value)
	}
	return noFault, false
}

// storableText repairs what databases refuse; nearly always nothing.
func storableText(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func storable(name string, raw *[]byte) (fault, bool) {
	if len(*raw) == 0 {
		return noFault, false
	}
	var sc jsonscan.Scanner
	sc.Reset(*raw)
	v, err := sc.Skip()
	switch {
	case err != nil || !sc.End():
		return fault{name, "intake.malformed", []any{"offset", sc.Offset()}}, true
	case v.Is(jsonscan.Deep):
		return fault{name, "intake.too_deep", []any{"limit", jsonscan.MaxDepth}}, true
	case v.Kind == jsonscan.Null || v.Kind == jsonscan.Object && len(v.Raw) == 2:
		*raw = nil
	case v.Kind != jsonscan.Object:
		return fault{name, "intake.wrong_type", []any{"want", "object"}}, true
	case v.Is(jsonscan.Dirty):
		*raw = jsonscan.Clean(nil, v)
	default:
		*raw = v.Raw
	}
	return noFault, false
}

var _ Stream = (*bus.Stream)(nil)

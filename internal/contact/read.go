package contact

import (
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/secret"
)

// read turns the identifiers of a fact into idents of the world.
func (e *engine) read(w *world, in *input, sent []event.Identifier, country string) {
	for _, s := range sent {
		id, r := e.intern(w, in, s.Kind, s.Value, country)
		switch {
		case r.reason == refusedEmpty:
		case id == nil:
			in.refused = append(in.refused, r)
		case !slices.Contains(in.ids, id):
			in.ids = append(in.ids, id)
		}
	}
	if len(in.ids) > 1 {
		sortIdents(in.ids)
	}
}

// intern finds or makes the one ident of an identifier.
func (e *engine) intern(w *world, in *input, kind, value, country string) (*ident, refusal) {
	canon, prefix := canonicalKind(kind)
	if value == "" || canon == "" {
		return nil, refusal{reason: refusedEmpty}
	}
	var f found
	if Personal(canon) {
		raw := rawKey{canon, value, country}
		ok := false
		if f, ok = e.lookups.get(raw); !ok {
			f.value, f.refused = normalize(canon, value, country)
			if f.refused == "" {
				f.lookup = e.keys.Index(field(canon), f.value)
			}
			if len(value) <= maxValue {
				e.lookups.put(raw, f)
			}
		}
	} else {
		f.value, f.refused = normalize(canon, value, country)
		f.value = prefix + f.value
		f.lookup = f.value
		if f.refused == "" && keptSealed(canon, f.value) {
			f.lookup = e.keys.Index(field(canon), f.value)
		}
	}
	if f.refused != "" {
		return nil, refusal{kind: canon, value: value, reason: f.refused}
	}
	key := idKey{canon, f.lookup}
	if by := w.rules.bars(key, f.value, event.Position{Seq: in.seq, Idx: in.idx}); by != "" {
		return nil, refusal{canon, value, refusedListed, by}
	}
	id := w.idents[key]
	if id == nil {
		id = &ident{key: key, trait: traitOf(canon), value: f.value}
		w.idents[key] = id
	}
	return id, refusal{}
}

// fromFact reads a fact into an input.
func (e *engine) fromFact(w *world, f *event.Fact, at event.Position, in *input) {
	*in = input{contact: f.Contact, ts: f.Timestamp, now: e.clock.Now().UnixMilli(), source: f.Source, importID: f.ImportID,
		seq: at.Seq, idx: at.Idx, reason: reasonOf(f), message: f.MessageID, name: f.Name, manual: event.Administrative(f.Name)}
	if f.ReceivedAt > 0 && in.ts > f.ReceivedAt {
		in.ts = f.ReceivedAt // nobody is known from the future on
	}
	in.said = in.ts
	in.by = origin{kind: byFact, name: f.Source}
	if f.ImportID != "" {
		in.by = origin{kind: byImport, id: f.ImportID, name: f.Source}
	}
	if t, ok := e.channels.touchOf(f, &w.parser); ok && !in.manual {
		t.At = in.ts
		in.touch = t
	}
	if f.Contact != 0 {
		return
	}
	w.scratch = w.scratch[:0]
	if f.UserID != "" {
		w.scratch = append(w.scratch, event.Identifier{Kind: KindUserID, Value: f.UserID})
	}
	w.scratch = append(w.scratch, f.Identifiers...)
	if f.AnonymousID != "" {
		w.scratch = append(w.scratch, event.Identifier{Kind: KindAnonymous, Value: f.AnonymousID})
	}
	e.read(w, in, w.scratch, e.country)
	if f.Type == event.Alias && f.PreviousID != "" && f.PreviousID != f.UserID {
		for _, kind := range []string{KindUserID, KindAnonymous} {
			id, r := e.intern(w, in, kind, f.PreviousID, e.country)
			if id == nil {
				in.refused = append(in.refused, r)
				in.previous = nil // blocked as what it may be, it is not taken for something else
				break
			}
			in.previous = append(in.previous, id)
		}
	}
	if len(f.Traits) > 2 {
		raw := f.Traits
		in.changes = func() []change { return parseTraits(raw) }
	}
}

// introducing facts bring a contact that something else than resolving made
// or changed: the analytics store hears of it by them.
var introducing = map[string]bool{
	event.NameContactCreated: true, event.NameContactUpdated: true, event.NameContactImport: true, event.NameContactMerged: true, event.NameContactSplit: true,
}

func reasonOf(f *event.Fact) string {
	switch f.Type {
	case event.Identify:
		return "identify"
	case event.Alias:
		return "alias"
	}
	return "fact"
}

// describeRefusals says which values were sent and why none identifies anybody.
func describeRefusals(rs []refusal) string {
	if len(rs) == 0 {
		return "-"
	}
	parts := make([]string, 0, len(rs))
	for _, r := range rs {
		parts = append(parts, fmt.Sprintf("%s=%s (%s)", r.kind, shownRefusal(r), r.reason))
		if len(parts) == 5 {
			break
		}
	}
	return strings.Join(parts, ", ")
}

// shownRefusal is the value as it may be stored and shown: a blocked word as it
// came, anything that may be a person's masked.
func shownRefusal(r refusal) string {
	if r.reason == refusedBlocked && len(r.value) <= 64 {
		return r.value
	}
	return clip(secret.Mask(clip(r.value, 64)), 64)
}

package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
)

// NewContact asks for a person by hand.
type NewContact struct {
	Name, Phone, Email, MemberNo, ExternalID string
	Attributes                               map[string]any
	Tags                                     []string // tag ids
}

// Create makes a person. An identity that somebody has already is a conflict
// that names them; a value that identifies nobody is an invalid field.
func (s *Service) Create(ctx context.Context, n NewContact) (Contact, error) {
	var num int64
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		var err error
		num, err = s.create(ctx, n)
		return err
	})
	if err != nil {
		return Contact{}, fmt.Errorf("create contact: %w", err)
	}
	return s.profile(ctx, num)
}

func (s *Service) create(ctx context.Context, n NewContact) (int64, error) {
	e, now := s.engine, s.Clock.Now()
	ms := now.UnixMilli()
	w := newWorld(8)
	in := input{ts: ms, said: ms, now: ms, source: sourceName, reason: "manual", manual: true, by: originOf(ctx)}
	var err error
	if w.rules, err = e.rules(ctx); err != nil {
		return 0, err
	}
	if err := s.readNew(w, &in, n); err != nil {
		return 0, err
	}
	if err := e.load(ctx, w, nil); err != nil {
		return 0, err
	}
	for _, id := range in.ids {
		if h := id.holder(); h != nil {
			if keptSealed(id.key.kind, id.value) { // who it belongs to would be told as by a search
				if err := s.guesses.allow(ctx, s.Clock.Now()); err != nil {
					return 0, err
				}
			}
			if hidden, err := s.outside(ctx, []int64{h.num}); err != nil || len(hidden) > 0 {
				return 0, errors.Join(err, errs.New(errs.Conflict, "contact.identity_elsewhere", "kind", id.key.kind))
			}
			refs, err := s.Refs(ctx, []int64{h.num})
			if err != nil {
				return 0, err
			}
			return 0, errs.New(errs.Conflict, "contact.identity_taken", "kind", id.key.kind, "id", refs[h.num].ID, "name", refs[h.num].Name)
		}
	}
	attrs := map[string]any{}
	for k, v := range n.Attributes {
		attrs[k] = v
	}
	attrs[attrName] = n.Name
	changes := statedChanges(attrs)
	in.changes = func() []change { return changes }
	if err := s.checkStated(ctx, w, nil, changes, attrs, true); err != nil {
		return 0, err
	}
	st := w.join(&in, in.ids)
	st.kind = event.Person
	in.st = st
	w.note(&in)
	if err := e.flush(ctx, w, []input{in}); err != nil {
		return 0, err
	}
	by := principal(ctx)
	if owner := ownerOfNew(ctx); owner != "" {
		if _, err := s.setOwner(ctx, OwnerMove{Num: st.num, To: owner}, OwnerReason{How: OwnedCreated}, now); err != nil {
			return 0, err
		}
	}
	tagged, err := s.tag(ctx, st.num, n.Tags, nil)
	if err != nil {
		return 0, err
	}
	facts := []event.Fact{s.fact(event.NameContactCreated, st.num, now, map[string]any{"by": by.Name})}
	facts = append(facts, s.tagFacts(tagged, now, by.Name, "")...)
	if err := s.Emit.Emit(ctx, facts...); err != nil {
		return 0, fmt.Errorf("state contact: %w", err)
	}
	kinds := []string{}
	for _, id := range in.ids {
		kinds = append(kinds, id.key.kind)
	}
	return st.num, s.record(ctx, "contact.created", st.id, st.rec.name, map[string]any{"identities": kinds})
}

// readNew checks what was typed in and turns it into identities.
func (s *Service) readNew(w *world, in *input, n NewContact) error {
	if cleanName(n.Name) == "" {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("name", "request.field_required"))
	}
	for _, f := range []struct{ path, kind, value string }{
		{"phone", KindPhone, n.Phone}, {"email", KindEmail, n.Email}, {"memberNo", KindMemberNo, n.MemberNo}, {"externalId", KindExternal, n.ExternalID},
	} {
		if strings.TrimSpace(f.value) == "" {
			continue
		}
		id, r := s.engine.intern(w, in, f.kind, f.value, s.Country)
		if id == nil {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At(f.path, badCode(r.reason)))
		}
		in.ids = append(in.ids, id)
	}
	sortIdents(in.ids)
	return nil
}

// badCode is the code of a field that identifies nobody.
func badCode(reason string) string {
	switch reason {
	case refusedPhone:
		return "contact.bad_phone"
	case refusedEmail:
		return "contact.bad_email"
	case refusedListed:
		return "contact.blocked_value"
	}
	return "contact.bad_identifier"
}

// Change changes what is not nil. In Attributes, a nil value takes one away.
type Change struct {
	Name       *string
	Attributes map[string]any
	OwnerID    *string // "" takes the owner away
}

// Update changes a contact by hand: what is said here is true from now on.
func (s *Service) Update(ctx context.Context, id string, ch Change) (Contact, error) {
	num, err := s.NumOf(ctx, id)
	if err != nil {
		return Contact{}, err
	}
	if ch.Name != nil && cleanName(*ch.Name) == "" {
		return Contact{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("name", "request.field_required"))
	}
	if ch.OwnerID != nil && *ch.OwnerID != "" && s.People != nil && s.People.Names(ctx, []string{*ch.OwnerID})[*ch.OwnerID] == "" {
		return Contact{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("ownerId", "contact.no_such_user"))
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		return s.update(ctx, num, ch)
	})
	if err != nil {
		return Contact{}, fmt.Errorf("update contact: %w", err)
	}
	return s.profile(ctx, num)
}

func (s *Service) update(ctx context.Context, num int64, ch Change) error {
	now := s.Clock.Now()
	w := newWorld(1)
	if err := s.engine.loadStates(ctx, w, []int64{num}); err != nil {
		return err
	}
	st := w.states[num]
	if st == nil {
		return notFound(fmt.Sprint(num))
	}
	st = st.root()
	attrs := map[string]any{}
	for k, v := range ch.Attributes {
		attrs[k] = v
	}
	if ch.Name != nil {
		attrs[attrName] = *ch.Name
	}
	changes := statedChanges(attrs)
	if err := s.checkStated(ctx, w, st, changes, attrs, false); err != nil {
		return err
	}
	in := input{said: now.UnixMilli(), changes: func() []change { return changes }, st: st, by: originOf(ctx)}
	w.ops = append(w.ops, op{in: &in, st: st})
	if err := s.engine.records(ctx, w); err != nil {
		return err
	}
	if err := s.engine.updateRecords(ctx, w); err != nil {
		return err
	}
	if err := s.engine.writeAttributes(ctx, w); err != nil {
		return err
	}
	changed := slices.Clone(st.rec.names)
	if ch.OwnerID != nil {
		moved, err := s.changeOwner(ctx, st.num, *ch.OwnerID, now)
		if err != nil {
			return err
		}
		if moved {
			changed = append(changed, "owner")
		}
	}
	if len(changed) == 0 {
		return nil
	}
	slices.Sort(changed)
	if err := s.Emit.Emit(ctx, s.fact(event.NameContactUpdated, st.num, now, map[string]any{"changed": changed, "by": principal(ctx).Name})); err != nil {
		return fmt.Errorf("state change: %w", err)
	}
	return s.record(ctx, "contact.updated", st.id, st.rec.name, map[string]any{"changed": changed})
}

// Unmask shows a personal value in full: `phone`, `email`, `attribute:<key>` or
// an identity's id. Every look is audited with its reason.
func (s *Service) Unmask(ctx context.Context, id, what, reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return "", errs.New(errs.Invalid, "request.invalid").On(errs.At("reason", "contact.reason_required"))
	}
	num, err := s.NumOf(ctx, id)
	if err != nil {
		return "", err
	}
	value, kind, err := s.reveal(ctx, num, what)
	if err != nil {
		return "", err
	}
	refs, err := s.Refs(ctx, []int64{num})
	if err != nil {
		return "", err
	}
	// Nothing is shown that could not be recorded.
	if err := s.record(ctx, actionUnmasked, refs[num].ID, refs[num].Name, map[string]any{"field": kind, "reason": clip(reason, 500)}); err != nil {
		return "", err
	}
	return value, nil
}

func (s *Service) reveal(ctx context.Context, num int64, what string) (value, kind string, err error) {
	none := errs.New(errs.NotFound, "contact.nothing_to_unmask", "field", clip(what, 100))
	if key, ok := strings.CutPrefix(what, "attribute:"); ok {
		return s.revealAttribute(ctx, num, key, none)
	}
	type sealed struct {
		key   idKey
		value string
	}
	var found *sealed
	rows, err := s.DB.Query(ctx, "select kind, lookup, value_enc from identities where contact = $1 and value_enc <> '' order by last_seen desc", num)
	err = scanAll(rows, err, "read identities", func(r *sql.Rows) error {
		var i sealed
		if err := r.Scan(&i.key.kind, &i.key.lookup, &i.value); err != nil {
			return err
		}
		if found == nil && (i.key.kind == what || identityID(i.key) == what) {
			found = &i
		}
		return nil
	})
	if err != nil {
		return "", "", err
	}
	if found == nil {
		return "", "", none
	}
	value, err = s.Keys.Open(field(found.key.kind), found.value)
	if err != nil {
		return "", "", fmt.Errorf("open %s: %w", found.key.kind, err)
	}
	return value, found.key.kind, nil
}

func (s *Service) revealAttribute(ctx context.Context, num int64, key string, none error) (value, kind string, err error) {
	var encoded string
	if err := s.DB.QueryRow(ctx, "select attributes from contacts where num = $1", num).Scan(&encoded); err != nil {
		return "", "", fmt.Errorf("read attributes: %w", err)
	}
	m, err := decodeMap[json.RawMessage](encoded)
	if err != nil {
		return "", "", err
	}
	raw, ok := m[key]
	if !ok {
		return "", "", none
	}
	if raw, err = s.engine.openAttribute(key, raw); err != nil {
		return "", "", fmt.Errorf("open attribute: %w", err)
	}
	if t := text(raw); t != "" {
		return t, "attribute:" + key, nil
	}
	return string(raw), "attribute:" + key, nil
}

// principal is who asks: the program itself when nobody is signed in.
func principal(ctx context.Context) *auth.Principal {
	if p := auth.From(ctx); p != nil {
		return p
	}
	return auth.System("contact")
}

func originOf(ctx context.Context) origin {
	p := principal(ctx)
	return origin{kind: byUser, id: p.ID, name: p.Name}
}

func (s *Service) record(ctx context.Context, action, id, name string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	if err := s.Audit.Record(ctx, action, audit.Object{Type: "contact", ID: id, Name: name}, detail); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}

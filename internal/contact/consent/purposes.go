package consent

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

func errNoPurpose(id string) error {
	return errs.New(errs.NotFound, "consent.no_such_purpose", "id", id).On(errs.At("purpose", "consent.no_such_purpose", "id", id))
}

// purposes in the order shown.
type purposes []*Purpose

func (l purposes) find(id string) *Purpose {
	for _, p := range l {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// on is the version of the wording that was shown at a time, 0 for none.
func (p *Purpose) on(ms int64) int64 {
	for _, w := range p.Wordings { // newest first
		if clock.Ms(w.EffectiveAt) <= ms {
			return w.Version
		}
	}
	return 0
}

// purposeCache keeps the few purposes in memory: the gate asks for every message.
// Another node's change is seen within its lifetime.
type purposeCache struct {
	mu   sync.Mutex
	list purposes
	at   time.Time
}

const purposesFor = 2 * time.Second

// Purposes lists all purposes with their wordings. The list is shared: do not change it.
func (s *Service) Purposes(ctx context.Context) (purposes, error) {
	now := s.Clock.Now()
	s.purposes.mu.Lock()
	defer s.purposes.mu.Unlock()
	if age := now.Sub(s.purposes.at); s.purposes.list != nil && age >= 0 && age < purposesFor && !s.DB.InTx(ctx) {
		return s.purposes.list, nil
	}
	list, err := s.readPurposes(ctx, now)
	if err != nil {
		return nil, err
	}
	if !s.DB.InTx(ctx) { // what an open transaction sees may yet be taken back
		s.purposes.list, s.purposes.at = list, now
	}
	return list, nil
}

func (s *Service) stalePurposes(ctx context.Context) {
	s.DB.After(ctx, func() {
		s.purposes.mu.Lock()
		s.purposes.list = nil
		s.purposes.mu.Unlock()
	})
}

type purposeBody struct {
	Name        Text `json:"name"`
	Description Text `json:"description"`
}

func (s *Service) readPurposes(ctx context.Context, now time.Time) (purposes, error) {
	rows, err := s.DB.Query(ctx, "select id, body, basis, channels, separate, self_grant, place, archived, builtin from consent_purposes order by place, id")
	list, err := db.Collect(rows, err, func(r *sql.Rows) (*Purpose, error) {
		var p Purpose
		var body, chs string
		var separate, self, archived, builtin int64
		if err := r.Scan(&p.ID, &body, &p.Basis, &chs, &separate, &self, &p.Order, &archived, &builtin); err != nil {
			return nil, err
		}
		var b purposeBody
		err := json.Unmarshal([]byte(body), &b)
		p.Name, p.Description = b.Name, b.Description
		p.Default = p.Basis != Consent
		p.Channels = []Channel{}
		for c := range strings.SplitSeq(chs, ",") {
			if c != "" {
				p.Channels = append(p.Channels, Channel(c))
			}
		}
		p.Separate, p.SelfGrant, p.Archived, p.Builtin = separate != 0, self != 0, archived != 0, builtin != 0
		p.Wordings = []Wording{}
		return &p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read purposes: %w", err)
	}
	rows, err = s.DB.Query(ctx, "select purpose, version, zh, en, effective_at, created_at, by_name from consent_wordings order by purpose, version desc")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var id string
		var w Wording
		var eff, made int64
		err := r.Scan(&id, &w.Version, &w.Text.ZH, &w.Text.EN, &eff, &made, &w.By)
		w.EffectiveAt, w.CreatedAt = clock.FromMs(eff), clock.FromMs(made)
		if p := purposes(list).find(id); p != nil {
			p.Wordings = append(p.Wordings, w)
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read wordings: %w", err)
	}
	for _, p := range list {
		p.Current = p.on(now.UnixMilli())
	}
	return list, nil
}

var purposeID = regexp.MustCompile(`^[a-z][a-z0-9_]{1,39}$`)

// PurposeChange makes or changes a purpose; nil leaves a thing as it is.
type PurposeChange struct {
	Name        *Text      `json:"name,omitempty"`
	Description *Text      `json:"description,omitempty"`
	Basis       *Basis     `json:"basis,omitempty" enum:"consent,contract,legitimate_interest" doc:"Of an own purpose only; those built in keep theirs"`
	Channels    *[]Channel `json:"channels,omitempty" doc:"wecom, official_account, mini_program, sms, email, phone, in_app; empty: about the use of data alone"`
	Separate    *bool      `json:"separate,omitempty"`
	SelfGrant   *bool      `json:"selfGrant,omitempty"`
	Order       *int64     `json:"order,omitempty" minimum:"0" maximum:"10000"`
	Archived    *bool      `json:"archived,omitempty"`
}

// CreatePurpose makes a purpose with its first wording, effective at once.
func (s *Service) CreatePurpose(ctx context.Context, id string, ch PurposeChange, wording Text) (*Purpose, error) {
	if !purposeID.MatchString(id) || id == Everything || id == string(All) {
		return nil, errs.New(errs.Invalid, "request.invalid").On(errs.At("id", "consent.bad_purpose_id"))
	}
	p := &Purpose{ID: id, Basis: Consent, SelfGrant: true, Channels: []Channel{}}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.Purposes(ctx)
		if err != nil {
			return err
		}
		if list.find(id) != nil {
			return errs.New(errs.Conflict, "consent.purpose_exists", "id", id).On(errs.At("id", "consent.purpose_exists", "id", id))
		}
		for _, other := range list {
			p.Order = max(p.Order, other.Order+10)
		}
		if err := s.change(p, ch); err != nil {
			return err
		}
		if err := s.putPurpose(ctx, p); err != nil {
			return err
		}
		if _, err := s.addWording(ctx, p, wording, s.Clock.Now()); err != nil {
			return err
		}
		return s.record(ctx, "consent.purpose_created", audit.Object{Type: "consent_purpose", ID: p.ID, Name: p.Name.ZH}, map[string]any{"basis": p.Basis, "channels": p.Channels})
	})
	if err != nil {
		return nil, fmt.Errorf("make purpose: %w", err)
	}
	return s.purpose(ctx, id)
}

func (s *Service) purpose(ctx context.Context, id string) (*Purpose, error) {
	list, err := s.Purposes(ctx)
	if err != nil {
		return nil, err
	}
	if p := list.find(id); p != nil {
		return p, nil
	}
	return nil, errNoPurpose(id)
}

// UpdatePurpose changes a purpose. What people said stays; an archived purpose
// allows nothing.
func (s *Service) UpdatePurpose(ctx context.Context, id string, ch PurposeChange) (*Purpose, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		was, err := s.purpose(ctx, id)
		if err != nil {
			return err
		}
		p := *was
		if p.Builtin && ch.Basis != nil && *ch.Basis != p.Basis {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("basis", "consent.builtin_basis"))
		}
		if err := s.change(&p, ch); err != nil {
			return err
		}
		if err := s.putPurpose(ctx, &p); err != nil {
			return err
		}
		return s.record(ctx, "consent.purpose_changed", audit.Object{Type: "consent_purpose", ID: p.ID, Name: p.Name.ZH},
			map[string]any{"basis": p.Basis, "channels": p.Channels, "separate": p.Separate, "selfGrant": p.SelfGrant, "archived": p.Archived})
	})
	if err != nil {
		return nil, fmt.Errorf("change purpose: %w", err)
	}
	return s.purpose(ctx, id)
}

// change checks and applies.
func (s *Service) change(p *Purpose, ch PurposeChange) error {
	if ch.Name != nil {
		p.Name = trimmed(*ch.Name)
	}
	if ch.Description != nil {
		p.Description = trimmed(*ch.Description)
	}
	p.Basis = *cmp.Or(ch.Basis, &p.Basis)
	if ch.Channels != nil {
		p.Channels = []Channel{}
		for _, c := range channels { // in our order, each once
			if slices.Contains(*ch.Channels, c) {
				p.Channels = append(p.Channels, c)
			}
		}
		for _, c := range *ch.Channels {
			if !slices.Contains(channels, c) {
				return errs.New(errs.Invalid, "request.invalid").On(errs.At("channels", "consent.no_such_channel", "channel", string(c)))
			}
		}
	}
	p.Separate = *cmp.Or(ch.Separate, &p.Separate)
	p.SelfGrant = *cmp.Or(ch.SelfGrant, &p.SelfGrant)
	p.Order = *cmp.Or(ch.Order, &p.Order)
	p.Archived = *cmp.Or(ch.Archived, &p.Archived)
	for _, f := range []struct{ path, v string }{{"name.zh", p.Name.ZH}, {"name.en", p.Name.EN}} {
		switch n := utf8.RuneCountInString(f.v); {
		case n == 0:
			return errs.New(errs.Invalid, "request.invalid").On(errs.At(f.path, "request.field_required"))
		case n > 60:
			return errs.New(errs.Invalid, "request.invalid").On(errs.At(f.path, "request.too_long", "limit", 60))
		}
	}
	return nil
}

func trimmed(t Text) Text { return Text{strings.TrimSpace(t.ZH), strings.TrimSpace(t.EN)} }

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (s *Service) putPurpose(ctx context.Context, p *Purpose) error {
	body, err := json.Marshal(purposeBody{p.Name, p.Description})
	if err != nil {
		return err
	}
	chs := make([]string, len(p.Channels))
	for i, c := range p.Channels {
		chs[i] = string(c)
	}
	_, err = s.DB.Exec(ctx, `insert into consent_purposes (id, body, basis, channels, separate, self_grant, place, archived, builtin, updated_at) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)
		on conflict (id) do update set body = excluded.body, basis = excluded.basis, channels = excluded.channels, separate = excluded.separate, self_grant = excluded.self_grant,
		place = excluded.place, archived = excluded.archived, updated_at = excluded.updated_at`,
		p.ID, string(body), string(p.Basis), strings.Join(chs, ","), number(p.Separate), number(p.SelfGrant), p.Order, number(p.Archived), number(p.Builtin), s.Clock.Now().UnixMilli())
	s.stalePurposes(ctx)
	return err
}

// AddWording puts down what people will be shown from a time on. Versions are
// never changed: what somebody agreed to stays readable.
func (s *Service) AddWording(ctx context.Context, id string, text Text, effective time.Time) (*Purpose, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		p, err := s.purpose(ctx, id)
		if err != nil {
			return err
		}
		version, err := s.addWording(ctx, p, text, effective)
		if err != nil {
			return err
		}
		return s.record(ctx, "consent.wording_added", audit.Object{Type: "consent_purpose", ID: p.ID, Name: p.Name.ZH}, map[string]any{"version": version})
	})
	if err != nil {
		return nil, fmt.Errorf("add wording: %w", err)
	}
	return s.purpose(ctx, id)
}

func (s *Service) addWording(ctx context.Context, p *Purpose, text Text, effective time.Time) (int64, error) {
	text = trimmed(text)
	for _, f := range []struct{ path, v string }{{"wording.zh", text.ZH}, {"wording.en", text.EN}} {
		switch n := utf8.RuneCountInString(f.v); {
		case n == 0:
			return 0, errs.New(errs.Invalid, "request.invalid").On(errs.At(f.path, "request.field_required"))
		case n > 4000:
			return 0, errs.New(errs.Invalid, "request.invalid").On(errs.At(f.path, "request.too_long", "limit", 4000))
		}
	}
	now := s.Clock.Now()
	if effective.IsZero() {
		effective = now
	}
	last := int64(0)
	if len(p.Wordings) > 0 {
		last = p.Wordings[0].Version
		// nobody was shown it before today, and versions follow each other in time
		if effective.Before(p.Wordings[0].EffectiveAt) {
			return 0, errs.New(errs.Invalid, "request.invalid").On(errs.At("effectiveAt", "consent.wording_too_early", "version", last))
		}
	}
	if effective.Before(now.Add(-time.Minute)) {
		return 0, errs.New(errs.Invalid, "request.invalid").On(errs.At("effectiveAt", "consent.wording_in_past"))
	}
	by := principal(ctx)
	_, err := s.DB.Exec(ctx, "insert into consent_wordings (purpose, version, zh, en, effective_at, created_at, by_id, by_name) values ($1,$2,$3,$4,$5,$6,$7,$8)",
		p.ID, last+1, text.ZH, text.EN, clock.Ms(effective), now.UnixMilli(), by.ID, by.Name)
	s.stalePurposes(ctx)
	return last + 1, err
}

// purposeNames are the names of all purposes by id, in the language of the request.
func (s *Service) purposeNames(ctx context.Context) (map[string]string, error) {
	list, err := s.Purposes(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(list))
	for _, p := range list {
		names[p.ID] = p.Name.in(httpx.Lang(ctx))
	}
	return names, nil
}

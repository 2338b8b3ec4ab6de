package livecode

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

var errNone = errs.New(errs.NotFound, "livecode.not_found")

func principal(ctx context.Context) *auth.Principal {
	if p := auth.From(ctx); p != nil {
		return p
	}
	return auth.System("livecodes")
}

func (s *Service) sealDef(d *Definition) (string, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("encode live code: %w", err)
	}
	sealed, err := s.Keys.Seal(defField, string(raw))
	if err != nil {
		return "", fmt.Errorf("seal live code: %w", err)
	}
	return sealed, nil
}

// Create makes a code; the platform hears of it right after.
func (s *Service) Create(ctx context.Context, d Definition) (*Code, error) {
	return s.CreateAt(ctx, d, s.Clock.Now())
}

// CreateAt is Create for a code that has a past: it hangs out since then.
func (s *Service) CreateAt(ctx context.Context, d Definition, at time.Time) (*Code, error) {
	id, err := s.createIn(ctx, d, at)
	if err != nil {
		return nil, err
	}
	return s.code(ctx, id)
}

// createIn is Create inside the transaction of ctx, where there is one.
func (s *Service) createIn(ctx context.Context, d Definition, at time.Time) (id string, err error) {
	if err := s.check(ctx, &d); err != nil {
		return "", err
	}
	sealed, err := s.sealDef(&d)
	if err != nil {
		return "", err
	}
	id = s.IDs.New("lc")
	by, now := principal(ctx), clock.Ms(at)
	return id, s.DB.Tx(ctx, func(ctx context.Context) error {
		var n int
		if err := s.DB.QueryRow(ctx, "select count(*) from livecodes where state = $1", Active).Scan(&n); err != nil {
			return fmt.Errorf("count live codes: %w", err)
		}
		if n >= maxCodes {
			return errs.New(errs.Conflict, "livecode.too_many", "limit", maxCodes)
		}
		rev, err := s.nextRev(ctx)
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, `insert into livecodes (id, skey, rev, state, name, def, by_id, by_name, created_at, changed_at, way_id, way_qr, way_text, way_sum, way_users, way_skip, way_why, way_at,
			fault, fault_code, fault_at, tries, next_at, lease) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, '', '', '', '', '[]', 0, '', 0, '', 0, 0, 0, 0, 0)`,
			id, newKey(), rev, Active, d.Name, sealed, by.ID, by.Name, now); err != nil {
			return fmt.Errorf("make live code: %w", err)
		}
		s.refresh(ctx)
		if err := s.note(ctx, id, "created", nil); err != nil {
			return err
		}
		return s.record(ctx, "livecode.created", id, d.Name, nil)
	})
}

// code gives one, as fresh as the records.
func (s *Service) code(ctx context.Context, id string) (*Code, error) {
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	if c := s.book.get(id); c != nil {
		return c, nil
	}
	return nil, errNone
}

// Get gives one that the caller may see.
func (s *Service) Get(ctx context.Context, id string) (*Code, error) {
	c, err := s.code(ctx, id)
	if err != nil {
		return nil, err
	}
	ok, err := s.sees(ctx, c)
	if err == nil && !ok {
		err = errNone
	}
	return c, err
}

// Update changes what a code is. Its account stays: the printed code is the
// platform's, and belongs to one.
func (s *Service) Update(ctx context.Context, id string, d Definition) (*Code, error) {
	was, err := s.code(ctx, id)
	if err != nil {
		return nil, err
	}
	if d.Account != was.Account {
		return nil, bad("account", "livecode.account_stays")
	}
	if err := s.check(ctx, &d); err != nil {
		return nil, err
	}
	return s.change(ctx, was, &d, "livecode.updated", "changed", changed(&was.Definition, &d))
}

// change keeps another definition of a code.
func (s *Service) change(ctx context.Context, was *Code, d *Definition, action, kind string, detail map[string]any) (*Code, error) {
	sealed, err := s.sealDef(d)
	if err != nil {
		return nil, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		rev, err := s.nextRev(ctx)
		if err != nil {
			return err
		}
		// The next round is not to wait for what an older definition was refused for.
		n, err := s.DB.ExecN(ctx, "update livecodes set rev = $2, name = $3, def = $4, changed_at = $5, tries = 0, next_at = 0 where id = $1", was.ID, rev, d.Name, sealed, clock.Ms(s.Clock.Now()))
		if err != nil {
			return fmt.Errorf("change live code: %w", err)
		}
		if n == 0 {
			return errNone
		}
		s.refresh(ctx)
		if err := s.note(ctx, was.ID, kind, detail); err != nil {
			return err
		}
		return s.record(ctx, action, was.ID, d.Name, detail)
	})
	if err != nil {
		return nil, err
	}
	return s.code(ctx, was.ID)
}

// changed lists the parts in which two definitions differ.
func changed(was, is *Definition) map[string]any {
	parts := func(d *Definition) map[string]json.RawMessage {
		raw, _ := json.Marshal(d) // was encoded before
		var m map[string]json.RawMessage
		_ = json.Unmarshal(raw, &m)
		return m
	}
	a, b := parts(was), parts(is)
	seen := []string{}
	for k := range b {
		if string(a[k]) != string(b[k]) {
			seen = append(seen, k)
		}
	}
	for k := range a {
		if _, ok := b[k]; !ok {
			seen = append(seen, k)
		}
	}
	slices.Sort(seen)
	return map[string]any{"parts": seen}
}

// SetOffline takes a member of a code out of turn, or puts them back, by hand.
func (s *Service) SetOffline(ctx context.Context, id, staff string, offline bool) (*Code, error) {
	was, err := s.code(ctx, id)
	if err != nil {
		return nil, err
	}
	d := was.Definition
	d.Members = slices.Clone(d.Members)
	i := slices.IndexFunc(d.Members, func(m Member) bool { return m.Staff == staff })
	if i < 0 {
		return nil, bad("staff", "livecode.no_such_colleague")
	}
	if d.Members[i].Offline == offline {
		return was, nil
	}
	d.Members[i].Offline = offline
	kind := "online"
	if offline {
		kind = "offline"
	}
	return s.change(ctx, was, &d, "livecode."+map[bool]string{true: "member_offline", false: "member_online"}[offline], kind, map[string]any{"staff": staff})
}

// SetState archives a code, or takes it out of the archive. The platform forgets
// the way of an archived one: who scans it is told that it is no longer valid.
func (s *Service) SetState(ctx context.Context, id, state string) (*Code, error) {
	was, err := s.code(ctx, id)
	if err != nil {
		return nil, err
	}
	if was.State == state {
		return was, nil
	}
	action := map[string]string{Archived: "livecode.archived", Active: "livecode.restored"}[state]
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		rev, err := s.nextRev(ctx)
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update livecodes set rev = $2, state = $3, changed_at = $4, tries = 0, next_at = 0 where id = $1", id, rev, state, clock.Ms(s.Clock.Now())); err != nil {
			return fmt.Errorf("archive live code: %w", err)
		}
		s.refresh(ctx)
		if err := s.note(ctx, id, map[string]string{Archived: "archived", Active: "restored"}[state], nil); err != nil {
			return err
		}
		return s.record(ctx, action, id, was.Name, nil)
	})
	if err != nil {
		return nil, err
	}
	return s.code(ctx, id)
}

func (s *Service) record(ctx context.Context, action, id, name string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "livecode", ID: id, Name: name}, detail)
}

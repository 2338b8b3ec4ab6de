package reply

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

var errNone = errs.New(errs.NotFound, "reply.not_found")

// gap is how far apart places are given: between two there is room for others.
const gap = 1 << 20

func (s *Service) sealDef(d *Definition) (string, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("encode auto-reply: %w", err)
	}
	sealed, err := s.Keys.Seal(defField, string(raw))
	if err != nil {
		return "", fmt.Errorf("seal auto-reply: %w", err)
	}
	return sealed, nil
}

// Create makes a rule. It comes after those that are there.
func (s *Service) Create(ctx context.Context, d Definition) (*Rule, error) {
	if _, err := s.checkAccount(ctx, d.Account); err != nil {
		return nil, err
	}
	if err := s.fresh(ctx); err != nil { // a menu may choose a rule that was made on another node
		return nil, err
	}
	if err := s.check(ctx, &d); err != nil {
		return nil, err
	}
	var id string
	if err := s.create(ctx, []Definition{d}, func(made string) { id = made }); err != nil {
		return nil, err
	}
	return s.rule(ctx, id)
}

// create makes rules of one account that were checked, all or none.
func (s *Service) create(ctx context.Context, list []Definition, made func(id string)) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.fits(ctx, list, ""); err != nil {
			return err
		}
		for i := range list {
			id, err := s.insert(ctx, &list[i])
			if err != nil {
				return err
			}
			made(id)
			if len(list) == 1 {
				if err := s.record(ctx, "reply.created", id, list[i].Name, map[string]any{"kind": list[i].Kind, "account": list[i].Account}); err != nil {
					return err
				}
			}
		}
		s.refresh(ctx)
		if len(list) > 1 {
			return s.record(ctx, "reply.imported", list[0].Account, s.named(ctx, list[0].Account), map[string]any{"rules": len(list)})
		}
		return nil
	})
}

// fits tells whether an account has room for rules, and for their patterns.
func (s *Service) fits(ctx context.Context, list []Definition, but string) error {
	if len(list) == 0 {
		return nil
	}
	var n int
	if err := s.DB.QueryRow(ctx, "select count(*) from replies where account = $1 and gone = 0 and id <> $2", list[0].Account, but).Scan(&n); err != nil {
		return fmt.Errorf("count auto-replies: %w", err)
	}
	if n+len(list) > maxRules {
		return errs.New(errs.Conflict, "reply.too_many_rules", "limit", maxRules)
	}
	patterns := func(d *Definition) (n int) {
		for _, w := range d.Words {
			if w.Match == Pattern {
				n++
			}
		}
		return n
	}
	most, add := 0, 0
	for i := range list {
		add += patterns(&list[i])
	}
	if add == 0 {
		return nil
	}
	for _, r := range s.book.Load().desk(list[0].Account).by[Keyword] {
		if r.ID != but {
			most += patterns(&r.Definition)
		}
	}
	if most+add > maxPatterns {
		return bad("words", "reply.too_many_patterns", "limit", maxPatterns)
	}
	return nil
}

func (s *Service) insert(ctx context.Context, d *Definition) (string, error) {
	sealed, err := s.sealDef(d)
	if err != nil {
		return "", err
	}
	rev, err := s.nextRev(ctx)
	if err != nil {
		return "", err
	}
	id := s.IDs.New("rp")
	_, err = s.DB.Exec(ctx, `insert into replies (id, account, kind, place, rev, gone, name, def, by_name, created_at, changed_at)
		values ($1, $2, $3, (select coalesce(max(place), 0) + $4 from replies where account = $2 and kind = $3 and gone = 0), $5, 0, $6, $7, $8, $9, $9)`,
		id, d.Account, d.Kind, int64(gap), rev, d.Name, sealed, principal(ctx).Name, clock.Ms(s.Clock.Now()))
	if err != nil {
		return "", fmt.Errorf("make auto-reply: %w", err)
	}
	return id, nil
}

// rule gives one, as fresh as the records. Inside a transaction, which may have
// changed what nobody else is to see yet, memory speaks alone.
func (s *Service) rule(ctx context.Context, id string) (*Rule, error) {
	if !s.DB.InTx(ctx) {
		if err := s.fresh(ctx); err != nil {
			return nil, err
		}
	}
	r := s.book.Load().rules[id]
	if r == nil || r.gone {
		return nil, errNone
	}
	return r, nil
}

// Update changes a rule. Its account and kind stay.
func (s *Service) Update(ctx context.Context, id string, d Definition) (*Rule, error) {
	was, err := s.rule(ctx, id)
	if err != nil {
		return nil, err
	}
	switch {
	case d.Account != was.Account:
		return nil, bad("account", "reply.stays")
	case d.Kind != was.Kind:
		return nil, bad("kind", "reply.stays")
	}
	if err := s.check(ctx, &d); err != nil {
		return nil, err
	}
	sealed, err := s.sealDef(&d)
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, was, "reply.updated", map[string]any{"off": d.Off}, func(ctx context.Context, rev int64) error {
		if err := s.fits(ctx, []Definition{d}, id); err != nil {
			return err
		}
		n, err := s.DB.ExecN(ctx, "update replies set rev = $2, name = $3, def = $4, changed_at = $5 where id = $1 and gone = 0", id, rev, d.Name, sealed, clock.Ms(s.Clock.Now()))
		if err == nil && n == 0 {
			err = errNone
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.rule(ctx, id)
}

// write changes a rule in one transaction, with its line in the audit log.
func (s *Service) write(ctx context.Context, r *Rule, action string, detail map[string]any, do func(ctx context.Context, rev int64) error) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		rev, err := s.nextRev(ctx)
		if err != nil {
			return err
		}
		if err := do(ctx, rev); err != nil {
			return err
		}
		s.refresh(ctx)
		return s.record(ctx, action, r.ID, r.Name, detail)
	})
}

// Delete takes a rule away; what it answered stays in the books.
func (s *Service) Delete(ctx context.Context, id string) error {
	r, err := s.rule(ctx, id)
	if err != nil {
		return err
	}
	return s.write(ctx, r, "reply.deleted", nil, func(ctx context.Context, rev int64) error {
		_, err := s.DB.Exec(ctx, "update replies set rev = $2, gone = 1, changed_at = $3 where id = $1", id, rev, clock.Ms(s.Clock.Now()))
		return err
	})
}

// Move puts a rule before another of its account and kind, or last when before is "".
func (s *Service) Move(ctx context.Context, id, before string) (*Rule, error) {
	r, err := s.rule(ctx, id)
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, r, "reply.moved", nil, func(ctx context.Context, rev int64) error {
		list := slices.DeleteFunc(slices.Clone(s.book.Load().desk(r.Account).by[r.Kind]), func(x *Rule) bool { return x.ID == id })
		at := len(list)
		if before != "" {
			if at = slices.IndexFunc(list, func(x *Rule) bool { return x.ID == before }); at < 0 {
				return bad("before", "reply.not_found")
			}
		}
		low, high := int64(0), int64(0)
		if at > 0 {
			low = list[at-1].Place
		}
		if at < len(list) {
			high = list[at].Place
		} else {
			high = low + 2*gap
		}
		if high-low < 2 { // no room between them any more: all get new places
			list = slices.Insert(list, at, r)
			for i, x := range list {
				rev, err := s.nextRev(ctx)
				if err != nil {
					return err
				}
				if _, err := s.DB.Exec(ctx, "update replies set place = $2, rev = $3 where id = $1", x.ID, int64(i+1)*gap, rev); err != nil {
					return fmt.Errorf("place auto-replies: %w", err)
				}
			}
			return nil
		}
		_, err := s.DB.Exec(ctx, "update replies set place = $2, rev = $3, changed_at = $4 where id = $1", id, low+(high-low)/2, rev, clock.Ms(s.Clock.Now()))
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.rule(ctx, id)
}

// Hours gives the working hours of an account.
func (s *Service) Hours(ctx context.Context, account string) (Hours, error) {
	if _, err := s.checkAccount(ctx, account); err != nil {
		return Hours{}, err
	}
	if err := s.fresh(ctx); err != nil {
		return Hours{}, err
	}
	if h := s.book.Load().hours[account]; h != nil {
		return *h, nil
	}
	return Hours{Windows: []Window{}, Days: []Day{}}, nil
}

// SetHours sets the working hours of an account.
func (s *Service) SetHours(ctx context.Context, account string, h Hours) (Hours, error) {
	if _, err := s.checkAccount(ctx, account); err != nil {
		return h, err
	}
	if h.Windows == nil {
		h.Windows = []Window{}
	}
	if h.Days == nil {
		h.Days = []Day{}
	}
	if err := h.check(); err != nil {
		return h, err
	}
	raw, err := json.Marshal(h)
	if err != nil {
		return h, fmt.Errorf("encode working hours: %w", err)
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		rev, err := s.nextRev(ctx)
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, `insert into reply_hours (account, rev, def, by_name, changed_at) values ($1, $2, $3, $4, $5)
			on conflict (account) do update set rev = excluded.rev, def = excluded.def, by_name = excluded.by_name, changed_at = excluded.changed_at`,
			account, rev, string(raw), principal(ctx).Name, clock.Ms(s.Clock.Now())); err != nil {
			return fmt.Errorf("set working hours: %w", err)
		}
		s.refresh(ctx)
		return s.record(ctx, "reply.hours_set", account, s.named(ctx, account), nil)
	})
	return h, err
}

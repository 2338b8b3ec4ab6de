package consent

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

func sorted(m map[int64]bool) []int64 {
	out := make([]int64, 0, len(m))
	for n := range m {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func sortNums(n []int64) { slices.Sort(n) }

// numbers reads contacts into a set.
func (s *Service) numbers(ctx context.Context, into map[int64]bool, text string, args ...any) error {
	rows, err := s.DB.Query(ctx, text, args...)
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var n int64
		err := r.Scan(&n)
		into[n] = true
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("read consent states: %w", err)
	}
	return nil
}

// barredContacts adds everybody whom the suppression list keeps a channel from.
func (s *Service) barredContacts(ctx context.Context, ch Channel, into map[int64]bool) error {
	by := map[string][]string{}
	rows, err := s.DB.Query(ctx, "select kind, lookup from consent_suppressions where whole = 1 or kind = $1", kindFor(ch))
	_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
		var kind, lookup string
		err := r.Scan(&kind, &lookup)
		by[kind] = append(by[kind], lookup)
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("read suppressions: %w", err)
	}
	for kind, lookups := range by {
		held, err := s.Contacts.Holders(ctx, kind, lookups)
		if err != nil {
			return err
		}
		for _, n := range held {
			into[n] = true
		}
	}
	return nil
}

// Suppression is an address that nobody may be reached by.
type Suppression struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind" enum:"phone,email"`
	Masked    string    `json:"masked" doc:"Enough of the address to recognise it"`
	Whole     bool      `json:"whole" doc:"Whoever has it is reached by no channel at all"`
	Reason    string    `json:"reason"`
	Source    string    `json:"source" enum:"staff,erasure,undeliverable"`
	CreatedAt time.Time `json:"createdAt"`
	By        string    `json:"by,omitempty"`
}

// maxNote is the longest reason or note, in characters.
const maxNote = 500

// reasonOf checks a reason that somebody must give.
func reasonOf(path, text string) (string, error) {
	text = strings.TrimSpace(text)
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return "", errs.New(errs.Invalid, "request.invalid").On(errs.At(path, "consent.reason_required"))
	case n > maxNote:
		return "", errs.New(errs.Invalid, "request.invalid").On(errs.At(path, "request.too_long", "limit", maxNote))
	}
	return text, nil
}

// Suppress puts an address on the list. It is kept by blind index: nobody reads
// it from the list, and it stays when the person's record goes.
func (s *Service) Suppress(ctx context.Context, kind, value string, whole bool, reason string) (Suppression, error) {
	reason, err := reasonOf("reason", reason)
	if err != nil {
		return Suppression{}, err
	}
	if kind != contact.KindPhone && kind != contact.KindEmail {
		return Suppression{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("kind", "consent.bad_address_kind"))
	}
	a, err := s.Contacts.AddressOf(kind, value)
	if err != nil {
		return Suppression{}, err
	}
	by := principal(ctx)
	sup := Suppression{ID: s.IDs.New("sp"), Kind: kind, Masked: a.Masked, Whole: whole, Reason: veil.Text(reason), Source: string(FromStaff), CreatedAt: s.Clock.Now(), By: by.Name}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		var have string
		err := s.DB.QueryRow(ctx, "select id from consent_suppressions where kind = $1 and lookup = $2", kind, a.Lookup).Scan(&have)
		if err == nil {
			return errs.New(errs.Conflict, "consent.suppressed_already").On(errs.At("value", "consent.suppressed_already"))
		}
		if !db.NoRows(err) {
			return err
		}
		if err := s.putSuppression(ctx, sup, a.Lookup, by.ID); err != nil {
			return err
		}
		return s.record(ctx, "consent.suppressed", audit.Object{Type: "suppression", ID: sup.ID, Name: sup.Masked}, map[string]any{"kind": kind, "whole": whole, "reason": reason})
	})
	if err != nil {
		return Suppression{}, fmt.Errorf("suppress: %w", err)
	}
	return sup, nil
}

func (s *Service) putSuppression(ctx context.Context, p Suppression, lookup, byID string) error {
	_, err := s.DB.Exec(ctx, `insert into consent_suppressions (id, kind, lookup, masked, whole, reason, source, created_at, by_id, by_name) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)
		on conflict (kind, lookup) do update set whole = case when excluded.whole > consent_suppressions.whole then excluded.whole else consent_suppressions.whole end`,
		p.ID, p.Kind, lookup, p.Masked, number(p.Whole), p.Reason, p.Source, p.CreatedAt.UnixMilli(), byID, p.By)
	s.DB.After(ctx, func() {
		s.barred.mu.Lock()
		s.barred.set = false
		s.barred.mu.Unlock()
	})
	return err
}

// KeepAway puts every address of a contact who must not be contacted on the
// suppression list, before the contact is erased: whoever comes back by the same
// address stays left alone. It joins the transaction of ctx.
func (s *Service) KeepAway(ctx context.Context, num int64) error {
	have, err := s.asked(ctx, []int64{num}, Everything)
	if err != nil {
		return err
	}
	a := have[num]
	if a.everything.of(useBit).state != Withdrawn {
		return nil
	}
	list, err := s.Contacts.MaskedAddresses(ctx, num)
	if err != nil {
		return err
	}
	by := principal(ctx)
	for _, x := range list {
		p := Suppression{ID: s.IDs.New("sp"), Kind: x.Kind, Masked: x.Masked, Whole: true, Source: string(FromDeletion), CreatedAt: s.Clock.Now(), By: by.Name}
		if err := s.putSuppression(ctx, p, x.Lookup, by.ID); err != nil {
			return fmt.Errorf("keep an address away: %w", err)
		}
	}
	return nil
}

// Unsuppress takes an address off the list.
func (s *Service) Unsuppress(ctx context.Context, id, reason string) error {
	reason, err := reasonOf("reason", reason)
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		var masked, kind, lookup string
		err := s.DB.QueryRow(ctx, "delete from consent_suppressions where id = $1 returning masked, kind, lookup", id).Scan(&masked, &kind, &lookup)
		if db.NoRows(err) {
			return errs.New(errs.NotFound, "consent.no_such_suppression", "id", id)
		}
		if err != nil {
			return err
		}
		if err := s.mayLift(ctx, kind, lookup); err != nil {
			return err
		}
		s.DB.After(ctx, func() {
			s.barred.mu.Lock()
			s.barred.set = false
			s.barred.mu.Unlock()
		})
		return s.record(ctx, "consent.unsuppressed", audit.Object{Type: "suppression", ID: id, Name: masked}, map[string]any{"reason": reason})
	})
	if err != nil {
		return fmt.Errorf("take off the suppression list: %w", err)
	}
	return nil
}

// mayLift refuses callers who do not see everybody's customers to make
// reachable whom they do not see, or whoever was erased.
func (s *Service) mayLift(ctx context.Context, kind, lookup string) error {
	if principal(ctx).Scope.All {
		return nil
	}
	held, err := s.Contacts.Holders(ctx, kind, []string{lookup})
	if err != nil {
		return err
	}
	if n, ok := held[lookup]; ok {
		seen, err := s.Contacts.InScope(ctx, []int64{n})
		if err != nil || len(seen) > 0 {
			return err
		}
	}
	return errs.New(errs.Forbidden, "permission.scope")
}

type suppressionCursor struct {
	T  int64  `json:"t"`
	ID string `json:"i"`
}

// Suppressions lists the addresses, newest first. q is an address in full.
func (s *Service) Suppressions(ctx context.Context, q, cursor string, limit int) (items []Suppression, next string, err error) {
	c := suppressionCursor{T: 1 << 62}
	if err := httpx.DecodeCursor(cursor, &c); err != nil {
		return nil, "", err
	}
	cond, args := "(created_at < $1 or created_at = $1 and id < $2)", []any{c.T, c.ID}
	if q = strings.TrimSpace(q); q != "" {
		var lookups []any
		for _, kind := range []string{contact.KindPhone, contact.KindEmail} {
			if a, err := s.Contacts.AddressOf(kind, q); err == nil {
				lookups = append(lookups, a.Lookup)
			}
		}
		if len(lookups) == 0 {
			return []Suppression{}, "", nil
		}
		cond += " and lookup in (" + db.In(3, len(lookups)) + ")"
		args = append(args, lookups...)
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select id, kind, masked, whole, reason, source, created_at, by_name from consent_suppressions where %s order by created_at desc, id desc limit %d", cond, limit+1), args...)
	items, err = db.Collect(rows, err, func(r *sql.Rows) (p Suppression, err error) {
		var whole, at int64
		err = r.Scan(&p.ID, &p.Kind, &p.Masked, &whole, &p.Reason, &p.Source, &at, &p.By)
		p.Whole, p.CreatedAt = whole != 0, clock.FromMs(at)
		return p, err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list suppressions: %w", err)
	}
	if len(items) > limit {
		items = items[:limit]
		end := items[limit-1]
		next = httpx.EncodeCursor(suppressionCursor{clock.Ms(end.CreatedAt), end.ID})
	}
	return items, next, nil
}

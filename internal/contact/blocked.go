package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Bounds of blocked values: all of them are in the memory of every process that resolves.
const (
	mostBlocked = 20_000
	blockAtOnce = 5_000
)

// blockedKept is how long a removed value is remembered: facts are resolved
// again within moments, after a crash within days.
const blockedKept = 30 * 24 * time.Hour

// BlockedValue is a value that identifies nobody because the company says so.
type BlockedValue struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	Domain    bool       `json:"domain" doc:"Every e-mail address of this domain and of those below it"`
	Value     string     `json:"value" doc:"Masked when it is personal; a domain is not"`
	Note      string     `json:"note,omitempty"`
	CreatedAt time.Time  `json:"createdAt"`
	By        string     `json:"by,omitempty"`
	Carriers  int64      `json:"carriers" doc:"Contacts that carried it before it was blocked, and keep it"`
	Searching bool       `json:"searching" doc:"Carriers of the domain are still being looked for"`
	Stopped   int64      `json:"stopped" doc:"How often it was sent since, and identified nobody"`
	LastAt    *time.Time `json:"lastAt,omitempty" doc:"When it was sent last"`
	lookup    string
}

// Blocking is what came of blocking a list of values.
type Blocking struct {
	Added   int            `json:"added"`
	Already int            `json:"already" doc:"Blocked before"`
	Carried int            `json:"carried" doc:"Of those added, how many somebody carries; domains are not counted yet"`
	Refused []RefusedValue `json:"refused" doc:"Values that are none, the first hundred"`
}

// RefusedValue is a value that cannot be blocked, as it was given.
type RefusedValue struct {
	At     int    `json:"at" doc:"Place in the list, from 0"`
	Value  string `json:"value"`
	Reason string `json:"reason" enum:"bad_phone,bad_email,bad_identifier,bad_domain,blocked_by_nature"`
}

// toBlock is a value in the form in which it is compared.
type toBlock struct {
	key    idKey
	value  string
	domain bool
}

// readBlocked reads a value that somebody wants blocked. For e-mail, @shop.cn
// and shop.cn mean the whole domain.
func (s *Service) readBlocked(kind, value string) (toBlock, string) {
	value = strings.TrimSpace(toASCII(value))
	if kind == KindEmail {
		host := strings.TrimPrefix(strings.TrimPrefix(value, "*"), "@")
		if !strings.Contains(host, "@") {
			host, ok := domain(host)
			if !ok {
				return toBlock{}, "identity.bad_domain"
			}
			return toBlock{idKey{kind, host}, host, true}, ""
		}
	}
	norm, refused := normalize(kind, value, s.Country)
	switch refused {
	case "":
	case refusedBlocked:
		return toBlock{}, "identity.blocked_by_nature"
	default:
		return toBlock{}, badCode(refused)
	}
	lookup := norm
	if keptSealed(kind, norm) {
		lookup = s.Keys.Index(field(kind), norm)
	}
	return toBlock{idKey{kind, lookup}, norm, false}, ""
}

// domain reads a host name with at least two parts.
func domain(host string) (string, bool) {
	host = strings.ToLower(strings.Trim(host, "."))
	if len(host) > maxValue || !strings.Contains(host, ".") || strings.Contains(host, "..") {
		return "", false
	}
	for _, r := range host {
		if r <= ' ' || r < utf8.RuneSelf && !(r == '.' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z') {
			return "", false
		}
	}
	return host, true
}

// Block says of values of a kind that they identify nobody from now on. What
// they joined before stays as it is. It is refused when none of them is a value.
func (s *Service) Block(ctx context.Context, kind string, values []string, note string) (Blocking, error) {
	canon, prefix := canonicalKind(kind)
	if canon == "" || prefix != "" || canon != kind {
		return Blocking{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("kind", "identity.no_such_kind", "kind", kind))
	}
	if note = veil.Text(strings.TrimSpace(note)); utf8.RuneCountInString(note) > maxReason {
		return Blocking{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("note", "request.too_long", "limit", maxReason))
	}
	if len(values) > blockAtOnce {
		return Blocking{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("values", "identity.too_many_at_once", "most", blockAtOnce))
	}
	out := Blocking{Refused: []RefusedValue{}}
	var list []toBlock
	var faults []errs.Field
	seen := map[idKey]bool{}
	for i, v := range values {
		if strings.TrimSpace(v) == "" {
			continue
		}
		b, code := s.readBlocked(kind, v)
		if code != "" {
			faults = append(faults, errs.At(fmt.Sprintf("values[%d]", i), code))
			out.Refused = append(out.Refused, RefusedValue{At: i, Value: v, Reason: code[strings.IndexByte(code, '.')+1:]})
			continue
		}
		if !seen[b.key] {
			seen[b.key] = true
			list = append(list, b)
		}
	}
	switch {
	case len(list) == 0 && len(faults) == 0:
		return Blocking{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("values", "request.field_required"))
	case len(list) == 0:
		return Blocking{}, errs.New(errs.Invalid, "request.invalid").On(faults[:min(len(faults), 20)]...)
	}
	out.Refused = out.Refused[:min(len(out.Refused), 100)]
	err := s.changeRules(ctx, func(ctx context.Context, now time.Time) error {
		out.Added, out.Already, out.Carried = 0, 0, 0
		return s.block(ctx, kind, list, note, now, &out)
	})
	if err != nil {
		return Blocking{}, fmt.Errorf("block values: %w", err)
	}
	return out, nil
}

func (s *Service) block(ctx context.Context, kind string, list []toBlock, note string, now time.Time, out *Blocking) error {
	var there int
	have := map[idKey]bool{}
	rows, err := s.DB.Query(ctx, "select kind, lookup from identity_blocked where removed_at = 0")
	err = scanAll(rows, err, "read blocked values", func(r *sql.Rows) error {
		there++
		k, err := scanIDKey(r)
		have[k] = true
		return err
	})
	if err != nil {
		return err
	}
	asked := len(list)
	list = slices.DeleteFunc(slices.Clone(list), func(b toBlock) bool { return have[b.key] }) // a transaction may run twice
	out.Already = asked - len(list)
	if there+len(list) > mostBlocked {
		return errs.New(errs.Conflict, "identity.too_many_blocked", "most", mostBlocked)
	}
	at, err := s.engine.place(ctx)
	if err != nil {
		return err
	}
	by := principal(ctx)
	domains := false
	var sealErr error
	var exact []string
	ids := make([]string, len(list))
	err = insertMany(ctx, s.DB, "identity_blocked", columns("id kind whole:n lookup value_enc note since_seq:n since_idx:n created_at:n by_id by_name"), len(list), func(i int) []any {
		b, sealed, whole := list[i], "", int64(0)
		if ids[i] == "" {
			ids[i] = s.IDs.New("bv")
		}
		switch {
		case b.domain:
			whole, domains = 1, true
		case keptSealed(kind, b.value):
			var err error
			if sealed, err = s.Keys.Seal(field(kind), b.value); err != nil {
				sealErr = fmt.Errorf("seal %s: %w", kind, err)
			}
			exact = append(exact, b.key.lookup)
		default:
			exact = append(exact, b.key.lookup)
		}
		return []any{ids[i], kind, whole, b.key.lookup, sealed, note, int64(at.Seq), int64(at.Idx), now.UnixMilli(), by.ID, by.Name}
	}, "")
	if sealErr != nil {
		return sealErr
	}
	if err != nil {
		return err
	}
	held, err := s.Holders(ctx, kind, exact)
	if err != nil {
		return err
	}
	out.Added, out.Carried = len(list), len(held)
	if domains {
		if err := s.searchCarriers(ctx); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		return nil
	}
	detail := map[string]any{"kind": kind, "count": len(list), "note": note}
	name := kind
	if len(list) == 1 {
		name = list[0].shown()
	}
	return s.recordRule(ctx, "identity.values_blocked", ids[0], name, detail)
}

func (b toBlock) shown() string {
	if b.domain {
		return b.value
	}
	return Mask(b.key.kind, b.value)
}

// place is how far facts were resolved. Nobody resolves while the caller holds the lock.
func (e *engine) place(ctx context.Context) (at event.Position, err error) {
	err = e.db.QueryRow(ctx, "select seq, idx from contact_cursor where name = 'resolver'").Scan(&at.Seq, &at.Idx)
	if err != nil && !db.NoRows(err) {
		return at, fmt.Errorf("read resolver's place: %w", err)
	}
	return at, nil
}

// Unblock lets a value identify people again, from now on.
func (s *Service) Unblock(ctx context.Context, id string) error {
	err := s.changeRules(ctx, func(ctx context.Context, now time.Time) error {
		at, err := s.engine.place(ctx)
		if err != nil {
			return err
		}
		var kind, lookup, sealed string
		var whole int64
		err = s.DB.QueryRow(ctx, `update identity_blocked set removed_at = $2, until_seq = $3, until_idx = $4 where id = $1 and removed_at = 0 returning kind, lookup, value_enc, whole`,
			id, now.UnixMilli(), int64(at.Seq), int64(at.Idx)).Scan(&kind, &lookup, &sealed, &whole)
		if db.NoRows(err) {
			return noSuchBlocked(id)
		}
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "delete from identity_carriers where blocked = $1", id); err != nil {
			return fmt.Errorf("forget carriers: %w", err)
		}
		if _, err := s.DB.Exec(ctx, "delete from identity_blocked where removed_at <> 0 and removed_at < $1", now.Add(-blockedKept).UnixMilli()); err != nil {
			return fmt.Errorf("forget removed values: %w", err)
		}
		shown, err := s.shownValue(kind, lookup, sealed)
		if err != nil {
			return err
		}
		return s.recordRule(ctx, "identity.value_unblocked", id, shown, map[string]any{"kind": kind})
	})
	if err != nil {
		return fmt.Errorf("unblock value: %w", err)
	}
	return nil
}

func noSuchBlocked(id string) error {
	return errs.New(errs.NotFound, "identity.no_such_blocked", "id", id)
}

// shownValue is an identity as it may be shown.
func (s *Service) shownValue(kind, lookup, sealed string) (string, error) {
	if sealed == "" {
		return lookup, nil
	}
	plain, err := s.Keys.Open(field(kind), sealed)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", kind, err)
	}
	return Mask(kind, plain), nil
}

type timeCursor struct {
	T  int64  `json:"t"`
	ID string `json:"i"`
}

// Blocked lists blocked values, newest first. kind narrows; q is a value in full.
func (s *Service) Blocked(ctx context.Context, kind, q, cursor string, limit int) (items []BlockedValue, next string, total int64, err error) {
	c := timeCursor{T: 1 << 62}
	if err := httpx.DecodeCursor(cursor, &c); err != nil {
		return nil, "", 0, err
	}
	cond, args := "removed_at = 0", []any{}
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	if kind != "" {
		cond += " and kind = " + arg(kind)
	}
	if q = strings.TrimSpace(q); q != "" {
		kinds := []string{kind}
		if kind == "" {
			kinds = sortedKeys(known)
		}
		var any []string
		for _, k := range kinds {
			if b, code := s.readBlocked(k, q); code == "" {
				any = append(any, "(kind = "+arg(k)+" and lookup = "+arg(b.key.lookup)+")")
			}
		}
		if len(any) == 0 {
			return []BlockedValue{}, "", 0, nil
		}
		cond += " and (" + strings.Join(any, " or ") + ")"
	}
	if err := s.DB.QueryRow(ctx, "select count(*) from identity_blocked where "+cond, args...).Scan(&total); err != nil {
		return nil, "", 0, fmt.Errorf("count blocked values: %w", err)
	}
	t := arg(c.T)
	cond += " and (created_at < " + t + " or created_at = " + t + " and id < " + arg(c.ID) + ")"
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select id, kind, whole, lookup, value_enc, note, created_at, by_name, searched_at from identity_blocked where %s order by created_at desc, id desc limit %d", cond, limit+1), args...)
	items, err = db.Collect(rows, err, func(r *sql.Rows) (b BlockedValue, err error) {
		var sealed string
		var whole, at, searched int64
		if err = r.Scan(&b.ID, &b.Kind, &whole, &b.lookup, &sealed, &b.Note, &at, &b.By, &searched); err != nil {
			return b, err
		}
		b.Domain, b.CreatedAt = whole != 0, clock.FromMs(at)
		b.Searching = b.Domain && searched == 0
		b.Value, err = s.shownValue(b.Kind, b.lookup, sealed)
		return b, err
	})
	if err != nil {
		return nil, "", 0, fmt.Errorf("list blocked values: %w", err)
	}
	if len(items) > limit {
		items = items[:limit]
		end := items[limit-1]
		next = httpx.EncodeCursor(timeCursor{clock.Ms(end.CreatedAt), end.ID})
	}
	return items, next, total, s.addEffects(ctx, items)
}

// addEffects tells of blocked values who carries them and how often they were sent.
func (s *Service) addEffects(ctx context.Context, items []BlockedValue) error {
	byID := map[string]*BlockedValue{}
	byKind := map[string][]string{}
	ids := make([]string, len(items))
	for i := range items {
		b := &items[i]
		ids[i], byID[b.ID] = b.ID, b
		if !b.Domain {
			byKind[b.Kind] = append(byKind[b.Kind], b.lookup)
		}
	}
	for kind, lookups := range byKind {
		held, err := s.Holders(ctx, kind, lookups)
		if err != nil {
			return err
		}
		for _, b := range byID {
			if b.Kind == kind && !b.Domain && held[b.lookup] != 0 {
				b.Carriers = 1
			}
		}
	}
	err := selectIn(ctx, s.DB, "count carriers", "select blocked, count(*) from identity_carriers where blocked in (%s) group by blocked", nil, ids, func(r *sql.Rows) error {
		var id string
		var n int64
		err := r.Scan(&id, &n)
		byID[id].Carriers = n
		return err
	})
	if err != nil {
		return err
	}
	return selectIn(ctx, s.DB, "count refusals", "select value, sum(count), max(last_at) from identity_refusals where reason = '"+refusedListed+"' and value in (%s) group by value", nil, ids, func(r *sql.Rows) error {
		var id string
		var n, last int64
		err := r.Scan(&id, &n, &last)
		byID[id].Stopped, byID[id].LastAt = n, timeOrNil(last)
		return err
	})
}

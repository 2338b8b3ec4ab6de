package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/secret"
)

func notFound(id string) error { return errs.New(errs.NotFound, "contact.not_found", "id", id) }

func isNotFound(err error) bool {
	var e *errs.Error
	return errors.As(err, &e) && e.Kind == errs.NotFound
}

// NumOf gives the number of a contact by its public id. A merged contact's id
// leads to its survivor. One outside the caller's data scope is not found.
func (s *Service) NumOf(ctx context.Context, id string) (int64, error) {
	var num, into int64
	var owner string
	err := s.DB.QueryRow(ctx, "select num, merged_into, owner_id from contacts where id = $1", id).Scan(&num, &into, &owner)
	for err == nil && into != 0 {
		num = into
		err = s.DB.QueryRow(ctx, "select merged_into, owner_id from contacts where num = $1", num).Scan(&into, &owner)
	}
	if db.NoRows(err) || (err == nil && !auth.ScopeOf(ctx).Sees(owner)) {
		return 0, notFound(id)
	}
	if err != nil {
		return 0, fmt.Errorf("find contact: %w", err)
	}
	return num, nil
}

// Survivors maps the numbers of merged contacts to whom they are part of now;
// others are left out. Inside a transaction, call it before other tables are
// written: nobody merges contacts until the transaction ends.
func (s *Service) Survivors(ctx context.Context, nums []int64) (map[int64]int64, error) {
	if s.DB.InTx(ctx) {
		if err := lock(ctx, s.DB); err != nil {
			return nil, err
		}
	}
	out := map[int64]int64{}
	for ask := nums; len(ask) > 0; {
		var next []int64
		step := map[int64]int64{}
		err := selectIn(ctx, s.DB, "find survivors", "select num, merged_into from contacts where num in (%s) and merged_into <> 0", nil, ask, func(r *sql.Rows) error {
			var n, into int64
			err := r.Scan(&n, &into)
			step[n] = into
			next = append(next, into)
			return err
		})
		if err != nil {
			return nil, err
		}
		for n, into := range step {
			out[n] = into
		}
		ask = next
	}
	final := map[int64]int64{}
	for _, n := range nums {
		if into, ok := out[n]; ok {
			for out[into] != 0 {
				into = out[into]
			}
			final[n] = into
		}
	}
	return final, nil
}

// Refs gives public id and name by number; a merged contact's are its survivor's.
func (s *Service) Refs(ctx context.Context, nums []int64) (map[int64]Ref, error) {
	out := map[int64]Ref{}
	into := map[int64][]int64{}
	err := selectIn(ctx, s.DB, "name contacts", "select num, id, name, merged_into from contacts where num in (%s)", nil, nums, func(r *sql.Rows) error {
		var num, merged int64
		var ref Ref
		err := r.Scan(&num, &ref.ID, &ref.Name, &merged)
		if merged != 0 {
			into[merged] = append(into[merged], num)
		} else {
			out[num] = ref
		}
		return err
	})
	if err != nil || len(into) == 0 {
		return out, err
	}
	survivors, err := s.Refs(ctx, sortedKeys(into))
	if err != nil {
		return nil, err
	}
	for n, froms := range into {
		for _, f := range froms {
			if ref, ok := survivors[n]; ok {
				out[f] = ref
			}
		}
	}
	return out, nil
}

const rowColumns = "num, id, name, kind, city, channel, owner_id, orders, revenue, created_at, last_seen_at"

// ListByNums gives contacts as rows in the order of nums. A merged one stands
// for its survivor; each comes once; those that are gone or outside the
// caller's data scope are left out.
func (s *Service) ListByNums(ctx context.Context, nums []int64) ([]Row, error) {
	nums, err := s.InScope(ctx, nums)
	if err != nil {
		return nil, err
	}
	return s.rowsOf(ctx, nums)
}

// rowsOf is ListByNums for contacts that the caller was found to see, or has
// just given out of hand.
func (s *Service) rowsOf(ctx context.Context, nums []int64) ([]Row, error) {
	if len(nums) == 0 {
		return []Row{}, nil
	}
	moved, err := s.Survivors(ctx, nums)
	if err != nil {
		return nil, err
	}
	order := make([]int64, 0, len(nums))
	place := map[int64]*Row{}
	for _, n := range nums {
		if into, ok := moved[n]; ok {
			n = into
		}
		if _, ok := place[n]; !ok {
			place[n] = nil
			order = append(order, n)
		}
	}
	owners := map[int64]string{}
	err = selectIn(ctx, s.DB, "read contacts", "select "+rowColumns+" from contacts where num in (%s)", nil, order, func(r *sql.Rows) error {
		var row Row
		var owner, revenue string
		var created, seen int64
		err := r.Scan(&row.num, &row.ID, &row.Name, &row.Kind, &row.City, &row.Channel, &owner, &row.Orders, &revenue, &created, &seen)
		if err != nil {
			return err
		}
		row.CreatedAt, row.LastSeenAt, row.Tags = clock.FromMs(created), timeOrNil(seen), []TagRef{}
		if row.revenue, err = decodeRevenue(revenue); err != nil {
			return err
		}
		row.Revenue = amounts(row.revenue)
		if owner != "" {
			owners[row.num] = owner
		}
		place[row.num] = &row
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.addTags(ctx, place, order); err != nil {
		return nil, err
	}
	if err := s.addContactData(ctx, place, order); err != nil {
		return nil, err
	}
	if err := s.addStandings(ctx, place, order); err != nil {
		return nil, err
	}
	s.addOwners(ctx, place, owners)
	out := make([]Row, 0, len(order))
	for _, n := range order {
		if place[n] != nil {
			out = append(out, *place[n])
		}
	}
	return out, nil
}

func timeOrNil(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := clock.FromMs(ms)
	return &t
}

func amounts(rs []Revenue) []Money {
	out := make([]Money, 0, len(rs))
	for _, r := range rs {
		out = append(out, Money{r.Amount, r.Currency})
	}
	return out
}

func (s *Service) addTags(ctx context.Context, rows map[int64]*Row, nums []int64) error {
	return selectIn(ctx, s.DB, "read tags", tagsSQL, nil, nums, func(r *sql.Rows) error {
		var num int64
		var t TagRef
		if err := r.Scan(&num, &t.ID, &t.Name, &t.Group, &t.Color); err != nil {
			return err
		}
		if row := rows[num]; row != nil {
			row.Tags = append(row.Tags, t)
		}
		return nil
	})
}

// phonesSQL names its index: SQLite would rather walk every phone number there is.
func phonesSQL(d *db.DB) string {
	return "select contact, kind, value_enc, last_seen from identities" + d.Pick(" indexed by identities_by_contact", "") + " where contact in (%s) and kind in ('phone', 'email')"
}

const tagsSQL = `select ct.contact, t.id, t.name, g.name, t.color from contact_tags ct
	join tags t on t.id = ct.tag join tag_groups g on g.id = t.group_id where ct.contact in (%s) order by g.position, g.created_at, t.position, t.created_at, t.id`

// addContactData shows the phone number and e-mail address last seen, masked.
func (s *Service) addContactData(ctx context.Context, rows map[int64]*Row, nums []int64) error {
	type seen struct {
		sealed string
		at     int64
	}
	newest := map[int64]map[string]seen{}
	err := selectIn(ctx, s.DB, "read phones and e-mails", phonesSQL(s.DB), nil, nums, func(r *sql.Rows) error {
		var num int64
		var kind string
		var v seen
		if err := r.Scan(&num, &kind, &v.sealed, &v.at); err != nil {
			return err
		}
		if newest[num] == nil {
			newest[num] = map[string]seen{}
		}
		if old, ok := newest[num][kind]; !ok || v.at > old.at {
			newest[num][kind] = v
		}
		return nil
	})
	if err != nil {
		return err
	}
	for num, kinds := range newest {
		row := rows[num]
		if row == nil {
			continue
		}
		for kind, v := range kinds {
			plain, err := s.Keys.Open(field(kind), v.sealed)
			if err != nil {
				return fmt.Errorf("open %s: %w", kind, err)
			}
			if kind == KindPhone {
				row.Phone = Mask(kind, plain)
			} else {
				row.Email = Mask(kind, plain)
			}
		}
	}
	return nil
}

func (s *Service) addOwners(ctx context.Context, rows map[int64]*Row, owners map[int64]string) {
	names := s.userNames(ctx, owners)
	for num, id := range owners {
		if row := rows[num]; row != nil {
			row.Owner = &Ref{id, names[id]}
		}
	}
}

func (s *Service) userNames(ctx context.Context, of map[int64]string) map[string]string {
	if s.People == nil || len(of) == 0 {
		return nil
	}
	var ids []string
	for _, id := range of {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return s.People.Names(ctx, ids)
}

// Get gives a contact's profile by its public id; a merged contact's id gives its survivor.
func (s *Service) Get(ctx context.Context, id string) (Contact, error) {
	num, err := s.NumOf(ctx, id)
	if err != nil {
		return Contact{}, err
	}
	return s.profile(ctx, num)
}

func (s *Service) profile(ctx context.Context, num int64) (Contact, error) {
	rows, err := s.rowsOf(ctx, []int64{num})
	if err != nil {
		return Contact{}, err
	}
	if len(rows) == 0 {
		return Contact{}, notFound(fmt.Sprint(num))
	}
	c := Contact{Row: rows[0]}
	var first, last Touch
	var attrs, importID string
	var firstOrder, lastOrder int64
	err = s.DB.QueryRow(ctx, `select avatar, gender, birthday, attributes, channel, first_source, first_medium, first_campaign, first_at,
		last_channel, last_source, last_medium, last_campaign, last_at, first_order_at, last_order_at, facts, import_id from contacts where num = $1`, c.num).
		Scan(&c.Avatar, &c.Gender, &c.Birthday, &attrs, &first.Channel, &first.Source, &first.Medium, &first.Campaign, &first.At,
			&last.Channel, &last.Source, &last.Medium, &last.Campaign, &last.At, &firstOrder, &lastOrder, &c.Facts, &importID)
	if err != nil {
		return Contact{}, fmt.Errorf("read contact: %w", err)
	}
	c.FirstTouch, c.LastTouch = touchView(first), touchView(last)
	c.FirstOrderAt, c.LastOrderAt = timeOrNil(firstOrder), timeOrNil(lastOrder)
	c.AverageOrder = averages(c.revenue, c.Orders)
	if c.Attributes, err = s.attributes(ctx, attrs); err != nil {
		return Contact{}, err
	}
	if c.Identities, err = s.identities(ctx, c.num); err != nil {
		return Contact{}, err
	}
	if c.MergedFrom, err = s.mergedFrom(ctx, c.num); err != nil {
		return Contact{}, err
	}
	if c.Conflicts, err = s.conflictsOf(ctx, c.num); err != nil {
		return Contact{}, err
	}
	if err := s.addGiven(ctx, &c); err != nil {
		return Contact{}, err
	}
	c.Import, err = s.importRef(ctx, importID)
	return c, err
}

func touchView(t Touch) *TouchView {
	if t.At == 0 {
		return nil
	}
	return &TouchView{t.Channel, t.Source, t.Medium, t.Campaign, clock.FromMs(t.At)}
}

// averages divides, rounding half away from zero. Without a count by currency
// only a single currency can be divided.
func averages(rs []Revenue, orders int64) []Money {
	out := []Money{}
	for _, r := range rs {
		n := r.Orders
		if n == 0 && len(rs) == 1 {
			n = orders
		}
		if n <= 0 {
			continue
		}
		half := n / 2
		if r.Amount < 0 {
			half = -half
		}
		out = append(out, Money{(r.Amount + half) / n, r.Currency})
	}
	return out
}

// attributes shows what a contact's custom attributes hold: defined ones in
// their canonical form, others as they came.
func (s *Service) attributes(ctx context.Context, encoded string) ([]Attribute, error) {
	m, err := decodeMap[json.RawMessage](encoded)
	if err != nil {
		return nil, err
	}
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return nil, err
	}
	english := httpx.Lang(ctx) == i18n.EN
	out := make([]Attribute, 0, len(m))
	for _, key := range sortedKeys(m) {
		a := Attribute{Key: key, Label: key}
		def := defs.get(key)
		if def != nil {
			if def.archived && !def.Personal.Sealed() {
				continue
			}
			a.Label, a.Type = def.Name(english), string(def.Type)
		}
		raw, shown, fits, err := s.engine.shown(defs, key, m[key])
		if err != nil {
			return nil, err
		}
		a.Unfit = !fits
		switch {
		case raw == nil:
			continue
		case shown != "":
			a.Value, a.Masked = shown, true
		default:
			if err := json.Unmarshal(raw, &a.Value); err != nil {
				return nil, fmt.Errorf("decode attribute %s: %w", key, err)
			}
		}
		out = append(out, a)
	}
	return out, nil
}

// shown gives a kept value as it may be seen: masked text when it is personal.
// Nil is nothing to show. A value that does not fit its definition, from before
// there was one, comes as it is.
func (e *engine) shown(defs *definitions, key string, kept json.RawMessage) (raw json.RawMessage, masked string, fits bool, err error) {
	def := defs.get(key)
	sealed := isSealed(kept) || defs.named(key)
	if sealed && (def == nil || def.Personal == attribute.Sensitive) {
		return kept, "****", true, nil
	}
	if def == nil {
		return kept, "", true, nil
	}
	if kept, err = e.openAttribute(key, kept); err != nil {
		return nil, "", false, fmt.Errorf("open attribute %s: %w", key, err)
	}
	v, f := def.read(kept)
	if fits = f == nil; fits {
		kept = v
	}
	if !sealed || kept == nil {
		return kept, "", fits, nil
	}
	switch word := def.Show(kept); def.Type {
	case attribute.Phone:
		return kept, secret.MaskPhone(word), fits, nil
	case attribute.Email:
		return kept, secret.MaskEmail(word), fits, nil
	default:
		return kept, secret.Mask(word), fits, nil
	}
}

// identityID names an identity in the API without telling its value.
func identityID(k idKey) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(k.kind + "\x00" + k.lookup)) // a hash never fails
	return fmt.Sprintf("idn_%016x", h.Sum64())
}

func (s *Service) identities(ctx context.Context, num int64) ([]Identity, error) {
	rows, err := s.DB.Query(ctx, "select kind, lookup, value_enc, first_seen, last_seen, source from identities where contact = $1 order by first_seen, kind, lookup limit 500", num)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (i Identity, err error) {
		var k idKey
		var sealed string
		var first, last int64
		if err := r.Scan(&k.kind, &k.lookup, &sealed, &first, &last, &i.Source); err != nil {
			return i, err
		}
		i.ID, i.Kind, i.Value = identityID(k), k.kind, k.lookup
		i.FirstSeenAt, i.LastSeenAt = clock.FromMs(first), clock.FromMs(last)
		if sealed != "" {
			plain, err := s.Keys.Open(field(k.kind), sealed)
			if err != nil {
				return i, err
			}
			i.Value, i.Masked = Mask(k.kind, plain), true
		}
		return i, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	slices.SortStableFunc(out, func(a, b Identity) int { return traitOf(b.Kind).priority - traitOf(a.Kind).priority })
	return out, nil
}

func (s *Service) mergedFrom(ctx context.Context, num int64) ([]MergedFrom, error) {
	rows, err := s.DB.Query(ctx, `select c.id, m.at, m.reason, m.detail from contact_merges m join contacts c on c.num = m.from_num
		where m.into_num = $1 and m.undone_at = 0 order by m.at desc, m.id desc limit 100`, num)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (m MergedFrom, err error) {
		var at int64
		var by string
		err = r.Scan(&m.ID, &at, &m.Why, &by)
		m.At = clock.FromMs(at)
		m.Why = strings.TrimSuffix(m.Why+":"+by, ":")
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("read merges: %w", err)
	}
	return out, nil
}

func (s *Service) conflictsOf(ctx context.Context, num int64) ([]ConflictRef, error) {
	holders := []int64{}
	rows, err := s.DB.Query(ctx, `select kind, reason, holder, count, last_at from identity_conflicts where contact = $1 order by last_at desc limit 20`, num)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (c ConflictRef, err error) {
		var holder, last int64
		err = r.Scan(&c.Kind, &c.Reason, &holder, &c.Count, &last)
		c.LastAt = clock.FromMs(last)
		holders = append(holders, holder)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read conflicts: %w", err)
	}
	refs, err := s.Refs(ctx, holders)
	if err != nil {
		return nil, err
	}
	hidden, err := s.outside(ctx, holders)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if ref, ok := refs[holders[i]]; ok && !hidden[holders[i]] {
			out[i].Other = &ref
		}
	}
	return out, nil
}

func (s *Service) importRef(ctx context.Context, id string) (*Ref, error) {
	if id == "" {
		return nil, nil
	}
	ref := &Ref{ID: id}
	if s.Imports != nil {
		names, err := s.Imports.Names(ctx, []string{id})
		if err != nil {
			return nil, fmt.Errorf("name import: %w", err)
		}
		ref.Name = names[id]
	}
	return ref, nil
}

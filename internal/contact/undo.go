package contact

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// UndoResult says what an undo did.
type UndoResult struct {
	Restored int64 // contacts put back to what they were
	Removed  int64 // contacts that the import had made
	Kept     int64 // made by the import, but with a life of their own since
}

// undoBatch is how many contacts one transaction of an undo puts back.
const undoBatch = 500

// UndoImport takes back what an import did to contacts: those it changed get
// back what they had, where nobody changed it again since; those it made are
// removed unless they gained facts of other origin, orders, notes, tags or
// identities. Two people that a row made one stay one. The facts of the import
// must be erased and its orders taken back before. Running it again goes on
// where it stopped; progress may be nil.
func (s *Service) UndoImport(ctx context.Context, importID string, progress func(done, total int64)) (UndoResult, error) {
	var res UndoResult
	if importID == "" {
		return res, nil
	}
	var total, done, last int64
	if err := s.DB.QueryRow(ctx, "select count(*) from ("+concerned("")+") as c", importID).Scan(&total); err != nil {
		return res, fmt.Errorf("count what to undo: %w", err)
	}
	for {
		if err := s.forgetRemoved(ctx); err != nil {
			return res, err
		}
		rows, err := s.DB.Query(ctx, "select num from ("+concerned(fmt.Sprintf("and contact > $2 order by contact limit %d", undoBatch))+fmt.Sprintf(") as c order by num limit %d", undoBatch), importID, last)
		nums, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
		if err != nil {
			return res, fmt.Errorf("find what to undo: %w", err)
		}
		if len(nums) == 0 {
			return res, nil
		}
		var part UndoResult
		err = s.DB.Tx(ctx, func(ctx context.Context) error {
			part = UndoResult{}
			return s.undoSome(ctx, importID, nums, &part)
		})
		if err != nil {
			return res, fmt.Errorf("undo import %s: %w", importID, err)
		}
		res.Restored += part.Restored
		res.Removed += part.Removed
		res.Kept += part.Kept
		last = nums[len(nums)-1]
		if done += int64(len(nums)); progress != nil {
			progress(min(done, total), total)
		}
	}
}

// concerned is a query of the contacts that an import made or changed by rows,
// and of those that it gave facts, and so perhaps made. tail goes into each part.
func concerned(tail string) string {
	part := func(table string) string {
		return "select num from (select contact as num from " + table + " where import_id = $1 " + tail + ") as " + table + "_part"
	}
	return part("contact_import_changes") + " union " + part("contact_import_facts")
}

// forgetRemoved lets everybody else forget contacts whose removal is committed.
func (s *Service) forgetRemoved(ctx context.Context) error {
	for {
		rows, err := s.DB.Query(ctx, "select num from contact_removals order by num limit 1000")
		nums, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
		if err != nil {
			return fmt.Errorf("read removed contacts: %w", err)
		}
		if len(nums) == 0 {
			return nil
		}
		for _, hook := range s.removed {
			if err := hook(ctx, nums); err != nil {
				return fmt.Errorf("forget removed contacts: %w", err)
			}
		}
		if _, err := s.DB.Exec(ctx, "delete from contact_removals where num <= $1", nums[len(nums)-1]); err != nil {
			return fmt.Errorf("settle removed contacts: %w", err)
		}
	}
}

// undoing is one contact while an import is being undone.
type undoing struct {
	num                     int64
	kind                    event.Kind
	importID, owner         string
	facts, orders, lastSeen int64
	createdAt, mergedInto   int64
	first                   Touch
	rec                     record
	kinds                   uint64
	keep, drop              []idKey // identities by what becomes of them
	foreign                 bool    // has tags, notes or merged contacts of other origin
	page                    *page
	importFacts, partFacts  int64 // given to itself, and to those merged into it
	importLast, seenBefore  int64
}

func (s *Service) undoSome(ctx context.Context, importID string, nums []int64, res *UndoResult) error {
	if err := lock(ctx, s.DB); err != nil {
		return err
	}
	us, err := s.undoings(ctx, importID, nums)
	if err != nil {
		return err
	}
	var gone, stay []*undoing
	for _, n := range sortedKeys(us) {
		switch u := us[n]; {
		case u.mergedInto != 0: // its survivor has what it had
		case u.importID == importID && u.untouched(importID):
			gone = append(gone, u)
		case u.importID == importID:
			res.Kept++
			u.keep, u.drop = append(u.keep, u.drop...), nil
			u.page = nil
			stay = append(stay, u)
		default:
			res.Restored++
			stay = append(stay, u)
		}
	}
	res.Removed = int64(len(gone))
	if err := s.takeBackFacts(ctx, us); err != nil {
		return err
	}
	if err := s.putBack(ctx, importID, stay); err != nil {
		return err
	}
	if err := s.remove(ctx, importID, gone); err != nil {
		return err
	}
	for _, table := range []string{"contact_import_changes", "contact_import_facts"} {
		if err := s.deleteWhere(ctx, table, "contact", "import_id = $1", importID, nums); err != nil {
			return err
		}
	}
	s.counts.stale(ctx, s.DB)
	return s.engine.moved(ctx)
}

// untouched tells whether a contact made by the import has nothing but what the import gave it.
func (u *undoing) untouched(importID string) bool {
	if u.foreign || u.orders > 0 || u.facts > u.importFacts+u.partFacts || len(u.keep) > 0 {
		return false
	}
	if u.page == nil { // made by the facts of an import of orders or events
		return u.owner == ""
	}
	return u.owner == u.page.after.Owner && maps.Equal(u.rec.written, u.page.after.Written)
}

// undoings loads all that decides about contacts.
func (s *Service) undoings(ctx context.Context, importID string, nums []int64) (map[int64]*undoing, error) {
	us := map[int64]*undoing{}
	err := selectIn(ctx, s.DB, "load contacts", `select num, name, gender, birthday, city, avatar, attributes, written, kind, import_id, owner_id, facts, orders, last_seen_at,
		created_at, channel, first_source, first_medium, first_campaign, first_at, merged_into from contacts where num in (%s)`, nil, nums, func(r *sql.Rows) error {
		var u undoing
		var attrs, written string
		err := r.Scan(&u.num, &u.rec.name, &u.rec.gender, &u.rec.birthday, &u.rec.city, &u.rec.avatar, &attrs, &written, &u.kind, &u.importID, &u.owner, &u.facts, &u.orders, &u.lastSeen,
			&u.createdAt, &u.first.Channel, &u.first.Source, &u.first.Medium, &u.first.Campaign, &u.first.At, &u.mergedInto)
		if err != nil {
			return err
		}
		if u.rec.attributes, err = decodeMap[json.RawMessage](attrs); err != nil {
			return err
		}
		u.rec.written, err = decodeMap[int64](written)
		us[u.num] = &u
		return err
	})
	if err != nil {
		return nil, err
	}
	type part struct {
		what, text string
		fixed      []any
		scan       func(r *sql.Rows) error
	}
	for _, p := range []part{
		{"read changes of the import", "select contact, before, after from contact_import_changes where import_id = $1 and contact in (%s)", []any{importID}, func(r *sql.Rows) error {
			var p page
			var bef, aft string
			if err := r.Scan(&p.num, &bef, &aft); err != nil {
				return err
			}
			if us[p.num] != nil {
				us[p.num].page = &p
			}
			return decodePage(&p, bef, aft)
		}},
		{"read facts of the import", "select contact, facts, last_at, seen_before from contact_import_facts where import_id = $1 and contact in (%s)", []any{importID}, func(r *sql.Rows) error {
			var num, facts, last, seen int64
			err := r.Scan(&num, &facts, &last, &seen)
			if u := us[num]; u != nil {
				u.importFacts, u.importLast, u.seenBefore = facts, last, seen
			}
			return err
		}},
		{"read identities", "select contact, kind, lookup, import_id, first_seen, last_seen from identities where contact in (%s)", nil, func(r *sql.Rows) error {
			var num, first, last int64
			var k idKey
			var imp string
			if err := r.Scan(&num, &k.kind, &k.lookup, &imp, &first, &last); err != nil {
				return err
			}
			if u := us[num]; u != nil {
				if imp == importID && (first == last || u.importID == importID) {
					u.drop = append(u.drop, k)
				} else {
					u.keep = append(u.keep, k)
				}
			}
			return nil
		}},
	} {
		if err := selectIn(ctx, s.DB, p.what, p.text, p.fixed, nums, p.scan); err != nil {
			return nil, err
		}
	}
	if err := s.factsOfParts(ctx, importID, us); err != nil {
		return nil, err
	}
	for _, text := range []string{
		"select contact from contact_tags where import_id <> $1 and contact in (%s)",
		"select contact from contact_notes where id <> $1 and contact in (%s)",
		"select merged_into from contacts where import_id <> $1 and merged_into <> 0 and merged_into in (%s)",
	} {
		err := selectIn(ctx, s.DB, "read what else contacts have", text, []any{importID}, nums, func(r *sql.Rows) error {
			var num int64
			err := r.Scan(&num)
			if u := us[num]; u != nil {
				u.foreign = true
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return us, nil
}

// factsOfParts counts what the import gave to those merged into the contacts.
func (s *Service) factsOfParts(ctx context.Context, importID string, us map[int64]*undoing) error {
	into := map[int64]*undoing{}
	for ask := sortedKeys(us); len(ask) > 0; {
		var next []int64
		err := selectIn(ctx, s.DB, "find merged contacts", "select num, merged_into from contacts where merged_into <> 0 and merged_into in (%s)", nil, ask, func(r *sql.Rows) error {
			var n, root int64
			err := r.Scan(&n, &root)
			if into[n] = into[root]; us[root] != nil {
				into[n] = us[root]
			}
			next = append(next, n)
			return err
		})
		if err != nil {
			return err
		}
		ask = next
	}
	return selectIn(ctx, s.DB, "read facts of the import", "select contact, facts from contact_import_facts where import_id = $1 and contact in (%s)", []any{importID}, sortedKeys(into), func(r *sql.Rows) error {
		var n, facts int64
		err := r.Scan(&n, &facts)
		for u := into[n]; u != nil; u = us[u.mergedInto] {
			u.partFacts += facts
		}
		return err
	})
}

// takeBackFacts takes the facts of the import off what contacts did, merged ones too.
func (s *Service) takeBackFacts(ctx context.Context, us map[int64]*undoing) error {
	var nums []int64
	for _, n := range sortedKeys(us) {
		if us[n].importFacts > 0 {
			nums = append(nums, n)
		}
	}
	err := updateMany(ctx, s.DB, "contacts", `own_facts = contacts.own_facts - {facts},
		own_seen_at = case when contacts.own_seen_at = {last} then {before} else contacts.own_seen_at end`,
		"contacts.num = {num}", columns("num:n facts:n last:n before:n"), len(nums), func(i int) []any {
			u := us[nums[i]]
			return []any{u.num, u.importFacts, u.importLast, u.seenBefore}
		})
	if err != nil {
		return err
	}
	into, err := s.Survivors(ctx, nums)
	if err != nil {
		return err
	}
	for i, n := range nums {
		nums[i] = cmp.Or(into[n], n)
	}
	slices.Sort(nums)
	return s.foldActivity(ctx, slices.Compact(nums))
}

// putBack gives contacts that stay what they had before the import.
func (s *Service) putBack(ctx context.Context, importID string, us []*undoing) error {
	if len(us) == 0 {
		return nil
	}
	var dropped []idKey
	var changed []*state
	var moves []OwnerMove
	nums := make([]int64, len(us))
	for i, u := range us {
		nums[i] = u.num
		dropped = append(dropped, u.drop...)
		for _, k := range u.keep {
			u.kinds |= traitOf(k.kind).bit
		}
		if u.kinds != 0 && u.kinds&strongBits == 0 {
			u.kind = event.Visitor // only its device is left of what the import had named
		}
		if p := u.page; p != nil && !p.made {
			had := u.owner
			u.restore(p)
			if u.owner != had {
				moves = append(moves, OwnerMove{u.num, had, u.owner})
			}
			changed = append(changed, &state{snapshot: snapshot{num: u.num}, rec: &u.rec})
		}
	}
	if err := s.engine.writeRecords(ctx, changed); err != nil {
		return err
	}
	now := s.Clock.Now().UnixMilli()
	err := updateMany(ctx, s.DB, "contacts", `kind = {kind}, shown = {shown}, kinds = {kinds} | (contacts.kinds & {apart}), owner_id = {owner}, created_at = {created}, channel = {channel},
		first_source = {source}, first_medium = {medium}, first_campaign = {campaign}, first_at = {at}, updated_at = {now}`,
		"contacts.num = {num}", columns("num:n kind shown:n kinds:n owner created:n channel source medium campaign at:n apart:n now:n"), len(us), func(i int) []any {
			u := us[i]
			t := u.first
			return []any{u.num, string(u.kind), shownOf(u.kind), int64(u.kinds), u.owner, u.createdAt, t.Channel, t.Source, t.Medium, t.Campaign, t.At, int64(apartBit), now}
		})
	if err != nil {
		return err
	}
	if err := s.keepOwners(ctx, moves, OwnerReason{How: OwnedUndone}, s.Clock.Now()); err != nil {
		return err
	}
	if err := s.engine.settleTouch(ctx, nums); err != nil {
		return err
	}
	if err := s.engine.reshown(ctx, nums); err != nil {
		return err
	}
	if err := s.engine.reindex(ctx, nums); err != nil {
		return err
	}
	for _, k := range dropped {
		if _, err := s.DB.Exec(ctx, "delete from identities where kind = $1 and lookup = $2", k.kind, k.lookup); err != nil {
			return fmt.Errorf("take back identity: %w", err)
		}
	}
	if err := s.deleteWhere(ctx, "contact_tags", "contact", "import_id = $1", importID, nums); err != nil {
		return err
	}
	// tags of exclusive groups that the import's tags took the place of come back
	back, _, err := s.takeBack(ctx, importID, nums, giving{at: now, source: "undo"})
	if err != nil {
		return err
	}
	if err := s.deleteWhere(ctx, "tag_run_changes", "contact", "run = $1", importID, nums); err != nil {
		return err
	}
	if err := s.Emit.Emit(ctx, s.tagFacts(back, clock.FromMs(now), "undo", "")...); err != nil {
		return fmt.Errorf("state tags: %w", err)
	}
	facts := make([]event.Fact, len(us))
	for i, u := range us {
		facts[i] = s.fact(event.NameContactUpdated, u.num, clock.FromMs(now), map[string]any{"undone": importID})
	}
	if err := s.Emit.Emit(ctx, facts...); err != nil {
		return fmt.Errorf("state undone contacts: %w", err)
	}
	return nil
}

// restore takes back what the import wrote and nobody wrote over since.
func (u *undoing) restore(p *page) {
	old := record{p.before.Name, p.before.Gender, p.before.Birthday, p.before.City, p.before.Avatar, p.before.Attributes, p.before.Written, nil, nil}
	for key, at := range p.after.Written {
		if u.rec.written[key] != at {
			continue
		}
		if col := u.rec.column(key); col != nil {
			*col = *old.column(key)
		} else if v, ok := old.attributes[key]; ok {
			u.rec.attributes[key] = v
		} else {
			delete(u.rec.attributes, key)
		}
		if was, ok := old.written[key]; ok {
			u.rec.written[key] = was
		} else {
			delete(u.rec.written, key)
		}
	}
	if p.after.Owner != "" && u.owner == p.after.Owner {
		u.owner = p.before.Owner
	}
	if p.after.CreatedAt != 0 && u.createdAt == p.after.CreatedAt {
		u.createdAt = p.before.CreatedAt
	}
	if p.after.FirstAt != 0 && u.first.At == p.after.FirstAt && p.before.First != nil {
		u.first = *p.before.First
	}
}

// remove deletes contacts that the import made, and those merged into them.
func (s *Service) remove(ctx context.Context, importID string, us []*undoing) error {
	if len(us) == 0 {
		return nil
	}
	nums := make([]int64, len(us))
	for i, u := range us {
		nums[i] = u.num
	}
	for from := 0; from < len(nums); { // and those merged into those
		to := len(nums)
		err := selectIn(ctx, s.DB, "find merged contacts", "select num from contacts where merged_into <> 0 and merged_into in (%s)", nil, nums[from:to:to], func(r *sql.Rows) error {
			var n int64
			err := r.Scan(&n)
			nums = append(nums, n)
			return err
		})
		if err != nil {
			return err
		}
		from = to
	}
	now := s.Clock.Now().UnixMilli()
	err := insertMany(ctx, s.DB, "contact_removals", columns("num:n import_id at:n"), len(nums), func(i int) []any { return []any{nums[i], importID, now} }, "on conflict (num) do nothing")
	if err != nil {
		return err
	}
	for _, t := range []struct{ table, col string }{
		{"identities", "contact"}, {"contact_tags", "contact"}, {"tag_run_changes", "contact"}, {"contact_import_facts", "contact"}, {"contact_import_changes", "contact"},
		{"identity_conflicts", "contact"}, {"identity_conflicts", "holder"}, {"contact_merges", "into_num"}, {"contact_merges", "from_num"}, {"identity_carriers", "contact"}, {"contact_apart", "contact"}, {"contact_apart", "other"}, {"contact_apart", "home"}, {"contact_apart", "other_home"}, {"contact_attribute_values", "contact"}, {"contact_attribute_history", "contact"}, {"contact_owner_changes", "contact"}, {"contacts", "num"},
	} {
		if err := s.deleteWhere(ctx, t.table, t.col, "$1 <> ''", importID, nums); err != nil {
			return err
		}
	}
	return nil
}

// deleteWhere deletes the rows of contacts that meet a condition on $1.
func (s *Service) deleteWhere(ctx context.Context, table, col, cond string, arg any, nums []int64) error {
	return selectIn(ctx, s.DB, "delete from "+table, "delete from "+table+" where "+cond+" and "+col+" in (%s) returning "+col, []any{arg}, nums, func(*sql.Rows) error { return nil })
}

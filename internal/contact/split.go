package contact

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// SplitHook gives back what another package keeps by contact number when a
// merge is undone. It runs inside the transaction; an error stops the undo.
type SplitHook func(ctx context.Context, splits []Split) error

// Split says that Contact, which was part of From, is a contact of its own
// again. Members are the numbers that are it from now on, itself among them:
// what came to one of them is its, all else stays with From.
type Split struct {
	MergeID string
	Contact int64
	From    int64
	// ContactID and FromID are the public ids.
	ContactID, FromID string
	Members           []int64
}

// mergeRow is a recorded merge.
type mergeRow struct {
	id                        string
	from, into                int64
	at, undone                int64
	undoable                  bool
	reason, kind, lookup      string
	message, factName         string
	factAt                    int64
	note, byID, byName        string
	undoneByID, undoneByName  string
	undoneNote, moved, before string
}

const mergeColumns = `m.id, m.from_num, m.into_num, m.at, m.undone_at, m.undoable, m.reason, m.detail, m.lookup, m.message_id, m.fact_name, m.fact_at,
	m.note, m.by_id, m.by_name, m.undone_by_id, m.undone_by_name, m.undone_note, m.moved, m.before`

func scanMerge(r interface{ Scan(...any) error }) (m mergeRow, err error) {
	var undoable int64
	err = r.Scan(&m.id, &m.from, &m.into, &m.at, &m.undone, &undoable, &m.reason, &m.kind, &m.lookup, &m.message, &m.factName, &m.factAt,
		&m.note, &m.byID, &m.byName, &m.undoneByID, &m.undoneByName, &m.undoneNote, &m.moved, &m.before)
	m.undoable = undoable == 1
	return m, err
}

func (s *Service) mergeByID(ctx context.Context, id string) (mergeRow, error) {
	m, err := scanMerge(s.DB.QueryRow(ctx, "select "+mergeColumns+" from contact_merges m where m.id = $1", id))
	if db.NoRows(err) {
		return m, errs.New(errs.NotFound, "contact.no_such_merge", "id", id)
	}
	if err != nil {
		return m, fmt.Errorf("read merge: %w", err)
	}
	return m, nil
}

// UndoMerge takes a merge back, whatever was merged before or after it. The
// contact that was merged stands alone again with what it had, and with what
// came by its own identifiers since; the survivor keeps the rest. The two are
// kept apart from then on.
func (s *Service) UndoMerge(ctx context.Context, mergeID, reason string) (Split, error) {
	reason, err := checkReason(reason)
	if err != nil {
		return Split{}, err
	}
	var out Split
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		u, err := s.undoingMerge(ctx, mergeID)
		if err != nil {
			return err
		}
		out = u.split()
		return s.undoMerge(ctx, u, reason)
	})
	if err != nil {
		return Split{}, fmt.Errorf("undo merge: %w", err)
	}
	return out, nil
}

// unmerging is what an undo needs to know.
type unmerging struct {
	mergeRow
	path    []int64 // whom the contact is part of, up to the survivor of today
	members []int64 // it and those merged into it
	refs    map[int64]Ref
}

func (u *unmerging) root() int64 { return u.path[len(u.path)-1] }

func (u *unmerging) split() Split {
	return Split{MergeID: u.id, Contact: u.from, From: u.root(), ContactID: u.refs[u.from].ID, FromID: u.refs[u.root()].ID, Members: u.members}
}

// undoingMerge checks that a merge can be undone by whoever asks.
func (s *Service) undoingMerge(ctx context.Context, mergeID string) (*unmerging, error) {
	m, err := s.mergeByID(ctx, mergeID)
	if err != nil {
		return nil, err
	}
	if m.undone != 0 {
		return nil, errs.New(errs.Conflict, "contact.merge_undone", "id", mergeID)
	}
	if !m.undoable {
		return nil, errs.New(errs.Conflict, "contact.merge_not_undoable", "id", mergeID)
	}
	u := &unmerging{mergeRow: m}
	for n := m.from; ; {
		var into int64
		err := s.DB.QueryRow(ctx, "select merged_into from contacts where num = $1", n).Scan(&into)
		if db.NoRows(err) || err == nil && n == m.from && into != m.into {
			return nil, errs.New(errs.NotFound, "contact.no_such_merge", "id", mergeID)
		}
		if err != nil {
			return nil, fmt.Errorf("read survivor: %w", err)
		}
		if into == 0 {
			break
		}
		u.path = append(u.path, into)
		n = into
	}
	if u.refs, err = s.plainRefs(ctx, []int64{u.from, u.root()}); err != nil {
		return nil, err
	}
	if _, err := s.NumOf(ctx, u.refs[u.root()].ID); err != nil { // whoever may see the person
		return nil, err
	}
	u.members, err = s.membersOf(ctx, u.from)
	return u, err
}

// plainRefs gives id and name by number, also of merged contacts.
func (s *Service) plainRefs(ctx context.Context, nums []int64) (map[int64]Ref, error) {
	out := map[int64]Ref{}
	err := selectIn(ctx, s.DB, "name contacts", "select num, id, name from contacts where num in (%s)", nil, nums, func(r *sql.Rows) error {
		var n int64
		var ref Ref
		err := r.Scan(&n, &ref.ID, &ref.Name)
		out[n] = ref
		return err
	})
	return out, err
}

// membersOf lists a contact and all that were merged into it.
func (s *Service) membersOf(ctx context.Context, num int64) ([]int64, error) {
	out := []int64{num}
	for from := 0; from < len(out); {
		to := len(out)
		err := selectIn(ctx, s.DB, "find merged contacts", "select num from contacts where merged_into <> 0 and merged_into in (%s) order by num", nil, out[from:to:to], func(r *sql.Rows) error {
			var n int64
			err := r.Scan(&n)
			out = append(out, n)
			return err
		})
		if err != nil {
			return nil, err
		}
		from = to
	}
	return out, nil
}

func (s *Service) undoMerge(ctx context.Context, u *unmerging, reason string) error {
	by, now := principal(ctx), s.Clock.Now()
	if err := s.unfold(ctx, u); err != nil { // while the merge still counts
		return err
	}
	_, err := s.DB.Exec(ctx, "update contact_merges set undone_at = $2, undone_by_id = $3, undone_by_name = $4, undone_note = $5 where id = $1",
		u.id, now.UnixMilli(), by.ID, by.Name, reason)
	if err != nil {
		return fmt.Errorf("mark merge undone: %w", err)
	}
	for _, step := range []func(context.Context, *unmerging) error{s.returnThings, s.settleKinds, s.returnTags} {
		if err := step(ctx, u); err != nil {
			return err
		}
	}
	if err := s.engine.reindex(ctx, []int64{u.from, u.root()}); err != nil {
		return err
	}
	if err := s.foldActivity(ctx, []int64{u.from, u.root()}); err != nil {
		return err
	}
	for _, other := range slices.Compact([]int64{u.into, u.root()}) {
		if err := s.keepApart(ctx, u.from, other, reason); err != nil {
			return err
		}
	}
	if err := s.engine.tell(ctx, []telling{{num: u.from, members: u.members}, {num: u.root(), into: u.root()}}); err != nil {
		return err
	}
	for _, hook := range s.hooks.split {
		if err := hook(ctx, []Split{u.split()}); err != nil {
			return fmt.Errorf("follow split: %w", err)
		}
	}
	if err := s.engine.moved(ctx); err != nil {
		return err
	}
	s.counts.stale(ctx, s.DB)
	left, stays := u.refs[u.from], u.refs[u.root()]
	props := map[string]any{"contact": left.ID, "from": stays.ID, "merge": u.id, "by": by.Name}
	if err := s.Emit.Emit(ctx, s.fact(event.NameContactSplit, u.from, now, props), s.fact(event.NameContactSplit, u.root(), now, props)); err != nil {
		return fmt.Errorf("state split: %w", err)
	}
	return s.record(ctx, "contact.split", stays.ID, stays.Name, map[string]any{"merge": u.id, "contact": left.ID, "reason": reason})
}

// whole is a contact's row: what it comes to with its parts.
type whole struct {
	num int64
	own
	apart *own // what it is without its parts
}

// unfold works out anew what those are whom the contact leaves, from what each
// is by itself and by its other parts.
func (s *Service) unfold(ctx context.Context, u *unmerging) error {
	rows := map[int64]*whole{}
	err := selectIn(ctx, s.DB, "read contacts", `select num, name, gender, birthday, city, avatar, attributes, written, kind, created_at, owner_id, own,
		channel, first_source, first_medium, first_campaign, first_at from contacts where num in (%s)`, nil, u.path, func(r *sql.Rows) error {
		var x whole
		var text string
		t := &x.first
		err := scanRecord(r, &x.num, &x.rec, &x.kind, &x.createdAt, &x.owner, &text, &t.Channel, &t.Source, &t.Medium, &t.Campaign, &t.At)
		if err != nil {
			return err
		}
		x.apart, err = decodeOwn(text)
		rows[x.num] = &x
		return err
	})
	if err != nil {
		return err
	}
	parts, err := s.engine.parts(ctx, u.path)
	if err != nil {
		return err
	}
	for i, n := range u.path {
		var below *whole
		if i > 0 {
			below = rows[u.path[i-1]]
		}
		if err := rows[n].without(parts[n], u.from, below); err != nil {
			return err
		}
	}
	if err := s.writeWholes(ctx, rows, u.path); err != nil {
		return err
	}
	_, err = s.DB.Exec(ctx, "update contacts set merged_into = 0 where num = $1", u.from)
	return err
}

// without makes of x what it is without the part that leaves; below is the part
// of x that the leaving one was part of.
func (x *whole) without(parts []part, leaves int64, below *whole) error {
	if x.apart == nil {
		return fmt.Errorf("contact %d has parts and nothing says what it is without them", x.num)
	}
	sum := x.apart.clone()
	for i := range parts {
		sum.absorb(&parts[i].own)
	}
	x.apart.reconcile(sum, &x.own)
	is := x.apart.clone()
	left := 0
	for i := range parts {
		p := &parts[i].own
		switch {
		case parts[i].num == leaves:
			continue
		case below != nil && parts[i].num == below.num:
			p = &below.own
		}
		left++
		is.absorb(p)
	}
	if x.owner != sum.owner { // set by hand since
		is.owner = x.owner
	}
	x.own = *is
	if left == 0 {
		x.apart = nil
	}
	return nil
}

func (s *Service) writeWholes(ctx context.Context, rows map[int64]*whole, nums []int64) error {
	changed := make([]*state, len(nums))
	for i, n := range nums {
		changed[i] = &state{snapshot: snapshot{num: n}, rec: &rows[n].rec}
	}
	if err := s.engine.writeRecords(ctx, changed); err != nil {
		return err
	}
	var encodeErr error
	err := updateMany(ctx, s.DB, "contacts", `kind = {kind}, created_at = {created}, owner_id = {owner}, own = {own}, channel = {channel},
		first_source = {source}, first_medium = {medium}, first_campaign = {campaign}, first_at = {at}`,
		"contacts.num = {num}", columns("num:n kind created:n owner own channel source medium campaign at:n"), len(nums), func(i int) []any {
			x := rows[nums[i]]
			text, err := encodeOwn(x.apart)
			if err != nil {
				encodeErr = err
			}
			return []any{x.num, string(x.kind), x.createdAt, x.owner, text, x.first.Channel, x.first.Source, x.first.Medium, x.first.Campaign, x.first.At}
		})
	if err := cmp.Or(encodeErr, err); err != nil {
		return err
	}
	return s.engine.settleTouch(ctx, nums)
}

// returnThings gives back identities, notes and what was said of whom to keep apart.
func (s *Service) returnThings(ctx context.Context, u *unmerging) error {
	for _, t := range []struct{ table, col, home string }{
		{"identities", "contact", "home"}, {"contact_notes", "contact", "home"}, {"contact_apart", "contact", "home"}, {"contact_apart", "other", "other_home"},
	} {
		err := selectIn(ctx, s.DB, "give back "+t.table, "update "+t.table+" set "+t.col+" = $1 where "+t.col+" = $2 and "+t.home+" in (%s) returning "+t.col,
			[]any{u.from, u.root()}, u.members, func(*sql.Rows) error { return nil })
		if err != nil {
			return err
		}
	}
	return nil
}

// settleKinds says of both what kinds of identity they carry, and whether each is a person.
func (s *Service) settleKinds(ctx context.Context, u *unmerging) error {
	for _, num := range []int64{u.from, u.root()} {
		var kind event.Kind
		var apart int64
		err := s.DB.QueryRow(ctx, "select kind, (select count(*) from contact_apart a where a.contact = $1) from contacts where num = $1", num).Scan(&kind, &apart)
		if err != nil {
			return fmt.Errorf("read kind: %w", err)
		}
		rows, err := s.DB.Query(ctx, "select distinct kind from identities where contact = $1", num)
		kinds, err := db.Collect(rows, err, func(r *sql.Rows) (k string, err error) { return k, r.Scan(&k) })
		if err != nil {
			return fmt.Errorf("read kinds of identity: %w", err)
		}
		bits := uint64(0)
		if apart > 0 {
			bits = apartBit
		}
		for _, k := range kinds {
			bits |= traitOf(k).bit
		}
		if bits&strongBits != 0 {
			kind = event.Person
		}
		_, err = s.DB.Exec(ctx, "update contacts set kinds = $2, kind = $3, shown = $4, updated_at = $5 where num = $1",
			num, int64(bits), string(kind), shownOf(kind), s.Clock.Now().UnixMilli())
		if err != nil {
			return fmt.Errorf("settle kind: %w", err)
		}
	}
	return nil
}

// returnTags takes the tags of the contact off those whom it leaves, unless
// somebody gave them the tag too, or another part has it.
func (s *Service) returnTags(ctx context.Context, u *unmerging) error {
	for _, n := range u.path {
		var gone []string
		err := selectIn(ctx, s.DB, "give back tags", "delete from contact_tags where contact = $1 and home in (%s) returning tag", []any{n}, u.members, func(r *sql.Rows) error {
			var tag string
			err := r.Scan(&tag)
			gone = append(gone, tag)
			return err
		})
		if err != nil {
			return err
		}
		err = selectIn(ctx, s.DB, "take tags of other parts", `insert into contact_tags (contact, tag, shown, at, by_id, by_name, source, import_id, run, home)
			select c.merged_into, t.tag, 0, t.at, t.by_id, t.by_name, t.source, t.import_id, t.run, case when t.home = 0 then t.contact else t.home end
			from contact_tags t join contacts c on c.num = t.contact where c.merged_into = $1 and c.merged_into <> 0 and t.tag in (%s)
			order by t.contact on conflict (contact, tag) do nothing returning tag`, []any{n}, gone, func(*sql.Rows) error { return nil })
		if err != nil {
			return err
		}
	}
	return s.engine.reshown(ctx, append([]int64{u.from}, u.path...))
}

// foldActivity counts anew what contacts did, from what each of their parts did.
func (s *Service) foldActivity(ctx context.Context, roots []int64) error {
	for _, root := range roots {
		members, err := s.membersOf(ctx, root)
		if err != nil {
			return err
		}
		var sum doing
		err = selectIn(ctx, s.DB, "read activity", `select own_facts, own_seen_at, own_last_channel, own_last_source, own_last_medium, own_last_campaign, own_last_at
			from contacts where num in (%s) order by num`, nil, members, func(r *sql.Rows) error {
			var d doing
			err := r.Scan(&d.facts, &d.seen, &d.last.Channel, &d.last.Source, &d.last.Medium, &d.last.Campaign, &d.last.At)
			sum.add(&d)
			return err
		})
		if err != nil {
			return err
		}
		t := sum.last
		_, err = s.DB.Exec(ctx, `update contacts set facts = $2, last_seen_at = $3, last_channel = $4, last_source = $5, last_medium = $6, last_campaign = $7, last_at = $8 where num = $1`,
			root, sum.facts, sum.seen, t.Channel, t.Source, t.Medium, t.Campaign, t.At)
		if err != nil {
			return fmt.Errorf("count activity: %w", err)
		}
	}
	return nil
}

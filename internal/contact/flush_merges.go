package contact

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
)

// seenRow is what a merged contact hands over to its survivor.
type seenRow struct {
	facts, lastSeen, orders, revenueMain, firstOrder, lastOrder int64
	revenue                                                     string
	last                                                        Touch
}

var deadColumns = columns("num:n merged_into:n updated_at:n")

// writeMerges buries the merged ones, hands over what they had, records why and tells everybody.
func (e *engine) writeMerges(ctx context.Context, w *world, moved map[*state]movedThings) error {
	if len(w.merges) == 0 {
		return nil
	}
	now := e.clock.Now().UnixMilli()
	var dead []*state // stored ones; fresh ones were written dead
	for _, m := range w.merges {
		if !m.from.fresh {
			dead = append(dead, m.from)
		}
	}
	taken := map[*state]*seenRow{}
	byNum := map[int64]*state{}
	nums := make([]int64, 0, len(dead))
	for _, st := range dead {
		byNum[st.num] = st
		nums = append(nums, st.num)
	}
	e.cache.forget(nums)
	err := updateReturning(ctx, e.db, "contacts", "shown = 0, merged_into = {merged_into}, updated_at = {updated_at}", "contacts.num = {num}",
		"num, facts, last_seen_at, orders, revenue, revenue_main, first_order_at, last_order_at, last_channel, last_source, last_medium, last_campaign, last_at",
		deadColumns, len(dead), func(i int) []any { return []any{dead[i].num, dead[i].into.num, now} },
		func(r *sql.Rows) error {
			var num int64
			var s seenRow
			if err := r.Scan(&num, &s.facts, &s.lastSeen, &s.orders, &s.revenue, &s.revenueMain, &s.firstOrder, &s.lastOrder,
				&s.last.Channel, &s.last.Source, &s.last.Medium, &s.last.Campaign, &s.last.At); err != nil {
				return err
			}
			root := byNum[num].root()
			if taken[root] == nil {
				taken[root] = &seenRow{}
			}
			return taken[root].add(s)
		})
	if err != nil {
		return err
	}
	if err := e.handOver(ctx, taken); err != nil {
		return err
	}
	if err := e.moveThings(ctx, dead); err != nil {
		return err
	}
	return e.recordMerges(ctx, w, moved, now)
}

func (s *seenRow) add(o seenRow) error {
	s.facts += o.facts
	s.lastSeen = max(s.lastSeen, o.lastSeen)
	if o.last.At > s.last.At {
		s.last = o.last
	}
	var err error
	if s.revenue, err = addRevenue(s.revenue, o.revenue); err != nil {
		return err
	}
	s.orders += o.orders
	s.revenueMain += o.revenueMain
	s.lastOrder = max(s.lastOrder, o.lastOrder)
	if o.firstOrder != 0 && (s.firstOrder == 0 || o.firstOrder < s.firstOrder) {
		s.firstOrder = o.firstOrder
	}
	return nil
}

// handOver adds to the survivors what the dead had.
func (e *engine) handOver(ctx context.Context, taken map[*state]*seenRow) error {
	var roots []*state
	for st := range taken {
		roots = append(roots, st)
	}
	slices.SortFunc(roots, func(a, b *state) int { return int(a.num - b.num) })
	revenue := map[int64]string{}
	var buyers []int64
	for _, st := range roots {
		if taken[st].orders > 0 {
			buyers = append(buyers, st.num)
		}
	}
	err := selectIn(ctx, e.db, "read revenue", "select num, revenue from contacts where num in (%s)", nil, buyers, func(r *sql.Rows) error {
		var num int64
		var rev string
		if err := r.Scan(&num, &rev); err != nil {
			return err
		}
		revenue[num] = rev
		return nil
	})
	if err != nil {
		return err
	}
	var addErr error
	err = updateMany(ctx, e.db, "contacts", `facts = contacts.facts + {facts},
		last_seen_at = case when {seen} > contacts.last_seen_at then {seen} else contacts.last_seen_at end,
		last_channel = case when {at} > contacts.last_at then {channel} else contacts.last_channel end,
		last_source = case when {at} > contacts.last_at then {source} else contacts.last_source end,
		last_medium = case when {at} > contacts.last_at then {medium} else contacts.last_medium end,
		last_campaign = case when {at} > contacts.last_at then {campaign} else contacts.last_campaign end,
		last_at = case when {at} > contacts.last_at then {at} else contacts.last_at end,
		orders = contacts.orders + {orders}, revenue_main = contacts.revenue_main + {main},
		revenue = case when {orders} > 0 then {revenue} else contacts.revenue end,
		first_order_at = case when {firstorder} > 0 and (contacts.first_order_at = 0 or {firstorder} < contacts.first_order_at) then {firstorder} else contacts.first_order_at end,
		last_order_at = case when {lastorder} > contacts.last_order_at then {lastorder} else contacts.last_order_at end`,
		"contacts.num = {num}", columns("num:n facts:n seen:n channel source medium campaign at:n orders:n main:n revenue firstorder:n lastorder:n"),
		len(roots), func(i int) []any {
			st, s := roots[i], taken[roots[i]]
			rev, err := addRevenue(revenue[st.num], s.revenue)
			if err != nil {
				addErr = err
			}
			return []any{st.num, s.facts, s.lastSeen, s.last.Channel, s.last.Source, s.last.Medium, s.last.Campaign, s.last.At,
				s.orders, s.revenueMain, rev, s.firstOrder, s.lastOrder}
		})
	if addErr != nil {
		return addErr
	}
	return err
}

// moveThings gives identities and notes of the dead to their survivors, and
// shows the survivors with their tags. Each remembers its home.
func (e *engine) moveThings(ctx context.Context, dead []*state) error {
	cols := columns("dead:n root:n")
	row := func(i int) []any { return []any{dead[i].num, dead[i].root().num} }
	for _, table := range []string{"identities", "contact_notes"} {
		set := "contact = {root}, home = case when " + table + ".home = 0 then {dead} else " + table + ".home end"
		if err := updateMany(ctx, e.db, table, set, table+".contact = {dead}", cols, len(dead), row); err != nil {
			return err
		}
	}
	var apart []*state
	for _, st := range dead {
		if st.kinds&apartBit != 0 {
			apart = append(apart, st)
		}
	}
	for _, col := range []string{"contact", "other"} {
		if err := updateMany(ctx, e.db, "contact_apart", col+" = {root}", "contact_apart."+col+" = {dead}", cols, len(apart), func(i int) []any { return []any{apart[i].num, apart[i].root().num} }); err != nil {
			return err
		}
	}
	return e.copyTags(ctx, dead)
}

// copyTags shows the tags of the dead on whom they are part of now. Their own
// stay with them, in no list.
func (e *engine) copyTags(ctx context.Context, dead []*state) error {
	nums := make([]int64, len(dead))
	byNum := map[int64]*state{}
	for i, st := range dead {
		nums[i] = st.num
		byNum[st.num] = st
	}
	var rows [][]any
	err := selectIn(ctx, e.db, "read tags", "select contact, tag, at, by_id, by_name, source, import_id, run, home from contact_tags where contact in (%s) order by contact, tag", nil, nums, func(r *sql.Rows) error {
		var num, at, home int64
		var tag, byID, byName, source, imp, run string
		if err := r.Scan(&num, &tag, &at, &byID, &byName, &source, &imp, &run, &home); err != nil {
			return err
		}
		for st := byNum[num].into; st != nil; st = st.into {
			rows = append(rows, []any{st.num, tag, st.shown(), at, byID, byName, source, imp, run, cmp.Or(home, num)})
		}
		return nil
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	err = insertMany(ctx, e.db, "contact_tags", columns("contact:n tag shown:n at:n by_id by_name source import_id run home:n"), len(rows), func(i int) []any { return rows[i] }, "on conflict (contact, tag) do nothing")
	if err != nil {
		return err
	}
	roots := make([]int64, 0, len(dead))
	for _, st := range dead {
		roots = append(roots, st.root().num)
	}
	slices.Sort(roots)
	if err := e.settleExclusive(ctx, slices.Compact(roots), e.clock.Now().UnixMilli()); err != nil {
		return err
	}
	return reshownTags(ctx, e.db, nums)
}

// movedThings is what a merge took along, for explaining and undoing it.
type movedThings struct {
	Identities [][2]string `json:"identities"`
	Tags       []string    `json:"tags,omitempty"`
	Notes      []string    `json:"notes,omitempty"`
	Kind       event.Kind  `json:"kind"`
}

// movedBy lists what each merged contact has, before anything moves.
func (e *engine) movedBy(ctx context.Context, w *world) (map[*state]movedThings, error) {
	if len(w.merges) == 0 {
		return nil, nil
	}
	out := map[*state]movedThings{}
	byNum := map[int64]*state{}
	var nums []int64
	for _, m := range w.merges {
		out[m.from] = movedThings{Kind: m.from.kind}
		if !m.from.fresh {
			byNum[m.from.num] = m.from
			nums = append(nums, m.from.num)
		}
	}
	for _, i := range w.attached {
		if t, ok := out[i.from]; ok {
			t.Identities = append(t.Identities, [2]string{i.key.kind, i.key.lookup})
			out[i.from] = t
		}
	}
	for _, q := range []struct {
		what, text string
		put        func(t *movedThings, a, b string)
	}{
		{"list identities", "select contact, kind, lookup from identities where contact in (%s) order by kind, lookup", func(t *movedThings, a, b string) { t.Identities = append(t.Identities, [2]string{a, b}) }},
		{"list tags", "select contact, tag, '' from contact_tags where contact in (%s) order by tag", func(t *movedThings, a, _ string) { t.Tags = append(t.Tags, a) }},
		{"list notes", "select contact, id, '' from contact_notes where contact in (%s) order by id", func(t *movedThings, a, _ string) { t.Notes = append(t.Notes, a) }},
	} {
		err := selectIn(ctx, e.db, q.what, q.text, nil, nums, func(r *sql.Rows) error {
			var num int64
			var a, b string
			if err := r.Scan(&num, &a, &b); err != nil {
				return err
			}
			t := out[byNum[num]]
			q.put(&t, a, b)
			out[byNum[num]] = t
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// recordMerges explains the merges, lets other packages follow, and states them as facts.
func (e *engine) recordMerges(ctx context.Context, w *world, moved map[*state]movedThings, now int64) error {
	told := make([]Merge, len(w.merges))
	facts := make([]event.Fact, len(w.merges))
	for i, m := range w.merges {
		told[i] = Merge{ID: e.ids.New("mg"), From: m.from.num, Into: m.into.num, FromID: m.from.id, IntoID: m.into.id, Reason: m.in.reason, ByHand: m.in.reason == reasonManual}
		w.merges[i].told = told[i]
		facts[i] = mergedFact(told[i], m, now)
	}
	by := &auth.Principal{} // a fact did it
	if auth.From(ctx) != nil && len(w.merges) > 0 && w.merges[0].in.seq == 0 {
		by = auth.From(ctx)
	}
	var encodeErr error
	err := insertMany(ctx, e.db, "contact_merges", columns("id from_num:n into_num:n seq:n idx:n reason detail moved before at:n undoable:n lookup message_id fact_name fact_at:n note by_id by_name"), len(told), func(i int) []any {
		m := w.merges[i]
		things, err := json.Marshal(moved[m.from])
		if err != nil {
			encodeErr = err
		}
		return []any{told[i].ID, told[i].From, told[i].Into, int64(m.in.seq), int64(m.in.idx), told[i].Reason, m.by.kind, string(things), m.before, now, 1, m.by.lookup, m.in.message, m.in.name, m.in.ts, m.in.note, by.ID, by.Name}
	}, "")
	if encodeErr != nil {
		return fmt.Errorf("encode merge: %w", encodeErr)
	}
	if err != nil {
		return err
	}
	if err := e.tellMerges(ctx, w); err != nil {
		return err
	}
	for _, hook := range e.hooks.merge {
		if err := hook(ctx, told); err != nil {
			return fmt.Errorf("follow merges: %w", err)
		}
	}
	if err := e.emit.Emit(ctx, facts...); err != nil {
		return fmt.Errorf("state merges: %w", err)
	}
	return nil
}

package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
)

// activity keeps contacts' last-seen times, counts of facts and last touch. It
// runs inside the pipeline's transaction that also moves its place, so each
// fact counts once.
type activity struct {
	db       *db.DB
	channels *channelBook
}

// Name implements event.Subscriber.
func (a *activity) Name() string { return "contact.activity" }

// doing is what one batch says of one contact.
type doing struct {
	num   int64
	facts int64
	seen  int64
	last  Touch
	byImp map[string]*importDoing
}

type importDoing struct{ facts, last int64 }

func (d *doing) add(o *doing) {
	d.facts += o.facts
	d.seen = max(d.seen, o.seen)
	if o.last.At > d.last.At {
		d.last = o.last
	}
	for k, v := range o.byImp {
		d.imported(k, v.facts, v.last)
	}
}

func (d *doing) imported(id string, facts, last int64) {
	if d.byImp == nil {
		d.byImp = map[string]*importDoing{}
	}
	if d.byImp[id] == nil {
		d.byImp[id] = &importDoing{}
	}
	d.byImp[id].facts += facts
	d.byImp[id].last = max(d.byImp[id].last, last)
}

// Handle implements event.Subscriber.
func (a *activity) Handle(ctx context.Context, facts []event.Stored) error {
	w := newWorld(0) // for its parser
	by := map[int64]*doing{}
	for i := range facts {
		f := &facts[i]
		ts := f.Timestamp
		if f.ReceivedAt > 0 {
			ts = min(ts, f.ReceivedAt)
		}
		one := doing{num: f.Contact, facts: 1}
		if !event.Administrative(f.Name) {
			one.seen = ts
			// A direct visit is no touch to remember over one that says where from.
			if t, ok := a.channels.touchOf(&f.Fact, &w.parser); ok && t.Channel != Direct {
				t.At = ts
				one.last = t
			}
		}
		if f.ImportID != "" {
			one.imported(f.ImportID, 1, one.seen)
		}
		if d := by[f.Contact]; d != nil {
			d.add(&one)
		} else {
			by[f.Contact] = &one
		}
	}
	list := make([]*doing, 0, len(by))
	for _, d := range by {
		list = append(list, d)
	}
	return a.db.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, a.db); err != nil {
			return err
		}
		return a.write(ctx, list)
	})
}

// write counts what each contact did by itself, and what the living did as a
// whole: what merged ones did goes to their survivors too. A contact that is
// gone altogether is left out.
func (a *activity) write(ctx context.Context, list []*doing) error {
	slices.SortFunc(list, func(x, y *doing) int { return int(x.num - y.num) })
	if err := a.countImports(ctx, list); err != nil {
		return err
	}
	byItself := `, own_facts = contacts.own_facts + {facts},
			own_seen_at = case when {seen} > contacts.own_seen_at then {seen} else contacts.own_seen_at end,
			own_last_channel = case when {at} > contacts.own_last_at then {channel} else contacts.own_last_channel end,
			own_last_source = case when {at} > contacts.own_last_at then {source} else contacts.own_last_source end,
			own_last_medium = case when {at} > contacts.own_last_at then {medium} else contacts.own_last_medium end,
			own_last_campaign = case when {at} > contacts.own_last_at then {campaign} else contacts.own_last_campaign end,
			own_last_at = case when {at} > contacts.own_last_at then {at} else contacts.own_last_at end`
	for len(list) > 0 {
		slices.SortFunc(list, func(x, y *doing) int { return int(x.num - y.num) })
		done := map[int64]bool{}
		err := updateReturning(ctx, a.db, "contacts", `facts = contacts.facts + {facts},
			last_seen_at = case when {seen} > contacts.last_seen_at then {seen} else contacts.last_seen_at end,
			last_channel = case when {at} > contacts.last_at then {channel} else contacts.last_channel end,
			last_source = case when {at} > contacts.last_at then {source} else contacts.last_source end,
			last_medium = case when {at} > contacts.last_at then {medium} else contacts.last_medium end,
			last_campaign = case when {at} > contacts.last_at then {campaign} else contacts.last_campaign end,
			last_at = case when {at} > contacts.last_at then {at} else contacts.last_at end`+byItself,
			"contacts.num = {num}", "num, merged_into",
			columns("num:n facts:n seen:n channel source medium campaign at:n"), len(list), func(i int) []any {
				d := list[i]
				return []any{d.num, d.facts, d.seen, d.last.Channel, d.last.Source, d.last.Medium, d.last.Campaign, d.last.At}
			}, func(r *sql.Rows) error {
				var n, into int64
				err := r.Scan(&n, &into)
				done[n] = into == 0
				return err
			})
		if err != nil {
			return err
		}
		byItself = ""
		left := map[int64]*doing{}
		var nums []int64
		for _, d := range list {
			if !done[d.num] {
				left[d.num] = d
				nums = append(nums, d.num)
			}
		}
		if list, err = a.survivors(ctx, left, nums); err != nil {
			return err
		}
	}
	return nil
}

// survivors turns doings of merged contacts into doings of those they merged into.
func (a *activity) survivors(ctx context.Context, left map[int64]*doing, nums []int64) ([]*doing, error) {
	by := map[int64]*doing{}
	err := selectIn(ctx, a.db, "find survivors", "select num, merged_into from contacts where num in (%s) and merged_into <> 0", nil, nums, func(r *sql.Rows) error {
		var from, into int64
		if err := r.Scan(&from, &into); err != nil {
			return err
		}
		d := left[from]
		if by[into] == nil {
			by[into] = &doing{num: into}
		}
		by[into].add(d)
		return nil
	})
	out := make([]*doing, 0, len(by))
	for _, d := range by {
		out = append(out, d)
	}
	return out, err
}

// countImports remembers, before they count, how many facts an import gave to
// each contact: its undo takes them off again.
func (a *activity) countImports(ctx context.Context, list []*doing) error {
	var nums []int64
	for _, d := range list {
		if len(d.byImp) > 0 {
			nums = append(nums, d.num)
		}
	}
	if len(nums) == 0 {
		return nil
	}
	seen := map[int64]int64{}
	err := selectIn(ctx, a.db, "read last seen", "select num, own_seen_at from contacts where num in (%s)", nil, nums, func(r *sql.Rows) error {
		var n, at int64
		err := r.Scan(&n, &at)
		seen[n] = at
		return err
	})
	if err != nil {
		return err
	}
	var rows [][]any
	for _, d := range list {
		before, there := seen[d.num]
		if !there {
			continue
		}
		for imp, x := range d.byImp {
			rows = append(rows, []any{imp, d.num, x.facts, x.last, before})
		}
	}
	err = insertMany(ctx, a.db, "contact_import_facts", columns("import_id contact:n facts:n last_at:n seen_before:n"), len(rows), func(i int) []any { return rows[i] },
		`on conflict (import_id, contact) do update set facts = contact_import_facts.facts + excluded.facts,
		last_at = case when excluded.last_at > contact_import_facts.last_at then excluded.last_at else contact_import_facts.last_at end`)
	if err != nil {
		return fmt.Errorf("count imported facts: %w", err)
	}
	return nil
}

package contact

import (
	"fmt"
	"strings"
)

// The fields of contacts themselves. Each reads one index alone.
var ruleFields = []ruleField{
	{name: "name", typ: typeText, compile: func(c *compiler, n *condition) (expr, error) {
		where, args, err := c.textCond(n, "name_key", true)
		return c.column("contacts_by_key", "name_key <> ''", where, args...), err
	}},
	{name: "tag", typ: typeMulti, compile: compileTag},
	{name: "owner", typ: typeChoice, compile: func(c *compiler, n *condition) (expr, error) {
		if n.op != "set" {
			list, err := n.texts()
			if err != nil {
				return nil, err
			}
			if list, err = c.users(list); err != nil {
				return nil, err
			}
			return c.ownedBy(list), nil
		}
		return c.column("contacts_by_owner", "owner_id <> ''", "owner_id <> ''"), nil
	}},
	{name: "department", typ: typeChoice, ops: []string{"in", "notIn"}, compile: func(c *compiler, n *condition) (expr, error) {
		list, err := n.texts()
		if err != nil || c.s.Staff == nil {
			return &group{kind: "any"}, err
		}
		known, err := c.s.departments(c.ctx)
		if err != nil {
			return nil, err
		}
		for i, id := range list {
			if known[id] == "" {
				return nil, n.fault(fmt.Sprintf("value[%d]", i), "department.not_found")
			}
		}
		members, err := c.s.Staff.Below(c.ctx, list)
		return c.ownedBy(members), err
	}},
	timeField("ownerTouch", "owner_touch_at", "contacts_by_owner_touch", "owner_touch_at > 0"),
	{name: "channel", typ: typeChoice, keys: []string{"first", "last"}, compile: func(c *compiler, n *condition) (expr, error) {
		column, index := "channel", "contacts_by_channel"
		if n.Key == "last" {
			column, index = "last_channel", "contacts_by_last_channel"
		}
		if n.op == "set" {
			return c.column(index, "", column+" not in ('', 'unknown')"), nil
		}
		list, err := n.texts()
		if err != nil {
			return nil, err
		}
		// Whoever came by a channel came by the ones above it, too.
		where, args, err := c.textCond(n.with(c.s.engine.channels.below(list)), column, false)
		if err == nil {
			for _, v := range args {
				if v == Unknown {
					where = strings.TrimSuffix(where, ")") + ", '')"
				}
			}
		}
		return c.column(index, "", where, args...), err
	}},
	touchField("source"), touchField("medium"), touchField("campaign"),
	timeField("created", "created_at", "contacts_by_created", ""),
	timeField("lastSeen", "last_seen_at", "contacts_by_seen", ""),
	timeField("firstOrder", "first_order_at", "contacts_by_first_order", "first_order_at > 0"),
	timeField("lastOrder", "last_order_at", "contacts_by_last_order", ""),
	{name: "orders", typ: typeNumber, ops: opsOf[typeNumber][:7], compile: func(c *compiler, n *condition) (expr, error) {
		where, args, err := n.numberCond("orders", n.whole)
		return c.column("contacts_by_orders", "", where, args...).on("orders"), err
	}},
	{name: "revenue", typ: typeMoney, ops: opsOf[typeMoney][:7], compile: func(c *compiler, n *condition) (expr, error) {
		where, args, err := n.numberCond("revenue_main", n.whole)
		return c.column("contacts_by_revenue", "", where, args...).on("revenue_main"), err
	}},
	{name: "birthday", typ: typeDate, compile: compileBirthday},
	{name: "gender", typ: typeChoice, compile: func(c *compiler, n *condition) (expr, error) {
		where, args, err := c.textCond(n, "gender", false)
		return c.column("contacts_by_about", "", where, args...), err
	}},
	{name: "city", typ: typeText, compile: func(c *compiler, n *condition) (expr, error) {
		where, args, err := c.textCond(n, "city", false)
		return c.column("contacts_by_about", "", where, args...), err
	}},
	{name: "identity", typ: typeChoice, ops: []string{"in", "notIn"}, compile: compileIdentity},
	{name: bucketField, typ: typeBucket, free: true, compile: compileBucket},
	{name: "import", typ: typeChoice, ops: []string{"in", "notIn"}, compile: func(c *compiler, n *condition) (expr, error) {
		where, args, err := c.textCond(n, "import_id", false)
		return &leaf{set: "select contact as n from contact_import_changes where " + where, args: args, loose: true}, err
	}},
}

// with is the condition with other values.
func (n *condition) with(list []string) *condition {
	values := make([]any, len(list))
	for i, v := range list {
		values[i] = v
	}
	node := *n.Node
	node.Value = values
	out := *n
	out.Node = &node
	return &out
}

func touchField(name string) ruleField {
	return ruleField{name: name, typ: typeText, compile: func(c *compiler, n *condition) (expr, error) {
		where, args, err := c.textCond(n, "first_"+name, false)
		return c.column("contacts_by_touch", "", where, args...), err
	}}
}

func timeField(name, column, index, narrower string) ruleField {
	ops := []string{"within", "olderThan", "on", "before", "after", "between"}
	if column != "created_at" {
		ops = append(ops, "set", "notSet")
	}
	return ruleField{name: name, typ: typeDate, ops: ops, compile: func(c *compiler, n *condition) (expr, error) {
		where, args, err := c.timeCond(n, column)
		return c.column(index, narrower, where, args...).on(column), err
	}}
}

// compileBirthday reads birthdays, kept as YYYY-MM-DD: as dates, or as the day
// of the year that comes around. Who was born on 29 February is celebrated on
// that day only; in other years on 1 March.
func compileBirthday(c *compiler, n *condition) (expr, error) {
	const index, some = "contacts_by_birthday", "birthday <> ''"
	switch n.op {
	case "set":
		return c.column(index, some, "birthday <> ''"), nil
	case "anniversary":
		d, err := n.days()
		if err != nil {
			return nil, err
		}
		if d >= 366 {
			return c.column(index, some, "birthday <> ''"), nil
		}
		var parts []expr
		add := func(from, to string) { // half open, within a year
			parts = append(parts, c.column(index, some, "substr(birthday, 6) >= $1 and substr(birthday, 6) < $2", from, to))
		}
		first, last := c.today, c.today.AddDate(0, 0, d-1)
		from, to := first.Format("01-02"), last.Format("01-02")+"~"
		leap := func(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }
		if from == "03-01" && !leap(first.Year()) {
			from = "02-29"
		}
		if first.Year() == last.Year() {
			add(from, to)
		} else {
			add(from, "13")
			add("01", to)
		}
		return &group{"any", parts}, nil
	}
	s, err := c.span(n)
	if err != nil {
		return nil, err
	}
	from, to := "0", "9999"
	if !s.from.IsZero() {
		from = s.from.Format("2006-01-02")
	}
	if !s.to.IsZero() {
		to = s.to.Format("2006-01-02")
	}
	return c.column(index, some, "birthday >= $1 and birthday < $2", from, to), nil
}

// compileIdentity finds those who carry kinds of identity: by the contact's own
// bits, where a kind has one to itself.
func compileIdentity(c *compiler, n *condition) (expr, error) {
	list, err := n.texts()
	if err != nil {
		return nil, err
	}
	g, bits := &group{kind: "any"}, int64(0)
	const set = "select contact as n from identities where "
	for _, kind := range list {
		if t, ok := known[kind]; ok {
			bits |= int64(t.bit)
			continue
		}
		g.parts = append(g.parts, &leaf{set: set + "kind = $1", probe: set + "{in:contact} and kind = $1", args: []any{kind}, loose: true})
	}
	if bits != 0 {
		g.parts = append(g.parts, c.column("contacts_by_kinds", "", "(kinds & cast($1 as bigint)) <> 0", bits))
	}
	return g, nil
}

// compileTag finds those who have tags; with children also the tags below them.
func compileTag(c *compiler, n *condition) (expr, error) {
	shown := strings.Replace(c.shown, "shown", "contact_tags.shown", 1)
	if n.op == "set" {
		return &leaf{set: "select contact as n from contact_tags where " + shown, probe: "select contact as n from contact_tags where {in:contact} and " + shown}, nil
	}
	list, err := n.texts()
	if err != nil {
		return nil, err
	}
	known, err := c.s.tagRefs(c.ctx, list)
	if err != nil {
		return nil, err
	}
	g := &group{kind: "any"}
	if n.op == "hasAllOf" {
		g.kind = "all"
	}
	for i, id := range list {
		if _, ok := known[id]; !ok {
			return nil, n.fault(fmt.Sprintf("value[%d]", i), "contact.no_such_tag")
		}
		ids, err := c.s.TagsBelow(c.ctx, []string{id}, n.Children)
		if err != nil {
			return nil, err
		}
		one := &group{kind: "any"}
		for _, id := range ids {
			one.parts = append(one.parts, &leaf{args: []any{id},
				set:   "select contact as n from contact_tags where tag = $1 and " + shown,
				probe: "select contact as n from contact_tags where {in:contact} and tag = $1 and " + shown})
		}
		g.parts = append(g.parts, one)
	}
	return g, nil
}

package contact

import (
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/i18n"
	"github.com/koipond/koipond/internal/platform/testkit"
	"github.com/koipond/koipond/internal/rule"
)

// fish is all that a rule can ask of a contact, for the slow reference.
type fish struct {
	num, shown                                        int64
	name, owner, gender, city, birthday               string
	channel, lastChannel, source, medium, campaign    string
	created, seen, firstOrder, lastOrder, orders, rev int64
	touch                                             int64
	tags, kinds, imports                              []string
	did                                               []rule.Fact
}

var rulePlaces = []string{"杭州", "Hangzhou", "上海", "", "hang_zhou"}

// stock makes a pond in which every field of a rule has something to tell.
func stock(t *testing.T, p *pond, n int) (tags []string, all []fish) {
	tags = crowd(t, p, n)
	p.Staff = desks{}
	r := rand.New(rand.NewPCG(3, 4))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	day := func() int64 {
		if r.IntN(4) == 0 {
			return 0
		}
		return start.AddDate(0, 0, -r.IntN(12)).Add(time.Duration(r.IntN(24)) * time.Hour).UnixMilli()
	}
	for num := int64(1); num <= int64(n); num++ {
		_, err := p.DB.Exec(p.ctx, `update contacts set gender = $2, city = $3, birthday = $4, last_channel = $5, first_source = $6, first_medium = $7, first_campaign = $8,
			first_order_at = $9, last_order_at = $10, created_at = created_at + $11, owner_touch_at = case when owner_id = '' then 0 else cast($12 as bigint) end where num = $1`,
			num, pick("male", "female", ""), pick(rulePlaces...), pick("", "1990-03-02", "1985-03-05", "1992-02-29", "2001-12-31", "1970-01-01"), pick("", Social, Offline, Unknown),
			pick("", "Google", "google", "baidu"), pick("", "cpc"), pick("", "双11", "618"), day(), day(), r.Int64N(3_600_000), day())
		require.NoError(t, err)
		if r.IntN(4) == 0 {
			_, err := p.DB.Exec(p.ctx, "insert into contact_import_changes (import_id, contact, before, after) values ($1, $2, '', '{}')", pick("im_1", "im_2"), num)
			require.NoError(t, err)
		}
	}
	// Somebody who was made by an import and is another's part now.
	p.who(event.Fact{UserID: "keeper"})
	lost := p.who(event.Fact{AnonymousID: "lost"}).Contact
	_, err := p.DB.Exec(p.ctx, "insert into contact_import_changes (import_id, contact, before, after) values ('im_2', $1, '', '{}')", lost)
	require.NoError(t, err)
	p.who(event.Fact{UserID: "keeper", AnonymousID: "lost"})

	return tags, readFish(t, p)
}

func readFish(t *testing.T, p *pond) []fish {
	rows, err := p.DB.Query(p.ctx, `select num, shown, name, owner_id, gender, city, birthday, channel, last_channel, first_source, first_medium, first_campaign,
		created_at, last_seen_at, first_order_at, last_order_at, orders, revenue_main, owner_touch_at from contacts order by num`)
	all, err := db.Collect(rows, err, func(r *sql.Rows) (f fish, err error) {
		return f, r.Scan(&f.num, &f.shown, &f.name, &f.owner, &f.gender, &f.city, &f.birthday, &f.channel, &f.lastChannel, &f.source, &f.medium, &f.campaign,
			&f.created, &f.seen, &f.firstOrder, &f.lastOrder, &f.orders, &f.rev, &f.touch)
	})
	require.NoError(t, err)
	into, err := p.Survivors(p.ctx, seq(1, int64(len(all))))
	require.NoError(t, err)
	for query, take := range map[string]func(f *fish, v string){
		"select contact, tag from contact_tags":                 func(f *fish, v string) { f.tags = append(f.tags, v) },
		"select contact, kind from identities":                  func(f *fish, v string) { f.kinds = append(f.kinds, v) },
		"select contact, import_id from contact_import_changes": func(f *fish, v string) { f.imports = append(f.imports, v) },
	} {
		rows, err := p.DB.Query(p.ctx, query)
		require.NoError(t, scanAll(rows, err, query, func(r *sql.Rows) error {
			var n int64
			var v string
			err := r.Scan(&n, &v)
			if to, ok := into[n]; ok {
				n = to
			}
			take(&all[n-1], v)
			return err
		}))
	}
	return all
}

// holds is the slow reference: what a rule means, a contact at a time.
func holds(n *rule.Node, f *fish, today time.Time, me string) bool {
	switch {
	case n.All != nil:
		return !slices.ContainsFunc(n.All, func(c rule.Node) bool { return !holds(&c, f, today, me) })
	case n.Any != nil:
		return slices.ContainsFunc(n.Any, func(c rule.Node) bool { return holds(&c, f, today, me) })
	case n.None != nil:
		return !slices.ContainsFunc(n.None, func(c rule.Node) bool { return holds(&c, f, today, me) })
	case !n.Behaviour.Empty():
		return rule.Holds(&n.Behaviour, f.did, start, china)
	case n.Field == "":
		return true
	}
	if op, ok := positive[n.Op]; ok {
		c := *n
		c.Op = op
		return !holds(&c, f, today, me)
	}
	var values []string
	if list, ok := n.Value.([]any); ok {
		for _, v := range list {
			values = append(values, fmt.Sprint(v))
		}
	} else {
		values = []string{fmt.Sprint(n.Value)}
	}
	text := func(v string) bool {
		switch n.Op {
		case "set":
			return v != ""
		case "contains":
			return strings.Contains(asciiLower(v), asciiLower(values[0]))
		case "startsWith":
			return strings.HasPrefix(v, values[0])
		}
		return slices.Contains(values, v)
	}
	number := func(v int64) bool {
		num := func(v any) int64 {
			f, _ := v.(float64)
			return int64(f)
		}
		switch n.Op {
		case "is":
			return v == num(n.Value)
		case "gt":
			return v > num(n.Value)
		case "gte":
			return v >= num(n.Value)
		case "lt":
			return v < num(n.Value)
		case "lte":
			return v <= num(n.Value)
		}
		list, _ := n.Value.([]any)
		return v >= num(list[0]) && v <= num(list[1])
	}
	// dates as texts of the company's days compare as days do
	date := func(d string) bool {
		if n.Op == "set" || d == "" {
			return d != "" && n.Op == "set"
		}
		back := func(days float64) string { return today.AddDate(0, 0, 1-int(days)).Format("2006-01-02") }
		days, _ := n.Value.(float64)
		switch n.Op {
		case "within":
			return d >= back(days) && d <= today.Format("2006-01-02")
		case "olderThan":
			return d < back(days)
		case "next":
			return d >= today.Format("2006-01-02") && d <= today.AddDate(0, 0, int(days)-1).Format("2006-01-02")
		case "on":
			return d == values[0]
		case "before":
			return d < values[0]
		case "after":
			return d > values[0]
		case "between":
			return d >= values[0] && d <= values[1]
		case "anniversary":
			for i := range int(days) {
				on := today.AddDate(0, 0, i)
				if on.Format("01-02") == d[5:] || on.Format("01-02") == "03-01" && d[5:] == "02-29" && on.AddDate(0, 0, -1).Day() == 28 {
					return true
				}
			}
		}
		return false
	}
	when := func(ms int64) bool {
		if ms == 0 {
			return date("")
		}
		return date(time.UnixMilli(ms).In(today.Location()).Format("2006-01-02"))
	}
	has := func(have []string) bool {
		switch n.Op {
		case "set":
			return len(have) > 0
		case "hasAllOf":
			return !slices.ContainsFunc(values, func(v string) bool { return !slices.Contains(have, v) })
		}
		return slices.ContainsFunc(values, func(v string) bool { return slices.Contains(have, v) })
	}
	switch n.Field {
	case "name":
		switch f := formsOf(f.name).key; n.Op {
		case "contains":
			return strings.Contains(f, formsOf(values[0]).key)
		case "startsWith":
			return strings.HasPrefix(f, formsOf(values[0]).key)
		case "set":
			return f != ""
		default:
			return slices.ContainsFunc(values, func(v string) bool { return f == formsOf(v).key })
		}
	case "owner":
		for i, v := range values {
			switch v {
			case "me":
				values[i] = me
			case "left":
				values[i] = "us_9"
			}
		}
		return text(f.owner)
	case "department":
		return slices.Contains(values, "dp_a") && (f.owner == "us_1" || f.owner == "us_2")
	case "ownerTouch":
		return when(f.touch)
	case "channel":
		v := f.channel
		if n.Key == "last" {
			v = f.lastChannel
		}
		if v == Unknown {
			v = ""
		}
		for i := range values {
			if values[i] == Unknown {
				values[i] = ""
			}
		}
		return text(v)
	case "source":
		return text(f.source)
	case "medium":
		return text(f.medium)
	case "campaign":
		return text(f.campaign)
	case "gender":
		return text(f.gender)
	case "city":
		return text(f.city)
	case "created":
		return when(f.created)
	case "lastSeen":
		return when(f.seen)
	case "firstOrder":
		return when(f.firstOrder)
	case "lastOrder":
		return when(f.lastOrder)
	case "birthday":
		return date(f.birthday)
	case "orders":
		return number(f.orders)
	case "revenue":
		return number(f.rev)
	case "tag":
		return has(f.tags)
	case "identity":
		return has(f.kinds)
	case "import":
		return has(f.imports)
	case bucketField:
		list, _ := n.Value.([]any)
		at := float64(bucketOf(bucketSeed(n.Key), f.num)) / 100
		return at >= list[0].(float64) && at < list[1].(float64)
	}
	panic(n.Field)
}

// anyRule makes a random rule.
func anyRule(r *rand.Rand, tags []string) *rule.Rule {
	return &rule.Rule{V: 1, Node: anyNode(r, tags, 0)}
}

func anyNode(r *rand.Rand, tags []string, depth int) rule.Node {
	if depth < rule.MaxDepth && (depth == 0 || r.IntN(4) == 0) {
		var parts []rule.Node
		for range 1 + r.IntN(3) {
			parts = append(parts, anyNode(r, tags, depth+1))
		}
		switch r.IntN(4) {
		case 0:
			return rule.Node{Any: parts}
		case 1:
			return rule.Node{None: parts}
		}
		return rule.Node{All: parts}
	}
	if r.IntN(3) == 0 {
		return rule.Node{Behaviour: anyBehaviour(r)}
	}
	f := ruleFields[r.IntN(len(ruleFields))]
	ops := f.ops
	if ops == nil {
		ops = opsOf[f.typ]
	}
	n := rule.Node{Field: f.name, Op: ops[r.IntN(len(ops))]}
	if f.keys != nil {
		n.Key = f.keys[r.IntN(len(f.keys))]
	}
	words := map[string][]string{
		"name": {"张", "张三", "Li", "JOHN smith", "o"}, "tag": tags, "owner": {"us_1", "us_2", "me", "left"}, "department": {"dp_a", "dp_b"}, "channel": {Social, Offline, Unknown},
		"source": {"google", "Google", "g", "bai"}, "medium": {"cpc", "CPC"}, "campaign": {"双11", "6"}, "gender": {"male", "female"}, "city": {"杭州", "hang", "Hang", "_"},
		"identity": {KindPhone, KindMemberNo, KindAnonymous, KindUserID}, "import": {"im_1", "im_2", "im_9"},
	}[f.name]
	if f.free {
		n.Key = []string{"spring", "summer"}[r.IntN(2)]
	}
	day := func() string { return start.AddDate(0, 0, -r.IntN(14)).Format("2006-01-02") }
	switch f.typ {
	case typeBucket:
		from := float64(r.IntN(9900)) / 100
		n.Value = []any{from, math.Round(from*100+1+float64(r.IntN(10_000-int(math.Round(from*100))))) / 100}
	case typeDate:
		switch n.Op {
		case "within", "olderThan", "next":
			n.Value = float64(1 + r.IntN(9))
		case "anniversary":
			n.Value = float64(1 + r.IntN(400))
		case "between":
			a, b := day(), day()
			n.Value = []any{min(a, b), max(a, b)}
		case "set", "notSet":
		default:
			n.Value = day()
		}
	case typeNumber, typeMoney:
		n.Value = float64(r.IntN(4))
		if f.typ == typeMoney {
			n.Value = float64(100 * r.IntN(4))
		}
		if n.Op == "between" {
			n.Value = []any{n.Value, n.Value.(float64) + 100}
		}
	default:
		switch n.Op {
		case "set", "notSet":
		case "in", "notIn", "hasAnyOf", "hasAllOf", "hasNoneOf":
			var list []any
			for range 1 + r.IntN(2) {
				list = append(list, words[r.IntN(len(words))])
			}
			n.Value = list
		default:
			n.Value = words[r.IntN(len(words))]
		}
	}
	return n
}

func TestRulesAgreeWithTheSlowReference(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tags, all := stock(t, p, 150)
		remember(t, p, all)
		today := time.Date(2026, 3, 2, 0, 0, 0, 0, china)
		seed := uint64(time.Now().UnixNano())
		t.Log("seed", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		some, most := 0, 0
		for i := range 400 {
			made := anyRule(r, tags)
			text := string(made.JSON())
			read, err := rule.Parse(text, "where")
			require.NoError(t, err, text)
			require.Equal(t, made.Fingerprint(), read.Fingerprint())
			q := Query{Where: read, Limit: 1 + r.IntN(60), Sort: Sorts[r.IntN(len(Sorts))], Ascending: r.IntN(2) == 0}
			shown := int64(1)
			if r.IntN(6) == 0 {
				q.Kind, shown = event.Visitor, 2
			}
			if r.IntN(4) == 0 {
				q.Owner = "us_1"
			}
			if r.IntN(6) == 0 {
				q.Tag = tags[0]
			}
			want := []int64{}
			for _, f := range all {
				if f.shown == shown && holds(&made.Node, &f, today, "us_1") && (q.Owner == "" || f.owner == q.Owner) && (q.Tag == "" || slices.Contains(f.tags, q.Tag)) {
					want = append(want, f.num)
				}
			}
			if len(want) > 0 {
				some++
			}
			if len(want) > 60 {
				most++
			}
			p.narrow = []int64{0, 20, 1000}[i%3]
			got := []int64{}
			for page := 0; ; page++ {
				res, err := p.List(p.ctx, q)
				require.NoError(t, err, text)
				require.EqualValues(t, len(want), res.Total, text)
				for i, row := range res.Items {
					require.False(t, i > 0 && slices.Contains(got, row.num), "nobody twice")
					got = append(got, row.num)
				}
				if q.Cursor = res.Next; q.Cursor == "" {
					break
				}
				require.Less(t, page, 400)
			}
			slices.Sort(got)
			require.Equal(t, want, got, text)

			sel := Selection{Query: q}
			n, err := p.Count(p.ctx, sel)
			require.NoError(t, err)
			require.EqualValues(t, len(want), n)
			var walked []int64
			for after := int64(0); ; after = walked[len(walked)-1] {
				nums, err := p.Walk(p.ctx, sel, after, 40)
				require.NoError(t, err)
				if len(nums) == 0 {
					break
				}
				walked = append(walked, nums...)
			}
			require.Equal(t, want, append([]int64{}, walked...), text)
		}
		require.Greater(t, some, 150, "the rules are not all of nobody")
		require.Greater(t, most, 50)
	})
}

// What is kept of one rule is never given for another that differs by a date.
func TestKeysOfRulesTellDatesApart(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		keys := map[string]bool{}
		f := &filter{kind: "shown = 1"}
		for _, days := range []float64{3, 4, 400} {
			e, err := p.compiler(p.ctx, f).node(&rule.Node{Field: "created", Op: "within", Value: days}, "rule")
			require.NoError(t, err)
			keys[keyOf(f, e)] = true
			keys[keyOf(&filter{kind: f.kind, args: []any{int64(1e12 + days)}}, e)] = true
		}
		require.Len(t, keys, 6)
	})
}

func TestRulesNameTheFault(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		cond := func(s string) string { return `{"v":1,"all":[` + s + `]}` }
		for _, c := range []struct{ text, want string }{
			{`{`, "where rule.not_json"},
			{`{"v":1} {"v":1}`, "where rule.not_json"},
			{`{"v":1,"some":[]}`, "where rule.not_json"},
			{`{"all":[]}`, "where.v rule.bad_version"},
			{`{"v":1,"any":[]}`, "where.any rule.empty"},
			{cond(`{}`), "where.all[0] rule.empty"},
			{cond(`{"any":[{"none":[{"all":[{"any":[{"all":[{"field":"tag","op":"set"}]}]}]}]}]}`), "where.all[0].any[0].none[0].all[0].any[0] rule.too_deep"},
			{cond(`{"field":"tag","op":"set","all":[]}`), "where.all[0] rule.mixed"},
			{cond(`{"op":"set"}`), "where.all[0].field request.field_required"},
			{cond(`{"field":"tag","op":"set"},{"any":[{"field":"created","op":"likes"}]}`), "where.all[1].any[0].op rule.bad_op"},
			{cond(`{"field":"shoe","op":"is","value":1}`), "where.all[0].field rule.bad_field"},
			{cond(`{"field":"channel","op":"set"}`), "where.all[0].key rule.bad_key"},
			{cond(`{"field":"orders","op":"gt","value":"many"}`), "where.all[0].value rule.needs_whole"},
			{cond(`{"field":"orders","op":"gt","value":1.5}`), "where.all[0].value rule.needs_whole"},
			{cond(`{"field":"orders","op":"between","value":[2,1]}`), "where.all[0].value rule.wrong_order"},
			{cond(`{"field":"created","op":"on","value":"2026-02-30"}`), "where.all[0].value rule.needs_day"},
			{cond(`{"field":"created","op":"within","value":0}`), "where.all[0].value rule.needs_days"},
			{cond(`{"field":"name","op":"is","value":["a","b"]}`), "where.all[0].value rule.needs_text"},
			{cond(`{"field":"name","op":"is","value":{"a":1}}`), "where.all[0].value rule.bad_value"},
			{cond(`{"field":"tag","op":"hasAnyOf","value":["tg_none"]}`), "where.all[0].value[0] contact.no_such_tag"},
			{cond(strings.Repeat(`{"field":"tag","op":"set"},`, 50) + `{"field":"tag","op":"set"}`), "where.all[50] rule.too_many"},
		} {
			read, err := rule.Parse(c.text, "where")
			if err == nil {
				err = p.checkRule(p.ctx, read, "where")
			}
			var e *errs.Error
			require.ErrorAs(t, err, &e, c.text)
			require.Len(t, e.Fields, 1)
			require.Equal(t, c.want, e.Fields[0].Path+" "+e.Fields[0].Code, c.text)
		}
		page, err := p.List(p.ctx, Query{Where: &rule.Rule{V: 1}})
		require.NoError(t, err)
		require.Zero(t, page.Total)
	})
}

func TestRulesOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		tags, all := stock(t, p, 60)
		s := serve(t, p)
		buyers := 0
		for _, f := range all {
			if f.shown == 1 && f.orders >= 1 && slices.Contains(f.tags, tags[0]) {
				buyers++
			}
		}
		require.Positive(t, buyers)
		rule := obj{"v": 1, "all": []obj{{"field": "orders", "op": "gte", "value": 1}, {"field": "tag", "op": "hasAnyOf", "value": []string{tags[0]}}}}
		var page rowPage
		s.ok("GET", "/api/contacts?limit=2&where="+url.QueryEscape(string(js(rule))), nil, &page)
		require.EqualValues(t, buyers, page.Total)
		var posted rowPage
		s.ok("POST", "/api/contacts/query", obj{"filter": obj{"where": rule}, "limit": 2}, &posted)
		require.Equal(t, page.Items, posted.Items)
		s.ok("POST", "/api/contacts/query", obj{"filter": obj{"where": rule}, "limit": 2, "cursor": posted.Next}, &posted)
		require.NotEqual(t, page.Items, posted.Items)
		var told struct {
			Count    int64
			Sentence string
		}
		s.ok("POST", "/api/contacts/describe", obj{"where": rule}, &told)
		require.EqualValues(t, buyers, told.Count)
		require.Equal(t, "Orders at least 1 and Tags: any of 组/标签0", told.Sentence)
		s.ok("POST", "/api/contacts/describe", obj{}, &told)
		require.Equal(t, "everybody", told.Sentence)
		cat, err := i18n.Load(testkit.Quiet())
		require.NoError(t, err)
		said := func(op string) (string, bool) { return op, cat.Has("rule.op." + op) }
		var fields struct{ Items []FieldView }
		s.ok("GET", "/api/contacts/fields", nil, &fields)
		for _, f := range fields.Items {
			require.NotContains(t, f.Label, "contact.field", "every field has a name")
			for _, op := range f.Ops {
				_, ok := said(op)
				require.True(t, ok, op)
			}
		}
		rule["all"].([]obj)[0]["op"] = "likes"
		for _, c := range []struct {
			method, path string
			body         any
		}{{"GET", "/api/contacts?where=" + url.QueryEscape(string(js(rule))), nil}, {"POST", "/api/contacts/query", obj{"filter": obj{"where": rule}}}, {"POST", "/api/contacts/describe", obj{"where": rule}}, {"POST", "/api/contacts/count", obj{"filter": obj{"where": rule}}}} {
			status, code := s.call(c.method, c.path, "admin", c.body, nil)
			require.Equal(t, "422 request.invalid where.all[0].op:rule.bad_op", fmt.Sprint(status, " ", code))
			status, _ = s.call(c.method, c.path, "copywriter", c.body, nil)
			require.Equal(t, 403, status)
		}
	})
}

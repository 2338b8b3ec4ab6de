package contact

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// The slow reference of merges and their undo. Nothing is ever moved: a node is
// a contact, its identities, notes and facts are those whose home it is, and
// what a person is follows each time from the tree of merges.
type node struct {
	born    int
	into    *node
	parts   []*node // in the order merged
	ids     []idKey
	notes   int
	facts   int
	created int64
	touch   string
	touchAt int64
	name    string
	nameAt  int64
	named   bool
}

func (n *node) root() *node {
	for n.into != nil {
		n = n.into
	}
	return n
}

func (n *node) each(fn func(*node)) {
	fn(n)
	for _, p := range n.parts {
		p.each(fn)
	}
}

func (n *node) allIDs() (out []idKey) {
	n.each(func(m *node) { out = append(out, m.ids...) })
	return out
}

func (n *node) has(kind string) bool {
	return slices.ContainsFunc(n.allIDs(), func(k idKey) bool { return k.kind == kind })
}

func (n *node) person() bool {
	return slices.ContainsFunc(n.allIDs(), func(k idKey) bool { return !known[k.kind].weak })
}

// whole adds up what a node and its parts say: the later word wins, the earlier beginning counts.
func (n *node) whole() node {
	out := *n
	for _, p := range n.parts {
		w := p.whole()
		out.created = min(out.created, w.created)
		if w.touchAt != 0 && (out.touchAt == 0 || w.touchAt < out.touchAt) {
			out.touch, out.touchAt = w.touch, w.touchAt
		}
		if w.named && (!out.named || w.nameAt > out.nameAt) {
			out.name, out.nameAt, out.named = w.name, w.nameAt, true
		}
		out.notes += w.notes
		out.facts += w.facts
	}
	return out
}

type oneMerge struct {
	from, into *node
	id         string
}

type forest struct {
	clash  int // identities that did not go where a fact said
	nodes  []*node
	of     []*node // home of each fact; nil: nobody's
	merges []*oneMerge
	apart  [][2]*node
}

func (f *forest) home(k idKey) *node {
	for _, n := range f.nodes {
		if slices.Contains(n.ids, k) {
			return n
		}
	}
	return nil
}

func (f *forest) areApart(a, b *node) bool {
	return slices.ContainsFunc(f.apart, func(p [2]*node) bool {
		x, y := p[0].root(), p[1].root()
		return x == a && y == b || x == b && y == a
	})
}

func (f *forest) merge(into, from *node, id string) {
	from.into = into
	into.parts = append(into.parts, from)
	f.merges = append(f.merges, &oneMerge{from, into, id})
}

func (f *forest) undo(m *oneMerge) {
	f.apart = append(f.apart, [2]*node{m.from, m.into}, [2]*node{m.from, m.from.root()})
	m.into.parts = slices.DeleteFunc(m.into.parts, func(n *node) bool { return n == m.from })
	m.from.into = nil
	f.merges = slices.DeleteFunc(f.merges, func(x *oneMerge) bool { return x == m })
}

// call says a name of a person: too late when the person is known to have said
// something since, and nothing new when a part said the same at the same moment.
func (n *node) call(name string, at int64) {
	w := n.whole()
	if w.named && at == w.nameAt && name == w.name {
		return
	}
	if !w.named || at >= w.nameAt {
		n.name, n.nameAt, n.named = name, at, true
	}
}

func (f *forest) take(fact event.Fact) {
	var ids []idKey
	add := func(kind, value string) {
		if value != "" && value != "null" && !slices.Contains(ids, idKey{kind, value}) {
			ids = append(ids, idKey{kind, value})
		}
	}
	add(KindUserID, fact.UserID)
	for _, i := range fact.Identifiers {
		add(i.Kind, i.Value)
	}
	add(KindAnonymous, fact.AnonymousID)
	slices.SortStableFunc(ids, func(a, b idKey) int { return known[b.kind].priority - known[a.kind].priority })
	if len(ids) == 0 {
		f.of = append(f.of, nil)
		return
	}
	var who *node
	var fresh []idKey
	carries := func(kind string) bool {
		return who != nil && who.has(kind) || slices.ContainsFunc(fresh, func(k idKey) bool { return k.kind == kind })
	}
	joins := func(h *node, weak bool) bool {
		for _, k := range h.allIDs() {
			t := known[k.kind]
			if carries(k.kind) && (t.most == 1 || weak && !t.weak) {
				return false
			}
		}
		return true
	}
	for _, k := range ids {
		h := f.home(k)
		if h == nil {
			if known[k.kind].most != 1 || !carries(k.kind) {
				fresh = append(fresh, k)
			} else {
				f.clash++
			}
			continue
		}
		h = h.root()
		switch {
		case h == who:
		case !joins(h, known[k.kind].weak):
			f.clash++
		case who == nil:
			who = h
		case f.areApart(who, h):
			f.clash++
		default:
			into, from := who, h
			x, y := into.whole(), from.whole()
			if from.person() != into.person() {
				if from.person() {
					into, from = from, into
				}
			} else if cmp.Or(cmp.Compare(y.created, x.created), cmp.Compare(from.born, into.born)) < 0 {
				into, from = from, into
			}
			f.merge(into, from, "")
			who = into
		}
	}
	if who == nil {
		who = &node{born: len(f.nodes), created: fact.Timestamp}
		f.nodes = append(f.nodes, who)
	}
	home := who
	for _, k := range ids {
		if h := f.home(k); h != nil && h.root() == who {
			home = h
			break
		}
	}
	home.ids = append(home.ids, fresh...)
	home.facts++
	f.of = append(f.of, home)
	w := who.whole()
	if fact.Timestamp < w.created {
		who.created = fact.Timestamp
	}
	if ch := ChannelOf(&fact); ch != "" && (w.touchAt == 0 || fact.Timestamp < w.touchAt) {
		who.touch, who.touchAt = ch, fact.Timestamp
	}
	for _, c := range parseTraits(fact.Traits) {
		if c.key == attrName {
			who.call(text(c.value), fact.Timestamp)
		}
	}
}

// undoing is a pond and its reference side by side. Facts are resolved in
// stretches cut at random, some twice; between them people merge, undo and write.
type sideBySide struct {
	*pond
	t     *rapid.T
	d     *db.DB
	f     *forest
	st    *store
	facts []event.Fact
	at    []event.Position
	done  int // stored
}

// nums gives the number of each living node, found by an identity of its own.
func (s *sideBySide) num(n *node) int64 {
	k := n.ids[0]
	num := one[int64](s.pond, "select case when home = 0 then contact else home end from identities where kind = $1 and lookup = $2", k.kind, k.lookup)
	return num
}

func (s *sideBySide) id(n *node) string {
	return one[string](s.pond, "select id from contacts where num = $1", s.num(n))
}

// resolve brings the store up to the facts taken so far; some answers get lost on the way.
func (s *sideBySide) resolveAll(all bool) {
	for s.done < len(s.facts) {
		n := min(rapid.SampledFrom([]int{1, 2, 5, 40}).Draw(s.t, "batch"), len(s.facts)-s.done)
		facts, at := s.facts[s.done:s.done+n], s.at[s.done:s.done+n]
		out, err := s.resolver.Resolve(s.ctx, facts, at)
		require.NoError(s.t, err)
		switch fate := rapid.SampledFrom([]string{"", "", "", "lost", "restart"}).Draw(s.t, "fate"); {
		case fate == "restart":
			seq := s.pond.clock.Now()
			s.pond = newPond(s.pond.t, s.d)
			s.pond.clock.Advance(seq.Sub(s.pond.clock.Now()))
			continue
		case fate == "lost" && !all && s.done+n == len(s.facts):
			return // resolved, and not stored before people go on
		case fate == "lost":
			continue
		}
		s.st.append(at, out)
		var stored []event.Stored
		for i, f := range facts {
			if out.Facts[i].Err == nil {
				f.Contact = out.Facts[i].Contact
				stored = append(stored, event.Stored{Fact: f, Position: at[i]})
			}
		}
		require.NoError(s.t, s.Activity().Handle(s.ctx, stored))
		s.done += n
	}
}

// adopt gives merges that facts made their ids, to undo them by.
func (s *sideBySide) adopt() {
	for _, m := range s.f.merges {
		if m.id == "" {
			m.id = one[string](s.pond, "select id from contact_merges where from_num = $1 and into_num = $2 and undone_at = 0", s.num(m.from), s.num(m.into))
		}
	}
}

func (s *sideBySide) act() {
	s.clock.Advance(time.Second)
	var people []*node
	for _, n := range s.f.nodes {
		if n.into == nil && len(n.ids) > 0 {
			people = append(people, n)
		}
	}
	if len(people) == 0 {
		return
	}
	any := func(label string) *node { return rapid.SampledFrom(people).Draw(s.t, label) }
	ctx := context.Background()
	switch rapid.SampledFrom([]string{"merge", "merge", "undo", "undo", "undo", "apart", "reunite", "note", "name", "conflict"}).Draw(s.t, "act") {
	case "merge":
		keep, other := any("keep"), any("other")
		if keep == other {
			return
		}
		m, err := s.MergeByHand(ctx, s.id(keep), s.id(other), "", LiftApart)
		require.NoError(s.t, err)
		s.f.apart = slices.DeleteFunc(s.f.apart, func(p [2]*node) bool {
			x, y := p[0].root(), p[1].root()
			return x == keep && y == other || x == other && y == keep
		})
		s.f.merge(keep, other, m.ID)
	case "undo":
		s.adopt()
		if len(s.f.merges) == 0 {
			return
		}
		m := rapid.SampledFrom(s.f.merges).Draw(s.t, "merge")
		_, err := s.UndoMerge(ctx, m.id, "")
		require.NoError(s.t, err)
		s.f.undo(m)
	case "apart":
		if a, b := any("a"), any("b"); a != b {
			require.NoError(s.t, s.KeepApart(ctx, s.num(a), s.num(b), ""))
			s.f.apart = append(s.f.apart, [2]*node{a, b})
		}
	case "reunite":
		if a, b := any("a"), any("b"); a != b {
			require.NoError(s.t, s.Reunite(ctx, s.num(a), s.num(b)))
			s.f.apart = slices.DeleteFunc(s.f.apart, func(p [2]*node) bool {
				x, y := p[0].root(), p[1].root()
				return x == a && y == b || x == b && y == a
			})
		}
	case "note":
		n := any("who")
		_, err := s.AddNote(ctx, s.id(n), "x")
		require.NoError(s.t, err)
		n.notes++
	case "name":
		n, name := any("who"), rapid.SampledFrom([]string{"丁", "戊"}).Draw(s.t, "name")
		_, err := s.Update(ctx, s.id(n), Change{Name: &name})
		require.NoError(s.t, err)
		n.call(name, s.clock.Now().UnixMilli())
	}
}

func TestUndoHistoriesAgreeWithReference(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			clean(t, d)
			s := &sideBySide{pond: newPond(t, d), t: rt, d: d, f: &forest{}, st: newStore()}
			for range rapid.IntRange(1, 8).Draw(rt, "rounds") {
				for range rapid.IntRange(0, 6).Draw(rt, "facts") {
					i := len(s.facts)
					f := genFact(rt, i)
					if f.Type == event.Alias {
						f.Type, f.PreviousID = event.Track, ""
					}
					s.facts = append(s.facts, f)
					s.at = append(s.at, event.Position{Seq: uint64(i/3 + 1), Idx: uint32(i % 3)})
					s.f.take(f)
				}
				s.resolveAll(false)
				for range rapid.IntRange(0, 4).Draw(rt, "acts") {
					s.act()
				}
			}
			// One more fact, by which the store hears of what people did last.
			i := len(s.facts)
			last := event.Fact{MessageID: fmt.Sprint(i), Type: event.Track, Name: "x", Source: "web", Timestamp: 1000, ReceivedAt: 1000, UserID: "last"}
			s.facts, s.at = append(s.facts, last), append(s.at, event.Position{Seq: uint64(i/3 + 1), Idx: uint32(i % 3)})
			s.f.take(last)
			s.resolveAll(true)
			s.compare()
		})
	}, Migrations())
}

// compare looks at every person from all sides.
func (s *sideBySide) compare() {
	type person struct {
		ids                     string
		kind                    event.Kind
		created                 int64
		name, channel           string
		notes, facts            int
		profileKind, profileFor string
	}
	is, want := map[int64]person{}, map[int64]person{}
	rows, err := s.DB.Query(s.ctx, `select num, kind, created_at, name, channel, facts, (select count(*) from contact_notes n where n.contact = num) from contacts where merged_into = 0`)
	require.NoError(s.t, scanAll(rows, err, "contacts", func(r *sql.Rows) error {
		var n int64
		var p person
		err := r.Scan(&n, &p.kind, &p.created, &p.name, &p.channel, &p.facts, &p.notes)
		pr := s.st.profiles[n]
		p.profileKind, p.profileFor = string(pr.Kind), fmt.Sprint(pr.CreatedAt, pr.Channel)
		is[n] = p
		return err
	}))
	rows, err = s.DB.Query(s.ctx, "select contact, kind, lookup from identities order by kind, lookup")
	require.NoError(s.t, scanAll(rows, err, "identities", func(r *sql.Rows) error {
		var n int64
		var kind, lookup string
		err := r.Scan(&n, &kind, &lookup)
		p := is[n]
		p.ids += kind + "=" + lookup + " "
		is[n] = p
		return err
	}))
	for _, n := range s.f.nodes {
		if n.into != nil {
			continue
		}
		w := n.whole()
		p := person{kind: event.Visitor, created: w.created, name: w.name, channel: w.touch, notes: w.notes, facts: w.facts}
		if n.person() {
			p.kind = event.Person
		}
		ids := n.allIDs()
		slices.SortFunc(ids, func(a, b idKey) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.lookup, b.lookup)) })
		for _, k := range ids {
			p.ids += k.kind + "=" + k.lookup + " "
		}
		p.profileKind, p.profileFor = string(p.kind), fmt.Sprint(p.created, cmp.Or(p.channel, Unknown))
		want[s.num(n)] = p
	}
	require.Equal(s.t, want, is)
	require.Equal(s.t, int64(s.f.clash), one[int64](s.pond, "select cast(coalesce(sum(count), 0) as bigint) from identity_conflicts"), "conflicts are recorded, once each")
	for i, home := range s.f.of {
		if home == nil {
			require.Zero(s.t, s.st.contacts[i])
			continue
		}
		require.Equal(s.t, s.num(home), s.st.contacts[i], "fact %d is stored under its home", i)
		require.Equal(s.t, s.num(home.root()), s.st.root(s.st.contacts[i]), "whose fact %d is", i)
	}
	for _, a := range s.f.nodes {
		for _, b := range s.f.nodes {
			if a.into == nil && b.into == nil && a != b {
				got, err := s.Apart(s.ctx, [][2]int64{{s.num(a), s.num(b)}})
				require.NoError(s.t, err)
				require.Equal(s.t, s.f.areApart(a, b), got[0])
			}
		}
	}
}

package contact

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// somebody is a contact in the slow reference.
type somebody struct {
	ids     []idKey
	person  bool
	created int64
	born    int // order of making
	name    string
	nameAt  int64
	hasName bool
	channel string
	touchAt int64
}

func (s *somebody) has(kind string) bool {
	return slices.ContainsFunc(s.ids, func(k idKey) bool { return k.kind == kind })
}

// everybody is the slow, obvious reference: one fact after the other, no cache,
// no batches, everything looked for by walking.
type everybody struct {
	people []*somebody
	of     []*somebody // whose each fact is; nil: nobody's
	born   int
	clash  int            // identities that did not go where a fact said
	barred map[idKey]bool // blocked by the company just now
	most   map[string]int // limits of kinds of which there may be several
}

// room tells whether one more of a kind may go to somebody who has these.
func (e *everybody) room(kind string, has []idKey) bool {
	n := 0
	for _, k := range has {
		if k.kind == kind {
			n++
		}
	}
	return e.most[kind] == 0 || n < e.most[kind]
}

func (e *everybody) holder(k idKey) *somebody {
	for _, s := range e.people {
		if slices.Contains(s.ids, k) {
			return s
		}
	}
	return nil
}

func (e *everybody) take(f event.Fact) {
	var ids []idKey
	add := func(kind, value string) {
		if value != "" && value != "null" && !e.barred[idKey{kind, value}] && !slices.Contains(ids, idKey{kind, value}) {
			ids = append(ids, idKey{kind, value})
		}
	}
	add(KindUserID, f.UserID)
	for _, i := range f.Identifiers {
		add(i.Kind, i.Value)
	}
	add(KindAnonymous, f.AnonymousID)
	slices.SortStableFunc(ids, func(a, b idKey) int { return known[b.kind].priority - known[a.kind].priority })
	if f.Type == event.Alias && f.PreviousID != f.UserID && !e.barred[idKey{KindUserID, f.PreviousID}] && !e.barred[idKey{KindAnonymous, f.PreviousID}] {
		if kind := KindUserID; len(ids) > 0 && e.holder(idKey{kind, f.PreviousID}) != nil {
			add(kind, f.PreviousID)
		} else {
			add(KindAnonymous, f.PreviousID)
		}
	}
	if len(ids) == 0 {
		e.of = append(e.of, nil)
		return
	}
	who := &somebody{created: f.Timestamp, born: e.born} // nobody yet, who collects identities
	nobody := true
	var fresh []idKey // those that nobody has, which come last and as far as there is room
	for _, k := range ids {
		h := e.holder(k)
		switch {
		case slices.Contains(who.ids, k):
		case h == nil:
			seen := &somebody{ids: slices.Concat(who.ids, fresh)}
			if known[k.kind].most != 1 || !seen.has(k.kind) {
				fresh = append(fresh, k)
			} else {
				e.clash++
			}
		case mayJoin(&somebody{ids: slices.Concat(who.ids, fresh)}, h, known[k.kind].weak):
			if nobody {
				who, nobody = h, false
			} else if e.roomForBoth(who, fresh, h) {
				who = e.join(who, h)
			} else {
				e.clash++
			}
		case h != who:
			e.clash++
		}
	}
	for _, k := range fresh {
		if e.room(k.kind, who.ids) {
			who.ids = append(who.ids, k)
		} else {
			e.clash++
		}
	}
	if nobody {
		e.born++
		e.people = append(e.people, who)
	}
	if slices.ContainsFunc(who.ids, func(k idKey) bool { return !known[k.kind].weak }) {
		who.person = true
	}
	who.created = min(who.created, f.Timestamp)
	if ch := ChannelOf(&f); ch != "" && (who.touchAt == 0 || f.Timestamp < who.touchAt) {
		who.channel, who.touchAt = ch, f.Timestamp
	}
	for _, c := range parseTraits(f.Traits) {
		if c.key == attrName && (!who.hasName || f.Timestamp >= who.nameAt) {
			who.name, who.nameAt, who.hasName = text(c.value), f.Timestamp, true
		}
	}
	e.of = append(e.of, who)
}

// roomForBoth: what one has, what is new, and what the other has are not too many together.
func (e *everybody) roomForBoth(a *somebody, fresh []idKey, b *somebody) bool {
	for kind, most := range e.most {
		n := 0
		for _, k := range slices.Concat(a.ids, fresh, b.ids) {
			if k.kind == kind {
				n++
			}
		}
		if n > most && b.has(kind) && (a.has(kind) || slices.ContainsFunc(fresh, func(k idKey) bool { return k.kind == kind })) {
			return false
		}
	}
	return true
}

// mayJoin: by a strong identity unless both have an identity of the same unique
// kind; by a device unless both have one of the same strong kind.
func mayJoin(a, b *somebody, weak bool) bool {
	for _, k := range a.ids {
		t := known[k.kind]
		if b.has(k.kind) && (t.most == 1 || weak && !t.weak) {
			return false
		}
	}
	return true
}

func (e *everybody) join(a, b *somebody) *somebody {
	younger := func(x, y *somebody) bool {
		if x.person != y.person {
			return !x.person
		}
		return cmp.Or(cmp.Compare(x.created, y.created), cmp.Compare(x.born, y.born)) > 0
	}
	into, from := a, b
	if younger(a, b) {
		into, from = b, a
	}
	into.ids = append(into.ids, from.ids...)
	into.created = min(into.created, from.created)
	if from.touchAt != 0 && (into.touchAt == 0 || from.touchAt < into.touchAt) {
		into.channel, into.touchAt = from.channel, from.touchAt
	}
	if from.hasName && (!into.hasName || from.nameAt > into.nameAt) {
		into.name, into.nameAt, into.hasName = from.name, from.nameAt, true
	}
	e.people = slices.DeleteFunc(e.people, func(s *somebody) bool { return s == from })
	for i, s := range e.of {
		if s == from {
			e.of[i] = into
		}
	}
	return into
}

// store is as much of an analytics store as resolving must keep right: facts
// under the number they came by, and who leads that number today.
type store struct {
	at       event.Position
	contacts []int64
	leader   map[int64]int64
	profiles map[int64]event.Profile
}

func newStore() *store {
	return &store{leader: map[int64]int64{}, profiles: map[int64]event.Profile{}}
}

func (s *store) root(n int64) int64 {
	if l, ok := s.leader[n]; ok {
		return l
	}
	return n
}

func (s *store) append(at []event.Position, r event.Resolved) {
	if !less(s.at, at[len(at)-1]) {
		return
	}
	for i, f := range r.Facts {
		if less(s.at, at[i]) {
			s.contacts = append(s.contacts, f.Contact)
		}
	}
	for _, k := range r.Rekeys {
		s.rekey(k)
	}
	for _, p := range r.Profiles {
		s.profiles[p.Contact] = p
	}
	s.at = at[len(at)-1]
}

func (s *store) rekey(k event.Rekey) {
	from := k.From
	if len(k.Split) > 0 {
		for _, n := range append([]int64{from}, k.Split...) {
			s.leader[n] = from
		}
		return
	}
	into := s.root(k.Into)
	if s.root(from) != from || into == from {
		return
	}
	s.leader[from] = into
	for n, l := range s.leader {
		if l == from {
			s.leader[n] = into
		}
	}
	delete(s.profiles, from)
}

func genFact(t *rapid.T, i int) event.Fact {
	one := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	f := event.Fact{MessageID: fmt.Sprint(i), Type: event.Type(one("type", "track", "track", "identify", "page", "alias")), Source: "web",
		Timestamp: int64(rapid.IntRange(1, 9).Draw(t, "ts")) * 1000, ReceivedAt: 20_000}
	f.UserID = one("user", "", "", "u1", "u2", "u3", "null")
	f.AnonymousID = one("anon", "", "a1", "a2", "a3", "a4")
	if f.Type == event.Alias {
		f.PreviousID = one("prev", "a1", "a2", "a5", "u1", "u4")
	}
	for range rapid.IntRange(0, 2).Draw(t, "more") {
		f.Identifiers = append(f.Identifiers, rapid.SampledFrom(ids(KindMemberNo, "m1", KindMemberNo, "m2", KindUnionID, "x1", KindUnionID, "x2", KindOpenID, "o1", KindDevice, "d1")).Draw(t, "id"))
	}
	if rapid.IntRange(0, 3).Draw(t, "named") == 0 {
		f.Traits = js(map[string]any{"name": one("name", "甲", "乙", "丙")})
	}
	if rapid.IntRange(0, 3).Draw(t, "touched") == 0 {
		f.Context = js(map[string]any{"channel": one("channel", Social, Offline, PaidSearch)})
	}
	return f
}

var errCrash = errors.New("crash")

// turn is a change of the rules before a fact is resolved.
type turn struct {
	before int // which fact
	key    idKey
	off    bool // the value is unblocked
}

func genTurns(t *rapid.T, facts int) []turn {
	var out []turn
	for range rapid.IntRange(0, 2).Draw(t, "blocked values") {
		key := rapid.SampledFrom([]idKey{{KindUserID, "u1"}, {KindUnionID, "x1"}, {KindAnonymous, "a1"}, {KindOpenID, "o1"}}).Draw(t, "blocked")
		if slices.ContainsFunc(out, func(x turn) bool { return x.key == key }) {
			continue
		}
		from := rapid.IntRange(0, facts).Draw(t, "blocked from")
		out = append(out, turn{before: from, key: key}, turn{before: rapid.IntRange(from, facts).Draw(t, "blocked until"), key: key, off: true})
	}
	slices.SortStableFunc(out, func(a, b turn) int { return a.before - b.before })
	return out
}

// take makes the change on the pond; blocked remembers ids to unblock by.
func (x turn) take(t *rapid.T, p *pond, blocked map[idKey]string) {
	if x.off {
		require.NoError(t, p.Unblock(p.ctx, blocked[x.key]))
		return
	}
	_, err := p.Block(p.ctx, x.key.kind, []string{x.key.lookup}, "")
	require.NoError(t, err)
	items, _, _, err := p.Blocked(p.ctx, x.key.kind, x.key.lookup, "", 1)
	require.NoError(t, err)
	blocked[x.key] = items[0].ID
}

func TestHistoriesAgreeWithReference(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			clean(t, d)
			p := newPond(t, d)
			ref := &everybody{barred: map[idKey]bool{}, most: map[string]int{}}
			for _, kind := range []string{KindOpenID, KindAnonymous, KindUnionID} {
				if most := rapid.SampledFrom([]int{0, 0, 2, 3}).Draw(rt, "most "+kind); most > 0 {
					ref.most[kind] = most
					_, err := d.Exec(p.ctx, "insert into identity_rules (kind, most, updated_at) values ($1, $2, 0)", kind, most)
					require.NoError(rt, err)
				}
			}
			require.NoError(rt, p.engine.rulesMoved(p.ctx))
			var facts []event.Fact
			var at []event.Position
			n := rapid.IntRange(1, 40).Draw(rt, "facts")
			turns := genTurns(rt, n)
			for i, k := 0, 0; i < n; i++ {
				for ; k < len(turns) && turns[k].before <= i; k++ {
					ref.barred[turns[k].key] = !turns[k].off
				}
				f := genFact(rt, i)
				facts = append(facts, f)
				at = append(at, event.Position{Seq: uint64(i/3 + 1), Idx: uint32(i % 3)})
				ref.take(f)
			}
			st := newStore()
			blocked := map[idKey]string{}
			for done := 0; done < len(facts); {
				for len(turns) > 0 && turns[0].before <= done {
					turns[0].take(rt, p, blocked)
					turns = turns[1:]
				}
				n := min(rapid.SampledFrom([]int{1, 1, 2, 3, 7, 40}).Draw(rt, "batch"), len(facts)-done)
				if len(turns) > 0 {
					n = min(n, turns[0].before-done)
				}
				switch rapid.SampledFrom([]string{"ok", "ok", "ok", "ok", "ok", "ok", "roll back", "lost answer", "restart", "epoch", "again"}).Draw(rt, "fate") {
				case "roll back":
					err := d.Tx(p.ctx, func(ctx context.Context) error {
						_, err := p.resolver.Resolve(ctx, facts[done:done+n], at[done:done+n])
						require.NoError(rt, err)
						return errCrash
					})
					require.ErrorIs(rt, err, errCrash)
					continue
				case "lost answer": // committed, but the analytics store did not get it; from here again, split anew
					_, err := p.resolver.Resolve(p.ctx, facts[done:done+n], at[done:done+n])
					require.NoError(rt, err)
					continue
				case "again": // a stretch that is stored long since: it changes nobody, whatever the rules are by now
					if done == 0 {
						continue
					}
					from := rapid.IntRange(0, done-1).Draw(rt, "again from")
					_, err := p.resolver.Resolve(p.ctx, facts[from:done], at[from:done])
					require.NoError(rt, err)
					continue
				case "restart":
					p = newPond(t, d)
					continue
				case "epoch":
					require.NoError(rt, p.engine.moved(p.ctx))
				}
				out, err := p.resolver.Resolve(p.ctx, facts[done:done+n], at[done:done+n])
				require.NoError(rt, err)
				st.append(at[done:done+n], out)
				done += n
			}
			compare(rt, p, ref, st)
		})
	}, Migrations())
}

func clean(t *testing.T, d *db.DB) {
	for _, table := range []string{"contacts", "identities", "identity_conflicts", "identity_refusals", "identity_rules", "identity_blocked", "contact_merges", "contact_apart", "contact_tellings", "contact_notes", "contact_import_facts", "contact_cursor", "sequences",
		"contact_attributes", "contact_attribute_values", "contact_attribute_history", "contact_attribute_violations"} {
		_, err := d.Exec(t.Context(), "delete from "+table)
		require.NoError(t, err)
	}
}

// compare checks people, whose the stored facts are, and the profiles.
func compare(t *rapid.T, p *pond, ref *everybody, st *store) {
	type person struct {
		ids     []idKey
		kind    event.Kind
		created int64
		name    string
		channel string
	}
	nums := map[int64]*person{}
	rows, err := p.DB.Query(p.ctx, "select num, kind, created_at, name, channel from contacts where merged_into = 0")
	require.NoError(t, scanAll(rows, err, "contacts", func(r *sql.Rows) error {
		var n int64
		x := &person{}
		err := r.Scan(&n, &x.kind, &x.created, &x.name, &x.channel)
		nums[n] = x
		return err
	}))
	rows, err = p.DB.Query(p.ctx, "select contact, kind, lookup from identities order by kind, lookup")
	require.NoError(t, scanAll(rows, err, "identities", func(r *sql.Rows) error {
		var n int64
		var k idKey
		err := r.Scan(&n, &k.kind, &k.lookup)
		require.NotNil(t, nums[n], "identity %v is held by %d, who is gone", k, n)
		nums[n].ids = append(nums[n].ids, k)
		return err
	}))
	is := map[*somebody]int64{}
	for _, s := range ref.people {
		slices.SortFunc(s.ids, func(a, b idKey) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.lookup, b.lookup)) })
		for n, x := range nums {
			if slices.Equal(x.ids, s.ids) {
				is[s] = n
				want := person{s.ids, event.Visitor, s.created, s.name, s.channel}
				if s.person {
					want.kind = event.Person
				}
				require.Equal(t, want, *x)
			}
		}
		require.NotZero(t, is[s], "nobody has %v", s.ids)
	}
	require.Len(t, nums, len(ref.people))
	require.Equal(t, int64(ref.clash), one[int64](p, "select cast(coalesce(sum(count), 0) as bigint) from identity_conflicts"), "conflicts are recorded, once each")
	for i, s := range ref.of {
		if s == nil {
			require.Zero(t, st.contacts[i])
		} else {
			require.Equal(t, is[s], st.root(st.contacts[i]), "fact %d", i)
		}
	}
	profiles := slices.Sorted(maps.Keys(st.profiles))
	require.Equal(t, slices.Sorted(maps.Keys(nums)), profiles)
	for n, pr := range st.profiles {
		require.Equal(t, event.Profile{Contact: n, Kind: nums[n].kind, Channel: cmp.Or(nums[n].channel, Unknown), CreatedAt: nums[n].created}, pr)
	}
}

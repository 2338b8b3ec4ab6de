package contact

import (
	"slices"

	"github.com/valyala/fastjson"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
)

// snapshot is what resolving knows of a committed contact.
type snapshot struct {
	num       int64
	id        string
	kind      event.Kind
	kinds     uint64 // bits of the kinds of identity it carries
	createdAt int64
	first     Touch
}

// state is a contact while a stretch of facts is being resolved.
type state struct {
	snapshot
	was      snapshot // as it is stored; zero when fresh
	into     *state   // merged into
	fresh    bool     // made in this stretch: its number is given when it is written
	order    int      // place among the fresh ones
	source   string
	importID string
	madeAt   int64
	last     Touch // of fresh ones: explicit creations
	rec      *record
	recDirty bool
	own      *own // what it is without those merged into it; nil: loaded when needed, or itself
	ownDirty bool
	sum      *own // what its parts and own come to, while merges are replayed
	ownerID  string
	held     map[string]int // how many identities it carries of kinds that must be counted; see loadCounts
}

// root follows merges to the survivor.
func (s *state) root() *state {
	for s.into != nil {
		s = s.into
	}
	return s
}

// profileChanged tells whether the analytics store must hear of it.
func (s *state) profileChanged() bool {
	return s.fresh || s.kind != s.was.kind || s.createdAt != s.was.createdAt || s.first.Channel != s.was.first.Channel
}

// ident is an identity while a stretch is being resolved.
type ident struct {
	key      idKey
	trait    trait
	value    string // normal form, sealed when it is written
	held     *state // as attached; see holder
	stored   bool   // there before this stretch
	seen     int64  // last seen
	wasSeen  int64
	first    int64
	source   string
	importID string
	from     *state // to whom it was attached in this stretch
	home     home   // to whom it came by itself
}

// home is the contact to which an identity or a fact came by itself, whomever
// that contact is part of today: one that is stored, or one of this stretch.
type home struct {
	num int64
	st  *state
}

func (h home) number() int64 {
	if h.st != nil {
		return h.st.num
	}
	return h.num
}

func (i *ident) holder() *state {
	if i.held == nil {
		return nil
	}
	return i.held.root()
}

// input is one fact, or one row of an import, on its way to a contact.
type input struct {
	ids      []*ident // strongest first, no repeats
	previous []*ident // alias: the readings of the previous id, a user id before a device
	refused  []refusal
	contact  int64 // given: skips the identities
	ts       int64 // when it happened
	said     int64 // since when the attributes are true
	now      int64
	source   string
	importID string
	changes  func() []change // nil: states no attributes
	by       origin          // who states them
	touch    Touch           // At 0: none
	seq      uint64
	idx      uint32
	replay   bool   // resolved before
	reason   string // why a merge by it happens
	manual   bool   // made by a person or an import: no activity of the customer
	message  string // of the fact, to explain merges by it
	name     string
	note     string // why, in words, when a person merges

	// The answer.
	st        *state
	home      home // under whose number the fact is stored
	err       *errs.Error
	conflicts []conflict
}

// refusal is a value that identifies nobody; by is the entry that blocks it, when the company does.
type refusal struct{ kind, value, reason, by string }

// conflict is an identity that could not go to the contact of its fact.
type conflict struct {
	key    idKey
	value  string
	to     *state
	holder *state // nil: nobody has it
	reason string
	seq    uint64
	idx    uint32
	ts     int64
	again  bool // recorded when the fact was resolved first
}

// Reasons of conflicts.
const (
	conflictPerson = "other_person"  // two people by strong identities
	conflictDevice = "shared_device" // a device of somebody else
	conflictLimit  = "limit"         // more of a kind than one contact may carry
	conflictApart  = "kept_apart"    // somebody said that these are two people
)

// merge is one join of two contacts.
type merge struct {
	from, into *state
	by         idKey
	in         *input
	before     string   // attributes of into before, when from's changed them
	was, took  snapshot // into and from just before
	told       Merge    // as it was recorded
}

// op is a step that touches attributes; steps are replayed on the loaded
// records in order, so that ties between equal times fall as they came.
type op struct {
	in   *input // states attributes of st
	st   *state
	from *state // merged into st
	nth  int    // which merge
}

// world is what a stretch of facts does, in memory, before it is written.
type world struct {
	idents    map[idKey]*ident
	states    map[int64]*state
	fresh     []*state
	attached  []*ident
	merges    []merge
	ops       []op
	conflicts []conflict
	apart     [][2]int64 // pairs of stored contacts that must not become one

	rules      *kindRules   // set before identifiers are read
	defs       *definitions // set before records are read
	claims     map[claim]holder
	violations []violation

	parser  fastjson.Parser
	scratch []event.Identifier
}

func newWorld(size int) *world {
	return &world{idents: make(map[idKey]*ident, size), states: make(map[int64]*state, size)}
}

// assign finds whose input it is, making, promoting and merging contacts.
func (w *world) assign(in *input) {
	if in.err != nil {
		return
	}
	if in.contact != 0 {
		st := w.states[in.contact]
		if st == nil {
			in.err = errs.New(errs.NotFound, "fact.unknown_contact", "contact", in.contact)
			return
		}
		in.st, in.home = st.root(), home{num: in.contact}
	} else {
		ids := w.withPrevious(in)
		if len(ids) == 0 {
			in.err = errs.New(errs.Invalid, "fact.no_identity", "values", describeRefusals(in.refused))
			return
		}
		in.st = w.join(in, ids)
	}
	w.note(in)
}

// withPrevious adds the previous id of an alias, which never decides whose fact
// it is: as a user's when one is known by it, else as a device's. What is known
// changes with time, so a replay leaves it alone: it is linked already.
func (w *world) withPrevious(in *input) []*ident {
	if len(in.previous) == 0 {
		return in.ids
	}
	pick := in.previous[len(in.previous)-1]
	if len(in.ids) == 0 {
		return []*ident{pick}
	}
	if in.replay && slices.ContainsFunc(in.ids, func(id *ident) bool { return id.held != nil }) {
		return in.ids // else there was no room for any of them, and the previous id decided
	}
	for _, id := range in.previous {
		if id.held != nil {
			pick = id
			break
		}
	}
	if slices.Contains(in.ids, pick) {
		return in.ids
	}
	return append(slices.Clone(in.ids), pick)
}

// join walks the identities from the strongest on. has is what the contact
// carries, or would carry, so far.
func (w *world) join(in *input, ids []*ident) *state {
	var cur *state
	var has carried
	var pending []*ident
	start := len(w.conflicts)
	for _, id := range ids {
		holder := id.holder()
		switch {
		case holder == nil && w.rules.second(&has, id):
			w.conflict(in, id, conflictLimit)
		case holder == nil:
			has.add(w.rules, id)
			pending = append(pending, id)
		case holder == cur:
		case w.rules.clash(&has, cur != nil, holder, id.trait.weak) != "":
			w.conflict(in, id, w.rules.clash(&has, cur != nil, holder, id.trait.weak))
		case cur != nil && w.keptApart(cur, holder):
			w.conflict(in, id, conflictApart)
		case cur == nil:
			cur = holder
			has.take(holder)
		case in.replay:
			// What this fact makes one was made one when it came. If they are apart
			// now, somebody undid it since.
		default:
			has.take(holder)
			cur = w.merge(in, cur, holder, id.key)
		}
	}
	if cur == nil {
		cur = w.create(in)
	}
	in.home = homeIn(ids, cur)
	if in.replay && !cur.fresh {
		// What could go to the contact went there when the fact came. What is nobody's
		// now was refused then, or somebody took it away since.
		pending, has.bits = nil, 0
	}
	for _, id := range pending {
		if w.rules.full(cur, id.key.kind) { // the strongest came first
			w.conflict(in, id, conflictLimit)
			continue
		}
		w.attach(in, id, cur)
		id.home = in.home // it came along with what decides, and stays with that
	}
	cur.kinds |= has.bits
	if cur.kinds&strongBits != 0 {
		cur.kind = event.Person
	}
	for i := start; i < len(w.conflicts); i++ {
		w.conflicts[i].to = cur
	}
	in.conflicts = w.conflicts[start:len(w.conflicts):len(w.conflicts)]
	return cur
}

// homeIn is the side of cur that the strongest of the identities belongs to.
func homeIn(ids []*ident, cur *state) home {
	for _, id := range ids {
		if id.held != nil && id.holder() == cur {
			return id.home
		}
	}
	return home{st: cur}
}

// keptApart tells whether somebody said that the two are different people.
func (w *world) keptApart(a, b *state) bool {
	if a.kinds&b.kinds&apartBit == 0 {
		return false
	}
	for _, p := range w.apart {
		if x, y := w.states[p[0]], w.states[p[1]]; x != nil && y != nil && x.root() == a && y.root() == b {
			return true
		}
	}
	return false
}

func (w *world) conflict(in *input, id *ident, reason string) {
	w.conflicts = append(w.conflicts, conflict{key: id.key, value: id.value, holder: id.holder(), reason: reason, seq: in.seq, idx: in.idx, ts: in.ts, again: in.replay})
}

func (w *world) create(in *input) *state {
	st := &state{fresh: true, order: len(w.fresh), source: in.source, importID: in.importID, madeAt: in.now}
	st.kind = event.Visitor
	st.createdAt = in.ts
	w.fresh = append(w.fresh, st)
	return st
}

func (w *world) attach(in *input, id *ident, st *state) {
	id.held, id.from = st, st
	id.first, id.seen = in.ts, in.ts
	id.source, id.importID = in.source, in.importID
	w.attached = append(w.attached, id)
	if _, ok := w.rules.counted[id.key.kind]; ok {
		if st.held == nil {
			st.held = map[string]int{}
		}
		st.held[id.key.kind]++
	}
}

// merge makes one of two: a person survives a visitor, else the older one.
func (w *world) merge(in *input, a, b *state, by idKey) *state {
	if older(b, a) {
		a, b = b, a
	}
	w.mergeInto(in, a, b, by)
	return a
}

// mergeInto makes from a part of into.
func (w *world) mergeInto(in *input, into, from *state, by idKey) {
	was, took := into.snapshot, from.snapshot
	into.kinds |= from.kinds
	into.createdAt = min(into.createdAt, from.createdAt)
	if from.first.At != 0 && (into.first.At == 0 || from.first.At < into.first.At) {
		into.first = from.first
	}
	from.into = into
	for kind, n := range from.held {
		if into.held == nil {
			into.held = map[string]int{}
		}
		into.held[kind] += n
	}
	w.merges = append(w.merges, merge{from: from, into: into, by: by, in: in, was: was, took: took})
	w.ops = append(w.ops, op{st: into, from: from, nth: len(w.merges) - 1})
}

func older(a, b *state) bool {
	if a.kind != b.kind {
		return a.kind == event.Person
	}
	if a.createdAt != b.createdAt {
		return a.createdAt < b.createdAt
	}
	if a.fresh != b.fresh {
		return b.fresh
	}
	if a.fresh {
		return a.order < b.order
	}
	return a.num < b.num
}

// note lets the contact and its identities know what else the input says.
func (w *world) note(in *input) {
	st := in.st
	if in.replay && !st.fresh {
		// What it says was taken the first time. By now that may be somebody else,
		// when a merge was undone since.
		return
	}
	if in.ts > 0 && in.ts < st.createdAt {
		st.createdAt = in.ts
	}
	if in.touch.At != 0 && (st.first.At == 0 || in.touch.At < st.first.At) {
		st.first = in.touch
	}
	if in.changes != nil {
		w.ops = append(w.ops, op{in: in, st: st})
	}
	for _, id := range in.ids {
		if id.seen < in.ts && id.holder() == st {
			id.seen = in.ts
		}
	}
}

// sortIdents puts the strongest first; equal ones stay in the order sent.
func sortIdents(ids []*ident) {
	slices.SortStableFunc(ids, func(a, b *ident) int { return b.trait.priority - a.trait.priority })
}

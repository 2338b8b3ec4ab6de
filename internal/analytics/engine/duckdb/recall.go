package duckdb

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/jsonscan"
	"github.com/koipond/koipond/internal/rule"
)

// The store keeps facts in order of arrival, so that those of one contact lie
// everywhere: to find them is to look at the contact of every fact there is. For
// conditions that are asked of a few contacts again and again, as they are of
// everybody whose facts come in, the recall keeps what these conditions look at,
// by contact: the moment, the name, and the properties that matter, 16 bytes a
// fact where few different ones occur.
//
// It only ever repeats what the store says. Appends add to it; whatever else
// changes facts has it forgotten and read anew.

// coverage is what of facts is remembered: by name, which properties, and from
// which moment on.
type coverage map[string]*covered

type covered struct {
	from  int64
	props map[string]bool
}

func coverageOf(q analytics.BehaviourQuery) coverage {
	out := coverage{}
	for i := range q.Leaves {
		l := &q.Leaves[i]
		from, _ := l.Span(q.Now, q.Zone)
		for _, name := range l.Names() {
			c := out[name]
			if c == nil {
				c = &covered{from: math.MaxInt64, props: map[string]bool{}}
				out[name] = c
			}
			c.from = min(c.from, from)
			for _, p := range l.Properties() {
				c.props[p] = true
			}
		}
	}
	return out
}

// holds tells whether everything in other is covered.
func (c coverage) holds(other coverage) bool {
	for name, o := range other {
		have := c[name]
		if have == nil || have.from > o.from {
			return false
		}
		for p := range o.props {
			if !have.props[p] {
				return false
			}
		}
	}
	return true
}

// equal tells whether both cover the same.
func (c coverage) equal(other coverage) bool {
	return len(c) == len(other) && c.holds(other) && other.holds(c)
}

// deed is a fact as it is remembered.
type deed struct {
	at   int64
	turn uint32 // in order of arrival, around and around
	kind uint32 // of recall.kinds
}

// deedBytes is what a deed takes.
const deedBytes = 16

// kind is what deeds may have in common: the name and the properties that matter.
type kind struct {
	name  string
	props json.RawMessage
}

// recall is guarded by mu, but for what says otherwise.
type recall struct {
	mu     sync.RWMutex
	limit  int64    // bytes; 0: nothing is remembered
	want   coverage // nil: nothing
	have   *memory  // nil: not there yet
	load   *memory  // is being read; appends wait in its fresh
	full   bool
	change chan struct{} // wakes whoever reads; capacity 1
}

// memory is one reading of the store.
type memory struct {
	covers coverage
	people [][]deed // by contact, in order of time and arrival
	kinds  []kind
	byKind map[string]uint32
	turn   uint32
	facts  int64
	bytes  int64
	to     event.Position // facts up to it are read from the store, later ones added
	fresh  []analytics.Row
	void   bool // something else changed facts while it was read
}

func newMemory(c coverage, to event.Position) *memory {
	return &memory{covers: c, byKind: map[string]uint32{}, to: to}
}

// kindBytes is what a kind takes beside its text, about: an entry of the list and
// one of the map.
const kindBytes = 120

// kindOf finds or makes the kind of a fact; ok is false when nobody looks at it.
func (m *memory) kindOf(name string, at int64, props []byte) (k uint32, ok bool) {
	c := m.covers[name]
	if c == nil || at < c.from {
		return 0, false
	}
	var buf [256]byte
	key := append(append(buf[:0], name...), 0)
	cut := len(key)
	if len(c.props) > 0 {
		key = appendProps(key, props, c.props)
	}
	if k, ok := m.byKind[string(key)]; ok {
		return k, true
	}
	text := string(key)
	k = uint32(len(m.kinds))
	m.kinds = append(m.kinds, kind{name: text[:cut-1], props: json.RawMessage(text[cut:])})
	m.byKind[text] = k
	m.bytes += int64(2*len(text) + kindBytes)
	return k, true
}

// appendProps appends an object with those properties alone, as they are written.
func appendProps(dst, props []byte, which map[string]bool) []byte {
	start := len(dst)
	_ = jsonscan.Members(props, func(k []byte, v jsonscan.Value) bool { // what is no object has no properties
		if !which[string(k)] {
			return true
		}
		sep := byte(',')
		if len(dst) == start {
			sep = '{'
		}
		dst = append(dst, sep)
		name, err := json.Marshal(string(k))
		if err != nil {
			return true // cannot happen: a text always encodes
		}
		dst = append(append(append(dst, name...), ':'), bytes.TrimSpace(v.Raw)...)
		return true
	})
	if len(dst) > start {
		dst = append(dst, '}')
	}
	return dst
}

// add remembers a fact, if somebody looks at it. Facts come in order of arrival.
func (m *memory) add(contact int64, name string, at int64, props []byte) {
	if contact < 1 {
		return
	}
	k, ok := m.kindOf(name, at, props)
	if !ok {
		return
	}
	for int64(len(m.people)) <= contact {
		grown := slices.Grow(m.people, int(contact)+1-len(m.people))
		m.bytes += int64(cap(grown)-cap(m.people)) * 24
		m.people = grown[:contact+1]
	}
	m.turn++
	d := deed{at: at, turn: m.turn, kind: k}
	list := m.people[contact]
	if len(list) == cap(list) { // by a quarter: most contacts have few, and many lists grow
		grown := make([]deed, len(list), len(list)+max(2, len(list)/4))
		copy(grown, list)
		m.bytes += int64(cap(grown)-cap(list)) * deedBytes
		list = grown
	}
	i := len(list)
	for i > 0 && list[i-1].at > at {
		i--
	}
	m.people[contact] = slices.Insert(list, i, d)
	m.facts++
}

// size is about what it takes.
func (m *memory) size() int64 { return m.bytes }

// prune forgets what no condition looks at any more since time went on.
func (m *memory) prune(c coverage) {
	m.covers = c
	old := func(d deed) bool {
		have := c[m.kinds[d.kind].name]
		return have == nil || d.at < have.from
	}
	for n, list := range m.people {
		if slices.ContainsFunc(list, old) {
			kept := slices.DeleteFunc(list, old)
			m.facts -= int64(len(list) - len(kept))
			m.people[n] = kept
		}
	}
}

// tell gives the facts of contacts that are one, in order of time and arrival, that
// have one of the names.
func (m *memory) tell(s *story, parts []int64, names map[string]bool) {
	s.all = s.all[:0]
	for name := range s.byName {
		s.byName[name] = s.byName[name][:0]
	}
	var list []deed
	switch len(parts) {
	case 0:
		return
	case 1:
		list = m.deeds(parts[0])
	default:
		for _, p := range parts {
			list = append(list, m.deeds(p)...)
		}
		slices.SortStableFunc(list, func(a, b deed) int { return cmp.Or(cmp.Compare(a.at, b.at), int(int32(a.turn-b.turn))) })
	}
	for _, d := range list {
		k := &m.kinds[d.kind]
		if !names[k.name] {
			continue
		}
		f := rule.Fact{Name: k.name, At: d.at, Properties: k.props}
		s.all = append(s.all, f)
		s.byName[k.name] = append(s.byName[k.name], f)
	}
}

func (m *memory) deeds(contact int64) []deed {
	if contact < 1 || contact >= int64(len(m.people)) {
		return nil
	}
	return m.people[contact]
}

// Remember implements analytics.Rememberer.
func (s *Store) Remember(q analytics.BehaviourQuery) error {
	if err := checkBehaviour(&q); err != nil {
		return err
	}
	want := coverageOf(q)
	r := &s.recall
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.limit == 0 {
		return nil
	}
	same := r.want != nil && r.want.equal(want)
	r.want = want
	switch {
	case len(want) == 0:
		r.have, r.full = nil, false
		r.drop()
	case r.have != nil && r.have.covers.holds(want) && !r.have.wasteful(want):
		r.have.prune(want)
	case same && (r.load != nil || r.full):
	default:
		r.full = false
		r.drop()
		r.wake()
	}
	return nil
}

// wasteful tells whether kinds have properties that nobody looks at any more.
func (m *memory) wasteful(want coverage) bool {
	for name, c := range m.covers {
		if w := want[name]; w != nil && len(c.props) > len(w.props) {
			return true
		}
	}
	return false
}

// drop gives up what is being read. Under mu.
func (r *recall) drop() {
	if r.load != nil {
		r.load.void = true
		r.load = nil
	}
}

func (r *recall) wake() {
	select {
	case r.change <- struct{}{}:
	default: // somebody has
	}
}

// forget has everything read anew: facts were changed, or it is not known which
// were added.
func (r *recall) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.want == nil {
		return
	}
	r.have, r.full = nil, false
	r.drop()
	if len(r.want) > 0 {
		r.wake()
	}
}

// appended adds what was stored. Under the store's wmu, so that batches come in order.
func (r *recall) appended(rows []analytics.Row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.load != nil {
		for i := range rows {
			if r.load.covers[clean(rows[i].Name)] != nil {
				r.load.fresh = append(r.load.fresh, rows[i])
			}
		}
	}
	if r.have != nil {
		r.have.take(rows)
		r.bound()
	}
}

// take adds rows as the store has them.
func (m *memory) take(rows []analytics.Row) {
	for i := range rows {
		name := clean(rows[i].Name)
		c := m.covers[name]
		if c == nil {
			continue
		}
		var props []byte
		if len(c.props) > 0 {
			if text, ok := cleanJSON(rows[i].Properties).(string); ok {
				props = []byte(text)
			}
		}
		m.add(rows[i].Contact, name, rows[i].Timestamp, props)
	}
}

// bound forgets everything when it has become too much. Under mu.
func (r *recall) bound() {
	if r.have != nil && r.have.size() > r.limit {
		r.have, r.full = nil, true
	}
}

// Recall implements analytics.Rememberer.
func (s *Store) Recall() (out analytics.Recall) {
	r := &s.recall
	r.mu.RLock()
	defer r.mu.RUnlock()
	out.Full, out.Loading = r.full, r.load != nil || len(r.want) > 0 && r.have == nil && !r.full
	if r.have != nil {
		out.Facts, out.Bytes = r.have.facts, r.have.size()
		out.Ready = r.have.covers.holds(r.want)
	}
	return out
}

// names are those that leaves look at.
func (c coverage) names() map[string]bool {
	out := make(map[string]bool, len(c))
	for name := range maps.Keys(c) {
		out[name] = true
	}
	return out
}

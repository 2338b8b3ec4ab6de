package contact

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/event/veil"
)

// origin says who stated attributes: a fact's source, an import, a person.
type origin struct {
	kind, id, name string
	run            string // the run that changes many, which can be undone
}

// Kinds of origin.
const (
	byFact    = "fact"
	byImport  = "import"
	byUser    = "user"
	byDefault = "default" // the default of a definition
	byMerge   = "merge"   // another contact's word, taken over
)

// reasonTaken is why a value of a unique attribute is refused.
const reasonTaken = "attribute.taken"

// claim is one value of a unique attribute.
type claim struct {
	attr, str string
	num       int64
}

// holder is who has a claim: a contact of the world, or one that is only known by number.
type holder struct {
	st  *state
	num int64
}

func (h holder) is(st *state) bool {
	if h.st != nil {
		return h.st.root() == st.root()
	}
	return h.num == st.root().num && !st.root().fresh
}

// violation is one value that was not taken.
type violation struct {
	attr, reason, source, sample string
	at                           int64
}

// admit brings a change into the form in which it is kept: the canonical form
// of its type, sealed when personal. It is false when the value is not taken.
func (e *engine) admit(w *world, st *state, in *input, c change) (change, bool, error) {
	if st.rec.column(c.key) != nil {
		return c, true, nil
	}
	def := w.defs.get(c.key)
	if def != nil && c.value != nil {
		v, f := def.Read(c.value)
		if f == nil && v == nil && in.by.kind != byUser {
			return c, false, nil // only null takes away: a blank says nothing
		}
		reason := ""
		if f != nil {
			reason = f.Code
		} else if !e.claim(w, def, st, v) {
			reason = reasonTaken
		}
		if reason != "" {
			if !in.replay {
				w.violations = append(w.violations, violation{c.key, reason, clip(in.by.name, 100), refusedSample(def, c.value), in.ts})
			}
			return c, false, nil
		}
		c.value = v
	}
	if c.value == nil || !w.defs.sealed(c.key, c.value) {
		return c, true, nil
	}
	// Sealing the same value twice gives two texts: keep the one there is.
	if old, ok := st.rec.attributes[c.key]; ok {
		plain, err := e.openAttribute(c.key, old)
		if err != nil {
			return c, false, fmt.Errorf("open attribute %s: %w", c.key, err)
		}
		if bytes.Equal(plain, c.value) && !bytes.Equal(plain, old) {
			c.value = old
			return c, true, nil
		}
	}
	v, err := e.sealAttribute(c.key, c.value)
	if err != nil {
		return c, false, fmt.Errorf("seal attribute %s: %w", c.key, err)
	}
	c.value = v
	return c, true, nil
}

// refusedSample is a refused value as it may be kept.
func refusedSample(def *definition, raw json.RawMessage) string {
	if def.Personal.Sealed() {
		return "****"
	}
	s := text(raw)
	if s == "" {
		s = string(raw)
	}
	return clip(veil.Value(def.Key, s), 80)
}

// keysOf gives the index entries of a value as it is kept.
func (e *engine) keysOf(def *definition, kept json.RawMessage) ([]attribute.Key, error) {
	if kept == nil {
		return nil, nil
	}
	plain, err := e.openAttribute(def.Key, kept)
	if err != nil {
		return nil, fmt.Errorf("open attribute %s: %w", def.Key, err)
	}
	return e.keysOfPlain(def, plain), nil
}

// keysOfPlain hides what a sealed attribute's entries tell behind the blind index.
func (e *engine) keysOfPlain(def *definition, v json.RawMessage) []attribute.Key {
	keys := def.Keys(v)
	if !def.Personal.Sealed() && !sealsAttribute(def.Key, v) {
		return keys
	}
	for i, k := range keys {
		word := k.Str
		if word == "" {
			word = strconv.FormatInt(k.Num, 10)
		}
		keys[i] = attribute.Key{Str: e.keys.Index(field("attribute."+def.Key), word)}
	}
	return keys
}

// claim takes a unique value for a contact; false when somebody else has it.
func (e *engine) claim(w *world, def *definition, st *state, v json.RawMessage) bool {
	if !def.Unique || def.archived || v == nil {
		return true
	}
	for _, k := range e.keysOfPlain(def, v) {
		c := claim{def.Key, k.Str, k.Num}
		if h, ok := w.claims[c]; ok && !h.is(st) {
			return false
		}
		if w.claims == nil {
			w.claims = map[claim]holder{}
		}
		w.claims[c] = holder{st: st}
	}
	return true
}

// claims finds who holds the unique values that changes state.
func (e *engine) claims(ctx context.Context, w *world, each func(yield func([]change))) error {
	if w.defs == nil || !w.defs.unique {
		return nil
	}
	ask := map[string]map[attribute.Key]bool{}
	each(func(cs []change) {
		for _, c := range cs {
			def := w.defs.get(c.key)
			if def == nil || !def.Unique || def.archived || c.value == nil {
				continue
			}
			v, f := def.Read(c.value)
			if f != nil {
				continue
			}
			for _, k := range e.keysOfPlain(def, v) {
				if ask[c.key] == nil {
					ask[c.key] = map[attribute.Key]bool{}
				}
				ask[c.key][k] = true
			}
		}
	})
	for attr, keys := range ask {
		strs, nums := []string{}, []int64{}
		for k := range keys {
			if k.Str != "" {
				strs = append(strs, k.Str)
			} else {
				nums = append(nums, k.Num)
			}
		}
		note := func(r *sql.Rows) error {
			c := claim{attr: attr}
			var num int64
			if err := r.Scan(&c.str, &c.num, &num); err != nil {
				return err
			}
			if _, ok := w.claims[c]; ok {
				return nil
			}
			if w.claims == nil {
				w.claims = map[claim]holder{}
			}
			h := holder{num: num}
			if st := w.states[num]; st != nil {
				h.st = st
			}
			w.claims[c] = h
			return nil
		}
		const q = "select str, num, contact from contact_attribute_values where attr = $1 and "
		slices.Sort(strs)
		if err := selectIn(ctx, e.db, "find holders", q+"str in (%s)", []any{attr}, strs, note); err != nil {
			return err
		}
		slices.Sort(nums)
		if err := selectIn(ctx, e.db, "find holders", q+"str = '' and num in (%s)", []any{attr}, nums, note); err != nil {
			return err
		}
	}
	return nil
}

// writeViolations counts what was not taken.
func (e *engine) writeViolations(ctx context.Context, w *world) error {
	if len(w.violations) == 0 {
		return nil
	}
	type key struct{ attr, reason, source string }
	type row struct {
		key
		count       int64
		first, last int64
		samples     []string
	}
	rows := map[key]*row{}
	var order []*row
	for _, v := range w.violations {
		k := key{v.attr, v.reason, v.source}
		r := rows[k]
		if r == nil {
			r = &row{key: k, first: v.at}
			rows[k] = r
			order = append(order, r)
		}
		r.count++
		r.first, r.last = min(r.first, v.at), max(r.last, v.at)
		if len(r.samples) < 5 && !slices.Contains(r.samples, v.sample) {
			r.samples = append(r.samples, v.sample)
		}
	}
	return insertMany(ctx, e.db, "contact_attribute_violations", columns("attr reason source count:n first_at:n last_at:n samples"), len(order), func(i int) []any {
		r := order[i]
		samples, _ := json.Marshal(r.samples) // strings always encode
		return []any{r.attr, r.reason, r.source, r.count, r.first, r.last, string(samples)}
	}, `on conflict (attr, reason, source) do update set count = contact_attribute_violations.count + excluded.count, samples = excluded.samples,
		last_at = case when excluded.last_at > contact_attribute_violations.last_at then excluded.last_at else contact_attribute_violations.last_at end`)
}

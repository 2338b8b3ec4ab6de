package contact

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/koipond/koipond/internal/event"
)

// own is what a contact is without those merged into it, or, folded, with them.
// It is put away when the first one is merged in; what changes on the whole
// person afterwards counts as the survivor's own (reconcile).
type own struct {
	rec       record
	kind      event.Kind
	createdAt int64
	first     Touch
	owner     string
}

// ownImage is how it is stored.
type ownImage struct {
	imageOf
	Kind      event.Kind `json:"kind"`
	CreatedAt int64      `json:"createdAt"`
	First     *Touch     `json:"first,omitempty"`
	Owner     string     `json:"owner,omitempty"`
}

func encodeOwn(o *own) (string, error) {
	if o == nil {
		return "", nil
	}
	img := ownImage{o.rec.imageOf(), o.kind, o.createdAt, nil, o.owner}
	if o.first.At != 0 {
		img.First = &o.first
	}
	b, err := json.Marshal(img)
	if err != nil {
		return "", fmt.Errorf("encode what a contact is by itself: %w", err)
	}
	return string(b), nil
}

func decodeOwn(s string) (*own, error) {
	if s == "" {
		return nil, nil
	}
	var img ownImage
	if err := json.Unmarshal([]byte(s), &img); err != nil {
		return nil, fmt.Errorf("decode what a contact is by itself: %w", err)
	}
	o := &own{rec: record{img.Name, img.Gender, img.Birthday, img.City, img.Avatar, img.Attributes, img.Written, nil, nil}, kind: img.Kind, createdAt: img.CreatedAt, owner: img.Owner}
	if img.First != nil {
		o.first = *img.First
	}
	return o, nil
}

func (s *state) setOwn(text string) (err error) {
	s.own, err = decodeOwn(text)
	return err
}

func (r *record) clone() record {
	c := *r
	c.attributes, c.written, c.names, c.edits = maps.Clone(r.attributes), maps.Clone(r.written), nil, nil
	return c
}

func (o *own) clone() *own {
	c := *o
	c.rec = o.rec.clone()
	return &c
}

// absorb adds a part: the later word wins, the earlier beginning counts.
func (o *own) absorb(p *own) {
	o.rec.absorb(&p.rec)
	o.createdAt = min(o.createdAt, p.createdAt)
	if p.first.At != 0 && (o.first.At == 0 || p.first.At < o.first.At) {
		o.first = p.first
	}
	if o.owner == "" {
		o.owner = p.owner
	}
	if p.kind == event.Person {
		o.kind = event.Person
	}
}

// reconcile takes over into o, the survivor's own, how the whole person as it
// is now differs from the sum of its parts: that was said of it since.
func (o *own) reconcile(sum, is *own) {
	for key, at := range is.rec.written {
		if was, ok := sum.rec.written[key]; !ok || was != at || !is.rec.same(&sum.rec, key) {
			o.rec.take(&is.rec, key)
		}
	}
	for key, at := range sum.rec.written { // taken back, as by the undo of an import
		if _, ok := is.rec.written[key]; !ok && o.rec.written[key] == at {
			o.rec.drop(key)
		}
	}
	if is.createdAt < sum.createdAt {
		o.createdAt = is.createdAt
	}
	if is.first.At != 0 && (sum.first.At == 0 || is.first.At < sum.first.At) {
		o.first = is.first
	}
	if is.owner != sum.owner {
		o.owner = is.owner
	}
}

// same tells whether both records say the same of a key.
func (r *record) same(o *record, key string) bool {
	if col := r.column(key); col != nil {
		return *col == *o.column(key)
	}
	a, hadA := r.attributes[key]
	b, hadB := o.attributes[key]
	if isSealed(a) && isSealed(b) { // sealed anew, perhaps, and compared by time alone
		return true
	}
	return hadA == hadB && bytes.Equal(a, b)
}

// take makes r say of a key what o says.
func (r *record) take(o *record, key string) {
	if col := r.column(key); col != nil {
		*col = *o.column(key)
	} else if v, ok := o.attributes[key]; ok {
		if r.attributes == nil {
			r.attributes = map[string]json.RawMessage{}
		}
		r.attributes[key] = v
	} else {
		delete(r.attributes, key)
	}
	if r.written == nil {
		r.written = map[string]int64{}
	}
	r.written[key] = o.written[key]
}

// drop makes r say nothing of a key.
func (r *record) drop(key string) {
	if col := r.column(key); col != nil {
		*col = ""
	}
	delete(r.attributes, key)
	delete(r.written, key)
}

// takeIn replays a merge on the records.
func (w *world) takeIn(o op) error {
	m, into, from := &w.merges[o.nth], o.st, o.from
	is := own{rec: into.rec.clone(), kind: m.was.kind, createdAt: m.was.createdAt, first: m.was.first, owner: into.ownerID}
	if into.own == nil {
		into.own = is.clone()
	} else {
		into.own.reconcile(into.sum, &is)
	}
	into.sum, into.ownDirty = &is, true
	into.sum.absorb(&own{rec: *from.rec, kind: m.took.kind, createdAt: m.took.createdAt, first: m.took.first, owner: from.ownerID})
	into.ownerID = into.sum.owner
	if len(from.rec.written) == 0 {
		return nil
	}
	var err error
	if m.before, err = into.rec.image(); err != nil {
		return err
	}
	into.rec.absorb(from.rec)
	into.recDirty = true
	return nil
}

// loadSums adds up, for survivors that have parts already, what they and their parts came to.
func (e *engine) loadSums(ctx context.Context, w *world) error {
	var nums []int64
	for _, m := range w.merges {
		if st := m.into; !st.fresh && st.own != nil && st.sum == nil {
			st.sum = st.own.clone()
			nums = append(nums, st.num)
		}
	}
	if len(nums) == 0 {
		return nil
	}
	parts, err := e.parts(ctx, nums)
	if err != nil {
		return err
	}
	for _, n := range nums {
		for _, p := range parts[n] {
			w.states[n].sum.absorb(&p.own)
		}
	}
	return nil
}

// part is a contact as it was when it was merged into another.
type part struct {
	num int64
	own
}

// parts reads who was merged straight into each of the contacts, in order.
func (e *engine) parts(ctx context.Context, nums []int64) (map[int64][]part, error) {
	out := map[int64][]part{}
	err := selectIn(ctx, e.db, "read parts of contacts", `select c.num, c.name, c.gender, c.birthday, c.city, c.avatar, c.attributes, c.written, c.merged_into, c.kind, c.created_at, c.owner_id,
		c.channel, c.first_source, c.first_medium, c.first_campaign, c.first_at
		from contacts c join contact_merges m on m.from_num = c.num and m.into_num = c.merged_into and m.undone_at = 0
		where c.merged_into in (%s) and c.merged_into <> 0 order by m.id`, nil, nums, func(r *sql.Rows) error {
		var p part
		var into int64
		t := &p.first
		if err := scanRecord(r, &p.num, &p.rec, &into, &p.kind, &p.createdAt, &p.owner, &t.Channel, &t.Source, &t.Medium, &t.Campaign, &t.At); err != nil {
			return err
		}
		out[into] = append(out[into], p)
		return nil
	})
	return out, err
}

// updateOwn puts away what survivors are by themselves, and hands on owners.
func (e *engine) updateOwn(ctx context.Context, w *world) error {
	var changed []*state
	for _, m := range w.merges {
		if st := m.into; st.ownDirty && (!st.fresh || st.ownerID != "") {
			st.ownDirty = false // once
			changed = append(changed, st)
		}
	}
	slices.SortFunc(changed, func(a, b *state) int { return int(a.num - b.num) })
	var encodeErr error
	err := updateMany(ctx, e.db, "contacts", "own = {own}, owner_id = {owner}", "contacts.num = {num}", columns("num:n own owner"), len(changed), func(i int) []any {
		text, err := encodeOwn(changed[i].own)
		if err != nil {
			encodeErr = err
		}
		return []any{changed[i].num, text, changed[i].ownerID}
	})
	if encodeErr != nil {
		return encodeErr
	}
	if err != nil {
		return err
	}
	return e.handOnTouch(ctx, w)
}

package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Incoming is one row of an import: what some file says of a person.
type Incoming struct {
	Line        int64 // in the file; makes the facts' message ids
	Identifiers []event.Identifier
	// Attributes by key; name, gender, birthday, city and avatar have columns of
	// their own. A nil value takes an attribute away.
	Attributes map[string]any
	Tags       []string // tag ids, see EnsureTag
	OwnerID    string
	Touch      Touch // At 0: now
	CreatedAt  int64 // since when the person is known; 0: now
	At         int64 // when the row was true: the later word wins; 0: now
}

// UpsertOptions say how rows are taken in.
type UpsertOptions struct {
	ImportID       string
	Source         string // as shown with identities, e.g. the import's source
	Country        string // of phones written without one; "" is the service's
	UpdateExisting bool   // false: rows of known people change nothing
}

// OutcomeState says what became of a row.
type OutcomeState string

// What can become of a row. Refused rows have Err.
const (
	Created   OutcomeState = "created"
	Updated   OutcomeState = "updated"
	Unchanged OutcomeState = "unchanged"
	Refused   OutcomeState = "refused"
)

// Conflict is an identity of a row that belongs to somebody else, who must not
// become the same person: it stays where it is.
type Conflict struct {
	Kind   string
	Value  string // masked
	Holder int64  // contact number, 0 nobody
	Reason string
}

// Outcome is what became of one row.
type Outcome struct {
	Num       int64
	ID        string
	State     OutcomeState
	Conflicts []Conflict
	Ignored   []string // identifiers that identify nobody: "phone=1**** (invalid_phone)"
	Err       *errs.Error
}

// UpsertMost is how many rows one call takes: all of them are in memory, and
// no other contact is written meanwhile.
const UpsertMost = 5000

// Upsert takes rows in, in order, by the rules of resolving: it finds, makes
// and merges people. It joins the transaction of ctx. What it changes is
// remembered under the import's id for UndoImport, and stated as facts.
func (s *Service) Upsert(ctx context.Context, rows []Incoming, opt UpsertOptions) ([]Outcome, error) {
	if len(rows) > UpsertMost {
		return nil, fmt.Errorf("upsert: %d rows at once, at most %d", len(rows), UpsertMost)
	}
	if opt.Country == "" {
		opt.Country = s.Country
	}
	var out []Outcome
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		var err error
		out, err = s.upsert(ctx, rows, opt)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("take in contacts: %w", err)
	}
	return out, nil
}

// taking is one row on its way.
type taking struct {
	row   *Incoming
	in    *input
	state OutcomeState
	tags  []tagChange // what its tags changed
}

func (s *Service) upsert(ctx context.Context, rows []Incoming, opt UpsertOptions) ([]Outcome, error) {
	if err := lock(ctx, s.DB); err != nil {
		return nil, err
	}
	e, now := s.engine, s.Clock.Now().UnixMilli()
	w := newWorld(3 * len(rows))
	var err error
	if w.rules, err = e.rules(ctx); err != nil {
		return nil, err
	}
	inputs := make([]input, len(rows))
	for i := range rows {
		inputs[i] = s.fromRow(&rows[i], opt, now)
		e.read(w, &inputs[i], rows[i].Identifiers, opt.Country)
	}
	if err := e.load(ctx, w, nil); err != nil {
		return nil, err
	}
	if err := e.loadCounts(ctx, w, inputs); err != nil {
		return nil, err
	}
	defs, err := e.definitions(ctx)
	if err != nil {
		return nil, err
	}
	w.defs = defs
	err = e.claims(ctx, w, func(yield func([]change)) {
		for i := range inputs {
			if inputs[i].changes != nil {
				yield(inputs[i].changes())
			}
		}
	})
	if err != nil {
		return nil, err
	}
	hidden, err := s.outside(ctx, holdersOf(inputs))
	if err != nil {
		return nil, err
	}
	takings := make([]taking, len(rows))
	for i := range rows {
		takings[i] = s.take(w, &rows[i], &inputs[i], opt, hidden)
		if takings[i].state == Created && rows[i].OwnerID == "" {
			rows[i].OwnerID = ownerOfNew(ctx)
		}
	}
	book, err := s.openBook(ctx, w, takings, opt.ImportID)
	if err != nil {
		return nil, err
	}
	if err := e.flush(ctx, w, inputs); err != nil {
		return nil, err
	}
	if err := s.giveTags(ctx, takings, opt, now); err != nil {
		return nil, err
	}
	if err := s.giveOwners(ctx, takings, book, now); err != nil {
		return nil, err
	}
	if err := s.closeBook(ctx, book, takings); err != nil {
		return nil, err
	}
	if len(w.merges) > 0 {
		s.counts.stale(ctx, s.DB)
	}
	if w.changedStored() {
		if err := e.moved(ctx); err != nil {
			return nil, err
		}
	}
	return s.outcomes(ctx, takings, opt, now)
}

// changedStored tells whether contacts that the Resolver may have cached changed.
func (w *world) changedStored() bool {
	if len(w.merges) > 0 {
		return true
	}
	for _, st := range w.states {
		if st != nil && st.snapshot != st.was {
			return true
		}
	}
	return false
}

func (s *Service) fromRow(r *Incoming, opt UpsertOptions, now int64) input {
	in := input{ts: now, said: now, now: now, source: opt.Source, importID: opt.ImportID, reason: "import", manual: true,
		by: origin{kind: byImport, id: opt.ImportID, name: opt.Source}}
	if r.CreatedAt > 0 && r.CreatedAt < now {
		in.ts = r.CreatedAt
	}
	if r.At > 0 && r.At < now {
		in.said = r.At
	}
	if r.Touch.Channel != "" || r.Touch.Source != "" || r.Touch.Medium != "" || r.Touch.Campaign != "" {
		in.touch = r.Touch
		if in.touch.At == 0 {
			in.touch.At = in.ts
		}
		if in.touch.Channel == "" {
			t, _ := s.engine.channels.touch(Clue{Source: r.Touch.Source, Medium: r.Touch.Medium, Campaign: r.Touch.Campaign, Import: opt.ImportID}, "", in.touch.At)
			in.touch.Channel = t.Channel
		}
	}
	if len(r.Attributes) > 0 {
		in.changes = sync.OnceValue(func() []change { return statedChanges(r.Attributes) })
	}
	return in
}

// statedChanges turns plain values into changes. What JSON cannot hold is left out.
func statedChanges(attrs map[string]any) []change {
	m := make(map[string]json.RawMessage, len(attrs))
	for k, v := range attrs {
		if raw, err := json.Marshal(v); err == nil {
			m[k] = raw
		}
	}
	return changesOf(m)
}

// holdersOf are the stored contacts that the rows name.
func holdersOf(inputs []input) (nums []int64) {
	for i := range inputs {
		for _, id := range inputs[i].ids {
			if h := id.holder(); h != nil {
				nums = append(nums, h.root().num)
			}
		}
	}
	slices.Sort(nums)
	return slices.Compact(nums)
}

// take finds whose row it is and notes what it may change. A row about
// somebody whom whoever imports may not see is refused.
func (s *Service) take(w *world, row *Incoming, in *input, opt UpsertOptions, hidden map[int64]bool) taking {
	t := taking{row: row, in: in, state: Updated}
	if len(in.ids) == 0 {
		in.err = errs.New(errs.Invalid, "contact.no_identity", "values", describeRefusals(in.refused))
		t.state = Refused
		return t
	}
	var holder *state
	for _, id := range in.ids {
		h := id.holder()
		if h != nil && hidden[h.root().num] {
			in.err = errs.New(errs.Conflict, "contact.identity_elsewhere", "kind", id.key.kind)
			in.ids, in.refused, t.state = nil, nil, Refused
			return t
		}
		if holder == nil {
			holder = h
		}
	}
	switch {
	case holder == nil:
		t.state = Created
	case !opt.UpdateExisting:
		t.state = Unchanged
		in.st = holder
		in.refused = nil
		return t
	}
	if err := s.checkRow(w, holder, in); err != nil {
		in.err = err
		t.state = Refused
		return t
	}
	before := len(w.fresh)
	w.assign(in)
	s.claimRow(w, in)
	if len(w.fresh) == before && t.state == Created {
		t.state = Updated // all of its identities went to a contact it shares a conflict with
	} else if len(w.fresh) > before {
		t.state = Created
	}
	return t
}

// outcomes reports each row and states what changed as facts.
func (s *Service) outcomes(ctx context.Context, takings []taking, opt UpsertOptions, now int64) ([]Outcome, error) {
	out := make([]Outcome, len(takings))
	var facts []event.Fact
	for i := range takings {
		t := &takings[i]
		o := &out[i]
		o.State, o.Err = t.state, t.in.err
		for _, r := range t.in.refused {
			o.Ignored = append(o.Ignored, describeRefusals([]refusal{r}))
		}
		if t.state == Refused {
			continue
		}
		st := t.in.st.root()
		o.Num, o.ID = st.num, st.id
		for _, c := range t.in.conflicts {
			k := Conflict{Kind: c.key.kind, Value: Mask(c.key.kind, c.value), Reason: c.reason}
			if c.holder != nil {
				k.Holder = c.holder.root().num
			}
			o.Conflicts = append(o.Conflicts, k)
		}
		if t.state != Unchanged {
			facts = append(facts, s.importedFacts(t, st.num, opt, now)...)
		}
	}
	if err := s.Emit.Emit(ctx, facts...); err != nil {
		return nil, fmt.Errorf("state imported contacts: %w", err)
	}
	return out, nil
}

func (s *Service) importedFacts(t *taking, num int64, opt UpsertOptions, now int64) []event.Fact {
	fact := func(id, name string, props map[string]any) event.Fact {
		if opt.ImportID != "" && t.row.Line > 0 {
			id = fmt.Sprintf("%s:%d:%s", opt.ImportID, t.row.Line, id)
		} else {
			id = s.IDs.New("fc")
		}
		return event.Fact{MessageID: id, Type: event.Track, Name: name, Contact: num, Timestamp: now, ReceivedAt: now,
			Source: sourceName, ImportID: opt.ImportID, Properties: object(props)}
	}
	keys := make([]string, 0, len(t.row.Attributes))
	for k := range t.row.Attributes {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	facts := []event.Fact{fact("contact", event.NameContactImport, map[string]any{"created": t.state == Created, "attributes": keys, "source": opt.Source})}
	for _, c := range t.tags {
		props := map[string]any{"tag": c.tag.ID, "name": c.tag.Name, "group": c.tag.Group, "by": "import"}
		if c.removed {
			props["replacedBy"] = c.cause
			facts = append(facts, fact("untag:"+c.tag.ID, event.NameTagRemoved, props))
		} else {
			facts = append(facts, fact("tag:"+c.tag.ID, event.NameTagAdded, props))
		}
	}
	return facts
}

// giveOwners sets the owners that rows name, where nobody owns the contact or
// the row may update it.
func (s *Service) giveOwners(ctx context.Context, takings []taking, book *book, now int64) error {
	owner := map[int64]string{}
	for i := range takings {
		t := &takings[i]
		if t.row.OwnerID == "" || t.state == Refused || t.state == Unchanged {
			continue
		}
		num := t.in.st.root().num
		owner[num] = t.row.OwnerID
		book.page(num).after.Owner = t.row.OwnerID
	}
	nums := sortedKeys(owner)
	was, err := s.Owners(ctx, nums)
	if err != nil {
		return err
	}
	moves := make([]OwnerMove, len(nums))
	for i, n := range nums {
		moves[i] = OwnerMove{n, was[n], owner[n]}
	}
	_, err = s.setOwners(ctx, moves, OwnerReason{How: OwnedImport}, clock.FromMs(now))
	return err
}

package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// MergeStory explains one merge: of whom into whom, when, by what or by whom,
// what came along, and whether it can be undone.
type MergeStory struct {
	ID         string         `json:"id"`
	At         time.Time      `json:"at"`
	Contact    Ref            `json:"contact" doc:"Who was merged"`
	Kind       event.Kind     `json:"kind" enum:"person,visitor" doc:"What the merged contact was"`
	Into       Ref            `json:"into" doc:"Who took it in"`
	Reason     string         `json:"reason" enum:"identify,alias,fact,import,manual"`
	Identity   *StoryIdentity `json:"identity,omitempty" doc:"The identity that proved them one"`
	Fact       *StoryFact     `json:"fact,omitempty" doc:"The event that carried it"`
	By         *Ref           `json:"by,omitempty" doc:"Who merged by hand or by import"`
	Note       string         `json:"note,omitempty" doc:"Why, in their words"`
	Moved      StoryMoved     `json:"moved"`
	CanUndo    bool           `json:"canUndo"`
	UndoneAt   *time.Time     `json:"undoneAt,omitempty"`
	UndoneBy   *Ref           `json:"undoneBy,omitempty"`
	UndoneNote string         `json:"undoneNote,omitempty"`
}

// StoryIdentity is an identity in a story, masked when it is personal.
type StoryIdentity struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// StoryFact is the event by which a merge came about.
type StoryFact struct {
	MessageID string    `json:"messageId"`
	Name      string    `json:"name"`
	Title     string    `json:"title"`
	At        time.Time `json:"at"`
}

// StoryMoved is what a merged contact had.
type StoryMoved struct {
	Identities []StoryIdentity `json:"identities"`
	Tags       int             `json:"tags"`
	Notes      int             `json:"notes"`
}

// mergesMost is how many merges of one person are told.
const mergesMost = 200

// Merges tells how a person was put together, newest first, undone merges too.
func (s *Service) Merges(ctx context.Context, id string) ([]MergeStory, error) {
	num, err := s.NumOf(ctx, id)
	if err != nil {
		return nil, err
	}
	group, err := s.Group(ctx, num)
	if err != nil {
		return nil, err
	}
	var rows []mergeRow
	seen := map[string]bool{}
	for _, col := range []string{"into_num", "from_num"} {
		err := selectIn(ctx, s.DB, "read merges", "select "+mergeColumns+" from contact_merges m where m."+col+" in (%s)", nil, group, func(r *sql.Rows) error {
			m, err := scanMerge(r)
			if err == nil && !seen[m.id] {
				seen[m.id] = true
				rows = append(rows, m)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(rows, func(a, b mergeRow) int { return -compareMerges(a, b) })
	if len(rows) > mergesMost {
		rows = rows[:mergesMost]
	}
	return s.stories(ctx, rows)
}

func compareMerges(a, b mergeRow) int {
	if a.at != b.at {
		return int(a.at - b.at)
	}
	if a.id < b.id {
		return -1
	}
	return 1
}

func (s *Service) stories(ctx context.Context, rows []mergeRow) ([]MergeStory, error) {
	out := make([]MergeStory, len(rows))
	var nums []int64
	var names []string
	var keys []idKey
	for i := range rows {
		m := &rows[i]
		var moved movedThings
		if m.moved != "" {
			if err := json.Unmarshal([]byte(m.moved), &moved); err != nil {
				return nil, fmt.Errorf("decode merge: %w", err)
			}
		}
		st := &out[i]
		*st = MergeStory{ID: m.id, At: clock.FromMs(m.at), Reason: m.reason, Kind: moved.Kind, Note: m.note, CanUndo: m.undoable && m.undone == 0,
			UndoneAt: timeOrNil(m.undone), UndoneNote: m.undoneNote, Moved: StoryMoved{Identities: []StoryIdentity{}, Tags: len(moved.Tags), Notes: len(moved.Notes)}}
		if m.byID != "" || m.byName != "" {
			st.By = &Ref{m.byID, m.byName}
		}
		if m.undone != 0 {
			st.UndoneBy = &Ref{m.undoneByID, m.undoneByName}
		}
		if m.message != "" {
			st.Fact = &StoryFact{MessageID: m.message, Name: m.factName, Title: m.factName, At: clock.FromMs(m.factAt)}
			names = append(names, m.factName)
		}
		if m.kind != "" {
			st.Identity = &StoryIdentity{m.kind, m.lookup}
			keys = append(keys, idKey{m.kind, m.lookup})
		}
		for _, k := range moved.Identities {
			st.Moved.Identities = append(st.Moved.Identities, StoryIdentity{k[0], k[1]})
			keys = append(keys, idKey{k[0], k[1]})
		}
		nums = append(nums, m.from, m.into)
	}
	refs, err := s.plainRefs(ctx, nums)
	if err != nil {
		return nil, err
	}
	shown, err := s.shownIdentities(ctx, keys)
	if err != nil {
		return nil, err
	}
	titles := map[string]string{}
	if s.Titles != nil && len(names) > 0 {
		if titles, err = s.Titles.Titles(ctx, names); err != nil {
			return nil, fmt.Errorf("name events: %w", err)
		}
	}
	hidden, err := s.outside(ctx, nums)
	if err != nil {
		return nil, err
	}
	for n := range hidden { // of an undone merge, one may be another's customer now
		refs[n] = Ref{ID: refs[n].ID}
	}
	for i := range out {
		st := &out[i]
		st.Contact, st.Into = refs[rows[i].from], refs[rows[i].into]
		if st.Fact != nil && titles[st.Fact.Name] != "" {
			st.Fact.Title = titles[st.Fact.Name]
		}
		if st.Identity != nil {
			st.Identity.Value = shown[idKey{st.Identity.Kind, st.Identity.Value}]
		}
		for j := range st.Moved.Identities {
			k := &st.Moved.Identities[j]
			k.Value = shown[idKey{k.Kind, k.Value}]
		}
	}
	return out, nil
}

// shownIdentities gives the values of identities as they may be shown; one that
// is gone shows nothing.
func (s *Service) shownIdentities(ctx context.Context, keys []idKey) (map[idKey]string, error) {
	out := map[idKey]string{}
	ask := map[string][]string{}
	for _, k := range keys {
		ask[k.kind] = append(ask[k.kind], k.lookup)
	}
	for kind, lookups := range ask {
		err := selectIn(ctx, s.DB, "read identities", "select lookup, value_enc from identities where kind = $1 and lookup in (%s)", []any{kind}, lookups, func(r *sql.Rows) error {
			var lookup, sealed string
			if err := r.Scan(&lookup, &sealed); err != nil {
				return err
			}
			if sealed == "" {
				out[idKey{kind, lookup}] = lookup
				return nil
			}
			plain, err := s.Keys.Open(field(kind), sealed)
			if err != nil {
				return fmt.Errorf("open %s: %w", kind, err)
			}
			out[idKey{kind, lookup}] = Mask(kind, plain)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// MergePreview is what a merge by hand would make of two people.
type MergePreview struct {
	Keep        Contact           `json:"keep"`
	Other       Contact           `json:"other"`
	After       Contact           `json:"after"`
	Notes       int64             `json:"notes" doc:"Notes that go over"`
	Differences []MergeDifference `json:"differences" doc:"What the two say differently, and which word stands"`
	Warnings    []MergeWarning    `json:"warnings"`
	KeptApart   *string           `json:"keptApart,omitempty" doc:"Why the two were said to be different people; merging then takes confirm"`
}

// MergeDifference is an attribute of which both sides have a value.
type MergeDifference struct {
	Key   string `json:"key"`
	Keep  any    `json:"keep"`
	Other any    `json:"other"`
	Wins  string `json:"wins" enum:"keep,other"`
}

// MergeWarning is a reason to think again.
type MergeWarning struct {
	Code string `json:"code" enum:"both_have,over_limit,visitor_survives,phones_differ"`
	Kind string `json:"kind,omitempty" doc:"The kind of identity of which both have one"`
}

var errPreviewed = errors.New("previewed")

// previewing runs fn in a transaction that is never committed: what it finds
// is what would be, to the last order.
func (s *Service) previewing(ctx context.Context, fn func(ctx context.Context) error) error {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		if err := fn(ctx); err != nil {
			return err
		}
		return errPreviewed
	})
	if errors.Is(err, errPreviewed) {
		return nil
	}
	return err
}

// PreviewMerge tells what MergeByHand would do, and does nothing.
func (s *Service) PreviewMerge(ctx context.Context, keepID, otherID string) (MergePreview, error) {
	var p MergePreview
	err := s.previewing(ctx, func(ctx context.Context) error {
		keep, other, err := s.pair(ctx, keepID, otherID)
		if err != nil {
			return err
		}
		if p.Keep, err = s.profile(ctx, keep); err != nil {
			return err
		}
		if p.Other, err = s.profile(ctx, other); err != nil {
			return err
		}
		if why, apart, err := s.whyApart(ctx, keep, other); err != nil {
			return err
		} else if apart {
			p.KeptApart = &why
		}
		if err := s.DB.QueryRow(ctx, "select count(*) from contact_notes where contact = $1", other).Scan(&p.Notes); err != nil {
			return fmt.Errorf("count notes: %w", err)
		}
		if _, err := s.mergeByHand(ctx, keep, other, ""); err != nil {
			return err
		}
		p.After, err = s.profile(ctx, keep)
		return err
	})
	if err != nil {
		return p, fmt.Errorf("preview merge: %w", err)
	}
	rules, err := s.engine.rules(ctx)
	p.Differences, p.Warnings = mergeDifferences(&p), warnings(&p, rules)
	return p, err
}

// pair finds two different people by public id.
func (s *Service) pair(ctx context.Context, keepID, otherID string) (keep, other int64, err error) {
	if keep, err = s.NumOf(ctx, keepID); err != nil {
		return 0, 0, err
	}
	if other, err = s.NumOf(ctx, otherID); err != nil {
		return 0, 0, err
	}
	if keep == other {
		return 0, 0, errSamePerson
	}
	return keep, other, nil
}

func mergeDifferences(p *MergePreview) []MergeDifference {
	out := []MergeDifference{}
	add := func(key string, keep, other, after any) {
		if keep == nil || keep == "" || other == nil || other == "" || sameJSON(keep, other) {
			return
		}
		wins := "keep"
		if sameJSON(after, other) {
			wins = "other"
		}
		out = append(out, MergeDifference{key, keep, other, wins})
	}
	for _, f := range []struct {
		key string
		of  func(c *Contact) string
	}{
		{attrName, func(c *Contact) string { return c.Name }}, {attrGender, func(c *Contact) string { return c.Gender }},
		{attrBirthday, func(c *Contact) string { return c.Birthday }}, {attrCity, func(c *Contact) string { return c.City }},
	} {
		add(f.key, f.of(&p.Keep), f.of(&p.Other), f.of(&p.After))
	}
	value := func(c *Contact, key string) any {
		for _, a := range c.Attributes {
			if a.Key == key {
				return a.Value
			}
		}
		return nil
	}
	for _, a := range p.Keep.Attributes {
		add(a.Key, a.Value, value(&p.Other, a.Key), value(&p.After, a.Key))
	}
	if p.Keep.Owner != nil && p.Other.Owner != nil {
		add("owner", p.Keep.Owner.Name, p.Other.Owner.Name, p.After.Owner.Name)
	}
	return out
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func warnings(p *MergePreview, rules *kindRules) []MergeWarning {
	out := []MergeWarning{}
	has := func(c *Contact, kind string) bool {
		return slices.ContainsFunc(c.Identities, func(i Identity) bool { return i.Kind == kind })
	}
	count := func(kind string) (n int) {
		for _, i := range p.After.Identities {
			if i.Kind == kind {
				n++
			}
		}
		return n
	}
	said := map[string]bool{}
	for _, i := range p.Keep.Identities {
		if said[i.Kind] || !has(&p.Other, i.Kind) {
			continue
		}
		said[i.Kind] = true
		switch {
		case rules.unique(i.Kind):
			out = append(out, MergeWarning{"both_have", i.Kind})
		case rules.most[i.Kind] > 0 && count(i.Kind) > rules.most[i.Kind]:
			out = append(out, MergeWarning{"over_limit", i.Kind})
		case i.Kind == KindPhone:
			out = append(out, MergeWarning{"phones_differ", i.Kind})
		}
	}
	if p.Keep.Kind == event.Visitor && p.Other.Kind == event.Person {
		out = append(out, MergeWarning{Code: "visitor_survives"})
	}
	return out
}

// UndoPreview is what the undo of a merge would make of a person.
type UndoPreview struct {
	Now         Contact `json:"now"`
	Leaves      Contact `json:"leaves" doc:"Who stands alone again"`
	Stays       Contact `json:"stays" doc:"What is left of the person"`
	NotesLeave  int64   `json:"notesLeave"`
	NotesStay   int64   `json:"notesStay"`
	OthersLeave int     `json:"othersLeave" doc:"Contacts merged into the one that leaves: they go along"`
}

// PreviewUndo tells what UndoMerge would do, and does nothing.
func (s *Service) PreviewUndo(ctx context.Context, mergeID string) (UndoPreview, error) {
	var p UndoPreview
	err := s.previewing(ctx, func(ctx context.Context) error {
		u, err := s.undoingMerge(ctx, mergeID)
		if err != nil {
			return err
		}
		p.OthersLeave = len(u.members) - 1
		if p.Now, err = s.profile(ctx, u.root()); err != nil {
			return err
		}
		if err := s.undoMerge(ctx, u, ""); err != nil {
			return err
		}
		if p.Leaves, err = s.profile(ctx, u.from); err != nil {
			return err
		}
		if p.Stays, err = s.profile(ctx, u.root()); err != nil {
			return err
		}
		rows, err := s.DB.Query(ctx, "select contact, count(*) from contact_notes where contact in ($1, $2) group by contact", u.from, u.root())
		_, err = db.Collect(rows, err, func(r *sql.Rows) (struct{}, error) {
			var n, count int64
			err := r.Scan(&n, &count)
			if n == u.from {
				p.NotesLeave = count
			} else {
				p.NotesStay = count
			}
			return struct{}{}, err
		})
		return err
	})
	if err != nil {
		return p, fmt.Errorf("preview undo: %w", err)
	}
	return p, nil
}

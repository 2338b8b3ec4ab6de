package contact

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
)

// giving says who or what gives tags, and when.
type giving struct {
	at                            int64
	byID, byName, source, imports string
	run                           string // stands in the row
	log                           string // under which the changes are kept for undo, "" not at all
	takings                       bool   // keep only what was taken
}

// byPerson is the giving of the one who asks, now.
func (s *Service) byPerson(ctx context.Context) giving {
	by := principal(ctx)
	g := giving{at: s.Clock.Now().UnixMilli(), byID: by.ID, byName: by.Name, source: "manual"}
	if by.Via == auth.ViaToken {
		g.source = "api"
	}
	return g
}

// tagImage is a row of contact_tags, to put it back as it was.
type tagImage struct {
	At     int64  `json:"at"`
	ByID   string `json:"byId,omitempty"`
	ByName string `json:"by,omitempty"`
	Source string `json:"source"`
	Import string `json:"import,omitempty"`
	Run    string `json:"run,omitempty"`
}

// imageColumns are the columns that tagImage holds, in its order.
const imageColumns = "at, by_id, by_name, source, import_id, run"

func (i *tagImage) into() []any {
	return []any{&i.At, &i.ByID, &i.ByName, &i.Source, &i.Import, &i.Run}
}

// tagChange is a tag that a contact really got or lost.
type tagChange struct {
	num     int64
	tag     TagRef
	removed bool
	cause   string // the tag of the same exclusive group that took its place
	image   tagImage
}

// applyTags gives tags to contacts and takes others away, and returns what
// really changed. A tag of an exclusive group takes the others of the group
// away. It must run in a transaction that holds the lock; nothing is stated yet.
func (s *Service) applyTags(ctx context.Context, nums []int64, add, remove []tagInfo, g giving) ([]tagChange, error) {
	var done []tagChange
	for _, t := range add {
		if len(t.siblings) > 0 {
			gone, err := s.takeTags(ctx, nums, t.siblings, t.ID)
			if err != nil {
				return nil, err
			}
			done = append(done, gone...)
		}
		if byHand(g.source) {
			if err := s.claimTags(ctx, nums, t.ID, g); err != nil {
				return nil, err
			}
		}
		err := selectIn(ctx, s.DB, "give tag", `insert into contact_tags (contact, tag, shown, at, by_id, by_name, source, import_id, run)
			select num, $1, shown, $2, $3, $4, $5, $6, $7 from contacts where merged_into = 0 and num in (%s) on conflict (contact, tag) do nothing returning contact`,
			[]any{t.ID, g.at, g.byID, g.byName, g.source, g.imports, g.run}, nums, func(r *sql.Rows) error {
				c := tagChange{tag: t.TagRef}
				err := r.Scan(&c.num)
				done = append(done, c)
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	if len(remove) > 0 {
		ids := make([]string, len(remove))
		for i, t := range remove {
			ids[i] = t.ID
		}
		gone, err := s.takeTags(ctx, nums, ids, "")
		if err != nil {
			return nil, err
		}
		done = append(done, gone...)
	}
	known := map[string]TagRef{}
	for _, t := range slices.Concat(add, remove) {
		known[t.ID] = t.TagRef
	}
	if err := s.nameTags(ctx, done, known); err != nil {
		return nil, err
	}
	return done, s.noteTags(ctx, done, g)
}

// takeTags takes tags away from contacts.
func (s *Service) takeTags(ctx context.Context, nums []int64, tags []string, cause string) ([]tagChange, error) {
	var done []tagChange
	fixed := make([]any, len(tags))
	for i, t := range tags {
		fixed[i] = t
	}
	err := selectIn(ctx, s.DB, "take tag", "delete from contact_tags where tag in ("+placeholders(len(tags))+") and contact in (%s) returning contact, tag, "+imageColumns,
		fixed, nums, func(r *sql.Rows) error {
			c := tagChange{removed: true, cause: cause}
			err := r.Scan(append([]any{&c.num, &c.tag.ID}, c.image.into()...)...)
			done = append(done, c)
			return err
		})
	return done, err
}

// placeholders lists $1 to $n.
func placeholders(n int) string {
	b := []byte{}
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "$%d", i+1)
	}
	return string(b)
}

// nameTags fills in the names of tags that changes speak of.
func (s *Service) nameTags(ctx context.Context, changes []tagChange, known map[string]TagRef) error {
	missing := map[string]bool{}
	for _, c := range changes {
		if known[c.tag.ID].ID == "" {
			missing[c.tag.ID] = true
		}
	}
	if len(missing) > 0 {
		more, err := s.tagInfos(ctx, sortedKeys(missing))
		if err != nil {
			return err
		}
		for id, t := range more {
			known[id] = t.TagRef
		}
	}
	for i := range changes {
		if t, ok := known[changes[i].tag.ID]; ok {
			changes[i].tag = t
		}
	}
	return nil
}

// noteTags keeps the books of changes: what undo needs, what was given again,
// the days, when a tag was last used, and that counts are old.
func (s *Service) noteTags(ctx context.Context, changes []tagChange, g giving) error {
	if len(changes) == 0 {
		return nil
	}
	type day struct {
		tag string
		n   int64
	}
	type sum struct{ added, removed int64 }
	sums := map[day]*sum{}
	given := map[string][]int64{}
	touched := map[string]bool{}
	now := s.dayOf(ctx, s.Clock.Now().UnixMilli())
	then := s.dayOf(ctx, g.at) // a file may tell when a tag was given: that day counts it
	var kept []tagChange
	for _, c := range changes {
		touched[c.tag.ID] = true
		at := day{c.tag.ID, now}
		if !c.removed {
			at.n = then
		}
		if sums[at] == nil {
			sums[at] = &sum{}
		}
		if c.removed {
			sums[at].removed++
		} else {
			sums[at].added++
			given[c.tag.ID] = append(given[c.tag.ID], c.num)
		}
		if c.removed || !g.takings {
			kept = append(kept, c)
		}
	}
	if g.log != "" {
		if err := s.keepChanges(ctx, kept, g.log); err != nil {
			return err
		}
	}
	s.counts.stale(ctx, s.DB, sortedKeys(touched)...)
	if err := s.tellAuto(ctx, changes, g); err != nil {
		return fmt.Errorf("follow changes of tags: %w", err)
	}
	if err := s.tellWatches(ctx, changes, g); err != nil {
		return fmt.Errorf("follow changes of tags: %w", err)
	}
	for _, tag := range sortedKeys(given) {
		// what somebody gives again is no longer another run's to put back
		err := selectIn(ctx, s.DB, "note what was given again", "update tag_run_changes set touched = 1 where added = 0 and touched = 0 and tag = $1 and run <> $2 and contact in (%s) returning contact",
			[]any{tag, g.log}, given[tag], func(*sql.Rows) error { return nil })
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update tags set used_at = $1 where id = $2 and used_at < $1", g.at, tag); err != nil {
			return fmt.Errorf("note use of tag: %w", err)
		}
	}
	by := cmp.Or(g.byID, g.byName) // a file names people who are no users
	days := slices.SortedFunc(maps.Keys(sums), func(a, b day) int { return cmp.Or(cmp.Compare(a.tag, b.tag), cmp.Compare(a.n, b.n)) })
	return insertMany(ctx, s.DB, "tag_days", columns("tag day:n source by_id by_name added:n removed:n"), len(days), func(i int) []any {
		d := days[i]
		return []any{d.tag, d.n, g.source, by, g.byName, sums[d].added, sums[d].removed}
	}, "on conflict (tag, day, source, by_id) do update set added = tag_days.added + excluded.added, removed = tag_days.removed + excluded.removed, by_name = excluded.by_name")
}

func (s *Service) keepChanges(ctx context.Context, changes []tagChange, run string) error {
	return insertMany(ctx, s.DB, "tag_run_changes", columns("run contact:n tag added:n cause image"), len(changes), func(i int) []any {
		c := changes[i]
		if !c.removed {
			return []any{run, c.num, c.tag.ID, 1, "", ""}
		}
		image, _ := json.Marshal(c.image) // plain values cannot fail
		return []any{run, c.num, c.tag.ID, 0, c.cause, string(image)}
	}, "on conflict (run, contact, tag) do update set added = case when tag_run_changes.added = excluded.added then excluded.added else 2 end")
}

// tagFacts states changes, in their order. Changes of one kind share their properties.
func (s *Service) tagFacts(changes []tagChange, at time.Time, by, run string, more ...map[string]any) []event.Fact {
	type key struct {
		tag     string
		removed bool
		cause   string
	}
	props := map[key]json.RawMessage{}
	facts := make([]event.Fact, 0, len(changes))
	ms := at.UnixMilli()
	for _, c := range changes {
		k := key{c.tag.ID, c.removed, c.cause}
		if props[k] == nil {
			p := map[string]any{"tag": c.tag.ID, "name": c.tag.Name, "group": c.tag.Group, "by": by}
			if c.cause != "" {
				p["replacedBy"] = c.cause
			}
			if run != "" {
				p["run"] = run
			}
			for _, m := range more {
				maps.Copy(p, m)
			}
			props[k] = object(p)
		}
		name := event.NameTagAdded
		if c.removed {
			name = event.NameTagRemoved
		}
		facts = append(facts, event.Fact{MessageID: s.IDs.New("fc"), Type: event.Track, Name: name, Contact: c.num, Timestamp: ms, ReceivedAt: ms,
			Source: sourceName, Properties: props[k]})
	}
	return facts
}

// SetTags gives a contact tags and takes others away, by id, and states it.
func (s *Service) SetTags(ctx context.Context, id string, add, remove []string) (Contact, error) {
	num, err := s.NumOf(ctx, id)
	if err != nil {
		return Contact{}, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		if num, err = s.NumOf(ctx, id); err != nil { // nobody merged it away meanwhile
			return err
		}
		return s.setTags(ctx, num, add, remove)
	})
	if err != nil {
		return Contact{}, fmt.Errorf("tag contact: %w", err)
	}
	return s.profile(ctx, num)
}

func (s *Service) setTags(ctx context.Context, num int64, add, remove []string) error {
	done, err := s.tag(ctx, num, add, remove)
	if err != nil || len(done) == 0 {
		return err
	}
	if err := s.Emit.Emit(ctx, s.tagFacts(done, s.Clock.Now(), principal(ctx).Name, "")...); err != nil {
		return fmt.Errorf("state tags: %w", err)
	}
	refs, err := s.Refs(ctx, []int64{num})
	if err != nil {
		return err
	}
	detail := map[string]any{}
	for _, c := range done {
		key := map[bool]string{false: "added", true: "removed"}[c.removed]
		names, _ := detail[key].([]string) // absent at first
		detail[key] = append(names, c.tag.Group+"/"+c.tag.Name)
	}
	return s.record(ctx, "contact.tagged", refs[num].ID, refs[num].Name, detail)
}

// tag changes the tags of a contact for the one who asks.
func (s *Service) tag(ctx context.Context, num int64, add, remove []string) ([]tagChange, error) {
	giv, tak, err := s.checkTags(ctx, add, remove, "")
	if err != nil || len(giv)+len(tak) == 0 {
		return nil, err
	}
	return s.applyTags(ctx, []int64{num}, giv, tak, s.byPerson(ctx))
}

// checkTags reads the tags to give and to take. Faults name their field, below at.
func (s *Service) checkTags(ctx context.Context, add, remove []string, at string) (giv, tak []tagInfo, err error) {
	infos, err := s.tagInfos(ctx, slices.Concat(add, remove))
	if err != nil {
		return nil, nil, err
	}
	var bad []errs.Field
	seen := map[string]bool{}
	exclusive := map[string]tagInfo{}
	for i, id := range add {
		path := fmt.Sprintf("%sadd[%d]", at, i)
		t, ok := infos[id]
		other, taken := exclusive[t.group]
		switch {
		case !ok:
			bad = append(bad, errs.At(path, "contact.no_such_tag"))
			continue
		case t.archived:
			bad = append(bad, errs.At(path, "contact.tag_archived", "name", t.Name))
		case seen[t.ID]:
			continue
		case t.exclusive && taken:
			bad = append(bad, errs.At(path, "contact.tag_one_of_group", "name", t.Name, "other", other.Name, "group", t.Group))
		}
		if t.exclusive {
			exclusive[t.group] = t
		}
		seen[t.ID] = true
		giv = append(giv, t)
	}
	for i, id := range remove {
		path := fmt.Sprintf("%sremove[%d]", at, i)
		t, ok := infos[id]
		switch {
		case !ok:
			bad = append(bad, errs.At(path, "contact.no_such_tag"))
		case seen[t.ID]:
			bad = append(bad, errs.At(path, "contact.tag_both_ways", "name", t.Name))
		default:
			tak = append(tak, t)
		}
	}
	if len(bad) > 0 {
		return nil, nil, errs.New(errs.Invalid, "request.invalid").On(bad...)
	}
	return giv, tak, nil
}

// giveTags tags the contacts of an import's rows and notes for each row what
// changed. Of several tags of an exclusive group the last one counts.
func (s *Service) giveTags(ctx context.Context, takings []taking, opt UpsertOptions, now int64) error {
	wanted := map[string]bool{}
	for i := range takings {
		for _, tag := range takings[i].row.Tags {
			wanted[tag] = true
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	infos, err := s.tagInfos(ctx, sortedKeys(wanted))
	if err != nil {
		return err
	}
	type pair struct {
		num int64
		tag string
	}
	from := map[pair]*taking{}
	only := map[pair]string{} // the one tag of an exclusive group
	for i := range takings {
		t := &takings[i]
		if t.state == Refused || t.state == Unchanged {
			continue
		}
		num := t.in.st.root().num
		for _, id := range t.row.Tags {
			tag, ok := infos[id]
			if !ok { // deleted meanwhile
				continue
			}
			if tag.exclusive {
				group := pair{num, tag.group}
				delete(from, pair{num, only[group]})
				only[group] = tag.ID
			}
			if from[pair{num, tag.ID}] == nil {
				from[pair{num, tag.ID}] = t
			}
		}
	}
	give := map[string][]int64{}
	for p := range from {
		give[p.tag] = append(give[p.tag], p.num)
	}
	byID := map[string]tagInfo{}
	for _, t := range infos {
		byID[t.ID] = t
	}
	for _, tag := range sortedKeys(give) {
		nums := give[tag]
		slices.Sort(nums)
		done, err := s.applyTags(ctx, nums, []tagInfo{byID[tag]}, nil, giving{at: now, source: "import", imports: opt.ImportID, log: opt.ImportID, takings: true})
		if err != nil {
			return err
		}
		for _, c := range done {
			t := from[pair{c.num, tag}]
			t.tags = append(t.tags, c)
		}
	}
	return nil
}

// settleExclusive keeps one tag of each exclusive group, for contacts that just
// became one: the survivor's own, else the one given last. What it takes off is a
// copy, so that the undo of the merge gives each side its own back.
func (e *engine) settleExclusive(ctx context.Context, roots []int64, now int64) error {
	type key struct {
		num   int64
		group string
	}
	kept := map[key]string{}
	type lost struct {
		num                          int64
		tag, name, group, replacedBy string
	}
	var drop []lost
	err := selectIn(ctx, e.db, "read exclusive tags", `select ct.contact, ct.tag, t.name, g.id, g.name from contact_tags ct join tags t on t.id = ct.tag join tag_groups g on g.id = t.group_id
		where g.exclusive = 1 and ct.contact in (%s) order by ct.contact, g.id, case when ct.home = 0 then 0 else 1 end, ct.at desc, ct.tag`, nil, roots, func(r *sql.Rows) error {
		var k key
		var l lost
		if err := r.Scan(&k.num, &l.tag, &l.name, &k.group, &l.group); err != nil {
			return err
		}
		l.num = k.num
		if first, ok := kept[k]; ok {
			if first != l.tag { // a short list of contacts names its last one twice
				l.replacedBy = first
				drop = append(drop, l)
			}
		} else {
			kept[k] = l.tag
		}
		return nil
	})
	if err != nil || len(drop) == 0 {
		return err
	}
	facts := make([]event.Fact, len(drop))
	for i, l := range drop {
		if _, err := e.db.Exec(ctx, "delete from contact_tags where contact = $1 and tag = $2", l.num, l.tag); err != nil {
			return fmt.Errorf("keep one tag of a group: %w", err)
		}
		facts[i] = event.Fact{MessageID: e.ids.New("fc"), Type: event.Track, Name: event.NameTagRemoved, Contact: l.num, Timestamp: now, ReceivedAt: now, Source: sourceName,
			Properties: object(map[string]any{"tag": l.tag, "name": l.name, "group": l.group, "by": "merge", "replacedBy": l.replacedBy})}
	}
	if err := e.emit.Emit(ctx, facts...); err != nil {
		return fmt.Errorf("state tags: %w", err)
	}
	return nil
}

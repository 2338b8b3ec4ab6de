package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// TagMergePreview tells what a merge of tags would do.
type TagMergePreview struct {
	From   TagRef `json:"from"`
	Into   TagRef `json:"into"`
	People int64  `json:"people" doc:"People who have the tag that goes"`
	Both   int64  `json:"both" doc:"Of them, people who have the other one too"`
	Lose   int64  `json:"lose" doc:"Of them, people who have yet another tag of the exclusive group: the one given last stays"`
	Uses   []Use  `json:"uses" doc:"Places that will refer to the other tag"`
}

// mergePair checks that one tag may become another.
func (s *Service) mergePair(ctx context.Context, id, into string) (from, to tagInfo, err error) {
	tree, err := s.tagTree(ctx)
	if err != nil {
		return from, to, err
	}
	if _, ok := tree[id]; !ok {
		return from, to, errs.New(errs.NotFound, "contact.tag_not_found")
	}
	if _, ok := tree[into]; !ok {
		return from, to, errs.New(errs.Invalid, "request.invalid").On(errs.At("into", "contact.no_such_tag"))
	}
	if id == into {
		return from, to, errs.New(errs.Invalid, "request.invalid").On(errs.At("into", "contact.tag_into_itself"))
	}
	infos, err := s.tagInfos(ctx, []string{id, into})
	if err != nil {
		return from, to, err
	}
	from, to = infos[id], infos[into]
	if to.archived {
		return from, to, errs.New(errs.Invalid, "request.invalid").On(errs.At("into", "contact.tag_archived", "name", to.Name))
	}
	if n := len(tree.below(id)) - 1; n > 0 {
		return from, to, errs.New(errs.Conflict, "contact.tag_has_children", "name", from.Name, "count", n)
	}
	return from, to, nil
}

// PreviewTagMerge counts what a merge would do.
func (s *Service) PreviewTagMerge(ctx context.Context, id, into string) (TagMergePreview, error) {
	from, to, err := s.mergePair(ctx, id, into)
	p := TagMergePreview{From: from.TagRef, Into: to.TagRef, Uses: []Use{}}
	if err != nil {
		return p, err
	}
	others := []string{}
	for _, o := range to.siblings {
		if o != id {
			others = append(others, o)
		}
	}
	count := func(n *int64, tags []string) error {
		args := []any{id}
		for _, t := range tags {
			args = append(args, t)
		}
		return s.DB.QueryRow(ctx, "select count(*) from contact_tags a where a.tag = $1 and exists (select 1 from contact_tags b where b.contact = a.contact and b.tag in ("+db.In(2, len(tags))+"))", args...).Scan(n)
	}
	if err := s.DB.QueryRow(ctx, "select count(*) from contact_tags where tag = $1", id).Scan(&p.People); err != nil {
		return p, fmt.Errorf("count people of tag: %w", err)
	}
	if err := count(&p.Both, []string{into}); err != nil {
		return p, fmt.Errorf("count people of both tags: %w", err)
	}
	if len(others) > 0 {
		if err := count(&p.Lose, others); err != nil {
			return p, fmt.Errorf("count people of other tags: %w", err)
		}
	}
	p.Uses, err = s.Uses(ctx, Term{Tag: &from.TagRef})
	return p, err
}

// MergeTags makes a tag into another: everybody who has it gets the other
// instead, as work that goes on by itself; then the tag is gone.
func (s *Service) MergeTags(ctx context.Context, id, into string) (TagRun, error) {
	var run *TagRun
	err := s.changeTags(ctx, "merge tags", func(ctx context.Context) error {
		from, to, err := s.mergePair(ctx, id, into)
		if err != nil {
			return err
		}
		gone, err := s.goneTag(ctx, id, into)
		if err != nil {
			return err
		}
		run, err = s.startRun(ctx, RunMerge, from.Name+" → "+to.Name, runSpec{Add: []TagRef{to.TagRef}, Remove: []TagRef{from.TagRef}, Gone: &gone})
		if err != nil {
			return err
		}
		return s.recordTag(ctx, "tag.merging", "tag", id, from.Name, map[string]any{"into": to.Name, "run": run.ID})
	})
	if err != nil {
		return TagRun{}, err
	}
	return *run, nil
}

// DeleteTag deletes a tag that nobody has at once. One that people have needs
// confirm; then it is taken from them first, as work that can be undone.
func (s *Service) DeleteTag(ctx context.Context, id string, confirm bool) (*TagRun, error) {
	var run *TagRun
	err := s.changeTags(ctx, "delete tag", func(ctx context.Context) error {
		tree, err := s.tagTree(ctx)
		if err != nil {
			return err
		}
		t, ok := tree[id]
		if !ok {
			return errs.New(errs.NotFound, "contact.tag_not_found")
		}
		if n := len(tree.below(id)) - 1; n > 0 {
			return errs.New(errs.Conflict, "contact.tag_has_children", "name", t.name, "count", n)
		}
		var n int64
		if err := s.DB.QueryRow(ctx, "select count(*) from contact_tags where tag = $1", id).Scan(&n); err != nil {
			return err
		}
		refs, err := s.tagInfos(ctx, []string{id})
		if err != nil {
			return err
		}
		ref := refs[id].TagRef
		uses, err := s.Uses(ctx, Term{Tag: &ref})
		if err != nil {
			return err
		}
		gone, err := s.goneTag(ctx, id, "")
		if err != nil {
			return err
		}
		switch {
		case (n > 0 || len(uses) > 0) && !confirm:
			return errs.New(errs.Conflict, "contact.tag_in_use", "name", t.name, "count", n, "uses", len(uses))
		case n == 0:
			return s.dropTag(ctx, gone, "")
		}
		if run, err = s.startRun(ctx, RunDelete, t.name, runSpec{Remove: []TagRef{refs[id].TagRef}, Gone: &gone}); err != nil {
			return err
		}
		return s.recordTag(ctx, "tag.deleting", "tag", id, t.name, map[string]any{"people": n, "run": run.ID})
	})
	return run, err
}

func (s *Service) goneTag(ctx context.Context, id, into string) (g goneTag, err error) {
	g = goneTag{ID: id, Into: into}
	err = s.DB.QueryRow(ctx, "select group_id, parent, name, color, description, created_at, position, archived_at, import_id from tags where id = $1", id).
		Scan(&g.Group, &g.Parent, &g.Name, &g.Color, &g.Description, &g.CreatedAt, &g.Position, &g.ArchivedAt, &g.Import)
	return g, err
}

// dropTag ends a tag that nobody has any more: what refers to it follows.
func (s *Service) dropTag(ctx context.Context, g goneTag, run string) error {
	refs, err := s.tagInfos(ctx, []string{g.ID, g.Into})
	if err != nil {
		return err
	}
	var into *Term
	if t, ok := refs[g.Into]; ok {
		into = &Term{Tag: &t.TagRef}
	}
	from := refs[g.ID].TagRef
	if err := s.moved(ctx, Term{Tag: &from}, into); err != nil {
		return err
	}
	if g.Into != "" {
		if _, err := s.DB.Exec(ctx, "insert into tag_moved (id, into_id, run) values ($1,$2,$3) on conflict (id) do update set into_id = excluded.into_id, run = excluded.run", g.ID, g.Into, run); err != nil {
			return err
		}
	}
	if _, err := s.DB.Exec(ctx, "update tags set parent = '' where parent = $1", g.ID); err != nil { // made below it while the work went on
		return err
	}
	if _, err := s.DB.Exec(ctx, "delete from tags where id = $1", g.ID); err != nil {
		return err
	}
	s.counts.stale(ctx, s.DB, g.ID)
	action := "tag.deleted"
	if g.Into != "" {
		action = "tag.merged"
	}
	return s.recordTag(ctx, action, "tag", g.ID, g.Name, map[string]any{"into": g.Into})
}

// endBatch is how many people a merge or deletion handles at once.
const endBatch = 1000

// endTag takes a tag from the next people who have it and, for a merge, gives
// them the other. When nobody is left, the tag itself goes: no giving can come
// between, since all changes of tags exclude each other.
func (s *Service) endTag(ctx context.Context, run TagRun, m *runMark) ([]tagChange, error) {
	g := *run.spec.Gone
	infos, err := s.tagInfos(ctx, []string{g.ID, g.Into})
	if err != nil {
		return nil, err
	}
	from, ok := infos[g.ID]
	if !ok || from.ID != g.ID { // somebody was faster
		m.End = true
		return nil, nil
	}
	to, merging := infos[g.Into]
	if g.Into != "" && !merging {
		return nil, errs.New(errs.Conflict, "contact.tag_not_found")
	}
	rows, err := s.DB.Query(ctx, "select contact from contact_tags where tag = $1 order by shown, contact limit $2", g.ID, endBatch)
	nums, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
	if err != nil {
		return nil, fmt.Errorf("find people of tag: %w", err)
	}
	if len(nums) == 0 {
		m.End = true
		return nil, s.dropTag(ctx, g, run.ID)
	}
	slices.Sort(nums)
	m.Seen += int64(len(nums))
	gone, err := s.takeTags(ctx, nums, []string{g.ID}, "")
	if err != nil {
		return nil, err
	}
	done := gone
	if merging {
		if done, err = s.becomes(ctx, run, nums, gone, to); err != nil {
			return nil, err
		}
	}
	if err := s.nameTags(ctx, done, map[string]TagRef{from.ID: from.TagRef, to.ID: to.TagRef}); err != nil {
		return nil, err
	}
	if err := s.noteTags(ctx, done, s.logged(run)); err != nil {
		return nil, err
	}
	if merging {
		return done, s.stateMerged(ctx, run, done, from, to)
	}
	return done, nil
}

// becomes gives the other tag to people who had the one that goes, as it was
// given to them. Where they have yet another tag of its exclusive group, the
// one given last stays.
func (s *Service) becomes(ctx context.Context, run TagRun, nums []int64, gone []tagChange, to tagInfo) ([]tagChange, error) {
	rival := map[int64]int64{} // when the newest other tag of the group was given
	if len(to.siblings) > 0 {
		fixed := make([]any, len(to.siblings))
		for i, t := range to.siblings {
			fixed[i] = t
		}
		err := selectIn(ctx, s.DB, "read exclusive tags", "select contact, max(at) from contact_tags where tag in ("+placeholders(len(fixed))+") and contact in (%s) group by contact", fixed, nums, func(r *sql.Rows) error {
			var num, at int64
			err := r.Scan(&num, &at)
			rival[num] = at
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	done := gone
	var get []tagChange
	var replaced []int64
	at := map[int64]int{}
	for i, c := range gone {
		at[c.num] = i
		newest, has := rival[c.num]
		if has && newest >= c.image.At {
			continue
		}
		if has {
			replaced = append(replaced, c.num)
		}
		get = append(get, c)
	}
	if len(replaced) > 0 {
		others, err := s.takeTags(ctx, replaced, to.siblings, to.ID)
		if err != nil {
			return nil, err
		}
		done = append(done, others...)
	}
	rows := make([][]any, len(get))
	shown := map[int64]int64{}
	err := selectIn(ctx, s.DB, "read contacts", "select num, shown from contacts where num in (%s)", nil, nums, func(r *sql.Rows) error {
		var num, sh int64
		err := r.Scan(&num, &sh)
		shown[num] = sh
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, c := range get {
		rows[i] = []any{c.num, to.ID, shown[c.num], c.image.At, c.image.ByID, c.image.ByName, c.image.Source, c.image.Import, run.ID}
	}
	err = insertReturning(ctx, s.DB, "contact_tags", columns("contact:n tag shown:n at:n by_id by_name source import_id run"), rows,
		"on conflict (contact, tag) do nothing returning contact", func(r *sql.Rows) error {
			c := tagChange{tag: to.TagRef}
			err := r.Scan(&c.num)
			done[at[c.num]].cause = to.ID
			done = append(done, c)
			return err
		})
	return done, err
}

// stateMerged states one fact for each person whose tag became another, and
// the loss of other tags.
func (s *Service) stateMerged(ctx context.Context, run TagRun, done []tagChange, from, to tagInfo) error {
	now := s.Clock.Now()
	props := object(map[string]any{"tag": to.ID, "name": to.Name, "group": to.Group, "from": from.ID, "fromName": from.Name, "fromGroup": from.Group, "by": run.By.Name, "run": run.ID})
	var facts []event.Fact
	var lost []tagChange
	have := map[int64]bool{} // who has the other tag now; the rest lost theirs to a newer one of the group
	nums := make([]int64, len(done))
	for i, c := range done {
		nums[i] = c.num
	}
	err := selectIn(ctx, s.DB, "read people of tag", "select contact from contact_tags where tag = $1 and contact in (%s)", []any{to.ID}, nums, func(r *sql.Rows) error {
		var num int64
		err := r.Scan(&num)
		have[num] = true
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range done {
		switch {
		case c.removed && c.tag.ID == from.ID && have[c.num]:
			f := s.fact(event.NameTagMerged, c.num, now, nil)
			f.Properties = props
			facts = append(facts, f)
		case c.removed:
			lost = append(lost, c)
		}
	}
	if err := s.Emit.Emit(ctx, append(facts, s.tagFacts(lost, now, run.By.Name, run.ID)...)...); err != nil {
		return fmt.Errorf("state merged tags: %w", err)
	}
	return nil
}

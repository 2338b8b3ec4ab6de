package contact

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/koipond/koipond/internal/platform/errs"
)

// TagWork asks for tags to be given to and taken from many contacts: those
// selected, or those that a file names.
type TagWork struct {
	Selection *SelectionBody `json:"selection,omitempty" doc:"Who; give this or file"`
	File      *TagFile       `json:"file,omitempty" doc:"An uploaded file that names people"`
	Add       []string       `json:"add,omitempty" maxItems:"50" doc:"Tag ids"`
	Remove    []string       `json:"remove,omitempty" maxItems:"50" doc:"Tag ids"`
}

// TagPreview tells what work on tags would change.
type TagPreview struct {
	Total    int64      `json:"total" doc:"People looked at"`
	Changing int64      `json:"changing" doc:"People whose tags would change"`
	Tags     []TagShare `json:"tags"`
	Missing  int64      `json:"missing" doc:"Rows of the file that name nobody"`
	Partly   bool       `json:"partly,omitempty" doc:"The file is long: the figures are of its first rows"`
}

// TagShare tells of one tag how many of the people have it already.
type TagShare struct {
	Tag      TagRef `json:"tag"`
	Remove   bool   `json:"remove,omitempty"`
	Have     int64  `json:"have" doc:"People who have it"`
	Replaces int64  `json:"replaces,omitempty" doc:"People who lose another tag of its exclusive group"`
}

// check reads the tags and refuses what cannot be meant.
func (s *Service) checkWork(ctx context.Context, w TagWork) (add, remove []tagInfo, err error) {
	add, remove, err = s.checkTags(ctx, w.Add, w.Remove, "")
	if err != nil {
		return nil, nil, err
	}
	if w.File != nil {
		if err := s.checkFile(ctx, w.File); err != nil {
			return nil, nil, err
		}
	}
	fileTags := w.File != nil && w.File.TagColumn != ""
	switch {
	case len(add)+len(remove) == 0 && !fileTags:
		err = errs.New(errs.Invalid, "request.invalid").On(errs.At("add", "contact.choose_tags"))
	case (w.Selection == nil) == (w.File == nil):
		err = errs.New(errs.Invalid, "request.invalid").On(errs.At("selection", "contact.select_somebody"))
	case w.Selection != nil:
		_, err = w.Selection.Selection(ctx)
	}
	return add, remove, err
}

// PreviewTags counts what work would change, without changing anything.
func (s *Service) PreviewTags(ctx context.Context, w TagWork) (TagPreview, error) {
	p := TagPreview{Tags: []TagShare{}}
	add, remove, err := s.checkWork(ctx, w)
	if err != nil {
		return p, err
	}
	if w.File != nil {
		return s.previewFile(ctx, w, add, remove)
	}
	sel, err := w.Selection.Selection(ctx)
	if err != nil {
		return p, err
	}
	if p.Total, err = s.Count(ctx, sel); err != nil || p.Total == 0 {
		return p, err
	}
	var change []string // conditions of which one makes a change
	var args []any
	having := func(tags []string) string {
		marks := make([]string, len(tags))
		for i, t := range tags {
			args = append(args, t)
			marks[i] = fmt.Sprintf("{%d}", len(args))
		}
		return "exists (select 1 from contact_tags t where t.contact = contacts.num and t.tag in (" + strings.Join(marks, ",") + "))"
	}
	share := func(t tagInfo, remove bool) error {
		sh := TagShare{Tag: t.TagRef, Remove: remove}
		if sh.Have, err = s.countHaving(ctx, sel, []string{t.ID}); err != nil {
			return err
		}
		if !remove && len(t.siblings) > 0 {
			if sh.Replaces, err = s.countHaving(ctx, sel, t.siblings); err != nil {
				return err
			}
		}
		p.Tags = append(p.Tags, sh)
		return nil
	}
	for _, t := range add {
		if err := share(t, false); err != nil {
			return p, err
		}
		change = append(change, "not "+having([]string{t.ID}))
		if len(t.siblings) > 0 {
			change = append(change, having(t.siblings))
		}
	}
	for _, t := range remove {
		if err := share(t, true); err != nil {
			return p, err
		}
		change = append(change, having([]string{t.ID}))
	}
	p.Changing, err = s.countAlso(ctx, sel, func(f *filter) { f.add("("+strings.Join(change, " or ")+")", args...) })
	return p, err
}

// countHaving counts those selected who have one of the tags.
func (s *Service) countHaving(ctx context.Context, sel Selection, tags []string) (int64, error) {
	marks := make([]string, len(tags))
	args := make([]any, len(tags))
	for i, t := range tags {
		args[i], marks[i] = t, fmt.Sprintf("{%d}", i+1)
	}
	in := strings.Join(marks, ",")
	return s.countAlso(ctx, sel, func(f *filter) {
		f.addSet("select contact as n from contact_tags where tag in ("+in+")", "exists (select 1 from contact_tags t where t.contact = contacts.num and t.tag in ("+in+"))", "", args...)
	})
}

// BulkTags starts work on the tags of many contacts.
func (s *Service) BulkTags(ctx context.Context, w TagWork) (TagRun, error) {
	add, remove, err := s.checkWork(ctx, w)
	if err != nil {
		return TagRun{}, err
	}
	spec := runSpec{Selection: w.Selection, File: w.File}
	var title []string
	for _, t := range add {
		spec.Add = append(spec.Add, t.TagRef)
		title = append(title, "+"+t.Name)
	}
	for _, t := range remove {
		spec.Remove = append(spec.Remove, t.TagRef)
		title = append(title, "-"+t.Name)
	}
	kind := RunBulk
	if w.File != nil {
		kind = RunFile
		title = append(title, w.File.Name)
	}
	var run *TagRun
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if run, err = s.startRun(ctx, kind, strings.Join(title, " "), spec); err != nil {
			return err
		}
		return s.recordTag(ctx, "tag_run.started", "tag_run", run.ID, run.Title, map[string]any{"kind": kind})
	})
	if err != nil {
		return TagRun{}, fmt.Errorf("start work on tags: %w", err)
	}
	return *run, nil
}

// runTags reads the tags of a run as they are now: those merged meanwhile are
// followed, those deleted left out.
func (s *Service) runTags(ctx context.Context, refs []TagRef) ([]tagInfo, error) {
	ids := make([]string, len(refs))
	for i, t := range refs {
		ids[i] = t.ID
	}
	infos, err := s.tagInfos(ctx, ids)
	var out []tagInfo
	for _, id := range ids {
		if t, ok := infos[id]; ok {
			out = append(out, t)
		}
	}
	return out, err
}

// bulkWork walks the selection in batches.
func (s *Service) bulkWork(ctx context.Context, run TagRun) (work, int64, error) {
	sel, err := run.spec.Selection.Selection(ctx)
	if err != nil {
		return nil, 0, err
	}
	total, err := s.Count(ctx, sel)
	return func(ctx context.Context, m *runMark) ([]tagChange, error) {
		nums, err := s.Walk(ctx, sel, m.After, tagBatch)
		if err != nil {
			return nil, err
		}
		if len(nums) == 0 {
			m.End = true
			return nil, nil
		}
		add, err := s.runTags(ctx, run.spec.Add)
		if err != nil {
			return nil, err
		}
		remove, err := s.runTags(ctx, run.spec.Remove)
		if err != nil {
			return nil, err
		}
		done, err := s.applyTags(ctx, nums, add, remove, s.logged(run))
		m.After, m.Seen = nums[len(nums)-1], m.Seen+int64(len(nums))
		return done, err
	}, max(total, run.Seen), err
}

// countOverlap counts people who have several tags of a group.
func (s *Service) countOverlap(ctx context.Context, group string) (n int64, err error) {
	err = s.DB.QueryRow(ctx, `select count(*) from (select contact from contact_tags where tag in (select id from tags where group_id = $1)
		group by contact having count(*) > 1) as several`, group).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count people with several tags: %w", err)
	}
	return n, nil
}

// settleGroup starts the work that keeps one tag of an exclusive group a
// person, if anybody has several; without leave that is refused with their number.
func (s *Service) settleGroup(ctx context.Context, g tagGroup, leave bool) (*TagRun, error) {
	n, err := s.countOverlap(ctx, g.id)
	if err != nil || n == 0 {
		return nil, err
	}
	if !leave {
		return nil, errs.New(errs.Conflict, "contact.tag_overlap", "group", g.name, "count", n)
	}
	return s.startRun(ctx, RunSettle, g.name, runSpec{Group: g.id})
}

// settleTags keeps the newest tag of a group for the next people who have several.
func (s *Service) settleTags(ctx context.Context, run TagRun, m *runMark) ([]tagChange, error) {
	rows, err := s.DB.Query(ctx, `select contact, tag from contact_tags where contact in (select contact from contact_tags where tag in (select id from tags where group_id = $1)
		and contact > $2 group by contact having count(*) > 1 order by contact limit 500) and tag in (select id from tags where group_id = $1) order by contact, at desc, tag`, run.spec.Group, m.After)
	kept := map[int64]string{}
	drop := map[string]map[string][]int64{} // by the tag kept, then by the one that goes
	err = scanAll(rows, err, "read exclusive tags", func(r *sql.Rows) error {
		var num int64
		var tag string
		if err := r.Scan(&num, &tag); err != nil {
			return err
		}
		m.After = num
		first, ok := kept[num]
		if !ok {
			kept[num] = tag
			return nil
		}
		if drop[first] == nil {
			drop[first] = map[string][]int64{}
		}
		drop[first][tag] = append(drop[first][tag], num)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(kept) == 0 {
		m.End = true
		return nil, nil
	}
	var done []tagChange
	for _, first := range sortedKeys(drop) {
		for _, tag := range sortedKeys(drop[first]) {
			gone, err := s.takeTags(ctx, drop[first][tag], []string{tag}, first)
			if err != nil {
				return nil, err
			}
			done = append(done, gone...)
		}
	}
	m.Seen += int64(len(kept))
	if err := s.nameTags(ctx, done, map[string]TagRef{}); err != nil {
		return nil, err
	}
	return done, s.noteTags(ctx, done, s.logged(run))
}

package contact

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// UndoTagRun starts to take back what a run changed, where nobody changed it since.
func (s *Service) UndoTagRun(ctx context.Context, id string) (TagRun, error) {
	err := s.changeTags(ctx, "undo work on tags", func(ctx context.Context) error {
		run, err := s.TagRun(ctx, id)
		switch {
		case err != nil:
			return err
		case run.UndoneAt != nil || run.Undoing:
			return errs.New(errs.Conflict, "contact.tag_run_undone")
		case !run.State.Final():
			return errs.New(errs.Conflict, "contact.tag_run_unfinished")
		case run.swept || !s.Clock.Now().Before(run.CreatedAt.Add(tagUndoFor)):
			return errs.New(errs.Conflict, "contact.tag_run_too_old", "days", int(tagUndoFor.Hours()/24))
		}
		job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobTagUndo, Title: run.Title, Unit: "contacts", Params: runParams{id}, Link: "/tags?run=" + id, Key: "tags:undo:" + id})
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update tag_runs set undo_job = $1 where id = $2", job.ID, id); err != nil {
			return err
		}
		return s.recordTag(ctx, "tag_run.undoing", "tag_run", id, run.Title, nil)
	})
	if err != nil {
		return TagRun{}, err
	}
	return s.TagRun(ctx, id)
}

// doUndo is the handler of undos.
func (s *Service) doUndo(ctx context.Context, job jobs.Run) error {
	var p runParams
	if err := job.Params(&p); err != nil {
		return err
	}
	run, err := s.scanRun(s.DB.QueryRow(ctx, "select "+runColumns+" from tag_runs where id = $1", p.Run))
	if err != nil {
		return fmt.Errorf("read run: %w", err)
	}
	var total int64
	if err := s.DB.QueryRow(ctx, "select count(*) from (select distinct contact from tag_run_changes where run = $1) as changed", run.ID).Scan(&total); err != nil {
		return fmt.Errorf("count what to undo: %w", err)
	}
	var m runMark
	if _, err := job.LastCheckpoint(&m); err != nil {
		return err
	}
	for !m.End {
		if err := ctx.Err(); err != nil {
			return err
		}
		job.Progress(m.Seen, total)
		was := m
		err := s.changeTags(ctx, "undo work on tags", func(ctx context.Context) error {
			m = was
			if err := s.undoRunSome(ctx, run, &m); err != nil {
				return err
			}
			return job.Checkpoint(ctx, m)
		})
		if err != nil {
			return err
		}
	}
	job.Progress(m.Seen, max(total, m.Seen))
	run, err = s.TagRun(ctx, run.ID)
	if err != nil {
		return err
	}
	return job.Result(map[string]any{"restored": run.Restored, "kept": run.Kept})
}

// undoRunSome takes back the next contacts' changes.
func (s *Service) undoRunSome(ctx context.Context, run TagRun, m *runMark) error {
	if m.After == 0 && run.spec.Gone != nil {
		if err := s.remakeTag(ctx, *run.spec.Gone, run.ID); err != nil {
			return err
		}
	}
	rows, err := s.DB.Query(ctx, "select distinct contact from tag_run_changes where run = $1 and contact > $2 order by contact limit 500", run.ID, m.After)
	nums, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
	if err != nil {
		return fmt.Errorf("find what to undo: %w", err)
	}
	if len(nums) == 0 {
		m.End = true
		if _, err := s.DB.Exec(ctx, "update tag_runs set undone_at = $1 where id = $2", s.Clock.Now().UnixMilli(), run.ID); err != nil {
			return err
		}
		return s.recordRun(ctx, "tag_run.undone", run.ID)
	}
	by := principal(ctx)
	g := giving{at: s.Clock.Now().UnixMilli(), byID: by.ID, byName: by.Name, source: "undo"}
	done, kept, err := s.takeBack(ctx, run.ID, nums, g)
	if err != nil {
		return err
	}
	if err := s.Emit.Emit(ctx, s.tagFacts(done, s.Clock.Now(), by.Name, run.ID)...); err != nil {
		return fmt.Errorf("state tags: %w", err)
	}
	m.After, m.Seen = nums[len(nums)-1], m.Seen+int64(len(nums))
	// gone from the book, so that an undo that was stopped goes on and counts each change once
	if err := s.deleteWhere(ctx, "tag_run_changes", "contact", "run = $1", run.ID, nums); err != nil {
		return err
	}
	_, err = s.DB.Exec(ctx, "update tag_runs set restored = restored + $1, kept = kept + $2 where id = $3", len(done), kept, run.ID)
	return err
}

// remakeTag makes a tag again that a run ended: under its old id, and its old
// name unless another has taken that.
func (s *Service) remakeTag(ctx context.Context, g goneTag, run string) error {
	tree, err := s.tagTree(ctx)
	if err != nil {
		return err
	}
	if _, ok := tree[g.ID]; ok { // the run did not get so far
		return nil
	}
	if _, ok, err := s.findGroup(ctx, g.Group); err != nil {
		return err
	} else if !ok {
		return errs.New(errs.Conflict, "contact.tag_group_gone", "name", g.Name)
	}
	if g.Parent != "" && tree.mayStandBelow(g.Parent, g.Group, 1) != nil {
		g.Parent = ""
	}
	name := g.Name
	for n := 2; ; n++ {
		var one int
		err := s.DB.QueryRow(ctx, "select 1 from tags where group_id = $1 and parent = $2 and name_key = $3", g.Group, g.Parent, tagKey(name)).Scan(&one)
		if db.NoRows(err) {
			break
		}
		if err != nil {
			return err
		}
		name = fmt.Sprintf("%s (%d)", g.Name, n)
	}
	_, err = s.DB.Exec(ctx, `insert into tags (id, group_id, parent, name, name_key, color, description, created_at, position, archived_at, import_id)
		values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)`, g.ID, g.Group, g.Parent, name, tagKey(name), g.Color, g.Description, g.CreatedAt, g.Position, g.ArchivedAt, g.Import)
	if err != nil {
		return err
	}
	if _, err := s.DB.Exec(ctx, "delete from tag_moved where id = $1", g.ID); err != nil {
		return err
	}
	if err := s.returned(ctx, g.ID); err != nil {
		return err
	}
	return s.recordTag(ctx, "tag.restored", "tag", g.ID, name, map[string]any{"run": run})
}

// taken is a change that a run made to a contact.
type taken struct {
	num     int64 // whose it is today
	tag     string
	added   bool
	cause   string
	touched bool
	image   tagImage
}

// takeBack undoes what a run changed of contacts: a tag it gave goes where it
// still is the run's, one it took comes back as it was where the person has not
// got it again meanwhile, no other tag of an exclusive group stands there, and
// the tag that took its place is undone too. It counts the changes left alone.
func (s *Service) takeBack(ctx context.Context, run string, nums []int64, g giving) (done []tagChange, kept int64, err error) {
	moved, err := s.Survivors(ctx, nums)
	if err != nil {
		return nil, 0, err
	}
	var changes []taken
	var people []int64
	tags := map[string]bool{}
	err = selectIn(ctx, s.DB, "read what to undo", "select contact, tag, added, cause, image, touched from tag_run_changes where run = $1 and added <> 2 and contact in (%s) order by contact, tag", []any{run}, nums, func(r *sql.Rows) error {
		var c taken
		var added, touched int64
		var image string
		if err := r.Scan(&c.num, &c.tag, &added, &c.cause, &image, &touched); err != nil {
			return err
		}
		if into, ok := moved[c.num]; ok {
			c.num = into
		}
		c.added, c.touched = added == 1, touched == 1
		people = append(people, c.num)
		tags[c.tag] = true
		changes = append(changes, c)
		if c.added {
			return nil
		}
		return json.Unmarshal([]byte(image), &changes[len(changes)-1].image)
	})
	if err != nil || len(changes) == 0 {
		return nil, 0, err
	}
	infos, err := s.tagInfos(ctx, sortedKeys(tags))
	if err != nil {
		return nil, 0, err
	}
	type pair struct {
		num int64
		tag string
	}
	undone := map[pair]bool{}
	byTag := map[string][]int64{}
	added := map[pair]bool{}
	for _, c := range changes {
		if c.added {
			added[pair{c.num, c.tag}] = true
			byTag[c.tag] = append(byTag[c.tag], c.num)
		}
	}
	for _, tag := range sortedKeys(byTag) {
		err := selectIn(ctx, s.DB, "take tag back", "delete from contact_tags where tag = $1 and run = $2 and contact in (%s) returning contact, "+imageColumns, []any{tag, run}, byTag[tag], func(r *sql.Rows) error {
			c := tagChange{removed: true, tag: TagRef{ID: tag}}
			if err := r.Scan(append([]any{&c.num}, c.image.into()...)...); err != nil {
				return err
			}
			undone[pair{c.num, tag}] = true
			done = append(done, c)
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	kept += int64(len(added) - len(undone))
	shown := map[int64]int64{}
	has := map[int64][]string{}
	slices.Sort(people)
	people = slices.Compact(people)
	err = selectIn(ctx, s.DB, "read contacts", "select num, shown from contacts where num in (%s)", nil, people, func(r *sql.Rows) error {
		var num, sh int64
		err := r.Scan(&num, &sh)
		shown[num] = sh
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	err = selectIn(ctx, s.DB, "read tags", "select contact, tag from contact_tags where contact in (%s)", nil, people, func(r *sql.Rows) error {
		var num int64
		var tag string
		err := r.Scan(&num, &tag)
		if !slices.Contains(has[num], tag) {
			has[num] = append(has[num], tag)
		}
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	var back []taken
	for _, c := range changes {
		if c.added {
			continue
		}
		t, ok := infos[c.tag]
		_, alive := shown[c.num]
		replaced := c.cause != "" && added[pair{c.num, c.cause}] && !undone[pair{c.num, c.cause}]
		blocked := slices.ContainsFunc(has[c.num], func(h string) bool { return h == t.ID || slices.Contains(t.siblings, h) })
		gone := !ok || t.ID != c.tag // deleted, or merged into another since
		if gone || !alive || replaced || c.touched || blocked {
			kept++
			continue
		}
		has[c.num] = append(has[c.num], c.tag)
		back = append(back, c)
	}
	err = insertMany(ctx, s.DB, "contact_tags", columns("contact:n tag shown:n at:n by_id by_name source import_id run"), len(back), func(i int) []any {
		c := back[i]
		return []any{c.num, c.tag, shown[c.num], c.image.At, c.image.ByID, c.image.ByName, c.image.Source, c.image.Import, c.image.Run}
	}, "")
	if err != nil {
		return nil, 0, err
	}
	for _, c := range back {
		done = append(done, tagChange{num: c.num, tag: TagRef{ID: c.tag}})
	}
	if err := s.nameTags(ctx, done, map[string]TagRef{}); err != nil {
		return nil, 0, err
	}
	return done, kept, s.noteTags(ctx, done, g)
}

// system tells whether a run changes the tag system itself, beyond who has which tag.
func (t TagRun) system() bool {
	return slices.Contains([]string{RunMerge, RunDelete, RunSettle}, t.Kind)
}

package contact

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/jobs"
)

func TestATagOfAnExclusiveGroupTakesTheOthersPlace(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		who := p.people(1)[0]
		p.group("意向阶段", true)
		warm, hot := p.make("意向阶段", "", "有意向"), p.make("意向阶段", "", "高意向")
		asked := p.make("意向阶段", hot, "已报价")
		green := p.make("口味", "", "绿茶")
		_, err := p.SetTags(p.ctx, who, []string{warm, green}, nil)
		require.NoError(t, err)
		p.emit.facts = nil
		_, err = p.SetTags(p.ctx, who, []string{asked}, nil)
		require.NoError(t, err)
		require.Equal(t, []string{"已报价", "绿茶"}, p.tagsOf(who))
		require.Equal(t, []string{event.NameTagRemoved, event.NameTagAdded}, p.emit.names(), "one change, both facts")
		require.Contains(t, string(p.emit.facts[0].Properties), `"replacedBy":"`+asked+`"`)

		_, err = p.SetTags(p.ctx, who, []string{warm, hot}, nil)
		require.Equal(t, "request.invalid add[1]:contact.tag_one_of_group", code(err))
		_, err = p.SetTags(p.ctx, who, []string{warm}, []string{warm})
		require.Equal(t, "request.invalid remove[0]:contact.tag_both_ways", code(err))
		yes := true
		require.NoError(t, p.ChangeTag(p.ctx, hot, TagChange{Archived: &yes}))
		_, err = p.SetTags(p.ctx, who, []string{asked}, nil)
		require.Equal(t, "request.invalid add[0]:contact.tag_archived", code(err), "archived with the one above it")
		require.Equal(t, []string{"已报价", "绿茶"}, p.tagsOf(who), "and stays on people")
	})
}

func TestImportsKeepExclusiveGroupsAndUndoGivesBack(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		who := p.people(1)[0]
		p.group("阶段", true)
		old, one, two := p.make("阶段", "", "旧"), p.make("阶段", "", "一"), p.make("阶段", "", "二")
		_, err := p.SetTags(p.ctx, who, []string{old}, nil)
		require.NoError(t, err)
		p.emit.facts = nil
		row := Incoming{Line: 2, Identifiers: []event.Identifier{{Kind: KindMemberNo, Value: "M0000"}}, Tags: []string{one, two}}
		_, err = p.Upsert(p.ctx, []Incoming{row}, UpsertOptions{ImportID: "im_1", Source: "crm", UpdateExisting: true})
		require.NoError(t, err)
		require.Equal(t, []string{"二"}, p.tagsOf(who), "of several the last one counts")
		require.Subset(t, p.emit.names(), []string{event.NameTagAdded, event.NameTagRemoved})
		_, err = p.UndoImport(p.ctx, "im_1", nil)
		require.NoError(t, err)
		require.Equal(t, []string{"旧"}, p.tagsOf(who))
	})
}

func TestPeopleWhoBecomeOneKeepTheNewestOfAnExclusiveGroup(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		p.group("阶段", true)
		a, b := p.make("阶段", "", "一"), p.make("阶段", "", "二")
		x := p.who(event.Fact{AnonymousID: "dev"})
		y := p.who(event.Fact{UserID: "u"})
		_, err := p.SetTags(p.ctx, x.ID, []string{a}, nil)
		require.NoError(t, err)
		p.clock.Advance(time.Hour)
		_, err = p.SetTags(p.ctx, y.ID, []string{b}, nil)
		require.NoError(t, err)
		require.Equal(t, y.Contact, p.who(event.Fact{UserID: "u", AnonymousID: "dev"}).Contact)
		require.Equal(t, []string{"二"}, p.tagsOf(y.ID))
		require.Contains(t, string(p.emit.facts[len(p.emit.facts)-1].Properties)+string(p.emit.facts[len(p.emit.facts)-2].Properties), `"replacedBy"`)
	})
}

func TestTheTreeOfAGroup(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		g, other := p.group("意向", false), p.group("别的", false)
		a := p.make("意向", "", "一")
		b := p.make("意向", a, "二")
		c := p.make("意向", b, "三")
		d := p.make("意向", c, "四")
		_, err := p.CreateTag(p.ctx, NewTag{Group: "意向", Parent: d, Name: "五"})
		require.Equal(t, "request.invalid parent:contact.tag_too_deep", code(err))
		_, err = p.CreateTag(p.ctx, NewTag{Group: "别的", Parent: a, Name: "五"})
		require.Equal(t, "request.invalid parent:contact.tag_parent_elsewhere", code(err))
		_, err = p.CreateTag(p.ctx, NewTag{Group: "意向", Parent: a, Name: "二"})
		require.Equal(t, "contact.tag_exists", code(err))
		p.make("意向", b, "二") // another parent
		_, err = p.OrderTags(p.ctx, g, TagOrder{Parent: c, IDs: []string{b}})
		require.Equal(t, "request.invalid parent:contact.tag_below_itself", code(err))

		who := p.people(2)
		_, err = p.SetTags(p.ctx, who[0], []string{a, d}, nil)
		require.NoError(t, err)
		_, err = p.SetTags(p.ctx, who[1], []string{d}, nil)
		require.NoError(t, err)
		for below, want := range map[bool]int64{false: 1, true: 2} {
			page, err := p.List(p.ctx, Query{Tag: a, TagBelow: below})
			require.NoError(t, err)
			require.Equal(t, want, page.Total)
			require.Len(t, page.Items, int(want))
		}
		u, err := p.TagUsage(p.ctx, a)
		require.NoError(t, err)
		require.Equal(t, [2]int64{1, 2}, [2]int64{u.People, u.WithChildren})
		require.Equal(t, int64(1), u.Added[trendDays-1])
		require.Equal(t, []TagGiver{{Source: "manual", Name: "王芳", Added: 1}}, u.Givers)

		// the whole branch moves to another group, and back to another order
		_, err = p.OrderTags(p.ctx, other, TagOrder{IDs: []string{b}})
		require.NoError(t, err)
		groups, err := p.Tags(p.ctx)
		require.NoError(t, err)
		names := map[string]string{}
		for _, g := range groups {
			for _, tag := range g.Tags {
				names[g.Name] += tag.Name
			}
		}
		require.Equal(t, map[string]string{"意向": "一", "别的": "二三四二"}, names)
		_, err = p.DeleteTag(p.ctx, b, true)
		require.Equal(t, "contact.tag_has_children", code(err))
		require.Equal(t, "contact.tag_group_not_empty", code(p.DeleteGroup(p.ctx, other)))

		// imports find tags wherever they stand, and make paths
		found, err := p.EnsureTag(p.ctx, "别的", "四")
		require.NoError(t, err)
		require.Equal(t, d, found.ID)
		deep, err := p.EnsureTag(p.ctx, "意向", "一 > 新 > 更新")
		require.NoError(t, err)
		tree, err := p.tagTree(p.ctx)
		require.NoError(t, err)
		require.Equal(t, 3, tree.depth(deep.ID))
	})
}

func TestBulkTagsAndTheirUndo(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		who := p.people(12)
		p.group("阶段", true)
		old, now := p.make("阶段", "", "旧"), p.make("阶段", "", "新")
		vip := p.make("价值", "", "重要")
		for _, id := range who[:3] {
			_, err := p.SetTags(p.ctx, id, []string{old, vip}, nil)
			require.NoError(t, err)
		}
		p.clock.Advance(time.Hour)
		work := TagWork{Selection: &SelectionBody{Filter: &FilterBody{}, Except: who[11:]}, Add: []string{now}, Remove: []string{vip}}
		pre, err := p.PreviewTags(p.ctx, work)
		require.NoError(t, err)
		require.Equal(t, int64(11), pre.Total)
		require.Equal(t, int64(11), pre.Changing)
		require.Equal(t, int64(3), pre.Tags[0].Replaces)
		require.Equal(t, int64(3), pre.Tags[1].Have)
		p.emit.facts = nil
		run := p.end(p.BulkTags(p.ctx, work))
		require.Equal(t, [4]int64{11, 11, 11, 6}, [4]int64{run.Seen, run.People, run.Added, run.Removed})
		require.Len(t, p.emit.facts, 17)
		require.Equal(t, []string{"新"}, p.tagsOf(who[0]))
		require.Empty(t, p.tagsOf(who[11]))
		c, err := p.Get(p.ctx, who[0])
		require.NoError(t, err)
		require.Equal(t, &Ref{run.ID, "+新 -重要"}, c.Tags[0].Given.Run)
		require.Equal(t, "王芳", c.Tags[0].Given.By)

		// since then: one got the important tag again, one another stage
		_, err = p.SetTags(p.ctx, who[0], []string{vip}, nil)
		require.NoError(t, err)
		_, err = p.SetTags(p.ctx, who[0], nil, []string{vip})
		require.NoError(t, err)
		third := p.make("阶段", "", "更新")
		_, err = p.SetTags(p.ctx, who[1], []string{third}, nil)
		require.NoError(t, err)
		_, err = p.SetTags(p.ctx, who[5], nil, []string{now})
		require.NoError(t, err)

		run = p.end(p.UndoTagRun(p.ctx, run.ID))
		require.NotNil(t, run.UndoneAt)
		require.Equal(t, []string{"旧"}, p.tagsOf(who[0]), "the important tag was given and taken since: not the run's to give back")
		require.Equal(t, []string{"更新", "重要"}, p.tagsOf(who[1]), "another stage stays")
		require.Equal(t, []string{"旧", "重要"}, p.tagsOf(who[2]))
		require.Empty(t, p.tagsOf(who[5]))
		c, err = p.Get(p.ctx, who[2])
		require.NoError(t, err)
		require.Equal(t, start, c.Tags[0].Given.At, "as it was given then")
		require.Nil(t, c.Tags[0].Given.Run)
		require.Equal(t, int64(4), run.Kept) // the stage of 1 and what it replaced, 0's important tag, 5's stage
		_, err = p.UndoTagRun(p.ctx, run.ID)
		require.Equal(t, "contact.tag_run_undone", code(err))
		require.Equal(t, int64(0), one[int64](p.pond, "select count(*) from tag_run_changes"))
	})
}

func TestOldRunsAreForgotten(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		who := p.people(2)
		a := p.make("组", "", "甲")
		run := p.end(p.BulkTags(p.ctx, TagWork{Selection: &SelectionBody{IDs: who}, Add: []string{a}}))
		require.NotNil(t, run.UndoUntil)
		p.clock.Advance(tagUndoFor)
		_, err := p.UndoTagRun(p.ctx, run.ID)
		require.Equal(t, "contact.tag_run_too_old", code(err))
		p.end(p.BulkTags(p.ctx, TagWork{Selection: &SelectionBody{IDs: who}, Remove: []string{a}}))
		require.Equal(t, int64(0), one[int64](p.pond, "select count(*) from tag_run_changes where run = $1", run.ID))
		run, err = p.TagRun(p.ctx, run.ID)
		require.NoError(t, err)
		require.Nil(t, run.UndoUntil)
	})
}

func TestARunGoesOnWhereItStopped(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		who := p.people(5)
		a := p.make("组", "", "甲")
		run := p.end(p.BulkTags(p.ctx, TagWork{Selection: &SelectionBody{IDs: who[:2]}, Add: []string{a}}))
		// as after a crash: the first two are done, the rest of the selection is not
		_, err := p.DB.Exec(p.ctx, "update tag_runs set spec = $1, finished_at = 0 where id = $2", string(js(runSpec{Selection: &SelectionBody{IDs: who}, Add: []TagRef{{ID: a}}})), run.ID)
		require.NoError(t, err)
		num, err := p.NumOf(p.ctx, who[1])
		require.NoError(t, err)
		_, err = p.DB.Exec(p.ctx, "update jobs set state = 'failed', checkpoint = $1 where id = $2", string(js(runMark{After: num, Seen: 2})), run.JobID)
		require.NoError(t, err)
		_, err = p.jobs.Retry(p.ctx, run.JobID)
		require.NoError(t, err)
		run = p.end(p.TagRun(p.ctx, run.ID))
		require.Equal(t, [3]int64{5, 5, 5}, [3]int64{run.Seen, run.People, run.Added})
		require.Equal(t, int64(5), one[int64](p.pond, "select count(*) from contact_tags where tag = $1", a))
	})
}

func TestAFileGivesTagsWithTimeAndGiver(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		who := p.people(4)
		p.group("阶段", true)
		first := p.make("阶段", "", "一")
		p.files["up_1"] = [][]string{
			{"谁", "标签", "日期", "打标人"},
			{"13800130000", "阶段:一;口味:绿茶", "2026-02-05", "李雷"},
			{"M0001", "阶段:二", "", ""},
			{who[2], "白茶", "2026-02-06", "韩梅"},
			{"nobody@x.cn", "口味:绿茶", "", ""},
			{"", "口味:绿茶", "", ""},
			{"M0003", "", "", ""},
			{"M0003", "口味:绿茶", "2099-01-01", ""},
		}
		file := &TagFile{UploadID: "up_1", Column: "谁", TagColumn: "标签", TimeColumn: "日期", ByColumn: "打标人"}
		pre, err := p.PreviewTags(p.ctx, TagWork{File: file})
		require.NoError(t, err)
		require.Equal(t, [3]int64{3, 3, 4}, [3]int64{pre.Total, pre.Changing, pre.Missing})
		run := p.end(p.BulkTags(p.ctx, TagWork{File: file}))
		require.Equal(t, [3]int64{3, 4, 4}, [3]int64{run.People, run.Added, run.Missing})
		c, err := p.Get(p.ctx, who[0])
		require.NoError(t, err)
		require.Equal(t, first, c.Tags[0].ID)
		require.Equal(t, "李雷", c.Tags[0].Given.By)
		require.Equal(t, "2026-02-05", c.Tags[0].Given.At.Format(time.DateOnly))
		require.Equal(t, "file", c.Tags[0].Given.Source)
		use, err := p.TagUsage(p.ctx, first)
		require.NoError(t, err)
		require.Equal(t, []TagGiver{{"file", "李雷", 1}}, use.Givers)
		day, err := time.Parse(time.DateOnly, use.FirstDay)
		require.NoError(t, err)
		require.EqualValues(t, 1, use.Added[int(time.Date(2026, 2, 5, 0, 0, 0, 0, time.UTC).Sub(day).Hours())/24], "counted on the day that the file tells")
		require.Equal(t, "标签", mustTag(t, p, who[2]).Group, "a group named like the column")
		_, write, err := p.WriteMissing(p.ctx, run.ID)
		require.NoError(t, err)
		var b strings.Builder
		require.NoError(t, write(&b))
		require.Equal(t, 5, strings.Count(b.String(), "\n"), b.String())
		require.Contains(t, b.String(), "5,nobody@x.cn,")
		_, err = p.PreviewTags(p.ctx, TagWork{File: &TagFile{UploadID: "up_1", Column: "电话"}, Add: []string{first}})
		require.Equal(t, "request.invalid file.column:contact.no_such_column", code(err))
		p.end(p.UndoTagRun(p.ctx, run.ID))
		require.Empty(t, p.tagsOf(who[0]))
	})
}

func mustTag(t *testing.T, p *tagPond, id string) TagRef {
	c, err := p.Get(p.ctx, id)
	require.NoError(t, err)
	require.Len(t, c.Tags, 1)
	return c.Tags[0]
}

func TestMergeAndDeleteOfTags(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		who := p.people(4)
		g := p.group("口味", false)
		a, b := p.make("口味", "", "青茶"), p.make("口味", "", "乌龙")
		give := func(id string, tags ...string) {
			_, err := p.SetTags(p.ctx, id, tags, nil)
			require.NoError(t, err)
			p.clock.Advance(time.Minute)
		}
		give(who[0], a)
		give(who[1], b)
		give(who[2], a, b)
		give(who[3], a)
		pre, err := p.PreviewTagMerge(p.ctx, a, b)
		require.NoError(t, err)
		require.Equal(t, [2]int64{3, 1}, [2]int64{pre.People, pre.Both})
		p.emit.facts = nil
		run := p.end(p.MergeTags(p.ctx, a, b))
		require.Equal(t, []string{event.NameTagMerged, event.NameTagMerged, event.NameTagMerged}, p.emit.names(), "one fact a person")
		require.Equal(t, int64(3), run.People)
		for _, id := range who {
			require.Equal(t, []string{"乌龙"}, p.tagsOf(id))
		}
		// the old id still works: in filters, and for imports that were under way
		page, err := p.List(p.ctx, Query{Tag: a})
		require.NoError(t, err)
		require.Equal(t, int64(4), page.Total)
		give(who[3], a)
		require.Equal(t, []string{"乌龙"}, p.tagsOf(who[3]))

		_, err = p.SetTags(p.ctx, who[0], nil, []string{b}) // changed since
		require.NoError(t, err)
		run = p.end(p.UndoTagRun(p.ctx, run.ID))
		require.Empty(t, p.tagsOf(who[0]))
		require.Equal(t, []string{"乌龙"}, p.tagsOf(who[1]))
		require.Equal(t, []string{"青茶", "乌龙"}, p.tagsOf(who[2]))
		require.Equal(t, []string{"青茶"}, p.tagsOf(who[3]))
		require.Equal(t, int64(2), run.Kept)

		_, err = p.DeleteTag(p.ctx, a, false)
		require.Equal(t, "contact.tag_in_use", code(err))
		started, err := p.DeleteTag(p.ctx, a, true)
		gone := p.end(*started, err)
		require.Equal(t, []string{"乌龙"}, p.tagsOf(who[2]))
		p.make("口味", "", "青茶") // the name is taken again
		p.end(p.UndoTagRun(p.ctx, gone.ID))
		require.Equal(t, []string{"青茶 (2)", "乌龙"}, p.tagsOf(who[2]))

		// becoming exclusive needs leave where people have several
		yes := true
		_, err = p.ChangeGroup(p.ctx, g, GroupChange{Exclusive: &yes})
		require.Equal(t, "contact.tag_overlap", code(err))
		settle, err := p.ChangeGroup(p.ctx, g, GroupChange{Exclusive: &yes, Settle: true})
		p.end(*settle, err)
		require.Len(t, p.tagsOf(who[2]), 1)
	})
}

func TestGivingTagsNeedsLessThanManagingThem(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		who := p.people(1)[0]
		s := serve(t, p.pond)
		s.h, s.pond = serve(t, p.pond).h, p.pond
		tag := p.make("组", "", "甲")
		may := func(role, method, path string, body any, want int) {
			t.Helper()
			status, code := s.call(method, path, role, body, nil)
			require.Equal(t, want, status, "%s %s as %s: %s", method, path, role, code)
		}
		bulk := obj{"selection": obj{"ids": []string{who}}, "add": []string{tag}}
		may("service", "POST", "/api/tags", obj{"group": "组", "name": "乙"}, 403)
		may("growth", "POST", "/api/tags", obj{"group": "组", "name": "乙"}, 200)
		may("service", "PATCH", "/api/tags/"+tag, obj{"name": "丙"}, 403)
		may("analyst", "POST", "/api/tags/bulk", bulk, 403)
		may("service", "POST", "/api/tags/bulk/preview", bulk, 200)
		may("analyst", "GET", "/api/tags/"+tag+"/usage", nil, 200)
		p.files["up_1"] = [][]string{{"谁"}, {who}}
		may("service", "POST", "/api/tags/bulk", obj{"file": obj{"uploadId": "up_1", "column": "谁"}, "add": []string{tag}}, 403)
		may("admin", "POST", "/api/tags/bulk", obj{"add": []string{tag}}, 422)
		may("admin", "POST", "/api/tags/bulk", obj{"selection": obj{}, "add": []string{tag}}, 422)
		var run TagRun
		s.ok("POST", "/api/tags/bulk", bulk, &run)
		p.end(run, nil)
		may("analyst", "POST", "/api/tag-runs/"+run.ID+"/undo", nil, 403)
		may("service", "POST", "/api/tag-runs/"+run.ID+"/undo", nil, 200)
		run, err := p.TagRun(p.ctx, run.ID)
		p.end(run, err)
		may("admin", "DELETE", "/api/tags/"+tag, nil, 200)
		may("admin", "GET", "/api/tags/"+tag+"/usage", nil, 404)
		other := p.make("组", "", "丁")
		into := p.make("组", "", "戊")
		_, err = p.SetTags(p.ctx, who, []string{other}, nil)
		require.NoError(t, err)
		s.ok("POST", "/api/tags/"+other+"/merge", obj{"into": into}, &run)
		p.end(run, nil)
		may("service", "POST", "/api/tag-runs/"+run.ID+"/undo", nil, 403)
		require.Equal(t, jobs.Succeeded, p.end(run, nil).State)
		var list struct{ Items []TagRun }
		s.ok("GET", "/api/tag-runs?limit=1", nil, &list)
		require.Equal(t, run.ID, list.Items[0].ID)
	})
}

package mirror

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
)

func (p *pond) does(pre Preview) map[string]string {
	out := map[string]string{}
	for _, t := range pre.Theirs {
		out[t.Group+"/"+t.Name] = t.Does
	}
	return out
}

func (p *pond) linked() map[string]string {
	list, err := p.LinkList(p.ctx, corp)
	require.NoError(p.t, err)
	out := map[string]string{}
	for _, l := range list {
		out[l.Name] = l.State + " " + l.Ours + l.fault
	}
	return out
}

func TestPreviewAndLink(t *testing.T) {
	each(t, func(p *pond) {
		p.p.make("意向", "高")
		p.p.make("意向", "低")
		mine, err := p.contacts.CreateTag(p.ctx, contact.NewTag{Group: "意向", Name: "高"})
		require.NoError(p.t, err)
		own, err := p.contacts.CreateTag(p.ctx, contact.NewTag{Group: "喜好", Name: "红茶"})
		require.NoError(p.t, err)
		long, err := p.contacts.CreateTag(p.ctx, contact.NewTag{Group: "一二三四五六七八九十一二三四五六", Name: "长"})
		require.NoError(p.t, err)

		pre, err := p.Preview(p.ctx, corp)
		require.NoError(p.t, err)
		require.Equal(p.t, map[string]string{"意向/高": "match", "意向/低": "make"}, p.does(pre))
		require.Equal(p.t, 6, pre.Room)
		require.Len(p.t, pre.Ours, 2)
		require.Equal(p.t, "", pre.Ours[0].fault)
		require.Equal(p.t, "mirror.group_too_long", pre.Ours[1].fault)

		err = p.Links(p.ctx, corp, LinkInput{Ours: []string{long.ID}})
		require.Equal(p.t, "ours[0]", errs.As(err).Fields[0].Path)
		require.Equal(p.t, "mirror.not_there", errs.As(p.Links(p.ctx, corp, LinkInput{Theirs: []string{"no"}})).Fields[0].Code)
		require.ErrorIs(p.t, p.Links(p.ctx, "other", LinkInput{}), errNoAccount)

		require.NoError(p.t, p.Links(p.ctx, corp, LinkInput{Theirs: []string{"et1", "et2"}, Ours: []string{own.ID}}))
		require.Equal(p.t, map[string]string{"高": "on 高", "低": "on 低", "红茶": "on 红茶"}, p.linked())
		require.Equal(p.t, "喜好", p.p.tags["et3"].Group)
		b, err := p.book(p.ctx, corp)
		require.NoError(p.t, err)
		require.Equal(p.t, mine.ID, b.tag["et1"], "linked with ours of that name")

		uses, err := p.contacts.Uses(p.ctx, contact.Term{Tag: &mine})
		require.NoError(p.t, err)
		require.Equal(p.t, "锦池茶业", uses[0].Name)

		for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
			_, err := p.contacts.CreateTag(p.ctx, contact.NewTag{Group: "喜好", Name: n})
			require.NoError(p.t, err)
		}
		pre, err = p.Preview(p.ctx, corp)
		require.NoError(p.t, err)
		var all []string
		for _, o := range pre.Ours {
			if o.fault == "" {
				all = append(all, o.Tag)
			}
		}
		require.Equal(p.t, "mirror.no_room", errs.As(p.Links(p.ctx, corp, LinkInput{Ours: all})).Fields[0].Code)
	})
}

// What people have on either side when tags are linked, both have afterwards.
func TestLinkJoins(t *testing.T) {
	each(t, func(p *pond) {
		id := p.p.make("喜好", "红茶")
		_, err := p.contacts.EnsureTag(p.ctx, "喜好", "红茶")
		require.NoError(p.t, err)
		p.befriend("a", "wm1")
		p.befriend("a", "wm2")
		p.befriend("b", "wm2")
		p.p.label("a", "wm1", id, true)
		p.tag("wm2", "红茶")
		p.link()
		p.Work(p.ctx)
		require.Len(p.t, p.queue.specs, 1, "everybody is read")
		p.readAll()
		p.Work(p.ctx)
		require.Equal(p.t, []string{"红茶"}, p.ours("wm1"))
		require.Equal(p.t, []string{"红茶"}, p.theirs("a", "wm2"))
		require.Equal(p.t, []string{"红茶"}, p.theirs("b", "wm2"))
		require.Empty(p.t, p.differ())
		var by map[string]any
		for _, f := range p.facts {
			if f.Name == event.NameTagAdded && strings.Contains(string(f.Properties), "outside") {
				require.NoError(p.t, jsonInto(f.Properties, &by))
			}
		}
		require.Equal(p.t, "同事a", by["by"], "facts say who set it")
		require.Equal(p.t, "a", by["staff"])
		c, err := p.contacts.Get(p.ctx, p.id("wm1"))
		require.NoError(p.t, err)
		require.Equal(p.t, contact.SourceOutside, c.Tags[0].Given.Source)
	})
}

func TestEchoesAreNotAnswered(t *testing.T) {
	each(t, func(p *pond) {
		id := p.p.make("喜好", "红茶")
		p.befriend("a", "wm1")
		p.befriend("b", "wm1")
		p.link()
		p.readAll()
		p.Work(p.ctx)
		require.Zero(p.t, p.p.marks)

		p.clock.Advance(time.Second)
		p.p.label("a", "wm1", id, true)
		told := p.known("a", "wm1")
		p.handle(told, told)
		p.Work(p.ctx)
		require.Equal(p.t, 1, p.p.marks, "to the other colleague only")
		p.handle(told)
		p.clock.Advance(time.Second)
		p.handle(p.known("b", "wm1")) // what we sent comes back
		p.Work(p.ctx)
		require.Equal(p.t, 1, p.p.marks)
		require.EqualValues(p.t, 1, p.status().Came)
		require.EqualValues(p.t, 1, p.status().Sent)

		// What was read before our call was answered says nothing about it.
		stale := p.known("a", "wm1")
		p.clock.Advance(time.Second)
		p.tag("wm1", "-红茶")
		p.Work(p.ctx)
		require.Equal(p.t, 3, p.p.marks)
		p.handle(stale)
		p.Work(p.ctx)
		require.Empty(p.t, p.ours("wm1"))
		require.Empty(p.t, p.theirs("a", "wm1"))
		require.Equal(p.t, 3, p.p.marks)
	})
}

func TestNamesFollow(t *testing.T) {
	each(t, func(p *pond) {
		id := p.p.make("喜好", "红茶")
		p.p.make("喜好", "绿茶")
		p.link()
		p.Work(p.ctx)
		rename := func(id, group, name string) {
			x := p.p.tags[id]
			x.Name, x.Group = name, group
			p.p.tags[id] = x
			require.NoError(p.t, p.TagsTold(p.ctx, corp))
			p.Work(p.ctx)
		}
		rename(id, "喜好", "滇红")
		require.Equal(p.t, "on 滇红", p.linked()["滇红"])
		rename(id, "喜好", "绿茶 ") // taken here
		require.Equal(p.t, "on 滇红mirror.name_taken", p.linked()["滇红"])
		rename(id, "喜好", "滇红")
		require.Equal(p.t, "on 滇红", p.linked()["滇红"])

		b, err := p.book(p.ctx, corp)
		require.NoError(p.t, err)
		name := "大叶红茶"
		require.NoError(p.t, p.contacts.ChangeTag(p.ctx, b.tag[id], contact.TagChange{Name: &name}))
		p.clock.Advance(listEvery + time.Minute)
		p.Work(p.ctx)
		require.Equal(p.t, []string{id + " 大叶红茶"}, p.p.renamed)
		p.clock.Advance(listEvery + time.Minute)
		p.Work(p.ctx)
		require.Len(p.t, p.p.renamed, 1, "once")

		for i, x := range p.p.tags { // the group there is called otherwise
			x.Group = "口味"
			p.p.tags[i] = x
		}
		require.NoError(p.t, p.TagsTold(p.ctx, corp))
		p.Work(p.ctx)
		places, err := p.contacts.TagPlaces(p.ctx)
		require.NoError(p.t, err)
		require.Equal(p.t, "口味", places[0].Group)

		p.p.make("口味", "白茶") // made there, made here
		require.NoError(p.t, p.TagsTold(p.ctx, corp))
		p.Work(p.ctx)
		require.Equal(p.t, "on 白茶", p.linked()["白茶"])
	})
}

func TestDeletionsAsk(t *testing.T) {
	each(t, func(p *pond) {
		for _, n := range []string{"甲", "乙", "丙", "丁"} {
			p.p.make("组", n)
		}
		p.befriend("a", "wm1")
		p.link()
		p.tag("wm1", "甲", "乙", "丙", "丁")
		p.readAll()
		p.Work(p.ctx)
		require.Len(p.t, p.theirs("a", "wm1"), 4)
		b, err := p.book(p.ctx, corp)
		require.NoError(p.t, err)

		p.p.drop("et1")
		p.p.drop("et2")
		require.NoError(p.t, p.TagsTold(p.ctx, corp))
		p.Work(p.ctx)
		require.Equal(p.t, "theirs_gone 甲", p.linked()["甲"])
		require.Len(p.t, p.ours("wm1"), 4, "nobody loses it by itself")
		require.NoError(p.t, p.Resolve(p.ctx, corp, "et1", Restore))
		p.readAll()
		p.Work(p.ctx)
		require.Contains(p.t, p.theirs("a", "wm1"), "甲")
		require.NoError(p.t, p.Resolve(p.ctx, corp, "et2", Unlink))
		require.NotContains(p.t, p.linked(), "乙")
		require.Contains(p.t, p.ours("wm1"), "乙")

		p.tag("wm1", "-丙", "-丁")
		p.Work(p.ctx)
		for _, id := range []string{"et3", "et4"} {
			_, err = p.contacts.DeleteTag(p.ctx, b.tag[id], true)
			require.NoError(p.t, err)
		}
		require.Equal(p.t, "ours_gone 丙", p.linked()["丙"])
		require.EqualValues(p.t, 2, p.status().Asking)
		require.Equal(p.t, "mirror.not_now", errs.As(p.Resolve(p.ctx, corp, "et3", DeleteOurs)).Fields[0].Code)
		require.NoError(p.t, p.Resolve(p.ctx, corp, "et3", DeleteTheirs))
		require.Equal(p.t, []string{"et3"}, p.p.deleted)
		require.NoError(p.t, p.Resolve(p.ctx, corp, "et4", Restore))
		require.Equal(p.t, "on 丁", p.linked()["丁"])
		require.ErrorIs(p.t, p.Resolve(p.ctx, corp, "et3", Unlink), errNoLink)
		require.Contains(p.t, p.records, "tag_mirror.resolved")
	})
}

func TestTrouble(t *testing.T) {
	each(t, func(p *pond) {
		p.p.make("组", "甲")
		for _, c := range []string{"wm1", "wm2", "wm3"} {
			p.befriend("a", c)
		}
		p.link()
		p.readAll()
		p.Work(p.ctx)
		p.p.bad = map[key]error{{corp, "a", "wm1"}: errFinal, {corp, "a", "wm2"}: errGone}
		for _, c := range []string{"wm1", "wm2", "wm3"} {
			p.tag(c, "甲")
		}
		p.Work(p.ctx)
		require.Equal(p.t, []string{"甲"}, p.theirs("a", "wm3"), "one failure holds up no others")
		require.EqualValues(p.t, 1, p.status().Failed)
		require.EqualValues(p.t, 2, p.status().Friends, "those who are no friends any more do not count")
		list, _, err := p.FailedList(p.ctx, corp, failedCursor{}, 10)
		require.NoError(p.t, err)
		require.Equal(p.t, "客户wm1", list[0].Name)
		require.Equal(p.t, "40100", list[0].numberN)
		p.p.bad = nil
		v, err := p.Retry(p.ctx, corp)
		require.NoError(p.t, err)
		require.EqualValues(p.t, 1, v.Failed)
		p.Work(p.ctx)
		require.Zero(p.t, p.status().Failed)
		require.Equal(p.t, []string{"甲"}, p.theirs("a", "wm1"))

		marks := p.p.marks
		p.p.trouble = func() error { return errStop }
		p.tag("wm1", "-甲")
		p.Work(p.ctx)
		require.Equal(p.t, "wecom.bad_secret", p.status().fault)
		p.Work(p.ctx)
		require.Equal(p.t, marks+1, p.p.marks, "an account that nothing works with rests")
		p.p.trouble = nil
		p.clock.Advance(stopWait)
		p.Work(p.ctx)
		require.Empty(p.t, p.status().fault)
		require.Empty(p.t, p.theirs("a", "wm1"))

		off := false
		v, err = p.Change(p.ctx, corp, Change{On: &off})
		require.NoError(p.t, err)
		require.False(p.t, v.On)
		p.tag("wm1", "甲")
		p.Work(p.ctx)
		require.Empty(p.t, p.theirs("a", "wm1"))
	})
}

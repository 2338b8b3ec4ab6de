package contact

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// ended waits for a run of an attribute, or its undo, and reads it.
func (p *tagPond) ended(a AttributeRun, err error) AttributeRun {
	p.t.Helper()
	require.NoError(p.t, err)
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	j, err := p.jobs.Wait(ctx, a.JobID)
	require.NoError(p.t, err)
	require.Equal(p.t, jobs.Succeeded, j.State, "%v", j.Error)
	a, err = p.AttributeRun(p.ctx, a.ID)
	require.NoError(p.t, err)
	p.settleAll()
	return a
}

// settleAll waits until no definition is being rewritten.
func (p *tagPond) settleAll() {
	p.t.Helper()
	for range 2000 {
		if one[int](p.pond, "select count(*) from contact_attributes where settling = 1") == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.t.Fatal("an attribute stays in change")
}

func TestAttributesMergeAndComeBack(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		p.define(attribute.Definition{Key: "taste", Type: attribute.Text, Indexed: true})
		p.define(attribute.Definition{Key: "tea", Type: attribute.Enum, Indexed: true, Options: tea})
		only := p.says("u1", map[string]any{"taste": "白茶"})
		newer := p.says("u2", map[string]any{"tea": "绿茶"})
		p.says("u2", map[string]any{"taste": "白茶"})
		older := p.says("u3", map[string]any{"taste": "白茶"})
		p.says("u3", map[string]any{"tea": "绿茶"})
		unfit := p.says("u4", map[string]any{"taste": "咖啡"})
		same := p.says("u5", map[string]any{"taste": "绿茶", "tea": "绿茶"})
		_, err := p.views.create(p.ctx, viewInput{Name: "爱喝的", Definition: ViewDefinition{Columns: []string{"name", "attr:taste"}}})
		require.NoError(t, err)

		pre, err := p.PreviewAttributeMerge(p.ctx, "taste", AttributeMerge{Into: "tea"})
		require.NoError(t, err)
		require.Equal(t, []int64{5, 3, 2, 1, 1}, []int64{pre.Have, pre.Both, pre.Differ, pre.Replaced, pre.Unfit})
		require.True(t, pre.Whole)
		require.Equal(t, []string{"爱喝的"}, called(pre.Uses))
		all, err := p.PreviewAttributeMerge(p.ctx, "taste", AttributeMerge{Into: "tea", Wins: WinsFrom})
		require.NoError(t, err)
		require.EqualValues(t, 2, all.Replaced)
		none, err := p.PreviewAttributeMerge(p.ctx, "taste", AttributeMerge{Into: "tea", Wins: WinsInto})
		require.NoError(t, err)
		require.Zero(t, none.Replaced)

		before := p.audit.entries
		run := p.ended(p.MergeAttribute(p.ctx, "taste", AttributeMerge{Into: "tea"}))
		require.EqualValues(t, 1, run.Unfit)
		for num, want := range map[int64][]any{only: {"white", nil}, newer: {"white", nil}, older: {"green", nil}, unfit: {nil, nil}, same: {"green", nil}} {
			require.Equal(t, want, []any{p.value(num, "tea"), p.value(num, "taste")}, "contact %d", num)
		}
		v, err := p.GetAttribute(p.ctx, "taste")
		require.NoError(t, err)
		require.True(t, v.Archived)
		require.Len(t, p.rows("tea"), 4)
		uses, err := p.Uses(p.ctx, Term{Attribute: "tea"})
		require.NoError(t, err)
		require.Equal(t, []string{"爱喝的"}, called(uses), "the view's column follows")
		require.Greater(t, len(p.audit.entries), len(before)+1)

		p.says("u1", map[string]any{"tea": "绿茶"}) // since then said anew
		run = p.ended(p.UndoAttributeRun(p.ctx, run.ID))
		require.EqualValues(t, 1, run.Kept)
		for num, want := range map[int64][]any{only: {"green", "白茶"}, newer: {"green", "白茶"}, older: {"green", "白茶"}, unfit: {nil, "咖啡"}, same: {"green", "绿茶"}} {
			require.Equal(t, want, []any{p.value(num, "tea"), p.value(num, "taste")}, "contact %d after the undo", num)
		}
		v, err = p.GetAttribute(p.ctx, "taste")
		require.NoError(t, err)
		require.False(t, v.Archived)
		require.Len(t, p.rows("taste"), 5, "lists filter by it again")
		_, err = p.UndoAttributeRun(p.ctx, run.ID)
		require.Equal(t, "attribute.run_undone", code(err))
		p.says("u3", map[string]any{"taste": "陈香"})
		require.Equal(t, "陈香", p.value(older, "taste"), "later facts say it anew")
	})
}

func TestMergesOfAttributesThatAreRefused(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		p.define(attribute.Definition{Key: "a", Type: attribute.Text})
		p.define(attribute.Definition{Key: "once", Type: attribute.Text, Unique: true})
		p.define(attribute.Definition{Key: "secret", Type: attribute.Text, Personal: attribute.Sensitive})
		for _, c := range []struct{ from, into, code string }{
			{"a", "a", "attribute.into_itself"}, {"a", "nowhere", "attribute.not_found"}, {"a", "once", "attribute.merge_unique"}, {"secret", "a", "attribute.fallback_open"},
		} {
			_, err := p.MergeAttribute(p.ctx, c.from, AttributeMerge{Into: c.into})
			require.Equal(t, c.code, fieldCode(t, err, "into"))
			_, err = p.PreviewAttributeMerge(p.ctx, c.from, AttributeMerge{Into: c.into})
			require.Equal(t, c.code, fieldCode(t, err, "into"), "seen before it is done")
		}
	})
}

func TestOptionsBecomeOthersAndComeBack(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		options := []attribute.Option{{ID: "green", Label: "绿茶"}, {ID: "longjing", Label: "龙井"}, {ID: "white", Label: "白茶"}, {ID: "none", Label: "不喝"}}
		p.define(attribute.Definition{Key: "likes", Type: attribute.Multi, Indexed: true, Options: options, Default: js([]string{"longjing"})})
		two := p.says("u1", map[string]any{"likes": []string{"longjing", "green"}})
		one := p.says("u2", map[string]any{"likes": []string{"longjing", "white"}})
		gone := p.says("u3", map[string]any{"likes": []string{"none"}})
		_, err := p.views.create(p.ctx, viewInput{Name: "龙井客", Definition: ViewDefinition{Filter: FilterBody{Where: asking("attr", "likes", "hasAnyOf", []any{"longjing"})}}})
		require.NoError(t, err)
		changes := []OptionChange{{Option: "longjing", To: "green"}, {Option: "none"}}

		pre, err := p.PreviewOptions(p.ctx, "likes", changes)
		require.NoError(t, err)
		require.Equal(t, []int64{3, 1}, []int64{pre.Changing, pre.Emptied})
		require.Equal(t, []int64{1, 2, 1, 1}, []int64{pre.Options[0].People, pre.Options[1].People, pre.Options[2].People, pre.Options[3].People})
		require.Equal(t, []string{"龙井客"}, called(pre.Options[1].Uses))

		run := p.ended(p.RemapOptions(p.ctx, "likes", changes))
		require.EqualValues(t, 3, run.Changed)
		require.Equal(t, []any{"green"}, p.value(two, "likes"), "each once")
		require.Equal(t, []any{"green", "white"}, p.value(one, "likes"))
		require.Nil(t, p.value(gone, "likes"))
		v, err := p.GetAttribute(p.ctx, "likes")
		require.NoError(t, err)
		require.Len(t, v.Options, 2)
		require.JSONEq(t, `["green"]`, string(v.Default), "the default follows")
		uses, err := p.Uses(p.ctx, Term{Attribute: "likes", Option: "green"})
		require.NoError(t, err)
		require.Equal(t, []string{"龙井客"}, called(uses))

		p.says("u2", map[string]any{"likes": "白茶"})
		run = p.ended(p.UndoAttributeRun(p.ctx, run.ID))
		require.Equal(t, []int64{2, 1}, []int64{run.Restored, run.Kept})
		require.Equal(t, []any{"green", "longjing"}, p.value(two, "likes"))
		require.Equal(t, []any{"white"}, p.value(one, "likes"), "said since")
		require.Equal(t, []any{"none"}, p.value(gone, "likes"))
		v, err = p.GetAttribute(p.ctx, "likes")
		require.NoError(t, err)
		require.Equal(t, options, v.Options, "in their old order")

		for _, c := range []struct {
			changes []OptionChange
			path    string
			code    string
		}{
			{nil, "changes", "request.field_required"},
			{[]OptionChange{{Option: "tea"}}, "changes[0].option", "attribute.no_option"},
			{[]OptionChange{{Option: "green", To: "green"}}, "changes[0].to", "attribute.no_option"},
			{[]OptionChange{{Option: "green", To: "white"}, {Option: "white"}}, "changes[0].to", "attribute.option_goes_too"},
			{[]OptionChange{{Option: "green"}, {Option: "green"}}, "changes[1].option", "attribute.option_named_twice"},
		} {
			_, err := p.RemapOptions(p.ctx, "likes", c.changes)
			require.Equal(t, c.code, fieldCode(t, err, c.path))
		}
		_, err = p.RemapOptions(p.ctx, "likes", []OptionChange{{Option: "green"}, {Option: "longjing"}, {Option: "white"}, {Option: "none"}})
		require.Equal(t, "attribute.last_option", code(err))
	})
}

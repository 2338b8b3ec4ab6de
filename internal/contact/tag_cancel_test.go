package contact

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// stopper has a run stopped while its second batch is written.
type stopper struct {
	event.Emitter
	batches int
	stop    func()
}

// Emit implements event.Emitter.
func (e *stopper) Emit(ctx context.Context, facts ...event.Fact) error {
	if e.batches++; e.batches == 2 {
		go e.stop() // it waits for the writer, which this transaction holds on SQLite
	}
	if e.batches > 1 {
		time.Sleep(80 * time.Millisecond) // so that it comes between
	}
	return e.Emitter.Emit(ctx, facts...)
}

func TestTaggingIsStoppedHalfWay(t *testing.T) {
	eachTagPond(t, func(t *testing.T, p *tagPond) {
		const people = 6 * tagBatch
		facts := make([]event.Fact, people)
		for i := range facts {
			facts[i] = event.Fact{UserID: fmt.Sprintf("u%05d", i)}
		}
		p.resolve(facts...)
		tag := p.make("口味", "", "绿茶")
		stopped := make(chan error, 1)
		e := &stopper{Emitter: p.emit}
		p.Emit = e
		e.stop = func() {
			runs, _, err := p.TagRuns(p.ctx, "", 1)
			if err == nil {
				_, err = p.CancelTagRun(p.ctx, runs[0].ID)
			}
			stopped <- err
		}
		run, err := p.BulkTags(p.ctx, TagWork{Selection: &SelectionBody{Filter: &FilterBody{}}, Add: []string{tag}})
		require.NoError(t, err)
		require.NoError(t, <-stopped)
		_, err = p.jobs.Wait(p.ctx, run.JobID)
		require.NoError(t, err)
		run, err = p.TagRun(p.ctx, run.ID)
		require.NoError(t, err)
		require.Equal(t, jobs.Cancelled, run.State)
		require.EqualValues(t, people, run.Total)
		require.Less(t, run.Seen, run.Total, "it tells how far it got")
		require.Positive(t, run.Seen)
		require.Equal(t, run.Seen, run.People)
		require.NotNil(t, run.UndoUntil)
		require.EqualValues(t, run.People, one[int64](p.pond, "select count(*) from contact_tags"))
		run = p.end(p.UndoTagRun(p.ctx, run.ID))
		require.Equal(t, run.People, run.Restored)
		require.Zero(t, one[int](p.pond, "select count(*) from contact_tags"))
	})
}

func TestAChangeOfOptionsIsStoppedBeforeItBegins(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		p := newPond(t, d)
		p.define(attribute.Definition{Key: "level", Type: attribute.Enum, Options: tea, Indexed: true})
		num := p.says("u1", map[string]any{"level": "green"})
		s, _, err := tagger(d, t.TempDir(), 0) // nobody takes jobs up
		require.NoError(t, err)
		p.Service = s
		run, err := s.RemapOptions(p.ctx, "level", []OptionChange{{Option: "green", To: "white"}})
		require.NoError(t, err)
		v, err := s.GetAttribute(p.ctx, "level")
		require.NoError(t, err)
		require.True(t, v.Settling)
		_, err = s.UndoAttributeRun(p.ctx, run.ID)
		require.Equal(t, "attribute.run_unfinished", code(err))
		run, err = s.CancelAttributeRun(p.ctx, run.ID)
		require.NoError(t, err)
		require.Equal(t, jobs.Cancelled, run.State)
		v, err = s.GetAttribute(p.ctx, "level")
		require.NoError(t, err)
		require.False(t, v.Settling, "the definition is free again")
		require.Len(t, v.Options, 2)
		require.Equal(t, "green", p.value(num, "level"))
	}, jobs.Migrations(), Migrations())
}

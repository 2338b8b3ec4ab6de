package livecode

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
)

// work runs a job without a queue: its checkpoints are kept, and it can be cut off.
type work struct {
	params json.RawMessage
	mark   json.RawMessage
	result any
	cutAt  int // checkpoints until it is cut off; 0: never
}

func (w *work) Job() jobs.Job         { return jobs.Job{ID: "jb_1"} }
func (w *work) Params(into any) error { return json.Unmarshal(w.params, into) }
func (w *work) Progress(_, _ int64)   {}
func (w *work) Checkpoint(_ context.Context, v any) (err error) {
	if w.cutAt--; w.cutAt == 0 {
		return errors.New("cut off")
	}
	w.mark, err = json.Marshal(v)
	return err
}
func (w *work) LastCheckpoint(into any) (bool, error) {
	if w.mark == nil {
		return false, nil
	}
	return true, json.Unmarshal(w.mark, into)
}
func (w *work) Result(v any) error                       { w.result = v; return nil }
func (w *work) File(_, _ string) (io.WriteCloser, error) { return nil, errors.New("none") }
func (w *work) Cancelled() bool                          { return false }

func TestLinesOfABatch(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		list, err := p.ReadLines(p.ctx, "ac_1", "\ufeff门店,导购,渠道\n南京路店,王芳;li,offline\n徐汇店,没有这个人\n,王芳\n\n\"带,逗号\",\"zhao、王芳\"\n")
		require.NoError(t, err)
		require.Equal(t, []BatchLine{
			{Line: 2, Name: "南京路店", Staff: []string{"wang", "li"}, Channel: "offline"},
			{Line: 3, Name: "徐汇店", Staff: []string{}, Fault: "livecode.no_such_colleague"},
			{Line: 4, Staff: []string{"wang"}, Fault: "livecode.line_without_name"},
			{Line: 6, Name: "带,逗号", Staff: []string{"zhao", "wang"}},
		}, list)
		list, err = p.ReadLines(p.ctx, "ac_1", "甲店\twang\n乙店\tli")
		require.NoError(t, err)
		require.Equal(t, "乙店", list[1].Name)
		_, err = p.ReadLines(p.ctx, "ac_1", " ")
		require.Error(t, err)
	})
}

func TestBatchIsMadeOnceWhateverHappens(t *testing.T) {
	each(t, func(t *testing.T, p *pond) {
		like := plain()
		like.Members = []Member{{Staff: "wang", Cap: 7}}
		b := Batch{Like: like, Lines: []BatchLine{{Name: "一", Staff: []string{"wang"}}, {Name: "二", Staff: []string{"li"}, Channel: "offline"}, {Name: "三", Staff: []string{"wang", "li"}}}}
		_, err := p.CreateBatch(p.ctx, b)
		require.NoError(t, err)
		bad := b
		bad.Lines = append([]BatchLine{}, b.Lines...)
		bad.Lines[1].Staff = []string{"nobody"}
		_, err = p.CreateBatch(p.ctx, bad)
		require.Equal(t, "lines[1].staff", errs.As(err).Fields[0].Path)

		w := &work{params: p.queue.params, cutAt: 2}
		ctx := auth.With(p.ctx, auth.From(p.ctx))
		require.Error(t, p.queue.handlers[jobBatch](ctx, w))
		require.NoError(t, p.queue.handlers[jobBatch](ctx, w))
		rows, _, total, err := p.List(p.ctx, Query{}, "", 10)
		require.NoError(t, err)
		require.Equal(t, 3, total)
		by := map[string]*Code{}
		for _, r := range rows {
			by[r.Name] = p.now(r.ID)
		}
		require.Equal(t, 7, by["三"].Members[1].Cap)
		require.Equal(t, "offline", by["二"].Channel)
		require.Len(t, w.result.(map[string]any)["made"], 3)
	})
}

package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/blob"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/testkit"
)

// pond is a database and a files store on which several nodes may work.
type pond struct {
	*testing.T
	db    *db.DB
	clock *clock.Fake
	files blob.Store
	audit *trail
}

type trail struct {
	mu   sync.Mutex
	seen []string
}

func (a *trail) Record(_ context.Context, action string, obj audit.Object, _ map[string]any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = append(a.seen, action+" "+obj.Name)
	return nil
}

func each(t *testing.T, fn func(p *pond)) {
	testkit.EachDatabase(t, func(t *testing.T, d *db.DB) {
		files, err := blob.NewFolder(filepath.Join(t.TempDir(), "files"))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, files.Close()) })
		fn(&pond{T: t, db: d, clock: testkit.Clock(), files: files, audit: &trail{}})
	}, jobs.Migrations())
}

// node makes a service and starts it; it is stopped when the test ends.
func (p *pond) node(name string, handlers map[string]jobs.Handler, change ...func(*jobs.Deps)) *jobs.Service {
	p.Helper()
	d := jobs.Deps{DB: p.db, Clock: p.clock, IDs: testkit.IDs(p.clock), Log: testkit.Logger(p.T), Files: p.files, Audit: p.audit,
		Node: name, Poll: 10 * time.Millisecond}
	for _, f := range change {
		f(&d)
	}
	s := jobs.NewService(d)
	for kind, h := range handlers {
		s.Register(kind, h)
	}
	require.NoError(p, s.Start(p.Context()))
	p.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(p, s.Stop(ctx))
	})
	return s
}

func (p *pond) enqueue(s *jobs.Service, spec jobs.Spec) jobs.Job {
	p.Helper()
	j, err := s.Enqueue(testkit.As(p.Context(), "admin"), spec)
	require.NoError(p, err)
	return j
}

func (p *pond) wait(s *jobs.Service, j jobs.Job) jobs.Job {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), 10*time.Second)
	defer cancel()
	out, err := s.Wait(ctx, j.ID)
	require.NoError(p, err)
	return out
}

func TestRunToTheEnd(t *testing.T) {
	each(t, func(p *pond) {
		reg := prometheus.NewRegistry()
		s := p.node("a", map[string]jobs.Handler{"count": func(ctx context.Context, run jobs.Run) error {
			var in struct{ To int64 }
			if err := run.Params(&in); err != nil {
				return err
			}
			who := auth.From(ctx)
			run.Progress(in.To, in.To)
			w, err := run.File("结果.csv", "text/csv")
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "counted by %s\n", who.ID)
			if err := w.Close(); err != nil {
				return err
			}
			return run.Result(map[string]int64{"counted": in.To})
		}}, func(d *jobs.Deps) { d.Metrics = reg })
		j := p.enqueue(s, jobs.Spec{Kind: "count", Title: "Count", Unit: "rows", Params: map[string]int{"To": 7}, Link: "/x"})
		require.Equal(t, jobs.Queued, j.State)
		j = p.wait(s, j)
		require.Equal(t, jobs.Succeeded, j.State)
		require.EqualValues(t, 7, j.Done)
		require.JSONEq(t, `{"counted":7}`, string(j.Result))
		require.Equal(t, "结果.csv", j.FileName)
		require.Equal(t, "us_admin", j.CreatedByID)
		require.Equal(t, p.clock.Now(), j.FinishedAt)
		require.Equal(t, 1, j.Attempt)
		var text string
		for info, err := range p.files.List(t.Context(), "jobs/"+j.ID+"/") {
			require.NoError(t, err)
			r, _, err := p.files.Get(t.Context(), info.Key)
			require.NoError(t, err)
			b, err := io.ReadAll(r)
			require.NoError(t, err)
			require.NoError(t, r.Close())
			text += string(b)
		}
		require.Equal(t, "counted by us_admin\n", text)
		families, err := reg.Gather()
		require.NoError(t, err)
		require.Len(t, families, 3)
	})
}

func TestEnqueueCommitsWithItsTransaction(t *testing.T) {
	each(t, func(p *pond) {
		var ran atomic.Int64
		s := p.node("a", map[string]jobs.Handler{"k": func(context.Context, jobs.Run) error { ran.Add(1); return nil }})
		var lost jobs.Job
		err := p.db.Tx(t.Context(), func(ctx context.Context) error {
			lost, _ = s.Enqueue(ctx, jobs.Spec{Kind: "k"})
			return errors.New("no")
		})
		require.Error(t, err)
		_, err = s.Get(t.Context(), lost.ID)
		require.Equal(t, "jobs.not_found", errs.CodeOf(err))
		require.Equal(t, jobs.Succeeded, p.wait(s, p.enqueue(s, jobs.Spec{Kind: "k"})).State)
		require.EqualValues(t, 1, ran.Load())
	})
}

func TestErrors(t *testing.T) {
	each(t, func(p *pond) {
		var tries atomic.Int64
		tried := make(chan int64, 10)
		s := p.node("a", map[string]jobs.Handler{
			"known": func(context.Context, jobs.Run) error {
				return fmt.Errorf("import: %w", errs.New(errs.Invalid, "request.too_large", "limit", 5))
			},
			"unknown": func(context.Context, jobs.Run) error {
				tried <- tries.Add(1)
				return errors.New("disk on fire")
			},
			"panics": func(context.Context, jobs.Run) error {
				tried <- tries.Add(1)
				panic("oh")
			},
			"once": func(_ context.Context, run jobs.Run) error {
				if n := tries.Add(1); n == 1 {
					tried <- n
					return errors.New("again")
				}
				return run.Result(run.Job().Attempt)
			},
		})
		j := p.wait(s, p.enqueue(s, jobs.Spec{Kind: "known"}))
		require.Equal(t, jobs.Failed, j.State)
		require.Equal(t, "request.too_large", j.Error.Code)
		require.EqualValues(t, 5, j.Error.Params["limit"])
		require.Equal(t, 1, j.Attempt)

		for _, kind := range []string{"unknown", "panics"} {
			tries.Store(0)
			j = p.enqueue(s, jobs.Spec{Kind: kind})
			for n := int64(1); n <= 3; n++ {
				require.Equal(t, n, <-tried)
				p.rests(s, j)
				p.clock.Advance(10 * time.Second) // past the pause
			}
			j = p.wait(s, j)
			require.Equal(t, jobs.Failed, j.State)
			require.Equal(t, "internal", j.Error.Code)
			require.Equal(t, 3, j.Attempt)
		}

		tries.Store(0)
		j = p.enqueue(s, jobs.Spec{Kind: "once"})
		<-tried
		p.rests(s, j)
		p.clock.Advance(10 * time.Second)
		j = p.wait(s, j)
		require.Equal(t, jobs.Succeeded, j.State)
		require.Nil(t, j.Error)
		require.Equal(t, "2", string(j.Result))
	})
}

// rests waits until no try at j is going on.
func (p *pond) rests(s *jobs.Service, j jobs.Job) {
	p.Helper()
	require.Eventually(p, func() bool { got, err := s.Get(p.Context(), j.ID); return err == nil && got.State != jobs.Running },
		5*time.Second, time.Millisecond)
}

// steps checkpoints 1..n, one at every signal, and says where it began.
func steps(n int, began chan<- int, step <-chan struct{}) jobs.Handler {
	return func(ctx context.Context, run jobs.Run) error {
		at := 0
		if _, err := run.LastCheckpoint(&at); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case began <- at:
		}
		for at < n {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-step:
			}
			at++
			run.Progress(int64(at), int64(n))
			if err := run.Checkpoint(ctx, at); err != nil {
				return err
			}
		}
		return nil
	}
}

// A node dies (its goroutines stay, as those of a hung process would); the
// same node started again goes on from the checkpoint, and the dead one's
// writes are refused.
func TestRestartGoesOnFromTheCheckpoint(t *testing.T) {
	each(t, func(p *pond) {
		began, oldStep, step := make(chan int), make(chan struct{}), make(chan struct{})
		lost := make(chan error, 1)
		old := steps(5, began, oldStep)
		a := p.node("a", map[string]jobs.Handler{"steps": func(ctx context.Context, run jobs.Run) error {
			err := old(ctx, run)
			lost <- err
			return err
		}})
		j := p.enqueue(a, jobs.Spec{Kind: "steps"})
		require.Equal(t, 0, <-began)
		oldStep <- struct{}{}
		oldStep <- struct{}{}
		require.Eventually(t, func() bool { r, _ := a.Get(t.Context(), j.ID); return r.Done == 2 }, 30*time.Second, time.Millisecond)
		p.checkpointed(j, "2")

		a.Freeze()
		again := p.node("a", map[string]jobs.Handler{"steps": steps(5, began, step)})
		require.Equal(t, 2, <-began, "from the checkpoint, not from the start")
		oldStep <- struct{}{} // the dead one moves once more
		require.ErrorContains(t, <-lost, "another node took the job over")
		for range 3 {
			step <- struct{}{}
		}
		j = p.wait(again, j)
		require.Equal(t, jobs.Succeeded, j.State)
		require.EqualValues(t, 5, j.Done)
		require.Equal(t, 1, j.Attempt, "a crash is not a failed try")
	})
}

// checkpointed waits until the stored checkpoint is text.
func (p *pond) checkpointed(j jobs.Job, text string) {
	p.Helper()
	require.Eventually(p, func() bool {
		var got string
		err := p.db.QueryRow(p.Context(), "select checkpoint from jobs where id = $1", j.ID).Scan(&got)
		return err == nil && got == text
	}, 30*time.Second, time.Millisecond)
}

func TestAnotherNodeTakesOverWhenTheHeartbeatIsStale(t *testing.T) {
	each(t, func(p *pond) {
		began, oldStep, step := make(chan int, 2), make(chan struct{}), make(chan struct{})
		a := p.node("a", map[string]jobs.Handler{"steps": steps(2, began, oldStep)}) // its clock stands still
		j := p.enqueue(a, jobs.Spec{Kind: "steps"})
		require.Equal(t, 0, <-began)
		oldStep <- struct{}{}
		p.checkpointed(j, "1")

		later := clock.NewFake(p.clock.Now().Add(29 * time.Second))
		b := p.node("b", map[string]jobs.Handler{"steps": steps(2, began, step)}, func(d *jobs.Deps) {
			d.Clock, d.Stale = later, 30*time.Second
			d.Poll = 5 * time.Millisecond
		})
		got, err := b.Get(t.Context(), j.ID)
		require.NoError(t, err)
		require.Equal(t, jobs.Running, got.State, "not stale yet")
		a.Freeze()
		later.Advance(2 * time.Second)
		require.NoError(t, b.Beat(t.Context()))
		require.Equal(t, 1, <-began)
		step <- struct{}{}
		require.Equal(t, jobs.Succeeded, p.wait(b, j).State)
	})
}

func TestAJobThatKeepsCrashingTheProgramFails(t *testing.T) {
	each(t, func(p *pond) {
		began := make(chan int)
		a := p.node("a", map[string]jobs.Handler{"steps": steps(9, began, nil)})
		j := p.enqueue(a, jobs.Spec{Kind: "steps"})
		<-began
		for range 4 {
			a.Freeze()
			a = p.node("a", map[string]jobs.Handler{"steps": steps(9, began, nil)})
			<-began
		}
		a.Freeze()
		a = p.node("a", map[string]jobs.Handler{"steps": steps(9, began, nil)})
		j = p.wait(a, j)
		require.Equal(t, jobs.Failed, j.State)
		require.Equal(t, "jobs.crashed", j.Error.Code)
	})
}

func TestStopLetsTheHandlerCheckpoint(t *testing.T) {
	each(t, func(p *pond) {
		began := make(chan int)
		a := p.node("a", map[string]jobs.Handler{"slow": func(ctx context.Context, run jobs.Run) error {
			began <- 0
			<-ctx.Done()
			if run.Cancelled() {
				return errors.New("nobody cancelled")
			}
			if err := run.Checkpoint(context.WithoutCancel(ctx), 42); err != nil {
				return err
			}
			return ctx.Err()
		}})
		j := p.enqueue(a, jobs.Spec{Kind: "slow"})
		<-began
		require.NoError(t, a.Stop(t.Context()))
		require.NoError(t, a.Stop(t.Context()))
		got, err := a.Get(t.Context(), j.ID)
		require.NoError(t, err)
		require.Equal(t, jobs.Queued, got.State)
		require.Equal(t, 0, got.Attempt)

		b := p.node("b", map[string]jobs.Handler{"slow": func(_ context.Context, run jobs.Run) error {
			var at int
			ok, err := run.LastCheckpoint(&at)
			if err != nil || !ok {
				return fmt.Errorf("%v %w", ok, err)
			}
			return run.Result(at)
		}})
		require.Equal(t, "42", string(p.wait(b, j).Result))
	})
}

func TestCancel(t *testing.T) {
	each(t, func(p *pond) {
		began := make(chan int, 8)
		handlers := map[string]jobs.Handler{"steps": steps(2, began, nil)}
		a := p.node("a", handlers, func(d *jobs.Deps) { d.Workers = 1 })
		running := p.enqueue(a, jobs.Spec{Kind: "steps", Title: "first"})
		<-began
		waiting := p.enqueue(a, jobs.Spec{Kind: "steps", Title: "second"})
		got, err := a.Cancel(t.Context(), waiting.ID)
		require.NoError(t, err)
		require.Equal(t, jobs.Cancelled, got.State, "one that waits stops at once")
		_, err = a.Cancel(t.Context(), waiting.ID)
		require.Equal(t, "jobs.finished", errs.CodeOf(err))
		_, err = a.Cancel(t.Context(), "jb_none")
		require.Equal(t, "jobs.not_found", errs.CodeOf(err))

		_, err = a.Cancel(t.Context(), running.ID)
		require.NoError(t, err)
		require.Equal(t, jobs.Cancelled, p.wait(a, running).State)
		require.Equal(t, []string{"job.cancelled second", "job.cancelled first"}, p.audit.seen)

		// asked of another node, as behind a load balancer
		running = p.enqueue(a, jobs.Spec{Kind: "steps"})
		<-began
		web := jobs.NewService(jobs.Deps{DB: p.db, Clock: p.clock, IDs: testkit.IDs(p.clock), Log: testkit.Logger(t), Poll: time.Millisecond})
		_, err = web.Cancel(t.Context(), running.ID)
		require.NoError(t, err)
		require.NoError(t, a.Beat(t.Context()))
		require.Equal(t, jobs.Cancelled, p.wait(web, running).State)

		// cancelled, and the node dies before it noticed
		running = p.enqueue(a, jobs.Spec{Kind: "steps"})
		<-began
		_, err = p.db.Exec(t.Context(), "update jobs set cancel_wanted = 1 where id = $1", running.ID)
		require.NoError(t, err)
		a.Freeze()
		again := p.node("a", handlers)
		require.Equal(t, jobs.Cancelled, p.wait(again, running).State)
	})
}

func TestRetry(t *testing.T) {
	each(t, func(p *pond) {
		var broken atomic.Bool
		broken.Store(true)
		s := p.node("a", map[string]jobs.Handler{"k": func(ctx context.Context, run jobs.Run) error {
			if broken.Load() {
				if err := run.Checkpoint(ctx, "half way"); err != nil {
					return err
				}
				return errs.New(errs.Invalid, "request.invalid")
			}
			var at string
			if _, err := run.LastCheckpoint(&at); err != nil {
				return err
			}
			return run.Result(at)
		}})
		j := p.wait(s, p.enqueue(s, jobs.Spec{Kind: "k", Title: "T", Key: "only"}))
		require.Equal(t, jobs.Failed, j.State)
		broken.Store(false)
		_, err := s.Retry(t.Context(), j.ID)
		require.NoError(t, err)
		j = p.wait(s, j)
		require.Equal(t, jobs.Succeeded, j.State)
		require.Nil(t, j.Error)
		require.Equal(t, `"half way"`, string(j.Result))
		require.Equal(t, []string{"job.retried T"}, p.audit.seen)
		_, err = s.Retry(t.Context(), j.ID)
		require.Equal(t, "jobs.not_failed", errs.CodeOf(err))
	})
}

func TestUniqueKey(t *testing.T) {
	each(t, func(p *pond) {
		leave := make(chan struct{})
		fail := atomic.Bool{}
		s := p.node("a", map[string]jobs.Handler{"k": func(context.Context, jobs.Run) error {
			<-leave
			if fail.Load() {
				return errs.New(errs.Invalid, "request.invalid")
			}
			return nil
		}})
		first := p.enqueue(s, jobs.Spec{Kind: "k", Key: "same"})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				j, err := s.Enqueue(t.Context(), jobs.Spec{Kind: "k", Key: "same"})
				if err != nil || j.ID != first.ID {
					t.Errorf("%v %v", j.ID, err)
				}
			})
		}
		wg.Wait()
		require.NotEqual(t, first.ID, p.enqueue(s, jobs.Spec{Kind: "k", Key: "other"}).ID)
		require.NotEqual(t, first.ID, p.enqueue(s, jobs.Spec{Kind: "k"}).ID)
		fail.Store(true)
		leave <- struct{}{}
		leave <- struct{}{}
		leave <- struct{}{}
		require.Equal(t, jobs.Failed, p.wait(s, first).State)
		second := p.enqueue(s, jobs.Spec{Kind: "k", Key: "same"})
		require.NotEqual(t, first.ID, second.ID, "the first is over")
		_, err := s.Retry(t.Context(), first.ID)
		require.Equal(t, "jobs.same_running", errs.CodeOf(err))
		close(leave)
		p.wait(s, second)
	})
}

func TestEveryJobIsClaimedOnce(t *testing.T) {
	each(t, func(p *pond) {
		const all = 60
		var mu sync.Mutex
		runs := map[string]int{}
		h := map[string]jobs.Handler{"k": func(_ context.Context, run jobs.Run) error {
			mu.Lock()
			runs[run.Job().ID]++
			mu.Unlock()
			return nil
		}}
		var nodes []*jobs.Service
		for _, name := range []string{"a", "b", "c"} {
			nodes = append(nodes, p.node(name, h))
		}
		var list []jobs.Job
		for i := range all {
			list = append(list, p.enqueue(nodes[i%3], jobs.Spec{Kind: "k"}))
		}
		for i, j := range list {
			require.Equal(t, jobs.Succeeded, p.wait(nodes[i%3], j).State)
		}
		mu.Lock()
		defer mu.Unlock()
		require.Len(t, runs, all)
		for id, n := range runs {
			require.Equal(t, 1, n, id)
		}
	})
}

func TestWorkersAreBounded(t *testing.T) {
	each(t, func(p *pond) {
		leave, began := make(chan struct{}), make(chan struct{}, 10)
		s := p.node("a", map[string]jobs.Handler{"k": func(context.Context, jobs.Run) error {
			began <- struct{}{}
			<-leave
			return nil
		}}, func(d *jobs.Deps) { d.Workers = 2 })
		var list []jobs.Job
		for range 3 {
			list = append(list, p.enqueue(s, jobs.Spec{Kind: "k"}))
		}
		<-began
		<-began
		require.NoError(t, s.Claim(t.Context()))
		c, err := s.Counts(t.Context())
		require.NoError(t, err)
		require.Equal(t, jobs.Counts{Queued: 1, Running: 2}, c)
		close(leave)
		for _, j := range list {
			p.wait(s, j)
		}
	})
}

func TestProgressInsideATransactionDoesNotBlock(t *testing.T) {
	each(t, func(p *pond) {
		s := p.node("a", map[string]jobs.Handler{"k": func(ctx context.Context, run jobs.Run) error {
			return p.db.Tx(ctx, func(ctx context.Context) error {
				for i := range int64(1000) {
					run.Progress(i+1, 1000)
				}
				return run.Checkpoint(ctx, "in the transaction")
			})
		}})
		j := p.wait(s, p.enqueue(s, jobs.Spec{Kind: "k"}))
		require.Equal(t, jobs.Succeeded, j.State)
		require.EqualValues(t, 1000, j.Done)
	})
}

func TestOldJobsGoWithTheirFiles(t *testing.T) {
	each(t, func(p *pond) {
		s := p.node("a", map[string]jobs.Handler{"k": func(_ context.Context, run jobs.Run) error {
			w, err := run.File("f", "text/plain")
			if err != nil {
				return err
			}
			return w.Close()
		}})
		j := p.wait(s, p.enqueue(s, jobs.Spec{Kind: "k"}))
		p.clock.Advance(89 * 24 * time.Hour)
		require.NoError(t, s.Sweep(t.Context()))
		_, err := s.Get(t.Context(), j.ID)
		require.NoError(t, err)
		p.clock.Advance(2 * 24 * time.Hour)
		require.NoError(t, s.Sweep(t.Context()))
		_, err = s.Get(t.Context(), j.ID)
		require.Equal(t, "jobs.not_found", errs.CodeOf(err))
		files, _, err := blob.Usage(t.Context(), p.files, "")
		require.NoError(t, err)
		require.Zero(t, files)
	})
}

func TestAFileLeftOpenIsDropped(t *testing.T) {
	each(t, func(p *pond) {
		s := p.node("a", map[string]jobs.Handler{"k": func(_ context.Context, run jobs.Run) error {
			w, err := run.File("f", "text/plain")
			if err != nil {
				return err
			}
			_, err = io.WriteString(w, "half")
			return err
		}})
		j := p.wait(s, p.enqueue(s, jobs.Spec{Kind: "k"}))
		require.Equal(t, jobs.Succeeded, j.State)
		require.Empty(t, j.FileName)
		files, _, err := blob.Usage(t.Context(), p.files, "")
		require.NoError(t, err)
		require.Zero(t, files)
	})
}

// A process that was paused so long that its job was given up, and claimed it
// again itself: the older try ends, and stopping reaches both.
func TestAProcessMayClaimItsOwnLostJobAgain(t *testing.T) {
	each(t, func(p *pond) {
		began, ended := make(chan int64, 2), make(chan error, 2)
		s := p.node("a", map[string]jobs.Handler{"k": func(ctx context.Context, run jobs.Run) error {
			began <- run.Job().Done
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return ctx.Err()
		}})
		p.enqueue(s, jobs.Spec{Kind: "k"})
		<-began
		_, err := p.db.Exec(t.Context(), "update jobs set state = 'queued', lease = lease + 1, node = ''")
		require.NoError(t, err)
		<-began
		require.ErrorContains(t, <-ended, "took the job over")
		require.NoError(t, s.Stop(t.Context()))
		require.ErrorContains(t, <-ended, "the program stops")
	})
}

// A handler works for who asked, as they are while it runs; who is gone gets a fault.
func TestJobsRunAsWhoAskedIsNow(t *testing.T) {
	each(t, func(p *pond) {
		gone := errs.New(errs.Forbidden, "user.gone", "name", "admin")
		var asked []string
		ran := make(chan *auth.Principal, 1)
		now := testkit.Principal("sales")
		s := p.node("a", map[string]jobs.Handler{"k": func(ctx context.Context, _ jobs.Run) error {
			ran <- auth.From(ctx)
			return nil
		}}, func(d *jobs.Deps) {
			d.Principal = func(_ context.Context, creator auth.Principal) (*auth.Principal, error) {
				asked = append(asked, creator.ID+" "+creator.Name)
				if len(asked) > 1 {
					return nil, gone
				}
				return now, nil
			}
		})
		require.Equal(t, jobs.Succeeded, p.wait(s, p.enqueue(s, jobs.Spec{Kind: "k"})).State)
		require.Same(t, now, <-ran)
		j := p.wait(s, p.enqueue(s, jobs.Spec{Kind: "k"}))
		require.Equal(t, jobs.Failed, j.State, "at once, without further tries")
		require.Equal(t, "user.gone", j.Error.Code)
		require.Equal(t, 1, j.Attempt)
		require.Empty(t, ran)
		require.Equal(t, []string{"us_admin admin", "us_admin admin"}, asked)
	})
}

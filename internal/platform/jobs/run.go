package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"sync"
)

// Why a run's context ended.
var (
	errCancelled = errors.New("the job was cancelled")
	errStopping  = errors.New("the program stops")
	errLost      = errors.New("another node took the job over")
)

// run is one try at a job. It implements Run.
type run struct {
	s      *Service
	row    row
	ctx    context.Context // of the handler; kept because the file outlives single calls
	cancel context.CancelCauseFunc

	mu          sync.Mutex
	done, total int64
	written     [2]int64 // progress as stored
	checkpoint  string
	result      string
	file        *file
}

// Job implements Run.
func (r *run) Job() Job {
	j := r.row.Job
	j.Done, j.Total = r.progress()
	return j
}

// Params implements Run.
func (r *run) Params(into any) error {
	if err := json.Unmarshal(r.row.Params, into); err != nil {
		return fmt.Errorf("read params of job %s: %w", r.row.ID, err)
	}
	return nil
}

// Progress implements Run. It touches memory only: called inside a
// transaction, a write from here would wait for that very transaction.
func (r *run) Progress(done, total int64) {
	r.mu.Lock()
	r.done, r.total = done, total
	r.mu.Unlock()
}

func (r *run) progress() (done, total int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done, r.total
}

// flush stores progress that changed since it was last stored.
func (r *run) flush(ctx context.Context) error {
	done, total := r.progress()
	if r.written == [2]int64{done, total} {
		return nil
	}
	held, err := r.s.store.held(ctx, r.row, "done = $1, total = $2", done, total)
	if err != nil {
		return fmt.Errorf("store progress: %w", err)
	}
	if !held {
		r.cancel(errLost)
	}
	r.written = [2]int64{done, total}
	return nil
}

// Checkpoint implements Run; progress goes with it.
func (r *run) Checkpoint(ctx context.Context, state any) error {
	raw, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	done, total := r.progress()
	held, err := r.s.store.held(ctx, r.row, "checkpoint = $1, done = $2, total = $3", string(raw), done, total)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if !held {
		r.cancel(errLost)
		return fmt.Errorf("checkpoint: %w", errLost) // rolls the caller's transaction back: the other node does this stretch
	}
	r.s.DB.After(ctx, func() {
		r.mu.Lock()
		r.checkpoint = string(raw)
		r.mu.Unlock()
	})
	return nil
}

// LastCheckpoint implements Run.
func (r *run) LastCheckpoint(into any) (bool, error) {
	r.mu.Lock()
	text := r.checkpoint
	r.mu.Unlock()
	if text == "" {
		return false, nil
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return false, fmt.Errorf("read checkpoint of job %s: %w", r.row.ID, err)
	}
	return true, nil
}

// Result implements Run.
func (r *run) Result(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("result of job %s: %w", r.row.ID, err)
	}
	r.mu.Lock()
	r.result = string(raw)
	r.mu.Unlock()
	return nil
}

// Cancelled implements Run.
func (r *run) Cancelled() bool { return errors.Is(context.Cause(r.ctx), errCancelled) }

// File implements Run.
func (r *run) File(name, contentType string) (io.WriteCloser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil && !r.file.closed {
		return nil, errors.New("the job's file is still open")
	}
	pr, pw := io.Pipe()
	f := &file{PipeWriter: pw, run: r, name: name, contentType: contentType, stored: make(chan error, 1),
		// the lease in the key keeps the file of an earlier try whole until this one is done
		key: path.Join("jobs", r.row.ID, fmt.Sprintf("%d-result", r.row.lease))}
	go func() {
		_, err := r.s.Files.Put(r.ctx, f.key, pr)
		pr.CloseWithError(err) // a failed store fails the handler's next write; nil reads as closed
		f.stored <- err
	}()
	r.file = f
	return f, nil
}

// file streams into the files store.
type file struct {
	*io.PipeWriter
	run                    *run
	name, contentType, key string
	stored                 chan error
	closed                 bool
	err                    error
}

// Close waits until everything is stored, then ties the file to the job.
func (f *file) Close() error {
	f.run.mu.Lock()
	if f.closed {
		f.run.mu.Unlock()
		return f.err
	}
	f.closed = true
	f.run.mu.Unlock()
	f.err = f.finish()
	return f.err
}

func (f *file) finish() error {
	_ = f.PipeWriter.Close() // always nil
	if err := <-f.stored; err != nil {
		return fmt.Errorf("store file %s: %w", f.name, err)
	}
	held, err := f.run.s.store.held(f.run.ctx, f.run.row, "file_name = $1, file_key = $2, file_type = $3", f.name, f.key, f.contentType)
	if err != nil {
		return fmt.Errorf("store file %s: %w", f.name, err)
	}
	if !held {
		f.run.cancel(errLost)
		return fmt.Errorf("store file %s: %w", f.name, errLost)
	}
	if old := f.run.row.fileKey; old != "" && old != f.key { // of an earlier try
		if err := f.run.s.Files.Delete(f.run.ctx, old); err != nil {
			f.run.s.Log.WarnContext(f.run.ctx, "an older result file stays behind", "job", f.run.row.ID, "error", err)
		}
	}
	f.run.row.fileKey = f.key
	return nil
}

// abandon drops a file that the handler did not close.
func (r *run) abandon() {
	r.mu.Lock()
	f := r.file
	open := f != nil && !f.closed
	if open {
		f.closed = true
	}
	r.mu.Unlock()
	if open {
		f.CloseWithError(errors.New("the job ended before its file was closed"))
		<-f.stored
	}
}

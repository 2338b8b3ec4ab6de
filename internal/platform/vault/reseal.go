package vault

import (
	"context"
	"fmt"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/jobs"
)

const (
	jobKind = "keys_reseal"
	// rules is counted up when more is sealed than by the program before:
	// everything is then gone over once more.
	rules = 1
	// step is how many things are sealed anew at once: writers wait that long.
	step = 500
)

func doneMark(key string) string { return fmt.Sprintf("resealed:%d:%s", rules, key) }

// plan starts a job when something may lie in clear or under an older key.
func (k *Keeper) plan(ctx context.Context, key string) error {
	if k.Jobs == nil {
		return nil
	}
	at, err := k.marked(ctx, doneMark(key))
	if err != nil {
		return err
	}
	if !at.IsZero() {
		k.whole = key
		return nil
	}
	asked, err := k.marked(ctx, "asked:"+doneMark(key))
	if err != nil || !asked.IsZero() { // the job takes it from here; a failed one can be tried again by hand
		return err
	}
	total, err := k.stale(ctx, key)
	if err != nil {
		return err
	}
	if total == 0 {
		if total, err = k.unsure(ctx); err != nil {
			return err
		}
	}
	return k.DB.Tx(ctx, func(ctx context.Context) error {
		if total == 0 {
			return k.mark(ctx, doneMark(key))
		}
		if err := k.mark(ctx, "asked:"+doneMark(key)); err != nil {
			return err
		}
		_, err := k.Jobs.Enqueue(auth.With(ctx, auth.System("vault")), jobs.Spec{Kind: jobKind, Title: key, Unit: "items", Link: "/system", Key: jobKind,
			Params: resealParams{Key: key}})
		return err
	})
}

// stale is how much is not under the key.
func (k *Keeper) stale(ctx context.Context, key string) (int64, error) {
	var total int64
	for _, s := range k.sources {
		under, err := s.Under(ctx)
		if err != nil {
			return 0, err
		}
		for id, n := range under {
			if id != key {
				total += n
			}
		}
	}
	return total, nil
}

// Unsure is a Source that cannot tell what lies in clear: how many things it
// would have to go over, by a program that never did.
type Unsure interface {
	Unsure(ctx context.Context) (int64, error)
}

// unsure is how much may lie in clear because an older program put it there.
func (k *Keeper) unsure(ctx context.Context) (total int64, err error) {
	var done int64
	err = k.DB.QueryRow(ctx, "select count(*) from vault_marks where name like $1", doneMark("%")).Scan(&done)
	if err != nil || done > 0 {
		return 0, err
	}
	for _, s := range k.sources {
		if u, ok := s.(Unsure); ok {
			n, err := u.Unsure(ctx)
			if err != nil {
				return 0, err
			}
			total += n
		}
	}
	return total, nil
}

type resealParams struct {
	Key string `json:"key"`
}

// resealing is how far the job is.
type resealing struct {
	Source  string `json:"source"`
	After   string `json:"after"`
	Changed int64  `json:"changed"`
	Total   int64  `json:"total"`
}

// reseal is the job. The key it goes to is the one that seals now: when another
// came since it was asked for, that one has a job of its own.
func (k *Keeper) reseal(ctx context.Context, run jobs.Run) error {
	var p resealParams
	if err := run.Params(&p); err != nil {
		return err
	}
	var at resealing
	resumed, err := run.LastCheckpoint(&at)
	if err != nil {
		return err
	}
	if !resumed {
		if at.Total, err = k.stale(ctx, k.Ring.KeyID()); err != nil {
			return err
		}
	}
	run.Progress(at.Changed, max(at.Total, at.Changed))
	skip := resumed && at.Source != ""
	for _, s := range k.sources {
		if skip && s.Name() != at.Source {
			continue
		}
		if !skip {
			at.Source, at.After = s.Name(), ""
		}
		skip = false
		for {
			next, _, changed, err := s.Reseal(ctx, at.After, step)
			if err != nil {
				return fmt.Errorf("seal %s anew: %w", s.Name(), err)
			}
			at.After, at.Changed = next, at.Changed+int64(changed)
			run.Progress(at.Changed, max(at.Total, at.Changed))
			if next == "" {
				break
			}
			if err := run.Checkpoint(ctx, at); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	if err := k.Count(ctx); err != nil {
		return err
	}
	if err := k.mark(ctx, doneMark(k.Ring.KeyID())); err != nil {
		return err
	}
	return run.Result(map[string]any{"key": k.Ring.KeyID(), "changed": at.Changed})
}

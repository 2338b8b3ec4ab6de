package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/numset"
)

// begin works everything out and tells owners what changed while the program
// stood still. Contacts of facts that wait in the stream are left out: they are
// told when their facts come, for the reason that these are.
func (e *Engine) begin(ctx context.Context) error {
	if err := e.readChanged(ctx); err != nil { // whoever can be read begins
		e.d.Log.Error("rules cannot be read and are read again", "error", err)
	}
	seen, err := e.lastNoted(ctx)
	if err != nil {
		return err
	}
	owed, err := e.owed(ctx)
	if err != nil {
		return err
	}
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	now := e.d.Clock.Now()
	e.day, e.swept, e.polled = e.today(ctx), now, now
	conds := slices.Collect(maps.Values(e.conds))
	release()
	cause := Cause{Reason: ReasonStart, Live: !owed && !seen.IsZero() && now.Sub(seen) <= late}
	return e.renew(ctx, conds, true, nil, func(ctx context.Context) error {
		if e.pending, e.pendingTo, err = e.waiting(ctx); err != nil {
			return err
		}
		due := map[owning]Cause{}
		for _, o := range e.owners {
			e.adopt(o)
			for _, p := range o.serving {
				due[owning{o, p}] = cause
			}
		}
		if err := e.settle(ctx, due); err != nil {
			return err
		}
		if err := errors.Join(e.note(ctx, now), e.paid(ctx)); err != nil {
			return err
		}
		close(e.ready)
		return nil
	})
}

// waiting finds the contacts of facts that are stored and did not come here yet,
// and where the last of these stands.
func (e *Engine) waiting(ctx context.Context) (*numset.Set, event.Position, error) {
	out, at := &numset.Set{}, event.Position{}
	if e.d.Cursor == nil {
		return out, at, nil
	}
	at, err := e.d.Cursor(ctx)
	if err != nil || at == (event.Position{}) {
		return out, at, err
	}
	const chunk = 2_000
	for {
		rows, err := e.d.Store.After(ctx, at, chunk)
		if err != nil {
			return nil, at, fmt.Errorf("read facts that wait: %w", err)
		}
		var nums []int64
		for i := range rows {
			nums = append(nums, rows[i].Contact)
			at = rows[i].Position
		}
		into, err := e.d.Contacts.Survivors(ctx, nums)
		if err != nil {
			return nil, at, err
		}
		for _, n := range nums {
			if to, ok := into[n]; ok {
				n = to
			}
			out.Add(n)
		}
		if len(rows) < chunk {
			return out, at, nil
		}
	}
}

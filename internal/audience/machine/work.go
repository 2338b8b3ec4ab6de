package machine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/numset"
)

// workBatch is how many rows one transaction writes: nobody else writes meanwhile.
const workBatch = 5_000

type workParams struct {
	Machine string `json:"machine"`
	Version int64  `json:"version"`
}

// runWork sorts everybody by a definition. Until it is done the one before is in
// force; a crash in between is mended by the next try, which finds those that
// were moved where they are.
func (s *Service) runWork(ctx context.Context, run jobs.Run) error {
	var p workParams
	if err := run.Params(&p); err != nil {
		return err
	}
	d, err := s.newest(ctx, p.Machine)
	if err != nil || d == nil || d.Version != p.Version { // a newer one has a job of its own
		return err
	}
	moves, err := s.plan(ctx, d, nil, s.asking(ctx, d, nil))
	if err != nil {
		return err
	}
	total := int64(0)
	for _, m := range moves {
		total += m.Who.Count()
	}
	run.Progress(0, max(total, 1))
	moved, err := s.apply(ctx, d, moves, words{reason: byDefinition, by: d.By}, func(done int64) { run.Progress(done, total) })
	if err != nil {
		return err
	}
	if err := s.tidy(ctx); err != nil {
		return err
	}
	_, err = s.DB.Exec(ctx, "update machine_definitions set worked = 1, moved = $1 where machine = $2 and version = $3", moved, d.Machine, d.Version)
	if err != nil {
		return fmt.Errorf("put a machine into force: %w", err)
	}
	s.forgetNames()
	if s.Engine != nil {
		s.Engine.Changed(owner(d.Machine))
	}
	if err := s.keepCounts(ctx, d.Machine); err != nil {
		return err
	}
	return run.Result(map[string]int64{"moved": moved})
}

// plan says who is to move by a definition: of all people or, with nums, of some.
func (s *Service) plan(ctx context.Context, d *Definition, nums []int64, holds func(state string) (*numset.Set, error)) ([]move, error) {
	people, err := s.Contacts.Matching(ctx, nil, "", nums)
	if err != nil {
		return nil, err
	}
	if nums != nil {
		nums = people.List()
		if len(nums) == 0 {
			return nil, nil
		}
	}
	now, err := s.standingOf(ctx, d, people, nums)
	if err != nil {
		return nil, err
	}
	return d.decide(now, holds)
}

// asking answers rules by asking package contact for them one after another.
func (s *Service) asking(ctx context.Context, d *Definition, nums []int64) func(state string) (*numset.Set, error) {
	return func(id string) (*numset.Set, error) {
		got, err := s.Contacts.Matching(ctx, d.state(id).Rule, "rule", nums)
		if err != nil {
			return nil, fmt.Errorf("rule of %s %s: %w", d.Machine, id, err)
		}
		return got, nil
	}
}

// apply writes moves, some at a time, each in a transaction of its own or in that
// of ctx, and tells them. It counts those who stood somewhere before.
func (s *Service) apply(ctx context.Context, d *Definition, moves []move, w words, progress func(done int64)) (moved int64, err error) {
	done := int64(0)
	for _, m := range moves {
		for after := int64(-1); ; {
			nums := m.Who.After(after, workBatch)
			if len(nums) == 0 {
				break
			}
			after, done = nums[len(nums)-1], done+int64(len(nums))
			err := s.DB.Tx(ctx, func(ctx context.Context) error {
				if err := s.lock(ctx); err != nil {
					return err
				}
				still, err := s.still(ctx, d, m.From, nums)
				if err != nil || len(still) == 0 {
					return err
				}
				if m.From != "" {
					moved += int64(len(still))
				}
				if err := s.put(ctx, d.Machine, m, still, w); err != nil {
					return err
				}
				return s.tell(ctx, d, m, still, w)
			})
			if err != nil {
				return moved, err
			}
			if progress != nil {
				progress(done)
			}
		}
	}
	return moved, nil
}

// tell states moves as facts. Whoever stands somewhere for the first time did not move.
func (s *Service) tell(ctx context.Context, d *Definition, m move, nums []int64, w words) error {
	if m.From == "" || s.Emit == nil || w.reason == byDefinition {
		return nil
	}
	props := map[string]any{"machine": d.Machine, "from": m.From, "to": m.To, "reason": w.reason, "live": w.live}
	for key, id := range map[string]string{"fromName": m.From, "toName": m.To} {
		if st := d.state(id); st != nil {
			props[key] = st.Name.ZH
		}
	}
	if w.by.ID != "" {
		props["by"], props["byName"] = w.by.ID, w.by.Name
	}
	if w.note != "" {
		props["why"] = w.note
	}
	raw, err := json.Marshal(props)
	if err != nil {
		return fmt.Errorf("state a move: %w", err)
	}
	now := s.Clock.Now().UnixMilli()
	facts := make([]event.Fact, len(nums))
	for i, n := range nums {
		facts[i] = event.Fact{MessageID: fmt.Sprintf("%s/%d/%d", fact[d.Machine], n, now), Type: event.Track, Name: fact[d.Machine],
			Contact: n, Timestamp: now, ReceivedAt: now, Source: "machine", Properties: raw}
	}
	return s.Emit.Emit(ctx, facts...)
}

// tidy hides rows of contacts that are no people of their own any more, and
// shows those that are again; hooks do so at once, this mends what they missed.
func (s *Service) tidy(ctx context.Context) error {
	people, err := s.Contacts.Matching(ctx, nil, "", nil)
	if err != nil {
		return err
	}
	for _, shown := range []int64{0, 1} {
		rows, err := s.Contacts.ReadNumbers(ctx, "select contact as n from machine_states where shown = $1", 1-shown)
		if err != nil {
			return err
		}
		if shown == 1 {
			rows.And(people)
		} else {
			rows.AndNot(people)
		}
		for after := int64(-1); ; {
			nums := rows.After(after, workBatch)
			if len(nums) == 0 {
				break
			}
			after = nums[len(nums)-1]
			if err := s.hide(ctx, shown, nums); err != nil {
				return err
			}
		}
	}
	return nil
}

var errBusy = errs.New(errs.Conflict, "machine.being_worked_out")

func owner(machine string) string { return "machine:" + machine }

package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
	"github.com/koipond/koipond/internal/platform/jobs"
	"github.com/koipond/koipond/internal/platform/numset"
)

const (
	jobPlace = "machine.place"
	// placeBatch is how many people one transaction places: nobody else writes contacts meanwhile.
	placeBatch = 2_000
	// waitForSort is how often a job looks whether everybody is sorted by a new
	// definition; until then nobody is placed.
	waitForSort = 300 * time.Millisecond
)

// Many is work on many people: they are placed by hand, or with Release left to rules again.
type Many struct {
	Choice
	Release bool `json:"release,omitempty" doc:"Let rules decide again about whoever was placed by hand; state, until and note do not count"`
}

type placeParams struct {
	Machine   string            `json:"machine"`
	Selection contact.Selection `json:"selection"`
	Choice    *chosen           `json:"choice,omitempty"` // nil: release
	Of        string            `json:"of,omitempty"`     // release those whom this run placed, instead of a selection
}

// Reach is how many people work on many would concern.
type Reach struct {
	Total   int64 `json:"total" doc:"People selected"`
	There   int64 `json:"there" doc:"Of them, those who stand in that state already"`
	Held    int64 `json:"held" doc:"Of them, those whom somebody placed by hand before"`
	Skipped int64 `json:"skipped" doc:"Selected visitors, who stand nowhere and are left out"`
}

// Reach counts whom work on many would concern, and changes nothing.
func (s *Service) Reach(ctx context.Context, machine string, sel contact.Selection, m Many) (Reach, error) {
	var out Reach
	if !m.Release && m.State != "" {
		if d, err := s.newest(ctx, machine); err != nil || d == nil || d.state(m.State) == nil {
			return out, errors.Join(err, errInput.On(errs.At("state", "machine.no_such_state", "id", m.State)))
		}
	}
	who, err := s.Contacts.Numbers(ctx, sel)
	if err != nil {
		return out, err
	}
	all := who.Count()
	people, err := s.Contacts.Matching(ctx, nil, "", nil)
	if err != nil {
		return out, err
	}
	who.And(people)
	out.Total, out.Skipped = who.Count(), all-who.Count()
	const of = "select contact as n from machine_states where machine = $1 and shown = 1 and "
	there, err := s.Contacts.ReadNumbers(ctx, of+"state = $2", machine, m.State)
	if err != nil {
		return out, err
	}
	held, err := s.Contacts.ReadNumbers(ctx, of+"pinned_until > 0 and pinned_until > cast($2 as bigint)", machine, s.Clock.Now().UnixMilli())
	if err != nil {
		return out, err
	}
	there.And(who)
	held.And(who)
	out.There, out.Held = there.Count(), held.Count()
	return out, nil
}

// PlaceMany begins to place the selected people by hand, or to release them, as a job.
func (s *Service) PlaceMany(ctx context.Context, machine string, sel contact.Selection, m Many) (Run, error) {
	p := placeParams{Machine: machine, Selection: sel}
	d, err := s.newest(ctx, machine)
	if err != nil {
		return Run{}, err
	}
	if !m.Release {
		c, err := s.choose(ctx, machine, m.Choice)
		if err != nil {
			return Run{}, err
		}
		if d == nil || d.state(c.State) == nil {
			return Run{}, errInput.On(errs.At("state", "machine.no_such_state", "id", c.State))
		}
		p.Choice = &c
	}
	return s.startPlacing(ctx, d, p)
}

// ReleaseRun begins to let rules decide again about those whom a run placed and
// whom nobody placed elsewhere since, as a job.
func (s *Service) ReleaseRun(ctx context.Context, machine, run string) (Run, error) {
	was, err := s.PlaceRun(ctx, machine, run)
	if err != nil {
		return Run{}, err
	}
	if !was.State.Final() {
		return Run{}, errs.New(errs.Conflict, "machine.still_placing")
	}
	d, err := s.newest(ctx, machine)
	if err != nil {
		return Run{}, err
	}
	return s.startPlacing(ctx, d, placeParams{Machine: machine, Of: run})
}

func (s *Service) startPlacing(ctx context.Context, d *Definition, p placeParams) (out Run, err error) {
	title, detail := "✋ —", map[string]any{}
	if d == nil {
		d = &Definition{Machine: p.Machine}
	}
	if c := p.Choice; c != nil {
		detail["until"], detail["note"] = c.Until, c.Note
		if st := d.state(c.State); st != nil {
			title = "→ " + st.Name.in(ctx)
		}
	}
	if p.Of != "" {
		detail["of"] = p.Of
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		job, err := s.Jobs.Enqueue(ctx, jobs.Spec{Kind: jobPlace, Title: title, Unit: "contacts", Link: link(p.Machine), Params: p})
		if err != nil {
			return err
		}
		out = runOf(ctx, job, p)
		action, state := "machine.releasing", ""
		if p.Choice != nil {
			action, state = "machine.placing", p.Choice.State
		}
		detail["job"] = job.ID
		return s.audit(ctx, action, d, state, detail)
	})
	if err != nil {
		return Run{}, fmt.Errorf("start placing people: %w", err)
	}
	return out, nil
}

// Run is work on many people and how far it got.
type Run struct {
	ID      string     `json:"id"`
	State   jobs.State `json:"state" enum:"queued,running,succeeded,failed,cancelled"`
	Release bool       `json:"release" doc:"Rules decide again about these people"`
	Done    int64      `json:"done" doc:"People looked at so far"`
	Total   int64      `json:"total" doc:"People to look at; 0 while not known"`
	Placed  int64      `json:"placed" doc:"People who were placed, or released"`
	Moved   int64      `json:"moved" doc:"Of them, those who stood in another state before"`
	Error   string     `json:"error,omitempty" doc:"Why it failed, in words"`
}

// placing is where a run goes on after a crash, and what it came to.
type placing struct {
	After  int64 `json:"after"`
	Seen   int64 `json:"seen"`
	Placed int64 `json:"placed"`
	Moved  int64 `json:"moved"`
}

func runOf(ctx context.Context, j jobs.Job, p placeParams) Run {
	out := Run{ID: j.ID, State: j.State, Release: p.Choice == nil, Done: j.Done, Total: j.Total}
	if j.Error != nil {
		out.Error = httpx.Say(ctx, j.Error.Code, j.Error.Params)
	}
	var at placing
	if len(j.Result) > 0 && json.Unmarshal(j.Result, &at) == nil {
		out.Placed, out.Moved = at.Placed, at.Moved
	}
	return out
}

// PlaceRun reads a run: one's own, or any for whoever sees all customers.
func (s *Service) PlaceRun(ctx context.Context, machine, id string) (Run, error) {
	j, err := s.Jobs.Get(ctx, id)
	if err != nil && errs.As(err).Kind != errs.NotFound {
		return Run{}, err
	}
	var p placeParams
	mine := err == nil && j.Kind == jobPlace && (auth.ScopeOf(ctx).All || j.CreatedByID == me(ctx).ID)
	if !mine || json.Unmarshal(j.Params, &p) != nil || p.Machine != machine {
		return Run{}, errs.New(errs.NotFound, "machine.no_such_run")
	}
	return runOf(ctx, j, p), nil
}

// CancelRun stops a run; whom it placed stays placed.
func (s *Service) CancelRun(ctx context.Context, machine, id string) (Run, error) {
	if _, err := s.PlaceRun(ctx, machine, id); err != nil {
		return Run{}, err
	}
	if _, err := s.Jobs.Cancel(ctx, id); err != nil {
		return Run{}, err
	}
	return s.PlaceRun(ctx, machine, id)
}

// runPlace is the job of work on many.
func (s *Service) runPlace(ctx context.Context, run jobs.Run) error {
	var p placeParams
	if err := run.Params(&p); err != nil {
		return err
	}
	var at placing
	if _, err := run.LastCheckpoint(&at); err != nil {
		return err
	}
	next, total, err := s.whom(ctx, p)
	if err != nil {
		return err
	}
	if p.Choice != nil {
		p.Choice.run = run.Job().ID
	}
	total += at.Seen
	for {
		run.Progress(at.Seen, max(total, at.Seen))
		if err := errors.Join(ctx.Err(), run.Result(at)); err != nil {
			return err
		}
		if err := s.untilSorted(ctx, p.Machine); err != nil {
			return err
		}
		nums, err := next(ctx, at.After)
		if err != nil {
			return err
		}
		if len(nums) == 0 {
			return nil
		}
		then := at
		err = s.DB.Tx(ctx, func(ctx context.Context) error {
			d, err := s.mustWork(ctx, p.Machine)
			if err != nil {
				return err
			}
			var n, moved int64
			if p.Choice != nil {
				n, moved, err = s.place(ctx, d, *p.Choice, nums)
			} else {
				n, err = s.free(ctx, d, nums, me(ctx))
			}
			if err != nil {
				return err
			}
			then = placing{nums[len(nums)-1], at.Seen + int64(len(nums)), at.Placed + n, at.Moved + moved}
			return run.Checkpoint(ctx, then)
		})
		if errs.CodeOf(err) == errs.CodeOf(errBusy) { // a definition was saved just now
			continue
		}
		if err != nil {
			return err
		}
		at = then
	}
}

// untilSorted waits until no definition is being worked out.
func (s *Service) untilSorted(ctx context.Context, machine string) error {
	for {
		d, err := s.working(ctx, machine)
		if err != nil || d != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(waitForSort):
		}
	}
}

// whom gives the people of a run some at a time, and about how many there are.
func (s *Service) whom(ctx context.Context, p placeParams) (next func(ctx context.Context, after int64) ([]int64, error), total int64, err error) {
	if p.Of != "" { // whoever was placed by that run and is still so
		const of = "select contact as n from machine_pins where machine = $1 and run = $2"
		placed, err := s.Contacts.ReadNumbers(ctx, of, p.Machine, p.Of)
		if err != nil {
			return nil, 0, err
		}
		return func(_ context.Context, after int64) ([]int64, error) { return placed.After(after, placeBatch), nil }, placed.Count(), nil
	}
	if p.Choice == nil { // few of many are held: the others need no look
		const of = "select contact as n from machine_states where machine = $1 and pinned_until > 0 and pinned_until > cast($2 as bigint)"
		var held, who *numset.Set
		if held, err = s.Contacts.ReadNumbers(ctx, of, p.Machine, s.Clock.Now().UnixMilli()); err != nil {
			return nil, 0, err
		}
		if who, err = s.Contacts.Numbers(ctx, p.Selection); err != nil {
			return nil, 0, err
		}
		who.And(held)
		return func(_ context.Context, after int64) ([]int64, error) { return who.After(after, placeBatch), nil }, who.Count(), nil
	}
	total, err = s.Contacts.Count(ctx, p.Selection)
	return func(ctx context.Context, after int64) ([]int64, error) {
		return s.Contacts.Walk(ctx, p.Selection, after, placeBatch)
	}, total, err
}

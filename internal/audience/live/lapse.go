package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/platform/clock"
)

const (
	// sweepEvery is how often windows of minutes and hours are looked after.
	sweepEvery = 20 * time.Second
	// noteEvery is how often it is written down that the engine is at work.
	noteEvery = time.Minute
	// pollEvery is how often fields are read whole that no fact speaks of.
	pollEvery = 10 * time.Minute
	// pollShare bounds what that may cost: it rests ten times as long as it took.
	pollShare = 10
	// slack makes stretches of time overlap, so that their ends need no care.
	slack = time.Second
	// tellOneByOne is up to how many contacts are told by number rather than all at once.
	tellOneByOne = 20_000
)

// due does what the clock says.
func (e *Engine) due(ctx context.Context) error {
	return errors.Join(e.define(ctx), e.lapse(ctx), e.midnight(ctx), e.recheck(ctx), e.settleFlood(ctx), e.repair(ctx), e.poll(ctx), e.catchUp(ctx), e.remember(ctx))
}

// lapsed finds, for conditions with a window of minutes or hours, who did
// something that has left the window between two moments.
func (e *Engine) lapsed(ctx context.Context, conds []*cond, from, to time.Time) (map[*cond][]int64, error) {
	bySpan := map[time.Duration][]*cond{}
	for _, c := range conds {
		if c.span > 0 {
			bySpan[c.span] = append(bySpan[c.span], c)
		}
	}
	out := map[*cond][]int64{}
	for span, list := range bySpan {
		names := map[string]bool{}
		for _, c := range list {
			maps.Copy(names, c.names)
		}
		nums, err := e.d.Store.People(ctx, analytics.PeopleQuery{Filter: analytics.Filter{Events: slices.Sorted(maps.Keys(names)),
			Range: analytics.Range{From: from.Add(-span - slack), To: to.Add(-span + slack)}}})
		if err != nil {
			return nil, fmt.Errorf("ask what left a window: %w", err)
		}
		for _, c := range list {
			out[c] = nums
		}
	}
	return out, nil
}

// lapse asks those anew for whom a window of minutes or hours has passed.
func (e *Engine) lapse(ctx context.Context) error {
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	now, from := e.d.Clock.Now(), e.swept
	var conds []*cond
	for _, c := range e.conds {
		if c.known && !c.failing() {
			conds = append(conds, c)
		}
	}
	release()
	if now.Sub(from) < sweepEvery && !now.Before(from) {
		return nil
	}
	who, err := e.lapsed(ctx, conds, from, now) // facts go on meanwhile: what lapses from now on is the next one's
	if err != nil {
		return err
	}
	if release, err = e.hold(ctx); err != nil {
		return err
	}
	defer release()
	touched := map[int64][]*cond{}
	for c, nums := range who {
		if c.failing() || e.conds[c.key] != c {
			continue
		}
		for _, n := range nums {
			is := c.base.Has(n)
			if e.people.Has(n) && !(c.trend == rising && !is) && !(c.trend == falling && is) { // less of it changes nothing for these
				touched[n] = append(touched[n], c)
			}
		}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(touched)), tellOneByOne) {
		s := e.newStep(e.d.Clock.Now(), e.d.Zone(ctx), part)
		for i, n := range part {
			s.cause[i] = Cause{Reason: ReasonLapse, Live: true}
			for _, c := range touched[n] {
				s.want(c, i)
			}
		}
		if err := e.keep(ctx, s); err != nil {
			return err
		}
	}
	e.swept = now
	return e.note(ctx, now)
}

// keep answers a step that no fact made, and tells owners.
func (e *Engine) keep(ctx context.Context, s *step) error {
	defer s.drop()
	if err := s.answer(ctx); err != nil {
		return err
	}
	return e.tell(ctx, s, func(write func(ctx context.Context) error) error { return e.d.DB.Tx(ctx, write) })
}

// note writes down that the engine follows the clock.
func (e *Engine) note(ctx context.Context, now time.Time) error {
	if d := now.Sub(e.noted); d < noteEvery && d >= 0 {
		return nil
	}
	_, err := e.d.DB.Exec(ctx, "insert into audience_live (name, at) values ('seen', $1) on conflict (name) do update set at = excluded.at", clock.Ms(now))
	if err != nil {
		return fmt.Errorf("note the time: %w", err)
	}
	e.noted = now
	return nil
}

// lastNoted is when the engine was last at work; zero when it never was.
func (e *Engine) lastNoted(ctx context.Context) (time.Time, error) {
	var ms int64
	err := e.d.DB.QueryRow(ctx, "select coalesce(max(at), 0) from audience_live where name = 'seen'").Scan(&ms)
	if err != nil {
		return time.Time{}, fmt.Errorf("read when audiences were last followed: %w", err)
	}
	return clock.FromMs(ms), nil
}

// today names the day, and where it is that day.
func (e *Engine) today(ctx context.Context) string {
	zone := e.d.Zone(ctx)
	return e.d.Clock.Now().In(zone).Format(time.DateOnly) + " " + zone.String()
}

// midnight works out anew what a new day changes, and then everything else:
// should anything have changed of which nobody told, it is noticed then.
func (e *Engine) midnight(ctx context.Context) error {
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	today := e.today(ctx)
	if today == e.day {
		release()
		return nil
	}
	var daily, rest []*cond
	for _, c := range e.conds {
		switch {
		case !c.known || c.failing():
		case c.daily:
			daily = append(daily, c)
		default:
			rest = append(rest, c)
		}
	}
	release()
	if err := e.refresh(ctx, daily, false, Cause{Reason: ReasonMidnight, Live: true}); err != nil {
		return err
	}
	if err := e.refresh(ctx, rest, true, Cause{Reason: ReasonFact}); err != nil {
		return err
	}
	release, err = e.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	e.day = today
	return nil
}

// poll reads fields whole that may change without a fact, now and then and when
// somebody says so.
func (e *Engine) poll(ctx context.Context) error {
	e.mu.Lock()
	stale := e.stale
	e.stale = map[string]bool{}
	e.mu.Unlock()
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	begun := e.d.Clock.Now()
	due := begun.Sub(e.polled) >= pollEvery || begun.Before(e.polled)
	var conds []*cond
	for _, c := range e.conds {
		if c.known && !c.failing() && (due && c.field.polled || stale[c.node.Field]) {
			conds = append(conds, c)
		}
	}
	release()
	if len(conds) > 0 {
		if err := e.refresh(ctx, conds, false, Cause{Reason: ReasonFact, Live: len(stale) == 0}); err != nil {
			e.Refresh(slices.Collect(maps.Keys(stale))...)
			return err
		}
	}
	if due {
		now := e.d.Clock.Now()
		e.polled = now.Add(max(0, pollShare*now.Sub(begun)-pollEvery))
	}
	return nil
}

// repair works out conditions that could not be answered.
func (e *Engine) repair(ctx context.Context) error {
	release, err := e.hold(ctx)
	if err != nil {
		return err
	}
	now := e.d.Clock.Now()
	var conds []*cond
	for _, c := range e.conds {
		if c.known && c.failing() && !now.Before(c.retry) { // those that never were known are tried as new ones
			conds = append(conds, c)
		}
	}
	release()
	if len(conds) == 0 {
		return nil
	}
	return e.refresh(ctx, conds, false, Cause{Reason: ReasonFact})
}

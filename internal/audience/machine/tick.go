package machine

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Tick looks whose minimum stay, or a colleague's choice for them, is over since
// the last time, and sorts them anew. It also keeps the day's counts.
func (s *Service) Tick(ctx context.Context) error {
	s.mu.Lock()
	since, now := s.ticked, s.Clock.Now()
	s.ticked = now
	s.mu.Unlock()
	var faults []error
	for _, machine := range Machines() {
		if err := s.lapse(ctx, machine, since, now); err != nil {
			s.mu.Lock()
			s.ticked = since // once more, next time
			s.mu.Unlock()
			faults = append(faults, fmt.Errorf("stays of %s: %w", machine, err))
		}
	}
	faults = append(faults, s.overPins(ctx, now))
	if s.Engine == nil {
		for _, machine := range Machines() {
			if d, err := s.working(ctx, machine); err != nil || d == nil {
				faults = append(faults, err)
			} else if err := s.sort(ctx, d, nil, words{reason: byFact, live: true}); err != nil {
				faults = append(faults, err)
			}
		}
	}
	if hour := now.Truncate(time.Hour); hour.After(s.swept) {
		s.swept = hour
		for _, machine := range Machines() {
			if err := s.sweep(ctx, machine); err != nil {
				faults = append(faults, fmt.Errorf("sort who was missed by %s: %w", machine, err))
			}
		}
	}
	if day := s.today(ctx) + now.Format(" 15"); day != s.counted { // every hour, and first thing in a day
		for _, machine := range Machines() {
			if err := s.keepCounts(ctx, machine); err != nil {
				return errors.Join(append(faults, err)...)
			}
		}
		s.counted = day
	}
	return errors.Join(faults...)
}

// sweep sorts people who stand nowhere: whom nothing told of.
func (s *Service) sweep(ctx context.Context, machine string) error {
	d, err := s.working(ctx, machine)
	if err != nil || d == nil {
		s.swept = time.Time{} // not in force yet: once more, next time
		return err
	}
	people, err := s.Contacts.Matching(ctx, nil, "", nil)
	if err != nil {
		return err
	}
	known, err := s.Contacts.ReadNumbers(ctx, "select contact as n from machine_states where machine = $1 and shown = 1", machine)
	if err != nil {
		return err
	}
	people.AndNot(known)
	for after := int64(-1); ; {
		nums := people.After(after, workBatch)
		if len(nums) == 0 {
			return nil
		}
		after = nums[len(nums)-1]
		if err := s.sort(ctx, d, nums, words{reason: byFact}); err != nil {
			return err
		}
	}
}

// lapse sorts those anew who may leave since the last time. Whoever became free
// while the program was down is found as well: since reaches back by a day.
func (s *Service) lapse(ctx context.Context, machine string, since, now time.Time) error {
	d, err := s.working(ctx, machine)
	if err != nil || d == nil {
		return err
	}
	since = since.Add(-lapseMargin)
	free, err := s.Contacts.ReadNumbers(ctx, "select contact as n from machine_states where machine = $1 and shown = 1 and pinned_until > cast($2 as bigint) and pinned_until <= cast($3 as bigint)",
		machine, max(0, since.UnixMilli()), now.UnixMilli())
	if err != nil {
		return err
	}
	for i := range d.States {
		st := &d.States[i]
		if st.Stay == 0 {
			continue
		}
		got, err := s.Contacts.ReadNumbers(ctx, "select contact as n from machine_states where machine = $1 and shown = 1 and state = $2 and since > cast($3 as bigint) and since <= cast($4 as bigint)",
			machine, st.ID, stayOver(st.Stay, since), stayOver(st.Stay, now))
		if err != nil {
			return err
		}
		free.Or(got)
	}
	for after := int64(-1); ; {
		nums := free.After(after, workBatch)
		if len(nums) == 0 {
			return nil
		}
		after = nums[len(nums)-1]
		if err := s.sort(ctx, d, nums, words{reason: byLapse, live: true}); err != nil {
			return err
		}
	}
}

// lapseMargin is how much is looked at once more: what a restart may have missed.
const lapseMargin = 24 * time.Hour

// SortAll sorts everybody, as after a new definition: nobody did anything.
func (s *Service) SortAll(ctx context.Context) error {
	for _, machine := range Machines() {
		d, err := s.working(ctx, machine)
		if err != nil || d == nil {
			return err
		}
		if err := errors.Join(s.sort(ctx, d, nil, words{reason: byDefinition, by: d.By}), s.keepCounts(ctx, machine)); err != nil {
			return err
		}
	}
	return nil
}

// working is the definition in force, or nil while nobody is to be sorted and while people are being sorted by a
// newer one: then that work moves them.
func (s *Service) working(ctx context.Context, machine string) (*Definition, error) {
	if s.Hold != nil && s.Hold() {
		return nil, nil
	}
	d, err := s.newest(ctx, machine)
	if err != nil || d == nil || !d.Worked {
		return nil, err
	}
	return d, nil
}

// sort moves some people, or with nil all, to where they belong.
func (s *Service) sort(ctx context.Context, d *Definition, nums []int64, w words) error {
	moves, err := s.plan(ctx, d, nums, s.asking(ctx, d, nums))
	if err != nil {
		return err
	}
	_, err = s.apply(ctx, d, moves, w, nil)
	return err
}

// keepCounts keeps how many are in each state today.
func (s *Service) keepCounts(ctx context.Context, machine string) error {
	day := s.today(ctx)
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.DB.Exec(ctx, "delete from machine_counts where machine = $1 and day = $2", machine, day); err != nil {
			return fmt.Errorf("keep counts: %w", err)
		}
		_, err := s.DB.Exec(ctx, `insert into machine_counts (machine, day, state, people)
			select machine, $1, state, count(*) from machine_states where machine = $2 and shown = 1 group by machine, state`, day, machine)
		if err != nil {
			return fmt.Errorf("keep counts: %w", err)
		}
		return nil
	})
}

package machine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/numset"
)

// Pin is a colleague's choice of a pool for some people, which rules do not
// change until a day is over.
type Pin struct {
	Contacts []string `json:"contacts" minItems:"1" maxItems:"500" doc:"Ids of contacts"`
	Pool     string   `json:"pool" doc:"Id of the pool"`
	Until    string   `json:"until" format:"date" doc:"Last day on which the choice holds, of the company; at most two years ahead"`
	Note     string   `json:"note" minLength:"1" maxLength:"200" doc:"Why"`
}

// maxPins is how many people one request puts somewhere.
const maxPins = 500

// Put places people into a pool until a day is over, and tells how many stood
// elsewhere before.
func (s *Service) Put(ctx context.Context, p Pin) (moved int64, err error) {
	zone, now := s.Zone(ctx), s.Clock.Now()
	note := veil.Text(strings.TrimSpace(p.Note))
	until, err := time.ParseInLocation(time.DateOnly, p.Until, zone)
	end := until.AddDate(0, 0, 1) // the day itself is included
	switch {
	case err != nil:
		return 0, errInput.On(errs.At("until", "rule.needs_date"))
	case !end.After(now) || end.After(now.AddDate(2, 0, 1)):
		return 0, errInput.On(errs.At("until", "machine.bad_until"))
	case note == "":
		return 0, errInput.On(errs.At("note", "request.field_required"))
	case len([]rune(note)) > 200:
		return 0, errInput.On(errs.At("note", "request.too_long", "limit", 200))
	case len(p.Contacts) == 0 || len(p.Contacts) > maxPins:
		return 0, errInput.On(errs.At("contacts", "rule.out_of_range", "least", 1, "limit", maxPins))
	}
	nums := make([]int64, len(p.Contacts))
	for i, id := range p.Contacts {
		if nums[i], err = s.Contacts.NumOf(ctx, id); err != nil {
			return 0, err
		}
	}
	by := auth.From(ctx)
	w := words{reason: byHand, note: note, by: contact.Ref{ID: by.ID, Name: by.Name}, live: true, pinned: end.UnixMilli()}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		moved = 0
		d, err := s.working(ctx, Pools)
		switch {
		case err != nil:
			return err
		case d == nil:
			return errBusy
		case d.state(p.Pool) == nil:
			return errInput.On(errs.At("pool", "machine.no_such_state", "id", p.Pool))
		}
		people, err := s.Contacts.Matching(ctx, nil, "", nums)
		if err != nil {
			return err
		}
		if people.Count() == 0 {
			return errInput.On(errs.At("contacts", "machine.only_people"))
		}
		at, err := s.standingOf(ctx, d, people, people.List())
		if err != nil {
			return err
		}
		there := &numset.Set{}
		for id, in := range at.in {
			if id == p.Pool {
				there.Or(in)
				continue
			}
			if err := s.move(ctx, d, move{id, p.Pool, in}, w); err != nil {
				return err
			}
			moved += in.Count()
			people.AndNot(in)
		}
		people.AndNot(there)
		if err := s.put(ctx, Pools, move{"", p.Pool, nil}, people.List(), w); err != nil {
			return err
		}
		if err := s.pin(ctx, there.List(), w.pinned); err != nil {
			return err
		}
		return s.Audit.Record(ctx, "pool.put", audit.Object{Type: "pool", ID: p.Pool, Name: d.state(p.Pool).Name.ZH},
			map[string]any{"contacts": len(nums), "until": p.Until, "note": note})
	})
	return moved, err
}

// move writes and tells one move, whatever was chosen for these people before.
func (s *Service) move(ctx context.Context, d *Definition, m move, w words) error {
	if err := s.put(ctx, d.Machine, m, m.Who.List(), w); err != nil {
		return err
	}
	return s.tell(ctx, d, m, m.Who.List(), w)
}

func (s *Service) pin(ctx context.Context, nums []int64, until int64) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	_, err := s.DB.Exec(ctx, "update machine_states set pinned_until = cast($1 as bigint) where machine = $2 and contact in ("+s.listSQL(3)+")", until, Pools, s.list(nums))
	if err != nil {
		return fmt.Errorf("pin to a pool: %w", err)
	}
	return nil
}

// Release ends a colleague's choice for a contact: rules decide again, at once.
func (s *Service) Release(ctx context.Context, id string) error {
	num, err := s.Contacts.NumOf(ctx, id)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		d, err := s.working(ctx, Pools)
		if err != nil {
			return err
		}
		if d == nil {
			return errBusy
		}
		if err := s.pin(ctx, []int64{num}, 0); err != nil {
			return err
		}
		by := auth.From(ctx)
		w := words{reason: byHand, by: contact.Ref{ID: by.ID, Name: by.Name}, live: true}
		if err := s.sort(ctx, d, []int64{num}, w); err != nil {
			return err
		}
		return s.Audit.Record(ctx, "pool.released", audit.Object{Type: "contact", ID: id}, nil)
	})
}

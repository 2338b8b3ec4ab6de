package machine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/numset"
)

// Choice is a colleague's choice of a state for some people, which rules do not
// change until a day is over.
type Choice struct {
	State string `json:"state,omitempty" maxLength:"32" doc:"Id of the stage or pool"`
	Until string `json:"until,omitempty" format:"date" doc:"Last day on which the choice holds, of the company; at most two years ahead"`
	Note  string `json:"note,omitempty" maxLength:"200" doc:"Why"`
}

// Pin is a choice for a few, who are named.
type Pin struct {
	Contacts []string `json:"contacts" minItems:"1" maxItems:"500" doc:"Ids of contacts"`
	Choice
}

const (
	// maxPins is how many people one request puts somewhere at once; more are a job.
	maxPins = 500
	// pinYears is how far ahead a choice may hold.
	pinYears = 2
	// maxWhy is how long a reason may be, in characters.
	maxWhy = 200
)

// chosen is a choice that was checked.
type chosen struct {
	Machine string      `json:"machine"`
	State   string      `json:"state"`
	Until   string      `json:"until"`
	End     int64       `json:"end"` // the first moment that is no longer held
	Note    string      `json:"note"`
	By      contact.Ref `json:"by"`
	run     string
}

// choose checks what somebody chose, but for the state: that may go while a job waits.
func (s *Service) choose(ctx context.Context, machine string, c Choice) (chosen, error) {
	out := chosen{Machine: machine, State: c.State, Until: c.Until, Note: veil.Text(strings.TrimSpace(c.Note)), By: me(ctx)}
	now := s.Clock.Now()
	day, err := time.ParseInLocation(time.DateOnly, c.Until, s.Zone(ctx))
	end := day.AddDate(0, 0, 1) // the day itself is included
	out.End = end.UnixMilli()
	switch {
	case c.State == "":
		return out, errInput.On(errs.At("state", "request.field_required"))
	case err != nil:
		return out, errInput.On(errs.At("until", "rule.needs_date"))
	case !end.After(now) || end.After(now.AddDate(pinYears, 0, 1)):
		return out, errInput.On(errs.At("until", "machine.bad_until"))
	case out.Note == "":
		return out, errInput.On(errs.At("note", "request.field_required"))
	case len([]rune(out.Note)) > maxWhy:
		return out, errInput.On(errs.At("note", "request.too_long", "limit", maxWhy))
	}
	return out, nil
}

// me is who asks.
func me(ctx context.Context) contact.Ref {
	if p := auth.From(ctx); p != nil {
		return contact.Ref{ID: p.ID, Name: p.Name}
	}
	return contact.Ref{}
}

// Put places a few people by hand until a day is over, and tells how many stood
// elsewhere before.
func (s *Service) Put(ctx context.Context, machine string, p Pin) (moved int64, err error) {
	c, err := s.choose(ctx, machine, p.Choice)
	if err != nil {
		return 0, err
	}
	nums, err := s.few(ctx, p.Contacts)
	if err != nil {
		return 0, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		d, err := s.mustWork(ctx, machine)
		if err != nil {
			return err
		}
		var placed int64
		if placed, moved, err = s.place(ctx, d, c, nums); err != nil {
			return err
		}
		if placed == 0 {
			return errInput.On(errs.At("contacts", "machine.only_people"))
		}
		return s.audit(ctx, "machine.placed", d, c.State, map[string]any{"contacts": named(p.Contacts), "moved": moved, "until": c.Until, "note": c.Note})
	})
	return moved, err
}

// named is what the audit log says of contacts: a few by id, of more how many.
func named(ids []string) any {
	if len(ids) > 10 {
		return len(ids)
	}
	return ids
}

// few are the numbers of contacts that a request names.
func (s *Service) few(ctx context.Context, ids []string) ([]int64, error) {
	if len(ids) == 0 || len(ids) > maxPins {
		return nil, errInput.On(errs.At("contacts", "rule.out_of_range", "least", 1, "limit", maxPins))
	}
	nums := make([]int64, len(ids))
	for i, id := range ids {
		var err error
		if nums[i], err = s.Contacts.NumOf(ctx, id); err != nil {
			return nil, err
		}
	}
	return nums, nil
}

// mustWork is working where there must be a definition in force.
func (s *Service) mustWork(ctx context.Context, machine string) (*Definition, error) {
	d, err := s.working(ctx, machine)
	if err == nil && d == nil {
		err = errBusy
	}
	return d, err
}

// audit writes down what was done by hand; a state is named as the company calls it.
func (s *Service) audit(ctx context.Context, action string, d *Definition, state string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	o := audit.Object{Type: "machine", ID: d.Machine, Name: d.Machine}
	if st := d.state(state); st != nil {
		detail["state"] = state
		if o.Name = st.Name.ZH; o.Name == "" {
			o.Name = st.Name.EN
		}
	}
	return s.Audit.Record(ctx, action, o, detail)
}

// place puts people where somebody chose, whatever was chosen for them before, in
// the transaction of ctx. It counts those that are people, and those of them who
// stood elsewhere.
func (s *Service) place(ctx context.Context, d *Definition, c chosen, nums []int64) (placed, moved int64, err error) {
	if d.state(c.State) == nil {
		return 0, 0, errInput.On(errs.At("state", "machine.no_such_state", "id", c.State))
	}
	if err := s.lock(ctx); err != nil {
		return 0, 0, err
	}
	people, err := s.Contacts.Matching(ctx, nil, "", nums)
	if err != nil || people.Count() == 0 {
		return 0, 0, err
	}
	who := people.List()
	w := words{reason: byHand, note: c.Note, by: c.By, live: true, pinned: c.End}
	if moved, err = s.placeIn(ctx, d, c.State, people, w); err != nil {
		return 0, 0, err
	}
	if err := s.notePins(ctx, c, who); err != nil {
		return 0, 0, err
	}
	s.handChanged(ctx, d.Machine)
	return int64(len(who)), moved, nil
}

// placeIn puts people into a state and pins them there, and tells how many stood
// elsewhere. Under the lock.
func (s *Service) placeIn(ctx context.Context, d *Definition, state string, people *numset.Set, w words) (moved int64, err error) {
	at, err := s.standingOf(ctx, d, people, people.List())
	if err != nil {
		return 0, err
	}
	there, nowhere := &numset.Set{}, people.Clone()
	for id, in := range at.in {
		nowhere.AndNot(in)
		if id == state {
			there.Or(in)
			continue
		}
		if err := s.move(ctx, d, move{id, state, in}, w); err != nil {
			return 0, err
		}
		moved += in.Count()
	}
	if err := s.put(ctx, d.Machine, move{"", state, nil}, nowhere.List(), w); err != nil {
		return 0, err
	}
	return moved, s.pin(ctx, d.Machine, there.List(), w.pinned)
}

// KnownPool tells whether there is a pool of that id.
func (s *Service) KnownPool(ctx context.Context, id string) (bool, error) {
	d, err := s.newest(ctx, Pools)
	return err == nil && d != nil && d.state(id) != nil, err
}

// Place puts people into a pool for some days because of where they came in, such
// as by a live code; rules decide again after that. It must run in a transaction.
// While everybody is being sorted anew these are placed all the same, and the
// sorting leaves who is pinned.
func (s *Service) Place(ctx context.Context, nums []int64, pool string, days int, note string) error {
	d, err := s.newest(ctx, Pools)
	if err != nil || d == nil || d.state(pool) == nil {
		return err
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	people, err := s.Contacts.Matching(ctx, nil, "", nums)
	if err != nil || people.Count() == 0 {
		return err
	}
	end := s.Clock.Now().In(s.Zone(ctx)).AddDate(0, 0, days)
	_, err = s.placeIn(ctx, d, pool, people, words{reason: byFact, note: veil.Text(note), live: true, pinned: end.UnixMilli()})
	return err
}

// move writes and tells one move, whatever was chosen for these people before.
func (s *Service) move(ctx context.Context, d *Definition, m move, w words) error {
	if err := s.put(ctx, d.Machine, m, m.Who.List(), w); err != nil {
		return err
	}
	return s.tell(ctx, d, m, m.Who.List(), w)
}

// handChanged lets rules that ask who was placed by hand be looked at again: where
// somebody stays who stood there before, no fact speaks of it.
func (s *Service) handChanged(ctx context.Context, machine string) {
	if s.Engine != nil {
		s.DB.After(ctx, func() { s.Engine.Refresh(base(machine) + "Hand") })
	}
}

func (s *Service) pin(ctx context.Context, machine string, nums []int64, until int64) error {
	_, err := s.DB.Exec(ctx, "update machine_states set pinned_until = cast($1 as bigint) where machine = $2 and contact in ("+s.listSQL(3)+")", until, machine, s.list(nums))
	if err != nil {
		return fmt.Errorf("hold people: %w", err)
	}
	return nil
}

func (s *Service) notePins(ctx context.Context, c chosen, nums []int64) error {
	_, err := s.DB.Exec(ctx, `insert into machine_pins (machine, contact, until_at, at, note, by_id, by_name, run)
		select $1, n.num, cast($2 as bigint), cast($3 as bigint), $4, $5, $6, $7 from (`+s.numbersSQL(8)+`) as n where true
		on conflict (machine, contact) do update set until_at = excluded.until_at, at = excluded.at, note = excluded.note, by_id = excluded.by_id, by_name = excluded.by_name, run = excluded.run`,
		c.Machine, c.End, s.Clock.Now().UnixMilli(), c.Note, c.By.ID, c.By.Name, c.run, s.list(nums))
	if err != nil {
		return fmt.Errorf("note who was placed by hand: %w", err)
	}
	return nil
}

// dropPins forgets why people were placed by hand.
func (s *Service) dropPins(ctx context.Context, machine string, nums []int64) error {
	_, err := s.DB.Exec(ctx, "delete from machine_pins where machine = $1 and contact in ("+s.listSQL(2)+")", machine, s.list(nums))
	if err != nil {
		return fmt.Errorf("forget who was placed by hand: %w", err)
	}
	return nil
}

// Release ends a colleague's choice for a contact: rules decide again, at once.
// Where nobody chose, or the choice is over, that is a Conflict.
func (s *Service) Release(ctx context.Context, machine, id string) error {
	num, err := s.Contacts.NumOf(ctx, id)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		d, err := s.mustWork(ctx, machine)
		if err != nil {
			return err
		}
		n, err := s.free(ctx, d, []int64{num}, me(ctx))
		if err != nil {
			return err
		}
		if n == 0 {
			return errs.New(errs.Conflict, "machine.not_placed")
		}
		return s.audit(ctx, "machine.released", d, "", map[string]any{"contacts": []string{id}})
	})
}

// free lets rules decide again about those of the people for whom somebody chose,
// in the transaction of ctx, and counts them.
func (s *Service) free(ctx context.Context, d *Definition, nums []int64, by contact.Ref) (int64, error) {
	if err := s.lock(ctx); err != nil {
		return 0, err
	}
	var held []int64
	err := s.eachIn(ctx, "find who is held", "select contact from machine_states where machine = $1 and pinned_until > cast($2 as bigint) and contact in ({list})", []any{d.Machine, s.Clock.Now().UnixMilli()}, nums, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		held = append(held, n)
		return err
	})
	if err != nil || len(held) == 0 {
		return 0, err
	}
	if err := errors.Join(s.pin(ctx, d.Machine, held, 0), s.dropPins(ctx, d.Machine, held)); err != nil {
		return 0, err
	}
	s.handChanged(ctx, d.Machine)
	return int64(len(held)), s.sort(ctx, d, held, words{reason: byHand, by: by, live: true})
}

// overPins forgets choices that are over.
func (s *Service) overPins(ctx context.Context, now time.Time) error {
	n, err := s.DB.ExecN(ctx, "delete from machine_pins where until_at <= cast($1 as bigint)", now.UnixMilli())
	if err != nil {
		return fmt.Errorf("forget choices that are over: %w", err)
	}
	if n > 0 {
		for _, m := range Machines() {
			s.handChanged(ctx, m)
		}
	}
	return nil
}

// PinView is a choice that holds.
type PinView struct {
	Until string      `json:"until" format:"date" doc:"Last day on which it holds"`
	At    *time.Time  `json:"at,omitempty"`
	By    contact.Ref `json:"by"`
	Note  string      `json:"note,omitempty"`
}

// Placed is somebody whom a colleague placed by hand.
type Placed struct {
	Contact contact.Ref `json:"contact"`
	State   string      `json:"state" doc:"Id of the stage or pool"`
	Label   string      `json:"label" doc:"Its name in the caller's language"`
	Color   string      `json:"color"`
	PinView
}

const pinColumns = "s.contact, s.state, s.pinned_until, coalesce(p.at, 0), coalesce(p.note, ''), coalesce(p.by_id, ''), coalesce(p.by_name, '')"

const pinTables = "machine_states s left join machine_pins p on p.machine = s.machine and p.contact = s.contact and p.until_at = s.pinned_until"

// scanPin reads pinColumns.
func (s *Service) scanPin(r *sql.Rows, zone *time.Location) (num, until int64, p Placed, err error) {
	var at int64
	err = r.Scan(&num, &p.State, &until, &at, &p.Note, &p.By.ID, &p.By.Name)
	p.Until = time.UnixMilli(until - 1).In(zone).Format(time.DateOnly)
	if at > 0 {
		t := time.UnixMilli(at).UTC()
		p.At = &t
	}
	return num, until, p, err
}

// pinOf is the choice that holds for a contact; nil when rules decide.
func (s *Service) pinOf(ctx context.Context, machine string, num int64) (*PinView, error) {
	zone := s.Zone(ctx)
	rows, err := s.DB.Query(ctx, "select "+pinColumns+" from "+pinTables+" where s.machine = $1 and s.contact = $2 and s.pinned_until > cast($3 as bigint)", machine, num, s.Clock.Now().UnixMilli())
	out, err := db.Collect(rows, err, func(r *sql.Rows) (PinView, error) {
		_, _, p, err := s.scanPin(r, zone)
		return p.PinView, err
	})
	if err != nil {
		return nil, fmt.Errorf("read a choice: %w", err)
	}
	if len(out) == 0 {
		return nil, nil
	}
	return &out[0], nil
}

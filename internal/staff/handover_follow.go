package staff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// recheck is how long a hand-over rests between two looks at its results: they
// come when customers refuse, or after 24 hours.
const recheck = 10 * time.Minute

// turn asks for what was not asked for yet and looks at what became of the rest.
func (s *Service) turn(ctx context.Context) {
	rows, err := s.DB.Query(ctx, "select id, account, from_staff, to_staff, gone, message_enc, created_at from staff_handovers where state = 'open' and checked_at <= $1 order by created_at, id limit 50", s.Clock.Now().Add(-recheck).UnixMilli())
	list, err := db.Collect(rows, err, func(r *sql.Rows) (h open, err error) {
		var gone int64
		err = r.Scan(&h.id, &h.account, &h.from, &h.to, &gone, &h.message, &h.created)
		if err == nil {
			h.message, err = s.unseal(messageField, h.message)
		}
		h.gone = gone == 1
		return h, err
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "open hand-overs not read", "error", err)
		return
	}
	for _, h := range list {
		if ctx.Err() != nil {
			return
		}
		if err := s.follow(ctx, h); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "a hand-over does not go on just now", "handover", h.id, "error", err)
		}
	}
}

// open is a hand-over that is not over.
type open struct {
	id, account, from, to, message string
	gone                           bool
	created                        int64
}

// follow takes a hand-over as far as it goes now. checked_at is moved first: of two
// nodes one does it, and what fails is tried again after a rest.
func (s *Service) follow(ctx context.Context, h open) error {
	now := s.Clock.Now()
	n, err := s.DB.ExecN(ctx, "update staff_handovers set checked_at = $2 where id = $1 and state = 'open' and checked_at <= $3", h.id, now.UnixMilli(), now.Add(-recheck).UnixMilli())
	if err != nil || n == 0 {
		return err
	}
	// One part that waits for its quota does not hold the others back.
	faults := []error{s.ask(ctx, h), s.askGroups(ctx, h), s.results(ctx, h)}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	return s.end(ctx, h.id)
}

// end closes a hand-over of which everything is known.
func (s *Service) end(ctx context.Context, id string) error {
	_, err := s.DB.ExecN(ctx, `update staff_handovers set state = 'done', ended_at = $2 where id = $1 and state = 'open' and not exists (select 1 from staff_handed where handover = $1 and state in ('new', 'waiting'))
		and not exists (select 1 from staff_handed_groups where handover = $1 and state in ('new', 'asked'))`, id, s.Clock.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("end hand-over: %w", err)
	}
	return nil
}

// ask begins the hand-over of those who are new, a hundred at a time. A part is
// put down as waiting before it is asked for: after a crash nobody is asked for
// twice, which would count against the platform's limit, and the results tell of all.
func (s *Service) ask(ctx context.Context, h open) error {
	for {
		part, err := s.claim(ctx, h.id, "staff_handed", "customer", HandWaiting, HandAtOnce)
		if err != nil || len(part) == 0 {
			return err
		}
		bad, err := s.Platform.Hand(ctx, h.account, Hand{From: h.from, To: h.to, Customers: part, Message: h.message, Gone: h.gone})
		if err != nil {
			switch {
			case s.Platform.Refused(err): // all of it, for good
				if err := s.settle(ctx, h, part, HandFailed, whyOf(err)); err != nil {
					return err
				}
				continue
			default:
				if _, later := s.Platform.Later(err); later { // it did not leave at all
					return errors.Join(err, s.settle(ctx, h, part, HandNew, whyLater))
				}
				return err // nobody knows; the results will tell
			}
		}
		for c, e := range bad {
			if err := s.settle(ctx, h, []string{c}, HandFailed, whyOf(e)); err != nil {
				return err
			}
		}
	}
}

// whyLater is of those for whom the platform's limit leaves no room just now.
const whyLater = "staff.asked_later"

var errClaimed = errors.New("somebody stopped it meanwhile")

// claim takes the next of a hand-over's new rows and puts them down as asked for:
// who is stopped first is not among them.
func (s *Service) claim(ctx context.Context, id, table, column, state string, most int) ([]string, error) {
	for {
		var part []string
		err := s.DB.Tx(ctx, func(ctx context.Context) error {
			rows, err := s.DB.Query(ctx, fmt.Sprintf("select %[1]s from %[2]s where handover = $1 and state = 'new' order by %[1]s limit %[3]d", column, table, most), id)
			part, err = db.Collect(rows, err, func(r *sql.Rows) (c string, err error) { return c, r.Scan(&c) })
			if err != nil || len(part) == 0 {
				return err
			}
			args := []any{state, s.Clock.Now().UnixMilli(), id}
			for _, c := range part {
				args = append(args, c)
			}
			n, err := s.DB.ExecN(ctx, "update "+table+" set state = $1, why = '', at = $2 where handover = $3 and state = 'new' and "+column+" in ("+db.In(4, len(part))+")", args...)
			if err == nil && n < int64(len(part)) {
				err = errClaimed
			}
			return err
		})
		if errors.Is(err, errClaimed) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("take up hand-over: %w", err)
		}
		return part, nil
	}
}

// whyOf keeps the code of an error, and the platform's number for its words.
func whyOf(err error) string {
	e := errs.As(err)
	if n, ok := e.Params["number"]; ok {
		return e.Code + " " + fmt.Sprint(n)
	}
	return e.Code
}

// settle writes what became of customers.
func (s *Service) settle(ctx context.Context, h open, customers []string, state, why string) error {
	return chunked(customers, func(part []any) error {
		_, err := s.DB.Exec(ctx, "update staff_handed set state = $1, why = $2, at = $3 where handover = $4 and customer in ("+db.In(5, len(part))+")", append([]any{state, why, s.Clock.Now().UnixMilli(), h.id}, part...)...)
		if err != nil {
			return fmt.Errorf("note hand-over: %w", err)
		}
		return nil
	})
}

// lost is after how long a customer whom the results do not know was never handed over.
const lost = 26 * time.Hour

func (s *Service) results(ctx context.Context, h open) error {
	waiting, err := s.waiting(ctx, h.id)
	if err != nil || len(waiting) == 0 {
		return err
	}
	ends := map[string][]string{}
	var done []string
	for cursor := ""; ; {
		page, next, err := s.Platform.Handed(ctx, h.account, h.from, h.to, h.gone, cursor)
		if err != nil {
			return err
		}
		for _, r := range page {
			if _, ours := waiting[r.Customer]; !ours || r.State == HandWaiting || r.State == HandNew {
				continue
			}
			if r.State == HandDone {
				if !r.At.IsZero() && r.At.UnixMilli() < h.created-int64(time.Minute/time.Millisecond) {
					continue // of an earlier hand-over between the two
				}
				done = append(done, r.Customer)
			} else {
				ends[r.State] = append(ends[r.State], r.Customer)
			}
			delete(waiting, r.Customer)
		}
		if next == "" || next == cursor {
			break
		}
		cursor = next
	}
	for state, list := range ends {
		if err := s.settle(ctx, h, list, state, ""); err != nil {
			return err
		}
	}
	if err := s.moved(ctx, h, done); err != nil {
		return err
	}
	var never []string
	for c, at := range waiting {
		if s.Clock.Now().Sub(clock.FromMs(at.at)) > lost {
			never = append(never, c)
		}
	}
	return s.settle(ctx, h, never, HandFailed, "staff.no_result")
}

type waitingFor struct{ contact, at int64 }

func (s *Service) waiting(ctx context.Context, id string) (map[string]waitingFor, error) {
	rows, err := s.DB.Query(ctx, "select customer, contact, at from staff_handed where handover = $1 and state = 'waiting'", id)
	out := map[string]waitingFor{}
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var c string
		var w waitingFor
		err = r.Scan(&c, &w.contact, &w.at)
		out[c] = w
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("read whom a hand-over waits for: %w", err)
	}
	return out, nil
}

// moved states that customers are the other colleague's, and gives the contacts
// that were the first one's to the second, where both are users here.
func (s *Service) moved(ctx context.Context, h open, customers []string) error {
	if len(customers) == 0 {
		return nil
	}
	slices.Sort(customers)
	now := s.Clock.Now().UnixMilli()
	facts := make([]event.Fact, len(customers))
	for i, c := range customers {
		facts[i] = event.Fact{MessageID: messageID("fm", h.id, c), Type: event.Track, Name: event.NameFriendMoved, Identifiers: []event.Identifier{{Kind: contact.KindExternalUserID, Value: c}},
			Timestamp: now, Source: source, Properties: object(map[string]any{"account": h.account, "staff": h.to, "from": h.from})}
	}
	if _, err := s.Ingest.Ingest(ctx, facts); err != nil { // before it is put down: a crash between states it again, and it counts once
		return fmt.Errorf("state hand-over: %w", err)
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.settle(ctx, h, customers, HandDone, ""); err != nil {
			return err
		}
		return s.owners(ctx, h, customers)
	})
}

func (s *Service) owners(ctx context.Context, h open, customers []string) error {
	from, err := s.UserOf(ctx, h.account, h.from)
	if err != nil {
		return err
	}
	to, err := s.UserOf(ctx, h.account, h.to)
	if err != nil {
		return err
	}
	if from == "" || to == "" || from == to {
		return nil
	}
	var nums []int64
	err = chunked(customers, func(part []any) error {
		rows, err := s.DB.Query(ctx, "select contact from staff_handed where handover = $1 and customer in ("+db.In(2, len(part))+")", append([]any{h.id}, part...)...)
		list, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
		nums = append(nums, list...)
		return err
	})
	if err != nil {
		return fmt.Errorf("read whom the hand-over concerns: %w", err)
	}
	into, err := s.Contacts.Survivors(ctx, nums)
	if err != nil {
		return err
	}
	moves := make([]contact.OwnerMove, len(nums))
	for i, n := range nums {
		if into[n] != 0 {
			n = into[n]
		}
		moves[i] = contact.OwnerMove{Num: n, From: from, To: to}
	}
	_, err = s.Contacts.Assign(auth.With(ctx, auth.System("staff")), moves, contact.OwnerReason{How: contact.OwnedMoved, Why: "WeCom"})
	return err
}

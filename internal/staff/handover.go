package staff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Limits of hand-overs, of the platform but for the last.
const (
	maxMessage   = 200                 // characters
	handTimes    = 2                   // a customer in service is handed over so often
	handSpan     = 90 * 24 * time.Hour // in so long
	maxCustomers = 20_000              // of one hand-over: as many as one colleague can have
)

// recheck is how long a hand-over rests between two looks at its results: they
// come when customers refuse, or after 24 hours.
const recheck = 10 * time.Minute

// HandInput asks for a hand-over: of some customers, or of all.
type HandInput struct {
	Account   string   `json:"account" maxLength:"60"`
	From      string   `json:"from" maxLength:"64" doc:"The platform's id of the colleague"`
	To        string   `json:"to" maxLength:"64"`
	Customers []string `json:"customers,omitempty" maxItems:"20000" doc:"The platform's ids; none with all"`
	All       bool     `json:"all,omitempty" doc:"Everybody who is the first colleague's friend"`
	Message   string   `json:"message,omitempty" maxLength:"800" doc:"What the customers read; not when the colleague has left"`
}

// HandOver begins a hand-over. Customers who were handed over twice within 90
// days already are put down as failed: the platform would refuse them.
func (s *Service) HandOver(ctx context.Context, in HandInput) (Handover, error) {
	from, to, err := s.checkHand(ctx, &in)
	if err != nil {
		return Handover{}, err
	}
	id, now := s.IDs.New("ho"), s.Clock.Now()
	by := auth.From(ctx)
	if by == nil {
		by = auth.System("staff")
	}
	gone := int64(0)
	if from.State == MemberLeft {
		gone, in.Message = 1, ""
	}
	message, err := s.seal(messageField, in.Message)
	if err != nil {
		return Handover{}, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		args := []any{id, now.UnixMilli(), in.Account, in.From}
		insert := `insert into staff_handed (handover, customer, contact, state, why, at) select $1, customer, contact, 'new', '', $2 from staff_friends where account = $3 and staff = $4 and state = 'friend'`
		total := int64(0)
		if in.All {
			n, err := s.DB.ExecN(ctx, insert, args...)
			if err != nil {
				return fmt.Errorf("put down customers: %w", err)
			}
			total = n
		} else {
			list := slices.Compact(slices.Sorted(slices.Values(in.Customers)))
			err := chunked(list, func(part []any) error {
				n, err := s.DB.ExecN(ctx, insert+" and customer in ("+db.In(len(args)+1, len(part))+")", append(slices.Clone(args), part...)...)
				total += n
				return err
			})
			if err != nil {
				return fmt.Errorf("put down customers: %w", err)
			}
		}
		if total == 0 {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("customers", "staff.nobody_to_hand"))
		}
		if total > maxCustomers {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("customers", "request.too_many_items", "limit", maxCustomers))
		}
		// One who is being handed over now cannot be, and in service nobody more often than twice.
		if _, err := s.DB.Exec(ctx, `update staff_handed set state = 'failed', why = $2 where handover = $1 and exists (select 1 from staff_handed o where o.customer = staff_handed.customer
			and o.handover <> $1 and o.state in ('new', 'waiting'))`, id, "staff.in_transfer"); err != nil {
			return fmt.Errorf("look for other hand-overs: %w", err)
		}
		if gone == 0 {
			if _, err := s.DB.Exec(ctx, `update staff_handed set state = 'failed', why = $4 where handover = $1 and state = 'new' and (select count(*) from staff_handed o
				where o.customer = staff_handed.customer and o.handover <> $1 and o.at > $2 and o.state = 'done') >= $3`, id, now.Add(-handSpan).UnixMilli(), handTimes, "staff.too_often"); err != nil {
				return fmt.Errorf("count other hand-overs: %w", err)
			}
		}
		if _, err := s.DB.Exec(ctx, `insert into staff_handovers (id, account, from_staff, to_staff, gone, message_enc, state, total, by_id, by_name, created_at, checked_at, ended_at)
			values ($1,$2,$3,$4,$5,$6,'open',$7,$8,$9,$10,0,0)`, id, in.Account, in.From, in.To, gone, message, total, by.ID, by.Name, now.UnixMilli()); err != nil {
			return fmt.Errorf("keep hand-over: %w", err)
		}
		s.DB.After(ctx, s.nudge)
		return s.record(ctx, "staff.handed_over", id, from.Name, map[string]any{"account": in.Account, "from": in.From, "to": in.To, "toName": to.Name, "customers": total})
	})
	if err != nil {
		return Handover{}, err
	}
	return s.Handover(ctx, id)
}

func (s *Service) checkHand(ctx context.Context, in *HandInput) (from, to CorpMember, err error) {
	in.Message = strings.TrimSpace(in.Message)
	bad := func(field, code string, params ...any) error {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code, params...))
	}
	switch {
	case in.From == "":
		return from, to, bad("from", "request.field_required")
	case in.To == "":
		return from, to, bad("to", "request.field_required")
	case in.From == in.To:
		return from, to, bad("to", "staff.same_colleague")
	case len(in.Customers) == 0 && !in.All:
		return from, to, bad("customers", "request.field_required")
	case utf8.RuneCountInString(in.Message) > maxMessage:
		return from, to, bad("message", "request.too_long", "limit", maxMessage)
	}
	if from, err = s.Colleague(ctx, in.Account, in.From); err != nil {
		return from, to, one(err, bad("from", "staff.not_found"))
	}
	if to, err = s.Colleague(ctx, in.Account, in.To); err != nil {
		return from, to, one(err, bad("to", "staff.not_found"))
	}
	if to.State == MemberLeft || !to.Serves {
		return from, to, bad("to", "staff.cannot_serve")
	}
	return from, to, nil
}

// one gives bad in place of not found.
func one(err, bad error) error {
	if errors.Is(err, errNoColleague) {
		return bad
	}
	return err
}

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
	if err := s.ask(ctx, h); err != nil {
		return err
	}
	if err := s.results(ctx, h); err != nil {
		return err
	}
	_, err = s.DB.ExecN(ctx, `update staff_handovers set state = 'done', ended_at = $2 where id = $1 and not exists (select 1 from staff_handed where handover = $1 and state in ('new', 'waiting'))`, h.id, now.UnixMilli())
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
		rows, err := s.DB.Query(ctx, fmt.Sprintf("select customer from staff_handed where handover = $1 and state = 'new' order by customer limit %d", HandAtOnce), h.id)
		part, err := db.Collect(rows, err, func(r *sql.Rows) (c string, err error) { return c, r.Scan(&c) })
		if err != nil {
			return fmt.Errorf("read whom to hand over: %w", err)
		}
		if len(part) == 0 {
			return nil
		}
		if err := s.settle(ctx, h, part, HandWaiting, ""); err != nil {
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
					return errors.Join(err, s.settle(ctx, h, part, HandNew, ""))
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

const handoverColumns = "id, account, from_staff, to_staff, gone, message_enc, state, total, by_name, created_at, ended_at"

// Handovers lists hand-overs, the newest first.
func (s *Service) Handovers(ctx context.Context, account string, limit int) ([]Handover, error) {
	return s.handovers(ctx, fmt.Sprintf("where account = $1 order by created_at desc, id limit %d", limit), account)
}

// Handover gives one.
func (s *Service) Handover(ctx context.Context, id string) (Handover, error) {
	list, err := s.handovers(ctx, "where id = $1", id)
	if err != nil {
		return Handover{}, err
	}
	if len(list) == 0 {
		return Handover{}, errs.New(errs.NotFound, "staff.no_handover")
	}
	return list[0], nil
}

func (s *Service) handovers(ctx context.Context, where string, args ...any) ([]Handover, error) {
	rows, err := s.DB.Query(ctx, "select "+handoverColumns+" from staff_handovers "+where, args...)
	at := map[string]int{}
	ids := map[[2]string]bool{}
	list, err := db.Collect(rows, err, func(r *sql.Rows) (h Handover, err error) {
		var gone, created, ended int64
		err = r.Scan(&h.ID, &h.Account, &h.From.ID, &h.To.ID, &gone, &h.Message, &h.State, &h.Total, &h.By, &created, &ended)
		if err == nil {
			h.Message, err = s.unseal(messageField, h.Message)
		}
		h.Gone, h.CreatedAt, h.Counts = gone == 1, clock.FromMs(created), map[string]int64{}
		if ended > 0 {
			h.EndedAt = clock.FromMs(ended)
		}
		at[h.ID] = len(at)
		ids[[2]string{h.Account, h.From.ID}], ids[[2]string{h.Account, h.To.ID}] = true, true
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("read hand-overs: %w", err)
	}
	names, err := s.staffNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	var part []string
	for i := range list {
		h := &list[i]
		for _, r := range []*MemberRef{&h.From, &h.To} {
			if r.Name = names[[2]string{h.Account, r.ID}].Name; r.Name == "" {
				r.Name = r.ID
			}
		}
		part = append(part, h.ID)
	}
	err = chunked(part, func(part []any) error {
		rows, err := s.DB.Query(ctx, "select handover, state, count(*) from staff_handed where handover in ("+db.In(1, len(part))+") group by handover, state", part...)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var id, state string
			var n int64
			err = r.Scan(&id, &state, &n)
			list[at[id]].Counts[state] = n
			return x, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count hand-overs: %w", err)
	}
	return list, nil
}

// HandedCustomer is one customer of a hand-over.
type HandedCustomer struct {
	Customer  string    `json:"customer"`
	ContactID string    `json:"contactId,omitempty"`
	Name      string    `json:"name,omitempty"`
	State     string    `json:"state" enum:"new,waiting,done,refused,full,failed"`
	Why       string    `json:"why,omitempty" doc:"A code"`
	Words     string    `json:"words,omitempty"`
	At        time.Time `json:"at"`
}

// HandedCustomers lists the customers of a hand-over by id.
func (s *Service) HandedCustomers(ctx context.Context, id, after string, limit int) (list []HandedCustomer, next string, err error) {
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select customer, contact, state, why, at from staff_handed where handover = $1 and customer > $2 order by customer limit %d", limit+1), id, after)
	var nums []int64
	list, err = db.Collect(rows, err, func(r *sql.Rows) (h HandedCustomer, err error) {
		var num, at int64
		err = r.Scan(&h.Customer, &num, &h.State, &h.Why, &at)
		h.At = clock.FromMs(at)
		nums = append(nums, num)
		return h, err
	})
	if err != nil {
		return nil, "", fmt.Errorf("read hand-over: %w", err)
	}
	if len(list) > limit {
		list, nums = list[:limit], nums[:limit]
		next = list[limit-1].Customer
	}
	seen, err := s.Contacts.InScope(ctx, nums)
	if err != nil {
		return nil, "", err
	}
	known, err := s.Contacts.Describe(ctx, seen)
	if err != nil {
		return nil, "", err
	}
	for i := range list {
		if c, ok := known[nums[i]]; ok {
			list[i].ContactID, list[i].Name = c.ID, c.Name
		}
	}
	return list, next, nil
}

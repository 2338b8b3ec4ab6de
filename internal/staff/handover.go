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

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Limits of hand-overs, of the platform but for the last two.
const (
	maxMessage    = 200                 // characters
	handTimes     = 2                   // a customer in service is handed over so often
	handSpan      = 90 * 24 * time.Hour // in so long
	maxCustomers  = 20_000              // of one hand-over: as many as one colleague can have
	maxSuccessors = 50
)

// HandInput asks for a hand-over: of some customers, or of all.
type HandInput struct {
	Account   string   `json:"account" maxLength:"60"`
	From      string   `json:"from" maxLength:"64" doc:"The platform's id of the colleague"`
	To        []string `json:"to" maxItems:"50" doc:"Who takes over; several take equal shares, and each share is a hand-over of its own"`
	Customers []string `json:"customers,omitempty" maxItems:"20000" doc:"The platform's ids; none with all"`
	All       bool     `json:"all,omitempty" doc:"Everybody who is the first colleague's friend and is not being handed over"`
	Groups    bool     `json:"groups,omitempty" doc:"The groups, too, that somebody who left still owns"`
	Message   string   `json:"message,omitempty" maxLength:"800" doc:"What the customers read; not when the colleague has left"`
}

// handed is a customer or a group to be handed over.
type handed struct {
	id, name string
	contact  int64
}

// HandOver begins a hand-over to each successor. Customers who were handed over
// twice within 90 days already are put down as failed: the platform would refuse
// them.
func (s *Service) HandOver(ctx context.Context, in HandInput) ([]Handover, error) {
	from, to, err := s.checkHand(ctx, &in)
	if err != nil {
		return nil, err
	}
	if from.State == MemberLeft {
		in.Message = ""
	}
	message, err := s.seal(messageField, in.Message)
	if err != nil {
		return nil, err
	}
	plan := s.IDs.New("hp")
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		customers, err := s.customersToHand(ctx, in)
		if err != nil {
			return err
		}
		var groups []handed
		if in.Groups {
			if groups, err = s.groupsToHand(ctx, in.Account, in.From); err != nil {
				return err
			}
		}
		if len(customers)+len(groups) == 0 {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("customers", "staff.nobody_to_hand"))
		}
		if len(customers) > maxCustomers {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At("customers", "request.too_many_items", "limit", maxCustomers))
		}
		for i, t := range to {
			mine, theirs := share(customers, i, len(to)), share(groups, len(to)-1-i, len(to)) // who has one customer less has one group more
			if len(mine)+len(theirs) == 0 {
				continue // more successors than there is to share
			}
			if err := s.begin(ctx, plan, from, t, message, mine, theirs); err != nil {
				return err
			}
		}
		s.DB.After(ctx, s.nudge)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.handovers(ctx, "where plan = $1 order by id", plan)
}

// share deals a list out, the way cards are dealt: shares differ by one at most.
func share(list []handed, i, n int) []handed {
	var out []handed
	for ; i < len(list); i += n {
		out = append(out, list[i])
	}
	return out
}

// customersToHand reads who of the chosen are the colleague's friends. When all are
// meant, those whose hand-over goes on already are left to it.
func (s *Service) customersToHand(ctx context.Context, in HandInput) ([]handed, error) {
	query, args := "select customer, contact from staff_friends where account = $1 and staff = $2 and state = 'friend'", []any{in.Account, in.From}
	scan := func(r *sql.Rows) (h handed, err error) { return h, r.Scan(&h.id, &h.contact) }
	if in.All {
		rows, err := s.DB.Query(ctx, fmt.Sprintf(query+` and not exists (select 1 from staff_handed o where o.customer = staff_friends.customer and o.state in ('new', 'waiting'))
			order by customer limit %d`, maxCustomers+1), args...)
		list, err := db.Collect(rows, err, scan)
		if err != nil {
			return nil, fmt.Errorf("read whom to hand over: %w", err)
		}
		return list, nil
	}
	var out []handed
	err := chunked(slices.Compact(slices.Sorted(slices.Values(in.Customers))), func(part []any) error {
		rows, err := s.DB.Query(ctx, query+" and customer in ("+db.In(3, len(part))+") order by customer", append(slices.Clone(args), part...)...)
		list, err := db.Collect(rows, err, scan)
		out = append(out, list...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read whom to hand over: %w", err)
	}
	return out, nil
}

// begin puts one hand-over down; the background asks the platform for it.
func (s *Service) begin(ctx context.Context, plan string, from, to CorpMember, message string, customers, groups []handed) error {
	id, now := s.IDs.New("ho"), s.Clock.Now()
	by := auth.From(ctx)
	if by == nil {
		by = auth.System("staff")
	}
	gone := int64(0)
	if from.State == MemberLeft {
		gone = 1
	}
	err := inserts(ctx, s.DB, "staff_handed (handover, customer, contact, state, why, at)", customers, func(h handed) []any {
		return []any{id, h.id, h.contact, HandNew, "", now.UnixMilli()}
	})
	if err != nil {
		return fmt.Errorf("put down customers: %w", err)
	}
	err = inserts(ctx, s.DB, "staff_handed_groups (handover, chat, name, state, why, at)", groups, func(h handed) []any {
		return []any{id, h.id, h.name, HandNew, "", now.UnixMilli()}
	})
	if err != nil {
		return fmt.Errorf("put down groups: %w", err)
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
	if _, err := s.DB.Exec(ctx, `insert into staff_handovers (id, plan, account, from_staff, to_staff, gone, message_enc, state, total, by_id, by_name, created_at, checked_at, ended_at)
		values ($1,$2,$3,$4,$5,$6,$7,'open',$8,$9,$10,$11,0,0)`, id, plan, from.Account, from.ID, to.ID, gone, message, len(customers), by.ID, by.Name, now.UnixMilli()); err != nil {
		return fmt.Errorf("keep hand-over: %w", err)
	}
	return s.record(ctx, "staff.handed_over", id, from.Name, map[string]any{"account": from.Account, "from": from.ID, "to": to.ID, "toName": to.Name, "customers": len(customers), "groups": len(groups)})
}

// inserts writes rows, many in one statement.
func inserts[T any](ctx context.Context, d *db.DB, into string, list []T, row func(T) []any) error {
	for part := range slices.Chunk(list, 100) {
		var text strings.Builder
		var args []any
		for i, v := range part {
			if i > 0 {
				text.WriteByte(',')
			}
			cells := row(v)
			text.WriteString("(" + db.In(len(args)+1, len(cells)) + ")")
			args = append(args, cells...)
		}
		if _, err := d.Exec(ctx, "insert into "+into+" values "+text.String(), args...); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) checkHand(ctx context.Context, in *HandInput) (from CorpMember, to []CorpMember, err error) {
	in.Message = strings.TrimSpace(in.Message)
	bad := func(field, code string, params ...any) error {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code, params...))
	}
	in.To = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(in.To))), func(id string) bool { return id == "" })
	switch {
	case in.From == "":
		return from, nil, bad("from", "request.field_required")
	case len(in.To) == 0:
		return from, nil, bad("to", "request.field_required")
	case len(in.To) > maxSuccessors:
		return from, nil, bad("to", "request.too_many_items", "limit", maxSuccessors)
	case slices.Contains(in.To, in.From):
		return from, nil, bad("to", "staff.same_colleague")
	case len(in.Customers) == 0 && !in.All && !in.Groups:
		return from, nil, bad("customers", "request.field_required")
	case utf8.RuneCountInString(in.Message) > maxMessage:
		return from, nil, bad("message", "request.too_long", "limit", maxMessage)
	}
	if from, err = s.Colleague(ctx, in.Account, in.From); err != nil {
		return from, nil, one(err, bad("from", "staff.not_found"))
	}
	if in.Groups && from.State != MemberLeft {
		return from, nil, bad("groups", "staff.groups_of_leavers")
	}
	for _, id := range in.To {
		c, err := s.Colleague(ctx, in.Account, id)
		if err != nil {
			return from, nil, one(err, bad("to", "staff.not_found"))
		}
		if c.State == MemberLeft || !c.Serves {
			return from, nil, bad("to", "staff.cannot_serve")
		}
		to = append(to, c)
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

// StopHandover takes back what has not gone out yet. What the platform was asked
// for cannot be taken back: the customer alone may refuse it.
func (s *Service) StopHandover(ctx context.Context, id string) (Handover, error) {
	h, err := s.Handover(ctx, id)
	if err != nil {
		return h, err
	}
	if h.State != "open" {
		return h, errs.New(errs.Conflict, "staff.handover_over")
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		now := s.Clock.Now().UnixMilli()
		n, err := s.DB.ExecN(ctx, "update staff_handed set state = 'stopped', why = '', at = $2 where handover = $1 and state = 'new'", id, now)
		if err != nil {
			return fmt.Errorf("stop hand-over: %w", err)
		}
		g, err := s.DB.ExecN(ctx, "update staff_handed_groups set state = 'stopped', why = '', at = $2 where handover = $1 and state = 'new'", id, now)
		if err != nil {
			return fmt.Errorf("stop hand-over: %w", err)
		}
		if n+g == 0 {
			return errs.New(errs.Conflict, "staff.nothing_to_stop")
		}
		if err := s.end(ctx, id); err != nil {
			return err
		}
		return s.record(ctx, "staff.handover_stopped", id, h.From.Name, map[string]any{"account": h.Account, "from": h.From.ID, "to": h.To.ID, "customers": n, "groups": g})
	})
	if err != nil {
		return h, err
	}
	return s.Handover(ctx, id)
}

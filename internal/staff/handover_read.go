package staff

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

const handoverColumns = "id, plan, account, from_staff, to_staff, gone, message_enc, state, total, by_name, created_at, ended_at"

// Handovers lists hand-overs, the newest first: of one colleague's customers, or
// of everybody's ("").
func (s *Service) Handovers(ctx context.Context, account, from string, limit int) ([]Handover, error) {
	if from != "" {
		return s.handovers(ctx, fmt.Sprintf("where account = $1 and from_staff = $2 order by created_at desc, id limit %d", limit), account, from)
	}
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
		err = r.Scan(&h.ID, &h.Plan, &h.Account, &h.From.ID, &h.To.ID, &gone, &h.Message, &h.State, &h.Total, &h.By, &created, &ended)
		if err == nil {
			h.Message, err = s.unseal(messageField, h.Message)
		}
		h.Gone, h.CreatedAt, h.Counts, h.Groups = gone == 1, clock.FromMs(created), map[string]int64{}, map[string]int64{}
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
	for table, counts := range map[string]func(h *Handover) map[string]int64{
		"staff_handed": func(h *Handover) map[string]int64 { return h.Counts }, "staff_handed_groups": func(h *Handover) map[string]int64 { return h.Groups }} {
		err = chunked(part, func(part []any) error {
			rows, err := s.DB.Query(ctx, "select handover, state, count(*) from "+table+" where handover in ("+db.In(1, len(part))+") group by handover, state", part...)
			_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
				var id, state string
				var n int64
				err = r.Scan(&id, &state, &n)
				counts(&list[at[id]])[state] = n
				return x, err
			})
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("count hand-overs: %w", err)
		}
	}
	return list, nil
}

// HandedCustomer is one customer of a hand-over.
type HandedCustomer struct {
	Customer  string    `json:"customer"`
	ContactID string    `json:"contactId,omitempty"`
	Name      string    `json:"name,omitempty"`
	State     string    `json:"state" enum:"new,waiting,done,refused,full,failed,stopped"`
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

package staff

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// maxLeavers bounds the list: those who left longest ago are left out of it.
const maxLeavers = 1000

// Leavers lists who left with customers or groups behind, the newest first; with
// all, also those who left nothing.
func (s *Service) Leavers(ctx context.Context, account string, all bool) ([]Leaver, error) {
	list, _, err := s.List(ctx, Query{Account: account, State: MemberLeft, Behind: !all, Limit: maxLeavers})
	if err != nil {
		return nil, err
	}
	out := make([]Leaver, len(list))
	at := map[string]int{}
	for i, m := range list {
		out[i], at[m.ID] = Leaver{CorpMember: m, Waiting: m.Friends}, i
	}
	for _, q := range []struct {
		text string
		set  func(l *Leaver, n int64)
	}{
		{`select h.from_staff, count(*) from staff_handed d join staff_handovers h on h.id = d.handover where h.account = $1 and h.state = 'open' and d.state in ('new', 'waiting') group by h.from_staff`,
			func(l *Leaver, n int64) { l.Going, l.Waiting = n, max(l.Waiting-n, 0) }},
		{`select owner, count(*) from staff_groups where account = $1 group by owner`, func(l *Leaver, n int64) { l.Groups = n }},
		{`select h.from_staff, count(*) from staff_handed_groups d join staff_handovers h on h.id = d.handover where h.account = $1 and h.state = 'open' and d.state in ('new', 'asked') group by h.from_staff`,
			func(l *Leaver, n int64) { l.GroupsGoing, l.Groups = n, max(l.Groups-n, 0) }},
	} {
		rows, err := s.DB.Query(ctx, q.text, account)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var id string
			var n int64
			err = r.Scan(&id, &n)
			if i, ok := at[id]; ok {
				q.set(&out[i], n)
			}
			return x, err
		})
		if err != nil {
			return nil, fmt.Errorf("count what leavers left: %w", err)
		}
	}
	slices.SortStableFunc(out, func(a, b Leaver) int { return b.LeftAt.Compare(a.LeftAt) })
	return out, nil
}

// settled is after how long the platform's list of customers whom nobody has is
// taken to be complete: it is put together at night.
const settled = 48 * time.Hour

// leftBehind reads what those who left leave behind: customers whom nobody has yet,
// also those of colleagues who left before the account was connected, and groups
// without an owner. wait is asked when the platform wants to wait; it may refuse.
func (s *Service) leftBehind(ctx context.Context, account string, mark int64, wait func(error) error) error {
	complete, err := s.unassigned(ctx, account, mark, wait)
	if err != nil {
		return err
	}
	if complete {
		if err := s.assignedElsewhere(ctx, account, mark); err != nil {
			return err
		}
	}
	return s.leftGroups(ctx, account, mark, wait)
}

// unassigned goes through the platform's list. It tells whether it was to be had.
func (s *Service) unassigned(ctx context.Context, account string, mark int64, wait func(error) error) (bool, error) {
	for cursor := ""; ; {
		page, next, err := s.Platform.Unassigned(ctx, account, cursor)
		if _, later := s.Platform.Later(err); later {
			if err := wait(err); err != nil {
				return false, err
			}
			continue
		}
		if s.Platform.Refused(err) {
			s.Log.InfoContext(ctx, "customers of those who left are not to be had", "account", account, "error", err)
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if err := s.keepUnassigned(ctx, account, page, mark); err != nil {
			return false, err
		}
		if next == "" || next == cursor {
			return true, nil
		}
		cursor = next
	}
}

func (s *Service) keepUnassigned(ctx context.Context, account string, page []Unassigned, mark int64) error {
	customers := make([]string, len(page))
	left := map[string]time.Time{}
	for i, u := range page {
		customers[i] = u.Customer
		if at := left[u.Staff]; at.IsZero() || u.LeftAt.After(at) {
			left[u.Staff] = u.LeftAt
		}
	}
	for id, at := range left { // whoever is in the directory again is left alone
		if _, err := s.DB.Exec(ctx, `insert into staff_members (account, id, name, avatar, position, mobile_enc, email_enc, departments, state, serves, user_id, linked, friends, left_at, seen, changed_at)
			values ($1, $2, $2, '', '', '', '', '[]', 'left', 0, '', '', 0, $3, 0, $3) on conflict (account, id) do update set left_at = excluded.left_at
			where staff_members.state = 'left' and (staff_members.left_at = 0 or staff_members.left_at > excluded.left_at)`, account, id, at.UnixMilli()); err != nil {
			return fmt.Errorf("note who left: %w", err)
		}
	}
	rows, err := s.rows(ctx, customers)
	if err != nil {
		return err
	}
	var facts []event.Fact
	found := map[string][]string{}
	for _, u := range page {
		found[u.Staff] = append(found[u.Staff], u.Customer)
		if r := rows[key{account, u.Staff, u.Customer}]; r != nil && (r.state == Friend || r.changed >= u.LeftAt.UnixMilli()) {
			continue
		}
		// When they met is not told; that they were friends when the colleague left is.
		facts = append(facts, event.Fact{MessageID: messageID("fu", account, u.Staff, u.Customer, u.LeftAt.String()), Type: event.Track, Name: event.NameFriendAdded,
			Identifiers: []event.Identifier{{Kind: contact.KindExternalUserID, Value: u.Customer}}, Timestamp: u.LeftAt.UnixMilli() - 1, Source: source,
			Properties: object(map[string]any{"account": account, "staff": u.Staff, "synced": true})})
	}
	if len(facts) > 0 {
		seq, err := s.Ingest.Ingest(ctx, facts)
		if err != nil {
			return fmt.Errorf("state friends of those who left: %w", err)
		}
		if err := s.Ingest.Wait(ctx, seq); err != nil { // their rows are there, to be marked
			return err
		}
	}
	for staff, list := range found {
		err := chunked(list, func(part []any) error {
			_, err := s.DB.Exec(ctx, "update staff_friends set seen = $1 where account = $2 and staff = $3 and customer in ("+db.In(4, len(part))+")", append([]any{mark, account, staff}, part...)...)
			return err
		})
		if err != nil {
			return fmt.Errorf("mark friends: %w", err)
		}
	}
	return nil
}

// assignedElsewhere states that those customers of leavers are no more theirs whom
// the platform does not list: somebody gave them to others in its own console.
func (s *Service) assignedElsewhere(ctx context.Context, account string, mark int64) error {
	for last := (key{}); ; {
		rows, err := s.DB.Query(ctx, `select `+rowColumns+` from staff_friends where account = $1 and state = 'friend' and seen < $2 and changed_at < $3 and known_at < $3
			and (staff > $4 or staff = $4 and customer > $5) and staff in (select id from staff_members where account = $1 and state = 'left' and left_at < $3)
			and not exists (select 1 from staff_handed o where o.customer = staff_friends.customer and (o.state in ('new', 'waiting') or o.at > $3)) order by staff, customer limit 500`,
			account, mark, mark-settled.Milliseconds(), last.staff, last.customer)
		list, err := db.Collect(rows, err, scanRow)
		if err != nil {
			return fmt.Errorf("look for customers who were given to others: %w", err)
		}
		var facts []event.Fact
		for _, r := range list {
			last = r.key
			facts = append(facts, event.Fact{MessageID: messageID("fe", r.account, r.staff, r.customer, fmt.Sprint(mark)), Type: event.Track, Name: event.NameFriendRemoved,
				Identifiers: []event.Identifier{{Kind: contact.KindExternalUserID, Value: r.customer}}, Timestamp: mark, Source: source,
				Properties: object(map[string]any{"account": r.account, "staff": r.staff, "reason": "transfer"})})
		}
		if len(facts) > 0 {
			if _, err := s.Ingest.Ingest(ctx, facts); err != nil {
				return fmt.Errorf("state who was given to others: %w", err)
			}
		}
		if len(list) < 500 {
			return nil
		}
	}
}

// leftGroups reads the groups whose owner left.
func (s *Service) leftGroups(ctx context.Context, account string, mark int64, wait func(error) error) error {
	for cursor := ""; ; {
		page, next, err := s.Platform.LeftGroups(ctx, account, cursor)
		if _, later := s.Platform.Later(err); later {
			if err := wait(err); err != nil {
				return err
			}
			continue
		}
		if s.Platform.Refused(err) {
			s.Log.InfoContext(ctx, "groups of those who left are not to be had", "account", account, "error", err)
			return nil
		}
		if err != nil {
			return err
		}
		for _, g := range page {
			if _, err := s.DB.Exec(ctx, `insert into staff_groups (account, id, owner, name, members, made_at, seen) values ($1,$2,$3,$4,$5,$6,$7) on conflict (account, id) do update set
				owner = excluded.owner, name = excluded.name, members = excluded.members, seen = excluded.seen`, account, g.ID, g.Owner, clip(g.Name, 200), g.Members, clock.Ms(g.Made), mark); err != nil {
				return fmt.Errorf("keep group: %w", err)
			}
		}
		if next == "" || next == cursor {
			break
		}
		cursor = next
	}
	if _, err := s.DB.Exec(ctx, "delete from staff_groups where account = $1 and seen < $2", account, mark); err != nil {
		return fmt.Errorf("forget groups that have an owner: %w", err)
	}
	return nil
}

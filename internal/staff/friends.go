package staff

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Name implements event.Subscriber.
func (s *Service) Name() string { return "staff.friends" }

// key is one friendship.
type key struct{ account, staff, customer string }

// row is a friendship as it is stored.
type row struct {
	key
	contact                        int64
	remark, note                   string // sealed
	way                            int64
	source, state, movedTo         string
	since, ended, changed, knownAt int64
	seen                           int64
	print                          string
	was                            string // state as stored, "" when it is new
	dirty                          bool
}

// told is what a fact says of a friendship.
type told struct {
	Account string `json:"account"`
	Staff   string `json:"staff"`
	From    string `json:"from"`
	State   string `json:"state"`
	Reason  string `json:"reason"`
	Friend  *struct {
		Staff       string `json:"staff"`
		Remark      string `json:"remark"`
		Description string `json:"description"`
		Since       int64  `json:"since"`
		State       string `json:"state"`
		Way         int64  `json:"way"`
		Sync        int64  `json:"sync"` // when the sync began that found it
		Print       string `json:"print"`
	} `json:"friend"`
}

// names are the facts that this package follows. Websites cannot state them.
var names = map[string]bool{event.NameFriendAdded: true, event.NameFriendKnown: true, event.NameFriendDeleted: true, event.NameFriendRemoved: true, event.NameFriendMoved: true}

// Handle implements event.Subscriber.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	var mine []*event.Stored
	var said []told
	var customers []string
	for i := range facts {
		f := &facts[i]
		if !names[f.Name] {
			continue
		}
		var t told
		c := customerOf(f)
		if json.Unmarshal(f.Properties, &t) != nil || t.Account == "" || c == "" {
			continue
		}
		if t.Friend != nil {
			t.Staff = t.Friend.Staff
		}
		if t.Staff == "" {
			continue // of nobody's friend there is nothing to keep
		}
		mine, said, customers = append(mine, f), append(said, t), append(customers, c)
	}
	if len(mine) == 0 {
		return nil
	}
	rows, err := s.rows(ctx, customers)
	if err != nil {
		return err
	}
	var lost []*row
	for i, f := range mine {
		k := key{said[i].Account, said[i].Staff, customers[i]}
		r := rows[k]
		if r == nil {
			r = &row{key: k, contact: f.Contact}
			rows[k] = r
		}
		was := r.state
		if err := s.apply(r, f, said[i]); err != nil {
			return err
		}
		if from := said[i].From; f.Name == event.NameFriendMoved && from != "" && from != k.staff {
			old := rows[key{k.account, from, k.customer}]
			if old != nil && old.state == Friend && f.Timestamp >= old.changed {
				old.end(Moved, f.Timestamp)
				old.movedTo = k.staff
			}
		}
		if r.state == Deleted && was == Friend {
			lost = append(lost, r)
		}
	}
	if err := s.write(ctx, rows); err != nil {
		return err
	}
	return s.alert(ctx, lost)
}

func customerOf(f *event.Stored) string {
	for _, id := range f.Identifiers {
		if id.Kind == contact.KindExternalUserID {
			return id.Value
		}
	}
	return ""
}

// apply takes in one fact. What is older than the last change of state does not
// change it; a friendship that a sync finds again has ended all the same when the
// customer deleted the colleague after it began: the platform keeps such friends
// in the colleague's list.
func (s *Service) apply(r *row, f *event.Stored, t told) error {
	switch f.Name {
	case event.NameFriendAdded, event.NameFriendMoved:
		if f.Timestamp < r.changed {
			return nil
		}
		if r.state != Friend || f.Timestamp > r.changed { // added again: the end between comes later, or was missed
			r.begin(f.Timestamp)
		}
		if t.State != "" && r.source != t.State {
			r.source, r.dirty = t.State, true
		}
	case event.NameFriendDeleted:
		if f.Timestamp >= r.changed {
			r.end(Deleted, f.Timestamp)
		}
	case event.NameFriendRemoved:
		if f.Timestamp < r.changed || r.state == Moved {
			return nil
		}
		if t.Reason == "transfer" {
			r.end(Moved, f.Timestamp)
		} else {
			r.end(Removed, f.Timestamp)
		}
	case event.NameFriendKnown:
		return s.know(r, f, t)
	}
	return nil
}

func (s *Service) know(r *row, f *event.Stored, t told) error {
	d := t.Friend
	if d == nil || f.Timestamp < r.knownAt {
		return nil
	}
	if r.state == "" || r.state != Friend && d.Since > r.ended {
		r.begin(d.Since)
	}
	var err error
	if r.remark, err = s.seal(remarkField, d.Remark); err != nil {
		return err
	}
	if r.note, err = s.seal(noteField, d.Description); err != nil {
		return err
	}
	r.way, r.knownAt, r.dirty = d.Way, f.Timestamp, true
	if d.State != "" {
		r.source = d.State
	}
	if d.Since > 0 && r.state == Friend {
		r.since = d.Since
	}
	if d.Sync > 0 {
		r.seen, r.print = max(r.seen, d.Sync), d.Print
	} else {
		r.print = "" // the next sync compares anew
	}
	return nil
}

func (r *row) begin(at int64) {
	r.state, r.since, r.ended, r.changed, r.movedTo, r.dirty = Friend, at, 0, max(at, r.changed), "", true
}

func (r *row) end(state string, at int64) {
	if r.state == state {
		return
	}
	if r.since == 0 {
		r.since = at
	}
	r.state, r.ended, r.changed, r.dirty = state, at, at, true
}

const rowColumns = "account, staff, customer, contact, remark_enc, note_enc, way, source, state, moved_to, since, ended_at, changed_at, known_at, seen, print"

func scanRow(r *sql.Rows) (*row, error) {
	x := &row{}
	err := r.Scan(&x.account, &x.staff, &x.customer, &x.contact, &x.remark, &x.note, &x.way, &x.source, &x.state, &x.movedTo, &x.since, &x.ended, &x.changed, &x.knownAt, &x.seen, &x.print)
	x.was = x.state
	return x, err
}

// rows reads all friendships of customers.
func (s *Service) rows(ctx context.Context, customers []string) (map[key]*row, error) {
	asked := slices.Compact(slices.Sorted(slices.Values(customers)))
	out := map[key]*row{}
	err := chunked(asked, func(part []any) error {
		rows, err := s.DB.Query(ctx, "select "+rowColumns+" from staff_friends where customer in ("+db.In(1, len(part))+")", part...)
		list, err := db.Collect(rows, err, scanRow)
		for _, x := range list {
			out[x.key] = x
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read friends: %w", err)
	}
	return out, nil
}

// write stores what changed, many in one statement, and counts each colleague's friends on.
func (s *Service) write(ctx context.Context, rows map[key]*row) error {
	var list []*row
	type who struct{ account, staff string }
	more := map[who]int64{}
	for _, r := range rows {
		if !r.dirty {
			continue
		}
		list = append(list, r)
		if (r.state == Friend) != (r.was == Friend) {
			n := int64(1)
			if r.was == Friend {
				n = -1
			}
			more[who{r.account, r.staff}] += n
		}
	}
	slices.SortFunc(list, func(a, b *row) int {
		return strings.Compare(a.account+"\x00"+a.staff+"\x00"+a.customer, b.account+"\x00"+b.staff+"\x00"+b.customer)
	})
	const columns, step = 16, 100
	for len(list) > 0 {
		part := list[:min(step, len(list))]
		list = list[len(part):]
		var text strings.Builder
		args := make([]any, 0, len(part)*columns)
		for i, r := range part {
			if i > 0 {
				text.WriteByte(',')
			}
			text.WriteString("(" + db.In(len(args)+1, columns) + ")")
			args = append(args, r.account, r.staff, r.customer, r.contact, r.remark, r.note, r.way, r.source, r.state, r.movedTo, r.since, r.ended, r.changed, r.knownAt, r.seen, r.print)
		}
		_, err := s.DB.Exec(ctx, "insert into staff_friends ("+rowColumns+") values "+text.String()+` on conflict (account, staff, customer) do update set
			remark_enc = excluded.remark_enc, note_enc = excluded.note_enc, way = excluded.way, source = excluded.source, state = excluded.state, moved_to = excluded.moved_to,
			since = excluded.since, ended_at = excluded.ended_at, changed_at = excluded.changed_at, known_at = excluded.known_at, seen = excluded.seen, print = excluded.print`, args...)
		if err != nil {
			return fmt.Errorf("keep friends: %w", err)
		}
	}
	for w, n := range more {
		if n == 0 {
			continue
		}
		// One who is not in the directory yet is put there: the next sync fills in the rest.
		_, err := s.DB.Exec(ctx, `insert into staff_members (account, id, name, avatar, position, mobile_enc, email_enc, departments, state, serves, user_id, linked, friends, left_at, seen, changed_at)
			values ($1, $2, $2, '', '', '', '', '[]', 'active', 1, '', '', $3, 0, 0, 0) on conflict (account, id) do update set friends = staff_members.friends + excluded.friends`, w.account, w.staff, n)
		if err != nil {
			return fmt.Errorf("count friends: %w", err)
		}
	}
	return nil
}

// alert gives the owners of contacts a task: a customer deleted a colleague. What
// comes of long ago, from a sync or an import of facts, alerts nobody.
func (s *Service) alert(ctx context.Context, lost []*row) error {
	if s.Tasks == nil {
		return nil
	}
	old := s.Clock.Now().Add(-48 * time.Hour).UnixMilli()
	for _, r := range lost {
		if r.ended < old {
			continue
		}
		var name, user string
		err := s.DB.QueryRow(ctx, "select name, user_id from staff_members where account = $1 and id = $2", r.account, r.staff).Scan(&name, &user)
		if err != nil && !db.NoRows(err) {
			return fmt.Errorf("read colleague: %w", err)
		}
		if name == "" {
			name = r.staff
		}
		if err := s.Tasks.Lost(ctx, r.contact, name, user, clock.FromMs(r.ended)); err != nil {
			return err
		}
	}
	return nil
}

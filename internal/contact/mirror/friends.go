package mirror

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/db"
)

// Name implements event.Subscriber.
func (s *Service) Name() string { return "contact.mirror" }

type key struct{ account, staff, customer string }

// row is a friendship as it is stored.
type row struct {
	key
	contact        int64
	live           int64
	held, unsure   string
	readAt, sentAt int64
	due, reread    int64
	tries          int64
	dirty          bool  // to be written
	more           int64 // how often a comparison was asked for since
	fault, number  string
}

const rowColumns = "account, staff, customer, contact, live, held, unsure, read_at, sent_at, due, reread, tries, fault, fault_number"

func scanRow(r *sql.Rows) (*row, error) {
	x := &row{}
	return x, r.Scan(&x.account, &x.staff, &x.customer, &x.contact, &x.live, &x.held, &x.unsure, &x.readAt, &x.sentAt, &x.due, &x.reread, &x.tries, &x.fault, &x.number)
}

// rows reads the friendships of customers of an account.
func (s *Service) rows(ctx context.Context, account string, customers []string) (map[key]*row, error) {
	out := map[key]*row{}
	list := slices.Compact(slices.Sorted(slices.Values(customers)))
	err := chunked(list, func(part []any) error {
		rows, err := s.DB.Query(ctx, "select "+rowColumns+" from mirror_friends where account = $1 and customer in ("+db.In(2, len(part))+")", append([]any{account}, part...)...)
		found, err := db.Collect(rows, err, scanRow)
		for _, r := range found {
			out[r.key] = r
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read friendships: %w", err)
	}
	return out, nil
}

// told is what a fact says of a friendship.
type told struct {
	Account string `json:"account"`
	Staff   string `json:"staff"`
	From    string `json:"from"`
	Friend  *struct {
		Staff string   `json:"staff"`
		Tags  []string `json:"tags"`
		Read  int64    `json:"read"` // when the platform was asked
		Sync  int64    `json:"sync"` // when the sync began that asked it
	} `json:"friend"`
}

// live is what each fact makes of a friendship.
var live = map[string]int64{event.NameFriendAdded: 1, event.NameFriendMoved: 1, event.NameFriendKnown: 1, event.NameFriendDeleted: 0, event.NameFriendRemoved: 0}

// said is a fact about a friendship.
type said struct {
	told
	fact *event.Stored
	key  key
	live int64
}

// Handle implements event.Subscriber: friendships come and go, and what a callback
// or a sync found of their tags is taken in.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	by := map[string][]said{}
	for i := range facts {
		f := &facts[i]
		is, ok := live[f.Name]
		if !ok {
			continue
		}
		var t told
		customer := customerOf(f)
		if json.Unmarshal(f.Properties, &t) != nil || t.Account == "" || customer == "" {
			continue
		}
		if t.Friend != nil {
			t.Staff = t.Friend.Staff
		}
		if t.Staff != "" {
			by[t.Account] = append(by[t.Account], said{t, f, key{t.Account, t.Staff, customer}, is})
		}
	}
	if len(by) == 0 {
		return nil
	}
	if _, err := s.Contacts.Survivors(ctx, nil); err != nil { // first of all: see tx
		return err
	}
	for account, list := range by {
		if err := s.hear(ctx, account, list); err != nil {
			return err
		}
	}
	return nil
}

// hear takes in what facts say of an account's friendships.
func (s *Service) hear(ctx context.Context, account string, list []said) error {
	b, err := s.book(ctx, account)
	if err != nil {
		return err
	}
	customers := make([]string, len(list))
	for i, x := range list {
		customers[i] = x.key.customer
	}
	rows, err := s.rows(ctx, account, customers)
	if err != nil {
		return err
	}
	get := func(k key, num int64) *row {
		if rows[k] == nil {
			rows[k] = &row{key: k, contact: num}
		}
		return rows[k]
	}
	for _, x := range list {
		r := get(x.key, x.fact.Contact)
		r.stands(x.fact.Contact, x.live)
		if x.fact.Name == event.NameFriendMoved && x.From != "" {
			get(key{account, x.From, x.key.customer}, x.fact.Contact).stands(x.fact.Contact, 0)
		}
		if x.fact.Name == event.NameFriendKnown && x.Friend != nil && x.Friend.Read+x.Friend.Sync > 0 {
			if _, err := s.observe(ctx, r, b, x.Friend.Tags, max(x.Friend.Read, x.Friend.Sync), nil); err != nil {
				return err
			}
		}
	}
	return s.write(ctx, rows)
}

func customerOf(f *event.Stored) string {
	for _, id := range f.Identifiers {
		if id.Kind == contact.KindExternalUserID {
			return id.Value
		}
	}
	return ""
}

// stands keeps that a friendship is there or over. A new one is to be compared: the
// contact may have tags already. One that is over has none there.
func (r *row) stands(num, live int64) {
	if r.contact != num || r.live != live {
		r.dirty = true
	}
	if live == 1 && r.live == 0 {
		r.more++
	}
	r.contact, r.live = num, live
	if live == 0 {
		r.held, r.unsure, r.fault, r.reread = "", "", "", 0
	}
}

// observe takes in what the platform was found to have on a friendship, asked for
// at read. What differs from what is known is what somebody did there, and is done
// to our tags. It must run in a transaction that holds the contacts, and the row be
// written in it. It tells how many tags came.
func (s *Service) observe(ctx context.Context, r *row, b book, tags []string, read int64, names map[string]string) (int, error) {
	if read <= r.readAt || r.live == 0 {
		return 0, nil
	}
	r.dirty = true
	if r.unsure != "" || read <= r.sentAt { // it may have been read before our last call was done: ask anew
		r.more, r.reread = r.more+1, 1
		return 0, nil
	}
	now, held := b.linked(tags), b.linked(unpack(r.held))
	ours := func(list, without []string) (out []string) {
		for _, id := range list {
			if !slices.Contains(without, id) {
				out = append(out, b.tag[id])
			}
		}
		return out
	}
	add, remove := ours(now, held), ours(held, now)
	r.held, r.readAt = pack(now), read
	n := len(add) + len(remove)
	if n == 0 {
		return 0, nil
	}
	r.more++
	if names == nil {
		names = s.Platform.Names(ctx, r.account, []string{r.staff})
	}
	name := names[r.staff]
	if name == "" {
		name = r.staff
	}
	if err := s.Contacts.TagOutside(ctx, r.contact, add, remove, contact.Outside{Account: r.account, Staff: r.staff, Name: name}); err != nil {
		return 0, err
	}
	_, err := s.DB.Exec(ctx, "update mirror_accounts set came = came + $2 where account = $1", r.account, n)
	return n, wrap(err, "count what came")
}

// write stores rows that changed, many in one statement. due is counted on: others
// may have asked meanwhile, in this very transaction.
func (s *Service) write(ctx context.Context, rows map[key]*row) error {
	var list []*row
	wake := false
	for _, r := range rows {
		if r.dirty || r.more > 0 {
			list = append(list, r)
			wake = wake || r.more > 0
		}
	}
	slices.SortFunc(list, func(a, b *row) int {
		return strings.Compare(a.staff+"\x00"+a.customer, b.staff+"\x00"+b.customer)
	})
	const columns, step = 15, 60
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
			args = append(args, r.account, r.staff, r.customer, r.contact, r.live, r.held, r.unsure, r.readAt, r.sentAt, r.more, r.reread, 0, 0, r.fault, "")
		}
		_, err := s.DB.Exec(ctx, `insert into mirror_friends (account, staff, customer, contact, live, held, unsure, read_at, sent_at, due, reread, try_at, tries, fault, fault_number) values `+text.String()+`
			on conflict (account, staff, customer) do update set contact = excluded.contact, live = excluded.live, held = excluded.held, unsure = excluded.unsure, read_at = excluded.read_at,
			due = case when excluded.live = 0 then 0 else mirror_friends.due + excluded.due end, reread = excluded.reread, fault = excluded.fault,
			try_at = case when excluded.due > 0 then 0 else mirror_friends.try_at end`, args...)
		if err != nil {
			return fmt.Errorf("keep friendships: %w", err)
		}
	}
	if wake {
		s.nudgeAfter(ctx)
	}
	return nil
}

func wrap(err error, what string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

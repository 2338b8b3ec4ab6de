package community

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

func texts(rows *sql.Rows, err error) ([]string, error) {
	return db.Collect(rows, err, func(r *sql.Rows) (v string, err error) { return v, r.Scan(&v) })
}

// Query asks for groups.
type Query struct {
	Account   string
	Owner     string // "" everybody's
	State     string // "" all
	OwnerLeft bool   // only those whose owner left
	Text      string // in the name
	After     string // id of the last one of the page before
	Limit     int
}

const groupColumns = "account, id, name, owner, state, owner_left, members, customers, created_at, ended_at, read_at"

func scanGroup(r *sql.Rows) (g Group, err error) {
	var gone, created, ended, read int64
	err = r.Scan(&g.Account, &g.ID, &g.Name, &g.Owner, &g.State, &gone, &g.Members, &g.Customers, &created, &ended, &read)
	g.OwnerLeft, g.CreatedAt, g.EndedAt, g.ReadAt = gone == 1, timeOf(created), timeOf(ended), timeOf(read)
	return g, err
}

// weekDays is how many days "lately" has.
const weekDays = 7

// List gives groups of an account by id, and where the next page begins. It answers
// also whose a leaver's groups are: Owner, or OwnerLeft.
func (s *Service) List(ctx context.Context, q Query) (list []Group, next string, err error) {
	where, args := []string{"account = $1", "id > $2"}, []any{q.Account, q.After}
	add := func(text string, v ...any) {
		for _, x := range v {
			args = append(args, x)
			text = strings.Replace(text, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, text)
	}
	switch q.State {
	case "":
	case Open, Dismissed:
		add("state = ?", q.State)
	default:
		return nil, "", errs.New(errs.Invalid, "request.invalid").On(errs.At("state", "request.not_one_of", "allowed", "open, dismissed"))
	}
	if q.Owner != "" {
		add("owner = ?", q.Owner)
	}
	if q.OwnerLeft {
		add("owner_left = 1")
	}
	if t := strings.ToLower(strings.TrimSpace(q.Text)); t != "" {
		add(`lower(name) like ? escape '\'`, "%"+strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(t)+"%")
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select %s from community_groups where %s order by id limit %d", groupColumns, strings.Join(where, " and "), q.Limit+1), args...)
	if list, err = db.Collect(rows, err, scanGroup); err != nil {
		return nil, "", fmt.Errorf("list groups: %w", err)
	}
	if len(list) > q.Limit {
		list = list[:q.Limit]
		next = list[len(list)-1].ID
	}
	return list, next, s.complete(ctx, q.Account, list)
}

// complete fills in names of owners and what happened lately.
func (s *Service) complete(ctx context.Context, account string, list []Group) error {
	owners, ids := make([]string, len(list)), make([]string, len(list))
	at := map[string]int{}
	for i, g := range list {
		owners[i], ids[i], at[g.ID] = g.Owner, g.ID, i
	}
	names := s.Platform.Names(ctx, account, owners)
	for i, g := range list {
		if list[i].OwnerName = names[g.Owner]; list[i].OwnerName == "" {
			list[i].OwnerName = g.Owner
		}
	}
	from := s.dayOf(ctx, s.Clock.Now()) - weekDays + 1
	err := chunked(ids, func(part []any) error {
		rows, err := s.DB.Query(ctx, "select chat, sum(joined), sum(gone) from community_days where account = $1 and day >= $2 and chat in ("+db.In(3, len(part))+") group by chat", append([]any{account, from}, part...)...)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var id string
			var in, out int64
			err = r.Scan(&id, &in, &out)
			list[at[id]].Joined, list[at[id]].Gone = in, out
			return x, err
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("count what happened in groups: %w", err)
	}
	return nil
}

// growthDays is how many days of a group's growth are shown.
const growthDays = 90

// Get gives a group with how it grew and who its people are.
func (s *Service) Get(ctx context.Context, account, id string) (Detail, error) {
	var d Detail
	rows, err := s.DB.Query(ctx, "select "+groupColumns+" from community_groups where account = $1 and id = $2", account, id)
	list, err := db.Collect(rows, err, scanGroup)
	if err != nil {
		return d, fmt.Errorf("read a group: %w", err)
	}
	if len(list) == 0 {
		return d, errNoGroup
	}
	if err := s.complete(ctx, account, list); err != nil {
		return d, err
	}
	d.Group = list[0]
	if d.Days, err = s.growth(ctx, d.Group); err != nil {
		return d, err
	}
	people, err := s.people(ctx, account, id, d.Owner)
	if err != nil {
		return d, err
	}
	d.Layers = map[string]int64{Newcomer: 0, Core: 0, Active: 0, Quiet: 0}
	for _, m := range people {
		if m.Kind == Customer && m.LeftAt.IsZero() {
			d.Layers[m.Layer]++
			d.Friends += flag(m.Friend)
		}
	}
	return d, nil
}

// growth counts back from today's size.
func (s *Service) growth(ctx context.Context, g Group) ([]Day, error) {
	today := s.dayOf(ctx, s.Clock.Now())
	from := today - growthDays + 1
	rows, err := s.DB.Query(ctx, "select day, joined, gone from community_days where account = $1 and chat = $2 and day >= $3", g.Account, g.ID, from)
	type count struct{ in, out int64 }
	by := map[int64]count{}
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var day int64
		var c count
		err = r.Scan(&day, &c.in, &c.out)
		by[day] = c
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("read how a group grew: %w", err)
	}
	out := make([]Day, growthDays)
	size := g.Customers
	for i := growthDays - 1; i >= 0; i-- {
		day := from + int64(i)
		c := by[day]
		out[i] = Day{Date: dateOf(day), Joined: c.in, Gone: c.out, Size: max(0, size)}
		size -= c.in - c.out
	}
	return out, nil
}

const (
	newFor    = 7 * 24 * time.Hour
	activeFor = 30 * 24 * time.Hour
)

// people are all who are or were in a group, with their layers: those of today first,
// the newest before the others. A group has 500 at most.
func (s *Service) people(ctx context.Context, account, chat, owner string) ([]Member, error) {
	byID, err := s.memberRows(ctx, account, chat)
	if err != nil {
		return nil, err
	}
	list := make([]*memberRow, 0, len(byID))
	var nums []int64
	var staff, customers []string
	brought := map[string]int64{}
	for _, m := range byID {
		list = append(list, m)
		if m.kind == Staff {
			staff = append(staff, m.member)
		} else {
			customers = append(customers, m.member)
		}
		if m.contact > 0 {
			nums = append(nums, m.contact)
		}
		if m.invitor != "" {
			if byID[m.invitor] == nil {
				staff = append(staff, m.invitor)
			}
			if m.left == 0 && m.kind == Customer {
				brought[m.invitor]++
			}
		}
	}
	slices.SortFunc(list, func(a, b *memberRow) int {
		if n := flag(a.left != 0) - flag(b.left != 0); n != 0 {
			return int(n)
		}
		if n := max(b.joined, b.left) - max(a.joined, a.left); n != 0 {
			return int(max(-1, min(1, n)))
		}
		return strings.Compare(a.member, b.member)
	})
	names := s.Platform.Names(ctx, account, staff)
	friends, err := s.Platform.Friends(ctx, account, customers)
	if err != nil {
		return nil, err
	}
	seen, err := s.Contacts.InScope(ctx, nums)
	if err != nil {
		return nil, err
	}
	known, err := s.Contacts.Describe(ctx, seen)
	if err != nil {
		return nil, err
	}
	alive, err := s.Contacts.Lively(ctx, nums)
	if err != nil {
		return nil, err
	}
	call := func(m *memberRow) string {
		if k, ok := known[m.contact]; ok && k.Name != "" {
			return k.Name
		}
		if n := names[m.member]; n != "" {
			return n
		}
		if n := s.unseal(m.name); n != "" {
			return n
		}
		return m.member
	}
	now := s.Clock.Now()
	out := make([]Member, len(list))
	for i, m := range list {
		v := Member{ID: m.member, Kind: m.kind, Name: call(m), Owner: m.member == owner, Scene: m.scene, Quit: m.quit, Brought: brought[m.member], JoinedAt: timeOf(m.joined), LeftAt: timeOf(m.left),
			Friend: friends[m.member], num: m.contact}
		v.ContactID = known[m.contact].ID
		if by := byID[m.invitor]; by != nil {
			v.Invitor = call(by)
		} else {
			v.Invitor = names[m.invitor]
		}
		if m.kind == Customer && m.left == 0 {
			v.Layer = layer(now, clock.FromMs(m.joined), alive[m.contact], v.Brought)
		}
		out[i] = v
	}
	return out, nil
}

// layer says how a customer stands in a group.
func layer(now, joined time.Time, l contact.Lively, brought int64) string {
	active := !l.SeenAt.IsZero() && now.Sub(l.SeenAt) < activeFor
	switch {
	case active && (brought > 0 || l.Orders > 1):
		return Core
	case now.Sub(joined) < newFor:
		return Newcomer
	case active:
		return Active
	}
	return Quiet
}

// MemberQuery asks for members of a group.
type MemberQuery struct {
	Layer string // "" all
	Kind  string // "" all
	Who   string // friends, strangers; "" all
	Gone  bool   // those who left instead
	After int
	Limit int
}

// Members lists the members of a group.
func (s *Service) Members(ctx context.Context, account, id string, q MemberQuery) (list []Member, next int, err error) {
	var owner string
	err = s.DB.QueryRow(ctx, "select owner from community_groups where account = $1 and id = $2", account, id).Scan(&owner)
	if db.NoRows(err) {
		return nil, 0, errNoGroup
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read a group: %w", err)
	}
	all, err := s.people(ctx, account, id, owner)
	if err != nil {
		return nil, 0, err
	}
	list = []Member{}
	for _, m := range all {
		if m.LeftAt.IsZero() == q.Gone || q.Layer != "" && m.Layer != q.Layer || q.Kind != "" && m.Kind != q.Kind ||
			q.Who == "friends" && !m.Friend || q.Who == "strangers" && (m.Friend || m.Kind != Customer) {
			continue
		}
		list = append(list, m)
	}
	from := min(max(q.After, 0), len(list))
	to := min(from+q.Limit, len(list))
	if to < len(list) {
		next = to
	}
	return list[from:to], next, nil
}

// OfContact lists the groups that a contact is or was in, those of today first. The
// caller must be allowed to see the contact.
func (s *Service) OfContact(ctx context.Context, id string) ([]Stay, error) {
	num, err := s.Contacts.NumOf(ctx, id)
	if err != nil {
		return nil, err
	}
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return nil, err
	}
	out := []Stay{}
	owners := map[string][]string{}
	var keep []string
	err = chunked(group, func(part []any) error {
		rows, err := s.DB.Query(ctx, `select g.account, g.id, g.name, g.owner, g.state, g.customers, m.scene, m.joined_at, m.left_at from community_members m
			join community_groups g on g.account = m.account and g.id = m.chat where m.contact in (`+db.In(1, len(part))+`) order by case when m.left_at = 0 then 0 else 1 end, m.joined_at desc, g.id limit 200`, part...)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var v Stay
			var owner string
			var joined, left int64
			err = r.Scan(&v.Account, &v.ID, &v.Name, &owner, &v.State, &v.Customers, &v.Scene, &joined, &left)
			v.JoinedAt, v.LeftAt = timeOf(joined), timeOf(left)
			out, keep = append(out, v), append(keep, owner)
			owners[v.Account] = append(owners[v.Account], owner)
			return x, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read a contact's groups: %w", err)
	}
	for account, list := range owners {
		names := s.Platform.Names(ctx, account, list)
		for i := range out {
			if out[i].Account == account {
				if out[i].OwnerName = names[keep[i]]; out[i].OwnerName == "" {
					out[i].OwnerName = keep[i]
				}
			}
		}
	}
	return out, nil
}

// Accounts tells how the groups of each account stand.
func (s *Service) Accounts(ctx context.Context) ([]Sync, error) {
	accounts, err := s.Platform.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	out := make([]Sync, len(accounts))
	for i, a := range accounts {
		out[i], at[a.ID] = Sync{Account: a.ID, Name: a.Name}, i
	}
	count := func(query string, set func(v *Sync, a, b int64), args ...any) error {
		rows, err := s.DB.Query(ctx, query, args...)
		_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
			var account string
			var a, b int64
			err = r.Scan(&account, &a, &b)
			if i, ok := at[account]; ok {
				set(&out[i], a, b)
			}
			return x, err
		})
		if err != nil {
			return fmt.Errorf("count groups: %w", err)
		}
		return nil
	}
	if err := count("select account, count(*), sum(owner_left) from community_groups where state = 'open' group by account", func(v *Sync, a, b int64) { v.Groups, v.Orphans = a, b }); err != nil {
		return nil, err
	}
	if err := count("select account, count(distinct member), 0 from community_members where left_at = 0 and kind = 'customer' group by account", func(v *Sync, a, _ int64) { v.Customers = a }); err != nil {
		return nil, err
	}
	if err := count("select account, sum(joined), sum(gone) from community_days where day >= $1 group by account", func(v *Sync, a, b int64) { v.Joined, v.Gone = a, b }, s.dayOf(ctx, s.Clock.Now())-weekDays+1); err != nil {
		return nil, err
	}
	rows, err := s.DB.Query(ctx, "select account, job, synced_at from community_accounts")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var account, job string
		var synced int64
		err = r.Scan(&account, &job, &synced)
		if i, ok := at[account]; ok {
			out[i].Job, out[i].SyncedAt = job, timeOf(synced)
		}
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("read syncs: %w", err)
	}
	return out, nil
}

// FieldName is the field by which lists and rules speak of groups.
const FieldName = "group"

// Field is being in a group as a condition.
func (s *Service) Field() contact.Field { return field{s} }

type field struct{ s *Service }

// offered is how many groups a rule may choose from: the largest.
const offered = 300

// Views implements contact.Field.
func (f field) Views(ctx context.Context) ([]contact.FieldView, error) {
	rows, err := f.s.DB.Query(ctx, fmt.Sprintf("select account, id, name from community_groups where state = 'open' order by customers desc, id limit %d", offered))
	v := contact.FieldView{Label: httpx.Say(ctx, "contact.field.group", nil), Group: "activity", Options: []contact.Option{}}
	v.Options, err = db.Collect(rows, err, func(r *sql.Rows) (o contact.Option, err error) {
		var account, id string
		err = r.Scan(&account, &id, &o.Label)
		o.Value = account + ":" + id
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	if len(v.Options) == 0 { // nothing to choose from yet
		return nil, nil
	}
	return []contact.FieldView{v}, nil
}

// Among implements contact.Field.
func (f field) Among(_ context.Context, _, value string) (contact.Among, error) {
	account, chat, _ := strings.Cut(value, ":")
	return contact.Among{Loose: true, Args: []any{account, chat},
		Query: "select contact as n from community_members where account = $1 and chat = $2 and left_at = 0 and contact > 0"}, nil
}

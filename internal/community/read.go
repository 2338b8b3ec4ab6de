package community

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// source is the source of the facts that this package states: they are the
// platform's.
const source = "wecom"

// Changed is for callbacks: something about a group changed. It is read anew, and
// what differs is stated and kept.
func (s *Service) Changed(ctx context.Context, account string, t Told) error {
	if t.Ended {
		return s.end(ctx, account, t.Group, t.At)
	}
	g, err := s.Platform.Group(ctx, account, t.Group)
	switch {
	case err != nil && s.Platform.Gone(err):
		return s.end(ctx, account, t.Group, t.At)
	case err != nil:
		return err
	}
	return s.take(ctx, account, g, t, 0, nil)
}

// memberRow is a member as stored.
type memberRow struct {
	member, kind  string
	contact       int64
	name, invitor string // name is sealed
	state         string
	scene, quit   int64
	joined, left  int64
}

const memberColumns = "member, kind, contact, name_enc, invitor, state, scene, quit, joined_at, left_at"

func scanMember(r *sql.Rows) (*memberRow, error) {
	m := &memberRow{}
	return m, r.Scan(&m.member, &m.kind, &m.contact, &m.name, &m.invitor, &m.state, &m.scene, &m.quit, &m.joined, &m.left)
}

func (s *Service) memberRows(ctx context.Context, account, chat string) (map[string]*memberRow, error) {
	rows, err := s.DB.Query(ctx, "select "+memberColumns+" from community_members where account = $1 and chat = $2", account, chat)
	list, err := db.Collect(rows, err, scanMember)
	if err != nil {
		return nil, fmt.Errorf("read members of a group: %w", err)
	}
	out := make(map[string]*memberRow, len(list))
	for _, m := range list {
		out[m.member] = m
	}
	return out, nil
}

// take compares a group that was read with what is known of it, states what differs
// and keeps it. Facts come first: a crash between repeats them under the same ids.
// mark is the sync that read it, 0 none.
func (s *Service) take(ctx context.Context, account string, g Found, t Told, mark int64, ownerLeft *bool) error {
	old, err := s.memberRows(ctx, account, g.ID)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	names := s.namesIn(ctx, account, g)
	there := map[string]bool{}
	var changed []*memberRow
	var facts []event.Fact
	days := map[int64]*[2]int64{}
	count := func(at time.Time, i int) {
		d := s.dayOf(ctx, at)
		if days[d] == nil {
			days[d] = &[2]int64{}
		}
		days[d][i]++
	}
	for _, m := range g.Members {
		there[m.ID] = true
		was := old[m.ID]
		if was != nil && was.left == 0 {
			continue
		}
		name, err := s.seal(m.Name)
		if err != nil {
			return err
		}
		row := &memberRow{member: m.ID, kind: Staff, name: name, invitor: m.Invitor, state: m.State, scene: m.Scene, joined: msOf(m.JoinedAt)}
		if was != nil {
			row.contact = was.contact
		}
		if m.Customer {
			row.kind = Customer
			facts = append(facts, joined(account, g, m, names))
			count(m.JoinedAt, 0)
		}
		changed = append(changed, row)
	}
	for id, m := range old {
		if there[id] || m.left != 0 {
			continue
		}
		m.left, m.quit = clock.Ms(now), 0
		if t.Left && slices.Contains(t.Members, id) {
			m.left, m.quit = msOf(t.At), t.Quit
		}
		if m.kind == Customer {
			facts = append(facts, left(account, g.ID, g.Name, g.Owner, names, m))
			count(clock.FromMs(m.left), 1)
		}
		changed = append(changed, m)
	}
	if len(facts) > 0 {
		if _, err := s.Ingest.Ingest(ctx, facts); err != nil {
			return fmt.Errorf("state who joined and left: %w", err)
		}
	}
	var customers int64
	for _, m := range g.Members {
		customers += flag(m.Customer)
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.keepGroup(ctx, account, g, customers, mark, ownerLeft); err != nil {
			return err
		}
		if err := s.keepMembers(ctx, account, g.ID, changed); err != nil {
			return err
		}
		return s.keepDays(ctx, account, g.ID, days)
	})
}

func (s *Service) keepGroup(ctx context.Context, account string, g Found, customers, mark int64, ownerLeft *bool) error {
	gone := int64(-1)
	if ownerLeft != nil {
		gone = flag(*ownerLeft)
	}
	_, err := s.DB.Exec(ctx, `insert into community_groups (account, id, name, owner, state, owner_left, version, members, customers, created_at, ended_at, read_at, seen)
		values ($1, $2, $3, $4, 'open', case when cast($5 as bigint) < 0 then 0 else $5 end, $6, $7, $8, $9, 0, $10, $11)
		on conflict (account, id) do update set name = excluded.name, owner = excluded.owner, state = 'open', ended_at = 0, version = excluded.version, members = excluded.members,
		customers = excluded.customers, read_at = excluded.read_at, seen = case when excluded.seen > community_groups.seen then excluded.seen else community_groups.seen end,
		owner_left = case when cast($5 as bigint) >= 0 then $5 when excluded.owner <> community_groups.owner then 0 else community_groups.owner_left end`,
		account, g.ID, g.Name, g.Owner, gone, g.Version, len(g.Members), customers, msOf(g.CreatedAt), clock.Ms(s.Clock.Now()), mark)
	if err != nil {
		return fmt.Errorf("keep a group: %w", err)
	}
	return nil
}

func (s *Service) keepMembers(ctx context.Context, account, chat string, list []*memberRow) error {
	slices.SortFunc(list, func(a, b *memberRow) int { return strings.Compare(a.member, b.member) })
	const columns, step = 12, 60
	for len(list) > 0 {
		part := list[:min(step, len(list))]
		list = list[len(part):]
		var text strings.Builder
		args := make([]any, 0, len(part)*columns)
		for i, m := range part {
			if i > 0 {
				text.WriteByte(',')
			}
			text.WriteString("(" + db.In(len(args)+1, columns) + ")")
			args = append(args, account, chat, m.member, m.kind, m.contact, m.name, m.invitor, m.state, m.scene, m.quit, m.joined, m.left)
		}
		_, err := s.DB.Exec(ctx, "insert into community_members (account, chat, "+memberColumns+") values "+text.String()+` on conflict (account, chat, member) do update set kind = excluded.kind, name_enc = excluded.name_enc,
			invitor = excluded.invitor, state = excluded.state, scene = excluded.scene, quit = excluded.quit, joined_at = excluded.joined_at, left_at = excluded.left_at,
			contact = case when excluded.contact > 0 then excluded.contact else community_members.contact end`, args...)
		if err != nil {
			return fmt.Errorf("keep members of a group: %w", err)
		}
	}
	return nil
}

func (s *Service) keepDays(ctx context.Context, account, chat string, days map[int64]*[2]int64) error {
	for _, d := range slices.Sorted(maps.Keys(days)) {
		_, err := s.DB.Exec(ctx, `insert into community_days (account, chat, day, joined, gone) values ($1, $2, $3, $4, $5)
			on conflict (account, chat, day) do update set joined = community_days.joined + excluded.joined, gone = community_days.gone + excluded.gone`, account, chat, d, days[d][0], days[d][1])
		if err != nil {
			return fmt.Errorf("count a group's day: %w", err)
		}
	}
	return nil
}

// end keeps that a group is no more, and states that all left.
func (s *Service) end(ctx context.Context, account, id string, at time.Time) error {
	var name, owner, state string
	err := s.DB.QueryRow(ctx, "select name, owner, state from community_groups where account = $1 and id = $2", account, id).Scan(&name, &owner, &state)
	if db.NoRows(err) || err == nil && state == Dismissed {
		return nil // nothing was known of it
	}
	if err != nil {
		return fmt.Errorf("read a group: %w", err)
	}
	old, err := s.memberRows(ctx, account, id)
	if err != nil {
		return err
	}
	if at.IsZero() {
		at = s.Clock.Now()
	}
	names := s.Platform.Names(ctx, account, []string{owner})
	var facts []event.Fact
	var changed []*memberRow
	days := map[int64]*[2]int64{s.dayOf(ctx, at): {}}
	for _, m := range old {
		if m.left != 0 {
			continue
		}
		m.left = msOf(at)
		changed = append(changed, m)
		if m.kind == Customer {
			days[s.dayOf(ctx, at)][1]++
			f := left(account, id, name, owner, names, m)
			facts = append(facts, f)
		}
	}
	if len(facts) > 0 {
		if _, err := s.Ingest.Ingest(ctx, facts); err != nil {
			return fmt.Errorf("state who left: %w", err)
		}
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.DB.Exec(ctx, "update community_groups set state = 'dismissed', ended_at = $3, members = 0, customers = 0 where account = $1 and id = $2", account, id, msOf(at)); err != nil {
			return fmt.Errorf("end a group: %w", err)
		}
		if err := s.keepMembers(ctx, account, id, changed); err != nil {
			return err
		}
		return s.keepDays(ctx, account, id, days)
	})
}

func messageID(kind string, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return kind + "-" + hex.EncodeToString(h.Sum(nil)[:16])
}

func props(m map[string]any) json.RawMessage {
	b, _ := json.Marshal(m) // plain values always encode
	return b
}

// namesIn are what the colleagues of a group are called whom its facts speak of: its
// owner, and those who invited. The directory's name goes before the one the group
// shows; a customer who invited is left out, for a fact of one person names no other.
func (s *Service) namesIn(ctx context.Context, account string, g Found) map[string]string {
	ids := []string{g.Owner}
	shown, customers := map[string]string{}, map[string]bool{}
	for _, m := range g.Members {
		if m.Customer {
			customers[m.ID] = true
		} else {
			shown[m.ID] = m.Name
		}
	}
	for _, m := range g.Members {
		if m.Invitor != "" && !customers[m.Invitor] {
			ids = append(ids, m.Invitor)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	names := s.Platform.Names(ctx, account, ids)
	out := make(map[string]string, len(ids))
	for _, id := range ids {
		if name := cmp.Or(names[id], shown[id]); name != "" {
			out[id] = name
		}
	}
	return out
}

// put names a colleague beside their id; whose name is unknown has the id alone.
func put(p map[string]any, key, id string, names map[string]string) {
	p[key] = id
	if name := names[id]; name != "" {
		p[key+"Name"] = name
	}
}

// joined is the fact that a customer came into a group. Its id is of this stay.
func joined(account string, g Found, m FoundMember, names map[string]string) event.Fact {
	ids := []event.Identifier{{Kind: contact.KindExternalUserID, Value: m.ID}}
	if m.UnionID != "" {
		ids = append(ids, event.Identifier{Kind: contact.KindUnionID, Value: m.UnionID})
	}
	p := map[string]any{"account": account, "group": g.ID, "groupName": g.Name, "scene": m.Scene}
	put(p, "owner", g.Owner, names)
	if m.State != "" {
		p["state"] = m.State
	}
	if m.Invitor != "" {
		put(p, "invitor", m.Invitor, names)
	}
	return event.Fact{MessageID: messageID("gj", account, g.ID, m.ID, strconv.FormatInt(msOf(m.JoinedAt), 10)), Type: event.Track, Name: event.NameGroupJoined, Identifiers: ids,
		Timestamp: msOf(m.JoinedAt), Source: source, Properties: props(p)}
}

func left(account, chat, name, owner string, names map[string]string, m *memberRow) event.Fact {
	p := map[string]any{"account": account, "group": chat, "groupName": name}
	put(p, "owner", owner, names)
	if m.quit > 0 {
		p["scene"] = m.quit
	}
	return event.Fact{MessageID: messageID("gl", account, chat, m.member, strconv.FormatInt(m.joined, 10)), Type: event.Track, Name: event.NameGroupLeft,
		Identifiers: []event.Identifier{{Kind: contact.KindExternalUserID, Value: m.member}}, Timestamp: m.left, Source: source, Properties: props(p)}
}

// Name implements event.Subscriber.
func (s *Service) Name() string { return "community.members" }

// Handle implements event.Subscriber: it learns which contact a member is.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	for i := range facts {
		f := &facts[i]
		if f.Name != event.NameGroupJoined || f.Source != source {
			continue
		}
		var p struct {
			Account string `json:"account"`
			Group   string `json:"group"`
		}
		member := ""
		for _, id := range f.Identifiers {
			if id.Kind == contact.KindExternalUserID {
				member = id.Value
			}
		}
		if json.Unmarshal(f.Properties, &p) != nil || p.Account == "" || p.Group == "" || member == "" {
			continue
		}
		// The row may not be there yet: it is written after the fact. Then this makes it.
		_, err := s.DB.Exec(ctx, `insert into community_members (account, chat, member, kind, contact, name_enc, invitor, state, scene, quit, joined_at, left_at) values ($1, $2, $3, 'customer', $4, '', '', '', 0, 0, $5, $5)
			on conflict (account, chat, member) do update set contact = excluded.contact`, p.Account, p.Group, member, f.Contact, f.Timestamp)
		if err != nil {
			return fmt.Errorf("keep who a member is: %w", err)
		}
	}
	return nil
}

package consent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Cell is what holds for one purpose and channel of a person, with what decides it.
type Cell struct {
	Channel Channel `json:"channel"`
	Decision
	Source Source `json:"source,omitempty" doc:"From where the deciding row came"`
	By     string `json:"by,omitempty" doc:"Who of the staff wrote it"`
	Note   string `json:"note,omitempty"`
}

// PurposeCells is what holds for one purpose.
type PurposeCells struct {
	Purpose string `json:"purpose"`
	Cells   []Cell `json:"cells"`
}

// Profile is what a person agreed to.
type Profile struct {
	Purposes     []PurposeCells `json:"purposes"`
	DoNotContact *Row           `json:"doNotContact,omitempty" doc:"Since when nothing may reach the person"`
	Suppressed   []Suppression  `json:"suppressed" doc:"Addresses of the person that are on the suppression list"`
	Links        []Link         `json:"links" doc:"Preference links that work, newest first"`
	Rows         int64          `json:"rows" doc:"Rows of the ledger"`
}

// Profile reads what holds for one contact, and why.
func (s *Service) Profile(ctx context.Context, contactID string) (Profile, error) {
	out := Profile{Purposes: []PurposeCells{}, Suppressed: []Suppression{}, Links: []Link{}}
	num, err := s.Contacts.NumOf(ctx, contactID)
	if err != nil {
		return out, err
	}
	list, err := s.Purposes(ctx)
	if err != nil {
		return out, err
	}
	have, err := s.stands(ctx, []int64{num})
	if err != nil {
		return out, err
	}
	if out.Suppressed, err = s.suppressedOf(ctx, num); err != nil {
		return out, err
	}
	why := map[int64]*Row{}
	everything := have[stateKey{num, Everything}]
	if c := everything.of(useBit); c.state == Withdrawn {
		why[c.seq] = nil
	}
	for _, p := range list {
		if p.Archived {
			continue
		}
		chs := p.Channels
		if len(chs) == 0 {
			chs = []Channel{All}
		}
		pc := PurposeCells{Purpose: p.ID}
		for _, ch := range chs {
			m, _ := bitOf(ch)
			q := question{p: p, bit: m}
			d := q.decide(answer{have[stateKey{num, p.ID}], everything}, barredBy(out.Suppressed, ch))
			if d.Row != 0 {
				why[d.Row] = nil
			}
			pc.Cells = append(pc.Cells, Cell{Channel: ch, Decision: d})
		}
		out.Purposes = append(out.Purposes, pc)
	}
	if err := s.explain(ctx, why); err != nil {
		return out, err
	}
	for _, pc := range out.Purposes {
		for i := range pc.Cells {
			if r := why[pc.Cells[i].Row]; r != nil {
				pc.Cells[i].Source, pc.Cells[i].By, pc.Cells[i].Note = r.Source, r.Proof.StaffName, r.Proof.Note
			}
		}
	}
	if c := everything.of(useBit); c.state == Withdrawn {
		out.DoNotContact = why[c.seq]
	}
	return out, s.linksAndRows(ctx, num, &out)
}

// barredBy tells whether the addresses on the list keep a channel from who has them.
func barredBy(list []Suppression, ch Channel) bool {
	return slices.ContainsFunc(list, func(p Suppression) bool { return p.Whole || p.Kind == kindFor(ch) })
}

// explain reads the rows that decide.
func (s *Service) explain(ctx context.Context, why map[int64]*Row) error {
	return inChunks(ctx, s.DB, "read deciding rows", "select "+strings.Join(entryColumns, ",")+" from consent_ledger where seq in (%s)", nil, keysOf(why), func(r *sql.Rows) error {
		e, err := scanEntry(r)
		if err != nil {
			return err
		}
		row, err := s.show(&e)
		why[e.seq] = &row
		return err
	})
}

func (s *Service) linksAndRows(ctx context.Context, num int64, out *Profile) error {
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return err
	}
	now := s.Clock.Now().UnixMilli()
	err = inChunks(ctx, s.DB, "read links", "select "+linkColumns+" from consent_links where contact in (%s) order by created_at desc, id", nil, group, func(r *sql.Rows) error {
		var l linkRow
		if err := r.Scan(l.fields()...); err != nil {
			return err
		}
		if l.live(now) && len(out.Links) < 10 {
			out.Links = append(out.Links, s.showLink(l))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return inChunks(ctx, s.DB, "count rows", "select count(*) from consent_ledger where contact in (%s)", nil, group, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		out.Rows += n
		return err
	})
}

// suppressedOf lists the addresses of a contact that are on the suppression list.
func (s *Service) suppressedOf(ctx context.Context, num int64) ([]Suppression, error) {
	out := []Suppression{}
	if any, err := s.anyBarred(ctx); err != nil || !any {
		return out, err
	}
	has, err := s.Contacts.Addresses(ctx, []int64{num})
	if err != nil {
		return nil, err
	}
	for _, a := range has[num] {
		var p Suppression
		var whole, at int64
		err := s.DB.QueryRow(ctx, "select id, kind, masked, whole, reason, source, created_at, by_name from consent_suppressions where kind = $1 and lookup = $2", a.Kind, a.Lookup).
			Scan(&p.ID, &p.Kind, &p.Masked, &whole, &p.Reason, &p.Source, &at, &p.By)
		if db.NoRows(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read suppression: %w", err)
		}
		p.Whole, p.CreatedAt = whole != 0, clock.FromMs(at)
		out = append(out, p)
	}
	return out, nil
}

type ledgerCursor struct {
	Seq int64 `json:"s"`
}

// History lists a person's rows of the ledger, newest first.
func (s *Service) History(ctx context.Context, contactID, cursor string, limit int) (items []Row, next string, err error) {
	num, err := s.Contacts.NumOf(ctx, contactID)
	if err != nil {
		return nil, "", err
	}
	var c ledgerCursor
	if err := httpx.DecodeCursor(cursor, &c); err != nil {
		return nil, "", err
	}
	group, err := s.Contacts.Group(ctx, num)
	if err != nil {
		return nil, "", err
	}
	entries, err := s.history(ctx, group, c.Seq, limit+1)
	if err != nil {
		return nil, "", err
	}
	return s.page(entries, limit)
}

func (s *Service) page(entries []entry, limit int) (items []Row, next string, err error) {
	if len(entries) > limit {
		entries = entries[:limit]
		next = httpx.EncodeCursor(ledgerCursor{entries[limit-1].seq})
	}
	items = make([]Row, len(entries))
	for i := range entries {
		if items[i], err = s.show(&entries[i]); err != nil {
			return nil, "", err
		}
	}
	return items, next, nil
}

// RecentQuery narrows Recent.
type RecentQuery struct {
	Purpose string
	State   State
	Source  Source
	Cursor  string
	Limit   int
}

// Recent lists the newest rows of the whole ledger, with whose they are. One call
// looks at 5,000 rows at most: where few match, a page may be short and have a next.
func (s *Service) Recent(ctx context.Context, q RecentQuery) (items []Row, next string, err error) {
	var c ledgerCursor
	if err := httpx.DecodeCursor(q.Cursor, &c); err != nil {
		return nil, "", err
	}
	const look = 5000
	cond, args := "seq < $1 and seq >= $2", []any{}
	if c.Seq == 0 {
		var last int64
		if err := s.DB.QueryRow(ctx, "select seq from consent_head where name = 'ledger'").Scan(&last); err != nil {
			return nil, "", fmt.Errorf("read the end of the ledger: %w", err)
		}
		c.Seq = last + 1
	}
	floor := c.Seq - look
	args = append(args, c.Seq, floor)
	for _, f := range []struct{ col, v string }{{"purpose", q.Purpose}, {"state", string(q.State)}, {"source", string(q.Source)}} {
		if f.v != "" {
			args = append(args, f.v)
			cond += fmt.Sprintf(" and %s = $%d", f.col, len(args))
		}
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select %s from consent_ledger where %s order by seq desc limit %d", strings.Join(entryColumns, ","), cond, q.Limit+1), args...)
	entries, err := db.Collect(rows, err, scanEntry)
	if err != nil {
		return nil, "", fmt.Errorf("read the ledger: %w", err)
	}
	items, next, err = s.page(entries, q.Limit)
	if err != nil {
		return nil, "", err
	}
	if next == "" && floor > 1 {
		next = httpx.EncodeCursor(ledgerCursor{floor})
	}
	nums := make([]int64, len(items))
	for i := range items {
		nums[i] = entries[i].contact
	}
	items, err = s.named(ctx, items, nums)
	return items, next, err
}

// named says whose rows they are, and leaves out those of people whom the caller
// may not see.
func (s *Service) named(ctx context.Context, items []Row, nums []int64) ([]Row, error) {
	roots, err := s.rootsOf(ctx, nums)
	if err != nil {
		return nil, err
	}
	living := make([]int64, len(nums))
	for i, n := range nums {
		living[i] = rootIn(roots, n)
	}
	seen, err := s.Contacts.InScope(ctx, living)
	if err != nil {
		return nil, err
	}
	refs, err := s.Contacts.Refs(ctx, seen)
	if err != nil {
		return nil, err
	}
	out := []Row{}
	for i, r := range items {
		if ref, ok := refs[living[i]]; ok {
			r.Contact = &ref
			out = append(out, r)
		}
	}
	return out, nil
}

// Change is one change of a person's consent by staff or by an integration.
type Change struct {
	Purpose string    `json:"purpose" doc:"A purpose; everything: do not contact"`
	Channel Channel   `json:"channel" enum:"all,wecom,official_account,mini_program,sms,email,phone,in_app" default:"all"`
	State   State     `json:"state" enum:"granted,withdrawn"`
	At      time.Time `json:"at,omitzero" doc:"Since when; default now"`
	Wording int64     `json:"wording,omitempty" minimum:"0" doc:"Version that the person was shown; default the one of that day"`
	Reply   bool      `json:"reply,omitempty" doc:"The person answered a message, such as TD: messageId names it"`
	// MessageID names what the person said it in.
	MessageID string `json:"messageId,omitempty" maxLength:"200"`
}

// Set writes down what somebody told staff or an integration, with the reason.
func (s *Service) Set(ctx context.Context, contactID string, changes []Change, reason string) error {
	reason, err := reasonOf("reason", reason)
	if err != nil {
		return err
	}
	if len(changes) == 0 {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("changes", "request.field_required"))
	}
	by := principal(ctx)
	source := FromStaff
	if by.Via == auth.ViaToken {
		source = FromAPI
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		num, err := s.Contacts.NumOf(ctx, contactID)
		if err != nil {
			return err
		}
		said := make([]Said, len(changes))
		for i, c := range changes {
			if !c.At.IsZero() && c.At.After(s.Clock.Now().Add(time.Minute)) {
				return errs.New(errs.Invalid, "request.invalid").On(errs.At(fmt.Sprintf("changes[%d].at", i), "consent.in_future"))
			}
			from := source
			if c.Reply {
				from = FromReply
			}
			said[i] = Said{Contact: num, Purpose: c.Purpose, Channel: c.Channel, State: c.State, At: c.At, Source: from, Wording: c.Wording,
				Proof: Proof{IP: httpx.ClientIP(ctx), StaffID: by.ID, StaffName: by.Name, Note: reason, MessageID: c.MessageID}}
			if said[i].Channel == "" {
				said[i].Channel = All
			}
		}
		rows, err := s.write(ctx, said, true)
		if err != nil {
			return err
		}
		last := rows[len(rows)-1]
		return s.recordContact(ctx, "consent.changed", num, map[string]any{"changes": changes, "seq": last.seq, "hash": last.hash})
	})
	if err != nil {
		return fmt.Errorf("change consent: %w", err)
	}
	return nil
}

// Total is how many people stand how, for one purpose and channel.
type Total struct {
	Purpose   string  `json:"purpose"`
	Channel   Channel `json:"channel"`
	Granted   int64   `json:"granted"`
	Withdrawn int64   `json:"withdrawn"`
	Unknown   int64   `json:"unknown"`
}

// Totals counts people by what they said.
type Totals struct {
	People       int64   `json:"people"`
	DoNotContact int64   `json:"doNotContact"`
	Suppressed   int64   `json:"suppressed" doc:"Addresses on the suppression list"`
	Rows         int64   `json:"rows" doc:"Rows of the ledger"`
	Items        []Total `json:"items"`
}

// Totals counts people by purpose and channel: one read of an index for each purpose.
func (s *Service) Totals(ctx context.Context) (Totals, error) {
	out := Totals{Items: []Total{}}
	list, err := s.Purposes(ctx)
	if err != nil {
		return out, err
	}
	if out.People, err = s.Contacts.Count(ctx, contact.Selection{}); err != nil {
		return out, err
	}
	counts, err := s.tallies(ctx, list)
	if err != nil {
		return out, err
	}
	for _, p := range list {
		if p.Archived {
			continue
		}
		by := counts[p.ID]
		chs := p.Channels
		if len(chs) == 0 {
			chs = []Channel{All}
		}
		for _, c := range chs {
			m, _ := bitOf(c)
			t := Total{Purpose: p.ID, Channel: c}
			for _, x := range by {
				if x.granted&m != 0 {
					t.Granted += x.n
				}
				if x.withdrawn&m != 0 {
					t.Withdrawn += x.n
				}
			}
			t.Unknown = max(0, out.People-t.Granted-t.Withdrawn)
			out.Items = append(out.Items, t)
		}
	}
	for _, x := range counts[Everything] {
		if x.withdrawn&useBit != 0 {
			out.DoNotContact += x.n
		}
	}
	err = errors.Join(
		s.DB.QueryRow(ctx, "select count(*) from consent_suppressions").Scan(&out.Suppressed),
		s.DB.QueryRow(ctx, "select seq from consent_head where name = 'ledger'").Scan(&out.Rows))
	return out, err
}

type tallied struct {
	granted, withdrawn mask
	n                  int64
}

// tallies counts people by purpose: from an index for whoever sees everybody, else
// by reading what those said whom the caller may see.
func (s *Service) tallies(ctx context.Context, list purposes) (map[string][]tallied, error) {
	out := map[string][]tallied{}
	if auth.ScopeOf(ctx).All {
		for _, id := range append(idsOf(list), Everything) {
			by, err := s.tally(ctx, id)
			if err != nil {
				return nil, err
			}
			out[id] = by
		}
		return out, nil
	}
	err := s.inScope(ctx, 0, func(_ []int64, have map[stateKey]stand) bool {
		for k, st := range have {
			g, w, _ := st.masks()
			out[k.purpose] = append(out[k.purpose], tallied{g, w, 1})
		}
		return true
	})
	return out, err
}

func idsOf(list purposes) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.ID
	}
	return out
}

// inScope walks the people whom the caller may see, with what they said, until fn says so.
func (s *Service) inScope(ctx context.Context, after int64, fn func(nums []int64, have map[stateKey]stand) bool) error {
	for {
		nums, err := s.Contacts.Walk(ctx, contact.Selection{}, after, 500)
		if err != nil || len(nums) == 0 {
			return err
		}
		have, err := s.stands(ctx, nums)
		if err != nil || !fn(nums, have) {
			return err
		}
		after = nums[len(nums)-1]
	}
}

// tally counts the people of a purpose by what they said, from an index alone.
func (s *Service) tally(ctx context.Context, purpose string) ([]tallied, error) {
	rows, err := s.DB.Query(ctx, "select granted, withdrawn, count(*) from consent_state where purpose = $1 and shown = 1 group by granted, withdrawn", purpose)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (t tallied, err error) { return t, r.Scan(&t.granted, &t.withdrawn, &t.n) })
	if err != nil {
		return nil, fmt.Errorf("count consents: %w", err)
	}
	return out, nil
}

// PeopleQuery asks who stands behind a number of Totals.
type PeopleQuery struct {
	Purpose string
	Channel Channel
	State   State
	Cursor  string
	Limit   int
}

// PeoplePage is the people behind a number.
type PeoplePage struct {
	Items []contact.Row `json:"items"`
	Next  string        `json:"next,omitempty"`
	Total int64         `json:"total"`
}

type peopleCursor struct {
	After int64 `json:"a"`
	Total int64 `json:"t"`
}

// People lists who stands behind a number of Totals: their count equals it.
func (s *Service) People(ctx context.Context, q PeopleQuery) (PeoplePage, error) {
	out := PeoplePage{Items: []contact.Row{}}
	var c peopleCursor
	if err := httpx.DecodeCursor(q.Cursor, &c); err != nil {
		return out, err
	}
	if q.Purpose != Everything {
		if _, err := s.question(ctx, q.Purpose, q.Channel); err != nil {
			return out, err
		}
	} else {
		q.Channel = All
	}
	m, _ := bitOf(q.Channel)
	var nums []int64
	var err error
	switch {
	case !slices.Contains([]State{Granted, Withdrawn, Unknown}, q.State):
		return out, errs.New(errs.Invalid, "request.invalid").On(errs.At("state", "consent.bad_state"))
	case !auth.ScopeOf(ctx).All:
		nums, err = s.seen(ctx, q, m, &c)
	case q.State != Unknown:
		nums, err = s.said(ctx, q.Purpose, m, q.State, &c, q.Limit+1)
	default:
		nums, err = s.silent(ctx, q.Purpose, m, &c, q.Limit+1)
	}
	if err != nil {
		return out, err
	}
	out.Total = c.Total
	if len(nums) > q.Limit {
		nums = nums[:q.Limit]
		out.Next = httpx.EncodeCursor(peopleCursor{nums[q.Limit-1], c.Total})
	}
	out.Items, err = s.Contacts.ListByNums(ctx, nums)
	return out, err
}

// seen lists, of the people whom the caller may see, those who stand so.
func (s *Service) seen(ctx context.Context, q PeopleQuery, m mask, c *peopleCursor) ([]int64, error) {
	first, total := c.Total == 0, int64(0)
	var out []int64
	err := s.inScope(ctx, c.After, func(nums []int64, have map[stateKey]stand) bool {
		for _, n := range nums {
			st := have[stateKey{n, q.Purpose}]
			is := st.of(m).state
			if is != q.State && (is != "" || q.State != Unknown) {
				continue
			}
			if total++; len(out) <= q.Limit {
				out = append(out, n)
			}
		}
		return first || len(out) <= q.Limit
	})
	if first {
		c.Total = total
	}
	return out, err
}

// said lists people who said something of a purpose and channel, by number.
func (s *Service) said(ctx context.Context, purpose string, m mask, st State, c *peopleCursor, limit int) ([]int64, error) {
	col := "granted"
	if st == Withdrawn {
		col = "withdrawn"
	}
	where := "purpose = $1 and shown = 1 and " + col + " & $2 <> 0"
	if c.Total == 0 {
		if err := s.DB.QueryRow(ctx, "select count(*) from consent_state where "+where, purpose, int64(m)).Scan(&c.Total); err != nil {
			return nil, fmt.Errorf("count consents: %w", err)
		}
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select contact from consent_state where %s and contact > $3 order by contact limit %d", where, limit), purpose, int64(m), c.After)
	return db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
}

// silent lists people who said nothing: everybody but those who did.
func (s *Service) silent(ctx context.Context, purpose string, m mask, c *peopleCursor, limit int) ([]int64, error) {
	if c.Total == 0 {
		people, err := s.Contacts.Count(ctx, contact.Selection{})
		if err != nil {
			return nil, err
		}
		var spoke int64
		if err := s.DB.QueryRow(ctx, "select count(*) from consent_state where purpose = $1 and shown = 1 and (granted | withdrawn) & $2 <> 0", purpose, int64(m)).Scan(&spoke); err != nil {
			return nil, fmt.Errorf("count consents: %w", err)
		}
		c.Total = max(0, people-spoke)
	}
	var out []int64
	for after := c.After; len(out) < limit; {
		part, err := s.Contacts.Walk(ctx, contact.Selection{}, after, 500)
		if err != nil || len(part) == 0 {
			return out, err
		}
		after = part[len(part)-1]
		spoke := map[int64]bool{}
		err = s.numbers(ctx, spoke, "select contact from consent_state where purpose = $1 and (granted | withdrawn) & $2 <> 0 and contact >= $3 and contact <= $4", purpose, int64(m), part[0], after)
		if err != nil {
			return nil, err
		}
		for _, n := range part {
			if !spoke[n] {
				out = append(out, n)
			}
		}
	}
	return out[:min(limit, len(out))], nil
}

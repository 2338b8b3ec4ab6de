package wecom

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/rounds"
)

// kindMoment is the kind of sendings that are posts; the others are ToCustomers and
// ToGroups.
const kindMoment = "moment"

const (
	resultsEvery = time.Minute
	// followFor is how long the results of a sending are followed: shorter than the
	// week for which the stream knows a fact that is stated again.
	followFor = 6 * 24 * time.Hour
	// overlap makes up for sendings that were listed late.
	overlap = 10 * time.Minute
)

// Results follows what becomes of messages to many and of posts. The platform does
// not call back about them, and colleagues make some of their own: so they are
// listed, and looked at again less and less often, until every colleague has sent
// theirs or six days are over. What became of each customer is a fact; what became
// of the whole is a receipt.
type Results struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Accounts func(ctx context.Context) ([]connector.Account, error)
	Conn     func(ctx context.Context, account string) (*Client, error)
	Ingest   event.Ingester
	// Put hands on receipts (connector.Service.Put).
	Put func(ctx context.Context, a connector.Account, in ...connector.Incoming) error

	run rounds.Runner
}

// Start begins to follow them in the background.
func (r *Results) Start(ctx context.Context) error {
	r.run.Start(ctx, func(ctx context.Context) { rounds.Every(ctx, resultsEvery, nil, r.Turn) })
	return nil
}

// Stop ends that and waits.
func (r *Results) Stop(context.Context) error {
	r.run.Stop()
	return nil
}

// Turn looks at every account once.
func (r *Results) Turn(ctx context.Context) {
	list, err := r.Accounts(ctx)
	if err != nil {
		r.Log.ErrorContext(ctx, "the results of mass messages cannot be followed", "error", err)
		return
	}
	for _, a := range list {
		if a.State != connector.Active {
			continue
		}
		if err := r.account(ctx, a); err != nil && ctx.Err() == nil {
			r.Log.InfoContext(ctx, "the results of mass messages have to wait", "account", a.ID, "error", err)
		}
	}
}

func (r *Results) account(ctx context.Context, a connector.Account) error {
	c, err := r.Conn(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, kind := range []string{ToCustomers, ToGroups, kindMoment} {
		if err := r.discover(ctx, a, c, kind); err != nil {
			return err
		}
	}
	list, err := r.due(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, s := range list {
		if err := r.follow(ctx, a, c, s); err != nil {
			return err
		}
	}
	return nil
}

// discover keeps the sendings of a kind that were made since the last look.
func (r *Results) discover(ctx context.Context, a connector.Account, c *Client, kind string) error {
	now := r.Clock.Now()
	marks := cursors{r.DB, r.Clock}
	from := now.Add(-followFor)
	last, err := marks.get(ctx, a.ID, "sendings:"+kind)
	if err != nil {
		return err
	}
	if at, err := time.Parse(time.RFC3339, last); err == nil && at.Add(-overlap).After(from) {
		from = at.Add(-overlap)
	}
	for cursor, n := "", 0; n < 200; n++ {
		var made []MassMade
		var next string
		if kind == kindMoment {
			var list []MomentMade
			list, next, err = c.Moments(ctx, from, now.Add(time.Minute), cursor, 0)
			for _, m := range list {
				made = append(made, MassMade{ID: m.ID, CreatedAt: m.CreatedAt})
			}
		} else {
			made, next, err = c.Masses(ctx, kind, from, now.Add(time.Minute), cursor, 0)
		}
		if err != nil {
			return err
		}
		for _, m := range made {
			_, err := r.DB.Exec(ctx, `insert into wecom_sendings (account, id, kind, made_at, state, next_at, parts, settled, reached, missed) values ($1, $2, $3, $4, 'open', 0, 0, 0, 0, 0)
				on conflict (account, id) do nothing`, a.ID, m.ID, kind, int64(m.CreatedAt)*1000)
			if err != nil {
				return fmt.Errorf("keep a sending: %w", err)
			}
		}
		if next == "" || next == cursor {
			break
		}
		cursor = next
	}
	return marks.set(ctx, a.ID, "sendings:"+kind, now.UTC().Format(time.RFC3339))
}

// sending is a message to many, or a post, whose results are followed.
type sending struct {
	id, kind string
	madeAt   int64
}

func (r *Results) due(ctx context.Context, account string) ([]sending, error) {
	rows, err := r.DB.Query(ctx, "select id, kind, made_at from wecom_sendings where account = $1 and state = 'open' and next_at <= $2 order by next_at, id limit 200", account, clock.Ms(r.Clock.Now()))
	list, err := db.Collect(rows, err, func(x *sql.Rows) (s sending, err error) { return s, x.Scan(&s.id, &s.kind, &s.madeAt) })
	if err != nil {
		return nil, fmt.Errorf("find sendings: %w", err)
	}
	return list, nil
}

// part is one colleague's in a sending.
type part struct {
	staff           string
	sent, done      bool
	reached, missed int64
}

// follow looks at a sending once.
func (r *Results) follow(ctx context.Context, a connector.Account, c *Client, s sending) error {
	parts, err := r.parts(ctx, a.ID, c, s)
	if err != nil {
		return err
	}
	settled := 0
	var reached, missed int64
	for i := range parts {
		p := &parts[i]
		if p.sent && !p.done {
			read := r.results
			if s.kind == kindMoment {
				read = r.seen
			}
			if err := read(ctx, a, c, s, p); err != nil {
				return err
			}
			_, err := r.DB.Exec(ctx, `insert into wecom_sending_parts (account, id, staff, done, reached, missed) values ($1, $2, $3, $4, $5, $6)
				on conflict (account, id, staff) do update set done = excluded.done, reached = excluded.reached, missed = excluded.missed`, a.ID, s.id, p.staff, bit(p.done), p.reached, p.missed)
			if err != nil {
				return fmt.Errorf("keep a part of a sending: %w", err)
			}
		}
		if p.done {
			settled++
		}
		reached, missed = reached+p.reached, missed+p.missed
	}
	now := r.Clock.Now()
	age := now.Sub(clock.FromMs(s.madeAt))
	over := age > followFor || s.kind != kindMoment && settled == len(parts) && len(parts) > 0
	state := "open"
	if over {
		state = "done"
		if err := r.receipt(ctx, a, s, reached, missed); err != nil {
			return err
		}
	}
	_, err = r.DB.Exec(ctx, "update wecom_sendings set state = $3, next_at = $4, parts = $5, settled = $6, reached = $7, missed = $8 where account = $1 and id = $2",
		a.ID, s.id, state, clock.Ms(now.Add(nextLook(age))), len(parts), settled, reached, missed)
	if err != nil {
		return fmt.Errorf("keep a sending: %w", err)
	}
	return nil
}

// nextLook is when to look again: colleagues confirm within the first hours or not.
func nextLook(age time.Duration) time.Duration {
	switch {
	case age < time.Hour:
		return resultsEvery / 2
	case age < 24*time.Hour:
		return 10 * time.Minute
	default:
		return time.Hour
	}
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// parts lists the colleagues of a sending with what is known of theirs.
func (r *Results) parts(ctx context.Context, account string, c *Client, s sending) ([]part, error) {
	rows, err := r.DB.Query(ctx, "select staff, done, reached, missed from wecom_sending_parts where account = $1 and id = $2", account, s.id)
	known := map[string]part{}
	_, err = db.Collect(rows, err, func(x *sql.Rows) (none struct{}, err error) {
		var p part
		var done int64
		err = x.Scan(&p.staff, &done, &p.reached, &p.missed)
		p.done = done == 1
		known[p.staff] = p
		return none, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the parts of a sending: %w", err)
	}
	var out []part
	add := func(staff string, sent bool) {
		p := known[staff]
		p.staff, p.sent = staff, sent
		out = append(out, p)
	}
	for cursor, n := "", 0; n < 200; n++ {
		var next string
		if s.kind == kindMoment {
			list, more, err := c.MomentTasks(ctx, s.id, cursor, 0)
			if err != nil {
				return nil, err
			}
			next = more
			for _, t := range list {
				add(t.UserID, t.Status == 1)
			}
		} else {
			list, more, err := c.MassTasks(ctx, s.id, cursor, 0)
			if err != nil {
				return nil, err
			}
			next = more
			for _, t := range list {
				add(t.UserID, t.Status == 2)
			}
		}
		if next == "" || next == cursor {
			break
		}
		cursor = next
	}
	return out, nil
}

// whyNot are the reasons for which somebody did not get a message.
var whyNot = map[int]string{NoFriend: "no_friend", AtTheirEnds: "limit"}

// results states what became of a colleague's part of a message.
func (r *Results) results(ctx context.Context, a connector.Account, c *Client, s sending, p *part) error {
	p.done, p.reached, p.missed = true, 0, 0
	for cursor, n := "", 0; n < 1000; n++ {
		list, next, err := c.MassResults(ctx, s.id, p.staff, cursor, 0)
		if err != nil {
			return err
		}
		var facts []event.Fact
		for _, x := range list {
			name := event.NameMessageDelivered
			switch x.Status {
			case Unsent:
				p.done = false
				continue
			case Sent:
				p.reached++
			default:
				name = event.NameMessageFailed
				p.missed++
			}
			if x.Customer == "" { // a group's members are not named
				continue
			}
			at := x.SentAt * 1000
			if at == 0 {
				at = clock.Ms(r.Clock.Now())
			}
			facts = append(facts, sentFact(a.ID, s, name, p.staff, x.Customer, at, whyNot[x.Status]))
		}
		if err := r.state(ctx, facts); err != nil {
			return err
		}
		if next == "" || next == cursor {
			break
		}
		cursor = next
	}
	return nil
}

// seen states to whom a colleague's post was shown, and who liked it or wrote below
// it. People go on doing so: such a part is never done.
func (r *Results) seen(ctx context.Context, a connector.Account, c *Client, s sending, p *part) error {
	now := clock.Ms(r.Clock.Now())
	var reached int64
	for cursor, n := "", 0; n < 1000; n++ {
		list, next, err := c.MomentSeen(ctx, s.id, p.staff, cursor, 0)
		if err != nil {
			return err
		}
		reached += int64(len(list))
		if p.reached == 0 { // it is shown to all at once: what was stated need not be stated each time
			facts := make([]event.Fact, len(list))
			for i, id := range list {
				facts[i] = sentFact(a.ID, s, event.NameMomentShown, p.staff, id, now, "")
			}
			if err := r.state(ctx, facts); err != nil {
				return err
			}
		}
		if next == "" || next == cursor {
			break
		}
		cursor = next
	}
	p.reached = max(p.reached, reached)
	comments, likes, err := c.MomentReactions(ctx, s.id, p.staff)
	if err != nil {
		return err
	}
	var facts []event.Fact
	nth := map[string]int{} // of one person in one second
	for name, list := range map[string][]Reaction{event.NameMomentCommented: comments, event.NameMomentLiked: likes} {
		for _, x := range list {
			if x.Customer != "" {
				f := sentFact(a.ID, s, name, p.staff, x.Customer, x.At*1000, "")
				k := fmt.Sprint(name, x.Customer, x.At)
				nth[k]++
				f.MessageID = sendingID(a.ID, s.id, name, x.Customer, fmt.Sprint(x.At, nth[k]))
				facts = append(facts, f)
			}
		}
	}
	return r.state(ctx, facts)
}

func sendingID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return "ws-" + hex.EncodeToString(h.Sum(nil)[:16])
}

func sentFact(account string, s sending, name, staff, customer string, at int64, why string) event.Fact {
	props := map[string]any{"account": account, "staff": staff, "message": s.id, "form": "mass"}
	if s.kind == kindMoment {
		props["form"] = "moment"
	}
	if why != "" {
		props["reason"] = why
	}
	raw, _ := json.Marshal(props) // texts always encode
	return event.Fact{MessageID: sendingID(account, s.id, name, staff, customer), Type: event.Track, Name: name, Identifiers: customerIDs(customer, ""), Timestamp: at, Source: Source, Properties: raw}
}

func (r *Results) state(ctx context.Context, facts []event.Fact) error {
	if len(facts) == 0 {
		return nil
	}
	if _, err := r.Ingest.Ingest(ctx, facts); err != nil {
		return fmt.Errorf("state facts: %w", err)
	}
	return nil
}

// receipt tells what became of the whole: it arrived where at least one got it.
func (r *Results) receipt(ctx context.Context, a connector.Account, s sending, reached, missed int64) error {
	got := connector.Receipt{ID: s.id, State: connector.Delivered, At: r.Clock.Now()}
	if reached == 0 {
		got.State, got.Reason = connector.Bounced, "wecom.nobody_got_it"
	}
	body, _ := json.Marshal(map[string]int64{"reached": reached, "missed": missed}) // numbers always encode
	return r.Put(ctx, a, connector.Incoming{Key: "sending:" + s.id, Name: "sending.done", At: got.At, Body: body, Receipt: &got})
}

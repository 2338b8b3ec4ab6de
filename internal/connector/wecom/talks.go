package wecom

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/connector/wxcall"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// nameService is the callback that says: there is something to fetch.
const nameService = "kf_msg_or_event"

// The names under which what customers do in customer service is put before those
// who answer (connector.Service.Reply). The body is the ServiceMessage in JSON.
const (
	// AskedEntered is a customer who opens the session: its answer is the welcome.
	AskedEntered = "kf.enter_session"
	// AskedMessage begins the names of messages: kf.message.text, kf.message.image, …
	AskedMessage = "kf.message."
)

const (
	// welcomeIn is how long a session's welcome may take.
	welcomeIn = 20 * time.Second
	// answerIn is how old a message may be that is still answered by itself: after
	// a longer silence of ours an answer to an old word would only startle.
	answerIn = 10 * time.Minute
	// maxPages bounds what one callback reads; more goes on with the next.
	maxPages = 50
	// codeOldToken is the refusal of a callback's token that is over.
	codeOldToken = 95007
)

// Talks brings what is said in customer service: a callback says that there is
// something, what it is has to be fetched. Facts are stated for all of it, and who
// answers by itself is asked. The place where reading goes on is kept after both,
// so that a crash repeats them: facts count once by their ids, answers leave once
// by their keys.
type Talks struct {
	DB     *db.DB
	Clock  clock.Clock
	Log    *slog.Logger
	Conn   func(ctx context.Context, account string) (*Client, error)
	Ingest event.Ingester
	// Answer gives what is said at once, from memory (see connector.Service.Answer),
	// nil for nothing or when it has been sent already.
	Answer func(ctx context.Context, a connector.Account, in connector.Incoming) (*connector.Message, error)
	// Send sends once for each key (connector.Service.Send).
	Send func(ctx context.Context, account string, m connector.Message) (connector.Receipt, error)

	mu   sync.Mutex
	busy map[string]*sync.Mutex // one reads a service account at a time
	done map[string]bool        // callbacks that were read at once
}

// Register asks for the callbacks: at once, for a welcome has 20 seconds, and again
// in their turn for what was not read then.
func (t *Talks) Register(s *connector.Service) {
	s.First(Name, nameService, t.first)
	s.On(Name, nameService, t.later)
}

func (t *Talks) first(ctx context.Context, a connector.Account, in connector.Incoming) error {
	if err := t.read(ctx, a, in); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done == nil || len(t.done) > 10_000 {
		t.done = map[string]bool{}
	}
	t.done[in.ID] = true
	return nil
}

func (t *Talks) later(ctx context.Context, a connector.Account, in connector.Incoming) error {
	t.mu.Lock()
	read := t.done[in.ID]
	delete(t.done, in.ID)
	t.mu.Unlock()
	if read {
		return nil
	}
	return t.read(ctx, a, in)
}

func (t *Talks) lock(account, service string) *sync.Mutex {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy == nil {
		t.busy = map[string]*sync.Mutex{}
	}
	k := account + " " + service
	if t.busy[k] == nil {
		t.busy[k] = &sync.Mutex{}
	}
	return t.busy[k]
}

// read fetches all that there is.
func (t *Talks) read(ctx context.Context, a connector.Account, in connector.Incoming) error {
	e, err := ParseEvent(in.Body)
	if err != nil || e.ServiceID == "" {
		return connector.GiveUp(connector.ErrMalformed)
	}
	m := t.lock(a.ID, e.ServiceID)
	m.Lock()
	defer m.Unlock()
	c, err := t.Conn(ctx, a.ID)
	if err != nil {
		return err
	}
	marks := cursors{t.DB, t.Clock}
	name := "service:" + e.ServiceID
	cursor, err := marks.get(ctx, a.ID, name)
	if err != nil {
		return err
	}
	token := e.Token
	for range maxPages {
		list, next, more, err := c.ServiceMessages(ctx, e.ServiceID, cursor, token)
		if token != "" && CodeOf(err) == codeOldToken { // it lives ten minutes; without one it goes as well, only more rarely
			token = ""
			continue
		}
		if err != nil {
			return err
		}
		if err := t.take(ctx, a, c, list); err != nil {
			return err
		}
		if next != "" && next != cursor {
			if err := marks.set(ctx, a.ID, name, next); err != nil {
				return err
			}
		}
		if !more || next == cursor {
			return nil
		}
		cursor = next
	}
	return nil
}

// take states a page of messages and answers them.
func (t *Talks) take(ctx context.Context, a connector.Account, c *Client, list []ServiceMessage) error {
	var facts []event.Fact
	var came []string
	for _, m := range list {
		if f, ok := talkFact(a.ID, m); ok {
			facts = append(facts, f)
		}
		if m.Event.Type == "enter_session" {
			came = append(came, m.customer())
		}
	}
	facts = append(facts, t.who(ctx, a, c, came)...)
	if len(facts) > 0 {
		if _, err := t.Ingest.Ingest(ctx, facts); err != nil {
			return fmt.Errorf("state facts: %w", err)
		}
	}
	for _, m := range list {
		if err := t.answer(ctx, a, m); err != nil {
			return err
		}
	}
	return nil
}

// who states the names of customers who came. Without it they stay nameless until
// they come again: that holds nothing up.
func (t *Talks) who(ctx context.Context, a connector.Account, c *Client, ids []string) []event.Fact {
	var out []event.Fact
	for len(ids) > 0 {
		n := min(len(ids), limits["service.customers"].Most)
		known, err := c.ServiceCustomers(ctx, ids[:n])
		if err != nil {
			t.Log.InfoContext(ctx, "the names of customers in customer service are not to be had", "account", a.ID, "error", err)
			return out
		}
		for _, k := range known {
			out = append(out, Described(a.ID, talkID(a.ID, k.ID, k.Name, k.UnionID), t.Clock.Now(), k, nil))
		}
		ids = ids[n:]
	}
	return out
}

func talkID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return "kf-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// sessions are the facts of changes in a session, by their number.
var sessions = map[int]string{1: event.NameServiceTaken, 2: event.NameServiceTaken, 3: event.NameServiceEnded, 4: event.NameServiceTaken}

// talkFact is the fact that a message or event is; false when it is none.
func talkFact(account string, m ServiceMessage) (event.Fact, bool) {
	props := map[string]any{"account": account, "service": cmp.Or(m.Service, m.Event.Service)}
	set := func(k, v string) {
		if v != "" {
			props[k] = v
		}
	}
	name := ""
	switch {
	case m.customer() == "" || m.ID == "":
	case m.Origin == FromCustomer:
		name = event.NameMessageReceived
		props["form"] = m.Form
		set("text", wxcall.Clip(cmp.Or(m.Text.Content, m.Link.Title, m.Location.Name), 2000))
		set("menu", m.Text.MenuID)
	case m.Origin == FromAgent:
		name = event.NameMessageSent
		props["form"] = m.Form
		set("staff", m.UserID)
		set("text", wxcall.Clip(m.Text.Content, 2000))
	case m.Event.Type == "enter_session":
		name = event.NameServiceStarted
		set("scene", m.Event.Scene)
		set("param", wxcall.Clip(m.Event.Param, 200))
	case m.Event.Type == "session_status_change":
		name = sessions[m.Event.Change]
		set("staff", m.Event.NewUser)
	case m.Event.Type == "msg_send_fail":
		name = event.NameMessageFailed
		set("message", m.Event.FailedID)
		props["automatic"] = true
	}
	if name == "" {
		return event.Fact{}, false
	}
	raw, _ := json.Marshal(props) // texts always encode
	return event.Fact{MessageID: talkID(account, m.ID), Type: event.Track, Name: name, Identifiers: customerIDs(m.customer(), ""), Timestamp: m.SentAt * 1000,
		Source: Source, Properties: raw}, true
}

// answer asks those who answer by themselves, and sends what they say.
func (t *Talks) answer(ctx context.Context, a connector.Account, m ServiceMessage) error {
	if t.Answer == nil || m.customer() == "" {
		return nil
	}
	at := time.Unix(m.SentAt, 0).UTC()
	age := t.Clock.Now().Sub(at)
	in := connector.Incoming{Key: "kf:" + m.ID, Subject: m.customer(), At: at}
	switch {
	case m.Event.Type == "enter_session" && m.Event.Welcome != "" && age < welcomeIn:
		in.Name = AskedEntered
	case m.Origin == FromCustomer && m.Form != "" && age < answerIn:
		in.Name = AskedMessage + wxcall.Clip(m.Form, 40)
	default:
		return nil
	}
	in.Body, _ = json.Marshal(m) // it was read from JSON
	say, err := t.Answer(ctx, a, in)
	if err != nil || say == nil {
		return err
	}
	say.Key, say.Form, say.To, say.From = cmp.Or(say.Key, in.Key), FormService, in.Subject, cmp.Or(m.Service, m.Event.Service)
	if in.Name == AskedEntered {
		say.Ticket = m.Event.Welcome
	}
	got, err := t.Send(ctx, a.ID, *say)
	if err != nil {
		return err
	}
	if got.State == connector.Refused {
		t.Log.WarnContext(ctx, "an answer in customer service was refused", "account", a.ID, "code", got.Code, "reason", got.Reason)
		return nil
	}
	props, _ := json.Marshal(map[string]any{"account": a.ID, "service": say.From, "form": "text", "text": wxcall.Clip(say.Text, 2000), "automatic": true}) // texts always encode
	_, err = t.Ingest.Ingest(ctx, []event.Fact{{MessageID: talkID(a.ID, "answer", say.Key), Type: event.Track, Name: event.NameMessageSent, Identifiers: customerIDs(in.Subject, ""),
		Timestamp: max(got.At.UnixMilli(), m.SentAt*1000), Source: Source, Properties: props}})
	if err != nil {
		return fmt.Errorf("state facts: %w", err)
	}
	return nil
}

// ParseAsked reads what stands in an Incoming named AskedEntered or AskedMessage.
func ParseAsked(in connector.Incoming) (ServiceMessage, error) {
	var m ServiceMessage
	err := json.Unmarshal(in.Body, &m)
	return m, err
}

package livecode

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
)

// Scan is what a platform tells of somebody who just became a colleague's friend.
type Scan struct {
	Key         string // of the callback: the same when it is told again
	Account     string
	Staff       string
	Customer    string
	State       string    // of the code; "" without one
	WelcomeCode string    // allows one message; "" when the platform allows none
	At          time.Time // when it happened, by the platform's clock
	Received    time.Time // when it reached us; zero: just now
}

const (
	// margin is left of the 20 seconds for the way there.
	margin = 500 * time.Millisecond
	// sendTime bounds one try.
	sendTime = 5 * time.Second
	// claimLease is how long a claim is believed to be worked on by another node.
	claimLease = 8 * time.Second
)

// again are the pauses between tries of one welcome.
var again = []time.Duration{150 * time.Millisecond, 400 * time.Millisecond, time.Second, 2 * time.Second, 3 * time.Second}

var errElsewhere = errors.New("another node is sending this welcome")

// active are the callbacks that this process is welcoming just now.
type active struct {
	mu   sync.Mutex
	keys map[string]bool
}

func (a *active) begin(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys[key] {
		return false
	}
	if a.keys == nil {
		a.keys = map[string]bool{}
	}
	a.keys[key] = true
	return true
}

func (a *active) end(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.keys, key)
}

// Welcome answers a callback: it sends the welcome once, within the platform's 20
// seconds, and keeps what became of it. It comes before everything else that the
// callback sets off. An error means that nothing is known to be kept: the inbox
// hands the callback over again, and what was sent is not sent twice.
//
// After a crash the same callback comes again. What was claimed then and is still
// in time goes out once more under the same welcome code: the platform takes each
// of these once, so the customer sees one message either way.
func (s *Service) Welcome(ctx context.Context, in Scan) error {
	if in.WelcomeCode == "" {
		return nil // the platform's own welcome went out, or they chatted before
	}
	if !s.sendingNow.begin(in.Key) {
		return errElsewhere
	}
	defer s.sendingNow.end(in.Key)
	began := s.Clock.Now()
	w, c := s.due(ctx, in)
	hook := c != nil && c.Hook != nil && c.State == Active && !c.Over(began)
	if w.Text == "" && len(w.Attachments) == 0 && !hook {
		return nil
	}
	end := laterOf(in.At, in.Received, began).Add(welcomeTime - margin)
	row := claimRow{Scan: in, hook: hook, late: began.After(end), lease: clock.Ms(began.Add(claimLease))}
	if c != nil {
		row.code = c.ID
		if hook {
			row.gift = c.Hook.Name
		}
	}
	ans := s.claim.do(ctx, &asking{row: &row})
	switch {
	case ans.err != nil:
		return ans.err
	case ans.live:
		return errElsewhere
	case !ans.mine:
		return nil // it was settled before
	case row.late:
		s.Log.WarnContext(ctx, "a welcome came too late", "account", in.Account, "code", row.code)
		return nil
	}
	msg := s.compose(ctx, in, c, w, ans.hook, end)
	if msg.Text == "" && len(msg.Parts) == 0 { // the hook was theirs already, and there is nothing else
		return s.keep(ctx, &outcome{claimRow: row, state: refused, fault: "livecode.fault_nothing", took: since(began, s.Clock.Now())})
	}
	out := s.send(ctx, in, msg, end, ans.was == claimed)
	if out == nil { // the program ends; the claim stays, and the callback comes again
		return ctx.Err()
	}
	out.claimRow, out.withHook = row, ans.hook
	out.took = since(began, s.Clock.Now())
	if out.state == sent {
		out.fact = s.sentFact(in, c, ans.hook)
	}
	return s.keep(ctx, out)
}

// laterOf is when a welcome's time began. Clocks differ: what reached us just now
// is tried, and the platform says whether it is over.
func laterOf(at, received, now time.Time) time.Time {
	if received.IsZero() || received.After(now) {
		received = at
	}
	if at.After(now) {
		at = now
	}
	if received.After(at) {
		return received
	}
	return at
}

func since(from, to time.Time) int64 { return max(to.Sub(from).Milliseconds(), 0) }

func (s *Service) keep(ctx context.Context, o *outcome) error {
	return s.claim.do(ctx, &asking{end: o}).err
}

// due is the welcome for a scan, and the code it came by.
func (s *Service) due(ctx context.Context, in Scan) (Welcome, *Code) {
	c := s.find(ctx, in.State)
	if c == nil || c.Account != in.Account {
		return s.book.greeting(in.Account), nil
	}
	now := s.now(ctx)
	switch {
	case c.Over(now) && c.Expiry.Text != "":
		return Welcome{Text: c.Expiry.Text}, c
	case c.Over(now), c.Greet == GreetGeneral:
		return s.book.greeting(in.Account), c
	case c.Greet == GreetNone:
		return Welcome{}, c
	}
	return c.welcomeAt(now), c
}

// compose makes the message: names are filled in, attachments are the platform's.
func (s *Service) compose(ctx context.Context, in Scan, c *Code, w Welcome, hook bool, end time.Time) Message {
	text, name := w.Text, ""
	parts := w.Attachments
	person := fallbackPerson
	if c != nil {
		name, person = c.Name, cmp.Or(c.Person, person)
		if hook {
			if c.Hook.Text != "" {
				if text != "" {
					text += "\n\n"
				}
				text += c.Hook.Text
			}
			if c.Hook.Attachment != nil {
				parts = append(parts[:len(parts):len(parts)], *c.Hook.Attachment)
			}
		}
	}
	if strings.Contains(text, varCustomer) {
		call, cancel := context.WithTimeout(ctx, min(nameTime, end.Sub(s.Clock.Now())/2))
		if got, err := s.Platform.CustomerName(call, in.Account, in.Customer); err == nil && got != "" {
			person = got
		}
		cancel()
	}
	msg := Message{Text: fill(text, person, s.named(in.Account, in.Staff), name, s.now(ctx))}
	for _, a := range parts {
		if p, ok := s.part(ctx, in.Account, a); ok && len(msg.Parts) < maxParts {
			msg.Parts = append(msg.Parts, p)
		}
	}
	return msg
}

// send tries until the platform took it, refused it for good, or time is up. nil:
// the program ends. maybe tells that an earlier try got no answer: it may have arrived.
func (s *Service) send(ctx context.Context, in Scan, m Message, end time.Time, maybe bool) *outcome {
	out := &outcome{}
	for {
		left := end.Sub(s.Clock.Now())
		if left <= 0 {
			if out.fault == "" {
				out.fault = faultLate
			}
			break
		}
		call, cancel := context.WithTimeout(ctx, min(sendTime, left))
		err := s.Platform.Welcome(call, in.Account, in.WelcomeCode, m)
		cancel()
		out.tries++
		if err == nil {
			out.state = sent
			out.fault, out.faultCode = "", 0
			return out
		}
		if ctx.Err() != nil {
			return nil
		}
		out.fault, out.faultCode = faultOf(err)
		r, isNo := refusalOf(err)
		if !isNo {
			maybe = true
		}
		if isNo && !r.Again {
			// Used up after a try without an answer: that one had arrived, most likely.
			if maybe && (r.Code == 41050 || r.Code == 41051) {
				out.state, out.fault = unknown, faultUnknown
				return out
			}
			out.state = refused
			return out
		}
		pause := again[min(out.tries-1, len(again)-1)]
		if isNo && r.After > pause {
			pause = r.After
		}
		if pause >= end.Sub(s.Clock.Now()) {
			break
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
	out.state = refused
	if maybe {
		out.state = unknown
	}
	return out
}

// sentFact says that somebody was welcomed.
func (s *Service) sentFact(in Scan, c *Code, hook bool) *event.Fact {
	now := clock.Ms(s.Clock.Now())
	props := map[string]any{"account": in.Account, "staff": in.Staff}
	if c != nil {
		props["code"], props["codeName"] = c.ID, c.Name
		if c.Channel != "" {
			props["channel"] = c.Channel
		}
		if hook {
			props["hook"] = c.Hook.Name
		}
	}
	raw, _ := json.Marshal(props) // texts always encode
	return &event.Fact{MessageID: "welcome/" + in.Key, Type: event.Track, Name: event.NameWelcomeSent, Timestamp: now, ReceivedAt: now, Source: "livecode",
		Identifiers: []event.Identifier{{Kind: "wecom_external_userid", Value: in.Customer}}, Properties: raw}
}

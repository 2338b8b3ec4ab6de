package reply

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/clock"
)

const sourceName = "reply"

// Passive gives what to say in the answer of the call itself, nil for nothing: the
// first content of the rule, when an answer can hold it. It looks into memory alone
// (but see recent), and says the same when the platform calls again.
func (s *Service) Passive(ctx context.Context, a Ask) *Message {
	n := s.decide(ctx, a)
	if n.Silent() || !n.passive {
		return nil
	}
	m, ok := s.ready(a.Account, n.Rule.Contents[0])
	if !ok {
		return nil
	}
	m = s.fill(ctx, m, n)
	n.given.Store(true)
	return &m
}

// fill puts names into a text and keeps it within what the platforms take.
func (s *Service) fill(ctx context.Context, m Message, n *note) Message {
	if m.Kind != PartText && m.Kind != PartMenu || !strings.Contains(m.Text, "{") {
		return m
	}
	most := maxText
	if m.Kind == PartMenu {
		most = maxAround
	}
	word := n.Said
	if word == "" {
		word = n.Word.Text
	}
	at := n.at.In(s.zone(ctx))
	m.Text = strings.NewReplacer("{word}", clip(word, 60), "{date}", at.Format(time.DateOnly), "{time}", at.Format("15:04"), "{account}", s.named(ctx, n.account)).Replace(m.Text)
	for len(m.Text) > most {
		_, size := utf8.DecodeLastRuneInString(m.Text)
		m.Text = m.Text[:len(m.Text)-size]
	}
	return m
}

// Work does, once a callback is safe, what its answer could not: it sends what is
// left to say and states the fact. inAnswer tells that the platform takes a first
// content in the answer of its call. ids are whose fact it is, the platform's own id
// first. A callback that waited too long to be answered at once is not answered.
//
// Of what the answer of a call held nobody knows whether it arrived when this program
// stopped in between, and the platforms know no id under which it could be said once
// more: it is counted, and the fact says that it is not sure.
func (s *Service) Work(ctx context.Context, a Ask, received time.Time, inAnswer bool, ids []event.Identifier, send Send) error {
	now := s.Clock.Now()
	if s.notes.get(a.Key) == nil && now.Sub(received) > noteAge {
		return nil
	}
	n := s.decide(ctx, a)
	if n.Silent() {
		return nil
	}
	sent, unsure, why := 0, 0, ""
	for i, c := range n.Rule.Contents {
		if i == 0 && inAnswer && n.passive {
			sent++
			if !n.given.Load() {
				unsure++
			}
			continue
		}
		m, err := s.have(ctx, a.Account, c)
		if err != nil {
			return err
		}
		got, err := send(ctx, fmt.Sprintf("reply/%s/%d", a.Key, i), s.fill(ctx, m, n))
		switch {
		case err != nil:
			return fmt.Errorf("send an auto-reply: %w", err)
		case got.Gone:
			why = got.Why
		default:
			sent++
			if got.Unsure {
				unsure++
			}
		}
	}
	if sent == 0 {
		s.Log.WarnContext(ctx, "an auto-reply was refused", "rule", n.Rule.ID, "why", why)
		return nil
	}
	_, err := s.Ingest.Ingest(ctx, []event.Fact{sentFact(n, now, sent, unsure, ids)})
	if err != nil {
		return fmt.Errorf("state an auto-reply: %w", err)
	}
	return nil
}

// told are the properties of reply.sent.
type told struct {
	Account string `json:"account"`
	Rule    string `json:"rule"`
	Name    string `json:"ruleName"`
	Why     string `json:"why"`
	Word    string `json:"word,omitempty"` // of the rule: what the customer wrote is theirs
	Sent    int    `json:"contents"`
	Unsure  int    `json:"unsure,omitempty"` // of the contents: nobody knows whether they arrived
	Person  string `json:"-"`
}

func sentFact(n *note, now time.Time, sent, unsure int, ids []event.Identifier) event.Fact {
	raw, _ := json.Marshal(told{Account: n.account, Rule: n.Rule.ID, Name: n.Rule.Name, Why: n.Why, Word: veil.Text(n.Word.Text), Sent: sent, Unsure: unsure}) // texts always encode
	return event.Fact{MessageID: n.key, Type: event.Track, Name: event.NameReplySent, Timestamp: clock.Ms(n.at), ReceivedAt: clock.Ms(now), Source: sourceName, Identifiers: ids, Properties: raw}
}

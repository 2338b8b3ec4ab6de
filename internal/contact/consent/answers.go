package consent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event"
)

// sentBack is what a fact about a message says that matters here. Connectors alone
// state such facts.
type sentBack struct {
	Channel   Channel `json:"channel"`
	Stop      bool    `json:"stop"`      // of a reply: it takes the consent back
	Permanent bool    `json:"permanent"` // of one that did not arrive: the address is nobody's
}

// fromChannel tells whether a fact is a customer's word against messages: a reply
// such as TD, or a report as an annoyance. Most replies say something else.
func fromChannel(f *event.Stored) bool {
	return f.Name == event.NameMessageReported || gone(f) || f.Name == event.NameMessageReceived && bytes.Contains(f.Properties, []byte(`"stop"`))
}

// gone tells whether a fact may say that an address is nobody's.
func gone(f *event.Stored) bool {
	return f.Name == event.NameMessageFailed && bytes.Contains(f.Properties, []byte(`"permanent"`))
}

func readBack(f *event.Stored) (b sentBack) {
	_ = json.Unmarshal(f.Properties, &b) // what is no object says nothing
	return b
}

// answers withdraws, by the channel of the message, every purpose that people may
// refuse: who replies TD does not say of which. What a contract needs goes on.
func answers(list purposes, f *event.Stored) []signal {
	b := readBack(f)
	if f.Name == event.NameMessageFailed || f.Name == event.NameMessageReceived && !b.Stop {
		return nil
	}
	if _, ok := bitOf(b.Channel); !ok || b.Channel == All {
		return nil
	}
	var out []signal
	for _, p := range list {
		if p.Basis != Contract && p.ID != Everything && p.uses(b.Channel) {
			out = append(out, signal{purpose: p.ID, channel: b.Channel, state: Withdrawn})
		}
	}
	return out
}

// FromCarrier is the source of suppressions that nobody typed: the platform says
// that the address is nobody's.
const FromCarrier = "undeliverable"

// unreachable puts addresses on the suppression list of which the platform says for
// good that nobody has them: each further message would be paid for and reach
// nobody, and mail providers count it against the sender. Staff may lift it.
func (s *Service) unreachable(ctx context.Context, facts []event.Stored) error {
	for i := range facts {
		f := &facts[i]
		if !gone(f) {
			continue
		}
		b := readBack(f)
		kind := kindFor(b.Channel)
		if !b.Permanent || kind == "" {
			continue
		}
		for _, id := range f.Identifiers {
			if id.Kind != kind {
				continue
			}
			if err := s.lost(ctx, kind, id.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) lost(ctx context.Context, kind, value string) error {
	a, err := s.Contacts.AddressOf(kind, value)
	if err != nil {
		return nil //nolint:nilerr // what is no address cannot be written to either
	}
	p := Suppression{ID: s.IDs.New("sp"), Kind: kind, Masked: a.Masked, Source: FromCarrier, CreatedAt: s.Clock.Now(), By: principal(ctx).Name}
	if err := s.putSuppression(ctx, p, a.Lookup, principal(ctx).ID); err != nil {
		return fmt.Errorf("keep an unreachable address: %w", err)
	}
	return nil
}

// Barred tells whether an address must not be written to by anybody: it is on the
// suppression list.
func (s *Service) Barred(ctx context.Context, kind, value string) (bool, error) {
	if kind != contact.KindPhone && kind != contact.KindEmail {
		return false, nil
	}
	a, err := s.Contacts.AddressOf(kind, value)
	if err != nil {
		return false, err
	}
	var n int64
	err = s.DB.QueryRow(ctx, "select count(*) from consent_suppressions where kind = $1 and lookup = $2", kind, a.Lookup).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for a suppression: %w", err)
	}
	return n > 0, nil
}

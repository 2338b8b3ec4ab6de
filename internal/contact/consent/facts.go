package consent

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
)

// Name implements event.Subscriber.
func (s *Service) Name() string { return "consent.ledger" }

// Prepare implements event.Preparer: most facts say nothing of consent, and cost
// no transaction then.
func (s *Service) Prepare(ctx context.Context, facts []event.Stored, commit func(write func(ctx context.Context) error) error) error {
	for i := range facts {
		if f := &facts[i]; tracksConsent(f) || hasConsents(f) || fromChannel(f) {
			return commit(func(ctx context.Context) error { return s.Handle(ctx, facts) })
		}
	}
	return nil
}

// tracksConsent tells whether a fact is a word of consent.
func tracksConsent(f *event.Stored) bool {
	return f.Type == event.Track && (f.Name == event.NameConsentGranted || f.Name == event.NameConsentWithdrawn)
}

// hasConsents tells whether a fact may carry consents as traits.
func hasConsents(f *event.Stored) bool {
	return f.Type == event.Identify && bytes.Contains(f.Traits, []byte(`"consents"`))
}

// Handle implements event.Subscriber: it puts what SDKs and imports say of consent
// into the ledger, and what people answer to messages (see answers). Two forms of
// the former are read:
//
//	track consent.granted | consent.withdrawn
//	  properties {purpose, channel | channels, wording}
//	identify
//	  traits {consents: {marketing: {sms: true, email: false}, recommendation: false}}
//
// A write key stands in a page or an app and proves nothing of who sends, so what
// it says counts by whether believing it can do harm: withdrawing always counts,
// do not contact too; granting counts for the person that the fact is about, but
// not for purposes that need a consent of their own, and it never lifts do not
// contact. Imports are the company's own word and may grant anything.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	if err := s.unreachable(ctx, facts); err != nil {
		return err
	}
	var said []Said
	tell := map[int]bool{} // those that no fact states yet
	list, err := s.Purposes(ctx)
	if err != nil {
		return err
	}
	own, err := s.ours(ctx, facts)
	if err != nil {
		return err
	}
	for i := range facts {
		f := &facts[i]
		if own[f.MessageID] {
			continue
		}
		var got []signal
		switch {
		case tracksConsent(f):
			got = trackSignals(f)
		case hasConsents(f):
			got = traitSignals(f.Traits)
		case fromChannel(f):
			got = answers(list, f)
		default:
			continue
		}
		for _, g := range got {
			if why := s.refuse(list, f, &g); why != "" {
				s.Log.InfoContext(ctx, "a consent signal does not count", "why", why, "messageId", f.MessageID, "source", f.Source, "purpose", g.purpose)
				continue
			}
			d := Said{Contact: f.Contact, Purpose: g.purpose, Channel: g.channel, State: g.state, At: clock.FromMs(f.Timestamp), Source: FromSDK, Wording: g.wording,
				Proof: Proof{MessageID: clip(f.MessageID, 200), From: f.Source, ImportID: f.ImportID}}
			d.Proof.IP, d.Proof.UserAgent = whereFrom(f.Context)
			switch {
			case f.ImportID != "":
				d.Source, d.Batch = FromImport, f.ImportID
			case f.Name == event.NameMessageReceived:
				d.Source = FromReply
			case f.Name == event.NameMessageReported:
				d.Source = FromComplaint
			}
			tell[len(said)] = !tracksConsent(f)
			said = append(said, d)
		}
	}
	var quiet, loud []Said
	for i, d := range said {
		if tell[i] {
			loud = append(loud, d)
		} else {
			quiet = append(quiet, d)
		}
	}
	if _, err := s.write(ctx, quiet, false); err != nil {
		return err
	}
	if loud, err = s.news(ctx, loud); err != nil {
		return err
	}
	_, err = s.write(ctx, loud, true)
	return err
}

// news drops what holds already: SDKs send the traits of a person with every call.
func (s *Service) news(ctx context.Context, said []Said) ([]Said, error) {
	if len(said) == 0 {
		return nil, nil
	}
	nums := make([]int64, len(said))
	for i := range said {
		nums[i] = said[i].Contact
	}
	roots, err := s.rootsOf(ctx, nums)
	if err != nil {
		return nil, err
	}
	for i, n := range nums {
		nums[i] = rootIn(roots, n)
	}
	have, err := s.stands(ctx, nums)
	if err != nil {
		return nil, err
	}
	var out []Said
	for i, d := range said {
		k := stateKey{nums[i], d.Purpose}
		st := have[k]
		if !st.says(d.Channel.covers(), d.State) {
			out = append(out, d)
			st.say(d.Channel.covers(), cell{state: d.State, at: d.At.UnixMilli()})
			have[k] = st
		}
	}
	return out, nil
}

// ours finds the facts that this package stated itself: their message ids are
// those of rows.
func (s *Service) ours(ctx context.Context, facts []event.Stored) (map[string]bool, error) {
	var ids []string
	for i := range facts {
		if strings.HasPrefix(facts[i].MessageID, "cn_") {
			ids = append(ids, facts[i].MessageID)
		}
	}
	own := map[string]bool{}
	err := inChunks(ctx, s.DB, "look for own facts", "select id from consent_ledger where id in (%s)", nil, ids, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		own[id] = true
		return err
	})
	return own, err
}

// signal is one thing that a fact says of consent.
type signal struct {
	purpose string
	channel Channel
	state   State
	wording int64
}

// refuse says why a signal does not count, "" when it does.
func (s *Service) refuse(list purposes, f *event.Stored, g *signal) string {
	if g.purpose == Everything {
		if g.state == Granted && f.ImportID == "" {
			return "a write key cannot lift do not contact"
		}
		return ""
	}
	p := list.find(g.purpose)
	switch {
	case p == nil:
		return "no such purpose"
	case g.channel != All && !p.uses(g.channel):
		return "the purpose does not use the channel"
	case g.state == Granted && p.Separate && f.ImportID == "":
		return "the purpose needs a consent of its own"
	}
	if _, ok := p.wording(g.wording); g.wording != 0 && !ok {
		g.wording = 0 // what somebody said counts although the version is a slip
	}
	return ""
}

func trackSignals(f *event.Stored) []signal {
	var p struct {
		Purpose  string          `json:"purpose"`
		Channel  string          `json:"channel"`
		Channels []string        `json:"channels"`
		Wording  json.RawMessage `json:"wording"`
	}
	if json.Unmarshal(f.Properties, &p) != nil || p.Purpose == "" {
		return nil
	}
	g := signal{purpose: p.Purpose, state: Granted}
	if f.Name == event.NameConsentWithdrawn {
		g.state = Withdrawn
	}
	_ = json.Unmarshal(p.Wording, &g.wording) // else 0: the one of that day
	if len(p.Channels) == 0 {
		p.Channels = []string{p.Channel}
	}
	var out []signal
	for _, c := range p.Channels[:min(len(p.Channels), maxBits)] {
		g.channel = Channel(c)
		if c == "" {
			g.channel = All
		}
		if _, ok := bitOf(g.channel); ok {
			out = append(out, g)
		}
	}
	return out
}

// maxBits bounds what one fact may say.
const maxBits = 16

// traitSignals reads traits.consents: by purpose either yes or no, or yes or no by channel.
func traitSignals(traits json.RawMessage) []signal {
	var t struct {
		Consents map[string]json.RawMessage `json:"consents"`
	}
	if json.Unmarshal(traits, &t) != nil {
		return nil
	}
	var out []signal
	say := func(purpose string, ch Channel, raw json.RawMessage) {
		var yes bool
		if json.Unmarshal(raw, &yes) != nil || len(out) >= 4*maxBits || string(raw) == "null" {
			return
		}
		st := Withdrawn
		if yes {
			st = Granted
		}
		out = append(out, signal{purpose: purpose, channel: ch, state: st})
	}
	names := keysOf(t.Consents)
	slices.Sort(names)
	for _, purpose := range names {
		raw := t.Consents[purpose]
		var by map[string]json.RawMessage
		if json.Unmarshal(raw, &by) != nil || by == nil {
			say(purpose, All, raw)
			continue
		}
		for _, ch := range append(Channels(), All) {
			if v, ok := by[string(ch)]; ok {
				say(purpose, ch, v)
			}
		}
	}
	return out
}

// whereFrom reads address and browser from the context of a fact.
func whereFrom(raw json.RawMessage) (ip, agent string) {
	var c struct {
		IP        string `json:"ip"`
		UserAgent string `json:"userAgent"`
	}
	if len(raw) > 0 && json.Unmarshal(raw, &c) == nil {
		return clip(c.IP, 64), clip(c.UserAgent, 300)
	}
	return "", ""
}

package page

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/analytics"
	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/contact/consent"
	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Name implements event.Subscriber.
func (s *Service) Name() string { return "pages" }

// BeginsNow implements event.Newcomer: before this package there was no form.
func (s *Service) BeginsNow() {}

// sent is a form that came through the stream.
type sent struct {
	*event.Stored
	contact int64 // whom it is part of today
	props   struct {
		Page     string   `json:"page"`
		Path     string   `json:"path"`
		Version  int64    `json:"version"`
		Gift     string   `json:"gift"`
		Consents []agreed `json:"consents"`
	}
	had bool // the gift came with a live code before
}

// Prepare implements event.Preparer: most facts are no forms, and cost nothing.
func (s *Service) Prepare(ctx context.Context, facts []event.Stored, commit func(write func(ctx context.Context) error) error) error {
	var list []*sent
	for i := range facts {
		if f := &facts[i]; f.Name == event.NameFormSubmitted && f.Source == sourceName {
			x := &sent{Stored: f, contact: f.Contact}
			if json.Unmarshal(f.Properties, &x.props) == nil {
				list = append(list, x)
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	for _, x := range list {
		if x.props.Gift == "" {
			continue
		}
		got, err := s.Store.Totals(ctx, analytics.TotalsQuery{Filter: analytics.Filter{Contact: x.Contact, Events: []string{event.NameWelcomeSent}, Where: []analytics.Equal{{Property: "hook", Value: x.props.Gift}}}})
		if err != nil {
			return err
		}
		x.had = len(got) > 0 && got[0].Count > 0
	}
	return commit(func(ctx context.Context) error { return s.handle(ctx, list) })
}

// Handle implements event.Subscriber; Prepare is what the pipeline calls.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	return s.Prepare(ctx, facts, func(write func(ctx context.Context) error) error { return write(ctx) })
}

// handle writes down what forms say of consent, and to whom gifts go.
func (s *Service) handle(ctx context.Context, list []*sent) error {
	nums := make([]int64, len(list))
	for i, x := range list {
		nums[i] = x.Contact
	}
	into, err := s.Contacts.Survivors(ctx, nums)
	if err != nil {
		return err
	}
	asked, err := s.Consents.Askable(ctx)
	if err != nil {
		return err
	}
	var said []consent.Said
	for _, x := range list {
		if to, ok := into[x.Contact]; ok {
			x.contact = to
		}
		// What this server did not take itself may come from anybody who read a write
		// key, and must not agree to anything for somebody else.
		n, err := s.DB.ExecN(ctx, "update page_submits set contact = $2 where message = $1 and contact = 0", x.MessageID, x.contact)
		if err != nil {
			return fmt.Errorf("keep whose form it was: %w", err)
		}
		if n == 0 {
			continue
		}
		said = append(said, agreements(x, asked)...)
		if x.props.Gift != "" {
			if err := s.give(ctx, x); err != nil {
				return err
			}
		}
	}
	return s.Consents.Write(ctx, said)
}

// agreements are the rows of the ledger for the boxes that were ticked.
func agreements(x *sent, asked []*consent.Purpose) (out []consent.Said) {
	var where struct {
		IP        string `json:"ip"`
		UserAgent string `json:"userAgent"`
	}
	_ = json.Unmarshal(x.Context, &where) // else it is not known
	for _, g := range x.props.Consents {
		i := slices.IndexFunc(asked, func(p *consent.Purpose) bool { return p.ID == g.Purpose })
		if i < 0 { // archived since
			continue
		}
		for _, ch := range g.Channels {
			if ch != string(consent.All) && !slices.Contains(asked[i].Channels, consent.Channel(ch)) {
				continue
			}
			wording := g.Wording
			if !slices.ContainsFunc(asked[i].Wordings, func(w consent.Wording) bool { return w.Version == wording }) {
				wording = 0
			}
			out = append(out, consent.Said{Contact: x.Contact, Purpose: g.Purpose, Channel: consent.Channel(ch), State: consent.Granted, At: clock.FromMs(x.Timestamp), Source: consent.FromForm, Wording: wording,
				Proof: consent.Proof{IP: where.IP, UserAgent: where.UserAgent, MessageID: x.MessageID, From: x.props.Path, Note: fmt.Sprintf("%s v%d", strings.TrimPrefix(x.props.Path, Path), x.props.Version)}})
		}
	}
	return out
}

// give gives a person a gift, unless they had it.
func (s *Service) give(ctx context.Context, x *sent) error {
	state := giftHad
	if !x.had {
		n, err := s.DB.ExecN(ctx, "insert into page_gifts (gift, contact, message, at) values ($1,$2,$3,$4) on conflict (gift, contact) do nothing", x.props.Gift, x.contact, x.MessageID, x.Timestamp)
		if err != nil {
			return fmt.Errorf("give a gift: %w", err)
		}
		if n > 0 {
			state = giftGiven
			props, _ := json.Marshal(map[string]any{"hook": x.props.Gift, "page": x.props.Page}) // plain values
			f := event.Fact{MessageID: "gift/" + x.MessageID, Type: event.Track, Name: event.NameGiftDelivered, Contact: x.contact, Timestamp: x.Timestamp, ReceivedAt: clock.Ms(s.Clock.Now()), Source: sourceName, Properties: props}
			if err := s.Emit.Emit(ctx, f); err != nil {
				return err
			}
		}
	}
	if state == giftHad {
		if err := s.withhold(ctx, x); err != nil {
			return err
		}
	}
	if _, err := s.DB.Exec(ctx, "update page_submits set gift = $2 where message = $1", x.MessageID, state); err != nil {
		return fmt.Errorf("keep what became of a gift: %w", err)
	}
	return nil
}

// withhold states that a person did not get a gift again, and since when they have it
// if it was a page that gave it; a welcome that did stands on their timeline.
func (s *Service) withhold(ctx context.Context, x *sent) error {
	props := map[string]any{"hook": x.props.Gift, "page": x.props.Page}
	if !x.had {
		var at int64
		if err := s.DB.QueryRow(ctx, "select at from page_gifts where gift = $1 and contact = $2", x.props.Gift, x.contact).Scan(&at); err != nil {
			return fmt.Errorf("read who had a gift: %w", err)
		}
		props["beforeAt"] = clock.FromMs(at).UTC().Format(time.RFC3339)
	}
	raw, _ := json.Marshal(props) // plain values
	return s.Emit.Emit(ctx, event.Fact{MessageID: "withheld/" + x.MessageID, Type: event.Track, Name: event.NameGiftWithheld, Contact: x.contact, Timestamp: x.Timestamp, ReceivedAt: clock.Ms(s.Clock.Now()), Source: sourceName, Properties: raw})
}

// Merged lets gifts follow people who become one: had by one is had by both.
func (s *Service) Merged(ctx context.Context, merges []contact.Merge) error {
	// Most who merge never had a gift: one look for all of them.
	had := map[int64]bool{}
	for rest := merges; len(rest) > 0; {
		part := rest[:min(len(rest), 500)]
		rest = rest[len(part):]
		args := make([]any, len(part))
		for i, m := range part {
			args[i] = m.From
		}
		rows, err := s.DB.Query(ctx, "select distinct contact from page_gifts where contact in ("+db.In(1, len(part))+")", args...)
		nums, err := db.Collect(rows, err, func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) })
		if err != nil {
			return fmt.Errorf("look for gifts: %w", err)
		}
		for _, n := range nums {
			had[n] = true
		}
	}
	for _, m := range merges {
		if !had[m.From] {
			continue
		}
		_, err := s.DB.Exec(ctx, "insert into page_gifts (gift, contact, message, at) select gift, $2, message, at from page_gifts where contact = $1 on conflict (gift, contact) do nothing", m.From, m.Into)
		if err != nil {
			return fmt.Errorf("move gifts: %w", err)
		}
		had[m.Into] = true // who may be part of another in the same breath
	}
	return nil
}

// Forget removes what is kept of contacts; a hook of package contact.
func (s *Service) Forget(ctx context.Context, nums []int64) error {
	for len(nums) > 0 {
		part := nums[:min(len(nums), 500)]
		nums = nums[len(part):]
		args := make([]any, len(part))
		for i, n := range part {
			args[i] = n
		}
		for _, table := range []string{"page_submits", "page_gifts"} {
			if _, err := s.DB.Exec(ctx, "delete from "+table+" where contact in ("+db.In(1, len(part))+")", args...); err != nil {
				return fmt.Errorf("forget contacts: %w", err)
			}
		}
	}
	return nil
}

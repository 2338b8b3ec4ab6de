package reply

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Name implements event.Subscriber.
func (s *Service) Name() string { return "replies" }

// Idle implements event.Idler: without a rule nothing was answered.
func (s *Service) Idle(ctx context.Context) bool {
	if len(s.book.Load().rules) > 0 {
		return false
	}
	var n int
	err := s.DB.QueryRow(ctx, "select count(*) from replies").Scan(&n)
	return err == nil && n == 0 // in doubt the facts are read
}

// Handle implements event.Subscriber: answers are booked and tags given in the
// transaction that moves this subscriber's place, each once.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	// Anybody who reads a write key in a page may try to state such a fact: only
	// those of this package count.
	mine := func(f *event.Stored) bool { return f.Name == event.NameReplySent && f.Source == sourceName }
	if !slices.ContainsFunc(facts, func(f event.Stored) bool { return mine(&f) }) {
		return nil
	}
	if err := s.People.Hold(ctx); err != nil {
		return err
	}
	tagged := map[*Rule][]int64{}
	var order []*Rule
	b := s.book.Load()
	for i := range facts {
		f := &facts[i]
		var t told
		if !mine(f) || json.Unmarshal(f.Properties, &t) != nil || t.Rule == "" {
			continue
		}
		if len(f.Identifiers) > 0 {
			t.Person = f.Identifiers[0].Value // the platform's own: see Work
		}
		at := clock.FromMs(f.Timestamp).In(s.zone(ctx))
		n, err := s.DB.ExecN(ctx, `insert into reply_sent (message, rule, account, person, contact, why, word, at, day) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (message) do nothing`,
			f.MessageID, t.Rule, t.Account, t.Person, f.Contact, t.Why, t.Word, f.Timestamp, clock.DayNumber(at))
		if err != nil {
			return fmt.Errorf("book an auto-reply: %w", err)
		}
		r := b.rules[t.Rule]
		if n == 0 || r == nil || len(r.Tags) == 0 || f.Contact == 0 {
			continue
		}
		if tagged[r] == nil {
			order = append(order, r)
		}
		if !slices.Contains(tagged[r], f.Contact) {
			tagged[r] = append(tagged[r], f.Contact)
		}
	}
	for _, r := range order {
		known, err := s.Tags.KnownTags(ctx, r.Tags) // one that is gone by now is left out
		if err != nil {
			return err
		}
		if len(known) == 0 {
			continue
		}
		if err := s.Tags.GiveTags(ctx, tagged[r], known, r.ID, r.Name); err != nil {
			return err
		}
	}
	return nil
}

// dateOf is the day of a number, as text.
func dateOf(day int64) string {
	return time.Date(int(day/10000), time.Month(day/100%100), int(day%100), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// Forget removes what is kept of contacts; a hook of package contact.
func (s *Service) Forget(ctx context.Context, nums []int64) error {
	for some := range slices.Chunk(nums, 400) {
		args := make([]any, len(some))
		for i, n := range some {
			args[i] = n
		}
		if _, err := s.DB.Exec(ctx, "delete from reply_sent where contact in ("+db.In(1, len(some))+")", args...); err != nil {
			return fmt.Errorf("forget people of auto-replies: %w", err)
		}
	}
	return nil
}

package scene

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Who states the facts that are looked at: anybody who reads a write key in a page may
// say that somebody scanned.
const (
	sourceWeChat = "wechat"
	sourceMini   = "miniprogram"
)

// lookTime bounds the one look into the records that an answer may take.
const lookTime = 500 * time.Millisecond

// Choice gives the auto-reply that a scan chose, "" for none of its own. messageID is
// the id of the scan's fact: what was booked of this very scan is not an earlier one.
func (s *Service) Choice(ctx context.Context, account, key, person, messageID string) string {
	c := s.find(ctx, key)
	if c == nil || c.Account != account || c.State != Active {
		return ""
	}
	if c.Hook == "" {
		return c.Reply
	}
	before, err := s.before(ctx, c, person, messageID)
	if err != nil {
		s.Log.WarnContext(ctx, "it is not known whether a person scanned before", "code", c.ID, "error", err)
	}
	if err != nil || before { // better no gift than two
		return c.Reply
	}
	return c.Hook
}

// Canonical adds to a fact of somebody who came by a code which one it was, and from
// which channel that is, so that rules and reports can ask for them.
func (s *Service) Canonical(f *event.Fact) {
	if f.Name != event.NameCodeScanned && f.Name != event.NameAccountFollowed || !bytes.Contains(f.Properties, []byte(keyPrefix)) && !bytes.Contains(f.Properties, []byte(miniPrefix)) {
		return
	}
	var props map[string]any
	if json.Unmarshal(f.Properties, &props) != nil {
		return
	}
	state, _ := props["state"].(string)
	c := s.find(context.Background(), state)
	if c == nil || props["code"] != nil {
		return
	}
	props["code"], props["codeName"] = c.ID, c.Name
	if c.Channel != "" && props["channel"] == nil {
		props["channel"] = c.Channel
	}
	raw, err := json.Marshal(props)
	if err != nil {
		return
	}
	f.Properties = raw
	about := map[string]any{}
	if c.Channel == "" || len(f.Context) > 0 && json.Unmarshal(f.Context, &about) != nil || about["channel"] != nil {
		return
	}
	about["channel"] = c.Channel
	if raw, err := json.Marshal(about); err == nil {
		f.Context = raw
	}
}

// Name implements event.Subscriber.
func (s *Service) Name() string { return "scenes" }

// Idle implements event.Idler: without a code there is nobody to follow.
func (s *Service) Idle(ctx context.Context) bool {
	if len(s.book.Load().byID) > 0 {
		return false
	}
	var n int
	err := s.DB.QueryRow(ctx, "select count(*) from scenes").Scan(&n)
	return err == nil && n == 0 // in doubt the facts are read
}

var followed = []string{event.NameCodeScanned, event.NameAccountUnfollowed}

// Handle implements event.Subscriber: what follows from a scan, exactly once, because
// it is written in the transaction that moves this subscriber's place.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	mine := func(f *event.Stored) bool {
		return (f.Source == sourceWeChat || f.Source == sourceMini) && slices.Contains(followed, f.Name)
	}
	if !slices.ContainsFunc(facts, func(f event.Stored) bool { return mine(&f) }) {
		return nil
	}
	if err := s.People.Hold(ctx); err != nil {
		return err
	}
	type group struct {
		code *Code
		nums []int64
	}
	var groups []*group
	for i := range facts {
		f := &facts[i]
		var p scanned
		if !mine(f) || json.Unmarshal(f.Properties, &p) != nil {
			continue
		}
		if p.person = personOf(&f.Fact); p.person == "" {
			continue
		}
		if f.Name == event.NameAccountUnfollowed {
			if err := s.gone(ctx, f, p); err != nil {
				return err
			}
			continue
		}
		c := s.find(ctx, p.State)
		if c == nil || p.Account != c.Account {
			continue
		}
		fresh, err := s.booked(ctx, f, c, p)
		if err != nil {
			return err
		}
		if !fresh || f.Contact == 0 || len(c.Tags) == 0 {
			continue
		}
		g := slices.IndexFunc(groups, func(g *group) bool { return g.code.ID == c.ID })
		if g < 0 {
			g = len(groups)
			groups = append(groups, &group{code: c})
		}
		if !slices.Contains(groups[g].nums, f.Contact) {
			groups[g].nums = append(groups[g].nums, f.Contact)
		}
	}
	for _, g := range groups {
		known, err := s.Tags.KnownTags(ctx, g.code.Tags) // one that is gone by now is left out
		if err != nil {
			return err
		}
		if len(known) == 0 {
			continue
		}
		if err := s.Tags.GiveTags(ctx, g.nums, known, g.code.ID, g.code.Name); err != nil {
			return err
		}
	}
	return nil
}

// booked books a scan; false when the fact was booked before.
func (s *Service) booked(ctx context.Context, f *event.Stored, c *Code, p scanned) (bool, error) {
	follow := int64(0)
	if p.Follow {
		follow = 1
	}
	n, err := s.DB.ExecN(ctx, `insert into scene_scans (message, code, account, person, contact, at, day, followed, gone_at, gone_day)
		values ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0) on conflict (message) do nothing`,
		f.MessageID, c.ID, c.Account, p.person, f.Contact, f.Timestamp, clock.DayNumber(clock.FromMs(f.Timestamp).In(s.zone(ctx))), follow)
	if err != nil {
		return false, fmt.Errorf("book a scan: %w", err)
	}
	return n > 0, nil
}

// gone books that a follower left: of the code by which they last came.
func (s *Service) gone(ctx context.Context, f *event.Stored, p scanned) error {
	var id string
	err := s.DB.QueryRow(ctx, "select message from scene_scans where person = $1 and account = $2 and followed = 1 and gone_at = 0 and at <= $3 order by at desc, message desc limit 1",
		p.person, p.Account, f.Timestamp).Scan(&id)
	if db.NoRows(err) {
		return nil // they did not come by a code of ours, or it is booked
	}
	if err != nil {
		return fmt.Errorf("look for a scan: %w", err)
	}
	if _, err := s.DB.Exec(ctx, "update scene_scans set gone_at = $2, gone_day = $3 where message = $1", id, f.Timestamp, clock.DayNumber(clock.FromMs(f.Timestamp).In(s.zone(ctx)))); err != nil {
		return fmt.Errorf("book who left: %w", err)
	}
	return nil
}

// Forget removes what is kept of contacts; a hook of package contact.
func (s *Service) Forget(ctx context.Context, nums []int64) error {
	for some := range slices.Chunk(nums, 400) {
		args := make([]any, len(some))
		for i, n := range some {
			args[i] = n
		}
		if _, err := s.DB.Exec(ctx, "delete from scene_scans where contact in ("+db.In(1, len(some))+")", args...); err != nil {
			return fmt.Errorf("forget people of scene codes: %w", err)
		}
	}
	return nil
}

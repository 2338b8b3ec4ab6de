package menu

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// sourceWeChat is who states taps: anybody who reads a write key in a page may say
// that somebody tapped a button.
const sourceWeChat = "wechat"

// Name implements event.Subscriber.
func (s *Service) Name() string { return "menus" }

// Idle implements event.Idler: without an official account there is no menu.
func (s *Service) Idle(ctx context.Context) bool {
	list, err := s.Platform.Accounts(ctx)
	return err == nil && len(list) == 0 // in doubt the facts are read
}

// click is a tap on a button.
type click struct {
	message, account, person string
	target                   Target
	contact, at              int64
}

func clickOf(f *event.Stored) (c click, ok bool) {
	if f.Name != event.NameMenuClicked || f.Source != sourceWeChat {
		return c, false
	}
	var p struct {
		Account string `json:"account"`
		Key     string `json:"key"`
		URL     string `json:"url"`
	}
	if json.Unmarshal(f.Properties, &p) != nil {
		return c, false
	}
	c = click{message: f.MessageID, account: p.Account, target: Target{byKey, cut(p.Key, keyBytes)}, contact: f.Contact, at: f.Timestamp}
	if p.URL != "" {
		c.target = Target{byURL, cut(p.URL, urlBytes)}
	}
	for _, i := range f.Identifiers {
		if i.Kind == "openid" {
			c.person = i.Value
			break
		}
	}
	return c, c.account != "" && c.person != "" && c.target.Value != ""
}

// Prepare implements event.Preparer: most facts are no taps, and cost nothing.
func (s *Service) Prepare(_ context.Context, facts []event.Stored, commit func(write func(ctx context.Context) error) error) error {
	var list []click
	for i := range facts {
		if c, ok := clickOf(&facts[i]); ok {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return commit(func(ctx context.Context) error { return s.book(ctx, list) })
}

// Handle implements event.Subscriber; Prepare is what the pipeline calls.
func (s *Service) Handle(ctx context.Context, facts []event.Stored) error {
	return s.Prepare(ctx, facts, func(write func(ctx context.Context) error) error { return write(ctx) })
}

// rowsAtOnce bounds the rows of one statement.
const rowsAtOnce = 100

// book writes taps down, each once.
func (s *Service) book(ctx context.Context, list []click) error {
	if err := s.People.Hold(ctx); err != nil {
		return err
	}
	zone := s.zone(ctx)
	seen := map[[2]string]bool{}
	for some := range slices.Chunk(list, rowsAtOnce) {
		rows, args := make([]string, len(some)), make([]any, 0, 7*len(some))
		for i, c := range some {
			id := c.target.id()
			if k := [2]string{c.account, id}; !seen[k] {
				seen[k] = true
				if _, err := s.DB.Exec(ctx, "insert into menu_targets (account, button, property, value) values ($1, $2, $3, $4) on conflict (account, button) do nothing", c.account, id, c.target.Property, c.target.Value); err != nil {
					return fmt.Errorf("book a button: %w", err)
				}
			}
			rows[i] = "(" + db.In(len(args)+1, 7) + ")"
			args = append(args, c.message, c.account, id, c.person, c.contact, c.at, clock.DayNumber(clock.FromMs(c.at).In(zone)))
		}
		if _, err := s.DB.Exec(ctx, "insert into menu_clicks (message, account, button, person, contact, at, day) values "+strings.Join(rows, ", ")+" on conflict (message) do nothing", args...); err != nil {
			return fmt.Errorf("book taps: %w", err)
		}
	}
	return nil
}

func (s *Service) zone(ctx context.Context) *time.Location {
	if s.Zone == nil {
		return time.FixedZone("Asia/Shanghai", 8*3600)
	}
	return s.Zone(ctx)
}

// Forget removes what is kept of contacts; a hook of package contact.
func (s *Service) Forget(ctx context.Context, nums []int64) error {
	for some := range slices.Chunk(nums, 400) {
		args := make([]any, len(some))
		for i, n := range some {
			args[i] = n
		}
		if _, err := s.DB.Exec(ctx, "delete from menu_clicks where contact in ("+db.In(1, len(some))+")", args...); err != nil {
			return fmt.Errorf("forget people of menus: %w", err)
		}
	}
	return nil
}

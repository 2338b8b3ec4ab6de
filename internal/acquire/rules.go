package acquire

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/contact"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Rules lists the rules in the order in which they are tried.
func (s *Service) Rules(ctx context.Context) ([]Rule, error) {
	rows, err := s.DB.Query(ctx, "select id, channel, source, medium, campaign, referrer, code, link, import from acquire_rules order by place, id")
	list, err := db.Collect(rows, err, scanRule)
	if err != nil {
		return nil, fmt.Errorf("read rules of channels: %w", err)
	}
	return list, nil
}

func scanRule(r *sql.Rows) (x Rule, err error) {
	err = r.Scan(&x.ID, &x.Channel, &x.Source, &x.Medium, &x.Campaign, &x.Referrer, &x.Code, &x.Link, &x.Import)
	return x, err
}

// SetRules puts other rules in the place of all, in the order given.
func (s *Service) SetRules(ctx context.Context, rules []Rule) ([]Rule, error) {
	if len(rules) > maxRules {
		return nil, bad("rules", "request.too_many_items", "limit", maxRules)
	}
	err := s.change(ctx, func(ctx context.Context, t *tree) error {
		for i := range rules {
			if err := checkRule(t, i, &rules[i]); err != nil {
				return err
			}
		}
		if _, err := s.DB.Exec(ctx, "delete from acquire_rules"); err != nil {
			return fmt.Errorf("clear rules of channels: %w", err)
		}
		now := clock.Ms(s.Clock.Now())
		for i, r := range rules {
			_, err := s.DB.Exec(ctx, `insert into acquire_rules (id, place, channel, source, medium, campaign, referrer, code, link, import, created_at)
				values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)`, s.IDs.New("cr"), i+1, r.Channel, r.Source, r.Medium, r.Campaign, r.Referrer, r.Code, r.Link, r.Import, now)
			if err != nil {
				return fmt.Errorf("keep rule of channels: %w", err)
			}
		}
		return s.record(ctx, "channel.rules_changed", "", "", map[string]any{"rules": len(rules)})
	})
	if err != nil {
		return nil, err
	}
	return s.Rules(ctx)
}

func checkRule(t *tree, i int, r *Rule) error {
	at := func(field string) string { return fmt.Sprintf("rules[%d].%s", i, field) }
	n := t.nodes[r.Channel]
	switch {
	case n == nil:
		return bad(at("channel"), "acquire.no_such_channel")
	case n.archived:
		return bad(at("channel"), "acquire.channel_archived")
	}
	some := false
	for _, p := range r.parts() {
		text := veil.Text(strings.TrimSpace(*p.pattern))
		*p.pattern = text
		some = some || text != ""
		switch {
		case utf8.RuneCountInString(text) > maxPattern:
			return bad(at(p.name), "request.too_long", "limit", maxPattern)
		case text != "" && strings.Trim(text, "*") == "":
			return bad(at(p.name), "acquire.rule_matches_all")
		}
	}
	if !some {
		return bad(at("source"), "acquire.rule_empty")
	}
	return nil
}

// Tried is where a clue leads.
type Tried struct {
	Channel string   `json:"channel,omitempty" doc:"None: the shared words decide, or it is unknown"`
	Path    []string `json:"path,omitempty"`
	By      string   `json:"by" enum:"rule,name,words,none" doc:"A rule of the company, a channel of that name, the words that every company shares, or nothing"`
	Rule    int      `json:"rule,omitempty" doc:"Which of the rules given, from 1"`
}

// Try tells where a clue would lead by some rules, which need not be kept yet.
func (s *Service) Try(ctx context.Context, rules []Rule, c contact.Clue) (Tried, error) {
	t := s.now.Load()
	low := lower(&c)
	out := Tried{By: "none"}
	for i := range rules {
		if err := checkRule(t, i, &rules[i]); err != nil {
			return out, err
		}
		r := rules[i].lower()
		if r.fits(&low) {
			out = Tried{Channel: r.Channel, By: "rule", Rule: i + 1}
			break
		}
	}
	if out.Channel == "" {
		plain := &tree{names: t.names}
		if id := plain.placeOf(&c); id != "" {
			out = Tried{Channel: id, By: "name"}
		} else if id := contact.SharedChannel(c); id != "" {
			out = Tried{Channel: id, By: "words"}
		}
	}
	if n := t.nodes[out.Channel]; n != nil {
		out.Path = slices.Clone(n.path)
		for i, up := range out.Path {
			out.Path[i] = called(ctx, t, up)
		}
	}
	return out, nil
}

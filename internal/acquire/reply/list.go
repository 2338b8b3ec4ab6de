package reply

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Clash is a word that an earlier rule takes first.
type Clash struct {
	Word string `json:"word"`
	ID   string `json:"id" doc:"Of the rule that answers instead"`
	Name string `json:"name"`
}

// Row is a rule with how it does.
type Row struct {
	ID string `json:"id"`
	Definition
	State     string    `json:"state" enum:"on,off,later,over" doc:"later: its time has not come; over: it is past"`
	Clashes   []Clash   `json:"clashes" doc:"Words that never reach this rule; the first ten"`
	Sent      *int64    `json:"sent,omitempty" doc:"Answers in the last 30 days; left out for who sees only some customers"`
	By        string    `json:"by"`
	CreatedAt time.Time `json:"createdAt"`
	ChangedAt time.Time `json:"changedAt"`
}

// Query narrows a list.
type Query struct {
	Account string
	Kind    string
	Q       string
}

func (q Query) takes(r *Rule, word string) bool {
	return !r.gone && (q.Account == "" || q.Account == r.Account) && (q.Kind == "" || q.Kind == r.Kind) &&
		(word == "" || strings.Contains(fold(r.Name), word) || slices.ContainsFunc(r.Words, func(w Word) bool { return strings.Contains(fold(w.Text), word) }) ||
			slices.ContainsFunc(r.Contents, func(c Content) bool { return strings.Contains(fold(c.words()), word) }))
}

// words are those of a content that somebody may look for.
func (c *Content) words() string {
	list := []string{c.Text, c.Title, c.Note, c.Tail}
	for _, l := range c.Lines {
		list = append(list, l.Text)
	}
	return strings.Join(list, " ")
}

// byDesk orders rules of several accounts and kinds.
func byDesk(a, b *Rule) int {
	if c := strings.Compare(a.Account, b.Account); c != 0 {
		return c
	}
	if c := slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind); c != 0 {
		return c
	}
	return order(a, b)
}

// List gives rules in the order in which they are asked, beyond one by its id, and
// how many there are. They are all in memory.
func (s *Service) List(ctx context.Context, q Query, after string, limit int) (rows []Row, next string, total int, err error) {
	if err := s.fresh(ctx); err != nil {
		return nil, "", 0, err
	}
	var all []*Rule
	word := fold(q.Q)
	for _, r := range s.book.Load().rules {
		if q.takes(r, word) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, byDesk)
	total = len(all)
	if after != "" {
		all = all[slices.IndexFunc(all, func(r *Rule) bool { return r.ID == after })+1:]
	}
	if len(all) > limit {
		all = all[:limit]
		next = all[limit-1].ID
	}
	rows, err = s.rows(ctx, all)
	return rows, next, total, err
}

func (s *Service) rows(ctx context.Context, list []*Rule) ([]Row, error) {
	now := s.Clock.Now()
	b := s.book.Load()
	rows := make([]Row, len(list))
	at := map[string]int{}
	ids := make([]any, len(list))
	for i, r := range list {
		rows[i] = Row{ID: r.ID, Definition: r.Definition, State: r.state(now), Clashes: b.desk(r.Account).matcher.clashes(r), By: r.By, CreatedAt: r.CreatedAt, ChangedAt: r.ChangedAt}
		at[r.ID], ids[i] = i, r.ID
	}
	if !auth.ScopeOf(ctx).All {
		return rows, nil
	}
	for i := range rows {
		rows[i].Sent = new(int64)
	}
	from := clock.DayNumber(clock.DayStart(now.In(s.zone(ctx)), 0, -29))
	for some := range slices.Chunk(ids, 400) {
		res, err := s.DB.Query(ctx, "select rule, count(*) from reply_sent where rule in ("+db.In(2, len(some))+") and day >= $1 group by rule", append([]any{from}, some...)...)
		_, err = db.Collect(res, err, func(r *sql.Rows) (x struct{}, err error) {
			var id string
			var n int64
			if err = r.Scan(&id, &n); err == nil {
				rows[at[id]].Sent = &n
			}
			return x, err
		})
		if err != nil {
			return nil, fmt.Errorf("count auto-replies: %w", err)
		}
	}
	return rows, nil
}

func (r *Rule) state(now time.Time) string {
	switch {
	case r.Off:
		return "off"
	case !r.Until.IsZero() && !now.Before(r.Until):
		return "over"
	case !r.From.IsZero() && now.Before(r.From):
		return "later"
	}
	return "on"
}

const mostClashes = 10

// clashes lists the words of a rule that an earlier one takes whenever both are in
// time: because it has the same word, or one that stands in it.
func (m *matcher) clashes(r *Rule) []Clash {
	out := []Clash{}
	own := m.indexOf(r)
	if r.Off || own >= len(m.rules) || m.rules[own].ID != r.ID {
		return out
	}
	for _, w := range r.Words {
		if len(out) == mostClashes {
			break
		}
		if w.Match == Pattern {
			for _, p := range m.patterns {
				if p.rule < own && m.rules[p.rule].Words[p.word].Text == w.Text {
					out = append(out, Clash{w.Text, m.rules[p.rule].ID, m.rules[p.rule].Name})
					break
				}
			}
			continue
		}
		h, found := m.first(w.Text, own, func(x *Rule) bool { return w.Match == Exact || takesAround(x, w.Text) })
		if found {
			out = append(out, Clash{w.Text, m.rules[h.rule].ID, m.rules[h.rule].Name})
		}
	}
	return out
}

// takesAround tells whether a rule takes every message that a word stands in: an
// equal word, or a pattern with an anchor, does not.
func takesAround(r *Rule, word string) bool {
	flat := fold(word)
	return slices.ContainsFunc(r.Words, func(w Word) bool { return w.Match == Contains && strings.Contains(flat, fold(w.Text)) })
}

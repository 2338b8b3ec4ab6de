package reply

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event/veil"
)

// accountsAge is how long a list of accounts is believed.
const accountsAge = 30 * time.Second

type accountList struct {
	list []Account
	at   time.Time
}

// accounts are those that can answer.
func (s *Service) accounts(ctx context.Context) ([]Account, error) {
	now := s.Clock.Now()
	was := s.known.Load()
	if was != nil && now.Sub(was.at) < accountsAge {
		return was.list, nil
	}
	list, err := s.Platform.Accounts(ctx)
	if err != nil {
		if was != nil {
			return was.list, nil
		}
		return nil, err
	}
	s.known.Store(&accountList{list, now})
	return list, nil
}

// named is what an account is called, "" when nobody knows.
func (s *Service) named(ctx context.Context, account string) string {
	list, err := s.accounts(ctx)
	if err != nil {
		return ""
	}
	for _, a := range list {
		if a.ID == account {
			return a.Name
		}
	}
	return ""
}

// checkAccount gives an account that can answer.
func (s *Service) checkAccount(ctx context.Context, account string) (Account, error) {
	list, err := s.Platform.Accounts(ctx) // one may have been connected a moment ago
	if err != nil {
		return Account{}, err
	}
	i := slices.IndexFunc(list, func(a Account) bool { return a.ID == account })
	if i < 0 {
		return Account{}, bad("account", "reply.no_such_account")
	}
	return list[i], nil
}

// kindOf is the kind of an account, "" when it is no longer there.
func (s *Service) kindOf(ctx context.Context, account string) (string, error) {
	list, err := s.accounts(ctx)
	if err != nil {
		return "", err
	}
	for _, a := range list {
		if a.ID == account {
			return a.Kind, nil
		}
	}
	return "", nil
}

// check cleans a definition and tells the first thing that is wrong with it.
func (s *Service) check(ctx context.Context, d *Definition) error {
	d.Name = veil.Text(strings.Join(strings.Fields(d.Name), " "))
	if d.Kind != Keyword {
		d.Words = nil
	}
	switch {
	case d.Name == "":
		return bad("name", "request.field_required")
	case utf8.RuneCountInString(d.Name) > maxName:
		return bad("name", "request.too_long", "limit", maxName)
	case !slices.Contains(kinds, d.Kind):
		return bad("kind", "reply.bad_choice")
	case d.Kind == Keyword && len(d.Words) == 0:
		return bad("words", "reply.no_words")
	case len(d.Words) > maxWords:
		return bad("words", "reply.too_many", "limit", maxWords)
	case len(d.Contents) == 0:
		return bad("contents", "reply.no_contents")
	case len(d.Contents) > maxContents:
		return bad("contents", "reply.too_many", "limit", maxContents)
	case len(d.Tags) > maxTags:
		return bad("tags", "reply.too_many", "limit", maxTags)
	case d.EveryHours < 0 || d.EveryHours > maxHours:
		return bad("everyHours", "rule.out_of_range", "least", 0, "limit", maxHours)
	case !d.From.IsZero() && !d.Until.IsZero() && !d.From.Before(d.Until):
		return bad("until", "reply.bad_span")
	case !inTime(d.From):
		return bad("from", "reply.bad_span")
	case !inTime(d.Until):
		return bad("until", "reply.bad_span")
	}
	if err := checkWords(d); err != nil {
		return err
	}
	if err := s.checkContents(ctx, d); err != nil {
		return err
	}
	if len(d.Tags) == 0 {
		return nil
	}
	known, err := s.Tags.KnownTags(ctx, d.Tags)
	if err != nil {
		return err
	}
	for i, id := range d.Tags {
		if !slices.Contains(known, id) {
			return bad(fmt.Sprintf("tags[%d]", i), "contact.tag_not_found")
		}
	}
	return nil
}

func inTime(t time.Time) bool { return t.IsZero() || t.Year() >= 2000 && t.Year() <= 2200 }

func checkWords(d *Definition) error {
	seen := map[string]bool{}
	for i := range d.Words {
		w, at := &d.Words[i], fmt.Sprintf("words[%d]", i)
		if w.Match == "" {
			w.Match = Exact
		}
		if !slices.Contains([]string{Exact, Contains, Pattern}, w.Match) {
			return bad(at+".match", "reply.bad_choice")
		}
		if err := checkWord(at, w); err != nil {
			return err
		}
		key := w.Match + " " + fold(w.Text)
		if w.Match == Pattern {
			key = w.Match + " " + w.Text
		}
		if seen[key] {
			return bad(at+".text", "reply.word_twice")
		}
		seen[key] = true
	}
	return nil
}

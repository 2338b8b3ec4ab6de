package reply

import (
	"context"
	"fmt"
	"net/url"
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

func (s *Service) checkAccount(ctx context.Context, account string) error {
	list, err := s.Platform.Accounts(ctx) // one may have been connected a moment ago
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(a Account) bool { return a.ID == account }) {
		return bad("account", "reply.no_such_account")
	}
	return nil
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
	for i := range d.Contents {
		if err := s.checkContent(ctx, fmt.Sprintf("contents[%d]", i), &d.Contents[i]); err != nil {
			return err
		}
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

func (s *Service) checkContent(ctx context.Context, path string, c *Content) error {
	for _, p := range []*string{&c.Text, &c.Title, &c.Note, &c.URL, &c.Picture} {
		*p = strings.TrimSpace(*p)
	}
	need := func(fields ...[2]string) error {
		for _, f := range fields {
			if f[1] == "" {
				return bad(path+"."+f[0], "request.field_required")
			}
		}
		return nil
	}
	var err error
	switch c.Kind {
	case PartText:
		if err = need([2]string{"text", c.Text}); err == nil && len(c.Text) > maxText {
			err = bad(path+".text", "livecode.text_too_long", "limit", maxText)
		}
		*c = Content{Kind: c.Kind, Text: c.Text}
	case PartImage:
		err = need([2]string{"file", c.File})
		*c = Content{Kind: c.Kind, File: c.File}
	case PartLink:
		if err = need([2]string{"title", c.Title}); err == nil {
			err = checkURL(path+".url", c.URL)
		}
		if err == nil && c.Picture != "" {
			err = checkURL(path+".picture", c.Picture)
		}
		*c = Content{Kind: c.Kind, Title: c.Title, Note: c.Note, URL: c.URL, Picture: c.Picture}
	case PartApp:
		err = need([2]string{"title", c.Title}, [2]string{"appId", c.AppID}, [2]string{"appPath", c.AppPath}, [2]string{"file", c.File})
		*c = Content{Kind: c.Kind, File: c.File, Title: c.Title, AppID: c.AppID, AppPath: c.AppPath}
	default:
		err = bad(path+".kind", "reply.bad_choice")
	}
	if err != nil || c.File == "" {
		return err
	}
	ok, err := s.Files.IsPicture(ctx, c.File)
	if err == nil && !ok {
		err = bad(path+".file", "livecode.no_picture")
	}
	return err
}

// checkURL takes addresses that a phone can open.
func checkURL(path, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return bad(path, "livecode.bad_url")
	}
	return nil
}

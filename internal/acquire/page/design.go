package page

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/contact/consent"
	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/errs"
)

func bad(field, code string, params ...any) error {
	return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code, params...))
}

var (
	slugShape  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	colorShape = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
)

// taken are slugs that other pages of this program have below the same path.
var taken = []string{"prefs", "unsubscribe"}

// line tidies a text of one line and tells whether it is too long.
func line(text *string, field string, most int) error {
	*text = veil.Text(strings.Join(strings.Fields(*text), " "))
	if utf8.RuneCountInString(*text) > most {
		return bad(field, "request.too_long", "limit", most)
	}
	return nil
}

func (s *Service) checkSettings(in *Settings) error {
	for _, f := range []struct {
		text *string
		name string
		most int
	}{{&in.Title, "title", maxTitle}, {&in.Source, "source", 100}, {&in.Medium, "medium", 100}, {&in.Campaign, "campaign", 100}} {
		if err := line(f.text, f.name, f.most); err != nil {
			return err
		}
	}
	in.Slug = strings.ToLower(strings.TrimSpace(in.Slug))
	switch {
	case in.Title == "":
		return bad("title", "request.field_required")
	case in.Slug == "":
		return bad("slug", "request.field_required")
	case len(in.Slug) > maxSlug:
		return bad("slug", "request.too_long", "limit", maxSlug)
	case !slugShape.MatchString(in.Slug):
		return bad("slug", "page.bad_slug")
	case slices.Contains(taken, in.Slug):
		return bad("slug", "page.slug_taken")
	case in.Channel != "" && !s.Channels.Open(in.Channel):
		return bad("channel", "acquire.no_such_channel")
	case !in.ExpiresAt.IsZero() && (in.ExpiresAt.Year() < 2000 || in.ExpiresAt.Year() > 2200):
		return bad("expiresAt", "request.not_a_time")
	}
	return nil
}

// known is what a design may name.
type known struct {
	fields   map[string]*attribute.Attribute
	purposes map[string]*consent.Purpose
}

func (s *Service) known(ctx context.Context) (known, error) {
	k := known{map[string]*attribute.Attribute{}, map[string]*consent.Purpose{}}
	list, err := s.Attributes.FormAttributes(ctx)
	if err != nil {
		return k, err
	}
	for _, a := range list {
		k.fields[a.Key] = a
	}
	asked, err := s.Consents.Askable(ctx)
	if err != nil {
		return k, err
	}
	for _, p := range asked {
		k.purposes[p.ID] = p
	}
	return k, nil
}

// checkDesign tells what is wrong with a design: what could harm always, what is
// merely missing only when it is to be published.
func (s *Service) checkDesign(ctx context.Context, d *Design, publish bool) error {
	k, err := s.known(ctx)
	if err != nil {
		return err
	}
	if d.Lang == "" {
		d.Lang = "zh-CN"
	}
	if d.Color != "" && !colorShape.MatchString(d.Color) {
		return bad("design.color", "page.bad_color")
	}
	if len(d.Blocks) > maxBlocks {
		return bad("design.blocks", "request.too_many_items", "limit", maxBlocks)
	}
	forms := 0
	for i := range d.Blocks {
		b, at := &d.Blocks[i], fmt.Sprintf("design.blocks[%d].", i)
		switch b.Kind {
		case Headline, Text, Picture:
			err = s.checkPlain(ctx, b, at, publish)
		case Form:
			if forms++; forms > 1 {
				return bad(at+"kind", "page.one_form")
			}
			err = k.checkForm(b, at, publish)
		default:
			return bad(at+"kind", "request.not_one_of", "allowed", "headline, text, picture, form")
		}
		if err != nil {
			return err
		}
	}
	if err := s.checkThanks(ctx, &d.Thanks); err != nil {
		return err
	}
	if publish && forms == 0 && len(d.Blocks) == 0 {
		return bad("design.blocks", "page.empty")
	}
	if raw, err := json.Marshal(d); err != nil || len(raw) > maxDesign {
		return bad("design", "page.too_large", "limit", maxDesign>>10)
	}
	return nil
}

func (s *Service) checkPlain(ctx context.Context, b *Block, at string, publish bool) error {
	b.Fields, b.Consents, b.Button = nil, nil, ""
	most := maxText
	if b.Kind != Text {
		most = maxLine
	}
	b.Text = strings.TrimSpace(b.Text)
	if utf8.RuneCountInString(b.Text) > most {
		return bad(at+"text", "request.too_long", "limit", most)
	}
	if b.Kind != Picture {
		b.File = ""
		if publish && b.Text == "" {
			return bad(at+"text", "request.field_required")
		}
		return nil
	}
	if b.File == "" {
		if publish {
			return bad(at+"file", "request.field_required")
		}
		return nil
	}
	if _, ok, err := s.file(ctx, b.File); err != nil || !ok {
		return cmp.Or(err, bad(at+"file", "page.no_such_file"))
	}
	return nil
}

func (k known) checkForm(b *Block, at string, publish bool) error {
	b.Text, b.File = "", ""
	if err := line(&b.Button, at+"button", 40); err != nil {
		return err
	}
	if len(b.Fields) > maxFields {
		return bad(at+"fields", "request.too_many_items", "limit", maxFields)
	}
	if len(b.Consents) > maxConsents {
		return bad(at+"consents", "request.too_many_items", "limit", maxConsents)
	}
	seen, reach := map[string]bool{}, false
	for i := range b.Fields {
		f, on := &b.Fields[i], fmt.Sprintf("%sfields[%d].", at, i)
		switch {
		case k.fields[f.Key] == nil:
			return bad(on+"key", "page.no_such_field")
		case seen[f.Key]:
			return bad(on+"key", "page.field_twice")
		}
		seen[f.Key] = true
		reach = reach || f.Required && (f.Key == "phone" || f.Key == "email")
		if err := cmp.Or(line(&f.Label, on+"label", 60), line(&f.Hint, on+"hint", maxLine)); err != nil {
			return err
		}
	}
	if publish && !reach {
		return bad(at+"fields", "page.needs_identity")
	}
	asked := map[string]bool{}
	for i := range b.Consents {
		c, on := &b.Consents[i], fmt.Sprintf("%sconsents[%d].", at, i)
		p := k.purposes[c.Purpose]
		switch {
		case p == nil:
			return bad(on+"purpose", "page.no_such_purpose")
		case asked[c.Purpose]:
			return bad(on+"purpose", "page.purpose_twice")
		}
		asked[c.Purpose] = true
		for _, ch := range c.Channels {
			if !slices.Contains(p.Channels, consent.Channel(ch)) {
				return bad(on+"channels", "page.no_such_channel")
			}
		}
	}
	return nil
}

func (s *Service) checkThanks(ctx context.Context, t *Thanks) error {
	if err := line(&t.Title, "design.thanks.title", maxLine); err != nil {
		return err
	}
	t.Text = strings.TrimSpace(t.Text)
	if utf8.RuneCountInString(t.Text) > 1000 {
		return bad("design.thanks.text", "request.too_long", "limit", 1000)
	}
	if t.Redirect = strings.TrimSpace(t.Redirect); t.Redirect != "" && !address(t.Redirect) {
		return bad("design.thanks.redirect", "page.bad_url")
	}
	if g := t.Gift; g != nil {
		if err := line(&g.Name, "design.thanks.gift.name", 60); err != nil {
			return err
		}
		g.Text, g.URL = strings.TrimSpace(g.Text), strings.TrimSpace(g.URL)
		switch {
		case g.Name == "":
			return bad("design.thanks.gift.name", "request.field_required")
		case g.Text == "" && g.URL == "":
			return bad("design.thanks.gift.text", "page.empty_gift")
		case utf8.RuneCountInString(g.Text) > 1000:
			return bad("design.thanks.gift.text", "request.too_long", "limit", 1000)
		case g.URL != "" && !address(g.URL):
			return bad("design.thanks.gift.url", "page.bad_url")
		case t.Redirect != "":
			return bad("design.thanks.redirect", "page.redirect_hides")
		}
	}
	if t.LiveCode != "" {
		if t.Redirect != "" {
			return bad("design.thanks.redirect", "page.redirect_hides")
		}
		list, err := s.Codes.LiveCodes(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(c CodeChoice) bool { return c.ID == t.LiveCode }) {
			return bad("design.thanks.liveCode", "page.no_such_code")
		}
	}
	return nil
}

// address tells whether a text is one that a browser may be led to.
func address(text string) bool {
	if len(text) > 2000 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && u.User == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != ""
}

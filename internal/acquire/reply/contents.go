package reply

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// field is one of a content, with what the platform takes of it in bytes; 0: any.
type field struct {
	name, value string
	most        int
	need        bool
}

// checkFields tells the first field that is missing or too long.
func checkFields(path string, list ...field) error {
	for _, f := range list {
		switch {
		case f.need && f.value == "":
			return bad(path+"."+f.name, "request.field_required")
		case f.most > 0 && len(f.value) > f.most:
			return bad(path+"."+f.name, "livecode.text_too_long", "limit", f.most)
		}
	}
	return nil
}

// checkContents cleans what a rule says, and tells the first thing in it that the
// account could not send.
func (s *Service) checkContents(ctx context.Context, d *Definition) error {
	kind, err := s.kindOf(ctx, d.Account)
	if err != nil {
		return err
	}
	if kind == Talk && d.Kind == Follow { // the platform takes one before they have written
		switch {
		case len(d.Contents) > 1:
			return bad("contents", "reply.one_greeting")
		case d.Contents[0].Kind != PartText && d.Contents[0].Kind != PartMenu:
			return bad("contents[0].kind", "reply.greeting_kinds")
		}
	}
	for i := range d.Contents {
		if err := s.checkContent(ctx, d.Account, kind, fmt.Sprintf("contents[%d]", i), &d.Contents[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) checkContent(ctx context.Context, account, kind, path string, c *Content) error {
	for _, p := range []*string{&c.Text, &c.Title, &c.Note, &c.URL, &c.Picture, &c.AppID, &c.AppPath, &c.Tail} {
		*p = strings.TrimSpace(*p)
	}
	var err error
	switch c.Kind {
	case PartText:
		err = checkFields(path, field{"text", c.Text, maxText, true})
		*c = Content{Kind: c.Kind, Text: c.Text}
	case PartImage:
		err = checkFields(path, field{"file", c.File, 0, true})
		*c = Content{Kind: c.Kind, File: c.File}
	case PartLink:
		err = checkLink(kind, path, c)
	case PartApp:
		most := 0
		if kind == Talk {
			most = 64
		}
		err = checkFields(path, field{"title", c.Title, most, true}, field{"appId", c.AppID, 0, true}, field{"appPath", c.AppPath, 1024, true}, field{"file", c.File, 0, true})
		*c = Content{Kind: c.Kind, File: c.File, Title: c.Title, AppID: c.AppID, AppPath: c.AppPath}
	case PartMenu:
		err = s.checkMenu(account, kind, path, c)
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

// checkLink looks at a link. Its picture is an address in an official account, and an
// upload in customer service, which takes no link without one.
func checkLink(kind, path string, c *Content) error {
	err := checkFields(path, field{"title", c.Title, 128, true}, field{"note", c.Note, 512, false})
	if err == nil {
		err = checkURL(path+".url", c.URL)
	}
	if kind == Talk {
		if err == nil && c.File == "" {
			err = bad(path+".file", "reply.link_picture")
		}
		*c = Content{Kind: c.Kind, Title: c.Title, Note: c.Note, URL: c.URL, File: c.File}
		return err
	}
	if err == nil && c.Picture != "" {
		err = checkURL(path+".picture", c.Picture)
	}
	*c = Content{Kind: c.Kind, Title: c.Title, Note: c.Note, URL: c.URL, Picture: c.Picture}
	return err
}

func (s *Service) checkMenu(account, kind, path string, c *Content) error {
	*c = Content{Kind: c.Kind, Text: c.Text, Lines: c.Lines, Tail: c.Tail}
	// An official account takes no menu without words above it.
	if err := checkFields(path, field{"text", c.Text, maxAround, kind == Official}, field{"tail", c.Tail, maxAround, false}); err != nil {
		return err
	}
	switch {
	case len(c.Lines) == 0:
		return bad(path+".lines", "reply.no_lines")
	case len(c.Lines) > maxLines:
		return bad(path+".lines", "reply.too_many", "limit", maxLines)
	}
	for i := range c.Lines {
		if err := s.checkLine(account, kind, fmt.Sprintf("%s.lines[%d]", path, i), &c.Lines[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) checkLine(account, kind, path string, l *Line) error {
	for _, p := range []*string{&l.Text, &l.URL, &l.AppID, &l.AppPath} {
		*p = strings.TrimSpace(*p)
	}
	opens := l.URL != "" || l.AppID != "" || l.AppPath != ""
	most := maxTap
	if opens {
		most = 1024
	}
	err := checkFields(path, field{"text", l.Text, most, true})
	switch {
	case err != nil:
		return err
	case opens && kind == Official:
		return bad(path, "reply.line_opens")
	case l.AppID != "" || l.AppPath != "":
		*l = Line{Text: l.Text, AppID: l.AppID, AppPath: l.AppPath}
		return checkFields(path, field{"appId", l.AppID, 0, true}, field{"appPath", l.AppPath, 1024, true})
	case l.URL != "":
		*l = Line{Text: l.Text, URL: l.URL}
		return checkURL(path+".url", l.URL)
	case l.Reply != "":
		if r := s.book.Load().rules[l.Reply]; r == nil || r.gone || r.Account != account {
			return bad(path+".reply", "menu.no_such_reply")
		}
	}
	return nil
}

// checkURL takes addresses that a phone can open.
func checkURL(path, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(raw) > 2048 {
		return bad(path, "livecode.bad_url")
	}
	return nil
}

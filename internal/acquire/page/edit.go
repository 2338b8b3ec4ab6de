package page

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

func (s *Service) show(x *row) (Page, error) {
	now := clock.Ms(s.Clock.Now())
	p := Page{ID: x.id, Settings: Settings{Title: x.title, Slug: x.slug, Channel: x.channel, Source: x.source, Medium: x.medium, Campaign: x.campaign, ExpiresAt: clock.FromMs(x.expires)},
		Path: Path + x.slug, State: x.state(now), Version: x.version, CreatedAt: clock.FromMs(x.created), ChangedAt: clock.FromMs(x.changed), By: x.by}
	if s.PublicURL != "" {
		p.URL = strings.TrimSuffix(s.PublicURL, "/") + p.Path
	}
	if err := json.Unmarshal([]byte(x.draft), &p.Design); err != nil {
		return p, fmt.Errorf("decode draft of landing page %s: %w", x.id, err)
	}
	p.Changed = x.public == nil || !same(p.Design, *x.public)
	return p, nil
}

func same(a, b Design) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func (s *Service) get(ctx context.Context, id string) (Page, error) {
	x, err := s.reread(ctx, id)
	if err != nil {
		return Page{}, err
	}
	return s.show(x)
}

// Get gives one page.
func (s *Service) Get(ctx context.Context, id string) (Page, error) { return s.get(ctx, id) }

// Create makes a page, which nobody sees before it is published.
func (s *Service) Create(ctx context.Context, in Input) (Page, error) {
	draft, err := s.check(ctx, &in)
	if err != nil {
		return Page{}, err
	}
	me, now, id := principal(ctx), clock.Ms(s.Clock.Now()), s.IDs.New("pg")
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		var n int64
		if err := s.DB.QueryRow(ctx, "select count(*) from pages").Scan(&n); err != nil {
			return fmt.Errorf("count landing pages: %w", err)
		}
		if n >= maxPages {
			return errs.New(errs.Conflict, "page.too_many", "limit", maxPages)
		}
		if err := s.free(ctx, in.Slug, id); err != nil {
			return err
		}
		_, err := s.DB.Exec(ctx, `insert into pages (id, slug, title, channel, source, medium, campaign, expires_at, live, version, draft, edited_at, by_id, by_name, created_at, changed_at)
			values ($1,$2,$3,$4,$5,$6,$7,$8,0,0,$9,$10,$11,$12,$10,$10)`, id, in.Slug, in.Title, in.Channel, in.Source, in.Medium, in.Campaign, clock.Ms(in.ExpiresAt), draft, now, me.ID, me.Name)
		if err != nil {
			return fmt.Errorf("make landing page: %w", err)
		}
		return s.record(ctx, "page.created", id, in.Title, map[string]any{"slug": in.Slug, "channel": in.Channel})
	})
	if err != nil {
		return Page{}, err
	}
	return s.get(ctx, id)
}

func (s *Service) check(ctx context.Context, in *Input) (draft string, err error) {
	if err := s.checkSettings(&in.Settings); err != nil {
		return "", err
	}
	if err := s.checkDesign(ctx, &in.Design, false); err != nil {
		return "", err
	}
	raw, err := json.Marshal(in.Design)
	return string(raw), err
}

// free refuses a slug that another page has.
func (s *Service) free(ctx context.Context, slug, id string) error {
	var other string
	err := s.DB.QueryRow(ctx, "select id from pages where slug = $1 and id <> $2", slug, id).Scan(&other)
	switch {
	case db.NoRows(err):
		return nil
	case err != nil:
		return fmt.Errorf("look for slug: %w", err)
	}
	return bad("slug", "page.slug_taken")
}

// moved is the SQL that lets other nodes see a change.
const moved = "changed_at = case when changed_at >= %s then changed_at + 1 else %s end"

// Update saves what the editor has. Strangers see it once it is published; the
// settings hold at once.
func (s *Service) Update(ctx context.Context, id string, in Input) (Page, error) {
	draft, err := s.check(ctx, &in)
	if err != nil {
		return Page{}, err
	}
	now := clock.Ms(s.Clock.Now())
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.free(ctx, in.Slug, id); err != nil {
			return err
		}
		n, err := s.DB.ExecN(ctx, "update pages set slug=$2, title=$3, channel=$4, source=$5, medium=$6, campaign=$7, expires_at=$8, draft=$9, edited_at=$10, "+
			fmt.Sprintf(moved, "$10", "$10")+" where id = $1", id, in.Slug, in.Title, in.Channel, in.Source, in.Medium, in.Campaign, clock.Ms(in.ExpiresAt), draft, now)
		if err != nil {
			return fmt.Errorf("change landing page: %w", err)
		}
		if n == 0 {
			return errNone
		}
		return s.record(ctx, "page.updated", id, in.Title, map[string]any{"slug": in.Slug, "channel": in.Channel})
	})
	if err != nil {
		return Page{}, err
	}
	return s.get(ctx, id)
}

// Publish lets strangers see what the editor has, as a new version.
func (s *Service) Publish(ctx context.Context, id string) (Page, error) {
	p, err := s.get(ctx, id)
	if err != nil {
		return p, err
	}
	if err := s.checkDesign(ctx, &p.Design, true); err != nil {
		return p, err
	}
	raw, err := json.Marshal(p.Design)
	if err != nil {
		return p, fmt.Errorf("encode landing page: %w", err)
	}
	now := clock.Ms(s.Clock.Now())
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		version := p.Version
		if p.Changed {
			version++
			_, err := s.DB.Exec(ctx, "insert into page_versions (page, version, design, by_name, at) values ($1,$2,$3,$4,$5)", id, version, string(raw), principal(ctx).Name, now)
			if err != nil {
				return fmt.Errorf("keep version of landing page: %w", err)
			}
		}
		if _, err := s.DB.Exec(ctx, "update pages set live = 1, version = $2, "+fmt.Sprintf(moved, "$3", "$3")+" where id = $1", id, version, now); err != nil {
			return fmt.Errorf("publish landing page: %w", err)
		}
		return s.record(ctx, "page.published", id, p.Title, map[string]any{"version": version, "slug": p.Slug})
	})
	if err != nil {
		return p, err
	}
	return s.get(ctx, id)
}

// Unpublish takes a page away from strangers; what it brought stays.
func (s *Service) Unpublish(ctx context.Context, id string) (Page, error) {
	p, err := s.get(ctx, id)
	if err != nil {
		return p, err
	}
	now := clock.Ms(s.Clock.Now())
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.DB.Exec(ctx, "update pages set live = 0, "+fmt.Sprintf(moved, "$2", "$2")+" where id = $1", id, now); err != nil {
			return fmt.Errorf("stop landing page: %w", err)
		}
		return s.record(ctx, "page.stopped", id, p.Title, nil)
	})
	if err != nil {
		return p, err
	}
	return s.get(ctx, id)
}

// Choices lists what the editor offers.
func (s *Service) Choices(ctx context.Context, english bool) (Choices, error) {
	out := Choices{Fields: []FieldChoice{}, Purposes: []PurposeChoice{}, Codes: []CodeChoice{}}
	fields, err := s.Attributes.FormAttributes(ctx)
	if err != nil {
		return out, err
	}
	for _, a := range fields {
		out.Fields = append(out.Fields, FieldChoice{a.Key, a.Name(english), string(a.Type)})
	}
	asked, err := s.Consents.Askable(ctx)
	if err != nil {
		return out, err
	}
	for _, p := range asked {
		c := PurposeChoice{ID: p.ID, Name: in(p.Name, english), Version: p.Current, Separate: p.Separate, Channels: []string{}}
		for _, w := range p.Wordings {
			if w.Version == p.Current {
				c.Text = in(w.Text, english)
			}
		}
		for _, ch := range p.Channels {
			c.Channels = append(c.Channels, string(ch))
		}
		out.Purposes = append(out.Purposes, c)
	}
	codes, err := s.Codes.LiveCodes(ctx)
	out.Codes = append(out.Codes, codes...)
	return out, err
}

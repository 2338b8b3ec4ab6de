package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/errs"
)

var errNone = errs.New(errs.NotFound, "scene.not_found")

func bad(field, code string, params ...any) error {
	return errs.New(errs.Invalid, "request.invalid").On(errs.At(field, code, params...))
}

// check refuses what a code cannot be, and tells of which kind it is.
func (s *Service) check(ctx context.Context, d *Definition) (kind string, err error) {
	d.Name, d.Place = veil.Text(strings.Join(strings.Fields(d.Name), " ")), strings.Join(strings.Fields(d.Place), " ")
	switch {
	case d.Name == "":
		return "", bad("name", "request.field_required")
	case utf8.RuneCountInString(d.Name) > maxName:
		return "", bad("name", "request.too_long", "limit", maxName)
	case utf8.RuneCountInString(d.Place) > maxPlace:
		return "", bad("place", "request.too_long", "limit", maxPlace)
	case len(d.Tags) > maxTags:
		return "", bad("tags", "livecode.too_many_tags", "limit", maxTags)
	case d.Days < 0 || d.Days > maxDays:
		return "", bad("days", "rule.out_of_range", "least", 0, "limit", maxDays)
	}
	list, err := s.Platform.Accounts(ctx)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(list, func(a Account) bool { return a.ID == d.Account })
	if i < 0 {
		return "", bad("account", "scene.no_such_account")
	}
	kind = list[i].Kind
	if err := checkKind(d, kind); err != nil {
		return "", err
	}
	if d.Channel != "" {
		known, err := s.Channels.Known(ctx, []string{d.Channel})
		if err != nil {
			return "", err
		}
		if len(known) == 0 {
			return "", bad("channel", "livecode.no_such_channel")
		}
	}
	for _, f := range []struct{ field, id string }{{"reply", d.Reply}, {"hook", d.Hook}} {
		if f.id == "" {
			continue
		}
		_, ok, err := s.Answers.Known(ctx, d.Account, f.id)
		if err != nil {
			return "", err
		}
		if !ok {
			return "", bad(f.field, "menu.no_such_reply")
		}
	}
	if len(d.Tags) == 0 {
		return kind, nil
	}
	known, err := s.Tags.KnownTags(ctx, d.Tags)
	if err != nil {
		return "", err
	}
	for i, id := range d.Tags {
		if !slices.Contains(known, id) {
			return "", bad(fmt.Sprintf("tags[%d]", i), "contact.tag_not_found")
		}
	}
	return kind, nil
}

func (s *Service) sealDef(d *Definition) (string, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("encode scene code: %w", err)
	}
	sealed, err := s.Keys.Seal(defField, string(raw))
	if err != nil {
		return "", fmt.Errorf("seal scene code: %w", err)
	}
	return sealed, nil
}

// Create makes a code; the platform hears of it right after.
func (s *Service) Create(ctx context.Context, d Definition) (*Code, error) {
	kind, err := s.check(ctx, &d)
	if err != nil {
		return nil, err
	}
	sealed, err := s.sealDef(&d)
	if err != nil {
		return nil, err
	}
	id, now := s.IDs.New("sc"), clock.Ms(s.Clock.Now())
	key := keyOf(id)
	if kind == Mini {
		key = miniKeyOf(id)
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		var n int
		if err := s.DB.QueryRow(ctx, "select count(*) from scenes where state = $1", Active).Scan(&n); err != nil {
			return fmt.Errorf("count scene codes: %w", err)
		}
		if n >= maxCodes {
			return errs.New(errs.Conflict, "scene.too_many", "limit", maxCodes)
		}
		rev, err := s.DB.Reserve(ctx, "scene_revs", 1)
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, `insert into scenes (id, skey, account, rev, state, name, def, by_name, created_at, changed_at, url, until, fault, params, tries, next_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, '', 0, '', '{}', 0, 0)`, id, key, d.Account, rev, Active, d.Name, sealed, who(ctx), now); err != nil {
			return fmt.Errorf("make scene code: %w", err)
		}
		s.refresh(ctx)
		return s.record(ctx, "scene.created", id, d.Name, nil)
	})
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, id)
}

// Get gives a code, as fresh as the records.
func (s *Service) Get(ctx context.Context, id string) (*Code, error) {
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	if c := s.book.Load().byID[id]; c != nil {
		return c, nil
	}
	return nil, errNone
}

// Update changes what a code is; what is printed stays, and so do its account, how
// long it works, and, once it is made, the page that it opens.
func (s *Service) Update(ctx context.Context, id string, d Definition) (*Code, error) {
	was, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	switch {
	case d.Account != was.Account:
		return nil, bad("account", "livecode.account_stays")
	case d.Days != was.Days:
		return nil, bad("days", "scene.days_stay")
	}
	if _, err := s.check(ctx, &d); err != nil {
		return nil, err
	}
	if was.ready() {
		switch {
		case d.Page != was.Page:
			return nil, bad("page", "scene.page_stays")
		case d.Env != was.Env:
			return nil, bad("env", "scene.page_stays")
		}
	}
	sealed, err := s.sealDef(&d)
	if err != nil {
		return nil, err
	}
	return s.write(ctx, was, "scene.updated", "name = $3, def = $4, changed_at = $5, next_at = 0", d.Name, sealed, clock.Ms(s.Clock.Now()))
}

// SetState archives a code, or takes it out of the archive. The platform has no way to
// take a code back: scans of an archived one still make followers, whom the account's
// general answer welcomes, and are counted.
func (s *Service) SetState(ctx context.Context, id, state string) (*Code, error) {
	was, err := s.Get(ctx, id)
	if err != nil || was.State == state {
		return was, err
	}
	action := map[string]string{Archived: "scene.archived", Active: "scene.restored"}[state]
	return s.write(ctx, was, action, "state = $3, changed_at = $4, next_at = 0", state, clock.Ms(s.Clock.Now()))
}

func (s *Service) write(ctx context.Context, was *Code, action, set string, args ...any) (*Code, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		rev, err := s.DB.Reserve(ctx, "scene_revs", 1)
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update scenes set rev = $2, "+set+" where id = $1", append([]any{was.ID, rev}, args...)...); err != nil {
			return fmt.Errorf("change scene code: %w", err)
		}
		s.refresh(ctx)
		return s.record(ctx, action, was.ID, was.Name, nil)
	})
	if err != nil {
		return nil, err
	}
	return s.Get(ctx, was.ID)
}

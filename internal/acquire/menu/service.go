package menu

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/id"
	"github.com/koipond/koipond/internal/platform/vault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of menus.
func Migrations() db.Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return db.Set{Domain: "menu", FS: sub}
}

// Deps is what the service works with. Audit may be nil.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	IDs      *id.Source
	Keys     veil.Keys
	Audit    audit.Recorder
	Platform Platform
	Answers  Answers
	People   People
	// Zone is the company's: days are in it.
	Zone func(ctx context.Context) *time.Location
}

// Service keeps menus.
type Service struct{ Deps }

// NewService builds the service.
func NewService(d Deps) *Service { return &Service{d} }

const (
	draftField   = "menus.draft"
	versionField = "menu_versions.def"
	mostVersions = 100 // that a list shows
)

// Sealed are the columns that hold sealed values, for key rotation.
func (s *Service) Sealed() []vault.Column {
	return []vault.Column{{Table: "menus", Key: "account", Column: "draft", Field: draftField}, {Table: "menu_versions", Key: "id", Column: "def", Field: versionField}}
}

var (
	errMeanwhile = errs.New(errs.Conflict, "menu.changed_meanwhile")
	errNone      = errs.New(errs.NotFound, "menu.no_version")
)

func (s *Service) account(ctx context.Context, account string) (Account, error) {
	list, err := s.Platform.Accounts(ctx)
	if err != nil {
		return Account{}, err
	}
	if i := slices.IndexFunc(list, func(a Account) bool { return a.ID == account }); i >= 0 {
		return list[i], nil
	}
	return Account{}, errs.New(errs.NotFound, "menu.no_such_account")
}

func (s *Service) seal(field string, list []Button) (string, error) {
	raw, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("encode menu: %w", err)
	}
	sealed, err := s.Keys.Seal(field, string(raw))
	if err != nil {
		return "", fmt.Errorf("seal menu: %w", err)
	}
	return sealed, nil
}

func (s *Service) open(field, sealed string) ([]Button, error) {
	plain, err := s.Keys.Open(field, sealed)
	if err != nil {
		return nil, fmt.Errorf("open menu: %w", err)
	}
	list := []Button{}
	if err := json.Unmarshal([]byte(plain), &list); err != nil {
		return nil, fmt.Errorf("decode menu: %w", err)
	}
	return list, nil
}

// Get gives an account's draft and what is published.
func (s *Service) Get(ctx context.Context, account string) (Menu, error) {
	if _, err := s.account(ctx, account); err != nil {
		return Menu{}, err
	}
	return s.get(ctx, account)
}

func (s *Service) get(ctx context.Context, account string) (Menu, error) {
	m := Menu{Account: account, Buttons: []Button{}}
	var draft, params string
	var published, changed, faultAt int64
	err := s.DB.QueryRow(ctx, "select rev, draft, published, by_name, changed_at, fault, params, fault_at from menus where account = $1", account).
		Scan(&m.Rev, &draft, &published, &m.By, &changed, &m.Fault, &params, &faultAt)
	switch {
	case db.NoRows(err):
		m.Same = true
		return m, nil
	case err != nil:
		return m, fmt.Errorf("read menu: %w", err)
	}
	m.ChangedAt = clock.FromMs(changed)
	if faultAt > 0 {
		m.FaultAt = clock.FromMs(faultAt)
	}
	if m.Buttons, err = s.open(draftField, draft); err != nil {
		return m, err
	}
	if m.Fault != "" {
		var p map[string]any
		if json.Unmarshal([]byte(params), &p) == nil {
			m.Words = say(ctx, m.Fault, p)
		}
	}
	if published > 0 {
		v, err := s.version(ctx, account, published)
		if err != nil {
			return m, err
		}
		m.Published = &v
	}
	var have []Button
	if m.Published != nil {
		have = m.Published.Buttons
	}
	m.Same = equal(m.Buttons, have)
	return m, nil
}

func equal(a, b []Button) bool {
	return slices.EqualFunc(a, b, func(x, y Button) bool {
		return x.Name == y.Name && x.Kind == y.Kind && x.Reply == y.Reply && x.URL == y.URL && x.AppID == y.AppID && x.Page == y.Page && x.Key == y.Key && equal(x.Sub, y.Sub)
	})
}

func (s *Service) version(ctx context.Context, account string, n int64) (Version, error) {
	v := Version{N: n}
	var def string
	var at int64
	err := s.DB.QueryRow(ctx, "select def, by_name, at from menu_versions where account = $1 and n = $2", account, n).Scan(&def, &v.By, &at)
	if db.NoRows(err) {
		return v, errNone
	}
	if err != nil {
		return v, fmt.Errorf("read menu: %w", err)
	}
	v.At = clock.FromMs(at)
	v.Buttons, err = s.open(versionField, def)
	return v, err
}

// Versions lists what was published, the newest first.
func (s *Service) Versions(ctx context.Context, account string) ([]Version, error) {
	if _, err := s.account(ctx, account); err != nil {
		return nil, err
	}
	rows, err := s.DB.Query(ctx, fmt.Sprintf("select n, def, by_name, at from menu_versions where account = $1 order by n desc limit %d", mostVersions), account)
	list, err := db.Collect(rows, err, func(r *sql.Rows) (v Version, err error) {
		var def string
		var at int64
		if err = r.Scan(&v.N, &def, &v.By, &at); err != nil {
			return v, err
		}
		v.At = clock.FromMs(at)
		v.Buttons, err = s.open(versionField, def)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("read menus: %w", err)
	}
	return append([]Version{}, list...), nil
}

func who(ctx context.Context) string {
	if p := auth.From(ctx); p != nil {
		return p.Name
	}
	return auth.System("menus").Name
}

func (s *Service) record(ctx context.Context, action string, a Account, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, action, audit.Object{Type: "menu", ID: a.ID, Name: a.Name}, detail)
}

// Save keeps a draft. It may be unfinished: what is missing is told when it is
// published. rev is the draft's that the writer began with.
func (s *Service) Save(ctx context.Context, account string, buttons []Button, rev int64) (Menu, error) {
	a, err := s.account(ctx, account)
	if err != nil {
		return Menu{}, err
	}
	if err := shape(buttons); err != nil {
		return Menu{}, err
	}
	return s.save(ctx, a, buttons, rev, "menu.saved", nil)
}

func (s *Service) save(ctx context.Context, a Account, buttons []Button, rev int64, action string, detail map[string]any) (Menu, error) {
	clean(buttons)
	sealed, err := s.seal(draftField, append([]Button{}, buttons...))
	if err != nil {
		return Menu{}, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.DB.ExecN(ctx, `insert into menus (account, rev, draft, published, by_name, changed_at, fault, params, fault_at) values ($1, $2, $3, 0, $4, $5, '', '{}', 0)
			on conflict (account) do update set rev = excluded.rev, draft = excluded.draft, by_name = excluded.by_name, changed_at = excluded.changed_at where menus.rev = $6`,
			a.ID, rev+1, sealed, who(ctx), clock.Ms(s.Clock.Now()), rev)
		if err != nil {
			return fmt.Errorf("keep menu: %w", err)
		}
		if n == 0 {
			return errMeanwhile
		}
		return s.record(ctx, action, a, detail)
	})
	if err != nil {
		return Menu{}, err
	}
	return s.get(ctx, a.ID)
}

// Publish gives the draft to the platform. What it refuses is kept with its reason,
// and what was published stays.
func (s *Service) Publish(ctx context.Context, account string, rev int64) (Menu, error) {
	a, err := s.account(ctx, account)
	if err != nil {
		return Menu{}, err
	}
	m, err := s.get(ctx, account)
	if err != nil {
		return m, err
	}
	if m.Rev != rev {
		return m, errMeanwhile
	}
	if err := s.check(ctx, account, m.Buttons); err != nil {
		return m, err
	}
	sealed, err := s.seal(versionField, m.Buttons)
	if err != nil {
		return m, err
	}
	if err := s.Platform.Publish(ctx, account, m.Buttons); err != nil {
		return m, errors.Join(err, s.refused(context.WithoutCancel(ctx), a, err))
	}
	ctx = context.WithoutCancel(ctx) // the platform shows it by now
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.DB.Reserve(ctx, "menu/"+account, 1)
		if err != nil {
			return err
		}
		now := clock.Ms(s.Clock.Now())
		if _, err := s.DB.Exec(ctx, "insert into menu_versions (id, account, n, def, by_name, at) values ($1, $2, $3, $4, $5, $6)", s.IDs.New("mv"), account, n, sealed, who(ctx), now); err != nil {
			return fmt.Errorf("keep published menu: %w", err)
		}
		if _, err := s.DB.Exec(ctx, `insert into menus (account, rev, draft, published, by_name, changed_at, fault, params, fault_at) values ($1, 0, $2, $3, $4, $5, '', '{}', 0)
			on conflict (account) do update set published = excluded.published, fault = '', fault_at = 0`, account, sealed, n, who(ctx), now); err != nil {
			return fmt.Errorf("keep published menu: %w", err)
		}
		return s.record(ctx, "menu.published", a, map[string]any{"n": n})
	})
	if err != nil {
		return m, err
	}
	return s.get(ctx, account)
}

// refused keeps why the platform did not take a menu.
func (s *Service) refused(ctx context.Context, a Account, why error) error {
	var e *errs.Error
	if !errors.As(why, &e) {
		return nil
	}
	raw, err := json.Marshal(e.Params)
	if err != nil {
		raw = []byte("{}")
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.DB.Exec(ctx, "update menus set fault = $2, params = $3, fault_at = $4 where account = $1", a.ID, e.Code, string(raw), clock.Ms(s.Clock.Now())); err != nil {
			return fmt.Errorf("keep refusal: %w", err)
		}
		return s.record(ctx, "menu.refused", a, map[string]any{"code": e.Code})
	})
}

// Restore makes a version that was published the draft.
func (s *Service) Restore(ctx context.Context, account string, n, rev int64) (Menu, error) {
	a, err := s.account(ctx, account)
	if err != nil {
		return Menu{}, err
	}
	v, err := s.version(ctx, account, n)
	if err != nil {
		return Menu{}, err
	}
	return s.save(ctx, a, v.Buttons, rev, "menu.restored", map[string]any{"n": n})
}

// Read makes the menu that the platform shows the draft: one that was made before
// Koipond, or in the platform's own console.
func (s *Service) Read(ctx context.Context, account string, rev int64) (Menu, error) {
	a, err := s.account(ctx, account)
	if err != nil {
		return Menu{}, err
	}
	list, err := s.Platform.Read(ctx, account)
	if err != nil {
		return Menu{}, err
	}
	if err := shape(list); err != nil {
		return Menu{}, err
	}
	return s.save(ctx, a, list, rev, "menu.read", nil)
}

package livecode

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Folder holds codes.
type Folder struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Codes int    `json:"codes" doc:"Active ones that the caller may see"`
}

// Folders lists them by name.
func (s *Service) Folders(ctx context.Context) ([]Folder, error) {
	rows, err := s.DB.Query(ctx, "select id, name from livecode_folders order by name, id")
	list, err := db.Collect(rows, err, func(r *sql.Rows) (f Folder, err error) { return f, r.Scan(&f.ID, &f.Name) })
	if err != nil {
		return nil, fmt.Errorf("read folders: %w", err)
	}
	codes := map[string]int{}
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	for _, c := range s.book.all() {
		if c.State != Active || c.Folder == "" {
			continue
		}
		ok, err := s.sees(ctx, c)
		if err != nil {
			return nil, err
		}
		if ok {
			codes[c.Folder]++
		}
	}
	for i := range list {
		list[i].Codes = codes[list[i].ID]
	}
	return list, nil
}

// SaveFolder makes a folder, or names one (id) anew.
func (s *Service) SaveFolder(ctx context.Context, id, name string) (Folder, error) {
	name = veil.Text(strings.Join(strings.Fields(name), " "))
	switch {
	case name == "":
		return Folder{}, bad("name", "request.field_required")
	case utf8.RuneCountInString(name) > maxName:
		return Folder{}, bad("name", "request.too_long", "limit", maxName)
	}
	made := id == ""
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		var n, same int
		if err := s.DB.QueryRow(ctx, "select count(*), coalesce(sum(case when lower(name) = lower($1) and id <> $2 then 1 else 0 end), 0) from livecode_folders", name, id).Scan(&n, &same); err != nil {
			return fmt.Errorf("count folders: %w", err)
		}
		switch {
		case same > 0:
			return bad("name", "livecode.folder_exists")
		case made && n >= maxFolders:
			return errs.New(errs.Conflict, "livecode.too_many_folders", "limit", maxFolders)
		case made:
			id = s.IDs.New("lf")
			if _, err := s.DB.Exec(ctx, "insert into livecode_folders (id, name, at) values ($1, $2, $3)", id, name, clock.Ms(s.Clock.Now())); err != nil {
				return fmt.Errorf("make folder: %w", err)
			}
		default:
			n, err := s.DB.ExecN(ctx, "update livecode_folders set name = $2 where id = $1", id, name)
			if err != nil {
				return fmt.Errorf("name folder: %w", err)
			}
			if n == 0 {
				return errs.New(errs.NotFound, "livecode.no_such_folder")
			}
		}
		return s.Audit.Record(ctx, map[bool]string{true: "livecode.folder_created", false: "livecode.folder_renamed"}[made], audit.Object{Type: "livecode_folder", ID: id, Name: name}, nil)
	})
	return Folder{ID: id, Name: name}, err
}

// DeleteFolder removes a folder; what is in it is in none from then on.
func (s *Service) DeleteFolder(ctx context.Context, id string) error {
	if err := s.fresh(ctx); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.DB.ExecN(ctx, "delete from livecode_folders where id = $1", id)
		if err != nil {
			return fmt.Errorf("delete folder: %w", err)
		}
		if n == 0 {
			return errs.New(errs.NotFound, "livecode.no_such_folder")
		}
		for _, c := range s.book.all() {
			if c.Folder != id {
				continue
			}
			d := c.Definition
			d.Folder = ""
			sealed, err := s.sealDef(&d)
			if err != nil {
				return err
			}
			rev, err := s.nextRev(ctx)
			if err != nil {
				return err
			}
			if _, err := s.DB.Exec(ctx, "update livecodes set rev = $2, def = $3 where id = $1", c.ID, rev, sealed); err != nil {
				return fmt.Errorf("take code out of folder: %w", err)
			}
		}
		s.refresh(ctx)
		return s.Audit.Record(ctx, "livecode.folder_deleted", audit.Object{Type: "livecode_folder", ID: id}, nil)
	})
}

// General is what friends of an account get who came without a code.
func (s *Service) General(ctx context.Context, account string) (Welcome, error) {
	if err := s.fresh(ctx); err != nil {
		return Welcome{}, err
	}
	return s.book.greeting(account), nil
}

// SetGeneral keeps it; an empty one sends nothing.
func (s *Service) SetGeneral(ctx context.Context, account string, w Welcome) (Welcome, error) {
	accounts, err := s.Accounts.Accounts(ctx)
	if err != nil {
		return w, err
	}
	name := ""
	for _, a := range accounts {
		if a.ID == account {
			name = a.Name
		}
	}
	if name == "" {
		return w, errs.New(errs.NotFound, "livecode.no_such_account")
	}
	if err := s.checkWelcome(ctx, "", &w, maxParts, 0); err != nil {
		return w, err
	}
	raw, err := json.Marshal(w)
	if err != nil {
		return w, fmt.Errorf("encode welcome: %w", err)
	}
	sealed, err := s.Keys.Seal(generalField, string(raw))
	if err != nil {
		return w, fmt.Errorf("seal welcome: %w", err)
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		rev, err := s.nextRev(ctx)
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, `insert into livecode_general (account, def, rev, by_name, changed_at) values ($1, $2, $3, $4, $5)
			on conflict (account) do update set def = excluded.def, rev = excluded.rev, by_name = excluded.by_name, changed_at = excluded.changed_at`,
			account, sealed, rev, principal(ctx).Name, clock.Ms(s.Clock.Now())); err != nil {
			return fmt.Errorf("keep general welcome: %w", err)
		}
		s.refresh(ctx)
		return s.Audit.Record(ctx, "livecode.general_changed", audit.Object{Type: "account", ID: account, Name: name}, nil)
	})
	return w, err
}

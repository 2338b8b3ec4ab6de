package connector

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

var (
	errNone      = errs.New(errs.NotFound, "connector.not_found")
	errPaused    = errs.New(errs.Conflict, "connector.paused")
	errNoKind    = errs.New(errs.NotFound, "connector.no_such_kind")
	errNameTaken = errs.New(errs.Invalid, "request.invalid").On(errs.At("name", "connector.name_taken"))
)

// account is an account with what is not for everybody.
type account struct {
	Account
	secrets   Secrets
	fault     string
	faultAt   int64
	findings  []Finding
	checkedAt int64
}

const accountColumns = "id, kind, name, state, settings, secrets_enc, generation, fault, fault_at, findings, checked_at, created_at, changed_at"

func (s *Service) scan(r *sql.Rows) (a account, err error) {
	var settings, secrets, findings string
	var created, changed int64
	if err := r.Scan(&a.ID, &a.Kind, &a.Name, &a.State, &settings, &secrets, &a.generation, &a.fault, &a.faultAt, &findings, &a.checkedAt, &created, &changed); err != nil {
		return a, err
	}
	a.CreatedAt, a.ChangedAt = clock.FromMs(created), clock.FromMs(changed)
	plain, err := s.Keys.Open(secretsField, secrets)
	if err != nil {
		return a, fmt.Errorf("open credentials: %w", err)
	}
	var sec map[string]string
	if err := errors.Join(json.Unmarshal([]byte(settings), &a.Settings), json.Unmarshal([]byte(plain), &sec), json.Unmarshal([]byte(findings), &a.findings)); err != nil {
		return a, fmt.Errorf("decode account: %w", err)
	}
	a.secrets = sec
	return a, nil
}

func (s *Service) accounts(ctx context.Context, where string, args ...any) ([]account, error) {
	rows, err := s.DB.Query(ctx, "select "+accountColumns+" from connector_accounts "+where+" order by kind, name, id", args...)
	list, err := db.Collect(rows, err, s.scan)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	return list, nil
}

func (s *Service) account(ctx context.Context, id string) (account, error) {
	list, err := s.accounts(ctx, "where id = $1", id)
	if err != nil {
		return account{}, err
	}
	if len(list) == 0 {
		return account{}, errNone
	}
	return list[0], nil
}

// Account gives an account by its id.
func (s *Service) Account(ctx context.Context, id string) (Account, error) {
	a, err := s.account(ctx, id)
	return a.Account, err
}

// Accounts gives the accounts of a kind, of all kinds with "", paused ones too.
func (s *Service) Accounts(ctx context.Context, kind string) ([]Account, error) {
	list, err := s.accounts(ctx, "where kind = $1 or $1 = ''", kind)
	out := make([]Account, len(list))
	for i, a := range list {
		out[i] = a.Account
	}
	return out, err
}

// maxAccounts bounds how many there are: far more than a company has.
const maxAccounts = 200

// Create makes an account.
func (s *Service) Create(ctx context.Context, in Input) (View, error) {
	k, err := s.check(&in, nil)
	if err != nil {
		return View{}, err
	}
	who, now := auth.From(ctx), clock.Ms(s.Clock.Now())
	if who == nil {
		who = auth.System("connector")
	}
	settings, secrets, err := s.encode(in)
	if err != nil {
		return View{}, err
	}
	id := s.IDs.New("ac")
	if err := s.try(k, Account{ID: id, Kind: k.Name, Name: in.Name, State: Active, Settings: in.Settings}, in.Secrets); err != nil {
		return View{}, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		var n int64
		if err := s.DB.QueryRow(ctx, "select count(*) from connector_accounts").Scan(&n); err != nil {
			return fmt.Errorf("count accounts: %w", err)
		}
		if n >= maxAccounts {
			return errs.New(errs.Conflict, "connector.too_many", "limit", maxAccounts)
		}
		if n, err = s.DB.ExecN(ctx, `insert into connector_accounts (id, kind, name, state, settings, secrets_enc, generation, fault, fault_at, findings, checked_at, by_id, by_name, created_at, changed_at)
			values ($1, $2, $3, $4, $5, $6, 1, '', 0, '[]', 0, $7, $8, $9, $9) on conflict do nothing`, id, k.Name, in.Name, Active, settings, secrets, who.ID, who.Name, now); err != nil {
			return fmt.Errorf("make account: %w", err)
		}
		if n == 0 {
			return errNameTaken
		}
		s.tellAccount(ctx)
		return s.record(ctx, "connector.created", Account{ID: id, Kind: k.Name, Name: in.Name}, map[string]any{"settings": names(in.Settings), "base": in.Settings[SettingBase], "secrets": names(in.Secrets)})
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, id)
}

// Change changes an account's name, settings and secrets. Secrets that the input
// does not name stay; one that is empty is taken away.
func (s *Service) Change(ctx context.Context, id string, in Input) (View, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		was, err := s.lock(ctx, id)
		if err != nil {
			return err
		}
		in.Kind = was.Kind
		given := names(in.Secrets)
		k, err := s.check(&in, was.secrets)
		if err != nil {
			return err
		}
		changed := was.Account
		changed.Name, changed.Settings = in.Name, in.Settings
		if err := s.try(k, changed, in.Secrets); err != nil {
			return err
		}
		settings, secrets, err := s.encode(in)
		if err != nil {
			return err
		}
		var taken int64
		if err := s.DB.QueryRow(ctx, "select count(*) from connector_accounts where kind = $1 and name = $2 and id <> $3", was.Kind, in.Name, id).Scan(&taken); err != nil {
			return fmt.Errorf("look for the name: %w", err)
		}
		if taken > 0 {
			return errNameTaken
		}
		// What was fetched with the old credentials goes, and what was said of them.
		if _, err := s.DB.Exec(ctx, "update connector_accounts set name = $2, settings = $3, secrets_enc = $4, generation = generation + 1, fault = '', fault_at = 0, changed_at = $5 where id = $1",
			id, in.Name, settings, secrets, clock.Ms(s.Clock.Now())); err != nil {
			return fmt.Errorf("change account: %w", err)
		}
		if _, err := s.DB.Exec(ctx, "delete from connector_tokens where account = $1", id); err != nil {
			return fmt.Errorf("drop tokens: %w", err)
		}
		detail := map[string]any{"name": in.Name, "settings": differing(was.Settings, in.Settings), "secrets": given}
		if in.Settings[SettingBase] != was.Settings[SettingBase] {
			detail["base"] = in.Settings[SettingBase]
		}
		s.tellAccount(ctx)
		return s.record(ctx, "connector.changed", was.Account, detail)
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, id)
}

// try opens an account that is not kept yet: what its kind finds wrong with it is
// told before anything is kept.
func (s *Service) try(k Kind, a Account, secrets Secrets) error {
	_, err := k.Open(a, secrets, s.env(a, k))
	return err
}

// differing names what is not the same in two sets of settings.
func differing(was, is map[string]string) []string {
	var out []string
	for name := range is {
		if was[name] != is[name] {
			out = append(out, name)
		}
	}
	for name := range was {
		if _, ok := is[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// lock reads an account for a change, so that two changes follow one another.
func (s *Service) lock(ctx context.Context, id string) (account, error) {
	if _, err := s.DB.Exec(ctx, "update connector_accounts set changed_at = changed_at where id = $1", id); err != nil {
		return account{}, fmt.Errorf("hold account: %w", err)
	}
	return s.account(ctx, id)
}

// SetState pauses an account, or lets it go on.
func (s *Service) SetState(ctx context.Context, id, state string) (View, error) {
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		was, err := s.lock(ctx, id)
		if err != nil || was.State == state {
			return err
		}
		if _, err := s.DB.Exec(ctx, "update connector_accounts set state = $2, changed_at = $3 where id = $1", id, state, clock.Ms(s.Clock.Now())); err != nil {
			return fmt.Errorf("change account: %w", err)
		}
		from, to := Held, Waiting
		if state == Paused {
			from, to = Waiting, Held
		}
		if _, err := s.DB.Exec(ctx, "update connector_inbox set state = $3 where account = $1 and state = $2", id, from, to); err != nil {
			return fmt.Errorf("hold callbacks: %w", err)
		}
		s.DB.After(ctx, s.inbox.nudge)
		if state == Paused {
			return s.record(ctx, "connector.paused", was.Account, nil)
		}
		s.tellAccount(ctx)
		return s.record(ctx, "connector.resumed", was.Account, nil)
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, id)
}

// Delete forgets an account with all that hangs on it: tokens, counts, callbacks.
func (s *Service) Delete(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		was, err := s.lock(ctx, id)
		if err != nil {
			return err
		}
		for _, table := range []string{"connector_tokens", "connector_quotas", "connector_halts", "connector_inbox", "connector_calls", "connector_sends", "connector_dropped"} {
			if _, err := s.DB.Exec(ctx, "delete from "+table+" where account = $1", id); err != nil {
				return fmt.Errorf("empty %s: %w", table, err)
			}
		}
		for _, d := range s.dependents {
			if err := d.Drop(ctx, id); err != nil {
				return fmt.Errorf("delete what hangs on an account: %w", err)
			}
		}
		if _, err := s.DB.Exec(ctx, "delete from connector_accounts where id = $1", id); err != nil {
			return fmt.Errorf("delete account: %w", err)
		}
		s.DB.After(ctx, func() { s.forget(id) })
		return s.record(ctx, "connector.deleted", was.Account, nil)
	})
}

// forget drops what is kept of an account in memory.
func (s *Service) forget(id string) {
	s.conns.mu.Lock()
	delete(s.conns.open, id)
	s.conns.mu.Unlock()
	s.tokens.forget(id)
	s.quotas.forget(id)
}

func (s *Service) encode(in Input) (settings, secrets string, err error) {
	raw, _ := json.Marshal(in.Settings) // texts always encode
	plain, _ := json.Marshal(in.Secrets)
	secrets, err = s.Keys.Seal(secretsField, string(plain))
	if err != nil {
		return "", "", fmt.Errorf("seal credentials: %w", err)
	}
	return string(raw), secrets, nil
}

func (s *Service) record(ctx context.Context, action string, a Account, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	if detail == nil {
		detail = map[string]any{}
	}
	detail["kind"] = a.Kind
	return s.Audit.Record(ctx, action, audit.Object{Type: "connector", ID: a.ID, Name: a.Name}, detail)
}

// refused keeps what the platform said against the account. It is no part of any
// transaction: the call it belongs to is over.
func (s *Service) refused(ctx context.Context, a Account, cause error) {
	e := errs.As(cause)
	why := encodeFault(fault{e.Code, e.Params})
	s.Log.WarnContext(ctx, "a platform refuses an account", "account", a.ID, "kind", a.Kind, "error", cause)
	_, err := s.DB.Exec(context.WithoutCancel(ctx), "update connector_accounts set fault = $3, fault_at = $4 where id = $1 and generation = $2",
		a.ID, a.generation, why, clock.Ms(s.Clock.Now()))
	if err != nil {
		s.Log.ErrorContext(ctx, "what a platform refused could not be kept", "account", a.ID, "error", err)
	}
}

// since is how long ago a time in the records was.
func (s *Service) since(ms int64) time.Duration { return s.Clock.Now().Sub(clock.FromMs(ms)) }

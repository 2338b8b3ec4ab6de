package connector

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// View is an account as the console shows it.
type View struct {
	Account
	Secrets      []string   `json:"secrets" doc:"Names of the secrets that are set; what they are is never told"`
	CallbackPath string     `json:"callbackPath,omitempty" doc:"Where the platform calls, below the program's address"`
	CallbackURL  string     `json:"callbackUrl,omitempty" doc:"The same in full; left out when the program does not know its address (setting url)"`
	Health       string     `json:"health" enum:"ok,unknown,warn,fail" doc:"The worst of the findings"`
	Findings     []Found    `json:"findings" doc:"What the last check found, and what is known without one"`
	CheckedAt    *time.Time `json:"checkedAt,omitempty"`
	Calls        []Calls    `json:"calls" doc:"How the platform's calls went, the newest first"`
	Inbox        Counts     `json:"inbox"`
	Quotas       []QuotaUse `json:"quotas,omitempty" doc:"Of one account alone, not in lists"`
}

// Found is a finding in words.
type Found struct {
	Finding
	Title string `json:"title" doc:"What was looked at, in words"`
	Words string `json:"message" doc:"What was found, in words"`
	How   string `json:"how,omitempty" doc:"How to mend it, in words"`
}

// Counts says what lies in an account's inbox.
type Counts struct {
	Waiting int64 `json:"waiting"`
	Held    int64 `json:"held" doc:"Until the account goes on"`
	Dead    int64 `json:"dead"`
	Dropped int64 `json:"dropped,omitempty" doc:"Let go while the account was paused: too many, or too old"`

	droppedAt time.Time
}

// ofAccount are quotas that the account has as a whole.
const ofAccount = "account"

// QuotaUse is a quota and what is left of it now.
type QuotaUse struct {
	Quota
	Words   string     `json:"words,omitempty" doc:"What it is for"`
	Limit   int64      `json:"limit" doc:"What holds for this account: the platform's, or what its settings say"`
	Used    int64      `json:"used" doc:"Of the whole account, or by whoever used most"`
	Full    int64      `json:"full" doc:"How many customers, members or the like have used theirs up"`
	ResetAt time.Time  `json:"resetAt" doc:"When the running stretch ends"`
	Halted  *time.Time `json:"haltedUntil,omitempty" doc:"Until when the platform itself said it is used up"`
}

// List gives all accounts.
func (s *Service) List(ctx context.Context) ([]View, error) { return s.views(ctx, "") }

// Get gives one account with its quotas.
func (s *Service) Get(ctx context.Context, id string) (View, error) {
	list, err := s.views(ctx, "where id = $1", id)
	if err != nil {
		return View{}, err
	}
	if len(list) == 0 {
		return View{}, errNone
	}
	return list[0], nil
}

func (s *Service) views(ctx context.Context, where string, args ...any) ([]View, error) {
	list, err := s.accounts(ctx, where, args...)
	if err != nil {
		return nil, err
	}
	calls, err := s.callsOf(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := s.counts(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]View, len(list))
	for i, a := range list {
		k := s.kinds[a.Kind]
		quotas, err := s.uses(ctx, a.Account, k, where != "")
		if err != nil {
			return nil, err
		}
		v := View{Account: a.Account, Secrets: names(a.secrets), Calls: calls[a.ID], Inbox: counts[a.ID]}
		if v.Calls == nil {
			v.Calls = []Calls{}
		}
		if k.Callback {
			v.CallbackPath, v.CallbackURL = HookPath(a.Kind, a.ID), s.callback(a.Account)
		}
		if a.checkedAt > 0 {
			t := clock.FromMs(a.checkedAt)
			v.CheckedAt = &t
		}
		own := s.own(a, k, v.Calls, v.Inbox, quotas)
		v.Health = Worst(slices.Concat(own, a.findings))
		if a.checkedAt == 0 && v.Health == OK {
			v.Health = Unknown
		}
		v.Findings = []Found{}
		for _, f := range slices.Concat(a.findings, own) {
			v.Findings = append(v.Findings, Found{Finding: f})
		}
		if where != "" {
			v.Quotas = quotas
		}
		out[i] = v
	}
	return out, nil
}

// counts counts what is still to be done in the inbox, by account. What is done is
// not counted: it may be millions.
func (s *Service) counts(ctx context.Context) (map[string]Counts, error) {
	out := map[string]Counts{}
	rows, err := s.DB.Query(ctx, "select account, state, count(*) from connector_inbox where state in ('waiting', 'held', 'dead') group by account, state")
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var id, state string
		var n int64
		err = r.Scan(&id, &state, &n)
		c := out[id]
		if p := map[string]*int64{Waiting: &c.Waiting, Held: &c.Held, Dead: &c.Dead}[state]; p != nil {
			*p = n
		}
		out[id] = c
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("count callbacks: %w", err)
	}
	return out, s.dropped(ctx, out)
}

// uses tells what was taken of the account's quotas in the stretches that run now;
// without each, only of those that it has as a whole.
func (s *Service) uses(ctx context.Context, a Account, k Kind, each bool) ([]QuotaUse, error) {
	now := s.Clock.Now()
	type key struct{ name, per string }
	type use struct{ most, full int64 }
	used := map[key]use{}
	limits := map[key]int64{}
	for _, q := range k.Quotas {
		limits[key{q.Name, q.Per}] = q.limit(a)
	}
	rows, err := s.DB.Query(ctx, "select name, per, sum(used) from connector_quotas where account = $1 and gone > $2 and (subject = '' or $3 = 1) group by name, per, subject", a.ID, clock.Ms(now), flag(each))
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var k key
		var n int64
		err = r.Scan(&k.name, &k.per, &n)
		u := used[k]
		u.most = max(u.most, n)
		if n >= limits[k] {
			u.full++
		}
		used[k] = u
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("count quotas: %w", err)
	}
	halts := map[string]int64{}
	rows, err = s.DB.Query(ctx, "select name, max(until) from connector_halts where account = $1 and until > $2 group by name", a.ID, clock.Ms(now))
	_, err = db.Collect(rows, err, func(r *sql.Rows) (x struct{}, err error) {
		var name string
		var until int64
		err = r.Scan(&name, &until)
		halts[name] = until
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("read halts: %w", err)
	}
	out := make([]QuotaUse, len(k.Quotas))
	for i, q := range k.Quotas {
		u := used[key{q.Name, q.Per}]
		_, end := mustPeriod(q.Per).bucket(now)
		out[i] = QuotaUse{Quota: q, Limit: q.limit(a), Used: u.most, Full: u.full, ResetAt: end.UTC()}
		if t := halts[q.Name]; t > 0 {
			at := clock.FromMs(t)
			out[i].Halted = &at
		}
	}
	return out, nil
}

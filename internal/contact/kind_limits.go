package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Bounds of limits. A person has several devices whatever anybody says: fewer
// than leastDevices would keep people from being recognised at all.
const (
	mostOfKind   = 1000
	leastDevices = 10
)

// KindRule is what holds of one kind of identity.
type KindRule struct {
	Kind     string `json:"kind"`
	Custom   bool   `json:"custom" doc:"A kind of the company's own, unknown to the program"`
	Priority int    `json:"priority" doc:"Whose fact is it when identifiers disagree: the highest"`
	Weak     bool   `json:"weak" doc:"A device: makes a visitor, no person"`
	Personal bool   `json:"personal" doc:"Sealed at rest and masked"`
	Form     string `json:"form" enum:"phone,email,upper,text" doc:"How values are brought into one form"`
	Limit    int    `json:"limit" doc:"How many one contact may carry; 0: any number"`
	Default  int    `json:"default" doc:"The limit when the company says nothing"`
	Changed  bool   `json:"changed"`
	By       string `json:"by,omitempty" doc:"Who changed it last"`
}

// formOf names how values of a kind are normalised, see normalize.
func formOf(kind string) string {
	switch kind {
	case KindPhone, KindEmail:
		return kind
	case KindIDNumber:
		return "upper"
	}
	return "text"
}

// KindRules tells what holds of each kind of identity, strongest first: those
// that the program knows, and those of the company's own that somebody carries.
func (s *Service) KindRules(ctx context.Context) ([]KindRule, error) {
	by := map[string]string{}
	own := map[string]int{}
	rows, err := s.DB.Query(ctx, "select kind, most, by_name from identity_rules")
	err = scanAll(rows, err, "read identity rules", func(r *sql.Rows) error {
		var kind, name string
		var most int
		err := r.Scan(&kind, &most, &name)
		own[kind], by[kind] = most, name
		return err
	})
	if err != nil {
		return nil, err
	}
	there, err := s.kinds(ctx)
	if err != nil {
		return nil, err
	}
	kinds := slices.Concat(sortedKeys(known), sortedKeys(own), there)
	slices.Sort(kinds)
	kinds = slices.Compact(kinds)
	out := make([]KindRule, 0, len(kinds))
	for _, kind := range kinds {
		t := traitOf(kind)
		_, program := known[kind]
		k := KindRule{Kind: kind, Custom: !program, Priority: t.priority, Weak: t.weak, Personal: t.personal, Form: formOf(kind), Limit: t.most, Default: t.most, By: by[kind]}
		if most, ok := own[kind]; ok {
			k.Limit, k.Changed = most, most != t.most
		}
		out = append(out, k)
	}
	slices.SortStableFunc(out, func(a, b KindRule) int { return b.Priority - a.Priority })
	return out, nil
}

// SetKindLimit says how many identities of a kind one contact may carry. It
// holds for facts from now on and takes nothing away from anybody; beyond counts
// the contacts that carry more.
func (s *Service) SetKindLimit(ctx context.Context, kind string, most int) (rule KindRule, beyond int64, err error) {
	canon, prefix := canonicalKind(kind)
	if canon == "" || prefix != "" || canon != kind {
		return KindRule{}, 0, errs.New(errs.NotFound, "identity.no_such_kind", "kind", kind)
	}
	least := 1
	if traitOf(kind).weak {
		least = leastDevices
	}
	if most != 0 && (most < least || most > mostOfKind) {
		return KindRule{}, 0, errs.New(errs.Invalid, "request.invalid").On(errs.At("limit", "identity.bad_limit", "least", least, "most", mostOfKind))
	}
	err = s.changeRules(ctx, func(ctx context.Context, now time.Time) error {
		old, err := s.engine.readRules(ctx)
		if err != nil {
			return err
		}
		by := principal(ctx)
		_, err = s.DB.Exec(ctx, `insert into identity_rules (kind, most, updated_at, by_id, by_name) values ($1, $2, $3, $4, $5)
			on conflict (kind) do update set most = excluded.most, updated_at = excluded.updated_at, by_id = excluded.by_id, by_name = excluded.by_name`,
			kind, most, now.UnixMilli(), by.ID, by.Name)
		if err != nil {
			return fmt.Errorf("write limit: %w", err)
		}
		return s.recordRule(ctx, "identity.limit_changed", kind, kind, map[string]any{"from": old.most[kind], "to": most})
	})
	if err != nil {
		return KindRule{}, 0, fmt.Errorf("set limit of %s: %w", kind, err)
	}
	all, err := s.KindRules(ctx)
	if err != nil {
		return KindRule{}, 0, err
	}
	rule = all[slices.IndexFunc(all, func(k KindRule) bool { return k.Kind == kind })]
	if most == 0 {
		return rule, 0, nil
	}
	err = s.DB.QueryRow(ctx, "select count(*) from (select contact from identities where kind = $1 group by contact having count(*) > $2) as beyond", kind, most).Scan(&beyond)
	if err != nil {
		return rule, 0, fmt.Errorf("count who carries more: %w", err)
	}
	return rule, beyond, nil
}

// changeRules runs fn while nobody resolves, and lets every process read the rules anew.
func (s *Service) changeRules(ctx context.Context, fn func(ctx context.Context, now time.Time) error) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		if err := fn(ctx, s.Clock.Now()); err != nil {
			return err
		}
		return s.engine.rulesMoved(ctx)
	})
}

func (s *Service) recordRule(ctx context.Context, action, id, name string, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	if err := s.Audit.Record(ctx, action, audit.Object{Type: "identity_rule", ID: id, Name: name}, detail); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}

// KindUsage is how many identities of a kind there are, and how many contacts
// carry how many of them.
type KindUsage struct {
	Kind       string      `json:"kind"`
	Identities int64       `json:"identities"`
	Contacts   int64       `json:"contacts"`
	Spread     []KindCount `json:"spread" doc:"By number carried, ascending: shows whom a limit concerns"`
}

// KindCount is the number of contacts that carry so many identities of a kind.
type KindCount struct {
	Carry    int64 `json:"carry"`
	Contacts int64 `json:"contacts"`
}

// usageFor is how long a count of all identities is good enough: it walks all of them.
const usageFor = 10 * time.Minute

// kindUsage remembers the last count.
type kindUsage struct {
	mu   sync.Mutex
	at   time.Time
	list []KindUsage
}

// KindUsages counts identities by kind; at tells when they were counted.
func (s *Service) KindUsages(ctx context.Context) (list []KindUsage, at time.Time, err error) {
	s.usage.mu.Lock()
	defer s.usage.mu.Unlock()
	if now := s.Clock.Now(); s.usage.list == nil || now.Sub(s.usage.at) > usageFor {
		if s.usage.list, err = s.countKinds(ctx); err != nil {
			return nil, time.Time{}, err
		}
		s.usage.at = now
	}
	return s.usage.list, s.usage.at, nil
}

func (s *Service) countKinds(ctx context.Context) ([]KindUsage, error) {
	out := []KindUsage{}
	query := `select kind, n, count(*) from (select kind, contact, count(*) as n from identities` + s.DB.Pick(" indexed by identities_by_contact", "") +
		` group by contact, kind) as carried group by kind, n order by kind, n`
	rows, err := s.DB.Query(ctx, query)
	err = scanAll(rows, err, "count identities", func(r *sql.Rows) error {
		var kind string
		var c KindCount
		if err := r.Scan(&kind, &c.Carry, &c.Contacts); err != nil {
			return err
		}
		if len(out) == 0 || out[len(out)-1].Kind != kind {
			out = append(out, KindUsage{Kind: kind})
		}
		u := &out[len(out)-1]
		u.Identities += c.Carry * c.Contacts
		u.Contacts += c.Contacts
		u.Spread = append(u.Spread, c)
		return nil
	})
	return out, err
}

package contact

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/auth"
	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// AttributeView is a defined attribute as the console lists it.
type AttributeView struct {
	attribute.Definition
	Archived   bool      `json:"archived"`
	Settling   bool      `json:"settling" doc:"A change is still being written into the contacts"`
	People     int64     `json:"people" doc:"Who has it, when everybody was last looked at"`
	Unfit      int64     `json:"unfit" doc:"Values from before the definition that it does not take"`
	Violations int64     `json:"violations" doc:"Values that events and imports sent and that were not taken"`
	CreatedAt  time.Time `json:"createdAt"`
	UpdatedAt  time.Time `json:"updatedAt"`
}

// Discovered is an attribute that arrived and that nobody defined.
type Discovered struct {
	Key     string         `json:"key"`
	Guess   attribute.Type `json:"guess" enum:"text,number,money,date,flag,enum,multi,phone,email,region" doc:"The type that its values seem to be of"`
	People  int64          `json:"people"`
	Samples []string       `json:"samples" doc:"Personal values are veiled"`
	Sealed  bool           `json:"sealed,omitempty" doc:"Personal by its name: kept sealed"`
}

// AttributeList is all that is known of attributes. SurveyedAt is when everybody
// was last looked at; nil is never.
type AttributeList struct {
	Items      []AttributeView `json:"items"`
	BuiltIns   []BuiltIn       `json:"builtIns" doc:"What every contact has a place for; they cannot be changed"`
	Discovered []Discovered    `json:"discovered"`
	People     int64           `json:"people" doc:"Of how many fill rates speak"`
	SurveyedAt *time.Time      `json:"surveyedAt,omitempty"`
}

// Attributes lists defined and discovered attributes.
func (s *Service) Attributes(ctx context.Context) (AttributeList, error) {
	out := AttributeList{Items: []AttributeView{}, BuiltIns: builtIns(), Discovered: []Discovered{}}
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return out, err
	}
	rules, err := s.engine.rules(ctx)
	if err != nil {
		return out, err
	}
	for i, b := range out.BuiltIns {
		if b.Identity {
			out.BuiltIns[i].Limit = rules.most[b.kind]
		}
	}
	views := map[string]*AttributeView{}
	for key, d := range defs.byKey {
		views[key] = &AttributeView{Definition: d.Definition, Archived: d.archived, Settling: d.settling,
			CreatedAt: clock.FromMs(d.created), UpdatedAt: clock.FromMs(d.updated)}
	}
	rows, err := s.DB.Query(ctx, "select attr, sum(count) from contact_attribute_violations group by attr")
	err = scanAll(rows, err, "count violations", func(r *sql.Rows) error {
		var key string
		var n int64
		err := r.Scan(&key, &n)
		if v := views[key]; v != nil {
			v.Violations = n
		}
		return err
	})
	if err != nil {
		return out, err
	}
	rows, err = s.DB.Query(ctx, "select key, people, unfit, guess, samples, at from contact_attribute_survey order by people desc, key")
	err = scanAll(rows, err, "read survey", func(r *sql.Rows) error {
		d := Discovered{Samples: []string{}}
		var unfit, at int64
		var samples string
		if err := r.Scan(&d.Key, &d.People, &unfit, &d.Guess, &samples, &at); err != nil {
			return err
		}
		if d.Key == "" {
			out.People, out.SurveyedAt = d.People, timeOrNil(at)
			return nil
		}
		if v := views[d.Key]; v != nil {
			v.People, v.Unfit = d.People, unfit
			return nil
		}
		if i := slices.IndexFunc(out.BuiltIns, func(b BuiltIn) bool { return b.Key == d.Key }); i >= 0 {
			out.BuiltIns[i].People = d.People
			return nil
		}
		d.Sealed = sealedAttributes[d.Key]
		if err := json.Unmarshal([]byte(samples), &d.Samples); err != nil {
			return fmt.Errorf("decode samples: %w", err)
		}
		if d.Guess == "" {
			d.Guess = attribute.Text
		}
		out.Discovered = append(out.Discovered, d)
		return nil
	})
	if err != nil {
		return out, err
	}
	for _, v := range views {
		out.Items = append(out.Items, *v)
	}
	slices.SortFunc(out.Items, func(a, b AttributeView) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Key, b.Key))
	})
	return out, nil
}

// GetAttribute gives one defined attribute.
func (s *Service) GetAttribute(ctx context.Context, key string) (AttributeView, error) {
	all, err := s.Attributes(ctx)
	if err != nil {
		return AttributeView{}, err
	}
	for _, v := range all.Items {
		if v.Key == key {
			return v, nil
		}
	}
	return AttributeView{}, noAttribute(key)
}

// Violation counts values of one source that were not taken for one reason.
type Violation struct {
	Reason  string    `json:"reason" doc:"Message code"`
	Detail  string    `json:"detail" doc:"The reason in the language of the request"`
	Source  string    `json:"source"`
	Count   int64     `json:"count"`
	FirstAt time.Time `json:"firstAt"`
	LastAt  time.Time `json:"lastAt"`
	Samples []string  `json:"samples" doc:"The newest; personal values are veiled"`
}

// Violations lists what was not taken for an attribute, the most frequent first.
// Samples are what anybody's customers told: callers who see only some get none.
func (s *Service) Violations(ctx context.Context, key string) ([]Violation, error) {
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return nil, err
	}
	def := defs.get(key)
	if def == nil {
		return nil, noAttribute(key)
	}
	rows, err := s.DB.Query(ctx, "select reason, source, count, first_at, last_at, samples from contact_attribute_violations where attr = $1 order by count desc, reason, source limit 100", key)
	out, err := db.Collect(rows, err, func(r *sql.Rows) (v Violation, err error) {
		var first, last int64
		var samples string
		if err := r.Scan(&v.Reason, &v.Source, &v.Count, &first, &last, &samples); err != nil {
			return v, err
		}
		v.Detail = httpx.Say(ctx, v.Reason, def.Params(v.Reason == "attribute.too_long" || v.Reason == "attribute.too_short"))
		v.FirstAt, v.LastAt = clock.FromMs(first), clock.FromMs(last)
		if v.Samples = []string{}; !auth.ScopeOf(ctx).All {
			return v, nil
		}
		return v, json.Unmarshal([]byte(samples), &v.Samples)
	})
	if err != nil {
		return nil, fmt.Errorf("read violations: %w", err)
	}
	return out, nil
}

// ClearViolations forgets what was counted, once it is dealt with.
func (s *Service) ClearViolations(ctx context.Context, key string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		d, err := s.GetAttribute(ctx, key)
		if err != nil {
			return err
		}
		if _, err := s.DB.Exec(ctx, "delete from contact_attribute_violations where attr = $1", key); err != nil {
			return fmt.Errorf("clear violations: %w", err)
		}
		return s.recordAttribute(ctx, "attribute.violations_cleared", &attribute.Attribute{Definition: d.Definition}, map[string]any{"count": d.Violations})
	})
}

// AttributeChange is one change in a contact's history.
type AttributeChange struct {
	Old    any       `json:"old,omitempty"`
	New    any       `json:"new,omitempty"`
	Masked bool      `json:"masked,omitempty"`
	At     time.Time `json:"at" doc:"Since when it is true"`
	Kind   string    `json:"kind" enum:"fact,import,user,default"`
	By     *Ref      `json:"by,omitempty" doc:"The user, the import, or the events' source"`
}

// AttributeHistory lists what was said of an attribute of a contact, and of all
// that became part of it, newest first.
func (s *Service) AttributeHistory(ctx context.Context, id, key string) ([]AttributeChange, error) {
	num, err := s.NumOf(ctx, id)
	if err != nil {
		return nil, err
	}
	nums, err := s.Group(ctx, num)
	if err != nil {
		return nil, err
	}
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return nil, err
	}
	type entry struct {
		AttributeChange
		written, nth int64
	}
	var all []entry
	err = selectIn(ctx, s.DB, "read history", "select old, new, at, written_at, nth, source, by_id, by_name from contact_attribute_history where attr = $1 and contact in (%s)", []any{key}, nums, func(r *sql.Rows) error {
		var e entry
		var old, now string
		var at int64
		var by Ref
		if err := r.Scan(&old, &now, &at, &e.written, &e.nth, &e.Kind, &by.ID, &by.Name); err != nil {
			return err
		}
		if at == 0 { // a default
			at = e.written
		}
		e.At = clock.FromMs(at)
		if by != (Ref{}) {
			e.By = &by
		}
		for _, v := range []struct {
			kept string
			to   *any
		}{{old, &e.Old}, {now, &e.New}} {
			if v.kept == "" {
				continue
			}
			raw, masked, _, err := s.engine.shown(defs, key, json.RawMessage(v.kept))
			if err != nil {
				return err
			}
			if masked != "" {
				*v.to, e.Masked = masked, true
			} else if raw != nil {
				if err := json.Unmarshal(raw, v.to); err != nil {
					return fmt.Errorf("decode history: %w", err)
				}
			}
		}
		all = append(all, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.written, a.written), cmp.Compare(b.nth, a.nth))
	})
	out := []AttributeChange{}
	for _, e := range all {
		out = append(out, e.AttributeChange)
	}
	return out, nil
}

// AttributeKeys gives the keys of defined attributes by each of their names.
func (s *Service) AttributeKeys(ctx context.Context) (map[string]string, error) {
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for key, d := range defs.byKey {
		if d.archived {
			continue
		}
		for _, name := range []string{d.NameEn, d.NameZh, key} {
			if name != "" {
				out[name] = key
			}
		}
	}
	return out, nil
}

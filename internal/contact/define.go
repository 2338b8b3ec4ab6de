package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/audit"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// Limits of definitions: each costs a look at every record that is written.
const (
	maxDefinitions = 200
	maxIndexed     = 30
)

// AttributePatch changes a definition; what is nil stays. The key never changes,
// the type only by Retype.
type AttributePatch struct {
	NameZh      *string             `json:"nameZh,omitempty" maxLength:"60"`
	NameEn      *string             `json:"nameEn,omitempty" maxLength:"60"`
	Description *string             `json:"description,omitempty" maxLength:"500"`
	Options     *[]attribute.Option `json:"options,omitempty" maxItems:"200" doc:"All of them; one that people have is taken out by remapping it"`
	Unit        *string             `json:"unit,omitempty" maxLength:"20"`
	Decimals    *int                `json:"decimals,omitempty" minimum:"0" maximum:"4"`
	Min         *float64            `json:"min,omitempty"`
	Max         *float64            `json:"max,omitempty"`
	NoMin       bool                `json:"noMin,omitempty" doc:"Take the lower bound away"`
	NoMax       bool                `json:"noMax,omitempty" doc:"Take the upper bound away"`
	MinLength   *int                `json:"minLength,omitempty" minimum:"0" maximum:"500"`
	MaxLength   *int                `json:"maxLength,omitempty" minimum:"0" maximum:"500"`
	Pattern     *string             `json:"pattern,omitempty" maxLength:"200"`
	Required    *bool               `json:"required,omitempty"`
	Unique      *bool               `json:"unique,omitempty"`
	Personal    *attribute.Class    `json:"personal,omitempty" enum:"none,personal,sensitive"`
	Indexed     *bool               `json:"indexed,omitempty"`
	Default     json.RawMessage     `json:"default,omitempty" doc:"null takes it away"`
	Group       *string             `json:"group,omitempty" maxLength:"40"`
	Position    *int                `json:"position,omitempty"`
	Archived    *bool               `json:"archived,omitempty" doc:"false brings an archived attribute back"`
}

// invalid turns a fault of a definition into an error that names the field.
func invalid(f *attribute.Fault) error {
	return errs.New(errs.Invalid, "request.invalid").On(errs.At(f.Field, f.Code, f.Params...))
}

// changeDefinitions runs fn with the definitions as they are stored, while
// nobody else writes contacts, and lets everybody read them anew.
func (s *Service) changeDefinitions(ctx context.Context, fn func(ctx context.Context, defs *definitions) error) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := lock(ctx, s.DB); err != nil {
			return err
		}
		defs, err := s.engine.readDefinitions(ctx)
		if err != nil {
			return err
		}
		if err := fn(ctx, defs); err != nil {
			return err
		}
		return s.engine.definitionsMoved(ctx)
	})
}

func (s *Service) saveDefinition(ctx context.Context, d *definition) error {
	text, err := json.Marshal(d.Definition)
	if err != nil {
		return fmt.Errorf("encode attribute: %w", err)
	}
	now := s.Clock.Now().UnixMilli()
	archived := int64(0)
	if d.archived {
		archived = now
	}
	settling := int64(0)
	if d.settling {
		settling = 1
	}
	before := ""
	if d.settling && d.before != nil {
		raw, err := json.Marshal(d.before.Definition)
		if err != nil {
			return fmt.Errorf("encode attribute: %w", err)
		}
		before = string(raw)
	}
	_, err = s.DB.Exec(ctx, `insert into contact_attributes (key, definition, before, settling, archived_at, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)
		on conflict (key) do update set definition = excluded.definition, before = excluded.before, settling = excluded.settling, archived_at = excluded.archived_at, updated_at = excluded.updated_at`,
		d.Key, string(text), before, settling, archived, now)
	if err != nil {
		return fmt.Errorf("write attribute: %w", err)
	}
	return nil
}

// reserved are keys that mean something else.
func reserved(key string) bool {
	r := record{}
	return r.column(key) != nil || notAttributes[key] || key == "firstName" || key == "lastName"
}

// optionIDs names options that have no id yet.
func (s *Service) optionIDs(os []attribute.Option) []attribute.Option {
	os = slices.Clone(os)
	for i := range os {
		if strings.TrimSpace(os[i].ID) == "" {
			os[i].ID = s.IDs.New("op")
		}
	}
	return os
}

func roomFor(defs *definitions, d *attribute.Attribute) error {
	n := 0
	for _, o := range defs.byKey {
		if o.indexed() && o.Key != d.Key {
			n++
		}
	}
	if d.Indexed && n >= maxIndexed {
		return errs.New(errs.Conflict, "attribute.index_full", "most", maxIndexed).On(errs.At("indexed", "attribute.index_full", "most", maxIndexed))
	}
	return nil
}

// CreateAttribute defines an attribute. Values of its key that are there
// already (it was discovered) are brought into its form by a job.
func (s *Service) CreateAttribute(ctx context.Context, d attribute.Definition) (AttributeView, error) {
	d.Options = s.optionIDs(d.Options)
	a, f := attribute.Compile(d, s.engine.readers())
	if f != nil {
		return AttributeView{}, invalid(f)
	}
	if reserved(a.Key) {
		return AttributeView{}, errs.New(errs.Invalid, "request.invalid").On(errs.At("key", "attribute.reserved_key", "key", a.Key))
	}
	err := s.changeDefinitions(ctx, func(ctx context.Context, defs *definitions) error {
		if defs.get(a.Key) != nil {
			return errs.New(errs.Conflict, "attribute.exists", "key", a.Key).On(errs.At("key", "attribute.exists", "key", a.Key))
		}
		if len(defs.byKey) >= maxDefinitions {
			return errs.New(errs.Conflict, "attribute.too_many", "most", maxDefinitions)
		}
		if err := roomFor(defs, a); err != nil {
			return err
		}
		known, err := s.anyValue(ctx, a.Key)
		if err != nil {
			return err
		}
		if err := s.saveDefinition(ctx, &definition{Attribute: a, settling: known}); err != nil {
			return err
		}
		if known {
			if err := s.startRewrite(ctx, a, rewriteParams{Key: a.Key, Op: opSettle}); err != nil {
				return err
			}
		}
		return s.recordAttribute(ctx, "attribute.created", a, map[string]any{"type": a.Type, "adopted": known})
	})
	if err != nil {
		return AttributeView{}, fmt.Errorf("create attribute: %w", err)
	}
	return s.GetAttribute(ctx, a.Key)
}

// anyValue tells whether some contact has a value of a key.
func (s *Service) anyValue(ctx context.Context, key string) (bool, error) {
	var n int64
	err := s.DB.QueryRow(ctx, "select num from contacts where attributes like $1 escape '\\' limit 1", likeKey(key)).Scan(&n)
	if db.NoRows(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for values: %w", err)
	}
	return true, nil
}

// likeKey finds records that may have an attribute, by the way JSON writes it.
func likeKey(key string) string {
	quoted, _ := json.Marshal(key) // a string always encodes
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(string(quoted)+":") + "%"
}

func (s *Service) recordAttribute(ctx context.Context, action string, a *attribute.Attribute, detail map[string]any) error {
	if s.Audit == nil {
		return nil
	}
	if err := s.Audit.Record(ctx, action, audit.Object{Type: "attribute", ID: a.Key, Name: a.Name(false)}, detail); err != nil {
		return fmt.Errorf("audit %s: %w", action, err)
	}
	return nil
}

func noAttribute(key string) error {
	return errs.New(errs.NotFound, "attribute.not_found", "key", clip(key, 64))
}

// UpdateAttribute changes a definition. An option that somebody has cannot be
// left out: RemapOptions says what becomes of them.
func (s *Service) UpdateAttribute(ctx context.Context, key string, p AttributePatch) (AttributeView, error) {
	err := s.changeDefinitions(ctx, func(ctx context.Context, defs *definitions) error {
		old := defs.get(key)
		if old == nil {
			return noAttribute(key)
		}
		return s.updateAttribute(ctx, defs, old, p)
	})
	if err != nil {
		return AttributeView{}, fmt.Errorf("update attribute: %w", err)
	}
	return s.GetAttribute(ctx, key)
}

func (s *Service) updateAttribute(ctx context.Context, defs *definitions, old *definition, p AttributePatch) error {
	d := p.on(old.Definition)
	d.Options = s.optionIDs(d.Options)
	a, f := attribute.Compile(d, s.engine.readers())
	if f != nil {
		return invalid(f)
	}
	now := &definition{Attribute: a, settling: old.settling, before: old.before, archived: old.archived}
	if p.Archived != nil {
		now.archived = *p.Archived
	}
	if old.settling && (a.Personal != old.Personal || a.Unique != old.Unique || now.indexed() != old.indexed()) {
		return errs.New(errs.Conflict, "attribute.settling")
	}
	if err := roomFor(defs, a); err != nil && now.indexed() && !old.indexed() {
		return err
	}
	if err := s.optionsGone(ctx, old, now); err != nil {
		return err
	}
	changed := differences(old, now)
	if len(changed) == 0 {
		return nil
	}
	resealed := a.Personal.Sealed() != old.Personal.Sealed()
	if a.Unique && !old.Unique {
		twice, err := s.anyTwice(ctx, old)
		if err != nil {
			return err
		}
		if twice {
			return errs.New(errs.Conflict, "attribute.not_unique").On(errs.At("unique", "attribute.not_unique"))
		}
	}
	if old.indexed() && !now.indexed() {
		if _, err := s.DB.Exec(ctx, "delete from contact_attribute_values where attr = $1", a.Key); err != nil {
			return fmt.Errorf("clear attribute values: %w", err)
		}
	}
	if resealed || now.indexed() && !old.indexed() {
		known, err := s.anyValue(ctx, a.Key)
		if err != nil {
			return err
		}
		if known {
			now.settling = true
			if err := s.startRewrite(ctx, a, rewriteParams{Key: a.Key, Op: opSettle}); err != nil {
				return err
			}
		}
	}
	if err := s.saveDefinition(ctx, now); err != nil {
		return err
	}
	action := "attribute.updated"
	if now.archived && !old.archived {
		action = "attribute.archived"
	}
	return s.recordAttribute(ctx, action, a, map[string]any{"changed": changed})
}

// on gives a definition with the changes applied.
func (p *AttributePatch) on(d attribute.Definition) attribute.Definition {
	put(&d.NameZh, p.NameZh)
	put(&d.NameEn, p.NameEn)
	put(&d.Description, p.Description)
	put(&d.Options, p.Options)
	put(&d.Unit, p.Unit)
	put(&d.Decimals, p.Decimals)
	put(&d.MinLength, p.MinLength)
	put(&d.MaxLength, p.MaxLength)
	put(&d.Pattern, p.Pattern)
	put(&d.Required, p.Required)
	put(&d.Unique, p.Unique)
	put(&d.Personal, p.Personal)
	put(&d.Indexed, p.Indexed)
	put(&d.Group, p.Group)
	put(&d.Position, p.Position)
	if p.Min != nil || p.NoMin {
		d.Min = p.Min
	}
	if p.Max != nil || p.NoMax {
		d.Max = p.Max
	}
	if len(p.Default) > 0 {
		d.Default = p.Default
	}
	return d
}

func put[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// differences names the fields in which two definitions differ.
func differences(a, b *definition) []string {
	var out []string
	was, is := fieldsOf(a), fieldsOf(b)
	for k, v := range is {
		if string(was[k]) != string(v) {
			out = append(out, k)
		}
	}
	for k := range was {
		if _, ok := is[k]; !ok {
			out = append(out, k)
		}
	}
	if a.archived != b.archived {
		out = append(out, "archived")
	}
	slices.Sort(out)
	return out
}

func fieldsOf(d *definition) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	b, err := json.Marshal(d.Definition)
	if err == nil {
		_ = json.Unmarshal(b, &m) // what was just encoded decodes
	}
	return m
}

// optionsGone refuses to leave out an option that people have.
func (s *Service) optionsGone(ctx context.Context, old, now *definition) error {
	for _, o := range old.Options {
		if _, stays := now.Option(o.ID); stays {
			continue
		}
		n, err := s.having(ctx, old, o.ID)
		if err != nil {
			return err
		}
		if n {
			return errs.New(errs.Conflict, "attribute.option_used", "option", o.Label).On(errs.At("options", "attribute.option_used", "option", o.Label))
		}
	}
	return nil
}

// having tells whether somebody has an option.
func (s *Service) having(ctx context.Context, d *definition, option string) (bool, error) {
	if d.indexed() && !d.settling {
		str := option
		if d.Personal.Sealed() {
			str = s.Keys.Index(field("attribute."+d.Key), option)
		}
		var n int64
		err := s.DB.QueryRow(ctx, "select contact from contact_attribute_values where attr = $1 and str = $2 limit 1", d.Key, str).Scan(&n)
		if err != nil && !db.NoRows(err) {
			return false, fmt.Errorf("look for option: %w", err)
		}
		return err == nil, nil
	}
	found := false
	err := s.eachValue(ctx, d.Key, 0, func(_ context.Context, batch []valueOf) error {
		for _, v := range batch {
			plain, err := s.engine.openAttribute(d.Key, v.kept)
			if err != nil {
				return err
			}
			for _, k := range d.Keys(plain) {
				found = found || k.Str == option
			}
		}
		if found {
			return errEnough
		}
		return nil
	})
	return found, err
}

// anyTwice tells whether two contacts have the same value.
func (s *Service) anyTwice(ctx context.Context, d *definition) (bool, error) {
	if !d.indexed() || d.settling {
		return false, errs.New(errs.Conflict, "attribute.index_first").On(errs.At("unique", "attribute.index_first"))
	}
	var n int64
	err := s.DB.QueryRow(ctx, "select count(*) from (select str, num from contact_attribute_values where attr = $1 group by str, num having count(*) > 1 limit 1) as twice", d.Key).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for values held twice: %w", err)
	}
	return n > 0, nil
}

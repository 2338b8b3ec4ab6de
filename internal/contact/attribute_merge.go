package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/contact/attribute"
	"github.com/koipond/koipond/internal/platform/errs"
	"github.com/koipond/koipond/internal/platform/httpx"
)

// Wins says whose value a contact keeps that has both attributes of a merge.
type Wins string

// The choices: the one said last, the one of the attribute that goes, or of the one that stays.
const (
	WinsLater Wins = "later"
	WinsFrom  Wins = "from"
	WinsInto  Wins = "into"
)

// takes tells whether the value of the attribute that goes takes the place of
// what the other has, which was said at was.
func (w Wins) takes(has bool, was, said int64) bool {
	switch {
	case !has, w == WinsFrom:
		return true
	case w == WinsInto:
		return false
	}
	return was < said
}

// AttributeMerge asks for one attribute to become part of another.
type AttributeMerge struct {
	Into string `json:"into" maxLength:"64" doc:"Key of the attribute that gets the values"`
	Wins Wins   `json:"wins,omitempty" enum:"later,from,into" default:"later" doc:"Where somebody has both: the value said last, that of the attribute that goes, or that of the one that stays"`
}

// OptionChange says what becomes of an option.
type OptionChange struct {
	Option string `json:"option" maxLength:"40"`
	To     string `json:"to,omitempty" maxLength:"40" doc:"Id of the option that takes its place; empty: none"`
}

// MergeExample is what a merge does to one contact.
type MergeExample struct {
	From   string `json:"from" doc:"Value of the attribute that goes"`
	Into   string `json:"into,omitempty" doc:"Value of the one that stays"`
	Result string `json:"result,omitempty"`
	Reason string `json:"reason,omitempty" doc:"Why the value does not fit, in the language of the request"`
}

// AttributeMergePreview tells what a merge would do.
type AttributeMergePreview struct {
	Looked   int64          `json:"looked" doc:"Contacts looked at"`
	Whole    bool           `json:"whole" doc:"That is everybody; else the figures are of the first ones"`
	Have     int64          `json:"have" doc:"Have the attribute that goes"`
	Both     int64          `json:"both" doc:"Of them, have the other one too"`
	Differ   int64          `json:"differ" doc:"Of them, with another value"`
	Replaced int64          `json:"replaced" doc:"Of them, get the value of the attribute that goes"`
	Unfit    int64          `json:"unfit" doc:"Have a value that the other attribute does not take: it stays under the archived attribute"`
	Examples []MergeExample `json:"examples"`
	Uses     []Use          `json:"uses" doc:"Where the attribute that goes is used"`
}

// OptionShare is how many have an option.
type OptionShare struct {
	ID     string `json:"id"`
	Label  string `json:"label"`
	People int64  `json:"people"`
	Uses   []Use  `json:"uses" doc:"Places that ask for this option"`
}

// OptionsPreview tells who has which option, and how many values would change.
type OptionsPreview struct {
	Looked   int64         `json:"looked" doc:"Contacts looked at"`
	Whole    bool          `json:"whole" doc:"That is everybody; else the figures are of the first ones"`
	Options  []OptionShare `json:"options"`
	Changing int64         `json:"changing" doc:"Contacts whose value would change"`
	Emptied  int64         `json:"emptied" doc:"Of them, are left without a value"`
}

// previewReach is how many contact numbers a preview of a merge or of options looks at.
const previewReach = 60 * rewriteWindow

// mergeable checks that one attribute may become part of another.
func (defs *definitions) mergeable(key string, m AttributeMerge) (from, into *definition, err error) {
	from, into = defs.get(key), defs.get(m.Into)
	at := func(code string, params ...any) error {
		return errs.New(errs.Invalid, "request.invalid").On(errs.At("into", code, params...))
	}
	switch {
	case from == nil:
		err = noAttribute(key)
	case m.Into == key:
		err = at("attribute.into_itself")
	case into == nil || into.archived:
		err = at("attribute.not_found", "key", clip(m.Into, 64))
	case from.settling || into.settling:
		err = errs.New(errs.Conflict, "attribute.settling")
	case into.Unique:
		err = at("attribute.merge_unique")
	case from.Personal.Sealed() && !into.Personal.Sealed():
		err = at("attribute.fallback_open")
	}
	return from, into, err
}

// PreviewAttributeMerge counts what a merge would do to those it looks at.
func (s *Service) PreviewAttributeMerge(ctx context.Context, key string, m AttributeMerge) (AttributeMergePreview, error) {
	p := AttributeMergePreview{Examples: []MergeExample{}}
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return p, err
	}
	from, into, err := defs.mergeable(key, m)
	if err != nil {
		return p, err
	}
	if p.Uses, err = s.Uses(ctx, Term{Attribute: key}); err != nil {
		return p, err
	}
	veiled := from.Personal.Sealed() || into.Personal.Sealed()
	var plain []MergeExample // of those with one value only, shown when there is room
	p.Looked, p.Whole, err = s.look(ctx, key, func(rec *record) error {
		p.Have++
		e := MergeExample{}
		v, other, err := s.engine.both(rec, key, m.Into)
		if err != nil {
			return err
		}
		e.From = clip(from.Show(v), 80)
		got, f := attribute.Convert(from.Attribute, into.Attribute, v)
		has := other != nil
		if has {
			p.Both++
			e.Into = clip(into.Show(other), 80)
			e.Result = e.Into
		}
		switch {
		case f != nil:
			p.Unfit++
			e.Reason = httpx.Say(ctx, f.Code, paramsOf(f))
		case !has:
			e.Result = clip(into.Show(got), 80)
		case string(got) != string(other):
			p.Differ++
			if m.Wins.takes(true, rec.written[m.Into], rec.written[key]) {
				p.Replaced++
				e.Result = clip(into.Show(got), 80)
			}
		}
		if veiled {
			e.From, e.Into, e.Result = stars(e.From), stars(e.Into), stars(e.Result)
		}
		list := &plain
		if has || f != nil {
			list = &p.Examples
		}
		if len(*list) < previewExamples/2 && !slices.Contains(*list, e) {
			*list = append(*list, e)
		}
		return nil
	})
	p.Examples = append(p.Examples, plain[:min(len(plain), 5)]...)
	return p, err
}

// stars stand for a personal value.
func stars(s string) string { return strings.Repeat("*", min(len(s), 4)) }

// both opens two attributes of a record.
func (e *engine) both(rec *record, a, b string) (x, y json.RawMessage, err error) {
	if x, err = e.openAttribute(a, rec.attributes[a]); err == nil && rec.attributes[b] != nil {
		y, err = e.openAttribute(b, rec.attributes[b])
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open attributes: %w", err)
	}
	return x, y, nil
}

// look calls fn with those of the first contacts who have an attribute, and
// tells how many were looked at and whether that is everybody.
func (s *Service) look(ctx context.Context, key string, fn func(*record) error) (looked int64, whole bool, err error) {
	most, err := s.maxNum(ctx)
	if err != nil {
		return 0, false, err
	}
	for after := int64(0); after < min(most, previewReach); after += rewriteWindow {
		var n int64
		if err := s.DB.QueryRow(ctx, "select count(*) from contacts where num > $1 and num <= $2 and shown <> 0", after, after+rewriteWindow).Scan(&n); err != nil {
			return 0, false, fmt.Errorf("count contacts: %w", err)
		}
		looked += n
		recs, err := s.recordsHaving(ctx, key, after)
		if err != nil {
			return 0, false, err
		}
		for _, r := range recs {
			if err := fn(r); err != nil {
				return 0, false, err
			}
		}
	}
	return looked, most <= previewReach, nil
}

// MergeAttribute gives the values of an attribute to another one and archives
// it, as work that can be undone. Values that do not fit stay under it.
func (s *Service) MergeAttribute(ctx context.Context, key string, m AttributeMerge) (AttributeRun, error) {
	if m.Wins == "" {
		m.Wins = WinsLater
	}
	return s.startAttributeRun(ctx, key, func(ctx context.Context, defs *definitions) (attributeSpec, string, error) {
		from, into, err := defs.mergeable(key, m)
		if err != nil {
			return attributeSpec{}, "", err
		}
		spec := attributeSpec{Op: opMerge, Into: m.Into, Wins: m.Wins, Before: from.Definition, WasArchived: from.archived}
		return spec, from.Name(false) + " → " + into.Name(false), nil
	})
}

// changes checks what is to become of options and gives it by id.
func (d *definition) changes(list []OptionChange) (map[string]string, error) {
	out := map[string]string{}
	for i, c := range list {
		at := func(field, code string, params ...any) error {
			return errs.New(errs.Invalid, "request.invalid").On(errs.At(fmt.Sprintf("changes[%d].%s", i, field), code, params...))
		}
		if _, ok := d.Option(c.Option); !ok {
			return nil, at("option", "attribute.no_option", "option", clip(c.Option, 40))
		}
		if _, twice := out[c.Option]; twice {
			return nil, at("option", "attribute.option_named_twice")
		}
		if _, ok := d.Option(c.To); c.To != "" && (!ok || c.To == c.Option) {
			return nil, at("to", "attribute.no_option", "option", clip(c.To, 40))
		}
		out[c.Option] = c.To
	}
	for i, c := range list {
		if _, goes := out[c.To]; c.To != "" && goes {
			return nil, errs.New(errs.Invalid, "request.invalid").On(errs.At(fmt.Sprintf("changes[%d].to", i), "attribute.option_goes_too"))
		}
	}
	if len(out) > 0 && len(out) == len(d.Options) {
		return nil, errs.New(errs.Conflict, "attribute.last_option")
	}
	return out, nil
}

// PreviewOptions counts who has which option, and whom changes of them concern.
func (s *Service) PreviewOptions(ctx context.Context, key string, list []OptionChange) (OptionsPreview, error) {
	p := OptionsPreview{Options: []OptionShare{}}
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return p, err
	}
	d := defs.get(key)
	if d == nil {
		return p, noAttribute(key)
	}
	if d.Type != attribute.Enum && d.Type != attribute.Multi {
		return p, errs.New(errs.Conflict, "attribute.without_options")
	}
	options, err := d.changes(list)
	if err != nil {
		return p, err
	}
	have := map[string]int64{}
	p.Looked, p.Whole, err = s.look(ctx, key, func(rec *record) error {
		v, err := s.engine.openAttribute(key, rec.attributes[key])
		if err != nil {
			return fmt.Errorf("open attribute %s: %w", key, err)
		}
		for _, k := range d.Keys(v) {
			have[k.Str]++
		}
		if now, changes := remapped(d.Attribute, v, options); changes {
			p.Changing++
			if now == nil {
				p.Emptied++
			}
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	for _, o := range d.Options {
		uses, err := s.Uses(ctx, Term{Attribute: key, Option: o.ID})
		if err != nil {
			return p, err
		}
		p.Options = append(p.Options, OptionShare{o.ID, o.Label, have[o.ID], uses})
	}
	return p, nil
}

// RemapOptions takes options out; who had one has another from then on, or
// none. It is work that can be undone.
func (s *Service) RemapOptions(ctx context.Context, key string, list []OptionChange) (AttributeRun, error) {
	return s.startAttributeRun(ctx, key, func(_ context.Context, defs *definitions) (attributeSpec, string, error) {
		d := defs.get(key)
		switch {
		case d == nil:
			return attributeSpec{}, "", noAttribute(key)
		case d.settling:
			return attributeSpec{}, "", errs.New(errs.Conflict, "attribute.settling")
		case len(list) == 0:
			return attributeSpec{}, "", errs.New(errs.Invalid, "request.invalid").On(errs.At("changes", "request.field_required"))
		}
		options, err := d.changes(list)
		if err != nil {
			return attributeSpec{}, "", err
		}
		var parts []string
		for _, c := range list {
			o, _ := d.Option(c.Option)
			to, ok := d.Option(c.To)
			if !ok {
				to.Label = "∅"
			}
			parts = append(parts, o.Label+" → "+to.Label)
		}
		return attributeSpec{Op: opRemap, Options: options, Before: d.Definition}, d.Name(false) + ": " + clip(strings.Join(parts, ", "), 200), nil
	})
}

// withoutOptions is the definition once options are taken out; what refers to
// them follows.
func (s *Service) withoutOptions(ctx context.Context, d *definition, options map[string]string) (*attribute.Attribute, error) {
	def := d.Definition
	def.Options = slices.DeleteFunc(slices.Clone(d.Options), func(o attribute.Option) bool {
		_, goes := options[o.ID]
		return goes
	})
	if v, changes := remapped(d.Attribute, def.Default, options); changes {
		def.Default = v
	}
	a, f := attribute.Compile(def, s.engine.readers())
	if f != nil {
		return nil, invalid(f)
	}
	for _, o := range sortedKeys(options) {
		var into *Term
		if to := options[o]; to != "" {
			into = &Term{Attribute: d.Key, Option: to}
		}
		if err := s.moved(ctx, Term{Attribute: d.Key, Option: o}, into); err != nil {
			return nil, err
		}
	}
	return a, nil
}

package attribute

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Type is the kind of value that an attribute takes.
type Type string

// The types, each with its canonical JSON form.
const (
	Text   Type = "text"   // a string
	Number Type = "number" // a number, at most four decimal places
	Money  Type = "money"  // {"amount": minor units, "currency": "CNY"}
	Date   Type = "date"   // "2006-01-02"
	Flag   Type = "flag"   // true or false
	Enum   Type = "enum"   // the id of an option
	Multi  Type = "multi"  // an array of ids, in the order of the options
	Phone  Type = "phone"  // E.164
	Email  Type = "email"  // in lower case
	Region Type = "region" // a six-digit code of China's divisions
)

// Types lists all types in the order in which they are offered.
func Types() []Type {
	return []Type{Text, Number, Money, Date, Flag, Enum, Multi, Phone, Email, Region}
}

// Class says how private an attribute's values are.
type Class string

// The classes. Personal and sensitive values are sealed at rest; the first are
// shown in part, the second not at all, until somebody unmasks them with a reason.
const (
	Open      Class = "none"
	Personal  Class = "personal"
	Sensitive Class = "sensitive"
)

// Sealed tells whether values of the class are sealed at rest.
func (c Class) Sealed() bool { return c == Personal || c == Sensitive }

// Option is one choice of an enum or multi.
type Option struct {
	ID    string `json:"id" maxLength:"40" doc:"Stays when the label changes; made when empty"`
	Label string `json:"label" maxLength:"60"`
	Color string `json:"color,omitempty" doc:"#rrggbb"`
	// Retired options stay with those who have them, and are read where facts and files name them.
	Retired bool `json:"retired,omitempty" doc:"Stays with those who have it and is not offered any more"`
}

// Definition says what values an attribute takes and how it is shown.
type Definition struct {
	Key         string `json:"key" maxLength:"64" doc:"As facts and imports name it; stays for good"`
	NameZh      string `json:"nameZh" maxLength:"60"`
	NameEn      string `json:"nameEn,omitempty" maxLength:"60"`
	Description string `json:"description,omitempty" maxLength:"500"`
	Type        Type   `json:"type" enum:"text,number,money,date,flag,enum,multi,phone,email,region"`

	Options   []Option `json:"options,omitempty" maxItems:"200" doc:"Of enum and multi, in order"`
	Unit      string   `json:"unit,omitempty" maxLength:"20" doc:"Of number, as shown: 次, kg"`
	Decimals  int      `json:"decimals,omitempty" minimum:"0" maximum:"4" doc:"Of number: further places are rounded"`
	Currency  string   `json:"currency,omitempty" maxLength:"3" doc:"Of money; CNY when empty"`
	Min       *float64 `json:"min,omitempty" doc:"Of number, and money in major units"`
	Max       *float64 `json:"max,omitempty" doc:"Of number, and money in major units"`
	MinLength int      `json:"minLength,omitempty" minimum:"0" maximum:"500" doc:"Of text, in characters"`
	MaxLength int      `json:"maxLength,omitempty" minimum:"0" maximum:"500" doc:"Of text, in characters; 0: 500"`
	Pattern   string   `json:"pattern,omitempty" maxLength:"200" doc:"Of text: regular expression that the whole value must match"`

	Required bool            `json:"required,omitempty" doc:"Asked for by forms and imports; events without it are never refused"`
	Unique   bool            `json:"unique,omitempty" doc:"One holder of each value"`
	Personal Class           `json:"personal,omitempty" enum:"none,personal,sensitive"`
	Indexed  bool            `json:"indexed,omitempty" doc:"Lists can be filtered by it"`
	Default  json.RawMessage `json:"default,omitempty" doc:"Of people who are new, in canonical form"`
	Group    string          `json:"group,omitempty" maxLength:"40" doc:"Under which heading it is shown"`
	Position int             `json:"position,omitempty" doc:"Place among the others"`
}

// Name is what people call the attribute in a language.
func (d *Definition) Name(english bool) string {
	if english && d.NameEn != "" {
		return d.NameEn
	}
	if d.NameZh != "" {
		return d.NameZh
	}
	return d.Key
}

// Limits of definitions.
const (
	maxText  = 500 // characters of a text
	maxMulti = 50  // options chosen at once
	scale    = 10_000
	most     = math.MaxInt64 / scale / 100 // numbers beyond are mistakes, and floats could not hold them
)

// Fault says why a value, or a definition, is not as it must be: a message code
// with parameters, and for definitions the field.
type Fault struct {
	Field  string
	Code   string
	Params []any // in pairs
}

func fault(code string, params ...any) *Fault { return &Fault{Code: code, Params: params} }

// Readers normalise what other packages know best. A nil one refuses everything.
type Readers struct {
	Phone func(string) (string, bool)
	Email func(string) (string, bool)
}

// Attribute is a checked definition, ready to read values. It is safe for use
// by many at once.
type Attribute struct {
	Definition
	readers  Readers
	pattern  *regexp.Regexp
	min, max *int64 // scaled numbers, minor units of money
	byID     map[string]int
	byLabel  map[string]int
}

// Compile checks a definition and makes it ready. It fills in what may be left out.
func Compile(d Definition, r Readers) (*Attribute, *Fault) {
	a := &Attribute{Definition: d, readers: r}
	a.Key = strings.TrimSpace(d.Key)
	a.NameZh, a.NameEn, a.Group = strings.TrimSpace(d.NameZh), strings.TrimSpace(d.NameEn), strings.TrimSpace(d.Group)
	if a.Personal == "" {
		a.Personal = Open
	}
	if a.Unique {
		a.Indexed = true // by the index a second holder is found
	}
	for _, check := range []func() *Fault{a.checkName, a.checkType, a.checkOptions, a.checkBounds, a.checkText, a.checkRest} {
		if f := check(); f != nil {
			return nil, f
		}
	}
	return a, nil
}

func at(field, code string, params ...any) *Fault {
	return &Fault{Field: field, Code: code, Params: params}
}

func (a *Attribute) checkName() *Fault {
	switch {
	case a.Key == "":
		return at("key", "request.field_required")
	case len(a.Key) > 64:
		return at("key", "attribute.key_long", "most", 64)
	case strings.HasPrefix(a.Key, "$"), strings.ContainsFunc(a.Key, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-. /&", r)
	}), !utf8.ValidString(a.Key):
		return at("key", "attribute.bad_key")
	case a.NameZh == "" && a.NameEn == "":
		return at("nameZh", "request.field_required")
	}
	return nil
}

func (a *Attribute) checkType() *Fault {
	if !slices.Contains(Types(), a.Type) {
		return at("type", "attribute.unknown_type", "type", string(a.Type))
	}
	if a.Personal != Open && !a.Personal.Sealed() {
		return at("personal", "attribute.unknown_class")
	}
	if a.Personal == Open && (a.Type == Phone || a.Type == Email) {
		a.Personal = Personal // whatever it is called
	}
	if a.Unique && (a.Type == Flag || a.Type == Enum || a.Type == Multi || a.Type == Region) {
		return at("unique", "attribute.never_unique")
	}
	return nil
}

func (a *Attribute) checkOptions() *Fault {
	if a.Type != Enum && a.Type != Multi {
		a.Options = nil
		return nil
	}
	if len(a.Options) == 0 {
		return at("options", "attribute.no_options")
	}
	a.Options = slices.Clone(a.Options)
	a.byID, a.byLabel = map[string]int{}, map[string]int{}
	for i := range a.Options {
		o := &a.Options[i]
		o.Label = strings.TrimSpace(o.Label)
		if o.Label == "" {
			return at("options", "attribute.option_unnamed", "nth", i+1)
		}
		if o.ID == "" || len(o.ID) > 40 || strings.ContainsFunc(o.ID, unicode.IsSpace) {
			return at("options", "attribute.bad_option_id", "label", o.Label)
		}
		if _, twice := a.byID[o.ID]; twice {
			return at("options", "attribute.option_twice", "label", o.Label)
		}
		if _, twice := a.byLabel[fold(o.Label)]; twice {
			return at("options", "attribute.option_twice", "label", o.Label)
		}
		a.byID[o.ID], a.byLabel[fold(o.Label)] = i, i
	}
	return nil
}

func (a *Attribute) checkBounds() *Fault {
	if a.Type == Money {
		if a.Currency = strings.ToUpper(strings.TrimSpace(a.Currency)); a.Currency == "" {
			a.Currency = "CNY"
		}
		if len(a.Currency) != 3 || strings.ContainsFunc(a.Currency, func(r rune) bool { return r < 'A' || r > 'Z' }) {
			return at("currency", "attribute.bad_currency")
		}
	} else {
		a.Currency = ""
	}
	if a.Type != Number {
		a.Unit, a.Decimals = "", 0
	}
	if a.Type != Number && a.Type != Money {
		a.Min, a.Max = nil, nil
		return nil
	}
	by := float64(scale)
	if a.Type == Money {
		by = math.Pow10(exponent(a.Currency))
	}
	bound := func(f *float64) (*int64, bool) {
		if f == nil {
			return nil, true
		}
		n := math.Round(*f * by)
		if math.IsNaN(n) || math.Abs(n) > most*scale {
			return nil, false
		}
		i := int64(n)
		return &i, true
	}
	var ok bool
	if a.min, ok = bound(a.Min); !ok {
		return at("min", "attribute.bad_number")
	}
	if a.max, ok = bound(a.Max); !ok {
		return at("max", "attribute.bad_number")
	}
	if a.min != nil && a.max != nil && *a.min > *a.max {
		return at("max", "attribute.bounds_crossed")
	}
	return nil
}

func (a *Attribute) checkText() *Fault {
	if a.Type != Text {
		a.MinLength, a.MaxLength, a.Pattern = 0, 0, ""
		return nil
	}
	if a.MaxLength > 0 && a.MinLength > a.MaxLength {
		return at("maxLength", "attribute.bounds_crossed")
	}
	if a.Pattern == "" {
		return nil
	}
	re, err := regexp.Compile(`^(?:` + a.Pattern + `)$`)
	if err != nil {
		return at("pattern", "attribute.bad_pattern_text")
	}
	a.pattern = re
	return nil
}

func (a *Attribute) checkRest() *Fault {
	if isNull(a.Default) {
		a.Default = nil
		return nil
	}
	if a.Unique {
		return at("default", "attribute.default_unique")
	}
	v, f := a.Read(a.Default)
	if f != nil {
		f.Field = "default"
		return f
	}
	a.Default = v
	return nil
}

// Option finds an option by id.
func (a *Attribute) Option(id string) (Option, bool) {
	i, ok := a.byID[id]
	if !ok {
		return Option{}, false
	}
	return a.Options[i], true
}

// Labelled finds an option by its label, whatever the case.
func (a *Attribute) Labelled(label string) (Option, bool) {
	i, ok := a.byLabel[fold(label)]
	if !ok {
		return Option{}, false
	}
	return a.Options[i], true
}

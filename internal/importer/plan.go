package importer

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/koipond/koipond/internal/event"
	"github.com/koipond/koipond/internal/importer/table"
	"github.com/koipond/koipond/internal/platform/errs"
)

// plan is a mapping made ready for one file: where each field stands.
type plan struct {
	kind     Kind
	importID string
	columns  []string
	at       map[string]int // column by field, for those that occur once
	who      []whoColumn
	tags     []int
	attrs    []keyed
	props    []keyed
	consents []consentAt
	dates    dates
	currency string
	country  string
	source   string
	prefix   string
	event    string
	tagAll   []string
	update   bool
}

type whoColumn struct {
	field string
	col   int
}

// keyed is an attribute or property: which column, what sort of value.
type keyed struct {
	key     string
	quoted  []byte // key as JSON with a colon
	col     int
	numbers bool // every value of the sample is a number: kept as numbers
}

// defaults are the company's, for options left empty.
type defaults struct {
	timezone, currency string
	consents           []ConsentColumn // columns of consent that a contacts file may have
}

// compile checks mapping and options against a file.
func compile(kind Kind, in table.Info, m Mapping, o Options, def defaults) (*plan, error) {
	if !kind.Valid() {
		return nil, errs.New(errs.Invalid, "import.bad_kind")
	}
	p := &plan{kind: kind, columns: in.Columns, at: map[string]int{}, prefix: strings.TrimSpace(o.RefundPrefix), event: strings.TrimSpace(o.Event),
		source: strings.TrimSpace(o.Source), country: strings.ToUpper(strings.TrimSpace(o.Country)), tagAll: o.Tags, update: o.UpdateExisting == nil || *o.UpdateExisting}
	var faults []errs.Field
	faults = append(faults, p.setOptions(o, def)...)
	g := newGuesser(in)
	for name := range m.Columns {
		if !slices.Contains(in.Columns, name) && m.Columns[name] != "" {
			faults = append(faults, errs.At(name, "import.unknown_column", "column", name))
		}
	}
	known := map[string]bool{}
	for _, f := range Fields(kind) {
		known[f.ID] = true
	}
	for i, name := range in.Columns {
		if f := p.place(g, i, name, m.Columns[name], known, def.consents); f.Code != "" {
			faults = append(faults, f)
		}
	}
	if len(faults) == 0 {
		faults = p.required()
	}
	if len(faults) > 0 {
		slices.SortFunc(faults, func(a, b errs.Field) int { return strings.Compare(a.Path, b.Path) })
		return nil, errs.New(errs.Invalid, "import.bad_mapping").On(faults...)
	}
	return p, nil
}

func (p *plan) setOptions(o Options, def defaults) (faults []errs.Field) {
	tz := o.Timezone
	if tz == "" {
		tz = def.timezone
	}
	loc, err := zone(tz)
	if err != nil {
		faults = append(faults, errs.At("options.timezone", "import.bad_timezone", "timezone", tz))
	}
	order, ok := parseOrder(o.DateFormat)
	if !ok {
		faults = append(faults, errs.At("options.dateFormat", "import.bad_date_format"))
	}
	p.dates = dates{loc, order}
	p.currency = strings.ToUpper(strings.TrimSpace(o.Currency))
	if p.currency == "" {
		p.currency = def.currency
	}
	if !isCurrency(p.currency) {
		faults = append(faults, errs.At("options.currency", "import.bad_currency", "value", p.currency))
	}
	if p.country == "" {
		p.country = "CN"
	}
	if phonenumbers.GetCountryCodeForRegion(p.country) == 0 {
		faults = append(faults, errs.At("options.country", "import.bad_country", "value", p.country))
	}
	if p.source == "" {
		p.source = "import"
	}
	if len(p.source) > 100 || len(p.event) > 200 || len(p.prefix) > 20 {
		faults = append(faults, errs.At("options", codeTooLong))
	}
	return faults
}

func isCurrency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range 3 {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// place puts a column where the mapping says.
func (p *plan) place(g *guesser, i int, name, field string, known map[string]bool, consents []ConsentColumn) errs.Field {
	field = strings.TrimSpace(field)
	switch {
	case field == "":
	case field == fTag && known[fTag]:
		p.tags = append(p.tags, i)
	case strings.HasPrefix(field, attrPrefix) && p.kind != Events:
		return addKeyed(&p.attrs, g, i, name, strings.TrimPrefix(field, attrPrefix))
	case strings.HasPrefix(field, propPrefix) && p.kind != Contacts:
		return addKeyed(&p.props, g, i, name, strings.TrimPrefix(field, propPrefix))
	case strings.HasPrefix(field, consentPrefix) && p.kind == Contacts:
		return p.placeConsent(i, name, field, consents)
	case !known[field]:
		return errs.At(name, "import.unknown_field", "field", field)
	default:
		if other, twice := p.at[field]; twice {
			return errs.At(name, "import.field_twice", "column", name, "other", p.columns[other])
		}
		p.at[field] = i
	}
	return errs.Field{}
}

// reservedProps are properties that facts of imports have of their own.
var reservedProps = []string{"orderNumber", "refundOf", "currency", "total", "lineCount", "lines", "url"}

func addKeyed(to *[]keyed, g *guesser, i int, name, key string) errs.Field {
	key = strings.TrimSpace(key)
	if key == "" || len(key) > 64 || strings.HasPrefix(key, "$") || slices.Contains(reservedProps, key) {
		return errs.At(name, "import.bad_key", "column", name)
	}
	for _, k := range *to {
		if k.key == key {
			return errs.At(name, "import.field_twice", "column", name, "other", key)
		}
	}
	numbers := len(g.values[i]) > 0
	for _, v := range g.values[i] {
		numbers = numbers && plainNumber(v)
	}
	*to = append(*to, keyed{key, append(appendText(nil, key), ':'), i, numbers})
	return errs.Field{}
}

// plainNumber tells a quantity from an identifier: no leading zero, at most 15 digits.
func plainNumber(v string) bool {
	s := strings.TrimPrefix(v, "-")
	if s == "" || len(s) > 16 || len(s) > 1 && s[0] == '0' && s[1] != '.' || s[0] == '.' || s[len(s)-1] == '.' {
		return false
	}
	dots := 0
	for i := 0; i < len(s); i++ {
		if s[i] == '.' {
			dots++
		} else if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return dots <= 1 && len(s)-dots <= 15
}

// required checks that what the kind cannot do without is there.
func (p *plan) required() (faults []errs.Field) {
	for _, f := range whoFields {
		if col, ok := p.at[f]; ok {
			p.who = append(p.who, whoColumn{f, col})
		}
	}
	miss := func(field string) {
		faults = append(faults, errs.At(field, "import.field_missing", "field", field))
	}
	has := func(field string) bool { _, ok := p.at[field]; return ok }
	switch p.kind {
	case Contacts:
		if len(p.who) == 0 {
			faults = append(faults, errs.At("mapping", "import.no_identity_column"))
		}
	case Orders:
		for _, f := range []string{fNumber, fPaidAt} {
			if !has(f) {
				miss(f)
			}
		}
		if !has(fAmount) && !has(fTotal) && !has(fPrice) {
			faults = append(faults, errs.At("mapping", "import.no_amount_column"))
		}
	case Events:
		if len(p.who) == 0 {
			faults = append(faults, errs.At("mapping", "import.no_identity_column"))
		}
		if !has(fTimestamp) {
			miss(fTimestamp)
		}
		if !has(fEvent) && p.event == "" {
			miss(fEvent)
		}
	}
	return faults
}

// row is one row being read by the plan.
type row struct {
	*plan
	table.Row
	errs []CellError
}

// begin takes a row of the file in. False: it has faults already.
func (p *plan) begin(r table.Row) (row, bool) {
	out := row{plan: p, Row: r}
	if r.Err != nil {
		out.errs = append(out.errs, CellError{Code: r.Err.Code, Params: r.Err.Params})
		return out, false
	}
	for _, c := range r.Cells[min(len(r.Cells), len(p.columns)):] {
		if trim(c) != "" {
			out.errs = append(out.errs, CellError{Value: clip(c, 100), Code: "import.more_cells", Params: map[string]any{"columns": len(p.columns)}})
			return out, false
		}
	}
	return out, true
}

// fail notes what is wrong with the value of a column; col -1 is the row itself.
func (r *row) fail(col int, code string, params ...any) {
	e := CellError{Code: code, Params: errs.New(0, code, params...).Params}
	if col >= 0 {
		e.Column = r.columns[col]
		if col < len(r.Cells) {
			e.Value = clip(trim(r.Cells[col]), 100)
		}
	}
	r.errs = append(r.errs, e)
}

// text gives the value of a field, "" when it has no column or is empty.
func (r *row) text(field string) string {
	col, ok := r.at[field]
	if !ok {
		return ""
	}
	return r.cell(col)
}

func (r *row) cell(col int) string {
	if col >= len(r.Cells) {
		return ""
	}
	v := trim(r.Cells[col])
	if len(v) > maxValue {
		r.fail(col, codeTooLong, "limit", maxValue)
		return ""
	}
	return v
}

// id reads an identifier that is not personal: an order number, a SKU.
func (r *row) id(field string) string {
	v := r.text(field)
	if v == "" {
		return ""
	}
	id, code := identifier(v)
	if code != "" {
		r.fail(r.at[field], code, "limit", maxID)
	}
	return id
}

// time reads a point in time; needed ones may not be empty.
func (r *row) time(field string, needed bool) int64 {
	col, ok := r.at[field]
	if !ok {
		return 0
	}
	v := r.cell(col)
	if v == "" {
		if needed {
			r.fail(col, codeRequired)
		}
		return 0
	}
	ms, code := r.dates.parse(v)
	if code != "" {
		r.fail(col, code)
	}
	return ms
}

// identities reads who the row is about. Masked values (138****1234) identify
// nobody and are passed over; broken ones are faults.
func (r *row) identities() (ids []event.Identifier, masked bool) {
	for _, w := range r.who {
		v := r.cell(w.col)
		if v == "" {
			continue
		}
		if looksMasked(v) {
			masked = true
			continue
		}
		id, code := identifier(v)
		switch {
		case code != "":
		case w.field == fPhone:
			id, code = phone(id, r.country)
		case w.field == fEmail && !validEmail(strings.ToLower(strings.TrimPrefix(id, "mailto:"))):
			code = codeBadEmail
		}
		if code != "" {
			r.fail(w.col, code, "limit", maxID)
			continue
		}
		ids = append(ids, event.Identifier{Kind: w.field, Value: id})
	}
	return ids, masked
}

// phone checks that a number may be one; it is brought into one form by package contact.
func phone(v, country string) (string, string) {
	if country == "CN" && chinaMobile(v) {
		return v, ""
	}
	n, err := phonenumbers.Parse(v, country)
	if err != nil || !phonenumbers.IsPossibleNumber(n) {
		return "", codeBadPhone
	}
	return v, ""
}

// object writes keyed columns as the members of a JSON object, after what is in dst.
func (r *row) object(dst []byte, keys []keyed) []byte {
	for _, k := range keys {
		v := r.cell(k.col)
		if v == "" {
			continue
		}
		if len(dst) > 0 && dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, k.quoted...)
		if k.numbers && plainNumber(v) {
			dst = append(dst, v...)
		} else {
			dst = appendText(dst, v)
		}
	}
	return dst
}

// appendMember adds `"key":"text"` to an object that is being written.
func appendMember(dst []byte, key, text string) []byte {
	if text == "" {
		return dst
	}
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, key...)
	dst = append(dst, '"', ':')
	return appendText(dst, text)
}

// appendText writes a JSON string.
func appendText(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x80 && !utf8.ValidString(s) {
			b, _ := json.Marshal(s) // a string always encodes
			return append(dst, b...)
		} else if c >= 0x80 {
			if strings.IndexFunc(s[i:], func(r rune) bool { return r < 0x20 || r == '"' || r == '\\' }) >= 0 {
				b, _ := json.Marshal(s) // a string always encodes
				return append(dst, b...)
			}
			break
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// appendQuantity writes a whole number without a point.
func appendQuantity(dst []byte, q float64) []byte {
	if q == math.Trunc(q) && math.Abs(q) < 1e15 {
		return strconv.AppendInt(dst, int64(q), 10)
	}
	return strconv.AppendFloat(dst, q, 'f', -1, 64)
}

package importer

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/importer/table"
)

// guesser weighs columns by their names and by the values in the sample.
type guesser struct {
	info   table.Info
	values [][]string // by column: the filled cells of the sample, trimmed
	norm   []string   // column names without case, spaces and punctuation
}

// Guess proposes kind, mapping and options for a file.
func Guess(in table.Info) Suggestion {
	g := newGuesser(in)
	best, bestScore := Suggestion{}, -1
	for _, kind := range []Kind{Contacts, Orders, Events} {
		m, score := g.mapping(kind)
		if score > bestScore {
			best, bestScore = Suggestion{Kind: kind, Mapping: m}, score
		}
	}
	best.Options = g.options(best.Kind, best.Mapping)
	return best
}

// GuessAs proposes mapping and options when the kind is known.
func GuessAs(in table.Info, kind Kind) Suggestion {
	g := newGuesser(in)
	m, _ := g.mapping(kind)
	return Suggestion{Kind: kind, Mapping: m, Options: g.options(kind, m)}
}

func newGuesser(in table.Info) *guesser {
	g := &guesser{info: in, values: make([][]string, len(in.Columns))}
	for _, c := range in.Columns {
		g.norm = append(g.norm, normalName(c))
	}
	for _, row := range in.Sample {
		if row.Err != nil {
			continue
		}
		for i := range min(len(row.Cells), len(in.Columns)) {
			if v := trim(row.Cells[i]); v != "" {
				g.values[i] = append(g.values[i], v)
			}
		}
	}
	return g
}

// normalName drops what people vary: case, spaces, punctuation, brackets with a unit or remark.
func normalName(s string) string {
	s = strings.ToLower(narrow(s))
	for _, open := range []string{"(", "[", "【"} {
		if i := strings.Index(s, open); i > 0 {
			s = s[:i]
		}
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-./:#*\t'\"", r) {
			return -1
		}
		return r
	}, s)
}

// mapping gives each column the field that fits it best; a field goes to one
// column only. The score says how well the file suits the kind.
func (g *guesser) mapping(kind Kind) (Mapping, int) {
	m := Mapping{Columns: map[string]string{}}
	taken := map[string]bool{}
	fields := Fields(kind)
	// The first name in a field's list is the most telling one, so a column whose
	// name stands early wins the field over one whose name stands late.
	for rank := 0; rank < 64; rank++ {
		for _, f := range fields {
			if rank >= len(f.names) || taken[f.ID] {
				continue
			}
			for i, c := range g.info.Columns {
				if m.Columns[c] == "" && g.norm[i] == f.names[rank] && g.fits(i, f) {
					m.Columns[c], taken[f.ID] = f.ID, true
					break
				}
			}
		}
	}
	g.byValue(kind, m, taken)
	score := g.score(kind, taken)
	used := map[string]bool{}
	for i, c := range g.info.Columns {
		if m.Columns[c] != "" {
			continue
		}
		m.Columns[c] = ""
		if len(g.values[i]) == 0 || strings.HasPrefix(c, "#") {
			continue
		}
		key := clip(strings.TrimLeft(strings.ReplaceAll(c, ".", "_"), "$"), 60)
		if slices.Contains(reservedProps, key) {
			key += "_"
		}
		if key == "" || used[key] {
			continue
		}
		used[key] = true
		if kind == Contacts {
			if part, ok := nameParts[g.norm[i]]; ok && !taken[fName] && !used[part] {
				key, used[part] = part, true
			}
			m.Columns[c] = attrPrefix + key
		} else {
			m.Columns[c] = propPrefix + key
		}
	}
	return m, score
}

// nameParts are columns from which package contact makes a name.
var nameParts = map[string]string{"givenname": "firstName", "firstname": "firstName", "forename": "firstName", "名": "firstName",
	"surname": "lastName", "lastname": "lastName", "familyname": "lastName", "姓": "lastName", "姓氏": "lastName"}

// fits refuses a name whose values speak against it.
func (g *guesser) fits(col int, f Field) bool {
	vals := g.values[col]
	if len(vals) == 0 {
		return f.Required || f.Group == groupWho
	}
	switch f.Type {
	case "time":
		return g.share(col, isDate) > 0.5
	case "number", "money":
		return g.share(col, isNumber) > 0.8
	}
	switch f.ID {
	case fPhone:
		return g.share(col, func(v string) bool { return looksPhone(v) || looksMasked(v) }) > 0.5
	case fEmail:
		return g.share(col, func(v string) bool { return strings.Contains(v, "@") }) > 0.5
	case fURL:
		return g.share(col, func(v string) bool { return strings.ContainsAny(v, "/.") }) > 0.5
	}
	return true
}

// byValue recognises columns whose names say nothing.
func (g *guesser) byValue(kind Kind, m Mapping, taken map[string]bool) {
	try := func(field string, test func(string) bool, min float64) {
		if taken[field] {
			return
		}
		for i, c := range g.info.Columns {
			if m.Columns[c] == "" && len(g.values[i]) > 0 && g.share(i, test) >= min {
				m.Columns[c], taken[field] = field, true
				return
			}
		}
	}
	try(fEmail, func(v string) bool { ok := validEmail(strings.ToLower(v)); return ok }, 0.8)
	try(fPhone, chinaMobile, 0.8)
	switch kind {
	case Orders:
		try(fPaidAt, isWrittenDate, 0.9)
	case Events:
		try(fTimestamp, isWrittenDate, 0.9)
		try(fURL, func(v string) bool { return strings.HasPrefix(v, "http://") || strings.HasPrefix(v, "https://") }, 0.8)
	}
}

func (g *guesser) share(col int, test func(string) bool) float64 {
	n := min(len(g.values[col]), 200)
	if n == 0 {
		return 0
	}
	hit := 0
	for _, v := range g.values[col][:n] {
		if test(v) {
			hit++
		}
	}
	return float64(hit) / float64(n)
}

func isDate(v string) bool {
	_, code := (dates{loc: time.UTC}).parse(v)
	return code == "" || code == codeAmbiguousDate
}

// isWrittenDate is isDate for texts that are no plain number.
func isWrittenDate(v string) bool { return !allDigits(v) && len(v) >= 8 && !isNumber(v) && isDate(v) }

func isNumber(v string) bool { _, _, code := parseNumber(v); return code == "" }

func looksPhone(v string) bool {
	n := 0
	for _, r := range narrow(v) {
		switch {
		case r >= '0' && r <= '9':
			n++
		case !strings.ContainsRune("+-() .#extEXT", r):
			return false
		}
	}
	return n >= 7 && n <= 15
}

func chinaMobile(v string) bool {
	v = strings.NewReplacer(" ", "", "-", "").Replace(narrow(v))
	v = strings.TrimPrefix(strings.TrimPrefix(v, "+86"), "0086")
	return len(v) == 11 && v[0] == '1' && v[1] >= '3' && allDigits(v)
}

func validEmail(v string) bool {
	at := strings.LastIndexByte(v, '@')
	return at > 0 && at < len(v)-1 && strings.IndexByte(v, '@') == at && strings.Contains(v[at:], ".") &&
		!strings.HasSuffix(v, ".") && v[at+1] != '.' && !strings.ContainsAny(v, " \t,;<>\"")
}

// score weighs how well the found fields make a file of the kind.
func (g *guesser) score(kind Kind, taken map[string]bool) int {
	who := 0
	for _, f := range whoFields {
		if taken[f] {
			who = 1
		}
	}
	has := func(fields ...string) int {
		n := 0
		for _, f := range fields {
			if taken[f] {
				n++
			}
		}
		return n
	}
	switch kind {
	case Orders:
		if !taken[fNumber] || has(fAmount, fTotal, fPrice) == 0 {
			return 0
		}
		return 60 + 5*has(fPaidAt, fQuantity, fPrice, fAmount, fTotal, fSKU, fProduct) + who
	case Events:
		if who == 0 || !taken[fTimestamp] || has(fEvent, fURL) == 0 {
			return 0
		}
		return 50 + 20*has(fEvent)
	}
	return 10 + 30*who + 3*has(fName, fGender, fBirthday, fCity, fCreated, fTag)
}

func (g *guesser) options(kind Kind, m Mapping) Options {
	o := Options{Sheet: g.info.Sheet, DateFormat: g.dateFormat(m)}
	col := func(field string) int {
		for i, c := range g.info.Columns {
			if m.Columns[c] == field {
				return i
			}
		}
		return -1
	}
	if kind == Orders {
		o.RefundPrefix = g.refundPrefix(col(fNumber), col(fQuantity), col(fTotal), col(fAmount))
		for _, f := range []string{fTotal, fAmount, fPrice} {
			if i := col(f); i >= 0 && o.Currency == "" && len(g.values[i]) > 0 {
				o.Currency = currencyIn(g.values[i][0])
			}
		}
	}
	if kind == Events && col(fEvent) < 0 && col(fURL) >= 0 {
		o.Event = "page.viewed"
	}
	return o
}

// dateFormat finds out whether days or months come first where the values prove it.
func (g *guesser) dateFormat(m Mapping) string {
	day, month, unclear := false, false, false
	for i, c := range g.info.Columns {
		switch m.Columns[c] {
		case fPaidAt, fTimestamp, fCreated, fRefunded, fBirthday:
		default:
			continue
		}
		for _, v := range g.values[i] {
			_, dmy := dates{time.UTC, orderDMY}.parse(v)
			_, mdy := dates{time.UTC, orderMDY}.parse(v)
			_, auto := dates{time.UTC, orderAuto}.parse(v)
			unclear = unclear || auto == codeAmbiguousDate
			day = day || dmy == "" && mdy != ""
			month = month || mdy == "" && dmy != ""
		}
	}
	switch {
	case unclear && day && !month:
		return "d/m/y"
	case unclear && month && !day:
		return "m/d/y"
	}
	return ""
}

// refundPrefix finds a letter that begins the order number of negative rows and of no others.
func (g *guesser) refundPrefix(number int, measures ...int) string {
	if number < 0 {
		return ""
	}
	counts := map[string][2]int{} // by leading letters: negative and other rows
	for _, row := range g.info.Sample {
		if row.Err != nil || number >= len(row.Cells) {
			continue
		}
		v := trim(row.Cells[number])
		prefix := v[:len(v)-len(strings.TrimLeftFunc(v, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' }))]
		negative := false
		for _, c := range measures {
			if c >= 0 && c < len(row.Cells) {
				if d, _, code := parseNumber(trim(row.Cells[c])); code == "" && d.Sign() < 0 {
					negative = true
				}
			}
		}
		n := counts[prefix]
		if negative {
			n[0]++
		} else {
			n[1]++
		}
		counts[prefix] = n
	}
	if len(counts) < 2 {
		return ""
	}
	best, most, negatives := "", 0, 0
	for prefix, n := range counts {
		negatives += n[0]
		if prefix != "" && n[1] == 0 && (n[0] > most || n[0] == most && prefix < best) {
			best, most = prefix, n[0]
		}
	}
	if most*3 < negatives*2 { // most refunds go without it
		return ""
	}
	return best
}

// nameAttributes gives columns that are called as a defined attribute is, in
// either language, that attribute.
func (s *Service) nameAttributes(ctx context.Context, m Mapping) {
	if s.Attributes == nil {
		return
	}
	names, err := s.Attributes(ctx)
	if err != nil {
		s.Log.Warn("attributes are not known to the guess of columns", "error", err)
		return
	}
	keys := map[string]string{}
	for name, key := range names {
		keys[normalName(name)] = key
	}
	taken := map[string]bool{}
	for _, field := range m.Columns {
		taken[field] = true
	}
	for column, field := range m.Columns {
		key, ok := keys[normalName(column)]
		if !ok || !strings.HasPrefix(field, attrPrefix) || taken[attrPrefix+key] {
			continue
		}
		m.Columns[column], taken[attrPrefix+key] = attrPrefix+key, true
	}
}

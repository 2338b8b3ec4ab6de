package importer

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/koipond/koipond/internal/shop"
)

// Codes of values that cannot be read; each is the reason of a rejected row.
const (
	codeBadDate       = "import.bad_date"
	codeAmbiguousDate = "import.ambiguous_date"
	codeBadNumber     = "import.bad_number"
	codePercent       = "import.percent_amount"
	codeScientific    = "import.scientific"
	codeTooLong       = "import.value_too_long"
	codeBadPhone      = "import.bad_phone"
	codeBadEmail      = "import.bad_email"
	codeMasked        = "import.masked"
	codeRequired      = "import.value_missing"
)

// maxValue is the longest value of one cell in bytes; identifiers are shorter still.
const (
	maxValue = 8 << 10
	maxID    = 256
)

// trim takes away what surrounds a value in exports: spaces of every width,
// byte order marks, and the `="…"` and leading apostrophe by which shops keep
// spreadsheets from eating long numbers.
func trim(s string) string {
	if s == "" {
		return s
	}
	first, last := s[0], s[len(s)-1]
	if first > ' ' && first < 0x80 && last > ' ' && last < 0x80 && first != '=' && first != '\'' {
		return s
	}
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' || r == 0x3000 || r == 0xA0 || r == 0xFEFF })
	if len(s) >= 3 && strings.HasPrefix(s, `="`) && strings.HasSuffix(s, `"`) {
		s = strings.TrimSpace(s[2 : len(s)-1])
	}
	if len(s) > 1 && s[0] == '\'' && s[len(s)-1] != '\'' {
		s = s[1:]
	}
	return s
}

// narrow turns full-width forms (１２３，￥) into their ASCII ones.
func narrow(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return strings.Map(func(r rune) rune {
				switch {
				case r >= 0xFF01 && r <= 0xFF5E:
					return r - 0xFEE0
				case r == 0x3000 || r == 0xA0 || r == 0x2009 || r == 0x202F:
					return ' '
				case r == 0x2212: // minus sign
					return '-'
				case r == '。':
					return '.'
				}
				return r
			}, s)
		}
	}
	return s
}

// units after a number, and currency marks around one.
var (
	currencyMarks = map[string]string{"¥": "", "￥": "", "$": "USD", "€": "EUR", "£": "GBP", "₩": "KRW", "₫": "VND", "₹": "INR", "฿": "THB",
		"rmb": "CNY", "cny": "CNY", "usd": "USD", "eur": "EUR", "gbp": "GBP", "hkd": "HKD", "hk$": "HKD", "us$": "USD", "nt$": "TWD", "twd": "TWD", "jpy": "JPY", "sgd": "SGD", "元": "CNY", "圆": "CNY"}
	bigUnits = map[string]string{"万": "e4", "萬": "e4", "亿": "e8", "億": "e8", "千": "e3", "百": "e2"}
)

// parseNumber reads a number as people write it: 1,234.50, （12.3）, ¥99, 1.2万,
// 12-, １２. percent tells that it carried a percent sign (the value is then
// already divided by 100).
func parseNumber(text string) (d shop.Decimal, percent bool, code string) {
	if d, err := shop.ParseDecimal(text); err == nil { // the usual case
		return d, false, ""
	}
	s := strings.ToLower(strings.TrimSpace(narrow(text)))
	neg := false
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
		neg, s = true, s[1:len(s)-1]
	}
	s = stripMarks(s)
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		neg, s = !neg, stripMarks(rest)
	} else if rest, ok := strings.CutSuffix(s, "-"); ok {
		neg, s = !neg, stripMarks(rest)
	}
	exp := ""
	if strings.HasSuffix(s, "%") {
		percent, exp, s = true, "e-2", strings.TrimSpace(strings.TrimSuffix(s, "%"))
	}
	for unit, e := range bigUnits {
		if rest, ok := strings.CutSuffix(s, unit); ok {
			exp, s = e, strings.TrimSpace(rest)
		}
	}
	s, ok := ungroup(s)
	if !ok || strings.ContainsAny(s, "eE") && exp != "" {
		return shop.Decimal{}, false, codeBadNumber
	}
	d, err := shop.ParseDecimal(s + exp)
	if err != nil || s == "" || s[0] == '-' || s[0] == '+' && neg {
		return shop.Decimal{}, false, codeBadNumber
	}
	if neg {
		d = d.Neg()
	}
	return d, percent, ""
}

func stripMarks(s string) string {
	for again := true; again; {
		again = false
		s = strings.TrimSpace(s)
		for mark := range currencyMarks {
			if rest, ok := strings.CutPrefix(s, mark); ok && rest != "" {
				s, again = rest, true
			} else if rest, ok := strings.CutSuffix(s, mark); ok && rest != "" {
				s, again = rest, true
			}
		}
	}
	return s
}

// ungroup takes out thousands separators. Groups must be of three digits (or
// four, as some write Chinese amounts), else `12,50` would become 1250.
func ungroup(s string) (string, bool) {
	if !strings.ContainsAny(s, ", '") {
		return s, true
	}
	comma, dot := strings.LastIndexByte(s, ','), strings.LastIndexByte(s, '.')
	if comma >= 0 && dot >= 0 && comma > dot { // 1.234,56
		s = strings.ReplaceAll(s, ".", "'")
		s = s[:comma] + "." + s[comma+1:]
	}
	whole, frac, hasFrac := strings.Cut(s, ".")
	if strings.ContainsAny(frac, ", '") {
		return "", false
	}
	groups := strings.FieldsFunc(whole, func(r rune) bool { return r == ',' || r == ' ' || r == '\'' })
	if strings.Count(whole, ",")+strings.Count(whole, " ")+strings.Count(whole, "'") != len(groups)-1 {
		return "", false
	}
	for i, g := range groups {
		if i > 0 && len(g) != len(groups[len(groups)-1]) || i > 0 && len(g) != 3 && len(g) != 4 || len(g) > 4 || len(g) == 0 {
			return "", false
		}
	}
	s = strings.Join(groups, "")
	if hasFrac {
		s += "." + frac
	}
	return s, true
}

// currencyIn finds the currency that a value names, "" when none (¥ alone may be yuan or yen).
func currencyIn(text string) string {
	s := strings.ToLower(narrow(text))
	best := ""
	for mark, cur := range currencyMarks {
		if cur != "" && len(mark) > len(best) && strings.Contains(s, mark) {
			best = mark
		}
	}
	return currencyMarks[best]
}

// scientific tells whether an identifier was ruined by a spreadsheet: 6.21E+17.
func scientific(s string) bool {
	e := strings.IndexAny(s, "eE")
	if e < 1 || e+2 > len(s) || s[0] < '0' || s[0] > '9' {
		return false
	}
	mant, exp := s[:e], s[e+1:]
	if !strings.Contains(mant, ".") && exp[0] != '+' {
		return false
	}
	if _, err := strconv.ParseFloat(mant, 64); err != nil {
		return false
	}
	_, err := strconv.Atoi(strings.TrimPrefix(exp, "+"))
	return err == nil
}

// identifier cleans an id: full-width to ASCII, `17850.0` (a number column with
// gaps, written by a data tool) to `17850`. The code says why it is none.
func identifier(text string) (id, code string) {
	s := strings.TrimSpace(narrow(text))
	if len(s) > maxID {
		return "", codeTooLong
	}
	if scientific(s) {
		return "", codeScientific
	}
	if whole, ok := strings.CutSuffix(s, ".0"); ok && allDigits(whole) {
		return whole, ""
	}
	return s, ""
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// looksMasked knows 138****1234 and z***@qq.com, which identify nobody.
func looksMasked(s string) bool {
	return strings.Contains(s, "**") || strings.Contains(s, "＊＊") || strings.Contains(s, "***")
}

// clip cuts a text to a number of bytes at a character's edge.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// zone finds a time zone by name.
func zone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	return time.LoadLocation(name)
}

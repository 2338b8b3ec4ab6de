package attribute

import (
	"strconv"
	"strings"
)

// parseNumber reads a decimal number as people write it and gives it with
// digits decimal places, rounded half away from zero: 1,234.5, 1.2万, 3 千, 1e3.
func parseNumber(s string, digits int) (int64, *Fault) {
	bad := fault("attribute.bad_number")
	s = strings.ReplaceAll(strings.ToLower(narrow(s)), " ", "")
	if len(s) > 40 {
		return 0, bad
	}
	neg := false
	if n := len(s); n > 2 && s[0] == '(' && s[n-1] == ')' { // bookkeeping
		neg, s = true, s[1:n-1]
	}
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		neg, s = !neg, rest
	} else {
		s = strings.TrimPrefix(s, "+")
	}
	power := 0
	for _, u := range []struct {
		word string
		by   int
	}{{"万亿", 12}, {"亿", 8}, {"億", 8}, {"千万", 7}, {"百万", 6}, {"万", 4}, {"萬", 4}, {"w", 4}, {"千", 3}, {"k", 3}, {"百", 2}} {
		if rest, ok := strings.CutSuffix(s, u.word); ok {
			s, power = rest, u.by
			break
		}
	}
	if mantissa, exp, ok := strings.Cut(s, "e"); ok {
		e, err := strconv.Atoi(exp)
		if err != nil || e > 18 || e < -18 {
			return 0, bad
		}
		s, power = mantissa, power+e
	}
	whole, frac, _ := strings.Cut(s, ".")
	whole, ok := ungroup(whole)
	if !ok || whole == "" && frac == "" || !digitsOnly(frac) {
		return 0, bad
	}
	// Move the point: keep as many digits as asked for, and the next to round by.
	shift := power + digits
	all := whole + frac
	point := len(whole) + shift
	if point < 0 {
		return 0, nil
	}
	var n int64
	for i := range point {
		d := byte('0')
		if i < len(all) {
			d = all[i]
		}
		n = n*10 + int64(d-'0')
		if n > most*scale {
			return 0, bad
		}
	}
	if point < len(all) && all[point] >= '5' {
		n++
	}
	if neg {
		n = -n
	}
	return n, nil
}

// ungroup takes thousands separators away where they stand in threes.
func ungroup(s string) (string, bool) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == '，' || r == '\'' })
	if len(parts) > 1 {
		for _, p := range parts[1:] {
			if len(p) != 3 {
				return "", false
			}
		}
		if len(parts[0]) > 3 {
			return "", false
		}
	}
	s = strings.Join(parts, "")
	return s, digitsOnly(s)
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func roundTo(n, step int64) int64 {
	half := step / 2
	if n < 0 {
		half = -half
	}
	return (n + half) / step * step
}

// decimal writes n, which has digits decimal places, without trailing zeros.
func decimal(n int64, digits int) string {
	neg := n < 0
	if neg {
		n = -n
	}
	s := strconv.FormatInt(n, 10)
	if digits > 0 {
		if len(s) <= digits {
			s = strings.Repeat("0", digits-len(s)+1) + s
		}
		s = strings.TrimRight(s[:len(s)-digits]+"."+s[len(s)-digits:], "0")
		s = strings.TrimSuffix(s, ".")
	}
	if neg && s != "0" {
		s = "-" + s
	}
	return s
}

var currencyMarks = []struct{ mark, currency string }{
	{"人民币", "CNY"}, {"rmb", "CNY"}, {"hk$", "HKD"}, {"us$", "USD"}, {"nt$", "TWD"}, {"¥", ""}, {"$", "USD"}, {"€", "EUR"}, {"£", "GBP"}, {"₩", "KRW"},
	{"美元", "USD"}, {"港币", "HKD"}, {"港元", "HKD"}, {"欧元", "EUR"}, {"英镑", "GBP"}, {"日元", "JPY"}, {"元", ""}, {"块", ""}, {"圆", ""},
}

// takeCurrency parts an amount from its currency. ¥ and 元 may be any of several.
func takeCurrency(s string) (rest, currency string) {
	s = strings.ToLower(narrow(s))
	for _, m := range currencyMarks {
		if strings.HasPrefix(s, m.mark) || strings.HasSuffix(s, m.mark) {
			s, currency = strings.TrimSuffix(strings.TrimPrefix(s, m.mark), m.mark), m.currency
			break
		}
	}
	s = strings.TrimSpace(s)
	for _, iso := range []string{"cny", "usd", "eur", "gbp", "hkd", "twd", "jpy", "krw", "sgd", "mop"} {
		if rest, ok := strings.CutPrefix(s, iso); ok {
			return strings.TrimSpace(rest), strings.ToUpper(iso)
		}
		if rest, ok := strings.CutSuffix(s, iso); ok {
			return strings.TrimSpace(rest), strings.ToUpper(iso)
		}
	}
	return s, currency
}

// exponent is how many decimal places a currency's minor unit has.
func exponent(currency string) int {
	switch currency {
	case "JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF", "PYG", "UGX":
		return 0
	case "KWD", "BHD", "OMR", "JOD", "TND":
		return 3
	}
	return 2
}

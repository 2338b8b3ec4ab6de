package shop

import (
	"errors"
	"math"
	"strings"

	"github.com/koipond/koipond/internal/contact"
)

// Money is an amount in minor units of a currency.
type Money = contact.Money

// Exponent is how many decimal places a currency's minor unit has: 2 for most.
func Exponent(currency string) int {
	switch currency {
	case "JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF", "XPF", "PYG", "UGX", "RWF", "KMF", "GNF", "DJF", "BIF", "VUV":
		return 0
	case "BHD", "KWD", "OMR", "JOD", "TND", "IQD", "LYD":
		return 3
	}
	return 2
}

// Decimal is an exact number: Coef / 10^Scale. Scale is 0 to 18.
type Decimal struct {
	Coef  int64
	Scale int
}

// ErrDecimal says that a text is not a plain number or does not fit.
var ErrDecimal = errors.New("not a decimal number")

// maxDigits keeps every coefficient inside an int64.
const maxDigits = 18

// ParseDecimal reads an optional sign, digits with an optional point, and an
// optional exponent. Digits behind the 18th significant one are refused when
// in front of the point and cut off behind it. No spaces, no separators.
func ParseDecimal(s string) (Decimal, error) {
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg, s = s[0] == '-', s[1:]
	}
	mant, exp, err := splitExponent(s)
	if err != nil {
		return Decimal{}, err
	}
	whole, frac, _ := strings.Cut(mant, ".")
	if whole == "" && frac == "" {
		return Decimal{}, ErrDecimal
	}
	d := Decimal{}
	digits := 0
	for _, part := range [2]string{whole, frac} {
		for i := 0; i < len(part); i++ {
			c := part[i]
			if c < '0' || c > '9' {
				return Decimal{}, ErrDecimal
			}
		}
	}
	for i := 0; i < len(whole); i++ {
		if digits > 0 || whole[i] != '0' {
			digits++
		}
		if digits > maxDigits {
			return Decimal{}, ErrDecimal
		}
		d.Coef = d.Coef*10 + int64(whole[i]-'0')
	}
	frac = strings.TrimRight(frac, "0")
	for i := 0; i < len(frac) && digits < maxDigits && d.Scale < maxDigits; i++ {
		if digits > 0 || frac[i] != '0' {
			digits++
		}
		d.Coef = d.Coef*10 + int64(frac[i]-'0')
		d.Scale++
	}
	if neg {
		d.Coef = -d.Coef
	}
	return d.shift(exp)
}

func splitExponent(s string) (mant string, exp int, err error) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, 0, nil
	}
	e := s[i+1:]
	neg := false
	if e != "" && (e[0] == '-' || e[0] == '+') {
		neg, e = e[0] == '-', e[1:]
	}
	if e == "" || len(e) > 3 {
		return "", 0, ErrDecimal
	}
	for j := 0; j < len(e); j++ {
		if e[j] < '0' || e[j] > '9' {
			return "", 0, ErrDecimal
		}
		exp = exp*10 + int(e[j]-'0')
	}
	if neg {
		exp = -exp
	}
	return s[:i], exp, nil
}

func (d Decimal) shift(exp int) (Decimal, error) {
	if d.Coef == 0 {
		return Decimal{}, nil
	}
	d.Scale -= exp
	for d.Scale < 0 {
		if d.Coef > math.MaxInt64/10 || d.Coef < math.MinInt64/10 {
			return Decimal{}, ErrDecimal
		}
		d.Coef *= 10
		d.Scale++
	}
	for d.Scale > maxDigits {
		d.Coef = divRound(d.Coef, 10)
		d.Scale--
	}
	return d, nil
}

// Sign is -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.Coef < 0:
		return -1
	case d.Coef > 0:
		return 1
	}
	return 0
}

// Neg is -d.
func (d Decimal) Neg() Decimal { return Decimal{-d.Coef, d.Scale} }

// Float is the nearest float, for quantities.
func (d Decimal) Float() float64 { return float64(d.Coef) / math.Pow10(d.Scale) }

// Mul multiplies exactly; false when the product does not fit.
func (d Decimal) Mul(e Decimal) (Decimal, bool) {
	p := d.Coef * e.Coef
	if d.Coef != 0 && (p/d.Coef != e.Coef || (d.Coef == -1 && e.Coef == math.MinInt64)) {
		return Decimal{}, false
	}
	out := Decimal{p, d.Scale + e.Scale}
	for out.Scale > maxDigits {
		out.Coef = divRound(out.Coef, 10)
		out.Scale--
	}
	return out, true
}

// Minor is d in minor units with exponent exp, rounded half away from zero;
// false when it does not fit.
func (d Decimal) Minor(exp int) (int64, bool) {
	c := d.Coef
	s := d.Scale
	for ; s < exp; s++ {
		if c > math.MaxInt64/10 || c < math.MinInt64/10 {
			return 0, false
		}
		c *= 10
	}
	if s > exp {
		c = divRound(c, pow10(s-exp))
	}
	return c, true
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// divRound divides by a positive number, rounding half away from zero.
func divRound(a, b int64) int64 {
	q, r := a/b, a%b
	if r < 0 {
		r = -r
	}
	if r >= b-r {
		if a < 0 {
			return q - 1
		}
		return q + 1
	}
	return q
}

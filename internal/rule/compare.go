package rule

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	"github.com/koipond/koipond/internal/platform/secret"
)

// Positive is the operator that op is the opposite of, and whether it is one;
// else op itself.
func Positive(op string) (of string, opposite bool) {
	switch op {
	case "isNot":
		return "is", true
	case "notIn":
		return "in", true
	case "notContains":
		return "contains", true
	case "notSet":
		return "set", true
	}
	return op, false
}

// compare tells whether a property fulfils an operator; there tells whether it
// is there at all.
func compare(op string, value any, text string, there bool) bool {
	op, opposite := Positive(op)
	return (there && compareText(op, value, text)) != opposite
}

func compareText(op string, value any, text string) bool {
	switch op {
	case "set":
		return true
	case "is":
		return same(value, text)
	case "in":
		list, _ := value.([]any)
		return slices.ContainsFunc(list, func(v any) bool { return same(v, text) })
	case "contains":
		part, ok := value.(string)
		return ok && strings.Contains(text, part) && !sealed(text)
	case "startsWith":
		part, ok := value.(string)
		return ok && strings.HasPrefix(text, part) && !sealed(text)
	}
	n, ok := number(text)
	return ok && compareNumber(op, value, func(v float64) int { return cmp.Compare(n, v) })
}

// sealed tells whether a text is a personal value as the analytics store keeps
// it: equal ones are equal, but nothing is to be found in it.
func sealed(text string) bool { return secret.FixedKey(text) != "" }

// same tells whether a text is a value, which decides how it is looked at.
func same(value any, text string) bool {
	switch v := value.(type) {
	case string:
		return text == v
	case bool:
		return v && text == "true" || !v && text == "false"
	case float64:
		n, ok := number(text)
		want, fits := Millionths(v)
		return ok && fits && n == want
	}
	return false
}

// Fulfils tells whether a number in millionths fulfils an operator on numbers.
func Fulfils(op string, value any, millionths float64) bool {
	op, opposite := Positive(op)
	return compareNumber(op, value, func(v float64) int { return cmp.Compare(millionths, v) }) != opposite
}

// compareNumber is a comparison with the number or numbers of value, in
// millionths; against tells how what is compared stands to one. Opposites are the
// caller's.
func compareNumber(op string, value any, against func(v float64) int) bool {
	to := func(v any) int {
		n, _ := v.(float64) // the form was checked
		m, _ := Millionths(n)
		return against(m)
	}
	switch op {
	case "gte":
		return to(value) >= 0
	case "gt":
		return to(value) > 0
	case "lte":
		return to(value) <= 0
	case "lt":
		return to(value) < 0
	case "is":
		return to(value) == 0
	case "between":
		list, _ := value.([]any)
		return len(list) == 2 && to(list[0]) >= 0 && to(list[1]) <= 0
	}
	return false
}

// total adds millionths exactly.
type total struct {
	part int64 // what was not added to sum yet
	sum  big.Int
}

func (t *total) add(m float64) {
	const most = 1 << 61
	if m < -most || m > most {
		n, _ := big.NewFloat(m).Int(nil)
		t.sum.Add(&t.sum, n)
		return
	}
	if t.part += int64(m); t.part < -most || t.part > most {
		t.flush()
	}
}

func (t *total) flush() *big.Int {
	t.sum.Add(&t.sum, big.NewInt(t.part))
	t.part = 0
	return &t.sum
}

// against compares the total with n times a number of millionths.
func (t *total) against(v float64, n int) int {
	want, _ := big.NewFloat(v).Int(nil)
	return t.flush().Cmp(want.Mul(want, big.NewInt(int64(n))))
}

// float is the total as a number, as near as one comes.
func (t *total) float() float64 {
	f, _ := new(big.Rat).SetFrac(t.flush(), big.NewInt(1e6)).Float64()
	return f
}

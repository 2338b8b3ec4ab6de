package wxcall

import (
	"unicode/utf8"

	"github.com/koipond/koipond/internal/platform/errs"
)

// unit is what a limit counts.
type unit uint8

const (
	chars unit = iota
	bytesOf
	items
	number
)

// Limit is the most that a platform takes of something.
type Limit struct {
	Most int
	unit unit
}

// Chars counts the characters of a text.
func Chars(most int) Limit { return Limit{most, chars} }

// Bytes counts those of a text.
func Bytes(most int) Limit { return Limit{most, bytesOf} }

// Items counts entries.
func Items(most int) Limit { return Limit{most, items} }

// Number bounds a number itself.
func Number(most int) Limit { return Limit{most, number} }

// Limits are what a platform takes, as data: by call and field.
type Limits map[string]Limit

// Of gives a limit. A name that is missing is a mistake in the program, which tests
// find.
func (l Limits) Of(name string) Limit {
	one, ok := l[name]
	if !ok {
		panic("no such limit: " + name)
	}
	return one
}

// Checker collects what is wrong with a call before it is made.
type Checker struct{ faults []errs.Field }

// Within checks a text; tooManyBytes is the code of the platform's own words.
func (k *Checker) Within(path string, l Limit, value, tooManyBytes string) {
	switch {
	case l.unit == bytesOf && len(value) > l.Most:
		k.faults = append(k.faults, errs.At(path, tooManyBytes, "limit", l.Most, "got", len(value)))
	case l.unit == chars && utf8.RuneCountInString(value) > l.Most:
		k.faults = append(k.faults, errs.At(path, "request.too_long", "limit", l.Most))
	}
}

// Count checks how many there are, or a number.
func (k *Checker) Count(path string, l Limit, n int) {
	switch {
	case n <= l.Most:
	case l.unit == items:
		k.faults = append(k.faults, errs.At(path, "request.too_many_items", "limit", l.Most))
	default:
		k.faults = append(k.faults, errs.At(path, "request.too_big", "limit", l.Most))
	}
}

// Need wants something to be there.
func (k *Checker) Need(path string, have bool) {
	if !have {
		k.Fault(path, "request.field_required")
	}
}

// Fault notes another mistake.
func (k *Checker) Fault(path, code string) { k.faults = append(k.faults, errs.At(path, code)) }

// Err is all of it as one error; nil when nothing is wrong.
func (k *Checker) Err() error {
	if len(k.faults) == 0 {
		return nil
	}
	return errs.New(errs.Invalid, "request.invalid").On(k.faults...)
}

package score

import (
	"slices"
	"strings"
)

// Field is one of the things that are compared.
type Field int

// The fields, in the order in which evidence is shown.
const (
	Name Field = iota
	Birthday
	Gender
	Phone
	Email
	Address
	City
	Number
	Account
	fields
)

var fieldNames = [fields]string{"name", "birthday", "gender", "phone", "email", "address", "city", "number", "account"}

// String is the field's name in evidence, settings and the API.
func (f Field) String() string { return fieldNames[f] }

// Fields lists all of them.
func Fields() []Field {
	out := make([]Field, fields)
	for i := range out {
		out[i] = Field(i)
	}
	return out
}

// ParseField finds a field by its name.
func ParseField(s string) (Field, bool) {
	i := slices.Index(fieldNames[:], s)
	return Field(i), i >= 0
}

// Level is how two values of a field compare; the closer, the smaller. Not
// every field has every level.
type Level int8

// The levels.
const (
	Unsaid  Level = -1 // one side says nothing
	Same    Level = iota - 1
	Swapped       // the same parts in another order: family and given name, day and month
	Latin         // one in Chinese characters, one in Latin letters
	Sound         // other characters with the same sound
	Digit         // one digit off, or two neighbours swapped
	Close         // a slip, a nickname, sounds easily confused
	Tail          // the last eight digits agree
	Part          // a part is missing, or an initial only
	Alike         // somewhat alike
	Family        // the family name alone
	Different
	levels
)

var levelNames = [levels]string{"same", "swapped", "latin", "sound", "digit", "close", "tail", "part", "alike", "family", "different"}

// String is the level's name in evidence.
func (l Level) String() string {
	if l < 0 {
		return ""
	}
	return levelNames[l]
}

// ParseLevel finds a level by its name; Unsaid when there is none.
func ParseLevel(s string) Level { return Level(slices.Index(levelNames[:], s)) }

// Vector is how two people compare, by field.
type Vector struct {
	Levels [fields]Level
	name   string // by whose share an equal name counts
	filler bool   // the common birthday is one that forms fill in by themselves
}

// Compare compares two people field by field. It is symmetric.
func Compare(a, b *Person) Vector {
	var v Vector
	v.Levels[Name], v.name = compareNames(a.names, b.names)
	v.Levels[Birthday] = compareBirthdays(a.birthday, b.birthday)
	v.filler = strings.HasSuffix(a.birthday, "0101")
	v.Levels[Gender] = equal(a.gender, b.gender)
	v.Levels[Phone] = nearest(a.phones, b.phones, comparePhone)
	v.Levels[Email] = nearest(a.locals, b.locals, compareLocal)
	v.Levels[Address] = compareAddresses(a.address, b.address)
	v.Levels[City] = equal(a.city, b.city)
	v.Levels[Number] = nearest(a.numbers, b.numbers, compareNumber)
	v.Levels[Account] = Unsaid
	if slices.ContainsFunc(a.accounts, func(k string) bool { return slices.Contains(b.accounts, k) }) {
		v.Levels[Account] = Different // each has one of its own
	}
	return v
}

func equal(a, b string) Level {
	switch {
	case a == "" || b == "":
		return Unsaid
	case a == b:
		return Same
	}
	return Different
}

// nearest is the closest level of any two values.
func nearest(a, b []string, compare func(a, b string) Level) Level {
	best := Unsaid
	for _, x := range a {
		for _, y := range b {
			if l := compare(x, y); best == Unsaid || l < best {
				best = l
			}
		}
	}
	return best
}

func compareBirthdays(a, b string) Level {
	switch {
	case a == "" || b == "":
		return Unsaid
	case a == b:
		return Same
	case a[:4] == b[:4] && a[4:6] == b[6:] && a[6:] == b[4:6]:
		return Swapped
	case len(a) == len(b) && oneSlip(a, b):
		return Digit
	}
	agree := 0
	for _, p := range [][2]int{{0, 4}, {4, 6}, {6, 8}} {
		if a[p[0]:p[1]] == b[p[0]:p[1]] {
			agree++
		}
	}
	if agree == 2 {
		return Part
	}
	return Different
}

func comparePhone(a, b string) Level {
	switch {
	case a == b:
		return Same
	case len(a) == len(b) && oneSlip(a, b):
		return Digit
	case len(a) >= 8 && len(b) >= 8 && a[len(a)-8:] == b[len(b)-8:]:
		return Tail
	}
	return Different
}

// compareLocal: an address that differs in digits alone is another one of a
// series, not a slip.
func compareLocal(a, b string) Level {
	switch {
	case a == b:
		return Same
	case len(a) >= 5 && len(b) >= 5 && oneSlip(a, b) && digitsOf(a) == digitsOf(b):
		return Close
	}
	return Different
}

func compareNumber(a, b string) Level {
	switch {
	case a == b:
		return Same
	case oneSlip(a, b):
		return Digit
	}
	return Different
}

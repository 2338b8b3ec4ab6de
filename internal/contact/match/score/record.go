package score

import (
	"slices"
	"strings"
	"unicode"
)

// Record is what is known of a person, in clear. Anything may be empty.
type Record struct {
	Names    []string
	Birthday string // YYYY-MM-DD; what is written otherwise is compared as digits
	Gender   string
	City     string
	Phones   []string
	Emails   []string
	Address  string
	Numbers  []string // identity cards, passports
	// Accounts are the kinds of which a person has one only (member number, user id) that this one carries.
	Accounts []string
}

// Person is a Record made ready: reading a name costs more than comparing it,
// and one is compared with many.
type Person struct {
	names    []*name
	birthday string // digits, YYYYMMDD when it is a day
	gender   string
	city     string
	phones   []string // national digits
	locals   []string // local parts of e-mail addresses
	address  address
	numbers  []string
	accounts []string
}

// Read prepares a record.
func Read(r Record) *Person {
	p := &Person{gender: r.Gender, city: cityKey(r.City), address: readAddress(r.Address), accounts: r.Accounts}
	for _, s := range r.Names {
		if n := readName(s); n != nil {
			p.names = append(p.names, n)
		}
	}
	if d := digitsOf(r.Birthday); len(d) == 8 && d != "00000000" {
		p.birthday = d
	}
	for _, s := range r.Phones {
		if d := nationalDigits(s); len(d) >= 7 && !slices.Contains(p.phones, d) {
			p.phones = append(p.phones, d)
		}
	}
	for _, s := range r.Emails {
		if l := localPart(s); l != "" && !slices.Contains(p.locals, l) {
			p.locals = append(p.locals, l)
		}
	}
	for _, s := range r.Numbers {
		if n := strings.ToUpper(keep(narrow(s))); len(n) >= 5 && !slices.Contains(p.numbers, n) {
			p.numbers = append(p.numbers, n)
		}
	}
	return p
}

// NameKey is the form under which the pond is asked how many have the name.
func (p *Person) NameKey() string {
	if len(p.names) == 0 {
		return ""
	}
	return p.names[0].readings[0]
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, narrow(s))
}

func keep(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// nationalDigits are those of a phone number without China's country code.
func nationalDigits(s string) string {
	d := digitsOf(s)
	d = strings.TrimPrefix(d, "00")
	if len(d) == 13 && strings.HasPrefix(d, "86") {
		d = d[2:]
	}
	return d
}

// roles are local parts that name a desk and nobody in particular.
var roles = map[string]bool{"info": true, "admin": true, "sales": true, "service": true, "contact": true, "hello": true, "office": true, "mail": true,
	"support": true, "hr": true, "test": true, "kefu": true, "noreply": true, "no-reply": true, "webmaster": true, "marketing": true, "postmaster": true}

// localPart is what stands before the @, without a +tag and without dots.
func localPart(email string) string {
	l, _, ok := strings.Cut(strings.ToLower(narrow(strings.TrimSpace(email))), "@")
	if !ok {
		return ""
	}
	l, _, _ = strings.Cut(l, "+")
	if l = strings.ReplaceAll(l, ".", ""); len(l) < 3 || roles[l] {
		return ""
	}
	return l
}

// cityKey drops what people write or leave out: 浙江省杭州市 and 杭州 are one.
func cityKey(s string) string {
	s = strings.ToLower(strings.Join(strings.Fields(narrow(s)), " "))
	for _, mark := range []string{"省", "自治区"} {
		if _, rest, ok := strings.Cut(s, mark); ok && rest != "" {
			s = rest
		}
	}
	if rest := strings.TrimSuffix(s, "市"); rest != "" {
		s = rest
	}
	return s
}

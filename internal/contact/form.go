package contact

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"github.com/koipond/koipond/internal/contact/attribute"
)

// FormAttributes lists what a form may ask of a stranger: phone and e-mail, by
// which they are recognised, what every contact has a place for, and the
// dictionary, but for sensitive attributes and those that are no more in use.
func (s *Service) FormAttributes(ctx context.Context) ([]*attribute.Attribute, error) {
	defs, err := s.engine.definitions(ctx)
	if err != nil {
		return nil, err
	}
	sexes := []attribute.Option{{ID: "female", Label: "女 Female"}, {ID: "male", Label: "男 Male"}, {ID: "other", Label: "其他 Other"}}
	var out []*attribute.Attribute
	for _, d := range []attribute.Definition{
		{Key: "phone", NameZh: "手机号", NameEn: "Phone", Type: attribute.Phone, Personal: attribute.Personal},
		{Key: "email", NameZh: "邮箱", NameEn: "E-mail", Type: attribute.Email, Personal: attribute.Personal},
		{Key: attrName, NameZh: "称呼", NameEn: "Name", Type: attribute.Text, MaxLength: 60, Personal: attribute.Personal},
		{Key: attrGender, NameZh: "性别", NameEn: "Gender", Type: attribute.Enum, Options: sexes},
		{Key: attrBirthday, NameZh: "生日", NameEn: "Birthday", Type: attribute.Date, Personal: attribute.Personal},
		{Key: attrCity, NameZh: "所在城市", NameEn: "City", Type: attribute.Text, MaxLength: 40},
	} {
		readers := s.engine.readers()
		readers.Phone = s.engine.formPhone
		a, f := attribute.Compile(d, readers)
		if f != nil {
			return nil, fmt.Errorf("compile the built-in attribute %s: %s", d.Key, f.Code)
		}
		out = append(out, a)
	}
	first := len(out)
	for _, d := range defs.byKey {
		if !d.archived && d.Personal != attribute.Sensitive {
			out = append(out, d.Attribute)
		}
	}
	slices.SortFunc(out[first:], func(a, b *attribute.Attribute) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Key, b.Key))
	})
	return out, nil
}

// formPhone reads a number that somebody types who can still be asked: what merely
// could be one, such as a local number without its area, is not taken.
func (e *engine) formPhone(text string) (string, bool) {
	norm, refused := normalize(KindPhone, text, e.country)
	if refused != "" {
		return "", false
	}
	if d, mainland := strings.CutPrefix(norm, "+86"); mainland && chinaMobile(d) {
		return norm, true // newer prefixes than the library knows
	}
	n, err := phonenumbers.Parse(norm, "")
	return norm, err == nil && phonenumbers.IsValidNumber(n)
}

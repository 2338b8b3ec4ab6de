package contact

import (
	"slices"

	"github.com/koipond/koipond/internal/contact/attribute"
)

// BuiltIn is what every contact has a place for without anybody defining it.
// Columns of lists, rules and imports name it by its key.
type BuiltIn struct {
	Key      string          `json:"key" enum:"name,phone,email,memberNo,gender,birthday,city,avatar"`
	Type     attribute.Type  `json:"type" enum:"text,date,enum,phone,email,region"`
	Personal attribute.Class `json:"personal" enum:"none,personal"`
	Sealed   bool            `json:"sealed,omitempty" doc:"Encrypted at rest, found by a blind index, shown masked"`
	Mask     string          `json:"mask,omitempty" doc:"How a value looks masked"`
	Identity bool            `json:"identity,omitempty" doc:"People are recognised by it"`
	Limit    int             `json:"limit,omitempty" doc:"Of identities: how many one person may carry; 0: any number"`
	Filtered bool            `json:"filtered,omitempty" doc:"Lists can be filtered by it"`
	People   int64           `json:"people" doc:"Who has it, when everybody was last looked at"`

	kind string // of identities
}

// builtIns lists them in the order in which they are shown.
func builtIns() []BuiltIn {
	identity := func(key, kind, example string, typ attribute.Type) BuiltIn {
		b := BuiltIn{Key: key, Type: typ, Personal: attribute.Open, Identity: true, Limit: known[kind].most, Filtered: true, kind: kind}
		if Personal(kind) {
			b.Personal, b.Sealed, b.Mask = attribute.Personal, true, Mask(kind, example)
		}
		return b
	}
	return []BuiltIn{
		{Key: attrName, Type: attribute.Text, Personal: attribute.Personal, Filtered: true},
		identity("phone", KindPhone, "13800001234", attribute.Phone),
		identity("email", KindEmail, "xiaoming@example.com", attribute.Email),
		identity("memberNo", KindMemberNo, "", attribute.Text),
		{Key: attrGender, Type: attribute.Enum, Personal: attribute.Open, Filtered: true},
		{Key: attrBirthday, Type: attribute.Date, Personal: attribute.Personal, Filtered: true},
		{Key: attrCity, Type: attribute.Text, Personal: attribute.Open, Filtered: true},
		{Key: attrAvatar, Type: attribute.Text, Personal: attribute.Open},
	}
}

// builtInNamed finds a built-in attribute by its key.
func builtInNamed(key string) (BuiltIn, bool) {
	all := builtIns()
	i := slices.IndexFunc(all, func(b BuiltIn) bool { return b.Key == key })
	if i < 0 {
		return BuiltIn{}, false
	}
	return all[i], true
}

// IsBuiltIn tells whether a key is that of a built-in attribute. No other may have it.
func IsBuiltIn(key string) bool {
	_, ok := builtInNamed(key)
	return ok
}

// surveyBuiltIns counts a record's built-in attributes, of all that there are;
// kinds are the identities that it carries.
func surveyBuiltIns(all []BuiltIn, found map[string]*surveyed, r *record, kinds uint64) {
	for i := range all {
		b := &all[i]
		has := b.kind != "" && kinds&known[b.kind].bit != 0
		if col := r.column(b.Key); col != nil {
			has = *col != ""
		}
		if found[b.Key] == nil {
			found[b.Key] = &surveyed{}
		}
		if has {
			found[b.Key].people++
		}
	}
}

// Package veil answers: which parts of a fact are personal, and how are they
// shown to people who may see facts but not whose they are? Facts are free
// text, so it goes by the names of properties and by the look of values; it
// hides rather too much than too little.
package veil

import (
	"strings"

	"github.com/koipond/koipond/internal/event/jsonscan"
	"github.com/koipond/koipond/internal/platform/secret"
)

// personalKeys are property names whose values are hidden whatever they look
// like, in lower case without separators.
var personalKeys = map[string]func(string) string{
	"phone": secret.MaskPhone, "mobile": secret.MaskPhone, "phonenumber": secret.MaskPhone, "mobilephone": secret.MaskPhone, "tel": secret.MaskPhone,
	"telephone": secret.MaskPhone, "手机": secret.MaskPhone, "手机号": secret.MaskPhone, "电话": secret.MaskPhone,
	"email": secret.MaskEmail, "mail": secret.MaskEmail, "邮箱": secret.MaskEmail,
	"idcard": secret.MaskIDNumber, "idnumber": secret.MaskIDNumber, "身份证": secret.MaskIDNumber, "身份证号": secret.MaskIDNumber,
	"firstname": secret.MaskName, "lastname": secret.MaskName, "fullname": secret.MaskName, "realname": secret.MaskName, "nickname": secret.MaskName,
	"姓名": secret.MaskName, "昵称": secret.MaskName, "真实姓名": secret.MaskName,
	"ip": secret.Mask, "ipaddress": secret.Mask, "address": secret.Mask, "street": secret.Mask, "地址": secret.Mask, "收货地址": secret.Mask,
	"userid": secret.Mask, "anonymousid": secret.Mask, "previousid": secret.Mask, "deviceid": secret.Mask, "advertisingid": secret.Mask, "openid": secret.Mask,
	"unionid": secret.Mask, "externaluserid": secret.Mask, "memberno": secret.Mask, "wechat": secret.Mask, "wechatid": secret.Mask,
	"password": hidden, "token": hidden, "secret": hidden, "avatar": hidden, "birthday": hidden, "birthdate": hidden, "生日": hidden,
}

func hidden(string) string { return "***" }

// key brings the many spellings of a name together: user_id, userId, User-ID.
func key(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		switch r {
		case '_', '-', ' ', '.', '$':
			return -1
		}
		return r
	}, name))
}

// Personal tells whether a value should not be kept as a sample: by the name
// it goes under, or because it looks like a phone number, an address for mail,
// an identity number or a key.
func Personal(name, value string) bool {
	_, named := personalKeys[key(name)]
	return named || looksPersonal(value)
}

func looksPersonal(v string) bool {
	if at := strings.IndexByte(v, '@'); at > 0 && strings.Contains(v[at:], ".") {
		return true
	}
	digits, others := 0, 0
	for i := range len(v) {
		switch c := v[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '+' || c == '-' || c == ' ' || c == '(' || c == ')':
		case (c == 'X' || c == 'x') && i == len(v)-1:
		default:
			others++
		}
	}
	switch {
	case others == 0 && digits == 11 && v[0] == '1', others == 0 && strings.HasPrefix(v, "+") && digits >= 10: // phone
		return true
	case others == 0 && (digits == 18 || digits == 17) && len(v) == 18: // resident identity number
		return true
	}
	return false
}

// Identifier hides the telling part of an identifier.
func Identifier(kind, value string) string {
	switch key(kind) {
	case "phone", "mobile":
		return secret.MaskPhone(value)
	case "email":
		return secret.MaskEmail(value)
	}
	return secret.Mask(value)
}

// Object copies a JSON object with personal values hidden, also in objects and
// lists inside it. `name` is a person's inside person (traits), and a page's or
// product's elsewhere.
func Object(raw []byte, person bool) []byte {
	if len(raw) == 0 {
		return nil
	}
	var s jsonscan.Scanner
	s.Reset(raw)
	if s.Kind() != jsonscan.Object {
		return nil
	}
	return object(make([]byte, 0, len(raw)+16), &s, person, 0)
}

func object(dst []byte, s *jsonscan.Scanner, person bool, depth int) []byte {
	dst = append(dst, '{')
	s.Open()
	for first := true; ; first = false {
		k, ok, err := s.Key(first)
		if err != nil || !ok {
			return append(dst, '}')
		}
		if !first {
			dst = append(dst, ',')
		}
		dst = append(append(dst, k.Raw...), ':')
		dst = member(dst, s, string(jsonscan.Text(nil, k)), person, depth)
	}
}

func member(dst []byte, s *jsonscan.Scanner, name string, person bool, depth int) []byte {
	switch s.Kind() {
	case jsonscan.Object:
		if depth < jsonscan.MaxDepth {
			return object(dst, s, person || key(name) == "traits", depth+1)
		}
	case jsonscan.Array:
		if depth < jsonscan.MaxDepth {
			return list(dst, s, name, person || key(name) == "externalids" || key(name) == "externalid", depth+1)
		}
	}
	v, err := s.Skip()
	if err != nil {
		return append(dst, "null"...)
	}
	mask := maskFor(name, person)
	var text string
	switch v.Kind {
	case jsonscan.String:
		text = string(jsonscan.Text(nil, v))
	case jsonscan.Number:
		text = string(v.Raw)
	}
	if text == "" || mask == nil && !looksPersonal(text) {
		return append(dst, v.Raw...)
	}
	if mask == nil {
		mask = secret.Mask
		if strings.IndexByte(text, '@') > 0 {
			mask = secret.MaskEmail
		}
	}
	return jsonscan.Quote(dst, mask(text))
}

func maskFor(name string, person bool) func(string) string {
	k := key(name)
	if person && k == "name" {
		return secret.MaskName
	}
	if person && k == "id" {
		return secret.Mask
	}
	return personalKeys[k]
}

func list(dst []byte, s *jsonscan.Scanner, name string, person bool, depth int) []byte {
	dst = append(dst, '[')
	s.Open()
	for first := true; ; first = false {
		if ok, err := s.Elem(first); err != nil || !ok {
			return append(dst, ']')
		}
		if !first {
			dst = append(dst, ',')
		}
		dst = member(dst, s, name, person, depth)
	}
}

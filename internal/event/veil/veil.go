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
	"receiver": secret.MaskName, "receivername": secret.MaskName, "consignee": secret.MaskName, "contactname": secret.MaskName, "customername": secret.MaskName,
	"收货人": secret.MaskName, "收件人": secret.MaskName, "联系人": secret.MaskName,
	"password": hidden, "token": hidden, "secret": hidden, "avatar": hidden, "birthday": hidden, "birthdate": hidden, "生日": hidden,
}

// personalEndings are ends of longer names that say the same: receiver_phone, 备用手机号.
var personalEndings = []struct {
	end  string
	mask func(string) string
}{
	{"phone", secret.MaskPhone}, {"phonenumber", secret.MaskPhone}, {"phoneno", secret.MaskPhone}, {"phonenum", secret.MaskPhone},
	{"mobile", secret.MaskPhone}, {"mobileno", secret.MaskPhone}, {"手机", secret.MaskPhone}, {"手机号", secret.MaskPhone}, {"手机号码", secret.MaskPhone},
	{"电话", secret.MaskPhone}, {"电话号码", secret.MaskPhone}, {"email", secret.MaskEmail}, {"邮箱", secret.MaskEmail},
	{"idcard", secret.MaskIDNumber}, {"idcardno", secret.MaskIDNumber}, {"身份证", secret.MaskIDNumber}, {"身份证号", secret.MaskIDNumber},
	{"address", secret.Mask}, {"地址", secret.Mask}, {"openid", secret.Mask}, {"unionid", secret.Mask},
}

// named gives the mask of a property name, nil when it does not sound personal.
// `is_mobile` and `has_email` are answers, not values.
func named(k string) func(string) string {
	if mask := personalKeys[k]; mask != nil {
		return mask
	}
	for _, e := range personalEndings {
		if strings.HasSuffix(k, e.end) && !strings.HasPrefix(k, "is") && !strings.HasPrefix(k, "has") {
			return e.mask
		}
	}
	return nil
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
	return Named(name) || looksPersonal(value)
}

// Named tells whether a property of this name holds personal values.
func Named(name string) bool { return named(key(name)) != nil }

// Value hides one value when Personal says so.
func Value(name, value string) string {
	mask := named(key(name))
	if mask == nil && !looksPersonal(value) {
		return value
	}
	if mask == nil {
		mask = looksMask
	}
	return mask(value)
}

// looksMask hides a value that only its look gave away. Inside a longer text
// the phone numbers alone go.
func looksMask(text string) string {
	if strings.IndexByte(text, '@') > 0 {
		return secret.MaskEmail(text)
	}
	from, to := mobileIn(text)
	if to == 0 || to-from == len(text) {
		return secret.Mask(text)
	}
	var out strings.Builder
	for to > 0 {
		out.WriteString(text[:from])
		out.WriteString(secret.MaskPhone(text[from:to]))
		text = text[to:]
		from, to = mobileIn(text)
	}
	out.WriteString(text)
	return out.String()
}

// mobileIn finds a mainland mobile number that stands alone in a text, such as
// in the query of a page's address, with the country code or without: 0, 0
// when there is none.
func mobileIn(v string) (from, to int) {
	for i := 0; i < len(v); {
		if v[i] < '0' || v[i] > '9' {
			i++
			continue
		}
		start := i
		for i < len(v) && v[i] >= '0' && v[i] <= '9' {
			i++
		}
		run := v[start:i]
		if len(run) == 13 {
			run = strings.TrimPrefix(run, "86")
		} else if len(run) == 15 {
			run = strings.TrimPrefix(run, "0086")
		}
		decimals := start > 0 && v[start-1] == '.' // 0.13812345678 is a number
		if len(run) == 11 && run[0] == '1' && run[1] >= '3' && !decimals {
			return start, i
		}
	}
	return 0, 0
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
	_, end := mobileIn(v)
	return end > 0
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
		mask = looksMask
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
	return named(k)
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

package wechat

import (
	"net/url"
	"strconv"
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

type limit struct {
	most int
	unit unit
}

// limits are what the platform takes, as data: by call and field. A name that is
// missing here is a mistake in this package, and its tests find it.
var limits = map[string]limit{
	"text":          {2048, bytesOf},
	"choices":       {10, items},
	"link.title":    {128, bytesOf},
	"link.text":     {512, bytesOf},
	"url":           {1024, bytesOf},
	"menu.buttons":  {3, items},
	"menu.sub":      {5, items},
	"menu.name":     {16, bytesOf},
	"menu.sub_name": {60, bytesOf},
	"menu.key":      {128, bytesOf},
	"scene":         {64, chars},
	"scene.seconds": {30 * 24 * 3600, number},
	"users":         {100, items},
	"mass.people":   {10_000, items},
	"mass.key":      {64, bytesOf},
	"link.query":    {1024, bytesOf},
	"link.page":     {1024, bytesOf},
	"link.days":     {30, number},
	"media.bytes":   {10 << 20, number},
	"picture.bytes": {1 << 20, number},
}

// values are what a parameter of a template may hold, by the sort that its name
// begins with ("thing1"). Other names are the platform's to judge.
var values = map[string]limit{
	"thing": {20, chars}, "number": {32, chars}, "letter": {32, chars}, "symbol": {5, chars}, "character_string": {32, chars},
	"phone_number": {17, chars}, "car_number": {8, chars}, "name": {10, chars}, "phrase": {5, chars}, "const": {20, chars},
}

// checker collects what is wrong with a call before it is made.
type checker struct{ faults []errs.Field }

func (k *checker) text(path, name, value string) {
	l, ok := limits[name]
	if !ok {
		panic("wechat: no such limit: " + name)
	}
	k.within(path, l, value)
}

func (k *checker) within(path string, l limit, value string) {
	switch {
	case l.unit == bytesOf && len(value) > l.most:
		k.faults = append(k.faults, errs.At(path, "wechat.too_many_bytes", "limit", l.most, "got", len(value)))
	case l.unit == chars && utf8.RuneCountInString(value) > l.most:
		k.faults = append(k.faults, errs.At(path, "request.too_long", "limit", l.most))
	}
}

func (k *checker) count(path, name string, n int) {
	l, ok := limits[name]
	if !ok {
		panic("wechat: no such limit: " + name)
	}
	switch {
	case n <= l.most:
	case l.unit == items:
		k.faults = append(k.faults, errs.At(path, "request.too_many_items", "limit", l.most))
	default:
		k.faults = append(k.faults, errs.At(path, "request.too_big", "limit", l.most))
	}
}

func (k *checker) need(path string, have bool) {
	if !have {
		k.faults = append(k.faults, errs.At(path, "request.field_required"))
	}
}

// url wants an address that phones open.
func (k *checker) url(path, address string) {
	k.need(path, address != "")
	k.text(path, "url", address)
	u, err := url.Parse(address)
	if address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		k.fault(path, "wechat.no_address")
	}
}

func (k *checker) fault(path, code string) { k.faults = append(k.faults, errs.At(path, code)) }

func (k *checker) err() error {
	if len(k.faults) == 0 {
		return nil
	}
	return errs.New(errs.Invalid, "request.invalid").On(k.faults...)
}

func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

package wecom

import (
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
	"customers.users":    {100, items},
	"customers.page":     {100, number},
	"remark.remark":      {20, chars},
	"remark.description": {150, chars},
	"remark.company":     {20, chars},
	"remark.mobiles":     {5, items},
	"tags.group":         {MaxTagGroup, chars},
	"tags.name":          {MaxTagName, chars},
	"tags.names":         {100, items},
	"tags.ids":           {100, items},
	"mark.tags":          {100, items},
	"way.remark":         {30, chars},
	"way.state":          {30, chars},
	"way.users":          {100, items},
	"way.parties":        {100, items},
	"way.expires":        {14 * 24 * 3600, number},
	"text":               {4000, bytesOf},
	"parts":              {9, items},
	"link.title":         {128, bytesOf},
	"link.desc":          {512, bytesOf},
	"link.url":           {2048, bytesOf},
	"link.picture":       {2048, bytesOf},
	"miniprogram.title":  {64, bytesOf},
	"miniprogram.page":   {1024, bytesOf},
	"mass.customers":     {10_000, items},
	"mass.groups":        {2000, items},
	"mass.page":          {100, number},
	"mass.span":          {31 * 24 * 3600, number},
	"result.page":        {1000, number},
	"moment.text":        {2000, chars},
	"moment.images":      {9, items},
	"moment.senders":     {100_000, items},
	"moment.tags":        {100, items},
	"moment.page":        {100, number},
	"groups.page":        {1000, number},
	"groups.owners":      {100, items},
	"join.remark":        {30, chars},
	"join.state":         {30, chars},
	"join.groups":        {5, items},
	"join.name":          {40, chars},
	"groupwelcome.text":  {3000, bytesOf},
	"transfer.customers": {100, items},
	"transfer.message":   {200, chars},
	"transfer.groups":    {100, items},
	"unassigned.page":    {1000, number},
	"service.page":       {1000, number},
	"service.customers":  {100, items},
	"service.text":       {2048, bytesOf},
	"agent.text":         {2048, bytesOf},
	"agent.users":        {1000, items},
	"media.bytes":        {20 << 20, number},
}

// What the platform takes of tags, for those who look before they ask.
const (
	MaxTagName  = 30
	MaxTagGroup = 15
	MaxTags     = 3000
)

// checker collects what is wrong with a call before it is made.
type checker struct{ faults []errs.Field }

// most checks a text, or a count given as n, against the table.
func (k *checker) text(path, name, value string) {
	l, ok := limits[name]
	if !ok {
		panic("wecom: no such limit: " + name)
	}
	switch {
	case l.unit == bytesOf && len(value) > l.most:
		k.faults = append(k.faults, errs.At(path, "wecom.too_many_bytes", "limit", l.most, "got", len(value)))
	case l.unit == chars && utf8.RuneCountInString(value) > l.most:
		k.faults = append(k.faults, errs.At(path, "request.too_long", "limit", l.most))
	}
}

func (k *checker) count(path, name string, n int) {
	l, ok := limits[name]
	if !ok {
		panic("wecom: no such limit: " + name)
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

// forbid notes another mistake.
func (k *checker) fault(path, code string) { k.faults = append(k.faults, errs.At(path, code)) }

func (k *checker) err() error {
	if len(k.faults) == 0 {
		return nil
	}
	return errs.New(errs.Invalid, "request.invalid").On(k.faults...)
}

// page bounds how many entries are asked for; 0 is as many as the platform gives.
func page(name string, n int) int {
	most := limits[name].most
	if n <= 0 || n > most {
		return most
	}
	return n
}

func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

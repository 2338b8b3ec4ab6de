package wecom

import (
	"strconv"

	"github.com/koipond/koipond/internal/connector/wxcall"
)

// limits are what the platform takes, as data: by call and field. A name that is
// missing here is a mistake in this package, and its tests find it.
var limits = wxcall.Limits{
	"customers.users":    wxcall.Items(100),
	"customers.page":     wxcall.Number(100),
	"remark.remark":      wxcall.Chars(20),
	"remark.description": wxcall.Chars(150),
	"remark.company":     wxcall.Chars(20),
	"remark.mobiles":     wxcall.Items(5),
	"tags.group":         wxcall.Chars(MaxTagGroup),
	"tags.name":          wxcall.Chars(MaxTagName),
	"tags.names":         wxcall.Items(100),
	"tags.ids":           wxcall.Items(100),
	"mark.tags":          wxcall.Items(100),
	"way.remark":         wxcall.Chars(30),
	"way.state":          wxcall.Chars(30),
	"way.users":          wxcall.Items(100),
	"way.parties":        wxcall.Items(100),
	"way.expires":        wxcall.Number(14 * 24 * 3600),
	"text":               wxcall.Bytes(4000),
	"parts":              wxcall.Items(9),
	"link.title":         wxcall.Bytes(128),
	"link.desc":          wxcall.Bytes(512),
	"link.url":           wxcall.Bytes(2048),
	"link.picture":       wxcall.Bytes(2048),
	"miniprogram.title":  wxcall.Bytes(64),
	"miniprogram.page":   wxcall.Bytes(1024),
	"mass.customers":     wxcall.Items(10_000),
	"mass.groups":        wxcall.Items(2000),
	"mass.page":          wxcall.Number(100),
	"mass.span":          wxcall.Number(31 * 24 * 3600),
	"result.page":        wxcall.Number(1000),
	"moment.text":        wxcall.Chars(2000),
	"moment.images":      wxcall.Items(9),
	"moment.senders":     wxcall.Items(100_000),
	"moment.tags":        wxcall.Items(100),
	"moment.page":        wxcall.Number(100),
	"groups.page":        wxcall.Number(1000),
	"groups.owners":      wxcall.Items(100),
	"join.remark":        wxcall.Chars(30),
	"join.state":         wxcall.Chars(30),
	"join.groups":        wxcall.Items(5),
	"join.name":          wxcall.Chars(40),
	"groupwelcome.text":  wxcall.Bytes(3000),
	"transfer.customers": wxcall.Items(100),
	"transfer.message":   wxcall.Chars(200),
	"transfer.groups":    wxcall.Items(100),
	"unassigned.page":    wxcall.Number(1000),
	"service.page":       wxcall.Number(1000),
	"service.customers":  wxcall.Items(100),
	"service.text":       wxcall.Bytes(2048),
	"service.title":      wxcall.Bytes(128),
	"service.desc":       wxcall.Bytes(512),
	"service.url":        wxcall.Bytes(2048),
	"service.app":        wxcall.Bytes(64),
	"service.pagepath":   wxcall.Bytes(1024),
	"service.around":     wxcall.Bytes(1024),
	"service.lines":      wxcall.Items(10),
	"service.id":         wxcall.Bytes(128),
	"service.click":      wxcall.Bytes(128),
	"service.view":       wxcall.Bytes(1024),
	"agent.text":         wxcall.Bytes(2048),
	"agent.users":        wxcall.Items(1000),
	"media.bytes":        wxcall.Number(20 << 20),
}

// What the platform takes of tags, for those who look before they ask.
const (
	MaxTagName  = 30
	MaxTagGroup = 15
	MaxTags     = 3000
)

// checker collects what is wrong with a call before it is made.
type checker struct{ wxcall.Checker }

func (k *checker) text(path, name, value string) {
	k.Within(path, limits.Of(name), value, "wecom.too_many_bytes")
}

func (k *checker) count(path, name string, n int) { k.Count(path, limits.Of(name), n) }

// page bounds how many entries are asked for; 0 is as many as the platform gives.
func page(name string, n int) int {
	most := limits[name].Most
	if n <= 0 || n > most {
		return most
	}
	return n
}

func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

package wechat

import (
	"net/url"
	"strconv"

	"github.com/koipond/koipond/internal/connector/wxcall"
)

// limits are what the platform takes, as data: by call and field. A name that is
// missing here is a mistake in this package, and its tests find it.
var limits = wxcall.Limits{
	"text":          wxcall.Bytes(2048),
	"choices":       wxcall.Items(10),
	"link.title":    wxcall.Bytes(128),
	"link.text":     wxcall.Bytes(512),
	"url":           wxcall.Bytes(1024),
	"menu.buttons":  wxcall.Items(3),
	"menu.sub":      wxcall.Items(5),
	"menu.name":     wxcall.Bytes(16),
	"menu.sub_name": wxcall.Bytes(60),
	"menu.key":      wxcall.Bytes(128),
	"scene":         wxcall.Chars(64),
	"scene.seconds": wxcall.Number(30 * 24 * 3600),
	"users":         wxcall.Items(100),
	"mass.people":   wxcall.Items(10_000),
	"mass.key":      wxcall.Bytes(64),
	"link.query":    wxcall.Bytes(1024),
	"link.page":     wxcall.Bytes(1024),
	"link.days":     wxcall.Number(30),
	"mini.scene":    wxcall.Chars(32),
	"mini.page":     wxcall.Bytes(1024),
	"mini.width":    wxcall.Number(1280),
	"media.bytes":   wxcall.Number(10 << 20),
	"picture.bytes": wxcall.Number(1 << 20),
}

// values are what a parameter of a template may hold, by the sort that its name
// begins with ("thing1"). Other names are the platform's to judge.
var values = wxcall.Limits{
	"thing": wxcall.Chars(20), "number": wxcall.Chars(32), "letter": wxcall.Chars(32), "symbol": wxcall.Chars(5), "character_string": wxcall.Chars(32),
	"phone_number": wxcall.Chars(17), "car_number": wxcall.Chars(8), "name": wxcall.Chars(10), "phrase": wxcall.Chars(5), "const": wxcall.Chars(20),
}

// checker collects what is wrong with a call before it is made.
type checker struct{ wxcall.Checker }

func (k *checker) text(path, name, value string) { k.within(path, limits.Of(name), value) }

func (k *checker) within(path string, l wxcall.Limit, value string) {
	k.Within(path, l, value, "wechat.too_many_bytes")
}

func (k *checker) count(path, name string, n int) { k.Count(path, limits.Of(name), n) }

// url wants an address that phones open.
func (k *checker) url(path, address string) {
	k.Need(path, address != "")
	k.text(path, "url", address)
	u, err := url.Parse(address)
	if address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		k.Fault(path, "wechat.no_address")
	}
}

func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

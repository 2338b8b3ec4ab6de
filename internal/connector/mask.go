package connector

import (
	"regexp"
	"strings"

	"github.com/koipond/koipond/internal/event/veil"
	"github.com/koipond/koipond/internal/platform/secret"
)

// personal are the parts of platforms' messages that say who somebody is or what
// they wrote, in XML and in JSON.
var personal = []string{"Name", "Content", "Remark", "Mobile", "Phone", "PhoneNumber", "phone_number", "phone", "mobile", "Email", "email", "Address", "Gender", "Avatar", "Label", "Recognition", "Description",
	"content", "name", "text", "recipient", "subject", "Latitude", "Longitude", "Precision", "Location_X", "Location_Y", "Telephone", "BizMail", "Title", "Url", "PicUrl"}

var (
	inXML  = regexp.MustCompile(`(?s)<(` + strings.Join(personal, "|") + `)>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</(?:` + strings.Join(personal, "|") + `)>`)
	inJSON = regexp.MustCompile(`"(` + strings.Join(personal, "|") + `)"(\s*:\s*)"((?:[^"\\]|\\.)*)"`)
)

// veilBody hides what is personal in a platform's message; who may see it asks for
// it in full.
func veilBody(body string) string {
	body = inXML.ReplaceAllStringFunc(body, func(m string) string {
		p := inXML.FindStringSubmatch(m)
		return "<" + p[1] + ">" + secret.Mask(p[2]) + "</" + p[1] + ">"
	})
	body = inJSON.ReplaceAllStringFunc(body, func(m string) string {
		p := inJSON.FindStringSubmatch(m)
		return `"` + p[1] + `"` + p[2] + `"` + secret.Mask(p[3]) + `"`
	})
	return veil.Text(body)
}

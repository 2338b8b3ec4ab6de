package mail

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/koipond/koipond/internal/connector"
	"github.com/koipond/koipond/internal/platform/errs"
)

const (
	// headerUnsubscribe is where a mail program posts to end it.
	headerUnsubscribe = "List-Unsubscribe"
	oneClick          = "List-Unsubscribe=One-Click"
	maxSubject        = 200 // characters
	maxBody           = 2 << 20
	maxHeaders        = 20
)

var (
	errUnsubscribe = errs.New(errs.Invalid, "mail.needs_unsubscribe")
	errEmpty       = errs.New(errs.Invalid, "mail.empty")
	errSubject     = errs.New(errs.Invalid, "mail.bad_subject", "limit", maxSubject)
	errLarge       = errs.New(errs.Invalid, "mail.too_large")
)

// headerName is the form of a header that a caller may add; ours are not among them.
var headerName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,60}$`)

var ourHeaders = []string{"From", "To", "Cc", "Bcc", "Subject", "Date", "Message-Id", "Sender", "Return-Path", "Mime-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Dkim-Signature",
	"Received", "List-Unsubscribe-Post", "Resent-From", "Resent-To", "Resent-Cc", "Resent-Bcc", "Resent-Sender", "Resent-Date", "Resent-Message-Id", "Authentication-Results"}

// parts are what a mail is made of, checked.
type parts struct {
	from, fromName, replyTo, to string
	subject, text, html         string
	headers                     map[string]string
	unsubscribe                 string
	mark                        string
	at                          time.Time
}

// partsOf checks a message: nothing of it can end a header.
func (c *Client) partsOf(m connector.Message) (parts, error) {
	p := parts{from: c.from, fromName: c.fromName, replyTo: c.replyTo, subject: strings.TrimSpace(m.Title), headers: map[string]string{}, at: c.env.Clock.Now()}
	var err error
	if p.to, err = Address(m.To); err != nil {
		return p, err
	}
	switch {
	case unsafe(p.subject) || !utf8.ValidString(p.subject) || p.subject == "" || utf8.RuneCountInString(p.subject) > maxSubject:
		return p, errSubject
	case strings.TrimSpace(m.Text) == "":
		return p, errEmpty
	case len(m.Text) > maxBody:
		return p, errLarge
	case len(m.Headers) > maxHeaders:
		return p, errHeader
	}
	for name, v := range m.Headers {
		name = textproto.CanonicalMIMEHeaderKey(name)
		if !headerName.MatchString(name) || slices.Contains(ourHeaders, name) || unsafe(v) || len(v) > 900 || !ascii(v) {
			return p, errHeader
		}
		if name == headerUnsubscribe {
			if p.unsubscribe, err = webAddress(v); err != nil {
				return p, err
			}
			continue
		}
		p.headers[name] = v
	}
	if m.Marketing && p.unsubscribe == "" {
		return p, errUnsubscribe
	}
	if isHTML(m) {
		p.html, p.text = m.Text, PlainText(m.Text)
	} else {
		p.text = m.Text
	}
	return p, nil
}

// webAddress takes the address to post to out of <https://…>, or out of an address.
func webAddress(v string) (string, error) {
	u := strings.Trim(strings.TrimSpace(v), "<>")
	if !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "http://") || strings.ContainsAny(u, "<>, \t\"") {
		return "", errUnsubscribe
	}
	return u, nil
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x7f })
}

// isHTML tells whether the text of a message is HTML: it says so, or begins so.
func isHTML(m connector.Message) bool {
	return m.Form == "html" || m.Form != "text" && strings.HasPrefix(strings.TrimSpace(m.Text), "<")
}

// compose writes the mail, without its signature.
func compose(p parts) []byte {
	var b bytes.Buffer
	line := func(name, value string) { b.WriteString(name + ": " + value + "\r\n") }
	from := mail.Address{Name: p.fromName, Address: p.from}
	line("From", from.String())
	line("To", "<"+p.to+">")
	if p.replyTo != "" {
		line("Reply-To", "<"+p.replyTo+">")
	}
	line("Subject", foldWords(p.subject))
	line("Date", p.at.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	line("Message-ID", "<"+p.mark+"@"+domainOf(p.from)+">")
	if p.unsubscribe != "" {
		line(headerUnsubscribe, "<"+p.unsubscribe+">")
		line("List-Unsubscribe-Post", oneClick)
		line("Precedence", "bulk")
	}
	for _, n := range slices.Sorted(maps.Keys(p.headers)) {
		line(n, p.headers[n])
	}
	line("MIME-Version", "1.0")
	if p.html == "" {
		line("Content-Type", "text/plain; charset=utf-8")
		line("Content-Transfer-Encoding", "quoted-printable")
		b.WriteString("\r\n")
		printable(&b, p.text)
		return b.Bytes()
	}
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary(boundary()) // of our own letters
	line("Content-Type", "multipart/alternative; boundary="+w.Boundary())
	b.WriteString("\r\n")
	for _, part := range []struct{ mime, text string }{{"text/plain", p.text}, {"text/html", p.html}} {
		h := textproto.MIMEHeader{"Content-Type": {part.mime + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"}}
		pw, _ := w.CreatePart(h) // a buffer takes everything
		printable(pw, part.text)
	}
	_ = w.Close()
	return b.Bytes()
}

// foldWords encodes a subject in words of at most 75 letters, each on a line.
func foldWords(s string) string {
	return strings.ReplaceAll(mime.BEncoding.Encode("utf-8", s), "?= =?", "?=\r\n =?")
}

func printable(w interface{ Write([]byte) (int, error) }, text string) {
	q := quotedprintable.NewWriter(w)
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	_, _ = q.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n"))) // into memory
	_ = q.Close()
}

func boundary() string {
	b := make([]byte, 15)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return "kp" + hex.EncodeToString(b)
}

// PlainText is what HTML says without its looks: links with their addresses, blocks
// on lines of their own.
func PlainText(source string) string {
	var b strings.Builder
	skip, href := 0, ""
	z := html.NewTokenizer(strings.NewReader(source))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return tidy(b.String())
		case html.TextToken:
			if skip == 0 {
				b.WriteString(strings.Join(strings.FieldsFunc(edges(string(z.Text())), func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }), " "))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			switch t.Data {
			case "script", "style", "title":
				if t.Type == html.StartTagToken {
					skip++
				}
			case "br":
				b.WriteByte('\n')
			case "li":
				b.WriteString("\n- ")
			case "img":
				b.WriteString(attribute(t, "alt"))
			case "a":
				href = attribute(t, "href")
			case "p", "div", "h1", "h2", "h3", "h4", "tr", "table", "ul", "ol":
				b.WriteString("\n")
			}
		case html.EndTagToken:
			switch t := z.Token(); t.Data {
			case "script", "style", "title":
				skip = max(0, skip-1)
			case "a":
				if strings.HasPrefix(href, "http") {
					fmt.Fprintf(&b, " (%s)", href)
				}
				href = ""
			case "p", "h1", "h2", "h3", "h4", "table", "ul", "ol":
				b.WriteString("\n")
			}
		}
	}
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}

// edges makes each run of white space one space, at the ends too.
func edges(s string) string {
	var b strings.Builder
	space := false
	for _, r := range s {
		if r == ' ' || r == '\n' || r == '\t' || r == '\r' {
			space = true
			continue
		}
		if space {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	if space {
		b.WriteByte(' ')
	}
	return b.String()
}

var manyLines = regexp.MustCompile(`\n[ \n]*\n`)

func tidy(s string) string {
	var out []string
	for l := range strings.SplitSeq(s, "\n") {
		out = append(out, strings.TrimSpace(l))
	}
	return strings.TrimSpace(manyLines.ReplaceAllString(strings.Join(out, "\n"), "\n\n"))
}

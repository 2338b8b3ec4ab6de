package mail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"regexp"
	"strings"
	"time"

	"github.com/koipond/koipond/internal/connector"
)

// The kinds of report.
const (
	kindBounce    = "bounce"
	kindComplaint = "complaint"
	kindDelivered = "delivered"
	// kindNone is a mail in the mailbox of reports that is none, or whose mark fits
	// nothing: an answer of somebody on holiday, a forgery.
	kindNone = "none"
)

// prefix begins the names of what an account is told.
const prefix = "mail."

// report is what became of a mail, in one form whatever it came in.
type report struct {
	Kind      string    `json:"event"`
	ID        string    `json:"id,omitempty"` // of the mail
	Recipient string    `json:"recipient,omitempty"`
	Status    string    `json:"status,omitempty"` // 5.1.1
	Words     string    `json:"words,omitempty"`
	At        time.Time `json:"at"`
}

// incoming is the report as the inbox keeps it.
func (r report) incoming() connector.Incoming {
	r.Words, r.Status, r.Recipient = clip(r.Words, 300), clip(r.Status, 20), clip(r.Recipient, 254)
	raw, _ := json.Marshal(r) // texts and a time always encode
	in := connector.Incoming{Name: prefix + r.Kind, Subject: r.Recipient, At: r.At, Body: raw}
	fate := fateOf(r.Status)
	switch r.Kind {
	case kindBounce:
		in.Receipt = &connector.Receipt{ID: r.ID, State: connector.Bounced, Code: r.Status, Reason: fate.reason, At: r.At}
	case kindDelivered:
		in.Receipt = &connector.Receipt{ID: r.ID, State: connector.Delivered, At: r.At}
	}
	// The same report comes again from the mailbox, and a server that refuses at once
	// may report it, too: of one mail to one address it counts once.
	in.Key = r.Kind + ":" + r.ID + ":" + r.Recipient
	if r.ID == "" {
		in.Key += ":" + r.At.UTC().Format(time.RFC3339) + ":" + r.Status
	}
	return in
}

// Limits of what is read of a report.
const (
	maxParts  = 20
	maxDepth  = 4
	maxPart   = 128 << 10
	maxRecips = 20
)

var errNoMail = errors.New("it is no mail")

// found is what is gathered from a report's parts.
type found struct {
	marks, addresses           []string
	status, action, diagnostic string
	feedback                   string
	isDSN                      bool
	statuses                   map[string][2]string // status and words by address
	parts                      int
}

// parseReport reads a mail that may be a report: of a mail that did not arrive (RFC
// 3464, and the ways of those who do not keep it), or that somebody called spam (RFC
// 5965). Its mark tells whether to believe it.
func (m marker) parseReport(raw []byte, now time.Time) (report, error) {
	h, body, err := readMail(raw)
	if err != nil {
		return report{}, err
	}
	f := &found{statuses: map[string][2]string{}}
	f.header(h, false)
	f.walk(h, body, 0)
	none := report{Kind: kindNone, At: now, Status: ""}
	out := report{At: now}
	if t, err := parseDate(h.Get("Date")); err == nil && t.Before(now.Add(time.Hour)) && t.After(now.AddDate(0, -1, 0)) {
		out.At = t
	}
	var ok bool
	if out.ID, out.Recipient, ok = m.fits(f.marks, f.addresses); !ok {
		none.ID = "" // nothing of it is believed
		none.Words = clip(h.Get("Subject"), 100)
		return none, nil
	}
	out.Status, out.Words = f.status, f.diagnostic
	if own, ok := f.statuses[out.Recipient]; ok {
		out.Status, out.Words = own[0], own[1]
	}
	switch action := strings.ToLower(f.action); {
	case f.feedback != "":
		switch strings.ToLower(f.feedback) {
		case "abuse", "fraud", "virus", "opt-out", "not-spam-reverse":
			out.Kind = kindComplaint
		default: // not-spam, auth-failure: nothing against us
			return none, nil
		}
	case f.isDSN && action == "delivered", f.isDSN && action == "relayed", f.isDSN && action == "expanded":
		out.Kind = kindDelivered
	case f.isDSN && action == "delayed":
		return none, nil // it goes on trying
	case f.isDSN, out.Status != "" && strings.HasPrefix(out.Status, "5"):
		out.Kind = kindBounce
	default:
		return none, nil
	}
	return out, nil
}

func readMail(raw []byte) (textproto.MIMEHeader, []byte, error) {
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(raw)))
	h, err := r.ReadMIMEHeader()
	if err != nil && !errors.Is(err, io.EOF) || len(h) == 0 {
		return nil, nil, errNoMail
	}
	body, err := io.ReadAll(r.R)
	return h, body, err
}

var anyAddress = regexp.MustCompile(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9.-]{1,250}`)

// header gathers marks and addresses from headers. Those of the report itself say
// to whom it was sent, which is a mark of ours; those of the mail it quotes, where
// that went.
func (f *found) header(h textproto.MIMEHeader, quoted bool) {
	marks := []string{"To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "References", "In-Reply-To"}
	if quoted {
		marks = []string{"Message-Id", "Return-Path", "Original-Mail-From", "X-Return-Path"}
	}
	for _, n := range marks {
		for _, v := range h.Values(n) {
			f.mark(v)
		}
	}
	addresses := []string{"X-Failed-Recipients"}
	if quoted {
		addresses = []string{"To", "X-Original-To", "Delivered-To"}
	}
	for _, n := range addresses {
		for _, v := range h.Values(n) {
			f.address(v)
		}
	}
}

func (f *found) mark(v string) {
	if len(f.marks) < maxRecips && anyMark.MatchString(strings.ToLower(v)) {
		f.marks = append(f.marks, v)
	}
}

func (f *found) address(v string) {
	for _, a := range anyAddress.FindAllString(v, maxRecips) {
		if len(f.addresses) < maxRecips {
			f.addresses = append(f.addresses, canonical(a))
		}
	}
}

// walk goes through the parts of a mail.
func (f *found) walk(h textproto.MIMEHeader, body []byte, depth int) {
	if f.parts++; f.parts > maxParts || depth > maxDepth {
		return
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" {
		r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		for f.parts <= maxParts {
			p, err := r.NextRawPart()
			if err != nil {
				return
			}
			raw, _ := io.ReadAll(io.LimitReader(p, maxPart)) // what there is of it
			f.walk(p.Header, raw, depth+1)
		}
		return
	}
	body = decode(h.Get("Content-Transfer-Encoding"), body)
	switch kind {
	case "message/delivery-status":
		f.isDSN = true
		f.deliveryStatus(body)
	case "message/feedback-report":
		for _, block := range blocks(body) {
			if v := block.Get("Feedback-Type"); v != "" && f.feedback == "" {
				f.feedback = v
			}
			f.mark(block.Get("Original-Mail-From"))
			for _, v := range block.Values("Original-Rcpt-To") {
				f.address(v)
			}
		}
	case "message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global", "message/global-headers":
		if quoted, _, err := readMail(append(body, "\r\n\r\n"...)); err == nil {
			f.header(quoted, true)
		}
	case "text/plain":
		f.plain(string(body))
	}
}

func (f *found) deliveryStatus(body []byte) {
	for i, b := range blocks(body) {
		if i == 0 && b.Get("Final-Recipient") == "" { // about the report as a whole
			continue
		}
		status, words := statusIn(b.Get("Status")), b.Get("Diagnostic-Code")
		if _, w, ok := strings.Cut(words, ";"); ok {
			words = strings.TrimSpace(w)
		}
		if f.status == "" {
			f.status, f.action, f.diagnostic = status, strings.TrimSpace(b.Get("Action")), words
		}
		for _, n := range []string{"Original-Recipient", "Final-Recipient"} {
			v := b.Get(n)
			if _, a, ok := strings.Cut(v, ";"); ok {
				v = a
			}
			before := len(f.addresses)
			f.address(v)
			for _, a := range f.addresses[before:] {
				f.statuses[a] = [2]string{status, words}
			}
		}
	}
}

var statusText = regexp.MustCompile(`\b([245]\.\d{1,3}\.\d{1,3})\b`)

func statusIn(s string) string {
	if m := statusText.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// replyText finds a server's own answer in the words of reports that keep no form.
var replyText = regexp.MustCompile(`\b5[0-9]{2}[ -]#?(5\.\d{1,3}\.\d{1,3})\b[^\r\n]{0,200}`)

// plain reads what servers without reports in form write: a 5xx with its status,
// and the headers of the mail below.
func (f *found) plain(text string) {
	if f.status == "" && !f.isDSN {
		if m := replyText.FindStringSubmatch(text); m != nil {
			f.status, f.diagnostic = m[1], clip(m[0], 200)
		}
	}
	for line := range strings.Lines(text) {
		name, v, ok := strings.Cut(line, ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "message-id", "return-path":
			if ok {
				f.mark(v)
			}
		case "to":
			if ok {
				f.address(v)
			}
		}
	}
}

// blocks are the groups of fields in a report's machine-readable part.
func blocks(body []byte) []textproto.MIMEHeader {
	var out []textproto.MIMEHeader
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(body)))
	for len(out) <= maxRecips {
		h, err := r.ReadMIMEHeader()
		if len(h) > 0 {
			out = append(out, h)
		}
		if err != nil {
			return out
		}
		if len(h) == 0 { // an empty line more
			if _, err := r.R.Peek(1); err != nil {
				return out
			}
		}
	}
	return out
}

func decode(how string, body []byte) []byte {
	var r io.Reader
	switch strings.ToLower(strings.TrimSpace(how)) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, bytes.NewReader(body))
	case "quoted-printable":
		r = quotedprintable.NewReader(bytes.NewReader(body))
	default:
		return body
	}
	out, _ := io.ReadAll(io.LimitReader(r, maxPart)) // what there is of it
	return out
}

func parseDate(s string) (time.Time, error) {
	for _, form := range []string{time.RFC1123Z, "Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 -0700 (MST)"} {
		if t, err := time.Parse(form, strings.TrimSpace(s)); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("no date: %s", clip(s, 40))
}

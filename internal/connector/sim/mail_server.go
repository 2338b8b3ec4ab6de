package sim

import (
	"bufio"
	"bytes"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// MailServer takes mail for everybody in the world, as a provider's server does: who
// signs in may send from the company's address alone, and what is not a mail that
// providers take is refused.
func (s *Sim) MailServer() *smtp.Server {
	m := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{s: s}, nil }))
	m.Domain, m.AllowInsecureAuth, m.MaxMessageBytes, m.MaxRecipients = "mx.example", true, letterSize, 1
	m.ReadTimeout, m.WriteTimeout = time.Minute, time.Minute
	m.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)
	return m
}

// ServeMail serves until the listener ends.
func (s *Sim) ServeMail(m *smtp.Server, ln net.Listener) error {
	if err := m.Serve(ln); err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// mailSession is one connection.
type mailSession struct {
	s        *Sim
	signedIn bool
	from, to string
}

func refuseMail(code int, status [3]int, words string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: status, Message: words}
}

// AuthMechanisms implements smtp.AuthSession.
func (m *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth implements smtp.AuthSession.
func (m *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		var own *Mail
		_ = m.s.at(func(w *World, _ time.Time) error { own = w.mails(); return nil }) // it cannot fail
		if user != own.User || subtle.ConstantTimeCompare([]byte(password), []byte(own.Password)) != 1 {
			return refuseMail(535, [3]int{5, 7, 8}, "authentication failed")
		}
		m.signedIn = true
		return nil
	}), nil
}

// fault lets a step go wrong: a busy system, too many calls.
func (m *mailSession) fault(step string) error {
	m.s.mu.Lock()
	hits := m.s.draw("mail:"+step, false)
	m.s.mu.Unlock()
	for _, f := range hits {
		switch f.Kind {
		case FaultBusy:
			return refuseMail(451, [3]int{4, 3, 0}, "try again later")
		case FaultRate:
			return refuseMail(421, [3]int{4, 7, 0}, "too many connections")
		}
	}
	return nil
}

// Mail implements smtp.Session.
func (m *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if !m.signedIn {
		return refuseMail(530, [3]int{5, 7, 0}, "sign in first")
	}
	if !strings.HasSuffix(strings.ToLower(from), "@"+MailDomain) {
		return refuseMail(553, [3]int{5, 7, 1}, "not an address of yours")
	}
	m.from = from
	return m.fault("mail")
}

// Rcpt implements smtp.Session.
func (m *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	to = strings.ToLower(to)
	if !simAddress.MatchString(to) {
		return refuseMail(553, [3]int{5, 1, 3}, "no such address")
	}
	if err := m.fault("rcpt"); err != nil {
		return err
	}
	state := ""
	_ = m.s.at(func(w *World, _ time.Time) error { state = w.mails().Boxes[to]; return nil }) // it cannot fail
	if state == BoxAbsent {
		return refuseMail(550, [3]int{5, 1, 1}, "no such user here")
	}
	m.to = to
	return nil
}

// Data implements smtp.Session.
func (m *mailSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := m.fault("data"); err != nil {
		return err
	}
	l, err := readLetter(raw)
	if err != nil {
		return refuseMail(554, [3]int{5, 6, 0}, err.Error())
	}
	l.Signed = m.s.checkSignature(raw)
	return m.s.at(func(w *World, now time.Time) error {
		l.ID, l.To, l.ReturnPath, l.At = w.next("m_", 14), m.to, m.from, now
		all := w.mails()
		s := m.s
		s.diary.add(Entry{At: now, Kind: EntryCall, Name: "mail", About: l.To, Note: short(l.Subject, 60)})
		switch all.Boxes[l.To] {
		case BoxGone:
			s.tellMail(w, "mail.bounce", l, bounceOf(w, l, "5.1.1", "no such user", now))
			return nil
		case BoxFull:
			s.tellMail(w, "mail.bounce", l, bounceOf(w, l, "5.2.2", "mailbox full", now))
			return nil
		}
		all.Letters = append(all.Letters, l)
		if len(all.Letters) > lettersKept {
			all.Letters = slices.Clone(all.Letters[len(all.Letters)-lettersKept*9/10:])
		}
		return nil
	})
}

// Reset implements smtp.Session.
func (m *mailSession) Reset() { m.from, m.to = "", "" }

// Logout implements smtp.Session.
func (m *mailSession) Logout() error { return nil }

// checkSignature looks at a mail's DKIM as its provider does.
func (s *Sim) checkSignature(raw []byte) string {
	list, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{MaxVerifications: 2, LookupTXT: func(name string) ([]string, error) {
		texts, _ := s.LookupTXT(name)
		return texts, nil
	}})
	switch {
	case err != nil:
		return "wrong"
	case len(list) == 0:
		return "no"
	}
	for _, v := range list {
		if v.Err == nil && v.Domain == MailDomain {
			return "yes"
		}
	}
	return "wrong"
}

var errOneOf = errors.New("a mail has one From, one To, one Subject, one Date and one Message-ID")

// readLetter takes a mail apart, and refuses one that providers would: headers twice
// are how forgers hide.
func readLetter(raw []byte) (*Letter, error) {
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(raw)))
	h, err := r.ReadMIMEHeader()
	if err != nil {
		return nil, err
	}
	for _, n := range []string{"From", "To", "Subject", "Date", "Message-Id"} {
		if len(h.Values(n)) != 1 {
			return nil, errOneOf
		}
	}
	from, err := mail.ParseAddress(h.Get("From"))
	if err != nil || !strings.HasSuffix(strings.ToLower(from.Address), "@"+MailDomain) {
		return nil, errors.New("the sender is not an address of yours")
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil {
		return nil, err
	}
	l := &Letter{From: from.Address, Name: from.Name, Subject: subject}
	if head, _, ok := bytes.Cut(raw, []byte("\r\n\r\n")); ok {
		l.Headers = string(head) + "\r\n"
	}
	if h.Get("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click" {
		for u := range strings.SplitSeq(h.Get("List-Unsubscribe"), ",") {
			if u = strings.Trim(strings.TrimSpace(u), "<>"); strings.HasPrefix(u, "http") {
				l.Unsubscribe = u
			}
		}
	}
	body, err := io.ReadAll(r.R)
	if err != nil {
		return nil, err
	}
	return l, l.read(h, body)
}

func (l *Letter) read(h textproto.MIMEHeader, body []byte) error {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return err
	}
	if strings.HasPrefix(kind, "multipart/") {
		r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		for {
			p, err := r.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			part, err := io.ReadAll(p)
			if err == nil {
				err = l.read(p.Header, part)
			}
			if err != nil {
				return err
			}
		}
	}
	if strings.EqualFold(h.Get("Content-Transfer-Encoding"), "quoted-printable") {
		if body, err = io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body))); err != nil {
			return err
		}
	}
	switch kind {
	case "text/plain":
		l.Text = string(body)
	case "text/html":
		l.HTML = string(body)
	}
	return nil
}
